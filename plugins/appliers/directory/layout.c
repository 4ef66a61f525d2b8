/* SPDX-License-Identifier: Apache-2.0 */
#include "directory.h"

#include <string.h>

static int clean(pl_str s)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		if (c < 0x20 || c == 0x7f || c == '/')
			return 0;
	}
	return s.n > 0 && s.p[0] != '.';
}

static pl_status check(const char *what, pl_str s, size_t max, pl_err *e)
{
	const pl_place nowhere = {NULL, 0, 0};
	if (!s.n)
		return pl_err_set(e, PL_EDENIED, nowhere, "an object without a %s can't be a file", what);
	if (!clean(s)) {
		pl_err_set(e, PL_EDENIED, nowhere, "the %s '%.*s' can't be the name of a file", what, F(s));
		pl_err_hint(e, "no leading dot, no slash, no control characters");
		return PL_EDENIED;
	}
	if (s.n > max)
		return pl_err_set(e, PL_EDENIED, nowhere,
				  "the %s '%.*s…' has %zu bytes, a file's name has room for %zu", what, 40, s.p, s.n,
				  max);
	return PL_OK;
}

/* Joins what check() has found to fit. Asked for every object on every pass, so without printf. */
static void put(char *to, pl_str a, pl_str b, pl_str c)
{
	const pl_str v[] = {a, b, c};
	for (size_t i = 0; i < 3; i++) {
		if (v[i].n)
			memcpy(to, v[i].p, v[i].n);
		to += v[i].n;
	}
	*to = '\0';
}

pl_status spot_of(const pl_ref *ref, struct spot *out, pl_err *e)
{
	const pl_place nowhere = {NULL, 0, 0};
	pl_status st = check("kind", ref->kind, 120, e);
	st = st || !ref->group.n ? st : check("group", ref->group, 120, e);
	st = st || !ref->ns.n ? st : check("namespace", ref->ns, 250, e);
	st = st ? st : check("name", ref->name, 250, e);
	if (st)
		return st;
	if (memchr(ref->kind.p, '.', ref->kind.n))
		return pl_err_set(e, PL_EDENIED, nowhere,
				  "the kind '%.*s' has a dot, which parts kind and group in folders", F(ref->kind));
	if (same(ref->ns, S(CLUSTER)))
		return pl_err_set(e, PL_EDENIED, nowhere, "the namespace '%s' stands for objects without one", CLUSTER);
	pl_str none = {NULL, 0}, dot = ref->group.n ? S(".") : none;
	put(out->ns, ref->ns.n ? ref->ns : S(CLUSTER), none, none);
	put(out->kind, ref->kind, dot, ref->group);
	put(out->file, ref->name, S(SUFFIX), none);
	return PL_OK;
}

int step_ok(const char *name)
{
	return clean((pl_str){name, strlen(name)});
}

int spot_is_folder(const char *ns, const char *kind)
{
	return step_ok(ns) && (!kind || step_ok(kind));
}

int spot_ref(const char *ns, const char *kind, const char *file, pl_ref *out)
{
	size_t n = strlen(file), suffix = strlen(SUFFIX);
	if (!step_ok(ns) || !step_ok(kind) || !step_ok(file) || n <= suffix || strcmp(file + n - suffix, SUFFIX) != 0)
		return 0;
	const char *dot = strchr(kind, '.');
	*out = (pl_ref){
		.kind = {kind, dot ? (size_t)(dot - kind) : strlen(kind)},
		.group = {dot ? dot + 1 : NULL, dot ? strlen(dot + 1) : 0},
		.ns = {ns, strcmp(ns, CLUSTER) != 0 ? strlen(ns) : 0},
		.name = {file, n - suffix},
	};
	return 1;
}
