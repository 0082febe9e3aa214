/*
 * SPDX-License-Identifier: ISC
 *
 * tinysnitchctl: shared by ctl.c (commands) and ctl_ask.c (questions).
 */
#ifndef CTL_H
#define CTL_H

#include <event2/event.h>
#include <stddef.h>
#include <stdnoreturn.h>

#include "imsg.h"

/* ctl.c */

/* One line on standard error, exit 1. */
noreturn void
	 ctl_fail(const char *, ...)
	    __attribute__((__format__(printf, 1, 2)));

/* ctl_ask.c */

/* Fails unless a person sits at both ends of this terminal. */
void	 ask_check(void);
/* Takes the terminal until the process ends, however it ends. */
void	 ask_start(struct event_base *, struct link *);
/* Gives it back, if it was taken: before a last word to the person. */
void	 ask_stop(void);
/* MSG_ASK and MSG_ASK_END; -1 when the payload is bad. */
int	 ask_message(const struct imsg *);
/* "unanswered deny delay 500": what the daemon is configured to do. */
void	 ask_settings(const char *, size_t);

#endif /* CTL_H */
