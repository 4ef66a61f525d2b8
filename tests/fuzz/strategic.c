/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Three lines of JSON: a document, a patch (or what is wanted), and what was applied before. No patch crashes; one that
 * is refused has a reason and leaves the document as it was; patches and originals are never changed; applying the same
 * once more to what came out changes nothing.
 */
#include "core/base/err.h"
#include "core/base/str.h"
#include "plumb/schema.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MERGE "\"x-kubernetes-patch-strategy\":\"merge\""
#define BOX   "{\"$ref\":\"#/definitions/b\"}"
static const char schema[] =
	"{\"definitions\":{\"b\":{\"type\":\"object\",\"properties\":{"
	"\"m\":{\"type\":\"array\",\"items\":" BOX "," MERGE ",\"x-kubernetes-patch-merge-key\":\"k\"},"
	"\"r\":{\"type\":\"array\",\"items\":" BOX ",\"x-kubernetes-patch-strategy\":\"merge,retainKeys\","
	"\"x-kubernetes-patch-merge-key\":\"k\"},"
	"\"p\":{\"type\":\"array\",\"items\":{\"type\":\"string\"}," MERGE "},"
	"\"t\":{\"$ref\":\"#/definitions/b\",\"x-kubernetes-patch-strategy\":\"retainKeys\"},"
	"\"w\":{\"$ref\":\"#/definitions/b\",\"x-kubernetes-patch-strategy\":\"replace\"},"
	"\"o\":" BOX "}}}}";

static pl_node *read(pl_doc *d, pl_str *rest)
{
	pl_str line;
	pl_node *n = NULL;

	str_cut(*rest, '\n', &line, rest);
	return pl_json_read(d, line, "f", 0, &n, NULL) ? NULL : n;
}

static void must_be_same(const pl_node *a, const pl_node *b, const char *what)
{
	if (!pl_equal(a, b))
		BUG("%s was changed", what);
}

/* Both kinds of patch have the same rules for errors. */
static void check(pl_status st, struct pl_err *e, const pl_node *before, const pl_node *copy, const pl_node *after)
{
	must_be_same(before, copy, "the old document");
	if (st && (after != before || pl_err_code(e) == PL_OK || !pl_err_text(e)[0]))
		BUG("refused without a reason, or half done");
	if (!st && pl_kind(after) != PL_MAP)
		BUG("no map came out");
	err_clear(e);
}

static void patch(pl_doc *d, const pl_node *doc, const pl_node *patch, const pl_node *original, pl_type type)
{
	struct pl_err e = ERR_INIT;
	pl_node *before = pl_copy(d, d, doc), *root = before, *again;
	pl_node *kept = pl_copy(d, d, patch), *kept_original = pl_copy(d, d, original);
	pl_status st = pl_patch_strategic(d, &root, d, patch, type, &e);

	check(st, &e, before, doc, root);
	root = before;
	st = pl_patch_three_way(d, &root, d, original, patch, type, &e);
	check(st, &e, before, doc, root);
	must_be_same(patch, kept, "the patch");
	must_be_same(original, kept_original, "the original");
	/* What is live and wanted already needs nothing. */
	again = before;
	st = pl_patch_three_way(d, &again, d, NULL, doc, type, &e);
	check(st, &e, before, doc, again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	pl_limits limits = {.max_depth = 200, .max_nodes = 20000};
	pl_str rest = {(const char *)data, size}, all = S_INIT(schema);
	pl_doc *d = pl_doc_new(&limits), *of_schema = pl_doc_new(NULL);
	pl_types *types = pl_types_new(1);
	pl_node *doc = read(d, &rest), *wanted = read(d, &rest), *original = read(d, &rest), *root;

	if (pl_json_read(of_schema, all, NULL, 0, &root, NULL) || pl_types_add_openapi(types, of_schema, root, NULL))
		BUG("the schema can't be read");
	if (doc && wanted) {
		patch(d, doc, wanted, original, pl_types_named(types, S("b")));
		patch(d, doc, wanted, original, pl_types_kind(types, S(""), S("v1"), S("Pod")));
	}
	pl_types_free(types);
	pl_doc_unref(of_schema);
	pl_doc_unref(d);
	return 0;
}
