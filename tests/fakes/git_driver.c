/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Drives a source plugin as the engine does (worker, registry, source), for tests without the engine:
 *
 *   git_driver PLUGINS CACHE TIMEOUT_MS OPTIONS COMMAND ARGUMENT… [-- COMMAND ARGUMENT…]…
 *
 *   resolve REVISION…   fetch ID…   describe ID   ls ID PATH   cat ID PATH   link ID PATH   type ID PATH   has ID
 *   touch FILE          wait FILE   (so that a test can do something between two commands of one process)
 *
 * Each command prints one JSON value on a line of its own; cat prints the bytes. An error is printed as
 * "STATUS: TEXT" on standard error, and the exit status is 1; options that are wrong: 2.
 */
#include "core/base/file.h"
#include "core/base/mem.h"
#include "core/plugin/source.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#define WAIT_MS 60000

struct driver {
	struct worker *worker;
	struct registry *registry;
	struct source *source;
	struct arena *arena;
	int64_t timeout_ms;
	pl_doc *doc;
	struct pl_err e;
};

static pl_status print(struct driver *d, const pl_node *n)
{
	char *text = NULL;
	size_t len = 0;
	pl_status st = pl_json_write(n, 0, &text, &len, &d->e);
	if (!st)
		printf("%.*s\n", (int)len, text);
	pl_free(text);
	return st;
}

static void put(struct driver *d, pl_node *map, const char *key, pl_str value)
{
	(void)pl_sets(d->doc, map, key, pl_new_string(d->doc, value));
}

static void put_int(struct driver *d, pl_node *map, const char *key, int64_t value)
{
	(void)pl_sets(d->doc, map, key, pl_new_int(d->doc, value));
}

static pl_str *strings(struct driver *d, char **argv, size_t n)
{
	pl_str *v = arena_array(d->arena, n + 1, sizeof(*v));
	for (size_t i = 0; i < n; i++)
		v[i] = str_of(argv[i]);
	return v;
}

static pl_status do_resolve(struct driver *d, char **argv, size_t n)
{
	struct source_revision *out = arena_array(d->arena, n + 1, sizeof(*out));
	pl_status st = source_resolve(d->source, strings(d, argv, n), n, d->timeout_ms, NULL, d->arena, out, &d->e);
	if (st)
		return st;
	pl_node *list = pl_new_list(d->doc);
	for (size_t i = 0; i < n; i++) {
		pl_node *one = pl_new_map(d->doc);
		put(d, one, "status", str_of(pl_status_name(out[i].status)));
		put(d, one, "id", out[i].id);
		put(d, one, "name", out[i].name);
		put(d, one, "error", out[i].error);
		(void)pl_append(d->doc, list, one);
	}
	return print(d, list);
}

static pl_status do_fetch(struct driver *d, char **argv, size_t n)
{
	pl_str *names = arena_array(d->arena, n + 1, sizeof(*names));
	pl_status st = source_fetch(d->source, strings(d, argv, n), names, n, d->timeout_ms, NULL, &d->e);
	return st ? st : print(d, pl_new_bool(d->doc, 1));
}

static pl_status do_describe(struct driver *d, char **argv, size_t n)
{
	(void)n;
	pl_revision_info info = {.size = sizeof(info)};
	pl_status st = source_describe(d->source, str_of(argv[0]), d->arena, &info, &d->e);
	if (st)
		return st;
	pl_node *map = pl_new_map(d->doc);
	put(d, map, "author", info.author);
	put(d, map, "message", info.message);
	put_int(d, map, "time", info.time);
	return print(d, map);
}

static pl_status do_has(struct driver *d, char **argv, size_t n)
{
	(void)n;
	return print(d, pl_new_bool(d->doc, source_has(d->source, str_of(argv[0]))));
}

/* ---- through a tree ---- */

static const char *type_name(uint32_t type)
{
	static const char *const names[] = {"absent", "file", "dir", "link", "submodule"};
	return type < sizeof(names) / sizeof(names[0]) ? names[type] : "?";
}

static pl_node *entry(struct driver *d, const pl_entry *v)
{
	pl_node *one = pl_new_map(d->doc);
	put(d, one, "name", v->name);
	put(d, one, "type", str_of(type_name(v->type)));
	put(d, one, "id", v->id);
	(void)pl_sets(d->doc, one, "executable", pl_new_bool(d->doc, (int)v->executable));
	return one;
}

static pl_status tree_ls(struct driver *d, pl_tree *t, pl_str path)
{
	const pl_entry *v = NULL;
	size_t n = 0;
	pl_status st = tree_list(t, path, &v, &n, &d->e);
	if (st)
		return st;
	pl_node *list = pl_new_list(d->doc);
	for (size_t i = 0; i < n; i++)
		(void)pl_append(d->doc, list, entry(d, &v[i]));
	return print(d, list);
}

static pl_status tree_cat(struct driver *d, pl_tree *t, pl_str path)
{
	pl_str bytes = {NULL, 0};
	pl_status st = tree_read(t, path, d->arena, &bytes, &d->e);
	if (!st && fwrite(bytes.p ? bytes.p : "", 1, bytes.n, stdout) != bytes.n)
		st = err_set(&d->e, PL_EIO, "print the file");
	return st;
}

static pl_status tree_link(struct driver *d, pl_tree *t, pl_str path)
{
	pl_str target = {NULL, 0};
	pl_status st = tree_readlink(t, path, d->arena, &target, &d->e);
	return st ? st : print(d, pl_new_string(d->doc, target));
}

static pl_status tree_type(struct driver *d, pl_tree *t, pl_str path)
{
	pl_entry one = {.size = sizeof(one)};
	pl_status st = tree_stat(t, path, &one, &d->e);
	return st ? st : print(d, entry(d, &one));
}

static pl_status in_tree(struct driver *d, char **argv, pl_status (*fn)(struct driver *, pl_tree *, pl_str))
{
	struct snapshot *s = NULL;
	pl_status st = snapshot_open(d->source, str_of(argv[0]), &s, &d->e);
	if (st)
		return st;
	st = fn(d, tree_new(s, NULL, d->arena), str_of(argv[1]));
	snapshot_unref(s);
	return st;
}

static pl_status do_ls(struct driver *d, char **argv, size_t n)
{
	(void)n;
	return in_tree(d, argv, tree_ls);
}

static pl_status do_cat(struct driver *d, char **argv, size_t n)
{
	(void)n;
	return in_tree(d, argv, tree_cat);
}

static pl_status do_link(struct driver *d, char **argv, size_t n)
{
	(void)n;
	return in_tree(d, argv, tree_link);
}

static pl_status do_type(struct driver *d, char **argv, size_t n)
{
	(void)n;
	return in_tree(d, argv, tree_type);
}

/* ---- between commands ---- */

static pl_status do_touch(struct driver *d, char **argv, size_t n)
{
	(void)n;
	return file_write(argv[0], S(""), 0600, &d->e);
}

static pl_status do_wait(struct driver *d, char **argv, size_t n)
{
	(void)n;
	for (int waited = 0; waited < WAIT_MS; waited += 10) {
		if (file_exists(argv[0]))
			return PL_OK;
		poll(NULL, 0, 10);
	}
	return err_set(&d->e, PL_ETIMEOUT, "wait for '%s'", argv[0]);
}

static const struct {
	const char *name;
	size_t least;
	pl_status (*fn)(struct driver *d, char **argv, size_t n);
} commands[] = {
	{"resolve", 1, do_resolve}, {"fetch", 1, do_fetch}, {"describe", 1, do_describe}, {"has", 1, do_has},
	{"ls", 2, do_ls},	    {"cat", 2, do_cat},	    {"link", 2, do_link},	  {"type", 2, do_type},
	{"touch", 1, do_touch},	    {"wait", 1, do_wait},
};

static pl_status run_command(struct driver *d, char **argv, size_t n)
{
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]) && n; i++)
		if (strcmp(commands[i].name, argv[0]) == 0 && n > commands[i].least)
			return commands[i].fn(d, argv + 1, n - 1);
	return err_set(&d->e, PL_EINVAL, "no such command, or too few arguments: '%s'", n ? argv[0] : "");
}

static pl_status run_all(struct driver *d, char **argv, size_t n)
{
	pl_status st = PL_OK;
	for (size_t from = 0; from < n && !st;) {
		size_t to = from;
		while (to < n && strcmp(argv[to], "--") != 0)
			to++;
		st = run_command(d, argv + from, to - from);
		fflush(stdout);
		from = to + 1;
	}
	return st;
}

static pl_status open_source(struct driver *d, const char *options, const char *cache)
{
	const struct plugin *p = NULL;
	pl_node *root = NULL;
	pl_str json = {NULL, 0};
	struct err_list errors = {0};
	pl_status st = registry_get(d->registry, PL_KIND_SOURCE, S("git"), &p, &d->e);
	if (!st)
		st = pl_json_read(d->doc, str_of(options), "options.json", 0, &root, &d->e);
	if (!st)
		st = plugin_options(p, d->doc, root, "/", "revision", d->arena, &json, &errors);
	for (size_t i = 0; i < errors.n; i++)
		err_copy(&d->e, &errors.v[i]);
	err_list_free(&errors);
	return st ? st : source_open(d->registry, p, json, cache, &d->source, &d->e);
}

static int driver(char **argv, size_t n)
{
	struct driver d = {.arena = arena_new(), .doc = pl_doc_new(NULL), .e = ERR_INIT, .timeout_ms = atol(argv[2])};
	const char *folders[] = {argv[0]};
	struct log log = {.fd = STDERR_FILENO, .level = LOG_DEBUG};
	size_t n_jobs;
	const struct worker_job *jobs = plugin_jobs(&n_jobs);
	d.worker = worker_start(jobs, n_jobs, &d.e);
	d.registry = registry_new(
		&(struct registry_config){.folders = folders, .n_folders = 1, .worker = d.worker, .log = &log});
	pl_status st = d.worker ? open_source(&d, argv[3], argv[1]) : PL_EINTERNAL;
	int status = st ? 2 : 0;
	if (!st && run_all(&d, argv + 4, n - 4))
		status = 1;
	if (status)
		fprintf(stderr, "%s: %s\n", pl_status_name(pl_err_code(&d.e)), pl_err_text(&d.e));
	source_unref(d.source);
	registry_free(d.registry);
	worker_stop(d.worker);
	err_clear(&d.e);
	pl_doc_unref(d.doc);
	arena_free(d.arena);
	return status;
}

int main(int argc, char **argv)
{
	if (argc < 6) {
		fprintf(stderr, "usage: git_driver PLUGINS CACHE TIMEOUT_MS OPTIONS COMMAND ARGUMENT…\n");
		return 2;
	}
	return driver(argv + 1, (size_t)argc - 1);
}
