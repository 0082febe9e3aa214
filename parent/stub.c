/*
 * SPDX-License-Identifier: ISC
 *
 * What needs all of root after the start runs here: a small process, forked
 * before the parent drops anything, that takes orders of one byte and never
 * data.  A parent that was taken over can have the kernel rules loaded,
 * checked or removed, and an X connection made, and nothing else of root.
 *
 * The end of the parent without an order to stop is a crash.
 */
#include <sys/types.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "events.h"
#include "fdpass.h"
#include "parent.h"

#define RUN_SECONDS	30	/* a program that needs longer is killed */
#define CALL_SECONDS	75	/* two programs and a display, at worst */
#define ARGS		12
#define STUB_FDS	64	/* above all that was opened before the fork */

/* In the stub. */
static bool		 loaded;	/* the kernel rules are ours */
static enum fw_form	 form;

/* In the parent. */
static int		 stub_fd = -1;
static pid_t		 pid;
static struct event	*stub_event;
static stub_done	*done;
static const enum stub_order later[] = { STUB_CHECK, STUB_ADD, STUB_DISPLAY,
    STUB_EVENTS };
#define NLATER (sizeof(later) / sizeof(later[0]))
static bool		 wanted[NLATER];
static bool		 busy;		/* an order is not answered yet */

/*
 * Runs a program with nothing of ours but its arguments.  Its output, cut,
 * is one line in text.  Returns its exit status, or -1.
 */
static void __attribute__((__noreturn__))
run_exec(const char *const argv[], int out)
{
	static char	 path[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin";
	char		*envp[] = { path, NULL }, *args[ARGS + 1];
	int		 i;

	for (i = 0; i < ARGS && argv[i] != NULL; i++)
		if ((args[i] = strdup(argv[i])) == NULL)
			_exit(126);
	args[i] = NULL;
	if (dup2(env.fds.null, STDIN_FILENO) == -1 ||
	    dup2(out, STDOUT_FILENO) == -1 || dup2(out, STDERR_FILENO) == -1)
		_exit(126);
	closefrom(STDERR_FILENO + 1);
	(void)setpgid(0, 0);
	/* The others stay ignored: a manager's SIGTERM to all of us must not
	 * end the removal of the rules half way. */
	(void)signal(SIGPIPE, SIG_DFL);
	(void)execvpe(args[0], args, envp);
	_exit(127);
}

/* Reads until the end of file or until end; false: it took too long. */
static bool
run_read(int fd, char *text, size_t size, int64_t end)
{
	struct pollfd	pfd = { fd, POLLIN, 0 };
	char		rest[512];
	size_t		len = 0;
	ssize_t		n;
	int64_t		left;

	while ((left = end - parent_now_ms()) > 0) {
		if (poll(&pfd, 1, (int)left) == -1 && errno != EINTR)
			break;
		if (pfd.revents == 0)
			continue;
		n = len < size - 1 ? read(fd, text + len, size - 1 - len) :
		    read(fd, rest, sizeof(rest));
		if (n == -1 && errno != EINTR)
			break;
		if (n == 0) {
			text[len] = '\0';
			return true;
		}
		if (n > 0 && len < size - 1)
			len += (size_t)n;
	}
	text[len] = '\0';
	return false;
}

static int
run(const char *const argv[], char *text, size_t size)
{
	int	fds[2], status, saved;
	pid_t	p;
	bool	ended;

	text[0] = '\0';
	if (pipe2(fds, O_CLOEXEC) == -1)
		return -1;
	switch (p = fork()) {
	case -1:
		saved = errno;
		(void)close(fds[0]);
		(void)close(fds[1]);
		errno = saved;
		return -1;
	case 0:
		run_exec(argv, fds[1]);
	}
	(void)close(fds[1]);
	ended = run_read(fds[0], text, size, parent_now_ms() +
	    RUN_SECONDS * 1000);
	(void)close(fds[0]);
	if (!ended) {
		(void)kill(-p, SIGKILL);
		(void)kill(p, SIGKILL);
		(void)strlcpy(text, "took too long, killed", size);
	}
	while (waitpid(p, &status, 0) == -1)
		if (errno != EINTR)
			return -1;
	text[strcspn(text, "\n")] = '\0';
	return ended && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* The script that loads the kernel rules. */

static int
firewall(const char *verb, enum fw_form f, char *text, size_t size)
{
	static const char *const frames[] = { [FRAMES_IGNORE] = "frames=ignore",
	    [FRAMES_WARN] = "frames=warn", [FRAMES_DROP] = "frames=drop" };
	char		queue[16], mark[32], judged[32];
	const char	*argv[ARGS + 1];
	int		n = 0, status;

	(void)snprintf(queue, sizeof(queue), "%u", env.conf.queue);
	(void)snprintf(mark, sizeof(mark), "mark=0x%08x", env.conf.deny_mark);
	(void)snprintf(judged, sizeof(judged), "judged=0x%08x", JUDGED_MARK);
	argv[n++] = env.firewall;
	argv[n++] = verb;
	if (strcmp(verb, "remove") != 0) {
		argv[n++] = f == FW_NFT ? "nft" : "iptables";
		argv[n++] = queue;
		argv[n++] = mark;
		argv[n++] = judged;
		argv[n++] = frames[env.conf.frames];
		argv[n++] = env.conf.loopback_filter ? "loopback=filter" :
		    "loopback=allow";
		argv[n++] = env.conf.other_filter ? "other=filter" :
		    "other=allow";
		argv[n++] = env.conf.ipv6_block ? "ipv6=block" :
		    "ipv6=filter";
		argv[n++] = env.conf.forward_filter ? "forward=filter" :
		    "forward=ignore";
	}
	argv[n] = NULL;
	status = run(argv, text, size);
	if (status != 0 && text[0] == '\0')
		(void)snprintf(text, size, "firewall %s: status %d", verb,
		    status);
	return status;
}

/*
 * Would the kernel take the nft form?  The dry run is refused by the kernel
 * itself where an expression is missing, above all "queue".
 */
static void
order_probe(struct stub_reply *r)
{
	static const char	ruleset[] =
	    "table inet tinysnitch-probe { chain c { "
	    "type filter hook output priority -50; "
	    "fib daddr type local accept; ct state established accept; "
	    "meta skuid >= 0 meta mark & 1 == 1 reject with tcp reset; "
	    "queue num 0; }; }";
	static const char *const argv[] = { "nft", "--check", ruleset, NULL };

	switch (env.conf.firewall) {
	case FIREWALL_NFT:
		form = FW_NFT;
		break;
	case FIREWALL_IPTABLES:
		form = FW_IPTABLES;
		break;
	case FIREWALL_MANUAL:
		form = FW_MANUAL;
		break;
	case FIREWALL_AUTO:
		form = run(argv, r->text, sizeof(r->text)) == 0 ? FW_NFT :
		    FW_IPTABLES;
		break;
	}
	r->ok = true;
}

/* iptables-legacy tells nobody when its rules change. */
static bool
is_silent(void)
{
	static const char *const argv[] = { "iptables", "--version", NULL };
	char			 text[128];

	return form == FW_IPTABLES && run(argv, text, sizeof(text)) == 0 &&
	    strstr(text, "legacy") != NULL;
}

static void
order_add(struct stub_reply *r)
{
	if (form == FW_MANUAL)
		r->ok = true;
	else if (firewall("add", form, r->text, sizeof(r->text)) == 0) {
		r->ok = true;
		r->silent = is_silent();
		loaded = true;
	}
}

static void
order_check(struct stub_reply *r)
{
	r->ok = form == FW_MANUAL ||
	    firewall("status", form, r->text, sizeof(r->text)) == 0;
}

/*
 * The queue is bound before there are orders: what is in the kernel is ours
 * to remove, though we may not have come to load any.  A crash left it.
 */
static void
order_stop(struct stub_reply *r)
{
	r->ok = form == FW_MANUAL ||
	    firewall("remove", form, r->text, sizeof(r->text)) == 0;
}

/* The parent's end without an order. */
static void __attribute__((__noreturn__))
parent_crashed(void)
{
	char	text[256];

	if (loaded && env.conf.after_crash_pass)
		(void)firewall("remove", form, text, sizeof(text));
	events_remove();
	_exit(0);
}

static void
reply(int s, const struct stub_reply *r, int fd)
{
	struct stub_reply	copy = *r;

	if (fdpass_send(s, &copy, sizeof(copy), fd, 0) == -1)
		parent_crashed();
	explicit_bzero(&copy, sizeof(copy));
}

/* The set stays open here until the next: the parent has to map its rings. */
static void
order_events(int s, struct stub_reply *r)
{
	int	fd, i;

	if (events_open() == -1) {
		reply(s, r, -1);
		return;
	}
	r->ok = true;
	for (i = 0; events_get(i, &r->event, &fd) == 0; i++)
		reply(s, r, fd);
}

static void
obey(int s, enum stub_order order)
{
	struct stub_reply	r;
	char			end;
	int			fd = -1;

	memset(&r, 0, sizeof(r));
	r.order = (uint8_t)order;
	switch (order) {
	case STUB_PROBE:
		order_probe(&r);
		break;
	case STUB_ADD:
		order_add(&r);
		break;
	case STUB_CHECK:
		order_check(&r);
		break;
	case STUB_DISPLAY:
		fd = display_connect(&r.display);
		r.ok = fd != -1;
		break;
	case STUB_EVENTS:
		order_events(s, &r);
		return;
	case STUB_STOP:
		order_stop(&r);
		break;
	case STUB_LEAVE:
		r.ok = true;
		break;
	default:
		_exit(1);
	}
	r.form = (uint8_t)form;
	reply(s, &r, fd);
	if (fd != -1)
		(void)close(fd);
	explicit_bzero(&r, sizeof(r));
	if (order != STUB_STOP && order != STUB_LEAVE)
		return;
	/* Nobody reads events any more when the parent has ended. */
	if (events_outlive())
		while (recv(s, &end, sizeof(end), 0) == -1 && errno == EINTR)
			continue;
	events_remove();
	_exit(0);
}

/* Nobody's signals are meant for it: it ends with the parent. */
static void __attribute__((__noreturn__))
stub_main(int s)
{
	static const int	ignored[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM,
	    SIGPIPE, SIGUSR1, SIGUSR2 };
	uint8_t			order;
	size_t			i;
	ssize_t			n;

	events_close();
	for (i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
		(void)signal(ignored[i], SIG_IGN);
	(void)setsid();
	(void)prctl(PR_SET_NAME, "snitch-stub");
	(void)prctl(PR_SET_DUMPABLE, 0);
	setproctitle("-snitch-stub");
	/* It holds nothing open that others wait for the end of. */
	s = fcntl(s, F_DUPFD_CLOEXEC, STUB_FDS);
	if (s == -1 || chdir("/") == -1 ||
	    dup2(env.fds.null, STDIN_FILENO) == -1 ||
	    dup2(env.fds.null, STDOUT_FILENO) == -1 ||
	    dup2(env.fds.null, STDERR_FILENO) == -1 ||
	    dup2(s, STDERR_FILENO + 1) == -1)
		_exit(1);
	closefrom(STDERR_FILENO + 2);
	s = STDERR_FILENO + 1;
	(void)fcntl(s, F_SETFD, FD_CLOEXEC);
	env.fds.null = STDIN_FILENO;
	for (;;) {
		n = recv(s, &order, sizeof(order), 0);
		if (n == 1)
			obey(s, order);
		else if (n == 0 || errno != EINTR)
			parent_crashed();
	}
}

/* The parent's side. */

void
stub_start(void)
{
	int	fds[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) == -1)
		fatal("socketpair");
	switch (pid = fork()) {
	case -1:
		fatal("fork");
	case 0:
		(void)close(fds[0]);
		stub_main(fds[1]);
	}
	(void)close(fds[1]);
	stub_fd = fds[0];
}

pid_t
stub_pid(void)
{
	return pid;
}

/* One reply; -1 if there is none, and then the stub is no more. */
static int
receive(struct stub_reply *r, int *fd)
{
	bool	stray;

	if (fdpass_recv(stub_fd, r, sizeof(*r), fd, &stray, MSG_DONTWAIT) !=
	    (ssize_t)sizeof(*r))
		return -1;
	r->text[sizeof(r->text) - 1] = '\0';
	return 0;
}

int
stub_call(enum stub_order order, struct stub_reply *r, int *fd)
{
	struct pollfd	pfd = { stub_fd, POLLIN, 0 };
	uint8_t		byte = (uint8_t)order;
	int64_t		end = parent_now_ms() + CALL_SECONDS * 1000, left;
	int		any;

	memset(r, 0, sizeof(*r));
	if (send(stub_fd, &byte, sizeof(byte), MSG_NOSIGNAL) != 1)
		return -1;
	while ((left = end - parent_now_ms()) > 0) {
		if (poll(&pfd, 1, (int)left) < 1)
			continue;
		if (receive(r, &any) == -1)
			return -1;
		/* An answer to an order given before may come first. */
		if (r->order == order) {
			if (fd != NULL)
				*fd = any;
			else if (any != -1)
				(void)close(any);
			return 0;
		}
		if (any != -1)
			(void)close(any);
	}
	return -1;
}

static void
send_next(void)
{
	uint8_t	byte;
	size_t	i;

	for (i = 0; i < NLATER && !busy; i++) {
		if (!wanted[i])
			continue;
		wanted[i] = false;
		byte = (uint8_t)later[i];
		if (send(stub_fd, &byte, sizeof(byte), MSG_NOSIGNAL) != 1)
			fatal("stub");
		busy = true;
	}
}

static void
stub_readable(int s, short what, void *arg)
{
	struct stub_reply	r;
	int			fd;

	(void)s;
	(void)what;
	(void)arg;
	if (receive(&r, &fd) == -1) {
		(void)event_del(stub_event);
		if (parent_stopping())
			return;
		fatalx("the stub ended");
	}
	/* Of events there are several, the last of them says so. */
	busy = r.order == STUB_EVENTS && r.ok && !r.event.last;
	done(&r, fd);
	explicit_bzero(&r, sizeof(r));
	send_next();
}

void
stub_listen(stub_done *callback)
{
	done = callback;
	stub_event = event_new(env.base, stub_fd, EV_READ | EV_PERSIST,
	    stub_readable, NULL);
	if (stub_event == NULL || event_add(stub_event, NULL) == -1)
		fatal(NULL);
}

void
stub_order(enum stub_order order)
{
	size_t	i;

	for (i = 0; i < NLATER; i++)
		if (later[i] == order)
			wanted[i] = true;
	send_next();
}
