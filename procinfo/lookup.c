/*
 * SPDX-License-Identifier: ISC
 *
 * Who sent this packet?  One table of sources, tried in order.  Each either
 * answers or leaves the question to the next; when sources disagree or all
 * are silent the answer is "unknown".  Never a guess.
 */
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "events.h"
#include "log.h"
#include "procinfo.h"
#include "routes.h"

/* One question on its way through the table. */
struct question {
	const struct msg_who	*who;
	bool			 walk;	/* all of /proc may be looked at */
	bool			 asked_diag;
	bool			 diag_knows;
	struct diag_socket	 sock;
};

struct source {
	enum who_source	 name;
	/* true: this is the answer, filled in; no pid is one, too. */
	bool		(*find)(struct question *, struct whois *);
};

static bool	 find_kernel(struct question *, struct whois *);
static bool	 find_event(struct question *, struct whois *);
static bool	 find_tuple(struct question *, struct whois *);
static bool	 find_socket(struct question *, struct whois *);

static const struct source sources[] = {
	{ WHO_KERNEL,	find_kernel },
	{ WHO_EVENT,	find_event },
	{ WHO_TUPLE,	find_tuple },
	{ WHO_SOCKET,	find_socket },
};

static uint32_t	 family;		/* the pid of this daemon's parent */
static char	 own_dir[EXE_MAX];	/* where its programs are */
static size_t	 own_len;

static void
ask_diag(struct question *q)
{
	const struct msg_who	*who = q->who;

	if (q->asked_diag)
		return;
	q->asked_diag = true;
	if (who->hook == HOOK_FORWARD)
		return;
	q->diag_knows = diag_find(&who->tuple, who->hook == HOOK_IN,
	    (who->flags & PACKET_HAS_UID) != 0, who->uid, &q->sock) == 0;
	if (!q->diag_knows)	/* which is not to say that there is none */
		q->sock.state = SOCK_OTHER;
}

/*
 * A packet that leaves without a uid has no socket with a file, so none that
 * a process opened: the kernel made it (replies, tunnels, sockets of the
 * kernel's own).  That sock_diag shows one is no sign of the contrary: sockets
 * of the kernel have inodes, too, WireGuard's for one.
 */
static bool
find_kernel(struct question *q, struct whois *w)
{
	(void)w;
	return q->who->hook == HOOK_OUT &&
	    (q->who->flags & PACKET_HAS_UID) == 0;
}

/* netq, or another of this daemon's children. */
static bool
is_ours(const struct whois *w)
{
	const char	*slash = strrchr(w->exe, '/');

	return w->nparents > 0 && w->parent[0].pid == family &&
	    slash != NULL && (size_t)(slash - w->exe) == own_len &&
	    memcmp(w->exe, own_dir, own_len) == 0;
}

void
lookup_init(uint32_t parent)
{
	const char	*slash;
	int		 dir;

	family = parent;
	dir = procpid_open((uint32_t)getpid());
	if (dir == -1 || procpid_exe(dir, own_dir, sizeof(own_dir)) == -1 ||
	    (slash = strrchr(own_dir, '/')) == NULL)
		fatalx("cannot read what this process is");
	close(dir);
	own_len = (size_t)(slash - own_dir);
}

/*
 * The process of a thread that did something at that time; 0: not known.
 * Records of tracefs have no more than its number.
 */
static uint32_t
process_of(uint32_t thread, uint64_t when)
{
	struct pid_stat	 st;
	uint32_t	 pid;
	int		 dir;

	if (!events_by_thread())
		return thread;
	if ((pid = connector_process(thread, when)) != 0)
		return pid;
	if (ident_knows(thread))
		return thread;
	if ((dir = procpid_open(thread)) == -1)
		return 0;
	if (procpid_stat(dir, &st) == -1 || procpid_after(st.start, when) ||
	    procpid_process(dir, &pid) == -1)
		pid = 0;
	close(dir);
	return pid;
}

/*
 * The process in whose context the packet was queued.  Of interrupts, and of
 * netq, whose verdicts make the kernel go on with others' packets, that says
 * nothing.
 */
static bool
find_event(struct question *q, struct whois *w)
{
	const struct msg_who		*who = q->who;
	const struct order_event	*e;
	uint32_t			 pid;

	if (who->hook != HOOK_OUT || (who->flags & PACKET_HAS_UID) == 0)
		return false;
	e = events_find(who);
	if (e == NULL || e->kind != ORDER_PROCESS ||
	    (pid = process_of(e->pid, e->time)) == 0 ||
	    ident_fill(w, pid, e->time, &who->uid) == -1)
		return false;
	if (is_ours(w))
		return false;
	routes_taken(who, e->pid);
	return true;
}

/* Of forwarded packets the sender's socket is in another namespace. */
static bool
find_tuple(struct question *q, struct whois *w)
{
	uint64_t	 time;
	uint32_t	 pid;

	return q->who->hook == HOOK_FORWARD &&
	    routes_find(q->who, &pid, &time) == 0 &&
	    (pid = process_of(pid, time)) != 0 &&
	    ident_fill(w, pid, time, NULL) == 0;
}

/* The process that holds the socket, if all sockets that fit are its own. */
static bool
find_socket(struct question *q, struct whois *w)
{
	const struct diag_socket	*sock = &q->sock;
	const struct msg_who		*who = q->who;
	struct owner			 o, first = { 0, 0 };
	size_t				 i;

	ask_diag(q);
	if (!q->diag_knows || sock->ninodes == 0 || sock->more)
		return false;
	if (who->hook == HOOK_OUT && ((who->flags & PACKET_HAS_UID) == 0 ||
	    who->uid != sock->uid))
		return false;
	for (i = 0; i < sock->ninodes; i++) {
		if (sockown_find(sock->inode[i], sock->uid,
		    who->hook == HOOK_OUT, q->walk, &o) == -1)
			return false;
		if (i == 0)
			first = o;
		else if (o.pid != first.pid || o.start != first.start)
			return false;
	}
	ident_check(first.pid);
	return ident_fill(w, first.pid, who->time, NULL) == 0 &&
	    w->start == first.start;
}

static void
set_uid(const struct question *q, struct whois *w)
{
	if ((q->who->flags & PACKET_HAS_UID) != 0) {
		w->has_uid = 1;
		w->uid = q->who->uid;
	} else if (w->source != WHO_KERNEL && q->sock.ninodes > 0 &&
	    !q->sock.more) {
		w->has_uid = 1;
		w->uid = q->sock.uid;
	}
}

/* Of the long fields, ten kilobytes, only what says that they are empty. */
static void
whois_clear(struct whois *w, const struct msg_who *who)
{
	memset(w, 0, offsetof(struct whois, exe));
	w->exe[0] = w->cwd[0] = w->unit[0] = '\0';
	w->args_len = 0;
	w->args_cut = w->nparents = 0;
	w->number = who->number;
	w->source = WHO_UNKNOWN;
}

static void
identify(struct question *q, struct whois *w)
{
	size_t	 i;

	for (i = 0; i < sizeof(sources) / sizeof(sources[0]); i++) {
		if (sources[i].find(q, w)) {
			w->source = sources[i].name;
			return;
		}
		whois_clear(w, q->who);
	}
}

bool
lookup_waits(const struct msg_who *who)
{
	return who->hook == HOOK_OUT && (who->flags & PACKET_HAS_UID) != 0 &&
	    (who->number & WHO_SOCKET_ONLY) == 0 && events_doubtful(who);
}

void
lookup(const struct msg_who *who, bool walk, bool urgent, struct whois *w)
{
	struct question	 q;

	memset(&q, 0, sizeof(q));
	q.who = who;
	q.walk = walk;
	whois_clear(w, who);
	if ((who->number & WHO_SOCKET_ONLY) == 0)
		identify(&q, w);
	/* For the log alone, and known: the socket's state is not needed. */
	if (urgent || w->source != WHO_EVENT)
		ask_diag(&q);
	w->socket = q.asked_diag ? q.sock.state : SOCK_OTHER;
	set_uid(&q, w);
}
