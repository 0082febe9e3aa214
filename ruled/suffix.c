/*
 * SPDX-License-Identifier: ISC
 *
 * Public suffixes: below which anybody can register a name.  From the list
 * built into libpsl; no file is opened.
 */
#include <libpsl.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "rule.h"

/*
 * A name of one label is nobody's own, whether listed or not.  Without a
 * list nothing can be told apart, and everything is refused.
 */
bool
suffix_is_public(const char *name)
{
	const psl_ctx_t	*psl = psl_builtin();

	if (psl == NULL || strchr(name, '.') == NULL)
		return true;
	return psl_is_public_suffix(psl, name) != 0;
}

char *
rule_domain(const char *text)
{
	const psl_ctx_t	*psl = psl_builtin();
	const char	*domain;
	char		 name[HOST_NAME_MAX_DNS], *copy;

	/* Refuses addresses, too. */
	if (psl == NULL || rule_host(text, strlen(text), name) == -1)
		return NULL;
	domain = psl_registrable_domain(psl, name);
	if (domain == NULL || suffix_is_public(domain))
		return NULL;
	if ((copy = strdup(domain)) == NULL)
		fatal(NULL);
	return copy;
}
