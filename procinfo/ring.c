/*
 * SPDX-License-Identifier: ISC
 */
#include <sys/mman.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "order.h"
#include "ring.h"
#include "trace_parse.h"

#define PAGES_MAX	64	/* of data: what the parent asks for at most */
#define TRACE_SIZE	(512 * 1024)	/* more than a CPU's buffer holds */
#define TRACE_PAGE	65536	/* one is read at a time: the largest */
#define RECORD_MAX	256	/* of a tracepoint */
#define LOST_MANY	(2 * ORDER_HISTORY)	/* no number is known */

int
ring_open(struct ring_data *r, int fd)
{
	size_t	 pages, one = (size_t)getpagesize();
	void	*p;

	memset(r, 0, sizeof(*r));
	r->fd = fd;
	for (pages = PAGES_MAX; pages > 0; pages /= 2) {
		p = mmap(NULL, (pages + 1) * one, PROT_READ | PROT_WRITE,
		    MAP_SHARED, fd, 0);
		if (p != MAP_FAILED) {
			r->page = p;
			r->size = pages * one;
			return 0;
		}
		if (errno != EINVAL)
			break;
	}
	return -1;
}

int
ring_open_trace(struct ring_data *r, int fd, bool whole)
{
	memset(r, 0, sizeof(*r));
	r->fd = fd;
	r->trace = true;
	r->whole = whole;
	r->size = TRACE_SIZE;
	r->page = calloc(1, r->size + (size_t)getpagesize());
	return r->page == NULL ? -1 : 0;
}

void
ring_close(struct ring_data *r)
{
	if (r->trace)
		free(r->page);
	else if (r->page != NULL)
		(void)munmap(r->page, r->size + (size_t)getpagesize());
	close(r->fd);
	r->page = NULL;
	r->fd = -1;
}

void
ring_copy(const struct ring_data *r, uint64_t pos, void *to, size_t len)
{
	const uint8_t	*data = (const uint8_t *)r->page + getpagesize();
	size_t		 at = pos & (r->size - 1), n = r->size - at;

	if (n > len)
		n = len;
	memcpy(to, data + at, n);
	memcpy((uint8_t *)to + n, data, len - n);
}

/* ---- tracefs ----------------------------------------------------- */

static void
put(struct ring_data *r, const void *from, size_t len)
{
	uint8_t	*data = (uint8_t *)r->page + getpagesize();
	size_t	 at = r->page->data_head & (r->size - 1), n = r->size - at;

	if (n > len)
		n = len;
	memcpy(data + at, from, n);
	memcpy(data, (const uint8_t *)from + n, len - n);
	r->page->data_head += len;
}

static void
put_header(struct ring_data *r, uint32_t type, size_t len)
{
	struct perf_event_header	 h;

	memset(&h, 0, sizeof(h));
	h.type = type;
	h.size = (uint16_t)(sizeof(h) + len);
	put(r, &h, sizeof(h));
}

static void
put_lost(struct ring_data *r, uint64_t lost)
{
	uint64_t	 body[3] = { 0, lost, 0 };

	if (body[1] > LOST_MANY)
		body[1] = LOST_MANY;
	put_header(r, PERF_RECORD_LOST, sizeof(body));
	put(r, body, sizeof(body));
}

static void
put_sample(struct ring_data *r, const struct trace_record *t)
{
	uint64_t	 id = (t->flags & TRACE_IN_IRQ) != 0;
	uint32_t	 ids[2] = { t->thread, t->thread };
	uint32_t	 len = (uint32_t)t->len;
	size_t		 body = sizeof(ids) + sizeof(t->time);

	body += r->whole ? sizeof(len) + len : sizeof(id);
	put_header(r, PERF_RECORD_SAMPLE, body);
	if (!r->whole)
		put(r, &id, sizeof(id));
	put(r, ids, sizeof(ids));
	put(r, &t->time, sizeof(t->time));
	if (r->whole) {
		put(r, &len, sizeof(len));
		put(r, t->data, len);
	}
}

static void
put_page(struct ring_data *r, const void *buf, size_t len)
{
	struct trace_page	 page;
	struct trace_record	 t;
	int			 rc;

	if ((rc = trace_page_init(&page, buf, len)) == 0) {
		if (page.lost > 0)
			put_lost(r, page.lost);
		while ((rc = trace_page_next(&page, &t)) == 1)
			if (!r->whole || t.len <= RECORD_MAX)
				put_sample(r, &t);
			else
				put_lost(r, 1);
	}
	/* Not as any kernel so far has written it: what it held is lost. */
	if (rc == -1)
		put_lost(r, TRACE_LOST_MANY);
}

uint64_t
ring_head(struct ring_data *r)
{
	static uint8_t	 buf[TRACE_PAGE];
	ssize_t		 n;

	if (!r->trace)
		return __atomic_load_n(&r->page->data_head, __ATOMIC_ACQUIRE);
	/* What a page holds grows by no more than its half. */
	while (r->page->data_head - r->page->data_tail <
	    r->size - 2 * sizeof(buf) && (n = read(r->fd, buf,
	    sizeof(buf))) > 0)
		put_page(r, buf, (size_t)n);
	return r->page->data_head;
}
