/* SPDX-License-Identifier: Apache-2.0 */
#include "core/engine/sync.h"

#include "tests/unit/engine_model.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define START	 1000000
#define DEADLINE (START + 900000)

/* A sync over a model, driven by hand. */
struct run {
	struct model *m;
	struct plan p;
	struct sync *s;
	struct sync_next next;
};

static const struct plan_policy prune_on = {.prune = true};

static struct sync *start_sync(bool dry_run)
{
	struct sync_start start = {.app = S("app"),
				   .revision = S("0123456789abcdef0123456789abcdef01234567"),
				   .revision_name = S("main@sha1:0123456"),
				   .initiator = S("user alice"),
				   .started_ms = START,
				   .render = 7,
				   .deadline_ms = DEADLINE,
				   .dry_run = dry_run,
				   .policy = prune_on};

	return sync_new(&start);
}

static struct run run_new(const char *desired, const char *live, const char *inventory)
{
	struct run r = {.m = model_new("app", desired, live, inventory, ""), .s = start_sync(false)};

	assert_int_equal(model_plan(r.m, &prune_on, &r.p, NULL), PL_OK);
	sync_plan(r.s, &r.p);
	return r;
}

static void run_free(struct run *r)
{
	sync_free(r->s);
	model_free(r->m);
}

static enum sync_do step(struct run *r, int64_t now)
{
	sync_step(r->s, now, &r->next);
	return r->next.what;
}

static uint32_t change_of(enum plan_op op)
{
	return op == PLAN_CREATE ? PL_CREATED : op == PLAN_UPDATE ? PL_UPDATED : PL_DELETED;
}

/* Reports every row handed out as done, but the one called fail. */
static void report(struct run *r, const char *fail)
{
	for (size_t i = 0; i < r->next.n_rows; i++) {
		size_t row = r->next.rows[i];
		const struct plan_row *pr = &r->p.rows[row];

		if (fail && str_eqz(pr->ref.name, fail))
			sync_result(r->s, row, PL_EIO, 0, S("no space left on device"));
		else
			sync_result(r->s, row, PL_OK, change_of(pr->op), (pl_str){NULL, 0});
	}
}

static void handed_out(const struct run *r, struct buf *b)
{
	for (size_t i = 0; i < r->next.n_rows; i++)
		buf_addf(b, "%s%.*s", i ? " " : "", F(r->p.rows[r->next.rows[i]].ref.name));
}

static void assert_handed_out(struct run *r, const char *want)
{
	struct buf b = BUF_INIT(1 << 16);

	buf_addz(&b, "");
	handed_out(r, &b);
	assert_string_equal(b.p ? b.p : "", want);
	buf_free(&b);
}

static void results_text(const struct sync *s, struct buf *b)
{
	struct arena *a = arena_new();
	struct store_result *v;
	size_t n = sync_results(s, a, &v);

	buf_addz(b, "");
	for (size_t i = 0; i < n; i++)
		buf_addf(b, "%s%.*s %.*s %.*s: %.*s", i ? "\n" : "", F(v[i].ref.name), F(v[i].action), F(v[i].status),
			 F(v[i].message));
	arena_free(a);
}

static void assert_results(const struct sync *s, const char *want)
{
	struct buf b = BUF_INIT(1 << 16);

	results_text(s, &b);
	assert_string_equal(b.p ? b.p : "", want);
	buf_free(&b);
}

static void assert_done(struct run *r, const char *phase, const char *message)
{
	assert_int_equal(step(r, START + 1), SYNC_DONE);
	if (!str_eqz(r->next.message, message))
		print_error("have '%.*s'\n", F(r->next.message));
	assert_true(str_eqz(r->next.phase, phase));
	assert_true(str_eqz(r->next.message, message));
}

/* ---- the road ---- */

static void stages_run_in_order_and_wait_for_each_other(void **state)
{
	struct run r = run_new("Deployment.apps/s/web=1 ConfigMap/s/a=1 ConfigMap/s/b=2 Namespace/-/s=1",
			       "ConfigMap/s/b=1@app ConfigMap/s/old=1@app Service/s/old2=1@app", "");

	(void)state;
	assert_int_equal(step(&r, START), SYNC_ACT);
	assert_handed_out(&r, "s");
	report(&r, NULL);
	assert_int_equal(step(&r, START), SYNC_ACT);
	assert_handed_out(&r, "a b");
	sync_result(r.s, r.next.rows[0], PL_OK, PL_CREATED, S("written"));
	size_t last = r.next.rows[1];
	assert_int_equal(step(&r, START), SYNC_WAIT);
	assert_int_equal(r.next.wait_ms, DEADLINE);
	sync_result(r.s, last, PL_OK, PL_UNCHANGED, (pl_str){NULL, 0});
	assert_int_equal(step(&r, START), SYNC_ACT);
	assert_handed_out(&r, "web");
	report(&r, NULL);
	assert_int_equal(step(&r, START), SYNC_ACT);
	assert_handed_out(&r, "old2");
	report(&r, NULL);
	assert_int_equal(step(&r, START), SYNC_ACT);
	assert_handed_out(&r, "old");
	report(&r, NULL);
	assert_done(&r, "Succeeded", "successfully synced: 3 created, 2 pruned");
	assert_results(r.s, "s create Synced: created\n"
			    "a create Synced: written\n"
			    "b update Unchanged: unchanged\n"
			    "web create Synced: created\n"
			    "old2 delete Pruned: pruned\n"
			    "old delete Pruned: pruned");
	assert_done(&r, "Succeeded", "successfully synced: 3 created, 2 pruned");
	run_free(&r);
}

static void nothing_to_do_is_a_success(void **state)
{
	struct run r = run_new("ConfigMap/s/a=1", "ConfigMap/s/a=1@app", "ConfigMap/s/a=1");

	(void)state;
	assert_done(&r, "Succeeded", "successfully synced: nothing to do");
	assert_results(r.s, "");
	run_free(&r);
}

static void a_failed_row_stops_later_stages_but_not_its_own(void **state)
{
	struct run r = run_new("ConfigMap/s/a=1 ConfigMap/s/b=1 Deployment.apps/s/web=1", "ConfigMap/s/old=1@app", "");

	(void)state;
	assert_int_equal(step(&r, START), SYNC_ACT);
	assert_handed_out(&r, "a b");
	report(&r, "a");
	assert_done(&r, "Failed", "1 of 4 objects failed: ConfigMap:s/a: no space left on device");
	assert_results(r.s, "a create SyncFailed: no space left on device\n"
			    "b create Synced: created\n"
			    "web skip SyncFailed: not applied: an earlier stage failed\n"
			    "old skip PruneSkipped: not pruned: an earlier stage failed");
	run_free(&r);
}

static void several_failures_are_counted_and_the_first_is_told(void **state)
{
	struct run r = run_new("ConfigMap/s/a=1 ConfigMap/s/b=1", "", "");

	(void)state;
	assert_int_equal(step(&r, START), SYNC_ACT);
	sync_result(r.s, r.next.rows[0], PL_EDENIED, 0, (pl_str){NULL, 0});
	sync_result(r.s, r.next.rows[1], PL_EIO, 0, S("broken"));
	struct buf want = BUF_INIT(1 << 10);
	buf_addf(&want, "2 of 2 objects failed: ConfigMap:s/a: %s (and 1 more)", pl_status_name(PL_EDENIED));
	assert_done(&r, "Failed", want.p);
	buf_free(&want);
	run_free(&r);
}

static void a_foreign_object_fails_the_sync_but_lets_other_applies_through(void **state)
{
	struct run r = run_new("ConfigMap/s/a=1 ConfigMap/s/mine=1 Deployment.apps/s/web=1",
			       "ConfigMap/s/a=1@other ConfigMap/s/old=1@app", "");

	(void)state;
	assert_int_equal(step(&r, START), SYNC_ACT);
	assert_handed_out(&r, "mine");
	report(&r, NULL);
	assert_int_equal(step(&r, START), SYNC_ACT);
	assert_handed_out(&r, "web");
	report(&r, NULL);
	assert_done(&r, "Failed", "1 of 4 objects failed: ConfigMap:s/a: belongs to application 'other'");
	assert_results(r.s, "mine create Synced: created\n"
			    "web create Synced: created\n"
			    "old skip PruneSkipped: not pruned: an earlier stage failed\n"
			    "a skip SyncFailed: belongs to application 'other'");
	run_free(&r);
}

static void a_foreign_object_beside_nothing_but_prunes_holds_them(void **state)
{
	struct run r = run_new("ConfigMap/s/a=1", "ConfigMap/s/a=1@other ConfigMap/s/old=1@app", "");

	(void)state;
	assert_int_equal(step(&r, START), SYNC_DONE);
	assert_true(str_eqz(r.next.phase, "Failed"));
	run_free(&r);
}

static void what_somebody_else_got_meanwhile_blocks_itself_and_prunes_alone(void **state)
{
	struct run r = run_new("ConfigMap/s/a=1 ConfigMap/s/b=1 apps:Deployment/s/web=1", "ConfigMap/s/old=1@app", "");
	size_t a = SIZE_MAX;

	(void)state;
	assert_int_equal(step(&r, START), SYNC_ACT);
	for (size_t i = 0; i < r.next.n_rows; i++) {
		if (str_eqz(r.p.rows[r.next.rows[i]].ref.name, "a"))
			a = r.next.rows[i];
		else
			sync_result(r.s, r.next.rows[i], PL_OK, PL_CREATED, (pl_str){NULL, 0});
	}
	assert_true(a != SIZE_MAX);
	sync_result(r.s, a, PL_ECONFLICT, 0, S("belongs to application 'other'"));
	assert_int_equal(step(&r, START), SYNC_ACT); /* the workloads go on */
	report(&r, NULL);
	assert_int_equal(step(&r, START), SYNC_DONE);
	assert_true(str_eqz(r.next.phase, "Failed"));
	assert_results(r.s, "a skip SyncFailed: belongs to application 'other'\n"
			    "b create Synced: created\n"
			    "web create Synced: created\n"
			    "old skip PruneSkipped: not pruned: an earlier stage failed");
	run_free(&r);
}

static void prunes_that_are_held_back_are_told_and_do_not_fail(void **state)
{
	struct run r = {.m = model_new("app", "ConfigMap/s/a=1", "ConfigMap/s/old=1@app ?ConfigMap/s/odd",
				       "ConfigMap/s/odd=1", ""),
			.s = start_sync(false)};
	struct plan_policy off = {0};

	(void)state;
	assert_int_equal(model_plan(r.m, &off, &r.p, NULL), PL_OK);
	sync_plan(r.s, &r.p);
	assert_int_equal(step(&r, START), SYNC_ACT);
	report(&r, NULL);
	assert_done(&r, "Succeeded", "successfully synced: 1 created, 2 not pruned");
	assert_results(r.s, "a create Synced: created\n"
			    "odd skip PruneSkipped: permission denied\n"
			    "old skip PruneSkipped: no longer in Git, but prune is off");
	run_free(&r);
}

static void a_dry_run_says_so(void **state)
{
	struct run r = {.m = model_new("app", "ConfigMap/s/a=1", "", "", ""), .s = start_sync(true)};

	(void)state;
	assert_int_equal(model_plan(r.m, &prune_on, &r.p, NULL), PL_OK);
	sync_plan(r.s, &r.p);
	assert_int_equal(step(&r, START), SYNC_ACT);
	report(&r, NULL);
	assert_done(&r, "Succeeded", "dry run, would be synced: 1 created");
	assert_results(r.s, "a create Synced: created (dry run)");
	run_free(&r);
}

static void a_large_stage_comes_in_batches(void **state)
{
	struct buf desired = BUF_INIT(1 << 20);
	size_t seen = 0, batches = 0;

	(void)state;
	for (int i = 0; i < 700; i++)
		buf_addf(&desired, "ConfigMap/s/n%d=1 ", i);
	struct run r = run_new(desired.p, "", "");
	while (step(&r, START) == SYNC_ACT) {
		assert_true(r.next.n_rows <= 256);
		seen += r.next.n_rows;
		batches++;
		report(&r, NULL);
	}
	assert_int_equal(seen, 700);
	assert_int_equal(batches, 3);
	assert_true(str_eqz(r.next.phase, "Succeeded"));
	run_free(&r);
	buf_free(&desired);
}

/* ---- time and cancel ---- */

static void before_a_plan_it_waits_until_the_deadline(void **state)
{
	struct run r = {.m = model_new("app", "", "", "", ""), .s = start_sync(false)};

	(void)state;
	assert_int_equal(step(&r, START), SYNC_WAIT);
	assert_int_equal(r.next.wait_ms, DEADLINE);
	assert_int_equal(step(&r, DEADLINE), SYNC_DONE);
	assert_true(str_eqz(r.next.phase, "Failed"));
	assert_true(str_eqz(r.next.message, "timed out after 15m0s"));
	run_free(&r);
}

static void past_the_deadline_no_new_action_starts(void **state)
{
	struct run r = run_new("ConfigMap/s/a=1 Deployment.apps/s/web=1", "", "");

	(void)state;
	assert_int_equal(step(&r, START), SYNC_ACT);
	assert_int_equal(step(&r, DEADLINE), SYNC_WAIT);
	assert_true(r.next.wait_ms > DEADLINE);
	sync_result(r.s, 0, PL_OK, PL_CREATED, (pl_str){NULL, 0});
	assert_int_equal(step(&r, DEADLINE), SYNC_DONE);
	assert_true(str_eqz(r.next.phase, "Failed"));
	assert_true(str_eqz(r.next.message, "timed out after 15m0s: 1 of 2 objects left as they were"));
	assert_results(r.s, "a create Synced: created\n"
			    "web skip SyncFailed: not applied: timed out after 15m0s");
	run_free(&r);
}

static void what_is_done_at_the_deadline_is_done(void **state)
{
	struct run r = run_new("ConfigMap/s/a=1", "", "");

	(void)state;
	assert_int_equal(step(&r, START), SYNC_ACT);
	report(&r, NULL);
	assert_int_equal(step(&r, DEADLINE + 5), SYNC_DONE);
	assert_true(str_eqz(r.next.phase, "Succeeded"));
	run_free(&r);
}

static void cancel_waits_for_what_runs_and_starts_nothing(void **state)
{
	struct run r = run_new("ConfigMap/s/a=1 ConfigMap/s/b=1 Deployment.apps/s/web=1", "", "");
	size_t first, second;

	(void)state;
	assert_int_equal(step(&r, START), SYNC_ACT);
	first = r.next.rows[0];
	second = r.next.rows[1];
	sync_cancel(r.s, S("a newer revision has arrived"));
	sync_cancel(r.s, S("second reason"));
	assert_int_equal(step(&r, START), SYNC_WAIT);
	sync_result(r.s, first, PL_OK, PL_CREATED, (pl_str){NULL, 0});
	sync_result(r.s, second, PL_ECANCELLED, 0, S("cancelled"));
	assert_done(&r, "Failed", "a newer revision has arrived: 2 of 3 objects left as they were");
	assert_results(r.s, "a create Synced: created\n"
			    "b skip SyncFailed: not applied: a newer revision has arrived\n"
			    "web skip SyncFailed: not applied: a newer revision has arrived");
	run_free(&r);
}

static void an_action_that_was_cancelled_alone_has_failed(void **state)
{
	struct run r = run_new("ConfigMap/s/a=1", "", "");

	(void)state;
	assert_int_equal(step(&r, START), SYNC_ACT);
	sync_result(r.s, r.next.rows[0], PL_ECANCELLED, 0, S("taken back"));
	assert_done(&r, "Failed", "1 of 1 object failed: ConfigMap:s/a: taken back");
	run_free(&r);
}

static void a_result_told_twice_counts_once(void **state)
{
	struct run r = run_new("ConfigMap/s/a=1", "", "");
	struct store_result res;
	size_t done, total;

	(void)state;
	assert_int_equal(step(&r, START), SYNC_ACT);
	assert_false(sync_row_result(r.s, 0, &res));
	sync_progress(r.s, &done, &total);
	assert_int_equal(done, 0);
	assert_int_equal(total, 1);
	sync_result(r.s, 0, PL_OK, PL_CREATED, (pl_str){NULL, 0});
	sync_result(r.s, 0, PL_EIO, 0, S("late"));
	assert_true(sync_row_result(r.s, 0, &res));
	assert_true(str_eqz(res.status, "Synced"));
	sync_progress(r.s, &done, &total);
	assert_int_equal(done, 1);
	assert_done(&r, "Succeeded", "successfully synced: 1 created");
	run_free(&r);
}

/* ---- lives ---- */

static struct sync *next_life(const struct sync *s)
{
	struct buf b = BUF_INIT(1 << 24);
	struct sync *again;

	sync_pack(s, &b);
	assert_false(buf_full(&b));
	assert_int_equal(sync_unpack(buf_str(&b), &again, NULL), PL_OK);
	memset(b.p, 0xee, b.n); /* nothing may point into it */
	buf_free(&b);
	return again;
}

static void packing_keeps_everything(void **state)
{
	pl_ref only = {.kind = S_INIT("Deployment"), .ns = S_INIT("s"), .name = S_INIT("web")};
	struct sync_start start = {
		.app = S("app"),
		.revision = S("r"),
		.revision_name = S("main@r"),
		.initiator = S("user \"x\"\n"),
		.started_ms = -5,
		.render = INT64_MAX,
		.deadline_ms = DEADLINE,
		.fixed = true,
		.policy = {.prune = true, .prune_confirmed = true, .allow_empty = true, .only = &only, .n_only = 1}};
	struct sync *s = sync_new(&start), *t = next_life(s);
	const struct sync_start *i = sync_info(t);

	(void)state;
	assert_true(str_eqz(i->app, "app"));
	assert_true(str_eqz(i->revision_name, "main@r"));
	assert_true(str_eqz(i->initiator, "user \"x\"\n"));
	assert_int_equal(i->started_ms, -5);
	assert_true(i->render == INT64_MAX);
	assert_true(i->policy.prune && i->policy.prune_confirmed && i->policy.allow_empty);
	assert_false(i->policy.render_failed || i->dry_run);
	assert_true(i->fixed);
	assert_int_equal(i->policy.n_only, 1);
	assert_true(ref_same(&i->policy.only[0], &only));
	sync_free(s);
	sync_free(t);
}

/* Packs after the first stage was handed out, with one of its two objects applied and nobody told. */
static void a_killed_sync_goes_on_where_it_was(void **state)
{
	struct run r = run_new("ConfigMap/s/a=1 ConfigMap/s/b=1 Deployment.apps/s/web=1", "ConfigMap/s/old=1@app", "");
	struct run n = {0};

	(void)state;
	assert_int_equal(step(&r, START), SYNC_ACT);
	assert_handed_out(&r, "a b");
	n.s = next_life(r.s);
	n.m = model_new("app", "ConfigMap/s/a=1 ConfigMap/s/b=1 Deployment.apps/s/web=1",
			"ConfigMap/s/a=1@app ConfigMap/s/old=1@app", "ConfigMap/s/a=~ ConfigMap/s/b=~", "");
	assert_int_equal(model_plan(n.m, &prune_on, &n.p, NULL), PL_OK);
	sync_plan(n.s, &n.p);
	assert_int_equal(step(&n, START), SYNC_ACT);
	assert_handed_out(&n, "b");
	report(&n, NULL);
	assert_int_equal(step(&n, START), SYNC_ACT);
	assert_handed_out(&n, "web");
	report(&n, NULL);
	assert_int_equal(step(&n, START), SYNC_ACT);
	assert_handed_out(&n, "old");
	report(&n, NULL);
	assert_done(&n, "Succeeded", "successfully synced: 3 created, 1 pruned");
	assert_results(n.s, "a create Synced: applied before a restart\n"
			    "b create Synced: created\n"
			    "web create Synced: created\n"
			    "old delete Pruned: pruned");
	run_free(&r);
	run_free(&n);
}

static void results_of_an_earlier_life_stay(void **state)
{
	struct run r = run_new("ConfigMap/s/a=1 Deployment.apps/s/web=1", "", "");
	struct run n = {0};

	(void)state;
	assert_int_equal(step(&r, START), SYNC_ACT);
	report(&r, NULL);
	n.s = next_life(r.s);
	/* somebody has changed it since: healing is the next pass's matter, not this sync's */
	n.m = model_new("app", "ConfigMap/s/a=1 Deployment.apps/s/web=1", "ConfigMap/s/a=9@app", "ConfigMap/s/a=1", "");
	assert_int_equal(model_plan(n.m, &prune_on, &n.p, NULL), PL_OK);
	sync_plan(n.s, &n.p);
	assert_int_equal(step(&n, START), SYNC_ACT);
	assert_handed_out(&n, "web");
	report(&n, NULL);
	assert_done(&n, "Succeeded", "successfully synced: 2 created");
	assert_results(n.s, "a create Synced: created\nweb create Synced: created");
	run_free(&r);
	run_free(&n);
}

static void a_failure_of_an_earlier_life_still_stops_later_stages(void **state)
{
	struct run r = run_new("ConfigMap/s/a=1 Deployment.apps/s/web=1", "", "");
	struct run n = {0};

	(void)state;
	assert_int_equal(step(&r, START), SYNC_ACT);
	report(&r, "a");
	n.s = next_life(r.s);
	n.m = model_new("app", "ConfigMap/s/a=1 Deployment.apps/s/web=1", "", "", "");
	assert_int_equal(model_plan(n.m, &prune_on, &n.p, NULL), PL_OK);
	sync_plan(n.s, &n.p);
	assert_done(&n, "Failed", "1 of 2 objects failed: ConfigMap:s/a: no space left on device");
	run_free(&r);
	run_free(&n);
}

static void a_prune_that_was_killed_is_known_to_have_happened(void **state)
{
	struct run r =
		run_new("ConfigMap/s/a=1", "ConfigMap/s/a=1@app ConfigMap/s/old=1@app ConfigMap/s/other=1@app", "");
	struct run n = {0};

	(void)state;
	assert_int_equal(step(&r, START), SYNC_ACT);
	assert_handed_out(&r, "old other");
	n.s = next_life(r.s);
	/* one is gone and still in the inventory, the other has left both */
	n.m = model_new("app", "ConfigMap/s/a=1", "ConfigMap/s/a=1@app", "ConfigMap/s/a=1 ConfigMap/s/old=1", "");
	assert_int_equal(model_plan(n.m, &prune_on, &n.p, NULL), PL_OK);
	sync_plan(n.s, &n.p);
	assert_done(&n, "Succeeded", "successfully synced: 2 pruned");
	assert_results(n.s, "old delete Pruned: pruned before a restart\nother delete Pruned: pruned before a restart");
	run_free(&r);
	run_free(&n);
}

static void a_cancelled_sync_goes_on_in_the_next_life(void **state)
{
	struct run r = run_new("ConfigMap/s/a=1", "", "");
	struct run n = {0};

	(void)state;
	assert_int_equal(step(&r, START), SYNC_ACT);
	sync_cancel(r.s, S("shutting down"));
	sync_result(r.s, r.next.rows[0], PL_ECANCELLED, 0, (pl_str){NULL, 0});
	n.s = next_life(r.s);
	sync_extend(n.s, DEADLINE * 2);
	n.m = model_new("app", "ConfigMap/s/a=1", "", "ConfigMap/s/a=~", "");
	assert_int_equal(model_plan(n.m, &prune_on, &n.p, NULL), PL_OK);
	sync_plan(n.s, &n.p);
	assert_int_equal(step(&n, DEADLINE + 1), SYNC_ACT);
	report(&n, NULL);
	assert_int_equal(step(&n, DEADLINE + 1), SYNC_DONE);
	assert_true(str_eqz(n.next.phase, "Succeeded"));
	run_free(&r);
	run_free(&n);
}

static void what_no_longer_belongs_to_us_after_a_restart_is_blocked(void **state)
{
	struct run r = run_new("ConfigMap/s/a=1", "", "");
	struct run n = {0};

	(void)state;
	assert_int_equal(step(&r, START), SYNC_ACT);
	n.s = next_life(r.s);
	n.m = model_new("app", "ConfigMap/s/a=1", "ConfigMap/s/a=1@other", "ConfigMap/s/a=~", "");
	assert_int_equal(model_plan(n.m, &prune_on, &n.p, NULL), PL_OK);
	sync_plan(n.s, &n.p);
	assert_done(&n, "Failed", "1 of 1 object failed: ConfigMap:s/a: belongs to application 'other'");
	run_free(&r);
	run_free(&n);
}

/* ---- damage ---- */

static void any_damage_is_an_error_and_nothing_worse(void **state)
{
	struct run r = run_new("ConfigMap/s/a=1 Deployment.apps/s/web=1", "ConfigMap/s/old=1@app", "");
	struct buf b = BUF_INIT(1 << 20);
	struct sync *s;

	(void)state;
	assert_int_equal(step(&r, START), SYNC_ACT);
	report(&r, "a");
	sync_pack(r.s, &b);
	for (size_t n = 0; n < b.n; n++)
		assert_int_not_equal(sync_unpack((pl_str){b.p, n}, &s, NULL), PL_OK);
	for (size_t i = 0; i < b.n; i++)
		for (int bit = 0; bit < 8; bit += 3) {
			b.p[i] = (char)(b.p[i] ^ (1 << bit));
			assert_int_not_equal(sync_unpack(buf_str(&b), &s, NULL), PL_OK);
			assert_null(s);
			b.p[i] = (char)(b.p[i] ^ (1 << bit));
		}
	assert_int_equal(sync_unpack(buf_str(&b), &s, NULL), PL_OK);
	sync_free(s);
	buf_free(&b);
	run_free(&r);
}

/* The digest can be right and the content wrong all the same: made by somebody who knows the format. */
static void a_wrong_body_under_a_right_digest_is_refused(void **state)
{
	struct run r = run_new("ConfigMap/s/a=1", "", "");
	struct buf b = BUF_INIT(1 << 20);
	const size_t head = 8 + HASH_SIZE;
	struct sync *s;

	(void)state;
	sync_pack(r.s, &b);
	for (size_t i = head; i < b.n; i++)
		for (int v = 0; v < 256; v += 51) {
			char was = b.p[i];

			b.p[i] = (char)v;
			hash_of((pl_str){b.p + head, b.n - head}, (uint8_t *)b.p + 8);
			if (sync_unpack(buf_str(&b), &s, NULL) == PL_OK)
				sync_free(s);
			b.p[i] = was;
		}
	buf_addc(&b, 'x');
	hash_of((pl_str){b.p + head, b.n - head}, (uint8_t *)b.p + 8);
	assert_int_equal(sync_unpack(buf_str(&b), &s, NULL), PL_EIO);
	buf_free(&b);
	run_free(&r);
}

static void another_version_is_unsupported_not_damaged(void **state)
{
	struct sync *s = start_sync(false), *t;
	struct buf b = BUF_INIT(1 << 16);
	struct pl_err e = ERR_INIT;

	(void)state;
	sync_pack(s, &b);
	b.p[4] = 9;
	assert_int_equal(sync_unpack(buf_str(&b), &t, &e), PL_EUNSUPPORTED);
	assert_non_null(strstr(pl_err_text(&e), "version 9"));
	err_clear(&e);
	buf_free(&b);
	sync_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stages_run_in_order_and_wait_for_each_other),
		cmocka_unit_test(nothing_to_do_is_a_success),
		cmocka_unit_test(a_failed_row_stops_later_stages_but_not_its_own),
		cmocka_unit_test(several_failures_are_counted_and_the_first_is_told),
		cmocka_unit_test(a_foreign_object_fails_the_sync_but_lets_other_applies_through),
		cmocka_unit_test(a_foreign_object_beside_nothing_but_prunes_holds_them),
		cmocka_unit_test(what_somebody_else_got_meanwhile_blocks_itself_and_prunes_alone),
		cmocka_unit_test(prunes_that_are_held_back_are_told_and_do_not_fail),
		cmocka_unit_test(a_dry_run_says_so),
		cmocka_unit_test(a_large_stage_comes_in_batches),
		cmocka_unit_test(before_a_plan_it_waits_until_the_deadline),
		cmocka_unit_test(past_the_deadline_no_new_action_starts),
		cmocka_unit_test(what_is_done_at_the_deadline_is_done),
		cmocka_unit_test(cancel_waits_for_what_runs_and_starts_nothing),
		cmocka_unit_test(an_action_that_was_cancelled_alone_has_failed),
		cmocka_unit_test(a_result_told_twice_counts_once),
		cmocka_unit_test(packing_keeps_everything),
		cmocka_unit_test(a_killed_sync_goes_on_where_it_was),
		cmocka_unit_test(results_of_an_earlier_life_stay),
		cmocka_unit_test(a_failure_of_an_earlier_life_still_stops_later_stages),
		cmocka_unit_test(a_prune_that_was_killed_is_known_to_have_happened),
		cmocka_unit_test(a_cancelled_sync_goes_on_in_the_next_life),
		cmocka_unit_test(what_no_longer_belongs_to_us_after_a_restart_is_blocked),
		cmocka_unit_test(any_damage_is_an_error_and_nothing_worse),
		cmocka_unit_test(a_wrong_body_under_a_right_digest_is_refused),
		cmocka_unit_test(another_version_is_unsupported_not_damaged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
