/* SPDX-License-Identifier: Apache-2.0 */
#include "core/doc/scalar.h"

#include "core/doc/go_value.h"

/* What the first character of a plain scalar lets it be. Most scalars are strings and end here. */
enum hint { HINT_STRING, HINT_WORD, HINT_NUMBER, HINT_DOT };

static const uint8_t hints[256] = {
	['~'] = HINT_WORD,   ['y'] = HINT_WORD,	  ['Y'] = HINT_WORD,   ['n'] = HINT_WORD,   ['N'] = HINT_WORD,
	['t'] = HINT_WORD,   ['T'] = HINT_WORD,	  ['f'] = HINT_WORD,   ['F'] = HINT_WORD,   ['o'] = HINT_WORD,
	['O'] = HINT_WORD,   ['.'] = HINT_DOT,	  ['+'] = HINT_NUMBER, ['-'] = HINT_NUMBER, ['0'] = HINT_NUMBER,
	['1'] = HINT_NUMBER, ['2'] = HINT_NUMBER, ['3'] = HINT_NUMBER, ['4'] = HINT_NUMBER, ['5'] = HINT_NUMBER,
	['6'] = HINT_NUMBER, ['7'] = HINT_NUMBER, ['8'] = HINT_NUMBER, ['9'] = HINT_NUMBER,
};

#define IN_YAML11    (1u << PL_SCHEMA_YAML11)
#define IN_CORE12    (1u << PL_SCHEMA_CORE12)
#define IN_KUSTOMIZE (1u << PL_SCHEMA_KUSTOMIZE)
#define IN_JSON	     (1u << PL_SCHEMA_JSON)
#define IN_YAML	     (IN_YAML11 | IN_CORE12 | IN_KUSTOMIZE)

static const struct word {
	pl_str text;
	uint8_t kind;
	bool truth;
	uint8_t schemas;
} words[] = {
	{S_INIT("true"), PL_BOOL, true, IN_YAML | IN_JSON},
	{S_INIT("false"), PL_BOOL, false, IN_YAML | IN_JSON},
	{S_INIT("null"), PL_NULL, false, IN_YAML | IN_JSON},
	{S_INIT("~"), PL_NULL, false, IN_YAML},
	{S_INIT("True"), PL_BOOL, true, IN_YAML},
	{S_INIT("TRUE"), PL_BOOL, true, IN_YAML},
	{S_INIT("False"), PL_BOOL, false, IN_YAML},
	{S_INIT("FALSE"), PL_BOOL, false, IN_YAML},
	{S_INIT("Null"), PL_NULL, false, IN_YAML},
	{S_INIT("NULL"), PL_NULL, false, IN_YAML},
	{S_INIT("y"), PL_BOOL, true, IN_YAML11},
	{S_INIT("Y"), PL_BOOL, true, IN_YAML11},
	{S_INIT("yes"), PL_BOOL, true, IN_YAML11},
	{S_INIT("Yes"), PL_BOOL, true, IN_YAML11},
	{S_INIT("YES"), PL_BOOL, true, IN_YAML11},
	{S_INIT("on"), PL_BOOL, true, IN_YAML11},
	{S_INIT("On"), PL_BOOL, true, IN_YAML11},
	{S_INIT("ON"), PL_BOOL, true, IN_YAML11},
	{S_INIT("n"), PL_BOOL, false, IN_YAML11},
	{S_INIT("N"), PL_BOOL, false, IN_YAML11},
	{S_INIT("no"), PL_BOOL, false, IN_YAML11},
	{S_INIT("No"), PL_BOOL, false, IN_YAML11},
	{S_INIT("NO"), PL_BOOL, false, IN_YAML11},
	{S_INIT("off"), PL_BOOL, false, IN_YAML11},
	{S_INIT("Off"), PL_BOOL, false, IN_YAML11},
	{S_INIT("OFF"), PL_BOOL, false, IN_YAML11},
};

#define LONGEST_WORD 5

static const struct scalar a_string = {.kind = PL_STRING};
static const struct scalar a_float = {.kind = PL_NUMBER};
static const struct scalar an_integer = {.kind = PL_NUMBER, .whole = true};

static struct scalar resolve_word(pl_str text, unsigned schema)
{
	for (size_t i = 0; text.n <= LONGEST_WORD && i < sizeof(words) / sizeof(*words); i++)
		if ((words[i].schemas & schema) && str_eq(words[i].text, text))
			return (struct scalar){.kind = words[i].kind, .truth = words[i].truth};
	return a_string;
}

/* A cursor over a number's characters; Go's readers drop every underscore first, so the cursor skips them. */
struct digits {
	const char *p, *end;
	bool underscores;
};

static int peek(struct digits *d)
{
	while (d->underscores && d->p < d->end && *d->p == '_')
		d->p++;
	return d->p < d->end ? (unsigned char)*d->p : -1;
}

static int take(struct digits *d)
{
	int c = peek(d);

	if (c >= 0)
		d->p++;
	return c;
}

static int digit_value(int c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
		return (c | 0x20) - 'a' + 10;
	return 99;
}

/* All that is left must be digits of base, at least one. *value saturates at UINT64_MAX + *over. */
static bool take_all_digits(struct digits d, int base, uint64_t *value, bool *over)
{
	size_t n = 0;
	int c;

	*value = 0;
	*over = false;
	while ((c = take(&d)) >= 0) {
		int v = digit_value(c);

		if (v >= base)
			return false;
		if (__builtin_mul_overflow(*value, (uint64_t)base, value) ||
		    __builtin_add_overflow(*value, (uint64_t)v, value))
			*over = true;
		n++;
	}
	return n > 0;
}

/* Go reads an integer with a base prefix only when it fits 64 bits, with its sign if it has one; else the text stays a
 * string. */
static bool fits_signed(int sign, uint64_t value)
{
	return value <= (uint64_t)INT64_MAX + (sign == '-' ? 1 : 0);
}

struct decimal {
	size_t whole, fraction;	    /* digits before and after the point */
	size_t lead;		    /* zeros in front of the first other digit, all digits counted */
	bool point, exponent, zero; /* zero: no digit but 0 */
	int exp;
};

static size_t take_run(struct digits *d, struct decimal *m)
{
	size_t n = 0;

	for (int c; (c = peek(d)) >= '0' && c <= '9'; n++, d->p++) {
		if (c != '0')
			m->zero = false;
		else if (m->zero)
			m->lead++;
	}
	return n;
}

static bool take_exponent(struct digits *d, struct decimal *m)
{
	size_t n = 0;
	int sign = 0;

	take(d);
	if (peek(d) == '+' || peek(d) == '-')
		sign = take(d);
	for (int c; (c = peek(d)) >= '0' && c <= '9'; n++, d->p++)
		if (m->exp < 100000)
			m->exp = m->exp * 10 + (c - '0');
	if (sign == '-')
		m->exp = -m->exp;
	return n > 0;
}

/* (\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)? to the end. */
static bool take_decimal(struct digits d, struct decimal *m)
{
	*m = (struct decimal){.zero = true};
	m->whole = take_run(&d, m);
	if (peek(&d) == '.') {
		take(&d);
		m->point = true;
		m->fraction = take_run(&d, m);
	}
	if (m->whole + m->fraction == 0)
		return false;
	if (peek(&d) == 'e' || peek(&d) == 'E') {
		m->exponent = true;
		if (!take_exponent(&d, m))
			return false;
	}
	return peek(&d) < 0;
}

/* Are the digits, as D.DDD…, below the least number of 309 digits that a double rounds to infinity? */
static bool below_overflow(struct digits d)
{
	static const char least[] = "179769313486231580793728971405303415079934132710037826936173"
				    "778980444968292764750946649017977587207096330286416692887910"
				    "946555547851940402630657488671505820681908902000708383676273"
				    "854845817711531764475730270069855571366959622842914819860834"
				    "936475292719074168444365510704342711559699508093042880177904"
				    "174497792";
	const char *l = least;

	while (peek(&d) == '+' || peek(&d) == '-' || peek(&d) == '0' || peek(&d) == '.')
		take(&d);
	for (int c; *l && (c = take(&d)) >= 0 && (c | 0x20) != 'e';) {
		if (c == '.')
			continue;
		if (c != *l)
			return c < *l;
		l++;
	}
	return *l != '\0'; /* shorter, and the rest of the other is not all zeros */
}

/* Would a double hold it? Go's readers leave what overflows a string. */
static bool is_finite(struct digits d, const struct decimal *m)
{
	int64_t magnitude = (int64_t)m->whole - (int64_t)m->lead - 1 + m->exp;

	return m->zero || magnitude < 308 || (magnitude == 308 && below_overflow(d));
}

static int base_of_prefix(struct digits *d)
{
	static const uint8_t bases[256] = {['x'] = 16, ['X'] = 16, ['b'] = 2, ['B'] = 2, ['o'] = 8, ['O'] = 8};
	struct digits look = *d;

	if (take(&look) != '0' || peek(&look) < 0 || !bases[peek(&look)])
		return 0;
	*d = look;
	return bases[take(d)];
}

/* Behind 0b, and for the third reader behind 0o, a sign may stand: 0b-101. */
static bool inner_sign(pl_str text, int schema)
{
	struct digits d = {text.p, text.p + text.n, true};
	int prefix = take(&d) == '0' ? take(&d) : 0;

	return prefix == 'b' || (prefix == 'o' && schema == PL_SCHEMA_KUSTOMIZE);
}

/* Numbers as Go's YAML readers, both the second and the third, take them. */
static struct scalar resolve_go_number(pl_str text, int schema)
{
	struct digits d = {text.p, text.p + text.n, true};
	int sign = *text.p == '+' || *text.p == '-' ? take(&d) : 0, base;
	struct scalar octal = an_integer;
	struct decimal m;
	uint64_t value;
	bool over;

	base = base_of_prefix(&d);
	if (base) {
		if (!sign && inner_sign(text, schema) && (peek(&d) == '+' || peek(&d) == '-'))
			sign = take(&d);
		if (!take_all_digits(d, base, &value, &over) || over || (sign && !fits_signed(sign, value)))
			return a_string;
		return an_integer;
	}
	octal.octal = d.end - d.p > 1;
	if (peek(&d) == '0' && take_all_digits(d, 8, &value, &over) && !over && (!sign || fits_signed(sign, value)))
		return octal;
	if (!take_decimal(d, &m) || !is_finite(d, &m))
		return a_string;
	return m.point || m.exponent ? a_float : an_integer;
}

static struct scalar resolve_core_number(pl_str text)
{
	struct digits d = {text.p, text.p + text.n, false};
	struct decimal m;
	uint64_t value;
	bool over;

	if (text.n > 2 && text.p[0] == '0' && (text.p[1] == 'x' || text.p[1] == 'o')) {
		d.p += 2;
		return take_all_digits(d, text.p[1] == 'x' ? 16 : 8, &value, &over) ? an_integer : a_string;
	}
	if (*d.p == '+' || *d.p == '-')
		d.p++;
	if (!take_decimal(d, &m))
		return a_string;
	return m.point || m.exponent ? a_float : an_integer;
}

static bool is_special_float(pl_str text)
{
	static const char *const names[] = {"inf", "Inf", "INF", "nan", "NaN", "NAN"};
	bool sign = *text.p == '+' || *text.p == '-';

	if (text.n != 4u + sign || text.p[sign] != '.')
		return false;
	for (size_t i = 0; i < (sign ? 3u : 6u); i++)
		if (!memcmp(text.p + sign + 1, names[i], 3))
			return true;
	return false;
}

static struct scalar resolve_number(pl_str text, int schema)
{
	if (schema == PL_SCHEMA_JSON)
		return !number_is_json(text) ? a_string : memchr(text.p, '.', text.n) ? a_float : an_integer;
	if (is_special_float(text))
		return a_float;
	return schema == PL_SCHEMA_CORE12 ? resolve_core_number(text) : resolve_go_number(text, schema);
}

/* Each underscore stands between two digits. */
static bool underscores_part_digits(pl_str text)
{
	for (size_t i = 0; i < text.n; i++)
		if (text.p[i] == '_' &&
		    (i == 0 || i + 1 == text.n || digit_value(text.p[i - 1]) > 9 || digit_value(text.p[i + 1]) > 9))
			return false;
	return true;
}

/* A leading point: Go does not drop underscores there, but knows them as its own language does. */
static struct scalar resolve_dot(pl_str text, int schema)
{
	struct digits d = {text.p, text.p + text.n, schema != PL_SCHEMA_CORE12 && underscores_part_digits(text)};
	struct decimal m;

	if (schema == PL_SCHEMA_JSON)
		return a_string;
	if (is_special_float(text))
		return a_float;
	return take_decimal(d, &m) && (schema == PL_SCHEMA_CORE12 || is_finite(d, &m)) ? a_float : a_string;
}

struct scalar scalar_plain(pl_str text, int schema)
{
	if (text.n == 0)
		return (struct scalar){.kind = PL_NULL};
	switch (hints[(unsigned char)*text.p]) {
	case HINT_WORD:
		return resolve_word(text, 1u << schema);
	case HINT_NUMBER:
		return resolve_number(text, schema);
	case HINT_DOT:
		return resolve_dot(text, schema);
	default:
		return a_string;
	}
}

/* The length of the longest start of text that has only characters of set. */
static size_t span(pl_str text, pl_str set)
{
	size_t n = 0;

	while (n < text.n && memchr(set.p, text.p[n], set.n))
		n++;
	return n;
}

/* Numbers, times and dates in notations that other YAML 1.1 readers know: 1:30, 1_0.5, ._, 0b-1, 2001-01-01. */
static bool looks_numeric(pl_str text)
{
	size_t sign = *text.p == '+' || *text.p == '-';
	pl_str t = {text.p + sign, text.n - sign};
	struct digits d = {t.p, t.p + t.n, true};
	struct decimal m;

	if (t.n == 0)
		return false;
	if (t.n > 1 && *t.p == '0' && memchr("bBoOxX", t.p[1], 6))
		return span((pl_str){t.p + 2, t.n - 2}, S("0123456789abcdefABCDEF_+-")) == t.n - 2;
	if (span(t, S("0123456789_.:")) == t.n && (memchr(t.p, ':', t.n) || span(t, S("._")) == t.n))
		return true;
	if (t.n > 7 && span(t, S("0123456789")) == 4 && t.p[4] == '-' && span(t, S("0123456789-:.tTzZ+ \t")) == t.n)
		return true;
	return take_decimal(d, &m);
}

bool scalar_ambiguous(pl_str text)
{
	if (text.n == 0 || str_eq(text, S("=")) || str_eq(text, S("<<")))
		return true;
	switch (hints[(unsigned char)*text.p]) {
	case HINT_WORD:
		return resolve_word(text, IN_YAML).kind != PL_STRING;
	case HINT_NUMBER:
	case HINT_DOT:
		return scalar_plain(text, PL_SCHEMA_YAML11).kind != PL_STRING ||
		       scalar_plain(text, PL_SCHEMA_CORE12).kind != PL_STRING || looks_numeric(text);
	default:
		return false;
	}
}

void scalar_apply(pl_node *n, int schema)
{
	struct scalar s = scalar_plain(node_text(n), schema);
	struct go_time t;

	node_set_kind(n, s.kind);
	if (s.truth)
		n->meta |= NODE_TRUE;
	if (s.octal)
		n->meta |= NODE_OCTAL;
	if (schema == PL_SCHEMA_KUSTOMIZE && s.kind == PL_STRING && go_time_read(node_text(n), &t))
		n->meta |= NODE_TIME;
}
