/*
 * SPDX-License-Identifier: ISC
 *
 * The syscall filters: shared by sandbox.c and filter.c only.
 */
#ifndef FILTER_H
#define FILTER_H

#include <stdio.h>

#include "msg.h"

/*
 * Descriptors these two may have at most, powers of two.  Their filters rely
 * on it: a number from here on cannot exist there.
 */
#define FILTER_NETQ_FDS	32
#define FILTER_PROC_FDS	16384

/* Makes the role's filter, while files may be written; fatal on failure. */
void	 filter_prepare(enum role);
/* Loads it, made or not; fatal on failure. */
void	 filter_load(enum role);
/* The role's filter, one call a line. */
void	 filter_print(FILE *, enum role);

#endif /* FILTER_H */
