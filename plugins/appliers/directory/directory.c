/* SPDX-License-Identifier: Apache-2.0 */
#include "directory.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char schema[] =
	"{\"type\": \"object\", \"additionalProperties\": false, \"required\": [\"path\"], \"properties\": {"
	"\"path\": {\"type\": \"string\", \"format\": \"path\", \"minLength\": 1,"
	" \"description\": \"the folder that is the live side; made when it is absent\"}}}";

static void directory_close(void *self)
{
	struct directory *d = self;
	if (d->root >= 0)
		close(d->root);
	(void)folders_sync(d);
	results_free(d->results);
	watch_free(d->watch);
	free(d->path);
	free(d);
}

/* The folder itself is opened by the first operation: checking a config must touch nothing. */
static pl_status directory_open(const pl_host *h, pl_str options, void **self)
{
	pl_doc *doc = pl_doc_new(NULL);
	pl_err *e = pl_err_new();
	pl_node *root = NULL;
	pl_status st = pl_json_read(doc, options, "options", 0, &root, e);
	pl_str path = pl_text(pl_gets(root, "path"));
	if (!st && (!path.n || memchr(path.p, 0, path.n)))
		st = pl_err_set(e, PL_EINVAL, (pl_place){NULL, 0, 0}, "the option 'path' must name a folder");
	if (st) {
		pl_doc_unref(doc);
		return fail(h, st, e);
	}
	pl_err_free(e);
	struct directory *d = grab(sizeof(*d));
	d->path = text_of("%.*s", F(path));
	for (size_t n = strlen(d->path); n > 1 && d->path[n - 1] == '/'; n--)
		d->path[n - 1] = '\0';
	d->root = -1;
	d->unsynced = -1;
	pl_doc_unref(doc);
	*self = d;
	return PL_OK;
}

static const pl_applier_ops ops = {
	.size = sizeof(ops),
	.open = directory_open,
	.close = directory_close,
	.describe = directory_describe,
	.observe = directory_observe,
	.scan = directory_scan,
	.submit = directory_submit,
	.complete = directory_complete,
	.watch_next = directory_watch_next,
	.fingerprint = directory_fingerprint,
};

#define TEXT(lit)                                                                                                      \
	{                                                                                                              \
		(lit), sizeof(lit) - 1                                                                                 \
	}

static const pl_plugin plugin = {
	.size = sizeof(plugin),
	.abi = PL_ABI,
	.kind = PL_KIND_APPLIER,
	.flags = PL_INERT,
	.name = TEXT("directory"),
	.version = TEXT(PLUMB_VERSION),
	.summary = TEXT("a folder of files as the live side: NAMESPACE/KIND.GROUP/NAME.yaml"),
	.options_schema = TEXT(schema),
	.applier = &ops,
};

const pl_plugin *pl_plugin_entry(uint32_t host_abi)
{
	return host_abi >> 16 == PL_ABI_MAJOR ? &plugin : NULL;
}
