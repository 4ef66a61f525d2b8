/* SPDX-License-Identifier: Apache-2.0 */
/* config_read.c - field specs as users write them: configurations: files, fieldSpecs: of transformers. */
#include "cfg.h"
#include "order.h"

static pl_status read_spec(struct build *b, const pl_node *n, enum cfg_unknown unknown, struct fieldspec *out)
{
	static const struct cfg_key keys[] = {
		{"group", CFG_TEXT, offsetof(struct fieldspec, gvk.group)},
		{"version", CFG_TEXT, offsetof(struct fieldspec, gvk.version)},
		{"kind", CFG_TEXT, offsetof(struct fieldspec, gvk.kind)},
		{"path", CFG_TEXT, offsetof(struct fieldspec, path)},
		{"create", CFG_BOOL, offsetof(struct fieldspec, create)},
	};
	*out = (struct fieldspec){.at = n};
	return cfg_read(b, n, "field spec", keys, sizeof(keys) / sizeof(keys[0]), unknown, out);
}

struct spec_reader {
	struct fieldspecs *into;
	enum cfg_unknown unknown;
};

static pl_status append_spec(struct build *b, const pl_node *n, void *ctx)
{
	const struct spec_reader *r = ctx;
	struct fieldspecs *l = r->into;
	l->v = arena_grow(b->mem, l->v, l->n, &l->cap, sizeof(*l->v));
	return read_spec(b, n, r->unknown, &l->v[l->n++]);
}

pl_status fieldspecs_read(struct build *b, const pl_node *list, struct fieldspecs *out)
{
	struct spec_reader r = {out, CFG_REFUSE};
	return cfg_each(b, list, "fieldSpecs", append_spec, &r);
}

pl_status cfg_fieldspecs(struct build *b, const pl_node *list, struct fieldspecs *out)
{
	struct spec_reader r = {out, CFG_WARN};
	return cfg_each(b, list, "fieldSpecs", append_spec, &r);
}

static pl_status read_strict(struct build *b, const pl_node *list, const char *name, struct fieldspecs *into)
{
	struct spec_reader r = {into, CFG_REFUSE};
	pl_status st = cfg_each(b, list, name, append_spec, &r);
	return st ? pl_err_in(b->err, "field specs of '%s'", name) : PL_OK;
}

struct reference_file {
	struct gvk gvk;
	const pl_node *specs;
};

static pl_status add_reference(struct build *b, const pl_node *n, void *ctx)
{
	static const struct cfg_key keys[] = {
		{"group", CFG_TEXT, offsetof(struct reference_file, gvk.group)},
		{"version", CFG_TEXT, offsetof(struct reference_file, gvk.version)},
		{"kind", CFG_TEXT, offsetof(struct reference_file, gvk.kind)},
		{"fieldSpecs", CFG_NODE, offsetof(struct reference_file, specs)},
	};
	struct reference_file f = {0};
	pl_status st = cfg_read(b, n, "name reference", keys, sizeof(keys) / sizeof(keys[0]), CFG_REFUSE, &f);
	if (st)
		return st;
	struct name_reference r = {.gvk = f.gvk};
	st = fieldspecs_read(b, f.specs, &r.referrers);
	if (st)
		return st;
	struct config *file = ctx;
	file->references = arena_grow(b->mem, file->references, file->n_references, &file->cap_references, sizeof(r));
	file->references[file->n_references++] = r;
	return PL_OK;
}

/* What a configurations: file may hold. */
struct config_file {
	const pl_node *name_prefix, *name_suffix, *ns, *annotations, *labels, *plain_labels, *template_labels,
		*claim_labels, *vars, *images, *replicas, *references;
};

#define KEY(name, field)                                                                                               \
	{                                                                                                              \
		name, CFG_NODE, offsetof(struct config_file, field)                                                    \
	}
static const struct cfg_key file_keys[] = {
	KEY("namePrefix", name_prefix),
	KEY("nameSuffix", name_suffix),
	KEY("namespace", ns),
	KEY("commonAnnotations", annotations),
	KEY("commonLabels", labels),
	KEY("labels", plain_labels),
	KEY("templateLabels", template_labels),
	KEY("volumeClaimTemplateLabels", claim_labels),
	KEY("varReference", vars),
	KEY("images", images),
	KEY("replicas", replicas),
	KEY("nameReference", references),
};

/* The file as it is; merging it finds what is there twice. */
static pl_status read_file(struct build *b, const pl_node *root, struct config *out)
{
	struct config_file f = {0};
	pl_status st = cfg_read(b, root, "configurations file", file_keys, sizeof(file_keys) / sizeof(file_keys[0]),
				CFG_REFUSE, &f);
	const struct {
		struct fieldspecs *into;
		const pl_node *list;
		const char *name;
	} lists[] = {
		{&out->name_prefix, f.name_prefix, "namePrefix"},
		{&out->name_suffix, f.name_suffix, "nameSuffix"},
		{&out->ns, f.ns, "namespace"},
		{&out->annotations, f.annotations, "commonAnnotations"},
		{&out->labels, f.labels, "commonLabels"},
		{&out->plain_labels, f.plain_labels, "labels"},
		{&out->template_labels, f.template_labels, "templateLabels"},
		{&out->claim_labels, f.claim_labels, "volumeClaimTemplateLabels"},
		{&out->vars, f.vars, "varReference"},
		{&out->images, f.images, "images"},
		{&out->replicas, f.replicas, "replicas"},
	};
	for (size_t i = 0; !st && i < sizeof(lists) / sizeof(lists[0]); i++)
		st = read_strict(b, lists[i].list, lists[i].name, lists[i].into);
	return st ? st : cfg_each(b, f.references, "nameReference", add_reference, out);
}

pl_status config_read(struct build *b, struct config *into, const pl_node *root)
{
	struct config file = {0};
	pl_status st = read_file(b, root, &file);
	if (st)
		return st;
	config_sort(b, &file);
	return config_merge(b, into, &file, root);
}
