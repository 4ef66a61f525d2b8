/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bytes up to the first line end are a schema in JSON, the rest is a value in YAML. Every mistake has a text and no
 * check crashes; a value that is right stays right when its defaults are filled in.
 */
#include "core/base/str.h"
#include "core/doc/schema.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The C library's regular expressions take any time and memory for "(a{99}){99}" and back references. Schemas come with
 * plugins, which run with the program's rights anyway. */
static bool costly_pattern(const pl_node *n)
{
	for (size_t i = 0; i < pl_len(n); i++) {
		const pl_node *child = pl_kind(n) == PL_MAP ? pl_value(n, i) : pl_item(n, i);
		pl_str text = pl_text(child);

		if (pl_kind(n) == PL_MAP && str_eqz(pl_text(pl_key(n, i)), "pattern") && text.n &&
		    (text.n > 64 || memchr(text.p, '{', text.n) || memchr(text.p, '\\', text.n)))
			return true;
		if (costly_pattern(child))
			return true;
	}
	return false;
}

static size_t check(pl_doc *d, const pl_node *schema, pl_node *value)
{
	struct err_list errors = {0};
	size_t n;

	schema_check(d, schema, value, "option", "/dir", &errors);
	n = errors.n;
	for (size_t i = 0; i < n; i++)
		if (pl_err_code(&errors.v[i]) == PL_OK || !pl_err_text(&errors.v[i])[0])
			BUG("a mistake without a text");
	err_list_free(&errors);
	return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	pl_limits limits = {.max_depth = 64, .max_nodes = 5000, .max_aliased = 1000};
	pl_str all = {(const char *)data, size}, left, right;
	pl_doc *d = pl_doc_new(&limits);
	pl_node *schema, **values;
	size_t n = 0;

	str_cut(all, '\n', &left, &right);
	if (pl_json_read(d, left, "schema", 0, &schema, NULL) == PL_OK && !costly_pattern(schema) &&
	    pl_yaml_read(d, right, "value", PL_SCHEMA_YAML11, 0, &values, &n, NULL) == PL_OK)
		for (size_t i = 0; i < n; i++)
			if (check(d, schema, values[i]) == 0 && check(d, schema, values[i]) != 0)
				BUG("right the first time, wrong the second");
	pl_doc_unref(d);
	return 0;
}
