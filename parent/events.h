/*
 * SPDX-License-Identifier: ISC
 *
 * Order events: the kernel notes, in the sender's own context, that a message
 * was put on the queue socket.  Event n belongs to datagram n.  Beside them
 * what processes become, which tells whose event it was.
 */
#ifndef EVENTS_H
#define EVENTS_H

#include <stdbool.h>
#include <stdint.h>

#include "msg.h"

struct link;

/* Routing look-ups as well; before events_init(). */
void	 events_want_routes(void);
/*
 * Learns what to filter by, and opens the first set.  To be called with the
 * queue bound but before it may copy packets (so that the count begins with
 * the first one), and while nobody else reads the socket.  0, or -1: this
 * kernel has no such events, or they are forbidden.
 */
int	 events_init(int queue_fd, uint16_t queue);
/* The set tells of processes, too: the proc connector is not needed. */
bool	 events_processes(void);
/* Opens a fresh set in place of the old one; wants all of root.  0 or -1. */
int	 events_open(void);
/*
 * Gives up a set inherited over fork(2), where its rings are not mapped: to
 * be called before anything else can be mapped in their place.
 */
void	 events_close(void);
/* Do events go on when all their readers have ended?  Ends them, then. */
bool	 events_outlive(void);
void	 events_remove(void);
/* One MSG_EVENT for each event of the set. */
void	 events_send(struct link *);

/* For the stub, which opens, and the parent, which keeps: the n-th event. */
int	 events_get(int, struct msg_event *, int *);	/* -1: no more */
/*
 * Takes an event over from the stub; the first of a set replaces the old one.
 */
int	 events_adopt(const struct msg_event *, int);

#endif /* EVENTS_H */
