/*
 * SPDX-License-Identifier: ISC
 *
 * Files as ruled sees them: the parent's descriptors, versions and events.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <unistd.h>

#include "log.h"
#include "ruled.h"

#define FILE_SIZE_MAX	RULES_FILE_MAX
#define EARLY_MAX	16	/* watches; older ones are forgotten */

/* A text on its way to the disk; the newest of its kind replaces it. */
struct commit {
	char	*text;
	size_t	 len;
	bool	 waits;
};

static LIST_HEAD(, file) files = LIST_HEAD_INITIALIZER(files);
static struct file	*opening;	/* the one MSG_OPEN that is open */
static struct commit	 commits[FILE_KIND_MAX];
static int		 committing = -1;	/* enum file_kind, or none */
static struct event	*watch_event;
/* Something happened where, as far as we know, nothing is watched. */
static int		 early[EARLY_MAX];
static size_t		 nearly;	/* ever */

static void	watch_readable(int, short, void *);

void
files_init(void)
{
	if (!(config.fds & (1U << FD_RULED_WATCH)))
		return;
	watch_event = event_new(ruled_base(), FD_RULED_WATCH,
	    EV_READ | EV_PERSIST, watch_readable, NULL);
	if (watch_event == NULL || event_add(watch_event, NULL) == -1)
		fatal(NULL);
}

static bool
has_path(enum file_kind kind)
{
	return kind == FILE_INCLUDE || kind == FILE_LIST;
}

struct file *
file_get(enum file_kind kind, uint8_t part, const char *path)
{
	struct file	*f;

	LIST_FOREACH(f, &files, entry)
		if (f->kind == kind && f->part == part &&
		    (!has_path(kind) || strcmp(f->path, path) == 0))
			return f;
	if ((f = calloc(1, sizeof(*f))) == NULL ||
	    (f->path = strdup(path)) == NULL)
		fatal(NULL);
	f->kind = kind;
	f->part = part;
	f->fd = -1;
	LIST_INSERT_HEAD(&files, f, entry);
	return f;
}

struct file *
file_first(void)
{
	return LIST_FIRST(&files);
}

static void
open_next(void)
{
	static uint8_t	 buf[MSG_PAYLOAD_MAX];
	static struct msg_open m;
	struct link	*l = ruled_link(ROLE_PARENT);
	struct ibuf	 b;
	struct file	*f;

	if (opening != NULL || l == NULL)
		return;
	LIST_FOREACH(f, &files, entry)
		if (f->wanted)
			break;
	if (f == NULL)
		return;
	f->wanted = false;
	opening = f;
	memset(&m, 0, sizeof(m));
	m.kind = (uint8_t)f->kind;
	if (has_path(f->kind) &&
	    strlcpy(m.path, f->path, sizeof(m.path)) >= sizeof(m.path))
		fatalx("%s: path too long", __func__);
	ibuf_writer(&b, buf, sizeof(buf));
	msg_put_open(&b, &m);
	link_send_ibuf(l, MSG_OPEN, -1, &b);
}

void
file_want(struct file *f)
{
	f->wanted = true;
	open_next();
}

void
file_drop(struct file *f)
{
	if (f == opening)	/* stays until the answer is here */
		return;
	slices_stop(f);
	LIST_REMOVE(f, entry);
	if (f->fd != -1)
		(void)close(f->fd);
	free(f->text);
	free(f->path);
	free(f);
}

bool
files_busy(void)
{
	struct file	*f;

	if (opening != NULL)
		return true;
	LIST_FOREACH(f, &files, entry)
		if (f->wanted || f->fd != -1)
			return true;
	return false;
}

/* The whole file, or NULL with errno. */
static char *
read_all(int fd, size_t *len)
{
	char	*text = NULL, *bigger;
	size_t	 size = 0, got = 0;
	ssize_t	 n;

	do {
		if (size - got < 2) {
			size = size == 0 ? 8192 : size * 2;
			if (size > FILE_SIZE_MAX) {
				errno = EFBIG;
				goto fail;
			}
			if ((bigger = realloc(text, size)) == NULL)
				fatal(NULL);
			text = bigger;
		}
		n = pread(fd, text + got, size - got - 1, (off_t)got);
		if (n == -1)
			goto fail;
		got += (size_t)n;
	} while (n > 0);
	text[got] = '\0';
	*len = got;
	return text;
fail:
	free(text);
	return NULL;
}

static bool
version_eq(const struct file_version *a, const struct file_version *b)
{
	return a->dev == b->dev && a->ino == b->ino && a->size == b->size &&
	    a->mtime_ns == b->mtime_ns && a->ctime_ns == b->ctime_ns;
}

/* The rules again, which nothing but the time of the file tells apart. */
static bool
same_rules(const struct file *f, const char *text, size_t len)
{
	return f->kind == FILE_RULES && f->seen && f->text != NULL &&
	    f->len == len && memcmp(f->text, text, len) == 0;
}

/* Takes the descriptor over; true if the file is not what was known. */
static bool
file_read(struct file *f, const struct msg_file *m, int fd)
{
	char		*text;
	size_t		 len;
	uint32_t	 err = f->err;
	bool		 same;

	f->err = m->err;
	if (fd == -1) {
		if (m->err == ENOENT)	/* a commit would create it */
			memset(&f->version, 0, sizeof(f->version));
		return true;
	}
	same = f->seen && version_eq(&f->version, &m->version);
	if (f->kind == FILE_LIST) {
		if (f->fd != -1)
			(void)close(f->fd);
		f->fd = fd;
		f->version = m->version;
		return true;
	}
	if (same) {		/* our own commit, or nothing but a touch */
		(void)close(fd);
		return false;
	}
	if ((text = read_all(fd, &len)) == NULL)
		f->err = (uint32_t)errno;
	else {
		same = err == 0 && same_rules(f, text, len);
		free(f->text);
		f->text = text;
		f->len = len;
		f->version = m->version;
	}
	(void)close(fd);
	return !same;
}

/*
 * The parent adds a watch, opens the file, and tells of both: what happens
 * between the opening and here comes before its watch is known, and is not in
 * what was opened.
 */
static bool
was_early(int wd)
{
	size_t	 i;

	for (i = 0; i < EARLY_MAX; i++)
		if (early[i] == wd) {
			early[i] = 0;
			return true;
		}
	return false;
}

int
files_arrived(struct imsg *im)
{
	static struct msg_file	 m;
	struct ibuf		 b;
	struct file		*f;
	size_t			 i;
	bool			 changed;

	ibuf_reader(&b, im->data, im->len);
	if (msg_get_file(&b, &m) == -1)
		return -1;
	f = file_get((enum file_kind)m.kind, m.part, m.path);
	/* Of several resolvers files one request brings every part. */
	if (opening != NULL && opening->kind == f->kind)
		opening = NULL;
	f->nwatch = m.nwatch;
	for (i = 0; i < m.nwatch; i++) {
		f->wd[i] = m.watch[i].wd;
		(void)strlcpy(f->watch[i], m.watch[i].name,
		    sizeof(f->watch[i]));
		if (was_early(m.watch[i].wd))
			f->wanted = true;
	}
	changed = file_read(f, &m, imsg_fd(im));
	f->seen = true;
	store_arrived(f, changed);
	open_next();
	return 0;
}

/* inotify(7). */

/*
 * A new file is looked at when it was written, not empty as it is made.  A
 * directory that was missing is made with the name that is watched for; one
 * that goes takes its watch along (IN_IGNORED has no name).
 */
static void
watch_event_one(const struct inotify_event *ev)
{
	struct file	*f;
	size_t		 i;
	bool		 known = false;

	if (ev->mask & IN_Q_OVERFLOW) {
		LIST_FOREACH(f, &files, entry)
			f->wanted = f->kind != FILE_TEMPORARY;
		return;
	}
	if ((ev->mask & IN_CREATE) && !(ev->mask & IN_ISDIR))
		return;
	if (ev->len == 0 && !(ev->mask & IN_IGNORED))
		return;
	LIST_FOREACH(f, &files, entry)
		for (i = 0; i < f->nwatch; i++) {
			if (f->wd[i] != ev->wd)
				continue;
			known = true;
			if (ev->len == 0 || strcmp(f->watch[i], ev->name) == 0)
				f->wanted = true;
		}
	if (!known)
		early[nearly++ % EARLY_MAX] = ev->wd;
}

static void
watch_readable(int fd, short what, void *arg)
{
	union {
		struct inotify_event	ev;
		char			buf[16384];
	} u;
	const struct inotify_event	*ev;
	ssize_t				 n;
	size_t				 off;

	(void)what;
	(void)arg;
	if ((n = read(fd, u.buf, sizeof(u.buf))) <= 0)
		return;
	for (off = 0; off + sizeof(*ev) <= (size_t)n;
	    off += sizeof(*ev) + ev->len) {
		ev = (const void *)(u.buf + off);
		if (ev->len > (size_t)n - off - sizeof(*ev))
			break;
		watch_event_one(ev);
	}
	open_next();
}

/* Committing. */

/* Sealed memory holding the text, or -1: the parent copies from it. */
static int
sealed(const char *text, size_t len)
{
	ssize_t	n;
	size_t	off;
	int	fd;

	fd = memfd_create("tinysnitch", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd == -1)
		return -1;
	for (off = 0; off < len; off += (size_t)n)
		if ((n = write(fd, text + off, len - off)) == -1)
			goto fail;
	if (fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW |
	    F_SEAL_WRITE) == -1)
		goto fail;
	return fd;
fail:
	(void)close(fd);
	return -1;
}

static void
commit_next(void)
{
	struct link		*l = ruled_link(ROLE_PARENT);
	struct msg_commit	 m;
	struct commit		*c;
	struct ibuf		 b;
	uint8_t			 buf[64];
	int			 kind, fd;

	if (committing != -1 || l == NULL)
		return;
	for (kind = 0; kind < FILE_KIND_MAX; kind++)
		if (commits[kind].waits)
			break;
	if (kind == FILE_KIND_MAX)
		return;
	c = &commits[kind];
	c->waits = false;
	if ((fd = sealed(c->text, c->len)) == -1) {
		log_warn("memory for a commit");
		store_committed((enum file_kind)kind, (uint32_t)errno);
		return;
	}
	memset(&m, 0, sizeof(m));
	m.kind = (uint8_t)kind;
	m.version = file_get((enum file_kind)kind, 0, "")->version;
	ibuf_writer(&b, buf, sizeof(buf));
	msg_put_commit(&b, &m);
	committing = kind;
	link_send_ibuf(l, MSG_COMMIT, fd, &b);
}

void
files_commit(enum file_kind kind, const char *text, size_t len)
{
	struct commit	*c = &commits[kind];

	free(c->text);
	if ((c->text = malloc(len + 1)) == NULL)
		fatal(NULL);
	memcpy(c->text, text, len);
	c->len = len;
	c->waits = true;
	commit_next();
}

bool
files_waiting(enum file_kind kind)
{
	return commits[kind].waits;
}

bool
files_committing(void)
{
	int	kind;

	for (kind = 0; kind < FILE_KIND_MAX; kind++)
		if (commits[kind].waits)
			return true;
	return committing != -1;
}

int
files_committed(struct imsg *im)
{
	struct msg_committed	 m;
	struct ibuf		 b;
	struct file		*f;

	ibuf_reader(&b, im->data, im->len);
	if (msg_get_committed(&b, &m) == -1 || (int)m.kind != committing)
		return -1;
	committing = -1;
	f = file_get((enum file_kind)m.kind, 0, "");
	if (m.err == 0) {
		f->version = m.version;
		f->seen = true;
	}
	store_committed((enum file_kind)m.kind, m.err);
	commit_next();
	return 0;
}
