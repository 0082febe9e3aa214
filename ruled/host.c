/*
 * SPDX-License-Identifier: ISC
 *
 * Own addresses and interface names.  procinfo tells a whole table
 * (HOST_CLEAR ... HOST_DONE) and then changes.  A new table takes effect
 * when it is complete: in between an own address must not look foreign.
 */
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "ruled.h"

#define HOST_ADDRS_MAX	4096
#define HOST_IFS_MAX	4096

struct interface {
	uint32_t	index;
	char		name[IF_NAME_MAX];
};

struct table {
	struct addr		*addr;
	size_t			 naddr;
	struct interface	*ifs;
	size_t			 nifs;
};

static struct table	current, coming;
static bool		filling;	/* between HOST_CLEAR and HOST_DONE */
static bool		known;		/* one table was complete */

static void
table_clear(struct table *t)
{
	free(t->addr);
	free(t->ifs);
	memset(t, 0, sizeof(*t));
}

static void
addr_remove(struct table *t, const struct addr *a)
{
	size_t	i;

	for (i = 0; i < t->naddr; i++)
		if (addr_eq(&t->addr[i], a)) {
			t->addr[i] = t->addr[--t->naddr];
			return;
		}
}

static int
addr_add(struct table *t, const struct addr *a)
{
	addr_remove(t, a);
	if (t->naddr == HOST_ADDRS_MAX)
		return -1;
	t->addr = reallocarray(t->addr, t->naddr + 1, sizeof(*t->addr));
	if (t->addr == NULL)
		fatal(NULL);
	t->addr[t->naddr++] = *a;
	return 0;
}

static void
if_remove(struct table *t, uint32_t index)
{
	size_t	i;

	for (i = 0; i < t->nifs; i++)
		if (t->ifs[i].index == index) {
			t->ifs[i] = t->ifs[--t->nifs];
			return;
		}
}

static int
if_add(struct table *t, uint32_t index, const char *name)
{
	if_remove(t, index);
	if (t->nifs == HOST_IFS_MAX)
		return -1;
	t->ifs = reallocarray(t->ifs, t->nifs + 1, sizeof(*t->ifs));
	if (t->ifs == NULL)
		fatal(NULL);
	t->ifs[t->nifs].index = index;
	(void)strlcpy(t->ifs[t->nifs].name, name, IF_NAME_MAX);
	t->nifs++;
	return 0;
}

static void
table_done(void)
{
	if (!filling)
		return;
	table_clear(&current);
	current = coming;
	memset(&coming, 0, sizeof(coming));
	filling = false;
	known = true;
}

int
host_update(const struct msg_host *m)
{
	struct table	*t = filling ? &coming : &current;

	switch (m->what) {
	case HOST_CLEAR:
		table_clear(&coming);
		filling = true;
		break;
	case HOST_ADDR:
		return addr_add(t, &m->addr);
	case HOST_ADDR_GONE:
		addr_remove(t, &m->addr);
		break;
	case HOST_IF:
		return if_add(t, m->ifindex, m->ifname);
	case HOST_IF_GONE:
		if_remove(t, m->ifindex);
		break;
	case HOST_DONE:
		table_done();
		break;
	}
	return 0;
}

bool
host_is_known(void)
{
	return known;
}

bool
host_is_own(const struct addr *a)
{
	size_t	i;

	if (addr_is_loopback(a))
		return true;
	for (i = 0; i < current.naddr; i++)
		if (addr_eq(&current.addr[i], a))
			return true;
	return false;
}

const char *
host_ifname(uint32_t index)
{
	size_t	i;

	for (i = 0; i < current.nifs; i++)
		if (current.ifs[i].index == index)
			return current.ifs[i].name;
	return NULL;
}
