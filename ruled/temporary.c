/*
 * SPDX-License-Identifier: ISC
 *
 * Rules for a time.  A layer of their own, before the permanent ones; the
 * parent keeps a copy for the next ruled: a line each, its end in nanoseconds
 * of CLOCK_BOOTTIME before the rule.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "ruled.h"

static struct ruleset	*temporary;
static bool		 loaded;
static struct event	*expiry_event;

static void	expiry(int, short, void *);

void
temporary_init(void)
{
	temporary = store_ruleset(true);
	expiry_event = store_timer(expiry);
}

const struct ruleset *
temporary_rules(void)
{
	return temporary;
}

static void
commit(void)
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
		commit();
	expiry_arm();
}

static void
load_line(char *line)
{
	char		 err[RULE_ERR_MAX], *space = strchr(line, ' ');
	const char	*bad;
	struct rule	 r;

	if (space == NULL)
		return;
	*space = '\0';
	if (rule_parse(space + 1, strlen(space + 1), store_passwd(), &r, err,
	    sizeof(err)) == -1) {
		line_error("temporary rule \"%s\": %s", space + 1, err);
		return;
	}
	r.expires = (uint64_t)strtonum(line, 1, INT64_MAX, &bad);
	if (bad == NULL && ruleset_add(temporary, &r) == -1)
		line_error("too many temporary rules");
	rule_clear(&r);
}

void
temporary_load(void)
{
	struct file	*f = file_get(FILE_TEMPORARY, 0, "");
	char		*line, *rest = f->text;

	if (rest == NULL || store_passwd() == NULL || loaded)
		return;
	loaded = true;
	while ((line = strsep(&rest, "\n")) != NULL)
		load_line(line);
	expiry_arm();
}

/* NULL, or why not. */
const char *
temporary_add(const struct rule *r, uint32_t seconds)
{
	char		text[RULE_TEXT_MAX];
	struct rule	copy = *r;

	if (rule_print(r, text, sizeof(text)) == -1)
		return "rule too long";
	copy.expires = now_boot() + seconds * 1000000000ULL;
	(void)ruleset_replace(temporary, &copy);
	if (ruleset_add(temporary, &copy) == -1) {
		line_error("too many temporary rules");
		return "too many temporary rules";
	}
	line_info("added rule %s for %" PRIu32 " seconds", text, seconds);
	commit();
	expiry_arm();
	pending_rematch();
	return NULL;
}

bool
temporary_delete(const struct rule *r)
{
	char	text[RULE_TEXT_MAX];

	if (!ruleset_delete(temporary, r))
		return false;
	if (rule_print(r, text, sizeof(text)) != -1)
		line_info("removed rule %s", text);
	commit();
	expiry_arm();
	pending_rematch();
	return true;
}
