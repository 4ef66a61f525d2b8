/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The engine: keeps every application in line. One control thread, a fixed pool of workers; one owner per
 * application at a time. Every function but engine_run/engine_free may be called from any thread.
 */
#ifndef ENGINE_ENGINE_H
#define ENGINE_ENGINE_H

#include "core/base/arena.h"
#include "core/base/log.h"
#include "core/config/config.h"
#include "core/engine/plan.h"
#include "core/plugin/health.h"
#include "core/state/store.h"
#include "core/worker/worker.h"

struct engine;

struct engine_options {
	struct worker *worker;
	const struct log *log;
	const char *scripts; /* the shipped scripts' folder; NULL: none */
	size_t threads;	     /* 0: by the number of processors */
	const char *command; /* who holds the lock, for people; NULL: run */
	bool read_only;	     /* for plumb render and check: takes no lock, opens no store */
};

/* Takes the state folder's lock (PL_EBUSY names the holder), opens store and registry. Holds a reference to c. */
pl_status engine_new(struct config *c, const struct engine_options *o, struct engine **out, struct pl_err *e);
void engine_free(struct engine *g);

/* Binds pipelines, targets, health folders and says every mistake: `plumb check`, and before a reload takes effect. */
void engine_check(struct engine *g, struct config *c, struct err_list *errors);

/* The loop: polls, syncs, watches until engine_stop; running steps finish, syncs are left resumable. */
pl_status engine_run(struct engine *g, struct pl_err *e);
/* One full pass over all applications; waits for health until wait_ms. *in_line: all Synced and Healthy. */
pl_status engine_once(struct engine *g, int64_t wait_ms, bool *in_line, struct pl_err *e);
/*
 * Looks without touching: polls, renders, plans and assesses (app empty: all), so that engine_status tells the truth
 * in a command that runs without a daemon. One application's failure is in its status, not in e.
 */
pl_status engine_compare(struct engine *g, pl_str app, struct pl_err *e);
void engine_stop(struct engine *g); /* async-signal-safe is not needed: called from the control thread or another */
/* A new config takes effect between passes. PL_EINVAL and everything stays as it was when it does not bind. */
pl_status engine_reload(struct engine *g, struct config *c, struct err_list *errors);

/* ---- what people see ---- */

enum sync_status { STATUS_UNKNOWN, STATUS_SYNCED, STATUS_OUT_OF_SYNC };

struct app_status {
	pl_str name;
	pl_str word; /* Synced OutOfSync Progressing Degraded Unknown */
	enum sync_status sync;
	uint32_t health;
	pl_str health_message;
	pl_str operation; /* "", Running, Succeeded, Failed: the last or current one */
	pl_str operation_message;
	pl_str revision, revision_name; /* last synced */
	pl_str target_revision;		/* newest known */
	int64_t synced_ms;		/* wall; 0: never */
	int64_t checked_ms;		/* last full comparison */
	pl_str message;			/* the first thing a person must know: error, hold, suspension, pin */
	bool suspended, orphaned, automated;
	pl_str pinned;
	pl_str source, path, target, ns;
	size_t n_resources;
};

struct resource_status {
	pl_ref ref;
	enum sync_status sync;
	uint32_t health;
	pl_str message; /* of health, or why it is out of sync */
	enum plan_why why;
	bool needs_prune;
};

pl_status engine_status(struct engine *g, struct arena *a, struct app_status **out, size_t *n, struct pl_err *e);
pl_status engine_resources(struct engine *g, pl_str app, struct arena *a, struct app_status *status,
			   struct resource_status **out, size_t *n, struct pl_err *e);

/* ---- what people do; PL_ENOTFOUND: no such application (the nearest name is the hint) ---- */

struct sync_request {
	pl_str app;
	bool prune, dry_run;
	pl_str revision;    /* empty: the configured one */
	const pl_ref *only; /* --resource */
	size_t n_only;
	pl_str initiator;  /* "user alice" */
	int64_t render;	   /* rollback: this stored render instead of Git; 0: none */
	pl_str pin_reason; /* rollback: pins when it starts */
};

struct sync_outcome {
	int64_t history;
	pl_str phase, message;
	pl_str revision_name;
	uint32_t health;
	bool in_line; /* Synced and Healthy at the end */
	const struct store_result *results;
	size_t n_results;
};

/* Told of each result as it comes, on an engine thread; row counts done of total. */
typedef void (*sync_progress_fn)(void *ctx, const struct store_result *r, size_t done, size_t total);

/*
 * Runs one sync to its end (health waited for until wait_ms) and tells what came of it. cancel stops the waiting and
 * the sync.
 */
pl_status engine_sync(struct engine *g, const struct sync_request *q, int64_t wait_ms, sync_progress_fn progress,
		      void *ctx, struct cancel *cancel, struct arena *a, struct sync_outcome *out, struct pl_err *e);
/* Rows with desired and live nodes; *doc owns the nodes and is the caller's. revision empty: the configured one. */
pl_status engine_plan(struct engine *g, pl_str app, pl_str revision, struct arena *a, pl_doc **doc, struct plan *out,
		      struct pl_err *e);
pl_status engine_render(struct engine *g, pl_str app, pl_str revision, pl_doc **doc, pl_node ***out, size_t *n,
			struct arena *a, struct pl_err *e);
pl_status engine_history(struct engine *g, pl_str app, size_t limit, struct arena *a, struct store_history **out,
			 size_t *n, struct pl_err *e);
/* id 0: the last successful one before the current revision. */
pl_status engine_rollback(struct engine *g, pl_str app, int64_t id, pl_str initiator, int64_t wait_ms,
			  sync_progress_fn progress, void *ctx, struct cancel *cancel, struct arena *a,
			  struct sync_outcome *out, struct pl_err *e);
pl_status engine_suspend(struct engine *g, pl_str app, pl_str reason, struct pl_err *e);
pl_status engine_resume(struct engine *g, pl_str app, struct pl_err *e); /* ends suspension and pin */
/* Asks for a look at the sources now (a webhook, `plumb status --refresh`). Empty: all. */
pl_status engine_refresh(struct engine *g, pl_str app, struct pl_err *e);

/* ---- counters for /metrics and the benches ---- */
struct engine_counters {
	uint64_t passes, polls, fetches, renders, plans, syncs_ok, syncs_failed, applies, prunes, heals, observed,
		watch_events;
	uint64_t pass_cpu_us; /* CPU of the last full pass */
	uint64_t queue_depth;
};
void engine_counters(struct engine *g, struct engine_counters *out);
bool engine_ready(struct engine *g);			   /* the first pass is over */
const struct config_root *engine_config(struct engine *g); /* valid until the next reload */

#endif
