/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON by RFC 8259, in one pass without recursion. Children are gathered on a scratch stack and given to their
 * container, exactly sized, when it closes. Lines are counted where white space is skipped: nothing else may hold a
 * line end.
 */
#include "core/doc/json_scan.h"
#include "core/doc/node.h"

#include "core/base/mem.h"

struct level {
	pl_node *node;
	size_t base; /* its first child on the scratch stack */
};

struct json_reader {
	const char *p, *end;
	const char *line_start; /* moved on by each byte that is no character of its own, so that p - line_start counts
				   characters */
	uint32_t line, file;
	pl_doc *d;
	pl_err *e;
	pl_status st; /* of what went wrong */
	char *own;    /* the doc's copy of the text: escapes are decoded in place; NULL when it is borrowed */
	pl_node *from, *free, *stop; /* nodes taken from the doc, but not counted there yet, and where they end */
	pl_node **kids;		     /* with room for as many as there are nodes left */
	size_t n_kids, cap_kids;
	struct level *levels;
	size_t depth, cap_levels;
};

enum step { STEP_ERROR, STEP_VALUE, STEP_OPENED, STEP_CLOSED, STEP_END };

static uint32_t col_of(const struct json_reader *r, const char *p)
{
	return (uint32_t)(p - r->line_start) + 1;
}

static pl_place here(const struct json_reader *r, const char *p)
{
	return doc_place(r->d, r->file, r->line, col_of(r, p));
}

static bool fail(struct json_reader *r, const char *p, const char *what)
{
	r->st = pl_err_set(r->e, PL_EINVAL, here(r, p), "%s", what);
	return false;
}

/* "… expected WHAT, found 'c'" */
static bool fail_expected(struct json_reader *r, const char *what)
{
	unsigned char c;

	r->st = PL_EINVAL;
	if (r->p == r->end)
		pl_err_set(r->e, PL_EINVAL, here(r, r->p), "the text ends where %s is expected", what);
	else if ((c = (unsigned char)*r->p) > ' ' && c < 0x7f)
		pl_err_set(r->e, PL_EINVAL, here(r, r->p), "expected %s, found '%c'", what, c);
	else
		pl_err_set(r->e, PL_EINVAL, here(r, r->p), "expected %s, found byte 0x%02x", what, c);
	return false;
}

/* ---- white space ---- */

static void skip_space_slow(struct json_reader *r)
{
	const char *p = r->p;

	for (;;) {
		p = scan_blanks(p, r->end);
		if (p == r->end)
			break;
		if (*p == '\n') {
			r->line++;
			r->line_start = ++p;
		} else if (*p == '\r' || *p == '\t' || *p == ' ') {
			p++;
		} else {
			break;
		}
	}
	r->p = p;
}

static inline void skip_space(struct json_reader *r)
{
	if (r->p < r->end && (unsigned char)*r->p <= ' ')
		skip_space_slow(r);
}

/* ---- nodes ---- */

static void give_back(struct json_reader *r)
{
	r->d->nodes += (size_t)(r->free - r->from);
	r->d->free = r->from = r->free;
}

/* The next run of nodes, as far as the block and the limit go. */
__attribute__((noinline)) static bool take_nodes(struct json_reader *r)
{
	pl_doc *d = r->d;
	size_t left, allowed;

	give_back(r);
	if (d->nodes >= d->limits.max_nodes) {
		doc_node_new(d, PL_NULL, r->file, r->line, col_of(r, r->p), r->e); /* says so */
		r->st = PL_ETOOBIG;
		return false;
	}
	if (d->free == d->end)
		d->free = doc_node_block(d);
	left = (size_t)(d->end - d->free);
	allowed = d->limits.max_nodes - d->nodes;
	r->free = r->from = d->free;
	r->stop = r->free + (left < allowed ? left : allowed);
	r->kids = mem_grow(r->kids, &r->cap_kids, r->n_kids + left, sizeof(*r->kids));
	return true;
}

static inline pl_node *new_node(struct json_reader *r, int kind, int style)
{
	pl_node *n;

	if (r->free == r->stop && !take_nodes(r))
		return NULL;
	n = r->free++;
	n->line = r->line;
	n->col = col_of(r, r->p);
	n->len = 0;
	n->meta = (uint32_t)kind | r->file << NODE_FILE_SHIFT | (uint32_t)style << NODE_STYLE_SHIFT;
	n->u.s = NULL;
	r->kids[r->n_kids++] = n;
	return n;
}

static enum step open_container(struct json_reader *r, int kind)
{
	pl_node *n = new_node(r, kind, PL_STYLE_FLOW);

	if (!n)
		return STEP_ERROR;
	if (r->depth >= r->d->limits.max_depth) {
		r->st = pl_err_set(r->e, PL_ETOOBIG, here(r, r->p), "nested deeper than %u levels",
				   r->d->limits.max_depth);
		return STEP_ERROR;
	}
	if (r->depth == r->cap_levels)
		r->levels = mem_grow(r->levels, &r->cap_levels, r->depth + 1, sizeof(*r->levels));
	r->levels[r->depth++] = (struct level){n, r->n_kids};
	r->p++;
	return STEP_OPENED;
}

static enum step close_container(struct json_reader *r)
{
	struct level *l = &r->levels[--r->depth];

	r->p++;
	doc_set_kids(r->d, l->node, r->kids + l->base, r->n_kids - l->base);
	r->n_kids = l->base;
	if (node_kind(l->node) == PL_MAP)
		r->st = doc_check_keys(r->d, l->node, r->e);
	return r->st ? STEP_ERROR : STEP_CLOSED;
}

/* ---- strings ---- */

static bool read_hex4(struct json_reader *r, const char *p, uint32_t *out)
{
	uint32_t v = 0;
	int i;

	for (i = 2; i < 6; i++) {
		int digit = r->end - p > i ? scan_hex(p[i]) : -1;

		if (digit < 0)
			return fail(r, p, "\\u needs four hexadecimal digits");
		v = v << 4 | (uint32_t)digit;
	}
	*out = v;
	return true;
}

/* The escape at p; *out its character, *used its length. */
static bool read_unicode(struct json_reader *r, const char *p, uint32_t *out, size_t *used)
{
	uint32_t low;

	*used = 6;
	if (!read_hex4(r, p, out))
		return false;
	if (*out < 0xd800 || *out > 0xdfff)
		return true;
	if (*out > 0xdbff)
		return fail(r, p, "second half of a surrogate pair without the first");
	if (r->end - p < 12 || p[6] != '\\' || p[7] != 'u')
		return fail(r, p, "first half of a surrogate pair without the second");
	if (!read_hex4(r, p + 6, &low))
		return false;
	if (low < 0xdc00 || low > 0xdfff)
		return fail(r, p, "first half of a surrogate pair without the second");
	*out = 0x10000 + ((*out - 0xd800) << 10) + (low - 0xdc00);
	*used = 12;
	return true;
}

static bool read_escape(struct json_reader *r, const char **p, char **to)
{
	static const char from[] = "\"\\/bfnrt", into[] = "\"\\/\b\f\n\r\t";
	const char *known = *p + 1 < r->end && (*p)[1] ? strchr(from, (*p)[1]) : NULL;
	uint32_t c;
	size_t used;

	if (known) {
		*(*to)++ = into[known - from];
		*p += 2;
		return true;
	}
	if (*p + 1 == r->end)
		return fail(r, *p, "the text ends within a string");
	if ((*p)[1] != 'u')
		return fail(r, *p, "unknown escape in a string (known: \\\" \\\\ \\/ \\b \\f \\n \\r \\t \\uXXXX)");
	if (!read_unicode(r, *p, &c, &used))
		return false;
	*to += scan_put_utf8(*to, c);
	*p += used;
	return true;
}

/* The newest node is the string's own: its place was taken before the characters behind it were counted. */
static bool bad_byte(struct json_reader *r, const char *p)
{
	const pl_node *n = r->kids[r->n_kids - 1];
	unsigned char c;

	if (p == r->end) {
		r->st = pl_err_set(r->e, PL_EINVAL, pl_at(r->d, n), "this string has no end");
		return false;
	}
	c = (unsigned char)*p;
	if (c >= 0x80)
		return fail(r, p, "invalid UTF-8 in a string");
	r->st = pl_err_set(r->e, PL_EINVAL, here(r, p), "control character U+%04X in a string", c);
	pl_err_hint(r->e, c == '\n' ? "is the closing quote missing? a line end is written \\n" : "write \\u%04x", c);
	return false;
}

/* A string with escapes: what was plain up to p is there already. A decoded string is never longer than its text. */
static bool read_decoded(struct json_reader *r, const char *start, const char *p, pl_str *out)
{
	char *base = r->own ? r->own + (start - r->own)
			    : arena_alloc(r->d->arena, scan_bound(p, r->end) + (size_t)(p - start)),
	     *to = base;

	if (!r->own)
		memcpy(base, start, (size_t)(p - start));
	to += p - start;
	for (;;) {
		const char *from = p;

		p = scan_string(p, r->end);
		if (to != from)
			memmove(to, from, (size_t)(p - from));
		to += p - from;
		if (p == r->end)
			return bad_byte(r, p);
		if (*p == '"')
			break;
		if (*p == '\\') {
			if (!read_escape(r, &p, &to))
				return false;
		} else {
			size_t n = scan_utf8(p, r->end);

			if (n == 0)
				return bad_byte(r, p);
			r->line_start += n - 1;
			memmove(to, p, n);
			to += n;
			p += n;
		}
	}
	r->p = p + 1;
	*out = (pl_str){base, (size_t)(to - base)};
	return true;
}

/* A string that is not plain up to its closing quote: at p is something else. */
__attribute__((noinline)) static enum step string_slow(struct json_reader *r, pl_node *n, const char *start,
						       const char *p)
{
	pl_str s = {NULL, 0};

	while (p == r->end || *p != '"') {
		size_t bytes;

		if (p < r->end && *p == '\\') {
			if (!read_decoded(r, start, p, &s))
				return STEP_ERROR;
			node_set_text(n, PL_STRING, s);
			return STEP_VALUE;
		}
		bytes = scan_utf8(p, r->end);
		if (bytes == 0) {
			bad_byte(r, p);
			return STEP_ERROR;
		}
		r->line_start += bytes - 1;
		p = scan_string(p + bytes, r->end);
	}
	node_set_text(n, PL_STRING, (pl_str){start, (size_t)(p - start)});
	r->p = p + 1;
	return STEP_VALUE;
}

/* r->p is at the opening quote. Keys and nearly all values are done here, so this is kept short. */
static inline enum step string_value(struct json_reader *r)
{
	pl_node *n = new_node(r, PL_STRING, PL_STYLE_DOUBLE);
	const char *start = r->p + 1, *p;

	if (!n)
		return STEP_ERROR;
	p = scan_string(start, r->end);
	if (p == r->end || *p != '"')
		return string_slow(r, n, start, p);
	n->u.s = start;
	n->len = (uint32_t)(p - start);
	r->p = p + 1;
	return STEP_VALUE;
}

/* ---- other scalars ---- */

static const char *digits_end(const struct json_reader *r, const char *p)
{
	while (p < r->end && *p >= '0' && *p <= '9')
		p++;
	return p;
}

static bool fail_number(struct json_reader *r, const char *p, const char *what)
{
	r->p = p;
	return fail_expected(r, what);
}

/* A fraction and an exponent behind the whole part. */
static const char *number_tail(struct json_reader *r, const char *p)
{
	const char *q;

	if (p < r->end && *p == '.') {
		q = digits_end(r, p + 1);
		if (q == p + 1) {
			fail_number(r, q, "a digit after the decimal point");
			return NULL;
		}
		p = q;
	}
	if (p < r->end && (*p | 0x20) == 'e') {
		p++;
		if (p < r->end && (*p == '+' || *p == '-'))
			p++;
		q = digits_end(r, p);
		if (q == p) {
			fail_number(r, q, "a digit of the exponent");
			return NULL;
		}
		p = q;
	}
	return p;
}

static enum step number_value(struct json_reader *r)
{
	pl_node *n = new_node(r, PL_NUMBER, PL_STYLE_PLAIN);
	const char *start = r->p, *whole = start + (*start == '-'), *p;

	if (!n)
		return STEP_ERROR;
	p = digits_end(r, whole);
	if (p == whole) {
		fail_number(r, p, "a digit");
		return STEP_ERROR;
	}
	if (*whole == '0' && p > whole + 1) {
		fail(r, start, "a number has a leading zero");
		return STEP_ERROR;
	}
	if (p < r->end && (*p == '.' || (*p | 0x20) == 'e') && !(p = number_tail(r, p)))
		return STEP_ERROR;
	node_set_text(n, PL_NUMBER, (pl_str){start, (size_t)(p - start)});
	r->p = p;
	return STEP_VALUE;
}

static enum step word_value(struct json_reader *r)
{
	static const struct word {
		pl_str text;
		int kind;
		uint32_t flag;
	} words[] = {
		{S_INIT("true"), PL_BOOL, NODE_TRUE},
		{S_INIT("false"), PL_BOOL, 0},
		{S_INIT("null"), PL_NULL, 0},
	};
	const struct word *w;
	pl_node *n;

	for (w = words; w < words + sizeof(words) / sizeof(*words); w++) {
		if ((size_t)(r->end - r->p) < w->text.n || memcmp(r->p, w->text.p, w->text.n) != 0)
			continue;
		n = new_node(r, w->kind, PL_STYLE_PLAIN);
		if (!n)
			return STEP_ERROR;
		node_set_text(n, w->kind, w->text);
		n->meta |= w->flag;
		r->p += w->text.n;
		return STEP_VALUE;
	}
	fail_expected(r, "a value");
	return STEP_ERROR;
}

/* ---- structure ---- */

static enum step read_value(struct json_reader *r)
{
	skip_space(r);
	switch (r->p < r->end ? *r->p : 0) {
	case '"':
		return string_value(r);
	case '{':
		return open_container(r, PL_MAP);
	case '[':
		return open_container(r, PL_LIST);
	case '-':
	case '0':
	case '1':
	case '2':
	case '3':
	case '4':
	case '5':
	case '6':
	case '7':
	case '8':
	case '9':
		return number_value(r);
	}
	return word_value(r);
}

/* A key and its colon. */
static bool read_key(struct json_reader *r)
{
	skip_space(r);
	if (r->p == r->end || *r->p != '"')
		return fail_expected(r, "a key in double quotes");
	if (string_value(r) == STEP_ERROR)
		return false;
	skip_space(r);
	if (r->p == r->end || *r->p != ':')
		return fail_expected(r, "':' after the key");
	r->p++;
	return true;
}

/* Behind a value: the end, a closing bracket, or a comma and (in maps) the next key. */
static enum step after_value(struct json_reader *r)
{
	bool map;

	if (r->depth == 0)
		return STEP_END;
	map = node_kind(r->levels[r->depth - 1].node) == PL_MAP;
	skip_space(r);
	if (r->p < r->end && *r->p == ',') {
		r->p++;
		return !map || read_key(r) ? STEP_VALUE : STEP_ERROR;
	}
	if (r->p < r->end && *r->p == (map ? '}' : ']'))
		return close_container(r);
	fail_expected(r, map ? "',' or '}'" : "',' or ']'");
	return STEP_ERROR;
}

/* Behind an opening bracket: the closing one, or the first key or item. */
static enum step after_open(struct json_reader *r)
{
	bool map = node_kind(r->levels[r->depth - 1].node) == PL_MAP;

	skip_space(r);
	if (r->p < r->end && *r->p == (map ? '}' : ']'))
		return close_container(r);
	return !map || read_key(r) ? STEP_VALUE : STEP_ERROR;
}

static bool read_tree(struct json_reader *r)
{
	enum step s;

	for (;;) {
		s = read_value(r);
		if (s == STEP_OPENED)
			s = after_open(r);
		else if (s == STEP_VALUE)
			s = STEP_CLOSED;
		while (s == STEP_CLOSED)
			s = after_value(r);
		if (s != STEP_VALUE)
			return s == STEP_END;
	}
}

static bool read_text(struct json_reader *r)
{
	if (r->end - r->p >= 3 && memcmp(r->p, "\xef\xbb\xbf", 3) == 0)
		r->line_start = r->p += 3;
	if (!read_tree(r))
		return false;
	skip_space(r);
	return r->p == r->end || fail_expected(r, "the end of the text");
}

pl_status pl_json_read(pl_doc *d, pl_str text, const char *file, uint32_t flags, pl_node **out, pl_err *e)
{
	struct json_reader r = {.line = 1, .d = d, .e = e};

	*out = NULL;
	if (d->frozen)
		return pl_err_set(e, PL_EDENIED, NOWHERE, "a frozen document can't take in a text");
	r.file = doc_file(d, file);
	if (text.n > d->limits.max_bytes || text.n >= UINT32_MAX)
		return pl_err_set(
			e, PL_ETOOBIG, doc_place(d, r.file, 0, 0), "text of %zu bytes is larger than %llu", text.n,
			(unsigned long long)(d->limits.max_bytes < UINT32_MAX ? d->limits.max_bytes : UINT32_MAX - 1));
	if (!(flags & PL_READ_BORROW) && text.n) {
		r.own = arena_alloc(d->arena, text.n);
		memcpy(r.own, text.p, text.n);
		text.p = r.own;
	}
	r.p = r.line_start = text.p ? text.p : "";
	r.end = r.p + text.n;
	r.from = r.free = r.stop = d->free;
	if (read_text(&r))
		*out = r.kids[0];
	give_back(&r);
	free(r.kids);
	free(r.levels);
	return r.st;
}
