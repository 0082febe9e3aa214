/*
 * SPDX-License-Identifier: ISC
 *
 * What the parent's files share.  The parent is root for its whole life, so
 * it parses nothing but its configuration and the frames of its children.
 */
#ifndef PARENT_H
#define PARENT_H

#include <event2/event.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "conf.h"
#include "imsg.h"
#include "log.h"
#include "msg.h"

/* Opened once with full rights, kept for every restart; -1: not to be had. */
struct shared_fds {
	int	null;
	int	root;		/* an empty, read-only mount */
	int	root_proc;	/* a private procfs */
	int	queue;
	int	tables;		/* nftables events */
	int	diag;
	int	route;
	int	connector;
	int	host;		/* the root directory, as O_PATH */
	int	audit;
	int	cpus;		/* kernel messages about CPUs */
	int	control;
	int	watch;		/* inotify, read by ruled */
	int	counters;
};

struct parent {
	struct conf		 conf;
	const char		*conf_path;
	struct event_base	*base;
	struct shared_fds	 fds;
	enum fw_form		 form;
	bool			 foreground;
	int			 verbose;
	uid_t			 uid, ask_uid;
	gid_t			 gid, ask_gid, control_gid;
	char			 libexec[PATH_MAX];
	char			 firewall[PATH_MAX];	/* the script */
};

extern struct parent env;

/* main.c */
/* Ends the daemon in order; the argument says whether rules are removed. */
void	 parent_stop(bool remove_rules);
bool	 parent_stopping(void);
void	 parent_stop_next(void);	/* a child ended meanwhile */
int64_t	 parent_now_ms(void);

/* check.c */
/* -n, after so many errors in the configuration; returns the exit status. */
int	 check_only(int errors);

/* Counts what may happen only so often: six things in ten seconds, say. */
#define RATE_MAX	6
#define RATE_MS		10000
struct rate {
	int64_t	at[RATE_MAX];
	int	next;
};
/* Notes that it happened now; returns how often in the last RATE_MS. */
int	 rate_count(struct rate *);

/* open.c */
void	 open_all(void);
void	 open_close(void);	/* removes the control socket */

/* A connection to an X server, made in the name of the display's user. */
struct display {
	bool	 ok;
	char	 why[128];	/* not ok: the reason */
	uid_t	 uid;
	char	 name[32];	/* ":0" */
	char	 xauth_name[32];
	uint8_t	 xauth_len;
	uint8_t	 xauth[64];
	uint8_t	 screen;
};

/* display.c, in the stub; the descriptor is -1 or an X connection. */
int	 display_connect(struct display *);
/* display.c, in the parent: calls back when it may be worth a new look. */
void	 display_watch(void (*)(void));

/* stub.c */
enum stub_order {
	STUB_PROBE = 'p',	/* which form of kernel rules can be had? */
	STUB_ADD = 'a',
	STUB_CHECK = 'c',
	STUB_DISPLAY = 'd',
	STUB_EVENTS = 'e',	/* a fresh set, one reply for each event */
	STUB_STOP = 's',	/* remove the rules and end */
	STUB_LEAVE = 'q'	/* leave the rules and end */
};

struct stub_reply {
	uint8_t		order;
	bool		ok;
	uint8_t		form;	/* enum fw_form */
	bool		silent;	/* changes to the rules raise no event */
	char		text[256];	/* not ok: the reason */
	struct display	display;
	struct msg_event event;
};

typedef void (stub_done)(const struct stub_reply *, int fd);

void	 stub_start(void);
/* Waits for the answer: only before the loop runs, and at the end. */
int	 stub_call(enum stub_order, struct stub_reply *, int *fd);
/* From now on answers come to the callback; a stub that ends is fatal. */
void	 stub_listen(stub_done *);
/* The same order twice before its answer is one order. */
void	 stub_order(enum stub_order);
pid_t	 stub_pid(void);

/* spare.c */
/* A process that waits to be told what to be, and the link to it; or -1. */
pid_t	 spare_take(enum role, int *fd);
void	 spare_keep(void);	/* from now on one of each is ready */
void	 spare_renew(void);	/* if they are kept and one is missing */
/* Like proc_changed(), which asks it. */
bool	 spare_changed(pid_t, int status);
void	 spare_close_all(void);
int	 spare_count(void);
void	 spare_kill_all(void);

/* proc.c */
void	 proc_start_all(void);	/* but the prompter */
bool	 proc_all_ready(void);
/* Something under PID changed state; false if it is none of ours. */
bool	 proc_changed(pid_t, int status);
void	 proc_start_prompter(int x, const struct display *);
void	 proc_stop_prompter(const char *why);
bool	 proc_prompter_runs(void);
void	 proc_no_display(const char *why);
/* NULL while it is not running. */
struct link *proc_link(enum role);
void	 proc_close_all(void);	/* end of file: they end by themselves */
int	 proc_count(void);
void	 proc_kill_all(void);
/* Hears of each child that became ready, and of the table's events. */
void	 proc_on_ready(void (*)(enum role));
void	 proc_on_table(void (*)(void));
void	 proc_send_events(void);	/* a fresh set is there */
/* A prompter ended: true if a display should be looked for at once. */
void	 proc_on_no_prompter(void (*)(bool));

/* files.c */
void	 files_check(void);	/* creates the rules file if missing */
/* A regular file that users without rights may change. */
bool	 file_is_anybodys(int);
void	 files_send_all(struct link *);
int	 files_open(struct link *, struct imsg *);
int	 files_commit(struct link *, struct imsg *);

/* logsink.c */
void	 logsink_init(void);	/* needs env.conf, env.foreground */
void	 logsink_start(void);	/* needs env.base */
/* A log_writer: the parent's own lines. */
void	 logsink_own(enum log_level, const char *);
void	 logsink_child(enum role, const struct msg_log *);
void	 logsink_reopen(void);
/* Standard error belongs to somebody else from now on. */
void	 logsink_detach(void);
void	 logsink_flush(void);
/* The forms that some sink wants: LOGFORM_*. */
uint8_t	 logsink_forms(void);

#endif /* PARENT_H */
