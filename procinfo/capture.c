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
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/perf_event.h>
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
#include "sbuf.h"

#define KEPT		1024		/* processes, a power of two */
#define KEPT_BYTES	(256 * 1024)	/* of theirs, a power of two */
#define TURN_SAMPLES	64		/* taken out of a ring at once */
#define STACK_SIZE	(64 * 1024)
#define SAMPLE_MIN	24		/* header, pid and tid, time */
#define SAMPLE_MAX	32		/* and the control group */
#define GROUPS		8		/* remembered by a thread */
#define GROUP_SURE	2		/* readings that agree */
#define GROUP_ROOT	1		/* inode number of the topmost one */

/* What happened: an execve of this process, in the group of that number. */
struct sample {
	uint32_t	 pid;
	uint64_t	 group;	/* 0: not told */
};

/*
 * What a control group is called: to read it is the dearest part of an
 * execve.  A process may be moved between its execve and the reading, so one
 * reading is not enough.  The number is that of the group whose events it
 * counts for; as long as nobody has written to the root's subtree_control,
 * that is the root for all (kernel/cgroup/cgroup.c), and says nothing.
 */
struct group {
	uint64_t	 id;
	unsigned int	 agreed;	/* readings in a row */
	char		 unit[UNIT_MAX];
};

struct reader {
	size_t				 cpu;
	int				 wait;	/* epoll, of the next and fd */
	int				 news;	/* eventfd: look at ring */
	/* Under the lock. */
	int				 fd;
	struct perf_event_mmap_page	*page;	/* NULL: none */
	size_t				 size;
	/* The thread's own. */
	uint64_t			 pos;
	struct group			 group[GROUPS];
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
static size_t		 page_size;	/* of memory */
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
read_unit(struct reader *r, const struct sample *s, const char *path,
    char unit[UNIT_MAX])
{
	struct group	*g = &r->group[s->group % GROUPS];
	bool		 only, told = (uint32_t)s->group > GROUP_ROOT;

	if (told && g->id == s->group && g->agreed >= GROUP_SURE) {
		(void)strlcpy(unit, g->unit, UNIT_MAX);
		return;
	}
	if (procpid_unit(AT_FDCWD, path, unit, UNIT_MAX, &only) == -1 ||
	    !only || !told)
		return;
	if (g->id == s->group && strcmp(g->unit, unit) == 0) {
		g->agreed++;
		return;
	}
	g->id = s->group;
	g->agreed = 1;
	(void)strlcpy(g->unit, unit, sizeof(g->unit));
}

/*
 * By its number, without a descriptor of its directory: should the number be
 * another's in between, the end of the one and the beginning of the other lie
 * within the reading, and it counts for neither.
 */
static void
read_process(struct reader *r, const struct sample *s)
{
	struct capture	 c;
	struct sbuf	 path;
	uint64_t	 begin = now_ns();
	char		 buf[32];
	size_t		 len;

	sbuf_init(&path, buf, sizeof(buf));
	/* Here is the root directory: no need to go there first. */
	sbuf_number(&path, s->pid);
	len = path.len;
	sbuf_str(&path, "/cmdline");
	/* Without any it has ended: nobody can call execve with none. */
	if (procpid_args(AT_FDCWD, buf, c.args, &c.args_len, &c.args_cut) ==
	    -1 || c.args_len == 0)
		return;
	path.len = len;
	sbuf_str(&path, "/cwd");
	(void)procpid_link(AT_FDCWD, buf, c.cwd, sizeof(c.cwd));
	path.len = len;
	sbuf_str(&path, "/cgroup");
	read_unit(r, s, buf, c.unit);
	keep(s->pid, begin, &c);
}

/* Records are made of words of eight bytes, each in one piece. */
static void
ring_word(const struct reader *r, uint64_t pos, void *to)
{
	memcpy(to, (const uint8_t *)r->page + page_size +
	    (pos & (r->size - 1)), 8);
}

/* The next samples; locked. */
static size_t
ring_samples(struct reader *r, struct sample out[TURN_SAMPLES])
{
	struct perf_event_header	 h;
	uint64_t			 head, tail;
	uint32_t			 ids[2];	/* process, thread */
	size_t				 n = 0;

	if (r->page == NULL)
		return 0;
	head = __atomic_load_n(&r->page->data_head, __ATOMIC_ACQUIRE);
	tail = __atomic_load_n(&r->page->data_tail, __ATOMIC_RELAXED);
	if (head - tail > r->size / 2)
		tell(tell_fd);
	if (head - r->pos > r->size / 2)
		r->pos = head;	/* too late for all that */
	while (n < TURN_SAMPLES && r->pos + sizeof(h) <= head) {
		ring_word(r, r->pos, &h);
		if (h.size < sizeof(h) || h.size % 8 != 0 ||
		    r->pos + h.size > head) {
			r->pos = head;
			break;
		}
		if (h.type == PERF_RECORD_SAMPLE && h.size >= SAMPLE_MIN &&
		    h.size <= SAMPLE_MAX) {
			ring_word(r, r->pos + 8, ids);
			out[n].pid = ids[0];
			out[n].group = 0;
			if (h.size == SAMPLE_MAX)
				ring_word(r, r->pos + SAMPLE_MIN,
				    &out[n].group);
			n++;
		}
		r->pos += h.size;
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

/*
 * Told once of each wake-up: the ring of an event that is dead would be
 * readable again and again, before everybody.
 */
static void
watch(struct reader *r, int fd)
{
	struct epoll_event	 e = { .events = EPOLLIN | EPOLLET };

	e.data.fd = fd;
	if (epoll_ctl(r->wait, EPOLL_CTL_ADD, fd, &e) == -1)
		log_warn("%s", __func__);
}

/* There is another ring, or none. */
static void
look_again(struct reader *r)
{
	uint64_t	 n;

	if (read(r->news, &n, sizeof(n)) != sizeof(n))
		return;
	stay(r->cpu);
	take_lock();
	if (r->page != NULL)
		r->pos = __atomic_load_n(&r->page->data_head,
		    __ATOMIC_ACQUIRE);
	give_lock();
}

static void
wait_for_ring(struct reader *r)
{
	struct epoll_event	 e[2];
	int			 i, n;

	n = epoll_wait(r->wait, e, 2, -1);
	for (i = 0; i < n; i++)
		if (e[i].data.fd == r->news)
			look_again(r);
}

static void *
reader_main(void *arg)
{
	struct reader	*r = arg;
	struct sample	 sample[TURN_SAMPLES];
	size_t		 i, n;

	stay(r->cpu);
	(void)sem_post(&started);
	for (;;) {
		take_lock();
		n = ring_samples(r, sample);
		give_lock();
		for (i = 0; i < n; i++)
			read_process(r, &sample[i]);
		if (n < TURN_SAMPLES)
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
	if ((r->wait = epoll_create1(EPOLL_CLOEXEC)) == -1 ||
	    (r->news = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) == -1)
		fatal("eventfd");
	watch(r, r->news);
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
	page_size = (size_t)getpagesize();
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
	/* Its event lives on in the parent, and would be waited for. */
	if (r->fd != -1)
		(void)epoll_ctl(r->wait, EPOLL_CTL_DEL, r->fd, NULL);
	r->fd = fd;
	r->page = page;
	r->size = size;
	if (fd != -1)
		watch(r, fd);
	give_lock();
	tell(r->news);
}
