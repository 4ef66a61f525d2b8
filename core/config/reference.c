/* SPDX-License-Identifier: Apache-2.0 */
/* The reference of all keys, from the tables that read them. */
#include "core/config/table.h"

static const char *shape(const struct cfg_key *k)
{
	if (k->type == CFG_MANY)
		return strcmp(k->key, "applications") == 0 ? "list" : "map by name";
	if (k->type == CFG_NODE)
		return strcmp(k->key, "include") == 0 ? "files" : strcmp(k->key, "PLUGIN") == 0 ? "plugin" : "name";
	return table_type_name(k->type);
}

static void write_shape(struct buf *b, const struct cfg_key *k)
{
	buf_addz(b, shape(k));
	for (size_t i = 0; i < sizeof k->choices / sizeof *k->choices && k->choices[i]; i++)
		buf_addf(b, "%s `%s`", i ? "," : "", k->choices[i]);
}

static void write_table(struct buf *b, const struct cfg_table *t, const char *prefix)
{
	for (size_t i = 0; i < t->n; i++) {
		const struct cfg_key *k = &t->keys[i];
		char path[160];
		snprintf(path, sizeof path, "%s%s", prefix, k->key);
		if (k->type == CFG_REFUSED) {
			buf_addf(b, "| `%s` | | | not supported by this version |\n", path);
			continue;
		}
		buf_addf(b, "| `%s` | ", path);
		write_shape(b, k);
		if (k->flags & CFG_REQUIRED)
			buf_addz(b, " | required");
		else if (k->def)
			buf_addf(b, " | `%s`", k->def);
		else
			buf_addz(b, " | ");
		buf_addf(b, " | %s |\n", k->help);
		if (!k->section)
			continue;
		const char *step = k->type == CFG_SECTION		 ? "."
				   : strcmp(k->key, "applications") == 0 ? "[]."
									 : ".NAME.";
		snprintf(path, sizeof path, "%s%s%s", prefix, k->key, step);
		write_table(b, k->section, path);
	}
}

void config_reference(struct buf *b)
{
	buf_addz(b, "| key | value | default | meaning |\n| --- | --- | --- | --- |\n");
	write_table(b, &root_table, "");
}
