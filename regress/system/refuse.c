/*
 * SPDX-License-Identifier: ISC
 *
 * refuse CALL[:N=VALUE] PROGRAM [ARGUMENT ...]: runs a program to which the
 * kernel refuses that system call (EPERM), as in many a container; or only
 * when its argument N is of that value.
 */
#include <errno.h>
#include <inttypes.h>
#include <seccomp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int
main(int argc, char *argv[])
{
	struct scmp_arg_cmp	 only = { .op = SCMP_CMP_MASKED_EQ,
				    .datum_a = UINT32_MAX };
	scmp_filter_ctx		 ctx;
	char			*arg;
	unsigned int		 n;
	int			 call;

	if ((arg = argc < 3 ? NULL : strchr(argv[1], ':')) != NULL)
		*arg++ = '\0';
	if (argc < 3 || (call = seccomp_syscall_resolve_name(argv[1])) ==
	    __NR_SCMP_ERROR || (arg != NULL &&
	    sscanf(arg, "%u=%" SCNu64, &only.arg, &only.datum_b) != 2)) {
		(void)fprintf(stderr,
		    "usage: refuse call[:n=value] program ...\n");
		return 2;
	}
	n = arg == NULL ? 0 : 1;
	/* Root stays what it is: the program gives its rights up itself. */
	if ((ctx = seccomp_init(SCMP_ACT_ALLOW)) == NULL ||
	    seccomp_attr_set(ctx, SCMP_FLTATR_CTL_NNP, 0) != 0 ||
	    seccomp_rule_add_array(ctx, SCMP_ACT_ERRNO(EPERM), call, n,
	    &only) != 0 ||
	    seccomp_load(ctx) != 0) {
		perror("seccomp");
		return 1;
	}
	(void)execv(argv[2], argv + 2);
	perror(argv[2]);
	return 1;
}
