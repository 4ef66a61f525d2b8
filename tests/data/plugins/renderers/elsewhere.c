/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A renderer of another source's file: {"source": …, "options": JSON, "file": PATH}. It opens the tree twice and fails
 * when the second is another. Errors are the host's reasons; the file's name is what people call it.
 */
#include "plumb/plugin.h"

#include <stdlib.h>

struct self {
	pl_doc *doc;
	pl_node *root;
};

static pl_status open_options(const pl_host *h, pl_str options, void **self)
{
	struct self *s = calloc(1, sizeof(*s));
	(void)h;
	s->doc = pl_doc_new(NULL);
	*self = s;
	return pl_json_read(s->doc, options, "options", 0, &s->root, NULL);
}

static void close_options(void *self)
{
	struct self *s = self;
	pl_doc_unref(s->doc);
	free(s);
}

static pl_status failed(const pl_host *h, pl_status st)
{
	return h->fail(h->ctx, st, (pl_str){NULL, 0}, 0, 0, h->reason(h->ctx));
}

static pl_status render_elsewhere(const pl_host *h, void *self, const pl_render_call *call)
{
	const struct self *s = self;
	pl_str source = pl_text(pl_gets(s->root, "source")), options = pl_text(pl_gets(s->root, "options"));
	pl_str file = pl_text(pl_gets(s->root, "file")), text, id[2];
	pl_tree *t[2];
	for (int i = 0; i < 2; i++) {
		pl_status st = h->open_remote(h->ctx, source, options, &id[i], &t[i]);
		if (st)
			return failed(h, st);
	}
	if (t[0] != t[1] || id[0].p != id[1].p)
		return PL_EPLUGIN;
	pl_status st = h->tree_read(h->ctx, t[0], file, &text);
	return st ? failed(h, st) : call->emit_text(h->ctx, text, h->tree_name(h->ctx, t[0], file));
}

static const pl_renderer_ops elsewhere_ops = {
	.size = sizeof(elsewhere_ops), .open = open_options, .close = close_options, .render = render_elsewhere};

static const char schema[] = "{\"type\": \"object\", \"properties\": {\"source\": {\"type\": \"string\"}, "
			     "\"options\": {\"type\": \"string\"}, \"file\": {\"type\": \"string\"}}}";

static const pl_plugin elsewhere = {
	.size = sizeof(pl_plugin),
	.abi = PL_ABI,
	.kind = PL_KIND_RENDERER,
	.name = {"elsewhere", 9},
	.version = {"1", 1},
	.options_schema = {schema, sizeof(schema) - 1},
	.renderer = &elsewhere_ops,
};

const pl_plugin *pl_plugin_entry(uint32_t host_abi)
{
	return host_abi == PL_ABI ? &elsewhere : NULL;
}
