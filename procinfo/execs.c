/*
 * SPDX-License-Identifier: ISC
 *
 * Reads the rings of what processes become, which the parent opened, one for
 * each CPU, and tells ident.c in the order of time.  The kernel writes the
 * records as it happens, in the process's own context, so whatever a process
 * became before it sent a packet is there when the packet is asked about: no
 * wake-up is needed for it, and no hurry.
 *
 * All heads are read, then all again, and only what is not newer than the
 * newest record of the first look is taken: if something of the first look
 * has a cause in another ring, the second look sees that.
 *
 * A ring that was full has lost records, and with them whatever was known may
 * be wrong: all of it is forgotten, as the proc connector does it.
 */
#include <sys/eventfd.h>

#include <errno.h>
#include <event2/event.h>
#include <linux/perf_event.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "execrec.h"
#include "execs.h"
#include "log.h"
#include "procinfo.h"
#include "ring.h"

struct ring {
	struct ring_data	 data;
	uint16_t		 cpu;
	bool			 wakes;	/* has an EVENT_EXEC_DONE */
	/* During one look. */
	uint64_t		 first, head, pos;
	uint64_t		 time;	/* of the record at pos; 0: none */
	size_t			 len;	/* of that record */
};

static struct ring	*rings;
static size_t		 nrings;
static bool		 complete;
static int		 wake_fd = -1;
static struct event	*wake_ev;

void
execs_init(void)
{
	wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (wake_fd == -1)
		fatal("eventfd");
}

void
execs_start(void)
{
	long	 n = sysconf(_SC_NPROCESSORS_CONF);

	if (n < 1)
		n = 1;
	/* Of CPUs beyond that, arguments are read when there is time. */
	capture_start(n > CAPTURE_THREADS ? CAPTURE_THREADS : (size_t)n,
	    wake_fd);
}

/* A ring is half full. */
static void
on_wake(int fd, short what, void *arg)
{
	uint64_t	 n;

	(void)what, (void)arg;
	if (read(fd, &n, sizeof(n)) == -1 && errno != EAGAIN)
		fatal("eventfd");
	execs_read();
}

void
execs_run(void)
{
	wake_ev = event_new(main_base(), wake_fd, EV_READ | EV_PERSIST,
	    on_wake, NULL);
	if (wake_ev == NULL || event_add(wake_ev, NULL) == -1)
		fatal(NULL);
}

void
execs_clear(void)
{
	struct ring	*r;

	while (nrings > 0) {
		r = &rings[--nrings];
		capture_ring(r->cpu, -1, NULL, 0);
		ring_close(&r->data);
	}
	free(rings);
	rings = NULL;
	complete = false;
}

void
execs_add(const struct msg_event *m, int fd)
{
	struct ring	*r;
	size_t		 i;

	if (m->kind == EVENT_EXEC_DONE) {
		for (i = 0; i < nrings; i++)
			if (rings[i].cpu == m->cpu)
				rings[i].wakes = true;
		close(fd);
		return;
	}
	rings = recallocarray(rings, nrings, nrings + 1, sizeof(*rings));
	if (rings == NULL)
		fatal(NULL);
	r = &rings[nrings++];
	r->cpu = m->cpu;
	if (ring_open(&r->data, fd) == -1)
		log_warn("ring of processes of CPU %u", m->cpu);
}

void
execs_complete(void)
{
	size_t	 i;

	for (i = 0; i < nrings; i++)
		if (rings[i].data.page == NULL || !rings[i].wakes) {
			execs_clear();
			return;
		}
	if (nrings == 0)
		return;
	/* What was there before this set did not tell everything. */
	connector_stop();
	main_unhurried();
	ident_forget();
	complete = true;
	for (i = 0; i < nrings; i++)
		capture_ring(rings[i].cpu, rings[i].data.fd,
		    rings[i].data.page, rings[i].data.size);
	ident_scan();
}

bool
execs_on(void)
{
	return complete;
}

void
execs_distrust(void)
{
	if (!complete)
		return;
	execs_clear();
	ident_forget();
}

/* Length and time of the record at pos; 0: there is none before the end. */
static size_t
ring_peek(const struct ring *r, uint64_t pos, uint64_t end, uint64_t *time)
{
	struct perf_event_header	 h;
	size_t				 at;

	if (pos + sizeof(h) > end)
		return 0;
	ring_copy(&r->data, pos, &h, sizeof(h));
	if ((at = execrec_time_at(h.type, h.size)) == 0 || pos + h.size > end)
		return 0;
	ring_copy(&r->data, pos + at, time, sizeof(*time));
	return h.size;
}

static void
ring_next(struct ring *r)
{
	r->len = ring_peek(r, r->pos, r->head, &r->time);
	if (r->len == 0)
		r->time = 0;
}

/* The newest record that the first look saw. */
static uint64_t
ring_newest(const struct ring *r)
{
	uint64_t	 pos = r->data.page->data_tail, time, newest = 0;
	size_t		 len;

	while ((len = ring_peek(r, pos, r->first, &time)) > 0) {
		newest = time;
		pos += len;
	}
	return newest;
}

static struct ring *
oldest(void)
{
	struct ring	*r, *best = NULL;

	for (r = rings; r < rings + nrings; r++)
		if (r->len > 0 && (best == NULL || r->time < best->time))
			best = r;
	return best;
}

static void
take(struct ring *r)
{
	/* Aligned: numbers in it are looked at where they are. */
	static uint64_t	 buf[EXECREC_MAX / sizeof(uint64_t)];
	struct execrec	 rec;

	if (r->len <= sizeof(buf)) {
		ring_copy(&r->data, r->pos, buf, r->len);
		if (execrec_parse(buf, r->len, &rec) == 0)
			ident_record(&rec);
	}
	r->pos += r->len;
	__atomic_store_n(&r->data.page->data_tail, r->pos, __ATOMIC_RELEASE);
	ring_next(r);
}

/*
 * Heads of both looks.  Without room for the longest record some may have
 * been lost, which the kernel only tells with the next one.
 */
static uint64_t
look(bool *full)
{
	struct ring	*r;
	uint64_t	 t, bound = 0;

	for (r = rings; r < rings + nrings; r++)
		r->first = __atomic_load_n(&r->data.page->data_head,
		    __ATOMIC_ACQUIRE);
	for (r = rings; r < rings + nrings; r++)
		r->head = __atomic_load_n(&r->data.page->data_head,
		    __ATOMIC_ACQUIRE);
	for (r = rings; r < rings + nrings; r++) {
		if ((t = ring_newest(r)) > bound)
			bound = t;
		r->pos = r->data.page->data_tail;
		if (r->head - r->pos > r->data.size - EXECREC_MAX)
			*full = true;
		ring_next(r);
	}
	return bound;
}

static bool
is_news(void)
{
	struct ring	*r;

	for (r = rings; r < rings + nrings; r++)
		if (__atomic_load_n(&r->data.page->data_head,
		    __ATOMIC_ACQUIRE) != r->data.page->data_tail)
			return true;
	return false;
}

void
execs_read(void)
{
	struct ring	*r;
	uint64_t	 bound;
	bool		 full = false;

	if (!complete || !is_news())
		return;
	bound = look(&full);
	while ((r = oldest()) != NULL && r->time <= bound)
		take(r);
	if (full)
		ident_forget();
}
