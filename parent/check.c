/*
 * SPDX-License-Identifier: ISC
 *
 * tinysnitch -n: what would be wrong at the next start, each with the line of
 * the configuration that asks for it.  Nothing is opened for writing and
 * nothing made; it works without root, too, as far as that may look.
 */
#include <sys/types.h>

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "parent.h"

static int	bad;

/* line is 0 for what the file does not say: then it is the default. */
static void __attribute__((__format__(printf, 2, 3)))
report(int line, const char *fmt, ...)
{
	va_list	ap;

	bad++;
	if (line > 0)
		(void)fprintf(stderr, "%s:%d: ", env.conf_path, line);
	else
		(void)fprintf(stderr, "%s: ", env.conf_path);
	va_start(ap, fmt);
	(void)vfprintf(stderr, fmt, ap);
	va_end(ap);
	(void)fputc('\n', stderr);
}

static void
check_user(int line, const char *name)
{
	struct passwd	*pw;

	if ((pw = getpwnam(name)) == NULL)
		report(line, "user %s is missing; \"make users\" adds it",
		    name);
	else if (pw->pw_uid == 0)
		report(line, "user %s is root, which is no protection", name);
}

static void
check_users(const struct conf *c)
{
	struct passwd	*pw;
	uid_t		 uid;

	check_user(c->line.user, c->user);
	check_user(c->line.ask_user, c->ask_user);
	if ((pw = getpwnam(c->user)) != NULL) {
		uid = pw->pw_uid;
		if ((pw = getpwnam(c->ask_user)) != NULL && pw->pw_uid == uid)
			report(c->line.ask_user,
			    "user and ask user must not be the same");
	}
	if (c->control_group[0] != '\0' && getgrnam(c->control_group) == NULL)
		report(c->line.control, "group %s is missing; \"make users\" "
		    "adds it", c->control_group);
}

/* A path whose file may be missing, but not the directory it lies in. */
static bool
check_directory(int line, const char *path)
{
	char		dir[PATH_MAX], *slash;
	struct stat	st;

	(void)strlcpy(dir, path, sizeof(dir));
	if ((slash = strrchr(dir, '/')) == NULL)
		return true;
	slash[slash == dir] = '\0';
	if (stat(dir, &st) == 0) {
		if (S_ISDIR(st.st_mode))
			return true;
		errno = ENOTDIR;
	} else if (errno == EACCES)
		return true;
	report(line, "%s: %s", dir, strerror(errno));
	return false;
}

static void
check_directories(const struct conf *c)
{
	int	i;

	(void)check_directory(c->line.names, c->names);
	(void)check_directory(c->line.control, c->control);
	for (i = 0; i < c->nlog; i++)
		if (c->log[i].to == LOGTO_FILE)
			(void)check_directory(c->log[i].line, c->log[i].path);
}

/* Rules are parsed in ruled's own sandbox, or by its filter alone. */
static void __attribute__((__noreturn__))
exec_parser(int fd)
{
	char	 path[PATH_MAX + 16], name[] = "ruled", n[] = "-n", v[] = "-v";
	char	 rules[PATH_MAX], *argv[5], *envp[] = { NULL };
	int	 i = 0;

	(void)snprintf(path, sizeof(path), "%s/ruled", env.libexec);
	(void)strlcpy(rules, env.conf.rules, sizeof(rules));
	argv[i++] = name;
	argv[i++] = n;
	if (env.verbose)
		argv[i++] = v;
	argv[i++] = rules;
	argv[i] = NULL;
	if (dup2(fd, STDIN_FILENO) == -1)
		_exit(126);
	closefrom(STDERR_FILENO + 1);
	(void)execve(path, argv, envp);
	(void)fprintf(stderr, "%s: %s\n", path, strerror(errno));
	_exit(1);
}

static void
parse_rules(int fd)
{
	int	status;
	pid_t	pid;

	switch (pid = fork()) {
	case -1:
		err(1, "fork");
	case 0:
		exec_parser(fd);
	}
	while (waitpid(pid, &status, 0) == -1)
		if (errno != EINTR)
			err(1, "waitpid");
	if (WIFSIGNALED(status))
		(void)fprintf(stderr, "%s: the parser was killed by signal "
		    "%d\n", env.conf.rules, WTERMSIG(status));
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		bad++;
}

static void
check_rules(void)
{
	int	fd;

	fd = open(env.conf.rules, O_RDONLY | O_NONBLOCK | O_NOCTTY |
	    O_CLOEXEC);
	if (fd != -1) {
		if (file_is_anybodys(fd)) {
			(void)fprintf(stderr, "%s: anybody may write to it\n",
			    env.conf.rules);
			bad++;
		}
		parse_rules(fd);
		(void)close(fd);
	} else if (errno == ENOENT)
		(void)fprintf(stderr, "%s: is missing, will be made empty\n",
		    env.conf.rules);
	else {
		(void)fprintf(stderr, "%s: %s\n", env.conf.rules,
		    strerror(errno));
		bad++;
	}
}

int
check_only(int errors)
{
	bad = errors;
	if (env.verbose && bad == 0) {
		(void)printf("# configuration\n");
		conf_print(&env.conf, stdout);
		(void)printf("# rules\n");
		(void)fflush(stdout);
	}
	/* A file that cannot be read leaves nothing, not even defaults. */
	if (env.conf.rules[0] != '\0') {
		check_users(&env.conf);
		check_directories(&env.conf);
		if (check_directory(env.conf.line.rules, env.conf.rules))
			check_rules();
	}
	if (bad != 0)
		return 1;
	/* What -v prints shall parse: then this is not part of it. */
	(void)fprintf(env.verbose ? stderr : stdout, "configuration OK\n");
	return 0;
}
