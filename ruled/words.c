/*
 * SPDX-License-Identifier: ISC
 *
 * Words of a line: separated by white space, ended by a # that is outside
 * quotes.  Inside "quotes" \" and \\ stand for themselves and \ooo, three
 * octal digits, for any byte but NUL, so that every path the kernel can
 * name can be written.
 */
#include <stdio.h>
#include <string.h>

#include "words.h"

struct cutter {
	const char	*text;
	size_t		 len;
	size_t		 off;
	struct words	*words;
	size_t		 used;		/* of words->buf */
	const char	*error;
};

static bool
is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f';
}

static bool
is_control(char c)
{
	return (unsigned char)c < 0x20 || c == 0x7f;
}

/* One byte of room is kept for each word's NUL. */
static int
put_byte(struct cutter *c, struct word *w, char byte, bool star)
{
	if (w->len + 1 >= sizeof(c->words->buf) - c->used ||
	    c->used + w->len >= RULE_TEXT_MAX) {
		c->error = "line is too long";
		return -1;
	}
	w->text[w->len++] = byte;
	w->star = star;
	return 0;
}

static bool
is_octal(char c)
{
	return c >= '0' && c <= '7';
}

/* After a backslash inside quotes. */
static int
escape(struct cutter *c, struct word *w)
{
	const char	*p = c->text + c->off;
	size_t		 left = c->len - c->off;
	int		 byte;

	if (left >= 1 && (*p == '"' || *p == '\\')) {
		c->off++;
		return put_byte(c, w, *p, false);
	}
	if (left >= 3 && p[0] <= '3' && is_octal(p[0]) && is_octal(p[1]) &&
	    is_octal(p[2])) {
		byte = (p[0] - '0') << 6 | (p[1] - '0') << 3 | (p[2] - '0');
		if (byte != 0) {
			c->off += 3;
			return put_byte(c, w, (char)byte, false);
		}
	}
	c->error = "bad escape: only \\\", \\\\ and \\ooo are known in quotes";
	return -1;
}

static int
quoted(struct cutter *c, struct word *w)
{
	char	ch;

	w->quoted = true;
	while (c->off < c->len) {
		ch = c->text[c->off++];
		if (ch == '"')
			return 0;
		if (is_control(ch)) {
			c->error = "control character";
			return -1;
		}
		if (ch == '\\') {
			if (escape(c, w) == -1)
				return -1;
		} else if (put_byte(c, w, ch, ch == '*') == -1)
			return -1;
	}
	c->error = "quote is not closed";
	return -1;
}

/* A path that is cut short would name another program. */
static bool
is_cut_path(const struct cutter *c, const struct word *w)
{
	return c->off < c->len && c->text[c->off] == '#' &&
	    memchr(w->text, '/', w->len) != NULL;
}

static int
cut_word(struct cutter *c, struct word *w)
{
	char	ch;

	memset(w, 0, sizeof(*w));
	w->text = c->words->buf + c->used;
	while (c->off < c->len) {
		ch = c->text[c->off];
		if (is_space(ch) || ch == '#')
			break;
		c->off++;
		if (is_control(ch)) {
			c->error = "control character";
			return -1;
		}
		if (ch == '"') {
			if (quoted(c, w) == -1)
				return -1;
		} else if (put_byte(c, w, ch, ch == '*') == -1)
			return -1;
	}
	if (is_cut_path(c, w)) {
		c->error = "a path with a # is written in quotes; before a "
		    "comment a space is needed here";
		return -1;
	}
	w->text[w->len] = '\0';
	c->used += w->len + 1;
	return 0;
}

int
words_split(const char *text, size_t len, struct words *words, char *err,
    size_t errsize)
{
	struct cutter	c = { .text = text, .len = len, .words = words };

	words->n = words->start = words->end = 0;
	for (;;) {
		while (c.off < c.len && is_space(c.text[c.off]))
			c.off++;
		if (c.off == c.len || c.text[c.off] == '#')
			return 0;
		if (words->n == WORDS_MAX) {
			c.error = "too many words";
			break;
		}
		if (words->n == 0)
			words->start = c.off;
		if (cut_word(&c, &words->w[words->n]) == -1)
			break;
		words->n++;
		words->end = c.off;
	}
	(void)snprintf(err, errsize, "%s", c.error);
	return -1;
}

const char *
word_show(const char *text, char buf[WORD_SHOW_MAX])
{
	size_t	n = 0;

	for (; *text != '\0'; text++) {
		if (n + 8 >= WORD_SHOW_MAX) {
			memcpy(buf + n, "...", 3);
			n += 3;
			break;
		}
		if ((unsigned char)*text > 0x20 && (unsigned char)*text < 0x7f)
			buf[n++] = *text;
		else
			n += (size_t)snprintf(buf + n, 5, "\\%03o",
			    (unsigned char)*text);
	}
	buf[n] = '\0';
	return buf;
}
