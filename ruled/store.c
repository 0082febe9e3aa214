/*
 * SPDX-License-Identifier: ISC
 *
 * What ruled's files contain and what is in force.
 *
 * The rules file is a person's text.  What we change in it is a list of
 * edits, applied to the text as it was last read: in force at once, then
 * committed.  When somebody else wrote the file meanwhile the commit comes
 * back ESTALE, or the change is seen first; the edits are then applied to
 * the new text, so neither side's work is lost.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "ruled.h"

#define NAMES_SAVE_S	600	/* seconds between two saves of the names */
#define LIST_SLICE	(32 * 1024)
#define REPORTS_MAX	1000	/* of one load; the rest is counted */
#define RESOLV_PARTS	2

struct edit {
	TAILQ_ENTRY(edit) entry;
	bool		 add;
	bool		 sent;		/* part of the commit on its way */
	char		 rule[RULE_TEXT_MAX];
	char		*remark;
	store_done	*done;
	void		*arg;
};

/* A bad line, kept until it is sure that the load counts. */
struct bad_line {
	char		*text;
	enum report	 class;
};

static struct ruleset	*permanent, *temporary;
static struct lists	*lists;
static struct passwd_map *passwd;
static struct addr	 resolvers[RESOLV_PARTS][RESOLVERS_MAX];
static size_t		 nresolvers[RESOLV_PARTS];
static bool		 loaded;	/* permanent was filled once */
static bool		 in_force;	/* and from the text as it is read */
static bool		 temporary_loaded;
static uint8_t		 secret[16];
static TAILQ_HEAD(, edit) edits = TAILQ_HEAD_INITIALIZER(edits);
static struct list_load	*loading;
static struct file	*loading_file;
static bool		 names_dirty, stopping, names_loaded;
static struct event	*rebuild_event, *slice_event, *expiry_event;
static struct event	*names_event;

static void	rebuild(int, short, void *);
static void	slice(int, short, void *);
static void	expiry(int, short, void *);
static void	names_save_due(int, short, void *);

static struct event *
timer_new(event_callback_fn fn)
{
	struct event	*ev;

	if ((ev = event_new(ruled_base(), -1, 0, fn, NULL)) == NULL)
		fatal(NULL);
	return ev;
}

static struct ruleset *
ruleset_new_keyed(bool newest_first)
{
	struct ruleset	*s = ruleset_new(newest_first);

	ruleset_key(s, secret);
	return s;
}

void
store_init(void)
{
	arc4random_buf(secret, sizeof(secret));
	permanent = ruleset_new_keyed(false);
	temporary = ruleset_new_keyed(true);
	if ((lists = lists_new()) == NULL)
		fatal(NULL);
	lists_key(lists, secret);
	rebuild_event = timer_new(rebuild);
	slice_event = timer_new(slice);
	expiry_event = timer_new(expiry);
	names_event = timer_new(names_save_due);
}

const struct ruleset *
store_permanent(void)
{
	return permanent;
}

const struct ruleset *
store_temporary(void)
{
	return temporary;
}

const struct lists *
store_lists(void)
{
	return lists;
}

const struct passwd_map *
store_passwd(void)
{
	return passwd;
}

const char *
store_user(uint32_t uid, char number[16])
{
	const char	*name = NULL;

	if (passwd != NULL && (name = passwd_name(passwd, uid)) != NULL)
		return name;
	(void)snprintf(number, 16, "%" PRIu32, uid);
	return number;
}

static void
maybe_loaded(void)
{
	if (loaded && names_loaded && !files_busy() && loading == NULL)
		ruled_loaded();
}

static void
maybe_stopped(void)
{
	if (stopping && !files_committing())
		ruled_stopped();
}

/* The permanent rules. */

static struct file *
rules_file(void)
{
	return file_get(FILE_RULES, 0, config.rules);
}

/* The text on disk with what is not there yet; the caller frees it. */
static char *
rules_text(size_t *len)
{
	struct file	*f = rules_file();
	struct edit	*e;
	char		*text, *next;

	if ((text = malloc(f->len + 1)) == NULL)
		fatal(NULL);
	if (f->len > 0)
		memcpy(text, f->text, f->len);
	text[f->len] = '\0';
	*len = f->len;
	TAILQ_FOREACH(e, &edits, entry) {
		next = e->add ? edit_add(text, *len, e->rule, passwd, len) :
		    edit_delete(text, *len, e->rule, passwd, len);
		if (next == NULL)	/* gone already: nothing to delete */
			continue;
		free(text);
		text = next;
	}
	return text;
}

static void
rules_commit(void)
{
	struct edit	*e;
	char		*text;
	size_t		 len;

	if (TAILQ_EMPTY(&edits))
		return;
	text = rules_text(&len);
	files_commit(FILE_RULES, text, len);
	TAILQ_FOREACH(e, &edits, entry)
		e->sent = true;
	free(text);
}

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

	f->action = action;
	if (kind == FILE_LIST && l->nlist < LISTS_MAX) {
		l->list[l->nlist].action = action;
		l->list[l->nlist++].path = f->path;
	}
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

static void
load_install(struct load *l)
{
	struct ruleset	*old = permanent;

	permanent = l->set;
	l->set = NULL;
	lists_keep(lists, list_is_named, l);
	if (loaded)
		log_difference(old, permanent);
	else
		line_info("loaded %zu rules from %s",
		    ruleset_count(permanent), config.rules);
	loaded = in_force = true;
	ruleset_free(old);
	pending_rematch();
	maybe_loaded();
}

static void
load_run(struct load *l)
{
	struct ruleset_hooks	 hooks = { load_report, load_wants, l };
	struct file		*f = rules_file();
	char			*text;
	size_t			 len;

	l->set = ruleset_new_keyed(false);
	if (f->err != 0) {
		l->unreadable = true;
		line_error("%s: %s", config.rules, strerror((int)f->err));
		return;
	}
	text = rules_text(&len);
	ruleset_load(l->set, config.rules, text, len, passwd, &hooks);
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
rebuild_now(void)
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
rebuild(int fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	/* User names are needed for uid=; the first answer brings them. */
	if (rules_file()->seen && file_get(FILE_PASSWD, 0, "")->seen)
		(void)rebuild_now();
}

/* Lists load in slices, so that packets are judged in between. */

static void
slice_next(void)
{
	static const struct timeval	 at_once;
	struct file			*f;

	if (loading != NULL)
		return;
	for (f = file_first(); f != NULL; f = LIST_NEXT(f, entry))
		if (f->kind == FILE_LIST && f->fd != -1)
			break;
	if (f == NULL)
		return;
	loading_file = f;
	loading = list_load_begin(lists, f->action, f->path);
	if (loading == NULL) {
		line_error("%s: more than %d lists", f->path, LISTS_MAX);
		(void)close(f->fd);
		f->fd = -1;
		return;
	}
	if (event_add(slice_event, &at_once) == -1)
		fatal(NULL);
}

static void
slice_done(void)
{
	const struct list	*l;

	(void)close(loading_file->fd);
	loading_file->fd = -1;
	l = list_load_commit(loading);
	loading = NULL;
	line_info("loaded %zu entries from %s, %zu lines skipped", l->count,
	    l->file, l->skipped);
	pending_rematch();
	slice_next();
	maybe_loaded();
}

static void
slice(int fd, short what, void *arg)
{
	static const struct timeval	at_once;
	static char			buf[LIST_SLICE];
	ssize_t				n;

	(void)fd;
	(void)what;
	(void)arg;
	if ((n = read(loading_file->fd, buf, sizeof(buf))) > 0) {
		list_load_some(loading, buf, (size_t)n);
		if (event_add(slice_event, &at_once) == -1)
			fatal(NULL);
		return;
	}
	if (n == -1) {
		line_error("%s: %s; the list stays as it was",
		    loading_file->path, strerror(errno));
		list_load_abort(loading);
		loading = NULL;
		(void)close(loading_file->fd);
		loading_file->fd = -1;
		slice_next();
		maybe_loaded();
		return;
	}
	slice_done();
}

/* Temporary rules: their end in CLOCK_BOOTTIME ns before each in the text. */

static void
temporary_commit(void)
{
	char	 rule[RULE_TEXT_MAX], *text = NULL;
	size_t	 i, len = 0, n = ruleset_count(temporary);
	int	 r;

	if ((text = malloc(n * (RULE_TEXT_MAX + 24) + 1)) == NULL)
		fatal(NULL);
	text[0] = '\0';
	for (i = 0; i < n; i++) {
		if (rule_print(ruleset_at(temporary, i), rule,
		    sizeof(rule)) == -1)
			continue;
		r = snprintf(text + len, RULE_TEXT_MAX + 24, "%" PRIu64
		    " %s\n", ruleset_at(temporary, i)->expires, rule);
		if (r > 0)
			len += (size_t)r;
	}
	files_commit(FILE_TEMPORARY, text, len);
	free(text);
}

static void
expiry_arm(void)
{
	uint64_t	next = ruleset_next_expiry(temporary), now, ms;
	struct timeval	tv;

	(void)event_del(expiry_event);
	if (next == 0)
		return;
	now = now_boot();
	ms = next > now ? (next - now) / 1000000 + 1 : 0;
	tv.tv_sec = (time_t)(ms / 1000);
	tv.tv_usec = (suseconds_t)(ms % 1000 * 1000);
	if (event_add(expiry_event, &tv) == -1)
		fatal(NULL);
}

static void
expired(const struct rule *r, void *arg)
{
	char	text[RULE_TEXT_MAX];

	(void)arg;
	if (rule_print(r, text, sizeof(text)) != -1)
		line_info("expired rule %s", text);
}

static void
expiry(int fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	if (ruleset_expire(temporary, now_boot(), expired, NULL) > 0)
		temporary_commit();
	expiry_arm();
}

static void
temporary_load_line(char *line)
{
	char		 err[RULE_ERR_MAX], *space = strchr(line, ' ');
	const char	*bad;
	struct rule	 r;

	if (space == NULL)
		return;
	*space = '\0';
	if (rule_parse(space + 1, strlen(space + 1), passwd, &r, err,
	    sizeof(err)) == -1) {
		line_error("temporary rule \"%s\": %s", space + 1, err);
		return;
	}
	r.expires = (uint64_t)strtonum(line, 1, INT64_MAX, &bad);
	if (bad == NULL && ruleset_add(temporary, &r) == -1)
		line_error("too many temporary rules");
	rule_clear(&r);
}

/* Once, when both they and the users that they may name are known. */
static void
temporary_load(void)
{
	struct file	*f = file_get(FILE_TEMPORARY, 0, "");
	char		*line, *rest = f->text;

	if (rest == NULL || passwd == NULL || temporary_loaded)
		return;
	temporary_loaded = true;
	while ((line = strsep(&rest, "\n")) != NULL)
		temporary_load_line(line);
	expiry_arm();
}

/* Names. */

static void
names_commit(void)
{
	char	*text;
	size_t	 len;

	len = names_save(judge_names_table(), now_boot(), &text);
	if (text == NULL)
		fatal(NULL);
	names_dirty = false;
	files_commit(FILE_NAMES, text, len);
	free(text);
}

static void
names_save_due(int fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	if (names_dirty)
		names_commit();
}

void
store_names_changed(void)
{
	static const struct timeval	later = { NAMES_SAVE_S, 0 };

	names_dirty = true;
	if (!event_pending(names_event, EV_TIMEOUT, NULL) &&
	    event_add(names_event, &later) == -1)
		fatal(NULL);
}

static void
names_load_once(struct file *f)
{
	int	bad;

	if (names_loaded)
		return;
	names_loaded = true;
	if (f->text == NULL)
		return;
	bad = names_load(judge_names_table(), f->text, f->len, now_boot());
	if (bad > 0)
		line_error("%s: %d lines are no names; skipped", config.names,
		    bad);
	free(f->text);
	f->text = NULL;
	f->len = 0;
}

/* Resolvers: resolv.conf(5), of which only nameserver lines matter. */

static void
resolvers_parse(struct file *f)
{
	struct addr	 a;
	char		*line, *rest = f->text, *word;

	nresolvers[f->part] = 0;
	while ((line = strsep(&rest, "\n")) != NULL) {
		if (strncmp(line, "nameserver", 10) != 0)
			continue;
		word = line + 10 + strspn(line + 10, " \t");
		word[strcspn(word, " \t\r%#;")] = '\0';
		if (nresolvers[f->part] < RESOLVERS_MAX &&
		    addr_parse(word, &a) == 0)
			resolvers[f->part][nresolvers[f->part]++] = a;
	}
}

bool
store_is_resolver(const struct addr *a)
{
	size_t	part, i;

	if (!config.resolver_auto) {
		for (i = 0; i < config.nresolver; i++)
			if (addr_eq(&config.resolver[i], a))
				return true;
		return false;
	}
	for (part = 0; part < RESOLV_PARTS; part++)
		for (i = 0; i < nresolvers[part]; i++)
			if (addr_eq(&resolvers[part][i], a))
				return true;
	return false;
}

/* Files that came. */

void
store_arrived(struct file *f, bool changed)
{
	switch (f->kind) {
	case FILE_RULES:
	case FILE_INCLUDE:
		if (!changed)
			break;
		in_force = false;
		event_active(rebuild_event, 0, 0);
		rules_commit();		/* unwritten edits, on the new text */
		break;
	case FILE_PASSWD:
		if (f->text == NULL)
			break;
		passwd_free(passwd);
		passwd = passwd_parse(f->text, f->len);
		temporary_load();
		event_active(rebuild_event, 0, 0);
		break;
	case FILE_LIST:
		event_active(rebuild_event, 0, 0);
		slice_next();
		break;
	case FILE_TEMPORARY:
		temporary_load();
		break;
	case FILE_NAMES:
		names_load_once(f);
		break;
	case FILE_RESOLVERS:
		if (f->text != NULL && f->err == 0)
			resolvers_parse(f);
		break;
	default:
		break;
	}
	maybe_loaded();
}

static void
edits_settle(uint32_t err)
{
	struct edit	*e, *next;
	char		 text[PATH_MAX + 128];

	if (err != 0) {
		(void)snprintf(text, sizeof(text), "%s: %s; not written, in "
		    "force until the next start", config.rules,
		    strerror((int)err));
		line_error("%s", text);
	}
	TAILQ_FOREACH_SAFE(e, &edits, entry, next) {
		if (!e->sent)
			continue;
		e->sent = false;
		if (e->done != NULL)
			e->done(err != 0 ? text : NULL, e->remark, e->arg);
		e->done = NULL;
		if (err != 0)	/* tried again with the next edit */
			continue;
		TAILQ_REMOVE(&edits, e, entry);
		free(e->remark);
		free(e);
	}
}

void
store_committed(enum file_kind kind, uint32_t err)
{
	struct file	*f = rules_file();
	struct edit	*e;
	char		*text;
	size_t		 len;

	if (kind == FILE_RULES && err == ESTALE) {
		TAILQ_FOREACH(e, &edits, entry)
			e->sent = false;
		file_want(f);
		return;
	}
	if (kind == FILE_RULES) {
		if (err == 0) {	/* what is on disk now is what we hold */
			text = rules_text(&len);
			free(f->text);
			f->text = text;
			f->len = len;
		}
		edits_settle(err);
	} else if (kind == FILE_NAMES && err == ESTALE) {
		file_want(file_get(FILE_NAMES, 0, config.names));
		names_dirty = true;
	} else if (err != 0)
		line_error("%s: %s", kind == FILE_NAMES ? config.names :
		    "temporary rules", strerror((int)err));
	maybe_stopped();
}

/* Changes. */

static void
edit_queue(bool add, const struct rule *r, const char *text,
    store_done *done, void *arg)
{
	const struct rule	*shadow;
	struct edit		*e;
	char			 remark[PATH_MAX + 64];

	shadow = add ? ruleset_shadow(permanent, r) : NULL;
	if ((e = calloc(1, sizeof(*e))) == NULL)
		fatal(NULL);
	e->add = add;
	(void)strlcpy(e->rule, text, sizeof(e->rule));
	e->done = done;
	e->arg = arg;
	if (shadow != NULL) {
		(void)snprintf(remark, sizeof(remark), "has no effect: %s:%"
		    PRIu32 " comes first", shadow->file != NULL ?
		    shadow->file : config.rules, shadow->line);
		if ((e->remark = strdup(remark)) == NULL)
			fatal(NULL);
	}
	TAILQ_INSERT_TAIL(&edits, e, entry);
	/*
	 * While the file is broken its last good rules are in force; the edit
	 * goes into both.
	 */
	if (!rebuild_now()) {
		if (add && ruleset_add(permanent, r) == -1)
			line_error("too many rules");
		else if (!add)
			(void)ruleset_delete(permanent, r);
		pending_rematch();
	}
	rules_commit();
}

void
store_add(const struct rule *r, uint32_t seconds, store_done *done, void *arg)
{
	char		text[RULE_TEXT_MAX];
	struct rule	copy = *r;

	if (rule_print(r, text, sizeof(text)) == -1) {
		if (done != NULL)
			done("rule too long", NULL, arg);
		return;
	}
	if (seconds == 0) {
		edit_queue(true, r, text, done, arg);
		return;
	}
	copy.expires = now_boot() + seconds * 1000000000ULL;
	(void)ruleset_replace(temporary, &copy);
	if (ruleset_add(temporary, &copy) == -1) {
		line_error("too many temporary rules");
		if (done != NULL)
			done("too many temporary rules", NULL, arg);
		return;
	}
	line_info("added rule %s for %" PRIu32 " seconds", text, seconds);
	temporary_commit();
	expiry_arm();
	pending_rematch();
	if (done != NULL)
		done(NULL, NULL, arg);
}

static bool
is_permanent(const char *text)
{
	char	*now, *without;
	size_t	 len, n;

	now = rules_text(&len);
	without = edit_delete(now, len, text, passwd, &n);
	free(now);
	free(without);
	return without != NULL;
}

void
store_delete(const struct rule *r, store_done *done, void *arg)
{
	char		text[RULE_TEXT_MAX];
	const char	*error = NULL;

	if (rule_print(r, text, sizeof(text)) == -1)
		error = "rule too long";
	else if (ruleset_delete(temporary, r)) {
		line_info("removed rule %s", text);
		temporary_commit();
		expiry_arm();
		pending_rematch();
	} else if (is_permanent(text)) {
		edit_queue(false, r, text, done, arg);
		return;
	} else
		error = "no such rule";
	if (done != NULL)
		done(error, NULL, arg);
}

void
store_forget(const void *arg)
{
	struct edit	*e;

	TAILQ_FOREACH(e, &edits, entry)
		if (e->arg == arg)
			e->done = NULL;
}

void
store_reload(void)
{
	struct file	*f;

	for (f = file_first(); f != NULL; f = LIST_NEXT(f, entry))
		if (f->kind != FILE_TEMPORARY && f->kind != FILE_NAMES)
			file_want(f);
}

void
store_stop(void)
{
	stopping = true;
	if (names_dirty)
		names_commit();
	rules_commit();
	maybe_stopped();
}
