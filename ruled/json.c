/*
 * SPDX-License-Identifier: ISC
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "json.h"

#define CHAR_MAX_LEN	12	/* two \u escapes */

void
json_init(struct json *j, char *buf, size_t size)
{
	memset(j, 0, sizeof(*j));
	j->buf = buf;
	j->size = size;
	j->full = size == 0;
	if (size > 0)
		buf[0] = '\0';
}

static void __attribute__((__format__(printf, 2, 3)))
put(struct json *j, const char *fmt, ...)
{
	va_list	ap;
	int	n;

	if (j->full)
		return;
	va_start(ap, fmt);
	n = vsnprintf(j->buf + j->len, j->size - j->len, fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= j->size - j->len) {
		j->buf[j->len] = '\0';
		j->full = true;
		return;
	}
	j->len += (size_t)n;
}

/*
 * The character at s, of RFC 3629's UTF-8 and nothing longer than needed;
 * 0 if these bytes are none.  s ends in a NUL, which no sequence contains.
 */
static uint32_t
utf8_get(const unsigned char *s, size_t *len)
{
	static const uint32_t	least[5] = { 0, 0, 0x80, 0x800, 0x10000 };
	uint32_t		c;
	size_t			i, n;

	n = s[0] >= 0xf0 && s[0] < 0xf8 ? 4 : s[0] >= 0xe0 && s[0] < 0xf0 ? 3 :
	    s[0] >= 0xc0 && s[0] < 0xe0 ? 2 : 0;
	if (n == 0)
		return 0;
	c = s[0] & (0xffU >> (n + 1));
	for (i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (s[i] & 0x3f);
	}
	if (c < least[n] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return 0;
	*len = n;
	return c;
}

static void
put_string(struct json *j, const char *text, size_t max)
{
	const unsigned char	*s = (const unsigned char *)text;
	size_t			 end = j->len + 1 + max;
	uint32_t		 c;
	size_t			 len;

	put(j, "\"");
	for (; *s != '\0'; s += len) {
		if (max != 0 && j->len + CHAR_MAX_LEN + 3 > end) {
			put(j, "...");
			break;
		}
		len = 1;
		if (*s == '"' || *s == '\\')
			put(j, "\\%c", *s);
		else if (*s >= 0x20 && *s < 0x7f)
			put(j, "%c", *s);
		else if (*s < 0x80)
			put(j, "\\u%04x", *s);
		else if ((c = utf8_get(s, &len)) == 0)
			put(j, "\\\\x%02x", *s);
		else if (c < 0x10000)
			put(j, "\\u%04x", c);
		else
			put(j, "\\u%04x\\u%04x", 0xd7c0 + (c >> 10),
			    0xdc00 + (c & 0x3ff));
	}
	put(j, "\"");
}

static void
put_key(struct json *j, const char *key)
{
	if (j->comma)
		put(j, ",");
	j->comma = true;
	if (key == NULL)
		return;
	put_string(j, key, 0);
	put(j, ":");
}

void
json_object(struct json *j, const char *key)
{
	put_key(j, key);
	put(j, "{");
	j->comma = false;
}

void
json_object_end(struct json *j)
{
	put(j, "}");
	j->comma = true;
}

void
json_array(struct json *j, const char *key)
{
	put_key(j, key);
	put(j, "[");
	j->comma = false;
}

void
json_array_end(struct json *j)
{
	put(j, "]");
	j->comma = true;
}

void
json_string_max(struct json *j, const char *key, const char *value, size_t max)
{
	put_key(j, key);
	if (value == NULL)
		put(j, "null");
	else
		put_string(j, value, max);
}

void
json_string(struct json *j, const char *key, const char *value)
{
	json_string_max(j, key, value, 0);
}

void
json_number(struct json *j, const char *key, uint64_t value)
{
	put_key(j, key);
	put(j, "%" PRIu64, value);
}

void
json_null(struct json *j, const char *key)
{
	json_string(j, key, NULL);
}

void
json_bool(struct json *j, const char *key, bool value)
{
	put_key(j, key);
	put(j, value ? "true" : "false");
}
