/*
 * SPDX-License-Identifier: ISC
 *
 * A set of packet ids.  ids count up by one, but a packet held for a question
 * may be answered a million ids later, so neither a ring nor a bitmap will
 * do: a table with open addressing and linear probing, where consecutive
 * numbers fall side by side.  Nothing is ever allocated.
 */
#include "netq.h"

static uint32_t
window_find(const struct window *w, uint32_t id)
{
	uint32_t	i = id % WINDOW_SLOTS;

	/* Ends: the table is never more than three quarters full. */
	while (w->used[i] && w->id[i] != id)
		i = (i + 1) % WINDOW_SLOTS;
	return i;
}

/*
 * Empties a slot and moves later ones up, so that a search never stops at a
 * hole before what it looks for.
 */
static void
window_clear(struct window *w, uint32_t hole)
{
	uint32_t	i, home;

	for (i = (hole + 1) % WINDOW_SLOTS; w->used[i];
	    i = (i + 1) % WINDOW_SLOTS) {
		home = w->id[i] % WINDOW_SLOTS;
		/* Is the hole on the way from its home to where it is? */
		if ((i - home) % WINDOW_SLOTS < (i - hole) % WINDOW_SLOTS)
			continue;
		w->id[hole] = w->id[i];
		hole = i;
	}
	w->used[hole] = false;
	w->n--;
}

int
window_add(struct window *w, uint32_t id)
{
	uint32_t	i = window_find(w, id);

	if (w->used[i] || w->n >= WINDOW_MAX)
		return -1;
	w->id[i] = id;
	w->used[i] = true;
	w->n++;
	return 0;
}

int
window_remove(struct window *w, uint32_t id)
{
	uint32_t	i = window_find(w, id);

	if (!w->used[i])
		return -1;
	window_clear(w, i);
	return 0;
}

bool
window_pop(struct window *w, uint32_t *id)
{
	static uint32_t	next;
	uint32_t	i;

	if (w->n == 0)
		return false;
	/* Going on from the last one: emptying the table is one pass. */
	for (i = next; !w->used[i]; i = (i + 1) % WINDOW_SLOTS)
		;
	next = i;
	*id = w->id[i];
	window_clear(w, i);
	return true;
}
