/* SPDX-License-Identifier: Apache-2.0 */
/* generate.c - the generators of ConfigMaps and Secrets. */
#include "generate.h"
#include "cfg.h"

struct generator {
	pl_str name, ns, behavior, type;
	struct data_sources from;
	const pl_node *options;
};

struct generator_options {
	const pl_node *labels, *annotations;
	bool no_hash, immutable;
};

static pl_status read_generator(struct build *b, const pl_node *cfg, const char *kind, struct generator *g)
{
	static const struct cfg_key keys[] = {
		{"name", CFG_TEXT, offsetof(struct generator, name)},
		{"namespace", CFG_TEXT, offsetof(struct generator, ns)},
		{"behavior", CFG_TEXT, offsetof(struct generator, behavior)},
		{"literals", CFG_NODE, offsetof(struct generator, from.literals)},
		{"files", CFG_NODE, offsetof(struct generator, from.files)},
		{"envs", CFG_NODE, offsetof(struct generator, from.envs)},
		{"options", CFG_NODE, offsetof(struct generator, options)},
		{"type", CFG_TEXT, offsetof(struct generator, type)},
	};
	*g = (struct generator){0};
	pl_status st = cfg_read_transformer(b, cfg, keys, sizeof(keys) / sizeof(keys[0]), g);
	if (st)
		return st;
	const pl_node *meta = pl_gets(cfg, "metadata");
	if (!g->name.n)
		g->name = pl_text(pl_gets(meta, "name"));
	if (!g->ns.n)
		g->ns = pl_text(pl_gets(meta, "namespace"));
	if (!g->name.n)
		return fail(b, PL_EINVAL, cfg, "a %s generator must have a name", kind);
	return PL_OK;
}

static pl_status read_options(struct build *b, const pl_node *node, struct generator_options *o)
{
	static const struct cfg_key keys[] = {
		{"labels", CFG_NODE, offsetof(struct generator_options, labels)},
		{"annotations", CFG_NODE, offsetof(struct generator_options, annotations)},
		{"disableNameSuffixHash", CFG_BOOL, offsetof(struct generator_options, no_hash)},
		{"immutable", CFG_BOOL, offsetof(struct generator_options, immutable)},
	};
	*o = (struct generator_options){0};
	if (!node || pl_kind(node) == PL_NULL)
		return PL_OK;
	return cfg_read(b, node, "generator's options", keys, sizeof(keys) / sizeof(keys[0]), CFG_WARN, o);
}

static uint8_t read_behavior(struct build *b, const pl_node *cfg, pl_str text)
{
	static const char *const names[] = {"create", "replace", "merge"};
	static const uint8_t values[] = {BEHAVIOR_CREATE, BEHAVIOR_REPLACE, BEHAVIOR_MERGE};
	for (size_t i = 0; i < 3; i++)
		if (str_is(text, names[i]))
			return values[i];
	if (text.n && !str_is(text, "unspecified")) {
		pl_place at = pl_at(b->doc, pl_gets(cfg, "behavior"));
		const char *near = str_nearest(text, names, 3);
		pl_str line = arena_printf(b->mem, "%s:%u:%u: unknown behavior '%.*s' is passed over (%s%s%s)",
					   at.file ? at.file : "", at.line, at.col, F(text),
					   near ? "did you mean '" : "have: create, replace, merge", near ? near : "",
					   near ? "'?" : "");
		b->h->log(b->h->ctx, PL_LOG_WARN, line);
	}
	return BEHAVIOR_UNSPECIFIED;
}

/* ---- the object ---- */

static void set_text(struct build *b, pl_node *map, const char *key, pl_str text)
{
	(void)pl_sets(b->doc, map, key, pl_new_string(b->doc, text)); /* the doc is ours and not frozen */
}

static pl_status set_pairs(struct build *b, pl_node *meta, const char *key, const pl_node *from)
{
	struct cfg_pairs pairs = {NULL, 0};
	pl_status st = from ? cfg_pairs(b, from, key, &pairs) : PL_OK;
	if (st || !pairs.n)
		return st;
	pl_node *map = pl_new_map(b->doc);
	for (size_t i = 0; i < pairs.n; i++)
		(void)pl_add(b->doc, map, pairs.v[i].key, pl_new_string(b->doc, pairs.v[i].value));
	(void)pl_sets(b->doc, meta, key, map);
	return PL_OK;
}

static pl_status make_object(struct build *b, const pl_node *cfg, const char *kind, const struct generator *g,
			     const struct generator_options *o, pl_node **out)
{
	pl_node *object = pl_new_map(b->doc), *meta = pl_new_map(b->doc);
	pl_set_at(b->doc, object, b->doc, cfg);
	pl_set_at(b->doc, meta, b->doc, cfg);
	set_text(b, object, "apiVersion", S("v1"));
	set_text(b, object, "kind", str_of(kind));
	(void)pl_sets(b->doc, object, "metadata", meta);
	set_text(b, meta, "name", g->name);
	if (g->ns.n)
		set_text(b, meta, "namespace", g->ns);
	*out = object;
	pl_status st = set_pairs(b, meta, "labels", o->labels);
	if (!st)
		st = set_pairs(b, meta, "annotations", o->annotations);
	if (!st && o->immutable)
		(void)pl_sets(b->doc, object, "immutable", pl_new_bool(b->doc, 1));
	return st;
}

static pl_node *submap(struct build *b, pl_node *object, const char *key)
{
	pl_node *map = pl_gets(object, key);
	if (map)
		return map;
	map = pl_new_map(b->doc);
	(void)pl_sets(b->doc, object, key, map);
	return map;
}

static void add_text(struct build *b, pl_node *object, const struct datum *d)
{
	if (!utf8_valid(d->value)) {
		(void)pl_add(b->doc, submap(b, object, "binaryData"), d->key, base64_node(b, d->value));
		return;
	}
	pl_node *text = pl_new_string(b->doc, d->value);
	if (d->value.n && memchr(d->value.p, '\n', d->value.n))
		pl_set_style(text, PL_STYLE_LITERAL);
	(void)pl_add(b->doc, submap(b, object, "data"), d->key, text);
}

static void add_secret(struct build *b, pl_node *object, const struct datum *d)
{
	(void)pl_add(b->doc, submap(b, object, "data"), d->key, base64_node(b, d->value));
}

static pl_status generate(struct build *b, struct target *t, const pl_node *cfg, const char *kind, bool secret,
			  struct resmap *out)
{
	struct generator g;
	struct generator_options o;
	struct data data;
	struct resource *r;
	pl_node *object;
	pl_status st = read_generator(b, cfg, kind, &g);
	if (!st)
		st = read_options(b, g.options, &o);
	if (!st)
		st = make_object(b, cfg, kind, &g, &o, &object);
	if (st)
		return st;
	pl_str what = arena_printf(b->mem, "%s '%.*s'", kind, F(g.name));
	if (secret) {
		set_text(b, object, "type", g.type.n ? g.type : S("Opaque"));
		(void)submap(b, object, "data");
	}
	st = data_read(b, t, &g.from, what, &data);
	if (st) {
		pl_err_in(b->err, "generator of %.*s", F(what));
		return st;
	}
	for (uint32_t i = 0; i < data.n; i++)
		(secret ? add_secret : add_text)(b, object, &data.v[i]);
	st = resource_new(b, object, &r);
	if (st)
		return st;
	r->behavior = read_behavior(b, cfg, g.behavior);
	r->needs_hash = !o.no_hash;
	return resmap_append(b, out, r);
}

pl_status generate_config_map(struct build *b, struct target *t, const pl_node *cfg, struct resmap *out)
{
	return generate(b, t, cfg, "ConfigMap", false, out);
}

pl_status generate_secret(struct build *b, struct target *t, const pl_node *cfg, struct resmap *out)
{
	return generate(b, t, cfg, "Secret", true, out);
}
