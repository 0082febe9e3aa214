/*
 * SPDX-License-Identifier: ISC
 *
 * What a process was when it sent, told by the kernel as it happens (proc
 * connector): each execve is read at once, a fork shares its parent's image,
 * and the image before the last execve is kept.  So a program that sends and
 * exits, or sends and becomes another, is still named as what it was.
 *
 * An image read too late is worse than none: whatever was read after a later
 * execve than the one it was read for is thrown away.
 */
#include <sys/socket.h>

#include <dirent.h>
#include <errno.h>
#include <event2/event.h>
#include <linux/cn_proc.h>
#include <linux/connector.h>
#include <linux/netlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/tree.h>
#include <time.h>
#include <unistd.h>

#include "log.h"
#include "procinfo.h"

#define TURN_READS	4096	/* datagrams, one event each, per loop turn */
#define SCAN_STEP	16	/* processes read per loop turn, at start */
#define TICK_NS		(10 * 1000 * 1000)	/* of start times: USER_HZ */

/* What runs in a process between two execves; shared with its forks. */
struct image {
	unsigned int	 refs;
	struct pid_uids	 uids;
	uint16_t	 args_len;
	uint8_t		 args_cut;
	size_t		 cwd, unit, args;	/* where they begin in text */
	char		 text[];	/* exe first */
};

struct proc {
	RB_ENTRY(proc)	 tree;
	TAILQ_ENTRY(proc) entry;
	uint32_t	 pid;
	uint32_t	 ppid;
	uint64_t	 start;		/* 0: not known yet */
	struct image	*now;		/* NULL: not known */
	struct image	*before;
	uint64_t	 since;		/* now, ns; 0: before we looked */
	uint64_t	 before_since;
	uint64_t	 read;		/* when now was read */
	uint64_t	 born;		/* of its fork; 0: before we looked */
	bool		 dead;
};

TAILQ_HEAD(proc_queue, proc);

static int	 proc_cmp(struct proc *, struct proc *);
RB_HEAD(proc_tree, proc);
RB_PROTOTYPE(proc_tree, proc, tree, proc_cmp)

static struct proc_tree		 procs = RB_INITIALIZER(&procs);
/* The least needed first. */
static struct proc_queue	 living = TAILQ_HEAD_INITIALIZER(living);
static struct proc_queue	 dead = TAILQ_HEAD_INITIALIZER(dead);
static size_t			 nprocs;
static int			 conn_fd = -1;
static struct event		*conn_ev, *scan_ev;
static DIR			*scan_dir;
static uint64_t			 heard;	/* of all that happened before */

static int
proc_cmp(struct proc *a, struct proc *b)
{
	return (a->pid > b->pid) - (a->pid < b->pid);
}

RB_GENERATE(proc_tree, proc, tree, proc_cmp)

static void
image_drop(struct image **i)
{
	if (*i != NULL && --(*i)->refs == 0)
		free(*i);
	*i = NULL;
}

static struct image *
image_new(const struct whois *w, const struct pid_uids *uids)
{
	size_t		 exe = strlen(w->exe) + 1, cwd = strlen(w->cwd) + 1;
	size_t		 unit = strlen(w->unit) + 1;
	struct image	*i;

	i = calloc(1, sizeof(*i) + exe + cwd + unit + w->args_len);
	if (i == NULL)
		fatal(NULL);
	i->refs = 1;
	i->uids = *uids;
	i->args_len = w->args_len;
	i->args_cut = w->args_cut;
	i->cwd = exe;
	i->unit = exe + cwd;
	i->args = exe + cwd + unit;
	memcpy(i->text, w->exe, exe);
	memcpy(i->text + i->cwd, w->cwd, cwd);
	memcpy(i->text + i->unit, w->unit, unit);
	memcpy(i->text + i->args, w->args, w->args_len);
	return i;
}

static struct proc *
proc_find(uint32_t pid)
{
	struct proc	 key;

	key.pid = pid;
	return RB_FIND(proc_tree, &procs, &key);
}

static void
proc_free(struct proc *p)
{
	RB_REMOVE(proc_tree, &procs, p);
	TAILQ_REMOVE(p->dead ? &dead : &living, p, entry);
	nprocs--;
	image_drop(&p->now);
	image_drop(&p->before);
	free(p);
}

static struct proc *
proc_new(uint32_t pid)
{
	struct proc	*p;

	if (nprocs >= PROCS_MAX) {
		p = TAILQ_FIRST(&dead);
		proc_free(p != NULL ? p : TAILQ_FIRST(&living));
	}
	if ((p = calloc(1, sizeof(*p))) == NULL)
		fatal(NULL);
	p->pid = pid;
	RB_INSERT(proc_tree, &procs, p);
	TAILQ_INSERT_TAIL(&living, p, entry);
	nprocs++;
	return p;
}

static void
forget_all(void)
{
	struct proc	*p;

	while ((p = RB_ROOT(&procs)) != NULL)
		proc_free(p);
}

/* Reads what the process is now; false: it is gone. */
static bool
proc_read(struct proc *p)
{
	static struct whois	 w;
	struct pid_stat		 st;
	struct pid_uids		 uids;
	int			 dir;

	image_drop(&p->now);
	dir = procpid_open(p->pid);
	if (dir == -1)
		return false;
	/* The image first: a zombie keeps the rest until it is waited for. */
	procpid_image(dir, &w);
	if (procpid_stat(dir, &st) == -1 || procpid_uids(dir, &uids) == -1) {
		close(dir);
		return false;
	}
	close(dir);
	p->read = now_ns();
	p->start = st.start;
	p->ppid = st.ppid;
	if (w.exe[0] != '\0')	/* a zombie has lost it already */
		p->now = image_new(&w, &uids);
	return true;
}

static void
conn_exec(const struct proc_event *e)
{
	uint32_t	 pid = (uint32_t)e->event_data.exec.process_tgid;
	uint64_t	 when = e->timestamp_ns;
	struct proc	*p;

	p = proc_find(pid);
	if (p == NULL)
		p = proc_new(pid);
	image_drop(&p->before);
	if (p->now != NULL && p->read < when) {
		p->before = p->now;
		p->before_since = p->since;
		p->now = NULL;
	}
	p->since = when;
	(void)proc_read(p);
}

static void
conn_fork(const struct proc_event *e)
{
	uint32_t	 pid = (uint32_t)e->event_data.fork.child_tgid;
	struct proc	*p, *parent;

	/* Threads belong to a process that is known. */
	if (e->event_data.fork.child_pid != e->event_data.fork.child_tgid)
		return;
	if ((p = proc_find(pid)) != NULL)
		proc_free(p);	/* the number is used again */
	p = proc_new(pid);
	p->ppid = (uint32_t)e->event_data.fork.parent_tgid;
	p->since = p->born = e->timestamp_ns;
	parent = proc_find(p->ppid);
	/* Read after the fork, it may have become another since. */
	if (parent != NULL && parent->now != NULL &&
	    parent->read < p->since && parent->since <= p->since) {
		p->now = parent->now;
		p->now->refs++;
		p->read = parent->read;
	}
}

static void
conn_exit(const struct proc_event *e)
{
	struct proc	*p;

	if (e->event_data.exit.process_pid != e->event_data.exit.process_tgid)
		return;
	p = proc_find((uint32_t)e->event_data.exit.process_tgid);
	if (p == NULL || p->dead)
		return;
	TAILQ_REMOVE(&living, p, entry);
	TAILQ_INSERT_TAIL(&dead, p, entry);
	p->dead = true;
}

static void
got_event(const struct nlmsghdr *h, size_t len)
{
	struct cn_msg		 cn;
	struct proc_event	 e;

	memset(&e, 0, sizeof(e));
	if (len < NLMSG_HDRLEN + sizeof(cn))
		return;
	memcpy(&cn, (const char *)h + NLMSG_HDRLEN, sizeof(cn));
	if (cn.id.idx != CN_IDX_PROC || cn.id.val != CN_VAL_PROC)
		return;
	/* Shorter in older kernels, longer in newer ones. */
	len -= NLMSG_HDRLEN + sizeof(cn);
	memcpy(&e, (const char *)h + NLMSG_HDRLEN + sizeof(cn),
	    len < sizeof(e) ? len : sizeof(e));
	switch (e.what) {
	case PROC_EVENT_EXEC:
		conn_exec(&e);
		break;
	case PROC_EVENT_FORK:
		conn_fork(&e);
		break;
	case PROC_EVENT_EXIT:
		conn_exit(&e);
		break;
	default:
		break;
	}
}

/* 0, or -1 when there is nothing more. */
static int
read_one(void)
{
	union {
		struct nlmsghdr	 h;
		char		 buf[1024];
	} m;
	struct sockaddr_nl	 from;
	socklen_t		 len = sizeof(from);
	ssize_t			 n;

	memset(&from, 0, sizeof(from));
	n = recvfrom(conn_fd, &m, sizeof(m), MSG_DONTWAIT,
	    (struct sockaddr *)&from, &len);
	if (n == -1) {
		if (errno != ENOBUFS)
			return -1;
		/* Something was missed: whatever is known may be wrong. */
		forget_all();
		return 0;
	}
	if (from.nl_pid == 0 && (size_t)n >= NLMSG_HDRLEN)
		got_event(&m.h, (size_t)n);
	return 0;
}

static void
conn_read(int fd, short what, void *arg)
{
	uint64_t now = now_ns();
	int	 i;

	(void)fd, (void)what, (void)arg;
	for (i = 0; i < TURN_READS; i++)
		if (read_one() == -1) {
			heard = now;
			return;
		}
}

/* Did it start after that time?  Then the pid is used again. */
static bool
started_after(const struct proc *p, uint64_t when)
{
	struct timespec	 boot, mono;
	int64_t		 behind;

	(void)clock_gettime(CLOCK_BOOTTIME, &boot);
	(void)clock_gettime(CLOCK_MONOTONIC, &mono);
	behind = (int64_t)(boot.tv_sec - mono.tv_sec) * 1000000000 +
	    (boot.tv_nsec - mono.tv_nsec);
	return p->start > (when + (uint64_t)behind) / TICK_NS + 1;
}

/* What is remembered or can be read, as of that time; or NULL. */
static struct proc *
proc_get(uint32_t pid, uint64_t when)
{
	struct proc	*p;

	p = proc_find(pid);
	/* Without the connector nothing may be remembered. */
	if (p != NULL && conn_fd == -1) {
		proc_free(p);
		p = NULL;
	}
	if (p != NULL && (p->now != NULL || p->dead || when < p->since))
		return p;
	if (p == NULL)
		p = proc_new(pid);
	if (!proc_read(p) || started_after(p, when)) {
		proc_free(p);
		return NULL;
	}
	/* Whoever called execve meanwhile, its event is here by now. */
	if (conn_fd != -1) {
		conn_read(conn_fd, 0, NULL);
		p = proc_find(pid);
	}
	return p;
}

static bool
has_uid(const struct pid_uids *uids, uint32_t uid)
{
	size_t	 i;

	for (i = 0; i < 4; i++)
		if (uids->id[i] == uid)
			return true;
	return false;
}

/* Programs change their user without execve: look again. */
static bool
has_uid_now(const struct proc *p, uint32_t uid)
{
	struct pid_stat	 st;
	struct pid_uids	 uids;
	bool		 ok;
	int		 dir;

	dir = procpid_open(p->pid);
	if (dir == -1)
		return false;
	ok = procpid_stat(dir, &st) == 0 &&
	    (p->start == 0 || st.start == p->start) &&
	    procpid_uids(dir, &uids) == 0 && has_uid(&uids, uid);
	close(dir);
	return ok;
}

/*
 * The parent as it is remembered, else read.  It may have ended, and its
 * number may be another's: that one is younger.
 */
static struct proc *
get_parent(uint32_t ppid, uint64_t start, uint64_t born)
{
	struct proc	*p;

	if (ppid == 0)
		return NULL;
	p = proc_find(ppid);
	if (p == NULL) {
		p = proc_new(ppid);
		if (!proc_read(p)) {
			proc_free(p);
			return NULL;
		}
	}
	if ((born != 0 && p->born > born) || (start != 0 && p->start > start))
		return NULL;
	return p;
}

static void
fill_parents(struct whois *w, uint32_t ppid, uint64_t start, uint64_t born)
{
	const struct proc	*p;
	const char		*exe;
	size_t			 len, size = sizeof(w->parent[0].exe);

	while (w->nparents < PARENTS_MAX &&
	    (p = get_parent(ppid, start, born)) != NULL) {
		exe = p->now != NULL ? p->now->text : "";
		/* The end of a long path tells more than its beginning. */
		if ((len = strlen(exe)) >= size)
			exe += len - (size - 1);
		(void)strlcpy(w->parent[w->nparents].exe, exe, size);
		w->parent[w->nparents++].pid = p->pid;
		ppid = p->ppid;
		start = p->start;
		born = p->born;
	}
}

/* A fork that was never read: its own start is still to be had. */
static void
find_start(struct proc *p)
{
	struct pid_stat	 st;
	int		 dir;

	if (p->start != 0 || p->dead || (dir = procpid_open(p->pid)) == -1)
		return;
	if (procpid_stat(dir, &st) == 0)
		p->start = st.start;
	close(dir);
}

static void
fill_image(struct whois *w, const struct image *i)
{
	(void)strlcpy(w->exe, i->text, sizeof(w->exe));
	(void)strlcpy(w->cwd, i->text + i->cwd, sizeof(w->cwd));
	(void)strlcpy(w->unit, i->text + i->unit, sizeof(w->unit));
	memcpy(w->args, i->text + i->args, i->args_len);
	w->args_len = i->args_len;
	w->args_cut = i->args_cut;
}

/*
 * The pid alone is an answer, too: its process was gone before it could be
 * read, and whatever has the number now is another.
 */
int
ident_fill(struct whois *w, uint32_t pid, uint64_t when, const uint32_t *uid)
{
	const struct image	*i;
	struct proc		*p;

	w->pid = pid;
	p = proc_find(pid);
	/*
	 * A process's execve is told before it can send anything; so what was
	 * heard since it sent is all, if there is nothing to be read now.
	 */
	if (conn_fd != -1 && (when >= heard || p == NULL || p->now == NULL ||
	    p->start == 0))
		conn_read(conn_fd, 0, NULL);
	p = proc_get(pid, when);
	if (p == NULL)
		return 0;
	i = when >= p->since ? p->now :
	    when >= p->before_since ? p->before : NULL;
	if (i != NULL && uid != NULL && !has_uid(&i->uids, *uid) &&
	    !has_uid_now(p, *uid)) {
		w->pid = 0;
		return -1;
	}
	find_start(p);
	w->start = p->start;
	if (i != NULL)
		fill_image(w, i);
	if (conn_fd != -1)
		fill_parents(w, p->ppid, p->start, p->born);
	else
		procpid_parents(w, p->ppid, p->start);
	return 0;
}

/*
 * Forks inherit what is known of their parents, so those that run already
 * are read, a few at a time, beginning when there is nothing else to do.
 */
static void
on_scan(int fd, short what, void *arg)
{
	static const struct timeval	 soon = { 0, 1000 };
	struct dirent			*e = NULL;
	struct proc			*p;
	uint32_t			 pid;
	int				 i;

	(void)fd, (void)what, (void)arg;
	for (i = 0; i < SCAN_STEP && (e = readdir(scan_dir)) != NULL; i++) {
		if (pid_parse_name(e->d_name, &pid) == -1 ||
		    proc_find(pid) != NULL || nprocs >= PROCS_MAX / 2)
			continue;
		p = proc_new(pid);
		if (!proc_read(p) || p->now == NULL)
			proc_free(p);
	}
	if (e != NULL) {
		if (event_add(scan_ev, &soon) == -1)
			fatal(NULL);
		return;
	}
	closedir(scan_dir);
	event_free(scan_ev);
}

bool
ident_on(void)
{
	return conn_fd != -1;
}

void
ident_init(int fd)
{
	static const struct timeval	 soon = { 0, 1000 };

	conn_fd = fd;
	if (fd == -1)
		return;
	conn_ev = event_new(main_base(), fd, EV_READ | EV_PERSIST, conn_read,
	    NULL);
	scan_ev = event_new(main_base(), -1, 0, on_scan, NULL);
	if (conn_ev == NULL || event_add(conn_ev, NULL) == -1 ||
	    scan_ev == NULL || event_add(scan_ev, &soon) == -1)
		fatal(NULL);
	if ((scan_dir = opendir("/")) == NULL)
		fatal("/");
}
