/*
 * SPDX-License-Identifier: ISC
 *
 * `tinysnitchctl ask`: the question in a terminal.  What keys mean and what
 * is shown is the window's own code (input.c, view.c); here are the terminal's
 * ways: its modes, given back on every exit, its size, its key codes.
 *
 * Input: keys that may have been typed for something else, or pasted; and
 * questions, whose text view.c makes printable.
 */
#include <ctype.h>
#include <errno.h>
#include <event2/event.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "ctl.h"
#include "input.h"
#include "log.h"
#include "msg.h"
#include "text.h"
#include "view.h"

#define DELAY_DEFAULT	500	/* ms, as the daemon's own default */
#define ESCAPE_MS	50	/* after ESC the rest of a sequence comes */
#define PASTE_KEYS	4	/* so many at once are not typed */
#define ROWS_MIN	10
#define ROWS_MAX	(VIEW_LINES_MAX + VIEW_BUTTONS_MAX + 4)

/* Other screen, no cursor, pastes in brackets; and back. */
#define SCREEN_ON	"\033[?1049h\033[?25l\033[?2004h"
#define SCREEN_OFF	"\033[?2004l\033[?25h\033[0m\033[?1049l"

enum row_kind { ROW_BLANK, ROW_LINE, ROW_BUTTONS, ROW_CUT };

struct row {
	enum row_kind		 kind;
	const struct view_line	*line;
	size_t			 first, n;	/* buttons */
};

struct rows {
	size_t		n;
	struct row	row[ROWS_MAX];
};

static struct link	*daemon_link;
static struct event	*tick, *escape;
static struct termios	 saved;
static volatile sig_atomic_t taken;	/* the terminal is in our modes */
static bool		 coloured;
static struct input	 input;
static struct msg_ask	 ask, before;
static bool		 open_question;
static int64_t		 answered = -1;	/* our last one */
static enum action	 unanswered = ACTION_DENY;
static char		 note[512];	/* what became of the last one */
static unsigned char	 typed[64];	/* not yet understood */
static size_t		 ntyped;
static bool		 pasting;
static size_t		 cols, lines;

static const char *const colours[VIEW_STYLE_MAX] = {
	[VIEW_TEXT] = "0",
	[VIEW_DIM] = "0;2",
	[VIEW_STRONG] = "0;1",
	[VIEW_COVERED] = "0;33",
	[VIEW_ALLOW] = "0;32",
	[VIEW_DENY] = "0;31",
	[VIEW_ALERT] = "0;1;35",
};
static const char *const plain[VIEW_STYLE_MAX] = {
	[VIEW_TEXT] = "0",
	[VIEW_DIM] = "0",
	[VIEW_STRONG] = "0;1",
	[VIEW_COVERED] = "0;1",
	[VIEW_ALLOW] = "0",
	[VIEW_DENY] = "0",
	[VIEW_ALERT] = "0;1",
};

static uint64_t
now_ms(void)
{
	struct timespec	ts;

	if (clock_gettime(CLOCK_MONOTONIC, &ts) == -1)
		fatal("clock_gettime");
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

/* The terminal */

/* Safe in signal handlers. */
static void
put_raw(const char *s, size_t len)
{
	ssize_t	n;

	while (len > 0) {
		n = write(STDOUT_FILENO, s, len);
		if (n == -1 && errno == EINTR)
			continue;
		if (n <= 0)
			return;
		s += n;
		len -= (size_t)n;
	}
}

void
ask_stop(void)
{
	if (!taken)
		return;
	taken = 0;
	put_raw(SCREEN_OFF, sizeof(SCREEN_OFF) - 1);
	(void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &saved);
}

static void
take(void)
{
	struct termios	t = saved;

	t.c_lflag &= ~(tcflag_t)(ICANON | ECHO | IEXTEN);
	t.c_iflag &= ~(tcflag_t)(ICRNL | INLCR | ISTRIP | IXON);
	t.c_cc[VMIN] = 1;
	t.c_cc[VTIME] = 0;
	/* Flushed: what was typed before belongs to somebody else. */
	if (tcsetattr(STDIN_FILENO, TCSAFLUSH, &t) == -1)
		ctl_fail("terminal: %s", strerror(errno));
	taken = 1;
	put_raw(SCREEN_ON, sizeof(SCREEN_ON) - 1);
}

static void
crashed(int sig)
{
	ask_stop();
	(void)raise(sig);	/* the handler is gone: the default */
}

static void
measure(void)
{
	struct winsize	ws;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &ws) == -1 || ws.ws_col == 0) {
		cols = 80;
		lines = 24;
		return;
	}
	cols = ws.ws_col;
	lines = ws.ws_row;
}

/* Drawing */

static struct row *
add_row(struct rows *r, enum row_kind kind, const struct view_line *line)
{
	struct row	*row;

	if (r->n == ROWS_MAX)
		fatalx("too many rows");
	row = &r->row[r->n++];
	memset(row, 0, sizeof(*row));
	row->kind = kind;
	row->line = line;
	return row;
}

static void
remove_row(struct rows *r, size_t i)
{
	memmove(&r->row[i], &r->row[i + 1],
	    (r->n - i - 1) * sizeof(r->row[0]));
	r->n--;
}

static bool
is_rule(const struct view *v, const struct row *row)
{
	return row->line >= v->line + v->rule &&
	    row->line < v->line + v->rule_end;
}

/*
 * A small screen loses the blank lines first, then the buttons, yes and no
 * last (their keys work, and help lists them), then the middle: never who and
 * where above, nor the rules and the time left below.  False: there is no
 * room for these.
 */
static bool
fit(struct rows *r, const struct view *v, size_t max)
{
	size_t	i;

	for (i = r->n; i-- > 0 && r->n > max; )
		if (r->row[i].kind == ROW_BLANK)
			remove_row(r, i);
	for (i = 0; i < r->n && r->n > max; )
		if (r->row[i].kind == ROW_BUTTONS)
			remove_row(r, i);
		else
			i++;
	if (r->n <= max)
		return true;
	while (r->n > max) {
		if (is_rule(v, &r->row[5]))
			return false;
		remove_row(r, 5);
	}
	if (is_rule(v, &r->row[5]))
		return false;
	r->row[5].kind = ROW_CUT;
	return true;
}

/* What a button takes: a blank on each side, and one between two. */
static size_t
button_cols(const struct view_button *b)
{
	return strlen(b->label) + 3;
}

/* The view's rows of buttons, broken where the screen is narrower. */
static void
collect_buttons(struct rows *r, const struct view *v)
{
	struct row	*row = NULL;
	size_t		 i, used = 0;

	for (i = 0; i < v->nbuttons; i++) {
		if (row == NULL || v->button[i].row != v->button[i - 1].row ||
		    used + button_cols(&v->button[i]) > cols) {
			row = add_row(r, ROW_BUTTONS, NULL);
			row->first = i;
			used = 0;
		}
		row->n++;
		used += button_cols(&v->button[i]);
	}
}

static void
collect(struct rows *r, const struct view *v)
{
	size_t	i;

	r->n = 0;
	for (i = 0; i < v->nlines; i++)
		add_row(r, v->line[i].len == 0 ? ROW_BLANK : ROW_LINE,
		    &v->line[i]);
	add_row(r, ROW_BLANK, NULL);
	collect_buttons(r, v);
	add_row(r, ROW_BLANK, NULL);
	add_row(r, ROW_LINE, &v->countdown);
	add_row(r, ROW_LINE, &v->state);
}

static void
pad(FILE *fp, size_t n)
{
	if (n > 0)
		(void)fprintf(fp, "%*s", (int)n, "");
}

static void
draw_line(FILE *fp, const struct view *v, const struct view_line *l)
{
	const char *const	*sgr = coloured ? colours : plain;
	size_t			 i, margin = (cols - v->cols) / 2;
	int			 style = -1;

	pad(fp, l->left ? margin : margin + (v->cols - l->len) / 2);
	for (i = 0; i < l->len; i++) {
		if (l->style[i] != style) {
			style = l->style[i];
			(void)fprintf(fp, "\033[%sm", sgr[style]);
		}
		(void)putc(l->text[i], fp);
	}
	(void)fputs("\033[0m", fp);
}

static void
draw_buttons(FILE *fp, const struct view *v, const struct row *row)
{
	const struct view_button	*b;
	size_t				 i, len = 0;

	for (i = 0; i < row->n; i++)
		len += button_cols(&v->button[row->first + i]);
	pad(fp, len < cols ? (cols - len) / 2 : 0);
	for (i = 0; i < row->n; i++) {
		b = &v->button[row->first + i];
		(void)fprintf(fp, "%s%s %s \033[0m", i > 0 ? " " : "",
		    b->on ? "\033[7m" : "", b->label);
	}
}

static void
draw_rows(FILE *fp, const struct view *v, const struct rows *r)
{
	size_t	i, top = r->n < lines ? (lines - r->n) / 3 : 0;

	(void)fputs("\033[H", fp);
	for (i = 0; i < top; i++)
		(void)fputs("\033[K\r\n", fp);
	for (i = 0; i < r->n; i++) {
		if (i > 0)
			(void)fputs("\r\n", fp);
		(void)fputs("\033[K", fp);
		if (r->row[i].kind == ROW_LINE)
			draw_line(fp, v, r->row[i].line);
		else if (r->row[i].kind == ROW_BUTTONS)
			draw_buttons(fp, v, &r->row[i]);
		else if (r->row[i].kind == ROW_CUT)
			(void)fputs("  ...", fp);
	}
	(void)fputs("\033[J", fp);
}

static void	happen_kind(enum input_kind);

static bool
too_small(void)
{
	return cols < VIEW_COLS_MIN || lines < ROWS_MIN;
}

static void
draw_idle(FILE *fp)
{
	(void)fputs("\033[H\033[2J", fp);
	if (open_question) {
		(void)fputs("a question: make the terminal larger", fp);
		return;
	}
	(void)fprintf(fp, "%.*s\r\n", (int)cols - 1,
	    "waiting for questions, ^C ends");
	(void)fprintf(fp, "%.*s", (int)cols - 1, note);
}

/* False: the question has no room. */
static bool
draw_question(FILE *fp)
{
	static struct view	 v;
	static struct rows	 r;

	if (too_small())
		return false;
	view_build(&v, &ask, &input, now_ms(), unanswered, cols);
	collect(&r, &v);
	if (!fit(&r, &v, lines))
		return false;
	draw_rows(fp, &v, &r);
	return true;
}

static void
draw(void)
{
	char	*text;
	size_t	 len;
	FILE	*fp;
	bool	 unseen;

	if ((fp = open_memstream(&text, &len)) == NULL)
		fatal(NULL);
	unseen = open_question && !draw_question(fp);
	if (!open_question || unseen)
		draw_idle(fp);
	if (fclose(fp) == EOF)
		fatal(NULL);
	put_raw(text, len);
	free(text);
	/* A question that cannot be read cannot be answered. */
	if (unseen && input.mapped)
		happen_kind(INPUT_UNMAP);
}

/* When something will change by itself: the countdown, or the arming. */
static void
set_tick(void)
{
	struct timeval	tv;
	uint64_t	now = now_ms(), ms = 1000;
	int		arms;

	if (!open_question) {
		(void)event_del(tick);
		return;
	}
	if (input.deadline > now)
		ms = (input.deadline - now - 1) % 1000 + 1;
	arms = input_arms_in(&input, now);
	if (arms >= 0 && (uint64_t)arms < ms)
		ms = (uint64_t)arms + 1;
	tv.tv_sec = (time_t)(ms / 1000);
	tv.tv_usec = (suseconds_t)(ms % 1000 * 1000);
	if (event_add(tick, &tv) == -1)
		fatal(NULL);
}

static void
redraw(void)
{
	draw();
	set_tick();
}

/* Answers */

static void __attribute__((__format__(printf, 1, 2)))
set_note(const char *fmt, ...)
{
	va_list	ap;

	va_start(ap, fmt);
	if (vsnprintf(note, sizeof(note), fmt, ap) < 0)
		note[0] = '\0';
	va_end(ap);
}

static void
send_answer(const struct msg_answer *a)
{
	uint8_t		buf[64];
	char		rule[400];
	struct ibuf	b;

	ibuf_writer(&b, buf, sizeof(buf));
	msg_put_answer(&b, a);
	link_send_ibuf(daemon_link, MSG_ANSWER, -1, &b);
	text_printable(rule, sizeof(rule), ask.line[a->line].text,
	    strlen(ask.line[a->line].text));
	set_note("answered: %s %s, %s", action_name((enum action)a->action),
	    rule, duration_name((enum duration)a->duration));
	answered = a->question;
	open_question = false;
}

static void
happen(struct input_event *ev)
{
	struct msg_answer	a;

	ev->time = now_ms();
	if (!open_question) {
		/* Typing for the shell that was here a moment ago. */
		if (ev->kind == INPUT_PRESS)
			input.last_key = ev->time;
		else if (ev->kind == INPUT_UNMAP || ev->kind == INPUT_MAP)
			input.mapped = ev->kind == INPUT_MAP;
		return;
	}
	switch (input_event(&input, &ask, ev, &a)) {
	case INPUT_ANSWER:
		send_answer(&a);
		/* FALLTHROUGH */
	case INPUT_REDRAW:
		redraw();
		break;
	case INPUT_NOTHING:
		set_tick();
		break;
	}
}

static void
happen_kind(enum input_kind kind)
{
	struct input_event	ev;

	memset(&ev, 0, sizeof(ev));
	ev.kind = kind;
	happen(&ev);
}

/* Keys */

/* "ESC [ parameters letter"; returns its length, 0 if more must come. */
static size_t
parse_sequence(const unsigned char *b, size_t len, struct input_event *ev)
{
	static const struct { char c; int key; } letters[] = {
		{ 'A', INPUT_KEY_UP }, { 'B', INPUT_KEY_DOWN },
		{ 'C', INPUT_KEY_RIGHT }, { 'D', INPUT_KEY_LEFT },
		{ 'Z', INPUT_KEY_BACKTAB },
	};
	size_t	i, j;

	for (i = 2; i < len && b[i] >= 0x20 && b[i] < 0x40; i++)
		if (b[i] == ';')
			ev->modified = true;
	if (i == len)
		return 0;
	ev->key = INPUT_KEY_OTHER;
	for (j = 0; j < sizeof(letters) / sizeof(letters[0]); j++)
		if (b[i] == letters[j].c)
			ev->key = letters[j].key;
	if (i == 5 && memcmp(b, "\033[200~", 6) == 0)
		pasting = true;
	if (i == 5 && memcmp(b, "\033[201~", 6) == 0) {
		pasting = false;
		ev->repeat = true;
	}
	return i + 1;
}

static size_t
parse_escape(const unsigned char *b, size_t len, bool final,
    struct input_event *ev)
{
	size_t	n;

	if (len == 1) {
		ev->key = INPUT_KEY_ESCAPE;
		return final ? 1 : 0;
	}
	if (b[1] == '[' || b[1] == 'O') {
		if ((n = parse_sequence(b, len, ev)) > 0)
			return n;
		ev->key = INPUT_KEY_OTHER;
		return final || len == sizeof(typed) ? len : 0;
	}
	ev->key = INPUT_KEY_OTHER;	/* with Alt */
	ev->modified = true;
	return 2;
}

/* Bytes used for one key, 0 if it is not complete. */
static size_t
parse_key(const unsigned char *b, size_t len, bool final,
    struct input_event *ev)
{
	size_t	n;

	memset(ev, 0, sizeof(*ev));
	ev->kind = INPUT_PRESS;
	if (b[0] == 0x1b)
		return parse_escape(b, len, final, ev);
	if (b[0] == '\r' || b[0] == '\n')
		ev->key = INPUT_KEY_RETURN;
	else if (b[0] == '\t')
		ev->key = INPUT_KEY_TAB;
	else if (b[0] >= 0x80) {
		ev->key = INPUT_KEY_OTHER;
		for (n = 1; n < len && (b[n] & 0xc0) == 0x80; n++)
			continue;
		return n;
	} else if (iscntrl(b[0])) {
		ev->key = INPUT_KEY_OTHER;
		ev->modified = true;
	} else
		ev->key = tolower(b[0]);
	return 1;
}

/* All keys that are complete; many at once were pasted and do nothing. */
static void
use_typed(bool final)
{
	struct input_event	ev[sizeof(typed)];
	size_t			i, n = 0, off = 0, used;
	bool			was;

	while (off < ntyped) {
		was = pasting;
		used = parse_key(typed + off, ntyped - off, final, &ev[n]);
		if (used == 0)
			break;
		if (was || pasting)
			ev[n].repeat = true;
		off += used;
		n++;
	}
	ntyped -= off;
	memmove(typed, typed + off, ntyped);
	for (i = 0; i < n; i++) {
		if (n > PASTE_KEYS)
			ev[i].repeat = true;
		happen(&ev[i]);
	}
}

static void
readable(int fd, short what, void *arg)
{
	static const struct timeval	tv = { 0, ESCAPE_MS * 1000 };
	ssize_t				n;

	(void)what;
	(void)arg;
	n = read(fd, typed + ntyped, sizeof(typed) - ntyped);
	if (n == -1 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n <= 0)
		exit(0);	/* the terminal is gone */
	ntyped += (size_t)n;
	use_typed(false);
	if (ntyped > 0)
		(void)event_add(escape, &tv);
	else
		(void)event_del(escape);
}

static void
escape_alone(int fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	use_typed(true);
}

static void
ticked(int fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	happen_kind(INPUT_TICK);
	if (open_question)
		redraw();
}

/* Signals */

static void
resized(int sig, short what, void *arg)
{
	(void)sig;
	(void)what;
	(void)arg;
	measure();
	happen_kind(INPUT_MAP);
	redraw();
}

static void
ended(int sig, short what, void *arg)
{
	(void)what;
	(void)arg;
	ask_stop();
	(void)signal(sig, SIG_DFL);
	(void)raise(sig);
}

/* ^Z: the shell gets its terminal back; on return keys wait again. */
static void
stopped(int sig, short what, void *arg)
{
	(void)sig;
	(void)what;
	(void)arg;
	happen_kind(INPUT_UNMAP);
	ask_stop();
	(void)raise(SIGSTOP);
	take();
	resized(SIGWINCH, EV_SIGNAL, NULL);
}

static void
on_signal(struct event_base *base, int sig, event_callback_fn fn)
{
	struct event	*ev;

	if ((ev = evsignal_new(base, sig, fn, NULL)) == NULL ||
	    event_add(ev, NULL) == -1)
		fatal(NULL);
}

static void
on_crash(void)
{
	static const int	sigs[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE,
				    SIGABRT };
	struct sigaction	sa;
	size_t			i;

	memset(&sa, 0, sizeof(sa));
	sa.sa_handler = crashed;
	sa.sa_flags = (int)SA_RESETHAND;
	for (i = 0; i < sizeof(sigs) / sizeof(sigs[0]); i++)
		if (sigaction(sigs[i], &sa, NULL) == -1)
			fatal("sigaction");
}

/* The rest of the program */

void
ask_check(void)
{
	const char	*term = getenv("TERM");

	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
		ctl_fail("ask needs a terminal");
	if (term == NULL || term[0] == '\0' || strcmp(term, "dumb") == 0)
		ctl_fail("ask needs a terminal that can be drawn on");
	if (tcgetattr(STDIN_FILENO, &saved) == -1)
		ctl_fail("terminal: %s", strerror(errno));
}

void
ask_start(struct event_base *base, struct link *l)
{
	const char	*no_color = getenv("NO_COLOR");
	struct event	*keys;

	daemon_link = l;
	coloured = no_color == NULL || no_color[0] == '\0';
	input_init(&input, DELAY_DEFAULT);
	tick = event_new(base, -1, 0, ticked, NULL);
	escape = event_new(base, -1, 0, escape_alone, NULL);
	keys = event_new(base, STDIN_FILENO, EV_READ | EV_PERSIST, readable,
	    NULL);
	if (tick == NULL || escape == NULL || keys == NULL ||
	    event_add(keys, NULL) == -1)
		fatal(NULL);
	on_signal(base, SIGWINCH, resized);
	on_signal(base, SIGTSTP, stopped);
	on_signal(base, SIGINT, ended);
	on_signal(base, SIGQUIT, ended);
	on_signal(base, SIGTERM, ended);
	on_signal(base, SIGHUP, ended);
	on_crash();
	if (atexit(ask_stop) != 0)
		fatalx("atexit failed");
	take();
	input.focused = true;
	resized(SIGWINCH, EV_SIGNAL, NULL);
}

static int
question(struct ibuf *b)
{
	static struct msg_ask	m;
	bool			news;

	if (msg_get_ask(b, &m) == -1 || m.nlines == 0)
		return -1;
	/* Sent before our answer arrived. */
	if (m.question == answered && !open_question)
		return 0;
	news = open_question && m.question == ask.question;
	if (news)
		before = ask;
	ask = m;
	open_question = true;
	input_ask(&input, news ? &before : NULL, &ask, now_ms());
	if (!news)
		put_raw("\a", 1);
	/* The one before may have had no room. */
	happen_kind(INPUT_MAP);
	redraw();
	return 0;
}

static int
question_end(struct ibuf *b)
{
	struct msg_ask_end	m;

	if (msg_get_ask_end(b, &m) == -1)
		return -1;
	if (!open_question || m.question != ask.question)
		return 0;
	set_note("the last question was answered elsewhere, or is over");
	open_question = false;
	redraw();
	return 0;
}

int
ask_message(const struct imsg *m)
{
	struct ibuf	b;

	ibuf_reader(&b, m->data, m->len);
	return m->type == MSG_ASK ? question(&b) : question_end(&b);
}

void
ask_settings(const char *text, size_t len)
{
	char		buf[128], word[16];
	unsigned int	delay;
	int		i;

	if (len >= sizeof(buf))
		return;
	memcpy(buf, text, len);
	buf[len] = '\0';
	if (sscanf(buf, "unanswered %15s delay %u", word, &delay) != 2)
		return;
	for (i = 0; i < ACTION_MAX; i++)
		if (strcmp(word, action_name((enum action)i)) == 0)
			unanswered = (enum action)i;
	input.delay = delay;
}
