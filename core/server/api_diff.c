/* SPDX-License-Identifier: Apache-2.0 */
/* What a sync would change, and what a render gives, as texts for people; Secret values masked. */
#include "core/server/api_internal.h"

#include "core/doc/private.h"

enum { TEXT_LIMIT = 256 * 1024 * 1024, CONTEXT_LINES = 3 };

static pl_status yaml_of(const pl_node *n, struct buf *out, struct pl_err *e)
{
	return n ? yaml_print(n, PL_PRINT_SORTED, out, e) : PL_OK;
}

/* Only what the sync will do is shown: a row that stays as it is has no diff. */
static pl_status diff_row(struct api *a, const pl_doc *doc, const struct plan_row *r, pl_node *change, struct buf *out)
{
	const pl_node *from = r->live, *to = r->op == PLAN_DELETE ? NULL : r->desired;
	pl_doc *masked = pl_doc_new(NULL);
	if (ref_is_secret(&r->ref)) {
		pl_node *ma, *mb;
		secret_mask(masked, doc, from, doc, to, &ma, &mb);
		from = ma;
		to = mb;
	}
	struct buf before = BUF_INIT(TEXT_LIMIT), after = BUF_INIT(TEXT_LIMIT), name = BUF_INIT(4096);
	ref_print(&r->ref, &name);
	pl_str left =
		from ? arena_printf(a->arena, "live/%.*s%s%.*s%s", F(buf_str(&name)),
				    r->target.n ? " (on the former target " : "", F(r->target), r->target.n ? ")" : "")
		     : S("/dev/null");
	pl_str right = to ? arena_printf(a->arena, "desired/%.*s", F(buf_str(&name))) : S("/dev/null");
	pl_status st = yaml_of(from, &before, a->e);
	if (!st)
		st = yaml_of(to, &after, a->e);
	if (!st && api_flag(a, "texts")) {
		add_text(a->d, change, "live", buf_str(&before));
		add_text(a->d, change, "desired", buf_str(&after));
	}
	if (!st)
		st = text_diff(buf_str(&before), buf_str(&after), left.p, right.p, CONTEXT_LINES, out);
	if (st)
		pl_err_in(a->e, "diff of %.*s", F(buf_str(&name)));
	buf_free(&before);
	buf_free(&after);
	buf_free(&name);
	pl_doc_unref(masked);
	return st;
}

static pl_node *change_node(pl_doc *d, const struct plan_row *r)
{
	pl_node *m = pl_new_map(d);
	put_ref(d, m, &r->ref);
	put_text(d, m, "action", str_of(plan_op_name(r->op)));
	put_text(d, m, "reason", str_of(plan_why_text(r->why)));
	put_bool(d, m, "outOfSync", r->out_of_sync);
	add_text(d, m, "message", r->message);
	add_text(d, m, "takenOverFrom", r->previous);
	add_text(d, m, "formerTarget", r->target);
	return m;
}

pl_status api_diff(struct api *a)
{
	pl_str app;
	pl_doc *doc = NULL;
	struct plan plan;
	struct buf text = BUF_INIT(TEXT_LIMIT);
	pl_status st = api_need_text(a, "app", &app);
	if (!st)
		st = engine_plan(a->engine, app, api_text(a, "revision"), a->arena, &doc, &plan, a->e);
	if (st)
		return st;
	pl_node *list = put_list(a->d, a->reply, "changes");
	for (size_t i = 0; i < plan.n && !st; i++) {
		const struct plan_row *r = &plan.rows[i];
		pl_node *change = change_node(a->d, r);
		if (r->op != PLAN_NONE || r->out_of_sync)
			pl_append(a->d, list, change);
		if (r->op != PLAN_NONE)
			st = diff_row(a, doc, r, change, &text);
	}
	put_text(a->d, a->reply, "diff", buf_str(&text));
	add_text(a->d, a->reply, "hold", plan.hold);
	if (!st && buf_full(&text))
		st = err_set(a->e, PL_ETOOBIG, "the diff is larger than %d MiB", TEXT_LIMIT >> 20);
	buf_free(&text);
	pl_doc_unref(doc);
	return st;
}

pl_status api_render(struct api *a)
{
	pl_str app;
	pl_doc *doc = NULL;
	pl_node **v;
	size_t n;
	pl_status st = api_need_text(a, "app", &app);
	if (!st)
		st = engine_render(a->engine, app, api_text(a, "revision"), &doc, &v, &n, a->arena, a->e);
	if (st)
		return st;
	pl_node *list = put_list(a->d, a->reply, "resources");
	for (size_t i = 0; i < n; i++)
		pl_append(a->d, list, pl_copy(a->d, doc, v[i]));
	pl_doc_unref(doc);
	return PL_OK;
}
