/*
 * SPDX-License-Identifier: ISC
 *
 * The configuration language: what is accepted, what is refused and with
 * which line number, and that the canonical form parses back to itself.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../parent/conf.h"

static int failed;

static void
report(const char *name, const char *why)
{
	if (why == NULL)
		(void)printf("ok %s\n", name);
	else {
		(void)printf("not ok %s: %s\n", name, why);
		failed = 1;
	}
}

/* Parses text; returns the number of errors, their lines in *errors. */
static int
parse(struct conf *c, const char *text, char **errors)
{
	FILE	*f, *e;
	size_t	 size;
	int	 n;

	*errors = NULL;
	/* One byte more: fmemopen refuses an empty text. */
	f = tmpfile();
	e = open_memstream(errors, &size);
	if (f == NULL || e == NULL)
		exit(2);
	(void)fputs(text, f);
	rewind(f);
	n = conf_parse(c, "t.conf", f, e);
	(void)fclose(f);
	(void)fclose(e);
	return n;
}

static char *
print(const struct conf *c)
{
	FILE	*f;
	char	*text = NULL;
	size_t	 size;

	if ((f = open_memstream(&text, &size)) == NULL)
		exit(2);
	conf_print(c, f);
	(void)fclose(f);
	return text;
}

static void
accepted(const char *name, const char *text, const char *wanted)
{
	struct conf	 c, again;
	char		*errors, *first, *second, *errors2;
	const char	*why = NULL;

	if (parse(&c, text, &errors) != 0)
		why = errors;
	first = print(&c);
	if (why == NULL && strstr(first, wanted) == NULL)
		why = "canonical form lacks what was said";
	if (why == NULL && parse(&again, first, &errors2) != 0)
		why = "canonical form does not parse";
	second = print(&again);
	if (why == NULL && strcmp(first, second) != 0)
		why = "canonical form differs when parsed again";
	report(name, why);
	free(first);
	free(second);
}

static void
refused(const char *name, const char *text, int n, const char *wanted)
{
	struct conf	 c;
	char		*errors;

	if (parse(&c, text, &errors) != n)
		report(name, errors[0] == '\0' ? "accepted" : errors);
	else
		report(name, strstr(errors, wanted) == NULL ? errors : NULL);
	free(errors);
}

static const char everything[] =
    "rules \"/etc/tinysnitch.rules\"\n"
    "names \"/etc/tinysnitch.hosts\"\n"
    "control \"/run/tinysnitch.sock\" group \"tinysnitch\"\n"
    "queue 0\n"
    "firewall auto\n"
    "deny mark 0x10000000\n"
    "frames warn\n"
    "after crash block\n"
    "unanswered deny\n"
    "ipv6 filter\n"
    "loopback allow\n"
    "other filter\n"
    "forward ignore\n"
    "ask x11\n"
    "display auto\n"
    "ask timeout 60\n"
    "ask delay 500\n"
    "ask synthetic no\n"
    "resolver auto\n"
    "user \"_tinysnitch\"\n"
    "ask user \"_tsprompt\"\n"
    "font \"monospace\" 16\n"
    "theme dark\n"
    "log stderr text\n";

static void
defaults(void)
{
	struct conf	 c;
	char		*errors, *text;

	(void)parse(&c, "", &errors);
	text = print(&c);
	report("the defaults are the documented ones",
	    strcmp(text, everything) == 0 ? NULL : text);
	(void)parse(&c, everything, &errors);
	free(text);
	text = print(&c);
	report("every default may be said",
	    strcmp(text, everything) == 0 ? NULL : text);
}

static void
test_accepted(void)
{
	accepted("empty file", "", "queue 0\n");
	accepted("comments and blank lines", "# a\n\n  # b\nqueue 7 # c\n",
	    "queue 7\n");
	accepted("no newline at the end", "queue 9", "queue 9\n");
	accepted("carriage returns", "queue 9\r\nipv6 block\r\n",
	    "ipv6 block\n");
	accepted("white space of every kind",
	    " \v\tqueue\f9\v \n\f\n\v#\n", "queue 9\n");
	accepted("a byte order mark", "\xef\xbb\xbfqueue 9\n", "queue 9\n");
	refused("what only begins like one", "\xef\xbbqueue 9\n", 2,
	    "t.conf:1: not a text\n");
	refused("a resolver that no packet comes from",
	    "resolver \"::ffff:1.1.1.1\"\n", 1, "write it as an IPv4");
	accepted("control without a group", "control \"/c\"\n",
	    "control \"/c\"\n");
	accepted("control with a group", "control \"/c\" group \"g\"\n",
	    "control \"/c\" group \"g\"\n");
	accepted("firewall manual", "firewall manual\n", "firewall manual\n");
	accepted("firewall nft", "firewall nft\n", "firewall nft\n");
	accepted("deny mark in decimal", "deny mark 32768\n",
	    "deny mark 0x00008000\n");
	accepted("frames drop", "frames drop\n", "frames drop\n");
	accepted("after crash pass", "after crash pass\n",
	    "after crash pass\n");
	accepted("unanswered drop", "unanswered drop\n", "unanswered drop\n");
	accepted("unanswered allow", "unanswered allow\n",
	    "unanswered allow\n");
	accepted("loopback filter", "loopback filter\n", "loopback filter\n");
	accepted("other allow", "other allow\n", "other allow\n");
	accepted("forward filter", "forward filter\n", "forward filter\n");
	accepted("ask nobody", "ask nobody\n", "ask nobody\n");
	accepted("ask statements do not exclude each other",
	    "ask x11\nask timeout 5\nask delay 0\nask synthetic yes\n",
	    "ask timeout 5\nask delay 0\nask synthetic yes\n");
	accepted("display with cookie",
	    "display \":10.1\" xauthority \"/home/u/.Xauthority\"\n",
	    "display \":10.1\" xauthority \"/home/u/.Xauthority\"\n");
	accepted("display without cookie", "display \":0\"\n",
	    "display \":0\"\n");
	accepted("resolvers", "resolver \"127.0.0.53\" \"fe80::1\"\n",
	    "resolver \"127.0.0.53\" \"fe80::1\"\n");
	accepted("quotes in text", "font \"a\\\"b\\\\c\" 20\n",
	    "font \"a\\\"b\\\\c\" 20\n");
	accepted("theme light", "theme light\n", "theme light\n");
	accepted("several logs",
	    "log syslog\nlog journal\nlog \"/var/log/t\" json\nlog stderr "
	    "text\n",
	    "log syslog text\nlog journal text\nlog \"/var/log/t\" json\n"
	    "log stderr text\n");
}

static void
test_refused(void)
{
	refused("unknown statement", "quue 1\n", 1, "t.conf:1: syntax error");
	refused("the line is named", "\n\nqueue x\n", 1, "t.conf:3: ");
	refused("line without newline", "ipv6 filter\nqueue", 1,
	    "t.conf:2: ");
	refused("all errors are shown",
	    "queue 65536\nfoo\nipv6 no\nask timeout 0\n", 4,
	    "t.conf:4: ask timeout must be 1 to 3600");
	refused("rest of the line", "queue 1 2\n", 1, "t.conf:1: ");
	refused("given twice", "queue 1\n\nqueue 2\n", 1,
	    "t.conf:3: already given in line 1");
	refused("queue too large", "queue 65536\n", 1,
	    "queue must be 0 to 65535");
	refused("negative", "queue -1\n", 1, "t.conf:1: ");
	refused("number overflow", "queue 99999999999999999999\n", 1,
	    "t.conf:1: ");
	refused("number with a tail", "queue 1a\n", 1, "t.conf:1: ");
	refused("mark of two bits", "deny mark 0x3\n", 1, "one bit");
	refused("mark of zero", "deny mark 0\n", 1, "one bit");
	refused("mark beyond 32 bits", "deny mark 0x100000000\n", 1,
	    "one bit");
	refused("mark in use", "deny mark 0x02000000\n", 1, "another use");
	refused("relative path", "rules \"etc/x\"\n", 1, "absolute");
	refused("path of a folder", "rules \"/etc/\"\n", 1, "names no file");
	refused("control path too long", "control \"/"
	    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"\n",
	    1, "longer than 107");
	refused("path without quotes", "rules /etc/x\n", 1,
	    "t.conf:1: syntax error");
	refused("quote not closed", "rules \"/etc/x\nqueue 1\n", 1,
	    "t.conf:1: quote is not closed");
	refused("control character", "rules \"/etc/\tx\"\n", 1,
	    "control character");
	refused("empty user", "user \"\"\n", 1, "user is empty");
	refused("remote display", "display \"host:0\"\n", 1,
	    "of this machine");
	refused("display without number", "display \":\"\n", 1,
	    "of this machine");
	refused("resolver by name", "resolver \"ns.example\"\n", 1,
	    "not an address");
	refused("too many resolvers", "resolver \"::1\" \"::2\" \"::3\" "
	    "\"::4\" \"::5\" \"::6\" \"::7\" \"::8\" \"::9\"\n", 1,
	    "more than 8");
	refused("too many logs", "log syslog\nlog syslog\nlog syslog\n"
	    "log syslog\nlog syslog\nlog syslog\nlog syslog\nlog syslog\n"
	    "log syslog\n", 1, "t.conf:9: more than 8");
	refused("journal as json", "log journal json\n", 1, "of its own");
	refused("font too small", "font \"f\" 1\n", 1, "6 to 96");
	refused("no such theme", "theme pink\n", 1, "t.conf:1: ");
	refused("theme given twice", "theme light\ntheme dark\n", 1,
	    "t.conf:2: already given in line 1");
	refused("NUL and noise", "\001\002\003 \377\n", 1, "t.conf:1: ");
}

int
main(void)
{
	defaults();
	test_accepted();
	test_refused();
	return failed;
}
