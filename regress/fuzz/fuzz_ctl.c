/*
 * SPDX-License-Identifier: ISC
 *
 * What a client of the control socket may write behind a command: each
 * command reads the same text.  What must hold for any bytes: durations are
 * inside their limit and words inside the text, a rule that is added or
 * tested comes back the same from its canonical text, and the connection
 * that a test is about is one that the rule made of it matches.
 */
#include <stdlib.h>
#include <string.h>

#include "command_text.h"
#include "words.h"

int	 LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
require(bool holds)
{
	if (!holds)
		abort();
}

/* As a command gets it, and to be written into. */
static char *
copy_text(const uint8_t *data, size_t size)
{
	char	*text = malloc(size + 1);

	require(text != NULL);
	if (size > 0)
		memcpy(text, data, size);
	text[size] = '\0';
	return text;
}

static bool
parse(const char *text, struct rule *r)
{
	char	err[RULE_ERR_MAX] = "";

	if (rule_parse(text, strlen(text), NULL, r, err, sizeof(err)) == 0)
		return true;
	require(err[0] != '\0');
	return false;
}

static void
check_rule(const struct rule *r)
{
	struct rule	again;
	char		text[RULE_TEXT_MAX];

	require(rule_print(r, text, sizeof(text)) != -1);
	require(parse(text, &again));
	require(rule_same(r, &again) && r->action == again.action);
	rule_clear(&again);
}

static void
fuzz_add(char *text, size_t len)
{
	struct rule	 r;
	char		*rest = NULL;
	uint32_t	 seconds;
	int		 result;

	result = command_add(text, &rest, &seconds);
	require(rest >= text && rest <= text + len);
	require(seconds <= DURATION_MAX_S);
	if (result == -1) {
		require(*rest >= '0' && *rest <= '9');
		return;
	}
	if (parse(rest, &r)) {
		check_rule(&r);
		rule_clear(&r);
	}
}

static void
check_subject(const struct rule *r)
{
	struct ruleset	*set = ruleset_new(false);
	struct subject	 s;
	struct match	 m;

	/* Inbound ones are for localhost, whatever the rule has. */
	if (command_subject(r, &s) == 0 &&
	    (s.dir != DIR_IN || r->kind == DST_LOCALHOST)) {
		require(ruleset_add(set, r) == 0);
		require(match_rules(NULL, set, NULL, &s, &m) == MATCH_RULE);
		require(m.action == ACTION_ALLOW);
	}
	ruleset_free(set);
}

static void
fuzz_test(char *text)
{
	char		rule[RULE_TEXT_MAX];
	struct rule	r;

	if (command_test(text, rule, sizeof(rule)) != 0 || !parse(rule, &r))
		return;
	require(r.action == ACTION_ALLOW);
	check_rule(&r);
	check_subject(&r);
	rule_clear(&r);
}

static void
fuzz_words(char *text, size_t len)
{
	const char	*end = text + len;
	char		*word, shown[WORD_SHOW_MAX];
	struct addr	 a;
	uint32_t	 seconds;

	while ((word = command_word(&text)) != NULL) {
		require(*word != '\0' && word < end);
		require(strpbrk(word, " \t") == NULL);
		require(strlen(word_show(word, shown)) < sizeof(shown));
		if (command_duration(word, &seconds) == 0)
			require(seconds >= 1 && seconds <= DURATION_MAX_S);
		if (addr_parse(word, &a) == 0)
			require(addr_size(a.af) != 0);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char	*text;

	/* As msg_get_ctl() has it: a string of no more than that. */
	if (size >= RULE_TEXT_MAX || memchr(data, '\0', size) != NULL)
		return 0;
	text = copy_text(data, size);
	fuzz_add(text, size);
	free(text);
	text = copy_text(data, size);
	fuzz_test(text);
	free(text);
	text = copy_text(data, size);
	fuzz_words(text, size);
	free(text);
	return 0;
}
