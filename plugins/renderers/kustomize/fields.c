/* SPDX-License-Identifier: Apache-2.0 */
/* A kustomization's own fields, brought into the form of configurations of built-in generators and transformers. */
#include "accumulate.h"

/* A map {key: value} at value's place. */
static pl_node *wrap(struct build *b, const char *key, pl_node *value)
{
	pl_node *map = pl_new_map(b->doc);
	pl_set_at(b->doc, map, b->doc, value);
	(void)pl_sets(b->doc, map, key, value);
	return map;
}

/* ---- configMapGenerator:, secretGenerator: ---- */

/* What global has and local lacks. */
static void merge_texts(struct build *b, pl_node *local, const pl_node *global, const char *key)
{
	const pl_node *from = pl_gets(global, key), *mine = pl_gets(local, key);
	if (!pl_len(from))
		return;
	pl_node *merged = pl_new_map(b->doc);
	for (size_t i = 0; i < pl_len(mine); i++)
		(void)pl_set(b->doc, merged, pl_text(pl_key(mine, i)), pl_value(mine, i));
	for (size_t i = 0; i < pl_len(from); i++)
		if (!pl_get(merged, pl_text(pl_key(from, i))))
			(void)pl_set(b->doc, merged, pl_text(pl_key(from, i)), pl_value(from, i));
	(void)pl_sets(b->doc, local, key, merged);
}

static pl_node *with_options(struct build *b, pl_node *cfg, const pl_node *global)
{
	static const char *const flags[] = {"disableNameSuffixHash", "immutable"};
	if (!global)
		return cfg;
	pl_node *options = pl_gets(cfg, "options");
	if (!options) {
		options = pl_new_map(b->doc);
		pl_set_at(b->doc, options, b->doc, cfg);
		(void)pl_sets(b->doc, cfg, "options", options);
	}
	merge_texts(b, options, global, "labels");
	merge_texts(b, options, global, "annotations");
	for (size_t i = 0; i < 2; i++)
		if (pl_bool(pl_gets(global, flags[i])))
			(void)pl_sets(b->doc, options, flags[i], pl_gets(global, flags[i]));
	return cfg;
}

static pl_status generate_all(struct build *b, struct target *t, const char *field, const char *kind,
			      generate_fn generate, struct accumulator *acc)
{
	const pl_node *list = kustomization_field(t, field), *global = kustomization_field(t, "generatorOptions");
	pl_status st = PL_OK;
	const struct place *by = list ? place_builtin(b, t, kind) : NULL;
	for (size_t i = 0; i < pl_len(list) && !st; i++)
		st = run_generator(b, t, generate, with_options(b, pl_item(list, i), global), by, acc);
	return st;
}

pl_status fields_generate(struct build *b, struct target *t, struct accumulator *acc)
{
	pl_status st = generate_all(b, t, "configMapGenerator", "ConfigMapGenerator", generate_config_map, acc);
	return st ? st : generate_all(b, t, "secretGenerator", "SecretGenerator", generate_secret, acc);
}

/* ---- labels: ---- */

static pl_status add_all(struct build *b, struct fieldspecs *to, const struct fieldspecs *from, const pl_node *at)
{
	pl_status st = PL_OK;
	for (uint32_t i = 0; i < from->n && !st; i++)
		st = fieldspecs_add(b, to, &from->v[i], at);
	return st;
}

static bool holds(const struct fieldspecs *l, const struct fieldspec *f)
{
	for (uint32_t i = 0; i < l->n; i++)
		if (str_eq(l->v[i].path, f->path) && gvk_equal(&l->v[i].gvk, &f->gvk))
			return true;
	return false;
}

/* includeTemplates reaches volume claim templates too, unless includeVolumeClaimTemplates says false. */
static pl_status template_fields(struct build *b, const pl_node *entry, const struct config *c, struct fieldspecs *out)
{
	const pl_node *claims = pl_gets(entry, "includeVolumeClaimTemplates");
	pl_status st = PL_OK;
	for (uint32_t i = 0; i < c->template_labels.n && !st; i++)
		if (!claims || pl_bool(claims) || !holds(&c->claim_labels, &c->template_labels.v[i]))
			st = fieldspecs_add(b, out, &c->template_labels.v[i], entry);
	return st;
}

/* Where an entry of labels: goes: its own fields, then those that its flags ask for. */
static pl_status label_fields(struct build *b, const pl_node *entry, const struct config *c, struct fieldspecs *out)
{
	static const struct fieldspec metadata = {.path = {"metadata/labels", 15}, .create = true};
	const pl_node *fields = pl_gets(entry, "fields");
	pl_status st = fields ? fieldspecs_read(b, fields, out) : PL_OK;
	if (!st)
		st = add_all(b, out, &c->plain_labels, entry);
	if (!st && pl_bool(pl_gets(entry, "includeSelectors")))
		return add_all(b, out, &c->labels, entry);
	if (!st && pl_bool(pl_gets(entry, "includeTemplates")))
		st = template_fields(b, entry, c, out);
	if (!st && pl_bool(pl_gets(entry, "includeVolumeClaimTemplates")))
		st = add_all(b, out, &c->claim_labels, entry);
	return st ? st : fieldspecs_add(b, out, &metadata, entry);
}

struct step { /* one built-in transformer that fields ask for */
	struct build *b;
	struct target *t;
	struct accumulator *acc;
	const struct place *by;
};

static pl_status run(const struct step *s, transform_fn transform, const pl_node *cfg)
{
	return run_transformer(s->b, s->t, transform, cfg, s->acc->config, s->by, s->acc->m);
}

/* The transformer of commonLabels goes with that of labels, whether there are any or not: build metadata tell so. */
static pl_status labels(const struct step *s, pl_node *list)
{
	pl_status st = PL_OK;
	for (size_t i = 0; i < pl_len(list) && !st; i++) {
		const pl_node *entry = pl_item(list, i);
		pl_node *pairs = pl_gets(entry, "pairs");
		struct config c = *s->acc->config;
		c.labels = (struct fieldspecs){NULL, 0, 0};
		st = label_fields(s->b, entry, s->acc->config, &c.labels);
		if (!st && pl_len(pairs))
			st = run_transformer(s->b, s->t, transform_labels, wrap(s->b, "labels", pairs), &c, s->by,
					     s->acc->m);
		else if (!st)
			origin_transformed(s->b, s->acc->m, s->by);
	}
	if (!st && pl_len(list) && !pl_len(kustomization_field(s->t, "commonLabels")))
		origin_transformed(s->b, s->acc->m, s->by);
	return st;
}

/* ---- the others ---- */

static pl_status strategic_patches(const struct step *s, pl_node *value)
{
	return pl_len(value) ? run(s, transform_patch_strategic, wrap(s->b, "paths", value)) : PL_OK;
}

static pl_status patches(const struct step *s, pl_node *list)
{
	pl_status st = PL_OK;
	for (size_t i = 0; i < pl_len(list) && !st; i++)
		st = run(s, transform_patch, pl_item(list, i));
	return st;
}

static pl_status namespaces(const struct step *s, pl_node *value)
{
	return run(s, transform_namespace, wrap(s->b, "metadata", wrap(s->b, "namespace", value)));
}

static pl_status prefix(const struct step *s, pl_node *value)
{
	return run(s, transform_prefix, wrap(s->b, "prefix", value));
}

static pl_status suffix(const struct step *s, pl_node *value)
{
	return run(s, transform_suffix, wrap(s->b, "suffix", value));
}

static pl_status common_labels(const struct step *s, pl_node *value)
{
	return pl_len(value) ? run(s, transform_labels, wrap(s->b, "labels", value)) : PL_OK;
}

static pl_status common_annotations(const struct step *s, pl_node *value)
{
	return pl_len(value) ? run(s, transform_annotations, wrap(s->b, "annotations", value)) : PL_OK;
}

/* The transformer calls the patch's text jsonOp. */
static pl_status json_patches(const struct step *s, pl_node *list)
{
	struct build *b = s->b;
	pl_status st = PL_OK;
	for (size_t i = 0; i < pl_len(list) && !st; i++) {
		const pl_node *entry = pl_item(list, i);
		pl_node *cfg = pl_new_map(b->doc);
		pl_set_at(b->doc, cfg, b->doc, entry);
		for (size_t j = 0; j < pl_len(entry); j++) {
			pl_str key = pl_text(pl_key(entry, j));
			if (!str_is(key, "options"))
				(void)pl_sets(b->doc, cfg, str_is(key, "patch") ? "jsonOp" : key.p, pl_value(entry, j));
		}
		st = run(s, transform_patch_json, cfg);
	}
	return st;
}

static pl_status replicas(const struct step *s, pl_node *list)
{
	pl_status st = PL_OK;
	for (size_t i = 0; i < pl_len(list) && !st; i++)
		st = run(s, transform_replicas, wrap(s->b, "replica", pl_item(list, i)));
	return st;
}

/* One walk for all entries; build metadata tell of one transformer each. */
static pl_status images(const struct step *s, pl_node *list)
{
	pl_status st = pl_len(list) ? run(s, transform_images, wrap(s->b, "imageTags", list)) : PL_OK;
	for (size_t i = 1; i < pl_len(list) && !st; i++)
		origin_transformed(s->b, s->acc->m, s->by);
	return st;
}

static pl_status replacements(const struct step *s, pl_node *value)
{
	return pl_len(value) ? run(s, transform_replacement, wrap(s->b, "replacements", value)) : PL_OK;
}

/* In the reference's order, whatever the file's. */
static const struct {
	const char *field, *kind;
	pl_status (*run)(const struct step *s, pl_node *value);
} steps[] = {
	{"patchesStrategicMerge", "PatchStrategicMergeTransformer", strategic_patches},
	{"patches", "PatchTransformer", patches},
	{"namespace", "NamespaceTransformer", namespaces},
	{"namePrefix", "PrefixTransformer", prefix},
	{"nameSuffix", "SuffixTransformer", suffix},
	{"labels", "LabelTransformer", labels},
	{"commonLabels", "LabelTransformer", common_labels},
	{"commonAnnotations", "AnnotationsTransformer", common_annotations},
	{"patchesJson6902", "PatchJson6902Transformer", json_patches},
	{"replicas", "ReplicaCountTransformer", replicas},
	{"images", "ImageTagTransformer", images},
	{"replacements", "ReplacementTransformer", replacements},
};

pl_status fields_transform(struct build *b, struct target *t, struct accumulator *acc)
{
	for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++) {
		pl_node *value = kustomization_field(t, steps[i].field);
		pl_status st;
		if (!value)
			continue;
		if (cancelled(b, &st))
			return st;
		struct step s = {b, t, acc, place_builtin(b, t, steps[i].kind)};
		st = steps[i].run(&s, value);
		if (st)
			return pl_err_in(b->err, "%s", steps[i].field);
	}
	return PL_OK;
}
