/* SPDX-License-Identifier: Apache-2.0 */
/* The asking side of the control socket. */
#include "core/server/socket.h"

#include "core/base/mem.h"
#include "core/doc/private.h"
#include "core/server/address.h"

#include <errno.h>
#include <unistd.h>

enum { REQUEST_MAX = 1024 * 1024, REPLY_MAX = 256 * 1024 * 1024 };

static pl_status dial(const char *path, int *out, struct pl_err *e)
{
	struct address a;
	int error = address_open(&a, path);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		error = errno;
	else if (!error && connect(fd, (struct sockaddr *)&a.a, sizeof a.a) < 0)
		error = errno;
	address_close(&a);
	if (!error) {
		*out = fd;
		return PL_OK;
	}
	if (fd >= 0)
		close(fd);
	/* ENOTDIR: what is wrong with the state folder is told by who wants to make it. */
	if (error == ENOENT || error == ECONNREFUSED || error == ENOTDIR)
		return err_set(e, PL_EUNAVAILABLE, "no daemon listens on '%s'", path);
	err_errno(e, error, "connect to the daemon at '%s'", path);
	if (error == EACCES)
		pl_err_hint(e, "only the user that plumb runs as, and root, may use its state folder");
	return pl_err_code(e);
}

/* One whole line from the daemon, the rest kept in b for the next. */
static pl_status next_line(int fd, struct buf *b, struct buf *line, struct pl_err *e)
{
	char chunk[64 * 1024];
	size_t looked = 0;
	for (;;) {
		const char *end = b->n > looked ? memchr(b->p + looked, '\n', b->n - looked) : NULL;
		if (end) {
			size_t n = (size_t)(end - b->p);
			buf_clear(line);
			buf_add(line, (pl_str){b->p, n});
			memmove(b->p, b->p + n + 1, b->n - n - 1);
			buf_cut(b, b->n - n - 1);
			return PL_OK;
		}
		looked = b->n;
		ssize_t n = recv(fd, chunk, sizeof chunk, 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_errno(e, errno, "read the daemon's answer");
		if (n == 0)
			return err_set(e, PL_EIO, "the daemon went away before it answered");
		buf_add(b, (pl_str){chunk, (size_t)n});
		if (buf_full(b))
			return err_set(e, PL_ETOOBIG, "the daemon's answer is larger than %d bytes", REPLY_MAX);
	}
}

/* What stands in {"KEY":BODY}. */
static bool unwrap(pl_str line, const char *key, pl_str *body)
{
	size_t n = strlen(key);
	if (line.n < n + 5 || line.p[0] != '{' || memcmp(line.p + 2, key, n) != 0 || line.p[n + 2] != '"')
		return false;
	*body = (pl_str){line.p + n + 4, line.n - n - 5};
	return true;
}

static pl_status told_error(pl_str body, struct pl_err *e)
{
	pl_doc *d = pl_doc_new(NULL);
	pl_node *m = NULL;
	int64_t code = PL_EINTERNAL;
	pl_status st = pl_json_read(d, body, "answer", 0, &m, e);
	if (!st) {
		if (pl_int(pl_gets(m, "code"), &code) || code <= PL_OK)
			code = PL_EINTERNAL;
		st = err_set(e, (pl_status)code, "%.*s", F(pl_text(pl_gets(m, "text"))));
	}
	pl_doc_unref(d);
	return st;
}

pl_status control_ask(const char *path, pl_str request, void (*event)(void *ctx, pl_str json), void *ctx,
		      struct buf *reply, struct pl_err *e)
{
	int fd = -1;
	pl_status st = dial(path, &fd, e);
	if (st)
		return st;
	struct buf rest = BUF_INIT(REPLY_MAX), line = BUF_INIT(REPLY_MAX), out = BUF_INIT(REQUEST_MAX + 1);
	pl_str body;
	buf_add(&out, request);
	buf_addc(&out, '\n');
	for (size_t at = 0; at < out.n && !st;) {
		ssize_t n = send(fd, out.p + at, out.n - at, MSG_NOSIGNAL);
		if (n < 0 && errno != EINTR)
			st = err_errno(e, errno, "ask the daemon");
		at += n > 0 ? (size_t)n : 0;
	}
	while (!st) {
		st = next_line(fd, &rest, &line, e);
		if (st || (unwrap(buf_str(&line), "event", &body) && (event ? event(ctx, body) : (void)0, true)))
			continue;
		if (unwrap(buf_str(&line), "error", &body))
			st = told_error(body, e);
		else if (unwrap(buf_str(&line), "reply", &body))
			buf_add(reply, body);
		else
			st = err_set(e, PL_EINTERNAL, "the daemon's answer can't be understood");
		break;
	}
	close(fd);
	buf_free(&rest);
	buf_free(&line);
	buf_free(&out);
	return st;
}
