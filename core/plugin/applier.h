/* SPDX-License-Identifier: Apache-2.0 */
/* A target through an applier plugin. A handle is thread-safe here: calls are serialised unless the plugin is
 * PL_THREAD_SAFE. */
#ifndef PLUGIN_APPLIER_H
#define PLUGIN_APPLIER_H

#include "core/doc/identity.h"
#include "core/plugin/call.h"
#include "core/plugin/registry.h"

struct applier;

pl_status applier_open(struct registry *r, const struct plugin *p, pl_str options, const struct log *log,
		       struct applier **out, struct pl_err *e);
void applier_close(struct applier *a);

pl_status applier_describe(struct applier *a, const pl_ref *ref, pl_kind_info *out, struct pl_err *e);

struct live {
	pl_status status; /* PL_OK, PL_ENOTFOUND, or what went wrong with this one */
	pl_ref ref;	  /* in the arena */
	pl_str tracking;
	pl_node *node; /* in doc; NULL when status is not PL_OK */
	pl_str error;
};

/* out[i] answers refs[i]; nodes are read into doc (plain scalars by YAML11). */
pl_status applier_observe(struct applier *a, const pl_ref *refs, size_t n, struct arena *mem, pl_doc *doc,
			  struct live *out, struct cancel *cancel, int64_t timeout_ms, struct pl_err *e);
/* Cheap marks that change whenever an object does (0: can't tell, 1: absent). All 0 when the plugin has no such
 * operation. */
pl_status applier_fingerprint(struct applier *a, const pl_ref *refs, size_t n, uint64_t *out, struct cancel *cancel,
			      int64_t timeout_ms, struct pl_err *e);
/* All objects with a tracking id (of app, when not empty). */
pl_status applier_scan(struct applier *a, pl_str app, struct arena *mem, pl_doc *doc, struct live **out, size_t *n,
		       struct cancel *cancel, int64_t timeout_ms, struct pl_err *e);
pl_status applier_submit(struct applier *a, const pl_action *actions, size_t n, struct cancel *cancel,
			 int64_t timeout_ms, struct pl_err *e);
/* Results' messages are in mem. */
pl_status applier_complete(struct applier *a, int64_t wait_ms, struct arena *mem, pl_result *out, size_t max, size_t *n,
			   struct pl_err *e);
/* For a thread of its own, with a handle of its own. */
pl_status applier_watch_next(struct applier *a, int64_t wait_ms, struct arena *mem, pl_event *out, size_t max,
			     size_t *n, struct cancel *cancel, struct pl_err *e);

#endif
