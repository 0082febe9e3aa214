/*
 * SPDX-License-Identifier: ISC
 *
 * Input: sizes from the X server, which may be nonsense (projectors that are
 * 16 by 9 millimetres), and a view.  Everything is brought into range.
 */
#include <string.h>

#include "layout.h"

#define DPI_DEFAULT	96
#define DPI_MIN		72	/* below this a size in mm is not believed */
#define DPI_MAX		480
#define FONT_MIN	8
#define FONT_MAX	160
#define COLS_MIN	60

int
layout_dpi(int set, int px, int mm)
{
	long	dpi;

	if (set >= DPI_MIN / 2 && set <= 2 * DPI_MAX)
		return set;
	if (px <= 0 || mm <= 0)
		return DPI_DEFAULT;
	dpi = ((long)px * 254 / mm + 5) / 10;
	if (dpi < DPI_MIN || dpi > DPI_MAX)
		return DPI_DEFAULT;
	/* Ordinary screens are all a little off: leave them alone. */
	if (dpi < 120)
		return DPI_DEFAULT;
	return (int)dpi;
}

int
layout_xft_dpi(const char *res, size_t len)
{
	static const char	key[] = "Xft.dpi:";
	size_t			end, off;
	int			dpi;

	for (off = 0; off < len; off = end + 1) {
		for (end = off; end < len && res[end] != '\n'; end++)
			;
		if (end - off < sizeof(key) ||
		    memcmp(res + off, key, sizeof(key) - 1) != 0)
			continue;
		off += sizeof(key) - 1;
		while (off < end && (res[off] == ' ' || res[off] == '\t'))
			off++;
		/* Some write a fraction: the whole part will do. */
		for (dpi = 0; off < end && res[off] >= '0' &&
		    res[off] <= '9' && dpi < 10000; off++)
			dpi = dpi * 10 + (res[off] - '0');
		return dpi;
	}
	return 0;
}

int
layout_font(int size, int dpi)
{
	int	px;

	px = (size * dpi + DPI_DEFAULT / 2) / DPI_DEFAULT;
	if (px < FONT_MIN)
		return FONT_MIN;
	return px > FONT_MAX ? FONT_MAX : px;
}

const struct rect *
layout_monitor(const struct rect *m, size_t n, int x, int y)
{
	size_t	i;

	for (i = 0; i < n; i++)
		if (x >= m[i].x && x - m[i].x < m[i].w &&
		    y >= m[i].y && y - m[i].y < m[i].h)
			return &m[i];
	return &m[0];
}

size_t
layout_cols(const struct rect *monitor, struct cell cell)
{
	int	cols;

	/* Two cells on either side, and a little of what is behind. */
	cols = monitor->w * 95 / 100 / cell.w - 4;
	/* The rows of buttons are wider than that anyway. */
	if (cols < COLS_MIN)
		return COLS_MIN;
	/* Longer lines are hard to take in. */
	return cols > 84 ? 84 : (size_t)cols;
}

static int
button_width(const struct view_button *b, struct cell cell)
{
	return (int)(strlen(b->label) + 1) * cell.w;
}

/* Pixels of one row of buttons with the gaps between them. */
static int
row_width(const struct view *v, unsigned int row, struct cell cell)
{
	size_t	i;
	int	w = 0;

	for (i = 0; i < v->nbuttons; i++)
		if (v->button[i].row == row)
			w += button_width(&v->button[i], cell) + cell.w / 2;
	return w > 0 ? w - cell.w / 2 : 0;
}

static unsigned int
rows(const struct view *v)
{
	size_t		i;
	unsigned int	n = 0;

	for (i = 0; i < v->nbuttons; i++)
		if (v->button[i].row + 1U > n)
			n = v->button[i].row + 1U;
	return n;
}

static int
row_pitch(struct cell cell)
{
	return cell.h + cell.h / 2 + cell.h / 4;
}

static void
place_buttons(struct layout *lo, const struct view *v, struct cell cell,
    int mid, int top)
{
	unsigned int	row;
	size_t		i;
	int		x;

	lo->nbuttons = v->nbuttons;
	for (row = 0; row < rows(v); row++) {
		x = mid - row_width(v, row, cell) / 2;
		for (i = 0; i < v->nbuttons; i++) {
			if (v->button[i].row != row)
				continue;
			lo->button[i].x = x;
			lo->button[i].y = top + (int)row * row_pitch(cell);
			lo->button[i].w = button_width(&v->button[i], cell);
			lo->button[i].h = cell.h + cell.h / 2;
			x += lo->button[i].w + cell.w / 2;
		}
	}
}

/* The widest of the text and the rows of buttons. */
static int
content_width(const struct view *v, struct cell cell)
{
	unsigned int	row;
	int		w;

	w = (int)v->cols * cell.w;
	for (row = 0; row < rows(v); row++)
		if (row_width(v, row, cell) > w)
			w = row_width(v, row, cell);
	return w;
}

void
layout_view(struct layout *lo, const struct view *v, struct cell cell, int w,
    int h)
{
	int	buttons, foot, margin, text, top;

	memset(lo, 0, sizeof(*lo));
	lo->border = cell.h / 6 < 2 ? 2 : cell.h / 6;
	margin = 2 * cell.w + lo->border;
	text = (int)v->nlines * cell.h;
	buttons = (int)rows(v) * row_pitch(cell);
	foot = 2 * cell.h + cell.h / 2;
	lo->w = content_width(v, cell) + 2 * margin;
	lo->h = text + buttons + foot + 2 * margin;
	if (w < lo->w)
		w = lo->w;
	if (h < lo->h)
		h = lo->h;
	/* The foot stays below, so that it does not jump between pages. */
	top = (h - lo->h) / 2 + margin;
	lo->text.x = (w - (int)v->cols * cell.w) / 2;
	lo->text.y = top;
	lo->text.w = (int)v->cols * cell.w;
	lo->text.h = text;
	place_buttons(lo, v, cell, w / 2, top + text);
	lo->countdown.x = lo->state.x = lo->text.x;
	lo->countdown.w = lo->state.w = lo->text.w;
	lo->countdown.h = lo->state.h = cell.h;
	lo->countdown.y = h - margin - 2 * cell.h;
	lo->state.y = h - margin - cell.h;
}

struct rect
layout_centre(const struct rect *monitor, int w, int h)
{
	struct rect	r;

	r.w = w;
	r.h = h;
	r.x = monitor->x + (monitor->w - w) / 2;
	r.y = monitor->y + (monitor->h - h) / 2;
	if (r.x < monitor->x)
		r.x = monitor->x;
	if (r.y < monitor->y)
		r.y = monitor->y;
	return r;
}

int
layout_hit(const struct layout *lo, const struct view *v, int x, int y)
{
	const struct rect	*r;
	size_t			 i;

	for (i = 0; i < lo->nbuttons && i < v->nbuttons; i++) {
		r = &lo->button[i];
		if (x >= r->x && x < r->x + r->w && y >= r->y &&
		    y < r->y + r->h)
			return v->button[i].key;
	}
	return INPUT_KEY_NONE;
}
