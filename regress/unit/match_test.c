/*
 * SPDX-License-Identifier: ISC
 *
 * match_test [-s seed] [cases]
 *
 * match.c, by named cases and by random sets of rules that are judged a
 * second time by a slow matcher: it looks at every rule, and sorts those
 * that hold by what tinysnitch.rules(5) says of their order.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "case.h"
#include "match.h"

#define CASES		20000
#define RULES		24
#define SUBJECTS	12
#define NOW		1000000

static struct passwd_map	*users;
static uint64_t			 seed = 1;
static bool			 narrow;	/* all rules at few keys */

/* xorshift64*: the same on every machine. */
static uint32_t
rnd(uint32_t below)
{
	seed ^= seed >> 12;
	seed ^= seed << 25;
	seed ^= seed >> 27;
	return (uint32_t)((seed * 2685821657736338717ULL) >> 33) % below;
}

#define PICK(a)	((a)[rnd(sizeof(a) / sizeof((a)[0]))])

/* --- the obvious matcher, on its own idea of a rule --- */

struct plain {
	enum action	 action;
	const char	*dst;		/* as written in the rule */
	int		 lo, hi;	/* -1: any */
	int		 proto;
	int		 dir;
	const char	*exe;
	int		 uid;
	const char	*from;
	const char	*ifname;
	uint64_t	 expires;
	bool		 temporary;
	bool		 gone;
	uint32_t	 line;		/* 1: first */
};

static bool
bits_equal(const struct addr *a, const struct addr *b, int bits)
{
	int	i;

	for (i = 0; i < bits; i++)
		if (((a->b[i / 8] ^ b->b[i / 8]) >> (7 - i % 8) & 1) != 0)
			return false;
	return true;
}

/* The length of a prefix if the text is one that holds the address. */
static int
in_prefix(const char *text, const struct addr *addr)
{
	struct addr	 net;
	char		 copy[64];
	char		*slash;
	int		 bits;

	(void)snprintf(copy, sizeof(copy), "%s", text);
	if ((slash = strchr(copy, '/')) != NULL)
		*slash++ = '\0';
	if (addr_parse(copy, &net) == -1 || net.af != addr->af)
		return -1;
	bits = slash != NULL ? (int)strtol(slash, NULL, 10) :
	    addr->af == AF_INET ? 32 : 128;
	return bits_equal(&net, addr, bits) ? bits : -1;
}

static bool
below(const char *name, const char *domain)
{
	size_t	n = strlen(name), d = strlen(domain);

	if (n == d)
		return strcmp(name, domain) == 0;
	return n > d && name[n - d - 1] == '.' &&
	    strcmp(name + n - d, domain) == 0;
}

/* How specific: smaller is looked at first; -1: another destination. */
static int
dst_rank(const struct plain *r, const struct subject *s)
{
	int	bits;

	if (strcmp(r->dst, "-") == 0)
		return 3000;
	if (s->dir == DIR_IN)
		return strcmp(r->dst, "localhost") == 0 ? 0 : -1;
	if (strncmp(r->dst, "*.", 2) == 0)
		return s->name != NULL && below(s->name, r->dst + 2) ?
		    1000 - (int)strlen(r->dst) : -1;
	bits = in_prefix(r->dst, &s->dst);
	if (bits >= 0)
		return 2000 - bits;
	return s->name != NULL && strcmp(s->name, r->dst) == 0 ? 0 : -1;
}

static int
port_rank(const struct plain *r, const struct subject *s)
{
	if (r->lo == -1)
		return 2;
	if (!s->has_port || s->port < r->lo || s->port > r->hi)
		return -1;
	return r->lo == r->hi ? 0 : 1;
}

static bool
from_holds(const struct plain *r, const struct subject *s)
{
	size_t	i;

	if (r->from == NULL || in_prefix(r->from, &s->src) >= 0)
		return true;
	for (i = 0; i < s->nsrc_names; i++)
		if (strcmp(s->src_names[i], r->from) == 0)
			return true;
	return false;
}

/* 1: yes, 0: no, 2: would depend on who it is. */
static int
who_holds(const struct plain *r, const struct subject *s)
{
	bool	unknown = false;
	size_t	n;

	if (r->uid != -1 && !s->has_uid)
		unknown = true;
	else if (r->uid != -1 && s->uid != (uint32_t)r->uid)
		return 0;
	if (r->exe == NULL)
		return unknown ? 2 : 1;
	if (!s->who_known || s->exe == NULL)
		return 2;
	n = strlen(r->exe);
	if (r->exe[n - 1] == '*') {
		if (strncmp(s->exe, r->exe, n - 1) != 0)
			return 0;
	} else if (strcmp(s->exe, r->exe) != 0)
		return 0;
	return unknown ? 2 : 1;
}

static bool
rest_holds(const struct plain *r, const struct subject *s)
{
	if (r->gone || (r->expires != 0 && r->expires <= s->now))
		return false;
	if (r->proto != -1 && r->proto != s->proto &&
	    !(r->proto == IPPROTO_ICMP && s->proto == IPPROTO_ICMPV6))
		return false;
	return (r->dir == -1 || r->dir == (int)s->dir) && from_holds(r, s) &&
	    (r->ifname == NULL ||
	    (s->ifname != NULL && strcmp(s->ifname, r->ifname) == 0));
}

static enum match_result
slow_match(const struct plain *rules, size_t n, const struct subject *s,
    const struct plain **hit)
{
	const struct plain	*r, *best = NULL;
	long			 rank, best_rank = 0;
	int			 who, best_who = 0;
	size_t			 i;

	for (i = 0; i < n; i++) {
		r = &rules[i];
		who = who_holds(r, s);
		if (dst_rank(r, s) == -1 || port_rank(r, s) == -1 ||
		    !rest_holds(r, s) || who == 0)
			continue;
		if (who == 2 && s->who_known && r->action == ACTION_ALLOW)
			continue;
		rank = dst_rank(r, s) * 10L + port_rank(r, s);
		rank = rank * 1000 + (r->temporary ? 999 - (long)i : (long)i);
		if (!r->temporary)
			rank += 1000000000;
		if (best == NULL || rank < best_rank) {
			best = r;
			best_rank = rank;
			best_who = who;
		}
	}
	*hit = best;
	if (best == NULL)
		return MATCH_NONE;
	if (best_who == 2)
		return s->who_known ? MATCH_NONE : MATCH_NEEDS_WHO;
	return MATCH_RULE;
}

/* --- random rules and connections --- */

static const char *const	names[] = { "localhost", "example.com",
    "www.example.com", "a.www.example.com", "b.a.www.example.com",
    "example.org", "xample.com", "nas", "notexample.com", "w.xample.com" };
static const char *const	dsts[] = { "-", "-", "localhost",
    "example.com", "www.example.com", "a.www.example.com", "*.example.com",
    "*.www.example.com", "*.a.www.example.com", "*.xample.com", "nas",
    "10.0.0.1", "10.0.0.0/8", "10.0.0.0/9", "10.0.0.0/24", "10.0.0.0/31",
    "0.0.0.0/0", "10.128.0.0/9", "2001:db8::1", "2001:db8::/32",
    "2001:db8::/33", "2001:db8::/64", "2001:db8::/127", "::/0", "fe80::/10" };
static const char *const	addrs[] = { "10.0.0.1", "10.0.0.2",
    "10.200.0.1", "11.0.0.1", "2001:db8::1", "2001:db8::2", "2001:db8:8000::1",
    "fe80::1", "127.0.0.1" };
static const char *const	froms[] = { "10.0.0.2", "10.0.0.0/8",
    "2001:db8::/32", "nas", "example.com" };
static const char *const	exes[] = { "/usr/bin/curl", "/usr/bin/*",
    "/usr/*", "/opt/a b/x", "/usr/bin/curl2" };
static const char *const	programs[] = { "/usr/bin/curl", "/usr/bin/cat",
    "/opt/a b/x", "/usr", "" };
static const int		ports[] = { 0, 22, 80, 443, 65535 };
static const int		protos[] = { IPPROTO_TCP, IPPROTO_UDP,
    IPPROTO_SCTP };
static const char *const	ifs[] = { "eth0", "wg0" };

static void
random_ports(struct plain *r)
{
	int	other;

	r->lo = r->hi = -1;
	r->proto = rnd(3) == 0 ? -1 : PICK(protos);
	switch (rnd(4)) {
	case 0:
		if (rnd(4) == 0)
			r->proto = rnd(2) ? IPPROTO_ICMP : 47;
		return;
	case 1:
		r->lo = PICK(ports);
		r->hi = PICK(ports);
		if (r->lo > r->hi) {
			other = r->lo;
			r->lo = r->hi;
			r->hi = other;
		}
		return;
	default:
		r->lo = r->hi = PICK(ports);
	}
}

static void
random_rule(struct plain *r, bool temporary, uint32_t line)
{
	memset(r, 0, sizeof(*r));
	r->action = (enum action)rnd(ACTION_MAX);
	r->dst = narrow ? "-" : PICK(dsts);
	random_ports(r);
	if (narrow && r->lo != -1 && rnd(2) == 0)
		r->lo = r->hi = 443;
	r->dir = rnd(4) == 0 ? (int)rnd(DIR_MAX) : -1;
	r->exe = rnd(narrow ? 2 : 3) == 0 ? PICK(exes) : NULL;
	r->uid = rnd(5) == 0 ? (int)(rnd(2) * 1000) : -1;
	r->from = rnd(6) == 0 ? PICK(froms) : NULL;
	r->ifname = rnd(8) == 0 ? PICK(ifs) : NULL;
	r->temporary = temporary;
	if (temporary && rnd(3) == 0)
		r->expires = NOW + rnd(3) - 1;
	r->line = line;
}

static void
random_subject(struct subject *s)
{
	static const char *const	src_names[] = { "nas", "example.com" };

	memset(s, 0, sizeof(*s));
	s->dir = (enum direction)rnd(DIR_MAX);
	s->name = s->dir == DIR_IN ? "localhost" :
	    rnd(3) == 0 ? NULL : PICK(names);
	if (addr_parse(PICK(addrs), &s->dst) == -1 ||
	    addr_parse(PICK(addrs), &s->src) == -1)
		abort();
	s->src_names = src_names;
	s->nsrc_names = rnd(3);
	s->has_port = rnd(5) != 0;
	s->port = !s->has_port ? 0 : narrow ? 443 : (uint16_t)PICK(ports);
	s->proto = (uint8_t)PICK(protos);
	if (!s->has_port)
		s->proto = rnd(3) == 0 ? 47 : rnd(2) ? IPPROTO_ICMP :
		    IPPROTO_ICMPV6;
	s->ifname = rnd(4) == 0 ? NULL : PICK(ifs);
	s->who_known = rnd(3) != 0;
	s->exe = s->who_known && rnd(4) != 0 ? PICK(programs) : NULL;
	s->has_uid = rnd(3) != 0;
	s->uid = rnd(2) * 1000;
	s->now = NOW;
}

static void
rule_text(const struct plain *r, char *buf, size_t size)
{
	char	port[16] = "-", proto[8] = "-", quals[256] = "", part[80];

	if (r->lo != -1 && r->lo == r->hi)
		(void)snprintf(port, sizeof(port), "%d", r->lo);
	else if (r->lo != -1)
		(void)snprintf(port, sizeof(port), "%d-%d", r->lo, r->hi);
	if (r->proto != -1)
		(void)snprintf(proto, sizeof(proto), "%d", r->proto);
	if (r->dir != -1) {
		(void)snprintf(part, sizeof(part), " %s",
		    direction_name((enum direction)r->dir));
		(void)strlcat(quals, part, sizeof(quals));
	}
	if (r->exe != NULL) {
		(void)snprintf(part, sizeof(part), " exe=\"%s\"", r->exe);
		(void)strlcat(quals, part, sizeof(quals));
	}
	if (r->uid != -1) {
		(void)snprintf(part, sizeof(part), " uid=%s",
		    r->uid == 0 ? "root" : "1000");
		(void)strlcat(quals, part, sizeof(quals));
	}
	if (r->from != NULL) {
		(void)snprintf(part, sizeof(part), " from=%s", r->from);
		(void)strlcat(quals, part, sizeof(quals));
	}
	if (r->ifname != NULL) {
		(void)snprintf(part, sizeof(part), " if=%s", r->ifname);
		(void)strlcat(quals, part, sizeof(quals));
	}
	(void)snprintf(buf, size, "%s %s %s %s%s", action_name(r->action),
	    r->dst, port, proto, quals);
}

static int
make_rule(const struct plain *p, struct rule *r)
{
	char	text[512], err[RULE_ERR_MAX];

	rule_text(p, text, sizeof(text));
	if (rule_parse(text, strlen(text), users, r, err, sizeof(err)) == -1) {
		fprintf(stderr, "%s: %s\n", text, err);
		return -1;
	}
	r->expires = p->expires;
	r->line = p->line;
	return 0;
}

/* Removes what is like the one picked, as ruleset_delete() promises. */
static void
remove_one(struct plain *plain, size_t n, struct ruleset *set[2])
{
	struct rule	victim, other;
	size_t		pick = rnd((uint32_t)n), i;

	while (plain[pick].gone)
		pick = rnd((uint32_t)n);
	if (make_rule(&plain[pick], &victim) == -1)
		abort();
	for (i = 0; i < n; i++) {
		if (plain[i].temporary != plain[pick].temporary ||
		    make_rule(&plain[i], &other) == -1)
			continue;
		if (other.action == victim.action && rule_same(&other, &victim))
			plain[i].gone = true;
		rule_clear(&other);
	}
	CHECK(ruleset_delete(set[plain[pick].temporary], &victim));
	rule_clear(&victim);
}

static void
explain(const struct plain *plain, size_t n, const struct subject *s,
    const struct plain *want, const struct match *got)
{
	char	text[512], dst[ADDR_STR_MAX];
	size_t	i;

	for (i = 0; i < n; i++) {
		rule_text(&plain[i], text, sizeof(text));
		fprintf(stderr, "%c%u %s\n", plain[i].gone ? 'x' :
		    plain[i].temporary ? 't' : ' ', plain[i].line, text);
	}
	fprintf(stderr, "%s %s (%s) port %d proto %u who %d exe %s uid %d: "
	    "wanted line %u, got %u by %s\n", direction_name(s->dir),
	    s->name != NULL ? s->name : "-", addr_print(&s->dst, dst),
	    s->has_port ? s->port : -1, s->proto, s->who_known,
	    s->exe != NULL ? s->exe : "-", s->has_uid ? (int)s->uid : -1,
	    want != NULL ? want->line : 0,
	    got->rule != NULL ? got->rule->line : 0,
	    got->by != NULL ? got->by : "-");
}

static bool
agrees(const struct plain *plain, size_t n, struct ruleset *set[2])
{
	struct subject		 s;
	struct match		 m;
	const struct plain	*want;
	enum match_result	 result;
	size_t			 i;

	for (i = 0; i < SUBJECTS; i++) {
		random_subject(&s);
		result = match_rules(set[1], set[0], NULL, &s, &m);
		if (result == slow_match(plain, n, &s, &want) &&
		    (m.rule == NULL) == (want == NULL) && (want == NULL ||
		    (m.rule->line == want->line && m.action == want->action)))
			continue;
		explain(plain, n, &s, want, &m);
		return false;
	}
	return true;
}

static bool
random_case(void)
{
	static const uint8_t	 key[16] = "not so secret...";
	struct plain		 plain[RULES];
	struct ruleset		*set[2];
	struct rule		 r;
	size_t			 n = 1 + rnd(RULES), i;
	bool			 good;

	narrow = rnd(3) == 0;
	set[0] = ruleset_new(false);
	set[1] = ruleset_new(true);
	ruleset_key(set[0], key);
	ruleset_key(set[1], key);
	for (i = 0; i < n; i++) {
		random_rule(&plain[i], rnd(4) == 0, (uint32_t)i + 1);
		if (make_rule(&plain[i], &r) == -1)
			abort();
		if (ruleset_add(set[plain[i].temporary], &r) == -1)
			abort();
		rule_clear(&r);
	}
	good = agrees(plain, n, set);
	for (i = 0; good && i < 3; i++) {
		remove_one(plain, n, set);
		good = case_why == NULL && agrees(plain, n, set);
		if (ruleset_count(set[0]) + ruleset_count(set[1]) == 0)
			break;
		while (plain[n - 1].gone)
			n--;
	}
	ruleset_free(set[0]);
	ruleset_free(set[1]);
	return good;
}

static void
test_random(unsigned long cases)
{
	unsigned long	i;
	uint64_t	start;

	for (i = 0; i < cases; i++) {
		start = seed;
		if (!random_case()) {
			fprintf(stderr, "again with: -s %llu 1\n",
			    (unsigned long long)start);
			CHECK(!"the slow matcher disagrees");
			break;
		}
	}
	case_end("random rules against the slow matcher");
}

/* --- named cases --- */

static struct ruleset	*set;
static struct ruleset	*temporary;
static struct lists	*lists;
static struct subject	 subject;
static struct match	 match;

static void
begin(const char *rules)
{
	struct rule	 r;
	char		 err[RULE_ERR_MAX];
	const char	*end;
	uint32_t	 line = 1;

	set = ruleset_new(false);
	temporary = ruleset_new(true);
	lists = lists_new();
	for (; *rules != '\0'; rules = end + (*end == '\n'), line++) {
		end = strchrnul(rules, '\n');
		if (rule_parse(rules, (size_t)(end - rules), users, &r, err,
		    sizeof(err)) == -1) {
			fprintf(stderr, "%s\n", err);
			CHECK(!"a rule of the test is bad");
			continue;
		}
		r.line = line;
		if (ruleset_add(set, &r) == -1)
			abort();
		rule_clear(&r);
	}
	memset(&subject, 0, sizeof(subject));
	subject.dir = DIR_OUT;
	subject.proto = IPPROTO_TCP;
	subject.has_port = true;
	subject.port = 443;
	subject.who_known = true;
	subject.exe = "/usr/bin/curl";
	subject.has_uid = true;
	subject.uid = 1000;
	subject.now = NOW;
}

static void
finish(const char *name)
{
	ruleset_free(set);
	ruleset_free(temporary);
	lists_free(lists);
	case_end(name);
}

static void
to(const char *name, const char *addr)
{
	subject.name = name;
	memset(&subject.dst, 0, sizeof(subject.dst));
	if (addr != NULL && addr_parse(addr, &subject.dst) == -1)
		abort();
}

static void
add_temporary(const char *text, uint64_t expires, uint32_t line)
{
	struct rule	r;
	char		err[RULE_ERR_MAX];

	if (rule_parse(text, strlen(text), users, &r, err, sizeof(err)) == -1)
		abort();
	r.expires = expires;
	r.line = line;
	if (ruleset_add(temporary, &r) == -1)
		abort();
	rule_clear(&r);
}

static enum match_result
ask(void)
{
	return match_rules(temporary, set, lists, &subject, &match);
}

/* The line that decides, 0: none. */
static uint32_t
line(void)
{
	return ask() == MATCH_RULE && match.rule != NULL ? match.rule->line :
	    0;
}

static void
test_order(void)
{
	static const char *const	by[] = { "name+port", "name+range",
	    "name", "domain+port", "domain", "domain", "address+port",
	    "address", "prefix+port", "prefix", "prefix", "any+port",
	    "any+range", "any" };
	struct rule			 r;
	uint32_t			 i;

	begin("allow w.example.com 443 tcp\n"
	    "allow w.example.com 440-450 tcp\n"
	    "allow w.example.com - tcp\n"
	    "allow *.w.example.com 443 tcp\n"
	    "allow *.w.example.com - tcp\n"
	    "allow *.example.com - tcp\n"
	    "allow 10.0.0.1 443 tcp\n"
	    "allow 10.0.0.1 - tcp\n"
	    "allow 10.0.0.* 443 tcp\n"
	    "allow 10.0.0.0/24 - tcp\n"
	    "allow 10.*.*.* - tcp\n"
	    "allow - 443 tcp\n"
	    "allow - 1-500 tcp\n"
	    "allow - - tcp\n");
	to("w.example.com", "10.0.0.1");
	for (i = 1; i <= sizeof(by) / sizeof(by[0]); i++) {
		CHECK(line() == i);
		CHECK(match.by != NULL && strcmp(match.by, by[i - 1]) == 0);
		if (match.rule == NULL)
			break;
		rule_copy(&r, match.rule);
		CHECK(ruleset_delete(set, &r));
		rule_clear(&r);
	}
	CHECK(ask() == MATCH_NONE && match.rule == NULL);
	CHECK(ruleset_count(set) == 0);
	finish("most specific destination first");

	begin("deny - 443 udp\nallow - 443 tcp\ndeny - 443 tcp\n");
	to(NULL, "10.0.0.1");
	CHECK(line() == 2);
	finish("in one key the first line that holds");

	begin("allow *.example.com 443 tcp\n");
	to("notexample.com", NULL);
	CHECK(ask() == MATCH_NONE);
	to("example.com.evil.net", NULL);
	CHECK(ask() == MATCH_NONE);
	to("example.com", NULL);
	CHECK(line() == 1);
	to("a.b.c.example.com", NULL);
	CHECK(line() == 1);
	finish("a domain covers whole labels");
}

static void
test_directions(void)
{
	begin("allow 10.0.0.0/8 443 tcp\nallow 10.0.0.5 443 tcp\n"
	    "allow own.example.com 443 tcp\n");
	to("localhost", "10.0.0.5");
	subject.dir = DIR_IN;
	CHECK(ask() == MATCH_NONE);
	to("own.example.com", "10.0.0.5");
	CHECK(ask() == MATCH_NONE);
	subject.dir = DIR_FORWARD;
	CHECK(line() == 3);
	finish("a rule for an address opens no port here");

	begin("allow localhost 22 tcp from=10.0.0.0/8\ndeny - 80 tcp in\n");
	to("localhost", "10.0.0.5");
	subject.dir = DIR_IN;
	subject.port = 22;
	CHECK(ask() == MATCH_NONE);
	CHECK(addr_parse("10.9.9.9", &subject.src) == 0);
	CHECK(line() == 1);
	subject.port = 80;
	CHECK(line() == 2);
	subject.dir = DIR_OUT;
	CHECK(ask() == MATCH_NONE);
	finish("inbound is localhost or any");
}

static void
test_who(void)
{
	begin("allow - 443 tcp exe=/usr/bin/curl\ndeny - - tcp\n");
	to("example.com", "10.0.0.1");
	subject.who_known = false;
	CHECK(ask() == MATCH_NEEDS_WHO && match.rule->line == 1);
	subject.who_known = true;
	CHECK(line() == 1);
	subject.exe = NULL;
	CHECK(line() == 2);
	subject.who_known = false;
	subject.port = 80;
	CHECK(line() == 2);
	finish("who is asked for only when a rule needs it");

	begin("allow example.com - tcp\ndeny - 443 tcp exe=/bad/*\n"
	    "allow - - tcp\n");
	to("example.com", "10.0.0.1");
	subject.exe = NULL;
	CHECK(line() == 1);
	to("example.org", "10.0.0.1");
	CHECK(ask() == MATCH_NONE && match.rule != NULL &&
	    match.rule->line == 2);
	subject.exe = "";
	CHECK(line() == 3);
	subject.exe = "/bad/x";
	CHECK(line() == 2);
	subject.exe = "/bade/x";
	CHECK(line() == 3);
	finish("an unknown program does not pass a deny of a program");

	begin("drop - - - uid=root\nallow - - -\n");
	to(NULL, "10.0.0.1");
	CHECK(line() == 2);
	subject.has_uid = false;
	CHECK(ask() == MATCH_NONE);
	subject.who_known = false;
	CHECK(ask() == MATCH_NEEDS_WHO);
	subject.has_uid = true;
	subject.uid = 0;
	CHECK(line() == 1);
	finish("uid is known before the program");
}

static void
test_temporary(void)
{
	begin("deny example.com 443 tcp\n");
	add_temporary("allow - - -", NOW + 10, 101);
	add_temporary("deny - - -", NOW + 5, 102);
	to("example.com", "10.0.0.1");
	CHECK(line() == 102);
	subject.now = NOW + 5;
	CHECK(line() == 101);
	CHECK(ruleset_next_expiry(temporary) == NOW + 5);
	CHECK(ruleset_expire(temporary, NOW + 5, NULL, NULL) == 1);
	CHECK(line() == 101);
	subject.now = NOW + 10;
	CHECK(line() == 1);
	CHECK(ruleset_expire(temporary, NOW + 10, NULL, NULL) == 1);
	CHECK(ruleset_count(temporary) == 0);
	CHECK(ruleset_next_expiry(temporary) == 0);
	finish("temporary rules first, the newest of them, until they end");
}

static void
load(enum action action, const char *text)
{
	struct list_load	*l = list_load_begin(lists, action, text);

	list_load_some(l, text, strlen(text));
	CHECK(list_load_commit(l) != NULL);
}

static void
test_lists(void)
{
	begin("allow *.good.example.com - -\n");
	load(ACTION_DENY, "example.com\nlocalhost\n10.0.0.0/8\n");
	to("www.example.com", "192.0.2.1");
	CHECK(ask() == MATCH_RULE && match.rule == NULL &&
	    match.list != NULL && match.action == ACTION_DENY &&
	    strcmp(match.by, "list") == 0 &&
	    strcmp(match.entry, "example.com") == 0);
	to("www.good.example.com", "192.0.2.1");
	CHECK(line() == 1);
	to("example.org", "10.1.2.3");
	CHECK(ask() == MATCH_RULE && strcmp(match.entry, "10.0.0.0/8") == 0);
	to("localhost", "10.1.2.3");
	CHECK(ask() == MATCH_NONE);
	subject.dir = DIR_IN;
	CHECK(ask() == MATCH_NONE);
	finish("lists after rules, never about this host");
}

static void
test_protocols(void)
{
	begin("allow - - icmp\nallow - 53 -\n");
	to(NULL, "10.0.0.1");
	subject.has_port = false;
	subject.proto = IPPROTO_ICMP;
	CHECK(line() == 1);
	subject.proto = IPPROTO_ICMPV6;
	CHECK(line() == 1);
	subject.proto = 47;
	CHECK(ask() == MATCH_NONE);
	subject.proto = IPPROTO_UDP;
	CHECK(ask() == MATCH_NONE);
	subject.has_port = true;
	subject.port = 53;
	CHECK(line() == 2);
	finish("icmp is that of both families; no port, no rule with one");
}

/* Half of them name a destination, half a program. */
static void
fill(size_t n)
{
	struct rule	r;
	char		text[128], err[RULE_ERR_MAX];
	size_t		i;

	begin("");
	for (i = 0; i < n; i++) {
		if (i % 2 == 0)
			(void)snprintf(text, sizeof(text),
			    "allow - 443 tcp exe=/usr/bin/program%zu", i);
		else
			(void)snprintf(text, sizeof(text), i % 4 == 1 ?
			    "allow h%zu.example.com %zu tcp" :
			    "allow *.d%zu.example.org %zu tcp", i,
			    1 + i % 60000);
		if (rule_parse(text, strlen(text), users, &r, err,
		    sizeof(err)) == -1 || ruleset_add(set, &r) == -1)
			abort();
		rule_clear(&r);
	}
	to("www.a.example.net", "10.0.0.1");
}

/* Nanoseconds a match. */
static double
measure(size_t n)
{
	struct timespec	a, b;
	int		i;

	fill(n);
	(void)clock_gettime(CLOCK_MONOTONIC, &a);
	for (i = 0; i < 100000; i++)
		CHECK(ask() == MATCH_NONE);
	(void)clock_gettime(CLOCK_MONOTONIC, &b);
	ruleset_free(set);
	ruleset_free(temporary);
	lists_free(lists);
	return ((double)(b.tv_sec - a.tv_sec) * 1e9 +
	    (double)(b.tv_nsec - a.tv_nsec)) / 100000;
}

/* A walk over all rules would cost a thousand times more, not ten. */
static void
test_cost(void)
{
	double	few = measure(2), many = measure(10000);

	fprintf(stderr, "2 rules: %.0f ns a match, 10,000: %.0f ns\n", few,
	    many);
	CHECK(many < few * 10);
	case_end("10,000 rules are no slower");
}

int
main(int argc, char **argv)
{
	static const char	passwd[] = "root:x:0:0::/:/bin/sh\n";
	unsigned long		cases = CASES;
	int			ch;

	while ((ch = getopt(argc, argv, "s:")) != -1) {
		if (ch != 's')
			return 2;
		seed = strtoull(optarg, NULL, 10);
	}
	if (optind < argc)
		cases = strtoul(argv[optind], NULL, 10);
	if (seed == 0)
		seed = 1;
	users = passwd_parse(passwd, strlen(passwd));
	test_order();
	test_directions();
	test_who();
	test_temporary();
	test_lists();
	test_protocols();
	test_cost();
	test_random(cases);
	passwd_free(users);
	return case_failures > 0;
}
