/* SPDX-License-Identifier: Apache-2.0 */
/* cfg.c - reads the maps by which transformers and field specs are configured. */
#include "cfg.h"
#include "fieldspec.h"

#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <strings.h>

enum { MAX_KEYS = 16 };

static const struct cfg_key *find_key(const struct cfg_key *keys, size_t n, pl_str name)
{
	for (size_t i = 0; i < n; i++) {
		if (strlen(keys[i].name) == name.n && !strncasecmp(keys[i].name, name.p, name.n))
			return &keys[i];
	}
	return NULL;
}

static const char *nearest(const struct cfg_key *keys, size_t n, pl_str name)
{
	const char *names[MAX_KEYS];
	for (size_t i = 0; i < n && i < MAX_KEYS; i++)
		names[i] = keys[i].name;
	return str_nearest(name, names, n < MAX_KEYS ? n : MAX_KEYS);
}

/* The fewest digits that a 32 bit float needs, of the form d.ddde+dd. */
static void shortest_float(double v, char *text, size_t n)
{
	for (int digits = 0; digits < 9; digits++) {
		snprintf(text, n, "%.*e", digits, (double)(float)v);
		if (strtof(text, NULL) == (float)v)
			return;
	}
}

/* A fraction or a huge number as the reference's reader makes it a text: through 32 bits, with an exponent from 10^6.
 */
static pl_str float_text(struct build *b, double v)
{
	char text[40];
	if (isinf((float)v))
		return v < 0 ? S("-Inf") : S("+Inf");
	shortest_float(v, text, sizeof(text));
	const char *e = strchr(text, 'e');
	int exponent = e ? (int)strtol(e + 1, NULL, 10) : 0, decimals = e ? (int)(e - text) - (text[0] == '-') - 2 : 0;
	if (exponent >= -4 && exponent < 6) {
		decimals = (decimals < 0 ? 0 : decimals) - exponent;
		snprintf(text, sizeof(text), "%.*f", decimals < 0 ? 0 : decimals, (double)(float)v);
	}
	return arena_dup(b->mem, str_of(text));
}

static bool fits_unsigned(pl_str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!isdigit((unsigned char)s.p[i]))
			return false;
	return s.n < 20 || (s.n == 20 && memcmp(s.p, "18446744073709551615", 20) <= 0);
}

/* A number as the reference's reader makes it a text: 1.50 is 1.5, 0x10 is 16. */
static pl_str number_text(struct build *b, const pl_node *n)
{
	int64_t whole;
	double v;
	if (pl_int(n, &whole) == PL_OK)
		return arena_printf(b->mem, "%" PRId64, whole);
	if (fits_unsigned(pl_text(n)) || pl_double(n, &v))
		return pl_text(n);
	return float_text(b, v);
}

pl_status cfg_text(struct build *b, const pl_node *n, const char *field, pl_str *out)
{
	int kind = pl_kind(n);
	if (kind == PL_NULL)
		return PL_OK;
	if (kind == PL_LIST || kind == PL_MAP)
		return fail(b, PL_EINVAL, n, "'%s' must be a string, but it is %s", field, node_kind_name(n));
	*out = kind == PL_NUMBER ? number_text(b, n)
	       : kind == PL_BOOL ? str_of(pl_bool(n) ? "true" : "false")
				 : pl_text(n);
	return PL_OK;
}

static pl_status read_value(struct build *b, const struct cfg_key *k, const pl_node *n, void *out)
{
	char *at = (char *)out + k->offset;
	switch (k->type) {
	case CFG_TEXT:
		return cfg_text(b, n, k->name, (pl_str *)(void *)at);
	case CFG_BOOL:
		if (pl_kind(n) != PL_BOOL)
			return fail(b, PL_EINVAL, n, "'%s' must be true or false, but it is %s", k->name,
				    node_kind_name(n));
		*(bool *)at = pl_bool(n);
		return PL_OK;
	case CFG_INT:
		if (pl_kind(n) != PL_NUMBER || pl_int(n, (int64_t *)(void *)at))
			return fail(b, PL_EINVAL, n, "'%s' must be a whole number, but it is %s", k->name,
				    pl_kind(n) == PL_NUMBER ? "another one" : node_kind_name(n));
		return PL_OK;
	case CFG_SKIP:
		return PL_OK;
	default:
		*(const pl_node **)(void *)at = n;
		return PL_OK;
	}
}

static pl_status unknown_key(struct build *b, const pl_node *key, const char *what, const struct cfg_key *keys,
			     size_t n, enum cfg_unknown unknown)
{
	const char *near = nearest(keys, n, pl_text(key));
	if (unknown == CFG_REFUSE) {
		fail(b, PL_EINVAL, key, "unknown field '%.*s' in a %s", F(pl_text(key)), what);
		if (near)
			pl_err_hint(b->err, "did you mean '%s'?", near);
		return PL_EINVAL;
	}
	pl_place at = pl_at(b->doc, key);
	pl_str text = arena_printf(b->mem, "%s:%u:%u: unknown field '%.*s' in a %s is passed over%s%s%s",
				   at.file ? at.file : "", at.line, at.col, F(pl_text(key)), what,
				   near ? " (did you mean '" : "", near ? near : "", near ? "'?)" : "");
	b->h->log(b->h->ctx, PL_LOG_WARN, text);
	return PL_OK;
}

pl_status cfg_read(struct build *b, const pl_node *map, const char *what, const struct cfg_key *keys, size_t n,
		   enum cfg_unknown unknown, void *out)
{
	if (pl_kind(map) != PL_MAP && pl_kind(map) != PL_NULL)
		return fail(b, PL_EINVAL, map, "a %s must be a map, but it is %s", what, node_kind_name(map));
	for (size_t i = 0; i < pl_len(map); i++) {
		const pl_node *value = pl_value(map, i);
		const struct cfg_key *k = find_key(keys, n, pl_text(pl_key(map, i)));
		pl_status st = PL_OK;
		if (!k)
			st = unknown_key(b, pl_key(map, i), what, keys, n, unknown);
		else if (pl_kind(value) != PL_NULL)
			st = read_value(b, k, value, out);
		if (st)
			return st;
	}
	return PL_OK;
}

pl_status cfg_read_transformer(struct build *b, const pl_node *map, const struct cfg_key *keys, size_t n, void *out)
{
	static const struct cfg_key head[] = {
		{"apiVersion", CFG_SKIP, 0}, {"kind", CFG_SKIP, 0}, {"metadata", CFG_SKIP, 0}};
	enum { N_HEAD = sizeof(head) / sizeof(head[0]) };
	struct cfg_key all[MAX_KEYS];
	memcpy(all, keys, n * sizeof(*keys)); /* a transformer's own `metadata` is found first */
	memcpy(all + n, head, sizeof(head));
	return cfg_read(b, map, "transformer", all, n + N_HEAD, CFG_WARN, out);
}

pl_status cfg_each(struct build *b, const pl_node *list, const char *field, cfg_item_fn each, void *ctx)
{
	if (!list || pl_kind(list) == PL_NULL)
		return PL_OK;
	if (pl_kind(list) != PL_LIST)
		return fail(b, PL_EINVAL, list, "'%s' must be a list, but it is %s", field, node_kind_name(list));
	pl_status st = PL_OK;
	for (size_t i = 0; !st && i < pl_len(list); i++)
		st = each(b, pl_item(list, i), ctx);
	return st;
}

static int pair_cmp(const void *a, const void *b)
{
	return str_cmp(((const struct cfg_pair *)a)->key, ((const struct cfg_pair *)b)->key);
}

pl_status cfg_pairs(struct build *b, const pl_node *map, const char *field, struct cfg_pairs *out)
{
	out->n = 0;
	if (!map || pl_kind(map) == PL_NULL)
		return PL_OK;
	if (pl_kind(map) != PL_MAP)
		return fail(b, PL_EINVAL, map, "'%s' must be a map, but it is %s", field, node_kind_name(map));
	out->v = arena_alloc(b->mem, pl_len(map) * sizeof(*out->v));
	for (size_t i = 0; i < pl_len(map); i++) {
		struct cfg_pair *p = &out->v[out->n++];
		p->key = pl_text(pl_key(map, i));
		p->at = pl_value(map, i);
		pl_str name = arena_printf(b->mem, "%.*s", F(p->key));
		pl_status st = cfg_text(b, p->at, name.p, &p->value);
		if (st)
			return st;
	}
	if (out->n > 1)
		qsort(out->v, out->n, sizeof(*out->v), pair_cmp);
	return PL_OK;
}
