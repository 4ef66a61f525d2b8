/* SPDX-License-Identifier: Apache-2.0 */
#include "origin.h"

#include "kustomization.h"
#include "remote.h"

struct place {
	pl_str path, repo, ref, configured_in;
	pl_str api_version, kind, name, ns; /* configured by */
};

bool build_metadata_has(const struct target *top, const char *option)
{
	const pl_node *list = kustomization_field(top, "buildMetadata");
	for (size_t i = 0; i < pl_len(list); i++)
		if (str_is(pl_text(pl_item(list, i)), option))
			return true;
	return false;
}

/* ---- places ---- */

static struct place *place_new(struct build *b)
{
	return arena_alloc(b->mem, sizeof(struct place));
}

const struct place *place_top(struct build *b, const struct target *top)
{
	return pl_len(kustomization_field(top, "buildMetadata")) ? place_new(b) : NULL;
}

/* a/b without "." and ".." steps as far as they can be done by text: "../x" stays. */
static pl_str join_text(struct build *b, pl_str a, pl_str path)
{
	pl_str all = arena_printf(b->mem, "%.*s/%.*s", F(a), F(path));
	char *p = arena_alloc(b->mem, all.n + 1);
	size_t n = 0, fixed = 0; /* what is fixed are leading ".." */
	while (all.p && all.n) {
		pl_str step = str_cut(&all, '/');
		if (!step.n || str_is(step, "."))
			continue;
		if (str_is(step, "..") && n > fixed) {
			while (n > fixed && p[n - 1] != '/')
				n--;
			n -= n > fixed;
			n = n < fixed ? fixed : n;
			continue;
		}
		if (n)
			p[n++] = '/';
		memcpy(p + n, step.p, step.n);
		n += step.n;
		if (str_is(step, ".."))
			fixed = n;
	}
	return (pl_str){p, n};
}

const struct place *place_below(struct build *b, const struct place *p, pl_str path)
{
	struct remote r;
	const char *why;
	if (!p)
		return NULL;
	struct place *q = place_new(b);
	*q = *p;
	if (remote_read(b, path, &r, &why)) {
		q->repo = r.repo;
		q->ref = r.ref;
		q->path = S("");
		/* The reference says so of a repository's root. */
		path = r.path.n ? r.path : S("notCloned");
	}
	q->path = join_text(b, q->path, path);
	return q;
}

const struct place *place_builtin(struct build *b, const struct target *t, const char *kind)
{
	const struct place *at = t->origin;
	if (!at)
		return NULL;
	struct place *p = place_new(b);
	p->repo = at->repo;
	p->ref = at->ref;
	p->configured_in = join_text(b, at->path, t->k->name);
	p->api_version = S("builtin");
	p->kind = str_of(kind);
	return p;
}

const struct place *place_config(struct build *b, const struct resource *config)
{
	if (!config->origin || !config->origin->from)
		return NULL;
	const struct place *at = config->origin->from;
	struct place *p = place_new(b);
	p->repo = at->repo;
	p->ref = at->ref;
	p->configured_in = at->path;
	p->api_version = pl_text(pl_gets(config->node, "apiVersion"));
	p->kind = config->id.gvk.kind;
	p->name = config->id.name;
	p->ns = config->id.ns;
	return p;
}

/* ---- resources ---- */

static struct origin *origin_of(struct build *b, struct resource *r)
{
	if (!r->origin)
		r->origin = arena_alloc(b->mem, sizeof(*r->origin));
	return r->origin;
}

void origin_set(struct build *b, struct resource *r, const struct place *p)
{
	if (p)
		origin_of(b, r)->from = p;
}

void origin_take_over(struct build *b, struct resource *r, const struct resource *old, bool merge)
{
	if (!old->origin)
		return;
	struct origin *o = origin_of(b, r);
	const struct place *mine = o->from;
	*o = *old->origin;
	if (!merge && mine)
		o->from = mine;
}

void origin_generated(struct build *b, struct resmap *m, const struct place *p)
{
	for (uint32_t i = 0; i < m->n && p; i++)
		if (!origin_of(b, m->v[i])->from)
			m->v[i]->origin->from = p;
}

void origin_transformed(struct build *b, struct resmap *m, const struct place *p)
{
	for (uint32_t i = 0; i < m->n && p; i++) {
		struct origin *o = origin_of(b, m->v[i]);
		if (!o->from) {
			o->from = p;
			continue;
		}
		o->changed_by = arena_grow(b->mem, o->changed_by, o->n, &o->cap, sizeof(*o->changed_by));
		o->changed_by[o->n++] = p;
	}
}

/* ---- annotations ---- */

static void put(struct build *b, pl_node *map, const char *key, pl_str value)
{
	if (value.n)
		(void)pl_sets(b->doc, map, key, pl_new_string(b->doc, value));
}

static pl_node *place_node(struct build *b, const struct place *p)
{
	pl_node *map = pl_new_map(b->doc), *by = pl_new_map(b->doc);
	put(b, map, "path", p->path);
	put(b, map, "repo", p->repo);
	put(b, map, "ref", p->ref);
	put(b, map, "configuredIn", p->configured_in);
	put(b, by, "apiVersion", p->api_version);
	put(b, by, "kind", p->kind);
	put(b, by, "name", p->name);
	put(b, by, "namespace", p->ns);
	if (pl_len(by))
		(void)pl_sets(b->doc, map, "configuredBy", by);
	return map;
}

static pl_status text_node(struct build *b, const pl_node *value, pl_node **out)
{
	char *text;
	size_t n;
	pl_status st = pl_yaml_write(value, 0, &text, &n, b->err);
	if (st)
		return st;
	*out = pl_new_string(b->doc, (pl_str){text, n});
	pl_free(text);
	return PL_OK;
}

static bool same_changes(const struct origin *a, const struct origin *b)
{
	return a && a->n == b->n && !memcmp(a->changed_by, b->changed_by, a->n * sizeof(*a->changed_by));
}

static pl_status changes_node(struct build *b, const struct origin *o, struct origin_told *last, pl_node **out)
{
	if (same_changes(last->of, o)) {
		*out = pl_copy(b->doc, b->doc, last->changed_by);
		return PL_OK;
	}
	pl_node *list = pl_new_list(b->doc);
	for (uint32_t i = 0; i < o->n; i++)
		(void)pl_append(b->doc, list, place_node(b, o->changed_by[i]));
	pl_status st = text_node(b, list, out);
	if (!st)
		*last = (struct origin_told){o, *out};
	return st;
}

pl_status origin_annotate(struct build *b, const struct target *top, const struct resource *r, pl_node *annotations,
			  struct origin_told *last)
{
	const struct origin *o = r->origin;
	pl_node *text;
	pl_status st = PL_OK;
	if (!o)
		return PL_OK;
	if (o->from && build_metadata_has(top, "originAnnotations")) {
		st = text_node(b, place_node(b, o->from), &text);
		if (!st)
			(void)pl_sets(b->doc, annotations, "config.kubernetes.io/origin", text);
	}
	if (st || !o->n || !build_metadata_has(top, "transformerAnnotations"))
		return st;
	st = changes_node(b, o, last, &text);
	if (!st)
		(void)pl_sets(b->doc, annotations, "alpha.config.kubernetes.io/transformations", text);
	return st;
}
