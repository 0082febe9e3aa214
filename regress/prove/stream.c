/*
 * SPDX-License-Identifier: ISC
 *
 * dns_stream_segment: any segments in any order, any number of them, each of
 * every length up to MAX.
 */
#include "dns_stream.c"

#define SEQUENCE 1
#include "prove.h"

/* What follows reads the message to its end. */
static void
message(const uint8_t *msg, size_t len, void *arg)
{
	volatile uint8_t	first, last;

	(void)arg;
	first = msg[0];
	last = msg[len - 1];
	(void)first, (void)last;
}

static void
parse(const uint8_t *data, size_t len)
{
	static struct dns_streams	 s;
	static struct packet		 p;

	Frama_C_make_unknown((char *)&p.tuple, sizeof(p.tuple));
	p.tcp_flags = Frama_C_unsigned_char_interval(0, UINT8_MAX);
	p.seq = Frama_C_unsigned_int_interval(0, UINT32_MAX);
	p.payload = data;
	p.payload_len = len;
	p.payload_full = Frama_C_unsigned_int_interval(0, UINT32_MAX);
	dns_stream_segment(&s, &p, message, NULL);
	p.payload = NULL;
	p.payload_len = 0;
	dns_stream_segment(&s, &p, message, NULL);
}
