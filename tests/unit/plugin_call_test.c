/* SPDX-License-Identifier: Apache-2.0 */
/* What the host does for a plugin during one operation. */
#include "core/base/file.h"
#include "core/base/mem.h"
#include "core/plugin/call.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <unistd.h>

struct fix {
	struct arena *arena;
	struct call *call;
	const pl_host *h;
	char *dir;
};

static int set_up(void **state)
{
	struct fix *f = mem_zalloc(sizeof(*f));
	f->arena = arena_new();
	f->call = call_new(f->arena, NULL, S("app"), NULL, NULL, 0);
	f->h = call_host(f->call);
	f->dir = str_dup(S("/tmp/plumb-call-XXXXXX"));
	assert_non_null(mkdtemp(f->dir));
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fix *f = *state;
	call_free(f->call);
	arena_free(f->arena);
	file_remove_tree(f->dir, NULL);
	free(f->dir);
	free(f);
	return 0;
}

static pl_status secret(struct fix *f, const char *name, pl_str *out)
{
	return f->h->secret(f->h->ctx, str_of(name), out);
}

static void secrets_come_from_files_without_their_last_line_end(void **state)
{
	struct fix *f = *state;
	static const struct {
		const char *text, *secret;
	} cases[] = {{"s3cret\n", "s3cret"},
		     {"s3cret", "s3cret"},
		     {"a\r\n", "a"},
		     {"two\n\n", "two\n"},
		     {"", ""},
		     {"\n", ""},
		     {" x ", " x "}};
	char *path = path_join(f->dir, "token");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		pl_str got;
		assert_int_equal(file_write(path, str_of(cases[i].text), 0600, NULL), PL_OK);
		assert_int_equal(secret(f, arena_printf(f->arena, "file:%s", path).p, &got), PL_OK);
		assert_true(str_eqz(got, cases[i].secret));
	}
	free(path);
}

static void secrets_come_from_the_environment(void **state)
{
	struct fix *f = *state;
	pl_str got;
	setenv("PLUMB_TEST_SECRET", "hush\n", 1);
	assert_int_equal(secret(f, "env:PLUMB_TEST_SECRET", &got), PL_OK);
	assert_true(str_eqz(got, "hush"));
	assert_string_equal(getenv("PLUMB_TEST_SECRET"), "hush\n"); /* the copy is wiped, not the variable */
	unsetenv("PLUMB_TEST_SECRET");
}

static void a_secret_that_can_t_be_had_says_why_and_shows_nothing(void **state)
{
	struct fix *f = *state;
	static const struct {
		const char *name, *says;
	} cases[] = {
		{"file:/no/such/file", "read the secret in '/no/such/file'"},
		{"file:/", "read the secret in '/'"},
		{"file:/dev/zero", "larger than"},
		{"env:PLUMB_NOT_SET", "'PLUMB_NOT_SET' with the secret is not set"},
		{"vault:x", "not by 'vault'"},
		{"my-password", "'file:PATH' or 'env:NAME'"},
		{"file:", "'file:PATH' or 'env:NAME'"},
		{"", "'file:PATH' or 'env:NAME'"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		pl_str got;
		struct pl_err e = ERR_INIT;
		assert_int_equal(secret(f, cases[i].name, &got), PL_EAUTH);
		assert_int_equal(call_result(f->call, "p", "open", PL_EAUTH, &e), PL_EAUTH);
		if (!strstr(pl_err_text(&e), cases[i].says))
			fail_msg("%s", pl_err_text(&e));
		assert_null(strstr(pl_err_text(&e), "my-password"));
		err_clear(&e);
	}
}

static void failures_carry_their_place_and_unknown_codes_are_the_plugin_s_fault(void **state)
{
	struct fix *f = *state;
	struct pl_err e = ERR_INIT;
	assert_int_equal(call_result(f->call, "p", "open", PL_OK, &e), PL_OK);
	assert_int_equal(call_result(f->call, "p", "open", 99, &e), PL_EPLUGIN);
	assert_non_null(strstr(pl_err_text(&e), "unknown status 99"));
	assert_int_equal(call_result(f->call, "p", "open", PL_EIO, &e), PL_EPLUGIN);
	assert_non_null(strstr(pl_err_text(&e), "did not say why"));
	assert_int_equal((f->h->fail)(f->h->ctx, PL_EINVAL, S("x.yaml"), 3, 9, S("no")), PL_EINVAL);
	assert_int_equal(call_result(f->call, "p", "open", PL_EINVAL, &e), PL_EINVAL);
	assert_string_equal(pl_err_text(&e), "x.yaml:3:9: p: no");
	assert_int_equal((f->h->fail)(f->h->ctx, 0, S(""), 3, 9, S("no")), PL_EPLUGIN);
	err_clear(&e);
}

static void deadlines_and_cancels_are_seen(void **state)
{
	struct fix *f = *state;
	assert_int_equal(f->h->cancelled(f->h->ctx), 0);
	assert_true(f->h->remaining_ms(f->h->ctx) == INT64_MAX);
	assert_int_equal(f->h->cancel_fd(f->h->ctx), -1);
	struct cancel *c = cancel_new();
	struct call *k = call_new(f->arena, NULL, S(""), NULL, c, 600000);
	const pl_host *h = call_host(k);
	assert_true(h->remaining_ms(h->ctx) > 0 && h->remaining_ms(h->ctx) <= 600000);
	assert_true(h->cancel_fd(h->ctx) >= 0);
	assert_int_equal(h->cancelled(h->ctx), 0);
	cancel_fire(c);
	assert_int_not_equal(h->cancelled(h->ctx), 0);
	call_free(k);
	cancel_unref(c);
}

static void nodes_cross_as_json_and_documents_are_made_on_demand(void **state)
{
	struct fix *f = *state;
	pl_doc *d = f->h->doc(f->h->ctx);
	assert_ptr_equal(d, f->h->doc(f->h->ctx));
	pl_node *map = pl_new_map(d);
	pl_str json;
	assert_int_equal(pl_sets(d, map, "a", pl_new_number(d, S("9007199254740993"))), PL_OK);
	assert_int_equal(f->h->node_json(f->h->ctx, map, &json), PL_OK);
	assert_true(str_eqz(json, "{\"a\":9007199254740993}"));
}

int main(void)
{
#define T(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		T(secrets_come_from_files_without_their_last_line_end),
		T(secrets_come_from_the_environment),
		T(a_secret_that_can_t_be_had_says_why_and_shows_nothing),
		T(failures_carry_their_place_and_unknown_codes_are_the_plugin_s_fault),
		T(deadlines_and_cancels_are_seen),
		T(nodes_cross_as_json_and_documents_are_made_on_demand),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
