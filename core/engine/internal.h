/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The inside of the engine, shared by its files.
 *
 * Locks, from the outside in: gen (the configuration in force: steps and operations read it, a reload writes it), mu
 * (what is published about applications, requests, answers of repositories), then those of single things (a target,
 * the queue). Fields below "owner" are touched only by the thread that owns the item in the queue.
 */
#ifndef ENGINE_INTERNAL_H
#define ENGINE_INTERNAL_H

#include "core/base/clock.h"
#include "core/base/err.h"
#include "core/base/fault.h"
#include "core/base/mem.h"
#include "core/doc/private.h"
#include "core/engine/assess.h"
#include "core/engine/engine.h"
#include "core/engine/queue.h"
#include "core/engine/record.h"
#include "core/engine/sync.h"
#include "core/plugin/applier.h"
#include "core/plugin/registry.h"
#include "core/plugin/render.h"
#include "core/plugin/source.h"

#include <pthread.h>
#include <stdatomic.h>

enum {
	TIMEOUT_RESOLVE = 60 * 1000,
	TIMEOUT_FETCH = 120 * 1000,
	TIMEOUT_RENDER = 60 * 1000,
	TIMEOUT_OBSERVE = 60 * 1000,
	TIMEOUT_APPLY = 60 * 1000,
	LOCK_WAIT = 10 * 1000, /* for a command that works without a daemon */
	RETRY_BASE = 5 * 1000, /* of polls and looks */
	RETRY_MAX = 3 * 60 * 1000,
	HEAL_BASE = 2 * 1000,
	HEAL_MAX = 300 * 1000
};

/* ---- a repository: one source shared by every application whose source has the same plugin and options ---- */

struct answer { /* to one wanted revision */
	char *wanted;
	pl_status status;
	char *id, *name, *error;
	bool stale;		   /* of another tree: ask again before it is used */
	size_t users;		   /* applications that want it now */
	struct snapshot *snapshot; /* while it is warm */
};

struct repo {
	struct queue_item item; /* first: a poll */
	struct engine *g;
	char *id; /* "PLUGIN {options}" */
	const struct plugin *plugin;
	char *options;
	struct source *source;
	struct answer *answers; /* under mu; they never leave, so their places stay */
	size_t n_answers;
	pthread_mutex_t asking; /* a render asks for the first answer, the others wait */
	bool asked;		/* at least one poll has ended */
	struct app **apps;
	size_t n_apps, cap_apps;
	uint32_t failures;
	/* under mu */
	int64_t used_ms; /* mono: a snapshot's last use */
	bool refresh;	 /* every application is to be compared in full */
};

/* ---- a target ---- */

struct target {
	struct engine *g;
	char *id; /* the store's identity: "PLUGIN {options}" */
	char *name;
	const struct plugin *plugin;
	char *options;
	pthread_mutex_t mu, adopting;
	struct applier *applier; /* opened on first need */
	bool adopted;		 /* the store's inventory has been compared with tracking ids once */
	pthread_t watcher;
	bool watching;
	struct cancel *stop;
};

/* ---- an application ---- */

struct step {
	const struct plugin *plugin;
	char *options;
};

struct resource {      /* what is kept between looks */
	pl_ref ref;    /* strings in app->ref_text */
	uint64_t mark; /* the live side's fingerprint at the last look; 0: can't tell */
	enum plan_why why;
	uint32_t health;
	bool out_of_sync, needs_prune;
	char *message;
};

struct use { /* of another tree by the last render: its answer in repo */
	struct repo *repo;
	size_t want;
};

struct request { /* somebody waits for a sync */
	struct request *next;
	const struct sync_request *q;
	sync_progress_fn progress;
	void *ctx;
	struct cancel *cancel;
	struct arena *a; /* the waiter's; written under mu until done */
	struct sync_outcome *out;
	struct pl_err *e;
	pl_status status;
	bool done, started;
};

struct run;

struct app {
	struct queue_item item; /* first */
	struct engine *g;
	uint32_t serial;
	char *name;

	/* bound by the configuration; changed only under gen (write) */
	const struct config_app *c; /* NULL: orphaned */
	struct repo *repo;
	size_t want; /* its answer in repo */
	struct target *target;
	struct step *steps;
	size_t n_steps;

	/* owner */
	char *conf;   /* digest of all but the tree that a render depends on */
	char *chosen; /* renderer that was chosen by what the path holds */
	char *trace;  /* packed: what the last render (also a failed one) has looked at */
	size_t n_trace;
	char *key;	    /* of the last render */
	char *desired_id;   /* revision whose tree gives this render */
	int64_t render;	    /* where the store has it; 0: nowhere */
	bool resumed;	    /* a sync of an earlier process was looked for */
	bool loaded;	    /* the trace was looked for in the store */
	struct pl_err *bad; /* what came of rendering that tree, when it can't be rendered */
	uint32_t heals, look_failures;
	int64_t healed_ms;		  /* mono */
	int64_t history, health_until_ms; /* mono; entry whose health is not known yet, and until when to look */
	uint32_t health_waits;
	bool clear_former; /* somebody asked for a sync that prunes: former targets, too */
	struct run *run;
	uint16_t run_no;

	/* under mu */
	bool settled;	 /* the last look has gone through to its end, and nothing is to be done */
	bool uses_known; /* since the start */
	struct use *uses;
	size_t n_uses;
	bool looked;	 /* looked at since the configuration was loaded */
	bool full;	 /* the next look compares everything */
	bool superseded; /* a newer revision than the running sync's is known */
	struct request *requests;
	struct resource *resources;
	size_t n_resources;
	char *ref_text;
	enum sync_status sync;
	uint32_t health;
	char *health_message, *operation, *operation_message, *revision, *revision_name, *target_revision;
	char *error, *hold;
	int64_t synced_ms, checked_ms;
	bool suspended, orphaned, gone;
	char *suspend_reason, *pinned, *pin_reason;
	/* results that other threads took out of the target on its behalf */
	struct inbox {
		size_t row;
		pl_status status;
		uint32_t change;
		char *message;
	} * inbox;
	size_t n_inbox, cap_inbox;
};

struct engine {
	struct engine_options o;
	struct config *config;
	struct registry *registry;
	struct store *store; /* NULL when read-only */
	struct health_plugins *health;
	struct scripts *scripts;
	int lock_fd;
	struct queue *queue;
	pthread_rwlock_t gen;
	atomic_bool stopping;
	bool look_only; /* compare: nothing is synced, nothing written */

	pthread_mutex_t mu;
	pthread_cond_t changed; /* something published has changed */
	struct app **apps;	/* by name; changed under gen (write) and mu */
	size_t n_apps, cap_apps;
	uint32_t serial;
	size_t n_unlooked;
	bool ready;

	struct repo **repos; /* these two only grow, under gen (write) */
	size_t n_repos, cap_repos;
	struct repo **remotes; /* under mu: those that only renders use; one that gets configured moves over */
	size_t n_remotes, cap_remotes;
	struct target **targets;
	size_t n_targets, cap_targets;

	struct look *parked; /* memory that a silent target may still read */
	size_t n_parked, cap_parked;

	pthread_t *pool;
	size_t n_pool;

	struct {
		atomic_uint_fast64_t passes, polls, fetches, renders, plans, syncs_ok, syncs_failed, applies, prunes,
			heals, observed, watch_events, pass_cpu_us;
	} count;
};

#define COUNT(g, what, by) ((void)atomic_fetch_add_explicit(&(g)->count.what, (uint64_t)(by), memory_order_relaxed))

/* ---- small helps (engine.c) ---- */

void keep(char **slot, pl_str s);			/* a malloc'ed copy in place of what was there; empty: NULL */
void engine_say(struct engine *g);			/* wakes those who wait for something published */
struct app *engine_find(struct engine *g, pl_str name); /* under mu or gen */
pl_status engine_find_or(struct engine *g, pl_str name, struct app **out, struct pl_err *e);
void engine_pool_start(struct engine *g);
void engine_pool_stop(struct engine *g);
int64_t jitter(int64_t ms); /* ±10 % */

/* ---- bind.c: what a configuration comes to ---- */

struct bound {
	struct repo *repo; /* only when not just checked */
	struct target *target;
	struct step *steps; /* malloc'ed */
	size_t n_steps;
};
/* Checks sources and targets too, also those that no application uses. */
void bind_check(struct engine *g, struct config *c, struct err_list *errors);
/* After bind_check went well. */
pl_status bind_app(struct engine *g, const struct config *c, const struct config_app *ca, struct bound *out,
		   struct pl_err *e);
void bound_clear(struct bound *b);

/* ---- target.c ---- */
struct target *target_named(struct engine *g, const char *name, const struct plugin *p, pl_str options);
/* By the store's identity, for what was left on a target that is no longer configured. */
pl_status target_by_id(struct engine *g, pl_str id, struct target **out, struct pl_err *e);
pl_status target_open(struct target *t, struct applier **out, struct pl_err *e);
void target_free(struct target *t);
/* Once for each target and store: objects that carry the tracking id of a configured application enter its inventory.
 */
pl_status target_adopt(struct target *t, struct cancel *cancel, struct pl_err *e);
/* Waits for results and hands each to the application whose it is. *n: how many came. */
pl_status target_collect(struct target *t, int64_t wait_ms, size_t *n, struct pl_err *e);
uint64_t action_id(const struct app *a, size_t row);

/* ---- watch.c ---- */
void watch_start(struct engine *g);
void watch_stop(struct engine *g);

/* ---- apps.c ---- */
/* Makes the applications of the configuration and the store the engine's. Under gen (write). */
pl_status apps_load(struct engine *g, struct config *c, struct pl_err *e);
void app_free(struct app *a);
void app_step(struct queue_item *i);
/* The store's row, or a fresh one. */
pl_status app_row(struct app *a, struct arena *mem, struct store_app *out, struct pl_err *e);
pl_status app_row_put(struct app *a, const struct store_app *row, struct pl_err *e); /* and shows it */
void app_show_row(struct app *a, const struct store_app *row);
void app_wake(struct app *a, bool full, int64_t delay_ms);
void app_error(struct app *a, const struct pl_err *e);
void app_looked(struct app *a);
/* After a look was published: starts what has to be done (or wakes the application for it), else settles. Takes l over.
 */
void app_after(struct app *a, struct look *l, bool may_start);
/* Does a configured application on the same target want this object? */
bool app_wanted_by_other(struct app *a, const pl_ref *ref);

/* ---- poll.c, acquire.c ---- */
void repo_poll(struct queue_item *i);
struct repo *repo_named(struct engine *g, const struct plugin *p, pl_str options, struct pl_err *e);
size_t repo_want(struct repo *r, pl_str revision);
size_t repo_answer(struct repo *r, pl_str revision); /* under mu */
/* The configured one, or one for renders only, made when it is not there. */
struct repo *repo_remote(struct engine *g, const struct plugin *p, pl_str options, struct pl_err *e);
bool repo_is_used(struct repo *r);
void repo_free(struct repo *r);
void repo_cool(struct repo *r, int64_t now_ms); /* lets a snapshot go that nobody used lately */
pl_status repo_resolve(struct repo *r, pl_str revision, struct arena *a, struct source_revision *out,
		       struct cancel *cancel, struct pl_err *e);
pl_status acquire(struct repo *r, pl_str id, pl_str name, struct cancel *cancel, struct snapshot **out,
		  struct pl_err *e);
pl_status acquire_content(struct repo *r, const pl_str *ids, const pl_str *names, size_t n, struct cancel *cancel,
			  struct pl_err *e);

/* ---- remotes.c: other repositories' trees ---- */
struct remotes *remotes_of(struct app *a, struct arena *mem); /* for one render */
void remotes_check(const struct config *c, struct err_list *errors);
void remotes_conf(struct engine *g, struct hash *h); /* what the operator permits, as far as renders depend on it */
/* The application uses these from now on, and no others. */
void remotes_use(struct app *a, const struct trace_remote *v, size_t n);
void remotes_count_again(struct engine *g); /* after all counts were set to zero. Under gen (write) */
void remotes_stale(struct app *a);	    /* a person wants the newest */
void remotes_wake(struct repo *r, size_t want);
/* Sets *same to false when one has moved since the trace was made. */
pl_status remotes_same(struct app *a, const struct trace *t, bool *same, struct pl_err *e);

/* ---- render.c, settle.c ---- */

struct rendered {
	struct plan_desired *desired; /* in the arena; nodes in the doc */
	size_t n;
	pl_str key;
	pl_str packed; /* the trace; empty when it was not rendered just now */
	pl_str chosen;
	const struct trace_remote *remotes;
	size_t n_remotes;
};
/* The pipeline over one snapshot. *packed is set on failure, too. */
pl_status render_app(struct app *a, struct snapshot *s, struct arena *mem, pl_doc *doc, struct cancel *cancel,
		     struct rendered *out, struct pl_err *e);
/* Is the tree of this snapshot, as far as the last render has looked, the same? Also false when there was none. */
pl_status render_same(struct app *a, struct snapshot *s, bool *same, struct pl_err *e);
pl_str render_conf(struct app *a, pl_str chosen, struct arena *mem);
pl_status render_store(struct app *a, const struct rendered *r, int64_t *id, struct pl_err *e);
pl_status render_save(struct app *a, const struct rendered *r, pl_str revision, struct pl_err *e);
void render_remember(struct app *a, struct arena *mem); /* from the store, once */
pl_status render_load(struct engine *g, int64_t id, struct arena *mem, pl_doc *doc, struct rendered *out,
		      struct pl_err *e);
bool render_is_final(pl_status st); /* the same tree fails in the same way again */
pl_status settle(struct app *a, const struct nodes *in, struct arena *mem, pl_doc *doc, struct rendered *out,
		 struct pl_err *e);

/* ---- look.c ---- */

struct look {
	struct arena *mem;
	pl_doc *doc;
	struct store_app row;
	pl_str revision, revision_name;
	struct rendered r;
	int64_t render;
	struct store_item *inventory;
	size_t n_inventory;
	struct store_item *elsewhere; /* left on former targets */
	size_t n_elsewhere;
	struct live *live;
	pl_ref *refs;
	uint64_t *marks;
	size_t n_live;
	struct plan plan;
	struct assess_out health;
};

struct wish {				   /* what to look at */
	pl_str revision;		   /* "": the configured one */
	int64_t render;			   /* a stored render instead */
	pl_str revision_id, revision_name; /* with render, or when resolved already */
	const struct plan_policy *policy;  /* NULL: the configured one */
	bool touch_nothing;		   /* neither store nor the application's memory is changed */
	bool gone;			   /* nothing is desired */
};

void look_init(struct look *l);
void look_clear(struct look *l);
pl_status look_at(struct app *a, const struct wish *w, struct cancel *cancel, struct look *out, struct pl_err *e);
pl_status look_live(struct app *a, struct cancel *cancel, struct look *l, struct pl_err *e); /* observe + plan, again */
pl_status look_plan(struct app *a, const struct plan_policy *policy, struct look *l, struct pl_err *e);
pl_status look_assess(struct app *a, struct cancel *cancel, struct look *l, struct pl_err *e);
void look_publish(struct app *a, const struct look *l);
/* Have the marks of all objects stayed what they were? */
void look_unchanged(struct app **apps, size_t n, bool *same, struct cancel *cancel);
struct plan_policy app_policy(const struct app *a);

/* ---- decide.c: when a sync starts by itself ---- */
enum decision { DECIDE_NOTHING, DECIDE_SYNC, DECIDE_HEAL, DECIDE_LATER };
enum decision decide(struct app *a, const struct look *l, int64_t *wait_ms);

/* ---- apply.c: a sync in progress ---- */
struct run_start {
	pl_str initiator;
	struct plan_policy policy;
	bool dry_run, heal, fixed; /* fixed: a revision that somebody named */
	struct request *request;
};
/* Takes the look over. */
pl_status run_start(struct app *a, struct look *l, const struct run_start *s, struct pl_err *e);
/* A sync that an earlier process has left behind; *found tells. */
pl_status run_resume(struct app *a, bool *found, struct pl_err *e);
void run_drive(struct app *a);
/* A reload has changed what it relies on. Under gen (write). */
void run_cancel(struct app *a, const char *why);
void run_drop(struct app *a);			      /* memory only: the store keeps the sync */
bool run_is_of(const struct app *a, pl_str revision); /* or of one that no newer revision replaces */
bool run_active(const struct app *a);

/* ---- orphan.c ---- */
void orphan_step(struct app *a);
/* Adds what lies on former targets to the look's plan, for those who only read it. */
pl_status left_rows(struct app *a, struct look *l, struct pl_err *e);
void left_behind(struct app *a, struct look *l); /* prunes what is left on former targets, when that is allowed */

/* ---- ops.c ---- */
bool request_take(struct app *a, struct request **out);
void request_end(struct app *a, struct request *r, pl_status st, const struct pl_err *e);
void request_step(struct app *a, struct request *r);

#endif
