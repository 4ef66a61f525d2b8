/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/base/buf.h"
#include "core/base/err.h"
#include "core/doc/private.h"
#include "plumb/doc.h"

struct fix {
	pl_doc *d;
	struct pl_err e;
};

static int setup(void **state)
{
	static const struct fix none;
	struct fix *f = malloc(sizeof(*f));

	*f = none;
	f->d = pl_doc_new(NULL);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fix *f = *state;

	pl_doc_unref(f->d);
	err_clear(&f->e);
	free(f);
	return 0;
}

static pl_node *read_ok(struct fix *f, pl_str text, uint32_t flags)
{
	pl_node *n = NULL;

	if (pl_json_read(f->d, text, "f.json", flags, &n, &f->e))
		fail_msg("%s", pl_err_text(&f->e));
	return n;
}

static void assert_json(const pl_node *n, uint32_t flags, const char *want)
{
	char *text;
	size_t len;

	assert_int_equal(pl_json_write(n, flags, &text, &len, NULL), PL_OK);
	assert_string_equal(text, want);
	assert_int_equal(len, strlen(want));
	pl_free(text);
}

/* ---- reading ---- */

static void every_kind_is_read_and_written_as_it_was(void **state)
{
	static const char *const texts[] = {
		"null",
		"true",
		"false",
		"0",
		"-0",
		"1.0",
		"1e3",
		"1E+3",
		"-12.5e-7",
		"9007199254740993",
		"\"\"",
		"\"a\"",
		"[]",
		"{}",
		"[1,[2,[3]],{}]",
		"{\"a\":{\"b\":[]},\"\":null}",
		"123456789012345678901234567890.123456789012345678901234567890e-999999999999",
	};
	struct fix *f = *state;
	size_t i;

	for (i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		assert_json(read_ok(f, str_of(texts[i]), 0), 0, texts[i]);
		assert_json(read_ok(f, str_of(texts[i]), PL_READ_BORROW), 0, texts[i]);
	}
}

static void strings_are_decoded(void **state)
{
	static const struct {
		const char *json;
		pl_str want;
	} rows[] = {
		{"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", S_INIT("\"\\/\b\f\n\r\t")},
		{"\"\\u0041\\u00e9\\u20AC\\uD83D\\uDE00\"", S_INIT("A\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80")},
		{"\"x\\u0000y\"", S_INIT("x\0y")},
		{"\"\\uFFFF\\uE000\\uD7FF\"", S_INIT("\xef\xbf\xbf\xee\x80\x80\xed\x9f\xbf")},
		{"\"\xc3\xa9 long enough for the wide loop \xf0\x9f\x98\x80 and on and on\"",
		 S_INIT("\xc3\xa9 long enough for the wide loop \xf0\x9f\x98\x80 and on and on")},
		{"\"sixteen bytes ok\\nsixteen bytes ok\xc3\xa9\\t\"",
		 S_INIT("sixteen bytes ok\nsixteen bytes ok\xc3\xa9\t")},
		{"\"\x7f\"", S_INIT("\x7f")},
		{"\"\\uDBFF\\uDFFF\"", S_INIT("\xf4\x8f\xbf\xbf")},
	};
	struct fix *f = *state;
	size_t i;
	uint32_t flags;

	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		for (flags = 0; flags <= PL_READ_BORROW; flags++) {
			pl_str got = pl_text(read_ok(f, str_of(rows[i].json), flags));

			assert_int_equal(got.n, rows[i].want.n);
			assert_memory_equal(got.p, rows[i].want.p, got.n);
		}
}

static void every_unicode_escape_survives_a_round_trip(void **state)
{
	struct fix *f = *state;
	struct buf b = BUF_INIT(SIZE_MAX / 4), again = b;
	uint32_t c;
	pl_node *n;

	buf_addc(&b, '"');
	for (c = 0; c < 0x110000; c += c < 0x10000 ? 1 : 97) {
		if (c >= 0xd800 && c < 0xe000)
			continue;
		if (c < 0x10000)
			buf_addf(&b, "\\u%04x", c);
		else
			buf_addf(&b, "\\u%04x\\u%04x", 0xd800 + ((c - 0x10000) >> 10), 0xdc00 + (c & 0x3ff));
	}
	buf_addc(&b, '"');
	n = read_ok(f, buf_str(&b), PL_READ_BORROW);
	assert_true(str_utf8(pl_text(n)));
	assert_int_equal(json_print(n, PL_PRINT_ASCII, &again, NULL), PL_OK);
	assert_true(pl_equal(read_ok(f, buf_str(&again), 0), n));
	buf_clear(&again);
	assert_int_equal(json_print(n, 0, &again, NULL), PL_OK);
	assert_true(pl_equal(read_ok(f, buf_str(&again), 0), n));
	buf_free(&b);
	buf_free(&again);
}

static void every_node_has_its_place(void **state)
{
	static const char text[] = "\n{\"a\": 1,\n\"b\":\n[ \"x\",\n\t        -1 , \r{\n                \"x\":null}]}";
	static const struct {
		const char *pointer;
		uint32_t line, col;
	} rows[] = {
		{"", 2, 1},	 {"/a", 2, 7},	  {"/b", 4, 1},	     {"/b/0", 4, 3},
		{"/b/1", 5, 10}, {"/b/2", 5, 16}, {"/b/2/x", 6, 21},
	};
	struct fix *f = *state;
	pl_node *root = read_ok(f, str_of(text), PL_READ_BORROW), *n;
	size_t i;

	assert_int_equal(pl_at(f->d, pl_getkey(root, S("b"))).line, 3);
	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		assert_int_equal(pl_pointer(root, str_of(rows[i].pointer), &n, NULL), PL_OK);
		assert_string_equal(pl_at(f->d, n).file, "f.json");
		assert_int_equal(pl_at(f->d, n).line, rows[i].line);
		assert_int_equal(pl_at(f->d, n).col, rows[i].col);
	}
}

static void columns_count_characters(void **state)
{
	struct fix *f = *state;
	pl_node *root = read_ok(f, S("[\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\",1,\"\\n\xc3\xa9\",2]"), 0);

	assert_int_equal(pl_at(f->d, pl_item(root, 1)).col, 8);
	assert_int_equal(pl_at(f->d, pl_item(root, 2)).col, 10);
	assert_int_equal(pl_at(f->d, pl_item(root, 3)).col, 16);
}

static void mistakes_are_told_with_their_place(void **state)
{
	static const struct {
		pl_str text;
		const char *want;
	} rows[] = {
		{S_INIT(""), "f.json:1:1: the text ends where a value is expected"},
		{S_INIT("  \n "), "f.json:2:2: the text ends where a value is expected"},
		{S_INIT("nul"), "f.json:1:1: expected a value, found 'n'"},
		{S_INIT("nulll"), "f.json:1:5: expected the end of the text, found 'l'"},
		{S_INIT("1 2"), "f.json:1:3: expected the end of the text, found '2'"},
		{S_INIT("01"), "f.json:1:1: a number has a leading zero"},
		{S_INIT("-01"), "f.json:1:1: a number has a leading zero"},
		{S_INIT("-"), "f.json:1:2: the text ends where a digit is expected"},
		{S_INIT("+1"), "f.json:1:1: expected a value, found '+'"},
		{S_INIT(".5"), "f.json:1:1: expected a value, found '.'"},
		{S_INIT("1."), "f.json:1:3: the text ends where a digit after the decimal point is expected"},
		{S_INIT("1.e1"), "f.json:1:3: expected a digit after the decimal point, found 'e'"},
		{S_INIT("1e"), "f.json:1:3: the text ends where a digit of the exponent is expected"},
		{S_INIT("1e+"), "f.json:1:4: the text ends where a digit of the exponent is expected"},
		{S_INIT("0x1F"), "f.json:1:2: expected the end of the text, found 'x'"},
		{S_INIT("NaN"), "f.json:1:1: expected a value, found 'N'"},
		{S_INIT("[1,]"), "f.json:1:4: expected a value, found ']'"},
		{S_INIT("[1 2]"), "f.json:1:4: expected ',' or ']', found '2'"},
		{S_INIT("[1}"), "f.json:1:3: expected ',' or ']', found '}'"},
		{S_INIT("["), "f.json:1:2: the text ends where a value is expected"},
		{S_INIT("{\"a\":1,}"), "f.json:1:8: expected a key in double quotes, found '}'"},
		{S_INIT("{a:1}"), "f.json:1:2: expected a key in double quotes, found 'a'"},
		{S_INIT("{\"a\" 1}"), "f.json:1:6: expected ':' after the key, found '1'"},
		{S_INIT("{\"a\":1"), "f.json:1:7: the text ends where ',' or '}' is expected"},
		{S_INIT("{\"a\":}"), "f.json:1:6: expected a value, found '}'"},
		{S_INIT("\"abc"), "f.json:1:1: this string has no end"},
		{S_INIT("[\"\xc3\xa9\xe2\x82\xac"), "f.json:1:2: this string has no end"},
		{S_INIT("[\"\\n\xc3\xa9\xe2\x82\xac"), "f.json:1:2: this string has no end"},
		{S_INIT("\"a\\"), "f.json:1:3: the text ends within a string"},
		{S_INIT("\"\\x\""),
		 "f.json:1:2: unknown escape in a string (known: \\\" \\\\ \\/ \\b \\f \\n \\r \\t \\uXXXX)"},
		{S_INIT("\"\\u12g4\""), "f.json:1:2: \\u needs four hexadecimal digits"},
		{S_INIT("\"\\u12"), "f.json:1:2: \\u needs four hexadecimal digits"},
		{S_INIT("\"\\uDC00\""), "f.json:1:2: second half of a surrogate pair without the first"},
		{S_INIT("\"\\uD800\""), "f.json:1:2: first half of a surrogate pair without the second"},
		{S_INIT("\"\\uD800\\u0041\""), "f.json:1:2: first half of a surrogate pair without the second"},
		{S_INIT("\"\\uD800\\n     \""), "f.json:1:2: first half of a surrogate pair without the second"},
		{S_INIT("\"a\nb\""), "f.json:1:3: control character U+000A in a string (is the closing quote missing? "
				     "a line end is written \\n)"},
		{S_INIT("\"a\tb\""), "f.json:1:3: control character U+0009 in a string (write \\u0009)"},
		{S_INIT("\"\0\""), "f.json:1:2: control character U+0000 in a string (write \\u0000)"},
		{S_INIT("\"\xff\""), "f.json:1:2: invalid UTF-8 in a string"},
		{S_INIT("\"\xc0\xaf\""), "f.json:1:2: invalid UTF-8 in a string"},
		{S_INIT("\"\xe0\x80\x80\""), "f.json:1:2: invalid UTF-8 in a string"},
		{S_INIT("\"\xed\xa0\x80\""), "f.json:1:2: invalid UTF-8 in a string"},
		{S_INIT("\"\xf4\x90\x80\x80\""), "f.json:1:2: invalid UTF-8 in a string"},
		{S_INIT("\"\xf5\x80\x80\x80\""), "f.json:1:2: invalid UTF-8 in a string"},
		{S_INIT("\"\xe2\x82"), "f.json:1:2: invalid UTF-8 in a string"},
		{S_INIT("\"a\\n\xe2\x82\""), "f.json:1:5: invalid UTF-8 in a string"},
		{S_INIT("\xa0"), "f.json:1:1: expected a value, found byte 0xa0"},
		{S_INIT("\0"), "f.json:1:1: expected a value, found byte 0x00"},
		{S_INIT("{\"a\":1,\n \"a\":2}"), "f.json:2:2: duplicate key 'a', first at line 1, column 2"},
		{S_INIT("{\"a\":1,\"b\":{},\"\\u0061\":2}"),
		 "f.json:1:15: duplicate key 'a', first at line 1, column 2"},
	};
	struct fix *f = *state;
	size_t i;
	uint32_t flags;
	pl_node *n;

	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		for (flags = 0; flags <= PL_READ_BORROW; flags++) {
			/* A block of exactly this size: a read past the end is seen by the sanitizer. */
			char *exact = malloc(rows[i].text.n + !rows[i].text.n);

			memcpy(exact, rows[i].text.p, rows[i].text.n);
			assert_int_equal(
				pl_json_read(f->d, (pl_str){exact, rows[i].text.n}, "f.json", flags, &n, &f->e),
				PL_EINVAL);
			assert_string_equal(pl_err_text(&f->e), rows[i].want);
			assert_null(n);
			assert_int_equal(pl_json_read(f->d, (pl_str){exact, rows[i].text.n}, NULL, flags, &n, NULL),
					 PL_EINVAL);
			free(exact);
		}
}

static void every_cut_of_a_text_is_refused_without_reading_past_it(void **state)
{
	static const char text[] =
		" {\"key\\u00e9\" : [1.5e+3, \"sixteen and some more \\n bytes \xe2\x82\xac\", true, null, {}]}";
	struct fix *f = *state;
	size_t i;

	for (i = 0; i < sizeof(text) - 1; i++) {
		char *exact = malloc(i + 1);
		pl_node *n;

		memcpy(exact, text, i);
		exact[i] = '"';
		assert_int_equal(pl_json_read(f->d, (pl_str){exact, i}, "f.json", PL_READ_BORROW, &n, &f->e),
				 PL_EINVAL);
		assert_int_equal(pl_err_place(&f->e).line, 1);
		free(exact);
	}
	read_ok(f, str_of(text), PL_READ_BORROW);
}

static void a_byte_order_mark_is_skipped(void **state)
{
	struct fix *f = *state;

	assert_int_equal(pl_at(f->d, read_ok(f, S("\xef\xbb\xbf{}"), 0)).col, 1);
}

static void duplicates_are_found_in_big_maps(void **state)
{
	struct fix *f = *state;
	struct buf b = BUF_INIT(SIZE_MAX / 4);
	pl_node *n;
	unsigned i;

	buf_addc(&b, '{');
	for (i = 0; i < 200000; i++)
		buf_addf(&b, "\"key-%u\":%u,\n", i, i);
	buf_addz(&b, "\"last\":0}");
	n = read_ok(f, buf_str(&b), PL_READ_BORROW);
	assert_int_equal(pl_len(n), 200001);
	buf_cut(&b, b.n - strlen("\"last\":0}"));
	buf_addz(&b, "\"key-777\":0}");
	assert_int_equal(pl_json_read(f->d, buf_str(&b), "f.json", PL_READ_BORROW, &n, &f->e), PL_EINVAL);
	assert_string_equal(pl_err_text(&f->e),
			    "f.json:200001:1: duplicate key 'key-777', first at line 778, column 1");
	buf_free(&b);
}

/* ---- limits ---- */

static void limits_stop_the_reader(void **state)
{
	static const struct {
		pl_limits limits;
		const char *text, *want;
	} rows[] = {
		{{.max_depth = 2}, "[[[]]]", "f.json:1:3: nested deeper than 2 levels"},
		{{.max_depth = 2}, "[\n{\"a\":{}}]", "f.json:2:6: nested deeper than 2 levels"},
		{{.max_nodes = 3}, "[1,2,3]", "f.json:1:6: document has more than 3 values"},
		{{.max_nodes = 3}, "{\"a\":1,\"b\":2}", "f.json:1:8: document has more than 3 values"},
		{{.max_bytes = 4}, "[1,2]", "f.json: text of 5 bytes is larger than 4"},
	};
	struct fix *f = *state;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		pl_doc *d = pl_doc_new(&rows[i].limits);
		pl_node *n;

		assert_int_equal(pl_json_read(d, str_of(rows[i].text), "f.json", 0, &n, &f->e), PL_ETOOBIG);
		assert_string_equal(pl_err_text(&f->e), rows[i].want);
		assert_int_equal(pl_json_read(d, str_of(rows[i].text), NULL, 0, &n, NULL), PL_ETOOBIG);
		pl_doc_unref(d);
	}
}

static pl_str nested(struct buf *b, size_t depth, const char *open, const char *close)
{
	size_t i;

	for (i = 0; i < depth; i++)
		buf_addz(b, open);
	buf_addz(b, "0");
	for (i = 0; i < depth; i++)
		buf_addz(b, close);
	return buf_str(b);
}

static void a_million_brackets_are_refused_at_the_limit(void **state)
{
	struct fix *f = *state;
	struct buf b = BUF_INIT(SIZE_MAX / 4);
	pl_node *n;

	buf_addn(&b, '[', 1000000);
	assert_int_equal(pl_json_read(f->d, buf_str(&b), "f.json", 0, &n, &f->e), PL_ETOOBIG);
	assert_string_equal(pl_err_text(&f->e), "f.json:1:513: nested deeper than 512 levels");
	buf_free(&b);
}

static void nothing_overflows_the_stack_when_the_limit_is_lifted(void **state)
{
	static const char *const forms[][2] = {{"[", "]"}, {"{\"a\":", "}"}};
	struct fix *f = *state;
	size_t i;

	for (i = 0; i < 2; i++) {
		struct buf b = BUF_INIT(SIZE_MAX / 4), again = b;
		pl_doc *d = pl_doc_new(&(pl_limits){.max_depth = 2000000}), *other = pl_doc_new(NULL);
		pl_node *n, *copy;
		char digest[HASH_TEXT], digest2[HASH_TEXT];

		nested(&b, 1000000, forms[i][0], forms[i][1]);
		assert_int_equal(pl_json_read(d, buf_str(&b), NULL, PL_READ_BORROW, &n, &f->e), PL_OK);
		copy = pl_copy(other, d, n);
		assert_true(pl_equal(n, copy));
		assert_int_equal(json_print(copy, 0, &again, NULL), PL_OK);
		assert_true(str_eq(buf_str(&b), buf_str(&again)));
		assert_int_equal(node_digest(n, digest, NULL), PL_OK);
		assert_int_equal(node_digest(copy, digest2, NULL), PL_OK);
		assert_string_equal(digest, digest2);
		pl_doc_freeze(d);
		pl_doc_unref(d);
		pl_doc_unref(other);
		buf_free(&b);
		buf_free(&again);
	}
}

static void ten_megabytes_go_round(void **state)
{
	struct fix *f = *state;
	struct buf b = BUF_INIT(SIZE_MAX / 4), out = b;
	pl_node *n;
	unsigned i;

	buf_addc(&b, '[');
	for (i = 0; b.n < 10u * 1024 * 1024; i++)
		buf_addf(&b, "%s{\"name\":\"n-%u\",\"labels\":{\"a\":\"x\\ty\",\"b\":[%u,%u.5,true,null]}}",
			 i ? "," : "", i, i, i);
	buf_addc(&b, ']');
	n = read_ok(f, buf_str(&b), PL_READ_BORROW);
	assert_int_equal(json_print(n, 0, &out, NULL), PL_OK);
	assert_true(str_eq(buf_str(&b), buf_str(&out)));
	buf_free(&b);
	buf_free(&out);
}

static void a_value_costs_at_most_72_bytes(void **state)
{
	struct fix *f = *state;
	struct buf b = BUF_INIT(SIZE_MAX / 4);
	unsigned i, values = 1;

	buf_addc(&b, '[');
	for (i = 0; i < 20000; i++, values += 6)
		buf_addf(&b, "%s{\"name\":\"n-%u\",\"labels\":{\"a\":\"x\",\"b\":true},\"n\":%u}", i ? "," : "", i, i);
	buf_addc(&b, ']');
	read_ok(f, buf_str(&b), PL_READ_BORROW);
	assert_true(pl_doc_memory(f->d) <= 72ul * values);
	buf_free(&b);
}

static void copied_text_may_go_away_and_borrowed_text_is_not_copied(void **state)
{
	struct fix *f = *state;
	char text[] = "[\"abc\",\"a\\nb\"]";
	pl_node *borrowed = read_ok(f, str_of(text), PL_READ_BORROW), *copied = read_ok(f, str_of(text), 0);

	assert_ptr_equal(pl_text(pl_item(borrowed, 0)).p, text + 2);
	memset(text, 'x', sizeof(text));
	assert_json(copied, 0, "[\"abc\",\"a\\nb\"]");
	assert_true(str_eq(pl_text(pl_item(borrowed, 1)), S("a\nb")));
}

static void a_frozen_document_takes_in_no_text(void **state)
{
	struct fix *f = *state;
	pl_node *n;

	pl_doc_freeze(f->d);
	assert_int_equal(pl_json_read(f->d, S("1"), NULL, 0, &n, &f->e), PL_EDENIED);
}

/* ---- writing ---- */

static void flags_shape_the_text(void **state)
{
	struct fix *f = *state;
	pl_node *n = read_ok(f, S("{\"b\":[1,{}],\"a\":{\"\xc3\xa9\":\"\xf0\x9f\x98\x80\x7f\"},\"B\":[]}"), 0);

	assert_json(n, PL_PRINT_SORTED, "{\"B\":[],\"a\":{\"\xc3\xa9\":\"\xf0\x9f\x98\x80\x7f\"},\"b\":[1,{}]}");
	assert_json(n, PL_PRINT_ASCII, "{\"b\":[1,{}],\"a\":{\"\\u00e9\":\"\\ud83d\\ude00\\u007f\"},\"B\":[]}");
	assert_json(n, PL_PRINT_INDENT,
		    "{\n  \"b\": [\n    1,\n    {}\n  ],\n  \"a\": {\n    \"\xc3\xa9\": \"\xf0\x9f\x98\x80\x7f\"\n  "
		    "},\n  \"B\": []\n}");
}

static void strings_are_escaped_as_little_as_json_allows(void **state)
{
	struct fix *f = *state;

	assert_json(pl_new_string(f->d, S("\"\\/\b\f\n\r\t\0\x1f<&>")), 0,
		    "\"\\\"\\\\/\\b\\f\\n\\r\\t\\u0000\\u001f<&>\"");
}

static void what_has_no_json_is_refused(void **state)
{
	struct fix *f = *state;
	pl_node *list = pl_new_list(f->d);
	char *text;
	size_t len;

	assert_int_equal(pl_json_write(NULL, 0, &text, &len, &f->e), PL_EINVAL);
	pl_append(f->d, list, pl_new_string(f->d, S("ok \xff")));
	assert_int_equal(pl_json_write(list, 0, &text, &len, &f->e), PL_EINVAL);
	assert_string_equal(pl_err_text(&f->e), "a string is not UTF-8, so it has no JSON");
	assert_null(text);
}

static void a_full_buffer_is_told(void **state)
{
	struct fix *f = *state;
	struct buf b = BUF_INIT(8);

	assert_int_equal(json_print(read_ok(f, S("[1,2,3,4,5,6]"), 0), 0, &b, &f->e), PL_ETOOBIG);
	buf_free(&b);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(every_kind_is_read_and_written_as_it_was),
		T(strings_are_decoded),
		T(every_unicode_escape_survives_a_round_trip),
		T(every_node_has_its_place),
		T(columns_count_characters),
		T(mistakes_are_told_with_their_place),
		T(every_cut_of_a_text_is_refused_without_reading_past_it),
		T(a_byte_order_mark_is_skipped),
		T(duplicates_are_found_in_big_maps),
		T(limits_stop_the_reader),
		T(a_million_brackets_are_refused_at_the_limit),
		T(nothing_overflows_the_stack_when_the_limit_is_lifted),
		T(ten_megabytes_go_round),
		T(a_value_costs_at_most_72_bytes),
		T(copied_text_may_go_away_and_borrowed_text_is_not_copied),
		T(a_frozen_document_takes_in_no_text),
		T(flags_shape_the_text),
		T(strings_are_escaped_as_little_as_json_allows),
		T(what_has_no_json_is_refused),
		T(a_full_buffer_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
