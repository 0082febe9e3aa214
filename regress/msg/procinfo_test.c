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

#include "stage.h"

#define PORT		4000	/* nobody listens from here on */

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
	int			 fd = listener(AF_INET, SOCK_DGRAM, 0, 6300);
	struct msg_who		 who = question(HOOK_OUT, IPPROTO_TCP,
				    "10.98.0.1", PORT, "10.98.0.9", 53);
	const struct whois	*is;

	who.flags = 0;
	expect(ask(who), WHO_KERNEL, 0, SOCK_NONE);
	who = question(HOOK_OUT, IPPROTO_ICMP, "10.98.0.1", 0, "10.98.0.9", 0);
	who.flags = 0;
	expect(ask(who), WHO_KERNEL, 0, SOCK_OTHER);
	/* A socket without a file; its inode looks like this one's. */
	who = question(HOOK_OUT, IPPROTO_UDP, "10.98.0.1", 6300, "10.98.0.9",
	    53);
	who.flags = 0;
	is = ask(who);
	expect(is, WHO_KERNEL, 0, SOCK_OTHER);
	if (is->has_uid)
		fail("the kernel has uid %u", is->uid);
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

/*
 * A hundred questions in one message, about the socket that has the port or,
 * where ours() says no, about nobody's.
 */
static void
ask_hundred(int port, bool (*ours)(int))
{
	struct msg_who_head	 head = { 0 };
	struct msg_who		 who;
	uint8_t			 buf[MSG_PAYLOAD_MAX];
	struct ibuf		 b;
	int			 i;

	ibuf_writer(&b, buf, sizeof(buf));
	msg_put_who_head(&b, &head);
	for (i = 0; i < 100; i++) {
		who = question(HOOK_OUT, IPPROTO_UDP, "10.98.0.1",
		    ours(i) ? port : PORT, "10.98.0.9", 53);
		msg_put_who(&b, &who);
	}
	put_frame(&ruled, MSG_WHO, -1, buf, b.off);
}

static void
get_hundred(uint64_t first, bool (*ours)(int))
{
	static struct whois	 is;
	int			 i;

	for (i = 0; i < 100; i++) {
		get_answer(first + (uint64_t)i, &is);
		expect(&is, ours(i) ? WHO_SOCKET : WHO_UNKNOWN, ours(i) ?
		    getpid() : 0, ours(i) ? SOCK_OTHER : SOCK_NONE);
	}
}

static bool
every_other(int i)
{
	return i & 1;
}

static bool
first_ninety(int i)
{
	return i < 90;
}

static void
in_order(void)
{
	uint64_t	 first = number + 1;
	int		 fd, i;

	fd = listener(AF_INET, SOCK_DGRAM, 0, 6500);
	for (i = 0; i < 10; i++)
		ask_hundred(6500, every_other);
	for (i = 0; i < 10; i++)
		get_hundred(first + (uint64_t)i * 100, every_other);
	close(fd);
}

/* A flood of one program: who it is travels once. */
static void
said_once(void)
{
	uint64_t	 first = number + 1;
	unsigned	 whole = whole_answers;
	int		 fd;

	fd = listener(AF_INET, SOCK_DGRAM, 0, 6600);
	ask_hundred(6600, first_ninety);
	get_hundred(first, first_ninety);
	close(fd);
	if (whole_answers - whole > 2)
		fail("%u of 100 say who", whole_answers - whole);
}

/* ---- its own life ------------------------------------------------ */

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
		if (f.type == MSG_WHOIS || f.type == MSG_WHOIS_SAME)
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
	check("the same program is told once", said_once);
	check("new ruled", fresh_ruled);
	check("malformed question", bad_ruled);
	check("end of the parent", parent_ends);
	return failed;
}
