/* SPDX-License-Identifier: Apache-2.0 */
/* The reference of all keys, from the tables that read them. */
#include "core/config/table.h"

static const char *shape(const struct cfg_key *k)
{
	if (k->type == CFG_REFUSED)
		return "";
	if (k->type == CFG_MANY)
		return strcmp(k->key, "applications") == 0 ? "list" : "map by name";
	if (k->type == CFG_NODE)
		return strcmp(k->key, "include") == 0 ? "files" : strcmp(k->key, "PLUGIN") == 0 ? "plugin" : "name";
	return table_type_name(k->type);
}

struct walk {
	void (*fn)(void *ctx, const struct config_key *k);
	void *ctx;
};

static void walk(const struct walk *w, const struct cfg_table *t, const char *prefix)
{
	for (size_t i = 0; i < t->n; i++) {
		const struct cfg_key *k = &t->keys[i];
		char path[160];
		struct buf value = BUF_INIT(256);
		snprintf(path, sizeof path, "%s%s", prefix, k->key);
		buf_addz(&value, shape(k));
		for (size_t c = 0; c < sizeof k->choices / sizeof *k->choices && k->choices[c]; c++)
			buf_addf(&value, "%s `%s`", c ? "," : "", k->choices[c]);
		struct config_key out = {.path = path,
					 .shape = value.p ? value.p : "",
					 .def = k->def,
					 .help = k->type == CFG_REFUSED ? "not supported by this version" : k->help,
					 .required = k->flags & CFG_REQUIRED};
		w->fn(w->ctx, &out);
		buf_free(&value);
		if (!k->section)
			continue;
		const char *step = k->type == CFG_SECTION		 ? "."
				   : strcmp(k->key, "applications") == 0 ? "[]."
									 : ".NAME.";
		snprintf(path, sizeof path, "%s%s%s", prefix, k->key, step);
		walk(w, k->section, path);
	}
}

void config_keys(void (*fn)(void *ctx, const struct config_key *k), void *ctx)
{
	struct walk w = {fn, ctx};
	walk(&w, &root_table, "");
}

static void row(void *ctx, const struct config_key *k)
{
	struct buf *b = ctx;
	buf_addf(b, "| `%s` | %s%s| ", k->path, k->shape, k->shape[0] ? " " : "");
	if (k->required)
		buf_addz(b, "required ");
	else if (k->def)
		buf_addf(b, "`%s` ", k->def);
	else if (k->shape[0])
		buf_addz(b, " ");
	buf_addf(b, "| %s |\n", k->help);
}

void config_reference(struct buf *b)
{
	buf_addz(b, "| key | value | default | meaning |\n| --- | --- | --- | --- |\n");
	config_keys(row, b);
}
