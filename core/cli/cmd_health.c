/* SPDX-License-Identifier: Apache-2.0 */
/* health: one object to a verdict, as the engine would judge it. */
#include "core/cli/commands.h"

#include "core/base/file.h"
#include "core/base/mem.h"
#include "core/doc/identity.h"
#include "core/doc/private.h"
#include "core/engine/assess.h"
#include "core/lua/script.h"
#include "core/plugin/registry.h"

enum { FILE_LIMIT = 256 * 1024 * 1024 };

static pl_status read_object(struct cli *c, const char *file, pl_node **out, struct pl_err *e)
{
	struct buf b = BUF_INIT(FILE_LIMIT);
	pl_node **roots;
	size_t n = 0;
	pl_status st = file_read_input(file, &b, e);
	if (!st)
		st = pl_yaml_read(c->doc, buf_str(&b), file, PL_SCHEMA_YAML11, 0, &roots, &n, e);
	buf_free(&b);
	if (st)
		return st;
	if (n != 1 || pl_kind(roots[0]) != PL_MAP)
		return err_set(e, PL_EINVAL, "'%s' must hold one object, not %zu documents", file, n);
	*out = roots[0];
	return PL_OK;
}

static pl_status by_script(struct cli *c, const char *script, const pl_node *object, struct verdict *out,
			   struct pl_err *e)
{
	struct buf json = BUF_INIT(FILE_LIMIT);
	if (!file_exists(script))
		return err_set(e, PL_ENOTFOUND, "there is no script '%s'", script);
	pl_status st = json_print(object, 0, &json, e);
	struct script_case one = {.path = script, .object = buf_str(&json)};
	if (!st)
		st = scripts_judge(c->worker, &one, 1, NULL, NULL, c->arena, e);
	buf_free(&json);
	if (!st)
		*out = (struct verdict){one.out.none ? PL_HEALTH_NONE : one.out.health, one.out.message,
					str_of(script)};
	return st;
}

static pl_status as_engine(struct cli *c, pl_node *object, struct verdict *out, struct pl_err *e)
{
	const char *shipped = client_scripts(c->arena);
	pl_str folders[MANY_MAX + 1];
	size_t n = 0;
	struct assess_item item = {.live = object};
	struct assess_out judged;
	pl_status st = PL_OK;
	if (ref_of(c->doc, object, &item.ref, e)) {
		/* A sketch without metadata can be judged, too: kind and group are what the rules go by. */
		pl_str kind = pl_text(pl_gets(object, "kind"));
		if (!kind.n)
			return pl_err_code(e);
		err_clear(e);
		item.ref = (pl_ref){.kind = kind};
		api_version_cut(pl_text(pl_gets(object, "apiVersion")), &item.ref.group, &item.ref.version);
	}
	for (size_t i = 0; i < c->n_many; i++)
		folders[n++] = str_of(c->many[i]);
	if (shipped && !cli_flag(c, "builtin"))
		folders[n++] = str_of(shipped);
	char *own = registry_own_folder();
	const char *plugin_folders[] = {own};
	struct registry_config rc = {plugin_folders, 1, c->worker, &c->log};
	struct registry *r = registry_new(&rc);
	struct assess_by by = {.scripts = scripts_new(), .worker = c->worker, .folders = folders, .n_folders = n};
	by.plugins = health_plugins_new(r, &c->log);
	st = assess_items(&by, S(""), c->doc, &item, 1, c->arena, &judged, e);
	if (!st)
		*out = judged.items[0];
	health_plugins_free(by.plugins);
	scripts_free(by.scripts);
	registry_free(r);
	free(own);
	return st;
}

int cmd_health(struct cli *c)
{
	struct pl_err e = ERR_INIT;
	pl_node *object = NULL, *m = pl_new_map(c->doc);
	struct verdict v = {0};
	struct buf b = BUF_INIT(FILE_LIMIT);
	const char *script = cli_value(c, "script");
	pl_status st = read_object(c, c->args[0], &object, &e);
	if (!st)
		st = script ? by_script(c, script, object, &v, &e) : as_engine(c, object, &v, &e);
	if (!st) {
		const char *name = health_name(v.health);
		pl_sets(c->doc, m, "status", *name ? pl_new_string(c->doc, str_of(name)) : pl_new_null(c->doc));
		pl_sets(c->doc, m, "message", pl_new_string(c->doc, v.message));
		st = json_print(m, 0, &b, &e);
	}
	if (st)
		return cli_fail(&e);
	printf("%.*s\n", F(buf_str(&b)));
	buf_free(&b);
	return EXIT_GOOD;
}
