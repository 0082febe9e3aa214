/*
 * SPDX-License-Identifier: ISC
 *
 * tinysnitch(8): options, the order of the start, the loop, and the end.
 * Nothing is ever half started: each step that fails says one line and ends
 * the program before the kernel rules are in.
 */
#include <sys/types.h>

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "events.h"
#include "parent.h"
#include "sandbox.h"

#define MENDS_MAX	5	/* in RATE_MS: somebody fights us */
#define SILENT_SECONDS	5	/* between looks at rules that raise no event */
#define STOP_SECONDS	3	/* for ruled to write names and end */
#define END_SECONDS	2	/* for all children to end */
#define PROMPTER_WAIT	2	/* seconds, doubled up to the next */
#define PROMPTER_WAIT_MAX 60

/* The end comes in steps, each bounded by a timer. */
enum stage { RUNNING, STOP_RULED, STOP_CHILDREN };

struct parent		 env;

static enum { START_CHILDREN, START_RULES, STARTED } starting;
static enum stage	 stage;
static bool		 remove_rules;
static int		 ready_pipe = -1;	/* to who started us */
static struct rate	 mends;
static bool		 mending, giving_up;
static struct event	*stop_timer, *silent_timer, *prompter_timer;
static time_t		 prompter_wait = PROMPTER_WAIT;
static bool		 prompter_due;	/* a display was asked for */

int64_t
parent_now_ms(void)
{
	struct timespec	ts;

	if (clock_gettime(CLOCK_MONOTONIC, &ts) == -1)
		fatal("clock_gettime");
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int
rate_count(struct rate *r)
{
	int64_t	now = parent_now_ms();
	int	i, n = 0;

	r->at[r->next] = now;
	r->next = (r->next + 1) % RATE_MAX;
	for (i = 0; i < RATE_MAX; i++)
		n += r->at[i] != 0 && now - r->at[i] < RATE_MS;
	return n;
}

static struct event *
timer_new(void (*f)(int, short, void *))
{
	struct event	*e;

	if ((e = evtimer_new(env.base, f, NULL)) == NULL)
		fatal(NULL);
	return e;
}

static void
timer_set(struct event *e, time_t seconds)
{
	struct timeval	tv = { seconds, 0 };

	if (evtimer_add(e, &tv) == -1)
		fatal(NULL);
}

/* Options and configuration. */

static void __attribute__((__noreturn__))
usage(void)
{
	(void)fprintf(stderr, "usage: tinysnitch [-dnvV] [-f file]\n");
	exit(1);
}

/* The file that nobody named may be missing: the defaults are complete. */
static int
read_conf(bool named)
{
	FILE	*f;
	int	 errors;

	if ((f = fopen(env.conf_path, "re")) == NULL) {
		if (errno == ENOENT && !named &&
		    (f = fopen("/dev/null", "re")) != NULL) {
			errors = conf_parse(&env.conf, env.conf_path, f,
			    stderr);
			(void)fclose(f);
			return errors;
		}
		(void)fprintf(stderr, "%s: %s\n", env.conf_path,
		    strerror(errno));
		return 1;
	}
	if (file_is_anybodys(fileno(f))) {
		(void)fprintf(stderr, "%s: anybody may write to it\n",
		    env.conf_path);
		(void)fclose(f);
		return 1;
	}
	errors = conf_parse(&env.conf, env.conf_path, f, stderr);
	(void)fclose(f);
	return errors;
}

/* The programs are found from where this one lies, installed or not. */
static void
find_programs(void)
{
	char	exe[PATH_MAX], *slash;
	ssize_t	len;
	int	i, n;

	if ((len = readlink("/proc/self/exe", exe, sizeof(exe) - 1)) == -1)
		err(1, "/proc/self/exe");
	exe[len] = '\0';
	for (i = 0; i < 2; i++) {
		if ((slash = strrchr(exe, '/')) == NULL)
			errx(1, "%s: is no place for this program", exe);
		*slash = '\0';
	}
	n = snprintf(env.libexec, sizeof(env.libexec),
	    "%s/libexec/tinysnitch", exe);
	if (n < 0 || (size_t)n >= sizeof(env.libexec))
		errx(1, "%s: path is too long", exe);
	n = snprintf(env.firewall, sizeof(env.firewall), "%s/firewall",
	    env.libexec);
	if (n < 0 || (size_t)n >= sizeof(env.firewall))
		errx(1, "%s: path is too long", exe);
	if (access(env.firewall, X_OK) == 0)
		return;
	n = snprintf(env.firewall, sizeof(env.firewall), "%s/../etc/firewall",
	    exe);
	if (n < 0 || (size_t)n >= sizeof(env.firewall))
		errx(1, "%s: path is too long", exe);
}

/* Before anything is opened. */

static void
find_user(const char *name, uid_t *uid, gid_t *gid)
{
	struct passwd	*pw;

	if ((pw = getpwnam(name)) == NULL)
		fatalx("user %s is missing; \"make users\" adds it", name);
	if (pw->pw_uid == 0)
		fatalx("user %s is root, which is no protection", name);
	*uid = pw->pw_uid;
	*gid = pw->pw_gid;
}

static void
find_users(void)
{
	struct group	*gr;

	find_user(env.conf.user, &env.uid, &env.gid);
	find_user(env.conf.ask_user, &env.ask_uid, &env.ask_gid);
	if (env.uid == env.ask_uid)
		fatalx("user and ask user must not be the same");
	if (env.conf.control_group[0] == '\0')
		return;
	if ((gr = getgrnam(env.conf.control_group)) == NULL)
		fatalx("group %s is missing; \"make users\" adds it",
		    env.conf.control_group);
	env.control_gid = gr->gr_gid;
}

static void
check_programs(void)
{
	static const enum role	roles[] = { ROLE_NETQ, ROLE_PROCINFO,
	    ROLE_RULED, ROLE_PROMPTER };
	char			path[PATH_MAX + 16];
	size_t			i;

	for (i = 0; i < sizeof(roles) / sizeof(roles[0]); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", env.libexec,
		    role_name(roles[i]));
		if (access(path, X_OK) == -1)
			fatal("%s", path);
	}
	if (env.conf.firewall != FIREWALL_MANUAL &&
	    access(env.firewall, X_OK) == -1)
		fatal("%s", env.firewall);
}

/*
 * The first process waits here for one byte, or for the end of file and then
 * the reason is on standard error already.
 */
static void
daemon_fork(void)
{
	int	fds[2];
	char	byte;
	pid_t	pid;

	if (pipe2(fds, O_CLOEXEC) == -1)
		fatal("pipe");
	switch (pid = fork()) {
	case -1:
		fatal("fork");
	case 0:
		(void)close(fds[0]);
		ready_pipe = fds[1];
		if (setsid() == -1)
			fatal("setsid");
		return;
	}
	(void)close(fds[1]);
	_exit(read(fds[0], &byte, 1) == 1 ? 0 : 1);
}

/* Signals and limits, before there is anything to lose. */
static void
settle_process(void)
{
	struct rlimit	rl;
	int		fd;

	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGIO, SIG_IGN);	/* a lease broken: commit.c */
	(void)umask(077);
	(void)tzset();
	/* Closed ones would be taken by what is opened next. */
	while ((fd = open("/dev/null", O_RDWR)) != -1 && fd <= STDERR_FILENO)
		continue;
	if (fd > STDERR_FILENO)
		(void)close(fd);
	closefrom(STDERR_FILENO + 1);
	/* A group of root's must not help ruled's user to open a file. */
	if (setgroups(0, NULL) == -1)
		fatal("setgroups");
	if (getrlimit(RLIMIT_NOFILE, &rl) == 0) {
		rl.rlim_cur = rl.rlim_max < 1024 ? rl.rlim_max : 1024;
		(void)setrlimit(RLIMIT_NOFILE, &rl);
	}
	if (chdir("/") == -1)
		fatal("/");
}

static void	become_ready(void);
static void	rules_loaded(const struct stub_reply *);

/* Kernel rules. */

static void
rules_mended(const struct stub_reply *r)
{
	if (starting != STARTED) {
		rules_loaded(r);
		return;
	}
	mending = false;
	if (!r->ok)
		fatalx("kernel rules cannot be restored: %s", r->text);
	if (giving_up)
		fatalx("kernel rules are changed again and again, giving up; "
		    "they stay as \"after crash\" says");
	log_warnx("kernel rules restored");
}

static void
rules_checked(const struct stub_reply *r)
{
	int	n;

	if (r->ok || mending)
		return;
	n = rate_count(&mends);
	log_warnx("kernel rules were changed by another program (%s), "
	    "%d in %d s", r->text, n, RATE_MS / 1000);
	/* The last word is closed, too: with rules in place it ends. */
	giving_up = n >= MENDS_MAX;
	mending = true;
	stub_order(STUB_ADD);
}

static void
table_changed(void)
{
	if (starting == STARTED && stage == RUNNING)
		stub_order(STUB_CHECK);
}

static void
silent_look(int fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	table_changed();
	timer_set(silent_timer, SILENT_SECONDS);
}

/* The display. */

static void
look_for_display(void)
{
	if (!env.conf.ask_x11 || stage != RUNNING)
		return;
	prompter_due = true;
	stub_order(STUB_DISPLAY);
}

/*
 * Another session in front: the old prompter has to go first, its window is
 * on the old display.  Without any, "unanswered" decides.
 */
static void
display_found(const struct stub_reply *r, int x)
{
	static struct display	shown;
	const struct display	*d = &r->display;
	bool			 same;

	if (!prompter_due || stage != RUNNING) {
		if (x != -1)
			(void)close(x);
		return;
	}
	prompter_due = false;
	same = x != -1 && d->uid == shown.uid &&
	    strcmp(d->name, shown.name) == 0;
	if (proc_prompter_runs()) {
		if (x != -1)
			(void)close(x);
		if (!same)	/* its end has us look again */
			proc_stop_prompter("its display is not in use");
		return;
	}
	if (x == -1) {
		proc_no_display(d->why);
		return;
	}
	shown = *d;
	explicit_bzero(shown.xauth, sizeof(shown.xauth));
	proc_start_prompter(x, d);
}

static void
prompter_again(int fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	look_for_display();
}

static void
no_prompter(bool at_once)
{
	if (at_once) {
		prompter_wait = PROMPTER_WAIT;
		look_for_display();
		return;
	}
	timer_set(prompter_timer, prompter_wait);
	if (prompter_wait < PROMPTER_WAIT_MAX / 2)
		prompter_wait *= 2;
	else
		prompter_wait = PROMPTER_WAIT_MAX;
	become_ready();
}

static void
events_came(const struct stub_reply *r, int fd)
{
	if (fd == -1) {
		log_warnx("no trace events: short-lived programs stay unknown");
		return;
	}
	if (events_adopt(&r->event, fd) == -1)
		log_warn("trace events");
	else if (r->event.last)
		proc_send_events();
}

static void
stub_answered(const struct stub_reply *r, int fd)
{
	switch (r->order) {
	case STUB_CHECK:
		rules_checked(r);
		break;
	case STUB_ADD:
		rules_mended(r);
		break;
	case STUB_DISPLAY:
		display_found(r, fd);
		return;
	case STUB_EVENTS:
		events_came(r, fd);
		return;
	}
	if (fd != -1)
		(void)close(fd);
}

/* The end. */

bool
parent_stopping(void)
{
	return stage != RUNNING;
}

static void
stop_children(void)
{
	struct stub_reply	r;

	stage = STOP_CHILDREN;
	if (stub_call(remove_rules ? STUB_STOP : STUB_LEAVE, &r, NULL) == -1)
		log_warnx("the stub does not answer");
	else if (!r.ok)
		log_warnx("kernel rules cannot be removed: %s", r.text);
	proc_close_all();
	timer_set(stop_timer, END_SECONDS);
	parent_stop_next();
}

void
parent_stop_next(void)
{
	if (stage == STOP_RULED && proc_link(ROLE_RULED) == NULL)
		stop_children();
	if (stage == STOP_CHILDREN && proc_count() == 0)
		(void)event_base_loopbreak(env.base);
}

static void
stop_late(int fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	if (stage == STOP_RULED) {
		log_warnx("ruled does not end in time");
		stop_children();
	} else {
		proc_kill_all();
		(void)event_base_loopbreak(env.base);
	}
}

static void
do_ruled(enum do_what what)
{
	struct msg_do	m = { .what = (uint8_t)what };
	struct ibuf	b;
	uint8_t		buf[8];

	if (proc_link(ROLE_RULED) == NULL)
		return;
	ibuf_writer(&b, buf, sizeof(buf));
	msg_put_do(&b, &m);
	link_send_ibuf(proc_link(ROLE_RULED), MSG_DO, -1, &b);
}

void
parent_stop(bool with_rules)
{
	if (stage != RUNNING)
		return;
	stage = STOP_RULED;
	remove_rules = with_rules;
	timer_set(stop_timer, STOP_SECONDS);
	do_ruled(DO_STOP);
	parent_stop_next();
}

/* Signals. */

/* Has the terminal that -d was started from gone away? */
static bool
terminal_gone(void)
{
	struct pollfd	pfd = { STDERR_FILENO, 0, 0 };

	return poll(&pfd, 1, 0) == 1 && (pfd.revents & (POLLHUP | POLLERR));
}

static void
on_terminal(int fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	if (terminal_gone())
		parent_stop(true);
}

/* Edges only: the terminal's input is not ours, its end is. */
static void
watch_terminal(void)
{
	struct event	*e;

	if (!env.foreground || !isatty(STDERR_FILENO))
		return;
	e = event_new(env.base, STDERR_FILENO, EV_READ | EV_PERSIST | EV_ET,
	    on_terminal, NULL);
	if (e == NULL || event_add(e, NULL) == -1)
		fatal("terminal");
}

static void
reap(void)
{
	int	status;
	pid_t	pid;

	while ((pid = waitpid(-1, &status, WNOHANG | WUNTRACED)) > 0)
		if (!proc_changed(pid, status) && pid == stub_pid() &&
		    !WIFSTOPPED(status) && stage == RUNNING)
			fatalx("the stub ended");
}

static void
on_signal(int sig, short what, void *arg)
{
	(void)what;
	(void)arg;
	switch (sig) {
	case SIGCHLD:
		reap();
		break;
	case SIGHUP:
		if (env.foreground && isatty(STDERR_FILENO) &&
		    terminal_gone()) {
			parent_stop(true);
			break;
		}
		logsink_reopen();
		do_ruled(DO_RELOAD);
		break;
	case SIGUSR1:
		do_ruled(DO_STATISTICS);
		break;
	case SIGQUIT:
		parent_stop(false);
		break;
	default:
		parent_stop(true);
	}
}

static void
set_signals(void)
{
	static const int	signals[] = { SIGCHLD, SIGHUP, SIGINT,
	    SIGQUIT, SIGTERM, SIGUSR1 };
	struct event		*e;
	size_t			 i;

	for (i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		e = evsignal_new(env.base, signals[i], on_signal, NULL);
		if (e == NULL || event_add(e, NULL) == -1)
			fatal("signal %d", signals[i]);
	}
}

/* The start. */

/* For Type=notify: sd_notify(3)'s datagram, which needs no library. */
static void
notify_manager(void)
{
	static const char	text[] = "READY=1";
	struct sockaddr_un	sun;
	const char		*path = getenv("NOTIFY_SOCKET");
	size_t			len;
	int			fd;

	if (path == NULL || (path[0] != '/' && path[0] != '@') ||
	    (len = strlen(path)) >= sizeof(sun.sun_path))
		return;
	memset(&sun, 0, sizeof(sun));
	sun.sun_family = AF_UNIX;
	memcpy(sun.sun_path, path, len);
	if (path[0] == '@')
		sun.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd == -1 || sendto(fd, text, sizeof(text) - 1, MSG_NOSIGNAL,
	    (struct sockaddr *)&sun, (socklen_t)(offsetof(struct sockaddr_un,
	    sun_path) + len)) == -1)
		log_warn("%s", path);
	if (fd != -1)
		(void)close(fd);
}

static void
detach(void)
{
	char	byte = 0;

	logsink_detach();
	if (env.foreground)
		return;
	if (write(ready_pipe, &byte, 1) != 1)
		log_debug("nobody waited for the start");
	(void)close(ready_pipe);
	(void)dup2(env.fds.null, STDIN_FILENO);
	(void)dup2(env.fds.null, STDOUT_FILENO);
	(void)dup2(env.fds.null, STDERR_FILENO);
}

/*
 * All children are in their sandboxes, the queue is bound, rules are loaded:
 * only now may the kernel send packets here.
 */
static void
become_ready(void)
{
	if (starting != START_CHILDREN || stage != RUNNING ||
	    !proc_all_ready())
		return;
	starting = START_RULES;
	sandbox_parent();
	stub_order(STUB_ADD);
}

static void
rules_loaded(const struct stub_reply *r)
{
	static const char *const names[FW_MAX] = { [FW_NFT] = "nft",
	    [FW_IPTABLES] = "iptables", [FW_MANUAL] = "manual" };

	if (!r->ok)
		fatalx("kernel rules (%s): %s", names[env.form], r->text);
	starting = STARTED;
	if (r->silent) {
		silent_timer = timer_new(silent_look);
		timer_set(silent_timer, SILENT_SECONDS);
	}
	log_info("kernel rules: %s", names[env.form]);
	log_info("ready");
	notify_manager();
	detach();
	spare_keep();
}

static void
child_ready(enum role role)
{
	if (role == ROLE_PROMPTER)
		prompter_wait = PROMPTER_WAIT;
	become_ready();
}

static void
start_children(void)
{
	struct stub_reply	r;
	int			x = -1;

	if (stub_call(STUB_PROBE, &r, NULL) == -1)
		fatalx("the stub does not answer");
	env.form = r.form;
	proc_on_ready(child_ready);
	proc_on_table(table_changed);
	proc_on_no_prompter(no_prompter);
	if (env.conf.ask_x11 && stub_call(STUB_DISPLAY, &r, &x) == -1)
		fatalx("the stub does not answer");
	stub_listen(stub_answered);
	proc_start_all();
	if (env.conf.ask_x11) {
		prompter_due = true;
		display_found(&r, x);
		display_watch(look_for_display);
	}
	explicit_bzero(&r, sizeof(r));
}

static void
start(void)
{
	log_to_writer(logsink_own);
	if (geteuid() != 0)
		fatalx("must be started by root");
	settle_process();
	logsink_init();
	find_users();
	check_programs();
	if (!env.foreground)
		daemon_fork();
	open_all();
	files_check();
	stub_start();
	if ((env.base = event_base_new()) == NULL)
		fatal("event base");
	logsink_start();
	set_signals();
	watch_terminal();
	stop_timer = timer_new(stop_late);
	prompter_timer = timer_new(prompter_again);
	start_children();
}

static void
print_filters(void)
{
	enum role	role;

	for (role = ROLE_PARENT; role < ROLE_CTL; role++)
		sandbox_print(stderr, role);
}

int
main(int argc, char *argv[])
{
	bool	check = false, named = false;
	int	ch;

	env.conf_path = CONF_PATH;
	while ((ch = getopt(argc, argv, "df:nvV")) != -1) {
		switch (ch) {
		case 'd':
			env.foreground = true;
			break;
		case 'f':
			env.conf_path = optarg;
			named = true;
			break;
		case 'n':
			check = true;
			break;
		case 'v':
			env.verbose++;
			break;
		case 'V':
			(void)printf("tinysnitch %s\n", VERSION);
			return 0;
		default:
			usage();
		}
	}
	if (optind != argc)
		usage();
	log_init(ROLE_PARENT, env.verbose);
	find_programs();
	if (check)
		return check_only(read_conf(named));
	setproctitle_init(argc, argv, environ);
	if (read_conf(named) != 0)
		return 1;
	if (env.verbose)
		print_filters();
	start();
	if (event_base_dispatch(env.base) == -1)
		fatal("event loop");
	open_close();
	log_info("stopped");
	logsink_flush();
	return 0;
}
