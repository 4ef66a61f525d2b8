/* SPDX-License-Identifier: Apache-2.0 */
/* render: an application's manifests, or those of a folder without any config. */
#include "core/cli/commands.h"

#include "core/base/file.h"
#include "core/cli/render.h"
#include "core/config/config.h"

static int print_folder(struct cli *c, const char *path)
{
	struct pl_err e = ERR_INIT;
	struct nodes out = {0};
	int st = render_folder(c, path, &out, &e) ? cli_fail(&e) : render_write(c, c->doc, out.v, out.n);
	nodes_free(&out);
	return st;
}

static int print_app(struct cli *c, const char *app)
{
	struct pl_err e = ERR_INIT;
	pl_node *q = client_request(c, "render"), *reply;
	if (cli_value(c, "load-restrictor"))
		return cli_usage(c, "--load-restrictor is for folders; an application has it in its render step");
	if (cli_flag(c, "offline"))
		return cli_usage(c, "--offline is for folders");
	if (!cli_worker(c, &e))
		return cli_fail(&e);
	pl_sets(c->doc, q, "app", pl_new_string(c->doc, str_of(app)));
	if (cli_value(c, "revision"))
		pl_sets(c->doc, q, "revision", pl_new_string(c->doc, str_of(cli_value(c, "revision"))));
	if (client_call(c, q, NULL, &reply, &e))
		return cli_fail(&e);
	const pl_node *list = pl_gets(reply, "resources");
	size_t n = pl_len(list);
	pl_node **v = arena_array(c->arena, n, sizeof(pl_node *));
	for (size_t i = 0; i < n; i++)
		v[i] = pl_item(list, i);
	return render_write(c, c->doc, v, n);
}

/* A name without a slash is an application when the config has one, or when nothing is called so; else a folder. */
static bool is_app(struct cli *c, const char *name)
{
	char *path = NULL;
	struct err_list errors = {0};
	if (render_is_remote(name) || strchr(name, '/') || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return false;
	if (!file_exists(name))
		return true;
	if (config_find(c->config, &path, NULL))
		return false;
	struct config *config = config_read(path, &errors);
	bool yes = config && config_app(config, str_of(name));
	config_unref(config);
	err_list_free(&errors);
	free(path);
	return yes;
}

/* As kustomize spells it, or by its short forms; -1: go on, else the exit status. */
static int check_restrictor(struct cli *c)
{
	static const char *const spelled[][2] = {
		{"none", "LoadRestrictionsNone"},
		{"LoadRestrictionsNone", "LoadRestrictionsNone"},
		{"rootOnly", "LoadRestrictionsRootOnly"},
		{"LoadRestrictionsRootOnly", "LoadRestrictionsRootOnly"},
	};
	const char **value = cli_slot(c, "load-restrictor");
	for (size_t i = 0; *value && i < sizeof spelled / sizeof *spelled; i++) {
		if (strcmp(*value, spelled[i][0]) == 0) {
			*value = spelled[i][1];
			return -1;
		}
	}
	return *value ? cli_usage(c,
				  "--load-restrictor takes LoadRestrictionsRootOnly or LoadRestrictionsNone, not '%s'",
				  *value)
		      : -1;
}

int cmd_render(struct cli *c)
{
	int st = render_output(c);
	if (st < 0)
		st = check_restrictor(c);
	if (st >= 0)
		return st;
	const char *what = c->n_args ? c->args[0] : ".";
	if (!c->n_args && !cli_value(c, "renderer") && !render_has_kustomization("."))
		return cli_usage(c, "name an application or a folder (there is no kustomization here)");
	return c->n_args && !cli_value(c, "renderer") && is_app(c, what) ? print_app(c, what) : print_folder(c, what);
}
