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
/*
 * Ten thousand rules take tens of milliseconds: they are read, compared and
 * freed in steps of a few microseconds, so many in a turn of the loop as
 * this time holds.  The old ones decide meanwhile.
 */
#define TURN_NS		300000
#define STEP_LINES	16
#define STEP_RULES	16

struct load;

static struct ruleset	*permanent;
static bool		 loaded;	/* permanent was filled once */
static bool		 in_force;	/* and from the text as it is read */
static bool		 wanted;	/* a load is to begin */
static bool		 waits;		/* the last one lacked a file */
static struct load	*loading;
static struct ruleset	*old;		/* what was in force before, or NULL */
static size_t		 compared;	/* rules of permanent, then of old */
static struct event	*load_event;

static void	load_turn(int, short, void *);
static void	load_abort(void);

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

bool
rules_loading(void)
{
	return loading != NULL;
}

static void
turn_soon(void)
{
	static const struct timeval	at_once;

	if (event_add(load_event, &at_once) == -1)
		fatal(NULL);
}

void
rules_again(void)
{
	if (in_force && !waits && loading == NULL)
		return;
	wanted = true;
	turn_soon();
}

/* Something that they are made of is not what it was. */
void
rules_changed(void)
{
	in_force = false;
	load_abort();
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
	char		*text;		/* the rules file with its edits */
	struct ruleset_load *parse;	/* NULL: the file cannot be read */
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

static void
log_rule(const char *what, const struct rule *r)
{
	char	text[RULE_TEXT_MAX];

	if (rule_print(r, text, sizeof(text)) != -1)
		line_info("%s rule %s", what, text);
}

/* "added rule" and "removed rule" lines. */
static void
compare_some(size_t n)
{
	size_t			 now = ruleset_count(permanent);
	const struct rule	*r;

	for (; n > 0; n--, compared++) {
		if (compared < now) {
			r = ruleset_at(permanent, compared);
			if (!ruleset_has(old, r))
				log_rule("added", r);
		} else if ((r = ruleset_at(old, compared - now)) == NULL)
			return;
		else if (!ruleset_has(permanent, r))
			log_rule("removed", r);
	}
}

static bool
is_compared(void)
{
	return old == NULL || compared >= ruleset_count(permanent) +
	    ruleset_count(old);
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
	old = permanent;
	permanent = l->set;
	l->set = NULL;
	slices_keep(list_is_named, l);
	name_files();
	slices_next();		/* one of those dropped may have been loading */
	compared = 0;
	if (!loaded) {
		line_info("loaded %zu rules from %s",
		    ruleset_count(permanent), config.rules);
		compared = SIZE_MAX;
	}
	loaded = in_force = true;
	pending_rematch();
	store_maybe_loaded();
}

static void
load_begin(void)
{
	static struct ruleset_hooks	 hooks = { load_report, load_wants,
					    NULL };
	struct file			*f;
	struct load			*l;
	size_t				 len;

	if ((l = calloc(1, sizeof(*l))) == NULL)
		fatal(NULL);
	loading = l;
	wanted = waits = false;
	for (f = file_first(); f != NULL; f = LIST_NEXT(f, entry))
		f->naming = false;
	l->set = store_ruleset(false);
	f = store_rules_file();
	if (f->err != 0) {
		l->unreadable = true;
		line_error("%s: %s", config.rules, strerror((int)f->err));
		return;
	}
	l->text = change_text(&len);
	hooks.arg = l;
	l->parse = ruleset_load_begin(l->set, config.rules, l->text, len,
	    store_passwd(), &hooks);
}

/* The rules of one that is thrown away are freed bit by bit, like old ones. */
static void
load_free(struct load *l)
{
	if (l->parse != NULL)
		ruleset_load_end(l->parse);
	while (l->nreport > 0)
		free(l->report[--l->nreport].text);
	free(l->report);
	if (l->set != NULL && old == NULL) {
		old = l->set;
		compared = SIZE_MAX;
		turn_soon();
	} else
		ruleset_free(l->set);
	free(l->text);
	free(l);
}

static void
load_abort(void)
{
	if (loading != NULL)
		load_free(loading);
	loading = NULL;
}

/*
 * A reload that cannot read a file, or that lost a line which closes
 * something, changes nothing; the first load takes what there is.
 */
static void
load_done(void)
{
	struct load	*l = loading;

	loading = NULL;
	if (l->waits)
		waits = true;
	else if (loaded && (l->unreadable || l->closing)) {
		load_log(l);
		line_error("%s: the rules stay as they were", config.rules);
	} else {
		load_log(l);
		load_install(l);
	}
	load_free(l);
}

/* Some microseconds of work; false when there is none left. */
static bool
load_step(void)
{
	if (loading != NULL) {
		if (loading->parse == NULL ||
		    !ruleset_load_some(loading->parse, STEP_LINES))
			load_done();
		return true;
	}
	if (!is_compared()) {
		compare_some(STEP_RULES);
		return true;
	}
	if (old != NULL) {
		if (!ruleset_free_some(old, STEP_RULES))
			old = NULL;
		return true;
	}
	/* User names are needed for uid=; the first answer brings them. */
	if (!wanted || !store_rules_file()->seen ||
	    !file_get(FILE_PASSWD, 0, "")->seen)
		return false;
	load_begin();
	return true;
}

/* Nobody waits for a verdict before the first load. */
static void
load_turn(int fd, short what, void *arg)
{
	uint64_t	until = now_mono() + TURN_NS;

	(void)fd;
	(void)what;
	(void)arg;
	while (load_step())
		if (loaded && now_mono() >= until) {
			turn_soon();
			return;
		}
}

/* The line that a rule at the end of the file is in. */
static uint32_t
last_line(void)
{
	size_t		 len;
	char		*text = change_text(&len), *nl = text;
	uint32_t	 n = 0;

	while ((nl = memchr(nl, '\n', len - (size_t)(nl - text))) != NULL) {
		n++;
		nl++;
	}
	free(text);
	return n;
}

static void
rule_added(const struct rule *r)
{
	const struct rule	*before;
	char			 was[RULE_TEXT_MAX], is[RULE_TEXT_MAX];

	before = ruleset_find(permanent, r, config.rules);
	if (before == NULL || rule_print(before, was, sizeof(was)) == -1)
		was[0] = '\0';
	if (rule_print(r, is, sizeof(is)) == -1 || strcmp(was, is) == 0)
		return;
	if (was[0] != '\0')
		line_info("removed rule %s", was);
	if (ruleset_edit_add(permanent, r, config.rules, last_line()) == -1)
		line_error("too many rules");
	else
		line_info("added rule %s", is);
}

/*
 * An edit of the text takes effect at once, in the rules as they are: while
 * the file is broken its last good ones.
 */
void
rules_edited(bool add, const struct rule *r)
{
	while (!is_compared())
		compare_some(STEP_RULES);
	if (add)
		rule_added(r);
	else {
		log_rule("removed", r);
		ruleset_edit_delete(permanent, r, config.rules);
	}
	if (loading != NULL) {		/* it has not seen this one */
		load_abort();
		wanted = true;
		turn_soon();
	}
	pending_rematch();
}
