/*
 * SPDX-License-Identifier: ISC
 *
 * Set-associative: each bucket has a few places and the oldest one makes
 * room, so that a flood costs its own bucket and never the table.
 */
#include <stdlib.h>
#include <string.h>

#include "flows.h"

#define WAYS	8
#define BUCKETS	(FLOWS_MAX / WAYS)

struct flow {
	struct tuple	tuple;
	uint64_t	ends;	/* 0: free */
};

struct flows {
	uint64_t	key;
	struct flow	flow[BUCKETS][WAYS];
};

struct flows *
flows_new(uint64_t key)
{
	struct flows	*f;

	if ((f = calloc(1, sizeof(*f))) != NULL)
		f->key = key;
	return f;
}

void
flows_free(struct flows *f)
{
	free(f);
}

/* splitmix64's finisher: a keyed mix is enough for places in a cache. */
static uint64_t
mix(uint64_t h, uint64_t v)
{
	h ^= v;
	h ^= h >> 30;
	h *= 0xbf58476d1ce4e5b9ULL;
	h ^= h >> 27;
	h *= 0x94d049bb133111ebULL;
	return h ^ (h >> 31);
}

static uint64_t
mix_addr(uint64_t h, const struct addr *a)
{
	uint64_t	half[2];

	memcpy(half, a->b, sizeof(half));
	return mix(mix(h, half[0]), half[1] + a->af);
}

static struct flow *
bucket(struct flows *f, const struct tuple *t)
{
	uint64_t	h = f->key;

	h = mix_addr(h, &t->src);
	h = mix_addr(h, &t->dst);
	h = mix(h, (uint64_t)t->sport << 32 | (uint64_t)t->dport << 16 |
	    t->proto);
	return f->flow[h % BUCKETS];
}

static bool
tuple_eq(const struct tuple *a, const struct tuple *b)
{
	return a->proto == b->proto && a->sport == b->sport &&
	    a->dport == b->dport && addr_eq(&a->src, &b->src) &&
	    addr_eq(&a->dst, &b->dst);
}

static uint64_t
life(const struct tuple *t)
{
	return t->proto == 6 ? FLOWS_LIFE_TCP : FLOWS_LIFE_UDP;
}

static struct flow *
find(struct flows *f, const struct tuple *t, uint64_t now)
{
	struct flow	*b = bucket(f, t);
	size_t		 i;

	for (i = 0; i < WAYS; i++)
		if (b[i].ends > now && tuple_eq(&b[i].tuple, t))
			return &b[i];
	return NULL;
}

void
flows_add(struct flows *f, const struct tuple *t, uint64_t now)
{
	struct flow	*b = bucket(f, t), *place = find(f, t, now);
	size_t		 i;

	if (place == NULL) {
		place = &b[0];
		for (i = 1; i < WAYS; i++)
			if (b[i].ends < place->ends)
				place = &b[i];
	}
	place->tuple = *t;
	place->ends = now + life(t);
}

bool
flows_known(struct flows *f, const struct tuple *t, uint64_t now)
{
	struct tuple	 back = *t;
	struct flow	*hit;

	back.src = t->dst;
	back.dst = t->src;
	back.sport = t->dport;
	back.dport = t->sport;
	if ((hit = find(f, t, now)) == NULL &&
	    (hit = find(f, &back, now)) == NULL)
		return false;
	hit->ends = now + life(t);
	return true;
}
