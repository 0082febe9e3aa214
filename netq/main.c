/*
 * SPDX-License-Identifier: ISC
 *
 * netq's loop: packets from the kernel to ruled, verdicts from ruled to the
 * kernel.  Whatever goes wrong, an id that ruled was told of and did not
 * judge is dropped or stays in the kernel's queue; it is never let through.
 *
 * While ruled judges a turn, netq waits for it and reads no further: packets
 * gather meanwhile, and make one larger turn instead of many small ones, each
 * of which would wake ruled.  Once an answer has come, the next turn is handed
 * over before the verdicts are carried out, which takes longer than to judge.
 */
#include <errno.h>
#include <event2/event.h>
#include <linux/netfilter.h>
#include <stdalign.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "child.h"
#include "imsg.h"
#include "log.h"
#include "loop.h"
#include "netq.h"
#include "sandbox.h"

#define BACKLOG_MAX	(512 << 10)	/* bytes ruled has yet to take */
#define BACKLOG_WAIT	{ 0, 2000 }	/* then look again after 2 ms */
#define TABLE_WAIT	{ 1, 0 }	/* between two MSG_TABLE */
#define ONE_VERDICT	9	/* bytes of a message with one */
#define TURNS_MAX	16	/* until the other descriptors have theirs */
#define WARN_WAIT	1	/* seconds between two complaints of a kind */

/* One datagram; the kernel's messages want alignment. */
struct datagram {
	alignas(8) uint8_t	buf[NETQ_DATAGRAM];
};

static struct event_base	*base;
static struct msg_start		 start;
static struct link		*parent, *ruled;
static struct event		*queue_ev;	/* a packet waits */
static struct event		*again_ev;	/* read on without one */
static struct event		*table_ev, *table_timer;
static bool			 table_owed;
static struct window		 window;
static uint64_t			 number;	/* datagrams read */
static uint32_t			 first;		/* id read by this netq */
static bool			 have_first;
static bool			 empty_owed;	/* ruled waits to hear it */
static bool			 paused;	/* ruled has too much to read */
static bool			 unanswered;	/* ruled judges a turn */
static bool			 heard;		/* this ruled has spoken */

static void	hand_over(void);

static struct datagram		 datagrams[NETQ_BATCH];
static struct mmsghdr		 mmsgs[NETQ_BATCH];
static uint8_t			 out_buf[MSG_PAYLOAD_MAX];

/* True at most once a second for each caller's clock. */
static bool
may_warn(time_t *last)
{
	struct timespec	ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	if (*last != 0 && ts.tv_sec - *last < WARN_WAIT)
		return false;
	*last = ts.tv_sec;
	return true;
}

/*
 * The system call filter knows exactly this call: this descriptor, no flags,
 * no address, and a length no nftables batch fits in.  A verdict the kernel
 * refuses is answered by an error on the socket; a send that fails has said
 * nothing, and the packet would wait for ever: the next netq is told again.
 */
static void
say(const struct msg_verdict *v)
{
	uint8_t	buf[NFQ_VERDICT_MARK_LEN];
	size_t	len;
	ssize_t	n;

	len = nfq_verdict(&start, v, buf);
	do
		n = sendto(FD_NETQ_QUEUE, buf, len, 0, NULL, 0);
	while (n == -1 && errno == EINTR);
	if (n == -1)
		fatal("verdict");
}

static void
drop(uint32_t id)
{
	struct msg_verdict	v;

	memset(&v, 0, sizeof(v));
	v.id = id;
	v.verdict = ACTION_DROP;
	say(&v);
}

/*
 * May this verdict be passed on although the id is not open here?  Only in a
 * netq that took over from a dead one: ruled then repeats its last verdicts,
 * some of which got through, answers packets the dead one had handed out, and
 * drops those that it had read and handed to nobody.  To refuse does no harm
 * whatever the id is.  An allow must be for an id older than the first one
 * read here: it cannot anticipate a packet that ruled has yet to see.
 */
static bool
predecessor(const struct msg_verdict *v)
{
	if (!start.restarted)
		return false;
	if (v->verdict != ACTION_ALLOW || !have_first)
		return true;
	return (int32_t)(v->id - first) < 0;
}

static void
ruled_verdicts(struct link *l, struct imsg *imsg)
{
	struct msg_verdict	v;
	struct ibuf		b;

	unanswered = false;
	if (!heard) {
		heard = true;
		empty_owed = true;
		event_active(again_ev, EV_TIMEOUT, 0);
	}
	if (imsg->len > ONE_VERDICT && !paused)
		hand_over();
	ibuf_reader(&b, imsg->data, imsg->len);
	while (ibuf_left(&b) > 0) {
		if (msg_get_verdict(&b, &v) == -1) {
			link_offence(l, "malformed verdict");
			return;
		}
		if (window_remove(&window, v.id) == -1 && !predecessor(&v)) {
			link_offence(l, "verdict for packet %u, which is not "
			    "open", v.id);
			return;
		}
		say(&v);
	}
}

static void
ruled_message(struct link *l, struct imsg *imsg, void *arg)
{
	(void)arg;
	if (imsg->type == MSG_VERDICTS)
		ruled_verdicts(l, imsg);
}

/*
 * Without ruled nobody will judge what it was told of: those packets are
 * dropped, and programs send them again.  What is still in the kernel's
 * queue stays there until a new ruled reads it.
 */
static void
ruled_lost(void)
{
	uint32_t	id, n = 0;

	link_free(ruled);
	ruled = NULL;
	(void)event_del(queue_ev);
	(void)event_del(again_ev);
	while (window_pop(&window, &id)) {
		drop(id);
		n++;
	}
	log_debug("ruled is gone, %u packets dropped", n);
}

static void
ruled_gone(struct link *l, const char *reason, void *arg)
{
	(void)arg;
	ruled_lost();		/* l lives until this returns */
	if (reason != NULL)
		child_bad_ruled(parent, l, reason);
}

static void
ruled_new(int fd)
{
	if (ruled != NULL)
		ruled_lost();
	ruled = link_new(base, fd, ROLE_NETQ, ROLE_RULED, ruled_message,
	    ruled_gone, NULL);
	heard = false;
	empty_owed = false;
	unanswered = false;
	if (event_add(queue_ev, NULL) == -1)
		fatalx("queue event");
}

static void
parent_message(struct link *l, struct imsg *imsg, void *arg)
{
	int	fd;

	(void)arg;
	if (imsg->type == MSG_PEER &&
	    (fd = child_peer_ruled(l, imsg)) != -1)
		ruled_new(fd);
}

/* The kernel answers only verdicts it did not carry out. */
static void
queue_error(int error)
{
	static time_t	last;

	switch (error) {
	case 0:
	case ENOENT:	/* judged already, or thrown away by the kernel */
		return;
	case EPERM:
	case ENODEV:
		errno = error;
		fatal("the queue is no longer ours: verdict");
	}
	errno = error;
	if (may_warn(&last))
		log_warn("verdict");
}

static void
send_packets(struct ibuf *b, struct msg_packets_head *head, bool empty)
{
	struct ibuf	h;

	/* Known only now: the head is written over. */
	head->empty = empty;
	ibuf_writer(&h, out_buf, sizeof(out_buf));
	msg_put_packets_head(&h, head);
	link_send_ibuf(ruled, MSG_PACKETS, -1, b);
	ibuf_writer(b, out_buf, sizeof(out_buf));
	msg_put_packets_head(b, head);
}

static void
put_packet(struct ibuf *b, struct msg_packets_head *head,
    const struct msg_packet *p)
{
	struct ibuf	before = *b;

	msg_put_packet(b, p);
	if (!ibuf_error(b))
		return;
	*b = before;
	send_packets(b, head, false);
	msg_put_packet(b, p);
	if (ibuf_error(b))
		fatalx("packet %u: too large for a message", p->id);
}

/* Every datagram has a number, whatever it says: each fired one event. */
static void
take_datagram(struct ibuf *b, struct msg_packets_head *head,
    const struct mmsghdr *mm)
{
	static time_t		last;
	struct nfq_message	m;

	number++;
	if (mm->msg_hdr.msg_flags & MSG_TRUNC)
		fatalx("datagram longer than %d bytes", NETQ_DATAGRAM);
	nfq_parse(mm->msg_hdr.msg_iov->iov_base, mm->msg_len, &m);
	switch (m.kind) {
	case NFQ_ERROR:
		queue_error(m.error);
		return;
	case NFQ_FOREIGN:
		if (may_warn(&last))
			log_warnx("unknown message on the queue socket");
		return;
	case NFQ_PACKET:
	case NFQ_UNUSABLE:
		break;
	}
	if (!have_first) {
		have_first = true;
		first = m.packet.id;
	}
	if (m.kind == NFQ_PACKET &&
	    window_add(&window, m.packet.id) == 0) {
		m.packet.number = number;
		put_packet(b, head, &m.packet);
		return;
	}
	drop(m.packet.id);
	if (may_warn(&last))
		log_warnx("packet dropped: %s", m.kind == NFQ_PACKET ?
		    "too many are open" : "unusable message or hook");
}

/* ruled is behind: let packets wait in the kernel, whose queue is bounded. */
static bool
backlog(void)
{
	const struct timeval	tv = BACKLOG_WAIT;

	if (link_queued(ruled) < BACKLOG_MAX)
		return false;
	paused = true;
	(void)event_del(queue_ev);
	if (event_add(again_ev, &tv) == -1)
		fatalx("queue timer");
	return true;
}

static int
receive(void)
{
	int	i, n;

	for (i = 0; i < NETQ_BATCH; i++)
		mmsgs[i].msg_hdr.msg_flags = 0;
	n = recvmmsg(FD_NETQ_QUEUE, mmsgs, NETQ_BATCH, MSG_DONTWAIT, NULL);
	if (n != -1)
		return n;
	/* ENOBUFS cannot be (NETLINK_NO_ENOBUFS), and means a gap in ids. */
	if (errno != EAGAIN && errno != EINTR && errno != ENOBUFS)
		fatal("queue socket");
	return 0;
}

static void
hand_over(void)
{
	const struct timeval	 now = { 0, 0 };
	struct msg_packets_head	 head;
	struct timespec		 ts;
	struct ibuf		 b;
	int			 i, n;

	if (ruled == NULL || backlog())
		return;
	if (paused && event_add(queue_ev, NULL) == -1)
		fatalx("queue event");
	paused = false;
	n = receive();
	if (n == 0 && !empty_owed)
		return;
	memset(&head, 0, sizeof(head));
	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	head.time = (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
	ibuf_writer(&b, out_buf, sizeof(out_buf));
	msg_put_packets_head(&b, &head);
	for (i = 0; i < n; i++)
		take_datagram(&b, &head, &mmsgs[i]);
	/*
	 * A full turn may have been the last one: look again by a timer, after
	 * the other descriptors had theirs, so that ruled hears of the end.
	 */
	empty_owed = n == NETQ_BATCH;
	send_packets(&b, &head, !empty_owed);
	if (empty_owed && event_add(again_ev, &now) == -1)
		fatalx("queue timer");
	unanswered = true;
	loop_pace(head.time, (unsigned int)n);
}

static void
on_queue(evutil_socket_t fd, short what, void *arg)
{
	int	turns;

	(void)fd;
	(void)what;
	(void)arg;
	hand_over();
	for (turns = 0; turns < TURNS_MAX && unanswered && ruled != NULL;
	    turns++)
		if (link_wait(ruled) == -1)
			break;		/* it is busy with something else */
}

static void
tell_table(void)
{
	const struct timeval	tv = TABLE_WAIT;

	table_owed = false;
	link_send(parent, MSG_TABLE, -1, NULL, 0);
	if (event_add(table_timer, &tv) == -1)
		fatalx("table timer");
}

/*
 * Whatever happened to nftables, the parent looks for itself: what the
 * message says is not read.  ENOBUFS says that there were many.
 */
static void
on_table(evutil_socket_t fd, short what, void *arg)
{
	uint8_t	byte;
	int	i;

	(void)what;
	(void)arg;
	for (i = 0; i < NETQ_BATCH; i++)
		if (recv(fd, &byte, sizeof(byte), MSG_DONTWAIT) == -1)
			break;
	if (i == 0 && errno == EAGAIN)
		return;
	if (event_pending(table_timer, EV_TIMEOUT, NULL))
		table_owed = true;
	else
		tell_table();
}

static void
on_table_timer(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	if (table_owed)
		tell_table();
}

static void
open_events(void)
{
	static struct iovec	iov[NETQ_BATCH];
	int			i;

	for (i = 0; i < NETQ_BATCH; i++) {
		iov[i].iov_base = datagrams[i].buf;
		iov[i].iov_len = sizeof(datagrams[i].buf);
		mmsgs[i].msg_hdr.msg_iov = &iov[i];
		mmsgs[i].msg_hdr.msg_iovlen = 1;
	}
	queue_ev = event_new(base, FD_NETQ_QUEUE, EV_READ | EV_PERSIST,
	    on_queue, NULL);
	again_ev = evtimer_new(base, on_queue, NULL);
	table_timer = evtimer_new(base, on_table_timer, NULL);
	if (queue_ev == NULL || again_ev == NULL || table_timer == NULL)
		fatal(NULL);
	if (!(start.fds & 1U << FD_NETQ_TABLES))
		return;
	table_ev = event_new(base, FD_NETQ_TABLES, EV_READ | EV_PERSIST,
	    on_table, NULL);
	if (table_ev == NULL || event_add(table_ev, NULL) == -1)
		fatalx("table event");
}

int
main(void)
{
	sandbox_prepare(ROLE_NETQ);
	child_start(ROLE_NETQ, FD_NETQ_TABLES, &start);
	if (!(start.fds & 1U << FD_NETQ_QUEUE))
		fatalx("started without a queue socket");
	base = loop_init(ROLE_NETQ);
	parent = link_new(base, FD_PARENT, ROLE_NETQ, ROLE_PARENT,
	    parent_message, child_parent_gone, NULL);
	log_to_link(parent);
	open_events();
	if (start.fds & 1U << FD_NETQ_RULED)
		ruled_new(FD_NETQ_RULED);
	sandbox_netq((uid_t)start.uid, (gid_t)start.gid);
	child_ready(parent, sandbox_missing());
	loop_run(base);
	return 0;
}
