/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any YAML as an OpenAPI document and as a CustomResourceDefinition: it is added or refused with an error; whatever was
 * added can be walked, and nothing in it points back into the document.
 */
#include "core/base/err.h"
#include "plumb/schema.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { DEEP = 12, WIDE = 8, STEPS = 20000 };

static void check_said(pl_type t)
{
	pl_str keys[WIDE];
	size_t i, n = pl_type_map_keys(t, keys, WIDE), bytes = pl_type_merge_key(t).n + pl_type_list_type(t).n;

	for (i = 0; i < n && i < WIDE; i++)
		bytes += keys[i].n + (keys[i].n ? (size_t)(keys[i].p[0] != 0) : 0);
	if (pl_type_strategy(t) > (PL_PATCH_MERGE | PL_PATCH_REPLACE | PL_PATCH_RETAIN_KEYS) || bytes > SIZE_MAX / 2)
		BUG("what no schema can say");
}

static void walk(pl_type t, size_t depth, size_t *steps)
{
	pl_str names[WIDE];
	size_t i, n;

	if (!pl_type_known(t) || depth == 0 || ++*steps > STEPS)
		return;
	check_said(t);
	n = pl_type_fields(t, names, WIDE);
	for (i = 0; i < n && i < WIDE; i++) {
		if (i > 0 && str_cmp(names[i - 1], names[i]) >= 0)
			BUG("fields are not sorted");
		walk(pl_type_field(t, names[i]), depth - 1, steps);
	}
	walk(pl_type_field(t, S("no such field")), depth - 1, steps);
	walk(pl_type_items(t), depth - 1, steps);
}

static void add(pl_str text, int builtin)
{
	pl_limits limits = {.max_depth = 300, .max_nodes = 20000};
	pl_doc *d = pl_doc_new(&limits), *names = pl_doc_new(NULL);
	pl_types *t = pl_types_new(builtin);
	struct pl_err e = ERR_INIT;
	const pl_node *known;
	pl_node **roots;
	size_t i, j, n = 0, steps = 0;

	if (pl_yaml_read(d, text, "types", PL_SCHEMA_CORE12, 0, &roots, &n, NULL))
		n = 0;
	known = n ? pl_copy(names, d, pl_gets(roots[0], "definitions")) : NULL;
	for (i = 0; i < n; i++) {
		if (pl_types_add_openapi(t, d, roots[i], &e) && pl_err_code(&e) == PL_OK)
			BUG("refused without an error");
		if (pl_types_add_crd(t, d, roots[i], &e) && pl_err_code(&e) == PL_OK)
			BUG("refused without an error");
	}
	pl_doc_unref(d);
	for (j = 0; j < pl_len(known) && j < WIDE; j++)
		walk(pl_types_named(t, pl_text(pl_key(known, j))), DEEP, &steps);
	walk(pl_types_kind(t, S("g"), S("v1"), S("K")), DEEP, &steps);
	(void)pl_types_scope(t, S("g"), S("v1"), S("K"));
	pl_doc_unref(names);
	pl_types_free(t);
	err_clear(&e);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	pl_str text = {(const char *)data, size};

	add(text, 0);
	add(text, 1);
	return 0;
}
