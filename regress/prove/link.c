/*
 * SPDX-License-Identifier: ISC
 *
 * What a link does with what arrives: any bytes behind any bytes that waited
 * for the rest of their frame, up to MAX together, with and without a
 * descriptor, between any two processes, after any messages.
 */
#define SOCK_CLOEXEC	02000000	/* Frama-C's headers have none */

#include "imsg.c"

#include "prove.h"

#define FDS	1024		/* as many as Eva lets a process have */

static size_t	waited;

/* Any text, terminated. */
int
vsnprintf(char *s, size_t size, const char *fmt, va_list ap)
{
	(void)fmt, (void)ap;
	Frama_C_make_unknown(s, size);
	s[size - 1] = '\0';
	return Frama_C_interval(0, INT32_MAX);
}

/* The kernel: what nobody sent stays without a value, not to be used. */
ssize_t
fdpass_recv(int sock, void *buf, size_t len, int *fd, bool *stray, int flags)
{
	ssize_t	n = Frama_C_interval(-1, (int)(MAX - waited));

	(void)sock, (void)flags;
	/*@ split n; */
	((uint8_t *)buf)[len - 1] = 0;		/* it may fill it */
	*fd = Frama_C_interval(-1, FDS - 1);
	*stray = Frama_C_interval(0, 1);
	Frama_C_make_unknown((char *)&errno, sizeof(errno));
	if (n > 0)
		Frama_C_make_unknown(buf, (size_t)n);
	return n;
}

static void
message(struct link *l, struct imsg *m, void *arg)
{
	volatile uint8_t	first, last;

	(void)arg;
	if (m->len > 0) {
		first = m->data[0];
		last = m->data[m->len - 1];
		(void)first, (void)last;
	}
	if (Frama_C_interval(0, 1))
		link_offence(l, "%s", "bad");
	if (Frama_C_interval(0, 1))
		(void)imsg_fd(m);
}

static void
gone(struct link *l, const char *reason, void *arg)
{
	(void)l, (void)reason, (void)arg;
}

static void
parse(const uint8_t *data, size_t len)
{
	struct link	l;

	(void)data;
	waited = len;
	l.fd = 3;
	l.self = Frama_C_unsigned_int_interval(0, ROLE_MAX - 1);
	l.peer = Frama_C_unsigned_int_interval(0, ROLE_MAX - 1);
	l.readable = l.writable = l.failing = NULL;
	l.handler = message;
	l.gone = gone;
	l.arg = NULL;
	TAILQ_INIT(&l.queue);
	l.spare = NULL;
	l.queued = 0;
	l.got_fd = Frama_C_interval(-1, FDS - 1);
	Frama_C_make_unknown((char *)&l.seen, sizeof(l.seen));
	l.type = 0;
	l.gate_in = gate_find(Frama_C_unsigned_int_interval(0, UINT32_MAX),
	    l.peer, l.self);
	l.gate_out = NULL;
	Frama_C_make_unknown((char *)l.open, sizeof(l.open));
	l.busy = l.freed = l.held = l.deaf = l.broken = false;
	l.reason[0] = '\0';
	Frama_C_make_unknown((char *)l.buf, len);
	l.got = len;
	link_readable(3, EV_READ, &l);
}
