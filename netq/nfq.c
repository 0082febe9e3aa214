/*
 * SPDX-License-Identifier: ISC
 *
 * The queue's side of netlink: what the kernel says of a packet, and how a
 * verdict is said to it.  The bytes come from the kernel alone, yet each
 * length is checked: a packet's own bytes lie among them, in NFQA_PAYLOAD,
 * and are never looked into.
 */
#include <arpa/inet.h>
#include <libmnl/libmnl.h>
#include <libnetfilter_queue/libnetfilter_queue.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_queue.h>
#include <linux/netlink.h>
#include <stdalign.h>
#include <string.h>
#include <sys/socket.h>

#include "netq.h"

_Static_assert((int)HOOK_IN == (int)NF_INET_LOCAL_IN &&
    (int)HOOK_FORWARD == (int)NF_INET_FORWARD &&
    (int)HOOK_OUT == (int)NF_INET_LOCAL_OUT, "hooks are the kernel's own");

static int
attr_u32(const struct nlattr *a, uint32_t *v)
{
	uint32_t	net;

	if (mnl_attr_get_payload_len(a) != sizeof(net))
		return -1;
	memcpy(&net, mnl_attr_get_payload(a), sizeof(net));
	*v = ntohl(net);
	return 0;
}

static int
attr_header(const struct nlattr *a, struct nfq_message *m)
{
	struct nfqnl_msg_packet_hdr	h;

	if (mnl_attr_get_payload_len(a) < sizeof(h))
		return -1;
	memcpy(&h, mnl_attr_get_payload(a), sizeof(h));
	m->packet.id = ntohl(h.packet_id);
	m->packet.hook = h.hook;
	/* From here on there is an id to answer. */
	m->kind = NFQ_UNUSABLE;
	return 0;
}

static int
attr_payload(const struct nlattr *a, struct msg_packet *p)
{
	uint16_t	len = mnl_attr_get_payload_len(a);

	if (len > COPY_RANGE)
		return -1;
	p->data = mnl_attr_get_payload(a);
	p->len = len;
	if (p->full_len < len)
		p->full_len = len;
	return 0;
}

/* What is not named here (GID, time stamp, MAC, conntrack) is not used. */
static int
nfq_attr(const struct nlattr *a, struct nfq_message *m)
{
	struct msg_packet	*p = &m->packet;

	switch (mnl_attr_get_type(a)) {
	case NFQA_PACKET_HDR:
		return attr_header(a, m);
	case NFQA_MARK:
		return attr_u32(a, &p->mark);
	case NFQA_IFINDEX_INDEV:
		return attr_u32(a, &p->indev);
	case NFQA_IFINDEX_OUTDEV:
		return attr_u32(a, &p->outdev);
	case NFQA_UID:
		p->flags |= PACKET_HAS_UID;
		return attr_u32(a, &p->uid);
	case NFQA_CAP_LEN:	/* only there when the packet was cut */
		return attr_u32(a, &p->full_len);
	case NFQA_PAYLOAD:
		return attr_payload(a, p);
	}
	return 0;
}

static void
nfq_packet(const struct nlmsghdr *h, struct nfq_message *m)
{
	const struct nfgenmsg	*g = mnl_nlmsg_get_payload(h);
	const struct nlattr	*a;
	/* Not the library's idea of the end: that one is rounded up. */
	const char		*end = (const char *)h + h->nlmsg_len;
	bool			 bad = false;

	if (mnl_nlmsg_get_payload_len(h) < sizeof(*g))
		return;
	/* On after a bad one: its id must be found, to be answered. */
	for (a = mnl_nlmsg_get_payload_offset(h, sizeof(*g));
	    mnl_attr_ok(a, (int)(end - (const char *)a));
	    a = mnl_attr_next(a))
		if (nfq_attr(a, m) == -1)
			bad = true;
	if ((const char *)a < end)
		bad = true;	/* left-over bytes, or a length that lies */
	if (m->kind != NFQ_UNUSABLE || bad || m->packet.data == NULL)
		return;
	if (m->packet.hook != HOOK_IN && m->packet.hook != HOOK_OUT &&
	    m->packet.hook != HOOK_FORWARD)
		return;
	if (g->nfgen_family == AF_INET || g->nfgen_family == AF_INET6)
		m->packet.af = g->nfgen_family;
	m->kind = NFQ_PACKET;
}

static void
nfq_error(const struct nlmsghdr *h, struct nfq_message *m)
{
	const struct nlmsgerr	*e = mnl_nlmsg_get_payload(h);

	/* Checked by hand: the kernel may cap the message it quotes. */
	if (mnl_nlmsg_get_payload_len(h) < sizeof(*e))
		return;
	m->kind = NFQ_ERROR;
	m->error = -e->error;
}

/* buf is aligned as a struct nlmsghdr is. */
void
nfq_parse(const void *buf, size_t len, struct nfq_message *m)
{
	const struct nlmsghdr	*h = buf;

	memset(m, 0, sizeof(*m));
	m->kind = NFQ_FOREIGN;
	if (len > NETQ_DATAGRAM || !mnl_nlmsg_ok(h, (int)len))
		return;
	if (h->nlmsg_type == NLMSG_ERROR)
		nfq_error(h, m);
	else if (h->nlmsg_type ==
	    (NFNL_SUBSYS_QUEUE << 8 | NFQNL_MSG_PACKET))
		nfq_packet(h, m);
}

/*
 * NF_REPEAT sends the packet through our chain once more.  A refused one
 * carries the deny bit there and meets the rules that answer it with a reset
 * or an ICMP error; an allowed one carries the judged bit in the iptables
 * form, where NF_ACCEPT would skip everybody else's rules of that table: our
 * chain clears the bit and returns.  Other bits of the mark stay as they
 * were.  Returns whether a mark is to be set.
 */
static bool
nfq_say(const struct msg_start *start, const struct msg_verdict *v,
    int *verdict, uint32_t *mark)
{
	*mark = v->mark;
	switch ((enum action)v->verdict) {
	case ACTION_ALLOW:
		*verdict = start->form == FW_IPTABLES ? NF_REPEAT : NF_ACCEPT;
		*mark |= start->judged_mark;
		return start->form == FW_IPTABLES;
	case ACTION_DENY:
		*verdict = start->form == FW_MANUAL ? NF_ACCEPT : NF_REPEAT;
		*mark |= start->deny_mark;
		return true;
	case ACTION_DROP:
	case ACTION_MAX:
		break;
	}
	*verdict = NF_DROP;
	return false;
}

size_t
nfq_verdict(const struct msg_start *start, const struct msg_verdict *v,
    uint8_t buf[NFQ_VERDICT_MARK_LEN])
{
	alignas(struct nlmsghdr) char	 msg[NFQ_VERDICT_MARK_LEN];
	struct nlmsghdr			*h;
	uint32_t			 mark;
	int				 verdict;
	bool				 marked;

	h = nfq_nlmsg_put(msg, NFQNL_MSG_VERDICT, start->queue);
	marked = nfq_say(start, v, &verdict, &mark);
	nfq_nlmsg_verdict_put(h, (int)v->id, verdict);
	if (marked)
		nfq_nlmsg_verdict_put_mark(h, mark);
	memcpy(buf, msg, h->nlmsg_len);
	return h->nlmsg_len;
}
