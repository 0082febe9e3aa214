/*
 * SPDX-License-Identifier: ISC
 *
 * The gate table and the payloads.  Every byte a get function reads may come
 * from a process that was taken over.
 */
#include <string.h>

#include "msg.h"

#define ANY	MSG_PAYLOAD_MAX
#define P	ROLE_PARENT
#define N	ROLE_NETQ
#define I	ROLE_PROCINFO
#define R	ROLE_RULED
#define Q	ROLE_PROMPTER
#define C	ROLE_CTL
#define NONE	GATE_FD_NONE
#define MUST	GATE_FD_MUST
#define MAY	GATE_FD_MAY

static const struct gate gates[] = {
	/* type		from to	min	max	fd	once	answers	open */
	{ MSG_START,	P, N,	32,	ANY,	NONE,	true,	0,	0 },
	{ MSG_START,	P, I,	32,	ANY,	NONE,	true,	0,	0 },
	{ MSG_START,	P, R,	32,	ANY,	NONE,	true,	0,	0 },
	{ MSG_START,	P, Q,	32,	ANY,	NONE,	true,	0,	0 },
	{ MSG_FD,	P, N,	1,	1,	MUST,	false,	0,	0 },
	{ MSG_FD,	P, I,	1,	1,	MUST,	false,	0,	0 },
	{ MSG_FD,	P, R,	1,	1,	MUST,	false,	0,	0 },
	{ MSG_FD,	P, Q,	1,	1,	MUST,	false,	0,	0 },
	{ MSG_READY,	N, P,	3,	258,	NONE,	true,	0,	0 },
	{ MSG_READY,	I, P,	3,	258,	NONE,	true,	0,	0 },
	{ MSG_READY,	R, P,	3,	258,	NONE,	true,	0,	0 },
	{ MSG_READY,	Q, P,	3,	258,	NONE,	true,	0,	0 },
	{ MSG_LOG,	N, P,	2,	ANY,	NONE,	false,	0,	0 },
	{ MSG_LOG,	I, P,	2,	ANY,	NONE,	false,	0,	0 },
	{ MSG_LOG,	R, P,	2,	ANY,	NONE,	false,	0,	0 },
	{ MSG_LOG,	Q, P,	2,	ANY,	NONE,	false,	0,	0 },
	/* Once for each link to a peer, and ruled has three of them. */
	{ MSG_BAD,	N, P,	8,	263,	NONE,	false,	0,	1 },
	{ MSG_BAD,	I, P,	8,	263,	NONE,	false,	0,	1 },
	{ MSG_BAD,	R, P,	8,	263,	NONE,	false,	0,	3 },
	{ MSG_BAD,	Q, P,	8,	263,	NONE,	false,	0,	1 },
	{ MSG_PEER,	P, N,	1,	1,	MUST,	false,	MSG_BAD, 0 },
	{ MSG_PEER,	P, I,	1,	1,	MUST,	false,	MSG_BAD, 0 },
	{ MSG_PEER,	P, R,	1,	1,	MUST,	false,	MSG_BAD, 0 },
	{ MSG_PEER,	P, Q,	1,	1,	MUST,	false,	MSG_BAD, 0 },
	{ MSG_DO,	P, R,	1,	1,	NONE,	false,	0,	0 },
	{ MSG_CHILD,	P, R,	15,	333,	NONE,	false,	0,	0 },
	{ MSG_TABLE,	N, P,	0,	0,	NONE,	false,	0,	0 },
	{ MSG_LOST,	I, P,	1,	1,	NONE,	false,	0,	0 },
	{ MSG_EVENT,	P, I,	12,	12,	MUST,	false,	0,	0 },
	{ MSG_DENIED,	I, P,	12,	12,	NONE,	false,	0,	0 },
	{ MSG_OPEN,	R, P,	4,	ANY,	NONE,	false,	0,	1 },
	{ MSG_FILE,	P, R,	50,	ANY,	MAY,	false,	MSG_OPEN, 0 },
	{ MSG_COMMIT,	R, P,	41,	41,	MUST,	false,	0,	1 },
	{ MSG_COMMITTED, P, R,	45,	45,	NONE,	false,	MSG_COMMIT, 0 },
	{ MSG_PACKETS,	N, R,	9,	ANY,	NONE,	false,	0,	0 },
	{ MSG_VERDICTS,	R, N,	0,	ANY,	NONE,	false,	0,	0 },
	{ MSG_WHO,	R, I,	2,	ANY,	NONE,	false,	0,	0 },
	{ MSG_WHOIS,	I, R,	30,	ANY,	NONE,	false,	0,	0 },
	{ MSG_WHOIS_SAME, I, R,	8,	ANY,	NONE,	false,	0,	0 },
	{ MSG_HOST,	I, R,	9,	40,	NONE,	false,	0,	0 },
	{ MSG_SOURCES,	I, R,	1,	1,	NONE,	false,	0,	0 },
	{ MSG_ASK,	R, Q,	64,	ANY,	NONE,	false,	0,	0 },
	{ MSG_ASK,	R, C,	64,	ANY,	NONE,	false,	0,	0 },
	{ MSG_ASK_END,	R, Q,	4,	4,	NONE,	false,	0,	0 },
	{ MSG_ASK_END,	R, C,	4,	4,	NONE,	false,	0,	0 },
	{ MSG_ANSWER,	Q, R,	7,	7,	NONE,	false,	0,	0 },
	{ MSG_ANSWER,	C, R,	7,	7,	NONE,	false,	0,	0 },
	{ MSG_CTL,	C, R,	11,	ANY,	NONE,	true,	0,	0 },
	{ MSG_CTL_REPLY, R, C,	2,	ANY,	NONE,	false,	0,	0 },
};

#undef P
#undef N
#undef I
#undef R
#undef Q
#undef C
#undef NONE
#undef MUST
#undef MAY

static const char *const msg_names[MSG_TYPE_MAX] = {
	[MSG_START] = "MSG_START",
	[MSG_READY] = "MSG_READY",
	[MSG_LOG] = "MSG_LOG",
	[MSG_BAD] = "MSG_BAD",
	[MSG_PEER] = "MSG_PEER",
	[MSG_DO] = "MSG_DO",
	[MSG_TABLE] = "MSG_TABLE",
	[MSG_LOST] = "MSG_LOST",
	[MSG_EVENT] = "MSG_EVENT",
	[MSG_DENIED] = "MSG_DENIED",
	[MSG_OPEN] = "MSG_OPEN",
	[MSG_FILE] = "MSG_FILE",
	[MSG_COMMIT] = "MSG_COMMIT",
	[MSG_COMMITTED] = "MSG_COMMITTED",
	[MSG_PACKETS] = "MSG_PACKETS",
	[MSG_VERDICTS] = "MSG_VERDICTS",
	[MSG_WHO] = "MSG_WHO",
	[MSG_WHOIS] = "MSG_WHOIS",
	[MSG_HOST] = "MSG_HOST",
	[MSG_ASK] = "MSG_ASK",
	[MSG_ASK_END] = "MSG_ASK_END",
	[MSG_ANSWER] = "MSG_ANSWER",
	[MSG_CTL] = "MSG_CTL",
	[MSG_CTL_REPLY] = "MSG_CTL_REPLY",
	[MSG_SOURCES] = "MSG_SOURCES",
	[MSG_CHILD] = "MSG_CHILD",
	[MSG_FD] = "MSG_FD",
	[MSG_WHOIS_SAME] = "MSG_WHOIS_SAME",
};

const struct gate *
gate_find(uint32_t type, enum role from, enum role to)
{
	size_t	i;

	for (i = 0; i < sizeof(gates) / sizeof(gates[0]); i++)
		if (gates[i].type == type && gates[i].from == from &&
		    gates[i].to == to)
			return &gates[i];
	return NULL;
}

const char *
msg_name(uint32_t type)
{
	if (type == 0 || type >= MSG_TYPE_MAX)
		return "unknown";
	return msg_names[type];
}

const char *
role_name(enum role role)
{
	static const char *const names[ROLE_MAX] = { "parent", "netq",
	    "procinfo", "ruled", "prompter", "tinysnitchctl" };

	return (unsigned)role < ROLE_MAX ? names[role] : "unknown";
}

const char *
action_name(enum action action)
{
	static const char *const names[ACTION_MAX] = { "allow", "deny",
	    "drop" };

	return (unsigned)action < ACTION_MAX ? names[action] : "unknown";
}

const char *
direction_name(enum direction dir)
{
	static const char *const names[DIR_MAX] = { "out", "in", "forward" };

	return (unsigned)dir < DIR_MAX ? names[dir] : "unknown";
}

const char *
who_source_name(enum who_source source)
{
	static const char *const names[WHO_SOURCE_MAX] = { "unknown", "kernel",
	    "event", "tuple", "socket" };

	return (unsigned)source < WHO_SOURCE_MAX ? names[source] : "unknown";
}

const char *
duration_name(enum duration d)
{
	static const char *const names[DURATION_MAX] = { "once", "1-minute",
	    "3-minutes", "9-minutes", "24-hours", "forever" };

	return (unsigned)d < DURATION_MAX ? names[d] : "unknown";
}

uint32_t
duration_seconds(enum duration d)
{
	static const uint32_t seconds[DURATION_MAX] = { 0, 60, 180, 540, 86400,
	    0 };

	return (unsigned)d < DURATION_MAX ? seconds[d] : 0;
}

/* A yes or no: one byte, nothing but 0 and 1. */
static uint8_t
get_bool(struct ibuf *b)
{
	return ibuf_get_enum(b, 1);
}

void
msg_put_start(struct ibuf *b, const struct msg_start *m)
{
	size_t	i;

	ibuf_put_u32(b, m->uid);
	ibuf_put_u32(b, m->gid);
	ibuf_put_u32(b, m->fds);
	ibuf_put_u8(b, m->restarted);
	ibuf_put_u8(b, m->verbose);
	ibuf_put_u16(b, m->queue);
	ibuf_put_u8(b, m->form);
	ibuf_put_u32(b, m->deny_mark);
	ibuf_put_u32(b, m->judged_mark);
	ibuf_put_u8(b, m->unanswered);
	ibuf_put_u8(b, m->loopback_filter);
	ibuf_put_u8(b, m->frames_warn);
	ibuf_put_u32(b, m->ask_timeout);
	ibuf_put_u32(b, m->ask_delay);
	ibuf_put_u8(b, m->ask_synthetic);
	ibuf_put_u8(b, m->log_forms);
	ibuf_put_u8(b, m->resolver_auto);
	ibuf_put_u8(b, m->nresolver);
	for (i = 0; i < m->nresolver; i++)
		ibuf_put_addr(b, &m->resolver[i]);
	ibuf_put_str(b, m->rules);
	ibuf_put_str(b, m->names);
	ibuf_put_str(b, m->font);
	ibuf_put_u16(b, m->font_size);
	ibuf_put_u8(b, m->theme);
	ibuf_put_str(b, m->xauth_name);
	ibuf_put_u8(b, m->xauth_len);
	ibuf_put_data(b, m->xauth, m->xauth_len);
	ibuf_put_u8(b, m->xscreen);
}

int
msg_get_start(struct ibuf *b, struct msg_start *m)
{
	size_t	i;

	memset(m, 0, sizeof(*m));
	m->uid = ibuf_get_u32(b);
	m->gid = ibuf_get_u32(b);
	m->fds = ibuf_get_u32(b);
	m->restarted = get_bool(b);
	m->verbose = get_bool(b);
	m->queue = ibuf_get_u16(b);
	m->form = ibuf_get_enum(b, FW_MAX - 1);
	m->deny_mark = ibuf_get_u32(b);
	m->judged_mark = ibuf_get_u32(b);
	m->unanswered = ibuf_get_enum(b, ACTION_MAX - 1);
	m->loopback_filter = get_bool(b);
	m->frames_warn = get_bool(b);
	m->ask_timeout = ibuf_get_u32(b);
	m->ask_delay = ibuf_get_u32(b);
	m->ask_synthetic = get_bool(b);
	m->log_forms = ibuf_get_enum(b,
	    LOGFORM_TEXT | LOGFORM_JSON | LOGFORM_JOURNAL);
	m->resolver_auto = get_bool(b);
	m->nresolver = ibuf_get_enum(b, RESOLVERS_MAX);
	for (i = 0; i < m->nresolver; i++)
		ibuf_get_addr(b, &m->resolver[i]);
	ibuf_get_str(b, m->rules, sizeof(m->rules));
	ibuf_get_str(b, m->names, sizeof(m->names));
	ibuf_get_str(b, m->font, sizeof(m->font));
	m->font_size = ibuf_get_u16(b);
	m->theme = ibuf_get_enum(b, THEME_MAX - 1);
	ibuf_get_str(b, m->xauth_name, sizeof(m->xauth_name));
	m->xauth_len = ibuf_get_enum(b, sizeof(m->xauth));
	ibuf_get_some(b, m->xauth, m->xauth_len);
	m->xscreen = ibuf_get_u8(b);
	return ibuf_done(b);
}

void
msg_put_ready(struct ibuf *b, const struct msg_ready *m)
{
	ibuf_put_str(b, m->missing);
}

int
msg_get_ready(struct ibuf *b, struct msg_ready *m)
{
	memset(m, 0, sizeof(*m));
	ibuf_get_str(b, m->missing, sizeof(m->missing));
	return ibuf_done(b);
}

void
msg_put_log(struct ibuf *b, const struct msg_log *m)
{
	ibuf_put_u8(b, m->level);
	ibuf_put_u8(b, m->form);
	ibuf_put_data(b, m->text, m->len);
}

int
msg_get_log(struct ibuf *b, struct msg_log *m)
{
	memset(m, 0, sizeof(*m));
	m->level = ibuf_get_enum(b, LEVEL_MAX - 1);
	m->form = ibuf_get_enum(b, LOGFORM_JOURNAL);
	if (m->form != 0 && m->form != LOGFORM_TEXT &&
	    m->form != LOGFORM_JSON && m->form != LOGFORM_JOURNAL)
		b->err = true;
	m->len = ibuf_left(b);
	m->text = (const char *)ibuf_get_ptr(b, m->len);
	return ibuf_done(b);
}

void
msg_put_bad(struct ibuf *b, const struct msg_bad *m)
{
	ibuf_put_u8(b, m->peer);
	ibuf_put_u32(b, m->type);
	ibuf_put_str(b, m->reason);
}

int
msg_get_bad(struct ibuf *b, struct msg_bad *m)
{
	memset(m, 0, sizeof(*m));
	m->peer = ibuf_get_enum(b, ROLE_MAX - 1);
	m->type = ibuf_get_u32(b);
	ibuf_get_str(b, m->reason, sizeof(m->reason));
	return ibuf_done(b);
}

void
msg_put_peer(struct ibuf *b, const struct msg_peer *m)
{
	ibuf_put_u8(b, m->peer);
}

int
msg_get_peer(struct ibuf *b, struct msg_peer *m)
{
	m->peer = ibuf_get_enum(b, ROLE_MAX - 1);
	return ibuf_done(b);
}

void
msg_put_fd(struct ibuf *b, const struct msg_fd *m)
{
	ibuf_put_u8(b, m->number);
}

int
msg_get_fd(struct ibuf *b, struct msg_fd *m)
{
	m->number = ibuf_get_enum(b, FD_CHILD_MAX - 1);
	return ibuf_done(b);
}

void
msg_put_do(struct ibuf *b, const struct msg_do *m)
{
	ibuf_put_u8(b, m->what);
}

int
msg_get_do(struct ibuf *b, struct msg_do *m)
{
	m->what = ibuf_get_enum(b, DO_MAX - 1);
	return ibuf_done(b);
}

void
msg_put_lost(struct ibuf *b, const struct msg_lost *m)
{
	ibuf_put_u8(b, m->why);
}

int
msg_get_lost(struct ibuf *b, struct msg_lost *m)
{
	m->why = ibuf_get_enum(b, LOST_MAX - 1);
	return ibuf_done(b);
}

void
msg_put_event(struct ibuf *b, const struct msg_event *m)
{
	ibuf_put_u8(b, m->kind);
	ibuf_put_u16(b, m->cpu);
	ibuf_put_u8(b, m->last);
	ibuf_put_u64(b, m->id);
}

int
msg_get_event(struct ibuf *b, struct msg_event *m)
{
	memset(m, 0, sizeof(*m));
	m->kind = ibuf_get_enum(b, EVENT_MAX - 1);
	m->cpu = ibuf_get_u16(b);
	m->last = get_bool(b);
	m->id = ibuf_get_u64(b);
	return ibuf_done(b);
}

uint64_t
event_route_put(const struct event_route *r)
{
	return (uint64_t)r->family << 40 | (uint64_t)r->src << 32 |
	    (uint64_t)r->dst << 24 | (uint64_t)r->sport << 16 |
	    (uint64_t)r->dport << 8 | r->proto;
}

static void
reach(struct event_route *r, uint8_t offset, uint8_t size)
{
	/* Offsets are below 128, so that this fits. */
	if (offset + size > r->end)
		r->end = (uint8_t)(offset + size);
}

void
event_route_get(uint64_t id, struct event_route *r)
{
	uint8_t	size;

	r->family = (id >> 40 & 0xff) == 4 ? 4 : 6;
	r->src = id >> 32 & 0x7f;
	r->dst = id >> 24 & 0x7f;
	r->sport = id >> 16 & 0x7f;
	r->dport = id >> 8 & 0x7f;
	r->proto = id & 0x7f;
	r->end = 0;
	size = r->family == 4 ? 4 : 16;
	reach(r, r->src, size);
	reach(r, r->dst, size);
	reach(r, r->sport, 2);
	reach(r, r->dport, 2);
	reach(r, r->proto, 1);
}

void
msg_put_sources(struct ibuf *b, const struct msg_sources *m)
{
	ibuf_put_u8(b, m->on);
}

int
msg_get_sources(struct ibuf *b, struct msg_sources *m)
{
	m->on = ibuf_get_enum(b, SOURCE_ALL);
	return ibuf_done(b);
}

void
msg_put_denied(struct ibuf *b, const struct msg_denied *m)
{
	ibuf_put_u32(b, m->pid);
	ibuf_put_u32(b, m->arch);
	ibuf_put_u32(b, m->number);
}

int
msg_get_denied(struct ibuf *b, struct msg_denied *m)
{
	m->pid = ibuf_get_u32(b);
	m->arch = ibuf_get_u32(b);
	m->number = ibuf_get_u32(b);
	return ibuf_done(b);
}

void
msg_put_child(struct ibuf *b, const struct msg_child *m)
{
	ibuf_put_u8(b, m->role);
	ibuf_put_u32(b, m->restarts);
	ibuf_put_u32(b, m->violations);
	ibuf_put_str(b, m->denied);
	ibuf_put_str(b, m->missing);
}

int
msg_get_child(struct ibuf *b, struct msg_child *m)
{
	memset(m, 0, sizeof(*m));
	m->role = ibuf_get_enum(b, ROLE_PROMPTER);
	m->restarts = ibuf_get_u32(b);
	m->violations = ibuf_get_u32(b);
	ibuf_get_str(b, m->denied, sizeof(m->denied));
	ibuf_get_str(b, m->missing, sizeof(m->missing));
	return ibuf_done(b);
}

void
msg_put_open(struct ibuf *b, const struct msg_open *m)
{
	ibuf_put_u8(b, m->kind);
	ibuf_put_str(b, m->path);
}

int
msg_get_open(struct ibuf *b, struct msg_open *m)
{
	memset(m, 0, sizeof(*m));
	m->kind = ibuf_get_enum(b, FILE_KIND_MAX - 1);
	ibuf_get_str(b, m->path, sizeof(m->path));
	return ibuf_done(b);
}

static void
put_version(struct ibuf *b, const struct file_version *v)
{
	ibuf_put_u64(b, v->dev);
	ibuf_put_u64(b, v->ino);
	ibuf_put_u64(b, v->size);
	ibuf_put_u64(b, v->mtime_ns);
	ibuf_put_u64(b, v->ctime_ns);
}

static void
get_version(struct ibuf *b, struct file_version *v)
{
	v->dev = ibuf_get_u64(b);
	v->ino = ibuf_get_u64(b);
	v->size = ibuf_get_u64(b);
	v->mtime_ns = ibuf_get_u64(b);
	v->ctime_ns = ibuf_get_u64(b);
}

void
msg_put_file(struct ibuf *b, const struct msg_file *m)
{
	size_t	i;

	ibuf_put_u8(b, m->kind);
	ibuf_put_u32(b, m->err);
	ibuf_put_u8(b, m->part);
	put_version(b, &m->version);
	ibuf_put_str(b, m->path);
	ibuf_put_u8(b, m->nwatch);
	for (i = 0; i < m->nwatch; i++) {
		ibuf_put_u32(b, (uint32_t)m->watch[i].wd);
		ibuf_put_str(b, m->watch[i].name);
	}
}

int
msg_get_file(struct ibuf *b, struct msg_file *m)
{
	size_t	i;

	memset(m, 0, sizeof(*m));
	m->kind = ibuf_get_enum(b, FILE_KIND_MAX - 1);
	m->err = ibuf_get_u32(b);
	m->part = get_bool(b);
	get_version(b, &m->version);
	ibuf_get_str(b, m->path, sizeof(m->path));
	m->nwatch = ibuf_get_enum(b, WATCHES_PER_FILE);
	for (i = 0; i < m->nwatch; i++) {
		m->watch[i].wd = (int32_t)ibuf_get_u32(b);
		ibuf_get_str(b, m->watch[i].name, sizeof(m->watch[i].name));
	}
	return ibuf_done(b);
}

void
msg_put_commit(struct ibuf *b, const struct msg_commit *m)
{
	ibuf_put_u8(b, m->kind);
	put_version(b, &m->version);
}

int
msg_get_commit(struct ibuf *b, struct msg_commit *m)
{
	memset(m, 0, sizeof(*m));
	m->kind = ibuf_get_enum(b, FILE_NAMES);
	get_version(b, &m->version);
	return ibuf_done(b);
}

void
msg_put_committed(struct ibuf *b, const struct msg_committed *m)
{
	ibuf_put_u8(b, m->kind);
	ibuf_put_u32(b, m->err);
	put_version(b, &m->version);
}

int
msg_get_committed(struct ibuf *b, struct msg_committed *m)
{
	memset(m, 0, sizeof(*m));
	m->kind = ibuf_get_enum(b, FILE_NAMES);
	m->err = ibuf_get_u32(b);
	get_version(b, &m->version);
	return ibuf_done(b);
}

void
msg_put_packets_head(struct ibuf *b, const struct msg_packets_head *m)
{
	ibuf_put_u8(b, m->empty);
	ibuf_put_u64(b, m->time);
}

int
msg_get_packets_head(struct ibuf *b, struct msg_packets_head *m)
{
	m->empty = get_bool(b);
	m->time = ibuf_get_u64(b);
	return b->err ? -1 : 0;
}

void
msg_put_packet(struct ibuf *b, const struct msg_packet *m)
{
	ibuf_put_u32(b, m->id);
	ibuf_put_u64(b, m->number);
	ibuf_put_u8(b, m->hook);
	ibuf_put_u8(b, m->af);
	ibuf_put_u8(b, m->flags);
	ibuf_put_u32(b, m->uid);
	ibuf_put_u32(b, m->mark);
	ibuf_put_u32(b, m->indev);
	ibuf_put_u32(b, m->outdev);
	ibuf_put_u32(b, m->full_len);
	ibuf_put_u16(b, m->len);
	ibuf_put_data(b, m->data, m->len);
}

int
msg_get_packet(struct ibuf *b, struct msg_packet *m)
{
	memset(m, 0, sizeof(*m));
	m->id = ibuf_get_u32(b);
	m->number = ibuf_get_u64(b);
	m->hook = ibuf_get_u8(b);
	if (m->hook < HOOK_IN || m->hook >= HOOK_MAX)
		b->err = true;
	m->af = ibuf_get_u8(b);
	if (m->af != 0 && addr_size(m->af) == 0)
		b->err = true;
	m->flags = ibuf_get_enum(b, PACKET_HAS_UID);
	m->uid = ibuf_get_u32(b);
	m->mark = ibuf_get_u32(b);
	m->indev = ibuf_get_u32(b);
	m->outdev = ibuf_get_u32(b);
	m->full_len = ibuf_get_u32(b);
	m->len = ibuf_get_u16(b);
	if (m->len > COPY_RANGE || m->len > m->full_len)
		b->err = true;
	m->data = ibuf_get_ptr(b, m->len);
	return b->err ? -1 : 0;
}

void
msg_put_verdict(struct ibuf *b, const struct msg_verdict *m)
{
	ibuf_put_u32(b, m->id);
	ibuf_put_u8(b, m->verdict);
	ibuf_put_u32(b, m->mark);
}

int
msg_get_verdict(struct ibuf *b, struct msg_verdict *m)
{
	memset(m, 0, sizeof(*m));
	m->id = ibuf_get_u32(b);
	m->verdict = ibuf_get_enum(b, ACTION_MAX - 1);
	m->mark = ibuf_get_u32(b);
	return b->err ? -1 : 0;
}

static void
put_tuple(struct ibuf *b, const struct tuple *t)
{
	ibuf_put_addr(b, &t->src);
	ibuf_put_addr(b, &t->dst);
	ibuf_put_u8(b, t->proto);
	ibuf_put_u16(b, t->sport);
	ibuf_put_u16(b, t->dport);
}

static void
get_tuple(struct ibuf *b, struct tuple *t)
{
	ibuf_get_addr(b, &t->src);
	ibuf_get_addr(b, &t->dst);
	if (t->src.af != t->dst.af)
		b->err = true;
	t->proto = ibuf_get_u8(b);
	t->sport = ibuf_get_u16(b);
	t->dport = ibuf_get_u16(b);
}

void
msg_put_who_head(struct ibuf *b, const struct msg_who_head *m)
{
	ibuf_put_u8(b, m->urgent);
}

int
msg_get_who_head(struct ibuf *b, struct msg_who_head *m)
{
	m->urgent = get_bool(b);
	return b->err ? -1 : 0;
}

void
msg_put_who(struct ibuf *b, const struct msg_who *m)
{
	ibuf_put_u64(b, m->number);
	ibuf_put_u8(b, m->hook);
	ibuf_put_u8(b, m->flags);
	ibuf_put_u32(b, m->uid);
	ibuf_put_u64(b, m->time);
	put_tuple(b, &m->tuple);
}

int
msg_get_who(struct ibuf *b, struct msg_who *m)
{
	memset(m, 0, sizeof(*m));
	m->number = ibuf_get_u64(b);
	m->hook = ibuf_get_u8(b);
	if (m->hook < HOOK_IN || m->hook >= HOOK_MAX)
		b->err = true;
	m->flags = ibuf_get_enum(b, PACKET_HAS_UID | WHO_QUIET);
	m->uid = ibuf_get_u32(b);
	m->time = ibuf_get_u64(b);
	get_tuple(b, &m->tuple);
	return b->err ? -1 : 0;
}

void
msg_put_whois(struct ibuf *b, const struct whois *m)
{
	size_t	i;

	ibuf_put_u64(b, m->number);
	ibuf_put_u8(b, m->source);
	ibuf_put_u8(b, m->socket);
	ibuf_put_u8(b, m->has_uid);
	ibuf_put_u32(b, m->uid);
	ibuf_put_u32(b, m->pid);
	ibuf_put_u64(b, m->start);
	ibuf_put_str(b, m->exe);
	ibuf_put_u16(b, m->args_len);
	ibuf_put_data(b, m->args, m->args_len);
	ibuf_put_u8(b, m->args_cut);
	ibuf_put_str(b, m->cwd);
	ibuf_put_str(b, m->unit);
	ibuf_put_u8(b, m->nparents);
	for (i = 0; i < m->nparents; i++) {
		ibuf_put_u32(b, m->parent[i].pid);
		ibuf_put_str(b, m->parent[i].exe);
	}
}

/* Arguments are strings, each with its NUL: the last byte must be one. */
static uint16_t
get_args(struct ibuf *b, char *args, size_t size)
{
	uint16_t	len = ibuf_get_u16(b);

	if (len > size) {
		b->err = true;
		return 0;
	}
	ibuf_get_some(b, args, len);
	if (b->err || (len > 0 && args[len - 1] != '\0')) {
		b->err = true;
		return 0;
	}
	return len;
}

int
msg_get_whois(struct ibuf *b, struct whois *m)
{
	size_t	i;

	/* Each field is set; to clear ten kilobytes first would cost more. */
	m->number = ibuf_get_u64(b);
	m->source = ibuf_get_enum(b, WHO_SOURCE_MAX - 1);
	m->socket = ibuf_get_enum(b, SOCK_STATE_MAX - 1);
	m->has_uid = get_bool(b);
	m->uid = ibuf_get_u32(b);
	m->pid = ibuf_get_u32(b);
	m->start = ibuf_get_u64(b);
	ibuf_get_str(b, m->exe, sizeof(m->exe));
	m->args_len = get_args(b, m->args, sizeof(m->args));
	m->args_cut = get_bool(b);
	ibuf_get_str(b, m->cwd, sizeof(m->cwd));
	ibuf_get_str(b, m->unit, sizeof(m->unit));
	m->nparents = ibuf_get_enum(b, PARENTS_MAX);
	for (i = 0; i < m->nparents; i++) {
		m->parent[i].pid = ibuf_get_u32(b);
		ibuf_get_str(b, m->parent[i].exe, sizeof(m->parent[i].exe));
	}
	return ibuf_done(b);
}

void
msg_put_same(struct ibuf *b, const struct msg_same *m)
{
	ibuf_put_u64(b, m->number);
}

int
msg_get_same(struct ibuf *b, struct msg_same *m)
{
	m->number = ibuf_get_u64(b);
	return b->err ? -1 : 0;
}

void
msg_put_host(struct ibuf *b, const struct msg_host *m)
{
	ibuf_put_u8(b, m->what);
	ibuf_put_addr(b, &m->addr);
	ibuf_put_u32(b, m->ifindex);
	ibuf_put_str(b, m->ifname);
}

int
msg_get_host(struct ibuf *b, struct msg_host *m)
{
	memset(m, 0, sizeof(*m));
	m->what = ibuf_get_enum(b, HOST_MAX - 1);
	ibuf_get_addr(b, &m->addr);
	m->ifindex = ibuf_get_u32(b);
	ibuf_get_str(b, m->ifname, sizeof(m->ifname));
	return ibuf_done(b);
}

static void
put_ask_names(struct ibuf *b, const struct msg_ask *m)
{
	size_t	i;

	ibuf_put_u8(b, m->nnames);
	for (i = 0; i < m->nnames; i++)
		ibuf_put_str(b, m->name[i]);
	ibuf_put_u32(b, m->shared);
	ibuf_put_str(b, m->name_source);
}

static void
get_ask_names(struct ibuf *b, struct msg_ask *m)
{
	size_t	i;

	m->nnames = ibuf_get_enum(b, ASK_NAMES_MAX);
	for (i = 0; i < m->nnames; i++)
		ibuf_get_str(b, m->name[i], sizeof(m->name[i]));
	m->shared = ibuf_get_u32(b);
	ibuf_get_str(b, m->name_source, sizeof(m->name_source));
}

void
msg_put_ask(struct ibuf *b, const struct msg_ask *m)
{
	size_t	i;

	ibuf_put_u32(b, m->question);
	ibuf_put_u8(b, m->direction);
	put_tuple(b, &m->tuple);
	put_ask_names(b, m);
	ibuf_put_u8(b, m->source);
	ibuf_put_u32(b, m->pid);
	ibuf_put_str(b, m->exe);
	ibuf_put_u16(b, m->args_len);
	ibuf_put_data(b, m->args, m->args_len);
	ibuf_put_u8(b, m->args_cut);
	ibuf_put_str(b, m->cwd);
	ibuf_put_str(b, m->user);
	ibuf_put_str(b, m->unit);
	ibuf_put_str(b, m->parents);
	ibuf_put_u64(b, m->age_ms);
	ibuf_put_u32(b, m->held);
	ibuf_put_u32(b, m->more);
	ibuf_put_u32(b, m->left_ms);
	ibuf_put_u8(b, m->nlines);
	for (i = 0; i < m->nlines; i++) {
		ibuf_put_u8(b, m->line[i].mask);
		ibuf_put_str(b, m->line[i].text);
	}
}

int
msg_get_ask(struct ibuf *b, struct msg_ask *m)
{
	size_t	i;

	memset(m, 0, sizeof(*m));
	m->question = ibuf_get_u32(b);
	m->direction = ibuf_get_enum(b, DIR_MAX - 1);
	get_tuple(b, &m->tuple);
	get_ask_names(b, m);
	m->source = ibuf_get_enum(b, WHO_SOURCE_MAX - 1);
	m->pid = ibuf_get_u32(b);
	ibuf_get_str(b, m->exe, sizeof(m->exe));
	m->args_len = get_args(b, m->args, sizeof(m->args));
	m->args_cut = get_bool(b);
	ibuf_get_str(b, m->cwd, sizeof(m->cwd));
	ibuf_get_str(b, m->user, sizeof(m->user));
	ibuf_get_str(b, m->unit, sizeof(m->unit));
	ibuf_get_str(b, m->parents, sizeof(m->parents));
	m->age_ms = ibuf_get_u64(b);
	m->held = ibuf_get_u32(b);
	m->more = ibuf_get_u32(b);
	m->left_ms = ibuf_get_u32(b);
	m->nlines = ibuf_get_enum(b, ASK_LINES_MAX);
	if (m->nlines == 0)
		b->err = true;
	for (i = 0; i < m->nlines; i++) {
		m->line[i].mask = ibuf_get_enum(b, ASK_MASK_ALL);
		ibuf_get_str(b, m->line[i].text, sizeof(m->line[i].text));
	}
	if (m->line[0].mask != 0)
		b->err = true;
	return ibuf_done(b);
}

void
msg_put_ask_end(struct ibuf *b, const struct msg_ask_end *m)
{
	ibuf_put_u32(b, m->question);
}

int
msg_get_ask_end(struct ibuf *b, struct msg_ask_end *m)
{
	m->question = ibuf_get_u32(b);
	return ibuf_done(b);
}

void
msg_put_answer(struct ibuf *b, const struct msg_answer *m)
{
	ibuf_put_u32(b, m->question);
	ibuf_put_u8(b, m->line);
	ibuf_put_u8(b, m->action);
	ibuf_put_u8(b, m->duration);
}

int
msg_get_answer(struct ibuf *b, struct msg_answer *m)
{
	memset(m, 0, sizeof(*m));
	m->question = ibuf_get_u32(b);
	m->line = ibuf_get_enum(b, ASK_LINES_MAX - 1);
	m->action = ibuf_get_enum(b, ACTION_DENY);
	m->duration = ibuf_get_enum(b, DURATION_MAX - 1);
	return ibuf_done(b);
}

void
msg_put_ctl(struct ibuf *b, const struct msg_ctl *m)
{
	ibuf_put_u32(b, m->version);
	ibuf_put_u8(b, m->json);
	ibuf_put_str(b, m->command);
	ibuf_put_str(b, m->text);
}

int
msg_get_ctl(struct ibuf *b, struct msg_ctl *m)
{
	memset(m, 0, sizeof(*m));
	m->version = ibuf_get_u32(b);
	m->json = get_bool(b);
	ibuf_get_str(b, m->command, sizeof(m->command));
	ibuf_get_str(b, m->text, sizeof(m->text));
	return ibuf_done(b);
}

void
msg_put_ctl_reply(struct ibuf *b, const struct msg_ctl_reply *m)
{
	ibuf_put_u8(b, m->status);
	ibuf_put_u8(b, m->more);
	ibuf_put_data(b, m->text, m->len);
}

int
msg_get_ctl_reply(struct ibuf *b, struct msg_ctl_reply *m)
{
	memset(m, 0, sizeof(*m));
	m->status = get_bool(b);
	m->more = get_bool(b);
	m->len = ibuf_left(b);
	m->text = (const char *)ibuf_get_ptr(b, m->len);
	return ibuf_done(b);
}
