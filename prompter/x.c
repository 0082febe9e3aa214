/*
 * SPDX-License-Identifier: ISC
 *
 * The X connection and the one window.  The X server and every other client
 * of it may be hostile: events that a client invented are dropped, requests
 * that fail are only noted, and the window's end means "deny once".
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>
#include <xcb/randr.h>
#include <xcb/xcb.h>
#include <xcb/xcb_ewmh.h>
#include <xcb/xcb_icccm.h>
#include <xcb/xinput.h>
#include <xcb/xkb.h>

#include "log.h"
#include "prompter.h"

#define SYNTHETIC	0x80	/* of a response type: XSendEvent made it */
#define RESOURCES_MAX	(64 << 10)
#define MONITORS_MAX	16
#define TITLE		"tinysnitch"
#define HANG_S		5	/* a server that is busy for so long hangs */

enum { ATOM_PROTOCOLS, ATOM_DELETE, ATOM_PING, ATOM_MAX };

static xcb_connection_t		*conn;
static xcb_screen_t		*screen;
static xcb_ewmh_connection_t	 ewmh;
static xcb_atom_t		 atoms[ATOM_MAX];
static bool			 randr;
static enum action		 unanswered;

static xcb_window_t		 window;	/* XCB_NONE: no question */
static xcb_gcontext_t		 gc;
static int			 win_w, win_h;
static int			 want_w, want_h;	/* what we asked for */
static bool			 forced;	/* the size is not ours */
static bool			 focus_real, focus_pointer;
static struct rect		 monitor;	/* that the window is for */
static struct view		 view;
static struct layout		 layout;

/* The server's clock against ours; the smallest difference is the truest. */
static xcb_timestamp_t		 clock_last;
static int64_t			 clock_sum;	/* the server's, unwrapped */
static int64_t			 clock_offset;
static bool			 clock_known;

static void
lost(void)
{
	log_info("the X connection is gone");
	exit(0);
}

/*
 * A server that does not read blocks whoever draws, and one that does not
 * answer blocks whoever asks it.  Then this process ends: ruled decides at
 * once, and the parent tries the display again.
 */
static void
hangs(int sig)
{
	(void)sig;
	_exit(0);
}

/* Around all that may wait for the server; one within another counts as one. */
static void
may_wait(int change)
{
	static int		depth;
	struct itimerval	it;

	depth += change;
	memset(&it, 0, sizeof(it));
	if (depth == 1 && change > 0)
		it.it_value.tv_sec = HANG_S;
	else if (depth > 0)
		return;
	(void)setitimer(ITIMER_REAL, &it, NULL);
}

/*
 * When an event happened, by our clock.  A key typed before the window was
 * armed must not count because we were slow to read it.
 */
static uint64_t
event_time(xcb_timestamp_t t)
{
	int64_t	now = (int64_t)now_ms();

	if (!clock_known)
		clock_sum = t;
	else
		clock_sum += (int32_t)(t - clock_last);
	clock_last = t;
	if (!clock_known || now - clock_sum < clock_offset)
		clock_offset = now - clock_sum;
	clock_known = true;
	now = clock_sum + clock_offset;
	return now > 0 ? (uint64_t)now : 0;
}

static void
connect_to(int fd, const struct msg_start *start)
{
	xcb_auth_info_t		auth;
	xcb_screen_iterator_t	it;
	char			name[sizeof(start->xauth_name)];
	char			data[sizeof(start->xauth)];
	int			i;

	memcpy(name, start->xauth_name, sizeof(name));
	memcpy(data, start->xauth, sizeof(data));
	auth.name = name;
	auth.namelen = (int)strlen(name);
	auth.data = data;
	auth.datalen = start->xauth_len;
	conn = xcb_connect_to_fd(fd, auth.namelen > 0 ? &auth : NULL);
	explicit_bzero(data, sizeof(data));
	if (xcb_connection_has_error(conn))
		fatalx("the X server refused the connection");
	it = xcb_setup_roots_iterator(xcb_get_setup(conn));
	for (i = 0; i < start->xscreen && it.rem > 1; i++)
		xcb_screen_next(&it);
	screen = it.data;
}

static const xcb_visualtype_t *
root_visual(void)
{
	xcb_depth_iterator_t		 d;
	xcb_visualtype_iterator_t	 v;

	for (d = xcb_screen_allowed_depths_iterator(screen); d.rem > 0;
	    xcb_depth_next(&d))
		for (v = xcb_depth_visuals_iterator(d.data); v.rem > 0;
		    xcb_visualtype_next(&v))
			if (v.data->visual_id == screen->root_visual)
				return v.data;
	return NULL;
}

/* What draw.c makes must be what the server shows. */
static void
check_visual(void)
{
	const xcb_setup_t	*setup = xcb_get_setup(conn);
	xcb_format_iterator_t	 it;
	const xcb_visualtype_t	*v;
	int			 bpp = 0;

	for (it = xcb_setup_pixmap_formats_iterator(setup); it.rem > 0;
	    xcb_format_next(&it))
		if (it.data->depth == screen->root_depth)
			bpp = it.data->bits_per_pixel;
	v = root_visual();
	if (bpp != 32 || v == NULL || v->red_mask != 0xff0000 ||
	    v->green_mask != 0xff00 || v->blue_mask != 0xff ||
	    setup->image_byte_order != (__BYTE_ORDER__ ==
	    __ORDER_LITTLE_ENDIAN__ ? XCB_IMAGE_ORDER_LSB_FIRST :
	    XCB_IMAGE_ORDER_MSB_FIRST))
		fatalx("this display cannot show 24-bit colour");
}

static void
intern(void)
{
	static const char *const	 names[ATOM_MAX] = { "WM_PROTOCOLS",
	    "WM_DELETE_WINDOW", "_NET_WM_PING" };
	xcb_intern_atom_cookie_t	 cookie[ATOM_MAX], *more;
	xcb_intern_atom_reply_t		*r;
	int				 i;

	for (i = 0; i < ATOM_MAX; i++)
		cookie[i] = xcb_intern_atom(conn, 0,
		    (uint16_t)strlen(names[i]), names[i]);
	more = xcb_ewmh_init_atoms(conn, &ewmh);
	for (i = 0; i < ATOM_MAX; i++) {
		if ((r = xcb_intern_atom_reply(conn, cookie[i], NULL)) == NULL)
			fatalx("no atoms from the X server");
		atoms[i] = r->atom;
		free(r);
	}
	if (!xcb_ewmh_init_atoms_replies(&ewmh, more, NULL))
		fatalx("no atoms from the X server");
}

/* Rectangles of the monitors; mm gets the width of the first in mm. */
static size_t
monitors(struct rect *m, int *mm)
{
	xcb_randr_get_monitors_reply_t		*r = NULL;
	xcb_randr_monitor_info_iterator_t	 it;
	size_t					 n = 0;

	if (randr)
		r = xcb_randr_get_monitors_reply(conn,
		    xcb_randr_get_monitors(conn, screen->root, 1), NULL);
	if (r != NULL) {
		for (it = xcb_randr_get_monitors_monitors_iterator(r);
		    it.rem > 0 && n < MONITORS_MAX;
		    xcb_randr_monitor_info_next(&it), n++) {
			m[n].x = it.data->x;
			m[n].y = it.data->y;
			m[n].w = it.data->width;
			m[n].h = it.data->height;
			if (n == 0)
				*mm = (int)it.data->width_in_millimeters;
		}
		free(r);
	}
	/* Some drivers and servers know only the size of all together. */
	if (n > 0 && *mm == 0 && screen->width_in_pixels != 0)
		*mm = screen->width_in_millimeters * m[0].w /
		    screen->width_in_pixels;
	if (n > 0)
		return n;
	m[0].x = m[0].y = 0;
	m[0].w = screen->width_in_pixels;
	m[0].h = screen->height_in_pixels;
	*mm = screen->width_in_millimeters;
	return 1;
}

static void
randr_open(void)
{
	const xcb_query_extension_reply_t	*ext;
	xcb_randr_query_version_reply_t		*v;

	ext = xcb_get_extension_data(conn, &xcb_randr_id);
	if (ext == NULL || !ext->present)
		return;
	v = xcb_randr_query_version_reply(conn,
	    xcb_randr_query_version(conn, 1, 5), NULL);
	randr = v != NULL && (v->major_version > 1 || v->minor_version >= 5);
	free(v);
}

static int
find_dpi(void)
{
	xcb_get_property_reply_t	*r;
	struct rect			 m[MONITORS_MAX];
	int				 mm = 0, set = 0;

	r = xcb_get_property_reply(conn, xcb_get_property(conn, 0,
	    screen->root, XCB_ATOM_RESOURCE_MANAGER, XCB_ATOM_STRING, 0,
	    RESOURCES_MAX / 4), NULL);
	if (r != NULL)
		set = layout_xft_dpi(xcb_get_property_value(r),
		    (size_t)xcb_get_property_value_length(r));
	free(r);
	(void)monitors(m, &mm);
	return layout_dpi(set, m[0].w, mm);
}

void
x_open(int fd, const struct msg_start *start)
{
	unanswered = (enum action)start->unanswered;
	connect_to(fd, start);
	xcb_prefetch_extension_data(conn, &xcb_randr_id);
	xcb_prefetch_extension_data(conn, &xcb_input_id);
	xcb_prefetch_extension_data(conn, &xcb_xkb_id);
	xcb_prefetch_maximum_request_length(conn);
	check_visual();
	intern();
	randr_open();
	draw_open(start->font[0] != '\0' ? start->font : "monospace",
	    layout_font(start->font_size, find_dpi()),
	    (enum theme)start->theme);
	keys_open(conn, screen, start->ask_synthetic);
	gc = xcb_generate_id(conn);
	xcb_create_gc(conn, gc, screen->root, 0, NULL);
	if (xcb_connection_has_error(conn))
		fatalx("the X server closed the connection");
}

/*
 * The middle of the window that has the focus, or the pointer: the person
 * looks there.
 */
static void
find_attention(int *x, int *y)
{
	xcb_get_input_focus_reply_t		*f;
	xcb_get_geometry_reply_t		*g = NULL;
	xcb_translate_coordinates_reply_t	*t = NULL;
	xcb_query_pointer_reply_t		*p;
	xcb_query_pointer_cookie_t		 pointer;
	xcb_window_t				 win = XCB_NONE;

	pointer = xcb_query_pointer(conn, screen->root);
	f = xcb_get_input_focus_reply(conn, xcb_get_input_focus(conn), NULL);
	if (f != NULL)
		win = f->focus;
	free(f);
	if (win > XCB_INPUT_FOCUS_POINTER_ROOT && win != screen->root) {
		g = xcb_get_geometry_reply(conn, xcb_get_geometry(conn, win),
		    NULL);
		t = xcb_translate_coordinates_reply(conn,
		    xcb_translate_coordinates(conn, win, screen->root, 0, 0),
		    NULL);
	}
	*x = *y = 0;
	p = xcb_query_pointer_reply(conn, pointer, NULL);
	/* Toolkits give the focus to a window of one pixel. */
	if (g != NULL && t != NULL && g->width > 1) {
		*x = t->dst_x + g->width / 2;
		*y = t->dst_y + g->height / 2;
	} else if (p != NULL) {
		*x = p->root_x;
		*y = p->root_y;
	}
	free(p);
	free(g);
	free(t);
}

static void
find_monitor(void)
{
	struct rect	m[MONITORS_MAX];
	size_t		n;
	int		mm, x, y;

	n = monitors(m, &mm);
	find_attention(&x, &y);
	monitor = *layout_monitor(m, n, x, y);
}

/* The largest font with which everything has room; else the smallest. */
static size_t
fit(const struct msg_ask *ask, const struct input *in)
{
	struct rect	room = monitor;
	size_t		rung;

	room.w = room.w * 98 / 100;
	room.h = room.h * 94 / 100;	/* titles and panels */
	if (forced) {
		room.w = win_w;
		room.h = win_h;
	}
	for (rung = 0;; rung++) {
		view_build(&view, ask, in, now_ms(), unanswered,
		    layout_cols(&room, draw_cell(rung)));
		layout_view(&layout, &view, draw_cell(rung), 0, 0);
		if (rung == DRAW_RUNGS - 1 ||
		    (layout.w <= room.w && layout.h <= room.h))
			return rung;
	}
}

static void
set_hints(const struct rect *at)
{
	xcb_size_hints_t	size;
	xcb_icccm_wm_hints_t	wm;

	memset(&size, 0, sizeof(size));
	xcb_icccm_size_hints_set_position(&size, 1, at->x, at->y);
	xcb_icccm_size_hints_set_size(&size, 0, at->w, at->h);
	xcb_icccm_size_hints_set_min_size(&size, at->w, at->h);
	xcb_icccm_size_hints_set_max_size(&size, at->w, at->h);
	xcb_icccm_set_wm_normal_hints(conn, window, &size);
	memset(&wm, 0, sizeof(wm));
	xcb_icccm_wm_hints_set_input(&wm, 1);
	xcb_icccm_wm_hints_set_normal(&wm);
	xcb_icccm_wm_hints_set_urgency(&wm);
	xcb_icccm_set_wm_hints(conn, window, &wm);
}

static void
set_properties(void)
{
	static const char	class[] = TITLE "\0Tinysnitch";
	xcb_atom_t		protocols[] = { atoms[ATOM_DELETE],
	    atoms[ATOM_PING] };

	xcb_icccm_set_wm_class(conn, window, sizeof(class), class);
	xcb_icccm_set_wm_name(conn, window, XCB_ATOM_STRING, 8,
	    sizeof(TITLE) - 1, TITLE);
	xcb_ewmh_set_wm_name(&ewmh, window, sizeof(TITLE) - 1, TITLE);
	xcb_icccm_set_wm_protocols(conn, window, atoms[ATOM_PROTOCOLS], 2,
	    protocols);
	xcb_ewmh_set_wm_window_type(&ewmh, window, 1,
	    &ewmh._NET_WM_WINDOW_TYPE_DIALOG);
	xcb_ewmh_set_wm_state(&ewmh, window, 1, &ewmh._NET_WM_STATE_ABOVE);
}

static void
create_window(const struct rect *at)
{
	uint32_t	values[2];

	window = xcb_generate_id(conn);
	values[0] = screen->black_pixel;
	values[1] = XCB_EVENT_MASK_STRUCTURE_NOTIFY |
	    XCB_EVENT_MASK_FOCUS_CHANGE | XCB_EVENT_MASK_ENTER_WINDOW |
	    XCB_EVENT_MASK_LEAVE_WINDOW | XCB_EVENT_MASK_KEYMAP_STATE |
	    XCB_EVENT_MASK_PROPERTY_CHANGE | keys_core_mask();
	xcb_create_window(conn, XCB_COPY_FROM_PARENT, window, screen->root,
	    (int16_t)at->x, (int16_t)at->y, (uint16_t)at->w,
	    (uint16_t)at->h, 0, XCB_WINDOW_CLASS_INPUT_OUTPUT,
	    XCB_COPY_FROM_PARENT, XCB_CW_BACK_PIXEL | XCB_CW_EVENT_MASK,
	    values);
	keys_select(window);
	set_properties();
	win_w = want_w = at->w;
	win_h = want_h = at->h;
	forced = focus_real = focus_pointer = false;
	/* Its properties' events tell the server's time anew. */
	clock_known = false;
}

/* Grows with the page, never shrinks: nothing jumps below the pointer. */
static void
resize(void)
{
	struct rect	at;
	uint32_t	values[4];

	if (forced || (layout.w <= win_w && layout.h <= win_h))
		return;
	win_w = layout.w > win_w ? layout.w : win_w;
	win_h = layout.h > win_h ? layout.h : win_h;
	want_w = win_w;
	want_h = win_h;
	at = layout_centre(&monitor, win_w, win_h);
	set_hints(&at);
	values[0] = (uint32_t)at.x;
	values[1] = (uint32_t)at.y;
	values[2] = (uint32_t)at.w;
	values[3] = (uint32_t)at.h;
	xcb_configure_window(conn, window, XCB_CONFIG_WINDOW_X |
	    XCB_CONFIG_WINDOW_Y | XCB_CONFIG_WINDOW_WIDTH |
	    XCB_CONFIG_WINDOW_HEIGHT, values);
}

/* In as many pieces as the server's longest request asks for. */
static void
put_image(xcb_pixmap_t pixmap, const uint8_t *pixels, size_t stride)
{
	size_t	max, rows;
	int	n, y;

	max = (size_t)xcb_get_maximum_request_length(conn) * 4;
	if (max > 1 << 20)
		max = 1 << 20;
	rows = (max - 64) / stride;
	if (rows == 0)
		return;
	for (y = 0; y < win_h; y += n) {
		n = win_h - y;
		if ((size_t)n > rows)
			n = (int)rows;
		xcb_put_image(conn, XCB_IMAGE_FORMAT_Z_PIXMAP, pixmap, gc,
		    (uint16_t)win_w, (uint16_t)n, 0, (int16_t)y, 0,
		    screen->root_depth, (uint32_t)((size_t)n * stride),
		    pixels + (size_t)y * stride);
	}
}

/* As the window's background, so that the server repaints it by itself. */
static void
paint(size_t rung)
{
	xcb_pixmap_t	 pixmap;
	uint8_t		*pixels;
	size_t		 stride;

	pixels = draw_view(&view, &layout, rung, win_w, win_h, &stride);
	pixmap = xcb_generate_id(conn);
	xcb_create_pixmap(conn, screen->root_depth, pixmap, screen->root,
	    (uint16_t)win_w, (uint16_t)win_h);
	put_image(pixmap, pixels, stride);
	free(pixels);
	xcb_change_window_attributes(conn, window, XCB_CW_BACK_PIXMAP,
	    &pixmap);
	xcb_clear_area(conn, 0, window, 0, 0, 0, 0);
	xcb_free_pixmap(conn, pixmap);
}

void
x_show(const struct msg_ask *ask, const struct input *in)
{
	struct rect	at;
	size_t		rung;
	bool		new;

	may_wait(1);
	new = window == XCB_NONE;
	if (new) {
		find_monitor();
		forced = false;
	}
	rung = fit(ask, in);
	if (new) {
		at = layout_centre(&monitor, layout.w, layout.h);
		create_window(&at);
		set_hints(&at);
	}
	resize();
	layout_view(&layout, &view, draw_cell(rung), win_w, win_h);
	paint(rung);
	if (new)
		xcb_map_window(conn, window);
	may_wait(-1);
}

void
x_hide(void)
{
	if (window == XCB_NONE)
		return;
	xcb_destroy_window(conn, window);
	window = XCB_NONE;
}

static void
tell(enum input_kind kind, uint64_t time)
{
	struct input_event	ev;

	memset(&ev, 0, sizeof(ev));
	ev.kind = kind;
	ev.time = time;
	question_event(&ev);
}

/*
 * Without a window manager, or with one where the focus follows the pointer
 * without saying so, keys come when the pointer does.
 */
static void
focus(bool real, bool pointer)
{
	focus_real = real;
	focus_pointer = pointer;
	tell(real || pointer ? INPUT_FOCUS : INPUT_UNFOCUS, now_ms());
}

/* Going out ends both: another window has the focus now, or none. */
static void
focus_event(const xcb_focus_in_event_t *ev)
{
	if (ev->event != window)
		return;
	if (ev->response_type == XCB_FOCUS_OUT)
		focus(false, false);
	else if (ev->detail == XCB_NOTIFY_DETAIL_POINTER)
		focus(focus_real, true);
	else
		focus(true, focus_pointer);
}

/* Keys that were down when the focus came: code 8 and above. */
static void
keymap_notify(const xcb_keymap_notify_event_t *ev)
{
	struct input_event	held;
	int			code;

	for (code = 8; code < 256; code++) {
		if ((ev->keys[code / 8 - 1] & 1U << code % 8) == 0)
			continue;
		memset(&held, 0, sizeof(held));
		held.kind = INPUT_HELD;
		held.time = now_ms();
		held.code = (uint8_t)code;
		question_event(&held);
	}
}

/* The window manager's way of asking; a client that invents it gets "no". */
static void
client_message(const xcb_client_message_event_t *ev)
{
	xcb_client_message_event_t	pong;

	if (ev->window != window || ev->type != atoms[ATOM_PROTOCOLS] ||
	    ev->format != 32)
		return;
	if (ev->data.data32[0] == atoms[ATOM_DELETE]) {
		tell(INPUT_CLOSE, now_ms());
		return;
	}
	if (ev->data.data32[0] != atoms[ATOM_PING])
		return;
	pong = *ev;
	pong.response_type = XCB_CLIENT_MESSAGE;
	pong.window = screen->root;
	xcb_send_event(conn, 0, screen->root,
	    XCB_EVENT_MASK_SUBSTRUCTURE_REDIRECT |
	    XCB_EVENT_MASK_SUBSTRUCTURE_NOTIFY, (const char *)&pong);
}

/* A tiling window manager has its own idea of our size. */
static void
configure_notify(const xcb_configure_notify_event_t *ev)
{
	if (ev->window != window || ev->width == 0 || ev->height == 0 ||
	    (ev->width == win_w && ev->height == win_h))
		return;
	win_w = ev->width;
	win_h = ev->height;
	forced = win_w != want_w || win_h != want_h;
	question_draw();
}

static void
input_from(const struct keys_event *k)
{
	struct input_event	ev = k->input;

	if (ev.kind == INPUT_TICK || window == XCB_NONE)
		return;
	ev.time = event_time(k->time);
	if (ev.kind == INPUT_BUTTON_DOWN || ev.kind == INPUT_BUTTON_UP)
		ev.key = layout_hit(&layout, &view, k->x, k->y);
	/* Without a window manager a click is the way to the focus. */
	if (ev.kind == INPUT_BUTTON_DOWN && !focus_real && !focus_pointer)
		xcb_set_input_focus(conn, XCB_INPUT_FOCUS_POINTER_ROOT,
		    window, k->time);
	question_event(&ev);
}

static void
window_event(const xcb_generic_event_t *ev)
{
	const xcb_enter_notify_event_t	*cross = (const void *)ev;

	switch (ev->response_type) {
	case XCB_MAP_NOTIFY:
		if (((const xcb_map_notify_event_t *)ev)->window == window)
			tell(INPUT_MAP, now_ms());
		break;
	case XCB_UNMAP_NOTIFY:
		if (((const xcb_unmap_notify_event_t *)ev)->window == window)
			tell(INPUT_UNMAP, now_ms());
		break;
	case XCB_DESTROY_NOTIFY:
		if (((const xcb_destroy_notify_event_t *)ev)->window !=
		    window)
			break;
		window = XCB_NONE;
		tell(INPUT_CLOSE, now_ms());
		break;
	case XCB_FOCUS_IN:
	case XCB_FOCUS_OUT:
		focus_event((const void *)ev);
		break;
	case XCB_ENTER_NOTIFY:
		if (cross->event == window)
			focus(focus_real, cross->same_screen_focus & 1);
		break;
	case XCB_LEAVE_NOTIFY:
		if (cross->event == window)
			focus(focus_real, false);
		break;
	case XCB_KEYMAP_NOTIFY:
		keymap_notify((const void *)ev);
		break;
	case XCB_PROPERTY_NOTIFY:
		(void)event_time(
		    ((const xcb_property_notify_event_t *)ev)->time);
		break;
	}
}

static void
handle(const xcb_generic_event_t *ev)
{
	const xcb_generic_error_t	*err;
	struct keys_event		 k;

	switch (ev->response_type & ~SYNTHETIC) {
	case 0:
		err = (const void *)ev;
		log_debug("X error %u of request %u.%u", err->error_code,
		    err->major_code, err->minor_code);
		return;
	case XCB_CLIENT_MESSAGE:	/* always made by a client */
		client_message((const void *)ev);
		return;
	case XCB_CONFIGURE_NOTIFY:	/* window managers make some */
		configure_notify((const void *)ev);
		return;
	}
	if (ev->response_type & SYNTHETIC)
		return;
	if (keys_event(ev, &k))
		input_from(&k);
	else
		window_event(ev);
}

void
x_pump(void)
{
	xcb_generic_event_t	*ev;

	may_wait(1);
	while ((ev = xcb_poll_for_event(conn)) != NULL) {
		handle(ev);
		free(ev);
	}
	if (xcb_connection_has_error(conn) || xcb_flush(conn) <= 0)
		lost();
	may_wait(-1);
}

static void
readable(int fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	x_pump();
}

void
x_watch(struct event_base *base)
{
	struct sigaction	 sa;
	struct event		*ev;

	memset(&sa, 0, sizeof(sa));
	sa.sa_handler = hangs;
	if (sigaction(SIGALRM, &sa, NULL) == -1)
		fatal("sigaction");
	ev = event_new(base, xcb_get_file_descriptor(conn),
	    EV_READ | EV_PERSIST, readable, NULL);
	if (ev == NULL || event_add(ev, NULL) == -1)
		fatal(NULL);
}
