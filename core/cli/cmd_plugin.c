/* SPDX-License-Identifier: Apache-2.0 */
/* plugin list, plugin show NAME. */
#include "core/cli/commands.h"

#include "core/base/mem.h"
#include "core/config/config.h"
#include "core/plugin/registry.h"

struct shelf {
	struct registry *registry;
	struct plugin_file_info *v;
	size_t n;
	char *own;
	char **folders;
	size_t n_folders;
};

/* The install's plugins, and the operator's when there is a config. */
static pl_status shelf_open(struct cli *c, struct shelf *s, struct pl_err *e)
{
	char *path = NULL;
	struct err_list errors = {0};
	struct config *config = NULL;
	*s = (struct shelf){.own = registry_own_folder()};
	if (config_find(c->config, &path, e) == PL_OK)
		config = config_read(path, &errors);
	else if (c->config)
		return pl_err_code(e);
	err_clear(e);
	const struct config_root *root = config ? config_get(config) : NULL;
	size_t n = 1 + (root ? root->n_plugin_path : 0);
	const char **folders = arena_array(c->arena, n, sizeof *folders);
	folders[0] = arena_dupz(c->arena, s->own);
	for (size_t i = 1; i < n; i++)
		folders[i] = arena_dup(c->arena, root->plugin_path[i - 1]).p;
	struct registry_config rc = {folders, n, c->worker, &c->log};
	s->registry = registry_new(&rc);
	err_list_free(&errors);
	config_unref(config);
	free(path);
	return registry_list(s->registry, c->arena, &s->v, &s->n, e);
}

static void shelf_close(struct shelf *s)
{
	if (s->registry)
		registry_free(s->registry);
	free(s->own);
}

static pl_node *info_node(struct cli *c, const struct plugin_file_info *p)
{
	pl_node *m = pl_new_map(c->doc);
	pl_sets(c->doc, m, "kind", pl_new_string(c->doc, str_of(kind_name(p->kind))));
	pl_sets(c->doc, m, "name", pl_new_string(c->doc, p->name));
	pl_sets(c->doc, m, "path", pl_new_string(c->doc, p->path));
	if (p->shadowed)
		pl_sets(c->doc, m, "shadowed", pl_new_bool(c->doc, 1));
	return m;
}

static int list(struct cli *c, const struct shelf *s)
{
	static const char *const heads[] = {"KIND", "NAME", "FILE"};
	pl_node *all = pl_new_list(c->doc);
	int st = EXIT_GOOD;
	for (size_t i = 0; i < s->n; i++)
		pl_append(c->doc, all, info_node(c, &s->v[i]));
	if (output_document(c, all, &st))
		return st;
	struct table *t = c->output == OUTPUT_TABLE ? table_new(heads, 3) : NULL;
	for (size_t i = 0; i < s->n; i++) {
		const struct plugin_file_info *p = &s->v[i];
		if (!t) {
			printf("%s/%.*s\n", kind_name(p->kind), F(p->name));
			continue;
		}
		table_cell(t, str_of(kind_name(p->kind)), NULL);
		table_cell(t, p->name, NULL);
		table_cell(t, p->shadowed ? arena_printf(c->arena, "%.*s (shadowed)", F(p->path)) : p->path, NULL);
	}
	if (t)
		table_print(t, c->color, stdout);
	return EXIT_GOOD;
}

/* type, default and description of each option, nested ones by a dotted name. */
static void show_options(struct cli *c, struct table *t, const pl_node *schema, pl_str prefix)
{
	const pl_node *props = pl_gets(schema, "properties"), *required = pl_gets(schema, "required");
	for (size_t i = 0; i < pl_len(props); i++) {
		const pl_node *p = pl_value(props, i), *type = pl_gets(p, "type"), *def = pl_gets(p, "default");
		pl_str key = pl_text(pl_key(props, i));
		pl_str name = prefix.n ? arena_printf(c->arena, "%.*s.%.*s", F(prefix), F(key)) : key;
		bool must = false;
		char *text = NULL;
		size_t len = 0;
		for (size_t k = 0; k < pl_len(required); k++)
			must = must || str_eq(pl_text(pl_item(required, k)), key);
		if (def && pl_json_write(def, 0, &text, &len, NULL) != PL_OK)
			text = NULL;
		table_cell(t, name, NULL);
		table_cell(t, pl_kind(type) == PL_STRING ? pl_text(type) : S("any"), NULL);
		table_cell(t, must ? S("required") : text ? (pl_str){text, len} : S("-"), NULL);
		table_cell(t, pl_text(pl_gets(p, "description")), NULL);
		pl_free(text);
		show_options(c, t, p, name);
	}
}

static int show_one(struct cli *c, struct shelf *s, const struct plugin_file_info *info)
{
	static const char *const heads[] = {"OPTION", "TYPE", "DEFAULT", "MEANING"};
	const struct plugin *p;
	pl_node *schema = NULL, *m = info_node(c, info);
	struct pl_err e = ERR_INIT;
	int st = EXIT_GOOD;
	if (registry_get(s->registry, info->kind, info->name, &p, &e))
		return cli_fail(&e);
	const pl_plugin *t = plugin_table(p);
	if (t->options_schema.n && pl_json_read(c->doc, t->options_schema, "schema", 0, &schema, &e))
		return cli_fail(&e);
	pl_sets(c->doc, m, "version", pl_new_string(c->doc, t->version));
	pl_sets(c->doc, m, "summary", pl_new_string(c->doc, t->summary));
	pl_sets(c->doc, m, "abi",
		pl_new_string(c->doc, arena_printf(c->arena, "%u.%u", t->abi >> 16, t->abi & 0xffff)));
	pl_sets(c->doc, m, "sha256", pl_new_string(c->doc, str_of(plugin_digest(p))));
	pl_sets(c->doc, m, "options", schema ? schema : pl_new_map(c->doc));
	if (output_document(c, m, &st))
		return st;
	printf("Name:     %.*s\nKind:     %s\nVersion:  %.*s\nABI:      %u.%u\nFile:     %.*s\nSHA-256:  %s\n\n%.*s\n",
	       F(info->name), kind_name(info->kind), F(t->version), t->abi >> 16, t->abi & 0xffff, F(info->path),
	       plugin_digest(p), F(t->summary));
	if (pl_len(pl_gets(schema, "properties"))) {
		struct table *table = table_new(heads, 4);
		show_options(c, table, schema, (pl_str){NULL, 0});
		putchar('\n');
		table_print(table, c->color, stdout);
	}
	return EXIT_GOOD;
}

/* NAME, or KIND/NAME where two kinds have the same name. */
static int show(struct cli *c, struct shelf *s)
{
	const char *names[128];
	size_t n_names = 0, found = 0;
	pl_str kind, name, given = str_of(c->args[1]);
	const struct plugin_file_info *hit = NULL;
	if (!str_cut(given, '/', &kind, &name)) {
		name = given;
		kind = (pl_str){NULL, 0};
	}
	for (size_t i = 0; i < s->n; i++) {
		const struct plugin_file_info *p = &s->v[i];
		if (n_names < 128)
			names[n_names++] = arena_dup(c->arena, p->name).p;
		if (p->shadowed || !str_eq(p->name, name) || (kind.n && !str_eqz(kind, kind_name(p->kind))))
			continue;
		hit = p;
		found++;
	}
	if (found == 1)
		return show_one(c, s, hit);
	if (found > 1)
		return cli_usage(c, "'%s' is several kinds; write KIND/NAME", c->args[1]);
	const char *near = str_nearest(name, names, n_names);
	cli_warn("there is no plugin '%s'%s%s%s", c->args[1], near ? " (did you mean '" : "", near ? near : "",
		 near ? "'?)" : "");
	return EXIT_ERROR;
}

int cmd_plugin(struct cli *c)
{
	struct pl_err e = ERR_INIT;
	struct shelf s;
	bool listing = strcmp(c->args[0], "list") == 0;
	if (!listing && strcmp(c->args[0], "show") != 0)
		return cli_usage(c, "there is no 'plugin %s'", c->args[0]);
	if (!listing && c->n_args < 2)
		return cli_usage(c, "name a plugin; 'plumb plugin list' tells what there is");
	int st = shelf_open(c, &s, &e) ? cli_fail(&e) : listing ? list(c, &s) : show(c, &s);
	shelf_close(&s);
	return st;
}
