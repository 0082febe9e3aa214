/*
 * SPDX-License-Identifier: ISC
 *
 * What the files of this process share.  It answers one question, who sent
 * this packet, and tells ruled the addresses and interfaces of this host.
 */
#ifndef PROCINFO_H
#define PROCINFO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "msg.h"
#include "procpid_parse.h"

#define QUESTIONS_MAX	65536	/* waiting; ruled holds far fewer packets */
#define QUESTIONS_BUSY	2048	/* waiting: no walks for the log alone */
#define ANSWERS_QUEUED	(1 << 20)	/* bytes unsent before a pause */
#define TURN_NS		(10 * 1000 * 1000)	/* answering, per loop turn */
#define SCAN_FDS_MAX	100000	/* descriptors looked at for one socket */
#define SCAN_PIDS_MAX	65536
#define SOCK_CACHE	4096	/* known owners of sockets; a power of two */
#define MISS_NS		(1000ull * 1000 * 1000)	/* a vain scan is not
						   repeated before */
#define PROCS_MAX	4096	/* processes remembered */
#define DEAD_KEPT	1024	/* of them, those that ended last */
#define HOST_IFS_MAX	1024
#define HOST_ADDRS_MAX	4096
#define DIAG_SAME_MAX	8	/* sockets that one packet fits */
#define TRY_IFS_MAX	16	/* interfaces tried for bound sockets */

struct event_base;
struct link;

/* What sock_diag says of a packet's local socket, or sockets. */
struct diag_socket {
	uint8_t		state;	/* enum sock_state */
	size_t		ninodes;	/* 0: nobody has it open */
	uint32_t	inode[DIAG_SAME_MAX];
	bool		more;	/* there are others that fit as well */
	uint32_t	uid;	/* of the last one */
};

/* Who holds a socket. */
struct owner {
	uint32_t	pid;
	uint64_t	start;
};

/* main.c */
struct event_base *
	 main_base(void);
/* The link to ruled, or NULL while there is none. */
struct link *
	 main_ruled(void);
/* The link to the parent. */
struct link *
	 main_parent(void);
uint64_t now_ns(void);
/* Tells ruled how programs can be named now. */
void	 main_tell_sources(void);
/* Gives up the priority over all ordinary processes. */
void	 main_unhurried(void);

/* lookup.c */
/* The parent's pid: netq is its child, too. */
void	 lookup_init(uint32_t);
/* Who sent it will be known better in a moment. */
bool	 lookup_waits(const struct msg_who *);
/*
 * Answers one question.  walk: time may be spent on a walk over all
 * processes, when nothing quicker knows.  urgent: the socket's state is
 * wanted in any case.
 */
void	 lookup(const struct msg_who *, bool walk, bool urgent, struct whois *);

/* diag.c */
void	 diag_init(int);
/*
 * The local sockets that this tuple fits; with has_uid only those of that
 * user.  0, or -1 when sock_diag does not know sockets of this protocol.
 */
int	 diag_find(const struct tuple *, bool inbound, bool has_uid, uint32_t,
	    struct diag_socket *);

struct nlmsghdr;
typedef void (diag_cb)(const struct nlmsghdr *, void *);
/* A dump by sock_diag(7): each socket whose message has that many bytes. */
int	 diag_dump(const void *, size_t len, size_t min, diag_cb *, void *);

/* frames.c */
void	 frames_init(void);
/* Tells of packet sockets that are new; now and then is enough. */
void	 frames_look(void);

/* sockown.c */
void	 sockown_init(int);
/*
 * The process that has this socket, of this user, open.  exact: only if that
 * is certain, not when several programs share it.  walk: not only from
 * memory.  0, or -1: nobody or not certain.
 */
int	 sockown_find(uint32_t, uint32_t, bool exact, bool walk,
	    struct owner *);

/* procpid.c */
/* The directory of a process: what is read through it is never another's. */
int	 procpid_open(uint32_t);
ssize_t	 procpid_read(int, const char *, char *, size_t);
int	 procpid_stat(int, struct pid_stat *)
	    __attribute__((warn_unused_result));
int	 procpid_exe(int, char *, size_t) __attribute__((warn_unused_result));
/* Each is empty where there is none, and then -1. */
int	 procpid_link(int, const char *, char *, size_t);
/*
 * Of "cmdline" and of "cgroup", there or at the end of a path.  only: the
 * group is that of the kernel's events, too, not of an older hierarchy.
 */
int	 procpid_args(int, const char *, char [ARGS_MAX], uint16_t *,
	    uint8_t *);
int	 procpid_unit(int, const char *, char *, size_t, bool *only);
int	 procpid_uids(int, struct pid_uids *)
	    __attribute__((warn_unused_result));
/* Of a thread's directory: the process it belongs to. */
int	 procpid_process(int, uint32_t *) __attribute__((warn_unused_result));
/* Is a start, as stat tells it, after that time?  Then the pid is another's. */
bool	 procpid_after(uint64_t start, uint64_t when);
/* Executable, arguments, directory and unit; empty where there are none. */
void	 procpid_image(int, struct whois *);
/* The chain of parents, nearest first, of a process started then. */
void	 procpid_parents(struct whois *, uint32_t ppid, uint64_t start);

/* ident.c */
struct execrec;
void	 ident_init(void);
/* Reads what runs already, a few processes at a time. */
void	 ident_scan(void);
/* Something was missed: whatever is known may be wrong. */
void	 ident_forget(void);
/* What processes become: as the connector tells it, or the rings. */
void	 ident_forked(uint32_t pid, uint32_t ppid, uint64_t);
void	 ident_execed(uint32_t pid, uint64_t);
void	 ident_ended(uint32_t pid);
void	 ident_record(const struct execrec *);
/* Whether it is told. */
bool	 ident_on(void);
/* Is there a process of that number, or was there one not long ago? */
bool	 ident_knows(uint32_t pid);
/* Forgets a process that lives and is not what it is remembered as. */
void	 ident_check(uint32_t pid);
/*
 * What the process was at that time; of that user, if one is given.  0 with
 * pid and all that is known, or -1: it is another user's.
 */
int	 ident_fill(struct whois *, uint32_t pid, uint64_t time,
	    const uint32_t *uid);

/* connector.c */
void	 connector_init(int);
void	 connector_stop(void);
bool	 connector_on(void);
/* The process of a thread that began while we looked; 0: not known. */
uint32_t connector_process(uint32_t thread, uint64_t when);
/* All that happened up to that time is told to ident.c. */
void	 connector_read(uint64_t);

/* cpus.c */
/* A socket that tells of them. */
void	 cpus_init(int);
/* A new set of rings; the CPU of each. */
void	 cpus_clear(void);
void	 cpus_add(uint16_t);
/* Has one gone since this was asked, or has one none of all the rings? */
bool	 cpus_changed(bool with_rings);

/* confirm.c */
enum confirm { CONFIRM_YES, CONFIRM_NO, CONFIRM_UNKNOWN };
/* Whether there is a FD_PROC_HOST; the pid of the daemon's parent. */
void	 confirm_init(bool, uint32_t);
/* Is the file that this host has there the one of that number? */
enum confirm confirm_path(const char *, const struct file_id *);
/* Are these namespaces, as the kernel recorded them, the host's? */
bool	 confirm_spaces(uint64_t mount, uint64_t user);
/*
 * Is the process of that directory in the host's mount namespace?  Of one that
 * ends meanwhile that is not known any more, nor is what it ran.
 */
enum confirm confirm_here(int);
/* The same of: is what it says that it runs the host's file of that name? */
enum confirm confirm_live(int, const char *exe);
/* Says behind a path that it is not confirmed. */
void	 confirm_mark(char *, size_t);

/* host.c */
void	 host_init(int);
/* The whole table, to a ruled that is new. */
void	 host_send_all(void);
/* Interface number n, or 0 at the end. */
uint32_t host_ifindex(size_t);

#endif /* PROCINFO_H */
