/*
 * SPDX-License-Identifier: ISC
 *
 * Processes that wait to be children: the program loaded, the filter made, and
 * nothing open but a link to us, over which comes what makes it a child.  One
 * waits beside each of netq, procinfo and ruled, so that a dead one is replaced
 * at once; the first ones start the same way.
 */
#include <sys/types.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "log.h"
#include "parent.h"

#define FD_HIGH		64	/* above every number a child knows */

struct spare {
	pid_t	pid;	/* 0: there is none */
	int	fd;	/* our end of its link; -1: closed */
};

static struct spare	spares[ROLE_MAX];
static bool		kept;

/* Between fork and exec; nothing here may fail silently or run on. */
static void __attribute__((__noreturn__))
spare_exec(enum role role, int link)
{
	static char	*envp[3] = { NULL };
	static char	 path[PATH_MAX], name[32], tz[128];
	char		*argv[2] = { name, NULL };
	const char	*zone;
	int		 null, i, n;
	sigset_t	 none;

	if ((null = fcntl(env.fds.null, F_DUPFD_CLOEXEC, FD_HIGH)) == -1 ||
	    (link = fcntl(link, F_DUPFD_CLOEXEC, FD_HIGH)) == -1)
		_exit(126);
	for (i = 0; i < FD_PARENT; i++)
		if (dup2(null, i) == -1)
			_exit(126);
	if (dup2(link, FD_PARENT) == -1)
		_exit(126);
	closefrom(FD_PARENT + 1);
	/* An interrupt key of the terminal is the parent's to handle. */
	if (setsid() == -1 || chdir("/") == -1)
		_exit(126);
	(void)umask(077);
	(void)signal(SIGPIPE, SIG_DFL);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)snprintf(name, sizeof(name), SPARE_NAME "-%s", role_name(role));
	n = snprintf(path, sizeof(path), "%s/%s", env.libexec,
	    role_name(role));
	if (n < 0 || (size_t)n >= sizeof(path))
		_exit(126);
	/* Lines are stamped with local time before /etc is out of sight. */
	if ((zone = getenv("TZ")) != NULL) {
		n = snprintf(tz, sizeof(tz), "TZ=%s", zone);
		if (n > 0 && (size_t)n < sizeof(tz))
			envp[0] = tz;
	}
	(void)execve(path, argv, envp);
	_exit(127);
}

static int
spare_fork(enum role role)
{
	struct spare	*s = &spares[role];
	int		 ends[2];
	pid_t		 pid;

	if (s->pid != 0)
		return 0;
	if (link_pair(ends) == -1)
		return -1;
	if ((pid = fork()) == 0)
		spare_exec(role, ends[1]);
	(void)close(ends[1]);
	if (pid == -1) {
		(void)close(ends[0]);
		return -1;
	}
	s->pid = pid;
	s->fd = ends[0];
	return 0;
}

pid_t
spare_take(enum role role, int *fd)
{
	struct spare	*s = &spares[role];
	pid_t		 pid;

	if (spare_fork(role) == -1)
		return -1;
	*fd = s->fd;
	pid = s->pid;
	s->pid = 0;
	return pid;
}

/* What can be done without need not be had. */
void
spare_renew(void)
{
	int	i;

	for (i = ROLE_NETQ; kept && i < ROLE_PROMPTER; i++)
		if (spare_fork((enum role)i) == -1)
			log_debug("no spare %s: %s", role_name((enum role)i),
			    strerror(errno));
}

/* Not while the start goes on, or for a prompter, which has more time. */
void
spare_keep(void)
{
	kept = true;
	spare_renew();
}

static void
spare_close(struct spare *s)
{
	if (s->pid != 0 && s->fd != -1)
		(void)close(s->fd);
	s->fd = -1;
}

/* Without one the next start takes longer, and brings another. */
bool
spare_changed(pid_t pid, int status)
{
	int	i;

	for (i = 0; i < ROLE_MAX && spares[i].pid != pid; i++)
		continue;
	if (i == ROLE_MAX)
		return false;
	if (WIFSTOPPED(status)) {
		(void)kill(pid, SIGKILL);
		return true;
	}
	log_debug("%s[%d], a spare, ended", role_name((enum role)i), (int)pid);
	spare_close(&spares[i]);
	spares[i].pid = 0;
	if (parent_stopping())
		parent_stop_next();
	return true;
}

void
spare_close_all(void)
{
	int	i;

	for (i = 0; i < ROLE_MAX; i++)
		spare_close(&spares[i]);
}

int
spare_count(void)
{
	int	i, n = 0;

	for (i = 0; i < ROLE_MAX; i++)
		n += spares[i].pid != 0;
	return n;
}

void
spare_kill_all(void)
{
	int	i;

	for (i = 0; i < ROLE_MAX; i++)
		if (spares[i].pid != 0)
			(void)kill(spares[i].pid, SIGKILL);
}
