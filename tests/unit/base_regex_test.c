/* SPDX-License-Identifier: Apache-2.0 */
/* Regular expressions: what is read, what is refused and why, what matches where. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/base/err.h"
#include "core/base/mem.h"
#include "plumb/regex.h"

#include <pthread.h>

static pl_regex *regex(const char *pattern)
{
	struct pl_err e = ERR_INIT;
	pl_regex *r;

	if (pl_regex_new(str_of(pattern), &r, &e))
		fail_msg("%s: %s", pattern, pl_err_text(&e));
	err_clear(&e);
	return r;
}

static void a_pattern_without_special_characters_is_its_own_text(void **state)
{
	static const char *const literal[] = {"", "web", "a-b_c/d:e", "#,;<>=!@%&~'\" ", "grün"};
	static const char *const other[] = {"a.b", "a|b", "(a)", "[a]", "a]", "a{2}", "a}",
					    "^a",  "a$",  "a*",	 "a+",	"a?", "a\\.b"};
	pl_str text;

	(void)state;
	for (size_t i = 0; i < sizeof literal / sizeof *literal; i++) {
		pl_regex *r = regex(literal[i]);

		assert_int_equal(pl_regex_literal(r, &text), 1);
		assert_true(str_eqz(text, literal[i]));
		pl_regex_free(r);
	}
	for (size_t i = 0; i < sizeof other / sizeof *other; i++) {
		pl_regex *r = regex(other[i]);

		assert_int_equal(pl_regex_literal(r, &text), 0);
		pl_regex_free(r);
	}
}

/* full: the whole text; found: what stands first, NULL for nothing */
static const struct row {
	const char *pattern, *text;
	int full;
	const char *found;
} rows[] = {
	/* literals */
	{"web", "web", 1, "web"},
	{"web", "my-web-1", 0, "web"},
	{"web", "we", 0, NULL},
	{"", "", 1, ""},
	{"", "abc", 0, ""},
	/* classes and escapes of Go */
	{"\\d+", "a12b", 0, "12"},
	{"\\D+", "12ab", 0, "ab"},
	{"\\w+", "-a_1-", 0, "a_1"},
	{"\\W", "a-b", 0, "-"},
	{"\\s", "a\tb", 0, "\t"},
	{"\\s", "a\vb", 0, NULL},
	{"\\S+", " a ", 0, "a"},
	{"[[:alpha:]]+", "1ab2", 0, "ab"},
	{"[^[:digit:]]+", "1ab2", 0, "ab"},
	{"[]a]+", "a]a", 1, "a]a"},
	{"[^]]+", "a]", 0, "a"},
	{"[a\\]b]+", "a]b", 1, "a]b"},
	{"\\pL+", "1äé2", 0, "äé"},
	{"\\p{Greek}", "aλ", 0, "λ"},
	{"\\PL", "aλ1", 0, "1"},
	{"\\x41\\x{42}\\103", "ABC", 1, "ABC"},
	{"\\Qa.b\\E.", "a.bc", 1, "a.bc"},
	{"\\Q[a", "[a", 1, "[a"},
	{"\\Q(?<a\\E", "(?<a", 1, "(?<a"},
	{"\\bweb\\b", "a web b", 0, "web"},
	{"\\Bb", "ab", 0, "b"},
	{"\\.\\-\\/\\_", ".-/_", 1, ".-/_"},
	/* . is a character, but no line feed */
	{"^.$", "ä", 1, "ä"},
	{"a.b", "a\nb", 0, NULL},
	{"(?s)a.b", "a\nb", 1, "a\nb"},
	/* flags */
	{"(?i)WEB", "my-web", 0, "web"},
	{"a(?i:B)c", "abc", 1, "abc"},
	{"a(?i:B)c", "abC", 0, NULL},
	{"^b$", "a\nb", 0, NULL},
	{"(?m)^b$", "a\nb\nc", 0, "b"},
	{"a$", "a\n", 0, NULL},
	{"(?U)a+", "aaa", 1, "a"},
	{"\\Aa\\z", "a", 1, "a"},
	/* leftmost, first alternative; a whole match looks at all of them */
	{"a|ab", "ab", 1, "a"},
	{"(a|ab)(c|bcd)?", "abcd", 1, "abcd"},
	{"a+?", "aaa", 1, "a"},
	{"a{2,3}", "aaaa", 0, "aaa"},
	{"a{,2}", "a{,2}", 1, "a{,2}"},
	{"x*", "aaa", 0, ""},
	{"^web-.*$", "web-1", 1, "web-1"},
	{"web|db", "db", 1, "db"},
	{".*", "", 1, ""},
	/* named groups, in both spellings */
	{"(?P<n>a)b", "ab", 1, "ab"},
	{"(?<n>a)b", "ab", 1, "ab"},
	{"[(?<]+", "(?<", 1, "(?<"},
	{"\\(?<n>", "<n>", 1, "<n>"},
	{"(?:a)(?<x_1>b)", "ab", 1, "ab"},
	{"(?<n>a)(?P<n>b)", "ab", 1, "ab"},
};

static void patterns_match_as_in_go(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		pl_regex *r = regex(rows[i].pattern);
		pl_str at = {NULL, 0}, text = str_of(rows[i].text);
		int full = pl_regex_full(r, text), found = pl_regex_find(r, text, &at, 1);

		if (full != rows[i].full)
			fail_msg("'%s' and '%s': whole %d", rows[i].pattern, rows[i].text, full);
		if (found != (rows[i].found != NULL) || (found && !str_eqz(at, rows[i].found)))
			fail_msg("'%s' in '%s': found %d, '%.*s'", rows[i].pattern, rows[i].text, found, F(at));
		assert_int_equal(pl_regex_find(r, text, NULL, 0), found);
		if (found)
			assert_true(at.p >= text.p && at.p + at.n <= text.p + text.n);
		pl_regex_free(r);
	}
}

static const struct bad {
	const char *pattern, *says;
	pl_status code;
} bads[] = {
	{"a(b", "regular expression 'a(b': missing )", PL_EINVAL},
	{"a)b", "regular expression 'a)b': unexpected )", PL_EINVAL},
	{"[a", "regular expression '[a': missing ]: [a", PL_EINVAL},
	{"[b-a]", "invalid character class range: b-a", PL_EINVAL},
	{"*a", "no argument for repetition operator: *", PL_EINVAL},
	{"a**", "bad repetition operator: **", PL_EINVAL},
	{"a{1001}", "invalid repetition size: {1001}", PL_EINVAL},
	{"(a{1000}){1000}", "invalid repetition size: {1000}", PL_EINVAL},
	{"a\\", "trailing \\", PL_EINVAL},
	{"\\1", "invalid escape sequence: \\1", PL_EINVAL},
	{"\\Z", "invalid escape sequence: \\Z", PL_EINVAL},
	{"\\pX", "invalid character class range: \\pX", PL_EINVAL},
	{"(?=a)", "invalid perl operator: (?=", PL_EINVAL},
	{"(?<=a)", "invalid perl operator: (?<", PL_EINVAL},
	{"(?<!a)", "invalid perl operator: (?<", PL_EINVAL},
	{"(?#a)", "invalid perl operator: (?#", PL_EINVAL},
	/* what RE2 reads and Go does not */
	{"\\C", "invalid escape sequence: \\C", PL_EINVAL},
	{"a[\\C]", "invalid escape sequence: \\C", PL_EINVAL},
	{"(?P<é>a)", "invalid named capture: (?P<é>", PL_EINVAL},
	{"(?P<>a)", "invalid named capture: (?P<>", PL_EINVAL},
	{"(?<n", "invalid named capture: (?<n", PL_EINVAL},
	{"(?<a-b>x)", "invalid named capture: (?<a-b>", PL_EINVAL},
	{"a\xff", "a regular expression is not UTF-8", PL_EINVAL},
	{"\xff", "a regular expression is not UTF-8", PL_EINVAL},
	{"\\E", "invalid escape sequence: \\E", PL_EINVAL},
	{"((a{100}){100}b{1000}){2}", "invalid repetition size: {100}", PL_EINVAL},
	{"(\\pL{900}\\pM{900})(\\pL{900}\\pM{900})", "pattern too large", PL_ETOOBIG},
};

static void a_bad_pattern_is_refused_with_its_reason(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof bads / sizeof *bads; i++) {
		struct pl_err e = ERR_INIT;
		pl_regex *r;
		pl_status st = pl_regex_new(str_of(bads[i].pattern), &r, &e);

		if (st != bads[i].code || pl_err_code(&e) != st || r || !strstr(pl_err_text(&e), bads[i].says))
			fail_msg("'%s': %d, %s", bads[i].pattern, st, pl_err_text(&e));
		assert_int_equal(pl_regex_new(str_of(bads[i].pattern), &r, NULL), st);
		err_clear(&e);
	}
}

static void a_pattern_has_a_longest_size(void **state)
{
	size_t n = (size_t)1 << 20;
	char *text = mem_alloc(n);
	struct pl_err e = ERR_INIT;
	pl_regex *r;

	(void)state;
	memset(text, 'a', n);
	assert_int_equal(pl_regex_new((pl_str){text, n}, &r, &e), PL_OK); /* a literal may have any */
	assert_true(pl_regex_full(r, (pl_str){text, n}));
	pl_regex_free(r);
	text[0] = '^';
	assert_int_equal(pl_regex_new((pl_str){text, n}, &r, &e), PL_ETOOBIG);
	assert_non_null(strstr(pl_err_text(&e), "'^aaa"));
	assert_true(strlen(pl_err_text(&e)) < 300);
	for (size_t i = 0; i < 3000; i += 3)
		memcpy(text + i, "\\pL", 3);
	memcpy(text + 3000, "\\PL", 3);
	assert_int_equal(pl_regex_new((pl_str){text, 3003}, &r, &e), PL_ETOOBIG);
	assert_non_null(strstr(pl_err_text(&e), "Unicode classes"));
	memset(text, '(', 40000);
	assert_int_equal(pl_regex_new((pl_str){text, 40000}, &r, &e), PL_EINVAL);
	err_clear(&e);
	free(text);
}

static void groups_are_told(void **state)
{
	pl_regex *r = regex("(\\w+)=(?:(\\d+)|(x*))");
	pl_str g[5];

	(void)state;
	assert_int_equal(pl_regex_find(r, S("- key=12 -"), g, 5), 1);
	assert_true(str_eqz(g[0], "key=12") && str_eqz(g[1], "key") && str_eqz(g[2], "12"));
	assert_null(g[3].p);
	assert_null(g[4].p);
	assert_int_equal(pl_regex_find(r, S("a="), g, 5), 1);
	assert_null(g[2].p);
	assert_true(g[3].p && g[3].n == 0);
	assert_int_equal(pl_regex_find(r, S("-"), g, 5), 0);
	assert_null(g[0].p);
	pl_regex_free(r);
	r = regex("()");
	assert_int_equal(pl_regex_find(r, (pl_str){NULL, 0}, g, 2), 1);
	assert_true(g[0].p && g[1].p && g[0].n + g[1].n == 0);
	pl_regex_free(r);
}

static void there_may_be_many_groups(void **state)
{
	pl_str g[41];
	struct buf b = BUF_INIT(1000);
	pl_regex *r;

	(void)state;
	for (int i = 0; i < 40; i++)
		buf_addz(&b, "(a)");
	r = regex(b.p);
	assert_int_equal(pl_regex_find(r, S("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"), g, 41), 1);
	assert_int_equal(g[0].n, 40);
	assert_ptr_equal(g[40].p, g[0].p + 39);
	pl_regex_free(r);
	buf_free(&b);
}

static void matching_takes_linear_time(void **state)
{
	size_t n = (size_t)1 << 20;
	char *text = mem_alloc(n);
	pl_regex *r = regex("(x+x+)+y"), *deep = regex("((a*)*)*b");

	(void)state;
	memset(text, 'x', n);
	assert_int_equal(pl_regex_find(r, (pl_str){text, n}, NULL, 0), 0);
	memset(text, 'a', n);
	assert_int_equal(pl_regex_full(deep, (pl_str){text, n}), 0);
	pl_regex_free(r);
	pl_regex_free(deep);
	free(text);
}

static void texts_may_hold_anything(void **state)
{
	pl_regex *r = regex("a.b");

	(void)state;
	assert_int_equal(pl_regex_find(r, (pl_str){"\0a\0b", 4}, NULL, 0), 1);
	assert_int_equal(pl_regex_find(r, S("a\xff\xfe"), NULL, 0), 0);
	pl_regex_free(r);
}

/* ---- threads ---- */

static void *compile_and_match(void *shared)
{
	pl_regex *own = regex("^b+$");
	bool good = true;

	for (int i = 0; i < 200; i++)
		good = good && pl_regex_full(own, S("bbb")) && pl_regex_find(shared, S("xx12"), NULL, 0);
	pl_regex_free(own);
	return good ? shared : NULL;
}

static void *only_compile(void *unused)
{
	(void)unused;
	return regex("[0-9]+");
}

/* The first use of the module is here, by several threads at once, when this test runs first. */
static void any_number_of_threads_may_match(void **state)
{
	enum { THREADS = 4 };
	pthread_t t[THREADS];
	void *made[THREADS], *good;

	(void)state;
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&t[i], NULL, only_compile, NULL), 0);
	for (int i = 0; i < THREADS; i++)
		pthread_join(t[i], &made[i]);
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&t[i], NULL, compile_and_match, made[0]), 0);
	for (int i = 0; i < THREADS; i++) {
		pthread_join(t[i], &good);
		assert_non_null(good);
	}
	for (int i = 0; i < THREADS; i++)
		pl_regex_free(made[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_number_of_threads_may_match),
		cmocka_unit_test(a_pattern_without_special_characters_is_its_own_text),
		cmocka_unit_test(patterns_match_as_in_go),
		cmocka_unit_test(a_bad_pattern_is_refused_with_its_reason),
		cmocka_unit_test(a_pattern_has_a_longest_size),
		cmocka_unit_test(groups_are_told),
		cmocka_unit_test(there_may_be_many_groups),
		cmocka_unit_test(matching_takes_linear_time),
		cmocka_unit_test(texts_may_hold_anything),
	};

	pl_regex_free(NULL);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
