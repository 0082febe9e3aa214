/*
 * SPDX-License-Identifier: ISC
 *
 * Segments come from whoever the host talks DNS with.  What is kept of them
 * is bounded: so many streams, and in each the part of one message.
 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "dns_stream.h"
#include "log.h"

#define PREFIX_LEN	2	/* the length before each message */

struct stream {
	bool		 live;
	struct tuple	 tuple;
	uint64_t	 used;		/* when, counted in segments */
	uint32_t	 next;		/* sequence number of the next byte */
	uint8_t		 prefix[PREFIX_LEN];
	size_t		 have;		/* bytes of prefix and message */
	uint8_t		*msg;		/* NULL: none, or it is passed over */
};

struct dns_streams {
	uint64_t	 clock;
	struct stream	 stream[DNS_STREAMS_MAX];
};

struct dns_streams *
dns_streams_new(void)
{
	struct dns_streams	*s;

	if ((s = calloc(1, sizeof(*s))) == NULL)
		fatal(NULL);
	return s;
}

static void
stream_end(struct stream *st)
{
	free(st->msg);
	memset(st, 0, sizeof(*st));
}

void
dns_streams_free(struct dns_streams *s)
{
	size_t	i;

	if (s == NULL)
		return;
	for (i = 0; i < DNS_STREAMS_MAX; i++)
		stream_end(&s->stream[i]);
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
	stream_end(st);
	st->live = true;
	st->tuple = p->tuple;
	st->next = p->seq + 1;
	st->used = s->clock;
}

/* Of the message that is being read, its prefix included; 0: not known yet. */
static size_t
wanted(const struct stream *st)
{
	if (st->have < PREFIX_LEN)
		return 0;
	return PREFIX_LEN + (size_t)st->prefix[0] * 256 + st->prefix[1];
}

static void
message_done(struct stream *st)
{
	free(st->msg);
	st->msg = NULL;
	st->have = 0;
}

/* Takes bytes of one message; returns how many. */
static size_t
take(struct stream *st, const uint8_t *data, size_t len, dns_stream_fn *fn,
    void *arg)
{
	size_t	want, n;

	if (st->have < PREFIX_LEN) {
		st->prefix[st->have++] = data[0];
		want = wanted(st);
		if (want > PREFIX_LEN && want <= DNS_STREAM_MSG &&
		    (st->msg = malloc(want - PREFIX_LEN)) == NULL)
			fatal(NULL);
		n = 1;
	} else {
		want = wanted(st);
		n = want - st->have < len ? want - st->have : len;
		if (st->msg != NULL)
			memcpy(st->msg + st->have - PREFIX_LEN, data, n);
		st->have += n;
	}
	if (want != 0 && st->have == want) {
		if (st->msg != NULL)
			fn(st->msg, want - PREFIX_LEN, arg);
		message_done(st);
	}
	return n;
}

/*
 * The kernel copied less than there was: as long as that is inside one
 * message, only this one is lost.
 */
static void
take_hole(struct stream *st, size_t len)
{
	size_t	want = wanted(st);

	if (len == 0)
		return;
	if (want == 0 || len > want - st->have) {
		stream_end(st);
		return;
	}
	free(st->msg);
	st->msg = NULL;
	st->have += len;
	if (st->have == want)
		message_done(st);
}

void
dns_stream_segment(struct dns_streams *s, const struct packet *p,
    dns_stream_fn *fn, void *arg)
{
	const uint8_t	*data = p->payload;
	size_t		 len = p->payload_len, full = p->payload_full, n;
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
	for (data += old, len -= old; len > 0; data += n, len -= n)
		n = take(st, data, len, fn, arg);
	take_hole(st, full);
}
