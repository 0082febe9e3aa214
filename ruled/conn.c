/*
 * SPDX-License-Identifier: ISC
 *
 * Packets on their way through ruled.  Conns are never given back to the
 * allocator but kept for the next packet: a flood costs what its highest
 * wave cost, CONN_MAX at most, and no malloc(3) a packet but for its name.
 * They are small: hundreds wait for their log lines, and shall fit a cache.
 */
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "ruled.h"

#define SLAB		64
#define NUMBER_BUCKETS	8192	/* a power of two */

LIST_HEAD(conn_list, conn);
static struct conn_list	by_number[NUMBER_BUCKETS];
static struct conn_list	unused;
static size_t		allocated;

static struct conn_list *
bucket(uint64_t number)
{
	return &by_number[number & (NUMBER_BUCKETS - 1)];
}

static int
slab_add(void)
{
	struct conn	*slab;
	size_t		 i;

	if (allocated >= CONN_MAX)
		return -1;
	if ((slab = calloc(SLAB, sizeof(*slab))) == NULL)
		fatal(NULL);
	for (i = 0; i < SLAB; i++)
		LIST_INSERT_HEAD(&unused, &slab[i], by_number);
	allocated += SLAB;
	return 0;
}

/* NULL when CONN_MAX packets are held already. */
struct conn *
conn_new(const struct msg_packet *p, uint64_t time)
{
	struct conn	*c;

	if (LIST_EMPTY(&unused) && slab_add() == -1)
		return NULL;
	c = LIST_FIRST(&unused);
	LIST_REMOVE(c, by_number);
	memset(c, 0, sizeof(*c));
	c->id = p->id;
	c->mark = p->mark;
	c->number = p->number;
	c->time = time;
	c->hook = p->hook;
	c->flags = p->flags;
	c->uid = p->uid;
	c->indev = p->indev;
	c->outdev = p->outdev;
	switch (p->hook) {
	case HOOK_IN:
		c->dir = DIR_IN;
		break;
	case HOOK_FORWARD:
		c->dir = DIR_FORWARD;
		break;
	default:
		c->dir = DIR_OUT;
	}
	LIST_INSERT_HEAD(bucket(c->number), c, by_number);
	return c;
}

void
conn_free(struct conn *c)
{
	who_unref(c->who);
	free(c->name);
	free(c->rule);
	LIST_REMOVE(c, by_number);
	LIST_INSERT_HEAD(&unused, c, by_number);
}

struct conn *
conn_by_number(uint64_t number)
{
	struct conn	*c;

	LIST_FOREACH(c, bucket(number), by_number)
		if (c->number == number)
			return c;
	return NULL;
}

void
conn_set_name(struct conn *c, const char *name)
{
	free(c->name);
	c->name = NULL;
	if (name != NULL && (c->name = strdup(name)) == NULL)
		fatal(NULL);
}

struct who *
who_new(const struct whois *is)
{
	struct who	*w;

	if ((w = calloc(1, sizeof(*w))) == NULL ||
	    (w->is = malloc(sizeof(*w->is))) == NULL)
		fatal(NULL);
	*w->is = *is;
	w->refs = 1;
	return w;
}

struct who *
who_ref(struct who *w)
{
	w->refs++;
	return w;
}

void
who_unref(struct who *w)
{
	if (w == NULL || --w->refs > 0)
		return;
	free(w->text);
	free(w->is);
	free(w);
}
