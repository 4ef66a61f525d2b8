/* SPDX-License-Identifier: Apache-2.0 */
/* generate_data.c - literals, files and .env files, read into keys and values. Errors never show a value. */
#include "cfg.h"
#include "generate.h"

struct reader {
	struct target *t;
	struct data *out;
	pl_str what;
};

static void add(struct build *b, const struct reader *r, pl_str key, pl_str value, pl_place at)
{
	struct data *l = r->out;
	l->v = arena_grow(b->mem, l->v, l->n, &l->cap, sizeof(*l->v));
	l->v[l->n] = (struct datum){.key = key, .value = value, .at = at, .order = l->n};
	l->n++;
}

static bool starts_with(pl_str s, char c)
{
	return s.n && s.p[0] == c;
}

/* ---- literals: key=value ---- */

/* Quotes around the whole value go. */
static pl_str unquote(pl_str s)
{
	bool quoted = s.n > 1 && s.p[0] == s.p[s.n - 1] && (s.p[0] == '"' || s.p[0] == '\'');
	return quoted ? (pl_str){s.p + 1, s.n - 2} : s;
}

static pl_status read_literal(struct build *b, const pl_node *item, void *ctx)
{
	pl_str rest = S("");
	pl_status st = cfg_text(b, item, "literals", &rest);
	if (st)
		return st;
	bool keyless = starts_with(rest, '=');
	pl_str key = str_cut(&rest, '=');
	if (keyless || !rest.p) {
		/* the text may be a secret's value that lacks its key */
		fail(b, PL_EINVAL, item, "invalid literal source, expected key=value");
		return PL_EINVAL;
	}
	add(b, ctx, key, unquote(rest), pl_at(b->doc, item));
	return PL_OK;
}

/* ---- files: [key=]path ---- */

static pl_str base_name(pl_str path)
{
	while (path.n > 1 && path.p[path.n - 1] == '/')
		path.n--;
	for (size_t i = path.n; i > 0; i--)
		if (path.p[i - 1] == '/' && path.n > 1)
			return (pl_str){path.p + i, path.n - i};
	return path;
}

static pl_status split_file(struct build *b, const pl_node *item, pl_str source, pl_str *key, pl_str *path)
{
	pl_str rest = source, head = str_cut(&rest, '=');
	*key = base_name(source);
	*path = source;
	if (!rest.p)
		return PL_OK;
	*key = head;
	*path = rest;
	if (rest.n && memchr(rest.p, '=', rest.n))
		return fail(b, PL_EINVAL, item, "key name or file path of '%.*s' contains '='", F(source));
	if (!head.n)
		return fail(b, PL_EINVAL, item, "missing key name for file path '%.*s' in '%.*s'", F(rest), F(source));
	if (!rest.n)
		return fail(b, PL_EINVAL, item, "missing file path for key name '%.*s' in '%.*s'", F(head), F(source));
	return PL_OK;
}

static pl_status read_file(struct build *b, const pl_node *item, void *ctx)
{
	const struct reader *r = ctx;
	pl_str source = S(""), key, path, text;
	const char *file;
	pl_status st = cfg_text(b, item, "files", &source);
	if (!st)
		st = split_file(b, item, source, &key, &path);
	if (!st)
		st = target_load(b, r->t, item, path, &text, &file);
	if (!st)
		add(b, r, key, text, pl_at(b->doc, item));
	return st;
}

/* ---- envs: files of KEY=VALUE lines ---- */

static const struct {
	uint32_t first, last;
} spaces[] = {{0x09, 0x0d},	{0x20, 0x20},	  {0x85, 0x85},	    {0xa0, 0xa0},     {0x1680, 0x1680},
	      {0x2000, 0x200a}, {0x2028, 0x2029}, {0x202f, 0x202f}, {0x205f, 0x205f}, {0x3000, 0x3000}};

/* The first character of valid UTF-8, and how long it is. */
static uint32_t first_char(pl_str s, size_t *n)
{
	unsigned char c = (unsigned char)s.p[0];
	*n = c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
	uint32_t v = c < 0x80 ? c : c < 0xe0 ? c & 0x1f : c < 0xf0 ? c & 0x0f : c & 0x07;
	for (size_t i = 1; i < *n; i++)
		v = v << 6 | ((unsigned char)s.p[i] & 0x3f);
	return v;
}

static bool is_space(uint32_t c)
{
	for (size_t i = 0; i < sizeof(spaces) / sizeof(spaces[0]); i++)
		if (c >= spaces[i].first && c <= spaces[i].last)
			return true;
	return false;
}

static pl_str skip_space(pl_str s)
{
	size_t n;
	while (s.n && is_space(first_char(s, &n)))
		s = (pl_str){s.p + n, s.n - n};
	return s;
}

static pl_status read_line(struct build *b, const struct reader *r, pl_str line, pl_place at)
{
	if (!utf8_valid(line))
		return pl_err_set(b->err, PL_EINVAL, at, "the line is not valid UTF-8");
	if (at.line == 1 && str_starts(line, S("\xef\xbb\xbf")))
		line = (pl_str){line.p + 3, line.n - 3};
	line = skip_space(line);
	if (!line.n || line.p[0] == '#')
		return PL_OK;
	pl_str rest = line, key = str_cut(&rest, '=');
	if (!key.n) {
		pl_str text = arena_printf(b->mem, "%s:%u: a line without a key is passed over", at.file, at.line);
		b->h->log(b->h->ctx, PL_LOG_WARN, text);
		return PL_OK;
	}
	add(b, r, key, rest.p ? rest : S(""), at);
	r->out->v[r->out->n - 1].bare = !rest.p;
	return PL_OK;
}

static pl_status read_env(struct build *b, const pl_node *item, void *ctx)
{
	const struct reader *r = ctx;
	pl_str path = S(""), text;
	const char *file;
	pl_status st = cfg_text(b, item, "envs", &path);
	if (!st)
		st = target_load(b, r->t, item, path, &text, &file);
	if (st)
		return st;
	pl_place at = {file, 0, 1};
	while (text.p && text.n && !st) {
		pl_str line = str_cut(&text, '\n');
		at.line++;
		if (line.n && line.p[line.n - 1] == '\r')
			line.n--;
		st = read_line(b, r, line, at);
	}
	return st;
}

/* ---- all of them ---- */

static int by_key(const void *a, const void *b)
{
	const struct datum *x = a, *y = b;
	int c = str_cmp(x->key, y->key);
	return c ? c : (x->order > y->order) - (x->order < y->order);
}

/* An API server refuses such keys; the reference prints them. */
static bool is_data_key(pl_str s)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		bool word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
		if (!word && c != '-' && c != '_' && c != '.')
			return false;
	}
	return s.n && s.n <= 253 && !str_is(s, ".") && !str_starts(s, S(".."));
}

/* The key as it may be printed. */
static pl_str shown(struct build *b, const struct datum *d)
{
	return d->bare ? S("this line, which has no '=',") : arena_printf(b->mem, "'%.*s'", F(d->key));
}

static pl_status repeated(struct build *b, const struct datum *d)
{
	if (d->bare)
		pl_err_set(b->err, PL_EEXIST, d->at, "a line without '=' is a key, and there is the same one twice");
	else
		pl_err_set(b->err, PL_EEXIST, d->at, "illegally repeats the key '%.*s'", F(d->key));
	if (d[-1].at.file)
		pl_err_hint(b->err, "the other one: %s:%u", d[-1].at.file, d[-1].at.line);
	return PL_EEXIST;
}

static pl_status check_keys(struct build *b, const struct reader *r)
{
	const struct data *l = r->out;
	for (uint32_t i = 0; i < l->n; i++) {
		const struct datum *d = &l->v[i];
		if (i && str_eq(d->key, d[-1].key))
			return repeated(b, d);
		if (is_data_key(d->key))
			continue;
		pl_str text = arena_printf(
			b->mem, "%s:%u: %.*s is no valid key of a %.*s: letters, digits, '-', '_' and '.' are allowed",
			d->at.file ? d->at.file : "", d->at.line, F(shown(b, d)), F(r->what));
		b->h->log(b->h->ctx, PL_LOG_WARN, text);
	}
	return PL_OK;
}

pl_status data_read(struct build *b, struct target *t, const struct data_sources *from, pl_str what, struct data *out)
{
	struct reader r = {t, out, what};
	*out = (struct data){NULL, 0, 0};
	pl_status st = cfg_each(b, from->envs, "envs", read_env, &r);
	if (!st)
		st = cfg_each(b, from->literals, "literals", read_literal, &r);
	if (!st)
		st = cfg_each(b, from->files, "files", read_file, &r);
	if (st)
		return st;
	if (out->n)
		qsort(out->v, out->n, sizeof(*out->v), by_key);
	return check_keys(b, &r);
}
