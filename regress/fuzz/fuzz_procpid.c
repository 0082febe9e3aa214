/*
 * SPDX-License-Identifier: ISC
 *
 * The first byte says which file of /proc the rest is, or that it is a
 * record of a call that was denied.
 */
#include <stdlib.h>
#include <string.h>

#include "audit.h"
#include "procpid_parse.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
fuzz_args(const char *text, size_t len)
{
	char		 args[ARGS_MAX];
	uint16_t	 n;
	uint8_t		 cut;

	pid_parse_args(text, len, args, &n, &cut);
	if (n > ARGS_MAX || (n > 0 && args[n - 1] != '\0') ||
	    (!cut && n < len))
		abort();
}

static void
fuzz_cgroup(const char *text, size_t len)
{
	char	 unit[UNIT_MAX];

	if (pid_parse_cgroup(text, len, unit, sizeof(unit)) == 0 &&
	    (unit[0] != '/' || strchr(unit, '\n') != NULL))
		abort();
}

static void
fuzz_name(const char *text, size_t len)
{
	char		 name[32];
	uint32_t	 pid;

	if (len >= sizeof(name))
		return;
	memcpy(name, text, len);
	name[len] = '\0';
	if (pid_parse_name(name, &pid) == 0 &&
	    (pid == 0 || pid > PID_NUMBER_MAX))
		abort();
}

static void
fuzz_audit(const char *text, size_t len)
{
	struct msg_denied	m;

	if (audit_parse(text, len, &m) == 0 &&
	    memmem(text, len, "snitch-", 7) == NULL)
		abort();
}

/* Exact-size copies, so that one byte too far is seen. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pid_stat		 st;
	struct pid_uids		 uids;
	struct pid_fdinfo	 fi;
	struct pid_mount	 mount;
	struct file_id		 file;
	uint32_t		 pid;
	char			*text;

	if (size < 1)
		return 0;
	if ((text = malloc(size)) == NULL)
		abort();
	memcpy(text, data + 1, size - 1);
	size--;
	if ((text = realloc(text, size > 0 ? size : 1)) == NULL)
		abort();
	switch (data[0] % 16) {
	case 0:
		if (pid_parse_stat(text, size, &st) == 0 &&
		    (st.pid > PID_NUMBER_MAX || st.ppid > PID_NUMBER_MAX))
			abort();
		break;
	case 1:
		if (pid_parse_uids(text, size, &uids) == -1)
			break;
		break;
	case 2:
		if (pid_parse_fdinfo(text, size, &fi) == -1)
			break;
		break;
	case 3:
		fuzz_cgroup(text, size);
		break;
	case 4:
		fuzz_args(text, size);
		break;
	case 5:
		fuzz_name(text, size);
		break;
	case 6:
		if (pid_parse_maps(text, size, "/a", &file) == 0 &&
		    memmem(text, size, "/a", 2) == NULL)
			abort();
		break;
	case 7:
		if (pid_parse_mount(text, size, 28, &mount) == -1)
			break;
		break;
	case 8:
		if (pid_parse_tgid(text, size, &pid) == 0 &&
		    (pid == 0 || pid > PID_NUMBER_MAX))
			abort();
		break;
	case 9:
		fuzz_audit(text, size);
		break;
	}
	free(text);
	return 0;
}
