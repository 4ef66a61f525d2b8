/* SPDX-License-Identifier: Apache-2.0 */
#include "core/doc/private.h"
#include "core/doc/yaml_read.h"

pl_status yaml_to_json_lines(pl_str text, const char *file, struct buf *out, struct pl_err *e)
{
	pl_doc *d = pl_doc_new(NULL);
	pl_node **roots;
	size_t n;
	pl_status st = pl_yaml_read(d, text, file, PL_SCHEMA_CORE12, YAML_COMPLEX_KEYS, &roots, &n, e);

	for (size_t i = 0; !st && i < n; i++) {
		st = json_print(roots[i], 0, out, e);
		buf_addc(out, '\n');
	}
	pl_doc_unref(d);
	return st;
}
