/*
 * SPDX-License-Identifier: ISC
 *
 * Plays the prompter's parent, ruled, and the person, by a script on standard
 * input (see prompt.sh; one command a line, its words at the switch below).
 *
 *	prompt_peer PROMPTER COOKIE		cookie: 32 hex digits
 *	prompt_peer -k KEY ...			only press keys
 *
 * The display is the one of DISPLAY.  Keys are pressed through XTEST in the
 * name of a real device, which the prompter cannot tell from a hand; `fake`
 * and `send` press them as other programs would.
 */
#include <err.h>
#include <event2/event.h>
#include <fcntl.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <xcb/xcb.h>
#include <xcb/xinput.h>
#include <xcb/xtest.h>
#include <xkbcommon/xkbcommon.h>

#include "imsg.h"
#include "layout.h"
#include "log.h"
#include "view.h"

#define WAIT_MS		3000
#define ARMED_MS	8000	/* longer than any machine is busy */
#define COLS		84	/* of a page, on a screen that has the room */

static xcb_connection_t		*conn;
static xcb_screen_t		*screen;
static uint16_t			 keyboard, mouse;	/* device ids */
static uint8_t			 xi_first;
static struct event_base	*base;
static struct link		*parent, *ruled;
static pid_t			 child;
static bool			 ready, gone;
static struct msg_ask		 ask;
static struct msg_answer	 answer;
static unsigned int		 answers;
static uint64_t			 waits_from;	/* ms: keys begin to wait */
static uint32_t			 delay = 500;	/* before keys count, ms */

static char			 name[64];
static char			 why[512];

static void __attribute__((__format__(printf, 1, 2)))
wrong(const char *fmt, ...)
{
	va_list	ap;

	if (why[0] != '\0')
		return;
	va_start(ap, fmt);
	vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
}

static bool	 serve(bool (*)(void), int);

static uint64_t
now_ms(void)
{
	struct timespec	ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

static int
case_end(void)
{
	int	bad = why[0] != '\0';

	if (name[0] == '\0')
		return 0;
	if (bad)
		printf("not ok prompt: %s: %s\n", name, why);
	else
		printf("ok prompt: %s\n", name);
	fflush(stdout);
	name[0] = why[0] = '\0';
	return bad;
}

/* ---- the display ---------------------------------------------------- */

static void
find_devices(void)
{
	xcb_input_xi_query_device_reply_t	*r;
	xcb_input_xi_device_info_iterator_t	 it;
	const xcb_query_extension_reply_t	*ext;

	ext = xcb_get_extension_data(conn, &xcb_input_id);
	if (ext == NULL || !ext->present)
		errx(1, "no XInput");
	xi_first = ext->first_event;
	free(xcb_input_xi_query_version_reply(conn,
	    xcb_input_xi_query_version(conn, 2, 0), NULL));
	r = xcb_input_xi_query_device_reply(conn,
	    xcb_input_xi_query_device(conn, XCB_INPUT_DEVICE_ALL), NULL);
	if (r == NULL)
		errx(1, "no devices");
	for (it = xcb_input_xi_query_device_infos_iterator(r); it.rem > 0;
	    xcb_input_xi_device_info_next(&it)) {
		if (memmem(xcb_input_xi_device_info_name(it.data),
		    it.data->name_len, "XTEST", 5) != NULL)
			continue;
		if (it.data->type == XCB_INPUT_DEVICE_TYPE_SLAVE_KEYBOARD)
			keyboard = it.data->deviceid;
		if (it.data->type == XCB_INPUT_DEVICE_TYPE_SLAVE_POINTER)
			mouse = it.data->deviceid;
	}
	free(r);
}

static void
open_display(void)
{
	conn = xcb_connect(NULL, NULL);
	if (xcb_connection_has_error(conn))
		errx(1, "no display");
	screen = xcb_setup_roots_iterator(xcb_get_setup(conn)).data;
	find_devices();
}

static void
sync_display(void)
{
	free(xcb_get_input_focus_reply(conn, xcb_get_input_focus(conn),
	    NULL));
}

/* "#38" is a key code; all else the name of a symbol. */
static uint8_t
key_code(const char *key)
{
	xcb_get_keyboard_mapping_reply_t	*r;
	const xcb_setup_t			*s = xcb_get_setup(conn);
	xcb_keysym_t				*syms;
	xkb_keysym_t				 sym;
	int					 i, n;

	if (key[0] == '#')
		return (uint8_t)strtonum(key + 1, 8, 255, NULL);
	sym = xkb_keysym_from_name(key, XKB_KEYSYM_NO_FLAGS);
	r = xcb_get_keyboard_mapping_reply(conn, xcb_get_keyboard_mapping(
	    conn, s->min_keycode, (uint8_t)(s->max_keycode -
	    s->min_keycode + 1)), NULL);
	if (r == NULL)
		return 0;
	syms = xcb_get_keyboard_mapping_keysyms(r);
	n = xcb_get_keyboard_mapping_keysyms_length(r);
	for (i = 0; i < n; i++)
		if (syms[i] == sym)
			break;
	n = i < n ? s->min_keycode + i / r->keysyms_per_keycode : 0;
	free(r);
	if (n == 0)
		wrong("no key for %s", key);
	return (uint8_t)n;
}

static void
real_key(const char *key, bool down)
{
	xcb_test_fake_input(conn, (uint8_t)(xi_first + (down ?
	    XCB_INPUT_DEVICE_KEY_PRESS : XCB_INPUT_DEVICE_KEY_RELEASE)),
	    key_code(key), 0, XCB_NONE, 0, 0, (uint8_t)keyboard);
	sync_display();
}

static void
fake_key(const char *key)
{
	uint8_t	code = key_code(key);

	xcb_test_fake_input(conn, XCB_KEY_PRESS, code, 0, XCB_NONE, 0, 0, 0);
	xcb_test_fake_input(conn, XCB_KEY_RELEASE, code, 0, XCB_NONE, 0, 0,
	    0);
	sync_display();
}

static bool
is_ours(xcb_window_t win)
{
	xcb_get_property_reply_t	*r;
	bool				 yes;

	r = xcb_get_property_reply(conn, xcb_get_property(conn, 0, win,
	    XCB_ATOM_WM_CLASS, XCB_ATOM_STRING, 0, 16), NULL);
	yes = r != NULL && xcb_get_property_value_length(r) > 10 &&
	    memcmp(xcb_get_property_value(r), "tinysnitch", 11) == 0;
	free(r);
	return yes;
}

/* A window manager may have put frames around it. */
static xcb_window_t
find_below(xcb_window_t top, int depth)
{
	xcb_query_tree_reply_t	*r;
	xcb_window_t		*w, found = XCB_NONE;
	int			 i;

	if (is_ours(top))
		return top;
	if (depth == 0)
		return XCB_NONE;
	r = xcb_query_tree_reply(conn, xcb_query_tree(conn, top), NULL);
	if (r == NULL)
		return XCB_NONE;
	w = xcb_query_tree_children(r);
	for (i = 0; i < xcb_query_tree_children_length(r) &&
	    found == XCB_NONE; i++)
		found = find_below(w[i], depth - 1);
	free(r);
	return found;
}

static xcb_window_t
find_window(void)
{
	return find_below(screen->root, 3);
}

static void
send_key(const char *key)
{
	xcb_key_press_event_t	ev;
	xcb_window_t		win = find_window();

	memset(&ev, 0, sizeof(ev));
	ev.response_type = XCB_KEY_PRESS;
	ev.detail = key_code(key);
	ev.root = screen->root;
	ev.event = win;
	ev.same_screen = 1;
	xcb_send_event(conn, 0, win, XCB_EVENT_MASK_NO_EVENT,
	    (const char *)&ev);
	sync_display();
}

/* As if the server had said that the window is no more. */
static void
forge_end(void)
{
	xcb_destroy_notify_event_t	ev;
	char				buf[32];

	memset(&ev, 0, sizeof(ev));
	ev.response_type = XCB_DESTROY_NOTIFY;
	ev.event = ev.window = find_window();
	memset(buf, 0, sizeof(buf));
	memcpy(buf, &ev, sizeof(ev));
	xcb_send_event(conn, 0, ev.window, XCB_EVENT_MASK_NO_EVENT, buf);
	sync_display();
}

static xcb_atom_t
atom(const char *text)
{
	xcb_intern_atom_reply_t	*r;
	xcb_atom_t		 a;

	r = xcb_intern_atom_reply(conn, xcb_intern_atom(conn, 0,
	    (uint16_t)strlen(text), text), NULL);
	a = r != NULL ? r->atom : XCB_NONE;
	free(r);
	return a;
}

/* As a window manager says it. */
static void
say_protocol(const char *protocol)
{
	xcb_client_message_event_t	ev;

	memset(&ev, 0, sizeof(ev));
	ev.response_type = XCB_CLIENT_MESSAGE;
	ev.format = 32;
	ev.window = find_window();
	ev.type = atom("WM_PROTOCOLS");
	ev.data.data32[0] = atom(protocol);
	ev.data.data32[2] = ev.window;
	xcb_send_event(conn, 0, ev.window, XCB_EVENT_MASK_NO_EVENT,
	    (const char *)&ev);
	sync_display();
}

static void
set_focus(const char *where)
{
	xcb_window_t	win = XCB_INPUT_FOCUS_POINTER_ROOT;

	if (strcmp(where, "window") == 0)
		win = find_window();
	else if (strcmp(where, "none") == 0)
		win = XCB_NONE;
	xcb_set_input_focus(conn, XCB_INPUT_FOCUS_POINTER_ROOT, win,
	    XCB_CURRENT_TIME);
	sync_display();
	waits_from = now_ms();
}

static void
move_pointer(int x, int y)
{
	xcb_warp_pointer(conn, XCB_NONE, find_window(), 0, 0, 0, 0,
	    (int16_t)x, (int16_t)y);
	sync_display();
}

static void
real_button(bool down)
{
	xcb_test_fake_input(conn, (uint8_t)(xi_first + (down ?
	    XCB_INPUT_DEVICE_BUTTON_PRESS : XCB_INPUT_DEVICE_BUTTON_RELEASE)),
	    1, 0, XCB_NONE, 0, 0, (uint8_t)mouse);
	sync_display();
}

/*
 * The window's cells, from its size when the question has just appeared: what
 * must be known to find a button.  Later a page may have made it larger.
 */
static struct cell
find_cell(const struct view *v, int w, int h)
{
	static struct cell	known;
	struct layout		lo;
	struct cell		c;

	for (c.w = 4; c.w < 60 && known.w == 0; c.w++)
		for (c.h = c.w; c.h < 4 * c.w; c.h++) {
			layout_view(&lo, v, c, 0, 0);
			if (lo.w == w && lo.h == h)
				known = c;
		}
	return known;
}

static int
button_key(const char *word)
{
	if (strcmp(word, "Tab") == 0)
		return INPUT_KEY_TAB;
	return strcmp(word, "back") == 0 ? INPUT_KEY_OTHER : word[0];
}

/* The middle of the button, by the same code that placed it. */
static bool
find_button(const char *word, enum input_page page, int *x, int *y)
{
	static struct view		 v;
	struct layout			 lo;
	struct input			 in;
	xcb_get_geometry_reply_t	*g;
	struct cell			 cell;
	size_t				 i;

	g = xcb_get_geometry_reply(conn, xcb_get_geometry(conn,
	    find_window()), NULL);
	if (g == NULL) {
		wrong("no window to click into");
		return false;
	}
	input_init(&in, delay);
	input_ask(&in, NULL, &ask, 0);
	view_build(&v, &ask, &in, 0, ACTION_DENY, COLS);
	cell = find_cell(&v, g->width, g->height);
	in.page = page;
	view_build(&v, &ask, &in, 0, ACTION_DENY, COLS);
	layout_view(&lo, &v, cell, g->width, g->height);
	free(g);
	for (i = 0; i < lo.nbuttons; i++)
		if (v.button[i].key == button_key(word)) {
			*x = lo.button[i].x + lo.button[i].w / 2;
			*y = lo.button[i].y + lo.button[i].h / 2;
			return true;
		}
	wrong("no button for %s", word);
	return false;
}

/* The border's colour: green when keys count. */
static bool
is_armed(void)
{
	xcb_get_image_reply_t	*r;
	const uint8_t		*p;
	bool			 green = false;

	r = xcb_get_image_reply(conn, xcb_get_image(conn,
	    XCB_IMAGE_FORMAT_Z_PIXMAP, find_window(), 0, 0, 1, 1, UINT32_MAX),
	    NULL);
	if (r != NULL && xcb_get_image_data_length(r) >= 4) {
		p = xcb_get_image_data(r);
		green = p[1] > p[0] + 40 && p[1] > p[2] + 40;
	}
	free(r);
	return green;
}

static void
resize_window(const char *size)
{
	uint32_t	value[2];
	int		h, w;

	if (sscanf(size, "%d %d", &w, &h) != 2) {
		wrong("bad size %s", size);
		return;
	}
	value[0] = (uint32_t)w;
	value[1] = (uint32_t)h;
	xcb_configure_window(conn, find_window(), XCB_CONFIG_WINDOW_WIDTH |
	    XCB_CONFIG_WINDOW_HEIGHT, value);
	sync_display();
}

/*
 * Whatever was typed before is on the screen when the prompter has answered
 * this: it handles one event after the other.
 */
static void
wait_drawn(void)
{
	const uint32_t		 mask = XCB_EVENT_MASK_SUBSTRUCTURE_NOTIFY;
	xcb_generic_event_t	*ev;
	bool			 pong = false;
	int			 i;

	xcb_change_window_attributes(conn, screen->root, XCB_CW_EVENT_MASK,
	    &mask);
	say_protocol("_NET_WM_PING");
	for (i = 0; i < WAIT_MS / 20 && !pong; i++) {
		while ((ev = xcb_poll_for_event(conn)) != NULL) {
			pong = pong || (ev->response_type & 0x7f) ==
			    XCB_CLIENT_MESSAGE;
			free(ev);
		}
		if (!pong)
			serve(NULL, 20);
	}
	if (!pong)
		wrong("no answer to a ping");
}

static void
write_picture(const char *path, const uint8_t *p, int w, int h)
{
	FILE	*f;
	int	 i;

	if ((f = fopen(path, "w")) == NULL) {
		wrong("%s cannot be written", path);
		return;
	}
	fprintf(f, "P6 %d %d 255\n", w, h);
	for (i = 0; i < w * h; i++) {
		fputc(p[4 * i + 2], f);
		fputc(p[4 * i + 1], f);
		fputc(p[4 * i], f);
	}
	fclose(f);
}

static void
take_picture(const char *path)
{
	xcb_get_geometry_reply_t	*g;
	xcb_get_image_reply_t		*r;
	xcb_window_t			 win = find_window();

	wait_drawn();
	g = xcb_get_geometry_reply(conn, xcb_get_geometry(conn, win), NULL);
	if (g == NULL) {
		wrong("no window to take a picture of");
		return;
	}
	r = xcb_get_image_reply(conn, xcb_get_image(conn,
	    XCB_IMAGE_FORMAT_Z_PIXMAP, win, 0, 0, g->width, g->height,
	    UINT32_MAX), NULL);
	if (r == NULL)
		wrong("no picture of the window");
	else
		write_picture(path, xcb_get_image_data(r), g->width,
		    g->height);
	free(r);
	free(g);
}

/* ---- the links ------------------------------------------------------ */

static void
stop_loop(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	*(bool *)arg = true;
}

/* Serves the links until the condition holds, or the time is over. */
static bool
serve(bool (*done)(void), int ms)
{
	struct timeval	 tv = { ms / 1000, ms % 1000 * 1000 };
	struct event	*timer;
	bool		 over = false;

	timer = evtimer_new(base, stop_loop, &over);
	evtimer_add(timer, &tv);
	while (!over && (done == NULL || !done()))
		event_base_loop(base, EVLOOP_ONCE);
	event_free(timer);
	return !over;
}

static bool is_ready(void)	{ return ready || gone; }
static bool is_gone(void)	{ return gone; }
static bool is_answered(void)	{ return answers > 0; }

static void
from_prompter(struct link *l, struct imsg *imsg, void *arg)
{
	struct ibuf	b;
	struct msg_log	log;

	(void)l;
	(void)arg;
	ibuf_reader(&b, imsg->data, imsg->len);
	switch (imsg->type) {
	case MSG_READY:
		ready = true;
		break;
	case MSG_LOG:
		if (msg_get_log(&b, &log) == 0)
			fprintf(stderr, "prompter: %.*s\n", (int)log.len,
			    log.text);
		break;
	case MSG_ANSWER:
		if (msg_get_answer(&b, &answer) == -1)
			wrong("malformed answer");
		answers++;
		break;
	}
}

static void
link_lost(struct link *l, const char *reason, void *arg)
{
	(void)arg;
	if (reason != NULL)
		wrong("link: %s", reason);
	link_free(l);
	if (l == parent) {
		parent = NULL;
		gone = true;
	}
	if (l == ruled)
		ruled = NULL;
}

static void
make_pair(int sv[2])
{
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sv) == -1)
		err(1, "socketpair");
}

/*
 * An X server without the extension that the environment names: a process in
 * between makes its name one that no server knows.
 */
static void
copy_bytes(int from, int to, const char *without)
{
	static char	buf[65536];
	char		*p;
	ssize_t		n, off, r;

	if ((n = read(from, buf, sizeof(buf))) <= 0)
		_exit(0);
	if (without != NULL && (p = memmem(buf, (size_t)n, without,
	    strlen(without))) != NULL)
		p[strlen(without) - 1] = '?';
	for (off = 0; off < n; off += r)
		if ((r = write(to, buf + off, (size_t)(n - off))) <= 0)
			_exit(0);
}

static int
without_extension(int server, const char *without)
{
	struct pollfd	pfd[2];
	int		sv[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sv) == -1)
		err(1, "socketpair");
	switch (fork()) {
	case -1:
		err(1, "fork");
	case 0:
		close(sv[0]);
		break;
	default:
		close(server);
		close(sv[1]);
		return sv[0];
	}
	/* Nothing else stays open here: others wait for its end. */
	if (dup2(sv[1], 0) == -1 || dup2(server, 1) == -1)
		_exit(1);
	closefrom(3);
	pfd[0].fd = 0;
	pfd[1].fd = 1;
	pfd[0].events = pfd[1].events = POLLIN;
	while (poll(pfd, 2, -1) > 0) {
		if (pfd[0].revents != 0)
			copy_bytes(0, 1, without);
		if (pfd[1].revents != 0)
			copy_bytes(1, 0, NULL);
	}
	_exit(0);
}

/* The file socket of a local display, as the parent's helper connects. */
static int
connect_socket(void)
{
	struct sockaddr_un {
		sa_family_t	family;
		char		path[108];
	}		 sun = { AF_UNIX, "" };
	const char	*display = getenv("DISPLAY");
	int		 fd;

	if (display == NULL || display[0] != ':')
		errx(1, "DISPLAY");
	snprintf(sun.path, sizeof(sun.path), "/tmp/.X11-unix/X%s",
	    display + 1);
	if ((fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) == -1 ||
	    connect(fd, (struct sockaddr *)&sun, sizeof(sun)) == -1)
		err(1, "%s", sun.path);
	if (getenv("WITHOUT") != NULL)
		return without_extension(fd, getenv("WITHOUT"));
	return fd;
}

static void
send_start(const char *cookie)
{
	static uint8_t	 buf[MSG_PAYLOAD_MAX];
	struct msg_start s;
	struct passwd	*pw;
	struct ibuf	 b;
	unsigned int	 byte;

	memset(&s, 0, sizeof(s));
	s.uid = s.gid = 65534;
	if ((pw = getpwnam("_tsprompt")) != NULL) {
		s.uid = pw->pw_uid;
		s.gid = pw->pw_gid;
	}
	s.fds = 1U << FD_PARENT | 1U << FD_ROOT | 1U << FD_PROMPT_RULED |
	    1U << FD_PROMPT_X;
	s.form = FW_NFT;
	s.unanswered = ACTION_DENY;
	s.ask_timeout = 60;
	s.ask_delay = delay;
	s.ask_synthetic = getenv("SYNTHETIC") != NULL;
	strlcpy(s.font, "monospace", sizeof(s.font));
	s.font_size = 16;
	s.theme = getenv("LIGHT") != NULL ? THEME_LIGHT : THEME_DARK;
	strlcpy(s.xauth_name, "MIT-MAGIC-COOKIE-1", sizeof(s.xauth_name));
	while (s.xauth_len < 16 &&
	    sscanf(cookie + 2 * s.xauth_len, "%2x", &byte) == 1)
		s.xauth[s.xauth_len++] = (uint8_t)byte;
	ibuf_writer(&b, buf, sizeof(buf));
	msg_put_start(&b, &s);
	link_send_ibuf(parent, MSG_START, -1, &b);
}

static void
exec_prompter(const char *path, const int fds[4])
{
	char	*argv[] = { NULL, NULL }, *envp[] = { NULL };
	int	 high[4], i;

	for (i = 0; i < 4; i++)
		if ((high[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, 20)) == -1)
			err(1, "fcntl");
	for (i = 0; i < 4; i++)
		if (dup2(high[i], FD_PARENT + i) == -1)
			err(1, "dup2");
	if ((argv[0] = strdup(path)) == NULL)
		err(1, NULL);
	execve(path, argv, envp);
	err(1, "%s", path);
}

static void
start_prompter(const char *path, const char *cookie)
{
	char	root[] = "/tmp/prompt-root.XXXXXX";
	int	a[2], b[2], fds[4];

	make_pair(a);
	make_pair(b);
	if (mkdtemp(root) == NULL || chmod(root, 0555) == -1)
		err(1, "%s", root);
	fds[0] = a[1];
	fds[1] = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	fds[2] = b[1];
	fds[3] = connect_socket();
	if ((child = fork()) == -1)
		err(1, "fork");
	if (child == 0)
		exec_prompter(path, fds);
	close(a[1]);
	close(b[1]);
	close(fds[1]);
	close(fds[3]);
	parent = link_new(base, a[0], ROLE_PARENT, ROLE_PROMPTER,
	    from_prompter, link_lost, NULL);
	ruled = link_new(base, b[0], ROLE_RULED, ROLE_PROMPTER, from_prompter,
	    link_lost, NULL);
	send_start(cookie);
	if (!serve(is_ready, 10000) || gone)
		errx(1, "the prompter did not become ready");
	rmdir(root);
}

/* A fresh link, as after ruled was started anew. */
static void
new_peer(void)
{
	struct msg_peer	m = { ROLE_RULED };
	struct ibuf	b;
	uint8_t		buf[8];
	int		sv[2];

	make_pair(sv);
	link_free(ruled);
	ruled = link_new(base, sv[0], ROLE_RULED, ROLE_PROMPTER,
	    from_prompter, link_lost, NULL);
	ibuf_writer(&b, buf, sizeof(buf));
	msg_put_peer(&b, &m);
	link_send_ibuf(parent, MSG_PEER, sv[1], &b);
	serve(NULL, 100);
}

/* ---- questions ------------------------------------------------------ */

static void
line(uint8_t mask, const char *text)
{
	if (ask.nlines == ASK_LINES_MAX)
		return;
	ask.line[ask.nlines].mask = mask;
	strlcpy(ask.line[ask.nlines++].text, text,
	    sizeof(ask.line[0].text));
}

/* Every combination of toggles for one destination. */
static void
lines(const char *host, const char *domain, const char *port)
{
	char		text[320];
	unsigned int	m;
	const char	*dst;

	ask.nlines = 0;
	for (m = 0; m <= ASK_MASK_ALL; m++) {
		/* One scope at most. */
		if (((m & ASK_SCOPE) & ((m & ASK_SCOPE) - 1)) != 0)
			continue;
		dst = m & ASK_ANYHOST ? "-" : m & ASK_DOMAIN ? domain :
		    m & ASK_ADDR ? "140.82.121.6" : host;
		snprintf(text, sizeof(text), "%s %s tcp%s%s", dst,
		    m & ASK_PORT ? "-" : port,
		    m & ASK_EXE ? " exe=/usr/bin/curl" : "",
		    m & ASK_UID ? " uid=alice" : "");
		line((uint8_t)m, text);
	}
}

static void
arguments(const char *args, size_t len)
{
	memcpy(ask.args, args, len);
	ask.args_len = (uint16_t)len;
}

static void
ask_out(void)
{
	static const char	args[] = "curl\0-s\0https://api.github.com/x y";

	if (addr_parse("192.168.1.5", &ask.tuple.src) == -1 ||
	    addr_parse("140.82.121.6", &ask.tuple.dst) == -1)
		errx(1, "addr_parse");
	ask.direction = DIR_OUT;
	ask.tuple.proto = IPPROTO_TCP;
	ask.tuple.sport = 46700;
	ask.tuple.dport = 443;
	ask.nnames = 2;
	strlcpy(ask.name[0], "api.github.com", sizeof(ask.name[0]));
	strlcpy(ask.name[1], "github.com", sizeof(ask.name[1]));
	ask.shared = 3;
	strlcpy(ask.name_source, "dns", sizeof(ask.name_source));
	ask.source = WHO_EVENT;
	ask.pid = 603062;
	strlcpy(ask.exe, "/usr/bin/curl", sizeof(ask.exe));
	arguments(args, sizeof(args));
	strlcpy(ask.cwd, "/home/alice/src", sizeof(ask.cwd));
	strlcpy(ask.user, "alice", sizeof(ask.user));
	strlcpy(ask.unit, "/user.slice/user-1000.slice/session-2.scope", sizeof(ask.unit));
	strlcpy(ask.parents, "[602990] /usr/bin/bash < [602001] "
	    "/usr/bin/xterm < [1] /usr/lib/systemd/systemd",
	    sizeof(ask.parents));
	ask.age_ms = 1240;
	ask.held = 2;
	lines("api.github.com", "*.github.com", "443");
}

static void
ask_in(void)
{
	static const char	args[] = "sshd\0-D";
	char			text[64];
	int			m;

	ask_out();
	ask.direction = DIR_IN;
	if (addr_parse("203.0.113.77", &ask.tuple.src) == -1 ||
	    addr_parse("192.168.1.5", &ask.tuple.dst) == -1)
		errx(1, "addr_parse");
	ask.tuple.sport = 51234;
	ask.tuple.dport = 22;
	ask.nnames = 1;
	strlcpy(ask.name[0], "scanner.example.net", sizeof(ask.name[0]));
	ask.shared = 1;
	strlcpy(ask.exe, "/usr/sbin/sshd", sizeof(ask.exe));
	arguments(args, sizeof(args));
	strlcpy(ask.user, "root", sizeof(ask.user));
	strlcpy(ask.cwd, "/", sizeof(ask.cwd));
	strlcpy(ask.parents, "[1] /usr/lib/systemd/systemd",
	    sizeof(ask.parents));
	ask.nlines = 0;
	for (m = 0; m < 4; m++) {
		snprintf(text, sizeof(text), "localhost %s tcp in%s",
		    m & 1 ? "-" : "22", m & 2 ? " from=203.0.113.77" : "");
		line((m & 1 ? ASK_PORT : 0) | (m & 2 ? ASK_ADDR : 0), text);
	}
}

/* A script of a unit, which is what matters about it. */
static void
ask_script(void)
{
	static const char	args[] = "python3\0/opt/backup/sync.py\0--all";

	ask_out();
	strlcpy(ask.exe, "/usr/bin/python3.11", sizeof(ask.exe));
	arguments(args, sizeof(args));
	strlcpy(ask.cwd, "/opt/backup", sizeof(ask.cwd));
	strlcpy(ask.user, "backup", sizeof(ask.user));
	strlcpy(ask.unit, "/system.slice/docker-4f2b1c0d9e8a7f6b5c4d3e2f1a0b"
	    "9c8d7e6f5a4b3c2d1e0f.scope", sizeof(ask.unit));
	strlcpy(ask.parents, "[801] /usr/bin/containerd-shim < [1] "
	    "/usr/lib/systemd/systemd", sizeof(ask.parents));
}

/* An address without a name, an unknown program. */
static void
ask_address(void)
{
	ask_out();
	if (addr_parse("2001:db8::5", &ask.tuple.src) == -1 ||
	    addr_parse("2001:db8:1234:5678:9abc:def0:1234:5678",
	    &ask.tuple.dst) == -1)
		errx(1, "addr_parse");
	ask.nnames = 0;
	ask.shared = 0;
	ask.pid = 0;
	ask.source = WHO_UNKNOWN;
	ask.exe[0] = ask.user[0] = ask.cwd[0] = ask.parents[0] = '\0';
	ask.unit[0] = '\0';
	ask.args_len = 0;
	ask.nlines = 0;
	line(0, "2001:db8:1234:5678:9abc:def0:1234:5678 443 tcp");
	line(ASK_PORT, "2001:db8:1234:5678:9abc:def0:1234:5678 - tcp");
}

/* Names, paths and arguments that try to look like something else. */
static void
ask_hostile(void)
{
	static const char	args[] = "bash\0-c\0"
	    "\xe2\x80\xae" "moc.buhtig ' [1] /usr/bin/apt\0\x1b[2J\n"
	    "allow - - -\0o\xcc\x81\xcc\x81\xcc\x81\xcc\x81\xcc\x81\xff";
	char			host[HOST_NAME_MAX_DNS];
	size_t			i;

	ask_out();
	for (i = 0; i + 1 < sizeof(host) - 20; i++)
		host[i] = i % 60 == 59 ? '.' : "github"[i % 6];
	strlcpy(host + i, ".evil.example.org", sizeof(host) - i);
	strlcpy(ask.name[0], host, sizeof(ask.name[0]));
	strlcpy(ask.name[1], "github.com \xe2\x80\xae\n443", 64);
	strlcpy(ask.exe, "/home/alice/\xe2\x80\xaegnp.exe/", 64);
	for (i = strlen(ask.exe); i < 900; i++)
		ask.exe[i] = "../usr/bin/curl "[i % 16];
	arguments(args, sizeof(args));
	for (i = sizeof(args); i < sizeof(ask.args) - 1; i++)
		ask.args[i] = i % 50 == 0 ? '\0' : (char)(i % 7 == 0 ? 7 :
		    'A' + i % 26);
	ask.args[i++] = '\0';
	ask.args_len = (uint16_t)i;
	ask.args_cut = 1;
	strlcpy(ask.cwd, "/tmp/\t\x9b" "31m (y)es allow", sizeof(ask.cwd));
	strlcpy(ask.parents, "[7] /tmp/\xe2\x80\x8b[1] /sbin/init",
	    sizeof(ask.parents));
	lines(host, "*.example.org", "443");
}

static void
send_ask(const char *kind, bool again)
{
	static uint8_t	buf[MSG_PAYLOAD_MAX];
	static uint32_t	question;
	struct ibuf	b;

	memset(&ask, 0, sizeof(ask));
	if (strcmp(kind, "in") == 0)
		ask_in();
	else if (strcmp(kind, "address") == 0)
		ask_address();
	else if (strcmp(kind, "script") == 0)
		ask_script();
	else if (strcmp(kind, "hostile") == 0)
		ask_hostile();
	else
		ask_out();
	if (strcmp(kind, "other") == 0)
		lines("gitlab.example.org", "*.example.org", "443");
	if (strcmp(kind, "waiting") == 0)
		ask.more = 12;
	ask.question = again ? question : ++question;
	ask.left_ms = 57000;
	ibuf_writer(&b, buf, sizeof(buf));
	msg_put_ask(&b, &ask);
	if (ruled == NULL)
		wrong("no link to ask through");
	else
		link_send_ibuf(ruled, MSG_ASK, -1, &b);
	waits_from = now_ms();
	if (!again)
		answers = 0;
}

static void
send_end(void)
{
	struct msg_ask_end	m = { ask.question };
	struct ibuf		b;
	uint8_t			buf[8];

	ibuf_writer(&b, buf, sizeof(buf));
	msg_put_ask_end(&b, &m);
	link_send_ibuf(ruled, MSG_ASK_END, -1, &b);
}

/* ---- the script ----------------------------------------------------- */

static bool
can_be_seen(void)
{
	xcb_get_window_attributes_reply_t	*r;
	xcb_window_t				 win = find_window();
	bool					 yes;

	if (win == XCB_NONE)
		return false;
	r = xcb_get_window_attributes_reply(conn,
	    xcb_get_window_attributes(conn, win), NULL);
	yes = r != NULL && r->map_state == XCB_MAP_STATE_VIEWABLE;
	free(r);
	return yes;
}

/* Waits until a window of the prompter's can be seen, or cannot. */
static void
want_window(bool there)
{
	int	i;

	for (i = 0; i < WAIT_MS / 20; i++) {
		if (can_be_seen() == there)
			return;
		serve(NULL, 20);
	}
	wrong(there ? "there is no window" : "the window is still there");
}

/* Waits until keys count. */
static void
want_armed(void)
{
	int	i;

	/* The picture may still be that of the question before. */
	for (i = 0; i < ARMED_MS / 20; i++) {
		if (now_ms() - waits_from >= delay && can_be_seen() &&
		    is_armed())
			return;
		serve(NULL, 20);
	}
	wrong("keys do not count");
}

/* All of the window is on the screen. */
static void
want_inside(void)
{
	xcb_get_geometry_reply_t	*g;
	xcb_translate_coordinates_reply_t *t;
	xcb_window_t			 win;

	wait_drawn();
	win = find_window();
	g = xcb_get_geometry_reply(conn, xcb_get_geometry(conn, win), NULL);
	t = xcb_translate_coordinates_reply(conn,
	    xcb_translate_coordinates(conn, win, screen->root, 0, 0), NULL);
	if (g == NULL || t == NULL || t->dst_x < 0 || t->dst_y < 0 ||
	    t->dst_x + g->width > screen->width_in_pixels ||
	    t->dst_y + g->height > screen->height_in_pixels)
		wrong("not inside: %d x %d", g != NULL ? g->width : 0,
		    g != NULL ? g->height : 0);
	free(g);
	free(t);
}

/* "LINE ACTION DURATION", the line as ruled will write it. */
static void
want_answer(const char *want)
{
	char	got[512];

	if (!serve(is_answered, WAIT_MS)) {
		wrong("no answer, wanted %s", want);
		return;
	}
	serve(NULL, 50);
	snprintf(got, sizeof(got), "%s %s %s",
	    action_name((enum action)answer.action),
	    duration_name((enum duration)answer.duration),
	    answer.line < ask.nlines ? ask.line[answer.line].text : "?");
	if (strcmp(got, want) != 0)
		wrong("answer is %s, wanted %s", got, want);
	if (answers != 1 || answer.question != ask.question)
		wrong("%u answers, to question %u", answers,
		    answer.question);
	answers = 0;
}

static void
want_none(void)
{
	serve(NULL, 200);
	if (answers > 0)
		wrong("answered %s", action_name((enum action)answer.action));
}

static void
want_exit(void)
{
	int	status;

	link_free(parent);
	parent = NULL;
	serve(NULL, 300);
	if (waitpid(child, &status, WNOHANG) != child)
		wrong("the prompter lives on without a parent");
	else if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		wrong("the prompter ended with status %#x", status);
	else
		child = 0;
}

/* The display went away: an end, and no failure. */
static void
want_end(void)
{
	int	status;

	if (!serve(is_gone, WAIT_MS) ||
	    waitpid(child, &status, 0) != child)
		wrong("the prompter outlives its display");
	else if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		wrong("the prompter ended with status %#x", status);
	child = 0;
}

static long
switches(void)
{
	char	 path[64], buf[256];
	FILE	*f;
	long	 n = 0;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)child);
	if ((f = fopen(path, "r")) == NULL)
		return -1;
	while (fgets(buf, sizeof(buf), f) != NULL)
		if (sscanf(buf, "voluntary_ctxt_switches: %ld", &n) == 1)
			break;
	fclose(f);
	return n;
}

/* A process that waits for nothing but events is never scheduled. */
static void
want_idle(void)
{
	long	before;

	serve(NULL, 300);
	before = switches();
	serve(NULL, 1500);
	if (before == -1 || switches() != before)
		wrong("woken %ld times while idle", switches() - before);
}

/* Is the process still the one that was started, filter and all? */
static void
want_alive(void)
{
	if (waitpid(child, NULL, WNOHANG) != 0) {
		wrong("the prompter died");
		child = 0;
	}
}

static void
type(const char *keys)
{
	char		 copy[128], *key, *next = copy;

	strlcpy(copy, keys, sizeof(copy));
	while ((key = strsep(&next, " ")) != NULL) {
		real_key(key, true);
		real_key(key, false);
		serve(NULL, 20);
	}
}

static void
click_at(int x, int y)
{
	move_pointer(x, y);
	real_button(true);
	serve(NULL, 20);
	real_button(false);
	serve(NULL, 20);
}

/* Buttons of the question by their keys; "help back" is one of that page. */
static void
click(const char *keys)
{
	static const struct { const char *name; enum input_page page; }
	    pages[] = { { "help", PAGE_HELP }, { "legend", PAGE_LEGEND },
	    { "details", PAGE_DETAILS }, { "confirm", PAGE_CONFIRM } };
	enum input_page	 page = PAGE_QUESTION;
	char		 copy[128], *key, *next = copy;
	size_t		 i;
	int		 x, y;

	strlcpy(copy, keys, sizeof(copy));
	while ((key = strsep(&next, " ")) != NULL) {
		for (i = 0; i < 4 && strcmp(key, pages[i].name) != 0; i++)
			continue;
		if (i < 4)
			page = pages[i].page;
		else if (find_button(key, page, &x, &y)) {
			click_at(x, y);
			page = PAGE_QUESTION;
		}
	}
}

/* Presses the button there, and lets it go beside it. */
static void
slip(const char *word)
{
	int	x, y;

	if (!find_button(word, PAGE_QUESTION, &x, &y))
		return;
	move_pointer(x, y);
	real_button(true);
	serve(NULL, 20);
	move_pointer(2, 2);
	real_button(false);
}

static bool
command_person(const char *word, const char *arg)
{
	if (strcmp(word, "key") == 0)
		type(arg);
	else if (strcmp(word, "down") == 0)
		real_key(arg, true);
	else if (strcmp(word, "up") == 0)
		real_key(arg, false);
	else if (strcmp(word, "fake") == 0)
		fake_key(arg);
	else if (strcmp(word, "send") == 0)
		send_key(arg);
	else if (strcmp(word, "click") == 0)
		click(arg);
	else if (strcmp(word, "slip") == 0)
		slip(arg);
	else if (strcmp(word, "corner") == 0)
		click_at(2, 2);
	else if (strcmp(word, "resize") == 0)
		resize_window(arg);
	else if (strcmp(word, "focus") == 0)
		set_focus(arg);
	else if (strcmp(word, "forge-end") == 0)
		forge_end();
	else if (strcmp(word, "close") == 0)
		say_protocol("WM_DELETE_WINDOW");
	else if (strcmp(word, "destroy") == 0) {
		xcb_destroy_window(conn, find_window());
		sync_display();
	} else if (strcmp(word, "picture") == 0)
		take_picture(arg);
	else
		return false;
	return true;
}

static bool
command_links(const char *word, const char *arg)
{
	if (strcmp(word, "ask") == 0)
		send_ask(arg, false);
	else if (strcmp(word, "again") == 0)
		send_ask(arg, true);
	else if (strcmp(word, "end") == 0)
		send_end();
	else if (strcmp(word, "peer") == 0)
		new_peer();
	else if (strcmp(word, "hangup") == 0) {
		link_free(ruled);
		ruled = NULL;
	} else if (strcmp(word, "sleep") == 0)
		serve(NULL, (int)strtonum(arg, 0, 60000, NULL));
	else if (strcmp(word, "window") == 0)
		want_window(strcmp(arg, "gone") != 0);
	else if (strcmp(word, "answer") == 0)
		want_answer(arg);
	else if (strcmp(word, "inside") == 0)
		want_inside();
	else if (strcmp(word, "armed") == 0)
		want_armed();
	else if (strcmp(word, "nothing") == 0)
		want_none();
	else if (strcmp(word, "exit") == 0)
		want_exit();
	else if (strcmp(word, "idle") == 0)
		want_idle();
	else if (strcmp(word, "display-gone") == 0)
		want_end();
	else
		return false;
	return true;
}

static int
run_script(void)
{
	char	*arg, buf[512];
	int	 bad = 0;

	while (fgets(buf, sizeof(buf), stdin) != NULL) {
		buf[strcspn(buf, "\n")] = '\0';
		arg = buf + strspn(buf, " \t");
		if (arg[0] == '\0' || arg[0] == '#')
			continue;
		memmove(buf, arg, strlen(arg) + 1);
		arg = buf + strcspn(buf, " ");
		if (*arg != '\0')
			*arg++ = '\0';
		if (strcmp(buf, "case") == 0) {
			bad |= case_end();
			strlcpy(name, arg, sizeof(name));
		} else if (!command_person(buf, arg) &&
		    !command_links(buf, arg))
			errx(1, "unknown command %s", buf);
		xcb_flush(conn);
		if (child != 0)
			want_alive();
	}
	return bad | case_end();
}

int
main(int argc, char *argv[])
{
	int	bad, i;

	signal(SIGPIPE, SIG_IGN);
	if (getenv("DELAY") != NULL)
		delay = (uint32_t)strtonum(getenv("DELAY"), 0, 60000, NULL);
	open_display();
	if (argc > 2 && strcmp(argv[1], "-k") == 0) {
		for (i = 2; i < argc; i++) {
			real_key(argv[i], true);
			real_key(argv[i], false);
		}
		return 0;
	}
	if (argc != 3 || strlen(argv[2]) != 32)
		errx(1, "usage: prompt_peer prompter cookie");
	log_init(ROLE_PARENT, 1);
	if ((base = event_base_new()) == NULL)
		errx(1, "event_base_new");
	start_prompter(argv[1], argv[2]);
	bad = run_script();
	link_free(parent);
	link_free(ruled);
	if (child > 0)
		waitpid(child, NULL, 0);
	return bad;
}
