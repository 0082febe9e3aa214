/*
 * SPDX-License-Identifier: ISC
 *
 * The control socket: tinysnitchctl(8).  The socket's mode lets in root and
 * the members of one group (SO_PEERCRED shows no supplementary group, so
 * being connected is the proof).  Members may read and answer questions;
 * only root changes anything.  A client that breaks the rules, stays silent
 * or does not read is dropped, and that is all it achieves.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "control.h"
#include "log.h"
#include "ruled.h"

#define CLIENTS_MAX	32
#define CLIENTS_ROOT	8	/* of these, places that only root gets */
#define SILENCE_S	10	/* for a command, to read on, or to leave */
#define REPLY_AHEAD	(256 * 1024)	/* bytes made but not read yet */
#define REPLY_LINES	100	/* made in one turn of the loop */
#define LINE_SIZE	8192

static void	client_accept(int, short, void *);

static const struct timeval silence = { SILENCE_S, 0 };
static LIST_HEAD(, client) clients = LIST_HEAD_INITIALIZER(clients);
static size_t		 nclients;
static struct event	*listener;

void
control_init(void)
{
	if (!(config.fds & (1U << FD_RULED_CONTROL)))
		return;
	listener = event_new(ruled_base(), FD_RULED_CONTROL,
	    EV_READ | EV_PERSIST, client_accept, NULL);
	if (listener == NULL || event_add(listener, NULL) == -1)
		fatal(NULL);
}

static void
client_free(struct client *cl)
{
	if (cl->asks)
		ask_asker(cl->link, false);
	cl->asks = false;
	change_forget(cl);
	LIST_REMOVE(cl, entry);
	nclients--;
	event_free(cl->silence);
	event_free(cl->turn);
	link_free(cl->link);
	free(cl);
}

static void
client_gone(struct link *l, const char *reason, void *arg)
{
	(void)l;
	if (reason != NULL) {
		counters.bad_clients++;
		line_error("control client dropped: %s", reason);
	}
	client_free(arg);
}

static void
client_silent(int fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	counters.bad_clients++;
	client_free(arg);
}

/* Replying. */

static void
reply_text(struct client *cl, int status, bool more, const char *text,
    size_t len)
{
	static uint8_t		 buf[MSG_PAYLOAD_MAX];
	struct msg_ctl_reply	 m;
	struct ibuf		 b;

	memset(&m, 0, sizeof(m));
	m.status = (uint8_t)status;
	m.more = more;
	m.text = text;
	m.len = len < sizeof(buf) - 2 ? len : sizeof(buf) - 2;
	ibuf_writer(&b, buf, sizeof(buf));
	msg_put_ctl_reply(&b, &m);
	link_send_ibuf(cl->link, MSG_CTL_REPLY, -1, &b);
	/* It has what it wanted: its place is for others. */
	if (!more && event_add(cl->silence, &silence) == -1)
		fatal(NULL);
}

void
reply_end(struct client *cl)
{
	reply_text(cl, 0, false, "", 0);
}

void
reply_error(struct client *cl, const char *fmt, ...)
{
	char	text[1024], safe[LINE_SIZE];
	va_list	ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	(void)log_escape(safe, sizeof(safe), text, strlen(text));
	reply_text(cl, 1, false, safe, strlen(safe));
}

void
reply_line(struct client *cl, const char *fmt, ...)
{
	char	text[LINE_SIZE];
	va_list	ap;
	int	n;

	va_start(ap, fmt);
	n = vsnprintf(text, sizeof(text) - 1, fmt, ap);
	va_end(ap);
	if (n < 0)
		return;
	if ((size_t)n > sizeof(text) - 2)
		n = (int)sizeof(text) - 2;
	text[n] = '\n';
	reply_text(cl, 0, true, text, (size_t)n + 1);
}

void
reply_json(struct client *cl, const struct json *j)
{
	if (j->out.full)
		return;
	reply_text(cl, 0, true, j->out.buf, j->out.len);
	reply_text(cl, 0, true, "\n", 1);
}

/*
 * Some more of a long reply, unless the client has much to read yet; one that
 * reads nothing at all is silent, too.
 */
static void
reply_turn(int fd, short what, void *arg)
{
	static const struct timeval	 at_once, later = { 0, 20000 };
	struct client			*cl = arg;
	bool				 ahead;
	size_t				 i;

	(void)fd;
	(void)what;
	ahead = link_queued(cl->link) > REPLY_AHEAD;
	for (i = 0; !ahead && i < REPLY_LINES; i++)
		if (!cl->part(cl)) {
			reply_end(cl);
			return;
		}
	if ((!ahead && event_add(cl->silence, &silence) == -1) ||
	    event_add(cl->turn, ahead ? &later : &at_once) == -1)
		fatal(NULL);
}

void
reply_parts(struct client *cl, reply_part *part)
{
	cl->part = part;
	cl->place = 0;
	reply_turn(-1, 0, cl);
}

/* Receiving. */

static void
client_command(struct client *cl, struct imsg *im)
{
	static struct msg_ctl	 m;
	struct ibuf		 b;

	ibuf_reader(&b, im->data, im->len);
	if (msg_get_ctl(&b, &m) == -1) {
		link_offence(cl->link, "MSG_CTL: bad payload");
		return;
	}
	(void)event_del(cl->silence);
	cl->json = m.json;
	if (m.version != CTL_VERSION) {
		reply_error(cl, "this tinysnitchctl speaks version %" PRIu32
		    ", the daemon %d", m.version, CTL_VERSION);
		return;
	}
	command_run(cl, m.command, m.text);
}

static void
client_message(struct link *l, struct imsg *im, void *arg)
{
	struct client	*cl = arg;

	switch (im->type) {
	case MSG_CTL:
		client_command(cl, im);
		break;
	case MSG_ANSWER:
		if (!cl->asks || ask_answer(l, im) == -1)
			link_offence(l, "MSG_ANSWER: not to be answered so");
		break;
	}
}

static void
client_accept(int fd, short what, void *arg)
{
	struct ucred			 cred;
	socklen_t			 len = sizeof(cred);
	struct client			*cl;
	int				 sock;

	(void)what;
	(void)arg;
	sock = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (sock == -1) {
		if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED)
			log_warn("accept");
		return;
	}
	if (getsockopt(sock, SOL_SOCKET, SO_PEERCRED, &cred, &len) == -1 ||
	    nclients >= (cred.uid == 0 ? CLIENTS_MAX :
	    CLIENTS_MAX - CLIENTS_ROOT)) {
		counters.bad_clients++;
		(void)close(sock);
		return;
	}
	if ((cl = calloc(1, sizeof(*cl))) == NULL)
		fatal(NULL);
	cl->root = cred.uid == 0;
	cl->link = link_new(ruled_base(), sock, ROLE_RULED, ROLE_CTL,
	    client_message, client_gone, cl);
	cl->silence = event_new(ruled_base(), -1, 0, client_silent, cl);
	cl->turn = event_new(ruled_base(), -1, 0, reply_turn, cl);
	if (cl->turn == NULL || cl->silence == NULL ||
	    event_add(cl->silence, &silence) == -1)
		fatal(NULL);
	LIST_INSERT_HEAD(&clients, cl, entry);
	nclients++;
}

bool
control_monitored(void)
{
	struct client	*cl;

	LIST_FOREACH(cl, &clients, entry)
		if (cl->monitors)
			return true;
	return false;
}

void
control_monitor(const char *line, const char *json)
{
	struct client	*cl;

	LIST_FOREACH(cl, &clients, entry) {
		if (!cl->monitors)
			continue;
		if (link_queued(cl->link) > REPLY_AHEAD)
			link_offence(cl->link, "does not read");
		else if (cl->json && json != NULL) {
			reply_text(cl, 0, true, json, strlen(json));
			reply_text(cl, 0, true, "\n", 1);
		} else if (!cl->json && line != NULL)
			reply_text(cl, 0, true, line, strlen(line));
	}
}

void
control_askers(asker_fn *fn, void *arg)
{
	struct client	*cl;

	LIST_FOREACH(cl, &clients, entry)
		if (cl->asks)
			fn(cl->link, arg);
}
