/* SPDX-License-Identifier: Apache-2.0 */
/* What is known while a config is read. */
#ifndef CONFIG_LOAD_H
#define CONFIG_LOAD_H

#include "core/base/arena.h"
#include "core/config/config.h"

/* One file that was read, or should have been. */
struct file {
	pl_str name;	 /* as in places */
	const char *dir; /* absolute */
	char *real;	 /* absolute, without links: a file is read once; malloc'ed */
	unsigned depth;	 /* includes above it; 0: the main file */
	bool broken;
};

/* plumb.yaml's or an include's top level. */
struct fragment {
	int64_t poll_ms;
	pl_str state_dir, listen;
	const pl_str *plugin_path;
	size_t n_plugin_path;
	const pl_str *remote_hosts;
	size_t n_remote_hosts;
	const pl_node *plugins, *sources, *targets, *applications, *include;
};

/* An application before its names are resolved. */
struct draft {
	struct config_app app;
	struct file *file;
	const pl_node *source, *target; /* texts */
	/* From an Argo CD document instead: the repository, and what the cluster is called. */
	const pl_node *repo_url;
	pl_str destination;
	const pl_node *destination_at;
	bool bad;		   /* what it says was told already */
	bool unresolved;	   /* what it names was told already */
	size_t source_i, target_i; /* once resolved */
};

struct named_source {
	struct config_source source;
	struct file *file;
};

struct named_target {
	struct config_target target;
	struct file *file;
};

struct named_plugin {
	struct config_plugin plugin;
	struct file *file;
};

struct load {
	struct arena *a; /* what the config keeps */
	pl_doc *doc;
	pl_doc *scratch; /* default values, gone after reading */
	struct err_list *errors;
	struct file **files; /* stable pointers */
	size_t n_files, cap_files;
	struct file *file;   /* the one being read: mistakes are its */
	bool lenient;	     /* the main file counts although it has mistakes */
	const pl_str *given; /* the main file's text, when it is not read from disk: then nothing is included */
	uint64_t bytes;	     /* read so far */
	struct fragment main;
	bool main_read; /* its settings: only once */
	struct draft *drafts;
	size_t n_drafts, cap_drafts;
	struct named_source *sources;
	size_t n_sources, cap_sources;
	struct named_target *targets;
	size_t n_targets, cap_targets;
	struct named_plugin *plugins;
	size_t n_plugins, cap_plugins;
	pl_str *warnings;
	size_t n_warnings, cap_warnings;
};

/* A mistake at a node (NULL: of the file as a whole). Returns the error for a hint. */
struct pl_err *mistake(struct load *l, const pl_node *at, const char *fmt, ...) PL_PRINTF(3, 4);
struct pl_err *mistake_code(struct load *l, pl_status code, pl_place at, const char *fmt, ...) PL_PRINTF(4, 5);
void warn(struct load *l, const pl_node *at, const char *fmt, ...) PL_PRINTF(3, 4);
const char *kind_word(const pl_node *n); /* "a list" */

/* values.c: each tells its own mistake and answers false. what: the key, for messages. */
bool value_name(struct load *l, const char *what, const pl_node *n, pl_str *out);
bool value_string(struct load *l, const char *what, const pl_node *n, pl_str *out);
bool value_tree_path(struct load *l, const char *what, const pl_node *n, pl_str *out);
bool value_duration(struct load *l, const char *what, const pl_node *n, int64_t *out);
bool value_int(struct load *l, const char *what, const pl_node *n, int64_t *out);
bool value_bool(struct load *l, const char *what, const pl_node *n, bool *out);
bool value_listen(struct load *l, const char *what, const pl_node *n, pl_str *out);
bool value_file(struct load *l, const char *what, const pl_node *n, pl_str *out); /* absolute; ~ expanded */
bool value_digest(struct load *l, const char *what, const pl_node *n, pl_str *out);
/* {git: {url: …}} or, when bare names are allowed, "yaml". */
bool value_use(struct load *l, const char *what, bool bare, const pl_node *n, struct config_use *out);
bool name_ok(pl_str name); /* DNS-1123 subdomain */

/* parts.c: documents into drafts and named things */
void read_document(struct load *l, const pl_node *root);
void draft_defaults(struct load *l, struct draft *d);
/* config.c: as config_read, of a text in memory; for tests with hostile input */
struct config *config_read_text(pl_str text, const char *name, struct err_list *errors);
/* argocd.c */
void read_argocd(struct load *l, const pl_node *root);
/* files.c */
void read_file(struct load *l, const char *path, unsigned depth, const pl_node *asked);
void read_includes(struct load *l, const pl_node *include);
/* resolve.c: names to things, duplicates, and the arrays of *root */
void resolve(struct load *l, struct config_root *root);

#endif
