/*
 * SPDX-License-Identifier: ISC
 *
 * One call per process, made once, after everything that needs privilege is
 * open and the event base, signal events and handlers exist.  Each call
 * takes the identity, keeps only the process's one capability (or none),
 * sets resource limits, no_new_privs, not dumpable, and loads the syscall
 * filter.  Any step that fails is fatal: half a sandbox is a lie.
 */
#ifndef SANDBOX_H
#define SANDBOX_H

#include <stddef.h>
#include <stdio.h>
#include <sys/types.h>

#include "msg.h"

/*
 * A mount that no path leads to, for FD_ROOT: empty, or a procfs that shows
 * processes and nothing else.  Read-only, without devices, programs or
 * links that are followed.  Needs CAP_SYS_ADMIN; fatal on failure.
 */
int	 sandbox_mount_empty(void);
int	 sandbox_mount_proc(void);

/*
 * What of the sandbox can be made long before it is entered: the filter, which
 * takes longer than all the rest.  Without this the calls below make it.
 */
void	 sandbox_prepare(enum role);

/* FD_ROOT becomes the root directory in each of them and is closed. */
void	 sandbox_netq(uid_t, gid_t);
/* The function starts threads, which are in the same sandbox afterwards. */
void	 sandbox_procinfo(uid_t, gid_t, void (*)(void));
void	 sandbox_ruled(uid_t, gid_t);
/*
 * The prompter takes its identity first (only CAP_SYS_CHROOT is left), then
 * reads fonts and talks to the X server, then enters the sandbox proper.
 */
void	 sandbox_prompter_identity(uid_t, gid_t);
void	 sandbox_prompter(void);
/* The parent stays root with a bounded capability set, and its own filter. */
void	 sandbox_parent(void);
/* `ruled -n`: no root needed, the filter alone when not root. */
void	 sandbox_check_only(uid_t, gid_t);

/*
 * Layers this kernel could not give, by name ("landlock, ..."), or "".
 * For MSG_READY and status; never silent.
 */
const char *sandbox_missing(void);
/* Prints a role's filter as a readable list (tinysnitch -v). */
void	 sandbox_print(FILE *, enum role);

#endif /* SANDBOX_H */
