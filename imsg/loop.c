/*
 * SPDX-License-Identifier: ISC
 */
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "log.h"
#include "loop.h"

#define PACE_NS		50000000ULL	/* packets are counted that long */
#define PACE_FLOOD	4000		/* so many a second are a flood */

/* Shared with the signal handler, hence volatile. */
static volatile sig_atomic_t	turn, turn_seen;
static volatile sig_atomic_t	running;

static void
astray(int sig)
{
	(void)sig;
	if (running && turn == turn_seen)
		_exit(LOOP_ASTRAY);
	turn_seen = turn;
}

struct event_base *
loop_init(enum role role)
{
	static const int	 ignored[] = { SIGPIPE, SIGINT, SIGTERM,
	    SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGALRM };
	struct itimerspec	 every = { { LOOP_CPU, 0 }, { LOOP_CPU, 0 } };
	struct sigevent		 watch;
	struct event_config	*cfg;
	struct event_base	*base;
	struct sigaction	 sa;
	timer_t			 timer;
	char			 name[16];
	size_t			 i;

	(void)snprintf(name, sizeof(name), "snitch-%s", role_name(role));
	if (prctl(PR_SET_NAME, name) == -1)
		fatal("prctl");
	memset(&sa, 0, sizeof(sa));
	sa.sa_handler = SIG_IGN;
	for (i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
		if (sigaction(ignored[i], &sa, NULL) == -1)
			fatal("sigaction");
	sa.sa_handler = astray;
	sa.sa_flags = SA_RESTART;
	memset(&watch, 0, sizeof(watch));
	watch.sigev_notify = SIGEV_SIGNAL;
	watch.sigev_signo = SIGPROF;
	if (sigaction(SIGPROF, &sa, NULL) == -1 ||
	    timer_create(CLOCK_THREAD_CPUTIME_ID, &watch, &timer) == -1 ||
	    timer_settime(timer, 0, &every, NULL) == -1)
		fatal("timer");
	/* No thread, no environment: nothing that could ask for a call. */
	if ((cfg = event_config_new()) == NULL ||
	    event_config_set_flag(cfg, EVENT_BASE_FLAG_NOLOCK |
	    EVENT_BASE_FLAG_IGNORE_ENV) == -1 ||
	    (base = event_base_new_with_config(cfg)) == NULL)
		fatalx("event base");
	event_config_free(cfg);
	return base;
}

void
loop_pace(uint64_t now, unsigned int packets)
{
	static const struct sched_param	none;
	static uint64_t			since;
	static unsigned int		count;
	static bool			flood;

	count += packets;
	if (now - since < PACE_NS)
		return;
	/* After a silence the time is long, and that is no flood. */
	if ((count * 1000000000ULL >= PACE_FLOOD * (now - since)) != flood) {
		flood = !flood;
		if (sched_setscheduler(0, flood ? SCHED_BATCH : SCHED_OTHER,
		    &none) == -1)
			log_warn("sched_setscheduler");
	}
	since = now;
	count = 0;
}

void
loop_run(struct event_base *base)
{
	/* Another than the one that the beginning counts as. */
	turn = 1;
	running = 1;
	for (;;) {
		if (event_base_loop(base, EVLOOP_ONCE) == -1)
			fatal("event loop");
		turn = (turn + 1) & SIG_ATOMIC_MAX;
	}
}
