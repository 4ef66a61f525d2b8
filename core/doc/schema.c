/* SPDX-License-Identifier: Apache-2.0 */
#include "core/doc/schema.h"

#include "core/base/clock.h"
#include "core/base/file.h"
#include "core/base/mem.h"
#include "core/doc/node.h"
#include "core/doc/schema_rules.h"

#include <regex.h>

struct check {
	pl_doc *d;
	const char *what, *dir;
	struct err_list *errors;
	struct buf path; /* of the value looked at: a.b[0] */
	struct buf name; /* made by name_of() */
	bool trial;	 /* may this form fit? Nothing is filled in */
};

static void check_value(struct check *c, const pl_node *schema, pl_node *value);

/* ---- naming ---- */

/* "option 'a.b'" */
static const char *name_of(struct check *c)
{
	buf_clear(&c->name);
	if (c->path.n)
		buf_addf(&c->name, "%s '%.*s'", c->what, F(buf_str(&c->path)));
	else
		buf_addz(&c->name, "the value");
	return c->name.p;
}

static size_t path_enter(struct check *c, pl_str key)
{
	size_t before = c->path.n;

	if (before)
		buf_addc(&c->path, '.');
	buf_add(&c->path, key);
	return before;
}

static size_t path_enter_item(struct check *c, size_t i)
{
	size_t before = c->path.n;

	buf_addf(&c->path, "[%zu]", i);
	return before;
}

static const char *kind_noun(const pl_node *value)
{
	static const char *const nouns[] = {
		[PL_NULL] = "nothing",	       [PL_BOOL] = "true or false", [PL_NUMBER] = "a number",
		[PL_STRING] = "a string",      [PL_LIST] = "a list",	    [PL_MAP] = "a map",
		[PL_PLAIN] = "a plain scalar",
	};

	return pl_kind(value) < 0 ? "nothing" : nouns[pl_kind(value)];
}

static const char *type_noun(pl_str type)
{
	static const struct {
		const char *type, *noun;
	} nouns[] = {{"null", "null"},	     {"boolean", "true or false"}, {"integer", "a whole number"},
		     {"number", "a number"}, {"string", "a string"},	   {"array", "a list"},
		     {"object", "a map"}};

	for (size_t i = 0; i < sizeof(nouns) / sizeof(*nouns); i++)
		if (str_eqz(type, nouns[i].type))
			return nouns[i].noun;
	return "something else";
}

static struct pl_err *wrong(struct check *c, const pl_node *at, const char *fmt, ...) PL_PRINTF(3, 4);

/* "option 'a.b' TEXT" at a node's place. */
static struct pl_err *wrong(struct check *c, const pl_node *at, const char *fmt, ...)
{
	struct pl_err *e = err_list_add(c->errors);
	struct buf text = BUF_INIT(16 * 1024);
	va_list ap;

	va_start(ap, fmt);
	buf_vaddf(&text, fmt, ap);
	va_end(ap);
	pl_err_set(e, PL_EINVAL, pl_at(c->d, at), "%s %.*s", name_of(c), F(buf_str(&text)));
	buf_free(&text);
	return e;
}

/* ---- single values ---- */

static bool check_type(struct check *c, const pl_node *arg, const pl_node *value)
{
	bool list = pl_kind(arg) == PL_LIST;
	struct buf nouns = BUF_INIT(1024);
	size_t n = list ? pl_len(arg) : 1;

	for (size_t i = 0; i < n; i++) {
		pl_str type = pl_text(list ? pl_item(arg, i) : arg);

		if (schema_has_type(value, type) == 1) {
			buf_free(&nouns);
			return true;
		}
		buf_addf(&nouns, "%s%s", i ? " or " : "", type_noun(type));
	}
	wrong(c, value, "must be %.*s, not %s", F(buf_str(&nouns)), kind_noun(value));
	buf_free(&nouns);
	return false;
}

static void list_choices(const pl_node *choices, struct buf *to)
{
	for (size_t i = 0; i < pl_len(choices); i++) {
		const pl_node *v = pl_item(choices, i);

		buf_addz(to, i ? ", " : "");
		if (pl_kind(v) == PL_LIST || pl_kind(v) == PL_MAP)
			buf_addz(to, kind_noun(v));
		else
			buf_addf(to, "'%.*s'", F(pl_text(v)));
	}
}

/* Texts in a doc need not end with a NUL. */
static void hint_nearest(struct check *c, struct pl_err *e, pl_str given, const pl_str *names, size_t n)
{
	const char **z = mem_alloc(n * sizeof(*z) + 1);
	const char *near;

	for (size_t i = 0; i < n; i++)
		z[i] = doc_string(c->d, names[i]).p;
	near = str_nearest(given, z, n);
	if (near)
		pl_err_hint(e, "did you mean '%s'?", near);
	free(z);
}

static void hint_nearest_choice(struct check *c, struct pl_err *e, const pl_node *choices, const pl_node *value)
{
	pl_str *names = mem_alloc(pl_len(choices) * sizeof(*names) + 1);
	size_t n = 0;

	for (size_t i = 0; i < pl_len(choices); i++)
		if (pl_kind(pl_item(choices, i)) == PL_STRING)
			names[n++] = pl_text(pl_item(choices, i));
	hint_nearest(c, e, pl_text(value), names, n);
	free(names);
}

static void check_enum(struct check *c, const pl_node *arg, const pl_node *value)
{
	struct buf choices = BUF_INIT(4096);
	struct pl_err *e;

	for (size_t i = 0; i < pl_len(arg); i++)
		if (pl_equal(pl_item(arg, i), value))
			return;
	list_choices(arg, &choices);
	e = wrong(c, value, "must be %s%.*s", pl_len(arg) > 1 ? "one of " : "", F(buf_str(&choices)));
	if (pl_kind(value) == PL_STRING)
		hint_nearest_choice(c, e, arg, value);
	buf_free(&choices);
}

static void check_const(struct check *c, const pl_node *arg, const pl_node *value)
{
	if (pl_equal(arg, value))
		return;
	if (pl_kind(arg) == PL_LIST || pl_kind(arg) == PL_MAP)
		wrong(c, value, "must be the one value that is allowed");
	else
		wrong(c, value, "must be '%.*s'", F(pl_text(arg)));
}

static int compare_numbers(const pl_node *a, const pl_node *b)
{
	int64_t ia, ib;
	double da = 0, db = 0;

	if (!pl_int(a, &ia) && !pl_int(b, &ib))
		return (ia > ib) - (ia < ib);
	(void)pl_double(a, &da);
	(void)pl_double(b, &db);
	return (da > db) - (da < db);
}

static size_t characters(pl_str s)
{
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++)
		n += ((unsigned char)s.p[i] & 0xc0) != 0x80;
	return n;
}

static void check_count(struct check *c, enum schema_keyword k, const pl_node *arg, const pl_node *value)
{
	bool text = k == SCHEMA_MIN_LENGTH || k == SCHEMA_MAX_LENGTH;
	size_t n = text ? characters(pl_text(value)) : pl_len(value);
	const char *noun = text ? "character" : "item";
	int64_t bound = 0;

	if (pl_kind(value) != (text ? PL_STRING : PL_LIST) || pl_int(arg, &bound))
		return;
	if ((k == SCHEMA_MIN_LENGTH || k == SCHEMA_MIN_ITEMS) && n < (uint64_t)bound) {
		if (n == 0)
			wrong(c, value, "must not be empty");
		else
			wrong(c, value, "must have at least %lld %ss", (long long)bound, noun);
	}
	if ((k == SCHEMA_MAX_LENGTH || k == SCHEMA_MAX_ITEMS) && n > (uint64_t)bound)
		wrong(c, value, "must have at most %lld %s%s", (long long)bound, noun, bound == 1 ? "" : "s");
}

static void check_bound(struct check *c, enum schema_keyword k, const pl_node *arg, const pl_node *value)
{
	int order = pl_kind(value) == PL_NUMBER ? compare_numbers(value, arg) : 0;

	if (k == SCHEMA_MINIMUM && order < 0)
		wrong(c, value, "must be at least %.*s", F(pl_text(arg)));
	if (k == SCHEMA_MAXIMUM && order > 0)
		wrong(c, value, "must be at most %.*s", F(pl_text(arg)));
}

/* The value is not shown: it may be a secret that stands in the wrong place. */
static void check_pattern(struct check *c, const pl_node *arg, const pl_node *value)
{
	char *pattern, *text;
	regex_t re;

	if (pl_kind(value) != PL_STRING)
		return;
	pattern = str_dup(pl_text(arg));
	text = str_dup(pl_text(value));
	if (!regcomp(&re, pattern, REG_EXTENDED | REG_NOSUB)) {
		if (memchr(text, '\0', pl_text(value).n) || regexec(&re, text, 0, NULL, 0))
			wrong(c, value, "must match '%s'", pattern);
		regfree(&re);
	}
	free(pattern);
	free(text);
}

/* ---- formats ---- */

static void check_path(struct check *c, pl_node *value)
{
	pl_str text = pl_text(value);
	char *rel, *path;

	if (text.n == 0 || memchr(text.p, '\0', text.n)) {
		wrong(c, value, "must be a path");
		return;
	}
	if (c->trial || !c->dir || *text.p == '/')
		return;
	rel = str_dup(text);
	path = path_join(c->dir, rel);
	node_set_text(value, PL_STRING, doc_string(c->d, str_of(path)));
	free(path);
	free(rel);
}

static void check_duration(struct check *c, const pl_node *value)
{
	struct pl_err e = ERR_INIT;
	int64_t ms;

	if (clock_duration(pl_text(value), &ms, &e) || ms < 0)
		pl_err_hint(wrong(c, value, "must be a duration"), "write it like 30s, 3m or 1h30m");
	err_clear(&e);
}

static void check_uri(struct check *c, const pl_node *value)
{
	pl_str s = pl_text(value), scheme, rest;
	bool good = str_cut(s, ':', &scheme, &rest) && rest.n && scheme.n &&
		    ((*scheme.p | 0x20) >= 'a' && (*scheme.p | 0x20) <= 'z');

	for (size_t i = 0; i < scheme.n; i++)
		good &= ((scheme.p[i] | 0x20) >= 'a' && (scheme.p[i] | 0x20) <= 'z') ||
			(scheme.p[i] >= '0' && scheme.p[i] <= '9') || memchr("+-.", scheme.p[i], 3);
	for (size_t i = 0; i < rest.n; i++)
		good &= (unsigned char)rest.p[i] > ' ' && rest.p[i] != 0x7f;
	if (!good)
		wrong(c, value, "must be a URI, like https://example.org/");
}

static void check_format(struct check *c, const pl_node *arg, pl_node *value)
{
	if (str_eqz(pl_text(arg), "duration") && (pl_kind(value) == PL_STRING || pl_kind(value) == PL_NUMBER))
		check_duration(c, value);
	else if (pl_kind(value) != PL_STRING)
		return;
	else if (str_eqz(pl_text(arg), "path"))
		check_path(c, value);
	else
		check_uri(c, value);
}

/* ---- maps and lists ---- */

static void fill_default(struct check *c, const pl_node *schema, pl_str key, pl_node *map)
{
	const pl_node *value = pl_gets(schema, "default");
	struct pl_err *e;

	if (!value || c->trial)
		return;
	if (pl_set(c->d, map, key, pl_copy(c->d, c->d, value))) {
		e = err_list_add(c->errors);
		pl_err_set(e, PL_EINTERNAL, pl_at(c->d, map), "can't fill in the default of '%.*s'", F(key));
		return;
	}
	/* a default path is relative to the same folder as a written one */
	check_value(c, schema, pl_get(map, key));
}

static void check_properties(struct check *c, const pl_node *arg, pl_node *map)
{
	for (size_t i = 0; i < pl_len(arg); i++) {
		pl_str key = pl_text(pl_key(arg, i));
		pl_node *value = pl_get(map, key);
		size_t before = path_enter(c, key);

		if (value)
			check_value(c, pl_value(arg, i), value);
		else
			fill_default(c, pl_value(arg, i), key, map);
		buf_cut(&c->path, before);
	}
}

static void check_required(struct check *c, const pl_node *arg, const pl_node *map)
{
	for (size_t i = 0; i < pl_len(arg); i++) {
		pl_str key = pl_text(pl_item(arg, i));
		size_t before;

		if (pl_get(map, key))
			continue;
		before = path_enter(c, key);
		wrong(c, map, "is missing");
		buf_cut(&c->path, before);
	}
}

static void unknown_key(struct check *c, const pl_node *known, const pl_node *map, const pl_node *key)
{
	pl_str *names = mem_alloc(pl_len(known) * sizeof(*names) + 1);
	struct pl_err *e = err_list_add(c->errors);
	size_t before = path_enter(c, pl_text(key)), n = 0;

	pl_err_set(e, PL_EINVAL, pl_at(c->d, key), "unknown %s '%.*s'", c->what, F(buf_str(&c->path)));
	buf_cut(&c->path, before);
	for (size_t i = 0; i < pl_len(known); i++)
		if (!pl_get(map, pl_text(pl_key(known, i))))
			names[n++] = pl_text(pl_key(known, i));
	hint_nearest(c, e, pl_text(key), names, n);
	free(names);
}

static void check_additional(struct check *c, const pl_node *schema, const pl_node *arg, pl_node *map)
{
	const pl_node *known = pl_gets(schema, "properties");

	for (size_t i = 0; i < pl_len(map); i++) {
		const pl_node *key = pl_key(map, i);
		size_t before;

		if (pl_get(known, pl_text(key)))
			continue;
		if (pl_kind(arg) == PL_BOOL) {
			if (!pl_bool(arg))
				unknown_key(c, known, map, key);
			continue;
		}
		before = path_enter(c, pl_text(key));
		check_value(c, arg, pl_value(map, i));
		buf_cut(&c->path, before);
	}
}

static void check_items(struct check *c, const pl_node *arg, const pl_node *list)
{
	for (size_t i = 0; i < pl_len(list); i++) {
		size_t before = path_enter_item(c, i);

		check_value(c, arg, pl_item(list, i));
		buf_cut(&c->path, before);
	}
}

/* ---- choices between schemas ---- */

/* Would the value pass? The mistakes go to errors, which the caller frees. */
static bool passes(struct check *c, const pl_node *schema, pl_node *value, struct err_list *errors)
{
	struct err_list *theirs = c->errors;
	bool trial = c->trial;

	c->errors = errors;
	c->trial = true;
	check_value(c, schema, value);
	c->errors = theirs;
	c->trial = trial;
	return errors->n == 0;
}

/* Of the forms that the value does not fit, the one meant is the one whose type is right, when there is one such. */
static const pl_node *form_meant(const pl_node *forms, const pl_node *value)
{
	const pl_node *meant = NULL;

	for (size_t i = 0; i < pl_len(forms); i++) {
		const pl_node *type = pl_gets(pl_item(forms, i), "type");

		if (!type || pl_kind(type) != PL_STRING || schema_has_type(value, pl_text(type)) != 1)
			continue;
		if (meant)
			return NULL;
		meant = pl_item(forms, i);
	}
	return meant;
}

static void check_forms(struct check *c, enum schema_keyword k, const pl_node *forms, pl_node *value)
{
	const pl_node *fit = NULL;
	size_t fits = 0;

	for (size_t i = 0; i < pl_len(forms); i++) {
		struct err_list errors = {0};

		if (passes(c, pl_item(forms, i), value, &errors) && !fits++)
			fit = pl_item(forms, i);
		err_list_free(&errors);
	}
	if (k == SCHEMA_ONE_OF && fits > 1) {
		wrong(c, value, "fits %zu of the forms it may have, only one is allowed", fits);
		return;
	}
	if (!fit)
		fit = form_meant(forms, value);
	if (fit)
		check_value(c, fit, value); /* fills in, or tells what is wrong */
	else
		wrong(c, value, "has none of the forms it may have");
}

/* ---- all keywords ---- */

static void check_keyword(struct check *c, enum schema_keyword k, const pl_node *schema, const pl_node *arg,
			  pl_node *value)
{
	bool map = pl_kind(value) == PL_MAP;

	switch (k) {
	case SCHEMA_PROPERTIES:
		if (map)
			check_properties(c, arg, value);
		break;
	case SCHEMA_REQUIRED:
		if (map)
			check_required(c, arg, value);
		break;
	case SCHEMA_ADDITIONAL_PROPERTIES:
		if (map)
			check_additional(c, schema, arg, value);
		break;
	case SCHEMA_ITEMS:
		if (pl_kind(value) == PL_LIST)
			check_items(c, arg, value);
		break;
	case SCHEMA_ENUM:
		check_enum(c, arg, value);
		break;
	case SCHEMA_CONST:
		check_const(c, arg, value);
		break;
	case SCHEMA_MINIMUM:
	case SCHEMA_MAXIMUM:
		check_bound(c, k, arg, value);
		break;
	case SCHEMA_MIN_LENGTH:
	case SCHEMA_MAX_LENGTH:
	case SCHEMA_MIN_ITEMS:
	case SCHEMA_MAX_ITEMS:
		check_count(c, k, arg, value);
		break;
	case SCHEMA_PATTERN:
		check_pattern(c, arg, value);
		break;
	case SCHEMA_ONE_OF:
	case SCHEMA_ANY_OF:
		check_forms(c, k, arg, value);
		break;
	case SCHEMA_ALL_OF:
		for (size_t i = 0; i < pl_len(arg); i++)
			check_value(c, pl_item(arg, i), value);
		break;
	case SCHEMA_FORMAT:
		check_format(c, arg, value);
		break;
	default: /* the type is asked first; default and description say nothing about a value that is there */
		break;
	}
}

static void check_value(struct check *c, const pl_node *schema, pl_node *value)
{
	const pl_node *type = pl_gets(schema, "type");

	if (pl_kind(schema) == PL_BOOL) {
		if (!pl_bool(schema))
			wrong(c, value, "is not allowed");
		return;
	}
	if (type && !check_type(c, type, value))
		return; /* the rest would only repeat it */
	for (size_t i = 0; i < pl_len(schema); i++)
		check_keyword(c, schema_keyword_of(pl_text(pl_key(schema, i))), schema, pl_value(schema, i), value);
}

void schema_check(pl_doc *d, const pl_node *schema, pl_node *value, const char *what, const char *dir,
		  struct err_list *errors)
{
	struct check c = {.d = d, .what = what ? what : "key", .dir = dir, .errors = errors};

	c.path = BUF_INIT(4096);
	c.name = BUF_INIT(8192);
	if (schema_verify(d, schema, errors))
		check_value(&c, schema, value);
	buf_free(&c.path);
	buf_free(&c.name);
}
