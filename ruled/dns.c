/*
 * SPDX-License-Identifier: ISC
 *
 * The bytes come from the payload of packets to and from port 53.  Queries
 * are written by any program of this host.  Replies are written by the
 * resolver, but what stands in them by whoever owns the names asked for, and
 * the whole of it by anybody on the way who can forge an address.  So every
 * length and pointer is doubted here; whether a reply may be believed at all
 * is for names.c.
 *
 * Formats: RFC 1035 section 4, RFC 9460 (SVCB and HTTPS).  Only the question
 * and the answer section are read: nothing else teaches names.
 */
#include <string.h>
#include <sys/socket.h>

#include "dns.h"
#include "ibuf.h"

#define DNS_HEADER	12
#define DNS_FLAG_QR	0x8000
#define DNS_OPCODE	0x7800	/* 0: a plain query */
#define DNS_FLAG_TC	0x0200
#define DNS_FLAG_Z	0x0040	/* the last reserved bit */
#define DNS_RCODE	0x000f
#define DNS_CLASS_IN	1
#define DNS_TTL_TOP	0x80000000U	/* RFC 2181 8: taken as 0 */

#define LABEL_TYPE	0xc0	/* the two bits that say what it is */
#define LABEL_POINTER	0xc0	/* 0x40 and 0x80 are reserved */

#define SVCB_IPV4HINT	4
#define SVCB_IPV6HINT	6

static uint16_t
get16(struct ibuf *b)
{
	uint16_t	hi = ibuf_get_u8(b);

	return (uint16_t)(hi << 8 | ibuf_get_u8(b));
}

static uint32_t
get32(struct ibuf *b)
{
	uint32_t	hi = get16(b);

	return hi << 16 | get16(b);
}

static bool
plain_char(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    (c >= '0' && c <= '9') || c == '-' || c == '_';
}

/* A name while it is put together. */
struct text {
	char	*out;	/* HOST_NAME_MAX_DNS bytes */
	size_t	 len;
	bool	 plain;	/* nothing in it that we do not keep */
};

/* -1: longer than RFC 1035 lets a name be. */
static int
text_add(struct text *t, char c)
{
	if (t->len >= DNS_TEXT_MAX)
		return -1;
	t->out[t->len++] = c;
	return 0;
}

/* -1: that, or cut short. */
static int
label_get(struct ibuf *b, struct text *t, size_t len)
{
	uint8_t	c;

	if (t->len > 0 && text_add(t, '.') == -1)
		return -1;
	for (; len > 0; len--) {
		c = ibuf_get_u8(b);
		if (!plain_char(c)) {
			t->plain = false;
			c = '?';
		}
		if (text_add(t, (char)c) == -1)
			return -1;
	}
	return ibuf_error(b) ? -1 : 0;
}

/*
 * Reads labels at the cursor up to the root or a pointer.  Returns the
 * pointer, 0 at the root (no name stands at offset 0), or -1.
 */
static int
labels_get(struct ibuf *b, struct text *t)
{
	uint8_t	len;

	for (;;) {
		len = ibuf_get_u8(b);
		if (ibuf_error(b))
			return -1;
		if (len == 0)
			return 0;
		if ((len & LABEL_TYPE) == LABEL_POINTER) {
			len &= (uint8_t)~LABEL_TYPE;
			return len << 8 | ibuf_get_u8(b);
		}
		if ((len & LABEL_TYPE) != 0)
			return -1;
		if (label_get(b, t, len) == -1)
			return -1;
	}
}

/*
 * A name at the cursor, which moves behind it.  A pointer must lead to
 * before the labels it stands behind, so that each jump goes further back
 * and none comes round again.  -1 if damaged; a sound name with bytes that
 * we do not keep, or the root, is 0 with plain false.
 */
static int
name_get(struct ibuf *b, char out[HOST_NAME_MAX_DNS], bool *plain)
{
	struct text	t = { .out = out, .plain = true };
	struct ibuf	at = *b;
	size_t		start = b->off, jumps;
	int		ptr;

	memset(out, 0, HOST_NAME_MAX_DNS);
	for (jumps = 0; jumps <= DNS_JUMPS_MAX; jumps++) {
		ptr = labels_get(&at, &t);
		if (ptr == -1 || ibuf_error(&at))
			break;
		if (jumps == 0)
			b->off = at.off;
		if (ptr == 0) {
			*plain = t.plain && t.len > 0;
			return 0;
		}
		if (ptr < DNS_HEADER || (size_t)ptr >= start)
			break;
		at.off = start = (size_t)ptr;
	}
	out[0] = '\0';
	*plain = false;
	b->err = true;
	return -1;
}

/* The fixed part of a resource record. */
struct record {
	char		owner[HOST_NAME_MAX_DNS];
	bool		plain;	/* the owner is a name we keep */
	uint16_t	type;
	uint16_t	class;
	uint32_t	ttl;
};

/* NULL when there is no room left. */
static struct dns_answer *
answer_new(struct dns_msg *m, const struct record *rr)
{
	struct dns_answer	*a;

	if (m->nanswers >= DNS_ANSWERS_MAX)
		return NULL;
	a = &m->answer[m->nanswers++];
	memset(a, 0, sizeof(*a));
	memcpy(a->owner, rr->owner, sizeof(a->owner));
	a->type = rr->type;
	a->ttl = rr->ttl;
	return a;
}

static int
addr_answer(struct dns_msg *m, const struct record *rr, struct ibuf *b,
    uint8_t af)
{
	struct dns_answer	*a;
	const uint8_t		*bytes = ibuf_get_ptr(b, addr_size(af));

	if (bytes == NULL)
		return -1;
	if ((a = answer_new(m, rr)) != NULL) {
		a->addr.af = af;
		memcpy(a->addr.b, bytes, addr_size(af));
	}
	return 0;
}

static int
name_answer(struct dns_msg *m, const struct record *rr, struct ibuf *b)
{
	struct dns_answer	*a;
	char			 target[HOST_NAME_MAX_DNS];
	bool			 plain;

	if (name_get(b, target, &plain) == -1)
		return -1;
	if (plain && (a = answer_new(m, rr)) != NULL)
		memcpy(a->target, target, sizeof(a->target));
	return 0;
}

/* The next so many bytes as a cursor of their own; names may point before. */
static int
part_get(struct ibuf *b, size_t len, struct ibuf *part)
{
	*part = *b;
	if (ibuf_get_ptr(b, len) == NULL)
		return -1;
	part->len = b->off;
	return 0;
}

/* All addresses of one hint; no other byte may be left in it. */
static int
hint_answers(struct dns_msg *m, const struct record *rr, struct ibuf *b,
    uint8_t af)
{
	while (ibuf_left(b) > 0)
		if (addr_answer(m, rr, b, af) == -1)
			return -1;
	return 0;
}

/* RFC 9460 2.2: priority, target, then keys that only go up. */
static int
svcb_answers(struct dns_msg *m, const struct record *rr, struct ibuf *b)
{
	char		 target[HOST_NAME_MAX_DNS];
	struct ibuf	 value;
	uint16_t	 key, len;
	int		 last = -1;
	bool		 plain;

	if (get16(b) == 0)
		return name_answer(m, rr, b);
	if (name_get(b, target, &plain) == -1)
		return -1;
	while (ibuf_left(b) > 0) {
		key = get16(b);
		len = get16(b);
		if (part_get(b, len, &value) == -1 || key <= last)
			return -1;
		last = key;
		if (key == SVCB_IPV4HINT &&
		    hint_answers(m, rr, &value, AF_INET) == -1)
			return -1;
		if (key == SVCB_IPV6HINT &&
		    hint_answers(m, rr, &value, AF_INET6) == -1)
			return -1;
	}
	return 0;
}

/* The cursor ends where the data of the record ends. */
static int
data_get(struct dns_msg *m, const struct record *rr, struct ibuf *b)
{
	int	ret;

	switch (rr->type) {
	case DNS_TYPE_A:
		ret = addr_answer(m, rr, b, AF_INET);
		break;
	case DNS_TYPE_AAAA:
		ret = addr_answer(m, rr, b, AF_INET6);
		break;
	case DNS_TYPE_CNAME:
		ret = name_answer(m, rr, b);
		break;
	case DNS_TYPE_SVCB:
	case DNS_TYPE_HTTPS:
		ret = svcb_answers(m, rr, b);
		/* In alias mode parameters must be ignored (2.4.2). */
		return ret;
	default:
		return 0;
	}
	return ret == -1 ? -1 : ibuf_done(b);
}

static int
record_get(struct dns_msg *m, struct ibuf *b)
{
	struct record	rr;
	struct ibuf	data;
	uint16_t	len;

	if (name_get(b, rr.owner, &rr.plain) == -1)
		return -1;
	rr.type = get16(b);
	rr.class = get16(b);
	rr.ttl = get32(b);
	if (rr.ttl >= DNS_TTL_TOP)
		rr.ttl = 0;
	len = get16(b);
	if (part_get(b, len, &data) == -1)
		return -1;
	if (!rr.plain || rr.class != DNS_CLASS_IN)
		return 0;
	return data_get(m, &rr, &data);
}

static int
question_get(struct dns_msg *m, struct ibuf *b)
{
	bool	plain;

	if (name_get(b, m->qname, &plain) == -1)
		return -1;
	if (!plain && m->qname[0] != '\0')
		return -1;
	m->qtype = get16(b);
	if (get16(b) != DNS_CLASS_IN)
		return -1;
	return ibuf_error(b) ? -1 : 0;
}

int
dns_parse(const uint8_t *bytes, size_t len, struct dns_msg *m)
{
	struct ibuf	b;
	uint16_t	flags, questions, answers, i;

	ibuf_reader(&b, bytes, len);
	m->nanswers = 0;
	m->id = get16(&b);
	flags = get16(&b);
	m->reply = (flags & DNS_FLAG_QR) != 0;
	m->cut = (flags & DNS_FLAG_TC) != 0;
	m->rcode = flags & DNS_RCODE;
	questions = get16(&b);
	answers = get16(&b);
	(void)get32(&b);	/* records of the two other sections */
	if (ibuf_error(&b) || (flags & (DNS_OPCODE | DNS_FLAG_Z)) != 0 ||
	    questions != 1 || (!m->reply && answers != 0))
		return -1;
	if (question_get(m, &b) == -1)
		return -1;
	for (i = 0; i < answers && i < DNS_RECORDS_MAX &&
	    m->nanswers < DNS_ANSWERS_MAX; i++)
		if (record_get(m, &b) == -1)
			return -1;
	return 0;
}

/* Browsers take a name whose last label is a number for an address. */
static bool
label_is_number(const char *label, size_t len)
{
	if (len >= 2 && label[0] == '0' && (label[1] == 'x' ||
	    label[1] == 'X'))
		return strspn(label + 2, "0123456789abcdefABCDEF") == len - 2;
	return strspn(label, "0123456789") == len;
}

bool
dns_name_ok(const char *name)
{
	size_t	i, start = 0;

	for (i = 0; name[i] != '\0'; i++) {
		if (i >= DNS_TEXT_MAX)
			return false;
		if (name[i] == '.') {
			if (i == start)
				return false;
			start = i + 1;
		} else if (!plain_char((uint8_t)name[i]) ||
		    i - start >= DNS_LABEL_MAX)
			return false;
	}
	return i > start && name[start] != '-' && name[i - 1] != '-' &&
	    !label_is_number(name + start, i - start);
}

static char
lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

void
dns_name_lower(char *name)
{
	for (; *name != '\0'; name++)
		*name = lower(*name);
}

bool
dns_name_same(const char *a, const char *b)
{
	for (; lower(*a) == lower(*b); a++, b++)
		if (*a == '\0')
			return true;
	return false;
}
