/*
 * SPDX-License-Identifier: ISC
 *
 * Every datagram on the queue socket fires one event, so the event of
 * datagram n is number n plus an offset that changes only when netq begins
 * to count anew or events begin to be counted.
 *
 * Finding the offset: when a packet was read, all events of datagrams before
 * it had happened, for an event is written under the queue's lock; its own
 * mostly had.  At quiet points nothing was left to read, and the number of
 * events up to that moment, less the packet's number, is the offset, but for
 * two: a datagram that arrived within the microseconds between netq's look and
 * its clock, and an event that is late.  The reader is woken, and can look at
 * its clock, before the sender is so far as to write it, the more so where the
 * kernel wakes first and tells then (signals), or where a machine's CPU is
 * taken away in between.  So quiet points with another event close by say
 * nothing, and of the others more must be for an offset than against it.
 *
 * A pause after a packet says more: until its middle nothing of the next one
 * has happened, and everything of this one has, were it ever so late.
 *
 * A packet that falls below the offset later proves it wrong, at once if by
 * more than one.  By one may be its own event, late; or an event was lost, and
 * this is the next datagram's; one above it, and the offset may have been made
 * of late ones.  Which it is, the next quiet point says: an offset is never
 * right again after a loss.  If it holds, it has held for all before, from the
 * first that spoke for it on; until then neither this packet nor those that
 * follow it are anybody's.
 */
#include <string.h>

#include "order.h"

#define VOTES		3	/* more for an offset than against it */
#define PAUSE_VOTES	2	/* those of a pause */
#define QUIET_NS	5000	/* without an event before a quiet point, */
#define AFTER_NS	20000	/* and after it */
#define PAUSE_NS	(100ull * 1000 * 1000)

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
	o->last = 0;
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
}

/* What is said while there is no offset. */
static void
vote(struct order *o, int64_t bound, uint64_t number, unsigned int weight)
{
	if (o->votes > 0 && bound == o->candidate) {
		o->votes += weight;
	} else if (o->votes <= weight || (o->assumed &&
	    bound > o->candidate)) {
		o->candidate = bound;
		o->from = number;
		o->votes = weight;
	} else {
		o->votes -= weight;
	}
	o->assumed = false;
	if (o->votes >= VOTES) {
		o->offset = o->candidate;
		o->synced = true;
		hold(o, number);
	}
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

/* More events than the offset says, or fewer: once by one may be chance. */
static void
differ(struct order *o, uint64_t number, int64_t by)
{
	if (number <= o->sure)
		return;
	if (by > 1 || (o->doubt != 0 && o->doubt != number))
		order_unsync(o);
	else
		o->doubt = number;
}

/* What the time since the packet before this one says about that one. */
static void
judge_pause(struct order *o, uint64_t number, uint64_t time)
{
	uint64_t	 events;
	int64_t		 bound;

	if (o->last == 0 || number != o->last + 1 || time < o->last_time ||
	    time - o->last_time < PAUSE_NS ||
	    !count_until(o, o->last_time + (time - o->last_time) / 2,
	    &events) || events == 0)
		return;
	bound = (int64_t)(events - 1) - (int64_t)o->last;
	if (o->synced && bound == o->offset) {
		hold(o, o->last);
		return;
	}
	number = o->last;
	if (o->synced)
		order_unsync(o);
	vote(o, bound, number, PAUSE_VOTES);
}

/* Did no event happen close by?  So many were before. */
static bool
is_clear(const struct order *o, uint64_t time, uint64_t events)
{
	if (time - o->event[(events - 1) % ORDER_HISTORY].time < QUIET_NS)
		return false;
	return events == o->count ||
	    o->event[events % ORDER_HISTORY].time - time > AFTER_NS;
}

void
order_observe(struct order *o, uint64_t number, uint64_t time, bool quiet,
    bool counted)
{
	uint64_t	 events;
	int64_t		 bound;

	if (is_restart(o, number, time))
		order_unsync(o);
	if (!counted || time < o->epoch) {
		o->last = 0;
		return;
	}
	judge_pause(o, number, time);
	o->last = number;
	o->last_time = time;
	if (!count_until(o, time, &events) || events == 0)
		return;
	/* Event numbers begin with 0: the last of them is events - 1. */
	bound = (int64_t)(events - 1) - (int64_t)number;
	if (o->synced && bound < o->offset)
		differ(o, number, o->offset - bound);
	if (!quiet || !is_clear(o, time, events))
		return;
	if (!o->synced)
		vote(o, bound, number, 1);
	else if (bound == o->offset)
		hold(o, number);
	else if (bound > o->offset)
		differ(o, number, 1);
}

void
order_settle(struct order *o, uint64_t number)
{
	if (o->synced && number == o->last &&
	    (int64_t)(o->count - 1) - (int64_t)number == o->offset)
		hold(o, number);
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
		differ(o, number, 1);
	return o->synced && !in_doubt(o, number) ? e : NULL;
}
