/*
 * SPDX-License-Identifier: ISC
 *
 * netq: its pure parts, byte by byte, and then the program itself in its
 * sandbox, with a socketpair in place of the kernel's queue.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_queue.h>
#include <linux/netlink.h>
#include <poll.h>
#include <signal.h>
#include <stdalign.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../netq/netq.h"
#include "imsg.h"

#define WAIT_MS		3000
#define QUIET_MS	150	/* nothing more is to come */
#define NOBODY		65534

static const char	*name;
static int		 bad_case, failures;

static void __attribute__((__format__(printf, 1, 2)))
bad(const char *fmt, ...)
{
	va_list	ap;

	if (!bad_case) {
		printf("not ok netq %s: ", name);
		va_start(ap, fmt);
		vprintf(fmt, ap);
		va_end(ap);
		printf("\n");
		failures++;
	}
	bad_case = 1;
}

#define CHECK(x) do { if (!(x)) bad("line %d: %s", __LINE__, #x); } while (0)

static void
run(const char *n, void (*f)(void))
{
	name = n;
	bad_case = 0;
	f();
	if (!bad_case)
		printf("ok netq %s\n", name);
	fflush(stdout);
}

/* ---- the kernel's side of a datagram */

struct dgram {
	alignas(8) char	 buf[2 * NETQ_DATAGRAM];
	struct nlmsghdr	*h;
};

static void
dgram_begin(struct dgram *d, uint8_t family)
{
	struct nfgenmsg	*g;

	memset(d, 0, sizeof(*d));
	d->h = mnl_nlmsg_put_header(d->buf);
	d->h->nlmsg_type = NFNL_SUBSYS_QUEUE << 8 | NFQNL_MSG_PACKET;
	g = mnl_nlmsg_put_extra_header(d->h, sizeof(*g));
	g->nfgen_family = family;
}

static void
dgram_header(struct dgram *d, uint32_t id, uint8_t hook)
{
	struct nfqnl_msg_packet_hdr	p;

	memset(&p, 0, sizeof(p));
	p.packet_id = htonl(id);
	p.hook = hook;
	mnl_attr_put(d->h, NFQA_PACKET_HDR, sizeof(p), &p);
}

/* A whole packet of so many payload bytes. */
static void
dgram_packet(struct dgram *d, uint32_t id, size_t payload)
{
	static const char	bytes[2 * COPY_RANGE] = "E payload";

	dgram_begin(d, AF_INET);
	dgram_header(d, id, HOOK_OUT);
	mnl_attr_put_u32(d->h, NFQA_MARK, htonl(0xca6c));
	mnl_attr_put_u32(d->h, NFQA_IFINDEX_INDEV, htonl(3));
	mnl_attr_put_u32(d->h, NFQA_IFINDEX_OUTDEV, htonl(4));
	mnl_attr_put_u32(d->h, NFQA_UID, htonl(1000));
	mnl_attr_put_u32(d->h, NFQA_GID, htonl(1001));
	mnl_attr_put_u32(d->h, NFQA_CAP_LEN, htonl(60000));
	mnl_attr_put(d->h, NFQA_PAYLOAD, payload, bytes);
}

static void
dgram_error(struct dgram *d, int error)
{
	struct nlmsgerr	*e;

	memset(d, 0, sizeof(*d));
	d->h = mnl_nlmsg_put_header(d->buf);
	d->h->nlmsg_type = NLMSG_ERROR;
	e = mnl_nlmsg_put_extra_header(d->h, sizeof(*e));
	e->error = -error;
}

static enum nfq_kind
parse(const struct dgram *d, struct nfq_message *m)
{
	nfq_parse(d->buf, d->h->nlmsg_len, m);
	return m->kind;
}

/* ---- pure */

static void
test_packet(void)
{
	struct nfq_message	m;
	struct dgram		d;

	dgram_packet(&d, 0xfffffffe, 9);
	CHECK(parse(&d, &m) == NFQ_PACKET);
	CHECK(m.packet.id == 0xfffffffe && m.packet.hook == HOOK_OUT);
	CHECK(m.packet.af == AF_INET && m.packet.mark == 0xca6c);
	CHECK(m.packet.indev == 3 && m.packet.outdev == 4);
	CHECK(m.packet.flags == PACKET_HAS_UID && m.packet.uid == 1000);
	CHECK(m.packet.len == 9 && m.packet.full_len == 60000);
	CHECK(m.packet.data != NULL &&
	    memcmp(m.packet.data, "E payload", 9) == 0);
}

static void
test_packet_plain(void)
{
	struct nfq_message	m;
	struct dgram		d;

	dgram_begin(&d, AF_INET6);
	dgram_header(&d, 0, HOOK_IN);
	mnl_attr_put(d.h, NFQA_PAYLOAD, 4, "abcd");
	CHECK(parse(&d, &m) == NFQ_PACKET);
	CHECK(m.packet.id == 0 && m.packet.af == AF_INET6);
	CHECK(m.packet.flags == 0 && m.packet.mark == 0);
	CHECK(m.packet.len == 4 && m.packet.full_len == 4);
}

static void
test_unusable(void)
{
	static const uint16_t	words[] = { NFQA_MARK, NFQA_UID, NFQA_CAP_LEN,
				    NFQA_IFINDEX_INDEV, NFQA_IFINDEX_OUTDEV };
	struct nfq_message	m;
	struct dgram		d;
	size_t			i;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		dgram_begin(&d, AF_INET);
		mnl_attr_put_u16(d.h, words[i], 1);
		dgram_header(&d, 7, HOOK_OUT);
		mnl_attr_put(d.h, NFQA_PAYLOAD, 1, "x");
		CHECK(parse(&d, &m) == NFQ_UNUSABLE && m.packet.id == 7);
	}
	dgram_packet(&d, 8, COPY_RANGE);
	CHECK(parse(&d, &m) == NFQ_PACKET);
	dgram_packet(&d, 8, COPY_RANGE + 1);
	CHECK(parse(&d, &m) == NFQ_UNUSABLE && m.packet.id == 8);
	dgram_begin(&d, AF_INET);
	dgram_header(&d, 9, HOOK_OUT);
	CHECK(parse(&d, &m) == NFQ_UNUSABLE && m.packet.id == 9);
	dgram_begin(&d, AF_INET);
	dgram_header(&d, 10, NF_INET_PRE_ROUTING);
	mnl_attr_put(d.h, NFQA_PAYLOAD, 1, "x");
	CHECK(parse(&d, &m) == NFQ_UNUSABLE && m.packet.id == 10);
}

static void
test_foreign(void)
{
	struct nfq_message	m;
	struct dgram		d;

	dgram_packet(&d, 1, 9);
	d.h->nlmsg_type = NFNL_SUBSYS_QUEUE << 8 | NFQNL_MSG_CONFIG;
	CHECK(parse(&d, &m) == NFQ_FOREIGN);
	dgram_begin(&d, AF_INET);
	mnl_attr_put(d.h, NFQA_PACKET_HDR, 6, "abcdef");
	mnl_attr_put(d.h, NFQA_PAYLOAD, 1, "x");
	CHECK(parse(&d, &m) == NFQ_FOREIGN);
	memset(&d, 0, sizeof(d));
	d.h = mnl_nlmsg_put_header(d.buf);
	d.h->nlmsg_type = NFNL_SUBSYS_QUEUE << 8 | NFQNL_MSG_PACKET;
	CHECK(parse(&d, &m) == NFQ_FOREIGN);
	dgram_begin(&d, AF_BRIDGE);
	dgram_header(&d, 1, HOOK_FORWARD);
	mnl_attr_put(d.h, NFQA_PAYLOAD, 1, "x");
	CHECK(parse(&d, &m) == NFQ_PACKET && m.packet.af == 0);
}

static void
test_error(void)
{
	struct nfq_message	m;
	struct dgram		d;

	dgram_error(&d, ENOENT);
	CHECK(parse(&d, &m) == NFQ_ERROR && m.error == ENOENT);
	dgram_error(&d, 0);
	CHECK(parse(&d, &m) == NFQ_ERROR && m.error == 0);
	d.h->nlmsg_len -= 4;
	CHECK(parse(&d, &m) == NFQ_FOREIGN);
}

/* Every length that lies: copies of exact size, for the sanitizers. */
static void
test_cut(void)
{
	struct nfq_message	 m;
	struct dgram		 d;
	struct nlmsghdr		*copy;
	uint32_t		 len, said;

	dgram_packet(&d, 5, 9);
	for (len = 0; len < d.h->nlmsg_len - 3; len++) {
		if ((copy = malloc(len + 1)) == NULL)
			abort();
		memcpy(copy, d.buf, len);
		nfq_parse(copy, len, &m);
		if (m.kind != NFQ_FOREIGN)
			bad("cut to %u: kind %d", len, (int)m.kind);
		for (said = 0; len >= sizeof(*copy) && said <= len; said++) {
			copy->nlmsg_len = said;
			nfq_parse(copy, len, &m);
			if (m.kind == NFQ_PACKET)
				bad("%u bytes that say %u", len, said);
		}
		free(copy);
	}
}

/* One attribute at a time says that it is longer or shorter. */
static void
test_attr_lengths(void)
{
	struct nfq_message	 m;
	struct dgram		 d;
	struct nlattr		*a;
	size_t			 off, next;
	unsigned int		 len;

	dgram_packet(&d, 5, 8);
	for (off = 20; off < d.h->nlmsg_len; off = next) {
		a = (struct nlattr *)(void *)(d.buf + off);
		next = off + MNL_ALIGN(a->nla_len);
		for (len = 0; len <= UINT16_MAX; len++) {
			unsigned int	real = a->nla_len;

			a->nla_len = (uint16_t)len;
			nfq_parse(d.buf, d.h->nlmsg_len, &m);
			a->nla_len = (uint16_t)real;
			if (m.kind == NFQ_PACKET && m.packet.len > 0 &&
			    m.packet.data + m.packet.len >
			    (uint8_t *)d.buf + d.h->nlmsg_len)
				bad("attribute at %zu, length %u", off, len);
		}
	}
}

struct expected {
	enum fw_form	form;
	enum action	action;
	uint32_t	verdict;
	uint32_t	mark;	/* 0: none is sent */
};

static const struct expected expected[] = {
	{ FW_NFT, ACTION_ALLOW, NF_ACCEPT, 0 },
	{ FW_NFT, ACTION_DENY, NF_REPEAT, 0x1000ca6c },
	{ FW_NFT, ACTION_DROP, NF_DROP, 0 },
	{ FW_IPTABLES, ACTION_ALLOW, NF_REPEAT, 0x0200ca6c },
	{ FW_IPTABLES, ACTION_DENY, NF_REPEAT, 0x1000ca6c },
	{ FW_IPTABLES, ACTION_DROP, NF_DROP, 0 },
	{ FW_MANUAL, ACTION_ALLOW, NF_ACCEPT, 0 },
	{ FW_MANUAL, ACTION_DENY, NF_ACCEPT, 0x1000ca6c },
	{ FW_MANUAL, ACTION_DROP, NF_DROP, 0 },
	{ FW_NFT, ACTION_MAX, NF_DROP, 0 },
};

static uint32_t
be32(const uint8_t *p)
{
	uint32_t	v;

	memcpy(&v, p, sizeof(v));
	return ntohl(v);
}

static void
test_verdict(void)
{
	alignas(8) uint8_t	 buf[NFQ_VERDICT_MARK_LEN];
	const struct nlmsghdr	*h = (const void *)buf;
	const struct expected	*e = expected;
	struct msg_start	 start;
	struct msg_verdict	 v;
	size_t			 i, len;

	memset(&start, 0, sizeof(start));
	memset(&v, 0, sizeof(v));
	start.queue = 77;
	start.deny_mark = 0x10000000;
	start.judged_mark = 0x02000000;
	v.id = 0x01020304;
	v.mark = 0xca6c;
	for (i = 0; i < sizeof(expected) / sizeof(expected[0]); i++, e++) {
		start.form = (uint8_t)e->form;
		v.verdict = (uint8_t)e->action;
		len = nfq_verdict(&start, &v, buf);
		CHECK(len == (e->mark ? 40 : 32) && h->nlmsg_len == len);
		CHECK(h->nlmsg_type ==
		    (NFNL_SUBSYS_QUEUE << 8 | NFQNL_MSG_VERDICT));
		CHECK(h->nlmsg_flags == NLM_F_REQUEST);
		CHECK(buf[18] == 0 && buf[19] == 77);
		if (be32(buf + 24) != e->verdict || be32(buf + 28) != v.id ||
		    (e->mark && be32(buf + 36) != e->mark))
			bad("form %d, action %d", (int)e->form,
			    (int)e->action);
	}
}

static struct window	win;

static void
test_window(void)
{
	uint32_t	i, id, n = 0;

	memset(&win, 0, sizeof(win));
	CHECK(window_add(&win, 0) == 0);	/* comes once in 2^32 */
	CHECK(window_add(&win, 0) == -1);
	CHECK(window_remove(&win, WINDOW_SLOTS) == -1);
	CHECK(window_remove(&win, 0) == 0);
	CHECK(window_remove(&win, 0) == -1);
	/* One is held while the ids wrap around. */
	CHECK(window_add(&win, 17) == 0);
	for (i = 0; i < 100000; i++) {
		id = 0xffff0000 + i;
		if (id == 17)
			continue;
		CHECK(window_add(&win, id) == 0);
		CHECK(window_remove(&win, id) == 0);
	}
	CHECK(win.n == 1 && window_remove(&win, 17) == 0);
	for (i = 0; window_add(&win, i * 3) == 0; i++)
		;
	CHECK(i == WINDOW_MAX);
	while (window_pop(&win, &id))
		n++;
	CHECK(n == WINDOW_MAX && win.n == 0);
}

/* Against the plainest way to do it, where slots collide most. */
static void
test_window_random(void)
{
	static bool	open[4096];
	unsigned int	seed = 1;
	uint32_t	i, k, id;

	memset(&win, 0, sizeof(win));
	memset(open, 0, sizeof(open));
	for (i = 0; i < 400000; i++) {
		k = (uint32_t)rand_r(&seed) % 4096;
		id = (k % 64) * WINDOW_SLOTS + WINDOW_SLOTS - 20 + k / 64;
		if (rand_r(&seed) % 2) {
			if ((window_add(&win, id) == 0) == open[k])
				bad("add %u in step %u", id, i);
			open[k] = true;
		} else {
			if ((window_remove(&win, id) == 0) != open[k])
				bad("remove %u in step %u", id, i);
			open[k] = false;
		}
	}
}

/* ---- the program */

static pid_t	pid = -1;
static int	to_parent, to_ruled, to_queue, to_tables;

struct frame {
	uint32_t	type;
	uint16_t	len;	/* with these 8 bytes */
	uint16_t	flags;
	uint8_t		data[MSG_PAYLOAD_MAX];
};

static bool
wait_readable(int fd, int ms)
{
	struct pollfd	p = { fd, POLLIN, 0 };

	return poll(&p, 1, ms) == 1;
}

static int
read_all(int fd, void *buf, size_t len)
{
	size_t	got = 0;
	ssize_t	n;

	while (got < len) {
		if (!wait_readable(fd, WAIT_MS))
			return -1;
		if ((n = read(fd, (char *)buf + got, len - got)) <= 0)
			return -1;
		got += (size_t)n;
	}
	return 0;
}

/* The next message that is no log line; type 0 at the end. */
static const struct frame *
next_frame(int fd)
{
	static struct frame	f;

	do {
		memset(&f, 0, 8);
		if (read_all(fd, &f, 8) == -1 || f.len < 8 ||
		    f.len > MSG_MAX || read_all(fd, f.data, f.len - 8U) == -1)
			f.type = 0;
		if (f.type == MSG_LOG)
			fprintf(stderr, "netq: %.*s\n", f.len - 10,
			    (char *)f.data + 2);
	} while (f.type == MSG_LOG);
	return &f;
}

static void
send_frame(int fd, uint32_t type, const void *data, size_t len, int pass)
{
	char		 control[CMSG_SPACE(sizeof(int))] = { 0 };
	struct frame	 f;
	struct iovec	 iov = { &f, 8 + len };
	struct msghdr	 mh;
	struct cmsghdr	*c;

	f.type = type;
	f.len = (uint16_t)(8 + len);
	f.flags = pass != -1;
	if (len > 0)
		memcpy(f.data, data, len);
	memset(&mh, 0, sizeof(mh));
	mh.msg_iov = &iov;
	mh.msg_iovlen = 1;
	if (pass != -1) {
		mh.msg_control = control;
		mh.msg_controllen = sizeof(control);
		c = CMSG_FIRSTHDR(&mh);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(c), &pass, sizeof(int));
	}
	if (sendmsg(fd, &mh, MSG_NOSIGNAL) != (ssize_t)(8 + len))
		bad("%s: %s", msg_name(type), strerror(errno));
}

static int
move_up(int fd)
{
	int	high = fcntl(fd, F_DUPFD_CLOEXEC, 100);

	if (fd == -1 || high == -1)
		abort();
	(void)close(fd);
	return high;
}

/* Out of the way of the numbers that the child wants. */
static void
make_pair(int type, int pair[2])
{
	int	size = 4 << 20;

	if ((type == SOCK_STREAM ? link_pair(pair) : socketpair(AF_UNIX,
	    type | SOCK_CLOEXEC, 0, pair)) == -1)
		abort();
	pair[0] = move_up(pair[0]);
	pair[1] = move_up(pair[1]);
	if (type == SOCK_SEQPACKET)
		(void)setsockopt(pair[0], SOL_SOCKET, SO_SNDBUFFORCE, &size,
		    sizeof(size));
}

static void
exec_netq(const int fds[5])
{
	char		 path[4096];
	const char	*b = getenv("B");
	int		 i;

	for (i = 0; i < 5; i++)
		if (dup2(fds[i], 3 + i) == -1)
			_exit(126);
	(void)snprintf(path, sizeof(path), "%s/libexec/tinysnitch/netq",
	    b != NULL ? b : "build");
	execl(path, "netq", (char *)NULL);
	perror(path);
	_exit(127);
}

static void
send_start(bool restarted)
{
	static uint8_t		buf[MSG_PAYLOAD_MAX];
	struct msg_start	s;
	struct ibuf		b;

	memset(&s, 0, sizeof(s));
	s.uid = s.gid = NOBODY;
	s.fds = 0xf8;
	s.restarted = restarted;
	s.queue = 77;
	s.form = FW_NFT;
	s.deny_mark = 0x10000000;
	s.judged_mark = 0x02000000;
	ibuf_writer(&b, buf, sizeof(buf));
	msg_put_start(&b, &s);
	send_frame(to_parent, MSG_START, buf, b.off, -1);
}

static void
start_alone(bool restarted)
{
	int	p[2], r[2], q[2], t[2], fds[5], i;
	char	dir[] = "/tmp/netq_test.XXXXXX";

	if (mkdtemp(dir) == NULL || chmod(dir, 0755) == -1)
		abort();
	make_pair(SOCK_STREAM, p);
	make_pair(SOCK_STREAM, r);
	make_pair(SOCK_SEQPACKET, q);
	make_pair(SOCK_SEQPACKET, t);
	fds[0] = p[1];
	fds[1] = move_up(open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	(void)rmdir(dir);
	fds[2] = r[1];
	fds[3] = q[1];
	fds[4] = t[1];
	fflush(stdout);
	if ((pid = fork()) == 0)
		exec_netq(fds);
	for (i = 0; i < 5; i++)
		(void)close(fds[i]);
	to_parent = p[0];
	to_ruled = r[0];
	to_queue = q[0];
	to_tables = t[0];
	send_start(restarted);
	CHECK(next_frame(to_parent)->type == MSG_READY);
}

/* With a ruled that has something to say. */
static void
start_netq(bool restarted)
{
	start_alone(restarted);
	send_frame(to_ruled, MSG_VERDICTS, NULL, 0, -1);
}

static int
reap(void)
{
	int	status = -1, i;

	for (i = 0; i < WAIT_MS / 10; i++) {
		if (waitpid(pid, &status, WNOHANG) == pid) {
			pid = -1;
			return status;
		}
		(void)poll(NULL, 0, 10);
	}
	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, &status, 0);
	pid = -1;
	return -1;
}

/* The end of the parent is netq's. */
static void
stop_netq(void)
{
	int	status;

	(void)close(to_parent);
	if ((status = reap()) != 0)
		bad("ended with status %x", (unsigned int)status);
	(void)close(to_ruled);
	(void)close(to_queue);
	(void)close(to_tables);
}

static void
queue_dgram(const struct dgram *d)
{
	if (send(to_queue, d->buf, d->h->nlmsg_len, MSG_NOSIGNAL) == -1)
		bad("queue: %s", strerror(errno));
}

static void
queue_packet(uint32_t id, size_t payload)
{
	struct dgram	d;

	dgram_packet(&d, id, payload);
	queue_dgram(&d);
}

/* Returns how many packets there were up to one message that says empty. */
static unsigned int
read_packets(struct msg_packet *last)
{
	const struct frame	*f;
	struct msg_packets_head	 head;
	struct ibuf		 b;
	unsigned int		 n = 0;

	do {
		f = next_frame(to_ruled);
		if (f->type != MSG_PACKETS) {
			bad("%s, not MSG_PACKETS", msg_name(f->type));
			return n;
		}
		ibuf_reader(&b, f->data, f->len - 8U);
		if (msg_get_packets_head(&b, &head) == -1)
			bad("bad head");
		for (; ibuf_left(&b) > 0; n++)
			if (msg_get_packet(&b, last) == -1)
				bad("bad packet");
	} while (!head.empty);
	CHECK(head.time != 0);
	return n;
}

static void
send_verdict(uint32_t id, enum action action, uint32_t mark)
{
	struct msg_verdict	v = { id, (uint8_t)action, mark };
	struct ibuf		b;
	uint8_t			buf[64];

	ibuf_writer(&b, buf, sizeof(buf));
	msg_put_verdict(&b, &v);
	send_frame(to_ruled, MSG_VERDICTS, buf, b.off, -1);
}

/* What netq says to the kernel: true if it is this. */
static bool
said(uint32_t id, uint32_t verdict)
{
	uint8_t	buf[128];
	ssize_t	n;

	if (!wait_readable(to_queue, WAIT_MS))
		return false;
	n = recv(to_queue, buf, sizeof(buf), 0);
	return (n == 32 || n == 40) && be32(buf + 28) == id &&
	    be32(buf + 24) == verdict;
}

static void
test_numbers(void)
{
	struct msg_packet	p;
	struct dgram		d;

	start_netq(false);
	CHECK(read_packets(&p) == 0);	/* says that it is empty */
	queue_packet(1, 100);
	CHECK(read_packets(&p) == 1 && p.number == 1 && p.id == 1);
	CHECK(p.uid == 1000 && p.len == 100 && p.full_len == 60000);
	dgram_error(&d, ENOENT);
	queue_dgram(&d);
	CHECK(read_packets(&p) == 0);
	dgram_begin(&d, AF_INET);
	queue_dgram(&d);
	CHECK(read_packets(&p) == 0);
	queue_packet(2, 100);
	/* An error and a foreign datagram fired events too. */
	CHECK(read_packets(&p) == 1 && p.number == 4 && p.id == 2);
	stop_netq();
}

static void
test_verdicts(void)
{
	struct msg_packet	p;
	unsigned int		seen;

	start_netq(false);
	read_packets(&p);
	queue_packet(1, 10);
	queue_packet(2, 10);
	queue_packet(3, 10);
	for (seen = 0; seen < 3 && !bad_case;)
		seen += read_packets(&p);
	send_verdict(2, ACTION_DENY, 0xca6c);
	CHECK(said(2, NF_REPEAT));
	send_verdict(1, ACTION_ALLOW, 0xca6c);
	CHECK(said(1, NF_ACCEPT));
	send_verdict(3, ACTION_DROP, 0);
	CHECK(said(3, NF_DROP));
	stop_netq();
}

static void
test_unusable_dropped(void)
{
	struct msg_packet	p;
	struct dgram		d;

	start_netq(false);
	read_packets(&p);
	dgram_begin(&d, AF_INET);
	dgram_header(&d, 5, NF_INET_POST_ROUTING);
	mnl_attr_put(d.h, NFQA_PAYLOAD, 1, "x");
	queue_dgram(&d);
	CHECK(said(5, NF_DROP));
	CHECK(read_packets(&p) == 0);
	send_verdict(5, ACTION_ALLOW, 0);	/* was never handed out */
	CHECK(next_frame(to_parent)->type == MSG_BAD);
	CHECK(!wait_readable(to_queue, QUIET_MS));
	stop_netq();
}

/* 64 of the longest, three to a message; only the last one says empty. */
static void
test_split(void)
{
	struct msg_packet	p;
	uint32_t		i;

	start_netq(false);
	read_packets(&p);
	(void)kill(pid, SIGSTOP);
	for (i = 1; i <= 30; i++)
		queue_packet(i, COPY_RANGE);
	(void)kill(pid, SIGCONT);
	CHECK(read_packets(&p) == 30 && p.id == 30 && p.number == 30);
	stop_netq();
}

/* A full turn is followed by word that the socket is empty. */
static void
test_full_turn(void)
{
	struct msg_packet	p;
	uint32_t		i;

	start_netq(false);
	read_packets(&p);
	(void)kill(pid, SIGSTOP);
	for (i = 1; i <= NETQ_BATCH; i++)
		queue_packet(i, 20);
	(void)kill(pid, SIGCONT);
	CHECK(read_packets(&p) == NETQ_BATCH && p.id == NETQ_BATCH);
	stop_netq();
}

/* An offence: reported, the link closed, all that is open dropped. */
static void
offend(uint32_t id, enum action action)
{
	const struct frame	*f;
	struct msg_bad		 m;
	struct ibuf		 b;

	send_verdict(id, action, 0);
	f = next_frame(to_parent);
	ibuf_reader(&b, f->data, f->len - 8U);
	if (f->type != MSG_BAD || msg_get_bad(&b, &m) == -1 ||
	    m.peer != ROLE_RULED || m.type != MSG_VERDICTS)
		bad("verdict %d for %u: %s, not MSG_BAD", (int)action, id,
		    msg_name(f->type));
	CHECK(next_frame(to_ruled)->type == 0);
}

static void
test_unknown_id(void)
{
	static const enum action	actions[] = { ACTION_ALLOW, ACTION_DENY,
					    ACTION_DROP };
	struct msg_packet		p;
	size_t				i;

	for (i = 0; i < 3; i++) {
		start_netq(false);
		read_packets(&p);
		queue_packet(7, 10);
		read_packets(&p);
		offend(8, actions[i]);
		CHECK(said(7, NF_DROP));
		CHECK(!wait_readable(to_queue, QUIET_MS));
		stop_netq();
	}
}

static void
test_answered_twice(void)
{
	struct msg_packet	p;

	start_netq(false);
	read_packets(&p);
	queue_packet(7, 10);
	read_packets(&p);
	send_verdict(7, ACTION_DROP, 0);
	CHECK(said(7, NF_DROP));
	offend(7, ACTION_ALLOW);
	CHECK(!wait_readable(to_queue, QUIET_MS));
	stop_netq();
}

static void
test_malformed(void)
{
	struct msg_packet	p;
	uint8_t			buf[64] = { 0 };

	start_netq(false);
	read_packets(&p);
	queue_packet(0, 10);
	read_packets(&p);
	buf[4] = ACTION_MAX;
	send_frame(to_ruled, MSG_VERDICTS, buf, 9, -1);
	CHECK(next_frame(to_parent)->type == MSG_BAD);
	CHECK(said(0, NF_DROP));
	stop_netq();
	start_netq(false);
	read_packets(&p);
	send_frame(to_ruled, MSG_VERDICTS, buf, 10, -1);
	CHECK(next_frame(to_parent)->type == MSG_BAD);
	stop_netq();
}

/*
 * With verdicts to carry out it hands the next turn over first; one message
 * is all of a turn that is held.
 */
static void
test_turns(void)
{
	struct msg_packet	p;
	struct msg_verdict	v[2] = { { 1, ACTION_ALLOW, 0 },
	    { 2, ACTION_ALLOW, 0 } };
	struct ibuf		b;
	uint8_t			buf[64];

	start_alone(false);
	CHECK(!wait_readable(to_ruled, QUIET_MS));
	send_frame(to_ruled, MSG_VERDICTS, NULL, 0, -1);
	CHECK(read_packets(&p) == 0);	/* looked after it has heard that */
	queue_packet(1, 10);
	CHECK(read_packets(&p) == 1);
	send_frame(to_ruled, MSG_VERDICTS, NULL, 0, -1);
	queue_packet(2, 10);
	CHECK(read_packets(&p) == 1);
	queue_packet(3, 10);
	ibuf_writer(&b, buf, sizeof(buf));
	msg_put_verdict(&b, &v[0]);
	msg_put_verdict(&b, &v[1]);
	send_frame(to_ruled, MSG_VERDICTS, buf, b.off, -1);
	CHECK(said(1, NF_ACCEPT));
	CHECK(wait_readable(to_ruled, 0));
	CHECK(read_packets(&p) == 1 && p.id == 3);
	CHECK(said(2, NF_ACCEPT));
	stop_netq();
}

/* After a death: what the predecessor handed out can be answered. */
static void
test_restarted(void)
{
	struct msg_packet	p;

	start_netq(true);
	CHECK(read_packets(&p) == 0);
	send_verdict(90, ACTION_ALLOW, 0);	/* nothing read yet */
	CHECK(said(90, NF_ACCEPT));
	queue_packet(100, 10);
	CHECK(read_packets(&p) == 1);
	send_verdict(99, ACTION_ALLOW, 0);
	CHECK(said(99, NF_ACCEPT));
	send_verdict(101, ACTION_DROP, 0);	/* harms nobody */
	CHECK(said(101, NF_DROP));
	send_verdict(100, ACTION_ALLOW, 0);
	CHECK(said(100, NF_ACCEPT));
	offend(102, ACTION_ALLOW);		/* not seen yet by anybody */
	CHECK(!wait_readable(to_queue, QUIET_MS));
	stop_netq();
}

static void
test_ruled_restart(void)
{
	struct msg_packet	p;
	uint8_t			role = ROLE_RULED;
	int			pair[2];
	uint32_t		i;

	start_netq(false);
	read_packets(&p);
	for (i = 1; i <= 3; i++) {
		queue_packet(i, 10);
		read_packets(&p);
	}
	send_verdict(2, ACTION_ALLOW, 0);
	CHECK(said(2, NF_ACCEPT));
	(void)close(to_ruled);
	CHECK(said(1, NF_DROP) && said(3, NF_DROP));
	queue_packet(4, 10);		/* waits for somebody to judge it */
	CHECK(!wait_readable(to_queue, QUIET_MS));
	make_pair(SOCK_STREAM, pair);
	to_ruled = pair[0];
	send_frame(to_parent, MSG_PEER, &role, 1, pair[1]);
	(void)close(pair[1]);
	send_frame(to_ruled, MSG_VERDICTS, NULL, 0, -1);
	CHECK(read_packets(&p) == 1 && p.id == 4 && p.number == 4);
	send_verdict(4, ACTION_ALLOW, 0);
	CHECK(said(4, NF_ACCEPT));
	stop_netq();
}

/* ruled may be taken over again and again: netq lives, and says so each time. */
static void
test_offences(void)
{
	uint8_t	role = ROLE_RULED;
	int	i, pair[2];

	start_netq(false);
	CHECK(next_frame(to_ruled)->type == MSG_PACKETS);
	for (i = 1; i <= 3; i++) {
		offend(1, ACTION_ALLOW);
		(void)close(to_ruled);
		make_pair(SOCK_STREAM, pair);
		to_ruled = pair[0];
		send_frame(to_parent, MSG_PEER, &role, 1, pair[1]);
		(void)close(pair[1]);
		send_frame(to_ruled, MSG_VERDICTS, NULL, 0, -1);
		CHECK(next_frame(to_ruled)->type == MSG_PACKETS);
	}
	stop_netq();
}

/*
 * ruled reads nothing: netq stops reading too, before its own memory grows,
 * and goes on afterwards without a gap.
 */
static void
test_backlog(void)
{
	struct msg_packet	p;
	struct dgram		d;
	uint32_t		id = 0, seen = 0;
	int			full = 0;

	start_netq(false);
	read_packets(&p);
	(void)fcntl(to_queue, F_SETFL, O_NONBLOCK);
	while (full < 20 && id < 40000) {
		dgram_packet(&d, id + 1, 1000);
		if (send(to_queue, d.buf, d.h->nlmsg_len, 0) == -1) {
			full++;
			(void)poll(NULL, 0, 10);
		} else {
			full = 0;
			id++;
		}
	}
	fprintf(stderr, "%u packets until netq read no more\n", id);
	CHECK(full == 20 && id > 100);
	while (seen < id && !bad_case)
		seen += read_packets(&p);
	CHECK(seen == id && p.id == id && p.number == id);
	stop_netq();
}

static void
test_tables(void)
{
	struct msg_packet	p;

	start_netq(false);
	read_packets(&p);
	CHECK(send(to_tables, "one", 3, 0) == 3);
	CHECK(next_frame(to_parent)->type == MSG_TABLE);
	CHECK(send(to_tables, "two", 3, 0) == 3);
	CHECK(send(to_tables, "three", 5, 0) == 5);
	CHECK(!wait_readable(to_parent, QUIET_MS));	/* one a second */
	CHECK(next_frame(to_parent)->type == MSG_TABLE);
	CHECK(!wait_readable(to_parent, 1500));
	stop_netq();
}

/* Started by hand it says what it is, and does nothing. */
static void
test_orphan(void)
{
	int	fds[5], i, pair[2];

	make_pair(SOCK_STREAM, pair);
	for (i = 0; i < 5; i++)
		fds[i] = pair[1];
	if ((pid = fork()) == 0) {
		(void)dup2(open("/dev/null", O_WRONLY), STDERR_FILENO);
		exec_netq(fds);
	}
	(void)close(pair[0]);
	(void)close(pair[1]);
	CHECK(reap() == 1 << 8);
}

int
main(void)
{
	run("packet", test_packet);
	run("packet without the rest", test_packet_plain);
	run("unusable packets", test_unusable);
	run("foreign messages", test_foreign);
	run("errors", test_error);
	run("cut anywhere", test_cut);
	run("lengths that lie", test_attr_lengths);
	run("verdicts", test_verdict);
	run("window", test_window);
	run("window against a model", test_window_random);
	if (geteuid() != 0) {
		printf("skip netq in its sandbox: needs root\n");
		return failures != 0;
	}
	run("numbers every datagram", test_numbers);
	run("says verdicts", test_verdicts);
	run("drops what it cannot hand on", test_unusable_dropped);
	run("splits batches", test_split);
	run("says empty after a full turn", test_full_turn);
	run("unknown id", test_unknown_id);
	run("answered twice", test_answered_twice);
	run("malformed verdict", test_malformed);
	run("hands over the next turn before verdicts", test_turns);
	run("takes over from a dead one", test_restarted);
	run("ruled restarts", test_ruled_restart);
	run("ruled offends again and again", test_offences);
	run("ruled does not read", test_backlog);
	run("nftables events", test_tables);
	run("orphan", test_orphan);
	return failures != 0;
}
