/*
 * SPDX-License-Identifier: ISC
 *
 * What tests of procinfo share: they start the real one, in its sandbox, and
 * play its parent, ruled, and other programs.
 */
#ifndef STAGE_H
#define STAGE_H

#include <sys/types.h>

#include <limits.h>
#include <stddef.h>
#include <stdint.h>

#include "msg.h"

#define WAIT_MS		10000
#define KIDS_MAX	64
#define HOSTS_MAX	256

/* Frames from one socket. */
struct peer {
	int	 fd;
	size_t	 have;
	uint8_t	 buf[2 * MSG_MAX];
};

struct frame {
	uint32_t	 type;
	size_t		 len;
	uint8_t		 data[MSG_MAX];
};

/* A connection that a child makes. */
struct dial {
	int		 af, type, proto;
	const char	*dst;
	int		 port;
	const char	*ifname;
	int		 spare;	/* descriptors opened before */
};

extern struct peer	 parent, ruled;	/* what procinfo sees on 3 and 5 */
extern pid_t		 procinfo;
extern pid_t		 kids[KIDS_MAX];	/* killed after each case */
extern size_t		 nkids;
extern int		 failed;
extern char		 self[PATH_MAX];	/* this program */
extern uint64_t		 number;	/* of the last question */
/* What MSG_HOST told. */
extern struct msg_host	 host[HOSTS_MAX];
extern size_t		 nhost;
extern int		 host_done;
/* What procinfo is started with. */
extern int		 connector;	/* or -1 */
extern bool		 restarted;

void fail(const char *fmt, ...) __attribute__((__format__(printf, 1, 2)));
void die(const char *what);
void kids_end(void);
void check(const char *name, void (*fn)(void));
void put_frame(struct peer *, uint32_t type, int fd, const void *, size_t);
int get_frame(struct peer *p, struct frame *f, int ms);
int await(uint32_t type, struct frame *f);
struct addr address(const char *text);
struct msg_who question(enum hook hook, uint8_t proto, const char *src,
	    int sport, const char *dst, int dport);
extern unsigned	 whole_answers;	/* those that are not just a number */
void get_answer(uint64_t wanted, struct whois *is);
const struct whois *ask(struct msg_who who);
void expect(const struct whois *is, enum who_source source, pid_t pid,
	    enum sock_state state);
int listener(int af, int type, int proto, int port);
int connect_to(int fd, const char *dst, int port, const char *ifname);
int local_port(int fd);
pid_t kid(int (*fn)(void *), void *arg, int *out);
int dial(void *arg);
struct dial tcp(const char *dst, int port);
void run(const char *const argv[]);
int netlink(int family, uint32_t groups);
void new_ruled(int fds[2]);
void await_parent(uint32_t type, struct frame *f);
void stage_network(void);
void start_procinfo(void);

#define RUN(...)	run((const char *const []){ __VA_ARGS__, NULL })

#endif /* STAGE_H */
