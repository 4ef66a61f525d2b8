/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bytes up to the first line end are a path, the rest is JSON: looking up must not go wrong in either language. And
 * the pointer that the structural diff tells for a value finds just that value.
 */
#include "core/base/err.h"
#include "core/base/str.h"
#include "plumb/doc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void look_up(const pl_node *root, pl_str path)
{
	struct pl_err e = ERR_INIT;
	pl_node *n;

	if (pl_pointer(root, path, &n, &e) != PL_OK && (n || pl_err_code(&e) == PL_OK))
		BUG("pointer: failed without an error");
	err_clear(&e);
	if (pl_dotted(root, path, &n, &e) != PL_OK && (n || pl_err_code(&e) == PL_OK))
		BUG("path: failed without an error");
	err_clear(&e);
}

static int must_be_found(void *ctx, pl_str path, const pl_node *a, const pl_node *b)
{
	const pl_node *root = ctx;
	pl_node *n;

	(void)b;
	if (pl_pointer(root, path, &n, NULL) || n != a)
		BUG("'%.*s' does not lead back", F(path));
	return 0;
}

/* Against an empty container every child is a difference; against null the whole. */
static void lead_back(pl_doc *d, const pl_node *root)
{
	pl_node *nothing = pl_kind(root) == PL_MAP    ? pl_new_map(d)
			   : pl_kind(root) == PL_LIST ? pl_new_list(d)
						      : pl_new_null(d);
	size_t i;

	pl_diff(root, nothing, must_be_found, (void *)(uintptr_t)root);
	for (i = 0; i < pl_len(root); i++) {
		const pl_node *child = pl_kind(root) == PL_MAP ? pl_value(root, i) : pl_item(root, i);

		pl_diff(child, nothing, must_be_found, (void *)(uintptr_t)child);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char builtin[] =
		"{\"a\":[{\"b/c\":1},[2,{\"~\":null}]],\"\":{\"d.e\":true,\"f\":\"g\"},\"0\":{\"1\":[]}}";
	pl_str all = {(const char *)data, size}, path, text;
	pl_limits limits = {.max_depth = 100, .max_nodes = 20000};
	pl_doc *d = pl_doc_new(&limits);
	pl_node *root;

	str_cut(all, '\n', &path, &text);
	if (pl_json_read(d, text, NULL, 0, &root, NULL) == PL_OK) {
		look_up(root, path);
		lead_back(d, root);
	}
	if (pl_json_read(d, S(builtin), NULL, 0, &root, NULL) == PL_OK)
		look_up(root, path);
	pl_doc_unref(d);
	return 0;
}
