/*
 * SPDX-License-Identifier: ISC
 *
 * Plays an intruder: for each process, does what it must never be able to do
 * inside its own shipped sandbox, and does the same outside to show that it
 * is the sandbox that refuses.  Then does what the process needs, which must
 * work.  Built a second time without the filter (-DNO_SANDBOX_FILTER) it
 * shows that the layers below would still refuse.
 */
#ifndef ACTS_H
#define ACTS_H

#include <event2/event.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/types.h>

#include "msg.h"

#define UID_SNITCH	61234
#define UID_PROMPT	61235

#define R(role)		(1U << (role))
#define CHILDREN	(R(ROLE_NETQ) | R(ROLE_PROCINFO) | R(ROLE_RULED) | \
			    R(ROLE_PROMPTER))
#define ALL		(CHILDREN | R(ROLE_PARENT))

/* Beside errno values: how an act may end. */
#define KILLED		(-1)	/* SIGSYS */
#define DONE		0	/* it worked */
#define ANY		(-2)	/* whatever the kernel answered */
#define DIFFERENT	(-3)	/* ended otherwise */

struct act {
	const char	*name;
	int		(*fn)(void);	/* 0, or -1 with errno */
	unsigned int	 roles;
	int		 inside;	/* KILLED, or an errno */
	int		 outside;	/* DONE, ANY, or an errno */
	int		 bare;		/* inside without filter, or ANY */
};

struct job {
	const char	*name;
	int		(*fn)(void);
	unsigned int	 roles;
};

/* acts.c */
extern const struct act	 forbidden[];
extern const size_t	 nforbidden;

/* jobs.c */
extern const struct job	 jobs[];
extern const size_t	 njobs;

/* tables.c */
int	 check_tables(enum role);	/* returns the number of faults */

/* stage.c */
extern pid_t		 victim;	/* same user as the actor */
extern pid_t		 stranger;	/* root */
extern struct event_base *base;
extern int		 mounts[2];	/* an empty root, and a procfs */
extern char		 why[256];	/* the last job's trouble */

void	 place(int, int);
void	 enter(enum role);
/* One byte to a link, with a descriptor. */
int	 pass_fd(int, int);
/* So many bytes to netq's queue socket. */
int	 queue_send(size_t, int, const struct sockaddr *, socklen_t);

#endif /* ACTS_H */
