/*
 * SPDX-License-Identifier: ISC
 *
 * Texts made piece by piece: log lines, of strangers' words among others.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "addr.h"
#include "sbuf.h"

static int	failed;

static void
check(const char *name, const char *got, const char *want)
{
	if (strcmp(got, want) == 0) {
		printf("ok sbuf: %s\n", name);
		return;
	}
	printf("not ok sbuf: %s: [%s], not [%s]\n", name, got, want);
	failed = 1;
}

static void
pieces(void)
{
	char		buf[256];
	struct sbuf	s;

	sbuf_init(&s, buf, sizeof(buf));
	check("empty", buf, "");
	sbuf_number(&s, 0);
	sbuf_char(&s, ' ');
	sbuf_number(&s, 65535);
	sbuf_mem(&s, " and more", 5);
	sbuf_number(&s, UINT64_MAX);
	sbuf_str(&s, " ");
	sbuf_digits(&s, 42, 6);
	sbuf_char(&s, ' ');
	sbuf_digits(&s, 1234567, 3);
	check("numbers", buf,
	    "0 65535 and 18446744073709551615 000042 567");
	check("none is full", s.full ? "full" : "not", "not");
	sbuf_init(&s, buf, sizeof(buf));
	sbuf_escape(&s, "a\x1b[b\\");
	sbuf_escape(&s, "");
	check("escapes", buf, "a\\033[b\\\\");
}

static void
ends(void)
{
	char		buf[8];
	struct sbuf	s;

	sbuf_init(&s, buf, sizeof(buf));
	sbuf_str(&s, "1234567");
	check("just fits", s.full ? "full" : buf, "1234567");
	sbuf_char(&s, '8');
	sbuf_number(&s, 99);
	sbuf_escape(&s, "\n");
	check("nothing beyond the end", s.full ? buf : "not full", "1234567");
	sbuf_init(&s, buf, sizeof(buf));
	sbuf_str(&s, "12345");
	sbuf_number(&s, 6789);
	check("cut", s.full ? buf : "not full", "1234567");
	sbuf_init(&s, buf, sizeof(buf));
	sbuf_escape(&s, "123\n\n");
	check("never half an escape", s.full ? buf : "not full", "123\\012");
	sbuf_init(&s, buf, 6);
	sbuf_escape(&s, "123\n");
	check("none at all rather than half", s.full ? buf : "not full", "123");
	sbuf_init(&s, NULL, 0);
	sbuf_str(&s, "x");
	sbuf_char(&s, 'x');
	sbuf_escape(&s, "x");
	check("no room at all", s.full ? "full" : "not", "full");
}

static void
addresses(void)
{
	static const char *const	text[] = { "0.0.0.0", "255.255.255.255",
	    "10.6.0.2", "2001:db8::1", "::" };
	struct addr			a;
	char				buf[ADDR_STR_MAX];
	size_t				i;

	for (i = 0; i < sizeof(text) / sizeof(text[0]); i++)
		check(text[i], addr_parse(text[i], &a) == 0 ?
		    addr_print(&a, buf) : "no address", text[i]);
}

int
main(void)
{
	pieces();
	ends();
	addresses();
	return failed;
}
