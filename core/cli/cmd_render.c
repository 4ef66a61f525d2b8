/* SPDX-License-Identifier: Apache-2.0 */
/* render: an application's manifests, or those of a folder without any config. */
#include "core/cli/commands.h"

#include "core/base/file.h"
#include "core/base/mem.h"
#include "core/config/config.h"
#include "core/doc/identity.h"
#include "core/plugin/render.h"

#include <errno.h>

enum { RENDER_TIMEOUT_MS = 60 * 1000 };

/* One object after the other, as kubectl and kustomize print them. */
static int print_manifests(struct cli *c, pl_node *const *v, size_t n)
{
	struct pl_err e = ERR_INIT;
	for (size_t i = 0; i < n; i++) {
		char *text;
		size_t len;
		pl_status st = c->output == OUTPUT_JSON ? pl_json_write(v[i], 0, &text, &len, &e)
							: pl_yaml_write(v[i], PL_PRINT_SORTED, &text, &len, &e);
		if (st)
			return cli_fail(&e);
		if (i && c->output != OUTPUT_JSON)
			fputs("---\n", stdout);
		fwrite(text, 1, len, stdout);
		if (c->output == OUTPUT_JSON)
			putchar('\n');
		pl_free(text);
	}
	return EXIT_GOOD;
}

static int print_names(const pl_doc *d, pl_node *const *v, size_t n)
{
	struct buf b = BUF_INIT(4096);
	struct pl_err e = ERR_INIT;
	int st = EXIT_GOOD;
	for (size_t i = 0; i < n && !st; i++) {
		pl_ref r;
		if (ref_of(d, v[i], &r, &e)) {
			st = cli_fail(&e);
			break;
		}
		buf_clear(&b);
		ref_print_short(&r, true, &b);
		printf("%s\n", b.p);
	}
	buf_free(&b);
	return st;
}

static int print(struct cli *c, const pl_doc *d, pl_node *const *v, size_t n)
{
	return c->output == OUTPUT_NAME ? print_names(d, v, n) : print_manifests(c, v, n);
}

/* ---- a folder ---- */

static bool has_kustomization(struct cli *c, pl_tree *t, pl_str path)
{
	static const char *const names[] = {"kustomization.yaml", "kustomization.yml", "Kustomization"};
	pl_entry entry;
	for (size_t i = 0; i < 3; i++)
		if (tree_stat(t, path.n ? arena_printf(c->arena, "%.*s/%s", F(path), names[i]) : str_of(names[i]),
			      &entry, NULL) == PL_OK &&
		    entry.type == PL_FILE)
			return true;
	return false;
}

/*
 * The tree that a folder is rendered in: the Git work tree it lies in, so that links and bases outside the folder are
 * found as they would be by an application; else the folder itself. *below is the folder in it.
 */
static pl_status find_tree(struct cli *c, const char *path, const char **top, pl_str *below, struct pl_err *e)
{
	char *found = realpath(path, NULL);
	if (!found)
		return err_errno(e, errno, "open the folder '%s'", path);
	pl_str real = arena_dup(c->arena, str_of(found));
	free(found);
	*top = real.p;
	*below = S("");
	for (size_t n = real.n; n > 0; n--) {
		if (n < real.n && real.p[n] != '/')
			continue;
		pl_str at = {real.p, n};
		if (!file_exists(arena_printf(c->arena, "%.*s/.git", F(at)).p))
			continue;
		*top = arena_dup(c->arena, at).p;
		if (n < real.n)
			*below = (pl_str){real.p + n + 1, real.n - n - 1};
		break;
	}
	return PL_OK;
}

static pl_status render_folder(struct cli *c, const char *path, struct nodes *out, struct pl_err *e)
{
	char *own = registry_own_folder();
	const char *folders[] = {own};
	struct registry_config rc = {folders, 1, c->worker, &c->log};
	struct registry *r = registry_new(&rc);
	struct snapshot *snapshot = NULL;
	struct nodes in = {0};
	struct err_list errors = {0};
	struct render_step step = {.doc = c->doc, .app = str_of(path), .options = S("{}")};
	const char *top = NULL;
	pl_status st = find_tree(c, path, &top, &step.path, e);
	if (!st)
		st = snapshot_of_folder(top, &snapshot, e);
	if (!st) {
		step.tree = tree_new(snapshot, NULL, c->arena);
		pl_str name = has_kustomization(c, step.tree, step.path) ? S("kustomize") : S("yaml");
		st = registry_get(r, PL_KIND_RENDERER, name, &step.plugin, e);
	}
	if (!st && plugin_options(step.plugin, NULL, NULL, NULL, NULL, c->arena, &step.options, &errors)) {
		st = PL_EINVAL;
		if (errors.n)
			err_copy(e, &errors.v[0]);
	}
	if (!st)
		st = render_run(r, &step, &in, out, &c->log, NULL, RENDER_TIMEOUT_MS, e);
	err_list_free(&errors);
	snapshot_unref(snapshot);
	registry_free(r);
	free(own);
	return st;
}

static int print_folder(struct cli *c, const char *path)
{
	struct pl_err e = ERR_INIT;
	struct nodes out = {0};
	int st;
	if (render_folder(c, path, &out, &e)) {
		pl_err_in(&e, "render '%s'", path);
		st = cli_fail(&e);
	} else {
		st = print(c, c->doc, out.v, out.n);
	}
	nodes_free(&out);
	return st;
}

/* ---- an application ---- */

static int print_app(struct cli *c, const char *app)
{
	struct pl_err e = ERR_INIT;
	pl_node *q = client_request(c, "render"), *reply;
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
	return print(c, c->doc, v, n);
}

/* A name without a slash is an application when the config has one, else a folder. */
static bool is_app(struct cli *c, const char *name)
{
	char *path = NULL;
	struct err_list errors = {0};
	if (strchr(name, '/') || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return false;
	if (!file_is_dir(name))
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

int cmd_render(struct cli *c)
{
	return is_app(c, c->args[0]) ? print_app(c, c->args[0]) : print_folder(c, c->args[0]);
}
