/*
 * SPDX-License-Identifier: ISC
 *
 * The prompter's loop: questions from ruled to the screen, answers back.  It
 * decides nothing: ruled keeps the time, and a question that is not answered
 * here, for whatever reason, is answered by ruled as the configuration says.
 */
#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "imsg.h"
#include "log.h"
#include "prompter.h"
#include "sandbox.h"

#define START_MS	10000	/* to be told the configuration */
#define LINGER_MS	100	/* the next question often follows at once */

static struct event_base	*base;
static struct link		*parent, *ruled;
static struct event		*tick;
static struct msg_start		 start;
static bool			 bad_told;	/* MSG_BAD: once per link */
static volatile sig_atomic_t	 turned = 1;	/* the loop, since SIGPROF */

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

/* A second of CPU time within one turn of the loop: something is stuck. */
static void
on_prof(int sig)
{
	(void)sig;
	if (!turned)
		_exit(1);
	turned = 0;
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
	turned = 1;
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
	turned = 1;
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
	struct msg_bad	m;
	struct ibuf	b;
	uint8_t		buf[sizeof(m)];

	(void)l;
	(void)arg;
	turned = 1;
	ruled_lost();
	x_pump();
	if (reason == NULL)
		return;
	log_warnx("ruled: %s", reason);
	if (bad_told)
		fatalx("ruled broke the rules again");
	memset(&m, 0, sizeof(m));
	m.peer = ROLE_RULED;
	(void)strlcpy(m.reason, reason, sizeof(m.reason));
	ibuf_writer(&b, buf, sizeof(buf));
	msg_put_bad(&b, &m);
	link_send_ibuf(parent, MSG_BAD, -1, &b);
	bad_told = true;
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
	struct msg_peer	m;
	struct ibuf	b;

	(void)arg;
	turned = 1;
	if (imsg->type != MSG_PEER)
		return;
	ibuf_reader(&b, imsg->data, imsg->len);
	if (msg_get_peer(&b, &m) == -1 || m.peer != ROLE_RULED)
		link_offence(l, "malformed or misdirected link");
	else
		ruled_new(imsg_fd(imsg));
	x_pump();
}

static void
parent_gone(struct link *l, const char *reason, void *arg)
{
	(void)l;
	(void)arg;
	if (reason != NULL)
		fatalx("parent: %s", reason);
	exit(0);
}

static void
read_start(void)
{
	static uint8_t	buf[MSG_PAYLOAD_MAX];
	struct ibuf	b;
	ssize_t		n;

	n = imsg_read_blocking(FD_PARENT, ROLE_PROMPTER, ROLE_PARENT,
	    MSG_START, buf, sizeof(buf), START_MS);
	if (n == -1)
		fatalx("no start message on descriptor %d: this program is "
		    "started by tinysnitch(8)", FD_PARENT);
	ibuf_reader(&b, buf, (size_t)n);
	if (msg_get_start(&b, &start) == -1)
		fatalx("malformed start message");
	explicit_bzero(buf, sizeof(buf));
	log_init(ROLE_PROMPTER, start.verbose);
}

/*
 * The terminal and the service manager signal the whole group; when to end
 * is for the parent to say, by closing the link.
 */
static void
set_signals(void)
{
	static const int	ignored[] = { SIGHUP, SIGINT, SIGPIPE, SIGQUIT,
				    SIGTERM, SIGUSR1, SIGUSR2 };
	const struct itimerval	second = { { 1, 0 }, { 1, 0 } };
	struct sigaction	sa;
	size_t			i;

	memset(&sa, 0, sizeof(sa));
	(void)sigemptyset(&sa.sa_mask);
	sa.sa_handler = SIG_IGN;
	for (i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
		if (sigaction(ignored[i], &sa, NULL) == -1)
			fatal("sigaction");
	sa.sa_handler = on_prof;
	sa.sa_flags = SA_RESTART;
	if (sigaction(SIGPROF, &sa, NULL) == -1 ||
	    setitimer(ITIMER_PROF, &second, NULL) == -1)
		fatal("profiling timer");
}

static void
open_loop(void)
{
	if ((base = event_base_new()) == NULL ||
	    (tick = evtimer_new(base, on_tick, NULL)) == NULL)
		fatal(NULL);
	parent = link_new(base, FD_PARENT, ROLE_PROMPTER, ROLE_PARENT,
	    parent_message, parent_gone, NULL);
	log_to_link(parent);
	if (start.fds & 1U << FD_PROMPT_RULED)
		ruled_new(FD_PROMPT_RULED);
}

static void
tell_ready(void)
{
	struct msg_ready	m;
	struct ibuf		b;
	uint8_t			buf[sizeof(m) + 8];

	memset(&m, 0, sizeof(m));
	(void)strlcpy(m.missing, sandbox_missing(), sizeof(m.missing));
	ibuf_writer(&b, buf, sizeof(buf));
	msg_put_ready(&b, &m);
	link_send_ibuf(parent, MSG_READY, -1, &b);
}

int
main(void)
{
	log_init(ROLE_PROMPTER, 0);
	/* Pictures of the window go back to the system when they are drawn. */
	(void)mallopt(M_MMAP_THRESHOLD, 128 << 10);
	(void)prctl(PR_SET_NAME, "snitch-prompter");
	read_start();
	closefrom(FD_PROMPT_X + 1);
	/* No byte from the X server, and no font, is read as root. */
	sandbox_prompter_identity((uid_t)start.uid, (gid_t)start.gid);
	open_loop();
	set_signals();
	if (!(start.fds & 1U << FD_PROMPT_X))
		fatalx("started without an X connection");
	x_open(FD_PROMPT_X, &start);
	explicit_bzero(start.xauth, sizeof(start.xauth));
	input_init(&input, start.ask_delay);
	/* Fonts and keyboards leave much behind that is free again. */
	(void)malloc_trim(0);
	sandbox_prompter();
	tell_ready();
	x_watch(base);
	if (event_base_dispatch(base) == -1)
		fatalx("event loop");
	fatalx("event loop: nothing left to wait for");
}
