/*
 * SPDX-License-Identifier: ISC
 *
 * Text of /proc/PID/{stat,status,fdinfo/N,cgroup,cmdline,maps,mountinfo}, see
 * proc(5).  What a program may choose in it: its name in stat, every byte of
 * cmdline (setproctitle), the paths of its files, and the path of its cgroup
 * when that is delegated to it.
 */
#include <string.h>

#include "procpid_parse.h"

/*
 * A cursor over one file; the first error sticks.  Counted, and moved one by
 * one, so that Eva can follow it, see regress/prove.
 */
struct text {
	const char	*s;
	size_t		 off, end;
	bool		 err;
};

static void
text_init(struct text *t, const char *buf, size_t off, size_t end)
{
	t->s = buf;
	t->off = off;
	t->end = end;
	t->err = false;
}

static bool
at(const struct text *t, char c)
{
	return t->off < t->end && t->s[t->off] == c;
}

static void
skip_blanks(struct text *t)
{
	while (at(t, ' ') || at(t, '\t'))
		t->off++;
}

static void
skip_to(struct text *t, char c)
{
	while (t->off < t->end && t->s[t->off] != c)
		t->off++;
}

static void
skip_char(struct text *t, char c)
{
	if (at(t, c))
		t->off++;
	else
		t->err = true;
}

/* A number in the given base, at most max; at least one digit. */
static uint64_t
get_number(struct text *t, unsigned int base, uint64_t max)
{
	uint64_t	v = 0;
	size_t		from;

	skip_blanks(t);
	from = t->off;
	while (t->off < t->end && t->s[t->off] >= '0' &&
	    (unsigned char)t->s[t->off] < '0' + base) {
		uint64_t	 digit = (uint64_t)(t->s[t->off] - '0');

		if (v > (max - digit) / base) {
			t->err = true;
			return 0;
		}
		v = v * base + digit;
		t->off++;
	}
	if (t->off == from)
		t->err = true;
	return v;
}

/* Fields of stat that may be negative and are of no use here. */
static void
skip_fields(struct text *t, int n)
{
	for (; n > 0; n--) {
		size_t	from;

		skip_blanks(t);
		from = t->off;
		while (t->off < t->end && t->s[t->off] != ' ' &&
		    t->s[t->off] != '\n')
			t->off++;
		if (t->off == from)
			t->err = true;
	}
}

/* Goes behind the word if it stands here. */
static bool
skip_word(struct text *t, const char *word)
{
	size_t	off = t->off;

	for (; *word != '\0'; word++, off++)
		if (off >= t->end || t->s[off] != *word)
			return false;
	t->off = off;
	return true;
}

/* Goes behind "key" at the start of a line; false when there is none. */
static bool
find_line(struct text *t, const char *key)
{
	while (t->off < t->end) {
		if (skip_word(t, key))
			return true;
		skip_to(t, '\n');
		skip_char(t, '\n');
	}
	return false;
}

/* Behind the last one; 0 when there is none. */
static size_t
behind_last(const char *buf, size_t len, char c)
{
	while (len > 0 && buf[len - 1] != c)
		len--;
	return len;
}

/*
 * "pid (name) state ppid ...": the name may hold spaces, parentheses and
 * newlines, so the last ')' is where it ends.  Field 22 is the start time.
 */
int
pid_parse_stat(const char *buf, size_t len, struct pid_stat *st)
{
	struct text	 t;
	size_t		 name_end = behind_last(buf, len, ')');

	memset(st, 0, sizeof(*st));
	text_init(&t, buf, 0, name_end);
	st->pid = (uint32_t)get_number(&t, 10, PID_NUMBER_MAX);
	if (t.err || !skip_word(&t, " ("))
		return -1;
	text_init(&t, buf, name_end, len);
	skip_blanks(&t);
	if (t.off >= t.end)
		return -1;
	st->state = buf[t.off++];
	st->ppid = (uint32_t)get_number(&t, 10, PID_NUMBER_MAX);
	skip_fields(&t, 17);
	st->start = get_number(&t, 10, UINT64_MAX);
	return t.err ? -1 : 0;
}

/* "Uid:\treal\teffective\tsaved\tfilesystem".  The name is escaped there. */
int
pid_parse_uids(const char *buf, size_t len, struct pid_uids *uids)
{
	struct text	 t;
	size_t		 i;

	memset(uids, 0, sizeof(*uids));
	text_init(&t, buf, 0, len);
	if (!find_line(&t, "Uid:"))
		return -1;
	for (i = 0; i < 4; i++)
		uids->id[i] = (uint32_t)get_number(&t, 10, UINT32_MAX);
	return t.err ? -1 : 0;
}

/* "Tgid:\tprocess", of a thread's status. */
int
pid_parse_tgid(const char *buf, size_t len, uint32_t *pid)
{
	struct text	 t;

	*pid = 0;
	text_init(&t, buf, 0, len);
	if (!find_line(&t, "Tgid:"))
		return -1;
	*pid = (uint32_t)get_number(&t, 10, PID_NUMBER_MAX);
	return t.err || *pid == 0 ? -1 : 0;
}

int
pid_parse_fdinfo(const char *buf, size_t len, struct pid_fdinfo *fi)
{
	struct text	 t;
	uint64_t	 flags;

	memset(fi, 0, sizeof(*fi));
	text_init(&t, buf, 0, len);
	if (!find_line(&t, "flags:"))
		return -1;
	flags = get_number(&t, 8, UINT32_MAX);
	fi->cloexec = (flags & 02000000) != 0;
	if (!find_line(&t, "mnt_id:"))
		return -1;
	fi->mnt_id = (uint32_t)get_number(&t, 10, UINT32_MAX);
	if (!find_line(&t, "ino:"))
		return -1;
	fi->ino = get_number(&t, 10, UINT64_MAX);
	return t.err ? -1 : 0;
}

/* "hierarchy:controllers:path"; a controller list holds no newline. */
int
pid_parse_cgroup(const char *buf, size_t len, char *unit, size_t size)
{
	struct text	 t;
	size_t		 n;

	unit[0] = '\0';
	if (len > 0 && buf[len - 1] == '\n')
		len--;
	text_init(&t, buf, behind_last(buf, len, '\n'), len);
	skip_to(&t, ':');
	skip_char(&t, ':');
	skip_to(&t, ':');
	skip_char(&t, ':');
	if (t.err || !at(&t, '/'))
		return -1;
	for (n = 0; t.off < t.end; n++, t.off++) {
		if (n >= size - 1 || buf[t.off] == '\0') {
			unit[0] = '\0';
			return -1;
		}
		unit[n] = buf[t.off];
	}
	unit[n] = '\0';
	return 0;
}

int
pid_parse_name(const char *name, uint32_t *pid)
{
	struct text	 t;
	uint64_t	 v;

	if (name[0] < '1' || name[0] > '9')
		return -1;
	text_init(&t, name, 0, strlen(name));
	v = get_number(&t, 10, PID_NUMBER_MAX);
	if (t.err || t.off != t.end)
		return -1;
	*pid = (uint32_t)v;
	return 0;
}

void
pid_parse_args(const char *buf, size_t len, char args[ARGS_MAX],
    uint16_t *args_len, uint8_t *cut)
{
	*cut = 0;
	if (len > ARGS_MAX || (len == ARGS_MAX && buf[len - 1] != '\0')) {
		len = ARGS_MAX - 1;
		*cut = 1;
	}
	if (len > 0)
		memcpy(args, buf, len);
	/* A title that a program wrote over its arguments may lack it. */
	if (len > 0 && args[len - 1] != '\0')
		args[len++] = '\0';
	*args_len = (uint16_t)len;
}

/* Cuts the first line off. */
static bool
next_line(struct text *t, struct text *line)
{
	text_init(line, t->s, t->off, t->end);
	if (t->off >= t->end)
		return false;
	skip_to(t, '\n');
	line->end = t->off;
	if (t->off < t->end)
		t->off++;
	return true;
}

static uint32_t
get_hex(struct text *t)
{
	uint32_t	 v = 0;
	int		 i, c;

	for (i = 0; i < 8 && t->off < t->end; i++, t->off++) {
		c = t->s[t->off];
		if (c >= '0' && c <= '9')
			v = v << 4 | (uint32_t)(c - '0');
		else if (c >= 'a' && c <= 'f')
			v = v << 4 | (uint32_t)(c - 'a' + 10);
		else
			break;
	}
	if (i == 0)
		t->err = true;
	return v;
}

/* "number parent major:minor root point options [more] - type source ..." */
int
pid_parse_mount(const char *buf, size_t len, uint64_t id,
    struct pid_mount *m)
{
	struct text	 t, line;
	bool		 typed;

	memset(m, 0, sizeof(*m));
	text_init(&t, buf, 0, len);
	while (next_line(&t, &line)) {
		if (get_number(&line, 10, UINT64_MAX) != id || line.err)
			continue;
		skip_fields(&line, 1);
		m->major = (uint32_t)get_number(&line, 10, UINT32_MAX);
		skip_char(&line, ':');
		m->minor = (uint32_t)get_number(&line, 10, UINT32_MAX);
		while (!(typed = skip_word(&line, " - ")) &&
		    line.off < line.end)
			line.off++;
		if (line.err || !typed)
			return -1;
		m->overlay = skip_word(&line, "overlay ");
		return 0;
	}
	return -1;
}

/* "addresses permissions offset major:minor number path" */
int
pid_parse_maps(const char *buf, size_t len, const char *path,
    struct file_id *f)
{
	struct file_id	 one;
	struct text	 t, line;
	bool		 found = false;

	memset(f, 0, sizeof(*f));
	text_init(&t, buf, 0, len);
	while (next_line(&t, &line)) {
		skip_fields(&line, 3);
		skip_blanks(&line);
		one.major = get_hex(&line);
		skip_char(&line, ':');
		one.minor = get_hex(&line);
		one.ino = get_number(&line, 10, UINT64_MAX);
		skip_blanks(&line);
		if (line.err || !skip_word(&line, path) ||
		    line.off != line.end)
			continue;
		if (found && (one.major != f->major ||
		    one.minor != f->minor || one.ino != f->ino))
			return -1;
		*f = one;
		found = true;
	}
	return found ? 0 : -1;
}
