/* SPDX-License-Identifier: Apache-2.0 */
#include "core/worker/pool.h"

#include "core/base/clock.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CHUNK = 64 * 1024, KILL_WAIT_MS = 3000, STEP_MS = 50 };

enum woke { WOKE_READY, WOKE_DEATH, WOKE_CANCEL, WOKE_STOP, WOKE_TIME };

enum { P_SOCK, P_FATE, P_STOP, P_CANCEL, P_N };

/* Waits for the child's socket, its end, or a reason to stop waiting. */
static enum woke wait_for(const struct call *c, short events)
{
	for (;;) {
		struct pollfd p[P_N] = {[P_SOCK] = {.fd = c->child->sock, .events = events},
					[P_FATE] = {.fd = c->child->fate, .events = POLLIN},
					[P_STOP] = {.fd = c->w->stop, .events = POLLIN},
					[P_CANCEL] = {.fd = cancel_fd(c->cancel), .events = POLLIN}};
		int64_t left = c->deadline - clock_mono_ms();

		if (cancel_fired(c->cancel))
			return WOKE_CANCEL;
		if (left <= 0)
			return WOKE_TIME;
		/* A cancel that got no descriptor of its own is looked at in steps. */
		if (c->cancel && p[P_CANCEL].fd < 0 && left > STEP_MS)
			left = STEP_MS;
		if (poll(p, P_N, left > INT32_MAX ? INT32_MAX : (int)left) <= 0)
			continue;
		if (p[P_STOP].revents)
			return WOKE_STOP;
		if (p[P_CANCEL].revents)
			return WOKE_CANCEL;
		if (p[P_SOCK].revents)
			return WOKE_READY;
		/* What it said before it ended is in the socket by now, though it was not when poll looked there. */
		if (p[P_FATE].revents)
			return poll(p, 1, 0) > 0 ? WOKE_READY : WOKE_DEATH;
	}
}

/* Its end as the helper tells it; false: the helper itself is gone, or does not answer. */
static bool read_report(const struct call *c, struct report *r)
{
	int64_t until = clock_mono_ms() + KILL_WAIT_MS;
	size_t have = 0;

	while (have < sizeof(*r)) {
		struct pollfd p = {.fd = c->child->fate, .events = POLLIN};
		int64_t left = until - clock_mono_ms();

		if (left <= 0)
			return false;
		if (poll(&p, 1, (int)left) <= 0)
			continue;

		ssize_t got = recv(c->child->fate, (char *)r + have, sizeof(*r) - have, MSG_DONTWAIT);

		if (got < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (got <= 0)
			return false;
		have += (size_t)got;
	}
	return true;
}

static void kill_child(const struct call *c, struct report *r)
{
	*r = (struct report){0};
	if (send(c->child->fate, "K", 1, MSG_NOSIGNAL) == 1)
		read_report(c, r);
}

static pl_status crashed(const struct call *c, const struct report *r)
{
	if (r->kind == REPORT_SIGNAL) {
		const char *name = sigabbrev_np(r->value);

		err_set(c->e, PL_ECRASHED, "worker '%s' was killed by SIG%s", c->job, name ? name : "?");
		if (r->value == SIGKILL)
			pl_err_hint(c->e, "by hand, or by the kernel when memory ran out");
		return PL_ECRASHED;
	}
	if (r->kind == REPORT_NO_FORK)
		return err_errno(c->e, r->value, "start worker '%s'", c->job);
	return err_set(c->e, PL_ECRASHED, "worker '%s' ended with exit status %d", c->job, (int)r->value);
}

/* The stream has ended or the helper has told of its end. */
static pl_status ended(const struct call *c)
{
	struct report r = {0};

	/* It may have closed its socket and live on: it is no use either way. */
	send(c->child->fate, "K", 1, MSG_NOSIGNAL);
	if (read_report(c, &r))
		return crashed(c, &r);
	err_set(c->e, PL_ECRASHED, "worker '%s' was killed together with the worker helper", c->job);
	pl_err_hint(c->e, "the helper is started again; the next try gets a new worker");
	return PL_ECRASHED;
}

static pl_status give_up(const struct call *c, enum woke why)
{
	struct report r;

	if (why == WOKE_DEATH)
		return ended(c);
	kill_child(c, &r);
	if (why == WOKE_TIME)
		return err_set(c->e, PL_ETIMEOUT, "worker '%s' took longer than %lld ms and was killed", c->job,
			       (long long)c->wall_ms);
	return err_set(c->e, PL_ECANCELLED, "worker '%s' was %s", c->job,
		       why == WOKE_CANCEL ? "cancelled" : "stopped with the engine");
}

/* PL_OK, or the error that ends the call. *gone: the child does not listen any more, but may have answered. */
static pl_status send_all(const struct call *c, pl_str bytes, bool *gone)
{
	while (bytes.n > 0 && !*gone) {
		ssize_t put = send(c->child->sock, bytes.p, bytes.n, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (put >= 0) {
			bytes.p += put;
			bytes.n -= (size_t)put;
			continue;
		}
		if (errno == EINTR)
			continue;
		if (errno != EAGAIN && errno != EWOULDBLOCK) {
			*gone = true;
			break;
		}

		enum woke why = wait_for(c, POLLOUT);

		if (why != WOKE_READY)
			return give_up(c, why);
	}
	return PL_OK;
}

/* 1 byte at least; *got is 0 at the end of the stream. */
static pl_status receive(const struct call *c, void *to, size_t n, size_t *got)
{
	for (;;) {
		ssize_t r = recv(c->child->sock, to, n, MSG_DONTWAIT);

		if (r >= 0 || errno == ECONNRESET) {
			*got = r > 0 ? (size_t)r : 0;
			return PL_OK;
		}
		if (errno == EINTR)
			continue;
		if (errno != EAGAIN && errno != EWOULDBLOCK)
			return err_errno(c->e, errno, "read the answer of worker '%s'", c->job);

		enum woke why = wait_for(c, POLLIN);

		if (why != WOKE_READY)
			return give_up(c, why);
	}
}

static pl_status receive_head(const struct call *c, struct answer_head *h)
{
	size_t have = 0;

	while (have < sizeof(*h)) {
		size_t got = 0;
		pl_status st = receive(c, (char *)h + have, sizeof(*h) - have, &got);

		if (st != PL_OK)
			return st;
		if (got == 0)
			return ended(c);
		have += got;
	}
	return PL_OK;
}

static pl_status receive_body(const struct call *c, uint64_t len, struct buf *to)
{
	char chunk[CHUNK];

	while (len > 0) {
		size_t got = 0;
		pl_status st = receive(c, chunk, len < CHUNK ? (size_t)len : CHUNK, &got);

		if (st != PL_OK)
			return st;
		if (got == 0)
			return ended(c);
		buf_add(to, (pl_str){chunk, got});
		len -= got;
	}
	return PL_OK;
}

static pl_status garbage(const struct call *c)
{
	struct report r;

	kill_child(c, &r);
	return err_set(c->e, PL_ECRASHED, "worker '%s' answered with garbage and was killed", c->job);
}

static pl_status receive_error(const struct call *c, uint64_t len)
{
	struct buf packed = BUF_INIT(WIRE_ERROR_MAX);
	pl_status st = receive_body(c, len, &packed);

	if (st == PL_OK) {
		struct reader r = {.p = packed.p, .n = packed.n};
		struct pl_err got = ERR_INIT;

		err_unpack(&got, &r);
		st = got.code;
		if (r.bad || st == PL_OK)
			st = garbage(c);
		else if (c->e)
			err_copy(c->e, &got);
		err_clear(&got);
	}
	buf_free(&packed);
	return st;
}

static pl_status receive_answer(struct call *c)
{
	struct answer_head h;
	pl_status st = receive_head(c, &h);
	size_t before = c->out->n;

	if (st != PL_OK)
		return st;
	if (h.magic != WIRE_MAGIC || h.len > (h.type == ANSWER_ERROR ? (size_t)WIRE_ERROR_MAX : c->out_max))
		return garbage(c);
	switch (h.type) {
	case ANSWER_OK:
		st = receive_body(c, h.len, c->out);
		c->keep = st == PL_OK && !h.dirty;
		if (st != PL_OK)
			buf_cut(c->out, before);
		return st;
	case ANSWER_ERROR:
		st = receive_error(c, h.len);
		c->keep = !h.dirty && st != PL_ECRASHED;
		return st;
	case ANSWER_BYE:
		if (c->fresh)
			return garbage(c);
		c->retry = true;
		return PL_OK;
	case ANSWER_MEMORY:
		return err_set(c->e, PL_ETOOBIG, "worker '%s' ran out of memory", c->job);
	case ANSWER_TOOBIG:
		c->keep = !h.dirty;
		return err_set(c->e, PL_ETOOBIG, "the answer of worker '%s' is larger than %zu bytes", c->job,
			       c->out_max);
	default:
		return garbage(c);
	}
}

pl_status call_run(struct call *c)
{
	struct call_head h = {.magic = WIRE_MAGIC, .len = c->in.n, .out_max = c->out_max};
	bool gone = false;
	pl_status st = send_all(c, (pl_str){(const char *)&h, sizeof(h)}, &gone);

	if (st == PL_OK)
		st = send_all(c, c->in, &gone);
	if (st != PL_OK)
		return st;
	return receive_answer(c);
}
