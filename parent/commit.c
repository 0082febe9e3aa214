/*
 * SPDX-License-Identifier: ISC
 *
 * ruled may be taken over: what it hands in is only ever copied, never
 * executed, followed or parsed, and the paths are the configuration's.  The
 * other side of the race is people: an editor may save at any moment, and
 * what it saved must not be lost.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "commit.h"

#define SEALS		(F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | \
			    F_SEAL_WRITE)
#define NEW_MODE	0600	/* of a file that was not there */
#define PUT_BACK_MAX	1000	/* saves by others during one commit */

/* Splits path into a directory's path and a name. */
static int
place_split(struct place *p, const char *path)
{
	const char	*slash = strrchr(path, '/');
	size_t		 len;

	p->missing = false;
	if (slash == NULL) {
		errno = EINVAL;
		return -1;
	}
	len = slash == path ? 1 : (size_t)(slash - path);
	if (len >= sizeof(p->path) ||
	    strlcpy(p->name, slash + 1, sizeof(p->name)) >= sizeof(p->name)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(p->path, path, len);
	p->path[len] = '\0';
	if (p->name[0] == '\0' || strcmp(p->name, ".") == 0 ||
	    strcmp(p->name, "..") == 0) {
		errno = EISDIR;
		return -1;
	}
	return 0;
}

static int
place_open(struct place *p, const char *path)
{
	p->dir = -1;
	if (place_split(p, path) == -1)
		return -1;
	p->dir = open(p->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return p->dir == -1 ? -1 : 0;
}

/* The target of the link at p as a path, or "" if it is no link. */
static int
place_link(const struct place *p, char *path, size_t size)
{
	char	target[PATH_MAX];
	ssize_t	n;
	int	len;

	path[0] = '\0';
	n = readlinkat(p->dir, p->name, target, sizeof(target) - 1);
	if (n == -1)	/* a plain file, or none yet */
		return errno == EINVAL || errno == ENOENT ? 0 : -1;
	target[n] = '\0';
	if (target[0] == '/')
		len = snprintf(path, size, "%s", target);
	else
		len = snprintf(path, size, "%s/%s", p->path, target);
	if (len < 0 || (size_t)len >= size) {
		errno = ENAMETOOLONG;
		return -1;
	}
	return 0;
}

int
place_walk(const char *start, struct place *p, int max)
{
	char	path[PATH_MAX];
	int	n;

	if (strlcpy(path, start, sizeof(path)) >= sizeof(path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	for (n = 0; n < max; n++) {
		if (place_open(&p[n], path) == -1 ||
		    place_link(&p[n], path, sizeof(path)) == -1) {
			place_close(p, n + 1);
			return -1;
		}
		if (path[0] == '\0')
			return n + 1;
	}
	place_close(p, n);
	errno = ELOOP;
	return -1;
}

/* The nearest directory above a path whose own is missing. */
static int
place_climb(struct place *p, const char *missing)
{
	char	path[PATH_MAX], *slash;

	if (strlcpy(path, missing, sizeof(path)) >= sizeof(path))
		return -1;
	while ((slash = strrchr(path, '/')) != NULL && slash != path) {
		*slash = '\0';
		if (place_open(p, path) == -1)
			continue;
		p->missing = true;
		return 0;
	}
	return -1;
}

int
place_watch(const char *start, struct place *p, int max)
{
	char	path[PATH_MAX];
	int	n;

	if (strlcpy(path, start, sizeof(path)) >= sizeof(path))
		return 0;
	for (n = 0; n < max; n++) {
		if (place_open(&p[n], path) == -1)
			return place_climb(&p[n], path) == -1 ? n : n + 1;
		if (place_link(&p[n], path, sizeof(path)) == -1 ||
		    path[0] == '\0')
			return n + 1;
	}
	return n;
}

void
place_close(struct place *p, int n)
{
	int	saved = errno;

	while (n-- > 0) {
		if (p[n].dir != -1)
			(void)close(p[n].dir);
		p[n].dir = -1;
	}
	errno = saved;
}

static uint64_t
ns_of(const struct timespec *ts)
{
	return (uint64_t)ts->tv_sec * 1000000000 + (uint64_t)ts->tv_nsec;
}

void
version_of(const struct stat *st, struct file_version *v)
{
	v->dev = st->st_dev;
	v->ino = st->st_ino;
	v->size = (uint64_t)st->st_size;
	v->mtime_ns = ns_of(&st->st_mtim);
	v->ctime_ns = ns_of(&st->st_ctim);
}

/* Without ctime: renaming changes it. */
static bool
same_content(const struct stat *st, const struct file_version *v)
{
	struct file_version	is;

	version_of(st, &is);
	return is.dev == v->dev && is.ino == v->ino && is.size == v->size &&
	    is.mtime_ns == v->mtime_ns;
}

int
commit_check_sealed(int fd)
{
	struct stat	st;
	int		seals;

	if ((seals = fcntl(fd, F_GET_SEALS)) == -1)
		return errno;
	if ((seals & SEALS) != SEALS)
		return EPERM;
	if (fstat(fd, &st) == -1)
		return errno;
	return st.st_size > COMMIT_SIZE_MAX ? EFBIG : 0;
}

static int
copy_all(int to, int from)
{
	struct stat	st;
	off_t		off = 0;
	ssize_t		n;

	if (fstat(from, &st) == -1)
		return errno;
	while (off < st.st_size) {
		n = sendfile(to, from, &off, (size_t)(st.st_size - off));
		if (n == -1)
			return errno;
		if (n == 0)
			return EIO;
	}
	return 0;
}

static int
keep_owner(int fd, const struct stat *old)
{
	struct stat	st;

	if (fstat(fd, &st) == -1)
		return errno;
	if (old == NULL)
		return fchmod(fd, NEW_MODE) == -1 ? errno : 0;
	if ((st.st_uid != old->st_uid || st.st_gid != old->st_gid) &&
	    fchown(fd, old->st_uid, old->st_gid) == -1)
		return errno;
	return fchmod(fd, old->st_mode & 07777) == -1 ? errno : 0;
}

/* The new text in a file of its own beside the old one, on the disk. */
static int
write_temporary(const struct place *p, const char *tmp, int memfd,
    const struct stat *old, struct stat *ours)
{
	int	fd, err;

	if (unlinkat(p->dir, tmp, 0) == -1 && errno != ENOENT)
		return errno;
	if ((fd = openat(p->dir, tmp, O_WRONLY | O_CREAT | O_EXCL |
	    O_NOFOLLOW | O_CLOEXEC, 0600)) == -1)
		return errno;
	if ((err = copy_all(fd, memfd)) == 0 &&
	    (err = keep_owner(fd, old)) == 0 &&
	    (fsync(fd) == -1 || fstat(fd, ours) == -1))
		err = errno;
	if (close(fd) == -1 && err == 0)
		err = errno;
	if (err != 0)
		(void)unlinkat(p->dir, tmp, 0);
	return err;
}

/* Does somebody hold this file open for writing?  fcntl(2), leases. */
static bool
has_writer(int fd)
{
	if (fcntl(fd, F_SETLEASE, F_RDLCK) == -1)
		return errno == EAGAIN;
	(void)fcntl(fd, F_SETLEASE, F_UNLCK);
	return false;
}

/*
 * Is the old file what has this name, and did it not change since ruled read
 * it, nor is about to?
 */
static bool
old_is_current(const struct place *p, const char *name, int old,
    const struct file_version *from)
{
	struct stat	st;

	if (fstatat(p->dir, name, &st, AT_SYMLINK_NOFOLLOW) == -1 ||
	    !same_content(&st, from))
		return false;
	return !has_writer(old) && fstat(old, &st) == 0 &&
	    same_content(&st, from);
}

/* Is what lies under the temporary name this file, as it was then? */
static bool
tmp_is(const struct place *p, const char *tmp, const struct stat *was)
{
	struct stat	st;
	bool		same;
	int		fd;

	fd = openat(p->dir, tmp, O_RDONLY | O_NOFOLLOW | O_NONBLOCK |
	    O_NOCTTY | O_CLOEXEC);
	if (fd == -1)
		return false;
	same = !has_writer(fd) && fstat(fd, &st) == 0 &&
	    st.st_dev == was->st_dev && st.st_ino == was->st_ino &&
	    st.st_size == was->st_size &&
	    st.st_mtim.tv_sec == was->st_mtim.tv_sec &&
	    st.st_mtim.tv_nsec == was->st_mtim.tv_nsec;
	(void)close(fd);
	return same;
}

/*
 * Puts the old file back.  What comes out should be what was put there just
 * before, our own new file at first.  If it is not, or was written to, then
 * somebody saved another one meanwhile, and theirs is the newest: it goes
 * back in, until nobody came between.
 */
static int
put_back(const struct place *p, const char *tmp, const struct stat *ours)
{
	struct stat	put, before = *ours;
	int		i;

	for (i = 0; i < PUT_BACK_MAX; i++) {
		if (fstatat(p->dir, tmp, &put, AT_SYMLINK_NOFOLLOW) == -1)
			return errno;
		/* ENOENT: removed meanwhile, and to remain so. */
		if (renameat2(p->dir, tmp, p->dir, p->name,
		    RENAME_EXCHANGE) == -1 || tmp_is(p, tmp, &before))
			return ESTALE;
		before = put;
	}
	return EBUSY;
}

static int
exchange(const struct place *p, const char *tmp, int old,
    const struct file_version *from, const struct stat *ours)
{
	/*
	 * Writing ours took its time.  Who saved meanwhile, or is about to, must
	 * not come to see it: another editor might read it before it is taken
	 * back, and save what lacks the first one's work.
	 */
	if (!old_is_current(p, p->name, old, from))
		return ESTALE;
	if (renameat2(p->dir, tmp, p->dir, p->name, RENAME_EXCHANGE) == -1)
		return errno == ENOENT ? ESTALE : errno;
	/*
	 * The old one is out of reach now.  Looked at again once the disk has
	 * it: an open(2) that had found the old file just before the exchange
	 * is over by then.
	 */
	if (old_is_current(p, tmp, old, from)) {
		if (fsync(p->dir) == -1)
			return errno;
		if (old_is_current(p, tmp, old, from))
			return 0;
	}
	return put_back(p, tmp, ours);
}

/*
 * The version of our own text, and of nothing that an editor made of it since:
 * ruled takes it for what it knows.  Renaming changed ctime.
 */
static void
own_version(const struct place *p, const struct stat *ours,
    struct file_version *now)
{
	struct stat	st;

	version_of(ours, now);
	if (fstatat(p->dir, p->name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    same_content(&st, now))
		version_of(&st, now);
}

static int
commit_at(const struct place *p, int memfd, const struct file_version *from,
    struct file_version *now)
{
	char		tmp[NAME_MAX + 1];
	struct stat	st, ours;
	int		old, err, n;

	n = snprintf(tmp, sizeof(tmp), ".%s.tmp", p->name);
	if (n < 0 || (size_t)n >= sizeof(tmp))
		return ENAMETOOLONG;
	old = openat(p->dir, p->name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK |
	    O_NOCTTY | O_CLOEXEC);
	if (old == -1 && errno != ENOENT)
		return errno;
	err = 0;
	if (old == -1 && from->ino != 0)
		return ESTALE;
	if (old != -1 && fstat(old, &st) == -1)
		err = errno;
	else if (old != -1 && !S_ISREG(st.st_mode))
		err = EINVAL;
	else if (old != -1 && !same_content(&st, from))
		err = ESTALE;
	if (err == 0)
		err = write_temporary(p, tmp, memfd, old == -1 ? NULL : &st,
		    &ours);
	if (err == 0) {
		if (old != -1)
			err = exchange(p, tmp, old, from, &ours);
		else if (renameat2(p->dir, tmp, p->dir, p->name,
		    RENAME_NOREPLACE) == -1)
			err = errno == EEXIST ? ESTALE : errno;
		if (err != EBUSY)	/* it may be somebody's work */
			(void)unlinkat(p->dir, tmp, 0);
		if (fsync(p->dir) == -1 && err == 0)
			err = errno;
		if (err == 0)
			own_version(p, &ours, now);
	}
	if (old != -1)
		(void)close(old);
	return err;
}

int
commit_file(const char *path, int memfd, const struct file_version *from,
    struct file_version *now)
{
	struct place	p[WATCHES_PER_FILE];
	int		n, err;

	memset(now, 0, sizeof(*now));
	if ((err = commit_check_sealed(memfd)) != 0)
		return err;
	if ((n = place_walk(path, p, WATCHES_PER_FILE)) == -1)
		return errno;
	err = commit_at(&p[n - 1], memfd, from, now);
	place_close(p, n);
	return err;
}
