/*
 * SPDX-License-Identifier: ISC
 *
 * Asking procinfo who sent a packet.  A packet that is held for the answer
 * is asked about in the same turn of the loop.  One that was judged already
 * needs its program only for the log: these are asked in batches, for being
 * woken once a packet costs a fifth of the throughput.  That waiting is free
 * only while procinfo knows by event; by looking in /proc it would come too
 * late, so then they are asked at once, too.
 *
 * Every question has a deadline, and no answer is "unknown".
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "ruled.h"

#define WHO_PATIENCE	(2ULL * 1000000000)	/* ns until "unknown" */
/* Answers that procinfo may owe; it takes twice as many for an offence. */
#define OWED_MAX	CONN_MAX
#define OWED_LOG_MAX	(CONN_MAX / 2)	/* for log lines alone */

TAILQ_HEAD(conn_queue, conn);
static struct conn_queue unasked = TAILQ_HEAD_INITIALIZER(unasked);
static struct conn_queue asked = TAILQ_HEAD_INITIALIZER(asked);
static size_t		 nunasked;
static size_t		 owed;		/* answers to come, unasked included */
static bool		 urgent;	/* something unasked is held */
static bool		 exact;		/* the last answer was by event */
static enum who_source	 last_source;
static uint8_t		 sources;	/* SOURCE_* that procinfo has */
static uint64_t		 highest;	/* number asked, of this netq */
static uint64_t		 highest_ever;
static struct event	*batch_timer, *turn_event, *patience_timer;
static struct whois	 said;		/* the last answer */
static bool		 have_said;	/* by this procinfo */
static struct who	 lent = { 0, &said, NULL };
static uint64_t		 check_number;
static void		 (*check_done)(enum sock_state);

static void	who_send(void);

static const struct timeval	lag = { 0, WHO_LAG_MS * 1000 };
static const struct timeval	patience = { 1, 0 };

static void
who_timer(int fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	who_send();
}

/* The program stays unknown; the conn goes on without. */
static void
who_unknown(struct conn *c)
{
	struct whois	*is;

	if ((is = calloc(1, sizeof(*is))) == NULL)
		fatal(NULL);
	is->source = WHO_UNKNOWN;
	is->has_uid = c->flags & PACKET_HAS_UID;
	is->uid = c->uid;
	c->who = who_new(is);
	free(is);
	judge_again(c);
}

static void
patience_check(int fd, short what, void *arg)
{
	struct conn	*c;
	uint64_t	 now = now_mono();

	(void)fd;
	(void)what;
	(void)arg;
	while ((c = TAILQ_FIRST(&asked)) != NULL &&
	    now > c->time + WHO_PATIENCE) {
		TAILQ_REMOVE(&asked, c, entry);
		who_unknown(c);
	}
	if (!TAILQ_EMPTY(&asked) && event_add(patience_timer, &patience) == -1)
		fatal(NULL);
}

void
who_init(void)
{
	batch_timer = event_new(ruled_base(), -1, 0, who_timer, NULL);
	turn_event = event_new(ruled_base(), -1, 0, who_timer, NULL);
	patience_timer = event_new(ruled_base(), -1, 0, patience_check, NULL);
	if (batch_timer == NULL || turn_event == NULL ||
	    patience_timer == NULL)
		fatal(NULL);
}

/*
 * What only waits for its log line must never take the place of a packet
 * that wants a verdict: in a flood that procinfo cannot follow it is logged
 * without its program.
 */
void
who_ask(struct conn *c)
{
	if (owed >= (c->state == CONN_JUDGED ? OWED_LOG_MAX : OWED_MAX)) {
		who_unknown(c);
		return;
	}
	owed++;
	TAILQ_INSERT_TAIL(&unasked, c, entry);
	nunasked++;
	if (c->state == CONN_WHO)
		urgent = true;
	if (urgent || !exact || nunasked >= WHO_BATCH)
		event_active(turn_event, 0, 0);
	else if (nunasked == 1 && event_add(batch_timer, &lag) == -1)
		fatal(NULL);
}

static void
put_conn(struct ibuf *b, const struct conn *c)
{
	struct msg_who	m;

	memset(&m, 0, sizeof(m));
	m.number = c->number;
	m.hook = c->hook;
	m.flags = c->flags | (c->quiet ? WHO_QUIET : 0);
	m.uid = c->uid;
	m.time = c->time;
	m.tuple = c->tuple;
	msg_put_who(b, &m);
}

/* As many as fit one message; false when none is left. */
static bool
who_send_some(struct link *l)
{
	struct msg_who_head	 head = { urgent };
	uint8_t			 buf[MSG_PAYLOAD_MAX];
	struct ibuf		 b, before;
	struct conn		*c;

	ibuf_writer(&b, buf, sizeof(buf));
	msg_put_who_head(&b, &head);
	while ((c = TAILQ_FIRST(&unasked)) != NULL) {
		before = b;
		put_conn(&b, c);
		if (ibuf_error(&b)) {
			b = before;
			break;
		}
		TAILQ_REMOVE(&unasked, c, entry);
		nunasked--;
		TAILQ_INSERT_TAIL(&asked, c, entry);
		c->asked_who = true;
		if (c->number > highest)
			highest = c->number;
		if (c->number > highest_ever)
			highest_ever = c->number;
	}
	link_send_ibuf(l, MSG_WHO, -1, &b);
	return c != NULL;
}

static void
who_send(void)
{
	struct link	*l = ruled_link(ROLE_PROCINFO);
	struct conn	*c;

	(void)event_del(batch_timer);
	if (TAILQ_EMPTY(&unasked))
		return;
	if (!event_pending(patience_timer, EV_TIMEOUT, NULL) &&
	    event_add(patience_timer, &patience) == -1)
		fatal(NULL);
	if (l == NULL) {	/* asked again when there is one */
		TAILQ_FOREACH(c, &unasked, entry)
			c->asked_who = true;
		TAILQ_CONCAT(&asked, &unasked, entry);
		nunasked = 0;
		return;
	}
	while (who_send_some(l))
		continue;
	urgent = false;
}

void
who_ask_again(void)
{
	struct conn	*c;

	TAILQ_CONCAT(&asked, &unasked, entry);
	TAILQ_CONCAT(&unasked, &asked, entry);
	nunasked = 0;
	exact = false;
	have_said = false;
	TAILQ_FOREACH(c, &unasked, entry) {
		c->asked_who = false;
		nunasked++;
		if (c->state == CONN_WHO)
			urgent = true;
	}
	owed = nunasked;
	who_send();
}

void
who_netq_restarted(void)
{
	struct conn_queue	old = TAILQ_HEAD_INITIALIZER(old);
	struct conn		*c;

	TAILQ_CONCAT(&old, &asked, entry);
	TAILQ_CONCAT(&old, &unasked, entry);
	owed -= nunasked;
	nunasked = 0;
	highest = 0;
	while ((c = TAILQ_FIRST(&old)) != NULL) {
		TAILQ_REMOVE(&old, c, entry);
		who_unknown(c);
	}
}

enum who_source
who_source(void)
{
	return last_source;
}

static void
note_source(enum who_source source)
{
	last_source = source;
	exact = source == WHO_EVENT;
}

int
who_sources_told(struct imsg *m)
{
	struct msg_sources	s;
	struct ibuf		b;

	ibuf_reader(&b, m->data, m->len);
	if (msg_get_sources(&b, &s) == -1)
		return -1;
	sources = s.on;
	return 0;
}

void
who_sources(char *buf, size_t size)
{
	if (ruled_link(ROLE_PROCINFO) == NULL || sources == 0) {
		(void)strlcpy(buf, "none", size);
		return;
	}
	(void)snprintf(buf, size, "%s%s%s%s%s",
	    sources & SOURCE_EVENT ? "event, " : "",
	    sources & SOURCE_TUPLE ? "tuple, " : "",
	    sources & SOURCE_SOCKET ? "socket" : "",
	    sources & SOURCE_TRACE ? "; events by tracefs" : "",
	    sources & SOURCE_RECORD ? "; programs by the kernel's records" :
	    sources & SOURCE_CONNECTOR ? "; programs by the proc connector" :
	    "; programs while they live");
}

/* What was said is about this packet. */
static int
said_of(uint64_t number)
{
	struct conn	*c;
	void		 (*done)(enum sock_state) = check_done;

	said.number = number;
	if (number & WHO_SOCKET_ONLY) {
		if (number > check_number)
			return -1;
		if (number == check_number && done != NULL) {
			check_done = NULL;
			done(said.socket);
		}
		return 0;
	}
	if (owed > nunasked)
		owed--;
	/*
	 * Never asked.  Just after a netq's restart it may be an answer about
	 * the old one's packets.
	 */
	if (number > highest)
		return highest_ever >= number ? 0 : -1;
	/* One whose patience has ended may be answered after all. */
	if ((c = conn_by_number(number)) == NULL || c->who != NULL ||
	    !c->asked_who)
		return 0;
	if (c->hook == HOOK_OUT)
		note_source((enum who_source)said.source);
	TAILQ_REMOVE(&asked, c, entry);
	if (c->state == CONN_JUDGED) {
		/* Only for its log line, now: lent, not copied. */
		lent.refs = 2;
		c->who = &lent;
	} else
		c->who = who_new(&said);
	judge_again(c);
	return 0;
}

int
who_answer(struct imsg *m)
{
	struct ibuf	b;

	free(lent.text);
	lent.text = NULL;
	ibuf_reader(&b, m->data, m->len);
	have_said = msg_get_whois(&b, &said) == 0;
	return have_said ? said_of(said.number) : -1;
}

int
who_answer_same(struct imsg *m)
{
	struct msg_same	same;
	struct ibuf	b;

	if (!have_said)
		return -1;
	if (lent.text == NULL)
		who_keep_text(&lent);
	ibuf_reader(&b, m->data, m->len);
	while (ibuf_left(&b) > 0)
		if (msg_get_same(&b, &same) == -1 ||
		    said_of(same.number) == -1)
			return -1;
	return 0;
}

void
who_check(const struct conn *c, void (*done)(enum sock_state))
{
	struct link		*l = ruled_link(ROLE_PROCINFO);
	struct msg_who_head	 head = { 0 };
	struct conn		 copy = *c;
	uint8_t			 buf[256];
	struct ibuf		 b;

	if (l == NULL)
		return;
	check_number = WHO_SOCKET_ONLY | ((check_number + 1) & ~WHO_SOCKET_ONLY);
	check_done = done;
	copy.number = check_number;
	ibuf_writer(&b, buf, sizeof(buf));
	msg_put_who_head(&b, &head);
	put_conn(&b, &copy);
	link_send_ibuf(l, MSG_WHO, -1, &b);
}
