/*
 * SPDX-License-Identifier: ISC
 *
 * One page of a tracefs buffer, as long as the input is.
 */
#include <stdlib.h>
#include <string.h>

#include "trace_parse.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct trace_page	 p;
	struct trace_record	 r;
	uint8_t			*buf;
	size_t			 i, n = 0;
	volatile uint8_t	 seen;

	/* Of exactly that size, so that one byte too far is seen. */
	if ((buf = malloc(size)) == NULL)
		return 0;
	if (size > 0)
		memcpy(buf, data, size);
	if (trace_page_init(&p, buf, size) == 0)
		while (trace_page_next(&p, &r) == 1) {
			if (r.data < buf || r.len > size || r.len % 4 != 0 ||
			    r.data + r.len > buf + size || ++n > size)
				abort();
			for (i = 0; i < r.len; i++)
				seen = r.data[i];
		}
	(void)seen;
	free(buf);
	return 0;
}
