/*
 * SPDX-License-Identifier: ISC
 *
 * Reads the rings of the order events (perf_event_open(2), or an instance of
 * tracefs), which the parent opened: one for each CPU, records of process and
 * time.  They wake nobody up until half full; questions are the reason to
 * look.
 *
 * Rings are merged by time.  All heads are read, then all again, and only
 * what is not newer than the newest record of the first look is taken: an
 * event is written under the queue's lock, so whatever is older than it was
 * in its ring by the second look.
 */
#include <event2/event.h>
#include <linux/perf_event.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "events.h"
#include "execs.h"
#include "imsg.h"
#include "log.h"
#include "procinfo.h"
#include "ring.h"
#include "routes.h"

#define RINGS_MAX	1024
#define LOOKS		200	/* for an event that is being written, */
#define LOOKS_MS	50	/* and further ones, with a pause */
#define JUMP_NS		(1000ull * 1000 * 1000)	/* slept, if more */
#define LOST_NS		(1000ull * 1000 * 1000)	/* between two MSG_LOST */
#define DOUBT_NS	(50ull * 1000 * 1000)	/* one waits, at most */

struct ring {
	struct ring_data	 data;
	uint16_t		 cpu;
	uint64_t		 irq_id;
	struct event		*ev;
	/* During one drain. */
	uint64_t		 first, head;	/* the two looks */
	uint64_t		 pos;	/* behind the record in next */
	bool			 has_next;
	struct order_event	 next;
	uint64_t		 lost;	/* just before next, or before pos */
	/* Between drains. */
	uint64_t		 last;	/* time of the last record taken */
	bool			 full;	/* records may be missing behind: */
	uint64_t		 full_at;
};

static struct ring	*rings;
static size_t		 nrings;
static bool		 complete;	/* the last of a set has come */
static bool		 by_trace;	/* and it is of tracefs */
static struct order	 order;
static uint64_t		 lost_told;
static bool		 stale;		/* the set: another has to be asked for */
static uint64_t		 doubted;	/* since when; 0: nothing is in doubt */
static int64_t		 slept;		/* BOOTTIME less MONOTONIC */

static uint64_t
clock_ns(clockid_t clock)
{
	struct timespec	 ts;

	(void)clock_gettime(clock, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

void
events_init(bool first)
{
	order_init(&order, first);
	slept = (int64_t)(clock_ns(CLOCK_BOOTTIME) -
	    clock_ns(CLOCK_MONOTONIC));
}

static void
rings_clear(void)
{
	struct ring	*r;

	while (nrings > 0) {
		r = &rings[--nrings];
		if (r->ev != NULL)
			event_free(r->ev);
		ring_close(&r->data);
	}
	free(rings);
	rings = NULL;
}

static void
ring_readable(int fd, short what, void *arg)
{
	(void)fd, (void)what, (void)arg;
	events_read();
}

static void
ring_add(uint16_t cpu, int fd, bool trace)
{
	struct ring	*r;
	int		 rc;

	rings = recallocarray(rings, nrings, nrings + 1, sizeof(*rings));
	if (rings == NULL)
		fatal(NULL);
	r = &rings[nrings++];
	r->cpu = cpu;
	rc = trace ? ring_open_trace(&r->data, fd, false) :
	    ring_open(&r->data, fd);
	if (rc == -1) {
		log_warn("event ring of CPU %u", cpu);
		return;
	}
	if (trace) {
		/* Its buffers count what they lose, whatever CPUs do. */
		by_trace = order.lossless = true;
		r->irq_id = 1;
	}
	r->ev = event_new(main_base(), fd, EV_READ | EV_PERSIST,
	    ring_readable, NULL);
	if (r->ev == NULL || event_add(r->ev, NULL) == -1)
		fatal(NULL);
}

void
events_add(const struct msg_event *m, int fd)
{
	size_t	 i;

	if (complete) {
		/* Opened later than the queue: its count says nothing. */
		rings_clear();
		routes_clear();
		execs_clear();
		order_init(&order, false);
		cpus_clear();
		complete = by_trace = false;
	}
	cpus_add(m->cpu);
	if ((m->kind == EVENT_ORDER || m->kind == EVENT_TRACE_ORDER) &&
	    nrings < RINGS_MAX) {
		ring_add(m->cpu, fd, m->kind == EVENT_TRACE_ORDER);
	} else if (m->kind == EVENT_ROUTE || m->kind == EVENT_TRACE_ROUTE) {
		routes_add(m, fd);
	} else if (m->kind == EVENT_EXEC || m->kind == EVENT_EXEC_DONE) {
		execs_add(m, fd);
	} else {
		/* It writes into the ring of its CPU. */
		for (i = 0; i < nrings; i++)
			if (m->kind == EVENT_ORDER_IRQ &&
			    rings[i].cpu == m->cpu)
				rings[i].irq_id = m->id;
		close(fd);
	}
	complete = m->last;
	if (!complete)
		return;
	/* One ring less and every number would be wrong. */
	for (i = 0; i < nrings; i++)
		if (rings[i].data.page == NULL) {
			rings_clear();
			break;
		}
	execs_complete();
	events_check();
	main_tell_sources();
}

bool
events_on(void)
{
	return complete && nrings > 0;
}

bool
events_by_thread(void)
{
	return by_trace;
}

/*
 * Reads records from pos to the next sample; false: there is none before the
 * end.  Losses on the way are added up.
 */
static bool
ring_sample(const struct ring *r, uint64_t *pos, uint64_t end,
    struct order_event *e, uint64_t *lost)
{
	struct perf_event_header	 h;
	uint64_t			 body[3];

	while (*pos + sizeof(h) <= end) {
		ring_copy(&r->data, *pos, &h, sizeof(h));
		if (h.size < sizeof(h) || *pos + h.size > end)
			return false;
		if (h.size >= SAMPLE_SIZE)
			ring_copy(&r->data, *pos + sizeof(h), body,
			    sizeof(body));
		*pos += h.size;
		if (h.type == PERF_RECORD_LOST && h.size >= SAMPLE_SIZE)
			*lost += body[1];	/* after the id */
		if (h.type != PERF_RECORD_SAMPLE || h.size != SAMPLE_SIZE)
			continue;
		e->kind = body[0] == r->irq_id ? ORDER_IRQ : ORDER_PROCESS;
		e->pid = (uint32_t)body[1];
		e->time = body[2];
		return true;
	}
	return false;
}

static void
ring_next(struct ring *r)
{
	r->has_next = ring_sample(r, &r->pos, r->head, &r->next, &r->lost);
}

/* The newest record that the first look saw. */
static uint64_t
ring_newest(const struct ring *r)
{
	struct order_event	 e = { 0, 0, 0 };
	uint64_t		 pos = r->data.page->data_tail, lost = 0;

	while (ring_sample(r, &pos, r->first, &e, &lost))
		continue;
	return e.time;
}

/*
 * Beside a loss numbers are not sure: between a ring's last record and its
 * next one its lost events fell in somewhere.  The same when it is full and
 * has not said yet how much it lost.
 */
static bool
is_unsure(const struct ring *self, uint64_t time)
{
	const struct ring	*r;

	for (r = rings; r < rings + nrings; r++) {
		if (r == self || time <= r->last)
			continue;
		if (r->lost > 0 || (r->full && !r->has_next))
			return true;
	}
	return false;
}

/* Something was lost, and it is not known yet how much. */
static bool
loss_pending(void)
{
	const struct ring	*r;

	for (r = rings; r < rings + nrings; r++)
		if (r->lost > 0 || (r->full && !r->has_next))
			return true;
	return false;
}

/* The record that is next in time goes into the history. */
static void
take(struct ring *r)
{
	struct order_event	 gap = { r->next.time, 0, ORDER_LOST };

	/* Of that many nothing is left to be paired; maybe it is no number. */
	if (r->lost >= ORDER_HISTORY) {
		order_unsync(&order);
		r->lost = 0;
	}
	for (; r->lost > 0; r->lost--)
		order_add(&order, &gap);
	if (r->pos > r->full_at)
		r->full = false;
	if (is_unsure(r, r->next.time))
		r->next.kind = ORDER_UNSURE;
	order_add(&order, &r->next);
	r->last = r->next.time;
	__atomic_store_n(&r->data.page->data_tail, r->pos, __ATOMIC_RELEASE);
	ring_next(r);
}

static struct ring *
oldest(void)
{
	struct ring	*r, *best = NULL;

	for (r = rings; r < rings + nrings; r++)
		if (r->has_next && (best == NULL ||
		    r->next.time < best->next.time))
			best = r;
	return best;
}

void
events_read(void)
{
	struct ring	*r;
	uint64_t	 t, bound = 0;

	if (!complete)
		return;
	for (r = rings; r < rings + nrings; r++)
		r->first = ring_head(&r->data);
	for (r = rings; r < rings + nrings; r++)
		r->head = ring_head(&r->data);
	for (r = rings; r < rings + nrings; r++) {
		if ((t = ring_newest(r)) > bound)
			bound = t;
		r->pos = r->data.page->data_tail;
		r->lost = 0;
		/* No room for one more record: what followed is lost. */
		if (r->head - r->pos > r->data.size - 2 * SAMPLE_SIZE) {
			r->full = true;
			r->full_at = r->head;
		}
		ring_next(r);
	}
	while ((r = oldest()) != NULL && r->next.time <= bound)
		take(r);
}

/* Events of a CPU that was off line stay dead: new ones are asked for. */
static void
tell_lost(enum lost_why why)
{
	struct msg_lost	 m = { .why = why };
	struct ibuf	 b;
	uint8_t		 buf[8];

	order_unsync(&order);
	/* An execve on a CPU whose events are dead is told by nobody. */
	execs_distrust();
	/* What comes meanwhile may have been opened before this loss. */
	stale = true;
	if (now_ns() - lost_told < LOST_NS)
		return;
	stale = false;
	lost_told = now_ns();
	ibuf_writer(&b, buf, sizeof(buf));
	msg_put_lost(&b, &m);
	link_send_ibuf(main_parent(), MSG_LOST, -1, &b);
}

/* In a suspend all CPUs but one go off line, and nobody is told. */
void
events_check(void)
{
	int64_t	 now = (int64_t)(clock_ns(CLOCK_BOOTTIME) -
		    clock_ns(CLOCK_MONOTONIC));

	if (now - slept > (int64_t)JUMP_NS)
		tell_lost(LOST_RESUME);
	slept = now;
	if (cpus_changed(complete))
		stale = true;
	/* The buffers of tracefs do not mind. */
	if (stale && complete && !by_trace)
		tell_lost(LOST_CPU);
}

/*
 * A datagram can be read before its sender, still in the kernel, has written
 * the event.  That is next, but his CPU may be another guest's meanwhile: a
 * loss it is only after some time.
 */
static void
catch_up(const struct msg_who *who)
{
	int	 i;

	events_read();
	for (i = 0; i < LOOKS + LOOKS_MS && !loss_pending() &&
	    order_early(&order, who->number, who->time); i++) {
		if (i >= LOOKS)
			(void)poll(NULL, 0, 1);
		events_read();
	}
}

void
events_catch_up(const struct msg_who *newest)
{
	events_check();
	if (nrings > 0)
		catch_up(newest);
}

void
events_observe(const struct msg_who *who)
{
	bool	 was = order.synced;

	if (nrings == 0)
		return;
	order_observe(&order, who->number, who->time,
	    (who->flags & WHO_QUIET) != 0, !loss_pending());
	/* Fewer events than datagrams: a CPU's are dead, or netq is new. */
	if (was && !order.synced)
		tell_lost(LOST_CPU);
}

bool
events_doubtful(const struct msg_who *who)
{
	uint64_t	 now = now_ns();

	if (nrings > 0 && order_doubtful(&order, who->number, who->time)) {
		events_read();
		if (!loss_pending())
			order_settle(&order, now);
	}
	if (nrings == 0 || events_find(who) != NULL ||
	    !order_doubtful(&order, who->number, who->time)) {
		doubted = 0;
		return false;
	}
	if (doubted == 0)
		doubted = now;
	return now - doubted < DOUBT_NS;
}

const struct order_event *
events_find(const struct msg_who *who)
{
	const struct order_event	*e;
	bool				 early;

	if (nrings == 0)
		return NULL;
	e = order_find(&order, who->number, who->time, &early);
	if (!early)
		return e;
	catch_up(who);
	e = order_find(&order, who->number, who->time, &early);
	/* Its number is not sure, until the loss is counted. */
	if (early && !loss_pending())
		tell_lost(LOST_CPU);
	return e;
}
