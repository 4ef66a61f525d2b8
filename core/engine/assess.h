/* SPDX-License-Identifier: Apache-2.0 */
/*
 * assess: is what is live well? Each object by the first of: pending deletion, a Lua script, a health plugin; then one
 * word for the application (docs/lua.md). Whatever fails is that one object's Unknown, with the reason.
 */
#ifndef ENGINE_ASSESS_H
#define ENGINE_ASSESS_H

#include "core/engine/plan.h"
#include "core/lua/script.h"
#include "core/plugin/health.h"

/* What judges. Each part may be NULL: then there are no scripts (or no plugins). */
struct assess_by {
	struct scripts *scripts;
	struct worker *worker;
	const pl_str *folders; /* of scripts, in order */
	size_t n_folders;
	bool inert; /* the target is PL_INERT: without a status, an object is judged by the first n_own folders only */
	size_t n_own; /* the operator's */
	struct health_plugins *plugins;
	struct script_limits limits; /* 0: the defaults */
	struct cancel *cancel;
};

struct assess_item {
	pl_ref ref;
	const pl_node *live; /* NULL: there is none */
	pl_str error;	     /* the live side could not tell; then live is NULL */
	bool left_out;	     /* judged by nobody, counts nowhere */
};

struct assess_out {
	struct verdict *items; /* one each; PL_MISSING for what is not live, PL_HEALTH_NONE for no opinion */
	uint32_t health;       /* of the application */
	pl_str message;	       /* "Caused by …"; empty when Healthy or nothing is there */
};

/* doc owns the live nodes. PL_ECANCELLED is the only error. Results in a. */
pl_status assess_items(const struct assess_by *by, pl_str app, pl_doc *doc, const struct assess_item *items, size_t n,
		       struct arena *a, struct assess_out *out, struct pl_err *e);
/* The rows of a plan made from a fresh look: out->items[i] is of p->rows[i]. */
pl_status assess_plan(const struct assess_by *by, pl_str app, pl_doc *doc, const struct plan *p, struct arena *a,
		      struct assess_out *out, struct pl_err *e);

#endif
