/*
 * SPDX-License-Identifier: ISC
 *
 * tinysnitchctl: one command over the control socket.  The command is one
 * message; the answer is text in as many as it takes.  What the daemon says
 * is printed with everything but printable ASCII escaped: it repeats names
 * and arguments that strangers chose, and may itself be the stranger.
 */
#include <ctype.h>
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "ctl.h"
#include "imsg.h"
#include "log.h"
#include "msg.h"

#define CTL_SOCKET	"/run/tinysnitch.sock"
#define ANSWER_SECONDS	30	/* a reload may read a long list */
#define LINE_MAX_TEXT	8192	/* a decision with all its arguments */

struct command {
	const char	*name;
	int		 min, max;	/* words after it */
	const char	*usage;
};

#define MANY	10000

static const struct command commands[] = {
	{ "add", 1, MANY, "add [duration] rule" },
	{ "ask", 0, 0, "ask" },
	{ "delete", 1, MANY, "delete rule" },
	{ "monitor", 0, 0, "monitor" },
	{ "names", 0, 1, "names [address]" },
	{ "pause", 1, 1, "pause duration" },
	{ "pending", 0, 0, "pending" },
	{ "reload", 0, 0, "reload" },
	{ "resume", 0, 0, "resume" },
	{ "rules", 0, 0, "rules" },
	{ "status", 0, 0, "status" },
	{ "test", 3, MANY, "test proto host port [qualifier ...]" },
};
#define NCOMMANDS	(sizeof(commands) / sizeof(commands[0]))

static const struct command	*command;
static struct event_base	*base;
static struct event		*patience;
static bool			 json;
static bool			 coloured;
static bool			 midline;	/* no newline printed yet */

void
ctl_fail(const char *fmt, ...)
{
	va_list	ap;

	ask_stop();
	(void)fflush(stdout);
	(void)fputs("tinysnitchctl: ", stderr);
	va_start(ap, fmt);
	(void)vfprintf(stderr, fmt, ap);
	va_end(ap);
	(void)fputc('\n', stderr);
	exit(1);
}

static const struct command *
find_command(const char *name)
{
	size_t	i;

	for (i = 0; i < NCOMMANDS; i++)
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	if (strpbrk(name, "\n\r\033") != NULL)	/* an error is one line */
		name = "?";
	ctl_fail("unknown command: %s", name);
}

/* The rest of the command line as one text. */
static void
join(char *dst, size_t size, char **words)
{
	const char	*p;

	dst[0] = '\0';
	for (; *words != NULL; words++) {
		for (p = *words; *p != '\0'; p++)
			if (iscntrl((unsigned char)*p) && *p != '\t')
				ctl_fail("control character in an argument");
		if ((dst[0] != '\0' && strlcat(dst, " ", size) >= size) ||
		    strlcat(dst, *words, size) >= size)
			ctl_fail("too long");
	}
}

static int
dial(const char *path)
{
	struct sockaddr_un	sun;
	int			fd;

	memset(&sun, 0, sizeof(sun));
	sun.sun_family = AF_UNIX;
	if (strlcpy(sun.sun_path, path, sizeof(sun.sun_path)) >=
	    sizeof(sun.sun_path))
		ctl_fail("%s: path too long", path);
	if ((fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) == -1)
		ctl_fail("socket: %s", strerror(errno));
	if (connect(fd, (struct sockaddr *)&sun, sizeof(sun)) == -1) {
		if (errno == ENOENT || errno == ECONNREFUSED)
			ctl_fail("%s: tinysnitch is not running", path);
		if (errno == EACCES)
			ctl_fail("%s: only root and the socket's group may "
			    "use it", path);
		ctl_fail("%s: %s", path, strerror(errno));
	}
	return fd;
}

/* Lines stay lines; anything else that is not printable is escaped. */
static void
put_text(FILE *fp, const char *text, size_t len)
{
	size_t		i;
	unsigned char	c;

	for (i = 0; i < len; i++) {
		c = (unsigned char)text[i];
		if (c == '\n' || c == '\t' || (c >= 0x20 && c < 0x7f))
			(void)putc(c, fp);
		else
			(void)fprintf(fp, "\\x%02x", c);
	}
	if (len > 0)
		midline = text[len - 1] != '\n';
}

/* "deny" and "drop" in red, "allow" in green. */
static void
put_action(const char *word, size_t len)
{
	const char	*colour = "31";

	if (len == 5 && strncmp(word, "allow", 5) == 0)
		colour = "32";
	if (coloured)
		(void)printf("\033[%sm", colour);
	put_text(stdout, word, len);
	if (coloured)
		(void)fputs("\033[0m", stdout);
}

static bool
is_action(const char *word, size_t len)
{
	int	i;

	for (i = 0; i < ACTION_MAX; i++)
		if (strlen(action_name((enum action)i)) == len &&
		    strncmp(word, action_name((enum action)i), len) == 0)
			return true;
	return false;
}

/*
 * "2026-11-21T22:14:03.123456 INFO allow tcp | localhost:46700 -> bing.com:80
 * | [603062] /usr/bin/curl curl bing.com" becomes "22:14:03 allow tcp
 * bing.com:80 | [603062] /usr/bin/curl curl bing.com".
 */
static void
put_decision(const char *line)
{
	const char	*p = line, *arrow;
	size_t		 n;

	if (strlen(p) > 27 && p[10] == 'T' && p[26] == ' ') {
		put_text(stdout, p + 11, 8);
		(void)putchar(' ');
		p += 27;
	}
	if (strncmp(p, "INFO ", 5) == 0)
		p += 5;
	n = strcspn(p, " ");
	if (is_action(p, n)) {
		put_action(p, n);
		p += n;
		n = strcspn(p, "|");
		put_text(stdout, p, n);
		p += n;
		if (strncmp(p, "| ", 2) == 0)
			p += 2;
		/* This host as the source says nothing. */
		if (strncmp(p, "localhost:", 10) == 0 &&
		    (arrow = strstr(p, " -> ")) != NULL)
			p = arrow + 4;
	}
	put_text(stdout, p, strlen(p));
	(void)putchar('\n');
	midline = false;
}

static void
put_decisions(const char *text, size_t len)
{
	char		 line[LINE_MAX_TEXT];
	const char	*end, *nl;
	size_t		 n;

	for (end = text + len; text < end; text = nl + 1) {
		if ((nl = memchr(text, '\n', (size_t)(end - text))) == NULL)
			nl = end;
		n = (size_t)(nl - text);
		if (json) {
			/* Long ones come in parts. */
			put_text(stdout, text, n);
			if (nl < end)
				(void)putchar('\n');
			continue;
		}
		if (n >= sizeof(line))
			n = sizeof(line) - 1;
		memcpy(line, text, n);
		line[n] = '\0';
		put_decision(line);
	}
	if (fflush(stdout) == EOF)
		ctl_fail("standard output: %s", strerror(errno));
}

/* The daemon's reason, on one line whatever it holds. */
static noreturn void
refused(const struct msg_ctl_reply *r)
{
	char	text[MSG_PAYLOAD_MAX + 1];
	size_t	i;

	for (i = 0; i < r->len && i < sizeof(text) - 1; i++)
		text[i] = isprint((unsigned char)r->text[i]) ? r->text[i] :
		    ' ';
	text[i] = '\0';
	while (i > 0 && text[i - 1] == ' ')
		text[--i] = '\0';
	ctl_fail("%s", text);
}

static noreturn void
done(void)
{
	if (midline)
		(void)putchar('\n');
	if (fflush(stdout) == EOF || ferror(stdout))
		ctl_fail("standard output: %s", strerror(errno));
	exit(0);
}

static void
wait_for_answer(void)
{
	static const struct timeval	tv = { ANSWER_SECONDS, 0 };

	if (patience != NULL)
		(void)event_add(patience, &tv);
}

static void
reply(struct link *l, const struct imsg *m)
{
	struct ibuf		b;
	struct msg_ctl_reply	r;

	ibuf_reader(&b, m->data, m->len);
	if (msg_get_ctl_reply(&b, &r) == -1) {
		link_offence(l, "bad reply");
		return;
	}
	if (r.status != 0)
		refused(&r);
	if (strcmp(command->name, "ask") == 0)
		ask_settings(r.text, r.len);
	else if (strcmp(command->name, "monitor") == 0)
		put_decisions(r.text, r.len);
	else
		put_text(stdout, r.text, r.len);
	if (!r.more)
		done();
	wait_for_answer();
}

static void
handle(struct link *l, struct imsg *m, void *arg)
{
	(void)arg;
	switch (m->type) {
	case MSG_CTL_REPLY:
		reply(l, m);
		break;
	case MSG_ASK:
	case MSG_ASK_END:
		if (strcmp(command->name, "ask") != 0)
			link_offence(l, "question without being asked for");
		else if (ask_message(m) == -1)
			link_offence(l, "bad question");
		break;
	}
}

static void
gone(struct link *l, const char *reason, void *arg)
{
	(void)l;
	(void)arg;
	if (reason != NULL && reason[0] != '\0')
		ctl_fail("tinysnitch broke the protocol: %s", reason);
	ctl_fail("tinysnitch closed the connection");
}

static void
too_late(int fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	ctl_fail("no answer within %d seconds", ANSWER_SECONDS);
}

static void
send_command(struct link *l, char **words)
{
	uint8_t		buf[sizeof(struct msg_ctl) + 64];
	struct ibuf	b;
	struct msg_ctl	m;

	memset(&m, 0, sizeof(m));
	m.version = CTL_VERSION;
	m.json = json;
	if (strlcpy(m.command, command->name, sizeof(m.command)) >=
	    sizeof(m.command))
		ctl_fail("too long");
	join(m.text, sizeof(m.text), words);
	ibuf_writer(&b, buf, sizeof(buf));
	msg_put_ctl(&b, &m);
	link_send_ibuf(l, MSG_CTL, -1, &b);
}

static noreturn void
usage(void)
{
	(void)fputs("usage: tinysnitchctl [-j] [-s socket] command "
	    "[argument ...]\n", stderr);
	exit(1);
}

static const char *
options(int argc, char **argv)
{
	const char	*path = CTL_SOCKET;
	int		 ch;

	/* "+": a rule's "-" and what follows are no options. */
	opterr = 0;		/* an error is one line: usage() */
	while ((ch = getopt(argc, argv, "+js:")) != -1) {
		switch (ch) {
		case 'j':
			json = true;
			break;
		case 's':
			path = optarg;
			break;
		default:
			usage();
		}
	}
	if (optind == argc)
		usage();
	return path;
}

static void
check_words(int words)
{
	if (words < command->min || words > command->max)
		ctl_fail("usage: tinysnitchctl %s", command->usage);
	if (json && strcmp(command->name, "ask") == 0)
		ctl_fail("ask is for people: no -j");
}

/* Questions and decisions may be long in coming; all else is answered. */
static void
start(struct link *l, char **words)
{
	const char	*no_color = getenv("NO_COLOR");

	send_command(l, words);
	if (strcmp(command->name, "ask") == 0) {
		ask_start(base, l);
		return;
	}
	if (strcmp(command->name, "monitor") == 0) {
		coloured = !json && isatty(STDOUT_FILENO) &&
		    (no_color == NULL || no_color[0] == '\0');
		return;
	}
	if ((patience = event_new(base, -1, 0, too_late, NULL)) == NULL)
		fatal(NULL);
	wait_for_answer();
}

int
main(int argc, char **argv)
{
	const char	*path;
	struct link	*l;
	int		 fd;

	log_init(ROLE_CTL, 0);
	path = options(argc, argv);
	argv += optind;
	argc -= optind;
	command = find_command(argv[0]);
	check_words(argc - 1);
	if (strcmp(command->name, "ask") == 0)
		ask_check();
	fd = dial(path);
	if ((base = event_base_new()) == NULL)
		fatalx("event_base_new failed");
	l = link_new(base, fd, ROLE_CTL, ROLE_RULED, handle, gone, NULL);
	start(l, argv + 1);
	(void)event_base_dispatch(base);
	ctl_fail("the event loop ended");
}
