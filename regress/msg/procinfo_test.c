/*
 * SPDX-License-Identifier: ISC
 *
 * The real procinfo, in its sandbox, asked about real sockets.  This program
 * plays the parent and ruled.  Needs root; all traffic stays in a network
 * namespace that ends with it.
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
#include "msg.h"

#define WAIT_MS		10000
#define KIDS_MAX	64
#define PORT		4000	/* nobody listens from here on */

/* Frames from one socket. */
struct peer {
	int	 fd;
	size_t	 have;
	uint8_t	 buf[2 * MSG_MAX];
};

struct frame {
	uint32_t	 type;
	size_t		 len;
	uint8_t		 data[MSG_MAX];
};

static struct peer	 parent, ruled;	/* what procinfo sees on 3 and 5 */
static pid_t		 procinfo;
static pid_t		 kids[KIDS_MAX];
static size_t		 nkids;
static int		 failed;
static char		 why[256];
static char		 self[PATH_MAX];
static uint64_t		 number = 1000;

/* What MSG_HOST told. */
static struct msg_host	 host[256];
static size_t		 nhost;
static int		 host_done;

/* ---- results ----------------------------------------------------- */

static void __attribute__((__format__(printf, 1, 2)))
fail(const char *fmt, ...)
{
	va_list	 ap;

	if (why[0] != '\0')
		return;
	va_start(ap, fmt);
	vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
}

static void
die(const char *what)
{
	printf("not ok procinfo: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void
kids_end(void)
{
	while (nkids > 0) {
		nkids--;
		kill(kids[nkids], SIGKILL);
		waitpid(kids[nkids], NULL, 0);
	}
}

static void
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

static void
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
static int
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
	else if (nhost < sizeof(host) / sizeof(host[0]))
		host[nhost++] = m;
}

/* Reads ruled's side until a frame of the type came. */
static int
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

static struct addr
address(const char *text)
{
	struct addr	 a;

	memset(&a, 0, sizeof(a));
	if (addr_parse(text, &a) == -1)
		fail("bad address %s", text);
	return a;
}

static struct msg_who
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

static void
get_answer(uint64_t wanted, struct whois *is)
{
	static struct frame	 f;
	struct ibuf		 b;

	memset(is, 0, sizeof(*is));
	if (await(MSG_WHOIS, &f) == -1)
		return;
	ibuf_reader(&b, f.data, f.len);
	if (msg_get_whois(&b, is) == -1)
		fail("malformed MSG_WHOIS");
	else if (is->number != wanted)
		fail("answer %llu to question %llu",
		    (unsigned long long)is->number,
		    (unsigned long long)wanted);
}

static const struct whois *
ask(struct msg_who who)
{
	static struct whois	 is;
	struct msg_who_head	 head = { 0, 1 };
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
static void
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

static int
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

static int
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

static int
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
static pid_t
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

/* A connection that a child makes. */
struct dial {
	int		 af, type, proto;
	const char	*dst;
	int		 port;
	const char	*ifname;
	int		 spare;	/* descriptors opened before */
};

static int
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

static struct dial
tcp(const char *dst, int port)
{
	return (struct dial){ strchr(dst, ':') ? AF_INET6 : AF_INET,
	    SOCK_STREAM, 0, dst, port, NULL, 0 };
}

static void
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
#define RUN(...)	run((const char *const []){ __VA_ARGS__, NULL })

static int
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

/* ---- cases ------------------------------------------------------- */

static void
host_table(void)
{
	static struct frame	 f;
	struct addr		 lo = address("127.0.0.1");
	bool			 has_lo = false, has_if = false;
	size_t			 i;

	while (!host_done && await(MSG_HOST, &f) == 0)
		continue;
	for (i = 0; i < nhost; i++) {
		if (host[i].what == HOST_ADDR && addr_eq(&host[i].addr, &lo))
			has_lo = true;
		if (host[i].what == HOST_IF &&
		    strcmp(host[i].ifname, "dum0") == 0 &&
		    host[i].ifindex == if_nametoindex("dum0"))
			has_if = true;
	}
	if (!has_lo || !has_if)
		fail("127.0.0.1 %d, dum0 %d", has_lo, has_if);
}

static void
await_host(enum host_what what, const char *addr)
{
	static struct frame	 f;
	struct addr		 a = address(addr);

	nhost = 0;
	while (await(MSG_HOST, &f) == 0)
		if (nhost > 0 && host[nhost - 1].what == what &&
		    addr_eq(&host[nhost - 1].addr, &a))
			return;
}

static void
host_changes(void)
{
	RUN("ip", "addr", "add", "10.99.0.7/24", "dev", "dum0");
	await_host(HOST_ADDR, "10.99.0.7");
	RUN("ip", "addr", "del", "10.99.0.7/24", "dev", "dum0");
	await_host(HOST_ADDR_GONE, "10.99.0.7");
}

static void
tcp_live(void)
{
	int			 lfd = listener(AF_INET, SOCK_STREAM, 0, 0);
	struct dial		 d = tcp("127.0.0.1", local_port(lfd));
	const struct whois	*is;
	char			 cwd[PATH_MAX];
	int			 port;
	pid_t			 pid = kid(dial, &d, &port);

	is = ask(question(HOOK_OUT, IPPROTO_TCP, "127.0.0.1", port,
	    "127.0.0.1", d.port));
	expect(is, WHO_SOCKET, pid, SOCK_ESTABLISHED);
	if (strcmp(is->exe, self) != 0)
		fail("exe is %s", is->exe);
	if (is->args_len == 0 || strstr(is->args, "procinfo_test") == NULL)
		fail("args are %s", is->args);
	if (getcwd(cwd, sizeof(cwd)) == NULL || strcmp(cwd, is->cwd) != 0)
		fail("cwd is %s", is->cwd);
	if (!is->has_uid || is->uid != 0)
		fail("uid is %u", is->uid);
	if (is->nparents == 0 || is->parent[0].pid != (uint32_t)getpid() ||
	    strcmp(is->parent[0].exe, self) != 0)
		fail("parent is [%u] %s", is->parent[0].pid,
		    is->parent[0].exe);
	if (is->unit[0] != '/')
		fail("unit is %s", is->unit);
	close(lfd);
}

static void
tcp_connecting(void)
{
	struct dial	 d = tcp("10.98.0.2", PORT);
	int		 port;
	pid_t		 pid = kid(dial, &d, &port);

	expect(ask(question(HOOK_OUT, IPPROTO_TCP, "10.98.0.1", port,
	    "10.98.0.2", PORT)), WHO_SOCKET, pid, SOCK_CONNECTING);
}

static void
tcp_v6(void)
{
	int		 lfd = listener(AF_INET6, SOCK_STREAM, 0, 0);
	struct dial	 d = tcp("::1", local_port(lfd));
	int		 port;
	pid_t		 pid = kid(dial, &d, &port);

	expect(ask(question(HOOK_OUT, IPPROTO_TCP, "::1", port, "::1",
	    d.port)), WHO_SOCKET, pid, SOCK_ESTABLISHED);
	close(lfd);
}

/* Bound to its interface, as all link-local traffic is. */
static void
tcp_linklocal(void)
{
	struct dial	 d = tcp("fe80::2", PORT);
	int		 port;
	pid_t		 pid;

	d.ifname = "dum0";
	pid = kid(dial, &d, &port);
	expect(ask(question(HOOK_OUT, IPPROTO_TCP, "fe80::1", port, "fe80::2",
	    PORT)), WHO_SOCKET, pid, SOCK_CONNECTING);
}

static void
tcp_mapped(void)
{
	int		 lfd = listener(AF_INET, SOCK_STREAM, 0, 0);
	struct dial	 d = tcp("::ffff:127.0.0.1", local_port(lfd));
	int		 port;
	pid_t		 pid = kid(dial, &d, &port);

	expect(ask(question(HOOK_OUT, IPPROTO_TCP, "127.0.0.1", port,
	    "127.0.0.1", d.port)), WHO_SOCKET, pid, SOCK_ESTABLISHED);
	close(lfd);
}

static int
udp_bound(void *arg)
{
	const int	*how = arg;	/* family, protocol, port */

	return local_port(listener(how[0], SOCK_DGRAM, how[1], how[2]));
}

static void
udp_unconnected(void)
{
	int	 v4[3] = { AF_INET, 0, 0 }, v6[3] = { AF_INET6, 0, 0 };
	int	 lite[3] = { AF_INET, IPPROTO_UDPLITE, 0 }, port;
	pid_t	 pid;

	pid = kid(udp_bound, v4, &port);
	expect(ask(question(HOOK_OUT, IPPROTO_UDP, "10.98.0.1", port,
	    "10.98.0.9", 53)), WHO_SOCKET, pid, SOCK_OTHER);
	pid = kid(udp_bound, v6, &port);
	expect(ask(question(HOOK_OUT, IPPROTO_UDP, "::1", port, "::1", 53)),
	    WHO_SOCKET, pid, SOCK_OTHER);
	/* The same socket speaks IPv4. */
	expect(ask(question(HOOK_OUT, IPPROTO_UDP, "10.98.0.1", port,
	    "10.98.0.9", 53)), WHO_SOCKET, pid, SOCK_OTHER);
	pid = kid(udp_bound, lite, &port);
	expect(ask(question(HOOK_OUT, IPPROTO_UDPLITE, "10.98.0.1", port,
	    "10.98.0.9", 53)), WHO_SOCKET, pid, SOCK_OTHER);
}

static void
udp_connected(void)
{
	struct dial	 d = { AF_INET, SOCK_DGRAM, 0, "10.98.0.2", 53, NULL,
			    0 };
	int		 port;
	pid_t		 pid = kid(dial, &d, &port);

	expect(ask(question(HOOK_OUT, IPPROTO_UDP, "10.98.0.1", port,
	    "10.98.0.2", 53)), WHO_SOCKET, pid, SOCK_ESTABLISHED);
	/* It cannot have sent to others. */
	expect(ask(question(HOOK_OUT, IPPROTO_UDP, "10.98.0.1", port,
	    "10.98.0.3", 53)), WHO_UNKNOWN, 0, SOCK_NONE);
}

/* Two programs on one port: which of them sent cannot be known. */
static void
udp_shared_port(void)
{
	int	 how[3] = { AF_INET, 0, 5353 }, fd;

	kid(udp_bound, how, NULL);
	fd = listener(AF_INET, SOCK_DGRAM, 0, 5353);
	expect(ask(question(HOOK_OUT, IPPROTO_UDP, "10.98.0.1", 5353,
	    "224.0.0.251", 5353)), WHO_UNKNOWN, 0, SOCK_OTHER);
	kids_end();
	expect(ask(question(HOOK_OUT, IPPROTO_UDP, "10.98.0.1", 5353,
	    "224.0.0.251", 5353)), WHO_SOCKET, getpid(), SOCK_OTHER);
	close(fd);
}

static int	 shared_fd;

static int
just_stay(void *arg)
{
	(void)arg;
	return local_port(shared_fd);
}

/* The creator is gone, its child has the socket. */
static int
inherit(void *arg)
{
	pid_t	*heir = arg, pid;

	shared_fd = listener(AF_INET, SOCK_DGRAM, 0, 0);
	pid = fork();
	if (pid == 0)
		for (;;)
			pause();
	*heir = pid;
	return local_port(shared_fd);
}

static void
inherited(void)
{
	pid_t	*heir = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int	 port;

	kid(inherit, heir, &port);
	kids_end();
	kids[nkids++] = *heir;
	expect(ask(question(HOOK_OUT, IPPROTO_UDP, "10.98.0.1", port,
	    "10.98.0.9", 53)), WHO_SOCKET, *heir, SOCK_OTHER);
}

/* A child that became another program, with shared_fd still open. */
static pid_t
exec_kid(const char *path, char *const argv[])
{
	pid_t	 pid;
	int	 fds[2];
	char	 c;

	if (pipe2(fds, O_CLOEXEC) == -1)
		die("pipe");
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		execv(path, argv);
		_exit(127);
	}
	close(fds[1]);
	if (read(fds[0], &c, 1) == -1)	/* closed by execve */
		fail("pipe");
	close(fds[0]);
	kids[nkids++] = pid;
	return pid;
}

static pid_t
sleeper(void)
{
	char	*argv[] = { (char[]){ "sleep" }, (char[]){ "60" }, NULL };

	return exec_kid("/bin/sleep", argv);
}

/* An innocent program that inherited a socket is not who sends. */
static void
shared_socket(void)
{
	pid_t	 pid;
	int	 port;

	shared_fd = listener(AF_INET, SOCK_DGRAM, 0, 0);
	port = local_port(shared_fd);
	sleeper();
	expect(ask(question(HOOK_OUT, IPPROTO_UDP, "10.98.0.1", port,
	    "10.98.0.9", 53)), WHO_UNKNOWN, 0, SOCK_OTHER);
	close(shared_fd);
	kids_end();
	/* Shared by the same program twice: the newer is named. */
	shared_fd = listener(AF_INET, SOCK_DGRAM, 0, 0);
	pid = kid(just_stay, NULL, &port);
	expect(ask(question(HOOK_OUT, IPPROTO_UDP, "10.98.0.1", port,
	    "10.98.0.9", 53)), WHO_SOCKET, pid, SOCK_OTHER);
	close(shared_fd);
}

static void
inbound(void)
{
	int		 u4[3] = { AF_INET, 0, 6001 }, lfd;
	struct dial	 d;
	int		 port;
	pid_t		 pid;

	lfd = listener(AF_INET6, SOCK_STREAM, 0, 6000);
	expect(ask(question(HOOK_IN, IPPROTO_TCP, "10.98.0.9", 1234,
	    "10.98.0.1", 6000)), WHO_SOCKET, getpid(), SOCK_LISTENING);
	expect(ask(question(HOOK_IN, IPPROTO_TCP, "fd00::9", 1234,
	    "::1", 6000)), WHO_SOCKET, getpid(), SOCK_LISTENING);
	/* An existing connection, seen from its server. */
	d = tcp("127.0.0.1", 6000);
	kid(dial, &d, &port);
	port = port > 0 ? port : 1;
	d.af = accept4(lfd, NULL, NULL, SOCK_CLOEXEC);
	expect(ask(question(HOOK_IN, IPPROTO_TCP, "127.0.0.1", port,
	    "127.0.0.1", 6000)), WHO_SOCKET, getpid(), SOCK_ESTABLISHED);
	close(d.af);
	close(lfd);
	pid = kid(udp_bound, u4, NULL);
	expect(ask(question(HOOK_IN, IPPROTO_UDP, "10.98.0.9", 1234,
	    "10.98.0.1", 6001)), WHO_SOCKET, pid, SOCK_LISTENING);
	expect(ask(question(HOOK_IN, IPPROTO_UDP, "10.98.0.9", 1234,
	    "224.0.0.1", 6001)), WHO_SOCKET, pid, SOCK_LISTENING);
}

static void
nobody_listens(void)
{
	expect(ask(question(HOOK_IN, IPPROTO_TCP, "10.98.0.9", 1234,
	    "10.98.0.1", PORT)), WHO_UNKNOWN, 0, SOCK_NONE);
	expect(ask(question(HOOK_IN, IPPROTO_UDP, "10.98.0.9", 1234,
	    "10.98.0.1", PORT)), WHO_UNKNOWN, 0, SOCK_NONE);
	expect(ask(question(HOOK_IN, IPPROTO_UDP, "fd00::9", 1234,
	    "::1", PORT)), WHO_UNKNOWN, 0, SOCK_NONE);
}

static void
many_descriptors(void)
{
	struct dial	 d = { AF_INET, SOCK_DGRAM, 0, "10.98.0.2", 53, NULL,
			    1000 };
	int		 port;
	pid_t		 pid = kid(dial, &d, &port);

	expect(ask(question(HOOK_OUT, IPPROTO_UDP, "10.98.0.1", port,
	    "10.98.0.2", 53)), WHO_SOCKET, pid, SOCK_ESTABLISHED);
}

/* argv[0] is whatever the program likes; it is never identity. */
static void
hidden_argv(void)
{
	char			*argv[] = { (char[]){ "/usr/bin/firefox" },
				    (char[]){ "60" }, NULL };
	const struct whois	*is;
	int			 port;
	pid_t			 pid;

	shared_fd = listener(AF_INET, SOCK_DGRAM, 0, 0);
	port = local_port(shared_fd);
	pid = exec_kid("/bin/sleep", argv);
	close(shared_fd);
	is = ask(question(HOOK_OUT, IPPROTO_UDP, "10.98.0.1", port,
	    "10.98.0.9", 53));
	expect(is, WHO_SOCKET, pid, SOCK_OTHER);
	if (strcmp(is->exe, "/usr/bin/sleep") != 0 &&
	    strcmp(is->exe, "/bin/sleep") != 0)
		fail("exe is %s", is->exe);
	if (strcmp(is->args, argv[0]) != 0 ||
	    is->args_len != strlen(argv[0]) + 1 + 3)
		fail("args are %s (%u)", is->args, is->args_len);
}

static int
copy_sleep(int to)
{
	struct stat	 st;
	off_t		 off = 0;
	int		 from = open("/bin/sleep", O_RDONLY);

	if (from == -1 || fstat(from, &st) == -1 ||
	    sendfile(to, from, &off, (size_t)st.st_size) != st.st_size)
		return -1;
	close(from);
	return 0;
}

static void
no_file(void)
{
	char			*argv[] = { (char[]){ "sleep" },
				    (char[]){ "60" }, NULL };
	char			 path[64], tmp[] = "/tmp/procinfo.XXXXXX";
	const struct whois	*is;
	int			 fd, port;
	pid_t			 pid;

	fd = memfd_create("secret", 0);
	if (copy_sleep(fd) == -1)
		die("memfd");
	shared_fd = listener(AF_INET, SOCK_DGRAM, 0, 0);
	port = local_port(shared_fd);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	pid = exec_kid(path, argv);
	close(shared_fd);
	close(fd);
	is = ask(question(HOOK_OUT, IPPROTO_UDP, "10.98.0.1", port,
	    "10.98.0.9", 53));
	expect(is, WHO_SOCKET, pid, SOCK_OTHER);
	if (strcmp(is->exe, "/memfd:secret (deleted)") != 0)
		fail("exe is %s", is->exe);

	fd = mkstemp(tmp);
	if (copy_sleep(fd) == -1 || fchmod(fd, 0700) == -1)
		die(tmp);
	close(fd);
	shared_fd = listener(AF_INET, SOCK_DGRAM, 0, 0);
	port = local_port(shared_fd);
	pid = exec_kid(tmp, argv);
	close(shared_fd);
	unlink(tmp);
	is = ask(question(HOOK_OUT, IPPROTO_UDP, "10.98.0.1", port,
	    "10.98.0.9", 53));
	expect(is, WHO_SOCKET, pid, SOCK_OTHER);
	if (strstr(is->exe, tmp) != is->exe ||
	    strcmp(is->exe + strlen(tmp), " (deleted)") != 0)
		fail("exe is %s", is->exe);
}

/* What was true a moment ago is looked at again. */
static void
owner_gone(void)
{
	int	 how[3] = { AF_INET, 0, 6100 }, fd;
	pid_t	 pid = kid(udp_bound, how, NULL);

	expect(ask(question(HOOK_OUT, IPPROTO_UDP, "10.98.0.1", 6100,
	    "10.98.0.9", 53)), WHO_SOCKET, pid, SOCK_OTHER);
	kids_end();
	expect(ask(question(HOOK_OUT, IPPROTO_UDP, "10.98.0.1", 6100,
	    "10.98.0.9", 53)), WHO_UNKNOWN, 0, SOCK_NONE);
	fd = listener(AF_INET, SOCK_DGRAM, 0, 6100);
	expect(ask(question(HOOK_OUT, IPPROTO_UDP, "10.98.0.1", 6100,
	    "10.98.0.9", 53)), WHO_SOCKET, getpid(), SOCK_OTHER);
	close(fd);
}

/* The packet says another user than the socket. */
static void
wrong_uid(void)
{
	int			 fd = listener(AF_INET, SOCK_DGRAM, 0, 6200);
	struct msg_who		 who = question(HOOK_OUT, IPPROTO_UDP,
				    "10.98.0.1", 6200, "10.98.0.9", 53);
	const struct whois	*is;

	who.uid = 12345;
	is = ask(who);
	expect(is, WHO_UNKNOWN, 0, SOCK_NONE);
	if (!is->has_uid || is->uid != 12345)
		fail("uid is %u", is->uid);
	close(fd);
}

static void
made_by_kernel(void)
{
	int		 fd = listener(AF_INET, SOCK_DGRAM, 0, 6300);
	struct msg_who	 who = question(HOOK_OUT, IPPROTO_TCP, "10.98.0.1",
			    PORT, "10.98.0.9", 53);

	who.flags = 0;
	expect(ask(who), WHO_KERNEL, 0, SOCK_NONE);
	who = question(HOOK_OUT, IPPROTO_ICMP, "10.98.0.1", 0, "10.98.0.9", 0);
	who.flags = 0;
	expect(ask(who), WHO_KERNEL, 0, SOCK_OTHER);
	/* No uid, but a socket: that is not the kernel. */
	who = question(HOOK_OUT, IPPROTO_UDP, "10.98.0.1", 6300, "10.98.0.9",
	    53);
	who.flags = 0;
	expect(ask(who), WHO_UNKNOWN, 0, SOCK_OTHER);
	close(fd);
}

/* Not every kernel has CONFIG_INET_RAW_DIAG. */
static bool
raw_known(void)
{
	struct {
		struct nlmsghdr		 h;
		struct inet_diag_req_v2	 r;
		char			 more[4096];
	} m = { .h.nlmsg_len = NLMSG_LENGTH(sizeof(m.r)),
	    .h.nlmsg_type = SOCK_DIAG_BY_FAMILY,
	    .h.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP,
	    .r.sdiag_family = AF_INET, .r.sdiag_protocol = IPPROTO_RAW };
	int	 fd = netlink(NETLINK_SOCK_DIAG, 0), error = 0;

	if (send(fd, &m, m.h.nlmsg_len, 0) == -1 ||
	    recv(fd, &m, sizeof(m), 0) == -1)
		die("sock_diag");
	close(fd);
	memcpy(&error, NLMSG_DATA(&m.h), sizeof(error));
	return m.h.nlmsg_type != NLMSG_DONE || error == 0;
}

static void
raw_sockets(void)
{
	int	 fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, 253);
	int	 icmp = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMP);

	expect(ask(question(HOOK_OUT, 253, "10.98.0.1", 0, "10.98.0.9", 0)),
	    WHO_SOCKET, getpid(), SOCK_OTHER);
	/* A ping socket could have sent it as well. */
	expect(ask(question(HOOK_OUT, IPPROTO_ICMP, "10.98.0.1", 0,
	    "10.98.0.9", 0)), WHO_UNKNOWN, 0, SOCK_OTHER);
	close(fd);
	close(icmp);
	expect(ask(question(HOOK_OUT, 253, "10.98.0.1", 0, "10.98.0.9", 0)),
	    WHO_UNKNOWN, 0, SOCK_NONE);
}

static void
forwarded(void)
{
	expect(ask(question(HOOK_FORWARD, IPPROTO_TCP, "10.98.0.9", 1,
	    "10.97.0.9", 2)), WHO_UNKNOWN, 0, SOCK_NONE);
}

/* Only the socket's state is asked for. */
static void
socket_only(void)
{
	int		 fd = listener(AF_INET, SOCK_DGRAM, 0, 6400);
	struct msg_who	 who = question(HOOK_OUT, IPPROTO_UDP, "10.98.0.1",
			    6400, "10.98.0.9", 53);

	who.number |= WHO_SOCKET_ONLY;
	expect(ask(who), WHO_UNKNOWN, 0, SOCK_OTHER);
	close(fd);
}

static void
in_order(void)
{
	static struct whois	 is;
	struct msg_who_head	 head = { 0, 0 };
	struct msg_who		 who;
	uint8_t			 buf[MSG_PAYLOAD_MAX];
	uint64_t		 first = number + 1;
	struct ibuf		 b;
	int			 fd, i, k;

	fd = listener(AF_INET, SOCK_DGRAM, 0, 6500);
	for (i = 0; i < 10; i++) {
		ibuf_writer(&b, buf, sizeof(buf));
		msg_put_who_head(&b, &head);
		for (k = 0; k < 100; k++) {
			who = question(HOOK_OUT, IPPROTO_UDP, "10.98.0.1",
			    k & 1 ? 6500 : PORT, "10.98.0.9", 53);
			msg_put_who(&b, &who);
		}
		put_frame(&ruled, MSG_WHO, -1, buf, b.off);
	}
	for (i = 0; i < 1000; i++) {
		get_answer(first + (uint64_t)i, &is);
		expect(&is, i & 1 ? WHO_SOCKET : WHO_UNKNOWN, i & 1 ?
		    getpid() : 0, i & 1 ? SOCK_OTHER : SOCK_NONE);
	}
	close(fd);
}

/* ---- procinfo itself --------------------------------------------- */

static void
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

static void
await_parent(uint32_t type, struct frame *f)
{
	while (get_frame(&parent, f, WAIT_MS) == 0)
		if (f->type == type)
			return;
	fail("no %s", msg_name(type));
}

static void
fresh_ruled(void)
{
	uint8_t	 role = ROLE_RULED;
	int	 fds[2];

	new_ruled(fds);
	put_frame(&parent, MSG_PEER, fds[1], &role, 1);
	close(fds[1]);
	host_table();
	tcp_live();
}

/* Half an entry: reported, not answered, survived. */
static void
bad_ruled(void)
{
	static struct frame	 f;
	struct msg_bad		 bad;
	struct ibuf		 b;

	put_frame(&ruled, MSG_WHO, -1, "\0\0xyz", 5);
	await_parent(MSG_BAD, &f);
	ibuf_reader(&b, f.data, f.len);
	if (msg_get_bad(&b, &bad) == -1 || bad.peer != ROLE_RULED)
		fail("malformed MSG_BAD");
	while (get_frame(&ruled, &f, WAIT_MS) == 0)
		if (f.type == MSG_WHOIS)
			fail("answered");
	fresh_ruled();
}

static void
parent_ends(void)
{
	int	 st, i;

	close(parent.fd);
	for (i = 0; i < 500; i++) {
		if (waitpid(procinfo, &st, WNOHANG) == procinfo) {
			procinfo = 0;
			if (!WIFEXITED(st) || WEXITSTATUS(st) != 0)
				fail("status %#x", (unsigned int)st);
			return;
		}
		usleep(10000);
	}
	fail("procinfo lives on");
}

/* Namespace with lo and an interface on which nobody answers. */
static void
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
	ibuf_writer(&b, buf, sizeof(buf));
	msg_put_start(&b, &start);
	put_frame(&parent, MSG_START, -1, buf, b.off);
}

static void
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
		    RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR) },
		    5);
	close(p[1]);
	close(r[1]);
	send_start(pw);
	await_parent(MSG_READY, &f);
}

int
main(void)
{
	ssize_t	 n;

	if (geteuid() != 0) {
		printf("skip procinfo: needs root\n");
		return 0;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	signal(SIGPIPE, SIG_IGN);
	n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	if (n == -1)
		die("/proc/self/exe");
	stage_network();
	check("starts", start_procinfo);
	if (failed)
		return 1;
	check("own addresses and interfaces", host_table);
	check("changes of them", host_changes);
	check("TCP client", tcp_live);
	check("TCP client, not yet connected", tcp_connecting);
	check("TCP client, IPv6", tcp_v6);
	check("TCP client, link-local", tcp_linklocal);
	check("TCP client, IPv4 by an IPv6 socket", tcp_mapped);
	check("UDP, unconnected", udp_unconnected);
	check("UDP, connected", udp_connected);
	check("UDP port of two programs", udp_shared_port);
	check("inherited socket, creator gone", inherited);
	check("socket of two programs", shared_socket);
	check("inbound, somebody listens", inbound);
	check("inbound, nobody listens", nobody_listens);
	check("1,000 descriptors", many_descriptors);
	check("hidden argv", hidden_argv);
	check("deleted and memfd executables", no_file);
	check("owner gone, port used again", owner_gone);
	check("another user's packet", wrong_uid);
	check("the kernel's packets", made_by_kernel);
	if (raw_known())
		check("raw sockets", raw_sockets);
	else
		printf("skip procinfo: raw sockets: the kernel does not "
		    "list them\n");
	check("forwarded", forwarded);
	check("state of a socket alone", socket_only);
	check("1,000 answers in order", in_order);
	check("new ruled", fresh_ruled);
	check("malformed question", bad_ruled);
	check("end of the parent", parent_ends);
	return failed;
}
