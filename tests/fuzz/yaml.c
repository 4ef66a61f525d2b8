/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes: what can be read can be written, and what was written reads back the same by every schema. */
#include "core/base/err.h"
#include "plumb/doc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const int schemas[] = {PL_SCHEMA_YAML11, PL_SCHEMA_CORE12, PL_SCHEMA_KUSTOMIZE};
static const uint32_t flags[] = {0, PL_PRINT_KEEP_STYLE, PL_PRINT_ASCII | PL_PRINT_SORTED};

static void read_back(const pl_node *n, pl_str text, int schema)
{
	pl_doc *d = pl_doc_new(NULL);
	struct pl_err e = ERR_INIT;
	pl_node **roots;
	size_t count;

	if (pl_yaml_read(d, text, "again", schema, 0, &roots, &count, &e))
		BUG("not readable by schema %d: %s\n%.*s", schema, pl_err_text(&e), F(text));
	if (count != 1 || !pl_equal(n, roots[0]))
		BUG("reads back differently by schema %d:\n%.*s", schema, F(text));
	err_clear(&e);
	pl_doc_unref(d);
}

static void write_and_read_back(const pl_node *n)
{
	struct pl_err e = ERR_INIT;
	pl_str text;
	char *p;

	for (size_t f = 0; f < sizeof(flags) / sizeof(*flags); f++) {
		if (pl_yaml_write(n, flags[f], &p, &text.n, &e)) {
			if (!strstr(pl_err_text(&e), "overflows")) /* only the core schema reads 1e999 as a number */
				BUG("not writable: %s", pl_err_text(&e));
			break;
		}
		text.p = p;
		for (size_t s = 0; s < sizeof(schemas) / sizeof(*schemas); s++)
			read_back(n, text, schemas[s]);
		pl_free(p);
	}
	err_clear(&e);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	pl_limits limits = {.max_depth = 64, .max_nodes = 20000, .max_aliased = 2000};
	pl_str text = {(const char *)data, size};
	struct pl_err e = ERR_INIT;
	pl_node **roots;
	size_t n;

	for (size_t s = 0; s < sizeof(schemas) / sizeof(*schemas); s++) {
		pl_doc *d = pl_doc_new(&limits);

		if (!pl_yaml_read(d, text, "fuzz", schemas[s], 0, &roots, &n, &e))
			for (size_t i = 0; i < n; i++)
				write_and_read_back(roots[i]);
		pl_doc_unref(d);
		err_clear(&e);
	}
	return 0;
}
