/*
 * SPDX-License-Identifier: ISC
 *
 * What an intruder would try, with its expected ends.
 */
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "acts.h"

#define PAGE	4096

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
	char	 arg0[] = "true";
	char	*argv[] = { arg0, NULL }, *envp[] = { NULL };

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
	return (mmap(NULL, PAGE, PROT_READ | PROT_EXEC, MAP_PRIVATE |
	    MAP_ANONYMOUS, -1, 0) == MAP_FAILED ? -1 : 0);
}

static int
act_mprotect_exec(void)
{
	static void	*page;

	if (page == NULL && (page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)) == MAP_FAILED)
		return (-1);
	return (mprotect(page, PAGE, PROT_READ | PROT_EXEC));
}

static int
act_pkey(void)
{
	return (ok(syscall(SYS_pkey_mprotect, NULL, 0, PROT_EXEC, -1)));
}

static int
act_shm(void)
{
	return (ok(syscall(SYS_shmget, 0, PAGE, 01600)));
}

static int
act_mmap_file(void)
{
	return (mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, FD_PARENT, 0) ==
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

static int
act_pass_fd(void)
{
	return (pass_fd(FD_PARENT, 6));
}

/* netq's socket: everything but a verdict. */

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

/* The host's root directory: numbers of files, and nothing else. */

static int
act_host_open(void)
{
	return (ok(openat(FD_PROC_HOST, "etc/passwd", O_RDONLY)));
}

static int
act_host_list(void)
{
	return (ok(openat(FD_PROC_HOST, ".", O_RDONLY | O_DIRECTORY)));
}

static int
act_host_readlink(void)
{
	char	buf[64];

	return (ok(readlinkat(FD_PROC_HOST, "etc/localtime", buf,
	    sizeof(buf))));
}

static int
act_host_stat(void)
{
	struct stat	st;

	return (ok(syscall(SYS_newfstatat, FD_PROC_HOST, "etc/passwd", &st,
	    0)));
}

static int
act_host_chdir(void)
{
	return (ok(fchdir(FD_PROC_HOST)));
}

/* What only the threads have, and took before. */

static int
act_realtime(void)
{
	struct sched_param	p = { .sched_priority = 1 };

	return (ok(sched_setscheduler(0, SCHED_FIFO, &p)));
}

static int
act_affinity(void)
{
	cpu_set_t	set;

	CPU_ZERO(&set);
	CPU_SET(0, &set);
	return (ok(sched_setaffinity(victim, sizeof(set), &set)));
}

const struct act forbidden[] = {
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
	{ "open /PID/mem", act_proc_mem, R(ROLE_PROCINFO), EACCES, ANY,
	    EACCES },
	{ "open /PID/environ", act_proc_environ, R(ROLE_PROCINFO), EACCES, ANY,
	    EACCES },
	{ "open /sysrq-trigger", act_proc_sysrq, R(ROLE_PROCINFO), ENOENT,
	    ANY, ENOENT },
	{ "write below /PID", act_proc_write, R(ROLE_PROCINFO), KILLED, ANY,
	    ANY },
	{ "truncate below /PID", act_proc_trunc, R(ROLE_PROCINFO), KILLED, ANY,
	    ANY },
	{ "O_PATH", act_proc_path, R(ROLE_PROCINFO), KILLED, ANY, ANY },
	{ "open a file of the host", act_host_open, R(ROLE_PROCINFO), KILLED,
	    DONE, ANY },
	{ "list a folder of the host", act_host_list, R(ROLE_PROCINFO),
	    KILLED, DONE, ANY },
	{ "read a link of the host", act_host_readlink, R(ROLE_PROCINFO),
	    KILLED, ANY, ANY },
	{ "stat a file of the host", act_host_stat, R(ROLE_PROCINFO), KILLED,
	    DONE, ANY },
	{ "go to the host's root", act_host_chdir, R(ROLE_PROCINFO), KILLED,
	    DONE, ANY },
	{ "take a priority", act_realtime, R(ROLE_PROCINFO), KILLED, ANY,
	    ANY },
	{ "move an equal to a CPU", act_affinity, R(ROLE_PROCINFO), KILLED,
	    DONE, ANY },
};
const size_t	nforbidden = sizeof(forbidden) / sizeof(forbidden[0]);
