/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plan: desired + live + inventory in, a graph of actions out. Pure: no clock, no files, no plugins, so it is
 * tested with tables. Cost is O((D + L + I) log) in desired, live and inventory.
 */
#ifndef ENGINE_PLAN_H
#define ENGINE_PLAN_H

#include "core/base/arena.h"
#include "core/doc/identity.h"
#include "core/plugin/applier.h" /* struct live */
#include "core/state/store.h"	 /* struct store_item */

struct plan_desired {
	pl_ref ref;	     /* namespace settled: defaulted for namespaced kinds, empty for cluster-scoped ones */
	const pl_node *node; /* with metadata.namespace as in ref */
	pl_str hash;	     /* hex SHA-256 of the canonical JSON */
	pl_place at;
};

/*
 * Stands in an inventory item's hash, before the application it is taken over from, until that has come through: the
 * store knows the new owner already, the live side still names the old one. A retry or the next life finishes it.
 */
#define PLAN_TAKING "taking over from "

struct plan_policy {
	bool prune;	      /* sync.prune, or --prune on the command */
	bool prune_confirmed; /* --prune on the command: passes the ceiling */
	bool allow_empty;
	bool render_failed; /* never prune then: desired is not what Git says */
	const pl_ref *only; /* --resource: nothing else is touched; ns and group empty match any; n 0: all */
	size_t n_only;
};

struct plan_owner { /* objects in `desired` that another application's inventory holds */
	pl_ref ref;
	pl_str app;
	bool may_take; /* that application has left the config, or is this one under its former name: take over */
};

enum plan_op { PLAN_NONE, PLAN_CREATE, PLAN_UPDATE, PLAN_DELETE };

/* Why a resource is as it is; each has a fixed text for people. */
enum plan_why {
	PLAN_SAME,
	PLAN_ABSENT,	  /* desired, not live */
	PLAN_CHANGED,	  /* Git has changed it: the inventory's hash differs */
	PLAN_DRIFTED,	  /* the live side was changed by somebody */
	PLAN_NOT_DESIRED, /* in the inventory, not desired: pruned */
	PLAN_PRUNE_OFF,	  /* …but prune is off */
	PLAN_PRUNE_HELD,  /* …but the ceiling, an empty or failed render holds it back */
	PLAN_PRUNE_FALSE, /* …but it is annotated Prune=false, or helm.sh/resource-policy: keep */
	PLAN_FOREIGN,	  /* live, and not ours: no tracking id, or another application's */
	PLAN_TAKEN_OVER,  /* from another application that may lose it */
	PLAN_UNSELECTED,  /* out of --resource */
	PLAN_UNREADABLE,  /* the live side could not tell */
	PLAN_IGNORED	  /* config.kubernetes.io/local-config and the like */
};

struct plan_row {
	pl_ref ref;
	enum plan_op op;
	enum plan_why why;
	uint32_t stage; /* rows of one stage may run at the same time; stages run in order; UINT32_MAX for PLAN_NONE */
	bool out_of_sync; /* counts towards OutOfSync */
	bool generated;	  /* its counterpart under another hash suffix is desired: not counted by the ceiling */
	const pl_node *desired, *live; /* borrowed; NULL when absent */
	pl_str hash;		       /* of desired */
	pl_str previous;	       /* application it is taken over from */
	pl_str message;		       /* for PLAN_FOREIGN, PLAN_UNREADABLE: names the owner, the reason */
	pl_place at;
	bool drift; /* the live side is not what was last applied, and Git has not changed: what self-heal is about */
	/*
	 * What the inventory has to learn without any action on the live side, at once and whether or not a sync runs:
	 *   adopt   live is as desired, but the inventory lacks it or has another hash: put it
	 *   forget  in the inventory, not desired, and gone from the live side or no longer ours: drop it
	 */
	bool adopt, forget;
	bool in_inventory;
	pl_str target; /* identity of the former target on which it was left; empty: the application's own */
};

struct plan {
	struct plan_row *rows; /* in execution order, PLAN_NONE rows last, by ref */
	size_t n;
	size_t n_create, n_update, n_delete, n_out_of_sync, n_stages;
	size_t n_held;		  /* prunes held back */
	pl_str hold;		  /* why, for people: "would prune 12 of 20 objects; run `plumb sync APP --prune`" */
	bool only_prunes_missing; /* out of sync only because of prunes that are off or held */
	pl_str *warnings;	  /* duplicates in desired: both places */
	size_t n_warnings;
	size_t n_drift; /* rows with drift */
	size_t n_adopt, n_forget;
	size_t n_blocked; /* desired, but foreign or unreadable: a sync can't succeed */
};

/*
 * live: what observe said of every ref in desired and inventory; a ref that live does not answer counts as unreadable
 * (never as absent). It may hold more, from a scan: what carries this application's tracking id counts as inventory.
 * PL_EINVAL: an object without a name. All results in a; nodes, hashes and refs are borrowed.
 */
pl_status plan_make(struct arena *a, pl_str app, const struct plan_desired *desired, size_t n_desired,
		    const struct live *live, size_t n_live, const struct store_item *inventory, size_t n_inventory,
		    const struct plan_owner *owners, size_t n_owners, const struct plan_policy *policy,
		    struct plan *out, struct pl_err *e);

/*
 * PL_ENOTFOUND, with the nearest name as hint, when something in policy->only names no row. Asked once, when a sync is
 * wanted.
 */
pl_status plan_check_only(const struct plan *p, const struct plan_policy *policy, struct pl_err *e);

const char *plan_why_text(enum plan_why w);
const char *plan_op_name(enum plan_op op); /* "create" "update" "delete" "none" */
/*
 * The place of a kind in the order of applying; deletes run in reverse. Ranks are those of Argo CD, CRDs beside
 * Namespaces.
 */
uint32_t plan_kind_rank(pl_str group, pl_str kind);

#endif
