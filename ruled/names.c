/*
 * SPDX-License-Identifier: ISC
 *
 * Replies are written by the resolver, or by whoever can forge its address;
 * the names and addresses in them by whoever owns the names asked for.  A
 * reply teaches only when it answers a query that left this host: same
 * addresses, ports, id, question and type, case included (resolvers that
 * vary it, "0x20", thereby add bits a forger has to guess), once, within
 * seconds.  It teaches the name of the *question*, since that is what the
 * program asked for and what a person would recognise, for the addresses
 * that the question leads to through CNAMEs.
 *
 * A site may publish any address under its own name.  So addresses of this
 * host, loopback, link-local and multicast ones are never given a name (else
 * a rule for that site would cover them), and nothing is named "localhost".
 *
 * The names file is the administrator's, but was written by this code from
 * such replies, and may be damaged in any way.
 *
 * Sizes: a pair takes some 140 bytes, so the full table 9 MB; typically
 * there are a few hundred.  An unanswered query takes 400.  Both tables are
 * hashed with a secret key.
 */
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/queue.h>
#include <sys/socket.h>

#include "names.h"
#include "siphash.h"

#define PAIR_SLOTS	16384	/* powers of two */
#define QUERY_SLOTS	1024
#define QUERY_BLOCK	64	/* made at once, when none is spare */
#define SHARES		64	/* askers are counted in so many groups */
#define SWEEP_SLOTS	16	/* looked through at each new pair */

/* names_next's iterator: the slot above, the place in it below. */
#define ITER_BITS	17

struct asker {
	uint32_t	who;
	uint32_t	until;	/* seconds: keeps a pair small */
};

struct pair {
	LIST_ENTRY(pair)	slot;	/* freshest first */
	TAILQ_ENTRY(pair)	age;	/* freshest last */
	uint64_t		until;
	uint64_t		crowded;	/* until then a name that made
						   room for this one was live */
	struct addr		addr;
	uint8_t			naskers;
	struct asker		asker[NAMES_ASKERS];	/* freshest first */
	char			name[];	/* lower case */
};
LIST_HEAD(pair_slot, pair);
TAILQ_HEAD(pair_age, pair);

struct query {
	LIST_ENTRY(query)	slot;	/* or the list of free ones */
	TAILQ_ENTRY(query)	age;
	TAILQ_ENTRY(query)	mine;	/* of the same share */
	struct tuple		sent;
	uint64_t		when;
	uint32_t		asker;
	uint16_t		id;
	uint16_t		type;
	char			name[HOST_NAME_MAX_DNS];	/* as sent */
};
LIST_HEAD(query_slot, query);
TAILQ_HEAD(query_age, query);

/* Never given back, but never more than the limit asks for. */
struct query_block {
	SLIST_ENTRY(query_block)	more;
	struct query			query[QUERY_BLOCK];
};
SLIST_HEAD(query_blocks, query_block);

struct share {
	struct query_age	queries;
	size_t			count;
};

struct names {
	uint8_t			key[NAMES_KEY_LEN];
	struct names_counts	counts;
	size_t			sweep;	/* next slot to look through */
	struct pair_age		by_age;
	struct query_age	asked;
	struct query_slot	spare;
	struct query_blocks	blocks;
	struct share		share[SHARES];
	struct pair_slot	pairs[PAIR_SLOTS];
	struct query_slot	queries[QUERY_SLOTS];
};

struct names *
names_new_keyed(const uint8_t key[NAMES_KEY_LEN])
{
	struct names	*n;
	size_t		 i;

	/* All lists but the queues are empty when zero. */
	if ((n = calloc(1, sizeof(*n))) == NULL)
		return NULL;
	memcpy(n->key, key, sizeof(n->key));
	TAILQ_INIT(&n->by_age);
	TAILQ_INIT(&n->asked);
	for (i = 0; i < SHARES; i++)
		TAILQ_INIT(&n->share[i].queries);
	return n;
}

struct names *
names_new(void)
{
	/* Sixteen bytes that no other process knows; no system call. */
	const uint8_t	*key = (const uint8_t *)getauxval(AT_RANDOM);

	return key == NULL ? NULL : names_new_keyed(key);
}

/*
 * Pairs
 */

static struct pair_slot *
pair_slot(struct names *n, const struct addr *addr)
{
	uint64_t	h = siphash(n->key, addr->b, sizeof(addr->b));

	return &n->pairs[(h + addr->af) % PAIR_SLOTS];
}

static const struct pair_slot *
pair_slot_const(const struct names *n, const struct addr *addr)
{
	uint64_t	h = siphash(n->key, addr->b, sizeof(addr->b));

	return &n->pairs[(h + addr->af) % PAIR_SLOTS];
}

static void
pair_free(struct names *n, struct pair *p)
{
	LIST_REMOVE(p, slot);
	TAILQ_REMOVE(&n->by_age, p, age);
	free(p);
	n->counts.pairs--;
}

static void
pair_evict(struct names *n, struct pair *p, uint64_t now)
{
	if (p->until > now)
		n->counts.evicted++;
	pair_free(n, p);
}

void
names_free(struct names *n)
{
	struct query_block	*block;
	struct pair		*p;

	if (n == NULL)
		return;
	while ((p = TAILQ_FIRST(&n->by_age)) != NULL)
		pair_free(n, p);
	while ((block = SLIST_FIRST(&n->blocks)) != NULL) {
		SLIST_REMOVE_HEAD(&n->blocks, more);
		free(block);
	}
	free(n);
}

/* Expired pairs are passed over where they stand; this gives them back. */
static void
pairs_sweep(struct names *n, uint64_t now)
{
	struct pair	*p, *next;
	size_t		 i;

	for (i = 0; i < SWEEP_SLOTS; i++) {
		LIST_FOREACH_SAFE(p, &n->pairs[n->sweep], slot, next)
			if (p->until <= now && p->crowded <= now)
				pair_free(n, p);
		n->sweep = (n->sweep + 1) % PAIR_SLOTS;
	}
}

/*
 * Makes room for one more pair of this address, by a dead one if there is
 * one.  Returns until when any that had to go would have lived: somebody who
 * has sixteen names for another's address must not be able to make it look
 * as if that other's name had never been there.
 */
static uint64_t
pairs_trim(struct names *n, const struct addr *addr, uint64_t now)
{
	struct pair	*p, *victim = NULL;
	size_t		 same = 0;
	uint64_t	 crowded = 0;

	LIST_FOREACH(p, pair_slot(n, addr), slot) {
		if (!addr_eq(&p->addr, addr))
			continue;
		same++;
		if (crowded < p->crowded)
			crowded = p->crowded;
		if (victim == NULL || p->until <= now || victim->until > now)
			victim = p;
	}
	if (same >= NAMES_PER_ADDR) {
		if (crowded < victim->until)
			crowded = victim->until;
		pair_evict(n, victim, now);
	}
	if (n->counts.pairs >= NAMES_MAX)
		pair_evict(n, TAILQ_FIRST(&n->by_age), now);
	return crowded;
}

static struct pair *
pair_new(struct names *n, const char *name, const struct addr *addr,
    uint64_t now)
{
	struct pair	*p;
	size_t		 len = strlen(name) + 1;
	uint64_t	 crowded;

	pairs_sweep(n, now);
	crowded = pairs_trim(n, addr, now);
	if ((p = calloc(1, sizeof(*p) + len)) == NULL) {
		n->counts.nomem++;
		return NULL;
	}
	p->addr = *addr;
	p->crowded = crowded;
	memcpy(p->name, name, len);
	LIST_INSERT_HEAD(pair_slot(n, addr), p, slot);
	TAILQ_INSERT_TAIL(&n->by_age, p, age);
	n->counts.pairs++;
	return p;
}

static struct pair *
pair_find(const struct names *n, const char *name, const struct addr *addr)
{
	struct pair	*p;

	LIST_FOREACH(p, pair_slot_const(n, addr), slot)
		if (addr_eq(&p->addr, addr) && dns_name_same(p->name, name))
			return p;
	return NULL;
}

static uint32_t
seconds(uint64_t ns)
{
	ns /= NAMES_SECOND;
	return ns > UINT32_MAX ? UINT32_MAX : (uint32_t)ns;
}

/* The pair's askers, this one first. */
static void
pair_asked_by(struct pair *p, uint32_t who, uint64_t until)
{
	size_t	i;

	for (i = 0; i < p->naskers; i++)
		if (p->asker[i].who == who)
			break;
	if (i == p->naskers) {
		if (p->naskers < NAMES_ASKERS)
			p->naskers++;
		else
			i--;	/* the oldest makes room */
	}
	for (; i > 0; i--)
		p->asker[i] = p->asker[i - 1];
	p->asker[0].who = who;
	p->asker[0].until = seconds(until);
}

/*
 * Learns or refreshes; NULL when out of memory.  A shorter time to live does
 * not shorten what an earlier reply promised: programs still hold that one.
 */
static struct pair *
pair_learn(struct names *n, const char *name, const struct addr *addr,
    uint64_t until, uint64_t now, bool *fresh)
{
	struct pair	*p;

	if ((p = pair_find(n, name, addr)) == NULL) {
		*fresh = true;
		if ((p = pair_new(n, name, addr, now)) == NULL)
			return NULL;
	} else {
		*fresh = p->until <= now;
		LIST_REMOVE(p, slot);
		LIST_INSERT_HEAD(pair_slot(n, addr), p, slot);
		TAILQ_REMOVE(&n->by_age, p, age);
		TAILQ_INSERT_TAIL(&n->by_age, p, age);
	}
	if (*fresh) {
		n->counts.learnt++;
		p->naskers = 0;
	}
	if (p->until < until)
		p->until = until;
	return p;
}

/*
 * What may have a name.  An IPv4 address mapped into IPv6 is turned into
 * itself first: that is what a program's connect() makes of it.
 */
static bool
addr_nameable(struct addr *a)
{
	static const uint8_t	mapped[12] = { [10] = 0xff, [11] = 0xff };
	static const uint8_t	none[16];
	struct addr		v4 = { .af = AF_INET };

	if (a->af == AF_INET6 &&
	    memcmp(a->b, mapped, sizeof(mapped)) == 0) {
		memcpy(v4.b, a->b + sizeof(mapped), 4);
		*a = v4;
	}
	if (addr_size(a->af) == 0 || addr_is_loopback(a) ||
	    addr_is_linklocal(a) || addr_is_multicast(a))
		return false;
	/* 0.0.0.0/8 and ::, which connect() takes for this host. */
	if (a->af == AF_INET)
		return a->b[0] != 0;
	return memcmp(a->b, none, sizeof(none)) != 0;
}

/* "localhost" is this host and nobody else (RFC 6761). */
static bool
name_nameable(const char *name)
{
	static const char	self[] = "localhost";
	size_t			len = strlen(name), tail = sizeof(self) - 1;

	if (!dns_name_ok(name))
		return false;
	if (len < tail || !dns_name_same(name + len - tail, self))
		return true;
	return len > tail && name[len - tail - 1] != '.';
}

/*
 * Queries
 */

static struct query_slot *
query_slot(struct names *n, uint16_t id, uint16_t port, const char *name)
{
	uint8_t	buf[4 + HOST_NAME_MAX_DNS];
	size_t	len = strnlen(name, HOST_NAME_MAX_DNS);

	memcpy(buf, &id, 2);
	memcpy(buf + 2, &port, 2);
	memcpy(buf + 4, name, len);
	return &n->queries[siphash(n->key, buf, 4 + len) % QUERY_SLOTS];
}

static struct share *
query_share(struct names *n, uint32_t asker)
{
	return &n->share[siphash(n->key, &asker, sizeof(asker)) % SHARES];
}

static bool
tuple_same(const struct tuple *a, const struct tuple *b)
{
	return a->proto == b->proto && a->sport == b->sport &&
	    a->dport == b->dport && addr_eq(&a->src, &b->src) &&
	    addr_eq(&a->dst, &b->dst);
}

static struct query *
query_find(struct names *n, const struct tuple *sent, const struct dns_msg *m)
{
	struct query	*q;

	LIST_FOREACH(q, query_slot(n, m->id, sent->sport, m->qname), slot)
		if (q->id == m->id && q->type == m->qtype &&
		    tuple_same(&q->sent, sent) &&
		    strcmp(q->name, m->qname) == 0)
			return q;
	return NULL;
}

static void
query_forget(struct names *n, struct query *q)
{
	struct share	*share = query_share(n, q->asker);

	LIST_REMOVE(q, slot);
	TAILQ_REMOVE(&n->asked, q, age);
	TAILQ_REMOVE(&share->queries, q, mine);
	share->count--;
	n->counts.queries--;
	LIST_INSERT_HEAD(&n->spare, q, slot);
}

/* False also when the clock went backwards: then nothing is certain. */
static bool
query_live(const struct query *q, uint64_t now)
{
	return now - q->when <= NAMES_QUERY_LIFE;
}

/* A spare one, or NULL when out of memory. */
static struct query *
query_take(struct names *n)
{
	struct query_block	*block;
	struct query		*q;
	size_t			 i;

	if (LIST_EMPTY(&n->spare)) {
		if ((block = calloc(1, sizeof(*block))) == NULL) {
			n->counts.nomem++;
			return NULL;
		}
		SLIST_INSERT_HEAD(&n->blocks, block, more);
		for (i = 0; i < QUERY_BLOCK; i++)
			LIST_INSERT_HEAD(&n->spare, &block->query[i], slot);
	}
	q = LIST_FIRST(&n->spare);
	LIST_REMOVE(q, slot);
	return q;
}

/* At a limit the oldest is forgotten: the asker's own first. */
static struct query *
query_new(struct names *n, struct share *share, uint64_t now)
{
	struct query	*q;

	while ((q = TAILQ_FIRST(&n->asked)) != NULL && !query_live(q, now))
		query_forget(n, q);
	if (share->count >= NAMES_QUERIES_ASKER) {
		query_forget(n, TAILQ_FIRST(&share->queries));
		n->counts.unheeded++;
	}
	if (n->counts.queries >= NAMES_QUERIES) {
		query_forget(n, TAILQ_FIRST(&n->asked));
		n->counts.unheeded++;
	}
	return query_take(n);
}

void
names_query(struct names *n, const struct tuple *sent,
    const struct dns_msg *m, uint32_t asker, uint64_t now)
{
	struct share	*share = query_share(n, asker);
	struct query	*q;

	if (m->reply || m->qname[0] == '\0')
		return;
	if ((q = query_find(n, sent, m)) != NULL)
		query_forget(n, q);	/* sent again */
	if ((q = query_new(n, share, now)) == NULL)
		return;
	q->sent = *sent;
	q->when = now;
	q->asker = asker;
	q->id = m->id;
	q->type = m->qtype;
	memcpy(q->name, m->qname, sizeof(q->name));
	LIST_INSERT_HEAD(query_slot(n, q->id, sent->sport, q->name), q, slot);
	TAILQ_INSERT_TAIL(&n->asked, q, age);
	TAILQ_INSERT_TAIL(&share->queries, q, mine);
	share->count++;
	n->counts.queries++;
}

/*
 * Replies
 */

/* One reply that answers a query. */
struct lesson {
	struct names	*n;
	const char	*name;	/* the question's, lower case */
	uint32_t	 asker;
	uint64_t	 now;
	bool		(*refuse)(const struct addr *, void *);
	names_learnt	*learnt;
	void		*arg;
};

static uint64_t
ttl_ns(uint32_t ttl)
{
	uint64_t	ns;

	if (ttl > NAMES_TTL_MAX)
		ttl = NAMES_TTL_MAX;
	ns = ttl * NAMES_SECOND;
	return ns < NAMES_FLOOR ? NAMES_FLOOR : ns;
}

static void
learn_addr(const struct lesson *l, const struct dns_answer *a)
{
	struct addr	 addr = a->addr;
	struct pair	*p;
	uint64_t	 until = l->now + ttl_ns(a->ttl);
	bool		 fresh;

	if (!addr_nameable(&addr) ||
	    (l->refuse != NULL && l->refuse(&addr, l->arg))) {
		l->n->counts.refused++;
		return;
	}
	p = pair_learn(l->n, l->name, &addr, until, l->now, &fresh);
	if (p == NULL)
		return;
	pair_asked_by(p, l->asker, until);
	if (fresh && l->learnt != NULL)
		l->learnt(p->name, &addr, l->arg);
}

/*
 * From the question along the CNAMEs (and HTTPS aliases) in the answer; what
 * is not on that way teaches nothing.  A loop only goes round until the
 * bound.
 */
static void
learn_chain(const struct lesson *l, const struct dns_msg *m)
{
	const struct dns_answer	*a;
	const char		*at = l->name, *next;
	size_t			 hop, i;

	for (hop = 0; at != NULL && hop <= NAMES_CHAIN_MAX; hop++) {
		next = NULL;
		for (i = 0; i < m->nanswers; i++) {
			a = &m->answer[i];
			if (!dns_name_same(a->owner, at))
				continue;
			if (a->addr.af != 0)
				learn_addr(l, a);
			else if (next == NULL)
				next = a->target;
		}
		at = next;
	}
}

int
names_reply(struct names *n, const struct tuple *got, const struct dns_msg *m,
    uint64_t now, bool (*refuse)(const struct addr *, void *),
    names_learnt *learnt, void *arg)
{
	struct tuple	 sent = { .src = got->dst, .dst = got->src,
	    .proto = got->proto, .sport = got->dport, .dport = got->sport };
	struct lesson	 l = { .n = n, .now = now, .refuse = refuse,
	    .learnt = learnt, .arg = arg };
	struct query	*q;
	char		 name[HOST_NAME_MAX_DNS];

	if (!m->reply || (q = query_find(n, &sent, m)) == NULL ||
	    !query_live(q, now)) {
		n->counts.unpaired++;
		return -1;
	}
	l.asker = q->asker;
	query_forget(n, q);	/* a second reply is somebody else's */
	if (m->rcode != 0)
		return 0;
	memcpy(name, m->qname, sizeof(name));
	dns_name_lower(name);
	if (!name_nameable(name)) {
		n->counts.refused++;
		return 0;
	}
	l.name = name;
	learn_chain(&l, m);
	return 0;
}

/*
 * Questions about the table
 */

size_t
names_of(const struct names *n, const struct addr *addr, uint64_t now,
    const char *out[], size_t max, size_t *total)
{
	const struct pair	*p;
	size_t			 count = 0, all = 0, gone = 0;

	LIST_FOREACH(p, pair_slot_const(n, addr), slot) {
		if (!addr_eq(&p->addr, addr))
			continue;
		if (p->crowded > now)
			gone = 1;
		if (p->until <= now)
			continue;
		all++;
		if (count < max)
			out[count++] = p->name;
	}
	if (total != NULL)
		*total = all + gone;
	return count;
}

bool
names_asked(const struct names *n, const char *name, const struct addr *addr,
    uint32_t asker, uint64_t now)
{
	const struct pair	*p = pair_find(n, name, addr);
	size_t			 i;

	if (p == NULL || p->until <= now)
		return false;
	for (i = 0; i < p->naskers; i++)
		if (p->asker[i].who == asker)
			return p->asker[i].until > seconds(now);
	return false;
}

bool
names_next(const struct names *n, size_t *iter, uint64_t now,
    const char **name, struct addr *addr, uint64_t *left_ns)
{
	const struct pair	*p;
	size_t			 slot = *iter >> ITER_BITS, at, i;

	at = *iter & (((size_t)1 << ITER_BITS) - 1);
	for (; slot < PAIR_SLOTS; slot++, at = 0) {
		i = 0;
		LIST_FOREACH(p, &n->pairs[slot], slot) {
			if (i++ < at || p->until <= now)
				continue;
			*iter = slot << ITER_BITS | i;
			*name = p->name;
			*addr = p->addr;
			*left_ns = p->until - now;
			return true;
		}
	}
	*iter = slot << ITER_BITS;
	return false;
}

void
names_count(const struct names *n, struct names_counts *counts)
{
	*counts = n->counts;
}

/*
 * The file
 */

static bool
is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f';
}

/*
 * The next word of a line, up to a comment; its length, 0 at the end.  SIZE_MAX
 * when it does not fit.
 */
static size_t
word_get(const char **at, const char *end, char *out, size_t size)
{
	const char	*p = *at, *start;
	size_t		 len;

	while (p < end && is_space(*p))
		p++;
	for (start = p; p < end && !is_space(*p) && *p != '#'; p++)
		;
	*at = p;
	len = (size_t)(p - start);
	if (len >= size || memchr(start, '\0', len) != NULL)
		return SIZE_MAX;
	memcpy(out, start, len);
	out[len] = '\0';
	return len;
}

/* False for a line that is neither a pair, blank nor a comment. */
static bool
line_load(struct names *n, const char *line, size_t len, uint64_t now)
{
	const char	*at = line, *end = line + len;
	char		 name[HOST_NAME_MAX_DNS], text[ADDR_STR_MAX], more[1];
	struct addr	 addr;
	size_t		 words;
	bool		 fresh;

	if ((words = word_get(&at, end, name, sizeof(name))) == 0)
		return true;
	if (words == SIZE_MAX ||
	    (words = word_get(&at, end, text, sizeof(text))) == 0 ||
	    words == SIZE_MAX || word_get(&at, end, more, sizeof(more)) != 0)
		return false;
	dns_name_lower(name);
	if (!name_nameable(name) || addr_parse(text, &addr) == -1 ||
	    !addr_nameable(&addr))
		return false;
	(void)pair_learn(n, name, &addr, now + NAMES_FLOOR, now, &fresh);
	return true;
}

int
names_load(struct names *n, const char *text, size_t len, uint64_t now)
{
	const char	*nl;
	size_t		 line;
	int		 bad = 0;

	while (len > 0) {
		nl = memchr(text, '\n', len);
		line = nl == NULL ? len : (size_t)(nl - text);
		if (!line_load(n, text, line, now) && bad < INT_MAX)
			bad++;
		if (nl != NULL)
			line++;
		text += line;
		len -= line;
	}
	return bad;
}

/* The oldest pair from which on all live ones fit; sets the room they need. */
static const struct pair *
save_first(const struct names *n, uint64_t now, size_t *room)
{
	const struct pair	*p, *first = NULL;
	size_t			 size;

	*room = 1;
	TAILQ_FOREACH_REVERSE(p, &n->by_age, pair_age, age) {
		if (p->until <= now)
			continue;
		size = strlen(p->name) + 1 + ADDR_STR_MAX;
		if (size > NAMES_SAVE_MAX - *room)
			break;
		*room += size;
		first = p;
	}
	return first;
}

size_t
names_save(const struct names *n, uint64_t now, char **text)
{
	const struct pair	*p;
	char			 addr[ADDR_STR_MAX];
	size_t			 room, part, len = 0;

	p = save_first(n, now, &room);
	if ((*text = malloc(room)) == NULL)
		return 0;
	for (; p != NULL; p = TAILQ_NEXT(p, age)) {
		if (p->until <= now)
			continue;
		part = strlen(p->name);
		memcpy(*text + len, p->name, part);
		len += part;
		(*text)[len++] = ' ';
		addr_print(&p->addr, addr);
		part = strlen(addr);
		memcpy(*text + len, addr, part);
		len += part;
		(*text)[len++] = '\n';
	}
	(*text)[len] = '\0';
	return len;
}
