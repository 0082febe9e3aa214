/*
 * SPDX-License-Identifier: ISC
 *
 * input.c: when keys count, and what they then do.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "input.h"

#define DELAY	500

static int			bad;
static struct msg_ask		ask;
static struct msg_answer	answer;
static struct input		in;
static enum input_result	last;
static uint64_t			now;

static void
ok(const char *name, int good)
{
	printf("%s input: %s%s\n", good ? "ok" : "not ok", name,
	    good ? "" : ": is not so");
	bad |= !good;
}

static enum input_result
event(enum input_kind kind, int key, uint8_t code)
{
	struct input_event	ev = { .kind = kind, .time = now, .key = key,
				    .code = code };

	last = input_event(&in, &ask, &ev, &answer);
	return last;
}

/* Down and up again. */
static enum input_result
key(int k)
{
	enum input_result	r;

	r = event(INPUT_PRESS, k, (uint8_t)(k & 0x7f));
	event(INPUT_RELEASE, k, (uint8_t)(k & 0x7f));
	last = r;
	return r;
}

static void
line(uint8_t mask, const char *text)
{
	ask.line[ask.nlines].mask = mask;
	snprintf(ask.line[ask.nlines++].text, sizeof(ask.line[0].text), "%s",
	    text);
}

static void
question(void)
{
	unsigned int	m;
	char		text[32];

	memset(&ask, 0, sizeof(ask));
	memset(&answer, 0xff, sizeof(answer));
	ask.question = 1;
	ask.left_ms = 60000;
	for (m = 0; m <= ASK_MASK_ALL; m++) {
		/* At most one of them. */
		if (((m & ASK_SCOPE) & ((m & ASK_SCOPE) - 1)) != 0)
			continue;
		snprintf(text, sizeof(text), "line %u", m);
		line((uint8_t)m, text);
	}
	now = 10000;
	input_init(&in, DELAY);
	input_ask(&in, NULL, &ask, now);
}

/* Mapped, focused, and waited for. */
static void
armed(void)
{
	question();
	event(INPUT_MAP, 0, 0);
	event(INPUT_FOCUS, 0, 0);
	now += DELAY;
}

static bool
answered(enum action action, enum duration duration, uint8_t mask)
{
	return last == INPUT_ANSWER && answer.question == ask.question &&
	    answer.action == action && answer.duration == duration &&
	    answer.line < ask.nlines && ask.line[answer.line].mask == mask;
}

static void
test_arming(void)
{
	question();
	now += 5000;
	ok("not before it is mapped", key('y') == INPUT_NOTHING);
	event(INPUT_MAP, 0, 0);
	now += 5000;
	ok("not before it has the focus", key('y') == INPUT_NOTHING &&
	    input_arms_in(&in, now) == -1);
	event(INPUT_FOCUS, 0, 0);
	ok("says when it will", input_arms_in(&in, now) == DELAY);
	now += DELAY - 1;
	ok("not a moment early", key('y') == INPUT_NOTHING);
	now += INPUT_QUIET - 1;
	ok("not after so short a rest", key('y') == INPUT_NOTHING);
	now += INPUT_QUIET;
	ok("a tick arms it", event(INPUT_TICK, 0, 0) == INPUT_REDRAW &&
	    in.armed && input_arms_in(&in, now) == -1);
	key('y');
	ok("then a key counts", answered(ACTION_ALLOW, DURATION_9M, 0));
	ok("but only once", key('y') == INPUT_NOTHING &&
	    event(INPUT_CLOSE, 0, 0) == INPUT_NOTHING);

	armed();
	ok("a key alone arms it, too", key('n') == INPUT_ANSWER);
	armed();
	event(INPUT_TICK, 0, 0);
	now -= 10;
	ok("a key older than the arming does not count",
	    key('y') == INPUT_NOTHING);
}

static void
test_rearming(void)
{
	struct msg_ask	next;

	armed();
	event(INPUT_TICK, 0, 0);
	event(INPUT_UNFOCUS, 0, 0);
	ok("lost focus disarms", !in.armed && key('y') == INPUT_NOTHING);
	event(INPUT_FOCUS, 0, 0);
	now += INPUT_QUIET;
	ok("and its return waits anew", key('y') == INPUT_NOTHING);

	armed();
	key('d');
	next = ask;
	next.question = 2;
	input_ask(&in, &ask, &next, now);
	ok("the next question disarms and forgets", !in.armed &&
	    in.mask == 0 && key('y') == INPUT_NOTHING);

	armed();
	key('d');
	next = ask;
	next.more = 5;
	input_ask(&in, &ask, &next, now);
	ok("news keep the choice", in.armed && in.mask == ASK_DOMAIN);
	snprintf(next.line[1].text, sizeof(next.line[1].text), "other");
	input_ask(&in, &ask, &next, now);
	ok("news of another rule disarm", !in.armed && in.mask == 0);

	armed();
	key('y');
	next = ask;
	input_ask(&in, &ask, &next, now);
	now += DELAY;
	ok("news after the answer do not ask again", in.answered &&
	    key('y') == INPUT_NOTHING);
}

static void
test_held(void)
{
	struct input_event	rep = { .kind = INPUT_PRESS, .key = 'y',
				    .repeat = true };
	struct input_event	mod = { .kind = INPUT_PRESS, .key = 'y',
				    .modified = true };

	armed();
	event(INPUT_HELD, 0, 29);
	ok("a key that was down before is none",
	    event(INPUT_PRESS, 'y', 29) == INPUT_NOTHING);
	event(INPUT_RELEASE, 'y', 29);
	now += INPUT_QUIET;
	ok("until it was up", event(INPUT_PRESS, 'y', 29) == INPUT_ANSWER);

	armed();
	event(INPUT_TICK, 0, 0);
	event(INPUT_PRESS, 'd', 40);
	event(INPUT_PRESS, 'd', 40);
	ok("a press without release is a repeat", in.mask == ASK_DOMAIN);
	rep.time = mod.time = now;
	ok("what is marked as repeat is one", input_event(&in, &ask, &rep,
	    &answer) == INPUT_NOTHING);
	ok("Control, Alt, Super mean nothing", input_event(&in, &ask, &mod,
	    &answer) == INPUT_NOTHING);
	ok("Shift alone means nothing",
	    key(INPUT_KEY_NONE) == INPUT_NOTHING);
}

static void
test_durations(void)
{
	static const struct {
		char		key;
		enum duration	duration;
	} keys[] = {
		{ 'o', DURATION_ONCE }, { '1', DURATION_1M },
		{ '3', DURATION_3M }, { '9', DURATION_9M },
		{ '2', DURATION_24H }, { 'f', DURATION_FOREVER },
	};
	char	name[32];
	size_t	i;

	for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		armed();
		key('f');
		key(keys[i].key);
		key('y');
		snprintf(name, sizeof(name), "duration %c", keys[i].key);
		ok(name, answered(ACTION_ALLOW, keys[i].duration, 0));
	}
}

static void
test_toggles(void)
{
	armed();
	key('d');
	key('p');
	key('e');
	key('u');
	key('n');
	ok("all toggles together", answered(ACTION_DENY, DURATION_9M,
	    ASK_DOMAIN | ASK_PORT | ASK_EXE | ASK_UID));
	armed();
	key('d');
	key('d');
	key('y');
	ok("twice is never", answered(ACTION_ALLOW, DURATION_9M, 0));

	armed();
	ask.nlines = 1;
	ok("no line, no toggle", key('d') == INPUT_REDRAW && in.mask == 0 &&
	    in.notice == NOTICE_DOMAIN);
	ok("each says why", key('p') == INPUT_REDRAW &&
	    in.notice == NOTICE_PORT && key('e') == INPUT_REDRAW &&
	    in.notice == NOTICE_EXE && key('u') == INPUT_REDRAW &&
	    in.notice == NOTICE_UID && key('r') == INPUT_REDRAW &&
	    in.notice == NOTICE_REST && key(INPUT_KEY_TAB) == INPUT_REDRAW &&
	    in.notice == NOTICE_SCOPE);
	ok("the next key takes it back", key('?') == INPUT_REDRAW &&
	    in.notice == NOTICE_NONE);
	key('y');
	ok("and the answer is the default", answered(ACTION_ALLOW,
	    DURATION_9M, 0));
}

static void
test_scopes(void)
{
	armed();
	key('p');
	key(INPUT_KEY_TAB);
	ok("first the domain", in.mask == (ASK_DOMAIN | ASK_PORT));
	key(INPUT_KEY_TAB);
	ok("then the address", in.mask == (ASK_ADDR | ASK_PORT));
	key(INPUT_KEY_TAB);
	ok("then any host", in.mask == (ASK_ANYHOST | ASK_PORT));
	key(INPUT_KEY_TAB);
	ok("then this host again", in.mask == ASK_PORT);
	key(INPUT_KEY_BACKTAB);
	ok("backwards, too", in.mask == (ASK_ANYHOST | ASK_PORT));
	key('d');
	ok("d leaves any host", in.mask == (ASK_DOMAIN | ASK_PORT));
	key(INPUT_KEY_DOWN);
	key('d');
	ok("and the address", in.mask == (ASK_DOMAIN | ASK_PORT));
	key(INPUT_KEY_RETURN);
	ok("Return denies", answered(ACTION_DENY, DURATION_9M,
	    ASK_DOMAIN | ASK_PORT));
	armed();
	key(INPUT_KEY_LEFT);
	key(INPUT_KEY_RETURN);
	ok("or allows what was marked", answered(ACTION_ALLOW, DURATION_9M,
	    0));
	armed();
	key('f');
	key('r');
	ok("the rest of the program is for 9 minutes",
	    in.mask == (ASK_ANYHOST | ASK_PORT | ASK_EXE) &&
	    in.duration == DURATION_9M);
}

static void
test_deny_once(void)
{
	armed();
	key('f');
	key('s');
	ok("skip is once", answered(ACTION_DENY, DURATION_ONCE, 0));
	armed();
	key(INPUT_KEY_ESCAPE);
	ok("Escape is once", answered(ACTION_DENY, DURATION_ONCE, 0));
	question();
	event(INPUT_CLOSE, 0, 0);
	ok("closing needs no arming", answered(ACTION_DENY, DURATION_ONCE,
	    0));
}

static void
test_pages(void)
{
	static const struct {
		char		key;
		enum input_page	page;
	} pages[] = { { 'h', PAGE_HELP }, { 'l', PAGE_LEGEND },
	    { 'i', PAGE_DETAILS } };
	size_t	i;

	for (i = 0; i < sizeof(pages) / sizeof(pages[0]); i++) {
		armed();
		key(pages[i].key);
		ok("a page opens", in.page == pages[i].page);
		ok("y on it only leaves it", key('y') == INPUT_REDRAW &&
		    in.page == PAGE_QUESTION);
		key(pages[i].key);
		ok("so does any other key",
		    key(INPUT_KEY_OTHER) == INPUT_REDRAW &&
		    in.page == PAGE_QUESTION);
	}
}

static void
test_confirm(void)
{
	armed();
	key('f');
	key(INPUT_KEY_BACKTAB);
	key('y');
	ok("any host for ever asks again", last != INPUT_ANSWER &&
	    in.page == PAGE_CONFIRM);
	ok("at once does not count", key('y') == INPUT_NOTHING);
	now += INPUT_QUIET;
	key('x');
	ok("another key goes back", in.page == PAGE_QUESTION);
	key('y');
	now += INPUT_QUIET;
	event(INPUT_PRESS, 'y', 1);
	ok("a second y makes it", answered(ACTION_ALLOW, DURATION_FOREVER,
	    ASK_ANYHOST));
	armed();
	ask.direction = DIR_IN;
	key('f');
	key('y');
	ok("whoever connects to us is any host", last != INPUT_ANSWER &&
	    in.page == PAGE_CONFIRM);
	now += INPUT_QUIET;
	key('x');
	key(INPUT_KEY_TAB);
	key(INPUT_KEY_TAB);
	key('y');
	ok("but not one address of them", answered(ACTION_ALLOW,
	    DURATION_FOREVER, ASK_ADDR));
	armed();
	key('f');
	key(INPUT_KEY_BACKTAB);
	key('n');
	ok("deny does not ask", answered(ACTION_DENY, DURATION_FOREVER,
	    ASK_ANYHOST));
}

static void
test_buttons(void)
{
	question();
	event(INPUT_MAP, 0, 0);
	event(INPUT_FOCUS, 0, 0);
	event(INPUT_BUTTON_DOWN, 'y', 0);
	now += DELAY;
	ok("pressed before it was armed",
	    event(INPUT_BUTTON_UP, 'y', 0) != INPUT_ANSWER);
	event(INPUT_BUTTON_DOWN, 'y', 0);
	ok("released on another",
	    event(INPUT_BUTTON_UP, 'n', 0) == INPUT_NOTHING);
	event(INPUT_BUTTON_DOWN, 0, 0);
	ok("released on nothing", event(INPUT_BUTTON_UP, 0, 0) ==
	    INPUT_NOTHING);
	event(INPUT_BUTTON_DOWN, 'y', 0);
	event(INPUT_BUTTON_UP, 'y', 0);
	ok("a click is its key", answered(ACTION_ALLOW, DURATION_9M, 0));
}

/* Whatever happens, an answer is one that the question offered. */
static void
test_random(unsigned int seed)
{
	static const int	keys[] = { 'y', 'n', 'd', 'p', 'e', 'u', 'r',
		    's', 'o', '1', '3', '9', '2', 'f', 'h', 'l', 'i', '?',
		    INPUT_KEY_TAB, INPUT_KEY_BACKTAB, INPUT_KEY_LEFT,
		    INPUT_KEY_RETURN, INPUT_KEY_ESCAPE, INPUT_KEY_OTHER, 0 };
	struct msg_ask		old;
	size_t			i, n = 0;
	bool			good = true;

	srand(seed);
	question();
	for (i = 0; i < 200000 && good; i++) {
		now += (uint64_t)(rand() % 400);
		event((enum input_kind)(rand() % (INPUT_TICK + 1)),
		    keys[(size_t)rand() % (sizeof(keys) / sizeof(keys[0]))],
		    (uint8_t)rand());
		good = input_find(&ask, in.mask) != -1;
		if (last == INPUT_ANSWER) {
			n++;
			good = good && answer.line < ask.nlines &&
			    answer.action <= ACTION_DENY &&
			    answer.duration < DURATION_MAX &&
			    answer.question == ask.question && in.answered;
		}
		if (rand() % 20 != 0)
			continue;
		old = ask;
		ask.question += (uint32_t)rand() % 2;
		ask.nlines = (uint8_t)(1 + rand() % 24);
		input_ask(&in, &old, &ask, now);
	}
	ok("random events", good && n > 100);
}

int
main(int argc, char *argv[])
{
	test_arming();
	test_rearming();
	test_held();
	test_durations();
	test_toggles();
	test_scopes();
	test_deny_once();
	test_pages();
	test_confirm();
	test_buttons();
	test_random(argc > 1 ? (unsigned int)strtoul(argv[1], NULL, 0) : 1);
	return bad;
}
