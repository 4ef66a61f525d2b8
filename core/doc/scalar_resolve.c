/* SPDX-License-Identifier: Apache-2.0 */
/* Giving scalars their kind after the fact: by an explicit tag, or by a schema for those that were left open. */
#include "core/doc/scalar.h"

#include "core/base/mem.h"

static int base64_value(char c)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *at = c ? strchr(alphabet, c) : NULL;

	return at ? (int)(at - alphabet) : -1;
}

/* Decodes text without its blanks and line ends into to. False when it is not base64. */
static bool base64_decode(pl_str text, struct buf *to)
{
	uint32_t bits = 0;
	size_t digits = 0, pads = 0;

	for (size_t i = 0; i < text.n; i++) {
		char c = text.p[i];
		int v = base64_value(c);

		if (c == ' ' || c == '\t' || c == '\n' || c == '\r')
			continue;
		if (c == '=') {
			pads++;
			continue;
		}
		if (v < 0 || pads)
			return false;
		bits = bits << 6 | (uint32_t)v;
		if (++digits % 4 != 1)
			buf_addc(to, (char)(bits >> (6 - 2 * ((digits - 1) % 4)) & 0xff));
	}
	return (digits + pads) % 4 == 0 && pads < 3;
}

/*
 * Go's readers decode !!binary into a string. What is no text can't stand in a document of ours, nor in JSON, and is
 * refused; the YAML 1.2 core schema has no such tag and keeps the text.
 */
static pl_status apply_binary(pl_doc *d, pl_node *n, int schema, pl_err *e)
{
	struct buf to = BUF_INIT(SIZE_MAX);
	pl_status st = PL_OK;

	node_set_kind(n, PL_STRING);
	if (schema == PL_SCHEMA_CORE12 || schema == PL_SCHEMA_JSON)
		return PL_OK;
	if (!base64_decode(node_text(n), &to)) {
		st = pl_err_set(e, PL_EINVAL, pl_at(d, n), "value tagged !!binary is not base64");
	} else if (!str_utf8(buf_str(&to))) {
		st = pl_err_set(e, PL_EINVAL, pl_at(d, n), "value tagged !!binary does not decode to UTF-8 text");
		pl_err_hint(e, "keep the base64 text without the tag, as 'binaryData' and Secrets do");
	} else {
		node_set_text(n, PL_STRING, doc_string(d, buf_str(&to)));
	}
	buf_free(&to);
	return st;
}

pl_status scalar_apply_tag(pl_doc *d, pl_node *n, pl_str tag, int schema, pl_err *e)
{
	static const struct {
		const char *name;
		uint8_t kind;
		bool whole;
	} tags[] = {{"null", PL_NULL, false},
		    {"bool", PL_BOOL, false},
		    {"int", PL_NUMBER, true},
		    {"float", PL_NUMBER, false}};
	pl_str name = {tag.p + strlen(YAML_TAG), tag.n - strlen(YAML_TAG)};

	if (!str_starts(tag, S(YAML_TAG))) {
		node_set_kind(n, PL_STRING);
		return PL_OK;
	}
	if (str_eqz(name, "binary"))
		return apply_binary(d, n, schema, e);
	if (str_eqz(name, "timestamp") && schema == PL_SCHEMA_KUSTOMIZE) {
		scalar_apply(n, schema);
		if (node_kind(n) == PL_STRING && n->meta & NODE_TIME)
			return PL_OK;
		return pl_err_set(e, PL_EINVAL, pl_at(d, n), "value is not of its tag's type !!timestamp");
	}
	for (size_t i = 0; i < sizeof(tags) / sizeof(*tags); i++) {
		struct scalar s;

		if (!str_eqz(name, tags[i].name))
			continue;
		s = scalar_plain(node_text(n), schema);
		if (s.kind != tags[i].kind || (tags[i].whole && !s.whole))
			return pl_err_set(e, PL_EINVAL, pl_at(d, n), "value is not of its tag's type !!%s",
					  tags[i].name);
		scalar_apply(n, schema);
		return PL_OK;
	}
	node_set_kind(n, PL_STRING);
	return PL_OK;
}

static pl_status resolve_one(pl_doc *d, pl_node *n, int schema, pl_err *e)
{
	if (n->meta & NODE_TAG)
		return scalar_apply_tag(d, n, pl_tag(d, n), schema, e);
	scalar_apply(n, schema);
	return PL_OK;
}

pl_status pl_resolve(pl_doc *d, pl_node *n, int schema, pl_err *e)
{
	struct {
		pl_node **v;
		size_t n, cap;
	} todo = {0};
	pl_status st = PL_OK;

	if (schema < PL_SCHEMA_NONE || schema > PL_SCHEMA_JSON)
		return pl_err_set(e, PL_EINVAL, NOWHERE, "no schema has the number %d", schema);
	if (d->frozen)
		return pl_err_set(e, PL_EDENIED, NOWHERE, "the document is frozen");
	if (!n || schema == PL_SCHEMA_NONE)
		return PL_OK;
	todo.v = mem_grow(NULL, &todo.cap, 1, sizeof(pl_node *));
	todo.v[todo.n++] = n;
	while (!st && todo.n) {
		pl_node *at = todo.v[--todo.n];
		size_t kids = node_kids(at);

		if (node_kind(at) == PL_PLAIN)
			st = resolve_one(d, at, schema, e);
		if (kids > todo.cap - todo.n)
			todo.v = mem_grow(todo.v, &todo.cap, todo.n + kids, sizeof(pl_node *));
		for (size_t i = kids; i-- > 0;) /* the last first, so that errors come in the document's order */
			todo.v[todo.n++] = at->u.kids[i];
	}
	free(todo.v);
	return st;
}
