/*
 * SPDX-License-Identifier: ISC
 *
 * Records of a ring, one behind the other, each as long as it says.
 */
#include <linux/perf_event.h>
#include <stdlib.h>
#include <string.h>

#include "execrec.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

/* Exact-size copies, so that one byte too far is seen. */
static void
one(const uint8_t *data, size_t len)
{
	struct execrec	 r;
	uint8_t		*rec;

	if ((rec = malloc(len)) == NULL)
		return;
	memcpy(rec, data, len);
	if (execrec_parse(rec, len, &r) == 0) {
		if (r.time != execrec_time(rec, len))
			abort();
		/* The path ends before the record does. */
		if (r.kind == EXECREC_MAP && (r.file.ino == 0 ||
		    (const uint8_t *)r.path + strlen(r.path) >= rec + len))
			abort();
	}
	free(rec);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct perf_event_header	 h;

	while (size >= sizeof(h)) {
		memcpy(&h, data, sizeof(h));
		if (h.size < sizeof(h) || h.size > size)
			break;
		one(data, h.size);
		data += h.size;
		size -= h.size;
	}
	if (size > 0)
		one(data, size);
	return 0;
}
