/*
 * SPDX-License-Identifier: ISC
 *
 * Makes another process do a system call, as code that took it over would:
 *
 *	inject PID NAME
 *
 * NAME is getppid, socket or execve.  Needs to be root, and waits until the
 * process sleeps in a system call of its own.  Exit status 77: not possible
 * on this machine.
 */
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/user.h>
#include <sys/wait.h>

#include <err.h>
#include <errno.h>
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

int
main(int argc, char *argv[])
{
	struct user_regs_struct	regs;
	const char		*bad;
	pid_t			 pid;
	size_t			 i;
	int			 n;

	if (argc != 3)
		errx(2, "usage: inject pid name");
	pid = (pid_t)strtonum(argv[1], 2, INT32_MAX, &bad);
	if (bad != NULL)
		errx(2, "%s: %s", argv[1], bad);
	for (i = 0; i < NCALLS && strcmp(argv[2], calls[i].name) != 0; i++)
		continue;
	if (i == NCALLS)
		errx(2, "%s?", argv[2]);
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
	regs.rip -= 2;
	regs.rax = calls[i].number;
	regs.orig_rax = (unsigned long long)-1;
	regs.rdi = calls[i].arg[0];
	regs.rsi = calls[i].arg[1];
	regs.rdx = calls[i].arg[2];
	if (ptrace(PTRACE_SETREGS, pid, 0, &regs) == -1)
		err(1, "registers");
	if (ptrace(PTRACE_DETACH, pid, 0, 0) == -1)
		err(1, "detach");
	return 0;
}
#endif
