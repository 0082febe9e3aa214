/*
 * SPDX-License-Identifier: ISC
 *
 * A view as pixels.  cairo draws into memory and never sees the X server:
 * its X surface would want shared memory segments.  Both faces of the font,
 * in every size that will be used, are opened here and held, since after the
 * sandbox no file can be read; characters stand in cells, so any font will
 * do and nothing a stranger chose can be wider than it was counted.
 */
#include <cairo.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "prompter.h"

#define GLYPHS		128
#define PIXELS_MAX	(64 << 20)

enum weight { REGULAR, BOLD, WEIGHTS };

struct rung {
	cairo_scaled_font_t	*font[WEIGHTS];
	struct cell		 cell;
	int			 ascent;
};

struct colour {
	double	r, g, b;
};

#define RGB(v)	{ ((v) >> 16 & 0xff) / 255.0, ((v) >> 8 & 0xff) / 255.0, \
		    ((v) & 0xff) / 255.0 }

/* What is covered is also framed in brackets: colour alone says nothing. */
static const struct palette {
	struct colour	background;
	struct colour	button_face, button_on;
	struct colour	border_wait, border_armed;
	struct colour	marker;		/* behind what the rule covers */
	struct colour	inks[VIEW_STYLE_MAX];
} palettes[THEME_MAX] = {
	[THEME_DARK] = {
		.background = RGB(0x16181c),
		.button_face = RGB(0x2a2e36),
		.button_on = RGB(0x4a4420),
		.border_wait = RGB(0x4a4e58),
		.border_armed = RGB(0x6fb36f),
		.marker = RGB(0x16181c),
		.inks = {
			[VIEW_TEXT] = RGB(0xd4d7dd),
			[VIEW_DIM] = RGB(0x8d939f),
			[VIEW_STRONG] = RGB(0xffffff),
			[VIEW_COVERED] = RGB(0xffd75f),
			[VIEW_ALLOW] = RGB(0x8fd18f),
			[VIEW_DENY] = RGB(0xff8f87),
			[VIEW_ALERT] = RGB(0xffb062),
		},
	},
	[THEME_LIGHT] = {
		.background = RGB(0xf8f8f6),
		.button_face = RGB(0xe6e7ea),
		.button_on = RGB(0xffe07a),
		.border_wait = RGB(0xb4b8c0),
		.border_armed = RGB(0x3a8f3a),
		.marker = RGB(0xffec99),
		.inks = {
			[VIEW_TEXT] = RGB(0x2a2e36),
			[VIEW_DIM] = RGB(0x666c78),
			[VIEW_STRONG] = RGB(0x000000),
			[VIEW_COVERED] = RGB(0x4a3800),
			[VIEW_ALLOW] = RGB(0x1a661a),
			[VIEW_DENY] = RGB(0xa8201a),
			[VIEW_ALERT] = RGB(0x924400),
		},
	},
};

static const int	percent[DRAW_RUNGS] = { 100, 85, 70, 58, 46 };
static const struct palette	*theme;
static struct rung	rungs[DRAW_RUNGS];
static unsigned long	glyph[WEIGHTS][GLYPHS];

static cairo_scaled_font_t *
load(const char *family, enum weight weight, int px)
{
	cairo_font_face_t	*face;
	cairo_font_options_t	*opt;
	cairo_matrix_t		 size, ctm;
	cairo_scaled_font_t	*font;

	face = cairo_toy_font_face_create(family, CAIRO_FONT_SLANT_NORMAL,
	    weight == BOLD ? CAIRO_FONT_WEIGHT_BOLD :
	    CAIRO_FONT_WEIGHT_NORMAL);
	opt = cairo_font_options_create();
	cairo_font_options_set_antialias(opt, CAIRO_ANTIALIAS_GRAY);
	cairo_font_options_set_hint_metrics(opt, CAIRO_HINT_METRICS_ON);
	cairo_matrix_init_scale(&size, px, px);
	cairo_matrix_init_identity(&ctm);
	font = cairo_scaled_font_create(face, &size, &ctm, opt);
	if (cairo_scaled_font_status(font) != CAIRO_STATUS_SUCCESS)
		fatalx("font \"%s\": %s", family, cairo_status_to_string(
		    cairo_scaled_font_status(font)));
	cairo_font_options_destroy(opt);
	cairo_font_face_destroy(face);
	return font;
}

/* Numbers of the glyphs: the same in every size of a face. */
static void
number_glyphs(enum weight weight)
{
	cairo_glyph_t	*g;
	cairo_status_t	 st;
	char		 s[2] = "";
	int		 c, n;

	for (c = ' '; c < 0x7f; c++) {
		s[0] = (char)c;
		g = NULL;
		n = 0;
		st = cairo_scaled_font_text_to_glyphs(rungs[0].font[weight],
		    0, 0, s, 1, &g, &n, NULL, NULL, NULL);
		if (st != CAIRO_STATUS_SUCCESS || n != 1)
			fatalx("font: no character for 0x%02x", c);
		glyph[weight][c] = g[0].index;
		cairo_glyph_free(g);
	}
}

static int
round_up(double d)
{
	int	n = (int)d;

	return n < d ? n + 1 : n;
}

static void
measure(struct rung *r)
{
	cairo_font_extents_t	fe;
	cairo_text_extents_t	te;
	int			w;

	for (w = 0; w < WEIGHTS; w++) {
		cairo_scaled_font_extents(r->font[w], &fe);
		cairo_scaled_font_text_extents(r->font[w], "W", &te);
		if (round_up(te.x_advance) > r->cell.w)
			r->cell.w = round_up(te.x_advance);
		if (round_up(fe.ascent) > r->ascent)
			r->ascent = round_up(fe.ascent);
		if (round_up(fe.ascent + fe.descent) > r->cell.h)
			r->cell.h = round_up(fe.ascent + fe.descent);
	}
	if (r->cell.w < 1 || r->cell.h < 1)
		fatalx("font: no size");
	/* Lines with a little air between them. */
	r->ascent += r->cell.h / 16;
	r->cell.h += r->cell.h / 8;
}

/* Opens the file of each face, which a character's size alone does not. */
static void
draw_once(cairo_scaled_font_t *font, unsigned long index)
{
	cairo_surface_t	*s;
	cairo_glyph_t	 g = { index, 0, 8 };
	cairo_t		*cr;

	s = cairo_image_surface_create(CAIRO_FORMAT_RGB24, 16, 16);
	cr = cairo_create(s);
	cairo_set_scaled_font(cr, font);
	cairo_show_glyphs(cr, &g, 1);
	if (cairo_status(cr) != CAIRO_STATUS_SUCCESS)
		fatalx("font: %s", cairo_status_to_string(cairo_status(cr)));
	cairo_destroy(cr);
	cairo_surface_destroy(s);
}

void
draw_open(const char *family, int px, enum theme colours)
{
	size_t	i;
	int	size, w;

	theme = &palettes[colours];
	for (i = 0; i < DRAW_RUNGS; i++) {
		size = px * percent[i] / 100;
		for (w = 0; w < WEIGHTS; w++)
			rungs[i].font[w] = load(family, (enum weight)w,
			    size < 6 ? 6 : size);
		measure(&rungs[i]);
	}
	for (w = 0; w < WEIGHTS; w++)
		number_glyphs((enum weight)w);
	for (i = 0; i < DRAW_RUNGS; i++)
		for (w = 0; w < WEIGHTS; w++)
			draw_once(rungs[i].font[w], glyph[w]['M']);
}

struct cell
draw_cell(size_t rung)
{
	return rungs[rung].cell;
}

static void
ink(cairo_t *cr, const struct colour *c)
{
	cairo_set_source_rgb(cr, c->r, c->g, c->b);
}

static void
fill(cairo_t *cr, const struct colour *c, int x, int y, int w, int h)
{
	ink(cr, c);
	cairo_rectangle(cr, x, y, w, h);
	cairo_fill(cr);
}

/* Characters of one style, each in its cell. */
static void
draw_run(cairo_t *cr, const struct rung *r, enum view_style style,
    const char *s, size_t n, int x, int y)
{
	cairo_glyph_t	g[VIEW_COLS_MAX];
	enum weight	w;
	size_t		i;

	w = style == VIEW_TEXT || style == VIEW_DIM ? REGULAR : BOLD;
	for (i = 0; i < n && i < VIEW_COLS_MAX; i++) {
		g[i].index = glyph[w][s[i] & 0x7f];
		g[i].x = x + (int)i * r->cell.w;
		g[i].y = y + r->ascent;
	}
	cairo_set_scaled_font(cr, r->font[w]);
	ink(cr, &theme->inks[style]);
	cairo_show_glyphs(cr, g, (int)i);
}

static void
draw_line(cairo_t *cr, const struct rung *r, const struct view_line *l,
    const struct rect *box, int y)
{
	size_t	n, off;
	int	x;

	x = box->x;
	if (!l->left)
		x += (box->w - (int)l->len * r->cell.w) / 2;
	for (off = 0; off < l->len; off += n) {
		for (n = 1; off + n < l->len; n++)
			if (l->style[off + n] != l->style[off])
				break;
		if (l->style[off] == VIEW_COVERED)
			fill(cr, &theme->marker, x + (int)off * r->cell.w, y,
			    (int)n * r->cell.w, r->cell.h);
		draw_run(cr, r, (enum view_style)l->style[off],
		    l->text + off, n, x + (int)off * r->cell.w, y);
	}
}

static enum view_style
button_style(const struct view *v, const struct view_button *b)
{
	if (!v->armed || b->off)
		return VIEW_DIM;
	if (b->key == 'y')
		return VIEW_ALLOW;
	if (b->key == 'n')
		return VIEW_DENY;
	return b->on ? VIEW_COVERED : VIEW_TEXT;
}

static void
draw_button(cairo_t *cr, const struct rung *r, const struct view *v,
    const struct view_button *b, const struct rect *box)
{
	size_t	n;

	n = strlen(b->label);
	fill(cr, b->on ? &theme->button_on : &theme->button_face, box->x, box->y, box->w,
	    box->h);
	draw_run(cr, r, button_style(v, b), b->label, n,
	    box->x + (box->w - (int)n * r->cell.w) / 2,
	    box->y + (box->h - r->cell.h) / 2);
}

static void
draw_all(cairo_t *cr, const struct view *v, const struct layout *lo,
    const struct rung *r, int w, int h)
{
	const struct colour	*frame;
	size_t			 i;
	int			 b = lo->border;

	frame = v->armed ? &theme->border_armed : &theme->border_wait;
	fill(cr, frame, 0, 0, w, h);
	fill(cr, &theme->background, b, b, w - 2 * b, h - 2 * b);
	for (i = 0; i < v->nlines; i++)
		draw_line(cr, r, &v->line[i], &lo->text,
		    lo->text.y + (int)i * r->cell.h);
	for (i = 0; i < lo->nbuttons; i++)
		draw_button(cr, r, v, &v->button[i], &lo->button[i]);
	draw_line(cr, r, &v->countdown, &lo->countdown, lo->countdown.y);
	draw_line(cr, r, &v->state, &lo->state, lo->state.y);
}

uint8_t *
draw_view(const struct view *v, const struct layout *lo, size_t rung, int w,
    int h, size_t *stride)
{
	cairo_surface_t	*s;
	cairo_t		*cr;
	uint8_t		*pixels;

	*stride = (size_t)w * 4;
	if ((size_t)h > PIXELS_MAX / *stride)
		fatalx("window of %d by %d is too large", w, h);
	if ((pixels = calloc((size_t)h, *stride)) == NULL)
		fatal(NULL);
	s = cairo_image_surface_create_for_data(pixels, CAIRO_FORMAT_RGB24, w,
	    h, (int)*stride);
	cr = cairo_create(s);
	draw_all(cr, v, lo, &rungs[rung], w, h);
	if (cairo_status(cr) != CAIRO_STATUS_SUCCESS)
		fatalx("drawing: %s",
		    cairo_status_to_string(cairo_status(cr)));
	cairo_destroy(cr);
	cairo_surface_flush(s);
	cairo_surface_destroy(s);
	return pixels;
}
