/*
 * SPDX-License-Identifier: ISC
 *
 * rule_edit.c: a person's file before and after.
 */
#include <stdlib.h>
#include <string.h>

#include "case.h"
#include "rule.h"

static const char	passwd[] = "root:x:0:0:root:/root:/bin/sh\n";
static struct passwd_map	*users;

typedef char	*(edit_func)(const char *, size_t, const char *,
		    const struct passwd_map *, size_t *);

/* want NULL: nothing to be done. */
static bool
gives(edit_func *edit, const char *before, const char *rule,
    const char *want)
{
	size_t	 n = strlen(before), len = 0;
	char	*copy, *got;
	bool	 good;

	/* Exactly as long as it is, for the sanitizer. */
	if ((copy = malloc(n + 1)) == NULL)
		abort();
	memcpy(copy, before, n);
	got = edit(copy, n, rule, users, &len);
	good = want == NULL ? got == NULL : got != NULL &&
	    len == strlen(want) && memcmp(got, want, len + 1) == 0;
	if (!good && got != NULL)
		fprintf(stderr, "got:\n%s\n", got);
	free(copy);
	free(got);
	return good;
}

static void
test_add(void)
{
	CHECK(gives(edit_add, "", "allow X.y 1 TCP", "allow x.y 1 tcp\n"));
	case_end("add to an empty file");
	CHECK(gives(edit_add, "allow a.b 1 tcp\n", "deny x.y 1 tcp",
	    "allow a.b 1 tcp\ndeny x.y 1 tcp\n"));
	case_end("add at the end");
	CHECK(gives(edit_add, "allow a.b 1 tcp", "deny x.y 1 tcp",
	    "allow a.b 1 tcp\ndeny x.y 1 tcp\n"));
	CHECK(gives(edit_add, "# only this", "deny x.y 1 tcp",
	    "# only this\ndeny x.y 1 tcp\n"));
	case_end("a last line without newline stays a line");
	CHECK(gives(edit_add, "allow a.b 1 tcp\r\n# x", "deny x.y 1 tcp",
	    "allow a.b 1 tcp\r\n# x\r\ndeny x.y 1 tcp\r\n"));
	case_end("line ends as the file has them");
	CHECK(gives(edit_add, "# one\n\n \t deny  X.Y 1\ttcp   # mine\t\r\n"
	    "allow a.b - -\n# end", "allow x.y 1 tcp",
	    "# one\n\n \t allow x.y 1 tcp   # mine\t\r\n"
	    "allow a.b - -\n# end"));
	case_end("replaced in its place, the comment stays");
	CHECK(gives(edit_add, "deny x.y 1 tcp\nbad\xff line\n",
	    "allow x.y 1 tcp", "allow x.y 1 tcp\nbad\xff line\n"));
	case_end("bad lines stay");
	CHECK(gives(edit_add, "deny x.y 1 tcp\ndeny x.y 1 tcp in\n"
	    "deny x.y 1 udp\ndeny x.y 1-1 tcp uid=root\n",
	    "allow x.y 1 tcp uid=0", "deny x.y 1 tcp\ndeny x.y 1 tcp in\n"
	    "deny x.y 1 udp\nallow x.y 1 tcp uid=0\n"));
	case_end("other protocols and qualifiers are other rules");
	CHECK(gives(edit_add, "# allow x.y 1 tcp\n", "allow x.y 1 tcp",
	    "# allow x.y 1 tcp\nallow x.y 1 tcp\n"));
	case_end("a rule in a comment is none");
	CHECK(gives(edit_add, "deny x.y 1 tcp#a\ndeny x.y 1 tcp#b\n",
	    "allow x.y 1 tcp", "allow x.y 1 tcp#a\ndeny x.y 1 tcp#b\n"));
	case_end("the first of two is the one that decides");
	CHECK(gives(edit_add, "deny - 1 tcp exe=\"/a #b\" # c\n",
	    "allow - 1 tcp exe=\"/a #b\"",
	    "allow - 1 tcp exe=\"/a #b\" # c\n"));
	case_end("a # in quotes is no comment");
	CHECK(gives(edit_add, "\xef\xbb\xbf" "deny x.y 1 tcp\n",
	    "allow x.y 1 tcp", "\xef\xbb\xbf" "allow x.y 1 tcp\n"));
	CHECK(gives(edit_add, "\xef\xbb\xbf", "allow x.y 1 tcp",
	    "\xef\xbb\xbf" "allow x.y 1 tcp\n"));
	case_end("the byte order mark stays in front");
	CHECK(gives(edit_add, "", "allow *.com 1 tcp", NULL));
	CHECK(gives(edit_add, "", "allow x.y 1 tcp\ndrop - - -", NULL));
	CHECK(gives(edit_add, "", "", NULL));
	case_end("what is no rule is not added");
}

static void
test_delete(void)
{
	CHECK(gives(edit_delete, "# a\nallow x.y 1 tcp # b\n# c\n",
	    "allow X.Y 1 6", "# a\n# c\n"));
	case_end("delete a line and its own comment");
	CHECK(gives(edit_delete, "allow x.y 1 tcp\n", "allow x.y 2 tcp",
	    NULL));
	CHECK(gives(edit_delete, "", "allow x.y 2 tcp", NULL));
	CHECK(gives(edit_delete, "allow x.y 1 tcp in\n", "allow x.y 1 tcp",
	    NULL));
	case_end("nothing to delete");
	CHECK(gives(edit_delete, "deny x.y 1 tcp\n", "allow x.y 1 tcp",
	    NULL));
	case_end("the wrong action deletes nothing");
	CHECK(gives(edit_delete, "allow x.y 1 tcp\nallow a.b 1 tcp\n"
	    "allow x.y 1 tcp", "allow x.y 1 tcp", "allow a.b 1 tcp\n"));
	case_end("every copy goes");
}

/* What was added is there; what was added and deleted leaves no trace. */
static void
test_both(void)
{
	static const char	text[] = "# one\n\nallow a.b 1 tcp # two\n"
				    "bad\n";
	char			*added, *back;
	size_t			 len, backlen;

	added = edit_add(text, strlen(text), "drop 10.0.0.0/8 - -", users,
	    &len);
	CHECK(added != NULL);
	back = edit_delete(added, len, "drop 10.*.*.* - -", users, &backlen);
	CHECK(back != NULL && strcmp(back, text) == 0);
	free(added);
	free(back);
	case_end("add and delete leave no trace");
}

int
main(void)
{
	users = passwd_parse(passwd, strlen(passwd));
	test_add();
	test_delete();
	test_both();
	passwd_free(users);
	return case_failures > 0;
}
