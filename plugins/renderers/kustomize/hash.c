/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hash.c - the content's hash behind the names of generated objects.
 *
 * It is the SHA-256 of a JSON text that Go's encoder would write for the content: keys sorted, <, > and & escaped,
 * numbers as the shortest text of a double. The name is always "" in it (the reference looks for it in the wrong
 * place), so equal content has an equal hash whatever it is called.
 */
#include "kustomize.h"
#include "sha256.h"

#include <math.h>
#include <stdio.h>

struct out {
	struct build *b;
	struct sha256 sha;
};

static void put(struct out *o, pl_str s)
{
	sha256_add(&o->sha, s.p, s.n);
}

/* ---- strings ---- */

static const char hex_digits[] = "0123456789abcdef";

static void put_escape(struct out *o, uint8_t c)
{
	static const char letters[] = "\"\"\\\\\bb\ff\nn\rr\tt";
	for (size_t i = 0; i + 1 < sizeof(letters); i += 2) {
		if ((uint8_t)letters[i] != c)
			continue;
		put(o, (pl_str){(const char[]){'\\', letters[i + 1]}, 2});
		return;
	}
	put(o, (pl_str){(const char[]){'\\', 'u', '0', '0', hex_digits[c >> 4], hex_digits[c & 15]}, 6});
}

/* The line separators U+2028 and U+2029, which are no line ends in JSON but in JavaScript. */
static bool separator(pl_str s, size_t i)
{
	return s.n - i >= 3 && !memcmp(s.p + i, "\xe2\x80", 2) && ((uint8_t)s.p[i + 2] & 0xfe) == 0xa8;
}

static bool needs_escape(uint8_t c)
{
	return c < 0x20 || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&';
}

static void put_string(struct out *o, pl_str s)
{
	put(o, S("\""));
	size_t start = 0;
	for (size_t i = 0; i < s.n; i++) {
		uint8_t c = (uint8_t)s.p[i];
		bool line = c == 0xe2 && separator(s, i);
		if (!line && !needs_escape(c))
			continue;
		put(o, (pl_str){s.p + start, i - start});
		if (line) {
			put(o, s.p[i + 2] == (char)0xa8 ? S("\\u2028") : S("\\u2029"));
			i += 2;
		} else {
			put_escape(o, c);
		}
		start = i + 1;
	}
	put(o, (pl_str){s.p + start, s.n - start});
	put(o, S("\""));
}

/* ---- numbers ---- */

/* digits, a point after `point` of them; zeros where digits are missing */
static void put_fixed(struct out *o, const char *digits, int n, int point)
{
	if (point <= 0)
		put(o, S("0."));
	for (int i = point; i < 0; i++)
		put(o, S("0"));
	for (int i = 0; i < n || i < point; i++) {
		if (i == point && i > 0)
			put(o, S("."));
		put(o, i < n ? (pl_str){digits + i, 1} : S("0"));
	}
}

static void put_double(struct out *o, double v)
{
	char text[40], digits[24];
	if (v == 0) {
		put(o, signbit(v) ? S("-0") : S("0"));
		return;
	}
	int precision = 0;
	do
		snprintf(text, sizeof(text), "%.*e", precision, fabs(v));
	while (strtod(text, NULL) != fabs(v) && precision++ < 17);
	int n = 0;
	char *p = text;
	for (; *p && *p != 'e'; p++) {
		if (*p != '.')
			digits[n++] = *p;
	}
	int exponent = (int)strtol(p + 1, NULL, 10);
	while (n > 1 && digits[n - 1] == '0')
		n--;
	if (v < 0)
		put(o, S("-"));
	if (exponent >= -6 && exponent < 21) {
		put_fixed(o, digits, n, exponent + 1);
		return;
	}
	put(o, (pl_str){digits, 1});
	if (n > 1)
		put(o, S("."));
	put(o, (pl_str){digits + 1, (size_t)n - 1});
	put(o, arena_printf(o->b->mem, "e%c%d", exponent < 0 ? '-' : '+', abs(exponent)));
}

/* ---- values ---- */

static void put_value(struct out *o, const pl_node *n);

static int key_cmp(const void *x, const void *y)
{
	const pl_node *const *a = x, *const *b = y;
	return str_cmp(pl_text(a[0]), pl_text(b[0]));
}

static void put_map(struct out *o, const pl_node *map)
{
	size_t n = pl_len(map);
	const pl_node **pairs = arena_alloc(o->b->mem, 2 * n * sizeof(const pl_node *));
	for (size_t i = 0; i < n; i++) {
		pairs[2 * i] = pl_key(map, i);
		pairs[2 * i + 1] = pl_value(map, i);
	}
	if (n > 1)
		qsort(pairs, n, 2 * sizeof(const pl_node *), key_cmp);
	for (size_t i = 0; i < n; i++) {
		put(o, i ? S(",") : S("{"));
		put_string(o, pl_text(pairs[2 * i]));
		put(o, S(":"));
		put_value(o, pairs[2 * i + 1]);
	}
	put(o, n ? S("}") : S("{}"));
}

static void put_list(struct out *o, const pl_node *list)
{
	put(o, S("["));
	for (size_t i = 0; i < pl_len(list); i++) {
		if (i)
			put(o, S(","));
		put_value(o, pl_item(list, i));
	}
	put(o, S("]"));
}

static void put_value(struct out *o, const pl_node *n)
{
	double v;
	switch (pl_kind(n)) {
	case PL_MAP:
		put_map(o, n);
		return;
	case PL_LIST:
		put_list(o, n);
		return;
	case PL_NULL:
		put(o, S("null"));
		return;
	case PL_BOOL:
		put(o, pl_bool(n) ? S("true") : S("false"));
		return;
	case PL_NUMBER:
		if (pl_double(n, &v) == PL_OK) {
			put_double(o, v);
			return;
		}
		break;
	}
	put_string(o, pl_text(n));
}

/* ---- objects ---- */

/* data and its like: a map as it is; a list is null; a single value is its text; absent is "". */
static void put_field(struct out *o, const pl_node *object, const char *key)
{
	const pl_node *n = pl_gets(object, key);
	put_string(o, str_of(key));
	put(o, S(":"));
	if (pl_kind(n) == PL_MAP)
		put_map(o, n);
	else if (pl_kind(n) == PL_LIST)
		put(o, S("null"));
	else
		put_string(o, pl_text(n));
}

static void put_config_map(struct out *o, const pl_node *object)
{
	int kind = pl_kind(pl_gets(object, "binaryData"));
	put(o, S("{"));
	if (kind == PL_MAP || kind == PL_LIST) {
		put_field(o, object, "binaryData");
		put(o, S(","));
	}
	put_field(o, object, "data");
	put(o, S(",\"kind\":\"ConfigMap\",\"name\":\"\"}"));
}

static void put_secret(struct out *o, const pl_node *object)
{
	int kind = pl_kind(pl_gets(object, "stringData"));
	put(o, S("{"));
	put_field(o, object, "data");
	put(o, S(",\"kind\":\"Secret\",\"name\":\"\","));
	if (kind == PL_MAP || kind == PL_LIST) {
		put_field(o, object, "stringData");
		put(o, S(","));
	}
	put_field(o, object, "type");
	put(o, S("}"));
}

/* Ten hex digits, some of them other letters, so that no words come out. */
static pl_str shorten(struct build *b, const uint8_t sum[32])
{
	static const char letters[] = "gh2k456789mbcdtf";
	char text[10];
	for (int i = 0; i < 10; i++)
		text[i] = letters[sum[i / 2] >> (i % 2 ? 0 : 4) & 15];
	return arena_dup(b->mem, (pl_str){text, sizeof(text)});
}

pl_status content_hash(struct build *b, const pl_node *object, pl_str *out)
{
	struct out o = {.b = b};
	uint8_t sum[32];
	pl_str kind = pl_text(pl_gets(object, "kind"));
	sha256_init(&o.sha);
	if (str_is(kind, "ConfigMap"))
		put_config_map(&o, object);
	else if (str_is(kind, "Secret"))
		put_secret(&o, object);
	else
		put_value(&o, object);
	sha256_end(&o.sha, sum);
	*out = shorten(b, sum);
	return PL_OK;
}

pl_status transform_hash(struct build *b, struct target *t, const pl_node *cfg, const struct config *fields,
			 struct resmap *m)
{
	(void)t;
	(void)cfg;
	(void)fields;
	for (uint32_t i = 0; i < m->n; i++) {
		struct resource *r = m->v[i];
		if (!r->needs_hash || !r->node)
			continue;
		pl_str hash;
		pl_status st = content_hash(b, r->node, &hash);
		if (st)
			return st;
		resource_remember(b, r);
		resource_set_name(b, m, r, arena_printf(b->mem, "%.*s-%.*s", F(r->id.name), F(hash)));
	}
	return PL_OK;
}
