/* SPDX-License-Identifier: Apache-2.0 */
/* Documents into applications, sources, targets and plugins; names are resolved later, when every file is read. */
#include "core/config/table.h"

#include "core/base/mem.h"

static void read_source(struct load *l, const pl_node *key, const pl_node *value)
{
	struct named_source s = {.file = l->file};
	s.source.at = pl_at(l->doc, key);
	if (!value_name(l, "source name", key, &s.source.name) || !value_use(l, "source", false, value, &s.source.use))
		return;
	const pl_node *revision = pl_gets(s.source.use.options, "revision");
	if (pl_kind(revision) > PL_NULL && !value_string(l, "revision", revision, &s.source.revision))
		return;
	l->sources = mem_grow(l->sources, &l->cap_sources, l->n_sources + 1, sizeof *l->sources);
	l->sources[l->n_sources++] = s;
}

static void read_target(struct load *l, const pl_node *key, const pl_node *value)
{
	struct named_target t = {.file = l->file};
	t.target.at = pl_at(l->doc, key);
	if (!value_name(l, "target name", key, &t.target.name) || !value_use(l, "target", false, value, &t.target.use))
		return;
	l->targets = mem_grow(l->targets, &l->cap_targets, l->n_targets + 1, sizeof *l->targets);
	l->targets[l->n_targets++] = t;
}

static void read_plugin(struct load *l, const pl_node *key, const pl_node *value)
{
	struct named_plugin p = {.file = l->file};
	p.plugin.at = pl_at(l->doc, key);
	if (!value_name(l, "plugin name", key, &p.plugin.name))
		return;
	if (pl_kind(value) != PL_NULL)
		table_read(l, &plugin_table_keys, p.plugin.name, value, &p.plugin);
	l->plugins = mem_grow(l->plugins, &l->cap_plugins, l->n_plugins + 1, sizeof *l->plugins);
	l->plugins[l->n_plugins++] = p;
}

static void each_pair(struct load *l, const char *what, const pl_node *map,
		      void (*one)(struct load *, const pl_node *, const pl_node *))
{
	if (!map)
		return;
	if (pl_kind(map) != PL_MAP) {
		mistake(l, map, "'%s' must be a map of names, not %s", what, kind_word(map));
		return;
	}
	for (size_t i = 0; i < pl_len(map); i++)
		one(l, pl_key(map, i), pl_value(map, i));
}

/* One text, or a list of exactly one: several sources for one application come later. */
static const pl_node *the_only(struct load *l, const char *what, const pl_node *n)
{
	if (pl_kind(n) == PL_LIST && pl_len(n) == 1)
		n = pl_item(n, 0);
	if (pl_kind(n) == PL_LIST && pl_len(n) > 1) {
		mistake_code(l, PL_EUNSUPPORTED, pl_at(l->doc, pl_item(n, 1)),
			     "more than one %s is not supported by this version", what);
		return NULL;
	}
	pl_str name;
	return n && value_name(l, what, n, &name) ? n : NULL;
}

static void read_application(struct load *l, const pl_node *map, pl_str name, const pl_node *at)
{
	struct draft d = {.file = l->file};
	size_t before = l->errors->n + l->errors->more;
	d.app.at = pl_at(l->doc, at);
	pl_str shown = name;
	if (!shown.n && pl_kind(pl_gets(map, "name")) == PL_STRING)
		shown = pl_text(pl_gets(map, "name"));
	table_read(l, name.n ? &spec_table : &app_table, shown, map, &d);
	if (name.n)
		d.app.name = name;
	if (d.source)
		d.source = the_only(l, "source", d.source);
	if (d.target)
		d.target = the_only(l, "target", d.target);
	d.bad = l->errors->n + l->errors->more > before;
	l->drafts = mem_grow(l->drafts, &l->cap_drafts, l->n_drafts + 1, sizeof *l->drafts);
	l->drafts[l->n_drafts++] = d;
}

void draft_defaults(struct load *l, struct draft *d)
{
	table_defaults(l, &app_table, d);
}

static void read_applications(struct load *l, const pl_node *list)
{
	if (!list)
		return;
	if (pl_kind(list) != PL_LIST) {
		struct pl_err *e = mistake(l, list, "'applications' must be a list, not %s", kind_word(list));
		if (pl_kind(list) == PL_MAP)
			pl_err_hint(e, "write '- name: …' for each");
		return;
	}
	for (size_t i = 0; i < pl_len(list); i++)
		read_application(l, pl_item(list, i), (pl_str){NULL, 0}, pl_item(list, i));
}

/* ---- plumb.dev/v1 Application ---- */

/* Tools that handle Kubernetes objects add their own: only what plumb reads is checked. */
static bool read_metadata(struct load *l, const pl_node *root, pl_str *name)
{
	const pl_node *metadata = pl_gets(root, "metadata"), *n = pl_gets(metadata, "name");
	if (n)
		return value_name(l, "metadata.name", n, name);
	mistake(l, metadata ? metadata : root, "Application needs 'metadata.name'");
	return false;
}

static void read_plumb_document(struct load *l, const pl_node *root)
{
	static const char *const keys[] = {"apiVersion", "kind", "metadata", "spec", "status"};
	enum { KEYS = sizeof keys / sizeof *keys };
	pl_str name;
	for (size_t i = 0; i < pl_len(root); i++) {
		pl_str key = pl_text(pl_key(root, i));
		size_t k = 0;
		while (k < KEYS && !str_eqz(key, keys[k]))
			k++;
		if (k < KEYS)
			continue;
		struct pl_err *e = mistake(l, pl_key(root, i), "unknown key '%.*s' in Application", F(key));
		const char *near = str_nearest(key, keys, KEYS);
		if (near)
			pl_err_hint(e, "did you mean '%s'?", near);
	}
	const pl_node *spec = pl_gets(root, "spec");
	if (!read_metadata(l, root, &name))
		return;
	if (!spec)
		mistake(l, root, "application '%s' needs 'spec'", name.p);
	else if (pl_gets(spec, "name"))
		mistake(l, pl_getkey(spec, S("name")), "the name of an Application document stands in 'metadata.name'");
	else
		read_application(l, spec, name, root);
}

/* ---- one document of a file ---- */

static void read_fragment(struct load *l, const pl_node *root)
{
	struct fragment f = {0};
	/* Application documents may stand beside them in the main file. */
	if (l->file->depth == 0 && l->main_read) {
		mistake(l, root, "the settings stand in more than one document of the main config file");
		return;
	}
	l->main_read = l->main_read || l->file->depth == 0;
	if (l->file->depth == 0)
		table_read(l, &root_table, (pl_str){NULL, 0}, root, &l->main);
	else
		table_read(l, &root_table, (pl_str){NULL, 0}, root, &f);
	const struct fragment *from = l->file->depth ? &f : &l->main;
	each_pair(l, "plugins", from->plugins, read_plugin);
	each_pair(l, "sources", from->sources, read_source);
	each_pair(l, "targets", from->targets, read_target);
	read_applications(l, from->applications);
	read_includes(l, from->include);
}

static void read_object(struct load *l, const pl_node *root)
{
	pl_str version = pl_text(pl_gets(root, "apiVersion")), kind = pl_text(pl_gets(root, "kind"));
	const pl_node *items = pl_gets(root, "items");
	if (str_eqz(kind, "Application") && str_eqz(version, "plumb.dev/v1"))
		read_plumb_document(l, root);
	else if (str_eqz(kind, "Application") && str_eqz(version, "argoproj.io/v1alpha1"))
		read_argocd(l, root);
	else if (str_ends(kind, S("List")) && pl_kind(items) == PL_LIST)
		for (size_t i = 0; i < pl_len(items); i++)
			read_object(l, pl_item(items, i));
	else
		pl_err_hint(mistake(l, root, "apiVersion '%.*s', kind '%.*s' is not an Application that plumb knows",
				    F(version), F(kind)),
			    "plumb.dev/v1 and argoproj.io/v1alpha1 are read");
}

void read_document(struct load *l, const pl_node *root)
{
	if (pl_kind(root) == PL_NULL)
		return;
	if (pl_kind(root) == PL_MAP && (pl_gets(root, "apiVersion") || pl_gets(root, "kind")))
		read_object(l, root);
	else
		read_fragment(l, root);
}
