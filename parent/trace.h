/*
 * SPDX-License-Identifier: ISC
 *
 * Order events where perf events are refused: an instance of tracefs for each
 * tracepoint, which has buffers of its own for each CPU.
 */
#ifndef TRACE_H
#define TRACE_H

#include <stdbool.h>

#include "msg.h"

/* A mount of our own: the usual place may be empty, or another's. */
int	 trace_mount(bool writable);
/*
 * Begins to trace that event, with that filter; what a reader is to know of
 * it is in the message.  0, or -1 with errno.
 */
int	 trace_add(const char *event, const char *filter,
	    const struct msg_event *);
/*
 * The n-th of them on this CPU, to be read without waiting: -1 with ENODEV
 * if there is no such CPU, with ENOENT if there is no n-th one.
 */
int	 trace_open(int n, int cpu, struct msg_event *);
bool	 trace_on(void);
/* Away with what was begun, as soon as nobody reads it any more. */
void	 trace_remove(void);

#endif /* TRACE_H */
