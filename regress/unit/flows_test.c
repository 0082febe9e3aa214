/*
 * SPDX-License-Identifier: ISC
 *
 * Conversations with name servers: both directions, their end, and a flood.
 */
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "flows.h"

#define SECOND	1000000000ULL

static int	failed;

static void
check(const char *name, bool ok)
{
	printf(ok ? "ok flows: %s\n" : "not ok flows: %s: wrong\n", name);
	if (!ok)
		failed = 1;
}

static struct tuple
query(const char *src, const char *dst, uint16_t sport, uint8_t proto)
{
	struct tuple	t;

	memset(&t, 0, sizeof(t));
	if (addr_parse(src, &t.src) == -1 || addr_parse(dst, &t.dst) == -1)
		failed = 1;
	t.proto = proto;
	t.sport = sport;
	t.dport = 53;
	return t;
}

static struct tuple
reverse(struct tuple t)
{
	struct tuple	r = t;

	r.src = t.dst;
	r.dst = t.src;
	r.sport = t.dport;
	r.dport = t.sport;
	return r;
}

int
main(void)
{
	struct flows	*f = flows_new(42);
	struct tuple	 t = query("10.0.0.1", "10.0.0.53", 4000, IPPROTO_UDP);
	struct tuple	 six = query("fd00::1", "fd00::53", 4000, IPPROTO_TCP);
	struct tuple	 other, back = reverse(t);
	uint64_t	 now = 1000 * SECOND;
	int		 i;

	if (f == NULL)
		return 1;
	check("unknown at first", !flows_known(f, &t, now));
	flows_add(f, &t, now);
	check("known", flows_known(f, &t, now));
	check("the reply too", flows_known(f, &back, now));
	other = back;
	other.dport++;
	check("not another port", !flows_known(f, &other, now));
	other = back;
	other.src.b[3] = 54;
	check("not another server", !flows_known(f, &other, now));
	other = back;
	other.proto = IPPROTO_TCP;
	check("not another protocol", !flows_known(f, &other, now));
	check("lives on by use", flows_known(f, &back,
	    now + FLOWS_LIFE_UDP - 1) && flows_known(f, &back,
	    now + 2 * FLOWS_LIFE_UDP - 2));
	check("ends", !flows_known(f, &back, now + 4 * FLOWS_LIFE_UDP));
	flows_add(f, &six, now);
	back = reverse(six);
	check("IPv6", flows_known(f, &back, now + FLOWS_LIFE_TCP - 1));
	for (i = 0; i < 4 * FLOWS_MAX; i++) {
		other = query("10.0.0.2", "10.0.0.53", (uint16_t)i,
		    IPPROTO_UDP);
		other.src.b[1] = (uint8_t)(i >> 16);
		flows_add(f, &other, now + (uint64_t)i);
	}
	check("the newest of a flood is known", flows_known(f, &other, now));
	flows_free(f);
	return failed;
}
