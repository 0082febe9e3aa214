/*
 * SPDX-License-Identifier: ISC
 *
 * What /proc says of one process.  The root directory is a private procfs
 * without magic links, so "/PID/exe" can be read but never followed.
 *
 * Everything of a process is read through one descriptor of its directory:
 * the kernel binds that to the process, so that a pid used again in between
 * gives errors, not another's data.  What is left is execve in between,
 * seen by comparing the executable before and after.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "procinfo.h"

#define TEXT_MAX	8192	/* cgroup with many hierarchies is the longest */
#define IMAGE_TRIES	4
#define TICK_NS		(10 * 1000 * 1000)	/* of start times: USER_HZ */

int
procpid_open(uint32_t pid)
{
	char	 path[16];

	(void)snprintf(path, sizeof(path), "/%u", pid);
	return openat(AT_FDCWD, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* The first bytes of a file below the directory; -1 with errno. */
ssize_t
procpid_read(int dir, const char *name, char *buf, size_t size)
{
	ssize_t	 n;
	size_t	 len = 0;
	int	 fd;

	fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
	if (fd == -1)
		return -1;
	do {
		n = read(fd, buf + len, size - len);
		if (n > 0)
			len += (size_t)n;
	} while (n > 0 && len < size);
	close(fd);
	return n == -1 ? -1 : (ssize_t)len;
}

/*
 * The same of a file that the kernel makes in one piece, which what is read
 * first holds as far as there is room: no second read to see the end.
 */
static ssize_t
read_piece(int dir, const char *name, char *buf, size_t size)
{
	ssize_t	 n;
	int	 fd;

	fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
	if (fd == -1)
		return -1;
	n = read(fd, buf, size);
	close(fd);
	return n;
}

int
procpid_stat(int dir, struct pid_stat *st)
{
	char	 buf[1024];
	ssize_t	 n;

	n = read_piece(dir, "stat", buf, sizeof(buf));
	if (n == -1)
		return -1;
	return pid_parse_stat(buf, (size_t)n, st);
}

/* As the kernel says it, " (deleted)" and "/memfd:" included. */
int
procpid_link(int dir, const char *name, char *buf, size_t size)
{
	ssize_t	 n;

	buf[0] = '\0';
	n = readlinkat(dir, name, buf, size);
	/* A path cut short could be taken for another. */
	if (n <= 0 || (size_t)n >= size) {
		buf[0] = '\0';
		return -1;
	}
	buf[n] = '\0';
	return 0;
}

int
procpid_exe(int dir, char *buf, size_t size)
{
	return procpid_link(dir, "exe", buf, size);
}

/* What follows up to the unit is called by other threads, too. */
int
procpid_args(int dir, const char *name, char args[ARGS_MAX], uint16_t *len,
    uint8_t *cut)
{
	char	 buf[ARGS_MAX + 1];
	ssize_t	 n;

	n = read_piece(dir, name, buf, sizeof(buf));
	pid_parse_args(buf, n > 0 ? (size_t)n : 0, args, len, cut);
	return n > 0 ? 0 : -1;
}

int
procpid_unit(int dir, const char *name, char *unit, size_t size, bool *only)
{
	static const char	 perf[] = "perf_event";
	char			 buf[TEXT_MAX];
	ssize_t			 n;

	n = read_piece(dir, name, buf, sizeof(buf));
	/* Cut off means that the last line is not the last. */
	if (n <= 0 || (size_t)n == sizeof(buf) ||
	    pid_parse_cgroup(buf, (size_t)n, unit, size) == -1) {
		unit[0] = '\0';
		return -1;
	}
	if (only != NULL)
		*only = memmem(buf, (size_t)n, perf, sizeof(perf) - 1) == NULL;
	return 0;
}

/* Executable and arguments of one and the same program. */
static int
read_program(int dir, struct whois *w)
{
	static char	 again[EXE_MAX];
	int		 i;

	for (i = 0; i < IMAGE_TRIES; i++) {
		/* Kernel threads and zombies have none. */
		if (procpid_exe(dir, w->exe, sizeof(w->exe)) == -1)
			return -1;
		(void)procpid_args(dir, "cmdline", w->args, &w->args_len,
		    &w->args_cut);
		(void)procpid_link(dir, "cwd", w->cwd, sizeof(w->cwd));
		if (procpid_exe(dir, again, sizeof(again)) == -1) {
			/* It ended: whose arguments were they? */
			w->args_len = 0;
			w->args_cut = 0;
			return 0;
		}
		if (strcmp(again, w->exe) == 0)
			return 0;
	}
	return -1;
}

/* The end of a long path tells more than its beginning. */
static void
copy_tail(char *to, size_t size, const char *from)
{
	size_t	 n = strlen(from);

	if (n >= size)
		from += n - (size - 1);
	memcpy(to, from, strlen(from) + 1);
}

void
procpid_image(int dir, struct whois *w)
{
	if (read_program(dir, w) == -1) {
		w->exe[0] = w->cwd[0] = '\0';
		w->args_len = 0;
		w->args_cut = 0;
	}
	(void)procpid_unit(dir, "cgroup", w->unit, sizeof(w->unit), NULL);
}

int
procpid_uids(int dir, struct pid_uids *uids)
{
	char	 buf[TEXT_MAX];
	ssize_t	 n;

	n = read_piece(dir, "status", buf, sizeof(buf));
	if (n == -1)
		return -1;
	return pid_parse_uids(buf, (size_t)n, uids);
}

int
procpid_process(int dir, uint32_t *pid)
{
	char	 buf[TEXT_MAX];
	ssize_t	 n;

	n = read_piece(dir, "status", buf, sizeof(buf));
	if (n == -1)
		return -1;
	return pid_parse_tgid(buf, (size_t)n, pid);
}

bool
procpid_after(uint64_t start, uint64_t when)
{
	struct timespec	 boot, mono;
	int64_t		 behind;

	(void)clock_gettime(CLOCK_BOOTTIME, &boot);
	(void)clock_gettime(CLOCK_MONOTONIC, &mono);
	behind = (int64_t)(boot.tv_sec - mono.tv_sec) * 1000000000 +
	    (boot.tv_nsec - mono.tv_nsec);
	return start > (when + (uint64_t)behind) / TICK_NS + 1;
}

/* A "parent" younger than its child is another's pid. */
void
procpid_parents(struct whois *w, uint32_t ppid, uint64_t start)
{
	static char	 exe[EXE_MAX];
	struct pid_stat	 st;
	int		 dir;

	w->nparents = 0;
	while (w->nparents < PARENTS_MAX && ppid != 0) {
		dir = procpid_open(ppid);
		if (dir == -1)
			return;
		if (procpid_stat(dir, &st) == -1 ||
		    (start != 0 && st.start > start)) {
			close(dir);
			return;
		}
		if (procpid_exe(dir, exe, sizeof(exe)) == -1)
			exe[0] = '\0';	/* the kernel's own */
		close(dir);
		w->parent[w->nparents].pid = st.pid;
		copy_tail(w->parent[w->nparents].exe,
		    sizeof(w->parent[0].exe), exe);
		w->nparents++;
		ppid = st.ppid;
		start = st.start;
	}
}
