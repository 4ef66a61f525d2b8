/* SPDX-License-Identifier: Apache-2.0 */
/* The engine's side: the children that are kept, and one call to one child. */
#ifndef WORKER_POOL_H
#define WORKER_POOL_H

#include "core/worker/private.h"

#include <pthread.h>

struct child {
	struct child *next;
	size_t job;
	char *affinity;
	uint64_t memory; /* its limits, which it keeps for life */
	uint32_t descriptors;
	int sock; /* calls and answers; not blocking */
	int fate; /* see private.h */
	int64_t idle_since;
};

struct worker {
	const struct worker_job *jobs;
	size_t n_jobs;
	int helper; /* the pair's engine end */
	int stop;   /* an eventfd: running calls end */
	pid_t keeper;

	pthread_mutex_t lock;
	pthread_cond_t quiet;
	struct child *idle; /* newest first */
	size_t n_idle;
	size_t running;
	bool stopping;
};

struct call {
	const struct worker *w;
	struct child *child;
	const char *job;
	pl_str in;
	size_t out_max;
	int64_t wall_ms;
	int64_t deadline;
	struct cancel *cancel;
	struct buf *out;
	struct pl_err *e;
	bool fresh; /* the child has not served before */
	bool keep;  /* out: the child can serve again */
	bool retry; /* out: the child had said goodbye before it saw the call */
};

/* pool.c; all but child_drop take the lock */
struct child *pool_take(struct worker *w, size_t job, pl_str affinity, const struct worker_limits *l);
void pool_put(struct worker *w, struct child *c);
struct child *child_spawn(struct worker *w, size_t job, const struct worker_limits *l, int64_t deadline,
			  struct cancel *cancel, struct pl_err *e);
void child_drop(struct child *c); /* killed when it lives */
void pool_clear(struct worker *w);

/* call.c: one call, from the request to the answer or the child's end. */
pl_status call_run(struct call *c);

#endif
