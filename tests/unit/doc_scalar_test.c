/* SPDX-License-Identifier: Apache-2.0 */
/* What plain scalars mean: one row a text, one column a schema. Expected values stand as JSON; STR is a string. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/base/err.h"
#include "core/base/str.h"
#include "plumb/doc.h"

#define STR "string"

static const struct row {
	const char *text, *yaml11, *core12, *kustomize, *json;
} rows[] = {
	/* null */
	{"~", "null", "null", "null", STR},
	{"null", "null", "null", "null", "null"},
	{"Null", "null", "null", "null", STR},
	{"NULL", "null", "null", "null", STR},
	{"nULL", STR, STR, STR, STR},
	/* booleans */
	{"true", "true", "true", "true", "true"},
	{"True", "true", "true", "true", STR},
	{"TRUE", "true", "true", "true", STR},
	{"tRUE", STR, STR, STR, STR},
	{"false", "false", "false", "false", "false"},
	{"FALSE", "false", "false", "false", STR},
	{"yes", "true", STR, STR, STR},
	{"Yes", "true", STR, STR, STR},
	{"YES", "true", STR, STR, STR},
	{"yES", STR, STR, STR, STR},
	{"y", "true", STR, STR, STR},
	{"Y", "true", STR, STR, STR},
	{"on", "true", STR, STR, STR},
	{"On", "true", STR, STR, STR},
	{"ON", "true", STR, STR, STR},
	{"no", "false", STR, STR, STR},
	{"n", "false", STR, STR, STR},
	{"N", "false", STR, STR, STR},
	{"off", "false", STR, STR, STR},
	{"OFF", "false", STR, STR, STR},
	{"yesterday", STR, STR, STR, STR},
	{"nothing", STR, STR, STR, STR},
	/* whole numbers */
	{"0", "0", "0", "0", "0"},
	{"-0", "-0", "-0", "-0", "-0"},
	{"42", "42", "42", "42", "42"},
	{"+42", "42", "42", "42", STR},
	{"-42", "-42", "-42", "-42", "-42"},
	{"9007199254740993", "9007199254740993", "9007199254740993", "9007199254740993", "9007199254740993"},
	{"123456789012345678901234567890", "123456789012345678901234567890", "123456789012345678901234567890",
	 "123456789012345678901234567890", "123456789012345678901234567890"},
	{"1_000", "1000", STR, "1000", STR},
	{"1_", "1", STR, "1", STR},
	{"_1", STR, STR, STR, STR},
	/* bases */
	{"0644", "420", "644", "420", STR},
	{"-0644", "-420", "-644", "-420", STR},
	{"00", "0", "0", "0", STR},
	{"0o17", "15", "15", "15", STR},
	{"0O17", "15", STR, "15", STR},
	{"-0o17", "-15", STR, "-15", STR},
	{"0o8", STR, STR, STR, STR},
	{"089", "89", "89", "89", STR},
	{"0b101", "5", STR, "5", STR},
	{"0B101", "5", STR, "5", STR},
	{"0b12", STR, STR, STR, STR},
	{"0x1F", "31", "31", "31", STR},
	{"0X1f", "31", STR, "31", STR},
	{"-0x1F", "-31", STR, "-31", STR},
	{"0x", STR, STR, STR, STR},
	{"0xg", STR, STR, STR, STR},
	{"0xffffffffffffffff", "18446744073709551615", "18446744073709551615", "18446744073709551615", STR},
	{"1.797693134862315807e308", "1.797693134862315807e308", "1.797693134862315807e308", "1.797693134862315807e308",
	 "1.797693134862315807e308"},
	{"1.797693134862315808e308", STR, "1.797693134862315808e308", STR, "1.797693134862315808e308"},
	{"7e+308", STR, "7e+308", STR, "7e+308"},
	{"0.0_0_7e311", STR, STR, STR, STR},
	{"-00.9e309", STR, "-0.9e309", STR, STR},
	{".50_300", "0.50300", STR, "0.50300", STR},
	{"._5", STR, STR, STR, STR},
	{".5_", STR, STR, STR, STR},
	{".5__0", STR, STR, STR, STR},
	{"0x1ffffffffffffffff", STR, "36893488147419103231", STR, STR},
	{"0b10000000000000000000000000000000000000000000000000000000000000000", STR, STR, STR, STR},
	{"-0xffffffffffffffff", STR, STR, STR, STR},
	{"-0x8000000000000000", "-9223372036854775808", STR, "-9223372036854775808", STR},
	/* fractions and exponents */
	{"1.5", "1.5", "1.5", "1.5", "1.5"},
	{"1.0", "1.0", "1.0", "1.0", "1.0"},
	{".5", "0.5", "0.5", "0.5", STR},
	{"-.5", "-0.5", "-0.5", "-0.5", STR},
	{"5.", "5.0", "5.0", "5.0", STR},
	{"1e3", "1e3", "1e3", "1e3", "1e3"},
	{"1E+3", "1E+3", "1E+3", "1E+3", "1E+3"},
	{"1e", STR, STR, STR, STR},
	{"1e+", STR, STR, STR, STR},
	{"e3", STR, STR, STR, STR},
	{"1_0.5_0", "10.50", STR, "10.50", STR},
	{".5_0", "0.50", STR, "0.50", STR},
	{"1e400", STR, "1e400", STR, "1e400"},
	{"1234e567", STR, "1234e567", STR, "1234e567"},
	{"0e999", "0e999", "0e999", "0e999", "0e999"},
	{"1e-400", "1e-400", "1e-400", "1e-400", "1e-400"},
	/* what only looks like a number */
	{"1:30", STR, STR, STR, STR},
	{"190:20:30.15", STR, STR, STR, STR},
	{"2001-01-01", STR, STR, STR, STR},
	{"2001-12-14t21:59:43.10-05:00", STR, STR, STR, STR},
	{"1.2.3", STR, STR, STR, STR},
	{"10.0.0.1", STR, STR, STR, STR},
	{"100m", STR, STR, STR, STR},
	{"1Gi", STR, STR, STR, STR},
	{"+", STR, STR, STR, STR},
	{"--1", STR, STR, STR, STR},
	{".", STR, STR, STR, STR},
	{"..", STR, STR, STR, STR},
	{".inf2", STR, STR, STR, STR},
	{".iNF", STR, STR, STR, STR},
	{"+.nan", STR, STR, STR, STR},
	{"=", STR, STR, STR, STR},
	{"a", STR, STR, STR, STR},
	{"Infinity", STR, STR, STR, STR},
	{"NaN", STR, STR, STR, STR},
};

/* Reads text unresolved, resolves it, and gives its JSON. */
static char *json_of(const char *text, int schema, int *kind)
{
	pl_doc *d = pl_doc_new(NULL);
	struct pl_err e = ERR_INIT;
	pl_node **roots;
	char *json;
	size_t n;

	if (pl_yaml_read(d, str_of(text), NULL, PL_SCHEMA_NONE, 0, &roots, &n, &e))
		fail_msg("%s: %s", text, pl_err_text(&e));
	assert_int_equal(n, 1);
	assert_int_equal(pl_kind(roots[0]), PL_PLAIN);
	assert_int_equal(pl_resolve(d, roots[0], schema, &e), PL_OK);
	*kind = pl_kind(roots[0]);
	if (pl_json_write(roots[0], 0, &json, &n, &e))
		fail_msg("%s: %s", text, pl_err_text(&e));
	assert_true(str_eqz(pl_text(roots[0]), text));
	pl_doc_unref(d);
	return json;
}

static void check_cell(const struct row *r, const char *want, int schema)
{
	int kind;
	char *json = json_of(r->text, schema, &kind);
	bool good = strcmp(want, STR) ? !strcmp(json, want) : kind == PL_STRING;

	if (!good)
		fail_msg("'%s' by schema %d is %s, not %s", r->text, schema, json, want);
	pl_free(json);
}

static void every_schema_reads_plain_scalars_as_its_consumer_does(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		check_cell(&rows[i], rows[i].yaml11, PL_SCHEMA_YAML11);
		check_cell(&rows[i], rows[i].core12, PL_SCHEMA_CORE12);
		check_cell(&rows[i], rows[i].kustomize, PL_SCHEMA_KUSTOMIZE);
		check_cell(&rows[i], rows[i].json, PL_SCHEMA_JSON);
	}
}

static void special_floats_are_numbers_without_json(void **state)
{
	static const char *const texts[] = {".inf", ".Inf", ".INF", "+.inf", "-.INF", ".nan", ".NaN", ".NAN"};
	static const int schemas[] = {PL_SCHEMA_YAML11, PL_SCHEMA_CORE12, PL_SCHEMA_KUSTOMIZE};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts) * 3; i++) {
		pl_doc *d = pl_doc_new(NULL);
		pl_node **roots;
		char *json;
		size_t n;

		assert_int_equal(pl_yaml_read(d, str_of(texts[i / 3]), NULL, schemas[i % 3], 0, &roots, &n, NULL),
				 PL_OK);
		assert_int_equal(pl_kind(roots[0]), PL_NUMBER);
		assert_int_equal(pl_json_write(roots[0], 0, &json, &n, NULL), PL_EINVAL);
		pl_doc_unref(d);
	}
}

static const struct tagged {
	const char *text;
	int schema;
	const char *json, *error;
} tagged[] = {
	{"!!str 42", PL_SCHEMA_YAML11, "\"42\"", NULL},
	{"!!int \"42\"", PL_SCHEMA_YAML11, "42", NULL},
	{"!!int '0644'", PL_SCHEMA_YAML11, "420", NULL},
	{"!!int '0644'", PL_SCHEMA_CORE12, "644", NULL},
	{"!!int 4.5", PL_SCHEMA_YAML11, NULL, "f:1:1: value is not of its tag's type !!int"},
	{"!!int x", PL_SCHEMA_CORE12, NULL, "f:1:1: value is not of its tag's type !!int"},
	{"!!float 3", PL_SCHEMA_YAML11, "3", NULL},
	{"!!float x", PL_SCHEMA_YAML11, NULL, "f:1:1: value is not of its tag's type !!float"},
	{"!!bool yes", PL_SCHEMA_YAML11, "true", NULL},
	{"!!bool yes", PL_SCHEMA_CORE12, NULL, "f:1:1: value is not of its tag's type !!bool"},
	{"!!null ''", PL_SCHEMA_YAML11, "null", NULL},
	{"!!null x", PL_SCHEMA_YAML11, NULL, "f:1:1: value is not of its tag's type !!null"},
	{"!!binary aGVsbG8=", PL_SCHEMA_YAML11, "\"hello\"", NULL},
	{"!!binary \"aGVs\\n bG8=\"", PL_SCHEMA_KUSTOMIZE, "\"hello\"", NULL},
	{"!!binary aGVsbG8=", PL_SCHEMA_CORE12, "\"aGVsbG8=\"", NULL},
	{"!!binary aGVsbG8", PL_SCHEMA_YAML11, NULL, "f:1:1: value tagged !!binary is not base64"},
	{"!!binary 'a*='", PL_SCHEMA_YAML11, NULL, "f:1:1: value tagged !!binary is not base64"},
	{"!!binary /w==", PL_SCHEMA_YAML11, NULL,
	 "f:1:1: value tagged !!binary does not decode to UTF-8 text (keep the base64 text without the tag, as "
	 "'binaryData' and Secrets do)"},
	{"!!timestamp 2001-01-01", PL_SCHEMA_YAML11, "\"2001-01-01\"", NULL},
	{"! 42", PL_SCHEMA_YAML11, "\"42\"", NULL},
	{"!mine 42", PL_SCHEMA_YAML11, "\"42\"", NULL},
	{"!!str", PL_SCHEMA_YAML11, "\"\"", NULL},
};

/* Once resolved while reading, once afterwards: both must agree. */
static void check_tagged(const struct tagged *t, bool later)
{
	pl_doc *d = pl_doc_new(NULL);
	struct pl_err e = ERR_INIT;
	pl_node **roots;
	char *json = NULL;
	size_t n;
	pl_status st = pl_yaml_read(d, str_of(t->text), "f", later ? PL_SCHEMA_NONE : t->schema, 0, &roots, &n, &e);

	if (!st && later)
		st = pl_resolve(d, roots[0], t->schema, &e);
	if (t->error) {
		assert_int_equal(st, PL_EINVAL);
		assert_string_equal(pl_err_text(&e), t->error);
	} else {
		if (st || pl_json_write(roots[0], 0, &json, &n, &e))
			fail_msg("%s: %s", t->text, pl_err_text(&e));
		assert_string_equal(json, t->json);
	}
	pl_free(json);
	err_clear(&e);
	pl_doc_unref(d);
}

static void explicit_tags_rule_over_the_schema(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(tagged) / sizeof(*tagged); i++) {
		check_tagged(&tagged[i], false);
		check_tagged(&tagged[i], true);
	}
}

static void resolving_reaches_every_node_and_keeps_keys_strings(void **state)
{
	pl_doc *d = pl_doc_new(NULL);
	pl_node **roots;
	char *json;
	size_t n;

	(void)state;
	assert_int_equal(
		pl_yaml_read(d, S("yes: [on, {no: 010}]\n1: \"yes\"\n"), NULL, PL_SCHEMA_NONE, 0, &roots, &n, NULL),
		PL_OK);
	assert_int_equal(pl_resolve(d, roots[0], PL_SCHEMA_YAML11, NULL), PL_OK);
	assert_int_equal(pl_json_write(roots[0], 0, &json, &n, NULL), PL_OK);
	assert_string_equal(json, "{\"yes\":[true,{\"no\":8}],\"1\":\"yes\"}");
	pl_free(json);
	pl_doc_unref(d);
}

static void resolving_refuses_frozen_docs_and_unknown_schemas(void **state)
{
	pl_doc *d = pl_doc_new(NULL);
	pl_node **roots;
	size_t n;

	(void)state;
	assert_int_equal(pl_yaml_read(d, S("yes"), NULL, PL_SCHEMA_NONE, 0, &roots, &n, NULL), PL_OK);
	assert_int_equal(pl_resolve(d, roots[0], 99, NULL), PL_EINVAL);
	assert_int_equal(pl_resolve(d, NULL, PL_SCHEMA_YAML11, NULL), PL_OK);
	assert_int_equal(pl_resolve(d, roots[0], PL_SCHEMA_NONE, NULL), PL_OK);
	assert_int_equal(pl_kind(roots[0]), PL_PLAIN);
	pl_doc_freeze(d);
	assert_int_equal(pl_resolve(d, roots[0], PL_SCHEMA_YAML11, NULL), PL_EDENIED);
	pl_doc_unref(d);
}

static void octal_and_decimal_spellings_are_equal_numbers(void **state)
{
	pl_doc *d = pl_doc_new(NULL);
	pl_node **a, **b;
	int64_t v;
	size_t n;

	(void)state;
	assert_int_equal(pl_yaml_read(d, S("[0644, 0x1F, 1_000, 1., 0b11]"), NULL, PL_SCHEMA_YAML11, 0, &a, &n, NULL),
			 PL_OK);
	assert_int_equal(pl_yaml_read(d, S("[420, 31, 1e3, 1, 3]"), NULL, PL_SCHEMA_CORE12, 0, &b, &n, NULL), PL_OK);
	assert_true(pl_equal(a[0], b[0]));
	assert_int_equal(pl_int(pl_item(a[0], 0), &v), PL_OK);
	assert_int_equal(v, 420);
	pl_doc_unref(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_schema_reads_plain_scalars_as_its_consumer_does),
		cmocka_unit_test(special_floats_are_numbers_without_json),
		cmocka_unit_test(explicit_tags_rule_over_the_schema),
		cmocka_unit_test(resolving_reaches_every_node_and_keeps_keys_strings),
		cmocka_unit_test(resolving_refuses_frozen_docs_and_unknown_schemas),
		cmocka_unit_test(octal_and_decimal_spellings_are_equal_numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
