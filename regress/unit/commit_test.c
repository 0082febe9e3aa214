/*
 * SPDX-License-Identifier: ISC
 *
 * Replacing the rules file: never half, never over somebody else's change,
 * keeping owner, mode and link.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../parent/commit.h"

#define KILLS	1000
#define BIG	(128 * 1024)

/* Not on a disk, which would be the slower party of every race. */
static char	dir[] = "/dev/shm/tinysnitch-commit.XXXXXX";
static char	path[64], other[64], link_path[80];
static int	failed;
static int	exchanges;	/* of two names, see renameat2() below */

static void
report(const char *name, int ok, const char *why)
{
	if (ok)
		(void)printf("ok %s\n", name);
	else {
		(void)printf("not ok %s: %s\n", name, why);
		failed = 1;
	}
	(void)fflush(stdout);
}

static void
must(int ok, const char *what)
{
	if (ok)
		return;
	perror(what);
	exit(2);
}

static int
memfd(const char *text, size_t len, int seals)
{
	int	fd;

	fd = memfd_create("text", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	must(fd != -1 && write(fd, text, len) == (ssize_t)len, "memfd");
	must(fcntl(fd, F_ADD_SEALS, seals) == 0, "seals");
	return fd;
}

static int
sealed(const char *text)
{
	return memfd(text, strlen(text), F_SEAL_SEAL | F_SEAL_SHRINK |
	    F_SEAL_GROW | F_SEAL_WRITE);
}

static void
put(const char *file, const char *text)
{
	int	fd;

	fd = open(file, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	must(fd != -1 && write(fd, text, strlen(text)) ==
	    (ssize_t)strlen(text), file);
	(void)close(fd);
}

static const char *
get(const char *file)
{
	static char	buf[4096];
	ssize_t		n;
	int		fd;

	if ((fd = open(file, O_RDONLY)) == -1)
		return "(missing)";
	n = read(fd, buf, sizeof(buf) - 1);
	(void)close(fd);
	buf[n > 0 ? n : 0] = '\0';
	return buf;
}

static struct file_version
version(const char *file)
{
	struct file_version	v;
	struct stat		st;

	memset(&v, 0, sizeof(v));
	if (stat(file, &st) == 0)
		version_of(&st, &v);
	return v;
}

/* Commits text over a file that was read as version v. */
static int
commit(const char *file, const char *text, struct file_version v)
{
	struct file_version	now;
	int			fd = sealed(text), err;

	err = commit_file(file, fd, &v, &now);
	(void)close(fd);
	return err;
}

/* Nothing but these may be in the directory afterwards. */
static int
clean(void)
{
	char	tmp[80];

	(void)snprintf(tmp, sizeof(tmp), "%s/.rules.tmp", dir);
	return access(tmp, F_OK) == -1;
}

static void
test_plain(void)
{
	struct file_version	v, now;
	struct stat		st;
	int			fd, err;

	put(path, "old\n");
	must(chmod(path, 0640) == 0 && chown(path, 1, 2) == 0, "chown");
	v = version(path);
	fd = sealed("new\n");
	err = commit_file(path, fd, &v, &now);
	(void)close(fd);
	report("text replaced", err == 0 && strcmp(get(path), "new\n") == 0,
	    strerror(err));
	must(stat(path, &st) == 0, path);
	report("mode kept", (st.st_mode & 07777) == 0640, "mode changed");
	report("owner kept", st.st_uid == 1 && st.st_gid == 2,
	    "owner changed");
	v = version(path);
	report("version told", memcmp(&v, &now, sizeof(v)) == 0,
	    "another version");
	report("nothing left over", clean(), "temporary file stays");
	must(chown(path, 0, 0) == 0, "chown");
	err = commit(path, "", version(path));
	report("empty text", err == 0 && get(path)[0] == '\0',
	    strerror(err));
}

static void
test_missing(void)
{
	struct file_version	none;
	struct stat		st;
	int			err;

	memset(&none, 0, sizeof(none));
	(void)unlink(path);
	err = commit(path, "first\n", none);
	must(stat(path, &st) == 0, path);
	report("missing file made", err == 0 && (st.st_mode & 07777) == 0600 &&
	    strcmp(get(path), "first\n") == 0, strerror(err));
	err = commit(path, "second\n", none);
	report("file that appeared is kept", err == ESTALE &&
	    strcmp(get(path), "first\n") == 0, strerror(err));
	none = version(path);
	(void)unlink(path);
	err = commit(path, "second\n", none);
	report("file that was removed stays removed", err == ESTALE &&
	    access(path, F_OK) == -1, strerror(err));
}

static void
test_stale(void)
{
	struct file_version	v;
	int			err, fd;

	put(path, "one\n");
	v = version(path);
	put(path, "two, by an editor\n");
	err = commit(path, "ours\n", v);
	report("changed in place", err == ESTALE &&
	    strcmp(get(path), "two, by an editor\n") == 0, strerror(err));

	v = version(path);
	put(other, "three, renamed\n");
	must(rename(other, path) == 0, "rename");
	err = commit(path, "ours\n", v);
	report("changed by renaming", err == ESTALE &&
	    strcmp(get(path), "three, renamed\n") == 0, strerror(err));

	v = version(path);
	must((fd = open(path, O_WRONLY)) != -1, path);
	exchanges = 0;
	err = commit(path, "ours\n", v);
	must(write(fd, "FOUR", 4) == 4, "write");
	(void)close(fd);
	report("open for writing elsewhere", err == ESTALE &&
	    strncmp(get(path), "FOUR", 4) == 0, strerror(err));
	report("and nobody sees what was refused", exchanges == 0,
	    "it was in place for a moment");
	err = commit(path, "ours\n", version(path));
	report("then it works", err == 0 && strcmp(get(path), "ours\n") == 0,
	    strerror(err));
	report("nothing left over after refusals", clean(),
	    "temporary file stays");
}

static void
test_links(void)
{
	struct stat	st;
	int		err;

	put(path, "behind the link\n");
	(void)unlink(link_path);
	must(symlink("../rules", link_path) == 0, "symlink");
	err = commit(link_path, "new\n", version(path));
	report("link followed", err == 0 && strcmp(get(path), "new\n") == 0 &&
	    lstat(link_path, &st) == 0 && S_ISLNK(st.st_mode), strerror(err));
	(void)unlink(link_path);
	must(symlink("link", link_path) == 0, "symlink");
	err = commit(link_path, "new\n", version(path));
	report("loop of links", err == ELOOP, strerror(err));
	(void)unlink(other);
	must(mkfifo(other, 0600) == 0, "mkfifo");
	err = commit(other, "new\n", version(other));
	report("no file", err == EINVAL, strerror(err));
	(void)unlink(other);
	err = commit(dir, "new\n", version(dir));
	report("a directory", err == EINVAL, strerror(err));
}

static int
watches(const char *file, int n, const char *where, const char *name,
    bool missing)
{
	struct place	p[WATCHES_PER_FILE];
	int		got = place_watch(file, p, WATCHES_PER_FILE), good;

	good = got == n && strcmp(p[n - 1].name, name) == 0 &&
	    p[n - 1].missing == missing &&
	    strcmp(p[n - 1].path, where) == 0;
	place_close(p, got);
	return good;
}

static void
test_watch(void)
{
	char	deep[128], way[128];

	report("watched in its directory", watches(path, 1, dir, "rules",
	    false), "elsewhere");
	(void)snprintf(deep, sizeof(deep), "%s/none/such/file", dir);
	report("watched for a directory that is missing", watches(deep, 1,
	    dir, "none", true), "elsewhere");
	(void)unlink(link_path);
	must(symlink("../none/file", link_path) == 0, "symlink");
	(void)snprintf(way, sizeof(way), "%s/sub/..", dir);
	report("watched where a link leads to nothing", watches(link_path, 2,
	    way, "none", true), "elsewhere");
	report("no path at all", place_watch("rules", NULL, 0) == 0, "one");
}

static void
test_sealed(void)
{
	struct file_version	v, now;
	static char		big[4096];
	int			fd, err, i;

	put(path, "old\n");
	v = version(path);
	fd = memfd("new\n", 4, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
	err = commit_file(path, fd, &v, &now);
	(void)close(fd);
	report("memfd still writable", err == EPERM &&
	    strcmp(get(path), "old\n") == 0, strerror(err));
	must((fd = open("/proc/self/exe", O_RDONLY)) != -1, "exe");
	err = commit_file(path, fd, &v, &now);
	(void)close(fd);
	report("no memfd", err == EINVAL, strerror(err));
	fd = memfd_create("big", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	for (i = 0; i <= COMMIT_SIZE_MAX / 4096; i++)
		must(write(fd, big, sizeof(big)) == sizeof(big), "write");
	must(fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK |
	    F_SEAL_GROW | F_SEAL_WRITE) == 0, "seals");
	err = commit_file(path, fd, &v, &now);
	(void)close(fd);
	report("memfd too large", err == EFBIG, strerror(err));
}

/* What a ruled that was taken over might hand over instead of a text. */
static void
test_odd(void)
{
	struct file_version	v, now;
	int			fd[6], pair[2], i, err, bad = 0;

	put(path, "old\n");
	v = version(path);
	must(pipe(pair) == 0, "pipe");
	fd[0] = pair[0];
	fd[1] = pair[1];
	must((fd[2] = open(dir, O_RDONLY | O_DIRECTORY)) != -1, "directory");
	must((fd[3] = epoll_create1(0)) != -1, "epoll");
	must((fd[4] = open("/dev/zero", O_RDWR)) != -1, "device");
	must((fd[5] = open(path, O_PATH)) != -1, "path");
	for (i = 0; i < 6; i++) {
		if ((err = commit_file(path, fd[i], &v, &now)) == 0)
			bad = i + 1;
		(void)close(fd[i]);
	}
	report("pipe, directory, epoll, device, path", bad == 0 &&
	    strcmp(get(path), "old\n") == 0, "taken");
}

/* Root writes everywhere but where the file system itself says no. */
static void
test_read_only(void)
{
	int	err;

	err = commit("/proc/self/status", "new\n",
	    version("/proc/self/status"));
	report("directory that takes no files", err != 0, "accepted");
	err = commit("/nonexistent/rules", "new\n", version("/nonexistent"));
	report("directory missing", err == ENOENT, strerror(err));
}

/* All one letter, or the file is torn. */
static int
is_whole(void)
{
	static char	buf[BIG + 1];
	ssize_t		n, i;
	int		fd;

	if ((fd = open(path, O_RDONLY)) == -1)
		return 0;
	n = read(fd, buf, sizeof(buf));
	(void)close(fd);
	if (n != BIG)
		return 0;
	for (i = 1; i < n; i++)
		if (buf[i] != buf[0])
			return 0;
	return 1;
}

static void
commit_forever(void)
{
	static char	text[BIG + 1];
	unsigned int	i;

	for (i = 0;; i++) {
		memset(text, 'a' + (int)(i % 26), BIG);
		(void)commit(path, text, version(path));
	}
}

static void
test_killed(void)
{
	static char	text[BIG + 1];
	int		i, torn = 0;
	pid_t		pid;

	memset(text, 'z', BIG);
	put(path, text);
	srandom(1);
	for (i = 0; i < KILLS; i++) {
		must((pid = fork()) != -1, "fork");
		if (pid == 0)
			commit_forever();
		(void)usleep((useconds_t)(random() % 2000));
		(void)kill(pid, SIGKILL);
		(void)waitpid(pid, NULL, 0);
		torn += !is_whole();
	}
	report("killed at any moment", torn == 0, "torn file");
	i = commit(path, "done\n", version(path));
	report("what a kill left is no hindrance", i == 0 && clean(),
	    strerror(i));
}

/*
 * An editor that saves at the worst moment: just before the commit's n-th
 * exchange of two names.  This takes the place of the C library's function.
 */
static int	last_edit;
static char	saves[8];	/* by renaming, or in place; 0: not now */

int
renameat2(int from, const char *old, int to, const char *new,
    unsigned int flags)
{
	char	text[32];

	if (exchanges < (int)sizeof(saves) && saves[exchanges] != 0) {
		(void)snprintf(text, sizeof(text), "edit %d\n", ++last_edit);
		put(saves[exchanges] == 'r' ? other : path, text);
		if (saves[exchanges] == 'r')
			must(rename(other, path) == 0, "rename");
	}
	exchanges++;
	return (int)syscall(SYS_renameat2, from, old, to, new, flags);
}

static void
race(const char *when, const char *name)
{
	char	want[32];
	int	err;

	put(path, "old\n");
	memset(saves, 0, sizeof(saves));
	memcpy(saves, when, strlen(when));
	exchanges = last_edit = 0;
	err = commit(path, "ours\n", version(path));
	memset(saves, 0, sizeof(saves));
	(void)snprintf(want, sizeof(want), "edit %d\n", last_edit);
	report(name, err == ESTALE && strcmp(get(path), want) == 0 && clean(),
	    get(path));
}

static void
test_races(void)
{
	race("r", "saved before the exchange");
	race("rr", "saved again before it is taken back");
	race("rrr", "and once more");
	race("rrrrr", "and on and on");
	race("rw", "written in place before it is taken back");
	race("rrw", "renamed, then written in place");
	race("ww", "written in place each time");
}

int
main(void)
{
	char	sub[64];

	must(mkdtemp(dir) != NULL, "mkdtemp");
	(void)snprintf(path, sizeof(path), "%s/rules", dir);
	(void)snprintf(other, sizeof(other), "%s/other", dir);
	(void)snprintf(sub, sizeof(sub), "%s/sub", dir);
	must(mkdir(sub, 0700) == 0, "mkdir");
	(void)snprintf(link_path, sizeof(link_path), "%s/link", sub);
	test_plain();
	test_missing();
	test_stale();
	test_links();
	test_watch();
	test_sealed();
	test_odd();
	test_read_only();
	test_killed();
	test_races();
	(void)unlink(path);
	(void)unlink(other);
	(void)unlink(link_path);
	(void)rmdir(sub);
	(void)rmdir(dir);
	return failed;
}
