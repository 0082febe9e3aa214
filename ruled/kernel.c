/*
 * SPDX-License-Identifier: ISC
 *
 * What the kernel counts of our queue, /proc/net/netfilter/nfnetlink_queue:
 * a line for each queue of the host, of which the parent opened the file.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "ruled.h"

int
kernel_read(struct kernel_counts *k)
{
	char		 buf[4096], *line, *rest = buf;
	ssize_t		 n;
	uint32_t	 queue;

	memset(k, 0, sizeof(*k));
	if (!(config.fds & (1U << FD_RULED_COUNTERS)))
		return -1;
	if ((n = pread(FD_RULED_COUNTERS, buf, sizeof(buf) - 1, 0)) <= 0)
		return -1;
	buf[n] = '\0';
	/* Queue, port, waiting, mode, range, dropped, undelivered, last id. */
	while ((line = strsep(&rest, "\n")) != NULL)
		if (sscanf(line, "%" SCNu32 " %*u %" SCNu32 " %*u %*u %" SCNu32
		    " %" SCNu32 " %" SCNu32, &queue, &k->waiting, &k->dropped,
		    &k->undelivered, &k->last_id) == 5 &&
		    queue == config.queue)
			return 0;
	return -1;
}
