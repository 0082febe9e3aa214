/*
 * SPDX-License-Identifier: ISC
 *
 * Bytes and a descriptor over a local socket: unix(7), SCM_RIGHTS.
 */
#ifndef FDPASS_H
#define FDPASS_H

#include <sys/types.h>

#include <stdbool.h>
#include <stddef.h>

/* As send(2), with a descriptor unless it is -1. */
ssize_t	 fdpass_send(int, const void *, size_t, int fd, int flags);

/*
 * As recv(2).  *fd is the descriptor that came along, close-on-exec, or -1;
 * what came besides is closed, and *stray is true.
 */
ssize_t	 fdpass_recv(int, void *, size_t, int *fd, bool *stray, int flags);

#endif
