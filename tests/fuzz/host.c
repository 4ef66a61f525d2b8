/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fuzz/host.h"

#include "core/base/err.h"
#include "core/base/str.h"
#include "plumb/plugin.h"

#include <dlfcn.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct block {
	struct block *next;
	max_align_t data[];
};

struct text {
	char *p; /* malloc'ed */
	size_t n;
};

struct pl_tree {
	pl_str root; /* the folder of the files that is this tree's root */
};

struct world {
	struct host_file *files;
	size_t n;
	pl_doc *doc;
	struct block *blocks;
	struct text log, reason, out;
};

static void add(struct text *t, pl_str s)
{
	char *p = realloc(t->p, t->n + s.n + 1);
	if (!p)
		abort();
	memcpy(p + t->n, s.n ? s.p : "", s.n);
	t->p = p;
	t->n += s.n;
	p[t->n] = '\0';
}

static void *alloc(void *ctx, size_t n)
{
	struct world *w = ctx;
	struct block *b = calloc(1, sizeof(*b) + n);
	if (!b)
		abort();
	b->next = w->blocks;
	w->blocks = b;
	return b->data;
}

static void say(void *ctx, int32_t level, pl_str message)
{
	struct world *w = ctx;
	(void)level;
	add(&w->log, message);
	add(&w->log, S("\n"));
}

static pl_status refuse(void *ctx, pl_status code, pl_str file, uint32_t line, uint32_t col, pl_str message)
{
	struct world *w = ctx;
	(void)line;
	(void)col;
	add(&w->reason, file);
	add(&w->reason, S(": "));
	add(&w->reason, message);
	return code;
}

static int64_t remaining(void *ctx)
{
	(void)ctx;
	return INT64_MAX;
}

static int32_t never(void *ctx)
{
	(void)ctx;
	return 0;
}

/* ---- the tree: a list of files; a folder is where one of them lies below ---- */

static bool lies_below(pl_str name, pl_str dir)
{
	return !dir.n || (name.n > dir.n && str_starts(name, dir) && name.p[dir.n] == '/');
}

static pl_str step_below(pl_str name, pl_str dir)
{
	size_t from = dir.n ? dir.n + 1 : 0;
	const char *slash = memchr(name.p + from, '/', name.n - from);
	return (pl_str){name.p + from, slash ? (size_t)(slash - name.p) - from : name.n - from};
}

static pl_str in_tree(struct world *w, const pl_tree *t, pl_str path)
{
	if (!t->root.n || !path.n)
		return path.n ? path : t->root;
	char *p = alloc(w, t->root.n + 1 + path.n);
	memcpy(p, t->root.p, t->root.n);
	p[t->root.n] = '/';
	memcpy(p + t->root.n + 1, path.p, path.n);
	return (pl_str){p, t->root.n + 1 + path.n};
}

/* PL_ABSENT, PL_FILE (with *file), PL_DIR */
static uint32_t look(const struct world *w, pl_str path, const struct host_file **file)
{
	uint32_t type = path.n ? PL_ABSENT : PL_DIR;
	for (size_t i = 0; i < w->n; i++) {
		*file = &w->files[i];
		if (str_eq(w->files[i].name, path))
			return PL_FILE;
		if (lies_below(w->files[i].name, path))
			type = PL_DIR;
	}
	return type;
}

static pl_entry entry(uint32_t type, const struct host_file *f, pl_str name)
{
	return (pl_entry){
		.size = sizeof(pl_entry), .type = type, .bytes = type == PL_FILE ? f->text.n : 0, .name = name};
}

static pl_status stat_one(void *ctx, pl_tree *t, pl_str path, pl_entry *out)
{
	const struct host_file *f = NULL;
	uint32_t type = look(ctx, in_tree(ctx, t, path), &f);
	if (type == PL_ABSENT)
		return PL_ENOTFOUND;
	*out = entry(type, f, path);
	return PL_OK;
}

static int by_name(const void *a, const void *b)
{
	const pl_entry *x = a, *y = b;
	return str_cmp(x->name, y->name);
}

static pl_status list_all(void *ctx, pl_tree *t, pl_str path, const pl_entry **out, size_t *n)
{
	struct world *w = ctx;
	const struct host_file *f = NULL;
	pl_entry *v = alloc(w, (w->n + 1) * sizeof(*v));
	size_t found = 0, kept = 0;
	path = in_tree(w, t, path);
	if (look(w, path, &f) != PL_DIR)
		return PL_ENOTFOUND;
	for (size_t i = 0; i < w->n; i++) {
		pl_str name = w->files[i].name;
		if (!lies_below(name, path))
			continue;
		pl_str step = step_below(name, path);
		v[found++] = entry(step.p + step.n == name.p + name.n ? PL_FILE : PL_DIR, &w->files[i], step);
	}
	qsort(v, found, sizeof(*v), by_name);
	for (size_t i = 0; i < found; i++) {
		if (!kept || !str_eq(v[kept - 1].name, v[i].name))
			v[kept++] = v[i];
	}
	*out = v;
	*n = kept;
	return PL_OK;
}

static pl_status read_one(void *ctx, pl_tree *t, pl_str path, pl_str *out)
{
	const struct host_file *f = NULL;
	if (look(ctx, in_tree(ctx, t, path), &f) != PL_FILE)
		return PL_ENOTFOUND;
	*out = f->text;
	return PL_OK;
}

static pl_status read_many(void *ctx, pl_tree *t, const pl_str *paths, size_t n, pl_str *out, pl_status *each)
{
	for (size_t i = 0; i < n; i++)
		each[i] = read_one(ctx, t, paths[i], &out[i]);
	return PL_OK;
}

static pl_status read_link(void *ctx, pl_tree *t, pl_str path, pl_str *out)
{
	(void)ctx;
	(void)t;
	(void)path;
	(void)out;
	return PL_EINVAL;
}

static pl_status real_path(void *ctx, pl_tree *t, pl_str path, pl_str *out)
{
	pl_entry e;
	*out = path;
	return stat_one(ctx, t, path, &e);
}

/* Every repository is the folder "git", every URL of a file the one file in the folder "http". */
static pl_status open_remote(void *ctx, pl_str source, pl_str options, pl_str *id, pl_tree **out)
{
	const struct host_file *f = NULL;
	pl_tree *t = alloc(ctx, sizeof(*t));
	t->root = source;
	*id = options;
	*out = t;
	return look(ctx, source, &f) == PL_DIR ? PL_OK : PL_EUNAVAILABLE;
}

static pl_str name_of(void *ctx, pl_tree *t, pl_str path)
{
	return in_tree(ctx, t, path);
}

static pl_str no_reason(void *ctx)
{
	(void)ctx;
	return S("no reason");
}

static pl_doc *doc_of(void *ctx)
{
	return ((struct world *)ctx)->doc;
}

static pl_status emit_text(void *ctx, pl_str text, pl_str file)
{
	struct world *w = ctx;
	(void)file;
	add(&w->out, text);
	return PL_OK;
}

/* What can't be printed (a number that is none, too many nodes) is the host's to refuse; here it only has to end. */
static pl_status emit_node(void *ctx, pl_node *n)
{
	struct world *w = ctx;
	char *text;
	size_t len;
	if (pl_yaml_write(n, PL_PRINT_FIELD, &text, &len, NULL))
		return PL_OK;
	add(&w->out, S("---\n"));
	add(&w->out, (pl_str){text, len});
	pl_free(text);
	return PL_OK;
}

/* The plugin lies beside the program, as in every build. */
static const pl_renderer_ops *plugin(void)
{
	static const pl_renderer_ops *ops;
	static const char below[] = "../plugins/renderers/kustomize.so";
	char path[PATH_MAX + sizeof(below)];
	if (ops)
		return ops;
	ssize_t n = readlink("/proc/self/exe", path, PATH_MAX);
	while (n > 0 && path[n - 1] != '/')
		n--;
	memcpy(path + (n > 0 ? n : 0), below, sizeof(below));
	void *so = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (!so)
		BUG("%s", dlerror());
	pl_plugin_entry_fn entry_point;
	*(void **)&entry_point = dlsym(so, "pl_plugin_entry");
	const pl_plugin *found = entry_point(PL_ABI);
	if (!found)
		BUG("the plugin declines a host of its own ABI");
	ops = found->renderer;
	return ops;
}

static bool good_name(pl_str name)
{
	pl_str rest = name;
	if (!name.n || name.n > PATH_MAX || name.p[name.n - 1] == '/' || memchr(name.p, '\0', name.n))
		return false;
	while (rest.n) {
		pl_str step = step_below(rest, S(""));
		if (!step.n || str_eq(step, S(".")) || str_eq(step, S("..")))
			return false;
		size_t cut = step.n + (step.n < rest.n);
		rest = (pl_str){rest.p + cut, rest.n - cut};
	}
	return true;
}

static bool in_the_way(const struct world *w, pl_str name)
{
	for (size_t i = 0; i < w->n; i++) {
		pl_str other = w->files[i].name;
		if (str_eq(other, name) || lies_below(other, name) || lies_below(name, other))
			return true;
	}
	return false;
}

static void fill(struct world *w, const struct host_file *files, size_t n)
{
	w->files = alloc(w, (n + 1) * sizeof(*w->files));
	for (size_t i = 0; i < n; i++) {
		if (good_name(files[i].name) && !in_the_way(w, files[i].name))
			w->files[w->n++] = files[i];
	}
}

static char *finish(struct world *w, pl_status st)
{
	add(&w->log, S(""));
	if (st)
		add(&w->log, (pl_str){w->reason.p, w->reason.n});
	else if (w->out.n)
		add(&w->log, (pl_str){w->out.p, w->out.n});
	free(w->reason.p);
	free(w->out.p);
	pl_doc_unref(w->doc);
	for (struct block *b = w->blocks, *next; b; b = next) {
		next = b->next;
		free(b);
	}
	return w->log.p;
}

char *host_kustomize(const struct host_file *files, size_t n, pl_str dir, pl_str options)
{
	const pl_renderer_ops *ops = plugin();
	pl_limits limits = {.max_nodes = 200000, .max_depth = 64};
	struct world w = {.doc = pl_doc_new(&limits)};
	pl_tree tree = {S("")};
	pl_host h = {.size = sizeof(h),
		     .abi = PL_ABI,
		     .ctx = &w,
		     .log = say,
		     .fail = refuse,
		     .remaining_ms = remaining,
		     .cancelled = never,
		     .alloc = alloc,
		     .tree_stat = stat_one,
		     .tree_list = list_all,
		     .tree_read = read_one,
		     .tree_read_many = read_many,
		     .tree_readlink = read_link,
		     .doc = doc_of,
		     .tree_real = real_path,
		     .open_remote = open_remote,
		     .tree_name = name_of,
		     .reason = no_reason};
	pl_render_call call = {.size = sizeof(call),
			       .tree = &tree,
			       .path = dir,
			       .app = S("a"),
			       .doc = w.doc,
			       .emit_node = emit_node,
			       .emit_text = emit_text};
	void *self = NULL;
	fill(&w, files, n);
	if (ops->open(&h, options, &self))
		BUG("the plugin does not open: %s", w.reason.p ? w.reason.p : "without a reason");
	pl_status st = ops->render(&h, self, &call);
	if (st && !w.reason.n)
		BUG("refused without a reason");
	if (!st && w.reason.n)
		BUG("not refused, for a reason: %s", w.reason.p);
	ops->close(self);
	return finish(&w, st);
}
