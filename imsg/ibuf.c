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

bool
ibuf_error(const struct ibuf *b)
{
	return b->err;
}

size_t
ibuf_left(const struct ibuf *b)
{
	return b->err ? 0 : b->len - b->off;
}

int
ibuf_done(const struct ibuf *b)
{
	return b->err || b->off != b->len ? -1 : 0;
}

void
ibuf_put_data(struct ibuf *b, const void *data, size_t len)
{
	if (b->err || b->wbuf == NULL || len > b->len - b->off) {
		b->err = true;
		return;
	}
	if (len > 0)
		memcpy(b->wbuf + b->off, data, len);
	b->off += len;
}

void
ibuf_put_u8(struct ibuf *b, uint8_t v)
{
	ibuf_put_data(b, &v, sizeof(v));
}

void
ibuf_put_u16(struct ibuf *b, uint16_t v)
{
	ibuf_put_data(b, &v, sizeof(v));
}

void
ibuf_put_u32(struct ibuf *b, uint32_t v)
{
	ibuf_put_data(b, &v, sizeof(v));
}

void
ibuf_put_u64(struct ibuf *b, uint64_t v)
{
	ibuf_put_data(b, &v, sizeof(v));
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

const uint8_t *
ibuf_get_ptr(struct ibuf *b, size_t len)
{
	const uint8_t	*p;

	if (b->err || b->buf == NULL || len > b->len - b->off) {
		b->err = true;
		return NULL;
	}
	p = b->buf + b->off;
	b->off += len;
	return p;
}

void
ibuf_get_data(struct ibuf *b, void *data, size_t len)
{
	const uint8_t	*p = ibuf_get_ptr(b, len);

	if (p == NULL)
		memset(data, 0, len);
	else
		memcpy(data, p, len);
}

uint8_t
ibuf_get_u8(struct ibuf *b)
{
	uint8_t	v;

	ibuf_get_data(b, &v, sizeof(v));
	return v;
}

uint8_t
ibuf_get_enum(struct ibuf *b, uint8_t max)
{
	uint8_t	v = ibuf_get_u8(b);

	if (v > max) {
		b->err = true;
		return 0;
	}
	return v;
}

uint16_t
ibuf_get_u16(struct ibuf *b)
{
	uint16_t	v;

	ibuf_get_data(b, &v, sizeof(v));
	return v;
}

uint32_t
ibuf_get_u32(struct ibuf *b)
{
	uint32_t	v;

	ibuf_get_data(b, &v, sizeof(v));
	return v;
}

uint64_t
ibuf_get_u64(struct ibuf *b)
{
	uint64_t	v;

	ibuf_get_data(b, &v, sizeof(v));
	return v;
}

void
ibuf_get_str(struct ibuf *b, char *s, size_t size)
{
	uint16_t	 len = ibuf_get_u16(b);
	const uint8_t	*p;

	s[0] = '\0';
	if (b->err || len == 0 || len > size) {
		b->err = true;
		return;
	}
	if ((p = ibuf_get_ptr(b, len)) == NULL)
		return;
	if (memchr(p, '\0', len) != p + len - 1) {
		b->err = true;
		return;
	}
	memcpy(s, p, len);
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
	ibuf_get_data(b, a->b, addr_size(af));
	if (b->err)
		memset(a, 0, sizeof(*a));
}
