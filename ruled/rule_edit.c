/*
 * SPDX-License-Identifier: ISC
 *
 * A person's file of rules as text: one line is replaced, added or taken
 * out, every other byte stays.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "rule.h"
#include "words.h"

/* One line of the text, its newline included; what of it is the rule. */
struct line {
	const char	*text;
	size_t		 len;
	size_t		 start, end;
	bool		 has_rule;
	struct rule	 rule;		/* rule_clear() it if has_rule */
};

struct text {
	char	*buf;
	size_t	 len;
};

static void
text_put(struct text *t, const char *bytes, size_t len)
{
	if (len == 0)
		return;
	memcpy(t->buf + t->len, bytes, len);
	t->len += len;
}

/*
 * What each line with the same destination has in it, in any case.  To look
 * for it first saves reading thousands of lines for each edit.
 */
static void
hint_of(const struct rule *r, char hint[HOST_NAME_MAX_DNS])
{
	const struct prefix	*p = &r->prefix;

	if (r->name != NULL)
		(void)strlcpy(hint, r->name, HOST_NAME_MAX_DNS);
	else if (r->kind == DST_ANY)
		(void)strlcpy(hint, "-", HOST_NAME_MAX_DNS);
	else if (addr_size(p->addr.af) != 4)
		(void)strlcpy(hint, ":", HOST_NAME_MAX_DNS);
	else if (p->len < 8)	/* the rest of the number may be anything */
		(void)strlcpy(hint, ".", HOST_NAME_MAX_DNS);
	else
		(void)snprintf(hint, HOST_NAME_MAX_DNS, "%u.", p->addr.b[0]);
}

static char
lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

static bool
has_hint(const char *text, size_t len, const char *hint)
{
	size_t	i, j, n = strlen(hint);

	for (i = 0; i + n <= len; i++) {
		for (j = 0; j < n && lower(text[i + j]) == hint[j]; j++)
			continue;
		if (j == n)
			return true;
	}
	return false;
}

/* The next line of what is left, or false. */
static bool
next_line(const char **text, const char *end, const char *hint,
    const struct passwd_map *users, struct line *line)
{
	struct words	 w;
	char		 err[RULE_ERR_MAX];
	const char	*nl;
	size_t		 len;

	if (*text == end)
		return false;
	nl = memchr(*text, '\n', (size_t)(end - *text));
	line->text = *text;
	len = (size_t)((nl != NULL ? nl : end) - *text);
	line->len = nl != NULL ? len + 1 : len;
	*text += line->len;
	line->has_rule = has_hint(line->text, len, hint) &&
	    words_split(line->text, len, &w, err, sizeof(err)) == 0 &&
	    rule_from_words(&w, users, &line->rule, err, sizeof(err)) == 0;
	if (line->has_rule) {
		line->start = w.start;
		line->end = w.end;
	}
	return true;
}

/*
 * A last line without newline must not be run together with the new one.
 * Line ends are made as the file has them.
 */
static void
append_line(struct text *t, const char *text, size_t len, const char *rule)
{
	const char	*nl = memchr(text, '\n', len);
	const char	*eol = nl != NULL && nl > text && nl[-1] == '\r' ?
			    "\r\n" : "\n";

	if (len > 0 && text[len - 1] != '\n')
		text_put(t, eol, strlen(eol));
	text_put(t, rule, strlen(rule));
	text_put(t, eol, strlen(eol));
}

static void
replace_line(struct text *t, const struct line *line, const char *rule)
{
	text_put(t, line->text, line->start);
	text_put(t, rule, strlen(rule));
	text_put(t, line->text + line->end, line->len - line->end);
}

/* A byte order mark stays in front; returns where the lines begin. */
static const char *
text_begin(struct text *t, const char *text, size_t len)
{
	size_t	mark = 0;

	t->len = 0;
	if ((t->buf = malloc(len + RULE_TEXT_MAX + 8)) == NULL)
		fatal(NULL);
	if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
		mark = 3;
	text_put(t, text, mark);
	return text + mark;
}

static char *
text_end(struct text *t, size_t *len)
{
	t->buf[t->len] = '\0';
	*len = t->len;
	return t->buf;
}

char *
edit_add(const char *text, size_t len, const char *rule_text,
    const struct passwd_map *users, size_t *newlen)
{
	struct rule	 rule;
	struct line	 line;
	struct text	 t;
	const char	*lines, *left;
	char		 canonical[RULE_TEXT_MAX], err[RULE_ERR_MAX];
	char		 hint[HOST_NAME_MAX_DNS];
	bool		 done = false;

	if (rule_parse(rule_text, strlen(rule_text), users, &rule, err,
	    sizeof(err)) == -1)
		return NULL;
	if (rule_print(&rule, canonical, sizeof(canonical)) == -1)
		fatalx("%s: a parsed rule does not fit", __func__);
	hint_of(&rule, hint);
	left = lines = text_begin(&t, text, len);
	while (next_line(&left, text + len, hint, users, &line)) {
		if (!done && line.has_rule && rule_same(&line.rule, &rule)) {
			replace_line(&t, &line, canonical);
			done = true;
		} else
			text_put(&t, line.text, line.len);
		if (line.has_rule)
			rule_clear(&line.rule);
	}
	if (!done)
		append_line(&t, lines, (size_t)(text + len - lines),
		    canonical);
	rule_clear(&rule);
	return text_end(&t, newlen);
}

char *
edit_delete(const char *text, size_t len, const char *rule_text,
    const struct passwd_map *users, size_t *newlen)
{
	struct rule	 rule;
	struct line	 line;
	struct text	 t;
	const char	*left;
	char		 err[RULE_ERR_MAX], hint[HOST_NAME_MAX_DNS];
	bool		 found = false;

	if (rule_parse(rule_text, strlen(rule_text), users, &rule, err,
	    sizeof(err)) == -1)
		return NULL;
	hint_of(&rule, hint);
	left = text_begin(&t, text, len);
	while (next_line(&left, text + len, hint, users, &line)) {
		if (line.has_rule && line.rule.action == rule.action &&
		    rule_same(&line.rule, &rule))
			found = true;
		else
			text_put(&t, line.text, line.len);
		if (line.has_rule)
			rule_clear(&line.rule);
	}
	rule_clear(&rule);
	if (found)
		return text_end(&t, newlen);
	free(t.buf);
	return NULL;
}
