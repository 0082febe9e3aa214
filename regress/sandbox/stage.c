/*
 * SPDX-License-Identifier: ISC
 *
 * Sets the stage and counts.  Needs root.  Prints "ok NAME" or
 * "not ok NAME: why" for each case.
 */
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <linux/netlink.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "acts.h"
#include "fdpass.h"
#include "log.h"
#include "sandbox.h"

pid_t			 victim;
pid_t			 stranger;
struct event_base	*base;
int			 mounts[2];
char			 why[256];

static int		 failed;

/*
 * BELOW: inside, and as in life below the parent's filter too, which must not
 * lack what a child needs.  Forbidden acts are tried without it, so that it
 * does not hide a hole.
 */
enum where { OUTSIDE, INSIDE, BELOW };

int
pass_fd(int to, int fd)
{
	return fdpass_send(to, "x", 1, fd, MSG_DONTWAIT) == 1 ? 0 : -1;
}

int
queue_send(size_t len, int flags, const struct sockaddr *sa, socklen_t salen)
{
	char		 buf[128];
	struct nlmsghdr	*nlh = (struct nlmsghdr *)(void *)buf;

	memset(buf, 0, sizeof(buf));
	nlh->nlmsg_len = (uint32_t)len;
	nlh->nlmsg_type = NLMSG_NOOP;
	return (sendto(FD_NETQ_QUEUE, buf, len, flags, sa, salen) ==
	    (ssize_t)len ? 0 : -1);
}

void
place(int fd, int number)
{
	if (fd == -1)
		fatal("descriptor %d", number);
	if (fd == number)
		return;
	if (dup2(fd, number) == -1)
		fatal("dup2 %d", number);
	close(fd);
}

/* The mount a child gets as root: an empty tmpfs, or a private procfs. */
static int
root_mount(bool proc)
{
	unsigned int	attr = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID |
			    MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;
	int		fs, fd;

	fs = (int)syscall(SYS_fsopen, proc ? "proc" : "tmpfs", FSOPEN_CLOEXEC);
	if (fs == -1)
		fatal("fsopen");
	if (proc) {
		attr |= MOUNT_ATTR_NOSYMFOLLOW;
		if (syscall(SYS_fsconfig, fs, FSCONFIG_SET_STRING, "subset",
		    "pid", 0) == -1)
			fatal("subset=pid");
	}
	if (syscall(SYS_fsconfig, fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) ==
	    -1)
		fatal("fsconfig");
	if ((fd = (int)syscall(SYS_fsmount, fs, FSMOUNT_CLOEXEC, attr)) == -1)
		fatal("fsmount");
	close(fs);
	return (fd);
}

static int
listener(void)
{
	struct sockaddr_un	sun;
	int			fd;

	memset(&sun, 0, sizeof(sun));
	sun.sun_family = AF_UNIX;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	if (fd == -1 || bind(fd, (struct sockaddr *)&sun,
	    sizeof(sa_family_t)) == -1 || listen(fd, 5) == -1)
		fatal("listener");
	return (fd);
}

/*
 * Descriptors as the parent would leave them.  The far ends of links are kept
 * high, out of the way; what is sent there is echoed by nobody, so links get
 * one message to read.
 */
static void
set_descriptors(enum role role)
{
	int	pair[2], six;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == -1)
		fatal("socketpair");
	place(fcntl(pair[1], F_DUPFD, 40), 41);
	close(pair[1]);
	if (write(41, "hello hello", 11) != 11)
		fatal("write");
	place(pair[0], FD_PARENT);
	if (role != ROLE_PARENT)
		place(dup(mounts[role == ROLE_PROCINFO]), FD_ROOT);
	if (role == ROLE_NETQ)
		six = socket(AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER);
	else if (role == ROLE_PROCINFO)
		six = socket(AF_NETLINK, SOCK_RAW, NETLINK_SOCK_DIAG);
	else
		six = dup(FD_PARENT);
	place(six, 6);
	if (role == ROLE_PROCINFO)
		place(open("/", O_PATH | O_DIRECTORY), FD_PROC_HOST);
	if (role == ROLE_RULED) {
		place(listener(), FD_RULED_CONTROL);
		place(open("/etc/passwd", O_RDONLY), FD_RULED_COUNTERS);
	}
}

static void
no_threads(void)
{
}

void
enter(enum role role)
{
	switch (role) {
	case ROLE_NETQ:
		sandbox_netq(UID_SNITCH, UID_SNITCH);
		break;
	case ROLE_PROCINFO:
		sandbox_procinfo(UID_SNITCH, UID_SNITCH, no_threads);
		break;
	case ROLE_RULED:
		sandbox_ruled(UID_SNITCH, UID_SNITCH);
		break;
	case ROLE_PROMPTER:
		sandbox_prompter_identity(UID_PROMPT, UID_PROMPT);
		sandbox_prompter();
		break;
	default:
		sandbox_parent();
		break;
	}
}

/* An exit status is an errno: those of Linux end at 133. */
static int
act_result(int status)
{
	if (WIFSIGNALED(status))
		return (WTERMSIG(status) == SIGSYS ? KILLED : DIFFERENT);
	return (WEXITSTATUS(status) == 255 ? DIFFERENT : WEXITSTATUS(status));
}

/* Runs fn in a fresh process; shares `why` through a pipe. */
static int
run(enum role role, enum where where, int (*fn)(void))
{
	pid_t	pid;
	int	status, wfd[2];
	ssize_t	n;

	(void)fflush(stdout);
	why[0] = '\0';
	if (pipe(wfd) == -1 || (pid = fork()) == -1)
		fatal("fork");
	if (pid == 0) {
		place(wfd[1], 39);
		set_descriptors(role);
		if ((base = event_base_new()) == NULL)
			fatalx("event_base_new");
		log_init(role, 0);
		if (where == BELOW && role != ROLE_PARENT)
			enter(ROLE_PARENT);
		if (where != OUTSIDE)
			enter(role);
		errno = 0;
		status = fn() == 0 ? DONE : errno == 0 ? 255 : errno;
		if (why[0] != '\0' && write(39, why, strlen(why)) == -1)
			_exit(255);
		_exit(status);
	}
	close(wfd[1]);
	if ((n = read(wfd[0], why, sizeof(why) - 1)) < 0)
		n = 0;
	why[n] = '\0';
	close(wfd[0]);
	if (waitpid(pid, &status, 0) != pid)
		fatal("waitpid");
	return (act_result(status));
}

static const char *
result_name(int result)
{
	static char	buf[64];

	if (result == KILLED)
		return ("killed by SIGSYS");
	if (result == DONE)
		return ("done");
	if (result == DIFFERENT)
		return ("ended in some other way");
	(void)snprintf(buf, sizeof(buf), "refused: %s", strerror(result));
	return (buf);
}

static void
verdict(enum role role, const char *what, const char *name, int want, int got)
{
	if (want == got || (want == ANY && got != KILLED && got != DIFFERENT)) {
		printf("ok %s: %s%s\n", role_name(role), name, what);
		return;
	}
	failed++;
	printf("not ok %s: %s%s: %s %s\n", role_name(role), name, what,
	    result_name(got), why);
}

/* Somebody of the actor's own user, made undumpable like its equals. */
static void
victim_start(enum role role)
{
	int	ready[2];
	char	byte;

	if (pipe(ready) == -1 || (victim = fork()) == -1)
		fatal("fork");
	if (victim == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (role != ROLE_PARENT && setresuid(role == ROLE_PROMPTER ?
		    UID_PROMPT : UID_SNITCH, UID_SNITCH, UID_SNITCH) == -1)
			_exit(1);
		prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (write(ready[1], "", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	close(ready[1]);
	if (read(ready[0], &byte, 1) != 1)
		fatalx("victim did not start");
	close(ready[0]);
}

static void
victim_end(void)
{
	kill(victim, SIGKILL);
	waitpid(victim, NULL, 0);
}

/* One line of /proc/PID/status. */
static int
status_field(const char *status, const char *name, const char *want)
{
	const char	*p;

	if ((p = strstr(status, name)) == NULL)
		return (-1);
	p += strlen(name);
	p += strspn(p, "\t ");
	return (strncmp(p, want, strlen(want)) == 0 &&
	    (p[strlen(want)] == '\n' || p[strlen(want)] == '\t') ? 0 : -1);
}

static void
check_field(enum role role, const char *status, const char *name,
    const char *want)
{
	const char	*p = strstr(status, name);

	if (status_field(status, name, want) == 0)
		printf("ok %s: %s %s\n", role_name(role), name, want);
	else {
		failed++;
		printf("not ok %s: %s %.30s, not %s\n", role_name(role), name,
		    p == NULL ? "missing" : p + strlen(name), want);
	}
}

static void
check_status(enum role role, const char *caps)
{
	char	path[64], text[8192];
	pid_t	pid;
	ssize_t	n;
	int	fd, status;

	(void)fflush(stdout);
	if ((pid = fork()) == -1)
		fatal("fork");
	if (pid == 0) {
		set_descriptors(role);
		log_init(role, 0);
		if (prctl(PR_SET_PDEATHSIG, SIGKILL) == -1)
			_exit(1);
		enter(role);
		for (;;)
			(void)poll(NULL, 0, 1000);
	}
	/* Until it shows the filter, for at most two seconds. */
	for (status = 0; status < 200; status++) {
		(void)snprintf(path, sizeof(path), "/proc/%d/status", pid);
		if ((fd = open(path, O_RDONLY)) == -1)
			fatal("%s", path);
		if ((n = read(fd, text, sizeof(text) - 1)) < 0)
			fatal("%s", path);
		close(fd);
		text[n] = '\0';
#ifndef NO_SANDBOX_FILTER
		if (status_field(text, "Seccomp:", "2") == 0)
			break;
#endif
		(void)poll(NULL, 0, 10);
	}
	check_field(role, text, "CapInh:", "0000000000000000");
	check_field(role, text, "CapPrm:", caps);
	check_field(role, text, "CapEff:", caps);
	check_field(role, text, "CapBnd:", role == ROLE_PARENT ? caps :
	    "0000000000000000");
	check_field(role, text, "CapAmb:", "0000000000000000");
	check_field(role, text, "NoNewPrivs:", "1");
#ifndef NO_SANDBOX_FILTER
	check_field(role, text, "Seccomp:", "2");
#endif
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static void
role_forbidden(enum role role)
{
	const struct act	*a;
	size_t			 i;

	for (i = 0; i < nforbidden; i++) {
		a = &forbidden[i];
		if ((a->roles & R(role)) == 0)
			continue;
#ifdef NO_SANDBOX_FILTER
		if (a->bare != ANY)
			verdict(role, ", without the filter", a->name, a->bare,
			    run(role, INSIDE, a->fn));
#else
		verdict(role, ", outside", a->name, a->outside,
		    run(role, OUTSIDE, a->fn));
		verdict(role, "", a->name, a->inside,
		    run(role, INSIDE, a->fn));
#endif
	}
}

static void
role_jobs(enum role role)
{
	size_t	i;

	for (i = 0; i < njobs; i++)
		if (jobs[i].roles & R(role))
			verdict(role, "", jobs[i].name, DONE,
			    run(role, BELOW, jobs[i].fn));
}

static const char *const role_caps[] = {
	[ROLE_PARENT] = "00000000008c11e9",
	[ROLE_NETQ] = "0000000000001000",
	[ROLE_PROCINFO] = "0000000000080000",
	[ROLE_RULED] = "0000000000000000",
	[ROLE_PROMPTER] = "0000000000000000",
};

int
main(int argc, char **argv)
{
	int	role;

	if (getuid() != 0) {
		printf("skip acts: needs root\n");
		return (0);
	}
	log_init(ROLE_PARENT, 0);
	mounts[0] = root_mount(false);
	mounts[1] = root_mount(true);
	stranger = getpid();
	for (role = ROLE_PARENT; role <= ROLE_PROMPTER; role++) {
		if (argc > 1 && strcmp(argv[1], role_name((enum role)role)))
			continue;
		victim_start((enum role)role);
		failed += check_tables((enum role)role);
		check_status((enum role)role, role_caps[role]);
		role_jobs((enum role)role);
		role_forbidden((enum role)role);
		victim_end();
	}
	return (failed == 0 ? 0 : 1);
}
