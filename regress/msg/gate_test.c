/*
 * SPDX-License-Identifier: ISC
 *
 * What processes say to each other, with one side taken over: every payload
 * round, cut short, too long and damaged; every frame that the gate must not
 * let through.  The receiver has to report the sender and live.
 */
#include <dirent.h>
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "imsg.h"
#include "log.h"
#include "msg.h"

#define PAYLOAD(x, type)						\
static int								\
again_##x(const uint8_t *in, size_t len, uint8_t *out, size_t *outlen)	\
{									\
	static struct type	m;					\
	struct ibuf		r, w;					\
									\
	ibuf_reader(&r, in, len);					\
	if (msg_get_##x(&r, &m) == -1)					\
		return -1;						\
	ibuf_writer(&w, out, MSG_PAYLOAD_MAX);				\
	msg_put_##x(&w, &m);						\
	if (ibuf_error(&w))						\
		abort();						\
	*outlen = w.off;						\
	return 0;							\
}

PAYLOAD(start, msg_start)
PAYLOAD(ready, msg_ready)
PAYLOAD(log, msg_log)
PAYLOAD(bad, msg_bad)
PAYLOAD(peer, msg_peer)
PAYLOAD(fd, msg_fd)
PAYLOAD(do, msg_do)
PAYLOAD(lost, msg_lost)
PAYLOAD(event, msg_event)
PAYLOAD(denied, msg_denied)
PAYLOAD(child, msg_child)
PAYLOAD(sources, msg_sources)
PAYLOAD(open, msg_open)
PAYLOAD(file, msg_file)
PAYLOAD(commit, msg_commit)
PAYLOAD(committed, msg_committed)
PAYLOAD(packet, msg_packet)
PAYLOAD(verdict, msg_verdict)
PAYLOAD(who, msg_who)
PAYLOAD(whois, whois)
PAYLOAD(same, msg_same)
PAYLOAD(host, msg_host)
PAYLOAD(ask, msg_ask)
PAYLOAD(ask_end, msg_ask_end)
PAYLOAD(answer, msg_answer)
PAYLOAD(ctl, msg_ctl)
PAYLOAD(ctl_reply, msg_ctl_reply)

/*
 * A well-formed payload of each: a digit is a number of so many bytes, b a
 * boolean, e an enum (its second value), z its first, s a string, a an
 * address, l a length of two bytes that follow, * a byte of data, d data to
 * the end of the message; anything else is itself, a count.
 */
static const struct payload {
	const char	*name;
	int		(*again)(const uint8_t *, size_t, uint8_t *, size_t *);
	const char	*form;
	bool		 tail;	/* what follows is not its business */
} payloads[] = {
	{ "start", again_start, "444bb2e44ebb44beb\1asss2es\3***1",
	    false },
	{ "ready", again_ready, "s", false },
	{ "log", again_log, "eed", false },
	{ "bad", again_bad, "e4s", false },
	{ "peer", again_peer, "e", false },
	{ "fd", again_fd, "e", false },
	{ "do", again_do, "e", false },
	{ "lost", again_lost, "e", false },
	{ "event", again_event, "e2b8", false },
	{ "denied", again_denied, "444", false },
	{ "child", again_child, "e44ss", false },
	{ "sources", again_sources, "e", false },
	{ "open", again_open, "es", false },
	{ "file", again_file, "e4b88888s\2" "4s4s", false },
	{ "commit", again_commit, "e88888", false },
	{ "committed", again_committed, "e488888", false },
	{ "packet", again_packet, "48eze44444l\3\0***", true },
	{ "verdict", again_verdict, "4e4", true },
	{ "who", again_who, "8eb48aa122", true },
	{ "whois", again_whois, "8eeb448sl\3\0**0bss\2" "4s4s", false },
	{ "same", again_same, "8", true },
	{ "host", again_host, "ea4s", false },
	{ "ask", again_ask, "4eaa122\1s4se4sl\3\0**0bssss8444\2zses", false },
	{ "ask_end", again_ask_end, "4", false },
	{ "answer", again_answer, "4eee", false },
	{ "ctl", again_ctl, "4bss", false },
	{ "ctl_reply", again_ctl_reply, "bbd", false },
};

static const char	*name;
static bool		 bad_case;
static int		 failures;

static void __attribute__((__format__(printf, 1, 2)))
bad(const char *fmt, ...)
{
	va_list	ap;

	if (!bad_case) {
		printf("not ok gate %s: ", name);
		va_start(ap, fmt);
		vprintf(fmt, ap);
		va_end(ap);
		printf("\n");
		failures++;
	}
	bad_case = true;
}

#define CHECK(x) do { if (!(x)) bad("line %d: %s", __LINE__, #x); } while (0)

/* Payloads */

static bool	limited[MSG_PAYLOAD_MAX];	/* 255 is too much for it */

static size_t
build(const char *form, uint8_t *buf)
{
	static const struct addr	addr = { 2, { 10, 0, 0, 1 } };
	struct ibuf			b;
	bool				end = false;

	ibuf_writer(&b, buf, MSG_PAYLOAD_MAX);
	memset(limited, 0, sizeof(limited));
	while (!end) {
		limited[b.off] = strchr("ebz", *form) != NULL ||
		    (unsigned char)*form < ' ';
		switch (*form) {
		case '\0':
			end = true;
			break;
		case '8':
			ibuf_put_u64(&b, 0x1122334455667788);
			break;
		case '4':
			ibuf_put_u32(&b, 0x10203040);
			break;
		case '2':
			ibuf_put_u16(&b, 0x1234);
			break;
		case 'l':	/* a length, as two bytes that follow */
			ibuf_put_u8(&b, (uint8_t)form[1]);
			ibuf_put_u8(&b, (uint8_t)form[2]);
			form += 2;
			break;
		case 's':
			ibuf_put_str(&b, "some text");
			break;
		case 'a':
			ibuf_put_addr(&b, &addr);
			break;
		case 'd':
			ibuf_put_data(&b, "data", 4);
			break;
		case '*':
			ibuf_put_u8(&b, 'x');
			break;
		case '0':
		case 'z':
			ibuf_put_u8(&b, 0);
			break;
		case 'b':
		case 'e':
		case '1':
			ibuf_put_u8(&b, 1);
			break;
		default:	/* a count */
			ibuf_put_u8(&b, (uint8_t)*form);
			break;
		}
		form++;
	}
	if (ibuf_error(&b))
		abort();
	return b.off;
}

/* An exact-size copy, so that a byte too far is seen by sanitizers. */
static int
again(const struct payload *p, const uint8_t *buf, size_t len, uint8_t *out,
    size_t *outlen)
{
	uint8_t	*copy;
	int	 rc;

	if ((copy = malloc(len == 0 ? 1 : len)) == NULL)
		abort();
	memcpy(copy, buf, len);
	rc = p->again(copy, len, out, outlen);
	free(copy);
	return rc;
}

static void
round_trip(const struct payload *p)
{
	static uint8_t	buf[MSG_PAYLOAD_MAX], out[MSG_PAYLOAD_MAX];
	size_t		i, len, outlen;
	bool		text;

	len = build(p->form, buf);
	CHECK(again(p, buf, len, out, &outlen) == 0);
	CHECK(outlen == len && memcmp(buf, out, len) == 0);
	/* Where the last field is text to the end, less of it is as good. */
	text = p->form[strlen(p->form) - 1] == 'd';
	for (i = 0; i < len - (text ? 4 : 0); i++)
		if (again(p, buf, i, out, &outlen) == 0)
			bad("%s: %zu of %zu bytes are enough", p->name, i,
			    len);
	buf[len] = 0;
	if (!p->tail && !text)
		CHECK(again(p, buf, len + 1, out, &outlen) == -1);
}

/* What is accepted has one form only: it is written as it was read. */
static void
damaged(const struct payload *p)
{
	static uint8_t	buf[MSG_PAYLOAD_MAX], out[MSG_PAYLOAD_MAX];
	size_t		i, len, outlen;
	int		v;
	uint8_t		was;

	len = build(p->form, buf);
	for (i = 0; i < len; i++) {
		was = buf[i];
		for (v = 0; v < 256; v++) {
			buf[i] = (uint8_t)v;
			if (again(p, buf, len, out, &outlen) == -1)
				continue;
			if (v == 255 && limited[i])
				bad("%s: byte %zu may be 255", p->name, i);
			if ((p->tail ? outlen > len : outlen != len) ||
			    memcmp(buf, out, outlen) != 0)
				bad("%s: byte %zu as %d is read otherwise",
				    p->name, i, v);
		}
		buf[i] = was;
	}
}

/* No packet is longer than what the kernel copies, nor than itself. */
static void
test_packet_size(void)
{
	static uint8_t	buf[MSG_PAYLOAD_MAX], bytes[COPY_RANGE + 1];
	static const struct { uint16_t len; uint32_t full; int want; } t[] = {
		{ COPY_RANGE, COPY_RANGE, 0 }, { COPY_RANGE, 65535, 0 },
		{ COPY_RANGE + 1, COPY_RANGE + 1, -1 }, { 20, 19, -1 },
	};
	struct msg_packet	m, got;
	struct ibuf		b;
	size_t			i;

	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		memset(&m, 0, sizeof(m));
		m.hook = HOOK_OUT;
		m.af = AF_INET;
		m.len = t[i].len;
		m.full_len = t[i].full;
		m.data = bytes;
		ibuf_writer(&b, buf, sizeof(buf));
		msg_put_packet(&b, &m);
		ibuf_reader(&b, buf, b.off);
		CHECK(msg_get_packet(&b, &got) == t[i].want);
	}
}

static void
noise(const struct payload *p)
{
	static uint8_t	buf[MSG_PAYLOAD_MAX], out[MSG_PAYLOAD_MAX];
	size_t		i, len, outlen;
	int		n;

	for (n = 0; n < 2000; n++) {
		len = (size_t)random() % 200;
		for (i = 0; i < len; i++)
			buf[i] = (uint8_t)(random() % (n % 2 ? 256 : 4));
		(void)again(p, buf, len, out, &outlen);
	}
}

/* Links */

static struct event_base	*base;
static struct link		*link_;
static int			 far = -1;	/* the hostile end */
static int			 handled, ended;
static uint32_t			 last_type;
static size_t			 last_len;
static char			 reason[256];
static uint32_t		 offence_type;
static bool			 keep_fd, free_inside;
static int			 kept = -1;

static void
handle(struct link *l, struct imsg *m, void *arg)
{
	(void)arg;
	handled++;
	last_type = m->type;
	last_len = m->len;
	if (keep_fd)
		kept = imsg_fd(m);
	if (free_inside) {
		link_free(l);
		link_ = NULL;
	}
}

static void
gone(struct link *l, const char *why, void *arg)
{
	(void)arg;
	ended++;
	offence_type = link_type(l);
	(void)strlcpy(reason, why == NULL ? "" : why, sizeof(reason));
	link_free(l);
	link_ = NULL;
}

static void
open_link(enum role self, enum role peer)
{
	int	pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == -1)
		fatal("socketpair");
	handled = ended = 0;
	reason[0] = '\0';
	keep_fd = free_inside = false;
	far = pair[1];
	if (fcntl(far, F_SETFL, O_NONBLOCK) == -1)
		fatal("fcntl");
	link_ = link_new(base, pair[0], self, peer, handle, gone, NULL);
}

static void
turn(void)
{
	int	i;

	for (i = 0; i < 8; i++)
		event_base_loop(base, EVLOOP_NONBLOCK);
}

static void
close_link(void)
{
	turn();
	link_free(link_);
	link_ = NULL;
	if (far != -1)
		close(far);
	far = -1;
	if (kept != -1)
		close(kept);
	kept = -1;
}

static void
send_raw(const void *data, size_t len, const int *fds, size_t nfds)
{
	union {
		struct cmsghdr	hdr;
		char		buf[CMSG_SPACE(4 * sizeof(int))];
	} cbuf;
	struct iovec	 iov;
	struct msghdr	 mh;
	struct cmsghdr	*cm;

	memset(&mh, 0, sizeof(mh));
	memset(&cbuf, 0, sizeof(cbuf));
	memcpy(&iov.iov_base, &data, sizeof(data));
	iov.iov_len = len;
	mh.msg_iov = &iov;
	mh.msg_iovlen = 1;
	if (nfds > 0) {
		mh.msg_control = cbuf.buf;
		mh.msg_controllen = CMSG_SPACE(nfds * sizeof(int));
		cm = CMSG_FIRSTHDR(&mh);
		cm->cmsg_level = SOL_SOCKET;
		cm->cmsg_type = SCM_RIGHTS;
		cm->cmsg_len = CMSG_LEN(nfds * sizeof(int));
		memcpy(CMSG_DATA(cm), fds, nfds * sizeof(int));
	}
	(void)sendmsg(far, &mh, MSG_NOSIGNAL);
}

static void
frame(uint32_t type, unsigned int len, unsigned int flags, size_t payload,
    size_t nfds)
{
	static uint8_t	buf[MSG_MAX + 64];
	uint16_t	len16 = (uint16_t)len, flags16 = (uint16_t)flags;
	int		fds[4] = { 0, 0, 0, 0 };

	memset(buf, 0, sizeof(buf));
	memcpy(buf, &type, 4);
	memcpy(buf + 4, &len16, 2);
	memcpy(buf + 6, &flags16, 2);
	send_raw(buf, IMSG_HEADER + payload, fds, nfds);
	turn();
}

/* A frame whose header tells the truth. */
static void
honest(uint32_t type, size_t payload, size_t nfds)
{
	frame(type, (unsigned int)(IMSG_HEADER + payload), nfds > 0, payload,
	    nfds);
}

static void
expect_offence(const char *what, int before)
{
	if (ended != 1 || strstr(reason, what) == NULL || handled != before)
		bad("%s: ended %d, handled %d, reason \"%s\"", what, ended,
		    handled, reason);
	close_link();
}

static int
open_fds(void)
{
	DIR	*d;
	int	 n = 0;

	if ((d = opendir("/proc/self/fd")) == NULL)
		return -1;
	while (readdir(d) != NULL)
		n++;
	closedir(d);
	return n;
}

/* Every type, sender and receiver: those with a row pass, others end it. */
static void
test_pairs(void)
{
	const struct gate	*g;
	uint32_t		 type;
	int			 from, to;

	for (type = 0; type < MSG_TYPE_MAX + 3; type++)
		for (from = 0; from < ROLE_MAX; from++)
			for (to = 0; to < ROLE_MAX; to++) {
				g = gate_find(type, (enum role)from,
				    (enum role)to);
				open_link((enum role)to, (enum role)from);
				honest(type, g == NULL ? 4 : g->min, g !=
				    NULL && g->fd == GATE_FD_MUST);
				if (g != NULL && (handled != 1 || ended != 0 ||
				    last_type != type || last_len != g->min))
					bad("%s from %s to %s", msg_name(type),
					    role_name((enum role)from),
					    role_name((enum role)to));
				if (g == NULL && (handled != 0 || ended != 1))
					bad("%u from %s to %s passed", type,
					    role_name((enum role)from),
					    role_name((enum role)to));
				close_link();
			}
}

/* Only these pairs speak at all. */
static void
test_who_speaks(void)
{
	static const char *const allowed[ROLE_MAX] = {
		/* to P, N, I, R, Q, C */
		[ROLE_PARENT] = "-xxxx-",
		[ROLE_NETQ] = "x--x--",
		[ROLE_PROCINFO] = "x--x--",
		[ROLE_RULED] = "xxx-xx",
		[ROLE_PROMPTER] = "x--x--",
		[ROLE_CTL] = "---x--",
	};
	uint32_t	type;
	int		from, to;
	bool		speaks;

	for (from = 0; from < ROLE_MAX; from++)
		for (to = 0; to < ROLE_MAX; to++) {
			speaks = false;
			for (type = 0; type < MSG_TYPE_MAX; type++)
				if (gate_find(type, (enum role)from,
				    (enum role)to) != NULL)
					speaks = true;
			if (speaks != (allowed[from][to] == 'x'))
				bad("%s to %s", role_name((enum role)from),
				    role_name((enum role)to));
		}
}

static void
test_sizes(void)
{
	const struct gate	*g;

	g = gate_find(MSG_ANSWER, ROLE_PROMPTER, ROLE_RULED);
	CHECK(g != NULL && g->min == 7 && g->max == 7);
	open_link(ROLE_RULED, ROLE_PROMPTER);
	honest(MSG_ANSWER, 6, 0);
	expect_offence("bad size", 0);
	open_link(ROLE_RULED, ROLE_PROMPTER);
	honest(MSG_ANSWER, 8, 0);
	expect_offence("bad size", 0);
	open_link(ROLE_RULED, ROLE_PROMPTER);
	honest(MSG_ANSWER, 0, 0);
	expect_offence("bad size", 0);
}

static void
test_frames(void)
{
	open_link(ROLE_RULED, ROLE_NETQ);
	frame(MSG_PACKETS, 7, 0, 0, 0);
	expect_offence("bad frame", 0);
	open_link(ROLE_RULED, ROLE_NETQ);
	frame(MSG_PACKETS, 0, 0, 0, 0);
	expect_offence("bad frame", 0);
	open_link(ROLE_RULED, ROLE_NETQ);
	frame(MSG_PACKETS, MSG_MAX + 1, 0, MSG_MAX + 1 - IMSG_HEADER, 0);
	expect_offence("bad frame", 0);
	open_link(ROLE_RULED, ROLE_NETQ);
	frame(MSG_PACKETS, 65535, 0, 100, 0);
	expect_offence("bad frame", 0);
	open_link(ROLE_RULED, ROLE_NETQ);
	frame(MSG_PACKETS, 20, 0x8000, 12, 0);
	expect_offence("bad frame", 0);
	open_link(ROLE_RULED, ROLE_NETQ);
	honest(MSG_PACKETS, MSG_PAYLOAD_MAX, 0);
	CHECK(handled == 1 && ended == 0 && last_len == MSG_PAYLOAD_MAX);
	close_link();
}

/* Byte by byte, and two in one. */
static void
test_pieces(void)
{
	uint8_t		buf[64];
	uint32_t	type = MSG_PACKETS;
	uint16_t	len = IMSG_HEADER + 9;
	size_t		i;

	memset(buf, 0, sizeof(buf));
	memcpy(buf, &type, 4);
	memcpy(buf + 4, &len, 2);
	memcpy(buf + len, buf, len);
	open_link(ROLE_RULED, ROLE_NETQ);
	for (i = 0; i < len; i++) {
		CHECK(handled == 0);
		send_raw(buf + i, 1, NULL, 0);
		turn();
	}
	CHECK(handled == 1);
	send_raw(buf, 2 * (size_t)len, NULL, 0);
	turn();
	CHECK(handled == 3 && ended == 0);
	/* Half a frame dies with its writer. */
	send_raw(buf, (size_t)len - 1, NULL, 0);
	close(far);
	far = -1;
	turn();
	CHECK(handled == 3 && ended == 1 && reason[0] == '\0');
	close_link();
}

static void
test_descriptors(void)
{
	int	before, fds[2] = { 0, 0 };

	before = open_fds();
	open_link(ROLE_RULED, ROLE_NETQ);
	honest(MSG_PACKETS, 9, 1);
	expect_offence("stray descriptor", 0);
	open_link(ROLE_PARENT, ROLE_RULED);
	honest(MSG_COMMIT, 41, 0);
	expect_offence("missing descriptor", 0);
	open_link(ROLE_PARENT, ROLE_RULED);
	frame(MSG_COMMIT, IMSG_HEADER + 41, 1, 41, 0);
	expect_offence("announced but not sent", 0);
	open_link(ROLE_PARENT, ROLE_RULED);
	frame(MSG_COMMIT, IMSG_HEADER + 41, 1, 41, 2);
	expect_offence("stray descriptor", 0);
	open_link(ROLE_PARENT, ROLE_RULED);
	frame(MSG_COMMIT, IMSG_HEADER + 41, 1, 41, 4);
	expect_offence("stray descriptor", 0);
	/* Sent beside a message that says it has none, and is itself good. */
	open_link(ROLE_RULED, ROLE_NETQ);
	frame(MSG_PACKETS, IMSG_HEADER + 9, 0, 9, 1);
	expect_offence("stray descriptor", 1);
	/* One in each half of a frame. */
	open_link(ROLE_PARENT, ROLE_RULED);
	frame(MSG_COMMIT, IMSG_HEADER + 41, 1, 10, 1);
	send_raw("0123456789", 10, fds, 1);
	turn();
	expect_offence("stray descriptor", 0);
	CHECK(open_fds() == before);
}

static void
test_descriptor_taken(void)
{
	int	before;

	before = open_fds();
	open_link(ROLE_PARENT, ROLE_RULED);
	keep_fd = true;
	honest(MSG_COMMIT, 41, 1);
	CHECK(handled == 1 && ended == 0 && kept != -1);
	close_link();
	open_link(ROLE_PARENT, ROLE_RULED);
	honest(MSG_COMMIT, 41, 1);	/* not taken: closed */
	CHECK(handled == 1);
	close_link();
	CHECK(open_fds() == before);
}

static void
test_once(void)
{
	open_link(ROLE_PARENT, ROLE_NETQ);
	honest(MSG_READY, 3, 0);
	CHECK(handled == 1);
	honest(MSG_READY, 3, 0);
	expect_offence("sent twice", 1);
	open_link(ROLE_RULED, ROLE_CTL);
	honest(MSG_CTL, 11, 0);
	honest(MSG_CTL, 11, 0);
	expect_offence("sent twice", 1);
}

static void
test_one_open(void)
{
	static uint8_t	payload[50];

	open_link(ROLE_PARENT, ROLE_RULED);
	honest(MSG_OPEN, 4, 0);
	link_send(link_, MSG_FILE, -1, payload, sizeof(payload));
	honest(MSG_OPEN, 4, 0);
	CHECK(handled == 2 && ended == 0);
	honest(MSG_OPEN, 4, 0);
	expect_offence("asked again", 2);
}

/* A peer is to blame once for each link to it, whoever says so. */
static void
test_blame(void)
{
	static const enum role	sayers[] = { ROLE_NETQ, ROLE_PROCINFO,
				    ROLE_PROMPTER, ROLE_RULED };
	uint8_t			role = ROLE_RULED;
	int			i, links, pair[2];
	size_t			n;

	for (n = 0; n < 4; n++) {
		links = sayers[n] == ROLE_RULED ? 3 : 1;
		open_link(ROLE_PARENT, sayers[n]);
		for (i = 0; i < links; i++)
			honest(MSG_BAD, 8, 0);
		CHECK(handled == links && ended == 0);
		CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
		link_send(link_, MSG_PEER, pair[0], &role, 1);
		(void)close(pair[1]);
		honest(MSG_BAD, 8, 0);
		CHECK(handled == links + 1 && ended == 0);
		honest(MSG_BAD, 8, 0);
		expect_offence("asked again", links + 1);
		CHECK(offence_type == MSG_BAD);
	}
}

/* Nothing behind an offence is handed on, though it was read with it. */
static void
test_after_offence(void)
{
	uint8_t		buf[64];
	uint32_t	type = MSG_READY, wrong = MSG_DO;
	uint16_t	len = IMSG_HEADER + 3;

	memset(buf, 0, sizeof(buf));
	memcpy(buf, &wrong, 4);
	memcpy(buf + 4, &len, 2);
	memcpy(buf + len, &type, 4);
	memcpy(buf + len + 4, &len, 2);
	open_link(ROLE_PARENT, ROLE_NETQ);
	send_raw(buf, 2 * (size_t)len, NULL, 0);
	turn();
	expect_offence("not its to send", 0);
}

static void
test_freed_inside(void)
{
	open_link(ROLE_RULED, ROLE_NETQ);
	free_inside = true;
	honest(MSG_PACKETS, 9, 0);
	CHECK(handled == 1 && ended == 0 && link_ == NULL);
	close_link();
}

/* A peer that never reads costs so much memory and no more. */
static void
test_never_reads(void)
{
	static uint8_t	payload[MSG_PAYLOAD_MAX];
	int		i;

	open_link(ROLE_NETQ, ROLE_RULED);
	for (i = 0; i < 400 && link_ != NULL; i++) {
		link_send(link_, MSG_PACKETS, -1, payload, sizeof(payload));
		CHECK(link_queued(link_) <= IMSG_QUEUE_MAX + MSG_MAX);
	}
	turn();
	CHECK(ended == 1 && strstr(reason, "does not read") != NULL);
	close_link();
}

/* The last words of a peer that is gone for writing are still read. */
static void
test_last_words(void)
{
	static uint8_t	payload[9];

	open_link(ROLE_RULED, ROLE_NETQ);
	frame(MSG_PACKETS, IMSG_HEADER + 9, 0, 0, 0);
	send_raw(payload, sizeof(payload), NULL, 0);
	close(far);
	far = -1;
	link_send(link_, MSG_VERDICTS, -1, payload, sizeof(payload));
	turn();
	CHECK(handled == 1 && ended == 1 && reason[0] == '\0');
	close_link();
}

/* What a child reads before it has a loop. */
static void
first(uint32_t type, size_t len, unsigned int flags, size_t nfds, bool good)
{
	uint8_t		buf[64];
	uint32_t	got;
	ssize_t		n;
	int		pair[2], fd, none;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == -1)
		fatal("socketpair");
	far = pair[1];
	frame(type, (unsigned int)(IMSG_HEADER + len), flags, len, nfds);
	frame(MSG_START, IMSG_HEADER + 32, 0, 32, 0);
	close(far);
	far = -1;
	n = imsg_read_blocking(pair[0], ROLE_NETQ, ROLE_PARENT, &got, &fd, buf,
	    sizeof(buf));
	if (!good)
		CHECK(n == -1);
	else
		CHECK(n == (ssize_t)len && got == type &&
		    (fd != -1) == (nfds == 1) &&
		    imsg_read_blocking(pair[0], ROLE_NETQ, ROLE_PARENT, &got,
		    &none, buf, sizeof(buf)) == 32 && got == MSG_START &&
		    none == -1);
	if (fd != -1)
		close(fd);
	close(pair[0]);
}

static void
test_first(void)
{
	int	before = open_fds();

	first(MSG_FD, 1, 1, 1, true);
	first(MSG_START, 32, 0, 0, true);
	first(MSG_START, 64, 0, 0, true);
	first(MSG_FD, 1, 0, 0, false);
	first(MSG_FD, 1, 1, 0, false);
	first(MSG_FD, 1, 0, 1, false);
	first(MSG_FD, 1, 3, 1, false);
	first(MSG_FD, 1, 1, 2, false);
	first(MSG_FD, 0, 1, 1, false);
	first(MSG_FD, 2, 1, 1, false);
	first(MSG_START, 31, 0, 0, false);
	first(MSG_START, 65, 0, 0, false);	/* no room */
	first(MSG_START, 32, 1, 1, false);
	first(MSG_DO, 1, 0, 0, false);		/* ruled's */
	first(MSG_PACKETS, 9, 0, 0, false);
	first(MSG_TYPE_MAX, 1, 0, 0, false);
	CHECK(open_fds() == before);
}

static void
test_floods(void)
{
	uint8_t	buf[512];
	size_t	i, len;
	int	n, before, fds[1] = { 0 };

	before = open_fds();
	for (n = 0; n < 3000; n++) {
		open_link((enum role)(n % ROLE_MAX),
		    (enum role)(n / ROLE_MAX % ROLE_MAX));
		len = 1 + (size_t)random() % sizeof(buf);
		for (i = 0; i < len; i++)
			buf[i] = (uint8_t)(random() % (n % 3 == 0 ? 256 : 32));
		send_raw(buf, len, fds, n % 5 == 0);
		turn();
		close_link();
	}
	CHECK(open_fds() == before);
}

static void
run(const char *n, void (*f)(void))
{
	name = n;
	bad_case = false;
	f();
	if (!bad_case)
		printf("ok gate %s\n", name);
}

static void
run_payload(const struct payload *p)
{
	name = p->name;
	bad_case = false;
	round_trip(p);
	damaged(p);
	noise(p);
	if (!bad_case)
		printf("ok gate %s: round, short, long, damaged\n", p->name);
}

int
main(void)
{
	size_t	i;

	log_init(ROLE_PARENT, 0);
	srandom(1);
	if ((base = event_base_new()) == NULL)
		fatalx("event_base_new");
	for (i = 0; i < sizeof(payloads) / sizeof(payloads[0]); i++)
		run_payload(&payloads[i]);
	run("size of a packet", test_packet_size);
	run("every type, sender and receiver", test_pairs);
	run("who speaks to whom", test_who_speaks);
	run("sizes", test_sizes);
	run("frames", test_frames);
	run("pieces", test_pieces);
	run("descriptors", test_descriptors);
	run("a descriptor is taken or closed", test_descriptor_taken);
	run("once is once", test_once);
	run("one blame for each link", test_blame);
	run("one open question", test_one_open);
	run("nothing after an offence", test_after_offence);
	run("a link freed in its handler", test_freed_inside);
	run("a peer that never reads", test_never_reads);
	run("last words", test_last_words);
	run("first messages", test_first);
	run("floods of garbage", test_floods);
	return failures == 0 ? 0 : 1;
}
