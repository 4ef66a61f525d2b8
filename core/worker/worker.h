/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The worker helper: a small process forked before any document is loaded, whose kept children run a
 * registered function on bytes under limits. Forking from the helper stays cheap however large the engine
 * grows; a child that overruns is killed, and the next call gets a new one.
 *
 * Threads: every function may be called from any thread. The helper dies with its parent, its children with it.
 */
#ifndef WORKER_WORKER_H
#define WORKER_WORKER_H

#include "core/base/buf.h"
#include "core/base/err.h"

/* Runs in a child. Fills out, or e. What it keeps between calls (static memory of its own file) is its child's own. */
typedef pl_status (*worker_fn)(pl_str in, struct buf *out, struct pl_err *e);

struct worker_job {
	const char *name;
	worker_fn fn;
};

struct worker_limits {
	int64_t wall_ms;      /* from the call to the answer; must be > 0 */
	uint64_t memory;      /* bytes of address space beyond what the helper has; 0: none */
	uint32_t descriptors; /* 0: 64 */
	size_t out_max;	      /* bytes of an answer; 0: 16 MiB */
};

/* Taking work back: made by one side, fired by another; refcounted. */
struct cancel;
struct cancel *cancel_new(void);
struct cancel *cancel_ref(struct cancel *c);
void cancel_unref(struct cancel *c); /* NULL is allowed */
void cancel_fire(struct cancel *c);
bool cancel_fired(const struct cancel *c); /* NULL: false */
int cancel_fd(const struct cancel *c);	   /* readable once fired; NULL: -1 */

struct worker;

/* Forks the helper. jobs outlives it. Call before threads are started and documents are loaded. */
struct worker *worker_start(const struct worker_job *jobs, size_t n, struct pl_err *e);
void worker_stop(struct worker *w); /* kills running children; NULL is allowed */

/*
 * Runs job on in. Errors of the function come back whole. PL_ETIMEOUT: killed at wall_ms; PL_ETOOBIG:
 * memory or out_max; PL_ECRASHED names the signal; PL_ECANCELLED: killed on cancel.
 * affinity (may be empty) picks a child that has served the same text before, so that what it keeps is warm.
 */
pl_status worker_call(struct worker *w, const char *job, pl_str affinity, pl_str in, const struct worker_limits *limits,
		      struct cancel *cancel, struct buf *out, struct pl_err *e);

/*
 * For a job, also from a signal handler: gives answer back as if the job had returned it, and ends the child at
 * once. What a job stuck in a library can still say.
 */
_Noreturn void worker_answer_and_end(pl_str answer);

#endif
