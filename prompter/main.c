/*
 * SPDX-License-Identifier: ISC
 *
 * The prompter's loop: questions from ruled to the screen, answers back.  It
 * decides nothing: ruled keeps the time, and a question that is not answered
 * here, for whatever reason, is answered by ruled as the configuration says.
 */
#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "child.h"
#include "imsg.h"
#include "log.h"
#include "loop.h"
#include "prompter.h"
#include "sandbox.h"

#define LINGER_MS	100	/* the next question often follows at once */

static struct event_base	*base;
static struct link		*parent, *ruled;
static struct event		*tick;
static struct msg_start		 start;

static struct msg_ask		 ask;
static bool			 open;		/* the question is on screen */
static struct input		 input;

uint64_t
now_ms(void)
{
	struct timespec	ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

/* When the picture changes by itself: countdown, keys that begin to count. */
static void
schedule(void)
{
	struct timeval	tv;
	uint64_t	left, now, wait;
	int		arms;

	(void)event_del(tick);
	if (!open)
		return;
	now = now_ms();
	wait = LINGER_MS;
	if (!input.answered) {
		left = input.deadline > now ? input.deadline - now : 0;
		wait = left > 0 ? (left - 1) % 1000 + 1 : 1000;
		arms = input_arms_in(&input, now);
		if (arms >= 0 && (uint64_t)arms < wait)
			wait = (uint64_t)arms + 1;
	}
	tv.tv_sec = (time_t)(wait / 1000);
	tv.tv_usec = (suseconds_t)(wait % 1000) * 1000;
	if (event_add(tick, &tv) == -1)
		fatalx("timer");
}

static void
close_question(void)
{
	struct input_event	ev;

	open = false;
	x_hide();
	/* The next one gets a window of its own, which has yet to be seen. */
	memset(&ev, 0, sizeof(ev));
	ev.time = now_ms();
	ev.kind = INPUT_UNMAP;
	(void)input_event(&input, &ask, &ev, NULL);
	ev.kind = INPUT_UNFOCUS;
	(void)input_event(&input, &ask, &ev, NULL);
	schedule();
	(void)malloc_trim(0);
}

void
question_draw(void)
{
	if (!open)
		return;
	x_show(&ask, &input);
	schedule();
}

static void
send_answer(const struct msg_answer *answer)
{
	struct ibuf	b;
	uint8_t		buf[64];

	ibuf_writer(&b, buf, sizeof(buf));
	msg_put_answer(&b, answer);
	if (ruled != NULL)
		link_send_ibuf(ruled, MSG_ANSWER, -1, &b);
}

void
question_event(struct input_event *ev)
{
	struct msg_answer	answer;
	bool			closed;

	if (!open)
		return;
	closed = ev->kind == INPUT_CLOSE;
	switch (input_event(&input, &ask, ev, &answer)) {
	case INPUT_NOTHING:
		break;
	case INPUT_ANSWER:
		send_answer(&answer);
		if (closed)
			close_question();
		else
			question_draw();
		break;
	case INPUT_REDRAW:
		question_draw();
		break;
	}
}

static void
on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct input_event	ev;

	(void)fd;
	(void)what;
	(void)arg;
	if (input.answered)
		close_question();
	else {
		memset(&ev, 0, sizeof(ev));
		ev.kind = INPUT_TICK;
		ev.time = now_ms();
		question_event(&ev);
		question_draw();
	}
	x_pump();
}

static void
ruled_asks(struct link *l, struct ibuf *b)
{
	static struct msg_ask	news;

	if (msg_get_ask(b, &news) == -1 || news.nlines == 0 ||
	    input_find(&news, 0) == -1) {
		link_offence(l, "malformed question");
		return;
	}
	/* Answered, and the news of it crossed our answer on their way. */
	if (input.answered && news.question == ask.question)
		return;
	input_ask(&input, open ? &ask : NULL, &news, now_ms());
	ask = news;
	open = true;
	question_draw();
}

static void
ruled_ends(struct link *l, struct ibuf *b)
{
	struct msg_ask_end	end;

	if (msg_get_ask_end(b, &end) == -1) {
		link_offence(l, "malformed end of a question");
		return;
	}
	if (open && end.question == ask.question)
		close_question();
}

static void
ruled_message(struct link *l, struct imsg *imsg, void *arg)
{
	struct ibuf	b;

	(void)arg;
	ibuf_reader(&b, imsg->data, imsg->len);
	if (imsg->type == MSG_ASK)
		ruled_asks(l, &b);
	else if (imsg->type == MSG_ASK_END)
		ruled_ends(l, &b);
	x_pump();
}

static void
ruled_lost(void)
{
	link_free(ruled);
	ruled = NULL;
	if (open)
		close_question();
	/* The next one counts its questions from the beginning. */
	input.answered = false;
}

static void
ruled_gone(struct link *l, const char *reason, void *arg)
{
	(void)arg;
	ruled_lost();
	x_pump();
	if (reason != NULL)
		child_bad_ruled(parent, l, reason);
}

static void
ruled_new(int fd)
{
	if (ruled != NULL)
		ruled_lost();
	ruled = link_new(base, fd, ROLE_PROMPTER, ROLE_RULED, ruled_message,
	    ruled_gone, NULL);
}

static void
parent_message(struct link *l, struct imsg *imsg, void *arg)
{
	int	fd;

	(void)arg;
	if (imsg->type == MSG_PEER &&
	    (fd = child_peer_ruled(l, imsg)) != -1)
		ruled_new(fd);
	x_pump();
}

static void
open_loop(void)
{
	base = loop_init(ROLE_PROMPTER);
	if ((tick = evtimer_new(base, on_tick, NULL)) == NULL)
		fatal(NULL);
	parent = link_new(base, FD_PARENT, ROLE_PROMPTER, ROLE_PARENT,
	    parent_message, child_parent_gone, NULL);
	log_to_link(parent);
	if (start.fds & 1U << FD_PROMPT_RULED)
		ruled_new(FD_PROMPT_RULED);
}

int
main(void)
{
	/* Pictures of the window go back to the system when they are drawn. */
	(void)mallopt(M_MMAP_THRESHOLD, 128 << 10);
	child_start(ROLE_PROMPTER, FD_PROMPT_X, &start);
	if (!(start.fds & 1U << FD_PROMPT_X))
		fatalx("started without an X connection");
	/* No byte from the X server, and no font, is read as root. */
	sandbox_prompter_identity((uid_t)start.uid, (gid_t)start.gid);
	open_loop();
	x_open(FD_PROMPT_X, &start);
	explicit_bzero(start.xauth, sizeof(start.xauth));
	input_init(&input, start.ask_delay);
	/* Fonts and keyboards leave much behind that is free again. */
	(void)malloc_trim(0);
	x_watch(base);
	sandbox_prompter();
	child_ready(parent, sandbox_missing());
	x_pump();
	loop_run(base);
}
