/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plumb.yaml and the Application document, read by tables. Every mistake is told at once, with its place
 * and the nearest right name. A config is immutable after reading and may be shared by threads.
 */
#ifndef CONFIG_CONFIG_H
#define CONFIG_CONFIG_H

#include "core/base/err.h"
#include "plumb/doc.h"

struct config; /* refcounted */

/* A plugin with its options, as written: {git: {url: …}} or just "yaml". */
struct config_use {
	pl_str plugin;
	const pl_node *options; /* a map, or NULL; its schema is checked when the pipeline is bound */
	pl_place at;
};

struct config_source {
	pl_str name;
	struct config_use use;
	pl_str revision; /* the option "revision", taken out of the options' meaning; empty: the default branch */
	pl_place at;
};

struct config_target {
	pl_str name;
	struct config_use use;
	pl_place at;
};

enum deletion { DELETION_ORPHAN, DELETION_CASCADE };

struct config_sync {
	bool automated, prune, self_heal, allow_empty;
	int64_t timeout_ms;		     /* one sync, health included; default 15m */
	int64_t retry_base_ms, retry_max_ms; /* 5s, 3m */
	int64_t retry_limit;		     /* < 0: without end (the default) */
};

struct config_app {
	pl_str name;
	const struct config_source *source;
	pl_str revision;		 /* its own, else its source's */
	pl_str path;			 /* normalised: no leading or trailing slash, "" is the root */
	const struct config_use *render; /* n_render 0: chosen by what the path holds */
	size_t n_render;
	const struct config_target *target;
	pl_str ns;
	struct config_sync sync;
	const pl_str *health; /* absolute folders of scripts, in order */
	size_t n_health;
	enum deletion deletion;
	bool suspend;
	pl_place at;
};

/* plugins: {NAME: {isolate, sha256, grant}} */
struct config_plugin {
	pl_str name;
	pl_str isolate; /* "", "none", "process" */
	pl_str sha256;
	const pl_str *grant;
	size_t n_grant;
	pl_place at;
};

struct config_root {
	int64_t poll_ms;	   /* default 3m */
	pl_str state_dir;	   /* absolute */
	const pl_str *plugin_path; /* absolute */
	size_t n_plugin_path;
	const pl_str *remote_hosts; /* from which renders may take other trees */
	size_t n_remote_hosts;
	pl_str listen; /* "HOST:PORT"; empty: off */
	const struct config_plugin *plugins;
	size_t n_plugins;
	const struct config_source *sources;
	size_t n_sources;
	const struct config_target *targets;
	size_t n_targets;
	const struct config_app *apps;
	size_t n_apps;
	/* Includes that could not be read, or have a mistake; errors tells why. Their applications are orphaned, not
	 * deleted. */
	const pl_str *broken_includes;
	size_t n_broken_includes;
	pl_str path; /* of the file itself, absolute */
};

/* Reads path and what it includes. *out is NULL when errors has any, unless only includes are broken. */
struct config *config_read(const char *path, struct err_list *errors);
/* For `plumb check`: what is good of a config, also when the main file has mistakes. NULL: nothing is. */
struct config *config_read_parts(const char *path, struct err_list *errors);
/* Puts mistakes that were found later between those of config_read, by file and place. */
void config_sort_errors(const struct config *c, struct err_list *errors);
struct config *config_ref(struct config *c);
void config_unref(struct config *c);
const struct config_root *config_get(const struct config *c);
const pl_doc *config_doc(const struct config *c);			  /* for places of option nodes */
const struct config_app *config_app(const struct config *c, pl_str name); /* NULL: none */

/*
 * Only where path says that the state folder is (absolute, malloc'ed): commands that talk to a running daemon need no
 * more, and work beside a config that is being edited. PL_EINVAL when the file is no YAML map.
 */
pl_status config_state_dir(const char *path, char **dir, struct pl_err *e);

/* -c FILE, else ./plumb.yaml, else /etc/plumb/plumb.yaml. malloc'ed. PL_ENOTFOUND names all that were looked for. */
pl_status config_find(const char *given, char **path, struct pl_err *e);

/* What plumb can't honour and may ignore safely, in Argo CD's documents: "FILE:LINE:COL: TEXT". Live as long as c. */
const pl_str *config_warnings(const struct config *c, size_t *n);

/* The absolute folder of the file that a place of this config is in: what its relative paths are relative to. Lives as
 * long as c. */
const char *config_dir(const struct config *c, pl_place at);

/* A key as people are told of it: "applications[].sync.prune". Texts live as long as the call. */
struct config_key {
	const char *path, *shape, *def, *help; /* def: NULL when there is none; `…` marks what is typed */
	bool required;
};
/* Every key, in the order of the tables that read them. */
void config_keys(void (*fn)(void *ctx, const struct config_key *k), void *ctx);

/* The reference page of all keys, for docs and `plumb help config`: made from the same tables. */
void config_reference(struct buf *b);

#endif
