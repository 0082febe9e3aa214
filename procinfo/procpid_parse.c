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

/* A cursor over one file; the first error sticks. */
struct text {
	const char	*p;
	const char	*end;
	bool		 err;
};

static void
text_init(struct text *t, const char *buf, size_t len)
{
	t->p = buf;
	t->end = buf + len;
	t->err = false;
}

static void
skip_blanks(struct text *t)
{
	while (t->p < t->end && (*t->p == ' ' || *t->p == '\t'))
		t->p++;
}

/* A number in the given base, at most max; at least one digit. */
static uint64_t
get_number(struct text *t, unsigned int base, uint64_t max)
{
	uint64_t	 v = 0;
	const char	*from;

	skip_blanks(t);
	from = t->p;
	while (t->p < t->end && *t->p >= '0' &&
	    (unsigned char)*t->p < '0' + base) {
		uint64_t	 digit = (uint64_t)(*t->p - '0');

		if (v > (max - digit) / base) {
			t->err = true;
			return 0;
		}
		v = v * base + digit;
		t->p++;
	}
	if (t->p == from)
		t->err = true;
	return v;
}

/* Fields of stat that may be negative and are of no use here. */
static void
skip_fields(struct text *t, int n)
{
	while (n-- > 0) {
		const char	*from;

		skip_blanks(t);
		from = t->p;
		while (t->p < t->end && *t->p != ' ' && *t->p != '\n')
			t->p++;
		if (t->p == from)
			t->err = true;
	}
}

/* Goes behind "key" at the start of a line; false when there is none. */
static bool
find_line(struct text *t, const char *key)
{
	size_t		 n = strlen(key);
	const char	*nl;

	while (t->p < t->end) {
		if ((size_t)(t->end - t->p) >= n &&
		    memcmp(t->p, key, n) == 0) {
			t->p += n;
			return true;
		}
		nl = memchr(t->p, '\n', (size_t)(t->end - t->p));
		if (nl == NULL)
			break;
		t->p = nl + 1;
	}
	return false;
}

/*
 * "pid (name) state ppid ...": the name may hold spaces, parentheses and
 * newlines, so the last ')' is where it ends.  Field 22 is the start time.
 */
int
pid_parse_stat(const char *buf, size_t len, struct pid_stat *st)
{
	struct text	 t;
	const char	*close;

	memset(st, 0, sizeof(*st));
	close = memrchr(buf, ')', len);
	if (close == NULL)
		return -1;
	text_init(&t, buf, (size_t)(close - buf));
	st->pid = (uint32_t)get_number(&t, 10, PID_NUMBER_MAX);
	if (t.err || t.end - t.p < 2 || memcmp(t.p, " (", 2) != 0)
		return -1;
	text_init(&t, close + 1, len - (size_t)(close + 1 - buf));
	skip_blanks(&t);
	if (t.p == t.end)
		return -1;
	st->state = *t.p++;
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
	text_init(&t, buf, len);
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
	text_init(&t, buf, len);
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
	text_init(&t, buf, len);
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
	const char	*line, *colon;
	size_t		 n;

	unit[0] = '\0';
	if (len > 0 && buf[len - 1] == '\n')
		len--;
	line = len > 0 ? memrchr(buf, '\n', len) : NULL;
	line = line == NULL ? buf : line + 1;
	n = len - (size_t)(line - buf);
	colon = memchr(line, ':', n);
	if (colon == NULL)
		return -1;
	n -= (size_t)(colon + 1 - line);
	line = colon + 1;
	colon = memchr(line, ':', n);
	if (colon == NULL)
		return -1;
	n -= (size_t)(colon + 1 - line);
	line = colon + 1;
	if (n == 0 || n >= size || line[0] != '/' ||
	    memchr(line, '\0', n) != NULL)
		return -1;
	memcpy(unit, line, n);
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
	text_init(&t, name, strlen(name));
	v = get_number(&t, 10, PID_NUMBER_MAX);
	if (t.err || t.p != t.end)
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
	const char	*nl;

	if (t->p == t->end)
		return false;
	nl = memchr(t->p, '\n', (size_t)(t->end - t->p));
	text_init(line, t->p, (size_t)((nl == NULL ? t->end : nl) - t->p));
	t->p = nl == NULL ? t->end : nl + 1;
	return true;
}

static bool
rest_is(struct text *t, const char *want)
{
	size_t	 n = strlen(want);

	return (size_t)(t->end - t->p) == n && memcmp(t->p, want, n) == 0;
}

static uint32_t
get_hex(struct text *t)
{
	uint32_t	 v = 0;
	int		 i, c;

	for (i = 0; i < 8 && t->p < t->end; i++, t->p++) {
		c = *t->p;
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

static void
get_colon(struct text *t)
{
	if (t->p == t->end || *t->p++ != ':')
		t->err = true;
}

/* "number parent major:minor root point options [more] - type source ..." */
int
pid_parse_mount(const char *buf, size_t len, uint64_t id,
    struct pid_mount *m)
{
	static const char	 sep[] = " - ", overlay[] = "overlay ";
	struct text		 t, line;
	const char		*type;

	memset(m, 0, sizeof(*m));
	text_init(&t, buf, len);
	while (next_line(&t, &line)) {
		if (get_number(&line, 10, UINT64_MAX) != id || line.err)
			continue;
		skip_fields(&line, 1);
		m->major = (uint32_t)get_number(&line, 10, UINT32_MAX);
		get_colon(&line);
		m->minor = (uint32_t)get_number(&line, 10, UINT32_MAX);
		type = memmem(line.p, (size_t)(line.end - line.p), sep,
		    sizeof(sep) - 1);
		if (line.err || type == NULL)
			return -1;
		type += sizeof(sep) - 1;
		m->overlay = (size_t)(line.end - type) >=
		    sizeof(overlay) - 1 &&
		    memcmp(type, overlay, sizeof(overlay) - 1) == 0;
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
	text_init(&t, buf, len);
	while (next_line(&t, &line)) {
		skip_fields(&line, 3);
		skip_blanks(&line);
		one.major = get_hex(&line);
		get_colon(&line);
		one.minor = get_hex(&line);
		one.ino = get_number(&line, 10, UINT64_MAX);
		skip_blanks(&line);
		if (line.err || !rest_is(&line, path))
			continue;
		if (found && (one.major != f->major ||
		    one.minor != f->minor || one.ino != f->ino))
			return -1;
		*f = one;
		found = true;
	}
	return found ? 0 : -1;
}
