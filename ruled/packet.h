/*
 * SPDX-License-Identifier: ISC
 *
 * What a packet is: addresses, protocol, ports and payload.
 * Pure: bytes in, a struct out.
 */
#ifndef PACKET_H
#define PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "msg.h"

/* IPv6 extension headers walked before giving up. */
#define PACKET_DEPTH_MAX	8

/* TCP's flag bits, as they stand in tcp_flags. */
#define PACKET_TCP_FIN	0x01
#define PACKET_TCP_SYN	0x02
#define PACKET_TCP_RST	0x04
#define PACKET_TCP_PSH	0x08
#define PACKET_TCP_ACK	0x10
#define PACKET_TCP_URG	0x20

enum packet_kind {
	PACKET_OK,
	PACKET_FRAGMENT,	/* not the first: no ports */
	PACKET_TRUNCATED,	/* ends, or was cut, inside a header */
	PACKET_MALFORMED,	/* its fields contradict each other */
	PACKET_TOO_DEEP,	/* more extension headers than we walk */
	PACKET_NOT_IP,		/* neither IPv4 nor IPv6 */
	PACKET_ROUTED,		/* source-routed: dst is not where it ends */
	PACKET_KIND_MAX
};

struct packet {
	enum packet_kind kind;
	struct tuple	 tuple;
	uint8_t		 tcp_flags;	/* PACKET_TCP_* */
	uint32_t	 seq;		/* TCP's */
	bool		 opens;	/* not TCP, or SYN without ACK, RST and FIN */
	uint8_t		 icmp_type, icmp_code;
	const uint8_t	*payload;	/* points into data; NULL if not OK */
	size_t		 payload_len;	/* bytes of it that were copied */
	size_t		 payload_full;	/* that it has */
	bool		 payload_whole;	/* nothing cut off, no fragment */
};

/*
 * data holds the len bytes that the kernel copied of a packet of full_len,
 * from its IP header on.  0 if the kind is PACKET_OK; else -1, with the kind
 * and as much of the tuple as is certain (addresses, then protocol, then
 * ports); the rest is zero.
 */
int	 packet_parse(const uint8_t *data, size_t len, size_t full_len,
	    uint8_t af, struct packet *) __attribute__((warn_unused_result));
/* "ok", "fragment", ...: for logs. */
const char *packet_kind_name(enum packet_kind);

#endif /* PACKET_H */
