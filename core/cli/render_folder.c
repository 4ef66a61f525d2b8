/* SPDX-License-Identifier: Apache-2.0 */
/* A folder without any config: as kustomize builds it, or by the renderer that --renderer names. */
#include "core/cli/render.h"

#include "core/base/file.h"
#include "core/base/mem.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

enum { RENDER_TIMEOUT_MS = 10 * 60 * 1000 }; /* remote trees are fetched within it */

/* What one folder's rendering needs, freed at its end. */
struct job {
	struct cli *c;
	struct registry *registry;
	struct snapshot *snapshot;
	struct render_step step;
	pl_str cwd;
	bool remote; /* the path is a URL, which the kustomize plugin understands */
};

bool render_has_kustomization(const char *folder)
{
	static const char *const names[] = {"kustomization.yaml", "kustomization.yml", "Kustomization"};
	bool found = false;
	for (size_t i = 0; i < sizeof names / sizeof *names && !found; i++) {
		struct stat st;
		char *path = path_join(folder, names[i]);
		found = stat(path, &st) == 0 && S_ISREG(st.st_mode);
		free(path);
	}
	return found;
}

bool render_is_remote(const char *name)
{
	static const char *const starts[] = {"git::", "gh:", "git@", "github.com/", "github.com:"};
	bool yes = strstr(name, "://") != NULL;
	for (size_t i = 0; i < sizeof starts / sizeof *starts && !yes; i++)
		yes = strncmp(name, starts[i], strlen(starts[i])) == 0;
	return yes && !file_exists(name);
}

/* A URL as it may be shown: what stands for a user and behind "?" may be a secret. */
static const char *shown(struct cli *c, const char *url)
{
	const char *host = strstr(url, "://"), *query = strchr(url, '?');
	if (!host)
		return url;
	host += 3;
	size_t n = query ? (size_t)(query - url) : strlen(url), authority = (size_t)(host - url) + strcspn(host, "/?#");
	const char *at = memrchr(host, '@', authority - (size_t)(host - url));
	return at ? arena_printf(c->arena, "%.*s%.*s", (int)(host - url), url, (int)(url + n - at - 1), at + 1).p
		  : arena_printf(c->arena, "%.*s", (int)n, url).p;
}

static pl_status real_path(struct cli *c, const char *path, pl_str *out, struct pl_err *e)
{
	char *real = realpath(path, NULL);
	if (!real)
		return err_errno(e, errno, "open the folder '%s'", path);
	*out = arena_dup(c->arena, str_of(real));
	free(real);
	return file_is_dir(out->p) ? PL_OK : err_set(e, PL_EINVAL, "'%s' is not a folder", path);
}

/*
 * The tree for plain manifests: the Git work tree the folder lies in, so that links are found as they would be by an
 * application; else the folder itself. Links lead nowhere else. *below is the folder in it.
 */
static pl_str work_tree(struct cli *c, pl_str real, pl_str *below)
{
	*below = S("");
	for (size_t n = real.n; n > 0; n--) {
		if (n < real.n && real.p[n] != '/')
			continue;
		pl_str at = {real.p, n};
		if (!file_exists(arena_printf(c->arena, "%.*s/.git", F(at)).p))
			continue;
		if (n < real.n)
			*below = (pl_str){real.p + n + 1, real.n - n - 1};
		return arena_dup(c->arena, at);
	}
	return real;
}

/* Kustomizations name what lies anywhere (`../../base`) and have rules of their own for it: they get the whole disk. */
static pl_status open_tree(struct job *j, const char *path, bool kustomize, struct pl_err *e)
{
	pl_str real = S("/"), top = S("/");
	pl_status st = j->remote ? PL_OK : real_path(j->c, path, &real, e);
	if (st)
		return st;
	if (kustomize) /* of a URL: the root, in which nothing is looked for */
		j->step.path = (pl_str){real.p + 1, real.n - 1};
	else
		top = work_tree(j->c, real, &j->step.path);
	st = snapshot_of_folder(top.p, &j->snapshot, e);
	if (st)
		return st;
	j->step.tree = tree_new(j->snapshot, NULL, j->c->arena);
	tree_told_from(j->step.tree, top, j->cwd);
	return PL_OK;
}

static const char *renderer(struct cli *c)
{
	const char *name = cli_value(c, "renderer");
	return name ? name : "kustomize";
}

/* A folder of plain manifests is not printed because a name was mistyped: as with kustomize, that is an error. */
static pl_status must_hold_kustomization(const char *path, struct pl_err *e)
{
	if (!file_is_dir(path) || render_has_kustomization(path))
		return PL_OK; /* of what is no folder open_tree() tells */
	err_set(e, PL_ENOTFOUND, "there is no kustomization.yaml, kustomization.yml or Kustomization");
	pl_err_hint(e, "for plain manifests: plumb render --renderer yaml %s", path);
	return PL_ENOTFOUND;
}

static void set_option(struct cli *c, pl_node *options, const char *key, const char *value)
{
	if (value)
		pl_sets(c->doc, options, key, pl_new_string(c->doc, str_of(value)));
}

static pl_status choose_plugin(struct job *j, const char *path, bool kustomize, struct pl_err *e)
{
	struct err_list errors = {0};
	pl_node *options = NULL;
	pl_status st = registry_get(j->registry, PL_KIND_RENDERER, str_of(renderer(j->c)), &j->step.plugin, e);
	if (st)
		return st;
	if (kustomize) {
		options = pl_new_map(j->c->doc);
		set_option(j->c, options, "loadRestrictor", cli_value(j->c, "load-restrictor"));
		set_option(j->c, options, "url", j->remote ? path : NULL);
	}
	st = plugin_options(j->step.plugin, j->c->doc, options, NULL, NULL, j->c->arena, &j->step.options, &errors);
	if (st && errors.n && e)
		err_copy(e, &errors.v[0]);
	err_list_free(&errors);
	return st;
}

pl_status render_folder(struct cli *c, const char *path, struct nodes *out, struct pl_err *e)
{
	bool remote = render_is_remote(path), kustomize = strcmp(renderer(c), "kustomize") == 0;
	char *own = registry_own_folder(), *cwd = getcwd(NULL, 0);
	const char *folders[] = {own};
	struct registry_config rc = {folders, 1, NULL, &c->log};
	struct job j = {.c = c, .registry = registry_new(&rc), .cwd = str_of(cwd), .remote = remote};
	struct nodes in = {0};
	j.step.doc = c->doc;
	const char *name = remote ? shown(c, path) : path;
	j.step.app = str_of(name);
	j.step.remotes = render_remotes_new(c, j.registry, cli_flag(c, "offline"));
	pl_status st = kustomize && !remote ? must_hold_kustomization(path, e) : PL_OK;
	if (!st)
		st = open_tree(&j, path, kustomize, e);
	if (!st)
		st = choose_plugin(&j, path, kustomize, e);
	if (!st)
		st = render_run(j.registry, &j.step, &in, out, &c->log, NULL, RENDER_TIMEOUT_MS, e);
	snapshot_unref(j.snapshot);
	render_remotes_free(j.step.remotes);
	registry_free(j.registry);
	free(cwd);
	free(own);
	return st ? pl_err_in(e, "render '%s'", name) : PL_OK;
}
