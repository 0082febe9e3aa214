/*
 * SPDX-License-Identifier: ISC
 *
 * See trace_parse.h.  A page: the time it begins, how many bytes follow and
 * whether events were lost before it, then events, each with the time since
 * the one before.  How many were lost stands behind the last, if there was
 * room.
 */
#include <string.h>

#include "trace_parse.h"

/* The second word is as long as the kernel's long, which is ours. */
#define HEAD_SIZE	(8 + sizeof(long))
#define COMMIT_MASK	((1UL << 27) - 1)
#define COMMIT_STORED	(1UL << 30)
#define COMMIT_MISSED	(1UL << 31)

#define TYPE_BITS	5
#define DELTA_BITS	27
#define TYPE_PADDING	29
#define TYPE_EXTEND	30	/* more bits of the time that passed */
#define TYPE_STAMP	31	/* the time itself but for its first bits */
#define STAMP_MASK	((1ULL << 59) - 1)

#define RECORD_MIN	8	/* common to all: kind, flags, thread */

int
trace_page_init(struct trace_page *t, const void *buf, size_t len)
{
	const uint8_t	*p = buf;
	unsigned long	 commit;
	long		 n = 0;

	memset(t, 0, sizeof(*t));
	if (len < HEAD_SIZE)
		return -1;
	memcpy(&t->time, p, sizeof(t->time));
	memcpy(&commit, p + 8, sizeof(commit));
	t->data = p + HEAD_SIZE;
	t->len = commit & COMMIT_MASK;
	len -= HEAD_SIZE;
	if (t->len > len)
		return -1;
	if ((commit & COMMIT_MISSED) == 0)
		return 0;
	if ((commit & COMMIT_STORED) != 0 && len - t->len >= sizeof(n))
		memcpy(&n, t->data + t->len, sizeof(n));
	t->lost = n > 0 ? (uint64_t)n : TRACE_LOST_MANY;
	return 0;
}

static int
get_word(struct trace_page *t, uint32_t *n)
{
	if (t->len - t->at < sizeof(*n))
		return -1;
	memcpy(n, t->data + t->at, sizeof(*n));
	t->at += sizeof(*n);
	return 0;
}

/* Bit fields of one word, laid out as this machine's compilers do. */
static void
split(uint32_t head, uint32_t *type, uint64_t *delta)
{
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	*type = head >> DELTA_BITS;
	*delta = head & ((1U << DELTA_BITS) - 1);
#else
	*type = head & ((1U << TYPE_BITS) - 1);
	*delta = head >> TYPE_BITS;
#endif
}

static int
get_record(struct trace_page *t, size_t len, struct trace_record *r)
{
	if (len < RECORD_MIN || len > t->len - t->at)
		return -1;
	r->time = t->time;
	r->data = t->data + t->at;
	r->len = len;
	r->flags = r->data[2];
	memcpy(&r->thread, r->data + 4, sizeof(r->thread));
	t->at += len;
	return 1;
}

/* Not a record: an event that was taken back, or time that passed. */
static int
skip(struct trace_page *t, uint32_t type, uint64_t delta)
{
	uint32_t	 n;

	if (type == TYPE_PADDING && delta == 0) {
		t->at = t->len;		/* nothing else was written */
		return 0;
	}
	if (get_word(t, &n) == -1)
		return -1;
	if (type == TYPE_EXTEND) {
		t->time += ((uint64_t)n << DELTA_BITS) + delta;
	} else if (type == TYPE_STAMP) {
		t->time = (t->time & ~STAMP_MASK) |
		    ((((uint64_t)n << DELTA_BITS) + delta) & STAMP_MASK);
	} else {
		/* Its length counts that word, which has been read. */
		if (n < sizeof(n) || n - sizeof(n) > t->len - t->at)
			return -1;
		t->time += delta;
		t->at += n - sizeof(n);
	}
	return 0;
}

int
trace_page_next(struct trace_page *t, struct trace_record *r)
{
	uint64_t	 delta;
	uint32_t	 head, type, n;

	memset(r, 0, sizeof(*r));
	while (t->at < t->len) {
		if (get_word(t, &head) == -1)
			return -1;
		split(head, &type, &delta);
		if (type >= TYPE_PADDING) {
			if (skip(t, type, delta) == -1)
				return -1;
			continue;
		}
		t->time += delta;
		if (type > 0)
			return get_record(t, type * sizeof(n), r);
		/* Too long for that: the length stands before it, and counts
		   itself. */
		if (get_word(t, &n) == -1 || n < sizeof(n) ||
		    n > UINT32_MAX - 3)
			return -1;
		return get_record(t, (n - sizeof(n) + 3) & ~(size_t)3, r);
	}
	return 0;
}
