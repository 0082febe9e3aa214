/*
 * SPDX-License-Identifier: ISC
 *
 * dns_parse and dns_over_tcp: any bytes.
 */
#include "dns.h"
#include "prove.h"

static void
parse(const uint8_t *data, size_t len)
{
	static struct dns_msg	m;
	size_t			msg_len;

	(void)dns_parse(data, len, &m);
	(void)dns_over_tcp(data, len, &msg_len);
}
