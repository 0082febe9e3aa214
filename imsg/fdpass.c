/*
 * SPDX-License-Identifier: ISC
 *
 * The peer may send any number of descriptors: none is kept but the first.
 */
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "fdpass.h"

ssize_t
fdpass_send(int sock, const void *buf, size_t len, int fd, int flags)
{
	union {
		struct cmsghdr	hdr;
		char		buf[CMSG_SPACE(sizeof(int))];
	} cbuf;
	struct iovec	 iov;
	struct msghdr	 mh;
	struct cmsghdr	*cm;

	memset(&mh, 0, sizeof(mh));
	memcpy(&iov.iov_base, &buf, sizeof(iov.iov_base));
	iov.iov_len = len;
	mh.msg_iov = &iov;
	mh.msg_iovlen = 1;
	if (fd != -1) {
		memset(&cbuf, 0, sizeof(cbuf));
		mh.msg_control = cbuf.buf;
		mh.msg_controllen = sizeof(cbuf.buf);
		cm = CMSG_FIRSTHDR(&mh);
		cm->cmsg_level = SOL_SOCKET;
		cm->cmsg_type = SCM_RIGHTS;
		cm->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(cm), &fd, sizeof(int));
	}
	return sendmsg(sock, &mh, MSG_NOSIGNAL | flags);
}

ssize_t
fdpass_recv(int sock, void *buf, size_t len, int *fd, bool *stray, int flags)
{
	union {
		struct cmsghdr	hdr;
		/* Room to see, and close, one more than is allowed. */
		char		buf[CMSG_SPACE(2 * sizeof(int))];
	} cbuf;
	struct iovec	 iov = { buf, len };
	struct msghdr	 mh;
	struct cmsghdr	*cm;
	size_t		 i, n;
	ssize_t		 got;
	int		 one;

	memset(&mh, 0, sizeof(mh));
	mh.msg_iov = &iov;
	mh.msg_iovlen = 1;
	mh.msg_control = cbuf.buf;
	mh.msg_controllen = sizeof(cbuf.buf);
	*fd = -1;
	*stray = false;
	if ((got = recvmsg(sock, &mh, MSG_CMSG_CLOEXEC | flags)) == -1)
		return -1;
	*stray = (mh.msg_flags & MSG_CTRUNC) != 0;
	for (cm = CMSG_FIRSTHDR(&mh); cm != NULL; cm = CMSG_NXTHDR(&mh, cm)) {
		if (cm->cmsg_level != SOL_SOCKET || cm->cmsg_type != SCM_RIGHTS)
			continue;
		n = (cm->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (i = 0; i < n; i++) {
			memcpy(&one, CMSG_DATA(cm) + i * sizeof(int),
			    sizeof(one));
			if (*fd == -1) {
				*fd = one;
				continue;
			}
			(void)close(one);
			*stray = true;
		}
	}
	return got;
}
