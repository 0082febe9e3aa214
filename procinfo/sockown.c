/*
 * SPDX-License-Identifier: ISC
 *
 * From a socket's inode number to the process that has it open, by reading
 * /PID/fdinfo/N (its "ino:" needs CAP_SYS_PTRACE alone; the names in /PID/fd
 * would need a capability that opens every file).  A walk over all processes
 * is dear, some 4 microseconds a descriptor, so it begins with the socket's
 * user and the newest processes, remembers every socket it comes by, and is
 * bounded.
 *
 * A socket may be open in several processes.  An attacker can start an
 * innocent program that inherits his socket, then send; so the first holder
 * found is certain only when its descriptor is marked close-on-exec, which
 * nothing inherited across execve is.  Otherwise all others are looked at,
 * and only holders that run the same executable are one answer.
 */
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "events.h"
#include "log.h"
#include "procinfo.h"

#define BREATH		1000	/* descriptors, some 4 ms */

/* A holder once found; checked again before each use. */
struct known {
	uint32_t	inode;
	uint32_t	fd;
	struct owner	who;
	bool		certain;	/* nobody else had it, or could */
};

/* A socket that a whole walk did not find, so as not to repeat it at once. */
struct missed {
	uint32_t	inode;
	uint64_t	when;
};

struct candidate {
	uint32_t	pid;
	uint32_t	uid;
};

/* One walk over the processes. */
struct walk {
	uint32_t	 inode;
	bool		 exact;
	size_t		 left;	/* descriptors that may still be read */
	size_t		 holders;
	bool		 differ;	/* they run different programs */
	bool		 certain;
	struct known	 first;
	char		 exe[EXE_MAX];
};

static uint32_t		 sock_mnt_id;
static struct known	 cache[SOCK_CACHE];
static struct missed	 missed[256];
static struct candidate	*cands;
static size_t		 ncands;

/*
 * Files of other kinds may have the same inode number; sockets all live on
 * one mount, that of our own descriptor.
 */
void
sockown_init(int own)
{
	struct pid_fdinfo	 fi;
	struct stat		 st;
	char			 path[64], buf[1024];
	ssize_t			 n;

	(void)snprintf(path, sizeof(path), "/%d/fdinfo/%d", (int)getpid(),
	    own);
	n = procpid_read(AT_FDCWD, path, buf, sizeof(buf));
	if (n == -1)
		fatal("%s", path);
	if (pid_parse_fdinfo(buf, (size_t)n, &fi) == -1 ||
	    fstat(own, &st) == -1 || fi.ino != st.st_ino)
		fatalx("%s: no inode number, the kernel is older than 5.14",
		    path);
	sock_mnt_id = fi.mnt_id;
	cands = calloc(SCAN_PIDS_MAX, sizeof(*cands));
	if (cands == NULL)
		fatal(NULL);
}

static struct known *
cache_slot(uint32_t inode)
{
	return &cache[(inode * 2654435761u >> 8) & (SOCK_CACHE - 1)];
}

/* Is the descriptor this socket?  dir is that of the process. */
static bool
fd_is(int dir, uint32_t fd, uint32_t inode, bool *cloexec)
{
	struct pid_fdinfo	 fi;
	char			 path[32], buf[1024];
	ssize_t			 n;

	(void)snprintf(path, sizeof(path), "fdinfo/%u", fd);
	n = procpid_read(dir, path, buf, sizeof(buf));
	if (n == -1 || pid_parse_fdinfo(buf, (size_t)n, &fi) == -1)
		return false;
	*cloexec = fi.cloexec;
	return fi.mnt_id == sock_mnt_id && fi.ino == inode;
}

static int
cache_get(uint32_t inode, bool exact, struct owner *who)
{
	struct known	*k = cache_slot(inode);
	struct pid_stat	 st;
	bool		 ok, cloexec;
	int		 dir;

	if (k->inode != inode || (exact && !k->certain))
		return -1;
	dir = procpid_open(k->who.pid);
	if (dir == -1)
		return -1;
	ok = fd_is(dir, k->fd, inode, &cloexec) &&
	    procpid_stat(dir, &st) == 0 && st.start == k->who.start;
	close(dir);
	if (!ok) {
		k->inode = 0;
		return -1;
	}
	*who = k->who;
	return 0;
}

static struct missed *
missed_slot(uint32_t inode)
{
	return &missed[inode % (sizeof(missed) / sizeof(missed[0]))];
}

/* Newest first: numbers are given out in ascending order. */
static int
cand_cmp(const void *a, const void *b)
{
	const struct candidate	*x = a, *y = b;

	return (x->pid < y->pid) - (x->pid > y->pid);
}

static void
list_processes(void)
{
	DIR		*d;
	struct dirent	*e;
	struct stat	 st;
	uint32_t	 pid;

	ncands = 0;
	d = opendir("/");
	if (d == NULL)
		return;
	while (ncands < SCAN_PIDS_MAX && (e = readdir(d)) != NULL) {
		if (pid_parse_name(e->d_name, &pid) == -1)
			continue;
		if (fstatat(dirfd(d), e->d_name, &st, 0) == -1)
			continue;
		cands[ncands].pid = pid;
		cands[ncands++].uid = st.st_uid;
	}
	closedir(d);
	qsort(cands, ncands, sizeof(*cands), cand_cmp);
}

/* Another process that has the socket open, or the first. */
static void
found_holder(struct walk *w, int dir, uint32_t fd, bool cloexec)
{
	static char	 exe[EXE_MAX];
	struct pid_stat	 st;

	if (procpid_stat(dir, &st) == -1)
		return;
	if (procpid_exe(dir, exe, sizeof(exe)) == -1)
		exe[0] = '\0';
	if (w->holders++ == 0) {
		w->first = (struct known){ .inode = w->inode, .fd = fd,
		    .who = { st.pid, st.start } };
		memcpy(w->exe, exe, sizeof(exe));
	} else if (exe[0] == '\0' || strcmp(exe, w->exe) != 0) {
		w->differ = true;
	}
	if (cloexec)
		w->certain = true;
}

/* Remembers every socket on the way, for the next question. */
static void
note_socket(const struct pid_fdinfo *fi, uint32_t fd, int dir,
    struct owner *who)
{
	struct known	*k = cache_slot((uint32_t)fi->ino);
	struct pid_stat	 st;

	if (k->inode == (uint32_t)fi->ino && k->certain)
		return;
	if (who->pid == 0) {
		if (procpid_stat(dir, &st) == -1)
			return;
		*who = (struct owner){ st.pid, st.start };
	}
	*k = (struct known){ .inode = (uint32_t)fi->ino, .fd = fd,
	    .who = *who, .certain = fi->cloexec };
}

/*
 * This process runs before all ordinary ones; during a long walk it lets
 * them have the CPU now and then, and takes the events of what they send.
 */
static void
breathe(struct walk *w)
{
	w->left--;
	if (w->left % BREATH == 0) {
		(void)poll(NULL, 0, 1);
		events_read();
	}
}

/* All descriptors of one process. */
static void
walk_process(struct walk *w, uint32_t pid)
{
	struct owner		 self = { 0, 0 };
	struct pid_fdinfo	 fi;
	struct dirent		*e;
	const char		*bad;
	char			 buf[1024];
	ssize_t			 n;
	uint32_t		 fd;
	bool			 held = false;
	DIR			*d;
	int			 dir, list;

	dir = procpid_open(pid);
	if (dir == -1)
		return;
	list = openat(dir, "fdinfo", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (list == -1 || (d = fdopendir(list)) == NULL) {
		if (list != -1)
			close(list);
		close(dir);
		return;
	}
	while (w->left > 0 && (e = readdir(d)) != NULL) {
		if (e->d_name[0] == '.')
			continue;
		breathe(w);
		fd = (uint32_t)strtonum(e->d_name, 0, INT_MAX, &bad);
		if (bad != NULL)
			continue;
		n = procpid_read(list, e->d_name, buf, sizeof(buf));
		if (n == -1 || pid_parse_fdinfo(buf, (size_t)n, &fi) == -1 ||
		    fi.mnt_id != sock_mnt_id)
			continue;
		note_socket(&fi, fd, dir, &self);
		if (fi.ino == w->inode && !held) {
			found_holder(w, dir, fd, fi.cloexec);
			held = true;
		}
	}
	closedir(d);
	close(dir);
}

/* Whether more need not be known. */
static bool
walk_done(const struct walk *w)
{
	return w->left == 0 || w->differ ||
	    (w->holders > 0 && (!w->exact || w->certain));
}

static void
walk_all(struct walk *w, uint32_t uid)
{
	size_t	 i;
	int	 pass;

	list_processes();
	for (pass = 0; pass < 2; pass++)
		for (i = 0; i < ncands && !walk_done(w); i++)
			if ((cands[i].uid == uid) == (pass == 0))
				walk_process(w, cands[i].pid);
	/* Cut short, others may hold it too. */
	if (w->left > 0 && !w->differ && w->holders > 0)
		w->certain = w->certain || w->exact;
}

int
sockown_find(uint32_t inode, uint32_t uid, bool exact, bool walk,
    struct owner *who)
{
	static struct walk	 w;
	struct missed		*m = missed_slot(inode);

	if (cache_get(inode, exact, who) == 0)
		return 0;
	if (!walk || (m->inode == inode && now_ns() - m->when < MISS_NS))
		return -1;
	memset(&w, 0, sizeof(w));
	w.inode = inode;
	w.exact = exact;
	w.left = SCAN_FDS_MAX;
	walk_all(&w, uid);
	if (w.holders == 0 || w.differ || (exact && !w.certain)) {
		*m = (struct missed){ inode, now_ns() };
		return -1;
	}
	w.first.certain = w.certain;
	*cache_slot(inode) = w.first;
	*who = w.first.who;
	return 0;
}
