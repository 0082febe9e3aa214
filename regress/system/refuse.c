/*
 * SPDX-License-Identifier: ISC
 *
 * refuse CALL PROGRAM [ARGUMENT ...]: runs a program to which the kernel
 * refuses that system call (EPERM), as in many a container.
 */
#include <errno.h>
#include <seccomp.h>
#include <stdio.h>
#include <unistd.h>

int
main(int argc, char *argv[])
{
	scmp_filter_ctx	 ctx;
	int		 call;

	if (argc < 3 || (call = seccomp_syscall_resolve_name(argv[1])) ==
	    __NR_SCMP_ERROR) {
		(void)fprintf(stderr, "usage: refuse call program ...\n");
		return 2;
	}
	/* Root stays what it is: the program gives its rights up itself. */
	if ((ctx = seccomp_init(SCMP_ACT_ALLOW)) == NULL ||
	    seccomp_attr_set(ctx, SCMP_FLTATR_CTL_NNP, 0) != 0 ||
	    seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EPERM), call, 0) != 0 ||
	    seccomp_load(ctx) != 0) {
		perror("seccomp");
		return 1;
	}
	(void)execv(argv[2], argv + 2);
	perror(argv[2]);
	return 1;
}
