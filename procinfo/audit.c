/*
 * SPDX-License-Identifier: ISC
 *
 * Which system call was it?  The parent sees only that a child was killed by
 * its filter; the kernel's audit record names the call, and is text, so it is
 * read here.  The parent compares pids: a record that somebody else's
 * program caused names none of its children.
 */
#include <sys/socket.h>

#include <event2/event.h>
#include <libmnl/libmnl.h>
#include <linux/audit.h>
#include <linux/netlink.h>
#include <string.h>
#include <time.h>

#include "audit.h"
#include "imsg.h"
#include "log.h"
#include "procinfo.h"

#define TURN_READS	16
#define TELL_MAX	16	/* in a second: others may cause records, too */
#define SECOND_NS	(1000ull * 1000 * 1000)

static struct event	*ev;
static uint64_t		 since;		/* the second that is counted */
static unsigned int	 told;

static void
tell(const struct msg_denied *m)
{
	struct ibuf	 b;
	uint8_t		 buf[sizeof(*m)];
	uint64_t	 now = now_ns();

	if (now - since >= SECOND_NS) {
		since = now;
		told = 0;
	}
	if (told++ >= TELL_MAX)
		return;
	ibuf_writer(&b, buf, sizeof(buf));
	msg_put_denied(&b, m);
	link_send_ibuf(main_parent(), MSG_DENIED, -1, &b);
}

/* 0, or -1 when there is nothing more. */
static int
read_one(int fd)
{
	static char		 buf[8192];
	struct sockaddr_nl	 from;
	socklen_t		 len = sizeof(from);
	const struct nlmsghdr	*h = (const void *)buf;
	struct msg_denied	 m;
	ssize_t			 n;

	memset(&from, 0, sizeof(from));
	n = recvfrom(fd, buf, sizeof(buf), MSG_DONTWAIT,
	    (struct sockaddr *)&from, &len);
	if (n == -1)
		return -1;
	/* Its length does not count the header as others do: one a message. */
	if (from.nl_pid != 0 || (size_t)n < sizeof(*h) ||
	    h->nlmsg_type != AUDIT_SECCOMP)
		return 0;
	if (audit_parse(mnl_nlmsg_get_payload(h), (size_t)n - sizeof(*h),
	    &m) == 0)
		tell(&m);
	return 0;
}

static void
readable(int fd, short what, void *arg)
{
	int	 i;

	(void)what, (void)arg;
	for (i = 0; i < TURN_READS; i++)
		if (read_one(fd) == -1)
			break;
}

void
audit_init(int fd)
{
	ev = event_new(main_base(), fd, EV_READ | EV_PERSIST, readable, NULL);
	if (ev == NULL || event_add(ev, NULL) == -1)
		fatal(NULL);
}
