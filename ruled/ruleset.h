/*
 * SPDX-License-Identifier: ISC
 *
 * How rules are found: one node for each destination, by a hash of it; in a
 * node one bucket for each port number, one for all ranges, one for rules of
 * any port; in a bucket the rules in the order they are tried, and those that
 * name one program found by it.  For ruleset.c and match.c only.
 */
#ifndef RULESET_H
#define RULESET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rule.h"
#include "siphash.h"

#define LENS_MAX	129	/* prefix lengths 0 to 128, labels 1 to 127 */

struct entry {
	struct rule	 rule;
	int64_t		 place;		/* of two the lower is tried first */
	struct entry	*next[2];	/* in its bucket, by enum chain_of */
};

/* Every entry is in two chains: of all, and of those like it. */
enum chain_of { CHAIN_ALL, CHAIN_LIKE };

struct chain {
	struct entry	*head, *tail;
};

/* The rules of one bucket that name the same executable. */
struct program {
	struct program	*next;		/* in the table */
	uint64_t	 hash;
	struct chain	 chain;		/* never empty */
};

struct bucket {
	struct chain	 all;
	struct chain	 other;		/* of no program, or of a folder */
	struct program	**program;	/* a power of two, or NULL */
	size_t		 size, nprograms;
};

struct port_bucket {
	uint16_t	 port;
	struct bucket	 bucket;
};

enum node_class { NODE_ANY, NODE_NAME, NODE_DOMAIN, NODE_PREFIX };

struct node {
	struct node		*next;		/* in the table */
	uint64_t		 hash;
	enum node_class		 class;
	uint8_t			 keylen;
	char			 key[HOST_NAME_MAX_DNS];
	struct port_bucket	*ports;		/* by number, ascending */
	size_t			 nports, ports_room;
	struct bucket		 ranges;
	struct bucket		 any;
};

/* Which lengths occur, so that only those are looked up: longest first. */
struct lens {
	uint32_t	count[LENS_MAX];
	uint8_t		used[LENS_MAX];
	size_t		nused;
};

struct ruleset {
	bool		 newest_first;
	int64_t		 last;		/* place given */
	uint8_t		 key[SIPHASH_KEY];
	struct entry	**entry;	/* in the order of the file */
	size_t		 n, room;
	struct node	**table;	/* a power of two */
	size_t		 table_size, nnodes;
	struct node	*node_any;
	size_t		 nnames;	/* nodes of NODE_NAME */
	struct lens	 labels;	/* of NODE_DOMAIN */
	struct lens	 prefix4, prefix6;
	char		**file;		/* names that rules point to */
	size_t		 nfiles;
	bool		 overflow;	/* rule_load.c: it is full */
};

/* NULL when no rule has this destination. */
const struct node *
	 ruleset_node(const struct ruleset *, enum node_class, const void *,
	    size_t);
/* The key of an address cut to so many bits; returns its length. */
#define PREFIX_KEY_MAX	18
size_t	 prefix_key(const struct addr *, uint8_t, uint8_t [PREFIX_KEY_MAX]);
const struct bucket *
	 node_port(const struct node *, uint16_t);
/* Those that name this executable by its whole path, or NULL. */
const struct chain *
	 bucket_program(const struct bucket *, uint64_t hash, const char *);
size_t	 name_labels(const char *);

#endif /* RULESET_H */
