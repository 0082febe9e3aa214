/*
 * SPDX-License-Identifier: ISC
 *
 * The tables as `tinysnitch -v` prints them: a reader must be able to rely
 * on each line, and so must the children on their parent's.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "acts.h"
#include "sandbox.h"

#define CALLS_MAX	256

struct table {
	char	*text;
	size_t	 n;
	struct {
		const char	*name;
		bool		 narrow;	/* has conditions */
	}	 call[CALLS_MAX];
};

static void
table_read(struct table *t, enum role role)
{
	size_t	 len, n;
	char	*line, *next;
	FILE	*fp;

	t->n = 0;
	if ((fp = open_memstream(&t->text, &len)) == NULL)
		abort();
	sandbox_print(fp, role);
	if (fclose(fp) == EOF)
		abort();
	for (line = t->text; line != NULL && t->n < CALLS_MAX; line = next) {
		if ((next = strchr(line, '\n')) != NULL)
			*next++ = '\0';
		if (line[0] != '\t')
			continue;
		n = strcspn(++line, " \t");
		t->call[t->n].narrow = strncmp(line + n, " if ", 4) == 0;
		line[n] = '\0';
		t->call[t->n++].name = line;
	}
}

static bool
table_has(const struct table *t, const char *name)
{
	size_t	i;

	for (i = 0; i < t->n; i++)
		if (strcmp(t->call[i].name, name) == 0)
			return true;
	return false;
}

/* A line without conditions would undo the others of its call. */
static const char *
undone(const struct table *t)
{
	size_t	i, j;

	for (i = 0; i < t->n; i++)
		for (j = 0; j < t->n; j++)
			if (i != j && !t->call[i].narrow &&
			    strcmp(t->call[i].name, t->call[j].name) == 0)
				return t->call[i].name;
	return NULL;
}

static const char *
lacking(const struct table *parent, const struct table *child)
{
	size_t	i;

	for (i = 0; i < child->n; i++)
		if (!table_has(parent, child->call[i].name))
			return child->call[i].name;
	return NULL;
}

static int
say(enum role role, const char *what, const char *wrong)
{
	if (wrong == NULL)
		printf("ok %s: %s\n", role_name(role), what);
	else
		printf("not ok %s: %s: %s\n", role_name(role), what, wrong);
	return wrong != NULL;
}

int
check_tables(enum role role)
{
	static struct table	parent, own;
	int			failed;

	table_read(&parent, ROLE_PARENT);
	table_read(&own, role);
	failed = say(role, "the table is not empty", own.n > 10 ? NULL :
	    "too few calls");
	failed += say(role, "no line undoes another", undone(&own));
	failed += say(role, "the parent's table has all its calls",
	    lacking(&parent, &own));
	free(parent.text);
	free(own.text);
	return failed;
}
