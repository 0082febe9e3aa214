/*
 * SPDX-License-Identifier: ISC
 *
 * Files of rules, edits of them, lists, and /etc/passwd.  The input is a
 * file; a first line `+RULE` is a rule to be added to what follows.  What
 * must hold for any bytes: every rule that loads prints and comes back the
 * same, an added rule is there afterwards and, once deleted, is gone.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "list.h"
#include "match.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

struct input {
	const char	*text;
	size_t		 len;
};

static void
require(bool holds)
{
	if (!holds)
		abort();
}

/* Exactly as long as it is, so that a byte too far is seen. */
static char *
copy_bytes(const void *bytes, size_t len)
{
	char	*copy = malloc(len > 0 ? len : 1);

	require(copy != NULL);
	if (len > 0)
		memcpy(copy, bytes, len);
	return copy;
}

static void
on_report(const char *file, uint32_t line, const char *reason,
    enum report class, void *arg)
{
	const char	*c;

	(void)file;
	(void)line;
	(void)class;
	(void)arg;
	/* Reasons go to logs. */
	require(*reason != '\0');
	for (c = reason; *c != '\0'; c++)
		require(*c >= 0x20 && *c < 0x7f);
}

/* Every included file is the input again: depth and number must hold. */
static int
on_wants(enum file_kind kind, const char *path, enum action action,
    const char **text, size_t *len, char *err, size_t errsize, void *arg)
{
	const struct input	*in = arg;

	(void)action;
	(void)err;
	(void)errsize;
	require(*path != '\0');
	if (kind == FILE_LIST)
		return 0;
	*text = in->text;
	*len = in->len < 200 ? in->len : 0;
	return 1;
}

static void
check_rule(const struct rule *r, const struct passwd_map *users)
{
	struct rule	again;
	char		text[RULE_TEXT_MAX], err[RULE_ERR_MAX];

	require(rule_print(r, text, sizeof(text)) != -1);
	require(rule_parse(text, strlen(text), users, &again, err,
	    sizeof(err)) == 0);
	require(rule_same(r, &again) && r->action == again.action);
	rule_clear(&again);
}

static void
match_some(const struct ruleset *set, const struct lists *lists)
{
	struct subject	s = { .dir = DIR_OUT, .name = "www.example.com",
			    .proto = 6, .has_port = true, .port = 443 };
	struct match	m;
	int		i;

	require(addr_parse("10.0.0.1", &s.dst) == 0);
	for (i = 0; i < 4; i++) {
		s.dir = (enum direction)(i % DIR_MAX);
		s.who_known = i >= 2;
		require(match_rules(NULL, set, lists, &s, &m) != MATCH_RULE ||
		    m.rule != NULL || m.list != NULL);
	}
}

static void
fuzz_load(const char *text, size_t len, const struct passwd_map *users,
    const struct lists *lists)
{
	struct input			 in = { text, len };
	const struct ruleset_hooks	 hooks = { on_report, on_wants, &in };
	struct ruleset			*set = ruleset_new(false);
	const struct rule		*r;
	size_t				 i;

	ruleset_load(set, "/etc/rules", text, len, users, &hooks);
	for (i = 0; i < ruleset_count(set) && i < 64; i++) {
		r = ruleset_at(set, i);
		check_rule(r, users);
		(void)ruleset_shadow(set, r);
	}
	match_some(set, lists);
	for (i = 0; ruleset_count(set) > 0 && i < 64; i++) {
		r = ruleset_at(set, ruleset_count(set) / 2);
		require(ruleset_delete(set, r));
	}
	match_some(set, lists);
	ruleset_free(set);
}

static void
fuzz_edit(const char *text, size_t len, const char *rule,
    const struct passwd_map *users)
{
	char	*added, *deleted;
	size_t	 added_len, deleted_len;

	added = edit_add(text, len, rule, users, &added_len);
	if (added == NULL)
		return;
	deleted = edit_delete(added, added_len, rule, users, &deleted_len);
	require(deleted != NULL && deleted_len < added_len);
	free(added);
	added = edit_delete(deleted, deleted_len, rule, users, &added_len);
	require(added == NULL);
	free(deleted);
}

static void
fuzz_list(struct lists *lists, enum action action, const char *text,
    size_t len)
{
	struct list_load	*l = list_load_begin(lists, action, "list");
	size_t			 half = len / 2;

	list_load_some(l, text, half);
	list_load_some(l, text + half, len - half);
	require(list_load_commit(l) != NULL);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char			 rule[512] = "";
	const uint8_t		*nl = memchr(data, '\n', size);
	char			*text;
	struct passwd_map	*users;
	struct lists		*lists = lists_new();

	if (size > 0 && data[0] == '+' && nl != NULL &&
	    (size_t)(nl - data) < sizeof(rule)) {
		memcpy(rule, data + 1, (size_t)(nl - data) - 1);
		size -= (size_t)(nl - data) + 1;
		data = nl + 1;
	}
	text = copy_bytes(data, size);
	users = passwd_parse(text, size);
	fuzz_list(lists, ACTION_DENY, text, size);
	fuzz_list(lists, ACTION_ALLOW, text, size);
	fuzz_load(text, size, users, lists);
	fuzz_edit(text, size, rule, users);
	free(rule_domain(rule));
	lists_free(lists);
	passwd_free(users);
	free(text);
	return 0;
}
