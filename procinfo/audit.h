/*
 * SPDX-License-Identifier: ISC
 *
 * The kernel's records of processes that broke their filters.
 */
#ifndef AUDIT_H
#define AUDIT_H

#include <stddef.h>

#include "msg.h"

/* audit.c */
void	 audit_init(int fd);

/* audit_parse.c: 0, or -1 for a record that is none of ours. */
int	 audit_parse(const char *, size_t, struct msg_denied *)
	    __attribute__((warn_unused_result));

#endif /* AUDIT_H */
