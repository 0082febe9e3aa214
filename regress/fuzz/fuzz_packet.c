/*
 * SPDX-License-Identifier: ISC
 *
 * libFuzzer: any bytes as a packet.  The first byte says the family, the two
 * behind it how much more the packet had than was copied.
 */
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "packet.h"

#define HEAD	3

int	 LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
require(bool holds)
{
	if (!holds)
		abort();
}

/* What must be true of every result. */
static void
check(const struct packet *p, int ret, const uint8_t *data, size_t len)
{
	require((unsigned int)p->kind < PACKET_KIND_MAX);
	require((ret == 0) == (p->kind == PACKET_OK));
	require(ret == 0 || ret == -1);
	require(packet_kind_name(p->kind)[0] != '\0');
	if (ret == -1) {
		require(p->payload == NULL && p->payload_len == 0);
		require(!p->payload_whole && !p->opens);
		return;
	}
	require(p->payload >= data && p->payload_len <= len);
	require(p->payload + p->payload_len <= data + len);
	require(p->tuple.src.af == p->tuple.dst.af);
	require(addr_size(p->tuple.src.af) != 0);
	if (p->tuple.proto == IPPROTO_TCP)
		require(p->opens == ((p->tcp_flags & 0x17) == 0x02));
	else
		require(p->opens && p->tcp_flags == 0);
}

/* Fewer bytes may only mean less knowledge, never another connection. */
static void
check_cut(const struct packet *whole, const uint8_t *data, size_t len,
    size_t full, uint8_t af)
{
	struct packet	 p;
	uint8_t		*copy;
	size_t		 cut = len / 2;
	int		 ret;

	if (cut == 0 || (copy = malloc(cut)) == NULL)
		return;
	memcpy(copy, data, cut);
	ret = packet_parse(copy, cut, full, af, &p);
	check(&p, ret, copy, cut);
	if (ret == 0) {
		require(whole->kind == PACKET_OK);
		require(p.tuple.proto == whole->tuple.proto);
		require(p.tuple.sport == whole->tuple.sport);
		require(p.tuple.dport == whole->tuple.dport);
		require(addr_eq(&p.tuple.src, &whole->tuple.src));
		require(addr_eq(&p.tuple.dst, &whole->tuple.dst));
		require(p.opens == whole->opens);
	}
	free(copy);
}

int
LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
	struct packet	 p;
	uint8_t		*data, af;
	size_t		 len, full;
	int		 ret;

	if (size <= HEAD)
		return 0;
	af = input[0] & 1 ? AF_INET6 : AF_INET;
	len = size - HEAD;
	full = len + (size_t)(input[1] << 8 | input[2]);
	if ((data = malloc(len)) == NULL)
		return 0;
	memcpy(data, input + HEAD, len);
	ret = packet_parse(data, len, full, af, &p);
	check(&p, ret, data, len);
	check_cut(&p, data, len, full, af);
	free(data);
	return 0;
}
