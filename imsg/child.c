/*
 * SPDX-License-Identifier: ISC
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "child.h"
#include "imsg.h"
#include "log.h"

/* The first free number became the one it shall have. */
static int
take_fd(const uint8_t *data, size_t len, int fd, int last)
{
	struct msg_fd	m;
	struct ibuf	b;

	ibuf_reader(&b, data, len);
	if (msg_get_fd(&b, &m) == -1 || m.number <= FD_PARENT ||
	    m.number > last)
		return -1;
	if (fd == m.number)
		return 0;
	if (dup2(fd, m.number) == -1)
		return -1;
	return close(fd);
}

/* For ps(1), which shows the arguments: the name there was a longer one. */
static void
take_name(enum role self)
{
	size_t	size = strlen(program_invocation_name) + 1;

	memset(program_invocation_name, 0, size);
	(void)snprintf(program_invocation_name, size, "snitch-%s",
	    role_name(self));
}

/* Until it is told what to do, a process is nobody. */
void
child_start(enum role self, int last, struct msg_start *start)
{
	static uint8_t	buf[MSG_PAYLOAD_MAX];
	struct ibuf	b;
	uint32_t	type;
	ssize_t		n;
	int		fd;

	log_init(self, 0);
	if (prctl(PR_SET_NAME, SPARE_NAME) == -1)
		fatal("prctl");
	closefrom(last + 1);
	do {
		n = imsg_read_blocking(FD_PARENT, self, ROLE_PARENT, &type,
		    &fd, buf, sizeof(buf));
		if (n == -1 || (type == MSG_FD &&
		    take_fd(buf, (size_t)n, fd, last) == -1))
			fatalx("no start message on descriptor %d: this "
			    "program is started by tinysnitch(8)", FD_PARENT);
	} while (type == MSG_FD);
	ibuf_reader(&b, buf, (size_t)n);
	if (type != MSG_START || msg_get_start(&b, start) == -1)
		fatalx("malformed start message");
	take_name(self);
	/* The prompter's has the cookie of the display in it. */
	explicit_bzero(buf, sizeof(buf));
	log_init(self, start->verbose);
}

void
child_ready(struct link *parent, const char *missing)
{
	struct msg_ready	m;
	struct ibuf		b;
	uint8_t			buf[sizeof(m) + 8];

	memset(&m, 0, sizeof(m));
	if (strlcpy(m.missing, missing, sizeof(m.missing)) >=
	    sizeof(m.missing))
		fatalx("missing layers: too many");
	ibuf_writer(&b, buf, sizeof(buf));
	msg_put_ready(&b, &m);
	link_send_ibuf(parent, MSG_READY, -1, &b);
}

void
child_bad(struct link *parent, const struct link *l, const char *reason)
{
	struct msg_bad	m;
	struct ibuf	b;
	uint8_t		buf[sizeof(m) + 16];

	memset(&m, 0, sizeof(m));
	m.peer = (uint8_t)link_peer(l);
	m.type = link_type(l);
	(void)strlcpy(m.reason, reason, sizeof(m.reason));
	ibuf_writer(&b, buf, sizeof(buf));
	msg_put_bad(&b, &m);
	link_send_ibuf(parent, MSG_BAD, -1, &b);
}

void
child_bad_ruled(struct link *parent, const struct link *ruled,
    const char *reason)
{
	log_warnx("ruled: %s", reason);
	child_bad(parent, ruled, reason);
}

int
child_peer_ruled(struct link *parent, struct imsg *imsg)
{
	struct msg_peer	m;
	struct ibuf	b;

	ibuf_reader(&b, imsg->data, imsg->len);
	if (msg_get_peer(&b, &m) == -1 || m.peer != ROLE_RULED) {
		link_offence(parent, "malformed or misdirected link");
		return -1;
	}
	return imsg_fd(imsg);
}

void
child_parent_gone(struct link *parent, const char *reason, void *arg)
{
	(void)parent;
	(void)arg;
	if (reason != NULL)
		fatalx("parent: %s", reason);
	exit(0);
}
