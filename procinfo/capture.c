/*
 * SPDX-License-Identifier: ISC
 *
 * A program's arguments are in no record of the kernel's, only in its memory,
 * and a program that sends and ends is gone within a tenth of a millisecond.
 * So each CPU has a thread that stays on it, waits for that CPU's ring and
 * runs before all ordinary programs.  An execve wakes it where the new
 * program is about to begin, which therefore begins only when its arguments
 * have been read: this is no race, however busy the machine is, and however
 * seldom the other CPUs of a virtual machine are given to it.
 *
 * A thread takes no record out of its ring, allocates nothing, and knows
 * nothing but pids: whether what it has read belongs to the program that is
 * asked for is decided by time.  It reads the ring at its own place; should
 * the kernel have written over that meanwhile, what it finds there are other
 * pids, and what it reads is theirs.
 */
#include <sys/eventfd.h>
#include <sys/mman.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "execs.h"
#include "log.h"
#include "procinfo.h"

#define KEPT		1024		/* processes, a power of two */
#define KEPT_BYTES	(256 * 1024)	/* of theirs, a power of two */
#define TURN_PIDS	64		/* taken out of a ring at once */
#define STACK_SIZE	(64 * 1024)
#define SAMPLE_SIZE	24		/* header, pid and tid, time */

struct reader {
	size_t				 cpu;
	int				 news;	/* eventfd: look at ring */
	/* Under the lock. */
	int				 fd;
	struct perf_event_mmap_page	*page;	/* NULL: none */
	size_t				 size;
	/* The thread's own. */
	uint64_t			 pos;
	bool				 dead;	/* the ring's event is */
};

/* What was read of one process. */
struct kept {
	uint32_t	 pid;
	uint64_t	 begin, end;	/* of the reading */
	uint64_t	 at;		/* in text, counted since the start */
	uint16_t	 args_len, cwd_len, unit_len;
	uint8_t		 args_cut;
};

static struct reader	*readers;
static size_t		 nreaders;
static int		 tell_fd = -1;
static sem_t		 started;

static pthread_mutex_t	 lock;
static struct kept	 kept[KEPT];
static uint64_t		 nkept;		/* ever */
static char		 text[KEPT_BYTES];
static uint64_t		 ntext;		/* ever */

static void
take_lock(void)
{
	if (pthread_mutex_lock(&lock) != 0)
		abort();
}

static void
give_lock(void)
{
	(void)pthread_mutex_unlock(&lock);
}

/* An eventfd: full or not, its reader wakes. */
static void
tell(int fd)
{
	static const uint64_t	 one = 1;

	if (write(fd, &one, sizeof(one)) == -1 && errno != EAGAIN)
		abort();
}

/* ---- what was read ----------------------------------------------- */

static void
text_put(const void *from, size_t len)
{
	size_t	 at = ntext & (KEPT_BYTES - 1), n = KEPT_BYTES - at;

	if (n > len)
		n = len;
	memcpy(text + at, from, n);
	memcpy(text, (const char *)from + n, len - n);
	ntext += len;
}

static void
text_get(uint64_t from, void *to, size_t len)
{
	size_t	 at = from & (KEPT_BYTES - 1), n = KEPT_BYTES - at;

	if (n > len)
		n = len;
	memcpy(to, text + at, n);
	memcpy((char *)to + n, text, len - n);
}

static void
keep(uint32_t pid, uint64_t begin, const struct capture *c)
{
	struct kept	*k;

	take_lock();
	k = &kept[nkept++ % KEPT];
	k->pid = pid;
	k->begin = begin;
	k->end = now_ns();
	k->at = ntext;
	k->args_len = c->args_len;
	k->args_cut = c->args_cut;
	k->cwd_len = (uint16_t)strlen(c->cwd);
	k->unit_len = (uint16_t)strlen(c->unit);
	text_put(c->args, c->args_len);
	text_put(c->cwd, k->cwd_len);
	text_put(c->unit, k->unit_len);
	give_lock();
}

static bool
is_kept(const struct kept *k, uint32_t pid, uint64_t since, uint64_t until)
{
	return k->pid == pid && k->begin >= since && k->end <= until &&
	    ntext - k->at <= KEPT_BYTES;
}

int
capture_take(uint32_t pid, uint64_t since, uint64_t until, struct capture *c)
{
	const struct kept	*k;
	uint64_t		 i, oldest;
	int			 rc = -1;

	take_lock();
	oldest = nkept > KEPT ? nkept - KEPT : 0;
	for (i = nkept; i > oldest && rc == -1; i--) {
		k = &kept[(i - 1) % KEPT];
		if (!is_kept(k, pid, since, until))
			continue;
		c->args_len = k->args_len;
		c->args_cut = k->args_cut;
		text_get(k->at, c->args, k->args_len);
		text_get(k->at + k->args_len, c->cwd, k->cwd_len);
		c->cwd[k->cwd_len] = '\0';
		text_get(k->at + k->args_len + k->cwd_len, c->unit,
		    k->unit_len);
		c->unit[k->unit_len] = '\0';
		rc = 0;
	}
	give_lock();
	return rc;
}

/* ---- the threads ------------------------------------------------- */

static void
read_process(uint32_t pid)
{
	struct capture	 c;
	uint64_t	 begin = now_ns();
	int		 dir;

	if ((dir = procpid_open(pid)) == -1)
		return;
	/* Without any it has ended: nobody can call execve with none. */
	if (procpid_args(dir, c.args, &c.args_len, &c.args_cut) == 0 &&
	    c.args_len > 0) {
		(void)procpid_cwd(dir, c.cwd, sizeof(c.cwd));
		(void)procpid_unit(dir, c.unit, sizeof(c.unit));
		keep(pid, begin, &c);
	}
	close(dir);
}

/* The pids of the next samples; locked. */
static size_t
ring_pids(struct reader *r, uint32_t pid[TURN_PIDS])
{
	const uint8_t			*data, *p;
	struct perf_event_header	 h;
	uint64_t			 head, tail;
	size_t				 n = 0;

	if (r->page == NULL)
		return 0;
	data = (const uint8_t *)r->page + getpagesize();
	head = __atomic_load_n(&r->page->data_head, __ATOMIC_ACQUIRE);
	tail = __atomic_load_n(&r->page->data_tail, __ATOMIC_RELAXED);
	if (head - tail > r->size / 2)
		tell(tell_fd);
	if (head - r->pos > r->size / 2)
		r->pos = head;	/* too late for all that */
	while (n < TURN_PIDS && r->pos + sizeof(h) <= head) {
		/* Records are multiples of 8 bytes, and so is the ring. */
		p = data + (r->pos & (r->size - 1));
		memcpy(&h, p, sizeof(h));
		if (h.size < sizeof(h) || r->pos + h.size > head) {
			r->pos = head;
			break;
		}
		r->pos += h.size;
		if (h.type == PERF_RECORD_SAMPLE && h.size == SAMPLE_SIZE) {
			p = data + ((r->pos - 16) & (r->size - 1));
			memcpy(&pid[n++], p, sizeof(pid[0]));
		}
	}
	return n;
}

static void
stay(size_t cpu)
{
	cpu_set_t	 set;

	if (cpu >= CPU_SETSIZE)
		return;
	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	/* A CPU that is off line now is tried again with its ring. */
	(void)sched_setaffinity(0, sizeof(set), &set);
}

static void
wait_for_ring(struct reader *r)
{
	struct pollfd	 pfd[2] = { { r->news, POLLIN, 0 }, { -1, POLLIN, 0 } };
	uint64_t	 n;

	take_lock();
	if (r->page != NULL && !r->dead)
		pfd[1].fd = r->fd;
	give_lock();
	if (poll(pfd, 2, -1) == -1)
		return;
	/* Or this would wake again and again, before everybody. */
	if (pfd[1].revents & (POLLERR | POLLHUP | POLLNVAL))
		r->dead = true;
	if (pfd[0].revents != 0 && read(r->news, &n, sizeof(n)) ==
	    sizeof(n)) {
		r->dead = false;
		stay(r->cpu);
		take_lock();
		if (r->page != NULL)
			r->pos = __atomic_load_n(&r->page->data_head,
			    __ATOMIC_ACQUIRE);
		give_lock();
	}
}

static void *
reader_main(void *arg)
{
	struct reader	*r = arg;
	uint32_t	 pid[TURN_PIDS];
	size_t		 i, n;

	stay(r->cpu);
	(void)sem_post(&started);
	for (;;) {
		take_lock();
		n = ring_pids(r, pid);
		give_lock();
		for (i = 0; i < n; i++)
			read_process(pid[i]);
		if (n < TURN_PIDS)
			wait_for_ring(r);
	}
	return NULL;
}

/* ---- for the others ---------------------------------------------- */

/*
 * Whoever holds the lock runs before those that want it: the threads have a
 * priority, the loop has none.
 */
static void
lock_init(void)
{
	pthread_mutexattr_t	 attr;

	if (pthread_mutexattr_init(&attr) != 0 ||
	    pthread_mutexattr_setprotocol(&attr, PTHREAD_PRIO_INHERIT) != 0 ||
	    pthread_mutex_init(&lock, &attr) != 0)
		fatalx("no lock with priority inheritance");
	(void)pthread_mutexattr_destroy(&attr);
}

static void
reader_start(struct reader *r, const pthread_attr_t *attr)
{
	pthread_t	 id;
	int		 rc;

	r->fd = -1;
	if ((r->news = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) == -1)
		fatal("eventfd");
	if ((rc = pthread_create(&id, attr, reader_main, r)) != 0) {
		errno = rc;
		fatal("thread");
	}
}

void
capture_start(size_t ncpu, int fd)
{
	pthread_attr_t	 attr;
	sigset_t	 all, old;
	size_t		 i;

	lock_init();
	tell_fd = fd;
	readers = calloc(ncpu, sizeof(*readers));
	if (readers == NULL || sem_init(&started, 0, 0) == -1 ||
	    pthread_attr_init(&attr) != 0 ||
	    pthread_attr_setstacksize(&attr, STACK_SIZE) != 0)
		fatal(NULL);
	/* Signals are the loop's. */
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &old);
	for (; nreaders < ncpu; nreaders++) {
		readers[nreaders].cpu = nreaders;
		reader_start(&readers[nreaders], &attr);
	}
	(void)pthread_sigmask(SIG_SETMASK, &old, NULL);
	(void)pthread_attr_destroy(&attr);
	/* The C library makes calls as a thread begins: before the filter. */
	for (i = 0; i < nreaders; i++)
		while (sem_wait(&started) == -1)
			continue;
}

void
capture_ring(size_t cpu, int fd, struct perf_event_mmap_page *page,
    size_t size)
{
	struct reader	*r;

	if (cpu >= nreaders)
		return;
	r = &readers[cpu];
	take_lock();
	r->fd = fd;
	r->page = page;
	r->size = size;
	give_lock();
	tell(r->news);
}
