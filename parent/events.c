/*
 * SPDX-License-Identifier: ISC
 *
 * Two perf events for each CPU, both writing into one ring: messages put on
 * the queue socket by a process, and those put there in interrupts, where
 * the current process is nobody's.  The tracepoint is sock:sk_data_ready,
 * filtered to our socket (Linux 6.3); before that signal:signal_generate,
 * which fires in the same place when the socket sends SIGIO.
 *
 * With forwarded traffic to be judged there are two more for each CPU, which
 * tell the routing look-ups of all programs, in containers as well.
 *
 * A further ring of each CPU has what processes become: fork, execve with the
 * file that is run, the namespaces they enter, their end.  The kernel writes
 * these records as it happens, so that it does not matter how late they are
 * read.  sched:sched_process_exec in the same ring wakes the reader once for
 * each execve, for the arguments are in no record.
 *
 * Where perf events are refused the first two kinds come by tracefs (trace.c),
 * and what processes become by the proc connector.
 *
 * Samples hold process and time and, of routes, the tracepoint's record; no
 * kernel address.  The parent keeps every ring mapped: a ring nobody maps is
 * taken from its events, and procinfo may be between two lives.
 */
#include <sys/types.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_queue.h>
#include <linux/netlink.h>
#include <linux/perf_event.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "events.h"
#include "imsg.h"
#include "log.h"
#include "trace.h"

#define CPUS_MAX	1024
/* common_flags: in a soft or a hard interrupt. */
#define IN_IRQ		24
/* How the kernel marks the SIGIO of a file. */
#define SI_KERNEL_CODE	128

struct order_event {
	struct msg_event	 m;
	int			 fd;
	void			*ring;	/* NULL: it writes into another's */
};

/* Look-ups for what a program here sends come from the loopback device. */
#define ROUTE_FILTER	"iif==1 && proto!=0 && !(common_flags & 24)"
#define NROUTES		2
static struct {
	const char		*dir;
	uint32_t		 tracepoint;	/* 0: not to be had */
	struct event_route	 layout;
	bool			 has_err;	/* the record tells failures */
} route_event[NROUTES] = {
	{ "events/fib/fib_table_lookup", 0, { .family = 4 }, false },
	{ "events/fib6/fib6_table_lookup", 0, { .family = 6 }, false },
};
static bool			 want_routes;

static struct order_event	*set;
static int			 nset, nalloc;
static uint32_t			 tracepoint;
static const char		*order_dir;
static uint32_t			 exec_tracepoint;	/* 0: none */
static char			 filter[128];	/* "" : no events */
static size_t			 pages = 64;
static bool			 perf_works;	/* a set was opened */

static int
read_file(int dir, const char *path, char *buf, size_t size)
{
	ssize_t	 n;
	int	 fd;

	if ((fd = openat(dir, path, O_RDONLY | O_CLOEXEC)) == -1)
		return -1;
	n = read(fd, buf, size - 1);
	(void)close(fd);
	if (n <= 0)
		return -1;
	buf[n] = '\0';
	return 0;
}

static int
read_id(int dir, const char *path, uint32_t *id)
{
	char		 buf[32];
	const char	*bad;

	if (read_file(dir, path, buf, sizeof(buf)) == -1)
		return -1;
	buf[strcspn(buf, "\n")] = '\0';
	*id = (uint32_t)strtonum(buf, 1, UINT16_MAX, &bad);
	return bad == NULL ? 0 : -1;
}

/* Where in a record the socket's address is. */
static int
read_offset(int dir, uint32_t *offset)
{
	char		 buf[4096];
	const char	*p;

	if (read_file(dir, "events/sock/sk_data_ready/format", buf,
	    sizeof(buf)) == -1)
		return -1;
	p = strstr(buf, "skaddr;");
	if (p == NULL || sscanf(p, "skaddr; offset:%u;", offset) != 1 ||
	    *offset > 256)
		return -1;
	return 0;
}

/* Where in a record a field is: "NAME; offset:N;". */
static int
field_offset(const char *format, const char *name, uint8_t *offset)
{
	const char	*p;
	unsigned int	 n;

	if ((p = strstr(format, name)) == NULL ||
	    (p = strchr(p, ';')) == NULL ||
	    sscanf(p, "; offset:%u;", &n) != 1 || n > 127)
		return -1;
	*offset = (uint8_t)n;
	return 0;
}

static int
learn_route(int dir, int i)
{
	struct event_route	*l = &route_event[i].layout;
	char			 path[64], buf[4096];

	(void)snprintf(path, sizeof(path), "%s/format", route_event[i].dir);
	if (read_file(dir, path, buf, sizeof(buf)) == -1 ||
	    field_offset(buf, " src[", &l->src) == -1 ||
	    field_offset(buf, " dst[", &l->dst) == -1 ||
	    field_offset(buf, " sport;", &l->sport) == -1 ||
	    field_offset(buf, " dport;", &l->dport) == -1 ||
	    field_offset(buf, " proto;", &l->proto) == -1)
		return -1;
	route_event[i].has_err = strstr(buf, " err;") != NULL;
	(void)snprintf(path, sizeof(path), "%s/id", route_event[i].dir);
	return read_id(dir, path, &route_event[i].tracepoint);
}

void
events_want_routes(void)
{
	want_routes = true;
}

static void
learn_routes(int dir)
{
	int	 i;

	for (i = 0; i < NROUTES; i++)
		if (learn_route(dir, i) == -1)
			log_warnx("no events of IPv%d routes: programs behind "
			    "forwarded traffic stay unknown",
			    route_event[i].layout.family);
}

static int
perf_open(struct perf_event_attr *a, pid_t pid, int cpu)
{
	return (int)syscall(SYS_perf_event_open, a, pid, cpu, -1,
	    PERF_FLAG_FD_CLOEXEC);
}

/*
 * An empty configuration message with an acknowledgement, which changes
 * nothing and is delivered in our own context.
 */
static int
provoke(int queue_fd, uint16_t queue)
{
	struct {
		struct nlmsghdr	 h;
		struct nfgenmsg	 g;
	} m;
	char	 buf[256];

	memset(&m, 0, sizeof(m));
	m.h.nlmsg_len = sizeof(m);
	m.h.nlmsg_type = NFNL_SUBSYS_QUEUE << 8 | NFQNL_MSG_CONFIG;
	m.h.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	m.g.version = NFNETLINK_V0;
	m.g.res_id = __builtin_bswap16(queue);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	m.g.res_id = queue;
#endif
	if (send(queue_fd, &m, sizeof(m), 0) != sizeof(m) ||
	    recv(queue_fd, buf, sizeof(buf), MSG_DONTWAIT) == -1)
		return -1;
	return 0;
}

/*
 * The kernel address of the queue socket, the only thing that tells its
 * events from other sockets'.  Closing this event would wait for the kernel,
 * some 20 ms, so it is left open, disabled.
 */
static int
learn_address(int dir, int queue_fd, uint16_t queue)
{
	struct perf_event_attr		 a;
	struct perf_event_mmap_page	*page;
	uint32_t			 offset;
	uint64_t			 addr = 0;
	int				 fd;

	if (read_id(dir, "events/sock/sk_data_ready/id", &tracepoint) == -1 ||
	    read_offset(dir, &offset) == -1)
		return -1;
	memset(&a, 0, sizeof(a));
	a.type = PERF_TYPE_TRACEPOINT;
	a.size = sizeof(a);
	a.config = tracepoint;
	a.sample_period = 1;
	a.sample_type = PERF_SAMPLE_RAW;
	if ((fd = perf_open(&a, 0, -1)) == -1)
		return -1;
	page = mmap(NULL, 2 * (size_t)getpagesize(), PROT_READ | PROT_WRITE,
	    MAP_SHARED, fd, 0);
	if (page == MAP_FAILED || ioctl(fd, PERF_EVENT_IOC_SET_FILTER,
	    "family==16 && protocol==12") == -1 ||
	    provoke(queue_fd, queue) == -1 || page->data_head == 0) {
		(void)close(fd);
		return -1;
	}
	(void)ioctl(fd, PERF_EVENT_IOC_DISABLE, 0);
	/* Record header, size of the raw part, the record itself. */
	memcpy(&addr, (char *)page + getpagesize() + 8 + 4 + offset,
	    sizeof(addr));
	if (addr == 0)
		return -1;
	order_dir = "events/sock/sk_data_ready";
	(void)snprintf(filter, sizeof(filter), "skaddr==0x%llx",
	    (unsigned long long)addr);
	return 0;
}

/* Before 6.3: the socket tells its owner by a signal, which is ignored. */
static int
learn_signal(int dir, int queue_fd)
{
	int	 flags;

	if (read_id(dir, "events/signal/signal_generate/id", &tracepoint) ==
	    -1 || signal(SIGIO, SIG_IGN) == SIG_ERR ||
	    fcntl(queue_fd, F_SETOWN, getpid()) == -1 ||
	    (flags = fcntl(queue_fd, F_GETFL)) == -1 ||
	    fcntl(queue_fd, F_SETFL, flags | O_ASYNC) == -1)
		return -1;
	log_info("order events by signals");
	order_dir = "events/signal/signal_generate";
	(void)snprintf(filter, sizeof(filter), "sig==%d && pid==%d && "
	    "code==%d", SIGIO, (int)getpid(), SI_KERNEL_CODE);
	return 0;
}

static void *
map_ring(int fd)
{
	void	*p;

	p = mmap(NULL, (pages + 1) * (size_t)getpagesize(),
	    PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	return p == MAP_FAILED ? NULL : p;
}

static void
set_clear(void)
{
	while (nset > 0) {
		nset--;
		if (set[nset].ring != NULL)
			(void)munmap(set[nset].ring,
			    (pages + 1) * (size_t)getpagesize());
		(void)close(set[nset].fd);
	}
}

void
events_close(void)
{
	set_clear();
}

static struct order_event *
set_add(void)
{
	if (nset == nalloc) {
		set = recallocarray(set, (size_t)nalloc, (size_t)nalloc + 16,
		    sizeof(*set));
		if (set == NULL)
			fatal(NULL);
		nalloc += 16;
	}
	memset(&set[nset], 0, sizeof(set[nset]));
	return &set[nset++];
}

static int
open_one(int cpu, enum event_kind kind)
{
	struct perf_event_attr	 a;
	struct order_event	*e;
	char			 text[sizeof(filter) + 32];
	int			 fd;

	memset(&a, 0, sizeof(a));
	a.type = PERF_TYPE_TRACEPOINT;
	a.size = sizeof(a);
	a.config = tracepoint;
	a.sample_period = 1;
	a.sample_type = PERF_SAMPLE_IDENTIFIER | PERF_SAMPLE_TID |
	    PERF_SAMPLE_TIME;
	a.read_format = PERF_FORMAT_ID;
	a.sample_id_all = 1;
	a.use_clockid = 1;
	a.clockid = CLOCK_MONOTONIC;
	a.disabled = 1;
	a.watermark = 1;
	a.wakeup_watermark = (uint32_t)(pages * (size_t)getpagesize() / 2);
	(void)snprintf(text, sizeof(text), "%s && %scommon_flags & %d%s",
	    filter, kind == EVENT_ORDER ? "!(" : "", IN_IRQ,
	    kind == EVENT_ORDER ? ")" : "");
	if ((fd = perf_open(&a, -1, cpu)) == -1)
		return -1;
	e = set_add();
	e->fd = fd;
	e->m.kind = kind;
	e->m.cpu = (uint16_t)cpu;
	if (ioctl(fd, PERF_EVENT_IOC_SET_FILTER, text) == -1 ||
	    ioctl(fd, PERF_EVENT_IOC_ID, &e->m.id) == -1)
		return -1;
	if (kind == EVENT_ORDER)
		return (e->ring = map_ring(fd)) == NULL ? -1 : 0;
	/* The ring must exist before another event can be sent into it. */
	return ioctl(fd, PERF_EVENT_IOC_SET_OUTPUT, set[nset - 2].fd);
}

/* One look-up asks several tables; the one that knows counts. */
static void
route_filter(int i, char *text, size_t size)
{
	(void)snprintf(text, size, "%s%s", ROUTE_FILTER,
	    route_event[i].has_err ? " && err==0" : "");
}

/* The whole record: addresses and ports are in it. */
static int
open_route(int cpu, int i)
{
	struct perf_event_attr	 a;
	struct order_event	*e;
	char			 text[sizeof(ROUTE_FILTER) + 16];
	int			 fd;

	memset(&a, 0, sizeof(a));
	a.type = PERF_TYPE_TRACEPOINT;
	a.size = sizeof(a);
	a.config = route_event[i].tracepoint;
	a.sample_period = 1;
	a.sample_type = PERF_SAMPLE_TID | PERF_SAMPLE_TIME | PERF_SAMPLE_RAW;
	a.use_clockid = 1;
	a.clockid = CLOCK_MONOTONIC;
	a.disabled = 1;
	a.watermark = 1;
	a.wakeup_watermark = (uint32_t)(pages * (size_t)getpagesize() / 2);
	if ((fd = perf_open(&a, -1, cpu)) == -1)
		return -1;
	e = set_add();
	e->fd = fd;
	e->m.kind = EVENT_ROUTE;
	e->m.cpu = (uint16_t)cpu;
	e->m.id = event_route_put(&route_event[i].layout);
	route_filter(i, text, sizeof(text));
	if (ioctl(fd, PERF_EVENT_IOC_SET_FILTER, text) == -1 ||
	    (e->ring = map_ring(fd)) == NULL)
		return -1;
	return 0;
}

static int
open_routes(int cpu)
{
	int	 i;

	for (i = 0; i < NROUTES; i++)
		if (route_event[i].tracepoint != 0 &&
		    open_route(cpu, i) == -1)
			return -1;
	return 0;
}

/* What processes become.  Before Linux 4.12 without their namespaces. */
static int
open_processes(int cpu)
{
	struct perf_event_attr	 a;
	struct order_event	*e;
	int			 fd;

	memset(&a, 0, sizeof(a));
	a.type = PERF_TYPE_SOFTWARE;
	a.size = sizeof(a);
	a.config = PERF_COUNT_SW_DUMMY;
	a.sample_type = PERF_SAMPLE_TIME;
	a.sample_id_all = 1;
	a.task = a.comm = a.comm_exec = a.mmap = a.mmap2 = 1;
	a.namespaces = 1;
	a.use_clockid = 1;
	a.clockid = CLOCK_MONOTONIC;
	a.disabled = 1;
	a.watermark = 1;
	a.wakeup_watermark = (uint32_t)(pages * (size_t)getpagesize() / 2);
	if ((fd = perf_open(&a, -1, cpu)) == -1) {
		a.namespaces = 0;
		if ((fd = perf_open(&a, -1, cpu)) == -1)
			return -1;
	}
	e = set_add();
	e->fd = fd;
	e->m.kind = EVENT_EXEC;
	e->m.cpu = (uint16_t)cpu;
	return (e->ring = map_ring(fd)) == NULL ? -1 : 0;
}

/*
 * The end of an execve: new program and arguments are in place.  Before Linux
 * 5.7 without the number of its control group.
 */
static int
open_exec_done(int cpu)
{
	struct perf_event_attr	 a;
	struct order_event	*e;
	int			 fd;

	memset(&a, 0, sizeof(a));
	a.type = PERF_TYPE_TRACEPOINT;
	a.size = sizeof(a);
	a.config = exec_tracepoint;
	a.sample_period = 1;
	a.sample_type = PERF_SAMPLE_TID | PERF_SAMPLE_TIME |
	    PERF_SAMPLE_CGROUP;
	a.use_clockid = 1;
	a.clockid = CLOCK_MONOTONIC;
	a.disabled = 1;
	a.wakeup_events = 1;
	if ((fd = perf_open(&a, -1, cpu)) == -1) {
		a.sample_type &= ~(uint64_t)PERF_SAMPLE_CGROUP;
		if ((fd = perf_open(&a, -1, cpu)) == -1)
			return -1;
	}
	e = set_add();
	e->fd = fd;
	e->m.kind = EVENT_EXEC_DONE;
	e->m.cpu = (uint16_t)cpu;
	return ioctl(fd, PERF_EVENT_IOC_SET_OUTPUT, set[nset - 2].fd);
}

static int
open_cpu(int cpu)
{
	if (filter[0] != '\0' && (open_one(cpu, EVENT_ORDER) == -1 ||
	    open_one(cpu, EVENT_ORDER_IRQ) == -1 || open_routes(cpu) == -1))
		return -1;
	if (exec_tracepoint != 0 && (open_processes(cpu) == -1 ||
	    open_exec_done(cpu) == -1))
		return -1;
	return 0;
}

static int
open_cpus(void)
{
	long	 cpu, n = sysconf(_SC_NPROCESSORS_CONF);
	int	 had;

	if (n < 1 || n > CPUS_MAX)
		return -1;
	/* 8 MB of rings of one kind at most. */
	for (pages = 64; pages > 4 && pages * (size_t)n > 2048; pages /= 2)
		continue;
	for (cpu = 0; cpu < n; cpu++) {
		had = nset;
		if (open_cpu((int)cpu) == 0)
			continue;
		/* Not there now; coming, it is a reason for a new set. */
		if (nset != had || (errno != ENODEV && errno != ENXIO))
			return -1;
	}
	return nset > 0 ? 0 : -1;
}

static int
open_perf(void)
{
	int	 rc = open_cpus();

	if (rc == -1 && exec_tracepoint != 0) {
		log_warn("events of processes");
		exec_tracepoint = 0;
		set_clear();
		rc = open_cpus();
	}
	return rc;
}

/* Once for all sets: the buffers go on while nobody reads them. */
static int
begin_traces(void)
{
	struct msg_event	 m;
	char			 text[sizeof(ROUTE_FILTER) + 16];
	int			 i;

	memset(&m, 0, sizeof(m));
	m.kind = EVENT_TRACE_ORDER;
	if (filter[0] == '\0' || trace_add(order_dir, filter, &m) == -1)
		return -1;
	m.kind = EVENT_TRACE_ROUTE;
	for (i = 0; i < NROUTES; i++) {
		route_filter(i, text, sizeof(text));
		m.id = event_route_put(&route_event[i].layout);
		if (route_event[i].tracepoint != 0 &&
		    trace_add(route_event[i].dir, text, &m) == -1)
			log_warn("routes by tracefs");
	}
	return 0;
}

/* Of CPUs that are off line, too: their buffers stay. */
static int
open_traces(void)
{
	struct msg_event	 m;
	long			 cpu, n = sysconf(_SC_NPROCESSORS_CONF);
	int			 fd, i;

	for (cpu = 0; cpu < n && cpu < CPUS_MAX; cpu++) {
		for (i = 0; (fd = trace_open(i, (int)cpu, &m)) != -1; i++) {
			set_add()->fd = fd;
			set[nset - 1].m = m;
		}
		if (errno != ENOENT && errno != ENODEV)
			return -1;
	}
	return nset > 0 ? 0 : -1;
}

/* Enabled at the end only, when all filters are in place. */
static int
enable_all(void)
{
	int	 i;

	for (i = 0; i < nset; i++)
		if (ioctl(set[i].fd, PERF_EVENT_IOC_ENABLE, 0) == -1)
			return -1;
	return 0;
}

int
events_open(void)
{
	int	 rc = -1;

	set_clear();
	if (!trace_on() && (filter[0] != '\0' || exec_tracepoint != 0)) {
		if ((rc = open_perf()) == 0)
			rc = enable_all();
		if (rc == 0) {
			perf_works = true;
		} else {
			log_warn("perf events");
			set_clear();
		}
	}
	/* Refused from the start, and not for want of something now. */
	if (rc == -1 && !perf_works && (trace_on() || begin_traces() == 0)) {
		exec_tracepoint = 0;
		if ((rc = open_traces()) == -1) {
			log_warn("tracefs");
			set_clear();
		}
	}
	if (rc == 0)
		set[nset - 1].m.last = 1;
	return rc;
}

int
events_init(int queue_fd, uint16_t queue)
{
	int	 dir, rc;

	if ((dir = trace_mount(false)) == -1)
		return -1;
	rc = learn_address(dir, queue_fd, queue);
	if (rc == -1)
		rc = learn_signal(dir, queue_fd);
	if (want_routes)
		learn_routes(dir);
	if (read_id(dir, "events/sched/sched_process_exec/id",
	    &exec_tracepoint) == -1)
		exec_tracepoint = 0;
	(void)close(dir);
	rc = events_open() == -1 ? -1 : rc;
	if (rc == 0 && trace_on())
		log_info("order events by tracefs");
	return rc;
}

bool
events_outlive(void)
{
	return trace_on();
}

void
events_remove(void)
{
	set_clear();
	trace_remove();
}

bool
events_processes(void)
{
	return nset > 0 && exec_tracepoint != 0;
}

void
events_send(struct link *l)
{
	struct ibuf	 b;
	uint8_t		 buf[32];
	int		 fd, i;

	for (i = 0; i < nset; i++) {
		if ((fd = fcntl(set[i].fd, F_DUPFD_CLOEXEC, 0)) == -1)
			fatal("%s", __func__);
		ibuf_writer(&b, buf, sizeof(buf));
		msg_put_event(&b, &set[i].m);
		link_send_ibuf(l, MSG_EVENT, fd, &b);
	}
}

int
events_get(int n, struct msg_event *m, int *fd)
{
	if (n < 0 || n >= nset)
		return -1;
	*m = set[n].m;
	*fd = set[n].fd;
	return 0;
}

int
events_adopt(const struct msg_event *m, int fd)
{
	struct order_event	*e;

	if (nset > 0 && set[nset - 1].m.last)
		set_clear();
	e = set_add();
	e->m = *m;
	e->fd = fd;
	if ((m->kind == EVENT_ORDER || m->kind == EVENT_EXEC ||
	    m->kind == EVENT_ROUTE) && (e->ring = map_ring(fd)) == NULL)
		return -1;
	return 0;
}
