/*
 * SPDX-License-Identifier: ISC
 *
 * fatal and fatalx end the process, log_warn and log_warnx go on, log_info
 * is for administrators, log_debug for us (only with -v).  The x form has no
 * errno.  All keep errno.  A child's messages travel to the parent once
 * log_to_link() was called, before that to standard error; the parent has a
 * writer of its own.
 */
#ifndef LOG_H
#define LOG_H

#include <stdarg.h>
#include <stdnoreturn.h>

#include "msg.h"

struct link;

/* Where finished messages go: level and text without newline. */
typedef void (log_writer)(enum log_level, const char *);

void	 log_init(enum role, int verbose);
void	 log_to_link(struct link *);
void	 log_to_writer(log_writer *);
/*
 * Copies text so that only printable ASCII is left: others become \ooo, a
 * backslash \\.  Always terminates; returns the length it would have needed.
 */
size_t	 log_escape(char *, size_t, const char *, size_t);

void	 log_warn(const char *, ...) __attribute__((__format__(printf, 1, 2)));
void	 log_warnx(const char *, ...) __attribute__((__format__(printf, 1, 2)));
void	 log_info(const char *, ...) __attribute__((__format__(printf, 1, 2)));
void	 log_debug(const char *, ...) __attribute__((__format__(printf, 1, 2)));
/* fatal(NULL): out of memory. */
noreturn void fatal(const char *, ...)
	    __attribute__((__format__(printf, 1, 2)));
noreturn void fatalx(const char *, ...)
	    __attribute__((__format__(printf, 1, 2)));

#endif /* LOG_H */
