/*
 * SPDX-License-Identifier: ISC
 *
 * The addresses and interfaces of this host, for ruled, from rtnetlink(7):
 * a complete table at start, after lost messages and for a new ruled, and
 * single changes in between.
 */
#include <sys/socket.h>

#include <errno.h>
#include <event2/event.h>
#include <libmnl/libmnl.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "imsg.h"
#include "log.h"
#include "procinfo.h"

#define TURN_READS	64	/* datagrams per loop turn */

struct host_if {
	uint32_t	index;
	char		name[IF_NAME_MAX];
};

struct host_addr {
	uint32_t	index;
	struct addr	addr;
};

/* A dump is wanted, under way for links, for addresses, or done. */
static enum { STALE, LINKS, ADDRS, FRESH } state;
static struct host_if	 ifs[HOST_IFS_MAX];
static size_t		 nifs;
static struct host_addr	 addrs[HOST_ADDRS_MAX];
static size_t		 naddrs;
static bool		 full;	/* said once that a table is */
static int		 route_fd = -1;
static uint32_t		 route_seq;
static struct event	*route_ev;

static void	 dump_start(uint16_t);

static void
send_one(enum host_what what, const struct addr *addr, uint32_t ifindex,
    const char *ifname)
{
	struct msg_host	 m;
	struct ibuf	 b;
	uint8_t		 buf[128];

	if (main_ruled() == NULL)
		return;
	memset(&m, 0, sizeof(m));
	m.what = what;
	m.ifindex = ifindex;
	if (addr != NULL)
		m.addr = *addr;
	if (ifname != NULL)
		memcpy(m.ifname, ifname, sizeof(m.ifname));
	ibuf_writer(&b, buf, sizeof(buf));
	msg_put_host(&b, &m);
	link_send_ibuf(main_ruled(), MSG_HOST, -1, &b);
}

void
host_send_all(void)
{
	size_t	 i;

	if (state != FRESH)
		return;		/* sent when it is */
	send_one(HOST_CLEAR, NULL, 0, NULL);
	for (i = 0; i < nifs; i++)
		send_one(HOST_IF, NULL, ifs[i].index, ifs[i].name);
	for (i = 0; i < naddrs; i++)
		send_one(HOST_ADDR, &addrs[i].addr, addrs[i].index, NULL);
	send_one(HOST_DONE, NULL, 0, NULL);
}

uint32_t
host_ifindex(size_t n)
{
	return n < nifs ? ifs[n].index : 0;
}

static void
table_full(void)
{
	if (!full)
		log_warnx("more interfaces or addresses than can be known "
		    "(%d, %d)", HOST_IFS_MAX, HOST_ADDRS_MAX);
	full = true;
}

static void
if_add(uint32_t index, const char name[IF_NAME_MAX])
{
	size_t	 i;

	for (i = 0; i < nifs; i++)
		if (ifs[i].index == index)
			break;
	if (i == HOST_IFS_MAX) {
		table_full();
		return;
	}
	/* Most news of a link are of its counters and flags. */
	if (i < nifs && memcmp(ifs[i].name, name, IF_NAME_MAX) == 0)
		return;
	if (i == nifs)
		nifs++;
	ifs[i].index = index;
	memcpy(ifs[i].name, name, IF_NAME_MAX);
	if (state == FRESH)
		send_one(HOST_IF, NULL, index, name);
}

static void
if_remove(uint32_t index)
{
	size_t	 i;

	for (i = 0; i < nifs; i++)
		if (ifs[i].index == index)
			break;
	if (i == nifs)
		return;
	if (state == FRESH)
		send_one(HOST_IF_GONE, NULL, index, ifs[i].name);
	ifs[i] = ifs[--nifs];
}

static void
addr_add(uint32_t index, const struct addr *a)
{
	size_t	 i;

	for (i = 0; i < naddrs; i++)
		if (addrs[i].index == index && addr_eq(&addrs[i].addr, a))
			return;
	if (naddrs == HOST_ADDRS_MAX) {
		table_full();
		return;
	}
	addrs[naddrs].index = index;
	addrs[naddrs++].addr = *a;
	if (state == FRESH)
		send_one(HOST_ADDR, a, index, NULL);
}

static void
addr_remove(uint32_t index, const struct addr *a)
{
	size_t	 i, at = HOST_ADDRS_MAX;
	bool	 again = false;

	for (i = 0; i < naddrs; i++) {
		if (!addr_eq(&addrs[i].addr, a))
			continue;
		if (addrs[i].index == index)
			at = i;
		else
			again = true;
	}
	if (at == HOST_ADDRS_MAX)
		return;
	addrs[at] = addrs[--naddrs];
	if (state != FRESH)
		return;
	/* Still ours on another interface: say so by saying all. */
	if (again)
		host_send_all();
	else
		send_one(HOST_ADDR_GONE, a, index, NULL);
}

/* IFLA_IFNAME, IFA_ADDRESS and IFA_LOCAL are all that is wanted. */
#define ATTRS	4

static int
keep_attr(const struct nlattr *attr, void *arg)
{
	const struct nlattr	**kept = arg;

	if (mnl_attr_get_type(attr) < ATTRS)
		kept[mnl_attr_get_type(attr)] = attr;
	return MNL_CB_OK;
}

static void
got_link(const struct nlmsghdr *h)
{
	const struct ifinfomsg	*ifi = mnl_nlmsg_get_payload(h);
	const struct nlattr	*kept[ATTRS] = { NULL }, *attr;
	char			 name[IF_NAME_MAX] = "";
	size_t			 n;

	/* AF_BRIDGE speaks of ports of a bridge, not of interfaces. */
	if (ifi->ifi_family != AF_UNSPEC || ifi->ifi_index <= 0)
		return;
	if (h->nlmsg_type == RTM_DELLINK) {
		if_remove((uint32_t)ifi->ifi_index);
		return;
	}
	(void)mnl_attr_parse(h, sizeof(*ifi), keep_attr, kept);
	attr = kept[IFLA_IFNAME];
	if (attr == NULL)
		return;
	n = strnlen(mnl_attr_get_payload(attr),
	    mnl_attr_get_payload_len(attr));
	if (n >= sizeof(name))
		return;
	memcpy(name, mnl_attr_get_payload(attr), n);
	if_add((uint32_t)ifi->ifi_index, name);
}

static void
got_addr(const struct nlmsghdr *h)
{
	const struct ifaddrmsg	*ifa = mnl_nlmsg_get_payload(h);
	const struct nlattr	*kept[ATTRS] = { NULL }, *addr;
	struct addr		 a;

	(void)mnl_attr_parse(h, sizeof(*ifa), keep_attr, kept);
	/* With a peer IFA_ADDRESS is the peer's. */
	addr = kept[IFA_LOCAL] != NULL ? kept[IFA_LOCAL] : kept[IFA_ADDRESS];
	memset(&a, 0, sizeof(a));
	a.af = ifa->ifa_family;
	if (addr == NULL || addr_size(a.af) == 0 ||
	    mnl_attr_get_payload_len(addr) != addr_size(a.af))
		return;
	memcpy(a.b, mnl_attr_get_payload(addr), addr_size(a.af));
	if (h->nlmsg_type == RTM_NEWADDR)
		addr_add(ifa->ifa_index, &a);
	else
		addr_remove(ifa->ifa_index, &a);
}

/* One part of a dump is complete; the next, or all is. */
static void
dump_end(const struct nlmsghdr *h)
{
	if (h->nlmsg_seq != route_seq || state == FRESH)
		return;
	if (h->nlmsg_type == NLMSG_ERROR) {
		log_warnx("rtnetlink dump refused");
		state = STALE;
	} else if (state == LINKS) {
		state = ADDRS;
		dump_start(RTM_GETADDR);
	} else if (state == ADDRS) {
		state = FRESH;
		host_send_all();
	}
}

static void
got_message(const struct nlmsghdr *h)
{
	/* The table changed while it was read: parts may be missing. */
	if ((h->nlmsg_flags & NLM_F_DUMP_INTR) != 0 &&
	    h->nlmsg_seq == route_seq)
		state = STALE;
	switch (h->nlmsg_type) {
	case RTM_NEWLINK:
	case RTM_DELLINK:
		if (mnl_nlmsg_get_payload_len(h) >= sizeof(struct ifinfomsg))
			got_link(h);
		break;
	case RTM_NEWADDR:
	case RTM_DELADDR:
		if (mnl_nlmsg_get_payload_len(h) >= sizeof(struct ifaddrmsg))
			got_addr(h);
		break;
	case NLMSG_DONE:
	case NLMSG_ERROR:
		dump_end(h);
		break;
	}
}

static void
dump_start(uint16_t type)
{
	struct sockaddr_nl	 kernel = { .nl_family = AF_NETLINK };
	char			 buf[256] = "";
	struct nlmsghdr		*h;
	struct rtgenmsg		*gen;

	h = mnl_nlmsg_put_header(buf);
	h->nlmsg_type = type;
	h->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	h->nlmsg_seq = ++route_seq;
	/* The kernel wants the longest header of all requests. */
	gen = mnl_nlmsg_put_extra_header(h, sizeof(struct ifinfomsg));
	gen->rtgen_family = AF_UNSPEC;
	if (sendto(route_fd, buf, h->nlmsg_len, 0,
	    (struct sockaddr *)&kernel, sizeof(kernel)) == -1)
		log_warn("rtnetlink dump");
}

static void
refresh(void)
{
	nifs = naddrs = 0;
	state = LINKS;
	dump_start(RTM_GETLINK);
}

/* 0, or -1 when there is nothing more. */
static int
read_one(void)
{
	static char		 buf[32768];
	struct sockaddr_nl	 from;
	socklen_t		 len = sizeof(from);
	const struct nlmsghdr	*h = (const void *)buf;
	ssize_t			 got;
	int			 n;

	memset(&from, 0, sizeof(from));
	got = recvfrom(route_fd, buf, sizeof(buf), MSG_DONTWAIT,
	    (struct sockaddr *)&from, &len);
	if (got == -1) {
		if (errno != ENOBUFS)
			return -1;
		state = STALE;
		return 0;
	}
	if (from.nl_pid != 0)
		return 0;
	for (n = (int)got; mnl_nlmsg_ok(h, n); h = mnl_nlmsg_next(h, &n))
		got_message(h);
	return 0;
}

static void
route_read(int fd, short what, void *arg)
{
	int	 i;

	(void)fd, (void)what, (void)arg;
	for (i = 0; i < TURN_READS; i++)
		if (read_one() == -1)
			break;
	if (state == STALE)
		refresh();
}

void
host_init(int fd)
{
	route_fd = fd;
	route_ev = event_new(main_base(), fd, EV_READ | EV_PERSIST,
	    route_read, NULL);
	if (route_ev == NULL || event_add(route_ev, NULL) == -1)
		fatal(NULL);
	refresh();
}
