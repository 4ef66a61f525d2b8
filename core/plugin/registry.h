/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Plugins by kind and name: KIND/NAME.so below the install's plugin folder, then below the operator's.
 * Nothing is opened until it is used. Thread-safe; loaded plugins stay until the registry goes.
 */
#ifndef PLUGIN_REGISTRY_H
#define PLUGIN_REGISTRY_H

#include "core/base/arena.h"
#include "core/base/err.h"
#include "core/base/log.h"
#include "core/worker/worker.h"
#include "plumb/plugin.h"

struct registry;
struct plugin; /* one loaded plugin */

struct registry_config {
	const char *const *folders; /* searched in order; the first is the install's own */
	size_t n_folders;
	struct worker *worker; /* for PL_NEEDS_PROCESS; may be NULL: such plugins can be looked at, not used */
	const struct log *log;
};

struct registry *registry_new(const struct registry_config *c);
void registry_free(struct registry *r); /* after every handle of its plugins is closed */
/* Where the running program's own plugins lie: beside it in the build tree, else PREFIX/lib/plumb/plugins. malloc'ed.
 */
char *registry_own_folder(void);

const char *kind_name(uint32_t kind); /* "source" … ; folders are named in the plural: plugins/sources */
/* Loads on first use. Each way to be wrong is its own error: PL_ENOTFOUND (with the names there are and the nearest),
 * PL_EPLUGIN. */
pl_status registry_get(struct registry *r, uint32_t kind, pl_str name, const struct plugin **out, struct pl_err *e);
const pl_plugin *plugin_table(const struct plugin *p);
const char *plugin_file(const struct plugin *p);
const char *plugin_digest(const struct plugin *p); /* SHA-256 of the file, hex: part of every render key */

/* What is there, without loading: one entry a file. */
struct plugin_file_info {
	uint32_t kind;
	pl_str name;
	pl_str path;
	bool shadowed; /* an earlier folder has the same kind and name */
};
pl_status registry_list(struct registry *r, struct arena *a, struct plugin_file_info **out, size_t *n,
			struct pl_err *e);

/*
 * Checks options (a node of doc from, or NULL) against the plugin's schema, fills defaults in, makes paths absolute
 * (relative to dir), leaves the key `without` out (may be NULL). Every mistake is told. *json is in a.
 */
pl_status plugin_options(const struct plugin *p, const pl_doc *from, const pl_node *options, const char *dir,
			 const char *without, struct arena *a, pl_str *json, struct err_list *errors);

/* One text for one meaning: keys sorted. In a. */
pl_str plugin_canonical(struct arena *a, pl_str json);
/* For operations from here on; what was opened before keeps what it had. */
void registry_set_worker(struct registry *r, struct worker *w);

/* Jobs of this room for worker_start(); a NULL-terminated table is not needed: *n tells. */
const struct worker_job *plugin_jobs(size_t *n);

#endif
