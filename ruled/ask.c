/*
 * SPDX-License-Identifier: ISC
 *
 * The question.  One is open at a time; the prompter and every terminal that
 * runs `tinysnitchctl ask` show it, and the first complete answer counts.
 * An answer is the number of a line that was sent with the question, an
 * action and a duration: what becomes a rule was written here, not there.
 *
 * The time-out is kept here too.  Closing the window, losing the prompter,
 * a time-out: all are "deny once", no rule.
 */
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "ruled.h"

#define UPDATE_MS	250	/* between two updates of a shown question */
#define CHECK_S		2	/* is the asking socket still there? */
#define GRACE_S		2	/* for a prompter that died to be back */

static struct pending	*open_entry;
static uint32_t		 question;	/* the last number given */
static uint64_t		 deadline;	/* CLOCK_MONOTONIC, ns */
static struct msg_ask	 shown;
static struct link	*answered_by;
static uint32_t		 checked;	/* id of the packet who_check is of */
static uint64_t		 paused_until;	/* CLOCK_BOOTTIME, ns */
static bool		 prompter_here;
static uint32_t		 askers;	/* terminals */
static struct event	*next_event, *timeout_event, *update_event;
static struct event	*check_event, *grace_event;

static const struct timeval	update_after = { 0, UPDATE_MS * 1000 };
static const struct timeval	check_after = { CHECK_S, 0 };
static const struct timeval	grace = { GRACE_S, 0 };

static void	ask_next(int, short, void *);
static void	ask_timeout(int, short, void *);
static void	ask_update(int, short, void *);
static void	ask_check(int, short, void *);
static void	ask_grace(int, short, void *);

static void
timer_add(struct event *ev, const struct timeval *tv)
{
	if (event_add(ev, tv) == -1)
		fatal(NULL);
}

static struct event *
timer_new(event_callback_fn fn)
{
	struct event	*ev;

	if ((ev = event_new(ruled_base(), -1, 0, fn, NULL)) == NULL)
		fatal(NULL);
	return ev;
}

void
ask_init(void)
{
	next_event = timer_new(ask_next);
	timeout_event = timer_new(ask_timeout);
	update_event = timer_new(ask_update);
	check_event = timer_new(ask_check);
	grace_event = timer_new(ask_grace);
}

uint64_t
ask_paused(void)
{
	return paused_until > now_boot() ? paused_until : 0;
}

bool
ask_possible(void)
{
	if (ask_paused() != 0)
		return false;
	return prompter_here || askers > 0 ||
	    event_pending(grace_event, EV_TIMEOUT, NULL);
}

/* The lines: every rule that the toggles can reach. */

static void
line_add(struct msg_ask *m, uint8_t mask, const struct rule *r)
{
	char		text[RULE_TEXT_MAX];
	const char	*rest;
	size_t		size = sizeof(m->line[0].text);

	if (m->nlines == ASK_LINES_MAX ||
	    rule_print(r, text, sizeof(text)) == -1 ||
	    (rest = strchr(text, ' ')) == NULL)
		return;
	/* A line that does not fit is not offered: never a cut rule. */
	if (strlcpy(m->line[m->nlines].text, rest + 1, size) >= size)
		return;
	m->line[m->nlines++].mask = mask;
}

/* The same destination with each of port, program and user. */
static void
lines_add_variants(struct msg_ask *m, uint8_t mask, const struct rule *base,
    const struct whois *is, const char *user)
{
	uint8_t		extra[4] = { 0, ASK_EXE, ASK_UID, ASK_EXE | ASK_UID };
	struct rule	r;
	size_t		i;
	char		exe[EXE_MAX], name[64];

	(void)strlcpy(exe, is->exe, sizeof(exe));
	(void)strlcpy(name, user, sizeof(name));
	for (i = 0; i < sizeof(extra); i++) {
		if ((extra[i] & ASK_EXE) && exe[0] != '/')
			continue;
		if ((extra[i] & ASK_UID) && !is->has_uid)
			continue;
		r = *base;
		if (extra[i] & ASK_EXE)
			r.exe = exe;
		if (extra[i] & ASK_UID) {
			r.has_uid = true;
			r.uid = is->uid;
			if (passwd_name(store_passwd(), is->uid) != NULL)
				r.uid_name = name;
		}
		line_add(m, mask | extra[i], &r);
		if (r.port_any)
			continue;
		r.port_any = true;
		r.port_lo = 0;
		r.port_hi = PORT_MAX;
		line_add(m, mask | extra[i] | ASK_PORT, &r);
	}
}

static void
rule_host_of(const struct conn *c, struct rule *r, char *name, size_t size)
{
	if (c->name == NULL) {
		r->kind = DST_ADDR;
		r->prefix.addr = c->tuple.dst;
		r->prefix.len = (uint8_t)(addr_size(c->tuple.dst.af) * 8);
		return;
	}
	(void)strlcpy(name, c->name, size);
	r->kind = strcmp(name, "localhost") == 0 ? DST_LOCALHOST : DST_NAME;
	r->name = name;
}

/* The remote address alone, whatever it is called. */
static void
lines_add_address(struct msg_ask *m, const struct conn *c,
    const struct rule *base, const struct whois *is)
{
	const struct addr	*addr;
	struct prefix		*prefix;
	struct rule		 r = *base;

	if (c->dir == DIR_IN) {
		r.from = FROM_PREFIX;
		prefix = &r.from_prefix;
		addr = &c->tuple.src;
	} else if (r.kind == DST_NAME || r.kind == DST_DOMAIN) {
		r.kind = DST_ADDR;
		r.name = NULL;
		prefix = &r.prefix;
		addr = &c->tuple.dst;
	} else
		return;		/* it has no name */
	prefix->addr = *addr;
	prefix->len = (uint8_t)(addr_size(addr->af) * 8);
	lines_add_variants(m, ASK_ADDR, &r, is, m->user);
}

static void
lines_make(struct msg_ask *m, const struct conn *c, const struct whois *is)
{
	char		 name[HOST_NAME_MAX_DNS], *domain = NULL;
	struct rule	 r;
	bool		 ports;

	memset(&r, 0, sizeof(r));
	r.action = ACTION_ALLOW;
	r.dir = -1;
	r.proto = c->tuple.proto == IPPROTO_ICMPV6 ? IPPROTO_ICMP :
	    c->tuple.proto;
	ports = c->tuple.dport != 0;
	r.port_any = !ports;
	r.port_lo = r.port_hi = c->tuple.dport;
	if (!ports)
		r.port_hi = PORT_MAX;
	rule_host_of(c, &r, name, sizeof(name));
	/* `localhost` is what inbound has as destination, too. */
	if (c->dir != DIR_OUT || r.kind == DST_LOCALHOST)
		r.dir = (int)c->dir;
	lines_add_variants(m, 0, &r, is, m->user);
	if (r.kind == DST_NAME && (domain = rule_domain(name)) != NULL) {
		r.kind = DST_DOMAIN;
		r.name = domain;
		lines_add_variants(m, ASK_DOMAIN, &r, is, m->user);
	}
	lines_add_address(m, c, &r, is);
	if (c->dir != DIR_IN) {
		r.kind = DST_ANY;
		r.name = NULL;
		r.dir = (int)c->dir;
		lines_add_variants(m, ASK_ANYHOST, &r, is, m->user);
	}
	free(domain);
}

/* What the question shows. */

/*
 * A program's path as one word: one called "a < [1] /sbin/init" must not
 * forge the chain that it stands in.  Not with backslashes: who shows the
 * question escapes those.
 */
static void
put_word(char *dst, size_t size, const char *path)
{
	const unsigned char	*p = (const unsigned char *)path;
	size_t			 n = 0;

	dst[0] = '\0';
	for (; *p != '\0' && n + 4 < size; p++)
		if (*p > ' ' && *p < 0x7f && strchr("<[]%\\", *p) == NULL)
			n += (size_t)snprintf(dst + n, size - n, "%c", *p);
		else
			n += (size_t)snprintf(dst + n, size - n, "%%%02x",
			    *p);
}

static void
put_parents(struct msg_ask *m, const struct whois *is)
{
	char	exe[sizeof(is->parent[0].exe) * 3];
	size_t	i, off = 0;
	int	n;

	for (i = 0; i < is->nparents && off < sizeof(m->parents); i++) {
		put_word(exe, sizeof(exe), is->parent[i].exe);
		n = snprintf(m->parents + off, sizeof(m->parents) - off,
		    "%s[%u] %s", i > 0 ? " < " : "", is->parent[i].pid, exe);
		if (n < 0)
			break;
		off += (size_t)n;
	}
}

static void
put_args(struct msg_ask *m, const struct whois *is)
{
	size_t	len = is->args_len;

	m->args_cut = is->args_cut;
	if (len > sizeof(m->args)) {
		len = sizeof(m->args);
		m->args_cut = 1;
	}
	memcpy(m->args, is->args, len);
	if (len > 0)
		m->args[len - 1] = '\0';
	m->args_len = (uint16_t)len;
}

/* A path too long for the question loses its middle, never its end. */
static void
put_elided(char *dst, size_t size, const char *src)
{
	size_t	len = strlen(src), tail;

	if (len < size) {
		(void)strlcpy(dst, src, size);
		return;
	}
	tail = size / 2;
	(void)snprintf(dst, size, "%.*s...%s", (int)(size - tail - 5), src,
	    src + len - tail);
}

static void
put_program(struct msg_ask *m, const struct whois *is)
{
	char	number[16];

	m->parents[0] = m->user[0] = '\0';
	m->source = is->source;
	m->pid = is->pid;
	put_elided(m->exe, sizeof(m->exe), is->exe);
	put_args(m, is);
	put_elided(m->cwd, sizeof(m->cwd), is->cwd);
	(void)strlcpy(m->unit, is->unit, sizeof(m->unit));
	put_parents(m, is);
	if (is->has_uid)
		(void)strlcpy(m->user, store_user(is->uid, number),
		    sizeof(m->user));
}

static void
put_names(struct msg_ask *m, const struct conn *c)
{
	const char	*name[NAMES_OF_MAX];
	size_t		 i, n, total;

	n = judge_names(c, name, &total);
	m->shared = (uint32_t)total;
	if (n > 0)
		(void)strlcpy(m->name_source, "dns", sizeof(m->name_source));
	if (c->dir != DIR_IN && c->name != NULL)
		(void)strlcpy(m->name[m->nnames++], c->name,
		    sizeof(m->name[0]));
	for (i = 0; i < n && m->nnames < ASK_NAMES_MAX; i++)
		if (m->nnames == 0 || strcmp(name[i], m->name[0]) != 0)
			(void)strlcpy(m->name[m->nnames++], name[i],
			    sizeof(m->name[0]));
}

/*
 * What changes while it is shown.  The packet that opened the question may
 * have been withdrawn: then it is about the next one, of the same program to
 * the same destination, so that the lines stay as they are.
 */
static void
put_progress(struct msg_ask *m)
{
	struct conn	*c = TAILQ_FIRST(&open_entry->conns);
	uint64_t	 now = now_mono();

	m->tuple = c->tuple;
	put_program(m, c->who->is);
	m->age_ms = (now - open_entry->since) / 1000000;
	m->held = open_entry->count;
	m->more = (uint32_t)pending_entries() - 1;
	m->left_ms = deadline > now ? (uint32_t)((deadline - now) / 1000000) :
	    0;
}

static void
send_to(struct link *l, void *arg)
{
	uint8_t		buf[MSG_PAYLOAD_MAX];
	struct ibuf	b;

	(void)arg;
	ibuf_writer(&b, buf, sizeof(buf));
	msg_put_ask(&b, &shown);
	link_send_ibuf(l, MSG_ASK, -1, &b);
}

static void
end_to(struct link *l, void *arg)
{
	struct msg_ask_end	m = { question };
	uint8_t			buf[sizeof(m)];
	struct ibuf		b;

	(void)arg;
	if (l == answered_by)	/* it knows */
		return;
	ibuf_writer(&b, buf, sizeof(buf));
	msg_put_ask_end(&b, &m);
	link_send_ibuf(l, MSG_ASK_END, -1, &b);
}

static void
to_all(asker_fn *fn)
{
	struct link	*l = ruled_link(ROLE_PROMPTER);

	if (l != NULL && prompter_here)
		fn(l, NULL);
	control_askers(fn, NULL);
}

static void
ask_open(struct pending *p)
{
	struct conn	*c = TAILQ_FIRST(&p->conns);
	struct timeval	 tv = { config.ask_timeout, 0 };
	char		 text[3072];
	struct sbuf	 s;

	open_entry = p;
	question++;
	counters.questions++;
	deadline = now_mono() + config.ask_timeout * 1000000000ULL;
	memset(&shown, 0, sizeof(shown));
	shown.question = question;
	shown.direction = (uint8_t)c->dir;
	put_names(&shown, c);
	put_progress(&shown);
	lines_make(&shown, c, c->who->is);
	if (shown.nlines == 0 || shown.line[0].mask != 0) {
		/* No rule can say it: nothing to choose from. */
		pending_decide(p, (enum action)config.unanswered,
		    REASON_NOBODY, NULL);
		return;
	}
	sbuf_init(&s, text, sizeof(text));
	conn_text(&s, c);
	sbuf_str(&s, " | ");
	who_text(&s, c->who);
	line_info("ask %s", text);
	timer_add(timeout_event, &tv);
	timer_add(check_event, &check_after);
	to_all(send_to);
}

static void
ask_next(int fd, short what, void *arg)
{
	struct pending	*p;

	(void)fd;
	(void)what;
	(void)arg;
	if (open_entry == NULL && (prompter_here || askers > 0) &&
	    ask_paused() == 0 && (p = pending_first()) != NULL)
		ask_open(p);
}

void
ask_changed(void)
{
	if (open_entry == NULL)
		event_active(next_event, 0, 0);
	else if (!event_pending(update_event, EV_TIMEOUT, NULL))
		timer_add(update_event, &update_after);
}

static void
ask_update(int fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	if (open_entry == NULL)
		return;
	put_progress(&shown);
	to_all(send_to);
}

/* The question leaves every screen; the entry is judged by the caller. */
static void
ask_close(void)
{
	if (open_entry == NULL)
		return;
	to_all(end_to);
	answered_by = NULL;
	open_entry = NULL;
	(void)event_del(timeout_event);
	(void)event_del(update_event);
	(void)event_del(check_event);
	event_active(next_event, 0, 0);
}

void
ask_gone(struct pending *p)
{
	if (p == open_entry)
		ask_close();
	else
		ask_changed();
}

static void
ask_timeout(int fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	counters.timeouts++;
	/* Nobody is there for the rest of this program's either. */
	pending_decide_program(open_entry, REASON_TIMEOUT);
}

static void
check_done(enum sock_state state)
{
	struct conn	*c;

	if (open_entry == NULL)
		return;
	c = TAILQ_FIRST(&open_entry->conns);
	if (c->id != checked)	/* that one was judged meanwhile */
		return;
	if (state == SOCK_NONE) {
		judge_decide(c, (enum action)config.unanswered, REASON_CLOSED,
		    NULL);
		ask_changed();
	}
}

/*
 * A TCP connect that was given up leaves no socket.  A datagram may well
 * outlive its sender, so only TCP of this host is looked at.
 */
static void
ask_check(int fd, short what, void *arg)
{
	struct conn	*c = TAILQ_FIRST(&open_entry->conns);

	(void)fd;
	(void)what;
	(void)arg;
	if (c->dir == DIR_OUT && c->tuple.proto == IPPROTO_TCP) {
		checked = c->id;
		who_check(c, check_done);
	}
	timer_add(check_event, &check_after);
}

/* Nobody came back: what waits is judged without a person. */
static void
ask_grace(int fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	if (!prompter_here && askers == 0)
		pending_decide_all(REASON_NOBODY);
}

void
ask_asker(struct link *l, bool here)
{
	bool	terminal = link_peer(l) == ROLE_CTL;

	if (terminal)
		askers += here ? 1 : -1U;
	else
		prompter_here = here;
	if (here) {
		(void)event_del(grace_event);
		if (open_entry != NULL) {
			put_progress(&shown);
			send_to(l, NULL);
		}
		ask_changed();
		return;
	}
	if (prompter_here || askers > 0)
		return;
	timer_add(grace_event, &grace);
	if (open_entry != NULL)
		pending_decide(open_entry, (enum action)config.unanswered,
		    REASON_NOBODY, NULL);
}

void
ask_pause(uint64_t until)
{
	paused_until = until;
	if (until != 0)
		pending_decide_all(REASON_NOBODY);
	else
		ask_changed();
}

static void
answer_apply(const struct rule *rule, const struct msg_answer *m)
{
	uint32_t	seconds = duration_seconds(m->duration);

	counters.answers++;
	pending_decide_covered(open_entry, rule, REASON_ANSWER,
	    m->duration == DURATION_ONCE ? NULL : rule);
	/* What is left of the entry gets a question of its own. */
	ask_close();
	if (m->duration != DURATION_ONCE)
		change_add(rule, seconds, NULL, NULL);
}

int
ask_answer(struct link *l, struct imsg *im)
{
	char			 text[RULE_TEXT_MAX], err[RULE_ERR_MAX];
	struct msg_answer	 m;
	struct ibuf		 b;
	struct rule		 rule;
	int			 n;

	ibuf_reader(&b, im->data, im->len);
	if (msg_get_answer(&b, &m) == -1 || m.question > question)
		return -1;
	if (open_entry == NULL || m.question != question)
		return 0;	/* too late: it has ended meanwhile */
	if (m.line >= shown.nlines)
		return -1;
	n = snprintf(text, sizeof(text), "%s %s",
	    action_name((enum action)m.action), shown.line[m.line].text);
	if (n < 0 || (size_t)n >= sizeof(text) || rule_parse(text, (size_t)n,
	    store_passwd(), &rule, err, sizeof(err)) == -1) {
		line_error("answer \"%s\": %s", text, err);
		pending_decide(open_entry, (enum action)config.unanswered,
		    REASON_NOBODY, NULL);
		return 0;
	}
	answered_by = l;
	answer_apply(&rule, &m);
	answered_by = NULL;
	rule_clear(&rule);
	return 0;
}
