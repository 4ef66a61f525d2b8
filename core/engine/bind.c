/* SPDX-License-Identifier: Apache-2.0 */
/* What a configuration comes to: its sources, targets and pipelines with their plugins, options checked. */
#include "core/engine/internal.h"

#include "core/base/file.h"

#include <limits.h>

struct binder {
	struct engine *g;
	const struct config *c;
	struct arena *a;
	struct err_list *errors;
};

static void place(struct pl_err *e, pl_place at)
{
	if (e->file || !at.file)
		return;
	e->file = str_dup(str_of(at.file));
	e->line = at.line;
	e->col = at.col;
}

static const struct config_plugin *settings_of(const struct config *c, pl_str name)
{
	const struct config_root *r = config_get(c);
	for (size_t i = 0; i < r->n_plugins; i++)
		if (str_eq(r->plugins[i].name, name))
			return &r->plugins[i];
	return NULL;
}

/* The plugin, as the config allows it; NULL after an error. */
static const struct plugin *get_plugin(struct binder *b, uint32_t kind, const struct config_use *use)
{
	struct pl_err e = ERR_INIT;
	const struct plugin *p = NULL;
	const struct config_plugin *s = settings_of(b->c, use->plugin);
	if (registry_get(b->g->registry, kind, use->plugin, &p, &e)) {
		place(&e, use->at);
		err_copy(err_list_add(b->errors), &e);
		p = NULL;
	} else if (s && s->sha256.n && !str_eqz(s->sha256, plugin_digest(p))) {
		struct pl_err *x = err_list_add(b->errors);
		pl_err_set(x, PL_EDENIED, s->at, "plugin '%.*s': %s has another SHA-256 than the configuration allows",
			   F(use->plugin), plugin_file(p));
		pl_err_hint(x, "it is %s", plugin_digest(p));
		p = NULL;
	}
	err_clear(&e);
	return p;
}

/* The folder that relative paths of a file are relative to, absolute. */
static char *folder_of(const struct config *c, pl_place at)
{
	char *own = str_dup(config_get(c)->path);
	char *dir = path_dir(at.file ? at.file : own);
	char *real = realpath(dir, NULL);
	free(own);
	if (!real)
		return dir;
	free(dir);
	return real;
}

static bool get_use(struct binder *b, uint32_t kind, const struct config_use *use, const char *without,
		    const struct plugin **p, pl_str *options)
{
	size_t before = b->errors->n + b->errors->more;
	*p = get_plugin(b, kind, use);
	if (!*p)
		return false;
	char *dir = folder_of(b->c, use->at);
	pl_str json = S("{}");
	pl_status st = plugin_options(*p, config_doc(b->c), use->options, dir, without, b->a, &json, b->errors);
	free(dir);
	if (st && b->errors->n + b->errors->more == before)
		pl_err_set(err_list_add(b->errors), st, use->at, "options of '%.*s' can't be read", F(use->plugin));
	*options = plugin_canonical(b->a, json);
	return b->errors->n + b->errors->more == before;
}

static void check_app(struct binder *b, const struct config_app *ca)
{
	const struct plugin *p;
	pl_str options;
	for (size_t i = 0; i < ca->n_render; i++)
		get_use(b, PL_KIND_RENDERER, &ca->render[i], NULL, &p, &options);
	for (size_t i = 0; i < ca->n_health; i++) {
		char *dir = str_dup(ca->health[i]);
		if (!file_is_dir(dir))
			pl_err_set(err_list_add(b->errors), PL_ENOTFOUND, ca->at,
				   "application '%.*s': health: there is no folder '%s'", F(ca->name), dir);
		free(dir);
	}
}

void bind_check(struct engine *g, struct config *c, struct err_list *errors)
{
	struct binder b = {.g = g, .c = c, .a = arena_new(), .errors = errors};
	const struct config_root *r = config_get(c);
	const struct plugin *p;
	pl_str options;
	for (size_t i = 0; i < r->n_sources; i++)
		get_use(&b, PL_KIND_SOURCE, &r->sources[i].use, "revision", &p, &options);
	for (size_t i = 0; i < r->n_targets; i++)
		get_use(&b, PL_KIND_APPLIER, &r->targets[i].use, NULL, &p, &options);
	for (size_t i = 0; i < r->n_apps; i++)
		check_app(&b, &r->apps[i]);
	remotes_check(c, errors);
	arena_free(b.a);
}

void bound_clear(struct bound *b)
{
	for (size_t i = 0; i < b->n_steps; i++)
		free(b->steps[i].options);
	free(b->steps);
	*b = (struct bound){0};
}

static bool bind_all(struct binder *b, const struct config_app *ca, struct bound *out, struct pl_err *e)
{
	const struct plugin *p;
	pl_str options;
	if (!get_use(b, PL_KIND_SOURCE, &ca->source->use, "revision", &p, &options))
		return false;
	out->repo = repo_named(b->g, p, options, e);
	if (!out->repo || !get_use(b, PL_KIND_APPLIER, &ca->target->use, NULL, &p, &options))
		return false;
	char *name = str_dup(ca->target->name);
	out->target = target_named(b->g, name, p, options);
	free(name);
	out->steps = mem_zalloc((ca->n_render + 1) * sizeof(*out->steps));
	for (size_t i = 0; i < ca->n_render; i++) {
		if (!get_use(b, PL_KIND_RENDERER, &ca->render[i], NULL, &p, &options))
			return false;
		out->steps[out->n_steps++] = (struct step){p, str_dup(options)};
	}
	return true;
}

pl_status bind_app(struct engine *g, const struct config *c, const struct config_app *ca, struct bound *out,
		   struct pl_err *e)
{
	struct err_list errors = {0};
	struct binder b = {.g = g, .c = c, .a = arena_new(), .errors = &errors};
	pl_status st = PL_OK;
	*out = (struct bound){0};
	if (!bind_all(&b, ca, out, e)) {
		if (errors.n && e)
			err_copy(e, &errors.v[0]);
		st = errors.n ? pl_err_code(&errors.v[0]) : pl_err_code(e);
		if (!st)
			st = PL_EINTERNAL;
		bound_clear(out);
	}
	err_list_free(&errors);
	arena_free(b.a);
	return st;
}
