/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/base/err.h"
#include "core/doc/private.h"
#include "plumb/doc.h"

#include <math.h>
#include <pthread.h>

struct fix {
	pl_doc *d, *other;
	struct pl_err e;
};

static int setup(void **state)
{
	static const struct fix none;
	struct fix *f = malloc(sizeof(*f));

	*f = none;
	f->d = pl_doc_new(NULL);
	f->other = pl_doc_new(NULL);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fix *f = *state;

	pl_doc_unref(f->d);
	pl_doc_unref(f->other);
	err_clear(&f->e);
	free(f);
	return 0;
}

static pl_node *json(pl_doc *d, const char *text)
{
	pl_node *n;

	assert_int_equal(pl_json_read(d, str_of(text), "f.json", 0, &n, NULL), PL_OK);
	return n;
}

/* A scalar as YAML gives it. */
static pl_node *yaml(pl_doc *d, const char *text, int schema)
{
	pl_node **roots;
	size_t n;

	assert_int_equal(pl_yaml_read(d, str_of(text), "f.yaml", schema, 0, &roots, &n, NULL), PL_OK);
	assert_int_equal(n, 1);
	return roots[0];
}

static void assert_json(const pl_node *n, const char *want)
{
	char *text;
	size_t len;

	assert_int_equal(pl_json_write(n, 0, &text, &len, NULL), PL_OK);
	assert_string_equal(text, want);
	pl_free(text);
}

static void an_absent_node_is_answered_like_nothing(void **state)
{
	struct fix *f = *state;
	pl_node *s = pl_new_string(f->d, S("x"));

	assert_int_equal(pl_kind(NULL), -1);
	assert_int_equal(pl_len(NULL), 0);
	assert_int_equal(pl_len(s), 0);
	assert_int_equal(pl_text(NULL).n, 0);
	assert_int_equal(pl_text(pl_new_list(f->d)).n, 0);
	assert_int_equal(pl_bool(NULL), 0);
	assert_int_equal(pl_bool(s), 0);
	assert_null(pl_get(NULL, S("a")));
	assert_null(pl_get(s, S("a")));
	assert_null(pl_item(NULL, 0));
	assert_null(pl_item(s, 0));
	assert_null(pl_key(s, 0));
	assert_null(pl_value(NULL, 0));
	assert_null(pl_getkey(NULL, S("a")));
	assert_int_equal(pl_tag(f->d, s).n, 0);
	assert_null(pl_at(f->d, NULL).file);
	assert_null(pl_copy(f->d, f->d, NULL));
	assert_true(pl_equal(NULL, NULL));
	assert_false(pl_equal(NULL, s));
}

static void scalars_are_made(void **state)
{
	struct fix *f = *state;
	pl_node *list = pl_new_list(f->d);

	pl_append(f->d, list, pl_new_null(f->d));
	pl_append(f->d, list, pl_new_bool(f->d, 7));
	pl_append(f->d, list, pl_new_bool(f->d, 0));
	pl_append(f->d, list, pl_new_int(f->d, INT64_MIN));
	pl_append(f->d, list, pl_new_number(f->d, S("1.50e2")));
	pl_append(f->d, list, pl_new_string(f->d, (pl_str){NULL, 0}));
	assert_json(list, "[null,true,false,-9223372036854775808,1.50e2,\"\"]");
	assert_null(pl_new_number(f->d, S("1.")));
	assert_null(pl_new_number(f->d, S("")));
	assert_int_equal(pl_append(f->d, list, pl_new_number(f->d, S("0x1"))), PL_EINVAL);
}

static void lists_change(void **state)
{
	struct fix *f = *state;
	pl_node *list = json(f->d, "[1,2,3]"), *first = pl_item(list, 0);

	assert_int_equal(pl_append(f->d, list, pl_new_int(f->d, 4)), PL_OK);
	assert_int_equal(pl_insert(f->d, list, 0, pl_new_int(f->d, 0)), PL_OK);
	assert_int_equal(pl_insert(f->d, list, 5, pl_new_int(f->d, 5)), PL_OK);
	assert_int_equal(pl_insert(f->d, list, 7, pl_new_int(f->d, 9)), PL_ENOTFOUND);
	assert_int_equal(pl_set_item(f->d, list, 2, pl_new_string(f->d, S("two"))), PL_OK);
	assert_int_equal(pl_set_item(f->d, list, 6, pl_new_null(f->d)), PL_ENOTFOUND);
	assert_int_equal(pl_remove_item(f->d, list, 3), PL_OK);
	assert_int_equal(pl_remove_item(f->d, list, 5), PL_ENOTFOUND);
	assert_json(list, "[0,1,\"two\",4,5]");
	assert_ptr_equal(pl_item(list, 1), first);
	assert_int_equal(pl_append(f->d, first, pl_new_null(f->d)), PL_EINVAL);
	assert_int_equal(pl_append(f->d, list, NULL), PL_EINVAL);
	assert_int_equal(pl_append(f->d, list, list), PL_EINVAL);
	assert_int_equal(pl_append(f->d, NULL, first), PL_EINVAL);
	assert_int_equal(pl_remove_item(f->d, first, 0), PL_EINVAL);
}

static void maps_change_and_keep_their_order(void **state)
{
	struct fix *f = *state;
	pl_node *map = json(f->d, "{\"b\":1,\"a\":2,\"c\":3}");

	assert_int_equal(pl_sets(f->d, map, "a", pl_new_int(f->d, 20)), PL_OK);
	assert_int_equal(pl_sets(f->d, map, "d", pl_new_int(f->d, 4)), PL_OK);
	assert_int_equal(pl_remove(f->d, map, S("b")), PL_OK);
	assert_int_equal(pl_remove(f->d, map, S("b")), PL_ENOTFOUND);
	assert_int_equal(pl_set(f->d, map, S("x\0y"), pl_new_null(f->d)), PL_OK);
	assert_json(map, "{\"a\":20,\"c\":3,\"d\":4,\"x\\u0000y\":null}");
	assert_int_equal(pl_kind(pl_get(map, S("x\0y"))), PL_NULL);
	assert_null(pl_gets(map, "x"));
	assert_int_equal(pl_set(f->d, pl_item(map, 0), S("a"), pl_new_null(f->d)), PL_EINVAL);
	assert_int_equal(pl_remove(f->d, pl_gets(map, "a"), S("a")), PL_EINVAL);
}

static void growing_keeps_nodes_where_they_are_and_costs_little(void **state)
{
	struct fix *f = *state;
	pl_node *list = pl_new_list(f->d), *first = pl_new_int(f->d, 0);
	size_t before, i;

	pl_append(f->d, list, first);
	for (i = 1; i < 100000; i++)
		pl_append(f->d, list, pl_new_int(f->d, (int64_t)i));
	assert_ptr_equal(pl_item(list, 0), first);
	assert_true(str_eq(pl_text(pl_item(list, 99999)), S("99999")));
	before = pl_doc_memory(f->d);
	for (i = 0; i < 100000; i++) {
		assert_int_equal(pl_remove_item(f->d, list, 99999), PL_OK);
		assert_int_equal(pl_append(f->d, list, first), PL_OK);
	}
	assert_int_equal(pl_doc_memory(f->d), before);
}

static void copies_are_deep_and_keep_places_and_tags(void **state)
{
	struct fix *f = *state;
	pl_node *n = yaml(f->d, "a: !x [1, 'two']\nb:\n  c: |\n    text\n", PL_SCHEMA_YAML11), *copy;

	copy = pl_copy(f->other, f->d, n);
	assert_true(pl_equal(n, copy));
	assert_true(str_eq(pl_tag(f->other, pl_gets(copy, "a")), pl_tag(f->d, pl_gets(n, "a"))));
	assert_int_equal(pl_style(pl_item(pl_gets(copy, "a"), 1)), PL_STYLE_SINGLE);
	assert_string_equal(pl_at(f->other, pl_gets(copy, "b")).file, "f.yaml");
	assert_int_equal(pl_at(f->other, pl_gets(copy, "b")).line, 3);
	pl_doc_unref(f->d);
	f->d = pl_doc_new(NULL);
	assert_json(copy, "{\"a\":[1,\"two\"],\"b\":{\"c\":\"text\\n\"}}");
	pl_sets(f->other, pl_gets(copy, "b"), "c", pl_new_null(f->other));
	n = pl_copy(f->other, f->other, copy);
	pl_remove(f->other, copy, S("a"));
	assert_json(n, "{\"a\":[1,\"two\"],\"b\":{\"c\":null}}");
}

static void places_and_styles_can_be_given(void **state)
{
	struct fix *f = *state;
	pl_node *n = json(f->d, "[1,\n 2]"), *made = pl_new_string(f->other, S("x"));

	pl_set_at(f->other, made, f->d, pl_item(n, 1));
	assert_int_equal(pl_at(f->other, made).line, 2);
	assert_int_equal(pl_at(f->other, made).col, 2);
	assert_string_equal(pl_at(f->other, made).file, "f.json");
	pl_set_style(made, PL_STYLE_LITERAL);
	assert_int_equal(pl_style(made), PL_STYLE_LITERAL);
	pl_set_style(made, 99);
	assert_int_equal(pl_style(made), PL_STYLE_LITERAL);
}

static void a_document_of_many_files_tells_each_place(void **state)
{
	struct fix *f = *state;
	pl_node *nodes[1000], *copy = NULL;
	char name[32];
	size_t memory = 0;
	int i, round;

	for (i = 0; i < 1000; i++) {
		(void)snprintf(name, sizeof(name), "dir/file-%d.json", i);
		assert_int_equal(pl_json_read(f->d, S("[1]"), name, 0, &nodes[i], NULL), PL_OK);
	}
	for (round = 0; round < 2; round++)
		for (i = 0; i < 1000; i++) {
			(void)snprintf(name, sizeof(name), "dir/file-%d.json", i);
			assert_string_equal(pl_at(f->d, nodes[i]).file, name);
			copy = pl_copy(f->other, f->d, nodes[i]);
			assert_string_equal(pl_at(f->other, copy).file, name);
		}
	/* The names are there now: taking over a place costs no memory any more. */
	memory = pl_doc_memory(f->other);
	for (i = 0; i < 100000; i++)
		pl_set_at(f->other, copy, f->d, nodes[i % 1000]);
	assert_int_equal(pl_doc_memory(f->other), memory);
}

static void frozen_nodes_refuse_every_change(void **state)
{
	struct fix *f = *state;
	pl_node *n = json(f->d, "{\"l\":[1],\"m\":{\"a\":1}}"), *list = pl_gets(n, "l"), *map = pl_gets(n, "m"), *copy;
	pl_node *x = pl_new_null(f->other), *y = pl_new_null(f->d);

	assert_false(pl_doc_frozen(f->d));
	pl_doc_freeze(f->d);
	pl_doc_freeze(f->d);
	assert_true(pl_doc_frozen(f->d));
	assert_int_equal(pl_append(f->d, list, y), PL_EDENIED);
	assert_int_equal(pl_append(f->other, list, x), PL_EDENIED);
	assert_int_equal(pl_insert(f->d, list, 0, y), PL_EDENIED);
	assert_int_equal(pl_set_item(f->d, list, 0, y), PL_EDENIED);
	assert_int_equal(pl_remove_item(f->other, list, 0), PL_EDENIED);
	assert_int_equal(pl_sets(f->other, map, "a", x), PL_EDENIED);
	assert_int_equal(pl_remove(f->d, map, S("a")), PL_EDENIED);
	assert_int_equal(pl_append(f->other, pl_new_list(f->other), list), PL_EDENIED);
	pl_set_style(list, PL_STYLE_BLOCK);
	assert_int_equal(pl_style(list), PL_STYLE_FLOW);
	pl_set_at(f->other, list, f->other, x);
	assert_int_equal(pl_at(f->d, list).line, 1);
	assert_null(pl_new_null(f->d));
	assert_null(pl_new_bool(f->d, 1));
	assert_null(pl_new_int(f->d, 1));
	assert_null(pl_new_number(f->d, S("1")));
	assert_null(pl_new_string(f->d, S("x")));
	assert_null(pl_new_list(f->d));
	assert_null(pl_new_map(f->d));
	assert_null(pl_copy(f->d, f->other, x));
	assert_int_equal(pl_sets(f->d, map, "a", pl_new_int(f->d, 1)), PL_EDENIED);
	copy = pl_copy(f->other, f->d, n);
	assert_int_equal(pl_append(f->other, pl_gets(copy, "l"), x), PL_OK);
	assert_json(n, "{\"l\":[1],\"m\":{\"a\":1}}");
	assert_json(copy, "{\"l\":[1,null],\"m\":{\"a\":1}}");
}

struct shared {
	pl_doc *d;
	const pl_node *n;
	char digest[HASH_TEXT];
};

static void *read_shared(void *arg)
{
	struct shared *s = arg;
	int i;

	for (i = 0; i < 200; i++) {
		pl_doc *own = pl_doc_new(NULL), *again = pl_doc_ref(s->d);
		pl_node *copy = pl_copy(own, s->d, s->n);

		if (!pl_equal(copy, s->n) || node_digest(copy, s->digest, NULL))
			abort();
		pl_doc_unref(own);
		pl_doc_unref(again);
	}
	pl_doc_unref(s->d);
	return NULL;
}

static void frozen_documents_are_read_by_many_threads(void **state)
{
	struct fix *f = *state;
	struct shared s[4];
	pthread_t t[4];
	pl_node *n = yaml(f->d, "a: [1, 1.0, !t x]\nb: {c: d}\n", PL_SCHEMA_YAML11);
	int i;

	pl_doc_freeze(f->d);
	for (i = 0; i < 4; i++) {
		s[i] = (struct shared){.d = pl_doc_ref(f->d), .n = n};
		assert_int_equal(pthread_create(&t[i], NULL, read_shared, &s[i]), 0);
	}
	pl_doc_unref(f->d);
	f->d = NULL;
	for (i = 0; i < 4; i++)
		pthread_join(t[i], NULL);
	assert_string_equal(s[0].digest, s[3].digest);
}

/* ---- numbers ---- */

static void whole_numbers_are_read_exactly(void **state)
{
	static const struct {
		const char *text;
		pl_status st;
		int64_t want;
	} rows[] = {
		{"0", PL_OK, 0},
		{"-0", PL_OK, 0},
		{"1.0", PL_OK, 1},
		{"1e3", PL_OK, 1000},
		{"120e-1", PL_OK, 12},
		{"0.0012E4", PL_OK, 12},
		{"9007199254740993", PL_OK, 9007199254740993},
		{"9223372036854775807", PL_OK, INT64_MAX},
		{"-9223372036854775808", PL_OK, INT64_MIN},
		{"0e99999999999999999999999", PL_OK, 0},
		{"9223372036854775808", PL_ETOOBIG, 0},
		{"-9223372036854775809", PL_ETOOBIG, 0},
		{"1e19", PL_ETOOBIG, 0},
		{"1e400", PL_ETOOBIG, 0},
		{"1e99999999999999999999999", PL_ETOOBIG, 0},
		{"1e-99999999999999999999999", PL_EINVAL, 0},
		{"1.5", PL_EINVAL, 0},
		{"1e-1", PL_EINVAL, 0},
		{"\"1\"", PL_EINVAL, 0},
		{"null", PL_EINVAL, 0},
	};
	struct fix *f = *state;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		int64_t got = 0;

		assert_int_equal(pl_int(json(f->d, rows[i].text), &got), rows[i].st);
		assert_true(got == rows[i].want);
	}
	assert_int_equal(pl_int(NULL, &(int64_t){0}), PL_EINVAL);
}

static void doubles_are_the_nearest(void **state)
{
	static const struct {
		const char *text;
		double want;
	} rows[] = {{"0", 0},
		    {"-1.5", -1.5},
		    {"0.1", 0.1},
		    {"1e400", HUGE_VAL},
		    {"1e-400", 0},
		    {"1e3", 1000},
		    {"1e22", 1e22},
		    {"5e-324", 5e-324},
		    {"-1e99999999999999999999", -HUGE_VAL},
		    {"1e-99999999999999999999", 0}};
	struct fix *f = *state;
	double got;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		assert_int_equal(pl_double(json(f->d, rows[i].text), &got), PL_OK);
		assert_true(got == rows[i].want);
	}
	assert_int_equal(pl_double(yaml(f->d, "-.INF", PL_SCHEMA_YAML11), &got), PL_OK);
	assert_true(got == -HUGE_VAL);
	assert_int_equal(pl_double(yaml(f->d, ".nan", PL_SCHEMA_YAML11), &got), PL_OK);
	assert_true(isnan(got));
	assert_int_equal(pl_double(json(f->d, "\"1\""), &got), PL_EINVAL);
	assert_int_equal(pl_double(NULL, &got), PL_EINVAL);
}

static void yaml_numbers_become_json_numbers(void **state)
{
	static const struct {
		const char *text;
		int schema;
		const char *want;
	} rows[] = {
		{"0x1F", PL_SCHEMA_YAML11, "31"},
		{"-0x1f", PL_SCHEMA_YAML11, "-31"},
		{"0o17", PL_SCHEMA_YAML11, "15"},
		{"0o17", PL_SCHEMA_CORE12, "15"},
		{"0644", PL_SCHEMA_YAML11, "420"},
		{"0644", PL_SCHEMA_KUSTOMIZE, "420"},
		{"0644", PL_SCHEMA_CORE12, "644"},
		{"1_000", PL_SCHEMA_YAML11, "1000"},
		{"+1", PL_SCHEMA_YAML11, "1"},
		{".5", PL_SCHEMA_YAML11, "0.5"},
		{"-.5e+3", PL_SCHEMA_YAML11, "-0.5e+3"},
		{"1.", PL_SCHEMA_YAML11, "1.0"},
		{"1.50", PL_SCHEMA_YAML11, "1.50"},
		{"0b101", PL_SCHEMA_YAML11, "5"},
		{"0xFFFFFFFFFFFFFFFF", PL_SCHEMA_YAML11, "18446744073709551615"},
	};
	struct fix *f = *state;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		pl_node *n = yaml(f->d, rows[i].text, rows[i].schema);

		assert_int_equal(pl_kind(n), PL_NUMBER);
		assert_json(n, rows[i].want);
		assert_true(pl_equal(n, json(f->d, rows[i].want)));
	}
}

static void infinities_have_no_json(void **state)
{
	static const char *const texts[] = {".inf", "-.Inf", "+.INF", ".NaN"};
	struct fix *f = *state;
	size_t i, len;
	char *text, digest[HASH_TEXT];

	for (i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		pl_node *n = yaml(f->d, texts[i], PL_SCHEMA_YAML11);

		assert_int_equal(pl_kind(n), PL_NUMBER);
		assert_int_equal(pl_json_write(n, 0, &text, &len, &f->e), PL_EINVAL);
		assert_non_null(strstr(pl_err_text(&f->e), texts[i]));
		assert_int_equal(node_digest(n, digest, &f->e), PL_EINVAL);
		assert_true(pl_equal(n, yaml(f->other, texts[i], PL_SCHEMA_YAML11)));
	}
	assert_false(pl_equal(yaml(f->d, ".inf", PL_SCHEMA_YAML11), yaml(f->d, "-.inf", PL_SCHEMA_YAML11)));
}

/* ---- equality and digests ---- */

static void equal_values_have_one_digest(void **state)
{
	static const struct {
		const char *a, *b;
		bool same;
	} rows[] = {
		{"1", "1.0", true},
		{"1", "1e0", true},
		{"100", "1E+2", true},
		{"0", "-0.0e5", true},
		{"0.1", "1e-1", true},
		{"-12.50", "-1250e-2", true},
		{"9007199254740993", "9007199254740992", false},
		{"9007199254740993", "9007199254740993.0", true},
		{"1", "-1", false},
		{"1e999999999", "1e999999998", false},
		{"10e999999998", "1e999999999", true},
		{"1", "\"1\"", false},
		{"null", "false", false},
		{"true", "false", false},
		{"\"a\"", "\"\\u0061\"", true},
		{"{\"a\":1,\"b\":[1,{}]}", "{\"b\":[1.0,{}],\"a\":1e0}", true},
		{"{\"a\":1,\"b\":2}", "{\"a\":2,\"b\":1}", false},
		{"{\"a\":1}", "{\"b\":1}", false},
		{"{\"a\":1}", "{\"a\":1,\"b\":1}", false},
		{"[1,2]", "[2,1]", false},
		{"[1]", "[1,1]", false},
		{"[]", "{}", false},
		{"{\"a\":null}", "{}", false},
		{"{\"1\":1,\"2\":1,\"3\":1,\"4\":1,\"5\":1,\"6\":1,\"7\":1,\"8\":1,\"9\":1,\"10\":1,\"11\":1,\"12\":1,"
		 "\"13\":1,\"14\":1,"
		 "\"15\":1,\"16\":1,\"17\":1,\"18\":1}",
		 "{\"18\":1,\"17\":1,\"16\":1,\"15\":1,\"14\":1,\"13\":1,\"12\":1,\"11\":1,\"10\":1,\"9\":1,\"8\":1,"
		 "\"7\":1,\"6\":1,\"5\":1,"
		 "\"4\":1,\"3\":1,\"2\":1,\"1\":1.0}",
		 true},
	};
	struct fix *f = *state;
	char x[HASH_TEXT], y[HASH_TEXT];
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		pl_node *a = json(f->d, rows[i].a), *b = json(f->other, rows[i].b);

		assert_int_equal(pl_equal(a, b), rows[i].same);
		assert_int_equal(pl_equal(b, a), rows[i].same);
		assert_int_equal(node_digest(a, x, NULL), PL_OK);
		assert_int_equal(node_digest(b, y, NULL), PL_OK);
		assert_int_equal(strcmp(x, y) == 0, rows[i].same);
	}
}

static void a_big_map_in_another_order_is_compared_in_linear_time(void **state)
{
	struct fix *f = *state;
	pl_node *a, *b;
	struct buf x = BUF_INIT(SIZE_MAX / 4), y = x;
	int i;

	for (i = 0; i < 100000; i++) {
		buf_addf(&x, "%c\"k%d\":1", i ? ',' : '{', i);
		buf_addf(&y, "%c\"k%d\":1", i ? ',' : '{', 99999 - i);
	}
	buf_addc(&x, '}');
	buf_addc(&y, '}');
	a = json(f->d, x.p);
	b = json(f->d, y.p);
	assert_true(pl_equal(a, b));
	buf_free(&x);
	buf_free(&y);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(an_absent_node_is_answered_like_nothing),
		T(scalars_are_made),
		T(lists_change),
		T(maps_change_and_keep_their_order),
		T(growing_keeps_nodes_where_they_are_and_costs_little),
		T(copies_are_deep_and_keep_places_and_tags),
		T(places_and_styles_can_be_given),
		T(a_document_of_many_files_tells_each_place),
		T(frozen_nodes_refuse_every_change),
		T(frozen_documents_are_read_by_many_threads),
		T(whole_numbers_are_read_exactly),
		T(doubles_are_the_nearest),
		T(yaml_numbers_become_json_numbers),
		T(infinities_have_no_json),
		T(equal_values_have_one_digest),
		T(a_big_map_in_another_order_is_compared_in_linear_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
