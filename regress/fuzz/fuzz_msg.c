/*
 * SPDX-License-Identifier: ISC
 *
 * What processes say to each other.  The first byte picks who speaks to
 * whom, the second how the bytes that follow are cut into writes and which
 * frames have a descriptor with them; or the first byte is ALONE, and what
 * follows the second is a payload of that type.  What must hold for any
 * bytes: only what the gate lets through arrives, nothing arrives after an
 * offence, it is all the same wherever the stream is cut, and a payload that
 * decodes is exactly what its contents encode to.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fdpass.h"
#include "imsg.h"

#define ALONE	0xff
#define FLAG_FD	0x0001

int	 LLVMFuzzerTestOneInput(const uint8_t *, size_t);

/* What arrived over one link. */
struct seen {
	enum role	 self, peer;
	uint32_t	 count[MSG_TYPE_MAX];
	uint64_t	 digest;
	uint32_t	 gone;
};

enum attach { ATTACH_NONE, ATTACH_ANNOUNCED, ATTACH_ALL, ATTACH_MAX };

static struct event_base	*base;

static void
require(bool holds)
{
	if (!holds)
		abort();
}

static void
digest(struct seen *s, const void *data, size_t len)
{
	const uint8_t	*p = data;

	for (; len > 0; len--)
		s->digest = (s->digest ^ *p++) * 0x100000001b3ULL;
}

/* The bytes that were used are the ones that come out again. */
static void
same_bytes(const struct ibuf *in, size_t from, const struct ibuf *out)
{
	require(!ibuf_error(out));
	require(in->off - from == out->off);
	require(memcmp(in->buf + from, out->wbuf, out->off) == 0);
}

#define CODEC(x, type)							\
static bool								\
codec_##x(struct ibuf *in)						\
{									\
	static struct type	m;					\
	static uint8_t		buf[MSG_PAYLOAD_MAX];			\
	struct ibuf		out;					\
	size_t			from = in->off;				\
									\
	memset(&m, 0xa5, sizeof(m));					\
	if (msg_get_##x(in, &m) == -1)					\
		return false;						\
	ibuf_writer(&out, buf, sizeof(buf));				\
	msg_put_##x(&out, &m);						\
	same_bytes(in, from, &out);					\
	return true;							\
}

CODEC(start, msg_start)
CODEC(ready, msg_ready)
CODEC(log, msg_log)
CODEC(bad, msg_bad)
CODEC(peer, msg_peer)
CODEC(fd, msg_fd)
CODEC(do, msg_do)
CODEC(lost, msg_lost)
CODEC(event, msg_event)
CODEC(denied, msg_denied)
CODEC(child, msg_child)
CODEC(sources, msg_sources)
CODEC(open, msg_open)
CODEC(file, msg_file)
CODEC(commit, msg_commit)
CODEC(committed, msg_committed)
CODEC(whois, whois)
CODEC(host, msg_host)
CODEC(ask, msg_ask)
CODEC(ask_end, msg_ask_end)
CODEC(answer, msg_answer)
CODEC(ctl, msg_ctl)
CODEC(ctl_reply, msg_ctl_reply)
CODEC(packets_head, msg_packets_head)
CODEC(packet, msg_packet)
CODEC(verdict, msg_verdict)
CODEC(same, msg_same)
CODEC(who_head, msg_who_head)
CODEC(who, msg_who)

typedef bool (codec)(struct ibuf *);

/* A head, then as many as there are. */
static const struct {
	codec	*head, *each;
} codecs[MSG_TYPE_MAX] = {
	[MSG_START] = { codec_start, NULL },
	[MSG_READY] = { codec_ready, NULL },
	[MSG_LOG] = { codec_log, NULL },
	[MSG_BAD] = { codec_bad, NULL },
	[MSG_PEER] = { codec_peer, NULL },
	[MSG_FD] = { codec_fd, NULL },
	[MSG_DO] = { codec_do, NULL },
	[MSG_LOST] = { codec_lost, NULL },
	[MSG_EVENT] = { codec_event, NULL },
	[MSG_DENIED] = { codec_denied, NULL },
	[MSG_OPEN] = { codec_open, NULL },
	[MSG_FILE] = { codec_file, NULL },
	[MSG_COMMIT] = { codec_commit, NULL },
	[MSG_COMMITTED] = { codec_committed, NULL },
	[MSG_PACKETS] = { codec_packets_head, codec_packet },
	[MSG_VERDICTS] = { NULL, codec_verdict },
	[MSG_WHO] = { codec_who_head, codec_who },
	[MSG_WHOIS] = { codec_whois, NULL },
	[MSG_WHOIS_SAME] = { NULL, codec_same },
	[MSG_HOST] = { codec_host, NULL },
	[MSG_ASK] = { codec_ask, NULL },
	[MSG_ASK_END] = { codec_ask_end, NULL },
	[MSG_ANSWER] = { codec_answer, NULL },
	[MSG_CTL] = { codec_ctl, NULL },
	[MSG_CTL_REPLY] = { codec_ctl_reply, NULL },
	[MSG_SOURCES] = { codec_sources, NULL },
	[MSG_CHILD] = { codec_child, NULL },
};

/* Decodes it as its receiver would; a copy as long as it is. */
static bool
payload(uint32_t type, const uint8_t *data, size_t len)
{
	uint8_t		*copy = malloc(len > 0 ? len : 1);
	struct ibuf	 b;
	bool		 good = true;

	require(copy != NULL);
	if (len > 0)
		memcpy(copy, data, len);
	ibuf_reader(&b, copy, len);
	if (codecs[type].head == NULL && codecs[type].each == NULL)
		good = len == 0;	/* MSG_TABLE */
	if (codecs[type].head != NULL)
		good = codecs[type].head(&b);
	if (codecs[type].each != NULL)
		while (good && ibuf_left(&b) > 0)
			good = codecs[type].each(&b);
	require(!good || ibuf_done(&b) == 0);
	free(copy);
	return good;
}

static void
on_message(struct link *l, struct imsg *m, void *arg)
{
	struct seen		*s = arg;
	const struct gate	*g = gate_find(m->type, s->peer, s->self);
	bool			 good;

	require(g != NULL && s->gone == 0);
	require(m->len >= g->min && m->len <= g->max);
	require(g->fd != GATE_FD_NONE || m->fd == -1);
	require(g->fd != GATE_FD_MUST || m->fd != -1);
	require(m->fd == -1 || fcntl(m->fd, F_GETFD) == FD_CLOEXEC);
	s->count[m->type]++;
	require(!g->once || s->count[m->type] == 1);
	require(g->open == 0 || s->count[m->type] <= g->open);
	good = payload(m->type, m->data, m->len);
	digest(s, &m->type, sizeof(m->type));
	digest(s, m->data, m->len);
	digest(s, &good, sizeof(good));
	if (!good)
		link_offence(l, "%s: bad payload", msg_name(m->type));
}

static void
on_gone(struct link *l, const char *reason, void *arg)
{
	struct seen	*s = arg;

	(void)l;
	require(s->gone++ == 0);
	if (reason != NULL)
		digest(s, reason, strlen(reason));
}

/* One write; has the frame that it begins with a descriptor? */
static void
send_some(int sock, const uint8_t *data, size_t len, bool fd)
{
	(void)fdpass_send(sock, data, len, fd ? STDIN_FILENO : -1,
	    MSG_DONTWAIT);
	require(event_base_loop(base, EVLOOP_NONBLOCK) != -1);
}

/*
 * Cut at frames, for a descriptor travels with its first byte, and into
 * pieces of so many bytes.
 */
static void
speak(int sock, const uint8_t *data, size_t len, size_t piece,
    enum attach attach)
{
	uint16_t	size, flags;
	size_t		frame = 0, n;
	bool		fd;

	while (len > 0) {
		fd = false;
		if (frame == 0 && len >= IMSG_HEADER) {
			memcpy(&size, data + 4, sizeof(size));
			memcpy(&flags, data + 6, sizeof(flags));
			/* After one of no size there is no other. */
			frame = size >= IMSG_HEADER ? size : SIZE_MAX;
			fd = attach == ATTACH_ALL ||
			    (attach == ATTACH_ANNOUNCED && (flags & FLAG_FD));
		}
		n = frame != 0 && frame < len ? frame : len;
		if (n > piece)
			n = piece;
		send_some(sock, data, n, fd);
		data += n;
		len -= n;
		frame -= frame > n ? n : frame;
	}
}

static void
listen_to(struct seen *s, const uint8_t *data, size_t len, size_t piece,
    enum attach attach)
{
	struct link	*l;
	int		 sv[2];

	s->digest = 0xcbf29ce484222325ULL;
	require(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sv) == 0);
	l = link_new(base, sv[0], s->self, s->peer, on_message, on_gone, s);
	speak(sv[1], data, len, piece, attach);
	(void)close(sv[1]);
	require(event_base_loop(base, EVLOOP_NONBLOCK) != -1);
	require(s->gone == 1);	/* at the latest by the end */
	link_free(l);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct seen	whole, cut;
	enum attach	attach;

	if (size < 2 || size > 64 * 1024)
		return 0;
	if (base == NULL)
		require((base = event_base_new()) != NULL);
	if (data[0] == ALONE) {
		if (data[1] < MSG_TYPE_MAX)
			(void)payload(data[1], data + 2, size - 2);
		return 0;
	}
	memset(&whole, 0, sizeof(whole));
	whole.self = (enum role)(data[0] % ROLE_MAX);
	whole.peer = (enum role)(data[0] / ROLE_MAX % ROLE_MAX);
	cut = whole;
	attach = (enum attach)(data[1] % ATTACH_MAX);
	listen_to(&whole, data + 2, size - 2, MSG_MAX, attach);
	listen_to(&cut, data + 2, size - 2, (size_t)data[1] / ATTACH_MAX + 1,
	    attach);
	/* A stray one is found when it comes, or with the next. */
	require(attach == ATTACH_ALL || whole.digest == cut.digest);
	return 0;
}
