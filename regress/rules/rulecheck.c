/*
 * SPDX-License-Identifier: ISC
 *
 * rulecheck FILE: what rules a file makes, in canonical form on standard
 * output, and what is wrong with it on standard error.  Included files are
 * read beside it; users are those of a passwd file made up here, so that the
 * result is the same on every machine.
 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "rule.h"

static const char	passwd[] = "root:x:0:0:root:/root:/bin/sh\n"
			    "alice:x:1000:1000::/home/alice:/bin/sh\n";

struct check {
	bool	 bad;
	char	*text[INCLUDE_MAX];
	size_t	 ntext;
};

static char *
slurp(const char *path, size_t *len)
{
	FILE	*f = fopen(path, "r");
	char	*text;

	if (f == NULL)
		return NULL;
	if ((text = malloc(RULES_FILE_MAX + 1)) == NULL)
		fatal(NULL);
	*len = fread(text, 1, RULES_FILE_MAX + 1, f);
	(void)fclose(f);
	return text;
}

static const char *
base(const char *path)
{
	const char	*slash = strrchr(path, '/');

	return slash == NULL ? path : slash + 1;
}

static void
report(const char *file, uint32_t line, const char *reason, enum report class,
    void *arg)
{
	static const char *const	names[] = { "", "closing: ",
					    "changed: " };
	struct check			*c = arg;

	if (class != REPORT_CHANGED)
		c->bad = true;
	fprintf(stderr, "%s:%u: %s%s\n", base(file), line, names[class],
	    reason);
}

static int
wants(enum file_kind kind, const char *path, enum action action,
    const char **text, size_t *len, char *err, size_t errsize, void *arg)
{
	struct check	*c = arg;
	char		*got;

	if (kind == FILE_LIST) {
		printf("%s-list \"%s\"\n", action_name(action), base(path));
		return 0;
	}
	if (c->ntext == INCLUDE_MAX || (got = slurp(path, len)) == NULL) {
		(void)snprintf(err, errsize, "%s: cannot be read",
		    base(path));
		return -1;
	}
	c->text[c->ntext++] = got;
	*text = got;
	return 1;
}

static void
print_set(const struct ruleset *set)
{
	char	line[RULE_TEXT_MAX];
	size_t	i;

	for (i = 0; i < ruleset_count(set); i++) {
		if (rule_print(ruleset_at(set, i), line, sizeof(line)) == -1)
			fatalx("rule %zu does not print", i);
		printf("%s\n", line);
	}
}

int
main(int argc, char **argv)
{
	struct check			 c = { .bad = false };
	const struct ruleset_hooks	 hooks = { report, wants, &c };
	struct passwd_map		*users;
	struct ruleset			*set = ruleset_new(false);
	char				*text;
	size_t				 len;

	log_init(ROLE_RULED, 0);
	if (argc != 2 || (text = slurp(argv[1], &len)) == NULL) {
		fprintf(stderr, "usage: rulecheck file\n");
		return 2;
	}
	users = passwd_parse(passwd, sizeof(passwd) - 1);
	ruleset_load(set, argv[1], text, len, users, &hooks);
	print_set(set);
	ruleset_free(set);
	passwd_free(users);
	free(text);
	while (c.ntext > 0)
		free(c.text[--c.ntext]);
	return c.bad ? 1 : 0;
}
