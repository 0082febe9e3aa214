/*
 * SPDX-License-Identifier: ISC
 *
 * Every descriptor that needs root to be opened, before the first child
 * starts.  The parent keeps them all: a queue socket closed for a moment is
 * a queue of dropped packets, and after the start the right is gone.
 */
#include <sys/types.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <libmnl/libmnl.h>
#include <linux/audit.h>
#include <linux/cn_proc.h>
#include <linux/connector.h>
#include <linux/filter.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_queue.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
/* After the kernel's nfnetlink.h, of which it has an old copy. */
#include <libnetfilter_queue/libnetfilter_queue.h>
#include <sched.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "events.h"
#include "parent.h"
#include "sandbox.h"

#define QUEUE_LENGTH	16384
#define QUEUE_RCVBUF	(16 << 20)
#define ROUTE_RCVBUF	(1 << 20)
#define CONNECTOR_RCVBUF (4 << 20)
#define COUNTERS	"/proc/net/netfilter/nfnetlink_queue"
#define ANCESTORS_MAX	32
#define QUEUE_TRIES	60	/* of 50 ms: longer than an end takes */

static bool	control_bound;

static int
close_failed(int fd)
{
	int	saved = errno;

	(void)close(fd);
	errno = saved;
	return -1;
}

static int
netlink_open(int protocol, uint32_t groups)
{
	struct sockaddr_nl	sa;
	int			fd;

	fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK,
	    protocol);
	if (fd == -1)
		return -1;
	memset(&sa, 0, sizeof(sa));
	sa.nl_family = AF_NETLINK;
	sa.nl_groups = groups;
	if (bind(fd, (struct sockaddr *)&sa, sizeof(sa)) == -1)
		return close_failed(fd);
	return fd;
}

static int
netlink_must(int protocol, uint32_t groups, const char *what)
{
	int	fd;

	if ((fd = netlink_open(protocol, groups)) == -1)
		fatal("cannot listen to the kernel's %s", what);
	return fd;
}

static void
set_rcvbuf(int fd, int size, const char *what)
{
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size,
	    sizeof(size)) == -1 &&
	    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size)) == -1)
		log_warn("%s: receive buffer", what);
}

/* Sends one configuration message; 0, or -1 with the kernel's errno. */
static int
queue_talk(int fd, struct nlmsghdr *nlh)
{
	static unsigned int	seq;
	char			buf[4096];
	ssize_t			n;

	nlh->nlmsg_flags |= NLM_F_ACK;
	nlh->nlmsg_seq = ++seq;
	if (send(fd, nlh, nlh->nlmsg_len, 0) == -1)
		return -1;
	if ((n = recv(fd, buf, sizeof(buf), 0)) == -1)
		return -1;
	return mnl_cb_run(buf, (size_t)n, seq, 0, NULL, NULL) == -1 ? -1 : 0;
}

static int
queue_bind(int fd, uint16_t queue)
{
	char		 buf[4096];
	struct nlmsghdr	*nlh;

	memset(buf, 0, sizeof(buf));
	nlh = nfq_nlmsg_put(buf, NFQNL_MSG_CONFIG, queue);
	nfq_nlmsg_cfg_put_cmd(nlh, AF_UNSPEC, NFQNL_CFG_CMD_BIND);
	return queue_talk(fd, nlh);
}

/*
 * One that was told to end, or killed, may be gone for whoever looks at its
 * parent while the last of its processes still has the queue.  The kernel says
 * EPERM, and not EBUSY, to a second one.
 */
static int
queue_bind_after(int fd, uint16_t queue)
{
	const struct timespec	pause = { 0, 50 * 1000 * 1000 };
	int			tries = 0;

	while (queue_bind(fd, queue) == -1) {
		if (errno != EPERM || ++tries == QUEUE_TRIES)
			return -1;
		(void)nanosleep(&pause, NULL);
	}
	return 0;
}

/*
 * Each flag by itself: a kernel that lacks one refuses the whole message.
 * Never NFQA_CFG_F_FAIL_OPEN.
 */
static int
queue_flag(int fd, uint16_t queue, uint32_t flag)
{
	char		 buf[4096];
	struct nlmsghdr	*nlh;

	memset(buf, 0, sizeof(buf));
	nlh = nfq_nlmsg_put(buf, NFQNL_MSG_CONFIG, queue);
	mnl_attr_put_u32(nlh, NFQA_CFG_FLAGS, htonl(flag));
	mnl_attr_put_u32(nlh, NFQA_CFG_MASK, htonl(flag));
	return queue_talk(fd, nlh);
}

static int
queue_length(int fd, uint16_t queue)
{
	char		 buf[4096];
	struct nlmsghdr	*nlh;

	memset(buf, 0, sizeof(buf));
	nlh = nfq_nlmsg_put(buf, NFQNL_MSG_CONFIG, queue);
	mnl_attr_put_u32(nlh, NFQA_CFG_QUEUE_MAXLEN, htonl(QUEUE_LENGTH));
	return queue_talk(fd, nlh);
}

/*
 * Last: the kernel drops packets until it may copy them, and from here on
 * they come, where kernel rules were left by a crash.  So no answer is asked
 * for, and what there is to read is only looked at: a packet read here would
 * never get its verdict.
 */
static int
queue_begin(int fd, uint16_t queue)
{
	char		 buf[4096];
	struct nlmsghdr	*nlh;
	ssize_t		 n;

	memset(buf, 0, sizeof(buf));
	nlh = nfq_nlmsg_put(buf, NFQNL_MSG_CONFIG, queue);
	nfq_nlmsg_cfg_put_params(nlh, NFQNL_COPY_PACKET, COPY_RANGE);
	if (send(fd, nlh, nlh->nlmsg_len, 0) == -1)
		return -1;
	n = recv(fd, buf, sizeof(buf), MSG_PEEK | MSG_DONTWAIT);
	if (n < (ssize_t)sizeof(*nlh) || nlh->nlmsg_type != NLMSG_ERROR)
		return 0;
	return mnl_cb_run(buf, (size_t)n, 0, 0, NULL, NULL) == -1 ? -1 : 0;
}

static void
open_queue(void)
{
	uint16_t	queue = env.conf.queue;
	int		fd, on = 1;

	if ((fd = netlink_open(NETLINK_NETFILTER, 0)) == -1)
		fatal("cannot talk to netfilter; is CONFIG_NETFILTER_NETLINK "
		    "in this kernel?");
	if (queue_bind_after(fd, queue) == -1) {
		if (errno == EPERM)
			fatalx("queue %u is held by another program", queue);
		fatal("queue %u; is the module nfnetlink_queue there?", queue);
	}
	/* What has none would be taken for the kernel's own. */
	if (queue_flag(fd, queue, NFQA_CFG_F_UID_GID) == -1)
		fatal("queue %u: the kernel tells no user ids", queue);
	if (queue_flag(fd, queue, NFQA_CFG_F_GSO) == -1)
		log_warn("queue %u: large sends come in pieces", queue);
	if (setsockopt(fd, SOL_NETLINK, NETLINK_NO_ENOBUFS, &on,
	    sizeof(on)) == -1)
		fatal("queue %u: NETLINK_NO_ENOBUFS", queue);
	set_rcvbuf(fd, QUEUE_RCVBUF, "queue");
	if (queue_length(fd, queue) == -1)
		fatal("queue %u: length", queue);
	/* Counts begin together: after the last answer, before any packet. */
	if (env.conf.forward_filter)
		events_want_routes();
	if (events_init(fd, queue) == -1)
		log_warnx("no trace events: short-lived programs stay unknown");
	if (!events_processes())
		log_warnx("no records of processes: some programs that end at "
		    "once may stay unknown");
	if (queue_begin(fd, queue) == -1)
		fatal("queue %u: copy range", queue);
	env.fds.queue = fd;
}

static void
open_tables(void)
{
	int	fd, group = NFNLGRP_NFTABLES;

	fd = netlink_must(NETLINK_NETFILTER, 0, "firewall events");
	if (setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group,
	    sizeof(group)) == -1) {
		log_warn("no events when others change the kernel rules");
		(void)close(fd);
		fd = -1;
	}
	env.fds.tables = fd;
}

static int
connector_tell(int fd, enum proc_cn_mcast_op op)
{
	/* cn_msg ends in its data: the operation follows it. */
	struct nlmsghdr	 nlh;
	struct cn_msg	 cn;
	struct iovec	 iov[] = { { &nlh, sizeof(nlh) }, { &cn, sizeof(cn) },
	    { &op, sizeof(op) } };

	memset(&nlh, 0, sizeof(nlh));
	memset(&cn, 0, sizeof(cn));
	nlh.nlmsg_len = sizeof(nlh) + sizeof(cn) + sizeof(op);
	nlh.nlmsg_type = NLMSG_DONE;
	cn.id.idx = CN_IDX_PROC;
	cn.id.val = CN_VAL_PROC;
	cn.len = sizeof(op);
	return writev(fd, iov, 3) == -1 ? -1 : 0;
}

static int
connector_listen(void)
{
	int	fd;

	if ((fd = netlink_open(NETLINK_CONNECTOR, CN_IDX_PROC)) == -1)
		return -1;
	if (connector_tell(fd, PROC_CN_MCAST_LISTEN) == -1)
		return close_failed(fd);
	return fd;
}

/*
 * Records of broken filters, and of nothing else: where a machine is audited
 * there may be many.
 */
static void
open_audit(void)
{
	struct sock_filter	code[] = {
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS,
		    offsetof(struct nlmsghdr, nlmsg_type)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htons(AUDIT_SECCOMP), 0,
		    1),
		BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	struct sock_fprog	prog = { sizeof(code) / sizeof(code[0]), code };
	int			fd, group = AUDIT_NLGRP_READLOG;

	if ((fd = netlink_open(NETLINK_AUDIT, 0)) == -1)
		return;
	if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &prog,
	    sizeof(prog)) == -1 || setsockopt(fd, SOL_NETLINK,
	    NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)) == -1) {
		(void)close(fd);
		return;
	}
	env.fds.audit = fd;
}

/* What exists in the first network namespace only, if this is it. */
static int
listen_here(void)
{
	int	fd;

	if ((fd = connector_listen()) != -1)
		open_audit();
	return fd;
}

/* The parent of a process, from /proc; 0 when there is none to be seen. */
static pid_t
parent_of(pid_t pid)
{
	char	 path[64], line[128];
	FILE	*f;
	int	 ppid = 0;

	(void)snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	if ((f = fopen(path, "re")) == NULL)
		return 0;
	while (fgets(line, sizeof(line), f) != NULL)
		if (sscanf(line, "PPid: %d", &ppid) == 1)
			break;
	(void)fclose(f);
	return ppid;
}

static int
connector_in(pid_t pid, bool *away)
{
	char	path[64];
	int	ns, fd = -1;

	(void)snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)pid);
	if ((ns = open(path, O_RDONLY | O_CLOEXEC)) == -1)
		return -1;
	if (setns(ns, CLONE_NEWNET) == 0) {
		*away = true;
		fd = listen_here();
	}
	(void)close(ns);
	return fd;
}

/*
 * Exists in the first network namespace only, which may be that of process 1
 * or of an ancestor of ours; not always readable, and not needed.
 */
static void
open_connector(void)
{
	pid_t	pid;
	bool	away = false;
	int	own, fd, i;

	if ((fd = listen_here()) == -1 &&
	    (own = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC)) != -1) {
		fd = connector_in(1, &away);
		pid = getppid();
		for (i = 0; fd == -1 && pid > 1 && i < ANCESTORS_MAX; i++) {
			fd = connector_in(pid, &away);
			pid = parent_of(pid);
		}
		/* Under a unit that restricts them none was entered. */
		if (away && setns(own, CLONE_NEWNET) == -1)
			fatal("cannot return to the own network namespace");
		(void)close(own);
	}
	if (fd == -1)
		open_audit();
	/* It has shown the way; the event rings tell the same for less. */
	if (fd != -1 && events_processes()) {
		(void)connector_tell(fd, PROC_CN_MCAST_IGNORE);
		(void)close(fd);
		fd = -1;
	}
	if (fd != -1)
		set_rcvbuf(fd, CONNECTOR_RCVBUF, "proc connector");
	env.fds.connector = fd;
}

/* Only to look at files with: procinfo's filter lets it do nothing else. */
static void
open_host(void)
{
	env.fds.host = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (env.fds.host == -1)
		fatal("/");
}

/* Is somebody listening there, or is it left from a crash? */
static bool
control_is_live(const struct sockaddr_un *sun)
{
	bool	live;
	int	fd;

	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd == -1)
		fatal("socket");
	live = connect(fd, (const struct sockaddr *)sun, sizeof(*sun)) == 0 ||
	    errno == EAGAIN;
	(void)close(fd);
	return live;
}

static void
open_control(void)
{
	struct sockaddr_un	sun;
	struct stat		st;
	gid_t			gid = 0;
	mode_t			mode = 0600, old;
	int			fd;

	memset(&sun, 0, sizeof(sun));
	sun.sun_family = AF_UNIX;
	(void)strlcpy(sun.sun_path, env.conf.control, sizeof(sun.sun_path));
	if (lstat(sun.sun_path, &st) == 0) {
		if (!S_ISSOCK(st.st_mode))
			fatalx("%s: exists and is no socket", sun.sun_path);
		if (control_is_live(&sun))
			fatalx("%s: another program listens there",
			    sun.sun_path);
		if (unlink(sun.sun_path) == -1)
			fatal("%s: unlink", sun.sun_path);
	}
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd == -1)
		fatal("socket");
	if (env.conf.control_group[0] != '\0') {
		mode = 0660;
		gid = env.control_gid;
	}
	/*
	 * Made as it shall be: by its name it could be another file already,
	 * where others may write to the directory.
	 */
	old = umask(0777 & ~mode);
	(void)setfsgid(gid);
	if (bind(fd, (struct sockaddr *)&sun, sizeof(sun)) == -1)
		fatal("%s: bind", sun.sun_path);
	(void)setfsgid(0);
	(void)umask(old);
	control_bound = true;
	if (lstat(sun.sun_path, &st) == -1 || !S_ISSOCK(st.st_mode) ||
	    st.st_uid != 0 || st.st_gid != gid)
		fatalx("%s: its directory makes it another's", sun.sun_path);
	if (listen(fd, 16) == -1)
		fatal("%s: listen", sun.sun_path);
	env.fds.control = fd;
}

/*
 * Which CPUs come and go, as the kernel says it to udev: "online@/devices/...".
 * Hardly anything of other devices, which nobody here wants to know.
 */
static void
open_cpus(void)
{
	struct sock_filter	code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0x6f6e6c69, 2, 0),	/* onli */
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0x6f66666c, 1, 0),	/* offl */
		BPF_STMT(BPF_RET | BPF_K, 0),
		BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
	};
	struct sock_fprog	prog = { sizeof(code) / sizeof(code[0]), code };
	int			fd;

	env.fds.cpus = -1;
	if ((fd = netlink_open(NETLINK_KOBJECT_UEVENT, 1)) == -1 ||
	    setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &prog,
	    sizeof(prog)) == -1) {
		log_warn("kernel messages about processors");
		if (fd != -1)
			(void)close(fd);
		return;
	}
	env.fds.cpus = fd;
}

/*
 * The queue comes first: it is what a second tinysnitch is told from, before
 * anything of the first one is touched.
 */
void
open_all(void)
{
	struct shared_fds	*f = &env.fds;

	if ((f->null = open("/dev/null", O_RDWR | O_CLOEXEC)) == -1)
		fatal("/dev/null");
	open_queue();
	open_tables();
	f->root = sandbox_mount_empty();
	f->root_proc = sandbox_mount_proc();
	f->diag = netlink_must(NETLINK_SOCK_DIAG, 0, "sockets");
	f->route = netlink_must(NETLINK_ROUTE, RTMGRP_LINK |
	    RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR, "interfaces");
	set_rcvbuf(f->route, ROUTE_RCVBUF, "interfaces");
	f->audit = -1;
	open_connector();
	open_cpus();
	open_host();
	if ((f->watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK)) == -1)
		fatal("inotify");
	if ((f->counters = open(COUNTERS, O_RDONLY | O_CLOEXEC)) == -1)
		log_warn("%s", COUNTERS);
	open_control();
}

void
open_close(void)
{
	if (control_bound)
		(void)unlink(env.conf.control);
	control_bound = false;
}
