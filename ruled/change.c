/*
 * SPDX-License-Identifier: ISC
 *
 * Changes of the rules by answers and control clients.
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

#include "log.h"
#include "ruled.h"

#define RETRY_MS	100

struct edit {
	TAILQ_ENTRY(edit) entry;
	bool		 add;
	bool		 sent;		/* part of the commit on its way */
	bool		 failed;	/* tried again with the next one */
	char		 rule[RULE_TEXT_MAX];
	char		*remark;
	change_done	*done;
	void		*arg;
};

/* A client that waits until the parent keeps its temporary rule, too. */
struct waiter {
	TAILQ_ENTRY(waiter) entry;
	change_done	*done;
	void		*arg;
};

static TAILQ_HEAD(, edit) edits = TAILQ_HEAD_INITIALIZER(edits);
static TAILQ_HEAD(, waiter) waiters = TAILQ_HEAD_INITIALIZER(waiters);
static char	*sent_text;	/* of the commit on its way, or NULL */
static size_t	 sent_len;
static bool	 refused;	/* the last one, as the file is in use */
static struct event *retry_event;

static char *
edit_apply(const struct edit *e, const char *text, size_t len, size_t *newlen)
{
	if (e->add)
		return edit_add(text, len, e->rule, store_passwd(), newlen);
	return edit_delete(text, len, e->rule, store_passwd(), newlen);
}

char *
change_text(size_t *len)
{
	struct file	*f = store_rules_file();
	struct edit	*e;
	char		*text, *next;
	size_t		 n;

	if ((text = malloc(f->len + 1)) == NULL)
		fatal(NULL);
	if (f->len > 0)
		memcpy(text, f->text, f->len);
	text[f->len] = '\0';
	*len = f->len;
	TAILQ_FOREACH(e, &edits, entry) {
		/* Gone already: nothing to delete. */
		if ((next = edit_apply(e, text, *len, &n)) == NULL)
			continue;
		free(text);
		text = next;
		*len = n;
	}
	return text;
}

static void
retry(int fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	refused = false;
	change_commit();
}

/*
 * The rules file was read.  The same text after a commit that came back: an
 * editor holds the file open and has not written yet.  That may last, and
 * each try costs the disk.
 */
void
change_arrived(bool changed)
{
	static const struct timeval	later = { 0, RETRY_MS * 1000 };

	if (changed || !refused) {
		refused = false;
		change_commit();
		return;
	}
	if (retry_event == NULL)
		retry_event = store_timer(retry);
	if (!event_pending(retry_event, EV_TIMEOUT, NULL) &&
	    event_add(retry_event, &later) == -1)
		fatal(NULL);
}

void
change_commit(void)
{
	struct edit	*e;

	/* One commit at a time: later edits need what it leaves behind. */
	if (TAILQ_EMPTY(&edits) || sent_text != NULL)
		return;
	TAILQ_FOREACH(e, &edits, entry)
		e->sent = true;
	sent_text = change_text(&sent_len);
	files_commit(FILE_RULES, sent_text, sent_len);
}

/* Is there one that is to be sent with the next commit? */
static bool
is_unsent(void)
{
	struct edit	*e;

	TAILQ_FOREACH(e, &edits, entry)
		if (!e->sent && !e->failed)
			return true;
	return false;
}

bool
change_unwritten(void)
{
	return sent_text != NULL || is_unsent();
}

void
change_give_up(void)
{
	struct edit	*e;

	TAILQ_FOREACH(e, &edits, entry) {
		if (e->failed)
			continue;
		line_error("%s: in use until the end; not %s: %s",
		    config.rules, e->add ? "added" : "deleted", e->rule);
		e->failed = true;
	}
	free(sent_text);
	sent_text = NULL;
}

static void
edit_free(struct edit *e)
{
	TAILQ_REMOVE(&edits, e, entry);
	free(e->remark);
	free(e);
}

/* Those that were sent are done, or have failed. */
static void
settle(uint32_t err)
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
		e->failed = err != 0;
		if (e->done != NULL)
			e->done(err != 0 ? text : NULL, e->remark, e->arg);
		e->done = NULL;
		if (err == 0)
			edit_free(e);
	}
}

void
change_committed(uint32_t err)
{
	struct file	*f = store_rules_file();
	struct edit	*e;

	if (err == ESTALE) {
		TAILQ_FOREACH(e, &edits, entry)
			e->sent = false;
		refused = true;
		file_want(f);		/* change_arrived() when it is here */
	} else if (err == 0) {
		free(f->text);		/* what is on disk is what we hold */
		f->text = sent_text;
		f->len = sent_len;
		f->err = 0;
		sent_text = NULL;
	}
	free(sent_text);
	sent_text = NULL;
	if (err == ESTALE)
		return;
	settle(err);
	if (is_unsent())
		change_commit();
}

static char *
remark_of(const struct rule *r)
{
	const struct rule	*shadow = ruleset_shadow(rules_permanent(), r);
	char			*remark;

	if (shadow == NULL)
		return NULL;
	if (asprintf(&remark, "has no effect: %s:%" PRIu32 " comes first",
	    shadow->file != NULL ? shadow->file : config.rules,
	    shadow->line) == -1)
		fatal(NULL);
	return remark;
}

static void
edit_queue(bool add, const struct rule *r, const char *text,
    change_done *done, void *arg)
{
	struct edit	*e;

	if ((e = calloc(1, sizeof(*e))) == NULL)
		fatal(NULL);
	e->add = add;
	(void)strlcpy(e->rule, text, sizeof(e->rule));
	e->done = done;
	e->arg = arg;
	if (add)
		e->remark = remark_of(r);
	TAILQ_INSERT_TAIL(&edits, e, entry);
	rules_edited(add, r);
	change_commit();
}

static void
wait_temporary(change_done *done, void *arg)
{
	struct waiter	*w;

	if (done == NULL)
		return;
	if ((w = calloc(1, sizeof(*w))) == NULL)
		fatal(NULL);
	w->done = done;
	w->arg = arg;
	TAILQ_INSERT_TAIL(&waiters, w, entry);
}

/* What was said to be done is there after a restart of this process, too. */
void
change_temporary_committed(uint32_t err)
{
	struct waiter	*w;
	char		 text[128];

	(void)snprintf(text, sizeof(text), "temporary rules: %s",
	    strerror((int)err));
	while ((w = TAILQ_FIRST(&waiters)) != NULL) {
		TAILQ_REMOVE(&waiters, w, entry);
		if (w->done != NULL)
			w->done(err != 0 ? text : NULL, NULL, w->arg);
		free(w);
	}
}

void
change_add(const struct rule *r, uint32_t seconds, change_done *done,
    void *arg)
{
	char		 text[RULE_TEXT_MAX];
	const char	*error;

	if (rule_print(r, text, sizeof(text)) == -1)
		error = "rule too long";
	else if (seconds == 0) {
		edit_queue(true, r, text, done, arg);
		return;
	} else if ((error = temporary_add(r, seconds)) == NULL) {
		wait_temporary(done, arg);
		return;
	}
	if (done != NULL)
		done(error, NULL, arg);
}

static bool
is_permanent(const char *text)
{
	char	*now, *without;
	size_t	 len, n;

	now = change_text(&len);
	without = edit_delete(now, len, text, store_passwd(), &n);
	free(now);
	free(without);
	return without != NULL;
}

void
change_delete(const struct rule *r, change_done *done, void *arg)
{
	char		 text[RULE_TEXT_MAX];
	const char	*error;

	if (rule_print(r, text, sizeof(text)) == -1)
		error = "rule too long";
	else if (temporary_delete(r)) {
		wait_temporary(done, arg);
		return;
	} else if (is_permanent(text)) {
		edit_queue(false, r, text, done, arg);
		return;
	} else
		error = "no such rule";
	if (done != NULL)
		done(error, NULL, arg);
}

void
change_forget(const void *arg)
{
	struct edit	*e;
	struct waiter	*w;

	TAILQ_FOREACH(e, &edits, entry)
		if (e->arg == arg)
			e->done = NULL;
	TAILQ_FOREACH(w, &waiters, entry)
		if (w->arg == arg)
			w->done = NULL;
}
