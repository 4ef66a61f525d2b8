/* SPDX-License-Identifier: Apache-2.0 */
/* The store as its users see it: what goes in comes out, and stays. */
#include "core/state/store.h"

#include "core/base/clock.h"
#include "core/base/file.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

struct fix {
	char dir[64];
	struct store *s;
	struct arena *a;
	struct pl_err e;
};

static int setup(void **state)
{
	struct fix *f = calloc(1, sizeof *f);
	snprintf(f->dir, sizeof f->dir, "/tmp/plumb-state-XXXXXX");
	if (!mkdtemp(f->dir))
		return -1;
	f->a = arena_new();
	*state = f;
	return store_open(f->dir, false, &f->s, &f->e);
}

static int teardown(void **state)
{
	struct fix *f = *state;
	store_close(f->s);
	arena_free(f->a);
	err_clear(&f->e);
	int st = file_remove_tree(f->dir, NULL);
	free(f);
	return st;
}

static void ok_at(struct fix *f, pl_status st, int line)
{
	if (st)
		fail_msg("line %d: %s: %s", line, pl_status_name(st), pl_err_text(&f->e));
}
#define OK(st) ok_at(f, (st), __LINE__)

static void reopen(struct fix *f)
{
	store_close(f->s);
	f->s = NULL;
	OK(store_open(f->dir, false, &f->s, &f->e));
}

static void same_at(pl_str got, const char *want, int line)
{
	if (!str_eqz(got, want))
		fail_msg("line %d: got '%.*s', want '%s'", line, F(got), want);
}
#define SAME(got, want) same_at((got), (want), __LINE__)

static pl_ref ref(const char *kind, const char *name)
{
	return (pl_ref){S("apps"), S("v1"), str_of(kind), S("shop"), str_of(name)};
}

static void put_app(struct fix *f, const char *name, const char *target)
{
	struct store_app app = {.name = str_of(name), .target = str_of(target)};
	OK(store_app_put(f->s, &app, &f->e));
}

static void put_item(struct fix *f, const char *app, const char *name)
{
	struct store_item it = {.ref = ref("Deployment", name), .hash = S("abc"), .since = 7};
	OK(store_inventory_change(f->s, str_of(app), &it, 1, NULL, 0, &f->e));
}

/* ---- applications ---- */

static void an_application_comes_back_whole(void **state)
{
	struct fix *f = *state;
	struct store_app in = {.name = S("shop"),
			       .target = S("here"),
			       .revision = S("c0ffee"),
			       .revision_name = S("main@sha1:c0ffee"),
			       .render_key = S("k1"),
			       .suspended = true,
			       .suspend_reason = S("user alice: freeze"),
			       .pinned = S("dead"),
			       .pin_reason = S("rollback"),
			       .pin_render = 4,
			       .orphaned = true,
			       .cascade = true,
			       .failures = 4000000000u,
			       .next_try_ms = INT64_MAX,
			       .last_error = S("a\0b"),
			       .tried_revision = S("beef")};
	OK(store_app_put(f->s, &in, &f->e));
	reopen(f);
	struct store_app out;
	OK(store_app_get(f->s, S("shop"), f->a, &out, &f->e));
	SAME(out.target, "here");
	SAME(out.revision, "c0ffee");
	SAME(out.revision_name, "main@sha1:c0ffee");
	SAME(out.render_key, "k1");
	assert_true(out.suspended && out.orphaned && out.cascade);
	SAME(out.suspend_reason, "user alice: freeze");
	SAME(out.pinned, "dead");
	SAME(out.pin_reason, "rollback");
	assert_int_equal(out.pin_render, 4);
	assert_true(out.failures == 4000000000u);
	assert_true(out.next_try_ms == INT64_MAX);
	assert_int_equal(out.last_error.n, 3);
	assert_memory_equal(out.last_error.p, "a\0b", 3);
	SAME(out.tried_revision, "beef");
}

static void putting_an_application_again_changes_it(void **state)
{
	struct fix *f = *state;
	put_app(f, "b", "one");
	put_app(f, "a", "one");
	put_item(f, "b", "web");
	put_app(f, "b", "two");
	struct store_app *apps;
	size_t n;
	OK(store_apps(f->s, f->a, &apps, &n, &f->e));
	assert_int_equal(n, 2);
	SAME(apps[0].name, "a");
	SAME(apps[1].target, "two");
}

static void what_is_absent_is_told_by_name(void **state)
{
	struct fix *f = *state;
	struct store_app app;
	struct store_history h;
	pl_str text;
	int64_t none = 99;
	pl_ref r = ref("Deployment", "web");
	struct store_item it = {.ref = r};
	assert_int_equal(store_app_get(f->s, S("x"), f->a, &app, &f->e), PL_ENOTFOUND);
	assert_string_equal(pl_err_text(&f->e), "the store does not know the application 'x'");
	assert_int_equal(store_sync_get(f->s, S("x"), f->a, &text, &f->e), PL_ENOTFOUND);
	assert_string_equal(pl_err_text(&f->e), "no sync of 'x' is running");
	assert_int_equal(store_trace_get(f->s, S("x"), f->a, &text, &f->e), PL_ENOTFOUND);
	assert_int_equal(store_meta_get(f->s, "x", f->a, &text, &f->e), PL_ENOTFOUND);
	assert_int_equal(store_owner(f->s, S("here"), &r, f->a, &text, &f->e), PL_ENOTFOUND);
	assert_string_equal(pl_err_text(&f->e), "no application has Deployment 'web'");
	assert_int_equal(store_history_get(f->s, none, f->a, &h, &f->e), PL_ENOTFOUND);
	assert_string_equal(pl_err_text(&f->e), "there is no history entry 99");
	assert_int_equal(store_history_health(f->s, none, S("Healthy"), &f->e), PL_ENOTFOUND);
	assert_int_equal(store_render_get(f->s, none, f->a, &text, &f->e), PL_ENOTFOUND);
	assert_string_equal(pl_err_text(&f->e), "there is no stored render 99");
	assert_int_equal(store_inventory_change(f->s, S("x"), &it, 1, NULL, 0, &f->e), PL_ENOTFOUND);
}

/* ---- inventory ---- */

static void the_inventory_is_kept_by_object(void **state)
{
	struct fix *f = *state;
	put_app(f, "shop", "here");
	struct store_item put[] = {
		{.ref = ref("Deployment", "web"), .hash = S("h1"), .since = 5},
		{.ref = ref("Deployment", "api"), .hash = S("h2"), .since = 6},
		{.ref = {.kind = S("Namespace"), .version = S("v1"), .name = S("shop")}, .hash = S("h3")},
	};
	OK(store_inventory_change(f->s, S("shop"), put, 3, NULL, 0, &f->e));
	put[0].hash = S("h9");
	put[0].since = 1000;
	put[0].ref.version = S("v2");
	pl_ref drop[] = {ref("Deployment", "api"), ref("Deployment", "never-there")};
	OK(store_inventory_change(f->s, S("shop"), put, 1, drop, 2, &f->e));
	struct store_item *items;
	size_t n;
	OK(store_inventory(f->s, S("shop"), f->a, &items, &n, &f->e));
	assert_int_equal(n, 2);
	SAME(items[0].ref.kind, "Namespace");
	SAME(items[0].ref.group, "");
	assert_true(items[0].since > 0);
	SAME(items[1].ref.name, "web");
	SAME(items[1].ref.version, "v2");
	SAME(items[1].ref.ns, "shop");
	SAME(items[1].hash, "h9");
	SAME(items[1].target, "here");
	assert_int_equal(items[1].since, 5);
}

static void an_object_has_one_owner_on_a_target(void **state)
{
	struct fix *f = *state;
	pl_str owner;
	pl_ref r = ref("Deployment", "web");
	put_app(f, "one", "here");
	put_app(f, "two", "here");
	put_app(f, "far", "there");
	put_item(f, "one", "web");
	put_item(f, "far", "web");
	OK(store_owner(f->s, S("here"), &r, f->a, &owner, &f->e));
	SAME(owner, "one");
	OK(store_owner(f->s, S("there"), &r, f->a, &owner, &f->e));
	SAME(owner, "far");

	struct store_item it = {.ref = r, .hash = S("h")};
	pl_ref other = ref("Deployment", "other");
	struct store_item both[] = {{.ref = other, .hash = S("h")}, it};
	assert_int_equal(store_inventory_change(f->s, S("two"), both, 2, NULL, 0, &f->e), PL_ECONFLICT);
	assert_string_equal(pl_err_text(&f->e), "Deployment 'web' belongs to application 'one'");
	/* Nothing of a refused change stays. */
	assert_int_equal(store_owner(f->s, S("here"), &other, f->a, &owner, NULL), PL_ENOTFOUND);

	it.previous = S("one");
	OK(store_inventory_change(f->s, S("two"), &it, 1, NULL, 0, &f->e));
	OK(store_owner(f->s, S("here"), &r, f->a, &owner, &f->e));
	SAME(owner, "two");
	/* The former owner can't drop what is no longer its own. */
	OK(store_inventory_change(f->s, S("one"), NULL, 0, &r, 1, &f->e));
	OK(store_owner(f->s, S("here"), &r, f->a, &owner, &f->e));
}

static void an_orphan_loses_its_objects_to_who_takes_them(void **state)
{
	struct fix *f = *state;
	struct store_app gone = {.name = S("gone"), .target = S("here"), .orphaned = true};
	pl_ref r = ref("Deployment", "web");
	pl_str owner;
	put_app(f, "gone", "here");
	put_item(f, "gone", "web");
	OK(store_app_put(f->s, &gone, &f->e));
	put_app(f, "new", "here");
	put_item(f, "new", "web");
	OK(store_owner(f->s, S("here"), &r, f->a, &owner, &f->e));
	SAME(owner, "new");
}

static void a_changed_target_leaves_the_old_ones_known(void **state)
{
	struct fix *f = *state;
	struct store_item *items;
	size_t n;
	put_app(f, "shop", "old");
	put_item(f, "shop", "web");
	put_item(f, "shop", "api");
	put_app(f, "shop", "new");
	put_item(f, "shop", "web");
	OK(store_inventory(f->s, S("shop"), f->a, &items, &n, &f->e));
	assert_int_equal(n, 1);
	SAME(items[0].target, "new");
	OK(store_inventory_elsewhere(f->s, S("shop"), S("new"), f->a, &items, &n, &f->e));
	assert_int_equal(n, 2);
	SAME(items[0].target, "old");
	SAME(items[0].ref.name, "api");
	pl_ref web = ref("Deployment", "web");
	OK(store_inventory_drop(f->s, S("shop"), S("old"), &web, 1, &f->e));
	OK(store_inventory_elsewhere(f->s, S("shop"), S("new"), f->a, &items, &n, &f->e));
	assert_int_equal(n, 1);
	OK(store_inventory_drop(f->s, S("shop"), S("old"), NULL, 0, &f->e));
	OK(store_inventory_elsewhere(f->s, S("shop"), S("new"), f->a, &items, &n, &f->e));
	assert_int_equal(n, 0);
	OK(store_inventory(f->s, S("shop"), f->a, &items, &n, &f->e));
	assert_int_equal(n, 1);
}

/* ---- syncs and history ---- */

static int64_t end_sync(struct fix *f, const char *name, const char *revision, int64_t render)
{
	struct store_app app = {.name = str_of(name), .target = S("here"), .revision = str_of(revision)};
	struct store_result results[] = {
		{ref("Deployment", "web"), S("update"), S("Synced"), S("configured")},
		{ref("Deployment", "api"), S("create"), S("SyncFailed"), S("no space")},
	};
	struct store_history h = {.app = str_of(name),
				  .revision = str_of(revision),
				  .author = S("Ann <ann@example.org>"),
				  .message = S("more\nreplicas"),
				  .initiator = S("user alice"),
				  .started_ms = 10,
				  .finished_ms = 20,
				  .phase = S("Failed"),
				  .error = S("one failed"),
				  .health = S("Unknown"),
				  .render = render,
				  .results = results,
				  .n_results = 2};
	OK(store_sync_end(f->s, &app, &h, &f->e));
	assert_true(h.id > 0);
	return h.id;
}

static void ending_a_sync_records_all_of_it_at_once(void **state)
{
	struct fix *f = *state;
	pl_str blob, *apps;
	size_t n;
	OK(store_sync_put(f->s, S("shop"), S("step 1"), &f->e));
	OK(store_sync_put(f->s, S("shop"), S("step 2"), &f->e));
	reopen(f);
	OK(store_sync_get(f->s, S("shop"), f->a, &blob, &f->e));
	SAME(blob, "step 2");
	OK(store_syncs(f->s, f->a, &apps, &n, &f->e));
	assert_int_equal(n, 1);
	SAME(apps[0], "shop");

	int64_t id = end_sync(f, "shop", "c0ffee", 0);
	reopen(f);
	assert_int_equal(store_sync_get(f->s, S("shop"), f->a, &blob, &f->e), PL_ENOTFOUND);
	struct store_app app;
	OK(store_app_get(f->s, S("shop"), f->a, &app, &f->e));
	SAME(app.revision, "c0ffee");
	OK(store_history_health(f->s, id, S("Healthy"), &f->e));
	struct store_history h;
	OK(store_history_get(f->s, id, f->a, &h, &f->e));
	SAME(h.app, "shop");
	SAME(h.author, "Ann <ann@example.org>");
	SAME(h.message, "more\nreplicas");
	SAME(h.initiator, "user alice");
	SAME(h.phase, "Failed");
	SAME(h.error, "one failed");
	SAME(h.health, "Healthy");
	assert_int_equal(h.started_ms, 10);
	assert_int_equal(h.finished_ms, 20);
	assert_int_equal(h.n_results, 2);
	SAME(h.results[1].ref.name, "api");
	SAME(h.results[1].action, "create");
	SAME(h.results[1].status, "SyncFailed");
	SAME(h.results[1].message, "no space");
}

static void an_empty_sync_is_none(void **state)
{
	struct fix *f = *state;
	pl_str blob;
	OK(store_sync_put(f->s, S("shop"), S("step 1"), &f->e));
	OK(store_sync_put(f->s, S("shop"), S(""), &f->e));
	assert_int_equal(store_sync_get(f->s, S("shop"), f->a, &blob, &f->e), PL_ENOTFOUND);
}

static void history_is_listed_newest_first(void **state)
{
	struct fix *f = *state;
	struct store_history *h;
	size_t n;
	int64_t first = end_sync(f, "shop", "r1", 0);
	end_sync(f, "other", "r1", 0);
	int64_t last = end_sync(f, "shop", "r2", 0);
	assert_true(last > first);
	OK(store_history_list(f->s, S("shop"), 0, false, f->a, &h, &n, &f->e));
	assert_int_equal(n, 2);
	assert_true(h[0].id == last && h[1].id == first);
	assert_int_equal(h[0].n_results, 0);
	OK(store_history_list(f->s, S("shop"), 1, true, f->a, &h, &n, &f->e));
	assert_int_equal(n, 1);
	assert_int_equal(h[0].n_results, 2);
	OK(store_history_list(f->s, S("nobody"), 0, true, f->a, &h, &n, &f->e));
	assert_int_equal(n, 0);
}

static void a_dropped_application_leaves_its_history(void **state)
{
	struct fix *f = *state;
	struct store_item *items;
	struct store_history *h;
	struct store_app app;
	pl_str text;
	size_t n;
	end_sync(f, "shop", "r1", 0);
	put_item(f, "shop", "web");
	OK(store_sync_put(f->s, S("shop"), S("x"), &f->e));
	OK(store_trace_put(f->s, S("shop"), S("t"), &f->e));
	OK(store_app_drop(f->s, S("shop"), &f->e));
	assert_int_equal(store_app_get(f->s, S("shop"), f->a, &app, &f->e), PL_ENOTFOUND);
	assert_int_equal(store_sync_get(f->s, S("shop"), f->a, &text, &f->e), PL_ENOTFOUND);
	assert_int_equal(store_trace_get(f->s, S("shop"), f->a, &text, &f->e), PL_ENOTFOUND);
	OK(store_inventory(f->s, S("shop"), f->a, &items, &n, &f->e));
	assert_int_equal(n, 0);
	OK(store_history_list(f->s, S("shop"), 0, true, f->a, &h, &n, &f->e));
	assert_int_equal(n, 1);
	assert_int_equal(h[0].n_results, 2);
	OK(store_app_drop(f->s, S("shop"), &f->e)); /* dropping what is gone is fine */
}

/* ---- renders, traces, facts ---- */

static void a_render_is_one_row_for_its_key(void **state)
{
	struct fix *f = *state;
	int64_t one, again, other, theirs;
	pl_str text;
	OK(store_render_put(f->s, S("shop"), S("k1"), S("{\"a\":1}\n"), &one, &f->e));
	OK(store_render_put(f->s, S("shop"), S("k1"), S("{\"a\":1}\n"), &again, &f->e));
	OK(store_render_put(f->s, S("shop"), S("k2"), S(""), &other, &f->e));
	OK(store_render_put(f->s, S("more"), S("k1"), S("theirs"), &theirs, &f->e));
	assert_true(one == again && one != other && one != theirs);
	reopen(f);
	OK(store_render_get(f->s, one, f->a, &text, &f->e));
	SAME(text, "{\"a\":1}\n");
	OK(store_render_get(f->s, other, f->a, &text, &f->e));
	assert_int_equal(text.n, 0);
}

static void traces_and_facts_keep_any_bytes(void **state)
{
	struct fix *f = *state;
	pl_str text;
	OK(store_trace_put(f->s, S("shop"), S("\0\xff\n"), &f->e));
	OK(store_meta_put(f->s, "last", S("one"), &f->e));
	OK(store_meta_put(f->s, "last", S(""), &f->e));
	reopen(f);
	OK(store_trace_get(f->s, S("shop"), f->a, &text, &f->e));
	assert_int_equal(text.n, 3);
	assert_memory_equal(text.p, "\0\xff\n", 3);
	OK(store_meta_get(f->s, "last", f->a, &text, &f->e));
	assert_int_equal(text.n, 0);
}

static void tidy_keeps_what_is_still_named(void **state)
{
	struct fix *f = *state;
	int64_t r[5];
	pl_str text;
	struct store_history *h, one;
	size_t n;
	static const char *const keys[] = {"k0", "k1", "k2", "k3", "k4"};
	for (size_t i = 0; i < 5; i++)
		OK(store_render_put(f->s, S("shop"), str_of(keys[i]), S("text"), &r[i], &f->e));
	int64_t pinned = end_sync(f, "shop", "r0", r[0]);
	int64_t old = end_sync(f, "shop", "r1", r[1]);
	end_sync(f, "shop", "r2", r[2]);
	struct store_app app = {.name = S("shop"), .target = S("here"), .pin_render = pinned, .render_key = S("k2")};
	OK(store_app_put(f->s, &app, &f->e));
	OK(store_tidy(f->s, 0, &f->e));
	OK(store_history_list(f->s, S("shop"), 0, false, f->a, &h, &n, &f->e));
	assert_int_equal(n, 3);
	assert_int_equal(store_render_get(f->s, r[3], f->a, &text, &f->e), PL_ENOTFOUND); /* nobody's */
	OK(store_render_get(f->s, r[4], f->a, &text, &f->e)); /* the newest may be about to be named */
	OK(store_tidy(f->s, 1, &f->e));
	OK(store_history_list(f->s, S("shop"), 0, false, f->a, &h, &n, &f->e));
	assert_int_equal(n, 2);
	OK(store_history_get(f->s, pinned, f->a, &one, &f->e));
	assert_int_equal(store_history_get(f->s, old, f->a, &one, &f->e), PL_ENOTFOUND);
	OK(store_render_get(f->s, r[0], f->a, &text, &f->e));
	assert_int_equal(store_render_get(f->s, r[1], f->a, &text, &f->e), PL_ENOTFOUND);
	OK(store_render_get(f->s, r[2], f->a, &text, &f->e));
}

static void tidy_leaves_a_running_sync_its_render(void **state)
{
	struct fix *f = *state;
	int64_t one, two;
	pl_str text;
	OK(store_render_put(f->s, S("shop"), S("k1"), S("one"), &one, &f->e));
	OK(store_render_put(f->s, S("shop"), S("k2"), S("two"), &two, &f->e));
	OK(store_sync_put(f->s, S("shop"), S("names k1, sealed"), &f->e));
	OK(store_tidy(f->s, 1, &f->e));
	OK(store_render_get(f->s, one, f->a, &text, &f->e));
}

/* ---- threads ---- */

enum { THREADS = 8, ROUNDS = 12 };

struct racer {
	struct store *s;
	int nth;
	int failed;
};

static void *race(void *arg)
{
	struct racer *r = arg;
	struct pl_err e = ERR_INIT;
	char name[16];
	snprintf(name, sizeof name, "app%d", r->nth);
	struct store_app app = {.name = str_of(name), .target = S("here")};
	for (int i = 0; i < ROUNDS && !r->failed; i++) {
		struct arena *a = arena_new();
		struct store_item it = {.ref = ref("Deployment", name), .hash = S("h")}, *items;
		struct store_history h = {.app = app.name, .phase = S("Succeeded")};
		size_t n;
		pl_str blob;
		int64_t id;
		if (store_app_put(r->s, &app, &e) || store_inventory_change(r->s, app.name, &it, 1, NULL, 0, &e) ||
		    store_sync_put(r->s, app.name, app.name, &e) || store_sync_get(r->s, app.name, a, &blob, &e) ||
		    !str_eq(blob, app.name) || store_render_put(r->s, app.name, S("k"), app.name, &id, &e) ||
		    store_sync_end(r->s, &app, &h, &e) || store_inventory(r->s, app.name, a, &items, &n, &e) || n != 1)
			r->failed = 1;
		arena_free(a);
	}
	err_clear(&e);
	return NULL;
}

static void eight_threads_do_not_disturb_each_other(void **state)
{
	struct fix *f = *state;
	pthread_t t[THREADS];
	struct racer r[THREADS];
	for (int i = 0; i < THREADS; i++) {
		r[i] = (struct racer){f->s, i, 0};
		assert_int_equal(pthread_create(&t[i], NULL, race, &r[i]), 0);
	}
	for (int i = 0; i < THREADS; i++)
		pthread_join(t[i], NULL);
	for (int i = 0; i < THREADS; i++) {
		char name[16];
		struct store_history *h;
		size_t n;
		snprintf(name, sizeof name, "app%d", i);
		assert_int_equal(r[i].failed, 0);
		OK(store_history_list(f->s, str_of(name), 0, false, f->a, &h, &n, &f->e));
		assert_int_equal(n, ROUNDS);
	}
}

static void a_batch_is_all_or_nothing(void **state)
{
	struct fix *f = *state;
	pl_str v;
	OK(store_batch_begin(f->s, &f->e));
	OK(store_meta_put(f->s, "one", S("1"), &f->e));
	OK(store_meta_put(f->s, "two", S("2"), &f->e));
	assert_int_equal(store_batch_end(f->s, PL_EIO, &f->e), PL_EIO);
	assert_int_equal(store_meta_get(f->s, "one", f->a, &v, NULL), PL_ENOTFOUND);
	OK(store_batch_begin(f->s, &f->e));
	OK(store_meta_put(f->s, "one", S("1"), &f->e));
	assert_int_equal(store_inventory_drop(f->s, S("x"), S("t"), NULL, 0, &f->e), PL_OK);
	OK(store_meta_put(f->s, "two", S("2"), &f->e));
	OK(store_batch_end(f->s, PL_OK, &f->e));
	OK(store_meta_get(f->s, "one", f->a, &v, &f->e));
	OK(store_meta_get(f->s, "two", f->a, &v, &f->e));
}

static void a_part_of_a_batch_that_fails_undoes_itself_alone(void **state)
{
	struct fix *f = *state;
	struct store_item it = {.ref = ref("Deployment", "web"), .hash = S("h")};
	pl_str v;
	OK(store_batch_begin(f->s, &f->e));
	OK(store_meta_put(f->s, "one", S("1"), &f->e));
	assert_int_equal(store_inventory_change(f->s, S("nobody"), &it, 1, NULL, 0, NULL), PL_ENOTFOUND);
	OK(store_batch_end(f->s, PL_OK, &f->e));
	OK(store_meta_get(f->s, "one", f->a, &v, &f->e));
}

/* Failing transactions share the lock, and perhaps the commit, with those that go well. */
static void *race_with_failures(void *arg)
{
	struct racer *r = arg;
	struct store_item it = {.ref = ref("Deployment", "web"), .hash = S("h")};
	char key[32];
	for (int i = 0; i < ROUNDS && !r->failed; i++) {
		snprintf(key, sizeof key, "%d.%d", r->nth, i);
		if (store_batch_begin(r->s, NULL) || store_meta_put(r->s, key, S("x"), NULL))
			r->failed = 1;
		bool bad = (r->nth + i) % 3 == 0;
		if (bad && store_inventory_change(r->s, S("nobody"), &it, 1, NULL, 0, NULL) != PL_ENOTFOUND)
			r->failed = 1;
		pl_status st = store_batch_end(r->s, bad ? PL_ENOTFOUND : PL_OK, NULL);
		if (st != (bad ? PL_ENOTFOUND : PL_OK))
			r->failed = 1;
	}
	return NULL;
}

static void failures_of_one_thread_cost_the_others_nothing(void **state)
{
	struct fix *f = *state;
	pthread_t t[THREADS];
	struct racer r[THREADS];
	char key[32];
	pl_str v;
	for (int i = 0; i < THREADS; i++) {
		r[i] = (struct racer){f->s, i, 0};
		assert_int_equal(pthread_create(&t[i], NULL, race_with_failures, &r[i]), 0);
	}
	for (int i = 0; i < THREADS; i++)
		pthread_join(t[i], NULL);
	for (int i = 0; i < THREADS; i++) {
		assert_int_equal(r[i].failed, 0);
		for (int k = 0; k < ROUNDS; k++) {
			snprintf(key, sizeof key, "%d.%d", i, k);
			assert_int_equal(store_meta_get(f->s, key, f->a, &v, NULL),
					 (i + k) % 3 == 0 ? PL_ENOTFOUND : PL_OK);
		}
	}
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(an_application_comes_back_whole),
		T(putting_an_application_again_changes_it),
		T(what_is_absent_is_told_by_name),
		T(the_inventory_is_kept_by_object),
		T(an_object_has_one_owner_on_a_target),
		T(an_orphan_loses_its_objects_to_who_takes_them),
		T(a_changed_target_leaves_the_old_ones_known),
		T(ending_a_sync_records_all_of_it_at_once),
		T(an_empty_sync_is_none),
		T(history_is_listed_newest_first),
		T(a_dropped_application_leaves_its_history),
		T(a_render_is_one_row_for_its_key),
		T(traces_and_facts_keep_any_bytes),
		T(tidy_keeps_what_is_still_named),
		T(tidy_leaves_a_running_sync_its_render),
		T(eight_threads_do_not_disturb_each_other),
		T(a_batch_is_all_or_nothing),
		T(a_part_of_a_batch_that_fails_undoes_itself_alone),
		T(failures_of_one_thread_cost_the_others_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
