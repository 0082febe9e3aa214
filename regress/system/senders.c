/*
 * SPDX-License-Identifier: ISC
 *
 * Programs that send, in all the ways that make them hard to name:
 *
 *	senders drive WORKLOAD N HOST PORT [EXE]
 *	senders once KIND HOST PORT	one packet in an uncommon way
 *	senders sink PORT		takes what comes, TCP and UDP
 *	senders idle N FILES		N processes with so many descriptors
 *	senders hog			uses a CPU
 *
 * Each packet has a port of its own, from PORT on: the destination's, or for
 * inbound ones the source's.  Of each the truth is printed, one JSON object
 * a line: proto, port, pid, exe, args.  What else is started ends with its
 * standard input.
 */
#include <sys/socket.h>

#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/icmp.h>
#include <linux/io_uring.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ARGS	8
#define LIFE	900		/* seconds that anything lives at most */

union sa {
	struct sockaddr		sa;
	struct sockaddr_in	in;
	struct sockaddr_in6	in6;
};

static char		 self[4096];
static const char	*host;
static char		**own_argv;

static socklen_t
address(union sa *a, const char *text, int port)
{
	memset(a, 0, sizeof(*a));
	if (inet_pton(AF_INET, text, &a->in.sin_addr) == 1) {
		a->in.sin_family = AF_INET;
		a->in.sin_port = htons((uint16_t)port);
		return sizeof(a->in);
	}
	if (inet_pton(AF_INET6, text, &a->in6.sin6_addr) != 1)
		errx(2, "%s: no address", text);
	a->in6.sin6_family = AF_INET6;
	a->in6.sin6_port = htons((uint16_t)port);
	return sizeof(a->in6);
}

static int
open_socket(int type)
{
	union sa	a;
	int		fd;

	(void)address(&a, host, 0);
	if ((fd = socket(a.sa.sa_family, type, 0)) == -1)
		err(1, "socket");
	return fd;
}

static void
send_one(int fd, int port)
{
	union sa	a;
	socklen_t	len = address(&a, host, port);

	if (sendto(fd, "x\n", 2, 0, &a.sa, len) == -1)
		warn("port %d", port);
}

static int
connect_one(int fd, int port)
{
	union sa	a;
	socklen_t	len = address(&a, host, port);

	if (connect(fd, &a.sa, len) == -1 && errno != EINPROGRESS)
		warn("port %d", port);
	return fd;
}

/* ---- what is executed: leaf WAY HOST PORT ------------------------ */

static int
leaf(const char *way, int port)
{
	int	fd;

	if (strcmp(way, "connect") == 0) {
		connect_one(open_socket(SOCK_STREAM), port);
	} else if (strcmp(way, "leave") == 0) {
		connect_one(open_socket(SOCK_STREAM | SOCK_NONBLOCK), port);
	} else if (strcmp(way, "send") == 0) {
		send_one(open_socket(SOCK_DGRAM), port);
	} else if (strcmp(way, "become") == 0) {
		send_one(open_socket(SOCK_DGRAM), port);
		execl("/bin/sleep", "sleep", "0.01", (char *)NULL);
		return 1;
	} else if (strcmp(way, "inherit") == 0) {
		/* On descriptor 3; its creator is gone when this ends. */
		char	c;

		fd = 3;
		if (read(STDIN_FILENO, &c, 1) == -1)
			return 1;
		send_one(fd, port);
	} else {
		return 2;
	}
	return 0;
}

/* ---- the truth --------------------------------------------------- */

static void
truth(const char *proto, int port, pid_t pid, const char *exe,
    char *const argv[])
{
	int	i;

	printf("{\"proto\":\"%s\",\"port\":%d,\"pid\":%d,\"exe\":\"%s\","
	    "\"args\":[", proto, port, (int)pid, exe);
	for (i = 0; argv[i] != NULL; i++)
		printf("%s\"%s\"", i > 0 ? "," : "", argv[i]);
	puts("]}");
}

/* What a path really is, as the kernel would say it. */
static const char *
real(const char *path)
{
	static char	buf[PATH_MAX];

	return realpath(path, buf) != NULL ? buf : path;
}

/* ---- workloads --------------------------------------------------- */

static pid_t
run(char *argv[])
{
	pid_t	pid;

	if ((pid = vfork()) == 0) {
		execv(argv[0], argv);
		_exit(127);
	}
	return pid;
}

/* One program after the other, each ended before the next begins. */
static void
drive_leaf(const char *proto, const char *way, const char *exe, int port)
{
	static char	word[] = "leaf";
	char		text[16], *argv[ARGS];
	pid_t		pid;

	(void)snprintf(text, sizeof(text), "%d", port);
	argv[0] = strdup(exe);
	argv[1] = word;
	argv[2] = strdup(way);
	argv[3] = strdup(host);
	argv[4] = text;
	argv[5] = NULL;
	pid = run(argv);
	(void)waitpid(pid, NULL, 0);
	truth(proto, port, pid, exe, argv);
	free(argv[0]);
	free(argv[2]);
	free(argv[3]);
}

static void
drive_bash(int port)
{
	static char	bash[] = "/bin/bash", c[] = "-c";
	char		line[128], *argv[] = { bash, c, line, NULL };
	pid_t		pid;

	(void)snprintf(line, sizeof(line), "echo x >/dev/udp/%s/%d", host,
	    port);
	pid = run(argv);
	(void)waitpid(pid, NULL, 0);
	truth("udp", port, pid, real(bash), argv);
}

/* The middle process opens the socket, and is gone when it is used. */
static void
drive_inherit(const char *exe, int port)
{
	static char	word[] = "leaf", way[] = "inherit";
	char		text[16], *argv[ARGS];
	pid_t		mid, pid = 0;
	int		go[2], tell[2], fd;

	(void)snprintf(text, sizeof(text), "%d", port);
	argv[0] = strdup(exe);
	argv[1] = word;
	argv[2] = way;
	argv[3] = strdup(host);
	argv[4] = text;
	argv[5] = NULL;
	if (pipe2(go, O_CLOEXEC) == -1 || pipe2(tell, O_CLOEXEC) == -1)
		err(1, "pipe");
	if ((mid = fork()) == 0) {
		fd = open_socket(SOCK_DGRAM);
		if ((pid = fork()) == 0) {
			/* 3 last: it may be one of the pipes. */
			(void)dup2(go[0], STDIN_FILENO);
			(void)dup2(fd, 3);
			execv(argv[0], argv);
			_exit(127);
		}
		if (write(tell[1], &pid, sizeof(pid)) == -1)
			_exit(1);
		_exit(0);
	}
	close(tell[1]);
	if (read(tell[0], &pid, sizeof(pid)) != sizeof(pid))
		errx(1, "no child");
	(void)waitpid(mid, NULL, 0);
	close(go[0]);
	close(go[1]);
	close(tell[0]);
	(void)waitpid(pid, NULL, 0);
	truth("udp", port, pid, exe, argv);
	free(argv[0]);
	free(argv[3]);
}

static void
drive_own(const char *way, int port, int n)
{
	int	fd = -1, i;

	for (i = 0; i < n; i++) {
		if (strcmp(way, "long") == 0) {
			connect_one(open_socket(SOCK_STREAM), port + i);
			truth("tcp", port + i, getpid(), self, own_argv);
			continue;
		}
		if (fd == -1)
			fd = open_socket(SOCK_DGRAM);
		send_one(fd, port + i);
		truth("udp", port + i, getpid(), self, own_argv);
		usleep(200);
	}
}

/* From outside: only the source port, for the caller adds who listens. */
static void
drive_inbound(bool tcp, int port, int to)
{
	union sa	any;
	socklen_t	len;
	int		fd, on = 1;

	fd = open_socket(tcp ? SOCK_STREAM : SOCK_DGRAM);
	len = address(&any, strchr(host, ':') != NULL ? "::" : "0.0.0.0",
	    port);
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, &any.sa, len) == -1)
		err(1, "bind %d", port);
	if (tcp)
		(void)connect_one(fd, to);
	else
		send_one(fd, to);
	close(fd);
	printf("{\"proto\":\"%s\",\"port\":%d}\n", tcp ? "tcp" : "udp", port);
	usleep(200);
}

static int
drive(const char *what, int n, int port, const char *exe)
{
	static const struct {
		const char	*name, *proto, *way;
	} leaves[] = {
		{ "connect", "tcp", "connect" },
		{ "leave", "tcp", "leave" },
		{ "send", "udp", "send" },
		{ "become", "udp", "become" },
	};
	size_t		 j;
	int		 i;

	if (strcmp(what, "long") == 0 || strcmp(what, "many") == 0) {
		drive_own(what, port, n);
		return 0;
	}
	for (i = 0; i < n; i++) {
		if (strcmp(what, "bash") == 0)
			drive_bash(port + i);
		else if (strcmp(what, "inherit") == 0)
			drive_inherit(exe, port + i);
		else if (strncmp(what, "in", 2) == 0)
			drive_inbound(strcmp(what, "intcp") == 0, port + i,
			    8090);
		for (j = 0; j < sizeof(leaves) / sizeof(leaves[0]); j++)
			if (strcmp(what, leaves[j].name) == 0)
				drive_leaf(leaves[j].proto, leaves[j].way,
				    exe, port + i);
	}
	return 0;
}

/* ---- uncommon ways ----------------------------------------------- */

/* 77: this kernel has no such thing. */
static int
open_other(int type, int proto)
{
	union sa	a;
	int		fd;

	(void)address(&a, host, 0);
	fd = socket(a.sa.sa_family, type, proto);
	if (fd == -1 && (errno == EPROTONOSUPPORT || errno == ESOCKTNOSUPPORT))
		exit(77);
	if (fd == -1)
		err(1, "socket");
	return fd;
}

static void
once_ping(void)
{
	struct icmp6_hdr	six = { .icmp6_type = ICMP6_ECHO_REQUEST };
	struct icmphdr		four = { .type = ICMP_ECHO };
	bool			v6 = strchr(host, ':') != NULL;
	int			fd;

	fd = open_other(SOCK_DGRAM, v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP);
	(void)connect_one(fd, 0);
	if (send(fd, v6 ? (void *)&six : (void *)&four, 8, 0) == -1)
		warn("ping");
}

static void
once_mmsg(int port)
{
	struct mmsghdr	m[3];
	char		text[] = "x\n";
	struct iovec	iov = { text, 2 };
	union sa	a[3];
	int		i;

	memset(m, 0, sizeof(m));
	for (i = 0; i < 3; i++) {
		m[i].msg_hdr.msg_name = &a[i];
		m[i].msg_hdr.msg_namelen = address(&a[i], host, port + i);
		m[i].msg_hdr.msg_iov = &iov;
		m[i].msg_hdr.msg_iovlen = 1;
	}
	if (sendmmsg(open_socket(SOCK_DGRAM), m, 3, 0) != 3)
		warn("sendmmsg");
}

static void
once_sendfile(int port)
{
	off_t	at = 0;
	int	file = open(self, O_RDONLY);

	if (sendfile(connect_one(open_socket(SOCK_DGRAM), port), file, &at,
	    16) != 16)
		warn("sendfile");
}

/* By a worker thread of the kernel's, in this process's name. */
static void
once_uring(int port)
{
	struct io_uring_params	 p;
	struct io_uring_sqe	*sqe;
	char			*sq;
	unsigned int		*array, *tail;
	int			 ring;

	memset(&p, 0, sizeof(p));
	ring = (int)syscall(SYS_io_uring_setup, 4, &p);
	if (ring == -1)
		exit(77);
	sq = mmap(NULL, p.sq_off.array + p.sq_entries * sizeof(*array),
	    PROT_READ | PROT_WRITE, MAP_SHARED, ring, IORING_OFF_SQ_RING);
	sqe = mmap(NULL, p.sq_entries * sizeof(*sqe), PROT_READ | PROT_WRITE,
	    MAP_SHARED, ring, IORING_OFF_SQES);
	if (sq == MAP_FAILED || sqe == MAP_FAILED)
		err(1, "io_uring");
	sqe->opcode = IORING_OP_SEND;
	sqe->flags = IOSQE_ASYNC;
	sqe->fd = connect_one(open_socket(SOCK_DGRAM), port);
	sqe->addr = (uint64_t)(uintptr_t)"x\n";
	sqe->len = 2;
	array = (void *)(sq + p.sq_off.array);
	tail = (void *)(sq + p.sq_off.tail);
	array[0] = 0;
	__atomic_store_n(tail, 1, __ATOMIC_RELEASE);
	if (syscall(SYS_io_uring_enter, ring, 1, 1, IORING_ENTER_GETEVENTS,
	    NULL, 0) != 1)
		warn("io_uring_enter");
}

/* Sends as a program that has no file. */
static void
once_memfd(int port)
{
	char	text[16], *argv[] = { self, (char[]){ "leaf" },
		    (char[]){ "send" }, strdup(host), text, NULL };
	int	file = open(self, O_RDONLY), fd = memfd_create("none", 0);
	off_t	at = 0;

	(void)snprintf(text, sizeof(text), "%d", port);
	while (sendfile(fd, file, &at, 1 << 20) > 0)
		continue;
	printf("%d\n", (int)getpid());
	fflush(stdout);
	fexecve(fd, argv, environ);
	err(1, "fexecve");
}

static int
once(const char *kind, int port)
{
	if (strcmp(kind, "icmp") == 0)
		once_ping();
	else if (strcmp(kind, "raw") == 0)
		send_one(open_other(SOCK_RAW, 253), 0);
	else if (strcmp(kind, "udplite") == 0)
		send_one(open_other(SOCK_DGRAM, IPPROTO_UDPLITE), port);
	else if (strcmp(kind, "sctp") == 0)
		connect_one(open_other(SOCK_STREAM | SOCK_NONBLOCK,
		    IPPROTO_SCTP), port);
	else if (strcmp(kind, "tcp") == 0)
		connect_one(open_socket(SOCK_STREAM | SOCK_NONBLOCK), port);
	else if (strcmp(kind, "udp") == 0)
		send_one(open_socket(SOCK_DGRAM), port);
	else if (strcmp(kind, "sendmmsg") == 0)
		once_mmsg(port);
	else if (strcmp(kind, "sendfile") == 0)
		once_sendfile(port);
	else if (strcmp(kind, "io_uring") == 0)
		once_uring(port);
	else if (strcmp(kind, "memfd") == 0)
		once_memfd(port);
	else
		return 3;
	printf("%d\n", (int)getpid());
	return 0;
}

/* ---- the others -------------------------------------------------- */

/* Until standard input ends. */
static void
wait_end(void)
{
	char	c;

	while (read(STDIN_FILENO, &c, 1) > 0)
		continue;
}

static int
sink(int port)
{
	struct pollfd	pfd[3];
	char		buf[2048];
	union sa	a;
	socklen_t	len = address(&a, "::", port);
	int		i, fd, on = 1;

	for (i = 0; i < 2; i++) {
		fd = socket(AF_INET6, i == 0 ? SOCK_STREAM : SOCK_DGRAM, 0);
		(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on,
		    sizeof(on));
		if (bind(fd, &a.sa, len) == -1)
			err(1, "bind %d", port);
		pfd[i] = (struct pollfd){ fd, POLLIN, 0 };
	}
	if (listen(pfd[0].fd, 4096) == -1)
		err(1, "listen");
	pfd[2] = (struct pollfd){ STDIN_FILENO, POLLIN, 0 };
	truth("sink", port, getpid(), self, own_argv);
	fflush(stdout);
	while (poll(pfd, 3, -1) > 0 && pfd[2].revents == 0) {
		if (pfd[0].revents != 0 &&
		    (fd = accept(pfd[0].fd, NULL, NULL)) != -1)
			close(fd);
		if (pfd[1].revents != 0 &&
		    recv(pfd[1].fd, buf, sizeof(buf), 0) == -1)
			continue;
	}
	return 0;
}

/*
 * They end when the pipe that they read does, and this one, whatever it is
 * sent, after all of them: whoever measures next waits for that.
 */
static int
idle(int n, int files)
{
	int	fds[2], i, j;

	if (pipe(fds) == -1)
		err(1, "pipe");
	for (i = 0; i < n; i++) {
		if (fork() == 0) {
			alarm(LIFE);
			close(fds[1]);
			for (j = 3; j < files; j++)
				(void)open("/dev/null", O_RDONLY);
			(void)dup2(fds[0], STDIN_FILENO);
			wait_end();
			_exit(0);
		}
	}
	close(fds[0]);
	(void)signal(SIGTERM, SIG_IGN);
	puts("idle");
	fflush(stdout);
	wait_end();
	close(fds[1]);
	while (wait(NULL) > 0)
		continue;
	return 0;
}

static int
hog(void)
{
	struct pollfd	pfd = { STDIN_FILENO, POLLIN, 0 };
	volatile int	i;

	while (poll(&pfd, 1, 0) == 0)
		for (i = 0; i < 10000000; i++)
			continue;
	return 0;
}

static int
number(const char *text)
{
	const char	*bad;
	int		 n;

	n = (int)strtonum(text, 0, 65535, &bad);
	if (bad != NULL)
		errx(2, "%s: %s", text, bad);
	return n;
}

int
main(int argc, char *argv[])
{
	struct rlimit	rl = { 65536, 65536 };

	own_argv = argv;
	alarm(LIFE);
	if (argc == 5 && strcmp(argv[1], "leaf") == 0) {
		host = argv[3];
		return leaf(argv[2], number(argv[4]));
	}
	if (readlink("/proc/self/exe", self, sizeof(self) - 1) == -1)
		err(1, "/proc/self/exe");
	if (argc == 5 && strcmp(argv[1], "once") == 0) {
		host = argv[3];
		return once(argv[2], number(argv[4]));
	}
	(void)setrlimit(RLIMIT_NOFILE, &rl);
	setvbuf(stdout, NULL, _IOFBF, 1 << 20);
	if (argc >= 6 && strcmp(argv[1], "drive") == 0) {
		host = argv[4];
		return drive(argv[2], number(argv[3]), number(argv[5]),
		    argc > 6 ? argv[6] : self);
	}
	if (argc == 3 && strcmp(argv[1], "sink") == 0)
		return sink(number(argv[2]));
	if (argc == 4 && strcmp(argv[1], "idle") == 0)
		return idle(number(argv[2]), number(argv[3]));
	if (argc == 2 && strcmp(argv[1], "hog") == 0)
		return hog();
	errx(2, "see the head of senders.c");
}
