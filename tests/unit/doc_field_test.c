/* SPDX-License-Identifier: Apache-2.0 */
/* PL_PRINT_FIELD: what kubectl and Kustomize print for a value, byte for byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/base/err.h"
#include "core/base/mem.h"
#include "plumb/doc.h"

#define TEN  "aaaaaaaaaa"
#define WORD "word word "
#define LONG WORD WORD WORD WORD WORD WORD WORD "word"

static pl_node *read_text(pl_doc *d, pl_str text, int schema)
{
	struct pl_err e = ERR_INIT;
	pl_node **roots;
	size_t n;

	if (pl_yaml_read(d, text, "r.yaml", schema, 0, &roots, &n, &e))
		fail_msg("%.*s: %s", F(text), pl_err_text(&e));
	assert_int_equal(n, 1);
	return roots[0];
}

static char *print(const pl_node *n)
{
	struct pl_err e = ERR_INIT;
	size_t len;
	char *text;

	if (pl_yaml_write(n, PL_PRINT_FIELD, &text, &len, &e))
		fail_msg("%s", pl_err_text(&e));
	return text;
}

/* The YAML text, as a resource, must be printed as want, also when its values have taken their last form before. */
static void check(const char *text, const char *want)
{
	pl_doc *d = pl_doc_new(NULL);
	pl_node *root = read_text(d, str_of(text), PL_SCHEMA_KUSTOMIZE);
	char *got = print(root), *formed;

	if (strcmp(got, want) != 0)
		fail_msg("\n%s\nis printed as\n%s\nnot\n%s", text, got, want);
	assert_int_equal(pl_field_form(d, root, NULL), PL_OK);
	formed = print(root);
	assert_string_equal(formed, want);
	pl_free(formed);
	pl_free(got);
	pl_doc_unref(d);
}

struct row {
	const char *text, *want; /* of the value of "v"; want NULL: the text */
};

static void check_values(const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct buf text = BUF_INIT(10000), want = BUF_INIT(10000);

		buf_addf(&text, "v: %s\n", rows[i].text);
		buf_addf(&want, "v: %s\n", rows[i].want ? rows[i].want : rows[i].text);
		check(text.p, want.p);
		buf_free(&text);
		buf_free(&want);
	}
}

static const struct row plain[] = {
	/* words and what only looks like something else */
	{"a", NULL},
	{"a b", NULL},
	{"a:b", NULL},
	{"a#b", NULL},
	{"'a'", "a"},
	{"=", NULL},
	{"<<", NULL},
	{"-a", NULL},
	{"?a", NULL},
	{":a", NULL},
	{"a,b[c]{d}", NULL},
	{"1.2.3", NULL},
	{"10.0.0.1", NULL},
	{"1Gi", NULL},
	{"tRUE", NULL},
	{"2020-13-02", NULL},
	{"2020-02-30", NULL},
	{"2020-01-02T24:00:00Z", NULL},
	{"1e400", NULL},
	{"0x1ffffffffffffffff", NULL},
	{"._5", NULL},
	{"'é'", "é"},
	/* null, booleans: as JSON has them */
	{"~", "null"},
	{"Null", "null"},
	{"", "null"},
	{"'null'", "\"null\""},
	{"'~'", "\"~\""},
	{"True", "true"},
	{"FALSE", "false"},
	{"yes", "\"yes\""},
	{"'on'", "\"on\""},
	{"n", "\"n\""},
	{"'true'", "\"true\""},
	/* whole numbers */
	{"+1", "1"},
	{"-0", "0"},
	{"-7", NULL},
	{"1_000", "1000"},
	{"0644", "420"},
	{"-0644", "-420"},
	{"0o17", "15"},
	{"0x1F", "31"},
	{"0b101", "5"},
	{"0b-101", "-5"},
	{"0o-7", "-7"},
	{"089", "89"},
	{"18446744073709551615", NULL},
	{"-9223372036854775808", NULL},
	{"09007199254740993", "9007199254740992"},
	{"18446744073709551616", "1.8446744073709552e+19"},
	{"-9223372036854775809", "-9.223372036854776e+18"},
	{"123456789012345678901234567890", "1.2345678901234568e+29"},
	/* doubles */
	{"1.0", "1"},
	{"-0.0", "0"},
	{"0.1", NULL},
	{"1.50", "1.5"},
	{".5", "0.5"},
	{"5.", "5"},
	{"12e03", "12000"},
	{"1e20", "1e+20"},
	{"1e19", "10000000000000000000"},
	{"1e21", "1e+21"},
	{"123456.5", NULL},
	{"1234567.5", "1.2345675e+06"},
	{"0.0001", NULL},
	{"0.00001", "1e-05"},
	{"5e-324", NULL},
	{"1e-400", "0"},
	{"9007199254740993.0", "9007199254740992"},
	{"5.684341886080802e-14", NULL},
	{"1.7976931348623157e308", "1.7976931348623157e+308"},
	/* times */
	{"2020-01-02", "\"2020-01-02T00:00:00Z\""},
	{"2020-1-2", "\"2020-01-02T00:00:00Z\""},
	{"2020-01-02 03:04:05.60", "\"2020-01-02T03:04:05.6Z\""},
	{"2020-01-02t3:4:5Z", "\"2020-01-02T03:04:05Z\""},
	{"2020-01-02T03:04:05+02:00", "\"2020-01-02T03:04:05+02:00\""},
	{"2020-01-02T03:04:05-00:30", "\"2020-01-02T03:04:05-00:30\""},
	{"2020-01-02T03:04:05+00:00", "\"2020-01-02T03:04:05Z\""},
	{"2020-01-02T03:04:05.1234567891Z", "\"2020-01-02T03:04:05.123456789Z\""},
	{"'2020-01-02'", "\"2020-01-02\""},
	{"2000-02-29", "\"2000-02-29T00:00:00Z\""},
	{"2100-02-29", NULL},
	/* base 60 */
	{"1:30", "\"1:30\""},
	{"190:20:30.15", "\"190:20:30.15\""},
	{"1:60", NULL},
	/* tags */
	{"!!str 1", "\"1\""},
	{"!!int '3'", "3"},
	{"!!float 1", "1"},
	{"!own 1", "\"1\""},
	{"! 12", "12"},
	{"!!binary aGVsbG8=", "hello"},
	{"!!timestamp '2020-01-02'", "\"2020-01-02T00:00:00Z\""},
	{"!!null ''", "null"},
	{"!!bool 'true'", "true"},
};

static const struct row quoted[] = {
	/* single quotes where they do */
	{"'a: b'", NULL},
	{"'a #b'", NULL},
	{"'- a'", NULL},
	{"'-'", NULL},
	{"'? a'", NULL},
	{"' a'", NULL},
	{"'a '", NULL},
	{"'#a'", NULL},
	{"'[a'", NULL},
	{"'{a'", NULL},
	{"'*a'", NULL},
	{"'&a'", NULL},
	{"'!a'", NULL},
	{"'|a'", NULL},
	{"'>a'", NULL},
	{"'%a'", NULL},
	{"'@a'", NULL},
	{"'`a'", NULL},
	{"'\"a'", NULL},
	{"'''a'", NULL},
	{"',a'", NULL},
	{"'--- a'", NULL},
	{"'...'", NULL},
	{"'a:'", NULL},
	{"'it''s: so'", NULL},
	{"\"it's\"", "it's"},
	/* double quotes where there must be */
	{"''", "\"\""},
	{"\"a\\tb\"", NULL},
	{"\"a\\0b\"", NULL},
	{"\"\\r\"", NULL},
	{"\"\\e\\a\\x01\"", NULL},
	{"\"a \\nb\"", NULL},
	{"\"a\\n \"", NULL},
	{"\"😀\"", "\"\\U0001F600\""},
	{"\"a\\tb\\\\c\\\"\"", NULL},
	{"\"a\\uFEFF\"", NULL},
	{"\"\\uFEFFa b\"", "\"\\uFEFF\\x61\\x20\\x62\""},
	{"\"a\\Nb\"", NULL},
	/* separators of lines are line ends to YAML 1.1 */
	{"\"a\\Lb\"", "'a\xe2\x80\xa8  b'"},
	{"\"a\\P b\"", NULL},
	{"\"a \\Lb\"", NULL},
	/* long lines are folded at the first blank behind column 80, where it stands alone */
	{LONG " x y z", LONG " x y\n  z"},
	{"'" LONG ": x y z'", "'" LONG ": x\n  y z'"},
	{"\"\\t" LONG " x y z\"", "\"\\t" LONG " x\n  y z\""},
	{LONG "  xx  y z", LONG "  xx  y\n  z"},
	{"\"\\t" LONG "xxx  y\"", "\"\\t" LONG "xxx\n  \\ y\""},
	{TEN TEN TEN TEN TEN TEN TEN TEN TEN, NULL},
	{"é" LONG " x y", NULL},
};

static const struct row blocks[] = {
	{"\"a\\nb\"", "|-\n  a\n  b"},
	{"\"a\\nb\\n\"", "|\n  a\n  b"},
	{"\"a\\n\\n\\nb\\n\\n\"", "|+\n  a\n\n\n  b\n"},
	{"\"\\na\"", "|2-\n\n  a"},
	{"\" a\\nb\"", "|2-\n   a\n  b"},
	{"\"a\\n  b\"", "|-\n  a\n    b"},
	{"\"a\\n# b: c\\n\"", "|\n  a\n  # b: c"},
	{"\"a\\nb\\Lc\"", "|-\n  a\n  b\xe2\x80\xa8  c"},
	{"\"1\\n2\"", "|-\n  1\n  2"},
	/* a folded text is written and read once more by a writer that has its own idea of it */
	{">\n  a\n  b\n", "|\n  a b"},
	{">-\n  a\n    b\n  c\n", "|-\n  a\n\n    b\n  c"},
	{">+\n  a\n\n  b\n\n", "|+\n  a\n  b\n\n\n"},
	{">2\n   a\n  b\n\n  c\n", "|2\n   a\n  b c"},
	{">\n  a 😀\n    b\n", "\"a \\U0001F600\\n  b\\n\""},
};

static void scalars_are_printed_as_in_the_field(void **state)
{
	(void)state;
	check_values(plain, sizeof plain / sizeof *plain);
	check_values(quoted, sizeof quoted / sizeof *quoted);
}

/* A block's text ends its own line, so the rows leave the last line end out. */
static void texts_of_several_lines_become_blocks(void **state)
{
	(void)state;
	check_values(blocks, sizeof blocks / sizeof *blocks);
}

static void containers_are_printed_as_in_the_field(void **state)
{
	(void)state;
	check("b: {}\na: []\n", "a: []\nb: {}\n");
	check("a: [1, [2, [3]], {b: c, d: [e]}]\n", "a:\n- 1\n- - 2\n  - - 3\n- b: c\n  d:\n  - e\n");
	check("a: {b: {c: d}}\n", "a:\n  b:\n    c: d\n");
	check("[a, {b: c}]", "- a\n- b: c\n");
	check("- - - a\n", "- - - a\n");
	check("a", "a\n");
	check("{}", "{}\n");
	check("[]", "[]\n");
	check("[2020-01-02 03:04:05, 2020-01-02]", "- \"2020-01-02 03:04:05\"\n- \"2020-01-02T00:00:00Z\"\n");
	check("x: &a {k: v}\ny: *a\nz: {<<: *a, l: w}\n", "x:\n  k: v\n\"y\":\n  k: v\nz:\n  k: v\n  l: w\n");
	/* nothing at all is an empty text in brackets, and null everywhere else */
	check("a:\nb: {c: , d: ~, e: {f}}\ng: [{h: }]\n",
	      "a: null\nb:\n  c: \"\"\n  d: null\n  e:\n    f: \"\"\ng:\n- h: \"\"\n");
}

static void keys_are_printed_as_in_the_field(void **state)
{
	struct buf text = BUF_INIT(1000), want = BUF_INIT(1000);

	(void)state;
	check("y: 1\n'1': 2\n'': 3\n'a: b': 4\n'~': 5\n'2020-01-02': 6\n",
	      "\"\": 3\n\"~\": 5\n\"1\": 2\n\"2020-01-02\": 6\n'a: b': 4\n\"y\": 1\n");
	check("\"a\\nb\": [c]\n", "? |-\n  a\n  b\n: - c\n");
	check("\"a\\nb\\n\": {c: d}\n", "? |\n  a\n  b\n: c: d\n");
	check("\"a\\rb\": c\n", "? \"a\\rb\"\n: c\n");
	for (int i = 0; i < 12; i++)
		buf_addz(&text, TEN);
	buf_addz(&text, "12345678");
	buf_addf(&want, "%s: 1\n", text.p);
	check(want.p, want.p);
	buf_addz(&text, "9");
	buf_clear(&want);
	buf_addf(&want, "? %s\n: 1\n", text.p);
	buf_addz(&text, ": 1\n");
	buf_clear(&text);
	check(want.p, want.p);
	buf_free(&text);
	buf_free(&want);
}

/* Each row must be in that order whatever order it comes in. */
static void keys_come_in_the_order_of_the_field(void **state)
{
	static const char *const rows[][7] = {
		{"a2", "a10", "a100"},
		{"a9", "a09", "a009", "a10"},
		{"a1.b", "a12", "a1b"},
		{"a-", "a1", "aa"},
		{"1-", "1a"},
		{"A", "B", "a", "b"},
		{"12", "1b"},
		{"é-", "é1", "éa"},
		{"a_", "aé", "aΩ"},
		{"a1", "a01"},
		{"a100", "a0100"},
		{"_", "a", "é"},
		{"a2", "a٣"},
		{"", "-", "a"},
		{"a", "a0", "aa"},
		{"apiVersion", "kind", "metadata", "spec", "status"},
		{"v1", "v1.10", "v1alpha1", "v2"},
	};

	(void)state;
	for (size_t r = 0; r < sizeof rows / sizeof *rows; r++) {
		struct buf want = BUF_INIT(1000), text = BUF_INIT(1000);
		size_t n = 0;

		for (; n < 7 && rows[r][n]; n++)
			buf_addf(&want, "\"%s\": x\n", rows[r][n]);
		for (size_t i = n; i-- > 0;)
			buf_addf(&text, "\"%s\": x\n", rows[r][i]);
		for (int turn = 0; turn < 2; turn++) {
			pl_doc *d = pl_doc_new(NULL);
			pl_node *root = read_text(d, buf_str(turn ? &text : &want), PL_SCHEMA_KUSTOMIZE);
			char *got = print(root);
			pl_node *again = read_text(d, str_of(got), PL_SCHEMA_KUSTOMIZE);

			for (size_t i = 0; i < n; i++)
				if (!str_eqz(pl_text(pl_key(again, i)), rows[r][i]))
					fail_msg("'%s' is not key %zu of\n%s", rows[r][i], i, got);
			pl_free(got);
			pl_doc_unref(d);
		}
		buf_free(&want);
		buf_free(&text);
	}
}

static void many_keys_are_sorted_too(void **state)
{
	enum { KEYS = 500 };
	struct buf text = BUF_INIT(100000), want = BUF_INIT(100000);

	(void)state;
	for (int i = 0; i < KEYS; i++) {
		buf_addf(&text, "k%d: x\n", i * 7 % KEYS);
		buf_addf(&want, "k%d: x\n", i);
	}
	check(text.p, want.p);
	buf_free(&text);
	buf_free(&want);
}

static void what_the_field_refuses_is_refused_with_its_place(void **state)
{
	static const struct {
		const char *text, *says;
	} rows[] = {
		{"a: 1\nv: .nan\n", "r.yaml:2:4: number '.nan' is not finite"},
		{"v: [-.inf]\n", "r.yaml:1:5: number '-.inf' is not finite"},
		{"v: \"a\\x7f\"\n", "r.yaml:1:4: a text holds the character U+007F"},
		{"v: \"a\\x9f\"\n", "r.yaml:1:4: a text holds the character U+009F"},
		{"\"a\\uFFFF\": 1\n", "r.yaml:1:1: a text holds the character U+FFFF"},
		{"v: 2020-01-02T03:04:05+24:00\n", "r.yaml:1:4: a timestamp's offset from UTC is a day or more"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct pl_err e = ERR_INIT;
		pl_doc *d = pl_doc_new(NULL);
		pl_node *root = read_text(d, str_of(rows[i].text), PL_SCHEMA_KUSTOMIZE);
		char *text;
		size_t n;

		assert_int_equal(pl_yaml_write(root, PL_PRINT_FIELD, &text, &n, &e), PL_EINVAL);
		assert_null(text);
		assert_int_equal(pl_field_form(d, root, &e), PL_EINVAL);
		if (!str_starts(str_of(pl_err_text(&e)), str_of(rows[i].says)))
			fail_msg("%s", pl_err_text(&e));
		pl_doc_freeze(d);
		assert_int_equal(pl_field_form(d, root, &e), PL_EDENIED);
		err_clear(&e);
		pl_doc_unref(d);
	}
}

static void made_nodes_are_what_they_say(void **state)
{
	pl_doc *d = pl_doc_new(NULL);
	pl_node *map = pl_new_map(d), *date;
	char *text;

	(void)state;
	pl_sets(d, map, "s", pl_new_string(d, S("2020-01-02")));
	pl_sets(d, map, "n", pl_new_number(d, S("1.10")));
	pl_sets(d, map, "z", pl_new_null(d));
	text = print(map);
	assert_string_equal(text, "\"n\": 1.1\ns: \"2020-01-02\"\nz: null\n");
	pl_free(text);
	/* a date that was read is one no more once it is given another style */
	date = read_text(d, S("2020-01-02"), PL_SCHEMA_KUSTOMIZE);
	pl_set_style(date, PL_STYLE_ANY);
	text = print(date);
	assert_string_equal(text, "\"2020-01-02\"\n");
	pl_free(text);
	/* and kustomization files have no dates */
	text = print(read_text(d, S("2020-01-02"), PL_SCHEMA_YAML11));
	assert_string_equal(text, "\"2020-01-02\"\n");
	pl_free(text);
	pl_doc_unref(d);
}

/* ---- what is printed reads back ---- */

static uint64_t next(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return *seed >> 33;
}

static void random_text(uint64_t *seed, struct buf *out)
{
	static const char *const parts[] = {
		"a",
		"b",
		"y",
		"n",
		"0",
		"1",
		"9",
		" ",
		" ",
		":",
		"#",
		"-",
		"?",
		".",
		"_",
		"\n",
		"\n",
		"\t",
		"'",
		"\"",
		"\\",
		"[",
		"{",
		",",
		"&",
		"*",
		"!",
		"|",
		">",
		"%",
		"@",
		"`",
		"~",
		"=",
		"\xc3\xa9",
		"\xe2\x80\xa8",
		"\xef\xbb\xbf",
		"\xf0\x9f\x98\x80",
		"\r",
		"e",
		"x",
		"o",
		"true",
		"null",
		"2020-01-02",
		"some words ",
		"more_of_it",
	};

	for (uint64_t n = next(seed) % 14; n; n--)
		buf_addz(out, parts[next(seed) % (sizeof parts / sizeof *parts)]);
}

static pl_node *random_node(uint64_t *seed, pl_doc *d, int depth)
{
	struct buf text = BUF_INIT(10000);
	uint64_t kind = next(seed) % 10;
	pl_node *n;

	if (depth < 4 && kind < 3) {
		n = kind ? pl_new_map(d) : pl_new_list(d);
		for (uint64_t i = next(seed) % 5; i; i--) {
			buf_clear(&text);
			buf_addf(&text, "%d", (int)i); /* no two keys are the same, and none is << */
			random_text(seed, &text);
			if (kind)
				pl_set(d, n, buf_str(&text), random_node(seed, d, depth + 1));
			else
				pl_append(d, n, random_node(seed, d, depth + 1));
		}
	} else {
		random_text(seed, &text);
		n = kind == 9 ? pl_new_int(d, (int64_t)next(seed) - 1000000) : pl_new_string(d, buf_str(&text));
	}
	buf_free(&text);
	return n;
}

static void what_is_printed_reads_back_the_same(void **state)
{
	uint64_t seed = 20200102;

	(void)state;
	for (int i = 0; i < 3000; i++) {
		pl_doc *d = pl_doc_new(NULL);
		pl_node *n = random_node(&seed, d, 0);
		char *text = print(n), *again;
		static const int schemas[] = {PL_SCHEMA_YAML11, PL_SCHEMA_CORE12, PL_SCHEMA_KUSTOMIZE};

		for (size_t s = 0; s < sizeof schemas / sizeof *schemas; s++) {
			pl_node *back = read_text(d, str_of(text), schemas[s]);

			if (!pl_equal(n, back))
				fail_msg("reads back differently by schema %d:\n%s", schemas[s], text);
			again = print(back);
			assert_string_equal(again, text);
			pl_free(again);
		}
		pl_free(text);
		pl_doc_unref(d);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(scalars_are_printed_as_in_the_field),
		cmocka_unit_test(texts_of_several_lines_become_blocks),
		cmocka_unit_test(containers_are_printed_as_in_the_field),
		cmocka_unit_test(keys_are_printed_as_in_the_field),
		cmocka_unit_test(keys_come_in_the_order_of_the_field),
		cmocka_unit_test(many_keys_are_sorted_too),
		cmocka_unit_test(what_the_field_refuses_is_refused_with_its_place),
		cmocka_unit_test(made_nodes_are_what_they_say),
		cmocka_unit_test(what_is_printed_reads_back_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
