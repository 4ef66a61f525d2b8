/* SPDX-License-Identifier: Apache-2.0 */
#include "core/worker/pool.h"

#include "core/base/clock.h"
#include "core/base/mem.h"

#include <errno.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { STOP_WAIT_MS = 10000 };

/* Longer than anybody waits, short enough to be added to a clock. */
#define WALL_MAX_MS (INT64_MAX / 4)

struct worker *worker_start(const struct worker_job *jobs, size_t n, struct pl_err *e)
{
	pid_t self = getpid();
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0) {
		err_errno(e, errno, "make the worker helper's socket");
		return NULL;
	}
	fflush(NULL); /* else each helper would write what is buffered once more */

	pid_t keeper = fork();

	if (keeper == 0)
		keeper_main(jobs, n, pair[1], self);

	int error = errno;
	int stop = keeper > 0 ? eventfd(0, EFD_CLOEXEC) : -1;

	close(pair[1]);
	if (stop < 0) {
		err_errno(e, keeper > 0 ? errno : error, "start the worker helper");
		close(pair[0]);
		if (keeper > 0)
			waitpid(keeper, NULL, 0);
		return NULL;
	}

	struct worker *w = mem_zalloc(sizeof(*w));

	*w = (struct worker){.jobs = jobs, .n_jobs = n, .helper = pair[0], .stop = stop, .keeper = keeper};
	pthread_mutex_init(&w->lock, NULL);
	pthread_cond_init(&w->quiet, NULL);
	return w;
}

/* It ends by itself when our end of the pair is closed; a machine in trouble must not hold the engine up for ever. */
static void await_keeper(pid_t keeper)
{
	int64_t until = clock_mono_ms() + STOP_WAIT_MS;
	pid_t got;

	while ((got = waitpid(keeper, NULL, WNOHANG)) == 0 || (got < 0 && errno == EINTR)) {
		const struct timespec pause = {.tv_nsec = 1000 * 1000};

		if (clock_mono_ms() >= until) {
			kill(keeper, SIGKILL);
			waitpid(keeper, NULL, 0);
			return;
		}
		nanosleep(&pause, NULL);
	}
}

void worker_stop(struct worker *w)
{
	const uint64_t one = 1;

	if (!w)
		return;
	pthread_mutex_lock(&w->lock);
	w->stopping = true;
	while (write(w->stop, &one, sizeof(one)) < 0 && errno == EINTR)
		;
	while (w->running > 0)
		pthread_cond_wait(&w->quiet, &w->lock);
	pthread_mutex_unlock(&w->lock);
	pool_clear(w);
	close(w->helper);
	await_keeper(w->keeper);
	close(w->stop);
	pthread_mutex_destroy(&w->lock);
	pthread_cond_destroy(&w->quiet);
	free(w);
}

static bool enter(struct worker *w)
{
	pthread_mutex_lock(&w->lock);

	bool open = !w->stopping;

	w->running += open;
	pthread_mutex_unlock(&w->lock);
	return open;
}

static void leave(struct worker *w)
{
	pthread_mutex_lock(&w->lock);
	if (--w->running == 0)
		pthread_cond_broadcast(&w->quiet);
	pthread_mutex_unlock(&w->lock);
}

static pl_status call_on_a_child(struct worker *w, size_t job, pl_str affinity, const struct worker_limits *l,
				 struct call *c)
{
	pl_status st;

	do {
		c->keep = c->retry = false;
		c->child = pool_take(w, job, affinity, l);
		c->fresh = !c->child;
		if (c->fresh)
			c->child = child_spawn(w, job, l, c->deadline, c->cancel, c->e);
		if (!c->child)
			return pl_err_code(c->e);
		st = call_run(c);
		if (c->keep) {
			free(c->child->affinity);
			c->child->affinity = str_dup(affinity);
			pool_put(w, c->child);
		} else {
			child_drop(c->child);
		}
	} while (c->retry);
	return st;
}

static size_t out_room(const struct worker_limits *l, const struct buf *out)
{
	size_t max = l->out_max ? l->out_max : WIRE_OUT_DEFAULT;
	size_t room = out->max > out->n ? out->max - out->n : 0;

	return room < max ? room : max;
}

pl_status worker_call(struct worker *w, const char *job, pl_str affinity, pl_str in, const struct worker_limits *limits,
		      struct cancel *cancel, struct buf *out, struct pl_err *e)
{
	struct pl_err own = ERR_INIT;
	size_t i = 0;

	while (i < w->n_jobs && strcmp(w->jobs[i].name, job) != 0)
		i++;
	if (i == w->n_jobs)
		BUG("no worker job '%s'", job);
	if (limits->wall_ms <= 0)
		BUG("worker job '%s' without a time limit", job);
	if (in.n > WIRE_IN_MAX)
		return err_set(e, PL_ETOOBIG, "%zu bytes are too many for worker '%s' (at most %d)", in.n, job,
			       (int)WIRE_IN_MAX);
	if (cancel_fired(cancel))
		return err_set(e, PL_ECANCELLED, "worker '%s' was cancelled", job);
	if (!enter(w))
		return err_set(e, PL_ECANCELLED, "worker '%s' was stopped with the engine", job);

	struct call c = {.w = w,
			 .job = job,
			 .in = in,
			 .out_max = out_room(limits, out),
			 .wall_ms = limits->wall_ms,
			 .deadline = clock_mono_ms() + (limits->wall_ms < WALL_MAX_MS ? limits->wall_ms : WALL_MAX_MS),
			 .cancel = cancel,
			 .out = out,
			 .e = e ? e : &own};
	pl_status st = call_on_a_child(w, i, affinity, limits, &c);

	leave(w);
	err_clear(&own);
	return st;
}
