/*
 * SPDX-License-Identifier: ISC
 *
 * A whole file of rules into a set: lines, included files in their place,
 * lists, and what a file of the python version would now mean otherwise.
 */
#include <netinet/in.h>

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "log.h"
#include "ruleset.h"
#include "words.h"

/* One file that is being read; those that include it are below it. */
struct file {
	char		*name;
	const char	*text, *end;	/* what is left of it */
	uint32_t	 line;
};

struct ruleset_load {
	struct ruleset			*set;
	const struct passwd_map		*users;
	const struct ruleset_hooks	*hooks;
	unsigned int			 includes;
	struct file			 file[INCLUDE_DEPTH];
	size_t				 nfile;
};

static void	file_push(struct ruleset_load *, const char *, const char *,
		    size_t);

static void
report(const struct ruleset_load *l, const struct file *f, const char *reason,
    enum report class)
{
	l->hooks->report(f->name, f->line, reason, class, l->hooks->arg);
}

static bool
ends_with(const char *word, size_t len, const char *end)
{
	size_t	n = strlen(end);

	return len >= n && strncasecmp(word + len - n, end, n) == 0;
}

/*
 * What is lost when a line is skipped?  Only of an allow can be said that
 * it closes nothing; but two lines that were run together by a missing
 * newline ("tcpdeny ...") or by foreign line ends hold a deny, too.
 */
static enum report
loss(const char *line, size_t len)
{
	static const char	space[] = " \t\r\v\f";
	size_t			i = 0, start;
	bool			first = true;

	while (i < len) {
		while (i < len && strchr(space, line[i]) != NULL)
			i++;
		start = i;
		while (i < len && (line[i] == '\0' ||
		    strchr(space, line[i]) == NULL))
			i++;
		if (ends_with(line + start, i - start, "deny") ||
		    ends_with(line + start, i - start, "drop"))
			return REPORT_CLOSING;
		if (first && (i - start != 5 ||
		    strncasecmp(line + start, "allow", 5) != 0) &&
		    (i - start != 10 ||
		    strncasecmp(line + start, "allow-list", 10) != 0))
			return REPORT_CLOSING;
		first = false;
	}
	return REPORT_BAD;
}

/* A path in a file of rules is relative to that file. */
static int
absolute(const char *file, const char *path, char *buf, size_t size)
{
	const char	*slash = strrchr(file, '/');
	int		 n;

	if (*path == '/' || slash == NULL)
		n = snprintf(buf, size, "%s", path);
	else
		n = snprintf(buf, size, "%.*s/%s", (int)(slash - file), file,
		    path);
	return n < 0 || (size_t)n >= size ? -1 : 0;
}

static bool
is_loop(const struct ruleset_load *l, const char *path)
{
	size_t	i;

	for (i = 0; i < l->nfile; i++)
		if (strcmp(l->file[i].name, path) == 0)
			return true;
	return false;
}

/* The reason why an include is not followed, or NULL. */
static const char *
refuse_include(struct ruleset_load *l, const char *path)
{
	if (is_loop(l, path))
		return "includes itself";
	if (l->nfile == INCLUDE_DEPTH)
		return "too many files within files";
	if (++l->includes > INCLUDE_MAX)
		return "too many included files";
	return NULL;
}

static void
statement_file(struct ruleset_load *l, const struct file *f,
    enum file_kind kind, enum action action, const struct words *w)
{
	char		 path[PATH_MAX], err[RULE_ERR_MAX];
	const char	*text = NULL, *reason;
	enum report	 class = kind == FILE_LIST && action == ACTION_ALLOW ?
			    REPORT_BAD : REPORT_CLOSING;
	size_t		 len = 0;
	int		 got;

	if (w->n != 2 || w->w[1].len == 0) {
		report(l, f, "one file in quotes is needed", class);
		return;
	}
	if (absolute(f->name, w->w[1].text, path, sizeof(path)) == -1) {
		report(l, f, "path is too long", class);
		return;
	}
	if (kind == FILE_INCLUDE && (reason = refuse_include(l, path)) != NULL) {
		report(l, f, reason, class);
		return;
	}
	err[0] = '\0';
	got = l->hooks->wants(kind, path, action, &text, &len, err,
	    sizeof(err), l->hooks->arg);
	if (got == -1)
		report(l, f, err[0] != '\0' ? err : "cannot be read", class);
	if (got == 1 && kind == FILE_INCLUDE)
		file_push(l, path, text, len);
}

/* include "f", deny-list "f" and allow-list "f". */
static bool
is_statement_file(struct ruleset_load *l, const struct file *f,
    const struct words *w)
{
	if (w->w[0].quoted)
		return false;
	if (strcasecmp(w->w[0].text, "include") == 0)
		statement_file(l, f, FILE_INCLUDE, ACTION_DENY, w);
	else if (strcasecmp(w->w[0].text, "deny-list") == 0)
		statement_file(l, f, FILE_LIST, ACTION_DENY, w);
	else if (strcasecmp(w->w[0].text, "allow-list") == 0)
		statement_file(l, f, FILE_LIST, ACTION_ALLOW, w);
	else
		return false;
	return true;
}

static bool
is_one_of(const char *word, size_t len, const char *a, const char *b)
{
	return (len == strlen(a) && memcmp(word, a, len) == 0) ||
	    (len == strlen(b) && memcmp(word, b, len) == 0);
}

static bool
is_digits(const char *word, size_t len)
{
	size_t	i;

	for (i = 0; i < len; i++)
		if (word[i] < '0' || word[i] > '9')
			return false;
	return len > 0;
}

/* Four words that the python version took as a rule. */
static bool
is_python_rule(const char *text, size_t len)
{
	static const char	 space[] = " \t\r\v\f";
	const char		*word[4];
	size_t			 wlen[4], n = 0, i = 0;

	while (i < len) {
		if (text[i] != '\0' && strchr(space, text[i]) != NULL) {
			i++;
			continue;
		}
		if (n == 4)
			return false;
		word[n] = text + i;
		while (i < len && (text[i] == '\0' ||
		    strchr(space, text[i]) == NULL))
			i++;
		wlen[n] = (size_t)(text + i - word[n]);
		n++;
	}
	return n == 4 && is_one_of(word[0], wlen[0], "allow", "deny") &&
	    is_one_of(word[3], wlen[3], "tcp", "udp") &&
	    (is_one_of(word[2], wlen[2], "-", "-") ||
	    is_digits(word[2], wlen[2]));
}

/*
 * The python version took what stands behind the last # as the rule: a rule
 * that is commented out was in force.
 */
static void
changed_comment(const struct ruleset_load *l, const struct file *f,
    const char *line, size_t len)
{
	const char	*hash = memrchr(line, '#', len);

	if (hash == NULL)
		return;
	hash++;
	if (is_python_rule(hash, (size_t)(line + len - hash)))
		report(l, f, "a comment now; the python version took what is "
		    "behind the # as a rule", REPORT_CHANGED);
}

static bool
has_upper(const char *line, size_t len)
{
	size_t	i;

	for (i = 0; i < len; i++)
		if (line[i] >= 'A' && line[i] <= 'Z')
			return true;
	return false;
}

/* Rules that the python version refused or that never matched there. */
static void
changed_rule(const struct ruleset_load *l, const struct file *f,
    const char *line, size_t len, const struct words *w, const struct rule *r)
{
	if (w->n != 4 || r->action == ACTION_DROP ||
	    (r->proto != IPPROTO_TCP && r->proto != IPPROTO_UDP))
		return;
	if (has_upper(line, len))
		report(l, f, "holds in any case now; the python version "
		    "matched lower case alone", REPORT_CHANGED);
	if (r->kind == DST_DOMAIN && name_labels(r->name) > 2)
		report(l, f, "covers the name and all below it now; to the "
		    "python version it never matched", REPORT_CHANGED);
}

static void
add_rule(struct ruleset_load *l, const struct file *f, struct rule *r)
{
	r->file = f->name;
	r->line = f->line;
	if (ruleset_add(l->set, r) == -1) {
		report(l, f, "too many rules: this one and all after it are "
		    "left out", REPORT_CLOSING);
		l->set->overflow = true;
	}
}

static void
load_line(struct ruleset_load *l, const struct file *f, const char *line,
    size_t len)
{
	struct words	w;
	struct rule	r;
	char		err[RULE_ERR_MAX];

	changed_comment(l, f, line, len);
	if (words_split(line, len, &w, err, sizeof(err)) == -1) {
		report(l, f, err, loss(line, len));
		return;
	}
	if (w.n == 0 || is_statement_file(l, f, &w))
		return;
	if (rule_from_words(&w, l->users, &r, err, sizeof(err)) == -1) {
		report(l, f, err, loss(line + w.start, w.end - w.start));
		return;
	}
	changed_rule(l, f, line + w.start, w.end - w.start, &w, &r);
	add_rule(l, f, &r);
	rule_clear(&r);
}

static void
file_push(struct ruleset_load *l, const char *name, const char *text,
    size_t len)
{
	struct file	*f = &l->file[l->nfile++];

	memset(f, 0, sizeof(*f));
	if ((f->name = strdup(name)) == NULL)
		fatal(NULL);
	if (len > RULES_FILE_MAX) {
		report(l, f, "file is too large", REPORT_CLOSING);
		len = 0;
	}
	/* Some editors put a byte order mark in front. */
	if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
		text += 3;
		len -= 3;
	}
	f->text = text;
	f->end = text + len;
}

static void
file_pop(struct ruleset_load *l)
{
	free(l->file[--l->nfile].name);
}

struct ruleset_load *
ruleset_load_begin(struct ruleset *set, const char *name, const char *text,
    size_t len, const struct passwd_map *users,
    const struct ruleset_hooks *hooks)
{
	struct ruleset_load	*l;

	if ((l = calloc(1, sizeof(*l))) == NULL)
		fatal(NULL);
	l->set = set;
	l->users = users;
	l->hooks = hooks;
	file_push(l, name, text, len);
	return l;
}

/* A line may be an include, which puts its file on top. */
bool
ruleset_load_some(struct ruleset_load *l, size_t lines)
{
	struct file	*f;
	const char	*line, *nl;

	while (l->nfile > 0 && !l->set->overflow) {
		f = &l->file[l->nfile - 1];
		if (f->text == f->end) {
			file_pop(l);
			continue;
		}
		if (lines-- == 0)
			return true;
		line = f->text;
		f->line++;
		nl = memchr(line, '\n', (size_t)(f->end - line));
		if (nl == NULL)
			nl = f->end;
		f->text = nl < f->end ? nl + 1 : f->end;
		load_line(l, f, line, (size_t)(nl - line));
	}
	return false;
}

void
ruleset_load_end(struct ruleset_load *l)
{
	while (l->nfile > 0)
		file_pop(l);
	free(l);
}

void
ruleset_load(struct ruleset *set, const char *name, const char *text,
    size_t len, const struct passwd_map *users,
    const struct ruleset_hooks *hooks)
{
	struct ruleset_load	*l;

	l = ruleset_load_begin(set, name, text, len, users, hooks);
	(void)ruleset_load_some(l, SIZE_MAX);
	ruleset_load_end(l);
}
