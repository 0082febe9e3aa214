/*
 * SPDX-License-Identifier: ISC
 *
 * ruled(8): what its impure files share.  The pure modules (packet, dns,
 * names, rule, match, list, flows) have headers of their own.
 *
 * The life of a packet: judge.c makes a conn of it and looks for a rule; if
 * none decides, procinfo is asked whose it is (who.c) and the conn waits
 * with others of its kind (pending.c) for the person's answer (ask.c).  What
 * was decided is told to netq at once and to the log when the process is
 * known (decision.c).
 */
#ifndef RULED_H
#define RULED_H

#include <sys/queue.h>
#include <event2/event.h>
#include <stdbool.h>
#include <stdint.h>

#include "imsg.h"
#include "match.h"
#include "msg.h"
#include "names.h"
#include "packet.h"
#include "rule.h"
#include "sbuf.h"

#define PENDING_MAX		4096	/* packets waiting for a person */
#define PENDING_UID_MAX		1024	/* of these, of one user's programs */
#define PENDING_IN_MAX		256	/* and inbound: strangers' doing */
#define CONN_MAX		32768	/* held or waiting for their log line */
#define WHO_LAG_MS		20	/* longest wait before a batch is asked */
#define WHO_BATCH		512
#define NAMES_OF_MAX		NAMES_PER_ADDR
#define VERDICTS_KEPT		16384	/* repeated to a new netq */

/* Why a verdict was what it was: the JSON log's words. */
enum reason {
	REASON_RULE, REASON_ANSWER, REASON_TIMEOUT, REASON_NOBODY,
	REASON_OVERLOAD, REASON_LOCAL, REASON_OTHER, REASON_DNS, REASON_OLDER,
	REASON_CLOSED, REASON_MAX
};

/* What is known of a program, shared by the packets of one question. */
struct who {
	unsigned	 refs;
	struct whois	*is;
	char		*text;	/* of a log line, once it was kept; or NULL */
};

enum conn_state {
	CONN_NEW,
	CONN_WHO,	/* held: procinfo's answer decides how it goes on */
	CONN_PENDING,	/* held: waits for a person */
	CONN_JUDGED	/* verdict given; the log line waits for procinfo */
};

struct pending;

/* One packet on its way through ruled. */
struct conn {
	TAILQ_ENTRY(conn) entry;	/* unasked, or its pending's list */
	LIST_ENTRY(conn) by_number;
	LIST_ENTRY(conn) by_tuple;	/* CONN_PENDING only */
	enum conn_state	 state;
	bool		 asked_who;
	uint32_t	 id;		/* the kernel's */
	uint32_t	 mark;
	uint64_t	 number;	/* netq's */
	uint64_t	 time;		/* CLOCK_MONOTONIC ns, when netq read it */
	uint8_t		 hook;
	uint8_t		 flags;
	uint32_t	 uid;
	uint32_t	 indev, outdev;
	struct tuple	 tuple;
	enum direction	 dir;
	bool		 opens;		/* not a TCP segment without SYN */
	bool		 query;		/* a DNS query: nothing for the text log */
	bool		 again;		/* sent again while it waited: no line */
	bool		 quiet;		/* read last: netq's socket was empty */
	char		*name;		/* judged by; or NULL */
	struct who	*who;		/* NULL: not known yet */
	struct pending	*pending;
	enum action	 action;	/* CONN_JUDGED */
	enum reason	 reason;
	char		*rule;		/* text, or NULL */
	uint64_t	 held;		/* microseconds until the verdict */
	uint64_t	 when;		/* CLOCK_REALTIME ns of the verdict */
};

/* Counted for status and statistics; never reset. */
struct counters {
	uint64_t	packets, allowed, denied, dropped;
	uint64_t	lost;		/* ids that never came */
	uint64_t	malformed;	/* packets no parser understood */
	uint64_t	overload;	/* judged by default, tables full */
	uint64_t	questions, answers, timeouts;
	uint64_t	unknown;	/* log lines without a program */
	uint64_t	bad_clients;
};
extern struct counters counters;	/* written by every file of ruled */

/* main.c */
extern struct msg_start config;		/* read-only after the start */
struct event_base *ruled_base(void);
struct link *ruled_link(enum role);	/* NULL: not there now */
void	 ruled_loaded(void);	/* all files were read: MSG_READY, once */
void	 ruled_begin(void);	/* judges, if all that it needs is there */
void	 ruled_stopped(void);		/* everything is saved: exit */
/* What the parent said of each process up to the prompter. */
const struct msg_child *ruled_child(enum role);
uint64_t now_boot(void);		/* CLOCK_BOOTTIME, ns */
uint64_t now_real(void);		/* CLOCK_REALTIME, ns */
uint64_t now_mono(void);		/* CLOCK_MONOTONIC, ns */
/*
 * Between the two now_boot() and now_real() stand still, for the packets of
 * one message: four readings less for each of them.
 */
void	 clocks_hold(void);
void	 clocks_release(void);

/* host.c: own addresses and interface names, as procinfo tells them. */
int	 host_update(const struct msg_host *);	/* -1: too much of it */
bool	 host_is_known(void);	/* procinfo has told all of it once */
bool	 host_is_own(const struct addr *);	/* loopback included */
const char *host_ifname(uint32_t);	/* NULL: no such interface */

/* kernel.c: the kernel's own counters of the queue. */
struct kernel_counts {
	uint32_t	waiting;	/* for a verdict */
	uint32_t	dropped;	/* the queue was full */
	uint32_t	undelivered;	/* the socket was full */
	uint32_t	last_id;	/* of the packet queued last */
};
int	 kernel_read(struct kernel_counts *);	/* -1: not to be had */

/* judge.c */
void	 judge_init(void);
/* One MSG_PACKETS: 0, or -1 when netq sent rubbish. */
int	 judge_packets(struct imsg *);
/* The conn's program is known now (who is set): go on. */
void	 judge_again(struct conn *);
/*
 * Looks for a rule with what is known.  MATCH_RULE: the conn was judged and
 * is gone.  Otherwise it is the caller's.
 */
enum match_result judge_match(struct conn *);
/* Gives the verdict; takes the conn over. */
void	 judge_decide(struct conn *, enum action, enum reason,
	    const struct rule *);
/* The configured default, for a conn that nobody could judge. */
void	 judge_default(struct conn *, enum reason);
/* A new netq: repeats verdicts; drops what its predecessor swallowed. */
void	 judge_netq_restarted(void);
/* The names of the conn's remote end; out has NAMES_OF_MAX places. */
size_t	 judge_names(const struct conn *, const char *out[], size_t *total);
struct names *judge_names_table(void);
/* For `tinysnitchctl test`: which rule decides about this subject. */
enum match_result judge_subject(struct subject *, struct match *);

/* conn.c */
struct conn *conn_new(const struct msg_packet *, uint64_t time);
void	 conn_free(struct conn *);
struct conn *conn_by_number(uint64_t);
void	 conn_set_name(struct conn *, const char *);	/* NULL: by none */
struct who *who_new(const struct whois *);
struct who *who_ref(struct who *);
void	 who_unref(struct who *);

/* who.c: asking procinfo. */
void	 who_init(void);
/* Asks at once for a conn that is held, in a batch for one that is judged. */
void	 who_ask(struct conn *);
enum who_source who_source(void);	/* of the last answer about outbound */
int	 who_answer(struct imsg *);	/* MSG_WHOIS */
int	 who_answer_same(struct imsg *);	/* MSG_WHOIS_SAME */
int	 who_sources_told(struct imsg *);	/* MSG_SOURCES */
/* How programs can be named: "event, socket". */
void	 who_sources(char *, size_t);
void	 who_ask_again(void);		/* a new procinfo */
/* A new netq counts from one again: what was asked stays unknown. */
void	 who_netq_restarted(void);
/* Is the TCP socket behind a held packet still there?  Answers later. */
void	 who_check(const struct conn *, void (*)(enum sock_state));

/* pending.c */
/*
 * Packets that one answer is about: the same direction, program, destination
 * and port.  A browser's six connections, of both families, are one.
 */
struct pending {
	TAILQ_ENTRY(pending) entry;
	LIST_ENTRY(pending) by_key;
	TAILQ_HEAD(, conn) conns;	/* never empty */
	uint32_t	 count;
	uint64_t	 since;		/* CLOCK_MONOTONIC, ns */
	enum direction	 dir;
	uint8_t		 proto;
	uint16_t	 port;
	bool		 has_uid;
	uint32_t	 uid;
	char		 dest[HOST_NAME_MAX_DNS];	/* name, or address */
	struct who	*who;
};
void	 pending_init(void);
/* Takes the conn: it waits, joins others, or is judged by default. */
void	 pending_add(struct conn *);
/* A retransmission of a packet that waits: it waits too.  True if so. */
bool	 pending_join(struct conn *);
/* The conn leaves its entry, which may end with it. */
void	 pending_remove(struct conn *);
/* Every waiting packet is matched again: the rules have changed. */
void	 pending_rematch(void);
struct pending *pending_first(void);	/* the next to ask about, or NULL */
struct pending *pending_next(const struct pending *);	/* in that order */
size_t	 pending_entries(void);
size_t	 pending_packets(void);
/* Judges all packets of one entry; the entry is gone afterwards. */
void	 pending_decide(struct pending *, enum action, enum reason,
	    const struct rule *);
/*
 * Only those of the rule's addresses: one entry may hold packets of many
 * strangers, and of several addresses of one name.  rule may also be that of
 * an answer that makes none; logged: the rule that was made, or NULL.
 */
void	 pending_decide_covered(struct pending *, const struct rule *rule,
	    enum reason, const struct rule *logged);
/* As pending_decide, for every entry of the same program. */
void	 pending_decide_program(struct pending *, enum reason);
void	 pending_decide_all(enum reason);
/* Too many of these: says so, once in a while. */
void	 pending_overload(const char *what);

/* ask.c */
void	 ask_init(void);
bool	 ask_possible(void);		/* is there anybody to ask? */
void	 ask_changed(void);		/* entries came, went or grew */
void	 ask_gone(struct pending *);	/* this entry ends */
/* A prompter or asker came, with a fresh link, or went. */
void	 ask_asker(struct link *, bool here);
int	 ask_answer(struct link *, struct imsg *);	/* MSG_ANSWER */
void	 ask_pause(uint64_t until);	/* CLOCK_BOOTTIME ns; 0: resume */
uint64_t ask_paused(void);		/* until when; 0: is not */

/* decision.c */
void	 decision_init(void);
void	 decision_log(const struct conn *);	/* its who is set, or unknown */
bool	 decision_names_rule(void);	/* does some form tell the rule? */
/* "INFO text", to every sink, in order with the decisions. */
void	 line_info(const char *, ...)
	    __attribute__((__format__(printf, 1, 2)));
void	 line_error(const char *, ...)
	    __attribute__((__format__(printf, 1, 2)));
void	 line_flush(void);
const char *proto_name(uint8_t, char [4]);
const char *reason_name(enum reason);
/* "[603062] /usr/bin/curl curl bing.com", escaped; who may be NULL. */
void	 who_text(struct sbuf *, const struct who *);
/* Many lines are to come about this one: who_text() makes its part once. */
void	 who_keep_text(struct who *);
/* "tcp | src:port -> dst:port" of a conn, with names. */
void	 conn_text(struct sbuf *, const struct conn *);

/*
 * files.c: ruled opens and writes nothing.  The parent hands over open files
 * (MSG_OPEN, MSG_FILE), says which inotify events mean that they changed, and
 * puts sealed memory into their place (MSG_COMMIT).  What they contain is
 * store.c's business.
 */
struct file {
	LIST_ENTRY(file) entry;
	enum file_kind	 kind;
	uint8_t		 part;		/* of FILE_RESOLVERS */
	enum action	 action;	/* of FILE_LIST */
	char		*path;
	char		*text;		/* not of lists; NUL-terminated */
	size_t		 len;
	struct file_version version;
	bool		 seen;		/* the parent has answered once */
	bool		 named;		/* by the rules in force */
	bool		 naming;	/* by those that are being loaded */
	bool		 wanted;	/* to be opened (again) */
	uint32_t	 err;		/* errno of the last opening */
	int		 fd;		/* FILE_LIST while it loads; else -1 */
	uint8_t		 nwatch;
	int32_t		 wd[WATCHES_PER_FILE];
	char		 watch[WATCHES_PER_FILE][256];
};
void	 files_init(void);
struct file *file_get(enum file_kind, uint8_t, const char *path);
struct file *file_first(void);
void	 file_want(struct file *);
void	 file_drop(struct file *);	/* includes and lists no longer named */
bool	 files_busy(void);		/* something is still to be opened */
int	 files_arrived(struct imsg *);	/* MSG_FILE */
/* Copies the text; one waits for another.  kind: rules, temporary, names. */
void	 files_commit(enum file_kind, const char *, size_t);
bool	 files_waiting(enum file_kind);	/* a newer text of this kind is next */
bool	 files_committing(void);
int	 files_committed(struct imsg *);	/* MSG_COMMITTED */

/* store.c: what the files contain, by kind. */
void	 store_init(void);
void	 store_arrived(struct file *, bool changed);
void	 store_committed(enum file_kind, uint32_t err);
void	 store_reload(void);
void	 store_stop(void);		/* save what is unsaved, then stop */
void	 store_maybe_loaded(void);
const struct passwd_map *store_passwd(void);
const char *store_user(uint32_t, char [16]);	/* name, or the number */
void	 store_names_changed(void);
struct file *store_rules_file(void);
struct ruleset *store_ruleset(bool newest_first);	/* empty, keyed */
struct event *store_timer(event_callback_fn);

/* rules.c: the permanent rules. */
void	 rules_init(void);
const struct ruleset *rules_permanent(void);
bool	 rules_loaded(void);		/* once, at least */
void	 rules_changed(void);		/* load them anew, soon */
void	 rules_again(void);		/* the same, if it waits for a file */
bool	 rules_loading(void);		/* they are being read */
void	 rules_edited(bool add, const struct rule *);

/* change.c: adding and deleting, in force at once. */
/*
 * done (may be NULL) is called once it is settled, with NULL or an error, and
 * a remark or NULL.  Deleting takes a temporary rule first.
 */
typedef void (change_done)(const char *error, const char *remark, void *);
/* seconds 0: permanent, written to the file. */
void	 change_add(const struct rule *, uint32_t seconds, change_done *,
	    void *);
void	 change_delete(const struct rule *, change_done *, void *);
void	 change_forget(const void *);	/* done must not be called with this */
/* The text as it was read, with all changes; the caller frees it. */
char	*change_text(size_t *);
void	 change_commit(void);		/* what is not on its way yet */
bool	 change_unwritten(void);	/* is anything not in the file yet? */
void	 change_give_up(void);		/* it never will be: says what */
void	 change_committed(uint32_t err);
void	 change_temporary_committed(uint32_t err);
void	 change_arrived(bool changed);	/* the rules file was read */

/* temporary.c: rules for a time. */
void	 temporary_init(void);
const struct ruleset *temporary_rules(void);
/* Once, when both they and the users that they may name are known. */
void	 temporary_load(void);
const char *temporary_add(const struct rule *, uint32_t seconds);
bool	 temporary_delete(const struct rule *);

/* slices.c: deny-list and allow-list files. */
void	 slices_init(const uint8_t [16]);
const struct lists *slices_lists(void);
bool	 slices_busy(void);
void	 slices_next(void);		/* if one waits and none loads */
void	 slices_stop(const struct file *);	/* it is read no further */
void	 slices_keep(bool (*)(enum action, const char *, void *), void *);

/* resolvers.c: whose replies teach names. */
void	 resolvers_parse(struct file *);
bool	 resolvers_have(const struct addr *);

/* control.c */
void	 control_init(void);
void	 control_monitor(const char *line, const char *json);
bool	 control_monitored(void);
/* The same for `tinysnitchctl ask` and the prompter: what links there are. */
typedef void (asker_fn)(struct link *, void *);
void	 control_askers(asker_fn *, void *);

/* check.c: ruled -n. */
int	 check_main(int argc, char *argv[]);

#endif /* RULED_H */
