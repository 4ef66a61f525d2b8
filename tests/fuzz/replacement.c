/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Replacements (up to a line "===") and resources, built by the kustomize plugin itself from a tree in memory. Whatever
 * they say, the plugin does not crash, what it refuses has a reason, and a second build says the same as the first.
 */
#include "core/base/err.h"
#include "core/base/str.h"
#include "plumb/plugin.h"

#include <dlfcn.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { FILES = 3, BLOCKS = 64 };

struct world {
	pl_str names[FILES], texts[FILES];
	pl_entry entries[FILES];
	pl_doc *doc;
	void *blocks[BLOCKS];
	size_t n_blocks;
	char reason[512];
	char *out; /* malloc'ed */
	size_t len;
};

static void *alloc(void *ctx, size_t n)
{
	struct world *w = ctx;
	void *p = calloc(1, n ? n : 1);
	if (!p || w->n_blocks == BLOCKS)
		abort();
	w->blocks[w->n_blocks++] = p;
	return p;
}

static void say(void *ctx, int32_t level, pl_str message)
{
	(void)ctx;
	(void)level;
	(void)message;
}

static pl_status refuse(void *ctx, pl_status code, pl_str file, uint32_t line, uint32_t col, pl_str message)
{
	struct world *w = ctx;
	size_t n = message.n < sizeof(w->reason) - 1 ? message.n : sizeof(w->reason) - 1;
	(void)file;
	(void)line;
	(void)col;
	memcpy(w->reason, message.p, n);
	w->reason[n] = '\0';
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

static int find(const struct world *w, pl_str path)
{
	for (int i = 0; i < FILES; i++) {
		if (str_eq(w->names[i], path))
			return i;
	}
	return -1;
}

static pl_status stat_one(void *ctx, pl_tree *t, pl_str path, pl_entry *out)
{
	struct world *w = ctx;
	int i = find(w, path);
	(void)t;
	if (path.n && i < 0)
		return PL_ENOTFOUND;
	*out = (pl_entry){.size = sizeof(*out), .type = path.n ? PL_FILE : PL_DIR, .name = path};
	return PL_OK;
}

static pl_status list_all(void *ctx, pl_tree *t, pl_str path, const pl_entry **out, size_t *n)
{
	struct world *w = ctx;
	(void)t;
	if (path.n)
		return PL_ENOTFOUND;
	for (int i = 0; i < FILES; i++)
		w->entries[i] = (pl_entry){.size = sizeof(pl_entry), .type = PL_FILE, .name = w->names[i]};
	*out = w->entries;
	*n = FILES;
	return PL_OK;
}

static pl_status read_one(void *ctx, pl_tree *t, pl_str path, pl_str *out)
{
	struct world *w = ctx;
	int i = find(w, path);
	(void)t;
	if (i < 0)
		return PL_ENOTFOUND;
	*out = w->texts[i];
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

static pl_str name_of(void *ctx, pl_tree *t, pl_str path)
{
	(void)ctx;
	(void)t;
	return path;
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
	char *p = realloc(w->out, w->len + text.n + 1);
	if (!p)
		abort();
	memcpy(p + w->len, text.p, text.n);
	w->out = p;
	w->len += text.n;
	return PL_OK;
}

static pl_status emit_node(void *ctx, pl_node *n)
{
	char *text;
	size_t len;
	if (pl_yaml_write(n, PL_PRINT_FIELD, &text, &len, NULL))
		return PL_OK;
	(void)emit_text(ctx, (pl_str){text, len}, S(""));
	pl_free(text);
	return PL_OK;
}

static const pl_renderer_ops *plugin(void)
{
	static const pl_renderer_ops *ops;
	char path[PATH_MAX + 64];
	if (ops)
		return ops;
	ssize_t n = readlink("/proc/self/exe", path, PATH_MAX);
	while (n > 0 && path[n - 1] != '/')
		n--;
	memcpy(path + (n > 0 ? n : 0), "../plugins/renderers/kustomize.so", 34);
	void *so = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (!so)
		BUG("%s", dlerror());
	const pl_plugin *(*entry)(void);
	*(void **)&entry = dlsym(so, "pl_plugin_entry");
	ops = entry()->renderer;
	return ops;
}

/* What was printed, or why nothing was; malloc'ed. */
static char *build(pl_str replacements, pl_str resources)
{
	const pl_renderer_ops *ops = plugin();
	pl_limits limits = {.max_nodes = 200000, .max_depth = 64};
	struct world w = {
		.names = {S("kustomization.yaml"), S("r.yaml"), S("x.yaml")},
		.texts = {S("resources: [r.yaml]\nreplacements: [{path: x.yaml}]\n"), resources, replacements},
		.doc = pl_doc_new(&limits)};
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
		     .tree_name = name_of,
		     .reason = no_reason};
	pl_render_call call = {
		.size = sizeof(call), .app = S("a"), .doc = w.doc, .emit_node = emit_node, .emit_text = emit_text};
	void *self = NULL;
	if (ops->open(&h, S("{}"), &self))
		BUG("the plugin does not open: %s", w.reason);
	pl_status st = ops->render(&h, self, &call);
	if (st && !w.reason[0])
		BUG("refused without a reason");
	ops->close(self);
	pl_doc_unref(w.doc);
	for (size_t i = 0; i < w.n_blocks; i++)
		free(w.blocks[i]);
	char *out = st ? strdup(w.reason) : strndup(w.out ? w.out : "", w.len);
	free(w.out);
	return out;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data, *cut = size ? memmem(text, size, "\n===\n", 5) : NULL;
	if (!cut)
		return 0;
	pl_str replacements = {text, (size_t)(cut - text) + 1};
	pl_str resources = {cut + 5, size - replacements.n - 4};
	char *one = build(replacements, resources), *two = build(replacements, resources);
	if (strcmp(one, two) != 0)
		BUG("two builds differ");
	free(one);
	free(two);
	return 0;
}
