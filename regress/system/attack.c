/*
 * SPDX-License-Identifier: ISC
 *
 * Packets that a firewall which looks for new connections would miss:
 *
 *	attack list			number, direction, what may happen, name
 *	attack send NUMBER [again]	from the machine that is to send it;
 *					again: by addresses of its own, in 65
 *	attack flood COUNT		DNS questions to 10.7.0.1, each for
 *					another name and from another port
 *	attack sink			what local sockets are given: one line a
 *					packet, "4|6 source protocol"
 *
 * Outbound ones go to 10.66.0.NUMBER or fd66::NUMBER, and inbound ones come
 * from there, so that a sniffer knows which one it sees.  Root's raw sockets
 * make most of them; what an ordinary program could send is marked "program".
 */
#include <sys/socket.h>

#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HOST4		"10.7.0.2"
#define HOST6		"fd07::2"
#define REMOTE6		"fd07::1"
#define PACKET_MAX	1400

#ifndef IP_NODEFRAG
#define IP_NODEFRAG	22
#endif
#ifndef IPV6_HDRINCL
#define IPV6_HDRINCL	36
#endif
#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP	262
#endif
#ifndef UDP_SEGMENT
#define UDP_SEGMENT	103
#endif

enum dir { OUT, IN };

struct attack {
	const char	*name;
	enum dir	 dir;
	int		 af;
	bool		 passes;	/* exempt, as the manual says */
	/* A raw packet: protocol, TTL, fragment field, hexadecimal payload. */
	uint8_t		 proto, ttl;
	uint16_t	 frag;
	const char	*hex;
	/* Or a program's socket. */
	void		 (*call)(const struct attack *);
	unsigned int	 arg;
	const char	*to;		/* another address than the row's */
	const char	*from;
};

static int	number, net = 66;

static void	dgram(const struct attack *);
static void	marked(const struct attack *);
static void	stream(const struct attack *);
static void	fast_open(const struct attack *);
static void	sized(const struct attack *);
static void	segmented(const struct attack *);
static void	ping(const struct attack *);
static void	mapped(const struct attack *);
static void	frame(const struct attack *);

#define TCP(flags)	"303900500000000100000000" "50" flags "20000000" "0000"
#define UDP		"3039138800100000" "6162636465666768"
#define UDP_FROM(port)	port "1b5800100000" "6162636465666768"
#define ECHO		"0800000000010001" "6162636465666768"
#define FORGED_ERROR	"0303000000000000" "4500001c000000004011000" \
			"00a0700020a420001" "0035003500080000"
#define ND		"8700000000000000" "fd070000000000000000000000000001"
#define RA		"8600000040000708" "0000000000000000"
#define MLD		"8300000000000000" "ff0200000000000000000000000000fb"
#define NEXT_UDP	"1100000000000000"	/* an empty options header */
#define NEXT_TEN	"3c00000000000000" "3c00000000000000" \
			"3c00000000000000" "3c00000000000000" \
			"3c00000000000000" "3c00000000000000" \
			"3c00000000000000" "3c00000000000000" \
			"3c00000000000000" "1100000000000000"

#define RAW4(n, p, h)	{ .name = n, .af = AF_INET, .proto = p, .hex = h }
#define RAW6(n, p, h)	{ .name = n, .af = AF_INET6, .proto = p, .hex = h }
#define CALL4(n, f, a)	{ .name = n, .af = AF_INET, .call = f, .arg = a }
#define CALL6(n, f, a)	{ .name = n, .af = AF_INET6, .call = f, .arg = a }
#define IN4(n, p, h)	{ .name = n, .dir = IN, .af = AF_INET, .proto = p, \
			    .hex = h }
#define IN6(n, p, h)	{ .name = n, .dir = IN, .af = AF_INET6, .proto = p, \
			    .hex = h }

static const struct attack attacks[] = {
	RAW4("TCP SYN", 6, TCP("02")),
	RAW4("TCP FIN", 6, TCP("01")),
	RAW4("TCP RST", 6, TCP("04")),
	RAW4("TCP RST ACK", 6, TCP("14")),
	RAW4("TCP ACK", 6, TCP("10")),
	RAW4("TCP SYN ACK", 6, TCP("12")),
	RAW4("TCP without flags", 6, TCP("00")),
	RAW4("TCP with all flags", 6, TCP("ff")),
	RAW6("TCP FIN, IPv6", 6, TCP("01")),
	RAW6("TCP RST, IPv6", 6, TCP("04")),
	RAW6("TCP SYN ACK, IPv6", 6, TCP("12")),
	RAW4("TCP header cut short", 6, "30390050"),
	CALL4("program: TCP fast open with data", fast_open, 0),
	CALL4("program: multipath TCP", stream, IPPROTO_MPTCP),
	CALL4("program: SCTP", stream, IPPROTO_SCTP),
	RAW4("SCTP with an odd header", 132, "0000000000000000deadbeef"),
	RAW4("SCTP data chunk", 132,
	    "3039005000000000" "00000000" "00030010" "00000001" "00000000"),
	CALL4("program: UDP-Lite", dgram, IPPROTO_UDPLITE),
	RAW4("UDP-Lite with an odd coverage", 136, "3039138800010000"),
	CALL4("program: UDP", dgram, IPPROTO_UDP),
	CALL6("program: UDP, IPv6", dgram, IPPROTO_UDP),
	CALL4("program: UDP by an IPv4-mapped address", mapped, 0),
	RAW4("UDP with a wrong length", 17, "30391388ffff0000" "61626364"),
	RAW4("UDP header cut short", 17, "3039"),
	CALL4("program: UDP in fragments", sized, 5000),
	CALL4("program: UDP of 60,000 bytes", sized, 60000),
	CALL6("program: UDP in fragments, IPv6", sized, 5000),
	CALL4("program: UDP segmentation offload", segmented, 0),
	RAW4("DCCP", 33, "3039005000000000" "0000000000000000"),
	RAW4("GRE", 47, "00000800" "4500001400000000"),
	RAW4("IPv4 in IPv4", 4, "45000014000000004001000001020304" "05060708"),
	RAW4("IPv6 in IPv4", 41, "600000000000" "3b40"),
	RAW4("ESP", 50, "0000000100000001" "6162636465666768"),
	RAW4("AH", 51, "0604000000000001" "0000000100000000"),
	RAW4("OSPF", 89, "0201002c01010101"),
	RAW4("protocol 253", 253, "6162636465666768"),
	RAW6("no next header", 59, "6162636465666768"),
	RAW6("protocol 253, IPv6", 253, "6162636465666768"),
	CALL4("program: ping socket", ping, 0),
	CALL6("program: ping socket, IPv6", ping, 0),
	RAW4("ICMP echo", 1, ECHO),
	RAW4("ICMP echo reply", 1, "0000000000010001" "6162636465666768"),
	RAW4("ICMP redirect", 1, "050100000a070001" "4500001400000000"),
	RAW4("ICMP error that belongs to nothing", 1, FORGED_ERROR "0"),
	RAW4("ICMP of an unknown type", 1, "c800000000000000"),
	RAW6("ICMPv6 echo", 58, "8000000000010001" "6162636465666768"),
	RAW6("ICMPv6 echo reply", 58, "8100000000010001"),
	RAW6("ICMPv6 error that belongs to nothing", 58,
	    "0104000000000000" "6000000000083b40"),
	RAW6("neighbour solicitation beyond the link", 58, ND),
	RAW6("router advertisement beyond the link", 58, RA),
	RAW6("multicast listener report beyond the link", 58, MLD),
	{ .name = "first fragment, not put together", .af = AF_INET,
	    .proto = 17, .frag = 0x2000, .hex = UDP },
	{ .name = "later fragment, not put together", .af = AF_INET,
	    .proto = 17, .frag = 0x0010, .hex = UDP },
	{ .name = "tiny fragment of TCP", .af = AF_INET, .proto = 6,
	    .frag = 0x2000, .hex = "3039005000000001" },
	RAW6("atomic fragment", 44, "1100000000000001" UDP),
	RAW6("later fragment, IPv6", 44, "1100008000000001" UDP),
	RAW6("hop-by-hop options", 0, NEXT_UDP UDP),
	RAW6("destination options", 60, NEXT_UDP UDP),
	RAW6("ten destination options", 60, NEXT_TEN UDP),
	RAW6("routing header", 43, "1100000000000000" UDP),
	RAW6("mobility header", 135, "3b00000000000000"),
	CALL4("program: UDP with our refusing mark", marked, 0x10000000),
	CALL4("program: UDP with our judged mark", marked, 0x02000000),
	CALL4("program: UDP with both marks", marked, 0x12000000),
	CALL4("program: UDP with every mark", marked, 0xffffffff),
	{ .name = "forged source", .af = AF_INET, .proto = 17, .hex = UDP,
	    .from = "10.66.9.9" },
	{ .name = "forged source 127.0.0.1", .af = AF_INET, .proto = 17,
	    .hex = UDP, .from = "127.0.0.1" },
	{ .name = "forged source, IPv6", .af = AF_INET6, .proto = 17,
	    .hex = UDP, .from = "fd66:9::9" },
	{ .name = "broadcast", .af = AF_INET, .call = dgram,
	    .arg = IPPROTO_UDP, .to = "10.7.0.255" },
	{ .name = "limited broadcast", .af = AF_INET, .call = dgram,
	    .arg = IPPROTO_UDP, .to = "255.255.255.255" },
	{ .name = "multicast", .af = AF_INET, .call = dgram,
	    .arg = IPPROTO_UDP, .to = "224.0.0.251" },
	{ .name = "multicast, IPv6", .af = AF_INET6, .call = dgram,
	    .arg = IPPROTO_UDP, .to = "ff02::fb" },
	RAW4("UDP from port 53", 17, UDP_FROM("0035")),
	RAW4("UDP to port 53", 17, "30390035" "00100000" "6162636465666768"),
	RAW4("TCP SYN to port 53", 6,
	    "303900350000000100000000" "50" "02" "20000000" "0000"),
	RAW4("TCP ACK from port 53", 6,
	    "003530390000000100000001" "50" "10" "20000000" "0000"),
	RAW4("UDP from port 67 to 68", 17, "00430044" "00100000"
	    "6162636465666768"),
	{ .name = "DHCP: UDP from port 68 to 67", .af = AF_INET, .passes = true,
	    .proto = 17, .hex = "00440043" "00100000" "6162636465666768" },
	{ .name = "neighbour discovery on the link", .af = AF_INET6,
	    .passes = true, .proto = 58, .ttl = 255, .hex = ND,
	    .to = "ff02::1:ff00:66" },
	{ .name = "neighbour discovery on the link, low hop limit",
	    .af = AF_INET6, .proto = 58, .hex = ND, .to = "ff02::1:ff00:67" },
	{ .name = "AF_PACKET frame", .af = AF_INET, .passes = true,
	    .call = frame },

	IN4("TCP SYN to nobody's port", 6, TCP("02")),
	IN4("TCP ACK", 6, TCP("10")),
	IN4("TCP FIN", 6, TCP("01")),
	IN4("TCP SYN ACK", 6, TCP("12")),
	IN4("TCP RST", 6, TCP("04")),
	IN4("TCP without flags", 6, TCP("00")),
	IN4("UDP", 17, UDP),
	IN4("UDP from port 53", 17, UDP_FROM("0035")),
	IN4("UDP from port 123", 17, UDP_FROM("007b")),
	IN4("TCP SYN from port 53", 6,
	    "00351f900000000100000000" "50" "02" "20000000" "0000"),
	IN4("TCP ACK from port 53", 6,
	    "00351f900000000100000001" "50" "10" "20000000" "0000"),
	IN4("SCTP", 132, "3039005000000000" "00000000" "01000014"
	    "00000001" "00010000" "00010001" "00000001"),
	IN4("UDP-Lite", 136, UDP),
	IN4("protocol 253", 253, "6162636465666768"),
	IN4("ICMP echo", 1, ECHO),
	IN4("ICMP echo reply", 1, "0000000000010001"),
	IN4("ICMP redirect", 1, "050100000a070001" "4500001400000000"),
	{ .name = "ICMP error that belongs to nothing", .dir = IN,
	    .af = AF_INET, .passes = true, .proto = 1,
	    .hex = FORGED_ERROR "0" },
	{ .name = "UDP to a multicast group", .dir = IN, .af = AF_INET,
	    .proto = 17, .hex = UDP, .to = "224.0.0.1" },
	{ .name = "UDP by broadcast", .dir = IN, .af = AF_INET,
	    .proto = 17, .hex = UDP, .to = "10.7.0.255" },
	IN6("UDP, IPv6", 17, UDP),
	IN6("TCP ACK, IPv6", 6, TCP("10")),
	IN6("hop-by-hop options", 0, NEXT_UDP UDP),
	IN6("destination options", 60, NEXT_UDP UDP),
	IN6("atomic fragment", 44, "1100000000000001" UDP),
	IN6("ICMPv6 echo", 58, "8000000000010001"),
	IN6("ICMPv6 echo reply", 58, "8100000000010001"),
	{ .name = "router advertisement from afar", .dir = IN,
	    .af = AF_INET6, .proto = 58, .ttl = 64, .hex = RA },
	{ .name = "ICMPv6 error that belongs to nothing", .dir = IN,
	    .af = AF_INET6, .passes = true, .proto = 58,
	    .hex = "0104000000000000" "6000000000083b40" },
	{ .name = "DHCP: UDP from port 67 to 68", .dir = IN, .af = AF_INET,
	    .passes = true, .proto = 17,
	    .hex = "00430044" "00100000" "6162636465666768" },
};
#define NATTACKS	((int)(sizeof(attacks) / sizeof(attacks[0])))

/* The row's own address. */
static const char *
row_address(int af)
{
	static char	text[40];

	(void)snprintf(text, sizeof(text), af == AF_INET ? "10.%d.0.%d" :
	    "fd%d::%d", net, number);
	return text;
}

static socklen_t
address(const struct attack *a, struct sockaddr_storage *ss, uint16_t port)
{
	struct sockaddr_in	*sin = (void *)ss;
	struct sockaddr_in6	*sin6 = (void *)ss;
	const char		*to = a->to != NULL ? a->to :
				    row_address(a->af);

	memset(ss, 0, sizeof(*ss));
	ss->ss_family = (sa_family_t)a->af;
	if (a->af == AF_INET) {
		sin->sin_port = htons(port);
		if (inet_pton(AF_INET, to, &sin->sin_addr) != 1)
			errx(1, "%s", to);
		return sizeof(*sin);
	}
	sin6->sin6_port = htons(port);
	if (inet_pton(AF_INET6, to, &sin6->sin6_addr) != 1)
		errx(1, "%s", to);
	if (IN6_IS_ADDR_MULTICAST(&sin6->sin6_addr))
		sin6->sin6_scope_id = if_nametoindex("eth0");
	return sizeof(*sin6);
}

/* Sending may be refused at once: that is an answer, not an error. */
static void
sent(ssize_t n)
{
	if (n == -1)
		warn("send");
}

static int
open_socket(int af, int type, int proto)
{
	int	fd, on = 1;

	if ((fd = socket(af, type, proto)) == -1) {
		warn("socket");
		exit(77);
	}
	if (type != SOCK_STREAM)
		(void)setsockopt(fd, SOL_SOCKET, SO_BROADCAST, &on,
		    sizeof(on));
	return fd;
}

static void
send_to(const struct attack *a, int fd, size_t size)
{
	static char		data[65536];
	struct sockaddr_storage	ss;
	socklen_t		len = address(a, &ss, 5000);

	sent(sendto(fd, data, size, 0, (struct sockaddr *)&ss, len));
}

static void
dgram(const struct attack *a)
{
	int	fd = open_socket(a->af, SOCK_DGRAM, (int)a->arg);

	/* A unicast one would bring back replies of the remote. */
	send_to(a, fd, 16);
	if (a->to == NULL)
		send_to(a, fd, 16);
}

static void
marked(const struct attack *a)
{
	int	fd = open_socket(a->af, SOCK_DGRAM, 0);

	if (setsockopt(fd, SOL_SOCKET, SO_MARK, &a->arg, sizeof(a->arg)) ==
	    -1)
		err(1, "mark");
	send_to(a, fd, 16);
}

static void
sized(const struct attack *a)
{
	send_to(a, open_socket(a->af, SOCK_DGRAM, 0), a->arg);
}

static void
segmented(const struct attack *a)
{
	int	fd = open_socket(a->af, SOCK_DGRAM, 0), size = 1000;

	if (setsockopt(fd, IPPROTO_UDP, UDP_SEGMENT, &size, sizeof(size)) ==
	    -1)
		err(77, "segment");
	send_to(a, fd, 8000);
}

static void
stream(const struct attack *a)
{
	struct sockaddr_storage	ss;
	socklen_t		len = address(a, &ss, 5000);
	int			fd = open_socket(a->af, SOCK_STREAM |
				    SOCK_NONBLOCK, (int)a->arg);

	sent(connect(fd, (struct sockaddr *)&ss, len) == -1 &&
	    errno != EINPROGRESS ? -1 : 0);
	(void)usleep(50000);
}

static void
fast_open(const struct attack *a)
{
	struct sockaddr_storage	ss;
	socklen_t		len = address(a, &ss, 5000);
	int			fd = open_socket(a->af, SOCK_STREAM |
				    SOCK_NONBLOCK, 0);

	sent(sendto(fd, "data", 4, MSG_FASTOPEN, (struct sockaddr *)&ss,
	    len));
	(void)usleep(50000);
}

static void
ping(const struct attack *a)
{
	char	b[160] = { 8 };
	int	fd = open_socket(a->af, SOCK_DGRAM, a->af == AF_INET ?
		    IPPROTO_ICMP : IPPROTO_ICMPV6);
	struct sockaddr_storage	ss;
	socklen_t		len = address(a, &ss, 0);

	if (a->af == AF_INET6)
		b[0] = (char)128;
	sent(sendto(fd, b, sizeof(b), 0, (struct sockaddr *)&ss, len));
}

static void
mapped(const struct attack *a)
{
	struct attack	v6 = *a;
	char		to[64];
	int		off = 0, fd = open_socket(AF_INET6, SOCK_DGRAM, 0);

	(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	(void)snprintf(to, sizeof(to), "::ffff:10.%d.0.%d", net,
	    number);
	v6.af = AF_INET6;
	v6.to = to;
	send_to(&v6, fd, 16);
}

/* Packets made by hand. */

static uint32_t
sum(const uint8_t *p, size_t len, uint32_t s)
{
	size_t	i;

	for (i = 0; i + 1 < len; i += 2)
		s += (uint32_t)p[i] << 8 | p[i + 1];
	if (len % 2 == 1)
		s += (uint32_t)p[len - 1] << 8;
	return s;
}

static void
put_checksum(uint8_t *at, uint32_t s)
{
	while (s >> 16 != 0)
		s = (s & 0xffff) + (s >> 16);
	at[0] = (uint8_t)(~s >> 8);
	at[1] = (uint8_t)~s;
}

static size_t
unhex(const char *hex, uint8_t *out)
{
	size_t		n = 0;
	unsigned int	byte;

	for (; hex[0] != '\0' && hex[1] != '\0' && n < PACKET_MAX; hex += 2) {
		if (sscanf(hex, "%2x", &byte) != 1)
			errx(1, "hex: %s", hex);
		out[n++] = (uint8_t)byte;
	}
	return n;
}

/* Where the checksum of a protocol is, or 0; and it may be another one's. */
static void
transport_checksum(uint8_t proto, uint8_t *p, size_t len, uint32_t pseudo)
{
	static const struct { uint8_t proto; size_t at, min; } where[] = {
		{ IPPROTO_TCP, 16, 20 }, { IPPROTO_UDP, 6, 8 },
		{ IPPROTO_ICMP, 2, 4 }, { IPPROTO_ICMPV6, 2, 4 },
	};
	size_t		i;

	/* Options headers of eight bytes each before it. */
	while (proto == 0 || proto == 60 || proto == 44 || proto == 43) {
		if (len < 16)
			return;
		proto = p[0];
		p += 8;
		len -= 8;
	}
	for (i = 0; i < sizeof(where) / sizeof(where[0]); i++) {
		if (where[i].proto != proto || len < where[i].min)
			continue;
		if (proto == IPPROTO_ICMP)
			pseudo = 0;
		else
			pseudo += proto + (uint32_t)len;
		put_checksum(p + where[i].at, sum(p, len, pseudo));
	}
}

static size_t
make4(const struct attack *a, const char *src, const char *dst, uint8_t *b)
{
	size_t	len = unhex(a->hex, b + 20), all = 20 + len;

	memset(b, 0, 20);
	b[0] = 0x45;
	b[2] = (uint8_t)(all >> 8);
	b[3] = (uint8_t)all;
	b[5] = (uint8_t)number;
	b[6] = (uint8_t)(a->frag >> 8);
	b[7] = (uint8_t)a->frag;
	b[8] = a->ttl != 0 ? a->ttl : 64;
	b[9] = a->proto;
	if (inet_pton(AF_INET, src, b + 12) != 1 ||
	    inet_pton(AF_INET, dst, b + 16) != 1)
		errx(1, "%s, %s", src, dst);
	put_checksum(b + 10, sum(b, 20, 0));
	transport_checksum(a->proto, b + 20, len, sum(b + 12, 8, 0));
	return all;
}

static size_t
make6(const struct attack *a, const char *src, const char *dst, uint8_t *b)
{
	size_t	len = unhex(a->hex, b + 40);

	memset(b, 0, 40);
	b[0] = 0x60;
	b[4] = (uint8_t)(len >> 8);
	b[5] = (uint8_t)len;
	b[6] = a->proto;
	b[7] = a->ttl != 0 ? a->ttl : 64;
	if (inet_pton(AF_INET6, src, b + 8) != 1 ||
	    inet_pton(AF_INET6, dst, b + 24) != 1)
		errx(1, "%s, %s", src, dst);
	transport_checksum(a->proto, b + 40, len, sum(b + 8, 32, 0));
	return 40 + len;
}

static size_t
make(const struct attack *a, uint8_t *b)
{
	bool		 v4 = a->af == AF_INET;
	const char	*host = v4 ? HOST4 : HOST6, *row = row_address(a->af);
	const char	*src = a->dir == OUT ? host : row;
	const char	*dst = a->dir == OUT ? row : host;

	if (a->from != NULL)
		src = a->from;
	if (a->to != NULL)
		dst = a->to;
	return v4 ? make4(a, src, dst, b) : make6(a, src, dst, b);
}

static void
raw(const struct attack *a)
{
	uint8_t			b[PACKET_MAX + 64];
	struct sockaddr_storage	ss;
	struct attack		to = *a;
	size_t			n = make(a, b);
	socklen_t		len;
	int			fd, on = 1;

	if (a->dir == IN && a->to == NULL)
		to.to = a->af == AF_INET ? HOST4 : HOST6;
	len = address(&to, &ss, 0);
	fd = open_socket(a->af, SOCK_RAW, IPPROTO_RAW);
	if (a->frag != 0 && setsockopt(fd, IPPROTO_IP, IP_NODEFRAG, &on,
	    sizeof(on)) == -1)
		err(1, "fragments");
	if (a->af == AF_INET6)
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_HDRINCL, &on,
		    sizeof(on));
	/* The remote has no route to a group. */
	if (a->dir == IN && a->to != NULL)
		(void)setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, "eth0", 5);
	sent(sendto(fd, b, n, 0, (struct sockaddr *)&ss, len));
}

/* Below IP: to the broadcast address, so that none has to be found out. */
static void
frame(const struct attack *a)
{
	static const struct attack	udp = { .af = AF_INET, .proto = 17,
					    .hex = UDP };
	struct sockaddr_ll		ll;
	uint8_t				b[PACKET_MAX + 64];
	size_t				n = make(&udp, b);
	int				fd;

	(void)a;
	fd = open_socket(AF_PACKET, SOCK_DGRAM, htons(ETH_P_IP));
	memset(&ll, 0, sizeof(ll));
	ll.sll_family = AF_PACKET;
	ll.sll_protocol = htons(ETH_P_IP);
	ll.sll_ifindex = (int)if_nametoindex("eth0");
	ll.sll_halen = ETH_ALEN;
	memset(ll.sll_addr, 0xff, ETH_ALEN);
	sent(sendto(fd, b, n, 0, (struct sockaddr *)&ll, sizeof(ll)));
}

/* What local sockets are given; raw ones stand behind the firewall. */

static void
took(int fd, int af, int proto)
{
	struct sockaddr_storage	ss;
	struct sockaddr_in	*sin = (void *)&ss;
	struct sockaddr_in6	*sin6 = (void *)&ss;
	socklen_t		len = sizeof(ss);
	char			b[2048], text[64];

	if (recvfrom(fd, b, sizeof(b), 0, (struct sockaddr *)&ss, &len) == -1)
		return;
	if (inet_ntop(af, af == AF_INET ? (void *)&sin->sin_addr :
	    (void *)&sin6->sin6_addr, text, sizeof(text)) == NULL)
		return;
	printf("%d %s %d\n", af == AF_INET ? 4 : 6, text, proto);
	(void)fflush(stdout);
}

static void
sink(void)
{
	static const int	protos[] = { 1, 6, 17, 58, 132, 136, 253 };
#define NPROTOS	(sizeof(protos) / sizeof(protos[0]))
	struct pollfd		pfd[2 * NPROTOS];
	size_t			i;

	for (i = 0; i < 2 * NPROTOS; i++) {
		pfd[i].fd = socket(i % 2 == 0 ? AF_INET : AF_INET6, SOCK_RAW,
		    protos[i / 2]);
		if (pfd[i].fd == -1)
			err(1, "socket");
		pfd[i].events = POLLIN;
	}
	printf("listening\n");
	(void)fflush(stdout);
	for (;;) {
		if (poll(pfd, 2 * NPROTOS, -1) == -1)
			err(1, "poll");
		for (i = 0; i < 2 * NPROTOS; i++)
			if (pfd[i].revents != 0)
				took(pfd[i].fd, i % 2 == 0 ? AF_INET :
				    AF_INET6, protos[i / 2]);
	}
}

/* "xNNNNN.test", an A record. */
static size_t
question(int n, uint8_t *b)
{
	static const uint8_t	tail[] = "\4test\0\0\1\0";
	size_t			len = 12;

	memset(b, 0, len);
	b[0] = (uint8_t)(n >> 8);
	b[1] = (uint8_t)n;
	b[2] = 1;
	b[5] = 1;
	b[len++] = 8;
	(void)snprintf((char *)b + len, 9, "x%07d", n % 10000000);
	len += 8;
	memcpy(b + len, tail, sizeof(tail));
	b[len + sizeof(tail) - 1] = 1;
	return len + sizeof(tail);
}

static void
flood(int count)
{
	struct sockaddr_in	sin = { .sin_family = AF_INET,
				    .sin_port = htons(53) };
	uint8_t			b[64];
	size_t			len;
	int			i, fd;

	if (inet_pton(AF_INET, "10.7.0.1", &sin.sin_addr) != 1)
		errx(1, "address");
	for (i = 0; i < count; i++) {
		fd = open_socket(AF_INET, SOCK_DGRAM, 0);
		len = question(i, b);
		if (sendto(fd, b, len, 0, (struct sockaddr *)&sin,
		    sizeof(sin)) == -1)
			warn("send");
		(void)close(fd);
	}
}

static void
list(void)
{
	int	i;

	for (i = 0; i < NATTACKS; i++)
		printf("%d %s %s %d %s %s\n", i + 1,
		    attacks[i].dir == OUT ? "out" : "in",
		    attacks[i].passes ? "passes" : "judged",
		    attacks[i].af == AF_INET ? 4 : 6,
		    attacks[i].to != NULL ? attacks[i].to : "-",
		    attacks[i].name);
}

int
main(int argc, char *argv[])
{
	const struct attack	*a;
	const char		*bad;

	if (argc == 2 && strcmp(argv[1], "list") == 0)
		list();
	else if (argc == 2 && strcmp(argv[1], "sink") == 0)
		sink();
	else if (argc == 3 && strcmp(argv[1], "flood") == 0) {
		flood((int)strtonum(argv[2], 1, 1000000, &bad));
		if (bad != NULL)
			errx(2, "%s: %s", argv[2], bad);
	} else if (argc >= 3 && strcmp(argv[1], "send") == 0) {
		if (argc == 4)
			net = 65;
		number = (int)strtonum(argv[2], 1, NATTACKS, &bad);
		if (bad != NULL)
			errx(2, "%s: %s", argv[2], bad);
		a = &attacks[number - 1];
		if (a->call != NULL)
			a->call(a);
		else
			raw(a);
	} else
		errx(2, "see the head of attack.c");
	return 0;
}
