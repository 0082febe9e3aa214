/*
 * SPDX-License-Identifier: ISC
 *
 * Packets that wait for a person.  All limits are here: what is over one is
 * judged by the configured default, counted, and said once in a while.
 */
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "ruled.h"

#define BUCKETS		1024	/* a power of two */
#define OVERLOAD_EVERY	(5ULL * 1000000000)	/* ns between two lines */

TAILQ_HEAD(pending_list, pending);
/* Programs of this host are asked about before what strangers want. */
static struct pending_list local = TAILQ_HEAD_INITIALIZER(local);
static struct pending_list strangers = TAILQ_HEAD_INITIALIZER(strangers);
static LIST_HEAD(, pending) by_key[BUCKETS];
static LIST_HEAD(, conn) by_tuple[BUCKETS];
static size_t		 entries, packets, inbound;
static uint64_t		 hash_key;

void
pending_init(void)
{
	arc4random_buf(&hash_key, sizeof(hash_key));
}

/* FNV-1a from a secret start: places only, never identity. */
static size_t
hash(const void *data, size_t len, uint64_t h)
{
	const uint8_t	*p = data;
	size_t		 i;

	h ^= hash_key;
	for (i = 0; i < len; i++)
		h = (h ^ p[i]) * 0x100000001b3ULL;
	return (h ^ (h >> 32)) & (BUCKETS - 1);
}

static size_t
tuple_hash(const struct tuple *t)
{
	size_t	h;

	h = hash(t->src.b, sizeof(t->src.b), t->proto);
	h = hash(t->dst.b, sizeof(t->dst.b), h);
	return hash(&t->sport, sizeof(t->sport), h + t->dport);
}

static bool
tuple_same(const struct tuple *a, const struct tuple *b)
{
	return a->proto == b->proto && a->sport == b->sport &&
	    a->dport == b->dport && addr_eq(&a->src, &b->src) &&
	    addr_eq(&a->dst, &b->dst);
}

static struct pending_list *
list_of(enum direction dir)
{
	return dir == DIR_IN ? &strangers : &local;
}

/* The key of an entry: what one answer would be about. */
static void
key_of(const struct conn *c, struct pending *key)
{
	char	addr[ADDR_STR_MAX];

	memset(key, 0, sizeof(*key));
	key->dir = c->dir;
	key->proto = c->tuple.proto;
	key->port = c->tuple.dport;
	key->has_uid = c->who->is->has_uid;
	key->uid = c->who->is->uid;
	key->who = c->who;
	(void)strlcpy(key->dest, c->name != NULL ? c->name :
	    addr_print(&c->tuple.dst, addr), sizeof(key->dest));
}

static size_t
key_hash(const struct pending *k)
{
	return hash(k->dest, strlen(k->dest),
	    (uint64_t)k->port << 16 | (uint64_t)k->proto << 8 | k->dir);
}

/*
 * However it was found out, the same executable is the same program.  Without
 * one a process is the same as itself alone; and of packets that nobody is
 * known of at least the user is the same (same_program).
 */
static bool
same_who(const struct whois *a, const struct whois *b)
{
	if (a->exe[0] != '\0' || b->exe[0] != '\0')
		return strcmp(a->exe, b->exe) == 0;
	return a->pid == b->pid &&
	    (a->source == WHO_KERNEL) == (b->source == WHO_KERNEL);
}

static bool
same_program(const struct pending *a, const struct pending *b)
{
	return a->dir == b->dir && a->has_uid == b->has_uid &&
	    a->uid == b->uid && same_who(a->who->is, b->who->is);
}

static bool
key_same(const struct pending *a, const struct pending *b)
{
	return a->proto == b->proto && a->port == b->port &&
	    same_program(a, b) && strcmp(a->dest, b->dest) == 0;
}

static struct pending *
entry_find(const struct pending *key)
{
	struct pending	*p;

	LIST_FOREACH(p, &by_key[key_hash(key)], by_key)
		if (key_same(p, key))
			return p;
	return NULL;
}

static struct pending *
entry_new(const struct pending *key)
{
	struct pending	*p;

	if ((p = malloc(sizeof(*p))) == NULL)
		fatal(NULL);
	*p = *key;
	p->who = who_ref(key->who);
	p->since = now_mono();
	TAILQ_INIT(&p->conns);
	LIST_INSERT_HEAD(&by_key[key_hash(p)], p, by_key);
	TAILQ_INSERT_TAIL(list_of(p->dir), p, entry);
	entries++;
	return p;
}

static void
entry_end(struct pending *p)
{
	ask_gone(p);
	LIST_REMOVE(p, by_key);
	TAILQ_REMOVE(list_of(p->dir), p, entry);
	who_unref(p->who);
	free(p);
	entries--;
}

static size_t
packets_of_uid(uint32_t uid)
{
	struct pending	*p;
	size_t		 n = 0;

	TAILQ_FOREACH(p, &local, entry)
		if (p->has_uid && p->uid == uid)
			n += p->count;
	return n;
}

void
pending_overload(const char *what)
{
	static uint64_t	said;
	uint64_t	now = now_mono();

	if (said != 0 && now - said < OVERLOAD_EVERY)
		return;
	said = now;
	line_error("too many %s wait for an answer; %s", what,
	    action_name((enum action)config.unanswered));
}

static bool
is_full(const struct pending *key)
{
	const char	*what = NULL;

	if (packets >= PENDING_MAX)
		what = "packets";
	else if (key->dir == DIR_IN && inbound >= PENDING_IN_MAX)
		what = "inbound packets";
	else if (key->dir != DIR_IN && key->has_uid &&
	    packets_of_uid(key->uid) >= PENDING_UID_MAX)
		what = "packets of one user";
	if (what == NULL)
		return false;
	pending_overload(what);
	return true;
}

static void
entry_take(struct pending *p, struct conn *c)
{
	c->state = CONN_PENDING;
	c->pending = p;
	TAILQ_INSERT_TAIL(&p->conns, c, entry);
	LIST_INSERT_HEAD(&by_tuple[tuple_hash(&c->tuple)], c, by_tuple);
	p->count++;
	packets++;
	if (p->dir == DIR_IN)
		inbound++;
}

void
pending_add(struct conn *c)
{
	struct pending	 key, *p;

	if (!ask_possible()) {
		judge_default(c, REASON_NOBODY);
		return;
	}
	key_of(c, &key);
	if (is_full(&key)) {
		judge_default(c, REASON_OVERLOAD);
		return;
	}
	if ((p = entry_find(&key)) == NULL)
		p = entry_new(&key);
	entry_take(p, c);
	ask_changed();
}

bool
pending_join(struct conn *c)
{
	struct conn	*first;

	LIST_FOREACH(first, &by_tuple[tuple_hash(&c->tuple)], by_tuple)
		if (first->hook == c->hook &&
		    tuple_same(&first->tuple, &c->tuple))
			break;
	if (first == NULL)
		return false;
	/* Another user may have taken the address and port over. */
	if ((first->flags & PACKET_HAS_UID) && (c->flags & PACKET_HAS_UID) &&
	    first->uid != c->uid)
		return false;
	c->again = true;
	c->who = who_ref(first->who);
	conn_set_name(c, first->name);
	/* The limits are for one who sends the same again and again, too. */
	if (is_full(first->pending)) {
		judge_default(c, REASON_OVERLOAD);
		return true;
	}
	entry_take(first->pending, c);
	ask_changed();
	return true;
}

void
pending_remove(struct conn *c)
{
	struct pending	*p = c->pending;

	TAILQ_REMOVE(&p->conns, c, entry);
	LIST_REMOVE(c, by_tuple);
	c->pending = NULL;
	p->count--;
	packets--;
	if (p->dir == DIR_IN)
		inbound--;
	if (TAILQ_EMPTY(&p->conns))
		entry_end(p);
}

static void
rematch_list(struct pending_list *list)
{
	struct pending	*p, *next;
	struct conn	*c, *nextc;

	TAILQ_FOREACH_SAFE(p, list, entry, next)
		TAILQ_FOREACH_SAFE(c, &p->conns, entry, nextc)
			(void)judge_match(c);	/* judged: gone; else waits */
}

void
pending_rematch(void)
{
	rematch_list(&local);
	rematch_list(&strangers);
	ask_changed();
}

struct pending *
pending_first(void)
{
	return !TAILQ_EMPTY(&local) ? TAILQ_FIRST(&local) :
	    TAILQ_FIRST(&strangers);
}

struct pending *
pending_next(const struct pending *p)
{
	if (TAILQ_NEXT(p, entry) != NULL)
		return TAILQ_NEXT(p, entry);
	return p->dir == DIR_IN ? NULL : TAILQ_FIRST(&strangers);
}

size_t
pending_entries(void)
{
	return entries;
}

size_t
pending_packets(void)
{
	return packets;
}

void
pending_decide(struct pending *p, enum action action, enum reason reason,
    const struct rule *rule)
{
	uint32_t	n = p->count;

	/* The last one ends the entry. */
	while (n-- > 0)
		judge_decide(TAILQ_FIRST(&p->conns), action, reason, rule);
}

static bool
covers_addresses(const struct rule *r, const struct tuple *t)
{
	if (r->kind == DST_ADDR && !prefix_covers(&r->prefix, &t->dst))
		return false;
	return r->from != FROM_PREFIX ||
	    prefix_covers(&r->from_prefix, &t->src);
}

void
pending_decide_covered(struct pending *p, const struct rule *rule,
    enum reason reason, const struct rule *logged)
{
	struct conn	*c, *next;

	/* The last one ends the entry. */
	for (c = TAILQ_FIRST(&p->conns); c != NULL; c = next) {
		next = TAILQ_NEXT(c, entry);
		if (covers_addresses(rule, &c->tuple))
			judge_decide(c, rule->action, reason, logged);
	}
}

void
pending_decide_program(struct pending *of, enum reason reason)
{
	struct pending	*p, *next, like = *of;

	like.who = who_ref(of->who);
	TAILQ_FOREACH_SAFE(p, list_of(like.dir), entry, next)
		if (same_program(p, &like))
			pending_decide(p, (enum action)config.unanswered,
			    reason, NULL);
	who_unref(like.who);
}

void
pending_decide_all(enum reason reason)
{
	struct pending	*p;

	while ((p = pending_first()) != NULL)
		pending_decide(p, (enum action)config.unanswered, reason,
		    NULL);
}
