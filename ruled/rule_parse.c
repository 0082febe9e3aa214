/*
 * SPDX-License-Identifier: ISC
 *
 * One rule, from text: files, control clients, questions.  Whatever is not
 * exactly the grammar of tinysnitch.rules(5) is refused with a reason; a
 * rule that can never match is refused too, for a deny that does nothing is
 * a hole.
 */
#include <netinet/in.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "log.h"
#include "rule.h"
#include "words.h"

#define PROTO_MAX	255

/* What the functions below share: where the reason goes. */
struct parse {
	struct rule			*rule;
	const struct passwd_map		*users;
	char				*err;
	size_t				 errsize;
	char				 show[WORD_SHOW_MAX];
};

static int	bad(struct parse *, const char *, ...)
		    __attribute__((__format__(printf, 2, 3)));

static int
bad(struct parse *p, const char *fmt, ...)
{
	va_list	ap;

	va_start(ap, fmt);
	(void)vsnprintf(p->err, p->errsize, fmt, ap);
	va_end(ap);
	return -1;
}

static char *
copy_string(const char *s)
{
	char	*copy;

	if ((copy = strdup(s)) == NULL)
		fatal(NULL);
	return copy;
}

/* Decimal ASCII digits and nothing else: no sign, space or underscore. */
static int
number(const char *text, uint32_t max, uint32_t *out)
{
	const char	*reason;
	size_t		 len = strlen(text);

	if (len == 0 || len > 10 || strspn(text, "0123456789") != len)
		return -1;
	*out = (uint32_t)strtonum(text, 0, max, &reason);
	return reason == NULL ? 0 : -1;
}

/* What a label is made of, in lower case; 0: not allowed. */
static char
label_char(char c)
{
	/* A list has millions of these: one look each. */
	static const char	map[256] = {
		['-'] = '-', ['_'] = '_',
		['0'] = '0', '1', '2', '3', '4', '5', '6', '7', '8', '9',
		['A'] = 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k',
		'l', 'm', 'n', 'o', 'p', 'q', 'r', 's', 't', 'u', 'v', 'w',
		'x', 'y', 'z',
		['a'] = 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k',
		'l', 'm', 'n', 'o', 'p', 'q', 'r', 's', 't', 'u', 'v', 'w',
		'x', 'y', 'z',
	};

	return map[(unsigned char)c];
}

/*
 * No name's last label is a number (RFC 1123, 2.1): what looks so is an
 * address written badly, and must not become a name that never matches.
 */
int
rule_host(const char *text, size_t len, char name[HOST_NAME_MAX_DNS])
{
	size_t	i, label = 0;

	if (len > 1 && text[len - 1] == '.')
		len--;
	if (len == 0 || len > 253)
		return -1;
	for (i = 0; i < len; i++) {
		if ((name[i] = label_char(text[i])) != '\0')
			continue;
		if (text[i] != '.' || i == label || i - label > 63)
			return -1;
		name[i] = '.';
		label = i + 1;
	}
	if (i == label || i - label > 63)
		return -1;
	name[len] = '\0';
	if (strspn(name + label, "0123456789") == len - label)
		return -1;
	return strcmp(name, "-") == 0 ? -1 : 0;
}

static int
parse_host(struct parse *p, const char *text, char name[HOST_NAME_MAX_DNS])
{
	const char	*c;

	for (c = text; *c != '\0'; c++)
		if ((unsigned char)*c >= 0x80)
			return bad(p, "%s: not ASCII: write the xn-- form",
			    word_show(text, p->show));
	if (rule_host(text, strlen(text), name) == -1)
		return bad(p, "%s: neither a host name nor an address",
		    word_show(text, p->show));
	return 0;
}

/* *.x.y, after the star and dot. */
static int
parse_domain(struct parse *p, const char *text)
{
	char	name[HOST_NAME_MAX_DNS];

	if (parse_host(p, text, name) == -1)
		return -1;
	if (strchr(name, '.') == NULL)
		return bad(p, "*.%s covers a whole top-level domain: at least "
		    "two labels are needed", word_show(name, p->show));
	if (suffix_is_public(name))
		return bad(p, "*.%s is too wide: %s is a public suffix, below "
		    "which anybody can have a name",
		    word_show(name, p->show), p->show);
	p->rule->kind = DST_DOMAIN;
	p->rule->name = copy_string(name);
	return 0;
}

/* a.b.c.*, a.b.*.* and a.*.*.*: prefixes of 24, 16 and 8 bits. */
static int
parse_stars(struct parse *p, const char *text, struct prefix *prefix)
{
	const char	*c = text;
	uint32_t	 byte;
	char		 part[4];
	size_t		 len, i;

	memset(prefix, 0, sizeof(*prefix));
	prefix->addr.af = AF_INET;
	for (i = 0; i < 4; i++) {
		len = strcspn(c, ".");
		if (len == 0 || len >= sizeof(part) ||
		    (c[len] == '.') != (i < 3))
			goto fail;
		memcpy(part, c, len);
		part[len] = '\0';
		c += len + 1;
		if (i > 0 && strcmp(part, "*") == 0)
			continue;
		if (prefix->len != 8 * i || (part[0] == '0' && len > 1) ||
		    number(part, 255, &byte) == -1)
			goto fail;
		prefix->addr.b[i] = (uint8_t)byte;
		prefix->len += 8;
	}
	return 0;
fail:
	return bad(p, "%s: a * stands for the first labels of a name (*.x.y) "
	    "or the last numbers of an address (a.b.c.*)",
	    word_show(text, p->show));
}

/* Packets never carry these; the IPv4 form is what matches. */
static bool
is_mapped(const struct prefix *prefix)
{
	static const uint8_t	head[12] = { [10] = 0xff, [11] = 0xff };

	return prefix->addr.af == AF_INET6 && prefix->len >= 96 &&
	    memcmp(prefix->addr.b, head, sizeof(head)) == 0;
}

static int
parse_prefix(struct parse *p, const char *text, struct prefix *prefix)
{
	char		 addr[ADDR_STR_MAX];
	const char	*slash = strchr(text, '/');
	size_t		 len = slash == NULL ? strlen(text) :
			    (size_t)(slash - text);
	uint32_t	 bits, max;

	memset(prefix, 0, sizeof(*prefix));
	if (len >= sizeof(addr))
		return bad(p, "%s: not an address", word_show(text, p->show));
	memcpy(addr, text, len);
	addr[len] = '\0';
	if (addr_parse(addr, &prefix->addr) == -1)
		return bad(p, "%s: not an address", word_show(text, p->show));
	bits = max = (uint32_t)addr_size(prefix->addr.af) * 8;
	if (slash != NULL && number(slash + 1, max, &bits) == -1)
		return bad(p, "%s: the prefix length is 0 to %u",
		    word_show(text, p->show), max);
	prefix->len = (uint8_t)bits;
	if (is_mapped(prefix))
		return bad(p, "%s: write it as an IPv4 address",
		    word_show(text, p->show));
	prefix_normalize(prefix);
	return 0;
}

static bool
looks_numeric(const char *text)
{
	return strchr(text, ':') != NULL || strchr(text, '/') != NULL ||
	    strspn(text, "0123456789.") == strlen(text);
}

static int
parse_dst(struct parse *p, const struct word *w)
{
	struct rule	*r = p->rule;
	char		 name[HOST_NAME_MAX_DNS];

	if (w->quoted)
		return bad(p, "the destination is not quoted");
	if (strcmp(w->text, "-") == 0) {
		r->kind = DST_ANY;
		return 0;
	}
	if (strcmp(w->text, "*") == 0)
		return bad(p, "* is no destination: - is any");
	if (strncmp(w->text, "*.", 2) == 0 && !looks_numeric(w->text + 2) &&
	    strchr(w->text + 2, '*') == NULL)
		return parse_domain(p, w->text + 2);
	if (strchr(w->text, '*') != NULL) {
		r->kind = DST_PREFIX;
		return parse_stars(p, w->text, &r->prefix);
	}
	if (looks_numeric(w->text)) {
		if (parse_prefix(p, w->text, &r->prefix) == -1)
			return -1;
		r->kind = r->prefix.len == addr_size(r->prefix.addr.af) * 8 ?
		    DST_ADDR : DST_PREFIX;
		return 0;
	}
	if (parse_host(p, w->text, name) == -1)
		return -1;
	r->kind = strcmp(name, "localhost") == 0 ? DST_LOCALHOST : DST_NAME;
	r->name = copy_string(name);
	return 0;
}

static int
parse_action(struct parse *p, const struct word *w)
{
	int	a;

	for (a = 0; a < ACTION_MAX && !w->quoted; a++)
		if (strcasecmp(w->text, action_name((enum action)a)) == 0) {
			p->rule->action = (enum action)a;
			return 0;
		}
	return bad(p, "%s: not an action: allow, deny or drop",
	    word_show(w->text, p->show));
}

static int
parse_port(struct parse *p, const struct word *w)
{
	struct rule	*r = p->rule;
	char		 low[8];
	const char	*dash;
	uint32_t	 lo, hi;

	if (strcmp(w->text, "-") == 0) {
		r->port_any = true;
		r->port_hi = PORT_MAX;
		return 0;
	}
	dash = strchr(w->text, '-');
	if (w->quoted)
		goto fail;
	if (dash == NULL) {
		if (number(w->text, PORT_MAX, &lo) == -1)
			goto fail;
		hi = lo;
	} else {
		if ((size_t)(dash - w->text) >= sizeof(low))
			goto fail;
		memcpy(low, w->text, (size_t)(dash - w->text));
		low[dash - w->text] = '\0';
		if (number(low, PORT_MAX, &lo) == -1 ||
		    number(dash + 1, PORT_MAX, &hi) == -1)
			goto fail;
		if (lo > hi)
			return bad(p, "%s: the range is empty", w->text);
	}
	r->port_lo = (uint16_t)lo;
	r->port_hi = (uint16_t)hi;
	return 0;
fail:
	return bad(p, "%s: not a port: 0 to 65535, a range lo-hi, or -",
	    word_show(w->text, p->show));
}

static bool
proto_has_ports(int proto)
{
	return proto == -1 || proto == IPPROTO_TCP || proto == IPPROTO_UDP ||
	    proto == IPPROTO_SCTP || proto == IPPROTO_UDPLITE ||
	    proto == IPPROTO_DCCP;
}

static int
parse_proto(struct parse *p, const struct word *w)
{
	static const struct {
		const char	*name;
		int		 proto;
	} names[] = {
		{ "-", -1 }, { "tcp", IPPROTO_TCP }, { "udp", IPPROTO_UDP },
		{ "icmp", IPPROTO_ICMP }, { "sctp", IPPROTO_SCTP },
	};
	uint32_t	n;
	size_t		i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!w->quoted && strcasecmp(w->text, names[i].name) == 0)
			break;
	if (i < sizeof(names) / sizeof(names[0]))
		p->rule->proto = names[i].proto;
	else if (!w->quoted && number(w->text, PROTO_MAX, &n) == 0)
		p->rule->proto = (int)n;
	else
		return bad(p, "%s: not a protocol: tcp, udp, icmp, sctp, "
		    "a number, or -", word_show(w->text, p->show));
	if (!p->rule->port_any && !proto_has_ports(p->rule->proto))
		return bad(p, "protocol %s has no ports: write - for the port",
		    w->text);
	return 0;
}

/* The kernel names programs by clean paths; another would never match. */
static bool
clean_path(const char *path)
{
	const char	*c;
	size_t		 len;

	if (*path != '/')
		return false;
	for (c = path; *c == '/'; c += len) {
		c++;
		len = strcspn(c, "/");
		if (len == 0 && *c == '\0')
			return true;	/* a folder: ends in a slash */
		if (len == 0 || (len == 1 && c[0] == '.') ||
		    (len == 2 && c[0] == '.' && c[1] == '.'))
			return false;
	}
	return true;
}

static int
parse_exe(struct parse *p, const char *value, bool star)
{
	struct rule	*r = p->rule;
	size_t		 len = strlen(value);

	if (r->exe != NULL)
		return bad(p, "exe= is there twice");
	if (*value != '/')
		return bad(p, "exe=%s: not an absolute path",
		    word_show(value, p->show));
	r->exe = copy_string(value);
	if (star) {
		r->exe[len - 1] = '\0';
		r->exe_folder = true;
		if (len < 2 || r->exe[len - 2] != '/')
			return bad(p, "exe=%s: a * stands for a folder, after "
			    "its /", word_show(value, p->show));
	} else if (value[len - 1] == '/')
		return bad(p, "exe=%s: a folder is written with a * behind it",
		    word_show(value, p->show));
	if (!clean_path(r->exe))
		return bad(p, "exe=%s: the path has //, . or .. in it",
		    word_show(value, p->show));
	return 0;
}

static int
parse_user(struct parse *p, const char *value, bool star)
{
	struct rule	*r = p->rule;

	(void)star;
	if (r->has_uid)
		return bad(p, "uid= is there twice");
	r->has_uid = true;
	if (number(value, UINT32_MAX - 1, &r->uid) == 0)
		return 0;
	if (passwd_uid(p->users, value, &r->uid) == -1)
		return bad(p, "uid=%s: no such user",
		    word_show(value, p->show));
	r->uid_name = copy_string(value);
	return 0;
}

static int
parse_from(struct parse *p, const char *value, bool star)
{
	struct rule	*r = p->rule;
	char		 name[HOST_NAME_MAX_DNS];

	if (r->from != FROM_ANY)
		return bad(p, "from= is there twice");
	if (strcmp(value, "-") == 0 || strncmp(value, "*", 1) == 0)
		return bad(p, "from=%s: an address, a prefix or a name",
		    word_show(value, p->show));
	r->from = FROM_PREFIX;
	if (star)
		return parse_stars(p, value, &r->from_prefix);
	if (looks_numeric(value))
		return parse_prefix(p, value, &r->from_prefix);
	r->from = FROM_NAME;
	if (parse_host(p, value, name) == -1)
		return -1;
	r->from_name = copy_string(name);
	return 0;
}

/* What the kernel takes as a device name (dev_valid_name). */
static int
parse_if(struct parse *p, const char *value, bool star)
{
	struct rule	*r = p->rule;

	if (r->ifname[0] != '\0')
		return bad(p, "if= is there twice");
	if (star)
		return bad(p, "if=%s: one interface, without *",
		    word_show(value, p->show));
	if (*value == '\0' || strpbrk(value, "/: \t\v\f\r\n") != NULL ||
	    strcmp(value, ".") == 0 || strcmp(value, "..") == 0 ||
	    strlcpy(r->ifname, value, sizeof(r->ifname)) >= sizeof(r->ifname))
		return bad(p, "if=%s: not an interface name",
		    word_show(value, p->show));
	return 0;
}

static int
parse_direction(struct parse *p, const struct word *w)
{
	int	d;

	for (d = 0; d < DIR_MAX; d++)
		if (strcasecmp(w->text, direction_name((enum direction)d)) == 0)
			break;
	if (d == DIR_MAX || w->quoted)
		return bad(p, "%s: not a qualifier: in, out, forward, exe=, "
		    "uid=, from= or if=", word_show(w->text, p->show));
	if (p->rule->dir != -1)
		return bad(p, "more than one of in, out and forward");
	p->rule->dir = d;
	return 0;
}

static int
parse_qualifier(struct parse *p, const struct word *w)
{
	static const struct {
		const char	*key;
		int		(*parse)(struct parse *, const char *, bool);
	} keys[] = {
		{ "exe=", parse_exe }, { "uid=", parse_user },
		{ "from=", parse_from }, { "if=", parse_if },
	};
	size_t	i, len;

	for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		len = strlen(keys[i].key);
		if (strncasecmp(w->text, keys[i].key, len) != 0)
			continue;
		if (w->text[len] == '\0')
			return bad(p, "nothing behind %s", keys[i].key);
		return keys[i].parse(p, w->text + len, w->star);
	}
	return parse_direction(p, w);
}

static int
parse_all(struct parse *p, const struct words *words)
{
	char	text[RULE_TEXT_MAX];
	size_t	i, len = 0;

	if (words->n == 0)
		return bad(p, "no rule");
	if (parse_action(p, &words->w[0]) == -1)
		return -1;
	if (words->n < 4)
		return bad(p, "a rule is: action destination port protocol");
	if (parse_dst(p, &words->w[1]) == -1 ||
	    parse_port(p, &words->w[2]) == -1 ||
	    parse_proto(p, &words->w[3]) == -1)
		return -1;
	for (i = 4; i < words->n; i++)
		if (parse_qualifier(p, &words->w[i]) == -1)
			return -1;
	/* Escapes can make it longer than it came, four times at most. */
	for (i = 0; i < words->n; i++)
		len += words->w[i].len + 4;
	if (len > RULE_TEXT_MAX / 8 && rule_print(p->rule, text, sizeof(text)) == -1)
		return bad(p, "rule is too long");
	return 0;
}

int
rule_from_words(const struct words *words, const struct passwd_map *users,
    struct rule *rule, char *err, size_t errsize)
{
	struct parse	p = { .rule = rule, .users = users, .err = err,
			    .errsize = errsize };

	memset(rule, 0, sizeof(*rule));
	rule->dir = -1;
	rule->proto = -1;
	if (parse_all(&p, words) == -1) {
		rule_clear(rule);
		return -1;
	}
	return 0;
}

int
rule_parse(const char *text, size_t len, const struct passwd_map *users,
    struct rule *rule, char *err, size_t errsize)
{
	struct words	words;

	if (words_split(text, len, &words, err, errsize) == -1)
		return -1;
	return rule_from_words(&words, users, rule, err, errsize);
}
