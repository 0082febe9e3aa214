/*
 * SPDX-License-Identifier: ISC
 *
 * Identity, capabilities, root, limits and Landlock of each process.  The
 * order is the same everywhere: root directory, then identity together with
 * capabilities, proof that root is gone for good, limits, not dumpable,
 * no_new_privs, Landlock, and the syscall filter (filter.c) last.
 */
#include <cap-ng.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "filter.h"
#include "log.h"
#include "sandbox.h"

#define CAP_NONE	(-1)
#define MB		(1024UL * 1024UL)

/* The rules file ruled may hand over: ten thousand lines of full length. */
#define RULED_FILE_MAX	(16 * MB)
/* Event descriptors of procinfo per CPU: two sets of six while renewed, and
   one to talk to the CPU's thread. */
#define FDS_PER_CPU	13
/* Event rings per CPU, should the kernel count them as locked memory. */
#define RINGS_PER_CPU	(4 * MB)

static char	missing[256];

/*
 * Landlock as of its sixth version.  Declared here because the headers of
 * stable distributions know less than the kernels that run there may offer;
 * an older kernel accepts a shorter struct.
 */
struct landlock_attr {
	uint64_t	fs;
	uint64_t	net;		/* from version 4 */
	uint64_t	scoped;		/* from version 6 */
};

static const struct {
	int		 abi;
	uint64_t	 fs, net, scoped;
	size_t		 size;
	const char	*name;
} landlock_layers[] = {
	{ 1, 0x1fff, 0, 0, 8, "landlock" },
	{ 2, 1 << 13, 0, 0, 8, "landlock-refer" },
	{ 3, 1 << 14, 0, 0, 8, "landlock-truncate" },
	{ 4, 0, 0x3, 0, 16, "landlock-net" },
	{ 5, 1 << 15, 0, 0, 16, "landlock-ioctl" },
	{ 6, 0, 0, 0x3, 24, "landlock-scope" },
};
#define NLAYERS	(sizeof(landlock_layers) / sizeof(landlock_layers[0]))

static void
layer_missing(const char *name)
{
	size_t	len = strlen(missing);

	if (snprintf(missing + len, sizeof(missing) - len, "%s%s",
	    len == 0 ? "" : ", ", name) >= (int)(sizeof(missing) - len))
		fatalx("too many missing layers");
}

/*
 * localtime(3) looks at its file again each time unless a zone is named, and
 * there will be no file.
 */
static void
keep_zone(void)
{
	if (setenv("TZ", ":/etc/localtime", 0) == -1)
		fatal("setenv");
	tzset();
}

/* Linux 5.14; the C library's header may be older. */
#ifndef MOUNT_ATTR_NOSYMFOLLOW
#define MOUNT_ATTR_NOSYMFOLLOW 0x00200000
#endif

static int
detached_mount(const char *type, const char *key, const char *value)
{
	int	fs, fd;

	if ((fs = fsopen(type, FSOPEN_CLOEXEC)) == -1)
		fatal("fsopen %s", type);
	if (fsconfig(fs, FSCONFIG_SET_STRING, key, value, 0) == -1 ||
	    fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) == -1)
		fatal("%s: %s=%s", type, key, value);
	fd = fsmount(fs, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID |
	    MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC | MOUNT_ATTR_RDONLY |
	    MOUNT_ATTR_NOSYMFOLLOW);
	if (fd == -1)
		fatal("fsmount %s", type);
	(void)close(fs);
	return (fd);
}

int
sandbox_mount_empty(void)
{
	return (detached_mount("tmpfs", "mode", "0555"));
}

int
sandbox_mount_proc(void)
{
	return (detached_mount("proc", "subset", "pid"));
}

/* The mount the parent handed down becomes the whole file system. */
static void
enter_root(void)
{
	keep_zone();
	if (fchdir(FD_ROOT) == -1)
		fatal("root directory: fchdir");
	if (chroot(".") == -1)
		fatal("root directory: chroot");
	if (chdir("/") == -1)
		fatal("root directory: chdir");
	if (close(FD_ROOT) == -1)
		fatal("root directory: close");
}

/* Whoever can become root again has not dropped anything. */
static void
prove_identity(uid_t uid, gid_t gid)
{
	uid_t	ru, eu, su;
	gid_t	rg, eg, sg;

	if (setresuid(0, 0, 0) == 0 || setuid(0) == 0 || seteuid(0) == 0 ||
	    setresgid(0, 0, 0) == 0 || setgid(0) == 0 || setegid(0) == 0)
		fatalx("root could be taken back");
	if (getresuid(&ru, &eu, &su) == -1 || getresgid(&rg, &eg, &sg) == -1)
		fatal("getresuid");
	if (ru != uid || eu != uid || su != uid ||
	    rg != gid || eg != gid || sg != gid)
		fatalx("identity is not %u:%u", uid, gid);
	if (getgroups(0, NULL) != 0)
		fatalx("supplementary groups are left");
}

/* Exactly this capability, or none; and none to hand on. */
static void
prove_capabilities(int cap)
{
	struct __user_cap_header_struct	hdr;
	struct __user_cap_data_struct	data[2];
	uint64_t			have, want, inherit;
	int				i;

	memset(&hdr, 0, sizeof(hdr));
	memset(data, 0, sizeof(data));
	hdr.version = _LINUX_CAPABILITY_VERSION_3;
	if (syscall(SYS_capget, &hdr, data) == -1)
		fatal("capget");
	want = cap == CAP_NONE ? 0 : UINT64_C(1) << cap;
	have = (uint64_t)data[1].permitted << 32 | data[0].permitted;
	inherit = (uint64_t)data[1].inheritable << 32 | data[0].inheritable;
	if (have != want || inherit != 0 ||
	    ((uint64_t)data[1].effective << 32 | data[0].effective) != want)
		fatalx("capabilities are not those wanted");
	for (i = 0; prctl(PR_CAPBSET_READ, i) != -1; i++)
		if (prctl(PR_CAPBSET_READ, i) != 0 ||
		    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, i, 0, 0) == 1)
			fatalx("capability %d is left in a set", i);
}

/*
 * libcap-ng does what needs care: keep the one capability across the change
 * of user, empty the bounding set while that is still allowed.
 */
static void
take_identity(uid_t uid, gid_t gid, int cap)
{
	int	rc;

	if (uid == 0 || gid == 0)
		fatalx("no identity to take: user and group must not be 0");
	capng_clear(CAPNG_SELECT_ALL);
	if (cap != CAP_NONE && capng_update(CAPNG_ADD,
	    CAPNG_EFFECTIVE | CAPNG_PERMITTED, (unsigned int)cap) != 0)
		fatalx("capng_update failed");
	rc = capng_change_id((int)uid, (int)gid, CAPNG_DROP_SUPP_GRP |
	    CAPNG_CLEAR_BOUNDING | CAPNG_CLEAR_AMBIENT);
	if (rc != 0)
		fatalx("change of identity to %u:%u failed (%d)", uid, gid,
		    rc);
	prove_identity(uid, gid);
	prove_capabilities(cap);
}

/* Only ever lower: raising would need a capability that is gone. */
static void
limit(int resource, rlim_t max)
{
	struct rlimit	rl;

	if (getrlimit((__rlimit_resource_t)resource, &rl) == -1)
		fatal("getrlimit %d", resource);
	if (rl.rlim_max > max)
		rl.rlim_max = max;
	rl.rlim_cur = rl.rlim_max;
	if (setrlimit((__rlimit_resource_t)resource, &rl) == -1)
		fatal("setrlimit %d", resource);
}

/*
 * file: longest file, memfds included; fds: descriptors; data: private memory,
 * many times what the process needs at its worst, so that one gone wild ends
 * itself and not the machine.
 */
static void
limits(rlim_t file, rlim_t fds, rlim_t data, rlim_t locked)
{
	limit(RLIMIT_NPROC, 0);
	limit(RLIMIT_CORE, 0);
	limit(RLIMIT_MSGQUEUE, 0);
	limit(RLIMIT_RTPRIO, 0);
	limit(RLIMIT_NICE, 0);
	limit(RLIMIT_FSIZE, file);
	limit(RLIMIT_NOFILE, fds);
	limit(RLIMIT_MEMLOCK, locked);
#ifndef NO_SANDBOX_FILTER
	limit(RLIMIT_DATA, data);
#else
	(void)data;		/* sanitizers map terabytes */
#endif
	/* Over the limit write(2) shall fail, not kill. */
	if (signal(SIGXFSZ, SIG_IGN) == SIG_ERR)
		fatal("signal");
}

static void
no_new_privileges(void)
{
	/*
	 * Equals may signal and, while dumpable, read each other's memory:
	 * three children share a user.
	 */
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == -1)
		fatal("PR_SET_DUMPABLE");
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1)
		fatal("PR_SET_NO_NEW_PRIVS");
}

/*
 * Everything that this kernel's Landlock handles, and nothing of it allowed.
 * Not for procinfo and the parent: a domain is inherited and takes away
 * the reading of other processes' /proc entries.
 */
static void
landlock(void)
{
	struct landlock_attr	attr;
	size_t			i, size = 0;
	long			abi;
	int			fd;

	abi = syscall(SYS_landlock_create_ruleset, NULL, 0, 1);
	if (abi == -1 && errno != ENOSYS && errno != EOPNOTSUPP)
		fatal("landlock version");
	memset(&attr, 0, sizeof(attr));
	for (i = 0; i < NLAYERS; i++) {
		if (abi < landlock_layers[i].abi) {
			layer_missing(landlock_layers[i].name);
			continue;
		}
		attr.fs |= landlock_layers[i].fs;
		attr.net |= landlock_layers[i].net;
		attr.scoped |= landlock_layers[i].scoped;
		size = landlock_layers[i].size;
	}
	if (size == 0)
		return;
	fd = (int)syscall(SYS_landlock_create_ruleset, &attr, size, 0);
	if (fd == -1)
		fatal("landlock_create_ruleset");
	if (syscall(SYS_landlock_restrict_self, fd, 0) == -1)
		fatal("landlock_restrict_self");
	close(fd);
}

void
sandbox_prepare(enum role role)
{
#ifdef NO_SANDBOX_FILTER
	(void)role;
#else
	filter_prepare(role);
#endif
}

static void
filter(enum role role)
{
#ifdef NO_SANDBOX_FILTER
	(void)role;
	layer_missing("seccomp");
#else
	filter_load(role);
#endif
}

void
sandbox_netq(uid_t uid, gid_t gid)
{
	sandbox_prepare(ROLE_NETQ);
	enter_root();
	take_identity(uid, gid, CAP_NET_ADMIN);
	limits(0, FILTER_NETQ_FDS, 256 * MB, 0);
	no_new_privileges();
	landlock();
	filter(ROLE_NETQ);
}

void
sandbox_procinfo(uid_t uid, gid_t gid, void (*threads)(void))
{
	long	ncpu;
	rlim_t	fds;

	if ((ncpu = sysconf(_SC_NPROCESSORS_CONF)) < 1)
		ncpu = 1;
	fds = 64 + FDS_PER_CPU * (rlim_t)ncpu;
	sandbox_prepare(ROLE_PROCINFO);
	enter_root();
	take_identity(uid, gid, CAP_SYS_PTRACE);
	/* They get this identity, not root's, and after this there are none. */
	threads();
	limits(0, fds < FILTER_PROC_FDS ? fds : FILTER_PROC_FDS, 512 * MB,
	    RINGS_PER_CPU * (rlim_t)ncpu);
	no_new_privileges();
	filter(ROLE_PROCINFO);
}

void
sandbox_ruled(uid_t uid, gid_t gid)
{
	sandbox_prepare(ROLE_RULED);
	enter_root();
	take_identity(uid, gid, CAP_NONE);
	limits(RULED_FILE_MAX, 256, 1024 * MB, 0);
	no_new_privileges();
	landlock();
	filter(ROLE_RULED);
}

void
sandbox_prompter_identity(uid_t uid, gid_t gid)
{
	take_identity(uid, gid, CAP_SYS_CHROOT);
	no_new_privileges();
}

void
sandbox_prompter(void)
{
	sandbox_prepare(ROLE_PROMPTER);
	enter_root();
	capng_clear(CAPNG_SELECT_CAPS);
	if (capng_apply(CAPNG_SELECT_CAPS) != 0)
		fatalx("capabilities could not be dropped");
	prove_capabilities(CAP_NONE);
	limits(0, 64, 512 * MB, 0);
	no_new_privileges();
	landlock();
	filter(ROLE_PROMPTER);
}

/*
 * uid 0 owns what it writes and so needs nothing to pass over permissions.
 * CAP_CHOWN and CAP_FOWNER keep owner and mode of a rules file that belongs
 * to somebody else; CAP_NET_ADMIN and CAP_SYS_PTRACE are there to be handed
 * down, CAP_SYS_NICE for a restarted procinfo to set its priority with.
 */
void
sandbox_parent(void)
{
	capng_clear(CAPNG_SELECT_ALL);
	if (capng_updatev(CAPNG_ADD,
	    CAPNG_EFFECTIVE | CAPNG_PERMITTED | CAPNG_BOUNDING_SET,
	    CAP_SETUID, CAP_SETGID, CAP_SETPCAP, CAP_SYS_CHROOT, CAP_KILL,
	    CAP_CHOWN, CAP_FOWNER, CAP_NET_ADMIN, CAP_SYS_PTRACE,
	    CAP_SYS_NICE, -1) != 0)
		fatalx("capng_updatev failed");
	if (capng_apply(CAPNG_SELECT_ALL) != 0)
		fatalx("capabilities could not be reduced");
	limit(RLIMIT_CORE, 0);
	no_new_privileges();
	filter(ROLE_PARENT);
}

/*
 * `ruled -n` run by anybody: without root there is the filter, which needs
 * none.  As root it is the whole sandbox, and FD_ROOT must be there.
 */
void
sandbox_check_only(uid_t uid, gid_t gid)
{
	if (geteuid() == 0) {
		sandbox_ruled(uid, gid);
		return;
	}
	sandbox_prepare(ROLE_RULED);
	keep_zone();
	limits(RULED_FILE_MAX, 256, 1024 * MB, 0);
	no_new_privileges();
	landlock();
	filter(ROLE_RULED);
}

const char *
sandbox_missing(void)
{
	return (missing);
}

void
sandbox_print(FILE *fp, enum role role)
{
	filter_print(fp, role);
}
