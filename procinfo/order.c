/*
 * SPDX-License-Identifier: ISC
 *
 * Every datagram on the queue socket fires one event, so the event of
 * datagram n is number n plus an offset that changes only when netq begins
 * to count anew or events begin to be counted.
 *
 * Finding the offset: when a packet was read, its event had happened, and so
 * had those of all datagrams before it.  Hence the number of events up to
 * that moment, less the packet's number, is never below the offset; it is
 * above it when further datagrams had arrived and were not read, or not
 * asked about.  At quiet points nothing was left to read and the two are
 * equal, but for what arrived within the microseconds between netq's look and
 * its clock.  So the lowest value that several quiet points agree on is the
 * offset, from the first of them on.  A packet that falls below it later proves it wrong, at once if by
 * more than one.  By one may be its own event: one who reads on in a flood can
 * have a datagram, and look at his clock, before its sender is so far as to
 * write the event.  Or an event was lost, and this is the next datagram's.
 * Which of the two, the next quiet point says: an offset is never right again
 * after a loss.  If it holds, it has held for all before; until then neither
 * this packet nor those that follow it are anybody's.
 */
#include <string.h>

#include "order.h"

#define VOTES		3	/* quiet points that must agree */
#define NOISE_MAX	16	/* in a row above the candidate: it is wrong */
#define QUIET_NS	5000	/* without an event before a quiet point */

void
order_init(struct order *o, bool expect_zero)
{
	memset(o, 0, sizeof(*o));
	/* Datagrams count from 1, events from 0; one agreement will do. */
	if (expect_zero) {
		o->candidate = -1;
		o->votes = VOTES - 1;
		o->assumed = true;
	}
}

void
order_unsync(struct order *o)
{
	o->synced = false;
	o->sure = o->doubt = 0;
	o->votes = 0;
	o->noise = 0;
}

void
order_add(struct order *o, const struct order_event *e)
{
	o->event[o->count++ % ORDER_HISTORY] = *e;
}

/*
 * How many events there were up to this time; false: too long ago, or beside
 * a loss, whose events have the time of the next one that was not lost.
 */
static bool
count_until(const struct order *o, uint64_t time, uint64_t *n)
{
	const struct order_event	*e;
	uint64_t			 lo = 0, hi = o->count, mid;

	if (o->count > ORDER_HISTORY)
		lo = o->count - ORDER_HISTORY;
	if (lo > 0 && o->event[lo % ORDER_HISTORY].time > time)
		return false;
	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		if (o->event[mid % ORDER_HISTORY].time <= time)
			lo = mid + 1;
		else
			hi = mid;
	}
	*n = lo;
	e = &o->event[lo % ORDER_HISTORY];
	return lo == o->count || e->kind == ORDER_PROCESS ||
	    e->kind == ORDER_IRQ;
}

/* The offset is right, and was. */
static void
hold(struct order *o, uint64_t number)
{
	if (number > o->sure)
		o->sure = number;
	if (number >= o->doubt)
		o->doubt = 0;
	o->noise = 0;
}

/* What a quiet point says while there is no offset. */
static void
vote(struct order *o, int64_t bound, uint64_t number)
{
	if (o->votes == 0 || bound < o->candidate ||
	    (o->assumed && bound != o->candidate) ||
	    (bound > o->candidate && ++o->noise > NOISE_MAX)) {
		o->candidate = bound;
		o->from = number;
		o->votes = 1;
		o->noise = 0;
	} else if (bound == o->candidate) {
		o->noise = 0;
		if (++o->votes >= VOTES) {
			o->offset = bound;
			o->synced = true;
			hold(o, number);
		}
	}
	o->assumed = false;
}

/* A count that begins anew is another netq's. */
static bool
is_restart(struct order *o, uint64_t number, uint64_t time)
{
	bool	 restart = time > o->newest && number <= o->highest;

	if (time > o->newest) {
		o->newest = time;
		o->highest = number;
	}
	if (restart)
		o->epoch = time;
	return restart;
}

/* Fewer events than the offset says: once by one may be a late one. */
static void
fall_short(struct order *o, uint64_t number, int64_t by)
{
	if (number <= o->sure)
		return;
	if (by > 1 || (o->doubt != 0 && o->doubt != number))
		order_unsync(o);
	else
		o->doubt = number;
}

void
order_observe(struct order *o, uint64_t number, uint64_t time, bool quiet,
    bool counted)
{
	uint64_t	 events;
	int64_t		 bound;

	if (is_restart(o, number, time))
		order_unsync(o);
	if (!counted || time < o->epoch || !count_until(o, time, &events) ||
	    events == 0)
		return;
	/* Event numbers begin with 0: the last of them is events - 1. */
	bound = (int64_t)(events - 1) - (int64_t)number;
	if (o->synced && bound < o->offset)
		fall_short(o, number, o->offset - bound);
	if (!quiet || time - o->event[(events - 1) % ORDER_HISTORY].time <
	    QUIET_NS)
		return;
	if (!o->synced)
		vote(o, bound, number);
	else if (bound == o->offset)
		hold(o, number);
	else if (bound > o->offset && ++o->noise > NOISE_MAX)
		order_unsync(o);
}

bool
order_early(const struct order *o, uint64_t number, uint64_t time)
{
	int64_t	 at = (int64_t)number + o->offset;

	return o->synced && time >= o->epoch && at >= 0 &&
	    (uint64_t)at >= o->count;
}

static bool
in_doubt(const struct order *o, uint64_t number)
{
	return o->doubt != 0 && number > o->sure;
}

bool
order_doubtful(const struct order *o, uint64_t number, uint64_t time)
{
	return time >= o->epoch && (!o->synced || in_doubt(o, number));
}

const struct order_event *
order_find(struct order *o, uint64_t number, uint64_t time, bool *early)
{
	const struct order_event	*e;
	int64_t				 at = (int64_t)number + o->offset;

	*early = order_early(o, number, time);
	if (*early || !o->synced || time < o->epoch || number < o->from ||
	    at < 0)
		return NULL;
	if ((uint64_t)at + ORDER_HISTORY <= o->count)
		return NULL;
	e = &o->event[(uint64_t)at % ORDER_HISTORY];
	/* Read before it was sent?  (A loss says not when.) */
	if (e->time > time && e->kind <= ORDER_IRQ)
		fall_short(o, number, 1);
	return o->synced && !in_doubt(o, number) ? e : NULL;
}
