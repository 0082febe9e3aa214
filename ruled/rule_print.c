/*
 * SPDX-License-Identifier: ISC
 *
 * Rules back into text, copied and compared.  The text is printable ASCII
 * whatever a path holds, so it may go to logs and onto the screen.
 */
#include <netinet/in.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "rule.h"

/* Appends; the first thing that does not fit sticks. */
struct out {
	char	*buf;
	size_t	 size;
	size_t	 len;
	bool	 full;
};

static void	out(struct out *, const char *, ...)
		    __attribute__((__format__(printf, 2, 3)));

static void
out(struct out *o, const char *fmt, ...)
{
	va_list	ap;
	int	n;

	if (o->full)
		return;
	va_start(ap, fmt);
	n = vsnprintf(o->buf + o->len, o->size - o->len, fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= o->size - o->len)
		o->full = true;
	else
		o->len += (size_t)n;
}

static bool
is_plain(char c)
{
	return c > 0x20 && c < 0x7f && c != '"' && c != '#' && c != '\\';
}

/* A * at the very end means a folder; one in the name is escaped. */
static void
out_quoted(struct out *o, const char *text, bool star)
{
	size_t	i, len = strlen(text);
	bool	plain = !(len > 0 && text[len - 1] == '*');

	for (i = 0; i < len && plain; i++)
		plain = is_plain(text[i]);
	if (plain) {
		out(o, "%s%s", text, star ? "*" : "");
		return;
	}
	out(o, "\"");
	for (i = 0; i < len; i++) {
		if (text[i] == '"' || text[i] == '\\')
			out(o, "\\%c", text[i]);
		else if ((text[i] == ' ' || is_plain(text[i]) ||
		    text[i] == '#') && !(text[i] == '*' && i == len - 1))
			out(o, "%c", text[i]);
		else
			out(o, "\\%03o", (unsigned char)text[i]);
	}
	out(o, "%s\"", star ? "*" : "");
}

static void
out_prefix(struct out *o, const struct prefix *prefix)
{
	char	addr[ADDR_STR_MAX];

	out(o, "%s", addr_print(&prefix->addr, addr));
	if (prefix->len != addr_size(prefix->addr.af) * 8)
		out(o, "/%u", prefix->len);
}

static void
out_dst(struct out *o, const struct rule *r)
{
	switch (r->kind) {
	case DST_ANY:
		out(o, " -");
		break;
	case DST_NAME:
	case DST_LOCALHOST:
		out(o, " %s", r->name);
		break;
	case DST_DOMAIN:
		out(o, " *.%s", r->name);
		break;
	case DST_ADDR:
	case DST_PREFIX:
		out(o, " ");
		out_prefix(o, &r->prefix);
		break;
	}
}

static void
out_port_proto(struct out *o, const struct rule *r)
{
	if (r->port_any)
		out(o, " -");
	else if (r->port_lo == r->port_hi)
		out(o, " %u", r->port_lo);
	else
		out(o, " %u-%u", r->port_lo, r->port_hi);
	switch (r->proto) {
	case -1:
		out(o, " -");
		break;
	case IPPROTO_TCP:
		out(o, " tcp");
		break;
	case IPPROTO_UDP:
		out(o, " udp");
		break;
	case IPPROTO_ICMP:
		out(o, " icmp");
		break;
	case IPPROTO_SCTP:
		out(o, " sctp");
		break;
	default:
		out(o, " %d", r->proto);
		break;
	}
}

static void
out_qualifiers(struct out *o, const struct rule *r)
{
	if (r->dir != -1)
		out(o, " %s", direction_name((enum direction)r->dir));
	if (r->exe != NULL) {
		out(o, " exe=");
		out_quoted(o, r->exe, r->exe_folder);
	}
	if (r->has_uid && r->uid_name != NULL) {
		out(o, " uid=");
		out_quoted(o, r->uid_name, false);
	} else if (r->has_uid)
		out(o, " uid=%u", r->uid);
	if (r->from == FROM_NAME)
		out(o, " from=%s", r->from_name);
	else if (r->from == FROM_PREFIX) {
		out(o, " from=");
		out_prefix(o, &r->from_prefix);
	}
	if (r->ifname[0] != '\0') {
		out(o, " if=");
		out_quoted(o, r->ifname, false);
	}
}

int
rule_print(const struct rule *r, char *buf, size_t size)
{
	struct out	o = { .buf = buf, .size = size, .full = size == 0 };

	out(&o, "%s", action_name(r->action));
	out_dst(&o, r);
	out_port_proto(&o, r);
	out_qualifiers(&o, r);
	return o.full ? -1 : (int)o.len;
}

int
rule_quote(const char *text, bool star, char *buf, size_t size)
{
	struct out	o = { .buf = buf, .size = size, .full = size == 0 };

	out_quoted(&o, text, star);
	return o.full ? -1 : (int)o.len;
}

void
rule_clear(struct rule *r)
{
	free(r->name);
	free(r->exe);
	free(r->uid_name);
	free(r->from_name);
	memset(r, 0, sizeof(*r));
}

static void
copy_string(char **to, const char *from)
{
	if (from != NULL && (*to = strdup(from)) == NULL)
		fatal(NULL);
}

void
rule_copy(struct rule *to, const struct rule *from)
{
	*to = *from;
	copy_string(&to->name, from->name);
	copy_string(&to->exe, from->exe);
	copy_string(&to->uid_name, from->uid_name);
	copy_string(&to->from_name, from->from_name);
}

static bool
same_string(const char *a, const char *b)
{
	if (a == NULL || b == NULL)
		return a == b;
	return strcmp(a, b) == 0;
}

static bool
same_prefix(const struct prefix *a, const struct prefix *b)
{
	return a->len == b->len && addr_eq(&a->addr, &b->addr);
}

static bool
same_dst(const struct rule *a, const struct rule *b)
{
	return a->kind == b->kind && same_string(a->name, b->name) &&
	    same_prefix(&a->prefix, &b->prefix);
}

bool
rule_same(const struct rule *a, const struct rule *b)
{
	return same_dst(a, b) && a->port_any == b->port_any &&
	    a->port_lo == b->port_lo && a->port_hi == b->port_hi &&
	    a->proto == b->proto && a->dir == b->dir &&
	    same_string(a->exe, b->exe) && a->exe_folder == b->exe_folder &&
	    a->has_uid == b->has_uid && a->uid == b->uid &&
	    a->from == b->from && same_string(a->from_name, b->from_name) &&
	    same_prefix(&a->from_prefix, &b->from_prefix) &&
	    strcmp(a->ifname, b->ifname) == 0;
}

static bool
covers_exe(const struct rule *a, const struct rule *b)
{
	if (a->exe == NULL)
		return true;
	if (b->exe == NULL)
		return false;
	if (a->exe_folder)
		return strncmp(a->exe, b->exe, strlen(a->exe)) == 0;
	return !b->exe_folder && strcmp(a->exe, b->exe) == 0;
}

static bool
covers_from(const struct rule *a, const struct rule *b)
{
	if (a->from == FROM_ANY)
		return true;
	if (a->from != b->from)
		return false;
	if (a->from == FROM_NAME)
		return strcmp(a->from_name, b->from_name) == 0;
	return a->from_prefix.len <= b->from_prefix.len &&
	    prefix_covers(&a->from_prefix, &b->from_prefix.addr);
}

/*
 * The same key first: any, a number and a range of ports are three, of
 * which the number is looked at before the range and the range before any,
 * wherever they stand in the file.
 */
bool
rule_covers(const struct rule *a, const struct rule *b)
{
	if (!same_dst(a, b) || a->port_any != b->port_any ||
	    (a->port_lo == a->port_hi) != (b->port_lo == b->port_hi) ||
	    a->port_lo > b->port_lo || a->port_hi < b->port_hi)
		return false;
	if (a->proto != -1 && a->proto != b->proto &&
	    !(a->proto == IPPROTO_ICMP && b->proto == IPPROTO_ICMPV6))
		return false;
	return (a->dir == -1 || a->dir == b->dir) && covers_exe(a, b) &&
	    (!a->has_uid || (b->has_uid && a->uid == b->uid)) &&
	    covers_from(a, b) &&
	    (a->ifname[0] == '\0' || strcmp(a->ifname, b->ifname) == 0);
}
