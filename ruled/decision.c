/*
 * SPDX-License-Identifier: ISC
 *
 * What is written about decisions.  Lines are made here, whole, in each form
 * that some sink wants, and travel to the parent in batches; it only writes
 * them.  Everything a stranger chose is escaped: names, paths, arguments.
 */
#include <inttypes.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "json.h"
#include "log.h"
#include "ruled.h"

#define BATCH_MS	20
#define INFO		" INFO "
#define TIME_TEXT_MAX	32
#define BATCH_SIZE	(MSG_PAYLOAD_MAX - 2)	/* level and form */
#define LINE_MAX_LEN	8192		/* of a text line */
#define JSON_FIELD_MAX	2000		/* bytes of a path; all fit a batch */
#define JSON_ARGS_MAX	3000		/* and of all arguments */

/* Lines of one form on their way. */
struct batch {
	uint8_t	form;
	size_t	len;
	char	buf[BATCH_SIZE];
};

static struct batch	 batches[3] = {
	{ .form = LOGFORM_TEXT },
	{ .form = LOGFORM_JSON },
	{ .form = LOGFORM_JOURNAL }
};
static struct event	*batch_timer;

static void
batch_send(struct batch *b)
{
	struct link	*l = ruled_link(ROLE_PARENT);
	struct msg_log	 m;
	struct ibuf	 buf;
	static uint8_t	 payload[MSG_PAYLOAD_MAX];

	if (b->len == 0 || l == NULL)
		return;
	memset(&m, 0, sizeof(m));
	m.level = LEVEL_INFO;
	m.form = b->form;
	m.text = b->buf;
	m.len = b->len;
	ibuf_writer(&buf, payload, sizeof(payload));
	msg_put_log(&buf, &m);
	link_send_ibuf(l, MSG_LOG, -1, &buf);
	b->len = 0;
}

void
line_flush(void)
{
	size_t	i;

	(void)event_del(batch_timer);
	for (i = 0; i < sizeof(batches) / sizeof(batches[0]); i++)
		batch_send(&batches[i]);
}

static void
batch_timeout(int fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	line_flush();
}

void
decision_init(void)
{
	batch_timer = event_new(ruled_base(), -1, 0, batch_timeout, NULL);
	if (batch_timer == NULL)
		fatal(NULL);
}

static void
batch_add(uint8_t form, const char *line, size_t len)
{
	static const struct timeval	 after = { 0, BATCH_MS * 1000 };
	struct batch			*b = batches;

	while (b->form != form)
		b++;
	if (len > sizeof(b->buf))
		return;
	if (b->len + len > sizeof(b->buf))
		batch_send(b);
	/* Others of this batch have seen to the timer. */
	if (b->len == 0 && !event_pending(batch_timer, EV_TIMEOUT, NULL) &&
	    event_add(batch_timer, &after) == -1)
		fatal(NULL);
	memcpy(b->buf + b->len, line, len);
	b->len += len;
}

/*
 * Local time with microseconds, as python's isoformat() wrote it; of
 * CLOCK_REALTIME, nanoseconds.
 */
static void
time_text(char buf[TIME_TEXT_MAX], uint64_t real)
{
	static time_t	 second = -1;
	static char	 prefix[24];
	struct sbuf	 s;
	struct tm	 tm;
	time_t		 now = (time_t)(real / 1000000000ULL);

	if (now != second) {
		second = now;
		if (localtime_r(&now, &tm) == NULL ||
		    strftime(prefix, sizeof(prefix), "%Y-%m-%dT%H:%M:%S",
		    &tm) == 0)
			(void)strlcpy(prefix, "-", sizeof(prefix));
	}
	sbuf_init(&s, buf, TIME_TEXT_MAX);
	sbuf_str(&s, prefix);
	sbuf_char(&s, '.');
	sbuf_digits(&s, real % 1000000000ULL / 1000, 6);
}

const char *
reason_name(enum reason reason)
{
	static const char *const names[REASON_MAX] = { "rule", "answer",
	    "timeout", "nobody", "overload", "local", "other", "dns", "older",
	    "closed" };

	return (unsigned)reason < REASON_MAX ? names[reason] : "unknown";
}

/* The words that rules use; others are numbers. */
const char *
proto_name(uint8_t proto, char number[4])
{
	switch (proto) {
	case IPPROTO_TCP:
		return "tcp";
	case IPPROTO_UDP:
		return "udp";
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		return "icmp";
	case IPPROTO_SCTP:
		return "sctp";
	default:
		(void)snprintf(number, 4, "%u", proto);
		return number;
	}
}

static bool
has_ports(const struct tuple *t)
{
	return t->sport != 0 || t->dport != 0;
}

/* The name an end is shown by: what it was judged by, else one it has. */
static void
end_text(struct sbuf *s, const struct conn *c, bool source)
{
	const struct addr	*a = source ? &c->tuple.src : &c->tuple.dst;
	const char		*name[1];
	char			 text[ADDR_STR_MAX];
	bool			 own, both;

	own = host_is_own(a);
	both = own && host_is_own(source ? &c->tuple.dst : &c->tuple.src);
	if (!both && (own || (!source && c->dir == DIR_IN)))
		sbuf_str(s, "localhost");
	else if (!both && !source && c->name != NULL)
		sbuf_str(s, c->name);
	else if (!both && names_of(judge_names_table(), a, now_boot(), name, 1,
	    NULL) == 1)
		sbuf_str(s, name[0]);
	else
		sbuf_str(s, addr_print_host(a, text));
}

static void
port_text(struct sbuf *s, const struct tuple *t, uint16_t port)
{
	sbuf_char(s, ':');
	if (has_ports(t))
		sbuf_number(s, port);
	else
		sbuf_char(s, '-');
}

void
conn_text(struct sbuf *s, const struct conn *c)
{
	char	number[4];

	sbuf_str(s, proto_name(c->tuple.proto, number));
	sbuf_str(s, " | ");
	end_text(s, c, true);
	port_text(s, &c->tuple, c->tuple.sport);
	sbuf_str(s, " -> ");
	end_text(s, c, false);
	port_text(s, &c->tuple, c->tuple.dport);
}

void
who_text(struct sbuf *s, const struct who *w)
{
	const struct whois	*is = w != NULL ? w->is : NULL;
	size_t			 off;

	if (is != NULL && is->source == WHO_KERNEL) {
		sbuf_str(s, "[kernel]");
		return;
	}
	if (is == NULL || is->pid == 0) {
		sbuf_str(s, "[-] unknown");
		return;
	}
	if (w->text != NULL) {
		sbuf_str(s, w->text);
		return;
	}
	sbuf_char(s, '[');
	sbuf_number(s, is->pid);
	sbuf_str(s, "] ");
	sbuf_escape(s, is->exe[0] != '\0' ? is->exe : "unknown");
	for (off = 0; off < is->args_len; off += strlen(is->args + off) + 1) {
		sbuf_char(s, ' ');
		sbuf_escape(s, is->args + off);
	}
	if (is->args_cut)
		sbuf_str(s, " ...");
}

void
who_keep_text(struct who *w)
{
	static char	 text[LINE_MAX_LEN];
	struct sbuf	 s;

	sbuf_init(&s, text, sizeof(text));
	who_text(&s, w);
	if ((w->text = strdup(text)) == NULL)
		fatal(NULL);
}

static void
json_program(struct json *j, const struct conn *c)
{
	const struct whois	*is = c->who != NULL ? c->who->is : NULL;
	bool			 known = is != NULL && is->pid != 0;
	size_t			 off, end;

	if (known)
		json_number(j, "pid", is->pid);
	else
		json_null(j, "pid");
	json_string_max(j, "exe", known && is->exe[0] != '\0' ? is->exe : NULL,
	    JSON_FIELD_MAX);
	json_array(j, "args");
	end = j->out.len + JSON_ARGS_MAX;
	for (off = 0; known && off < is->args_len && j->out.len + 32 < end;
	    off += strlen(is->args + off) + 1)
		json_string_max(j, NULL, is->args + off, end - j->out.len);
	json_array_end(j);
	json_string_max(j, "cwd", known && is->cwd[0] != '\0' ? is->cwd : NULL,
	    JSON_FIELD_MAX);
	if (known && is->nparents > 0)
		json_number(j, "ppid", is->parent[0].pid);
	else
		json_null(j, "ppid");
	if (c->flags & PACKET_HAS_UID)
		json_number(j, "uid", c->uid);
	else if (is != NULL && is->has_uid)
		json_number(j, "uid", is->uid);
	else
		json_null(j, "uid");
	json_string_max(j, "unit", known && is->unit[0] != '\0' ? is->unit :
	    NULL, JSON_FIELD_MAX);
	json_string(j, "by", who_source_name(is != NULL ?
	    (enum who_source)is->source : WHO_UNKNOWN));
}

static void
json_names(struct json *j, const struct conn *c)
{
	const char	*name[NAMES_OF_MAX];
	size_t		 i, n, total;

	json_string(j, "name", c->name);
	n = judge_names(c, name, &total);
	json_array(j, "names");
	for (i = 0; i < n; i++)
		json_string(j, NULL, name[i]);
	json_array_end(j);
}

static void
decision_json(struct json *j, const struct conn *c, const char *when)
{
	char	addr[ADDR_STR_MAX], number[4];

	json_object(j, NULL);
	json_string(j, "time", when);
	json_string(j, "action", action_name(c->action));
	json_string(j, "rule", c->rule);
	json_string(j, "direction", direction_name(c->dir));
	json_string(j, "proto", proto_name(c->tuple.proto, number));
	json_string(j, "src", addr_print(&c->tuple.src, addr));
	if (has_ports(&c->tuple))
		json_number(j, "sport", c->tuple.sport);
	else
		json_null(j, "sport");
	json_string(j, "dst", addr_print(&c->tuple.dst, addr));
	if (has_ports(&c->tuple))
		json_number(j, "dport", c->tuple.dport);
	else
		json_null(j, "dport");
	json_names(j, c);
	json_program(j, c);
	json_string(j, "reason", reason_name(c->reason));
	json_number(j, "held", c->held);
	json_object_end(j);
}

/*
 * Fields of systemd.journal-fields(7) and our own: those of the JSON form.
 * Arrays are a field that stands several times, what is unknown is left out.
 * No value has a newline: strangers' texts are escaped.
 */
struct entry {
	char	buf[BATCH_SIZE];
	size_t	len;
};

/* A field that would not fit is left out. */
static void
journal_field(struct entry *e, const char *name, const char *value)
{
	int	n;

	if (value == NULL || value[0] == '\0')
		return;
	n = snprintf(e->buf + e->len, sizeof(e->buf) - e->len, "%s=%s\n",
	    name, value);
	/* Room for the empty line at the end. */
	if (n > 0 && (size_t)n + 1 < sizeof(e->buf) - e->len)
		e->len += (size_t)n;
}

static void
journal_text(struct entry *e, const char *name, const char *value)
{
	char	safe[EXE_MAX];

	(void)log_escape(safe, sizeof(safe), value, strlen(value));
	journal_field(e, name, safe);
}

static void
journal_number(struct entry *e, const char *name, uint64_t value)
{
	char	number[24];

	(void)snprintf(number, sizeof(number), "%" PRIu64, value);
	journal_field(e, name, number);
}

static void
journal_tuple(struct entry *e, const struct tuple *t)
{
	char	addr[ADDR_STR_MAX], number[4];

	journal_field(e, "TINYSNITCH_PROTO", proto_name(t->proto, number));
	journal_field(e, "TINYSNITCH_SRC", addr_print(&t->src, addr));
	journal_field(e, "TINYSNITCH_DST", addr_print(&t->dst, addr));
	if (!has_ports(t))
		return;
	journal_number(e, "TINYSNITCH_SPORT", t->sport);
	journal_number(e, "TINYSNITCH_DPORT", t->dport);
}

static void
journal_program(struct entry *e, const struct conn *c)
{
	const struct whois	*is = c->who != NULL ? c->who->is : NULL;
	size_t			 off;

	if (c->flags & PACKET_HAS_UID)
		journal_number(e, "TINYSNITCH_UID", c->uid);
	else if (is != NULL && is->has_uid)
		journal_number(e, "TINYSNITCH_UID", is->uid);
	journal_field(e, "TINYSNITCH_BY", who_source_name(is != NULL ?
	    (enum who_source)is->source : WHO_UNKNOWN));
	if (is == NULL || is->pid == 0)
		return;
	journal_number(e, "TINYSNITCH_PID", is->pid);
	journal_text(e, "TINYSNITCH_EXE", is->exe);
	journal_text(e, "TINYSNITCH_CWD", is->cwd);
	journal_text(e, "TINYSNITCH_UNIT", is->unit);
	if (is->nparents > 0)
		journal_number(e, "TINYSNITCH_PPID", is->parent[0].pid);
	for (off = 0; off < is->args_len; off += strlen(is->args + off) + 1)
		journal_text(e, "TINYSNITCH_ARGS", is->args + off);
}

static void
journal_add(const struct conn *c, const char *message)
{
	static struct entry	 e;
	const char		*name[NAMES_OF_MAX];
	size_t			 i, n, total;

	e.len = 0;
	journal_field(&e, "MESSAGE", message);
	journal_field(&e, "PRIORITY", "6");
	journal_field(&e, "SYSLOG_IDENTIFIER", "tinysnitch");
	journal_field(&e, "TINYSNITCH_ACTION", action_name(c->action));
	journal_field(&e, "TINYSNITCH_RULE", c->rule);
	journal_field(&e, "TINYSNITCH_DIRECTION", direction_name(c->dir));
	journal_field(&e, "TINYSNITCH_REASON", reason_name(c->reason));
	journal_number(&e, "TINYSNITCH_HELD", c->held);
	journal_tuple(&e, &c->tuple);
	journal_field(&e, "TINYSNITCH_NAME", c->name);
	n = judge_names(c, name, &total);
	for (i = 0; i < n; i++)
		journal_field(&e, "TINYSNITCH_NAMES", name[i]);
	journal_program(&e, c);
	e.buf[e.len++] = '\n';
	batch_add(LOGFORM_JOURNAL, e.buf, e.len);
}

/* The seed never wrote about the name service and loopback it let pass. */
static bool
in_text(const struct conn *c)
{
	return c->action != ACTION_ALLOW || (c->reason != REASON_DNS &&
	    c->reason != REASON_LOCAL && !c->query);
}

bool
decision_names_rule(void)
{
	return (config.log_forms & (LOGFORM_JSON | LOGFORM_JOURNAL)) != 0 ||
	    control_monitored();
}

/* A reply's program asked before; behind a closed port there is none. */
static bool
has_program(const struct conn *c)
{
	return c->reason != REASON_DNS && c->reason != REASON_LOCAL &&
	    c->reason != REASON_CLOSED;
}

void
decision_log(const struct conn *c)
{
	static char	 line[LINE_MAX_LEN], json[BATCH_SIZE];
	char		 when[TIME_TEXT_MAX];
	struct json	 j;
	struct sbuf	 s;

	if (c->again)
		return;
	if (has_program(c) && (c->who == NULL ||
	    c->who->is->source == WHO_UNKNOWN))
		counters.unknown++;
	time_text(when, c->when);
	/* A long one is cut, but its newline is there. */
	sbuf_init(&s, line, sizeof(line) - 1);
	sbuf_str(&s, when);
	sbuf_str(&s, INFO);
	sbuf_str(&s, action_name(c->action));
	sbuf_char(&s, ' ');
	conn_text(&s, c);
	sbuf_str(&s, " | ");
	who_text(&s, c->who);
	line[s.len] = '\n';
	line[s.len + 1] = '\0';
	json_init(&j, json, sizeof(json) - 1);
	if ((config.log_forms & LOGFORM_JSON) || control_monitored()) {
		decision_json(&j, c, when);
		control_monitor(in_text(c) ? line : NULL,
		    j.out.full ? NULL : json);
	}
	if ((config.log_forms & LOGFORM_TEXT) && in_text(c))
		batch_add(LOGFORM_TEXT, line, s.len + 1);
	if ((config.log_forms & LOGFORM_JSON) && !j.out.full) {
		json[j.out.len] = '\n';
		batch_add(LOGFORM_JSON, json, j.out.len + 1);
	}
	if (config.log_forms & LOGFORM_JOURNAL) {
		line[s.len] = '\0';
		journal_add(c, line + strlen(when) + strlen(INFO));
	}
}

/* The last guard; callers have escaped what they did not make. */
static void
make_printable(char *text)
{
	for (; *text != '\0'; text++)
		if ((unsigned char)*text < 0x20 || (unsigned char)*text > 0x7e)
			*text = '?';
}

static void __attribute__((__format__(printf, 2, 0)))
line_put(enum log_level level, const char *fmt, va_list ap)
{
	static char	 line[LINE_MAX_LEN], json[LINE_MAX_LEN * 2];
	char		 when[TIME_TEXT_MAX], text[LINE_MAX_LEN - 64];
	const char	*name = level == LEVEL_INFO ? "INFO" : "ERROR";
	struct json	 j;
	int		 n;

	(void)vsnprintf(text, sizeof(text), fmt, ap);
	make_printable(text);
	time_text(when, now_real());
	n = snprintf(line, sizeof(line), "%s %s %s\n", when, name, text);
	if (n > 0 && (size_t)n < sizeof(line) &&
	    (config.log_forms & LOGFORM_TEXT))
		batch_add(LOGFORM_TEXT, line, (size_t)n);
	json_init(&j, json, sizeof(json) - 1);
	json_object(&j, NULL);
	json_string(&j, "time", when);
	json_string(&j, "level", name);
	json_string(&j, "process", role_name(ROLE_RULED));
	json_string(&j, "text", text);
	json_object_end(&j);
	if (!j.out.full && (config.log_forms & LOGFORM_JSON)) {
		json[j.out.len] = '\n';
		batch_add(LOGFORM_JSON, json, j.out.len + 1);
	}
	n = snprintf(line, sizeof(line), "MESSAGE=%s\nPRIORITY=%d\n"
	    "SYSLOG_IDENTIFIER=tinysnitch\n\n", text,
	    level == LEVEL_INFO ? 6 : 3);
	if (n > 0 && (size_t)n < sizeof(line) &&
	    (config.log_forms & LOGFORM_JOURNAL))
		batch_add(LOGFORM_JOURNAL, line, (size_t)n);
}

void
line_info(const char *fmt, ...)
{
	va_list	ap;

	va_start(ap, fmt);
	line_put(LEVEL_INFO, fmt, ap);
	va_end(ap);
}

void
line_error(const char *fmt, ...)
{
	va_list	ap;

	va_start(ap, fmt);
	line_put(LEVEL_ERROR, fmt, ap);
	va_end(ap);
}
