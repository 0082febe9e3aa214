/*
 * SPDX-License-Identifier: ISC
 *
 * A library that is loaded before all others and sets the clock on the wall
 * of one program, and of those that it starts, forward and back: by as many
 * seconds as the file beside it says, at any moment.  It is mapped before
 * main(), and so there in every sandbox.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static const int64_t	 none;
static const int64_t	*by = &none;

static void __attribute__((__constructor__))
map_it(void)
{
	char	 path[4096];
	Dl_info	 self;
	void	*p;
	int	 fd;

	if (dladdr(&none, &self) == 0 ||
	    snprintf(path, sizeof(path), "%s.by", self.dli_fname) >=
	    (int)sizeof(path) ||
	    (fd = open(path, O_RDONLY | O_CLOEXEC)) == -1)
		return;
	p = mmap(NULL, sizeof(*by), PROT_READ, MAP_SHARED, fd, 0);
	if (p != MAP_FAILED)
		by = p;
	(void)close(fd);
}

int
clock_gettime(clockid_t clock, struct timespec *ts)
{
	if (syscall(SYS_clock_gettime, clock, ts) == -1)
		return -1;
	if (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)
		ts->tv_sec += *(const volatile int64_t *)by;
	return 0;
}

int
gettimeofday(struct timeval *restrict tv, void *restrict zone)
{
	struct timespec	ts;

	(void)zone;
	(void)clock_gettime(CLOCK_REALTIME, &ts);
	tv->tv_sec = ts.tv_sec;
	tv->tv_usec = ts.tv_nsec / 1000;
	return 0;
}

time_t
time(time_t *t)
{
	struct timespec	ts;

	(void)clock_gettime(CLOCK_REALTIME, &ts);
	if (t != NULL)
		*t = ts.tv_sec;
	return ts.tv_sec;
}
