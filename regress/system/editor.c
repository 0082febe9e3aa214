/*
 * SPDX-License-Identifier: ISC
 *
 * People's editors, careful ones: what came into the file since they read it
 * is not overwritten by them.
 *
 *	editor rename FILE LINE
 *	editor truncate FILE LINE
 *
 * rename writes a new file and puts it in the place of the old one; truncate
 * empties the file and writes it anew, in pieces, so that it is half a file
 * for a while.  Both append LINE.  Of several editors one works at a time.
 */
#include <sys/file.h>
#include <sys/stat.h>

#include <err.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TRIES_MAX	10000
#define PAUSE_US	3000	/* between two pieces */
#define TEXT_MAX	(1 << 20)

static char	text[TEXT_MAX];
static size_t	len;

static void
read_and_append(int fd, const char *line)
{
	ssize_t	n;

	for (len = 0; (n = pread(fd, text + len, sizeof(text) - len - 1,
	    (off_t)len)) > 0; len += (size_t)n)
		continue;
	if (n == -1)
		err(1, "read");
	if (len + strlen(line) + 2 > sizeof(text))
		errx(1, "too long a file");
	memcpy(text + len, line, strlen(line));
	len += strlen(line);
	text[len++] = '\n';
}

static void
write_part(int fd, size_t from, size_t to)
{
	if (pwrite(fd, text + from, to - from, (off_t)from) !=
	    (ssize_t)(to - from))
		err(1, "write");
}

static bool
same(const struct stat *a, const struct stat *b)
{
	return a->st_ino == b->st_ino && a->st_size == b->st_size &&
	    a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
	    a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

/* False if somebody else was faster. */
static bool
by_rename(const char *path, const char *line)
{
	char		new[4096];
	struct stat	was, is;
	int		fd;

	(void)snprintf(new, sizeof(new), "%s.editor", path);
	if ((fd = open(path, O_RDONLY)) == -1 || fstat(fd, &was) == -1)
		err(1, "%s", path);
	read_and_append(fd, line);
	(void)close(fd);
	if ((fd = open(new, O_WRONLY | O_CREAT | O_TRUNC, 0600)) == -1)
		err(1, "%s", new);
	write_part(fd, 0, len);
	(void)fchmod(fd, was.st_mode);
	(void)close(fd);
	if (renameat2(AT_FDCWD, new, AT_FDCWD, path, RENAME_EXCHANGE) == -1)
		err(1, "%s", path);
	if (stat(new, &is) == -1)
		err(1, "%s", new);
	if (same(&was, &is)) {
		(void)unlink(new);
		return true;
	}
	if (renameat2(AT_FDCWD, new, AT_FDCWD, path, RENAME_EXCHANGE) == -1)
		err(1, "%s", path);
	(void)unlink(new);
	return false;
}

static bool
by_truncating(const char *path, const char *line)
{
	struct stat	is, there;
	int		fd;

	if ((fd = open(path, O_RDWR)) == -1)
		err(1, "%s", path);
	/* From here on no commit can take this file's place. */
	if (fstat(fd, &is) == -1 || stat(path, &there) == -1 ||
	    is.st_ino != there.st_ino) {
		(void)close(fd);
		return false;
	}
	read_and_append(fd, line);
	if (ftruncate(fd, 0) == -1)
		err(1, "%s", path);
	(void)usleep(PAUSE_US);
	write_part(fd, 0, len / 3);
	(void)usleep(PAUSE_US);
	write_part(fd, len / 3, len);
	(void)close(fd);
	return true;
}

int
main(int argc, char *argv[])
{
	char	lock[4096];
	int	i, fd;
	bool	rename_it;

	if (argc != 4)
		errx(2, "usage: editor rename|truncate file line");
	rename_it = strcmp(argv[1], "rename") == 0;
	(void)snprintf(lock, sizeof(lock), "%s.lock", argv[2]);
	if ((fd = open(lock, O_RDWR | O_CREAT, 0600)) == -1 ||
	    flock(fd, LOCK_EX) == -1)
		err(1, "%s", lock);
	for (i = 0; i < TRIES_MAX; i++) {
		if (rename_it ? by_rename(argv[2], argv[3]) :
		    by_truncating(argv[2], argv[3]))
			return 0;
		(void)usleep(500);
	}
	errx(1, "%s: never quiet", argv[2]);
}
