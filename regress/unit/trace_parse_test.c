/*
 * SPDX-License-Identifier: ISC
 *
 * Pages of a tracefs buffer, whole and damaged.
 */
#include <stdint.h>
#include <string.h>

#include "case.h"
#include "trace_parse.h"

#define TIME	0x1122334455667788ULL
#define HEAD	(8 + sizeof(long))
#define MISSED	(1UL << 31)
#define STORED	(1UL << 30)

/* A page under construction. */
static struct {
	_Alignas(8) uint8_t	 b[4096];
	size_t			 len;
} page;

static void
put(const void *p, size_t len)
{
	memcpy(page.b + page.len, p, len);
	page.len += len;
}

static void
u32(uint32_t n)
{
	put(&n, sizeof(n));
}

static void
begin(void)
{
	uint64_t	 time = TIME;

	memset(&page, 0, sizeof(page));
	put(&time, sizeof(time));
	page.len = HEAD;
}

/* How much of it was written, and what was lost before; n: how many. */
static void
end(unsigned long flags, long n)
{
	unsigned long	 commit = (page.len - HEAD) | flags;

	memcpy(page.b + 8, &commit, sizeof(commit));
	if (flags & STORED)
		put(&n, sizeof(n));
}

static void
head(uint32_t type, uint32_t delta)
{
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	u32(type << 27 | delta);
#else
	u32(delta << 5 | type);
#endif
}

/* Kind 7, these flags, this thread, one number. */
static void
body(uint8_t flags, uint32_t thread, uint32_t n)
{
	uint8_t	 common[4] = { 7, 0, flags, 1 };

	put(common, sizeof(common));
	u32(thread);
	u32(n);
}

static void
records(void)
{
	struct trace_page	 p;
	struct trace_record	 r;
	uint32_t		 n;

	begin();
	head(3, 5);
	body(0, 1234, 42);
	head(3, 7);
	body(TRACE_IN_IRQ, 99, 43);
	end(0, 0);
	CHECK(trace_page_init(&p, page.b, sizeof(page.b)) == 0);
	CHECK(p.lost == 0);
	CHECK(trace_page_next(&p, &r) == 1);
	CHECK(r.time == TIME + 5 && r.thread == 1234 && r.flags == 0);
	CHECK(r.len == 12 && memcpy(&n, r.data + 8, 4) && n == 42);
	CHECK(trace_page_next(&p, &r) == 1);
	CHECK(r.time == TIME + 12 && r.thread == 99);
	CHECK((r.flags & TRACE_IN_IRQ) != 0);
	CHECK(trace_page_next(&p, &r) == 0);
	case_end("records");
}

static void
long_record(void)
{
	struct trace_page	 p;
	struct trace_record	 r;
	int			 i;

	begin();
	head(0, 1);
	u32(4 + 12 + 120 - 3);	/* its own word; not a multiple of four */
	body(0, 5, 6);
	for (i = 0; i < 30; i++)
		u32(i);
	head(3, 1);
	body(0, 6, 7);
	end(0, 0);
	CHECK(trace_page_init(&p, page.b, page.len) == 0);
	CHECK(trace_page_next(&p, &r) == 1);
	CHECK(r.len == 132 && r.thread == 5);
	CHECK(trace_page_next(&p, &r) == 1 && r.thread == 6);
	CHECK(trace_page_next(&p, &r) == 0);
	case_end("a record with its length before it");
}

/* 27 bits of nanoseconds are a seventh of a second. */
static void
times(void)
{
	struct trace_page	 p;
	struct trace_record	 r;

	begin();
	head(30, 3);
	u32(2);
	head(3, 4);
	body(0, 1, 0);
	head(31, 9);
	u32(0x80000000);
	head(3, 0);
	body(0, 1, 0);
	end(0, 0);
	CHECK(trace_page_init(&p, page.b, page.len) == 0);
	CHECK(trace_page_next(&p, &r) == 1);
	CHECK(r.time == TIME + (2ULL << 27) + 3 + 4);
	CHECK(trace_page_next(&p, &r) == 1);
	/* The first five bits are not in it. */
	CHECK(r.time == ((TIME >> 59 << 59) | (0x80000000ULL << 27) | 9));
	case_end("times");
}

static void
taken_back(void)
{
	struct trace_page	 p;
	struct trace_record	 r;

	begin();
	head(29, 6);
	u32(16);		/* as much follows, this word included */
	body(0, 666, 0);
	head(3, 1);
	body(0, 2, 0);
	head(29, 0);
	u32(4000);
	end(0, 0);
	CHECK(trace_page_init(&p, page.b, page.len) == 0);
	CHECK(trace_page_next(&p, &r) == 1);
	CHECK(r.thread == 2 && r.time == TIME + 7);
	CHECK(trace_page_next(&p, &r) == 0);
	CHECK(trace_page_next(&p, &r) == 0);
	case_end("a record taken back, an empty end");
}

static void
losses(void)
{
	struct trace_page	 p;

	begin();
	head(3, 1);
	body(0, 2, 0);
	end(MISSED | STORED, 77);
	CHECK(trace_page_init(&p, page.b, page.len) == 0 && p.lost == 77);
	/* Said to be there, and cut off. */
	CHECK(trace_page_init(&p, page.b, page.len - 1) == 0);
	CHECK(p.lost == TRACE_LOST_MANY);
	page.len = HEAD + 16;
	end(MISSED, 0);
	CHECK(trace_page_init(&p, page.b, page.len) == 0);
	CHECK(p.lost == TRACE_LOST_MANY);
	page.len = HEAD + 16;
	end(MISSED | STORED, -1);
	CHECK(trace_page_init(&p, page.b, page.len) == 0);
	CHECK(p.lost == TRACE_LOST_MANY);
	case_end("losses, counted and not");
}

/* bad: the second record, or the page itself. */
static int
second(void)
{
	struct trace_page	 p;
	struct trace_record	 r;

	if (trace_page_init(&p, page.b, page.len) == -1 ||
	    trace_page_next(&p, &r) != 1)
		return 0;
	return trace_page_next(&p, &r);
}

static void
good_one(void)
{
	begin();
	head(3, 1);
	body(0, 2, 0);
}

static void
damaged(void)
{
	struct trace_page	 p;

	good_one();
	end(0, 0);
	CHECK(trace_page_init(&p, page.b, HEAD - 1) == -1);
	CHECK(trace_page_init(&p, page.b, page.len - 1) == -1);
	good_one();
	head(4, 1);		/* longer than the page */
	body(0, 2, 0);
	end(0, 0);
	CHECK(second() == -1);
	good_one();
	head(1, 1);		/* too short for what all have */
	u32(0);
	end(0, 0);
	CHECK(second() == -1);
	good_one();
	head(0, 1);		/* its length is less than its own word's */
	u32(3);
	end(0, 0);
	CHECK(second() == -1);
	good_one();
	head(0, 1);
	u32(UINT32_MAX);
	end(0, 0);
	CHECK(second() == -1);
	good_one();
	head(29, 1);		/* taken back, and more than there is */
	u32(5);
	end(0, 0);
	CHECK(second() == -1);
	good_one();
	head(30, 1);		/* and then nothing */
	end(0, 0);
	CHECK(second() == -1);
	good_one();
	put("x", 1);
	end(0, 0);
	CHECK(second() == -1);
	case_end("damaged");
}

int
main(void)
{
	records();
	long_record();
	times();
	taken_back();
	losses();
	damaged();
	return case_failures > 0;
}
