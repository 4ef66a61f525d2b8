/* SPDX-License-Identifier: Apache-2.0 */
#include "core/doc/yaml_write.h"

/* ---- what a text holds ---- */

struct traits {
	bool lines;    /* a line feed */
	bool specials; /* what must be escaped: only double quotes will do */
	bool tabs;
	bool not_plain; /* can't stand without quotes */
};

static uint32_t next_char(const char **p)
{
	const unsigned char *s = (const unsigned char *)*p;
	size_t more = *s < 0xe0 ? 1 : *s < 0xf0 ? 2 : 3;
	uint32_t c;

	if (*s < 0x80) {
		++*p;
		return *s;
	}
	c = *s & (0x3fu >> more);
	for (size_t i = 1; i <= more; i++)
		c = c << 6 | (s[i] & 0x3fu);
	*p += more + 1;
	return c;
}

/* Beyond ASCII: controls, the line ends of YAML 1.1, the byte order mark and what is no character. */
static bool is_special_wide(uint32_t c)
{
	return c < 0xa0 || c == 0x2028 || c == 0x2029 || c == 0xfeff || (c & 0xfffe) == 0xfffe;
}

static bool may_begin_plain(pl_str s)
{
	if (*s.p == '-')
		return s.n > 1 && s.p[1] != ' ' && !str_starts(s, S("---"));
	if (*s.p == '.')
		return !str_starts(s, S("..."));
	return !memchr("?:,[]{}#&*!|>'\"%@` ", *s.p, 20);
}

static struct traits look_at(pl_str s, bool ascii)
{
	struct traits t = {.not_plain = s.n == 0 || !may_begin_plain(s) || s.p[s.n - 1] == ' '};
	const char *p = s.p, *end = s.p + s.n;

	while (p < end) {
		unsigned char c = (unsigned char)*p;

		if (c >= 0x80) {
			t.specials |= is_special_wide(next_char(&p)) || ascii;
			continue;
		}
		p++;
		if (c == ':' && (p == end || *p == ' '))
			t.not_plain = true;
		else if (c == ' ' && p < end && *p == '#')
			t.not_plain = true;
		else if (c == '\n')
			t.lines = true;
		else if (c == '\t')
			t.tabs = true;
		else if (c < ' ' || c == 0x7f)
			t.specials = true;
	}
	t.not_plain |= t.lines | t.tabs | t.specials;
	return t;
}

/* ---- styles ---- */

static void escape(uint32_t c, struct buf *out)
{
	static const char letters[] = "0......abtnvfr.............e";

	if (c == '"' || c == '\\')
		buf_addf(out, "\\%c", (char)c);
	else if (c < sizeof(letters) - 1 && letters[c] != '.')
		buf_addf(out, "\\%c", letters[c]);
	else if (c < 0x100)
		buf_addf(out, "\\x%02X", c);
	else if (c < 0x10000)
		buf_addf(out, "\\u%04X", c);
	else
		buf_addf(out, "\\U%08X", c);
}

static void print_double(pl_str s, bool ascii, struct buf *out)
{
	const char *p = s.p, *end = s.p + s.n, *done = s.p;

	buf_addc(out, '"');
	while (p < end) {
		const char *at = p;
		uint32_t c = next_char(&p);

		if (c < 0x7f ? c >= ' ' && c != '"' && c != '\\' : !ascii && !is_special_wide(c))
			continue;
		buf_add(out, (pl_str){done, (size_t)(at - done)});
		escape(c, out);
		done = p;
	}
	buf_add(out, (pl_str){done, (size_t)(end - done)});
	buf_addc(out, '"');
}

static void print_single(pl_str s, struct buf *out)
{
	buf_addc(out, '\'');
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '\'')
			buf_addc(out, '\'');
		buf_addc(out, s.p[i]);
	}
	buf_addc(out, '\'');
}

/* Is there a character that is not a line feed? Blocks need one. */
static bool has_text(pl_str s)
{
	size_t i = 0;

	while (i < s.n && s.p[i] == '\n')
		i++;
	return i < s.n;
}

/* Folding rules change around lines that begin with a blank, so those are left to the literal style. */
static bool may_fold(pl_str s)
{
	if (memchr(" \t\n", *s.p, 3) || s.p[s.n - 1] == ' ')
		return false;
	for (size_t i = 1; i < s.n; i++)
		if ((s.p[i] == ' ' || s.p[i] == '\t') && s.p[i - 1] == '\n')
			return false;
	return true;
}

/* | or >, how the block is indented when its first line can't show it, and what becomes of the line feeds at its end.
 */
static void print_block(pl_str s, bool folded, size_t indent, struct buf *out)
{
	size_t tail = s.n;

	while (tail && s.p[tail - 1] == '\n')
		tail--;
	buf_addc(out, folded ? '>' : '|');
	if (memchr(" \t\n", *s.p, 3))
		buf_addc(out, '2');
	if (tail == s.n)
		buf_addc(out, '-');
	else if (s.n - tail > 1)
		buf_addc(out, '+');
	for (size_t i = 0; i < s.n;) {
		const char *nl = memchr(s.p + i, '\n', s.n - i);
		size_t line = nl ? (size_t)(nl - s.p) - i : s.n - i;

		buf_addc(out, '\n');
		if (line)
			buf_addn(out, ' ', indent);
		buf_add(out, (pl_str){s.p + i, line});
		i += line + 1;
		/* one line feed between two lines of text is written as two, or it would fold into a blank */
		if (folded && line && nl && i < tail)
			buf_addc(out, '\n');
	}
}

/* ---- choosing ---- */

static int choose(pl_str s, const struct traits *t, int wish, bool key)
{
	bool block = t->lines && !t->specials && !key && has_text(s);

	if (wish == PL_STYLE_FOLDED && block && may_fold(s))
		return PL_STYLE_FOLDED;
	if (block && wish != PL_STYLE_DOUBLE)
		return PL_STYLE_LITERAL;
	if (t->lines || t->specials || t->tabs || wish == PL_STYLE_DOUBLE)
		return PL_STYLE_DOUBLE;
	if (wish == PL_STYLE_SINGLE)
		return PL_STYLE_SINGLE;
	if (t->not_plain)
		return s.n ? PL_STYLE_SINGLE : PL_STYLE_DOUBLE;
	return scalar_ambiguous(s) ? PL_STYLE_DOUBLE : PL_STYLE_PLAIN;
}

static pl_status print_string(const pl_node *n, uint32_t flags, size_t indent, bool key, struct buf *out, pl_err *e)
{
	bool ascii = flags & PL_PRINT_ASCII;
	pl_str s = node_text(n);
	struct traits t;
	int style;

	if (!str_utf8(s))
		return pl_err_set(e, PL_EINVAL, (pl_place){NULL, n->line, n->col},
				  "a text that is not UTF-8 has no YAML");
	t = look_at(s, ascii);
	style = choose(s, &t, flags & PL_PRINT_KEEP_STYLE ? pl_style(n) : PL_STYLE_ANY, key);
	if (node_kind(n) == PL_PLAIN && !t.not_plain)
		style = PL_STYLE_PLAIN;
	switch (style) {
	case PL_STYLE_PLAIN:
		buf_add(out, s);
		break;
	case PL_STYLE_SINGLE:
		print_single(s, out);
		break;
	case PL_STYLE_DOUBLE:
		print_double(s, ascii, out);
		break;
	default:
		print_block(s, style == PL_STYLE_FOLDED, indent, out);
	}
	return PL_OK;
}

/* YAML 1.1 knows an exponent only behind a point and with a sign: 1e3 is written 1.0e+3. False: no way to write it. */
static bool print_json_number(pl_str json, struct buf *out)
{
	size_t at = 0;
	pl_str mantissa;

	while (at < json.n && json.p[at] != 'e' && json.p[at] != 'E')
		at++;
	/* what overflows a double is a string to Go's readers, however it is spelled */
	if ((at < json.n || at > 300) && scalar_plain(json, PL_SCHEMA_YAML11).kind != PL_NUMBER)
		return false;
	mantissa = (pl_str){json.p, at};
	buf_add(out, mantissa);
	if (at == json.n)
		return true;
	if (!memchr(mantissa.p, '.', mantissa.n))
		buf_addz(out, ".0");
	buf_addc(out, json.p[at++]);
	if (json.p[at] != '+' && json.p[at] != '-')
		buf_addc(out, '+');
	buf_add(out, (pl_str){json.p + at, json.n - at});
	return true;
}

/* 0x1F means the same to all readers, as far as 64 bits go. */
static bool is_plain_hex(pl_str s)
{
	if (s.n < 3 || s.n > 18 || s.p[0] != '0' || s.p[1] != 'x')
		return false;
	for (size_t i = 2; i < s.n; i++)
		if (!memchr("0123456789abcdefABCDEF", s.p[i], 22))
			return false;
	return true;
}

static pl_status print_number(const pl_node *n, uint32_t flags, struct buf *out, pl_err *e)
{
	struct buf json = BUF_INIT(SIZE_MAX);
	pl_str s = node_text(n);
	pl_status st = PL_OK;
	pl_place at = {NULL, n->line, n->col};
	const char *special = number_special(n);

	if ((flags & PL_PRINT_KEEP_STYLE) && is_plain_hex(s)) {
		buf_add(out, s);
	} else if (!number_json(n, &json)) {
		if (!print_json_number(buf_str(&json), out))
			st = pl_err_set(e, PL_EINVAL, at,
					"a number that overflows a double has no YAML that all readers agree on");
	} else if (special) {
		buf_addz(out, special);
	} else {
		st = pl_err_set(e, PL_EINVAL, at, "'%.*s%s' can't be read as a number", s.n > 60 ? 60 : (int)s.n, s.p,
				s.n > 60 ? "…" : "");
	}
	buf_free(&json);
	return st;
}

pl_status yaml_print_scalar(const pl_node *n, uint32_t flags, size_t indent, bool key, struct buf *out, pl_err *e)
{
	bool as_written = (flags & PL_PRINT_KEEP_STYLE) && pl_style(n) == PL_STYLE_PLAIN &&
			  scalar_plain(node_text(n), PL_SCHEMA_CORE12).kind == node_kind(n);

	switch (node_kind(n)) {
	case PL_NULL:
		buf_add(out, as_written && n->len ? node_text(n) : S("null"));
		return PL_OK;
	case PL_BOOL:
		buf_add(out, as_written ? node_text(n) : n->meta & NODE_TRUE ? S("true") : S("false"));
		return PL_OK;
	case PL_NUMBER:
		return print_number(n, flags, out, e);
	default:
		return print_string(n, flags, indent, key, out, e);
	}
}
