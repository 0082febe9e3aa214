/*
 * SPDX-License-Identifier: ISC
 *
 * See execrec.h.  All records end in their time: the events were opened with
 * sample_id_all and PERF_SAMPLE_TIME alone.  Samples have PERF_SAMPLE_TID,
 * PERF_SAMPLE_TIME and, where the kernel knows it, PERF_SAMPLE_CGROUP.
 */
#include <linux/perf_event.h>
#include <string.h>

#include "execrec.h"

#define TIME_SIZE	8
#define SAMPLE_TIME	16	/* where a sample has it */
#define MAP_SIZE	72	/* header and body before the path */
#define NS_SIZE		24	/* header and body before the namespaces */
#define NS_ONE		16

static uint32_t
get32(const uint8_t *p)
{
	uint32_t	 n;

	memcpy(&n, p, sizeof(n));
	return n;
}

static uint64_t
get64(const uint8_t *p)
{
	uint64_t	 n;

	memcpy(&n, p, sizeof(n));
	return n;
}

size_t
execrec_time_at(uint32_t type, size_t len)
{
	size_t	 at = type == PERF_RECORD_SAMPLE ? SAMPLE_TIME :
		    sizeof(struct perf_event_header);

	if (len < at + TIME_SIZE)
		return 0;
	return type == PERF_RECORD_SAMPLE ? at : len - TIME_SIZE;
}

uint64_t
execrec_time(const void *rec, size_t len)
{
	struct perf_event_header	 h;
	size_t				 at;

	if (len < sizeof(h))
		return 0;
	memcpy(&h, rec, sizeof(h));
	at = execrec_time_at(h.type, len);
	return at == 0 ? 0 : get64((const uint8_t *)rec + at);
}

/* pid, ppid, tid, ptid, time; of threads but the first it is no news. */
static int
get_task(const uint8_t *p, size_t len, enum execrec_kind kind,
    struct execrec *r)
{
	if (len < 8 + 16 + 8 + TIME_SIZE)
		return -1;
	r->pid = get32(p + 8);
	r->ppid = get32(p + 12);
	r->thread = r->pid != get32(p + 16);
	r->kind = r->thread ? EXECREC_OTHER : kind;
	return 0;
}

/* pid, tid, name; only that of an execve counts. */
static int
get_comm(const uint8_t *p, size_t len, uint16_t misc, struct execrec *r)
{
	if (len < 8 + 8 + TIME_SIZE)
		return -1;
	r->pid = get32(p + 8);
	if (misc & PERF_RECORD_MISC_COMM_EXEC)
		r->kind = EXECREC_EXEC;
	return 0;
}

/*
 * pid, tid, address, length, offset, the file's device, number and
 * generation, protection, flags, path.  Anonymous memory has no number.
 */
static int
get_map(const uint8_t *p, size_t len, uint16_t misc, struct execrec *r)
{
	size_t	 room;

	if (len <= MAP_SIZE + TIME_SIZE)
		return -1;
	room = len - MAP_SIZE - TIME_SIZE;
	r->path = (const char *)p + MAP_SIZE;
	if (memchr(r->path, '\0', room) == NULL)
		return -1;
	r->pid = get32(p + 8);
	r->file.major = get32(p + 40);
	r->file.minor = get32(p + 44);
	r->file.ino = get64(p + 48);
	/* With a build id in the place of the number nothing is known. */
	if (r->file.ino != 0 && (misc & PERF_RECORD_MISC_MMAP_BUILD_ID) == 0)
		r->kind = EXECREC_MAP;
	return 0;
}

/* pid, tid, how many, then device and number of each namespace. */
static int
get_spaces(const uint8_t *p, size_t len, struct execrec *r)
{
	uint64_t	 n;

	if (len < NS_SIZE + TIME_SIZE)
		return -1;
	r->pid = get32(p + 8);
	n = get64(p + 16);
	if (n > (len - NS_SIZE - TIME_SIZE) / NS_ONE)
		return -1;
	if (n > MNT_NS_INDEX)
		r->mount_ns = get64(p + NS_SIZE + MNT_NS_INDEX * NS_ONE + 8);
	if (n > USER_NS_INDEX)
		r->user_ns = get64(p + NS_SIZE + USER_NS_INDEX * NS_ONE + 8);
	r->thread = r->pid != get32(p + 12);
	r->kind = EXECREC_SPACES;
	return 0;
}

/* pid, tid, time, the number of the control group. */
static int
get_sample(const uint8_t *p, size_t len, struct execrec *r)
{
	if (len != SAMPLE_TIME + TIME_SIZE && len != SAMPLE_TIME + TIME_SIZE + 8)
		return -1;
	r->pid = get32(p + 8);
	if (len > SAMPLE_TIME + TIME_SIZE)
		r->group = get64(p + SAMPLE_TIME + TIME_SIZE);
	r->kind = EXECREC_DONE;
	return 0;
}

int
execrec_parse(const void *rec, size_t len, struct execrec *r)
{
	struct perf_event_header	 h;
	const uint8_t			*p = rec;

	memset(r, 0, sizeof(*r));
	if (len < sizeof(h) + TIME_SIZE)
		return -1;
	memcpy(&h, p, sizeof(h));
	if (h.size != len)
		return -1;
	r->time = execrec_time(p, len);
	switch (h.type) {
	case PERF_RECORD_FORK:
		return get_task(p, len, EXECREC_FORK, r);
	case PERF_RECORD_EXIT:
		return get_task(p, len, EXECREC_EXIT, r);
	case PERF_RECORD_COMM:
		return get_comm(p, len, h.misc, r);
	case PERF_RECORD_MMAP2:
		return get_map(p, len, h.misc, r);
	case PERF_RECORD_NAMESPACES:
		return get_spaces(p, len, r);
	case PERF_RECORD_SAMPLE:
		return get_sample(p, len, r);
	case PERF_RECORD_LOST:
		r->kind = EXECREC_LOST;
		return 0;
	default:
		return 0;
	}
}
