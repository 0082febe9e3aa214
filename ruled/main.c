/*
 * SPDX-License-Identifier: ISC
 *
 * ruled: packets, names, rules and questions.  It parses everything that
 * strangers send and has no capability, no file system and no network; what
 * it reads and writes the parent opens and commits for it.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "child.h"
#include "log.h"
#include "loop.h"
#include "ruled.h"
#include "sandbox.h"

#define LAST_WORDS_MS	1000

struct msg_start	 config;
struct counters		 counters;

static struct event_base *base;
static struct link	*links[ROLE_MAX];
static int		 next_netq = -1;	/* until the old one's end */
static bool		 is_ready;
static bool		 judging;	/* netq is listened to */
static uint64_t		 held_boot, held_real;	/* 0: the clocks go */

static struct msg_child	 children[ROLE_PROMPTER + 1];

static link_handler	 from_parent, from_netq, from_procinfo, from_prompter;
static link_gone	 peer_gone;

struct event_base *
ruled_base(void)
{
	return base;
}

struct link *
ruled_link(enum role role)
{
	return links[role];
}

static uint64_t
clock_ns(clockid_t id)
{
	struct timespec	ts;

	if (clock_gettime(id, &ts) == -1)
		fatal("clock_gettime");
	return (uint64_t)ts.tv_sec * 1000000000ULL + (uint64_t)ts.tv_nsec;
}

void
clocks_hold(void)
{
	held_boot = clock_ns(CLOCK_BOOTTIME);
	held_real = clock_ns(CLOCK_REALTIME);
}

void
clocks_release(void)
{
	held_boot = held_real = 0;
}

uint64_t
now_boot(void)
{
	return held_boot != 0 ? held_boot : clock_ns(CLOCK_BOOTTIME);
}

uint64_t
now_real(void)
{
	return held_real != 0 ? held_real : clock_ns(CLOCK_REALTIME);
}

uint64_t
now_mono(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}

void
ruled_stopped(void)
{
	line_flush();
	(void)link_flush(links[ROLE_PARENT], LAST_WORDS_MS);
	exit(0);
}

static void
adopt(enum role role, int fd)
{
	static link_handler *const handlers[ROLE_MAX] = {
		[ROLE_PARENT] = from_parent,
		[ROLE_NETQ] = from_netq,
		[ROLE_PROCINFO] = from_procinfo,
		[ROLE_PROMPTER] = from_prompter,
	};

	links[role] = link_new(base, fd, ROLE_RULED, role, handlers[role],
	    peer_gone, NULL);
}

static void
netq_gone(void)
{
	if (next_netq == -1)
		return;
	adopt(ROLE_NETQ, next_netq);
	next_netq = -1;
	judge_netq_restarted();
}

static void
peer_gone(struct link *l, const char *reason, void *arg)
{
	enum role	role = link_peer(l);

	(void)arg;
	if (role == ROLE_PARENT)
		exit(reason != NULL);
	if (reason != NULL)
		child_bad(links[ROLE_PARENT], l, reason);
	links[role] = NULL;
	if (role == ROLE_PROMPTER)
		ask_asker(l, false);
	link_free(l);
	if (role == ROLE_NETQ)
		netq_gone();
}

/* A fresh link to a peer that was started anew. */
static void
peer_new(struct imsg *im)
{
	struct msg_peer	m;
	struct ibuf	b;
	enum role	role;
	struct link	*old;

	ibuf_reader(&b, im->data, im->len);
	if (msg_get_peer(&b, &m) == -1)
		fatalx("MSG_PEER: bad payload");
	role = (enum role)m.peer;
	if (role != ROLE_NETQ && role != ROLE_PROCINFO &&
	    role != ROLE_PROMPTER)
		fatalx("MSG_PEER: %s is no peer", role_name(role));
	old = links[role];
	if (role == ROLE_NETQ && (old != NULL || !judging)) {
		/* Its last packets are still to be read. */
		if (next_netq != -1)
			(void)close(next_netq);
		next_netq = imsg_fd(im);
		return;
	}
	if (old != NULL) {
		links[role] = NULL;
		if (role == ROLE_PROMPTER)
			ask_asker(old, false);
		link_free(old);
	}
	adopt(role, imsg_fd(im));
	if (role == ROLE_NETQ)
		judge_netq_restarted();
	else if (role == ROLE_PROCINFO)
		who_ask_again();
	else
		ask_asker(links[role], true);
}

static void
statistics(void)
{
	line_info("statistics packets %" PRIu64 " allowed %" PRIu64 " denied %"
	    PRIu64 " dropped %" PRIu64 " lost %" PRIu64 " malformed %" PRIu64
	    " overload %" PRIu64 " questions %" PRIu64 " answers %" PRIu64
	    " timeouts %" PRIu64 " unknown %" PRIu64 " waiting %zu",
	    counters.packets, counters.allowed, counters.denied,
	    counters.dropped, counters.lost, counters.malformed,
	    counters.overload, counters.questions, counters.answers,
	    counters.timeouts, counters.unknown, pending_packets());
}

static void
do_it(struct imsg *im)
{
	struct msg_do	m;
	struct ibuf	b;

	ibuf_reader(&b, im->data, im->len);
	if (msg_get_do(&b, &m) == -1)
		fatalx("MSG_DO: bad payload");
	switch (m.what) {
	case DO_RELOAD:
		store_reload();
		break;
	case DO_STATISTICS:
		statistics();
		break;
	case DO_STOP:
		store_stop();
		break;
	}
}

void
ruled_loaded(void)
{
	if (is_ready)
		return;
	is_ready = true;
	child_ready(links[ROLE_PARENT], sandbox_missing());
	ruled_begin();
}

/*
 * Packets wait until rules and own addresses are known: after a restart they
 * may be there first, and would meet no rule.
 */
void
ruled_begin(void)
{
	if (judging || !is_ready || !host_is_known())
		return;
	judging = true;
	adopt(ROLE_NETQ, FD_RULED_NETQ);
	link_send(links[ROLE_NETQ], MSG_VERDICTS, -1, NULL, 0);
}

static int
child_told(struct imsg *im)
{
	struct msg_child	m;
	struct ibuf		b;

	ibuf_reader(&b, im->data, im->len);
	if (msg_get_child(&b, &m) == -1)
		return -1;
	children[m.role] = m;
	return 0;
}

const struct msg_child *
ruled_child(enum role role)
{
	return &children[role];
}

static void
from_parent(struct link *l, struct imsg *im, void *arg)
{
	int	bad = 0;

	(void)l;
	(void)arg;
	switch (im->type) {
	case MSG_PEER:
		peer_new(im);
		break;
	case MSG_DO:
		do_it(im);
		break;
	case MSG_CHILD:
		bad = child_told(im);
		break;
	case MSG_FILE:
		bad = files_arrived(im);
		break;
	case MSG_COMMITTED:
		bad = files_committed(im);
		break;
	}
	if (bad == -1)
		fatalx("%s: bad payload", msg_name(im->type));
}

static void
from_netq(struct link *l, struct imsg *im, void *arg)
{
	(void)arg;
	if (judge_packets(im) == -1)
		link_offence(l, "%s: bad payload", msg_name(im->type));
}

static void
from_procinfo(struct link *l, struct imsg *im, void *arg)
{
	struct msg_host	m;
	struct ibuf	b;
	int		bad = 0;

	(void)arg;
	if (im->type == MSG_WHOIS)
		bad = who_answer(im);
	else if (im->type == MSG_WHOIS_SAME)
		bad = who_answer_same(im);
	else if (im->type == MSG_SOURCES)
		bad = who_sources_told(im);
	else {
		ibuf_reader(&b, im->data, im->len);
		if ((bad = msg_get_host(&b, &m)) == 0)
			bad = host_update(&m);
		ruled_begin();
	}
	if (bad == -1)
		link_offence(l, "%s: bad payload", msg_name(im->type));
}

static void
from_prompter(struct link *l, struct imsg *im, void *arg)
{
	(void)arg;
	if (ask_answer(l, im) == -1)
		link_offence(l, "%s: bad payload", msg_name(im->type));
}

static void
start_links(void)
{
	adopt(ROLE_PARENT, FD_PARENT);
	log_to_link(links[ROLE_PARENT]);
	adopt(ROLE_PROCINFO, FD_RULED_PROC);
	if (config.fds & (1U << FD_RULED_PROMPTER)) {
		adopt(ROLE_PROMPTER, FD_RULED_PROMPTER);
		ask_asker(links[ROLE_PROMPTER], true);
	}
}

int
main(int argc, char *argv[])
{
	if (argc > 1) {
		log_init(ROLE_RULED, 0);
		return check_main(argc, argv);
	}
	sandbox_prepare(ROLE_RULED);
	child_start(ROLE_RULED, FD_RULED_COUNTERS, &config);
	tzset();
	base = loop_init(ROLE_RULED);
	decision_init();
	judge_init();
	who_init();
	pending_init();
	ask_init();
	store_init();
	start_links();
	files_init();
	control_init();
	sandbox_ruled(config.uid, config.gid);
	loop_run(base);
	return 0;
}
