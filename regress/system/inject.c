/*
 * SPDX-License-Identifier: ISC
 *
 * Makes another process do a system call, as code that took it over would:
 *
 *	inject PID NAME
 *	inject PID say FD HEX
 *
 * NAME is getppid, socket or execve, which the process does not survive.  With
 * say it writes these bytes to that descriptor of its own, as to a link, and
 * goes on where it was.  Needs to be root, and waits until the
 * process sleeps in a system call of its own.  Exit status 77: not possible
 * on this machine.
 */
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/user.h>
#include <sys/wait.h>

#include <err.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#if !defined(__x86_64__)
int
main(void)
{
	return 77;
}
#else

#define TRIES		50
#define SYSCALL_BYTES	0x050f	/* the instruction, low byte first */

static const struct {
	const char		*name;
	unsigned long long	 number, arg[3];
} calls[] = {
	{ "getppid", SYS_getppid, { 0, 0, 0 } },
	{ "socket", SYS_socket, { 2, 1, 0 } },
	{ "execve", SYS_execve, { 0, 0, 0 } },
};
#define NCALLS	(sizeof(calls) / sizeof(calls[0]))

static uint8_t	words[256];
static size_t	nwords;		/* a multiple of eight, but for the end */

static void
stop(pid_t pid)
{
	int	status;

	if (ptrace(PTRACE_INTERRUPT, pid, 0, 0) == -1)
		err(1, "interrupt %d", (int)pid);
	if (waitpid(pid, &status, 0) == -1 || !WIFSTOPPED(status))
		errx(1, "%d is gone", (int)pid);
}

/* Stopped, and right behind a system call instruction? */
static int
behind_call(pid_t pid, struct user_regs_struct *regs)
{
	long	word;

	if (ptrace(PTRACE_GETREGS, pid, 0, regs) == -1)
		err(1, "registers");
	errno = 0;
	word = ptrace(PTRACE_PEEKTEXT, pid, regs->rip - 2, 0);
	return errno == 0 && (word & 0xffff) == SYSCALL_BYTES;
}

static void
read_hex(const char *hex)
{
	unsigned int	byte;

	for (; hex[0] != '\0' && hex[1] != '\0'; hex += 2) {
		if (nwords == sizeof(words) ||
		    sscanf(hex, "%2x", &byte) != 1)
			errx(2, "not so many bytes in hexadecimal");
		words[nwords++] = (uint8_t)byte;
	}
}

/* Until the process enters or leaves a call; false when it was killed. */
static bool
until_call(pid_t pid)
{
	int	status;

	return ptrace(PTRACE_SYSCALL, pid, 0, 0) == 0 &&
	    waitpid(pid, &status, 0) == pid && WIFSTOPPED(status);
}

/* As if the call it slept in had been interrupted. */
static void
say(pid_t pid, int fd, const struct user_regs_struct *was)
{
	struct user_regs_struct	regs = *was;
	size_t			i;
	long			word;

	regs.rip -= 2;
	regs.rax = SYS_sendto;
	regs.orig_rax = (unsigned long long)-1;
	regs.rdi = (unsigned long long)fd;
	regs.rsi = (was->rsp - 1024) & ~7ULL;
	regs.rdx = nwords;
	regs.r10 = MSG_NOSIGNAL | MSG_DONTWAIT;
	regs.r8 = regs.r9 = 0;
	for (i = 0; i < nwords; i += sizeof(word)) {
		memcpy(&word, words + i, sizeof(word));
		if (ptrace(PTRACE_POKEDATA, pid, regs.rsi + i, word) == -1)
			err(1, "memory");
	}
	if (ptrace(PTRACE_SETREGS, pid, 0, &regs) == -1)
		err(1, "registers");
	if (!until_call(pid))
		errx(1, "%d is gone", (int)pid);
	/* Who heard it may be the faster one. */
	if (!until_call(pid))
		exit(0);
	if (ptrace(PTRACE_GETREGS, pid, 0, &regs) == -1) {
		if (errno == ESRCH)
			exit(0);
		err(1, "registers");
	}
	if (regs.rax != nwords)
		errx(1, "sendto: %lld", (long long)regs.rax);
	regs = *was;
	regs.rax = (unsigned long long)-EINTR;
	regs.orig_rax = (unsigned long long)-1;
	if (ptrace(PTRACE_SETREGS, pid, 0, &regs) == -1 && errno != ESRCH)
		err(1, "registers");
}

static void
call(pid_t pid, const char *name, struct user_regs_struct *regs)
{
	size_t	i;

	for (i = 0; i < NCALLS && strcmp(name, calls[i].name) != 0; i++)
		continue;
	if (i == NCALLS)
		errx(2, "%s?", name);
	regs->rip -= 2;
	regs->rax = calls[i].number;
	regs->orig_rax = (unsigned long long)-1;
	regs->rdi = calls[i].arg[0];
	regs->rsi = calls[i].arg[1];
	regs->rdx = calls[i].arg[2];
	if (ptrace(PTRACE_SETREGS, pid, 0, regs) == -1)
		err(1, "registers");
}

int
main(int argc, char *argv[])
{
	struct user_regs_struct	regs;
	const char		*bad;
	pid_t			 pid;
	int			 fd = -1, n;

	if (argc != 3 && (argc != 5 || strcmp(argv[2], "say") != 0))
		errx(2, "usage: inject pid name | pid say fd hex");
	pid = (pid_t)strtonum(argv[1], 2, INT32_MAX, &bad);
	if (bad == NULL && argc == 5) {
		fd = (int)strtonum(argv[3], 0, INT32_MAX, &bad);
		read_hex(argv[4]);
	}
	if (bad != NULL)
		errx(2, "a number is %s", bad);
	if (ptrace(PTRACE_SEIZE, pid, 0, 0) == -1) {
		warn("seize %d", (int)pid);
		return errno == EPERM || errno == ENOSYS ? 77 : 1;
	}
	for (n = 0; n < TRIES; n++) {
		stop(pid);
		if (behind_call(pid, &regs))
			break;
		(void)ptrace(PTRACE_CONT, pid, 0, 0);
		(void)usleep(2000);
	}
	if (n == TRIES)
		errx(1, "%d does not sleep", (int)pid);
	if (fd == -1)
		call(pid, argv[2], &regs);
	else
		say(pid, fd, &regs);
	if (ptrace(PTRACE_DETACH, pid, 0, 0) == -1 && errno != ESRCH)
		err(1, "detach");
	return 0;
}
#endif
