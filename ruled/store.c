/*
 * SPDX-License-Identifier: ISC
 *
 * Files that came from the parent, and what becomes of them: rules (rules.c,
 * change.c), lists (slices.c), temporary rules (temporary.c), resolvers
 * (resolvers.c); users and names here.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "ruled.h"

#define NAMES_SAVE_S	600	/* seconds between two saves of the names */
#define STOP_S		2	/* for an editor to let go of the rules */

static struct passwd_map *passwd;
static uint8_t		 secret[16];
static bool		 names_dirty, names_loaded;
static bool		 names_retry;	/* somebody else wrote the file */
static bool		 stopping;
static struct event	*names_event, *stop_event;

static void	names_save_due(int, short, void *);
static void	stop_late(int, short, void *);

struct event *
store_timer(event_callback_fn fn)
{
	struct event	*ev;

	if ((ev = event_new(ruled_base(), -1, 0, fn, NULL)) == NULL)
		fatal(NULL);
	return ev;
}

struct ruleset *
store_ruleset(bool newest_first)
{
	struct ruleset	*s = ruleset_new(newest_first);

	ruleset_key(s, secret);
	return s;
}

void
store_init(void)
{
	arc4random_buf(secret, sizeof(secret));
	rules_init();
	temporary_init();
	slices_init(secret);
	names_event = store_timer(names_save_due);
	stop_event = store_timer(stop_late);
}

struct file *
store_rules_file(void)
{
	return file_get(FILE_RULES, 0, config.rules);
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

void
store_maybe_loaded(void)
{
	if (rules_loaded() && names_loaded && !files_busy() && !slices_busy())
		ruled_loaded();
}

static void
maybe_stopped(void)
{
	if (stopping && !names_retry && !files_committing() &&
	    !change_unwritten())
		ruled_stopped();
}

/* The parent waits no longer than a second more. */
static void
stop_late(int fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	change_give_up();
	maybe_stopped();
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

/* Ours are newer than what somebody wrote into it meanwhile. */
static void
names_arrived(struct file *f)
{
	names_load_once(f);
	if (names_retry)
		names_commit();
	names_retry = false;
}

/* Files that came. */

static void
users_arrived(struct file *f)
{
	if (f->text == NULL)
		return;
	passwd_free(passwd);
	passwd = passwd_parse(f->text, f->len);
	temporary_load();
	rules_changed();
}

static void
list_arrived(struct file *f, bool changed)
{
	/* No longer: rules have changed. */
	if (!f->named && !f->naming && !rules_loading()) {
		file_drop(f);
		return;
	}
	if (changed)
		slices_stop(f);
	if (f->err != 0)
		rules_changed();
	else
		rules_again();
	slices_next();
}

void
store_arrived(struct file *f, bool changed)
{
	switch (f->kind) {
	case FILE_RULES:
	case FILE_INCLUDE:
		if (changed)
			rules_changed();
		if (f->kind == FILE_RULES)
			change_arrived(changed);
		break;
	case FILE_PASSWD:
		users_arrived(f);
		break;
	case FILE_LIST:
		list_arrived(f, changed);
		break;
	case FILE_TEMPORARY:
		temporary_load();
		break;
	case FILE_NAMES:
		names_arrived(f);
		break;
	case FILE_RESOLVERS:
		if (f->text != NULL && f->err == 0)
			resolvers_parse(f);
		break;
	default:
		break;
	}
	store_maybe_loaded();
	maybe_stopped();
}

void
store_committed(enum file_kind kind, uint32_t err)
{
	if (kind == FILE_RULES)
		change_committed(err);
	else if (kind == FILE_NAMES && err == ESTALE) {
		file_want(file_get(FILE_NAMES, 0, config.names));
		names_retry = true;
	} else if (err != 0)
		line_error("%s: %s", kind == FILE_NAMES ? config.names :
		    "temporary rules", strerror((int)err));
	/* A later text holds all that was added before it. */
	if (kind == FILE_TEMPORARY && !files_waiting(kind))
		change_temporary_committed(err);
	maybe_stopped();
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
	static const struct timeval	tv = { STOP_S, 0 };

	stopping = true;
	if (event_add(stop_event, &tv) == -1)
		fatal(NULL);
	if (names_dirty)
		names_commit();
	change_commit();
	maybe_stopped();
}
