/*
 * SPDX-License-Identifier: ISC
 *
 * The proc connector, for kernels without event rings: each fork, execve and
 * end of a process wakes this one, and what a program is must be read before
 * it ends.
 */
#include <sys/socket.h>

#include <errno.h>
#include <event2/event.h>
#include <linux/cn_proc.h>
#include <linux/connector.h>
#include <linux/netlink.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "procinfo.h"

#define TURN_READS	4096	/* datagrams, one event each, per loop turn */
#define THREADS		4096	/* remembered, the newest of each slot */

/* Not the first of its process. */
struct thread {
	uint32_t	 id, pid;
	uint64_t	 since;
};

static int		 conn_fd = -1;
static struct event	*conn_ev;
static uint64_t		 heard;	/* of all that happened before */
static struct thread	 threads[THREADS];

static void
got_fork(const struct proc_event *e)
{
	uint32_t	 id = (uint32_t)e->event_data.fork.child_pid;
	uint32_t	 pid = (uint32_t)e->event_data.fork.child_tgid;
	struct thread	*t = &threads[id % THREADS];

	if (id == pid) {
		if (t->id == id)	/* the number is used again */
			memset(t, 0, sizeof(*t));
		ident_forked(pid, (uint32_t)e->event_data.fork.parent_tgid,
		    e->timestamp_ns);
		return;
	}
	t->id = id;
	t->pid = pid;
	t->since = e->timestamp_ns;
}

static void
got_event(const struct nlmsghdr *h, size_t len)
{
	struct cn_msg		 cn;
	struct proc_event	 e;

	memset(&e, 0, sizeof(e));
	if (len < NLMSG_HDRLEN + sizeof(cn))
		return;
	memcpy(&cn, (const char *)h + NLMSG_HDRLEN, sizeof(cn));
	if (cn.id.idx != CN_IDX_PROC || cn.id.val != CN_VAL_PROC)
		return;
	/* Shorter in older kernels, longer in newer ones. */
	len -= NLMSG_HDRLEN + sizeof(cn);
	memcpy(&e, (const char *)h + NLMSG_HDRLEN + sizeof(cn),
	    len < sizeof(e) ? len : sizeof(e));
	switch (e.what) {
	case PROC_EVENT_EXEC:
		ident_execed((uint32_t)e.event_data.exec.process_tgid,
		    e.timestamp_ns);
		break;
	case PROC_EVENT_FORK:
		got_fork(&e);
		break;
	case PROC_EVENT_EXIT:
		if (e.event_data.exit.process_pid ==
		    e.event_data.exit.process_tgid)
			ident_ended((uint32_t)e.event_data.exit.process_tgid);
		break;
	default:
		break;
	}
}

/* 0, or -1 when there is nothing more. */
static int
read_one(void)
{
	union {
		struct nlmsghdr	 h;
		char		 buf[1024];
	} m;
	struct sockaddr_nl	 from;
	socklen_t		 len = sizeof(from);
	ssize_t			 n;

	memset(&from, 0, sizeof(from));
	n = recvfrom(conn_fd, &m, sizeof(m), MSG_DONTWAIT,
	    (struct sockaddr *)&from, &len);
	if (n == -1) {
		if (errno != ENOBUFS)
			return -1;
		/* Something was missed: whatever is known may be wrong. */
		ident_forget();
		return 0;
	}
	if (from.nl_pid == 0 && (size_t)n >= NLMSG_HDRLEN)
		got_event(&m.h, (size_t)n);
	return 0;
}

static void
conn_read(int fd, short what, void *arg)
{
	uint64_t now = now_ns();
	int	 i;

	(void)fd, (void)what, (void)arg;
	for (i = 0; i < TURN_READS; i++)
		if (read_one() == -1) {
			heard = now;
			return;
		}
}

void
connector_read(uint64_t when)
{
	if (conn_fd != -1 && when >= heard)
		conn_read(conn_fd, 0, NULL);
}

uint32_t
connector_process(uint32_t id, uint64_t when)
{
	const struct thread	*t = &threads[id % THREADS];

	connector_read(when);
	return t->id == id && t->since <= when ? t->pid : 0;
}

bool
connector_on(void)
{
	return conn_fd != -1;
}

void
connector_init(int fd)
{
	conn_fd = fd;
	conn_ev = event_new(main_base(), fd, EV_READ | EV_PERSIST, conn_read,
	    NULL);
	if (conn_ev == NULL || event_add(conn_ev, NULL) == -1)
		fatal(NULL);
}

void
connector_stop(void)
{
	if (conn_fd == -1)
		return;
	event_free(conn_ev);
	close(conn_fd);
	conn_fd = -1;
}
