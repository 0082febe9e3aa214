/*
 * SPDX-License-Identifier: ISC
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "procpid_parse.h"

static int	 failed;
static char	 why[256];

static void __attribute__((__format__(printf, 1, 2)))
fail(const char *fmt, ...)
{
	va_list	 ap;

	if (why[0] != '\0')
		return;
	va_start(ap, fmt);
	vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
}

static void
check(const char *name, void (*fn)(void))
{
	why[0] = '\0';
	fn();
	if (why[0] == '\0') {
		printf("ok procpid: %s\n", name);
	} else {
		printf("not ok procpid: %s: %s\n", name, why);
		failed = 1;
	}
}

#define TAIL	" 1 0 -1 4194560 1 0 0 0 4 -1 0 0 20 0 1 0 98765 2 3\n"

static void
stat_plain(void)
{
	static const char	 text[] = "812 (sshd) S 1 812" TAIL;
	struct pid_stat		 st;

	if (pid_parse_stat(text, strlen(text), &st) == -1)
		fail("refused");
	if (st.pid != 812 || st.ppid != 1 || st.state != 'S' ||
	    st.start != 98765)
		fail("%u %u %c %llu", st.pid, st.ppid, st.state,
		    (unsigned long long)st.start);
}

/* A name made to look like the fields behind it. */
static void
stat_forged(void)
{
	static const char	 text[] =
	    "7 (a) R 666 6\n(b) Z 667) S 5 7" TAIL;
	struct pid_stat		 st;

	if (pid_parse_stat(text, strlen(text), &st) == -1)
		fail("refused");
	if (st.pid != 7 || st.ppid != 5 || st.start != 98765)
		fail("taken in: %u %u", st.pid, st.ppid);
}

static void
stat_bad(void)
{
	static const char *const	 bad[] = {
		"", "7", "7 (a", "7 (a)", "7 (a) S", "7 (a) S x",
		"(a) S 5 7" TAIL, "7(a) S 5 7" TAIL, "x (a) S 5 7" TAIL,
		"99999999 (a) S 5 7" TAIL, "7 (a) S 99999999 7" TAIL,
		"7 (a) S 5 1 1 0 -1 4194560 1 0 0 0 4 -1 0 0 20 0 1 0",
		"7 (a) S 5 1 1 0 -1 4194560 1 0 0 0 4 -1 0 0 20 0 1 0 -5",
		"7 (a) S 5 1 1 0 -1 1 1 0 0 0 4 -1 0 0 20 0 1 0 "
		    "99999999999999999999",
	};
	struct pid_stat			 st;
	size_t				 i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (pid_parse_stat(bad[i], strlen(bad[i]), &st) == 0)
			fail("accepted \"%s\"", bad[i]);
}

static void
status_uids(void)
{
	static const char	 text[] = "Name:\tx\\nUid: 9\nUmask:\t0022\n"
				    "Uid:\t1000\t0\t7\t4294967294\nGid:\t1\n";
	struct pid_uids		 u;

	if (pid_parse_uids(text, strlen(text), &u) == -1)
		fail("refused");
	if (u.id[0] != 1000 || u.id[1] != 0 || u.id[2] != 7 ||
	    u.id[3] != 4294967294u)
		fail("%u %u %u %u", u.id[0], u.id[1], u.id[2], u.id[3]);
	if (pid_parse_uids("Uid:\t1\t2\t3\n", 11, &u) == 0 ||
	    pid_parse_uids("Uid:\t1\t2\t3\t4294967296\n", 22, &u) == 0 ||
	    pid_parse_uids("Gid:\t1\t2\t3\t4\n", 13, &u) == 0)
		fail("accepted a bad line");
}

static void
fdinfo(void)
{
	static const char	 text[] = "pos:\t0\nflags:\t02000002\n"
				    "mnt_id:\t9\nino:\t4294967297\nscm_fds: 0\n";
	struct pid_fdinfo	 fi;

	if (pid_parse_fdinfo(text, strlen(text), &fi) == -1)
		fail("refused");
	if (fi.ino != 4294967297ull || fi.mnt_id != 9 || !fi.cloexec)
		fail("%llu %u %d", (unsigned long long)fi.ino, fi.mnt_id,
		    fi.cloexec);
	if (pid_parse_fdinfo("pos:\t0\nflags:\t02\nmnt_id:\t9\nino:\t5\n", 36,
	    &fi) == -1 || fi.cloexec)
		fail("close-on-exec seen where there is none");
}

static void
fdinfo_bad(void)
{
	static const char *const	 bad[] = {
		"", "pos:\t0\nflags:\t02\nmnt_id:\t9\n",	/* before 5.14 */
		"pos:\t0\nflags:\t02\nino:\t9\n", "ino:\t9\n",
		"flags:\t9\nmnt_id:\t9\nino:\t5\n",	/* 9 is not octal */
		"flags:\t02\nmnt_id:\t9\nino:\tx\n",
		"flags:\t02\nmnt_id:\t9 ino:\t5\n",
	};
	struct pid_fdinfo		 fi;
	size_t				 i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (pid_parse_fdinfo(bad[i], strlen(bad[i]), &fi) == 0)
			fail("accepted \"%s\"", bad[i]);
}

static void
expect_unit(const char *text, const char *want)
{
	char	 unit[16];
	int	 rc;

	rc = pid_parse_cgroup(text, strlen(text), unit, sizeof(unit));
	if (want == NULL ? rc != -1 : rc == -1 || strcmp(unit, want) != 0)
		fail("\"%s\" gave %d \"%s\"", text, rc, unit);
}

static void
cgroup(void)
{
	expect_unit("0::/init.scope\n", "/init.scope");
	expect_unit("3:cpu,cpuacct:/a\n0::/a:b\n", "/a:b");
	expect_unit("0::/", "/");
	expect_unit("0::/123456789abcde\n", "/123456789abcde");
	expect_unit("0::/123456789abcdef\n", NULL);
	expect_unit("", NULL);
	expect_unit("\n", NULL);
	expect_unit("0::\n", NULL);
	expect_unit("0:/x\n", NULL);
	expect_unit("0::x\n", NULL);
}

static void
names(void)
{
	static const char *const	 bad[] = { "", ".", "0", "01", "self",
					    "1a", "-1", " 1", "4194305",
					    "99999999999999999999" };
	uint32_t			 pid;
	size_t				 i;

	if (pid_parse_name("4194304", &pid) == -1 || pid != 4194304)
		fail("4194304 refused");
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (pid_parse_name(bad[i], &pid) == 0)
			fail("accepted \"%s\"", bad[i]);
}

static void
args(void)
{
	static char	 in[ARGS_MAX + 10], out[ARGS_MAX];
	uint16_t	 len;
	uint8_t		 cut;

	pid_parse_args("ls\0-l\0", 6, out, &len, &cut);
	if (len != 6 || cut || memcmp(out, "ls\0-l\0", 6) != 0)
		fail("ls -l: %u %u", len, cut);
	pid_parse_args("", 0, out, &len, &cut);
	if (len != 0 || cut)
		fail("none: %u %u", len, cut);
	/* A title written over the arguments, without a NUL. */
	pid_parse_args("nginx: worker", 13, out, &len, &cut);
	if (len != 14 || cut || strcmp(out, "nginx: worker") != 0)
		fail("title: %u %u", len, cut);
	memset(in, 'x', sizeof(in));
	pid_parse_args(in, ARGS_MAX + 1, out, &len, &cut);
	if (len != ARGS_MAX || !cut || out[ARGS_MAX - 1] != '\0')
		fail("long: %u %u", len, cut);
	pid_parse_args(in, ARGS_MAX, out, &len, &cut);
	if (len != ARGS_MAX || !cut || out[ARGS_MAX - 1] != '\0')
		fail("full: %u %u", len, cut);
	in[ARGS_MAX - 1] = '\0';
	pid_parse_args(in, ARGS_MAX, out, &len, &cut);
	if (len != ARGS_MAX || cut)
		fail("fits: %u %u", len, cut);
}

static int
one_map(const char *text, const char *path, struct file_id *f)
{
	return pid_parse_maps(text, strlen(text), path, f);
}

static void
maps(void)
{
	static const char	 text[] =
	    "55d0-55d1 r--p 00000000 fd:01 1234    /usr/bin/curl\n"
	    "55d1-55d2 r-xp 00001000 fd:01 1234    /usr/bin/curl\n"
	    "7f00-7f01 r-xp 00000000 fd:02 99      /opt/my lib/a.so\n"
	    "7ffd-7ffe rw-p 00000000 00:00 0       [stack]\n";
	struct file_id		 f;

	if (one_map(text, "/usr/bin/curl", &f) != 0 || f.major != 0xfd ||
	    f.minor != 1 || f.ino != 1234)
		fail("curl: %u %u", f.major, f.minor);
	if (one_map(text, "/opt/my lib/a.so", &f) != 0 || f.ino != 99)
		fail("a path with a space");
	if (one_map(text, "/usr/bin/cur", &f) != -1 ||
	    one_map(text, "curl", &f) != -1 || one_map("", "a", &f) != -1)
		fail("another path");
	/* Two files of one name: one of them pretends. */
	if (one_map("1-2 r-xp 0 08:01 7 /a\n3-4 r-xp 0 08:01 8 /a\n", "/a",
	    &f) != -1)
		fail("two files");
	if (one_map("1-2 r-xp 0 zz:01 7 /a\n", "/a", &f) != -1 ||
	    one_map("1-2 r-xp 0 0801 7 /a\n", "/a", &f) != -1 ||
	    one_map("1-2 r-xp 0 08:01 x /a\n", "/a", &f) != -1)
		fail("malformed");
}

static void
mounts(void)
{
	static const char	 text[] =
	    "22 28 0:21 / /sys rw,nosuid shared:7 - sysfs sysfs rw\n"
	    "28 1 0:29 / / rw,relatime - overlay overlay rw,lowerdir=/a\n"
	    "30 28 0:31 /@home /home rw - btrfs /dev/sda2 rw\n"
	    "31 28 8:1 / /x\n";
	struct pid_mount	 m;

	if (pid_parse_mount(text, strlen(text), 30, &m) != 0 ||
	    m.major != 0 || m.minor != 31 || m.overlay)
		fail("btrfs");
	if (pid_parse_mount(text, strlen(text), 28, &m) != 0 || !m.overlay)
		fail("overlay");
	if (pid_parse_mount(text, strlen(text), 31, &m) != -1 ||
	    pid_parse_mount(text, strlen(text), 2, &m) != -1 ||
	    pid_parse_mount(text, 0, 28, &m) != -1)
		fail("malformed or none");
}

int
main(void)
{
	check("maps", maps);
	check("mountinfo", mounts);
	check("stat", stat_plain);
	check("stat with a forged name", stat_forged);
	check("stat, malformed", stat_bad);
	check("status, users", status_uids);
	check("fdinfo", fdinfo);
	check("fdinfo, malformed", fdinfo_bad);
	check("cgroup", cgroup);
	check("process names", names);
	check("arguments", args);
	return failed;
}
