/*
 * SPDX-License-Identifier: ISC
 *
 * How long connections wait, one after the other:
 *
 *	pace ADDRESS PORT SECONDS
 *
 * A TCP connection every millisecond, closed by a reset; SIGTERM ends it
 * early.  Prints one line, microseconds:
 *
 *	made N failed F p50 M p99 N worst W
 */
#include <sys/socket.h>

#include <arpa/inet.h>
#include <err.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define TRIES_MAX	60000

static struct sockaddr_in	 to;
static int			 took[TRIES_MAX];
static volatile sig_atomic_t	 over;

static int64_t
now_us(void)
{
	struct timespec	ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

static void
end(int sig)
{
	(void)sig;
	over = 1;
}

static int
compare(const void *a, const void *b)
{
	int	x = *(const int *)a, y = *(const int *)b;

	return (x > y) - (x < y);
}

/* Microseconds, or -1. */
static int
connect_once(void)
{
	const struct linger	reset = { 1, 0 };
	const struct timeval	patience = { 2, 0 };
	int64_t			began;
	int			fd, n;

	if ((fd = socket(AF_INET, SOCK_STREAM, 0)) == -1)
		err(1, "socket");
	(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience,
	    sizeof(patience));
	began = now_us();
	n = connect(fd, (struct sockaddr *)&to, sizeof(to));
	if (n == 0)
		n = (int)(now_us() - began);
	(void)close(fd);
	return n;
}

int
main(int argc, char *argv[])
{
	int64_t	until;
	int	n = 0, failed = 0, us;

	if (argc != 4 || inet_pton(AF_INET, argv[1], &to.sin_addr) != 1)
		errx(2, "usage: pace address port seconds");
	to.sin_family = AF_INET;
	to.sin_port = htons((uint16_t)strtol(argv[2], NULL, 10));
	(void)signal(SIGTERM, end);
	until = now_us() + strtol(argv[3], NULL, 10) * 1000000;
	while (!over && n < TRIES_MAX && now_us() < until) {
		if ((us = connect_once()) != -1)
			took[n++] = us;
		else if (!over)
			failed++;
		(void)usleep(1000);
	}
	if (n == 0)
		errx(1, "no connection of %d was made", failed);
	qsort(took, (size_t)n, sizeof(took[0]), compare);
	printf("made %d failed %d p50 %d p99 %d worst %d\n", n, failed,
	    took[n / 2], took[n - 1 - n / 100], took[n - 1]);
	return failed != 0;
}
