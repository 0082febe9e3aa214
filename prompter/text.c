/*
 * SPDX-License-Identifier: ISC
 *
 * Input: names from DNS, paths, arguments and rule lines, all of which a
 * hostile program or host may have chosen so that the question looks like
 * another one.  No byte of it reaches the screen but as printable ASCII.
 */
#include <sys/types.h>

#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "text.h"

#define ELLIPSIS	"..."
#define ELLIPSIS_LEN	3

/* Appends while there is room; len counts what would have been needed. */
struct sink {
	char	*buf;
	size_t	 size;
	size_t	 used;
	size_t	 len;
	bool	 full;
};

static void
sink_open(struct sink *s, char *buf, size_t size)
{
	memset(s, 0, sizeof(*s));
	s->buf = buf;
	s->size = size;
	if (size > 0)
		buf[0] = '\0';
}

/* The whole piece or nothing, and nothing after the first that was left. */
static void
sink_put(struct sink *s, const char *piece, size_t len)
{
	s->len += len;
	if (s->full || s->size == 0 || len >= s->size - s->used) {
		s->full = true;
		return;
	}
	memcpy(s->buf + s->used, piece, len);
	s->used += len;
	s->buf[s->used] = '\0';
}

static bool
is_print(unsigned char c)
{
	return c >= 0x20 && c < 0x7f;
}

/*
 * Length of the well-formed UTF-8 character at p (RFC 3629: shortest form,
 * no surrogates, at most U+10FFFF), or 0.
 */
static size_t
utf8_decode(const unsigned char *p, size_t len, uint32_t *cp)
{
	static const uint32_t	least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t			i, n;

	if (p[0] >= 0xc2 && p[0] <= 0xdf)
		n = 2;
	else if (p[0] >= 0xe0 && p[0] <= 0xef)
		n = 3;
	else if (p[0] >= 0xf0 && p[0] <= 0xf4)
		n = 4;
	else
		return 0;
	if (n > len)
		return 0;
	*cp = p[0] & (0xffU >> (n + 1));
	for (i = 1; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		*cp = *cp << 6 | (p[i] & 0x3fU);
	}
	if (*cp < least[n] || *cp > 0x10ffff ||
	    (*cp >= 0xd800 && *cp <= 0xdfff))
		return 0;
	return n;
}

/* Puts the character at p, escaped if need be; returns its bytes. */
static size_t
put_char(struct sink *s, const unsigned char *p, size_t len)
{
	char		piece[16];
	uint32_t	cp;
	size_t		n;

	if (is_print(p[0]) && p[0] != '\\') {
		sink_put(s, (const char *)p, 1);
		return 1;
	}
	if (p[0] == '\\') {
		sink_put(s, "\\\\", 2);
		return 1;
	}
	/* C1 controls are two bytes in UTF-8 and must not look like text. */
	n = utf8_decode(p, len, &cp);
	if (n == 0) {
		snprintf(piece, sizeof(piece), "\\x%02x", p[0]);
		n = 1;
	} else if (cp <= 0xffff)
		snprintf(piece, sizeof(piece), "\\u%04x", cp);
	else
		snprintf(piece, sizeof(piece), "\\U%08x", cp);
	sink_put(s, piece, strlen(piece));
	return n;
}

size_t
text_escape(char *dst, size_t size, const char *src, size_t len)
{
	struct sink	s;
	size_t		off;

	sink_open(&s, dst, size);
	for (off = 0; off < len; )
		off += put_char(&s, (const unsigned char *)src + off,
		    len - off);
	return s.len;
}

size_t
text_printable(char *dst, size_t size, const char *src, size_t len)
{
	struct sink	s;
	char		piece[8];
	size_t		i;

	sink_open(&s, dst, size);
	for (i = 0; i < len; i++) {
		if (is_print((unsigned char)src[i])) {
			sink_put(&s, src + i, 1);
			continue;
		}
		snprintf(piece, sizeof(piece), "\\x%02x",
		    (unsigned char)src[i]);
		sink_put(&s, piece, strlen(piece));
	}
	return s.len;
}

/* Bytes of the escape or plain character that begins here. */
static size_t
token_len(const char *p, size_t left)
{
	size_t	n;

	if (p[0] != '\\' || left < 2)
		return 1;
	switch (p[1]) {
	case 'x':
		n = 4;
		break;
	case 'u':
		n = 6;
		break;
	case 'U':
		n = 10;
		break;
	default:
		n = 2;
		break;
	}
	return n > left ? left : n;
}

/* The last token border at or before want, or the first at or after it. */
static size_t
token_border(const char *src, size_t len, size_t want, bool after)
{
	size_t	n, off;

	for (off = 0; off < want && off < len; off += n) {
		n = token_len(src + off, len - off);
		if (!after && off + n > want)
			break;
	}
	return off;
}

void
text_elide(char *dst, size_t size, const char *src, size_t cols,
    unsigned int tail)
{
	size_t	head, len, room, start;

	if (size == 0)
		return;
	if (cols > size - 1)
		cols = size - 1;
	len = strlen(src);
	if (len <= cols) {
		memcpy(dst, src, len + 1);
		return;
	}
	if (cols <= ELLIPSIS_LEN) {
		memcpy(dst, ELLIPSIS, cols);
		dst[cols] = '\0';
		return;
	}
	room = cols - ELLIPSIS_LEN;
	start = token_border(src, len, len - room * tail / 100, true);
	head = token_border(src, len, room - room * tail / 100, false);
	memcpy(dst, src, head);
	memcpy(dst + head, ELLIPSIS, ELLIPSIS_LEN);
	memcpy(dst + head + ELLIPSIS_LEN, src + start, len - start + 1);
}

static bool
needs_quotes(const char *arg, size_t len)
{
	static const char	safe[] = "abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_@%+=:,./-";
	size_t			i;

	if (len == 0)
		return true;
	for (i = 0; i < len; i++)
		if (arg[i] == '\0' || strchr(safe, arg[i]) == NULL)
			return true;
	return false;
}

static void
put_arg(struct sink *s, const char *arg, size_t len)
{
	size_t	off;

	if (!needs_quotes(arg, len)) {
		sink_put(s, arg, len);
		return;
	}
	sink_put(s, "'", 1);
	for (off = 0; off < len; ) {
		if (arg[off] == '\'') {
			sink_put(s, "\\x27", 4);
			off++;
		} else
			off += put_char(s, (const unsigned char *)arg + off,
			    len - off);
	}
	sink_put(s, "'", 1);
}

void
text_args(char *dst, size_t size, const char *args, size_t len, bool cut)
{
	struct sink	s;
	size_t		n, off;

	sink_open(&s, dst, size);
	for (off = 0; off < len; off += n + 1) {
		n = strnlen(args + off, len - off);
		if (off > 0)
			sink_put(&s, " ", 1);
		put_arg(&s, args + off, n);
	}
	if (cut)
		sink_put(&s, " " ELLIPSIS, ELLIPSIS_LEN + 1);
}

size_t
text_args_skip(const char *exe, const char *args, size_t len)
{
	const char	*base;
	size_t		 n;

	n = strnlen(args, len);
	if (n == 0 || n == len)
		return 0;	/* none, or without its NUL */
	base = strrchr(exe, '/');
	if (strcmp(args, exe) == 0 ||
	    (base != NULL && strcmp(args, base + 1) == 0))
		return n + 1;
	return 0;
}

/* python3.11 is a python, shutdown is no sh. */
static bool
is_interpreter(const char *exe)
{
	static const char *const	names[] = { "sh", "ash", "bash",
	    "dash", "ksh", "mksh", "zsh", "fish", "python", "pypy", "perl",
	    "ruby", "node", "nodejs", "php", "lua", "luajit", "tclsh", "wish",
	    "guile", "gjs", "Rscript" };
	const char			*base;
	size_t				 i, len;

	base = strrchr(exe, '/');
	base = base == NULL ? exe : base + 1;
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		len = strlen(names[i]);
		if (strncmp(base, names[i], len) == 0 &&
		    base[len + strspn(base + len, "0123456789.-")] == '\0')
			return true;
	}
	return false;
}

size_t
text_script(const char *exe, const char *args, size_t len, size_t *at)
{
	size_t	n;

	*at = strnlen(args, len) + 1;
	if (*at >= len || args[*at] == '-' || !is_interpreter(exe))
		return 0;
	n = strnlen(args + *at, len - *at);
	return *at + n == len ? 0 : n;	/* without its NUL: cut */
}

void
text_countdown(char *dst, size_t size, uint64_t left_ms, const char *action)
{
	uint64_t	secs;
	char		upper[16];
	size_t		i;

	for (i = 0; i < sizeof(upper) - 1 && action[i] != '\0'; i++)
		upper[i] = action[i] >= 'a' && action[i] <= 'z' ?
		    (char)(action[i] - 'a' + 'A') : action[i];
	upper[i] = '\0';
	secs = left_ms / 1000 + (left_ms % 1000 != 0);
	snprintf(dst, size, "%llu second%s until %s",
	    (unsigned long long)secs, secs == 1 ? "" : "s", upper);
}

void
text_age(char *dst, size_t size, uint64_t ms)
{
	if (ms < 10 * 1000)
		snprintf(dst, size, "%u.%u s", (unsigned int)(ms / 1000),
		    (unsigned int)(ms % 1000 / 100));
	else if (ms < 120 * 1000)
		snprintf(dst, size, "%u s", (unsigned int)(ms / 1000));
	else if (ms < 120 * 60 * 1000)
		snprintf(dst, size, "%u min", (unsigned int)(ms / 60000));
	else
		snprintf(dst, size, "%llu h",
		    (unsigned long long)(ms / 3600000));
}

void
text_proto(char *dst, size_t size, uint8_t proto)
{
	static const struct {
		uint8_t		 proto;
		const char	*name;
	} known[] = {
		{ IPPROTO_TCP, "tcp" }, { IPPROTO_UDP, "udp" },
		{ IPPROTO_ICMP, "icmp" }, { IPPROTO_ICMPV6, "icmp" },
		{ IPPROTO_SCTP, "sctp" }, { IPPROTO_UDPLITE, "udp-lite" },
		{ IPPROTO_IGMP, "igmp" }, { IPPROTO_GRE, "gre" },
		{ IPPROTO_ESP, "esp" },
	};
	size_t	i;

	for (i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (known[i].proto == proto) {
			snprintf(dst, size, "%s", known[i].name);
			return;
		}
	}
	snprintf(dst, size, "protocol %u", proto);
}

size_t
text_break(const char *src, size_t cols)
{
	size_t	i, len, n;

	len = strlen(src);
	if (len <= cols)
		return len;
	if (cols == 0)
		return 0;
	for (i = cols; i > cols - cols / 3; i--)
		if (src[i] == ' ')
			return i;
	n = token_border(src, len, cols, false);
	return n == 0 ? cols : n;
}
