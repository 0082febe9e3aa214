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

/* --- a file's text and the set that was loaded from it --- */

static void
no_report(const char *file, uint32_t line, const char *reason,
    enum report class, void *arg)
{
	(void)file;
	(void)line;
	(void)reason;
	(void)class;
	(void)arg;
}

/* One include, of a rule that edits of the file must leave alone. */
static int
one_include(enum file_kind kind, const char *path, enum action action,
    const char **text, size_t *len, char *err, size_t errsize, void *arg)
{
	(void)kind;
	(void)path;
	(void)action;
	(void)err;
	(void)errsize;
	(void)arg;
	*text = "allow a.test 1 tcp\ndeny 10.1.0.0/16 - -\n";
	*len = strlen(*text);
	return 1;
}

static struct ruleset *
load(const char *text, size_t len)
{
	const struct ruleset_hooks	 hooks = { no_report, one_include,
					    NULL };
	struct ruleset			*set = ruleset_new(false);

	ruleset_load(set, "/r", text, len, users, &hooks);
	return set;
}

/* The same rules, in the same order, from the same lines. */
static bool
same_sets(const struct ruleset *a, const struct ruleset *b)
{
	const struct rule	*x, *y;
	char			 s[RULE_TEXT_MAX], t[RULE_TEXT_MAX];
	size_t			 i;

	if (ruleset_count(a) != ruleset_count(b))
		return false;
	for (i = 0; i < ruleset_count(a); i++) {
		x = ruleset_at(a, i);
		y = ruleset_at(b, i);
		if (rule_print(x, s, sizeof(s)) == -1 ||
		    rule_print(y, t, sizeof(t)) == -1 || strcmp(s, t) != 0 ||
		    strcmp(x->file, y->file) != 0 || x->line != y->line)
			return false;
	}
	return true;
}

static unsigned int
pick(unsigned int n)
{
	static unsigned int	state = 7;

	state = state * 1103515245 + 12345;
	return (state >> 16) % n;
}

/* Few rules in many spellings. */
static const char *
random_rule(char buf[128])
{
	static const char *const	actions[] = { "allow", "deny", "DROP" };
	static const char *const	hosts[] = { "a.test", "A.Test.",
	    "*.a.test", "10.1.2.3", "10.1.0.0/16", "10.1.*.*", "10.1.9.9/16",
	    "12.0.0.0/7", "13.255.0.1/7", "::1", "0:0::1", "fd00::/8",
	    "FD12::1/8", "-", "localhost", "LocalHost" };
	static const char *const	rest[] = { "1 tcp", "1-1 TCP", "- -",
	    "- tcp uid=root", "- tcp uid=0", "- tcp in" };

	(void)snprintf(buf, 128, "%s %s %s", actions[pick(3)],
	    hosts[pick(sizeof(hosts) / sizeof(hosts[0]))],
	    rest[pick(sizeof(rest) / sizeof(rest[0]))]);
	return buf;
}

static int
put_line(char *to, const char *line)
{
	return snprintf(to, 160, "%s\n", line);
}

static char *
random_text(size_t *len)
{
	char		*text = malloc(64 * 160), rule[128];
	unsigned int	 i, n = pick(20), include = pick(n + 1);

	if (text == NULL)
		abort();
	*len = 0;
	for (i = 0; i < n; i++)
		*len += (size_t)put_line(text + *len, i == include ?
		    "include \"i\"" : pick(8) == 0 ? "# no rule" :
		    pick(8) == 0 ? "deny what" : random_rule(rule));
	if (n > 0 && pick(4) == 0)	/* the last newline is missing */
		*len -= 1;
	return text;
}

static bool
edits_agree(void)
{
	char		*text, *edited, rule[128], err[RULE_ERR_MAX];
	struct ruleset	*set, *again;
	struct rule	 r;
	size_t		 len, newlen, i;
	uint32_t	 line;
	bool		 good = true;

	text = random_text(&len);
	set = load(text, len);
	while (good && pick(8) > 0) {
		(void)random_rule(rule);
		if (rule_parse(rule, strlen(rule), users, &r, err,
		    sizeof(err)) == -1)
			abort();
		if (pick(2) == 0) {
			edited = edit_add(text, len, rule, users, &newlen);
			for (i = line = 0; i < newlen; i++)
				line += edited[i] == '\n';
			good = ruleset_edit_add(set, &r, "/r", line) == 0;
		} else {
			edited = edit_delete(text, len, rule, users, &newlen);
			ruleset_edit_delete(set, &r, "/r");
		}
		if (edited != NULL) {
			free(text);
			text = edited;
			len = newlen;
		}
		again = load(text, len);
		if (good && !(good = same_sets(set, again)))
			fprintf(stderr, "%s, in:\n%s\n", rule, text);
		ruleset_free(again);
		rule_clear(&r);
	}
	ruleset_free(set);
	free(text);
	return good;
}

static void
test_sets(void)
{
	int	i;

	for (i = 0; i < 3000 && case_why == NULL; i++)
		CHECK(edits_agree());
	case_end("an edited set is what the edited text makes");
}

int
main(void)
{
	users = passwd_parse(passwd, strlen(passwd));
	test_add();
	test_delete();
	test_sets();
	test_both();
	passwd_free(users);
	return case_failures > 0;
}
