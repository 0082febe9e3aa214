/*
 * SPDX-License-Identifier: ISC
 *
 * The least that can stand at a queue, for tests of the kernel rules alone:
 *
 *	judge QUEUE nft|iptables|manual allow|deny|drop
 *
 * gives every packet the same verdict and prints a line for it: in, out or
 * forward, its IP version, protocol, and mark.  "judging" comes first.
 */
#include <sys/socket.h>

#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <libnetfilter_queue/libnetfilter_queue.h>
#include <linux/netfilter/nfnetlink_queue.h>
#include <linux/netlink.h>
#include <stdalign.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../netq/netq.h"

static struct msg_start	start;
static enum action	verdict;

static int
word(const char *w, const char *const *list)
{
	int	i;

	for (i = 0; list[i] != NULL; i++)
		if (strcmp(w, list[i]) == 0)
			return i;
	errx(1, "%s?", w);
}

static void
say_config(int fd, struct nlmsghdr *h)
{
	alignas(8) char		 buf[512];
	const struct nlmsgerr	*e;
	ssize_t			 n;

	h->nlmsg_flags |= NLM_F_ACK;
	if (send(fd, h, h->nlmsg_len, 0) == -1)
		err(1, "send");
	if ((n = recv(fd, buf, sizeof(buf), 0)) < (ssize_t)sizeof(*e))
		err(1, "recv");
	e = mnl_nlmsg_get_payload((struct nlmsghdr *)(void *)buf);
	if (e->error != 0) {
		errno = -e->error;
		err(1, "queue %u", start.queue);
	}
}

static int
open_queue(void)
{
	alignas(8) char		 buf[512];
	struct sockaddr_nl	 a;
	struct nlmsghdr		*h;
	int			 fd;

	if ((fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER)) == -1)
		err(1, "socket");
	memset(&a, 0, sizeof(a));
	a.nl_family = AF_NETLINK;
	if (bind(fd, (struct sockaddr *)&a, sizeof(a)) == -1)
		err(1, "bind");
	h = nfq_nlmsg_put(buf, NFQNL_MSG_CONFIG, start.queue);
	nfq_nlmsg_cfg_put_cmd(h, AF_UNSPEC, NFQNL_CFG_CMD_BIND);
	say_config(fd, h);
	h = nfq_nlmsg_put(buf, NFQNL_MSG_CONFIG, start.queue);
	nfq_nlmsg_cfg_put_params(h, NFQNL_COPY_PACKET, COPY_RANGE);
	mnl_attr_put_u32(h, NFQA_CFG_FLAGS,
	    htonl(NFQA_CFG_F_GSO | NFQA_CFG_F_UID_GID));
	mnl_attr_put_u32(h, NFQA_CFG_MASK,
	    htonl(NFQA_CFG_F_GSO | NFQA_CFG_F_UID_GID));
	say_config(fd, h);
	return fd;
}

static void
print_packet(const struct msg_packet *p)
{
	static const char *const hooks[] = { "", "in", "forward", "out" };
	unsigned int		 proto = 0;

	if (p->af == AF_INET && p->len > 9)
		proto = p->data[9];
	else if (p->af == AF_INET6 && p->len > 6)
		proto = p->data[6];
	printf("%s %d %u 0x%x\n", hooks[p->hook], p->af == AF_INET ? 4 : 6,
	    proto, p->mark);
}

static void
judge(int fd)
{
	static struct {
		alignas(8) uint8_t buf[NETQ_DATAGRAM];
	}			 in;
	uint8_t			 out[NFQ_VERDICT_MARK_LEN];
	struct nfq_message	 m;
	struct msg_verdict	 v;
	ssize_t			 n;
	size_t			 len;

	if ((n = recv(fd, in.buf, sizeof(in.buf), 0)) == -1) {
		if (errno == ENOBUFS || errno == EINTR)
			return;
		err(1, "recv");
	}
	nfq_parse(in.buf, (size_t)n, &m);
	if (m.kind == NFQ_ERROR && m.error != ENOENT)
		errx(1, "verdict: %s", strerror(m.error));
	if (m.kind != NFQ_PACKET)
		return;
	print_packet(&m.packet);
	v.id = m.packet.id;
	v.verdict = (uint8_t)verdict;
	v.mark = m.packet.mark;
	len = nfq_verdict(&start, &v, out);
	if (sendto(fd, out, len, 0, NULL, 0) == -1)
		err(1, "verdict");
}

int
main(int argc, char *argv[])
{
	static const char *const forms[] = { "nft", "iptables", "manual",
				    NULL };
	static const char *const actions[] = { "allow", "deny", "drop", NULL };
	int			 fd;

	if (argc != 4)
		errx(1, "usage: judge queue nft|iptables|manual "
		    "allow|deny|drop");
	start.queue = (uint16_t)strtonum(argv[1], 0, UINT16_MAX, NULL);
	start.form = (uint8_t)word(argv[2], forms);
	start.deny_mark = 0x10000000;
	start.judged_mark = 0x02000000;
	verdict = (enum action)word(argv[3], actions);
	if (setvbuf(stdout, NULL, _IOLBF, 0) != 0)
		err(1, "setvbuf");
	fd = open_queue();
	printf("judging\n");
	for (;;)
		judge(fd);
}
