/*
 * SPDX-License-Identifier: ISC
 */
#include <sys/mman.h>

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "ring.h"

#define PAGES_MAX	64	/* of data: what the parent asks for at most */

int
ring_open(struct ring_data *r, int fd)
{
	size_t	 pages, one = (size_t)getpagesize();
	void	*p;

	r->fd = fd;
	r->page = NULL;
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

void
ring_close(struct ring_data *r)
{
	if (r->page != NULL)
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
