/*
 * SPDX-License-Identifier: ISC
 *
 * What each process needs, and which must therefore work in its sandbox.
 */
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "acts.h"
#include "sandbox.h"

static int
needs(bool good, const char *what)
{
	if (!good)
		(void)snprintf(why, sizeof(why), "%s: %s", what,
		    strerror(errno));
	return (good ? 0 : -1);
}

static int
job_memory(void)
{
	char	*p;
	size_t	 i;

	for (i = 1; i < 64; i++) {
		if ((p = malloc(i * 100000)) == NULL)
			return (needs(false, "malloc"));
		memset(p, 1, i * 100000);
		if ((p = realloc(p, i * 300000)) == NULL)
			return (needs(false, "realloc"));
		free(p);
	}
	return (0);
}

static int
compare(const void *a, const void *b)
{
	return (memcmp(a, b, sizeof(int)));
}

static int
job_sort(void)
{
	static int	v[100000];
	size_t		i;

	for (i = 0; i < 100000; i++)
		v[i] = (int)(i * 7919 % 100003);
	qsort(v, 100000, sizeof(v[0]), compare);
	return (0);
}

static int
job_time(void)
{
	struct timespec	 ts;
	time_t		 now;
	char		 buf[64];
	struct tm	*tm;

	if (syscall(SYS_clock_gettime, CLOCK_BOOTTIME, &ts) == -1)
		return (needs(false, "clock_gettime"));
	now = time(NULL);
	tm = localtime(&now);
	return (needs(tm != NULL && strftime(buf, sizeof(buf), "%FT%T%z",
	    tm) > 0, "localtime"));
}

static void
loop_tick(int fd, short what, void *arg)
{
	int	*count = arg;

	(void)fd;
	(void)what;
	if (++*count == 2)
		event_base_loopbreak(base);
}

/* A signal to itself and a timer, as in every process. */
static int
job_loop(void)
{
	struct timeval	 tv = { 0, 1000 };
	struct event	*timer;
	int		 count = 0;

	if ((timer = event_new(base, -1, 0, loop_tick, &count)) == NULL)
		return (needs(false, "event_new"));
	event_add(timer, &tv);
	event_base_once(base, FD_PARENT, EV_READ, loop_tick, &count, NULL);
	return (needs(event_base_dispatch(base) == 0 && count == 2,
	    "the event loop"));
}

static int
job_links(void)
{
	char		buf[64];
	struct pollfd	pfd = { FD_PARENT, POLLIN, 0 };
	struct iovec	iov = { buf, sizeof(buf) };
	struct msghdr	mh;

	memset(&mh, 0, sizeof(mh));
	mh.msg_iov = &iov;
	mh.msg_iovlen = 1;
	if (send(FD_PARENT, "hello", 5, MSG_NOSIGNAL | MSG_DONTWAIT) != 5)
		return (needs(false, "send"));
	if (poll(&pfd, 1, 1000) != 1)
		return (needs(false, "poll"));
	return (needs(recvmsg(FD_PARENT, &mh, MSG_DONTWAIT) > 0, "recvmsg"));
}

static int
job_missing(void)
{
	return (needs(sandbox_missing() != NULL, "sandbox_missing"));
}

static int
job_verdict(void)
{
	if (queue_send(32, 0, NULL, 0) == -1)
		return (needs(false, "32 bytes"));
	return (needs(queue_send(40, 0, NULL, 0) == 0, "40 bytes"));
}

/* All other numbers may be links: closed ones get an errno, not a kill. */
static int
job_other_fds(void)
{
	int	fd;

	for (fd = 7; fd < 32; fd++)
		if (write(fd, "", 0) == -1 && errno != EBADF && errno != EINVAL)
			return (needs(false, "write"));
	for (fd = 7; fd < 32; fd++)
		if (send(fd, "", 0, MSG_NOSIGNAL | MSG_DONTWAIT) == -1 &&
		    errno != EBADF && errno != ENOTSOCK)
			return (needs(false, "send"));
	return (0);
}

static int
job_queue_recv(void)
{
	struct mmsghdr	mmh[2];
	struct iovec	iov[2];
	char		buf[2][4096];
	int		i;

	memset(mmh, 0, sizeof(mmh));
	for (i = 0; i < 2; i++) {
		iov[i].iov_base = buf[i];
		iov[i].iov_len = sizeof(buf[i]);
		mmh[i].msg_hdr.msg_iov = &iov[i];
		mmh[i].msg_hdr.msg_iovlen = 1;
	}
	if (recvmmsg(FD_NETQ_QUEUE, mmh, 2, MSG_DONTWAIT, NULL) == -1 &&
	    errno != EAGAIN)
		return (needs(false, "recvmmsg"));
	if (recv(FD_NETQ_QUEUE, buf[0], 1, MSG_DONTWAIT) == -1 &&
	    errno != EAGAIN)
		return (needs(false, "recv"));
	return (0);
}

/* A look at another user's process, as procinfo takes it. */
static int
job_proc(void)
{
	char		 path[64], buf[4096];
	struct dirent	*de;
	DIR		*dir;
	int		 fd, seen = 0;

	(void)snprintf(path, sizeof(path), "/%d", stranger);
	if ((fd = open(path, O_RDONLY | O_DIRECTORY)) == -1)
		return (needs(false, path));
	if (readlinkat(fd, "exe", buf, sizeof(buf)) < 1)
		return (needs(false, "exe"));
	if ((fd = openat(fd, "cmdline", O_RDONLY | O_CLOEXEC)) == -1 ||
	    read(fd, buf, sizeof(buf)) < 1)
		return (needs(false, "cmdline"));
	(void)snprintf(path, sizeof(path), "/%d/fdinfo", stranger);
	if ((dir = opendir(path)) == NULL)
		return (needs(false, path));
	while ((de = readdir(dir)) != NULL)
		if (de->d_name[0] != '.' && (fd = openat(dirfd(dir),
		    de->d_name, O_RDONLY)) != -1) {
			if (read(fd, buf, sizeof(buf)) > 0)
				seen++;
			close(fd);
		}
	closedir(dir);
	return (needs(seen > 0, "entries of fdinfo"));
}

/* Is that the host's file of this name? */
static int
job_host(void)
{
	struct statx	st;

	return (needs(statx(FD_PROC_HOST, "etc/passwd", AT_SYMLINK_NOFOLLOW,
	    STATX_INO, &st) == 0 && st.stx_ino != 0, "statx"));
}

/* As a thread does when its CPU is back, and the loop when all is set up. */
static int
job_sched(void)
{
	struct sched_param	p = { 0 };
	cpu_set_t		set;

	CPU_ZERO(&set);
	CPU_SET(0, &set);
	if (sched_setaffinity(0, sizeof(set), &set) == -1)
		return (needs(errno == EINVAL, "sched_setaffinity"));
	return (needs(sched_setscheduler(0, SCHED_OTHER, &p) == 0,
	    "sched_setscheduler"));
}

/* As loop_pace() does when a flood comes and goes. */
static int
job_pace(void)
{
	struct sched_param	p = { 0 };

	return (needs(sched_setscheduler(0, SCHED_BATCH, &p) == 0 &&
	    sched_setscheduler(0, SCHED_OTHER, &p) == 0,
	    "sched_setscheduler"));
}

static int
job_diag(void)
{
	struct {
		struct nlmsghdr		nlh;
		struct inet_diag_req_v2	req;
	} m;
	char	buf[8192];

	memset(&m, 0, sizeof(m));
	m.nlh.nlmsg_len = sizeof(m);
	m.nlh.nlmsg_type = SOCK_DIAG_BY_FAMILY;
	m.nlh.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	m.req.sdiag_family = AF_INET;
	m.req.sdiag_protocol = IPPROTO_TCP;
	m.req.idiag_states = ~0U;
	if (send(FD_PROC_DIAG, &m, sizeof(m), 0) == -1)
		return (needs(false, "sock_diag request"));
	return (needs(recv(FD_PROC_DIAG, buf, sizeof(buf), 0) > 0,
	    "sock_diag answer"));
}

static int
job_memfd(void)
{
	struct stat	st;
	int		fd;

	if ((fd = memfd_create("rules", MFD_ALLOW_SEALING | MFD_CLOEXEC)) ==
	    -1 || write(fd, "allow - - -\n", 12) != 12)
		return (needs(false, "memfd"));
	if (fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE |
	    F_SEAL_SEAL) == -1)
		return (needs(false, "seal"));
	if (fstat(fd, &st) == -1 || st.st_size != 12)
		return (needs(false, "fstat"));
	return (needs(pass_fd(FD_PARENT, fd) == 0, "sendmsg"));
}

/* The limit of file sizes holds for memfds, and refuses without a signal. */
static int
job_memfd_limit(void)
{
	static char	chunk[1 << 20];
	int		fd, i;

	if ((fd = memfd_create("rules", MFD_CLOEXEC)) == -1)
		return (needs(false, "memfd"));
	for (i = 0; i < 64; i++)
		if (write(fd, chunk, sizeof(chunk)) == -1)
			return (needs(errno == EFBIG, "write"));
	return (needs(false, "no limit"));
}

static int
job_file(void)
{
	char	buf[64];

	if (lseek(FD_RULED_COUNTERS, 0, SEEK_SET) == -1)
		return (needs(false, "lseek"));
	return (needs(pread(FD_RULED_COUNTERS, buf, sizeof(buf), 0) >= 0,
	    "pread"));
}

static int
job_accept(void)
{
	struct ucred	cred;
	socklen_t	len = sizeof(cred);
	int		fd;

	fd = accept4(FD_RULED_CONTROL, NULL, NULL, SOCK_NONBLOCK |
	    SOCK_CLOEXEC);
	if (fd == -1)
		return (needs(errno == EAGAIN, "accept4"));
	return (needs(getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred,
	    &len) == 0, "SO_PEERCRED"));
}

static int
job_x(void)
{
	char		text[] = "ab";
	struct iovec	iov[2] = { { text, 1 }, { text + 1, 1 } };

	return (needs(writev(FD_PROMPT_X, iov, 2) == 2, "writev"));
}

/* Each child takes its sandbox below the parent's filter. */
static int
job_children(void)
{
	int	role, status;
	pid_t	pid;

	for (role = ROLE_NETQ; role <= ROLE_PROMPTER; role++) {
		if ((pid = fork()) == 0) {
			place(dup(mounts[role == ROLE_PROCINFO]), FD_ROOT);
			enter((enum role)role);
			_exit(0);
		}
		if (pid == -1 || waitpid(pid, &status, 0) != pid)
			return (needs(false, "fork"));
		if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
			return (needs(false, role_name((enum role)role)));
	}
	return (0);
}

static int
job_exec(void)
{
	char	 arg0[] = "true";
	char	*argv[] = { arg0, NULL }, *envp[] = { NULL };
	pid_t	 pid;
	int	 status;

	if ((pid = fork()) == 0) {
		execve("/bin/true", argv, envp);
		_exit(1);
	}
	if (pid == -1 || waitpid(pid, &status, 0) != pid)
		return (needs(false, "fork"));
	return (needs(WIFEXITED(status) && WEXITSTATUS(status) == 0,
	    "execve"));
}

/* As rules are written: a new file, another's owner, exchanged. */
static int
job_commit(void)
{
	char	dir[] = "/tmp/sandbox-acts-XXXXXX", a[64], b[64];
	int	fd, rc = -1;

	if (mkdtemp(dir) == NULL)
		return (needs(false, "mkdtemp"));
	(void)snprintf(a, sizeof(a), "%s/a", dir);
	(void)snprintf(b, sizeof(b), "%s/b", dir);
	if ((fd = open(a, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW,
	    0600)) == -1 || write(fd, "x", 1) != 1 || fsync(fd) == -1)
		return (needs(false, "write"));
	if (fchown(fd, UID_SNITCH, UID_SNITCH) == -1 || fchmod(fd, 0640) == -1)
		return (needs(false, "owner and mode"));
	close(fd);
	if ((fd = open(b, O_WRONLY | O_CREAT, 0600)) == -1)
		return (needs(false, "second file"));
	close(fd);
	if (renameat2(AT_FDCWD, a, AT_FDCWD, b, RENAME_EXCHANGE) == 0 &&
	    unlink(a) == 0 && unlink(b) == 0)
		rc = 0;
	(void)syscall(SYS_unlinkat, AT_FDCWD, dir, AT_REMOVEDIR);
	return (needs(rc == 0, "exchange"));
}

static int
job_signal_child(void)
{
	return (needs(kill(victim, SIGCONT) == 0, "kill"));
}

const struct job jobs[] = {
	{ "memory", job_memory, ALL },
	{ "sorting", job_sort, ALL },
	{ "clocks and local time", job_time, ALL },
	{ "event loop", job_loop, ALL },
	{ "links", job_links, ALL },
	{ "missing layers", job_missing, ALL },
	{ "verdicts of 32 and 40 bytes", job_verdict, R(ROLE_NETQ) },
	{ "writing to all other descriptors", job_other_fds, R(ROLE_NETQ) },
	{ "receiving packets", job_queue_recv, R(ROLE_NETQ) },
	{ "reading /proc", job_proc, R(ROLE_PROCINFO) },
	{ "looking at a file of the host", job_host, R(ROLE_PROCINFO) },
	{ "a thread's CPU and priority", job_sched, R(ROLE_PROCINFO) },
	{ "asking sock_diag", job_diag, R(ROLE_PROCINFO) },
	{ "throughput in a flood", job_pace, R(ROLE_NETQ) | R(ROLE_RULED) },
	{ "sealed text for the parent", job_memfd, R(ROLE_RULED) },
	{ "bounded text", job_memfd_limit, R(ROLE_RULED) },
	{ "reading a passed file", job_file, R(ROLE_RULED) },
	{ "control client", job_accept, R(ROLE_RULED) },
	{ "X requests", job_x, R(ROLE_PROMPTER) },
	{ "all children start", job_children, R(ROLE_PARENT) },
	{ "exec of a program", job_exec, R(ROLE_PARENT) },
	{ "commit of a file", job_commit, R(ROLE_PARENT) },
	{ "signal to a child", job_signal_child, R(ROLE_PARENT) },
};
const size_t	njobs = sizeof(jobs) / sizeof(jobs[0]);
