/*
 * SPDX-License-Identifier: ISC
 *
 * Framing: messages of at most 16 KB, with at most one descriptor, over
 * stream socketpairs.  The gate (msg.h) is applied to each frame before
 * anybody sees its payload.
 */
#ifndef IMSG_H
#define IMSG_H

#include <event2/event.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "ibuf.h"
#include "msg.h"

#define IMSG_HEADER	8	/* u32 type, u16 length with header, u16 flags */
#define IMSG_QUEUE_MAX	(4 << 20)	/* bytes unsent before a link fails */

struct imsg {
	uint32_t	 type;
	const uint8_t	*data;	/* valid until the handler returns */
	size_t		 len;
	int		 fd;	/* -1, or the handler's: take it with imsg_fd */
};

struct link;

/*
 * Called for each message the gate let through; a bad payload is reported
 * with link_offence().
 */
typedef void (link_handler)(struct link *, struct imsg *, void *);
/* The peer is gone (reason NULL), or broke the rules (reason: what). */
typedef void (link_gone)(struct link *, const char *, void *);

/*
 * Two ends of a link, close-on-exec; -1: errno says why.  They are blocking:
 * each read and write of a link says for itself that it does not wait, and the
 * one that does, link_wait(), ends by the time that is set here.
 */
int	 link_pair(int fds[2]);

/*
 * A link takes the descriptor over, and reads as soon as the base runs.  self
 * and peer are the gate's roles.
 */
struct link *
	 link_new(struct event_base *, int, enum role self, enum role peer,
	    link_handler *, link_gone *, void *);
/* Closes the descriptor; safe inside the link's own handlers. */
void	 link_free(struct link *);

/*
 * Queues a message; never blocks.  fd is -1 or a descriptor that the link
 * closes once sent.  Over IMSG_QUEUE_MAX the link fails (link_gone, from the
 * loop).  The writer form takes what ibuf_put_* wrote.
 */
void	 link_send(struct link *, uint32_t type, int fd, const void *, size_t);
void	 link_send_ibuf(struct link *, uint32_t type, int fd,
	    const struct ibuf *);
/*
 * Between the two messages are queued and not written: a peer is woken once
 * for all of them.  Within one turn of the loop only.
 */
void	 link_hold(struct link *);
void	 link_release(struct link *);
/* Bytes not yet written, for senders that can wait. */
size_t	 link_queued(const struct link *);
/*
 * Reads once, outside of the loop, what comes within 5 ms, or there was none:
 * -1.  For ends made by link_pair().  Not in a handler of this link, which may
 * be freed here.
 */
int	 link_wait(struct link *);
/* Writes what is queued, blocking at most the given milliseconds: at exit. */
int	 link_flush(struct link *, int ms);

/*
 * The handler found the payload bad: the link reads no more and link_gone is
 * called with the reason once the handler has returned.  Idempotent.
 */
void	 link_offence(struct link *, const char *, ...)
	    __attribute__((__format__(printf, 2, 3)));

enum role link_peer(const struct link *);
/* Of the last frame handed on, or refused by the gate: for link_gone. */
uint32_t link_type(const struct link *);
/* Takes the descriptor out of the message; else it is closed afterwards. */
int	 imsg_fd(struct imsg *);

/*
 * For the moments before a loop exists: waits for one message that the gate
 * lets through and copies its payload.  Returns its length, or -1: the peer is
 * gone, or at fault.  *fd is the descriptor that came along, or -1.
 */
ssize_t	 imsg_read_blocking(int, enum role self, enum role peer,
	    uint32_t *type, int *fd, void *, size_t);

#endif /* IMSG_H */
