/* SPDX-License-Identifier: Apache-2.0 */
/*
 * select.c - which resources a target means.
 *
 * Name and namespace are tried on what the resource was called first and on what it is called now, group, version and
 * kind on what it is now; labels and annotations as they are now.
 */
#include "cfg.h"
#include "select.h"

struct selector {
	struct pattern group, version, kind, name, ns;
	struct requirements *labels, *annotations;
};

/* ---- patterns ---- */

static void free_regex(void *p)
{
	pl_regex_free(p);
}

pl_status regex_read(struct build *b, const pl_node *at, const char *where, pl_str text, pl_regex **out)
{
	pl_status st = pl_regex_new(text, out, b->err);
	if (!st) {
		arena_defer(b->mem, free_regex, *out);
		return PL_OK;
	}
	pl_str why = arena_dup(b->mem, str_of(pl_err_text(b->err)));
	return fail(b, st, at, "%s: %.*s", where, F(why));
}

pl_status pattern_read(struct build *b, const pl_node *at, const char *field, pl_str text, struct pattern *out)
{
	static const char special[] = "\\+*?()|[]{}^$";
	*out = (struct pattern){.text = text, .literal = true, .dots = true};
	for (size_t i = 0; i < text.n; i++) {
		out->literal &= text.p[i] != '.';
		out->dots &= !(text.p[i] & 0x80) && text.p[i] && !strchr(special, text.p[i]);
	}
	out->literal &= out->dots;
	return out->dots ? PL_OK : regex_read(b, at, field, text, &out->regex);
}

static bool dots_match(pl_str pattern, pl_str s)
{
	if (pattern.n != s.n)
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] != pattern.p[i] && (pattern.p[i] != '.' || s.p[i] == '\n'))
			return false;
	return true;
}

bool pattern_matches(const struct pattern *p, pl_str s)
{
	if (!p->text.n)
		return true;
	if (p->literal)
		return str_eq(p->text, s);
	return p->dots ? dots_match(p->text, s) : pl_regex_full(p->regex, s) != 0;
}

/* ---- selectors ---- */

struct selector_fields {
	pl_str group, version, kind, name, ns, labels, annotations;
};

static pl_status read_patterns(struct build *b, const pl_node *target, const struct selector_fields *f,
			       struct selector *s)
{
	const struct {
		const char *field;
		pl_str text;
		struct pattern *out;
	} all[] = {
		{"group", f->group, &s->group}, {"version", f->version, &s->version}, {"kind", f->kind, &s->kind},
		{"name", f->name, &s->name},	{"namespace", f->ns, &s->ns},
	};
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		const pl_node *at = pl_gets(target, all[i].field);
		pl_status st = pattern_read(b, at ? at : target, all[i].field, all[i].text, all[i].out);
		if (st)
			return st;
	}
	return PL_OK;
}

pl_status selector_read(struct build *b, const pl_node *target, struct selector **out)
{
	static const struct cfg_key keys[] = {
		{"group", CFG_TEXT, offsetof(struct selector_fields, group)},
		{"version", CFG_TEXT, offsetof(struct selector_fields, version)},
		{"kind", CFG_TEXT, offsetof(struct selector_fields, kind)},
		{"name", CFG_TEXT, offsetof(struct selector_fields, name)},
		{"namespace", CFG_TEXT, offsetof(struct selector_fields, ns)},
		{"labelSelector", CFG_TEXT, offsetof(struct selector_fields, labels)},
		{"annotationSelector", CFG_TEXT, offsetof(struct selector_fields, annotations)},
	};
	struct selector_fields f = {0};
	struct selector *s = arena_alloc(b->mem, sizeof(*s));
	*out = s;
	pl_status st = cfg_read(b, target, "target", keys, sizeof(keys) / sizeof(keys[0]), CFG_WARN, &f);
	if (!st)
		st = read_patterns(b, target, &f, s);
	if (!st)
		st = requirements_read(b, pl_gets(target, "labelSelector"), "labelSelector", f.labels, &s->labels);
	if (!st)
		st = requirements_read(b, pl_gets(target, "annotationSelector"), "annotationSelector", f.annotations,
				       &s->annotations);
	return st;
}

bool selector_matches(struct build *b, const struct selector *s, const struct resource *r)
{
	const struct id *now = &r->id, *first = resource_original(r);
	if (!r->node || !pattern_matches(&s->kind, now->gvk.kind) || !pattern_matches(&s->group, now->gvk.group) ||
	    !pattern_matches(&s->version, now->gvk.version))
		return false;
	if (!pattern_matches(&s->name, first->name) && !pattern_matches(&s->name, now->name))
		return false;
	if (s->ns.text.n && !pattern_matches(&s->ns, id_namespace(b, first)) &&
	    !pattern_matches(&s->ns, id_namespace(b, now)))
		return false;
	const pl_node *meta = pl_gets(r->node, "metadata");
	return requirements_hold(s->labels, pl_gets(meta, "labels")) &&
	       requirements_hold(s->annotations, pl_gets(meta, "annotations"));
}

pl_status selector_find(struct build *b, const struct selector *s, struct resmap *m, struct resource ***out, size_t *n)
{
	struct resource *const *from = m->v;
	size_t most = m->n;
	if (s->name.literal && s->name.text.n)
		most = resmap_named(b, m, s->name.text, &from);
	*n = 0;
	*out = NULL;
	uint32_t cap = 0;
	for (size_t i = 0; i < most; i++) {
		if (!selector_matches(b, s, from[i]))
			continue;
		*out = arena_grow(b->mem, *out, (uint32_t)*n, &cap, sizeof(**out));
		(*out)[(*n)++] = from[i];
	}
	return PL_OK;
}
