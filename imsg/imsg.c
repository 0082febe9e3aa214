/*
 * SPDX-License-Identifier: ISC
 *
 * The sender of every byte read here may have been taken over: the frame's
 * length is checked before anything else, a descriptor belongs to the one
 * message that says it has one, and nothing passes the gate by default.
 *
 * A descriptor travels with the bytes of its own sendmsg(2), and unix(7)
 * never merges two sends that both carry one.  So at most one descriptor
 * waits for its message here, and a second one is an offence.
 */
#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "fdpass.h"
#include "imsg.h"
#include "log.h"

#define FLAG_FD		0x0001
#define CHUNK_SIZE	(2 * MSG_MAX)
#define WAIT		{ 0, 5000 }	/* 5 ms, of link_wait() */

/* Unsent bytes; a chunk with a descriptor holds one message alone. */
struct chunk {
	TAILQ_ENTRY(chunk)	 entry;
	size_t			 len, off;
	int			 fd;
	uint8_t			 data[CHUNK_SIZE];
};

struct link {
	int			 fd;
	enum role		 self, peer;
	struct event		*readable, *writable, *failing;
	link_handler		*handler;
	link_gone		*gone;
	void			*arg;
	TAILQ_HEAD(chunkq, chunk) queue;
	struct chunk		*spare;		/* the next one, or NULL */
	size_t			 queued;
	size_t			 got;		/* bytes in buf */
	int			 got_fd;	/* waits for its message */
	uint64_t		 seen;		/* types received, for once */
	uint32_t		 type;		/* of the last frame */
	uint32_t		 open[MSG_TYPE_MAX];	/* theirs, unanswered */
	const struct gate	*gate_in, *gate_out;	/* used last */
	bool			 busy;		/* in a handler */
	bool			 freed;		/* by that handler */
	bool			 held;		/* queue, do not write */
	bool			 deaf;		/* writes fail; read to the end */
	bool			 broken;	/* only link_gone is left */
	char			 reason[256];
	uint8_t			 buf[2 * MSG_MAX];
};

struct header {
	uint32_t	type;
	uint16_t	len;
	uint16_t	flags;
};

static_assert(sizeof(struct header) == IMSG_HEADER, "header is packed");
static_assert(MSG_TYPE_MAX <= 64, "seen has a bit for each type");

static void	link_readable(int, short, void *);
static void	link_writable(int, short, void *);
static void	link_failing(int, short, void *);

/* Messages of one type come in rows: only the first of them is looked up. */
static const struct gate *
gate_cached(const struct gate **last, uint32_t type, enum role from,
    enum role to)
{
	if (*last == NULL || (*last)->type != type)
		*last = gate_find(type, from, to);
	return *last;
}

static void
close_fd(int *fd)
{
	if (*fd != -1)
		(void)close(*fd);
	*fd = -1;
}

int
link_pair(int fds[2])
{
	const struct timeval	wait = WAIT;
	int			i;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) == -1)
		return -1;
	for (i = 0; i < 2; i++)
		if (setsockopt(fds[i], SOL_SOCKET, SO_RCVTIMEO, &wait,
		    sizeof(wait)) == -1) {
			close_fd(&fds[0]);
			close_fd(&fds[1]);
			return -1;
		}
	return 0;
}

struct link *
link_new(struct event_base *base, int fd, enum role self, enum role peer,
    link_handler *handler, link_gone *gone, void *arg)
{
	struct link	*l;

	if ((l = calloc(1, sizeof(*l))) == NULL)
		fatal(NULL);
	l->fd = fd;
	l->self = self;
	l->peer = peer;
	l->handler = handler;
	l->gone = gone;
	l->arg = arg;
	l->got_fd = -1;
	TAILQ_INIT(&l->queue);
	l->readable = event_new(base, fd, EV_READ | EV_PERSIST, link_readable,
	    l);
	l->writable = event_new(base, fd, EV_WRITE | EV_PERSIST,
	    link_writable, l);
	l->failing = event_new(base, -1, 0, link_failing, l);
	if (l->readable == NULL || l->writable == NULL || l->failing == NULL ||
	    event_add(l->readable, NULL) == -1)
		fatal(NULL);
	return l;
}

/* One is kept, so that a message costs no allocation. */
static void
queue_drop(struct link *l, struct chunk *c)
{
	TAILQ_REMOVE(&l->queue, c, entry);
	close_fd(&c->fd);
	free(l->spare);
	l->spare = c;
}

void
link_free(struct link *l)
{
	struct chunk	*c;

	if (l == NULL)
		return;
	if (l->busy) {		/* the reader frees it on its way out */
		l->freed = true;
		return;
	}
	while ((c = TAILQ_FIRST(&l->queue)) != NULL)
		queue_drop(l, c);
	free(l->spare);
	event_free(l->readable);
	event_free(l->writable);
	event_free(l->failing);
	close_fd(&l->got_fd);
	close_fd(&l->fd);
	free(l);
}

enum role
link_peer(const struct link *l)
{
	return l->peer;
}

uint32_t
link_type(const struct link *l)
{
	return l->type;
}

size_t
link_queued(const struct link *l)
{
	return l->queued;
}

int
imsg_fd(struct imsg *m)
{
	int	fd = m->fd;

	m->fd = -1;
	return fd;
}

/* Nothing more is read or written; gone() is told from the loop. */
static void
link_break(struct link *l, const char *reason)
{
	if (l->broken)
		return;
	l->broken = true;
	(void)strlcpy(l->reason, reason, sizeof(l->reason));
	(void)event_del(l->readable);
	(void)event_del(l->writable);
	event_active(l->failing, 0, 0);
}

/*
 * The peer is gone for writing, but what it had said before is still to be
 * read: the last packets of a netq that was killed, for one.
 */
static void
link_deafen(struct link *l)
{
	struct chunk	*c;

	l->deaf = true;
	(void)event_del(l->writable);
	while ((c = TAILQ_FIRST(&l->queue)) != NULL)
		queue_drop(l, c);
	l->queued = 0;
}

static void
link_failing(int fd, short what, void *arg)
{
	struct link	*l = arg;

	(void)fd;
	(void)what;
	l->busy = true;
	l->gone(l, l->reason[0] != '\0' ? l->reason : NULL, l->arg);
	l->busy = false;
	if (l->freed)
		link_free(l);
}

void
link_offence(struct link *l, const char *fmt, ...)
{
	char	reason[sizeof(l->reason)];
	va_list	ap;

	va_start(ap, fmt);
	(void)vsnprintf(reason, sizeof(reason), fmt, ap);
	va_end(ap);
	link_break(l, reason);
}

/* Sending. */

static ssize_t
send_chunk(int sock, struct chunk *c)
{
	/* Not sendmsg(2): filters of those who never pass a descriptor lack it. */
	if (c->fd == -1)
		return send(sock, c->data + c->off, c->len - c->off,
		    MSG_NOSIGNAL | MSG_DONTWAIT);
	return fdpass_send(sock, c->data + c->off, c->len - c->off, c->fd,
	    MSG_DONTWAIT);
}

/* 0: all is written; 1: the socket is full; -1: the peer is gone. */
static int
queue_write(struct link *l)
{
	struct chunk	*c;
	ssize_t		 n;

	while ((c = TAILQ_FIRST(&l->queue)) != NULL) {
		if ((n = send_chunk(l->fd, c)) == -1) {
			if (errno == EINTR)
				continue;
			return errno == EAGAIN ? 1 : -1;
		}
		close_fd(&c->fd);	/* went with the first byte */
		c->off += (size_t)n;
		l->queued -= (size_t)n;
		if (c->off == c->len)
			queue_drop(l, c);
	}
	return 0;
}

static struct chunk *
queue_room(struct link *l, size_t len, int fd)
{
	struct chunk	*c = TAILQ_LAST(&l->queue, chunkq);

	if (c != NULL && fd == -1 && c->fd == -1 && CHUNK_SIZE - c->len >= len)
		return c;
	if ((c = l->spare) == NULL && (c = malloc(sizeof(*c))) == NULL)
		fatal(NULL);
	l->spare = NULL;
	c->len = c->off = 0;
	c->fd = fd;
	TAILQ_INSERT_TAIL(&l->queue, c, entry);
	return c;
}

/* A full socket is waited for; only then is there anything to poll. */
static void
queue_start(struct link *l)
{
	if (l->held || event_pending(l->writable, EV_WRITE, NULL))
		return;
	switch (queue_write(l)) {
	case 0:
		break;
	case 1:
		if (event_add(l->writable, NULL) == -1)
			fatal(NULL);
		break;
	default:
		link_deafen(l);
	}
}

void
link_hold(struct link *l)
{
	l->held = true;
}

void
link_release(struct link *l)
{
	l->held = false;
	if (!l->broken && !l->deaf && l->queued > 0)
		queue_start(l);
}

void
link_send(struct link *l, uint32_t type, int fd, const void *data, size_t len)
{
	struct header		 h;
	struct chunk		*c;
	const struct gate	*g;

	if (len > MSG_PAYLOAD_MAX ||
	    (g = gate_cached(&l->gate_out, type, l->self, l->peer)) == NULL)
		fatalx("%s: %s of %zu bytes to %s", __func__, msg_name(type),
		    len, role_name(l->peer));
	if (l->broken || l->deaf) {
		close_fd(&fd);
		return;
	}
	if (g->answers != 0 && l->open[g->answers] > 0)
		l->open[g->answers]--;
	h.type = type;
	h.len = (uint16_t)(IMSG_HEADER + len);
	h.flags = fd != -1 ? FLAG_FD : 0;
	c = queue_room(l, h.len, fd);
	memcpy(c->data + c->len, &h, sizeof(h));
	if (len > 0)
		memcpy(c->data + c->len + sizeof(h), data, len);
	c->len += h.len;
	l->queued += h.len;
	if (l->queued > IMSG_QUEUE_MAX) {
		link_break(l, "does not read");
		return;
	}
	queue_start(l);
}

void
link_send_ibuf(struct link *l, uint32_t type, int fd, const struct ibuf *b)
{
	if (ibuf_error(b))
		fatalx("%s: %s does not fit", __func__, msg_name(type));
	link_send(l, type, fd, b->wbuf, b->off);
}

static void
link_writable(int fd, short what, void *arg)
{
	struct link	*l = arg;

	(void)fd;
	(void)what;
	switch (queue_write(l)) {
	case 0:
		(void)event_del(l->writable);
		break;
	case 1:
		break;
	default:
		link_deafen(l);
	}
}

static int64_t
now_ms(void)
{
	struct timespec	ts;

	if (clock_gettime(CLOCK_MONOTONIC, &ts) == -1)
		return 0;
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int
link_flush(struct link *l, int ms)
{
	struct pollfd	pfd = { l->fd, POLLOUT, 0 };
	int64_t		end = now_ms() + ms, left;
	int		r;

	if (l->broken)
		return -1;
	while ((r = queue_write(l)) == 1) {
		if ((left = end - now_ms()) <= 0)
			return -1;
		(void)poll(&pfd, 1, (int)left);
	}
	return r;
}

/* Receiving. */

/* NULL if the frame may be handed on, else what is wrong with it. */
static const char *
gate_check(struct link *l, const struct header *h)
{
	const struct gate	*g = gate_cached(&l->gate_in, h->type,
				    l->peer, l->self);
	uint32_t		 len = h->len - IMSG_HEADER;

	if (g == NULL)
		return "not its to send";
	if (len < g->min || len > g->max)
		return "bad size";
	if (g->fd == GATE_FD_NONE && (h->flags & FLAG_FD))
		return "stray descriptor";
	if (g->fd == GATE_FD_MUST && !(h->flags & FLAG_FD))
		return "missing descriptor";
	if ((h->flags & FLAG_FD) && l->got_fd == -1)
		return "descriptor announced but not sent";
	if (g->once && (l->seen & (1ULL << g->type)))
		return "sent twice";
	if (g->open != 0 && l->open[g->type] >= g->open)
		return "asked again before the answer";
	l->seen |= 1ULL << g->type;
	if (g->open != 0)
		l->open[g->type]++;
	return NULL;
}

static void
link_deliver(struct link *l, const struct header *h, const uint8_t *payload)
{
	struct imsg	 m;
	const char	*bad;

	l->type = h->type;
	if ((bad = gate_check(l, h)) != NULL) {
		link_offence(l, "%s: %s", msg_name(h->type), bad);
		return;
	}
	m.type = h->type;
	m.data = payload;
	m.len = h->len - IMSG_HEADER;
	m.fd = -1;
	if (h->flags & FLAG_FD) {
		m.fd = l->got_fd;
		l->got_fd = -1;
	}
	l->handler(l, &m, l->arg);
	close_fd(&m.fd);
}

/* Hands on every whole frame in the buffer and keeps the rest. */
static void
link_frames(struct link *l)
{
	struct header	h;
	size_t		off = 0;

	while (!l->broken && !l->freed && l->got - off >= IMSG_HEADER) {
		memcpy(&h, l->buf + off, sizeof(h));
		if (h.len < IMSG_HEADER || h.len > MSG_MAX ||
		    (h.flags & ~FLAG_FD)) {
			link_offence(l, "bad frame");
			break;
		}
		if (l->got - off < h.len)
			break;
		link_deliver(l, &h, l->buf + off + IMSG_HEADER);
		off += h.len;
	}
	memmove(l->buf, l->buf + off, l->got - off);
	l->got -= off;
	/* With no frame begun, a descriptor has no message to belong to. */
	if (!l->broken && l->got == 0 && l->got_fd != -1)
		link_offence(l, "stray descriptor");
}

/* -1: there was nothing to read. */
static int
link_read(struct link *l, int flags)
{
	ssize_t	n;
	bool	stray;
	int	fd;

	n = fdpass_recv(l->fd, l->buf + l->got, sizeof(l->buf) - l->got, &fd,
	    &stray, flags);
	if (n == -1) {
		if (errno == EAGAIN || errno == EINTR)
			return -1;
		link_break(l, "");
		return 0;
	}
	if (fd != -1 && l->got_fd != -1) {
		close_fd(&fd);
		stray = true;
	} else if (fd != -1)
		l->got_fd = fd;
	if (stray) {
		link_offence(l, "stray descriptor");
		return 0;
	}
	if (n == 0) {
		link_break(l, "");
		return 0;
	}
	l->got += (size_t)n;
	l->busy = true;
	link_frames(l);
	l->busy = false;
	if (l->freed)
		link_free(l);
	return 0;
}

static void
link_readable(int sock, short what, void *arg)
{
	(void)sock;
	(void)what;
	(void)link_read(arg, MSG_DONTWAIT);
}

/* Not poll(2) first: a packet would pay for one call more. */
int
link_wait(struct link *l)
{
	return l->broken ? -1 : link_read(l, 0);
}

/*
 * Exactly so many bytes: what follows is the link's.  Without a place for it a
 * descriptor is stray, and so is a second one.
 */
static int
read_whole(int sock, void *buf, size_t len, int *fd)
{
	struct pollfd	 pfd = { sock, POLLIN, 0 };
	uint8_t		*p = buf;
	size_t		 got = 0;
	ssize_t		 n;
	bool		 stray;
	int		 one;

	while (got < len) {
		if (poll(&pfd, 1, -1) == -1 && errno != EINTR)
			return -1;
		n = fdpass_recv(sock, p + got, len - got, &one, &stray,
		    MSG_DONTWAIT);
		if (n == -1 && (errno == EAGAIN || errno == EINTR))
			continue;
		if (one != -1 && fd != NULL && *fd == -1)
			*fd = one;
		else if (one != -1) {
			close_fd(&one);
			stray = true;
		}
		if (n <= 0 || stray)
			return -1;
		got += (size_t)n;
	}
	return 0;
}

ssize_t
imsg_read_blocking(int sock, enum role self, enum role peer, uint32_t *type,
    int *fd, void *payload, size_t size)
{
	const struct gate	*g;
	struct header		 h;
	size_t			 len;

	*fd = -1;
	if (read_whole(sock, &h, sizeof(h), fd) == -1 ||
	    (g = gate_find(h.type, peer, self)) == NULL ||
	    h.len < IMSG_HEADER + g->min || h.len > IMSG_HEADER + g->max ||
	    (g->fd == GATE_FD_MUST) != (*fd != -1) ||
	    h.flags != (*fd != -1 ? FLAG_FD : 0))
		return -1;
	len = h.len - IMSG_HEADER;
	if (len > size || read_whole(sock, payload, len, NULL) == -1)
		return -1;
	*type = h.type;
	return (ssize_t)len;
}
