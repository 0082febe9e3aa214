/*
 * SPDX-License-Identifier: ISC
 *
 * The memory that the kernel writes the records of one event into
 * (perf_event_open(2)): a page about it, then the data, a power of two.
 */
#ifndef RING_H
#define RING_H

#include <linux/perf_event.h>
#include <stddef.h>
#include <stdint.h>

struct ring_data {
	int				 fd;
	struct perf_event_mmap_page	*page;	/* NULL: not mapped */
	size_t				 size;	/* of the data behind it */
};

/*
 * Maps the ring of an event, whose descriptor it takes over in any case.
 * The parent chose the size, by the number of CPUs; only it is accepted.  0,
 * or -1 with errno.
 */
int	 ring_open(struct ring_data *, int fd);
void	 ring_close(struct ring_data *);
/* Copies out of the data, whose end may lie in the middle of a record. */
void	 ring_copy(const struct ring_data *, uint64_t pos, void *, size_t);

#endif /* RING_H */
