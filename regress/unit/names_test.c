/*
 * SPDX-License-Identifier: ISC
 *
 * names.c: what teaches a name and, above all, what does not.
 */
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "names.h"

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

#define START	(1000 * NAMES_SECOND)
#define LIMIT	32	/* more than an address may have */

static const uint8_t	 key[NAMES_KEY_LEN] = "a test's key...";
static struct names	*n;
static struct tuple	 sent, got;
static struct dns_msg	 query, reply;
static size_t		 learnt_calls;
static char		 learnt_name[HOST_NAME_MAX_DNS];

static struct addr
addr(const char *text)
{
	struct addr	a;

	if (addr_parse(text, &a) == -1)
		abort();
	return a;
}

static void
learnt(const char *name, const struct addr *a, void *arg)
{
	CHECK(arg == &learnt_calls);
	CHECK(a->af != 0);
	learnt_calls++;
	(void)snprintf(learnt_name, sizeof(learnt_name), "%s", name);
}

/* 203.0.113.1 is this host's. */
static bool
own(const struct addr *a, void *arg)
{
	struct addr	self = addr("203.0.113.1");

	CHECK(arg == &learnt_calls);
	return addr_eq(a, &self);
}

/* A query for name, and a reply to it without answers. */
static void
question(const char *name, uint16_t type)
{
	sent = (struct tuple){ .src = addr("203.0.113.1"),
	    .dst = addr("203.0.113.53"), .proto = IPPROTO_UDP,
	    .sport = 40000, .dport = 53 };
	got = (struct tuple){ .src = sent.dst, .dst = sent.src,
	    .proto = IPPROTO_UDP, .sport = 53, .dport = 40000 };
	memset(&query, 0, sizeof(query));
	memset(&reply, 0, sizeof(reply));
	query.id = reply.id = 0xbeef;
	reply.reply = true;
	query.qtype = reply.qtype = type;
	(void)snprintf(query.qname, sizeof(query.qname), "%s", name);
	(void)snprintf(reply.qname, sizeof(reply.qname), "%s", name);
}

static void
answer(const char *owner, uint32_t ttl, const char *text)
{
	struct dns_answer	*a = &reply.answer[reply.nanswers++];

	(void)snprintf(a->owner, sizeof(a->owner), "%s", owner);
	a->addr = addr(text);
	a->type = a->addr.af == AF_INET ? DNS_TYPE_A : DNS_TYPE_AAAA;
	a->ttl = ttl;
}

static void
cname(const char *owner, const char *target)
{
	struct dns_answer	*a = &reply.answer[reply.nanswers++];

	(void)snprintf(a->owner, sizeof(a->owner), "%s", owner);
	(void)snprintf(a->target, sizeof(a->target), "%s", target);
	a->type = DNS_TYPE_CNAME;
	a->ttl = 60;
}

static void
ask(uint32_t uid, uint64_t now)
{
	names_query(n, &sent, &query, uid, now);
}

static int
told(uint64_t now)
{
	return names_reply(n, &got, &reply, now, own, learnt, &learnt_calls);
}

static size_t
count_of(const char *text, uint64_t now)
{
	struct addr	a = addr(text);
	const char	*out[LIMIT];
	size_t		 total;

	return names_of(n, &a, now, out, LIMIT, &total);
}

/* The only live name of an address. */
static bool
named(const char *text, const char *name, uint64_t now)
{
	struct addr	a = addr(text);
	const char	*out[1];
	size_t		 total;

	return names_of(n, &a, now, out, 1, &total) == 1 && total == 1 &&
	    strcmp(out[0], name) == 0;
}

static void
fresh(void)
{
	names_free(n);
	if ((n = names_new_keyed(key)) == NULL)
		abort();
	learnt_calls = 0;
	learnt_name[0] = '\0';
}

static size_t
pairs(void)
{
	struct names_counts	c;

	names_count(n, &c);
	return c.pairs;
}

static void
learns(void)
{
	fresh();
	question("WwW.Example.com", DNS_TYPE_A);
	answer("www.example.com", 60, "192.0.2.1");
	answer("WWW.example.com", 60, "192.0.2.2");
	ask(1000, START);
	CHECK(told(START + 1) == 0);
	CHECK(named("192.0.2.1", "www.example.com", START + 2));
	CHECK(named("192.0.2.2", "www.example.com", START + 2));
	CHECK(learnt_calls == 2);
	CHECK(strcmp(learnt_name, "www.example.com") == 0);
	CHECK(count_of("192.0.2.3", START + 2) == 0);
	case_end("names learnt from a reply");

	CHECK(told(START + 2) == -1);
	CHECK(learnt_calls == 2);
	case_end("names second reply to one query");

	ask(1000, START + 3);
	CHECK(told(START + 4) == 0 && learnt_calls == 2);
	case_end("names told once of each pair");

	fresh();
	question("a.example", DNS_TYPE_AAAA);
	sent.proto = got.proto = IPPROTO_TCP;
	answer("a.example", 60, "2001:db8::1");
	ask(1000, START);
	CHECK(told(START + 1) == 0);
	CHECK(named("2001:db8::1", "a.example", START + 2));
	CHECK(told(START + 1) == -1);
	case_end("names over tcp, ipv6");
}

static void
chains(void)
{
	fresh();
	question("www.example.com", DNS_TYPE_A);
	answer("edge.cdn.net", 60, "192.0.2.1");	/* any order */
	cname("cdn.example.com", "EDGE.cdn.net");
	cname("www.example.com", "cdn.example.com");
	answer("evil.example.org", 60, "192.0.2.66");
	cname("evil.example.org", "edge.cdn.net");
	ask(1000, START);
	CHECK(told(START) == 0);
	CHECK(named("192.0.2.1", "www.example.com", START));
	CHECK(count_of("192.0.2.66", START) == 0);
	case_end("names cname chain teaches the question");

	fresh();
	question("a.example", DNS_TYPE_A);
	cname("a.example", "b.example");
	cname("b.example", "c.example");
	cname("c.example", "a.example");
	answer("c.example", 60, "192.0.2.1");
	ask(1000, START);
	CHECK(told(START) == 0);
	CHECK(named("192.0.2.1", "a.example", START));
	CHECK(learnt_calls == 1);
	case_end("names cname loop");

	fresh();
	question("a.example", DNS_TYPE_HTTPS);
	cname("a.example", "svc.example");	/* as in alias mode */
	reply.answer[0].type = DNS_TYPE_HTTPS;
	answer("svc.example", 60, "192.0.2.1");
	reply.answer[1].type = DNS_TYPE_HTTPS;
	ask(1000, START);
	CHECK(told(START) == 0);
	CHECK(named("192.0.2.1", "a.example", START));
	case_end("names https alias and hint");
}

static void
chain_bound(void)
{
	char	from[16], to[16];
	int	i, len;

	for (len = NAMES_CHAIN_MAX; len <= NAMES_CHAIN_MAX + 1; len++) {
		fresh();
		question("n0", DNS_TYPE_A);
		for (i = 0; i < len; i++) {
			(void)snprintf(from, sizeof(from), "n%d", i);
			(void)snprintf(to, sizeof(to), "n%d", i + 1);
			cname(from, to);
		}
		answer(to, 60, "192.0.2.1");
		ask(1000, START);
		CHECK(told(START) == 0);
		CHECK(learnt_calls == (len == NAMES_CHAIN_MAX ? 1 : 0));
	}
	case_end("names cname chain too long");
}

/* Asks, changes one thing in what comes back, and expects nothing learnt. */
#define POISON(what, change) do {					\
	fresh();							\
	question("bank.example", DNS_TYPE_A);				\
	answer("bank.example", 60, "192.0.2.66");			\
	ask(1000, START);						\
	change;								\
	CHECK(told(START + 1) == -1);					\
	CHECK(pairs() == 0 && learnt_calls == 0);			\
	CHECK(count_of("192.0.2.66", START + 1) == 0);			\
	case_end("names poison: " what);				\
} while (0)

static void
poison(void)
{
	fresh();
	question("bank.example", DNS_TYPE_A);
	answer("bank.example", 60, "192.0.2.66");
	CHECK(told(START) == -1 && pairs() == 0);
	case_end("names poison: unasked reply");

	reply.reply = query.reply = true;
	ask(1000, START);
	CHECK(told(START) == -1 && pairs() == 0);
	case_end("names poison: a reply sent is no query");

	POISON("wrong id", reply.id++);
	POISON("wrong port", got.dport++);
	POISON("wrong source port", got.sport = 5353);
	POISON("wrong resolver", got.src = addr("203.0.113.54"));
	POISON("wrong receiver", got.dst = addr("203.0.113.2"));
	POISON("wrong protocol", got.proto = IPPROTO_TCP);
	POISON("wrong question",
	    (void)strlcpy(reply.qname, "bank.example.org", 256));
	POISON("wrong type", reply.qtype = DNS_TYPE_AAAA);
	POISON("wrong case, 0x20", reply.qname[0] = 'B');
	POISON("a query as reply", reply.reply = false);

	fresh();
	question("bank.example", DNS_TYPE_A);
	answer("bank.example", 60, "192.0.2.66");
	ask(1000, START);
	CHECK(told(START + NAMES_QUERY_LIFE + 1) == -1 && pairs() == 0);
	case_end("names poison: too late");

	fresh();
	question("bank.example", DNS_TYPE_A);
	answer("bank.example", 60, "192.0.2.66");
	ask(1000, START);
	CHECK(told(START + NAMES_QUERY_LIFE) == 0);
	case_end("names reply just in time");

	fresh();
	question("bank.example", DNS_TYPE_A);
	answer("bank.example", 60, "192.0.2.66");
	reply.rcode = 3;
	ask(1000, START);
	CHECK(told(START) == 0 && pairs() == 0);
	case_end("names poison: answer beside an error");
}

static void
never(void)
{
	static const char *const bad[] = { "127.0.0.1", "127.9.9.9", "::1",
	    "169.254.1.1", "fe80::1", "224.0.0.251", "ff02::fb",
	    "255.255.255.255", "0.0.0.0", "0.0.0.1", "::",
	    "::ffff:127.0.0.1", "::ffff:169.254.1.1", "::ffff:0.0.0.0",
	    "203.0.113.1", "::ffff:203.0.113.1" };
	static const char *const self[] = { "localhost", "LOCALHOST",
	    "a.localhost", "192.0.2.9", "1.2", "-", "" };
	struct names_counts	 c;
	size_t			 i;

	fresh();
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		question("site.example", DNS_TYPE_A);
		answer("site.example", 60, bad[i]);
		ask(1000, START);
		CHECK(told(START) == 0 && pairs() == 0);
	}
	names_count(n, &c);
	CHECK(c.refused == i && learnt_calls == 0);
	case_end("names poison: loopback, own and local addresses");

	for (i = 0; i < sizeof(self) / sizeof(self[0]); i++) {
		question(self[i], DNS_TYPE_A);
		answer(self[i], 60, "192.0.2.66");
		ask(1000, START);
		(void)told(START);
		CHECK(pairs() == 0);
	}
	case_end("names poison: localhost and addresses as names");

	question("notlocalhost", DNS_TYPE_AAAA);
	answer("notlocalhost", 60, "::ffff:192.0.2.7");
	ask(1000, START);
	CHECK(told(START) == 0);
	CHECK(named("192.0.2.7", "notlocalhost", START));
	case_end("names mapped addresses are ipv4");
}

static void
lives(void)
{
	fresh();
	question("a.example", DNS_TYPE_A);
	answer("a.example", 0, "192.0.2.1");
	answer("a.example", 3600, "192.0.2.2");
	answer("a.example", UINT32_MAX, "192.0.2.3");
	ask(1000, START);
	CHECK(told(START) == 0);
	CHECK(count_of("192.0.2.1", START + NAMES_FLOOR - 1) == 1);
	CHECK(count_of("192.0.2.1", START + NAMES_FLOOR) == 0);
	case_end("names ttl 0 lives for the floor");

	CHECK(count_of("192.0.2.2", START + 3600 * NAMES_SECOND - 1) == 1);
	CHECK(count_of("192.0.2.2", START + 3600 * NAMES_SECOND) == 0);
	CHECK(count_of("192.0.2.3",
	    START + NAMES_TTL_MAX * NAMES_SECOND - 1) == 1);
	CHECK(count_of("192.0.2.3",
	    START + NAMES_TTL_MAX * NAMES_SECOND) == 0);
	case_end("names live by their ttl, bounded");

	question("a.example", DNS_TYPE_A);
	answer("a.example", 0, "192.0.2.1");
	answer("a.example", 0, "192.0.2.2");
	ask(1000, START + NAMES_FLOOR);
	CHECK(told(START + NAMES_FLOOR) == 0);
	CHECK(learnt_calls == 4);
	CHECK(count_of("192.0.2.1", START + NAMES_FLOOR) == 1);
	CHECK(count_of("192.0.2.2", START + 3600 * NAMES_SECOND - 1) == 1);
	case_end("names refreshed");

	/* Dead pairs are given back while others are learnt. */
	fresh();
	question("a.example", DNS_TYPE_A);
	answer("a.example", 0, "192.0.2.1");
	ask(1000, START);
	CHECK(told(START) == 0 && pairs() == 1);
	for (int i = 0; i < 1100; i++) {
		reply.answer[0].addr.b[1] = (uint8_t)(i >> 8);
		reply.answer[0].addr.b[2] = (uint8_t)i;
		ask(1000, START + (uint64_t)i * NAMES_FLOOR);
		CHECK(told(START + (uint64_t)i * NAMES_FLOOR) == 0);
	}
	CHECK(pairs() <= 1025);
	case_end("names expired pairs are swept");
}

static void
teach(const char *name, uint32_t ttl, uint64_t now)
{
	question(name, DNS_TYPE_A);
	answer(name, ttl, "192.0.2.1");
	ask(1000, now);
	CHECK(told(now) == 0);
}

/* A name that had to go alive is missed for as long as it would have lived. */
static void
crowd(void)
{
	struct addr	 a = addr("192.0.2.1");
	const char	*out[LIMIT];
	uint64_t	 later = START + 1 + NAMES_FLOOR;
	char		 name[32];
	size_t		 total;
	int		 i;

	fresh();
	teach("old.example", 3600, START);
	for (i = 1; i < NAMES_PER_ADDR; i++) {
		(void)snprintf(name, sizeof(name), "n%d.example", i);
		teach(name, 0, START + 1);
	}
	teach("new.example", 0, later);
	CHECK(names_of(n, &a, later, out, LIMIT, &total) == 2 && total == 2);
	CHECK(strcmp(out[0], "new.example") == 0);
	CHECK(strcmp(out[1], "old.example") == 0);
	case_end("names that are dead make room first");

	fresh();
	teach("old.example", 3600, START);
	for (i = 1; i <= NAMES_PER_ADDR; i++) {
		(void)snprintf(name, sizeof(name), "n%d.example", i);
		teach(name, 0, START + 1);
	}
	CHECK(names_of(n, &a, later, out, LIMIT, &total) == 0 && total == 1);
	for (i = 0; i < 1100; i++) {	/* until the sweep came by */
		(void)snprintf(name, sizeof(name), "x 10.%d.%d.1", i >> 8,
		    i & 255);
		CHECK(names_load(n, name, strlen(name), later) == 0);
	}
	teach("new.example", 0, later);
	CHECK(names_of(n, &a, later, out, LIMIT, &total) == 1 && total == 2);
	for (i = 1; i < NAMES_PER_ADDR; i++) {	/* the dead one goes */
		(void)snprintf(name, sizeof(name), "m%d.example", i);
		teach(name, 0, later);
	}
	CHECK(names_of(n, &a, later, out, LIMIT, &total) == NAMES_PER_ADDR);
	CHECK(total == NAMES_PER_ADDR + 1);
	later = START + 3600 * NAMES_SECOND;
	teach("new.example", 0, later);
	CHECK(names_of(n, &a, later, out, LIMIT, &total) == 1 && total == 1);
	case_end("names that made room alive are not forgotten");
}

static void
several(void)
{
	struct addr	 a = addr("192.0.2.1");
	const char	*out[LIMIT];
	char		 name[32];
	size_t		 total;
	int		 i;

	fresh();
	for (i = 0; i < NAMES_PER_ADDR + 4; i++) {
		(void)snprintf(name, sizeof(name), "n%d.example", i);
		question(name, DNS_TYPE_A);
		answer(name, 60, "192.0.2.1");
		ask(1000, START + (uint64_t)i);
		CHECK(told(START + (uint64_t)i) == 0);
	}
	CHECK(names_of(n, &a, START + 100, out, LIMIT, &total) ==
	    NAMES_PER_ADDR);
	CHECK(total == NAMES_PER_ADDR + 1);
	CHECK(strcmp(out[0], "n19.example") == 0);
	CHECK(strcmp(out[NAMES_PER_ADDR - 1], "n4.example") == 0);
	CHECK(names_of(n, &a, START + 100, out, 3, &total) == 3);
	CHECK(total == NAMES_PER_ADDR + 1);
	CHECK(names_of(n, &a, START + 100, out, 3, NULL) == 3);
	case_end("names of one address, freshest first, bounded");

	question("n7.example", DNS_TYPE_A);
	answer("n7.example", 60, "192.0.2.1");
	ask(1000, START + 100);
	CHECK(told(START + 100) == 0);
	CHECK(names_of(n, &a, START + 101, out, LIMIT, &total) ==
	    NAMES_PER_ADDR);
	CHECK(strcmp(out[0], "n7.example") == 0);
	case_end("names asked again are fresh again");
}

static void
askers(void)
{
	struct addr	a = addr("192.0.2.1");
	uint32_t	uid;

	fresh();
	question("a.example", DNS_TYPE_A);
	answer("a.example", 0, "192.0.2.1");
	ask(1000, START);
	CHECK(told(START) == 0);
	CHECK(names_asked(n, "a.example", &a, 1000, START + 1));
	CHECK(names_asked(n, "A.example", &a, 1000, START + 1));
	CHECK(!names_asked(n, "a.example", &a, 1001, START + 1));
	CHECK(!names_asked(n, "b.example", &a, 1000, START + 1));
	CHECK(!names_asked(n, "a.example", &a, 1000, START + NAMES_FLOOR));
	case_end("names asked by");

	for (uid = 1; uid <= NAMES_ASKERS; uid++) {
		ask(uid, START + uid);
		CHECK(told(START + uid) == 0);
	}
	CHECK(!names_asked(n, "a.example", &a, 1000, START + 10));
	for (uid = 1; uid <= NAMES_ASKERS; uid++)
		CHECK(names_asked(n, "a.example", &a, uid, START + 10));
	ask(1, START + 11);
	CHECK(told(START + 11) == 0);
	ask(7, START + 12);
	CHECK(told(START + 12) == 0);
	CHECK(names_asked(n, "a.example", &a, 1, START + 13));
	CHECK(names_asked(n, "a.example", &a, 7, START + 13));
	CHECK(!names_asked(n, "a.example", &a, 2, START + 13));
	case_end("names asked by several");

	/* An asker's own claim ends, though others keep the pair alive. */
	ask(9, START + NAMES_FLOOR);
	CHECK(told(START + NAMES_FLOOR) == 0);
	CHECK(names_asked(n, "a.example", &a, 9, START + NAMES_FLOOR + 1));
	CHECK(!names_asked(n, "a.example", &a, 1,
	    START + NAMES_FLOOR + NAMES_SECOND));
	case_end("names asked long ago");
}

/* One uid's flood makes nobody else's reply unknown. */
static void
query_flood(void)
{
	struct names_counts	c;
	int			i;

	fresh();
	question("a.example", DNS_TYPE_A);
	answer("a.example", 60, "192.0.2.1");
	ask(1000, START);
	for (i = 0; i < NAMES_QUERIES * 2; i++) {
		query.id = (uint16_t)i;
		sent.sport = (uint16_t)(50000 + i / 65536);
		ask(1001, START + 1);
	}
	names_count(n, &c);
	CHECK(c.queries == NAMES_QUERIES_ASKER + 1);
	CHECK(c.unheeded == NAMES_QUERIES * 2 - NAMES_QUERIES_ASKER);
	CHECK(told(START + 2) == 0);
	CHECK(count_of("192.0.2.1", START + 2) == 1);
	case_end("names query flood of one asker");

	for (i = 0; i < NAMES_QUERIES * 2; i++) {
		query.id = (uint16_t)i;
		ask((uint32_t)i, START + 3);
	}
	names_count(n, &c);
	CHECK(c.queries == NAMES_QUERIES);
	query.id = reply.id = 1;
	sent.sport = got.dport = 40001;
	ask(1, START + 4);
	CHECK(told(START + 5) == 0);
	case_end("names query flood of all");

	question("b.example", DNS_TYPE_A);
	ask(1, START + 10 * NAMES_QUERY_LIFE);
	ask(1, START + 10 * NAMES_QUERY_LIFE + 1);	/* sent again */
	names_count(n, &c);
	CHECK(c.queries == 1);
	case_end("names old queries are forgotten");
}

static void
table_full(void)
{
	struct names_counts	 c;
	struct addr		 a = addr("10.0.0.0");
	const char		*out[1];
	uint32_t		 i, left;

	fresh();
	question("a.example", DNS_TYPE_A);
	answer("a.example", 60, "192.0.2.1");
	for (i = 0; i < NAMES_MAX + 100; i++) {
		a.b[1] = (uint8_t)(i >> 16);
		a.b[2] = (uint8_t)(i >> 8);
		a.b[3] = (uint8_t)i;
		reply.answer[0].addr = a;
		ask(1000, START + i);
		CHECK(told(START + i) == 0);
	}
	names_count(n, &c);
	CHECK(c.pairs == NAMES_MAX && c.evicted == 100 && c.nomem == 0);
	CHECK(c.learnt == NAMES_MAX + 100);
	CHECK(names_of(n, &a, START + i, out, 1, NULL) == 1);
	for (left = 0; left < 101; left++) {
		a.b[1] = 0;
		a.b[2] = 0;
		a.b[3] = (uint8_t)left;
		CHECK(names_of(n, &a, START + i, out, 1, NULL) ==
		    (left < 100 ? 0 : 1));
	}
	case_end("names table full: the oldest make room");
}

static void
loads(void)
{
	static const char	text[] =
	    "# learnt names\n"
	    "\n"
	    "www.example.com 192.0.2.1\n"
	    "  Mixed.Example\t2001:db8::1  # a comment\r\n"
	    "two.example 192.0.2.1\n"
	    "one-word\n"
	    "three words 192.0.2.1\n"
	    "a.example 192.0.2.2 more\n"
	    "a.example 192.0.2.300\n"
	    "loop.example 127.0.0.1\n"
	    "localhost 192.0.2.6\n"
	    "192.0.2.7 192.0.2.7\n"
	    "bad'name 192.0.2.7\n"
	    "a.example [2001:db8::2]\n"
	    "nul\0byte 192.0.2.8\n"
	    "last.example 192.0.2.9";
	const char		*out[2];
	struct addr		 a = addr("192.0.2.1");
	size_t			 total;

	fresh();
	CHECK(names_load(n, text, sizeof(text) - 1, START) == 10);
	CHECK(pairs() == 4);
	CHECK(names_of(n, &a, START, out, 2, &total) == 2 && total == 2);
	CHECK(strcmp(out[0], "two.example") == 0);	/* later lines win */
	CHECK(named("2001:db8::1", "mixed.example", START));
	CHECK(named("192.0.2.9", "last.example", START + NAMES_FLOOR - 1));
	CHECK(count_of("192.0.2.9", START + NAMES_FLOOR) == 0);
	CHECK(!names_asked(n, "last.example", &a, 0, START));
	case_end("names file, damaged in every way");

	fresh();
	CHECK(names_load(n, "", 0, START) == 0);
	CHECK(names_load(n, "\n\n\n", 3, START) == 0 && pairs() == 0);
	case_end("names file empty");
}

static void
saves(void)
{
	static const char	text[] =
	    "a.example 192.0.2.1\nb.example 2001:db8::1\n";
	char			*out = NULL, line[80];
	size_t			 len, i;

	fresh();
	CHECK(names_load(n, text, sizeof(text) - 1, START) == 0);
	len = names_save(n, START, &out);
	CHECK(out != NULL && len == sizeof(text) - 1);
	CHECK(out != NULL && strcmp(out, text) == 0);
	free(out);
	len = names_save(n, START + NAMES_FLOOR, &out);
	CHECK(len == 0 && out != NULL && out[0] == '\0');
	free(out);
	case_end("names saved as they were loaded");

	fresh();
	for (i = 0; i < NAMES_MAX; i++) {
		(void)snprintf(line, sizeof(line), "host-%zu.example."
		    "with-a-longer-name 10.%zu.%zu.1\n", i, i >> 8, i & 255);
		CHECK(names_load(n, line, strlen(line), START) == 0);
	}
	len = names_save(n, START, &out);
	CHECK(out != NULL && len > NAMES_SAVE_MAX / 3);
	CHECK(len < NAMES_SAVE_MAX && strlen(out) == len);
	CHECK(out != NULL && strstr(out, "host-65535.") != NULL);
	CHECK(out != NULL && strstr(out, "host-0.") == NULL);
	fresh();
	CHECK(out != NULL && names_load(n, out, len, START) == 0);
	CHECK(pairs() > 10000);
	free(out);
	case_end("names saved up to a limit, the freshest");
}

static void
iterates(void)
{
	const char	*name;
	struct addr	 a;
	uint64_t	 left;
	size_t		 iter = 0, seen = 0, i;
	char		 line[80];

	fresh();
	for (i = 0; i < 1000; i++) {
		(void)snprintf(line, sizeof(line), "n%zu.example 10.0.0.%zu\n",
		    i, i % 100);
		CHECK(names_load(n, line, strlen(line), START) == 0);
	}
	while (names_next(n, &iter, START + 1, &name, &a, &left)) {
		seen++;
		CHECK(strchr(name, '.') != NULL && a.b[0] == 10);
		CHECK(left == NAMES_FLOOR - 1);
	}
	CHECK(seen == 1000);
	CHECK(!names_next(n, &iter, START + 1, &name, &a, &left));
	iter = 0;
	CHECK(!names_next(n, &iter, START + NAMES_FLOOR, &name, &a, &left));
	case_end("names listed, each once");

	names_free(n);
	CHECK((n = names_new()) != NULL);
	CHECK(names_load(n, line, strlen(line), START) == 0 && pairs() == 1);
	case_end("names with the process's own key");
}

int
main(void)
{
	learns();
	chains();
	chain_bound();
	poison();
	never();
	lives();
	several();
	crowd();
	askers();
	query_flood();
	table_full();
	loads();
	saves();
	iterates();
	names_free(n);
	return failures != 0;
}
