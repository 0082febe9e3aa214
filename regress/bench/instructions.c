/*
 * SPDX-License-Identifier: ISC
 *
 * instructions PACKETS
 *
 * What ruled computes for a packet that a rule names, without any system
 * call: from netq's message by parser, flows, names and rules to the verdict,
 * the question for procinfo and its answer.  instructions.sh counts.
 */
#include <arpa/inet.h>
#include <err.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "flows.h"
#include "log.h"
#include "match.h"
#include "names.h"
#include "packet.h"
#include "rule.h"

#define RULES	1000
#define HOSTS	100
#define SYN_LEN	40
#define NOW	1000000000ULL

static const uint8_t	 key[NAMES_KEY_LEN] = "always the same";
static struct names	*names;
static struct ruleset	*rules;
static struct flows	*flows;

static void
add_rule(const char *text)
{
	struct rule	r;
	char		why[256];

	if (rule_parse(text, strlen(text), NULL, &r, why, sizeof(why)) == -1)
		errx(1, "%s: %s", text, why);
	if (ruleset_add(rules, &r) == -1)
		errx(1, "too many rules");
	rule_clear(&r);
}

static void
setup(void)
{
	char	text[128];
	int	i;

	names = names_new_keyed(key);
	rules = ruleset_new(false);
	flows = flows_new(1);
	if (names == NULL || rules == NULL || flows == NULL)
		err(1, NULL);
	ruleset_key(rules, key);
	for (i = 0; i < RULES; i++) {
		(void)snprintf(text, sizeof(text),
		    "allow www%d.example.org 443 tcp", i);
		add_rule(text);
	}
	for (i = 0; i < HOSTS; i++) {
		(void)snprintf(text, sizeof(text),
		    "www%d.example.org 192.0.2.%d\n", i * 7, i + 1);
		if (names_load(names, text, strlen(text), NOW) != 0)
			errx(1, "%s: no name", text);
	}
}

/* A TCP SYN to one of the hosts, as the kernel copies it. */
static void
make_syn(uint8_t syn[SYN_LEN], unsigned int n)
{
	static const uint8_t	 ip[20] = { 0x45, 0, 0, SYN_LEN, 0, 0, 0x40,
	    0, 64, IPPROTO_TCP, 0, 0, 198, 51, 100, 1, 192, 0, 2, 0 };

	memset(syn, 0, SYN_LEN);
	memcpy(syn, ip, sizeof(ip));
	syn[19] = (uint8_t)(n % HOSTS + 1);
	syn[20] = (uint8_t)(0x80 | n >> 8);
	syn[21] = (uint8_t)n;
	syn[22] = 443 >> 8;
	syn[23] = 443 & 0xff;
	syn[32] = 5 << 4;
	syn[33] = PACKET_TCP_SYN;
}

static enum action
judge(const struct packet *p)
{
	struct subject	 s;
	struct match	 m;
	const char	*name[1] = { NULL };
	size_t		 total;

	if (flows_known(flows, &p->tuple, NOW))
		errx(1, "no flow was added");
	memset(&s, 0, sizeof(s));
	s.dir = DIR_OUT;
	s.dst = p->tuple.dst;
	s.src = p->tuple.src;
	s.proto = p->tuple.proto;
	s.has_port = true;
	s.port = p->tuple.dport;
	s.now = NOW;
	if (names_of(names, &s.dst, NOW, name, 1, &total) != 1)
		errx(1, "a host without its name");
	s.name = name[0];
	if (match_rules(NULL, rules, NULL, &s, &m) != MATCH_RULE)
		errx(1, "%s: no rule", s.name);
	return m.action;
}

/* There and back through a message, as between two processes. */
static void
answer(const struct packet *p, unsigned int n, enum action action)
{
	static struct whois	 is;
	struct msg_verdict	 v = { n, (uint8_t)action, 0 };
	struct msg_who		 who = { .number = n, .hook = HOOK_OUT };
	uint8_t			 buf[MSG_PAYLOAD_MAX];
	char			 text[EXE_MAX];
	struct ibuf		 b;

	ibuf_writer(&b, buf, sizeof(buf));
	msg_put_verdict(&b, &v);
	ibuf_writer(&b, buf, sizeof(buf));
	who.tuple = p->tuple;
	msg_put_who(&b, &who);
	is.number = n;
	is.source = WHO_EVENT;
	is.pid = 1234;
	(void)strlcpy(is.exe, "/usr/bin/example", sizeof(is.exe));
	ibuf_writer(&b, buf, sizeof(buf));
	msg_put_whois(&b, &is);
	n = (unsigned int)b.off;
	ibuf_reader(&b, buf, n);
	if (msg_get_whois(&b, &is) == -1)
		errx(1, "an answer is not read back");
	(void)log_escape(text, sizeof(text), is.exe, strlen(is.exe));
}

static void
one(unsigned int n)
{
	struct msg_packet	 mp = { .id = n, .number = n, .hook = HOOK_OUT,
	    .af = AF_INET, .full_len = SYN_LEN, .len = SYN_LEN };
	uint8_t			 syn[SYN_LEN], buf[256];
	struct packet		 p;
	struct ibuf		 b;
	size_t			 len;

	make_syn(syn, n);
	mp.data = syn;
	ibuf_writer(&b, buf, sizeof(buf));
	msg_put_packet(&b, &mp);
	len = b.off;
	ibuf_reader(&b, buf, len);
	if (msg_get_packet(&b, &mp) == -1 || packet_parse(mp.data, mp.len,
	    mp.full_len, mp.af, &p) == -1)
		errx(1, "a packet is not read back");
	answer(&p, n, judge(&p));
}

int
main(int argc, char *argv[])
{
	const char	*bad;
	unsigned int	 i, packets;

	if (argc != 2)
		errx(2, "usage: instructions PACKETS");
	packets = (unsigned int)strtonum(argv[1], 0, 1000000, &bad);
	if (bad != NULL)
		errx(2, "%s: %s", argv[1], bad);
	setup();
	for (i = 0; i < packets; i++)
		one(i);
	return 0;
}
