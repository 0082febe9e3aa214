/*
 * SPDX-License-Identifier: ISC
 *
 * Files by path: following links, versions, and replacing a whole file in
 * one step.  No globals; errors are errno values.
 */
#ifndef COMMIT_H
#define COMMIT_H

#include <limits.h>
#include <stdbool.h>
#include <sys/stat.h>

#include "msg.h"

#define COMMIT_SIZE_MAX	(16 << 20)	/* of a rules or names file */

/* A directory and a name in it: what a path is when opened step by step. */
struct place {
	int	dir;		/* O_DIRECTORY, or -1 */
	char	path[PATH_MAX];	/* of the directory, for watches */
	char	name[NAME_MAX + 1];
	bool	missing;	/* there should be a directory of that name */
};

/*
 * The places that a path leads over: its own, and one for each link in the
 * last component.  Returns how many (the last one holds the file), or -1
 * with errno.  The directories are open; place_close() them.
 */
int	 place_walk(const char *, struct place *, int max);
/*
 * The same for watching it, as far as it leads: where a directory is missing
 * the last place is the nearest one above, with the name that is missing
 * there.
 */
int	 place_watch(const char *, struct place *, int max);
void	 place_close(struct place *, int);

void	 version_of(const struct stat *, struct file_version *);

/*
 * Puts what the sealed memfd holds in the place of the file, keeping owner
 * and mode.  The file must still have the version that the new text was made
 * from, and nobody may have it open for writing; else ESTALE, and the file
 * is as it was.  The last argument gets the version of the new text.
 */
int	 commit_file(const char *, int memfd, const struct file_version *,
	    struct file_version *);
/* 0, or why this descriptor is no sealed memfd of bearable size. */
int	 commit_check_sealed(int);

#endif /* COMMIT_H */
