/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plumb/plugin.h - the plugin ABI.
 *
 * A plugin is a shared object plugins/KIND/NAME.so that exports one symbol, pl_plugin_entry. It may be
 * written in any language that has C structures; it needs no library of plumb's (documents cross as
 * bytes), but may link libplumb and use plumb/doc.h.
 *
 * Rules
 *   Versions   pl_plugin.abi is PL_ABI as compiled. While the major is 0, only an exact match loads. Every
 *              structure starts with its size; nobody reads past the size the other side has given. Fields are
 *              only appended.
 *   Ownership  Who allocates frees. Results that the host reads after an operation come from host->alloc and
 *              live until the host has read them. Everything the host hands in is valid during the call only,
 *              unless its comment says otherwise.
 *   Threads    A handle (self) is used by one thread at a time, unless flags has PL_THREAD_SAFE. The host owns
 *              all threads; plugins don't call the host from threads of their own.
 *   Cancel     Long operations look at host->cancelled at least every 100 ms, or wait on host->cancel_fd too.
 *   Errors     An operation that fails reports once by host->fail and returns the code.
 *   Process    No exit, fork without exec, signal handlers, setlocale, chdir, umask. With PL_NEEDS_PROCESS
 *              the host runs the operations marked REMOTE in a worker process that it can kill.
 */
#ifndef PLUMB_PLUGIN_H
#define PLUMB_PLUGIN_H

#include "doc.h"

#ifdef __cplusplus
extern "C" {
#endif

#define PL_ABI_MAJOR 0u
#define PL_ABI_MINOR 1u
#define PL_ABI	     (PL_ABI_MAJOR << 16 | PL_ABI_MINOR)

/* True when the other side's structure *p has field f. */
#define PL_HAS(p, type, f) ((p)->size >= offsetof(type, f) + sizeof((p)->f))

enum { PL_KIND_SOURCE = 1, PL_KIND_RENDERER = 2, PL_KIND_APPLIER = 3, PL_KIND_HEALTH = 4 };

/* pl_plugin.flags */
enum {
	PL_THREAD_SAFE = 1,   /* one handle may be used by several threads at once */
	PL_NEEDS_PROCESS = 2, /* REMOTE operations always run in a worker process */
	/*
	 * Appliers: nothing acts on the objects of this live side (a folder has no controllers). A status that is not
	 * there is not waited for: such objects are judged by the operator's own scripts only.
	 */
	PL_INERT = 4
};

enum { PL_LOG_DEBUG = 0, PL_LOG_INFO = 1, PL_LOG_WARN = 2, PL_LOG_ERROR = 3 };

/* ---- the tree of a source ---- */

typedef struct pl_tree pl_tree; /* the host's; every read through it is noted */

enum { PL_ABSENT = 0, PL_FILE = 1, PL_DIR = 2, PL_LINK = 3, PL_SUBMODULE = 4 };

typedef struct pl_entry {
	uint32_t size; /* of this structure */
	uint32_t type;
	uint32_t executable;
	uint32_t reserved;
	uint64_t bytes; /* of a file; 0 when it costs a read to know */
	pl_str name;	/* the last step of the path */
	pl_str id;	/* content id: equal ids mean equal content (Git object id, digest) */
} pl_entry;

/* ---- what the host does for a plugin ---- */

typedef struct pl_host {
	uint32_t size;
	uint32_t abi; /* the host's PL_ABI */
	void *ctx;    /* first argument of every function here; valid during the operation */

	void (*log)(void *ctx, int32_t level, pl_str message);
	/* Reports the operation's error. file may be empty (then line and col are not read). Returns code. */
	pl_status (*fail)(void *ctx, pl_status code, pl_str file, uint32_t line, uint32_t col, pl_str message);
	int64_t (*remaining_ms)(void *ctx); /* time left; INT64_MAX: no limit */
	int32_t (*cancelled)(void *ctx);    /* nonzero: stop, return PL_ECANCELLED (or PL_ETIMEOUT past the deadline) */
	int32_t (*cancel_fd)(void *ctx);    /* becomes readable on cancel; -1: none; never read or close it */
	void *(*alloc)(void *ctx, size_t n); /* never NULL; freed by the host after it has read the results */

	/*
	 * A secret by name: "file:PATH" or "env:NAME"; one trailing line end is cut. In memory of the call; the
	 * host wipes it afterwards. PL_EAUTH with a reported error when it can't be had.
	 */
	pl_status (*secret)(void *ctx, pl_str name, pl_str *out);

	/*
	 * The tree. path is relative to its root, with single slashes, no empty, "." or ".." steps ("" is the
	 * root); links inside the tree are followed (the last step too, but for tree_readlink); a link that leaves
	 * the tree is PL_EDENIED. Absent paths are PL_ENOTFOUND and noted like the others. Results live as long
	 * as the operation.
	 */
	pl_status (*tree_stat)(void *ctx, pl_tree *t, pl_str path, pl_entry *out);
	/* sorted by name, bytewise */
	pl_status (*tree_list)(void *ctx, pl_tree *t, pl_str path, const pl_entry **out, size_t *n);
	pl_status (*tree_read)(void *ctx, pl_tree *t, pl_str path, pl_str *out);
	pl_status (*tree_read_many)(void *ctx, pl_tree *t, const pl_str *paths, size_t n, pl_str *out, pl_status *each);
	pl_status (*tree_readlink)(void *ctx, pl_tree *t, pl_str path, pl_str *out);

	/* Documents, for plugins that link libplumb: the operation's own document; dies with it. */
	pl_doc *(*doc)(void *ctx);
	/* A node as JSON, for plugins that don't. */
	pl_status (*node_json)(void *ctx, const pl_node *n, pl_str *out);

	/* path with every link on the way, the last step too, replaced by what it leads to; "" is the root */
	pl_status (*tree_real)(void *ctx, pl_tree *t, pl_str path, pl_str *out);
	/*
	 * Another tree, for renderers: what the source plugin `source` gives for these options (JSON, its own schema,
	 * "revision" among them). Comes from the host's cache when it is there; else it is fetched, unless the host is
	 * offline (PL_EUNAVAILABLE). The host notes the source, its options and the revision found, so that a render is
	 * made again when the other side has moved. *id is the content id. PL_EDENIED: the operator does not allow it.
	 */
	pl_status (*open_remote)(void *ctx, pl_str source, pl_str options, pl_str *id, pl_tree **out);
	/*
	 * What people call this file or folder: for errors and log lines, and as the `file` of places. A folder on disk
	 * is told from where the user stands, a remote tree's with its URL; the application's own as it is. Nothing is
	 * read.
	 */
	pl_str (*tree_name)(void *ctx, pl_tree *t, pl_str path);
	/* What the last of the tree functions (open_remote too) that failed says: for the plugin's own error text. */
	pl_str (*reason)(void *ctx);
} pl_host;

/* ---- source: where desired state comes from ---- */

typedef struct pl_revision {
	uint32_t size;
	pl_status status; /* of this one; PL_ENOTFOUND: no such branch, tag or commit */
	pl_str id;	  /* the content's id: 40 or 64 hex digits */
	pl_str name;	  /* for people: "main@sha1:…" */
	pl_str error;	  /* when status is not PL_OK */
} pl_revision;

typedef struct pl_revision_info {
	uint32_t size;
	uint32_t reserved;
	pl_str author; /* "Name <mail>" */
	pl_str message;
	int64_t time; /* Unix seconds */
} pl_revision_info;

typedef struct pl_source_ops {
	uint32_t size;
	uint32_t reserved;
	/*
	 * options: checked JSON, defaults filled in, without the well-known key "revision", which the host keeps and
	 * hands to resolve. cache: a folder for this repository alone; other processes of the same plumb may use it at
	 * the same time.
	 */
	pl_status (*open)(const pl_host *h, pl_str options, pl_str cache, void **self);
	void (*close)(void *self);
	/* REMOTE. One look at the other side answers all wanted revisions ("": the default branch). Moves no content.
	 */
	pl_status (*resolve)(const pl_host *h, void *self, const pl_str *wanted, size_t n, pl_revision *out);
	/* REMOTE. Brings the content of these revisions (as resolve gave them) into the cache; what is there is free.
	 */
	pl_status (*fetch)(const pl_host *h, void *self, const pl_revision *revisions, size_t n);
	/* LOCAL from here on: only the cache is read. PL_ENOTFOUND: not in the cache. */
	pl_status (*describe)(const pl_host *h, void *self, pl_str id, pl_revision_info *out);
	pl_status (*tree_open)(const pl_host *h, void *self, pl_str id, void **tree);
	void (*tree_close)(void *self, void *tree);
	/*
	 * One folder, no link followed; sorted by name. id: the folder's content id as its parent's listing gave it, or
	 * empty for the root.
	 */
	pl_status (*tree_list)(const pl_host *h, void *self, void *tree, pl_str id, const pl_entry **out, size_t *n);
	/* A file's bytes, or a link's target, by content id. At most max bytes, else PL_ETOOBIG. */
	pl_status (*tree_read)(const pl_host *h, void *self, void *tree, pl_str id, uint64_t max, pl_str *out);
} pl_source_ops;

/* ---- renderer: a tree and options to resources ---- */

typedef struct pl_render_call {
	uint32_t size;
	uint32_t n_resources;
	pl_tree *tree;
	pl_str path;		   /* the application's folder in the tree; "" is the root */
	pl_str app;		   /* its name */
	pl_str app_namespace;	   /* may be empty */
	pl_str revision;	   /* the content id */
	pl_doc *doc;		   /* where resources live; output nodes must be in it (host->doc is the same) */
	pl_node *const *resources; /* what the previous steps made; may be changed and handed on */
	/*
	 * Output, in order, either form. emit_text reads a stream of YAML or JSON documents; `List` kinds are opened by
	 * the host. file names the text in errors.
	 */
	pl_status (*emit_node)(void *ctx, pl_node *resource);
	pl_status (*emit_text)(void *ctx, pl_str text, pl_str file);
} pl_render_call; /* ctx is host->ctx */

typedef struct pl_renderer_ops {
	uint32_t size;
	uint32_t reserved;
	pl_status (*open)(const pl_host *h, pl_str options, void **self);
	void (*close)(void *self);
	pl_status (*render)(const pl_host *h, void *self, const pl_render_call *call);
} pl_renderer_ops;

/* ---- applier: the live side ---- */

typedef struct pl_ref {
	pl_str group; /* "" is the core group */
	pl_str version;
	pl_str kind;
	pl_str ns; /* "" for cluster-scoped kinds */
	pl_str name;
} pl_ref;

typedef struct pl_kind_info {
	uint32_t size;
	uint32_t known;
	uint32_t namespaced;
	uint32_t watchable;
} pl_kind_info;

enum { PL_APPLY = 1, PL_DELETE = 2 };
enum { PL_DRY_RUN = 1 };

typedef struct pl_action {
	uint32_t size;
	uint32_t op;
	uint64_t id; /* the host's, comes back in the result */
	uint32_t flags;
	uint32_t reserved;
	pl_ref ref;
	/* APP:GROUP/KIND:NAMESPACE/NAME. Only objects without one or with one of the same application are touched… */
	pl_str tracking;
	pl_str previous; /* …or of this application, from which it is taken over; usually empty */
	const pl_doc *doc;
	const pl_node *desired; /* PL_APPLY: without plumb's own marks; valid until the result */
} pl_action;

enum { PL_UNCHANGED = 0, PL_CREATED = 1, PL_UPDATED = 2, PL_DELETED = 3 };

typedef struct pl_result {
	uint32_t size;
	pl_status status;
	uint64_t id;
	uint32_t change;
	uint32_t reserved;
	pl_str message; /* for people */
} pl_result;

typedef struct pl_live {
	uint32_t size;
	pl_status status; /* PL_OK, PL_ENOTFOUND, or the error of this one */
	pl_ref ref;
	pl_str tracking; /* its owner's mark; empty: none */
	pl_str text;	 /* the object as YAML or JSON, plumb's own marks taken out; empty when status is not PL_OK */
	pl_str error;
} pl_live;

enum { PL_EVENT_CHANGED = 1, PL_EVENT_OVERFLOW = 2 /* events were lost: look at everything */ };

typedef struct pl_event {
	uint32_t size;
	uint32_t type;
	pl_ref ref;
	pl_str tracking; /* of the object as it is or was; may be empty */
} pl_event;

typedef struct pl_applier_ops {
	uint32_t size;
	uint32_t reserved;
	/* One handle serves all applications of a target; watching uses a second handle on a thread of its own. */
	pl_status (*open)(const pl_host *h, pl_str options, void **self);
	void (*close)(void *self);
	/* Only group, version and kind of ref are read. */
	pl_status (*describe)(const pl_host *h, void *self, const pl_ref *ref, pl_kind_info *out);
	/* out[i] answers refs[i]. */
	pl_status (*observe)(const pl_host *h, void *self, const pl_ref *refs, size_t n, pl_live *out);
	/* Every object that carries a tracking id (of application app, when not empty). each returns nonzero to stop.
	 */
	pl_status (*scan)(const pl_host *h, void *self, pl_str app, int32_t (*each)(void *ctx, const pl_live *live));
	/*
	 * Starts n actions; results come from complete in any order, each once. complete waits up to wait_ms
	 * for at least one; *n is 0 when none came.
	 */
	pl_status (*submit)(const pl_host *h, void *self, const pl_action *actions, size_t n);
	pl_status (*complete)(const pl_host *h, void *self, int64_t wait_ms, pl_result *out, size_t max, size_t *n);
	/* Waits up to wait_ms for changes by anybody (the host's own included). The first call starts the watch. */
	pl_status (*watch_next)(const pl_host *h, void *self, int64_t wait_ms, pl_event *out, size_t max, size_t *n);
	/*
	 * May be NULL. out[i] is a cheap mark of refs[i] that changes whenever the object does, without reading or
	 * parsing it; 0 is "can't tell", 1 is "absent". It spares `observe` on passes in which nothing has changed.
	 */
	pl_status (*fingerprint)(const pl_host *h, void *self, const pl_ref *refs, size_t n, uint64_t *out);
} pl_applier_ops;

/* ---- health: a live object to a verdict ---- */

enum {
	PL_HEALTH_NONE = 0, /* no opinion: the object does not count */
	PL_HEALTHY = 1,
	PL_SUSPENDED = 2,
	PL_PROGRESSING = 3,
	PL_MISSING = 4,
	PL_DEGRADED = 5,
	PL_UNKNOWN = 6
};

typedef struct pl_verdict {
	uint32_t size;
	uint32_t health;
	pl_str message;
} pl_verdict;

typedef struct pl_health_ops {
	uint32_t size;
	uint32_t n_claims;
	const pl_str *claims; /* "GROUP/KIND"; "KIND" for the core group */
	pl_status (*open)(const pl_host *h, pl_str options, void **self);
	void (*close)(void *self);
	pl_status (*assess)(const pl_host *h, void *self, const pl_ref *ref, const pl_doc *doc, const pl_node *live,
			    pl_verdict *out);
} pl_health_ops;

/* ---- the plugin ---- */

typedef struct pl_plugin {
	uint32_t size;
	uint32_t abi; /* PL_ABI */
	uint32_t kind;
	uint32_t flags;
	pl_str name; /* as in the file name */
	pl_str version;
	pl_str summary; /* one line for people */
	/*
	 * JSON Schema (draft 2020-12, the part docs/plugins.md lists) of the options; empty: no options.
	 * "format": "path" marks paths.
	 */
	pl_str options_schema;
	const pl_source_ops *source; /* the one of its kind; the others NULL */
	const pl_renderer_ops *renderer;
	const pl_applier_ops *applier;
	const pl_health_ops *health;
} pl_plugin;

/* NULL declines this host. What it returns is static. */
typedef const pl_plugin *(*pl_plugin_entry_fn)(uint32_t host_abi);
PL_API const pl_plugin *pl_plugin_entry(uint32_t host_abi);

#ifdef __cplusplus
}
#endif
#endif
