/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/regex_syntax.h"

static const uint8_t special[256] = {
	['\\'] = 1, ['.'] = 1, ['+'] = 1, ['*'] = 1, ['?'] = 1, ['('] = 1, [')'] = 1,
	['|'] = 1,  ['['] = 1, [']'] = 1, ['{'] = 1, ['}'] = 1, ['^'] = 1, ['$'] = 1,
};

bool regex_is_literal(pl_str pattern)
{
	for (size_t i = 0; i < pattern.n; i++)
		if (special[(unsigned char)pattern.p[i]])
			return false;
	return true;
}

size_t regex_unicode_classes(pl_str pattern)
{
	size_t n = 0;

	for (size_t i = 0; i + 1 < pattern.n; i++)
		n += pattern.p[i] == '\\' && (pattern.p[i + 1] | 0x20) == 'p';
	return n;
}

static bool is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/* What stands at the front of s up to and with the first c; all of s without one. */
static pl_str up_to(pl_str s, char c)
{
	const char *end = s.n ? memchr(s.p, c, s.n) : NULL;

	return end ? (pl_str){s.p, (size_t)(end - s.p) + 1} : s;
}

/* A quotation, \Q to \E or the end: nothing in it is special. */
static size_t quotation(pl_str s)
{
	for (size_t i = 2; i + 1 < s.n; i++)
		if (s.p[i] == '\\' && s.p[i + 1] == 'E')
			return i + 2;
	return s.n;
}

/* A backslash and what belongs to it; the rest of \x{…} and \p{…} holds nothing special. */
static const char *escape(pl_str s, size_t *n)
{
	*n = s.n > 1 ? 2 : 1;
	if (s.n > 1 && s.p[1] == 'Q')
		*n = quotation(s);
	return s.n > 1 && s.p[1] == 'C' ? "invalid escape sequence" : NULL;
}

/* A class, [ to ]. A ] at its front is an ordinary character, and so is what [: and :] enclose. */
static const char *class(pl_str s, size_t *n, pl_str *part)
{
	size_t i = 1;

	i += i < s.n && s.p[i] == '^';
	for (bool first = true; i < s.n && (first || s.p[i] != ']'); first = false) {
		pl_str rest = {s.p + i, s.n - i};

		if (str_starts(rest, S("\\C"))) {
			*part = (pl_str){rest.p, 2};
			return "invalid escape sequence";
		}
		if (*rest.p == '\\')
			i += 2;
		else if (str_starts(rest, S("[:")) && str_ends(up_to((pl_str){rest.p + 2, rest.n - 2}, ']'), S(":]")))
			i += 2 + up_to((pl_str){rest.p + 2, rest.n - 2}, ']').n;
		else
			i++;
	}
	*n = i < s.n ? i + 1 : s.n;
	return NULL;
}

/* (?P<name> and (?<name>, which RE2 took up later. Go wants letters, digits and _ of ASCII. */
static const char *named_group(pl_str s, size_t mark, struct buf *out, size_t *n, pl_str *part)
{
	pl_str head = up_to(s, '>');
	size_t end = head.n - (s.p[head.n - 1] == '>');

	*part = head;
	if (end == head.n || end == mark)
		return "invalid named capture";
	for (size_t i = mark; i < end; i++)
		if (!is_word(s.p[i]))
			return "invalid named capture";
	buf_add(out, S("(?P<"));
	buf_add(out, (pl_str){s.p + mark, head.n - mark});
	*n = head.n;
	return NULL;
}

const char *regex_from_go(pl_str pattern, struct buf *out, pl_str *part)
{
	for (size_t i = 0, n; i < pattern.n; i += n) {
		pl_str rest = {pattern.p + i, pattern.n - i};
		size_t mark = str_starts(rest, S("(?P<")) ? 4 : 0;
		const char *why = NULL;

		if (str_starts(rest, S("(?<")) && !str_starts(rest, S("(?<=")) && !str_starts(rest, S("(?<!")))
			mark = 3;
		n = 1;
		*part = (pl_str){rest.p, rest.n < 2 ? rest.n : 2};
		if (*rest.p == '\\')
			why = escape(rest, &n);
		else if (*rest.p == '[')
			why = class(rest, &n, part);
		else if (mark)
			why = named_group(rest, mark, out, &n, part);
		if (why)
			return why;
		if (!mark)
			buf_add(out, (pl_str){rest.p, n});
	}
	return NULL;
}
