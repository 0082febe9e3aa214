/*
 * SPDX-License-Identifier: ISC
 *
 * Lists of a million names in little memory: no names are kept, only 64 bits
 * of a keyed hash of each.  A host that is on no list is taken for one that
 * is with a chance of n / 2^64 a lookup, one in 10^13 for a million names;
 * and without the key, which is made at each start, nobody can look for such
 * a name at home.
 *
 * A list is cut into shards by the hash's upper bits, each a small open
 * table that grows alone: no single growth takes long while a list loads.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "list.h"
#include "log.h"
#include "rule.h"
#include "siphash.h"

#define SHARD_BITS	10
#define SHARDS		(1 << SHARD_BITS)
#define SHARD_MIN	4
#define LINE_LEN_MAX	1024
/*
 * An entry's place is anywhere in megabytes of memory: it is fetched while
 * this many further lines are read.
 */
#define AHEAD		16
/* An allow-list may not open more at once than this. */
#define ALLOW_PREFIX4	8
#define ALLOW_PREFIX6	16

struct shard {
	uint64_t	*slot;		/* 0: free */
	uint32_t	 size, used;
};

struct list_table {
	struct shard	 shard[SHARDS];
	bool		 prefix4[33], prefix6[129];	/* lengths in use */
	bool		 has_prefix;
};

struct lists {
	uint8_t		 key[SIPHASH_KEY];
	struct list	*list[LISTS_MAX];
	size_t		 n;
};

struct list_load {
	struct lists	*lists;
	struct list	*list;
	uint64_t	 ahead[AHEAD];	/* hashes to be added; 0: none */
	size_t		 next_ahead;
	char		 line[LINE_LEN_MAX];
	size_t		 len;
	bool		 too_long;
};

struct lists *
lists_new(void)
{
	struct lists	*lists;

	if ((lists = calloc(1, sizeof(*lists))) == NULL)
		fatal(NULL);
	return lists;
}

static void
list_free(struct list *list)
{
	size_t	i;

	for (i = 0; i < SHARDS; i++)
		free(list->table->shard[i].slot);
	free(list->table);
	free(list->file);
	free(list);
}

void
lists_free(struct lists *lists)
{
	size_t	i;

	if (lists == NULL)
		return;
	for (i = 0; i < lists->n; i++)
		list_free(lists->list[i]);
	freezero(lists, sizeof(*lists));
}

void
lists_key(struct lists *lists, const uint8_t key[SIPHASH_KEY])
{
	if (lists->n != 0)
		fatalx("%s: a list is loaded", __func__);
	memcpy(lists->key, key, sizeof(lists->key));
}

size_t
lists_count(const struct lists *lists)
{
	return lists->n;
}

const struct list *
lists_at(const struct lists *lists, size_t i)
{
	return i < lists->n ? lists->list[i] : NULL;
}

void
lists_sum(const struct lists *lists, size_t *entries, size_t *skipped)
{
	size_t	i;

	*entries = *skipped = 0;
	for (i = 0; i < lists->n; i++) {
		*entries += lists->list[i]->count;
		*skipped += lists->list[i]->skipped;
	}
}

void
lists_keep(struct lists *lists,
    bool (*keep)(enum action, const char *, void *), void *arg)
{
	struct list	*list;
	size_t		 i, kept = 0;

	for (i = 0; i < lists->n; i++) {
		list = lists->list[i];
		if (keep(list->action, list->file, arg))
			lists->list[kept++] = list;
		else
			list_free(list);
	}
	/* A place past the end is a new list's: nothing may be left in it. */
	for (i = kept; i < lists->n; i++)
		lists->list[i] = NULL;
	lists->n = kept;
}

/* Zero marks a free slot, so no entry has it. */
static uint64_t
hash_of(const struct lists *lists, const void *key, size_t len)
{
	uint64_t	hash = siphash(lists->key, key, len);

	return hash == 0 ? 1 : hash;
}

static uint32_t
first_slot(const struct shard *s, uint64_t hash)
{
	return (uint32_t)(((hash & UINT32_MAX) * s->size) >> 32);
}

static uint64_t *
shard_slot(const struct shard *s, uint64_t hash)
{
	uint32_t	i = first_slot(s, hash);

	while (s->slot[i] != 0 && s->slot[i] != hash)
		i = i + 1 == s->size ? 0 : i + 1;
	return &s->slot[i];
}

/* By a third, so that little is left unused, at most 5/6 full. */
static void
shard_grow(struct shard *s)
{
	struct shard	 bigger = { .used = s->used };
	uint32_t	 i;

	bigger.size = s->size == 0 ? SHARD_MIN : s->size + s->size / 3 + 1;
	bigger.slot = calloc(bigger.size, sizeof(*bigger.slot));
	if (bigger.slot == NULL)
		fatal(NULL);
	for (i = 0; i < s->size; i++)
		if (s->slot[i] != 0)
			*shard_slot(&bigger, s->slot[i]) = s->slot[i];
	free(s->slot);
	*s = bigger;
}

static void
table_add(struct list *list, uint64_t hash)
{
	struct shard	*s = &list->table->shard[hash >> (64 - SHARD_BITS)];
	uint64_t	*slot;

	if (s->used + 1 > s->size / 6 * 5 + s->size % 6 * 5 / 6)
		shard_grow(s);
	slot = shard_slot(s, hash);
	if (*slot == hash)
		return;
	*slot = hash;
	s->used++;
	list->count++;
}

/* Adds the hash that came AHEAD calls before. */
static void
add_later(struct list_load *l, uint64_t hash)
{
	const struct shard	*s;
	uint64_t		*place = &l->ahead[l->next_ahead];

	l->next_ahead = (l->next_ahead + 1) % AHEAD;
	if (*place != 0)
		table_add(l->list, *place);
	*place = hash;
	s = &l->list->table->shard[hash >> (64 - SHARD_BITS)];
	if (s->size > 0)
		__builtin_prefetch(&s->slot[first_slot(s, hash)], 1);
}

static void
add_rest(struct list_load *l)
{
	size_t	i;

	for (i = 0; i < AHEAD; i++)
		if (l->ahead[i] != 0)
			table_add(l->list, l->ahead[i]);
}

static bool
table_has(const struct list_table *table, uint64_t hash)
{
	const struct shard	*s = &table->shard[hash >> (64 - SHARD_BITS)];

	return s->size > 0 && *shard_slot(s, hash) == hash;
}

/* Of the lists that have it a deny-list, else an allow-list, else NULL. */
static const struct list *
find_hash(const struct lists *lists, uint64_t hash)
{
	const struct list	*found = NULL;
	size_t			 i;

	for (i = 0; i < lists->n; i++)
		if (table_has(lists->list[i]->table, hash) &&
		    (found == NULL || lists->list[i]->action != ACTION_ALLOW))
			found = lists->list[i];
	return found;
}

static size_t
address_key(const struct addr *addr, uint8_t len, uint8_t key[18])
{
	struct prefix	p = { .addr = *addr, .len = len };

	prefix_normalize(&p);
	key[0] = addr->af;
	key[1] = len;
	memcpy(key + 2, p.addr.b, sizeof(p.addr.b));
	return 18;
}

static bool
uses_length(const struct lists *lists, const struct addr *addr, size_t len)
{
	const struct list_table	*t;
	size_t			 i;

	for (i = 0; i < lists->n; i++) {
		t = lists->list[i]->table;
		if (t->has_prefix && (addr_size(addr->af) == 4 ?
		    t->prefix4[len] : t->prefix6[len]))
			return true;
	}
	return false;
}

static const struct list *
match_name(const struct lists *lists, const char *name, char by[LIST_BY_MAX])
{
	const struct list	*found;

	while (name != NULL && *name != '\0') {
		found = find_hash(lists, hash_of(lists, name, strlen(name)));
		if (found != NULL) {
			(void)strlcpy(by, name, LIST_BY_MAX);
			return found;
		}
		if ((name = strchr(name, '.')) != NULL)
			name++;
	}
	return NULL;
}

static const struct list *
match_addr(const struct lists *lists, const struct addr *addr,
    char by[LIST_BY_MAX])
{
	const struct list	*found;
	struct prefix		 p;
	uint8_t			 key[18];
	char			 text[ADDR_STR_MAX];
	size_t			 len, keylen;

	for (len = addr_size(addr->af) * 8 + 1; len-- > 0;) {
		if (!uses_length(lists, addr, len))
			continue;
		keylen = address_key(addr, (uint8_t)len, key);
		found = find_hash(lists, hash_of(lists, key, keylen));
		if (found == NULL)
			continue;
		p.addr = *addr;
		p.len = (uint8_t)len;
		prefix_normalize(&p);
		(void)snprintf(by, LIST_BY_MAX, "%s/%zu",
		    addr_print(&p.addr, text), len);
		return found;
	}
	return NULL;
}

const struct list *
lists_match(const struct lists *lists, const char *name,
    const struct addr *addr, char by[LIST_BY_MAX])
{
	const struct list	*found;

	if (lists->n == 0)
		return NULL;
	if ((found = match_name(lists, name, by)) != NULL)
		return found;
	return addr_size(addr->af) == 0 ? NULL : match_addr(lists, addr, by);
}

/* The names that a hosts file gives to this host and its network. */
static bool
is_local_name(const char *name)
{
	return strchr(name, '.') == NULL ||
	    strcmp(name, "localhost.localdomain") == 0 ||
	    strcmp(name, "localhost6.localdomain6") == 0;
}

/*
 * A deny-list may name a whole top-level domain.  An allow-list may not: it
 * would open a part of the world that anybody can register in.
 */
static bool
add_name(struct list_load *l, const char *text, size_t len)
{
	char	name[HOST_NAME_MAX_DNS];

	if (len > 2 && text[0] == '*' && text[1] == '.') {
		text += 2;
		len -= 2;
	} else if (len > 1 && text[0] == '.') {
		text++;
		len--;
	}
	if (rule_host(text, len, name) == -1 ||
	    strcmp(name, "localhost") == 0 ||
	    (l->list->action == ACTION_ALLOW && suffix_is_public(name)))
		return false;
	add_later(l, hash_of(l->lists, name, strlen(name)));
	return true;
}

/* An address with or without a prefix length, as a word by itself. */
static bool
parse_address(const char *text, struct prefix *p)
{
	char		 addr[ADDR_STR_MAX];
	const char	*slash = strchr(text, '/'), *reason;
	size_t		 len = slash == NULL ? strlen(text) :
			    (size_t)(slash - text);
	long long	 max;

	if (len >= sizeof(addr))
		return false;
	memcpy(addr, text, len);
	addr[len] = '\0';
	if (addr_parse(addr, &p->addr) == -1)
		return false;
	max = (long long)addr_size(p->addr.af) * 8;
	p->len = (uint8_t)max;
	if (slash != NULL) {
		if (slash[1] < '0' || slash[1] > '9')
			return false;
		p->len = (uint8_t)strtonum(slash + 1, 0, max, &reason);
		return reason == NULL;
	}
	return true;
}

static bool
add_address(struct list_load *l, const struct prefix *p)
{
	struct list_table	*t = l->list->table;
	uint8_t			 key[18];
	bool			 v4 = addr_size(p->addr.af) == 4;

	if (l->list->action == ACTION_ALLOW &&
	    p->len < (v4 ? ALLOW_PREFIX4 : ALLOW_PREFIX6))
		return false;
	if (v4)
		t->prefix4[p->len] = true;
	else
		t->prefix6[p->len] = true;
	t->has_prefix = true;
	add_later(l, hash_of(l->lists, key,
	    address_key(&p->addr, p->len, key)));
	return true;
}

static bool
is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f';
}

/* Cuts the next word off; NULL when there is none. */
static char *
next_word(char **line)
{
	char	*word = *line, *end;

	while (is_space(*word))
		word++;
	if (*word == '\0')
		return NULL;
	for (end = word; *end != '\0' && !is_space(*end); end++)
		continue;
	*line = *end == '\0' ? end : end + 1;
	*end = '\0';
	return word;
}

/* "0.0.0.0 name name": names of a hosts file, but not this host's own. */
static bool
load_hosts(struct list_load *l, char *names)
{
	char	*word;
	bool	 good = true;

	while ((word = next_word(&names)) != NULL)
		if (!is_local_name(word) && !add_name(l, word, strlen(word)))
			good = false;
	return good;
}

/*
 * "||name^".  With options behind the ^ it is about parts of a page, which
 * nobody can know here; such lines and exceptions (@@) are passed over.
 */
static bool
load_adblock(struct list_load *l, const char *text)
{
	size_t	len = strcspn(text, "^");

	return text[len] == '^' && text[len + 1] == '\0' &&
	    add_name(l, text, len);
}

static bool
load_words(struct list_load *l, char *line)
{
	struct prefix	 p;
	char		*first = next_word(&line);
	char		*second;

	if (first == NULL)
		return true;
	second = line + strspn(line, " \t\r\v\f");
	if (((*first >= '0' && *first <= '9') || strchr(first, ':') != NULL) &&
	    parse_address(first, &p)) {
		if (*second != '\0')
			return load_hosts(l, line);
		return add_address(l, &p);
	}
	if (*second != '\0')
		return false;
	if (strncmp(first, "||", 2) == 0)
		return load_adblock(l, first + 2);
	return add_name(l, first, strlen(first));
}

/* ! and [ begin the comments and the title of the adblock format. */
static void
load_line(struct list_load *l)
{
	char	*line = l->line;
	bool	 good = !l->too_long;

	l->line[l->len] = '\0';
	if (memchr(line, '\0', l->len) != NULL)
		good = false;
	line[strcspn(line, "#")] = '\0';
	while (is_space(*line))
		line++;
	if (good && *line != '!' && *line != '[')
		good = load_words(l, line);
	if (!good)
		l->list->skipped++;
	l->len = 0;
	l->too_long = false;
}

struct list_load *
list_load_begin(struct lists *lists, enum action action, const char *file)
{
	struct list_load	*l;

	if ((l = calloc(1, sizeof(*l))) == NULL ||
	    (l->list = calloc(1, sizeof(*l->list))) == NULL ||
	    (l->list->table = calloc(1, sizeof(*l->list->table))) == NULL ||
	    (l->list->file = strdup(file)) == NULL)
		fatal(NULL);
	l->lists = lists;
	l->list->action = action;
	return l;
}

void
list_load_some(struct list_load *l, const char *bytes, size_t len)
{
	const char	*nl;
	size_t		 part;

	while (len > 0) {
		nl = memchr(bytes, '\n', len);
		part = nl == NULL ? len : (size_t)(nl - bytes);
		if (part < sizeof(l->line) - l->len) {
			memcpy(l->line + l->len, bytes, part);
			l->len += part;
		} else
			l->too_long = true;
		if (nl == NULL)
			return;
		load_line(l);
		bytes += part + 1;
		len -= part + 1;
	}
}

/* The place of the list that was loaded before, or a new one. */
static struct list **
list_place(struct lists *lists, const struct list *list)
{
	size_t	i;

	for (i = 0; i < lists->n; i++)
		if (lists->list[i]->action == list->action &&
		    strcmp(lists->list[i]->file, list->file) == 0)
			return &lists->list[i];
	if (lists->n == LISTS_MAX)
		return NULL;
	return &lists->list[lists->n++];
}

const struct list *
list_load_commit(struct list_load *l)
{
	struct list	**place = list_place(l->lists, l->list);
	struct list	*list = l->list;

	if (place == NULL) {
		list_load_abort(l);
		return NULL;
	}
	if (l->len > 0 || l->too_long)
		load_line(l);
	add_rest(l);
	if (*place != NULL)
		list_free(*place);
	*place = list;
	free(l);
	return list;
}

void
list_load_abort(struct list_load *l)
{
	list_free(l->list);
	free(l);
}
