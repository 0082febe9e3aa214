/*
 * SPDX-License-Identifier: ISC
 *
 * Traffic to measure with.
 *
 *	load serve ADDRESS PORT		accepts TCP, echoes UDP, until killed
 *	load tcp|udp ADDRESS PORT COUNT INFLIGHT
 *	load burst ADDRESS PORT COUNT
 *	load exec PROGRAM COUNT
 *
 * tcp connects, and resets; udp sends from a fresh socket and waits for the
 * echo; burst sends so many SYNs at once and counts what became of them.
 * Prints one line: "rate R p50 M p99 N late L refused X failed F", in
 * microseconds; late: by a SYN sent again.  Refused ones have failed, too.
 * exec starts a program and waits for its end, and prints "us EACH".
 */
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <netinet/in.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE	5000	/* ms until what is in flight has failed */
#define LATE_US		900000

struct flight {
	int	fd;
	double	since;
};

static struct sockaddr_storage	server;
static socklen_t		server_len;
static int			epfd;
static double			*times;
static size_t			 ntimes, failed, late, refused;

static double
now_us(void)
{
	struct timespec	ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e6 + (double)ts.tv_nsec / 1e3;
}

static void
parse_server(const char *host, const char *port)
{
	struct sockaddr_in	*in = (void *)&server;
	struct sockaddr_in6	*in6 = (void *)&server;
	const char		*bad;
	uint16_t		 n;

	n = htons((uint16_t)strtonum(port, 1, 65535, &bad));
	if (bad != NULL)
		errx(1, "%s: %s", port, bad);
	if (inet_pton(AF_INET, host, &in->sin_addr) == 1) {
		in->sin_family = AF_INET;
		in->sin_port = n;
		server_len = sizeof(*in);
	} else if (inet_pton(AF_INET6, host, &in6->sin6_addr) == 1) {
		in6->sin6_family = AF_INET6;
		in6->sin6_port = n;
		server_len = sizeof(*in6);
	} else
		errx(1, "%s: no address", host);
}

static void
raise_limit(void)
{
	struct rlimit	rl;

	if (getrlimit(RLIMIT_NOFILE, &rl) == 0) {
		rl.rlim_cur = rl.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &rl);
	}
}

static void
watch(int fd, uint32_t events, void *ptr)
{
	struct epoll_event	ev = { .events = events, .data.ptr = ptr };

	if (epoll_ctl(epfd, EPOLL_CTL_ADD, fd, &ev) == -1)
		err(1, "epoll_ctl");
}

/* A reset, so that no port waits for its time to pass. */
static void
reset(int fd)
{
	struct linger	l = { 1, 0 };

	(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &l, sizeof(l));
	(void)close(fd);
}

/* The server. */

static void
serve_udp(int fd)
{
	struct sockaddr_storage	from;
	socklen_t		len = sizeof(from);
	char			b[64];
	ssize_t			n;

	n = recvfrom(fd, b, sizeof(b), MSG_DONTWAIT, (struct sockaddr *)&from,
	    &len);
	if (n > 0)
		(void)sendto(fd, b, (size_t)n, 0, (struct sockaddr *)&from,
		    len);
}

/* The client ends each connection: its reset must not cross with one. */
static void
serve_tcp(int listener)
{
	int	fd;

	while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) != -1)
		watch(fd, EPOLLRDHUP, (void *)((uintptr_t)fd << 1 | 1));
}

static void
serve(void)
{
	struct epoll_event	ev[64];
	int			tcp, udp, i, n, one = 1;

	tcp = socket(server.ss_family, SOCK_STREAM | SOCK_NONBLOCK, 0);
	udp = socket(server.ss_family, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	(void)setsockopt(tcp, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(tcp, (struct sockaddr *)&server, server_len) == -1 ||
	    bind(udp, (struct sockaddr *)&server, server_len) == -1 ||
	    listen(tcp, 16384) == -1)
		err(1, "listen");
	watch(tcp, EPOLLIN, &tcp);
	watch(udp, EPOLLIN, &udp);
	printf("ready\n");
	(void)fflush(stdout);
	for (;;) {
		n = epoll_wait(epfd, ev, 64, -1);
		for (i = 0; i < n; i++) {
			if (ev[i].data.ptr == &udp)
				serve_udp(udp);
			else if (ev[i].data.ptr == &tcp)
				serve_tcp(tcp);
			else
				(void)close((int)((uintptr_t)ev[i].data.ptr >>
				    1));
		}
	}
}

/* The clients. */

static void
done(struct flight *f, int error)
{
	double	took = now_us() - f->since;

	if (error == 0)
		times[ntimes++] = took;
	else
		failed++;
	refused += error == ECONNREFUSED;
	late += took > LATE_US;
	reset(f->fd);
	f->fd = -1;
}

static void
start(struct flight *f, bool tcp)
{
	int	type = tcp ? SOCK_STREAM : SOCK_DGRAM;

	if ((f->fd = socket(server.ss_family, type | SOCK_NONBLOCK, 0)) == -1)
		err(1, "socket");
	f->since = now_us();
	if (connect(f->fd, (struct sockaddr *)&server, server_len) == -1 &&
	    errno != EINPROGRESS) {
		done(f, errno);
		return;
	}
	if (!tcp && send(f->fd, "ping", 4, 0) == -1) {
		done(f, errno);
		return;
	}
	watch(f->fd, tcp ? EPOLLOUT : EPOLLIN, f);
}

/* 0, or why it failed. */
static int
outcome(const struct flight *f, bool tcp)
{
	char		b[64];
	int		error = 0;
	socklen_t	len = sizeof(error);

	if (!tcp)
		return recv(f->fd, b, sizeof(b), 0) == -1 ? errno : 0;
	if (getsockopt(f->fd, SOL_SOCKET, SO_ERROR, &error, &len) == -1)
		return errno;
	return error;
}

static int
by_size(const void *a, const void *b)
{
	const double	*x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static void
report(double took)
{
	qsort(times, ntimes, sizeof(*times), by_size);
	printf("rate %.0f p50 %.1f p99 %.1f late %zu refused %zu failed %zu\n",
	    (double)ntimes / took * 1e6,
	    ntimes > 0 ? times[ntimes / 2] : 0,
	    ntimes > 0 ? times[ntimes * 99 / 100] : 0, late, refused, failed);
}

static void
run(bool tcp, size_t count, size_t inflight)
{
	struct epoll_event	 ev[256];
	struct flight		*f;
	size_t			 i, started, open = 0;
	double			 began = now_us();
	int			 k, n;

	if ((f = calloc(inflight, sizeof(*f))) == NULL ||
	    (times = calloc(count, sizeof(*times))) == NULL)
		err(1, NULL);
	for (started = 0; started < inflight && started < count; started++) {
		start(&f[started], tcp);
		open += f[started].fd != -1;
	}
	while (open > 0) {
		if ((n = epoll_wait(epfd, ev, 256, PATIENCE)) <= 0)
			break;
		for (k = 0; k < n; k++) {
			struct flight	*one = ev[k].data.ptr;

			done(one, outcome(one, tcp));
			open--;
			if (started < count) {
				start(one, tcp);
				started++;
				open += one->fd != -1;
			}
		}
	}
	for (i = 0; i < inflight; i++)
		if (started > i && f[i].fd != -1)
			failed++;
	report(now_us() - began);
}

static void
run_exec(char *program, size_t count)
{
	char	*args[] = { program, NULL };
	double	 began = now_us();
	size_t	 i;
	pid_t	 pid;

	for (i = 0; i < count; i++) {
		if (posix_spawn(&pid, program, NULL, NULL, args, NULL) != 0)
			errx(1, "%s: cannot be started", program);
		(void)waitpid(pid, NULL, 0);
	}
	printf("us %.1f\n", (now_us() - began) / (double)count);
}

int
main(int argc, char *argv[])
{
	const char	*bad;
	size_t		 count, inflight;

	if (argc < 4)
		errx(1, "usage: load serve|tcp|udp|burst address port "
		    "[count [inflight]], or load exec program count");
	if (strcmp(argv[1], "exec") == 0) {
		count = (size_t)strtonum(argv[3], 1, 1000000, &bad);
		if (bad != NULL)
			errx(1, "%s: %s", argv[3], bad);
		run_exec(argv[2], count);
		return 0;
	}
	raise_limit();
	parse_server(argv[2], argv[3]);
	if ((epfd = epoll_create1(EPOLL_CLOEXEC)) == -1)
		err(1, "epoll");
	if (strcmp(argv[1], "serve") == 0)
		serve();
	if (argc < 5)
		errx(1, "how many?");
	count = (size_t)strtonum(argv[4], 1, 1000000, &bad);
	if (bad != NULL)
		errx(1, "%s: %s", argv[4], bad);
	inflight = strcmp(argv[1], "burst") == 0 ? count : 1;
	if (argc > 5)
		inflight = (size_t)strtonum(argv[5], 1, 65536, &bad);
	if (bad != NULL)
		errx(1, "%s: %s", argv[5], bad);
	run(strcmp(argv[1], "udp") != 0, count, inflight);
	return 0;
}
