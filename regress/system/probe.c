/*
 * SPDX-License-Identifier: ISC
 *
 * The traffic of the system tests, both ends of it, with exact results:
 *
 *	probe listen PORT ...		echo TCP and UDP, both families
 *	probe [options] tcp|udp|icmp HOST [PORT]
 *	probe [options] hold HOST PORT	keep one TCP connection: each line of
 *					standard input is sent and awaited
 *
 *	-t ms	how long to wait for an answer (2000)
 *	-p port	local port
 *	-m mark	of the packets (SO_MARK), as tunnels set it
 *	-d ms	linger after the end, so that the process can be looked at
 *	-n n	that many connections at once (tcp)
 *
 * Each try prints one word and the milliseconds it took: reply, refused,
 * unreachable, timeout, or noname.
 */
#include <sys/socket.h>

#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/icmp.h>
#include <netdb.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define FDS_MAX		1024

static int		 wait_ms = 2000;
static const char	*local_port;
static uint32_t		 packet_mark;
static struct timespec	 began;

static int
elapsed(void)
{
	struct timespec	now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int)((now.tv_sec - began.tv_sec) * 1000 +
	    (now.tv_nsec - began.tv_nsec) / 1000000);
}

static int
left(void)
{
	int	ms = wait_ms - elapsed();

	return ms > 0 ? ms : 0;
}

static int
result(const char *word)
{
	printf("%s %d\n", word, elapsed());
	fflush(stdout);
	return strcmp(word, "reply") == 0 ? 0 : 1;
}

static const char *
word_of(int error)
{
	switch (error) {
	case ECONNREFUSED:
	case ECONNRESET:
	case EPIPE:
		return "refused";
	case ETIMEDOUT:
	case EAGAIN:
		return "timeout";
	default:
		return "unreachable";
	}
}

/* Waits for the descriptor; 0 when time is up. */
static int
ready(int fd, short events)
{
	struct pollfd	pfd = { .fd = fd, .events = events };

	return poll(&pfd, 1, left());
}

static struct addrinfo *
resolve(const char *host, const char *port, int type)
{
	struct addrinfo	hints, *ai;

	memset(&hints, 0, sizeof(hints));
	hints.ai_socktype = type;
	if (getaddrinfo(host, port, &hints, &ai) != 0)
		return NULL;
	return ai;
}

/* Takes the mark, and the local port for the family of the remote end. */
static void
prepare(int fd, int family)
{
	struct sockaddr_in6	sin6 = { .sin6_family = AF_INET6 };
	struct sockaddr_in	sin = { .sin_family = AF_INET };
	int			on = 1, r;

	if (packet_mark != 0 && setsockopt(fd, SOL_SOCKET, SO_MARK,
	    &packet_mark, sizeof(packet_mark)) == -1)
		err(1, "SO_MARK");
	if (local_port == NULL)
		return;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	sin.sin_port = sin6.sin6_port =
	    htons((uint16_t)strtol(local_port, NULL, 10));
	if (family == AF_INET)
		r = bind(fd, (struct sockaddr *)&sin, sizeof(sin));
	else
		r = bind(fd, (struct sockaddr *)&sin6, sizeof(sin6));
	if (r == -1)
		err(1, "bind %s", local_port);
}

/* A connected TCP socket, or -1 with errno. */
static int
tcp_connect(const struct addrinfo *ai)
{
	socklen_t	len = sizeof(int);
	int		fd, error = 0;

	fd = socket(ai->ai_family, SOCK_STREAM | SOCK_NONBLOCK, 0);
	if (fd == -1)
		err(1, "socket");
	prepare(fd, ai->ai_family);
	if (connect(fd, ai->ai_addr, ai->ai_addrlen) == 0)
		return fd;
	if (errno == EINPROGRESS) {
		if (ready(fd, POLLOUT) == 0)
			error = ETIMEDOUT;
		else
			getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len);
		if (error == 0)
			return fd;
		errno = error;
	}
	error = errno;
	close(fd);
	errno = error;
	return -1;
}

/* Sends and waits for any answer. */
static const char *
exchange(int fd, const void *data, size_t len)
{
	char	buf[2048];

	if (send(fd, data, len, MSG_NOSIGNAL) == -1)
		return word_of(errno);
	if (ready(fd, POLLIN) == 0)
		return "timeout";
	switch (recv(fd, buf, sizeof(buf), 0)) {
	case -1:
		return word_of(errno);
	case 0:
		return "refused";
	default:
		return "reply";
	}
}

static int
probe_tcp(const char *host, const char *port)
{
	struct addrinfo	*ai;
	int		 fd;

	if ((ai = resolve(host, port, SOCK_STREAM)) == NULL)
		return result("noname");
	if ((fd = tcp_connect(ai)) == -1)
		return result(word_of(errno));
	return result(exchange(fd, "hello\n", 6));
}

/* Many connections at once: prints how many of them were answered. */
static int
probe_many(const char *host, const char *port, int n)
{
	struct addrinfo	*ai;
	struct pollfd	 pfd[FDS_MAX];
	socklen_t	 len = sizeof(int);
	int		 i, error, done = 0, good = 0, refused = 0;

	if ((ai = resolve(host, port, SOCK_STREAM)) == NULL)
		return result("noname");
	for (i = 0; i < n; i++) {
		pfd[i].events = POLLOUT;
		pfd[i].fd = socket(ai->ai_family, SOCK_STREAM | SOCK_NONBLOCK,
		    0);
		if (pfd[i].fd == -1)
			err(1, "socket");
		if (connect(pfd[i].fd, ai->ai_addr, ai->ai_addrlen) == -1 &&
		    errno != EINPROGRESS)
			err(1, "connect");
	}
	while (done < n && left() > 0 && poll(pfd, (nfds_t)n, left()) > 0) {
		for (i = 0; i < n; i++) {
			if (pfd[i].fd == -1 || pfd[i].revents == 0)
				continue;
			error = 0;
			getsockopt(pfd[i].fd, SOL_SOCKET, SO_ERROR, &error,
			    &len);
			good += error == 0;
			refused += error == ECONNREFUSED;
			close(pfd[i].fd);
			pfd[i].fd = -1;
			done++;
		}
	}
	printf("%d reply %d refused %d timeout %d\n", good, refused, n - done,
	    elapsed());
	return good == n ? 0 : 1;
}

static int
probe_udp(const char *host, const char *port)
{
	struct addrinfo	*ai;
	int		 fd;

	if ((ai = resolve(host, port, SOCK_DGRAM)) == NULL)
		return result("noname");
	fd = socket(ai->ai_family, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	if (fd == -1)
		err(1, "socket");
	prepare(fd, ai->ai_family);
	if (connect(fd, ai->ai_addr, ai->ai_addrlen) == -1)
		return result(word_of(errno));
	return result(exchange(fd, "hello\n", 6));
}

/* An echo request over the kernel's own unprivileged ping socket. */
static int
probe_icmp(const char *host)
{
	struct icmp6_hdr	 six = { .icmp6_type = ICMP6_ECHO_REQUEST };
	struct icmphdr		 four = { .type = ICMP_ECHO };
	struct addrinfo		*ai;
	bool			 v4;
	int			 fd;

	if ((ai = resolve(host, NULL, SOCK_DGRAM)) == NULL)
		return result("noname");
	v4 = ai->ai_family == AF_INET;
	fd = socket(ai->ai_family, SOCK_DGRAM | SOCK_NONBLOCK,
	    v4 ? IPPROTO_ICMP : IPPROTO_ICMPV6);
	if (fd == -1)
		err(1, "socket");
	if (connect(fd, ai->ai_addr, ai->ai_addrlen) == -1)
		return result(word_of(errno));
	if (v4)
		return result(exchange(fd, &four, sizeof(four)));
	return result(exchange(fd, &six, sizeof(six)));
}

static int
probe_hold(const char *host, const char *port)
{
	struct addrinfo	*ai;
	char		 line[256];
	int		 fd;

	if ((ai = resolve(host, port, SOCK_STREAM)) == NULL)
		return result("noname");
	if ((fd = tcp_connect(ai)) == -1)
		return result(word_of(errno));
	result(exchange(fd, "hello\n", 6));
	while (fgets(line, sizeof(line), stdin) != NULL) {
		clock_gettime(CLOCK_MONOTONIC, &began);
		result(exchange(fd, line, strlen(line)));
	}
	return 0;
}

static int
listener(int type, uint16_t port)
{
	struct sockaddr_in6	sin6 = { .sin6_family = AF_INET6 };
	int			fd, on = 1, off = 0;

	sin6.sin6_port = htons(port);
	if ((fd = socket(AF_INET6, type, 0)) == -1)
		err(1, "socket");
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	/* Answers must come from the address that was asked. */
	if (type == SOCK_DGRAM)
		setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on,
		    sizeof(on));
	if (bind(fd, (struct sockaddr *)&sin6, sizeof(sin6)) == -1)
		err(1, "bind %u", port);
	if (type == SOCK_STREAM && listen(fd, 1024) == -1)
		err(1, "listen");
	return fd;
}

static void
udp_echo(int fd)
{
	struct sockaddr_in6	from;
	char			buf[2048], control[256];
	struct iovec		iov = { buf, sizeof(buf) };
	struct msghdr		msg = { &from, sizeof(from), &iov, 1, control,
				    sizeof(control), 0 };
	ssize_t			n;

	if ((n = recvmsg(fd, &msg, 0)) == -1)
		return;
	iov.iov_len = (size_t)n;
	sendmsg(fd, &msg, 0);
}

/* Returns false when the connection is over. */
static bool
tcp_echo(int fd)
{
	char	buf[2048];
	ssize_t	n;

	if ((n = recv(fd, buf, sizeof(buf), 0)) <= 0)
		return false;
	return send(fd, buf, (size_t)n, MSG_NOSIGNAL) == n;
}

/* Even entries below 2 * nports are TCP listeners, odd ones UDP. */
static void
serve(struct pollfd *pfd, int nports)
{
	int	i, n = 2 * nports;

	for (;;) {
		if (poll(pfd, (nfds_t)n, -1) == -1)
			err(1, "poll");
		for (i = n - 1; i >= 0; i--) {
			if (pfd[i].revents == 0)
				continue;
			if (i < 2 * nports && i % 2 == 1) {
				udp_echo(pfd[i].fd);
			} else if (i < 2 * nports) {
				if (n == FDS_MAX)
					errx(1, "too many connections");
				pfd[n].fd = accept(pfd[i].fd, NULL, NULL);
				pfd[n].revents = 0;
				pfd[n++].events = POLLIN;
			} else if (!tcp_echo(pfd[i].fd)) {
				close(pfd[i].fd);
				pfd[i] = pfd[--n];
			}
		}
	}
}

static int
probe_listen(int argc, char **argv)
{
	struct pollfd	pfd[FDS_MAX];
	uint16_t	port;
	int		i;

	for (i = 0; i < argc; i++) {
		port = (uint16_t)strtol(argv[i], NULL, 10);
		pfd[2 * i].fd = listener(SOCK_STREAM, port);
		pfd[2 * i + 1].fd = listener(SOCK_DGRAM, port);
		pfd[2 * i].events = pfd[2 * i + 1].events = POLLIN;
	}
	puts("listening");
	fflush(stdout);
	serve(pfd, argc);
	return 0;
}

static int
probe(int argc, char **argv, int many)
{
	if (argc >= 2 && strcmp(argv[0], "listen") == 0)
		return probe_listen(argc - 1, argv + 1);
	if (argc == 3 && strcmp(argv[0], "tcp") == 0 && many > 0)
		return probe_many(argv[1], argv[2], many);
	if (argc == 3 && strcmp(argv[0], "tcp") == 0)
		return probe_tcp(argv[1], argv[2]);
	if (argc == 3 && strcmp(argv[0], "udp") == 0)
		return probe_udp(argv[1], argv[2]);
	if (argc >= 2 && strcmp(argv[0], "icmp") == 0)
		return probe_icmp(argv[1]);
	if (argc == 3 && strcmp(argv[0], "hold") == 0)
		return probe_hold(argv[1], argv[2]);
	errx(2, "see the head of probe.c");
}

int
main(int argc, char **argv)
{
	int	c, status, linger = 0, many = 0;

	while ((c = getopt(argc, argv, "d:m:n:p:t:")) != -1) {
		switch (c) {
		case 'd':
			linger = (int)strtol(optarg, NULL, 10);
			break;
		case 'm':
			packet_mark = (uint32_t)strtoul(optarg, NULL, 0);
			break;
		case 'n':
			many = (int)strtol(optarg, NULL, 10);
			if (many > FDS_MAX)
				errx(2, "at most %d", FDS_MAX);
			break;
		case 'p':
			local_port = optarg;
			break;
		case 't':
			wait_ms = (int)strtol(optarg, NULL, 10);
			break;
		default:
			return 2;
		}
	}
	clock_gettime(CLOCK_MONOTONIC, &began);
	status = probe(argc - optind, argv + optind, many);
	if (linger > 0)
		usleep((useconds_t)linger * 1000);
	return status;
}
