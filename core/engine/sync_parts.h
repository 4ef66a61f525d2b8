/* SPDX-License-Identifier: Apache-2.0 */
/* The inside of struct sync, shared by the machine and its packed form. */
#ifndef ENGINE_SYNC_PARTS_H
#define ENGINE_SYNC_PARTS_H

#include "core/engine/sync.h"

enum entry_state {
	ENTRY_PENDING,
	ENTRY_RUNNING, /* submitted; packed as pending, for nobody knows what came of it after a kill */
	ENTRY_DONE,
	ENTRY_FAILED,
	ENTRY_SKIPPED, /* a prune that the plan holds back */
	ENTRY_BLOCKED  /* an apply that the plan forbids */
};

/* One object that this sync has to do with, over all of its lives. */
struct sync_entry {
	pl_ref ref;
	enum plan_op op;
	enum entry_state state;
	bool submitted; /* at least once */
	bool planned;	/* the plan of this life still has an action for it */
	uint32_t stage; /* of this life's plan */
	size_t row;	/* in this life's plan */
	pl_str status, message;
};

struct sync {
	struct arena *a;
	struct sync_start info;
	struct sync_entry *entries; /* malloc'ed; those of earlier lives first */
	size_t n_entries, cap_entries;
	bool has_plan;
	size_t *entry_of; /* malloc'ed: a plan row's entry, SIZE_MAX: none */
	size_t n_rows;
	uint32_t n_stages;
	uint32_t first_delete; /* stages from here on prune */
	size_t *batch;	       /* malloc'ed: the rows handed out last */
	bool extended;	       /* by sync_extend() */
	bool cancelled;
	pl_str reason;
	bool ended;
	pl_str skip_reason; /* why what is still pending stays undone */
	pl_str phase, message;
	size_t n_running;
};

/* The entry starts pending. The pointer is good until the next call. */
struct sync_entry *sync_entry_add(struct sync *s, const pl_ref *ref, enum plan_op op);

#endif
