/*
 * SPDX-License-Identifier: ISC
 *
 * Conversations with name servers that a rule has allowed: what comes back
 * on them passes.  Pure; the time and the key of the hash are arguments.
 */
#ifndef FLOWS_H
#define FLOWS_H

#include <stdbool.h>
#include <stdint.h>

#include "msg.h"

#define FLOWS_MAX	8192		/* at most; the oldest makes room */
#define FLOWS_LIFE_UDP	(60ULL * 1000000000)	/* ns without a packet */
#define FLOWS_LIFE_TCP	(300ULL * 1000000000)

struct flows;

/* NULL when out of memory. */
struct flows *flows_new(uint64_t key);
void	 flows_free(struct flows *);
/* The tuple is that of the query: from the host to the server. */
void	 flows_add(struct flows *, const struct tuple *, uint64_t now);
/* Either direction; a packet makes the conversation live on. */
bool	 flows_known(struct flows *, const struct tuple *, uint64_t now);

#endif /* FLOWS_H */
