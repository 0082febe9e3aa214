/*
 * SPDX-License-Identifier: ISC
 *
 * A steady load of TCP connections, half of them to an address that a rule
 * allows and half to one that nothing may reach:
 *
 *	hammer ALLOWED PORT FORBIDDEN PORT RATE SECONDS [leave]
 *
 * RATE connections a second, opened in turns of 10 ms and closed by a reset.
 * What is still open at the end gets 15 s, enough for four SYNs; with leave,
 * it is left at once, and forbidden ones are never waited for.
 * Prints one line and is content (exit status 0) when each allowed one was
 * made and no other:
 *
 *	allow N made M late L failed F; deny N refused R silent S passed P
 *
 * late: after 900 ms or more, that is by a SYN sent again.
 */
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define TURN_MS		10
#define PATIENCE_MS	15000
#define LATE_MS		900
#define OPEN_MAX_HERE	60000

enum side { ALLOWED, FORBIDDEN, SIDES };

struct try {
	int		fd;
	enum side	side;
	int64_t		since;
};

static struct sockaddr_in	to[SIDES];
static struct try		tries[OPEN_MAX_HERE];
static unsigned long		begun[SIDES], made[SIDES], refused[SIDES];
static unsigned long		failed[SIDES], late;
static unsigned int		nfree, freelist[OPEN_MAX_HERE];
static int64_t			began;
static int			epfd;

static int64_t
now_ms(void)
{
	struct timespec	ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static long long
number(const char *s, long long max)
{
	const char	*bad;
	long long	 n = strtonum(s, 1, max, &bad);

	if (bad != NULL)
		errx(2, "%s: %s", s, bad);
	return n;
}

static void
destination(enum side side, const char *host, const char *port)
{
	to[side].sin_family = AF_INET;
	to[side].sin_port = htons((uint16_t)number(port, 65535));
	if (inet_pton(AF_INET, host, &to[side].sin_addr) != 1)
		errx(2, "%s: no address", host);
}

/* An allowed one that was not made: when, how long it took, and why. */
static void
explain(const struct try *t, int error)
{
	struct sockaddr_in	sin;
	socklen_t		len = sizeof(sin);

	memset(&sin, 0, sizeof(sin));
	(void)getsockname(t->fd, (struct sockaddr *)&sin, &len);
	warnx("port %u, begun at %.3f s, after %lld ms: %s",
	    ntohs(sin.sin_port), (double)(t->since - began) / 1000,
	    (long long)(now_ms() - t->since), strerror(error));
}

static void
ended(struct try *t, int error)
{
	struct linger	reset = { 1, 0 };

	if (error != 0 && t->side == ALLOWED)
		explain(t, error);
	if (error == 0) {
		made[t->side]++;
		if (t->side == ALLOWED && now_ms() - t->since >= LATE_MS)
			late++;
	} else if (error == ECONNREFUSED)
		refused[t->side]++;
	else
		failed[t->side]++;
	(void)setsockopt(t->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	(void)close(t->fd);
	t->fd = 0;
	freelist[nfree++] = (unsigned int)(t - tries);
}

static void
begin(enum side side)
{
	struct epoll_event	 ev = { .events = EPOLLOUT };
	struct try		*t;

	if (nfree == 0)
		errx(2, "too many connections at once");
	t = &tries[freelist[--nfree]];
	t->side = side;
	t->since = now_ms();
	begun[side]++;
	t->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (t->fd == -1)
		err(2, "socket");
	if (connect(t->fd, (struct sockaddr *)&to[side], sizeof(to[side])) ==
	    0 || errno != EINPROGRESS) {
		ended(t, errno);
		return;
	}
	ev.data.ptr = t;
	if (epoll_ctl(epfd, EPOLL_CTL_ADD, t->fd, &ev) == -1)
		err(2, "epoll_ctl");
}

static void
look(int64_t until)
{
	struct epoll_event	 ev[256];
	struct try		*t;
	int64_t			 left;
	socklen_t		 len;
	int			 i, n, error;

	do {
		left = until - now_ms();
		n = epoll_wait(epfd, ev, 256, left > 0 ? (int)left : 0);
		for (i = 0; i < n; i++) {
			t = ev[i].data.ptr;
			len = sizeof(error);
			if (getsockopt(t->fd, SOL_SOCKET, SO_ERROR, &error,
			    &len) == -1)
				error = errno;
			ended(t, error);
		}
	} while (now_ms() < until);
}

static bool
all_ended(bool leave)
{
	if (made[ALLOWED] + refused[ALLOWED] + failed[ALLOWED] <
	    begun[ALLOWED])
		return false;
	return leave || nfree == OPEN_MAX_HERE;
}

static int
report(void)
{
	unsigned long	lost, silent;

	unsigned int	i;

	lost = begun[ALLOWED] - made[ALLOWED];
	for (i = 0; i < OPEN_MAX_HERE && lost > 0; i++)
		if (tries[i].fd > 0 && tries[i].side == ALLOWED)
			explain(&tries[i], EINPROGRESS);
	silent = begun[FORBIDDEN] - refused[FORBIDDEN] - made[FORBIDDEN];
	printf("allow %lu made %lu late %lu failed %lu; "
	    "deny %lu refused %lu silent %lu passed %lu\n",
	    begun[ALLOWED], made[ALLOWED], late, lost, begun[FORBIDDEN],
	    refused[FORBIDDEN], silent, made[FORBIDDEN]);
	return lost == 0 && made[FORBIDDEN] == 0 ? 0 : 1;
}

int
main(int argc, char *argv[])
{
	struct rlimit	rl;
	int64_t		at, end, patience;
	long long	rate, seconds, due = 0, done = 0;
	bool		leave = argc == 8;

	if (argc != 7 && !leave)
		errx(2, "see the head of hammer.c");
	destination(ALLOWED, argv[1], argv[2]);
	destination(FORBIDDEN, argv[3], argv[4]);
	rate = number(argv[5], 20000);
	seconds = number(argv[6], 3600);
	rl.rlim_cur = rl.rlim_max = OPEN_MAX_HERE + 64;
	(void)setrlimit(RLIMIT_NOFILE, &rl);
	if ((epfd = epoll_create1(EPOLL_CLOEXEC)) == -1)
		err(2, "epoll");
	while (nfree < OPEN_MAX_HERE) {
		freelist[nfree] = OPEN_MAX_HERE - 1 - nfree;
		nfree++;
	}
	at = began = now_ms();
	end = at + seconds * 1000;
	while (at < end) {
		due = rate * seconds - rate * (end - at) / 1000;
		for (; done < due; done++)
			begin(done % 2 == 0 ? ALLOWED : FORBIDDEN);
		at += TURN_MS;
		look(at);
	}
	patience = now_ms() + PATIENCE_MS;
	while (!all_ended(leave) && now_ms() < patience)
		look(now_ms() + TURN_MS);
	return report();
}
