/*
 * SPDX-License-Identifier: ISC
 *
 * What the four children say to their parent in the same way, and how they
 * are told what to do.
 */
#ifndef CHILD_H
#define CHILD_H

#include <stdint.h>

#include "msg.h"

struct imsg;
struct link;

/*
 * First of all: closes every descriptor above `last` and waits, for hours it
 * may be, for MSG_START and the descriptors that come before it; then sets the
 * log up.  Fatal when the parent goes: nobody else starts us.
 */
void	 child_start(enum role, int last, struct msg_start *);
/* MSG_READY, with what sandbox_missing() says. */
void	 child_ready(struct link *parent, const char *missing);
/* MSG_BAD: this link's peer broke the rules with its last message. */
void	 child_bad(struct link *parent, const struct link *,
	    const char *reason);

/* For the three whose only peer is ruled. */

/* MSG_BAD about ruled, and a line in the log. */
void	 child_bad_ruled(struct link *parent, const struct link *,
	    const char *reason);
/* The fresh link that a MSG_PEER brings, or -1: the parent is at fault. */
int	 child_peer_ruled(struct link *parent, struct imsg *);
/* A link_gone for the parent's link: without it there is nothing to do. */
void	 child_parent_gone(struct link *, const char *reason, void *);

#endif /* CHILD_H */
