/*
 * SPDX-License-Identifier: ISC
 *
 * The pages of a question as lines of styled characters, for the window and
 * for the terminal.  Every character is printable ASCII.
 * Pure: no descriptors, globals or clock.
 */
#ifndef VIEW_H
#define VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "input.h"
#include "msg.h"

#define VIEW_COLS_MIN		40
#define VIEW_COLS_MAX		96
#define VIEW_LINES_MAX		48
#define VIEW_BUTTONS_MAX	24
#define VIEW_ROWS_MAX		4

enum view_style {
	VIEW_TEXT,
	VIEW_DIM,
	VIEW_STRONG,
	VIEW_COVERED,		/* what the rule will cover */
	VIEW_ALLOW,
	VIEW_DENY,
	VIEW_ALERT,
	VIEW_STYLE_MAX
};

struct view_line {
	bool	left;		/* else centred */
	size_t	len;
	char	text[VIEW_COLS_MAX + 1];
	uint8_t	style[VIEW_COLS_MAX];	/* enum view_style */
};

/* A choice that can be clicked; key as in input.h. */
struct view_button {
	int	key;
	uint8_t	row;
	bool	on;		/* chosen now */
	bool	off;		/* there is no such rule */
	char	label[20];
};

struct view {
	size_t			cols;
	size_t			nlines;
	struct view_line	line[VIEW_LINES_MAX];
	size_t			rule;	/* first line of the rules, or 0 */
	size_t			rule_end;	/* the line behind them */
	size_t			nbuttons;
	struct view_button	button[VIEW_BUTTONS_MAX];
	/* Below the buttons. */
	struct view_line	countdown;
	struct view_line	state;	/* do keys count now? */
	bool			armed;
};

/*
 * The page that is open.  unanswered: what happens when time runs out; cols:
 * the room, brought between VIEW_COLS_MIN and VIEW_COLS_MAX.
 */
void	 view_build(struct view *, const struct msg_ask *,
	    const struct input *, uint64_t now, enum action unanswered,
	    size_t cols);

#endif /* VIEW_H */
