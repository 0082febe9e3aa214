/*
 * SPDX-License-Identifier: ISC
 *
 * User names and numbers from the bytes of /etc/passwd: the process that
 * asks has no file system to let getpwnam(3) look in.
 */
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "rule.h"

#define PASSWD_NAME_MAX	256

struct passwd_entry {
	char		*name;
	uint32_t	 uid;
};

struct passwd_map {
	struct passwd_entry	*entry;
	size_t			 n, room;
};

/* Digits alone, and not the number that means "none". */
static int
parse_uid(const char *text, size_t len, uint32_t *uid)
{
	uint64_t	n = 0;
	size_t		i;

	if (len == 0 || len > 10)
		return -1;
	for (i = 0; i < len; i++) {
		if (text[i] < '0' || text[i] > '9')
			return -1;
		n = n * 10 + (uint64_t)(text[i] - '0');
	}
	if (n >= UINT32_MAX)
		return -1;
	*uid = (uint32_t)n;
	return 0;
}

static void
add_entry(struct passwd_map *map, const char *name, size_t len, uint32_t uid)
{
	struct passwd_entry	*e;
	size_t			 room;

	if (map->n == map->room) {
		room = map->room == 0 ? 64 : map->room * 2;
		map->entry = recallocarray(map->entry, map->room, room,
		    sizeof(*map->entry));
		if (map->entry == NULL)
			fatal(NULL);
		map->room = room;
	}
	e = &map->entry[map->n++];
	if ((e->name = strndup(name, len)) == NULL)
		fatal(NULL);
	e->uid = uid;
}

/* name:password:uid:...; anything else is skipped, as libc does. */
static void
parse_line(struct passwd_map *map, const char *line, size_t len)
{
	const char	*end = line + len, *pass, *uid, *after;
	uint32_t	 number;

	if (memchr(line, '\0', len) != NULL ||
	    (pass = memchr(line, ':', len)) == NULL || pass == line ||
	    pass - line >= PASSWD_NAME_MAX)
		return;
	uid = memchr(pass + 1, ':', (size_t)(end - pass - 1));
	if (uid == NULL)
		return;
	uid++;
	after = memchr(uid, ':', (size_t)(end - uid));
	if (after == NULL ||
	    parse_uid(uid, (size_t)(after - uid), &number) == -1)
		return;
	add_entry(map, line, (size_t)(pass - line), number);
}

struct passwd_map *
passwd_parse(const char *text, size_t len)
{
	struct passwd_map	*map;
	const char		*end = text + len, *nl;

	if ((map = calloc(1, sizeof(*map))) == NULL)
		fatal(NULL);
	while (text < end) {
		nl = memchr(text, '\n', (size_t)(end - text));
		if (nl == NULL)
			nl = end;
		parse_line(map, text, (size_t)(nl - text));
		text = nl < end ? nl + 1 : end;
	}
	return map;
}

/* The first line of a name or number holds, as in libc. */
int
passwd_uid(const struct passwd_map *map, const char *name, uint32_t *uid)
{
	size_t	i;

	for (i = 0; map != NULL && i < map->n; i++)
		if (strcmp(map->entry[i].name, name) == 0) {
			*uid = map->entry[i].uid;
			return 0;
		}
	return -1;
}

const char *
passwd_name(const struct passwd_map *map, uint32_t uid)
{
	size_t	i;

	for (i = 0; map != NULL && i < map->n; i++)
		if (map->entry[i].uid == uid)
			return map->entry[i].name;
	return NULL;
}

void
passwd_free(struct passwd_map *map)
{
	size_t	i;

	if (map == NULL)
		return;
	for (i = 0; i < map->n; i++)
		free(map->entry[i].name);
	free(map->entry);
	free(map);
}
