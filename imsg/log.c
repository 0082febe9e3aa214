/*
 * SPDX-License-Identifier: ISC
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "imsg.h"
#include "log.h"

#define LOG_TEXT_MAX	4096	/* escaped; four bytes for each at worst */
#define LOG_FLUSH_MS	200	/* for the last words of a child */
#define RESERVE_SIZE	(3 * MSG_MAX)	/* a link queues in pieces of two */

static enum role	 self;
static int		 verbose;
static struct link	*to_link;
static log_writer	*to_writer;
static void		*reserve;	/* memory, for saying there is none */
static bool		 dying;

void
log_init(enum role role, int v)
{
	self = role;
	verbose = v;
}

void
log_to_link(struct link *l)
{
	to_link = l;
	/* Best effort: without it the last words may be missing. */
	if (reserve == NULL)
		reserve = malloc(RESERVE_SIZE);
}

void
log_to_writer(log_writer *w)
{
	to_writer = w;
}

static bool
is_plain(unsigned char c)
{
	return c >= 0x20 && c <= 0x7e && c != '\\';
}

/* One character as it is written; returns its length, 4 at most. */
static size_t
escape_char(char out[4], unsigned char c)
{
	if (is_plain(c)) {
		out[0] = (char)c;
		return 1;
	}
	out[0] = out[1] = '\\';
	if (c == '\\')
		return 2;
	out[1] = (char)('0' + (c >> 6));
	out[2] = (char)('0' + (c >> 3 & 7));
	out[3] = (char)('0' + (c & 7));
	return 4;
}

size_t
log_escape(char *dst, size_t size, const char *src, size_t len)
{
	size_t	i = 0, n, need;
	char	tmp[4];

	/* Nearly every text is plain to its end. */
	while (i < len && i + 1 < size && is_plain((unsigned char)src[i]))
		i++;
	memcpy(dst, src, i);
	for (n = i; i < len; i++) {
		need = escape_char(tmp, (unsigned char)src[i]);
		if (n + need < size)
			memcpy(dst + n, tmp, need);
		else if (n < size)
			dst[n] = '\0', size = n + 1;	/* never half of one */
		n += need;
	}
	if (size > 0)
		dst[n < size ? n : size - 1] = '\0';
	return n;
}

static void
log_text(enum log_level level, const char *text)
{
	uint8_t		 buf[LOG_TEXT_MAX + 16];
	struct ibuf	 b;
	struct msg_log	 m;

	if (to_writer != NULL) {
		to_writer(level, text);
		return;
	}
	if (to_link == NULL) {
		(void)fprintf(stderr, "%s: %s\n", role_name(self), text);
		return;
	}
	memset(&m, 0, sizeof(m));
	m.level = (uint8_t)level;
	m.text = text;
	m.len = strlen(text);
	ibuf_writer(&b, buf, sizeof(buf));
	msg_put_log(&b, &m);
	link_send_ibuf(to_link, MSG_LOG, -1, &b);
}

static void __attribute__((__format__(printf, 3, 0)))
vlog(enum log_level level, int with_errno, const char *fmt, va_list ap)
{
	char	text[LOG_TEXT_MAX], plain[LOG_TEXT_MAX / 4];
	int	saved = errno, n;

	n = vsnprintf(plain, sizeof(plain), fmt, ap);
	if (n >= 0 && with_errno && (size_t)n < sizeof(plain))
		(void)snprintf(plain + n, sizeof(plain) - (size_t)n, ": %s",
		    strerror(saved));
	/* Names in here may come from packets, files or other processes. */
	log_escape(text, sizeof(text), plain, strlen(plain));
	log_text(level, text);
	errno = saved;
}

void
log_warn(const char *fmt, ...)
{
	va_list	ap;

	va_start(ap, fmt);
	vlog(LEVEL_ERROR, 1, fmt, ap);
	va_end(ap);
}

void
log_warnx(const char *fmt, ...)
{
	va_list	ap;

	va_start(ap, fmt);
	vlog(LEVEL_ERROR, 0, fmt, ap);
	va_end(ap);
}

void
log_info(const char *fmt, ...)
{
	va_list	ap;

	va_start(ap, fmt);
	vlog(LEVEL_INFO, 0, fmt, ap);
	va_end(ap);
}

void
log_debug(const char *fmt, ...)
{
	va_list	ap;

	if (!verbose)
		return;
	va_start(ap, fmt);
	vlog(LEVEL_DEBUG, 0, fmt, ap);
	va_end(ap);
}

static noreturn void
log_exit(void)
{
	if (to_link != NULL)
		(void)link_flush(to_link, LOG_FLUSH_MS);
	exit(1);
}

void
fatal(const char *fmt, ...)
{
	va_list	ap;

	if (fmt == NULL) {
		/* What a link needs to queue the line, and no second try. */
		if (dying)
			_exit(1);
		dying = true;
		free(reserve);
		log_text(LEVEL_FATAL, "out of memory");
		log_exit();
	}
	va_start(ap, fmt);
	vlog(LEVEL_FATAL, 1, fmt, ap);
	va_end(ap);
	log_exit();
}

void
fatalx(const char *fmt, ...)
{
	va_list	ap;

	va_start(ap, fmt);
	vlog(LEVEL_FATAL, 0, fmt, ap);
	va_end(ap);
	log_exit();
}
