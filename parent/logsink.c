/*
 * SPDX-License-Identifier: ISC
 *
 * Where log lines go.  Nothing here ever waits for a reader: what a sink
 * does not take is kept up to a bound, then thrown away line by line, counted
 * and summed up in one line once there is room again.
 */
#include <sys/types.h>

#include <errno.h>
#include <event2/buffer.h>
#include <event2/event.h>
#include <fcntl.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "parent.h"

#define SINK_MAX	(1 << 20)	/* bytes that may wait in one sink */
#define CHUNK_MAX	65536
#define RETRY_MS	50
#define STAMP_MAX	40
#define SYSLOG_PATH	"/dev/log"
#define JOURNAL_PATH	"/run/systemd/journal/socket"

struct sink {
	const struct log_conf	*conf;
	uint8_t			 form;	/* LOGFORM_* */
	int			 fd;	/* -1: cannot be written to */
	bool			 own;	/* fd is not somebody else's */
	bool			 datagram;
	struct evbuffer		*queue;
	uint64_t		 lost;	/* lines */
};

static struct sink	 sinks[LOGS_MAX + 1];
static int		 nsinks;
static struct log_conf	 to_stderr = { .to = LOGTO_STDERR };
static struct log_conf	 to_syslog = { .to = LOGTO_SYSLOG };
static struct event	*retry;
static bool		 attached = true; /* errors go to the caller as well */

static const char *const level_names[LEVEL_MAX] = { [LEVEL_DEBUG] = "DEBUG",
    [LEVEL_INFO] = "INFO", [LEVEL_ERROR] = "ERROR", [LEVEL_FATAL] = "FATAL" };
static const int priorities[LEVEL_MAX] = { [LEVEL_DEBUG] = LOG_DEBUG,
    [LEVEL_INFO] = LOG_INFO, [LEVEL_ERROR] = LOG_ERR,
    [LEVEL_FATAL] = LOG_CRIT };

/* Local time with six digits, as in every line. */
static void
stamp(char buf[STAMP_MAX])
{
	struct timeval	tv;
	struct tm	tm;
	size_t		n;

	(void)gettimeofday(&tv, NULL);
	if (localtime_r(&tv.tv_sec, &tm) == NULL)
		memset(&tm, 0, sizeof(tm));
	n = strftime(buf, STAMP_MAX, "%Y-%m-%dT%H:%M:%S", &tm);
	(void)snprintf(buf + n, STAMP_MAX - n, ".%06ld", (long)tv.tv_usec);
}

/* Opening. */

/*
 * Standard error may be a terminal or pipe that others share: making that
 * non-blocking would be felt by them, so it is opened once more.  A file
 * never blocks, and has one place to write at that all who share it move.
 */
static int
open_stderr(void)
{
	struct stat	st;
	int		fd;

	if (fstat(STDERR_FILENO, &st) == 0 && S_ISREG(st.st_mode))
		return fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
	fd = open("/proc/self/fd/2", O_WRONLY | O_APPEND | O_NONBLOCK |
	    O_NOCTTY | O_CLOEXEC);
	return fd != -1 ? fd : STDERR_FILENO;	/* a socket: MSG_DONTWAIT */
}

/* Who may decide what lies in the directory of this path. */
static uid_t
directory_owner(const char *path)
{
	char		dir[PATH_MAX], *slash;
	struct stat	st;

	(void)strlcpy(dir, path, sizeof(dir));
	if ((slash = strrchr(dir, '/')) != NULL)
		slash[slash == dir] = '\0';
	return stat(dir, &st) == -1 ? 0 : st.st_uid;
}

/*
 * Not a link, not a file with a second name, and not one that a stranger put
 * into a directory of everybody's for us to write to.
 */
static int
open_file(const char *path)
{
	struct stat	st;
	int		fd;

	fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW |
	    O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0640);
	if (fd == -1)
		return -1;
	if (fstat(fd, &st) == 0 && (S_ISCHR(st.st_mode) ||
	    (S_ISREG(st.st_mode) && st.st_nlink == 1 &&
	    (st.st_uid == geteuid() || st.st_uid == directory_owner(path)))))
		return fd;
	(void)close(fd);
	errno = EPERM;
	return -1;
}

static int
open_sink(const struct log_conf *c)
{
	switch (c->to) {
	case LOGTO_STDERR:
		return open_stderr();
	case LOGTO_FILE:
		return open_file(c->path);
	default:
		return socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC |
		    SOCK_NONBLOCK, 0);
	}
}

static void
sink_add(const struct log_conf *c)
{
	struct sink	*s = &sinks[nsinks];

	s->conf = c;
	s->datagram = c->to == LOGTO_SYSLOG || c->to == LOGTO_JOURNAL;
	s->form = c->to == LOGTO_JOURNAL ? LOGFORM_JOURNAL :
	    c->json ? LOGFORM_JSON : LOGFORM_TEXT;
	if ((s->fd = open_sink(c)) == -1)
		fatal("log \"%s\"", c->to == LOGTO_FILE ? c->path : "socket");
	s->own = s->fd != STDERR_FILENO;
	if ((s->queue = evbuffer_new()) == NULL)
		fatal(NULL);
	nsinks++;	/* from here on it is written to, by fatal(), too */
}

/*
 * A service manager made standard error a stream to its journal, and tells so
 * as systemd.exec(5) says.  Then what the configuration names is all there is:
 * else the journal would have every line twice, or those meant for a file.
 */
static bool
stderr_is_journal(void)
{
	const char	*text = getenv("JOURNAL_STREAM");
	struct stat	 st;
	char		 mine[64];

	if (text == NULL || fstat(STDERR_FILENO, &st) == -1)
		return false;
	(void)snprintf(mine, sizeof(mine), "%ju:%ju", (uintmax_t)st.st_dev,
	    (uintmax_t)st.st_ino);
	return strcmp(text, mine) == 0;
}

void
logsink_init(void)
{
	const struct log_conf	*c;
	bool			 have_stderr = false;
	int			 i;

	for (i = 0; i < env.conf.nlog; i++) {
		c = &env.conf.log[i];
		have_stderr |= c->to == LOGTO_STDERR;
		/* A daemon has no standard error of its own. */
		if (c->to == LOGTO_STDERR && !env.foreground) {
			to_syslog.json = c->json;
			c = &to_syslog;
		}
		sink_add(c);
	}
	if (env.foreground && !have_stderr && !stderr_is_journal()) {
		sink_add(&to_stderr);
		have_stderr = true;
	}
	if (env.foreground && have_stderr)
		attached = false;	/* a sink shows it all */
}

uint8_t
logsink_forms(void)
{
	uint8_t	forms = 0;
	int	i;

	for (i = 0; i < nsinks; i++)
		forms |= sinks[i].form;
	return forms;
}

/* Writing. */

static ssize_t
send_datagram(const struct sink *s, const void *data, size_t len)
{
	struct sockaddr_un	sun;

	/* By name each time: the log daemon may have been restarted. */
	memset(&sun, 0, sizeof(sun));
	sun.sun_family = AF_UNIX;
	(void)strlcpy(sun.sun_path, s->conf->to == LOGTO_SYSLOG ?
	    SYSLOG_PATH : JOURNAL_PATH, sizeof(sun.sun_path));
	return sendto(s->fd, data, len, MSG_DONTWAIT | MSG_NOSIGNAL,
	    (struct sockaddr *)&sun, sizeof(sun));
}

static ssize_t
write_stream(const struct sink *s, const void *data, size_t len)
{
	struct pollfd	pfd = { s->fd, POLLOUT, 0 };
	ssize_t		n;

	if (s->own)
		return write(s->fd, data, len);
	n = send(s->fd, data, len, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n != -1 || errno != ENOTSOCK)
		return n;
	/* A pipe that could not be opened anew takes this much at least. */
	if (poll(&pfd, 1, 0) != 1 || !(pfd.revents & POLLOUT)) {
		errno = EAGAIN;
		return -1;
	}
	return write(s->fd, data, len < 4096 ? len : 4096);
}

/* One unit ends with a newline; in the journal's form, with two. */
static size_t
unit_length(const struct sink *s)
{
	const char		*end = s->form == LOGFORM_JOURNAL ? "\n\n" :
				    "\n";
	struct evbuffer_ptr	 p;

	p = evbuffer_search(s->queue, end, strlen(end), NULL);
	return p.pos == -1 ? evbuffer_get_length(s->queue) :
	    (size_t)p.pos + strlen(end);
}

/* 0, or -1 with errno; the queue is shorter by what was taken. */
static int
write_some(struct sink *s)
{
	unsigned char	*data;
	size_t		 len;
	ssize_t		 n;

	len = evbuffer_get_length(s->queue);
	if (len > CHUNK_MAX)
		len = CHUNK_MAX;
	if (s->datagram)
		len = unit_length(s);
	if ((data = evbuffer_pullup(s->queue, (ev_ssize_t)len)) == NULL)
		fatal(NULL);
	if (!s->datagram)
		n = write_stream(s, data, len);
	else if ((n = send_datagram(s, data, len > 1 ? len - 1 : len)) != -1 ||
	    errno == EMSGSIZE)
		n = (ssize_t)len;	/* too long a line would block all */
	if (n == -1)
		return -1;
	(void)evbuffer_drain(s->queue, (size_t)n);
	return 0;
}

static void
wait_for_room(void)
{
	static const struct timeval	tv = { 0, RETRY_MS * 1000 };

	/* Waiting helps when it is full; else the next line tries again. */
	if (errno != EAGAIN && errno != EINTR && errno != ENOBUFS)
		return;
	if (retry != NULL && !evtimer_pending(retry, NULL))
		(void)evtimer_add(retry, &tv);
}

/* A journal entry ends with an empty line. */
static uint64_t
count_lines(const struct sink *s, const char *text, size_t len)
{
	uint64_t	n = 0;
	size_t		i;

	for (i = 0; i < len; i++)
		n += text[i] == '\n' && (s->form != LOGFORM_JOURNAL ||
		    (i > 0 && text[i - 1] == '\n'));
	return n;
}

/* Puts whole lines into the queue, or counts them as lost. */
static void
enqueue(struct sink *s, const char *text, size_t len)
{
	if (evbuffer_get_length(s->queue) + len > SINK_MAX) {
		s->lost += count_lines(s, text, len);
		return;
	}
	if (evbuffer_add(s->queue, text, len) == -1)
		fatal(NULL);
}

/* How one message looks in a form; returns the length, 0 if it cannot be. */
static size_t
compose(char *buf, size_t size, const struct sink *s, enum log_level level,
    const char *role, const char *text)
{
	char	at[STAMP_MAX];
	int	n;
	const char *sep = role[0] == '\0' ? "" : ": ";

	stamp(at);
	switch (s->form) {
	case LOGFORM_JOURNAL:
		n = snprintf(buf, size, "MESSAGE=%s %s%s%s\nPRIORITY=%d\n"
		    "SYSLOG_IDENTIFIER=tinysnitch\nTINYSNITCH_PROCESS=%s\n\n",
		    level_names[level], role, sep, text, priorities[level],
		    role[0] == '\0' ? "parent" : role);
		break;
	case LOGFORM_JSON:
		/* text is printable ASCII: only two need a backslash. */
		n = snprintf(buf, size, "{\"time\":\"%s\",\"level\":\"%s\","
		    "\"process\":\"%s\",\"text\":\"", at, level_names[level],
		    role[0] == '\0' ? "parent" : role);
		for (; *text != '\0' && n > 0 && (size_t)n + 6 < size; text++) {
			if (*text == '"' || *text == '\\')
				buf[n++] = '\\';
			buf[n++] = *text;
		}
		if (n > 0)
			n += snprintf(buf + n, size - (size_t)n, "\"}\n");
		break;
	default:
		n = snprintf(buf, size, "%s %s %s%s%s\n", at,
		    level_names[level], role, sep, text);
	}
	return n < 0 || (size_t)n >= size ? 0 : (size_t)n;
}

/* A text line as a syslog datagram: its own header instead of the time. */
static void
enqueue_syslog(struct sink *s, enum log_level level, const char *line,
    size_t len)
{
	char		 head[80], when[32], *unit;
	const char	*rest = line, *space;
	struct tm	 tm;
	time_t		 now = time(NULL);
	int		 n;

	if (s->form == LOGFORM_TEXT &&
	    (space = memchr(line, ' ', len)) != NULL) {
		rest = space + 1;
		len -= (size_t)(rest - line);
	}
	if (localtime_r(&now, &tm) == NULL)
		memset(&tm, 0, sizeof(tm));
	(void)strftime(when, sizeof(when), "%b %e %H:%M:%S", &tm);
	n = snprintf(head, sizeof(head), "<%d>%s tinysnitch[%d]: ",
	    LOG_DAEMON | priorities[level], when, (int)getpid());
	if ((unit = malloc((size_t)n + len)) == NULL)
		fatal(NULL);
	memcpy(unit, head, (size_t)n);
	memcpy(unit + n, rest, len);
	enqueue(s, unit, (size_t)n + len);
	free(unit);
}

/* Whole lines of the sink's own form. */
static void
enqueue_lines(struct sink *s, enum log_level level, const char *text,
    size_t len)
{
	const char	*nl;

	if (s->conf->to != LOGTO_SYSLOG) {
		enqueue(s, text, len);
		return;
	}
	while (len > 0 && (nl = memchr(text, '\n', len)) != NULL) {
		enqueue_syslog(s, level, text, (size_t)(nl + 1 - text));
		len -= (size_t)(nl + 1 - text);
		text = nl + 1;
	}
}

/* The sum of what could not be written, once there is room. */
static void
sum_up(struct sink *s)
{
	char	text[96], buf[512];
	size_t	len;

	(void)snprintf(text, sizeof(text),
	    "log: %llu lines could not be written",
	    (unsigned long long)s->lost);
	s->lost = 0;
	if ((len = compose(buf, sizeof(buf), s, LEVEL_ERROR, "", text)) > 0)
		enqueue_lines(s, LEVEL_ERROR, buf, len);
}

static void
flush(struct sink *s)
{
	for (;;) {
		if (evbuffer_get_length(s->queue) == 0) {
			if (s->lost == 0)
				break;
			sum_up(s);
		}
		if (s->fd == -1 || write_some(s) == -1) {
			wait_for_room();
			return;
		}
	}
}

static void
try_again(int fd, short what, void *arg)
{
	int	i;

	(void)fd;
	(void)what;
	(void)arg;
	for (i = 0; i < nsinks; i++)
		flush(&sinks[i]);
}

void
logsink_start(void)
{
	if ((retry = evtimer_new(env.base, try_again, NULL)) == NULL)
		fatal(NULL);
	try_again(-1, 0, NULL);
}

/* Entrances. */

static void
say(enum log_level level, const char *role, const char *text)
{
	char	buf[8192];
	size_t	len;
	int	i;

	for (i = 0; i < nsinks; i++) {
		len = compose(buf, sizeof(buf), &sinks[i], level, role, text);
		if (len == 0)
			continue;
		enqueue_lines(&sinks[i], level, buf, len);
		flush(&sinks[i]);
	}
	/* Who started us wants the reason, and no more. */
	if (attached && level >= LEVEL_ERROR)
		(void)fprintf(stderr, "tinysnitch: %s%s%s\n", role,
		    role[0] == '\0' ? "" : ": ", text);
}

void
logsink_own(enum log_level level, const char *text)
{
	say(level, "", text);
}

/*
 * The sender may have been taken over and write anything: no escape sequence
 * may reach a terminal, no line may pretend to be two.
 */
static void
make_harmless(char *dst, const char *src, size_t len, bool lines)
{
	size_t		i;
	unsigned char	c;

	for (i = 0; i < len; i++) {
		c = (unsigned char)src[i];
		if ((c < 0x20 || c > 0x7e) && !(lines && c == '\n'))
			c = '?';
		dst[i] = (char)c;
	}
	dst[len] = '\0';
}

void
logsink_child(enum role role, const struct msg_log *m)
{
	char	text[MSG_MAX + 2];
	size_t	len = m->len;
	int	i;

	if (len > MSG_MAX)
		return;
	make_harmless(text, m->text, len, m->form != 0);
	if (m->form == 0) {
		if (m->level != LEVEL_DEBUG || env.verbose)
			say(m->level, role == ROLE_RULED ? "" :
			    role_name(role), text);
		return;
	}
	if (len == 0)
		return;
	if (text[len - 1] != '\n') {
		text[len++] = '\n';
		text[len] = '\0';
	}
	for (i = 0; i < nsinks; i++) {
		if (sinks[i].form != m->form)
			continue;
		enqueue_lines(&sinks[i], m->level, text, len);
		flush(&sinks[i]);
	}
}

/* After a rotation: a new file is there, or is made; else the old one stays. */
void
logsink_reopen(void)
{
	struct sink	*s;
	int		 i, fd;

	for (i = 0; i < nsinks; i++) {
		s = &sinks[i];
		if (s->conf->to != LOGTO_FILE)
			continue;
		flush(s);
		if ((fd = open_file(s->conf->path)) == -1) {
			log_warn("%s: cannot be opened anew", s->conf->path);
			continue;
		}
		(void)close(s->fd);
		s->fd = fd;
	}
}

void
logsink_detach(void)
{
	attached = false;
}

void
logsink_flush(void)
{
	int	i;

	for (i = 0; i < nsinks; i++)
		flush(&sinks[i]);
}
