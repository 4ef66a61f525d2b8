/* SPDX-License-Identifier: Apache-2.0 */
/* The scripts' and plugins' rooms are played by this file: what is tested is who is asked, and how verdicts add up. */
#include "core/engine/assess.h"

#include "tests/unit/engine_model.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

/* ---- fakes; an object's spec.v says what they answer ---- */

static struct {
	size_t finds, batches, judged, plugins;
	pl_status batch_status;
} calls;

static uint32_t word(pl_str v)
{
	static const char *const words[] = {"none",    "Healthy",  "Suspended", "Progressing",
					    "Missing", "Degraded", "Unknown"};

	for (uint32_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (str_eqz(v, words[i]))
			return i;
	return PL_HEALTH_NONE;
}

/* There is a script for every kind that starts with "Lua"; one folder can't be read. */
pl_status scripts_find(struct scripts *s, const pl_str *folders, size_t n, const pl_ref *ref, struct arena *a,
		       pl_str *path, struct pl_err *e)
{
	(void)s;
	assert_int_equal(n, 1);
	calls.finds++;
	if (str_eqz(ref->kind, "LuaUnreadable"))
		return err_set(e, PL_EIO, "'%.*s': permission denied", F(folders[0]));
	if (!str_starts(ref->kind, S("Lua")))
		return err_set(e, PL_ENOTFOUND, "no script");
	*path = arena_printf(a, "%.*s/%.*s/health.lua", F(folders[0]), F(ref->kind));
	return PL_OK;
}

pl_status scripts_judge(struct worker *w, struct script_case *cases, size_t n, const struct script_limits *limits,
			struct cancel *cancel, struct arena *a, struct pl_err *e)
{
	(void)w, (void)limits, (void)cancel;
	calls.batches++;
	calls.judged += n;
	if (calls.batch_status)
		return err_set(e, calls.batch_status, "the worker is gone");
	for (size_t i = 0; i < n; i++) {
		pl_doc *d = pl_doc_new(NULL);
		pl_node *root;

		assert_int_equal(pl_json_read(d, cases[i].object, NULL, 0, &root, NULL), PL_OK);
		cases[i].out.health = word(pl_text(pl_gets(pl_gets(root, "spec"), "v")));
		cases[i].out.none = cases[i].out.health == PL_HEALTH_NONE;
		cases[i].out.message = arena_printf(a, "says %s", cases[i].path);
		pl_doc_unref(d);
	}
	return PL_OK;
}

pl_status health_plugins_assess(struct health_plugins *h, const pl_ref *ref, const pl_doc *doc, const pl_node *live,
				struct arena *a, struct verdict *out, struct pl_err *e)
{
	(void)h, (void)doc, (void)a;
	calls.plugins++;
	if (str_eqz(ref->kind, "Broken"))
		return err_set(e, PL_EINVAL, "unsupported version");
	*out = (struct verdict){word(pl_text(pl_gets(pl_gets(live, "spec"), "v"))), S("by plugin"), S("plugin fake")};
	return PL_OK;
}

/* ---- fixture ---- */

struct fix {
	struct model *m;
	struct assess_by by;
	struct assess_item items[16];
	size_t n;
	struct assess_out out;
};

static const pl_str folder = S_INIT("/scripts");
static int anything; /* stands for rooms that only the fakes would look into */

/* Objects as in engine_model.h; the status word is the value. "?" can't be read, "@gone" is not live. */
static struct fix judge(const char *objects)
{
	struct fix f = {.m = model_new("app", "", objects, "", ""),
			.by = {.scripts = (struct scripts *)&anything,
			       .worker = (struct worker *)&anything,
			       .folders = &folder,
			       .n_folders = 1,
			       .plugins = (struct health_plugins *)&anything}};

	calls.finds = calls.batches = calls.judged = calls.plugins = 0;
	for (size_t i = 0; i < f.m->n_live; i++) {
		const struct live *l = &f.m->live[i];
		bool gone = str_starts(l->tracking, S("gone:"));

		f.items[f.n++] = (struct assess_item){.ref = l->ref, .live = gone ? NULL : l->node, .error = l->error};
	}
	assert_int_equal(assess_items(&f.by, S("app"), f.m->doc, f.items, f.n, f.m->a, &f.out, NULL), PL_OK);
	return f;
}

static void fix_free(struct fix *f)
{
	model_free(f->m);
}

/* ---- the application's word ---- */

static void verdicts_add_up(void **state)
{
	static const struct {
		const char *objects;
		uint32_t want;
		const char *message;
	} v[] = {
		{"", PL_HEALTHY, ""},
		{"A/s/a=Healthy A/s/b=Healthy", PL_HEALTHY, ""},
		{"A/s/a=none", PL_HEALTHY, ""},
		{"A/s/a=Healthy A/s/b=Suspended", PL_SUSPENDED, "Caused by A:s/b"},
		{"A/s/a=Progressing A/s/b=Suspended", PL_PROGRESSING, "Caused by A:s/a"},
		{"Deployment.apps/s/a=Degraded A/s/b=Progressing", PL_DEGRADED, "Caused by apps/Deployment:s/a"},
		{"Namespace/-/n=Degraded A/s/b=Unknown", PL_UNKNOWN, "Caused by A:s/b"},
		{"Namespace/-/n=Degraded", PL_DEGRADED, "Caused by Namespace:n"},
		{"A/s/a=Degraded A/s/b=Degraded A/s/c=Degraded", PL_DEGRADED, "Caused by A:s/a, A:s/b, A:s/c"},
		{"A/s/a=Degraded A/s/b=Degraded A/s/c=Degraded A/s/d=Degraded A/s/e=Degraded", PL_DEGRADED,
		 "Caused by A:s/a, A:s/b, A:s/c, ... and 2 more"},
		/* one that is missing is shown and does not count; when all are, the application is */
		{"A/s/a=Healthy A/s/b=Healthy@gone", PL_HEALTHY, ""},
		{"A/s/a=Healthy@gone A/s/b=Healthy@gone", PL_MISSING, ""},
		{"?A/s/a", PL_UNKNOWN, "Caused by A:s/a"},
		/* left out */
		{"A/s/a=Degraded!argocd.argoproj.io/ignore-healthcheck:true A/s/b=Healthy", PL_HEALTHY, ""},
		{"A/s/a=Degraded!argocd.argoproj.io/ignore-healthcheck:false", PL_DEGRADED, "Caused by A:s/a"},
		{"Application.plumb.dev/s/app=Degraded", PL_HEALTHY, ""},
		{"Application.argoproj.io/s/app=Degraded", PL_HEALTHY, ""},
		{"Application.plumb.dev/s/child=Degraded", PL_DEGRADED, "Caused by plumb.dev/Application:s/child"},
		{"Application.plumb.dev/s/child=Unknown", PL_HEALTHY, ""},
		{"Application.argoproj.io/s/child=Missing A/s/a=Suspended", PL_SUSPENDED, "Caused by A:s/a"},
		{"Application.acme.io/s/app=Degraded", PL_DEGRADED, "Caused by acme.io/Application:s/app"},
		/* scripts count like plugins */
		{"Lua/s/a=Degraded A/s/b=Progressing", PL_DEGRADED, "Caused by Lua:s/a"},
		{"Lua/s/a=none", PL_HEALTHY, ""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		struct fix f = judge(v[i].objects);

		if (f.out.health != v[i].want || !str_eqz(f.out.message, v[i].message))
			print_error("'%s': %u '%.*s'\n", v[i].objects, f.out.health, F(f.out.message));
		assert_int_equal(f.out.health, v[i].want);
		assert_true(str_eqz(f.out.message, v[i].message));
		fix_free(&f);
	}
}

/* ---- who is asked ---- */

static void scripts_are_asked_in_one_batch_and_before_plugins(void **state)
{
	struct fix f = judge("Lua/s/a=Healthy LuaTwo/s/b=Degraded A/s/c=Progressing");

	(void)state;
	assert_int_equal(calls.batches, 1);
	assert_int_equal(calls.judged, 2);
	assert_int_equal(calls.plugins, 1);
	assert_int_equal(f.out.items[0].health, PL_HEALTHY);
	assert_true(str_eqz(f.out.items[0].by, "script /scripts/Lua/health.lua"));
	assert_true(str_eqz(f.out.items[1].message, "says /scripts/LuaTwo/health.lua"));
	assert_int_equal(f.out.items[1].health, PL_DEGRADED);
	assert_true(str_eqz(f.out.items[2].by, "plugin fake"));
	fix_free(&f);
}

static void a_script_without_opinion_still_ends_the_search(void **state)
{
	struct fix f = judge("Lua/s/a=none");

	(void)state;
	assert_int_equal(calls.plugins, 0);
	assert_int_equal(f.out.items[0].health, PL_HEALTH_NONE);
	fix_free(&f);
}

static pl_node *metadata_of(struct fix *f, size_t i)
{
	return pl_gets(f->m->live[i].node, "metadata");
}

static void pending_deletion_comes_before_any_script(void **state)
{
	struct fix f = judge("Lua/s/a=Healthy A/s/b=Healthy Lua/s/c=Degraded A/s/d=Healthy");
	pl_doc *d = f.m->doc;
	pl_node *hook = pl_new_list(d);

	(void)state;
	pl_append(d, hook, pl_new_string(d, S("other/finalizer")));
	pl_append(d, hook, pl_new_string(d, S("argocd.argoproj.io/hook-finalizer")));
	pl_sets(d, metadata_of(&f, 0), "deletionTimestamp", pl_new_string(d, S("2026-11-22T22:39:11Z")));
	pl_sets(d, metadata_of(&f, 1), "deletionTimestamp", pl_new_null(d));
	pl_sets(d, metadata_of(&f, 2), "deletionTimestamp", pl_new_string(d, S("2026-11-22T22:39:11Z")));
	pl_sets(d, metadata_of(&f, 2), "finalizers", hook);
	pl_sets(d, metadata_of(&f, 3), "deletionTimestamp", pl_new_string(d, S("2026-11-22T22:39:11Z")));
	calls.judged = 0;
	assert_int_equal(assess_items(&f.by, S("app"), d, f.items, f.n, f.m->a, &f.out, NULL), PL_OK);
	assert_int_equal(f.out.items[0].health, PL_PROGRESSING);
	assert_true(str_eqz(f.out.items[0].message, "Pending deletion"));
	assert_true(str_eqz(f.out.items[0].by, "deletion"));
	assert_int_equal(f.out.items[1].health, PL_HEALTHY);
	assert_int_equal(f.out.items[2].health, PL_DEGRADED);
	assert_int_equal(f.out.items[3].health, PL_PROGRESSING);
	assert_int_equal(calls.judged, 1);
	fix_free(&f);
}

static void without_scripts_or_plugins_there_is_no_opinion(void **state)
{
	struct fix f = judge("Lua/s/a=Degraded A/s/b=Degraded");
	struct assess_by nobody = {0};

	(void)state;
	assert_int_equal(assess_items(&nobody, S("app"), f.m->doc, f.items, f.n, f.m->a, &f.out, NULL), PL_OK);
	assert_int_equal(f.out.health, PL_HEALTHY);
	assert_int_equal(f.out.items[0].health, PL_HEALTH_NONE);
	fix_free(&f);
}

/* ---- failures are one object's ---- */

static void where_nothing_acts_a_status_is_not_waited_for(void **state)
{
	struct fix f = judge("Lua/s/a=Degraded A/s/b=Progressing Lua/s/c=Degraded A/s/d=Progressing");
	pl_doc *d = f.m->doc;

	(void)state;
	for (size_t i = 2; i < 4; i++)
		pl_sets(d, f.m->live[i].node, "status", pl_new_map(d));
	f.by.inert = true;
	f.by.n_own = 0; /* the one folder holds what is shipped */
	assert_int_equal(assess_items(&f.by, S("app"), d, f.items, f.n, f.m->a, &f.out, NULL), PL_OK);
	assert_int_equal(f.out.items[0].health, PL_HEALTH_NONE);
	assert_int_equal(f.out.items[1].health, PL_HEALTH_NONE);
	assert_int_equal(f.out.items[2].health, PL_DEGRADED);
	assert_int_equal(f.out.items[3].health, PL_PROGRESSING);
	f.by.n_own = 1; /* the operator's */
	assert_int_equal(assess_items(&f.by, S("app"), d, f.items, f.n, f.m->a, &f.out, NULL), PL_OK);
	assert_int_equal(f.out.items[0].health, PL_DEGRADED);
	assert_int_equal(f.out.items[1].health, PL_HEALTH_NONE);
	fix_free(&f);
}

static void what_can_not_be_judged_is_unknown_with_the_reason(void **state)
{
	struct fix f = judge("LuaUnreadable/s/a=Healthy Broken/s/b=Healthy A/s/c=Healthy ?A/s/d");

	(void)state;
	assert_int_equal(f.out.items[0].health, PL_UNKNOWN);
	assert_true(str_eqz(f.out.items[0].message, "'/scripts': permission denied"));
	assert_int_equal(f.out.items[1].health, PL_UNKNOWN);
	assert_true(str_eqz(f.out.items[1].message, "unsupported version"));
	assert_int_equal(f.out.items[2].health, PL_HEALTHY);
	assert_int_equal(f.out.items[3].health, PL_UNKNOWN);
	assert_true(str_eqz(f.out.items[3].message, "permission denied"));
	assert_true(str_eqz(f.out.message, "Caused by LuaUnreadable:s/a, Broken:s/b, A:s/d"));
	fix_free(&f);
}

static void a_lost_worker_leaves_only_the_scripts_objects_unknown(void **state)
{
	(void)state;
	calls.batch_status = PL_ECRASHED;
	struct fix f = judge("Lua/s/a=Healthy A/s/b=Healthy");
	calls.batch_status = PL_OK;
	assert_int_equal(f.out.items[0].health, PL_UNKNOWN);
	assert_true(str_eqz(f.out.items[0].message, "the worker is gone"));
	assert_true(str_eqz(f.out.items[0].by, "script /scripts/Lua/health.lua"));
	assert_int_equal(f.out.items[1].health, PL_HEALTHY);
	fix_free(&f);
}

static void scripts_without_a_worker_are_unknown(void **state)
{
	struct fix f = judge("Lua/s/a=Healthy");

	(void)state;
	f.by.worker = NULL;
	assert_int_equal(assess_items(&f.by, S("app"), f.m->doc, f.items, f.n, f.m->a, &f.out, NULL), PL_OK);
	assert_int_equal(f.out.items[0].health, PL_UNKNOWN);
	fix_free(&f);
}

static void cancel_is_an_error_of_the_whole(void **state)
{
	struct fix f = judge("Lua/s/a=Healthy");
	struct pl_err e = ERR_INIT;

	(void)state;
	calls.batch_status = PL_ECANCELLED;
	assert_int_equal(assess_items(&f.by, S("app"), f.m->doc, f.items, f.n, f.m->a, &f.out, &e), PL_ECANCELLED);
	calls.batch_status = PL_OK;
	assert_int_equal(pl_err_code(&e), PL_ECANCELLED);
	f.by.cancel = cancel_new();
	cancel_fire(f.by.cancel);
	assert_int_equal(assess_items(&f.by, S("app"), f.m->doc, f.items, f.n, f.m->a, &f.out, &e), PL_ECANCELLED);
	cancel_unref(f.by.cancel);
	err_clear(&e);
	fix_free(&f);
}

/* ---- the rows of a plan ---- */

static void rows_of_a_plan_are_judged_by_what_they_are(void **state)
{
	struct model *m = model_new("app",
				    "A/s/absent=1 A/s/foreign=Degraded A/s/ours=Suspended "
				    "A/s/local=Degraded!config.kubernetes.io/local-config:true A/s/odd=1",
				    "A/s/foreign=Degraded@other A/s/ours=Suspended@app A/s/extra=Healthy@app ?A/s/odd",
				    "A/s/gone=1", "");
	struct assess_by by = {.plugins = (struct health_plugins *)&anything};
	struct plan_policy policy = {0};
	struct assess_out out;
	struct plan p;

	(void)state;
	assert_int_equal(model_plan(m, &policy, &p, NULL), PL_OK);
	assert_int_equal(assess_plan(&by, S("app"), m->doc, &p, m->a, &out, NULL), PL_OK);
	for (size_t i = 0; i < p.n; i++) {
		static const struct {
			const char *name;
			uint32_t want;
		} v[] = {{"absent", PL_MISSING},    {"foreign", PL_MISSING}, {"ours", PL_SUSPENDED},
			 {"local", PL_HEALTH_NONE}, {"odd", PL_UNKNOWN},     {"extra", PL_HEALTHY},
			 {"gone", PL_HEALTH_NONE}};
		size_t k = 0;

		while (!str_eqz(p.rows[i].ref.name, v[k].name))
			k++;
		assert_int_equal(out.items[i].health, v[k].want);
	}
	assert_int_equal(p.n, 7);
	assert_int_equal(out.health, PL_UNKNOWN);
	assert_true(str_eqz(out.message, "Caused by A:s/odd"));
	model_free(m);
}

static void a_plan_with_nothing_of_ours_live_is_missing(void **state)
{
	struct model *m = model_new("app", "A/s/a=Healthy A/s/b=1", "A/s/a=Healthy@other", "", "");
	struct assess_by by = {.plugins = (struct health_plugins *)&anything};
	struct plan_policy policy = {0};
	struct assess_out out;
	struct plan p;

	(void)state;
	assert_int_equal(model_plan(m, &policy, &p, NULL), PL_OK);
	assert_int_equal(assess_plan(&by, S("app"), m->doc, &p, m->a, &out, NULL), PL_OK);
	assert_int_equal(out.health, PL_MISSING);
	assert_int_equal(out.message.n, 0);
	model_free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(verdicts_add_up),
		cmocka_unit_test(scripts_are_asked_in_one_batch_and_before_plugins),
		cmocka_unit_test(a_script_without_opinion_still_ends_the_search),
		cmocka_unit_test(pending_deletion_comes_before_any_script),
		cmocka_unit_test(without_scripts_or_plugins_there_is_no_opinion),
		cmocka_unit_test(where_nothing_acts_a_status_is_not_waited_for),
		cmocka_unit_test(what_can_not_be_judged_is_unknown_with_the_reason),
		cmocka_unit_test(a_lost_worker_leaves_only_the_scripts_objects_unknown),
		cmocka_unit_test(scripts_without_a_worker_are_unknown),
		cmocka_unit_test(cancel_is_an_error_of_the_whole),
		cmocka_unit_test(rows_of_a_plan_are_judged_by_what_they_are),
		cmocka_unit_test(a_plan_with_nothing_of_ours_live_is_missing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
