/*
 * SPDX-License-Identifier: ISC
 *
 * netq: between the kernel's queue and ruled.  It numbers and forwards what
 * the kernel hands out and says verdicts; a packet's bytes pass through
 * unseen, because this process holds CAP_NET_ADMIN.
 */
#ifndef NETQ_H
#define NETQ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "msg.h"

#define NETQ_BATCH	64	/* datagrams read in a turn of the loop */
#define NETQ_DATAGRAM	(COPY_RANGE + 1024)	/* attributes besides */

/* nfq.c: the kernel's messages.  Pure; tests link it alone. */

enum nfq_kind {
	NFQ_PACKET,		/* packet is filled in */
	NFQ_UNUSABLE,		/* only packet.id is known: drop it */
	NFQ_ERROR,		/* the kernel's answer to a verdict: error */
	NFQ_FOREIGN		/* nothing that asks for an answer */
};

struct nfq_message {
	enum nfq_kind		kind;
	int			error;	/* errno, 0: acknowledged */
	struct msg_packet	packet;	/* data points into the datagram */
};

/* The lengths the system call filter lets through. */
#define NFQ_VERDICT_LEN		32
#define NFQ_VERDICT_MARK_LEN	40

void	 nfq_parse(const void *, size_t, struct nfq_message *);
/*
 * Writes the message that says this verdict in this form of kernel rules,
 * and returns its length, one of the two above.
 */
size_t	 nfq_verdict(const struct msg_start *, const struct msg_verdict *,
	    uint8_t [NFQ_VERDICT_MARK_LEN]);

/* window.c: the ids handed out and not yet answered.  Pure. */

/*
 * The queue holds 16,384 packets.  More ids than that are open only after
 * the kernel threw packets away by itself, as when a device went down.
 */
#define WINDOW_SLOTS	32768	/* a power of two */
#define WINDOW_MAX	24576

struct window {
	uint32_t	id[WINDOW_SLOTS];
	bool		used[WINDOW_SLOTS];
	uint32_t	n;
};

/* -1: full, or open already. */
int	 window_add(struct window *, uint32_t)
	    __attribute__((warn_unused_result));
/* -1: not open. */
int	 window_remove(struct window *, uint32_t)
	    __attribute__((warn_unused_result));
/* Takes any one out; false when none is left. */
bool	 window_pop(struct window *, uint32_t *);

#endif /* NETQ_H */
