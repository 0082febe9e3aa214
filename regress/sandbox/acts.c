/*
 * SPDX-License-Identifier: ISC
 *
 * Plays an intruder: for each process, does what it must never be able to do
 * inside its own shipped sandbox, and does the same outside to show that it
 * is the sandbox that refuses.  Then does what the process needs, which must
 * work.  Built a second time without the filter (-DNO_SANDBOX_FILTER) it
 * shows that the layers below would still refuse.
 *
 * Needs root.  Prints "ok NAME" or "not ok NAME: why" for each case.
 */
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <linux/inet_diag.h>
#include <linux/io_uring.h>
#include <linux/mount.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>

#include <dirent.h>
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "log.h"
#include "msg.h"
#include "sandbox.h"

#define UID_SNITCH	61234
#define UID_PROMPT	61235
#define SPARE		4096

#define R(role)		(1U << (role))
#define CHILDREN	(R(ROLE_NETQ) | R(ROLE_PROCINFO) | R(ROLE_RULED) | \
			    R(ROLE_PROMPTER))
#define ALL		(CHILDREN | R(ROLE_PARENT))

/* Beside errno values: how an act may end. */
#define KILLED		(-1)	/* SIGSYS */
#define DONE		0	/* it worked */
#define ANY		(-2)	/* whatever the kernel said: it was asked */
#define DIFFERENT	(-3)	/* ended otherwise */

struct act {
	const char	*name;
	int		(*fn)(void);	/* 0, or -1 with errno */
	unsigned int	 roles;
	int		 inside;	/* KILLED, or an errno */
	int		 outside;	/* DONE, ANY, or an errno */
	int		 bare;		/* inside without the filter, or ANY */
};

static pid_t		 victim;	/* same user as the actor */
static pid_t		 stranger;	/* root */
static struct event_base *base;
static int		 mounts[2];	/* an empty root, and a procfs */
static int		 failed;
static char		 why[256];

/* Returns 0 if the call did not fail. */
static int
ok(long rc)
{
	return (rc == -1 ? -1 : 0);
}

/* Files */

static int
act_shadow(void)
{
	return (ok(open("/etc/shadow", O_RDONLY)));
}

static int
act_create(void)
{
	int	fd;

	if ((fd = open("/tmp/sandbox-acts", O_WRONLY | O_CREAT, 0600)) == -1)
		return (-1);
	return (unlink("/tmp/sandbox-acts"));
}

static int
act_mem(void)
{
	return (ok(open("/proc/self/mem", O_RDWR)));
}

static int
act_environ(void)
{
	char	path[64];

	(void)snprintf(path, sizeof(path), "/proc/%d/environ", victim);
	return (ok(open(path, O_RDONLY)));
}

static int
act_chmod(void)
{
	return (fchmod(STDIN_FILENO, 0666));
}

static int
act_unlink(void)
{
	return (unlink("/nonexistent"));
}

static int
act_rename(void)
{
	return (rename("/nonexistent", "/nonexistent2"));
}

static int
act_mkdir(void)
{
	return (mkdir("/nonexistent/dir", 0700));
}

static int
act_memfd(void)
{
	return (ok(memfd_create("acts", MFD_CLOEXEC)));
}

static int
act_openat2(void)
{
	struct { uint64_t flags, mode, resolve; } how = { O_RDONLY, 0, 0 };

	return (ok(syscall(SYS_openat2, AT_FDCWD, "/", &how, sizeof(how))));
}

static int
act_chroot(void)
{
	return (chroot("/"));
}

static int
act_dup(void)
{
	return (ok(dup(FD_PARENT)));
}

/* Processes */

static int
act_exec(void)
{
	char	*argv[] = { "true", NULL }, *envp[] = { NULL };

	return (execve("/bin/true", argv, envp));
}

static int
act_fork(void)
{
	pid_t	pid;

	if ((pid = fork()) == 0)
		_exit(0);
	return (ok(pid));
}

static int
act_ptrace(void)
{
	return (ok(ptrace(PTRACE_SEIZE, victim, NULL, NULL)));
}

static int
act_vm_readv(void)
{
	char		buf[8];
	struct iovec	local = { buf, sizeof(buf) };
	struct iovec	remote = { &victim, sizeof(buf) };

	return (ok(process_vm_readv(victim, &local, 1, &remote, 1, 0)));
}

static int
act_kill(void)
{
	return (kill(victim, SIGCONT));
}

static int
act_kill_group(void)
{
	return (kill(-1, 0));
}

static int
act_tgkill(void)
{
	return (ok(syscall(SYS_tgkill, victim, victim, SIGCONT)));
}

static int
act_tkill(void)
{
	return (ok(syscall(SYS_tkill, victim, SIGCONT)));
}

static int
act_sigqueue(void)
{
	siginfo_t	si;

	memset(&si, 0, sizeof(si));
	si.si_code = SI_QUEUE;
	return (ok(syscall(SYS_rt_sigqueueinfo, victim, SIGCONT, &si)));
}

static int
act_prlimit(void)
{
	struct rlimit	rl;

	return (prlimit(victim, RLIMIT_NOFILE, NULL, &rl));
}

static int
act_pidfd(void)
{
	return (ok(syscall(SYS_pidfd_open, victim, 0)));
}

static int
act_pidfd_getfd(void)
{
	return (ok(syscall(SYS_pidfd_getfd, FD_PARENT, 0, 0)));
}

static int
act_dumpable(void)
{
	return (prctl(PR_SET_DUMPABLE, 1, 0, 0, 0));
}

static int
act_setuid(void)
{
	return (setuid(0));
}

static int
act_setns(void)
{
	return (setns(FD_PARENT, 0));
}

static int
act_unshare(void)
{
	return (unshare(CLONE_NEWUSER | CLONE_NEWNET));
}

/* Kernel */

static int
act_io_uring(void)
{
	struct io_uring_params	p;

	memset(&p, 0, sizeof(p));
	return (ok(syscall(SYS_io_uring_setup, 1, &p)));
}

static int
act_bpf(void)
{
	return (ok(syscall(SYS_bpf, -1, NULL, 0)));
}

static int
act_mount(void)
{
	return (mount("none", "/nonexistent", "tmpfs", 0, NULL));
}

static int
act_module(void)
{
	return (ok(syscall(SYS_init_module, NULL, 0, "")));
}

static int
act_keyctl(void)
{
	return (ok(syscall(SYS_keyctl, -1, 0, 0, 0, 0)));
}

static int
act_perf(void)
{
	return (ok(syscall(SYS_perf_event_open, NULL, 0, -1, -1, 0)));
}

static int
act_handle(void)
{
	return (ok(syscall(SYS_open_by_handle_at, -1, NULL, 0)));
}

static int
act_userfaultfd(void)
{
	return (ok(syscall(SYS_userfaultfd, -1)));
}

static int
act_seccomp(void)
{
	return (ok(syscall(SYS_seccomp, -1, 0, NULL)));
}

static int
act_personality(void)
{
	return (ok(syscall(SYS_personality, 0xffffffff)));
}

static int
act_reboot(void)
{
	return (ok(syscall(SYS_reboot, 0, 0, 0, NULL)));
}

static int
act_settime(void)
{
	return (ok(syscall(SYS_clock_settime, -1, NULL)));
}

#ifdef __x86_64__
static int
act_x32(void)
{
	return (ok(syscall(0x40000000 | SYS_getpid)));
}

static int
act_int80(void)
{
	long	rc;

	__asm__ volatile("int $0x80" : "=a"(rc) : "a"(20) : "memory");
	return (rc < 0 ? -1 : 0);
}
#endif

/* Memory */

static int
act_mmap_exec(void)
{
	return (mmap(NULL, SPARE, PROT_READ | PROT_EXEC, MAP_PRIVATE |
	    MAP_ANONYMOUS, -1, 0) == MAP_FAILED ? -1 : 0);
}

static int
act_mprotect_exec(void)
{
	static void	*page;

	if (page == NULL && (page = mmap(NULL, SPARE, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)) == MAP_FAILED)
		return (-1);
	return (mprotect(page, SPARE, PROT_READ | PROT_EXEC));
}

static int
act_pkey(void)
{
	return (ok(syscall(SYS_pkey_mprotect, NULL, 0, PROT_EXEC, -1)));
}

static int
act_shm(void)
{
	return (ok(syscall(SYS_shmget, 0, SPARE, 01600)));
}

static int
act_mmap_file(void)
{
	return (mmap(NULL, SPARE, PROT_READ, MAP_PRIVATE, FD_PARENT, 0) ==
	    MAP_FAILED && errno != ENODEV ? -1 : 0);
}

/* Sockets and descriptors */

static int
act_socket(void)
{
	return (ok(socket(AF_INET, SOCK_STREAM, 0)));
}

static int
act_socket_unix(void)
{
	return (ok(socket(AF_UNIX, SOCK_STREAM, 0)));
}

static int
act_socket_netlink(void)
{
	return (ok(socket(AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER)));
}

static int
act_connect(void)
{
	struct sockaddr_in	sin;

	memset(&sin, 0, sizeof(sin));
	sin.sin_family = AF_INET;
	return (connect(FD_PARENT, (struct sockaddr *)&sin, sizeof(sin)));
}

static int
act_bind(void)
{
	struct sockaddr_un	sun;

	memset(&sun, 0, sizeof(sun));
	sun.sun_family = AF_UNIX;
	return (bind(FD_PARENT, (struct sockaddr *)&sun, sizeof(sa_family_t)));
}

static int
act_setsockopt(void)
{
	int	on = 1;

	return (setsockopt(FD_PARENT, SOL_SOCKET, SO_PASSCRED, &on,
	    sizeof(on)));
}

static int
act_setown(void)
{
	return (fcntl(FD_PARENT, F_SETOWN, victim));
}

static int
act_setsig(void)
{
	return (fcntl(FD_PARENT, F_SETSIG, SIGKILL));
}

static int
act_async(void)
{
	return (fcntl(FD_PARENT, F_SETFL, O_ASYNC));
}

static int
act_dupfd(void)
{
	return (ok(fcntl(FD_PARENT, F_DUPFD, 20)));
}

static int
act_seal(void)
{
	return (fcntl(FD_PARENT, F_ADD_SEALS, 0) == -1 && errno != EINVAL ?
	    -1 : 0);
}

static int
act_ioctl(void)
{
	int	n;

	return (ioctl(FD_PARENT, FIONREAD, &n));
}

static int
act_accept(void)
{
	return (ok(accept4(FD_PARENT, NULL, NULL, 0)));
}

/* A whole message with a descriptor, as only ruled may send it. */
static int
pass_fd(int to, int fd)
{
	union {
		struct cmsghdr	hdr;
		char		buf[CMSG_SPACE(sizeof(int))];
	} cbuf;
	struct iovec	 iov = { "x", 1 };
	struct msghdr	 mh;
	struct cmsghdr	*cm;

	memset(&mh, 0, sizeof(mh));
	memset(&cbuf, 0, sizeof(cbuf));
	mh.msg_iov = &iov;
	mh.msg_iovlen = 1;
	mh.msg_control = cbuf.buf;
	mh.msg_controllen = sizeof(cbuf.buf);
	cm = CMSG_FIRSTHDR(&mh);
	cm->cmsg_level = SOL_SOCKET;
	cm->cmsg_type = SCM_RIGHTS;
	cm->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(cm), &fd, sizeof(fd));
	return (ok(sendmsg(to, &mh, MSG_NOSIGNAL | MSG_DONTWAIT)));
}

static int
act_pass_fd(void)
{
	return (pass_fd(FD_PARENT, 6));
}

/* netq's socket: everything but a verdict. */

static int
queue_send(size_t len, int flags, const struct sockaddr *sa, socklen_t salen)
{
	char		 buf[128];
	struct nlmsghdr	*nlh = (struct nlmsghdr *)(void *)buf;

	memset(buf, 0, sizeof(buf));
	nlh->nlmsg_len = (uint32_t)len;
	nlh->nlmsg_type = NLMSG_NOOP;
	return (ok(sendto(FD_NETQ_QUEUE, buf, len, flags, sa, salen)));
}

static int
act_queue_36(void)
{
	return (queue_send(36, 0, NULL, 0));
}

static int
act_queue_60(void)
{
	return (queue_send(60, 0, NULL, 0));
}

static int
act_queue_33(void)
{
	return (queue_send(33, 0, NULL, 0));
}

static int
act_queue_flags(void)
{
	return (queue_send(32, MSG_DONTWAIT, NULL, 0));
}

static int
act_queue_link_flags(void)
{
	return (queue_send(60, MSG_NOSIGNAL | MSG_DONTWAIT, NULL, 0));
}

static int
act_queue_addr(void)
{
	struct sockaddr_nl	snl;

	memset(&snl, 0, sizeof(snl));
	snl.nl_family = AF_NETLINK;
	return (queue_send(32, 0, (struct sockaddr *)&snl, sizeof(snl)));
}

/* The kernel looks at the lower half of a descriptor only. */
static int
act_queue_upper(void)
{
	char	buf[60];

	memset(buf, 0, sizeof(buf));
	return (ok(syscall(SYS_sendto, 0x100000000UL | FD_NETQ_QUEUE, buf,
	    sizeof(buf), MSG_NOSIGNAL | MSG_DONTWAIT, NULL, 0)));
}

static int
act_queue_write_upper(void)
{
	char	buf[60];

	memset(buf, 0, sizeof(buf));
	return (ok(syscall(SYS_write, 0x100000000UL | FD_NETQ_QUEUE, buf,
	    sizeof(buf))));
}

static int
act_queue_write(void)
{
	char	buf[60];

	memset(buf, 0, sizeof(buf));
	return (ok(write(FD_NETQ_QUEUE, buf, sizeof(buf))));
}

static int
act_queue_writev(void)
{
	char		buf[60];
	struct iovec	iov = { buf, sizeof(buf) };

	memset(buf, 0, sizeof(buf));
	return (ok(writev(FD_NETQ_QUEUE, &iov, 1)));
}

static int
act_queue_sendmsg(void)
{
	char		buf[60];
	struct iovec	iov = { buf, sizeof(buf) };
	struct msghdr	mh;

	memset(buf, 0, sizeof(buf));
	memset(&mh, 0, sizeof(mh));
	mh.msg_iov = &iov;
	mh.msg_iovlen = 1;
	return (ok(sendmsg(FD_NETQ_QUEUE, &mh, 0)));
}

static int
act_queue_sendmmsg(void)
{
	char		buf[60];
	struct iovec	iov = { buf, sizeof(buf) };
	struct mmsghdr	mmh;

	memset(buf, 0, sizeof(buf));
	memset(&mmh, 0, sizeof(mmh));
	mmh.msg_hdr.msg_iov = &iov;
	mmh.msg_hdr.msg_iovlen = 1;
	return (ok(sendmmsg(FD_NETQ_QUEUE, &mmh, 1, 0)));
}

static int
act_queue_splice(void)
{
	return (ok(syscall(SYS_splice, FD_PARENT, NULL, FD_NETQ_QUEUE, NULL,
	    1, 0)));
}

/* procinfo's root is a procfs: what must not be had through it. */

static int
open_proc(const char *entry, int flags)
{
	char	path[64];

	(void)snprintf(path, sizeof(path), "/%d/%s", stranger, entry);
	return (ok(open(path, flags)));
}

static int
act_proc_root(void)
{
	return (open_proc("root/etc/shadow", O_RDONLY));
}

static int
act_proc_cwd(void)
{
	return (open_proc("cwd/etc/passwd", O_RDONLY));
}

static int
act_proc_exe(void)
{
	return (open_proc("exe", O_RDONLY));
}

static int
act_proc_mem(void)
{
	return (open_proc("mem", O_RDONLY));
}

static int
act_proc_environ(void)
{
	return (open_proc("environ", O_RDONLY));
}

static int
act_proc_sysrq(void)
{
	return (ok(open("/sysrq-trigger", O_RDONLY)));
}

static int
act_proc_write(void)
{
	return (open_proc("oom_score_adj", O_WRONLY));
}

static int
act_proc_trunc(void)
{
	return (open_proc("comm", O_RDONLY | O_TRUNC));
}

static int
act_proc_path(void)
{
	return (open_proc("root", O_PATH));
}

static const struct act forbidden[] = {
	/* name, function, roles, inside, outside, without the filter */
	{ "open /etc/shadow", act_shadow, CHILDREN & ~R(ROLE_PROCINFO),
	    KILLED, DONE, ENOENT },
	{ "open /etc/shadow", act_shadow, R(ROLE_PROCINFO), ENOENT, DONE,
	    ENOENT },
	{ "create a file", act_create, CHILDREN, KILLED, DONE, ENOENT },
	{ "open own memory for writing", act_mem, CHILDREN, KILLED, DONE,
	    ENOENT },
	{ "open /proc/PID/environ", act_environ, CHILDREN & ~R(ROLE_PROCINFO),
	    KILLED, DONE, ENOENT },
	{ "change a mode", act_chmod, CHILDREN, KILLED, ANY, EPERM },
	{ "unlink", act_unlink, CHILDREN, KILLED, ENOENT, ANY },
	{ "rename", act_rename, CHILDREN, KILLED, ENOENT, ANY },
	{ "mkdir", act_mkdir, CHILDREN, KILLED, ENOENT, ANY },
	{ "memfd", act_memfd, CHILDREN & ~R(ROLE_RULED), KILLED, DONE, ANY },
	{ "openat2", act_openat2, CHILDREN, KILLED, DONE, ANY },
	{ "chroot", act_chroot, CHILDREN, KILLED, DONE, EPERM },
	{ "dup", act_dup, CHILDREN, KILLED, DONE, ANY },

	{ "execve", act_exec, CHILDREN, KILLED, DONE, ANY },
	{ "fork", act_fork, CHILDREN, KILLED, DONE, EAGAIN },
	{ "ptrace an equal", act_ptrace, CHILDREN & ~R(ROLE_PROCINFO), KILLED,
	    DONE, EPERM },
	{ "ptrace an equal", act_ptrace, R(ROLE_PROCINFO) | R(ROLE_PARENT),
	    KILLED, DONE, ANY },
	{ "read an equal's memory", act_vm_readv, CHILDREN & ~R(ROLE_PROCINFO),
	    KILLED, DONE, EPERM },
	{ "read an equal's memory", act_vm_readv,
	    R(ROLE_PROCINFO) | R(ROLE_PARENT), KILLED, DONE, ANY },
	{ "signal an equal", act_kill, CHILDREN & ~R(ROLE_PROCINFO), KILLED,
	    DONE, EPERM },
	{ "signal an equal", act_kill, R(ROLE_PROCINFO), KILLED, DONE, ANY },
	{ "signal everybody", act_kill_group, CHILDREN, KILLED, DONE, ANY },
	{ "tgkill an equal", act_tgkill, CHILDREN & ~R(ROLE_PROCINFO), KILLED,
	    DONE, EPERM },
	{ "tgkill an equal", act_tgkill, R(ROLE_PROCINFO), KILLED, DONE, ANY },
	{ "tkill an equal", act_tkill, ALL, KILLED, DONE, ANY },
	{ "queue a signal to an equal", act_sigqueue, ALL, KILLED, DONE, ANY },
	{ "prlimit of an equal", act_prlimit, CHILDREN, KILLED, ANY, ANY },
	{ "pidfd of an equal", act_pidfd, ALL, KILLED, DONE, ANY },
	{ "descriptor out of a pidfd", act_pidfd_getfd, ALL, KILLED, EBADF,
	    EBADF },
	{ "be dumpable again", act_dumpable, CHILDREN, KILLED, DONE, ANY },
	{ "become root", act_setuid, CHILDREN, KILLED, DONE, EPERM },
	{ "enter a namespace", act_setns, ALL, KILLED, EINVAL, ANY },
	{ "make namespaces", act_unshare, ALL, KILLED, DONE, ANY },

	{ "io_uring", act_io_uring, ALL, KILLED, ANY, ANY },
	{ "bpf", act_bpf, ALL, KILLED, ANY, ANY },
	{ "mount", act_mount, ALL, KILLED, ENOENT, ANY },
	{ "load a module", act_module, ALL, KILLED, ANY, ANY },
	{ "keyctl", act_keyctl, ALL, KILLED, ANY, ANY },
	{ "perf_event_open", act_perf, ALL, KILLED, ANY, ANY },
	{ "open by handle", act_handle, ALL, KILLED, ANY, ANY },
	{ "userfaultfd", act_userfaultfd, ALL, KILLED, ANY, ANY },
	{ "seccomp", act_seccomp, CHILDREN, KILLED, EINVAL, EINVAL },
	{ "personality", act_personality, ALL, KILLED, DONE, ANY },
	{ "reboot", act_reboot, ALL, KILLED, ANY, EPERM },
	{ "set the clock", act_settime, ALL, KILLED, ANY, ANY },
#ifdef __x86_64__
	{ "x32 call", act_x32, ALL, KILLED, ANY, ANY },
	{ "int 0x80", act_int80, ALL, KILLED, ANY, ANY },
#endif
	{ "map executable memory", act_mmap_exec, CHILDREN, KILLED, DONE,
	    ANY },
	{ "make memory executable", act_mprotect_exec, CHILDREN, KILLED, DONE,
	    ANY },
	{ "pkey_mprotect", act_pkey, ALL, KILLED, ANY, ANY },
	{ "System V memory", act_shm, ALL, KILLED, DONE, ANY },
	{ "map a file", act_mmap_file, CHILDREN & ~R(ROLE_PROCINFO), KILLED,
	    DONE, ANY },

	{ "internet socket", act_socket, ALL, KILLED, DONE, ANY },
	{ "local socket", act_socket_unix, CHILDREN, KILLED, DONE, ANY },
	{ "netlink socket", act_socket_netlink, ALL, KILLED, DONE, ANY },
	{ "connect", act_connect, CHILDREN, KILLED, ANY, ANY },
	{ "bind", act_bind, ALL, KILLED, ANY, ANY },
	{ "setsockopt", act_setsockopt, CHILDREN, KILLED, DONE, ANY },
	{ "F_SETOWN to an equal", act_setown, CHILDREN, KILLED, DONE, ANY },
	{ "F_SETSIG", act_setsig, CHILDREN, KILLED, DONE, ANY },
	{ "O_ASYNC", act_async, CHILDREN, KILLED, DONE, ANY },
	{ "F_DUPFD", act_dupfd, CHILDREN, KILLED, DONE, ANY },
	{ "F_ADD_SEALS", act_seal, CHILDREN & ~R(ROLE_RULED), KILLED, DONE,
	    ANY },
	{ "ioctl", act_ioctl, CHILDREN, KILLED, DONE, ANY },
	{ "accept", act_accept, CHILDREN & ~R(ROLE_RULED), KILLED, EINVAL,
	    ANY },
	{ "pass a descriptor on", act_pass_fd, CHILDREN & ~R(ROLE_RULED),
	    KILLED, DONE, ANY },

	{ "36 bytes to the queue socket", act_queue_36, R(ROLE_NETQ), KILLED,
	    DONE, ANY },
	{ "60 bytes to the queue socket", act_queue_60, R(ROLE_NETQ), KILLED,
	    DONE, ANY },
	{ "33 bytes to the queue socket", act_queue_33, R(ROLE_NETQ), KILLED,
	    DONE, ANY },
	{ "verdict with flags", act_queue_flags, R(ROLE_NETQ), KILLED, DONE,
	    ANY },
	{ "60 bytes as to a link", act_queue_link_flags, R(ROLE_NETQ), KILLED,
	    DONE, ANY },
	{ "verdict with an address", act_queue_addr, R(ROLE_NETQ), KILLED,
	    DONE, ANY },
	{ "descriptor with upper bits", act_queue_upper, R(ROLE_NETQ), KILLED,
	    DONE, ANY },
	{ "write with upper bits", act_queue_write_upper, R(ROLE_NETQ), KILLED,
	    DONE, ANY },
	{ "write to the queue socket", act_queue_write, R(ROLE_NETQ), KILLED,
	    DONE, ANY },
	{ "writev to the queue socket", act_queue_writev, R(ROLE_NETQ),
	    KILLED, DONE, ANY },
	{ "sendmsg to the queue socket", act_queue_sendmsg, R(ROLE_NETQ),
	    KILLED, DONE, ANY },
	{ "sendmmsg to the queue socket", act_queue_sendmmsg, R(ROLE_NETQ),
	    KILLED, DONE, ANY },
	{ "splice to the queue socket", act_queue_splice, R(ROLE_NETQ),
	    KILLED, ANY, ANY },

	{ "shadow through /PID/root", act_proc_root, R(ROLE_PROCINFO), ELOOP,
	    ANY, ELOOP },
	{ "a file through /PID/cwd", act_proc_cwd, R(ROLE_PROCINFO), ELOOP, ANY,
	    ELOOP },
	{ "open /PID/exe", act_proc_exe, R(ROLE_PROCINFO), ELOOP, ANY, ELOOP },
	{ "open /PID/mem", act_proc_mem, R(ROLE_PROCINFO), EACCES, ANY, EACCES },
	{ "open /PID/environ", act_proc_environ, R(ROLE_PROCINFO), EACCES, ANY,
	    EACCES },
	{ "open /sysrq-trigger", act_proc_sysrq, R(ROLE_PROCINFO), ENOENT,
	    ANY, ENOENT },
	{ "write below /PID", act_proc_write, R(ROLE_PROCINFO), KILLED, ANY,
	    ANY },
	{ "truncate below /PID", act_proc_trunc, R(ROLE_PROCINFO), KILLED, ANY,
	    ANY },
	{ "O_PATH", act_proc_path, R(ROLE_PROCINFO), KILLED, ANY, ANY },
};

/* What they need, and which must therefore work. */

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
	if (fcntl(FD_PARENT, F_SETFL, fcntl(FD_PARENT, F_GETFL) |
	    O_NONBLOCK) == -1)
		return (needs(false, "O_NONBLOCK"));
	if (send(FD_PARENT, "hello", 5, MSG_NOSIGNAL | MSG_DONTWAIT) != 5)
		return (needs(false, "send"));
	if (poll(&pfd, 1, 1000) != 1)
		return (needs(false, "poll"));
	return (needs(recvmsg(FD_PARENT, &mh, MSG_DONTWAIT) > 0, "recvmsg"));
}

static int
job_watch(void)
{
	struct itimerval	it = { { 0, 0 }, { 5, 0 } };

	return (needs(setitimer(ITIMER_PROF, &it, NULL) == 0, "setitimer"));
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
	char		buf[2][SPARE];
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
	char		 path[64], buf[SPARE];
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
	struct iovec	iov[2] = { { "a", 1 }, { "b", 1 } };

	return (needs(writev(FD_PROMPT_X, iov, 2) == 2, "writev"));
}

static void	enter(enum role);
static void	place(int, int);

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
	char	*argv[] = { "true", NULL }, *envp[] = { NULL };
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
	if (fchmod(fd, 0640) == -1 || fchown(fd, UID_SNITCH, UID_SNITCH) == -1)
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

struct job {
	const char	*name;
	int		(*fn)(void);
	unsigned int	 roles;
};

static const struct job jobs[] = {
	{ "memory", job_memory, ALL },
	{ "sorting", job_sort, ALL },
	{ "clocks and local time", job_time, ALL },
	{ "event loop", job_loop, ALL },
	{ "links", job_links, ALL },
	{ "watch on a hanging loop", job_watch, ALL },
	{ "missing layers", job_missing, ALL },
	{ "verdicts of 32 and 40 bytes", job_verdict, R(ROLE_NETQ) },
	{ "writing to all other descriptors", job_other_fds, R(ROLE_NETQ) },
	{ "receiving packets", job_queue_recv, R(ROLE_NETQ) },
	{ "reading /proc", job_proc, R(ROLE_PROCINFO) },
	{ "asking sock_diag", job_diag, R(ROLE_PROCINFO) },
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

/* The stage */

static void
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
	if (role == ROLE_RULED) {
		place(listener(), FD_RULED_CONTROL);
		place(open("/etc/passwd", O_RDONLY), FD_RULED_COUNTERS);
	}
}

static void
enter(enum role role)
{
	switch (role) {
	case ROLE_NETQ:
		sandbox_netq(UID_SNITCH, UID_SNITCH);
		break;
	case ROLE_PROCINFO:
		sandbox_procinfo(UID_SNITCH, UID_SNITCH);
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
run(enum role role, bool inside, int (*fn)(void))
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
		if (inside)
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

	for (i = 0; i < sizeof(forbidden) / sizeof(forbidden[0]); i++) {
		a = &forbidden[i];
		if ((a->roles & R(role)) == 0)
			continue;
#ifdef NO_SANDBOX_FILTER
		if (a->bare != ANY)
			verdict(role, ", without the filter", a->name, a->bare,
			    run(role, true, a->fn));
#else
		verdict(role, ", outside", a->name, a->outside,
		    run(role, false, a->fn));
		verdict(role, "", a->name, a->inside,
		    run(role, true, a->fn));
#endif
	}
}

static void
role_jobs(enum role role)
{
	size_t	i;

	for (i = 0; i < sizeof(jobs) / sizeof(jobs[0]); i++)
		if (jobs[i].roles & R(role))
			verdict(role, "", jobs[i].name, DONE,
			    run(role, true, jobs[i].fn));
}

static const char *const role_caps[] = {
	[ROLE_PARENT] = "00000000000c11e1",
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
		check_status((enum role)role, role_caps[role]);
		role_jobs((enum role)role);
		role_forbidden((enum role)role);
		victim_end();
	}
	return (failed == 0 ? 0 : 1);
}
