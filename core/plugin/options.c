/* SPDX-License-Identifier: Apache-2.0 */
#include "core/doc/private.h"
#include "core/doc/schema.h"
#include "core/plugin/private.h"

#define OPTIONS_MAX (1024 * 1024)

/* A plugin without a schema has no options. */
static const char no_options[] = "{\"type\": \"object\", \"properties\": {}, \"additionalProperties\": false}";

static pl_node *read_schema(const struct plugin *p, pl_doc *d, struct err_list *errors)
{
	pl_str text = plugin_table(p)->options_schema;
	pl_node *schema = NULL;
	struct pl_err e = ERR_INIT;
	if (pl_json_read(d, text.n ? text : str_of(no_options), "options_schema", 0, &schema, &e)) {
		pl_err_in(&e, "plugin '%s'", plugin_namez(p));
		err_copy(err_list_add(errors), &e);
	}
	err_clear(&e);
	return schema;
}

/* The key the host keeps for itself need not stand in the schema. */
static void drop_unless_known(pl_doc *d, pl_node *value, const pl_node *schema, const char *key)
{
	if (!key || pl_gets(pl_gets(schema, "properties"), key))
		return;
	(void)pl_remove(d, value, str_of(key));
}

static void check(const struct plugin *p, pl_doc *d, const pl_doc *from, const pl_node *options, const char *dir,
		  const char *without, struct arena *a, pl_str *json, struct err_list *errors)
{
	pl_node *schema = read_schema(p, d, errors);
	if (!schema)
		return;
	pl_node *value = pl_kind(options) > PL_NULL ? pl_copy(d, from, options) : pl_new_map(d);
	struct pl_err *e;
	if (pl_kind(value) != PL_MAP) {
		e = err_list_add(errors);
		pl_err_set(e, PL_EINVAL, from ? pl_at(from, options) : NOWHERE, "the options of %s '%s' must be a map",
			   kind_name(plugin_table(p)->kind), plugin_namez(p));
		return;
	}
	struct pl_err wrong = ERR_INIT;
	size_t before = errors->n + errors->more;
	if (pl_resolve(d, value, PL_SCHEMA_YAML11, &wrong)) {
		err_copy(err_list_add(errors), &wrong);
		err_clear(&wrong);
		return;
	}
	drop_unless_known(d, value, schema, without);
	schema_check(d, schema, value, "option", dir, errors);
	if (errors->n + errors->more > before)
		return;
	if (without)
		(void)pl_remove(d, value, str_of(without)); /* absent is as good */
	struct buf b = BUF_INIT(OPTIONS_MAX);
	if (json_print(value, 0, &b, &wrong))
		err_copy(err_list_add(errors), &wrong);
	else
		*json = arena_dup(a, buf_str(&b));
	err_clear(&wrong);
	buf_free(&b);
}

pl_status plugin_options(const struct plugin *p, const pl_doc *from, const pl_node *options, const char *dir,
			 const char *without, struct arena *a, pl_str *json, struct err_list *errors)
{
	size_t before = errors->n + errors->more;
	pl_doc *d = pl_doc_new(NULL);
	check(p, d, from, options, dir, without, a, json, errors);
	pl_doc_unref(d);
	return errors->n + errors->more > before ? PL_EINVAL : PL_OK;
}

pl_str plugin_canonical(struct arena *a, pl_str json)
{
	pl_doc *d = pl_doc_new(NULL);
	pl_node *n = NULL;
	struct buf b = BUF_INIT(SIZE_MAX);
	pl_str out = json;
	if (!pl_json_read(d, json, NULL, 0, &n, NULL) && !json_print(n, PL_PRINT_SORTED, &b, NULL))
		out = arena_dup(a, buf_str(&b));
	buf_free(&b);
	pl_doc_unref(d);
	return out;
}
