/*
 * SPDX-License-Identifier: ISC
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "addr.h"
#include "sbuf.h"

static const uint8_t v4mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255 };

size_t
addr_size(uint8_t af)
{
	switch (af) {
	case AF_INET:
		return 4;
	case AF_INET6:
		return 16;
	default:
		return 0;
	}
}

bool
addr_eq(const struct addr *a, const struct addr *b)
{
	return a->af == b->af && memcmp(a->b, b->b, sizeof(a->b)) == 0;
}

bool
addr_is_loopback(const struct addr *a)
{
	static const uint8_t one[16] = { [15] = 1 };

	if (a->af == AF_INET)
		return a->b[0] == 127;
	if (a->af != AF_INET6)
		return false;
	if (memcmp(a->b, v4mapped, sizeof(v4mapped)) == 0)
		return a->b[12] == 127;
	return memcmp(a->b, one, sizeof(one)) == 0;
}

bool
addr_is_linklocal(const struct addr *a)
{
	if (a->af == AF_INET)
		return a->b[0] == 169 && a->b[1] == 254;
	return a->af == AF_INET6 && a->b[0] == 0xfe &&
	    (a->b[1] & 0xc0) == 0x80;
}

bool
addr_is_multicast(const struct addr *a)
{
	static const uint8_t all[4] = { 255, 255, 255, 255 };

	if (a->af == AF_INET)
		return (a->b[0] & 0xf0) == 0xe0 || memcmp(a->b, all, 4) == 0;
	return a->af == AF_INET6 && a->b[0] == 0xff;
}

/* Not inet_ntop(3), which formats: 700 instructions, here 150. */
static void
print_v4(const struct addr *a, char buf[ADDR_STR_MAX])
{
	struct sbuf	s;
	size_t		i;

	sbuf_init(&s, buf, ADDR_STR_MAX);
	for (i = 0; i < 4; i++) {
		if (i > 0)
			sbuf_char(&s, '.');
		sbuf_number(&s, a->b[i]);
	}
}

char *
addr_print(const struct addr *a, char buf[ADDR_STR_MAX])
{
	if (a->af == AF_INET)
		print_v4(a, buf);
	else if (addr_size(a->af) == 0 ||
	    inet_ntop(a->af, a->b, buf, ADDR_STR_MAX) == NULL)
		(void)strlcpy(buf, "-", ADDR_STR_MAX);
	return buf;
}

char *
addr_print_host(const struct addr *a, char buf[ADDR_STR_MAX])
{
	char	plain[ADDR_STR_MAX];

	addr_print(a, plain);
	if (a->af == AF_INET6)
		(void)snprintf(buf, ADDR_STR_MAX, "[%.45s]", plain);
	else
		(void)strlcpy(buf, plain, ADDR_STR_MAX);
	return buf;
}

int
addr_parse(const char *text, struct addr *a)
{
	memset(a, 0, sizeof(*a));
	a->af = strchr(text, ':') != NULL ? AF_INET6 : AF_INET;
	if (inet_pton(a->af, text, a->b) == 1)
		return 0;
	memset(a, 0, sizeof(*a));
	return -1;
}

bool
prefix_covers(const struct prefix *p, const struct addr *a)
{
	size_t	whole = p->len / 8, rest = p->len % 8;
	uint8_t	mask;

	if (p->addr.af != a->af || p->len > addr_size(a->af) * 8)
		return false;
	if (memcmp(p->addr.b, a->b, whole) != 0)
		return false;
	if (rest == 0)
		return true;
	mask = (uint8_t)(0xff << (8 - rest));
	return (p->addr.b[whole] & mask) == (a->b[whole] & mask);
}

void
prefix_normalize(struct prefix *p)
{
	size_t	i, size = sizeof(p->addr.b);

	for (i = 0; i < size; i++) {
		if (i * 8 >= p->len)
			p->addr.b[i] = 0;
		else if (i * 8 + 8 > p->len)
			p->addr.b[i] &= (uint8_t)(0xff << (8 - p->len % 8));
	}
}
