/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/buf.h"
#include "core/base/file.h"
#include "core/base/mem.h"
#include "core/plugin/health.h"
#include "core/plugin/registry.h"
#include "core/plugin/render.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>

#include <sys/stat.h>
#include <unistd.h>

/* The test's own plugins lie beside it, as the program's do. */
static struct registry *registry_with(const char *second)
{
	char *own = registry_own_folder();
	const char *folders[] = {own, second};
	struct registry_config c = {.folders = folders, .n_folders = second ? 2 : 1};
	struct registry *r = registry_new(&c);
	free(own);
	return r;
}

static char *temp_folder(void)
{
	char *p = str_dup(S("/tmp/plumb-registry-XXXXXX"));
	assert_non_null(mkdtemp(p));
	return p;
}

static void each_wrong_plugin_has_its_own_error(void **state)
{
	static const struct {
		const char *name;
		pl_status code;
		const char *says;
	} cases[] = {
		{"no-entry", PL_EPLUGIN, "no symbol 'pl_plugin_entry'"},
		{"declines", PL_EPLUGIN, "declines this plumb (plugin ABI 0.1)"},
		{"abi-major", PL_EPLUGIN, "made for plugin ABI 7.2, this plumb has 0.1"},
		{"abi-minor", PL_EPLUGIN, "made for plugin ABI 0.2, this plumb has 0.1"},
		{"size-none", PL_EPLUGIN, "has 4 bytes, too few to hold a version"},
		{"size-small", PL_EPLUGIN, "its table has"},
		{"wrong-kind", PL_EPLUGIN, "is a health plugin in the folder of renderers"},
		{"unknown-kind", PL_EPLUGIN, "kind 77"},
		{"other-name", PL_EPLUGIN, "calls itself 'somebody-else', its file 'other-name'"},
		{"no-name", PL_EPLUGIN, "does not tell its name"},
		{"flags", PL_EPLUGIN, "flags (0x100)"},
		{"needs-process", PL_EUNSUPPORTED, "process of its own"},
		{"no-ops", PL_EPLUGIN, "no table of renderer operations"},
		{"ops-small", PL_EPLUGIN, "table of renderer operations has 16 bytes"},
		{"no-render", PL_EPLUGIN, "no renderer operation 'render'"},
		{"bad-schema", PL_EPLUGIN, "schema of its options"},
		{"list-schema", PL_EPLUGIN, "not a JSON object"},
		{"unresolved", PL_EPLUGIN, "nobody_has_this"},
	};
	(void)state;
	struct registry *r = registry_with(NULL);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct pl_err e = ERR_INIT;
		const struct plugin *p = NULL;
		assert_int_equal(registry_get(r, PL_KIND_RENDERER, str_of(cases[i].name), &p, &e), cases[i].code);
		assert_int_equal(e.code, cases[i].code);
		if (!strstr(pl_err_text(&e), cases[i].says) || !strstr(pl_err_text(&e), cases[i].name))
			fail_msg("%s: %s", cases[i].name, pl_err_text(&e));
		err_clear(&e);
	}
	registry_free(r);
}

static void an_absent_plugin_names_those_there_are_and_the_nearest(void **state)
{
	(void)state;
	static const char *const names[] = {"gud", "goood", "../good", "", "good.so", "/etc/passwd"};
	struct registry *r = registry_with(NULL);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct pl_err e = ERR_INIT;
		const struct plugin *p;
		assert_int_equal(registry_get(r, PL_KIND_RENDERER, str_of(names[i]), &p, &e), PL_ENOTFOUND);
		assert_non_null(strstr(pl_err_text(&e), "have: abi-major, "));
		if (i == 1)
			assert_non_null(strstr(pl_err_text(&e), "did you mean 'good'?"));
		err_clear(&e);
	}
	registry_free(r);
}

static void an_empty_folder_says_where_it_looked(void **state)
{
	(void)state;
	char *dir = temp_folder();
	const char *folders[] = {dir};
	struct registry_config c = {.folders = folders, .n_folders = 1};
	struct registry *r = registry_new(&c);
	struct pl_err e = ERR_INIT;
	const struct plugin *p;
	assert_int_equal(registry_get(r, PL_KIND_SOURCE, S("git"), &p, &e), PL_ENOTFOUND);
	assert_non_null(strstr(pl_err_text(&e), "have: none"));
	assert_non_null(strstr(pl_err_text(&e), dir));
	err_clear(&e);
	assert_int_equal(registry_get(r, 9, S("git"), &p, &e), PL_EINVAL);
	err_clear(&e);
	registry_free(r);
	file_remove_tree(dir, NULL);
	free(dir);
}

static void what_is_no_shared_object_is_not_loadable(void **state)
{
	(void)state;
	char *dir = temp_folder();
	char *sub = path_join(dir, "renderers"), *so = path_join(sub, "text.so");
	mkdir(sub, 0755);
	assert_int_equal(file_write(so, S("not a shared object\n"), 0644, NULL), PL_OK);
	struct registry *r = registry_with(dir);
	struct pl_err e = ERR_INIT;
	const struct plugin *p;
	assert_int_equal(registry_get(r, PL_KIND_RENDERER, S("text"), &p, &e), PL_EPLUGIN);
	assert_non_null(strstr(pl_err_text(&e), "it can't be loaded"));
	assert_non_null(strstr(pl_err_text(&e), so));
	err_clear(&e);
	registry_free(r);
	file_remove_tree(dir, NULL);
	free(so);
	free(sub);
	free(dir);
}

static void a_name_in_two_folders_is_an_error_that_names_both(void **state)
{
	(void)state;
	char *dir = temp_folder(), *own = registry_own_folder();
	char *sub = path_join(dir, "renderers"), *second = path_join(sub, "good.so"),
	     *first = path_join(own, "renderers/good.so");
	mkdir(sub, 0755);
	assert_int_equal(file_write(second, S("x"), 0644, NULL), PL_OK);
	struct registry *r = registry_with(dir);
	struct pl_err e = ERR_INIT;
	const struct plugin *p;
	assert_int_equal(registry_get(r, PL_KIND_RENDERER, S("good"), &p, &e), PL_EEXIST);
	assert_non_null(strstr(pl_err_text(&e), first));
	assert_non_null(strstr(pl_err_text(&e), second));
	err_clear(&e);
	/* The same file by two names of the folder is one plugin. */
	unlink(second);
	assert_int_equal(symlink(first, second), 0);
	assert_int_equal(registry_get(r, PL_KIND_RENDERER, S("good"), &p, &e), PL_OK);
	registry_free(r);
	file_remove_tree(dir, NULL);
	free(first);
	free(second);
	free(sub);
	free(own);
	free(dir);
}

static void a_good_plugin_is_loaded_once_and_has_a_digest(void **state)
{
	(void)state;
	struct registry *r = registry_with(NULL);
	const struct plugin *a, *b;
	assert_int_equal(registry_get(r, PL_KIND_RENDERER, S("good"), &a, NULL), PL_OK);
	assert_int_equal(registry_get(r, PL_KIND_RENDERER, S("good"), &b, NULL), PL_OK);
	assert_ptr_equal(a, b);
	struct buf file = BUF_INIT(64 << 20);
	assert_int_equal(file_read(plugin_file(a), &file, NULL), PL_OK);
	uint8_t sum[HASH_SIZE];
	char hex[HASH_TEXT];
	hash_of(buf_str(&file), sum);
	hash_hex(sum, hex);
	assert_string_equal(plugin_digest(a), hex);
	assert_ptr_equal(plugin_digest(a), plugin_digest(a));
	buf_free(&file);
	registry_free(r);
}

static void a_plugin_that_needs_a_process_is_refused_without_workers(void **state)
{
	(void)state;
	struct registry *r = registry_with(NULL);
	struct pl_err e = ERR_INIT;
	const struct plugin *p;
	struct source *src;
	assert_int_equal(registry_get(r, PL_KIND_SOURCE, S("far"), &p, NULL), PL_OK); /* it can be shown */
	assert_int_equal(source_open(r, p, S("{}"), "/tmp", &src, &e), PL_EUNSUPPORTED);
	assert_non_null(strstr(pl_err_text(&e), "worker processes"));
	err_clear(&e);
	registry_free(r);
}

static void the_list_loads_nothing_and_marks_what_is_shadowed(void **state)
{
	(void)state;
	char *own = registry_own_folder();
	struct registry *r = registry_with(own); /* the same folder twice */
	struct arena *a = arena_new();
	struct plugin_file_info *v;
	size_t n, good = 0, shadowed = 0;
	assert_int_equal(registry_list(r, a, &v, &n, NULL), PL_OK);
	for (size_t i = 0; i < n; i++) {
		good += v[i].kind == PL_KIND_RENDERER && str_eqz(v[i].name, "good");
		shadowed += v[i].shadowed;
	}
	assert_int_equal(good, 2);
	assert_int_equal(shadowed * 2, n);
	arena_free(a);
	registry_free(r);
	free(own);
}

struct options_case {
	const char *yaml, *json, *error;
};

static void options_are_checked_filled_in_and_told_with_their_place(void **state)
{
	static const struct options_case cases[] = {
		{"", "{\"depth\":3}", NULL},
		{"depth: 5\n", "{\"depth\":5}", NULL},
		{"file: sub/x\n", "{\"file\":\"/base/sub/x\",\"depth\":3}", NULL},
		{"file: /x\nrevision: main\n", "{\"file\":\"/x\",\"depth\":3}", NULL},
		{"depht: 5\n", NULL, "depth"},
		{"depth: many\n", NULL, "opt.yaml:1:8"},
		{"- depth\n", NULL, "must be a map"},
	};
	(void)state;
	struct registry *r = registry_with(NULL);
	const struct plugin *p;
	assert_int_equal(registry_get(r, PL_KIND_RENDERER, S("good"), &p, NULL), PL_OK);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		pl_doc *d = pl_doc_new(NULL);
		pl_node **roots;
		size_t n;
		struct arena *a = arena_new();
		struct err_list wrong = {0};
		pl_str json = {NULL, 0};
		assert_int_equal(
			pl_yaml_read(d, str_of(cases[i].yaml), "opt.yaml", PL_SCHEMA_CORE12, 0, &roots, &n, NULL),
			PL_OK);
		pl_status st = plugin_options(p, d, n ? roots[0] : NULL, "/base", "revision", a, &json, &wrong);
		if (cases[i].json) {
			assert_int_equal(st, PL_OK);
			assert_string_equal(json.p, cases[i].json);
		} else {
			assert_int_equal(st, PL_EINVAL);
			assert_int_equal(wrong.n, 1);
			if (!strstr(pl_err_text(&wrong.v[0]), cases[i].error))
				fail_msg("%s", pl_err_text(&wrong.v[0]));
		}
		err_list_free(&wrong);
		arena_free(a);
		pl_doc_unref(d);
	}
	registry_free(r);
}

static void verdicts_come_from_the_plugin_that_claims_the_kind(void **state)
{
	static const struct {
		const char *group, *light;
		pl_status st;
		uint32_t health;
	} cases[] = {
		{"lab.io", "on", PL_OK, PL_HEALTHY},	   {"lab.io", "off", PL_OK, PL_DEGRADED},
		{"other.io", "on", PL_OK, PL_HEALTH_NONE}, {"lab.io", "broken", PL_EINVAL, 0},
		{"lab.io", "weird", PL_EPLUGIN, 0},
	};
	(void)state;
	struct registry *r = registry_with(NULL);
	struct health_plugins *h = health_plugins_new(r, NULL);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct arena *a = arena_new();
		pl_doc *d = pl_doc_new(NULL);
		pl_node *root;
		struct verdict v;
		struct pl_err e = ERR_INIT;
		pl_str text = arena_printf(a, "{\"spec\":{\"light\":\"%s\"}}", cases[i].light);
		pl_ref ref = {.group = str_of(cases[i].group), .kind = S("Lamp"), .name = S("a")};
		assert_int_equal(pl_json_read(d, text, "lamp", 0, &root, NULL), PL_OK);
		assert_int_equal(health_plugins_assess(h, &ref, d, root, a, &v, &e), cases[i].st);
		if (!cases[i].st) {
			assert_int_equal(v.health, cases[i].health);
			if (v.health)
				assert_string_equal(v.by.p, "plugin lamp");
		} else {
			assert_int_equal(e.code, cases[i].st);
		}
		err_clear(&e);
		pl_doc_unref(d);
		arena_free(a);
	}
	health_plugins_free(h);
	registry_free(r);
}

static void the_six_words_of_health_read_back(void **state)
{
	(void)state;
	uint32_t got;
	for (uint32_t i = PL_HEALTHY; i <= PL_UNKNOWN; i++) {
		assert_int_equal(health_parse(str_of(health_name(i)), &got), PL_OK);
		assert_int_equal(got, i);
	}
	assert_int_equal(health_parse(S("healthy"), &got), PL_EINVAL);
	assert_int_equal(health_parse(S(""), &got), PL_EINVAL);
	assert_int_equal(health_worse(PL_SUSPENDED, PL_DEGRADED), PL_DEGRADED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_wrong_plugin_has_its_own_error),
		cmocka_unit_test(an_absent_plugin_names_those_there_are_and_the_nearest),
		cmocka_unit_test(an_empty_folder_says_where_it_looked),
		cmocka_unit_test(what_is_no_shared_object_is_not_loadable),
		cmocka_unit_test(a_name_in_two_folders_is_an_error_that_names_both),
		cmocka_unit_test(a_good_plugin_is_loaded_once_and_has_a_digest),
		cmocka_unit_test(a_plugin_that_needs_a_process_is_refused_without_workers),
		cmocka_unit_test(the_list_loads_nothing_and_marks_what_is_shadowed),
		cmocka_unit_test(options_are_checked_filled_in_and_told_with_their_place),
		cmocka_unit_test(verdicts_come_from_the_plugin_that_claims_the_kind),
		cmocka_unit_test(the_six_words_of_health_read_back),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
