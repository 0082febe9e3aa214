/*
 * SPDX-License-Identifier: ISC
 *
 * A client of the control socket, as control.c keeps it and commands.c
 * answers it.
 */
#ifndef CONTROL_H
#define CONTROL_H

#include <sys/queue.h>
#include <event2/event.h>
#include <stdbool.h>
#include <stddef.h>

#include "addr.h"
#include "imsg.h"
#include "json.h"

struct client;
/* Gives one more line or a few; false at the end of the reply. */
typedef bool (reply_part)(struct client *);

struct client {
	LIST_ENTRY(client) entry;
	struct link	*link;
	struct event	*silence;	/* then it is dropped */
	bool		 root;
	bool		 json;
	bool		 monitors;
	bool		 asks;
	/* A reply of many lines, made as the client takes them. */
	struct event	*turn;
	reply_part	*part;
	size_t		 place;
	struct addr	 want;		/* names of this address; af 0: all */
};

/* control.c */
void	 reply_end(struct client *);
void	 reply_error(struct client *, const char *, ...)
	    __attribute__((__format__(printf, 2, 3)));
/* One line, its newline added. */
void	 reply_line(struct client *, const char *, ...)
	    __attribute__((__format__(printf, 2, 3)));
void	 reply_json(struct client *, const struct json *);
void	 reply_parts(struct client *, reply_part *);

/* commands.c: may change the text. */
void	 command_run(struct client *, const char *name, char *text);

#endif /* CONTROL_H */
