/*
 * SPDX-License-Identifier: ISC
 */
#include <string.h>

#include "log.h"
#include "sbuf.h"

#define DIGITS_MAX	20	/* of 64 bits */

void
sbuf_init(struct sbuf *s, char *buf, size_t size)
{
	s->buf = buf;
	s->size = size;
	s->len = 0;
	s->full = size == 0;
	if (size > 0)
		buf[0] = '\0';
}

void
sbuf_mem(struct sbuf *s, const char *text, size_t len)
{
	if (s->size - s->len <= len) {
		if (s->size == 0)
			return;
		len = s->size - s->len - 1;
		s->full = true;
	}
	memcpy(s->buf + s->len, text, len);
	s->len += len;
	s->buf[s->len] = '\0';
}

void
sbuf_str(struct sbuf *s, const char *text)
{
	sbuf_mem(s, text, strlen(text));
}

void
sbuf_digits(struct sbuf *s, uint64_t n, size_t width)
{
	char	digit[DIGITS_MAX];
	size_t	i;

	if (width > DIGITS_MAX)
		width = DIGITS_MAX;
	for (i = width; i > 0; n /= 10)
		digit[--i] = (char)('0' + n % 10);
	sbuf_mem(s, digit, width);
}

void
sbuf_number(struct sbuf *s, uint64_t n)
{
	uint64_t	rest = n;
	size_t		width = 1;

	while ((rest /= 10) > 0)
		width++;
	sbuf_digits(s, n, width);
}

void
sbuf_escape(struct sbuf *s, const char *text)
{
	size_t	n, room = s->size - s->len;

	if (s->size == 0)
		return;
	n = log_escape(s->buf + s->len, room, text, strlen(text));
	if (n >= room) {
		n = strlen(s->buf + s->len);
		s->full = true;
	}
	s->len += n;
}
