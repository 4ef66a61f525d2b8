/* SPDX-License-Identifier: Apache-2.0 */
/*
 * record: what a sync did becomes durable. Around each batch of actions the inventory is written (record_intent
 * before, record_done after), at the end the history entry and the application's row in one transaction.
 * A kill between any two of these loses nothing: the next plan finds out from the live side.
 */
#ifndef ENGINE_RECORD_H
#define ENGINE_RECORD_H

#include "core/engine/sync.h"

/*
 * Before rows are submitted: what will be created enters the inventory with an empty hash, what is taken over with
 * PLAN_TAKING, so that nothing applied is ever unknown, and a failed or killed apply is planned again. target is the
 * store's identity of the target.
 */
pl_status record_intent(struct store *st, pl_str app, pl_str target, const struct plan *p, const size_t *rows, size_t n,
			struct pl_err *e);
/* After their results are known: applied rows get their hash, pruned ones leave, creations that failed stay (they are
 * planned again). */
pl_status record_done(struct store *st, pl_str app, pl_str target, const struct plan *p, const struct sync *s,
		      const size_t *rows, size_t n, struct pl_err *e);
/* What the plan found out without acting: rows with adopt or forget. Nothing is written when there are none. */
pl_status record_learned(struct store *st, pl_str app, pl_str target, const struct plan *p, struct pl_err *e);

struct record_end {
	pl_str phase, message;	    /* of SYNC_DONE */
	pl_str author, description; /* of the revision */
	pl_str render_key;
	pl_str target; /* the store's identity of the target */
	pl_str health; /* a word, or empty while it is not known */
	int64_t now_ms;
	int64_t retry_ms; /* after a failure: how long until the next try, record_backoff() */
};

/*
 * Ends s: entry and row in one transaction, the packed sync is dropped. app is the row as it was read; it is changed
 * as written. Success moves revision, render key and target forward and clears the back-off, unless only some resources
 * were selected. A dry run leaves nothing behind. *history: the entry's id (0 for a dry run).
 */
pl_status record_sync_end(struct store *st, const struct sync *s, const struct record_end *r, struct store_app *app,
			  int64_t *history, struct pl_err *e);

/* base × 2^(failures-1), at most max, less up to a fifth: spread by the application's name, so that a broken server is
 * not asked by all at once. */
int64_t record_backoff(pl_str app, uint32_t failures, int64_t base_ms, int64_t max_ms);

#endif
