/*
 * SPDX-License-Identifier: ISC
 *
 * Input: a question from ruled, most of whose text a remote host or a local
 * program chose.  Each such field is escaped and given a bounded room of its
 * own, so that none can push another out of view or look like one.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "text.h"
#include "view.h"

/* An argument list of 2048 bytes at its worst: quotes and \xNN. */
#define ROOM	(4 * 2048 + 16)

/* What the chosen rule covers of the line "source -> destination". */
struct cover {
	bool	src;
	bool	dst;
	size_t	suffix;		/* of the destination, 0: all of it */
	bool	addr;		/* of the end that is shown by its name */
	bool	port;
};

static struct view_line *
new_line(struct view *v)
{
	struct view_line	*l;

	/* The last one is overwritten: pages are written to fit. */
	if (v->nlines < VIEW_LINES_MAX)
		v->nlines++;
	l = &v->line[v->nlines - 1];
	memset(l, 0, sizeof(*l));
	return l;
}

static void
add_n(struct view_line *l, enum view_style style, const char *s, size_t len)
{
	if (len > VIEW_COLS_MAX - l->len)
		len = VIEW_COLS_MAX - l->len;
	memcpy(l->text + l->len, s, len);
	memset(l->style + l->len, style, len);
	l->len += len;
	l->text[l->len] = '\0';
}

static void
add(struct view_line *l, enum view_style style, const char *s)
{
	add_n(l, style, s, strlen(s));
}

static void __attribute__((__format__(printf, 3, 4)))
addf(struct view_line *l, enum view_style style, const char *fmt, ...)
{
	char	buf[VIEW_COLS_MAX + 1];
	va_list	ap;

	va_start(ap, fmt);
	vsnprintf(buf, sizeof(buf), fmt, ap);
	va_end(ap);
	add(l, style, buf);
}

/* This line, or the next if so much more would not fit. */
static struct view_line *
room_for(struct view *v, struct view_line *l, size_t len)
{
	return l->len > 0 && l->len + len > v->cols ? new_line(v) : l;
}

/* Escapes a string into at most so many columns. */
static void
clean(char *dst, size_t size, const char *src, size_t cols,
    unsigned int tail)
{
	char	buf[ROOM];

	text_escape(buf, sizeof(buf), src, strlen(src));
	text_elide(dst, size, buf, cols, tail);
}

/*
 * Escaped text over several lines, hung under a label of so many columns;
 * what is longer than that is elided first.
 */
static void
add_wrapped(struct view *v, struct view_line *l, enum view_style style,
    const char *text, size_t maxlines, size_t indent)
{
	char	buf[ROOM];
	size_t	n, room, off;

	room = v->cols - indent;
	text_elide(buf, sizeof(buf), text, room * maxlines - maxlines * 8,
	    TEXT_TAIL_ARGS);
	for (off = 0; buf[off] != '\0'; ) {
		n = text_break(buf + off, room);
		if (n == 0)
			break;
		add_n(l, style, buf + off, n);
		off += n;
		if (buf[off] == ' ')
			off++;
		if (buf[off] == '\0')
			break;
		n = (size_t)l->left;
		l = new_line(v);
		l->left = n != 0;
		if (l->left)
			addf(l, style, "%*s", (int)indent, "");
	}
}

static const char *
line_text(const struct msg_ask *ask, const struct input *in)
{
	return ask->line[input_line(in, ask)].text;
}

static const struct addr *
remote_addr(const struct msg_ask *ask)
{
	return ask->direction == DIR_IN ? &ask->tuple.src : &ask->tuple.dst;
}

static void
remote_host(char *dst, size_t size, const struct msg_ask *ask, size_t cols)
{
	char	buf[ADDR_STR_MAX];

	if (ask->nnames > 0) {
		clean(dst, size, ask->name[0], cols, TEXT_TAIL_HOST);
		return;
	}
	clean(dst, size, addr_print_host(remote_addr(ask), buf), cols,
	    TEXT_TAIL_HOST);
}

/* Does the rule ask for the address of an end that is shown by its name? */
static bool
names_addr(const struct msg_ask *ask, const char *text)
{
	char		 buf[ADDR_STR_MAX];
	const char	*addr;
	size_t		 len;

	if (ask->nnames == 0)
		return false;
	addr = addr_print(remote_addr(ask), buf);
	len = strlen(addr);
	if (ask->direction == DIR_IN) {
		if ((text = strstr(text, " from=")) == NULL)
			return false;
		text += strlen(" from=");
	}
	return strncmp(text, addr, len) == 0 &&
	    (text[len] == ' ' || text[len] == '\0');
}

/* The rule's own words decide what is marked, not what the keys meant. */
static struct cover
find_cover(const struct msg_ask *ask, const struct input *in,
    const char *host)
{
	struct cover	 c = { 0 };
	const char	*text;
	size_t		 hostlen, n;

	text = line_text(ask, in);
	c.addr = names_addr(ask, text);
	c.src = strstr(text, " from=") != NULL;
	c.dst = strncmp(text, "- ", 2) != 0;
	if (c.addr && ask->direction == DIR_IN)
		c.src = false;
	else if (c.addr)
		c.dst = false;
	n = strcspn(text, " ");
	c.port = text[n] == ' ' && strncmp(text + n, " - ", 3) != 0;
	if (strncmp(text, "*.", 2) != 0)
		return c;
	hostlen = strlen(host);
	n -= 2;
	if (n < hostlen && host[hostlen - n - 1] == '.' &&
	    strncmp(host + hostlen - n, text + 2, n) == 0)
		c.suffix = n;
	return c;
}

static void
add_end(struct view_line *l, const char *host, uint16_t port, bool marked,
    size_t suffix, bool port_marked)
{
	char	 num[8] = "";
	size_t	 skip;

	skip = marked && suffix > 0 ? strlen(host) - suffix : 0;
	if (port != 0)
		snprintf(num, sizeof(num), ":%u", port);
	add_n(l, VIEW_TEXT, host, skip);
	if (marked) {
		add(l, VIEW_COVERED, "[");
		add(l, VIEW_COVERED, host + skip);
		add(l, VIEW_COVERED, port_marked ? num : "");
		add(l, VIEW_COVERED, "]");
		add(l, VIEW_TEXT, port_marked ? "" : num);
	} else if (port_marked && port != 0) {
		add(l, VIEW_TEXT, host);
		addf(l, VIEW_COVERED, "[%s]", num);
	} else {
		add(l, VIEW_TEXT, host);
		add(l, VIEW_TEXT, num);
	}
}

/* Protocol and way; marked when it is all that the rule asks for. */
static void
put_proto(struct view *v, const struct msg_ask *ask, const struct cover *c)
{
	struct view_line	*l;
	char			 proto[24];

	l = new_line(v);
	text_proto(proto, sizeof(proto), ask->tuple.proto);
	if (c->src || c->dst || c->addr || (c->port && ask->tuple.dport != 0))
		add(l, VIEW_STRONG, proto);
	else
		addf(l, VIEW_COVERED, "[%s]", proto);
	if (ask->direction == DIR_IN)
		add(l, VIEW_ALERT, " inbound");
	else if (ask->direction == DIR_FORWARD)
		add(l, VIEW_ALERT, " forwarded");
}

/* Where the name came from, and whose else the address is. */
static void
put_names(struct view *v, const struct msg_ask *ask, const struct cover *c)
{
	struct view_line	*l;
	char			 buf[ADDR_STR_MAX], name[64], from[24];

	if (ask->nnames == 0)
		return;
	l = new_line(v);
	clean(name, sizeof(name), addr_print(remote_addr(ask), buf),
	    v->cols - 2, 50);
	addf(l, c->addr ? VIEW_COVERED : VIEW_DIM, c->addr ? "[%s]" : "%s",
	    name);
	if (ask->name_source[0] != '\0') {
		clean(from, sizeof(from), ask->name_source, 16, 50);
		l = room_for(v, l, strlen(from) + 10);
		addf(l, VIEW_DIM, "  name by %s", from);
	}
	if (ask->shared > 1) {
		l = room_for(v, l, 32);
		addf(l, VIEW_ALERT, "  shared with %u name%s",
		    ask->shared - 1, ask->shared == 2 ? "" : "s");
	}
	if (ask->nnames < 2)
		return;
	l = new_line(v);
	clean(name, sizeof(name), ask->name[1], v->cols < 58 ? v->cols - 12 :
	    46, TEXT_TAIL_HOST);
	addf(l, VIEW_DIM, "also %s", name);
	if (ask->shared > 2)
		add(l, VIEW_DIM, ", ...");
}

/* The one line that matters; two, rather than cut the host short. */
static void
put_connection(struct view *v, const struct msg_ask *ask,
    const struct input *in)
{
	struct view_line	*l;
	struct cover		 c;
	char			 buf[ADDR_STR_MAX], host[VIEW_COLS_MAX + 1];
	char			 from[ADDR_STR_MAX];
	const char		*dst, *src;

	/* Room for brackets and a port. */
	remote_host(host, sizeof(host), ask, v->cols - 8);
	src = dst = "localhost";
	if (ask->direction == DIR_IN)
		src = host;
	else
		dst = host;
	if (ask->direction == DIR_FORWARD) {
		clean(from, sizeof(from), addr_print_host(&ask->tuple.src,
		    buf), v->cols - 12, 50);
		src = from;
	}
	c = find_cover(ask, in, dst);
	put_proto(v, ask, &c);
	l = new_line(v);
	add_end(l, src, ask->tuple.sport, c.src, 0, false);
	if (l->len + 4 > v->cols)
		l = new_line(v);
	add(l, VIEW_DIM, " -> ");
	if (l->len + strlen(dst) + 8 > v->cols)
		l = new_line(v);
	add_end(l, dst, ask->tuple.dport, c.dst, c.suffix, c.port);
	put_names(v, ask, &c);
}

/* The script of an interpreter, as it will stand among its arguments. */
static void
script_text(char *dst, size_t size, const struct msg_ask *ask)
{
	size_t	at, n;

	n = text_script(ask->exe, ask->args, ask->args_len, &at);
	text_args(dst, size, n == 0 ? "" : ask->args + at, n, false);
}

/* What the program's path says already is left out. */
static void
put_args(struct view *v, struct view_line *l, const struct msg_ask *ask)
{
	char	text[ROOM], word[ROOM];
	size_t	skip, at, len;

	skip = text_args_skip(ask->exe, ask->args, ask->args_len);
	text_args(text, sizeof(text), ask->args + skip, ask->args_len - skip,
	    ask->args_cut);
	if (text[0] == '\0')
		return;
	if (l->len + 1 + strlen(text) <= v->cols)
		add(l, VIEW_TEXT, " ");
	else
		l = new_line(v);
	at = l->len;
	add_wrapped(v, l, VIEW_TEXT, text, 2, 0);
	/* A script, behind the name that it was called by if that is shown. */
	if (skip == 0) {
		text_args(word, sizeof(word), ask->args,
		    strnlen(ask->args, ask->args_len), false);
		at += strlen(word) + 1;
	}
	script_text(word, sizeof(word), ask);
	len = strlen(word);
	if (len > 0 && at + len <= l->len)
		memset(l->style + at, VIEW_STRONG, len);
}

static void
put_program(struct view *v, const struct msg_ask *ask)
{
	struct view_line	*l;
	char			 exe[VIEW_COLS_MAX + 1];

	l = new_line(v);
	if (ask->source == WHO_KERNEL) {
		add(l, VIEW_TEXT, "[kernel]");
		return;
	}
	if (ask->pid == 0) {
		add(l, VIEW_ALERT, "[-] unknown");
		return;
	}
	addf(l, VIEW_TEXT, "[%u] ", ask->pid);
	clean(exe, sizeof(exe), ask->exe[0] != '\0' ? ask->exe : "unknown",
	    v->cols - l->len, TEXT_TAIL_PATH);
	add(l, VIEW_STRONG, exe);
	put_args(v, l, ask);
}

static void
put_labelled(struct view_line *l, const char *label, const char *value,
    size_t cols, unsigned int tail)
{
	char	buf[VIEW_COLS_MAX + 1];

	if (value[0] == '\0')
		return;
	if (l->len > 0)
		add(l, VIEW_DIM, "  ");
	add(l, VIEW_DIM, label);
	add(l, VIEW_DIM, " ");
	clean(buf, sizeof(buf), value, cols, tail);
	add(l, VIEW_TEXT, buf);
}

static void
put_origin(struct view *v, const struct msg_ask *ask)
{
	struct view_line	*l;

	if (ask->parents[0] != '\0') {
		l = new_line(v);
		put_labelled(l, "parent", ask->parents, v->cols - 8, 20);
	}
	if (ask->user[0] != '\0' || ask->cwd[0] != '\0') {
		l = new_line(v);
		put_labelled(l, "user", ask->user, v->cols / 4, 50);
		put_labelled(l, "directory", ask->cwd, v->cols / 3,
		    TEXT_TAIL_PATH);
	}
	if (ask->unit[0] == '\0' || strcmp(ask->unit, "/") == 0)
		return;
	l = new_line(v);
	put_labelled(l, "unit", ask->unit, v->cols - 6, TEXT_TAIL_HOST);
}

/* How long the oldest packet waits by now: it was told when it was asked. */
static uint64_t
age_now(const struct msg_ask *ask, const struct input *in, uint64_t now)
{
	uint64_t	told = in->deadline - ask->left_ms;

	return now > told ? ask->age_ms + (now - told) : ask->age_ms;
}

static void
put_choice(struct view *v, const struct msg_ask *ask, const struct input *in,
    uint64_t now)
{
	struct view_line	*l;
	char			 age[24];

	l = new_line(v);
	addf(l, VIEW_STRONG, "%s subdomains=%s", duration_name(in->duration),
	    in->mask & ASK_DOMAIN ? "yes" : "no");
	if (in->duration == DURATION_ONCE)
		add(room_for(v, l, 18), VIEW_DIM, " (no rule is made)");
	else if (in->duration == DURATION_FOREVER)
		add(room_for(v, l, 28), VIEW_ALERT,
		    " (written to the rules file)");
	l = new_line(v);
	text_age(age, sizeof(age), age_now(ask, in, now));
	addf(l, VIEW_DIM, "%u packet%s held", ask->held,
	    ask->held == 1 ? "" : "s");
	l = room_for(v, l, strlen(age) + 5);
	addf(l, VIEW_DIM, " for %s", age);
	if (ask->more > 0) {
		l = room_for(v, l, 26);
		addf(l, VIEW_ALERT, "  %u more waiting", ask->more);
	}
}

/* Never elided: what is shown is, byte for byte, the rule that is made. */
static void
put_rule(struct view *v, const struct msg_ask *ask, const struct input *in,
    char key, enum action action, enum view_style style)
{
	struct view_line	*l;
	char			 buf[4 * sizeof(ask->line[0].text) + 16];
	size_t			 n, off;

	l = new_line(v);
	l->left = true;
	addf(l, VIEW_DIM, "  %c  ", key);
	if (v->rule == 0)
		v->rule = v->nlines - 1;
	n = (size_t)snprintf(buf, sizeof(buf), "%s ", action_name(action));
	text_printable(buf + n, sizeof(buf) - n, line_text(ask, in),
	    strlen(line_text(ask, in)));
	for (off = 0;;) {
		n = text_break(buf + off, v->cols - 5);
		add_n(l, style, buf + off, n);
		off += n;
		if (buf[off] == ' ')
			off++;
		if (n == 0 || buf[off] == '\0')
			break;
		l = new_line(v);
		l->left = true;
		add(l, VIEW_TEXT, "     ");
	}
	v->rule_end = v->nlines;
}

static const char *
notice_text(enum input_notice notice)
{
	switch (notice) {
	case NOTICE_DOMAIN:
		return "no such rule: this host has no domain of its own";
	case NOTICE_PORT:
		return "no such rule: there is no port to leave open here";
	case NOTICE_EXE:
		return "no such rule: the program is not known for certain";
	case NOTICE_UID:
		return "no such rule: the user is not known for certain";
	case NOTICE_REST:
		return "no such rule: all of this program cannot be named";
	case NOTICE_SCOPE:
		return "there is no other scope for this connection";
	case NOTICE_NONE:
		break;
	}
	return "";
}

static void
button(struct view *v, uint8_t row, int key, const char *label, bool on)
{
	struct view_button	*b;

	if (v->nbuttons == VIEW_BUTTONS_MAX)
		return;
	b = &v->button[v->nbuttons++];
	b->key = key;
	b->row = row;
	b->on = on;
	snprintf(b->label, sizeof(b->label), "%s", label);
}

/* A toggle is off when there is no line for what it would make. */
static void
toggle(struct view *v, const struct msg_ask *ask, const struct input *in,
    int key, const char *label, uint8_t bit)
{
	uint8_t	mask = in->mask ^ bit;

	if (bit == ASK_DOMAIN)
		mask &= (uint8_t)~(ASK_ADDR | ASK_ANYHOST);
	button(v, 1, key, label, (in->mask & bit) != 0);
	v->button[v->nbuttons - 1].off = input_find(ask, mask) == -1;
}

/* All of one width, so that the buttons beside it stay where they are. */
static const char *
scope_label(const struct msg_ask *ask, const struct input *in)
{
	switch (in->mask & ASK_SCOPE) {
	case ASK_DOMAIN:
		return " [tab] domain ";
	case ASK_ADDR:
		return "[tab] address ";
	case ASK_ANYHOST:
		return "[tab] any host";
	}
	/* Inbound the host is this one, and anybody may connect. */
	return ask->direction == DIR_IN ? "[tab] any host" :
	    "  [tab] host  ";
}

static void
put_buttons(struct view *v, const struct msg_ask *ask,
    const struct input *in)
{
	const uint8_t	rest = ASK_ANYHOST | ASK_PORT | ASK_EXE;
	uint8_t		d = in->duration;

	button(v, 0, 'o', "(o)nce", d == DURATION_ONCE);
	button(v, 0, '1', "(1) min", d == DURATION_1M);
	button(v, 0, '3', "(3) min", d == DURATION_3M);
	button(v, 0, '9', "(9) min", d == DURATION_9M);
	button(v, 0, '2', "(2)4 h", d == DURATION_24H);
	button(v, 0, 'f', "(f)orever", d == DURATION_FOREVER);
	toggle(v, ask, in, 'd', "(d)omain", ASK_DOMAIN);
	toggle(v, ask, in, 'p', "any (p)ort", ASK_PORT);
	toggle(v, ask, in, 'e', "(e)xe only", ASK_EXE);
	toggle(v, ask, in, 'u', "(u)ser only", ASK_UID);
	button(v, 1, INPUT_KEY_TAB, scope_label(ask, in),
	    (in->mask & (ASK_ADDR | ASK_ANYHOST)) != 0);
	button(v, 1, 'r', "(r)est of it", in->mask == rest);
	v->button[v->nbuttons - 1].off = input_find(ask, rest) == -1;
	button(v, 2, 'y', "(y)es", in->yes);
	button(v, 2, 'n', "(n)o", !in->yes);
	button(v, 2, 's', "(s)kip", false);
	button(v, 2, 'i', "(i)nfo", false);
	button(v, 2, 'h', "(h)elp", false);
	button(v, 2, 'l', "(l)egend", false);
}

static void
page_question(struct view *v, const struct msg_ask *ask,
    const struct input *in, uint64_t now)
{
	put_connection(v, ask, in);
	new_line(v);
	put_program(v, ask);
	put_origin(v, ask);
	new_line(v);
	put_choice(v, ask, in, now);
	new_line(v);
	put_rule(v, ask, in, 'y', ACTION_ALLOW, VIEW_ALLOW);
	put_rule(v, ask, in, 'n', ACTION_DENY, VIEW_DENY);
	add_wrapped(v, new_line(v), VIEW_ALERT, notice_text(in->notice), 2,
	    0);
	new_line(v);
	put_buttons(v, ask, in);
}

static void
put_way_back(struct view *v)
{
	new_line(v);
	add(new_line(v), VIEW_DIM, "any key goes back");
	button(v, 0, INPUT_KEY_OTHER, "back", false);
}

/* "key  what it does" for a list that ends with NULL. */
static void
put_table(struct view *v, const char *const *t, size_t indent)
{
	struct view_line	*l;

	for (; t[0] != NULL; t += 2) {
		l = new_line(v);
		l->left = true;
		add(l, VIEW_TEXT, "  ");
		/* The word for the mark is marked. */
		add(l, t[0][0] == '[' && strchr(t[0], ' ') == NULL &&
		    t[0][1] == 'y' ? VIEW_COVERED : VIEW_STRONG, t[0]);
		addf(l, VIEW_TEXT, "%*s", (int)(indent - l->len), "");
		add_wrapped(v, l, VIEW_TEXT, t[1], 4, indent);
	}
}

static void
page_help(struct view *v)
{
	static const char *const keys[] = {
		"y  n", "allow, or deny, and make the rule shown",
		"s  Esc", "skip: deny this once, no rule",
		"o", "once: no rule",
		"1 3 9", "for so many minutes",
		"2", "for 24 hours",
		"f", "for ever: written to the rules file",
		"d", "the whole domain, not this host alone",
		"p", "any port, not this one alone",
		"e", "only for this program",
		"u", "only for this user",
		"r", "any host and port for this program, 9 minutes",
		"Tab", "next scope: this host, domain, address, any host",
		"Return", "the marked one of yes and no (arrows move)",
		"i", "everything known about this connection",
		"h  l", "this page, and the legend",
		NULL, NULL
	};

	add(new_line(v), VIEW_STRONG, "keys");
	new_line(v);
	put_table(v, keys, 11);
	put_way_back(v);
}

static void
page_legend(struct view *v)
{
	static const char *const fields[] = {
		"tcp, udp", "the protocol; inbound: somebody connects to you",
		"a:1 -> b:2", "from address and port, to address and port",
		"[yellow]", "the part that the rule will cover",
		"name by", "how the name of the address was learnt",
		"shared", "other names lead to the same address",
		"[123] /path", "process, program, arguments (bold: a script)",
		"[-] unknown", "the program is gone or cannot be known",
		"[kernel]", "the kernel itself sent it",
		"parent", "who started the program, nearest first",
		"user", "who runs it, in which directory, unit or container",
		"9-minutes", "how long the rule will hold",
		"subdomains", "yes: the domain and everything below it",
		"held", "packets waiting for this answer, and since when",
		"waiting", "questions that come after this one",
		"y, n lines", "the rule that each key makes, to the letter",
		"until", "what happens when nobody answers",
		NULL, NULL
	};

	add(new_line(v), VIEW_STRONG, "legend");
	new_line(v);
	put_table(v, fields, 15);
	put_way_back(v);
}

static void
put_detail(struct view *v, const char *label, const char *escaped,
    size_t maxlines)
{
	struct view_line	*l;

	l = new_line(v);
	l->left = true;
	addf(l, VIEW_STRONG, "  %-10s", label);
	add_wrapped(v, l, VIEW_TEXT, escaped[0] != '\0' ? escaped : "-",
	    maxlines, 12);
}

static void
put_detail_raw(struct view *v, const char *label, const char *raw,
    size_t maxlines)
{
	char	buf[ROOM];

	text_escape(buf, sizeof(buf), raw, strlen(raw));
	put_detail(v, label, buf, maxlines);
}

static void
put_end_detail(struct view *v, const char *label, const struct addr *addr,
    uint16_t port)
{
	char	buf[ADDR_STR_MAX], text[ADDR_STR_MAX + 16];

	if (port != 0)
		snprintf(text, sizeof(text), "%s port %u",
		    addr_print(addr, buf), port);
	else
		snprintf(text, sizeof(text), "%s", addr_print(addr, buf));
	put_detail(v, label, text, 1);
}

static void
page_details(struct view *v, const struct msg_ask *ask)
{
	char	buf[ROOM];
	int	i;

	add(new_line(v), VIEW_STRONG, "details");
	new_line(v);
	put_end_detail(v, "from", &ask->tuple.src, ask->tuple.sport);
	put_end_detail(v, "to", &ask->tuple.dst, ask->tuple.dport);
	put_detail(v, "direction", direction_name(ask->direction), 1);
	for (i = 0; i < ask->nnames && i < 4; i++)
		put_detail_raw(v, i == 0 ? "name" : "also", ask->name[i],
		    i == 0 ? 4 : 1);
	snprintf(buf, sizeof(buf), "%u", ask->shared);
	put_detail(v, "names", buf, 1);
	snprintf(buf, sizeof(buf), "%u, known by %s", ask->pid,
	    who_source_name(ask->source));
	put_detail(v, "process", ask->pid == 0 ?
	    who_source_name(ask->source) : buf, 1);
	put_detail_raw(v, "program", ask->exe, 3);
	script_text(buf, sizeof(buf), ask);
	if (buf[0] != '\0')
		put_detail(v, "script", buf, 3);
	text_args(buf, sizeof(buf), ask->args, ask->args_len, ask->args_cut);
	put_detail(v, "arguments", buf, 6);
	put_detail_raw(v, "directory", ask->cwd, 2);
	put_detail_raw(v, "user", ask->user, 1);
	put_detail_raw(v, "unit", ask->unit, 2);
	put_detail_raw(v, "parents", ask->parents, 4);
	put_way_back(v);
}

static void
page_confirm(struct view *v, const struct msg_ask *ask,
    const struct input *in)
{
	add(new_line(v), VIEW_ALERT, "any host, for ever");
	new_line(v);
	put_rule(v, ask, in, 'y', ACTION_ALLOW, VIEW_ALLOW);
	new_line(v);
	add(new_line(v), VIEW_TEXT, "press y once more to make this rule");
	add(new_line(v), VIEW_DIM, "any other key goes back");
	new_line(v);
	button(v, 0, 'y', "(y)es", false);
	button(v, 0, 'n', "(n)o", true);
}

static void
put_foot(struct view *v, const struct input *in, uint64_t now,
    enum action unanswered)
{
	char	buf[64];

	text_countdown(buf, sizeof(buf),
	    in->deadline > now ? in->deadline - now : 0,
	    action_name(unanswered));
	add(&v->countdown, VIEW_TEXT, buf);
	if (in->answered)
		add(&v->state, VIEW_DIM, "answered");
	else if (!in->focused)
		add(&v->state, VIEW_ALERT, "no keyboard focus: click here");
	else if (!in->armed)
		add(&v->state, VIEW_DIM, "wait");
	else
		add(&v->state, VIEW_ALLOW, "ready");
	v->armed = in->armed;
}

void
view_build(struct view *v, const struct msg_ask *ask, const struct input *in,
    uint64_t now, enum action unanswered, size_t cols)
{
	memset(v, 0, sizeof(*v));
	if (cols < VIEW_COLS_MIN)
		cols = VIEW_COLS_MIN;
	if (cols > VIEW_COLS_MAX)
		cols = VIEW_COLS_MAX;
	v->cols = cols;
	switch (in->page) {
	case PAGE_QUESTION:
		page_question(v, ask, in, now);
		break;
	case PAGE_DETAILS:
		page_details(v, ask);
		break;
	case PAGE_HELP:
		page_help(v);
		break;
	case PAGE_LEGEND:
		page_legend(v);
		break;
	case PAGE_CONFIRM:
		page_confirm(v, ask, in);
		break;
	}
	put_foot(v, in, now, unanswered);
}
