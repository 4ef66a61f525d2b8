/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a resource: what the field prints for it reads back, and printing that again gives the same. */
#include "core/base/err.h"
#include "plumb/doc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char *print(const pl_node *n, size_t *len)
{
	struct pl_err e = ERR_INIT;
	char *text;

	if (pl_yaml_write(n, PL_PRINT_FIELD, &text, len, &e) && pl_err_code(&e) != PL_EINVAL)
		BUG("not printed: %s", pl_err_text(&e));
	err_clear(&e);
	return text;
}

/* A key "<<" is printed without quotes and so is a merge key to the next reader. */
static bool has_merge_key(pl_str text)
{
	return memmem(text.p, text.n, "<<", 2) != NULL;
}

static void print_again(pl_str text)
{
	pl_doc *d = pl_doc_new(NULL);
	struct pl_err e = ERR_INIT;
	pl_node **roots;
	size_t n, len;
	char *again;

	if (pl_yaml_read(d, text, "again", PL_SCHEMA_KUSTOMIZE, 0, &roots, &n, &e))
		BUG("not readable: %s\n%.*s", pl_err_text(&e), F(text));
	if (n != 1)
		BUG("one document became %zu:\n%.*s", n, F(text));
	again = print(roots[0], &len);
	if (!again || !str_eq(text, (pl_str){again, len}))
		BUG("printed differently the second time:\n%.*s\n%s", F(text), again ? again : "");
	pl_free(again);
	pl_doc_unref(d);
}

static void print_and_form(pl_doc *d, pl_node *n)
{
	size_t len, formed_len;
	char *text = print(n, &len), *formed;
	pl_status st = pl_field_form(d, n, NULL);

	if ((text == NULL) != (st != PL_OK))
		BUG("printed or refused, but not so by pl_field_form(): %d", st);
	if (!text)
		return;
	formed = print(n, &formed_len);
	if (!formed || !str_eq((pl_str){text, len}, (pl_str){formed, formed_len}))
		BUG("printed differently after pl_field_form():\n%s\n%s", text, formed ? formed : "");
	if (!has_merge_key((pl_str){text, len}))
		print_again((pl_str){text, len});
	pl_free(formed);
	pl_free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	pl_limits limits = {.max_depth = 64, .max_nodes = 20000, .max_aliased = 2000};
	pl_doc *d = pl_doc_new(&limits);
	struct pl_err e = ERR_INIT;
	pl_node **roots;
	size_t n;

	if (!pl_yaml_read(d, (pl_str){(const char *)data, size}, "fuzz", PL_SCHEMA_KUSTOMIZE, 0, &roots, &n, &e))
		for (size_t i = 0; i < n; i++)
			print_and_form(d, roots[i]);
	pl_doc_unref(d);
	err_clear(&e);
	return 0;
}
