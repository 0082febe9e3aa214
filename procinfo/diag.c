/*
 * SPDX-License-Identifier: ISC
 *
 * The local socket of a packet, from the kernel: sock_diag(7).  Exact
 * queries where the kernel's own look-up is exact; where it chooses among
 * several sockets that could have sent the packet (UDP ports may be shared),
 * all of them are listed, for the caller to see whether they agree.
 */
#include <sys/socket.h>

#include <arpa/inet.h>
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <libmnl/libmnl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>

#include "log.h"
#include "procinfo.h"

#define DUMP_READS	256	/* buffers of one dump: 8 MB */
#define STALE_MAX	64	/* left-over replies skipped before ours */

/* A tuple seen from this host: which end is ours. */
struct ends {
	uint8_t			 proto;
	const struct addr	*local;
	const struct addr	*remote;
	uint16_t		 lport;
	uint16_t		 rport;
};

typedef void (dump_cb)(const struct inet_diag_msg *, void *);

static int	 diag_fd = -1;
static uint32_t	 diag_seq;
static char	 diag_buf[32768];
static bool	 has_sctp;	/* somebody here uses it */
/* Protocols this kernel answers for. */
static struct {
	uint8_t		 proto;
	const char	*name;
	bool		 known;
} protos[] = {
	{ IPPROTO_TCP, "TCP", false },
	{ IPPROTO_UDP, "UDP", false },
	{ IPPROTO_UDPLITE, "UDP-Lite", false },
	{ IPPROTO_RAW, "raw", false },
};
#define NPROTOS	(sizeof(protos) / sizeof(protos[0]))

static bool
is_known(uint8_t proto)
{
	size_t	 i;

	for (i = 0; i < NPROTOS; i++)
		if (protos[i].proto == proto)
			return protos[i].known;
	return false;
}

static void
put_addr(__be32 to[4], const struct addr *a)
{
	memset(to, 0, 16);
	memcpy(to, a->b, addr_size(a->af));
}

static int
send_request(const void *req, size_t len, uint16_t flags)
{
	struct sockaddr_nl	 kernel = { .nl_family = AF_NETLINK };
	char			 buf[MNL_NLMSG_HDRLEN +
				     sizeof(struct inet_diag_req_v2)]
				     __attribute__((aligned(8)));
	struct nlmsghdr		*h = mnl_nlmsg_put_header(buf);

	if (len > sizeof(struct inet_diag_req_v2))
		return -1;
	h->nlmsg_type = SOCK_DIAG_BY_FAMILY;
	h->nlmsg_flags = NLM_F_REQUEST | flags;
	h->nlmsg_seq = ++diag_seq;
	memcpy(mnl_nlmsg_put_extra_header(h, len), req, len);
	if (sendto(diag_fd, h, h->nlmsg_len, 0, (struct sockaddr *)&kernel,
	    sizeof(kernel)) == -1)
		return -1;
	return 0;
}

/* The next datagram; the kernel has answered before sendto() returned. */
static int
receive(void)
{
	struct sockaddr_nl	 from;
	socklen_t		 len = sizeof(from);
	ssize_t			 n;

	memset(&from, 0, sizeof(from));
	n = recvfrom(diag_fd, diag_buf, sizeof(diag_buf), MSG_DONTWAIT,
	    (struct sockaddr *)&from, &len);
	if (n == -1 || from.nl_pid != 0)
		return -1;
	return (int)n;
}

/* One query, at most one socket.  0 and the socket, or -1 with errno. */
static int
query(struct inet_diag_req_v2 *req, struct inet_diag_msg *sock)
{
	const struct nlmsghdr	*h = (const void *)diag_buf;
	int			 i, n;

	if (send_request(req, sizeof(*req), 0) == -1)
		return -1;
	for (i = 0; i < STALE_MAX; i++) {
		n = receive();
		if (n == -1 || !mnl_nlmsg_ok(h, n))
			return -1;
		if (h->nlmsg_seq == diag_seq)
			break;
	}
	if (i == STALE_MAX)
		return -1;
	if (h->nlmsg_type != SOCK_DIAG_BY_FAMILY ||
	    mnl_nlmsg_get_payload_len(h) < sizeof(*sock)) {
		errno = ENOENT;
		if (h->nlmsg_type == NLMSG_ERROR &&
		    mnl_nlmsg_get_payload_len(h) >= sizeof(struct nlmsgerr))
			errno = -((const struct nlmsgerr *)
			    mnl_nlmsg_get_payload(h))->error;
		return -1;
	}
	memcpy(sock, mnl_nlmsg_get_payload(h), sizeof(*sock));
	return 0;
}

/* A dump that failed ends like others, with an error number inside. */
static int
done_error(const struct nlmsghdr *h)
{
	int	 error = 0;

	if (mnl_nlmsg_get_payload_len(h) >= sizeof(error))
		memcpy(&error, mnl_nlmsg_get_payload(h), sizeof(error));
	return error;
}

/* Walks one datagram of a dump; 1: it was the last, 0: more, -1: error. */
static int
dump_part(int n, size_t min, diag_cb *cb, void *arg)
{
	const struct nlmsghdr	*h = (const void *)diag_buf;

	for (; mnl_nlmsg_ok(h, n); h = mnl_nlmsg_next(h, &n)) {
		if (h->nlmsg_seq != diag_seq)
			continue;
		if (h->nlmsg_type == NLMSG_DONE)
			return done_error(h) == 0 ? 1 : -1;
		if (h->nlmsg_type == NLMSG_ERROR)
			return -1;
		if (h->nlmsg_type == SOCK_DIAG_BY_FAMILY &&
		    mnl_nlmsg_get_payload_len(h) >= min)
			cb(h, arg);
	}
	return 0;
}

int
diag_dump(const void *req, size_t len, size_t min, diag_cb *cb, void *arg)
{
	int	 i, n, done;

	if (send_request(req, len, NLM_F_DUMP) == -1)
		return -1;
	for (i = 0; i < DUMP_READS; i++) {
		n = receive();
		if (n == -1)
			return -1;
		done = dump_part(n, min, cb, arg);
		if (done != 0)
			return done == 1 ? 0 : -1;
	}
	return -1;
}

struct inet_walk {
	dump_cb	*cb;
	void	*arg;
};

static void
inet_socket(const struct nlmsghdr *h, void *arg)
{
	struct inet_walk	*w = arg;

	w->cb(mnl_nlmsg_get_payload(h), w->arg);
}

/* All sockets of a protocol and family on a port (0: on any). */
static int
dump(uint8_t proto, uint8_t family, uint32_t states, uint16_t port,
    dump_cb *cb, void *arg)
{
	struct inet_diag_req_v2	 req;
	struct inet_walk	 w = { cb, arg };

	memset(&req, 0, sizeof(req));
	req.sdiag_family = family;
	req.sdiag_protocol = proto;
	req.idiag_states = states;
	req.id.idiag_sport = htons(port);
	return diag_dump(&req, sizeof(req), sizeof(struct inet_diag_msg),
	    inet_socket, &w);
}

/*
 * The kernel's own look-up.  For UDP it takes source and destination the
 * other way round: it looks for the receiver of a packet from "src".
 */
static int
query_ends(const struct ends *e, uint32_t ifindex, struct inet_diag_msg *sock)
{
	struct inet_diag_req_v2	 req;
	bool			 swap;

	swap = e->proto == IPPROTO_UDP || e->proto == IPPROTO_UDPLITE;
	memset(&req, 0, sizeof(req));
	req.sdiag_family = e->local->af;
	req.sdiag_protocol = e->proto;
	req.idiag_states = ~0u;
	put_addr(swap ? req.id.idiag_dst : req.id.idiag_src, e->local);
	put_addr(swap ? req.id.idiag_src : req.id.idiag_dst, e->remote);
	req.id.idiag_sport = htons(swap ? e->rport : e->lport);
	req.id.idiag_dport = htons(swap ? e->lport : e->rport);
	req.id.idiag_if = ifindex;
	req.id.idiag_cookie[0] = INET_DIAG_NOCOOKIE;
	req.id.idiag_cookie[1] = INET_DIAG_NOCOOKIE;
	if (query(&req, sock) == -1)
		return -1;
	if (sock->id.idiag_sport != htons(e->lport)) {
		errno = ENOENT;
		return -1;
	}
	return 0;
}

/*
 * Sockets bound to an interface, as all with link-local addresses are, are
 * found only by those who name it.
 */
static int
query_any_if(const struct ends *e, struct inet_diag_msg *sock)
{
	uint32_t	 ifindex;
	size_t		 i;

	if (query_ends(e, 0, sock) == 0)
		return 0;
	if (errno != ENOENT)
		return -1;
	for (i = 0; i < TRY_IFS_MAX; i++) {
		ifindex = host_ifindex(i);
		if (ifindex == 0)
			break;
		if (query_ends(e, ifindex, sock) == 0)
			return 0;
	}
	errno = ENOENT;
	return -1;
}

static uint8_t
connected_state(uint8_t state)
{
	switch (state) {
	case TCP_SYN_SENT:
		return SOCK_CONNECTING;
	/* Half closed is established still: data may flow one way. */
	case TCP_ESTABLISHED:
	case TCP_FIN_WAIT1:
	case TCP_FIN_WAIT2:
	case TCP_CLOSE_WAIT:
	case TCP_LAST_ACK:
	case TCP_CLOSING:
		return SOCK_ESTABLISHED;
	case TCP_LISTEN:
		return SOCK_LISTENING;
	default:
		return SOCK_OTHER;
	}
}

static void
add_socket(struct diag_socket *ds, uint32_t inode, uint32_t uid)
{
	size_t	 i;

	if (inode == 0)
		return;
	for (i = 0; i < ds->ninodes; i++)
		if (ds->inode[i] == inode)
			return;
	if (ds->ninodes == DIAG_SAME_MAX) {
		ds->more = true;
		return;
	}
	ds->inode[ds->ninodes++] = inode;
	ds->uid = uid;
}

/* The listener that a connection to this end comes or came to. */
static int
query_listener(const struct ends *e, struct inet_diag_msg *sock)
{
	static const struct addr	 any4 = { .af = AF_INET };
	static const struct addr	 any6 = { .af = AF_INET6 };
	struct ends			 listener = *e;

	listener.remote = e->local->af == AF_INET ? &any4 : &any6;
	listener.rport = 0;
	if (query_any_if(&listener, sock) == -1 ||
	    sock->idiag_state != TCP_LISTEN)
		return -1;
	return 0;
}

/*
 * TCP and what behaves like it: one socket for one tuple.  Inbound it is the
 * listener that counts: the connection's own socket is nobody's before it is
 * accepted and after it is closed, and a new one to be found each time.
 */
static void
find_stream(const struct ends *e, bool inbound, struct diag_socket *ds)
{
	struct inet_diag_msg	 sock, listener;
	bool			 found;

	if ((found = query_any_if(e, &sock) == 0)) {
		ds->state = connected_state(sock.idiag_state);
		if (ds->state == SOCK_LISTENING && !inbound)
			ds->state = SOCK_NONE;	/* listeners connect nowhere */
	}
	if (inbound && query_listener(e, &listener) == 0) {
		/* In TIME_WAIT or half open it takes what comes next. */
		if (ds->state == SOCK_NONE || ds->state == SOCK_OTHER)
			ds->state = SOCK_LISTENING;
		sock = listener;
		found = true;
	}
	if (found && ds->state != SOCK_NONE)
		add_socket(ds, sock.idiag_inode, sock.idiag_uid);
}

struct match {
	const struct ends	*e;
	bool			 has_uid;
	uint32_t		 uid;
	struct diag_socket	*ds;
};

static bool
is_zero(const void *p, size_t len)
{
	static const uint8_t	 zero[16];

	return memcmp(p, zero, len) == 0;
}

/* Does the socket's address take this one?  Wildcards and ::ffff: do. */
static bool
addr_fits(uint8_t family, const __be32 have[4], const struct addr *want)
{
	static const uint8_t	 mapped[12] = { [10] = 0xff, [11] = 0xff };
	const uint8_t		*b = (const uint8_t *)have;

	if (family == AF_INET)
		return want->af == AF_INET &&
		    (is_zero(b, 4) || memcmp(b, want->b, 4) == 0);
	if (is_zero(b, 16))
		return true;
	if (want->af == AF_INET)
		return memcmp(b, mapped, sizeof(mapped)) == 0 &&
		    (is_zero(b + 12, 4) || memcmp(b + 12, want->b, 4) == 0);
	return memcmp(b, want->b, 16) == 0;
}

static void
match_datagram(const struct inet_diag_msg *sock, void *arg)
{
	struct match	*m = arg;

	if (sock->id.idiag_sport != htons(m->e->lport) ||
	    (sock->id.idiag_dport != 0 &&
	    sock->id.idiag_dport != htons(m->e->rport)) ||
	    !addr_fits(sock->idiag_family, sock->id.idiag_src, m->e->local) ||
	    !addr_fits(sock->idiag_family, sock->id.idiag_dst,
	    m->e->remote) || (m->has_uid && sock->idiag_uid != m->uid))
		return;
	if (sock->idiag_state == TCP_ESTABLISHED)
		m->ds->state = SOCK_ESTABLISHED;
	else if (m->ds->state == SOCK_NONE)
		m->ds->state = SOCK_OTHER;
	add_socket(m->ds, sock->idiag_inode, sock->idiag_uid);
}

/* Every socket that could have sent, or would receive, this datagram. */
static void
list_datagram(struct match *m)
{
	uint8_t	 proto = m->e->proto;

	if (m->e->local->af == AF_INET)
		(void)dump(proto, AF_INET, ~0u, m->e->lport, match_datagram,
		    m);
	/* A socket of the newer family may speak the older. */
	(void)dump(proto, AF_INET6, ~0u, m->e->lport, match_datagram, m);
}

static void
find_datagram(struct match *m, bool inbound)
{
	struct inet_diag_msg	 sock;
	struct diag_socket	*ds = m->ds;

	if (!inbound) {
		list_datagram(m);
		return;
	}
	m->has_uid = false;
	if (query_any_if(m->e, &sock) == 0) {
		ds->state = sock.idiag_state == TCP_ESTABLISHED ?
		    SOCK_ESTABLISHED : SOCK_LISTENING;
		add_socket(ds, sock.idiag_inode, sock.idiag_uid);
	}
	/* One datagram to a group goes to everybody on the port. */
	if (ds->ninodes == 0 || addr_is_multicast(m->e->local))
		list_datagram(m);
	if (ds->state == SOCK_OTHER)
		ds->state = SOCK_LISTENING;
}

static void
match_raw(const struct inet_diag_msg *sock, void *arg)
{
	struct match	*m = arg;
	uint16_t	 proto = ntohs(sock->id.idiag_sport);

	/* IPPROTO_RAW sends any protocol. */
	if ((proto != m->e->proto && proto != IPPROTO_RAW) ||
	    (m->has_uid && sock->idiag_uid != m->uid))
		return;
	m->ds->state = SOCK_OTHER;
	add_socket(m->ds, sock->idiag_inode, sock->idiag_uid);
}

/*
 * Raw sockets are known by protocol only.  Of ICMP (ping sockets are not
 * listed anywhere) and of tunnels (the kernel wraps other sockets' packets
 * and leaves their uid on them) they would be a guess.
 */
static int
find_raw(struct match *m, bool inbound)
{
	struct diag_socket	*ds = m->ds;

	switch (m->e->proto) {
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
	case IPPROTO_IPIP:
	case IPPROTO_IPV6:
	case IPPROTO_GRE:
	case IPPROTO_ESP:
	case IPPROTO_AH:
		return -1;
	}
	if (!is_known(IPPROTO_RAW))
		return -1;
	if (inbound)
		m->has_uid = false;
	if (dump(IPPROTO_RAW, m->e->local->af, ~0u, 0, match_raw, m) == -1)
		return -1;
	if (inbound && ds->state == SOCK_OTHER)
		ds->state = SOCK_LISTENING;
	return 0;
}

static void
match_listener(const struct inet_diag_msg *sock, void *arg)
{
	struct match	*m = arg;

	if (sock->idiag_state != TCP_LISTEN ||
	    sock->id.idiag_sport != htons(m->e->lport))
		return;
	m->ds->state = SOCK_LISTENING;
	add_socket(m->ds, sock->idiag_inode, sock->idiag_uid);
}

/*
 * Associations are found by tuple, listeners (endpoints) only by listing.
 * The kernel loads the protocol when it is asked about, and no stranger's
 * packet shall make it do so: one that a program here sent comes first.
 */
static int
find_sctp(struct match *m, bool inbound)
{
	struct inet_diag_msg	 sock;

	if (!inbound && m->has_uid)
		has_sctp = true;
	if (!has_sctp)
		return -1;
	if (query_any_if(m->e, &sock) == 0) {
		m->ds->state = connected_state(sock.idiag_state);
		add_socket(m->ds, sock.idiag_inode, sock.idiag_uid);
		return 0;
	}
	if (!inbound)
		return 0;
	(void)dump(IPPROTO_SCTP, AF_INET, 1u << TCP_LISTEN, m->e->lport,
	    match_listener, m);
	(void)dump(IPPROTO_SCTP, AF_INET6, 1u << TCP_LISTEN, m->e->lport,
	    match_listener, m);
	return 0;
}

static void
ignore_socket(const struct inet_diag_msg *sock, void *arg)
{
	(void)sock, (void)arg;
}

/*
 * "No such socket" and "no such protocol" are the same error of a query, but
 * not of a dump.  Asked for no state at all it is short, and has the
 * kernel load what it needs for the answer now.
 */
void
diag_init(int fd)
{
	size_t	 i;

	diag_fd = fd;
	for (i = 0; i < NPROTOS; i++) {
		protos[i].known = dump(protos[i].proto, AF_INET, 0, 0,
		    ignore_socket, NULL) == 0;
		if (!protos[i].known)
			log_debug("this kernel cannot be asked about %s "
			    "sockets (sock_diag)", protos[i].name);
	}
}

int
diag_find(const struct tuple *t, bool inbound, bool has_uid, uint32_t uid,
    struct diag_socket *ds)
{
	struct ends	 e;
	struct match	 m = { &e, has_uid, uid, ds };

	memset(ds, 0, sizeof(*ds));
	e.proto = t->proto;
	e.local = inbound ? &t->dst : &t->src;
	e.remote = inbound ? &t->src : &t->dst;
	e.lport = inbound ? t->dport : t->sport;
	e.rport = inbound ? t->sport : t->dport;
	if (addr_size(e.local->af) == 0 || e.local->af != e.remote->af)
		return -1;
	switch (e.proto) {
	case IPPROTO_TCP:
		if (!is_known(e.proto))
			return -1;
		find_stream(&e, inbound, ds);
		return 0;
	case IPPROTO_UDP:
	case IPPROTO_UDPLITE:
		if (!is_known(e.proto))
			return -1;
		find_datagram(&m, inbound);
		return 0;
	case IPPROTO_SCTP:
		return find_sctp(&m, inbound);
	default:
		return find_raw(&m, inbound);
	}
}
