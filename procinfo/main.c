/*
 * SPDX-License-Identifier: ISC
 *
 * procinfo's loop: questions from ruled, one answer to each, in order.
 */
#include <event2/event.h>
#include <malloc.h>
#include <poll.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "audit.h"
#include "child.h"
#include "events.h"
#include "execs.h"
#include "imsg.h"
#include "log.h"
#include "loop.h"
#include "procinfo.h"
#include "routes.h"
#include "sandbox.h"

#define RT_US		1000000	/* CPU time in a row before it is killed */
#define HOLD_NS		1000000	/* an answer waits for others, at most */
#define PAUSE		{ 0, 2000 }	/* then look again */

struct waiting {
	TAILQ_ENTRY(waiting)	 entry;
	struct msg_who		 who;
	bool			 urgent;	/* something waits for it */
};

static struct event_base	*base;
static struct link		*parent, *ruled;
static struct event		*turn_ev;	/* more questions wait */
static TAILQ_HEAD(, waiting)	 questions = TAILQ_HEAD_INITIALIZER(questions);
static size_t			 nquestions;

/* The last answer, and the numbers of those after it that say the same. */
static struct {
	uint8_t			 buf[MSG_PAYLOAD_MAX];
	size_t			 len;
} said;
static uint8_t			 same_buf[MSG_PAYLOAD_MAX];
static struct ibuf		 same;

struct event_base *
main_base(void)
{
	return base;
}

struct link *
main_ruled(void)
{
	return ruled;
}

struct link *
main_parent(void)
{
	return parent;
}

uint64_t
now_ns(void)
{
	struct timespec	 ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

/* Nothing was said to this ruled yet, and nothing is the same. */
static void
answers_begin(void)
{
	said.len = 0;
	ibuf_writer(&same, same_buf, sizeof(same_buf));
}

static void
same_send(void)
{
	if (same.off > 0)
		link_send_ibuf(ruled, MSG_WHOIS_SAME, -1, &same);
	ibuf_writer(&same, same_buf, sizeof(same_buf));
}

/* Programs send many packets: of all but the first the number is enough. */
static bool
answer_same(const uint8_t *buf, size_t len, uint64_t number)
{
	struct msg_same	 m = { number };

	if (len != said.len || memcmp(buf + sizeof(number),
	    said.buf + sizeof(number), len - sizeof(number)) != 0)
		return false;
	if (sizeof(same_buf) - same.off < sizeof(number))
		same_send();
	msg_put_same(&same, &m);
	return true;
}

static void
answer(const struct waiting *w)
{
	static struct whois	 whois;
	static uint8_t		 buf[MSG_PAYLOAD_MAX];
	struct ibuf		 b;

	lookup(&w->who, w->urgent || nquestions < QUESTIONS_BUSY, w->urgent,
	    &whois);
	ibuf_writer(&b, buf, sizeof(buf));
	msg_put_whois(&b, &whois);	/* begins with the number */
	if (answer_same(buf, b.off, whois.number))
		return;
	same_send();
	link_send_ibuf(ruled, MSG_WHOIS, -1, &b);
	memcpy(said.buf, buf, b.off);
	said.len = b.off;
}

static void
answers_write(void)
{
	same_send();
	link_release(ruled);
}

/* Answers for a while, then lets the loop look at its other descriptors. */
static void
on_turn(evutil_socket_t fd, short what, void *arg)
{
	static const struct timeval	 at_once, pause_time = PAUSE;
	const struct timeval		*when = &at_once;
	uint64_t			 begin = now_ns(), now, written = begin;
	struct waiting			*w;

	(void)fd, (void)what, (void)arg;
	if (ruled == NULL)
		return;
	link_hold(ruled);
	while ((w = TAILQ_FIRST(&questions)) != NULL) {
		if (link_queued(ruled) > ANSWERS_QUEUED ||
		    lookup_waits(&w->who)) {
			when = &pause_time;
			break;
		}
		TAILQ_REMOVE(&questions, w, entry);
		nquestions--;
		answer(w);
		free(w);
		now = now_ns();
		if (now - begin > TURN_NS)
			break;
		if (now - written >= HOLD_NS) {
			answers_write();
			link_hold(ruled);
			written = now;
		}
	}
	answers_write();
	if (!TAILQ_EMPTY(&questions) && event_add(turn_ev, when) == -1)
		fatal(NULL);
}

static void
questions_drop(void)
{
	struct waiting	*w;

	while ((w = TAILQ_FIRST(&questions)) != NULL) {
		TAILQ_REMOVE(&questions, w, entry);
		free(w);
	}
	nquestions = 0;
}

/* What the questions from this one on say about events. */
static void
observe(const struct waiting *first)
{
	const struct waiting	*w, *newest = NULL;

	for (w = first; w != NULL; w = TAILQ_NEXT(w, entry))
		if ((w->who.number & WHO_SOCKET_ONLY) == 0 &&
		    (newest == NULL || w->who.time >= newest->who.time))
			newest = w;
	if (newest == NULL)
		return;
	events_catch_up(&newest->who);
	for (w = first; w != NULL; w = TAILQ_NEXT(w, entry))
		if ((w->who.number & WHO_SOCKET_ONLY) == 0 &&
		    ((w->who.flags & WHO_QUIET) != 0 || w == newest))
			events_observe(&w->who);
}

static void
ruled_asks(struct link *l, struct imsg *imsg)
{
	struct msg_who_head	 head;
	struct waiting		*w, *first = NULL;
	struct ibuf		 b;

	ibuf_reader(&b, imsg->data, imsg->len);
	if (msg_get_who_head(&b, &head) == -1) {
		link_offence(l, "malformed question");
		return;
	}
	while (ibuf_left(&b) > 0) {
		if ((w = calloc(1, sizeof(*w))) == NULL)
			fatal(NULL);
		w->urgent = head.urgent;
		if (msg_get_who(&b, &w->who) == -1 ||
		    nquestions == QUESTIONS_MAX) {
			link_offence(l, nquestions == QUESTIONS_MAX ?
			    "too many questions" : "malformed question");
			free(w);
			return;
		}
		TAILQ_INSERT_TAIL(&questions, w, entry);
		nquestions++;
		if (first == NULL)
			first = w;
	}
	frames_look();
	observe(first);
	if (!event_pending(turn_ev, EV_TIMEOUT, NULL))
		event_active(turn_ev, EV_TIMEOUT, 0);
}

static void
ruled_message(struct link *l, struct imsg *imsg, void *arg)
{
	(void)arg;
	if (imsg->type == MSG_WHO)
		ruled_asks(l, imsg);
}

static void
ruled_lost(void)
{
	link_free(ruled);
	ruled = NULL;
	questions_drop();
}

static void
ruled_gone(struct link *l, const char *reason, void *arg)
{
	(void)arg;
	ruled_lost();
	if (reason != NULL)
		child_bad_ruled(parent, l, reason);
}

void
main_tell_sources(void)
{
	struct msg_sources	 m = { SOURCE_SOCKET };
	struct ibuf		 b;
	uint8_t			 buf[8];

	if (ruled == NULL)
		return;
	if (events_on())
		m.on |= SOURCE_EVENT;
	if (routes_on())
		m.on |= SOURCE_TUPLE;
	if (events_by_thread())
		m.on |= SOURCE_TRACE;
	if (execs_on())
		m.on |= SOURCE_RECORD;
	else if (connector_on())
		m.on |= SOURCE_CONNECTOR;
	ibuf_writer(&b, buf, sizeof(buf));
	msg_put_sources(&b, &m);
	link_send_ibuf(ruled, MSG_SOURCES, -1, &b);
}

static void
ruled_new(int fd)
{
	if (ruled != NULL)
		ruled_lost();
	ruled = link_new(base, fd, ROLE_PROCINFO, ROLE_RULED, ruled_message,
	    ruled_gone, NULL);
	answers_begin();
	main_tell_sources();
	host_send_all();
}

static void
parent_peer(struct link *l, struct imsg *imsg)
{
	int	 fd;

	if ((fd = child_peer_ruled(l, imsg)) != -1)
		ruled_new(fd);
}

static void
parent_event(struct link *l, struct imsg *imsg)
{
	struct msg_event	 m;
	struct ibuf		 b;

	ibuf_reader(&b, imsg->data, imsg->len);
	if (msg_get_event(&b, &m) == -1)
		link_offence(l, "malformed event");
	else
		events_add(&m, imsg_fd(imsg));
}

static void
parent_message(struct link *l, struct imsg *imsg, void *arg)
{
	(void)arg;
	if (imsg->type == MSG_PEER)
		parent_peer(l, imsg);
	else if (imsg->type == MSG_EVENT)
		parent_event(l, imsg);
}

/*
 * With threads, malloc(3) that gets no memory tries another arena, and making
 * one takes mprotect(2), which the filter kills for: the reason would be
 * lost.  The threads allocate nothing.
 */
static void
one_arena(void)
{
	if (mallopt(M_ARENA_MAX, 1) != 1)
		fatalx("malloc cannot be kept to one arena");
}

/*
 * A program that ends at once has to be read before: with the machine busy,
 * one in three is gone by the time an ordinary process gets its turn.  The
 * threads that read arguments inherit this, and need it.
 */
static void
set_scheduler(void)
{
	struct sched_param	 p = { .sched_priority = 1 };
	struct rlimit		 rl = { RT_US, RT_US };

	if (setrlimit(RLIMIT_RTTIME, &rl) == -1 ||
	    sched_setscheduler(0, SCHED_FIFO, &p) == -1)
		log_info("no real-time priority: programs that end at once "
		    "may stay unknown");
}

/* The kernel's records wait; only the threads are in a hurry now. */
void
main_unhurried(void)
{
	struct sched_param	 p = { 0 };

	if (sched_setscheduler(0, SCHED_OTHER, &p) == -1)
		log_warn("%s", __func__);
}

int
main(void)
{
	static struct msg_start	 start;
	pid_t			 parent_pid;

	sandbox_prepare(ROLE_PROCINFO);
	child_start(ROLE_PROCINFO, FD_PROC_CPUS, &start);
	if (!(start.fds & 1U << FD_PROC_DIAG) ||
	    !(start.fds & 1U << FD_PROC_ROUTE))
		fatalx("started without sockets to ask the kernel");
	parent_pid = getppid();
	base = loop_init(ROLE_PROCINFO);
	turn_ev = event_new(base, -1, 0, on_turn, NULL);
	if (turn_ev == NULL)
		fatal(NULL);
	parent = link_new(base, FD_PARENT, ROLE_PROCINFO, ROLE_PARENT,
	    parent_message, child_parent_gone, NULL);
	log_to_link(parent);
	diag_init(FD_PROC_DIAG);
	events_init(!start.restarted);
	set_scheduler();
	one_arena();
	execs_init();
	sandbox_procinfo(start.uid, start.gid, execs_start);
	sockown_init(FD_PROC_DIAG);
	lookup_init((uint32_t)parent_pid);
	host_init(FD_PROC_ROUTE);
	confirm_init((start.fds & 1u << FD_PROC_HOST) != 0,
	    (uint32_t)parent_pid);
	ident_init();
	if ((start.fds & 1u << FD_PROC_CONNECTOR) != 0) {
		connector_init(FD_PROC_CONNECTOR);
		ident_scan();
	}
	execs_run();
	if (start.frames_warn)
		frames_init();
	if ((start.fds & 1u << FD_PROC_AUDIT) != 0)
		audit_init(FD_PROC_AUDIT);
	if ((start.fds & 1u << FD_PROC_CPUS) != 0)
		cpus_init(FD_PROC_CPUS);
	if ((start.fds & 1u << FD_PROC_RULED) != 0)
		ruled_new(FD_PROC_RULED);
	child_ready(parent, sandbox_missing());
	/* Nobody else gets this CPU until it sleeps, and the parent is to hear. */
	(void)poll(NULL, 0, 1);
	loop_run(base);
	return 0;
}
