/* SPDX-License-Identifier: Apache-2.0 */
#include "core/worker/private.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

enum { FDS_MAX = 4 };

bool wire_read(int fd, void *to, size_t n)
{
	char *p = to;

	while (n > 0) {
		ssize_t got = recv(fd, p, n, 0);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return false;
		p += got;
		n -= (size_t)got;
	}
	return true;
}

bool wire_write(int fd, const void *from, size_t n)
{
	const char *p = from;

	while (n > 0) {
		ssize_t put = send(fd, p, n, MSG_NOSIGNAL);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return false;
		p += put;
		n -= (size_t)put;
	}
	return true;
}

bool wire_send_fds(int fd, const void *packet, size_t n, const int *fds, size_t n_fds)
{
	/* iov_base is not const, but sendmsg only reads. */
	union {
		const void *in;
		void *out;
	} base = {.in = packet};
	struct iovec iov = {base.out, n};
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(int) * FDS_MAX)];
	} control;
	struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1};

	memset(&control, 0, sizeof(control));
	if (n_fds > 0) {
		m.msg_control = control.room;
		m.msg_controllen = CMSG_SPACE(sizeof(int) * n_fds);

		struct cmsghdr *c = CMSG_FIRSTHDR(&m);

		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int) * n_fds);
		memcpy(CMSG_DATA(c), fds, sizeof(int) * n_fds);
	}
	for (;;) {
		ssize_t put = sendmsg(fd, &m, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (put >= 0)
			return true;
		if (errno != EINTR)
			return false;
	}
}

static void take_fds(struct msghdr *m, int *fds, size_t n_fds)
{
	size_t taken = 0;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;

		size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);

		for (size_t i = 0; i < count; i++) {
			int got;

			memcpy(&got, CMSG_DATA(c) + i * sizeof(int), sizeof(got));
			if (taken < n_fds)
				fds[taken++] = got;
			else
				close(got);
		}
	}
}

ssize_t wire_recv_fds(int fd, void *packet, size_t n, int *fds, size_t n_fds)
{
	struct iovec iov = {packet, n};
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(int) * FDS_MAX)];
	} control;
	struct msghdr m = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.room, .msg_controllen = sizeof(control.room)};
	ssize_t got;

	for (size_t i = 0; i < n_fds; i++)
		fds[i] = -1;
	do
		got = recvmsg(fd, &m, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
	while (got < 0 && errno == EINTR);
	if (got >= 0)
		take_fds(&m, fds, n_fds);
	return got;
}
