/*
 * SPDX-License-Identifier: ISC
 *
 * ruled -n: reads the rules from standard input as the daemon would, and
 * says `file:line: reason` of every bad line on standard error; with -v the
 * canonical rules on standard output.  Files that the rules name are opened
 * by a second process, for this one parses inside ruled's own sandbox.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <inttypes.h>
#include <poll.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fdpass.h"
#include "log.h"
#include "ruled.h"
#include "sandbox.h"

#define USER		"_tinysnitch"
#define NOBODY		65534
#define OPEN_MS		10000

struct check {
	int		 opener;	/* paths go there, texts come back */
	struct ruleset	*set;
	unsigned	 errors;
	char		*text[INCLUDE_MAX];	/* of included files */
	size_t		 ntext;
	struct {
		enum action	 action;
		char		*path;
	}		 list[LISTS_MAX];
	size_t		 nlist;
};

static char *
slurp(int fd, size_t *len)
{
	char	*text;
	size_t	 got = 0;
	ssize_t	 n;

	if ((text = malloc(RULES_FILE_MAX + 1)) == NULL)
		fatal(NULL);
	while ((n = read(fd, text + got, RULES_FILE_MAX - got)) > 0)
		got += (size_t)n;
	if (n == 0 && got == RULES_FILE_MAX) {
		errno = EFBIG;
		n = -1;
	}
	if (n == -1) {
		free(text);
		return NULL;
	}
	text[got] = '\0';
	*len = got;
	return text;
}

/* The process outside: a path in, a descriptor or errno out. */

static void
opener_loop(int sock)
{
	char		path[PATH_MAX];
	struct stat	st;
	ssize_t		n;
	int		fd, error;

	while ((n = recv(sock, path, sizeof(path) - 1, 0)) > 0) {
		path[n] = '\0';
		error = 0;
		fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
		if (fd == -1 || fstat(fd, &st) == -1)
			error = errno;
		else if (!S_ISREG(st.st_mode))
			error = EINVAL;
		(void)fdpass_send(sock, &error, sizeof(error),
		    error == 0 ? fd : -1, 0);
		if (fd != -1)
			(void)close(fd);
	}
	_exit(0);
}

/* As at run time: rules can name only what the daemon's user may read. */
static int
opener_start(uid_t uid, gid_t gid)
{
	int	pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == -1)
		fatal("socketpair");
	switch (fork()) {
	case -1:
		fatal("fork");
	case 0:
		(void)close(pair[0]);
		if (geteuid() == 0 && (setgroups(0, NULL) == -1 ||
		    setresgid(gid, gid, gid) == -1 ||
		    setresuid(uid, uid, uid) == -1))
			fatal("identity");
		opener_loop(pair[1]);
	}
	(void)close(pair[1]);
	return pair[0];
}

/* The descriptor, or -1 with errno. */
static int
opener_ask(int sock, const char *path)
{
	int	error, fd;
	bool	stray;

	/* Not send(2): its number is not in the filter of ruled -n. */
	if (write(sock, path, strlen(path)) == -1)
		return -1;
	if (fdpass_recv(sock, &error, sizeof(error), &fd, &stray, 0) !=
	    sizeof(error)) {
		errno = EIO;
		return -1;
	}
	errno = error;
	return fd;
}

static void
check_report(const char *file, uint32_t line, const char *reason,
    enum report class, void *arg)
{
	struct check	*ck = arg;

	/* Some lines are good, but mean something else than before. */
	(void)fprintf(stderr, "%s:%" PRIu32 ": %s%s\n", file, line,
	    class == REPORT_CHANGED ? "changed: " : "", reason);
	if (class != REPORT_CHANGED)
		ck->errors++;
}

/* -1: one too many, as for the daemon. */
static int
note_list(struct check *ck, const char *path, enum action action)
{
	size_t	i;

	for (i = 0; i < ck->nlist; i++)
		if (ck->list[i].action == action &&
		    strcmp(ck->list[i].path, path) == 0)
			return 0;
	if (ck->nlist == LISTS_MAX)
		return -1;
	ck->list[ck->nlist].action = action;
	if ((ck->list[ck->nlist++].path = strdup(path)) == NULL)
		fatal(NULL);
	return 0;
}

static int
check_wants(enum file_kind kind, const char *path, enum action action,
    const char **text, size_t *len, char *err, size_t errsize, void *arg)
{
	struct check	*ck = arg;
	int		 fd;

	if (kind == FILE_LIST && note_list(ck, path, action) == -1) {
		(void)snprintf(err, errsize, "more than %d lists", LISTS_MAX);
		return -1;
	}
	if ((fd = opener_ask(ck->opener, path)) == -1) {
		(void)snprintf(err, errsize, "%s: %s", path, strerror(errno));
		return -1;
	}
	*text = NULL;
	*len = 0;
	if (kind == FILE_INCLUDE && ck->ntext < INCLUDE_MAX &&
	    (*text = ck->text[ck->ntext++] = slurp(fd, len)) == NULL) {
		(void)snprintf(err, errsize, "%s: %s", path, strerror(errno));
		(void)close(fd);
		return -1;
	}
	(void)close(fd);
	return 1;
}

/*
 * In the order they were read, included ones in their place; then the lists,
 * which decide after all rules, so that their place in the file says nothing.
 */
static void
check_print(const struct check *ck)
{
	char	text[RULE_TEXT_MAX], path[PATH_MAX * 2];
	size_t	i;

	for (i = 0; i < ruleset_count(ck->set); i++)
		if (rule_print(ruleset_at(ck->set, i), text,
		    sizeof(text)) != -1)
			(void)printf("%s\n", text);
	for (i = 0; i < ck->nlist; i++)
		if (rule_quote(ck->list[i].path, false, path,
		    sizeof(path)) != -1)
			(void)printf("%s-list %s\n",
			    action_name(ck->list[i].action), path);
}

static struct passwd_map *
read_users(void)
{
	struct passwd_map	*map;
	char			*text;
	size_t			 len;
	int			 fd;

	if ((fd = open("/etc/passwd", O_RDONLY | O_CLOEXEC)) == -1 ||
	    (text = slurp(fd, &len)) == NULL)
		fatal("/etc/passwd");
	map = passwd_parse(text, len);
	(void)close(fd);
	free(text);
	return map;
}

static void
enter_sandbox(uid_t uid, gid_t gid)
{
	int	root;

	if (geteuid() == 0) {
		root = sandbox_mount_empty();
		if (root != FD_ROOT && dup2(root, FD_ROOT) == -1)
			fatal("dup2");
		if (root != FD_ROOT)
			(void)close(root);
	}
	sandbox_check_only(uid, gid);
}

int
check_main(int argc, char *argv[])
{
	struct ruleset_hooks	 hooks = { check_report, check_wants, NULL };
	struct passwd_map	*users;
	struct passwd		*pw;
	struct check		 ck;
	char			*text;
	size_t			 len;
	uid_t			 uid = NOBODY;
	gid_t			 gid = NOBODY;
	bool			 print = false, check = false;
	int			 c;

	while ((c = getopt(argc, argv, "nv")) != -1)
		if (c == 'n')
			check = true;
		else if (c == 'v')
			print = true;
	if (!check || optind != argc - 1)
		fatalx("this program is run by tinysnitch");
	if ((pw = getpwnam(USER)) != NULL) {
		uid = pw->pw_uid;
		gid = pw->pw_gid;
	}
	memset(&ck, 0, sizeof(ck));
	/* Beyond the numbers that the sandbox gives a meaning. */
	if ((c = fcntl(opener_start(uid, gid), F_DUPFD_CLOEXEC,
	    FD_CHILD_MAX)) == -1)
		fatal("fcntl");
	ck.opener = c;
	users = read_users();
	ck.set = ruleset_new(false);
	setvbuf(stdout, NULL, _IOFBF, BUFSIZ);
	enter_sandbox(uid, gid);
	if ((text = slurp(STDIN_FILENO, &len)) == NULL)
		fatal("%s", argv[optind]);
	hooks.arg = &ck;
	ruleset_load(ck.set, argv[optind], text, len, users, &hooks);
	if (print)
		check_print(&ck);
	if (fflush(stdout) == EOF)
		fatal("standard output");
	return ck.errors > 0;
}
