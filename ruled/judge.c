/*
 * SPDX-License-Identifier: ISC
 *
 * The life of a packet from netq's message to its verdict.  Whatever is
 * neither a rule nor a complete answer ends in judge_default().
 *
 * Packets of the name service are special in two ways.  They are queued
 * whatever their state, since names are learnt from them; so a conversation
 * that a rule has allowed is remembered (flows.c) and goes on freely.  And a
 * reply teaches names only when it answers, on such a conversation, a query
 * that this host sent to one of its resolvers.
 */
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "dns_stream.h"
#include "flows.h"
#include "log.h"
#include "loop.h"
#include "ruled.h"

#define DNS_PORT	53
#define GAP_MAX		VERDICTS_KEPT

static struct names	*names;
static struct flows	*flows;
static struct dns_streams *streams;
static struct event	*flush_event;

/* Verdicts on their way to netq, and the last ones that went. */
static uint8_t		 out_buf[MSG_PAYLOAD_MAX];
static struct ibuf	 out;
static struct msg_verdict kept[VERDICTS_KEPT];
static size_t		 nkept, next_kept;
static bool		 in_turn;	/* which ends with turn_end() */
static bool		 turn_answered;

static uint32_t		 last_id;
static bool		 have_id;
static bool		 netq_is_new;	/* its predecessor may have swallowed
					   packets, up to this id */
static uint32_t		 swallowed_to;
static bool		 have_swallowed_to;

static void
verdicts_flush(void)
{
	struct link	*l = ruled_link(ROLE_NETQ);

	(void)event_del(flush_event);
	if (out.off > 0 && l != NULL) {
		link_send_ibuf(l, MSG_VERDICTS, -1, &out);
		turn_answered = true;
	}
	ibuf_writer(&out, out_buf, sizeof(out_buf));
}

static void
turn_begin(void)
{
	in_turn = true;
	turn_answered = false;
}

/* netq waits for an answer, if only to hear that every packet is held. */
static void
turn_end(void)
{
	struct link	*l = ruled_link(ROLE_NETQ);

	in_turn = false;
	verdicts_flush();
	if (!turn_answered && l != NULL)
		link_send(l, MSG_VERDICTS, -1, NULL, 0);
}

static void
flush_turn(int fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	verdicts_flush();
}

static void
verdict_queue(const struct msg_verdict *v)
{
	struct ibuf	before = out;

	msg_put_verdict(&out, v);
	if (ibuf_error(&out)) {
		out = before;
		verdicts_flush();
		before = out;
		msg_put_verdict(&out, v);
	}
	if (before.off == 0 && !in_turn)
		event_active(flush_event, 0, 0);
}

static void
verdict_send(uint32_t id, enum action action, uint32_t mark)
{
	struct msg_verdict	v = { id, (uint8_t)action, mark };

	kept[next_kept] = v;
	next_kept = (next_kept + 1) % VERDICTS_KEPT;
	if (nkept < VERDICTS_KEPT)
		nkept++;
	verdict_queue(&v);
}

void
judge_init(void)
{
	uint64_t	key;

	arc4random_buf(&key, sizeof(key));
	if ((names = names_new()) == NULL || (flows = flows_new(key)) == NULL)
		fatal(NULL);
	streams = dns_streams_new();
	if ((flush_event = event_new(ruled_base(), -1, 0, flush_turn,
	    NULL)) == NULL)
		fatal(NULL);
	ibuf_writer(&out, out_buf, sizeof(out_buf));
}

struct names *
judge_names_table(void)
{
	return names;
}

/*
 * The dead netq may have taken a verdict and not given it to the kernel; to
 * say it twice does no harm.  The new one looks for an empty socket once it
 * hears from here, so not before the kernel's counters were read: else a
 * packet that came in between would be taken for one that was swallowed.
 */
void
judge_netq_restarted(void)
{
	size_t			i, first = nkept < VERDICTS_KEPT ? 0 : next_kept;
	struct kernel_counts	k;

	netq_is_new = true;
	have_swallowed_to = kernel_read(&k) == 0;
	swallowed_to = k.last_id;
	turn_begin();
	ibuf_writer(&out, out_buf, sizeof(out_buf));
	for (i = 0; i < nkept; i++)
		verdict_queue(&kept[(first + i) % VERDICTS_KEPT]);
	turn_end();
	who_netq_restarted();
}

/*
 * ids count up by one.  A gap is a packet that the kernel could not deliver,
 * or, just after a restart, one that the dead netq had read: that one is
 * still held by the kernel and is dropped, to be sent again.
 */
static void
note_gap(uint32_t gap)
{
	uint32_t	i;

	if (!have_id || gap == 0 || gap >= INT32_MAX)
		return;
	if (netq_is_new && gap <= GAP_MAX)
		for (i = 1; i <= gap; i++)
			verdict_send(last_id + i, ACTION_DROP, 0);
	else
		counters.lost += gap;
}

static void
note_id(uint32_t id)
{
	note_gap(id - last_id - 1);
	have_id = true;
	netq_is_new = false;
	last_id = id;
}

/*
 * The new netq has found its socket empty and no packet has come since: what
 * the kernel had queued when it took over, the dead one had read.
 */
static void
note_empty(void)
{
	if (netq_is_new && have_swallowed_to &&
	    (int32_t)(swallowed_to - last_id) > 0) {
		note_gap(swallowed_to - last_id);
		last_id = swallowed_to;
	}
	netq_is_new = false;
}

/* Deciding. */

static void
count(enum action action, enum reason reason)
{
	switch (action) {
	case ACTION_ALLOW:
		counters.allowed++;
		break;
	case ACTION_DENY:
		counters.denied++;
		break;
	default:
		counters.dropped++;
	}
	if (reason == REASON_OVERLOAD)
		counters.overload++;
}

/*
 * What no line is written about: a packet sent again while the first one was
 * held, and, in text, the free traffic that was never logged.
 */
static bool
is_silent(const struct conn *c)
{
	if (c->again)
		return true;
	if (c->action != ACTION_ALLOW)
		return false;
	if (c->reason != REASON_DNS && c->reason != REASON_LOCAL && !c->query)
		return false;
	return (config.log_forms & ~LOGFORM_TEXT) == 0;
}

void
judge_decide(struct conn *c, enum action action, enum reason reason,
    const struct rule *rule)
{
	char	text[RULE_TEXT_MAX];

	if (c->pending != NULL)
		pending_remove(c);
	verdict_send(c->id, action, c->mark);
	count(action, reason);
	c->state = CONN_JUDGED;
	c->action = action;
	c->reason = reason;
	c->held = (now_mono() - c->time) / 1000;
	c->when = now_real();
	if (c->query && action == ACTION_ALLOW)
		flows_add(flows, &c->tuple, now_boot());
	if (is_silent(c)) {
		conn_free(c);
		return;
	}
	if (rule != NULL && decision_names_rule() &&
	    rule_print(rule, text, sizeof(text)) != -1 &&
	    (c->rule = strdup(text)) == NULL)
		fatal(NULL);
	if (c->who == NULL) {
		who_ask(c);
		return;
	}
	decision_log(c);
	conn_free(c);
}

void
judge_default(struct conn *c, enum reason reason)
{
	judge_decide(c, (enum action)config.unanswered, reason, NULL);
}

/* Matching. */

size_t
judge_names(const struct conn *c, const char *names_out[], size_t *total)
{
	const struct addr	*remote;

	remote = c->dir == DIR_IN ? &c->tuple.src : &c->tuple.dst;
	if (host_is_own(remote)) {
		*total = 0;
		return 0;
	}
	return names_of(names, remote, now_boot(), names_out, NAMES_OF_MAX,
	    total);
}

enum match_result
judge_subject(struct subject *s, struct match *m)
{
	s->now = now_boot();
	return match_rules(temporary_rules(), rules_permanent(),
	    slices_lists(), s, m);
}

static bool
has_ports(uint8_t proto)
{
	switch (proto) {
	case IPPROTO_TCP:
	case IPPROTO_UDP:
	case IPPROTO_UDPLITE:
	case IPPROTO_SCTP:
	case IPPROTO_DCCP:
		return true;
	default:
		return false;
	}
}

static void
subject_of(const struct conn *c, struct subject *s)
{
	const struct whois	*is = c->who != NULL ? c->who->is : NULL;

	memset(s, 0, sizeof(*s));
	s->dir = c->dir;
	s->dst = c->tuple.dst;
	s->src = c->tuple.src;
	s->proto = c->tuple.proto;
	s->has_port = has_ports(c->tuple.proto);
	s->port = c->tuple.dport;
	s->ifname = host_ifname(c->dir == DIR_OUT ? c->outdev : c->indev);
	s->who_known = is != NULL;
	if (is != NULL && is->exe[0] != '\0')
		s->exe = is->exe;
	else if (is != NULL && is->source == WHO_KERNEL)
		s->exe = "";
	if (c->flags & PACKET_HAS_UID) {
		s->has_uid = true;
		s->uid = c->uid;
	} else if (is != NULL && is->has_uid) {
		s->has_uid = true;
		s->uid = is->uid;
	}
}

/* What one name, or none, of the destination leads to. */
struct outcome {
	const char		*name;
	enum match_result	 result;
	struct match		 match;
};

static bool
outcomes_agree(const struct outcome *o, size_t n)
{
	size_t	i;

	for (i = 1; i < n; i++) {
		if (o[i].result != o[0].result)
			return false;
		if (o[i].result == MATCH_RULE &&
		    o[i].match.action != o[0].match.action)
			return false;
	}
	return true;
}

/*
 * Live names of one address disagree: those that this user's programs asked
 * for decide if they agree among themselves; otherwise nobody knows which
 * one is meant and a person is asked.
 */
static enum match_result
outcomes_settle(const struct conn *c, struct outcome *o, size_t n)
{
	size_t	i, kept_n = 0;

	for (i = 0; i < n; i++)
		if ((c->flags & PACKET_HAS_UID) && names_asked(names,
		    o[i].name, &c->tuple.dst, c->uid, now_boot()))
			o[kept_n++] = o[i];
	if (kept_n == 0 || !outcomes_agree(o, kept_n))
		return MATCH_NONE;
	return o[0].result;
}

/* The names that the destination is judged by, one of them maybe NULL. */
static size_t
names_to_judge(const struct conn *c, const char *name[], size_t *total)
{
	size_t	n = 1;

	*total = 1;
	name[0] = "localhost";
	if (c->dir != DIR_IN && !host_is_own(&c->tuple.dst) &&
	    (n = judge_names(c, name, total)) == 0) {
		name[0] = NULL;
		n = 1;
	}
	return n;
}

/* What from= may call the source. */
static size_t
source_names(const struct conn *c, const char *name[])
{
	size_t	total;

	name[0] = "localhost";
	if (c->dir == DIR_OUT || host_is_own(&c->tuple.src))
		return 1;
	return names_of(names, &c->tuple.src, now_boot(), name, NAMES_OF_MAX,
	    &total);
}

static enum match_result
match_named(struct conn *c, struct outcome *best)
{
	const char		*name[NAMES_OF_MAX], *source[NAMES_OF_MAX];
	struct outcome		 o[NAMES_OF_MAX];
	struct subject		 s;
	size_t			 i, n, total;
	enum match_result	 result;

	subject_of(c, &s);
	s.src_names = source;
	s.nsrc_names = source_names(c, source);
	n = names_to_judge(c, name, &total);
	for (i = 0; i < n; i++) {
		o[i].name = name[i];
		s.name = name[i];
		o[i].result = judge_subject(&s, &o[i].match);
		if (o[i].result == MATCH_NEEDS_WHO)
			return MATCH_NEEDS_WHO;
	}
	/* More names than we are shown: the rest may disagree. */
	if (total > NAMES_OF_MAX)
		result = outcomes_settle(c, o, n);
	else
		result = outcomes_agree(o, n) ? o[0].result :
		    outcomes_settle(c, o, n);
	*best = o[0];
	return result;
}

enum match_result
judge_match(struct conn *c)
{
	struct outcome		best;
	enum match_result	result;

	result = match_named(c, &best);
	if (result == MATCH_NEEDS_WHO)
		return result;
	conn_set_name(c, best.name);
	if (result == MATCH_RULE)
		judge_decide(c, best.match.action, REASON_RULE,
		    best.match.rule);
	return result;
}

/* The steps before rules. */

static bool
is_dns_proto(uint8_t proto)
{
	return proto == IPPROTO_UDP || proto == IPPROTO_TCP;
}

static bool
is_own(const struct addr *a, void *arg)
{
	(void)arg;
	return host_is_own(a);
}

static void
name_learnt(const char *name, const struct addr *a, void *arg)
{
	char	text[ADDR_STR_MAX];

	(void)arg;
	line_info("dns %s %s", name, addr_print(a, text));
	store_names_changed();
}

/* What a message is a part of. */
struct dns_from {
	const struct conn	*conn;
	const struct packet	*packet;
};

static void
dns_message(const uint8_t *data, size_t len, void *arg)
{
	static struct dns_msg	 m;
	const struct dns_from	*from = arg;
	const struct conn	*c = from->conn;
	const struct packet	*p = from->packet;

	if (dns_parse(data, len, &m) == -1)
		return;
	if (m.reply && p->tuple.sport == DNS_PORT) {
		if (resolvers_have(&p->tuple.src))
			(void)names_reply(names, &p->tuple, &m, now_boot(),
			    is_own, name_learnt, NULL);
	} else if (!m.reply && p->tuple.dport == DNS_PORT &&
	    c->dir == DIR_OUT && resolvers_have(&p->tuple.dst))
		names_query(names, &p->tuple, &m,
		    c->flags & PACKET_HAS_UID ? c->uid : UINT32_MAX,
		    now_boot());
}

static void
dns_learn(const struct conn *c, const struct packet *p)
{
	struct dns_from	from = { c, p };

	if (p->tuple.proto != IPPROTO_TCP) {
		if (p->payload != NULL && p->payload_whole)
			dns_message(p->payload, p->payload_len, &from);
	} else if (resolvers_have(p->tuple.dport == DNS_PORT ?
	    &p->tuple.dst : &p->tuple.src))
		dns_stream_segment(streams, p, dns_message, &from);
}

/* True: it belongs to a conversation that was allowed, and has passed. */
static bool
dns_passes(struct conn *c, const struct packet *p)
{
	bool	query, reply;

	if (!is_dns_proto(p->tuple.proto))
		return false;
	query = p->tuple.dport == DNS_PORT;
	reply = p->tuple.sport == DNS_PORT;
	if (!query && !reply)
		return false;
	c->query = query && c->dir == DIR_OUT;
	/*
	 * Every UDP query is judged by the rules as they are now, so that one
	 * taken away has an effect; a TCP stream is judged when it opens.
	 */
	if (query && (p->tuple.proto == IPPROTO_UDP || c->opens)) {
		dns_learn(c, p);
		return false;
	}
	if (!flows_known(flows, &p->tuple, now_boot()))
		return false;
	dns_learn(c, p);
	judge_decide(c, ACTION_ALLOW, REASON_DNS, NULL);
	return true;
}

/* Traffic of this host with itself, unless it is to be filtered. */
static bool
local_passes(struct conn *c)
{
	if (config.loopback_filter || c->dir != DIR_OUT ||
	    !host_is_own(&c->tuple.dst) || !host_is_own(&c->tuple.src))
		return false;
	judge_decide(c, ACTION_ALLOW, REASON_LOCAL, NULL);
	return true;
}

static void
hold_for_who(struct conn *c)
{
	c->state = CONN_WHO;
	who_ask(c);
}

/* What may be too old for rules: nobody is ever asked about it. */
static void
judge_midstream(struct conn *c)
{
	if (c->dir == DIR_FORWARD) {
		if (judge_match(c) != MATCH_RULE)
			judge_decide(c, ACTION_DROP, REASON_CLOSED, NULL);
		return;
	}
	if (c->who == NULL) {
		hold_for_who(c);
		return;
	}
	if (c->who->is->socket == SOCK_ESTABLISHED)
		judge_decide(c, ACTION_ALLOW, REASON_OLDER, NULL);
	else
		judge_decide(c, ACTION_DROP, REASON_CLOSED, NULL);
}

static void
judge_one(const struct msg_packet *mp, uint64_t time, bool quiet)
{
	struct packet	 p;
	struct conn	*c;

	counters.packets++;
	note_id(mp->id);
	if ((c = conn_new(mp, time)) == NULL) {
		pending_overload("packets");
		count((enum action)config.unanswered, REASON_OVERLOAD);
		verdict_send(mp->id, (enum action)config.unanswered, mp->mark);
		return;
	}
	if (packet_parse(mp->data, mp->len, mp->full_len, mp->af, &p) == -1) {
		counters.malformed++;
		log_debug("packet %u: %s", mp->id, packet_kind_name(p.kind));
		c->tuple = p.tuple;
		judge_default(c, REASON_OTHER);
		return;
	}
	c->tuple = p.tuple;
	c->opens = p.opens;
	c->quiet = quiet;
	if (dns_passes(c, &p) || local_passes(c) || pending_join(c))
		return;
	if (!c->opens)
		judge_midstream(c);
	else if (judge_match(c) != MATCH_RULE)
		hold_for_who(c);
}

void
judge_again(struct conn *c)
{
	if (c->state == CONN_JUDGED) {
		decision_log(c);
		conn_free(c);
		return;
	}
	if (!c->opens) {
		judge_midstream(c);
		return;
	}
	if (judge_match(c) == MATCH_RULE)
		return;
	/* Nobody listens: a stranger's knock opens no question. */
	if (c->dir == DIR_IN && c->who->is->socket == SOCK_NONE) {
		judge_decide(c, ACTION_DENY, REASON_CLOSED, NULL);
		return;
	}
	pending_add(c);
}

static int
judge_all(struct ibuf *b, const struct msg_packets_head *head)
{
	struct msg_packet	p;

	while (ibuf_left(b) > 0) {
		if (msg_get_packet(b, &p) == -1)
			return -1;
		judge_one(&p, head->time, head->empty && ibuf_left(b) == 0);
	}
	return 0;
}

int
judge_packets(struct imsg *m)
{
	struct msg_packets_head	head;
	struct ibuf		b;
	uint64_t		now, before = counters.packets;
	int			result;

	ibuf_reader(&b, m->data, m->len);
	if (msg_get_packets_head(&b, &head) == -1)
		return -1;
	if (head.time > (now = now_mono()))	/* deadlines count from it */
		head.time = now;
	turn_begin();
	clocks_hold();
	if ((result = judge_all(&b, &head)) == 0 && head.empty)
		note_empty();
	clocks_release();
	turn_end();
	loop_pace(now, (unsigned int)(counters.packets - before));
	return result;
}
