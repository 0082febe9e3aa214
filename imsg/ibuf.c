/*
 * SPDX-License-Identifier: ISC
 */
#include <string.h>

#include "ibuf.h"

void
ibuf_writer(struct ibuf *b, void *storage, size_t size)
{
	memset(b, 0, sizeof(*b));
	b->wbuf = storage;
	b->len = size;
}

void
ibuf_reader(struct ibuf *b, const void *bytes, size_t len)
{
	memset(b, 0, sizeof(*b));
	b->buf = bytes;
	b->len = len;
}

int
ibuf_done(const struct ibuf *b)
{
	return b->err || b->off != b->len ? -1 : 0;
}

void
ibuf_put_str(struct ibuf *b, const char *s)
{
	size_t	len = strlen(s) + 1;

	if (len > UINT16_MAX) {
		b->err = true;
		return;
	}
	ibuf_put_u16(b, (uint16_t)len);
	ibuf_put_data(b, s, len);
}

void
ibuf_put_addr(struct ibuf *b, const struct addr *a)
{
	ibuf_put_u8(b, a->af);
	ibuf_put_data(b, a->b, addr_size(a->af));
}

void
ibuf_get_str(struct ibuf *b, char *s, size_t size)
{
	size_t		 from, len = ibuf_get_u16(b);
	const uint8_t	*p;

	s[0] = '\0';
	if (b->err || len == 0 || len > size) {
		b->err = true;
		return;
	}
	from = b->off;
	if ((p = ibuf_get_ptr(b, len)) == NULL)
		return;
	len = b->off - from;	/* as it was, and Eva knows how much */
	if (memchr(p, '\0', len) != p + len - 1) {
		b->err = true;
		return;
	}
	memcpy(s, p, len);
}

void
ibuf_get_some(struct ibuf *b, void *data, size_t len)
{
	size_t		 from = b->off;
	const uint8_t	*p;

	if (len == 0 || (p = ibuf_get_ptr(b, len)) == NULL)
		return;
	memcpy(data, p, b->off - from);
}

void
ibuf_get_addr(struct ibuf *b, struct addr *a)
{
	uint8_t	af = ibuf_get_u8(b);

	memset(a, 0, sizeof(*a));
	if (af != 0 && addr_size(af) == 0)
		b->err = true;
	if (b->err)
		return;
	a->af = af;
	ibuf_get_some(b, a->b, addr_size(af));
	if (b->err)
		memset(a, 0, sizeof(*a));
}
