/* SPDX-License-Identifier: Apache-2.0 */
#include "kustomization.h"

#include "shape.h"

enum { NAMES = 3 };
static const char *const file_names[NAMES] = {"kustomization.yaml", "kustomization.yml", "Kustomization"};

pl_node *kustomization_field(const struct target *t, const char *name)
{
	pl_node *n = pl_gets(t->k->root, name);
	return pl_kind(n) == PL_STRING && !pl_text(n).n ? NULL : n;
}

/* ---- the file ---- */

bool is_kustomization_file(pl_str path)
{
	const char *slash = path.n ? memrchr(path.p, '/', path.n) : NULL;
	pl_str name = slash ? (pl_str){slash + 1, path.n - (size_t)(slash + 1 - path.p)} : path;
	for (size_t i = 0; i < NAMES; i++)
		if (str_is(name, file_names[i]))
			return true;
	return false;
}

static pl_status no_kustomization(struct build *b, const struct target *t, const pl_node *at)
{
	const pl_entry *v;
	size_t n;
	pl_status st = fail(b, PL_ENOTFOUND, at,
			    "there is no kustomization in '%.*s': it needs a file 'kustomization.yaml', "
			    "'kustomization.yml' or 'Kustomization'",
			    F(t->shown));
	if (b->h->tree_list(b->h->ctx, t->tree, t->root, &v, &n))
		return st;
	for (size_t i = 0; i < n && n < 1000; i++) {
		if (v[i].type == PL_FILE && str_nearest(v[i].name, file_names, NAMES)) {
			pl_err_hint(b->err, "is '%.*s' meant to be it?", F(v[i].name));
			break;
		}
	}
	return st;
}

static pl_status find_file(struct build *b, struct target *t, const pl_node *at, pl_str *name)
{
	pl_str found[NAMES];
	size_t n = 0;
	for (size_t i = 0; i < NAMES; i++) {
		pl_entry e = {.size = sizeof(e)};
		pl_str path =
			t->root.n ? arena_printf(b->mem, "%.*s/%s", F(t->root), file_names[i]) : str_of(file_names[i]);
		pl_status st = b->h->tree_stat(b->h->ctx, t->tree, path, &e);
		if (st && st != PL_ENOTFOUND)
			return look_failed(b, st, at, path);
		if (!st && e.type == PL_FILE)
			found[n++] = str_of(file_names[i]);
	}
	if (n > 1)
		return fail(b, PL_EINVAL, at, "'%.*s' has two kustomization files, '%.*s' and '%.*s': keep one",
			    F(t->shown), F(found[0]), F(found[1]));
	if (!n)
		return no_kustomization(b, t, at);
	*name = found[0];
	return PL_OK;
}

static void warn(struct build *b, const pl_node *at, const char *text)
{
	pl_place p = pl_at(b->doc, at);
	pl_str line = arena_printf(b->mem, "%s:%u: %s", p.file ? p.file : "", p.line, text);
	b->h->log(b->h->ctx, PL_LOG_WARN, line);
}

/* The reference takes a field that is there twice by its last value: a slip, but one that builds. */
static pl_status parse_twice(struct build *b, const struct kustomization *k, pl_str text, pl_node ***roots, size_t *n)
{
	pl_err *slip = pl_err_new();
	pl_status st = pl_yaml_read(b->doc, text, k->file, PL_SCHEMA_YAML11, 0, roots, n, slip);
	if (st) {
		st = pl_yaml_read(b->doc, text, k->file, PL_SCHEMA_YAML11, PL_READ_LAST_WINS, roots, n, b->err);
		if (!st) {
			pl_err_hint(slip, "the last one counts");
			b->h->log(b->h->ctx, PL_LOG_WARN, str_of(pl_err_text(slip)));
		}
	}
	pl_err_free(slip);
	return st;
}

static pl_status parse(struct build *b, struct kustomization *k, pl_str text, pl_node **root)
{
	pl_node **roots;
	size_t n;
	pl_status st = parse_twice(b, k, text, &roots, &n);
	if (st)
		return st;
	if (n > 1)
		warn(b, roots[1], "only the first document of a kustomization file counts; this one is left out");
	*root = n && pl_kind(roots[0]) != PL_NULL ? roots[0] : NULL;
	if (*root && pl_kind(*root) != PL_MAP)
		return fail(b, PL_EINVAL, *root, "a kustomization must be a map of its fields");
	return PL_OK;
}

/* ---- checks ---- */

static bool is_empty(const pl_node *root)
{
	for (size_t i = 0; i < pl_len(root); i++) {
		const pl_node *v = pl_value(root, i);
		pl_str key = pl_text(pl_key(root, i));
		if (!str_is(key, "apiVersion") && !str_is(key, "kind") && !(pl_kind(v) == PL_STRING && !pl_text(v).n))
			return false;
	}
	return true;
}

static pl_status check_type(struct build *b, struct kustomization *k)
{
	static const char *const kinds[] = {"Kustomization", "Component"};
	const pl_node *kind = pl_gets(k->root, "kind"), *version = pl_gets(k->root, "apiVersion");
	k->component = str_is(pl_text(kind), "Component");
	if (pl_text(kind).n && !k->component && !str_is(pl_text(kind), "Kustomization")) {
		pl_status st = fail(b, PL_EINVAL, kind, "'kind' must be Kustomization or Component, not '%.*s'",
				    F(pl_text(kind)));
		const char *near = str_nearest(pl_text(kind), kinds, 2);
		if (near)
			pl_err_hint(b->err, "did you mean '%s'?", near);
		return st;
	}
	const char *due = k->component ? "kustomize.config.k8s.io/v1alpha1" : "kustomize.config.k8s.io/v1beta1";
	if (pl_text(version).n && !str_is(pl_text(version), due))
		return fail(b, PL_EINVAL, version, "'apiVersion' of a %s must be '%s', not '%.*s'",
			    k->component ? "Component" : "Kustomization", due, F(pl_text(version)));
	return PL_OK;
}

static pl_status refuse_helm(struct build *b, const pl_node *root)
{
	static const char *const fields[] = {"helmCharts", "helmChartInflationGenerator"};
	for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++) {
		const pl_node *key = pl_getkey(root, str_of(fields[i]));
		if (!key || !pl_len(pl_gets(root, fields[i])))
			continue;
		pl_status st = fail(b, PL_EUNSUPPORTED, key, "'%s': charts are not inflated within a kustomization",
				    fields[i]);
		pl_err_hint(b->err, "use a render step of its own before this one, render: [{exec: …}, kustomize]; see "
				    "docs/render.md");
		return st;
	}
	return PL_OK;
}

/* ---- what is deprecated ---- */

static void warn_of_deprecated(struct build *b, const pl_node *root)
{
	static const char *const fields[][2] = {{"bases", "resources"},		{"imageTags", "images"},
						{"patchesJson6902", "patches"}, {"patchesStrategicMerge", "patches"},
						{"vars", "replacements"},	{"commonLabels", "labels"}};
	for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++) {
		const pl_node *key = pl_getkey(root, str_of(fields[i][0]));
		if (key)
			warn(b, key,
			     arena_printf(b->mem, "'%s' is deprecated: use '%s' instead", fields[i][0], fields[i][1])
				     .p);
	}
}

/* The items of the list old go behind those of the list new. */
static void move_list(struct build *b, pl_node *root, const char *old, const char *new)
{
	pl_node *from = pl_gets(root, old), *to = pl_gets(root, new);
	if (!from)
		return;
	if (!to) {
		to = pl_new_list(b->doc);
		pl_set_at(b->doc, to, b->doc, from);
		(void)pl_sets(b->doc, root, new, to);
	}
	for (size_t i = 0; i < pl_len(from); i++)
		(void)pl_append(b->doc, to, pl_item(from, i));
	(void)pl_remove(b->doc, root, str_of(old));
}

static void move_env(struct build *b, pl_node *generators)
{
	for (size_t i = 0; i < pl_len(generators); i++) {
		pl_node *g = pl_item(generators, i), *env = pl_gets(g, "env"), *envs = pl_gets(g, "envs");
		if (!env)
			continue;
		if (!envs) {
			envs = pl_new_list(b->doc);
			(void)pl_sets(b->doc, g, "envs", envs);
		}
		if (pl_text(env).n)
			(void)pl_append(b->doc, envs, env);
		(void)pl_remove(b->doc, g, S("env"));
	}
}

pl_status kustomization_read(struct build *b, struct target *t, const pl_node *at)
{
	struct kustomization *k = arena_alloc(b->mem, sizeof(*k));
	pl_str text;
	pl_node *root = NULL, *checked;
	t->k = k;
	pl_status st = find_file(b, t, at, &k->name);
	if (!st)
		st = target_load(b, t, at, k->name, &text, &k->file);
	if (!st)
		st = parse(b, k, text, &root);
	if (!st && !root)
		return pl_err_set(b->err, PL_EINVAL, (pl_place){k->file, 1, 1}, "the kustomization is empty");
	if (!st)
		st = shape_check(b, &shape_kustomization, root, &checked);
	if (st)
		return st;
	k->root = checked;
	warn_of_deprecated(b, checked);
	move_list(b, checked, "bases", "resources");
	move_list(b, checked, "imageTags", "images");
	move_env(b, pl_gets(checked, "configMapGenerator"));
	move_env(b, pl_gets(checked, "secretGenerator"));
	if (is_empty(checked))
		return fail(b, PL_EINVAL, checked, "the kustomization is empty");
	st = check_type(b, k);
	return st ? st : refuse_helm(b, checked);
}
