/* SPDX-License-Identifier: Apache-2.0 */
/*
 * replacement_select.c - which resources a replacement's target means.
 *
 * Other than a patch's target it is tried on every id that a resource has or had, each as a whole.
 */
#include "cfg.h"
#include "replacement.h"
#include "select.h"

struct part { /* a regular expression for the whole text; most are plain texts */
	pl_str text;
	bool literal;
	bool dots; /* nothing special but dots */
	pl_regex *re;
};

struct ids {
	struct part group, version, kind, name, ns;
};

struct repl_select {
	struct ids ids;
	bool any_id;				   /* none of ids is given */
	struct requirements *labels, *annotations; /* NULL: none are asked for */
};

/* ---- reading ---- */

static void free_regex(void *p)
{
	pl_regex_free(p);
}

static pl_status part_read(struct build *b, const pl_node *at, const char *field, struct part *p)
{
	p->dots = p->literal = true;
	for (size_t i = 0; i < p->text.n; i++) {
		char c = p->text.p[i];
		p->literal &= c != '.';
		p->dots &= !((unsigned char)c & 0x80) && c && !strchr("\\+*?()|[]{}^$", c);
	}
	p->literal &= p->dots;
	if (p->dots)
		return PL_OK;
	if (pl_regex_new(p->text, &p->re, b->err)) {
		pl_str why = arena_dup(b->mem, str_of(pl_err_text(b->err)));
		return fail(b, PL_EINVAL, at, "%s '%.*s' is no regular expression: %.*s", field, F(p->text), F(why));
	}
	arena_defer(b->mem, free_regex, p->re);
	return PL_OK;
}

static pl_status parts_read(struct build *b, const pl_node *n, struct repl_select *s)
{
	struct {
		const char *name;
		struct part *part;
	} all[] = {{"group", &s->ids.group},
		   {"version", &s->ids.version},
		   {"kind", &s->ids.kind},
		   {"name", &s->ids.name},
		   {"namespace", &s->ids.ns}};
	s->any_id = true;
	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
		const pl_node *at = pl_gets(n, all[i].name);
		pl_status st = part_read(b, at ? at : n, all[i].name, all[i].part);
		s->any_id &= !all[i].part->text.n;
		if (st)
			return st;
	}
	return PL_OK;
}

struct label_keys {
	const pl_node *labels, *annotations;
};

static pl_status labels_read(struct build *b, const struct label_keys *k, struct repl_select *s)
{
	pl_str text = S("");
	pl_status st = k->labels ? cfg_text(b, k->labels, "labelSelector", &text) : PL_OK;
	if (!st && text.n)
		st = requirements_read(b, k->labels, "labelSelector", text, &s->labels);
	text = S("");
	if (!st && k->annotations)
		st = cfg_text(b, k->annotations, "annotationSelector", &text);
	if (!st && text.n)
		st = requirements_read(b, k->annotations, "annotationSelector", text, &s->annotations);
	return st;
}

struct select_keys {
	struct label_keys labels;
	pl_str group, version, kind, name, ns;
};

pl_status repl_select_read(struct build *b, const pl_node *n, bool strict, const char *what, struct repl_select **out)
{
	static const struct cfg_key keys[] = {
		{"group", CFG_TEXT, offsetof(struct select_keys, group)},
		{"version", CFG_TEXT, offsetof(struct select_keys, version)},
		{"kind", CFG_TEXT, offsetof(struct select_keys, kind)},
		{"name", CFG_TEXT, offsetof(struct select_keys, name)},
		{"namespace", CFG_TEXT, offsetof(struct select_keys, ns)},
		{"labelSelector", CFG_NODE, offsetof(struct select_keys, labels.labels)},
		{"annotationSelector", CFG_NODE, offsetof(struct select_keys, labels.annotations)},
	};
	struct select_keys k = {0};
	struct repl_select *s = arena_alloc(b->mem, sizeof(*s));
	pl_status st = cfg_read(b, n, what, keys, sizeof(keys) / sizeof(*keys), strict ? CFG_REFUSE : CFG_WARN, &k);
	*out = s;
	s->ids = (struct ids){.group = {.text = k.group},
			      .version = {.text = k.version},
			      .kind = {.text = k.kind},
			      .name = {.text = k.name},
			      .ns = {.text = k.ns}};
	if (!st)
		st = parts_read(b, n, s);
	return st ? st : labels_read(b, &k.labels, s);
}

/* ---- matching ---- */

static bool dots_match(pl_str pattern, pl_str s)
{
	if (pattern.n != s.n)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] != pattern.p[i] && (pattern.p[i] != '.' || s.p[i] == '\n'))
			return false;
	}
	return true;
}

static bool part_matches(const struct part *p, pl_str s)
{
	if (!p->text.n)
		return true;
	if (p->literal)
		return str_eq(p->text, s);
	return p->dots ? dots_match(p->text, s) : pl_regex_full(p->re, s) != 0;
}

static bool id_matches(const struct ids *p, const struct id *id, pl_str ns)
{
	return part_matches(&p->name, id->name) && part_matches(&p->kind, id->gvk.kind) &&
	       part_matches(&p->group, id->gvk.group) && part_matches(&p->version, id->gvk.version) &&
	       part_matches(&p->ns, ns);
}

static bool ids_match(struct build *b, const struct ids *p, const struct resource *r)
{
	if (id_matches(p, &r->id, r->id.ns.n ? r->id.ns : S("default")))
		return true;
	for (uint32_t i = 0; i < r->n_previous; i++) {
		const struct id *id = &r->previous[i];
		if (id_matches(p, id, p->ns.text.n ? id_namespace(b, id) : S("")))
			return true;
	}
	return false;
}

static bool labels_match(const struct repl_select *s, const struct resource *r)
{
	const pl_node *meta = pl_gets(r->node, "metadata");
	return requirements_hold(s->labels, pl_gets(meta, "labels")) &&
	       requirements_hold(s->annotations, pl_gets(meta, "annotations"));
}

bool repl_select_matches(struct build *b, const struct repl_select *s, const struct resource *r)
{
	return r->node && ids_match(b, &s->ids, r) && labels_match(s, r);
}

/* What is said of ids and what is said of labels reject each on their own. */
bool repl_select_rejects(struct build *b, const struct repl_select *s, const struct resource *r)
{
	return (!s->any_id && ids_match(b, &s->ids, r)) || ((s->labels || s->annotations) && labels_match(s, r));
}

size_t repl_select_from(struct build *b, const struct repl_select *s, struct resmap *m, struct resource *const **out)
{
	if (s->ids.name.literal && s->ids.name.text.n)
		return resmap_named(b, m, s->ids.name.text, out);
	*out = m->v;
	return m->n;
}
