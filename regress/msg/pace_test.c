/*
 * SPDX-License-Identifier: ISC
 *
 * How netq and ruled give way in a flood, and stop to when it is over.
 */
#include <sched.h>
#include <stdio.h>

#include "loop.h"

#define MS	1000000ULL

static int	failed;

static void
check(const char *name, int policy)
{
	int	is = sched_getscheduler(0);

	if (is == policy) {
		printf("ok pace: %s\n", name);
		return;
	}
	printf("not ok pace: %s: policy %d, not %d\n", name, is, policy);
	failed = 1;
}

/* Turns of so many packets, one each millisecond. */
static uint64_t
turns(uint64_t now, int ms, unsigned int packets)
{
	int	i;

	for (i = 0; i < ms; i++)
		loop_pace(now += MS, packets);
	return now;
}

int
main(void)
{
	uint64_t	now = 3600000 * MS;

	loop_pace(now, 64);
	check("one full turn is no flood", SCHED_OTHER);
	now = turns(now, 200, 1);
	check("a thousand packets a second are none", SCHED_OTHER);
	now = turns(now, 20, 8);
	check("nor is a short burst", SCHED_OTHER);
	now = turns(now, 200, 8);
	check("eight thousand are", SCHED_BATCH);
	now = turns(now, 200, 1);
	check("it ebbs away", SCHED_OTHER);
	now = turns(now, 200, 8);
	check("and comes back", SCHED_BATCH);
	loop_pace(now + 1000 * MS, 64);
	check("the first turn after a silence ends it", SCHED_OTHER);
	return failed;
}
