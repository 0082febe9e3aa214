/*
 * SPDX-License-Identifier: ISC
 *
 * Which names an address was looked up by: learnt from DNS replies to
 * queries that this host sent.  now is CLOCK_BOOTTIME in nanoseconds.
 * Pure: the time is an argument, and so is the key of the hash tables.
 */
#ifndef NAMES_H
#define NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "addr.h"
#include "dns.h"
#include "msg.h"
#include "siphash.h"

#define NAMES_SECOND	1000000000ULL
#define NAMES_FLOOR	(15 * 60 * NAMES_SECOND)  /* shortest life of a pair */
#define NAMES_TTL_MAX	(7 * 24 * 3600)	/* longest, in seconds (RFC 8767) */
#define NAMES_MAX	65536	/* pairs of name and address */
#define NAMES_PER_ADDR	16	/* dead or oldest makes room */
#define NAMES_ASKERS	4	/* remembered of one pair */
#define NAMES_CHAIN_MAX	16	/* CNAMEs followed in one reply */
#define NAMES_QUERIES	4096	/* unanswered queries remembered */
#define NAMES_QUERIES_ASKER 1024	/* and of one asker */
#define NAMES_QUERY_LIFE (15 * NAMES_SECOND)
#define NAMES_SAVE_MAX	(1024 * 1024)	/* bytes of the saved text */
#define NAMES_KEY_LEN	SIPHASH_KEY

struct names;

/* What was not learnt, and why: for statistics. */
struct names_counts {
	size_t		pairs;		/* there now, the expired included */
	size_t		queries;	/* waiting for their replies */
	uint64_t	learnt;		/* pairs that were new */
	uint64_t	unpaired;	/* replies without a query */
	uint64_t	refused;	/* addresses and names never learnt */
	uint64_t	evicted;	/* live pairs, at a limit */
	uint64_t	unheeded;	/* queries over a limit */
	uint64_t	nomem;		/* pairs and queries without memory */
};

/*
 * NULL when out of memory.  The key must be nobody else's knowledge: with it
 * a stranger could choose names that all fall into one slot.  names_new
 * takes the random bytes that the kernel gave the process at exec.
 */
struct names *names_new(void);
struct names *names_new_keyed(const uint8_t [NAMES_KEY_LEN]);
void	 names_free(struct names *);

/* A query that may leave; sent is from this host to the resolver. */
void	 names_query(struct names *, const struct tuple *sent,
	    const struct dns_msg *, uint32_t asker, uint64_t now);

/* Called for each pair that was not there; must not call back into names. */
typedef void (names_learnt)(const char *name, const struct addr *, void *);

/*
 * A reply, got from the resolver to this host.  -1: it answers no query
 * and teaches nothing.  refuse names the addresses that no stranger may name
 * (own ones); it, and learnt, may be NULL.
 */
int	 names_reply(struct names *, const struct tuple *got,
	    const struct dns_msg *, uint64_t now,
	    bool (*refuse)(const struct addr *, void *), names_learnt *,
	    void *);

/*
 * The live names of an address, freshest first: at most max into out, all
 * of them counted in total (may be NULL), and one more when a live one had
 * to make room: then nobody can say that all agree.  Valid until the next
 * change.
 */
size_t	 names_of(const struct names *, const struct addr *, uint64_t now,
	    const char *out[], size_t max, size_t *total);
/* Did this asker ask for that name, and was it told that address? */
bool	 names_asked(const struct names *, const char *name,
	    const struct addr *, uint32_t asker, uint64_t now);

/*
 * "name address" lines; what is no such line is skipped.  Returns how many
 * were (blank lines and comments are not).  Each lives for one floor.
 */
int	 names_load(struct names *, const char *text, size_t len,
	    uint64_t now);
/*
 * The same format, oldest first, the freshest that fit; NUL-terminated,
 * to be freed by the caller.  Returns its length; NULL when out of memory.
 */
size_t	 names_save(const struct names *, uint64_t now, char **text);
/* Start with *iter 0; false at the end.  In no particular order. */
bool	 names_next(const struct names *, size_t *iter, uint64_t now,
	    const char **name, struct addr *, uint64_t *left_ns);
void	 names_count(const struct names *, struct names_counts *);

#endif /* NAMES_H */
