/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of this room share and nobody else sees. */
#ifndef PLUGIN_PRIVATE_H
#define PLUGIN_PRIVATE_H

#include "core/base/hash.h"
#include "core/plugin/call.h"
#include "core/plugin/registry.h"
#include "core/plugin/render.h"
#include "core/plugin/source.h"

#include <stdatomic.h>

#define PLUGIN_OPEN_MS	  (30 * 1000)	       /* for open of a handle */
#define TREE_FILE_MAX	  (256u * 1024 * 1024) /* bytes of one file of a tree; a document's own limit */
#define TREE_LINKS_MAX	  40		       /* symlinks followed for one path, as Linux does */
#define PLUGIN_JOB_REMOTE "source.remote"

/* ---- load.c: one shared object, checked ---- */

/* PL_EPLUGIN, or PL_EUNSUPPORTED for what this plumb can't host; name is what the file's name says. */
pl_status plugin_load(uint32_t kind, pl_str name, const char *file, struct plugin **out, struct pl_err *e);
void plugin_unload(struct plugin *p); /* NULL is allowed */
pl_str plugin_name(const struct plugin *p);
const char *plugin_namez(const struct plugin *p);
const char *kind_folder(uint32_t kind); /* "sources" … ; NULL: no such kind */

struct worker *registry_worker(struct registry *r);
const struct log *registry_log(struct registry *r);

/* ---- call.c ---- */

struct secret {
	struct secret *next;
	char *p;
	size_t n;
};

struct call {
	pl_host host;
	struct arena *arena;
	pl_doc *doc;
	bool own_doc;
	pl_str app;
	const char *plugin; /* for log lines and errors; NULL: unknown */
	const struct log *log;
	struct cancel *cancel;
	int64_t deadline; /* clock_mono_ms; INT64_MAX: none */
	struct pl_err err;
	struct secret *secrets;
	struct pl_err tree_err; /* of the last look at a tree that failed: a plugin may just hand its code on */
	/* of renders: where other trees come from, where they are noted, those open */
	struct registry *registry;
	struct remotes *remotes;
	struct trace *trace;
	struct remote_tree *remote_trees;
	void *sink; /* where the outputs of the running operation go: render.c, applier.c */
};

/* A call of a plugin's operation: call_new with the plugin's name. */
struct call *plugin_call(const struct plugin *p, struct arena *a, const struct log *log, struct cancel *cancel,
			 int64_t timeout_ms);

/* ---- snapshot.c: one revision's folders ---- */

struct listing {
	pl_entry *v; /* by name, bytewise */
	size_t n;
	pl_str path; /* of snapshots over a folder on disk */
};

/* Where a snapshot's folders and files come from. */
struct snapshot_ops {
	/* Entries are copied before a is freed. dir is the listing's path, of snapshots over a folder on disk. */
	pl_status (*list)(struct snapshot *s, pl_str id, pl_str dir, struct arena *a, const pl_entry **out, size_t *n,
			  struct pl_err *e);
	pl_status (*read)(struct snapshot *s, const struct listing *dir, const pl_entry *f, struct arena *a,
			  pl_str *out, struct pl_err *e);
	/*
	 * One entry of the folder dir, without reading the whole folder; type PL_ABSENT: none. May be NULL, then
	 * folders are listed. Snapshots that have it carry paths in their listings.
	 */
	pl_status (*find)(struct snapshot *s, pl_str dir, pl_str name, struct arena *a, pl_entry *out,
			  struct pl_err *e);
	void (*close)(struct snapshot *s);
};

struct snapshot *snapshot_new(const struct snapshot_ops *ops, void *ctx, pl_str id);
void *snapshot_ctx(const struct snapshot *s);
/* dir is where the folder lies; only read when the listing is not there yet. */
pl_status snapshot_list(struct snapshot *s, pl_str id, pl_str dir, const struct listing **out, struct pl_err *e);
/* Of the names and types; hex. l is what snapshot_list gave. */
pl_str snapshot_digest(struct snapshot *s, const struct listing *l);
const pl_entry *listing_find(const struct listing *l, pl_str name);
/* For walks, which ask for single names: a folder that perhaps is not listed, and an entry of it (NULL: absent). */
pl_status snapshot_enter(struct snapshot *s, pl_str id, pl_str dir, const struct listing **out, struct pl_err *e);
pl_status snapshot_find(struct snapshot *s, const struct listing *dir, pl_str name, const pl_entry **out,
			struct pl_err *e);
/* The folder, when it has been entered already and no link leads there; NULL: walk. */
const struct listing *snapshot_entered(struct snapshot *s, pl_str dir);
/* Is its root the root of this machine's file system, so that nothing is outside? */
bool snapshot_is_whole(const struct snapshot *s);
void snapshot_set_whole(struct snapshot *s);
pl_status snapshot_read(struct snapshot *s, const struct listing *dir, const pl_entry *f, struct arena *a, pl_str *out,
			struct pl_err *e);

/* ---- trace.c ---- */

enum look { LOOK_HINT = 1, LOOK_ABSENT, LOOK_TYPE, LOOK_CONTENT, LOOK_LIST };

/* Every path is free of links: a link passed on the way is a look of its own. t may be NULL. */
void trace_note(struct trace *t, enum look look, const pl_entry *found, pl_str path, pl_str id);

/* ---- tree.c, tree_name.c ---- */

struct pl_tree {
	struct snapshot *snapshot;
	struct trace *trace; /* may be NULL */
	struct arena *arena;
	pl_str top, cwd;       /* of a folder on disk: where it lies, where the user stands */
	pl_str before, behind; /* of another source's tree: what stands around the path */
};

/* No leading, trailing or doubled slash, no "." or "..", no NUL; "" is the root. */
bool tree_path_ok(pl_str path);

/* ---- render.c ---- */

/* Reads a stream of YAML or one JSON text; roots are in d. */
pl_status manifests_read(pl_doc *d, pl_str text, const char *file, pl_node ***out, size_t *n, struct pl_err *e);

pl_status render_emit_node(void *ctx, pl_node *n);
pl_status render_emit_text(void *ctx, pl_str text, pl_str file);

/* ---- remotes.c ---- */

/* pl_host.open_remote of the call. */
pl_status remotes_open(struct call *c, pl_str source, pl_str options, pl_str *id, pl_tree **out);
void remotes_close(struct call *c);

/* ---- source.c, remote.c ---- */

enum remote_operation { REMOTE_RESOLVE = 1, REMOTE_FETCH = 2 };

/* Runs one REMOTE operation on an open handle. revisions has n places: ids and names of fetch, results of resolve. */
pl_status source_operate(const struct plugin *p, void *self, struct call *c, enum remote_operation op,
			 const pl_str *wanted, pl_revision *revisions, size_t n, struct pl_err *e);

struct remote_request {
	const struct plugin *plugin;
	pl_str options, cache;
	enum remote_operation op;
	const pl_str *wanted; /* of resolve */
	pl_revision *revisions;
	size_t n;
	int64_t timeout_ms;
	struct cancel *cancel;
	const struct log *log;
};

/* The same in a worker process. Results are in a. */
pl_status remote_call(struct worker *w, const struct remote_request *q, struct arena *a, struct pl_err *e);

#endif
