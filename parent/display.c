/*
 * SPDX-License-Identifier: ISC
 *
 * Which display the question is shown on, and a connection to it.  Who sits
 * at the machine is what logind says in its own files, which only root can
 * write.  Everything that belongs to a user (the cookie, the socket, the
 * environment of their programs) is read by a helper that has become that
 * user, so that no trick with links or pipes reads root's files or holds
 * root up.
 */
#include <sys/types.h>

#include <X11/Xauth.h>
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fdpass.h"
#include "parent.h"

#define SEATS		"/run/systemd/seats"
#define SESSIONS	"/run/systemd/sessions"
#define X_SOCKETS	"/tmp/.X11-unix"
#define COOKIE_NAME	"MIT-MAGIC-COOKIE-1"
#define HELPER_MS	3000	/* a home on a network may hang */
#define FILE_MAX	65536	/* of a cookie file or an environment */
#define SCAN_MAX	4096	/* processes looked at for XAUTHORITY */
#define SETTLE_MS	300	/* a new session writes its files one by one */

/* Files in the form NAME=value, as logind writes them. */

static int
read_value(const char *path, const char *name, char *value, size_t size)
{
	char	 line[1024];
	size_t	 len = strlen(name);
	FILE	*f;
	int	 found = -1;

	if ((f = fopen(path, "re")) == NULL)
		return -1;
	while (fgets(line, sizeof(line), f) != NULL) {
		if (strncmp(line, name, len) != 0 || line[len] != '=')
			continue;
		line[strcspn(line, "\n")] = '\0';
		if (strlcpy(value, line + len + 1, size) < size)
			found = 0;
		break;
	}
	(void)fclose(f);
	return found;
}

/* A session's name becomes part of a path. */
static bool
plain_name(const char *s)
{
	if (*s == '\0')
		return false;
	for (; *s != '\0'; s++)
		if (!isalnum((unsigned char)*s) && *s != '-' && *s != '_')
			return false;
	return true;
}

/* ":0" or ":0.1"; the number, or -1. */
static int
display_number(const char *name, uint8_t *screen)
{
	const char	*errstr;
	char		 buf[16], *dot;
	int		 n;

	if (name[0] != ':' ||
	    strlcpy(buf, name + 1, sizeof(buf)) >= sizeof(buf))
		return -1;
	*screen = 0;
	if ((dot = strchr(buf, '.')) != NULL) {
		*dot = '\0';
		*screen = (uint8_t)strtonum(dot + 1, 0, 255, &errstr);
		if (errstr != NULL)
			return -1;
	}
	n = (int)strtonum(buf, 0, 65535, &errstr);
	return errstr == NULL ? n : -1;
}

/*
 * The session in front of the first seat.  Its display is empty when logind
 * was told none, as with Wayland: then the user's programs know.
 */
static int
active_session(uid_t *uid, char *display, size_t size)
{
	char		 session[64], path[PATH_MAX], value[64];
	const char	*errstr;

	if (read_value(SEATS "/seat0", "ACTIVE", session,
	    sizeof(session)) == -1 || !plain_name(session))
		return -1;
	(void)snprintf(path, sizeof(path), "%s/%s", SESSIONS, session);
	if (read_value(path, "UID", value, sizeof(value)) == -1)
		return -1;
	*uid = (uid_t)strtonum(value, 0, UINT32_MAX - 1, &errstr);
	if (errstr != NULL)
		return -1;
	if (read_value(path, "CLASS", value, sizeof(value)) == 0 &&
	    strcmp(value, "user") != 0)
		return -1;	/* a greeter: nobody has logged in */
	if (read_value(path, "DISPLAY", display, size) == -1)
		display[0] = '\0';
	return 0;
}

/* The helper, which is that user by now. */

static int
open_small(const char *path)
{
	struct stat	st;
	int		fd;

	fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd == -1)
		return -1;
	if (fstat(fd, &st) == -1 || !S_ISREG(st.st_mode) ||
	    st.st_size > FILE_MAX) {
		(void)close(fd);
		return -1;
	}
	return fd;
}

static bool
auth_fits(const Xauth *a, const char *number)
{
	char	host[256];

	if (a->name_length != strlen(COOKIE_NAME) ||
	    memcmp(a->name, COOKIE_NAME, a->name_length) != 0)
		return false;
	if (a->number_length != 0 && (a->number_length != strlen(number) ||
	    memcmp(a->number, number, a->number_length) != 0))
		return false;
	if (a->family == FamilyWild)
		return true;
	if (a->family != FamilyLocal || gethostname(host, sizeof(host)) == -1)
		return false;
	host[sizeof(host) - 1] = '\0';
	return a->address_length == strlen(host) &&
	    memcmp(a->address, host, a->address_length) == 0;
}

/* The cookie for this display in that file; 0 if there is one. */
static int
read_cookie(const char *path, int number, struct display *d)
{
	char	 text[16];
	Xauth	*a;
	FILE	*f;
	int	 fd, found = -1;

	if ((fd = open_small(path)) == -1)
		return -1;
	if ((f = fdopen(fd, "r")) == NULL) {
		(void)close(fd);
		return -1;
	}
	(void)snprintf(text, sizeof(text), "%d", number);
	while (found == -1 && (a = XauReadAuth(f)) != NULL) {
		if (auth_fits(a, text) &&
		    a->data_length <= sizeof(d->xauth)) {
			(void)strlcpy(d->xauth_name, COOKIE_NAME,
			    sizeof(d->xauth_name));
			d->xauth_len = (uint8_t)a->data_length;
			memcpy(d->xauth, a->data, a->data_length);
			found = 0;
		}
		XauDisposeAuth(a);
	}
	(void)fclose(f);
	return found;
}

/* One variable of an environment as /proc shows it, or NULL. */
static const char *
env_value(const char *env_text, size_t len, const char *name)
{
	const char	*p = env_text, *end = env_text + len;
	size_t		 n = strlen(name);

	while (p < end) {
		if (strncmp(p, name, n) == 0 && p[n] == '=')
			return p + n + 1;
		p += strlen(p) + 1;
	}
	return NULL;
}

/*
 * Display managers keep cookies where only the session's programs know.  It
 * is the user's own environment, and their own display.
 */
static int
cookie_of_process(const char *pid, const char *wanted, struct display *d)
{
	static char	 buf[FILE_MAX + 1];
	char		 path[64];
	const char	*display, *xauthority;
	uint8_t		 screen;
	ssize_t		 n;
	int		 fd, number;

	(void)snprintf(path, sizeof(path), "/proc/%.10s/environ", pid);
	if ((fd = open(path, O_RDONLY | O_CLOEXEC)) == -1)
		return -1;
	n = read(fd, buf, sizeof(buf) - 1);
	(void)close(fd);
	if (n <= 0)
		return -1;
	buf[n] = '\0';
	display = env_value(buf, (size_t)n, "DISPLAY");
	xauthority = env_value(buf, (size_t)n, "XAUTHORITY");
	if (display == NULL || (number = display_number(display, &screen)) ==
	    -1 || (wanted[0] != '\0' && strcmp(display, wanted) != 0))
		return -1;
	/* Without a cookie: the server may know the user by the socket. */
	if (d->name[0] == '\0') {
		(void)strlcpy(d->name, display, sizeof(d->name));
		d->screen = screen;
	}
	if (xauthority == NULL || read_cookie(xauthority, number, d) == -1)
		return -1;
	(void)strlcpy(d->name, display, sizeof(d->name));
	d->screen = screen;
	return 0;
}

static int
cookie_of_any_process(const char *wanted, struct display *d)
{
	struct dirent	*e;
	DIR		*dir;
	int		 n = 0, found = -1;

	if ((dir = opendir("/proc")) == NULL)
		return -1;
	while (found == -1 && n < SCAN_MAX && (e = readdir(dir)) != NULL) {
		if (!isdigit((unsigned char)e->d_name[0]))
			continue;
		n++;
		found = cookie_of_process(e->d_name, wanted, d);
	}
	(void)closedir(dir);
	return found;
}

static int
find_cookie(const char *wanted, const char *home, struct display *d)
{
	char	path[PATH_MAX];
	int	number;

	number = wanted[0] == '\0' ? -1 : display_number(wanted, &d->screen);
	(void)strlcpy(d->name, wanted, sizeof(d->name));
	if (number != -1 && env.conf.xauthority[0] != '\0')
		return read_cookie(env.conf.xauthority, number, d);
	if (number != -1 && snprintf(path, sizeof(path), "%s/.Xauthority",
	    home) < (int)sizeof(path) && read_cookie(path, number, d) == 0)
		return 0;
	return cookie_of_any_process(wanted, d) == 0 || d->name[0] != '\0' ?
	    0 : -1;
}

/*
 * The socket may be anybody's: /tmp is everybody's, and a display that is
 * not up yet can be squatted on.  The server must be root's or the user's.
 */
static int
connect_x(int number, uid_t uid)
{
	struct sockaddr_un	sun;
	struct ucred		peer;
	socklen_t		len = sizeof(peer);
	int			fd;

	memset(&sun, 0, sizeof(sun));
	sun.sun_family = AF_UNIX;
	(void)snprintf(sun.sun_path, sizeof(sun.sun_path), "%s/X%d",
	    X_SOCKETS, number);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd == -1)
		return -1;
	if (connect(fd, (struct sockaddr *)&sun, sizeof(sun)) == -1 ||
	    getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == -1)
		goto fail;
	if (peer.uid != 0 && peer.uid != uid) {
		errno = EPERM;
		goto fail;
	}
	return fd;
 fail:
	(void)close(fd);
	return -1;
}

static int
become(uid_t uid, gid_t gid, const char *name)
{
	if (initgroups(name, gid) == -1 || setresgid(gid, gid, gid) == -1 ||
	    setresuid(uid, uid, uid) == -1)
		return -1;
	return uid != 0 && setuid(0) == 0 ? -1 : 0;
}

/* Fills d and returns a connection, or -1 and the reason in d. */
static int
helper(uid_t uid, const char *wanted, struct display *d)
{
	struct passwd	*pw;
	uint8_t		 screen;
	int		 fd, number;

	d->uid = uid;
	if ((pw = getpwuid(uid)) == NULL) {
		(void)snprintf(d->why, sizeof(d->why), "uid %u has no name",
		    uid);
		return -1;
	}
	if (become(uid, pw->pw_gid, pw->pw_name) == -1) {
		(void)snprintf(d->why, sizeof(d->why), "cannot become %.40s",
		    pw->pw_name);
		return -1;
	}
	if (find_cookie(wanted, pw->pw_dir, d) == -1) {
		(void)snprintf(d->why, sizeof(d->why),
		    "no display of %.40s, or no cookie for it", pw->pw_name);
		return -1;
	}
	if ((number = display_number(d->name, &screen)) == -1 ||
	    (fd = connect_x(number, uid)) == -1) {
		(void)snprintf(d->why, sizeof(d->why), "display %.20s: %s",
		    d->name, strerror(errno));
		return -1;
	}
	return fd;
}

static void __attribute__((__noreturn__))
helper_main(int s, uid_t uid, const char *wanted)
{
	struct display	d;
	int		fd;

	memset(&d, 0, sizeof(d));
	(void)prctl(PR_SET_DUMPABLE, 0);
	fd = helper(uid, wanted, &d);
	d.ok = fd != -1;
	(void)fdpass_send(s, &d, sizeof(d), fd, 0);
	_exit(0);
}

/* The stub's side: what the helper says is a user's word, so it is bounded. */

static int
helper_result(int s, struct display *d)
{
	struct pollfd	pfd = { s, POLLIN, 0 };
	int		fd = -1;
	bool		stray;

	if (poll(&pfd, 1, HELPER_MS) != 1 || fdpass_recv(s, d, sizeof(*d), &fd,
	    &stray, MSG_DONTWAIT) != (ssize_t)sizeof(*d)) {
		if (fd != -1)
			(void)close(fd);
		memset(d, 0, sizeof(*d));
		(void)strlcpy(d->why, "the display's user gave no answer",
		    sizeof(d->why));
		return -1;
	}
	d->why[sizeof(d->why) - 1] = '\0';
	d->name[sizeof(d->name) - 1] = '\0';
	d->xauth_name[sizeof(d->xauth_name) - 1] = '\0';
	if (d->xauth_len > sizeof(d->xauth))
		d->xauth_len = 0;
	return fd;
}

/* Whose display the configuration names: the cookie's owner's. */
static int
named_display(uid_t *uid, char *name, size_t size)
{
	char		 path[64];
	const char	*p = env.conf.xauthority;
	struct stat	 st;
	uint8_t		 screen;

	(void)strlcpy(name, env.conf.display, size);
	if (p[0] == '\0') {
		(void)snprintf(path, sizeof(path), "%s/X%d", X_SOCKETS,
		    display_number(name, &screen));
		p = path;
	}
	if (stat(p, &st) == -1)
		return -1;
	*uid = st.st_uid;
	return 0;
}

int
display_connect(struct display *d)
{
	char	wanted[sizeof(d->name)];
	uid_t	uid = 0;
	pid_t	pid;
	int	fds[2], fd, r;

	memset(d, 0, sizeof(*d));
	r = env.conf.display[0] == '\0' ?
	    active_session(&uid, wanted, sizeof(wanted)) :
	    named_display(&uid, wanted, sizeof(wanted));
	if (r == -1) {
		(void)strlcpy(d->why, env.conf.display[0] == '\0' ?
		    "nobody is logged in at a display" :
		    "the configured display is not there", sizeof(d->why));
		return -1;
	}
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) == -1)
		return -1;
	if ((pid = fork()) == 0)
		helper_main(fds[1], uid, wanted);
	(void)close(fds[1]);
	fd = pid == -1 ? -1 : helper_result(fds[0], d);
	(void)close(fds[0]);
	if (pid != -1) {
		(void)kill(pid, SIGKILL);
		while (waitpid(pid, NULL, 0) == -1 && errno == EINTR)
			continue;
	}
	d->ok = fd != -1;
	return fd;
}

/* The parent's side: when to look again. */

static void		(*changed)(void);
static struct event	*watch_event, *settle;

static void
settled(int fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	changed();
}

static void
watch_readable(int fd, short what, void *arg)
{
	static const struct timeval	 tv = { 0, SETTLE_MS * 1000 };
	char				 buf[4096];

	(void)what;
	(void)arg;
	while (read(fd, buf, sizeof(buf)) > 0)
		continue;
	if (evtimer_add(settle, &tv) == -1)
		fatal(NULL);
}

void
display_watch(void (*f)(void))
{
	int	fd, n = 0;

	changed = f;
	if ((fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK)) == -1)
		fatal("inotify");
	if (env.conf.display[0] == '\0')
		n += inotify_add_watch(fd, SEATS, IN_MOVED_TO | IN_CLOSE_WRITE |
		    IN_ONLYDIR) != -1;
	n += inotify_add_watch(fd, X_SOCKETS, IN_CREATE | IN_MOVED_TO |
	    IN_ONLYDIR) != -1;
	if (n == 0) {
		(void)close(fd);
		return;
	}
	watch_event = event_new(env.base, fd, EV_READ | EV_PERSIST,
	    watch_readable, NULL);
	settle = evtimer_new(env.base, settled, NULL);
	if (watch_event == NULL || settle == NULL ||
	    event_add(watch_event, NULL) == -1)
		fatal(NULL);
}
