/*
 * SPDX-License-Identifier: ISC
 *
 * Every datagram on the queue socket fires one event, so the event of
 * datagram n is number n plus an offset that changes only when netq begins
 * to count anew or events begin to be counted.
 *
 * Finding the offset: at a quiet point netq has read all there is, and so the
 * number of events up to that moment, less the number of the packet read
 * last, is the offset.  It is one more or so when a further datagram arrived
 * within the microseconds between netq's look and its clock; so an event just
 * before makes a point worthless.  It is one less when the packet's own event
 * was late: one who reads can have a datagram, and look at his clock, before
 * its sender is so far as to write the event, the more so where the kernel
 * wakes first and tells then (signals), or where a virtual processor may
 * rest in between.  So while there is no offset an event just after a point
 * makes it worthless, too, and several points have to agree.  A pause after a
 * packet says more: until its middle nothing of the next one has happened, and
 * everything of this one has, were it ever so late.  That is, if there is an
 * event in its second half; else it was netq that paused.
 *
 * An offset that was found is right from the first of them on.  A packet with
 * too few events proves it wrong, at once if more than one is missing.  One
 * may be its own, late; or an event was lost, and what comes is the next
 * datagram's.  The next quiet point tells which, or a silence: an offset is
 * never right again after a loss, and if it holds, it has held for all before.
 * Where every event is late, as on virtual processors, which rest while they
 * wake another, no such point comes.  Then the time to the next packet tells:
 * in its first half an event is this one's, late, and in its second half the
 * next one's; that one has to be there, or it was netq that was slow.
 * Until then neither this packet nor those that follow it are anybody's.
 */
#include <string.h>

#include "order.h"

#define VOTES		3	/* more quiet points for it than against it */
#define PAUSE_VOTES	2	/* what a pause counts */
#define QUIET_NS	5000	/* without an event before a quiet point, */
#define AFTER_NS	100000	/* and after it */
#define PAUSE_NS	100000000
#define LATE_NS		200000	/* most that are late are less */
#define GAP_NS		(2 * LATE_NS)
/* How much speaks against an offset since it was last seen to hold. */
#define ONE_MORE	1
#define ONE_SHORT	2
#define WRONG		8	/* that much, and it is given up */
#define SILENCE_NS	30000000	/* longer than questions are collected */

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
	o->sure = o->doubt = o->last_against = 0;
	o->against = 0;
	o->votes = 0;
	o->point = 0;
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
	if (number >= o->doubt) {
		o->doubt = 0;
		o->against = 0;
	}
}

/* What is said while there is no offset. */
static void
vote(struct order *o, int64_t bound, uint64_t number, unsigned int weight)
{
	if (o->votes > 0 && bound == o->candidate) {
		o->votes += weight;
	} else if (o->votes > weight && !o->assumed) {
		o->votes -= weight;
	} else {
		o->candidate = bound;
		o->from = number;
		o->votes = weight;
	}
	o->assumed = false;
	if (o->votes < VOTES)
		return;
	/* One that is found to be late now is a doubt as any later one. */
	o->offset = bound;
	o->synced = true;
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

/* The number of events is another than the offset says. */
static void
contradict(struct order *o, uint64_t number, unsigned int weight)
{
	/* Once for each: whoever is looked for is looked for again. */
	if (number <= o->sure || number <= o->last_against)
		return;
	/* Then one that is missing is late, and nothing else. */
	if (o->lossless && weight == ONE_SHORT)
		return;
	o->last_against = number;
	o->against += weight;
	if (o->doubt == 0)
		o->doubt = number;
	if (o->against >= WRONG)
		order_unsync(o);
}

/* No event just before, of which it is not known whether it was counted. */
static bool
is_quiet(const struct order *o, uint64_t time, uint64_t events)
{
	return time - o->event[(events - 1) % ORDER_HISTORY].time >= QUIET_NS;
}

/* The last quiet point has a vote once it is known what followed. */
static void
point_settle(struct order *o, uint64_t now)
{
	uint64_t	 events, number = o->point, time = o->point_time;

	if (number == 0 || now - time < AFTER_NS)
		return;
	o->point = 0;
	if (count_until(o, time, &events) && events > 0 &&
	    is_quiet(o, time, events) && (events == o->count ||
	    o->event[events % ORDER_HISTORY].time - time >= AFTER_NS))
		vote(o, (int64_t)(events - 1) - (int64_t)number, number, 1);
}

/* What the time from one packet to the next one says. */
static void
gap_settle(struct order *o, uint64_t number, uint64_t begin, uint64_t end)
{
	uint64_t	 events, next;
	int64_t		 bound;

	if (end - begin < GAP_NS ||
	    !count_until(o, begin + (end - begin) / 2, &events) ||
	    events == 0 || events == o->count)
		return;
	next = o->event[events % ORDER_HISTORY].time;
	bound = (int64_t)(events - 1) - (int64_t)number;
	if (o->synced && bound == o->offset) {
		/* The next packet's may be late, too. */
		if (next <= end + LATE_NS)
			hold(o, number);
		return;
	}
	if (end - begin < PAUSE_NS || next > end)
		return;
	if (o->synced)
		order_unsync(o);
	vote(o, bound, number, PAUSE_VOTES);
}

/* Had the late event been the next datagram's, that would be here by now. */
static void
doubt_settle(struct order *o, uint64_t now)
{
	int64_t	 at = (int64_t)o->doubt + o->offset;

	if (o->doubt != 0 && o->doubt == o->highest &&
	    at == (int64_t)o->count - 1 &&
	    now - o->event[at % ORDER_HISTORY].time >= SILENCE_NS &&
	    now >= o->event[at % ORDER_HISTORY].time)
		hold(o, o->doubt);
}

void
order_settle(struct order *o, uint64_t now)
{
	if (o->synced)
		doubt_settle(o, now);
	else
		point_settle(o, now);
}

void
order_observe(struct order *o, uint64_t number, uint64_t time, bool quiet,
    bool counted)
{
	uint64_t	 events, last = o->highest, last_time = o->newest;
	int64_t		 bound;

	if (is_restart(o, number, time))
		order_unsync(o);
	if (!counted || time < o->epoch)
		return;
	order_settle(o, time);
	if (number == last + 1 && last > 0 && last_time >= o->epoch)
		gap_settle(o, last, last_time, time);
	if (!o->synced && quiet) {
		o->point = number;
		o->point_time = time;
	}
	if (!o->synced || !count_until(o, time, &events) || events == 0)
		return;
	/* Event numbers begin with 0: the last of them is events - 1. */
	bound = (int64_t)(events - 1) - (int64_t)number;
	if (bound < o->offset)
		contradict(o, number, bound == o->offset - 1 ? ONE_SHORT :
		    WRONG);
	else if (quiet && is_quiet(o, time, events)) {
		if (bound == o->offset)
			hold(o, number);
		else if (bound == o->offset + 1)
			contradict(o, number, ONE_MORE);
	}
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
		contradict(o, number, ONE_SHORT);
	return o->synced && !in_doubt(o, number) ? e : NULL;
}
