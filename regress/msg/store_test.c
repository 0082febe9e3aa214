/*
 * SPDX-License-Identifier: ISC
 *
 * ruled's files: rules, lists, temporary rules, names; and what happens to
 * all that when a process around it dies, or it does itself.
 */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>

#include "world.h"

#define DNS_RULE	"allow 192.0.2.53 53 udp\n"
#define STAR		"allow 203.0.113.1 80 tcp\n"

/* A fresh connection to the port of an address that rules are about. */
static uint32_t
try(int dport)
{
	static int	sport = 1000;

	return out_tcp(++sport, "203.0.113.1", dport);
}

static void
question_of(uint32_t id)
{
	UNTIL(w->asks > 0);
	STAYS(w->verdict[id] == UNJUDGED);
}

/* ---- the rules file */

static void
t_edited(void)
{
	uint32_t	a;

	world_start("");
	file_change(FILE_RULES, "", STAR, 0);
	LOGGED("INFO added rule allow 203.0.113.1 80 tcp\n");
	a = try(80);
	JUDGED(a, ACTION_ALLOW);
	file_change(FILE_RULES, "", "", 0);
	LOGGED("INFO removed rule allow 203.0.113.1 80 tcp\n");
	a = try(80);
	question_of(a);
}

static void
t_edited_while_asked(void)
{
	uint32_t	a;

	world_start("");
	a = try(80);
	UNTIL(w->asks == 1);
	file_change(FILE_RULES, "", STAR, 0);
	JUDGED(a, ACTION_ALLOW);
	UNTIL(w->ends == 1);
}

static void
t_broken(void)
{
	uint32_t	a;

	world_start(STAR "deny 203.0.113.1 81 tcp\n");
	file_change(FILE_RULES, "", "deny 203.0.113.1 81 tcpp\n", 0);
	LOGGED("ERROR /rules:1: ");
	LOGGED("ERROR /rules: the rules stay as they were");
	a = try(81);
	JUDGED(a, ACTION_DENY);
	a = try(80);
	JUDGED(a, ACTION_ALLOW);
	/* A bad allow is skipped, the rest counts. */
	file_change(FILE_RULES, "", "allow 203.0.113.1 82\n" STAR, 0);
	LOGGED("INFO removed rule deny 203.0.113.1 81 tcp");
	a = try(81);
	question_of(a);
}

static void
t_unreadable(void)
{
	uint32_t	a;

	world_start(STAR);
	file_change(FILE_RULES, "", NULL, ENOENT);
	LOGGED("the rules stay as they were");
	a = try(80);
	JUDGED(a, ACTION_ALLOW);
	/* An answer is written nevertheless: the file is made anew. */
	a = try(81);
	UNTIL(w->asks == 1);
	answer(&w->prompter, w->ask.question, 0, ACTION_DENY,
	    DURATION_FOREVER);
	UNTIL(w->commits[FILE_RULES] == 1);
	STAYS(w->commits[FILE_RULES] == 1);
	IS(strstr(w->committed[FILE_RULES], STAR) != NULL);
	IS(strstr(w->committed[FILE_RULES], "deny 203.0.113.1 81 tcp") != NULL);
}

/* A user that a deny is about is gone: as a bad line. */
static void
t_user_gone(void)
{
	uint32_t	a;

	world_start("allow 203.0.113.1 80 tcp\n"
	    "deny 203.0.113.1 81 tcp uid=user\n");
	a = try(81);
	JUDGED(a, ACTION_DENY);
	file_change(FILE_PASSWD, "", "root:x:0:0::/root:/bin/sh\n", 0);
	LOGGED("the rules stay as they were");
	a = try(81);
	JUDGED(a, ACTION_DENY);
}

static void
t_included(void)
{
	uint32_t	a;

	file_set(FILE_INCLUDE, "/inc", "deny 203.0.113.1 81 tcp\n");
	world_start(STAR "include \"/inc\"\n");
	a = try(81);
	JUDGED(a, ACTION_DENY);
	file_change(FILE_INCLUDE, "/inc", "allow 203.0.113.1 81 tcp\n", 0);
	LOGGED("INFO removed rule deny 203.0.113.1 81 tcp");
	a = try(81);
	JUDGED(a, ACTION_ALLOW);
	file_change(FILE_INCLUDE, "/inc", NULL, EACCES);
	LOGGED("the rules stay as they were");
	a = try(81);
	JUDGED(a, ACTION_ALLOW);
}

/* ---- commits */

static void
t_stale(void)
{
	uint32_t	a;

	world_start("# mine\n");
	a = try(80);
	UNTIL(w->asks == 1);
	/* Somebody writes the file, and no event has told yet. */
	file_set(FILE_RULES, "", "# mine\ndeny 203.0.113.1 81 tcp\n");
	answer(&w->prompter, w->ask.question, 0, ACTION_ALLOW,
	    DURATION_FOREVER);
	JUDGED(a, ACTION_ALLOW);
	UNTIL(w->commits[FILE_RULES] == 2);
	IS(strcmp(w->committed[FILE_RULES], "# mine\n"
	    "deny 203.0.113.1 81 tcp\nallow 203.0.113.1 80 tcp\n") == 0);
	a = try(81);
	JUDGED(a, ACTION_DENY);
	a = try(80);
	JUDGED(a, ACTION_ALLOW);
	STAYS(w->commits[FILE_RULES] == 2);
}

/* The second change is made while the first is on its way. */
static void
t_stale_second(void)
{
	struct client	*c, *d;

	world_start("# mine\n");
	c = client_new(0);
	d = client_new(0);
	client_say(c, "add", "allow 203.0.113.1 80 tcp", false);
	client_say(d, "add", "allow 203.0.113.1 81 tcp", false);
	UNTIL(c->status == 0 && d->status == 0);
	IS(strcmp(w->committed[FILE_RULES], "# mine\n"
	    "allow 203.0.113.1 80 tcp\nallow 203.0.113.1 81 tcp\n") == 0);
	/* And once more, with the second of the two commits failing. */
	c = client_new(0);
	client_say(c, "add", "allow 203.0.113.1 82 tcp", false);
	UNTIL(c->status == 0);
	file_set(FILE_RULES, "", "# theirs\n");
	d = client_new(0);
	client_say(d, "add", "allow 203.0.113.1 83 tcp", false);
	UNTIL(d->status == 0);
	IS(strcmp(w->committed[FILE_RULES], "# theirs\n"
	    "allow 203.0.113.1 83 tcp\n") == 0);
}

static void
t_disk_full(void)
{
	struct client	*c;
	uint32_t	 a;

	world_start("");
	w->commit_err = ENOSPC;
	c = client_new(0);
	client_say(c, "add", "allow 203.0.113.1 80 tcp", false);
	UNTIL(c->status == 1);
	IS(strstr(c->text, "No space left") != NULL);
	a = try(80);
	JUDGED(a, ACTION_ALLOW);	/* in force nevertheless */
	c = client_new(0);
	client_say(c, "add", "allow 203.0.113.1 81 tcp", false);
	UNTIL(c->status == 0);
	IS(strstr(w->committed[FILE_RULES], STAR) != NULL);
}

static void
t_change_while_broken(void)
{
	uint32_t	a;

	world_start(STAR);
	file_change(FILE_RULES, "", "deny x x\n", 0);
	LOGGED("the rules stay as they were");
	IS(strcmp(ctl("add", "deny 203.0.113.1 80 tcp"), "") == 0);
	a = try(80);
	JUDGED(a, ACTION_DENY);
	IS(strcmp(w->committed[FILE_RULES],
	    "deny x x\ndeny 203.0.113.1 80 tcp\n") == 0);
}

static void
t_deleted(void)
{
	uint32_t	a;

	world_start("deny 203.0.113.1 80 tcp # why\n");
	IS(strcmp(ctl("add", "1h allow 203.0.113.1 80 tcp"), "") == 0);
	a = try(80);
	JUDGED(a, ACTION_ALLOW);
	IS(strcmp(ctl("delete", "allow 203.0.113.1 80 tcp"), "") == 0);
	a = try(80);
	JUDGED(a, ACTION_DENY);
	IS(strstr(ctl("delete", "allow 203.0.113.1 80 tcp"), "no such") !=
	    NULL);
	IS(strcmp(ctl("delete", "deny 203.0.113.1 80 tcp"), "") == 0);
	IS(strcmp(w->committed[FILE_RULES], "") == 0);
	a = try(80);
	question_of(a);
}

/* ---- lists */

static void
t_lists(void)
{
	uint32_t	a, b, c;

	file_set(FILE_LIST, "/bad", "0.0.0.0 evil.example.net\n");
	file_set(FILE_LIST, "/good", "fine.example.org\n");
	world_start(DNS_RULE "deny-list \"/bad\"\nallow-list \"/good\"\n");
	LOGGED("INFO loaded 1 entries from /bad");
	learn("a.evil.example.net", "203.0.113.1");
	learn("fine.example.org", "203.0.113.2");
	a = try(80);
	JUDGED(a, ACTION_DENY);
	b = out_tcp(1, "203.0.113.2", 80);
	JUDGED(b, ACTION_ALLOW);
	/* New contents decide once they are loaded. */
	file_change(FILE_LIST, "/bad", "other.example.net\n", 0);
	UNTIL(strstr(strstr(w->log, "from /bad") + 1, "from /bad") != NULL);
	c = try(80);
	question_of(c);
}

static void
t_list_named_again(void)
{
	uint32_t	a;

	file_set(FILE_LIST, "/bad", "evil.example.net\n");
	world_start(DNS_RULE "deny-list \"/bad\"\n");
	learn("evil.example.net", "203.0.113.1");
	a = try(80);
	JUDGED(a, ACTION_DENY);
	file_change(FILE_RULES, "", DNS_RULE, 0);
	UNTIL(strstr(ctl("rules", ""), "/bad") == NULL);
	a = try(80);
	UNTIL(w->asks == 1);
	file_change(FILE_RULES, "", DNS_RULE "deny-list \"/bad\"\n", 0);
	JUDGED(a, ACTION_DENY);
	/* The same file, to the contrary. */
	file_change(FILE_RULES, "", DNS_RULE "allow-list \"/bad\"\n", 0);
	UNTIL(strstr(ctl("rules", ""), "allow-list \"/bad\": 1") != NULL);
	a = try(80);
	JUDGED(a, ACTION_ALLOW);
	/* And a list that is gone stays in force. */
	file_change(FILE_LIST, "/bad", NULL, ENOENT);
	LOGGED("the rules stay as they were");
	a = try(80);
	JUDGED(a, ACTION_ALLOW);
}

static char *
long_list(const char *last)
{
	size_t	 i, n = 100000, len = 0;
	char	*text;

	if ((text = malloc(n * 24)) == NULL)
		exit(1);
	for (i = 0; i < n; i++)
		len += (size_t)snprintf(text + len, 24, "h%zu.example\n", i);
	(void)snprintf(text + len, 24, "%s\n", last);
	return text;
}

/* A list that is replaced while it loads: nothing of the old one is left. */
static void
t_list_replaced(void)
{
	char		*one = long_list("one.example.net");
	uint32_t	 a;

	world_start(DNS_RULE);
	learn("one.example.net", "203.0.113.1");
	file_set(FILE_LIST, "/l", one);
	file_change(FILE_RULES, "", DNS_RULE "deny-list \"/l\"\n", 0);
	UNTIL(w->opened >= 2);
	file_change(FILE_LIST, "/l", "two.example.net\n", 0);
	UNTIL(strstr(ctl("rules", ""), "\"/l\": 1 entries") != NULL);
	a = try(80);
	question_of(a);
	free(one);
}

/* ---- temporary rules */

static void
t_temporary_ends(void)
{
	uint32_t	a;

	world_start("");
	IS(strcmp(ctl("add", "1s allow 203.0.113.1 80 tcp"), "") == 0);
	a = try(80);
	JUDGED(a, ACTION_ALLOW);
	LOGGED("INFO expired rule allow 203.0.113.1 80 tcp");
	a = try(80);
	question_of(a);
	IS(strcmp(w->committed[FILE_TEMPORARY], "") == 0);
}

/* ---- deaths */

static void
t_ruled_dies(void)
{
	uint32_t	a;

	world_start("deny 203.0.113.1 80 tcp\n");
	IS(strcmp(ctl("add", "9m allow 203.0.113.1 80 tcp"), "") == 0);
	IS(strcmp(ctl("add", "9m allow 203.0.113.1 81 tcp uid=user"), "") == 0);
	world_restart();
	a = try(80);
	JUDGED(a, ACTION_ALLOW);
	a = try(81);
	JUDGED(a, ACTION_ALLOW);
}

/* Packets that are there before the rules are wait for them. */
static void
t_ruled_restarts_late(void)
{
	uint32_t	a;

	setup.late_files = true;
	world_start(STAR);
	a = try(80);
	STAYS(w->verdict[a] == UNJUDGED && w->asks == 0 && w->nwho == 0);
	files_send();
	JUDGED(a, ACTION_ALLOW);
	world_end();
	/* And for the own addresses. */
	setup.no_host = true;
	world_start(STAR);
	a = out_tcp(1, LAN, 80);
	STAYS(w->verdict[a] == UNJUDGED);
	host_tell(&w->proc);
	JUDGED(a, ACTION_ALLOW);
}

static void
t_procinfo_dies(void)
{
	uint32_t	a, b;

	world_start("allow 203.0.113.1 80 tcp exe=/usr/bin/curl\n");
	w->who_silent = true;
	a = try(80);
	UNTIL(w->nwho == 1);
	peer_close(&w->proc);
	b = try(80);
	STAYS(w->verdict[a] == UNJUDGED && w->verdict[b] == UNJUDGED);
	w->who_silent = false;
	peer_fresh(&w->proc, ROLE_PROCINFO);
	host_tell(&w->proc);
	JUDGED(a, ACTION_ALLOW);
	JUDGED(b, ACTION_ALLOW);
}

static void
t_procinfo_silent(void)
{
	uint32_t	a;

	world_start("allow 203.0.113.1 80 tcp exe=/usr/bin/curl\n");
	w->who_silent = true;
	a = try(80);
	UNTIL(w->asks == 1);	/* by an unknown program */
	IS(w->ask.pid == 0 && w->verdict[a] == UNJUDGED);
}

static void
t_netq_dies(void)
{
	uint32_t	a, b, c;

	world_start(STAR);
	a = try(80);
	JUDGED(a, ACTION_ALLOW);
	b = try(81);
	UNTIL(w->asks == 1);
	w->verdict[a] = UNJUDGED;
	/* The last words of the old one count. */
	c = try(80);
	peer_close(&w->netq);
	peer_fresh(&w->netq, ROLE_NETQ);
	w->number = 0;
	UNTIL(w->verdict[a] == ACTION_ALLOW && w->verdict[c] == ACTION_ALLOW);
	/* The dead one had read two more and told nobody. */
	w->id += 2;
	a = try(80);
	JUDGED(a, ACTION_ALLOW);
	JUDGED(a - 1, ACTION_DROP);
	JUDGED(a - 2, ACTION_DROP);
	/* What was held is held still, and answered. */
	IS(w->verdict[b] == UNJUDGED);
	answer(&w->prompter, w->ask.question, 0, ACTION_ALLOW, DURATION_ONCE);
	JUDGED(b, ACTION_ALLOW);
}

/* The same, and no further packet comes: the kernel's counters tell. */
static void
t_netq_swallowed(void)
{
	uint32_t	a;
	struct {
		uint8_t		empty;
		uint64_t	time;
	} __attribute__((packed)) head = { 1, 1 };

	setup.counters = "    5  9999     7 2     0     0     0        3  1\n"
	    "    0  1234     0 2  4096     6     7        3  1\n";
	world_start(STAR);
	a = try(80);
	JUDGED(a, ACTION_ALLOW);
	peer_close(&w->netq);
	peer_fresh(&w->netq, ROLE_NETQ);
	frame_put(&w->netq, MSG_PACKETS, -1, &head, sizeof(head));
	JUDGED(2, ACTION_DROP);
	JUDGED(3, ACTION_DROP);
	IS(w->verdict[4] == UNJUDGED);
	IS(strstr(ctl("status", ""), "kernel dropped 6 packets, "
	    "could not deliver 7") != NULL);
}

static void
t_netq_lost(void)
{
	world_start(STAR);
	JUDGED(1, UNJUDGED);
	(void)try(80);
	w->id += 3;
	(void)try(80);
	JUDGED(w->id, ACTION_ALLOW);
	STAYS(w->verdict[2] == UNJUDGED && w->verdict[4] == UNJUDGED);
	IS(strstr(ctl("status", ""), "lost 3,") != NULL);
}

static void
t_prompter_dies(void)
{
	uint32_t	a, b;

	world_start("");
	a = try(80);
	UNTIL(w->asks == 1);
	b = try(81);
	UNTIL(w->ask.more == 1);
	peer_close(&w->prompter);
	JUDGED(a, ACTION_DENY);
	STAYS(w->verdict[b] == UNJUDGED);
	w->asks = 0;
	peer_fresh(&w->prompter, ROLE_PROMPTER);
	UNTIL(w->asks == 1 && w->ask.tuple.dport == 81);
	answer(&w->prompter, w->ask.question, 0, ACTION_ALLOW, DURATION_ONCE);
	JUDGED(b, ACTION_ALLOW);
	/* And when none comes back. */
	a = try(82);
	UNTIL(w->asks == 2);
	b = try(83);
	UNTIL(w->ask.more == 1);
	peer_close(&w->prompter);
	JUDGED(a, ACTION_DENY);
	JUDGED(b, ACTION_DENY);
}

static void
say_do(enum do_what what)
{
	uint8_t	m = (uint8_t)what;

	frame_put(&w->parent, MSG_DO, -1, &m, 1);
}

static void
t_stop(void)
{
	world_start(DNS_RULE);
	learn("www.example.com", "203.0.113.9");
	/* Somebody else wrote the names meanwhile. */
	file_set(FILE_NAMES, "", "x.example 203.0.113.1\n");
	say_do(DO_STOP);
	UNTIL(w->parent.gone);
	IS(w->commits[FILE_NAMES] == 2);
	IS(strcmp(w->committed[FILE_NAMES], "www.example.com 203.0.113.9\n")
	    == 0);
	UNTIL(!ruled_alive());
	w->ruled = 0;
}

/* An editor has the file open, and lets go of it before the end. */
static void
t_stop_in_use(void)
{
	world_start("");
	w->commit_err = ESTALE;
	client_say(client_new(0), "add", "allow 203.0.113.1 80 tcp", false);
	UNTIL(w->commits[FILE_RULES] == 1);
	w->commit_err = ESTALE;
	say_do(DO_STOP);
	UNTIL(w->parent.gone);
	IS(w->commits[FILE_RULES] == 3);
	IS(strcmp(w->committed[FILE_RULES], STAR) == 0);
	UNTIL(!ruled_alive());
	w->ruled = 0;
}

/* It does not let go: what is not written is said. */
static void
t_stop_given_up(void)
{
	int	i;

	world_start("");
	w->commit_err = ESTALE;
	client_say(client_new(0), "add", "allow 203.0.113.1 80 tcp", false);
	UNTIL(w->commits[FILE_RULES] == 1);
	say_do(DO_STOP);
	for (i = 0; i < 400 && !w->parent.gone; i++) {
		w->commit_err = ESTALE;
		(void)world_step(10);
	}
	IS(w->parent.gone);
	LOGGED("ERROR /rules: in use until the end; not added: "
	    "allow 203.0.113.1 80 tcp\n");
	UNTIL(!ruled_alive());
	w->ruled = 0;
}

/* A directory that goes takes its watch along: looked for where it was. */
static void
t_directory(void)
{
	unsigned	opened;

	world_start("");
	opened = w->opened;
	watch_says(FILE_PASSWD, "", IN_CREATE | IN_ISDIR, true);
	UNTIL(w->opened == opened + 1);
	watch_says(FILE_PASSWD, "", IN_IGNORED, false);
	UNTIL(w->opened == opened + 2);
	/* A file that is just made is empty, and read when it is written. */
	watch_says(FILE_RULES, "", IN_CREATE, true);
	STAYS(w->opened == opened + 2);
}

/* What happens between the parent's look and its message is looked at again. */
static void
t_watched_early(void)
{
	unsigned	opened;

	world_start("");
	opened = w->opened;
	file_set(FILE_INCLUDE, "/more", "allow 203.0.113.1 80 tcp\n");
	watch_says(FILE_INCLUDE, "/more", IN_CLOSE_WRITE, true);
	file_change(FILE_RULES, "", "include \"/more\"\n", 0);
	UNTIL(w->opened == opened + 3);
	STAYS(w->opened == opened + 3);
}

static void
t_names_kept(void)
{
	uint32_t	a;

	setup.names = "www.example.com 203.0.113.1\nrubbish\n";
	world_start("allow www.example.com 80 tcp\n");
	LOGGED("ERROR /names: 1 lines are no names; skipped");
	a = try(80);
	JUDGED(a, ACTION_ALLOW);
}

int
main(void)
{
	check("an edited file is in force", t_edited);
	check("an open question meets edited rules", t_edited_while_asked);
	check("a broken deny changes nothing", t_broken);
	check("a rules file that is gone", t_unreadable);
	check("a user that is gone opens nothing", t_user_gone);
	check("included files", t_included);
	check("a commit over a file that changed: both are kept", t_stale);
	check("a commit after another", t_stale_second);
	check("a disk that is full", t_disk_full);
	check("changes while the file is broken", t_change_while_broken);
	check("deleting takes the temporary rule first", t_deleted);
	check("lists", t_lists);
	check("a list that is named again", t_list_named_again);
	check("a list that changes while it loads", t_list_replaced);
	check("a temporary rule ends", t_temporary_ends);
	check("ruled dies: its rules do not", t_ruled_dies);
	check("nothing is judged before rules are there",
	    t_ruled_restarts_late);
	check("procinfo dies: asked again", t_procinfo_dies);
	check("procinfo does not answer: unknown", t_procinfo_silent);
	check("netq dies: verdicts repeated", t_netq_dies);
	check("netq dies: what it swallowed is dropped", t_netq_swallowed);
	check("packets the kernel lost are counted", t_netq_lost);
	check("prompter dies: deny once", t_prompter_dies);
	check("a stop saves names", t_stop);
	check("a stop waits for an editor", t_stop_in_use);
	check("a stop says what it could not write", t_stop_given_up);
	check("directories that come and go", t_directory);
	check("a watched directory changes before it is told of", t_watched_early);
	check("names of the last run", t_names_kept);
	return finish();
}
