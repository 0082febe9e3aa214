/*
 * SPDX-License-Identifier: ISC
 *
 * Every byte read here comes from the kernel's copy of a packet, and was
 * chosen by whoever made it: any program of this host (raw sockets build
 * their own headers), or any stranger who can reach it.  Lengths inside the
 * packet are claims.  What cannot be read with certainty is given one of
 * the named results, and is judged by the default, never by a guess.
 *
 * Which oddities really arrive: the kernel puts fragments together before
 * it queues (save those of raw sockets that forbid it), checks IPv4's header
 * on input, and fills in IPv4's total length on output; a raw IPv6 header
 * is sent as the program wrote it.
 */
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "ibuf.h"
#include "packet.h"

/* RFC 791. */
#define IP4_HEADER	20
#define IP4_LEN		2	/* offsets into the header */
#define IP4_FRAG	6
#define IP4_PROTO	9
#define IP4_SRC		12
#define IP4_DST		16
#define IP4_MORE	0x2000
#define IP4_OFFMASK	0x1fff
#define IP4_OPT_END	0
#define IP4_OPT_NOP	1
#define IP4_OPT_FIXED	2	/* type and size, of all others */
#define IP4_OPT_LSRR	131
#define IP4_OPT_SSRR	137

/* RFC 8200. */
#define IP6_HEADER	40
#define IP6_LEN		4
#define IP6_NEXT	6
#define IP6_SRC		8
#define IP6_DST		24
#define IP6_OFFMASK	0xfff8
#define IP6_MORE	0x0001
#define IP6_EXT_FIXED	8	/* the least that an extension header has */

#define IP_LEN_MAX	65535
#define PORTS_LEN	4

/* Fixed headers, ports included. */
#define TCP_HEADER	20
#define TCP_OFF		12	/* RFC 9293 */
#define TCP_FLAGS	13
#define UDP_HEADER	8
#define UDP_LEN		4
#define UDPLITE_HEADER	8
#define SCTP_HEADER	12
#define DCCP_HEADER	12	/* RFC 4340 5.1, the short form */
#define ICMP_HEADER	8

/* What is left to read of one packet. */
struct rest {
	struct ibuf	b;	/* what was copied */
	size_t		left;	/* what the packet has, copied or not */
	bool		fragment;	/* the first of several */
	bool		routed;
};

static int
failed(struct packet *p, enum packet_kind kind)
{
	p->kind = kind;
	p->payload = NULL;
	p->payload_len = p->payload_full = 0;
	p->payload_whole = false;
	p->opens = false;
	return -1;
}

static uint16_t
be16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

/* NULL when that much is not there, or was not copied. */
static const uint8_t *
take(struct rest *r, size_t len)
{
	const uint8_t	*h;

	if (len > r->left || (h = ibuf_get_ptr(&r->b, len)) == NULL)
		return NULL;
	r->left -= len;
	return h;
}

/* Nothing behind what the IP header says belongs to the packet. */
static void
rest_limit(struct rest *r, size_t left)
{
	r->left = left;
	if (ibuf_left(&r->b) > left)
		r->b.len = r->b.off + left;
}

static int
done(struct packet *p, struct rest *r)
{
	if (r->routed)
		return failed(p, PACKET_ROUTED);
	p->kind = PACKET_OK;
	p->payload_len = ibuf_left(&r->b);
	p->payload_full = r->left;
	p->payload = ibuf_get_ptr(&r->b, p->payload_len);
	p->payload_whole = !r->fragment && p->payload_len == r->left;
	return 0;
}

static int
ports(struct packet *p, struct rest *r)
{
	const uint8_t	*h = take(r, PORTS_LEN);

	if (h == NULL)
		return -1;
	p->tuple.sport = be16(h);
	p->tuple.dport = be16(h + 2);
	return 0;
}

static int
tcp(struct packet *p, struct rest *r)
{
	const uint8_t	*h;
	size_t		 off;

	if (ports(p, r) == -1)
		return failed(p, PACKET_TRUNCATED);
	if ((h = take(r, TCP_HEADER - PORTS_LEN)) == NULL)
		return failed(p, PACKET_TRUNCATED);
	p->tcp_flags = h[TCP_FLAGS - PORTS_LEN];
	p->seq = (uint32_t)be16(h) << 16 | be16(h + 2);
	off = (size_t)(h[TCP_OFF - PORTS_LEN] >> 4) * 4;
	if (off < TCP_HEADER || off - TCP_HEADER > r->left)
		return failed(p, PACKET_MALFORMED);
	if (take(r, off - TCP_HEADER) == NULL)
		return failed(p, PACKET_TRUNCATED);
	p->opens = (p->tcp_flags & (PACKET_TCP_SYN | PACKET_TCP_ACK |
	    PACKET_TCP_RST | PACKET_TCP_FIN)) == PACKET_TCP_SYN;
	return done(p, r);
}

/*
 * The length may be less than the packet has: several datagrams joined by
 * offload, or a surplus that no receiver reads.  Zero is for IPv6's jumbo
 * packets alone.  More than there is: only in the first of several fragments.
 */
static int
udp(struct packet *p, struct rest *r)
{
	const uint8_t	*h;
	size_t		 len;

	if (ports(p, r) == -1)
		return failed(p, PACKET_TRUNCATED);
	if ((h = take(r, UDP_HEADER - PORTS_LEN)) == NULL)
		return failed(p, PACKET_TRUNCATED);
	len = be16(h + UDP_LEN - PORTS_LEN);
	if (len == 0 && p->tuple.src.af == AF_INET6)
		return done(p, r);
	if (len < UDP_HEADER ||
	    (len - UDP_HEADER > r->left && !r->fragment))
		return failed(p, PACKET_MALFORMED);
	if (len - UDP_HEADER < r->left)
		rest_limit(r, len - UDP_HEADER);
	return done(p, r);
}

/* Ports first, then nothing that matters to us. */
static int
with_ports(struct packet *p, struct rest *r, size_t header)
{
	if (ports(p, r) == -1 || take(r, header - PORTS_LEN) == NULL)
		return failed(p, PACKET_TRUNCATED);
	return done(p, r);
}

static int
icmp(struct packet *p, struct rest *r)
{
	const uint8_t	*h = take(r, ICMP_HEADER);

	if (h == NULL)
		return failed(p, PACKET_TRUNCATED);
	p->icmp_type = h[0];
	p->icmp_code = h[1];
	return done(p, r);
}

static int
transport(struct packet *p, struct rest *r, uint8_t proto)
{
	bool	v4 = p->tuple.src.af == AF_INET;

	p->tuple.proto = proto;
	p->opens = proto != IPPROTO_TCP;
	switch (proto) {
	case IPPROTO_TCP:
		return tcp(p, r);
	case IPPROTO_UDP:
		return udp(p, r);
	case IPPROTO_UDPLITE:
		return with_ports(p, r, UDPLITE_HEADER);
	case IPPROTO_SCTP:
		return with_ports(p, r, SCTP_HEADER);
	case IPPROTO_DCCP:
		return with_ports(p, r, DCCP_HEADER);
	case IPPROTO_ICMP:
		return v4 ? icmp(p, r) : done(p, r);
	case IPPROTO_ICMPV6:
		return v4 ? done(p, r) : icmp(p, r);
	default:
		return done(p, r);
	}
}

static void
addresses(struct packet *p, uint8_t af, const uint8_t *src,
    const uint8_t *dst)
{
	p->tuple.src.af = p->tuple.dst.af = af;
	memcpy(p->tuple.src.b, src, addr_size(af));
	memcpy(p->tuple.dst.b, dst, addr_size(af));
}

/*
 * Sets routed while a source route has stations left: dst is then only the
 * next of them.  -1: an option that does not fit.
 */
static int
options4(struct ibuf *b, bool *routed)
{
	uint8_t	type, size, rest;

	while (ibuf_left(b) > 0 && (type = ibuf_get_u8(b)) != IP4_OPT_END) {
		if (type == IP4_OPT_NOP)
			continue;
		if ((size = ibuf_get_u8(b)) < IP4_OPT_FIXED)
			return -1;
		rest = size - IP4_OPT_FIXED;
		if (type == IP4_OPT_LSRR || type == IP4_OPT_SSRR) {
			if (rest-- == 0)
				return -1;
			if (ibuf_get_u8(b) <= size)
				*routed = true;
		}
		if (ibuf_get_ptr(b, rest) == NULL)
			return -1;
	}
	return 0;
}

static int
packet4(struct packet *p, struct rest *r)
{
	const uint8_t	*h;
	struct ibuf	 opts;
	size_t		 full = r->left, hlen, total;
	uint16_t	 frag;

	if ((h = take(r, IP4_HEADER)) == NULL)
		return failed(p, PACKET_TRUNCATED);
	if (h[0] >> 4 != 4)
		return failed(p, PACKET_NOT_IP);
	addresses(p, AF_INET, h + IP4_SRC, h + IP4_DST);
	p->tuple.proto = h[IP4_PROTO];
	hlen = (size_t)(h[0] & 0x0f) * 4;
	total = be16(h + IP4_LEN);
	if (total == 0 && full > IP_LEN_MAX)
		total = full;	/* joined by offload, too long to say */
	if (hlen < IP4_HEADER || total < hlen)
		return failed(p, PACKET_MALFORMED);
	if (total > full)
		return failed(p, PACKET_TRUNCATED);
	rest_limit(r, total - IP4_HEADER);
	opts = r->b;
	if (take(r, hlen - IP4_HEADER) == NULL)
		return failed(p, PACKET_TRUNCATED);
	opts.len = r->b.off;
	if (options4(&opts, &r->routed) == -1)
		return failed(p, PACKET_MALFORMED);
	frag = be16(h + IP4_FRAG);
	if ((frag & IP4_OFFMASK) != 0)
		return failed(p, PACKET_FRAGMENT);
	r->fragment = (frag & IP4_MORE) != 0;
	return transport(p, r, p->tuple.proto);
}

/*
 * One extension header; next becomes what follows it.  All of them are at
 * least eight bytes long.
 */
static enum packet_kind
extension(struct rest *r, uint8_t *next)
{
	const uint8_t	*h = take(r, IP6_EXT_FIXED);
	uint8_t		 type = *next;
	uint16_t	 frag;
	size_t		 more;

	if (h == NULL)
		return PACKET_TRUNCATED;
	*next = h[0];
	if (type == IPPROTO_FRAGMENT) {
		frag = be16(h + 2);
		if ((frag & IP6_OFFMASK) != 0)
			return PACKET_FRAGMENT;
		if ((frag & IP6_MORE) != 0)
			r->fragment = true;
		return PACKET_OK;
	}
	if (type == IPPROTO_ROUTING && h[3] != 0)
		r->routed = true;	/* segments left: dst is the next */
	more = h[1];
	if (type == IPPROTO_AH) {
		/* RFC 4302: counts fours, the first two not; 12 at least. */
		if (more == 0)
			return PACKET_MALFORMED;
		more *= 4;
	} else
		more *= 8;
	return take(r, more) == NULL ? PACKET_TRUNCATED : PACKET_OK;
}

static bool
is_extension(uint8_t proto)
{
	/* Those the kernel walks too, save 59, which has nothing behind it. */
	return proto == IPPROTO_HOPOPTS || proto == IPPROTO_ROUTING ||
	    proto == IPPROTO_FRAGMENT || proto == IPPROTO_DSTOPTS ||
	    proto == IPPROTO_AH;
}

static int
packet6(struct packet *p, struct rest *r)
{
	const uint8_t	*h;
	size_t		 full = r->left, total, depth;
	enum packet_kind kind;
	uint8_t		 next;

	if ((h = take(r, IP6_HEADER)) == NULL)
		return failed(p, PACKET_TRUNCATED);
	if (h[0] >> 4 != 6)
		return failed(p, PACKET_NOT_IP);
	addresses(p, AF_INET6, h + IP6_SRC, h + IP6_DST);
	total = (size_t)be16(h + IP6_LEN) + IP6_HEADER;
	if (total == IP6_HEADER && full > IP_LEN_MAX + IP6_HEADER)
		total = full;	/* a jumbo packet, RFC 2675 */
	if (total > full)
		return failed(p, PACKET_TRUNCATED);
	rest_limit(r, total - IP6_HEADER);
	next = h[IP6_NEXT];
	for (depth = 0; is_extension(next); depth++) {
		if (depth == PACKET_DEPTH_MAX)
			return failed(p, PACKET_TOO_DEEP);
		kind = extension(r, &next);
		if (kind == PACKET_FRAGMENT)
			p->tuple.proto = next;
		if (kind != PACKET_OK)
			return failed(p, kind);
	}
	return transport(p, r, next);
}

int
packet_parse(const uint8_t *data, size_t len, size_t full_len, uint8_t af,
    struct packet *p)
{
	struct rest	r = { .left = full_len > len ? full_len : len };

	memset(p, 0, sizeof(*p));
	ibuf_reader(&r.b, data, len);
	switch (af) {
	case AF_INET:
		return packet4(p, &r);
	case AF_INET6:
		return packet6(p, &r);
	default:
		return failed(p, PACKET_NOT_IP);
	}
}

const char *
packet_kind_name(enum packet_kind kind)
{
	static const char *const names[PACKET_KIND_MAX] = {
		[PACKET_OK] = "ok",
		[PACKET_FRAGMENT] = "fragment",
		[PACKET_TRUNCATED] = "truncated",
		[PACKET_MALFORMED] = "malformed",
		[PACKET_TOO_DEEP] = "too deep",
		[PACKET_NOT_IP] = "not ip",
		[PACKET_ROUTED] = "source-routed"
	};

	return (unsigned int)kind < PACKET_KIND_MAX ? names[kind] : "unknown";
}
