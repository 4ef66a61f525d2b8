/* SPDX-License-Identifier: Apache-2.0 */
/* open_remote: another source's tree for a renderer, opened once a render, noted with the revision found. */
#include "core/base/clock.h"
#include "core/base/mem.h"
#include "core/plugin/private.h"

struct remote_tree {
	struct remote_tree *next;
	const struct plugin *plugin;
	pl_str options, revision, id;
	struct snapshot *snapshot;
	pl_tree *tree;
};

bool remote_is_answer(pl_status st)
{
	return st == PL_EINVAL || st == PL_ENOTFOUND || st == PL_EUNSUPPORTED || st == PL_EDENIED;
}

void remotes_close(struct call *c)
{
	for (struct remote_tree *t = c->remote_trees; t; t = t->next)
		snapshot_unref(t->snapshot);
	c->remote_trees = NULL; /* they are in the call's arena */
}

/* Checked like the options of plumb.yaml; what stands there was written by nobody, so mistakes have no place. */
static pl_status read_options(struct call *c, pl_str json, struct remote_want *w, struct pl_err *e)
{
	pl_doc *d = pl_doc_new(NULL);
	pl_node *root = NULL;
	struct err_list errors = {0};
	pl_str checked = S("{}");
	pl_status st = pl_json_read(d, json, NULL, 0, &root, e);
	if (!st) {
		w->revision = arena_dup(c->arena, pl_text(pl_gets(root, "revision")));
		w->name = arena_dup(c->arena, pl_text(pl_gets(root, "url")));
		st = plugin_options(w->plugin, d, root, NULL, "revision", c->arena, &checked, &errors);
		if (st && errors.n)
			err_copy(e, &errors.v[0]);
	}
	w->options = plugin_canonical(c->arena, checked);
	err_list_free(&errors);
	pl_doc_unref(d);
	return st ? pl_err_in(e, "options of the source '%s'", plugin_namez(w->plugin)) : PL_OK;
}

/* URLs may hold a password where a plugin lets them. */
static pl_str without_password(struct arena *a, pl_str url)
{
	const char *p = url.p ? memmem(url.p, url.n, "://", 3) : NULL;
	if (!url.p || !p)
		return url;
	size_t from = (size_t)(p + 3 - url.p), n = from;
	while (n < url.n && !strchr("/?#", url.p[n]))
		n++;
	const char *at = memrchr(url.p + from, '@', n - from);
	return at ? arena_printf(a, "%.*s%.*s", (int)from, url.p, (int)(url.n - (size_t)(at + 1 - url.p)), at + 1)
		  : url;
}

static pl_tree *new_tree(struct call *c, const struct remote_want *w, struct snapshot *s)
{
	/* What is read there needs no notes of its own: all of it is the revision's. */
	pl_tree *t = tree_new(s, NULL, c->arena);
	pl_str url = without_password(c->arena, w->name.n ? w->name : w->options);
	tree_told_as(t, w->revision.n ? arena_printf(c->arena, "%.*s@%.*s", F(url), F(w->revision)) : url, S(""));
	return t;
}

static struct remote_tree *find(const struct call *c, const struct remote_want *w)
{
	struct remote_tree *t = c->remote_trees;
	while (t && !(t->plugin == w->plugin && str_eq(t->options, w->options) && str_eq(t->revision, w->revision)))
		t = t->next;
	return t;
}

static pl_status fetch(struct call *c, const struct remote_want *w, struct remote_tree **out, struct pl_err *e)
{
	struct remote_found found = {0};
	int64_t start = clock_mono_ms();
	pl_status st = c->remotes->open(c->remotes, w, c->cancel, c->arena, &found, e);
	if (c->deadline != INT64_MAX)
		c->deadline += clock_mono_ms() - start; /* the other side has a limit of its own */
	if (!st || remote_is_answer(st))
		trace_note_remote(c->trace, &(struct trace_remote){plugin_name(w->plugin), w->options, w->revision,
								   st ? S("") : found.id});
	if (st)
		return st;
	struct remote_tree *t = arena_zalloc(c->arena, sizeof(*t));
	*t = (struct remote_tree){.next = c->remote_trees,
				  .plugin = w->plugin,
				  .options = w->options,
				  .revision = w->revision,
				  .id = found.id,
				  .snapshot = found.snapshot};
	t->tree = new_tree(c, w, found.snapshot);
	c->remote_trees = *out = t;
	return PL_OK;
}

pl_status remotes_open(struct call *c, pl_str source, pl_str options, pl_str *id, pl_tree **out)
{
	struct remote_want w = {0};
	struct pl_err *e = &c->tree_err;
	err_clear(e);
	if (!c->remotes)
		return err_set(e, PL_EUNSUPPORTED, "other trees can't be opened here");
	pl_status st = registry_get(c->registry, PL_KIND_SOURCE, source, &w.plugin, e);
	if (!st)
		st = read_options(c, options, &w, e);
	if (st)
		return st;
	struct remote_tree *t = find(c, &w);
	if (!t)
		st = fetch(c, &w, &t, e);
	if (st)
		return st;
	*id = t->id;
	*out = t->tree;
	return PL_OK;
}
