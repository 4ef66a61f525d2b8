/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sync: a persisted state machine. sync_step looks at what is known and says what to do next; it never waits and
 * touches nothing. Between steps the state is packed into the store, so that a killed process goes on where
 * it was: the next start renders the same revision again (from the stored render), plans again, and what was
 * already applied comes out as unchanged.
 */
#ifndef ENGINE_SYNC_H
#define ENGINE_SYNC_H

#include "core/engine/plan.h"

struct sync; /* malloc'ed, owns all of its memory */

struct sync_start {
	pl_str app;
	pl_str revision, revision_name;
	pl_str initiator;
	int64_t started_ms;  /* wall */
	int64_t render;	     /* stored render */
	int64_t deadline_ms; /* wall: started + sync.timeout */
	bool dry_run;
	bool fixed;		   /* a revision that somebody named: no newer one replaces it */
	struct plan_policy policy; /* only and n_only are copied */
};

struct sync *sync_new(const struct sync_start *s);
void sync_free(struct sync *s);
const struct sync_start *sync_info(const struct sync *s);
void sync_pack(const struct sync *s, struct buf *b);
/* PL_EIO: damaged; PL_EUNSUPPORTED: by another version of plumb. blob may go afterwards. */
pl_status sync_unpack(pl_str blob, struct sync **out, struct pl_err *e);
/* A new life gets time of its own: the clock went on while nobody worked. */
void sync_extend(struct sync *s, int64_t deadline_ms);

/*
 * Takes a plan in, which must outlive the steps: rows that are done (in an earlier life) keep their results. Called
 * once in each life. Rows that are blocked (foreign, unreadable) and prunes that are held back get their results at
 * once.
 */
void sync_plan(struct sync *s, const struct plan *p);

enum sync_do { SYNC_ACT, SYNC_WAIT, SYNC_DONE };

struct sync_next {
	enum sync_do what;
	const size_t *rows; /* SYNC_ACT: indices into the plan's rows to submit now, of one stage; valid until the next
			       step */
	size_t n_rows;
	int64_t wait_ms; /* SYNC_WAIT: wall clock of the latest next step */
	pl_str phase;	 /* SYNC_DONE: Succeeded, Failed */
	pl_str message;
};

void sync_step(struct sync *s, int64_t now_ms, struct sync_next *out);
/* Reports what came of a row (message may be empty): status Synced, SyncFailed, Pruned, Unchanged. Of a cancelled sync
 * PL_ECANCELLED rows stay undone. */
void sync_result(struct sync *s, size_t row, pl_status st, uint32_t change, pl_str message);
/*
 * A newer revision, a terminate or a shutdown: no new action starts; step answers SYNC_DONE (Failed, reason) once
 * running ones have reported. It is not packed: a sync that is left for the next life goes on there.
 */
void sync_cancel(struct sync *s, pl_str reason);
/* The results so far, for history. */
size_t sync_results(const struct sync *s, struct arena *a, struct store_result **out);
void sync_progress(const struct sync *s, size_t *done, size_t *total);
/* What the given row has come to, for showing progress; false: not yet reported. Slices live as long as s. */
bool sync_row_result(const struct sync *s, size_t row, struct store_result *out);

#endif
