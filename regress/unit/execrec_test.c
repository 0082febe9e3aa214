/*
 * SPDX-License-Identifier: ISC
 *
 * Records of what processes become, whole and damaged.
 */
#include <linux/perf_event.h>
#include <stdint.h>
#include <string.h>

#include "case.h"
#include "execrec.h"

#define TIME	0x1122334455667788ULL

/* A record under construction. */
static struct {
	_Alignas(8) uint8_t	 b[8192];
	size_t			 len;
} rec;

static void
begin(uint32_t type, uint16_t misc)
{
	struct perf_event_header	 h = { type, misc, 0 };

	memset(&rec, 0, sizeof(rec));
	memcpy(rec.b, &h, sizeof(h));
	rec.len = sizeof(h);
}

static void
u32(uint32_t n)
{
	memcpy(rec.b + rec.len, &n, sizeof(n));
	rec.len += sizeof(n);
}

static void
u64(uint64_t n)
{
	memcpy(rec.b + rec.len, &n, sizeof(n));
	rec.len += sizeof(n);
}

/* As the kernel does: with zeros up to a multiple of eight. */
static void
text(const char *s)
{
	memcpy(rec.b + rec.len, s, strlen(s) + 1);
	rec.len += (strlen(s) + 8) & ~(size_t)7;
}

static void
end(void)
{
	uint16_t	 size;

	u64(TIME);
	size = (uint16_t)rec.len;
	memcpy(rec.b + 6, &size, sizeof(size));
}

static struct execrec
parsed(void)
{
	struct execrec	 r;

	memset(&r, 0xff, sizeof(r));
	CHECK(execrec_parse(rec.b, rec.len, &r) == 0);
	return r;
}

/* pid, ppid, tid, ptid. */
static void
make_task(uint32_t type, uint32_t tid)
{
	begin(type, 0);
	u32(100);
	u32(1);
	u32(tid);
	u32(1);
	u64(5);
	end();
}

static void
make_map(uint16_t misc, uint64_t ino, const char *path)
{
	begin(PERF_RECORD_MMAP2, misc);
	u32(100);
	u32(100);
	u64(0x400000);
	u64(0x1000);
	u64(0);
	u32(8);
	u32(1);
	u64(ino);
	u64(3);
	u32(5);
	u32(2);
	text(path);
	end();
}

static void
make_spaces(uint64_t told, unsigned int n)
{
	unsigned int	 i;

	begin(PERF_RECORD_NAMESPACES, 0);
	u32(100);
	u32(100);
	u64(told);
	for (i = 0; i < n; i++) {
		u64(4);
		u64(1000 + i);
	}
	end();
}

static void
tasks(void)
{
	struct execrec	 r;

	make_task(PERF_RECORD_FORK, 100);
	r = parsed();
	CHECK(r.kind == EXECREC_FORK && r.pid == 100 && r.ppid == 1 &&
	    r.time == TIME && execrec_time(rec.b, rec.len) == TIME);
	make_task(PERF_RECORD_EXIT, 100);
	CHECK(parsed().kind == EXECREC_EXIT);
	case_end("fork and exit");

	make_task(PERF_RECORD_FORK, 101);
	CHECK(parsed().kind == EXECREC_OTHER);
	make_task(PERF_RECORD_EXIT, 101);
	CHECK(parsed().kind == EXECREC_OTHER);
	case_end("threads are no processes");
}

static void
execs(void)
{
	struct execrec	 r;

	begin(PERF_RECORD_COMM, PERF_RECORD_MISC_COMM_EXEC);
	u32(100);
	u32(100);
	text("curl");
	end();
	r = parsed();
	CHECK(r.kind == EXECREC_EXEC && r.pid == 100 && r.time == TIME);
	case_end("execve");

	begin(PERF_RECORD_COMM, 0);
	u32(100);
	u32(100);
	text("curl");
	end();
	CHECK(parsed().kind == EXECREC_OTHER);
	case_end("a name that a program gives itself is no execve");

	begin(PERF_RECORD_SAMPLE, 0);
	u32(100);
	u32(100);
	end();
	r = parsed();
	CHECK(r.kind == EXECREC_DONE && r.pid == 100 && r.group == 0);
	CHECK(r.time == TIME && execrec_time(rec.b, rec.len) == TIME);
	case_end("the end of an execve");

	/* In it, what comes last is not the time. */
	begin(PERF_RECORD_SAMPLE, 0);
	u32(100);
	u32(100);
	u64(TIME);
	rec.b[6] = 32;
	u64(4711);
	r = parsed();
	CHECK(r.kind == EXECREC_DONE && r.pid == 100 && r.group == 4711);
	CHECK(r.time == TIME && execrec_time(rec.b, rec.len) == TIME);
	case_end("the end of an execve, with its control group");
}

static void
maps(void)
{
	struct execrec	 r;

	make_map(0, 77, "/usr/bin/curl");
	r = parsed();
	CHECK(r.kind == EXECREC_MAP && r.pid == 100 && r.file.major == 8 &&
	    r.file.minor == 1 && r.file.ino == 77);
	CHECK(r.path != NULL && strcmp(r.path, "/usr/bin/curl") == 0);
	case_end("a file that is mapped");

	make_map(0, 0, "[stack]");
	CHECK(parsed().kind == EXECREC_OTHER);
	make_map(0, 0, "//anon");
	CHECK(parsed().kind == EXECREC_OTHER);
	case_end("memory without a file");

	make_map(PERF_RECORD_MISC_MMAP_BUILD_ID, 77, "/usr/bin/curl");
	CHECK(parsed().kind == EXECREC_OTHER);
	case_end("a build id is no number of a file");

	make_map(0, 77, "/usr/bin/curl");
	memset(rec.b + 72, 'x', rec.len - 72);
	CHECK(execrec_parse(rec.b, rec.len, &r) == -1);
	case_end("a path without its end");
}

static void
spaces(void)
{
	struct execrec	 r;

	make_spaces(7, 7);
	r = parsed();
	CHECK(r.kind == EXECREC_SPACES && !r.thread);
	CHECK(r.mount_ns == 1000 + MNT_NS_INDEX &&
	    r.user_ns == 1000 + USER_NS_INDEX);
	case_end("namespaces");

	make_spaces(2, 2);
	r = parsed();
	CHECK(r.mount_ns == 0 && r.user_ns == 0);
	case_end("fewer namespaces than known");

	make_spaces(8, 7);
	CHECK(execrec_parse(rec.b, rec.len, &r) == -1);
	make_spaces(UINT64_MAX / 16 + 1, 7);
	CHECK(execrec_parse(rec.b, rec.len, &r) == -1);
	case_end("more namespaces than there are");
}

static void
damaged(void)
{
	struct execrec	 r;
	size_t		 whole, i;
	uint16_t	 size;

	make_map(0, 77, "/usr/bin/curl");
	whole = rec.len;
	CHECK(execrec_parse(rec.b, whole - 8, &r) == -1);
	CHECK(execrec_parse(rec.b, whole + 8, &r) == -1);
	case_end("a length that is not the record's");

	for (i = 0; i < whole; i++) {
		size = (uint16_t)i;
		memcpy(rec.b + 6, &size, sizeof(size));
		if (execrec_parse(rec.b, i, &r) == 0)
			CHECK(r.kind != EXECREC_MAP ||
			    memchr(r.path, '\0', 24) != NULL);
	}
	case_end("every shorter record");

	begin(PERF_RECORD_LOST, 0);
	u64(1);
	u64(3);
	end();
	CHECK(parsed().kind == EXECREC_LOST);
	begin(4711, 0);
	end();
	CHECK(parsed().kind == EXECREC_OTHER);
	case_end("lost and unknown records");
}

int
main(void)
{
	tasks();
	execs();
	maps();
	spaces();
	damaged();
	return case_failures != 0;
}
