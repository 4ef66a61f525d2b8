/* SPDX-License-Identifier: Apache-2.0 */
#include "core/engine/assess.h"

#include "core/doc/private.h"
#include "core/engine/plan_parts.h"

#define OBJECT_MAX (16u << 20) /* bytes of one object as JSON for a script */
#define NAMED_MAX  3	       /* objects named in the summary */

struct assessor {
	const struct assess_by *by;
	pl_str app;
	pl_doc *doc;
	struct arena *a;
	struct script_case *cases; /* one batch */
	size_t *case_item;
	size_t n_cases;
};

/* ---- one object ---- */

static bool pending_deletion(const pl_node *live)
{
	const pl_node *metadata = pl_gets(live, "metadata");
	const pl_node *finalizers = pl_gets(metadata, "finalizers");
	const pl_node *when = pl_gets(metadata, "deletionTimestamp");

	if (!when || pl_kind(when) == PL_NULL)
		return false;
	for (size_t i = 0; i < pl_len(finalizers) && pl_kind(finalizers) == PL_LIST; i++)
		if (str_eqz(pl_text(pl_item(finalizers, i)), "argocd.argoproj.io/hook-finalizer"))
			return false;
	return true;
}

static struct verdict unknown(struct assessor *s, const struct pl_err *e, pl_str by)
{
	return (struct verdict){PL_UNKNOWN, arena_dup(s->a, str_of(pl_err_text(e))), by};
}

/* True: v says it, or the batch will. */
static bool by_script(struct assessor *s, const struct assess_item *it, size_t index, size_t n_folders,
		      struct verdict *v)
{
	struct pl_err e = ERR_INIT;
	struct buf json = BUF_INIT(OBJECT_MAX);
	pl_str path;
	pl_status st;

	if (!s->by->scripts || n_folders == 0)
		return false;
	st = scripts_find(s->by->scripts, s->by->folders, n_folders, &it->ref, s->a, &path, &e);
	if (st == PL_ENOTFOUND) {
		err_clear(&e);
		return false;
	}
	if (st == PL_OK) {
		st = json_print(it->live, 0, &json, &e);
		if (st == PL_OK && buf_full(&json))
			st = err_set(&e, PL_ETOOBIG, "the object is larger than %u bytes", OBJECT_MAX);
	}
	if (st) {
		*v = unknown(s, &e, S("script"));
	} else {
		s->cases[s->n_cases] = (struct script_case){.path = arena_dup(s->a, path).p,
							    .object = arena_dup(s->a, buf_str(&json))};
		s->case_item[s->n_cases++] = index;
		v->by = arena_printf(s->a, "script %.*s", F(path));
	}
	err_clear(&e);
	buf_free(&json);
	return true;
}

static void by_plugin(struct assessor *s, const struct assess_item *it, struct verdict *v)
{
	struct pl_err e = ERR_INIT;

	if (s->by->plugins && health_plugins_assess(s->by->plugins, &it->ref, s->doc, it->live, s->a, v, &e))
		*v = unknown(s, &e, S("plugin"));
	err_clear(&e);
}

static void judge(struct assessor *s, const struct assess_item *it, size_t index, struct verdict *v)
{
	/* Rules for clusters wait for controllers to report; here none ever will. */
	bool written = s->by->inert && it->live && !pl_gets(it->live, "status");
	*v = (struct verdict){.health = PL_HEALTH_NONE};
	if (it->left_out)
		return;
	if (it->error.n)
		*v = (struct verdict){PL_UNKNOWN, arena_dup(s->a, it->error), S("live side")};
	else if (!it->live)
		*v = (struct verdict){.health = PL_MISSING};
	else if (pending_deletion(it->live))
		*v = (struct verdict){PL_PROGRESSING, S("Pending deletion"), S("deletion")};
	else if (!by_script(s, it, index, written ? s->by->n_own : s->by->n_folders, v) && !written)
		by_plugin(s, it, v);
}

/* Scripts that can't be run at all (no worker, a crash) make their objects Unknown, each with the reason. */
static pl_status judge_batch(struct assessor *s, struct verdict *items, struct pl_err *e)
{
	struct pl_err why = ERR_INIT;
	pl_status st;

	if (s->n_cases == 0)
		return PL_OK;
	if (s->by->worker)
		st = scripts_judge(s->by->worker, s->cases, s->n_cases, &s->by->limits, s->by->cancel, s->a, &why);
	else
		st = err_set(&why, PL_EUNSUPPORTED, "health scripts need a worker, and there is none");
	if (st == PL_ECANCELLED)
		err_copy(e, &why);
	for (size_t i = 0; i < s->n_cases && st != PL_ECANCELLED; i++) {
		struct verdict *v = &items[s->case_item[i]];
		const struct script_verdict *out = &s->cases[i].out;
		pl_str by = v->by;

		if (st)
			*v = unknown(s, &why, by);
		else
			*v = (struct verdict){out->none ? PL_HEALTH_NONE : out->health, out->message, by};
	}
	err_clear(&why);
	return st == PL_ECANCELLED ? st : PL_OK;
}

/* ---- the application ---- */

static bool is_application(const pl_ref *r)
{
	return str_eqz(r->kind, "Application") && (str_eqz(r->group, "plumb.dev") || str_eqz(r->group, "argoproj.io"));
}

static bool counts(const struct assessor *s, const struct assess_item *it, const struct verdict *v)
{
	if (v->health == PL_HEALTH_NONE || (!it->live && !it->error.n))
		return false;
	if (str_eqz(plan_annotation(it->live, "argocd.argoproj.io/ignore-healthcheck"), "true"))
		return false;
	if (!is_application(&it->ref))
		return true;
	/* An application that manages itself can't wait for itself; a child that nobody has judged yet says nothing. */
	return !str_eq(it->ref.name, s->app) && v->health != PL_MISSING && v->health != PL_UNKNOWN;
}

/* "Caused by apps/Deployment:shop/web, Service:shop/a, ... and 2 more" */
static pl_str summary(const struct assessor *s, const struct assess_item *items, size_t n, const struct assess_out *out)
{
	struct buf b = BUF_INIT(64 << 10);
	size_t named = 0;
	pl_str text;

	for (size_t i = 0; i < n; i++) {
		if (out->items[i].health != out->health || !counts(s, &items[i], &out->items[i]))
			continue;
		if (named++ >= NAMED_MAX)
			continue;
		buf_addz(&b, named == 1 ? "Caused by " : ", ");
		ref_print(&items[i].ref, &b);
	}
	if (named > NAMED_MAX)
		buf_addf(&b, ", ... and %zu more", named - NAMED_MAX);
	text = arena_dup(s->a, buf_str(&b));
	buf_free(&b);
	return text;
}

static void aggregate(const struct assessor *s, const struct assess_item *items, size_t n, struct assess_out *out)
{
	bool any = false, any_live = false;

	out->health = PL_HEALTHY;
	for (size_t i = 0; i < n; i++) {
		if (items[i].left_out)
			continue;
		any = true;
		any_live |= items[i].live || items[i].error.n; /* what can't be read may well be there */
		if (counts(s, &items[i], &out->items[i]))
			out->health = health_worse(out->health, out->items[i].health);
	}
	if (any && !any_live && out->health < PL_MISSING)
		out->health = PL_MISSING;
	else if (out->health != PL_HEALTHY)
		out->message = summary(s, items, n, out);
}

pl_status assess_items(const struct assess_by *by, pl_str app, pl_doc *doc, const struct assess_item *items, size_t n,
		       struct arena *a, struct assess_out *out, struct pl_err *e)
{
	struct assessor s = {.by = by, .app = app, .doc = doc, .a = a};
	pl_status st;

	*out = (struct assess_out){.items = arena_array(a, n + 1, sizeof(*out->items))};
	s.cases = arena_array(a, n + 1, sizeof(*s.cases));
	s.case_item = arena_array(a, n + 1, sizeof(*s.case_item));
	for (size_t i = 0; i < n; i++) {
		if (cancel_fired(by->cancel))
			return err_set(e, PL_ECANCELLED, "cancelled while judging health");
		judge(&s, &items[i], i, &out->items[i]);
	}
	st = judge_batch(&s, out->items, e);
	if (st)
		return st;
	aggregate(&s, items, n, out);
	return PL_OK;
}

/* What belongs to somebody else does not make this application well or ill; it only lacks its own object. */
static struct assess_item item_of_row(const struct plan_row *r)
{
	struct assess_item it = {.ref = r->ref, .live = r->live};

	it.left_out = r->forget || r->why == PLAN_IGNORED;
	if (r->why == PLAN_FOREIGN)
		it.live = NULL;
	if (r->why == PLAN_UNREADABLE) {
		it.live = NULL;
		it.error = r->message;
	}
	return it;
}

pl_status assess_plan(const struct assess_by *by, pl_str app, pl_doc *doc, const struct plan *p, struct arena *a,
		      struct assess_out *out, struct pl_err *e)
{
	struct assess_item *items = arena_array(a, p->n + 1, sizeof(*items));

	for (size_t i = 0; i < p->n; i++)
		items[i] = item_of_row(&p->rows[i]);
	return assess_items(by, app, doc, items, p->n, a, out, e);
}
