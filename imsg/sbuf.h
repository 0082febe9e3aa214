/*
 * SPDX-License-Identifier: ISC
 *
 * A text that grows piece by piece in a buffer of the caller's.  It is
 * always terminated; what does not fit is cut off and full says so.  Log
 * lines are made of it, one a connection: snprintf(3) was a fifth of ruled's
 * processor time, for a JSON line four fifths.
 */
#ifndef SBUF_H
#define SBUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sbuf {
	char	*buf;
	size_t	 size, len;	/* len: without the NUL */
	bool	 full;		/* something did not fit */
};

void	 sbuf_init(struct sbuf *, char *, size_t);
void	 sbuf_mem(struct sbuf *, const char *, size_t);
void	 sbuf_str(struct sbuf *, const char *);
void	 sbuf_number(struct sbuf *, uint64_t);
/* So many digits, at most 20, with leading zeros; higher ones are cut off. */
void	 sbuf_digits(struct sbuf *, uint64_t, size_t);
/* Printable ASCII only, as log_escape() makes it; never half of an escape. */
void	 sbuf_escape(struct sbuf *, const char *);

static inline void
sbuf_char(struct sbuf *s, char c)
{
	if (s->size - s->len > 1) {
		s->buf[s->len++] = c;
		s->buf[s->len] = '\0';
	} else
		s->full = true;
}

#endif /* SBUF_H */
