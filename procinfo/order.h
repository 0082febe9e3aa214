/*
 * SPDX-License-Identifier: ISC
 *
 * Which order event belongs to which datagram.  Pure: no descriptors or
 * clock, so that losses and restarts can be played through in a test.
 */
#ifndef ORDER_H
#define ORDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ORDER_HISTORY	16384	/* events remembered: the queue's length */

enum order_kind {
	ORDER_PROCESS,		/* sent by this process */
	ORDER_IRQ,		/* in an interrupt: nobody's */
	ORDER_UNSURE,		/* beside a loss: maybe another datagram's */
	ORDER_LOST
};

struct order_event {
	uint64_t	time;	/* CLOCK_MONOTONIC, ns */
	uint32_t	pid;
	uint32_t	kind;	/* enum order_kind */
};

struct order {
	struct order_event	 event[ORDER_HISTORY];
	uint64_t		 count;	/* events ever */
	bool			 synced;
	bool			 lossless;	/* no event is lost without a word */
	int64_t			 offset;	/* event = number + offset */
	uint64_t		 from;		/* this number on */
	int64_t			 candidate;
	unsigned int		 votes;
	bool			 assumed;	/* candidate: not seen yet */
	uint64_t		 point;		/* a quiet point's packet, that is
						   to vote; 0: none */
	uint64_t		 point_time;
	uint64_t		 sure;		/* it was seen to hold, at this
						   number */
	uint64_t		 doubt;		/* of this one and those after
						   it an event was late, or
						   lost; 0: none */
	uint64_t		 last_against;	/* what spoke against it */
	unsigned int		 against;	/* how much, since it held */
	uint64_t		 newest;	/* time of the latest packet */
	uint64_t		 highest;	/* its number */
	uint64_t		 epoch;	/* packets from before are another
					   netq's */
};

/* expect_zero: the count began with the queue, so datagram 1 is event 0. */
void	 order_init(struct order *, bool expect_zero);
void	 order_add(struct order *, const struct order_event *);
/*
 * A packet was read by netq at this time, and (quiet) it was the last one.
 * All events up to that time must have been added before; if they could not
 * be (not counted), nothing follows from their number.
 */
void	 order_observe(struct order *, uint64_t number, uint64_t time,
	    bool quiet, bool counted);
/*
 * The event of a datagram, or NULL: unknown.  *early: it may come yet.
 */
const struct order_event *
	 order_find(struct order *, uint64_t number, uint64_t time,
	    bool *early);
/* Looks again at what was not sure; all events up to now have been added. */
void	 order_settle(struct order *, uint64_t now);
/* Unknown, but further quiet points may tell. */
bool	 order_doubtful(const struct order *, uint64_t number, uint64_t time);
/* Has the datagram been read before its event was seen? */
bool	 order_early(const struct order *, uint64_t number, uint64_t time);
/* The pairing is lost until it is found anew. */
void	 order_unsync(struct order *);

#endif /* ORDER_H */
