/*
 * SPDX-License-Identifier: ISC
 *
 * libFuzzer: any bytes as a DNS message, and as a TCP segment with one.
 */
#include <stdlib.h>
#include <string.h>

#include "dns.h"
#include "dns_stream.h"

int	 LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
require(bool holds)
{
	if (!holds)
		abort();
}

/* Nothing but what may stand in a log, and never longer than a name is. */
static void
check_name(const char *name)
{
	size_t	len = strnlen(name, HOST_NAME_MAX_DNS);

	require(len <= DNS_TEXT_MAX);
	require(strspn(name, "abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") == len);
	require(len == 0 || (name[0] != '.' && name[len - 1] != '.'));
	require(strstr(name, "..") == NULL);
}

static void
check(const struct dns_msg *m)
{
	const struct dns_answer	*a;
	char			 name[HOST_NAME_MAX_DNS];
	size_t			 i;

	check_name(m->qname);
	require(m->nanswers <= DNS_ANSWERS_MAX);
	require(m->reply || m->nanswers == 0);
	for (i = 0; i < m->nanswers; i++) {
		a = &m->answer[i];
		check_name(a->owner);
		check_name(a->target);
		require(a->owner[0] != '\0');
		require((a->addr.af != 0) == (a->target[0] == '\0'));
		memcpy(name, a->owner, sizeof(name));
		dns_name_lower(name);
		require(dns_name_same(name, a->owner));
		require(dns_name_ok(name) == dns_name_ok(a->owner));
	}
}

static void
parse(const uint8_t *bytes, size_t len)
{
	static struct dns_msg	 m;
	uint8_t			*copy = malloc(len > 0 ? len : 1);

	if (copy == NULL)
		return;
	memcpy(copy, bytes, len);
	memset(&m, 0xa5, sizeof(m));
	if (dns_parse(copy, len, &m) == 0)
		check(&m);
	free(copy);
}

static void
message(const uint8_t *msg, size_t len, void *arg)
{
	*(size_t *)arg += len;
	parse(msg, len);
}

/*
 * The input as a stream: each segment's length, and how far back it begins,
 * come from the input, too.
 */
static void
parse_stream(const uint8_t *input, size_t size)
{
	struct dns_streams	*s = dns_streams_new();
	struct packet		 p;
	size_t			 at, len, total = 0;

	memset(&p, 0, sizeof(p));
	p.tcp_flags = PACKET_TCP_SYN;
	dns_stream_segment(s, &p, message, &total);
	p.tcp_flags = PACKET_TCP_ACK;
	for (at = 0; at < size; at += len) {
		len = 1 + input[at] % 64;
		if (len > size - at)
			len = size - at;
		p.seq = (uint32_t)at + 1 - (input[at] >> 7);
		p.payload = input + at;
		p.payload_len = len;
		p.payload_full = len + (input[at] >> 6 & 1);
		dns_stream_segment(s, &p, message, &total);
	}
	require(total <= size);
	dns_streams_free(s);
}

int
LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
	parse(input, size);
	parse_stream(input, size);
	return 0;
}
