/*
 * SPDX-License-Identifier: ISC
 *
 * The children: their links, start, watch and restart.  A child may be taken
 * over: it is believed nothing but what the gate lets through, and whatever
 * ends or stops it, a fresh one takes its place at once (spare.c).
 */
#include <sys/types.h>

#include <errno.h>
#include <fcntl.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "events.h"
#include "loop.h"
#include "parent.h"
#include "sandbox.h"

#define DEATHS_MAX	6	/* in RATE_MS: the last one is one too many */
#define READY_SECONDS	20	/* a child that needs longer hangs */
#define LAST_WORDS_SECONDS 1
#define RECORD_SECONDS	1	/* for the kernel's record of a violation */

struct child {
	enum role	 role;
	pid_t		 pid;		/* 0: does not run */
	struct link	*link;
	struct event	*late;		/* READY_SECONDS are over */
	struct rate	 deaths;
	bool		 ready;
	bool		 started_before;
	bool		 expected;	/* its end is our doing: no death */
	pid_t		 dead_pid;	/* the prompter's; not yet logged */
	bool		 reaped;	/* dead; its last words are being read */
	int64_t		 died_us;	/* 0: it was not restarted */
	int		 status;
	char		 why[320];	/* killed by us: the reason */
	char		 missing[256];	/* layers of its sandbox */
	uint32_t	 restarts, violations;	/* since we started */
	char		 last_denied[64];	/* system call */
	/* What the filter killed it for, told by procinfo; or its line waits. */
	struct msg_denied denied;
	pid_t		 unnamed_pid;
	int		 unnamed_nth;
	struct event	*unnamed_late;
};

static struct child	children[ROLE_MAX];
static int		prompter_x = -1;	/* for the next start only */
static struct display	prompter_display;
static void		(*on_ready)(enum role);
static void		(*on_table)(void);
static void		(*on_no_prompter)(bool);

static void		 child_start(struct child *, int);
static void		 child_ended(struct child *);
static void		 child_died(struct child *, pid_t, int);
static void		 describe_death(struct child *, int, char *, size_t);
static void		 denied_log(struct child *);

void
proc_on_ready(void (*f)(enum role))
{
	on_ready = f;
}

void
proc_on_table(void (*f)(void))
{
	on_table = f;
}

void
proc_on_no_prompter(void (*f)(bool))
{
	on_no_prompter = f;
}

/* Only these share a socket, beside each with the parent. */
static const enum role peers[][2] = {
	{ ROLE_NETQ, ROLE_RULED },
	{ ROLE_PROCINFO, ROLE_RULED },
	{ ROLE_PROMPTER, ROLE_RULED },
};

/* Where role finds its link to peer. */
static int
peer_fd(enum role role, enum role peer)
{
	switch (role) {
	case ROLE_NETQ:
		return FD_NETQ_RULED;
	case ROLE_PROCINFO:
		return FD_PROC_RULED;
	case ROLE_PROMPTER:
		return FD_PROMPT_RULED;
	case ROLE_RULED:
		return peer == ROLE_NETQ ? FD_RULED_NETQ :
		    peer == ROLE_PROCINFO ? FD_RULED_PROC : FD_RULED_PROMPTER;
	default:
		fatalx("%s: %s", __func__, role_name(role));
	}
}

static void
child_kill(struct child *c, const char *why)
{
	if (c->pid == 0 || c->reaped)
		return;
	if (c->why[0] == '\0')
		(void)strlcpy(c->why, why, sizeof(c->why));
	if (kill(c->pid, SIGKILL) == -1 && errno != ESRCH)
		fatal("kill %s", role_name(c->role));
}

static void
child_late(int fd, short what, void *arg)
{
	struct child	*c = arg;

	(void)fd;
	(void)what;
	if (c->reaped)
		child_ended(c);
	else
		child_kill(c, c->link == NULL ?
		    "closed its link" : "was not ready in time");
}

static void
child_timer(struct child *c, time_t seconds)
{
	struct timeval	tv = { seconds, 0 };

	if (c->late == NULL &&
	    (c->late = evtimer_new(env.base, child_late, c)) == NULL)
		fatal(NULL);
	if (evtimer_add(c->late, &tv) == -1)
		fatal(NULL);
}

/* Messages. */

/* For whoever asks for the status. */
static void
tell_ruled(const struct child *c)
{
	struct msg_child	m;
	struct link		*ruled = children[ROLE_RULED].link;
	struct ibuf		b;
	uint8_t			buf[sizeof(m) + 8];

	if (ruled == NULL)
		return;
	memset(&m, 0, sizeof(m));
	m.role = (uint8_t)c->role;
	m.restarts = c->restarts;
	m.violations = c->violations;
	(void)strlcpy(m.denied, c->last_denied, sizeof(m.denied));
	(void)strlcpy(m.missing, c->role == ROLE_PARENT ? sandbox_missing() :
	    c->missing, sizeof(m.missing));
	ibuf_writer(&b, buf, sizeof(buf));
	msg_put_child(&b, &m);
	link_send_ibuf(ruled, MSG_CHILD, -1, &b);
}

static int64_t
now_us(void)
{
	struct timespec	ts;

	if (clock_gettime(CLOCK_MONOTONIC, &ts) == -1)
		fatal("clock_gettime");
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

static int
handle_ready(struct child *c, struct imsg *m)
{
	struct ibuf		b;
	struct msg_ready	r;

	ibuf_reader(&b, m->data, m->len);
	if (msg_get_ready(&b, &r) == -1)
		return -1;
	c->ready = true;
	(void)event_del(c->late);
	if (c->died_us == 0)
		log_debug("%s[%d] is ready", role_name(c->role), (int)c->pid);
	else
		log_info("%s[%d]: back after %.1f ms", role_name(c->role),
		    (int)c->pid, (double)(now_us() - c->died_us) / 1000);
	c->died_us = 0;
	/* Once for each role: the kernel does not change while we run. */
	if (strcmp(c->missing, r.missing) != 0)
		log_warnx("%s: its sandbox lacks: %s", role_name(c->role),
		    r.missing);
	(void)strlcpy(c->missing, r.missing, sizeof(c->missing));
	tell_ruled(c);
	if (!parent_stopping())
		spare_renew();
	if (on_ready != NULL)
		on_ready(c->role);
	return 0;
}

static int
handle_log(struct child *c, struct imsg *m)
{
	struct ibuf	b;
	struct msg_log	l;

	ibuf_reader(&b, m->data, m->len);
	if (msg_get_log(&b, &l) == -1)
		return -1;
	if (l.form != 0 && c->role != ROLE_RULED)
		return -1;
	logsink_child(c->role, &l);
	return 0;
}

/* Somebody found what its peer said wrong: the sender pays, not the seer. */
static int
handle_bad(struct child *c, struct imsg *m)
{
	struct ibuf	b;
	struct msg_bad	bad;
	const char	*name;
	char		why[320], reason[4 * sizeof(bad.reason)];

	ibuf_reader(&b, m->data, m->len);
	if (msg_get_bad(&b, &bad) == -1)
		return -1;
	if (bad.peer == ROLE_PARENT || bad.peer >= ROLE_CTL ||
	    (c->role == ROLE_RULED) == (bad.peer == ROLE_RULED))
		return -1;
	(void)log_escape(reason, sizeof(reason), bad.reason,
	    strlen(bad.reason));
	/* What the gate refused is named already. */
	name = msg_name(bad.type);
	if (strncmp(reason, name, strlen(name)) == 0)
		name = NULL;
	(void)snprintf(why, sizeof(why), "broke the rules, says %s: %s%s%.200s",
	    role_name(c->role), name == NULL ? "" : name,
	    name == NULL ? "" : ": ", reason);
	child_kill(&children[bad.peer], why);
	return 0;
}

static int
handle_table(struct child *c, struct imsg *m)
{
	(void)c;
	(void)m;
	if (on_table != NULL)
		on_table();
	return 0;
}

static int
handle_lost(struct child *c, struct imsg *m)
{
	struct ibuf	b;
	struct msg_lost	l;

	(void)c;
	ibuf_reader(&b, m->data, m->len);
	if (msg_get_lost(&b, &l) == -1)
		return -1;
	log_debug("procinfo wants its events anew (%d)", l.why);
	stub_order(STUB_EVENTS);
	return 0;
}

/* procinfo may lie: but only about a child that its filter did kill. */
static int
handle_denied(struct child *c, struct imsg *m)
{
	struct ibuf		b;
	struct msg_denied	d;
	int			i;

	(void)c;
	ibuf_reader(&b, m->data, m->len);
	if (msg_get_denied(&b, &d) == -1)
		return -1;
	for (i = 0; i < ROLE_MAX; i++) {
		c = &children[i];
		if (c->pid != 0 && d.pid == (uint32_t)c->pid)
			c->denied = d;
		else if (c->unnamed_pid != 0 &&
		    d.pid == (uint32_t)c->unnamed_pid) {
			c->denied = d;
			denied_log(c);
		}
	}
	return 0;
}

static int
handle_open(struct child *c, struct imsg *m)
{
	return files_open(c->link, m);
}

static int
handle_commit(struct child *c, struct imsg *m)
{
	return files_commit(c->link, m);
}

static void
child_dispatch(struct link *l, struct imsg *m, void *arg)
{
	static int (*const handlers[MSG_TYPE_MAX])(struct child *,
	    struct imsg *) = {
		[MSG_READY] = handle_ready,
		[MSG_LOG] = handle_log,
		[MSG_BAD] = handle_bad,
		[MSG_TABLE] = handle_table,
		[MSG_LOST] = handle_lost,
		[MSG_DENIED] = handle_denied,
		[MSG_OPEN] = handle_open,
		[MSG_COMMIT] = handle_commit,
	};

	/* The gate let it pass, so its type is one of these. */
	if (handlers[m->type](arg, m) == -1)
		link_offence(l, "%s: bad payload", msg_name(m->type));
}

static void
child_gone(struct link *l, const char *reason, void *arg)
{
	struct child	*c = arg;
	char		 why[320];

	if (c->link != l)
		return;
	c->link = NULL;
	link_free(l);
	if (c->reaped)
		child_ended(c);
	else if (reason != NULL) {
		(void)snprintf(why, sizeof(why), "broke the rules: %s",
		    reason);
		child_kill(c, why);
	} else if (!parent_stopping())
		child_timer(c, LAST_WORDS_SECONDS);
}

/* Starting. */

static void
fill_start(struct msg_start *s, struct child *c, const int fds[FD_CHILD_MAX])
{
	const struct conf	*cf = &env.conf;
	bool			 prompter = c->role == ROLE_PROMPTER;
	int			 i;

	memset(s, 0, sizeof(*s));
	s->uid = prompter ? env.ask_uid : env.uid;
	s->gid = prompter ? env.ask_gid : env.gid;
	for (i = FD_PARENT; i < FD_CHILD_MAX; i++)
		if (fds[i] != -1)
			s->fds |= 1U << i;
	s->restarted = c->started_before;
	s->verbose = env.verbose != 0;
	s->queue = cf->queue;
	s->form = (uint8_t)env.form;
	s->deny_mark = cf->deny_mark;
	s->judged_mark = env.form == FW_IPTABLES ? JUDGED_MARK : 0;
	s->unanswered = (uint8_t)cf->unanswered;
	s->loopback_filter = cf->loopback_filter;
	s->frames_warn = cf->frames == FRAMES_WARN;
	s->ask_timeout = cf->ask_timeout;
	s->ask_delay = cf->ask_delay;
	s->ask_synthetic = cf->ask_synthetic;
	s->log_forms = logsink_forms();
	s->resolver_auto = cf->resolver_auto;
	s->nresolver = cf->nresolver;
	memcpy(s->resolver, cf->resolver, sizeof(s->resolver));
	(void)strlcpy(s->rules, cf->rules, sizeof(s->rules));
	(void)strlcpy(s->names, cf->names, sizeof(s->names));
	(void)strlcpy(s->font, cf->font, sizeof(s->font));
	s->font_size = cf->font_size;
	s->theme = (uint8_t)cf->theme;
	if (!prompter)
		return;
	(void)strlcpy(s->xauth_name, prompter_display.xauth_name,
	    sizeof(s->xauth_name));
	s->xauth_len = prompter_display.xauth_len;
	memcpy(s->xauth, prompter_display.xauth, sizeof(s->xauth));
	s->xscreen = prompter_display.screen;
}

static void
send_start(struct child *c, const int fds[FD_CHILD_MAX])
{
	struct msg_start	s;
	struct ibuf		b;
	uint8_t			buf[MSG_PAYLOAD_MAX];

	fill_start(&s, c, fds);
	ibuf_writer(&b, buf, sizeof(buf));
	msg_put_start(&b, &s);
	link_send_ibuf(c->link, MSG_START, -1, &b);
	explicit_bzero(&s, sizeof(s));
	explicit_bzero(buf, sizeof(buf));
}

/* What a child finds beside its links, by its number there. */
static void
fill_fds(enum role role, int fds[FD_CHILD_MAX])
{
	const struct shared_fds	*f = &env.fds;

	fds[FD_ROOT] = role == ROLE_PROCINFO ? f->root_proc : f->root;
	switch (role) {
	case ROLE_NETQ:
		fds[FD_NETQ_QUEUE] = f->queue;
		fds[FD_NETQ_TABLES] = f->tables;
		break;
	case ROLE_PROCINFO:
		fds[FD_PROC_DIAG] = f->diag;
		fds[FD_PROC_ROUTE] = f->route;
		fds[FD_PROC_CONNECTOR] = f->connector;
		fds[FD_PROC_AUDIT] = f->audit;
		fds[FD_PROC_HOST] = f->host;
		fds[FD_PROC_CPUS] = f->cpus;
		break;
	case ROLE_RULED:
		fds[FD_RULED_CONTROL] = f->control;
		fds[FD_RULED_WATCH] = f->watch;
		fds[FD_RULED_COUNTERS] = f->counters;
		break;
	case ROLE_PROMPTER:
		fds[FD_PROMPT_X] = prompter_x;
		break;
	default:
		fatalx("%s: %s", __func__, role_name(role));
	}
}

static void
send_peer(struct child *to, enum role about, int fd)
{
	struct msg_peer	m = { .peer = (uint8_t)about };
	struct ibuf	b;
	uint8_t		buf[8];

	ibuf_writer(&b, buf, sizeof(buf));
	msg_put_peer(&b, &m);
	link_send_ibuf(to->link, MSG_PEER, fd, &b);
}

/*
 * A fresh link to each peer.  One that runs gets its end by message, one
 * that does not will get it when it starts, from the array.
 */
static void
link_peers(struct child *c, int fds[FD_CHILD_MAX],
    int later[ROLE_MAX][FD_CHILD_MAX])
{
	struct child	*peer;
	enum role	 other;
	size_t		 i;
	int		 ends[2];

	for (i = 0; i < sizeof(peers) / sizeof(peers[0]); i++) {
		if (peers[i][0] == c->role)
			other = peers[i][1];
		else if (peers[i][1] == c->role)
			other = peers[i][0];
		else
			continue;
		if (fds[peer_fd(c->role, other)] != -1)
			continue;	/* made when the peer started */
		peer = &children[other];
		if (later == NULL && (peer->pid == 0 || peer->link == NULL))
			continue;
		if (link_pair(ends) == -1)
			fatal("socketpair");
		fds[peer_fd(c->role, other)] = ends[0];
		if (later != NULL)
			later[other][peer_fd(other, c->role)] = ends[1];
		else
			send_peer(peer, c->role, ends[1]);
	}
}

static void
tell_new_ruled(void)
{
	int	i;

	files_send_all(children[ROLE_RULED].link);
	for (i = ROLE_PARENT; i <= ROLE_PROMPTER; i++)
		tell_ruled(&children[i]);
}

/* Its links go with it; those that others share are duplicated. */
static void
send_fds(struct child *c, const int fds[FD_CHILD_MAX], const bool own[])
{
	struct msg_fd	m;
	struct ibuf	b;
	uint8_t		buf[8];
	int		i, fd;

	for (i = FD_PARENT + 1; i < FD_CHILD_MAX; i++) {
		if ((fd = fds[i]) == -1)
			continue;
		if (!own[i] && (fd = fcntl(fd, F_DUPFD_CLOEXEC, 0)) == -1)
			fatal("descriptors for %s", role_name(c->role));
		m.number = (uint8_t)i;
		ibuf_writer(&b, buf, sizeof(buf));
		msg_put_fd(&b, &m);
		link_send_ibuf(c->link, MSG_FD, fd, &b);
	}
}

/* Tells a process what to be.  Its links to peers are in fds already. */
static void
child_begin(struct child *c, int fds[FD_CHILD_MAX])
{
	bool	own[FD_CHILD_MAX];
	int	i, fd;

	for (i = 0; i < FD_CHILD_MAX; i++)
		own[i] = fds[i] != -1;
	fill_fds(c->role, fds);
	if ((c->pid = spare_take(c->role, &fd)) == -1)
		fatal("a process for %s", role_name(c->role));
	c->ready = c->expected = c->reaped = false;
	c->why[0] = '\0';
	c->link = link_new(env.base, fd, ROLE_PARENT, c->role,
	    child_dispatch, child_gone, c);
	send_fds(c, fds, own);
	send_start(c, fds);
	c->started_before = true;
	child_timer(c, READY_SECONDS);
	if (c->role == ROLE_RULED)
		tell_new_ruled();
	else if (c->role == ROLE_PROCINFO)
		events_send(c->link);
}

static void
no_fds(int fds[FD_CHILD_MAX])
{
	int	i;

	for (i = 0; i < FD_CHILD_MAX; i++)
		fds[i] = -1;
}

/* Restarts one; x is the prompter's X connection, else -1. */
static void
child_start(struct child *c, int x)
{
	int	fds[FD_CHILD_MAX];

	no_fds(fds);
	prompter_x = x;
	link_peers(c, fds, NULL);
	child_begin(c, fds);
	if (x != -1)
		(void)close(x);	/* never kept: its window would stay */
	prompter_x = -1;
	if (c->role == ROLE_PROMPTER)
		explicit_bzero(&prompter_display, sizeof(prompter_display));
}

void
proc_start_all(void)
{
	static const enum role	order[] = { ROLE_RULED, ROLE_NETQ,
	    ROLE_PROCINFO };
	int			fds[ROLE_MAX][FD_CHILD_MAX], i;
	size_t			n;

	for (i = 0; i < ROLE_MAX; i++) {
		children[i].role = (enum role)i;
		no_fds(fds[i]);
	}
	link_peers(&children[ROLE_NETQ], fds[ROLE_NETQ], fds);
	link_peers(&children[ROLE_PROCINFO], fds[ROLE_PROCINFO], fds);
	for (n = 0; n < sizeof(order) / sizeof(order[0]); n++)
		child_begin(&children[order[n]], fds[order[n]]);
}

bool
proc_all_ready(void)
{
	int	i;

	for (i = 0; i < ROLE_MAX; i++)
		if (children[i].pid != 0 && !children[i].ready)
			return false;
	return true;
}

struct link *
proc_link(enum role role)
{
	return children[role].link;
}

void
proc_send_events(void)
{
	if (children[ROLE_PROCINFO].link != NULL)
		events_send(children[ROLE_PROCINFO].link);
}

/* The prompter, which exists only while there is a display. */

bool
proc_prompter_runs(void)
{
	return children[ROLE_PROMPTER].pid != 0;
}

void
proc_start_prompter(int x, const struct display *d)
{
	struct child	*c = &children[ROLE_PROMPTER];

	prompter_display = *d;
	if (c->dead_pid != 0)
		child_died(c, c->dead_pid, c->status);
	c->dead_pid = 0;
	child_start(c, x);
}

/* There is no display: whatever ended the prompter, it was not its fault. */
void
proc_no_display(const char *why)
{
	struct child	*c = &children[ROLE_PROMPTER];
	char		 what[512];

	if (c->dead_pid != 0) {
		describe_death(c, c->status, what, sizeof(what));
		log_info("%s[%d]: %s", role_name(c->role), (int)c->dead_pid,
		    what);
	}
	c->dead_pid = 0;
	c->died_us = 0;
	log_info("no questions: %s", why);
}

void
proc_stop_prompter(const char *why)
{
	struct child	*c = &children[ROLE_PROMPTER];

	if (c->pid == 0)
		return;
	c->expected = true;
	child_kill(c, why);
}

/* Ending. */

static const char *
ordinal(int n)
{
	static const char *const	text[] = { "0th", "1st", "2nd", "3rd",
	    "4th", "5th", "6th" };

	return text[n >= 0 && n <= DEATHS_MAX ? n : DEATHS_MAX];
}

static void
describe_death(struct child *c, int status, char *buf, size_t size)
{
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS)
		(void)snprintf(buf, size,
		    "seccomp: denied a system call, killed");
	else if (c->why[0] != '\0')
		(void)snprintf(buf, size, "%s, killed", c->why);
	else if (WIFSIGNALED(status))
		(void)snprintf(buf, size, "killed by signal %d (%s)",
		    WTERMSIG(status), strsignal(WTERMSIG(status)));
	else if (WEXITSTATUS(status) == 127)
		(void)snprintf(buf, size, "cannot be executed");
	else if (WEXITSTATUS(status) == LOOP_ASTRAY)
		(void)snprintf(buf, size, "went astray: more than %d s of "
		    "processor time at one thing", LOOP_CPU);
	else
		(void)snprintf(buf, size, "ended with status %d",
		    WEXITSTATUS(status));
}

/*
 * A prompter that ended by itself, or never got ready, has lost its display
 * or met one that will not have it: no fault of its own, and tried again more
 * and more rarely.
 */
static void
prompter_failed(struct child *c, pid_t pid)
{
	char	what[512];

	describe_death(c, c->status, what, sizeof(what));
	c->died_us = 0;
	log_warnx("%s[%d]: %s; no questions on that display for now",
	    role_name(c->role), (int)pid, what);
}

/* The line of a violation, with the name of the call if that is known. */
static void
denied_log(struct child *c)
{
	char	*name = NULL, number[32] = "a system call";

	if (c->denied.pid == (uint32_t)c->unnamed_pid) {
		(void)snprintf(number, sizeof(number), "system call %u",
		    c->denied.number);
		if (c->denied.number <= INT_MAX)
			name = seccomp_syscall_resolve_num_arch(
			    c->denied.arch, (int)c->denied.number);
	}
	log_warnx("%s[%d]: seccomp: denied %s, killed; restarted (%s in %d s)",
	    role_name(c->role), (int)c->unnamed_pid,
	    name != NULL ? name : number, ordinal(c->unnamed_nth),
	    RATE_MS / 1000);
	(void)strlcpy(c->last_denied, name != NULL ? name : number,
	    sizeof(c->last_denied));
	free(name);
	tell_ruled(c);
	c->unnamed_pid = 0;
	memset(&c->denied, 0, sizeof(c->denied));
	if (c->unnamed_late != NULL)
		(void)event_del(c->unnamed_late);
}

static void
denied_late(int fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	denied_log(arg);
}

/* The kernel's record comes a moment later, and may not come at all. */
static void
child_violated(struct child *c, pid_t pid, int n)
{
	struct timeval	tv = { RECORD_SECONDS, 0 };

	if (c->unnamed_pid != 0)
		denied_log(c);	/* another one already */
	c->unnamed_pid = pid;
	c->unnamed_nth = n;
	if (c->denied.pid == (uint32_t)pid) {
		denied_log(c);
		return;
	}
	if (c->unnamed_late == NULL && (c->unnamed_late =
	    evtimer_new(env.base, denied_late, c)) == NULL)
		fatal(NULL);
	if (evtimer_add(c->unnamed_late, &tv) == -1)
		fatal(NULL);
}

/* Logs the death; a daemon whose child dies again and again is no guard. */
static void
child_died(struct child *c, pid_t pid, int status)
{
	char	what[512];
	int	n;

	describe_death(c, status, what, sizeof(what));
	c->restarts++;
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS)
		c->violations++;
	if ((n = rate_count(&c->deaths)) >= DEATHS_MAX)
		fatalx("%s[%d]: %s; %s death in %d s, giving up, the kernel "
		    "rules stay as \"after crash\" says", role_name(c->role),
		    (int)pid, what, ordinal(n), RATE_MS / 1000);
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS) {
		child_violated(c, pid, n);
		return;
	}
	log_warnx("%s[%d]: %s; restarted (%s in %d s)", role_name(c->role),
	    (int)pid, what, ordinal(n), RATE_MS / 1000);
}

/* Reaped, and what it had said is read. */
static void
child_ended(struct child *c)
{
	pid_t	pid = c->pid;
	bool	was_ready = c->ready, at_once;

	/* Having lost its server it ends by itself: let that go first. */
	at_once = was_ready && !(WIFEXITED(c->status) && !c->expected);
	c->pid = 0;
	c->ready = c->reaped = false;
	(void)event_del(c->late);
	link_free(c->link);
	c->link = NULL;
	if (parent_stopping() || c->expected)
		log_debug("%s[%d] ended", role_name(c->role), (int)pid);
	else if (c->role != ROLE_PROMPTER)
		child_died(c, pid, c->status);
	else if (at_once)
		c->dead_pid = pid;	/* with a display it is a death */
	else
		prompter_failed(c, pid);
	if (parent_stopping())
		parent_stop_next();
	else if (c->role != ROLE_PROMPTER)
		child_start(c, -1);
	else if (on_no_prompter != NULL)
		on_no_prompter(at_once);
}

/* The end of file on its link may still be to come, after its last words. */
static void
child_reaped(struct child *c, int status)
{
	c->status = status;
	c->reaped = true;
	c->died_us = c->expected ? 0 : now_us();
	if (c->link == NULL)
		child_ended(c);
	else
		child_timer(c, LAST_WORDS_SECONDS);
}

bool
proc_changed(pid_t pid, int status)
{
	struct child	*c;
	int		 i;

	for (i = 0; i < ROLE_MAX; i++) {
		c = &children[i];
		if (c->pid != pid)
			continue;
		if (WIFSTOPPED(status))
			child_kill(c, "was stopped");
		else if (WIFEXITED(status) || WIFSIGNALED(status))
			child_reaped(c, status);
		return true;
	}
	return spare_changed(pid, status);
}

void
proc_close_all(void)
{
	int	i;

	for (i = 0; i < ROLE_MAX; i++) {
		link_free(children[i].link);
		children[i].link = NULL;
	}
	spare_close_all();
}

int
proc_count(void)
{
	int	i, n = spare_count();

	for (i = 0; i < ROLE_MAX; i++)
		n += children[i].pid != 0;
	return n;
}

void
proc_kill_all(void)
{
	int	i;

	for (i = 0; i < ROLE_MAX; i++)
		if (children[i].pid != 0)
			(void)kill(children[i].pid, SIGKILL);
	spare_kill_all();
}
