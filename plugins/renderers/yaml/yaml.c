/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The yaml renderer: every *.yaml, *.yml and *.json file below the application's path, in the byte order of their
 * paths. Hidden files count like others. Links inside the tree are followed, to folders too (a base that environments
 * link to); one that leads back to a folder above itself, or out of the tree, is an error.
 */
#include "glob.h"
#include "plumb/plugin.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define S(lit) ((pl_str){(lit), sizeof(lit) - 1})
#define F(s)   (int)(s).n, (s).p ? (s).p : ""

/* Links to folders can make few files look like any number of them, so what lies behind them has an end. */
enum { BATCH = 64, DEPTH_MAX = 128, LINKED_MAX = 10000 };

struct options {
	pl_doc *doc; /* the texts of the patterns */
	int recurse;
	const pl_node *include, *exclude;
};

struct files {
	pl_str *v;
	size_t n, cap;
};

struct open_folder { /* on the way from the path down to where we are */
	const struct open_folder *above;
	pl_str real; /* its path with links replaced by what they lead to */
	int linked;  /* there is a link on the way */
};

struct work {
	const pl_host *h;
	const pl_render_call *call;
	const struct options *options;
	struct files files;
	size_t linked; /* files and folders seen behind links so far */
};

static const char schema[] =
	"{\"type\": \"object\", \"additionalProperties\": false, \"properties\": {"
	"\"recurse\": {\"type\": \"boolean\", \"default\": true, \"description\": \"read the folders below the path, "
	"too\"},"
	"\"include\": {\"type\": \"array\", \"items\": {\"type\": \"string\", \"minLength\": 1}, \"default\": [],"
	" \"description\": \"only files that match one of these patterns; none: all\"},"
	"\"exclude\": {\"type\": \"array\", \"items\": {\"type\": \"string\", \"minLength\": 1}, \"default\": [],"
	" \"description\": \"leave out files that match one of these patterns\"}}}";

static pl_status fail(const pl_host *h, pl_status code, const char *fmt, ...) PL_PRINTF(3, 4);

static pl_status fail(const pl_host *h, pl_status code, const char *fmt, ...)
{
	char text[4096];
	va_list ap;
	va_start(ap, fmt);
	int n = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	size_t used = n < 0 ? 0 : (size_t)n < sizeof(text) ? (size_t)n : sizeof(text) - 1;
	return h->fail(h->ctx, code, S(""), 0, 0, (pl_str){text, used});
}

/* ---- which files ---- */

static int any_matches(const pl_node *patterns, pl_str path)
{
	for (size_t i = 0; i < pl_len(patterns); i++) {
		if (glob_matches(pl_text(pl_item(patterns, i)), path))
			return 1;
	}
	return 0;
}

static int ends(pl_str s, const char *with)
{
	size_t n = strlen(with);
	return s.n > n && memcmp(s.p + s.n - n, with, n) == 0;
}

/* path is below the application's folder. */
static int wanted(const struct options *o, pl_str path)
{
	if (!ends(path, ".yaml") && !ends(path, ".yml") && !ends(path, ".json"))
		return 0;
	if (pl_len(o->include) && !any_matches(o->include, path))
		return 0;
	return !any_matches(o->exclude, path);
}

static pl_str below(const struct work *w, pl_str path)
{
	size_t skip = w->call->path.n ? w->call->path.n + 1 : 0;
	return (pl_str){path.p + skip, path.n - skip};
}

static void add_file(struct files *l, pl_str path)
{
	if (l->n == l->cap) {
		l->cap = l->cap ? l->cap * 2 : 64;
		l->v = realloc(l->v, l->cap * sizeof(*l->v));
		if (!l->v)
			abort();
	}
	l->v[l->n++] = path;
}

static pl_str join(const pl_host *h, pl_str dir, pl_str name)
{
	size_t slash = dir.n ? 1 : 0, n = dir.n + slash + name.n;
	char *p = h->alloc(h->ctx, n + 1);
	if (dir.n)
		memcpy(p, dir.p, dir.n);
	if (slash)
		p[dir.n] = '/';
	memcpy(p + dir.n + slash, name.p, name.n);
	p[n] = '\0';
	return (pl_str){p, n};
}

static pl_status collect(struct work *w, pl_str dir, pl_str real, const struct open_folder *above, int linked,
			 int depth);

static void warn_of_submodule(const pl_host *h, pl_str path)
{
	char text[1024];
	int n = snprintf(text, sizeof(text),
			 "the submodule '%.*s' is left out: its files are not part of this repository", F(path));
	h->log(h->ctx, PL_LOG_WARN, (pl_str){text, n < (int)sizeof(text) ? (size_t)n : sizeof(text) - 1});
}

/* dir/target by its text, "." and ".." steps done. Links on the way are not looked for: DEPTH_MAX ends what that
 * misses. */
static pl_str lead(const pl_host *h, pl_str dir, pl_str target)
{
	pl_str all = join(h, dir, target);
	char *out = h->alloc(h->ctx, all.n + 1);
	size_t n = 0;
	for (size_t i = 0; i < all.n;) {
		size_t end = i;
		while (end < all.n && all.p[end] != '/')
			end++;
		size_t len = end - i;
		if (len == 2 && memcmp(all.p + i, "..", 2) == 0) {
			while (n && out[n - 1] != '/')
				n--;
			n -= n > 0;
		} else if (len && !(len == 1 && all.p[i] == '.')) {
			if (n)
				out[n++] = '/';
			memcpy(out + n, all.p + i, len);
			n += len;
		}
		i = end + 1;
	}
	return (pl_str){out, n};
}

/* What a link leads to, and where that lies. A dangling one is an error only where a file would have been read. */
static pl_status follow(struct work *w, const struct open_folder *in, pl_str path, pl_entry *target, pl_str *real)
{
	const pl_host *h = w->h;
	pl_str text = {NULL, 0};
	*target = (pl_entry){.size = sizeof(*target)};
	pl_status st = h->tree_stat(h->ctx, w->call->tree, path, target);
	if (!st)
		st = h->tree_readlink(h->ctx, w->call->tree, path, &text);
	if (!st)
		*real = lead(h, in->real, text);
	if (st != PL_ENOTFOUND)
		return st;
	target->type = PL_ABSENT;
	return wanted(w->options, below(w, path)) ? fail(h, st, "the symbolic link '%.*s' points to nothing",
							 F(h->tree_name(h->ctx, w->call->tree, path)))
						  : PL_OK;
}

static int same(pl_str a, pl_str b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static pl_status collect_entry(struct work *w, const struct open_folder *in, pl_str dir, const pl_entry *f, int depth)
{
	const pl_host *h = w->h;
	if (in->linked && ++w->linked > LINKED_MAX)
		return fail(h, PL_ETOOBIG,
			    "symbolic links to folders below the path '%.*s' lead to more than %d files and folders",
			    F(w->call->path), LINKED_MAX);
	pl_str path = join(h, dir, f->name);
	pl_str real = join(h, in->real, f->name);
	pl_entry at = *f;
	pl_status st = f->type == PL_LINK ? follow(w, in, path, &at, &real) : PL_OK;
	if (st)
		return st;
	if (at.type == PL_SUBMODULE)
		warn_of_submodule(h, path);
	if (at.type == PL_FILE && wanted(w->options, below(w, path)))
		add_file(&w->files, path);
	if (at.type != PL_DIR || !w->options->recurse)
		return PL_OK;
	for (const struct open_folder *o = in; o && f->type == PL_LINK; o = o->above)
		if (same(o->real, real))
			return fail(h, PL_EINVAL, "the symbolic link '%.*s' leads back to a folder that it lies in",
				    F(path));
	return collect(w, path, real, in, in->linked || f->type == PL_LINK, depth + 1);
}

static pl_status collect(struct work *w, pl_str dir, pl_str real, const struct open_folder *above, int linked,
			 int depth)
{
	const struct open_folder here = {above, real, linked};
	const pl_entry *v;
	size_t n;
	if (depth > DEPTH_MAX)
		return fail(w->h, PL_ETOOBIG, "'%.*s' lies more than %d folders deep", F(dir), DEPTH_MAX);
	if (w->h->cancelled(w->h->ctx))
		return w->h->remaining_ms(w->h->ctx) ? PL_ECANCELLED : PL_ETIMEOUT;
	pl_status st = w->h->tree_list(w->h->ctx, w->call->tree, dir, &v, &n);
	for (size_t i = 0; i < n && !st; i++)
		st = collect_entry(w, &here, dir, &v[i], depth);
	return st;
}

/* ---- a path that is not there ---- */

static pl_status absent(struct work *w)
{
	const pl_host *h = w->h;
	pl_str path = w->call->path, near = path;
	pl_entry at = {.size = sizeof(at)};
	do {
		const char *slash = near.n ? memrchr(near.p, '/', near.n) : NULL;
		near.n = slash ? (size_t)(slash - near.p) : 0;
	} while (near.n && (h->tree_stat(h->ctx, w->call->tree, near, &at) || at.type != PL_DIR));
	if (!near.n)
		return fail(
			h, PL_ENOTFOUND,
			"the path '%.*s' does not exist in the repository at this revision, nor does any folder of it",
			F(path));
	return fail(h, PL_ENOTFOUND,
		    "the path '%.*s' does not exist in the repository at this revision (the nearest folder is '%.*s')",
		    F(path), F(near));
}

static pl_status find_files(struct work *w)
{
	const pl_host *h = w->h;
	pl_entry at = {.size = sizeof(at)};
	pl_status st = h->tree_stat(h->ctx, w->call->tree, w->call->path, &at);
	if (st == PL_ENOTFOUND)
		return absent(w);
	if (st)
		return st;
	if (at.type == PL_DIR)
		return collect(w, w->call->path, w->call->path, NULL, 0, 0);
	if (at.type != PL_FILE)
		return fail(h, PL_EUNSUPPORTED,
			    "the path '%.*s' is a submodule, whose files are not part of this repository",
			    F(w->call->path));
	add_file(&w->files, w->call->path); /* named on purpose, whatever its name */
	return PL_OK;
}

/* ---- reading ---- */

static int by_bytes(const void *a, const void *b)
{
	const pl_str *x = a, *y = b;
	int c = memcmp(x->p, y->p, x->n < y->n ? x->n : y->n);
	return c ? c : (x->n > y->n) - (x->n < y->n);
}

static pl_status emit_batch(struct work *w, const pl_str *paths, size_t n)
{
	const pl_host *h = w->h;
	pl_str text[BATCH];
	pl_status each[BATCH];
	pl_status st = h->tree_read_many(h->ctx, w->call->tree, paths, n, text, each);
	for (size_t i = 0; i < n && !st; i++) {
		/* The host keeps only the last failure of a batch: look again, so that it tells of this one. */
		st = each[i] ? h->tree_read(h->ctx, w->call->tree, paths[i], &text[i]) : PL_OK;
		st = st ? st : w->call->emit_text(h->ctx, text[i], h->tree_name(h->ctx, w->call->tree, paths[i]));
	}
	return st;
}

static pl_status emit_files(struct work *w)
{
	pl_status st = PL_OK;
	for (size_t i = 0; i < w->files.n && !st; i += BATCH) {
		size_t left = w->files.n - i;
		st = emit_batch(w, w->files.v + i, left < BATCH ? left : BATCH);
	}
	return st;
}

static pl_status yaml_render(const pl_host *h, void *self, const pl_render_call *call)
{
	struct work w = {.h = h, .call = call, .options = self};
	pl_status st = PL_OK;
	for (uint32_t i = 0; i < call->n_resources && !st; i++)
		st = call->emit_node(h->ctx, call->resources[i]);
	st = st ? st : find_files(&w);
	if (!st && w.files.n) {
		qsort(w.files.v, w.files.n, sizeof(*w.files.v), by_bytes);
		st = emit_files(&w);
	}
	free(w.files.v);
	return st;
}

/* ---- the handle ---- */

static void yaml_close(void *self)
{
	struct options *o = self;
	pl_doc_unref(o->doc);
	free(o);
}

static pl_status yaml_open(const pl_host *h, pl_str options, void **self)
{
	struct options *o = calloc(1, sizeof(*o));
	if (!o)
		abort();
	o->doc = pl_doc_new(NULL);
	pl_node *root = NULL;
	pl_err *e = pl_err_new();
	pl_status st = pl_json_read(o->doc, options, "options", 0, &root, e);
	if (st)
		st = fail(h, st, "%s", pl_err_text(e));
	pl_err_free(e);
	if (st) {
		yaml_close(o);
		return st;
	}
	const pl_node *recurse = pl_gets(root, "recurse");
	o->recurse = recurse ? pl_bool(recurse) : 1;
	o->include = pl_gets(root, "include");
	o->exclude = pl_gets(root, "exclude");
	*self = o;
	return PL_OK;
}

static const pl_renderer_ops ops = {
	.size = sizeof(ops),
	.open = yaml_open,
	.close = yaml_close,
	.render = yaml_render,
};

static const pl_plugin plugin = {
	.size = sizeof(plugin),
	.abi = PL_ABI,
	.kind = PL_KIND_RENDERER,
	.flags = PL_THREAD_SAFE,
	.name = {"yaml", 4},
	.version = {PLUMB_VERSION, sizeof(PLUMB_VERSION) - 1},
	.summary = {"plain manifests: every YAML and JSON file below the path", 56},
	.options_schema = {schema, sizeof(schema) - 1},
	.renderer = &ops,
};

const pl_plugin *pl_plugin_entry(uint32_t host_abi)
{
	return host_abi >> 16 == PL_ABI_MAJOR ? &plugin : NULL;
}
