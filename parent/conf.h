/*
 * SPDX-License-Identifier: ISC
 *
 * tinysnitch.conf: what it can say.  Pure but for reading the file.
 */
#ifndef CONF_H
#define CONF_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "msg.h"

#define CONF_PATH	SYSCONFDIR "/tinysnitch.conf"
#define CONF_SIZE_MAX	(256 * 1024)	/* bytes of the file */
#define CONF_NAME_MAX	33		/* user and group names, with NUL */
#define LOGS_MAX	8
#define JUDGED_MARK	0x02000000U	/* iptables form: "was judged" */

enum conf_firewall { FIREWALL_AUTO, FIREWALL_NFT, FIREWALL_IPTABLES,
    FIREWALL_MANUAL };
enum conf_frames { FRAMES_IGNORE, FRAMES_WARN, FRAMES_DROP };
enum conf_log { LOGTO_STDERR, LOGTO_SYSLOG, LOGTO_JOURNAL, LOGTO_FILE };

struct log_conf {
	enum conf_log	to;
	bool		json;
	char		path[PATH_MAX];	/* LOGTO_FILE */
	int		line;		/* of its statement */
};

/* Where the file says what only a look at the machine can judge; 0: nowhere. */
struct conf_line {
	int	rules;
	int	names;
	int	control;
	int	user;
	int	ask_user;
};

struct conf {
	char			rules[PATH_MAX];
	char			names[PATH_MAX];
	char			control[108];	/* of struct sockaddr_un */
	char			control_group[CONF_NAME_MAX];	/* "": root */
	uint16_t		queue;
	enum conf_firewall	firewall;
	uint32_t		deny_mark;
	enum conf_frames	frames;
	bool			after_crash_pass;
	enum action		unanswered;
	bool			ipv6_block;
	bool			loopback_filter;
	bool			other_filter;
	bool			forward_filter;
	bool			ask_x11;
	char			display[32];	/* "": auto */
	char			xauthority[PATH_MAX];	/* "": none */
	uint32_t		ask_timeout;	/* seconds */
	uint32_t		ask_delay;	/* milliseconds */
	bool			ask_synthetic;
	bool			resolver_auto;
	uint8_t			nresolver;
	struct addr		resolver[RESOLVERS_MAX];
	char			user[CONF_NAME_MAX];
	char			ask_user[CONF_NAME_MAX];
	char			font[128];
	uint16_t		font_size;
	enum theme		theme;
	uint8_t			nlog;
	struct log_conf		log[LOGS_MAX];
	struct conf_line	 line;
};

/* conf.y */
void	 conf_defaults(struct conf *);
/*
 * Reads the whole file; each error goes to the last argument as one line,
 * `file:line: reason`.  Returns the number of errors.  What the file does not
 * say keeps its default.
 */
int	 conf_parse(struct conf *, const char *, FILE *, FILE *);

/* conf_print.c: canonical form, every statement; parses back to itself. */
void	 conf_print(const struct conf *, FILE *);

#endif /* CONF_H */
