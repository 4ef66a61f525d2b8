/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/engine_model.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

/* ---- tables: inputs as in engine_model.h, the plan as text ---- */

static const char *const why_words[] = {
	[PLAN_SAME] = "same",
	[PLAN_ABSENT] = "absent",
	[PLAN_CHANGED] = "changed",
	[PLAN_DRIFTED] = "drifted",
	[PLAN_NOT_DESIRED] = "undesired",
	[PLAN_PRUNE_OFF] = "prune-off",
	[PLAN_PRUNE_HELD] = "prune-held",
	[PLAN_PRUNE_FALSE] = "prune-false",
	[PLAN_FOREIGN] = "foreign",
	[PLAN_TAKEN_OVER] = "taken-over",
	[PLAN_UNSELECTED] = "unselected",
	[PLAN_UNREADABLE] = "unreadable",
	[PLAN_IGNORED] = "ignored",
};

/* "0 create absent ConfigMap:shop/a +out drift …" a row, joined by "; " */
static void print_plan(const struct plan *p, struct buf *b)
{
	for (size_t i = 0; i < p->n; i++) {
		const struct plan_row *r = &p->rows[i];

		buf_addz(b, i ? "; " : "");
		if (r->op == PLAN_NONE)
			buf_addz(b, "- ");
		else
			buf_addf(b, "%u ", r->stage);
		buf_addf(b, "%s %s ", plan_op_name(r->op), why_words[r->why]);
		ref_print(&r->ref, b);
		buf_addz(b, r->out_of_sync ? "" : " in-sync");
		buf_addz(b, r->drift ? " drift" : "");
		buf_addz(b, r->adopt ? " adopt" : "");
		buf_addz(b, r->forget ? " forget" : "");
		buf_addz(b, r->generated ? " generated" : "");
		if (r->previous.n)
			buf_addf(b, " from %.*s", F(r->previous));
	}
}

struct plan_case {
	const char *name, *desired, *live, *inventory, *owners;
	const char *flags; /* p: prune, c: confirmed, e: allowEmpty, f: render failed */
	const char *want;
	const char *hold;
};

static const struct plan_case cases[] = {
	{"nothing at all", "", "", "", "", "", "", ""},
	{"a new object is created", "ConfigMap/s/a=1", "", "", "", "", "0 create absent ConfigMap:s/a", ""},
	{"live as desired is left alone", "ConfigMap/s/a=1", "ConfigMap/s/a=1@app", "ConfigMap/s/a=1", "", "",
	 "- none same ConfigMap:s/a in-sync", ""},
	{"a change in Git", "ConfigMap/s/a=2", "ConfigMap/s/a=1@app", "ConfigMap/s/a=1", "", "",
	 "0 update changed ConfigMap:s/a", ""},
	{"a change by hand", "ConfigMap/s/a=1", "ConfigMap/s/a=9@app", "ConfigMap/s/a=1", "", "",
	 "0 update drifted ConfigMap:s/a drift", ""},
	{"removed by hand", "ConfigMap/s/a=1", "", "ConfigMap/s/a=1", "", "", "0 create absent ConfigMap:s/a drift",
	 ""},
	{"a create that never came through is no drift", "ConfigMap/s/a=1", "", "ConfigMap/s/a=~", "", "",
	 "0 create absent ConfigMap:s/a", ""},
	{"a change in Git that the live side has already", "ConfigMap/s/a=2", "ConfigMap/s/a=2@app", "ConfigMap/s/a=1",
	 "", "", "- none same ConfigMap:s/a in-sync adopt", ""},
	{"ours, but the inventory was lost", "ConfigMap/s/a=1", "ConfigMap/s/a=1@app", "", "", "",
	 "- none same ConfigMap:s/a in-sync adopt", ""},
	{"ours and different, but the inventory was lost", "ConfigMap/s/a=1", "ConfigMap/s/a=3@app", "", "", "",
	 "0 update changed ConfigMap:s/a", ""},
	{"ours by a copied mark is made right", "ConfigMap/s/a=1", "ConfigMap/s/a=3@~", "", "", "",
	 "0 update changed ConfigMap:s/a", ""},
	/* whose */
	{"an object without a mark is never touched", "ConfigMap/s/a=1", "ConfigMap/s/a=1", "", "", "p",
	 "- none foreign ConfigMap:s/a", ""},
	{"an object with a broken mark is never touched", "ConfigMap/s/a=1", "ConfigMap/s/a=1@", "", "", "p",
	 "- none foreign ConfigMap:s/a", ""},
	{"another application's object is never touched", "ConfigMap/s/a=1", "ConfigMap/s/a=1@other", "", "", "p",
	 "- none foreign ConfigMap:s/a", ""},
	{"another application's object that it keeps", "ConfigMap/s/a=1", "ConfigMap/s/a=1@other", "",
	 "ConfigMap/s/a@other", "", "- none foreign ConfigMap:s/a", ""},
	{"another application's object that it may lose", "ConfigMap/s/a=1", "ConfigMap/s/a=1@other", "",
	 "ConfigMap/s/a@other+", "", "0 update taken-over ConfigMap:s/a from other", ""},
	{"the inventory of the one who may lose it was lost", "ConfigMap/s/a=1 ConfigMap/s/b=1",
	 "ConfigMap/s/a=1@other ConfigMap/s/b=1@other", "", "ConfigMap/s/b@other+", "",
	 "0 update taken-over ConfigMap:s/a from other; 0 update taken-over ConfigMap:s/b from other", ""},
	{"not live, but another's to create", "ConfigMap/s/a=1", "", "", "ConfigMap/s/a@other", "",
	 "- none foreign ConfigMap:s/a", ""},
	{"not live, and its owner may lose it", "ConfigMap/s/a=1", "", "", "ConfigMap/s/a@other+", "",
	 "0 create absent ConfigMap:s/a from other", ""},
	{"taken over by an earlier life", "ConfigMap/s/a=1", "ConfigMap/s/a=1@app", "", "ConfigMap/s/a@other+", "",
	 "- none same ConfigMap:s/a in-sync adopt from other", ""},
	{"a take-over that did not come through is tried again", "ConfigMap/s/a=1 ConfigMap/s/b=1",
	 "ConfigMap/s/a=1@other ConfigMap/s/b=1@third", "ConfigMap/s/a=~other ConfigMap/s/b=~other", "", "",
	 "0 update taken-over ConfigMap:s/a from other; - none foreign ConfigMap:s/b", ""},
	{"a take-over that came through without being recorded", "ConfigMap/s/a=1", "ConfigMap/s/a=1@app",
	 "ConfigMap/s/a=~other", "", "", "- none same ConfigMap:s/a in-sync adopt", ""},
	{"a failed create that somebody else made meanwhile is theirs", "ConfigMap/s/a=1", "ConfigMap/s/a=1@other",
	 "ConfigMap/s/a=~", "", "", "- none foreign ConfigMap:s/a", ""},
	{"the live side can't tell", "ConfigMap/s/a=1", "?ConfigMap/s/a", "", "", "p",
	 "- none unreadable ConfigMap:s/a", ""},
	/* prune */
	{"prune is off until asked", "ConfigMap/s/a=1", "ConfigMap/s/a=1@app ConfigMap/s/b=1@app",
	 "ConfigMap/s/a=1 ConfigMap/s/b=1", "", "", "- none same ConfigMap:s/a in-sync; - none prune-off ConfigMap:s/b",
	 ""},
	{"prune", "ConfigMap/s/a=1", "ConfigMap/s/a=1@app ConfigMap/s/b=1@app", "ConfigMap/s/a=1 ConfigMap/s/b=1", "",
	 "p", "0 delete undesired ConfigMap:s/b; - none same ConfigMap:s/a in-sync", ""},
	{"a marked object that the inventory has lost is pruned", "ConfigMap/s/a=1",
	 "ConfigMap/s/a=1@app ConfigMap/s/b=1@app", "ConfigMap/s/a=1", "", "p",
	 "0 delete undesired ConfigMap:s/b; - none same ConfigMap:s/a in-sync", ""},
	{"a copy of a marked object is not pruned", "ConfigMap/s/a=1", "ConfigMap/s/a=1@app ConfigMap/s/b=1@~",
	 "ConfigMap/s/a=1", "", "p", "- none same ConfigMap:s/a in-sync", ""},
	{"gone already: forgotten", "ConfigMap/s/a=1", "ConfigMap/s/a=1@app", "ConfigMap/s/a=1 ConfigMap/s/b=1", "",
	 "p", "- none same ConfigMap:s/a in-sync; - none undesired ConfigMap:s/b in-sync forget", ""},
	{"lost its mark: left alone and forgotten", "ConfigMap/s/a=1", "ConfigMap/s/a=1@app ConfigMap/s/b=1",
	 "ConfigMap/s/a=1 ConfigMap/s/b=1", "", "p",
	 "- none same ConfigMap:s/a in-sync; - none foreign ConfigMap:s/b in-sync forget", ""},
	{"another's by now: left alone and forgotten", "ConfigMap/s/a=1", "ConfigMap/s/a=1@app ConfigMap/s/b=1@new",
	 "ConfigMap/s/a=1 ConfigMap/s/b=1", "", "p",
	 "- none same ConfigMap:s/a in-sync; - none foreign ConfigMap:s/b in-sync forget", ""},
	{"a prune candidate that can't be read stays", "ConfigMap/s/a=1", "ConfigMap/s/a=1@app ?ConfigMap/s/b",
	 "ConfigMap/s/a=1 ConfigMap/s/b=1", "", "pc",
	 "- none same ConfigMap:s/a in-sync; - none unreadable ConfigMap:s/b", ""},
	{"never after a failed render, not even confirmed", "", "ConfigMap/s/a=1@app", "ConfigMap/s/a=1", "", "pcef",
	 "- none prune-held ConfigMap:s/a", "the render failed: 1 object is kept"},
	{"an empty render prunes nothing", "", "ConfigMap/s/a=1@app", "ConfigMap/s/a=1", "", "p",
	 "- none prune-held ConfigMap:s/a",
	 "the render came out empty: would prune 1 of 1 objects; set sync.allowEmpty or run `plumb sync app --prune`"},
	{"an empty render with allowEmpty", "", "ConfigMap/s/a=1@app", "ConfigMap/s/a=1", "", "pe",
	 "0 delete undesired ConfigMap:s/a", ""},
	{"an empty render, confirmed", "", "ConfigMap/s/a=1@app", "ConfigMap/s/a=1", "", "pc",
	 "0 delete undesired ConfigMap:s/a", ""},
	{"only local objects are an empty render", "ConfigMap/s/l=1!config.kubernetes.io/local-config:true",
	 "ConfigMap/s/a=1@app", "ConfigMap/s/a=1", "", "p",
	 "- none prune-held ConfigMap:s/a; - none ignored ConfigMap:s/l in-sync",
	 "the render came out empty: would prune 1 of 1 objects; set sync.allowEmpty or run `plumb sync app --prune`"},
	{"annotated never to be pruned, each way", "ConfigMap/s/z=1",
	 "ConfigMap/s/z=1@app ConfigMap/s/a=1!argocd.argoproj.io/sync-options:Validate=false,Prune=false@app "
	 "ConfigMap/s/b=1!helm.sh/resource-policy:keep@app "
	 "ConfigMap/s/c=1!kustomize.toolkit.fluxcd.io/prune:disabled@app "
	 "ConfigMap/s/d=1!plumb.dev/prune:false@app ConfigMap/s/e=1!plumb.dev/prune:true@app",
	 "ConfigMap/s/z=1 ConfigMap/s/a=1 ConfigMap/s/b=1 ConfigMap/s/c=1 ConfigMap/s/d=1 ConfigMap/s/e=1", "", "pc",
	 "0 delete undesired ConfigMap:s/e; - none prune-false ConfigMap:s/a; - none prune-false ConfigMap:s/b; "
	 "- none prune-false ConfigMap:s/c; - none prune-false ConfigMap:s/d; - none same ConfigMap:s/z in-sync",
	 ""},
	{"Prune=confirm asks", "ConfigMap/s/z=1",
	 "ConfigMap/s/z=1@app ConfigMap/s/a=1!argocd.argoproj.io/sync-options:Prune=confirm@app ConfigMap/s/b=1@app",
	 "ConfigMap/s/z=1 ConfigMap/s/a=1 ConfigMap/s/b=1", "", "p",
	 "0 delete undesired ConfigMap:s/b; - none prune-held ConfigMap:s/a; - none same ConfigMap:s/z in-sync",
	 "1 object asks to be confirmed before pruning (Prune=confirm); run `plumb sync app --prune`"},
	{"IgnoreExtraneous does not count", "ConfigMap/s/z=1",
	 "ConfigMap/s/z=1@app ConfigMap/s/a=1!argocd.argoproj.io/compare-options:IgnoreExtraneous@app",
	 "ConfigMap/s/z=1 ConfigMap/s/a=1", "", "",
	 "- none prune-off ConfigMap:s/a in-sync; - none same ConfigMap:s/z in-sync", ""},
	/* ceiling: more than half and more than five */
	{"five of five may go", "ConfigMap/s/new=1",
	 "A/s/a=1@app A/s/b=1@app A/s/c=1@app A/s/d=1@app A/s/e=1@app ConfigMap/s/new=1@app",
	 "A/s/a=1 A/s/b=1 A/s/c=1 A/s/d=1 A/s/e=1", "", "p",
	 "0 delete undesired A:s/a; 0 delete undesired A:s/b; 0 delete undesired A:s/c; 0 delete undesired A:s/d; "
	 "0 delete undesired A:s/e; - none same ConfigMap:s/new in-sync adopt",
	 ""},
	{"six of eleven wait", "C/s/g=1 C/s/h=1 C/s/i=1 C/s/j=1 C/s/k=1",
	 "A/s/a=1@app A/s/b=1@app A/s/c=1@app A/s/d=1@app A/s/e=1@app A/s/f=1@app C/s/g=1@app C/s/h=1@app C/s/i=1@app "
	 "C/s/j=1@app C/s/k=1@app",
	 "A/s/a=1 A/s/b=1 A/s/c=1 A/s/d=1 A/s/e=1 A/s/f=1 C/s/g=1 C/s/h=1 C/s/i=1 C/s/j=1 C/s/k=1", "", "p",
	 "- none prune-held A:s/a; - none prune-held A:s/b; - none prune-held A:s/c; - none prune-held A:s/d; "
	 "- none prune-held A:s/e; - none prune-held A:s/f; - none same C:s/g in-sync; - none same C:s/h in-sync; "
	 "- none same C:s/i in-sync; - none same C:s/j in-sync; - none same C:s/k in-sync",
	 "would prune 6 of 11 objects; run `plumb sync app --prune`"},
	{"six of twelve may go", "C/s/g=1 C/s/h=1 C/s/i=1 C/s/j=1 C/s/k=1 C/s/l=1",
	 "A/s/a=1@app A/s/b=1@app A/s/c=1@app A/s/d=1@app A/s/e=1@app A/s/f=1@app C/s/g=1@app C/s/h=1@app C/s/i=1@app "
	 "C/s/j=1@app C/s/k=1@app C/s/l=1@app",
	 "A/s/a=1 A/s/b=1 A/s/c=1 A/s/d=1 A/s/e=1 A/s/f=1 C/s/g=1 C/s/h=1 C/s/i=1 C/s/j=1 C/s/k=1 C/s/l=1", "", "p",
	 "0 delete undesired A:s/a; 0 delete undesired A:s/b; 0 delete undesired A:s/c; 0 delete undesired A:s/d; "
	 "0 delete undesired A:s/e; 0 delete undesired A:s/f; - none same C:s/g in-sync; - none same C:s/h in-sync; "
	 "- none same C:s/i in-sync; - none same C:s/j in-sync; - none same C:s/k in-sync; - none same C:s/l in-sync",
	 ""},
	{"the ceiling counts what only the live side knows", "C/s/g=1",
	 "A/s/a=1@app A/s/b=1@app A/s/c=1@app A/s/d=1@app A/s/e=1@app A/s/f=1@app C/s/g=1@app", "", "", "p",
	 "- none prune-held A:s/a; - none prune-held A:s/b; - none prune-held A:s/c; - none prune-held A:s/d; "
	 "- none prune-held A:s/e; - none prune-held A:s/f; - none same C:s/g in-sync adopt",
	 "would prune 6 of 7 objects; run `plumb sync app --prune`"},
	{"renamed generated objects are not counted",
	 "A/s/a-2222222222=1 A/s/b-2222222222=1 A/s/c-2222222222=1 A/s/d-2222222222=1 A/s/e-2222222222=1 "
	 "A/s/f-2222222222=1",
	 "A/s/a-h7k2m4t9b5=1@app A/s/b-h7k2m4t9b5=1@app A/s/c-h7k2m4t9b5=1@app A/s/d-h7k2m4t9b5=1@app "
	 "A/s/e-h7k2m4t9b5=1@app A/s/f-h7k2m4t9b5=1@app",
	 "A/s/a-h7k2m4t9b5=1 A/s/b-h7k2m4t9b5=1 A/s/c-h7k2m4t9b5=1 A/s/d-h7k2m4t9b5=1 A/s/e-h7k2m4t9b5=1 "
	 "A/s/f-h7k2m4t9b5=1",
	 "", "p",
	 "0 create absent A:s/a-2222222222; 0 create absent A:s/b-2222222222; 0 create absent A:s/c-2222222222; "
	 "0 create absent A:s/d-2222222222; 0 create absent A:s/e-2222222222; 0 create absent A:s/f-2222222222; "
	 "1 delete undesired A:s/a-h7k2m4t9b5 generated; 1 delete undesired A:s/b-h7k2m4t9b5 generated; "
	 "1 delete undesired A:s/c-h7k2m4t9b5 generated; 1 delete undesired A:s/d-h7k2m4t9b5 generated; "
	 "1 delete undesired A:s/e-h7k2m4t9b5 generated; 1 delete undesired A:s/f-h7k2m4t9b5 generated",
	 ""},
	{"what only looks like a generated name is counted", "A/s/a-222222222=1 A/s/z=1",
	 "A/s/z=1@app A/s/a-h7k2m4t9b5=1@app A/t/a-h7k2m4t9b5=1@app A/s/b-aaaaaaaaaa=1@app", "A/s/z=1", "", "p",
	 "0 create absent A:s/a-222222222; 1 delete undesired A:s/a-h7k2m4t9b5; 1 delete undesired A:s/b-aaaaaaaaaa; "
	 "1 delete undesired A:t/a-h7k2m4t9b5; - none same A:s/z in-sync",
	 ""},
	/* local config */
	{"local objects are not applied", "ConfigMap/s/l=1!config.kubernetes.io/local-config:true ConfigMap/s/a=1", "",
	 "", "", "", "0 create absent ConfigMap:s/a; - none ignored ConfigMap:s/l in-sync", ""},
	{"an object that became local is pruned",
	 "ConfigMap/s/l=1!config.kubernetes.io/local-config:true ConfigMap/s/a=1",
	 "ConfigMap/s/l=1@app ConfigMap/s/a=1@app", "ConfigMap/s/l=1 ConfigMap/s/a=1", "", "p",
	 "0 delete undesired ConfigMap:s/l; - none same ConfigMap:s/a in-sync", ""},
	/* order */
	{"what others need comes first, prunes last and backwards",
	 "Widget.acme.io/s/w=1 Deployment.apps/s/d=1 Service/s/d=1 "
	 "CustomResourceDefinition.apiextensions.k8s.io/-/crd=1 "
	 "ConfigMap/s/c=1 Namespace/-/s=1",
	 "Deployment.apps/o/d=1@app ConfigMap/o/c=1@app Namespace/-/o=1@app", "", "", "p",
	 "0 create absent Namespace:s; 1 create absent apiextensions.k8s.io/CustomResourceDefinition:crd; "
	 "2 create absent ConfigMap:s/c; 3 create absent Service:s/d; 4 create absent apps/Deployment:s/d; "
	 "5 create absent acme.io/Widget:s/w; 6 delete undesired apps/Deployment:o/d; 7 delete undesired "
	 "ConfigMap:o/c; "
	 "8 delete undesired Namespace:o",
	 ""},
	{"a custom kind called Namespace waits for its CRD",
	 "Namespace.acme.io/-/n=1 CustomResourceDefinition.apiextensions.k8s.io/-/crd=1", "", "", "", "",
	 "0 create absent apiextensions.k8s.io/CustomResourceDefinition:crd; 1 create absent acme.io/Namespace:n", ""},
	{"the version is not part of an object", "Deployment.apps/s/d=1", "Deployment.apps/s/d=1@app",
	 "Deployment.apps/s/d=1", "", "p", "- none same apps/Deployment:s/d in-sync", ""},
};

static struct plan_policy policy_of(const char *flags)
{
	return (struct plan_policy){.prune = strchr(flags, 'p') != NULL,
				    .prune_confirmed = strchr(flags, 'c') != NULL,
				    .allow_empty = strchr(flags, 'e') != NULL,
				    .render_failed = strchr(flags, 'f') != NULL};
}

static void rows_of_every_table_case(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct plan_case *c = &cases[i];
		struct model *m = model_new("app", c->desired, c->live, c->inventory, c->owners);
		struct plan_policy policy = policy_of(c->flags);
		struct buf got = BUF_INIT(1 << 20);
		struct plan p;

		buf_addz(&got, "");
		assert_int_equal(model_plan(m, &policy, &p, NULL), PL_OK);
		print_plan(&p, &got);
		if (!str_eqz(buf_str(&got), c->want))
			print_error("case '%s'\n want %s\n have %s\n", c->name, c->want, got.p ? got.p : "");
		assert_true(str_eqz(buf_str(&got), c->want));
		if (!str_eqz(p.hold, c->hold))
			print_error("case '%s': hold '%.*s'\n", c->name, F(p.hold));
		assert_true(str_eqz(p.hold, c->hold));
		buf_free(&got);
		model_free(m);
	}
}

static void counts_add_up(void **state)
{
	struct model *m = model_new("app", "A/s/new=1 A/s/change=2 A/s/drift=1 A/s/same=1 A/s/foreign=1",
				    "A/s/change=1@app A/s/drift=2@app A/s/same=1@app A/s/foreign=1 A/s/old=1@app",
				    "A/s/change=1 A/s/drift=1 A/s/gone=1", "");
	struct plan_policy policy = {.prune = true};
	struct plan p;

	(void)state;
	assert_int_equal(model_plan(m, &policy, &p, NULL), PL_OK);
	assert_int_equal(p.n, 7);
	assert_int_equal(p.n_create, 1);
	assert_int_equal(p.n_update, 2);
	assert_int_equal(p.n_delete, 1);
	assert_int_equal(p.n_stages, 2);
	assert_int_equal(p.n_drift, 1);
	assert_int_equal(p.n_adopt, 1);
	assert_int_equal(p.n_forget, 1);
	assert_int_equal(p.n_blocked, 1);
	assert_int_equal(p.n_out_of_sync, 5);
	assert_false(p.only_prunes_missing);
	model_free(m);
}

static void out_of_sync_only_by_prunes_is_told(void **state)
{
	static const struct {
		const char *desired, *live, *flags;
		bool want;
	} v[] = {{"A/s/a=1", "A/s/a=1@app A/s/b=1@app", "", true},
		 {"A/s/a=2", "A/s/a=1@app A/s/b=1@app", "", false},
		 {"A/s/a=1", "A/s/a=1@app", "", false},
		 {"A/s/a=1", "A/s/a=1@app A/s/b=1@app", "p", false}};

	(void)state;
	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		struct model *m = model_new("app", v[i].desired, v[i].live, "", "");
		struct plan_policy policy = policy_of(v[i].flags);
		struct plan p;

		assert_int_equal(model_plan(m, &policy, &p, NULL), PL_OK);
		assert_int_equal(p.only_prunes_missing, v[i].want);
		model_free(m);
	}
}

static void duplicates_keep_the_last_and_warn_with_both_places(void **state)
{
	struct model *m = model_new("app", "A/s/a=1 A/s/b=1 A/s/a=2 A/s/a=3", "", "", "");
	struct plan_policy policy = {0};
	struct plan p;

	(void)state;
	assert_int_equal(model_plan(m, &policy, &p, NULL), PL_OK);
	assert_int_equal(p.n, 2);
	assert_ptr_equal(p.rows[0].desired, m->desired[3].node);
	assert_int_equal(p.n_warnings, 2);
	assert_string_equal(p.warnings[0].p,
			    "git.yaml:3:1: 'A:s/a' is defined twice: this one is used, not the one at git.yaml:1:1");
	assert_string_equal(p.warnings[1].p,
			    "git.yaml:4:1: 'A:s/a' is defined twice: this one is used, not the one at git.yaml:3:1");
	model_free(m);
}

static void foreign_objects_name_their_owner(void **state)
{
	struct model *m =
		model_new("app", "A/s/a=1 A/s/b=1 A/s/c=1 A/s/d=1", "A/s/a=1@shop A/s/b=1 A/s/c=1@ ?A/s/d", "", "");
	struct plan_policy policy = {0};
	struct plan p;

	(void)state;
	assert_int_equal(model_plan(m, &policy, &p, NULL), PL_OK);
	assert_string_equal(p.rows[0].message.p, "belongs to application 'shop'");
	assert_string_equal(p.rows[1].message.p,
			    "exists already: not managed by plumb; remove it, or hand it over by the "
			    "annotation plumb.dev/tracking-id: 'app:/A:s/b'");
	assert_non_null(strstr(p.rows[2].message.p, "tracking id that can't be read"));
	assert_string_equal(p.rows[3].message.p, "permission denied");
	model_free(m);
}

static void an_object_that_was_not_asked_about_is_not_absent(void **state)
{
	struct model *m = model_new("app", "A/s/a=1", "", "A/s/b=1", "");
	struct plan_policy policy = {.prune = true, .prune_confirmed = true};
	struct plan p;

	(void)state;
	m->n_live = 0;
	assert_int_equal(model_plan(m, &policy, &p, NULL), PL_OK);
	assert_int_equal(p.n, 2);
	for (size_t i = 0; i < p.n; i++) {
		assert_int_equal(p.rows[i].why, PLAN_UNREADABLE);
		assert_int_equal(p.rows[i].op, PLAN_NONE);
		assert_false(p.rows[i].forget);
	}
	model_free(m);
}

static void an_object_without_a_name_is_an_error_with_its_place(void **state)
{
	struct model *m = model_new("app", "Job.batch/s/a=1", "", "", "");
	struct plan_policy policy = {0};
	struct pl_err e = ERR_INIT;
	pl_node *metadata = pl_gets(m->desired[0].node, "metadata");
	struct plan p;

	(void)state;
	pl_remove(m->doc, metadata, S("name"));
	assert_int_equal(model_plan(m, &policy, &p, &e), PL_EINVAL);
	assert_non_null(strstr(pl_err_text(&e), "git.yaml:1:1: 'Job' has no metadata.name"));
	err_clear(&e);
	model_free(m);
}

/* ---- --resource ---- */

static void only_selected_resources_are_touched(void **state)
{
	pl_ref only[] = {{.kind = S_INIT("configmap"), .name = S_INIT("a")},
			 {.kind = S_INIT("ConfigMap"), .ns = S_INIT("t"), .name = S_INIT("old")}};
	struct plan_policy policy = {.prune = true, .only = only, .n_only = 2};
	struct model *m = model_new("app", "ConfigMap/s/a=1 ConfigMap/s/b=1 ConfigMap/s/f=1",
				    "ConfigMap/t/old=1@app ConfigMap/u/old=1@app ConfigMap/s/f=1 ?ConfigMap/s/odd",
				    "ConfigMap/s/odd=1 ConfigMap/s/gone=1", "");
	struct buf got = BUF_INIT(1 << 16);
	struct plan p;

	(void)state;
	assert_int_equal(model_plan(m, &policy, &p, NULL), PL_OK);
	print_plan(&p, &got);
	assert_string_equal(got.p,
			    "0 create absent ConfigMap:s/a; 1 delete undesired ConfigMap:t/old; "
			    "- none unselected ConfigMap:s/b; - none unselected ConfigMap:s/f; "
			    "- none undesired ConfigMap:s/gone in-sync forget; - none unselected ConfigMap:s/odd; "
			    "- none unselected ConfigMap:u/old");
	assert_int_equal(p.n_blocked, 0);
	assert_int_equal(plan_check_only(&p, &policy, NULL), PL_OK);
	buf_free(&got);
	model_free(m);
}

static void a_selection_that_matches_nothing_is_told(void **state)
{
	pl_ref only = {.kind = S_INIT("Deployment"), .name = S_INIT("wbe")};
	struct plan_policy policy = {.only = &only, .n_only = 1};
	struct model *m = model_new("app", "Deployment.apps/s/web=1 Service/s/web=1", "", "", "");
	struct pl_err e = ERR_INIT;
	struct plan p;

	(void)state;
	assert_int_equal(model_plan(m, &policy, &p, NULL), PL_OK);
	assert_int_equal(plan_check_only(&p, &policy, &e), PL_ENOTFOUND);
	assert_non_null(strstr(pl_err_text(&e), "no resource 'Deployment/wbe'"));
	assert_non_null(strstr(pl_err_text(&e), "did you mean 'Deployment/web'?"));
	err_clear(&e);
	model_free(m);
}

static void the_ceiling_counts_only_what_is_selected(void **state)
{
	pl_ref only = {.kind = S_INIT("A"), .name = S_INIT("a")};
	struct plan_policy policy = {.prune = true, .only = &only, .n_only = 1};
	struct model *m = model_new("app", "C/s/g=1",
				    "A/s/a=1@app A/s/b=1@app A/s/c=1@app A/s/d=1@app A/s/e=1@app A/s/f=1@app", "", "");
	struct plan p;

	(void)state;
	assert_int_equal(model_plan(m, &policy, &p, NULL), PL_OK);
	assert_int_equal(p.n_delete, 1);
	assert_int_equal(p.hold.n, 0);
	model_free(m);
}

/* ---- ranks and words ---- */

static void kinds_rank_as_documented(void **state)
{
	static const char *const order[][2] = {{"", "Namespace"},
					       {"apiextensions.k8s.io", "CustomResourceDefinition"},
					       {"networking.k8s.io", "NetworkPolicy"},
					       {"", "ServiceAccount"},
					       {"", "Secret"},
					       {"", "ConfigMap"},
					       {"", "PersistentVolumeClaim"},
					       {"rbac.authorization.k8s.io", "ClusterRole"},
					       {"rbac.authorization.k8s.io", "RoleBinding"},
					       {"", "Service"},
					       {"apps", "DaemonSet"},
					       {"apps", "Deployment"},
					       {"apps", "StatefulSet"},
					       {"batch", "Job"},
					       {"networking.k8s.io", "Ingress"},
					       {"apiregistration.k8s.io", "APIService"},
					       {"acme.io", "Widget"}};

	(void)state;
	for (size_t i = 1; i < sizeof(order) / sizeof(order[0]); i++)
		assert_true(plan_kind_rank(str_of(order[i - 1][0]), str_of(order[i - 1][1])) <
			    plan_kind_rank(str_of(order[i][0]), str_of(order[i][1])));
	assert_int_equal(plan_kind_rank(S("acme.io"), S("Widget")), plan_kind_rank(S("x"), S("Y")));
	assert_int_equal(plan_kind_rank(S("acme.io"), S("CustomResourceDefinition")), plan_kind_rank(S("x"), S("Y")));
}

static void every_reason_has_a_text(void **state)
{
	(void)state;
	for (int w = PLAN_SAME; w <= PLAN_IGNORED; w++)
		assert_true(strlen(plan_why_text((enum plan_why)w)) > 0);
	assert_string_equal(plan_op_name(PLAN_CREATE), "create");
	assert_string_equal(plan_op_name(PLAN_NONE), "none");
}

/* ---- properties over random worlds ---- */

static uint64_t rng_state;

static uint32_t rnd(uint32_t below)
{
	rng_state ^= rng_state << 13;
	rng_state ^= rng_state >> 7;
	rng_state ^= rng_state << 17;
	return (uint32_t)(rng_state >> 32) % below;
}

static void random_object(struct buf *b, bool with_owner)
{
	static const char *const kinds[] = {"ConfigMap/n", "Deployment.apps/n", "Widget.acme.io/n", "Namespace/-"};
	static const char *const suffixes[] = {"", "", "-2222222222", "-h7k2m4t9b5"};
	static const char *const owners[] = {"", "@app", "@app", "@app", "@app", "@other", "@late", "@~", "@"};

	buf_addf(b, "%s/o%u%s=%u", kinds[rnd(4)], rnd(8), suffixes[rnd(4)], rnd(3));
	if (with_owner)
		buf_addz(b, owners[rnd(9)]);
	buf_addc(b, ' ');
}

static char *random_objects(uint32_t max, bool with_owner)
{
	struct buf b = BUF_INIT(1 << 20);
	size_t n;

	buf_addz(&b, " ");
	for (uint32_t i = rnd(max); i > 0; i--)
		random_object(&b, with_owner);
	return buf_detach(&b, &n);
}

/* A live side has an object once. */
static void drop_live_duplicates(struct model *m)
{
	size_t n = 0;

	for (size_t i = 0; i < m->n_live; i++) {
		size_t j = 0;

		while (j < n && !ref_same(&m->live[j].ref, &m->live[i].ref))
			j++;
		if (j == n)
			m->live[n++] = m->live[i];
	}
	m->n_live = n;
}

static struct model *random_model(void)
{
	char *desired = random_objects(20, false), *live = random_objects(40, true),
	     *inventory = random_objects(20, false);
	struct model *m = model_new("app", desired, live, inventory, rnd(2) ? "X/n/x@late+" : "");

	drop_live_duplicates(m);
	free(desired);
	free(live);
	free(inventory);
	return m;
}

static bool live_is(const struct model *m, const struct live *l, const char *app)
{
	pl_str owner;
	pl_ref marked;

	(void)m;
	return l && l->status == PL_OK && tracking_parse(l->tracking, &owner, &marked) == PL_OK &&
	       str_eqz(owner, app) && ref_same(&marked, &l->ref);
}

static bool is_desired(const struct model *m, const pl_ref *ref)
{
	for (size_t i = 0; i < m->n_desired; i++)
		if (ref_same(&m->desired[i].ref, ref))
			return true;
	return false;
}

static void check_rows(struct model *m, const struct plan *p)
{
	for (size_t i = 0; i < p->n; i++) {
		const struct plan_row *r = &p->rows[i];
		const struct live *l = model_live(m, &r->ref);

		if (i)
			assert_true(p->rows[i - 1].stage <= r->stage);
		if (r->op == PLAN_DELETE) {
			assert_true(live_is(m, l, "app"));
			assert_false(is_desired(m, &r->ref));
		}
		if (r->op == PLAN_CREATE)
			assert_int_equal(l->status, PL_ENOTFOUND);
		if (r->op == PLAN_UPDATE && r->why == PLAN_TAKEN_OVER) {
			assert_true(live_is(m, l, "late"));
			assert_true(m->n_owners > 0 && str_eqz(r->previous, "late"));
		} else if (r->op == PLAN_UPDATE) {
			assert_true(str_starts(l->tracking, S("app:")));
		}
		assert_false(r->adopt && r->op != PLAN_NONE);
		assert_false(r->forget && (r->op != PLAN_NONE || !r->in_inventory));
	}
}

static void check_order(const struct plan *p)
{
	for (size_t i = 1; i < p->n && p->rows[i].op != PLAN_NONE; i++) {
		const struct plan_row *a = &p->rows[i - 1], *b = &p->rows[i];
		uint32_t ra = plan_kind_rank(a->ref.group, a->ref.kind), rb = plan_kind_rank(b->ref.group, b->ref.kind);

		if (a->op == PLAN_DELETE) {
			assert_int_equal(b->op, PLAN_DELETE);
			assert_true(ra >= rb);
		} else if (b->op != PLAN_DELETE) {
			assert_true(ra <= rb);
		}
		assert_int_equal(a->stage == b->stage, ra == rb && (a->op == PLAN_DELETE) == (b->op == PLAN_DELETE));
	}
}

static void check_each_once(struct model *m, const struct plan *p)
{
	for (size_t i = 0; i < p->n; i++)
		for (size_t j = i + 1; j < p->n; j++)
			assert_false(ref_same(&p->rows[i].ref, &p->rows[j].ref));
	for (size_t i = 0; i < m->n_desired; i++) {
		size_t j = 0;

		while (j < p->n && !ref_same(&p->rows[j].ref, &m->desired[i].ref))
			j++;
		assert_true(j < p->n);
	}
}

static void check_ceiling(const struct model *m, const struct plan *p, const struct plan_policy *policy)
{
	size_t counted = 0, inventory = 0;

	for (size_t i = 0; i < p->n; i++) {
		const struct plan_row *r = &p->rows[i];

		counted += r->op == PLAN_DELETE && !r->generated;
		inventory += r->in_inventory && !r->forget;
		inventory += !r->in_inventory && live_is(m, model_live((struct model *)(uintptr_t)m, &r->ref), "app");
	}
	if (!policy->prune_confirmed)
		assert_true(counted <= 5 || counted * 2 <= inventory);
	if (!policy->prune)
		assert_int_equal(p->n_delete, 0);
	if (m->n_desired == 0 && !policy->prune_confirmed)
		assert_int_equal(p->n_delete, 0);
}

static void forget_item(struct model *m, const pl_ref *ref)
{
	for (size_t i = m->n_inventory; i-- > 0;)
		if (ref_same(&m->inventory[i].ref, ref))
			m->inventory[i] = m->inventory[--m->n_inventory];
}

/* What the applier and record would do. */
static void do_plan(struct model *m, const struct plan *p)
{
	struct store_item *more = arena_array(m->a, m->n_inventory + p->n + 1, sizeof(*more));

	memcpy(more, m->inventory, m->n_inventory * sizeof(*more));
	m->inventory = more;
	for (size_t i = 0; i < p->n; i++) {
		const struct plan_row *r = &p->rows[i];
		struct live *l = model_live(m, &r->ref);

		if (r->op == PLAN_DELETE)
			*l = (struct live){.status = PL_ENOTFOUND, .ref = l->ref};
		if (r->op == PLAN_CREATE || r->op == PLAN_UPDATE) {
			l->status = PL_OK;
			l->node = pl_copy(m->doc, m->doc, r->desired);
			l->tracking = model_tracking(m, m->app, &r->ref);
		}
		if (r->op != PLAN_NONE || r->adopt || r->forget)
			forget_item(m, &r->ref);
		if (r->adopt || r->op == PLAN_CREATE || r->op == PLAN_UPDATE)
			m->inventory[m->n_inventory++] = (struct store_item){.ref = r->ref, .hash = r->hash};
	}
}

static void check_second_plan_is_empty(struct model *m)
{
	struct plan_policy policy = {.prune = true, .prune_confirmed = true};
	struct plan p;

	assert_int_equal(model_plan(m, &policy, &p, NULL), PL_OK);
	do_plan(m, &p);
	assert_int_equal(model_plan(m, &policy, &p, NULL), PL_OK);
	assert_int_equal(p.n_create + p.n_update + p.n_delete + p.n_adopt + p.n_forget, 0);
	assert_int_equal(p.n_out_of_sync, p.n_blocked);
}

static void random_worlds_keep_every_promise(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 600; seed++) {
		struct plan_policy policy;
		struct model *m;
		struct plan p;

		rng_state = seed * 0x9e3779b97f4a7c15u;
		policy = (struct plan_policy){.prune = rnd(4) != 0, .prune_confirmed = rnd(4) == 0};
		m = random_model();
		assert_int_equal(model_plan(m, &policy, &p, NULL), PL_OK);
		check_rows(m, &p);
		check_order(&p);
		check_each_once(m, &p);
		check_ceiling(m, &p, &policy);
		check_second_plan_is_empty(m);
		model_free(m);
	}
}

static void the_same_input_gives_the_same_plan(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 40; seed++) {
		struct buf text[2] = {BUF_INIT(1 << 20), BUF_INIT(1 << 20)};
		struct plan_policy policy = {.prune = true};

		for (int i = 0; i < 2; i++) {
			struct model *m;
			struct plan p;

			rng_state = seed * 0x2545f4914f6cdd1du;
			m = random_model();
			assert_int_equal(model_plan(m, &policy, &p, NULL), PL_OK);
			print_plan(&p, &text[i]);
			model_free(m);
		}
		assert_true(str_eq(buf_str(&text[0]), buf_str(&text[1])));
		buf_free(&text[0]);
		buf_free(&text[1]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_of_every_table_case),
		cmocka_unit_test(counts_add_up),
		cmocka_unit_test(out_of_sync_only_by_prunes_is_told),
		cmocka_unit_test(duplicates_keep_the_last_and_warn_with_both_places),
		cmocka_unit_test(foreign_objects_name_their_owner),
		cmocka_unit_test(an_object_that_was_not_asked_about_is_not_absent),
		cmocka_unit_test(an_object_without_a_name_is_an_error_with_its_place),
		cmocka_unit_test(only_selected_resources_are_touched),
		cmocka_unit_test(a_selection_that_matches_nothing_is_told),
		cmocka_unit_test(the_ceiling_counts_only_what_is_selected),
		cmocka_unit_test(kinds_rank_as_documented),
		cmocka_unit_test(every_reason_has_a_text),
		cmocka_unit_test(random_worlds_keep_every_promise),
		cmocka_unit_test(the_same_input_gives_the_same_plan),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
