/* SPDX-License-Identifier: Apache-2.0 */
#include "glob.h"

#include <string.h>

static pl_str from(pl_str s, size_t n)
{
	return (pl_str){s.p + n, s.n - n};
}

/* One set at the start of p, which begins with '['. Gives its length, or 0 when it has no end: then '[' is itself. */
static size_t set_matches(pl_str p, char c, int *matches)
{
	size_t i = 1;
	int not = i < p.n && (p.p[i] == '!' || p.p[i] == '^');
	i += (size_t) not ;
	*matches = 0;
	for (size_t first = i; i < p.n && (p.p[i] != ']' || i == first); i++) {
		unsigned char low = (unsigned char)p.p[i], high = low;
		if (i + 2 < p.n && p.p[i + 1] == '-' && p.p[i + 2] != ']') {
			high = (unsigned char)p.p[i + 2];
			i += 2;
		}
		if ((unsigned char)c >= low && (unsigned char)c <= high)
			*matches = 1;
	}
	if (i >= p.n)
		return 0;
	*matches = c != '/' && *matches != not ;
	return i + 1;
}

/* One character of s by the start of p; gives the length of what was used of p, 0 when it does not match. */
static size_t one(pl_str p, char c)
{
	int matches;
	size_t n;
	if (p.p[0] == '?')
		return c != '/';
	if (p.p[0] == '[' && (n = set_matches(p, c, &matches)) > 0)
		return matches ? n : 0;
	if (p.p[0] == '\\' && p.n > 1)
		return p.p[1] == c ? 2 : 0;
	return p.p[0] == c;
}

static int matches(pl_str p, pl_str s)
{
	while (p.n && p.p[0] != '*') {
		size_t used = s.n ? one(p, s.p[0]) : 0;
		if (!used)
			return 0;
		p = from(p, used);
		s = from(s, 1);
	}
	if (!p.n)
		return s.n == 0;
	int deep = p.n > 1 && p.p[1] == '*';
	pl_str rest = from(p, deep ? 2 : 1);
	while (rest.n && rest.p[0] == '*')
		rest = from(rest, 1);
	/* "a/?*?/b" with two stars also matches "a/b": the slash after them goes with an empty match. */
	if (deep && rest.n && rest.p[0] == '/' && matches(from(rest, 1), s))
		return 1;
	for (;; s = from(s, 1)) {
		if (matches(rest, s))
			return 1;
		if (!s.n || (s.p[0] == '/' && !deep))
			return 0;
	}
}

int glob_matches(pl_str pattern, pl_str path)
{
	if (!pattern.n)
		return 0;
	if (!memchr(pattern.p, '/', pattern.n) && path.n) {
		const char *slash = memrchr(path.p, '/', path.n);
		if (slash)
			path = from(path, (size_t)(slash + 1 - path.p));
	}
	return matches(pattern, path);
}
