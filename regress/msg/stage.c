/*
 * SPDX-License-Identifier: ISC
 */
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/inet_diag.h>
#include <linux/mount.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <pwd.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "imsg.h"
#include "stage.h"

struct peer	 parent, ruled;
unsigned	 whole_answers;
pid_t		 procinfo;
pid_t		 kids[KIDS_MAX];
size_t		 nkids;
int		 failed;
char		 self[PATH_MAX];
uint64_t	 number = 1000;
struct msg_host	 host[HOSTS_MAX];
size_t		 nhost;
int		 host_done;
int		 connector = -1;
bool		 restarted;

static char	 why[256];

/* ---- results ----------------------------------------------------- */

void __attribute__((__format__(printf, 1, 2)))
fail(const char *fmt, ...)
{
	va_list	 ap;

	if (why[0] != '\0')
		return;
	va_start(ap, fmt);
	vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
}

void
die(const char *what)
{
	printf("not ok procinfo: %s: %s\n", what, strerror(errno));
	exit(1);
}

void
kids_end(void)
{
	while (nkids > 0) {
		nkids--;
		kill(kids[nkids], SIGKILL);
		waitpid(kids[nkids], NULL, 0);
	}
}

void
check(const char *name, void (*fn)(void))
{
	why[0] = '\0';
	fn();
	kids_end();
	if (procinfo != 0 && waitpid(procinfo, NULL, WNOHANG) != 0) {
		fail("procinfo died");
		procinfo = 0;
	}
	if (why[0] == '\0') {
		printf("ok procinfo: %s\n", name);
	} else {
		printf("not ok procinfo: %s: %s\n", name, why);
		failed = 1;
	}
	fflush(stdout);
}

/* ---- frames ------------------------------------------------------ */

void
put_frame(struct peer *p, uint32_t type, int fd, const void *data, size_t len)
{
	union {
		struct cmsghdr	 hdr;
		char		 buf[CMSG_SPACE(sizeof(int))];
	} cbuf;
	uint8_t		 buf[MSG_MAX];
	uint16_t	 n = (uint16_t)(len + IMSG_HEADER), flags = fd != -1;
	struct iovec	 iov = { buf, n };
	struct msghdr	 mh = { .msg_iov = &iov, .msg_iovlen = 1 };

	memcpy(buf, &type, 4);
	memcpy(buf + 4, &n, 2);
	memcpy(buf + 6, &flags, 2);
	memcpy(buf + IMSG_HEADER, data, len);
	if (fd != -1) {
		memset(&cbuf, 0, sizeof(cbuf));
		mh.msg_control = cbuf.buf;
		mh.msg_controllen = sizeof(cbuf.buf);
		cbuf.hdr.cmsg_level = SOL_SOCKET;
		cbuf.hdr.cmsg_type = SCM_RIGHTS;
		cbuf.hdr.cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(&cbuf.hdr), &fd, sizeof(int));
	}
	if (sendmsg(p->fd, &mh, MSG_NOSIGNAL) != n)
		fail("procinfo does not listen");
}

/* The next frame within the time, or -1. */
int
get_frame(struct peer *p, struct frame *f, int ms)
{
	struct pollfd	 pfd = { p->fd, POLLIN, 0 };
	uint16_t	 len;
	ssize_t		 n;

	for (;;) {
		if (p->have >= IMSG_HEADER) {
			memcpy(&len, p->buf + 4, 2);
			if (p->have >= len)
				break;
		}
		if (poll(&pfd, 1, ms) != 1)
			return -1;
		n = read(p->fd, p->buf + p->have, sizeof(p->buf) - p->have);
		if (n <= 0)
			return -1;
		p->have += (size_t)n;
	}
	memcpy(&f->type, p->buf, 4);
	f->len = (size_t)len - IMSG_HEADER;
	memcpy(f->data, p->buf + IMSG_HEADER, f->len);
	p->have -= len;
	memmove(p->buf, p->buf + len, p->have);
	return 0;
}

static void
host_told(const struct frame *f)
{
	struct msg_host	 m;
	struct ibuf	 b;

	ibuf_reader(&b, f->data, f->len);
	if (msg_get_host(&b, &m) == -1) {
		fail("malformed MSG_HOST");
		return;
	}
	if (m.what == HOST_CLEAR)
		nhost = 0;
	else if (m.what == HOST_DONE)
		host_done++;
	else if (nhost < HOSTS_MAX)
		host[nhost++] = m;
}

/* Reads ruled's side until a frame of the type came. */
int
await(uint32_t type, struct frame *f)
{
	while (get_frame(&ruled, f, WAIT_MS) == 0) {
		if (f->type == MSG_HOST)
			host_told(f);
		if (f->type == type)
			return 0;
	}
	fail("no %s", msg_name(type));
	return -1;
}

/* ---- questions --------------------------------------------------- */

struct addr
address(const char *text)
{
	struct addr	 a;

	memset(&a, 0, sizeof(a));
	if (addr_parse(text, &a) == -1)
		fail("bad address %s", text);
	return a;
}

struct msg_who
question(enum hook hook, uint8_t proto, const char *src, int sport,
    const char *dst, int dport)
{
	struct msg_who	 who;

	memset(&who, 0, sizeof(who));
	who.number = ++number;
	who.hook = hook;
	if (hook == HOOK_OUT)
		who.flags = PACKET_HAS_UID;	/* root's */
	who.tuple.proto = proto;
	who.tuple.src = address(src);
	who.tuple.dst = address(dst);
	who.tuple.sport = (uint16_t)sport;
	who.tuple.dport = (uint16_t)dport;
	return who;
}

/* The next answer: a message, or a number among those that say the same. */
static int
next_answer(struct whois *is)
{
	static struct whois	 last;
	static struct frame	 f;
	static struct ibuf	 rest;
	struct msg_same		 same = { 0 };
	struct ibuf		 b;

	while (ibuf_left(&rest) == 0) {
		if (get_frame(&ruled, &f, WAIT_MS) == -1) {
			fail("no answer");
			return -1;
		}
		if (f.type == MSG_HOST)
			host_told(&f);
		ibuf_reader(&b, f.data, f.len);
		if (f.type == MSG_WHOIS_SAME)
			rest = b;
		else if (f.type == MSG_WHOIS) {
			whole_answers++;
			if (msg_get_whois(&b, &last) == -1)
				fail("malformed MSG_WHOIS");
			*is = last;
			return 0;
		}
	}
	if (msg_get_same(&rest, &same) == -1)
		fail("malformed MSG_WHOIS_SAME");
	*is = last;
	is->number = same.number;
	return 0;
}

void
get_answer(uint64_t wanted, struct whois *is)
{
	memset(is, 0, sizeof(*is));
	if (next_answer(is) == 0 && is->number != wanted)
		fail("answer %llu to question %llu",
		    (unsigned long long)is->number,
		    (unsigned long long)wanted);
}

const struct whois *
ask(struct msg_who who)
{
	static struct whois	 is;
	struct msg_who_head	 head = { 1 };
	uint8_t			 buf[512];
	struct ibuf		 b;

	ibuf_writer(&b, buf, sizeof(buf));
	msg_put_who_head(&b, &head);
	msg_put_who(&b, &who);
	put_frame(&ruled, MSG_WHO, -1, buf, b.off);
	get_answer(who.number, &is);
	return &is;
}

static const char *const states[] = { "NONE", "LISTENING", "CONNECTING",
    "ESTABLISHED", "OTHER" };

/* pid 0: nobody may be named. */
void
expect(const struct whois *is, enum who_source source, pid_t pid,
    enum sock_state state)
{
	if (is->source != source || is->pid != (uint32_t)pid)
		fail("%s [%u] %s, not %s [%d]", who_source_name(is->source),
		    is->pid, is->exe, who_source_name(source), (int)pid);
	if (is->socket != state)
		fail("socket is %s, not %s", states[is->socket],
		    states[state]);
	if (pid == 0 && (is->exe[0] != '\0' || is->args_len != 0))
		fail("nobody, but %s", is->exe);
}

/* ---- other processes --------------------------------------------- */

int
listener(int af, int type, int proto, int port)
{
	struct sockaddr_in6	 sin6;
	struct sockaddr_in	 sin;
	int			 fd, on = 1;

	memset(&sin, 0, sizeof(sin));
	memset(&sin6, 0, sizeof(sin6));
	sin.sin_family = AF_INET;
	sin6.sin6_family = AF_INET6;
	sin.sin_port = sin6.sin6_port = htons((uint16_t)port);
	fd = socket(af, type, proto);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on));
	if (bind(fd, af == AF_INET ? (struct sockaddr *)&sin :
	    (struct sockaddr *)&sin6, af == AF_INET ? sizeof(sin) :
	    sizeof(sin6)) == -1)
		die("bind");
	if (type == SOCK_STREAM && listen(fd, 16) == -1)
		die("listen");
	return fd;
}

int
connect_to(int fd, const char *dst, int port, const char *ifname)
{
	struct sockaddr_storage	 ss;
	struct sockaddr_in	*sin = (struct sockaddr_in *)&ss;
	struct sockaddr_in6	*sin6 = (struct sockaddr_in6 *)&ss;

	memset(&ss, 0, sizeof(ss));
	if (strchr(dst, ':') == NULL) {
		sin->sin_family = AF_INET;
		sin->sin_port = htons((uint16_t)port);
		inet_pton(AF_INET, dst, &sin->sin_addr);
		return connect(fd, (struct sockaddr *)&ss, sizeof(*sin));
	}
	sin6->sin6_family = AF_INET6;
	sin6->sin6_port = htons((uint16_t)port);
	if (ifname != NULL)
		sin6->sin6_scope_id = if_nametoindex(ifname);
	inet_pton(AF_INET6, dst, &sin6->sin6_addr);
	return connect(fd, (struct sockaddr *)&ss, sizeof(*sin6));
}

int
local_port(int fd)
{
	struct sockaddr_storage	 ss;
	socklen_t		 len = sizeof(ss);

	memset(&ss, 0, sizeof(ss));
	getsockname(fd, (struct sockaddr *)&ss, &len);
	if (ss.ss_family == AF_INET)
		return ntohs(((struct sockaddr_in *)&ss)->sin_port);
	return ntohs(((struct sockaddr_in6 *)&ss)->sin6_port);
}

/*
 * A child that runs fn, which says how it went by a number (a port) in *out,
 * and then stays until the case is over.
 */
pid_t
kid(int (*fn)(void *), void *arg, int *out)
{
	int	 fds[2], n;
	pid_t	 pid;

	if (pipe(fds) == -1)
		die("pipe");
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		n = fn(arg);
		if (write(fds[1], &n, sizeof(n)) != sizeof(n))
			_exit(1);
		for (;;)
			pause();
	}
	close(fds[1]);
	if (read(fds[0], &n, sizeof(n)) != sizeof(n)) {
		fail("child failed");
		n = 0;
	}
	close(fds[0]);
	kids[nkids++] = pid;
	if (out != NULL)
		*out = n;
	return pid;
}

int
dial(void *arg)
{
	struct dial	*d = arg;
	int		 fd, i;

	for (i = 0; i < d->spare; i++)
		if (open("/dev/null", O_RDONLY) == -1)
			return 0;
	fd = socket(d->af, d->type | SOCK_NONBLOCK, d->proto);
	if (fd == -1)
		return 0;
	if (connect_to(fd, d->dst, d->port, d->ifname) == -1 &&
	    errno != EINPROGRESS)
		return 0;
	return local_port(fd);
}

struct dial
tcp(const char *dst, int port)
{
	return (struct dial){ strchr(dst, ':') ? AF_INET6 : AF_INET,
	    SOCK_STREAM, 0, dst, port, NULL, 0 };
}

void
run(const char *const argv[])
{
	pid_t	 pid;
	int	 st;

	pid = fork();
	if (pid == 0) {
		execvp(argv[0], (char *const *)(uintptr_t)argv);
		_exit(127);
	}
	if (waitpid(pid, &st, 0) != pid || st != 0)
		die(argv[0]);
}

int
netlink(int family, uint32_t groups)
{
	struct sockaddr_nl	 sa = { .nl_family = AF_NETLINK,
				    .nl_groups = groups };
	int			 fd;

	fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK,
	    family);
	if (fd == -1 || bind(fd, (struct sockaddr *)&sa, sizeof(sa)) == -1)
		die("netlink");
	return fd;
}

/* ---- procinfo itself --------------------------------------------- */

void
new_ruled(int fds[2])
{
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) == -1)
		die("socketpair");
	if (ruled.fd > 0)
		close(ruled.fd);
	ruled.fd = fds[0];
	ruled.have = 0;
	nhost = 0;
	host_done = 0;
}

void
await_parent(uint32_t type, struct frame *f)
{
	while (get_frame(&parent, f, WAIT_MS) == 0)
		if (f->type == type)
			return;
	fail("no %s", msg_name(type));
}

/* Namespace with lo and an interface on which nobody answers. */
void
stage_network(void)
{
	if (unshare(CLONE_NEWNET) == -1)
		die("unshare");
	RUN("ip", "link", "set", "lo", "up");
	RUN("ip", "link", "add", "dum0", "type", "veth", "peer", "dum1");
	RUN("ip", "link", "set", "dum1", "up");
	RUN("ip", "link", "set", "dum0", "up");
	RUN("ip", "addr", "add", "10.98.0.1/24", "dev", "dum0");
	RUN("ip", "addr", "add", "fe80::1/64", "dev", "dum0", "nodad");
}

static int
private_proc(void)
{
	int	 fs, fd;

	fs = (int)syscall(SYS_fsopen, "proc", 0);
	if (fs == -1 || syscall(SYS_fsconfig, fs, FSCONFIG_SET_STRING,
	    "subset", "pid", 0) == -1 ||
	    syscall(SYS_fsconfig, fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) ==
	    -1)
		die("fsopen");
	fd = (int)syscall(SYS_fsmount, fs, 0, MOUNT_ATTR_RDONLY |
	    MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC |
	    MOUNT_ATTR_NOSYMFOLLOW);
	if (fd == -1)
		die("fsmount");
	close(fs);
	return fd;
}

/* Descriptors in the order of their numbers, moved out of the way first. */
static void
exec_procinfo(const char *path, const int *fds, int n)
{
	int	 high[8], i;

	for (i = 0; i < n; i++)
		high[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, 32);
	for (i = 0; i < n; i++)
		if (dup2(high[i], FD_PARENT + i) == -1)
			_exit(126);
	execl(path, path, (char *)NULL);
	_exit(127);
}

static void
send_start(const struct passwd *pw)
{
	static struct msg_start	 start;
	static uint8_t		 buf[MSG_PAYLOAD_MAX];
	struct ibuf		 b;

	start.uid = pw->pw_uid;
	start.gid = pw->pw_gid;
	start.fds = 1u << FD_PARENT | 1u << FD_ROOT | 1u << FD_PROC_RULED |
	    1u << FD_PROC_DIAG | 1u << FD_PROC_ROUTE;
	if (connector != -1)
		start.fds |= 1u << FD_PROC_CONNECTOR;
	start.restarted = restarted;
	ibuf_writer(&b, buf, sizeof(buf));
	msg_put_start(&b, &start);
	put_frame(&parent, MSG_START, -1, buf, b.off);
}

void
start_procinfo(void)
{
	static struct frame	 f;
	const struct passwd	*pw = getpwnam("_tinysnitch");
	const char		*build = getenv("B");
	char			 path[PATH_MAX];
	int			 p[2], r[2];

	if (pw == NULL) {
		errno = 0;
		die("no user _tinysnitch");
	}
	snprintf(path, sizeof(path), "%s/libexec/tinysnitch/procinfo",
	    build != NULL ? build : "build");
	if (access(path, X_OK) == -1)
		die(path);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, p) == -1)
		die("socketpair");
	new_ruled(r);
	parent.fd = p[0];
	procinfo = fork();
	if (procinfo == 0)
		exec_procinfo(path, (int []){ p[1], private_proc(), r[1],
		    netlink(NETLINK_SOCK_DIAG, 0), netlink(NETLINK_ROUTE,
		    RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR),
		    connector }, connector == -1 ? 5 : 6);
	close(p[1]);
	close(r[1]);
	send_start(pw);
	await_parent(MSG_READY, &f);
}
