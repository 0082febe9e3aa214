/*
 * SPDX-License-Identifier: ISC
 *
 * What keys, buttons and windows mean to a question.  Used by the window and
 * by the terminal form alike; knows of neither.
 * Pure: no descriptors, globals or clock (times come with the events).
 */
#ifndef INPUT_H
#define INPUT_H

#include <stdbool.h>
#include <stdint.h>

#include "msg.h"

#define INPUT_QUIET	300	/* ms without a key before keys count */

/* Keys are ASCII in lower case, or one of these. */
enum input_key {
	INPUT_KEY_NONE = 0,	/* a modifier alone: means nothing */
	INPUT_KEY_TAB = 0x100,
	INPUT_KEY_BACKTAB,
	INPUT_KEY_LEFT,
	INPUT_KEY_RIGHT,
	INPUT_KEY_UP,
	INPUT_KEY_DOWN,
	INPUT_KEY_RETURN,
	INPUT_KEY_ESCAPE,
	INPUT_KEY_OTHER		/* leaves a page, no more */
};

enum input_kind {
	INPUT_MAP,		/* the window is on the screen */
	INPUT_UNMAP,
	INPUT_FOCUS,		/* keys come here */
	INPUT_UNFOCUS,
	INPUT_HELD,		/* code was down when the focus came */
	INPUT_PRESS,		/* key, code, modified, repeat */
	INPUT_RELEASE,		/* code */
	INPUT_BUTTON_DOWN,	/* key: of the button below the pointer, or 0 */
	INPUT_BUTTON_UP,	/* key: the same */
	INPUT_CLOSE,		/* the window was closed */
	INPUT_TICK		/* time has passed */
};

struct input_event {
	enum input_kind	kind;
	uint64_t	time;	/* ms, of the event itself */
	int		key;
	uint8_t		code;	/* of the physical key; 0: not known */
	bool		modified;	/* with Control, Alt or Super */
	bool		repeat;	/* the keyboard's doing, not a hand's */
};

enum input_page { PAGE_QUESTION, PAGE_DETAILS, PAGE_HELP, PAGE_LEGEND,
    PAGE_CONFIRM };

/* Why the last key changed nothing. */
enum input_notice { NOTICE_NONE, NOTICE_DOMAIN, NOTICE_PORT, NOTICE_EXE,
    NOTICE_UID, NOTICE_REST, NOTICE_SCOPE };

struct input {
	uint32_t		delay;	/* ms from showing to counting */
	bool			mapped;
	bool			focused;
	bool			armed;
	bool			answered;
	uint64_t		since;	/* latest of mapped, focused, asked */
	uint64_t		last_key;
	uint8_t			held[32];	/* a bit per key code */
	uint8_t			mask;	/* ASK_*: always one with a line */
	uint8_t			duration;	/* enum duration */
	bool			yes;	/* what Return would answer */
	enum input_page		page;
	enum input_notice	notice;
	int			button;	/* pressed and not yet released */
	uint64_t		deadline;	/* of the question */
};

enum input_result { INPUT_NOTHING, INPUT_REDRAW, INPUT_ANSWER };

void	 input_init(struct input *, uint32_t delay);
/*
 * A question, or news of the one that is shown (old; else NULL).  News that
 * change what an answer would mean make the keys wait again.
 */
void	 input_ask(struct input *, const struct msg_ask *old,
	    const struct msg_ask *, uint64_t now);
/*
 * What an event does.  INPUT_ANSWER fills the answer, at most once a
 * question; it is for the caller to send.
 */
enum input_result
	 input_event(struct input *, const struct msg_ask *,
	    const struct input_event *, struct msg_answer *);
/* Milliseconds until keys begin to count, or -1: not by waiting alone. */
int	 input_arms_in(const struct input *, uint64_t now);
/* Index of the line that the toggles have chosen. */
uint8_t	 input_line(const struct input *, const struct msg_ask *);
/* Index of the line with this mask, or -1. */
int	 input_find(const struct msg_ask *, uint8_t mask);

#endif /* INPUT_H */
