/* SPDX-License-Identifier: Apache-2.0 */
/* A repository through a source plugin, its snapshots, and trees whose reads are traced. */
#ifndef PLUGIN_SOURCE_H
#define PLUGIN_SOURCE_H

#include "core/base/hash.h"
#include "core/plugin/call.h"
#include "core/plugin/registry.h"

/* One repository (plugin + options without revision + cache folder). Thread-safe. Refcounted: snapshots hold it. */
struct source;

struct source_revision {
	pl_status status;
	pl_str id;
	pl_str name;
	pl_str error;
};

/* options: what plugin_options gave. Opens nothing yet; remote operations run in the worker when the plugin asks for
 * it. */
pl_status source_open(struct registry *r, const struct plugin *p, pl_str options, const char *cache,
		      struct source **out, struct pl_err *e);
void source_unref(struct source *s);

pl_status source_resolve(struct source *s, const pl_str *wanted, size_t n, int64_t timeout_ms, struct cancel *cancel,
			 struct arena *a, struct source_revision *out, struct pl_err *e);
pl_status source_fetch(struct source *s, const pl_str *ids, const pl_str *names, size_t n, int64_t timeout_ms,
		       struct cancel *cancel, struct pl_err *e);
pl_status source_describe(struct source *s, pl_str id, struct arena *a, pl_revision_info *out, struct pl_err *e);
bool source_has(struct source *s, pl_str id);

/* One revision's files, shared by all applications of the repository: listings are read once. Thread-safe, refcounted.
 */
struct snapshot;
pl_status snapshot_open(struct source *s, pl_str id, struct snapshot **out, struct pl_err *e);
struct snapshot *snapshot_ref(struct snapshot *s);
void snapshot_unref(struct snapshot *s);
pl_str snapshot_id(const struct snapshot *s);

/*
 * What a render has looked at: paths with content ids, absent paths, listings as digests of names and types. A trace
 * matches a snapshot when every look would see the same there.
 */
struct trace;
struct trace *trace_new(void);
void trace_free(struct trace *t);
size_t trace_len(const struct trace *t);
pl_status trace_matches(const struct trace *t, struct snapshot *s, bool *same, struct pl_err *e);
/* The other trees a render has opened, each once, with the revision that was found; id "": there was none. */
struct trace_remote {
	pl_str plugin, options, revision, id;
};
void trace_note_remote(struct trace *t, const struct trace_remote *r); /* t may be NULL */
const struct trace_remote *trace_remotes(const struct trace *t, size_t *n);
void trace_digest(const struct trace *t, struct hash *h); /* order of looks does not matter */
void trace_pack(const struct trace *t, struct buf *b);
pl_status trace_unpack(pl_str packed, struct trace **out, struct pl_err *e);

/* The tree that plugins see. t may be NULL: nothing is noted. Dies before the snapshot. One thread. */
pl_tree *tree_new(struct snapshot *s, struct trace *t, struct arena *a);
/*
 * A tree over a folder on disk, for `plumb render DIR`; path is absolute. Links may not leave it; "/" has no outside,
 * there absolute links lead where they say. Folders are read only when they are listed.
 */
pl_status snapshot_of_folder(const char *path, struct snapshot **out, struct pl_err *e);

/* For the host's own looks at a tree (is there a kustomization file?): noted like a plugin's. */
pl_status tree_stat(pl_tree *t, pl_str path, pl_entry *out, struct pl_err *e);
pl_status tree_list(pl_tree *t, pl_str path, const pl_entry **out, size_t *n, struct pl_err *e);
pl_status tree_read(pl_tree *t, pl_str path, struct arena *a, pl_str *out, struct pl_err *e);
pl_status tree_readlink(pl_tree *t, pl_str path, struct arena *a, pl_str *out, struct pl_err *e);
/* path without links, the last step's too; noted like a stat of what stands there, not of its content. */
pl_status tree_real(pl_tree *t, pl_str path, pl_str *out, struct pl_err *e);
/*
 * What people call the path: as it is, unless one of these was called. Of a folder on disk that lies at top: as seen
 * from the folder cwd when that is no longer than the absolute path. Of another source's tree: before and behind stand
 * around it. The texts outlive the tree.
 */
pl_str tree_name(pl_tree *t, pl_str path);
void tree_told_from(pl_tree *t, pl_str top, pl_str cwd);
void tree_told_as(pl_tree *t, pl_str before, pl_str behind);

#endif
