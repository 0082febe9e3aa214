/*
 * SPDX-License-Identifier: ISC
 */
#include <stdio.h>
#include <string.h>

#include "json.h"

#define CHAR_MAX_LEN	12	/* two \u escapes */

void
json_init(struct json *j, char *buf, size_t size)
{
	sbuf_init(&j->out, buf, size);
	j->comma = false;
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

/* A character that does not stand for itself; returns its length. */
static size_t
put_escape(struct json *j, const unsigned char *s)
{
	char		text[CHAR_MAX_LEN + 1];
	uint32_t	c;
	size_t		len = 1;

	if (*s == '"' || *s == '\\')
		(void)snprintf(text, sizeof(text), "\\%c", *s);
	else if (*s < 0x80)
		(void)snprintf(text, sizeof(text), "\\u%04x", *s);
	else if ((c = utf8_get(s, &len)) == 0)
		(void)snprintf(text, sizeof(text), "\\\\x%02x", *s);
	else if (c < 0x10000)
		(void)snprintf(text, sizeof(text), "\\u%04x", c);
	else
		(void)snprintf(text, sizeof(text), "\\u%04x\\u%04x",
		    0xd7c0 + (c >> 10), 0xdc00 + (c & 0x3ff));
	sbuf_str(&j->out, text);
	return len;
}

static void
put_string(struct json *j, const char *text, size_t max)
{
	const unsigned char	*s = (const unsigned char *)text;
	size_t			 end = j->out.len + 1 + max;

	sbuf_char(&j->out, '"');
	while (*s != '\0') {
		if (max != 0 && j->out.len + CHAR_MAX_LEN + 3 > end) {
			sbuf_str(&j->out, "...");
			break;
		}
		if (*s >= 0x20 && *s < 0x7f && *s != '"' && *s != '\\')
			sbuf_char(&j->out, (char)*s++);
		else
			s += put_escape(j, s);
	}
	sbuf_char(&j->out, '"');
}

static void
put_key(struct json *j, const char *key)
{
	if (j->comma)
		sbuf_char(&j->out, ',');
	j->comma = true;
	if (key == NULL)
		return;
	/* Our own words. */
	sbuf_char(&j->out, '"');
	sbuf_str(&j->out, key);
	sbuf_mem(&j->out, "\":", 2);
}

void
json_object(struct json *j, const char *key)
{
	put_key(j, key);
	sbuf_char(&j->out, '{');
	j->comma = false;
}

void
json_object_end(struct json *j)
{
	sbuf_char(&j->out, '}');
	j->comma = true;
}

void
json_array(struct json *j, const char *key)
{
	put_key(j, key);
	sbuf_char(&j->out, '[');
	j->comma = false;
}

void
json_array_end(struct json *j)
{
	sbuf_char(&j->out, ']');
	j->comma = true;
}

void
json_string_max(struct json *j, const char *key, const char *value, size_t max)
{
	put_key(j, key);
	if (value == NULL)
		sbuf_str(&j->out, "null");
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
	sbuf_number(&j->out, value);
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
	sbuf_str(&j->out, value ? "true" : "false");
}
