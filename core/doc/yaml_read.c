/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The YAML reader: libyaml's events become nodes at once. Its own document tree is never built: that would cost twice
 * the time and lose places, and it holds aliases as cycles.
 */
#include "core/doc/yaml_read.h"

#include "core/base/mem.h"
#include "core/doc/private.h"

#include <yaml.h>

_Static_assert((int)YAML_PLAIN_SCALAR_STYLE == PL_STYLE_PLAIN &&
		       (int)YAML_SINGLE_QUOTED_SCALAR_STYLE == PL_STYLE_SINGLE &&
		       (int)YAML_DOUBLE_QUOTED_SCALAR_STYLE == PL_STYLE_DOUBLE &&
		       (int)YAML_LITERAL_SCALAR_STYLE == PL_STYLE_LITERAL &&
		       (int)YAML_FOLDED_SCALAR_STYLE == PL_STYLE_FOLDED,
	       "the styles of scalars have libyaml's numbers");

static pl_str text_of(const yaml_char_t *z)
{
	return str_of((const char *)z);
}

static uint32_t line_of(const yaml_event_t *ev)
{
	return (uint32_t)ev->start_mark.line + 1;
}

static uint32_t col_of(const yaml_event_t *ev)
{
	return (uint32_t)ev->start_mark.column + 1;
}

static pl_place place_of(const struct yaml_builder *b, const yaml_event_t *ev)
{
	return doc_place(b->d, b->file, line_of(ev), col_of(ev));
}

/* Is the next node a map's key? */
static inline bool at_key(const struct yaml_builder *b)
{
	const struct yaml_frame *f;

	if (!b->n_frames)
		return false;
	f = &b->frames[b->n_frames - 1];
	return node_kind(f->node) == PL_MAP && (b->n_kids - f->first) % 2 == 0;
}

static pl_node *new_node(struct yaml_builder *b, const yaml_event_t *ev, int kind)
{
	return doc_node_new(b->d, kind, b->file, line_of(ev), col_of(ev), b->e);
}

/*
 * For every token the scanner looks at all open brackets. What nests this deep is no file of a person's, and may cost
 * so many looks in all: less than a second.
 */
enum { DEEP_FLOW = 64, MAX_FLOW_WORK = 1 << 28 };

/* ---- putting finished nodes where they belong ---- */

static void add_root(struct yaml_builder *b, pl_node *n)
{
	if (b->n_roots == b->cap_roots)
		b->roots = mem_grow(b->roots, &b->cap_roots, b->n_roots + 1, sizeof(pl_node *));
	b->roots[b->n_roots++] = n;
}

static inline void add_kid(struct yaml_builder *b, pl_node *n)
{
	if (b->n_kids == b->cap_kids)
		b->kids = mem_grow(b->kids, &b->cap_kids, b->n_kids + 1, sizeof(pl_node *));
	b->kids[b->n_kids++] = n;
}

static pl_status complex_key(const struct yaml_builder *b, pl_place at)
{
	pl_err_set(b->e, PL_EINVAL, at, "a list or map can't be the key of a map");
	pl_err_hint(b->e, "quote it if it is meant as text");
	return PL_EINVAL;
}

/* A key is a string, whatever a schema would make of it. An anchored key still stands for its own value elsewhere. */
static pl_status make_key(struct yaml_builder *b, pl_node **key, bool shared)
{
	struct buf json = BUF_INIT(SIZE_MAX);

	if (node_is_container(*key)) {
		pl_status st;

		if (!(b->flags & YAML_COMPLEX_KEYS))
			return complex_key(b, pl_at(b->d, *key));
		st = json_print(*key, 0, &json, b->e);
		if (!st) {
			pl_node *text = pl_new_string(b->d, buf_str(&json));

			pl_set_at(b->d, text, b->d, *key);
			*key = text;
			b->frames[b->n_frames - 1].complex = true;
		}
		buf_free(&json);
		return st;
	}
	if (shared)
		*key = pl_copy(b->d, b->d, *key);
	node_set_kind(*key, PL_STRING);
	(*key)->meta &= ~(NODE_TRUE | NODE_OCTAL);
	return PL_OK;
}

static pl_status add(struct yaml_builder *b, pl_node *n, bool shared)
{
	if (!b->n_frames) {
		add_root(b, n);
		return PL_OK;
	}
	if (at_key(b)) {
		pl_status st = node_kind(n) == PL_STRING ? PL_OK : make_key(b, &n, shared);

		if (st)
			return st;
		b->frames[b->n_frames - 1].merges |= yaml_is_merge_key(n);
	}
	add_kid(b, n);
	return PL_OK;
}

/* ---- events ---- */

/* The tag "!" only says "not plain"; on_scalar() knows who takes it for none. */
static pl_status apply_tag(struct yaml_builder *b, pl_node *n, pl_str tag)
{
	if (str_eq(tag, S("!")))
		return PL_OK;
	doc_set_tag(b->d, n, doc_string(b->d, tag));
	if (str_eq(tag, S(YAML_TAG "str")) || node_is_container(n))
		return PL_OK;
	if (b->schema != PL_SCHEMA_NONE)
		return scalar_apply_tag(b->d, n, tag, b->schema, b->e);
	if (str_starts(tag, S(YAML_TAG)))
		node_set_kind(n, PL_PLAIN); /* pl_resolve() does the rest */
	return PL_OK;
}

/* The text in the doc's arena; the same key again shares its text, which nobody changes. */
static pl_str key_text(struct yaml_builder *b, pl_str text)
{
	pl_str *seen;
	size_t hash;

	if (text.n == 0 || text.n > 40)
		return doc_string(b->d, text);
	hash = text.n * 7 + (unsigned char)text.p[0] * 3 + (unsigned char)text.p[text.n / 2] * 5 +
	       (unsigned char)text.p[text.n - 1];
	seen = &b->keys[hash % (sizeof(b->keys) / sizeof(*b->keys))];
	if (!str_eq(*seen, text))
		*seen = doc_string(b->d, text);
	return *seen;
}

static pl_status on_scalar(struct yaml_builder *b, const yaml_event_t *ev)
{
	pl_str text = {(const char *)ev->data.scalar.value, ev->data.scalar.length};
	pl_node *n = new_node(b, ev, PL_STRING);
	const yaml_char_t *anchor = ev->data.scalar.anchor;
	bool key = at_key(b);
	pl_status st = PL_OK;

	if (!n)
		return PL_ETOOBIG;
	node_set_style(n, (int)ev->data.scalar.style);
	node_set_text(n, PL_STRING, key ? key_text(b, text) : doc_string(b->d, text));
	if (ev->data.scalar.tag &&
	    !(b->schema == PL_SCHEMA_KUSTOMIZE && !strcmp((const char *)ev->data.scalar.tag, "!")))
		st = apply_tag(b, n, text_of(ev->data.scalar.tag));
	else if (ev->data.scalar.style == YAML_PLAIN_SCALAR_STYLE && (anchor || !key)) {
		if (text.n == 0)
			node_set_kind(n, PL_NULL); /* nothing at all is null to everybody */
		else if (b->schema == PL_SCHEMA_NONE)
			node_set_kind(n, PL_PLAIN);
		else
			scalar_apply(n, b->schema);
	}
	if (anchor)
		yaml_anchor_set(b, text_of(anchor), n, false);
	return st ? st : add(b, n, anchor != NULL);
}

static pl_status on_alias(struct yaml_builder *b, const yaml_event_t *ev)
{
	pl_node *n = yaml_alias(b, text_of(ev->data.alias.anchor), line_of(ev), col_of(ev));

	if (!n)
		return pl_err_code(b->e) ? pl_err_code(b->e) : PL_EINVAL;
	if (at_key(b) && node_is_container(n) && !(b->flags & YAML_COMPLEX_KEYS))
		return complex_key(b, place_of(b, ev));
	return add(b, n, false);
}

static pl_status on_start(struct yaml_builder *b, const yaml_event_t *ev, int kind, bool flow,
			  const yaml_char_t *anchor, const yaml_char_t *tag)
{
	pl_node *n;
	pl_status st;

	if (b->n_frames >= b->d->limits.max_depth)
		return pl_err_set(b->e, PL_ETOOBIG, place_of(b, ev), "nested more than %u levels deep",
				  b->d->limits.max_depth);
	if (at_key(b) && !(b->flags & YAML_COMPLEX_KEYS))
		return complex_key(b, place_of(b, ev));
	n = new_node(b, ev, kind);
	if (!n)
		return PL_ETOOBIG;
	node_set_style(n, flow ? PL_STYLE_FLOW : PL_STYLE_BLOCK);
	b->flow += flow;
	st = tag ? apply_tag(b, n, text_of(tag)) : PL_OK;
	if (st)
		return st;
	if (anchor)
		yaml_anchor_set(b, text_of(anchor), n, true);
	if (b->n_frames == b->cap_frames)
		b->frames = mem_grow(b->frames, &b->cap_frames, b->n_frames + 1, sizeof(*b->frames));
	b->frames[b->n_frames++] = (struct yaml_frame){.node = n, .first = b->n_kids};
	return PL_OK;
}

/* PL_READ_LAST_WINS: one value a key. Gives the number of children that are left. */
static size_t keep_last(const struct yaml_builder *b, pl_node **kids, size_t n)
{
	struct keyset seen;
	size_t out = 0;

	keyset_init(&seen, b->d);
	for (size_t i = 0; i < n; i += 2) {
		size_t first = node_is_container(kids[i]) || yaml_is_merge_key(kids[i])
				       ? SIZE_MAX
				       : keyset_add(&seen, node_text(kids[i]), out);

		if (first != SIZE_MAX) {
			kids[first + 1] = kids[i + 1];
			continue;
		}
		kids[out++] = kids[i];
		kids[out++] = kids[i + 1];
	}
	keyset_free(&seen);
	return out;
}

static pl_status on_end(struct yaml_builder *b)
{
	struct yaml_frame f = b->frames[--b->n_frames];
	pl_node **kids = b->kids + f.first;
	size_t n = b->n_kids - f.first;
	pl_status st = PL_OK;

	b->n_kids = f.first;
	b->flow -= pl_style(f.node) == PL_STYLE_FLOW;
	if ((b->flags & PL_READ_LAST_WINS) && node_kind(f.node) == PL_MAP)
		n = keep_last(b, kids, n);
	if (f.merges) {
		st = yaml_merge(b, f.node, kids, n);
	} else {
		doc_set_kids(b->d, f.node, kids, n);
		if (node_kind(f.node) == PL_MAP && !f.complex)
			st = doc_check_keys(b->d, f.node, b->e);
	}
	return st ? st : add(b, f.node, true);
}

static pl_status on_event(struct yaml_builder *b, const yaml_event_t *ev)
{
	if (b->flow > DEEP_FLOW && (b->flow_work += b->flow) > MAX_FLOW_WORK)
		return pl_err_set(b->e, PL_ETOOBIG, place_of(b, ev), "too much is nested more than %d brackets deep",
				  DEEP_FLOW);
	switch (ev->type) {
	case YAML_SCALAR_EVENT:
		return on_scalar(b, ev);
	case YAML_ALIAS_EVENT:
		return on_alias(b, ev);
	case YAML_SEQUENCE_START_EVENT:
		return on_start(b, ev, PL_LIST, ev->data.sequence_start.style == YAML_FLOW_SEQUENCE_STYLE,
				ev->data.sequence_start.anchor, ev->data.sequence_start.tag);
	case YAML_MAPPING_START_EVENT:
		return on_start(b, ev, PL_MAP, ev->data.mapping_start.style == YAML_FLOW_MAPPING_STYLE,
				ev->data.mapping_start.anchor, ev->data.mapping_start.tag);
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		return on_end(b);
	case YAML_DOCUMENT_END_EVENT:
		yaml_anchors_clear(b);
		return PL_OK;
	default:
		return PL_OK;
	}
}

/* ---- the stream ---- */

static pl_status scanner_error(const struct yaml_builder *b, pl_str text, const yaml_parser_t *p)
{
	struct yaml_problem what = {.problem = p->problem,
				    .context = p->context,
				    .line = (uint32_t)p->problem_mark.line + 1,
				    .col = (uint32_t)p->problem_mark.column + 1,
				    .begun = p->context ? (uint32_t)p->context_mark.line + 1 : 0,
				    .value = -1};

	if (p->error == YAML_MEMORY_ERROR)
		BUG("out of memory in the YAML scanner");
	if (p->error == YAML_READER_ERROR) {
		what.line = 0;
		what.offset = p->problem_offset;
		what.value = p->problem_value;
	}
	return yaml_complain(b, text, &what);
}

static pl_status read_stream(struct yaml_builder *b, pl_str text)
{
	yaml_parser_t parser;
	pl_status st = PL_OK;

	if (!yaml_parser_initialize(&parser))
		BUG("out of memory in the YAML scanner");
	yaml_parser_set_input_string(&parser, (const unsigned char *)(text.p ? text.p : ""), text.n);
	for (bool more = true; more && !st;) {
		yaml_event_t ev;

		if (!yaml_parser_parse(&parser, &ev)) {
			st = scanner_error(b, text, &parser);
			break;
		}
		more = ev.type != YAML_STREAM_END_EVENT;
		st = on_event(b, &ev);
		yaml_event_delete(&ev);
	}
	yaml_parser_delete(&parser);
	return st;
}

static pl_status check_arguments(const pl_doc *d, pl_str text, const char *file, int schema, pl_err *e)
{
	pl_place at = {file, 0, 0};

	if (d->frozen)
		return pl_err_set(e, PL_EDENIED, at, "the document is frozen");
	if (schema < PL_SCHEMA_NONE || schema > PL_SCHEMA_JSON)
		return pl_err_set(e, PL_EINVAL, at, "no schema has the number %d", schema);
	if (text.n > d->limits.max_bytes || text.n >= UINT32_MAX)
		return pl_err_set(e, PL_ETOOBIG, at, "text is bigger than %llu bytes",
				  (unsigned long long)d->limits.max_bytes);
	return PL_OK;
}

pl_status pl_yaml_read(pl_doc *d, pl_str text, const char *file, int schema, uint32_t flags, pl_node ***out, size_t *n,
		       pl_err *e)
{
	struct pl_err own = ERR_INIT;
	struct yaml_builder b = {.d = d, .e = e ? e : &own, .flags = flags, .schema = schema};
	pl_status st = check_arguments(d, text, file, schema, e);

	*out = NULL;
	*n = 0;
	if (st)
		return st;
	b.file = doc_file(d, file);
	b.kids = mem_grow(NULL, &b.cap_kids, 64, sizeof(pl_node *));
	keyset_init(&b.anchor_names, d);
	st = yaml_screen(&b, text);
	if (!st)
		st = read_stream(&b, text);
	if (!st) {
		*out = arena_array(d->arena, b.n_roots + 1, sizeof(pl_node *));
		if (b.n_roots)
			memcpy(*out, b.roots, b.n_roots * sizeof(pl_node *));
		*n = b.n_roots;
	}
	free(b.frames);
	free(b.kids);
	free(b.anchors);
	free(b.roots);
	keyset_free(&b.anchor_names);
	err_clear(&own);
	return st;
}
