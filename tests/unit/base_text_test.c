/* SPDX-License-Identifier: Apache-2.0 */
/* Slices, buffers, readers, durations. */
#include "core/base/arena.h"
#include "core/base/buf.h"
#include "core/base/clock.h"
#include "core/base/err.h"
#include "core/base/hash.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void cut_and_trim(void **state)
{
	pl_str head, tail;
	(void)state;
	assert_true(str_cut(S("a=b=c"), '=', &head, &tail));
	assert_true(str_eqz(head, "a") && str_eqz(tail, "b=c"));
	assert_false(str_cut(S("abc"), '=', &head, &tail));
	assert_true(str_eqz(head, "abc") && tail.n == 0);
	assert_true(str_eqz(str_trim(S(" \t x y\r\n")), "x y"));
	assert_int_equal(str_trim(S(" \n ")).n, 0);
	assert_true(str_cmp(S("a"), S("ab")) < 0 && str_cmp(S("b"), S("ab")) > 0 && str_cmp(S("ab"), S("ab")) == 0);
}

static void utf8_accepts_and_refuses(void **state)
{
	static const struct {
		const char *text;
		bool good;
	} cases[] = {
		{"plain", true},
		{"gr\xC3\xBC\xC3\x9F", true},
		{"\xE2\x82\xAC", true},
		{"\xF0\x9F\x98\x80", true},
		{"\x80", false},
		{"\xC3", false},
		{"\xC0\x80", false},
		{"\xE0\x80\x80", false},
		{"\xED\xA0\x80", false},
		{"\xF4\x90\x80\x80", false},
		{"\xF8\x88\x80\x80\x80", false},
		{"12345678\xFF", false},
		{"1234567\xE2\x82\xAC", true},
		{"\xE2\x82", false},
	};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		if (str_utf8(str_of(cases[i].text)) != cases[i].good)
			fail_msg("case %zu", i);
	assert_true(str_utf8((pl_str){NULL, 0}));
}

static void nearest_finds_slips_and_nothing_far(void **state)
{
	static const char *const names[] = {"replicas", "revision", "prune", "path", "selfHeal"};
	(void)state;
	assert_string_equal(str_nearest(S("replcias"), names, 5), "replicas");
	assert_string_equal(str_nearest(S("selfheal"), names, 5), "selfHeal");
	assert_string_equal(str_nearest(S("prun"), names, 5), "prune");
	assert_null(str_nearest(S("kubeconfig"), names, 5));
	assert_null(str_nearest(S(""), names, 5));
}

static void a_full_buffer_keeps_what_it_has(void **state)
{
	struct buf b = BUF_INIT(5);
	(void)state;
	buf_addz(&b, "abc");
	assert_false(buf_full(&b));
	buf_addz(&b, "def");
	assert_true(buf_full(&b));
	assert_string_equal(b.p, "abc");
	buf_addc(&b, 'x'); /* stays full, although one would fit */
	assert_int_equal(b.n, 3);
	buf_clear(&b);
	buf_addf(&b, "%d-%s", 12, "z");
	assert_string_equal(b.p, "12-z");
	buf_cut(&b, 2);
	assert_string_equal(b.p, "12");
	buf_free(&b);
	b = BUF_INIT(1000);
	buf_addf(&b, "%0300d", 7); /* longer than the formatter's small space */
	assert_int_equal(b.n, 300);
	buf_free(&b);
	char *p = buf_detach(&b, NULL);
	assert_string_equal(p, "");
	free(p);
}

static void a_reader_stops_at_damage(void **state)
{
	struct buf b = BUF_INIT(100);
	(void)state;
	buf_add_u32(&b, 0xdeadbeef);
	buf_add_u64(&b, UINT64_MAX - 1);
	buf_add_str(&b, S("a\0b"));
	for (size_t n = 0; n <= b.n; n++) {
		struct reader r = {b.p, n, false};
		uint32_t u = read_u32(&r);
		uint64_t v = read_u64(&r);
		pl_str s = read_str(&r);
		assert_int_equal(r.bad, n < b.n);
		if (n < b.n)
			continue;
		assert_int_equal(u, 0xdeadbeef);
		assert_true(v == UINT64_MAX - 1 && s.n == 3 && memcmp(s.p, "a\0b", 3) == 0);
	}
	struct reader huge = {"\xff\xff\xff\xff", 4, false};
	assert_int_equal(read_str(&huge).n, 0);
	assert_true(huge.bad);
	buf_free(&b);
}

static void durations_read_as_people_write_them(void **state)
{
	static const struct {
		const char *text;
		int64_t ms;
	} cases[] = {{"3m", 180000}, {"1h30m", 5400000}, {"500ms", 500}, {"1.5s", 1500},
		     {"30", 30000},  {"0", 0},		 {"", -1},	 {"m", -1},
		     {"3x", -1},     {"-3s", -1},	 {"3 m", -1},	 {"99999999999999999h", -1},
		     {".", -1}};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		int64_t ms = -1;
		struct pl_err e = ERR_INIT;
		pl_status st = clock_duration(str_of(cases[i].text), &ms, &e);
		if ((st == PL_OK) != (cases[i].ms >= 0) || (st == PL_OK && ms != cases[i].ms))
			fail_msg("'%s' gives %lld", cases[i].text, (long long)ms);
		if (st)
			assert_non_null(strstr(pl_err_text(&e), "is not a duration"));
		err_clear(&e);
	}
}

static void times_and_ages_print(void **state)
{
	char t[CLOCK_TEXT];
	(void)state;
	assert_string_equal(clock_text(0, t), "1970-01-01T00:00:00Z");
	assert_string_equal(clock_text(1795300000000, t), "2026-11-21T22:26:40Z");
	assert_string_equal(clock_age(4000, t), "4s");
	assert_string_equal(clock_age(192000, t), "3m12s");
	assert_string_equal(clock_age(7500000, t), "2h5m");
	assert_string_equal(clock_age(-5, t), "0s");
	assert_string_equal(clock_age(273600000, t), "3d4h");
}

static void errors_chain_and_cross_borders(void **state)
{
	struct pl_err e = ERR_INIT, back = ERR_INIT;
	struct buf b = BUF_INIT(10000);
	(void)state;
	pl_err_set(&e, PL_EINVAL, (pl_place){"a.yaml", 14, 5}, "no resource matches '%s'", "web2");
	pl_err_hint(&e, "did you mean '%s'?", "web");
	assert_int_equal(pl_err_in(&e, "patches[%d]", 0), PL_EINVAL);
	assert_string_equal(pl_err_text(&e),
			    "a.yaml:14:5: patches[0]: no resource matches 'web2' (did you mean 'web'?)");
	err_pack(&e, &b);
	struct reader r = {b.p, b.n, false};
	err_unpack(&back, &r);
	assert_string_equal(pl_err_text(&back), pl_err_text(&e));
	assert_int_equal(pl_err_code(&back), PL_EINVAL);
	/* its own text may be an argument of the next one */
	err_set(&e, PL_EIO, "again: %s", pl_err_text(&e));
	assert_string_equal(pl_err_text(&e),
			    "again: a.yaml:14:5: patches[0]: no resource matches 'web2' (did you mean 'web'?)");
	err_errno(&e, ENOENT, "open '%s'", "x");
	assert_string_equal(pl_err_text(&e), "open 'x': No such file or directory");
	assert_int_equal(pl_err_code(&e), PL_ENOTFOUND);
	buf_free(&b);
	err_clear(&e);
	err_clear(&back);
	assert_int_equal(pl_err_set(NULL, PL_EIO, NOWHERE, "nobody listens"), PL_EIO);
}

static void long_texts_of_errors_are_cut_not_dropped(void **state)
{
	(void)state;
	struct pl_err e = ERR_INIT, back = ERR_INIT;
	struct buf b = BUF_INIT(SIZE_MAX / 4), packed = BUF_INIT(SIZE_MAX / 4);
	for (int i = 0; i < 1000000; i++)
		buf_addz(&b, "é");
	pl_err_set(&e, PL_EINVAL, (pl_place){"a.yaml", 1, 2}, "no anchor '%s'", b.p);
	pl_err_hint(&e, "not '%s'", b.p);
	for (int i = 0; i < 3; i++) {
		const char *text = pl_err_text(&e);
		assert_ptr_equal(text, pl_err_text(&e)); /* unchanged, so still valid */
		assert_true(strlen(text) > 20000 && strlen(text) < 50000);
		assert_true(str_utf8(str_of(text)));
		assert_non_null(strstr(text, "é…"));
		pl_err_in(&e, "application '%d'", i);
	}
	assert_memory_equal(pl_err_text(&e), "a.yaml:1:2: application '2': application '1': ", 46);
	err_errno(&e, ENOSPC, "write '%s'", b.p);
	assert_non_null(strstr(pl_err_text(&e), "…: No space left on device"));
	err_pack(&e, &packed);
	struct reader r = {packed.p, packed.n, false};
	err_unpack(&back, &r);
	assert_false(r.bad);
	assert_memory_equal(pl_err_text(&back), "write 'éé", 11);
	err_clear(&e);
	err_clear(&back);
	buf_free(&b);
	buf_free(&packed);
}

static void a_list_of_errors_is_bounded(void **state)
{
	struct err_list l = {.max = 3};
	(void)state;
	for (int i = 0; i < 10; i++)
		err_set(err_list_add(&l), PL_EINVAL, "mistake %d", i);
	assert_int_equal(l.n, 3);
	assert_int_equal(l.more, 7);
	assert_string_equal(pl_err_text(&l.v[0]), "mistake 0");
	err_list_free(&l);
}

static void count_up(void *arg)
{
	int *n = arg;
	++*n;
}

static void an_arena_aligns_grows_and_cleans_up(void **state)
{
	int cleaned = 0;
	struct arena *a = arena_new();
	(void)state;
	for (size_t n = 0; n < 3000; n++) {
		char *p = arena_alloc(a, n);
		assert_int_equal((uintptr_t)p % (n >= 16 ? 16 : 8), 0);
		memset(p, 0xA5, n);
	}
	char *big = arena_zalloc(a, 10 << 20);
	assert_int_equal(big[(10 << 20) - 1], 0);
	assert_true(arena_memory(a) >= 10 << 20);
	pl_str s = arena_printf(a, "%s-%d", "x", 5);
	assert_string_equal(s.p, "x-5");
	assert_null(arena_dupz(a, NULL));
	arena_defer(a, count_up, &cleaned);
	arena_defer(a, count_up, &cleaned);
	arena_free(a);
	assert_int_equal(cleaned, 2);
	arena_free(NULL);
}

static void digests_keep_fields_apart(void **state)
{
	uint8_t one[HASH_SIZE], two[HASH_SIZE];
	char hex[HASH_TEXT];
	(void)state;
	hash_of(S("abc"), one);
	hash_hex(one, hex);
	assert_string_equal(
		hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"); /* FIPS 180-4, example */
	struct hash *h = hash_new();
	hash_add_field(h, S("ab"));
	hash_add_field(h, S("c"));
	hash_end(h, one);
	h = hash_new();
	hash_add_field(h, S("a"));
	hash_add_field(h, S("bc"));
	hash_end(h, two);
	assert_memory_not_equal(one, two, HASH_SIZE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cut_and_trim),
		cmocka_unit_test(utf8_accepts_and_refuses),
		cmocka_unit_test(nearest_finds_slips_and_nothing_far),
		cmocka_unit_test(a_full_buffer_keeps_what_it_has),
		cmocka_unit_test(a_reader_stops_at_damage),
		cmocka_unit_test(durations_read_as_people_write_them),
		cmocka_unit_test(times_and_ages_print),
		cmocka_unit_test(errors_chain_and_cross_borders),
		cmocka_unit_test(long_texts_of_errors_are_cut_not_dropped),
		cmocka_unit_test(a_list_of_errors_is_bounded),
		cmocka_unit_test(an_arena_aligns_grows_and_cleans_up),
		cmocka_unit_test(digests_keep_fields_apart),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
