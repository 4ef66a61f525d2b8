/* SPDX-License-Identifier: Apache-2.0 */
/* The scanner's complaints in words for the one who wrote the file. */
#include "core/doc/yaml_read.h"

static const struct wording {
	const char *theirs, *ours, *hint;
	bool begun; /* tell where it begins: the end found may be far away */
} wordings[] = {
	{"could not find expected ':'", "a key without ':'", NULL, false},
	{"found unexpected ':'", "':' can't stand here", "quote the text that holds it", false},
	{"did not find expected key", "wrong indentation, or something left over behind a value",
	 "keys of one map begin in the same column", false},
	{"did not find expected '-' indicator", "wrong indentation: the items of a list begin in the same column", NULL,
	 false},
	{"did not find expected ',' or ']'", "a list in brackets lacks ',' or ']'", NULL, true},
	{"did not find expected ',' or '}'", "a map in braces lacks ',' or '}'", NULL, true},
	{"did not find expected <document start>", "something is left over behind the document",
	 "documents are separated by '---'", false},
	{"did not find expected node content", "a value is missing here", NULL, false},
	{"mapping values are not allowed in this context", "': ' can't stand here",
	 "quote a value that holds ': ', and check the indentation", false},
	{"mapping keys are not allowed in this context", "a key can't stand here", "check the indentation", false},
	{"block sequence entries are not allowed in this context", "'- ' can't stand here",
	 "begin lists on a line of their own", false},
	{"found character that cannot start any token", "a value can't begin with this character",
	 "quote it; indent with blanks, not tabs", false},
	{"found a tab character where an indentation space is expected", "a tab where blanks must indent", NULL, false},
	{"found a tab character that violates indentation", "a tab where blanks must indent", NULL, false},
	{"found unexpected end of stream", "the text ends inside a quoted value", "a closing quote is missing", true},
	{"found unexpected document indicator", "a document ends inside a quoted value", "a closing quote is missing",
	 true},
	{"found unknown escape character", "unknown escape after '\\'", "use single quotes, or '\\\\' for a backslash",
	 false},
	{"did not find expected hexdecimal number", "an escape lacks hexadecimal digits", NULL, false},
	{"found invalid Unicode character escape code", "an escape names no Unicode character",
	 "what is not in the basic plane is written '\\U0001F600'", false},
	{"found an indentation indicator equal to 0", "a block's indentation can't be 0", NULL, false},
	{"did not find expected comment or line break", "something is left over on this line", NULL, false},
	{"did not find expected whitespace or line break", "a blank is missing", NULL, false},
	{"did not find expected whitespace", "a blank is missing", NULL, false},
	{"did not find expected alphabetic or numeric character",
	 "the name of an anchor or alias is missing or holds a wrong character",
	 "quote text that begins with '*' or '&'", false},
	{"found undefined tag handle", "the tag's handle is not declared", "a %TAG line declares it", false},
	{"found incompatible YAML document", "the document asks for a YAML version that can't be read", NULL, false},
	{"found duplicate %YAML directive", "more than one %YAML line", NULL, false},
	{"found duplicate %TAG directive", "the same %TAG line twice", NULL, false},
	{"found unknown directive name", "unknown directive", "a text that begins with '%' needs quotes", false},
	{"control characters are not allowed", "a control character can't stand in YAML", "escape it in double quotes",
	 false},
	{"invalid leading UTF-8 octet", "the text is not UTF-8", NULL, false},
	{"invalid trailing UTF-8 octet", "the text is not UTF-8", NULL, false},
	{"invalid length of a UTF-8 sequence", "the text is not UTF-8", NULL, false},
	{"invalid Unicode character", "a character that Unicode does not have", NULL, false},
	{"incomplete UTF-8 octet sequence", "the text ends inside a UTF-8 character", NULL, false},
	{"incomplete UTF-16 character", "the text ends inside a UTF-16 character", NULL, false},
	{"incomplete UTF-16 surrogate pair", "the text ends inside a UTF-16 character", NULL, false},
	{"unexpected low surrogate area", "the text is not UTF-16", NULL, false},
};

static const struct wording *find_wording(const char *theirs)
{
	for (size_t i = 0; theirs && i < sizeof(wordings) / sizeof(*wordings); i++)
		if (!strcmp(wordings[i].theirs, theirs))
			return &wordings[i];
	return NULL;
}

/* Line and column of a byte; continuation bytes of UTF-8 are no columns. */
static pl_place place_of_byte(const struct yaml_builder *b, pl_str text, size_t offset)
{
	uint32_t line = 1, col = 1;

	for (size_t i = 0; i < offset && i < text.n; i++) {
		if (text.p[i] == '\n') {
			line++;
			col = 1;
		} else if (((unsigned char)text.p[i] & 0xc0) != 0x80) {
			col++;
		}
	}
	return doc_place(b->d, b->file, line, col);
}

pl_status yaml_complain(const struct yaml_builder *b, pl_str text, const struct yaml_problem *p)
{
	const struct wording *w = find_wording(p->problem);
	pl_place at = p->line ? doc_place(b->d, b->file, p->line, p->col) : place_of_byte(b, text, p->offset);
	const char *what = w ? w->ours : p->problem ? p->problem : "not YAML";

	if (p->value >= 0)
		pl_err_set(b->e, PL_EINVAL, at, "%s: 0x%02X", what, (unsigned)p->value);
	else if (!w && p->context)
		pl_err_set(b->e, PL_EINVAL, at, "%s: %s", p->context, what);
	else if (w && w->begun && p->begun && p->begun != p->line)
		pl_err_set(b->e, PL_EINVAL, at, "%s, begun at line %u", what, p->begun);
	else
		pl_err_set(b->e, PL_EINVAL, at, "%s", what);
	if (w && w->hint)
		pl_err_hint(b->e, "%s", w->hint);
	return PL_EINVAL;
}

enum { MAX_TAG_LINES = 64 };

/* Does a line begin at p? A line may end with CR, LF, NEL, LS or PS: their last bytes are looked at. */
static bool begins_line(pl_str text, const char *p)
{
	return p == text.p || memchr("\n\r\x85\xa8\xa9\xbf", p[-1], 6);
}

/*
 * The scanner compares every %TAG line with all before it, and every tag with all of them. In UTF-16 the lines of all
 * documents are counted together.
 */
pl_status yaml_screen(const struct yaml_builder *b, pl_str text)
{
	bool wide = text.n > 1 && (!memcmp(text.p, "\xff\xfe", 2) || !memcmp(text.p, "\xfe\xff", 2));
	pl_str tag = wide ? S("%\0T\0A\0G") : S("%TAG");
	const char *from = text.n ? text.p : "", *end = from + text.n, *at;
	size_t lines = 0;

	for (; (at = memmem(from, (size_t)(end - from), tag.p, tag.n)); from = at + tag.n) {
		const char *mark = lines ? memmem(from, (size_t)(at - from), "---", 3) : NULL;

		if (!wide && !begins_line(text, at))
			continue;
		lines = mark && begins_line(text, mark) ? 1 : lines + 1;
		if (lines > MAX_TAG_LINES)
			return pl_err_set(b->e, PL_ETOOBIG, place_of_byte(b, text, (size_t)(at - text.p)),
					  "more than %d %%TAG lines in front of a document", MAX_TAG_LINES);
	}
	return PL_OK;
}
