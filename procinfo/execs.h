/*
 * SPDX-License-Identifier: ISC
 *
 * The rings of what processes become, and the arguments of their programs.
 */
#ifndef EXECS_H
#define EXECS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "msg.h"

/* execs.c */
/* Before the sandbox: what tells this thread that a ring fills up. */
void	 execs_init(void);
/* The threads: with the identity they will have, before the last limits. */
void	 execs_start(void);
/* In the event loop from now on. */
void	 execs_run(void);
/* Closes all: a new set comes. */
void	 execs_clear(void);
/* One event descriptor from the parent. */
void	 execs_add(const struct msg_event *, int);
/* The set is there.  Without a ring for each CPU that has one it is none. */
void	 execs_complete(void);
bool	 execs_on(void);
/* All that happened before the call is told to ident.c. */
void	 execs_read(void);
/* A CPU's events may be dead: nothing may be remembered until a new set. */
void	 execs_distrust(void);

/* capture.c */
struct perf_event_mmap_page;
struct capture {
	uint16_t	 args_len;
	uint8_t		 args_cut;
	char		 args[ARGS_MAX];	/* NUL after each */
	char		 cwd[CWD_MAX];
	char		 unit[UNIT_MAX];
};

#define CAPTURE_THREADS	1024

/* An eventfd that is written to when a ring is half full. */
void	 capture_start(size_t ncpu, int);
/* From now on its thread reads that ring, or none: NULL. */
void	 capture_ring(size_t cpu, int fd, struct perf_event_mmap_page *,
	    size_t size);
/*
 * What was read of the process between these times.  0, or -1: it was gone,
 * or what was read was not yet, or no longer, the program of that time.
 */
int	 capture_take(uint32_t pid, uint64_t since, uint64_t until,
	    struct capture *);

#endif /* EXECS_H */
