/*
 * SPDX-License-Identifier: ISC
 *
 * The text of one seccomp record.  The kernel writes it, but any user's
 * program may cause one, and chooses what stands in comm and exe.  There a
 * blank or quote makes the kernel write the whole in hexadecimal, so that a
 * blank and a key are always the kernel's own.
 */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "audit.h"

#define RECORD_MAX	4096
#define OURS		" comm=\"snitch-"
#define KILLED		" sig=31 "

static int
field(const char *text, const char *key, int base, uint32_t *value)
{
	unsigned long	 n;
	const char	*at;
	char		*end;

	if ((at = strstr(text, key)) == NULL)
		return -1;
	at += strlen(key);
	if (!isxdigit((unsigned char)*at))
		return -1;
	errno = 0;
	n = strtoul(at, &end, base);
	if (errno != 0 || n > UINT32_MAX || *end != ' ')
		return -1;
	*value = (uint32_t)n;
	return 0;
}

int
audit_parse(const char *data, size_t len, struct msg_denied *m)
{
	char	text[RECORD_MAX];

	if (len >= sizeof(text))
		return -1;
	memcpy(text, data, len);
	text[len] = '\0';
	if (strstr(text, OURS) == NULL || strstr(text, KILLED) == NULL)
		return -1;
	if (field(text, " pid=", 10, &m->pid) == -1 ||
	    field(text, " arch=", 16, &m->arch) == -1 ||
	    field(text, " syscall=", 10, &m->number) == -1)
		return -1;
	return 0;
}
