/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bytes up to the first line end are a JSON Merge Patch, the rest is a document. The result is what the few lines
 * of RFC 7396 give, and merging again changes nothing.
 */
#include "core/base/err.h"
#include "plumb/doc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* As the RFC has it, by the toolkit's plain calls. The limits keep the recursion short. */
static pl_node *expected(pl_doc *d, pl_node *target, const pl_doc *pd, const pl_node *patch)
{
	size_t i;

	if (pl_kind(patch) != PL_MAP)
		return pl_copy(d, pd, patch);
	if (pl_kind(target) != PL_MAP)
		target = pl_new_map(d);
	for (i = 0; i < pl_len(patch); i++) {
		pl_str key = pl_text(pl_key(patch, i));
		const pl_node *value = pl_value(patch, i);

		if (pl_kind(value) == PL_NULL)
			(void)pl_remove(d, target, key);
		else
			pl_set(d, target, key, expected(d, pl_get(target, key), pd, value));
	}
	return target;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	pl_str all = {(const char *)data, size}, patch_text, text;
	pl_limits limits = {.max_depth = 100, .max_nodes = 20000};
	pl_doc *d = pl_doc_new(&limits), *pd = pl_doc_new(&limits);
	pl_node *root, *patch, *want;

	str_cut(all, '\n', &patch_text, &text);
	if (pl_json_read(pd, patch_text, "patch", 0, &patch, NULL) == PL_OK &&
	    pl_json_read(d, text, "doc", 0, &root, NULL) == PL_OK) {
		want = expected(d, pl_copy(d, d, root), pd, patch);
		if (pl_patch_merge(d, &root, pd, patch, NULL) || !pl_equal(root, want))
			BUG("not what the RFC gives");
		if (pl_patch_merge(d, &root, pd, patch, NULL) || !pl_equal(root, want))
			BUG("a second merge changes something");
	}
	pl_doc_unref(d);
	pl_doc_unref(pd);
	return 0;
}
