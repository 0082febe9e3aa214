/*
 * SPDX-License-Identifier: ISC
 *
 * Where things go: rectangles from sizes, resolution and monitors.
 * Pure: no descriptors, globals or clock.
 */
#ifndef LAYOUT_H
#define LAYOUT_H

#include <stddef.h>

#include "view.h"

struct rect {
	int	x, y, w, h;
};

/* A character cell of the font, in pixels. */
struct cell {
	int	w, h;
};

/* In pixels from the window's corner; button i is the view's button i. */
struct layout {
	int		w, h;		/* what all of it needs */
	int		border;
	struct rect	text;
	struct rect	button[VIEW_BUTTONS_MAX];
	size_t		nbuttons;
	struct rect	countdown;
	struct rect	state;
};

/*
 * Dots per inch: what the user set (Xft.dpi; 0: nothing), else pixels by
 * millimetres where those can be true, else 96.
 */
int	 layout_dpi(int set, int px, int mm);
/* The number after "Xft.dpi:" among an X server's resources, or 0. */
int	 layout_xft_dpi(const char *, size_t);
/* Pixels of a font size that is meant for 96 dots per inch. */
int	 layout_font(int size, int dpi);
/* The monitor that a point is on, else the first. */
const struct rect *
	 layout_monitor(const struct rect *, size_t n, int x, int y);
/* Columns of text that a monitor gives room for, or a few too many. */
size_t	 layout_cols(const struct rect *monitor, struct cell);
/*
 * What a view needs.  w and h: the window as it is (0: not yet); where it is
 * larger the content is centred in it.
 */
void	 layout_view(struct layout *, const struct view *, struct cell, int w,
	    int h);
/* Centred, and never beyond the upper left corner. */
struct rect
	 layout_centre(const struct rect *monitor, int w, int h);
/* The key of the button below a point, or INPUT_KEY_NONE. */
int	 layout_hit(const struct layout *, const struct view *, int x, int y);

#endif /* LAYOUT_H */
