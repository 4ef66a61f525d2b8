/* SPDX-License-Identifier: Apache-2.0 */
/* generate_text.c - what may be a text, and what becomes of the rest. */
#include "generate.h"

enum { LINE = 70 };

/* How long the character at s is; 0: no valid UTF-8. */
static size_t char_length(const unsigned char *s, size_t n)
{
	static const struct {
		unsigned char first, last, low, high; /* of the first byte, of the second */
		size_t n;
	} forms[] = {{0x00, 0x7f, 0, 0, 1},	  {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3},
		     {0xe1, 0xec, 0x80, 0xbf, 3}, {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3},
		     {0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4}};
	size_t f = 0;
	while (f < sizeof(forms) / sizeof(forms[0]) && (s[0] < forms[f].first || s[0] > forms[f].last))
		f++;
	if (f == sizeof(forms) / sizeof(forms[0]) || forms[f].n > n)
		return 0;
	if (forms[f].n > 1 && (s[1] < forms[f].low || s[1] > forms[f].high))
		return 0;
	for (size_t i = 2; i < forms[f].n; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	return forms[f].n;
}

bool utf8_valid(pl_str s)
{
	const unsigned char *p = (const unsigned char *)s.p;
	for (size_t i = 0; i < s.n;) {
		size_t n = p[i] < 0x80 ? 1 : char_length(p + i, s.n - i);
		if (!n)
			return false;
		i += n;
	}
	return true;
}

struct lines {
	char *out;
	size_t n, column;
	bool broken; /* the text has line ends */
};

static void put(struct lines *l, char c)
{
	l->out[l->n++] = c;
	if (!l->broken || ++l->column < LINE)
		return;
	l->out[l->n++] = '\n';
	l->column = 0;
}

pl_node *base64_node(struct build *b, pl_str s)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const unsigned char *p = (const unsigned char *)s.p;
	size_t length = (s.n + 2) / 3 * 4;
	struct lines l = {.out = malloc(length + length / LINE + 2), .broken = length >= LINE};
	if (!l.out)
		abort();
	for (size_t i = 0; i < s.n; i += 3) {
		size_t left = s.n - i;
		uint32_t v =
			(uint32_t)p[i] << 16 | (left > 1 ? (uint32_t)p[i + 1] << 8 : 0) | (left > 2 ? p[i + 2] : 0);
		put(&l, digits[v >> 18]);
		put(&l, digits[v >> 12 & 63]);
		put(&l, left > 1 ? digits[v >> 6 & 63] : '=');
		put(&l, left > 2 ? digits[v & 63] : '=');
	}
	if (l.broken && l.column)
		l.out[l.n++] = '\n';
	pl_node *node = pl_new_string(b->doc, (pl_str){l.out, l.n});
	if (l.broken)
		pl_set_style(node, PL_STYLE_LITERAL);
	free(l.out);
	return node;
}
