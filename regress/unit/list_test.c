/*
 * SPDX-License-Identifier: ISC
 *
 * list.c: the formats that are published, and a million names.
 */
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "case.h"
#include "list.h"

#define MANY		1000000
#define SLICE		32768
#define BYTES_MAX	(16 * MANY)

static struct lists	*lists;

static void
begin(void)
{
	static const uint8_t	key[16] = "a secret of ours";

	lists = lists_new();
	lists_key(lists, key);
}

static void
finish(const char *name)
{
	lists_free(lists);
	case_end(name);
}

/* In pieces of so many bytes, as they come from a file. */
static const struct list *
load(enum action action, const char *file, const char *text, size_t piece)
{
	struct list_load	*l = list_load_begin(lists, action, file);
	size_t			 left = strlen(text), n;
	char			*copy;

	for (; left > 0; left -= n, text += n) {
		n = left < piece ? left : piece;
		if ((copy = malloc(n)) == NULL)
			abort();
		memcpy(copy, text, n);
		list_load_some(l, copy, n);
		free(copy);
	}
	return list_load_commit(l);
}

/* "deny example.com", "allow 10.0.0.0/8", or "-". */
static bool
gives(const char *name, const char *addr, const char *want)
{
	const struct list	*found;
	struct addr		 a = { .af = 0 };
	char			 by[LIST_BY_MAX], got[LIST_BY_MAX + 16];

	if (addr != NULL && addr_parse(addr, &a) == -1)
		abort();
	found = lists_match(lists, name, &a, by);
	if (found == NULL)
		(void)snprintf(got, sizeof(got), "-");
	else
		(void)snprintf(got, sizeof(got), "%s %s",
		    action_name(found->action), by);
	if (strcmp(got, want) != 0)
		fprintf(stderr, "%s: %s\n", name != NULL ? name : addr, got);
	return strcmp(got, want) == 0;
}

static void
test_formats(void)
{
	static const char	text[] =
	    "# a hosts file\n"
	    "127.0.0.1 localhost localhost.localdomain # us\n"
	    "::1 ip6-localhost\n"
	    "255.255.255.255\tbroadcasthost\n"
	    "0.0.0.0 Ads.Example.com\ttrack.example.com#x\r\n"
	    ":: six.example.com\n"
	    "plain.example.org\n"
	    "  *.star.example.org  \n"
	    ".dot.example.org\n"
	    "! adblock\n"
	    "[Adblock Plus 2.0]\n"
	    "||block.example.net^\n"
	    "||part.example.net^$third-party\n"
	    "@@||good.example.net^\n"
	    "/banner/*\n"
	    "192.0.2.7\n"
	    "198.51.100.0/24\n"
	    "2001:db8:5::/48\n"
	    "last.example.org";
	const struct list	*list;
	size_t			 piece;

	for (piece = 1; piece < sizeof(text); piece += piece < 4 ? 1 : 97) {
		begin();
		list = load(ACTION_DENY, "f", text, piece);
		CHECK(list != NULL && list->count == 11);
		CHECK(list != NULL && list->skipped == 3);
		CHECK(gives("ads.example.com", NULL, "deny ads.example.com"));
		CHECK(gives("a.b.ads.example.com", NULL,
		    "deny ads.example.com"));
		CHECK(gives("track.example.com", NULL,
		    "deny track.example.com"));
		CHECK(gives("example.com", NULL, "-"));
		CHECK(gives("xads.example.com", NULL, "-"));
		CHECK(gives("six.example.com", NULL, "deny six.example.com"));
		CHECK(gives("plain.example.org", NULL,
		    "deny plain.example.org"));
		CHECK(gives("x.star.example.org", NULL,
		    "deny star.example.org"));
		CHECK(gives("dot.example.org", NULL, "deny dot.example.org"));
		CHECK(gives("block.example.net", NULL,
		    "deny block.example.net"));
		CHECK(gives("part.example.net", NULL, "-"));
		CHECK(gives("good.example.net", NULL, "-"));
		CHECK(gives("last.example.org", NULL,
		    "deny last.example.org"));
		CHECK(gives("localhost", "127.0.0.1", "-"));
		CHECK(gives("localhost.localdomain", NULL, "-"));
		CHECK(gives(NULL, "192.0.2.7", "deny 192.0.2.7/32"));
		CHECK(gives(NULL, "192.0.2.8", "-"));
		CHECK(gives(NULL, "0.0.0.0", "-"));
		CHECK(gives("x.org", "198.51.100.9",
		    "deny 198.51.100.0/24"));
		CHECK(gives(NULL, "2001:db8:5:1::1", "deny 2001:db8:5::/48"));
		CHECK(gives(NULL, "2001:db8:6::1", "-"));
		finish(piece == 1 ? "formats, byte by byte" :
		    "formats, in pieces");
	}
}

static void
test_hostile(void)
{
	char			*text;
	const struct list	*list;
	struct list_load	*l;
	size_t			 i, n = 100000;

	begin();
	if ((text = malloc(n + 64)) == NULL)
		abort();
	memset(text, 'a', n);
	(void)snprintf(text + n, 64, "\nfine.example.com\n");
	list = load(ACTION_DENY, "f", text, 1000);
	CHECK(list != NULL && list->count == 1 && list->skipped == 1);
	CHECK(gives("fine.example.com", NULL, "deny fine.example.com"));
	finish("a line too long is passed over");

	begin();
	l = list_load_begin(lists, ACTION_DENY, "f");
	list_load_some(l, "x.example.com\0y\nb\xc3\xbc.de\n\x1b[m\n..\n", 30);
	list_load_some(l, "a b\n999.1.1.1\n1.2.3.4/33\n||^\n", 29);
	list = list_load_commit(l);
	CHECK(list != NULL && list->count == 0 && list->skipped == 8);
	finish("lines that are nothing are counted");

	begin();
	for (i = 0; i < n; i++)
		text[i] = (char)(i * 7919 >> 3);
	text[n] = '\0';
	l = list_load_begin(lists, ACTION_ALLOW, "f");
	list_load_some(l, text, n);
	list_load_abort(l);
	CHECK(lists_count(lists) == 0);
	free(text);
	finish("binary rubbish");
}

static void
test_order(void)
{
	begin();
	CHECK(load(ACTION_DENY, "d", "example.com\nb.a.example.com\n"
	    "10.0.0.0/8\nsame.org\n", 9) != NULL);
	CHECK(load(ACTION_ALLOW, "a", "a.example.com\n10.1.0.0/16\nsame.org\n",
	    9) != NULL);
	CHECK(gives("x.example.com", NULL, "deny example.com"));
	CHECK(gives("x.a.example.com", NULL, "allow a.example.com"));
	CHECK(gives("x.b.a.example.com", NULL, "deny b.a.example.com"));
	CHECK(gives("same.org", NULL, "deny same.org"));
	CHECK(gives(NULL, "10.2.0.1", "deny 10.0.0.0/8"));
	CHECK(gives(NULL, "10.1.0.1", "allow 10.1.0.0/16"));
	CHECK(gives("x.example.com", "10.1.0.1", "deny example.com"));
	CHECK(load(ACTION_ALLOW, "a2", "early.org\n", 9) != NULL);
	CHECK(load(ACTION_DENY, "d2", "early.org\n", 9) != NULL);
	CHECK(gives("early.org", NULL, "deny early.org"));
	finish("the longest entry of all lists, deny when they are the same");

	begin();
	CHECK(load(ACTION_ALLOW, "a", "com\nco.uk\ngithub.io\n0.0.0.0/0\n"
	    "10.0.0.0/7\n::/0\nfine.co.uk\n", 9) != NULL);
	CHECK(lists_at(lists, 0)->count == 1);
	CHECK(gives("evil.co.uk", "10.0.0.1", "-"));
	CHECK(gives("x.fine.co.uk", NULL, "allow fine.co.uk"));
	CHECK(load(ACTION_DENY, "d", "zip\n", 9) != NULL);
	CHECK(gives("evil.zip", NULL, "deny zip"));
	finish("an allow-list opens no public suffix");
}

static bool
keep_b(enum action action, const char *file, void *arg)
{
	(void)arg;
	return action == ACTION_DENY && strcmp(file, "b") == 0;
}

static void
test_reload(void)
{
	struct list_load	*l;
	size_t			 i;
	char			 file[16];

	begin();
	CHECK(load(ACTION_DENY, "a", "one.example.com\n", 99) != NULL);
	l = list_load_begin(lists, ACTION_DENY, "a");
	list_load_some(l, "two.example.com\n", 16);
	CHECK(gives("one.example.com", NULL, "deny one.example.com"));
	CHECK(gives("two.example.com", NULL, "-"));
	CHECK(list_load_commit(l) != NULL);
	CHECK(gives("one.example.com", NULL, "-"));
	CHECK(gives("two.example.com", NULL, "deny two.example.com"));
	CHECK(lists_count(lists) == 1);
	CHECK(load(ACTION_DENY, "b", "three.example.com\n", 99) != NULL);
	lists_keep(lists, keep_b, NULL);
	CHECK(lists_count(lists) == 1);
	CHECK(gives("two.example.com", NULL, "-"));
	CHECK(gives("three.example.com", NULL, "deny three.example.com"));
	finish("the old set decides until the commit");

	begin();
	CHECK(load(ACTION_DENY, "a", "one.example.com\n", 99) != NULL);
	CHECK(load(ACTION_DENY, "b", "two.example.com\n", 99) != NULL);
	lists_keep(lists, keep_b, NULL);
	CHECK(load(ACTION_DENY, "c", "three.example.com\n", 99) != NULL);
	CHECK(lists_count(lists) == 2);
	CHECK(gives("two.example.com", NULL, "deny two.example.com"));
	CHECK(gives("three.example.com", NULL, "deny three.example.com"));
	finish("a new list in the place of a dropped one");

	begin();
	for (i = 0; i < LISTS_MAX; i++) {
		(void)snprintf(file, sizeof(file), "%zu", i);
		CHECK(load(ACTION_DENY, file, "x.org\n", 99) != NULL);
	}
	CHECK(load(ACTION_DENY, "more", "y.org\n", 99) == NULL);
	CHECK(load(ACTION_DENY, "7", "z.org\n", 99) != NULL);
	CHECK(gives("y.org", NULL, "-"));
	CHECK(gives("z.org", NULL, "deny z.org"));
	finish("lists are bounded");
}

static double
since(const struct timespec *a)
{
	struct timespec	b;

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &b);
	return (double)(b.tv_sec - a->tv_sec) * 1e3 +
	    (double)(b.tv_nsec - a->tv_nsec) / 1e6;
}

/* Memory is counted; CPU times are for people, on standard error. */
static void
test_many(void)
{
	struct list_load	*l;
	struct timespec		 start, slice;
	size_t			 i, n = 0, room = (size_t)MANY * 48, off, part;
	size_t			 before;
	char			*text = malloc(room), name[64];
	char			 by[LIST_BY_MAX];
	const struct addr	 none = { .af = 0 };
	double			 longest = 0;

	if (text == NULL)
		abort();
	for (i = 0; i < MANY; i++)
		n += (size_t)snprintf(text + n, room - n,
		    "0.0.0.0 h%zx.site%zu.example.net\n", i * 2654435761U, i);
	begin();
	before = mallinfo2().uordblks;
	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &start);
	l = list_load_begin(lists, ACTION_DENY, "many");
	for (off = 0; off < n; off += part) {
		part = n - off < SLICE ? n - off : SLICE;
		(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &slice);
		list_load_some(l, text + off, part);
		if (since(&slice) > longest)
			longest = since(&slice);
	}
	CHECK(list_load_commit(l) != NULL);
	fprintf(stderr, "%d names: %.0f ms, longest slice %.2f ms, %zu KB\n",
	    MANY, since(&start), longest,
	    (mallinfo2().uordblks - before) / 1024);
	CHECK(lists_at(lists, 0)->count == MANY);
	CHECK(mallinfo2().uordblks - before < BYTES_MAX);
	free(text);
	case_end("a million names in 16 bytes each at most");

	for (i = 0; i < MANY; i += 997) {
		(void)snprintf(name, sizeof(name), "w.h%zx.site%zu.example.net",
		    i * 2654435761U, i);
		CHECK(lists_match(lists, name, &none, by) != NULL &&
		    strcmp(by, name + 2) == 0);
	}
	for (i = 0; i < MANY; i++) {
		(void)snprintf(name, sizeof(name), "other%zu.example.net", i);
		CHECK(lists_match(lists, name, &none, by) == NULL);
	}
	finish("each is found, and no other");
}

int
main(void)
{
	test_formats();
	test_hostile();
	test_order();
	test_reload();
	test_many();
	return case_failures > 0;
}
