/*
 * SPDX-License-Identifier: ISC
 *
 * Routing look-ups of the kernel: who was about to send where, in whatever
 * network namespace.
 */
#ifndef ROUTES_H
#define ROUTES_H

#include <stdbool.h>

#include "msg.h"

/* Closes all: a new set comes. */
void	 routes_clear(void);
/* One event descriptor from the parent. */
void	 routes_add(const struct msg_event *, int);
bool	 routes_on(void);
/*
 * The process that looked up the route of this packet not long before.  0,
 * or -1: none, or more than one could have been it.
 */
int	 routes_find(const struct msg_who *, uint32_t *pid, uint64_t *time);
/* This packet's sender is known otherwise: its look-up is no other's. */
void	 routes_taken(const struct msg_who *, uint32_t pid);

#endif /* ROUTES_H */
