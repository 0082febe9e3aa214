/*
 * SPDX-License-Identifier: ISC
 *
 * Which system calls each process may make, as tables: what is not in a
 * process's table kills it, with a line in the kernel's audit log under the
 * process's own name.
 *
 * How to read a table.  A call without conditions is allowed with any
 * arguments.  Conditions of one line must all hold; several lines of the same
 * call are alternatives.  A line without conditions therefore undoes narrower
 * ones of the same call: there must be none.  int arguments are compared by
 * their lower 32 bits only, because that is all the kernel looks at: a
 * comparison of 64 could be passed by by setting the upper ones.
 *
 * Calls that an architecture does not have (poll on arm64, where libc uses
 * ppoll) stand beside their successors and are left out there.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/perf_event.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#ifdef SANDBOX_TRAP
#include <signal.h>
#include <stdlib.h>
#endif

#include "filter.h"
#include "log.h"

#define CONDS	4

enum cond_kind {
	COND_END,
	COND_INT,		/* (arg & mask) == value, lower 32 bits */
	COND_LONG,		/* arg == value, all 64 bits */
	COND_NOT_FD,		/* not the descriptor value, of those below
				   mask; comes first */
	COND_SELF		/* arg is the process's own id */
};

struct cond {
	enum cond_kind	 kind;
	unsigned int	 arg;
	uint32_t	 mask;
	uint64_t	 value;
	const char	*text;	/* for people */
};

struct call {
	const char	*name;	/* NULL: why is a heading */
	const char	*why;	/* NULL: needs no remark */
	struct cond	 cond[CONDS];
};

struct filter {
	const struct call *part[4];	/* NULL ends them */
};

#define HEAD(text)		{ NULL, text, { { 0 } } }
#define CALL(name)		{ name, NULL, { { 0 } } }
#define ODD(name, why)		{ name, why, { { 0 } } }
#define WHEN(name, why, ...)	{ name, why, { __VA_ARGS__ } }
#define END			{ NULL, NULL, { { 0 } } }

#define IS(n, what, v)		{ COND_INT, n, UINT32_MAX, v,	\
				    what " == " #v }
#define HAS(n, what, bits)	{ COND_INT, n, bits, bits,	\
				    what " has " #bits }
#define LACKS(n, what, bits)	{ COND_INT, n, bits, 0,		\
				    what " lacks " #bits }
#define ONLY(n, what, bits)	{ COND_INT, n, ~(uint32_t)(bits), 0,	\
				    what " within " #bits }
#define LEN(n, v)		{ COND_LONG, n, 0, v, "length == " #v }
#define NULLPTR(n, what)	{ COND_LONG, n, 0, 0, what " == NULL" }
#define NOT_FD(n, v, max)	{ COND_NOT_FD, n, max, v, "fd != " #v }
#define SELF(n)			{ COND_SELF, n, 0, 0, "own process" }

/* Status flags that may be set; O_ASYNC is not one of them. */
#define STATUS_FLAGS	(O_ACCMODE | O_NONBLOCK | O_LARGEFILE)
/* What an open for reading may ask besides. */
#define READ_FLAGS	(O_CLOEXEC | O_DIRECTORY | O_NOFOLLOW | O_NONBLOCK | \
			    O_LARGEFILE | O_NOCTTY)

/* How imsg.c writes a message without a descriptor. */
#define LINK_FLAGS	(MSG_NOSIGNAL | MSG_DONTWAIT)
#define LINKS							\
	HEAD("links and libevent's signal pipe"),		\
	WHEN("sendto", NULL, IS(3, "flags", LINK_FLAGS),	\
	    NULLPTR(4, "address")),				\
	CALL("write")

/* In every child. */
static const struct call common[] = {
	HEAD("memory, never executable"),
	CALL("brk"),
	WHEN("mmap", "malloc(3)", LACKS(2, "prot", PROT_EXEC),
	    HAS(3, "flags", MAP_ANONYMOUS)),
	CALL("munmap"),
	CALL("mremap"),
	ODD("madvise", "free(3) gives pages back"),
	CALL("futex"),
	ODD("getrandom", "malloc(3) and hash seeds"),

	HEAD("the event loop"),
	CALL("epoll_wait"),
	CALL("epoll_pwait"),
	ODD("epoll_pwait2", "newer versions of libevent"),
	CALL("epoll_ctl"),
	CALL("rt_sigreturn"),
	ODD("poll", "last words, xcb"),
	CALL("ppoll"),
	ODD("restart_syscall", "poll(2) after SIGSTOP and SIGCONT"),

	HEAD("time: in the vDSO, but for some virtual machines"),
	CALL("clock_gettime"),
	CALL("gettimeofday"),
	CALL("time"),

	HEAD("links to the other processes"),
	CALL("read"),
	CALL("recvmsg"),
	CALL("close"),

	HEAD("the end"),
	CALL("exit"),
	CALL("exit_group"),
	ODD("getpid", "abort(3)"),
	ODD("gettid", "abort(3)"),
	ODD("rt_sigprocmask", "abort(3)"),
	ODD("rt_sigaction", "abort(3)"),
	WHEN("tgkill", "abort(3)", SELF(0)),

	HEAD("harmless"),
	ODD("sysinfo", "qsort(3) sizes its buffer by it"),
	END
};

/*
 * CAP_NET_ADMIN makes netq's queue socket a way to all of netfilter.  A
 * verdict has 32 bytes, 40 with a mark; the shortest change of nftables is a
 * batch of 60 and the fail-open flag needs 36.  So nothing but sendto(2), whose
 * length is visible here, may write to that descriptor, and nothing may make
 * a second number for it: neither dup(2) nor sendmsg(2), with which an
 * accomplice could send it back.
 */
static const struct call netq[] = {
	HEAD("packets and verdicts"),
	CALL("recvfrom"),
	CALL("recvmmsg"),
	WHEN("sendto", "a verdict", IS(0, "fd", FD_NETQ_QUEUE), LEN(2, 32),
	    IS(3, "flags", 0), NULLPTR(4, "address")),
	WHEN("sendto", "a verdict with its mark", IS(0, "fd", FD_NETQ_QUEUE),
	    LEN(2, 40), IS(3, "flags", 0), NULLPTR(4, "address")),

	HEAD("throughput in a flood: loop_pace()"),
	WHEN("sched_setscheduler", NULL, IS(0, "pid", 0),
	    IS(1, "policy", SCHED_BATCH)),
	WHEN("sched_setscheduler", NULL, IS(0, "pid", 0),
	    IS(1, "policy", SCHED_OTHER)),

	HEAD("links and libevent's signal pipe"),
	WHEN("sendto", NULL, NOT_FD(0, FD_NETQ_QUEUE, FILTER_NETQ_FDS),
	    IS(3, "flags", LINK_FLAGS), NULLPTR(4, "address")),
	WHEN("write", NULL, NOT_FD(0, FD_NETQ_QUEUE, FILTER_NETQ_FDS)),
	END
};

/*
 * Reads a procfs that holds nothing but processes, and never writes.  Through
 * FD_PROC_HOST, an O_PATH descriptor of the host's root directory, it may ask
 * for the numbers of a file (is it the one that was executed?), and open and
 * read nothing.  AT_FDCWD passes, for its low bits are others.
 */
static const struct call procinfo[] = {
	HEAD("/proc, for reading"),
	WHEN("openat", NULL, NOT_FD(0, FD_PROC_HOST, FILTER_PROC_FDS),
	    ONLY(2, "flags", READ_FLAGS)),
	WHEN("open", NULL, ONLY(1, "flags", READ_FLAGS)),
	CALL("pread64"),
	CALL("lseek"),
	CALL("getdents64"),
	WHEN("fcntl", "fdopendir(3)", IS(1, "command", F_GETFL)),
	WHEN("fcntl", "fdopendir(3) of some libc",
	    IS(1, "command", F_SETFD)),
	CALL("readlink"),
	WHEN("readlinkat", NULL, NOT_FD(0, FD_PROC_HOST, FILTER_PROC_FDS)),
	CALL("fstat"),
	WHEN("newfstatat", NULL, NOT_FD(0, FD_PROC_HOST, FILTER_PROC_FDS)),
	WHEN("statx", "is this the host's file of that name?",
	    IS(0, "fd", FD_PROC_HOST)),
	ODD("fstatfs", "fdopendir(3) of some libc"),

	HEAD("sock_diag and rtnetlink requests, kernel events"),
	CALL("recvfrom"),
	WHEN("sendto", NULL, IS(0, "fd", FD_PROC_DIAG)),
	WHEN("sendto", NULL, IS(0, "fd", FD_PROC_ROUTE)),
	WHEN("mmap", "the ring of an event descriptor",
	    LACKS(2, "prot", PROT_EXEC), IS(3, "flags", MAP_SHARED)),
	WHEN("ioctl", NULL, IS(1, "request", PERF_EVENT_IOC_ENABLE)),
	WHEN("ioctl", NULL, IS(1, "request", PERF_EVENT_IOC_DISABLE)),
	WHEN("ioctl", NULL, IS(1, "request", PERF_EVENT_IOC_ID)),
	WHEN("sched_getaffinity", "which CPUs are there now?",
	    IS(0, "pid", 0)),
	WHEN("sched_setaffinity", "a thread returns to its CPU",
	    IS(0, "pid", 0)),
	WHEN("sched_setscheduler", "no priority, where threads have it",
	    IS(0, "pid", 0), IS(1, "policy", SCHED_OTHER)),

	LINKS,
	END
};

/* Parses what strangers send, and so has nothing but its links. */
static const struct call ruled[] = {
	HEAD("files that the parent opened"),
	CALL("pread64"),
	CALL("lseek"),
	CALL("fstat"),
	WHEN("newfstatat", "fstat(3)", HAS(3, "flags", AT_EMPTY_PATH)),
	CALL("readv"),

	HEAD("throughput in a flood: loop_pace()"),
	WHEN("sched_setscheduler", NULL, IS(0, "pid", 0),
	    IS(1, "policy", SCHED_BATCH)),
	WHEN("sched_setscheduler", NULL, IS(0, "pid", 0),
	    IS(1, "policy", SCHED_OTHER)),

	HEAD("texts for the parent to write"),
	CALL("memfd_create"),
	CALL("ftruncate"),
	CALL("pwrite64"),
	WHEN("fcntl", NULL, IS(1, "command", F_ADD_SEALS)),
	WHEN("fcntl", NULL, IS(1, "command", F_GET_SEALS)),

	HEAD("control clients"),
	CALL("accept4"),
	WHEN("getsockopt", "who the client is", IS(1, "level", SOL_SOCKET),
	    IS(2, "name", SO_PEERCRED)),

	LINKS,
	ODD("sendmsg", "one such text"),
	END
};

/* Draws into memory and talks to one X server. */
static const struct call prompter[] = {
	HEAD("the X connection"),
	CALL("recvfrom"),
	CALL("writev"),
	WHEN("fcntl", "of a display that came later",
	    IS(1, "command", F_GETFL)),
	WHEN("fcntl", NULL, IS(1, "command", F_SETFL),
	    ONLY(2, "flags", STATUS_FLAGS)),
	WHEN("fcntl", NULL, IS(1, "command", F_SETFD)),
	WHEN("setitimer", "an X server that hangs is left",
	    IS(0, "timer", ITIMER_REAL)),

	LINKS,
	END
};

/*
 * A filter is inherited, also across execve(2), and can only get narrower:
 * the parent's table holds what its children need until they load their own.
 * What it takes away for good is what an intruder would reach for next:
 * ptrace, bpf, mount, modules, namespaces, keys, io_uring, other sockets than
 * those of this machine.
 */
static const struct call parent[] = {
	HEAD("memory, and the loader of the children"),
	CALL("brk"),
	CALL("mmap"),
	CALL("munmap"),
	CALL("mremap"),
	CALL("mprotect"),
	CALL("madvise"),
	CALL("futex"),
	CALL("getrandom"),
	CALL("arch_prctl"),
	CALL("set_tid_address"),
	CALL("set_robust_list"),
	CALL("rseq"),

	HEAD("the event loop"),
	CALL("epoll_create1"),
	CALL("epoll_create"),
	CALL("epoll_wait"),
	CALL("epoll_pwait"),
	CALL("epoll_pwait2"),
	CALL("epoll_ctl"),
	CALL("eventfd2"),
	CALL("timerfd_create"),
	CALL("timerfd_settime"),
	CALL("poll"),
	CALL("ppoll"),
	CALL("select"),
	CALL("pselect6"),
	CALL("rt_sigaction"),
	CALL("rt_sigprocmask"),
	CALL("rt_sigreturn"),
	CALL("rt_sigtimedwait"),
	CALL("sigaltstack"),
	CALL("restart_syscall"),
	CALL("setitimer"),
	ODD("timer_create", "a child's watch over its loop"),
	CALL("timer_settime"),
	CALL("clock_gettime"),
	CALL("clock_getres"),
	CALL("clock_nanosleep"),
	CALL("nanosleep"),
	CALL("gettimeofday"),
	CALL("time"),

	HEAD("its children"),
	CALL("clone"),
	CALL("clone3"),
	CALL("fork"),
	CALL("vfork"),
	CALL("execve"),
	CALL("wait4"),
	CALL("waitid"),
	CALL("kill"),
	CALL("tgkill"),
	CALL("exit"),
	CALL("exit_group"),
	CALL("getpid"),
	CALL("getppid"),
	CALL("gettid"),
	CALL("setsid"),
	CALL("close_range"),
	CALL("dup"),
	CALL("dup2"),
	CALL("dup3"),
	CALL("pipe2"),
	WHEN("socketpair", "links", IS(0, "domain", AF_UNIX)),

	HEAD("links and logs"),
	CALL("read"),
	CALL("readv"),
	CALL("write"),
	CALL("writev"),
	CALL("close"),
	CALL("sendmsg"),
	CALL("recvmsg"),
	CALL("sendto"),
	CALL("recvfrom"),
	ODD("recvmmsg", "netq"),
	ODD("accept4", "ruled"),
	WHEN("socket", "the system's log, when its daemon was restarted",
	    IS(0, "domain", AF_UNIX)),
	CALL("connect"),
	CALL("getsockopt"),
	CALL("setsockopt"),
	CALL("getsockname"),
	CALL("getpeername"),
	CALL("shutdown"),
	CALL("ioctl"),
	CALL("fcntl"),

	HEAD("files: configuration, rules, names, logs, fonts of the prompter"),
	CALL("open"),
	CALL("openat"),
	CALL("openat2"),
	CALL("pread64"),
	CALL("pwrite64"),
	CALL("lseek"),
	CALL("fstat"),
	CALL("stat"),
	CALL("lstat"),
	CALL("newfstatat"),
	CALL("statx"),
	CALL("statfs"),
	CALL("fstatfs"),
	CALL("access"),
	CALL("faccessat"),
	CALL("faccessat2"),
	CALL("getdents64"),
	CALL("readlink"),
	CALL("readlinkat"),
	CALL("getcwd"),
	CALL("sendfile"),
	CALL("copy_file_range"),
	CALL("fsync"),
	CALL("fdatasync"),
	CALL("fallocate"),
	CALL("ftruncate"),
	CALL("renameat"),
	CALL("renameat2"),
	CALL("unlink"),
	CALL("unlinkat"),
	CALL("fchmod"),
	CALL("fchown"),
	CALL("umask"),
	ODD("fadvise64", "fontconfig"),
	ODD("mkdir", "fontconfig's cache, refused by the file system"),
	ODD("mkdirat", "the same"),
	ODD("memfd_create", "copies of what ruled had committed"),
	CALL("inotify_add_watch"),
	CALL("inotify_rm_watch"),
	CALL("getxattr"),
	CALL("fgetxattr"),
	CALL("fsetxattr"),
	CALL("flistxattr"),

	HEAD("identity: the children's, and that of opening listed files"),
	CALL("getuid"),
	CALL("geteuid"),
	CALL("getgid"),
	CALL("getegid"),
	CALL("getresuid"),
	CALL("getresgid"),
	CALL("getgroups"),
	CALL("setgroups"),
	CALL("setuid"),
	CALL("setgid"),
	CALL("setresuid"),
	CALL("setresgid"),
	CALL("setfsuid"),
	CALL("setfsgid"),
	CALL("capget"),
	CALL("capset"),
	CALL("prctl"),
	CALL("seccomp"),
	CALL("landlock_create_ruleset"),
	CALL("landlock_restrict_self"),
	CALL("chroot"),
	CALL("chdir"),
	CALL("fchdir"),
	CALL("getrlimit"),
	CALL("setrlimit"),
	CALL("prlimit64"),
	CALL("sched_setscheduler"),
	CALL("sched_getaffinity"),
	ODD("sched_setaffinity", "procinfo's threads"),
	CALL("getpriority"),
	CALL("setpriority"),
	CALL("uname"),
	CALL("sysinfo"),
	END
};

static const struct filter filters[] = {
	[ROLE_PARENT] = { { parent } },
	[ROLE_NETQ] = { { common, netq } },
	[ROLE_PROCINFO] = { { common, procinfo } },
	[ROLE_RULED] = { { common, ruled } },
	[ROLE_PROMPTER] = { { common, prompter } },
};

#ifdef SANDBOX_TRAP
/*
 * For whoever changes a process: build with -DSANDBOX_TRAP, and the missing
 * call is named on standard error before the process ends.
 */
static char	*trap_names[512];

static void
trapped(int sig, siginfo_t *si, void *context)
{
	const char	*name = "unknown";
	static const char nl[] = " is not in the filter\n";

	(void)sig;
	(void)context;
	if (si->si_syscall >= 0 && si->si_syscall < 512 &&
	    trap_names[si->si_syscall] != NULL)
		name = trap_names[si->si_syscall];
	if (write(STDERR_FILENO, name, strlen(name)) == -1 ||
	    write(STDERR_FILENO, nl, sizeof(nl) - 1) == -1)
		_exit(3);
	_exit(2);
}

static void
trap_init(void)
{
	struct sigaction sa;
	int		 i;

	for (i = 0; i < 512; i++)
		trap_names[i] = seccomp_syscall_resolve_num_arch(
		    SCMP_ARCH_NATIVE, i);
	memset(&sa, 0, sizeof(sa));
	sa.sa_sigaction = trapped;
	sa.sa_flags = SA_SIGINFO | SA_NODEFER;
	if (sigaction(SIGSYS, &sa, NULL) == -1)
		fatal("sigaction");
}
#endif

#ifdef SANDBOX_TRAP
#define OTHERWISE	SCMP_ACT_TRAP
#else
#define OTHERWISE	SCMP_ACT_KILL_PROCESS
#endif

/* The program for the kernel, and whose it is. */
static struct sock_fprog	prepared;
static enum role		prepared_role;

/* One alternative: all its conditions in one rule. */
static void
rule_add(scmp_filter_ctx ctx, int nr, const char *name,
    const struct scmp_arg_cmp *cmp, unsigned int ncmp)
{
	int	rc;

	rc = seccomp_rule_add_array(ctx, SCMP_ACT_ALLOW, nr, ncmp, cmp);
	if (rc != 0) {
		errno = -rc;
		fatal("seccomp rule for %s", name);
	}
}

/*
 * "Not this descriptor" cannot be said with equations, but with one per bit:
 * some bit of the number differs.  Bits above the limit of descriptors need
 * no line, such a number is closed.
 */
static void
rule_not_fd(scmp_filter_ctx ctx, int nr, const struct call *call,
    struct scmp_arg_cmp *cmp, unsigned int ncmp)
{
	uint32_t	bit;

	for (bit = 1; bit != 0 && bit < call->cond[0].mask; bit <<= 1) {
		cmp[0].datum_a = bit;
		cmp[0].datum_b = ~call->cond[0].value & bit;
		rule_add(ctx, nr, call->name, cmp, ncmp);
	}
}

static unsigned int
conditions(const struct call *call, struct scmp_arg_cmp cmp[CONDS])
{
	const struct cond	*c;
	unsigned int		 n;

	for (n = 0; n < CONDS && call->cond[n].kind != COND_END; n++) {
		c = &call->cond[n];
		cmp[n].arg = c->arg;
		cmp[n].op = SCMP_CMP_MASKED_EQ;
		cmp[n].datum_a = c->mask;
		cmp[n].datum_b = c->value;
		if (c->kind == COND_SELF) {
			cmp[n].datum_a = UINT32_MAX;
			cmp[n].datum_b = (scmp_datum_t)getpid();
		} else if (c->kind == COND_LONG) {
			cmp[n].op = SCMP_CMP_EQ;
			cmp[n].datum_a = c->value;
		}
	}
	return (n);
}

static void
call_add(scmp_filter_ctx ctx, const struct call *call)
{
	struct scmp_arg_cmp	cmp[CONDS];
	unsigned int		ncmp;
	int			nr;

	if ((nr = seccomp_syscall_resolve_name(call->name)) == __NR_SCMP_ERROR)
		return;		/* libseccomp is older than the call */
	if (nr < 0)
		return;		/* this architecture has no such call */
	ncmp = conditions(call, cmp);
	if (call->cond[0].kind == COND_NOT_FD)
		rule_not_fd(ctx, nr, call, cmp, ncmp);
	else
		rule_add(ctx, nr, call->name, cmp, ncmp);
}

static void
attribute(scmp_filter_ctx ctx, enum scmp_filter_attr attr, uint32_t value)
{
	int	rc;

	if ((rc = seccomp_attr_set(ctx, attr, value)) != 0) {
		errno = -rc;
		fatal("seccomp attribute %d", (int)attr);
	}
}

static scmp_filter_ctx
filter_make(enum role role)
{
	scmp_filter_ctx		 ctx;
	const struct call	*call;
	size_t			 i;

	if ((ctx = seccomp_init(OTHERWISE)) == NULL)
		fatalx("seccomp_init failed");
	/* Calls of other ABIs (int 0x80, x32) would else kill one thread. */
	attribute(ctx, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
	/* A binary tree: the calls of a busy loop are not all in front. */
	attribute(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	for (i = 0; filters[role].part[i] != NULL; i++)
		for (call = filters[role].part[i]; call->name != NULL ||
		    call->why != NULL; call++)
			if (call->name != NULL)
				call_add(ctx, call);
	return (ctx);
}

/* The library hands its work out by way of a file only. */
void
filter_prepare(enum role role)
{
	static struct sock_filter	code[BPF_MAXINSNS];
	scmp_filter_ctx			ctx;
	ssize_t				len;
	int				fd, rc;

	if (prepared.len != 0 && prepared_role == role)
		return;
	ctx = filter_make(role);
	if ((fd = memfd_create("filter", MFD_CLOEXEC)) == -1)
		fatal("memfd_create");
	if ((rc = seccomp_export_bpf(ctx, fd)) != 0) {
		errno = -rc;
		fatal("seccomp_export_bpf");
	}
	seccomp_release(ctx);
	if ((len = pread(fd, code, sizeof(code), 0)) <= 0)
		fatal("seccomp filter");
	(void)close(fd);
	prepared.filter = code;
	prepared.len = (unsigned short)((size_t)len / sizeof(code[0]));
	prepared_role = role;
}

void
filter_load(enum role role)
{
#ifdef SANDBOX_TRAP
	trap_init();
#endif
	filter_prepare(role);
	/* Of procinfo's threads, too; denials are logged. */
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
	    SECCOMP_FILTER_FLAG_TSYNC | SECCOMP_FILTER_FLAG_LOG,
	    &prepared) != 0)
		fatal("seccomp filter: the kernel needs CONFIG_SECCOMP_FILTER");
}

static void
call_print(FILE *fp, const struct call *call)
{
	size_t	i;

	fprintf(fp, "\t%s", call->name);
	for (i = 0; i < CONDS && call->cond[i].kind != COND_END; i++)
		fprintf(fp, "%s%s", i == 0 ? " if " : ", ",
		    call->cond[i].text);
	if (call->why != NULL)
		fprintf(fp, "\t# %s", call->why);
	fputc('\n', fp);
}

void
filter_print(FILE *fp, enum role role)
{
	const struct call	*call;
	size_t			 i;

	fprintf(fp, "%s: system calls; any other ends the process\n",
	    role_name(role));
	for (i = 0; filters[role].part[i] != NULL; i++)
		for (call = filters[role].part[i]; call->name != NULL ||
		    call->why != NULL; call++) {
			if (call->name == NULL)
				fprintf(fp, "    %s\n", call->why);
			else
				call_print(fp, call);
		}
}
