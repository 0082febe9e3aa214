/*
 * SPDX-License-Identifier: ISC
 *
 * Does procinfo name who sent each packet, exactly, although senders have
 * long ended?  Real packets through a real queue; this program plays netq,
 * ruled and parent.  A wrong name is a failure wherever it happens; unknown
 * is one except beside a loss or a restart.
 */
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/cn_proc.h>
#include <linux/connector.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_queue.h>
#include <linux/netlink.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../../parent/events.h"
#include "stage.h"

#define QUEUE		7
#define FIRST_PORT	20000
#define PORTS		20000
#define PACKETS_MAX	40000
#define BATCH		50	/* questions to a message */
#define CROWD		4200	/* more than PROCS_MAX of procinfo */

struct packet {
	uint64_t	number;
	uint64_t	time;
	bool		quiet;
	struct tuple	tuple;
	uint32_t	uid;
	bool		has_uid;
};

/* How the answers were. */
struct score {
	int	right;		/* by event, with the right program */
	int	no_args;
	int	unknown;
	int	wrong;
	bool	last_right;
};

static int		 queue_fd = -1;
static uint64_t		 datagrams;
static struct packet	 packets[PACKETS_MAX];
static int		 npackets;
static pid_t		 truth[PORTS];
static char		 twin[PATH_MAX];	/* this program, beside procinfo */
static bool		 bare;	/* without the connector */
static int		 slow = 1;	/* an emulated machine: fewer senders */

/* ---- netq -------------------------------------------------------- */

struct request {
	struct nlmsghdr	 h;
	struct nfgenmsg	 g;
	uint8_t		 attrs[64];
};

static void
request_init(struct request *r, int type)
{
	memset(r, 0, sizeof(*r));
	r->h.nlmsg_type = (uint16_t)(NFNL_SUBSYS_QUEUE << 8 | type);
	r->h.nlmsg_flags = NLM_F_REQUEST;
	r->h.nlmsg_len = NLMSG_LENGTH(sizeof(r->g));
	r->g.version = NFNETLINK_V0;
	r->g.res_id = htons(QUEUE);
}

static void
request_attr(struct request *r, uint16_t type, const void *data, size_t len)
{
	struct nlattr	 a = { (uint16_t)(sizeof(a) + len), type };
	uint8_t		*to = (uint8_t *)r + r->h.nlmsg_len;

	memcpy(to, &a, sizeof(a));
	memcpy(to + sizeof(a), data, len);
	r->h.nlmsg_len += (uint32_t)NLA_ALIGN(sizeof(a) + len);
}

static void
request_send(struct request *r, bool acknowledged)
{
	char	 buf[1024];

	if (acknowledged)
		r->h.nlmsg_flags |= NLM_F_ACK;
	if (send(queue_fd, r, r->h.nlmsg_len, 0) == -1 || (acknowledged &&
	    recv(queue_fd, buf, sizeof(buf), 0) == -1))
		die("queue");
}

/* As the parent does it: the events are there before the first packet. */
static void
queue_open(void)
{
	struct nfqnl_msg_config_cmd	 cmd = { .command =
					    NFQNL_CFG_CMD_BIND };
	struct nfqnl_msg_config_params	 params;
	uint32_t			 flag = htonl(NFQA_CFG_F_UID_GID);
	uint32_t			 length = htonl(16384);
	int				 size = 16 << 20, on = 1;
	struct request			 r;

	queue_fd = netlink(NETLINK_NETFILTER, 0);
	setsockopt(queue_fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	setsockopt(queue_fd, SOL_NETLINK, NETLINK_NO_ENOBUFS, &on,
	    sizeof(on));
	request_init(&r, NFQNL_MSG_CONFIG);
	request_attr(&r, NFQA_CFG_CMD, &cmd, sizeof(cmd));
	request_send(&r, true);
	request_init(&r, NFQNL_MSG_CONFIG);
	request_attr(&r, NFQA_CFG_FLAGS, &flag, sizeof(flag));
	request_attr(&r, NFQA_CFG_MASK, &flag, sizeof(flag));
	request_attr(&r, NFQA_CFG_QUEUE_MAXLEN, &length, sizeof(length));
	request_send(&r, true);
	events_want_routes();
	if (events_init(queue_fd, QUEUE) == -1) {
		printf("skip sender: no order events on this kernel\n");
		exit(0);
	}
	memset(&params, 0, sizeof(params));
	params.copy_range = htonl(256);
	params.copy_mode = NFQNL_COPY_PACKET;
	request_init(&r, NFQNL_MSG_CONFIG);
	request_attr(&r, NFQA_CFG_PARAMS, &params, sizeof(params));
	request_send(&r, false);
}

static void
accept_packet(uint32_t id)
{
	struct nfqnl_msg_verdict_hdr	 v = { htonl(NF_ACCEPT), id };
	struct request			 r;

	request_init(&r, NFQNL_MSG_VERDICT);
	request_attr(&r, NFQA_VERDICT_HDR, &v, sizeof(v));
	request_send(&r, false);
}

static void
take_payload(struct packet *p, const uint8_t *data)
{
	struct iphdr	 ip;
	struct udphdr	 udp;

	memcpy(&ip, data, sizeof(ip));
	memcpy(&udp, data + ip.ihl * 4, sizeof(udp));
	p->tuple.proto = ip.protocol;
	p->tuple.src.af = p->tuple.dst.af = AF_INET;
	memcpy(p->tuple.src.b, &ip.saddr, 4);
	memcpy(p->tuple.dst.b, &ip.daddr, 4);
	p->tuple.sport = ntohs(udp.source);
	p->tuple.dport = ntohs(udp.dest);
}

static void
take_datagram(const uint8_t *buf, size_t len)
{
	struct packet			*p = &packets[npackets];
	struct nfqnl_msg_packet_hdr	 hdr;
	const struct nlmsghdr		*h = (const void *)buf;
	struct nlattr			 a;
	size_t				 at;

	datagrams++;
	if (h->nlmsg_type != (NFNL_SUBSYS_QUEUE << 8 | NFQNL_MSG_PACKET) ||
	    npackets == PACKETS_MAX)
		return;
	memset(p, 0, sizeof(*p));
	memset(&hdr, 0, sizeof(hdr));
	p->number = datagrams;
	at = NLMSG_LENGTH(sizeof(struct nfgenmsg));
	for (; at + sizeof(a) <= len; at += NLA_ALIGN(a.nla_len)) {
		memcpy(&a, buf + at, sizeof(a));
		if (a.nla_type == NFQA_PACKET_HDR)
			memcpy(&hdr, buf + at + sizeof(a), sizeof(hdr));
		else if (a.nla_type == NFQA_PAYLOAD)
			take_payload(p, buf + at + sizeof(a));
		else if (a.nla_type == NFQA_UID) {
			memcpy(&p->uid, buf + at + sizeof(a), 4);
			p->uid = ntohl(p->uid);
			p->has_uid = true;
		}
	}
	accept_packet(hdr.packet_id);
	npackets++;
}

/* Reads all there is; the clock afterwards, as netq does. */
static void
read_queue(int ms)
{
	struct pollfd	 pfd = { queue_fd, POLLIN, 0 };
	struct timespec	 ts;
	uint8_t		 buf[2048];
	ssize_t		 n;
	int		 first = npackets;

	if (poll(&pfd, 1, ms) != 1)
		return;
	while ((n = recv(queue_fd, buf, sizeof(buf), MSG_DONTWAIT)) > 0)
		take_datagram(buf, (size_t)n);
	clock_gettime(CLOCK_MONOTONIC, &ts);
	for (; first < npackets; first++) {
		packets[first].time = (uint64_t)ts.tv_sec * 1000000000 +
		    (uint64_t)ts.tv_nsec;
		packets[first].quiet = first == npackets - 1;
	}
}

/* ---- ruled ------------------------------------------------------- */

static bool
has_arg(const struct whois *is, int port)
{
	char		 want[16];
	const char	*p;

	snprintf(want, sizeof(want), "%d", port);
	for (p = is->args; p < is->args + is->args_len; p += strlen(p) + 1)
		if (strcmp(p, want) == 0)
			return true;
	return false;
}

static void
judge(const struct packet *p, const struct whois *is, struct score *s)
{
	int	 port = p->tuple.dport;
	pid_t	 pid = truth[port - FIRST_PORT];

	s->last_right = false;
	if (is->source == WHO_UNKNOWN) {
		s->unknown++;
	} else if (is->pid != (uint32_t)pid ||
	    (is->exe[0] != '\0' && strcmp(is->exe, self) != 0)) {
		fprintf(stderr, "port %d: %s [%u] %s, not [%d]\n", port,
		    who_source_name(is->source), is->pid, is->exe, (int)pid);
		s->wrong++;
	} else if (is->source == WHO_EVENT) {
		s->right++;
		s->last_right = true;
		if (is->exe[0] == '\0' || !has_arg(is, port))
			s->no_args++;
	}
}

static void
ask_some(const struct packet *p, int n, struct score *s)
{
	static struct whois	 is;
	struct msg_who_head	 head = { 0 };
	struct msg_who		 who;
	uint8_t			 buf[MSG_PAYLOAD_MAX];
	struct ibuf		 b;
	int			 i;

	ibuf_writer(&b, buf, sizeof(buf));
	msg_put_who_head(&b, &head);
	for (i = 0; i < n; i++) {
		memset(&who, 0, sizeof(who));
		who.number = p[i].number;
		who.hook = HOOK_OUT;
		who.flags = (p[i].has_uid ? PACKET_HAS_UID : 0) |
		    (p[i].quiet ? WHO_QUIET : 0);
		who.uid = p[i].uid;
		who.time = p[i].time;
		who.tuple = p[i].tuple;
		msg_put_who(&b, &who);
	}
	put_frame(&ruled, MSG_WHO, -1, buf, b.off);
	for (i = 0; i < n; i++) {
		get_answer(p[i].number, &is);
		judge(&p[i], &is, s);
	}
}

/* Asks about all packets read since the last time. */
static struct score
ask_all(void)
{
	struct score	 s;
	int		 at, n;

	memset(&s, 0, sizeof(s));
	for (at = 0; at < npackets; at += n) {
		n = npackets - at < BATCH ? npackets - at : BATCH;
		ask_some(&packets[at], n, &s);
	}
	fprintf(stderr, "%d packets: %d right, %d of them without arguments, "
	    "%d unknown, %d wrong\n", npackets, s.right, s.no_args,
	    s.unknown, s.wrong);
	npackets = 0;
	return s;
}

/* ---- senders ----------------------------------------------------- */

static int
shoot(int port, int n)
{
	struct sockaddr_in	 sin = { .sin_family = AF_INET };
	int			 fd, i;

	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	sin.sin_port = htons((uint16_t)port);
	inet_pton(AF_INET, "10.98.0.2", &sin.sin_addr);
	for (i = 0; i < n; i++)
		(void)sendto(fd, "x", 1, MSG_DONTWAIT,
		    (struct sockaddr *)&sin, sizeof(sin));
	return fd;
}

enum way { EXEC_EXIT, FORK_EXIT, SEND_EXEC, OWN_EXIT };

static pid_t
sender(enum way way, int port)
{
	char	 text[16];
	pid_t	 pid;

	snprintf(text, sizeof(text), "%d", port);
	pid = way == EXEC_EXIT || way == OWN_EXIT ? vfork() : fork();
	if (pid == 0) {
		if (way == EXEC_EXIT)
			execl(self, self, "shoot", text, (char *)NULL);
		if (way == OWN_EXIT)
			execl(twin, twin, "shoot", text, (char *)NULL);
		shoot(port, 1);
		if (way == SEND_EXEC)
			execl("/bin/sleep", "sleep", "0", (char *)NULL);
		_exit(0);
	}
	truth[port - FIRST_PORT] = pid;
	return pid;
}

/* One after the other, each gone before anything is asked. */
static struct score
senders(enum way way, int n)
{
	static int	 port = FIRST_PORT;
	int		 i;
	pid_t		 pid;

	for (i = 0; i < n; i++) {
		pid = sender(way, port++);
		read_queue(1000);
		waitpid(pid, NULL, 0);
	}
	read_queue(0);
	if (npackets != n)
		fail("%d of %d packets", npackets, n);
	return ask_all();
}

static void
expect_right(struct score s, int n)
{
	if (s.wrong > 0 || s.right != n)
		fail("%d of %d right, %d wrong", s.right, n, s.wrong);
}

static void
one_shot(void)
{
	int		 n = 500 / slow;
	struct score	 s = senders(EXEC_EXIT, n);

	expect_right(s, n);
	if (s.no_args * 100 > n)
		fail("%d of %d without arguments", s.no_args, n);
}

/*
 * In the thread that gives verdicts the kernel goes on with others' packets,
 * so what is queued there is nobody's.  This program is procinfo's parent;
 * its child, of an executable beside procinfo's, could be netq.
 */
static void
our_own(void)
{
	const char	*build = getenv("B");
	int		 n = 50 / slow;
	struct score	 s;

	if (snprintf(twin, sizeof(twin), "%s/libexec/tinysnitch/sender-%d",
	    build != NULL ? build : "build", (int)getpid()) >=
	    (int)sizeof(twin) || link(self, twin) == -1)
		die(twin);
	s = senders(OWN_EXIT, n);
	(void)unlink(twin);
	if (s.unknown != n)
		fail("%d of %d are nobody's", s.unknown, n);
	/* Elsewhere it is a program like any other. */
	expect_right(senders(EXEC_EXIT, n), n);
}

static int
stay(void *arg)
{
	(void)arg;
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;)
		(void)pause();
	return 0;
}

/*
 * More live than are remembered: those that have ended, and cannot be read
 * again, must not make room for them.  They share this program's memory.
 */
static void
crowd(void)
{
	static _Alignas(16) char stack[CROWD][4096];
	static pid_t		 pid[CROWD];
	int			 i, n = 100 / slow;
	struct score		 s = { 0 };

	for (i = 0; i < CROWD; i++) {
		pid[i] = clone(stay, stack[i] + sizeof(stack[i]), CLONE_VM | SIGCHLD, NULL);
		if (pid[i] == -1)
			break;
		/* To answer it has to read its rings, which hold thousands. */
		if (i % 200 == 0)
			expect_right(senders(EXEC_EXIT, 1), 1);
	}
	if (i < CROWD)
		fail("process %d: %s", i, strerror(errno));
	else
		s = senders(EXEC_EXIT, n);
	expect_right(s, n);
	if (s.no_args * 100 > n)
		fail("%d of %d without program and arguments", s.no_args, n);
	while (i-- > 0) {
		(void)kill(pid[i], SIGKILL);
		(void)waitpid(pid[i], NULL, 0);
	}
}

/* The arguments are this program's own, which do not name the port. */
static void
fork_exit(void)
{
	int	 n = 200 / slow;

	expect_right(senders(FORK_EXIT, n), n);
}

static void
send_then_exec(void)
{
	int	 n = 200 / slow;

	expect_right(senders(SEND_EXEC, n), n);
}

/* ---- losses and restarts ----------------------------------------- */

static bool	 no_records;

static bool
is_record(const struct msg_event *m)
{
	return m->kind == EVENT_EXEC || m->kind == EVENT_EXEC_DONE;
}

static void
send_events(void)
{
	struct msg_event	 m;
	uint8_t			 buf[64];
	struct ibuf		 b;
	int			 i, fd, last = 0;

	for (i = 0; events_get(i, &m, &fd) == 0; i++)
		if (!no_records || !is_record(&m))
			last = i;
	for (i = 0; i <= last && events_get(i, &m, &fd) == 0; i++) {
		if (no_records && is_record(&m))
			continue;
		m.last = i == last;
		ibuf_writer(&b, buf, sizeof(buf));
		msg_put_event(&b, &m);
		put_frame(&parent, MSG_EVENT, fd, buf, b.off);
	}
}

static void
on_cpu(int cpu)
{
	cpu_set_t	 set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	(void)sched_setaffinity(0, sizeof(set), &set);
}

/* Nothing wrong meanwhile, and exact again in the end. */
static void
expect_recovery(void)
{
	struct score	 s;
	int		 i;

	for (i = 0; i < 20; i++) {
		/* A ring tells what it lost with its next record. */
		on_cpu(i % 2);
		s = senders(EXEC_EXIT, 10);
		if (s.wrong > 0)
			fail("%d wrong", s.wrong);
		if (s.right == 10)
			return;
	}
	fail("not exact again");
}

static void
procinfo_again(void)
{
	kill(procinfo, SIGKILL);
	waitpid(procinfo, NULL, 0);
	close(parent.fd);
	parent.have = 0;
	restarted = true;
	start_procinfo();
	send_events();
	expect_recovery();
}

/*
 * A kernel without records: the connector tells of each execve.  Most are
 * read before they end; what is known is never wrong.
 */
static void
connector_only(void)
{
	struct score	 s;
	int		 n = 200 / slow;

	no_records = true;
	procinfo_again();
	s = senders(EXEC_EXIT, n);
	expect_right(s, n);
	if (s.no_args * 2 > n)
		fail("%d of %d without arguments", s.no_args, n);
	no_records = false;
}

static void
netq_again(void)
{
	datagrams = 0;
	expect_recovery();
}

/* Many at once, or now and then. */
static void
shoot_on(int port, bool flood)
{
	int	 i;

	alarm(20);
	for (i = 0; i < (flood ? 120 : 60); i++) {
		close(shoot(port, flood ? 100 : 1));
		usleep(flood ? 500 : 2000);
	}
	_exit(0);
}

/* More events than the ring of a CPU holds, while nobody reads it. */
static void
overflow(void)
{
	struct score	 s;
	int		 i;
	pid_t		 pid[2];

	kill(procinfo, SIGSTOP);
	for (i = 0; i < 2; i++) {
		pid[i] = fork();
		if (pid[i] == 0) {
			on_cpu(i);
			shoot_on(FIRST_PORT + PORTS - 1 - i, i == 0);
		}
		truth[PORTS - 1 - i] = pid[i];
	}
	for (i = 0; i < 2; i++)
		while (waitpid(pid[i], NULL, WNOHANG) == 0)
			read_queue(10);
	read_queue(0);
	kill(procinfo, SIGCONT);
	s = ask_all();
	if (s.wrong > 0)
		fail("%d wrong", s.wrong);
	if (s.unknown == 0)
		fail("no loss: the test is too small");
	expect_recovery();
}

/* ---- look-ups of routes ------------------------------------------ */

/* A program that looks a route up, sends nothing and ends. */
static pid_t
look_up(int port)
{
	pid_t	 pid = fork();
	int	 fd;

	if (pid == 0) {
		fd = listener(AF_INET, SOCK_DGRAM, 0, 4000);
		_exit(connect_to(fd, "10.98.0.2", port, NULL) == -1);
	}
	(void)waitpid(pid, NULL, 0);
	return pid;
}

static void
expect_forwarded(int port, enum who_source source, pid_t pid)
{
	struct msg_who	 who = question(HOOK_FORWARD, IPPROTO_UDP,
			    "10.98.0.1", 4000, "10.98.0.2", port);
	struct timespec	 ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	who.time = (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
	expect(ask(who), source, pid, SOCK_NONE);
}

/*
 * The look-up of the program that counts is lost, and an older one of another
 * program looks the same; the kernel tells the loss only with the next one.
 */
static void
look_ups_lost(void)
{
	int	 i, fd;
	pid_t	 pid;

	on_cpu(0);
	pid = look_up(FIRST_PORT);
	expect_forwarded(FIRST_PORT, WHO_TUPLE, pid);
	(void)look_up(FIRST_PORT + 1);
	kill(procinfo, SIGSTOP);
	fd = listener(AF_INET, SOCK_DGRAM, 0, 4001);
	for (i = 0; i < 10000; i++)
		(void)connect_to(fd, "10.98.0.2", FIRST_PORT + 2, NULL);
	close(fd);
	(void)look_up(FIRST_PORT + 1);
	kill(procinfo, SIGCONT);
	expect_forwarded(FIRST_PORT + 1, WHO_UNKNOWN, 0);
	for (i = 0; i < 3; i++) {
		pid = look_up(FIRST_PORT + 3 + i);
		expect_forwarded(FIRST_PORT + 3 + i, WHO_TUPLE, pid);
	}
}

/* ---- */

/* In the first network namespace, or it is not to be had. */
static int
connector_open(void)
{
	/* cn_msg ends in its data: the operation follows it. */
	enum proc_cn_mcast_op	 op = PROC_CN_MCAST_LISTEN;
	struct nlmsghdr		 h;
	struct cn_msg		 cn;
	struct iovec		 iov[] = { { &h, sizeof(h) },
				    { &cn, sizeof(cn) }, { &op, sizeof(op) } };
	struct sockaddr_nl	 sa = { .nl_family = AF_NETLINK,
				    .nl_groups = CN_IDX_PROC };
	int			 fd, size = 4 << 20;

	fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK,
	    NETLINK_CONNECTOR);
	if (fd == -1)
		return -1;
	memset(&h, 0, sizeof(h));
	memset(&cn, 0, sizeof(cn));
	h.nlmsg_len = sizeof(h) + sizeof(cn) + sizeof(op);
	h.nlmsg_type = NLMSG_DONE;
	cn.id.idx = CN_IDX_PROC;
	cn.id.val = CN_VAL_PROC;
	cn.len = sizeof(op);
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	if (bind(fd, (struct sockaddr *)&sa, sizeof(sa)) == -1 ||
	    writev(fd, iov, 3) == -1) {
		close(fd);
		return -1;
	}
	return fd;
}

static int
connector_somewhere(void)
{
	int	 fd, own, first;

	if ((fd = connector_open()) != -1)
		return fd;
	own = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	first = open("/proc/1/ns/net", O_RDONLY | O_CLOEXEC);
	if (own != -1 && first != -1 && setns(first, CLONE_NEWNET) == 0) {
		fd = connector_open();
		if (setns(own, CLONE_NEWNET) == -1)
			die("setns");
	}
	return fd;
}

int
main(int argc, char *argv[])
{
	const char	*text;
	ssize_t		 n;

	if (argc == 3) {
		shoot((int)strtol(argv[2], NULL, 10), 1);
		return 0;
	}
	if (geteuid() != 0) {
		printf("skip sender: needs root\n");
		return 0;
	}
	if ((text = getenv("TSN_SLOW")) != NULL)
		slow = (int)strtonum(text, 1, 100, &text);
	if (slow == 0)
		die("TSN_SLOW");
	setvbuf(stdout, NULL, _IOLBF, 0);
	signal(SIGPIPE, SIG_IGN);
	n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	if (n == -1)
		die("/proc/self/exe");
	connector = connector_somewhere();
	bare = connector == -1;
	stage_network();
	RUN("iptables", "-A", "OUTPUT", "-p", "udp", "--dport",
	    "20000:40000", "-j", "NFQUEUE", "--queue-num", "7");
	queue_open();
	check("starts", start_procinfo);
	if (failed)
		return 1;
	send_events();
	usleep(300000);		/* reads what runs already */
	check("sends once and ends", one_shot);
	check("in a thread of our own", our_own);
	check("sends and ends, while very many live", crowd);
	if (bare) {
		printf("skip sender: fork, send-then-exec: no proc "
		    "connector here\n");
	} else {
		check("fork that sends once and ends", fork_exit);
		check("sends, then becomes another program", send_then_exec);
	}
	if (bare)
		printf("skip sender: by the connector: there is none here\n");
	else
		check("by the connector alone", connector_only);
	check("procinfo starts again", procinfo_again);
	check("netq counts anew", netq_again);
	check("more events than the rings hold", overflow);
	check("forwarded, with look-ups lost", look_ups_lost);
	return failed;
}
