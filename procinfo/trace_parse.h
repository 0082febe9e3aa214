/*
 * SPDX-License-Identifier: ISC
 *
 * Reader of the pages that tracefs gives of a CPU's buffer (trace_pipe_raw):
 * events/header_page and events/header_event there describe them.  Pure: bytes
 * in, structs out.  All of it is the kernel's.
 */
#ifndef TRACE_PARSE_H
#define TRACE_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Events were written over, and it is not said how many. */
#define TRACE_LOST_MANY	UINT64_MAX
#define TRACE_IN_IRQ	24	/* flags: in a soft or a hard interrupt */

struct trace_page {
	const uint8_t	*data;
	size_t		 len, at;
	uint64_t	 time;	/* of what was read last */
	uint64_t	 lost;	/* before this page's first one */
};

struct trace_record {
	uint64_t	 time;	/* by the clock of the instance */
	uint32_t	 thread;
	uint8_t		 flags;
	const uint8_t	*data;	/* all of it, as its format describes it */
	size_t		 len;	/* filled up to a multiple of four */
};

/* One page, as it was read.  0, or -1 for what the kernel would not write. */
int	 trace_page_init(struct trace_page *, const void *, size_t)
	    __attribute__((warn_unused_result));
/* 1: the next record, 0: there is none, -1: as above. */
int	 trace_page_next(struct trace_page *, struct trace_record *)
	    __attribute__((warn_unused_result));

#endif /* TRACE_PARSE_H */
