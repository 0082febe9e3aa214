/*
 * SPDX-License-Identifier: ISC
 *
 * perf_event_open(2) may be refused where tracefs is not: by a security
 * module, by the filter of a container.  Then each tracepoint gets an instance
 * of tracefs, that is, buffers which nobody else writes into and no other
 * flood of events washes away.  Times are CLOCK_MONOTONIC, as perf's are.
 *
 * Unlike perf events an instance outlives those who made it.  One that is
 * open cannot be removed, so all of that name are tried at a start: what goes
 * was left by a crash, what stays is another firewall's.
 */
#include <sys/types.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "log.h"
#include "trace.h"

#define INSTANCES	"instances"
#define PREFIX		"tinysnitch-"
#define BUFFER_KB	128	/* for each CPU; procinfo has four times that */
#define BUFFERS_KB	8192	/* for all, if no less than BUFFER_MIN each */
#define BUFFER_MIN	16
#define TRACES_MAX	3
#define REMOVE_TRIES	100	/* while somebody has it open, */
#define REMOVE_MS	20	/* with this pause */

static struct {
	char			 name[48];
	struct msg_event	 m;
} traces[TRACES_MAX];
static int	 ntraces;
static bool	 cleaned;

int
trace_mount(bool writable)
{
	unsigned int	 attr = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV |
			    MOUNT_ATTR_NOEXEC;
	int		 fs, fd = -1;

	if ((fs = fsopen("tracefs", FSOPEN_CLOEXEC)) == -1)
		return -1;
	if (fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) == 0)
		fd = fsmount(fs, FSMOUNT_CLOEXEC, writable ? attr :
		    attr | MOUNT_ATTR_RDONLY);
	(void)close(fs);
	return fd;
}

static int
write_file(int dir, const char *path, const char *text)
{
	ssize_t	 n;
	int	 fd;

	if ((fd = openat(dir, path, O_WRONLY | O_CLOEXEC)) == -1)
		return -1;
	n = write(fd, text, strlen(text));
	(void)close(fd);
	return n == (ssize_t)strlen(text) ? 0 : -1;
}

static int
open_instances(int tracefs)
{
	return openat(tracefs, INSTANCES, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* Of a life that ended without a word. */
static void
clean(int instances)
{
	struct dirent	*e;
	DIR		*d;
	int		 fd;

	if ((fd = openat(instances, ".", O_RDONLY | O_DIRECTORY |
	    O_CLOEXEC)) == -1 || (d = fdopendir(fd)) == NULL) {
		if (fd != -1)
			(void)close(fd);
		return;
	}
	while ((e = readdir(d)) != NULL)
		if (strncmp(e->d_name, PREFIX, sizeof(PREFIX) - 1) == 0)
			(void)unlinkat(instances, e->d_name, AT_REMOVEDIR);
	(void)closedir(d);
}

static int
setup(int dir, const char *event, const char *filter)
{
	char	 path[128], size[16];
	long	 kb, n = sysconf(_SC_NPROCESSORS_CONF);

	for (kb = BUFFER_KB; kb > BUFFER_MIN && kb * n > BUFFERS_KB; kb /= 2)
		continue;
	(void)snprintf(size, sizeof(size), "%ld", kb);
	if (write_file(dir, "trace_clock", "mono") == -1 ||
	    write_file(dir, "buffer_size_kb", size) == -1)
		return -1;
	(void)snprintf(path, sizeof(path), "%s/filter", event);
	if (write_file(dir, path, filter) == -1)
		return -1;
	(void)snprintf(path, sizeof(path), "%s/enable", event);
	return write_file(dir, path, "1");
}

static int
make(int instances, const char *name, const char *event, const char *filter)
{
	int	 dir, rc = -1;

	if (mkdirat(instances, name, 0700) == -1)
		return -1;
	dir = openat(instances, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir != -1) {
		rc = setup(dir, event, filter);
		(void)close(dir);
	}
	if (rc == -1)
		(void)unlinkat(instances, name, AT_REMOVEDIR);
	return rc;
}

int
trace_add(const char *event, const char *filter, const struct msg_event *m)
{
	int	 tracefs, instances, n = ntraces, rc = -1;

	if (n == TRACES_MAX || (tracefs = trace_mount(true)) == -1)
		return -1;
	if ((instances = open_instances(tracefs)) != -1) {
		if (!cleaned)
			clean(instances);
		cleaned = true;
		(void)snprintf(traces[n].name, sizeof(traces[n].name),
		    PREFIX "%d-%d", (int)getpid(), n);
		traces[n].m = *m;
		rc = make(instances, traces[n].name, event, filter);
		(void)close(instances);
	}
	(void)close(tracefs);
	if (rc == 0)
		ntraces++;
	return rc;
}

int
trace_open(int n, int cpu, struct msg_event *m)
{
	char	 path[128];
	int	 tracefs, fd;

	if (n >= ntraces) {
		errno = ENOENT;
		return -1;
	}
	if ((tracefs = trace_mount(false)) == -1)
		return -1;
	(void)snprintf(path, sizeof(path), INSTANCES "/%s/per_cpu/cpu%d/"
	    "trace_pipe_raw", traces[n].name, cpu);
	fd = openat(tracefs, path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd == -1 && errno == ENOENT)
		errno = ENODEV;
	(void)close(tracefs);
	*m = traces[n].m;
	m->cpu = (uint16_t)cpu;
	return fd;
}

bool
trace_on(void)
{
	return ntraces > 0;
}

void
trace_remove(void)
{
	static const struct timespec	 pause = { 0, REMOVE_MS * 1000000 };
	int				 i, tracefs, instances;

	if (ntraces == 0 || (tracefs = trace_mount(true)) == -1)
		return;
	if ((instances = open_instances(tracefs)) != -1) {
		for (i = 0; ntraces > 0 && i < REMOVE_TRIES; i++) {
			if (unlinkat(instances, traces[ntraces - 1].name,
			    AT_REMOVEDIR) == 0 || errno != EBUSY)
				ntraces--;
			else
				(void)nanosleep(&pause, NULL);
		}
		(void)close(instances);
	}
	(void)close(tracefs);
}
