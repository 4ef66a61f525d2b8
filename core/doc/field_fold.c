/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Folded texts (">") on their way through Kustomize. It writes each object once as YAML, keeping the styles, and reads
 * that again; its writer puts an empty line in front of every more indented line, and for a text that begins with a
 * blank it leaves out the ones that are needed. What comes of it is what lands in the cluster, so it is done here too.
 */
#include "core/doc/unicode.h"
#include "core/doc/yaml_field.h"

/* Texts that have to be quoted are not written folded at all. */
static bool stays_folded(pl_str s)
{
	for (size_t i = 0, k; i < s.n; i += k) {
		uint32_t c = unicode_at(s.p + i, s.p + s.n, &k);

		if ((c < ' ' && c != '\t' && c != '\n') || (c >= 0x7f && c < 0xa0) || c == 0x2028 || c == 0x2029 ||
		    c == 0xfeff || c >= 0xfffe)
			return false;
		if (c == ' ' && (i + 1 == s.n || s.p[i + 1] == '\n'))
			return false;
	}
	return true;
}

static bool is_blank(pl_str s, size_t i)
{
	return s.p[i] == ' ' || s.p[i] == '\t';
}

static size_t feeds_at(pl_str s, size_t i)
{
	size_t n = 0;

	while (i + n < s.n && s.p[i + n] == '\n')
		n++;
	return n;
}

/*
 * What stands between two lines for n line feeds in the text; before and behind: do the lines begin with a blank;
 * doubled: does the writer put one more behind lines that do not.
 */
static void add_gap(struct buf *out, size_t n, bool before, bool behind, bool doubled)
{
	size_t written = n + (doubled && !before);

	if (before || behind)
		buf_addn(out, '\n', written);
	else if (written == 1)
		buf_addc(out, ' ');
	else
		buf_addn(out, '\n', written - 1);
}

bool field_refold(pl_str s, struct buf *out)
{
	size_t i = feeds_at(s, 0);
	bool doubled;

	if (i == s.n || !memchr(s.p + i, '\n', s.n - i) || !stays_folded(s))
		return false;
	doubled = !is_blank(s, i);
	buf_addn(out, '\n', i);
	while (i < s.n) {
		const char *feed = memchr(s.p + i, '\n', s.n - i);
		size_t end = feed ? (size_t)(feed - s.p) : s.n, n = feeds_at(s, end);
		bool blank = is_blank(s, i);

		buf_add(out, (pl_str){s.p + i, end - i});
		i = end + n;
		if (i < s.n)
			add_gap(out, n, blank, is_blank(s, i), doubled);
		else
			buf_addn(out, '\n', n + (n > 1 && doubled && !blank));
	}
	return true;
}
