/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bytes up to the first line end are a JSON Patch, the rest is a document. A refused patch leaves the very same
 * tree; one that was applied gives the same on a copy, within the limits, and what it gave can be written and read.
 */
#include "core/base/err.h"
#include "core/doc/private.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void print(const pl_node *n, struct buf *out)
{
	struct pl_err e = ERR_INIT;

	if (json_print(n, 0, out, &e))
		BUG("can't be written: %s", pl_err_text(&e));
}

static void check_written(const pl_node *root)
{
	struct buf text = BUF_INIT(SIZE_MAX / 4);
	struct pl_err e = ERR_INIT;
	pl_doc *d = pl_doc_new(NULL);
	pl_node *again;

	print(root, &text);
	if (pl_json_read(d, buf_str(&text), "again", PL_READ_BORROW, &again, &e) || !pl_equal(root, again))
		BUG("does not go round: %s", pl_err_text(&e));
	buf_free(&text);
	pl_doc_unref(d);
}

static void patch_twice(pl_doc *d, pl_node *root, const pl_doc *pd, const pl_node *patch)
{
	pl_node *copy = pl_copy(d, d, root), *was = root, *first, *second;
	struct buf before = BUF_INIT(SIZE_MAX / 4), after = before;
	struct pl_err e = ERR_INIT;

	print(root, &before);
	if (pl_patch_json(d, &root, pd, patch, &e)) {
		print(root, &after);
		if (root != was || !str_eq(buf_str(&before), buf_str(&after)))
			BUG("a refused patch has changed the document: %s", pl_err_text(&e));
		if (pl_err_code(&e) == PL_OK)
			BUG("refused without an error");
	} else {
		first = root;
		second = copy;
		if (pl_patch_json(d, &second, pd, patch, NULL) == PL_OK && !pl_equal(first, second))
			BUG("the same patch gives two results");
		check_written(first);
	}
	buf_free(&before);
	buf_free(&after);
	err_clear(&e);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	pl_str all = {(const char *)data, size}, patch_text, text;
	pl_limits limits = {.max_depth = 100, .max_nodes = 20000};
	pl_doc *d = pl_doc_new(&limits), *pd = pl_doc_new(&limits);
	pl_node *root, *patch;

	str_cut(all, '\n', &patch_text, &text);
	if (pl_json_read(pd, patch_text, "patch", 0, &patch, NULL) == PL_OK &&
	    pl_json_read(d, text, "doc", 0, &root, NULL) == PL_OK)
		patch_twice(d, root, pd, patch);
	pl_doc_unref(d);
	pl_doc_unref(pd);
	return 0;
}
