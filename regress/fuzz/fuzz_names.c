/*
 * SPDX-License-Identifier: ISC
 *
 * libFuzzer: the input is a list of acts upon the table of names: a query, a
 * reply (the bytes of a message), time passing, a names file.  After each,
 * what must hold of the table is looked at.
 */
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "ibuf.h"
#include "names.h"

#define ACTS_MAX	64
#define OUT_MAX		4

enum act { ACT_QUERY, ACT_REPLY, ACT_TIME, ACT_LOAD, ACT_SAVE, ACT_MAX };

int	 LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static const uint8_t	 key[NAMES_KEY_LEN] = "always the same";
static struct dns_msg	 msg;

static void
require(bool holds)
{
	if (!holds)
		abort();
}

static bool
refuse(const struct addr *a, void *arg)
{
	(void)arg;
	return a->b[0] == 10;
}

static void
learnt(const char *name, const struct addr *a, void *arg)
{
	size_t	*count = arg;

	require(dns_name_ok(name) && !refuse(a, NULL));
	(*count)++;
}

/* Every pair that is listed is found by its address, and is allowed. */
static void
check(const struct names *n, uint64_t now)
{
	struct names_counts	 c;
	struct addr		 a;
	const char		*name, *out[OUT_MAX];
	uint64_t		 left;
	size_t			 iter = 0, seen = 0, got, total;

	names_count(n, &c);
	require(c.pairs <= NAMES_MAX && c.queries <= NAMES_QUERIES);
	while (names_next(n, &iter, now, &name, &a, &left)) {
		require(dns_name_ok(name) && left > 0);
		require(strcasecmp(name, "localhost") != 0);
		require(!addr_is_loopback(&a) && !addr_is_linklocal(&a));
		require(!addr_is_multicast(&a));
		got = names_of(n, &a, now, out, OUT_MAX, &total);
		require(got > 0 && got <= total && total <= NAMES_PER_ADDR + 1);
		(void)names_asked(n, name, &a, 0, now);
		seen++;
	}
	require(seen <= c.pairs);
}

/* The next piece of the input: one byte of length, in sixteens, and bytes. */
static uint8_t *
piece(struct ibuf *b, size_t *len)
{
	const uint8_t	*bytes;
	uint8_t		*copy;

	*len = (size_t)ibuf_get_u8(b) * 16;
	if (*len > ibuf_left(b))
		*len = ibuf_left(b);
	if ((bytes = ibuf_get_ptr(b, *len)) == NULL)
		return NULL;
	if ((copy = malloc(*len > 0 ? *len : 1)) != NULL)
		memcpy(copy, bytes, *len);
	return copy;
}

/* Few ports, so that queries and replies meet. */
static struct tuple
tuple_of(uint8_t byte, bool reply)
{
	struct tuple	t = { .proto = byte & 1 ? IPPROTO_TCP : IPPROTO_UDP };

	t.src.af = t.dst.af = AF_INET;
	t.src.b[0] = reply ? 53 : 10;
	t.dst.b[0] = reply ? 10 : 53;
	t.sport = reply ? 53 : 40000 + (byte >> 7);
	t.dport = reply ? 40000 + (byte >> 7) : 53;
	return t;
}

/*
 * A message is used as it is; bit 1 asks its question first, so that the
 * replies of a seed are believed.
 */
static void
talk(struct names *n, struct ibuf *b, bool reply, uint64_t now)
{
	uint8_t			 how = ibuf_get_u8(b), *bytes;
	struct tuple		 out = tuple_of(how, false);
	struct tuple		 in = tuple_of(how, true);
	struct names_counts	 before, after;
	size_t			 len, count = 0;
	int			 ret;

	if ((bytes = piece(b, &len)) == NULL)
		return;
	if (dns_parse(bytes, len, &msg) == 0) {
		if (!reply || how & 2) {
			msg.reply = false;
			names_query(n, &out, &msg, how >> 2 & 7, now);
			msg.reply = true;
		}
		names_count(n, &before);
		ret = reply ? names_reply(n, &in, &msg, now, refuse, learnt,
		    &count) : -1;
		names_count(n, &after);
		require(ret == 0 || count == 0);
		require(after.learnt - before.learnt == count);
	}
	free(bytes);
}

static void
load(struct names *n, struct ibuf *b, uint64_t now)
{
	size_t	 len;
	uint8_t	*bytes = piece(b, &len);

	if (bytes != NULL)
		require(names_load(n, (char *)bytes, len, now) >= 0);
	free(bytes);
}

/* What was saved can be loaded, every line of it. */
static void
save(const struct names *n, uint64_t now)
{
	struct names	*other = names_new_keyed(key);
	char		*text;
	size_t		 len = names_save(n, now, &text);

	require(text != NULL && strlen(text) == len);
	if (other != NULL)
		require(names_load(other, text, len, now) == 0);
	names_free(other);
	free(text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
	struct names	*n = names_new_keyed(key);
	struct ibuf	 b;
	uint64_t	 now = NAMES_SECOND;
	size_t		 acts;

	if (n == NULL)
		return 0;
	ibuf_reader(&b, input, size);
	for (acts = 0; acts < ACTS_MAX && ibuf_left(&b) > 0; acts++) {
		switch ((enum act)(ibuf_get_u8(&b) % ACT_MAX)) {
		case ACT_QUERY:
			talk(n, &b, false, now);
			break;
		case ACT_REPLY:
			talk(n, &b, true, now);
			break;
		case ACT_TIME:
			now += ibuf_get_u8(&b) * 10 * NAMES_SECOND;
			break;
		case ACT_LOAD:
			load(n, &b, now);
			break;
		case ACT_SAVE:
		case ACT_MAX:
			save(n, now);
			break;
		}
	}
	check(n, now);
	names_free(n);
	return 0;
}
