/*
 * SPDX-License-Identifier: ISC
 *
 * Input: keys that were perhaps meant for another window.  A question may
 * appear in the middle of a word, so nothing counts before the window was
 * seen, has the focus, and the keyboard was still for a moment.
 */
#include <string.h>

#include "input.h"

#define REST_MASK	(ASK_ANYHOST | ASK_PORT | ASK_EXE)

void
input_init(struct input *in, uint32_t delay)
{
	memset(in, 0, sizeof(*in));
	in->delay = delay;
}

int
input_find(const struct msg_ask *ask, uint8_t mask)
{
	int	i;

	for (i = 0; i < ask->nlines && i < ASK_LINES_MAX; i++)
		if (ask->line[i].mask == mask)
			return i;
	return -1;
}

uint8_t
input_line(const struct input *in, const struct msg_ask *ask)
{
	int	i;

	i = input_find(ask, in->mask);
	return i == -1 ? 0 : (uint8_t)i;
}

static void
disarm(struct input *in, uint64_t now)
{
	in->armed = false;
	in->button = INPUT_KEY_NONE;
	if (now > in->since)
		in->since = now;
}

/* The same rule under the same toggles? */
static bool
same_line(const struct input *in, const struct msg_ask *a,
    const struct msg_ask *b)
{
	int	i, j;

	i = input_find(a, in->mask);
	j = input_find(b, in->mask);
	return i != -1 && j != -1 &&
	    strcmp(a->line[i].text, b->line[j].text) == 0;
}

void
input_ask(struct input *in, const struct msg_ask *old,
    const struct msg_ask *ask, uint64_t now)
{
	/* News that crossed our answer on their way. */
	if (in->answered && old != NULL && old->question == ask->question)
		return;
	in->deadline = now + ask->left_ms;
	if (old != NULL && old->question == ask->question) {
		if (same_line(in, old, ask))
			return;
		in->mask = 0;
		in->page = PAGE_QUESTION;
		disarm(in, now);
		return;
	}
	in->answered = false;
	in->mask = 0;
	in->duration = DURATION_9M;
	in->yes = false;
	in->page = PAGE_QUESTION;
	in->notice = NOTICE_NONE;
	disarm(in, now);
}

int
input_arms_in(const struct input *in, uint64_t now)
{
	uint64_t	at;

	if (in->armed || in->answered || !in->mapped || !in->focused)
		return -1;
	at = in->since + in->delay;
	if (in->last_key != 0 && at < in->last_key + INPUT_QUIET)
		at = in->last_key + INPUT_QUIET;
	return at <= now ? 0 : (int)(at - now);
}

static enum input_result
answer(struct input *in, const struct msg_ask *ask, uint8_t action,
    uint8_t duration, struct msg_answer *out)
{
	memset(out, 0, sizeof(*out));
	out->question = ask->question;
	out->line = input_line(in, ask);
	out->action = action;
	out->duration = duration;
	in->answered = true;
	in->armed = false;
	in->page = PAGE_QUESTION;
	return INPUT_ANSWER;
}

/* Whoever connects to us is any host, unless the rule names one. */
static bool
any_host(const struct input *in, const struct msg_ask *ask)
{
	if (ask->direction == DIR_IN)
		return (in->mask & ASK_ADDR) == 0;
	return (in->mask & ASK_ANYHOST) != 0;
}

static enum input_result
answer_yes(struct input *in, const struct msg_ask *ask,
    struct msg_answer *out, uint64_t now)
{
	/* The widest and longest answer takes two keys, with a pause. */
	if (in->page != PAGE_CONFIRM && in->duration == DURATION_FOREVER &&
	    any_host(in, ask)) {
		in->page = PAGE_CONFIRM;
		in->armed = false;
		in->last_key = now;
		return INPUT_REDRAW;
	}
	return answer(in, ask, ACTION_ALLOW, in->duration, out);
}

static enum input_result
set_mask(struct input *in, const struct msg_ask *ask, uint8_t mask,
    enum input_notice otherwise)
{
	if (input_find(ask, mask) == -1)
		in->notice = otherwise;
	else
		in->mask = mask;
	return INPUT_REDRAW;
}

static enum input_result
toggle(struct input *in, const struct msg_ask *ask, uint8_t bit,
    enum input_notice otherwise)
{
	uint8_t	mask;

	mask = in->mask ^ bit;
	if (bit == ASK_DOMAIN)
		mask &= (uint8_t)~(ASK_ADDR | ASK_ANYHOST);
	return set_mask(in, ask, mask, otherwise);
}

/* Any host, any port, this program: what it will try in the next minutes. */
static enum input_result
rest(struct input *in, const struct msg_ask *ask)
{
	if (in->mask == REST_MASK)
		return set_mask(in, ask, 0, NOTICE_NONE);
	if (input_find(ask, REST_MASK) != -1)
		in->duration = DURATION_9M;
	return set_mask(in, ask, REST_MASK, NOTICE_REST);
}

/* This host, its domain, its address, any host: the next that has a line. */
static enum input_result
scope(struct input *in, const struct msg_ask *ask, int step)
{
	static const uint8_t	scopes[] = { 0, ASK_DOMAIN, ASK_ADDR,
	    ASK_ANYHOST };
	const int		n = (int)sizeof(scopes);
	int			i, at;
	uint8_t			mask;

	for (at = 0; at < n - 1; at++)
		if (scopes[at] == (in->mask & ASK_SCOPE))
			break;
	for (i = 1; i < n; i++) {
		mask = scopes[(at + i * step + n * n) % n];
		mask |= in->mask & (uint8_t)~ASK_SCOPE;
		if (input_find(ask, mask) != -1)
			return set_mask(in, ask, mask, NOTICE_NONE);
	}
	in->notice = NOTICE_SCOPE;
	return INPUT_REDRAW;
}

static enum input_result
set_duration(struct input *in, uint8_t duration)
{
	in->duration = duration;
	return INPUT_REDRAW;
}

static enum input_result
set_page(struct input *in, enum input_page page)
{
	in->page = page;
	return INPUT_REDRAW;
}

static enum input_result
set_yes(struct input *in, bool yes)
{
	in->yes = yes;
	return INPUT_REDRAW;
}

static enum input_result
page_key(struct input *in, const struct msg_ask *ask, int key,
    struct msg_answer *out, uint64_t now)
{
	if (in->page == PAGE_CONFIRM && key == 'y')
		return answer_yes(in, ask, out, now);
	return set_page(in, PAGE_QUESTION);
}

static enum input_result
question_key(struct input *in, const struct msg_ask *ask, int key,
    struct msg_answer *out, uint64_t now)
{
	switch (key) {
	case 'y':
		return answer_yes(in, ask, out, now);
	case 'n':
		return answer(in, ask, ACTION_DENY, in->duration, out);
	case INPUT_KEY_RETURN:
		if (in->yes)
			return answer_yes(in, ask, out, now);
		return answer(in, ask, ACTION_DENY, in->duration, out);
	case 's':
	case INPUT_KEY_ESCAPE:
		return answer(in, ask, ACTION_DENY, DURATION_ONCE, out);
	case 'd':
		return toggle(in, ask, ASK_DOMAIN, NOTICE_DOMAIN);
	case 'p':
		return toggle(in, ask, ASK_PORT, NOTICE_PORT);
	case 'e':
		return toggle(in, ask, ASK_EXE, NOTICE_EXE);
	case 'u':
		return toggle(in, ask, ASK_UID, NOTICE_UID);
	case 'r':
		return rest(in, ask);
	case INPUT_KEY_TAB:
	case INPUT_KEY_DOWN:
		return scope(in, ask, 1);
	case INPUT_KEY_BACKTAB:
	case INPUT_KEY_UP:
		return scope(in, ask, -1);
	case INPUT_KEY_LEFT:
		return set_yes(in, true);
	case INPUT_KEY_RIGHT:
		return set_yes(in, false);
	case 'o':
		return set_duration(in, DURATION_ONCE);
	case '1':
		return set_duration(in, DURATION_1M);
	case '3':
		return set_duration(in, DURATION_3M);
	case '9':
		return set_duration(in, DURATION_9M);
	case '2':
		return set_duration(in, DURATION_24H);
	case 'f':
		return set_duration(in, DURATION_FOREVER);
	case 'h':
		return set_page(in, PAGE_HELP);
	case 'l':
		return set_page(in, PAGE_LEGEND);
	case 'i':
		return set_page(in, PAGE_DETAILS);
	}
	return INPUT_NOTHING;
}

static enum input_result
use_key(struct input *in, const struct msg_ask *ask, int key,
    struct msg_answer *out, uint64_t now)
{
	enum input_result	res;
	bool			noticed;

	noticed = in->notice != NOTICE_NONE;
	in->notice = NOTICE_NONE;
	if (in->page != PAGE_QUESTION)
		res = page_key(in, ask, key, out, now);
	else
		res = question_key(in, ask, key, out, now);
	return res == INPUT_NOTHING && noticed ? INPUT_REDRAW : res;
}

/* Notes that a key went down; true if it was down already. */
static bool
hold(struct input *in, uint8_t code)
{
	uint8_t	bit;
	bool	was;

	if (code == 0)
		return false;
	bit = (uint8_t)(1U << (code & 7));
	was = (in->held[code >> 3] & bit) != 0;
	in->held[code >> 3] |= bit;
	return was;
}

static enum input_result
press(struct input *in, const struct msg_ask *ask,
    const struct input_event *ev, struct msg_answer *out)
{
	bool	was_down;

	was_down = hold(in, ev->code);
	in->last_key = ev->time;
	/* A tick may be handled before a key that was older than it. */
	if (!in->armed || ev->time < in->since + in->delay || was_down ||
	    ev->repeat || ev->modified || ev->key == INPUT_KEY_NONE)
		return INPUT_NOTHING;
	return use_key(in, ask, ev->key, out, ev->time);
}

/* A press and its release must meet the same button. */
static enum input_result
button_up(struct input *in, const struct msg_ask *ask,
    const struct input_event *ev, struct msg_answer *out)
{
	int	down;

	down = in->button;
	in->button = INPUT_KEY_NONE;
	if (!in->armed || down == INPUT_KEY_NONE || down != ev->key)
		return INPUT_NOTHING;
	return use_key(in, ask, ev->key, out, ev->time);
}

static enum input_result
seen(struct input *in, bool *what, bool value, uint64_t now)
{
	if (*what == value)
		return INPUT_NOTHING;
	*what = value;
	disarm(in, now);
	/* Whatever is released meanwhile, others are told. */
	memset(in->held, 0, sizeof(in->held));
	return INPUT_REDRAW;
}

static enum input_result
dispatch(struct input *in, const struct msg_ask *ask,
    const struct input_event *ev, struct msg_answer *out)
{
	switch (ev->kind) {
	case INPUT_MAP:
		return seen(in, &in->mapped, true, ev->time);
	case INPUT_UNMAP:
		return seen(in, &in->mapped, false, ev->time);
	case INPUT_FOCUS:
		return seen(in, &in->focused, true, ev->time);
	case INPUT_UNFOCUS:
		return seen(in, &in->focused, false, ev->time);
	case INPUT_HELD:
		hold(in, ev->code);
		break;
	case INPUT_PRESS:
		return press(in, ask, ev, out);
	case INPUT_RELEASE:
		in->held[ev->code >> 3] &=
		    (uint8_t)~(1U << (ev->code & 7));
		break;
	case INPUT_BUTTON_DOWN:
		in->button = in->armed ? ev->key : INPUT_KEY_NONE;
		break;
	case INPUT_BUTTON_UP:
		return button_up(in, ask, ev, out);
	case INPUT_CLOSE:
		in->mask = 0;
		return answer(in, ask, ACTION_DENY, DURATION_ONCE, out);
	case INPUT_TICK:
		break;
	}
	return INPUT_NOTHING;
}

enum input_result
input_event(struct input *in, const struct msg_ask *ask,
    const struct input_event *ev, struct msg_answer *out)
{
	enum input_result	res;
	bool			arms;

	arms = input_arms_in(in, ev->time) == 0;
	if (arms)
		in->armed = true;
	if (in->answered && ev->kind == INPUT_CLOSE)
		return INPUT_NOTHING;
	res = dispatch(in, ask, ev, out);
	return res == INPUT_NOTHING && arms ? INPUT_REDRAW : res;
}
