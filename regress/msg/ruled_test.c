/*
 * SPDX-License-Identifier: ISC
 *
 * ruled as a whole: packets in, verdicts, questions and log lines out.
 */
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "world.h"

#define DNS_RULE	"allow 192.0.2.53 53 udp\n"

/* ---- rules */

static void
t_rules(void)
{
	uint32_t	a, d, x;

	world_start("allow 203.0.113.1 80 tcp\ndeny 203.0.113.1 81 tcp\n"
	    "drop 203.0.113.1 82 tcp\n");
	w->who_silent = true;
	a = out_tcp(1001, "203.0.113.1", 80);
	d = out_tcp(1002, "203.0.113.1", 81);
	x = out_tcp(1003, "203.0.113.1", 82);
	JUDGED(a, ACTION_ALLOW);
	JUDGED(d, ACTION_DENY);
	JUDGED(x, ACTION_DROP);
	IS(w->asks == 0);
}

static void
t_log_line(void)
{
	const char	*line;
	uint32_t	 a;

	world_start("allow 203.0.113.1 80 tcp\n");
	a = out_tcp(46700, "203.0.113.1", 80);
	JUDGED(a, ACTION_ALLOW);
	LOGGED(" INFO allow tcp | localhost:46700 -> 203.0.113.1:80 | "
	    "[4711] /usr/bin/curl curl -s http://x\n");
	line = strstr(w->log, " INFO allow");
	IS(line != NULL && line - w->log >= 26 && line[-7] == '.' &&
	    line[-16] == 'T');
}

static void
t_exe_first(void)
{
	uint32_t	a, b;

	world_start("allow 203.0.113.1 80 tcp exe=/usr/bin/curl\n"
	    "deny 203.0.113.1 80 tcp\n");
	w->who_silent = true;
	a = out_tcp(1001, "203.0.113.1", 80);
	UNTIL(w->nwho == 1);
	STAYS(w->verdict[a] == UNJUDGED);
	world_end();
	world_start("allow 203.0.113.1 80 tcp exe=/usr/bin/curl\n"
	    "deny 203.0.113.1 80 tcp\n");
	a = out_tcp(1001, "203.0.113.1", 80);
	JUDGED(a, ACTION_ALLOW);
	(void)strlcpy(w->is.exe, "/usr/bin/wget", sizeof(w->is.exe));
	b = out_tcp(1002, "203.0.113.1", 80);
	JUDGED(b, ACTION_DENY);
}

/* ---- questions */

static void
t_question(void)
{
	uint32_t	a;

	world_start("");
	a = out_tcp(1001, "203.0.113.1", 443);
	UNTIL(w->asks == 1);
	UNTIL(w->answers == 2);		/* one at the start, one for this */
	IS(w->verdict[a] == UNJUDGED);
	IS(w->ask.pid == 4711 && strcmp(w->ask.exe, "/usr/bin/curl") == 0);
	IS(strcmp(w->ask.user, "user") == 0);
	IS(strcmp(w->ask.line[0].text, "203.0.113.1 443 tcp") == 0);
	IS(w->ask.left_ms > 50000 && w->ask.more == 0 && w->ask.held == 1);
	LOGGED(" INFO ask tcp | localhost:1001 -> 203.0.113.1:443 | [4711]");
}

static void
one_duration(enum duration d, enum action action)
{
	char		line[128];
	uint32_t	a, b;

	world_start("# mine\n");
	a = out_tcp(1001, "203.0.113.1", 443);
	UNTIL(w->asks == 1);
	answer(&w->prompter, w->ask.question, 0, action, d);
	JUDGED(a, action);
	b = out_tcp(1002, "203.0.113.1", 443);
	if (d == DURATION_ONCE) {
		UNTIL(w->asks == 2);
		IS(w->verdict[b] == UNJUDGED);
		return;
	}
	JUDGED(b, action);
	(void)snprintf(line, sizeof(line), "%s 203.0.113.1 443 tcp\n",
	    action_name(action));
	if (d == DURATION_FOREVER) {
		UNTIL(w->commits[FILE_RULES] == 1);
		IS(strstr(w->committed[FILE_RULES], "# mine\n") != NULL);
		IS(strstr(w->committed[FILE_RULES], line) != NULL);
		return;
	}
	UNTIL(w->commits[FILE_TEMPORARY] == 1);
	IS(strstr(w->committed[FILE_TEMPORARY], line) != NULL);
	IS(w->commits[FILE_RULES] == 0);
}

static void
t_once(void)
{
	one_duration(DURATION_ONCE, ACTION_ALLOW);
	world_end();
	one_duration(DURATION_ONCE, ACTION_DENY);
}

static void
t_minutes(void)
{
	enum duration	d;

	for (d = DURATION_1M; d <= DURATION_24H; d++) {
		one_duration(d, d == DURATION_9M ? ACTION_DENY : ACTION_ALLOW);
		world_end();
	}
	world_start("");
}

static void
t_forever(void)
{
	one_duration(DURATION_FOREVER, ACTION_ALLOW);
	world_end();
	one_duration(DURATION_FOREVER, ACTION_DENY);
}

static void
t_toggles(void)
{
	uint32_t	a, b;

	world_start(DNS_RULE);
	learn("www.example.com", "203.0.113.9");
	a = out_tcp(1001, "203.0.113.9", 443);
	UNTIL(w->asks == 1);
	IS(strcmp(w->ask.name[0], "www.example.com") == 0);
	answer(&w->prompter, w->ask.question,
	    line_of(&w->ask, ASK_DOMAIN | ASK_PORT | ASK_EXE), ACTION_ALLOW,
	    DURATION_FOREVER);
	JUDGED(a, ACTION_ALLOW);
	UNTIL(w->commits[FILE_RULES] == 1);
	IS(strstr(w->committed[FILE_RULES],
	    "allow *.example.com - tcp exe=/usr/bin/curl\n") != NULL);
	learn("other.example.com", "203.0.113.10");
	b = out_tcp(1002, "203.0.113.10", 80);
	JUDGED(b, ACTION_ALLOW);
}

static void
t_six_are_one(void)
{
	uint32_t	id[6];
	size_t		i;

	world_start(DNS_RULE);
	learn("www.example.com", "203.0.113.9");
	for (i = 0; i < 6; i++) {
		/* However it was found out who it is. */
		w->is.source = i % 2 ? WHO_EVENT : WHO_SOCKET;
		w->is.pid = 4711 + (uint32_t)i;
		id[i] = out_tcp(1001 + (int)i, "203.0.113.9", 443);
		UNTIL(w->nwho >= i + 2);
		(void)world_step(20);
	}
	UNTIL(w->ask.held == 6);
	IS(w->asks == 1 && w->ask.more == 0);
	answer(&w->prompter, w->ask.question, 0, ACTION_ALLOW, DURATION_ONCE);
	for (i = 0; i < 6; i++)
		JUDGED(id[i], ACTION_ALLOW);
	STAYS(w->asks == 1);
}

static void
t_sent_again(void)
{
	uint32_t	a, b;
	unsigned	nwho;

	world_start("");
	a = out_tcp(1001, "203.0.113.1", 443);
	UNTIL(w->asks == 1);
	nwho = w->nwho;
	b = out_tcp(1001, "203.0.113.1", 443);
	UNTIL(w->ask.held == 2);
	IS(w->asks == 1 && w->nwho == nwho);
	answer(&w->prompter, w->ask.question, 0, ACTION_ALLOW, DURATION_ONCE);
	JUDGED(a, ACTION_ALLOW);
	JUDGED(b, ACTION_ALLOW);
}

static void
t_another_program(void)
{
	uint32_t	a, b;

	world_start("");
	a = out_tcp(1001, "203.0.113.1", 443);
	UNTIL(w->asks == 1);
	(void)strlcpy(w->is.exe, "/usr/bin/wget", sizeof(w->is.exe));
	b = out_tcp(1002, "203.0.113.1", 443);
	UNTIL(w->ask.more == 1);
	answer(&w->prompter, w->ask.question, 0, ACTION_ALLOW, DURATION_ONCE);
	JUDGED(a, ACTION_ALLOW);
	UNTIL(w->asks == 2);
	IS(strcmp(w->ask.exe, "/usr/bin/wget") == 0);
	STAYS(w->verdict[b] == UNJUDGED);
}

static void
t_covered(void)
{
	uint32_t	a, b;

	world_start("");
	a = out_tcp(1001, "203.0.113.1", 443);
	UNTIL(w->asks == 1);
	b = out_tcp(1002, "203.0.113.1", 80);
	UNTIL(w->ask.more == 1);
	answer(&w->prompter, w->ask.question, line_of(&w->ask, ASK_PORT),
	    ACTION_ALLOW, DURATION_1M);
	JUDGED(a, ACTION_ALLOW);
	JUDGED(b, ACTION_ALLOW);
	STAYS(w->asks == 1);
}

/* The time an answer is of no use for. */
static void
t_late_answers(void)
{
	uint32_t	a, b, first;

	world_start("");
	a = out_tcp(1001, "203.0.113.1", 443);
	UNTIL(w->asks == 1);
	first = w->ask.question;
	answer(&w->prompter, first, 0, ACTION_DENY, DURATION_ONCE);
	answer(&w->prompter, first, 0, ACTION_ALLOW, DURATION_FOREVER);
	JUDGED(a, ACTION_DENY);
	b = out_tcp(1002, "203.0.113.1", 443);
	UNTIL(w->asks == 2);
	answer(&w->prompter, first, 0, ACTION_ALLOW, DURATION_FOREVER);
	STAYS(w->verdict[b] == UNJUDGED && w->commits[FILE_RULES] == 0);
	IS(w->bad[ROLE_PROMPTER] == 0);
}

static void
t_wrong_line(void)
{
	uint32_t	a;

	world_start("");
	a = out_tcp(1001, "203.0.113.1", 443);
	UNTIL(w->asks == 1);
	answer(&w->prompter, w->ask.question, w->ask.nlines, ACTION_ALLOW,
	    DURATION_FOREVER);
	UNTIL(w->bad[ROLE_PROMPTER] == 1);
	JUDGED(a, ACTION_DENY);
}

static void
t_wrong_question(void)
{
	uint32_t	a;

	world_start("");
	a = out_tcp(1001, "203.0.113.1", 443);
	UNTIL(w->asks == 1);
	answer(&w->prompter, w->ask.question + 1, 0, ACTION_ALLOW,
	    DURATION_FOREVER);
	UNTIL(w->bad[ROLE_PROMPTER] == 1);
	JUDGED(a, ACTION_DENY);
}

static void
t_timeout(void)
{
	uint32_t	a, b, c;

	setup.start.ask_timeout = 1;
	world_start("");
	a = out_tcp(1001, "203.0.113.1", 443);
	b = out_tcp(1002, "203.0.113.2", 443);
	UNTIL(w->asks == 1 && w->ask.more == 1);
	(void)strlcpy(w->is.exe, "/usr/bin/wget", sizeof(w->is.exe));
	c = out_tcp(1003, "203.0.113.3", 443);
	JUDGED(a, ACTION_DENY);
	JUDGED(b, ACTION_DENY);
	UNTIL(w->asks == 2 && w->ends == 1);
	IS(w->verdict[c] == UNJUDGED);
	IS(strcmp(w->ask.exe, "/usr/bin/wget") == 0);
	IS(w->commits[FILE_RULES] + w->commits[FILE_TEMPORARY] == 0);
}

static void
nobody(enum action configured, enum action expected)
{
	uint32_t	a;

	setup.no_prompter = true;
	setup.start.unanswered = (uint8_t)configured;
	world_start("");
	a = out_tcp(1001, "203.0.113.1", 443);
	JUDGED(a, expected);
}

static void
t_nobody(void)
{
	nobody(ACTION_DENY, ACTION_DENY);
	world_end();
	nobody(ACTION_DROP, ACTION_DROP);
	world_end();
	nobody(ACTION_MAX, ACTION_ALLOW);
}

static void
t_withdrawn(void)
{
	uint32_t	a, b;

	world_start("");
	a = out_tcp(1001, "203.0.113.1", 443);
	UNTIL(w->asks == 1);
	w->is.pid = 4712;
	b = out_tcp(1002, "203.0.113.1", 443);
	UNTIL(w->ask.held == 2);
	w->is.socket = SOCK_NONE;	/* of the first one */
	JUDGED(a, ACTION_DENY);
	w->is.socket = SOCK_CONNECTING;
	/* The question is about the other one now. */
	UNTIL(w->ask.held == 1);
	IS(w->verdict[b] == UNJUDGED && w->asks == 1);
	IS(w->ask.pid == 4712 && w->ask.tuple.sport == 1002);
}

/* ---- inbound, old connections */

static void
t_inbound_closed(void)
{
	uint32_t	a;

	world_start("");
	w->is.pid = 0;
	w->is.source = WHO_UNKNOWN;
	w->is.socket = SOCK_NONE;
	a = in_tcp(PEER, 40000, 22);
	JUDGED(a, ACTION_DENY);
	IS(w->asks == 0);
}

static void
t_inbound(void)
{
	uint32_t	a;

	world_start("");
	w->is.socket = SOCK_LISTENING;
	a = in_tcp(PEER, 40000, 22);
	UNTIL(w->asks == 1);
	IS(w->ask.direction == DIR_IN);
	IS(strcmp(w->ask.line[0].text, "localhost 22 tcp in") == 0);
	answer(&w->prompter, w->ask.question, 0, ACTION_ALLOW, DURATION_1M);
	JUDGED(a, ACTION_ALLOW);
}

/* An answer about one stranger is about no other. */
static void
t_inbound_address(void)
{
	uint32_t	a, b, c;

	world_start("");
	w->is.socket = SOCK_LISTENING;
	a = in_tcp(PEER, 40000, 22);
	UNTIL(w->asks == 1);
	IS(strcmp(w->ask.line[line_of(&w->ask, ASK_ADDR)].text,
	    "localhost 22 tcp in from=198.51.100.7") == 0);
	b = in_tcp("198.51.100.8", 40000, 22);
	c = in_tcp(PEER, 40001, 22);
	UNTIL(w->ask.held == 3);
	answer(&w->prompter, w->ask.question, line_of(&w->ask, ASK_ADDR),
	    ACTION_ALLOW, DURATION_ONCE);
	JUDGED(a, ACTION_ALLOW);
	JUDGED(c, ACTION_ALLOW);
	UNTIL(w->asks == 2);
	IS(w->verdict[b] == UNJUDGED);
	IS(w->ask.tuple.src.b[3] == 8 && w->ask.held == 1);
	answer(&w->prompter, w->ask.question, 0, ACTION_DENY, DURATION_1M);
	JUDGED(b, ACTION_DENY);
}

static void
t_named_address(void)
{
	uint32_t	a, b;

	world_start(DNS_RULE);
	learn("www.example.com", "203.0.113.9");
	learn("www.example.com", "203.0.113.10");
	a = out_tcp(1001, "203.0.113.9", 443);
	UNTIL(w->asks == 1);
	IS(strcmp(w->ask.line[line_of(&w->ask, ASK_ADDR)].text,
	    "203.0.113.9 443 tcp") == 0);
	b = out_tcp(1002, "203.0.113.10", 443);
	UNTIL(w->ask.held == 2);
	answer(&w->prompter, w->ask.question, line_of(&w->ask, ASK_ADDR),
	    ACTION_ALLOW, DURATION_1M);
	JUDGED(a, ACTION_ALLOW);
	UNTIL(w->asks == 2);
	IS(w->verdict[b] == UNJUDGED && w->ask.held == 1);
}

/* Two terminals and a window: the first answer counts, all others close. */
static void
t_first_answer(void)
{
	struct client	*one, *two;
	uint32_t	 a;

	world_start("");
	one = client_new(0);
	client_say(one, "ask", "", false);
	two = client_new(0);
	client_say(two, "ask", "", false);
	a = out_tcp(1001, "203.0.113.1", 443);
	UNTIL(w->asks == 1 && one->asks == 1 && two->asks == 1);
	answer(&two->peer, two->ask.question, 0, ACTION_DENY, DURATION_ONCE);
	JUDGED(a, ACTION_DENY);
	UNTIL(w->ends == 1 && one->ends == 1);
	answer(&one->peer, one->ask.question, 0, ACTION_ALLOW,
	    DURATION_FOREVER);
	answer(&w->prompter, w->ask.question, 0, ACTION_ALLOW,
	    DURATION_FOREVER);
	STAYS(w->verdicts[a] == 1 && w->commits[FILE_RULES] == 0);
	IS(strstr(ctl("rules", ""), "203.0.113.1") == NULL);
	IS(w->bad[ROLE_PROMPTER] == 0);
}

/* What is answered about own ports must not open them to strangers. */
static void
t_to_oneself(void)
{
	uint32_t	a, b;

	setup.start.loopback_filter = 1;
	world_start("");
	a = out_tcp(1001, LAN, 8080);
	UNTIL(w->asks == 1);
	IS(strcmp(w->ask.line[0].text, "localhost 8080 tcp out") == 0);
	answer(&w->prompter, w->ask.question, 0, ACTION_ALLOW,
	    DURATION_FOREVER);
	JUDGED(a, ACTION_ALLOW);
	w->is.socket = SOCK_LISTENING;
	b = in_tcp(PEER, 40000, 8080);
	UNTIL(w->asks == 2);
	IS(w->verdict[b] == UNJUDGED);
}

static uint32_t
segment(int sport, enum sock_state socket)
{
	uint8_t	p[64];
	size_t	n = packet_tcp(p, LAN, sport, "203.0.113.1", 443, 0x10);

	w->is.socket = (uint8_t)socket;
	return packet_put(HOOK_OUT, 1000, p, n);
}

static void
t_midstream(void)
{
	uint32_t	a, b;

	world_start("");
	a = segment(1001, SOCK_ESTABLISHED);
	JUDGED(a, ACTION_ALLOW);
	b = segment(1002, SOCK_NONE);
	JUDGED(b, ACTION_DROP);
	b = segment(1003, SOCK_CONNECTING);
	JUDGED(b, ACTION_DROP);
	IS(w->asks == 0);
}

static void
t_malformed(void)
{
	uint8_t		p[64];
	uint32_t	a;

	world_start("allow - - -\n");
	(void)packet_tcp(p, LAN, 1, "203.0.113.1", 443, 2);
	a = packet_put(HOOK_OUT, 1000, p, 22);
	JUDGED(a, ACTION_DENY);
	memset(p, 0xff, sizeof(p));
	a = packet_put(HOOK_OUT, 1000, p, sizeof(p));
	JUDGED(a, ACTION_DENY);
	a = packet_put(HOOK_OUT, 1000, p, 0);
	JUDGED(a, ACTION_DENY);
	IS(w->bad[ROLE_NETQ] == 0);
}

/* ---- names */

static void
t_name_taught(void)
{
	uint32_t	a;

	world_start(DNS_RULE "allow www.example.com 443 tcp\n");
	learn("WWW.example.com", "203.0.113.9");
	LOGGED(" INFO dns www.example.com 203.0.113.9\n");
	a = out_tcp(1001, "203.0.113.9", 443);
	JUDGED(a, ACTION_ALLOW);
	LOGGED("-> www.example.com:443 |");
	a = out_tcp(1001, "203.0.113.8", 443);
	UNTIL(w->asks == 1);
}

static void
t_unasked_reply(void)
{
	uint32_t	a, r;

	world_start(DNS_RULE "allow www.example.com 443 tcp\n");
	/* Nobody asked at all: not even the packet passes. */
	r = dns_reply(2000, 1, "www.example.com", "203.0.113.9");
	STAYS(w->verdict[r] != ACTION_ALLOW);
	/* Somebody asked for something else, or with another id. */
	a = dns_query(2001, 7, "evil.example.net");
	JUDGED(a, ACTION_ALLOW);
	r = dns_reply(2001, 7, "www.example.com", "203.0.113.9");
	JUDGED(r, ACTION_ALLOW);
	r = dns_reply(2001, 8, "evil.example.net", "203.0.113.9");
	JUDGED(r, ACTION_ALLOW);
	a = out_tcp(1001, "203.0.113.9", 443);
	UNTIL(w->asks >= 1);
	IS(w->verdict[a] == UNJUDGED);
	IS(strstr(w->log, "INFO dns") == NULL);
}

static void
t_own_address(void)
{
	world_start(DNS_RULE "allow www.example.com 443 tcp\n");
	learn("www.example.com", LAN);
	learn("www.example.com", "127.0.0.1");
	STAYS(strstr(w->log, "INFO dns") == NULL);
}

/* Whoever asked for the one name is meant by it. */
static void
t_names_disagree(void)
{
	uint8_t		p[64];
	uint32_t	a;
	size_t		n;

	world_start(DNS_RULE "allow good.example.com 443 tcp\n"
	    "deny bad.example.net 443 tcp\n");
	learn("good.example.com", "203.0.113.9");
	n = packet_tcp(p, LAN, 1001, "203.0.113.9", 443, 2);
	a = packet_put(HOOK_OUT, 1000, p, n);
	JUDGED(a, ACTION_ALLOW);
	learn("bad.example.net", "203.0.113.9");
	/* User 1000 asked for both, user 1001 for neither. */
	a = packet_put(HOOK_OUT, 1000, p, n);
	UNTIL(w->asks == 1);
	IS(w->ask.shared == 2 && w->ask.nnames == 2);
	IS(w->verdict[a] == UNJUDGED);
}

static void
t_name_asked_for(void)
{
	uint8_t		p[64];
	uint32_t	a, b;
	size_t		n;

	/* Known from elsewhere: nobody who lives asked for it. */
	setup.names = "bad.example.net 203.0.113.9\n";
	world_start(DNS_RULE "allow good.example.com 443 tcp\n"
	    "deny bad.example.net 443 tcp\n");
	learn("good.example.com", "203.0.113.9");
	n = packet_tcp(p, LAN, 1001, "203.0.113.9", 443, 2);
	a = packet_put(HOOK_OUT, 1000, p, n);
	JUDGED(a, ACTION_ALLOW);
	n = packet_tcp(p, LAN, 1002, "203.0.113.9", 443, 2);
	b = packet_put(HOOK_OUT, 1001, p, n);
	UNTIL(w->asks == 1);
	IS(w->verdict[b] == UNJUDGED);
}

/*
 * So many names that some were forgotten: those may disagree, so that only
 * who asked for a name is judged by it.
 */
static void
t_names_crowded(void)
{
	char		names[4096] = "", line[64];
	uint8_t		p[64];
	uint32_t	a;
	size_t		i, n;

	for (i = 0; i < 24; i++) {
		(void)snprintf(line, sizeof(line), "n%zu.example.com "
		    "203.0.113.9\n", i);
		(void)strlcat(names, line, sizeof(names));
	}
	setup.names = names;
	world_start(DNS_RULE "allow *.example.com - -\n");
	n = packet_tcp(p, LAN, 1001, "203.0.113.9", 443, 2);
	a = packet_put(HOOK_OUT, 1000, p, n);
	UNTIL(w->asks == 1);
	IS(w->verdict[a] == UNJUDGED);
	IS(w->ask.shared > 16);
	learn("n30.example.com", "203.0.113.9");
	n = packet_tcp(p, LAN, 1002, "203.0.113.9", 443, 2);
	a = packet_put(HOOK_OUT, 1000, p, n);
	JUDGED(a, ACTION_ALLOW);
}

/* ---- bounds */

static void
each_another(const struct msg_who *who, struct whois *is)
{
	is->uid = who->flags & PACKET_HAS_UID ? who->uid : 1000;
	is->socket = who->hook == HOOK_IN ? SOCK_LISTENING : SOCK_CONNECTING;
}

static unsigned
judged(uint32_t from, uint32_t to, enum action action)
{
	unsigned	n = 0;

	for (; from <= to; from++)
		n += w->verdict[from] == action;
	return n;
}

static uint32_t
out_as(uint32_t uid, int sport, int dport)
{
	uint8_t	p[64];
	size_t	n = packet_tcp(p, LAN, sport, "203.0.113.1", dport, 2);

	return packet_put(HOOK_OUT, uid, p, n);
}

/* So many packets at once that each message is read before the next. */
static void
t_bounds(void)
{
	uint32_t	first, last = 0;
	unsigned	i;

	world_start("allow 203.0.113.5 80 tcp\n");
	w->who_is = each_another;
	first = w->id + 1;
	for (i = 0; i < 1100; i++) {
		last = out_as(1000, 1000 + (int)i, 443);
		(void)world_step(0);
	}
	UNTIL(judged(first, last, ACTION_DENY) == 1100 - 1024);
	IS(judged(first, last, UNJUDGED) == 1024);
	/* Others are not harmed. */
	first = out_as(1001, 1000, 443);
	STAYS(w->verdict[first] == UNJUDGED);
	first = out_tcp(9, "203.0.113.5", 80);
	JUDGED(first, ACTION_ALLOW);
	LOGGED("ERROR too many packets of one user wait for an answer; deny");
	IS(strstr(ctl("status", ""), "overload 76") != NULL);
}

static void
t_bounds_inbound(void)
{
	uint32_t	first, last = 0;
	unsigned	i;

	world_start("");
	w->who_is = each_another;
	first = w->id + 1;
	for (i = 0; i < 300; i++) {
		last = in_tcp(PEER, 1000 + (int)i, 22);
		(void)world_step(0);
	}
	UNTIL(judged(first, last, ACTION_DENY) == 300 - 256);
	/* One who sends the same datagram again and again is no better off. */
	for (i = 0; i < 300; i++) {
		last = in_tcp(PEER, 1000, 22);
		(void)world_step(0);
	}
	UNTIL(judged(first, last, ACTION_DENY) == 600 - 256);
	/* Local programs go first. */
	(void)out_as(1000, 7, 443);
	UNTIL(w->ask.more == 1);
	answer(&w->prompter, w->ask.question, 0, ACTION_DENY, DURATION_ONCE);
	UNTIL(w->asks == 2);
	IS(w->ask.direction == DIR_OUT);
}

static void
t_bounds_all(void)
{
	uint32_t	first, last = 0;
	unsigned	i;

	world_start("");
	w->who_is = each_another;
	first = w->id + 1;
	for (i = 0; i < 4200; i++) {
		last = out_as(2000 + i / 1000, 1000 + (int)i, 443);
		(void)world_step(0);
	}
	UNTIL(judged(first, last, ACTION_DENY) == 4200 - 4096);
	IS(judged(first, last, UNJUDGED) == 4096);
}

/* Packets that have their verdict, and wait for their program's name. */
static void
t_bounds_judged(void)
{
	uint32_t	first, last = 0;
	unsigned	i;

	world_start("allow 203.0.113.1 443 tcp\n");
	w->who_silent = true;
	first = w->id + 1;
	for (i = 0; i < 34000; i++) {
		last = out_as(1000, 1 + (int)i, 443);
		(void)world_step(0);
	}
	UNTIL(judged(first, last, ACTION_ALLOW) == 34000);
	IS(strstr(ctl("status", ""), "overload 0,") != NULL);
	LOGGED("-> 203.0.113.1:443 | [-] unknown");
}

static void
t_from(void)
{
	uint8_t		p[64];
	uint32_t	a;
	size_t		n;

	world_start(DNS_RULE "allow 203.0.113.1 80 tcp from=localhost\n"
	    "allow 203.0.113.1 81 tcp from=www.example.com\n"
	    "deny 203.0.113.1 - tcp forward\n");
	a = out_tcp(1001, "203.0.113.1", 80);
	JUDGED(a, ACTION_ALLOW);
	learn("www.example.com", PEER);
	n = packet_tcp(p, PEER, 1002, "203.0.113.1", 81, 2);
	a = packet_put(HOOK_FORWARD, UINT32_MAX, p, n);
	JUDGED(a, ACTION_ALLOW);
	n = packet_tcp(p, PEER, 1003, "203.0.113.1", 80, 2);
	a = packet_put(HOOK_FORWARD, UINT32_MAX, p, n);
	JUDGED(a, ACTION_DENY);
}

/* A program's name must not forge the chain, nor be escaped twice. */
static void
t_parents(void)
{
	world_start("");
	w->is.nparents = 2;
	w->is.parent[0].pid = 7;
	(void)strlcpy(w->is.parent[0].exe, "/a < [1] /b\\\n%\xc3\xbc",
	    sizeof(w->is.parent[0].exe));
	w->is.parent[1].pid = 1;
	(void)strlcpy(w->is.parent[1].exe, "/sbin/init",
	    sizeof(w->is.parent[1].exe));
	(void)out_tcp(1001, "203.0.113.1", 443);
	UNTIL(w->asks == 1);
	IS(strcmp(w->ask.parents, "[7] /a%20%3c%20%5b1%5d%20/b%5c%0a%25%c3%bc"
	    " < [1] /sbin/init") == 0);
}

int
main(void)
{
	check("a rule decides before anybody is asked", t_rules);
	check("the log line", t_log_line);
	check("a rule of a program waits for procinfo", t_exe_first);
	check("a question, and what it shows", t_question);
	check("from= is a name, too, and localhost", t_from);
	check("the chain of parents is what it looks like", t_parents);
	check("answer: once", t_once);
	check("answer: minutes and hours", t_minutes);
	check("answer: forever", t_forever);
	check("answer: the toggles' rule", t_toggles);
	check("six connections to one name are one question", t_six_are_one);
	check("a packet sent again joins the first", t_sent_again);
	check("another program is another question", t_another_program);
	check("an answer judges all that its rule covers", t_covered);
	check("late and second answers change nothing", t_late_answers);
	check("a line that was not offered", t_wrong_line);
	check("a question that was not asked", t_wrong_question);
	check("a time-out answers for the whole program", t_timeout);
	check("nobody to ask: as configured", t_nobody);
	check("a connection that was given up is withdrawn", t_withdrawn);
	check("inbound, nobody listens", t_inbound_closed);
	check("inbound, a question", t_inbound);
	check("an answer about one stranger", t_inbound_address);
	check("the first answer counts", t_first_answer);
	check("an answer about one address of a name", t_named_address);
	check("an answer about own ports opens none", t_to_oneself);
	check("TCP without SYN: older or dropped", t_midstream);
	check("malformed packets meet the default", t_malformed);
	check("a reply teaches its name", t_name_taught);
	check("an unasked reply teaches nothing", t_unasked_reply);
	check("own addresses are not named by strangers", t_own_address);
	check("names that disagree are asked about", t_names_disagree);
	check("of names that disagree the one asked for", t_name_asked_for);
	check("more names than are remembered", t_names_crowded);
	check("bounds: one user", t_bounds);
	check("bounds: inbound", t_bounds_inbound);
	check("bounds: all", t_bounds_all);
	check("bounds: waiting for the log alone", t_bounds_judged);
	return finish();
}
