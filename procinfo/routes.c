/*
 * SPDX-License-Identifier: ISC
 *
 * Whoever sends looks up a route first, in his own context and namespace,
 * and the kernel's tracepoints fib:fib_table_lookup and
 * fib6:fib6_table_lookup tell the tuple.  For a packet that this host
 * forwards, that is the only trace of the program behind it.
 *
 * IPv4 look-ups of connected sockets have the whole tuple.  Others come before
 * the source address is chosen, those of TCP over IPv6 before the port is, so
 * several programs may fit: then the one answer is the program in whose
 * namespace the packet's source address is.  Without just one there is none.
 * A look-up that was paired with a connection is no other connection's.
 */

#include <arpa/inet.h>
#include <event2/event.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "procinfo.h"
#include "ring.h"
#include "routes.h"

#define RINGS_MAX	2048
#define ROUTES_MAX	4096	/* look-ups remembered; a power of two */
#define RECORD_MAX	256
#define EXACT_NS	(10ULL * 1000000000)	/* retransmits included */
#define OPEN_NS		(2ULL * 1000000000)	/* not paired with any yet */
#define FITS_MAX	8
#define CHAINS		1024	/* of look-ups of one destination */

/* One look-up. */
struct route {
	uint64_t	time;
	uint32_t	pid;
	struct tuple	tuple;	/* with zeros where it was not known yet */
	uint64_t	prev;	/* in its chain, counted from 1; 0: none */
};

struct ring {
	struct ring_data	 data;
	struct event_route	 layout;
	struct event		*ev;
};

static struct ring	*rings;
static size_t		 nrings;
static struct route	 routes[ROUTES_MAX];
static uint64_t		 nroutes;	/* ever */
static uint64_t		 chain[CHAINS];	/* the newest one's number, from 1 */
static uint64_t		 lost;		/* when the last one was lost, or later */

void
routes_clear(void)
{
	struct ring	*r;

	while (nrings > 0) {
		r = &rings[--nrings];
		event_free(r->ev);
		ring_close(&r->data);
	}
	free(rings);
	rings = NULL;
}

bool
routes_on(void)
{
	return nrings > 0;
}

static uint16_t
number_at(const uint8_t *record, uint8_t offset)
{
	uint16_t	n;

	memcpy(&n, record + offset, sizeof(n));
	return n;
}

/* By what is never unknown, and is never changed. */
static uint64_t *
chain_of(const struct tuple *t)
{
	uint32_t	 dst;

	/* Of an IPv6 address the end, where hosts of one network differ. */
	memcpy(&dst, t->dst.b + (t->dst.af == AF_INET6 ? 12 : 0), sizeof(dst));
	return &chain[((dst ^ t->dport ^ (uint32_t)t->proto << 16) *
	    2654435761u >> 8) % CHAINS];
}

/*
 * Pid and tid, time, length of the tracepoint's record, that record.  gap:
 * others were lost before it.
 */
static void
take_sample(const struct event_route *l, const uint8_t *s, size_t len,
    bool gap)
{
	struct route	*r = &routes[nroutes % ROUTES_MAX];
	const uint8_t	*rec = s + 20;
	uint64_t	*newest;
	uint32_t	 n;
	uint8_t		 size = l->family == 4 ? 4 : 16;

	if (len < 20)
		return;
	memcpy(&n, s + 16, sizeof(n));
	if (n > len - 20 || n < l->end)
		return;
	memset(r, 0, sizeof(*r));
	memcpy(&r->pid, s, sizeof(r->pid));
	memcpy(&r->time, s + 8, sizeof(r->time));
	r->tuple.src.af = r->tuple.dst.af = l->family == 4 ? AF_INET :
	    AF_INET6;
	memcpy(r->tuple.src.b, rec + l->src, size);
	memcpy(r->tuple.dst.b, rec + l->dst, size);
	r->tuple.sport = number_at(rec, l->sport);
	r->tuple.dport = number_at(rec, l->dport);
	r->tuple.proto = rec[l->proto];
	if (gap && r->time > lost)
		lost = r->time - 1;
	newest = chain_of(&r->tuple);
	r->prev = *newest;
	*newest = ++nroutes;
}

static void
ring_drain(struct ring *r)
{
	struct perf_event_header	 h;
	uint8_t				 buf[RECORD_MAX];
	uint64_t			 pos = r->data.page->data_tail, head;
	bool				 full, gap = false;
	size_t				 len;

	head = ring_head(&r->data);
	full = head - pos > r->data.size - RECORD_MAX;
	while (pos + sizeof(h) <= head) {
		ring_copy(&r->data, pos, &h, sizeof(h));
		if (h.size < sizeof(h) || pos + h.size > head)
			break;
		len = h.size - sizeof(h);
		if (h.type == PERF_RECORD_LOST)
			gap = true;
		if (h.type == PERF_RECORD_SAMPLE && len <= sizeof(buf)) {
			ring_copy(&r->data, pos + sizeof(h), buf, len);
			take_sample(&r->layout, buf, len, gap);
			gap = false;
		}
		pos += h.size;
	}
	__atomic_store_n(&r->data.page->data_tail, pos, __ATOMIC_RELEASE);
	/*
	 * There was no room for another: that it is lost the kernel tells only
	 * with the next one that it writes.
	 */
	if (full || gap)
		lost = now_ns();
}

static void
ring_readable(int fd, short what, void *arg)
{
	size_t	 i;

	(void)fd, (void)what, (void)arg;
	for (i = 0; i < nrings; i++)
		ring_drain(&rings[i]);
}

void
routes_add(const struct msg_event *m, int fd)
{
	struct ring	 r;
	int		 rc;

	memset(&r, 0, sizeof(r));
	event_route_get(m->id, &r.layout);
	rc = m->kind == EVENT_TRACE_ROUTE ?
	    ring_open_trace(&r.data, fd, true) : ring_open(&r.data, fd);
	if (rc == -1 || nrings == RINGS_MAX) {
		log_warn("ring of routing look-ups of CPU %u", m->cpu);
		ring_close(&r.data);
		return;
	}
	r.ev = event_new(main_base(), fd, EV_READ | EV_PERSIST,
	    ring_readable, NULL);
	if (r.ev == NULL || event_add(r.ev, NULL) == -1)
		fatal(NULL);
	rings = recallocarray(rings, nrings, nrings + 1, sizeof(*rings));
	if (rings == NULL)
		fatal(NULL);
	rings[nrings++] = r;
}

static bool
is_zero(const struct addr *a)
{
	static const uint8_t	 zero[16];

	return memcmp(a->b, zero, addr_size(a->af)) == 0;
}

/* Was the look-up this packet's, or, not exact, could it have been? */
static bool
fits(const struct route *r, const struct tuple *t, bool exact)
{
	if (r->tuple.proto != t->proto || r->tuple.dport != t->dport ||
	    !addr_eq(&r->tuple.dst, &t->dst))
		return false;
	if (exact)
		return r->tuple.sport == t->sport &&
		    addr_eq(&r->tuple.src, &t->src);
	if (r->tuple.sport != t->sport && (r->tuple.sport != 0 ||
	    t->src.af != AF_INET6))
		return false;
	return is_zero(&r->tuple.src);
}

/* In net/if_inet6 an address is 32 digits. */
static bool
lists_own6(const char *text, const struct addr *a)
{
	char	 want[33];
	size_t	 i;

	for (i = 0; i < 16; i++)
		(void)snprintf(want + 2 * i, 3, "%02x", a->b[i]);
	return strstr(text, want) != NULL;
}

/* In net/fib_trie "-- ADDRESS" is followed by lines of what it is. */
static bool
lists_own4(const char *text, const struct addr *a)
{
	char		 want[32];
	const char	*p, *end;

	(void)snprintf(want, sizeof(want), "-- %u.%u.%u.%u\n", a->b[0],
	    a->b[1], a->b[2], a->b[3]);
	for (p = text; (p = strstr(p, want)) != NULL; p = end) {
		p += strlen(want);
		if ((end = strstr(p, "-- ")) == NULL)
			end = p + strlen(p);
		if (memmem(p, (size_t)(end - p), "host LOCAL", 10) != NULL)
			return true;
	}
	return false;
}

/*
 * Does the process's namespace have this address?  What cannot be read any
 * more counts as yes.
 */
static bool
may_own(uint32_t pid, const struct addr *a)
{
	static char	 buf[65536];
	ssize_t		 n;
	int		 dir;

	if ((dir = procpid_open(pid)) == -1)
		return true;
	n = procpid_read(dir, a->af == AF_INET ? "net/fib_trie" :
	    "net/if_inet6", buf, sizeof(buf) - 1);
	close(dir);
	if (n <= 0 || (size_t)n == sizeof(buf) - 1)
		return true;
	buf[n] = '\0';
	return a->af == AF_INET ? lists_own4(buf, a) : lists_own6(buf, a);
}

/* Those that fit, one a process, newest first; -1: more than max. */
static int
find_fits(const struct msg_who *who, bool exact, struct route *out[], int max)
{
	struct route	*r;
	uint64_t	 i, oldest, window = exact ? EXACT_NS : OPEN_NS;
	int		 j, n = 0;

	oldest = nroutes > ROUTES_MAX ? nroutes - ROUTES_MAX : 0;
	for (i = *chain_of(&who->tuple); i > oldest; i = r->prev) {
		r = &routes[(i - 1) % ROUTES_MAX];
		if (r->time > who->time || who->time - r->time > window ||
		    !fits(r, &who->tuple, exact))
			continue;
		for (j = 0; j < n && out[j]->pid != r->pid; j++)
			continue;
		if (j < n)
			continue;
		if (n == max)
			return -1;
		out[n++] = r;
	}
	return n;
}

/* The one look-up that must have been this packet's, or NULL. */
static struct route *
find_one(const struct msg_who *who, bool exact)
{
	struct route	*fit[FITS_MAX], *one = NULL;
	int		 i, n;

	n = find_fits(who, exact, fit, FITS_MAX);
	for (i = 0; i < n; i++) {
		if (!exact && !may_own(fit[i]->pid, &who->tuple.src))
			continue;
		if (one != NULL)
			return NULL;
		one = fit[i];
	}
	return one;
}

int
routes_find(const struct msg_who *who, uint32_t *pid, uint64_t *time)
{
	struct route	*r;

	ring_readable(-1, 0, NULL);
	r = find_one(who, true);
	/*
	 * With the whole tuple: one that was lost was before it, and is
	 * nobody's any more.  Without, the packet may be of one that was lost.
	 */
	if (r != NULL && r->time <= lost)
		return -1;
	if (r == NULL && (lost == 0 || who->time > lost + OPEN_NS))
		r = find_one(who, false);
	if (r == NULL)
		return -1;
	/* From now on it is this connection's, and no other's. */
	r->tuple = who->tuple;
	*pid = r->pid;
	*time = r->time;
	return 0;
}

void
routes_taken(const struct msg_who *who, uint32_t pid)
{
	struct route	*fit[FITS_MAX];
	int		 i, n;

	if (nrings == 0)
		return;
	ring_readable(-1, 0, NULL);
	n = find_fits(who, false, fit, FITS_MAX);
	for (i = 0; i < n; i++)
		if (fit[i]->pid == pid)
			fit[i]->tuple = who->tuple;
}
