/*
 * SPDX-License-Identifier: ISC
 *
 * The watch of a loop over itself: who goes round in a circle ends, and
 * nobody else does.  One second of processor time is what a turn may take.
 */
#include <sys/resource.h>
#include <sys/wait.h>

#include <event2/event.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "loop.h"

#define WELL		7	/* exit status of who came to its end */
#define BOUND		20	/* seconds of processor time, then SIGKILL */

static struct event	*again;
static int		 failed, turns;

/* Milliseconds of processor time, of this thread. */
static void
burn(long ms)
{
	struct timespec	ts;
	long		used, since = -1;

	do {
		(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
		used = ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
		if (since == -1)
			since = used;
	} while (used - since < ms);
}

static void
circle(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what, (void)arg;
	for (;;)
		burn(100);
}

static void
long_turns(evutil_socket_t fd, short what, void *arg)
{
	const struct timeval	now = { 0, 0 };

	(void)fd, (void)what, (void)arg;
	burn(400);
	if (++turns == 8)
		_exit(WELL);
	(void)event_add(again, &now);
}

static void
first_turn(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what, (void)arg;
	burn(600);
	_exit(WELL);
}

static void *
thread(void *arg)
{
	(void)arg;
	burn(3000);
	_exit(WELL);
}

/* As procinfo's: signals are the loop's. */
static void
beside_a_thread(evutil_socket_t fd, short what, void *arg)
{
	pthread_t	id;
	sigset_t	all, old;

	(void)fd, (void)what, (void)arg;
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &old);
	if (pthread_create(&id, NULL, thread, NULL) != 0)
		_exit(1);
	(void)pthread_sigmask(SIG_SETMASK, &old, NULL);
}

static const struct {
	const char		*name;
	long			 start;	/* ms before the first turn */
	event_callback_fn	 turn;
	int			 status;
} cases[] = {
	{ "a turn in a circle ends it", 0, circle, LOOP_ASTRAY },
	{ "and the first one after a long start", 2500, circle, LOOP_ASTRAY },
	{ "long turns, one after the other, do not", 0, long_turns, WELL },
	{ "nor does a long start", 1500, first_turn, WELL },
	{ "nor does another thread's work", 0, beside_a_thread, WELL },
};
#define NCASES	(sizeof(cases) / sizeof(cases[0]))

static void
child(long start, event_callback_fn turn)
{
	const struct rlimit	 rl = { BOUND, BOUND };
	const struct timeval	 now = { 0, 0 };
	struct event_base	*base;
	struct event		*idle;
	int			 pair[2];

	if (setrlimit(RLIMIT_CPU, &rl) == -1 || pipe(pair) == -1)
		_exit(2);
	base = loop_init(ROLE_RULED);
	again = event_new(base, -1, 0, turn, NULL);
	/* Without a descriptor to wait for it would not wait. */
	idle = event_new(base, pair[0], EV_READ | EV_PERSIST, turn, NULL);
	if (again == NULL || idle == NULL || event_add(idle, NULL) == -1 ||
	    event_add(again, &now) == -1)
		_exit(2);
	burn(start);
	loop_run(base);
}

int
main(void)
{
	pid_t	 pid[NCASES];
	size_t	 i;
	int	 status;

	for (i = 0; i < NCASES; i++) {
		if ((pid[i] = fork()) == 0)
			child(cases[i].start, cases[i].turn);
		if (pid[i] == -1) {
			perror("fork");
			return 1;
		}
	}
	for (i = 0; i < NCASES; i++) {
		if (waitpid(pid[i], &status, 0) == pid[i] &&
		    WIFEXITED(status) && WEXITSTATUS(status) ==
		    cases[i].status) {
			printf("ok watch: %s\n", cases[i].name);
			continue;
		}
		printf("not ok watch: %s: status %#x\n", cases[i].name,
		    (unsigned int)status);
		failed = 1;
	}
	return failed;
}
