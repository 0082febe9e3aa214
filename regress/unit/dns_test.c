/*
 * SPDX-License-Identifier: ISC
 *
 * dns.c: messages as resolvers write them, and each way to damage one.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "dns.h"

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

struct wire {
	uint8_t	b[16384];
	size_t	len;
};
static struct wire	w;
static struct dns_msg	m;

#define REPLY	0x8180
#define QUERY	0x0100

static void
put8(unsigned int v)
{
	w.b[w.len++] = (uint8_t)v;
}

static void
put16(unsigned int v)
{
	put8(v >> 8);
	put8(v & 0xff);
}

static void
put(const void *bytes, size_t len)
{
	memcpy(w.b + w.len, bytes, len);
	w.len += len;
}

/* "www.example.com", without compression. */
static void
put_name(const char *name)
{
	size_t	len;

	while (*name != '\0') {
		len = strcspn(name, ".");
		put8((unsigned int)len);
		put(name, len);
		name += len;
		if (*name == '.')
			name++;
	}
	put8(0);
}

static void
begin(unsigned int flags, const char *qname, unsigned int qtype)
{
	w.len = 0;
	put16(0x1234);
	put16(flags);
	put16(1);
	put16(0);
	put16(0);
	put16(0);
	put_name(qname);
	put16(qtype);
	put16(1);
}

/* Everything but the data; its owner is a pointer, or a name. */
static void
record(const char *owner, unsigned int type, unsigned int ttl, size_t len)
{
	unsigned int	n = (unsigned int)(w.b[6] << 8 | w.b[7]) + 1;

	w.b[6] = (uint8_t)(n >> 8);
	w.b[7] = (uint8_t)n;
	if (owner == NULL)
		put16(0xc00c);	/* the question's */
	else
		put_name(owner);
	put16(type);
	put16(1);
	put16(ttl >> 16);
	put16(ttl & 0xffff);
	put16((unsigned int)len);
}

static void
a_record(const char *owner, unsigned int ttl, const char *addr)
{
	uint8_t	bytes[4];

	record(owner, DNS_TYPE_A, ttl, 4);
	inet_pton(AF_INET, addr, bytes);
	put(bytes, 4);
}

static int
parse_len(size_t len)
{
	uint8_t	*heap = malloc(len > 0 ? len : 1);
	int	 ret;

	if (heap == NULL)
		abort();
	memcpy(heap, w.b, len);
	memset(&m, 0xa5, sizeof(m));
	ret = dns_parse(heap, len, &m);
	free(heap);
	return ret;
}

static int
parse(void)
{
	return parse_len(w.len);
}

static bool
has_addr(size_t i, const char *text)
{
	struct addr	addr;

	return i < m.nanswers && addr_parse(text, &addr) == 0 &&
	    addr_eq(&m.answer[i].addr, &addr);
}

static void
good(void)
{
	uint8_t	six[16];

	begin(QUERY, "wWw.Example.com", DNS_TYPE_A);
	CHECK(parse() == 0);
	CHECK(m.id == 0x1234 && !m.reply && m.rcode == 0 && !m.cut);
	CHECK(strcmp(m.qname, "wWw.Example.com") == 0);
	CHECK(m.qtype == DNS_TYPE_A && m.nanswers == 0);
	case_end("dns query");

	begin(REPLY, "www.example.com", DNS_TYPE_A);
	a_record(NULL, 300, "192.0.2.7");
	a_record("WWW.example.com", 0x80000000U, "192.0.2.8");
	inet_pton(AF_INET6, "2001:db8::7", six);
	record(NULL, DNS_TYPE_AAAA, 60, 16);
	put(six, 16);
	CHECK(parse() == 0 && m.reply && m.nanswers == 3);
	CHECK(strcmp(m.answer[0].owner, "www.example.com") == 0);
	CHECK(m.answer[0].type == DNS_TYPE_A && m.answer[0].ttl == 300);
	CHECK(m.answer[0].target[0] == '\0');
	CHECK(has_addr(0, "192.0.2.7"));
	CHECK(strcmp(m.answer[1].owner, "WWW.example.com") == 0);
	CHECK(has_addr(1, "192.0.2.8") && m.answer[1].ttl == 0);
	CHECK(has_addr(2, "2001:db8::7"));
	CHECK(m.answer[2].type == DNS_TYPE_AAAA);
	case_end("dns addresses");

	begin(REPLY, "www.example.com", DNS_TYPE_A);
	record(NULL, DNS_TYPE_CNAME, 60, 6);
	put("\3cdn\300\020", 6);	/* cdn.example.com */
	record(NULL, 16, 60, 3);	/* TXT */
	put("\2hi", 3);
	a_record("cdn.example.com", 60, "192.0.2.9");
	CHECK(parse() == 0 && m.nanswers == 2);
	CHECK(m.answer[0].type == DNS_TYPE_CNAME);
	CHECK(strcmp(m.answer[0].target, "cdn.example.com") == 0);
	CHECK(m.answer[0].addr.af == 0);
	CHECK(has_addr(1, "192.0.2.9"));
	case_end("dns cname");
}

static void
flags(void)
{
	begin(REPLY | 0x0200, "a.example", DNS_TYPE_A);
	CHECK(parse() == 0 && m.cut);
	begin(REPLY | 3, "a.example", DNS_TYPE_A);
	CHECK(parse() == 0 && m.rcode == 3);
	begin(REPLY | 0x0430, "a.example", DNS_TYPE_A);	/* AA, AD, CD */
	CHECK(parse() == 0);
	begin(REPLY | 0x0040, "a.example", DNS_TYPE_A);
	CHECK(parse() == -1);
	begin(QUERY | 0x2800, "a.example", DNS_TYPE_A);	/* an update */
	CHECK(parse() == -1);
	begin(QUERY, "a.example", DNS_TYPE_A);
	a_record(NULL, 1, "192.0.2.1");
	CHECK(parse() == -1);
	case_end("dns flags");

	begin(QUERY, "a.example", DNS_TYPE_A);
	w.b[5] = 0;
	CHECK(parse() == -1);
	w.b[5] = 2;
	CHECK(parse() == -1);
	w.b[5] = 1;
	w.b[w.len - 1] = 3;	/* class CH */
	CHECK(parse() == -1);
	case_end("dns one question of class IN");

	begin(QUERY, "", 2);
	CHECK(parse() == 0 && m.qname[0] == '\0');
	case_end("dns question for the root");
}

/* Every prefix of a good message, with bytes behind it out of reach. */
static void
truncated(void)
{
	size_t	n, whole;

	begin(REPLY, "www.example.com", DNS_TYPE_A);
	record(NULL, DNS_TYPE_CNAME, 60, 6);
	put("\3cdn\300\020", 6);
	a_record("cdn.example.com", 60, "192.0.2.9");
	whole = w.len;
	for (n = 0; n < whole; n++)
		CHECK(parse_len(n) == -1);
	CHECK(parse_len(whole) == 0);
	case_end("dns message ends early");
}

static void
pointers(void)
{
	char	name[256];
	size_t	at;

	begin(REPLY, "a.example", DNS_TYPE_A);
	a_record("b.example", 1, "192.0.2.1");
	at = 12 + 11 + 4;	/* the owner */
	w.b[at] = 0xc0;
	w.b[at + 1] = (uint8_t)at;
	CHECK(parse() == -1);
	case_end("dns pointer to itself");

	w.b[at + 1] = (uint8_t)(at + 2);
	CHECK(parse() == -1);
	w.b[at + 1] = 11;	/* into the header */
	CHECK(parse() == -1);
	w.b[at] = 0xff;
	CHECK(parse() == -1);
	case_end("dns pointer forward, outside, into the header");

	/* The owner's labels lead to a pointer back to these labels. */
	begin(REPLY, "a.example", DNS_TYPE_A);
	record("b", DNS_TYPE_A, 1, 4);
	put("\1\2\3\4", 4);
	at = 12 + 11 + 4;
	memmove(w.b + at + 4, w.b + at + 3, w.len - at - 3);
	w.len++;
	w.b[at + 2] = 0xc0;
	w.b[at + 3] = (uint8_t)at;
	CHECK(parse() == -1);
	case_end("dns compression loop");

	/* As lengths of 65 and 130 these labels would be whole. */
	memset(name, 'a', sizeof(name));
	name[0x41] = '\0';
	begin(REPLY, name, DNS_TYPE_A);
	CHECK(parse() == -1);
	name[0x41] = 'a';
	name[0x82] = '\0';
	begin(REPLY, name, DNS_TYPE_A);
	CHECK(parse() == -1);
	case_end("dns reserved label types");
}

/* A chain of pointers, each to the one before. */
static void
jumps(void)
{
	size_t	i, at, n;

	for (n = DNS_JUMPS_MAX - 1; n <= DNS_JUMPS_MAX; n++) {
		begin(REPLY, "a.example", DNS_TYPE_A);
		record(NULL, 16, 1, 2 * n);
		for (i = 0; i < n; i++) {
			at = i == 0 ? 12 : w.len - 2;
			put16((unsigned int)(0xc000 | at));
		}
		at = w.len - 2;
		a_record("x", 1, "192.0.2.1");
		w.b[at + 2] = (uint8_t)(0xc0 | at >> 8);
		w.b[at + 3] = (uint8_t)at;
		/* The name "x" was one byte longer than a pointer. */
		memmove(w.b + at + 4, w.b + at + 5, w.len - at - 5);
		w.len--;
		CHECK(parse() == (n < DNS_JUMPS_MAX ? 0 : -1));
	}
	case_end("dns pointers counted");
}

static void
lengths(void)
{
	char	name[300] = "";
	size_t	i;

	for (i = 0; i < 3; i++) {
		memset(name + i * 64, 'x', 63);
		name[i * 64 + 63] = '.';
	}
	memset(name + 192, 'y', 61);
	begin(QUERY, name, DNS_TYPE_A);
	CHECK(parse() == 0 && strcmp(m.qname, name) == 0);
	CHECK(strlen(m.qname) == DNS_TEXT_MAX);
	memset(name + 192, 'y', 62);
	begin(QUERY, name, DNS_TYPE_A);
	CHECK(parse() == -1);
	case_end("dns longest name");

	begin(REPLY, "a.example", DNS_TYPE_A);
	record(NULL, DNS_TYPE_A, 1, 5);
	put("\1\2\3\4\5", 5);
	CHECK(parse() == -1);
	begin(REPLY, "a.example", DNS_TYPE_A);
	record(NULL, DNS_TYPE_AAAA, 1, 4);
	put("\1\2\3\4", 4);
	a_record(NULL, 1, "192.0.2.1");
	CHECK(parse() == -1);
	begin(REPLY, "a.example", DNS_TYPE_A);
	record(NULL, DNS_TYPE_CNAME, 1, 2);
	put("\1b\0", 3);	/* the name goes on behind the data */
	a_record(NULL, 1, "192.0.2.1");
	CHECK(parse() == -1);
	begin(REPLY, "a.example", DNS_TYPE_A);
	record(NULL, DNS_TYPE_CNAME, 1, 4);
	put("\1b\0x", 4);
	CHECK(parse() == -1);
	case_end("dns data longer or shorter than its length");
}

static void
odd_bytes(void)
{
	begin(QUERY, "a'b.example", DNS_TYPE_A);
	CHECK(parse() == -1);
	begin(QUERY, "a.b\nc.example", DNS_TYPE_A);
	CHECK(parse() == -1);
	begin(QUERY, "a.example", DNS_TYPE_A);
	w.b[13] = 0;	/* a NUL inside a label */
	CHECK(parse() == -1);
	begin(QUERY, "a.example", DNS_TYPE_A);
	w.b[13] = '.';
	CHECK(parse() == -1);
	case_end("dns question with odd bytes");

	begin(REPLY, "a.example", DNS_TYPE_A);
	a_record("a;b.example", 1, "192.0.2.1");
	record(NULL, DNS_TYPE_CNAME, 1, 5);
	put("\3$()\0", 5);
	a_record("_x-1.example", 1, "192.0.2.2");
	CHECK(parse() == 0 && m.nanswers == 1);
	CHECK(has_addr(0, "192.0.2.2"));
	CHECK(m.nanswers > 0 &&
	    strcmp(m.answer[0].owner, "_x-1.example") == 0);
	case_end("dns answers with odd bytes are passed over");

	begin(REPLY, "a.example", DNS_TYPE_A);
	a_record(NULL, 1, "192.0.2.1");
	w.b[w.len - 11] = 3;	/* class CH */
	a_record(NULL, 1, "192.0.2.2");
	CHECK(parse() == 0 && m.nanswers == 1 && has_addr(0, "192.0.2.2"));
	case_end("dns answers of other classes are passed over");
}

static void
many(void)
{
	static const uint8_t	hints[] = {
		0, 1, 0, 0, 4, 0, 12,
		192, 0, 2, 2, 192, 0, 2, 3, 192, 0, 2, 4
	};
	size_t			i;

	begin(REPLY, "a.example", DNS_TYPE_A);
	for (i = 0; i < DNS_ANSWERS_MAX + 10; i++)
		a_record(NULL, 1, "192.0.2.1");
	CHECK(parse() == 0 && m.nanswers == DNS_ANSWERS_MAX);
	begin(REPLY, "a.example", DNS_TYPE_HTTPS);
	for (i = 0; i < DNS_ANSWERS_MAX - 1; i++)
		a_record(NULL, 1, "192.0.2.1");
	record(NULL, DNS_TYPE_HTTPS, 1, sizeof(hints));
	put(hints, sizeof(hints));
	CHECK(parse() == 0 && m.nanswers == DNS_ANSWERS_MAX);
	CHECK(has_addr(DNS_ANSWERS_MAX - 1, "192.0.2.2"));
	case_end("dns too many answers");

	begin(REPLY, "a.example", DNS_TYPE_A);
	for (i = 0; i < DNS_RECORDS_MAX; i++) {
		record(NULL, 16, 1, 1);
		put8(0);
	}
	a_record(NULL, 1, "192.0.2.1");
	CHECK(parse() == 0 && m.nanswers == 0);
	case_end("dns too many records");
}

static void
svcb(void)
{
	static const uint8_t	hints[] = {
		0, 1, 0,			/* priority 1, "." */
		0, 1, 0, 3, 2, 'h', '2',	/* alpn */
		0, 4, 0, 8, 192, 0, 2, 1, 192, 0, 2, 2,
		0, 6, 0, 16, 0x20, 1, 0xd, 0xb8, 0, 0, 0, 0,
		0, 0, 0, 0, 0, 0, 0, 5
	};
	static const uint8_t	alias[] = {
		0, 0, 3, 'c', 'd', 'n', 3, 'n', 'e', 't', 0
	};
	static const uint8_t	order[] = {
		0, 1, 0, 0, 4, 0, 4, 192, 0, 2, 1, 0, 4, 0, 4, 192, 0, 2, 2
	};
	static const uint8_t	uneven[] = {
		0, 1, 0, 0, 4, 0, 3, 192, 0, 2
	};
	size_t			n;

	begin(REPLY, "a.example", DNS_TYPE_HTTPS);
	record(NULL, DNS_TYPE_HTTPS, 60, sizeof(hints));
	put(hints, sizeof(hints));
	CHECK(parse() == 0 && m.nanswers == 3);
	CHECK(has_addr(0, "192.0.2.1") && has_addr(1, "192.0.2.2"));
	CHECK(has_addr(2, "2001:db8::5"));
	CHECK(m.answer[2].type == DNS_TYPE_HTTPS && m.answer[2].ttl == 60);
	CHECK(strcmp(m.answer[2].owner, "a.example") == 0);
	case_end("dns https hints");

	begin(REPLY, "a.example", DNS_TYPE_HTTPS);
	record(NULL, DNS_TYPE_SVCB, 60, sizeof(alias));
	put(alias, sizeof(alias));
	CHECK(parse() == 0 && m.nanswers == 1);
	CHECK(strcmp(m.answer[0].target, "cdn.net") == 0);
	CHECK(m.answer[0].addr.af == 0);
	case_end("dns svcb alias");

	for (n = 0; n < sizeof(hints); n++) {
		if (n == 3 || n == 10 || n == 22)
			continue;	/* a key ends here: whole */
		begin(REPLY, "a.example", DNS_TYPE_HTTPS);
		record(NULL, DNS_TYPE_HTTPS, 60, n);
		put(hints, n);
		CHECK(parse() == -1);
	}
	begin(REPLY, "a.example", DNS_TYPE_HTTPS);
	record(NULL, DNS_TYPE_HTTPS, 60, sizeof(order));
	put(order, sizeof(order));
	CHECK(parse() == -1);
	begin(REPLY, "a.example", DNS_TYPE_HTTPS);
	record(NULL, DNS_TYPE_HTTPS, 60, sizeof(uneven));
	put(uneven, sizeof(uneven));
	CHECK(parse() == -1);
	case_end("dns svcb damaged");
}

static void
names(void)
{
	static const char *const ok[] = { "a", "a.b", "www.example.com",
	    "_dmarc.example.com", "xn--bcher-kva.example", "1.2.3.com",
	    "-x.example", "localhost", "x-.example", "0x.com", "abc.0xyz" };
	static const char *const bad[] = { "", ".", "a.", ".a", "a..b", "-",
	    "a b", "a\n", "a'b", "*.a", "1.2.3.4", "1.2", "a.7", "a.0x1f",
	    "a.-b", "a.b-", "caf\303\251", "a/b", "a#", "0x" };
	char	long_name[300], lower[] = "AbZ-_09.[@`{";
	size_t	i;

	for (i = 0; i < sizeof(ok) / sizeof(ok[0]); i++)
		CHECK(dns_name_ok(ok[i]));
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		CHECK(!dns_name_ok(bad[i]));
	memset(long_name, 'a', sizeof(long_name));
	long_name[63] = '\0';
	CHECK(dns_name_ok(long_name));
	long_name[63] = 'a';
	long_name[64] = '\0';
	CHECK(!dns_name_ok(long_name));
	memset(long_name, 'a', sizeof(long_name));
	for (i = 1; i < 254; i += 2)
		long_name[i] = '.';
	long_name[253] = '\0';
	CHECK(dns_name_ok(long_name));
	long_name[253] = '.';
	long_name[254] = 'a';
	long_name[255] = '\0';
	CHECK(!dns_name_ok(long_name));
	case_end("dns name characters and lengths");

	dns_name_lower(lower);
	CHECK(strcmp(lower, "abz-_09.[@`{") == 0);
	CHECK(dns_name_same("aBc.D", "AbC.d") && !dns_name_same("a", "ab"));
	CHECK(!dns_name_same("ab", "a") && !dns_name_same("@", "`"));
	CHECK(dns_name_same("", ""));
	case_end("dns name case");
}

int
main(void)
{
	good();
	flags();
	truncated();
	pointers();
	jumps();
	lengths();
	odd_bytes();
	many();
	svcb();
	names();
	return failures != 0;
}
