/*
 * SPDX-License-Identifier: ISC
 *
 * packet.c: every kind of result, byte by byte.
 */
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "packet.h"

static int	failures;
static const char *why;

#define CHECK(x) do {							\
	if (!(x) && why == NULL)					\
		why = #x;						\
} while (0)

static void
case_end(const char *name)
{
	if (why == NULL)
		printf("ok %s\n", name);
	else {
		printf("not ok %s: %s\n", name, why);
		failures++;
	}
	why = NULL;
}

/* 192.0.2.1 to 198.51.100.2, don't fragment. */
static const uint8_t ip4[] = {
	0x45, 0, 0, 0, 0x12, 0x34, 0x40, 0, 64, 0, 0, 0,
	192, 0, 2, 1, 198, 51, 100, 2
};
/* 2001:db8::1 to 2001:db8::2. */
static const uint8_t ip6[] = {
	0x60, 0, 0, 0, 0, 0, 0, 64,
	0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1,
	0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2
};
/* 40000 to 443, SYN, maximum segment size 1460. */
static const uint8_t tcp_syn[] = {
	0x9c, 0x40, 0x01, 0xbb, 0, 0, 0, 1, 0, 0, 0, 0, 0x60, 0x02,
	0xff, 0xff, 0, 0, 0, 0, 2, 4, 5, 0xb4
};
/* 40000 to 53, four bytes. */
static const uint8_t udp_four[] = {
	0x9c, 0x40, 0, 53, 0, 12, 0, 0, 'a', 'b', 'c', 'd'
};

struct pkt {
	uint8_t	b[65536 + 40];
	size_t	len;
};
static struct pkt	k;

static void
append(const void *bytes, size_t len)
{
	memcpy(k.b + k.len, bytes, len);
	k.len += len;
}

static void
begin4(uint8_t proto)
{
	k.len = 0;
	append(ip4, sizeof(ip4));
	k.b[9] = proto;
}

static void
begin6(uint8_t next)
{
	k.len = 0;
	append(ip6, sizeof(ip6));
	k.b[6] = next;
}

static void
end(void)
{
	size_t	len = k.b[0] >> 4 == 6 ? k.len - 40 : k.len;
	size_t	at = k.b[0] >> 4 == 6 ? 4 : 2;

	k.b[at] = (uint8_t)(len >> 8);
	k.b[at + 1] = (uint8_t)len;
}

/*
 * From an exact copy, so that a read behind it is seen by a sanitizer.  The
 * payload is copied back into k, since the block is freed.
 */
static struct packet
parse_cut(size_t copied)
{
	static uint8_t	 payload[65536];
	struct packet	 p;
	uint8_t		*heap = malloc(copied > 0 ? copied : 1);
	int		 ret;

	if (heap == NULL)
		abort();
	memcpy(heap, k.b, copied);
	ret = packet_parse(heap, copied, k.len,
	    k.b[0] >> 4 == 6 ? AF_INET6 : AF_INET, &p);
	CHECK(ret == (p.kind == PACKET_OK ? 0 : -1));
	CHECK(p.payload_len <= copied);
	if (p.payload != NULL) {
		memcpy(payload, p.payload, p.payload_len);
		p.payload = payload;
	}
	free(heap);
	return p;
}

static struct packet
parse(void)
{
	end();
	return parse_cut(k.len);
}

static bool
has_addresses(const struct packet *p)
{
	size_t	size = addr_size(p->tuple.src.af);

	if (size == 4)
		return memcmp(p->tuple.src.b, ip4 + 12, 4) == 0 &&
		    memcmp(p->tuple.dst.b, ip4 + 16, 4) == 0;
	return size == 16 && memcmp(p->tuple.src.b, ip6 + 8, 16) == 0 &&
	    memcmp(p->tuple.dst.b, ip6 + 24, 16) == 0;
}

static bool
has_ports(const struct packet *p, uint16_t sport, uint16_t dport)
{
	return p->tuple.sport == sport && p->tuple.dport == dport;
}

static void
syn(void)
{
	struct packet	p;

	begin4(IPPROTO_TCP);
	append(tcp_syn, sizeof(tcp_syn));
	p = parse();
	CHECK(p.kind == PACKET_OK);
	CHECK(has_addresses(&p));
	CHECK(p.tuple.proto == IPPROTO_TCP);
	CHECK(has_ports(&p, 40000, 443));
	CHECK(p.tcp_flags == PACKET_TCP_SYN);
	CHECK(p.opens);
	CHECK(p.payload_len == 0 && p.payload_whole);
	case_end("packet tcp syn");

	begin6(IPPROTO_TCP);
	append(tcp_syn, sizeof(tcp_syn));
	append("fast open", 9);
	p = parse();
	CHECK(p.kind == PACKET_OK && has_addresses(&p));
	CHECK(has_ports(&p, 40000, 443) && p.opens);
	CHECK(p.payload_len == 9 && p.payload_whole);
	CHECK(p.payload != NULL && memcmp(p.payload, "fast open", 9) == 0);
	case_end("packet tcp syn with data, ipv6");
}

/* Only a plain SYN opens a connection, whatever else is set. */
static void
flags(void)
{
	struct packet	p;
	unsigned int	f;

	for (f = 0; f < 256; f++) {
		begin4(IPPROTO_TCP);
		append(tcp_syn, sizeof(tcp_syn));
		k.b[20 + 13] = (uint8_t)f;
		p = parse();
		CHECK(p.kind == PACKET_OK);
		CHECK(p.tcp_flags == f);
		CHECK(p.opens == ((f & 0x17) == 0x02));
	}
	case_end("packet tcp flags");
}

static void
tcp_damage(void)
{
	struct packet	p;
	size_t		n;

	for (n = 0; n < sizeof(tcp_syn); n++) {
		begin4(IPPROTO_TCP);
		append(tcp_syn, n);
		p = parse();
		CHECK(p.kind == (n < 20 ? PACKET_TRUNCATED :
		    PACKET_MALFORMED));
		CHECK(!p.opens && p.payload == NULL);
		CHECK(has_addresses(&p) && p.tuple.proto == IPPROTO_TCP);
		CHECK(n < 4 || has_ports(&p, 40000, 443));
	}
	case_end("packet tcp header ends early");

	begin4(IPPROTO_TCP);
	append(tcp_syn, sizeof(tcp_syn));
	k.b[20 + 12] = 0x40;
	CHECK(parse().kind == PACKET_MALFORMED);
	k.b[20 + 12] = 0x70;
	CHECK(parse().kind == PACKET_MALFORMED);
	case_end("packet tcp data offset");

	begin4(IPPROTO_TCP);
	append(tcp_syn, sizeof(tcp_syn));
	end();
	for (n = 0; n < k.len; n++) {
		p = parse_cut(n);
		CHECK(p.kind == PACKET_TRUNCATED && !p.opens);
	}
	case_end("packet copied in part");
}

static void
udp(void)
{
	struct packet	p;

	begin4(IPPROTO_UDP);
	append(udp_four, sizeof(udp_four));
	p = parse();
	CHECK(p.kind == PACKET_OK && p.tuple.proto == IPPROTO_UDP);
	CHECK(has_ports(&p, 40000, 53) && p.opens);
	CHECK(p.payload_len == 4 && p.payload_whole);
	CHECK(p.payload != NULL && memcmp(p.payload, "abcd", 4) == 0);
	case_end("packet udp");

	p = parse_cut(k.len - 1);
	CHECK(p.kind == PACKET_OK && has_ports(&p, 40000, 53));
	CHECK(p.payload_len == 3 && !p.payload_whole);
	case_end("packet udp payload cut");

	/* Two datagrams joined by offload: the first is the payload. */
	append("efgh", 4);
	p = parse();
	CHECK(p.kind == PACKET_OK && p.payload_len == 4 && p.payload_whole);
	case_end("packet udp shorter than the packet");

	begin4(IPPROTO_UDP);
	append(udp_four, sizeof(udp_four));
	k.b[25] = 13;
	p = parse();
	CHECK(p.kind == PACKET_MALFORMED && has_ports(&p, 40000, 53));
	k.b[25] = 7;
	CHECK(parse().kind == PACKET_MALFORMED);
	k.b[25] = 0;
	CHECK(parse().kind == PACKET_MALFORMED);
	case_end("packet udp length impossible");

	begin6(IPPROTO_UDP);
	append(udp_four, sizeof(udp_four));
	k.b[45] = 0;
	p = parse();
	CHECK(p.kind == PACKET_OK && p.payload_len == 4);
	case_end("packet udp without length, ipv6");
}

static void
others(void)
{
	static const uint8_t	sctp[12] = { 0, 7, 0x0b, 0x59 };
	static const uint8_t	ping[8] = { 8, 0 };
	static const struct { uint8_t proto; size_t header; } with_ports[] = {
		{ IPPROTO_SCTP, 12 }, { IPPROTO_DCCP, 12 },
		{ IPPROTO_UDPLITE, 8 }
	};
	static const uint8_t	without[] = { IPPROTO_GRE, IPPROTO_ESP,
	    IPPROTO_IGMP, IPPROTO_IPIP, 253, IPPROTO_AH };
	struct packet		p;
	size_t			i;

	for (i = 0; i < 3; i++) {
		begin4(with_ports[i].proto);
		append(sctp, sizeof(sctp));
		p = parse();
		CHECK(p.kind == PACKET_OK && p.opens);
		CHECK(has_ports(&p, 7, 2905));
		CHECK(p.tuple.proto == with_ports[i].proto);
		begin6(with_ports[i].proto);
		append(sctp, with_ports[i].header - 1);
		CHECK(parse().kind == PACKET_TRUNCATED);
	}
	case_end("packet sctp, dccp, udp-lite");

	for (i = 0; i < sizeof(without); i++) {
		begin4(without[i]);
		append("\1\2\3\4", 4);
		p = parse();
		CHECK(p.kind == PACKET_OK && p.opens);
		CHECK(p.tuple.proto == without[i] && has_ports(&p, 0, 0));
	}
	begin6(IPPROTO_NONE);
	append("\1\2\3\4", 4);
	p = parse();
	CHECK(p.kind == PACKET_OK && p.tuple.proto == IPPROTO_NONE);
	CHECK(has_ports(&p, 0, 0));
	case_end("packet protocols without ports");

	begin4(IPPROTO_ICMP);
	append(ping, sizeof(ping));
	p = parse();
	CHECK(p.kind == PACKET_OK && p.icmp_type == 8 && p.icmp_code == 0);
	CHECK(has_ports(&p, 0, 0) && p.opens);
	begin6(IPPROTO_ICMPV6);
	append("\200\001......", 8);
	p = parse();
	CHECK(p.kind == PACKET_OK && p.icmp_type == 128 && p.icmp_code == 1);
	begin4(IPPROTO_ICMP);
	append(ping, 3);
	CHECK(parse().kind == PACKET_TRUNCATED);
	case_end("packet icmp");
}

static void
fragments4(void)
{
	struct packet	p;

	begin4(IPPROTO_UDP);
	append(udp_four, sizeof(udp_four));
	k.b[7] = 1;
	p = parse();
	CHECK(p.kind == PACKET_FRAGMENT && has_addresses(&p));
	CHECK(p.tuple.proto == IPPROTO_UDP && has_ports(&p, 0, 0));
	CHECK(p.payload == NULL);
	case_end("packet fragment");

	k.b[6] = 0x20;
	k.b[7] = 0;
	k.b[25] = 200;
	p = parse();
	CHECK(p.kind == PACKET_OK && has_ports(&p, 40000, 53));
	CHECK(p.payload_len == 4 && !p.payload_whole);
	case_end("packet first fragment");

	begin4(IPPROTO_TCP);
	append(tcp_syn, 8);
	k.b[6] = 0x20;
	CHECK(parse().kind == PACKET_TRUNCATED);
	case_end("packet tiny first fragment");
}

static void
header4(void)
{
	struct packet	p;

	begin4(IPPROTO_TCP);
	append(tcp_syn, sizeof(tcp_syn));
	k.b[0] = 0x44;
	CHECK(parse().kind == PACKET_MALFORMED);
	k.b[0] = 0x35;
	end();
	CHECK(parse_cut(k.len).kind == PACKET_NOT_IP);
	case_end("packet ipv4 version and header length");

	begin4(IPPROTO_TCP);
	append(tcp_syn, sizeof(tcp_syn));
	end();
	k.b[3]++;
	CHECK(parse_cut(k.len).kind == PACKET_TRUNCATED);
	k.b[3] = 19;
	CHECK(parse_cut(k.len).kind == PACKET_MALFORMED);
	k.b[3] = 0;
	CHECK(parse_cut(k.len).kind == PACKET_MALFORMED);
	case_end("packet ipv4 total length");

	/* What stands behind the packet is no part of it. */
	begin4(IPPROTO_UDP);
	append(udp_four, 7);
	end();
	append("padding", 7);
	p = parse_cut(k.len);
	CHECK(p.kind == PACKET_TRUNCATED);
	case_end("packet ipv4 padding");
}

static void
options4(void)
{
	static const uint8_t	plain[8] = { 1, 1, 148, 4, 0, 0, 0 };
	static const uint8_t	route[8] = { 131, 7, 4, 10, 0, 0, 1, 0 };
	static const uint8_t	over[8] = { 137, 7, 8, 10, 0, 0, 1, 0 };
	static const uint8_t	wrong[][4] = {
		{ 1, 1, 1, 7 }, { 7, 0, 0, 0 }, { 7, 1, 0, 0 },
		{ 7, 5, 0, 0 }, { 1, 131, 2, 0 }
	};
	struct packet		p;
	size_t			i;

	begin4(IPPROTO_TCP);
	k.b[0] = 0x47;
	append(plain, sizeof(plain));
	append(tcp_syn, sizeof(tcp_syn));
	p = parse();
	CHECK(p.kind == PACKET_OK && p.opens && has_ports(&p, 40000, 443));
	memcpy(k.b + 20, over, sizeof(over));
	CHECK(parse().kind == PACKET_OK);
	case_end("packet ipv4 options");

	memcpy(k.b + 20, route, sizeof(route));
	p = parse();
	CHECK(p.kind == PACKET_ROUTED && has_ports(&p, 40000, 443));
	CHECK(!p.opens && p.payload == NULL);
	case_end("packet ipv4 source route");

	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		begin4(IPPROTO_TCP);
		k.b[0] = 0x46;
		append(wrong[i], 4);
		append(tcp_syn, sizeof(tcp_syn));
		CHECK(parse().kind == PACKET_MALFORMED);
	}
	begin4(IPPROTO_TCP);
	k.b[0] = 0x4f;
	append(plain, sizeof(plain));
	CHECK(parse().kind == PACKET_MALFORMED);
	case_end("packet ipv4 options damaged");
}

static void
extensions(void)
{
	static const uint8_t	empty[8] = { IPPROTO_DSTOPTS, 0, 1, 4 };
	uint8_t			ext[24] = { 0 };
	struct packet		p;
	size_t			n, i;

	for (n = 0; n <= PACKET_DEPTH_MAX + 1; n++) {
		begin6(n == 0 ? IPPROTO_TCP : IPPROTO_HOPOPTS);
		for (i = 0; i < n; i++) {
			append(empty, sizeof(empty));
			if (i == n - 1)
				k.b[k.len - 8] = IPPROTO_TCP;
		}
		append(tcp_syn, sizeof(tcp_syn));
		p = parse();
		if (n > PACKET_DEPTH_MAX)
			CHECK(p.kind == PACKET_TOO_DEEP && has_addresses(&p) &&
			    has_ports(&p, 0, 0));
		else
			CHECK(p.kind == PACKET_OK && p.opens &&
			    has_ports(&p, 40000, 443));
	}
	case_end("packet ipv6 extension headers");

	begin6(IPPROTO_AH);
	ext[0] = IPPROTO_UDP;
	ext[1] = 4;	/* 24 bytes */
	append(ext, 24);
	append(udp_four, sizeof(udp_four));
	p = parse();
	CHECK(p.kind == PACKET_OK && has_ports(&p, 40000, 53));
	k.b[41] = 0;
	CHECK(parse().kind == PACKET_MALFORMED);
	case_end("packet ipv6 authentication header");

	begin6(IPPROTO_DSTOPTS);
	ext[0] = IPPROTO_UDP;
	ext[1] = 1;
	append(ext, 16);
	append(udp_four, sizeof(udp_four));
	CHECK(parse().kind == PACKET_OK);
	k.b[41] = 3;
	CHECK(parse().kind == PACKET_TRUNCATED);
	case_end("packet ipv6 extension too long");

	begin6(IPPROTO_ROUTING);
	ext[0] = IPPROTO_UDP;
	ext[1] = 2;
	ext[3] = 1;
	append(ext, 24);
	append(udp_four, sizeof(udp_four));
	p = parse();
	CHECK(p.kind == PACKET_ROUTED && has_ports(&p, 40000, 53));
	k.b[43] = 0;
	CHECK(parse().kind == PACKET_OK);
	case_end("packet ipv6 routing header");
}

static void
fragments6(void)
{
	static const uint8_t	atomic[8] = { IPPROTO_UDP };
	struct packet		p;

	begin6(IPPROTO_FRAGMENT);
	append(atomic, sizeof(atomic));
	append(udp_four, sizeof(udp_four));
	p = parse();
	CHECK(p.kind == PACKET_OK && p.payload_whole);
	k.b[43] = 1;
	p = parse();
	CHECK(p.kind == PACKET_OK && !p.payload_whole);
	CHECK(has_ports(&p, 40000, 53));
	k.b[43] = 8;
	p = parse();
	CHECK(p.kind == PACKET_FRAGMENT && p.tuple.proto == IPPROTO_UDP);
	CHECK(has_ports(&p, 0, 0) && has_addresses(&p));
	case_end("packet ipv6 fragments");
}

static void
lengths6(void)
{
	struct packet	p;

	begin6(IPPROTO_UDP);
	append(udp_four, sizeof(udp_four));
	end();
	k.b[5]++;
	CHECK(parse_cut(k.len).kind == PACKET_TRUNCATED);
	k.b[5] = 0;
	CHECK(parse_cut(k.len).kind == PACKET_TRUNCATED);
	k.b[5] = 11;
	CHECK(parse_cut(k.len).kind == PACKET_MALFORMED);
	k.b[0] = 0x50;
	CHECK(packet_parse(k.b, k.len, k.len, AF_INET6, &p) == -1);
	CHECK(p.kind == PACKET_NOT_IP);
	case_end("packet ipv6 payload length");

	/* Joined by offload to more than a header can say. */
	begin6(IPPROTO_TCP);
	append(tcp_syn, sizeof(tcp_syn));
	CHECK(packet_parse(k.b, k.len, 70000, AF_INET6, &p) == 0);
	CHECK(p.kind == PACKET_OK && !p.payload_whole);
	begin4(IPPROTO_TCP);
	append(tcp_syn, sizeof(tcp_syn));
	CHECK(packet_parse(k.b, k.len, 70000, AF_INET, &p) == 0);
	case_end("packet longer than 65,535");

	CHECK(packet_parse(NULL, 0, 0, AF_INET, &p) == -1);
	CHECK(p.kind == PACKET_TRUNCATED);
	CHECK(packet_parse(NULL, 0, 0, 0, &p) == -1);
	CHECK(p.kind == PACKET_NOT_IP);
	case_end("packet empty");
}

static void
kinds(void)
{
	int	kind;

	for (kind = 0; kind < PACKET_KIND_MAX; kind++)
		CHECK(packet_kind_name((enum packet_kind)kind)[0] != 'u');
	CHECK(strcmp(packet_kind_name(PACKET_KIND_MAX), "unknown") == 0);
	case_end("packet kind names");
}

int
main(void)
{
	syn();
	flags();
	tcp_damage();
	udp();
	others();
	fragments4();
	header4();
	options4();
	extensions();
	fragments6();
	lengths6();
	kinds();
	return failures != 0;
}
