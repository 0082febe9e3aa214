/*
 * SPDX-License-Identifier: ISC
 *
 * The text behind a command, cut up and checked.
 */
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command_text.h"

int
command_duration(const char *word, uint32_t *seconds)
{
	char		number[16];
	const char	*bad;
	size_t		n = strspn(word, "0123456789");
	uint32_t	unit;
	long long	v;

	if (n == 0 || n >= sizeof(number) || word[n] == '\0' ||
	    word[n + 1] != '\0')
		return -1;
	switch (word[n]) {
	case 's':
		unit = 1;
		break;
	case 'm':
		unit = 60;
		break;
	case 'h':
		unit = 3600;
		break;
	case 'd':
		unit = 86400;
		break;
	default:
		return -1;
	}
	memcpy(number, word, n);
	number[n] = '\0';
	v = strtonum(number, 1, DURATION_MAX_S / unit, &bad);
	if (bad != NULL)
		return -1;
	*seconds = (uint32_t)v * unit;
	return 0;
}

char *
command_word(char **text)
{
	char	*word;

	do
		word = strsep(text, " \t");
	while (word != NULL && *word == '\0');
	return word;
}

int
command_add(char *text, char **rest, uint32_t *seconds)
{
	char	*end, saved;

	*seconds = 0;
	*rest = text + strspn(text, " \t");
	if ((*rest)[0] < '0' || (*rest)[0] > '9')
		return 0;
	end = *rest + strcspn(*rest, " \t");
	saved = *end;
	*end = '\0';
	if (command_duration(*rest, seconds) == -1)
		return -1;
	*rest = saved != '\0' ? end + 1 : end;
	return 0;
}

int
command_test(char *text, char *rule, size_t size)
{
	char	*proto, *host, *port;
	int	 n;

	proto = command_word(&text);
	host = command_word(&text);
	port = command_word(&text);
	if (port == NULL)
		return 1;
	n = snprintf(rule, size, "allow %s %s %s %s", host, port, proto,
	    text != NULL ? text : "");
	return n < 0 || (size_t)n >= size ? -1 : 0;
}

/* Could it be a connection?  Only some protocols have ports. */
static bool
is_one(const struct rule *r)
{
	bool	ports;

	ports = r->proto == IPPROTO_TCP || r->proto == IPPROTO_UDP ||
	    r->proto == IPPROTO_SCTP;
	if (r->proto == -1 || (ports && (r->port_any ||
	    r->port_lo != r->port_hi)))
		return false;
	return r->kind == DST_NAME || r->kind == DST_ADDR ||
	    r->kind == DST_LOCALHOST;
}

int
command_subject(const struct rule *r, struct subject *s)
{
	if (!is_one(r))
		return -1;
	memset(s, 0, sizeof(*s));
	s->dir = r->dir == -1 ? DIR_OUT : (enum direction)r->dir;
	if (r->kind == DST_LOCALHOST && r->dir == -1)
		s->dir = DIR_IN;
	s->name = r->name;
	if (r->kind == DST_ADDR)
		s->dst = r->prefix.addr;
	if (r->from == FROM_PREFIX)
		s->src = r->from_prefix.addr;
	else if (r->from == FROM_NAME) {
		s->src_names = (const char *const *)&r->from_name;
		s->nsrc_names = 1;
	}
	s->proto = (uint8_t)r->proto;
	s->has_port = !r->port_any;
	s->port = r->port_lo;
	s->ifname = r->ifname[0] != '\0' ? r->ifname : NULL;
	s->who_known = true;
	s->exe = r->exe;
	s->has_uid = r->has_uid;
	s->uid = r->uid;
	return 0;
}
