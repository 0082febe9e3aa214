/*
 * SPDX-License-Identifier: ISC
 *
 * tinysnitchctl against a daemon of the test's own: what it sends, what it
 * prints, and the question on a pseudo-terminal.
 */
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "imsg.h"
#include "log.h"
#include "msg.h"

#define STEP_MS		3000

static char			 program[4096], dir[64], path[128];
static int			 listener = -1;
static struct event_base	*base;
static struct link		*client;
static int		 client_fd;	/* its socket, for what is no frame */
static struct event		*accepting;
static struct msg_ctl		 command;	/* the last one */
static int			 ncommands;
static struct msg_answer	 answer;
static int			 nanswers;
static bool			 offended;	/* by the client */
static void			(*on_command)(void);

static pid_t			 child;
static int			 term = -1;	/* or its stdout */
static int			 err = -1;	/* its stderr */
static char			 out[1 << 18], errors[4096];
static size_t			 nout;

static const char		*name;
static bool			 bad_case;
static int			 failures;

static void __attribute__((__format__(printf, 1, 2)))
bad(const char *fmt, ...)
{
	va_list	ap;

	if (!bad_case) {
		printf("not ok ctl %s: ", name);
		va_start(ap, fmt);
		vprintf(fmt, ap);
		va_end(ap);
		printf("\n");
		failures++;
	}
	bad_case = true;
}

#define CHECK(x) do { if (!(x)) bad("line %d: %s", __LINE__, #x); } while (0)

/* The daemon */

static void
daemon_handle(struct link *l, struct imsg *m, void *arg)
{
	struct ibuf	b;

	(void)l;
	(void)arg;
	ibuf_reader(&b, m->data, m->len);
	if (m->type == MSG_CTL) {
		ncommands++;
		if (msg_get_ctl(&b, &command) == -1)
			offended = true;
		else if (on_command != NULL)
			on_command();
	} else if (m->type == MSG_ANSWER) {
		nanswers++;
		if (msg_get_answer(&b, &answer) == -1)
			offended = true;
	}
}

static void
daemon_gone(struct link *l, const char *reason, void *arg)
{
	(void)arg;
	if (reason != NULL && reason[0] != '\0')
		offended = true;
	link_free(l);
	client = NULL;
}

static void
daemon_accept(int fd, short what, void *arg)
{
	(void)what;
	(void)arg;
	if ((client_fd = accept(fd, NULL, NULL)) == -1)
		return;
	client = link_new(base, client_fd, ROLE_RULED, ROLE_CTL, daemon_handle,
	    daemon_gone, NULL);
}

static void
reply(int status, int more, const char *text)
{
	static uint8_t		buf[MSG_PAYLOAD_MAX];
	struct ibuf		b;
	struct msg_ctl_reply	r;

	r.status = (uint8_t)status;
	r.more = (uint8_t)more;
	r.text = text;
	r.len = strlen(text);
	ibuf_writer(&b, buf, sizeof(buf));
	msg_put_ctl_reply(&b, &r);
	link_send_ibuf(client, MSG_CTL_REPLY, -1, &b);
}

/* The client */

static const char	*no_colour = "";	/* as not set */

static void
client_exec(const char *const *words)
{
	const char	*argv[32];
	int		 n = 0;

	argv[n++] = program;
	argv[n++] = "-s";
	argv[n++] = path;
	while (*words != NULL && n < 31)
		argv[n++] = *words++;
	argv[n] = NULL;
	(void)setenv("NO_COLOR", no_colour, 1);
	(void)setenv("TERM", "xterm", 1);
	execv(program, (char *const *)(uintptr_t)argv);
	_exit(127);
}

static void
reset(void)
{
	ncommands = nanswers = 0;
	offended = false;
	nout = 0;
	out[0] = errors[0] = '\0';
	memset(&command, 0, sizeof(command));
	memset(&answer, 0, sizeof(answer));
	(void)fflush(stdout);
}

static void
start_piped(const char *const *words)
{
	int	o[2], e[2];

	reset();
	if (pipe2(o, O_CLOEXEC) == -1 || pipe2(e, O_CLOEXEC) == -1 ||
	    (child = fork()) == -1)
		fatal("fork");
	if (child == 0) {
		dup2(o[1], STDOUT_FILENO);
		dup2(e[1], STDERR_FILENO);
		client_exec(words);
	}
	close(o[1]);
	close(e[1]);
	term = o[0];
	err = e[0];
}

static void
start_terminal(const char *const *words, unsigned short rows,
    unsigned short cols)
{
	struct winsize	ws = { .ws_row = rows, .ws_col = cols };

	reset();
	if ((child = forkpty(&term, NULL, NULL, &ws)) == -1)
		fatal("forkpty");
	if (child == 0)
		client_exec(words);
	err = -1;
}

/* Lets the daemon and the client work for a moment. */
static void
turn(int ms)
{
	struct timeval	tv = { ms / 1000, ms % 1000 * 1000 };
	struct pollfd	pfd = { term, POLLIN, 0 };
	ssize_t		n;

	event_base_loopexit(base, &tv);
	event_base_dispatch(base);
	while (term != -1 && poll(&pfd, 1, 0) == 1) {
		if ((n = read(term, out + nout, sizeof(out) - nout - 1)) <= 0)
			break;
		nout += (size_t)n;
		out[nout] = '\0';
	}
}

static bool
wait_text(const char *text)
{
	int	i;

	for (i = 0; i < STEP_MS / 10; i++) {
		if (strstr(out, text) != NULL)
			return true;
		turn(10);
	}
	return false;
}

static bool
wait_answers(int n)
{
	int	i;

	for (i = 0; i < STEP_MS / 10 && nanswers < n; i++)
		turn(10);
	return nanswers == n;
}

static void
forget(void)
{
	turn(50);
	nout = 0;
	out[0] = '\0';
}

/* The wait status, or -1: still there. */
static int
ended(void)
{
	int	i, status;
	ssize_t	n;

	for (i = 0; i < STEP_MS / 10; i++) {
		turn(10);
		if (waitpid(child, &status, WNOHANG) != child)
			continue;
		turn(10);
		if (err != -1 && (n = read(err, errors,
		    sizeof(errors) - 1)) >= 0)
			errors[n] = '\0';
		child = -1;
		return status;
	}
	return -1;
}

static void
finish(void)
{
	if (child > 0) {
		kill(child, SIGKILL);
		waitpid(child, NULL, 0);
	}
	child = -1;
	if (client != NULL)
		link_free(client);
	client = NULL;
	if (term != -1)
		close(term);
	if (err != -1)
		close(err);
	term = err = -1;
	on_command = NULL;
}

static bool
exited(int status, int code)
{
	return status != -1 && WIFEXITED(status) &&
	    WEXITSTATUS(status) == code;
}

static int
count(const char *text, char c)
{
	int	n = 0;

	for (; *text != '\0'; text++)
		n += *text == c;
	return n;
}

#define PIPED(...)	start_piped((const char *const[])		\
			    { __VA_ARGS__, NULL })
#define TERMINAL(...)	start_terminal((const char *const[])		\
			    { __VA_ARGS__, NULL }, 40, 100)

/* Commands */

static void
two_parts(void)
{
	reply(0, 1, "first\n");
	reply(0, 0, "second");
}

static void
test_status(void)
{
	on_command = two_parts;
	PIPED("-j", "status");
	CHECK(exited(ended(), 0));
	CHECK(strcmp(command.command, "status") == 0);
	CHECK(command.version == CTL_VERSION && command.json == 1);
	CHECK(command.text[0] == '\0');
	CHECK(strcmp(out, "first\nsecond\n") == 0);
	CHECK(!offended && errors[0] == '\0');
}

static void
nothing(void)
{
	reply(0, 0, "");
}

static void
test_words(void)
{
	on_command = nothing;
	PIPED("add", "9m", "allow", "-", "-", "tcp", "exe=/usr/bin/x y");
	CHECK(exited(ended(), 0));
	CHECK(strcmp(command.command, "add") == 0 && command.json == 0);
	CHECK(strcmp(command.text, "9m allow - - tcp exe=/usr/bin/x y") == 0);
	CHECK(nout == 0);
}

static void
refuse(void)
{
	reply(1, 0, "rule 1:\nno such\033[31m port\n");
}

static void
test_refused(void)
{
	on_command = refuse;
	PIPED("add", "allow", "-", "x", "tcp");
	CHECK(exited(ended(), 1));
	CHECK(nout == 0);
	CHECK(strcmp(errors,
	    "tinysnitchctl: rule 1: no such [31m port\n") == 0);
}

static void
hostile(void)
{
	reply(0, 0, "a\033]0;x\007b\tc\303\251\n");
}

static void
test_escaped(void)
{
	on_command = hostile;
	PIPED("rules");
	CHECK(exited(ended(), 0));
	CHECK(strcmp(out, "a\\x1b]0;x\\x07b\tc\\xc3\\xa9\n") == 0);
}

/* No connection is made for these. */
static void
test_usage(void)
{
	static const char *const	bad_ones[][4] = {
		{ NULL }, { "nonsense", NULL }, { "add", NULL },
		{ "pause", NULL }, { "test", "tcp", NULL },
		{ "status", "x", NULL }, { "-x", NULL },
		{ "-j", "ask", NULL }, { "add", "a\nb", NULL },
		{ "ask", NULL },
	};
	size_t				i;

	for (i = 0; i < sizeof(bad_ones) / sizeof(bad_ones[0]); i++) {
		start_piped(bad_ones[i]);
		if (!exited(ended(), 1) || count(errors, '\n') < 1 ||
		    nout != 0 || ncommands != 0)
			bad("%zu: %s", i, errors);
		/* getopt(3) says which option it was, on a line before. */
		if (count(errors, '\n') != 1 && strstr(errors,
		    "invalid option") == NULL)
			bad("%zu: more than a line: %s", i, errors);
		finish();
	}
}

static void
test_too_long(void)
{
	static char	word[RULE_TEXT_MAX + 10];

	memset(word, 'a', sizeof(word) - 1);
	PIPED("delete", word);
	CHECK(exited(ended(), 1));
	CHECK(strcmp(errors, "tinysnitchctl: too long\n") == 0);
}

static void
test_not_running(void)
{
	char	save[sizeof(path)];

	memcpy(save, path, sizeof(path));
	CHECK(strlcat(path, "-none", sizeof(path)) < sizeof(path));
	PIPED("status");
	CHECK(exited(ended(), 1));
	CHECK(strstr(errors, "is not running\n") != NULL);
	memcpy(path, save, sizeof(path));
}

static void
hang_up(void)
{
	link_free(client);
	client = NULL;
}

static void
test_hang_up(void)
{
	on_command = hang_up;
	PIPED("status");
	CHECK(exited(ended(), 1));
	CHECK(count(errors, '\n') == 1);
}

static void
garbage(void)
{
	CHECK(write(client_fd, "\377\377\377\377\377\377\377\377\377",
	    9) == 9);
}

static void
test_garbage(void)
{
	on_command = garbage;
	PIPED("status");
	CHECK(exited(ended(), 1));
	CHECK(strstr(errors, "broke the protocol") != NULL);
}

/* A question to somebody who only wanted the rules. */
static void	ask_only(void);

static void
test_unwanted_question(void)
{
	on_command = ask_only;
	PIPED("rules");
	CHECK(exited(ended(), 1));
	CHECK(nout == 0);
}

/* Decisions */

#define DECISION	"2026-11-21T22:14:03.123456 INFO deny tcp | " \
			    "localhost:46700 -> bing.com:80 | [6] /bin/curl x\n"

static void
decisions(void)
{
	reply(0, 1, "");
	reply(0, 1, DECISION);
	reply(0, 1, "2026-11-21T22:14:04.123456 INFO allow udp | "
	    "1.2.3.4:5 -> localhost:53 | [-] unknown");
}

static void
test_monitor(void)
{
	on_command = decisions;
	PIPED("monitor");
	CHECK(wait_text("unknown\n"));
	CHECK(strcmp(out, "22:14:03 deny tcp bing.com:80 | [6] /bin/curl x\n"
	    "22:14:04 allow udp 1.2.3.4:5 -> localhost:53 | [-] unknown\n")
	    == 0);
	kill(child, SIGINT);
	CHECK(ended() != -1);
}

static void
test_monitor_colours(void)
{
	on_command = decisions;
	TERMINAL("monitor");
	CHECK(wait_text("unknown"));
	CHECK(strstr(out, "\033[31mdeny\033[0m") != NULL);
	CHECK(strstr(out, "\033[32mallow\033[0m") != NULL);
}

static void
objects(void)
{
	reply(0, 1, "{\"action\":\"deny\"}");
	reply(0, 1, "\n");
	reply(0, 1, "{\"action\":");
	reply(0, 1, "\"allow\"}\n");
}

static void
test_monitor_json(void)
{
	on_command = objects;
	TERMINAL("-j", "monitor");
	CHECK(wait_text("{\"action\":\"allow\"}"));
	CHECK(strstr(out, "\n\n") == NULL);
	CHECK(command.json == 1);
	CHECK(strchr(out, '\033') == NULL);
}

/* Questions */

static struct msg_ask	ask;

static void
send_ask(uint32_t left_ms)
{
	static uint8_t	buf[MSG_PAYLOAD_MAX];
	struct ibuf	b;

	ask.left_ms = left_ms;
	ibuf_writer(&b, buf, sizeof(buf));
	msg_put_ask(&b, &ask);
	link_send_ibuf(client, MSG_ASK, -1, &b);
}

static void
make_ask(uint32_t question)
{
	static const struct { uint8_t mask; const char *text; } lines[] = {
		{ 0, "www.github.com 443 tcp" },
		{ ASK_DOMAIN, "*.github.com 443 tcp" },
		{ ASK_PORT, "www.github.com - tcp" },
		{ ASK_DOMAIN | ASK_PORT, "*.github.com - tcp" },
	};
	size_t	i;

	memset(&ask, 0, sizeof(ask));
	ask.question = question;
	CHECK(addr_parse("10.0.0.1", &ask.tuple.src) == 0);
	CHECK(addr_parse("10.8.1.1", &ask.tuple.dst) == 0);
	ask.tuple.proto = 6;
	ask.tuple.sport = 40000;
	ask.tuple.dport = 443;
	ask.nnames = 1;
	(void)strlcpy(ask.name[0], "www.github.com", sizeof(ask.name[0]));
	ask.shared = 1;
	ask.source = WHO_EVENT;
	ask.pid = 4711;
	(void)strlcpy(ask.exe, "/usr/bin/curl", sizeof(ask.exe));
	(void)strlcpy(ask.user, "root", sizeof(ask.user));
	ask.held = 1;
	for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		ask.line[i].mask = lines[i].mask;
		(void)strlcpy(ask.line[i].text, lines[i].text,
		    sizeof(ask.line[i].text));
	}
	ask.nlines = (uint8_t)i;
}

static void
ask_only(void)
{
	make_ask(7);
	send_ask(60000);
}

static void
ask_first(void)
{
	reply(0, 1, "unanswered drop delay 400");
	ask_only();
}

static void
type(const char *keys)
{
	if (write(term, keys, strlen(keys)) != (ssize_t)strlen(keys))
		bad("terminal: %s", strerror(errno));
}

/* One key after the other, as a hand would. */
static void
press(const char *keys)
{
	char	one[2] = "";

	for (; *keys != '\0'; keys++) {
		one[0] = *keys;
		type(one);
		turn(30);
	}
}

static void
ask_open(void)
{
	on_command = ask_first;
	TERMINAL("ask");
	CHECK(wait_text("allow www.github.com 443 tcp"));
	CHECK(wait_text("deny www.github.com 443 tcp"));
	CHECK(strstr(out, "/usr/bin/curl") != NULL);
	CHECK(strstr(out, "until DROP") != NULL ||
	    strstr(out, "until drop") != NULL);
}

static void
test_ask_answer(void)
{
	ask_open();
	CHECK(wait_text("ready"));
	press("n");
	CHECK(wait_text("answered: deny www.github.com 443 tcp, 9-minutes"));
	CHECK(nanswers == 1 && !offended);
	CHECK(answer.question == 7 && answer.line == 0);
	CHECK(answer.action == ACTION_DENY);
	CHECK(answer.duration == DURATION_9M);
}

static void
test_ask_toggles(void)
{
	ask_open();
	CHECK(wait_text("ready"));
	press("dpf");
	CHECK(wait_text("allow *.github.com - tcp"));
	press("y");
	turn(50);
	CHECK(nanswers == 1 && answer.line == 3);
	CHECK(answer.action == ACTION_ALLOW);
	CHECK(answer.duration == DURATION_FOREVER);
}

static void
test_ask_help(void)
{
	ask_open();
	CHECK(wait_text("ready"));
	forget();
	press("h");
	CHECK(wait_text("any key goes back"));
	forget();
	press("y");
	CHECK(wait_text("allow www.github.com 443 tcp"));
	CHECK(nanswers == 0);
}

/* Typing that was under way when the question came counts for nothing. */
static void
test_ask_arming(void)
{
	int	i;

	ask_open();
	for (i = 0; i < 8; i++) {
		press("y");
		turn(100);
	}
	CHECK(nanswers == 0);
	turn(400);
	press("y");
	turn(50);
	CHECK(nanswers == 1);
}

static void
test_ask_rearms(void)
{
	ask_open();
	CHECK(wait_text("ready"));
	press("n");
	turn(20);
	CHECK(nanswers == 1);
	make_ask(8);
	send_ask(60000);
	turn(50);
	press("n");
	CHECK(nanswers == 1);
	turn(600);
	press("n");
	turn(50);
	CHECK(nanswers == 2 && answer.question == 8);
}

static void
test_ask_paste(void)
{
	ask_open();
	CHECK(wait_text("ready"));
	type("\033[200~yes please\033[201~");
	turn(100);
	CHECK(nanswers == 0);
	turn(400);
	type("yyyyyyyyyy");
	turn(100);
	CHECK(nanswers == 0);
}

static void
test_ask_escape(void)
{
	ask_open();
	CHECK(wait_text("ready"));
	type("\033");
	(void)usleep(2000);	/* no turn of the loop, which may take long */
	type("[C");		/* an arrow in two pieces is no Escape */
	turn(200);
	CHECK(nanswers == 0);
	turn(200);
	type("\033");
	CHECK(wait_answers(1));
	CHECK(answer.action == ACTION_DENY);
	CHECK(answer.duration == DURATION_ONCE);
}

static void
test_ask_modified(void)
{
	ask_open();
	CHECK(wait_text("ready"));
	type("\033y");		/* Alt */
	turn(100);
	type("\031");		/* Control */
	turn(100);
	CHECK(nanswers == 0);
}

static void
test_ask_withdrawn(void)
{
	static uint8_t		buf[16];
	struct ibuf		b;
	struct msg_ask_end	m = { .question = 7 };

	ask_open();
	CHECK(wait_text("ready"));
	forget();
	ibuf_writer(&b, buf, sizeof(buf));
	msg_put_ask_end(&b, &m);
	link_send_ibuf(client, MSG_ASK_END, -1, &b);
	CHECK(wait_text("waiting for questions"));
	press("y");
	turn(50);
	CHECK(nanswers == 0);
}

static void
test_ask_countdown(void)
{
	on_command = ask_first;
	TERMINAL("ask");
	CHECK(wait_text("60 seconds until"));
	CHECK(wait_text("59 seconds until"));
	CHECK(wait_text("58 seconds until"));
}

/* Does what was last drawn overrun a line or the screen? */
static bool
scrolled(int cols, int rows)
{
	const char	*p, *last = NULL;
	int		 x = 0, y = 0;

	for (p = out; (p = strstr(p, "\033[H")) != NULL; p++)
		last = p;
	if (last == NULL)
		return true;
	for (p = last; *p != '\0'; p++) {
		if (*p == '\033') {
			p += strcspn(p, "HKJhlm");
			if (*p == '\0')
				break;
		} else if (*p == '\n')
			x = 0, y++;
		else if (*p != '\r' && ++x > cols)
			return true;
	}
	return y >= rows;
}

static void
test_ask_size(void)
{
	struct winsize	ws = { .ws_row = 8, .ws_col = 30 };

	ask_open();
	CHECK(wait_text("ready"));
	CHECK(ioctl(term, TIOCSWINSZ, &ws) == 0);
	CHECK(wait_text("make the terminal larger"));
	turn(500);
	press("y");
	turn(50);
	CHECK(nanswers == 0);
	ws.ws_row = 10;
	ws.ws_col = 40;
	forget();
	CHECK(ioctl(term, TIOCSWINSZ, &ws) == 0);
	CHECK(wait_text("allow www.github.com 443 tcp"));
	CHECK(wait_text("ready"));
	CHECK(strstr(out, "deny www.github.com 443 tcp") != NULL);
	CHECK(strstr(out, "[www.github.com:443]") != NULL);
	CHECK(strstr(out, "[4711] ") != NULL);
	CHECK(!scrolled(40, 10));
	ws.ws_row = 30;
	ws.ws_col = 62;
	forget();
	CHECK(ioctl(term, TIOCSWINSZ, &ws) == 0);
	CHECK(wait_text("(l)egend"));
	CHECK(wait_text("ready"));
	CHECK(!scrolled(62, 30));
	press("y");
	turn(50);
	CHECK(nanswers == 1);
}

/* A rule of which a part has no room is not to be answered. */
static void
test_ask_rule_cut(void)
{
	struct winsize	ws = { .ws_row = 10, .ws_col = 40 };

	ask_open();
	(void)memset(ask.line[0].text, 'a', 200);
	(void)strlcpy(ask.line[0].text + 200, ".example 443 tcp",
	    sizeof(ask.line[0].text) - 200);
	send_ask(60000);
	CHECK(ioctl(term, TIOCSWINSZ, &ws) == 0);
	CHECK(wait_text("make the terminal larger"));
	turn(700);
	press("y");
	turn(50);
	CHECK(nanswers == 0);
	ws.ws_row = 24;
	forget();
	CHECK(ioctl(term, TIOCSWINSZ, &ws) == 0);
	CHECK(wait_text("ready"));
	press("y");
	turn(50);
	CHECK(nanswers == 1);
}

static void
test_ask_no_colour(void)
{
	ask_open();
	CHECK(wait_text("ready"));
	CHECK(strstr(out, "\033[0;32m") != NULL);
	finish();
	no_colour = "1";
	ask_open();
	CHECK(wait_text("ready"));
	CHECK(strstr(out, "\033[0;3") == NULL);
	no_colour = "";
}

static bool
cooked(void)
{
	struct termios	t;

	return tcgetattr(term, &t) == 0 && (t.c_lflag & ICANON) &&
	    (t.c_lflag & ECHO);
}

static void
test_ask_restores(void)
{
	static const int	sigs[] = { SIGTERM, SIGINT, SIGHUP, SIGQUIT,
				    SIGSEGV, SIGABRT };
	size_t			i;
	int			status;

	for (i = 0; i < sizeof(sigs) / sizeof(sigs[0]); i++) {
		ask_open();
		CHECK(!cooked());
		kill(child, sigs[i]);
		status = ended();
		CHECK(status != -1 && WIFSIGNALED(status) &&
		    WTERMSIG(status) == sigs[i]);
		CHECK(cooked());
		CHECK(strstr(out, "\033[?1049l") != NULL);
		CHECK(nanswers == 0);
		finish();
	}
	ask_open();
	type("\003");
	CHECK(ended() != -1);
	CHECK(cooked());
	finish();
	ask_open();
	hang_up();
	CHECK(exited(ended(), 1));
	CHECK(cooked());
	CHECK(strstr(out, "closed the connection") >
	    strstr(out, "\033[?1049l"));
}

static void
test_ask_stop(void)
{
	int	status;

	ask_open();
	CHECK(wait_text("ready"));
	type("\032");
	CHECK(waitpid(child, &status, WUNTRACED) == child &&
	    WIFSTOPPED(status));
	CHECK(cooked());
	forget();
	kill(child, SIGCONT);
	CHECK(wait_text("allow www.github.com 443 tcp"));
	CHECK(!cooked());
	press("y");
	CHECK(nanswers == 0);
}

static void
test_ask_refused(void)
{
	on_command = refuse;
	TERMINAL("ask");
	CHECK(exited(ended(), 1));
	CHECK(cooked());
	CHECK(strstr(out, "no such [31m port") != NULL);
}

static void
run(const char *n, void (*f)(void))
{
	name = n;
	bad_case = false;
	f();
	finish();
	if (!bad_case)
		printf("ok ctl %s\n", name);
	(void)fflush(stdout);
}

static void
listen_here(void)
{
	struct sockaddr_un	sun;

	memset(&sun, 0, sizeof(sun));
	sun.sun_family = AF_UNIX;
	(void)snprintf(dir, sizeof(dir), "/tmp/ctl-test-XXXXXX");
	if (mkdtemp(dir) == NULL)
		fatal("mkdtemp");
	(void)snprintf(path, sizeof(path), "%s/sock", dir);
	(void)strlcpy(sun.sun_path, path, sizeof(sun.sun_path));
	listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (listener == -1 || bind(listener, (struct sockaddr *)&sun,
	    sizeof(sun)) == -1 || listen(listener, 5) == -1)
		fatal("%s", path);
	if ((base = event_base_new()) == NULL || (accepting = event_new(base,
	    listener, EV_READ | EV_PERSIST, daemon_accept, NULL)) == NULL ||
	    event_add(accepting, NULL) == -1)
		fatalx("event base");
}

int
main(void)
{
	const char	*b = getenv("B");

	log_init(ROLE_RULED, 0);
	(void)snprintf(program, sizeof(program), "%s/bin/tinysnitchctl",
	    b == NULL ? "build" : b);
	listen_here();
	run("a reply in two parts", test_status);
	run("words are joined", test_words);
	run("a refusal is one line", test_refused);
	run("output is escaped", test_escaped);
	run("wrong usage", test_usage);
	run("too long", test_too_long);
	run("no daemon", test_not_running);
	run("daemon hangs up", test_hang_up);
	run("garbage", test_garbage);
	run("a question nobody wanted", test_unwanted_question);
	run("monitor", test_monitor);
	run("monitor in colours", test_monitor_colours);
	run("monitor in JSON", test_monitor_json);
	run("answer", test_ask_answer);
	run("toggles and for ever", test_ask_toggles);
	run("help", test_ask_help);
	run("keys wait", test_ask_arming);
	run("keys wait again", test_ask_rearms);
	run("pasted text", test_ask_paste);
	run("Escape and arrows", test_ask_escape);
	run("Control and Alt", test_ask_modified);
	run("withdrawn", test_ask_withdrawn);
	run("countdown", test_ask_countdown);
	run("screen size", test_ask_size);
	run("a rule without room", test_ask_rule_cut);
	run("NO_COLOR", test_ask_no_colour);
	run("terminal is given back", test_ask_restores);
	run("stopped and continued", test_ask_stop);
	run("ask refused", test_ask_refused);
	(void)unlink(path);
	(void)rmdir(dir);
	return failures == 0 ? 0 : 1;
}
