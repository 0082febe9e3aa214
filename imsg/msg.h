/*
 * SPDX-License-Identifier: ISC
 *
 * What the processes say to each other: one enum, one gate table, one
 * msg_put_x / msg_get_x pair per payload.  get functions return 0, or -1 for
 * anything that is not exactly one well-formed payload; they never leave a
 * string without its NUL or an enum out of range.
 */
#ifndef MSG_H
#define MSG_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "addr.h"
#include "ibuf.h"

#define MSG_MAX			16384	/* a frame, header included */
#define MSG_PAYLOAD_MAX		(MSG_MAX - 8)

#define HOST_NAME_MAX_DNS	256	/* 253 characters in text, and a NUL */
#define IF_NAME_MAX		16	/* IFNAMSIZ */
#define EXE_MAX			4096	/* PATH_MAX */
#define ARGS_MAX		4096	/* NUL-separated; longer ones are cut */
#define CWD_MAX			1024
#define UNIT_MAX		256	/* cgroup path */
#define PARENTS_MAX		4
#define RULE_TEXT_MAX		1024	/* one rule line without comment */
#define RESOLVERS_MAX		8
#define ASK_LINES_MAX		32	/* a full MSG_ASK still fits a frame */
#define ASK_NAMES_MAX		8
#define COPY_RANGE		4096	/* bytes of a packet the kernel copies */

enum role {
	ROLE_PARENT,
	ROLE_NETQ,
	ROLE_PROCINFO,
	ROLE_RULED,
	ROLE_PROMPTER,
	ROLE_CTL,		/* tinysnitchctl, on the control socket */
	ROLE_MAX
};

/* "parent", "netq", ...: for logs and process names. */
const char *role_name(enum role);

/* What a process is called that waits to become one of them. */
#define SPARE_NAME	"snitch-spare"

/* Descriptors of a child, by number: its link, and what MSG_FD brings. */
enum child_fd {
	FD_PARENT = 3,
	FD_ROOT = 4,		/* a mount, closed after chroot */

	FD_NETQ_RULED = 5,
	FD_NETQ_QUEUE = 6,
	FD_NETQ_TABLES = 7,	/* nftables events */

	FD_PROC_RULED = 5,
	FD_PROC_DIAG = 6,
	FD_PROC_ROUTE = 7,
	FD_PROC_CONNECTOR = 8,
	FD_PROC_AUDIT = 9,
	FD_PROC_HOST = 10,	/* the host's root directory, for statx(2) */
	FD_PROC_CPUS = 11,	/* kernel messages: one goes, one comes */

	FD_RULED_NETQ = 5,
	FD_RULED_PROC = 6,
	FD_RULED_PROMPTER = 7,
	FD_RULED_CONTROL = 8,
	FD_RULED_WATCH = 9,	/* inotify */
	FD_RULED_COUNTERS = 10,	/* /proc/net/netfilter/nfnetlink_queue */

	FD_PROMPT_RULED = 5,
	FD_PROMPT_X = 6,
	FD_CHILD_MAX = 12
};

enum msg_type {
	MSG_START = 1,	/* parent to each: configuration, begin */
	MSG_READY,	/* each to parent: sandboxed; missing layers */
	MSG_LOG,	/* each to parent: level and lines */
	MSG_BAD,	/* each to parent: a peer broke the rules */
	MSG_PEER,	/* parent to each: a fresh link to a restarted peer */
	MSG_DO,		/* parent to ruled: reload, statistics, stop */
	MSG_TABLE,	/* netq to parent: somebody changed nftables */
	MSG_LOST,	/* procinfo to parent: events are wanted anew */
	MSG_EVENT,	/* parent to procinfo: one event descriptor */
	MSG_DENIED,	/* procinfo to parent: a filter killed this process */
	MSG_OPEN,	/* ruled to parent: open this file for me */
	MSG_FILE,	/* parent to ruled: here it is, or errno */
	MSG_COMMIT,	/* ruled to parent: sealed memfd to be written */
	MSG_COMMITTED,	/* parent to ruled: done, or errno */
	MSG_PACKETS,	/* netq to ruled: packets to judge */
	MSG_VERDICTS,	/* ruled to netq: verdicts */
	MSG_WHO,	/* ruled to procinfo: who sent these? */
	MSG_WHOIS,	/* procinfo to ruled: this one did */
	MSG_HOST,	/* procinfo to ruled: own addresses, interfaces */
	MSG_ASK,	/* ruled to prompter and askers: the question */
	MSG_ASK_END,	/* ruled to prompter and askers: withdrawn or answered */
	MSG_ANSWER,	/* prompter and askers to ruled */
	MSG_CTL,	/* tinysnitchctl to ruled: command */
	MSG_CTL_REPLY,	/* ruled to tinysnitchctl */
	MSG_SOURCES,	/* procinfo to ruled: how it can name programs */
	MSG_CHILD,	/* parent to ruled: what became of a process */
	MSG_FD,		/* parent to each, before MSG_START: a descriptor */
	MSG_WHOIS_SAME,	/* procinfo to ruled: the last one did these, too */
	MSG_TYPE_MAX
};

/*
 * The gate.  A frame whose {type, sender, receiver} has no row, whose size is
 * out of range, or whose descriptor is missing or stray, is an offence of its
 * sender.  once: a second one on the same link is, too.  open: so is asking
 * again before that many were answered; sending a message whose row names the
 * question in `answers` is what answers it.  What only the receiver can know
 * (was this number ever asked?) its handler checks.
 */
enum gate_fd { GATE_FD_NONE, GATE_FD_MUST, GATE_FD_MAY };

struct gate {
	uint32_t	type;
	enum role	from;
	enum role	to;
	uint32_t	min;	/* payload bytes */
	uint32_t	max;
	enum gate_fd	fd;
	bool		once;
	uint32_t	answers;	/* a type, or 0 */
	uint32_t	open;		/* 0: no limit */
};

/* NULL when this sender may not say this to this receiver. */
const struct gate *gate_find(uint32_t, enum role from, enum role to);
/* "MSG_START", ..., or "unknown". */
const char *msg_name(uint32_t);

/* What is done with a packet, and what a rule says. */
enum action { ACTION_ALLOW, ACTION_DENY, ACTION_DROP, ACTION_MAX };
const char *action_name(enum action);

/* The kernel's own numbers: NF_INET_LOCAL_IN, _FORWARD, _LOCAL_OUT. */
enum hook { HOOK_IN = 1, HOOK_FORWARD = 2, HOOK_OUT = 3, HOOK_MAX };

/* How accept and deny are said to the kernel (design: firewall). */
enum fw_form { FW_NFT, FW_IPTABLES, FW_MANUAL, FW_MAX };

/* Colours of the window. */
enum theme { THEME_DARK, THEME_LIGHT, THEME_MAX };

#define LOGFORM_TEXT	0x01
#define LOGFORM_JSON	0x02
#define LOGFORM_JOURNAL	0x04

struct msg_start {
	uint32_t	uid, gid;	/* the identity to take */
	uint32_t	fds;		/* bit n: descriptor n is open */
	uint8_t		restarted;	/* not the first of its role */
	uint8_t		verbose;
	uint16_t	queue;
	uint8_t		form;		/* enum fw_form */
	uint32_t	deny_mark;
	uint32_t	judged_mark;	/* iptables form only */
	uint8_t		unanswered;	/* enum action */
	uint8_t		loopback_filter;
	uint8_t		frames_warn;	/* tell of packet sockets */
	uint32_t	ask_timeout;	/* seconds */
	uint32_t	ask_delay;	/* milliseconds */
	uint8_t		ask_synthetic;
	uint8_t		log_forms;	/* LOGFORM_* that some sink wants */
	uint8_t		resolver_auto;
	uint8_t		nresolver;
	struct addr	resolver[RESOLVERS_MAX];
	char		rules[PATH_MAX];	/* as configured, for messages */
	char		names[PATH_MAX];
	char		font[128];
	uint16_t	font_size;
	uint8_t		theme;		/* enum theme */
	char		xauth_name[32];	/* prompter: "MIT-MAGIC-COOKIE-1" */
	uint8_t		xauth_len;
	uint8_t		xauth[64];
	uint8_t		xscreen;
};

/* MSG_FD: the descriptor that comes along shall have this number. */
struct msg_fd {
	uint8_t		number;		/* enum child_fd, over FD_PARENT */
};

/* MSG_READY: a string, the missing layers by name, or "". */
struct msg_ready {
	char		missing[256];
};

enum log_level { LEVEL_DEBUG, LEVEL_INFO, LEVEL_ERROR, LEVEL_FATAL, LEVEL_MAX };

/*
 * MSG_LOG.  form 0: one message without time or newline, the parent adds
 * time, level and the sender's name.  LOGFORM_*: whole lines, from ruled
 * only, written as they are to the sinks of that form.
 */
struct msg_log {
	uint8_t		 level;
	uint8_t		 form;
	const char	*text;	/* points into the message, not terminated */
	size_t		 len;
};

struct msg_bad {
	uint8_t		peer;	/* enum role */
	uint32_t	type;
	char		reason[256];
};

struct msg_peer {
	uint8_t		peer;	/* enum role; the link comes as descriptor */
};

enum do_what { DO_RELOAD, DO_STATISTICS, DO_STOP, DO_MAX };
struct msg_do {
	uint8_t		what;
};

enum lost_why { LOST_RESUME, LOST_CPU, LOST_OVERRUN, LOST_MAX };
struct msg_lost {
	uint8_t		why;
};

/*
 * EXEC: a ring of what processes become; EXEC_DONE writes into that ring.
 * TRACE_: the same as without, but a buffer of tracefs, to be read.
 */
enum event_kind { EVENT_ORDER, EVENT_ORDER_IRQ, EVENT_EXEC, EVENT_ROUTE,
    EVENT_EXEC_DONE, EVENT_TRACE_ORDER, EVENT_TRACE_ROUTE, EVENT_MAX };
struct msg_event {
	uint8_t		kind;	/* enum event_kind */
	uint16_t	cpu;
	uint8_t		last;	/* of this set */
	uint64_t	id;	/* PERF_EVENT_IOC_ID: samples carry it;
				   of routes: a struct event_route */
};

/* Where the tracepoint's record, by this kernel's format, has what. */
struct event_route {
	uint8_t	family;		/* 4 or 6 */
	uint8_t	src, dst;	/* addresses */
	uint8_t	sport, dport;	/* 16 bits, the host's order */
	uint8_t	proto;
	uint8_t	end;		/* as far as this reaches; not sent */
};
uint64_t event_route_put(const struct event_route *);
void	 event_route_get(uint64_t, struct event_route *);

enum file_kind { FILE_RULES, FILE_TEMPORARY, FILE_NAMES, FILE_PASSWD,
    FILE_RESOLVERS, FILE_INCLUDE, FILE_LIST, FILE_KIND_MAX };

/* Tells one version of a file from the next: from fstat(2). */
struct file_version {
	uint64_t	dev, ino, size, mtime_ns, ctime_ns;
};

/* A seccomp record of the kernel; the parent knows whose pid it is. */
struct msg_denied {
	uint32_t	pid;
	uint32_t	arch;	/* AUDIT_ARCH_* */
	uint32_t	number;	/* of the system call there */
};

/* MSG_CHILD, for `tinysnitchctl status`: as of now. */
struct msg_child {
	uint8_t		role;	/* enum role, the parent's own too */
	uint32_t	restarts;
	uint32_t	violations;	/* of these, killed by its filter */
	char		denied[64];	/* the last call of those, or "" */
	char		missing[256];	/* layers of its sandbox, or "" */
};

struct msg_open {
	uint8_t		kind;	/* enum file_kind */
	char		path[PATH_MAX];	/* FILE_INCLUDE, FILE_LIST; else "" */
};

#define WATCHES_PER_FILE 4
struct msg_file {
	uint8_t		kind;
	uint32_t	err;	/* errno, 0: a descriptor comes with it */
	uint8_t		part;	/* FILE_RESOLVERS: 0 and 1 are two files */
	struct file_version version;
	char		path[PATH_MAX];	/* as asked for, or as configured */
	/* Which inotify events (wd and name) mean that it changed. */
	uint8_t		nwatch;
	struct {
		int32_t	wd;
		char	name[256];	/* NAME_MAX */
	} watch[WATCHES_PER_FILE];
};

struct msg_commit {
	uint8_t		kind;	/* FILE_RULES, FILE_TEMPORARY, FILE_NAMES */
	struct file_version version;	/* the one it was made from */
};

struct msg_committed {
	uint8_t		kind;
	uint32_t	err;	/* errno; ESTALE: read again */
	struct file_version version;	/* of what is there now */
};

/*
 * MSG_PACKETS: a head, then packets until the payload ends.
 */
struct msg_packets_head {
	uint8_t		empty;	/* the socket had no more */
	uint64_t	time;	/* CLOCK_MONOTONIC, ns, when read */
};

#define PACKET_HAS_UID	0x01
struct msg_packet {
	uint32_t	 id;	/* the kernel's, counting up by one */
	uint64_t	 number;	/* of the datagram: pairs it with events */
	uint8_t		 hook;	/* enum hook */
	uint8_t		 af;	/* AF_INET, AF_INET6; else 0 */
	uint8_t		 flags;	/* PACKET_HAS_UID */
	uint32_t	 uid;
	uint32_t	 mark;
	uint32_t	 indev, outdev;	/* interface index, 0: none */
	uint32_t	 full_len;	/* of the packet before it was cut */
	uint16_t	 len;	/* of what was copied */
	const uint8_t	*data;	/* points into the message */
};

/*
 * MSG_VERDICTS: until the payload ends.  One follows each MSG_PACKETS at once,
 * empty if all of them are held; and the first one says that there is a ruled.
 */
struct msg_verdict {
	uint32_t	id;
	uint8_t		verdict;	/* enum action */
	uint32_t	mark;	/* the packet's own, from msg_packet */
};

/* The five things that name a connection, in network terms. */
struct tuple {
	struct addr	src, dst;
	uint8_t		proto;	/* IPPROTO_* */
	uint16_t	sport, dport;	/* host order; 0 where there are none */
};

/* MSG_WHO: a head, then entries until the payload ends. */
struct msg_who_head {
	uint8_t		urgent;	/* something waits for the answer */
};

/* Besides PACKET_HAS_UID: read last, and netq's socket was empty then. */
#define WHO_QUIET	0x02

/* Set in number: no datagram is meant, only the state of the socket. */
#define WHO_SOCKET_ONLY	(1ULL << 63)

struct msg_who {
	uint64_t	number;
	uint8_t		hook;
	uint8_t		flags;	/* PACKET_HAS_UID, WHO_QUIET */
	uint32_t	uid;
	uint64_t	time;	/* CLOCK_MONOTONIC, ns */
	struct tuple	tuple;
};

/* In the order they are tried; logged as "event" and so on. */
enum who_source { WHO_UNKNOWN, WHO_KERNEL, WHO_EVENT, WHO_TUPLE, WHO_SOCKET,
    WHO_SOURCE_MAX };
const char *who_source_name(enum who_source);

/*
 * MSG_SOURCES: which of them there are, whether events and routing look-ups
 * come by tracefs instead of perf, and who tells of each execve: the kernel's
 * records or the proc connector.
 */
#define SOURCE_EVENT	0x01
#define SOURCE_TUPLE	0x02
#define SOURCE_SOCKET	0x04
#define SOURCE_CONNECTOR 0x08
#define SOURCE_RECORD	0x10
#define SOURCE_TRACE	0x20
#define SOURCE_ALL	0x3f
struct msg_sources {
	uint8_t		on;
};

/* What sock_diag says of the tuple's local socket. */
enum sock_state { SOCK_NONE, SOCK_LISTENING, SOCK_CONNECTING, SOCK_ESTABLISHED,
    SOCK_OTHER, SOCK_STATE_MAX };

/* MSG_WHOIS. */
struct whois {
	uint64_t	number;
	uint8_t		source;	/* enum who_source */
	uint8_t		socket;	/* enum sock_state */
	uint8_t		has_uid;
	uint32_t	uid;
	uint32_t	pid;	/* 0: unknown or kernel; the rest is empty */
	uint64_t	start;	/* of the process, clock ticks since boot */
	char		exe[EXE_MAX];	/* as the kernel says, "" if unknown */
	uint16_t	args_len;
	char		args[ARGS_MAX];	/* NUL after each */
	uint8_t		args_cut;
	char		cwd[CWD_MAX];
	char		unit[UNIT_MAX];
	uint8_t		nparents;	/* nearest first */
	struct {
		uint32_t	pid;
		char		exe[256];	/* cut to its end if longer */
	} parent[PARENTS_MAX];
};

/* MSG_WHOIS_SAME: these; all else is as in the last MSG_WHOIS. */
struct msg_same {
	uint64_t	number;
};

/*
 * MSG_HOST: one change a message.  all: what follows replaces everything;
 * a complete table is HOST_CLEAR, then one HOST_ADDR or HOST_IF for each,
 * then HOST_DONE.
 */
enum host_what { HOST_CLEAR, HOST_ADDR, HOST_ADDR_GONE, HOST_IF, HOST_IF_GONE,
    HOST_DONE, HOST_MAX };
struct msg_host {
	uint8_t		what;
	struct addr	addr;
	uint32_t	ifindex;
	char		ifname[IF_NAME_MAX];
};

/*
 * MSG_ASK.  A line is what the toggles in its mask make of the rule, without
 * the action: "github.com 443 tcp".  Line 0 has mask 0, the default.
 */
#define ASK_DOMAIN	0x01	/* d: the registrable domain */
#define ASK_PORT	0x02	/* p: any port */
#define ASK_EXE		0x04	/* e: this program only */
#define ASK_UID		0x08	/* u: this user only */
#define ASK_ANYHOST	0x10	/* any host */
#define ASK_ADDR	0x20	/* the remote address, whatever its name */
#define ASK_MASK_ALL	0x3f
/* One of these at most. */
#define ASK_SCOPE	(ASK_DOMAIN | ASK_ADDR | ASK_ANYHOST)

enum direction { DIR_OUT, DIR_IN, DIR_FORWARD, DIR_MAX };
const char *direction_name(enum direction);	/* "out", "in", "forward" */

struct msg_ask {
	uint32_t	question;
	uint8_t		direction;
	struct tuple	tuple;
	uint8_t		nnames;	/* names of the remote end, best first */
	char		name[ASK_NAMES_MAX][HOST_NAME_MAX_DNS];
	uint32_t	shared;	/* names known for the address, in all */
	char		name_source[32];	/* "dns", "" */
	uint8_t		source;	/* enum who_source */
	uint32_t	pid;
	char		exe[1024];	/* elided in its middle when longer */
	uint16_t	args_len;
	char		args[2048];	/* NUL after each */
	uint8_t		args_cut;
	char		cwd[512];
	char		user[64];
	char		unit[UNIT_MAX];
	char		parents[1024];	/* "[12] /bin/bash < [1] /sbin/init" */
	uint64_t	age_ms;	/* of the oldest packet held */
	uint32_t	held;	/* packets waiting for this answer */
	uint32_t	more;	/* further questions waiting */
	uint32_t	left_ms;	/* until the time-out */
	uint8_t		nlines;
	struct {
		uint8_t	mask;	/* ASK_* */
		char	text[288];
	} line[ASK_LINES_MAX];
};

struct msg_ask_end {
	uint32_t	question;
};

enum duration { DURATION_ONCE, DURATION_1M, DURATION_3M, DURATION_9M,
    DURATION_24H, DURATION_FOREVER, DURATION_MAX };
const char *duration_name(enum duration);	/* "once", "9-minutes", ... */
uint32_t duration_seconds(enum duration);	/* 0: once and forever */

struct msg_answer {
	uint32_t	question;
	uint8_t		line;
	uint8_t		action;	/* ACTION_ALLOW or ACTION_DENY */
	uint8_t		duration;
};

#define CTL_VERSION	1
struct msg_ctl {
	uint32_t	version;
	uint8_t		json;
	char		command[16];
	char		text[RULE_TEXT_MAX];
};

struct msg_ctl_reply {
	uint8_t		 status;	/* 0, or 1: text is the error */
	uint8_t		 more;		/* further replies follow */
	const char	*text;	/* points into the message */
	size_t		 len;
};

#define MSG_PAIR(x, type)						\
	void	 msg_put_##x(struct ibuf *, const struct type *);	\
	int	 msg_get_##x(struct ibuf *, struct type *)		\
		    __attribute__((warn_unused_result))

MSG_PAIR(start, msg_start);
MSG_PAIR(ready, msg_ready);
MSG_PAIR(log, msg_log);
MSG_PAIR(bad, msg_bad);
MSG_PAIR(peer, msg_peer);
MSG_PAIR(fd, msg_fd);
MSG_PAIR(do, msg_do);
MSG_PAIR(lost, msg_lost);
MSG_PAIR(event, msg_event);
MSG_PAIR(denied, msg_denied);
MSG_PAIR(child, msg_child);
MSG_PAIR(sources, msg_sources);
MSG_PAIR(open, msg_open);
MSG_PAIR(file, msg_file);
MSG_PAIR(commit, msg_commit);
MSG_PAIR(committed, msg_committed);
MSG_PAIR(whois, whois);
MSG_PAIR(host, msg_host);
MSG_PAIR(ask, msg_ask);
MSG_PAIR(ask_end, msg_ask_end);
MSG_PAIR(answer, msg_answer);
MSG_PAIR(ctl, msg_ctl);
MSG_PAIR(ctl_reply, msg_ctl_reply);
/*
 * Several to a message: head first, then one call per entry while
 * ibuf_left() is not zero.  Here get does not ask that all was used.
 */
MSG_PAIR(packets_head, msg_packets_head);
MSG_PAIR(packet, msg_packet);
MSG_PAIR(verdict, msg_verdict);
MSG_PAIR(same, msg_same);
MSG_PAIR(who_head, msg_who_head);
MSG_PAIR(who, msg_who);

#undef MSG_PAIR

#endif /* MSG_H */
