/* SPDX-License-Identifier: Apache-2.0 */
#include "core/worker/pool.h"

#include "core/base/clock.h"
#include "core/base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { KEEP_MAX = 8, SEND_PAUSE_MS = 5 };

void child_drop(struct child *c)
{
	/* The end of its fate stream tells the helper to kill it. */
	close(c->fate);
	close(c->sock);
	free(c->affinity);
	free(c);
}

/* A kept child has nothing to say: whatever can be read is its goodbye or its end. */
static bool is_silent(const struct child *c)
{
	struct pollfd p[2] = {{.fd = c->sock, .events = POLLIN}, {.fd = c->fate, .events = POLLIN}};

	return poll(p, 2, 0) == 0;
}

static bool serves(const struct child *c, size_t job, const struct worker_limits *l)
{
	return c->job == job && c->memory == l->memory && c->descriptors == l->descriptors;
}

/* Unlinks the children that have been idle too long or have ended; they are dropped by the caller, outside the lock. */
static struct child *unlink_stale(struct worker *w)
{
	struct child *stale = NULL;
	int64_t now = clock_mono_ms();

	for (struct child **at = &w->idle; *at;) {
		struct child *c = *at;

		if (now - c->idle_since < WIRE_IDLE_MS && is_silent(c)) {
			at = &c->next;
			continue;
		}
		*at = c->next;
		c->next = stale;
		stale = c;
		w->n_idle--;
	}
	return stale;
}

static void drop_all(struct child *list)
{
	while (list) {
		struct child *next = list->next;

		child_drop(list);
		list = next;
	}
}

/*
 * The one that served the same text, else, when as many are kept as may be, the one of the same job that has
 * been idle longest: a full pool must not make every call fork.
 */
static struct child **choose(struct worker *w, size_t job, pl_str affinity, const struct worker_limits *l)
{
	struct child **any = NULL;

	for (struct child **at = &w->idle; *at; at = &(*at)->next) {
		if (!serves(*at, job, l))
			continue;
		if (affinity.n == 0 || str_eqz(affinity, (*at)->affinity))
			return at;
		any = at;
	}
	return w->n_idle >= KEEP_MAX ? any : NULL;
}

struct child *pool_take(struct worker *w, size_t job, pl_str affinity, const struct worker_limits *l)
{
	struct child *got = NULL;

	pthread_mutex_lock(&w->lock);

	struct child *stale = unlink_stale(w);
	struct child **at = choose(w, job, affinity, l);

	if (at) {
		got = *at;
		*at = got->next;
		w->n_idle--;
	}
	pthread_mutex_unlock(&w->lock);
	drop_all(stale);
	return got;
}

void pool_put(struct worker *w, struct child *c)
{
	struct child *extra = NULL;

	c->idle_since = clock_mono_ms();
	pthread_mutex_lock(&w->lock);
	c->next = w->idle;
	w->idle = c;
	if (++w->n_idle > KEEP_MAX) {
		struct child **last = &w->idle;

		while ((*last)->next)
			last = &(*last)->next;
		extra = *last;
		*last = NULL;
		w->n_idle--;
	}
	pthread_mutex_unlock(&w->lock);
	drop_all(extra);
}

void pool_clear(struct worker *w)
{
	pthread_mutex_lock(&w->lock);

	struct child *all = w->idle;

	w->idle = NULL;
	w->n_idle = 0;
	pthread_mutex_unlock(&w->lock);
	drop_all(all);
}

static void close_pair(const int pair[2])
{
	close(pair[0]);
	close(pair[1]);
}

static pl_status send_request(const struct worker *w, const struct spawn_request *r, const int fds[2], int64_t deadline,
			      const struct cancel *cancel, struct pl_err *e)
{
	while (!wire_send_fds(w->helper, r, sizeof(*r), fds, 2)) {
		if (errno != EAGAIN && errno != EWOULDBLOCK && errno != ENOBUFS && errno != ETOOMANYREFS) {
			err_set(e, PL_ECRASHED, "the worker helper is gone: %s", strerror(errno));
			pl_err_hint(e, "restart plumb");
			return PL_ECRASHED;
		}
		if (cancel_fired(cancel))
			return err_set(e, PL_ECANCELLED, "cancelled");
		if (clock_mono_ms() >= deadline)
			return err_set(e, PL_ETIMEOUT, "the worker helper does not answer");

		struct pollfd p = {.fd = w->helper, .events = POLLOUT};

		poll(&p, 1, SEND_PAUSE_MS);
	}
	return PL_OK;
}

struct child *child_spawn(struct worker *w, size_t job, const struct worker_limits *l, int64_t deadline,
			  struct cancel *cancel, struct pl_err *e)
{
	struct spawn_request r = {
		.magic = WIRE_MAGIC, .job = (uint32_t)job, .memory = l->memory, .descriptors = l->descriptors};
	int sock[2], fate[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sock) < 0) {
		err_errno(e, errno, "make a socket for a worker");
		return NULL;
	}
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fate) < 0) {
		err_errno(e, errno, "make a socket for a worker");
		close_pair(sock);
		return NULL;
	}
	/* O_NONBLOCK is of one end only: the child's end blocks. */
	if (fcntl(sock[0], F_SETFL, O_NONBLOCK) < 0 ||
	    send_request(w, &r, (const int[]){sock[1], fate[1]}, deadline, cancel, e) != PL_OK) {
		close_pair(sock);
		close_pair(fate);
		return NULL;
	}
	close(sock[1]);
	close(fate[1]);

	struct child *c = mem_zalloc(sizeof(*c));

	*c = (struct child){
		.job = job, .memory = l->memory, .descriptors = l->descriptors, .sock = sock[0], .fate = fate[0]};
	return c;
}
