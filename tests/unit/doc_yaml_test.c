/* SPDX-License-Identifier: Apache-2.0 */
/* The YAML reader and writer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/base/buf.h"
#include "core/base/err.h"
#include "core/doc/private.h"

#include <sys/wait.h>
#include <unistd.h>

#define COUNT(a) (sizeof(a) / sizeof(*(a)))

static const int schemas[] = {PL_SCHEMA_YAML11, PL_SCHEMA_CORE12, PL_SCHEMA_KUSTOMIZE};

/* Reads one document or fails the test. */
static pl_node *read_one(pl_doc *d, pl_str text, int schema)
{
	struct pl_err e = ERR_INIT;
	pl_node **roots;
	size_t n;

	if (pl_yaml_read(d, text, "f", schema, 0, &roots, &n, &e))
		fail_msg("%s\n%.*s", pl_err_text(&e), F(text));
	if (n != 1)
		fail_msg("%zu documents in:\n%.*s", n, F(text));
	return roots[0];
}

/* ---- reading: what comes out, as one JSON value a line ---- */

static const struct reading {
	const char *yaml, *json;
} readings[] = {
	{"", ""},
	{"# only a comment\n", ""},
	{"---\n", "null\n"},
	{"---\n---\n", "null\nnull\n"},
	{"a: 1\n---\nb: 2\n...\n---\n- c\n", "{\"a\":1}\n{\"b\":2}\n[\"c\"]\n"},
	{"\xef\xbb\xbf"
	 "a: b\n",
	 "{\"a\":\"b\"}\n"},
	{"a: \n", "{\"a\":null}\n"},
	{"{\"a\": [1, {\"b\": null}], \"c\": \"\\u00e9\\U0001f600\"}",
	 "{\"a\":[1,{\"b\":null}],\"c\":\"\xc3\xa9\xf0\x9f\x98\x80\"}\n"},
	{"a: \"\\0\\x01\\e\\N\\_\\L\\P\"\n",
	 "{\"a\":\"\\u0000\\u0001\\u001b\xc2\x85\xc2\xa0\xe2\x80\xa8\xe2\x80\xa9\"}\n"},
	{"a: |\n  x\n   y\n\n  z\n\n\nb: |-\n  x\n\nc: |+\n  x\n\n",
	 "{\"a\":\"x\\n y\\n\\nz\\n\",\"b\":\"x\",\"c\":\"x\\n\\n\"}\n"},
	{"a: >\n  x\n  y\n\n  z\n", "{\"a\":\"x y\\nz\\n\"}\n"},
	{"a: |2\n    x\n  y\n", "{\"a\":\"  x\\ny\\n\"}\n"},
	/* keys are strings */
	{"1: a\ntrue: b\n~: c\n1.50: d\n?\n: e\n",
	 "{\"1\":\"a\",\"true\":\"b\",\"~\":\"c\",\"1.50\":\"d\",\"\":\"e\"}\n"},
	{"? a\n? b\n: c\n", "{\"a\":null,\"b\":\"c\"}\n"},
	{"!!str 5: x\n", "{\"5\":\"x\"}\n"},
	/* anchors */
	{"a: &x [1, 2]\nb: *x\nc: {d: *x}\n", "{\"a\":[1,2],\"b\":[1,2],\"c\":{\"d\":[1,2]}}\n"},
	{"- &a 1\n- &a 2\n- *a\n", "[1,2,2]\n"},
	{"&k 7: &v 8\nx: *k\n*v : y\n", "{\"7\":8,\"x\":7,\"8\":\"y\"}\n"},
	{"- &a\n- *a\n", "[null,null]\n"},
	/* merge keys */
	{"- &a {x: 1, y: 2}\n- {<<: *a}\n", "[{\"x\":1,\"y\":2},{\"x\":1,\"y\":2}]\n"},
	{"- &a {x: 1, y: 2}\n- {y: 3, <<: *a, z: 4}\n", "[{\"x\":1,\"y\":2},{\"y\":3,\"x\":1,\"z\":4}]\n"},
	{"- &a {x: 1, y: 2}\n- {<<: *a, x: 9}\n", "[{\"x\":1,\"y\":2},{\"y\":2,\"x\":9}]\n"},
	{"- &a {x: 1}\n- &b {x: 2, y: 3}\n- {<<: [*a, *b]}\n", "[{\"x\":1},{\"x\":2,\"y\":3},{\"x\":1,\"y\":3}]\n"},
	{"<<: {a: 1}\nb: 2\n", "{\"a\":1,\"b\":2}\n"},
	{"- &a {x: 1}\n- &b {<<: *a, y: 2}\n- {<<: *b}\n", "[{\"x\":1},{\"x\":1,\"y\":2},{\"x\":1,\"y\":2}]\n"},
	{"\"<<\": {a: 1}\n", "{\"<<\":{\"a\":1}}\n"},
	{"- <<\n- a: <<\n", "[\"<<\",{\"a\":\"<<\"}]\n"},
	/* tags on containers say nothing new */
	{"!!map {a: !!seq [b]}\n", "{\"a\":[\"b\"]}\n"},
	{"%YAML 1.2\n%TAG !e! tag:example.org,2000:\n---\n!e!x y\n", "\"y\"\n"},
	/* line ends */
	{"a: 1\r\nb: 2\r\n", "{\"a\":1,\"b\":2}\n"},
	{"a: 1\rb: 2\r", "{\"a\":1,\"b\":2}\n"},
};

static void documents_become_trees(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(readings); i++) {
		struct buf out = BUF_INIT(1 << 20);
		struct pl_err e = ERR_INIT;

		if (yaml_to_json_lines(str_of(readings[i].yaml), "f", &out, &e))
			fail_msg("%s\n%s", pl_err_text(&e), readings[i].yaml);
		assert_string_equal(out.n ? out.p : "", readings[i].json);
		buf_free(&out);
	}
}

static void utf16_is_read(void **state)
{
	static const char le[] = "\xff\xfe"
				 "a\0:\0 \0\xe9\0\n\0",
			  be[] = "\xfe\xff"
				 "\0a\0:\0 \0\xe9\0\n";
	pl_doc *d = pl_doc_new(NULL);

	(void)state;
	assert_true(str_eqz(pl_text(pl_gets(read_one(d, (pl_str){le, sizeof(le) - 1}, PL_SCHEMA_YAML11), "a")),
			    "\xc3\xa9"));
	assert_true(str_eqz(pl_text(pl_gets(read_one(d, (pl_str){be, sizeof(be) - 1}, PL_SCHEMA_YAML11), "a")),
			    "\xc3\xa9"));
	pl_doc_unref(d);
}

static void assert_at(const pl_doc *d, const pl_node *n, uint32_t line, uint32_t col)
{
	pl_place at = pl_at(d, n);

	assert_string_equal(at.file, "f");
	assert_int_equal(at.line, line);
	assert_int_equal(at.col, col);
}

static void every_node_knows_its_place(void **state)
{
	pl_doc *d = pl_doc_new(NULL);
	pl_node *root = read_one(d, S("a: 1\nb:\n  - x\n  - {k: \xc3\xa9, l: &q [m]}\nc: *q\n"), PL_SCHEMA_YAML11);
	pl_node *flow = pl_item(pl_gets(root, "b"), 1);

	(void)state;
	assert_at(d, root, 1, 1);
	assert_at(d, pl_key(root, 1), 2, 1);
	assert_at(d, pl_gets(root, "a"), 1, 4);
	assert_at(d, pl_item(pl_gets(root, "b"), 0), 3, 5);
	assert_at(d, flow, 4, 5);
	assert_at(d, pl_gets(flow, "k"), 4, 9);
	assert_at(d, pl_gets(flow, "l"), 4, 15);
	/* a copy made by an alias is written where the anchor is */
	assert_at(d, pl_item(pl_gets(root, "c"), 0), 4, 19);
	pl_doc_unref(d);
}

static void styles_and_tags_are_kept(void **state)
{
	static const int want[] = {PL_STYLE_PLAIN,  PL_STYLE_SINGLE, PL_STYLE_DOUBLE, PL_STYLE_LITERAL,
				   PL_STYLE_FOLDED, PL_STYLE_FLOW,   PL_STYLE_BLOCK};
	pl_doc *d = pl_doc_new(NULL);
	pl_node *root = read_one(d, S("- a\n- 'a'\n- \"a\"\n- |\n  a\n- >\n  a\n- [a]\n- k: !mine a\n- !!int 4\n"),
				 PL_SCHEMA_YAML11);

	(void)state;
	assert_int_equal(pl_style(root), PL_STYLE_BLOCK);
	for (size_t i = 0; i < COUNT(want); i++)
		assert_int_equal(pl_style(pl_item(root, i)), want[i]);
	assert_true(str_eqz(pl_tag(d, pl_gets(pl_item(root, 6), "k")), "!mine"));
	assert_true(str_eqz(pl_tag(d, pl_item(root, 7)), "tag:yaml.org,2002:int"));
	assert_int_equal(pl_tag(d, root).n, 0);
	pl_doc_unref(d);
}

static void without_a_schema_plain_scalars_stay_open(void **state)
{
	pl_doc *d = pl_doc_new(NULL);
	pl_node *root = read_one(d, S("- yes\n- 'yes'\n- \n- !mine x\n- !!int '4'\n"), PL_SCHEMA_NONE);
	static const int want[] = {PL_PLAIN, PL_STRING, PL_NULL, PL_STRING, PL_PLAIN};

	(void)state;
	for (size_t i = 0; i < COUNT(want); i++)
		assert_int_equal(pl_kind(pl_item(root, i)), want[i]);
	pl_doc_unref(d);
}

static void an_aliased_copy_can_be_changed_alone(void **state)
{
	pl_doc *d = pl_doc_new(NULL);
	pl_node *root = read_one(d, S("a: &x {n: 1}\nb: *x\n"), PL_SCHEMA_YAML11);

	(void)state;
	assert_int_equal(pl_sets(d, pl_gets(root, "b"), "n", pl_new_int(d, 2)), PL_OK);
	assert_true(str_eqz(pl_text(pl_gets(pl_gets(root, "a"), "n")), "1"));
	pl_doc_unref(d);
}

/* ---- errors ---- */

static const struct mistake {
	const char *yaml, *error;
} mistakes[] = {
	{"a: 1\nb: 2\na: 3\n", "f:3:1: duplicate key 'a', first at line 1, column 1"},
	{"{a: 1, 'a': 2}", "f:1:8: duplicate key 'a', first at line 1, column 2"},
	{"1: x\n'1': y\n", "f:2:1: duplicate key '1', first at line 1, column 1"},
	{"<<: {a: 1}\nb: 1\n<<: {c: 1}\n", "f:3:1: duplicate key '<<', first at line 1, column 1"},
	{"<<: {a: 1}\nb: 1\nb: 2\n", "f:3:1: duplicate key 'b', first at line 2, column 1"},
	{"<<: 5\n", "f:1:5: a merge key takes a map or a list of maps, not this"},
	{"<<: [{a: 1}, b]\n", "f:1:14: a merge key takes a map or a list of maps, not this"},
	{"a: *x\n", "f:1:4: alias '*x' names no anchor before it in this document"},
	{"--- &x a\n--- *x\n", "f:2:5: alias '*x' names no anchor before it in this document"},
	{"&x [1, *x]\n", "f:1:8: alias '*x' stands inside what it names"},
	{"&x {a: {b: *x}}\n", "f:1:12: alias '*x' stands inside what it names"},
	{"[a, b]: c\n", "f:1:1: a list or map can't be the key of a map (quote it if it is meant as text)"},
	{"v: {{ .Values.x }}\n", "f:1:5: a list or map can't be the key of a map (quote it if it is meant as text)"},
	{"a: &x [1]\n*x : c\n", "f:2:1: a list or map can't be the key of a map (quote it if it is meant as text)"},
	{"a: [1\nb: 2\n", "f:2:2: a list in brackets lacks ',' or ']', begun at line 1"},
	{"a: {b: 1\n", "f:2:1: a map in braces lacks ',' or '}', begun at line 1"},
	{"a: \"x\n", "f:2:1: the text ends inside a quoted value, begun at line 1 (a closing quote is missing)"},
	{"a: b: c\n", "f:1:5: ': ' can't stand here (quote a value that holds ': ', and check the indentation)"},
	{"a:\n\tb: 1\n", "f:2:1: a value can't begin with this character (quote it; indent with blanks, not tabs)"},
	{"a: @b\n", "f:1:4: a value can't begin with this character (quote it; indent with blanks, not tabs)"},
	{"a: 1\n  b: 2\n", "f:2:4: ': ' can't stand here (quote a value that holds ': ', and check the indentation)"},
	{"a: \"\\q\"\n", "f:1:5: unknown escape after '\\' (use single quotes, or '\\\\' for a backslash)"},
	{"a: \"\\ud83d\\ude00\"\n",
	 "f:1:7: an escape names no Unicode character (what is not in the basic plane is written '\\U0001F600')"},
	{"a: !x!y z\n", "f:1:4: the tag's handle is not declared (a %TAG line declares it)"},
	{"%YAML 2.0\n--- a\n", "f:1:1: the document asks for a YAML version that can't be read"},
	{"a: \x01\n", "f:1:4: a control character can't stand in YAML: 0x01 (escape it in double quotes)"},
	{"a: b\nc: \xff\n", "f:2:4: the text is not UTF-8: 0xFF"},
	{"a: \xc3", "f:1:4: the text ends inside a UTF-8 character"},
	{"a: \xed\xa0\x80\n", "f:1:4: a character that Unicode does not have: 0xD800"},
};

static void mistakes_are_told_with_their_place(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(mistakes); i++) {
		pl_doc *d = pl_doc_new(NULL);
		struct pl_err e = ERR_INIT;
		pl_node **roots;
		size_t n;

		assert_int_equal(pl_yaml_read(d, str_of(mistakes[i].yaml), "f", PL_SCHEMA_YAML11, 0, &roots, &n, &e),
				 PL_EINVAL);
		assert_string_equal(pl_err_text(&e), mistakes[i].error);
		assert_null(roots);
		/* nobody need listen */
		assert_int_equal(pl_yaml_read(d, str_of(mistakes[i].yaml), NULL, PL_SCHEMA_NONE, 0, &roots, &n, NULL),
				 PL_EINVAL);
		err_clear(&e);
		pl_doc_unref(d);
	}
}

static void a_nul_byte_is_refused(void **state)
{
	pl_doc *d = pl_doc_new(NULL);
	struct pl_err e = ERR_INIT;
	pl_node **roots;
	size_t n;

	(void)state;
	assert_int_equal(pl_yaml_read(d, S("a: b\0c\n"), "f", PL_SCHEMA_YAML11, 0, &roots, &n, &e), PL_EINVAL);
	assert_string_equal(pl_err_text(&e),
			    "f:1:5: a control character can't stand in YAML: 0x00 (escape it in double quotes)");
	err_clear(&e);
	pl_doc_unref(d);
}

static void wrong_arguments_are_refused(void **state)
{
	pl_doc *d = pl_doc_new(NULL);
	pl_node **roots;
	size_t n;

	(void)state;
	assert_int_equal(pl_yaml_read(d, S("a"), NULL, 17, 0, &roots, &n, NULL), PL_EINVAL);
	assert_int_equal(pl_yaml_read(d, S("a"), NULL, -1, 0, &roots, &n, NULL), PL_EINVAL);
	pl_doc_freeze(d);
	assert_int_equal(pl_yaml_read(d, S("a"), NULL, PL_SCHEMA_YAML11, 0, &roots, &n, NULL), PL_EDENIED);
	pl_doc_unref(d);
}

/* ---- limits ---- */

static void assert_too_big(const pl_limits *limits, pl_str text, const char *error)
{
	pl_doc *d = pl_doc_new(limits);
	struct pl_err e = ERR_INIT;
	pl_node **roots;
	size_t n;

	assert_int_equal(pl_yaml_read(d, text, "f", PL_SCHEMA_YAML11, 0, &roots, &n, &e), PL_ETOOBIG);
	assert_string_equal(pl_err_text(&e), error);
	err_clear(&e);
	pl_doc_unref(d);
}

static void limits_are_kept(void **state)
{
	(void)state;
	assert_too_big(&(pl_limits){.max_depth = 3}, S("a:\n  b:\n    c:\n      d: 1\n"),
		       "f:4:7: nested more than 3 levels deep");
	assert_too_big(&(pl_limits){.max_depth = 2}, S("a: &x [1]\nb: [*x]\nc: [[*x]]\n"),
		       "f:2:5: alias '*x' takes the nesting over the limit of 2");
	assert_too_big(&(pl_limits){.max_nodes = 5}, S("[1, 2, 3, 4, 5, 6]"),
		       "f:1:14: document has more than 5 values");
	assert_too_big(&(pl_limits){.max_nodes = 7}, S("[&x [1, 2, 3], *x]"),
		       "f:1:16: alias '*x' takes the values of the document over the limit of 7");
	assert_too_big(&(pl_limits){.max_aliased = 7}, S("[&x [1, 2, 3], *x, *x]"),
		       "f:1:20: alias '*x' takes the values that aliases make over the limit of 7");
	assert_too_big(&(pl_limits){.max_bytes = 4}, S("a: bc"), "f: text is bigger than 4 bytes");
}

static void an_alias_bomb_stops_early(void **state)
{
	struct buf b = BUF_INIT(1 << 20);

	(void)state;
	buf_addz(&b, "a: &a [x, x, x, x, x, x, x, x, x]\n");
	for (char c = 'b'; c < 'z'; c++) {
		buf_addf(&b, "%c: &%c [", c, c);
		for (int i = 0; i < 9; i++)
			buf_addf(&b, "*%c,", c - 1);
		buf_addz(&b, "]\n");
	}
	assert_too_big(NULL, buf_str(&b),
		       "f:6:8: alias '*e' takes the values that aliases make over the limit of 100000");
	buf_free(&b);
}

static void deep_brackets_stop_before_the_scanner_slows_down(void **state)
{
	struct buf b = BUF_INIT(32 << 20);

	(void)state;
	buf_addn(&b, '[', 4000000);
	assert_too_big(NULL, buf_str(&b), "f:1:513: nested more than 512 levels deep");
	buf_clear(&b);
	for (int i = 0; i < 1000000; i++)
		buf_addz(&b, "{a: ");
	assert_too_big(NULL, buf_str(&b), "f:1:2049: nested more than 512 levels deep");
	buf_clear(&b);
	buf_addn(&b, '[', 500);
	for (int i = 0; i < 1500000; i++)
		buf_addz(&b, "a,");
	assert_too_big(NULL, buf_str(&b), "f:1:1073751: too much is nested more than 64 brackets deep");
	buf_clear(&b);
	for (int i = 0; i < 100; i++)
		buf_addf(&b, "%%TAG !t%d! x\n", i);
	buf_addz(&b, "--- a\n");
	assert_too_big(NULL, buf_str(&b), "f:65:1: more than 64 %TAG lines in front of a document");
	buf_free(&b);
}

static void many_documents_may_have_tag_lines_each(void **state)
{
	struct buf b = BUF_INIT(1 << 20);
	pl_doc *d = pl_doc_new(NULL);
	pl_node **roots;
	size_t n;

	(void)state;
	for (int i = 0; i < 200; i++)
		buf_addz(&b, "%TAG !e! tag:example.org,2000:\n---\n!e!a b\n...\n");
	assert_int_equal(pl_yaml_read(d, buf_str(&b), NULL, PL_SCHEMA_YAML11, 0, &roots, &n, NULL), PL_OK);
	assert_int_equal(n, 200);
	buf_free(&b);
	pl_doc_unref(d);
}

static void big_maps_find_duplicates_too(void **state)
{
	struct buf b = BUF_INIT(1 << 24);
	pl_doc *d = pl_doc_new(NULL);
	struct pl_err e = ERR_INIT;
	pl_node **roots;
	size_t n;

	(void)state;
	for (int i = 0; i < 20000; i++)
		buf_addf(&b, "k%d: %d\n", i, i);
	assert_int_equal(pl_len(read_one(d, buf_str(&b), PL_SCHEMA_YAML11)), 20000);
	buf_addz(&b, "k77: again\n");
	assert_int_equal(pl_yaml_read(d, buf_str(&b), "f", PL_SCHEMA_YAML11, 0, &roots, &n, &e), PL_EINVAL);
	assert_string_equal(pl_err_text(&e), "f:20001:1: duplicate key 'k77', first at line 78, column 1");
	err_clear(&e);
	buf_free(&b);
	pl_doc_unref(d);
}

/* ---- writing ---- */

static const struct writing {
	const char *yaml; /* read by YAML 1.1 */
	uint32_t flags;
	const char *want; /* NULL: the same text */
} writings[] = {
	{"a:\n- b: 1\n  c:\n  - d\n- - e\n  - f\n- {}\n- []\ng:\n  h: {}\n", 0, NULL},
	{"- - - a\n- b:\n    c: d\n", 0, NULL},
	{"{}\n", 0, NULL},
	{"[]\n", 0, NULL},
	{"plain text\n", 0, NULL},
	{"b: 1\na: {d: 1, c: 2}\n", PL_PRINT_SORTED, "a:\n  c: 2\n  d: 1\nb: 1\n"},
	{"a: ~\nb: yes\nc: 0644\nd: 0x1F\ne: .INF\nf: 1_0\ng: +1\nh: 1e3\ni: .NaN\nj: -.inf\nk: 1.0\n", 0,
	 "a: null\nb: true\nc: 420\nd: 31\ne: .inf\nf: 10\ng: 1\nh: 1.0e+3\ni: .nan\nj: -.inf\nk: 1.0\n"},
	{"a: ~\nb: True\nc: yes\nd: 0x1F\ne: 0644\nf: Null\n", PL_PRINT_KEEP_STYLE,
	 "a: ~\nb: True\nc: true\nd: 0x1F\ne: 420\nf: Null\n"},
	{"a: 'x'\nb: \"x\"\nc: x\n", 0, "a: x\nb: x\nc: x\n"},
	{"a: 'x'\nb: \"x\"\nc: x\n", PL_PRINT_KEEP_STYLE, NULL},
	{"a: >\n  x y\n  z\n\n  w\nb: >-\n  x\nc: >+\n  x\n\n", PL_PRINT_KEEP_STYLE,
	 "a: >\n  x y z\n\n  w\nb: x\nc: >+\n  x\n\n"},
	{"a: |\n  x\n  y\nb: |-\n  x\n  y\nc: |+\n  x\n\n", 0, NULL},
	{"a: |2\n   x\n  y\n", 0, NULL},
	{"- |2\n   x\n  y\n- k: |2\n     x\n    y\n", 0, NULL},
	{"|2\n   x\n  y\n", 0, NULL},
	{"a: \"\\tx\\ny\"\n", 0, "a: |2-\n  \tx\n  y\n"},
	{"a: \"\\nx\"\n", 0, "a: |2-\n\n  x\n"},
	{"a: \"\\n\\n\"\n", 0, NULL},
	{"a: \"x\\ry\"\nb: \"x\\ty\"\n", 0, NULL},
	{"\"a\\nb\": c\n", 0, NULL},
	{"a: \xc3\xa9\xf0\x9f\x98\x80\n", 0, NULL},
	{"a: \xc3\xa9\xf0\x9f\x98\x80\n", PL_PRINT_ASCII, "a: \"\\xE9\\U0001F600\"\n"},
	{"a: \"\\0\\a\\b\\v\\f\\e\\x7F\\x85\\u2028\\uFEFF\\\\\\\"\xc2\xa0\\n\"\n", 0, NULL},
};

static void documents_are_written_as_kubectl_does(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(writings); i++) {
		const struct writing *w = &writings[i];
		pl_doc *d = pl_doc_new(NULL);
		struct pl_err e = ERR_INIT;
		char *text;
		size_t n;

		if (pl_yaml_write(read_one(d, str_of(w->yaml), PL_SCHEMA_YAML11), w->flags, &text, &n, &e))
			fail_msg("%s", pl_err_text(&e));
		assert_string_equal(text, w->want ? w->want : w->yaml);
		assert_int_equal(n, strlen(text));
		pl_free(text);
		pl_doc_unref(d);
	}
}

/* Strings, and how each stands in a list. Those with line feeds are written as blocks and are tested above. */
static const char *const quoted[][2] = {
	{"", "\"\""},
	{"yes", "\"yes\""},
	{"on", "\"on\""},
	{"y", "\"y\""},
	{"N", "\"N\""},
	{"0644", "\"0644\""},
	{"1:30", "\"1:30\""},
	{"190:20:30.15", "\"190:20:30.15\""},
	{"~", "\"~\""},
	{"null", "\"null\""},
	{"1e3", "\"1e3\""},
	{"1e999", "\"1e999\""},
	{"0x1F", "\"0x1F\""},
	{"0b-1", "\"0b-1\""},
	{"0o7", "\"0o7\""},
	{"1_000", "\"1_000\""},
	{"._", "\"._\""},
	{"=", "\"=\""},
	{"<<", "\"<<\""},
	{"2001-01-01", "\"2001-01-01\""},
	{"2001-12-14 21:59:43.10 -5", "\"2001-12-14 21:59:43.10 -5\""},
	{".inf", "\".inf\""},
	{"-.5", "\"-.5\""},
	{" x", "' x'"},
	{"x ", "'x '"},
	{"a: b", "'a: b'"},
	{"a:", "'a:'"},
	{"a #b", "'a #b'"},
	{"#b", "'#b'"},
	{"- a", "'- a'"},
	{"-", "'-'"},
	{"---", "'---'"},
	{"--- a", "'--- a'"},
	{"...", "'...'"},
	{"?", "'?'"},
	{"? a", "'? a'"},
	{":", "':'"},
	{",", "','"},
	{"[a", "'[a'"},
	{"]", "']'"},
	{"{a", "'{a'"},
	{"}", "'}'"},
	{"&a", "'&a'"},
	{"*a", "'*a'"},
	{"!a", "'!a'"},
	{"|", "'|'"},
	{">", "'>'"},
	{"'a", "'''a'"},
	{"\"a", "'\"a'"},
	{"%a", "'%a'"},
	{"@a", "'@a'"},
	{"`a", "'`a'"},
	/* what needs no quotes */
	{"a:b", "a:b"},
	{"a#b", "a#b"},
	{"-a", "-a"},
	{"--", "--"},
	{"a, b", "a, b"},
	{"it's", "it's"},
	{"a[0]", "a[0]"},
	{"10.0.0.1", "10.0.0.1"},
	{"100m", "100m"},
	{"1Gi", "1Gi"},
	{"v1.2.3", "v1.2.3"},
	{"2024-backup", "2024-backup"},
	{"http://x:80/y?z#q", "http://x:80/y?z#q"},
	{"yesno", "yesno"},
	{"nginx:1.25", "nginx:1.25"},
};

static void strings_are_quoted_when_some_reader_would_take_them_for_something_else(void **state)
{
	pl_doc *d = pl_doc_new(NULL);
	pl_node *list = pl_new_list(d);
	struct buf want = BUF_INIT(1 << 16);
	char *text;
	size_t n;

	(void)state;
	for (size_t i = 0; i < COUNT(quoted); i++) {
		assert_int_equal(pl_append(d, list, pl_new_string(d, str_of(quoted[i][0]))), PL_OK);
		buf_addf(&want, "- %s\n", quoted[i][1]);
	}
	assert_int_equal(pl_yaml_write(list, 0, &text, &n, NULL), PL_OK);
	assert_string_equal(text, want.p);
	pl_free(text);
	buf_free(&want);
	pl_doc_unref(d);
}

static void assert_reads_back(const pl_node *n, uint32_t flags)
{
	struct pl_err e = ERR_INIT;
	pl_str s;
	char *text;

	if (pl_yaml_write(n, flags, &text, &s.n, &e))
		fail_msg("%s", pl_err_text(&e));
	s.p = text;
	for (size_t i = 0; i < COUNT(schemas); i++) {
		pl_doc *d = pl_doc_new(NULL);

		if (!pl_equal(n, read_one(d, s, schemas[i])))
			fail_msg("reads back differently by schema %d:\n%s", schemas[i], text);
		pl_doc_unref(d);
	}
	pl_free(text);
}

/* Pieces that matter to some rule of YAML; random strings are put together from them. */
static const char *const pieces[] = {
	" ",
	"\n",
	"\t",
	"a",
	"-",
	":",
	"#",
	"'",
	"\"",
	"\\",
	"0",
	"1",
	"x",
	"e",
	".",
	"_",
	"+",
	"|",
	">",
	"?",
	"!",
	"&",
	"*",
	"[",
	"]",
	"{",
	"}",
	",",
	"%",
	"@",
	"`",
	"=",
	"<",
	"~",
	"yes",
	"no",
	"null",
	"true",
	"on",
	": ",
	" #",
	"- ",
	"\r",
	"\x01",
	"\x7f",
	"\xc2\x85",
	"\xc2\xa0",
	"\xe2\x80\xa8",
	"\xef\xbb\xbf",
	"\xef\xbf\xbf",
	"\xc3\xa9",
	"\xf0\x9f\x98\x80",
	"\n\n",
	"  ",
	"0x",
	"0o",
	"0b",
	".inf",
	"2001-01-01",
	"1:30",
	"---",
	"...",
};

struct dice {
	uint64_t state;
};

static size_t roll(struct dice *r, size_t n)
{
	r->state = r->state * 6364136223846793005u + 1442695040888963407u;
	return (size_t)(r->state >> 33) % n;
}

static pl_node *random_string(pl_doc *d, struct dice *r)
{
	struct buf b = BUF_INIT(1 << 16);
	pl_node *n;

	for (size_t i = roll(r, 8); i; i--)
		buf_addz(&b, pieces[roll(r, COUNT(pieces))]);
	n = pl_new_string(d, buf_str(&b));
	pl_set_style(n, (int)roll(r, PL_STYLE_FOLDED + 1));
	buf_free(&b);
	return n;
}

static pl_node *random_node(pl_doc *d, struct dice *r, size_t depth)
{
	static const char *const numbers[] = {"0", "-1", "1.50", "1e3", "-1E-7", "12345678901234567890", "1.7e308"};
	size_t what = roll(r, depth ? 10 : 8);
	pl_node *n;

	if (what == 0)
		return pl_new_null(d);
	if (what == 1)
		return pl_new_bool(d, (int)roll(r, 2));
	if (what == 2)
		return pl_new_number(d, str_of(numbers[roll(r, COUNT(numbers))]));
	if (what < 8)
		return random_string(d, r);
	n = what == 8 ? pl_new_list(d) : pl_new_map(d);
	for (size_t i = roll(r, 5); i; i--) {
		pl_node *kid = random_node(d, r, depth - 1);

		if (what == 8)
			assert_int_equal(pl_append(d, n, kid), PL_OK);
		else
			assert_int_equal(pl_set(d, n, pl_text(random_string(d, r)), kid), PL_OK);
	}
	return n;
}

static void whatever_is_written_reads_back_the_same(void **state)
{
	struct dice r = {20260322};

	(void)state;
	for (int i = 0; i < 6000; i++) {
		pl_doc *d = pl_doc_new(NULL);
		pl_node *n = random_node(d, &r, 4);

		assert_reads_back(n, 0);
		assert_reads_back(n, PL_PRINT_KEEP_STYLE);
		assert_reads_back(n, PL_PRINT_ASCII | PL_PRINT_SORTED);
		pl_doc_unref(d);
	}
}

static void long_keys_and_lines_read_back_and_are_not_folded(void **state)
{
	struct buf b = BUF_INIT(1 << 16);
	pl_doc *d = pl_doc_new(NULL);
	pl_node *map = pl_new_map(d), *inner = pl_new_map(d), *list = pl_new_list(d);
	char *text;
	size_t n;

	(void)state;
	for (int i = 0; i < 1000; i++)
		buf_addz(&b, "long ");
	buf_addc(&b, 'x');
	assert_int_equal(pl_sets(d, inner, "v", pl_new_string(d, buf_str(&b))), PL_OK);
	assert_int_equal(pl_sets(d, inner, "w", pl_new_string(d, S("a\nb\n"))), PL_OK);
	assert_int_equal(pl_append(d, list, pl_new_string(d, S("a\nb"))), PL_OK);
	assert_int_equal(pl_set(d, map, buf_str(&b), inner), PL_OK);
	buf_addc(&b, 'y');
	assert_int_equal(pl_set(d, map, buf_str(&b), list), PL_OK);
	buf_addc(&b, 'z');
	assert_int_equal(pl_set(d, map, buf_str(&b), pl_new_string(d, S("a\nb"))), PL_OK);
	assert_reads_back(map, 0);
	assert_reads_back(map, PL_PRINT_KEEP_STYLE);
	assert_int_equal(pl_yaml_write(pl_gets(inner, "v"), 0, &text, &n, NULL), PL_OK);
	assert_ptr_equal(strchr(text, '\n'), text + n - 1);
	pl_free(text);
	buf_free(&b);
	pl_doc_unref(d);
}

static void what_has_no_yaml_is_refused(void **state)
{
	pl_doc *d = pl_doc_new(NULL);
	struct pl_err e = ERR_INIT;
	pl_node *list = pl_new_list(d);
	char *text;
	size_t n;

	(void)state;
	assert_int_equal(pl_yaml_write(NULL, 0, &text, &n, &e), PL_EINVAL);
	assert_string_equal(pl_err_text(&e), "there is no value to write");
	assert_int_equal(pl_yaml_write(pl_new_string(d, S("\xff")), 0, &text, &n, &e), PL_EINVAL);
	assert_string_equal(pl_err_text(&e), "a text that is not UTF-8 has no YAML");
	assert_int_equal(pl_yaml_write(pl_new_number(d, S("1e999")), 0, &text, &n, &e), PL_EINVAL);
	assert_string_equal(pl_err_text(&e), "a number that overflows a double has no YAML that all readers agree on");
	for (int i = 0; i < 11000; i++) {
		pl_node *outer = pl_new_list(d);

		assert_int_equal(pl_append(d, outer, list), PL_OK);
		list = outer;
	}
	assert_int_equal(pl_yaml_write(list, 0, &text, &n, &e), PL_ETOOBIG);
	assert_string_equal(pl_err_text(&e), "nested more than 10000 levels deep");
	assert_null(text);
	err_clear(&e);
	pl_doc_unref(d);
}

static void a_full_buffer_is_told(void **state)
{
	struct buf out = BUF_INIT(8);
	struct pl_err e = ERR_INIT;
	pl_doc *d = pl_doc_new(NULL);

	(void)state;
	assert_int_equal(yaml_print(read_one(d, S("a: 123456789"), PL_SCHEMA_YAML11), 0, &out, &e), PL_ETOOBIG);
	assert_string_equal(pl_err_text(&e), "the YAML text is bigger than 8 bytes");
	err_clear(&e);
	buf_free(&out);
	pl_doc_unref(d);
}

static void unresolved_scalars_are_written_as_they_are(void **state)
{
	pl_doc *d = pl_doc_new(NULL);
	char *text;
	size_t n;

	(void)state;
	assert_int_equal(
		pl_yaml_write(read_one(d, S("a: yes\nb: 'yes'\nc: 0644\n"), PL_SCHEMA_NONE), 0, &text, &n, NULL),
		PL_OK);
	assert_string_equal(text, "a: yes\nb: \"yes\"\nc: 0644\n");
	pl_free(text);
	pl_doc_unref(d);
}

/* ---- another reader: PyYAML, a YAML 1.1 one that knows more types than Go's ---- */

static int run_python(const char *script, const char *arg)
{
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (pid == 0) {
		/* The whole path: from its name alone Python would look for its modules by PATH. */
		execl("/usr/bin/python3", "/usr/bin/python3", "-c", script, arg, (char *)NULL);
		_exit(127);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

static void write_file(const char *path, pl_str text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_int_equal(fwrite(text.p, 1, text.n, f), text.n);
	assert_int_equal(fclose(f), 0);
}

/* The folder holds the YAML and, as its own reading, the JSON of the same tree. */
static const char compare[] = "import json, sys, yaml\n"
			      "a = yaml.safe_load(open(sys.argv[1] + '/a.yaml', encoding='utf-8', newline=''))\n"
			      "b = json.load(open(sys.argv[1] + '/a.json', encoding='utf-8'))\n"
			      "for x, y in zip(a, b):\n"
			      "    if x != y or json.dumps(x, sort_keys=True) != json.dumps(y, sort_keys=True): "
			      "sys.exit('%r is not %r' % (x, y))\n"
			      "sys.exit(len(a) != len(b))\n";

static void pyyaml_reads_it_the_same(void **state)
{
	char dir[] = "/tmp/plumb-yaml-XXXXXX", yaml[64], json[64], *text;
	pl_doc *d = pl_doc_new(NULL);
	pl_node *list = pl_new_list(d);
	struct dice r = {4711};
	size_t n;

	(void)state;
	if (run_python("import importlib.util, sys; sys.exit(importlib.util.find_spec('yaml') is None)", ""))
		fail_msg("install python3-yaml (make deps)");
	for (size_t i = 0; i < COUNT(quoted); i++)
		assert_int_equal(pl_append(d, list, pl_new_string(d, str_of(quoted[i][0]))), PL_OK);
	for (int i = 0; i < 1500; i++)
		assert_int_equal(pl_append(d, list, random_node(d, &r, 3)), PL_OK);
	assert_non_null(mkdtemp(dir));
	snprintf(yaml, sizeof(yaml), "%s/a.yaml", dir);
	snprintf(json, sizeof(json), "%s/a.json", dir);
	assert_int_equal(pl_json_write(list, 0, &text, &n, NULL), PL_OK);
	write_file(json, (pl_str){text, n});
	pl_free(text);
	for (uint32_t flags = 0; flags <= PL_PRINT_KEEP_STYLE; flags += PL_PRINT_KEEP_STYLE) {
		assert_int_equal(pl_yaml_write(list, flags, &text, &n, NULL), PL_OK);
		write_file(yaml, (pl_str){text, n});
		pl_free(text);
		assert_int_equal(run_python(compare, dir), 0);
	}
	assert_int_equal(unlink(yaml) | unlink(json) | rmdir(dir), 0);
	pl_doc_unref(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(documents_become_trees),
		cmocka_unit_test(utf16_is_read),
		cmocka_unit_test(every_node_knows_its_place),
		cmocka_unit_test(styles_and_tags_are_kept),
		cmocka_unit_test(without_a_schema_plain_scalars_stay_open),
		cmocka_unit_test(an_aliased_copy_can_be_changed_alone),
		cmocka_unit_test(mistakes_are_told_with_their_place),
		cmocka_unit_test(a_nul_byte_is_refused),
		cmocka_unit_test(wrong_arguments_are_refused),
		cmocka_unit_test(limits_are_kept),
		cmocka_unit_test(an_alias_bomb_stops_early),
		cmocka_unit_test(deep_brackets_stop_before_the_scanner_slows_down),
		cmocka_unit_test(many_documents_may_have_tag_lines_each),
		cmocka_unit_test(big_maps_find_duplicates_too),
		cmocka_unit_test(documents_are_written_as_kubectl_does),
		cmocka_unit_test(strings_are_quoted_when_some_reader_would_take_them_for_something_else),
		cmocka_unit_test(whatever_is_written_reads_back_the_same),
		cmocka_unit_test(long_keys_and_lines_read_back_and_are_not_folded),
		cmocka_unit_test(what_has_no_yaml_is_refused),
		cmocka_unit_test(a_full_buffer_is_told),
		cmocka_unit_test(unresolved_scalars_are_written_as_they_are),
		cmocka_unit_test(pyyaml_reads_it_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
