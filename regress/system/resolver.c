/*
 * SPDX-License-Identifier: ISC
 *
 * A name server that lies in every way, and a client that asks exactly.
 *
 *	resolver serve ADDRESS	UDP and TCP port 53 of that address
 *	resolver [-t] ask SERVER NAME TYPE
 *
 * The first label of the question says what comes back; ANSWER is 10.9.9.9,
 * and each lie would make it known as a name it has not:
 *
 *	good	the answer		ttl0	the same, TTL 0
 *	wrongid, wrongport, wrongaddress, wrongquestion, wrongcase,
 *	unasked			a reply that does not fit its question
 *	extra			a good one for GOOD, with a record of victim.evil.test
 *	loopback, own, link	addresses that nobody may be given a name for
 *	cname			x.evil.test, then the answer
 *	cnameloop, pointerloop	what would keep a parser busy for ever
 *	tc			truncated over UDP, the answer over TCP
 *	aaaa, https		fd09::9; 10.9.9.9 as a hint
 *
 * ask sends the name in the very case given and prints "reply" with the
 * response code, or "timeout"; -t asks by TCP.
 */
#include <sys/socket.h>

#include <arpa/inet.h>
#include <ctype.h>
#include <err.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SIZE		1024
#define WAIT_MS		700
#define TYPE_A		1
#define TYPE_CNAME	5
#define TYPE_AAAA	28
#define TYPE_HTTPS	65
#define POINTER		0xc00c		/* to the question's name */
#define ANSWER		"10.9.9.9"
#define GOOD		"10.8.2.2"
#define VICTIM		"\6victim\4evil\4test"
#define ALIAS		"\1x\4evil\4test"

struct message {
	uint8_t	b[SIZE];
	size_t	len;
};

static struct sockaddr_in	own;

static void
put(struct message *m, const void *data, size_t len)
{
	if (m->len + len > sizeof(m->b))
		errx(1, "too long");
	memcpy(m->b + m->len, data, len);
	m->len += len;
}

static void
put16(struct message *m, unsigned int v)
{
	uint16_t	n = htons((uint16_t)v);

	put(m, &n, sizeof(n));
}

static void
put_head(struct message *m, unsigned int type, unsigned int ttl,
    unsigned int len)
{
	put16(m, type);
	put16(m, 1);
	put16(m, 0);
	put16(m, ttl);
	put16(m, len);
	m->b[7]++;		/* ANCOUNT */
}

static void
put_a(struct message *m, const char *addr, unsigned int ttl)
{
	struct in_addr	in;

	if (inet_pton(AF_INET, addr, &in) != 1)
		errx(1, "%s", addr);
	put_head(m, TYPE_A, ttl, sizeof(in));
	put(m, &in, sizeof(in));
}

/* The answer to the question, at the question's own name. */
static void
put_answer(struct message *m, const char *addr)
{
	put16(m, POINTER);
	put_a(m, addr, 300);
}

static void
put_other_records(struct message *m, const char *how)
{
	struct in6_addr	in6;
	uint8_t		hint[] = { 0, 1, 0, 0, 4, 0, 4, 10, 9, 9, 9 };

	if (strcmp(how, "aaaa") == 0) {
		(void)inet_pton(AF_INET6, "fd09::9", &in6);
		put16(m, POINTER);
		put_head(m, TYPE_AAAA, 300, sizeof(in6));
		put(m, &in6, sizeof(in6));
	} else if (strcmp(how, "https") == 0) {
		put16(m, POINTER);
		put_head(m, TYPE_HTTPS, 300, sizeof(hint));
		put(m, hint, sizeof(hint));
	} else if (strcmp(how, "cname") == 0) {
		put16(m, POINTER);
		put_head(m, TYPE_CNAME, 300, sizeof(ALIAS));
		put(m, ALIAS, sizeof(ALIAS));
		put(m, ALIAS, sizeof(ALIAS));
		put_a(m, ANSWER, 300);
	} else if (strcmp(how, "cnameloop") == 0) {
		put16(m, POINTER);
		put_head(m, TYPE_CNAME, 300, sizeof(ALIAS));
		put(m, ALIAS, sizeof(ALIAS));
		put(m, ALIAS, sizeof(ALIAS));
		put_head(m, TYPE_CNAME, 300, 2);
		put16(m, POINTER);
		put(m, VICTIM, sizeof(VICTIM));
		put_a(m, ANSWER, 300);
	} else if (strcmp(how, "pointerloop") == 0) {
		put16(m, 0xc000 | (unsigned int)m->len);
		put_a(m, ANSWER, 300);
	}
}

/* Which records; true if there is more to it than a reply. */
static void
put_records(struct message *m, const char *how)
{
	if (strcmp(how, "ttl0") == 0) {
		put16(m, POINTER);
		put_a(m, ANSWER, 0);
	} else if (strcmp(how, "loopback") == 0)
		put_answer(m, "127.0.0.1");
	else if (strcmp(how, "own") == 0)
		put_answer(m, "10.7.0.2");
	else if (strcmp(how, "link") == 0)
		put_answer(m, "169.254.1.1");
	else if (strcmp(how, "extra") == 0) {
		put_answer(m, GOOD);
		put(m, VICTIM, sizeof(VICTIM));
		put_a(m, ANSWER, 300);
	} else if (strcmp(how, "good") == 0 || strcmp(how, "tc") == 0 ||
	    strncmp(how, "wrong", 5) == 0 || strcmp(how, "unasked") == 0)
		put_answer(m, ANSWER);
	else
		put_other_records(m, how);
}

/* From another port, or another address than the one that was asked. */
static void
send_from(const char *addr, unsigned int port, const struct message *m,
    const struct sockaddr_in *to)
{
	struct sockaddr_in	from = { .sin_family = AF_INET };
	int			fd, on = 1;

	from.sin_port = htons((uint16_t)port);
	from.sin_addr = own.sin_addr;
	if (addr != NULL && inet_pton(AF_INET, addr, &from.sin_addr) != 1)
		errx(1, "%s", addr);
	if ((fd = socket(AF_INET, SOCK_DGRAM, 0)) == -1)
		err(1, "socket");
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, (struct sockaddr *)&from, sizeof(from)) == -1)
		err(1, "bind");
	(void)sendto(fd, m->b, m->len, 0, (const struct sockaddr *)to,
	    sizeof(*to));
	(void)close(fd);
}

/* The length of the question, 0 if there is none. */
static size_t
question_length(const struct message *m)
{
	size_t	off = 12;

	while (off < m->len && m->b[off] != 0)
		off += m->b[off] + 1U;
	return off + 5 <= m->len ? off + 5 - 12 : 0;
}

static int
first_label(const struct message *m, char how[64])
{
	size_t	i, len = m->b[12];

	if (len > 63)
		return -1;
	for (i = 0; i < len; i++)
		how[i] = (char)tolower(m->b[13 + i]);
	how[len] = '\0';
	return 0;
}

static void
twist(struct message *m, const char *how, bool tcp)
{
	size_t	i;

	if (strcmp(how, "wrongid") == 0)
		m->b[1] ^= 1;
	if (strcmp(how, "wrongquestion") == 0)
		m->b[13] = 'x';
	if (strcmp(how, "wrongcase") == 0)
		for (i = 0; i < m->b[12]; i++)
			m->b[13 + i] ^= 0x20;
	if (strcmp(how, "tc") == 0 && !tcp)
		m->b[2] |= 2;
}

/* Makes a reply of the query in place. */
static int
make_reply(struct message *m, char how[64], bool tcp)
{
	size_t	len;

	if (m->len < 12 || (len = question_length(m)) == 0 ||
	    first_label(m, how) == -1)
		return -1;
	m->len = 12 + len;
	m->b[2] = 0x81;
	m->b[3] = 0x80;
	memset(m->b + 6, 0, 6);
	if (tcp || strcmp(how, "tc") != 0)
		put_records(m, how);
	twist(m, how, tcp);
	return 0;
}

static void
serve_udp(int fd)
{
	struct sockaddr_in	from;
	struct message		m;
	socklen_t		len = sizeof(from);
	ssize_t			n;
	char			how[64];

	n = recvfrom(fd, m.b, 512, 0, (struct sockaddr *)&from, &len);
	if (n == -1)
		return;
	m.len = (size_t)n;
	if (make_reply(&m, how, false) == -1)
		return;
	if (strcmp(how, "wrongport") == 0)
		send_from(NULL, 5353, &m, &from);
	else if (strcmp(how, "wrongaddress") == 0)
		send_from("10.9.9.9", 53, &m, &from);
	else if (strcmp(how, "unasked") == 0) {
		from.sin_port = htons((uint16_t)(ntohs(from.sin_port) + 1));
		(void)sendto(fd, m.b, m.len, 0, (struct sockaddr *)&from, len);
	} else
		(void)sendto(fd, m.b, m.len, 0, (struct sockaddr *)&from, len);
}

static void
serve_tcp(int listener)
{
	struct message	m;
	uint8_t		head[2];
	ssize_t		n;
	int		fd;
	char		how[64];

	if ((fd = accept(listener, NULL, NULL)) == -1)
		return;
	if (recv(fd, head, 2, MSG_WAITALL) == 2 &&
	    (n = recv(fd, m.b, (size_t)head[0] << 8 | head[1],
	    MSG_WAITALL)) > 0) {
		m.len = (size_t)n;
		if (make_reply(&m, how, true) == 0) {
			head[0] = (uint8_t)(m.len >> 8);
			head[1] = (uint8_t)m.len;
			(void)send(fd, head, 2, MSG_MORE | MSG_NOSIGNAL);
			(void)send(fd, m.b, m.len, MSG_NOSIGNAL);
		}
	}
	(void)close(fd);
}

static int
bound(int type)
{
	int	fd, on = 1;

	if ((fd = socket(AF_INET, type, 0)) == -1)
		err(1, "socket");
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, (struct sockaddr *)&own, sizeof(own)) == -1)
		err(1, "bind");
	if (type == SOCK_STREAM && listen(fd, 16) == -1)
		err(1, "listen");
	return fd;
}

static int
serve(const char *addr)
{
	struct pollfd	pfd[2];

	own.sin_family = AF_INET;
	own.sin_port = htons(53);
	if (inet_pton(AF_INET, addr, &own.sin_addr) != 1)
		errx(2, "%s: no address", addr);
	pfd[0].fd = bound(SOCK_DGRAM);
	pfd[1].fd = bound(SOCK_STREAM);
	pfd[0].events = pfd[1].events = POLLIN;
	puts("serving");
	(void)fflush(stdout);
	while (poll(pfd, 2, -1) != -1) {
		if (pfd[0].revents != 0)
			serve_udp(pfd[0].fd);
		if (pfd[1].revents != 0)
			serve_tcp(pfd[1].fd);
	}
	return 1;
}

static void
make_query(struct message *m, const char *name, unsigned int type)
{
	const uint8_t	head[12] = { 0, 0, 1, 0, 0, 1 };
	const char	*dot;
	uint8_t		len;

	memset(m, 0, sizeof(*m));
	put(m, head, sizeof(head));
	m->b[0] = (uint8_t)random();
	m->b[1] = (uint8_t)random();
	for (; *name != '\0'; name = *dot == '\0' ? dot : dot + 1) {
		dot = name + strcspn(name, ".");
		len = (uint8_t)(dot - name);
		put(m, &len, 1);
		put(m, name, len);
	}
	put(m, "", 1);
	put16(m, type);
	put16(m, 1);
}

static int
ask(const char *server, const char *name, unsigned int type, bool tcp)
{
	struct sockaddr_in	to = { .sin_family = AF_INET };
	struct message		m;
	struct pollfd		pfd;
	uint8_t			head[2];

	to.sin_port = htons(53);
	if (inet_pton(AF_INET, server, &to.sin_addr) != 1)
		errx(2, "%s: no address", server);
	srandom((unsigned int)getpid());
	make_query(&m, name, type);
	pfd.fd = socket(AF_INET, tcp ? SOCK_STREAM : SOCK_DGRAM, 0);
	pfd.events = POLLIN;
	if (pfd.fd == -1 ||
	    connect(pfd.fd, (struct sockaddr *)&to, sizeof(to)) == -1)
		err(1, "%s", server);
	head[0] = (uint8_t)(m.len >> 8);
	head[1] = (uint8_t)m.len;
	if (tcp)
		(void)send(pfd.fd, head, 2, MSG_MORE);
	(void)send(pfd.fd, m.b, m.len, 0);
	if (poll(&pfd, 1, WAIT_MS) != 1 || (tcp && recv(pfd.fd, head, 2,
	    MSG_WAITALL) != 2) || recv(pfd.fd, m.b, sizeof(m.b), 0) < 12) {
		puts("timeout");
		return 0;
	}
	printf("reply %u%s\n", m.b[3] & 15U, m.b[2] & 2 ? " truncated" : "");
	return 0;
}

int
main(int argc, char *argv[])
{
	bool	tcp = argc > 1 && strcmp(argv[1], "-t") == 0;

	argc -= tcp;
	argv += tcp;
	if (argc == 3 && strcmp(argv[1], "serve") == 0)
		return serve(argv[2]);
	if (argc == 5 && strcmp(argv[1], "ask") == 0)
		return ask(argv[2], argv[3],
		    (unsigned int)strtoul(argv[4], NULL, 10), tcp);
	errx(2, "see the head of resolver.c");
}
