/* SPDX-License-Identifier: Apache-2.0 */
#include "plumb/regex.h"

#include "core/base/err.h"
#include "core/base/mem.h"
#include "core/base/module.h"
#include "core/base/regex/module.h"
#include "core/base/regex_syntax.h"

#include <pthread.h>

/*
 * What a compiled expression may need. RE2 looks at that only after it has read the pattern, and to read it takes about
 * 2 KiB a byte at worst, 30 KiB for each Unicode class.
 */
enum { MAX_MEM = 8 << 20, LONGEST = 64 * 1024, MOST_CLASSES = 1000, SHOWN = 200 };

struct pl_regex {
	char *text; /* the pattern */
	size_t n;
	void *compiled; /* NULL: the pattern is a literal */
};

/* ---- the module ---- */

/* Loaded once a process and never let go: expressions of any thread may be in use. */
static struct {
	pthread_once_t once;
	const struct regex_module *module; /* NULL: could not be loaded */
	struct pl_err why;
} loaded = {.once = PTHREAD_ONCE_INIT};

static void load(void)
{
	const struct regex_module *m;
	void *symbol = module_symbol("regex", "regex_module_table", &loaded.why);
	regex_module_fn fn;

	memcpy(&fn, &symbol, sizeof fn); /* ISO C has no cast from void * to a function */
	m = symbol ? fn() : NULL;
	if (m && m->size == sizeof *m)
		loaded.module = m;
	else if (m)
		err_set(&loaded.why, PL_EPLUGIN, "the module for regular expressions is of another version");
}

static const struct regex_module *module(pl_err *e)
{
	pthread_once(&loaded.once, load);
	if (!loaded.module)
		err_copy(e, &loaded.why);
	return loaded.module;
}

/* ---- expressions ---- */

static pl_status refuse(pl_str pattern, pl_status code, const char *reason, pl_str part, pl_err *e)
{
	if (pattern.n > SHOWN)
		return pl_err_set(e, code, NOWHERE, "regular expression '%.*s'… of %zu bytes: %s", SHOWN, pattern.p,
				  pattern.n, reason);
	return pl_err_set(e, code, NOWHERE, "regular expression '%.*s': %s%s%.*s", F(pattern), reason,
			  part.n ? ": " : "", F(part));
}

static pl_status compile(pl_regex *r, pl_str pattern, pl_err *e)
{
	const struct regex_options options = {.size = sizeof options, .max_mem = MAX_MEM};
	const struct regex_module *m;
	struct buf b = BUF_INIT((size_t)2 * LONGEST);
	char reason[REGEX_REASON];
	pl_str part;
	const char *why;
	int too_big = 0;
	pl_status st = PL_OK;

	if (pattern.n > LONGEST)
		return refuse(pattern, PL_ETOOBIG, "longer than 64 KiB", S(""), e);
	if (regex_unicode_classes(pattern) > MOST_CLASSES)
		return refuse(pattern, PL_ETOOBIG, "more than 1000 Unicode classes", S(""), e);
	why = regex_from_go(pattern, &b, &part);
	m = why ? NULL : module(e);
	if (why)
		st = refuse(pattern, PL_EINVAL, why, part, e);
	else if (!m)
		st = pl_err_code(&loaded.why);
	else if (!(r->compiled = m->compile(b.p, b.n, &options, reason, &too_big)))
		st = refuse(pattern, too_big ? PL_ETOOBIG : PL_EINVAL, reason, S(""), e);
	buf_free(&b);
	return st;
}

pl_status pl_regex_new(pl_str pattern, pl_regex **out, pl_err *e)
{
	pl_regex *r;
	pl_status st = PL_OK;

	*out = NULL;
	if (!str_utf8(pattern))
		return pl_err_set(e, PL_EINVAL, NOWHERE, "a regular expression is not UTF-8");
	r = mem_zalloc(sizeof *r);
	r->text = str_dup(pattern);
	r->n = pattern.n;
	if (!regex_is_literal(pattern))
		st = compile(r, pattern, e);
	if (st)
		pl_regex_free(r);
	else
		*out = r;
	return st;
}

void pl_regex_free(pl_regex *r)
{
	if (!r)
		return;
	if (r->compiled)
		loaded.module->free(r->compiled);
	free(r->text);
	free(r);
}

static bool find_literal(const pl_regex *r, pl_str text, pl_str *groups, size_t n)
{
	const char *at = r->n ? memmem(text.p, text.n, r->text, r->n) : text.p;

	for (size_t i = 0; i < n; i++)
		groups[i] = at && i == 0 ? (pl_str){at, r->n} : (pl_str){NULL, 0};
	return at != NULL;
}

/* Spans and slices are laid out alike, but only a copy says so to every compiler. */
static int match(const pl_regex *r, pl_str text, int whole, pl_str *groups, size_t n)
{
	enum { FEW = 16 };
	struct regex_span few[FEW], *spans = n > FEW ? mem_alloc(n * sizeof *spans) : few;
	int is = loaded.module->match(r->compiled, text.p, text.n, whole, spans, n);

	for (size_t i = 0; i < n; i++)
		groups[i] = (pl_str){spans[i].p, spans[i].n};
	if (spans != few)
		free(spans);
	return is;
}

int pl_regex_full(const pl_regex *r, pl_str text)
{
	pl_str some = text.p ? text : S("");

	return r->compiled ? match(r, some, 1, NULL, 0) : str_eq(some, (pl_str){r->text, r->n});
}

int pl_regex_find(const pl_regex *r, pl_str text, pl_str *groups, size_t n)
{
	pl_str some = text.p ? text : S("");

	return r->compiled ? match(r, some, 0, groups, n) : find_literal(r, some, groups, n);
}

int pl_regex_literal(const pl_regex *r, pl_str *text)
{
	if (r->compiled)
		return 0;
	*text = (pl_str){r->text, r->n};
	return 1;
}
