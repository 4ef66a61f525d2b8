/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Texts made to hurt: a million of everything. Each must end in a tree or in an error with its place, in time linear in
 * its length (what is quadratic would not come to an end here), and with all memory given back.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/base/buf.h"
#include "core/base/err.h"
#include "core/base/mem.h"
#include "plumb/doc.h"

enum { MANY = 1000000, SOME = 100000 };

struct hostile {
	const char *head, *unit;
	size_t times;
	const char *tail;
	pl_status status;
	const char *error; /* how it begins */
};

static void make(const struct hostile *h, struct buf *b)
{
	buf_addz(b, h->head);
	for (size_t i = 0; i < h->times; i++)
		buf_addz(b, h->unit);
	buf_addz(b, h->tail);
}

static pl_status read_any(pl_doc *d, pl_str text, bool json, pl_node **root, pl_err *e)
{
	pl_node **roots = NULL;
	size_t n = 0;
	if (json)
		return pl_json_read(d, text, "f", 0, root, e);
	pl_status st = pl_yaml_read(d, text, "f", PL_SCHEMA_YAML11, 0, &roots, &n, e);
	*root = n ? roots[0] : NULL;
	return st;
}

/* What was read is written as YAML and JSON, and reads back the same. */
static void go_round(const pl_node *root, bool json)
{
	struct pl_err e = ERR_INIT;
	pl_doc *d = pl_doc_new(NULL);
	pl_node *back = NULL;
	char *text = NULL;
	size_t n = 0;
	pl_status st =
		json ? pl_json_write(root, PL_PRINT_SORTED, &text, &n, &e) : pl_yaml_write(root, 0, &text, &n, &e);
	assert_int_equal(st, PL_OK);
	if (read_any(d, (pl_str){text, n}, json, &back, &e))
		fail_msg("%s", pl_err_text(&e));
	assert_true(pl_equal(root, back));
	pl_free(text);
	pl_doc_unref(d);
	err_clear(&e);
}

static void check(const struct hostile *h, bool json)
{
	struct buf b = BUF_INIT(SIZE_MAX / 4);
	struct pl_err e = ERR_INIT;
	pl_doc *d = pl_doc_new(NULL);
	pl_node *root = NULL;
	make(h, &b);
	pl_status st = read_any(d, buf_str(&b), json, &root, &e);
	if (st != h->status || (st && !str_starts(str_of(pl_err_text(&e)), str_of(h->error))))
		fail_msg("%s%s… gave %d, %.200s", h->head, h->unit, st, pl_err_text(&e));
	if (!st && root) {
		go_round(root, false);
		go_round(root, true);
	}
	buf_free(&b);
	err_clear(&e);
	pl_doc_unref(d);
}

static void json_of_a_million_of_everything(void **state)
{
	(void)state;
	static const struct hostile texts[] = {
		{"", "[", MANY, "", PL_ETOOBIG, "f:1:513: nested deeper than 512 levels"},
		{"", "{\"a\":", MANY, "", PL_ETOOBIG, "f:1:2561: nested deeper than 512 levels"},
		{"[", "[],", MANY, "1]", PL_OK, NULL},
		{"{", "\"same\":1,", MANY, "\"b\":1}", PL_EINVAL,
		 "f:1:11: duplicate key 'same', first at line 1, column 2"},
		{"[\"", "\\\\", MANY, "\"]", PL_OK, NULL},
		{"[\"", "\\ud83d\\ude00", SOME, "\"]", PL_OK, NULL},
		{"[\"", "\xc3\xa9", MANY, "\"]", PL_OK, NULL},
		{"\"", "x", MANY, "", PL_EINVAL, "f:1:1: this string has no end"},
		{"", "\n", MANY, "", PL_EINVAL, "f:1000001:1: the text ends where a value is expected"},
		{"{\"", "k", MANY, "\":1}", PL_OK, NULL},
		{"[-0.", "0", MANY, "]", PL_OK, NULL},
		{"[0.", "9", MANY, "]", PL_OK, NULL},
	};
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		check(&texts[i], true);
}

static void yaml_of_a_million_of_everything(void **state)
{
	(void)state;
	static const struct hostile texts[] = {
		{"", "[", MANY, "", PL_ETOOBIG, "f:1:513: nested more than 512 levels deep"},
		{"", "{a: ", MANY, "", PL_ETOOBIG, "f:1:2049: nested more than 512 levels deep"},
		{"", "- ", MANY, "", PL_ETOOBIG, "f:1:1025: nested more than 512 levels deep"},
		{"", "? ", MANY, "", PL_EINVAL, "f:1:3: a list or map can't be the key of a map"},
		{"", "]", MANY, "", PL_EINVAL, "f:1:1: "},
		{"", ": ", MANY, "", PL_EINVAL, "f:1:1: "},
		{"", "same: 1\n", MANY / 4, "", PL_EINVAL, "f:2:1: duplicate key 'same', first at line 1, column 1"},
		{"", "--- x\n", SOME, "", PL_OK, NULL},
		{"- &a x\n", "- &a x\n", SOME, "", PL_OK, NULL},
		{"- &a [", "x,", 1000, "]\n- [*a,*a,*a]\n", PL_OK, NULL},
		{"a: &e []\nb: [", "*e,", MANY / 4, "]\n", PL_ETOOBIG, "f:2:300005: alias '*e' takes the values"},
		{"a: &e {}\nb: {<<: [", "*e,", MANY / 4, "]}\n", PL_ETOOBIG, "f:2:300010: alias '*e' takes the values"},
		{"{", "<<: {a: 1}, ", SOME, "}", PL_EINVAL, "f:1:14: duplicate key '<<', first at line 1, column 2"},
		{"- *", "a", MANY, "\n", PL_EINVAL, "f:1:3: alias '*aaaaaaaa"},
		{"- &", "a", MANY, " x\n", PL_OK, NULL},
		{"", "a", MANY, ": 1\n", PL_EINVAL, "f:1:1000001: ': ' can't stand here"},
		{"? ", "a", MANY, "\n: 1\n", PL_OK, NULL},
		{"? \"", "\\x01", SOME, "\"\n: 1\n", PL_OK, NULL},
		{"a: \"", "x\n\n", SOME, "\"\n", PL_OK, NULL},
		{"a:\n", "  x\n", SOME, "", PL_OK, NULL},
		{"a: |\n", "  x\n", SOME, "", PL_OK, NULL},
		{"a: >-\n", "  x\n\n", SOME, "", PL_OK, NULL},
		{"a: '", "''", MANY, "'\n", PL_OK, NULL},
		{"", "\n", MANY, "", PL_OK, NULL},
		{"", "# c\n", MANY, "", PL_OK, NULL},
		{"", "- !!str 1\n", SOME, "", PL_OK, NULL},
		{"", "- - - 1\n", SOME, "", PL_OK, NULL},
		{"0x", "f", MANY, "\n", PL_OK, NULL}, /* past 64 bits: a text to Go's readers, so to ours */
		{"", "1_", MANY, "\n", PL_OK, NULL},  /* a text as well: it overflows a double */
		{"0.", "9", MANY, "\n", PL_OK, NULL},
		{"", "%FOO bar\n", MANY, "---\na\n", PL_EINVAL, "f:1:5: unknown directive"},
		{"", "\t", MANY, "", PL_EINVAL, "f:1:1: "},
	};
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		check(&texts[i], false);
}

/* Keys that differ: a look-up must not walk them all for each. */
static void maps_of_very_many_keys_go_round(void **state)
{
	(void)state;
	for (int json = 0; json < 2; json++) {
		struct buf b = BUF_INIT(SIZE_MAX / 4);
		struct pl_err e = ERR_INIT;
		pl_doc *d = pl_doc_new(NULL);
		pl_node *root = NULL;
		buf_addc(&b, '{');
		for (unsigned i = 0; i < (json ? MANY : MANY / 4); i++)
			buf_addf(&b, "%s\"%x\": %u", i ? ", " : "", i, i);
		buf_addc(&b, '}');
		assert_int_equal(read_any(d, buf_str(&b), json, &root, &e), PL_OK);
		assert_int_equal(pl_len(root), json ? MANY : MANY / 4);
		go_round(root, true);
		go_round(root, json); /* the YAML of the smaller one */
		pl_doc_unref(d);
		buf_free(&b);
	}
}

/* Blocks nest by their indentation: quadratic in bytes, so the limit stands well before. */
static void blocks_nest_up_to_the_limit(void **state)
{
	(void)state;
	struct buf b = BUF_INIT(SIZE_MAX / 4);
	for (unsigned deep = 500; deep <= 2000; deep += 1500) {
		struct pl_err e = ERR_INIT;
		pl_doc *d = pl_doc_new(NULL);
		pl_node *root = NULL;
		buf_clear(&b);
		for (unsigned i = 0; i < deep; i++) {
			buf_addn(&b, ' ', i);
			buf_addz(&b, "a:\n");
		}
		pl_status st = read_any(d, buf_str(&b), false, &root, &e);
		assert_int_equal(st, deep == 500 ? PL_OK : PL_ETOOBIG);
		if (st)
			assert_string_equal(pl_err_text(&e), "f:513:513: nested more than 512 levels deep");
		else
			go_round(root, false);
		pl_doc_unref(d);
		err_clear(&e);
	}
	buf_free(&b);
}

/* The core schema takes whole numbers of any length; turning one into decimals is quadratic, so that has an end. */
static void endless_hexadecimal_numbers_are_told_not_turned(void **state)
{
	(void)state;
	struct buf b = BUF_INIT(SIZE_MAX / 4);
	struct pl_err e = ERR_INIT;
	pl_doc *d = pl_doc_new(NULL);
	pl_node **roots = NULL;
	char *text = NULL;
	size_t n = 0;
	buf_addz(&b, "[0x");
	buf_addn(&b, 'f', 1000);
	buf_addz(&b, ", 0x");
	buf_addn(&b, 'f', MANY);
	buf_addz(&b, "]");
	assert_int_equal(pl_yaml_read(d, buf_str(&b), "f", PL_SCHEMA_CORE12, 0, &roots, &n, &e), PL_OK);
	assert_int_equal(pl_kind(pl_item(roots[0], 1)), PL_NUMBER);
	assert_int_equal(pl_json_write(pl_item(roots[0], 0), 0, &text, &n, &e), PL_OK);
	assert_int_equal(n, 1205); /* 4000 bits */
	pl_free(text);
	assert_int_equal(pl_json_write(roots[0], 0, &text, &n, &e), PL_EINVAL);
	assert_int_equal(pl_yaml_write(pl_item(roots[0], 1), 0, &text, &n, &e), PL_EINVAL); /* not .inf */
	assert_non_null(strstr(pl_err_text(&e), "fff…' can't be read as a number"));
	err_clear(&e);
	pl_doc_unref(d);
	buf_free(&b);
}

static void paths_of_a_megabyte_end_soon(void **state)
{
	(void)state;
	static const char *const units[] = {"/",   "/a", "/a/1", "~", "~0", "/0", "a.",
					    "[0]", "[",	 "a[\"", "]", "\\", "\"", "-"};
	struct pl_err e = ERR_INIT;
	struct buf b = BUF_INIT(SIZE_MAX / 4);
	pl_doc *d = pl_doc_new(NULL);
	pl_node *root = NULL, *found = NULL;
	assert_int_equal(pl_json_read(d, S("{\"a\": [1, 2]}"), "f", 0, &root, &e), PL_OK);
	for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
		buf_clear(&b);
		while (b.n < MANY)
			buf_addz(&b, units[i]);
		pl_status st = pl_pointer(root, buf_str(&b), &found, &e);
		assert_true(st == PL_EINVAL || st == PL_ENOTFOUND);
		assert_true(strlen(pl_err_text(&e)) > 10 && strlen(pl_err_text(&e)) < 40000);
		st = pl_dotted(root, buf_str(&b), &found, &e);
		assert_true(st == PL_EINVAL || st == PL_ENOTFOUND);
		assert_true(strlen(pl_err_text(&e)) > 10 && strlen(pl_err_text(&e)) < 40000);
	}
	err_clear(&e);
	pl_doc_unref(d);
	buf_free(&b);
}

/* Files and trees are read while others fail: an error leaves nothing half-made in the document. */
static void a_document_goes_on_after_errors(void **state)
{
	(void)state;
	static const char *const bad[] = {"{\"a\": [1, 2", "{\"a\": 1, \"a\": 2}", "[1, {\"x\": nope}]", "\"\\u12"};
	static const char *const worse[] = {"a: [1, {b: *no}]", "a: 1\na: 2", "- &a [*a]",
					    "? [a]\n: b",	"a: !!int x", "\"\\q\""};
	pl_doc *d = pl_doc_new(NULL);
	pl_node *root = NULL;
	for (int round = 0; round < 50; round++) {
		for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
			assert_int_not_equal(read_any(d, str_of(bad[i]), true, &root, NULL), PL_OK);
			assert_null(root);
		}
		for (size_t i = 0; i < sizeof worse / sizeof *worse; i++) {
			assert_int_not_equal(read_any(d, str_of(worse[i]), false, &root, NULL), PL_OK);
			assert_null(root);
		}
		assert_int_equal(read_any(d, S("{a: &x [1, 2], b: *x}"), false, &root, NULL), PL_OK);
		assert_true(pl_equal(pl_gets(root, "a"), pl_gets(root, "b")));
	}
	pl_doc_freeze(d);
	assert_int_equal(pl_len(pl_gets(root, "b")), 2);
	pl_doc_unref(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(json_of_a_million_of_everything),
		cmocka_unit_test(yaml_of_a_million_of_everything),
		cmocka_unit_test(maps_of_very_many_keys_go_round),
		cmocka_unit_test(blocks_nest_up_to_the_limit),
		cmocka_unit_test(endless_hexadecimal_numbers_are_told_not_turned),
		cmocka_unit_test(paths_of_a_megabyte_end_soon),
		cmocka_unit_test(a_document_goes_on_after_errors),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
