/* SPDX-License-Identifier: Apache-2.0 */
/* What may be pruned. Everything here can only hold back: a plan never gains a deletion in this file. */
#include "core/engine/plan_parts.h"

#include <strings.h>

/* A mistake in Git must not take an application down: more than this many and more than half wait for a person. */
#define CEILING_OBJECTS 5

static bool str_same_word(pl_str s, const char *word)
{
	return s.n == strlen(word) && strncasecmp(s.p, word, s.n) == 0;
}

pl_str plan_annotation(const pl_node *object, const char *key)
{
	const pl_node *metadata = pl_gets(object, "metadata");

	return str_trim(pl_text(pl_gets(pl_gets(metadata, "annotations"), key)));
}

bool plan_list_has(pl_str list, pl_str value)
{
	pl_str item;

	while (list.n) {
		str_cut(list, ',', &item, &list);
		if (str_eq(str_trim(item), value))
			return true;
	}
	return false;
}

static bool prune_forbidden(const pl_node *object)
{
	return plan_list_has(plan_annotation(object, "argocd.argoproj.io/sync-options"), S("Prune=false")) ||
	       str_same_word(plan_annotation(object, "helm.sh/resource-policy"), "keep") ||
	       str_same_word(plan_annotation(object, "kustomize.toolkit.fluxcd.io/prune"), "disabled") ||
	       str_same_word(plan_annotation(object, "plumb.dev/prune"), "false");
}

static bool prune_asks(const pl_node *object)
{
	return plan_list_has(plan_annotation(object, "argocd.argoproj.io/sync-options"), S("Prune=confirm"));
}

/* ---- generated names: NAME-HASH as Kustomize makes them ---- */

#define HASH_CHARS   "bcdfghkmt2456789"
#define HASH_CHARS_N 10

/* Cuts the suffix off: "web-config-5f6d8k2t9b" is "web-config". False: the name has none. */
static bool generated_base(pl_str name, pl_str *base)
{
	if (name.n < HASH_CHARS_N + 2 || name.p[name.n - HASH_CHARS_N - 1] != '-')
		return false;
	for (size_t i = name.n - HASH_CHARS_N; i < name.n; i++)
		if (!memchr(HASH_CHARS, name.p[i], sizeof(HASH_CHARS) - 1))
			return false;
	*base = (pl_str){name.p, name.n - HASH_CHARS_N - 1};
	return true;
}

static int base_cmp(const void *a, const void *b)
{
	return ref_cmp(a, b);
}

/* Marks candidates whose counterpart under another hash is desired: that is a change of content, not a removal. */
static void mark_generated(struct arena *a, struct plan *p)
{
	pl_ref *bases = arena_array(a, p->n + 1, sizeof(*bases));
	size_t n = 0;

	for (size_t i = 0; i < p->n; i++) {
		bases[n] = p->rows[i].ref;
		if (p->rows[i].desired && p->rows[i].why != PLAN_IGNORED &&
		    generated_base(bases[n].name, &bases[n].name))
			n++;
	}
	qsort(bases, n, sizeof(*bases), base_cmp);
	for (size_t i = 0; i < p->n; i++) {
		struct plan_row *r = &p->rows[i];
		pl_ref key = r->ref;

		if (r->why == PLAN_NOT_DESIRED && r->op == PLAN_DELETE && generated_base(key.name, &key.name))
			r->generated = n && bsearch(&key, bases, n, sizeof(*bases), base_cmp);
	}
}

/* ---- holding back ---- */

static void hold(struct plan *p, struct plan_row *r, enum plan_why why)
{
	r->op = PLAN_NONE;
	r->why = why;
	p->n_held += why == PLAN_PRUNE_HELD;
}

/* What single objects say, and whether pruning was asked for at all. Gives back how many are left, generated ones
 * aside. */
static size_t hold_single(struct plan *p, const struct plan_policy *policy, size_t *n_left)
{
	size_t counted = 0;

	*n_left = 0;
	for (size_t i = 0; i < p->n; i++) {
		struct plan_row *r = &p->rows[i];

		if (r->why != PLAN_NOT_DESIRED || r->op != PLAN_DELETE)
			continue;
		if (prune_forbidden(r->live) || prune_forbidden(r->desired))
			hold(p, r, PLAN_PRUNE_FALSE);
		else if (!policy->prune)
			hold(p, r, PLAN_PRUNE_OFF);
		else if (!plan_selected(policy, &r->ref))
			hold(p, r, PLAN_UNSELECTED);
		else {
			++*n_left;
			counted += !r->generated;
		}
	}
	return counted;
}

static void hold_all(struct plan *p)
{
	for (size_t i = 0; i < p->n; i++)
		if (p->rows[i].why == PLAN_NOT_DESIRED && p->rows[i].op == PLAN_DELETE)
			hold(p, &p->rows[i], PLAN_PRUNE_HELD);
}

static void hold_asking(struct arena *a, pl_str app, struct plan *p)
{
	for (size_t i = 0; i < p->n; i++) {
		struct plan_row *r = &p->rows[i];

		if (r->why == PLAN_NOT_DESIRED && r->op == PLAN_DELETE && prune_asks(r->live)) {
			hold(p, r, PLAN_PRUNE_HELD);
			r->message = S("annotated Prune=confirm");
		}
	}
	if (p->n_held)
		p->hold = arena_printf(
			a, "%zu %s to be confirmed before pruning (Prune=confirm); run `plumb sync %.*s --prune`",
			p->n_held, p->n_held == 1 ? "object asks" : "objects ask", F(app));
}

void plan_prune(struct arena *a, pl_str app, struct plan *p, const struct plan_policy *policy, size_t n_inventory,
		size_t n_desired)
{
	size_t n_left, counted;

	mark_generated(a, p);
	counted = hold_single(p, policy, &n_left);
	if (n_left == 0)
		return;
	if (policy->render_failed) {
		hold_all(p);
		p->hold = arena_printf(a, "the render failed: %zu %s kept", n_left,
				       n_left == 1 ? "object is" : "objects are");
	} else if (policy->prune_confirmed) {
		return;
	} else if (n_desired == 0 && !policy->allow_empty) {
		hold_all(p);
		p->hold = arena_printf(
			a,
			"the render came out empty: would prune %zu of %zu objects; set sync.allowEmpty or run "
			"`plumb sync %.*s --prune`",
			n_left, n_inventory, F(app));
	} else if (counted > CEILING_OBJECTS && counted * 2 > n_inventory) {
		hold_all(p);
		p->hold = arena_printf(a, "would prune %zu of %zu objects; run `plumb sync %.*s --prune`", counted,
				       n_inventory, F(app));
	} else {
		hold_asking(a, app, p);
	}
}
