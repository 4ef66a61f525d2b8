/* SPDX-License-Identifier: Apache-2.0 */
#include "core/doc/identity.h"

#include <limits.h>

void api_version_cut(pl_str api_version, pl_str *group, pl_str *version)
{
	if (str_cut(api_version, '/', group, version))
		return;
	*version = api_version;
	*group = (pl_str){"", 0};
}

/* ---- reading ---- */

static pl_status wrong(const pl_doc *d, const pl_node *n, struct pl_err *e, const char *what)
{
	return pl_err_set(e, PL_EINVAL, pl_at(d, n), "%s", what);
}

/* A text that must be there and not be empty. */
static pl_status need(const pl_doc *d, const pl_node *in, const char *key, pl_str *out, struct pl_err *e)
{
	const pl_node *n = pl_gets(in, key);

	if (!n)
		return pl_err_set(e, PL_EINVAL, pl_at(d, in), "object has no '%s'", key);
	if (pl_kind(n) != PL_STRING)
		return pl_err_set(e, PL_EINVAL, pl_at(d, n), "'%s' must be a string", key);
	if (n && pl_text(n).n == 0)
		return pl_err_set(e, PL_EINVAL, pl_at(d, n), "'%s' is empty", key);
	*out = pl_text(n);
	return PL_OK;
}

static pl_status may(const pl_doc *d, const pl_node *in, const char *key, pl_str *out, struct pl_err *e)
{
	const pl_node *n = pl_gets(in, key);

	*out = (pl_str){"", 0};
	if (!n || pl_kind(n) == PL_NULL)
		return PL_OK;
	if (pl_kind(n) != PL_STRING)
		return pl_err_set(e, PL_EINVAL, pl_at(d, n), "'metadata.%s' must be a string", key);
	*out = pl_text(n);
	return PL_OK;
}

static pl_status read_metadata(const pl_doc *d, const pl_node *n, pl_ref *out, struct pl_err *e)
{
	const pl_node *meta = pl_gets(n, "metadata");
	pl_str generate;
	pl_status st;

	if (!meta)
		return wrong(d, n, e, "object has no 'metadata'");
	if (pl_kind(meta) != PL_MAP)
		return wrong(d, meta, e, "'metadata' must be a map");
	st = may(d, meta, "namespace", &out->ns, e);
	if (!st)
		st = may(d, meta, "name", &out->name, e);
	if (!st)
		st = may(d, meta, "generateName", &generate, e);
	if (st || out->name.n)
		return st;
	if (!generate.n)
		return wrong(d, meta, e, "object has no 'metadata.name'");
	out->name = generate;
	return PL_OK;
}

pl_status ref_of(const pl_doc *d, const pl_node *n, pl_ref *out, struct pl_err *e)
{
	pl_ref r = {{"", 0}, {"", 0}, {"", 0}, {"", 0}, {"", 0}};
	pl_str api_version = {"", 0};
	pl_status st;

	if (pl_kind(n) != PL_MAP)
		return wrong(d, n, e, "an object must be a map with apiVersion, kind and metadata");
	st = need(d, n, "apiVersion", &api_version, e);
	if (!st)
		st = need(d, n, "kind", &r.kind, e);
	if (!st)
		st = read_metadata(d, n, &r, e);
	if (st)
		return st;
	api_version_cut(api_version, &r.group, &r.version);
	*out = r;
	return PL_OK;
}

/* ---- comparing ---- */

bool ref_same(const pl_ref *a, const pl_ref *b)
{
	return str_eq(a->name, b->name) && str_eq(a->kind, b->kind) && str_eq(a->ns, b->ns) &&
	       str_eq(a->group, b->group);
}

int ref_cmp(const pl_ref *a, const pl_ref *b)
{
	int c = str_cmp(a->group, b->group);

	if (!c)
		c = str_cmp(a->kind, b->kind);
	if (!c)
		c = str_cmp(a->ns, b->ns);
	return c ? c : str_cmp(a->name, b->name);
}

uint64_t ref_hash(const pl_ref *r)
{
	const uint64_t odd = 0x9e3779b97f4a7c15u;
	uint64_t h = str_hash(r->name);

	h = (h ^ str_hash(r->kind)) * odd;
	h = (h ^ h >> 29 ^ str_hash(r->ns)) * odd;
	h = (h ^ h >> 29 ^ str_hash(r->group)) * odd;
	return h ^ h >> 32;
}

pl_ref ref_dup(struct arena *a, const pl_ref *r)
{
	return (pl_ref){
		.group = arena_dup(a, r->group),
		.version = arena_dup(a, r->version),
		.kind = arena_dup(a, r->kind),
		.ns = arena_dup(a, r->ns),
		.name = arena_dup(a, r->name),
	};
}

bool ref_is_secret(const pl_ref *r)
{
	return r->group.n == 0 && str_eq(r->kind, S("Secret"));
}

/* ---- texts ---- */

static void add_with_slash(struct buf *b, pl_str s)
{
	if (s.n == 0)
		return;
	buf_add(b, s);
	buf_addc(b, '/');
}

void ref_print(const pl_ref *r, struct buf *b)
{
	add_with_slash(b, r->group);
	buf_add(b, r->kind);
	buf_addc(b, ':');
	add_with_slash(b, r->ns);
	buf_add(b, r->name);
}

void ref_print_short(const pl_ref *r, bool long_form, struct buf *b)
{
	buf_add(b, r->kind);
	if (long_form && r->group.n) {
		buf_addc(b, '.');
		buf_add(b, r->group);
	}
	buf_addc(b, '/');
	buf_add(b, r->name);
}

void tracking_print(pl_str app, const pl_ref *r, struct buf *b)
{
	buf_add(b, app);
	buf_addc(b, ':');
	buf_add(b, r->group);
	buf_addc(b, '/');
	buf_add(b, r->kind);
	buf_addc(b, ':');
	buf_add(b, r->ns);
	buf_addc(b, '/');
	buf_add(b, r->name);
}

/* Exactly one slash: group and kind, namespace and name may not hold more. */
static bool cut_once(pl_str s, pl_str *head, pl_str *tail)
{
	return str_cut(s, '/', head, tail) && (tail->n == 0 || !memchr(tail->p, '/', tail->n));
}

pl_status tracking_parse(pl_str id, pl_str *app, pl_ref *out)
{
	pl_str rest, kind, name;
	pl_ref r = {.version = {"", 0}};

	/* At the first two colons: a name may hold colons (rbac's system:node). */
	if (!str_cut(id, ':', app, &rest) || !str_cut(rest, ':', &kind, &name))
		return PL_EINVAL;
	if (!cut_once(kind, &r.group, &r.kind) || !cut_once(name, &r.ns, &r.name))
		return PL_EINVAL;
	if (app->n == 0 || r.kind.n == 0 || r.name.n == 0)
		return PL_EINVAL;
	*out = r;
	return PL_OK;
}
