/*
 * SPDX-License-Identifier: ISC
 *
 * The prompter's parts: main.c (links and the question), x.c (connection,
 * window, events), keys.c (keyboards and pointers), draw.c (pixels).  What
 * the window shows and what a key means is in view.h and input.h.
 */
#ifndef PROMPTER_H
#define PROMPTER_H

#include <event2/event.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <xcb/xcb.h>

#include "input.h"
#include "layout.h"
#include "msg.h"
#include "view.h"

/* main.c */
uint64_t now_ms(void);
/* A key, a button, the window itself: x.c tells. */
void	 question_event(struct input_event *);
/* The window must be drawn anew; nothing if no question is open. */
void	 question_draw(void);

/* x.c */
/* Everything that files are needed for; before the sandbox. */
void	 x_open(int fd, const struct msg_start *);
/* Events come as soon as the base runs; before the sandbox, too. */
void	 x_watch(struct event_base *);
/* Opens the window or draws what has changed in it. */
void	 x_show(const struct msg_ask *, const struct input *);
void	 x_hide(void);
/*
 * Handles what xcb holds and sends what it has queued.  To be called before
 * the loop waits: events read along with a reply make no descriptor ready.
 */
void	 x_pump(void);

/* keys.c */
struct keys_event {
	struct input_event	input;
	xcb_timestamp_t		time;	/* the server's */
	int			x, y;	/* of a button */
};
void	 keys_open(xcb_connection_t *, const xcb_screen_t *, bool synthetic);
/* Asks for this window's keys and buttons; returns its core event mask. */
uint32_t keys_core_mask(void);
void	 keys_select(xcb_window_t);
/* True if the event was one of ours; kind INPUT_TICK: it means nothing. */
bool	 keys_event(const xcb_generic_event_t *, struct keys_event *);

/* draw.c */
#define DRAW_RUNGS	5	/* sizes of the font, the largest first */
void	 draw_open(const char *family, int px, enum theme);
struct cell
	 draw_cell(size_t rung);
/* 32-bit pixels of w by h, blue in the lowest byte; the caller frees. */
uint8_t	*draw_view(const struct view *, const struct layout *, size_t rung,
	    int w, int h, size_t *stride);

#endif /* PROMPTER_H */
