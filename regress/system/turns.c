/*
 * SPDX-License-Identifier: ISC
 *
 * How long a process is deaf:
 *
 *	turns PID
 *
 * Follows it until SIGTERM and prints one line, processor time in
 * microseconds:
 *
 *	turns N p99 P worst W cpu C
 *
 * A turn is what an event loop does between one look at its descriptors and
 * the next.  What is measured is the time that it used itself (that of its
 * CPU clock), so the figure is the same on a machine with other work to do.
 * The stops of ptrace(2) themselves count as well; they are short.
 */
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <err.h>
#include <errno.h>
#include <linux/ptrace.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define TURNS_MAX	1000000

static pid_t			 pid;
static clockid_t		 cpu_clock;
static uint32_t			*took;
static size_t			 n;
static int64_t			 began, first, last;
static bool			 in_turn;
static volatile sig_atomic_t	 over;

static int64_t
cpu_ns(void)
{
	struct timespec	ts;

	if (clock_gettime(cpu_clock, &ts) == -1)
		err(1, "clock_gettime");
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static void
end(int sig)
{
	(void)sig;
	over = 1;
}

static bool
is_wait(uint64_t nr)
{
	return nr == SYS_epoll_pwait
#ifdef SYS_epoll_wait
	    || nr == SYS_epoll_wait
#endif
	    ;
}

static int
compare(const void *a, const void *b)
{
	uint32_t	x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

/* At a stop before or after a call. */
static void
look(void)
{
	static bool			waits;	/* in the call it is in */
	struct ptrace_syscall_info	si;

	if (ptrace(PTRACE_GET_SYSCALL_INFO, pid, (void *)sizeof(si), &si) == -1)
		return;
	if (si.op == PTRACE_SYSCALL_INFO_ENTRY) {
		waits = is_wait(si.entry.nr);
		if (waits && in_turn && n < TURNS_MAX) {
			last = cpu_ns();
			took[n++] = (uint32_t)((last - began) / 1000);
		}
	} else if (si.op == PTRACE_SYSCALL_INFO_EXIT && waits) {
		began = cpu_ns();
		if (!in_turn)
			first = began;
		in_turn = true;
	}
}

/* False: it has ended. */
static bool
follow(void)
{
	int	status, sig = 0;

	if (waitpid(pid, &status, __WALL) == -1) {
		if (errno == EINTR)
			return true;
		err(1, "waitpid");
	}
	if (!WIFSTOPPED(status))
		return false;
	if (WSTOPSIG(status) == (SIGTRAP | 0x80))
		look();
	else if (status >> 16 == 0)
		sig = WSTOPSIG(status);
	(void)ptrace(PTRACE_SYSCALL, pid, NULL, (void *)(intptr_t)sig);
	return true;
}

int
main(int argc, char *argv[])
{
	const struct sigaction	sa = { .sa_handler = end };

	if (argc != 2 || (pid = (pid_t)strtol(argv[1], NULL, 10)) <= 0)
		errx(2, "usage: turns pid");
	if ((took = calloc(TURNS_MAX, sizeof(*took))) == NULL)
		err(1, NULL);
	(void)sigaction(SIGTERM, &sa, NULL);
	(void)sigaction(SIGINT, &sa, NULL);
	if ((errno = clock_getcpuclockid(pid, &cpu_clock)) != 0)
		err(1, "%d", pid);
	if (ptrace(PTRACE_SEIZE, pid, NULL,
	    (void *)(intptr_t)PTRACE_O_TRACESYSGOOD) == -1 ||
	    ptrace(PTRACE_INTERRUPT, pid, NULL, NULL) == -1)
		err(1, "%d", pid);
	while (!over)
		if (!follow())
			errx(1, "%d has ended", pid);
	qsort(took, n, sizeof(took[0]), compare);
	printf("turns %zu p99 %u worst %u cpu %lld\n", n,
	    n == 0 ? 0 : took[n - 1 - n / 100], n == 0 ? 0 : took[n - 1],
	    (long long)((last - first) / 1000));
	return 0;
}
