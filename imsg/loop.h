/*
 * SPDX-License-Identifier: ISC
 *
 * The loop every child runs in, and its own watch over it: a turn that uses
 * more than LOOP_CPU seconds of processor time has gone astray (a parser in
 * a circle, say), and the process ends itself; the parent starts it again.
 * Idle costs nothing, for the clock is this thread's processor time; what
 * procinfo's other threads do is no turn of the loop.
 */
#ifndef LOOP_H
#define LOOP_H

#include <event2/event.h>
#include <stdint.h>
#include <stdnoreturn.h>

#include "msg.h"

#define LOOP_CPU	1	/* seconds in one turn */
#define LOOP_ASTRAY	4	/* exit status of who took more */

/*
 * Before the sandbox: names the process ("snitch-ruled"), starts the watch
 * and ignores what a terminal or a broken pipe may send; only the parent
 * ends a child.  Returns the event base.  What is done before loop_run(), as
 * looking for fonts, may take its time.
 */
struct event_base *loop_init(enum role);
/*
 * For netq and ruled, after each turn of so many packets at that time
 * (CLOCK_MONOTONIC, ns): latency while packets are few, throughput in a flood.
 * SCHED_BATCH pushes nobody off a processor, so more packets gather for one
 * turn; but beside busy programs each turn waits for the next tick, and that
 * is not worth it for a handful of packets.
 */
void	 loop_pace(uint64_t now, unsigned int packets);
/* For ever: handlers end the process. */
noreturn void loop_run(struct event_base *);

#endif /* LOOP_H */
