/*
 * SPDX-License-Identifier: ISC
 *
 * deny-list and allow-list files: many names and addresses, one a line, in
 * the formats that are published (tinysnitch.rules(5)).  Their contents come
 * from strangers.  Pure: no descriptors, clock or logging.
 */
#ifndef LIST_H
#define LIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "addr.h"
#include "msg.h"

#define LISTS_MAX	64

struct list {
	enum action	 action;	/* allow or deny */
	char		*file;
	size_t		 count;		/* entries */
	size_t		 skipped;	/* lines that nothing was made of */
	struct list_table *table;
};

struct lists;
struct lists	*lists_new(void);
void		 lists_free(struct lists *);
/* The secret that the hashes are made with; before the first load. */
void		 lists_key(struct lists *, const uint8_t [16]);
size_t		 lists_count(const struct lists *);
const struct list *
		 lists_at(const struct lists *, size_t);
/* Entries and skipped lines of all. */
void		 lists_sum(const struct lists *, size_t *, size_t *);
/* Drops lists that the rules no longer name; keep is asked for each. */
void		 lists_keep(struct lists *,
		    bool (*)(enum action, const char *, void *), void *);

/*
 * The entry that decides: of all lists the one with the longest name that is
 * the host's or above it, or the longest prefix of its address; deny before
 * allow when they are the same; a name before an address.  The name may be
 * NULL.  by, of LIST_BY_MAX bytes, becomes the entry.
 */
#define LIST_BY_MAX	HOST_NAME_MAX_DNS
const struct list *
		 lists_match(const struct lists *, const char *,
		    const struct addr *, char [LIST_BY_MAX]);

/*
 * Loading, in slices of the caller's choice: 16 KB take less than
 * half a millisecond.  What was loaded for the same file and action before decides
 * until the commit, which returns NULL, and changes nothing, when there are
 * LISTS_MAX others.  commit and abort free the load.
 */
struct list_load;
struct list_load *
		 list_load_begin(struct lists *, enum action, const char *);
void		 list_load_some(struct list_load *, const char *, size_t);
const struct list *
		 list_load_commit(struct list_load *);
void		 list_load_abort(struct list_load *);

#endif /* LIST_H */
