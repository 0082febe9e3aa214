/*
 * SPDX-License-Identifier: ISC
 *
 * The permanent rules: from the text of the rules file with the changes that
 * are not written yet (change.c), the files it includes and the lists it
 * names.  A load is installed, or thrown away, as a whole.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "ruled.h"

#define REPORTS_MAX	1000	/* of one load; the rest is counted */

static struct ruleset	*permanent;
static bool		 loaded;	/* permanent was filled once */
static bool		 in_force;	/* and from the text as it is read */
static struct event	*load_event;

static void	load_turn(int, short, void *);

void
rules_init(void)
{
	permanent = store_ruleset(false);
	load_event = store_timer(load_turn);
}

const struct ruleset *
rules_permanent(void)
{
	return permanent;
}

bool
rules_loaded(void)
{
	return loaded;
}

void
rules_again(void)
{
	event_active(load_event, 0, 0);
}

/* Something that they are made of is not what it was. */
void
rules_changed(void)
{
	in_force = false;
	rules_again();
}

/* A bad line, kept until it is sure that the load counts. */
struct bad_line {
	char		*text;
	enum report	 class;
};

/* What a load of the rules found; installed or thrown away as a whole. */
struct load {
	struct ruleset	*set;
	struct bad_line	*report;
	size_t		 nreport, more;
	bool		 waits;		/* for a file that is being opened */
	bool		 unreadable;
	bool		 closing;	/* a deny or drop was lost */
	struct list_key {
		enum action	 action;
		const char	*path;
	}		 list[LISTS_MAX];
	size_t		 nlist;
};

static void
load_report(const char *file, uint32_t line, const char *reason,
    enum report class, void *arg)
{
	struct load	*l = arg;
	struct bad_line	*r;

	if (class == REPORT_CLOSING)
		l->closing = true;
	if (l->nreport == REPORTS_MAX) {
		l->more++;
		return;
	}
	l->report = reallocarray(l->report, l->nreport + 1,
	    sizeof(*l->report));
	if (l->report == NULL)
		fatal(NULL);
	r = &l->report[l->nreport++];
	r->class = class;
	if (asprintf(&r->text, "%s:%" PRIu32 ": %s", file, line, reason) == -1)
		fatal(NULL);
}

static int
load_wants(enum file_kind kind, const char *path, enum action action,
    const char **text, size_t *len, char *err, size_t errsize, void *arg)
{
	struct load	*l = arg;
	struct file	*f = file_get(kind, 0, path);

	if (kind == FILE_LIST && f->naming && f->action != action) {
		(void)snprintf(err, errsize, "%s: denied and allowed", path);
		return -1;
	}
	if (kind == FILE_LIST && !f->naming && l->nlist == LISTS_MAX) {
		(void)snprintf(err, errsize, "more than %d lists", LISTS_MAX);
		return -1;
	}
	if (kind == FILE_LIST && !f->naming) {
		l->list[l->nlist].action = action;
		l->list[l->nlist++].path = f->path;
	}
	if (kind == FILE_LIST && f->seen && f->action != action)
		f->seen = false;	/* another list now: to be loaded */
	f->naming = true;
	f->action = action;
	if (!f->seen) {
		file_want(f);
		l->waits = true;
		return 0;
	}
	if (f->err != 0) {
		(void)snprintf(err, errsize, "%s: %s", path,
		    strerror((int)f->err));
		l->unreadable = true;
		return -1;
	}
	*text = f->text;
	*len = f->len;
	return 1;
}

static void
load_log(const struct load *l)
{
	size_t	i;

	for (i = 0; i < l->nreport; i++)
		if (l->report[i].class == REPORT_CHANGED)
			line_info("%s", l->report[i].text);
		else
			line_error("%s", l->report[i].text);
	if (l->more > 0)
		line_error("%zu more bad lines", l->more);
}

static int
text_cmp(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static char **
texts_of(const struct ruleset *s, size_t *n)
{
	char	buf[RULE_TEXT_MAX], **text;
	size_t	i;

	*n = ruleset_count(s);
	if ((text = calloc(*n + 1, sizeof(*text))) == NULL)
		fatal(NULL);
	for (i = 0; i < *n; i++) {
		if (rule_print(ruleset_at(s, i), buf, sizeof(buf)) == -1)
			buf[0] = '\0';
		if ((text[i] = strdup(buf)) == NULL)
			fatal(NULL);
	}
	qsort(text, *n, sizeof(*text), text_cmp);
	return text;
}

static void
texts_free(char **text, size_t n)
{
	while (n > 0)
		free(text[--n]);
	free(text);
}

/* "added rule" and "removed rule" lines, by comparing sorted texts. */
static void
log_difference(const struct ruleset *old, const struct ruleset *new)
{
	size_t	 nold, nnew, i = 0, j = 0;
	char	**was = texts_of(old, &nold), **is = texts_of(new, &nnew);
	int	 cmp;

	while (i < nold || j < nnew) {
		cmp = i == nold ? 1 : j == nnew ? -1 : strcmp(was[i], is[j]);
		if (cmp < 0)
			line_info("removed rule %s", was[i++]);
		else if (cmp > 0)
			line_info("added rule %s", is[j++]);
		else
			i++, j++;
	}
	texts_free(was, nold);
	texts_free(is, nnew);
}

static bool
list_is_named(enum action action, const char *path, void *arg)
{
	const struct load	*l = arg;
	size_t			 i;

	for (i = 0; i < l->nlist; i++)
		if (l->list[i].action == action &&
		    strcmp(l->list[i].path, path) == 0)
			return true;
	return false;
}

/*
 * Files that no rule names any longer are forgotten: named again one day,
 * they are read again.
 */
static void
name_files(void)
{
	struct file	*f, *next;

	for (f = file_first(); f != NULL; f = next) {
		next = LIST_NEXT(f, entry);
		f->named = f->naming;
		if ((f->kind == FILE_INCLUDE || f->kind == FILE_LIST) &&
		    !f->named)
			file_drop(f);
	}
}

static void
load_install(struct load *l)
{
	struct ruleset	*old = permanent;

	permanent = l->set;
	l->set = NULL;
	slices_keep(list_is_named, l);
	name_files();
	slices_next();		/* one of those dropped may have been loading */
	if (loaded)
		log_difference(old, permanent);
	else
		line_info("loaded %zu rules from %s",
		    ruleset_count(permanent), config.rules);
	loaded = in_force = true;
	ruleset_free(old);
	pending_rematch();
	store_maybe_loaded();
}

static void
load_run(struct load *l)
{
	struct ruleset_hooks	 hooks = { load_report, load_wants, l };
	struct file		*f;
	char			*text;
	size_t			 len;

	for (f = file_first(); f != NULL; f = LIST_NEXT(f, entry))
		f->naming = false;
	l->set = store_ruleset(false);
	f = store_rules_file();
	if (f->err != 0) {
		l->unreadable = true;
		line_error("%s: %s", config.rules, strerror((int)f->err));
		return;
	}
	text = change_text(&len);
	ruleset_load(l->set, config.rules, text, len, store_passwd(),
	    &hooks);
	free(text);
}

static void
load_clear(struct load *l)
{
	while (l->nreport > 0)
		free(l->report[--l->nreport].text);
	free(l->report);
	if (l->set != NULL)
		ruleset_free(l->set);
}

/*
 * A reload that cannot read a file, or that lost a line which closes
 * something, changes nothing; the first load takes what there is.  False if
 * what is in force is not the text with its edits.
 */
static bool
rules_load(void)
{
	struct load	l;
	bool		installed = false;

	memset(&l, 0, sizeof(l));
	load_run(&l);
	if (l.waits)
		goto out;
	if (loaded && !in_force && (l.unreadable || l.closing)) {
		load_log(&l);
		line_error("%s: the rules stay as they were", config.rules);
		goto out;
	}
	if (!in_force)		/* not once more for every edit */
		load_log(&l);
	load_install(&l);
	installed = true;
out:
	load_clear(&l);
	return installed;
}

static void
load_turn(int fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	/* User names are needed for uid=; the first answer brings them. */
	if (store_rules_file()->seen && file_get(FILE_PASSWD, 0, "")->seen)
		(void)rules_load();
}


/*
 * An edit of the text takes effect.  While the file is broken its last good
 * rules are in force; the edit goes into both.
 */
void
rules_edited(bool add, const struct rule *r)
{
	if (rules_load())
		return;
	if (add) {
		(void)ruleset_replace(permanent, r);
		if (ruleset_add(permanent, r) == -1)
			line_error("too many rules");
	} else
		(void)ruleset_delete(permanent, r);
	pending_rematch();
}
