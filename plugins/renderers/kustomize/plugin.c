/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kustomize renderer: the kustomization in the application's folder, built as `kustomize build` does. What previous
 * render steps have made stands in front of its `resources:`, so that an inflated chart gets its prefix and its
 * patches.
 */
#include "accumulate.h"

static const char schema[] =
	"{\"type\": \"object\", \"additionalProperties\": false, \"properties\": {"
	"\"loadRestrictor\": {\"type\": \"string\", \"enum\": [\"rootOnly\", \"none\", \"LoadRestrictionsRootOnly\", "
	"\"LoadRestrictionsNone\"], \"default\": \"rootOnly\", \"description\": \"none: files may lie outside of the "
	"folder of the kustomization that names them\"},"
	"\"url\": {\"type\": \"string\", \"minLength\": 1, \"description\": \"build this kustomization of another "
	"repository in place of the application's folder: https://HOST/ORG/REPO//PATH?ref=REVISION\"}}}";

static pl_status open_it(const pl_host *h, pl_str text, void **self)
{
	pl_doc *doc = pl_doc_new(NULL);
	pl_err *e = pl_err_new();
	pl_node *root = NULL;
	pl_status st = pl_json_read(doc, text, "options", 0, &root, e);
	if (st) {
		/* In brackets: fail() is a macro where the code is analysed (kustomize.h). */
		(h->fail)(h->ctx, st, S(""), 0, 0, str_of(pl_err_text(e)));
	} else {
		struct options *o = calloc(1, sizeof(*o));
		pl_str url = pl_text(pl_gets(root, "url"));
		char *copy = o ? malloc(url.n + 1) : NULL;
		if (!copy)
			abort();
		if (url.n)
			memcpy(copy, url.p, url.n);
		copy[url.n] = 0;
		o->url = (pl_str){copy, url.n};
		pl_str restrictor = pl_text(pl_gets(root, "loadRestrictor"));
		o->anywhere = str_is(restrictor, "none") || str_is(restrictor, "LoadRestrictionsNone");
		*self = o;
	}
	pl_err_free(e);
	pl_doc_unref(doc);
	return st;
}

static void close_it(void *self)
{
	struct options *o = self;
	free((char *)(uintptr_t)o->url.p);
	free(o);
}

static pl_status take_previous(struct build *b, struct resmap *m)
{
	pl_status st = PL_OK;
	for (uint32_t i = 0; i < b->call->n_resources && !st; i++) {
		struct resource *r;
		st = resource_new(b, b->call->resources[i], &r);
		if (!st)
			st = resmap_append(b, m, r);
		if (st)
			pl_err_in(b->err, "resource %u of the render step before", i + 1);
	}
	return st;
}

static pl_status build(struct build *b)
{
	struct accumulator acc = {.m = resmap_new(b)};
	struct target *top;
	pl_status st = take_previous(b, acc.m);
	if (!st)
		st = target_top(b, &top);
	if (!st)
		st = kustomization_read(b, top, NULL);
	if (!st)
		st = openapi_read(b, top);
	if (st)
		return st;
	top->origin = place_top(b, top);
	st = accumulate_target(b, top, &acc);
	return st ? st : output(b, top, &acc);
}

/* The end of the text before one of these characters, from at on. */
static size_t end_before(pl_str s, size_t at, const char *stops)
{
	while (at < s.n && !strchr(stops, s.p[at]))
		at++;
	return at;
}

/* What a kustomization names may be a URL with a password, or with a token in its query: no error shows them. */
static pl_str without_secrets(struct arena *mem, pl_str s)
{
	struct text out = {.mem = mem};
	for (const char *p; s.n && (p = memmem(s.p, s.n, "://", 3));) {
		size_t from = (size_t)(p + 3 - s.p), end = end_before(s, from, "/?# \n'\"");
		const char *at = memrchr(s.p + from, '@', end - from);
		size_t host = at ? (size_t)(at + 1 - s.p) : from, query = end_before(s, end, "? \n'\"");
		text_add(&out, (pl_str){s.p, from});
		text_add(&out, (pl_str){s.p + host, query - host});
		size_t next = end_before(s, query, " \n'\"");
		s = (pl_str){s.p + next, s.n - next};
	}
	text_add(&out, s);
	return text_str(&out);
}

/* The error's text without its place, which the host puts in front itself. */
static pl_status report(const pl_host *h, struct arena *mem, pl_status st, const pl_err *e)
{
	pl_place at = pl_err_place(e);
	const char *text = pl_err_text(e);
	char place[64];
	if (pl_err_code(e) == PL_OK)
		return st; /* the host has failed, and knows why */
	if (!at.file)
		return (h->fail)(h->ctx, st, S(""), 0, 0, without_secrets(mem, str_of(text)));
	int n = snprintf(place, sizeof(place), ":%u:%u: ", at.line, at.col);
	size_t skip = strlen(at.file) + (size_t)(n > 0 ? n : 0);
	if (strncmp(text, at.file, strlen(at.file)) == 0 && strlen(text) > skip &&
	    strncmp(text + strlen(at.file), place, (size_t)n) == 0)
		text += skip;
	return (h->fail)(h->ctx, st, str_of(at.file), at.line, at.col, without_secrets(mem, str_of(text)));
}

static pl_status render(const pl_host *h, void *self, const pl_render_call *call)
{
	struct build b = {.h = h, .call = call, .doc = call->doc, .options = self};
	pl_status st;
	b.mem = arena_new();
	b.err = pl_err_new();
	st = build(&b);
	if (st)
		st = report(h, b.mem, st, b.err);
	pl_types_free(b.types);
	pl_err_free(b.err);
	arena_free(b.mem);
	return st;
}

static const pl_renderer_ops ops = {.size = sizeof(ops), .open = open_it, .close = close_it, .render = render};

static const pl_plugin plugin = {
	.size = sizeof(plugin),
	.abi = PL_ABI,
	.kind = PL_KIND_RENDERER,
	.flags = PL_THREAD_SAFE,
	.name = {"kustomize", 9},
	.version = {PLUMB_VERSION, sizeof(PLUMB_VERSION) - 1},
	.summary = {"a kustomization, built as kustomize does", 40},
	.options_schema = {schema, sizeof(schema) - 1},
	.renderer = &ops,
};

const pl_plugin *pl_plugin_entry(uint32_t host_abi)
{
	return host_abi >> 16 == PL_ABI_MAJOR ? &plugin : NULL;
}
