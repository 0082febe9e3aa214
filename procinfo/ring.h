/*
 * SPDX-License-Identifier: ISC
 *
 * The memory that the kernel writes the records of one event into
 * (perf_event_open(2)): a page about it, then the data, a power of two.
 *
 * Where only tracefs is to be had, pages of its buffer are read and put down
 * in the same form here, so that whoever reads records needs to know only one.
 */
#ifndef RING_H
#define RING_H

#include <linux/perf_event.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SAMPLE_SIZE	32	/* of an order event: header, id, pid and tid,
				   time */

struct ring_data {
	int				 fd;
	struct perf_event_mmap_page	*page;	/* NULL: not mapped */
	size_t				 size;	/* of the data behind it */
	bool				 trace;	/* by tracefs; and then: */
	bool				 whole;	/* with the event's own record */
};

/*
 * Maps the ring of an event, whose descriptor it takes over in any case.
 * The parent chose the size, by the number of CPUs; only it is accepted.  0,
 * or -1 with errno.
 */
int	 ring_open(struct ring_data *, int fd);
/*
 * The same of a CPU's buffer in tracefs.  Samples hold the thread in place of
 * its process; id is whether it was in an interrupt, or (whole) there is none
 * and the event's record follows.
 */
int	 ring_open_trace(struct ring_data *, int fd, bool whole);
void	 ring_close(struct ring_data *);
/* Up to where there are records now. */
uint64_t ring_head(struct ring_data *);
/* Copies out of the data, whose end may lie in the middle of a record. */
void	 ring_copy(const struct ring_data *, uint64_t pos, void *, size_t);

#endif /* RING_H */
