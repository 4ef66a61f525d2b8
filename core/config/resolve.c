/* SPDX-License-Identifier: Apache-2.0 */
/* When all is read: names to things, duplicates, and what a broken include takes with it. */
#include "core/config/load.h"

#include "core/base/hash.h"
#include "core/base/mem.h"

/* What a name stands for, whatever its kind; sorted by name, then by order of reading. */
struct entry {
	pl_str name;
	pl_place at;
	struct file *file;
	size_t i;
};

struct index {
	const char *what; /* "source" */
	struct entry *v;
	size_t n;
};

struct indexes {
	struct index sources, targets, apps, plugins;
};

static int by_name(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	int c = str_cmp(x->name, y->name);
	return c ? c : (x->i > y->i) - (x->i < y->i);
}

/* Fills x from an array of structures that have name, at and file at these offsets. */
static void index_make(struct index *x, const char *what, const void *v, size_t n, size_t size, size_t name, size_t at,
		       size_t file)
{
	*x = (struct index){what, mem_zalloc((n + 1) * sizeof *x->v), n};
	for (size_t i = 0; i < n; i++) {
		const char *p = (const char *)v + i * size;
		memcpy(&x->v[i].name, p + name, sizeof x->v[i].name);
		memcpy(&x->v[i].at, p + at, sizeof x->v[i].at);
		memcpy(&x->v[i].file, p + file, sizeof(struct file *));
		x->v[i].i = i;
	}
	qsort(x->v, n, sizeof *x->v, by_name);
}

/* What a broken include says does not count; the main file's own names are good for hints even then. */
static bool counts(const struct entry *x)
{
	return !x->file->broken || x->file->depth == 0;
}

static const struct entry *look_up(const struct index *x, pl_str name)
{
	size_t lo = 0, hi = x->n;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		if (str_cmp(x->v[mid].name, name) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	for (; lo < x->n && str_eq(x->v[lo].name, name); lo++)
		if (counts(&x->v[lo]))
			return &x->v[lo];
	return NULL;
}

/* A draft without a name has been told of already. */
static void check_duplicates(struct load *l, const struct index *x)
{
	for (size_t i = 1; i < x->n; i++) {
		const struct entry *one = &x->v[i - 1], *two = &x->v[i];
		if (!two->name.n || !str_eq(one->name, two->name))
			continue;
		l->file = two->file;
		mistake_code(l, PL_EINVAL, two->at, "%s '%.*s' is defined twice, first at %s:%u:%u", x->what,
			     F(two->name), one->at.file, (unsigned)one->at.line, (unsigned)one->at.col);
	}
}

static void hint_names(const struct index *x, pl_str wanted, struct pl_err *e)
{
	const char **names = mem_zalloc((x->n + 1) * sizeof *names);
	struct buf all = BUF_INIT(400); /* a hint, not a listing */
	size_t n = 0;
	const struct file *lost = NULL;
	for (size_t i = 0; i < x->n; i++) {
		if (!counts(&x->v[i])) {
			lost = str_eq(x->v[i].name, wanted) ? x->v[i].file : lost;
			continue;
		}
		names[n] = x->v[i].name.p;
		buf_addf(&all, "%s%s", n ? ", " : "", names[n]);
		n++;
	}
	const char *near = str_nearest(wanted, names, n);
	if (lost)
		pl_err_hint(e, "it stands in '%s', which has mistakes", lost->name.p);
	else if (near)
		pl_err_hint(e, "did you mean '%s'?", near);
	else if (n)
		pl_err_hint(e, "have: %.*s%s", F(buf_str(&all)), buf_full(&all) ? "…" : "");
	else
		pl_err_hint(e, "there is no %s in the config", x->what);
	buf_free(&all);
	free(names);
}

static bool refer(struct load *l, const struct draft *d, const struct index *x, pl_str name, const pl_node *at,
		  size_t *i)
{
	const struct entry *found = look_up(x, name);
	if (found) {
		*i = found->i;
		return true;
	}
	hint_names(x, name, mistake(l, at, "application '%.*s': unknown %s '%.*s'", F(d->app.name), x->what, F(name)));
	return false;
}

/* ---- repositories of Argo CD documents ---- */

/* As people write the same repository: a trailing slash or .git does not matter. */
static pl_str repository(pl_str url)
{
	while (url.n && url.p[url.n - 1] == '/')
		url.n--;
	if (str_ends(url, S(".git")))
		url.n -= 4;
	return url;
}

/* A named source of the same repository brings its credentials; else one without a name is made, shared by all that use
 * it. */
static size_t source_of_repository(struct load *l, const pl_node *node)
{
	pl_str url = repository(pl_text(node));
	for (size_t i = 0; i < l->n_sources; i++) {
		const struct config_use *use = &l->sources[i].source.use;
		const pl_node *there = pl_gets(use->options, "url");
		if (str_eqz(use->plugin, "git") && pl_kind(there) == PL_STRING &&
		    str_eq(repository(pl_text(there)), url))
			return i;
	}
	uint8_t digest[HASH_SIZE];
	char hex[HASH_TEXT];
	hash_of(url, digest);
	hash_hex(digest, hex);
	pl_node *options = pl_new_map(l->doc), *text = pl_new_string(l->doc, pl_text(node));
	pl_sets(l->doc, options, "url", text);
	pl_set_at(l->doc, options, l->doc, node);
	pl_set_at(l->doc, text, l->doc, node);
	struct named_source s = {.file = l->files[0]};
	s.source.name = arena_printf(l->a, "repository-%.12s", hex);
	s.source.at = pl_at(l->doc, node);
	s.source.use = (struct config_use){arena_dup(l->a, S("git")), options, s.source.at};
	l->sources = mem_grow(l->sources, &l->cap_sources, l->n_sources + 1, sizeof *l->sources);
	l->sources[l->n_sources] = s;
	return l->n_sources++;
}

/* ---- applications ---- */

static void resolve_draft(struct load *l, const struct indexes *x, struct draft *d)
{
	l->file = d->file;
	bool ok = true;
	if (d->source)
		ok = refer(l, d, &x->sources, pl_text(d->source), d->source, &d->source_i);
	if (d->destination_at)
		ok = refer(l, d, &x->targets, d->destination, d->destination_at, &d->target_i) && ok;
	else if (d->target)
		ok = refer(l, d, &x->targets, pl_text(d->target), d->target, &d->target_i) && ok;
	d->unresolved = !ok;
}

static size_t count_broken(const struct load *l)
{
	size_t n = 0;
	for (size_t i = 0; i < l->n_files; i++)
		n += l->files[i]->broken;
	return n;
}

static bool live(const struct load *l, const struct file *f)
{
	return !f->broken || (l->lenient && f->depth == 0);
}

/* A reference into a broken include breaks the file it stands in, and so on until nothing more breaks. */
static void resolve_all(struct load *l, const struct indexes *x)
{
	size_t broken;
	do {
		broken = count_broken(l);
		for (size_t i = 0; i < l->n_drafts; i++)
			if (!l->drafts[i].unresolved && (live(l, l->drafts[i].file) || l->drafts[i].file->depth == 0))
				resolve_draft(l, x, &l->drafts[i]);
	} while (count_broken(l) != broken);
}

static const struct config_app *finish_apps(struct load *l, const struct config_source *const *sources,
					    const struct config_target *const *targets, size_t *n)
{
	struct config_app *v = arena_array(l->a, l->n_drafts, sizeof *v);
	for (size_t i = 0; i < l->n_drafts; i++) {
		struct draft *d = &l->drafts[i];
		if (!live(l, d->file) || d->bad || d->unresolved)
			continue;
		d->app.source = sources[d->source_i];
		d->app.target = targets[d->target_i];
		if (!d->app.revision.n)
			d->app.revision = d->app.source->revision;
		v[(*n)++] = d->app;
	}
	return v;
}

static void finish(struct load *l, struct config_root *root)
{
	struct config_source *sources = arena_array(l->a, l->n_sources, sizeof *sources);
	struct config_target *targets = arena_array(l->a, l->n_targets, sizeof *targets);
	struct config_plugin *plugins = arena_array(l->a, l->n_plugins, sizeof *plugins);
	const struct config_source **source_at = mem_zalloc((l->n_sources + 1) * sizeof(void *));
	const struct config_target **target_at = mem_zalloc((l->n_targets + 1) * sizeof(void *));
	for (size_t i = 0; i < l->n_sources; i++)
		if (live(l, l->sources[i].file)) {
			source_at[i] = &sources[root->n_sources];
			sources[root->n_sources++] = l->sources[i].source;
		}
	for (size_t i = 0; i < l->n_targets; i++)
		if (live(l, l->targets[i].file)) {
			target_at[i] = &targets[root->n_targets];
			targets[root->n_targets++] = l->targets[i].target;
		}
	for (size_t i = 0; i < l->n_plugins; i++)
		if (live(l, l->plugins[i].file))
			plugins[root->n_plugins++] = l->plugins[i].plugin;
	root->sources = sources;
	root->targets = targets;
	root->plugins = plugins;
	root->apps = finish_apps(l, source_at, target_at, &root->n_apps);
	free(source_at);
	free(target_at);
}

void resolve(struct load *l, struct config_root *root)
{
	struct indexes x;
	for (size_t i = 0; i < l->n_drafts; i++)
		if (l->drafts[i].repo_url)
			l->drafts[i].source_i = source_of_repository(l, l->drafts[i].repo_url);
	index_make(&x.sources, "source", l->sources, l->n_sources, sizeof *l->sources,
		   offsetof(struct named_source, source.name), offsetof(struct named_source, source.at),
		   offsetof(struct named_source, file));
	index_make(&x.targets, "target", l->targets, l->n_targets, sizeof *l->targets,
		   offsetof(struct named_target, target.name), offsetof(struct named_target, target.at),
		   offsetof(struct named_target, file));
	index_make(&x.plugins, "plugin", l->plugins, l->n_plugins, sizeof *l->plugins,
		   offsetof(struct named_plugin, plugin.name), offsetof(struct named_plugin, plugin.at),
		   offsetof(struct named_plugin, file));
	index_make(&x.apps, "application", l->drafts, l->n_drafts, sizeof *l->drafts, offsetof(struct draft, app.name),
		   offsetof(struct draft, app.at), offsetof(struct draft, file));
	check_duplicates(l, &x.sources);
	check_duplicates(l, &x.targets);
	check_duplicates(l, &x.plugins);
	check_duplicates(l, &x.apps);
	resolve_all(l, &x);
	if (live(l, l->files[0]))
		finish(l, root);
	free(x.sources.v);
	free(x.targets.v);
	free(x.plugins.v);
	free(x.apps.v);
}
