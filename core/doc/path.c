/* SPDX-License-Identifier: Apache-2.0 */
/* JSON Pointers and dotted paths. An error names the deepest step that exists and what is wrong behind it. */
#include "core/doc/node.h"

#include "core/base/mem.h"

enum { SHOWN = 200, CANDIDATES = 64 };

/* One look-up on its way down. */
struct finding {
	pl_str path;	   /* the whole, as it was given */
	size_t done;	   /* bytes of it that exist */
	const pl_node *at; /* what stands there */
	pl_err *e;
};

static pl_status bad_path(const struct finding *f, const char *kind, const char *what)
{
	return pl_err_set(f->e, PL_EINVAL, NOWHERE, "%s '%.*s': %s", kind, F(f->path), what);
}

static const char *kind_name(const pl_node *n)
{
	static const char *const names[] = {"null", "a boolean", "a number", "a string", "a list", "a map", "a scalar"};

	return names[node_kind(n)];
}

/* Who has mistyped a key gets the nearest one told. */
static void hint_nearest(const struct finding *f, pl_str key)
{
	const char *names[CANDIDATES] = {NULL}, *best;
	size_t i, n = 0;

	for (i = 0; i < f->at->len && n < CANDIDATES; i++)
		if (!node_is_container(f->at->u.kids[2 * i]) && f->at->u.kids[2 * i]->len <= SHOWN)
			names[n++] = str_dup(node_text(f->at->u.kids[2 * i]));
	best = str_nearest(key, names, n);
	if (best)
		pl_err_hint(f->e, "did you mean '%s'?", best);
	while (n > 0)
		free((void *)(uintptr_t)names[--n]);
}

static pl_status missing(const struct finding *f, pl_str step)
{
	pl_place at = {NULL, f->at->line, f->at->col};
	pl_str done = {f->path.p, f->done};
	int shown = step.n > SHOWN ? SHOWN : (int)step.n;

	if (!f->e)
		return PL_ENOTFOUND;
	switch (node_kind(f->at)) {
	case PL_MAP:
		pl_err_set(f->e, PL_ENOTFOUND, at, "no key '%.*s' in '%.*s'", shown, step.p, F(done));
		hint_nearest(f, step);
		return PL_ENOTFOUND;
	case PL_LIST:
		return pl_err_set(f->e, PL_ENOTFOUND, at, "no item '%.*s' in '%.*s', a list of %u", shown, step.p,
				  F(done), f->at->len);
	}
	return pl_err_set(f->e, PL_ENOTFOUND, at, "no '%.*s' in '%.*s', which is %s", shown, step.p, F(done),
			  kind_name(f->at));
}

bool pointer_index(pl_str s, size_t *out)
{
	size_t v = 0, i;

	if (s.n == 0 || s.n > 9 || (s.n > 1 && *s.p == '0'))
		return false;
	for (i = 0; i < s.n; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
		v = v * 10 + (size_t)(s.p[i] - '0');
	}
	*out = v;
	return true;
}

static pl_status go_key(struct finding *f, pl_str key)
{
	const pl_node *next = pl_get(f->at, key);

	if (!next)
		return missing(f, key);
	f->at = next;
	return PL_OK;
}

static pl_status go_item(struct finding *f, pl_str index)
{
	const pl_node *next;
	size_t i;

	next = pointer_index(index, &i) ? pl_item(f->at, i) : NULL;
	if (!next)
		return missing(f, index);
	f->at = next;
	return PL_OK;
}

static void found(const struct finding *f, pl_node **out)
{
	/* The caller knows whether the root it gave may be changed. */
	*out = (pl_node *)(uintptr_t)f->at;
}

/* ---- JSON Pointer ---- */

bool pointer_token(pl_str token, struct buf *b)
{
	size_t i;

	for (i = 0; i < token.n; i++) {
		if (token.p[i] != '~') {
			buf_addc(b, token.p[i]);
			continue;
		}
		if (++i == token.n || (token.p[i] != '0' && token.p[i] != '1'))
			return false;
		buf_addc(b, token.p[i] == '0' ? '~' : '/');
	}
	return true;
}

static pl_status pointer_step(struct finding *f, pl_str token)
{
	struct buf b;
	pl_status st;

	if (!token.n || !memchr(token.p, '~', token.n))
		return node_kind(f->at) == PL_LIST ? go_item(f, token) : go_key(f, token);
	b = BUF_INIT(token.n);
	if (!pointer_token(token, &b))
		st = bad_path(f, "JSON pointer", "'~' must be written '~0' ('/' is '~1')");
	else
		st = node_kind(f->at) == PL_LIST ? go_item(f, buf_str(&b)) : go_key(f, buf_str(&b));
	buf_free(&b);
	return st;
}

pl_status pl_pointer(const pl_node *root, pl_str pointer, pl_node **out, pl_err *e)
{
	struct finding f = {.path = pointer, .at = root, .e = e};
	pl_status st = PL_OK;

	*out = NULL;
	if (!root)
		return pl_err_set(e, PL_ENOTFOUND, NOWHERE, "no '%.*s': there is no value", F(pointer));
	if (pointer.n && *pointer.p != '/')
		return bad_path(&f, "JSON pointer", "it must be empty or begin with '/'");
	while (st == PL_OK && f.done < pointer.n) {
		const char *token = pointer.p + f.done + 1, *slash;
		size_t left = pointer.n - f.done - 1;

		slash = left ? memchr(token, '/', left) : NULL;
		st = pointer_step(&f, (pl_str){token, slash ? (size_t)(slash - token) : left});
		if (st == PL_OK)
			f.done = slash ? (size_t)(slash - pointer.p) : pointer.n;
	}
	if (st == PL_OK)
		found(&f, out);
	return st;
}

/* ---- dotted paths ---- */

/* A quoted key at p[0] up to its closing quote; backslash escapes one character. Gives the bytes used, 0 when it has no
 * end. */
static size_t read_quoted(pl_str s, struct buf *b)
{
	size_t i;

	for (i = 1; i < s.n && s.p[i] != s.p[0]; i++) {
		if (s.p[i] == '\\' && i + 1 < s.n)
			i++;
		buf_addc(b, s.p[i]);
	}
	return i < s.n ? i + 1 : 0;
}

static pl_status bracket_step(struct finding *f, size_t *used)
{
	pl_str s = {f->path.p + f->done + 1, f->path.n - f->done - 1};
	struct buf b = BUF_INIT(s.n);
	const char *close;
	pl_status st;
	size_t n;

	if (s.n && (*s.p == '"' || *s.p == '\'')) {
		n = read_quoted(s, &b);
		if (n == 0 || n == s.n || s.p[n] != ']')
			st = bad_path(f, "path", "a quoted key in brackets needs its closing quote and ']'");
		else
			st = go_key(f, buf_str(&b));
		*used = n + 2;
	} else {
		close = s.n ? memchr(s.p, ']', s.n) : NULL;
		n = close ? (size_t)(close - s.p) : 0;
		if (n == 0 || strspn(s.p, "0123456789") < n)
			st = bad_path(f, "path", "brackets hold an index or a quoted key");
		else
			st = go_item(f, (pl_str){s.p, n});
		*used = n + 2;
	}
	buf_free(&b);
	return st;
}

static pl_status name_step(struct finding *f, size_t *used)
{
	pl_str s = {f->path.p + f->done, f->path.n - f->done};
	size_t dot = *s.p == '.', n = dot;

	while (n < s.n && s.p[n] != '.' && s.p[n] != '[' && s.p[n] != ']')
		n++;
	/* One dot in front is kubectl's custom. A name must stand behind every dot, and a dot before every other name.
	 */
	if (n == dot || (n < s.n && s.p[n] == ']') || (!dot && f->done > 0))
		return bad_path(f, "path", "names are parted by single dots");
	*used = n;
	return go_key(f, (pl_str){s.p + dot, n - dot});
}

pl_status pl_dotted(const pl_node *root, pl_str path, pl_node **out, pl_err *e)
{
	struct finding f = {.path = path, .at = root, .e = e};
	pl_status st = PL_OK;
	size_t used = 0;

	*out = NULL;
	if (!root)
		return pl_err_set(e, PL_ENOTFOUND, NOWHERE, "no '%.*s': there is no value", F(path));
	while (st == PL_OK && f.done < path.n) {
		st = path.p[f.done] == '[' ? bracket_step(&f, &used) : name_step(&f, &used);
		if (st == PL_OK)
			f.done += used;
	}
	if (st == PL_OK)
		found(&f, out);
	return st;
}
