/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/base/buf.h"
#include "core/doc/private.h"
#include "plumb/doc.h"

/* ---- structure ---- */

struct told {
	struct buf b;
	int stop_after;
};

static int tell(void *ctx, pl_str path, const pl_node *a, const pl_node *b)
{
	struct told *t = ctx;

	buf_addf(&t->b, "%c%.*s\n", a && b ? '~' : a ? '-' : '+', F(path));
	return t->stop_after > 0 && --t->stop_after == 0 ? 42 : 0;
}

static void structural_differences_come_in_order(void **state)
{
	static const char *const rows[][3] = {
		{"1", "1.0", ""},
		{"1", "2", "~\n"},
		{"[]", "{}", "~\n"},
		{"{\"a\":1,\"b\":2}", "{\"b\":2,\"a\":1}", ""},
		{"{\"a\":1,\"b\":2,\"c\":3}", "{\"x\":0,\"c\":4,\"a\":1}", "-/b\n~/c\n+/x\n"},
		{"{\"a\":[1,2,3]}", "{\"a\":[1,5]}", "~/a/1\n-/a/2\n"},
		{"{\"a\":[]}", "{\"a\":[{\"b\":1}]}", "+/a/0\n"},
		{"{\"a\":{\"x/y\":{\"~\":1}}}", "{\"a\":{\"x/y\":{\"~\":2,\"\":0}}}", "~/a/x~1y/~0\n+/a/x~1y/\n"},
		{"{\"a\":{\"b\":{\"c\":1}},\"d\":1}", "{\"a\":{\"b\":{\"c\":2},\"n\":1},\"d\":2}",
		 "~/a/b/c\n+/a/n\n~/d\n"},
		{"{\"a\":null}", "{}", "-/a\n"},
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct told t = {.b = BUF_INIT(1 << 20)};
		pl_doc *d = pl_doc_new(NULL);
		pl_node *a, *b;

		buf_addz(&t.b, "");
		assert_int_equal(pl_json_read(d, str_of(rows[i][0]), NULL, 0, &a, NULL), PL_OK);
		assert_int_equal(pl_json_read(d, str_of(rows[i][1]), NULL, 0, &b, NULL), PL_OK);
		assert_int_equal(pl_diff(a, b, tell, &t), 0);
		assert_string_equal(t.b.p, rows[i][2]);
		assert_int_equal(pl_equal(a, b), t.b.n == 0);
		pl_doc_unref(d);
		buf_free(&t.b);
	}
}

static void a_diff_can_be_stopped(void **state)
{
	struct told t = {.b = BUF_INIT(1 << 20), .stop_after = 2};
	pl_doc *d = pl_doc_new(NULL);
	pl_node *a, *b;

	(void)state;
	assert_int_equal(pl_json_read(d, S("{\"a\":{\"x\":1,\"y\":2,\"z\":3}}"), NULL, 0, &a, NULL), PL_OK);
	assert_int_equal(pl_json_read(d, S("{\"a\":{\"x\":2,\"y\":3,\"z\":4}}"), NULL, 0, &b, NULL), PL_OK);
	assert_int_equal(pl_diff(a, b, tell, &t), 42);
	assert_string_equal(t.b.p, "~/a/x\n~/a/y\n");
	assert_int_equal(pl_diff(a, NULL, tell, &t), 0);
	assert_int_equal(pl_diff(NULL, NULL, tell, &t), 0);
	assert_string_equal(t.b.p, "~/a/x\n~/a/y\n-\n");
	pl_doc_unref(d);
	buf_free(&t.b);
}

/* ---- texts ---- */

static void unified_diffs_read_as_diff_writes_them(void **state)
{
	static const struct {
		const char *a, *b;
		uint32_t context;
		const char *want;
	} rows[] = {
		{"a\nb\n", "a\nb\n", 3, ""},
		{"", "", 3, ""},
		{"", "a\n", 3, "--- A\n+++ B\n@@ -0,0 +1 @@\n+a\n"},
		{"a\nb\n", "", 3, "--- A\n+++ B\n@@ -1,2 +0,0 @@\n-a\n-b\n"},
		{"a\nb\nc\n", "a\nx\nc\n", 3, "--- A\n+++ B\n@@ -1,3 +1,3 @@\n a\n-b\n+x\n c\n"},
		{"a\nb\nc\n", "a\nx\nc\n", 0, "--- A\n+++ B\n@@ -2 +2 @@\n-b\n+x\n"},
		{"a\nc\n", "a\nb\nc\n", 0, "--- A\n+++ B\n@@ -1,0 +2 @@\n+b\n"},
		{"a", "a\n", 3, "--- A\n+++ B\n@@ -1 +1 @@\n-a\n\\ No newline at end of file\n+a\n"},
		{"a\nb", "x\nb", 3, "--- A\n+++ B\n@@ -1,2 +1,2 @@\n-a\n+x\n b\n\\ No newline at end of file\n"},
		{"a\nb", "a\nc", 3,
		 "--- A\n+++ B\n@@ -1,2 +1,2 @@\n a\n-b\n\\ No newline at end of file\n+c\n\\ No newline at end of "
		 "file\n"},
		{"1\n2\n3\n4\n5\n6\n7\n8\n9\n", "x\n2\n3\n4\n5\n6\n7\n8\ny\n", 3,
		 "--- A\n+++ B\n@@ -1,4 +1,4 @@\n-1\n+x\n 2\n 3\n 4\n@@ -6,4 +6,4 @@\n 6\n 7\n 8\n-9\n+y\n"},
		{"1\n2\n3\n4\n5\n6\n7\n8\n", "x\n2\n3\n4\n5\n6\n7\ny\n", 3,
		 "--- A\n+++ B\n@@ -1,8 +1,8 @@\n-1\n+x\n 2\n 3\n 4\n 5\n 6\n 7\n-8\n+y\n"},
		/* a repeated block is added behind, not in the middle */
		{"f {\n  a\n}\n", "f {\n  a\n}\nf {\n  a\n}\n", 3,
		 "--- A\n+++ B\n@@ -1,3 +1,6 @@\n f {\n   a\n }\n+f {\n+  a\n+}\n"},
	};
	size_t i, len;
	char *text;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		assert_int_equal(pl_text_diff(str_of(rows[i].a), str_of(rows[i].b), "A", "B", rows[i].context, &text,
					      &len, NULL),
				 PL_OK);
		assert_string_equal(text, rows[i].want);
		assert_int_equal(len, strlen(text));
		pl_free(text);
	}
}

/* Applies a unified diff as patch does; out gets the new text. */
static void apply(pl_str diff, pl_str old, struct buf *out)
{
	size_t line = 0, at = 0;
	pl_str rest = diff, l;

	while (rest.n) {
		const char *end = memchr(rest.p, '\n', rest.n);
		size_t n = (size_t)(end - rest.p) + 1;

		l = (pl_str){rest.p, n};
		rest = (pl_str){rest.p + n, rest.n - n};
		if (str_starts(l, S("--- A")) || str_starts(l, S("+++ B")))
			continue;
		if (*l.p == '@') {
			size_t from = (size_t)strtoul(l.p + 4, NULL, 10);
			const char *comma = strpbrk(l.p + 4, ", ");
			bool none = *comma == ',' && comma[1] == '0';

			for (; line + 1 < from + none; line++) {
				size_t k =
					(size_t)((const char *)memchr(old.p + at, '\n', old.n - at) - (old.p + at)) + 1;

				buf_add(out, (pl_str){old.p + at, k});
				at += k;
			}
			continue;
		}
		assert_true(*l.p == ' ' || *l.p == '-' || *l.p == '+');
		if (*l.p != '+') {
			assert_memory_equal(old.p + at, l.p + 1, l.n - 1);
			at += l.n - 1;
			line++;
		}
		if (*l.p != '-')
			buf_add(out, (pl_str){l.p + 1, l.n - 1});
	}
	buf_add(out, (pl_str){old.p + at, old.n - at});
}

static uint32_t next_random(uint32_t *seed)
{
	*seed = *seed * 1664525 + 1013904223;
	return *seed >> 16;
}

static void any_diff_turns_one_text_into_the_other(void **state)
{
	uint32_t seed = 7;
	int round;

	(void)state;
	for (round = 0; round < 3000; round++) {
		struct buf a = BUF_INIT(1 << 20), b = a, diff = a, got = a;
		unsigned letters = 1 + next_random(&seed) % 5, n = next_random(&seed) % 30, m = next_random(&seed) % 30;

		while (n--)
			buf_addf(&a, "%c\n", 'a' + (int)(next_random(&seed) % letters));
		while (m--)
			buf_addf(&b, "%c\n", 'a' + (int)(next_random(&seed) % letters));
		assert_int_equal(text_diff(buf_str(&a), buf_str(&b), "A", "B", next_random(&seed) % 4, &diff), PL_OK);
		apply(buf_str(&diff), buf_str(&a), &got);
		assert_true(str_eq(buf_str(&got), buf_str(&b)));
		buf_free(&a);
		buf_free(&b);
		buf_free(&diff);
		buf_free(&got);
	}
}

static void texts_too_unlike_are_one_hunk(void **state)
{
	struct buf a = BUF_INIT(1 << 24), b = a, diff = a, got = a;
	uint32_t seed = 1;
	int i;

	(void)state;
	/* Lines that both have, in no common order: nothing can be left out before the search. */
	for (i = 0; i < 60000; i++) {
		buf_addf(&a, "%u\n", next_random(&seed) % 5000);
		buf_addf(&b, "%u\n", next_random(&seed) % 5000);
	}
	assert_int_equal(text_diff(buf_str(&a), buf_str(&b), "A", "B", 3, &diff), PL_OK);
	apply(buf_str(&diff), buf_str(&a), &got);
	assert_true(str_eq(buf_str(&got), buf_str(&b)));
	buf_free(&a);
	buf_free(&b);
	buf_free(&diff);
	buf_free(&got);
}

static void big_unlike_texts_are_compared_soon(void **state)
{
	struct buf a = BUF_INIT(1 << 26), b = a, diff = a;
	int i;

	(void)state;
	for (i = 0; i < 400000; i++) {
		buf_addf(&a, "a%d\n", i);
		buf_addf(&b, "b%d\n", i);
	}
	assert_int_equal(text_diff(buf_str(&a), buf_str(&b), "A", "B", 3, &diff), PL_OK);
	assert_true(str_starts(buf_str(&diff), S("--- A\n+++ B\n@@ -1,400000 +1,400000 @@\n-a0\n")));
	buf_free(&a);
	buf_free(&b);
	buf_free(&diff);
}

static void a_full_buffer_is_told(void **state)
{
	struct buf b = BUF_INIT(20);

	(void)state;
	assert_int_equal(text_diff(S("a\n"), S("b\n"), "A", "B", 3, &b), PL_ETOOBIG);
	buf_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(structural_differences_come_in_order),
		cmocka_unit_test(a_diff_can_be_stopped),
		cmocka_unit_test(unified_diffs_read_as_diff_writes_them),
		cmocka_unit_test(any_diff_turns_one_text_into_the_other),
		cmocka_unit_test(texts_too_unlike_are_one_hunk),
		cmocka_unit_test(big_unlike_texts_are_compared_soon),
		cmocka_unit_test(a_full_buffer_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
