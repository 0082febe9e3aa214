/*
 * SPDX-License-Identifier: ISC
 *
 * Every peer of ruled taken over, one after the other: whatever it says,
 * ruled names the right one to the parent, lives on, and allows nothing.
 * Control clients are merely dropped.
 */
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "imsg.h"
#include "world.h"

static const enum role	roles[] = { ROLE_NETQ, ROLE_PROCINFO,
			    ROLE_PROMPTER };
#define NROLES	(sizeof(roles) / sizeof(roles[0]))

static struct peer *
peer_of(enum role role)
{
	return role == ROLE_NETQ ? &w->netq : role == ROLE_PROCINFO ?
	    &w->proc : &w->prompter;
}

static void
speak(struct peer *p, uint32_t type, uint16_t flags, size_t len, uint8_t fill)
{
	uint8_t		buf[MSG_MAX];
	uint16_t	n = (uint16_t)(len + IMSG_HEADER);

	memset(buf, fill, sizeof(buf));
	memcpy(buf, &type, 4);
	memcpy(buf + 4, &n, 2);
	memcpy(buf + 6, &flags, 2);
	raw_put(p, buf, n);
}

/* A world with a question open and a packet that procinfo was asked about. */
static uint32_t	held, sure;

static void
stage(void)
{
	world_start("allow 203.0.113.9 80 tcp\n"
	    "allow 203.0.113.8 80 tcp exe=/bin/x\n");
	held = out_tcp(1, "203.0.113.1", 443);
	UNTIL(w->asks == 1);
}

/* Reported once, and no harm done: packets with a rule still pass. */
static void
survived(enum role role)
{
	size_t	i;

	UNTIL(w->bad[role] == 1);
	for (i = 0; i < ROLE_MAX; i++)
		IS(i == role || w->bad[i] == 0);
	IS(ruled_alive());
	UNTIL(peer_of(role)->gone);
	IS(w->verdict[held] != ACTION_ALLOW);
	peer_fresh(peer_of(role), role);
	if (role == ROLE_PROCINFO)
		host_tell(&w->proc);
	sure = out_tcp(2, "203.0.113.9", 80);
	JUDGED(sure, ACTION_ALLOW);
	IS(w->verdict[held] != ACTION_ALLOW);
	IS(w->commits[FILE_RULES] + w->commits[FILE_TEMPORARY] == 0);
}

static void
each_role(void (*say)(struct peer *, enum role))
{
	size_t	i;

	for (i = 0; i < NROLES; i++) {
		stage();
		say(peer_of(roles[i]), roles[i]);
		survived(roles[i]);
		if (failing())
			fprintf(stderr, "%s\n", role_name(roles[i]));
		world_end();
	}
	world_start("");
}

static uint32_t
own_type(enum role role)
{
	return role == ROLE_NETQ ? MSG_PACKETS : role == ROLE_PROCINFO ?
	    MSG_WHOIS : MSG_ANSWER;
}

static void
say_garbage(struct peer *p, enum role role)
{
	uint8_t		buf[4096];
	unsigned	seed = 4711 + role;
	size_t		i;

	for (i = 0; i < sizeof(buf); i++)
		buf[i] = (uint8_t)(rand_r(&seed) >> 8);
	raw_put(p, buf, sizeof(buf));
}

static void
say_foreign(struct peer *p, enum role role)
{
	(void)role;
	speak(p, MSG_DO, 0, 1, 0);	/* the parent's: reload */
}

static void
say_unknown(struct peer *p, enum role role)
{
	(void)role;
	speak(p, 0x7fffffff, 0, 16, 0);
}

static void
say_short(struct peer *p, enum role role)
{
	speak(p, own_type(role), 0, 1, 0);
}

static void
say_long(struct peer *p, enum role role)
{
	if (role == ROLE_PROMPTER)
		speak(p, MSG_ANSWER, 0, 8, 0);
	else
		speak(p, own_type(role), 0, MSG_PAYLOAD_MAX, 0xff);
}

static void
say_bad_payload(struct peer *p, enum role role)
{
	speak(p, own_type(role), 0, role == ROLE_PROMPTER ? 7 : 200, 0xff);
}

static void
say_bad_flags(struct peer *p, enum role role)
{
	speak(p, own_type(role), 0x8000, 64, 0);
}

static void
say_no_header(struct peer *p, enum role role)
{
	static const uint8_t	zero[64];

	(void)role;
	raw_put(p, zero, sizeof(zero));	/* a length below the header's own */
}

static void
say_descriptor(struct peer *p, enum role role)
{
	uint8_t	buf[64] = { 0 };

	frame_put(p, own_type(role), STDIN_FILENO, buf,
	    role == ROLE_PROMPTER ? 7 : sizeof(buf));
}

static void
say_claimed_descriptor(struct peer *p, enum role role)
{
	speak(p, own_type(role), 1, role == ROLE_PROMPTER ? 7 : 64, 0);
}

/* A descriptor beside a frame that says it has none. */
static void
say_hidden_descriptor(struct peer *p, enum role role)
{
	union {
		struct cmsghdr	hdr;
		char		buf[CMSG_SPACE(8 * sizeof(int))];
	} cbuf;
	uint8_t		 byte = 0;
	struct iovec	 iov = { &byte, 1 };
	struct msghdr	 mh = { .msg_iov = &iov, .msg_iovlen = 1 };
	int		 i, fd = STDIN_FILENO;

	(void)role;
	memset(&cbuf, 0, sizeof(cbuf));
	mh.msg_control = cbuf.buf;
	mh.msg_controllen = sizeof(cbuf.buf);
	cbuf.hdr.cmsg_level = SOL_SOCKET;
	cbuf.hdr.cmsg_type = SCM_RIGHTS;
	cbuf.hdr.cmsg_len = CMSG_LEN(8 * sizeof(int));
	for (i = 0; i < 8; i++)
		memcpy(CMSG_DATA(&cbuf.hdr) + i * (int)sizeof(int), &fd,
		    sizeof(fd));
	if (sendmsg(p->fd, &mh, MSG_NOSIGNAL) != 1)
		fail("sendmsg");
}

static void t_garbage(void)	{ each_role(say_garbage); }
static void t_foreign(void)	{ each_role(say_foreign); }
static void t_unknown(void)	{ each_role(say_unknown); }
static void t_short(void)	{ each_role(say_short); }
static void t_long(void)	{ each_role(say_long); }
static void t_payload(void)	{ each_role(say_bad_payload); }
static void t_flags(void)	{ each_role(say_bad_flags); }
static void t_header(void)	{ each_role(say_no_header); }
static void t_descriptor(void)	{ each_role(say_descriptor); }
static void t_claimed(void)	{ each_role(say_claimed_descriptor); }
static void t_hidden(void)	{ each_role(say_hidden_descriptor); }

/* Half a frame harms nobody; its writer's end is the end of it. */
static void
t_half(void)
{
	size_t		i;
	uint16_t	n = 1000;
	uint8_t		head[12] = { 0 };
	uint32_t	type;

	for (i = 0; i < NROLES; i++) {
		stage();
		type = own_type(roles[i]);
		memcpy(head, &type, 4);
		memcpy(head + 4, &n, 2);
		raw_put(peer_of(roles[i]), head,
		    roles[i] == ROLE_PROMPTER ? 5 : sizeof(head));
		STAYS(w->verdict[held] == UNJUDGED);
		peer_close(peer_of(roles[i]));
		STAYS(w->bad[roles[i]] == 0);
		peer_fresh(peer_of(roles[i]), roles[i]);
		if (roles[i] == ROLE_PROCINFO)
			host_tell(&w->proc);
		sure = out_tcp(2, "203.0.113.9", 80);
		JUDGED(sure, ACTION_ALLOW);
		IS(w->verdict[held] != ACTION_ALLOW);
		world_end();
	}
	world_start("");
}

/* ---- what is well formed and a lie */

static void
t_answer_unasked(void)
{
	static struct whois	is;

	stage();
	is = w->is;
	is.number = 1ULL << 40;		/* no packet has that number yet */
	(void)snprintf(is.exe, sizeof(is.exe), "/bin/x");
	proc_whois(&is);
	survived(ROLE_PROCINFO);
}

static void
say_same(uint64_t number)
{
	struct msg_same	same = { number };
	uint8_t		buf[16];
	struct ibuf	b;

	ibuf_writer(&b, buf, sizeof(buf));
	msg_put_same(&b, &same);
	ibuf_frame(&w->proc, MSG_WHOIS_SAME, &b);
}

static void
t_same_unasked(void)
{
	stage();
	say_same(1ULL << 40);
	survived(ROLE_PROCINFO);
}

/* A new procinfo refers to what the one before it said. */
static void
t_same_as_nothing(void)
{
	stage();
	peer_fresh(&w->proc, ROLE_PROCINFO);
	host_tell(&w->proc);
	w->who_silent = true;
	held = out_tcp(4, "203.0.113.8", 80);
	UNTIL(w->nwho > 0 && w->who[w->nwho - 1].tuple.dport == 80);
	say_same(w->who[w->nwho - 1].number);
	w->who_silent = false;
	survived(ROLE_PROCINFO);
}

/* A second answer cannot change who it was. */
static void
t_answer_twice(void)
{
	static struct whois	is;

	stage();
	is = w->is;
	is.number = w->who[0].number;
	(void)snprintf(is.exe, sizeof(is.exe), "/bin/x");
	proc_whois(&is);
	STAYS(w->verdict[held] == UNJUDGED && w->bad[ROLE_PROCINFO] == 0);
	(void)out_tcp(3, "203.0.113.1", 443);
	UNTIL(w->ask.held == 2);
	IS(strcmp(w->ask.exe, "/usr/bin/curl") == 0);
}

static void
t_host_flood(void)
{
	struct msg_host	m;
	uint8_t		buf[64];
	struct ibuf	b;
	uint32_t	i;

	stage();
	memset(&m, 0, sizeof(m));
	m.what = HOST_ADDR;
	m.addr.af = 2;
	for (i = 0; i < 5000 && !w->proc.gone; i++) {
		memcpy(m.addr.b, &i, 4);
		m.addr.b[0] = 10;
		memcpy(m.addr.b + 1, &i, 3);
		ibuf_writer(&b, buf, sizeof(buf));
		msg_put_host(&b, &m);
		ibuf_frame(&w->proc, MSG_HOST, &b);
		(void)world_step(0);
	}
	survived(ROLE_PROCINFO);
}

/*
 * As many packets as a queue holds: what waits is bounded, the rest meets
 * the default, and packets with a rule pass in between.
 */
static void
t_packet_flood(void)
{
	unsigned	i, n = 0;
	uint32_t	from;

	stage();
	w->who_silent = true;
	from = w->id + 1;
	for (i = 0; i < 8000; i++) {
		(void)out_tcp(1024 + (int)i, "203.0.113.1", 80);
		(void)world_step(0);
	}
	sure = out_tcp(2, "203.0.113.9", 80);
	JUDGED(sure, ACTION_ALLOW);
	for (i = from; i < from + 8000; i++)
		n += w->verdict[i] == ACTION_ALLOW;
	IS(n == 0);
}

static void
t_answer_flood(void)
{
	unsigned	i;

	stage();
	for (i = 0; i < 5000; i++)
		answer(&w->prompter, 0, 0, ACTION_ALLOW, DURATION_FOREVER);
	STAYS(w->verdict[held] == UNJUDGED && w->bad[ROLE_PROMPTER] == 0);
	sure = out_tcp(2, "203.0.113.9", 80);
	JUDGED(sure, ACTION_ALLOW);
}

/* One who never reads: the others are not held up. */
static void
t_deaf(void)
{
	uint32_t	a = 0;
	unsigned	i;
	struct peer	saved;

	stage();
	saved = w->proc;
	w->proc.fd = -1;	/* open, and not looked at */
	for (i = 0; i < 3000; i++)
		a = out_tcp(1024 + (int)i, "203.0.113.9", 80);
	JUDGED(a, ACTION_ALLOW);
	w->proc = saved;
}

/* ---- control clients */

static struct client *
bad_client(void)
{
	world_start("allow 203.0.113.9 80 tcp\n");
	return client_new(0);
}

static void
client_dropped(struct client *c)
{
	UNTIL(c->peer.gone);
	IS(strstr(ctl("status", ""), "version") != NULL);
	IS(w->bad[ROLE_CTL] == 0);
}

static void
t_client_garbage(void)
{
	struct client	*c = bad_client();

	say_garbage(&c->peer, ROLE_CTL);
	client_dropped(c);
}

static void
t_client_payload(void)
{
	struct client	*c = bad_client();

	speak(&c->peer, MSG_CTL, 0, 100, 0xff);
	client_dropped(c);
}

static void
t_client_twice(void)
{
	struct client	*c = bad_client();

	client_say(c, "status", "", false);
	client_say(c, "status", "", false);
	client_dropped(c);
}

static void
t_client_version(void)
{
	struct client	*c = bad_client();
	struct msg_ctl	 m;
	static uint8_t	 buf[4096];
	struct ibuf	 b;

	memset(&m, 0, sizeof(m));
	m.version = CTL_VERSION + 1;
	(void)snprintf(m.command, sizeof(m.command), "reload");
	ibuf_writer(&b, buf, sizeof(buf));
	msg_put_ctl(&b, &m);
	ibuf_frame(&c->peer, MSG_CTL, &b);
	UNTIL(c->status == 1);
	IS(strstr(c->text, "version") != NULL);
}

static void
t_client_answers(void)
{
	struct client	*c;

	stage();
	c = client_new(0);
	client_say(c, "monitor", "", false);
	answer(&c->peer, w->ask.question, 0, ACTION_ALLOW, DURATION_FOREVER);
	client_dropped(c);
	STAYS(w->verdict[held] == UNJUDGED);
}

static void
t_client_half(void)
{
	struct client	*c = bad_client();
	uint32_t	 type = MSG_CTL;

	int		 i;

	raw_put(&c->peer, &type, 4);
	for (i = 0; i < 1300 && !c->peer.gone; i++)
		(void)world_step(10);
	client_dropped(c);
}

static void
t_client_group(void)
{
	struct client	*c;
	size_t		 i;
	static const char *const for_root[] = { "add", "delete", "reload",
			    "pause", "resume" };

	stage();
	for (i = 0; i < 5; i++) {
		c = client_new(1000);
		client_say(c, for_root[i], i < 2 ? "allow - - -" : "9m",
		    false);
		UNTIL(c->status == 1);
		IS(strstr(c->text, "only root may") != NULL);
	}
	IS(w->commits[FILE_RULES] == 0);
	c = client_new(1000);
	client_say(c, "rules", "", false);
	UNTIL(c->status == 0);
	IS(strstr(c->text, "allow 203.0.113.9 80 tcp") != NULL);
	c = client_new(1000);
	client_say(c, "ask", "", false);
	UNTIL(c->asks == 1);
	answer(&c->peer, c->ask.question, 0, ACTION_DENY, DURATION_ONCE);
	JUDGED(held, ACTION_DENY);
	UNTIL(w->ends == 1);	/* the prompter's window closes */
}

/* The group cannot keep root out by taking every place. */
static void
t_client_crowd(void)
{
	size_t	i;

	world_start("");
	for (i = 0; i < 40; i++)
		client_say(client_new(1000), "monitor", "", false);
	(void)world_step(50);
	IS(strstr(ctl("status", ""), "version") != NULL);
}

/* Done, and hanging on: its place is wanted. */
static void
t_client_lingers(void)
{
	struct client	*c = bad_client();
	int		 i;

	client_say(c, "status", "", false);
	UNTIL(c->status == 0);
	for (i = 0; i < 1300 && !c->peer.gone; i++)
		(void)world_step(10);
	IS(c->peer.gone);
}

static void
json_check(const char *text)
{
	FILE	*f = popen("python3 -c 'import json,sys\n"
	    "for l in sys.stdin: json.loads(l)'", "w");

	if (f == NULL || fputs(text, f) == EOF || pclose(f) != 0)
		fail("no JSON: %.200s", text);
}

/* Names, paths and arguments as bad as they come, in every form of a line. */
static void
t_json(void)
{
	struct client	*c, *d, *e;
	uint32_t	 a;

	setup.start.log_forms = LOGFORM_TEXT | LOGFORM_JSON;
	world_start("allow 203.0.113.9 80 tcp # \"\\\n");
	memset(w->is.exe, 1, sizeof(w->is.exe) - 1);
	memset(w->is.args, 0xff, sizeof(w->is.args) - 1);
	w->is.args[sizeof(w->is.args) - 1] = '\0';
	w->is.args_len = sizeof(w->is.args);
	memset(w->is.cwd, '"', sizeof(w->is.cwd) - 1);
	memset(w->is.unit, '\\', sizeof(w->is.unit) - 1);
	c = client_new(0);
	client_say(c, "monitor", "", true);
	d = client_new(0);
	client_say(d, "monitor", "", false);
	(void)ctl("status", "");	/* answered after those were heard */
	a = out_tcp(1, "203.0.113.9", 80);
	JUDGED(a, ACTION_ALLOW);
	UNTIL(strstr(w->json, "\"held\":") != NULL);
	UNTIL(strstr(c->text, "\"held\":") != NULL);
	UNTIL(strstr(d->text, "INFO allow") != NULL);
	json_check(w->json);
	json_check(c->text);
	a = out_tcp(1, "203.0.113.1", 80);
	UNTIL(w->asks == 1);
	e = client_new(0);
	client_say(e, "pending", "", true);
	UNTIL(e->status == 0);
	IS(strstr(e->text, "\"packets\":1") != NULL);
	json_check(e->text);
}

static void
t_json_commands(void)
{
	static const char *const words[][2] = { { "status", "" },
			    { "rules", "" }, { "names", "" },
			    { "test", "tcp 203.0.113.9 80" },
			    { "test", "tcp x.example 80" } };
	struct client	*c;
	size_t		 i;

	setup.names = "www.example.com 203.0.113.1\n";
	world_start("allow 203.0.113.9 80 tcp exe=\"/a \\\"b\"\n");
	for (i = 0; i < 5; i++) {
		c = client_new(0);
		client_say(c, words[i][0], words[i][1], true);
		UNTIL(c->status == 0);
		IS(c->text[0] == '{');
		json_check(c->text);
	}
}

/* More rules than a link may hold unsent: nothing is cut. */
static void
t_long_reply(void)
{
	struct client	*c;
	char		*rules;
	size_t		 i, len = 0, n = 40000;

	if ((rules = malloc(n * 160)) == NULL)
		exit(1);
	for (i = 0; i < n; i++)
		len += (size_t)snprintf(rules + len, 160, "allow h%zu.example"
		    " 443 tcp exe=/opt/%0100zu\n", i, i);
	world_start(rules);
	free(rules);
	c = client_new(0);
	client_say(c, "rules", "", true);
	/* Not reading for a while is no offence. */
	(void)poll(NULL, 0, 200);
	UNTIL(c->status == 0 || c->peer.gone);
	IS(c->status == 0 && c->bytes > len);
}

static void
t_pause(void)
{
	uint32_t	a;

	stage();
	IS(strcmp(ctl("pause", "9m"), "") == 0);
	JUDGED(held, ACTION_DENY);
	a = out_tcp(5, "203.0.113.1", 443);
	JUDGED(a, ACTION_DENY);
	IS(strstr(ctl("status", ""), "paused") != NULL);
	IS(strcmp(ctl("resume", ""), "") == 0);
	a = out_tcp(6, "203.0.113.1", 443);
	UNTIL(w->asks == 2);
	IS(w->verdict[a] == UNJUDGED);
}

static void
t_test(void)
{
	world_start("allow *.example.com 443 tcp\ndeny - 80 -\n"
	    "allow localhost 22 tcp from=192.0.2.0/24\n");
	IS(strstr(ctl("test", "tcp www.example.com 443"),
	    "allow by") != NULL);
	IS(strstr(ctl("test", "tcp www.example.com 443"), "/rules:1") !=
	    NULL);
	IS(strstr(ctl("test", "tcp 203.0.113.1 80"), "deny by") != NULL);
	IS(strstr(ctl("test", "tcp x.example.org 443"), "ask") != NULL);
	IS(strstr(ctl("test", "tcp localhost 22 in from=192.0.2.7"),
	    "allow") != NULL);
	IS(strstr(ctl("test", "tcp *.example.com 443"), "one host") != NULL);
	IS(strstr(ctl("test", "icmp *.example.com -"), "one host") != NULL);
	IS(strstr(ctl("test", "tcp"), "usage") != NULL);
}

int
main(void)
{
	check("garbage from each peer", t_garbage);
	check("what only the parent may say", t_foreign);
	check("an unknown type", t_unknown);
	check("too short", t_short);
	check("too long", t_long);
	check("bad payloads", t_payload);
	check("bad flags", t_flags);
	check("no header", t_header);
	check("a stray descriptor", t_descriptor);
	check("a descriptor that is only claimed", t_claimed);
	check("descriptors hidden beside a frame", t_hidden);
	check("half a frame", t_half);
	check("an answer to no question of ruled's", t_answer_unasked);
	check("the same of no question of ruled's", t_same_unasked);
	check("the same as nothing", t_same_as_nothing);
	check("a second answer changes nothing", t_answer_twice);
	check("a flood of own addresses", t_host_flood);
	check("a flood of packets", t_packet_flood);
	check("a flood of answers", t_answer_flood);
	check("procinfo reads nothing", t_deaf);
	check("client: garbage", t_client_garbage);
	check("client: bad payload", t_client_payload);
	check("client: a second command", t_client_twice);
	check("client: another version", t_client_version);
	check("client: answers without asking", t_client_answers);
	check("client: half a message, then silence", t_client_half);
	check("client: what the group may", t_client_group);
	check("client: a crowd leaves room for root", t_client_crowd);
	check("client: one that lingers", t_client_lingers);
	check("JSON lines of hostile programs", t_json);
	check("JSON of every command", t_json_commands);
	check("a reply longer than a link holds", t_long_reply);
	check("pause and resume", t_pause);
	check("test explains", t_test);
	return finish();
}
