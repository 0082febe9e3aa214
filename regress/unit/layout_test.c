/*
 * SPDX-License-Identifier: ISC
 *
 * layout.c and view.c: everything has its place, and nothing a stranger
 * wrote takes another's.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "layout.h"
#include "view.h"

static int		bad;
static struct view	view;
static struct layout	layout;
static struct msg_ask	ask;
static struct input	in;

static void
ok(const char *name, int good)
{
	printf("%s layout: %s%s\n", good ? "ok" : "not ok", name,
	    good ? "" : ": is not so");
	bad |= !good;
}

static void
test_sizes(void)
{
	static const char	res[] = "*color: red\nXft.dpi:\t144\nx: 1\n";

	ok("what the user set", layout_dpi(192, 1920, 500) == 192);
	ok("a dense screen", layout_dpi(0, 3840, 340) == 287);
	ok("an ordinary one is 96", layout_dpi(0, 1920, 480) == 96);
	ok("no millimetres", layout_dpi(0, 1920, 0) == 96);
	ok("nonsense millimetres", layout_dpi(0, 1920, 16) == 96);
	ok("nonsense set", layout_dpi(-3, 0, 0) == 96 &&
	    layout_dpi(99999, 0, 0) == 96);
	ok("resource", layout_xft_dpi(res, sizeof(res) - 1) == 144);
	ok("resource at the very end",
	    layout_xft_dpi("Xft.dpi: 96", 11) == 96);
	ok("resource cut", layout_xft_dpi("Xft.dpi:", 8) == 0);
	ok("resource of another name",
	    layout_xft_dpi("aXft.dpi: 96\n", 13) == 0);
	ok("resource too long",
	    layout_dpi(layout_xft_dpi("Xft.dpi: 99999999999999", 23), 0, 0)
	    == 96);
	ok("font grows with it", layout_font(16, 192) == 32);
	ok("font has bounds", layout_font(0, 96) >= 8 &&
	    layout_font(1000, 480) <= 160);
}

static void
test_monitors(void)
{
	static const struct rect	m[] = {
		{ 0, 0, 1920, 1080 }, { 1920, 0, 1280, 1024 }
	};
	struct rect			r;

	ok("left monitor", layout_monitor(m, 2, 10, 10) == &m[0]);
	ok("right monitor", layout_monitor(m, 2, 1920, 10) == &m[1]);
	ok("nowhere is the first", layout_monitor(m, 2, 10, 5000) == &m[0]);
	r = layout_centre(&m[1], 400, 200);
	ok("centred on it", r.x == 2360 && r.y == 412 && r.w == 400);
	r = layout_centre(&m[1], 4000, 2000);
	ok("never beyond its corner", r.x == 1920 && r.y == 0);
}

static void
question(const char *host, const char *line0)
{
	memset(&ask, 0, sizeof(ask));
	ask.direction = DIR_OUT;
	ask.tuple.proto = 6;
	ask.tuple.sport = 40000;
	ask.tuple.dport = 443;
	if (addr_parse("198.51.100.7", &ask.tuple.src) == -1 ||
	    addr_parse("192.0.2.7", &ask.tuple.dst) == -1)
		abort();
	ask.nnames = 1;
	snprintf(ask.name[0], sizeof(ask.name[0]), "%s", host);
	ask.pid = 7;
	ask.source = WHO_EVENT;
	snprintf(ask.exe, sizeof(ask.exe), "/usr/bin/curl");
	ask.nlines = 1;
	snprintf(ask.line[0].text, sizeof(ask.line[0].text), "%s", line0);
	ask.left_ms = 60000;
	input_init(&in, 500);
	input_ask(&in, NULL, &ask, 1000);
}

static void
build(size_t cols)
{
	view_build(&view, &ask, &in, 1000, ACTION_DENY, cols);
}

/* The text of one style, of all lines. */
static void
styled(char *dst, size_t size, enum view_style style)
{
	size_t	c, i, n = 0;

	for (i = 0; i < view.nlines; i++)
		for (c = 0; c < view.line[i].len && n + 1 < size; c++)
			if (view.line[i].style[c] == style)
				dst[n++] = view.line[i].text[c];
	dst[n] = '\0';
}

static bool
contains(const char *text)
{
	size_t	i;

	for (i = 0; i < view.nlines; i++)
		if (strstr(view.line[i].text, text) != NULL)
			return true;
	return false;
}

static void
covered(const char *name, const char *line, const char *want)
{
	char	got[256];

	question("api.github.com", line);
	build(80);
	styled(got, sizeof(got), VIEW_COVERED);
	if (strcmp(got, want) != 0)
		printf("not ok layout: %s: marked %s\n", name, got);
	else
		printf("ok layout: %s\n", name);
	bad |= strcmp(got, want) != 0;
}

static void
test_covered(void)
{
	covered("host and port are marked", "api.github.com 443 tcp",
	    "[api.github.com:443]");
	covered("any port", "api.github.com - tcp", "[api.github.com]");
	covered("the domain", "*.github.com 443 tcp", "[github.com:443]");
	covered("any host", "- 443 tcp", "[:443]");
	covered("any host and port", "- - tcp", "[tcp]");
	covered("the address", "192.0.2.7 443 tcp", "[:443][192.0.2.7]");
	covered("no part of a label", "*.hub.com 443 tcp",
	    "[api.github.com:443]");
}

/* The rule lines, with what line breaks took away put back. */
static void
test_rule_whole(void)
{
	char	got[1024], line[320], want[700];
	size_t	i;

	for (i = 0; i < 240; i++)
		line[i] = i % 50 == 49 ? '.' : (char)('a' + i % 26);
	snprintf(line + i, sizeof(line) - i, " 443 tcp exe=/x uid=alice");
	question("a.example", line);
	build(60);
	styled(got, sizeof(got), VIEW_ALLOW);
	snprintf(want, sizeof(want), "allow ");
	for (i = 0; line[i] != '\0'; i++)
		if (line[i] == ' ')
			break;
	ok("a long rule is shown whole", strstr(got, "exe=/x") != NULL &&
	    strstr(got, "uid=alice") != NULL && strncmp(got, "allow", 5) == 0 &&
	    memmem(got, strlen(got), line + 200, 40) != NULL);
}

static void
test_hostile(void)
{
	char	host[256];
	size_t	cols, i, worst = 0;
	bool	end = true;

	memset(host, 'a', sizeof(host));
	for (i = 20; i < 240; i += 20)
		host[i] = '.';
	snprintf(host + 235, sizeof(host) - 235, ".evil.example");
	question(host, "x 443 tcp");
	memset(ask.exe, '\n', sizeof(ask.exe) - 1);
	memset(ask.args, 0xcc, sizeof(ask.args));
	ask.args[sizeof(ask.args) - 1] = '\0';
	ask.args_len = sizeof(ask.args);
	ask.args_cut = 1;
	memset(ask.cwd, 7, sizeof(ask.cwd) - 1);
	memset(ask.user, 8, sizeof(ask.user) - 1);
	memset(ask.parents, ' ', sizeof(ask.parents) - 1);
	for (cols = VIEW_COLS_MIN; cols <= VIEW_COLS_MAX; cols++) {
		build(cols);
		end = end && contains(".evil.example") && contains(":443]");
		for (i = 0; i < view.nlines; i++)
			if (view.line[i].len > view.cols)
				worst = view.line[i].len;
	}
	ok("the host's end is always in view", end);
	ok("no line is wider than the window", worst == 0);
	in.page = PAGE_DETAILS;
	build(60);
	ok("details have room", view.nlines < VIEW_LINES_MAX &&
	    contains("any key goes back"));
}

/* Whoever connects: the part that a rule names, and no other. */
static void
test_inbound(void)
{
	char	got[256];

	question("scanner.example", "localhost 22 tcp in");
	ask.direction = DIR_IN;
	ask.tuple.dport = 22;
	build(80);
	styled(got, sizeof(got), VIEW_COVERED);
	ok("any stranger", strcmp(got, "[localhost:22]") == 0);
	snprintf(ask.line[0].text, sizeof(ask.line[0].text),
	    "localhost 22 tcp in from=198.51.100.7");
	build(80);
	styled(got, sizeof(got), VIEW_COVERED);
	ok("one stranger, by address", strcmp(got,
	    "[localhost:22][198.51.100.7]") == 0);
	ask.nnames = 0;
	build(80);
	styled(got, sizeof(got), VIEW_COVERED);
	ok("one without a name", strcmp(got,
	    "[198.51.100.7][localhost:22]") == 0);
}

/* A page without buttons would keep who has only a mouse. */
static void
test_ways_back(void)
{
	enum input_page	page;
	bool		all = true;

	question("a.example", "a.example 443 tcp");
	for (page = PAGE_QUESTION; page <= PAGE_CONFIRM; page++) {
		in.page = page;
		build(60);
		all = all && view.nbuttons > 0;
	}
	ok("every page can be left by the mouse", all);
}

static void
test_scope_button(void)
{
	size_t	i;

	question("a.example", "a.example 443 tcp");
	ask.nlines = 2;
	ask.line[1].mask = ASK_ADDR;
	snprintf(ask.line[1].text, sizeof(ask.line[1].text),
	    "192.0.2.7 443 tcp");
	build(80);
	for (i = 0; i < view.nbuttons; i++)
		if (view.button[i].key == INPUT_KEY_TAB)
			break;
	in.mask = 0;
	ask.direction = DIR_IN;
	build(80);
	ok("inbound begins with any host", i < view.nbuttons &&
	    strcmp(view.button[i].label, "[tab] any host") == 0);
	ask.direction = DIR_OUT;
	in.mask = ASK_ADDR;
	build(80);
	ok("the scope is said", i < view.nbuttons &&
	    strcmp(view.button[i].label, "[tab] address ") == 0 &&
	    view.button[i].on);
}

static void
test_script(void)
{
	static const char	args[] = "python3\0/opt/sync.py\0-v";
	static const char	other[] = "python\0/opt/sync.py";
	char			got[256];

	question("a.example", "a.example 443 tcp");
	snprintf(ask.exe, sizeof(ask.exe), "/usr/bin/python3");
	memcpy(ask.args, args, sizeof(args));
	ask.args_len = sizeof(args);
	build(80);
	styled(got, sizeof(got), VIEW_STRONG);
	ok("a script stands out", strstr(got,
	    "/usr/bin/python3/opt/sync.py9-minutes") != NULL);
	memcpy(ask.args, other, sizeof(other));
	ask.args_len = sizeof(other);
	build(80);
	styled(got, sizeof(got), VIEW_STRONG);
	ok("behind another name, too", strstr(got,
	    "/usr/bin/python3/opt/sync.py9-minutes") != NULL &&
	    contains("python /opt/sync.py"));
	snprintf(ask.unit, sizeof(ask.unit), "/system.slice/cron.service");
	build(80);
	ok("the unit is shown", contains("unit /system.slice/cron.service"));
	in.page = PAGE_DETAILS;
	build(80);
	ok("details name it", contains("script    /opt/sync.py"));
}

static void
test_program(void)
{
	size_t	i;
	bool	wide;

	question("a.example", "a.example 443 tcp");
	ask.pid = 0;
	ask.source = WHO_UNKNOWN;
	build(80);
	ok("an unknown program is said to be so", contains("[-] unknown"));
	ask.source = WHO_KERNEL;
	build(80);
	ok("the kernel is named", contains("[kernel]"));
	ask.source = WHO_EVENT;
	ask.pid = 12;
	ask.held = ask.more = ask.shared = UINT32_MAX;
	ask.age_ms = UINT64_MAX;
	build(VIEW_COLS_MIN);
	for (i = 0, wide = false; i < view.nlines; i++)
		wide = wide || view.line[i].len > view.cols;
	ok("the largest numbers have room", !wide);
	ask.age_ms = 1000;
	view_build(&view, &ask, &in, 6000, ACTION_DENY, 80);
	ok("the age grows while it is shown", contains("held for 6.0 s"));
	ask.more = 3;
	ask.shared = 4;
	ask.direction = DIR_IN;
	build(80);
	ok("pid, waiting, shared, inbound", contains("[12] /usr/bin/curl") &&
	    contains("3 more waiting") && contains("shared with 3 names") &&
	    contains("inbound"));
}

static bool
inside(const struct rect *r)
{
	return r->x >= 0 && r->y >= 0 && r->x + r->w <= layout.w &&
	    r->y + r->h <= layout.h;
}

static bool
apart(const struct rect *a, const struct rect *b)
{
	return a->x + a->w <= b->x || b->x + b->w <= a->x ||
	    a->y + a->h <= b->y || b->y + b->h <= a->y;
}

static void
test_places(void)
{
	static const struct rect	small = { 0, 0, 800, 600 };
	struct cell			cell = { 10, 21 };
	bool				hit = true, in_place = true;
	size_t				i, j;

	question("a.example", "a.example 443 tcp");
	ok("columns of a small screen", layout_cols(&small, cell) == 72);
	build(72);
	layout_view(&layout, &view, cell, 0, 0);
	for (i = 0; i < layout.nbuttons; i++) {
		in_place = in_place && inside(&layout.button[i]) &&
		    apart(&layout.button[i], &layout.text) &&
		    apart(&layout.button[i], &layout.countdown);
		for (j = 0; j < i; j++)
			in_place = in_place && apart(&layout.button[i],
			    &layout.button[j]);
		hit = hit && layout_hit(&layout, &view,
		    layout.button[i].x + 1, layout.button[i].y + 1) ==
		    view.button[i].key;
	}
	ok("buttons are inside and apart", in_place && layout.nbuttons > 10);
	ok("a point finds its button", hit);
	ok("beside them there is none", layout_hit(&layout, &view, 0, 0) ==
	    INPUT_KEY_NONE && layout_hit(&layout, &view, -5, 99999) ==
	    INPUT_KEY_NONE);
	ok("text and foot are inside", inside(&layout.text) &&
	    inside(&layout.countdown) && inside(&layout.state));
	i = (size_t)layout.text.x;
	layout_view(&layout, &view, cell, 2000, 1500);
	ok("centred in a larger window", (size_t)layout.text.x > i);
}

int
main(void)
{
	test_sizes();
	test_monitors();
	test_covered();
	test_rule_whole();
	test_hostile();
	test_inbound();
	test_ways_back();
	test_scope_button();
	test_script();
	test_program();
	test_places();
	return bad;
}
