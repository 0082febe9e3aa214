/*
 * SPDX-License-Identifier: ISC
 *
 * The configuration.  Whatever the file holds: each error is one line, what
 * was read is inside its limits, and a file without errors comes back the
 * same from its canonical form.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf.h"

int	 LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
require(bool holds)
{
	if (!holds)
		abort();
}

static bool
is_text(const char *text, size_t size)
{
	return memchr(text, '\0', size) != NULL;
}

static int
parse(struct conf *c, const void *text, size_t len)
{
	char	*errors = NULL, *p;
	size_t	 size;
	FILE	*in, *errs;
	int	 n, lines = 0;

	in = fmemopen((void *)(uintptr_t)text, len, "r");
	errs = open_memstream(&errors, &size);
	require(in != NULL && errs != NULL);
	n = conf_parse(c, "conf", in, errs);
	(void)fclose(in);
	require(fclose(errs) == 0);
	for (p = errors; *p != '\0'; p = strchr(p, '\n') + 1) {
		require(strncmp(p, "conf:", 5) == 0);
		lines++;
	}
	require(lines == n);
	free(errors);
	return n;
}

static void
check_limits(const struct conf *c)
{
	int	i;

	require(c->nresolver <= RESOLVERS_MAX);
	require(c->resolver_auto == (c->nresolver == 0) ||
	    !c->resolver_auto);
	require(c->nlog >= 1 && c->nlog <= LOGS_MAX);
	require(c->ask_timeout >= 1 && c->ask_timeout <= 3600);
	require(c->ask_delay <= 10000);
	require(c->font_size >= 6 && c->font_size <= 96);
	require(c->deny_mark != 0 && c->deny_mark != JUDGED_MARK &&
	    (c->deny_mark & (c->deny_mark - 1)) == 0);
	require(c->rules[0] == '/' && is_text(c->rules, sizeof(c->rules)));
	require(c->names[0] == '/' && is_text(c->names, sizeof(c->names)));
	require(is_text(c->control, sizeof(c->control)) &&
	    is_text(c->control_group, sizeof(c->control_group)) &&
	    is_text(c->display, sizeof(c->display)) &&
	    is_text(c->xauthority, sizeof(c->xauthority)) &&
	    is_text(c->user, sizeof(c->user)) &&
	    is_text(c->ask_user, sizeof(c->ask_user)) &&
	    is_text(c->font, sizeof(c->font)));
	for (i = 0; i < c->nlog; i++)
		require(is_text(c->log[i].path, sizeof(c->log[i].path)));
}

static char *
print(const struct conf *c, size_t *len)
{
	char	*text = NULL;
	FILE	*f = open_memstream(&text, len);

	require(f != NULL);
	conf_print(c, f);
	require(fclose(f) == 0);
	return text;
}

/* Where a statement stood is all that may differ. */
static void
forget_lines(struct conf *c)
{
	int	i;

	memset(&c->line, 0, sizeof(c->line));
	for (i = 0; i < c->nlog; i++)
		c->log[i].line = 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct conf	c, again;
	char			*text, *same;
	size_t			 len, same_len;
	int			 errors;

	if (size > CONF_SIZE_MAX)
		return 0;
	errors = parse(&c, data, size);
	if (errors > 0)
		return 0;
	check_limits(&c);
	text = print(&c, &len);
	require(parse(&again, text, len) == 0);
	same = print(&again, &same_len);
	require(len == same_len && memcmp(text, same, len) == 0);
	forget_lines(&c);
	forget_lines(&again);
	require(memcmp(&c, &again, sizeof(c)) == 0);
	free(text);
	free(same);
	return 0;
}
