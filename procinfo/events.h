/*
 * SPDX-License-Identifier: ISC
 */
#ifndef EVENTS_H
#define EVENTS_H

#include "msg.h"
#include "order.h"

/* first: the count of events began with the queue. */
void	 events_init(bool first);
/* One event descriptor from the parent; the first of a set ends the last. */
void	 events_add(const struct msg_event *, int);
bool	 events_on(void);
/* They tell threads, not processes. */
bool	 events_by_thread(void);
/* Takes what is in the rings, which overflow if nobody does. */
void	 events_read(void);
/* Looks whether any rings may be dead. */
void	 events_check(void);
/* Reads what there is; the newest packet asked about has its event, or none. */
void	 events_catch_up(const struct msg_who *newest);
/* What a packet says about the pairing of all: each quiet point's, in order. */
void	 events_observe(const struct msg_who *);
/*
 * A late event, or a lost one?  Packets to come may tell before long; until
 * then nothing is known of this one.
 */
bool	 events_doubtful(const struct msg_who *);
/* The event of a datagram, or NULL. */
const struct order_event *
	 events_find(const struct msg_who *);

#endif /* EVENTS_H */
