/*
 * SPDX-License-Identifier: ISC
 *
 * Reader of the kernel's records of what processes become (struct
 * perf_event_header and what follows it in linux/perf_event.h).  Pure: bytes
 * in, a struct out.  The kernel made the frame and the numbers; the path in
 * it was chosen by the program looked at, hostile ones included.
 */
#ifndef EXECREC_H
#define EXECREC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define EXECREC_MAX	4608	/* bytes: a path of PATH_MAX and the rest */

enum execrec_kind {
	EXECREC_OTHER,		/* nothing that is wanted */
	EXECREC_FORK,		/* pid, ppid */
	EXECREC_EXEC,		/* pid: its memory is a new program's */
	EXECREC_MAP,		/* pid, file, path: mapped to be executed */
	EXECREC_DONE,		/* pid: the arguments are in place */
	EXECREC_SPACES,		/* pid or a thread of it, mount_ns, user_ns */
	EXECREC_EXIT,		/* pid */
	EXECREC_LOST		/* some records before this one are missing */
};

/* A file as the kernel knows it, whatever it is called. */
struct file_id {
	uint32_t	major, minor;	/* of its file system */
	uint64_t	ino;
};

struct execrec {
	enum execrec_kind	 kind;
	uint64_t		 time;	/* CLOCK_MONOTONIC, ns */
	uint32_t		 pid, ppid;
	struct file_id		 file;
	const char		*path;	/* points into the record */
	uint64_t		 mount_ns, user_ns;	/* 0: not told */
	uint64_t		 group;	/* of EXECREC_DONE; 0: not told */
	bool			 thread;	/* not the first one's */
};

/*
 * One record, header included, of exactly that many bytes.  0, or -1 for one
 * that is not as the kernel would write it.
 */
int	 execrec_parse(const void *, size_t, struct execrec *)
	    __attribute__((warn_unused_result));
/* The time of a record; where it is in one of that type and length, or 0. */
uint64_t execrec_time(const void *, size_t);
size_t	 execrec_time_at(uint32_t type, size_t);

#endif /* EXECREC_H */
