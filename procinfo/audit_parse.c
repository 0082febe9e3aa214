/*
 * SPDX-License-Identifier: ISC
 *
 * The text of one seccomp record.  The kernel writes it, but any user's
 * program may cause one, and chooses what stands in comm and exe.  There a
 * blank or quote makes the kernel write the whole in hexadecimal, so that a
 * blank and a key are always the kernel's own.
 */
#include <stdbool.h>
#include <string.h>

#include "audit.h"

#define RECORD_MAX	4096
#define OURS		" comm=\"snitch-"
#define KILLED		" sig=31 "

static bool
stands_at(const char *text, size_t len, size_t at, const char *key)
{
	for (; *key != '\0'; key++, at++)
		if (at >= len || text[at] != *key)
			return false;
	return true;
}

/* Behind the first one; 0 when there is none. */
static size_t
behind(const char *text, size_t len, const char *key)
{
	size_t	at;

	for (at = 0; at < len && text[at] != '\0'; at++)
		if (stands_at(text, len, at, key))
			return at + strlen(key);
	return 0;
}

static int
digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

static int
field(const char *text, size_t len, const char *key, unsigned int base,
    uint32_t *value)
{
	uint64_t	v = 0;
	size_t		from, at;
	int		d;

	if ((from = behind(text, len, key)) == 0)
		return -1;
	for (at = from; at < len; at++) {
		d = digit(text[at]);
		if (d < 0 || (unsigned int)d >= base)
			break;
		v = v * base + (unsigned int)d;
		if (v > UINT32_MAX)
			return -1;
	}
	if (at == from || at >= len || text[at] != ' ')
		return -1;
	*value = (uint32_t)v;
	return 0;
}

int
audit_parse(const char *text, size_t len, struct msg_denied *m)
{
	memset(m, 0, sizeof(*m));
	if (len >= RECORD_MAX)
		return -1;
	if (behind(text, len, OURS) == 0 || behind(text, len, KILLED) == 0)
		return -1;
	if (field(text, len, " pid=", 10, &m->pid) == -1 ||
	    field(text, len, " arch=", 16, &m->arch) == -1 ||
	    field(text, len, " syscall=", 10, &m->number) == -1)
		return -1;
	return 0;
}
