/* SPDX-License-Identifier: Apache-2.0 */
/* apply: drives a sync with the target. A turn never waits long: what isn't done yet is looked for in the next turn. */
#include "core/engine/internal.h"

struct run {
	struct look look;
	struct sync *s;
	struct target *target; /* where it acts, whatever a reload says */
	int64_t wall, mono;    /* at its start: a clock that is set does not reach into it */
	struct request *request;
	bool heal, dry, fixed;
	bool unsaved;  /* the store doesn't know of it yet: nothing was touched */
	bool stale;    /* the configuration has changed under it */
	size_t *batch; /* rows handed to the target, until record_done */
	size_t n_batch, n_out;
	bool *out, *told; /* by row: in flight; told to the waiter */
	int64_t deadline; /* mono, of the batch */
};

bool run_active(const struct app *a)
{
	return a->run != NULL;
}

bool run_is_of(const struct app *a, pl_str revision)
{
	return a->run->fixed || str_eq(sync_info(a->run->s)->revision, revision);
}

/* The wall clock as it would be if nobody had set it since the start. */
static int64_t now_of(const struct run *r)
{
	return r->wall + clock_mono_ms() - r->mono;
}

static void operation(struct app *a, pl_str phase, pl_str message)
{
	pthread_mutex_lock(&a->g->mu);
	keep(&a->operation, phase);
	keep(&a->operation_message, message);
	pthread_mutex_unlock(&a->g->mu);
	engine_say(a->g);
}

static pl_status save(struct app *a, struct pl_err *e)
{
	struct buf b = BUF_INIT(SIZE_MAX);
	if (a->run->dry)
		return PL_OK;
	sync_pack(a->run->s, &b);
	pl_status st = store_sync_put(a->g->store, str_of(a->name), buf_str(&b), e);
	buf_free(&b);
	return st;
}

static void begin(struct app *a, struct look *l, struct sync *s, struct request *request)
{
	struct run *r = mem_zalloc(sizeof(*r));
	r->look = *l;
	*l = (struct look){0};
	r->s = s;
	r->target = a->target;
	r->wall = clock_wall_ms();
	r->mono = clock_mono_ms();
	r->request = request;
	r->out = mem_zalloc(r->look.plan.n + 1);
	r->told = mem_zalloc(r->look.plan.n + 1);
	r->batch = mem_alloc((r->look.plan.n + 1) * sizeof(*r->batch));
	sync_plan(s, &r->look.plan);
	pthread_mutex_lock(&a->g->mu);
	a->run_no++;
	a->superseded = false;
	a->run = r;
	for (size_t i = 0; i < a->n_inbox; i++)
		free(a->inbox[i].message);
	a->n_inbox = 0;
	pthread_mutex_unlock(&a->g->mu);
	operation(a, S("Running"), (pl_str){0});
}

static pl_status pin(struct app *a, struct look *l, const struct request *r, struct pl_err *e)
{
	if (!r || !r->q->pin_reason.n || r->q->dry_run)
		return PL_OK;
	l->row.pinned = l->revision;
	l->row.pin_reason = r->q->pin_reason;
	l->row.pin_render = l->render;
	return app_row_put(a, &l->row, e);
}

pl_status run_start(struct app *a, struct look *l, const struct run_start *s, struct pl_err *e)
{
	pl_status st = plan_check_only(&l->plan, &s->policy, e);
	if (!st && !s->dry_run && !l->render && a->c)
		st = render_store(a, &l->r, &l->render, e);
	if (!st)
		st = pin(a, l, s->request, e);
	if (st)
		return st;
	int64_t now = clock_wall_ms();
	struct sync_start start = {.app = str_of(a->name),
				   .revision = l->revision,
				   .revision_name = l->revision_name,
				   .initiator = s->initiator,
				   .started_ms = now,
				   .render = l->render,
				   .deadline_ms = now + (a->c ? a->c->sync.timeout_ms : 15 * 60 * 1000),
				   .dry_run = s->dry_run,
				   .fixed = s->fixed,
				   .policy = s->policy};
	begin(a, l, sync_new(&start), s->request);
	a->run->dry = s->dry_run;
	a->run->heal = s->heal;
	a->run->fixed = s->fixed;
	if (s->heal || str_eq(a->run->look.row.tried_revision, a->run->look.revision)) {
		a->heals++;
		a->healed_ms = clock_mono_ms();
		COUNT(a->g, heals, s->heal);
	}
	a->run->unsaved = true;
	return PL_OK;
}

void run_cancel(struct app *a, const char *why)
{
	a->run->stale = true;
	sync_cancel(a->run->s, str_of(why));
}

void run_drop(struct app *a)
{
	struct run *r = a->run;
	struct engine *g = a->g;
	if (!r)
		return;
	pthread_mutex_lock(&g->mu);
	a->run = NULL;
	if (r->n_out) { /* the target may still read what it was handed */
		if (g->n_parked == g->cap_parked)
			g->parked = mem_grow(g->parked, &g->cap_parked, g->n_parked + 1, sizeof(*g->parked));
		g->parked[g->n_parked++] = r->look;
		r->look = (struct look){0};
	}
	pthread_mutex_unlock(&g->mu);
	if (r->look.mem)
		look_clear(&r->look);
	sync_free(r->s);
	free(r->out);
	free(r->told);
	free(r->batch);
	free(r);
}

/* ---- results ---- */

static void tell(struct run *r)
{
	size_t done, total;
	struct store_result result;
	if (!r->request || !r->request->progress)
		return;
	sync_progress(r->s, &done, &total);
	for (size_t i = 0; i < r->look.plan.n; i++) {
		if (r->told[i] || !sync_row_result(r->s, i, &result))
			continue;
		r->told[i] = true;
		r->request->progress(r->request->ctx, &result, done, total);
	}
}

static void take_in(struct app *a)
{
	struct run *r = a->run;
	pthread_mutex_lock(&a->g->mu);
	struct inbox *in = a->inbox;
	size_t n = a->n_inbox;
	a->inbox = NULL;
	a->n_inbox = a->cap_inbox = 0;
	pthread_mutex_unlock(&a->g->mu);
	for (size_t i = 0; i < n; i++) {
		size_t row = in[i].row;
		if (row < r->look.plan.n && r->out[row]) {
			r->out[row] = false;
			r->n_out--;
			sync_result(r->s, row, in[i].status, in[i].change, str_of(in[i].message));
			if (!in[i].status && in[i].change == PL_DELETED)
				COUNT(a->g, prunes, 1);
			else if (!in[i].status)
				COUNT(a->g, applies, 1);
		}
		free(in[i].message);
	}
	free(in);
}

static void fail_batch(struct run *r, pl_status st, pl_str message)
{
	for (size_t i = 0; i < r->n_batch; i++)
		sync_result(r->s, r->batch[i], st, 0, message);
	r->n_batch = 0;
}

/* ---- handing a stage to the target ---- */

static void action_of(struct app *a, size_t row, struct arena *mem, pl_action *x)
{
	struct run *r = a->run;
	const struct plan_row *p = &r->look.plan.rows[row];
	struct buf b = BUF_INIT(4096);
	tracking_print(str_of(a->name), &p->ref, &b);
	*x = (pl_action){.size = sizeof(*x),
			 .op = p->op == PLAN_DELETE ? PL_DELETE : PL_APPLY,
			 .id = action_id(a, row),
			 .flags = r->dry ? PL_DRY_RUN : 0,
			 .ref = p->ref,
			 .tracking = arena_dup(mem, buf_str(&b)),
			 .doc = r->look.doc,
			 .desired = p->desired};
	x->previous = arena_dup(mem, p->previous); /* the application's name */
	buf_free(&b);
}

static pl_status intent_of(struct app *a, const size_t *rows, size_t n, struct pl_err *e)
{
	const struct run *r = a->run;
	return record_intent(a->g->store, str_of(a->name), str_of(r->target->id), &r->look.plan, rows, n, e);
}

/* Another application was quicker with some object: that one is blocked, the others of the batch go on. */
static pl_status intent(struct app *a, struct pl_err *e)
{
	struct run *r = a->run;
	size_t left = 0;
	pl_status st = store_batch_begin(a->g->store, e);
	if (!st && r->unsaved)
		st = save(a, e);
	if (!st)
		st = intent_of(a, r->batch, r->n_batch, e);
	st = store_batch_end(a->g->store, st, e);
	if (!st)
		r->unsaved = false;
	if (st != PL_ECONFLICT)
		return st;
	err_clear(e);
	st = r->unsaved ? save(a, e) : PL_OK;
	if (st)
		return st;
	r->unsaved = false;
	for (size_t i = 0; i < r->n_batch; i++) {
		err_clear(e);
		if (!st)
			st = intent_of(a, &r->batch[i], 1, e);
		if (st == PL_ECONFLICT) {
			sync_result(r->s, r->batch[i], st, 0, str_of(pl_err_text(e)));
			st = PL_OK;
		} else {
			r->batch[left++] = r->batch[i];
		}
	}
	r->n_batch = left;
	if (!st)
		err_clear(e);
	return st;
}

static void act(struct app *a, const size_t *rows, size_t n)
{
	struct run *r = a->run;
	struct pl_err e = ERR_INIT;
	struct applier *ap;
	pl_action *actions = arena_array(r->look.mem, n, sizeof(*actions));
	memcpy(r->batch, rows, n * sizeof(*rows));
	r->n_batch = n;
	FAULT("engine.intent.before");
	pl_status st = r->dry ? PL_OK : intent(a, &e);
	FAULT("engine.intent.after");
	n = r->n_batch; /* without what others have got meanwhile */
	if (!st && !n)
		return;
	if (!st)
		st = target_open(r->target, &ap, &e);
	for (size_t i = 0; i < n && !st; i++) {
		action_of(a, r->batch[i], r->look.mem, &actions[i]);
		r->out[r->batch[i]] = true;
	}
	r->n_out = st ? 0 : n;
	r->deadline = clock_mono_ms() + TIMEOUT_APPLY;
	FAULT("engine.apply.before");
	if (!st)
		st = applier_submit(ap, actions, n, a->item.cancel, TIMEOUT_APPLY, &e);
	FAULT("engine.apply.after");
	if (st) {
		memset(r->out, 0, r->look.plan.n);
		r->n_out = 0;
		fail_batch(r, st, str_of(pl_err_text(&e)));
	}
	err_clear(&e);
}

/* False: not all is there yet, the next turn goes on. */
static bool collect(struct app *a)
{
	struct run *r = a->run;
	struct pl_err e = ERR_INIT;
	size_t n = 1;
	take_in(a);
	for (int turns = 0; r->n_out && n && turns < 64; turns++) {
		pl_status st = target_collect(r->target, 20, &n, &e);
		if (st) {
			log_line(a->g->o.log, LOG_WARN, str_of(a->name), "%s", pl_err_text(&e));
			n = 0;
		}
		take_in(a);
	}
	err_clear(&e);
	tell(r);
	if (r->n_out && clock_mono_ms() > r->deadline) {
		for (size_t i = 0; i < r->n_batch; i++)
			if (r->out[r->batch[i]])
				sync_result(r->s, r->batch[i], PL_ETIMEOUT, 0, S("the target did not answer in time"));
		return true; /* n_out stays: the memory is parked */
	}
	return r->n_out == 0;
}

static void note(struct app *a)
{
	struct run *r = a->run;
	struct pl_err e = ERR_INIT;
	if (r->n_batch && !r->dry) {
		FAULT("engine.done.before");
		size_t done, total;
		sync_progress(r->s, &done, &total);
		pl_status st = store_batch_begin(a->g->store, &e);
		if (!st)
			st = record_done(a->g->store, str_of(a->name), str_of(r->target->id), &r->look.plan, r->s,
					 r->batch, r->n_batch, &e);
		if (!st && done < total) /* else the end follows at once */
			st = save(a, &e);
		st = store_batch_end(a->g->store, st, &e);
		if (st) { /* nothing is lost: the next plan finds out from the live side */
			app_error(a, &e);
			sync_cancel(r->s, str_of(pl_err_text(&e)));
		}
		FAULT("engine.done.after");
	}
	r->n_batch = 0;
	err_clear(&e);
}

/* ---- the end ---- */

static void outcome(struct app *a, const struct sync_next *next, int64_t history, struct request *q)
{
	struct store_result *results;
	struct run *r = a->run;
	struct sync_outcome *o = q->out;
	pthread_mutex_lock(&a->g->mu);
	o->history = history;
	o->phase = arena_dup(q->a, next->phase);
	o->message = arena_dup(q->a, next->message);
	o->revision_name = arena_dup(q->a, r->look.revision_name.n ? r->look.revision_name : r->look.revision);
	o->n_results = sync_results(r->s, q->a, &results);
	for (size_t i = 0; i < o->n_results; i++) { /* they may point into the sync */
		struct store_result *x = &results[i];
		x->ref = ref_dup(q->a, &x->ref);
		x->action = arena_dup(q->a, x->action);
		x->status = arena_dup(q->a, x->status);
		x->message = arena_dup(q->a, x->message);
	}
	o->results = results;
	o->health = r->look.health.health;
	pthread_mutex_unlock(&a->g->mu);
}

static void describe(struct app *a, struct look *l, struct record_end *end)
{
	pl_revision_info info = {.size = sizeof(info)};
	if (a->repo && l->revision.n && !source_describe(a->repo->source, l->revision, l->mem, &info, NULL)) {
		end->author = info.author;
		end->description = info.message;
	}
}

static pl_status write_end(struct app *a, const struct sync_next *next, bool known, int64_t *history, struct pl_err *e)
{
	struct run *r = a->run;
	struct look *l = &r->look;
	struct store_app row;
	struct record_end end = {.phase = next->phase,
				 .message = next->message,
				 .render_key = l->r.key,
				 .target = str_of(r->target->id),
				 .now_ms = clock_wall_ms()};
	if (known && l->health.health != PL_PROGRESSING)
		end.health = str_of(health_name(l->health.health));
	pl_status st = app_row(a, l->mem, &row, e);
	if (st)
		return st;
	if (a->c)
		end.retry_ms = record_backoff(str_of(a->name), row.failures + 1, a->c->sync.retry_base_ms,
					      a->c->sync.retry_max_ms);
	else
		end.retry_ms = RETRY_MAX;
	describe(a, l, &end);
	FAULT("engine.record.before");
	st = record_sync_end(a->g->store, r->s, &end, &row, history, e);
	FAULT("engine.record.after");
	if (!st && !r->dry)
		st = app_row(a, l->mem, &l->row, e); /* row borrows from the sync, which ends before the look */
	if (!st && !r->dry)
		app_show_row(a, &l->row);
	return st;
}

static void finish(struct app *a, const struct sync_next *next)
{
	struct run *r = a->run;
	struct look *l = &r->look;
	struct engine *g = a->g;
	struct pl_err e = ERR_INIT;
	bool ok = str_eqz(next->phase, "Succeeded");
	int64_t history = 0;
	pl_status looked = PL_OK;
	if (r->stale)
		looked = PL_ECANCELLED;
	else if (!r->dry) {
		looked = look_live(a, NULL, l, &e);
		if (!looked)
			looked = look_plan(a, NULL, l, &e);
		if (!looked)
			looked = look_assess(a, NULL, l, &e);
		err_clear(&e);
	}
	pl_status st = write_end(a, next, !looked, &history, &e);
	if (st == PL_OK && !r->dry) {
		if (ok)
			COUNT(g, syncs_ok, 1);
		else
			COUNT(g, syncs_failed, 1);
	}
	if (st) {
		app_error(a, &e); /* the sync is still in the store: taken up again */
		a->resumed = false;
	}
	if (!r->dry) {
		log_line(g->o.log, ok ? LOG_INFO : LOG_ERROR, str_of(a->name), "sync of %.*s %.*s: %.*s",
			 F(l->revision_name.n ? l->revision_name : l->revision), F(next->phase), F(next->message));
		operation(a, next->phase, next->message);
		pthread_mutex_lock(&g->mu);
		if (ok)
			a->synced_ms = clock_wall_ms();
		pthread_mutex_unlock(&g->mu);
		a->history = looked || l->health.health == PL_PROGRESSING ? history : 0;
		a->health_until_ms = clock_mono_ms() + sync_info(r->s)->deadline_ms - now_of(r);
		a->health_waits = 0;
	}
	const struct plan_policy *policy = &sync_info(r->s)->policy;
	a->clear_former = ok && !r->dry && r->request && policy->prune && !policy->n_only;
	if (r->request) {
		outcome(a, next, history, r->request);
		if (!looked && !r->dry)
			look_publish(a, l);
		request_end(a, r->request, st, &e);
	} else if (!looked && !r->dry) {
		look_publish(a, l);
	}
	pthread_mutex_lock(&g->mu);
	bool again = looked || r->dry || r->fixed || st || a->superseded;
	pthread_mutex_unlock(&g->mu);
	struct look after = *l;
	bool silent = r->n_out > 0;
	if (!silent)
		*l = (struct look){0};
	run_drop(a);
	if (silent || again) {
		if (!silent)
			look_clear(&after);
		app_wake(a, true, st ? RETRY_BASE : 0);
	} else {
		app_after(a, &after, false);
	}
	app_looked(a);
	err_clear(&e);
}

/* ---- a turn ---- */

/* A newer revision ends the sync at its next step, unless the application's part of it is the same. */
static void newer(struct app *a)
{
	struct engine *g = a->g;
	struct arena *mem = arena_new();
	pthread_mutex_lock(&g->mu);
	bool is_newer = a->superseded;
	a->superseded = false;
	const struct answer *x = a->repo && a->c ? &a->repo->answers[a->want] : NULL;
	pl_str id = arena_dup(mem, x ? str_of(x->id) : (pl_str){0}),
	       name = arena_dup(mem, x ? str_of(x->name) : (pl_str){0});
	pthread_mutex_unlock(&g->mu);
	struct snapshot *s;
	if (is_newer && id.n && !acquire(a->repo, id, name, a->item.cancel, &s, NULL)) {
		bool same = false;
		if (render_same(a, s, &same, NULL) || !same)
			sync_cancel(a->run->s, arena_printf(mem, "superseded by %.*s", F(name.n ? name : id)));
		snapshot_unref(s);
	}
	arena_free(mem);
}

void run_drive(struct app *a)
{
	struct engine *g = a->g;
	struct sync_next next;
	while (a->run) {
		struct run *r = a->run;
		if (!collect(a)) {
			queue_wake(g->queue, &a->item, 10);
			return;
		}
		note(a);
		tell(r);
		if (atomic_load(&g->stopping))
			return; /* the store has it: the next start goes on */
		if (!r->fixed)
			newer(a);
		if (r->request && r->request->cancel && cancel_fired(r->request->cancel))
			sync_cancel(r->s, S("cancelled by the one who asked for it"));
		sync_step(r->s, now_of(r), &next);
		if (next.what == SYNC_ACT) {
			act(a, next.rows, next.n_rows);
		} else if (next.what == SYNC_WAIT) {
			int64_t wait = next.wait_ms - now_of(r);
			queue_wake(g->queue, &a->item, wait > 1000 ? 1000 : wait > 10 ? wait : 10);
			return;
		} else {
			finish(a, &next);
		}
	}
}

/* ---- a sync that an earlier process has left ---- */

static pl_status abandon(struct app *a, struct look *l, struct sync *s, const struct pl_err *why, struct pl_err *e)
{
	struct plan none = {0};
	struct arena *mem = arena_new();
	struct sync_next next = {.phase = S("Failed"),
				 .message = arena_printf(mem, "interrupted: %s", pl_err_text(why))};
	int64_t history;
	l->plan = none;
	begin(a, l, s, NULL);
	pl_status st = write_end(a, &next, false, &history, e);
	operation(a, next.phase, next.message);
	run_drop(a);
	arena_free(mem);
	return st;
}

pl_status run_resume(struct app *a, bool *found, struct pl_err *e)
{
	struct look l;
	struct sync *s = NULL;
	pl_str blob;
	*found = false;
	look_init(&l);
	pl_status st = store_sync_get(a->g->store, str_of(a->name), l.mem, &blob, e);
	if (st) {
		look_clear(&l);
		if (st == PL_ENOTFOUND) {
			err_clear(e);
			return PL_OK;
		}
		/* Sealed by a key that is gone, or damaged: it will never be readable, and a new look decides. */
		if (st == PL_EAUTH || st == PL_EINVAL) {
			err_clear(e);
			return store_sync_put(a->g->store, str_of(a->name), (pl_str){0}, e);
		}
		return st;
	}
	*found = true;
	st = sync_unpack(blob, &s, e);
	if (st) { /* of no use to anybody: a new look decides */
		look_clear(&l);
		return store_sync_put(a->g->store, str_of(a->name), (pl_str){0}, NULL) ? st : PL_OK;
	}
	const struct sync_start *info = sync_info(s);
	struct plan_policy policy = info->policy;
	if (a->c) { /* what was switched off meanwhile is off */
		policy.prune = policy.prune && (policy.prune_confirmed || a->c->sync.prune);
		policy.allow_empty = policy.allow_empty && a->c->sync.allow_empty;
	}
	struct wish w = {.render = info->render,
			 .revision_id = info->revision,
			 .revision_name = info->revision_name,
			 .policy = &policy};
	/* A prune of all that an application had is begun anew, when it is still wanted: it may be back, or an include
	 * may be broken, or others may be about to take its objects over. */
	if (!info->render)
		st = err_set(e, PL_ENOTFOUND, "plumb was stopped; what is left is looked at again");
	else if (!a->c)
		st = err_set(e, PL_ENOTFOUND, "the application has left the configuration");
	else
		st = look_at(a, &w, a->item.cancel, &l, e);
	if (st == PL_OK) {
		begin(a, &l, s, NULL);
		a->run->fixed = info->fixed;
		sync_extend(s, a->run->wall + a->c->sync.timeout_ms); /* the clock went on while nobody worked */
		return PL_OK;
	}
	if (!render_is_final(st)) {
		sync_free(s);
		look_clear(&l);
		return st;
	}
	struct pl_err why = ERR_INIT;
	err_copy(&why, e);
	err_clear(e);
	st = abandon(a, &l, s, &why, e);
	err_clear(&why);
	return st;
}
