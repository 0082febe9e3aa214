/*
 * SPDX-License-Identifier: ISC
 *
 * execrec_parse: any bytes, as if the kernel's records could be forged.
 */
#include "execrec.h"
#include "prove.h"

static void
parse(const uint8_t *data, size_t len)
{
	struct execrec	r;

	(void)execrec_parse(data, len, &r);
	(void)execrec_time(data, len);
}
