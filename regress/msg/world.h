/*
 * SPDX-License-Identifier: ISC
 *
 * The world around ruled: a test starts the real one, in its sandbox, and is
 * its parent, netq, procinfo, prompter and control clients at once.  What
 * ruled says is noted by world_step() and answered as the case wants it.
 */
#ifndef WORLD_H
#define WORLD_H

#include <sys/types.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "msg.h"

#define WAIT_MS		4000
#define QUIET_MS	150	/* nothing more is to come */
#define IDS_MAX		40000	/* packets of one case */
#define CLIENTS		48
#define UNJUDGED	ACTION_MAX

#define LAN		"192.0.2.10"	/* our own address, from HOST_ADDR */
#define PEER		"198.51.100.7"	/* a stranger */
#define RESOLVER	"192.0.2.53"

struct peer {
	int	 fd;		/* -1: not there */
	bool	 gone;		/* closed by ruled */
	size_t	 have;
	uint8_t	 buf[2 * MSG_MAX];
	int	 got_fd;
};

/* A file of the parent's, by kind and, for the last two, path. */
struct vfile {
	enum file_kind	 kind;
	char		 path[128];
	char		*text;
	uint32_t	 err;
	uint64_t	 version;
};

struct client {
	struct peer	 peer;
	char		 text[65536];	/* replies, one after the other */
	size_t		 bytes;		/* of them all */
	int		 status;	/* -1: more follows */
	unsigned	 asks, ends;
	struct msg_ask	 ask;
};

struct world {
	pid_t		 ruled;
	struct peer	 parent, netq, proc, prompter;
	struct client	 client[CLIENTS];
	size_t		 nclients;
	int		 watch;		/* our end of ruled's inotify */

	bool		 ready;
	char		 log[262144];	/* text lines */
	char		 json[262144];
	size_t		 log_len, json_len;
	unsigned	 bad[ROLE_MAX];	/* MSG_BAD about each */
	char		 bad_reason[256];
	unsigned	 opened;	/* MSG_OPEN */
	unsigned	 commits[FILE_KIND_MAX];
	char		*committed[FILE_KIND_MAX];	/* the last text */
	uint32_t	 commit_err;	/* answer to the next, then 0 */
	bool		 commit_hold;	/* no answer yet */

	unsigned	 nwho;		/* packets that procinfo was asked of */
	struct msg_who	 who[IDS_MAX];
	bool		 who_silent;	/* no answers */
	struct whois	 is;		/* what is answered */
	void		 (*who_is)(const struct msg_who *, struct whois *);
	uint8_t		 said[MSG_PAYLOAD_MAX];	/* by procinfo, the last time */
	size_t		 said_len;

	uint8_t		 verdict[IDS_MAX];
	unsigned	 verdicts[IDS_MAX];	/* how often */
	unsigned	 answers;	/* messages with verdicts, or none */
	uint32_t	 id;		/* of the last packet sent */
	uint64_t	 number;

	unsigned	 asks;		/* questions, updates not counted */
	unsigned	 ends;
	struct msg_ask	 ask;		/* the last one */
};

extern struct world	*w;

/* What the next start is made of; reset by every world_end(). */
struct setup {
	struct msg_start start;
	const char	*rules;
	const char	*temporary;	/* or NULL */
	const char	*names;
	const char	*counters;	/* or NULL */
	bool		 no_prompter;
	bool		 no_host;	/* procinfo has not told yet */
	bool		 late_files;	/* the case sends them itself */
};
extern struct setup	 setup;

void	 check(const char *name, void (*fn)(void));
void	 fail(const char *, ...) __attribute__((__format__(printf, 1, 2)));
bool	 failing(void);
int	 finish(void);

/* procinfo's answer, of a packet that it was asked about or not. */
void	 proc_whois(const struct whois *);

void	 world_start(const char *rules);
void	 world_end(void);
void	 world_restart(void);	/* ruled dies; all links are fresh */
bool	 world_step(int ms);
bool	 ruled_alive(void);

struct vfile *file_set(enum file_kind, const char *path, const char *text);
void	 file_send(const struct vfile *);
void	 files_send(void);
/* The file changes on disk, and inotify tells. */
void	 file_change(enum file_kind, const char *path, const char *text,
	    uint32_t err);

/* Only inotify says something, with the file's name or without. */
void	 watch_says(enum file_kind, const char *path, uint32_t mask,
	    bool named);

void	 frame_put(struct peer *, uint32_t type, int fd, const void *, size_t);
void	 raw_put(struct peer *, const void *, size_t);
void	 ibuf_frame(struct peer *, uint32_t type, const struct ibuf *);
void	 peer_fresh(struct peer *, enum role);	/* with MSG_PEER */
void	 peer_close(struct peer *);
void	 host_tell(struct peer *);

/* Each returns the packet's id. */
uint32_t packet_put(enum hook, uint32_t uid, const uint8_t *, size_t);
size_t	 packet_tcp(uint8_t *, const char *src, int sport, const char *dst,
	    int dport, uint8_t flags);
size_t	 packet_udp(uint8_t *, const char *src, int sport, const char *dst,
	    int dport, const void *, size_t);
uint32_t out_tcp(int sport, const char *dst, int dport);
uint32_t in_tcp(const char *src, int sport, int dport);
uint32_t out_udp(int sport, const char *dst, int dport);
uint32_t dns_query(int sport, uint16_t id, const char *name);
uint32_t dns_reply(int sport, uint16_t id, const char *name,
	    const char *addr);
/* The query is allowed by the rules; the name is known afterwards. */
void	 learn(const char *name, const char *addr);
void	 answer(struct peer *, uint32_t question, int line, enum action,
	    enum duration);
int	 line_of(const struct msg_ask *, uint8_t mask);

struct client *client_new(uid_t);
void	 client_say(struct client *, const char *command, const char *text,
	    bool json);
/* Says it as root, waits for the end; the text of the reply. */
const char *ctl(const char *command, const char *text);

/* Steps until it holds, or fails. */
#define UNTIL(x) do {							\
	int	left_ = WAIT_MS;					\
	while (!failing() && !(x) && left_ > 0)					\
		if (!world_step(10))					\
			left_ -= 10;					\
	if (!(x))							\
		fail("line %d: never: %s", __LINE__, #x);		\
} while (0)
/* Is true, and stays so. */
#define STAYS(x) do {							\
	int	left_ = QUIET_MS;					\
	while (left_ > 0)						\
		if (!world_step(10))					\
			left_ -= 10;					\
	if (!(x))							\
		fail("line %d: not: %s", __LINE__, #x);			\
} while (0)
#define IS(x) do {							\
	if (!(x))							\
		fail("line %d: not: %s", __LINE__, #x);			\
} while (0)
#define JUDGED(id, a)	UNTIL(w->verdict[id] == (a))
#define LOGGED(s)	UNTIL(strstr(w->log, s) != NULL)

#endif /* WORLD_H */
