/*
 * SPDX-License-Identifier: ISC
 *
 * rule_test [-s seed] [cases]
 *
 * Rules from text and back, one by one and as files.
 */
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "case.h"
#include "match.h"
#include "siphash.h"

#define CASES	20000

static const char	passwd[] = "root:x:0:0:root:/root:/bin/sh\n"
			    "# no user\n"
			    "broken:x\n"
			    "negative:x:-1:1::/:/bin/sh\n"
			    "nobody:x:65534:65534::/:/bin/sh\n"
			    "alice:x:1000:1000::/home/alice:/bin/sh\n"
			    "alice:x:1001:1000::/home/other:/bin/sh\n"
			    "last:x:7:7::/:";
static struct passwd_map	*users;
static uint64_t			 seed = 1;

static uint32_t
rnd(uint32_t below)
{
	seed ^= seed >> 12;
	seed ^= seed << 25;
	seed ^= seed >> 27;
	return (uint32_t)((seed * 2685821657736338717ULL) >> 33) % below;
}

static bool
same_text(const char *text, const char *want)
{
	struct rule	r;
	char		out[RULE_TEXT_MAX], err[RULE_ERR_MAX];
	bool		same;

	if (rule_parse(text, strlen(text), users, &r, err, sizeof(err)) == -1) {
		fprintf(stderr, "%s: %s\n", text, err);
		return false;
	}
	same = rule_print(&r, out, sizeof(out)) == (int)strlen(want) &&
	    strcmp(out, want) == 0;
	if (!same)
		fprintf(stderr, "%s: got %s\n", text, out);
	rule_clear(&r);
	return same;
}

static void
test_canonical(void)
{
	static const struct {
		const char	*text, *want;
	} pairs[] = {
		{ "allow github.com 443 tcp", "allow github.com 443 tcp" },
		{ "\t DENY\tGitHub.COM.   0443 6 # why", "deny github.com 443 "
		    "tcp" },
		{ "drop - - -", "drop - - -" },
		{ "allow - - 1", "allow - - icmp" },
		{ "allow - - 58", "allow - - 58" },
		{ "allow - 9 132", "allow - 9 sctp" },
		{ "allow 1.2.3.* - udp", "allow 1.2.3.0/24 - udp" },
		{ "allow 1.2.*.* - udp", "allow 1.2.0.0/16 - udp" },
		{ "allow 1.*.*.* - udp", "allow 1.0.0.0/8 - udp" },
		{ "allow 1.2.3.4/8 - udp", "allow 1.0.0.0/8 - udp" },
		{ "allow 1.2.3.4/32 - udp", "allow 1.2.3.4 - udp" },
		{ "allow 0.0.0.0/0 - udp", "allow 0.0.0.0/0 - udp" },
		{ "allow 2001:DB8:0:0::1 80 tcp", "allow 2001:db8::1 80 tcp" },
		{ "allow 2001:db8::1/33 80 tcp", "allow 2001:db8::/33 80 tcp" },
		{ "allow ::/0 80 tcp", "allow ::/0 80 tcp" },
		{ "allow x.y 80-80 tcp", "allow x.y 80 tcp" },
		{ "allow x.y 0-65535 tcp", "allow x.y 0-65535 tcp" },
		{ "allow *.Example.org 1 tcp", "allow *.example.org 1 tcp" },
		{ "allow LOCALHOST 22 tcp IN", "allow localhost 22 tcp in" },
		{ "allow _dmarc.x-y.org 1 tcp", "allow _dmarc.x-y.org 1 tcp" },
		{ "allow xn--bcher-kva.de 1 tcp",
		    "allow xn--bcher-kva.de 1 tcp" },
		{ "allow - 1 tcp if=eth0 from=1.2.3.4/24 UID=alice "
		    "exe=/bin/x forward", "allow - 1 tcp forward exe=/bin/x "
		    "uid=alice from=1.2.3.0/24 if=eth0" },
		{ "allow - 1 tcp uid=1000", "allow - 1 tcp uid=1000" },
		{ "allow - 1 tcp from=Nas.Lan", "allow - 1 tcp from=nas.lan" },
		{ "allow - 1 tcp exe=/opt/x/*", "allow - 1 tcp exe=/opt/x/*" },
		{ "allow - 1 tcp exe=\"/opt/a b/#1\"",
		    "allow - 1 tcp exe=\"/opt/a b/#1\"" },
		{ "allow - 1 tcp \"exe=/opt/x\"", "allow - 1 tcp exe=/opt/x" },
		{ "allow - 1 tcp exe=\"/a b/*\"",
		    "allow - 1 tcp exe=\"/a b/*\"" },
		{ "allow - 1 tcp exe=\"/a/\\052\"",
		    "allow - 1 tcp exe=\"/a/\\052\"" },
		{ "allow - 1 tcp exe=/a*b", "allow - 1 tcp exe=/a*b" },
		{ "allow - 1 tcp exe=\"/a\\\"b\\\\c\\012\"",
		    "allow - 1 tcp exe=\"/a\\\"b\\\\c\\012\"" },
		{ "allow - 1 tcp exe=/a\\b", "allow - 1 tcp exe=\"/a\\\\b\"" },
		{ "allow - 1 tcp exe=/\xc3\xbc",
		    "allow - 1 tcp exe=\"/\\303\\274\"" },
		{ "allow - 1 tcp exe=/*", "allow - 1 tcp exe=/*" },
	};
	char	name[64];
	size_t	i;

	for (i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		CHECK(same_text(pairs[i].text, pairs[i].want));
		CHECK(same_text(pairs[i].want, pairs[i].want));
		(void)snprintf(name, sizeof(name), "canonical %zu", i + 1);
		case_end(name);
	}
}

/* What must not parse, and a word that must be in the reason. */
static void
test_refused(void)
{
	static const struct {
		const char	*name, *text, *reason;
	} bad[] = {
		{ "empty", "", "no rule" },
		{ "comment alone", "# allow x.y 1 tcp", "no rule" },
		{ "unknown action", "permit x.y 1 tcp", "not an action" },
		{ "too few words", "allow x.y 1", "action destination" },
		{ "quoted action", "\"allow\" x.y 1 tcp", "not an action" },
		{ "star", "allow * 1 tcp", "no destination" },
		{ "top-level star", "allow *.com 1 tcp", "top-level" },
		{ "unlisted top-level star", "allow *.lan 1 tcp",
		    "top-level" },
		{ "public suffix", "deny *.co.uk 1 tcp", "public suffix" },
		{ "private suffix", "allow *.github.io 1 tcp",
		    "public suffix" },
		{ "star within", "allow a.*.example.com 1 tcp", "a * stands" },
		{ "star behind", "allow example.* 1 tcp", "a * stands" },
		{ "four stars", "allow *.*.*.* 1 tcp", "a * stands" },
		{ "end of an address", "allow *.4.4 1 tcp", "a * stands" },
		{ "star hole", "allow 1.*.3.* 1 tcp", "a * stands" },
		{ "five parts", "allow 1.2.3.4.* 1 tcp", "a * stands" },
		{ "three parts", "allow 1.2.* 1 tcp", "a * stands" },
		{ "not ASCII", "allow b\xc3\xbc" "cher.de 1 tcp", "xn--" },
		{ "two numbers", "allow 1.2 1 tcp", "not an address" },
		{ "byte too large", "allow 1.2.3.256 1 tcp",
		    "not an address" },
		{ "leading zero", "allow 1.2.3.04 1 tcp", "not an address" },
		{ "numeric top level", "allow host.1 1 tcp", "neither" },
		{ "empty label", "allow a..b 1 tcp", "neither" },
		{ "long label", "allow "
		    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		    "aaaaaaaa.com 1 tcp", "neither" },
		{ "shell in a name", "allow $(id).com 1 tcp", "neither" },
		{ "prefix too long", "allow 1.2.3.4/33 1 tcp", "0 to 32" },
		{ "prefix empty", "allow 1.2.3.4/ 1 tcp", "0 to 32" },
		{ "prefix signed", "allow ::/+1 1 tcp", "0 to 128" },
		{ "prefix of a name", "allow a.b/8 1 tcp", "not an address" },
		{ "scope", "allow fe80::1%eth0 1 tcp", "not an address" },
		{ "mapped", "allow ::ffff:1.2.3.4 1 tcp", "IPv4" },
		{ "port too large", "allow x.y 65536 tcp", "not a port" },
		{ "port negative", "allow x.y -5 tcp", "not a port" },
		{ "port with underscore", "allow x.y 4_4 tcp", "not a port" },
		{ "port with plus", "allow x.y +44 tcp", "not a port" },
		{ "port full-width", "allow x.y \xef\xbc\x94 tcp",
		    "not a port" },
		{ "port hexadecimal", "allow x.y 0x50 tcp", "not a port" },
		{ "port huge", "allow x.y 18446744073709551616 tcp",
		    "not a port" },
		{ "range backwards", "allow x.y 9-8 tcp", "empty" },
		{ "range open", "allow x.y 9- tcp", "not a port" },
		{ "unknown protocol", "allow x.y 1 tpc", "not a protocol" },
		{ "protocol too large", "allow x.y - 256", "not a protocol" },
		{ "port of icmp", "allow x.y 8 icmp", "no ports" },
		{ "port of gre", "allow x.y 8 47", "no ports" },
		{ "unknown qualifier", "allow x.y 1 tcp foo", "qualifier" },
		{ "two directions", "allow x.y 1 tcp in out", "more than" },
		{ "same direction twice", "allow x.y 1 tcp in in",
		    "more than" },
		{ "exe twice", "allow x.y 1 tcp exe=/a exe=/b", "twice" },
		{ "exe relative", "allow x.y 1 tcp exe=a", "absolute" },
		{ "exe empty", "allow x.y 1 tcp exe=", "nothing behind" },
		{ "exe half a folder", "allow x.y 1 tcp exe=/a/b*", "folder" },
		{ "exe slash", "allow x.y 1 tcp exe=/a/", "folder" },
		{ "exe dots", "allow x.y 1 tcp exe=/a/../b", ".." },
		{ "exe slashes", "allow x.y 1 tcp exe=/a//b", "//" },
		{ "unknown user", "allow x.y 1 tcp uid=bob", "no such user" },
		{ "broken user", "allow x.y 1 tcp uid=negative",
		    "no such user" },
		{ "user number too large", "allow x.y 1 tcp uid=4294967295",
		    "no such user" },
		{ "from any", "allow x.y 1 tcp from=-", "from=-" },
		{ "from domain", "allow x.y 1 tcp from=*.x.org", "from=" },
		{ "interface too long", "allow x.y 1 tcp if=abcdefghijklmnop",
		    "interface" },
		{ "interface with slash", "allow x.y 1 tcp if=a/b",
		    "interface" },
		{ "quote open", "allow x.y 1 tcp exe=\"/a", "not closed" },
		{ "path cut by a #", "allow x.y 1 tcp exe=/a#b", "quotes" },
		{ "bad escape", "allow x.y 1 tcp exe=\"/a\\x\"", "escape" },
		{ "NUL escape", "allow x.y 1 tcp exe=\"/a\\000b\"",
		    "escape" },
		{ "control character", "allow x.y 1 tcp\x1b[31m", "control" },
		{ "newline", "allow x.y 1 tcp\ndeny - - -", "control" },
		{ "too many words", "allow x.y 1 tcp a b c d e f g h i j k l "
		    "m n", "too many" },
	};
	struct rule	r;
	char		err[RULE_ERR_MAX];
	int		got;
	size_t		i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		err[0] = '\0';
		got = rule_parse(bad[i].text, strlen(bad[i].text), users, &r,
		    err, sizeof(err));
		CHECK(got == -1);
		if (got == 0)
			rule_clear(&r);
		CHECK(strstr(err, bad[i].reason) != NULL);
		if (case_why != NULL)
			fprintf(stderr, "%s: %s\n", bad[i].text, err);
		case_end(bad[i].name);
	}
	CHECK(rule_parse("allow x.y 1 tcp\0x", 17, users, &r, err,
	    sizeof(err)) == -1);
	case_end("NUL byte");
	CHECK(rule_parse("allow x.y 1 tcp uid=root", 24, NULL, &r, err,
	    sizeof(err)) == -1);
	case_end("user without a list of users");
}

static void
test_long(void)
{
	struct rule	r;
	char		text[8192], err[RULE_ERR_MAX];
	size_t		i;

	(void)snprintf(text, sizeof(text), "allow x.y 1 tcp exe=/");
	for (i = strlen(text); i < 5000; i++)
		text[i] = 'a';
	CHECK(rule_parse(text, 5000, users, &r, err, sizeof(err)) == -1);
	CHECK(rule_parse(text, 1100, users, &r, err, sizeof(err)) == -1);
	CHECK(rule_parse(text, 900, users, &r, err, sizeof(err)) == 0);
	rule_clear(&r);
	/* Fits as it came, but each byte is four in canonical form. */
	for (i = 21; i < 900; i++)
		text[i] = '\xff';
	CHECK(rule_parse(text, 900, users, &r, err, sizeof(err)) == -1);
	CHECK(strstr(err, "too long") != NULL);
	case_end("a rule that cannot be printed is refused");

	(void)snprintf(text, sizeof(text), "allow x.y 1 tcp # ");
	memset(text + 18, 'c', 8000);
	CHECK(rule_parse(text, 8000, users, &r, err, sizeof(err)) == 0);
	rule_clear(&r);
	case_end("a comment may be long");
}

/* Random bytes and random words: never a crash, and what parses prints. */
static void
random_text(char *text, size_t size)
{
	static const char *const	words[] = { "allow", "deny", "drop",
	    "-", "*", "*.example.com", "example.com", "localhost", "10.0.0.0/8",
	    "1.2.3.*", "::1", "80", "1-9", "tcp", "udp", "icmp", "47", "in",
	    "out", "forward", "exe=/a", "exe=\"/a b\"", "exe=/a/*", "uid=root",
	    "uid=0", "from=::/0", "from=nas", "if=eth0", "#", "\"", "\\",
	    "=", "\xff" };
	size_t				i, n = rnd(10);

	text[0] = '\0';
	if (rnd(3) != 0)
		(void)strlcat(text, "allow example.com 80 tcp ", size);
	for (i = 0; i < n; i++) {
		(void)strlcat(text, words[rnd(sizeof(words) /
		    sizeof(words[0]))], size);
		if (rnd(8) != 0)
			(void)strlcat(text, " ", size);
	}
	for (i = 0; rnd(3) == 0 && i < 2 && text[0] != '\0'; i++)
		text[rnd((uint32_t)strlen(text))] = (char)(1 + rnd(255));
}

static bool
round_trip(const char *text)
{
	struct rule	a, b;
	char		one[RULE_TEXT_MAX], two[RULE_TEXT_MAX];
	char		err[RULE_ERR_MAX];
	bool		good;

	if (rule_parse(text, strlen(text), users, &a, err, sizeof(err)) == -1)
		return true;
	if (rule_print(&a, one, sizeof(one)) == -1)
		return false;
	if (rule_parse(one, strlen(one), users, &b, err, sizeof(err)) == -1)
		return false;
	good = rule_print(&b, two, sizeof(two)) != -1 &&
	    strcmp(one, two) == 0 && a.action == b.action &&
	    rule_same(&a, &b) && rule_covers(&a, &b);
	rule_clear(&a);
	rule_clear(&b);
	return good;
}

static void
test_round_trip(unsigned long cases)
{
	unsigned long	i;
	char		text[512];

	for (i = 0; i < cases; i++) {
		random_text(text, sizeof(text));
		if (!round_trip(text)) {
			fprintf(stderr, "%s\n", text);
			CHECK(!"comes back as another rule");
			break;
		}
	}
	case_end("random rules come back the same");
}

static void
test_passwd(void)
{
	uint32_t	uid;

	CHECK(passwd_uid(users, "root", &uid) == 0 && uid == 0);
	CHECK(passwd_uid(users, "alice", &uid) == 0 && uid == 1000);
	CHECK(passwd_uid(users, "last", &uid) == 0 && uid == 7);
	CHECK(passwd_uid(users, "broken", &uid) == -1);
	CHECK(passwd_uid(users, "", &uid) == -1);
	CHECK(passwd_uid(NULL, "root", &uid) == -1);
	CHECK(passwd_name(users, 65534) != NULL &&
	    strcmp(passwd_name(users, 65534), "nobody") == 0);
	CHECK(passwd_name(users, 4294967295) == NULL);
	case_end("passwd");
}

static bool
domain_is(const char *name, const char *want)
{
	char	*got = rule_domain(name);
	bool	 good;

	good = want == NULL ? got == NULL :
	    got != NULL && strcmp(got, want) == 0;
	free(got);
	return good;
}

static void
test_domain(void)
{
	CHECK(domain_is("www.github.com", "github.com"));
	CHECK(domain_is("github.com", "github.com"));
	CHECK(domain_is("a.b.example.co.uk", "example.co.uk"));
	CHECK(domain_is("A.B.Example.Co.UK.", "example.co.uk"));
	CHECK(domain_is("nas.lan", "nas.lan"));
	CHECK(domain_is("someone.github.io", "someone.github.io"));
	case_end("registrable domain");
	CHECK(domain_is("co.uk", NULL));
	CHECK(domain_is("github.io", NULL));
	CHECK(domain_is("com", NULL));
	CHECK(domain_is("localhost", NULL));
	CHECK(domain_is("8.8.4.4", NULL));
	CHECK(domain_is("2001:db8::1", NULL));
	CHECK(domain_is("", NULL));
	CHECK(domain_is("-", NULL));
	case_end("no domain of a suffix or an address");
}

static bool
covers(const char *a, const char *b)
{
	struct rule	ra, rb;
	char		err[RULE_ERR_MAX];
	bool		good;

	if (rule_parse(a, strlen(a), users, &ra, err, sizeof(err)) == -1 ||
	    rule_parse(b, strlen(b), users, &rb, err, sizeof(err)) == -1)
		abort();
	good = rule_covers(&ra, &rb);
	rule_clear(&ra);
	rule_clear(&rb);
	return good;
}

static void
test_shadow(void)
{
	struct ruleset	*set = ruleset_new(false);
	struct rule	 r;
	char		 err[RULE_ERR_MAX];

	CHECK(covers("allow - 80 -", "deny - 80 tcp in"));
	CHECK(!covers("allow - 80 tcp", "deny - 80 -"));
	CHECK(!covers("allow - - -", "deny - 80 tcp"));
	CHECK(covers("allow - 1-99 -", "deny - 2-80 tcp"));
	CHECK(!covers("allow - 1-99 -", "deny - 80 tcp"));
	CHECK(covers("allow - - - exe=/a/*", "deny - - - exe=/a/b"));
	CHECK(covers("allow - - - exe=/a/*", "deny - - - exe=/a/b/*"));
	CHECK(!covers("allow - - - exe=/a/b/*", "deny - - - exe=/a/*"));
	CHECK(!covers("allow - - - exe=/a/b", "deny - - -"));
	CHECK(covers("allow - - - from=10.0.0.0/8",
	    "deny - - - from=10.1.0.0/16"));
	CHECK(!covers("allow - - - from=10.1.0.0/16",
	    "deny - - - from=10.0.0.0/8"));
	CHECK(covers("allow - - - uid=root", "deny - - - uid=0 if=eth0"));
	CHECK(covers("allow - - icmp", "deny - - 58"));
	CHECK(!covers("allow - - 58", "deny - - icmp"));
	case_end("which rule covers which");

	CHECK(rule_parse("allow x.y - -", 13, users, &r, err,
	    sizeof(err)) == 0);
	CHECK(ruleset_add(set, &r) == 0);
	rule_clear(&r);
	CHECK(rule_parse("deny x.y - tcp", 14, users, &r, err,
	    sizeof(err)) == 0);
	CHECK(ruleset_shadow(set, &r) == ruleset_at(set, 0));
	rule_clear(&r);
	CHECK(rule_parse("deny x.y - -", 12, users, &r, err,
	    sizeof(err)) == 0);
	CHECK(ruleset_shadow(set, &r) == NULL);
	CHECK(!ruleset_delete(set, &r));
	CHECK(ruleset_count(set) == 1);
	CHECK(ruleset_replace(set, &r));
	CHECK(ruleset_count(set) == 0);
	rule_clear(&r);
	case_end("shadow, delete by the right action alone, replace");
	ruleset_free(set);
}

/* --- whole files --- */

struct loaded {
	struct ruleset	*set;
	char		 reports[4096];
	char		 wanted[1024];
	int		 lost, closing, changed;
	bool		 missing;	/* includes are still to be fetched */
};

static void
on_report(const char *file, uint32_t line, const char *reason,
    enum report class, void *arg)
{
	struct loaded	*l = arg;
	char		 text[512];

	(void)snprintf(text, sizeof(text), "%s:%u: %s\n", file, line, reason);
	(void)strlcat(l->reports, text, sizeof(l->reports));
	l->lost += class == REPORT_BAD;
	l->closing += class == REPORT_CLOSING;
	l->changed += class == REPORT_CHANGED;
}

static const struct {
	const char	*path, *text;
} tree[] = {
	{ "/etc/a.rules", "allow a.example.com 1 tcp\nbad\n" },
	{ "/etc/d/b.rules", "include \"../a.rules\"\ninclude \"c.rules\"\n"
	    "deny b.example.com 2 tcp" },
	{ "/etc/d/c.rules", "drop c.example.com 3 tcp\n" },
	{ "/etc/loop.rules", "include \"loop2.rules\"\n" },
	{ "/etc/loop2.rules", "include \"/etc/loop.rules\"\n"
	    "allow loop.example.com 1 tcp\n" },
};

static int
on_wants(enum file_kind kind, const char *path, enum action action,
    const char **text, size_t *len, char *err, size_t errsize, void *arg)
{
	struct loaded	*l = arg;
	size_t		 i;

	(void)strlcat(l->wanted, kind == FILE_INCLUDE ? "include " :
	    action_name(action), sizeof(l->wanted));
	(void)strlcat(l->wanted, path, sizeof(l->wanted));
	(void)strlcat(l->wanted, "\n", sizeof(l->wanted));
	if (kind == FILE_LIST || l->missing)
		return 0;
	for (i = 0; i < sizeof(tree) / sizeof(tree[0]); i++)
		if (strcmp(tree[i].path, path) == 0) {
			*text = tree[i].text;
			*len = strlen(*text);
			return 1;
		}
	(void)snprintf(err, errsize, "%s: no such file", path);
	return -1;
}

static void
load(struct loaded *l, const char *text, size_t len)
{
	const struct ruleset_hooks	hooks = { on_report, on_wants, l };
	bool				missing = l->missing;

	memset(l, 0, sizeof(*l));
	l->missing = missing;
	l->set = ruleset_new(false);
	ruleset_load(l->set, "/etc/tinysnitch.rules", text, len, users,
	    &hooks);
}

static bool
has(const struct loaded *l, const char *want)
{
	char	all[4096] = "", line[RULE_TEXT_MAX];
	size_t	i;

	for (i = 0; i < ruleset_count(l->set); i++) {
		if (rule_print(ruleset_at(l->set, i), line,
		    sizeof(line)) == -1)
			return false;
		(void)strlcat(all, line, sizeof(all));
		(void)strlcat(all, "\n", sizeof(all));
	}
	if (strcmp(all, want) != 0)
		fprintf(stderr, "got:\n%s", all);
	return strcmp(all, want) == 0;
}

static void
loaded_end(struct loaded *l, const char *name)
{
	if (case_why != NULL)
		fprintf(stderr, "%s%s", l->reports, l->wanted);
	ruleset_free(l->set);
	case_end(name);
}

#define LOAD(l, text)	load(l, text, sizeof(text) - 1)

static void
test_load(void)
{
	struct loaded	l = { .missing = false };

	LOAD(&l, "");
	CHECK(has(&l, "") && l.reports[0] == '\0');
	loaded_end(&l, "an empty file is an empty file");

	LOAD(&l, "allow a.b 1 tcp\r\n\n  # c\nallow x.y 99999 tcp\n"
	    "deny x.y 2 tcp");
	CHECK(has(&l, "allow a.b 1 tcp\ndeny x.y 2 tcp\n"));
	CHECK(l.lost == 1 && l.closing == 0);
	CHECK(strncmp(l.reports, "/etc/tinysnitch.rules:4: ", 25) == 0);
	CHECK(ruleset_at(l.set, 1)->line == 5);
	CHECK(strcmp(ruleset_at(l.set, 1)->file,
	    "/etc/tinysnitch.rules") == 0);
	loaded_end(&l, "a bad allow is skipped, the rest loads");

	LOAD(&l, "deny x.y 99999 tcp\ndrop x.y\ndney x.y 1 tcp\n"
	    "allow a.b 1 tcpdeny x.y 2 tcp\nallow a 1 tcp\rdeny b 1 tcp\r");
	CHECK(has(&l, "") && l.closing == 5 && l.lost == 0);
	loaded_end(&l, "lines that may have been a deny are told apart");

	LOAD(&l, "allow x.y 1 tcp\0\nallow a.b 1 tcp\n");
	CHECK(has(&l, "allow a.b 1 tcp\n") && l.lost == 1);
	loaded_end(&l, "a NUL spoils its line alone");

	LOAD(&l, "\xef\xbb\xbf" "deny a.b 1 tcp\n");
	CHECK(has(&l, "deny a.b 1 tcp\n") && l.reports[0] == '\0');
	loaded_end(&l, "byte order mark");
}

static void
test_include(void)
{
	struct loaded	l = { .missing = false };

	LOAD(&l, "allow z.y 1 tcp\ninclude \"d/b.rules\"\nallow z.y 2 tcp\n");
	CHECK(has(&l, "allow z.y 1 tcp\ndrop c.example.com 3 tcp\n"
	    "deny b.example.com 2 tcp\nallow z.y 2 tcp\n"));
	CHECK(strstr(l.reports, "/etc/d/../a.rules: no such file") != NULL);
	CHECK(l.closing == 1);
	loaded_end(&l, "an included file that cannot be read");

	LOAD(&l, "allow z.y 1 tcp\ninclude a.rules\ninclude \"d/c.rules\"\n"
	    "allow z.y 2 tcp\n");
	CHECK(has(&l, "allow z.y 1 tcp\nallow a.example.com 1 tcp\n"
	    "drop c.example.com 3 tcp\nallow z.y 2 tcp\n"));
	CHECK(strncmp(l.reports, "/etc/a.rules:2: ", 16) == 0);
	CHECK(strcmp(ruleset_at(l.set, 2)->file, "/etc/d/c.rules") == 0);
	loaded_end(&l, "included rules stand where the include stands");

	LOAD(&l, "include \"loop.rules\"\nallow z.y 2 tcp\n"
	    "include tinysnitch.rules\n");
	CHECK(has(&l, "allow loop.example.com 1 tcp\nallow z.y 2 tcp\n"));
	CHECK(l.closing == 2 && strstr(l.reports, "itself") != NULL);
	loaded_end(&l, "loops are refused");

	l.missing = true;
	LOAD(&l, "include \"a.rules\"\nDENY-LIST /lists/x\n"
	    "allow-list \"y z\"\ndeny-list\n");
	CHECK(strcmp(l.wanted, "include /etc/a.rules\ndeny/lists/x\n"
	    "allow/etc/y z\n") == 0);
	CHECK(l.closing == 1);
	loaded_end(&l, "files are asked for by absolute path");
}

static void
test_changed(void)
{
	struct loaded	l = { .missing = false };

	LOAD(&l, "# allow github.com 443 tcp\n"
	    "deny x.y 1 tcp # allow x.y 1 tcp\n"
	    "allow GitHub.com 443 tcp\n"
	    "ALLOW github.com 22 tcp\n"
	    "allow *.a.example.com 1 tcp\n");
	CHECK(l.changed == 5 && l.lost == 0 && l.closing == 0);
	loaded_end(&l, "rules that mean something else now");

	LOAD(&l, "# a comment about allow\n#\n# allow x.y 1 sctp\n"
	    "allow github.com 443 tcp # web\n"
	    "allow *.example.com - tcp\n"
	    "drop *.A.example.com - tcp\n"
	    "allow *.a.example.com - tcp out\n");
	CHECK(l.changed == 0 && l.lost == 0);
	loaded_end(&l, "rules that do not");

	LOAD(&l, "allow *.com 443 tcp\n");
	CHECK(l.lost == 1);
	loaded_end(&l, "*.com is named");
}

static void
test_siphash(void)
{
	uint8_t	key[SIPHASH_KEY], data[15];
	uint8_t	i;

	for (i = 0; i < sizeof(key); i++)
		key[i] = i;
	for (i = 0; i < sizeof(data); i++)
		data[i] = i;
	/* The vectors of the paper and of its reference code. */
	CHECK(siphash(key, data, 15) == 0xa129ca6149be45e5);
	CHECK(siphash(key, data, 0) == 0x726fdb47dd0e0e31);
	CHECK(siphash(key, data, 8) == 0x93f5f5799a932462);
	case_end("siphash");
}

int
main(int argc, char **argv)
{
	unsigned long	cases = CASES;
	int		ch;

	while ((ch = getopt(argc, argv, "s:")) != -1) {
		if (ch != 's')
			return 2;
		seed = strtoull(optarg, NULL, 10);
	}
	if (optind < argc)
		cases = strtoul(argv[optind], NULL, 10);
	if (seed == 0)
		seed = 1;
	users = passwd_parse(passwd, sizeof(passwd) - 1);
	test_canonical();
	test_refused();
	test_long();
	test_round_trip(cases);
	test_passwd();
	test_domain();
	test_shadow();
	test_load();
	test_include();
	test_changed();
	test_siphash();
	passwd_free(users);
	return case_failures > 0;
}
