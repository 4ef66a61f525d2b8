/* SPDX-License-Identifier: Apache-2.0 */
#include "accumulate.h"

#include "remote.h"

/* Deeper trees are slips, and every level costs stack. A folder may be used many times, but not without end. */
enum { DEPTH_MAX = 512, TARGETS_MAX = 65536 };

/* ---- configurations: and crds: ---- */

/* The first one is merged into an empty one, which is more than a copy: see merge_table() in config.c. */
static pl_status merge_config(struct build *b, struct accumulator *acc, const struct config *from, const pl_node *at)
{
	const struct config *builtin = config_builtin(b);
	if (!from || acc->config == from || (acc->config && from == builtin))
		return PL_OK;
	if (from == builtin) {
		acc->config = acc->settled = from;
		return PL_OK;
	}
	struct config *copy = config_copy(b, acc->config ? acc->config : &(struct config){0});
	if (!acc->config)
		acc->settled = copy;
	acc->config = copy;
	return config_merge(b, copy, from, at);
}

/* What a component leaves behind is merged into an empty one as well, in the reference. */
static pl_status merge_again(struct build *b, struct accumulator *acc, const pl_node *at)
{
	const struct config *all = acc->config;
	if (all == acc->settled)
		return PL_OK;
	acc->config = NULL;
	return merge_config(b, acc, all, at);
}

static pl_status read_yaml(struct build *b, pl_str text, const char *file, pl_node **root)
{
	pl_node **roots;
	size_t n;
	pl_status st = pl_yaml_read(b->doc, text, file, PL_SCHEMA_YAML11, 0, &roots, &n, b->err);
	*root = !st && n ? roots[0] : NULL;
	return st;
}

typedef pl_status (*config_read_fn)(struct build *b, struct config *into, const pl_node *root);

static pl_status read_configs(struct build *b, struct target *t, const pl_node *list, config_read_fn read,
			      struct config *into)
{
	pl_status st = PL_OK;
	for (size_t i = 0; i < pl_len(list) && !st; i++) {
		const pl_node *at = pl_item(list, i);
		pl_str text = pl_text(at);
		const char *file = t->k->file;
		pl_node *root;
		if (!is_inline(text))
			st = target_load(b, t, at, pl_text(at), &text, &file);
		if (!st)
			st = read_yaml(b, text, file, &root);
		if (!st && root && pl_kind(root) != PL_NULL)
			st = read(b, into, root);
	}
	return st;
}

static pl_status accumulate_config(struct build *b, struct target *t, struct accumulator *acc)
{
	const pl_node *configurations = kustomization_field(t, "configurations"),
		      *crds = kustomization_field(t, "crds");
	const struct config *own = config_builtin(b);
	pl_status st = PL_OK;
	if (pl_len(configurations)) {
		struct config files = {0}, *c = config_copy(b, own);
		own = c;
		st = read_configs(b, t, configurations, config_read, &files);
		if (!st)
			st = config_merge(b, c, &files, configurations);
	}
	if (!st)
		st = merge_config(b, acc, own, configurations);
	if (!st && pl_len(crds)) {
		struct config files = {0};
		st = read_configs(b, t, crds, config_read_crd, &files);
		if (!st)
			st = merge_config(b, acc, &files, crds);
	}
	return st;
}

/* ---- openapi: ---- */

static pl_status read_schema(struct build *b, struct target *t, const pl_node *path)
{
	pl_str text;
	const char *file;
	pl_node *root;
	pl_status st = target_load(b, t, path, pl_text(path), &text, &file);
	if (!st)
		st = read_yaml(b, text, file, &root);
	if (st)
		return st;
	if (pl_kind(root) != PL_MAP)
		return fail(b, PL_EINVAL, path, "'%.*s' holds no OpenAPI document", F(pl_text(path)));
	pl_types *types = pl_types_new(0);
	st = pl_types_add_openapi(types, b->doc, root, b->err);
	pl_types_free(b->types);
	b->types = types;
	return st;
}

pl_status openapi_read(struct build *b, struct target *t)
{
	const pl_node *openapi = kustomization_field(t, "openapi");
	const pl_node *path = pl_gets(openapi, "path"), *version = pl_gets(openapi, "version");
	if (b->types_set || (!pl_text(path).n && !pl_text(version).n))
		return PL_OK;
	b->types_set = true;
	if (path && version)
		return fail(b, PL_EINVAL, openapi, "'openapi' takes 'path' or 'version', not both");
	if (path)
		return read_schema(b, t, path);
	if (!str_is(pl_text(version), "v1.21.2"))
		return fail(b, PL_EINVAL, version, "the OpenAPI version '%.*s' is not built in (v1.21.2 is)",
			    F(pl_text(version)));
	return PL_OK;
}

/* ---- resources: and components: ---- */

static pl_status check_unique(struct build *b, struct resmap *m)
{
	struct resmap *again = resmap_new(b);
	pl_status st = PL_OK;
	for (uint32_t i = 0; i < m->n && !st; i++)
		st = resmap_append(b, again, m->v[i]);
	if (!st)
		*m = *again;
	return st;
}

/* What a kustomization has made goes behind what its user has. After renames, ids are looked at again. */
static pl_status take_in(struct build *b, struct accumulator *acc, struct accumulator *sub, bool renamed,
			 const pl_node *at)
{
	pl_status st = renamed && !acc->m->n ? check_unique(b, sub->m) : PL_OK;
	if (!st)
		st = resmap_append_all(b, acc->m, sub->m);
	if (!st)
		st = merge_config(b, acc, sub->config, at);
	return st ? st : vars_merge(b, &acc->vars, &sub->vars);
}

static pl_status check_kind(struct build *b, const struct target *t, const pl_node *at, bool component)
{
	if (component && !t->k->component)
		return fail(b, PL_EINVAL, at, "'%.*s' is no Component: name it under 'resources'", F(pl_text(at)));
	if (!component && t->k->component)
		return fail(b, PL_EINVAL, at, "'%.*s' is a Component: name it under 'components'", F(pl_text(at)));
	return PL_OK;
}

static pl_status accumulate_below(struct build *b, struct target *t, const pl_node *at, bool component,
				  struct accumulator *acc)
{
	uint64_t renamed = b->renamed;
	pl_status st = kustomization_read(b, t, at);
	if (!st)
		st = check_kind(b, t, at, component);
	if (!st)
		st = openapi_read(b, t);
	if (st)
		return st;
	if (component) {
		st = accumulate_target(b, t, acc);
		if (!st)
			st = merge_again(b, acc, at);
		return !st && b->renamed != renamed ? check_unique(b, acc->m) : st;
	}
	struct accumulator sub = {.m = resmap_new(b)};
	st = accumulate_target(b, t, &sub);
	return st ? st : take_in(b, acc, &sub, b->renamed != renamed, at);
}

static pl_status accumulate_folder(struct build *b, struct target *above, const pl_node *at, bool component,
				   struct accumulator *acc)
{
	struct target *t;
	pl_status st;
	if (b->depth >= DEPTH_MAX)
		return fail(b, PL_ETOOBIG, at, "kustomizations are nested more than %d deep", DEPTH_MAX);
	if (++b->targets > TARGETS_MAX)
		return fail(b, PL_ETOOBIG, at, "the build uses more than %d kustomizations", TARGETS_MAX);
	if (cancelled(b, &st))
		return st;
	b->depth++;
	st = target_below(b, above, at, pl_text(at), &t);
	if (!st) {
		t->origin = place_below(b, above->origin, pl_text(at));
		st = accumulate_below(b, t, at, component, acc);
	}
	b->depth--;
	return st ? pl_err_in(b->err, "in '%.*s'", F(pl_text(at))) : PL_OK;
}

static pl_status accumulate_file(struct build *b, struct target *t, const pl_node *at, struct resmap *m)
{
	pl_str text;
	const char *file;
	uint32_t before = m->n;
	pl_status st = target_load(b, t, at, pl_text(at), &text, &file);
	if (!st)
		st = resources_read(b, text, file, m);
	if (st && is_kustomization_file(pl_text(at)))
		pl_err_hint(b->err, "a kustomization is used by the name of its folder");
	const struct place *p = place_below(b, t->origin, pl_text(at));
	for (uint32_t i = before; i < m->n && p; i++)
		origin_set(b, m->v[i], p);
	return st;
}

static bool looks_like_file(pl_str url)
{
	pl_str path = str_cut(&url, '?');
	return str_ends(path, S(".yaml")) || str_ends(path, S(".yml")) || str_ends(path, S(".json"));
}

/* A URL is a file, or else a repository. Where it tells itself which, the other is not asked for. */
static pl_status accumulate_url(struct build *b, struct target *t, const pl_node *at, struct accumulator *acc)
{
	struct remote r;
	const char *why;
	uint32_t before = acc->m->n;
	bool http = remote_is_http(pl_text(at)), repository = remote_read(b, pl_text(at), &r, &why);
	if (repository && (!http || ((r.marked || r.ref.n) && !looks_like_file(pl_text(at)))))
		return accumulate_folder(b, t, at, false, acc);
	pl_status st = accumulate_file(b, t, at, acc->m);
	if (!st || !repository || looks_like_file(pl_text(at)) || acc->m->n != before)
		return st;
	pl_str first = arena_printf(b->mem, "%s", pl_err_text(b->err));
	st = accumulate_folder(b, t, at, false, acc);
	if (st)
		pl_err_hint(b->err, "it is no file of resources either: %.*s", F(first));
	return st;
}

pl_status accumulate_paths(struct build *b, struct target *t, const pl_node *list, struct accumulator *acc)
{
	pl_status st = PL_OK;
	for (size_t i = 0; i < pl_len(list) && !st; i++) {
		const pl_node *at = pl_item(list, i);
		enum path_kind kind;
		st = target_look(b, t, at, pl_text(at), &kind);
		if (st)
			return st;
		if (kind == PATH_FILE)
			st = accumulate_file(b, t, at, acc->m);
		else if (kind == PATH_URL)
			st = accumulate_url(b, t, at, acc);
		else
			st = accumulate_folder(b, t, at, false, acc);
	}
	return st;
}

static pl_status accumulate_components(struct build *b, struct target *t, struct accumulator *acc)
{
	const pl_node *list = kustomization_field(t, "components");
	pl_status st = PL_OK;
	for (size_t i = 0; i < pl_len(list) && !st; i++)
		st = accumulate_folder(b, t, pl_item(list, i), true, acc);
	return st;
}

/* ---- vars: ---- */

static bool means(const struct var *v, const struct id *id, bool any_namespace)
{
	if (!any_namespace)
		return id_equal(id, &v->object);
	return str_eq(id->name, v->object.name) && gvk_equal(&id->gvk, &v->object.gvk);
}

/* The resource that a var means remembers it: later its id may be another. */
static pl_status bind_var(struct build *b, struct resmap *m, const struct var *v)
{
	struct resource *const *found, *match = NULL;
	size_t n = resmap_named(b, m, v->object.name, &found), matches = 0;
	bool any = !v->object.ns.n && !gvk_cluster_scoped(b, &v->object.gvk);
	for (size_t i = 0; i < n; i++) {
		bool same = means(v, &found[i]->id, any);
		for (uint32_t j = 0; j < found[i]->n_previous && !same; j++)
			same = means(v, &found[i]->previous[j], any);
		if (same && !matches++)
			match = found[i];
	}
	if (matches > 1)
		return fail(b, PL_EINVAL, v->at, "the var '%.*s' means %zu resources: its objref needs a namespace",
			    F(v->name), matches);
	if (!match)
		return PL_OK;
	struct strings *l = &match->ref_vars;
	l->v = arena_grow(b->mem, l->v, l->n, &l->cap, sizeof(*l->v));
	l->v[l->n++] = v->name;
	return PL_OK;
}

static pl_status accumulate_vars(struct build *b, struct target *t, struct accumulator *acc)
{
	const pl_node *list = kustomization_field(t, "vars");
	struct vars own = {0};
	pl_status st = list ? vars_read(b, list, &own) : PL_OK;
	for (uint32_t i = 0; i < own.n && !st; i++)
		st = bind_var(b, acc->m, &own.v[i]);
	return st ? st : vars_merge(b, &acc->vars, &own);
}

pl_status accumulate_target(struct build *b, struct target *t, struct accumulator *acc)
{
	pl_status st = accumulate_paths(b, t, kustomization_field(t, "resources"), acc);
	if (!st)
		st = accumulate_config(b, t, acc);
	if (!st)
		st = fields_generate(b, t, acc);
	if (!st)
		st = builtins_generate(b, t, acc);
	if (!st)
		st = accumulate_components(b, t, acc);
	if (!st)
		st = fields_transform(b, t, acc);
	if (!st)
		st = builtins_transform(b, t, acc);
	if (!st)
		st = builtins_validate(b, t, acc);
	return st ? st : accumulate_vars(b, t, acc);
}
