/*
 * SPDX-License-Identifier: ISC
 *
 * Whose replies teach names: the configured addresses, or those in
 * resolv.conf(5), of which only nameserver lines matter.
 */
#include <string.h>

#include "ruled.h"

#define RESOLV_PARTS	2	/* files: with and without systemd-resolved */

static struct addr	resolvers[RESOLV_PARTS][RESOLVERS_MAX];
static size_t		nresolvers[RESOLV_PARTS];

void
resolvers_parse(struct file *f)
{
	struct addr	 a;
	char		*line, *rest = f->text, *word;

	nresolvers[f->part] = 0;
	while ((line = strsep(&rest, "\n")) != NULL) {
		if (strncmp(line, "nameserver", 10) != 0)
			continue;
		word = line + 10 + strspn(line + 10, " \t");
		word[strcspn(word, " \t\r%#;")] = '\0';
		if (nresolvers[f->part] < RESOLVERS_MAX &&
		    addr_parse(word, &a) == 0)
			resolvers[f->part][nresolvers[f->part]++] = a;
	}
}

bool
resolvers_have(const struct addr *a)
{
	size_t	part, i;

	if (!config.resolver_auto) {
		for (i = 0; i < config.nresolver; i++)
			if (addr_eq(&config.resolver[i], a))
				return true;
		return false;
	}
	for (part = 0; part < RESOLV_PARTS; part++)
		for (i = 0; i < nresolvers[part]; i++)
			if (addr_eq(&resolvers[part][i], a))
				return true;
	return false;
}

