/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The directory applier: live state is a folder of files, NAMESPACE/KIND.GROUP/NAME.yaml below the target's path (KIND
 * alone for the core group, _cluster for objects without a namespace). Every step to a file is an openat without
 * following links, so nothing outside the folder is ever read or written.
 */
#ifndef DIRECTORY_H
#define DIRECTORY_H

#include "plumb/plugin.h"

#include <sys/stat.h>

#define S(lit) ((pl_str){(lit), sizeof(lit) - 1})
#define F(s)   (int)(s).n, (s).p ? (s).p : ""

#define CLUSTER	  "_cluster"
#define SUFFIX	  ".yaml"
#define TEMPORARY ".plumb-tmp-"
#define TRACKING  "plumb.dev/tracking-id"
#define OWN_MARK  "plumb.dev/annotations" /* how `annotations` stood when it was there but empty: "empty" or "null" */
/* In what is observed: a Secret that others may read is not as it should be. */
#define MODE_MARK  "plumb.dev/file-mode"
#define OBJECT_MAX (16u * 1024 * 1024)

struct watch;
struct results;

struct directory {
	char *path;
	int root; /* -1: not opened yet, or absent */
	dev_t root_dev;
	ino_t root_ino;
	struct results *results;
	int unsynced; /* a folder whose new entries are not on the disk yet; -1: none */
	int unsynced_error;
	struct watch *watch; /* NULL until the first watch_next */
};

/* ---- util.c ---- */

void *grab(size_t n);				     /* zeroed; out of memory aborts */
char *text_of(const char *fmt, ...) PL_PRINTF(1, 2); /* malloc'ed */
int same(pl_str a, pl_str b);
pl_str give(const pl_host *h, pl_str s); /* a copy that the host owns */
/* Reports e to the host and frees it. */
pl_status fail(const pl_host *h, pl_status st, pl_err *e);
/* "WHAT 'SUBJECT': why errno says". */
pl_status fail_errno(pl_err *e, int error, const char *fmt, ...) PL_PRINTF(3, 4);
pl_status stopped(const pl_host *h); /* PL_OK, PL_ECANCELLED or PL_ETIMEOUT */

/* ---- layout.c ---- */

/* Where an object lies: the three steps to its file. */
struct spot {
	char ns[256], kind[256], file[256];
};

/* PL_EDENIED: the name would leave the folder or can't be a file's. */
pl_status spot_of(const pl_ref *ref, struct spot *out, pl_err *e);
int step_ok(const char *name);
/* The other way; slices point into the arguments. Nonzero when they are names as spot_of makes them. */
int spot_ref(const char *ns, const char *kind, const char *file, pl_ref *out);
int spot_is_folder(const char *ns, const char *kind); /* kind may be NULL: is ns a namespace's folder? */

/* ---- file.c ---- */

/* Makes d->root the folder that stands at d->path now. PL_ENOTFOUND: absent, and create is 0. */
pl_status root_open(struct directory *d, int create, pl_err *e);
/* Is what is open still what stands at the path? A folder that was removed would take writes and lose them. */
int root_same(const struct directory *d);
/* A step down without following links; -1 with errno. */
int step_down(int dir, const char *name);
/* The object's folder. PL_ENOTFOUND: absent, and create is 0. */
pl_status spot_open(struct directory *d, const struct spot *s, int create, int *fd, pl_err *e);
/* All of a regular file. PL_ENOTFOUND: absent. *text is malloc'ed. */
pl_status file_get(const struct directory *d, int dir, const struct spot *s, char **text, size_t *n, struct stat *st,
		   pl_err *e);
/* fresh: PL_EEXIST, without a text, when something stands there. PL_ENOTFOUND: the folder is gone. */
/*
 * Neighbours share the fsync of their folder: what was put is on the disk after folders_sync() only, which gives errno
 * or 0.
 */
int folders_sync(struct directory *d);
pl_status file_put(struct directory *d, int dir, const struct spot *s, pl_str text, mode_t mode, int fresh, pl_err *e);
/* Unlinks the file and the folders that are empty then. */
pl_status file_drop(const struct directory *d, int dir, const struct spot *s, pl_err *e);
void clean_temporaries(int dir); /* those that no running writer holds */

typedef pl_status (*entry_fn)(void *ctx, int dir, const char *name, int is_folder);
/* Each entry of the folder but "." and ".."; nonzero stops and is returned. */
pl_status each_entry(int dir, entry_fn fn, void *ctx);

/* ---- object.c: one file, read ---- */

struct object {
	pl_doc *doc;
	pl_node *node;	 /* without plumb's marks */
	pl_str tracking; /* empty: none */
	struct stat st;
};

/* PL_ENOTFOUND: absent. Other errors name the file and, for damaged YAML, line and column. */
pl_status object_read(struct directory *d, const struct spot *s, struct object *out, pl_err *e);
pl_status object_read_at(const struct directory *d, int dir, const struct spot *s, struct object *out, pl_err *e);
void object_free(struct object *o);
/* The file's text for desired, with the mark. *text is freed by pl_free(). */
pl_status object_print(const pl_doc *doc, const pl_node *desired, pl_str tracking, char **text, size_t *n, pl_err *e);
pl_str tracking_app(pl_str tracking);
mode_t mode_of(const pl_ref *ref);
/* The permissions of the file that its object must not have. */
mode_t mode_excess(const pl_ref *ref, const struct stat *st);

/* ---- observe.c ---- */

pl_status directory_describe(const pl_host *h, void *self, const pl_ref *ref, pl_kind_info *out);
pl_status directory_observe(const pl_host *h, void *self, const pl_ref *refs, size_t n, pl_live *out);
pl_status directory_scan(const pl_host *h, void *self, pl_str app, int32_t (*each)(void *ctx, const pl_live *live));
pl_status directory_fingerprint(const pl_host *h, void *self, const pl_ref *refs, size_t n, uint64_t *out);

/* ---- apply.c ---- */

void results_free(struct results *r);
pl_status directory_submit(const pl_host *h, void *self, const pl_action *actions, size_t n);
pl_status directory_complete(const pl_host *h, void *self, int64_t wait_ms, pl_result *out, size_t max, size_t *n);

/* ---- watch.c ---- */

void watch_free(struct watch *w);
pl_status directory_watch_next(const pl_host *h, void *self, int64_t wait_ms, pl_event *out, size_t max, size_t *n);

#endif
