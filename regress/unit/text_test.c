/*
 * SPDX-License-Identifier: ISC
 *
 * text.c: what comes out is printable, bounded and cannot be mistaken.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

static int	bad;

static void
ok(const char *name, int good, const char *got)
{
	if (good)
		printf("ok text: %s\n", name);
	else
		printf("not ok text: %s: got \"%s\"\n", name, got);
	bad |= !good;
}

static void
same(const char *name, const char *got, const char *want)
{
	ok(name, strcmp(got, want) == 0, got);
}

static void
escape(const char *name, const char *in, size_t len, const char *want)
{
	char	buf[256];
	size_t	n;

	n = text_escape(buf, sizeof(buf), in, len);
	ok(name, strcmp(buf, want) == 0 && n == strlen(want), buf);
}

static void
test_escape(void)
{
	char	buf[8];

	escape("plain text stays", "curl -s", 7, "curl -s");
	escape("controls", "a\nb\x1b[2J\x7f", 8, "a\\x0ab\\x1b[2J\\x7f");
	escape("NUL inside", "a\0b", 3, "a\\x00b");
	escape("backslash doubles", "\\x41", 4, "\\\\x41");
	escape("bidi override", "\xe2\x80\xae", 3, "\\u202e");
	escape("combining mark", "o\xcc\x81", 3, "o\\u0301");
	escape("C1 control", "\xc2\x9b" "31m", 5, "\\u009b31m");
	escape("beyond the basic plane", "\xf0\x9f\x98\x80", 4,
	    "\\U0001f600");
	escape("overlong form", "\xc0\xaf", 2, "\\xc0\\xaf");
	escape("overlong in three", "\xe0\x80\xaf", 3, "\\xe0\\x80\\xaf");
	escape("surrogate", "\xed\xa0\x80", 3, "\\xed\\xa0\\x80");
	escape("too large", "\xf4\x90\x80\x80", 4, "\\xf4\\x90\\x80\\x80");
	escape("cut in a character", "\xe2\x80", 2, "\\xe2\\x80");
	ok("length without room", text_escape(buf, 4, "ab\n", 3) == 6 &&
	    strcmp(buf, "ab") == 0, buf);
	ok("nothing after a piece left out",
	    text_escape(buf, 5, "ab\ncd", 5) == 8 && strcmp(buf, "ab") == 0,
	    buf);
	ok("no room at all", text_escape(NULL, 0, "ab", 2) == 2, "");
	ok("printable keeps backslashes", text_printable(buf, sizeof(buf),
	    "\\a\n", 3) == 6 && strcmp(buf, "\\a\\x0a") == 0, buf);
}

static void
elide(const char *name, const char *in, size_t cols, unsigned int tail,
    const char *want)
{
	char	buf[128];

	text_elide(buf, sizeof(buf), in, cols, tail);
	same(name, buf, want);
}

static void
test_elide(void)
{
	char	buf[6];

	elide("what fits stays", "abcdef", 6, 50, "abcdef");
	elide("the middle goes", "abcdefghij", 9, 50, "abc...hij");
	elide("a name keeps its end", "aaaaaaaaaaaaaaaa.evil.example.org", 23,
	    70, "aaaaaa...il.example.org");
	elide("no escape is cut at the head", "ab\\u0301efghijkl", 9, 30,
	    "ab...l");
	elide("no escape is cut at the tail", "abcdefghi\\u0301", 11, 50,
	    "abcd...");
	elide("an escaped backslash is whole", "ab\\\\cdefghij", 9, 50,
	    "ab...hij");
	elide("next to no room", "abcdef", 2, 50, "..");
	elide("no room", "abcdef", 0, 50, "");
	text_elide(buf, sizeof(buf), "abcdefghij", 40, 50);
	same("the buffer bounds, too", buf, "a...j");
}

static void
args(const char *name, const char *in, size_t len, bool cut, const char *want)
{
	char	buf[128];

	text_args(buf, sizeof(buf), in, len, cut);
	same(name, buf, want);
}

static void
test_args(void)
{
	size_t	at;

	args("plain arguments", "curl\0-s\0a.b/c", 14, false, "curl -s a.b/c");
	args("space in one", "a b\0c", 6, false, "'a b' c");
	args("an empty one", "a\0\0c", 5, false, "a '' c");
	args("a quote in one", "it's", 5, false, "'it\\x27s'");
	args("two cannot look like one", "a' 'b", 6, false,
	    "'a\\x27 \\x27b'");
	args("controls in one", "\n", 2, false, "'\\x0a'");
	args("cut", "a\0b", 4, true, "a b ...");
	args("without its last NUL", "a\0b", 3, false, "a b");
	args("none", "", 0, false, "");
	ok("skip the path itself", text_args_skip("/bin/sh", "/bin/sh\0-c",
	    11) == 8, "");
	ok("skip the last component", text_args_skip("/bin/sh", "sh\0-c", 6)
	    == 3, "");
	ok("show another name", text_args_skip("/bin/sh", "bash\0-c", 8) == 0,
	    "");
	ok("a script", text_script("/usr/bin/python3.11",
	    "python3\0a.py\0-v", 16, &at) == 4 && at == 8, "");
	ok("an option is no script", text_script("/bin/sh", "sh\0-c\0id", 9,
	    &at) == 0, "");
	ok("nor what another program is given", text_script("/bin/cat",
	    "cat\0a.py", 9, &at) == 0 && text_script("/bin/shutdown",
	    "sh\0a.py", 8, &at) == 0, "");
	ok("nor nothing", text_script("/bin/sh", "", 0, &at) == 0 &&
	    text_script("/bin/sh", "sh", 3, &at) == 0 &&
	    text_script("/bin/sh", "sh\0", 4, &at) == 0 &&
	    text_script("/bin/sh", "sh\0cut", 6, &at) == 0, "");
	ok("skip nothing of nothing", text_args_skip("/bin/sh", "", 0) == 0,
	    "");
}

static void
test_small(void)
{
	char	buf[64];

	text_countdown(buf, sizeof(buf), 57000, "deny");
	same("countdown", buf, "57 seconds until DENY");
	text_countdown(buf, sizeof(buf), 56001, "deny");
	same("a part counts as one", buf, "57 seconds until DENY");
	text_countdown(buf, sizeof(buf), 1000, "drop");
	same("one second", buf, "1 second until DROP");
	text_countdown(buf, sizeof(buf), 0, "allow");
	same("no second", buf, "0 seconds until ALLOW");
	text_age(buf, sizeof(buf), 1240);
	same("age in parts", buf, "1.2 s");
	text_age(buf, sizeof(buf), 59999);
	same("age in seconds", buf, "59 s");
	text_age(buf, sizeof(buf), 3600 * 1000);
	same("age in minutes", buf, "60 min");
	text_age(buf, sizeof(buf), 9 * 3600 * 1000);
	same("age in hours", buf, "9 h");
	text_proto(buf, sizeof(buf), 17);
	same("protocol by name", buf, "udp");
	text_proto(buf, sizeof(buf), 89);
	same("protocol by number", buf, "protocol 89");
	ok("break at a space", text_break("aaaa bbbb cccc", 10) == 9, "");
	ok("break what has none", text_break("aaaaaaaaaaaaaa", 10) == 10, "");
	ok("never break an escape", text_break("aaaaaaaa\\u0301", 10) == 8,
	    "");
	ok("all fits", text_break("aaaa", 10) == 4, "");
}

/* Whatever goes in: printable, terminated, no longer than asked for. */
static void
test_random(unsigned int seed)
{
	char	in[200], esc[1024], out[64];
	size_t	cols, i, len, round;

	srand(seed);
	for (round = 0; round < 20000; round++) {
		len = (size_t)rand() % sizeof(in);
		cols = (size_t)rand() % 70;
		for (i = 0; i < len; i++)
			in[i] = (char)rand();
		text_args(esc, sizeof(esc), in, len, round & 1);
		text_escape(esc, sizeof(esc), in, len);
		text_elide(out, sizeof(out), esc, cols, (unsigned int)rand() %
		    101);
		for (i = 0; out[i] != '\0'; i++)
			if (out[i] < 0x20 || out[i] > 0x7e)
				break;
		if (out[i] != '\0' || i > cols || i >= sizeof(out))
			break;
		if (text_break(esc, cols + 10) > strlen(esc))
			break;
	}
	ok("random bytes", round == 20000, out);
}

int
main(int argc, char *argv[])
{
	test_escape();
	test_elide();
	test_args();
	test_small();
	test_random(argc > 1 ? (unsigned int)strtoul(argv[1], NULL, 0) : 1);
	return bad;
}
