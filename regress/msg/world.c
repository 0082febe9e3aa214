/*
 * SPDX-License-Identifier: ISC
 */
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "imsg.h"
#include "world.h"

#define FILES	16

static struct world	 the_world;
struct world		*w = &the_world;
struct setup		 setup;

static struct vfile	 files[FILES];
static size_t		 nfiles;
static uint64_t		 versions = 1;
static char		 socket_dir[] = "/tmp/tinysnitch-ruled.XXXXXX";
static struct sockaddr_un control;
static int		 listener = -1;
static char		 why[512];
static int		 failures;

/* ---- results */

void
fail(const char *fmt, ...)
{
	va_list	ap;

	if (why[0] != '\0')
		return;
	va_start(ap, fmt);
	(void)vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
}

bool
failing(void)
{
	return why[0] != '\0';
}

static void
die(const char *what)
{
	printf("not ok ruled: %s: %s\n", what, strerror(errno));
	exit(1);
}

bool
ruled_alive(void)
{
	return w->ruled != 0 && waitpid(w->ruled, NULL, WNOHANG) == 0;
}

void
check(const char *name, void (*fn)(void))
{
	why[0] = '\0';
	fn();
	if (w->ruled != 0 && !ruled_alive()) {
		why[0] = '\0';
		fail("ruled died");
		w->ruled = 0;
	}
	if (why[0] == '\0')
		printf("ok ruled: %s\n", name);
	else {
		printf("not ok ruled: %s: %s\n", name, why);
		fprintf(stderr, "---- %s\n%s----\n", name, w->log);
		failures++;
	}
	(void)fflush(stdout);
	world_end();
}

int
finish(void)
{
	if (listener != -1) {
		(void)unlink(control.sun_path);
		(void)rmdir(socket_dir);
	}
	return failures > 0;
}

/* ---- frames */

void
raw_put(struct peer *p, const void *data, size_t len)
{
	if (send(p->fd, data, len, MSG_NOSIGNAL) == -1 && errno != EPIPE &&
	    errno != EAGAIN && errno != ECONNRESET)
		fail("send: %s", strerror(errno));
}

void
frame_put(struct peer *p, uint32_t type, int fd, const void *data, size_t len)
{
	union {
		struct cmsghdr	hdr;
		char		buf[CMSG_SPACE(sizeof(int))];
	} cbuf;
	uint8_t		 buf[MSG_MAX];
	uint16_t	 n = (uint16_t)(len + IMSG_HEADER), flags = fd != -1;
	struct iovec	 iov = { buf, n };
	struct msghdr	 mh = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct pollfd	 pfd = { p->fd, POLLOUT, 0 };

	memcpy(buf, &type, 4);
	memcpy(buf + 4, &n, 2);
	memcpy(buf + 6, &flags, 2);
	if (len > 0)
		memcpy(buf + IMSG_HEADER, data, len);
	if (fd != -1) {
		memset(&cbuf, 0, sizeof(cbuf));
		mh.msg_control = cbuf.buf;
		mh.msg_controllen = sizeof(cbuf.buf);
		cbuf.hdr.cmsg_level = SOL_SOCKET;
		cbuf.hdr.cmsg_type = SCM_RIGHTS;
		cbuf.hdr.cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(&cbuf.hdr), &fd, sizeof(int));
	}
	(void)poll(&pfd, 1, WAIT_MS);
	(void)sendmsg(p->fd, &mh, MSG_NOSIGNAL);
}

void
ibuf_frame(struct peer *p, uint32_t type, const struct ibuf *b)
{
	if (ibuf_error(b))
		fail("%s does not fit", msg_name(type));
	frame_put(p, type, -1, b->wbuf, b->off);
}

/* Reads what there is; false when nothing came. */
static bool
peer_read(struct peer *p)
{
	char		 cbuf[CMSG_SPACE(sizeof(int))];
	struct iovec	 iov = { p->buf + p->have, sizeof(p->buf) - p->have };
	struct msghdr	 mh = { .msg_iov = &iov, .msg_iovlen = 1,
	    .msg_control = cbuf, .msg_controllen = sizeof(cbuf) };
	struct cmsghdr	*cm;
	ssize_t		 n;

	n = recvmsg(p->fd, &mh, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	if (n == -1 && errno == EAGAIN)
		return false;
	if (n <= 0) {
		p->gone = true;
		return false;
	}
	if ((cm = CMSG_FIRSTHDR(&mh)) != NULL)
		memcpy(&p->got_fd, CMSG_DATA(cm), sizeof(int));
	p->have += (size_t)n;
	return true;
}

/* Takes one whole frame off the front. */
static bool
peer_frame(struct peer *p, uint32_t *type, uint8_t *data, size_t *len)
{
	uint16_t	n;

	if (p->have < IMSG_HEADER)
		return false;
	memcpy(type, p->buf, 4);
	memcpy(&n, p->buf + 4, 2);
	if (p->have < n)
		return false;
	*len = n - IMSG_HEADER;
	memcpy(data, p->buf + IMSG_HEADER, *len);
	p->have -= n;
	memmove(p->buf, p->buf + n, p->have);
	return true;
}

void
peer_close(struct peer *p)
{
	if (p->fd != -1)
		(void)close(p->fd);
	p->fd = -1;
	p->have = 0;
	p->gone = false;
}

static int
peer_pair(struct peer *p)
{
	int	fds[2], size = 4 << 20;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) == -1)
		die("socketpair");
	(void)setsockopt(fds[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	memset(p, 0, sizeof(*p));
	p->fd = fds[0];
	return fds[1];
}

void
peer_fresh(struct peer *p, enum role role)
{
	struct msg_peer	m = { (uint8_t)role };
	uint8_t		buf[8];
	struct ibuf	b;
	int		fd;

	peer_close(p);
	fd = peer_pair(p);
	if (role == ROLE_PROCINFO)
		w->said_len = 0;
	ibuf_writer(&b, buf, sizeof(buf));
	msg_put_peer(&b, &m);
	frame_put(&w->parent, MSG_PEER, fd, buf, b.off);
	(void)close(fd);
}

/* ---- the parent's files */

static int
memfile(const char *text)
{
	char	path[64];
	size_t	len = strlen(text);
	int	fd, ro;

	fd = memfd_create("file", MFD_CLOEXEC);
	if (fd == -1 || write(fd, text, len) != (ssize_t)len)
		die("memfd");
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if ((ro = open(path, O_RDONLY | O_CLOEXEC)) == -1)
		die(path);
	(void)close(fd);
	return ro;
}

static bool
by_path(enum file_kind kind)
{
	return kind == FILE_INCLUDE || kind == FILE_LIST;
}

static struct vfile *
file_find(enum file_kind kind, const char *path)
{
	size_t	i;

	for (i = 0; i < nfiles; i++)
		if (files[i].kind == kind &&
		    (!by_path(kind) || strcmp(files[i].path, path) == 0))
			return &files[i];
	return NULL;
}

struct vfile *
file_set(enum file_kind kind, const char *path, const char *text)
{
	struct vfile	*f = file_find(kind, path);

	if (f == NULL) {
		if (nfiles == FILES)
			die("too many files");
		f = &files[nfiles++];
		memset(f, 0, sizeof(*f));
		f->kind = kind;
		(void)snprintf(f->path, sizeof(f->path), "%s", path);
	}
	free(f->text);
	f->text = text != NULL ? strdup(text) : NULL;
	f->err = text != NULL ? 0 : ENOENT;
	f->version = ++versions;
	return f;
}

void
file_send(const struct vfile *f)
{
	static struct msg_file	 m;
	static uint8_t		 buf[MSG_PAYLOAD_MAX];
	struct ibuf		 b;
	int			 fd = -1;

	memset(&m, 0, sizeof(m));
	m.kind = (uint8_t)f->kind;
	m.err = f->err;
	if (f->err == 0) {
		m.version.ino = f->version;
		fd = memfile(f->text);
	}
	(void)snprintf(m.path, sizeof(m.path), "%s", f->path);
	m.nwatch = 1;
	m.watch[0].wd = (int32_t)(f - files) + 1;
	(void)snprintf(m.watch[0].name, sizeof(m.watch[0].name), "f");
	ibuf_writer(&b, buf, sizeof(buf));
	msg_put_file(&b, &m);
	frame_put(&w->parent, MSG_FILE, fd, buf, b.off);
	if (fd != -1)
		(void)close(fd);
}

void
files_send(void)
{
	static const enum file_kind first[] = { FILE_TEMPORARY, FILE_PASSWD,
	    FILE_RESOLVERS, FILE_NAMES, FILE_RULES };
	struct vfile	*f;
	size_t		 i;

	for (i = 0; i < sizeof(first) / sizeof(first[0]); i++)
		if ((f = file_find(first[i], "")) != NULL &&
		    (f->kind != FILE_TEMPORARY || f->text != NULL))
			file_send(f);
}

static void
watch_put(const struct vfile *f, uint32_t mask, bool named)
{
	/* An event ends in its name. */
	union {
		struct inotify_event	ev;
		char			bytes[sizeof(struct inotify_event) +
					    16];
	}		 note;
	size_t		 len = named ? sizeof(note) : sizeof(note.ev);

	memset(&note, 0, sizeof(note));
	note.ev.wd = (int)(f - files) + 1;
	note.ev.mask = mask;
	note.ev.len = (uint32_t)(len - sizeof(note.ev));
	if (named)
		note.bytes[sizeof(note.ev)] = 'f';
	if (write(w->watch, &note, len) != (ssize_t)len)
		fail("inotify: %s", strerror(errno));
}

void
watch_says(enum file_kind kind, const char *path, uint32_t mask, bool named)
{
	watch_put(file_find(kind, path), mask, named);
}

void
file_change(enum file_kind kind, const char *path, const char *text,
    uint32_t err)
{
	struct vfile	*f = file_set(kind, path, text);

	if (err != 0)
		f->err = err;
	watch_put(f, IN_CLOSE_WRITE, true);
}

static void
parent_open(const uint8_t *data, size_t len)
{
	static struct msg_open	 m;
	struct ibuf		 b;
	struct vfile		*f;

	w->opened++;
	ibuf_reader(&b, data, len);
	if (msg_get_open(&b, &m) == -1) {
		fail("malformed MSG_OPEN");
		return;
	}
	if ((f = file_find((enum file_kind)m.kind, m.path)) == NULL)
		f = file_set((enum file_kind)m.kind, m.path, NULL);
	file_send(f);
}

static char *
sealed_text(int fd)
{
	off_t	 size = lseek(fd, 0, SEEK_END);
	char	*text = NULL;

	if (size == -1 || (text = calloc(1, (size_t)size + 1)) == NULL ||
	    pread(fd, text, (size_t)size, 0) != (ssize_t)size)
		die("commit");
	if ((fcntl(fd, F_GET_SEALS) & F_SEAL_WRITE) == 0)
		fail("a commit that is not sealed");
	return text;
}

/* As parent/commit.c does it: only over what ruled has read. */
static void
parent_commit(const uint8_t *data, size_t len)
{
	struct msg_commit	 m;
	struct msg_committed	 r;
	struct vfile		*f;
	struct ibuf		 b;
	uint8_t			 buf[64];
	char			*text;

	ibuf_reader(&b, data, len);
	if (msg_get_commit(&b, &m) == -1 || w->parent.got_fd == -1) {
		fail("malformed MSG_COMMIT");
		return;
	}
	text = sealed_text(w->parent.got_fd);
	(void)close(w->parent.got_fd);
	w->parent.got_fd = -1;
	memset(&r, 0, sizeof(r));
	r.kind = m.kind;
	r.err = w->commit_err;
	w->commit_err = 0;
	f = file_find((enum file_kind)m.kind, "");
	if (r.err == 0 && m.kind != FILE_TEMPORARY &&
	    m.version.ino != (f->err == 0 ? f->version : 0))
		r.err = ESTALE;
	w->commits[m.kind]++;
	free(w->committed[m.kind]);
	w->committed[m.kind] = text;
	if (r.err == 0)
		f = file_set((enum file_kind)m.kind, "", text);
	if (f != NULL)
		r.version.ino = f->version;
	if (w->commit_hold)
		return;
	ibuf_writer(&b, buf, sizeof(buf));
	msg_put_committed(&b, &r);
	ibuf_frame(&w->parent, MSG_COMMITTED, &b);
}

static void
log_add(char *log, size_t size, size_t *used, const char *text, size_t len)
{
	if (*used + len + 2 > size)
		return;
	memcpy(log + *used, text, len);
	*used += len;
	log[*used] = '\0';
}

static void
parent_log(const uint8_t *data, size_t len)
{
	struct msg_log	m;
	struct ibuf	b;

	ibuf_reader(&b, data, len);
	if (msg_get_log(&b, &m) == -1) {
		fail("malformed MSG_LOG");
		return;
	}
	if (m.form == LOGFORM_JSON) {
		log_add(w->json, sizeof(w->json), &w->json_len, m.text, m.len);
		return;
	}
	log_add(w->log, sizeof(w->log), &w->log_len, m.text, m.len);
	if (m.form == 0)
		log_add(w->log, sizeof(w->log), &w->log_len, "\n", 1);
}

static void
parent_bad(const uint8_t *data, size_t len)
{
	struct msg_bad	m;
	struct ibuf	b;

	ibuf_reader(&b, data, len);
	if (msg_get_bad(&b, &m) == -1) {
		fail("malformed MSG_BAD");
		return;
	}
	w->bad[m.peer]++;
	(void)strlcpy(w->bad_reason, m.reason, sizeof(w->bad_reason));
}

static void
parent_said(uint32_t type, const uint8_t *data, size_t len)
{
	switch (type) {
	case MSG_READY:
		w->ready = true;
		break;
	case MSG_LOG:
		parent_log(data, len);
		break;
	case MSG_BAD:
		parent_bad(data, len);
		break;
	case MSG_OPEN:
		parent_open(data, len);
		break;
	case MSG_COMMIT:
		parent_commit(data, len);
		break;
	default:
		fail("%s to the parent", msg_name(type));
	}
}

/* ---- netq, procinfo, prompter, clients */

static void
netq_said(uint32_t type, const uint8_t *data, size_t len)
{
	struct msg_verdict	v;
	struct ibuf		b;

	if (type != MSG_VERDICTS)
		fail("%s to netq", msg_name(type));
	w->answers++;
	ibuf_reader(&b, data, len);
	while (ibuf_left(&b) > 0) {
		if (msg_get_verdict(&b, &v) == -1 || v.id >= IDS_MAX) {
			fail("malformed MSG_VERDICTS");
			return;
		}
		w->verdict[v.id] = v.verdict;
		w->verdicts[v.id]++;
	}
}

/* As procinfo does: who it is only if the answer before said another. */
void
proc_whois(const struct whois *is)
{
	static uint8_t	buf[MSG_PAYLOAD_MAX];
	struct msg_same	same = { is->number };
	struct ibuf	b;
	size_t		len;
	bool		again;

	ibuf_writer(&b, buf, sizeof(buf));
	msg_put_whois(&b, is);
	len = b.off - sizeof(is->number);
	again = len == w->said_len &&
	    memcmp(w->said, buf + sizeof(is->number), len) == 0;
	if (again) {
		ibuf_writer(&b, buf, sizeof(buf));
		msg_put_same(&b, &same);
	} else {
		memcpy(w->said, buf + sizeof(is->number), len);
		w->said_len = len;
	}
	ibuf_frame(&w->proc, again ? MSG_WHOIS_SAME : MSG_WHOIS, &b);
}

static void
proc_answer(const struct msg_who *who)
{
	static struct whois	 is;

	is = w->is;
	is.number = who->number;
	if (w->who_is != NULL)
		w->who_is(who, &is);
	proc_whois(&is);
}

static void
proc_said(uint32_t type, const uint8_t *data, size_t len)
{
	struct msg_who_head	head;
	struct msg_who		who;
	struct ibuf		b;

	if (type != MSG_WHO)
		fail("%s to procinfo", msg_name(type));
	ibuf_reader(&b, data, len);
	if (msg_get_who_head(&b, &head) == -1)
		fail("malformed MSG_WHO");
	while (ibuf_left(&b) > 0) {
		if (msg_get_who(&b, &who) == -1) {
			fail("malformed MSG_WHO");
			return;
		}
		if (w->nwho < IDS_MAX)
			w->who[w->nwho++] = who;
		if (!w->who_silent)
			proc_answer(&who);
	}
}

static bool
ask_said(uint32_t type, const uint8_t *data, size_t len, struct msg_ask *ask,
    unsigned *asks, unsigned *ends)
{
	static struct msg_ask	m;
	struct ibuf		b;

	if (type == MSG_ASK_END) {
		(*ends)++;
		return true;
	}
	if (type != MSG_ASK)
		return false;
	ibuf_reader(&b, data, len);
	if (msg_get_ask(&b, &m) == -1)
		fail("malformed MSG_ASK");
	else if (*asks == 0 || m.question != ask->question)
		(*asks)++;
	*ask = m;
	return true;
}

static void
prompter_said(uint32_t type, const uint8_t *data, size_t len)
{
	if (!ask_said(type, data, len, &w->ask, &w->asks, &w->ends))
		fail("%s to the prompter", msg_name(type));
}

static void
client_said(struct client *c, uint32_t type, const uint8_t *data, size_t len)
{
	struct msg_ctl_reply	m;
	struct ibuf		b;
	size_t			used = strlen(c->text);

	if (ask_said(type, data, len, &c->ask, &c->asks, &c->ends))
		return;
	ibuf_reader(&b, data, len);
	if (type != MSG_CTL_REPLY || msg_get_ctl_reply(&b, &m) == -1) {
		fail("malformed %s", msg_name(type));
		return;
	}
	c->bytes += m.len;
	if (used + m.len < sizeof(c->text)) {
		memcpy(c->text + used, m.text, m.len);
		c->text[used + m.len] = '\0';
	}
	if (!m.more)
		c->status = m.status;
}

static bool
peer_step(struct peer *p, void (*said)(uint32_t, const uint8_t *, size_t),
    struct client *c)
{
	static uint8_t	data[MSG_MAX];
	uint32_t	type;
	size_t		len;

	if (p->fd == -1 || p->gone || !peer_read(p))
		return false;
	while (peer_frame(p, &type, data, &len))
		if (c != NULL)
			client_said(c, type, data, len);
		else
			said(type, data, len);
	return true;
}

bool
world_step(int ms)
{
	struct pollfd	pfd[4 + CLIENTS];
	struct peer	*p[4 + CLIENTS] = { &w->parent, &w->netq, &w->proc,
	    &w->prompter };
	size_t		i, n = 4 + w->nclients;
	bool		did = false;

	for (i = 0; i < w->nclients; i++)
		p[4 + i] = &w->client[i].peer;
	for (i = 0; i < n; i++) {
		pfd[i].fd = p[i]->gone ? -1 : p[i]->fd;
		pfd[i].events = POLLIN;
	}
	if (poll(pfd, n, ms) < 1)
		return false;
	did |= peer_step(&w->parent, parent_said, NULL);
	did |= peer_step(&w->netq, netq_said, NULL);
	did |= peer_step(&w->proc, proc_said, NULL);
	did |= peer_step(&w->prompter, prompter_said, NULL);
	for (i = 0; i < w->nclients; i++)
		did |= peer_step(&w->client[i].peer, NULL, &w->client[i]);
	return did;
}

static void
host_put(struct peer *p, enum host_what what, const char *addr,
    uint32_t ifindex, const char *ifname)
{
	struct msg_host	m;
	uint8_t		buf[64];
	struct ibuf	b;

	memset(&m, 0, sizeof(m));
	m.what = (uint8_t)what;
	if (addr != NULL && addr_parse(addr, &m.addr) == -1)
		die(addr);
	m.ifindex = ifindex;
	(void)snprintf(m.ifname, sizeof(m.ifname), "%s", ifname);
	ibuf_writer(&b, buf, sizeof(buf));
	msg_put_host(&b, &m);
	ibuf_frame(p, MSG_HOST, &b);
}

void
host_tell(struct peer *p)
{
	host_put(p, HOST_CLEAR, NULL, 0, "");
	host_put(p, HOST_ADDR, LAN, 2, "");
	host_put(p, HOST_IF, NULL, 2, "eth0");
	host_put(p, HOST_DONE, NULL, 0, "");
}

/* ---- packets */

static void
put16(uint8_t *p, unsigned v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static size_t
put_ip(uint8_t *p, uint8_t proto, const char *src, const char *dst, size_t len)
{
	memset(p, 0, 20);
	p[0] = 0x45;
	put16(p + 2, (unsigned)(20 + len));
	p[8] = 64;
	p[9] = proto;
	if (inet_pton(AF_INET, src, p + 12) != 1 ||
	    inet_pton(AF_INET, dst, p + 16) != 1)
		die("address");
	return 20 + len;
}

size_t
packet_tcp(uint8_t *p, const char *src, int sport, const char *dst, int dport,
    uint8_t flags)
{
	uint8_t	*t = p + 20;

	memset(t, 0, 20);
	put16(t, (unsigned)sport);
	put16(t + 2, (unsigned)dport);
	t[12] = 5 << 4;
	t[13] = flags;
	return put_ip(p, IPPROTO_TCP, src, dst, 20);
}

size_t
packet_udp(uint8_t *p, const char *src, int sport, const char *dst, int dport,
    const void *data, size_t len)
{
	uint8_t	*u = p + 20;

	memset(u, 0, 8);
	put16(u, (unsigned)sport);
	put16(u + 2, (unsigned)dport);
	put16(u + 4, (unsigned)(8 + len));
	memcpy(u + 8, data, len);
	return put_ip(p, IPPROTO_UDP, src, dst, 8 + len);
}

uint32_t
packet_put(enum hook hook, uint32_t uid, const uint8_t *data, size_t len)
{
	struct msg_packets_head	 head = { 1, 1 };
	struct msg_packet	 m;
	static uint8_t		 buf[MSG_PAYLOAD_MAX];
	struct ibuf		 b;

	memset(&m, 0, sizeof(m));
	m.id = ++w->id;
	m.number = ++w->number;
	m.hook = (uint8_t)hook;
	m.af = AF_INET;
	if (hook == HOOK_OUT) {
		m.flags = PACKET_HAS_UID;
		m.uid = uid;
		m.outdev = 2;
	} else
		m.indev = 2;
	m.full_len = (uint32_t)len;
	m.len = (uint16_t)len;
	m.data = data;
	head.time = UINT64_MAX;	/* in the future: must not matter */
	ibuf_writer(&b, buf, sizeof(buf));
	msg_put_packets_head(&b, &head);
	msg_put_packet(&b, &m);
	ibuf_frame(&w->netq, MSG_PACKETS, &b);
	return m.id;
}

uint32_t
out_tcp(int sport, const char *dst, int dport)
{
	uint8_t	p[64];
	size_t	n = packet_tcp(p, LAN, sport, dst, dport, 0x02);

	return packet_put(HOOK_OUT, 1000, p, n);
}

uint32_t
in_tcp(const char *src, int sport, int dport)
{
	uint8_t	p[64];
	size_t	n = packet_tcp(p, src, sport, LAN, dport, 0x02);

	return packet_put(HOOK_IN, 0, p, n);
}

uint32_t
out_udp(int sport, const char *dst, int dport)
{
	uint8_t	p[64];
	size_t	n = packet_udp(p, LAN, sport, dst, dport, "x", 1);

	return packet_put(HOOK_OUT, 1000, p, n);
}

/* One question for an A record, and what answers it. */
static size_t
put_dns(uint8_t *p, uint16_t id, const char *name, const char *addr)
{
	static const uint8_t	 in_a[] = { 0, 1, 0, 1 };
	uint8_t			*q = p + 12;
	size_t			 n;

	memset(p, 0, 12);
	put16(p, id);
	put16(p + 2, addr != NULL ? 0x8180 : 0x0100);
	put16(p + 4, 1);
	put16(p + 6, addr != NULL);
	for (; *name != '\0'; name += n, name += *name == '.') {
		n = strcspn(name, ".");
		*q++ = (uint8_t)n;
		memcpy(q, name, n);
		q += n;
	}
	*q++ = 0;
	memcpy(q, in_a, 4);
	q += 4;
	if (addr == NULL)
		return (size_t)(q - p);
	put16(q, 0xc00c);
	memcpy(q + 2, in_a, 4);
	memset(q + 6, 0, 3);
	q[9] = 60;
	put16(q + 10, 4);
	if (inet_pton(AF_INET, addr, q + 12) != 1)
		die(addr);
	return (size_t)(q + 16 - p);
}

uint32_t
dns_query(int sport, uint16_t id, const char *name)
{
	uint8_t	dns[512], p[600];
	size_t	n = put_dns(dns, id, name, NULL);

	n = packet_udp(p, LAN, sport, RESOLVER, 53, dns, n);
	return packet_put(HOOK_OUT, 1000, p, n);
}

uint32_t
dns_reply(int sport, uint16_t id, const char *name, const char *addr)
{
	uint8_t	dns[512], p[600];
	size_t	n = put_dns(dns, id, name, addr);

	n = packet_udp(p, RESOLVER, 53, LAN, sport, dns, n);
	return packet_put(HOOK_IN, 0, p, n);
}

void
learn(const char *name, const char *addr)
{
	static uint16_t	id;
	uint32_t	q, r;
	int		sport = 20000 + ++id;

	q = dns_query(sport, id, name);
	JUDGED(q, ACTION_ALLOW);
	r = dns_reply(sport, id, name, addr);
	JUDGED(r, ACTION_ALLOW);
}

void
answer(struct peer *p, uint32_t question, int line, enum action action,
    enum duration duration)
{
	struct msg_answer	m = { question, (uint8_t)line,
	    (uint8_t)action, (uint8_t)duration };
	uint8_t			buf[16];
	struct ibuf		b;

	ibuf_writer(&b, buf, sizeof(buf));
	msg_put_answer(&b, &m);
	ibuf_frame(p, MSG_ANSWER, &b);
}

int
line_of(const struct msg_ask *m, uint8_t mask)
{
	int	i;

	for (i = 0; i < m->nlines; i++)
		if (m->line[i].mask == mask)
			return i;
	fail("no line with the toggles %#x", mask);
	return 0;
}

/* ---- control clients */

/* SO_PEERCRED is what connect(2) found: a child of that user connects. */
static int
connect_as(uid_t uid)
{
	int	fd;

	if ((fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) == -1)
		die("socket");
	if (uid != 0 && setresuid(uid, uid, 0) == -1)
		die("setresuid");
	if (connect(fd, (struct sockaddr *)&control, sizeof(control)) == -1)
		fail("connect: %s", strerror(errno));
	if (uid != 0 && setresuid(0, 0, 0) == -1)
		die("setresuid");
	return fd;
}

struct client *
client_new(uid_t uid)
{
	struct client	*c = &w->client[w->nclients++];

	if (w->nclients == CLIENTS)
		die("too many clients");
	memset(c, 0, sizeof(*c));
	c->peer.fd = connect_as(uid);
	c->peer.got_fd = -1;
	c->status = -1;
	return c;
}

void
client_say(struct client *c, const char *command, const char *text, bool json)
{
	static struct msg_ctl	m;
	static uint8_t		buf[MSG_PAYLOAD_MAX];
	struct ibuf		b;

	memset(&m, 0, sizeof(m));
	m.version = CTL_VERSION;
	m.json = json;
	(void)snprintf(m.command, sizeof(m.command), "%s", command);
	(void)snprintf(m.text, sizeof(m.text), "%s", text);
	ibuf_writer(&b, buf, sizeof(buf));
	msg_put_ctl(&b, &m);
	ibuf_frame(&c->peer, MSG_CTL, &b);
}

const char *
ctl(const char *command, const char *text)
{
	struct client	*c = client_new(0);

	client_say(c, command, text, false);
	UNTIL(c->status != -1);
	peer_close(&c->peer);
	if (c == &w->client[w->nclients - 1])
		w->nclients--;	/* the place is free, the text stays */
	return c->text;
}

/* ---- ruled itself */

static int
mount_empty(void)
{
	int	fs, fd = -1;

	if ((fs = fsopen("tmpfs", FSOPEN_CLOEXEC)) == -1 ||
	    fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) == -1 ||
	    (fd = fsmount(fs, FSMOUNT_CLOEXEC, MOUNT_ATTR_RDONLY)) == -1)
		die("fsmount");
	(void)close(fs);
	return fd;
}

static int
listen_control(void)
{
	control.sun_family = AF_UNIX;
	if (mkdtemp(socket_dir) == NULL || chmod(socket_dir, 0755) == -1)
		die("mkdtemp");
	(void)snprintf(control.sun_path, sizeof(control.sun_path), "%s/s",
	    socket_dir);
	listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
	    0);
	if (listener == -1 || bind(listener, (struct sockaddr *)&control,
	    sizeof(control)) == -1 || listen(listener, 128) == -1 ||
	    chmod(control.sun_path, 0666) == -1)
		die(control.sun_path);
	return listener;
}

/* The prompter, when there is none, is no descriptor at all. */
static pid_t
exec_ruled(const int fds[], size_t n)
{
	const char	*build = getenv("B");
	char		 path[4096];
	int		 high[16];
	size_t		 i;
	pid_t		 pid;

	(void)snprintf(path, sizeof(path), "%s/libexec/tinysnitch/ruled",
	    build != NULL ? build : "build");
	if (access(path, X_OK) == -1)
		die(path);
	if ((pid = fork()) != 0)
		return pid;
	for (i = 0; i < n; i++)
		high[i] = fds[i] == -1 ? -1 :
		    fcntl(fds[i], F_DUPFD_CLOEXEC, 64);
	for (i = 0; i < n; i++)
		if (high[i] != -1 && dup2(high[i], FD_PARENT + (int)i) == -1)
			_exit(126);
	execl(path, path, (char *)NULL);
	_exit(127);
}

static void
send_start(uint32_t fds)
{
	const struct passwd	*pw = getpwnam("_tinysnitch");
	static uint8_t		 buf[MSG_PAYLOAD_MAX];
	struct msg_start	 s = setup.start;
	struct ibuf		 b;

	if (pw == NULL)
		die("no user _tinysnitch");
	s.uid = pw->pw_uid;
	s.gid = pw->pw_gid;
	s.fds = fds;
	ibuf_writer(&b, buf, sizeof(buf));
	msg_put_start(&b, &s);
	ibuf_frame(&w->parent, MSG_START, &b);
}

static void
launch(void)
{
	int		fds[8], watch[2];
	uint32_t	bits = 0;
	size_t		i;

	fds[0] = peer_pair(&w->parent);
	fds[1] = mount_empty();
	fds[2] = peer_pair(&w->netq);
	fds[3] = peer_pair(&w->proc);
	w->said_len = 0;
	w->prompter.fd = -1;
	fds[4] = setup.no_prompter ? -1 : peer_pair(&w->prompter);
	fds[5] = listener == -1 ? listen_control() : listener;
	if (pipe2(watch, O_CLOEXEC) == -1)
		die("pipe");
	fds[6] = watch[0];
	w->watch = watch[1];
	fds[7] = setup.counters == NULL ? -1 : memfile(setup.counters);
	w->parent.got_fd = -1;
	w->ruled = exec_ruled(fds, 8);
	for (i = 0; i < 8; i++) {
		if (fds[i] == -1)
			continue;
		bits |= 1U << (FD_PARENT + i);
		if (fds[i] != listener)
			(void)close(fds[i]);
	}
	send_start(bits);
	if (!setup.no_host)
		host_tell(&w->proc);
	if (!setup.late_files)
		files_send();
	if (!setup.late_files)
		UNTIL(w->ready);
}

/* A shell's client that lives: what most cases answer. */
static void
usual_program(void)
{
	static const char	args[] = "curl\0-s\0http://x";

	w->is.source = WHO_EVENT;
	w->is.socket = SOCK_CONNECTING;
	w->is.has_uid = 1;
	w->is.uid = 1000;
	w->is.pid = 4711;
	(void)snprintf(w->is.exe, sizeof(w->is.exe), "/usr/bin/curl");
	memcpy(w->is.args, args, sizeof(args));
	w->is.args_len = sizeof(args);
	(void)snprintf(w->is.cwd, sizeof(w->is.cwd), "/home/u");
}

static void
usual_setup(void)
{
	struct msg_start	*s = &setup.start;

	if (s->ask_timeout == 0)
		s->ask_timeout = 60;
	if (s->log_forms == 0)
		s->log_forms = LOGFORM_TEXT;
	if (s->unanswered == 0)
		s->unanswered = ACTION_DENY;
	else if (s->unanswered == ACTION_MAX)
		s->unanswered = ACTION_ALLOW;
	s->deny_mark = 0x10000000;
	s->nresolver = 1;
	if (addr_parse(RESOLVER, &s->resolver[0]) == -1)
		die(RESOLVER);
	(void)snprintf(s->rules, sizeof(s->rules), "/rules");
	(void)snprintf(s->names, sizeof(s->names), "/names");
	(void)snprintf(s->font, sizeof(s->font), "monospace");
}

void
world_start(const char *rules)
{
	(void)signal(SIGPIPE, SIG_IGN);	/* when ruled dies */
	memset(w, 0, sizeof(*w));
	memset(w->verdict, UNJUDGED, sizeof(w->verdict));
	usual_setup();
	usual_program();
	file_set(FILE_RULES, "", rules);
	file_set(FILE_NAMES, "", setup.names);
	file_set(FILE_PASSWD, "", "root:x:0:0::/root:/bin/sh\n"
	    "user:x:1000:1000::/home/u:/bin/sh\n");
	file_set(FILE_RESOLVERS, "", "nameserver 192.0.2.53\n");
	file_set(FILE_TEMPORARY, "", setup.temporary);
	launch();
}

void
world_restart(void)
{
	(void)kill(w->ruled, SIGKILL);
	(void)waitpid(w->ruled, NULL, 0);
	peer_close(&w->parent);
	peer_close(&w->netq);
	peer_close(&w->proc);
	peer_close(&w->prompter);
	(void)close(w->watch);
	w->ready = false;
	w->asks = w->ends = 0;
	setup.start.restarted = 1;
	launch();
}

void
world_end(void)
{
	size_t	i;

	if (w->ruled != 0) {
		(void)kill(w->ruled, SIGKILL);
		(void)waitpid(w->ruled, NULL, 0);
	}
	w->ruled = 0;
	peer_close(&w->parent);
	peer_close(&w->netq);
	peer_close(&w->proc);
	peer_close(&w->prompter);
	for (i = 0; i < w->nclients; i++)
		peer_close(&w->client[i].peer);
	if (w->watch > 0)
		(void)close(w->watch);
	w->watch = 0;
	for (i = 0; i < FILE_KIND_MAX; i++) {
		free(w->committed[i]);
		w->committed[i] = NULL;
	}
	for (i = 0; i < nfiles; i++)
		free(files[i].text);
	nfiles = 0;
	memset(&setup, 0, sizeof(setup));
}
