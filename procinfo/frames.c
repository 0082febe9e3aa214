/*
 * SPDX-License-Identifier: ISC
 *
 * Packet sockets: what is sent through one passes below the kernel rules, so
 * that the least there is to do is to say who has one.  The kernel tells of
 * sockets, not of frames, and of none by itself: they are listed when there
 * are questions anyway, so that an idle machine stays idle.
 */
#include <sys/socket.h>

#include <libmnl/libmnl.h>
#include <linux/packet_diag.h>
#include <linux/sock_diag.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "procinfo.h"

#define LOOK_NS		(5ull * 1000 * 1000 * 1000)
#define TOLD_MAX	256	/* sockets told of; a power of two */
#define NEW_MAX		8	/* owners looked for in one go */

static bool	 enabled;
static uint64_t	 looked;
static uint32_t	 told[TOLD_MAX];
static size_t	 ntold;

struct found {
	uint32_t	inode[NEW_MAX];
	uint32_t	uid[NEW_MAX];
	size_t		n;
};

static bool
was_told(uint32_t inode)
{
	size_t	 i;

	for (i = 0; i < TOLD_MAX; i++)
		if (told[i] == inode)
			return true;
	return false;
}

static void
add_found(const struct nlmsghdr *h, void *arg)
{
	const struct packet_diag_msg	*m = mnl_nlmsg_get_payload(h);
	const char			*end = (const char *)h + h->nlmsg_len;
	const struct nlattr		*attr;
	struct found			*f = arg;
	uint32_t			 uid = 0;

	if (m->pdiag_ino == 0 || f->n == NEW_MAX || was_told(m->pdiag_ino))
		return;
	for (attr = mnl_nlmsg_get_payload_offset(h, sizeof(*m));
	    mnl_attr_ok(attr, (int)(end - (const char *)attr));
	    attr = mnl_attr_next(attr))
		if (mnl_attr_get_type(attr) == PACKET_DIAG_UID &&
		    mnl_attr_validate(attr, MNL_TYPE_U32) != -1)
			uid = mnl_attr_get_u32(attr);
	f->inode[f->n] = m->pdiag_ino;
	f->uid[f->n++] = uid;
}

static void
tell(uint32_t inode, uint32_t uid)
{
	struct owner	 who;
	char		 exe[EXE_MAX], text[EXE_MAX];
	int		 dir;

	told[ntold++ & (TOLD_MAX - 1)] = inode;
	(void)strlcpy(exe, "unknown", sizeof(exe));
	if (sockown_find(inode, uid, false, true, &who) == -1) {
		log_info("frames: a program of uid %u has a packet socket; "
		    "what it sends there meets no rule", uid);
		return;
	}
	if ((dir = procpid_open(who.pid)) != -1) {
		if (procpid_exe(dir, exe, sizeof(exe)) == -1)
			(void)strlcpy(exe, "unknown", sizeof(exe));
		(void)close(dir);
	}
	(void)log_escape(text, sizeof(text), exe, strlen(exe));
	log_info("frames: [%u] %s has a packet socket; what it sends there "
	    "meets no rule", who.pid, text);
}

static int
look(void)
{
	struct packet_diag_req	 req;
	struct found		 found;
	size_t			 i;

	memset(&req, 0, sizeof(req));
	req.sdiag_family = AF_PACKET;
	req.pdiag_show = PACKET_SHOW_INFO;
	found.n = 0;
	if (diag_dump(&req, sizeof(req), sizeof(struct packet_diag_msg),
	    add_found, &found) == -1)
		return -1;
	for (i = 0; i < found.n; i++)
		tell(found.inode[i], found.uid[i]);
	return 0;
}

void
frames_init(void)
{
	enabled = look() == 0;
	looked = now_ns();
	if (!enabled)
		log_info("frames: this kernel cannot be asked about packet "
		    "sockets (sock_diag)");
}

void
frames_look(void)
{
	uint64_t	 now = now_ns();

	if (!enabled || now - looked < LOOK_NS)
		return;
	looked = now;
	(void)look();
}
