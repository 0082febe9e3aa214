/*
 * SPDX-License-Identifier: ISC
 *
 * The text behind a command of tinysnitchctl(8).  Whoever may connect to the
 * control socket may have written it.  Pure.
 */
#ifndef COMMAND_TEXT_H
#define COMMAND_TEXT_H

#include <stddef.h>
#include <stdint.h>

#include "match.h"
#include "rule.h"

#define DURATION_MAX_S	(365 * 86400)

/* The next word, cut off in place; NULL when there is none. */
char	*command_word(char **);
/* "9m", "24h": seconds. */
int	 command_duration(const char *, uint32_t *)
	    __attribute__((warn_unused_result));
/*
 * add [DURATION] RULE: the rule is what is returned, and 0 seconds stand for
 * ever.  -1: what is returned looks like a duration and is none.
 */
int	 command_add(char *, char **, uint32_t *)
	    __attribute__((warn_unused_result));
/*
 * test PROTO HOST PORT [qualifier ...]: the words are put together as a rule.
 * 1: some are missing, -1: it is too long.
 */
int	 command_test(char *, char *, size_t)
	    __attribute__((warn_unused_result));
/*
 * What that rule is about becomes the subject that is matched; it points into
 * the rule.  -1: no single connection.
 */
int	 command_subject(const struct rule *, struct subject *)
	    __attribute__((warn_unused_result));

#endif /* COMMAND_TEXT_H */
