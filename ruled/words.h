/*
 * SPDX-License-Identifier: ISC
 *
 * A line of a file of rules, cut into words: what parsing one rule, loading
 * a file and editing it as text have in common.
 */
#ifndef WORDS_H
#define WORDS_H

#include <stdbool.h>
#include <stddef.h>

#include "msg.h"
#include "rule.h"

#define WORDS_MAX	16

struct word {
	char	*text;		/* quotes and escapes resolved, with a NUL */
	size_t	 len;
	bool	 quoted;	/* some of it was */
	bool	 star;		/* ends in a * that was not escaped */
};

struct words {
	struct word	w[WORDS_MAX];
	size_t		n;
	size_t		start, end;	/* of the statement in the line */
	char		buf[RULE_TEXT_MAX + WORDS_MAX];
};

/* 0, also for no words at all; -1 with a reason. */
int	 words_split(const char *, size_t, struct words *, char *, size_t)
	    __attribute__((warn_unused_result));
/* A word for a message: escaped, and cut when long. */
#define WORD_SHOW_MAX	64
const char *word_show(const char *, char [WORD_SHOW_MAX]);

/* rule_parse.c */
int	 rule_from_words(const struct words *, const struct passwd_map *,
	    struct rule *, char *, size_t) __attribute__((warn_unused_result));

#endif /* WORDS_H */
