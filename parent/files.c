/*
 * SPDX-License-Identifier: ISC
 *
 * ruled has no file system: it asks for a file by kind, and gets it open and
 * read-only with the watches that tell when it changes.  Which path a kind
 * has is the configuration's word, except for what rules include: those are
 * opened with the file-system identity of ruled's own user, so that nobody
 * who can write rules can have root's files read.
 */
#include <sys/types.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "commit.h"
#include "parent.h"

/* One directory may be watched for several files: what was asked for stays. */
#define WATCH_MASK	(IN_CLOSE_WRITE | IN_MOVED_TO | IN_DELETE | \
			    IN_ONLYDIR | IN_MASK_ADD)
#define WATCH_TRIES	8	/* somebody makes directories meanwhile */

static const char *const resolver_paths[] = { "/etc/resolv.conf",
    "/run/systemd/resolve/resolv.conf" };

static int	temporary = -1;	/* sealed memfd: ruled's temporary rules */

static const char *
path_of(enum file_kind kind, int part)
{
	switch (kind) {
	case FILE_RULES:
		return env.conf.rules;
	case FILE_NAMES:
		return env.conf.names;
	case FILE_PASSWD:
		return "/etc/passwd";
	case FILE_RESOLVERS:
		return resolver_paths[part];
	default:
		return NULL;
	}
}

void
files_check(void)
{
	int	fd;

	fd = open(env.conf.rules, O_RDONLY | O_CREAT | O_NONBLOCK | O_NOCTTY |
	    O_CLOEXEC, 0600);
	if (fd == -1)
		fatal("%s", env.conf.rules);
	if (file_is_anybodys(fd))
		fatalx("%s: anybody may write to it", env.conf.rules);
	(void)close(fd);
}

/* Was a directory made before it was watched for? */
static bool
leads_on(const char *path, const struct place *last)
{
	struct place	p[WATCHES_PER_FILE];
	bool		on;
	int		n;

	n = place_watch(path, p, WATCHES_PER_FILE);
	on = n > 0 && strcmp(p[n - 1].path, last->path) != 0;
	place_close(p, n);
	return on;
}

/*
 * The directories, never the file itself: a watch on a file is lost as soon
 * as an editor renames another one over it.  False: they are others by now.
 */
static bool
add_watches(const char *path, struct msg_file *m)
{
	struct place	p[WATCHES_PER_FILE];
	bool		settled;
	int		i, n, wd;

	m->nwatch = 0;
	n = place_watch(path, p, WATCHES_PER_FILE);
	for (i = 0; i < n; i++) {
		wd = inotify_add_watch(env.fds.watch, p[i].path, WATCH_MASK |
		    (p[i].missing ? IN_CREATE : 0));
		if (wd == -1) {
			log_warn("%s: cannot watch, changes need a reload",
			    p[i].path);
			continue;
		}
		m->watch[m->nwatch].wd = wd;
		(void)strlcpy(m->watch[m->nwatch].name, p[i].name,
		    sizeof(m->watch[m->nwatch].name));
		m->nwatch++;
	}
	settled = n == 0 || !p[n - 1].missing || !leads_on(path, &p[n - 1]);
	place_close(p, n);
	return settled;
}

static void
watch(const char *path, struct msg_file *m)
{
	int	tries = WATCH_TRIES;

	while (!add_watches(path, m) && --tries > 0)
		continue;
}

bool
file_is_anybodys(int fd)
{
	struct stat	st;

	return fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
	    (st.st_mode & S_IWOTH) != 0;
}

/* Opens without ever waiting, whatever lies there. */
static int
open_regular(const char *path, struct stat *st)
{
	int	fd, saved;

	fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd == -1)
		return -1;
	if (fstat(fd, st) == 0) {
		if (S_ISREG(st->st_mode) && !file_is_anybodys(fd))
			return fd;
		errno = EINVAL;
		if (S_ISREG(st->st_mode)) {
			log_warnx("%s: not read, anybody may write to it",
			    path);
			errno = EPERM;
		}
	}
	saved = errno;
	(void)close(fd);
	errno = saved;
	return -1;
}

/* As ruled's user; supplementary groups were given up at the start. */
static int
open_as_user(const char *path, struct stat *st)
{
	int	fd, saved;

	if (path[0] != '/') {
		errno = EINVAL;
		return -1;
	}
	(void)setfsgid(env.gid);
	(void)setfsuid(env.uid);
	/* They return the previous id only: ask by a change to nothing. */
	if (setfsuid((uid_t)-1) != (int)env.uid ||
	    setfsgid((gid_t)-1) != (int)env.gid)
		fatalx("cannot take the file system identity of %s",
		    env.conf.user);
	fd = open_regular(path, st);
	saved = errno;
	(void)setfsuid(0);
	(void)setfsgid(0);
	if (setfsuid((uid_t)-1) != 0 || setfsgid((gid_t)-1) != 0)
		fatalx("cannot take the own file system identity back");
	errno = saved;
	return fd;
}

static void
send_file(struct link *l, struct msg_file *m, int fd)
{
	struct ibuf	b;
	uint8_t		buf[MSG_PAYLOAD_MAX];

	ibuf_writer(&b, buf, sizeof(buf));
	msg_put_file(&b, m);
	link_send_ibuf(l, MSG_FILE, fd, &b);
}

/* Watches come first: what changes after that is seen, or is read. */
static void
send_path(struct link *l, enum file_kind kind, int part, const char *path)
{
	struct msg_file	m;
	struct stat	st;
	int		fd;

	memset(&m, 0, sizeof(m));
	m.kind = (uint8_t)kind;
	m.part = (uint8_t)part;
	(void)strlcpy(m.path, path, sizeof(m.path));
	if (kind == FILE_INCLUDE || kind == FILE_LIST) {
		fd = open_as_user(path, &st);
		if (fd != -1)
			watch(path, &m);
	} else {
		watch(path, &m);
		fd = open_regular(path, &st);
	}
	if (fd == -1)
		m.err = (uint32_t)errno;
	else
		version_of(&st, &m.version);
	send_file(l, &m, fd);
}

/* The descriptor's own copy: the offset is shared, ruled reads by pread. */
static void
send_temporary(struct link *l)
{
	struct msg_file	m;
	struct stat	st;
	int		fd;

	memset(&m, 0, sizeof(m));
	m.kind = FILE_TEMPORARY;
	if (temporary == -1)
		return;
	if ((fd = fcntl(temporary, F_DUPFD_CLOEXEC, 0)) == -1 ||
	    lseek(fd, 0, SEEK_SET) == -1 || fstat(fd, &st) == -1)
		fatal("temporary rules");
	version_of(&st, &m.version);
	send_file(l, &m, fd);
}

void
files_send_all(struct link *l)
{
	/* The rules last: with them ruled has all that it judges by. */
	send_temporary(l);
	send_path(l, FILE_PASSWD, 0, path_of(FILE_PASSWD, 0));
	send_path(l, FILE_RESOLVERS, 0, resolver_paths[0]);
	send_path(l, FILE_RESOLVERS, 1, resolver_paths[1]);
	send_path(l, FILE_NAMES, 0, env.conf.names);
	send_path(l, FILE_RULES, 0, env.conf.rules);
}

int
files_open(struct link *l, struct imsg *im)
{
	struct msg_open	m;
	struct ibuf	b;
	bool		by_path;

	ibuf_reader(&b, im->data, im->len);
	if (msg_get_open(&b, &m) == -1)
		return -1;
	by_path = m.kind == FILE_INCLUDE || m.kind == FILE_LIST;
	if (m.kind == FILE_TEMPORARY || by_path != (m.path[0] != '\0'))
		return -1;
	send_path(l, m.kind, 0, by_path ? m.path : path_of(m.kind, 0));
	if (m.kind == FILE_RESOLVERS)
		send_path(l, m.kind, 1, path_of(m.kind, 1));
	return 0;
}

/* Kept as it is for the next ruled; never written anywhere. */
static int
keep_temporary(int fd)
{
	int	err;

	if ((err = commit_check_sealed(fd)) != 0) {
		(void)close(fd);
		return err;
	}
	if (temporary != -1)
		(void)close(temporary);
	temporary = fd;
	return 0;
}

int
files_commit(struct link *l, struct imsg *im)
{
	struct msg_commit	m;
	struct msg_committed	r;
	struct ibuf		b;
	uint8_t			buf[64];
	int			fd, err;

	ibuf_reader(&b, im->data, im->len);
	if (msg_get_commit(&b, &m) == -1 || (m.kind != FILE_RULES &&
	    m.kind != FILE_NAMES && m.kind != FILE_TEMPORARY))
		return -1;
	memset(&r, 0, sizeof(r));
	r.kind = m.kind;
	fd = imsg_fd(im);
	if (m.kind == FILE_TEMPORARY)
		err = keep_temporary(fd);
	else {
		err = commit_file(path_of(m.kind, 0), fd, &m.version,
		    &r.version);
		(void)close(fd);
	}
	if (err != 0 && err != ESTALE) {
		errno = err;
		log_warn("%s: cannot be written", m.kind == FILE_TEMPORARY ?
		    "temporary rules" : path_of(m.kind, 0));
	}
	r.err = (uint32_t)err;
	ibuf_writer(&b, buf, sizeof(buf));
	msg_put_committed(&b, &r);
	link_send_ibuf(l, MSG_COMMITTED, -1, &b);
	return 0;
}
