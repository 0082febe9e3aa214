/*
 * SPDX-License-Identifier: ISC
 *
 * packet_parse: any bytes, of a packet said to have any length, in any
 * family.
 */
#include "packet.h"
#include "prove.h"

static void
parse(const uint8_t *data, size_t len)
{
	struct packet	p;
	size_t		full = (size_t)Frama_C_unsigned_int_interval(0,
			    UINT32_MAX);

	(void)packet_parse(data, len, full,
	    Frama_C_unsigned_char_interval(0, UINT8_MAX), &p);
}
