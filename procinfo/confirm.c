/*
 * SPDX-License-Identifier: ISC
 *
 * A path that the kernel tells of a program is what the program's own mount
 * namespace and root directory call its file.  Anybody may make himself a
 * namespace in which his program lies at /usr/bin/curl.  So a path counts as
 * this host's only when the file that this host has there is the one that
 * was executed, by device and inode number.
 *
 * Files are looked at through a descriptor of the host's root directory,
 * with statx(2) and nothing else, which the filter sees to.  Folders that are
 * closed to this process's user hide their files; then the namespace decides,
 * as it does on overlay file systems, whose numbers are not those executed.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "procinfo.h"

#define MOUNTS_MAX	(256 * 1024)	/* bytes of their list */
#define MAPS_MAX	(64 * 1024)

static bool	 have_host;
static int	 parent_dir = -1;
/* The host's are those of process 1; a service manager may have given the
   daemon a mount namespace of its own, with the same files in it. */
static struct {
	uint64_t	 mount, user;
}		 home[2];

/* The number of a namespace, of the process whose directory that is. */
static uint64_t
namespace(int dir, const char *name)
{
	char		 text[64];
	const char	*p;

	if (procpid_link(dir, name, text, sizeof(text)) == -1 ||
	    (p = strchr(text, '[')) == NULL)
		return 0;
	return strtoull(p + 1, NULL, 10);
}

static void
add_home(int i, int dir)
{
	home[i].mount = namespace(dir, "ns/mnt");
	home[i].user = namespace(dir, "ns/user");
}

void
confirm_init(bool host, uint32_t parent)
{
	int	 dir;

	have_host = host;
	if ((parent_dir = procpid_open(parent)) == -1)
		fatal("%s", __func__);
	add_home(0, parent_dir);
	if ((dir = procpid_open(1)) != -1) {
		add_home(1, dir);
		close(dir);
	}
}

bool
confirm_spaces(uint64_t mount, uint64_t user)
{
	size_t	 i;

	for (i = 0; i < sizeof(home) / sizeof(home[0]); i++)
		if (mount != 0 && mount == home[i].mount &&
		    user != 0 && user == home[i].user)
			return true;
	return false;
}

/* One that ends gives its namespaces up, last of all that is read of it. */
enum confirm
confirm_here(int dir)
{
	uint64_t	 mount = namespace(dir, "ns/mnt");

	if (mount == 0)
		return CONFIRM_UNKNOWN;
	return mount == home[0].mount || mount == home[1].mount ?
	    CONFIRM_YES : CONFIRM_NO;
}

/* The file system that is mounted there, as a program's files tell it. */
static int
find_mount(uint64_t id, struct pid_mount *m)
{
	static char	 buf[MOUNTS_MAX];
	ssize_t		 n;

	n = procpid_read(parent_dir, "mountinfo", buf, sizeof(buf));
	if (n <= 0)
		return -1;
	return pid_parse_mount(buf, (size_t)n, id, m);
}

enum confirm
confirm_path(const char *path, const struct file_id *f)
{
	struct pid_mount	 m;
	struct statx		 st;
	bool			 same;

	if (path[0] != '/')
		return CONFIRM_NO;
	if (!have_host)
		return CONFIRM_UNKNOWN;
	path += strspn(path, "/");
	memset(&st, 0, sizeof(st));
	if (statx(FD_PROC_HOST, path, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT |
	    AT_STATX_DONT_SYNC, STATX_TYPE | STATX_INO | STATX_MNT_ID, &st) ==
	    -1)
		return errno == ENOENT || errno == ENOTDIR ? CONFIRM_NO :
		    CONFIRM_UNKNOWN;
	if (!S_ISREG(st.stx_mode))
		return CONFIRM_NO;
	same = st.stx_ino == f->ino;
	if (same && st.stx_dev_major == f->major &&
	    st.stx_dev_minor == f->minor)
		return CONFIRM_YES;
	if (st.stx_dev_major == f->major && st.stx_dev_minor == f->minor)
		return CONFIRM_NO;
	/* btrfs tells programs another device than its mount has. */
	if ((st.stx_mask & STATX_MNT_ID) == 0 ||
	    find_mount(st.stx_mnt_id, &m) == -1)
		return same ? CONFIRM_UNKNOWN : CONFIRM_NO;
	if (same && m.major == f->major && m.minor == f->minor)
		return CONFIRM_YES;
	return m.overlay ? CONFIRM_UNKNOWN : CONFIRM_NO;
}

enum confirm
confirm_live(int dir, const char *exe)
{
	static char	 buf[MAPS_MAX];
	enum confirm	 here = confirm_here(dir);
	struct file_id	 f;
	ssize_t		 n;

	if (here != CONFIRM_NO)
		return here;
	n = procpid_read(dir, "maps", buf, sizeof(buf));
	if (n <= 0)
		return CONFIRM_UNKNOWN;
	return pid_parse_maps(buf, (size_t)n, exe, &f) == 0 &&
	    confirm_path(exe, &f) == CONFIRM_YES ? CONFIRM_YES : CONFIRM_NO;
}

void
confirm_mark(char *exe, size_t size)
{
	static const char	 mark[] = " (unconfirmed)";
	static const char	 gone[] = " (deleted)";
	size_t			 len = strlen(exe);

	/* The kernel's own remark says as much. */
	if (len == 0 || (len >= sizeof(gone) &&
	    strcmp(exe + len - (sizeof(gone) - 1), gone) == 0))
		return;
	if (strlcat(exe, mark, size) >= size)
		exe[0] = '\0';
}
