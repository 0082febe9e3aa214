/*
 * SPDX-License-Identifier: ISC
 *
 * What a process was when it sent.  The kernel tells of each fork, execve and
 * end, in order: a fork shares its parent's image, an execve begins a new one,
 * and the image before the last execve is kept.  So a program that sends and
 * exits, or sends and becomes another, is still named as what it was.
 *
 * With event rings (execs.c) the executable is in the record of the execve,
 * the arguments were read when it ended (capture.c), and the rest is read
 * when somebody asks, while the process lives.  With the connector, and of
 * what was there before, everything is read in /proc.  An image read too late
 * is worse than none: whatever was read after a later execve than the one it
 * was read for is thrown away.
 */
#include <dirent.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/tree.h>
#include <unistd.h>

#include "execrec.h"
#include "execs.h"
#include "log.h"
#include "procinfo.h"

#define SCAN_STEP	16	/* processes read per loop turn, at start */

/* What runs in a process between two execves; shared with its forks. */
struct image {
	unsigned int	 refs;
	bool		 recorded;	/* by the kernel; else read in /proc */
	bool		 settled;	/* exe is known as well as it can be */
	bool		 home;		/* execve in the host's namespaces */
	bool		 looked;	/* args, cwd and unit are what they are */
	uint32_t	 pid;		/* whose execve it was, and when */
	uint64_t	 since;
	struct file_id	 file;
	char		*path;		/* as recorded; NULL: not told */
	char		*exe, *cwd, *unit;	/* NULL: not known */
	char		*args;
	uint16_t	 args_len;
	uint8_t		 args_cut;
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
	uint64_t	 read;		/* when now was read; 0: recorded */
	uint64_t	 born;		/* of its fork; 0: before we looked */
	uint64_t	 mount_ns, user_ns;	/* 0: not known */
	bool		 loading;	/* in execve: the kernel maps the file */
	bool		 dead;
	bool		 has_uids;
	struct pid_uids	 uids;
};

TAILQ_HEAD(proc_queue, proc);

static int	 proc_cmp(struct proc *, struct proc *);
RB_HEAD(proc_tree, proc);
RB_PROTOTYPE(proc_tree, proc, tree, proc_cmp)

static struct proc_tree		 procs = RB_INITIALIZER(&procs);
/* The least needed first: without news for longest, and dead for longest. */
static struct proc_queue	 living = TAILQ_HEAD_INITIALIZER(living);
static struct proc_queue	 dead = TAILQ_HEAD_INITIALIZER(dead);
static size_t			 nprocs, ndead;
static struct event		*scan_ev;
static DIR			*scan_dir;

static int
proc_cmp(struct proc *a, struct proc *b)
{
	return (a->pid > b->pid) - (a->pid < b->pid);
}

RB_GENERATE(proc_tree, proc, tree, proc_cmp)

/* ---- images ------------------------------------------------------ */

static struct image *
image_new(void)
{
	struct image	*i;

	if ((i = calloc(1, sizeof(*i))) == NULL)
		fatal(NULL);
	i->refs = 1;
	return i;
}

static void
image_drop(struct image **at)
{
	struct image	*i = *at;

	*at = NULL;
	if (i == NULL || --i->refs > 0)
		return;
	free(i->path);
	free(i->exe);
	free(i->cwd);
	free(i->unit);
	free(i->args);
	free(i);
}

static struct image *
image_share(struct image *i)
{
	i->refs++;
	return i;
}

static char *
copy(const char *text)
{
	char	*p;

	if ((p = strdup(text)) == NULL)
		fatal(NULL);
	return p;
}

static void
image_args(struct image *i, const char *args, uint16_t len, uint8_t cut)
{
	if (len == 0)
		return;
	free(i->args);
	if ((i->args = malloc(len)) == NULL)
		fatal(NULL);
	memcpy(i->args, args, len);
	i->args_len = len;
	i->args_cut = cut;
}

/* ---- processes --------------------------------------------------- */

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
	if (p->dead)
		ndead--;
	image_drop(&p->now);
	image_drop(&p->before);
	free(p);
}

/*
 * One that lives can be read again; of one that sent and ended, and is about
 * to be asked for, this is all there is.
 */
static struct proc *
proc_new(uint32_t pid)
{
	struct proc	*p;

	if (nprocs >= PROCS_MAX)
		proc_free(TAILQ_FIRST(ndead > DEAD_KEPT ? &dead : &living));
	if ((p = calloc(1, sizeof(*p))) == NULL)
		fatal(NULL);
	p->pid = pid;
	RB_INSERT(proc_tree, &procs, p);
	TAILQ_INSERT_TAIL(&living, p, entry);
	nprocs++;
	return p;
}

/* It is needed: what it was, or what its forks are. */
static void
proc_touch(struct proc *p)
{
	if (p->dead)
		return;
	TAILQ_REMOVE(&living, p, entry);
	TAILQ_INSERT_TAIL(&living, p, entry);
}

void
ident_forget(void)
{
	struct proc	*p;

	while ((p = RB_ROOT(&procs)) != NULL)
		proc_free(p);
}

static void
image_found(struct proc *p, bool sure, struct whois *w)
{
	if (!sure)
		confirm_mark(w->exe, sizeof(w->exe));
	p->now = image_new();
	p->now->pid = p->pid;
	p->now->settled = true;
	p->now->exe = copy(w->exe);
}

/* Reads what the process is now; false: it is gone. */
static bool
proc_read(struct proc *p)
{
	static struct whois	 w;
	struct pid_stat		 st;
	enum confirm		 sure = CONFIRM_UNKNOWN;
	int			 dir;

	image_drop(&p->now);
	dir = procpid_open(p->pid);
	if (dir == -1)
		return false;
	/* The image first: a zombie keeps the rest until it is waited for. */
	procpid_image(dir, &w);
	if (w.exe[0] != '\0')
		sure = confirm_live(dir, w.exe);
	p->has_uids = procpid_uids(dir, &p->uids) == 0;
	if (procpid_stat(dir, &st) == -1 || !p->has_uids) {
		close(dir);
		return false;
	}
	close(dir);
	p->read = now_ns();
	p->start = st.start;
	p->ppid = st.ppid;
	/* A zombie has lost it already, or what says whose name it is. */
	if (sure == CONFIRM_UNKNOWN)
		return true;
	image_found(p, sure == CONFIRM_YES, &w);
	p->now->looked = true;
	p->now->cwd = copy(w.cwd);
	p->now->unit = copy(w.unit);
	image_args(p->now, w.args, w.args_len, w.args_cut);
	return true;
}

/* No more than its forks must have of it, should it end before them. */
static bool
proc_glance(struct proc *p)
{
	static struct whois	 w;
	struct pid_stat		 st;
	enum confirm		 sure = CONFIRM_UNKNOWN;
	int			 dir;

	dir = procpid_open(p->pid);
	if (dir == -1)
		return false;
	if (procpid_exe(dir, w.exe, sizeof(w.exe)) == 0)
		sure = confirm_live(dir, w.exe);
	if (sure != CONFIRM_UNKNOWN && procpid_stat(dir, &st) == -1)
		sure = CONFIRM_UNKNOWN;
	close(dir);
	if (sure == CONFIRM_UNKNOWN)
		return false;
	p->read = now_ns();
	p->start = st.start;
	p->ppid = st.ppid;
	image_found(p, sure == CONFIRM_YES, &w);
	return true;
}

/* ---- what the kernel tells --------------------------------------- */

/* The image so far was another's from then on. */
static struct proc *
image_ends(uint32_t pid, uint64_t when)
{
	struct proc	*p;

	p = proc_find(pid);
	if (p == NULL)
		p = proc_new(pid);
	proc_touch(p);
	image_drop(&p->before);
	if (p->now != NULL && p->read < when) {
		p->before = p->now;
		p->before_since = p->since;
		p->now = NULL;
	}
	image_drop(&p->now);
	p->since = when;
	p->has_uids = false;	/* set-user-id programs */
	return p;
}

void
ident_execed(uint32_t pid, uint64_t when)
{
	(void)proc_read(image_ends(pid, when));
}

void
ident_forked(uint32_t pid, uint32_t ppid, uint64_t when)
{
	struct proc	*p, *parent;

	if ((p = proc_find(pid)) != NULL)
		proc_free(p);	/* the number is used again */
	if ((parent = proc_find(ppid)) != NULL)
		proc_touch(parent);
	p = proc_new(pid);
	p->ppid = ppid;
	p->since = p->born = when;
	/* Read after the fork, it may have become another since. */
	if (parent != NULL && parent->now != NULL &&
	    parent->read < p->since && parent->since <= p->since) {
		p->now = image_share(parent->now);
		p->read = parent->read;
	}
}

void
ident_ended(uint32_t pid)
{
	struct proc	*p;

	p = proc_find(pid);
	if (p == NULL || p->dead)
		return;
	TAILQ_REMOVE(&living, p, entry);
	TAILQ_INSERT_TAIL(&dead, p, entry);
	p->dead = true;
	ndead++;
}

/* until: another image's time begins. */
static void
image_capture(struct image *i, uint64_t until)
{
	static struct capture	 c;

	if (i->args != NULL || !i->recorded ||
	    capture_take(i->pid, i->since, until, &c) == -1)
		return;
	image_args(i, c.args, c.args_len, c.args_cut);
	if (c.cwd[0] != '\0' && i->cwd == NULL)
		i->cwd = copy(c.cwd);
	if (c.unit[0] != '\0' && i->unit == NULL)
		i->unit = copy(c.unit);
}

/*
 * The image's time is over, so what was read of it until then is its own.
 * Taken now, for it is kept only for a while.
 */
static void
recorded_end(const struct execrec *r)
{
	struct proc	*p = proc_find(r->pid);

	if (p != NULL && p->now != NULL && p->now->pid == r->pid)
		image_capture(p->now, r->time);
}

/* The point of no return of an execve; what it runs is told next. */
static void
recorded_exec(const struct execrec *r)
{
	struct proc	*p = image_ends(r->pid, r->time);

	p->read = 0;
	p->loading = true;
	p->now = image_new();
	p->now->recorded = true;
	p->now->pid = r->pid;
	p->now->since = r->time;
	p->now->home = confirm_spaces(p->mount_ns, p->user_ns);
}

/* The kernel maps the program before its interpreter (ld.so). */
static void
recorded_map(const struct execrec *r)
{
	struct proc	*p = proc_find(r->pid);

	if (p == NULL || !p->loading)
		return;
	p->loading = false;
	p->now->path = copy(r->path);
	p->now->file = r->file;
}

static void
recorded_done(const struct execrec *r)
{
	struct proc	*p = proc_find(r->pid);

	if (p == NULL)
		return;
	p->loading = false;
}

/*
 * Each fork is followed by one.  A thread elsewhere than the others leaves
 * open where the process is.
 */
static void
recorded_spaces(const struct execrec *r)
{
	struct proc	*p = proc_find(r->pid);

	if (p == NULL)
		return;
	if (r->thread && (p->mount_ns != r->mount_ns ||
	    p->user_ns != r->user_ns)) {
		p->mount_ns = p->user_ns = 0;
		return;
	}
	p->mount_ns = r->mount_ns;
	p->user_ns = r->user_ns;
}

void
ident_record(const struct execrec *r)
{
	switch (r->kind) {
	case EXECREC_FORK:
		ident_forked(r->pid, r->ppid, r->time);
		break;
	case EXECREC_EXEC:
		recorded_end(r);
		recorded_exec(r);
		break;
	case EXECREC_MAP:
		recorded_map(r);
		break;
	case EXECREC_DONE:
		recorded_done(r);
		break;
	case EXECREC_SPACES:
		recorded_spaces(r);
		break;
	case EXECREC_EXIT:
		recorded_end(r);
		ident_ended(r->pid);
		break;
	case EXECREC_LOST:
		ident_forget();
		break;
	case EXECREC_OTHER:
		break;
	}
}

/* ---- answers ----------------------------------------------------- */

/* All that happened before that time is known. */
static void
hear(uint64_t when)
{
	if (execs_on())
		execs_read();
	else
		connector_read(when);
}

/* What is remembered or can be read, as of that time; or NULL. */
static struct proc *
proc_get(uint32_t pid, uint64_t when)
{
	struct proc	*p;

	p = proc_find(pid);
	/* With nobody to tell of changes nothing may be remembered. */
	if (p != NULL && !ident_on()) {
		proc_free(p);
		p = NULL;
	}
	if (p != NULL && (p->now != NULL || p->dead || when < p->since)) {
		proc_touch(p);
		return p;
	}
	if (p == NULL)
		p = proc_new(pid);
	if (!proc_read(p) || procpid_after(p->start, when)) {
		proc_free(p);
		return NULL;
	}
	/* Whoever called execve meanwhile, it is told by now. */
	hear(UINT64_MAX);
	return proc_find(pid);
}

/* The process, if it lives and this image is still what it runs. */
static struct proc *
still(uint32_t pid, const struct image *i)
{
	struct proc	*p;

	hear(UINT64_MAX);
	p = proc_find(pid);
	return p != NULL && !p->dead && p->now == i ? p : NULL;
}

/*
 * By what the process itself says, which is the host's path of its file
 * whatever root directory it has.
 */
static bool
settle_live(uint32_t pid, struct image *i)
{
	static char	 exe[EXE_MAX];
	enum confirm	 sure;
	int		 dir;

	if (still(pid, i) == NULL || (dir = procpid_open(pid)) == -1)
		return false;
	if (procpid_exe(dir, exe, sizeof(exe)) == -1) {
		close(dir);
		return false;
	}
	if ((sure = confirm_here(dir)) == CONFIRM_NO)
		sure = confirm_path(exe, &i->file) == CONFIRM_YES ?
		    CONFIRM_YES : CONFIRM_NO;
	close(dir);
	if (sure == CONFIRM_UNKNOWN || still(pid, i) == NULL)
		return false;
	if (sure != CONFIRM_YES)
		confirm_mark(exe, sizeof(exe));
	i->exe = copy(exe);
	return true;
}

/* Gone: whoever is left of its ancestors has its root directory. */
static bool
has_host_root(uint32_t pid)
{
	const struct proc	*p;
	char			 root[8];
	int			 dir, n;

	for (n = 0; n < PARENTS_MAX && pid != 0; n++) {
		p = proc_find(pid);
		if ((p == NULL || !p->dead) &&
		    (dir = procpid_open(pid)) != -1) {
			n = procpid_link(dir, "root", root, sizeof(root));
			close(dir);
			return n == 0 && strcmp(root, "/") == 0;
		}
		if (p == NULL)
			return false;
		pid = p->ppid;
	}
	return false;
}

/* What it is called here, once for all who run it. */
static void
image_settle(uint32_t pid, struct image *i)
{
	static char	 exe[EXE_MAX];
	enum confirm	 sure;

	if (i->settled)
		return;
	i->settled = true;
	if (i->path == NULL) {
		(void)settle_live(pid, i);
		return;
	}
	sure = confirm_path(i->path, &i->file);
	if (sure != CONFIRM_YES && settle_live(pid, i))
		return;
	if (strlcpy(exe, i->path, sizeof(exe)) >= sizeof(exe))
		return;
	if (sure == CONFIRM_NO || (sure == CONFIRM_UNKNOWN &&
	    (!i->home || !has_host_root(pid))))
		confirm_mark(exe, sizeof(exe));
	i->exe = copy(exe);
}

/* The rest, while the process lives. */
static void
look_live(uint32_t pid, struct image *i)
{
	static struct whois	 w;
	int			 dir;

	if (still(pid, i) == NULL || (dir = procpid_open(pid)) == -1)
		return;
	w.args_len = 0;
	if (i->args == NULL)
		(void)procpid_args(dir, "cmdline", w.args, &w.args_len,
		    &w.args_cut);
	(void)procpid_link(dir, "cwd", w.cwd, sizeof(w.cwd));
	(void)procpid_unit(dir, "cgroup", w.unit, sizeof(w.unit), NULL);
	close(dir);
	if (still(pid, i) == NULL)
		return;
	image_args(i, w.args, w.args_len, w.args_cut);
	if (i->cwd == NULL && w.cwd[0] != '\0')
		i->cwd = copy(w.cwd);
	if (i->unit == NULL && w.unit[0] != '\0')
		i->unit = copy(w.unit);
}

static void
image_look(uint32_t pid, struct image *i, uint64_t until)
{
	const struct proc	*p;

	if (i->looked)
		return;
	i->looked = true;
	/* A fork's is its ancestor's, if that still is what it was. */
	p = proc_find(i->pid);
	if (i->pid == pid || (p != NULL && p->now == i))
		image_capture(i, until);
	look_live(pid, i);
	if (i->args == NULL && i->pid != pid)
		look_live(i->pid, i);
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

/*
 * Is it another user's?  Programs change their user without execve: what is
 * remembered is only a reason to look no more.
 */
static bool
others_uid(struct proc *p, uint32_t uid)
{
	struct pid_stat	 st;
	struct pid_uids	 uids;
	bool		 read;
	int		 dir;

	if (p->has_uids && has_uid(&p->uids, uid))
		return false;
	if (p->dead || (dir = procpid_open(p->pid)) == -1)
		return p->has_uids;
	read = procpid_stat(dir, &st) == 0 &&
	    (p->start == 0 || st.start == p->start) &&
	    procpid_uids(dir, &uids) == 0;
	close(dir);
	if (!read)
		return p->has_uids;
	p->start = st.start;
	p->uids = uids;
	p->has_uids = true;
	return !has_uid(&uids, uid);
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
	proc_touch(p);
	if ((born != 0 && p->born > born) || (start != 0 && p->start > start))
		return NULL;
	return p;
}

static void
fill_parents(struct whois *w, uint32_t ppid, uint64_t start, uint64_t born)
{
	struct proc	*p;
	struct image	*i;
	const char	*exe;
	size_t		 len, size = sizeof(w->parent[0].exe);

	while (w->nparents < PARENTS_MAX &&
	    (p = get_parent(ppid, start, born)) != NULL) {
		w->parent[w->nparents].pid = p->pid;
		ppid = p->ppid;
		start = p->start;
		born = p->born;
		exe = "";
		i = p->now == NULL ? NULL : image_share(p->now);
		if (i != NULL) {
			image_settle(p->pid, i);
			exe = i->exe == NULL ? "" : i->exe;
		}
		/* The end of a long path tells more than its beginning. */
		if ((len = strlen(exe)) >= size)
			exe += len - (size - 1);
		(void)strlcpy(w->parent[w->nparents++].exe, exe, size);
		image_drop(&i);
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
	if (i->exe == NULL)
		return;		/* arguments alone are nobody's */
	(void)strlcpy(w->exe, i->exe, sizeof(w->exe));
	if (i->cwd != NULL)
		(void)strlcpy(w->cwd, i->cwd, sizeof(w->cwd));
	if (i->unit != NULL)
		(void)strlcpy(w->unit, i->unit, sizeof(w->unit));
	if (i->args_len > 0)
		memcpy(w->args, i->args, i->args_len);
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
	struct image	*i;
	struct proc	*p;
	uint64_t	 born, until = now_ns();
	uint32_t	 ppid;

	/* What is read after the records were heard may be the next's. */
	w->pid = pid;
	p = proc_find(pid);
	/*
	 * A process's execve is told before it can send anything; so what was
	 * heard since it sent is all, if there is nothing to be read now.
	 */
	hear(p == NULL || p->now == NULL || p->start == 0 ? UINT64_MAX : when);
	p = proc_get(pid, when);
	if (p == NULL)
		return 0;
	i = p->now;
	if (when < p->since) {
		until = p->since;
		i = when >= p->before_since ? p->before : NULL;
	}
	if (i != NULL && uid != NULL && others_uid(p, *uid)) {
		w->pid = 0;
		return -1;
	}
	find_start(p);
	w->start = p->start;
	ppid = p->ppid;
	born = p->born;
	if (i != NULL) {
		i = image_share(i);
		image_settle(pid, i);
		image_look(pid, i, until);
		fill_image(w, i);
		image_drop(&i);
	}
	if (ident_on())
		fill_parents(w, ppid, w->start, born);
	else
		procpid_parents(w, ppid, w->start);
	return 0;
}

/*
 * Of a process that lives: is it what it is remembered as?  A CPU that comes
 * back on line tells of no execve until its rings are there again.
 */
void
ident_check(uint32_t pid)
{
	static char		 exe[EXE_MAX];
	const struct proc	*p;
	struct image		*i;
	size_t			 len;
	int			 dir;

	hear(UINT64_MAX);
	p = proc_find(pid);
	if (p == NULL || p->dead || p->now == NULL ||
	    (dir = procpid_open(pid)) == -1)
		return;
	i = image_share(p->now);
	image_settle(pid, i);
	if (procpid_exe(dir, exe, sizeof(exe)) == -1)
		exe[0] = '\0';
	close(dir);
	len = strlen(exe);
	/* Behind it may be that it is not confirmed. */
	if (len > 0 && i->exe != NULL && (strncmp(i->exe, exe, len) != 0 ||
	    (i->exe[len] != '\0' && i->exe[len] != ' ')) &&
	    still(pid, i) != NULL)
		proc_free(proc_find(pid));
	image_drop(&i);
}

/* ---- what was there before --------------------------------------- */

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
		if (!proc_glance(p))
			proc_free(p);
	}
	if (e != NULL && event_add(scan_ev, &soon) == -1)
		fatal(NULL);
}

void
ident_scan(void)
{
	static const struct timeval	 soon = { 0, 1000 };

	rewinddir(scan_dir);
	if (event_add(scan_ev, &soon) == -1)
		fatal(NULL);
}

bool
ident_knows(uint32_t pid)
{
	return proc_find(pid) != NULL;
}

bool
ident_on(void)
{
	return execs_on() || connector_on();
}

void
ident_init(void)
{
	scan_ev = event_new(main_base(), -1, 0, on_scan, NULL);
	if (scan_ev == NULL)
		fatal(NULL);
	if ((scan_dir = opendir("/")) == NULL)
		fatal("/");
}
