/*
 * SPDX-License-Identifier: ISC
 *
 * A set of rules: the list in the order of the file, and the table that
 * match.c looks into.
 */
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "ruleset.h"

#define TABLE_MIN	64
#define PROGRAMS_MIN	8

struct ruleset *
ruleset_new(bool newest_first)
{
	struct ruleset	*set;

	if ((set = calloc(1, sizeof(*set))) == NULL ||
	    (set->table = calloc(TABLE_MIN, sizeof(*set->table))) == NULL)
		fatal(NULL);
	set->table_size = TABLE_MIN;
	set->newest_first = newest_first;
	return set;
}

static void
bucket_clear(struct bucket *b)
{
	struct program	*p;
	size_t		 i;

	for (i = 0; i < b->size; i++)
		while ((p = b->program[i]) != NULL) {
			b->program[i] = p->next;
			free(p);
		}
	free(b->program);
	memset(b, 0, sizeof(*b));
}

static void
node_free(struct node *node)
{
	size_t	i;

	for (i = 0; i < node->nports; i++)
		bucket_clear(&node->ports[i].bucket);
	bucket_clear(&node->ranges);
	bucket_clear(&node->any);
	free(node->ports);
	free(node);
}

static void
entry_free(struct entry *e)
{
	rule_clear(&e->rule);
	free(e);
}

bool
ruleset_free_some(struct ruleset *set, size_t max)
{
	struct node	*node;

	for (; set->table_size > 0 && max > 0; max--) {
		if ((node = set->table[set->table_size - 1]) == NULL) {
			set->table_size--;
			continue;
		}
		set->table[set->table_size - 1] = node->next;
		node_free(node);
	}
	for (; set->n > 0 && max > 0; max--)
		entry_free(set->entry[--set->n]);
	if (max == 0)
		return true;
	while (set->nfiles > 0)
		free(set->file[--set->nfiles]);
	free(set->file);
	free(set->entry);
	free(set->table);
	freezero(set, sizeof(*set));
	return false;
}

void
ruleset_free(struct ruleset *set)
{
	if (set != NULL)
		(void)ruleset_free_some(set, SIZE_MAX);
}

void
ruleset_key(struct ruleset *set, const uint8_t key[SIPHASH_KEY])
{
	if (set->n != 0)
		fatalx("%s: the set has rules", __func__);
	memcpy(set->key, key, sizeof(set->key));
}

static void
lens_rebuild(struct lens *l)
{
	size_t	i;

	l->nused = 0;
	for (i = LENS_MAX; i-- > 0;)
		if (l->count[i] > 0)
			l->used[l->nused++] = (uint8_t)i;
}

static void
lens_add(struct lens *l, size_t len)
{
	if (l->count[len]++ == 0)
		lens_rebuild(l);
}

static void
lens_remove(struct lens *l, size_t len)
{
	if (--l->count[len] == 0)
		lens_rebuild(l);
}

size_t
name_labels(const char *name)
{
	size_t	n = 1;

	for (; *name != '\0'; name++)
		if (*name == '.')
			n++;
	return n;
}

size_t
prefix_key(const struct addr *addr, uint8_t len, uint8_t key[PREFIX_KEY_MAX])
{
	struct prefix	p = { .addr = *addr, .len = len };

	prefix_normalize(&p);
	key[0] = addr->af;
	key[1] = len;
	memcpy(key + 2, p.addr.b, addr_size(addr->af));
	return 2 + addr_size(addr->af);
}

/* Where a rule's destination lives. */
static enum node_class
rule_key(const struct rule *r, char key[HOST_NAME_MAX_DNS], size_t *len)
{
	uint8_t	bytes[PREFIX_KEY_MAX];

	*len = 0;
	switch (r->kind) {
	case DST_NAME:
	case DST_LOCALHOST:
	case DST_DOMAIN:
		*len = strlcpy(key, r->name, HOST_NAME_MAX_DNS);
		return r->kind == DST_DOMAIN ? NODE_DOMAIN : NODE_NAME;
	case DST_ADDR:
	case DST_PREFIX:
		*len = prefix_key(&r->prefix.addr, r->prefix.len, bytes);
		memcpy(key, bytes, *len);
		return NODE_PREFIX;
	case DST_ANY:
		break;
	}
	return NODE_ANY;
}

static struct node *
node_find(const struct ruleset *set, enum node_class class, const void *key,
    size_t len, uint64_t hash)
{
	struct node	*node;

	for (node = set->table[hash & (set->table_size - 1)]; node != NULL;
	    node = node->next)
		if (node->hash == hash && node->class == class &&
		    node->keylen == len && memcmp(node->key, key, len) == 0)
			return node;
	return NULL;
}

const struct node *
ruleset_node(const struct ruleset *set, enum node_class class, const void *key,
    size_t len)
{
	return node_find(set, class, key, len, siphash(set->key, key, len));
}

static void
table_grow(struct ruleset *set)
{
	struct node	**table, *node, **slot;
	size_t		  size = set->table_size * 2, i;

	if ((table = calloc(size, sizeof(*table))) == NULL)
		fatal(NULL);
	for (i = 0; i < set->table_size; i++)
		while ((node = set->table[i]) != NULL) {
			set->table[i] = node->next;
			slot = &table[node->hash & (size - 1)];
			node->next = *slot;
			*slot = node;
		}
	free(set->table);
	set->table = table;
	set->table_size = size;
}

/* Adds (or, with false, takes away) a node's share of what is looked up. */
static void
node_account(struct ruleset *set, struct node *node, bool add)
{
	void	(*change)(struct lens *, size_t) = add ? lens_add : lens_remove;

	switch (node->class) {
	case NODE_ANY:
		set->node_any = add ? node : NULL;
		break;
	case NODE_NAME:
		set->nnames += add ? 1 : (size_t)-1;
		break;
	case NODE_DOMAIN:
		change(&set->labels, name_labels(node->key));
		break;
	case NODE_PREFIX:
		change(node->keylen == 2 + 4 ? &set->prefix4 : &set->prefix6,
		    (uint8_t)node->key[1]);
		break;
	}
}

static struct node *
node_get(struct ruleset *set, const struct rule *r)
{
	char		 key[HOST_NAME_MAX_DNS];
	size_t		 len;
	enum node_class	 class = rule_key(r, key, &len);
	uint64_t	 hash = siphash(set->key, key, len);
	struct node	*node, **slot;

	if ((node = node_find(set, class, key, len, hash)) != NULL)
		return node;
	if (set->nnodes >= set->table_size)
		table_grow(set);
	if ((node = calloc(1, sizeof(*node))) == NULL)
		fatal(NULL);
	node->hash = hash;
	node->class = class;
	node->keylen = (uint8_t)len;
	memcpy(node->key, key, len);
	slot = &set->table[hash & (set->table_size - 1)];
	node->next = *slot;
	*slot = node;
	set->nnodes++;
	node_account(set, node, true);
	return node;
}

static void
node_drop_if_empty(struct ruleset *set, struct node *node)
{
	struct node	**slot;

	if (node->nports > 0 || node->ranges.all.head != NULL ||
	    node->any.all.head != NULL)
		return;
	slot = &set->table[node->hash & (set->table_size - 1)];
	while (*slot != node)
		slot = &(*slot)->next;
	*slot = node->next;
	set->nnodes--;
	node_account(set, node, false);
	node_free(node);
}

/* Where the port is, or where it would have to stand. */
static size_t
port_index(const struct node *node, uint16_t port)
{
	size_t	lo = 0, hi = node->nports, mid;

	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		if (node->ports[mid].port < port)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

const struct bucket *
node_port(const struct node *node, uint16_t port)
{
	size_t	i = port_index(node, port);

	if (i == node->nports || node->ports[i].port != port)
		return NULL;
	return &node->ports[i].bucket;
}

static struct bucket *
port_get(struct node *node, uint16_t port)
{
	size_t	i = port_index(node, port), room;

	if (i < node->nports && node->ports[i].port == port)
		return &node->ports[i].bucket;
	if (node->nports == node->ports_room) {
		room = node->ports_room == 0 ? 2 : node->ports_room * 2;
		node->ports = recallocarray(node->ports, node->ports_room,
		    room, sizeof(*node->ports));
		if (node->ports == NULL)
			fatal(NULL);
		node->ports_room = room;
	}
	memmove(&node->ports[i + 1], &node->ports[i],
	    (node->nports - i) * sizeof(*node->ports));
	memset(&node->ports[i], 0, sizeof(*node->ports));
	node->ports[i].port = port;
	node->nports++;
	return &node->ports[i].bucket;
}

static void
port_drop_if_empty(struct node *node, uint16_t port)
{
	size_t	i = port_index(node, port);

	if (i == node->nports || node->ports[i].port != port ||
	    node->ports[i].bucket.all.head != NULL)
		return;
	bucket_clear(&node->ports[i].bucket);
	node->nports--;
	memmove(&node->ports[i], &node->ports[i + 1],
	    (node->nports - i) * sizeof(*node->ports));
}

static struct bucket *
bucket_get(struct node *node, const struct rule *r)
{
	if (r->port_any)
		return &node->any;
	if (r->port_lo != r->port_hi)
		return &node->ranges;
	return port_get(node, r->port_lo);
}

static void
chain_put(struct chain *c, enum chain_of of, struct entry *e, bool front)
{
	if (front) {
		e->next[of] = c->head;
		c->head = e;
	} else if (c->tail != NULL)
		c->tail->next[of] = e;
	else
		c->head = e;
	if (!front || c->tail == NULL)
		c->tail = e;
}

static void
chain_take(struct chain *c, enum chain_of of, struct entry *e)
{
	struct entry	**slot = &c->head, *before = NULL;

	while (*slot != e) {
		before = *slot;
		slot = &before->next[of];
	}
	*slot = e->next[of];
	if (c->tail == e)
		c->tail = before;
}

static struct program **
program_slot(const struct bucket *b, uint64_t hash, const char *exe)
{
	struct program	**slot = &b->program[hash & (b->size - 1)];

	while (*slot != NULL && ((*slot)->hash != hash ||
	    strcmp((*slot)->chain.head->rule.exe, exe) != 0))
		slot = &(*slot)->next;
	return slot;
}

const struct chain *
bucket_program(const struct bucket *b, uint64_t hash, const char *exe)
{
	const struct program	*p;

	if (b->program == NULL)
		return NULL;
	p = *program_slot(b, hash, exe);
	return p == NULL ? NULL : &p->chain;
}

static void
programs_grow(struct bucket *b)
{
	struct program	**bigger, **slot, *p;
	size_t		  size = b->size == 0 ? PROGRAMS_MIN : b->size * 2, i;

	if ((bigger = calloc(size, sizeof(*bigger))) == NULL)
		fatal(NULL);
	for (i = 0; i < b->size; i++)
		while ((p = b->program[i]) != NULL) {
			b->program[i] = p->next;
			slot = &bigger[p->hash & (size - 1)];
			p->next = *slot;
			*slot = p;
		}
	free(b->program);
	b->program = bigger;
	b->size = size;
}

static uint64_t
exe_hash(const struct ruleset *set, const char *exe)
{
	return siphash(set->key, exe, strlen(exe));
}

static void
program_put(struct ruleset *set, struct bucket *b, struct entry *e)
{
	uint64_t	 hash = exe_hash(set, e->rule.exe);
	struct program	**slot;

	if (b->nprograms >= b->size)
		programs_grow(b);
	slot = program_slot(b, hash, e->rule.exe);
	if (*slot == NULL) {
		if ((*slot = calloc(1, sizeof(**slot))) == NULL)
			fatal(NULL);
		(*slot)->hash = hash;
		b->nprograms++;
	}
	chain_put(&(*slot)->chain, CHAIN_LIKE, e, set->newest_first);
}

static void
program_take(struct ruleset *set, struct bucket *b, struct entry *e)
{
	struct program	**slot, *p;

	slot = program_slot(b, exe_hash(set, e->rule.exe), e->rule.exe);
	p = *slot;
	chain_take(&p->chain, CHAIN_LIKE, e);
	if (p->chain.head != NULL)
		return;
	*slot = p->next;
	free(p);
	if (--b->nprograms == 0) {
		free(b->program);
		b->program = NULL;
		b->size = 0;
	}
}

static bool
names_program(const struct rule *r)
{
	return r->exe != NULL && !r->exe_folder;
}

static void
bucket_put(struct ruleset *set, struct bucket *b, struct entry *e)
{
	set->last++;
	e->place = set->newest_first ? -set->last : set->last;
	chain_put(&b->all, CHAIN_ALL, e, set->newest_first);
	if (names_program(&e->rule))
		program_put(set, b, e);
	else
		chain_put(&b->other, CHAIN_LIKE, e, set->newest_first);
}

static void
bucket_take(struct ruleset *set, struct bucket *b, struct entry *e)
{
	chain_take(&b->all, CHAIN_ALL, e);
	if (names_program(&e->rule))
		program_take(set, b, e);
	else
		chain_take(&b->other, CHAIN_LIKE, e);
}

/* One copy of a file's name for all its rules. */
static const char *
file_name(struct ruleset *set, const char *file)
{
	size_t	i;

	if (file == NULL)
		return NULL;
	for (i = set->nfiles; i-- > 0;)
		if (strcmp(set->file[i], file) == 0)
			return set->file[i];
	set->file = recallocarray(set->file, set->nfiles, set->nfiles + 1,
	    sizeof(*set->file));
	if (set->file == NULL ||
	    (set->file[set->nfiles] = strdup(file)) == NULL)
		fatal(NULL);
	return set->file[set->nfiles++];
}

int
ruleset_add(struct ruleset *set, const struct rule *r)
{
	struct entry	*e;
	size_t		 room;

	if (set->n >= RULES_MAX)
		return -1;
	if (set->n == set->room) {
		room = set->room == 0 ? 64 : set->room * 2;
		set->entry = recallocarray(set->entry, set->room, room,
		    sizeof(*set->entry));
		if (set->entry == NULL)
			fatal(NULL);
		set->room = room;
	}
	if ((e = calloc(1, sizeof(*e))) == NULL)
		fatal(NULL);
	rule_copy(&e->rule, r);
	e->rule.file = file_name(set, r->file);
	set->entry[set->n++] = e;
	bucket_put(set, bucket_get(node_get(set, r), r), e);
	return 0;
}

static void
unlink_entry(struct ruleset *set, struct entry *e)
{
	struct node	*node = node_get(set, &e->rule);

	bucket_take(set, bucket_get(node, &e->rule), e);
	if (!e->rule.port_any && e->rule.port_lo == e->rule.port_hi)
		port_drop_if_empty(node, e->rule.port_lo);
	node_drop_if_empty(set, node);
}

/*
 * The order of the others stays.  Nothing is freed before the end: the
 * argument may be one of the set's own rules.
 */
static size_t
remove_if(struct ruleset *set, bool (*test)(const struct rule *, const void *),
    const void *arg)
{
	struct entry	*e, *gone = NULL;
	size_t		 i, kept = 0, removed;

	for (i = 0; i < set->n; i++) {
		e = set->entry[i];
		if (test(&e->rule, arg)) {
			unlink_entry(set, e);
			e->next[CHAIN_ALL] = gone;
			gone = e;
		} else
			set->entry[kept++] = e;
	}
	removed = set->n - kept;
	set->n = kept;
	while ((e = gone) != NULL) {
		gone = e->next[CHAIN_ALL];
		entry_free(e);
	}
	return removed;
}

static bool
is_same(const struct rule *r, const void *other)
{
	return rule_same(r, other);
}

static bool
is_same_action(const struct rule *r, const void *other)
{
	return r->action == ((const struct rule *)other)->action &&
	    rule_same(r, other);
}

bool
ruleset_delete(struct ruleset *set, const struct rule *r)
{
	return remove_if(set, is_same_action, r) > 0;
}

bool
ruleset_replace(struct ruleset *set, const struct rule *r)
{
	return remove_if(set, is_same, r) > 0;
}

static bool
same_text(const struct rule *a, const struct rule *b)
{
	if (a->action != b->action || !rule_same(a, b))
		return false;
	if (a->uid_name == NULL || b->uid_name == NULL)
		return a->uid_name == b->uid_name;
	return strcmp(a->uid_name, b->uid_name) == 0;
}

bool
ruleset_has(const struct ruleset *set, const struct rule *r)
{
	char			 key[HOST_NAME_MAX_DNS];
	size_t			 len;
	enum node_class		 class = rule_key(r, key, &len);
	const struct node	*node = ruleset_node(set, class, key, len);
	const struct bucket	*b;
	const struct chain	*c;
	const struct entry	*e;

	if (node == NULL)
		return false;
	if (r->port_any)
		b = &node->any;
	else if (r->port_lo != r->port_hi)
		b = &node->ranges;
	else if ((b = node_port(node, r->port_lo)) == NULL)
		return false;
	c = names_program(r) ? bucket_program(b, exe_hash(set, r->exe),
	    r->exe) : &b->other;
	for (e = c == NULL ? NULL : c->head; e != NULL;
	    e = e->next[CHAIN_LIKE])
		if (same_text(&e->rule, r))
			return true;
	return false;
}

/* The first rule_same() one of this file, which is from file_name(). */
static struct entry *
find_in_file(const struct ruleset *set, const struct rule *r, const char *file)
{
	size_t	i;

	for (i = 0; i < set->n; i++)
		if (set->entry[i]->rule.file == file &&
		    rule_same(&set->entry[i]->rule, r))
			return set->entry[i];
	return NULL;
}

const struct rule *
ruleset_find(struct ruleset *set, const struct rule *r, const char *file)
{
	const struct entry	*e = find_in_file(set, r, file_name(set, file));

	return e == NULL ? NULL : &e->rule;
}

int
ruleset_edit_add(struct ruleset *set, const struct rule *r, const char *file,
    uint32_t line)
{
	struct entry	*e = find_in_file(set, r, file_name(set, file));
	struct rule	 last;

	if (e == NULL) {
		last = *r;
		last.file = file;
		last.line = line;
		return ruleset_add(set, &last);
	}
	e->rule.action = r->action;
	free(e->rule.uid_name);
	e->rule.uid_name = NULL;
	if (r->uid_name != NULL &&
	    (e->rule.uid_name = strdup(r->uid_name)) == NULL)
		fatal(NULL);
	return 0;
}

struct in_file {
	const struct rule	*rule;
	const char		*file;
};

static bool
is_same_in_file(const struct rule *r, const void *arg)
{
	const struct in_file	*in = arg;

	return r->file == in->file && is_same_action(r, in->rule);
}

void
ruleset_edit_delete(struct ruleset *set, const struct rule *r,
    const char *file)
{
	struct in_file	 in = { r, file_name(set, file) };
	struct rule	*each;
	uint32_t	 gone = 0;
	size_t		 i;

	for (i = 0; i < set->n; i++) {
		each = &set->entry[i]->rule;
		if (is_same_in_file(each, &in))
			gone++;
		else if (each->file == in.file)
			each->line -= gone;
	}
	(void)remove_if(set, is_same_in_file, &in);
}

size_t
ruleset_count(const struct ruleset *set)
{
	return set->n;
}

const struct rule *
ruleset_at(const struct ruleset *set, size_t i)
{
	return i < set->n ? &set->entry[i]->rule : NULL;
}

const struct rule *
ruleset_shadow(const struct ruleset *set, const struct rule *r)
{
	size_t	i;

	for (i = 0; i < set->n; i++) {
		if (rule_same(&set->entry[i]->rule, r))
			return NULL;
		if (rule_covers(&set->entry[i]->rule, r))
			return &set->entry[i]->rule;
	}
	return NULL;
}

static bool
is_expired(const struct rule *r, const void *now)
{
	return r->expires != 0 && r->expires <= *(const uint64_t *)now;
}

size_t
ruleset_expire(struct ruleset *set, uint64_t now, ruleset_expired *report,
    void *arg)
{
	size_t	i;

	for (i = 0; report != NULL && i < set->n; i++)
		if (is_expired(&set->entry[i]->rule, &now))
			report(&set->entry[i]->rule, arg);
	return remove_if(set, is_expired, &now);
}

uint64_t
ruleset_next_expiry(const struct ruleset *set)
{
	uint64_t	next = 0, when;
	size_t		i;

	for (i = 0; i < set->n; i++) {
		when = set->entry[i]->rule.expires;
		if (when != 0 && (next == 0 || when < next))
			next = when;
	}
	return next;
}
