/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The store: everything that must survive. One small interface; SQLite (WAL, synchronous=FULL) behind it.
 * A store belongs to one process (the daemon holds the state folder's lock); its functions may be
 * called from any thread; transactions that come at the same time share one fsync. Every function that changes is
 * atomic and durable when it returns PL_OK. Slices in results live in the arena that was handed in.
 *
 * Secret values: renders and plans are sealed (AES-256-GCM, key file with mode 0600 beside the database).
 */
#ifndef STATE_STORE_H
#define STATE_STORE_H

#include "core/base/arena.h"
#include "core/base/err.h"
#include "plumb/plugin.h" /* pl_ref */

struct store;

/* dir exists. PL_EUNSUPPORTED: made by a newer plumb. A damaged database is put aside (plumb.db.damaged-TIME) only when
 * rebuild is true, else PL_EIO. */
pl_status store_open(const char *dir, bool rebuild, struct store **out, struct pl_err *e);
void store_close(struct store *s);

/*
 * Several changes as one: nothing else comes between them, and they are durable together when store_batch_end returns
 * PL_OK. Both are called by the same thread, soon after each other; end is called whatever begin returned, with what
 * came of the changes: a failure undoes all of them.
 */
pl_status store_batch_begin(struct store *s, struct pl_err *e);
pl_status store_batch_end(struct store *s, pl_status st, struct pl_err *e);

/* ---- applications: what was asked of them, apart from the config ---- */

struct store_app {
	pl_str name;
	pl_str target;	      /* identity of the target it was last applied to */
	pl_str revision;      /* last synced content id */
	pl_str revision_name; /* "main@sha1:…" */
	pl_str render_key;    /* of the last synced render */
	bool suspended;
	pl_str suspend_reason; /* who and why */
	pl_str pinned;	       /* content id it is held at by a rollback; empty: follows */
	pl_str pin_reason;
	int64_t pin_render; /* history id whose stored render is used */
	bool orphaned;	    /* left the config */
	bool cascade;	    /* deletion: cascade was set when it was last in the config */
	/* back-off */
	uint32_t failures;     /* in a row */
	int64_t next_try_ms;   /* wall clock */
	pl_str last_error;     /* with its place; cleared by success */
	pl_str tried_revision; /* last tried, whatever came of it */
};

pl_status store_apps(struct store *s, struct arena *a, struct store_app **out, size_t *n, struct pl_err *e);
pl_status store_app_get(struct store *s, pl_str name, struct arena *a, struct store_app *out,
			struct pl_err *e); /* PL_ENOTFOUND */
pl_status store_app_put(struct store *s, const struct store_app *app, struct pl_err *e);
pl_status store_app_drop(struct store *s, pl_str name,
			 struct pl_err *e); /* and its inventory, sync, trace; its history stays */

/* ---- inventory: what an application has applied ---- */

struct store_item {
	pl_ref ref;
	pl_str hash;   /* of the desired object as last applied, hex */
	int64_t since; /* wall ms of the first apply; 0 in a put: now */
	/* Where it is: an application that has changed its target still owns what it left behind. Empty in a put: the
	 * target of the app's row. */
	pl_str target;
	/* In a put only: the application it is taken over from (plan_row.previous). */
	pl_str previous;
};

/* What the application has on the target that its row names (none when there is no row). */
pl_status store_inventory(struct store *s, pl_str app, struct arena *a, struct store_item **out, size_t *n,
			  struct pl_err *e);
/* What it has on this target, whatever its row names. */
pl_status store_inventory_on(struct store *s, pl_str app, pl_str target, struct arena *a, struct store_item **out,
			     size_t *n, struct pl_err *e);
/* What it has on every other target than this one: still to be pruned there. Sorted by target. */
pl_status store_inventory_elsewhere(struct store *s, pl_str app, pl_str target, struct arena *a,
				    struct store_item **out, size_t *n, struct pl_err *e);
/* Forgets objects on a target that need not be the application's present one. n 0 with refs NULL: all it has there. */
pl_status store_inventory_drop(struct store *s, pl_str app, pl_str target, const pl_ref *refs, size_t n,
			       struct pl_err *e);
/* Who has this object on this target? PL_ENOTFOUND: nobody. */
pl_status store_owner(struct store *s, pl_str target, const pl_ref *ref, struct arena *a, pl_str *app,
		      struct pl_err *e);
/*
 * One transaction: puts and drops. Objects are written here BEFORE they are applied (so that nothing applied is ever
 * unknown) and dropped after they are gone. The application's row must be there, else PL_ENOTFOUND; its target is where
 * drops are looked for. A put of what another application has is PL_ECONFLICT that names it, unless `previous` names it
 * or its row is orphaned: then the object changes its owner. Absent drops are fine. since of an object that is there
 * already is kept.
 */
pl_status store_inventory_change(struct store *s, pl_str app, const struct store_item *put, size_t n_put,
				 const pl_ref *drop, size_t n_drop, struct pl_err *e);

/* ---- a running sync: one per application, a blob that plan and sync understand ---- */

/* A blob that can't be unsealed: PL_EAUTH (its key is gone), PL_EINVAL (damaged). An empty blob in a put drops the row.
 */
pl_status store_sync_get(struct store *s, pl_str app, struct arena *a, pl_str *blob,
			 struct pl_err *e);					      /* unsealed; PL_ENOTFOUND */
pl_status store_sync_put(struct store *s, pl_str app, pl_str blob, struct pl_err *e); /* sealed inside */
pl_status store_syncs(struct store *s, struct arena *a, pl_str **apps, size_t *n, struct pl_err *e);

/* ---- history: the audit log ---- */

struct store_result {
	pl_ref ref;
	pl_str action; /* create update delete skip */
	pl_str status; /* Synced SyncFailed Pruned PruneSkipped Unchanged */
	pl_str message;
};

struct store_history {
	int64_t id; /* counts up per store; 0 when new */
	pl_str app;
	pl_str revision, revision_name, author, message;
	pl_str initiator; /* "automated", "user alice", "self-heal", "rollback by alice" */
	int64_t started_ms, finished_ms;
	pl_str phase; /* Running Succeeded Failed */
	pl_str error;
	pl_str health;	/* at the end */
	int64_t render; /* id of the stored render; 0: none */
	const struct store_result *results;
	size_t n_results;
};

/* Ends a sync in one transaction: the history entry, the application's row, the sync blob dropped. entry->id is set. */
pl_status store_sync_end(struct store *s, const struct store_app *app, struct store_history *entry, struct pl_err *e);
/* Newest first; limit 0: all. With results when with_results. */
pl_status store_history_list(struct store *s, pl_str app, size_t limit, bool with_results, struct arena *a,
			     struct store_history **out, size_t *n, struct pl_err *e);
pl_status store_history_get(struct store *s, int64_t id, struct arena *a, struct store_history *out, struct pl_err *e);
/* Health that became known after the sync ended. */
pl_status store_history_health(struct store *s, int64_t id, pl_str health, struct pl_err *e);

/* ---- renders: content-addressed, sealed ---- */

/* resources: JSON lines. Same key twice is one row. *id is for history. Renders that no history entry, application or
 * sync names are dropped by store_tidy. */
pl_status store_render_put(struct store *s, pl_str app, pl_str key, pl_str resources, int64_t *id, struct pl_err *e);
pl_status store_render_get(struct store *s, int64_t id, struct arena *a, pl_str *resources, struct pl_err *e);

/* ---- traces: what a render has read; not sealed (paths and content ids only) ---- */

pl_status store_trace_get(struct store *s, pl_str app, struct arena *a, pl_str *trace,
			  struct pl_err *e); /* PL_ENOTFOUND */
pl_status store_trace_put(struct store *s, pl_str app, pl_str trace, struct pl_err *e);

/* ---- small durable facts ---- */
pl_status store_meta_get(struct store *s, const char *key, struct arena *a, pl_str *value,
			 struct pl_err *e); /* PL_ENOTFOUND */
pl_status store_meta_put(struct store *s, const char *key, pl_str value, struct pl_err *e);

/* Keeps the newest `keep` history entries of each application (0: all), drops unused renders. */
pl_status store_tidy(struct store *s, size_t keep, struct pl_err *e);

#endif
