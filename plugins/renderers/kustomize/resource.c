/* SPDX-License-Identifier: Apache-2.0 */
#include "kustomize.h"
#include "resmap.h"

static struct id read_id(struct build *b, const pl_node *node)
{
	const pl_node *meta = pl_gets(node, "metadata");
	struct id id = {.gvk = gvk_of(node),
			.name = scalar_text(pl_gets(meta, "name")),
			.ns = scalar_text(pl_gets(meta, "namespace"))};
	id.cluster = gvk_cluster_scoped(b, &id.gvk);
	return id;
}

/* ---- what a build before this one has left ---- */

/*
 * The reference keeps its notes in annotations, and takes them up again where it finds them: in the output of another
 * program that works on a build's resources, say.
 */
#define NOTES "internal.config.kubernetes.io/"

static pl_str note(const pl_node *annotations, const char *key)
{
	return scalar_text(pl_gets(annotations, key));
}

static struct strings note_list(struct build *b, const pl_node *annotations, const char *key)
{
	struct strings l = {NULL, 0, 0};
	pl_str rest = note(annotations, key);
	while (rest.n) {
		l.v = arena_grow(b->mem, l.v, l.n, &l.cap, sizeof(*l.v));
		l.v[l.n++] = str_cut(&rest, ',');
	}
	return l;
}

static pl_status read_previous(struct build *b, struct resource *r, const pl_node *annotations)
{
	struct strings names = note_list(b, annotations, NOTES "previousNames"),
		       spaces = note_list(b, annotations, NOTES "previousNamespaces"),
		       kinds = note_list(b, annotations, NOTES "previousKinds");
	if (names.n != spaces.n || names.n != kinds.n)
		return fail(b, PL_EINVAL, annotations,
			    "the annotations '" NOTES
			    "previous…' don't fit together: %u names, %u namespaces, %u kinds",
			    names.n, spaces.n, kinds.n);
	for (uint32_t i = 0; i < names.n; i++) {
		r->previous = arena_grow(b->mem, r->previous, r->n_previous, &r->cap_previous, sizeof(*r->previous));
		struct id *id = &r->previous[r->n_previous++];
		*id = (struct id){.gvk = r->id.gvk, .name = names.v[i], .ns = spaces.v[i]};
		id->gvk.kind = kinds.v[i];
		id->cluster = gvk_cluster_scoped(b, &id->gvk);
	}
	return PL_OK;
}

static pl_status read_notes(struct build *b, struct resource *r)
{
	const pl_node *annotations = pl_gets(pl_gets(r->node, "metadata"), "annotations");
	bool any = false;
	for (size_t i = 0; pl_kind(annotations) == PL_MAP && i < pl_len(annotations) && !any; i++)
		any = str_starts(pl_text(pl_key(annotations, i)), S(NOTES));
	if (!any)
		return PL_OK;
	r->needs_hash = str_is(note(annotations, NOTES "needsHashSuffix"), "enabled");
	r->allow_name_change = str_is(note(annotations, NOTES "allowNameChange"), "enabled");
	r->allow_kind_change = str_is(note(annotations, NOTES "allowKindChange"), "enabled");
	r->prefixes = note_list(b, annotations, NOTES "prefixes");
	r->suffixes = note_list(b, annotations, NOTES "suffixes");
	return read_previous(b, r, annotations);
}

static pl_status read_resource(struct build *b, pl_node *node, struct resource *r)
{
	if (pl_kind(node) != PL_MAP)
		return fail(b, PL_EINVAL, node, "a resource must be a map");
	const pl_node *meta = pl_gets(node, "metadata");
	if (meta && pl_kind(meta) != PL_MAP && pl_kind(meta) != PL_NULL)
		return fail(b, PL_EINVAL, meta, "'metadata' of a resource must be a map");
	struct id id = read_id(b, node);
	if (!id.gvk.kind.n)
		return fail(b, PL_EINVAL, node, "missing 'kind' in a resource%s%.*s%s", id.name.n ? " named '" : "",
			    F(id.name), id.name.n ? "'" : "");
	if (!id.name.n && !str_ends(id.gvk.kind, S("List")))
		return fail(b, PL_EINVAL, meta ? meta : node, "missing 'metadata.name' in a resource of kind '%.*s'",
			    F(id.gvk.kind));
	*r = (struct resource){.node = node, .id = id};
	return read_notes(b, r);
}

pl_status resource_new(struct build *b, pl_node *node, struct resource **out)
{
	struct resource r;
	pl_status st = read_resource(b, node, &r);
	*out = NULL;
	if (st)
		return st;
	*out = arena_alloc(b->mem, sizeof(**out));
	**out = r;
	return PL_OK;
}

pl_status resource_check(struct build *b, pl_node *node)
{
	struct resource r;
	return read_resource(b, node, &r);
}

static bool same_id(const struct id *a, const struct id *b)
{
	return a->cluster == b->cluster && str_eq(a->name, b->name) && str_eq(a->ns, b->ns) &&
	       gvk_equal(&a->gvk, &b->gvk);
}

void resource_refresh(struct build *b, struct resmap *m, struct resource *r)
{
	struct id old = r->id;
	r->id = read_id(b, r->node);
	bool same = same_id(&old, &r->id);
	/* The reference keeps names, namespaces and kinds of the past, but group and version are always today's. */
	for (uint32_t i = 0; i < r->n_previous; i++) {
		struct gvk *g = &r->previous[i].gvk;
		same = same && str_eq(g->group, r->id.gvk.group) && str_eq(g->version, r->id.gvk.version);
		g->group = r->id.gvk.group;
		g->version = r->id.gvk.version;
	}
	if (same)
		return;
	b->renamed++;
	if (m)
		resmap_renamed(b, m, r, &old);
}

void resource_remember(struct build *b, struct resource *r)
{
	r->previous = arena_grow(b->mem, r->previous, r->n_previous, &r->cap_previous, sizeof(*r->previous));
	struct id *id = &r->previous[r->n_previous++];
	*id = r->id;
	id->ns = id_namespace(b, &r->id);
}

const struct id *resource_original(const struct resource *r)
{
	return r->n_previous ? &r->previous[0] : &r->id;
}

bool resource_had_id(const struct resource *r, const struct id *id)
{
	for (uint32_t i = 0; i < r->n_previous; i++)
		if (id_equal(&r->previous[i], id))
			return true;
	return id_equal(&r->id, id);
}

static pl_node *metadata(struct build *b, struct resource *r)
{
	pl_node *meta = pl_gets(r->node, "metadata");
	if (pl_kind(meta) == PL_MAP)
		return meta;
	meta = pl_new_map(b->doc);
	(void)pl_sets(b->doc, r->node, "metadata", meta); /* the doc is ours and not frozen */
	return meta;
}

void resource_set_name(struct build *b, struct resmap *m, struct resource *r, pl_str name)
{
	(void)pl_sets(b->doc, metadata(b, r), "name", pl_new_string(b->doc, name));
	resource_refresh(b, m, r);
}

void resource_set_namespace(struct build *b, struct resmap *m, struct resource *r, pl_str ns)
{
	if (ns.n)
		(void)pl_sets(b->doc, metadata(b, r), "namespace", pl_new_string(b->doc, ns));
	else if (pl_kind(pl_gets(r->node, "metadata")) == PL_MAP)
		(void)pl_remove(b->doc, pl_gets(r->node, "metadata"), S("namespace"));
	resource_refresh(b, m, r);
}
