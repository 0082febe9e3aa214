/*
 * SPDX-License-Identifier: ISC
 *
 * What the kernel's queue costs by itself: programs that accept everything.
 *
 *	floor QUEUE	one process
 *	floor QUEUE lock	two: each packet is handed over, the answer waited for
 *	floor QUEUE drain	two: what is there is handed over, answers come back
 *
 * The firewall is measured beside them, never against a figure from another
 * day.  They share nothing with it on purpose: a change of its code must not
 * move the yardstick.
 */
#include <sys/socket.h>

#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <libnetfilter_queue/libnetfilter_queue.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nfnetlink_queue.h>
#include <linux/netlink.h>
#include <poll.h>
#include <sched.h>
#include <stdalign.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BATCH		64
#define DATAGRAM	8192
#define COPY		4096
#define QUEUE_LENGTH	16384
#define RCVBUF		(16 << 20)
#define RECORD		160	/* bytes a packet handed over, as measured */

enum mode { SINGLE, LOCK, DRAIN };

struct answer {
	uint32_t	id;
	uint32_t	verdict;
	uint32_t	mark, pad;
};

static char		 buf[BATCH][DATAGRAM] __attribute__((aligned(8)));
static struct iovec	 iov[BATCH];
static struct mmsghdr	 mm[BATCH];
static uint16_t		 queue;

static int
queue_open(void)
{
	alignas(8) char		 b[256];
	struct sockaddr_nl	 sa = { .nl_family = AF_NETLINK };
	struct nlmsghdr		*h;
	int			 fd, size = RCVBUF, one = 1;

	fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);
	if (fd == -1 || bind(fd, (struct sockaddr *)&sa, sizeof(sa)) == -1)
		err(1, "netlink");
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	(void)setsockopt(fd, SOL_NETLINK, NETLINK_NO_ENOBUFS, &one,
	    sizeof(one));
	h = nfq_nlmsg_put(b, NFQNL_MSG_CONFIG, queue);
	nfq_nlmsg_cfg_put_cmd(h, AF_UNSPEC, NFQNL_CFG_CMD_BIND);
	if (send(fd, h, h->nlmsg_len, 0) == -1)
		err(1, "bind");
	h = nfq_nlmsg_put(b, NFQNL_MSG_CONFIG, queue);
	nfq_nlmsg_cfg_put_params(h, NFQNL_COPY_PACKET, COPY);
	nfq_nlmsg_cfg_put_qmaxlen(h, QUEUE_LENGTH);
	mnl_attr_put_u32(h, NFQA_CFG_FLAGS, htonl(NFQA_CFG_F_UID_GID));
	mnl_attr_put_u32(h, NFQA_CFG_MASK, htonl(NFQA_CFG_F_UID_GID));
	if (send(fd, h, h->nlmsg_len, 0) == -1)
		err(1, "params");
	return fd;
}

static uint32_t
packet_id(const struct nlmsghdr *h)
{
	struct nlattr	*a;
	uint32_t	 id = 0;

	if (h->nlmsg_type != (NFNL_SUBSYS_QUEUE << 8 | NFQNL_MSG_PACKET))
		return 0;
	for (a = mnl_nlmsg_get_payload_offset(h, 4);
	    mnl_attr_ok(a, (int)((const char *)mnl_nlmsg_get_payload_tail(h) -
	    (const char *)a)); a = mnl_attr_next(a))
		if (mnl_attr_get_type(a) == NFQA_PACKET_HDR)
			memcpy(&id, mnl_attr_get_payload(a), sizeof(id));
	return ntohl(id);
}

static void
accept_packet(int fd, uint32_t id)
{
	alignas(8) char	 b[64];
	struct nlmsghdr	*h;

	h = nfq_nlmsg_put(b, NFQNL_MSG_VERDICT, queue);
	nfq_nlmsg_verdict_put(h, (int)id, NF_ACCEPT);
	if (send(fd, h, h->nlmsg_len, 0) == -1)
		err(1, "verdict");
}

static int
drain(int fd, int flags, uint32_t ids[BATCH])
{
	int	i, n, ids_n = 0;

	for (i = 0; i < BATCH; i++) {
		iov[i].iov_base = buf[i];
		iov[i].iov_len = DATAGRAM;
		mm[i].msg_hdr.msg_iov = &iov[i];
		mm[i].msg_hdr.msg_iovlen = 1;
	}
	n = recvmmsg(fd, mm, BATCH, flags, NULL);
	for (i = 0; i < n; i++)
		if ((ids[ids_n] = packet_id((void *)buf[i])) != 0)
			ids_n++;
	return ids_n;
}

static void
run_single(int fd)
{
	uint32_t	ids[BATCH];
	int		i, n;

	for (;;) {
		n = drain(fd, MSG_WAITFORONE, ids);
		for (i = 0; i < n; i++)
			accept_packet(fd, ids[i]);
	}
}

/* The second process: an answer for each record. */
static void
answer_all(int link)
{
	char		records[BATCH * RECORD];
	struct answer	out[BATCH];
	size_t		have = 0, i, n;
	ssize_t		got;

	for (;;) {
		got = read(link, records + have, sizeof(records) - have);
		if (got <= 0)
			_exit(0);
		have += (size_t)got;
		n = have / RECORD;
		memset(out, 0, sizeof(out));
		for (i = 0; i < n; i++)
			memcpy(&out[i].id, records + i * RECORD, 4);
		memmove(records, records + n * RECORD, have - n * RECORD);
		have -= n * RECORD;
		if (n > 0 && write(link, out, n * sizeof(out[0])) == -1)
			_exit(0);
	}
}

static void
take_answers(int fd, int link)
{
	struct answer	in[BATCH];
	ssize_t		got;
	size_t		i;

	if ((got = read(link, in, sizeof(in))) <= 0)
		errx(1, "the other half is gone");
	for (i = 0; i < (size_t)got / sizeof(in[0]); i++)
		accept_packet(fd, in[i].id);
}

static void
run_pair(int fd, int link, enum mode mode)
{
	static char	records[BATCH * RECORD];
	uint32_t	ids[BATCH];
	struct pollfd	pfd[2] = { { fd, POLLIN, 0 }, { link, POLLIN, 0 } };
	int		i, n;

	for (;;) {
		if (mode == DRAIN && poll(pfd, 2, -1) == -1)
			err(1, "poll");
		if (mode == DRAIN && (pfd[1].revents & POLLIN))
			take_answers(fd, link);
		if (mode == DRAIN && !(pfd[0].revents & POLLIN))
			continue;
		n = drain(fd, MSG_WAITFORONE, ids);
		for (i = 0; i < n; i++) {
			memcpy(records + i * RECORD, &ids[i], 4);
			if (mode != LOCK)
				continue;
			if (write(link, records + i * RECORD, RECORD) == -1)
				err(1, "write");
			take_answers(fd, link);
		}
		if (mode == DRAIN && n > 0 && write(link, records,
		    (size_t)n * RECORD) == -1)
			err(1, "write");
	}
}

int
main(int argc, char *argv[])
{
	enum mode	 mode = SINGLE;
	const char	*bad;
	int		 fd, pair[2];

	if (argc < 2)
		errx(1, "usage: floor queue [lock|drain]");
	queue = (uint16_t)strtonum(argv[1], 0, UINT16_MAX, &bad);
	if (bad != NULL)
		errx(1, "%s: %s", argv[1], bad);
	if (argc > 2)
		mode = strcmp(argv[2], "lock") == 0 ? LOCK : DRAIN;
	fd = queue_open();
	printf("ready\n");
	(void)fflush(stdout);
	if (mode == SINGLE)
		run_single(fd);
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == -1)
		err(1, "socketpair");
	switch (fork()) {
	case -1:
		err(1, "fork");
	case 0:
		(void)close(pair[0]);
		(void)close(fd);
		answer_all(pair[1]);
	}
	(void)close(pair[1]);
	run_pair(fd, pair[0], mode);
}
