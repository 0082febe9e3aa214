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
/* Looks whether any rings may be dead. */
void	 events_check(void);
/* The newest packet of a batch of questions. */
void	 events_observe(const struct msg_who *, bool quiet);
/* The event of a datagram, or NULL. */
const struct order_event *
	 events_find(const struct msg_who *);

#endif /* EVENTS_H */
