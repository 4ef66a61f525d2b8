/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One scalar as the field prints it. Its text is looked at once, by classes of bytes; most texts are words and are
 * copied as they are. "Line ends" are those of YAML 1.1; lines are folded at the first blank behind column 80.
 */
#include "core/doc/go_value.h"
#include "core/doc/scalar.h"
#include "core/doc/unicode.h"
#include "core/doc/yaml_field.h"

enum { WIDTH = 80, LONGEST_SIMPLE_KEY = 128 };

/* ---- what a text holds ---- */

enum {
	BLANK = 1,
	COLON = 2,
	HASH = 4,
	QUOTE = 8,
	FEED = 16,    /* a line feed */
	SPECIAL = 32, /* must be escaped */
	WIDE = 64,    /* beyond ASCII: is looked at more closely */
	REFUSED = 128
};

#define FOUR(i, c)    [i] = (c), [(i) + 1] = (c), [(i) + 2] = (c), [(i) + 3] = (c)
#define SIXTEEN(i, c) FOUR(i, c), FOUR((i) + 4, c), FOUR((i) + 8, c), FOUR((i) + 12, c)
#define SIXTY(i, c)   SIXTEEN(i, c), SIXTEEN((i) + 16, c), SIXTEEN((i) + 32, c), SIXTEEN((i) + 48, c)

static const uint8_t classes[256] = {
	FOUR(0, SPECIAL), FOUR(4, SPECIAL),  [8] = SPECIAL,	   ['\t'] = SPECIAL,  ['\n'] = FEED,
	[11] = SPECIAL,	  FOUR(12, SPECIAL), SIXTEEN(16, SPECIAL), [' '] = BLANK,     [':'] = COLON,
	['#'] = HASH,	  ['\''] = QUOTE,    [0x7f] = REFUSED,	   SIXTY(0x80, WIDE), SIXTY(0xc0, WIDE),
};

/* What no plain scalar begins with; for - ? : it depends on what follows. */
static const uint8_t indicators[256] = {
	['#'] = 1, [','] = 1,  ['['] = 1, [']'] = 1, ['{'] = 1, ['}'] = 1, ['&'] = 1, ['*'] = 1, ['!'] = 1, ['|'] = 1,
	['>'] = 1, ['\''] = 1, ['"'] = 1, ['%'] = 1, ['@'] = 1, ['`'] = 1, ['-'] = 2, ['?'] = 2, [':'] = 2,
};

struct look {
	bool feed;	  /* has a line feed */
	bool breaks;	  /* has any line end */
	bool not_plain;	  /* can't stand without quotes */
	bool not_single;  /* not in single quotes */
	bool not_literal; /* not as a block */
	bool blanks, quotes;
	bool separators;  /* has line ends that are no line feed */
	bool invalid;	  /* is not UTF-8 */
	uint32_t refused; /* a character that those programs refuse */
};

static unsigned classes_of(pl_str s)
{
	unsigned all = 0;

	for (size_t i = 0; i < s.n; i++)
		all |= classes[(unsigned char)s.p[i]];
	return all;
}

static bool is_break(uint32_t c)
{
	return c == '\n' || c == '\r' || c == 0x85 || c == 0x2028 || c == 0x2029;
}

static bool is_refused(uint32_t c)
{
	return (c >= 0x7f && c < 0xa0 && c != 0x85) || c == 0xfffe || c == 0xffff;
}

uint32_t field_refused(pl_str text)
{
	if (!(classes_of(text) & (WIDE | REFUSED)))
		return 0;
	for (size_t i = 0, k; i < text.n; i += k) {
		uint32_t c = unicode_at(text.p + i, text.p + text.n, &k);

		if (is_refused(c))
			return c;
	}
	return 0;
}

static bool is_printable(uint32_t c)
{
	if (c < 0x7f)
		return c >= ' ' || c == '\n';
	return c >= 0xa0 && c < 0x10000 && c != 0xfeff && c != 0xfffe && c != 0xffff;
}

/* ": ", a ":" at the end, " #", blanks at the ends, and what a plain scalar can't begin with. */
static bool has_indicators(pl_str s, unsigned all)
{
	uint8_t first = indicators[(unsigned char)*s.p];

	if (first == 1 || (first == 2 && (s.n == 1 || s.p[1] == ' ')) || *s.p == ' ' || s.p[s.n - 1] == ' ')
		return true;
	if (s.n >= 3 && (!memcmp(s.p, "---", 3) || !memcmp(s.p, "...", 3)))
		return true;
	if (all & COLON && (s.p[s.n - 1] == ':' || memmem(s.p, s.n, ": ", 2)))
		return true;
	return all & HASH && memmem(s.p, s.n, " #", 2);
}

/* Line ends and their neighbours, and characters beyond ASCII. */
static void look_closely(pl_str s, struct look *l)
{
	bool blank = false, ended = false;

	for (size_t i = 0, k; i < s.n; i += k) {
		uint32_t c = unicode_at(s.p + i, s.p + s.n, &k);

		if (is_refused(c))
			l->refused = c;
		if (!is_printable(c))
			l->not_single = l->not_literal = true;
		if (is_break(c)) {
			l->breaks = l->not_plain = true;
			l->separators |= c != '\n';
			l->not_single |= blank;
			l->not_literal |= blank;
		} else if (c == ' ') {
			l->not_single |= ended;
		}
		blank = c == ' ';
		ended = is_break(c);
	}
	l->not_plain |= l->not_single;
	l->not_literal |= s.p[s.n - 1] == ' ';
}

static struct look look_at(pl_str s)
{
	unsigned all = classes_of(s);
	struct look l = {.feed = all & FEED, .blanks = all & BLANK, .quotes = all & QUOTE};

	l.not_plain = s.n && has_indicators(s, all);
	l.invalid = all & WIDE && !str_utf8(s);
	if (all & (FEED | SPECIAL | WIDE | REFUSED))
		look_closely(s, &l);
	return l;
}

/* 1:30 and the like, numbers of base 60 in YAML 1.1: [-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)? */
static bool is_base_60(pl_str s)
{
	size_t i = s.n && (*s.p == '+' || *s.p == '-'), groups = 0;

	if (i == s.n || s.p[i] < '0' || s.p[i] > '9')
		return false;
	while (i < s.n && ((s.p[i] >= '0' && s.p[i] <= '9') || s.p[i] == '_'))
		i++;
	for (; i < s.n && s.p[i] == ':'; groups++) {
		size_t n = 0;

		for (i++; i < s.n && n < 2 && s.p[i] >= '0' && s.p[i] <= '9'; i++)
			n++;
		if (!n || (n == 2 && s.p[i - 2] > '5'))
			return false;
	}
	if (i < s.n && s.p[i] == '.')
		for (i++; i < s.n && ((s.p[i] >= '0' && s.p[i] <= '9') || s.p[i] == '_');)
			i++;
	return groups && i == s.n;
}

/* Would Go's second YAML library take the text, without quotes, for something else than a string? */
static bool is_ambiguous(pl_str s)
{
	struct go_time t;
	unsigned char c = s.n ? (unsigned char)*s.p : 0;

	if (scalar_plain(s, PL_SCHEMA_YAML11).kind != PL_STRING)
		return true;
	return c < ':' && (is_base_60(s) || go_time_read(s, &t));
}

/* ---- styles ---- */

/* The bytes of the line end that stands in front of end as it is; 0 when there is none. */
static size_t break_before(const char *text, const char *end)
{
	if (end > text && end[-1] == '\n')
		return 1;
	return end - text >= 3 && (!memcmp(end - 3, "\xe2\x80\xa8", 3) || !memcmp(end - 3, "\xe2\x80\xa9", 3)) ? 3 : 0;
}

bool field_at_line_start(const struct buf *out)
{
	return !out->n || break_before(out->p, out->p + out->n);
}

/* The characters on the line so far. */
static size_t column(const struct buf *out)
{
	const char *p = out->n ? out->p + out->n : out->p;
	size_t n = 0;

	for (; p > out->p && !break_before(out->p, p); p--)
		n += ((unsigned char)p[-1] & 0xc0) != 0x80;
	return n;
}

/* The bytes on the line so far, at least as many as characters. */
static size_t line_bytes(const struct buf *out)
{
	const char *feed = out->n ? memrchr(out->p, '\n', out->n) : NULL;

	return feed ? (size_t)(out->p + out->n - feed) - 1 : out->n;
}

static size_t characters(const char *p, size_t n)
{
	size_t k = 0;

	for (size_t i = 0; i < n; i++)
		k += ((unsigned char)p[i] & 0xc0) != 0x80;
	return k;
}

static void new_line(struct buf *out, size_t indent)
{
	buf_addc(out, '\n');
	buf_addn(out, ' ', indent);
}

/* Adds text that has no line ends, folded behind WIDTH at blanks that stand alone and at neither end. */
static void add_folded(pl_str s, size_t indent, struct buf *out)
{
	const char *p = s.p, *end = s.p + s.n;
	size_t at = column(out);

	while (p < end) {
		const char *blank = memchr(p, ' ', (size_t)(end - p));
		size_t n = (size_t)((blank ? blank : end) - p);

		buf_add(out, (pl_str){p, n});
		at += characters(p, n);
		p += n;
		if (p == end)
			break;
		if (at > WIDTH && p > s.p && p + 1 < end && p[1] != ' ') {
			new_line(out, indent);
			at = indent;
			p++;
			continue;
		}
		for (; p < end && *p == ' '; p++, at++)
			buf_addc(out, ' ');
	}
}

static void add_plain(pl_str s, const struct look *l, size_t indent, bool simple, struct buf *out)
{
	if (simple || !l->blanks || line_bytes(out) + s.n <= WIDTH)
		buf_add(out, s);
	else
		add_folded(s, indent, out);
}

/* The same in single quotes, where the line may also end in a separator of lines or paragraphs. */
static void add_single_slowly(pl_str s, size_t indent, bool simple, struct buf *out)
{
	bool blank = false, ended = false;
	size_t at = column(out);

	for (size_t i = 0, k; i < s.n; i += k) {
		uint32_t c = unicode_at(s.p + i, s.p + s.n, &k);

		if (c == ' ' && !simple && !blank && at > WIDTH && i && i + 1 < s.n && s.p[i + 1] != ' ') {
			new_line(out, indent);
			at = indent;
			blank = true;
			continue;
		}
		if (ended && !is_break(c)) {
			buf_addn(out, ' ', indent);
			at = indent;
		}
		if (c == '\'')
			buf_addc(out, '\'');
		buf_add(out, (pl_str){s.p + i, k});
		at = is_break(c) ? 0 : at + 1 + (c == '\'');
		ended = is_break(c);
		blank = c == ' ';
	}
}

static void add_single(pl_str s, const struct look *l, size_t indent, bool simple, struct buf *out)
{
	buf_addc(out, '\'');
	if (l->separators || l->quotes)
		add_single_slowly(s, indent, simple, out);
	else
		add_plain(s, l, indent, simple, out);
	buf_addc(out, '\'');
}

/* Returns the characters written. */
static size_t add_escape(uint32_t c, struct buf *out)
{
	static const char letters[] = "0......abtnvfr.............e";
	static const struct {
		uint32_t c;
		char letter;
	} others[] = {{'"', '"'}, {'\\', '\\'}, {0x85, 'N'}, {0xa0, '_'}, {0x2028, 'L'}, {0x2029, 'P'}};
	size_t before = out->n;
	char letter = c < sizeof letters - 1 && letters[c] != '.' ? letters[c] : 0;

	for (size_t i = 0; !letter && i < sizeof others / sizeof *others; i++)
		if (others[i].c == c)
			letter = others[i].letter;
	if (letter)
		buf_addf(out, "\\%c", letter);
	else if (c < 0x100)
		buf_addf(out, "\\x%02X", c);
	else if (c < 0x10000)
		buf_addf(out, "\\u%04X", c);
	else
		buf_addf(out, "\\U%08X", c);
	return out->n - before;
}

static void add_double(pl_str s, size_t indent, bool simple, struct buf *out)
{
	/* that library asks the first character where it should ask each whether it is a byte order mark */
	bool mark = str_starts(s, S("\xef\xbb\xbf")), blank = false;
	size_t at;

	buf_addc(out, '"');
	at = column(out);
	for (size_t i = 0, k; i < s.n; i += k) {
		uint32_t c = unicode_at(s.p + i, s.p + s.n, &k);

		if (mark || !is_printable(c) || is_break(c) || c == '"' || c == '\\') {
			at += add_escape(c, out);
			blank = false;
		} else if (c == ' ' && !simple && !blank && at > WIDTH && i && i + 1 < s.n) {
			new_line(out, indent);
			at = indent;
			if (s.p[i + 1] == ' ') {
				buf_addc(out, '\\');
				at++;
			}
			blank = true;
		} else {
			buf_add(out, (pl_str){s.p + i, k});
			at++;
			blank = c == ' ';
		}
	}
	buf_addc(out, '"');
}

/* One line of a block; what comes behind a separator counts as a line of its own. */
static void add_line(pl_str s, const struct look *l, size_t indent, struct buf *out)
{
	bool begins = true;

	if (s.n && !l->separators) {
		buf_addn(out, ' ', indent);
		buf_add(out, s);
		return;
	}
	for (size_t i = 0, k; i < s.n; i += k) {
		uint32_t c = unicode_at(s.p + i, s.p + s.n, &k);

		if (begins && !is_break(c))
			buf_addn(out, ' ', indent);
		buf_add(out, (pl_str){s.p + i, k});
		begins = is_break(c);
	}
}

static void add_literal(pl_str s, const struct look *l, size_t indent, struct buf *out)
{
	const char *p = s.p, *end = s.p + s.n;
	size_t k, last = break_before(s.p, end);

	buf_addc(out, '|');
	if (*p == ' ' || is_break(unicode_at(p, end, &k)))
		buf_addc(out, '2');
	if (!last)
		buf_addc(out, '-');
	else if (last == s.n || break_before(s.p, end - last))
		buf_addc(out, '+');
	buf_addc(out, '\n');
	while (p < end) {
		const char *feed = memchr(p, '\n', (size_t)(end - p));
		const char *stop = feed ? feed : end;

		add_line((pl_str){p, (size_t)(stop - p)}, l, indent, out);
		if (feed)
			buf_addc(out, '\n');
		p = stop + (feed != NULL);
	}
}

static void add_string(pl_str s, const struct look *l, size_t indent, bool simple, struct buf *out)
{
	if (l->feed) {
		if (l->not_literal || simple)
			add_double(s, indent, simple, out);
		else
			add_literal(s, l, indent, out);
	} else if (is_ambiguous(s)) {
		add_double(s, indent, simple, out);
	} else if (!l->not_plain) {
		add_plain(s, l, indent, simple, out);
	} else if (!l->not_single) {
		add_single(s, l, indent, simple, out);
	} else {
		add_double(s, indent, simple, out);
	}
}

/* ---- scalars ---- */

static pl_status refuse(const pl_node *n, const char *what, pl_err *e)
{
	return pl_err_set(e, PL_EINVAL, (pl_place){NULL, n->line, n->col}, "%s", what);
}

static pl_status check(const pl_node *n, const struct look *l, pl_err *e)
{
	if (l->invalid)
		return refuse(n, "a text is not UTF-8", e);
	if (l->refused)
		return pl_err_set(e, PL_EINVAL, (pl_place){NULL, n->line, n->col}, FIELD_REFUSED, l->refused);
	return PL_OK;
}

static pl_status print_string(const pl_node *n, size_t indent, bool flow, struct buf *out, pl_err *e)
{
	pl_str s = node_text(n);
	struct look l = look_at(s);
	pl_status st = check(n, &l, e);
	struct buf folded = BUF_INIT(SIZE_MAX);

	if (!st && l.feed && !flow && pl_style(n) == PL_STYLE_FOLDED && field_refold(s, &folded)) {
		s = buf_str(&folded);
		l = look_at(s);
	}
	if (!st)
		add_string(s, &l, indent, false, out);
	buf_free(&folded);
	return st;
}

static pl_status print_time(const pl_node *n, size_t indent, struct buf *out, pl_err *e)
{
	struct buf text = BUF_INIT(SIZE_MAX);
	struct go_time t;
	pl_status st = go_time_read(node_text(n), &t) ? go_time_print(&t, &text) : PL_EINVAL;

	if (st)
		refuse(n, FIELD_OFFSET, e);
	else
		add_double(buf_str(&text), indent, true, out);
	buf_free(&text);
	return st;
}

pl_status field_value(const pl_node *n, size_t indent, bool flow, struct buf *out, pl_err *e)
{
	switch (node_kind(n)) {
	case PL_NULL:
		buf_add(out, flow && field_is_blank(n) ? S("\"\"") : S("null"));
		return PL_OK;
	case PL_BOOL:
		buf_add(out, n->meta & NODE_TRUE ? S("true") : S("false"));
		return PL_OK;
	case PL_NUMBER:
		if (go_number_print(n, out) == PL_OK)
			return PL_OK;
		return pl_err_set(e, PL_EINVAL, (pl_place){NULL, n->line, n->col}, FIELD_NOT_FINITE,
				  n->len > 80 ? 80 : (int)n->len, n->u.s);
	case PL_STRING:
		return field_is_time(n, flow) ? print_time(n, indent, out, e) : print_string(n, indent, flow, out, e);
	}
	return refuse(n, "a plain scalar without a kind can't be written", e);
}

pl_status field_key(const pl_node *n, size_t indent, struct buf *out, bool *complex, pl_err *e)
{
	pl_str s = node_text(n);
	struct look l;
	pl_status st;

	*complex = false;
	if (node_kind(n) != PL_STRING)
		return refuse(n, "a key that is no text has no JSON", e);
	l = look_at(s);
	st = check(n, &l, e);
	if (st)
		return st;
	*complex = s.n > LONGEST_SIMPLE_KEY || l.breaks;
	if (*complex)
		buf_add(out, S("? "));
	add_string(s, &l, indent, !*complex, out);
	return PL_OK;
}
