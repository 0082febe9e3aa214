/*
 * SPDX-License-Identifier: ISC
 *
 * Segments come from whoever the host talks DNS with.  What is kept of them
 * is bounded: so many streams, and in each the part of one message.
 */
#include <stdbool.h>
#include <stdlib.h>

#include "dns_stream.h"
#include "log.h"

#define PREFIX_LEN	2	/* the length before each message */

struct stream {
	bool		 live;
	bool		 hole;		/* in the message: it is passed over */
	struct tuple	 tuple;
	uint64_t	 used;		/* when, counted in segments */
	uint32_t	 next;		/* sequence number of the next byte */
	size_t		 want;		/* of the message; 0: not known yet */
	size_t		 have;		/* both with the prefix */
};

struct dns_streams {
	uint64_t	 clock;
	struct stream	 stream[DNS_STREAMS_MAX];
	uint8_t		 msg[DNS_STREAMS_MAX][DNS_STREAM_MSG];
};

struct dns_streams *
dns_streams_new(void)
{
	struct dns_streams	*s;

	if ((s = calloc(1, sizeof(*s))) == NULL)
		fatal(NULL);
	return s;
}

void
dns_streams_free(struct dns_streams *s)
{
	free(s);
}

size_t
dns_streams_count(const struct dns_streams *s)
{
	size_t	i, n = 0;

	for (i = 0; i < DNS_STREAMS_MAX; i++)
		n += s->stream[i].live;
	return n;
}

static bool
tuple_eq(const struct tuple *a, const struct tuple *b)
{
	return a->sport == b->sport && a->dport == b->dport &&
	    addr_eq(&a->src, &b->src) && addr_eq(&a->dst, &b->dst);
}

static struct stream *
find(struct dns_streams *s, const struct tuple *t)
{
	size_t	i;

	for (i = 0; i < DNS_STREAMS_MAX; i++)
		if (s->stream[i].live && tuple_eq(&s->stream[i].tuple, t))
			return &s->stream[i];
	return NULL;
}

/* It is the next one to be taken for another. */
static void
stream_end(struct stream *st)
{
	st->live = false;
	st->used = 0;
}

/* From a SYN, of either side. */
static void
begin(struct dns_streams *s, const struct packet *p)
{
	struct stream	*st = find(s, &p->tuple);
	size_t		 i;

	if (st == NULL)
		for (st = &s->stream[0], i = 1; i < DNS_STREAMS_MAX; i++)
			if (s->stream[i].used < st->used)
				st = &s->stream[i];
	st->live = true;
	st->hole = false;
	st->tuple = p->tuple;
	st->used = s->clock;
	st->next = p->seq + 1;
	st->want = st->have = 0;
}

static void
message_done(struct stream *st)
{
	st->hole = false;
	st->want = st->have = 0;
}

/* One by one, for then what is written where is plain, see regress/prove. */
static void
take(struct stream *st, uint8_t *msg, uint8_t byte, dns_stream_fn *fn,
    void *arg)
{
	if (st->have < DNS_STREAM_MSG)
		msg[st->have] = byte;
	if (++st->have == PREFIX_LEN)
		st->want = PREFIX_LEN + (size_t)msg[0] * 256 + msg[1];
	if (st->have != st->want)
		return;
	if (!st->hole && st->want > PREFIX_LEN && st->want <= DNS_STREAM_MSG)
		fn(msg + PREFIX_LEN, st->want - PREFIX_LEN, arg);
	message_done(st);
}

/*
 * The kernel copied less than there was: as long as that is inside one
 * message, only this one is lost.
 */
static void
take_hole(struct stream *st, size_t len)
{
	if (len == 0)
		return;
	if (st->want == 0 || len > st->want - st->have) {
		stream_end(st);
		return;
	}
	st->hole = true;
	st->have += len;
	if (st->have == st->want)
		message_done(st);
}

void
dns_stream_segment(struct dns_streams *s, const struct packet *p,
    dns_stream_fn *fn, void *arg)
{
	const uint8_t	*data = p->payload;
	size_t		 i, len = p->payload_len, full = p->payload_full;
	struct stream	*st;
	uint32_t	 old;

	s->clock++;
	if (p->tcp_flags & PACKET_TCP_SYN) {
		begin(s, p);
		return;		/* data in it comes again, if at all */
	}
	if ((st = find(s, &p->tuple)) == NULL)
		return;
	st->used = s->clock;
	if ((p->tcp_flags & PACKET_TCP_RST) || (full > 0 && data == NULL)) {
		stream_end(st);
		return;
	}
	/* Sent again: what of it was seen already. */
	old = st->next - p->seq;
	if (old > INT32_MAX) {		/* a gap */
		stream_end(st);
		return;
	}
	if (old >= full)
		return;
	st->next += (uint32_t)(full - old);
	full -= len;			/* the hole behind what was copied */
	if (old > len) {
		full -= old - len;
		old = (uint32_t)len;
	}
	for (i = old; i < len; i++)
		take(st, s->msg[st - s->stream], data[i], fn, arg);
	take_hole(st, full);
}
