/*
 * SPDX-License-Identifier: ISC
 *
 * Every reader of a file below /proc/PID: any bytes, for programs choose
 * much of what stands there.
 */
#include "procpid_parse.h"

#define SOME	8	/* of a path that is looked for, of a name */
#define HINT	(SOME - 1)
#include "prove.h"

/* Any text, terminated. */
static void
some(char s[SOME])
{
	Frama_C_make_unknown(s, SOME);
	s[SOME - 1] = '\0';
}

static void
parse(const uint8_t *data, size_t len)
{
	static char		 unit[SOME], args[ARGS_MAX], text[SOME];
	const char		*buf = (const char *)data;
	struct pid_stat		 st;
	struct pid_uids		 uids;
	struct pid_fdinfo	 fi;
	struct pid_mount	 m;
	struct file_id		 f;
	uint32_t		 pid;
	uint16_t		 args_len;
	uint8_t			 cut;

	(void)pid_parse_stat(buf, len, &st);
	(void)pid_parse_uids(buf, len, &uids);
	(void)pid_parse_tgid(buf, len, &pid);
	(void)pid_parse_fdinfo(buf, len, &fi);
	(void)pid_parse_cgroup(buf, len, unit, sizeof(unit));
	(void)pid_parse_mount(buf, len,
	    Frama_C_unsigned_long_long_interval(0, UINT64_MAX), &m);
	some(text);
	(void)pid_parse_maps(buf, len, text, &f);
	some(text);
	(void)pid_parse_name(text, &pid);
	pid_parse_args(buf, len, args, &args_len, &cut);
}
