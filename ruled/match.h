/*
 * SPDX-License-Identifier: ISC
 *
 * Which rule decides about a connection.  Pure.  The names in a subject come
 * from DNS replies, the rest from the kernel and from procinfo.
 */
#ifndef MATCH_H
#define MATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "addr.h"
#include "list.h"
#include "msg.h"
#include "rule.h"

struct subject {
	enum direction	 dir;
	/*
	 * Of the destination, lower case, or NULL.  "localhost" for inbound
	 * and for the host's own addresses: only the caller knows those.
	 */
	const char	*name;
	struct addr	 dst, src;
	const char *const *src_names;
	size_t		 nsrc_names;
	uint8_t		 proto;
	bool		 has_port;
	uint16_t	 port;
	const char	*ifname;	/* NULL: none */
	bool		 who_known;	/* procinfo has answered */
	const char	*exe;		/* NULL: unknown; "": no program */
	bool		 has_uid;
	uint32_t	 uid;
	uint64_t	 now;		/* CLOCK_BOOTTIME, ns */
};

enum match_result {
	/*
	 * No rule.  Or match.rule, a deny or drop, would hold if the unknown
	 * program or user were the one it names: what comes after it must not
	 * allow the connection.  In both cases it is asked about.
	 */
	MATCH_NONE,
	MATCH_RULE,	/* match.action decides, by a rule or a list */
	/*
	 * match.rule comes before any sure hit and names a program or a user
	 * that is still to be found: ask procinfo, then match again.
	 */
	MATCH_NEEDS_WHO
};

struct match {
	const struct rule	*rule;	/* or NULL */
	const struct list	*list;	/* or NULL */
	enum action		 action;
	const char		*by;	/* the key: "name+port", "list", ... */
	char			 entry[LIST_BY_MAX];	/* of the list */
};

/* Temporary rules, permanent ones, lists, in this order; each may be NULL. */
enum match_result
	 match_rules(const struct ruleset *, const struct ruleset *,
	    const struct lists *, const struct subject *, struct match *)
	    __attribute__((warn_unused_result));

#endif /* MATCH_H */
