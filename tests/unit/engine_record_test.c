/* SPDX-License-Identifier: Apache-2.0 */
#include "core/engine/record.h"

#include "core/base/file.h"
#include "tests/unit/engine_model.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define TARGET S("directory {\"path\":\"/live\"}")

struct fix {
	char dir[64];
	struct store *st;
	struct arena *a;
	struct model *m;
	struct plan p;
	struct sync *s;
	struct sync_next next;
	struct store_app app;
};

static const struct plan_policy prune_on = {.prune = true};

static void put_app(struct fix *f, const char *name)
{
	struct store_app app = {.name = str_of(name), .target = TARGET};

	assert_int_equal(store_app_put(f->st, &app, NULL), PL_OK);
}

static int setup(void **state)
{
	struct fix *f = mem_zalloc(sizeof(*f));

	memcpy(f->dir, "/tmp/plumb-record-XXXXXX", sizeof("/tmp/plumb-record-XXXXXX"));
	assert_non_null(mkdtemp(f->dir));
	f->a = arena_new();
	assert_int_equal(store_open(f->dir, false, &f->st, NULL), PL_OK);
	put_app(f, "app");
	assert_int_equal(store_app_get(f->st, S("app"), f->a, &f->app, NULL), PL_OK);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fix *f = *state;

	sync_free(f->s);
	if (f->m)
		model_free(f->m);
	store_close(f->st);
	arena_free(f->a);
	file_remove_tree(f->dir, NULL);
	free(f);
	return 0;
}

static void begin(struct fix *f, const struct plan_policy *policy, bool dry_run, const char *desired, const char *live,
		  const char *inventory, const char *owners)
{
	struct sync_start start = {.app = S("app"),
				   .revision = S("rev2"),
				   .revision_name = S("main@rev2"),
				   .initiator = S("automated"),
				   .started_ms = 1000,
				   .deadline_ms = 900000,
				   .dry_run = dry_run,
				   .policy = *policy};

	f->m = model_new("app", desired, live, inventory, owners);
	assert_int_equal(model_plan(f->m, policy, &f->p, NULL), PL_OK);
	f->s = sync_new(&start);
	sync_plan(f->s, &f->p);
}

/* One stage with all its writes; the object called fail does not come through. */
static void run_stage(struct fix *f, const char *fail)
{
	sync_step(f->s, 2000, &f->next);
	assert_int_equal(f->next.what, SYNC_ACT);
	assert_int_equal(record_intent(f->st, S("app"), TARGET, &f->p, f->next.rows, f->next.n_rows, NULL), PL_OK);
	for (size_t i = 0; i < f->next.n_rows; i++) {
		const struct plan_row *r = &f->p.rows[f->next.rows[i]];
		bool bad = fail && str_eqz(r->ref.name, fail);
		uint32_t change = r->op == PLAN_DELETE ? PL_DELETED : PL_CREATED;

		sync_result(f->s, f->next.rows[i], bad ? PL_EIO : PL_OK, bad ? 0 : change,
			    bad ? S("disk full") : S(""));
	}
	assert_int_equal(record_done(f->st, S("app"), TARGET, &f->p, f->s, f->next.rows, f->next.n_rows, NULL), PL_OK);
}

static void assert_inventory(struct fix *f, const char *app, const char *want)
{
	struct buf b = BUF_INIT(1 << 16);
	struct store_item *v;
	size_t n;

	assert_int_equal(store_inventory(f->st, str_of(app), f->a, &v, &n, NULL), PL_OK);
	buf_addz(&b, "");
	for (size_t i = 0; i < n; i++) {
		buf_addf(&b, "%s%.*s %s", i ? ", " : "", F(v[i].ref.name), v[i].hash.n ? "hashed" : "intended");
		assert_true(str_eq(v[i].target, TARGET));
	}
	assert_string_equal(b.p ? b.p : "", want);
	buf_free(&b);
}

static struct record_end end_of(const struct fix *f)
{
	return (struct record_end){.phase = f->next.phase,
				   .message = f->next.message,
				   .author = S("Ada <ada@example.org>"),
				   .description = S("raise the limit"),
				   .render_key = S("key2"),
				   .target = TARGET,
				   .health = S("Healthy"),
				   .now_ms = 5000,
				   .retry_ms = 4000};
}

/* ---- the inventory ---- */

static void objects_enter_before_they_are_applied(void **state)
{
	struct fix *f = *state;

	begin(f, &prune_on, false, "ConfigMap/s/a=1 ConfigMap/s/b=1", "", "", "");
	sync_step(f->s, 2000, &f->next);
	assert_int_equal(record_intent(f->st, S("app"), TARGET, &f->p, f->next.rows, f->next.n_rows, NULL), PL_OK);
	assert_inventory(f, "app", "a intended, b intended");
}

static void applied_ones_get_their_hash_and_failed_ones_stay_intended(void **state)
{
	struct fix *f = *state;

	begin(f, &prune_on, false, "ConfigMap/s/a=1 ConfigMap/s/b=1", "", "", "");
	run_stage(f, "b");
	assert_inventory(f, "app", "a hashed, b intended");
}

static void a_failed_update_keeps_the_hash_of_what_was_applied(void **state)
{
	struct fix *f = *state;
	struct store_item *v;
	size_t n;

	begin(f, &prune_on, false, "ConfigMap/s/a=2", "ConfigMap/s/a=1@app", "ConfigMap/s/a=1", "");
	assert_int_equal(store_inventory_change(f->st, S("app"), f->m->inventory, 1, NULL, 0, NULL), PL_OK);
	run_stage(f, "a");
	assert_int_equal(store_inventory(f->st, S("app"), f->a, &v, &n, NULL), PL_OK);
	assert_int_equal(n, 1);
	assert_true(str_eq(v[0].hash, f->m->inventory[0].hash));
}

static void pruned_ones_leave_and_failed_prunes_stay(void **state)
{
	struct fix *f = *state;

	begin(f, &prune_on, false, "ConfigMap/s/a=1", "ConfigMap/s/a=1@app ConfigMap/s/b=1@app ConfigMap/s/c=1@app",
	      "ConfigMap/s/a=1 ConfigMap/s/b=1 ConfigMap/s/c=1", "");
	assert_int_equal(store_inventory_change(f->st, S("app"), f->m->inventory, 3, NULL, 0, NULL), PL_OK);
	run_stage(f, "c");
	assert_inventory(f, "app", "a hashed, c hashed");
}

static void what_is_taken_over_changes_its_owner_before_it_is_applied(void **state)
{
	struct fix *f = *state;

	put_app(f, "other");
	begin(f, &prune_on, false, "ConfigMap/s/a=1", "ConfigMap/s/a=1@other", "", "ConfigMap/s/a@other+");
	struct store_item theirs = {.ref = f->m->desired[0].ref, .hash = S("1")};
	assert_int_equal(store_inventory_change(f->st, S("other"), &theirs, 1, NULL, 0, NULL), PL_OK);
	run_stage(f, NULL);
	assert_inventory(f, "app", "a hashed");
	assert_inventory(f, "other", "");
}

static void a_take_over_that_failed_is_known_as_such(void **state)
{
	struct fix *f = *state;
	struct store_item *v;
	size_t n;

	put_app(f, "other");
	begin(f, &prune_on, false, "ConfigMap/s/a=1", "ConfigMap/s/a=1@other", "", "ConfigMap/s/a@other+");
	run_stage(f, "a");
	assert_int_equal(store_inventory(f->st, S("app"), f->a, &v, &n, NULL), PL_OK);
	assert_int_equal(n, 1);
	assert_true(str_eqz(v[0].hash, PLAN_TAKING "other"));
}

static void another_applications_object_is_refused_by_the_store_too(void **state)
{
	struct fix *f = *state;
	struct pl_err e = ERR_INIT;

	put_app(f, "other");
	begin(f, &prune_on, false, "ConfigMap/s/a=1", "", "", "");
	struct store_item theirs = {.ref = f->m->desired[0].ref, .hash = S("1")};
	assert_int_equal(store_inventory_change(f->st, S("other"), &theirs, 1, NULL, 0, NULL), PL_OK);
	sync_step(f->s, 2000, &f->next);
	assert_int_equal(record_intent(f->st, S("app"), TARGET, &f->p, f->next.rows, f->next.n_rows, &e), PL_ECONFLICT);
	assert_non_null(strstr(pl_err_text(&e), "belongs to application 'other'"));
	err_clear(&e);
}

static void what_the_plan_learned_is_written_without_a_sync(void **state)
{
	struct fix *f = *state;

	begin(f, &prune_on, false, "ConfigMap/s/a=1", "ConfigMap/s/a=1@app", "ConfigMap/s/gone=1", "");
	assert_int_equal(store_inventory_change(f->st, S("app"), f->m->inventory, 1, NULL, 0, NULL), PL_OK);
	assert_int_equal(record_learned(f->st, S("app"), TARGET, &f->p, NULL), PL_OK);
	assert_inventory(f, "app", "a hashed");
}

static void learning_nothing_forgets_nothing(void **state)
{
	struct fix *f = *state;

	begin(f, &prune_on, false, "ConfigMap/s/a=1", "ConfigMap/s/a=1@app", "ConfigMap/s/a=1", "");
	assert_int_equal(store_inventory_change(f->st, S("app"), f->m->inventory, 1, NULL, 0, NULL), PL_OK);
	assert_int_equal(record_learned(f->st, S("app"), TARGET, &f->p, NULL), PL_OK);
	assert_inventory(f, "app", "a hashed");
}

/* ---- the end ---- */

static void success_moves_the_application_forward(void **state)
{
	struct fix *f = *state;
	struct store_history *h;
	struct store_app app;
	int64_t id;
	size_t n;

	f->app.failures = 3;
	f->app.next_try_ms = 77;
	f->app.last_error = S("old trouble");
	begin(f, &prune_on, false, "ConfigMap/s/a=1", "", "", "");
	run_stage(f, NULL);
	assert_int_equal(store_sync_put(f->st, S("app"), S("blob"), NULL), PL_OK);
	sync_step(f->s, 2000, &f->next);
	struct record_end r = end_of(f);
	assert_int_equal(record_sync_end(f->st, f->s, &r, &f->app, &id, NULL), PL_OK);
	assert_true(id > 0);
	assert_int_equal(store_app_get(f->st, S("app"), f->a, &app, NULL), PL_OK);
	assert_true(str_eqz(app.revision, "rev2") && str_eqz(app.revision_name, "main@rev2"));
	assert_true(str_eqz(app.render_key, "key2") && str_eqz(app.tried_revision, "rev2"));
	assert_int_equal(app.failures, 0);
	assert_true(app.next_try_ms == 0);
	assert_int_equal(app.last_error.n, 0);
	assert_int_equal(store_history_list(f->st, S("app"), 0, true, f->a, &h, &n, NULL), PL_OK);
	assert_int_equal(n, 1);
	assert_true(h->id == id);
	assert_true(str_eqz(h->phase, "Succeeded") && str_eqz(h->author, "Ada <ada@example.org>"));
	assert_true(str_eqz(h->message, "raise the limit") && str_eqz(h->initiator, "automated"));
	assert_true(h->started_ms == 1000 && h->finished_ms == 5000);
	assert_int_equal(h->error.n, 0);
	assert_int_equal(h->n_results, 1);
	assert_true(str_eqz(h->results[0].status, "Synced") && str_eqz(h->results[0].action, "create"));
	pl_str blob;
	assert_int_equal(store_sync_get(f->st, S("app"), f->a, &blob, NULL), PL_ENOTFOUND);
}

static void failure_keeps_the_revision_and_backs_off(void **state)
{
	struct fix *f = *state;
	struct store_history *h;
	struct store_app app;
	int64_t id;
	size_t n;

	f->app.revision = S("rev1");
	begin(f, &prune_on, false, "ConfigMap/s/a=1", "", "", "");
	run_stage(f, "a");
	sync_step(f->s, 2000, &f->next);
	struct record_end r = end_of(f);
	assert_int_equal(record_sync_end(f->st, f->s, &r, &f->app, &id, NULL), PL_OK);
	assert_int_equal(store_app_get(f->st, S("app"), f->a, &app, NULL), PL_OK);
	assert_true(str_eqz(app.revision, "rev1") && str_eqz(app.tried_revision, "rev2"));
	assert_int_equal(app.failures, 1);
	assert_true(app.next_try_ms == 9000);
	assert_true(str_eqz(app.last_error, "1 of 1 object failed: ConfigMap:s/a: disk full"));
	assert_int_equal(store_history_list(f->st, S("app"), 0, true, f->a, &h, &n, NULL), PL_OK);
	assert_int_equal(n, 1);
	assert_true(str_eqz(h->phase, "Failed") && str_eq(h->error, app.last_error));
}

static void part_of_a_revision_is_not_that_revision(void **state)
{
	struct fix *f = *state;
	pl_ref only = {.kind = S_INIT("ConfigMap"), .name = S_INIT("a")};
	struct plan_policy policy = {.only = &only, .n_only = 1};
	struct store_app app;
	int64_t id;

	f->app.revision = S("rev1");
	begin(f, &policy, false, "ConfigMap/s/a=1 ConfigMap/s/b=1", "", "", "");
	run_stage(f, NULL);
	sync_step(f->s, 2000, &f->next);
	struct record_end r = end_of(f);
	assert_int_equal(record_sync_end(f->st, f->s, &r, &f->app, &id, NULL), PL_OK);
	assert_int_equal(store_app_get(f->st, S("app"), f->a, &app, NULL), PL_OK);
	assert_true(str_eqz(app.revision, "rev1"));
	assert_int_equal(app.tried_revision.n, 0);
	assert_true(id > 0);
}

static void a_dry_run_leaves_nothing_behind(void **state)
{
	struct fix *f = *state;
	struct store_history *h;
	int64_t id = 5;
	size_t n;

	begin(f, &prune_on, true, "", "", "", "");
	sync_step(f->s, 2000, &f->next);
	struct record_end r = end_of(f);
	assert_int_equal(record_sync_end(f->st, f->s, &r, &f->app, &id, NULL), PL_OK);
	assert_true(id == 0);
	assert_int_equal(store_history_list(f->st, S("app"), 0, false, f->a, &h, &n, NULL), PL_OK);
	assert_int_equal(n, 0);
}

static void backoff_doubles_up_to_its_end_and_is_spread_by_name(void **state)
{
	bool spread = false;

	(void)state;
	for (uint32_t failures = 1; failures < 100; failures++) {
		double full = failures > 6 ? 180000 : 5000 * (double)(1u << (failures - 1));
		int64_t a = record_backoff(S("a"), failures, 5000, 180000),
			b = record_backoff(S("b"), failures, 5000, 180000);

		full = full > 180000 ? 180000 : full;
		assert_true((double)a <= full && (double)a > full * 0.79);
		spread |= a != b;
	}
	assert_true(spread);
	assert_true(record_backoff(S("a"), UINT32_MAX, 1, INT64_MAX) > 0);
	assert_true(record_backoff(S("a"), 1, 0, 0) == 0);
	assert_true(record_backoff(S("a"), 3, 9000, 100) <= 100);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(objects_enter_before_they_are_applied),
		TEST(applied_ones_get_their_hash_and_failed_ones_stay_intended),
		TEST(a_failed_update_keeps_the_hash_of_what_was_applied),
		TEST(pruned_ones_leave_and_failed_prunes_stay),
		TEST(what_is_taken_over_changes_its_owner_before_it_is_applied),
		TEST(a_take_over_that_failed_is_known_as_such),
		TEST(another_applications_object_is_refused_by_the_store_too),
		TEST(what_the_plan_learned_is_written_without_a_sync),
		TEST(learning_nothing_forgets_nothing),
		TEST(success_moves_the_application_forward),
		TEST(failure_keeps_the_revision_and_backs_off),
		TEST(part_of_a_revision_is_not_that_revision),
		TEST(a_dry_run_leaves_nothing_behind),
		cmocka_unit_test(backoff_doubles_up_to_its_end_and_is_spread_by_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
