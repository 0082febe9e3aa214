/*
 * SPDX-License-Identifier: ISC
 *
 * Readers of the text that the kernel gives below /proc/PID.  Pure: bytes
 * in, structs out.  The kernel made the frame, but names, arguments and
 * paths inside were chosen by the program looked at, hostile ones included.
 */
#ifndef PROCPID_PARSE_H
#define PROCPID_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "execrec.h"
#include "msg.h"

#define PID_NUMBER_MAX	4194304		/* the kernel's PID_MAX_LIMIT */

struct pid_stat {
	uint32_t	pid;
	uint32_t	ppid;
	char		state;		/* 'R', 'S', 'Z', ... */
	uint64_t	start;		/* clock ticks since boot */
};

struct pid_uids {
	uint32_t	id[4];		/* real, effective, saved, file system */
};

struct pid_fdinfo {
	uint64_t	ino;
	uint32_t	mnt_id;
	bool		cloexec;
};

/* A mount, as programs' files show it. */
struct pid_mount {
	uint32_t	major, minor;
	bool		overlay;
};

/* Each returns 0, or -1 for anything but the expected form. */
int	 pid_parse_stat(const char *, size_t, struct pid_stat *)
	    __attribute__((warn_unused_result));
int	 pid_parse_uids(const char *, size_t, struct pid_uids *)
	    __attribute__((warn_unused_result));
int	 pid_parse_tgid(const char *, size_t, uint32_t *)
	    __attribute__((warn_unused_result));
int	 pid_parse_fdinfo(const char *, size_t, struct pid_fdinfo *)
	    __attribute__((warn_unused_result));
/* The path of the last line; with one hierarchy (v2) the only one. */
int	 pid_parse_cgroup(const char *, size_t, char *, size_t)
	    __attribute__((warn_unused_result));
/* The mount of that number, in a list like mountinfo. */
int	 pid_parse_mount(const char *, size_t, uint64_t, struct pid_mount *)
	    __attribute__((warn_unused_result));
/* The one file of that path in a list like maps; -1 also for several. */
int	 pid_parse_maps(const char *, size_t, const char *, struct file_id *)
	    __attribute__((warn_unused_result));
/* A directory entry that is a number between 1 and PID_NUMBER_MAX, or -1. */
int	 pid_parse_name(const char *, uint32_t *)
	    __attribute__((warn_unused_result));
/*
 * Arguments, a NUL after each.  Given ARGS_MAX bytes or more, what does not
 * fit is cut off and cut is set.
 */
void	 pid_parse_args(const char *, size_t, char [ARGS_MAX], uint16_t *,
	    uint8_t *);

#endif /* PROCPID_PARSE_H */
