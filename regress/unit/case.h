/*
 * SPDX-License-Identifier: ISC
 *
 * One line a case: `ok NAME` or `not ok NAME: why`.
 */
#ifndef CASE_H
#define CASE_H

#include <stdio.h>

static int		 case_failures;
static const char	*case_why;
static char		 case_text[256];

#define CHECK(x) do {							\
	if (!(x) && case_why == NULL) {					\
		(void)snprintf(case_text, sizeof(case_text),		\
		    "line %d: %s", __LINE__, #x);			\
		case_why = case_text;					\
	}								\
} while (0)

static void
case_end(const char *name)
{
	if (case_why == NULL)
		printf("ok %s\n", name);
	else {
		printf("not ok %s: %s\n", name, case_why);
		case_failures++;
	}
	case_why = NULL;
}

#endif /* CASE_H */
