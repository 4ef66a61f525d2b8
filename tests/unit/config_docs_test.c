/* SPDX-License-Identifier: Apache-2.0 */
/* docs/configuration.md: its table is the program's own. Run from the top of the tree. */
#include "core/config/load.h"

#include "core/base/file.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const char page[] = "docs/configuration.md";
static const char mark[] = "<!-- reference -->\n";

static void read_page(struct buf *b)
{
	struct pl_err e = ERR_INIT;
	if (file_read(page, b, &e))
		fail_msg("%s", pl_err_text(&e));
}

static void the_reference_on_the_page_is_the_programs_own(void **state)
{
	(void)state;
	struct buf text = BUF_INIT(1 << 20), own = BUF_INIT(1 << 20);
	read_page(&text);
	config_reference(&own);
	const char *at = strstr(text.p, mark);
	assert_non_null(at);
	if (strcmp(at + sizeof mark - 1, own.p) != 0)
		fail_msg("%s is not up to date: put what `plumb help config` prints below its mark", page);
	buf_free(&text);
	buf_free(&own);
}

static void every_key_has_a_meaning(void **state)
{
	(void)state;
	struct buf own = BUF_INIT(1 << 20);
	config_reference(&own);
	size_t lines = 0;
	for (pl_str rest = buf_str(&own), line; str_cut(rest, '\n', &line, &rest); lines++) {
		size_t bars = 0;
		for (size_t i = 0; i < line.n; i++)
			bars += line.p[i] == '|';
		assert_int_equal(bars, 5);
		assert_false(str_ends(line, S("|  |")));
	}
	assert_true(lines > 30);
	buf_free(&own);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_reference_on_the_page_is_the_programs_own),
		cmocka_unit_test(every_key_has_a_meaning),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
