/* SPDX-License-Identifier: Apache-2.0 */
/* Which script judges a kind. */
#include "core/lua/script.h"

#include "core/base/file.h"
#include "core/base/mem.h"

#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

struct fix {
	struct scripts *s;
	struct arena *a;
	struct pl_err e;
	char dir[64];
	pl_str folders[3];
};

static int setup(void **state)
{
	struct fix *f = mem_zalloc(sizeof(*f));

	f->s = scripts_new();
	f->a = arena_new();
	snprintf(f->dir, sizeof(f->dir), "/tmp/find-test-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	for (int i = 0; i < 3; i++)
		f->folders[i] = arena_printf(f->a, "%s/%c", f->dir, "abc"[i]);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fix *f = *state;

	scripts_free(f->s);
	file_remove_tree(f->dir, &f->e);
	err_clear(&f->e);
	arena_free(f->a);
	free(f);
	return 0;
}

static void add(struct fix *f, const char *path)
{
	pl_str whole = arena_printf(f->a, "%s/%s", f->dir, path);
	char *dir = path_dir(whole.p);

	assert_int_equal(file_mkdirs(dir, 0755, &f->e), PL_OK);
	assert_int_equal(file_write(whole.p, S("return {}"), 0644, &f->e), PL_OK);
	free(dir);
}

static void drop(struct fix *f, const char *path)
{
	assert_int_equal(unlink(arena_printf(f->a, "%s/%s", f->dir, path).p), 0);
}

/* The path below the test's folder, or "" when there is none. */
static const char *find(struct fix *f, const char *group, const char *kind)
{
	pl_ref ref = {.group = str_of(group), .version = S_INIT("v1"), .kind = str_of(kind)};
	pl_str path;
	pl_status st = scripts_find(f->s, f->folders, 3, &ref, f->a, &path, &f->e);

	if (st == PL_ENOTFOUND)
		return "";
	if (st != PL_OK)
		fail_msg("%s", pl_err_text(&f->e));
	assert_int_equal(path.n, strlen(path.p));
	assert_true(str_starts(path, str_of(f->dir)));
	return path.p + strlen(f->dir) + 1;
}

static void the_first_that_matches_is_found(void **state)
{
	struct fix *f = *state;
	static const char *const files[] = {
		"a/example.org/Thing/health.lua", "a/example.org/_/health.lua",	  "a/_.example.org/Thing/health.lua",
		"a/ConfigMap/health.lua",	  "a/empty.org/Thing/other.lua",  "b/example.org/Thing/health.lua",
		"b/example.org/Other/health.lua", "b/core/Secret/health.lua",	  "b/core/ConfigMap/health.lua",
		"b/_.cloud_/_/health.lua",	  "b/core/_Quota/health.lua",	  "b/_/Everywhere/health.lua",
		"c/a.b.c/_Set/health.lua",	  "c/a.b.c/_tefulSet/health.lua", "c/_.c/StatefulSet/health.lua",
		"c/.hidden/Kind/health.lua"};
	static const struct {
		const char *group, *kind, *want;
	} cases[] = {
		{"example.org", "Thing", "a/example.org/Thing/health.lua"},
		/* an earlier folder's wildcard goes before a later folder's exact match */
		{"example.org", "Other", "a/example.org/_/health.lua"},
		{"sub.example.org", "Thing", "a/_.example.org/Thing/health.lua"},
		{"x.y.example.org", "Thing", "a/_.example.org/Thing/health.lua"},
		{"sub.example.org", "Other", ""},
		{"", "ConfigMap", "a/ConfigMap/health.lua"},
		{"", "Secret", "b/core/Secret/health.lua"},
		{"", "ResourceQuota", "b/core/_Quota/health.lua"},
		{"core", "Secret", "b/core/Secret/health.lua"},
		{"", "Everywhere", ""},
		{"any.group", "Everywhere", "b/_/Everywhere/health.lua"},
		{"empty.org", "Thing", ""},
		{"my.cloud.example", "Bucket", "b/_.cloud_/_/health.lua"},
		{"my.cloud", "Bucket", "b/_.cloud_/_/health.lua"},
		{"cloud", "Bucket", ""},
		/* sorted: "_.c" before "a.b.c", "_Set" before "_tefulSet" */
		{"a.b.c", "StatefulSet", "c/_.c/StatefulSet/health.lua"},
		{"a.b.c", "DaemonSet", "c/a.b.c/_Set/health.lua"},
		{"nowhere", "Nothing", ""},
		/* names that would lead elsewhere, or name a wildcard folder itself */
		{"..", "a", ""},
		{"example.org", "..", ""},
		{"", "../a/ConfigMap", ""},
		{"a/example.org", "Thing", ""},
		{"example.org", "_", ""},
		{".hidden", "Kind", ""},
		{"", "", ""},
	};

	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++)
		add(f, files[i]);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		for (int twice = 0; twice < 2; twice++)
			assert_string_equal(find(f, cases[i].group, cases[i].kind), cases[i].want);
}

static void changes_are_noticed(void **state)
{
	struct fix *f = *state;

	assert_string_equal(find(f, "example.org", "Thing"), "");
	add(f, "c/_.org/Thing/health.lua");
	assert_string_equal(find(f, "example.org", "Thing"), "c/_.org/Thing/health.lua");
	add(f, "c/_.org/_hing/health.lua");
	assert_string_equal(find(f, "example.org", "Thing"), "c/_.org/Thing/health.lua");
	drop(f, "c/_.org/Thing/health.lua");
	assert_string_equal(find(f, "example.org", "Thing"), "c/_.org/_hing/health.lua");
	add(f, "b/example.org/Thing/health.lua");
	assert_string_equal(find(f, "example.org", "Thing"), "b/example.org/Thing/health.lua");
	add(f, "a/example_/T_/health.lua");
	assert_string_equal(find(f, "example.org", "Thing"), "a/example_/T_/health.lua");
}

/* Old listings come from the cache; a later change moves the folder's time and is seen. */
static void a_settled_listing_is_read_again_after_a_change(void **state)
{
	struct fix *f = *state;
	const struct timespec old[2] = {{.tv_sec = 1000000000}, {.tv_sec = 1000000000}};
	pl_str group = arena_printf(f->a, "%s/a/_.org", f->dir);

	add(f, "a/_.org/B_/health.lua");
	assert_int_equal(utimensat(AT_FDCWD, group.p, old, 0), 0);
	assert_int_equal(utimensat(AT_FDCWD, f->folders[0].p, old, 0), 0);
	assert_string_equal(find(f, "example.org", "Bag"), "a/_.org/B_/health.lua");
	add(f, "a/_.org/A_/health.lua");
	assert_string_equal(find(f, "example.org", "Apple"), "a/_.org/A_/health.lua");
	assert_int_equal(utimensat(AT_FDCWD, group.p, old, 0), 0);
	assert_string_equal(find(f, "example.org", "Bag"), "a/_.org/B_/health.lua");
}

static void a_folder_that_is_a_file_has_no_scripts(void **state)
{
	struct fix *f = *state;

	assert_int_equal(file_write(f->folders[0].p, S("text"), 0644, &f->e), PL_OK);
	add(f, "b/example.org/Thing/health.lua");
	add(f, "b/stray.lua");
	assert_string_equal(find(f, "example.org", "Thing"), "b/example.org/Thing/health.lua");
	assert_string_equal(find(f, "stray.lua", "Thing"), "");
	assert_string_equal(find(f, "", "Thing"), "");
}

static void *find_often(void *arg)
{
	struct fix *f = arg;
	struct arena *a = arena_new();
	struct pl_err e = ERR_INIT;
	uintptr_t bad = 0;

	for (int i = 0; i < 200; i++) {
		pl_ref ref = {.group = arena_printf(a, "g%d.org", i % 5), .kind = S_INIT("Thing")};
		pl_str path;

		bad += scripts_find(f->s, f->folders, 3, &ref, a, &path, &e) != PL_OK;
	}
	arena_free(a);
	err_clear(&e);
	return (void *)bad;
}

static void threads_find_at_the_same_time(void **state)
{
	struct fix *f = *state;
	pthread_t threads[4];

	add(f, "b/_.org/Thing/health.lua");
	for (int i = 0; i < 4; i++)
		pthread_create(&threads[i], NULL, find_often, f);
	for (int i = 0; i < 4; i++) {
		void *bad;

		pthread_join(threads[i], &bad);
		assert_null(bad);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
		T(the_first_that_matches_is_found),
		T(changes_are_noticed),
		T(a_settled_listing_is_read_again_after_a_change),
		T(a_folder_that_is_a_file_has_no_scripts),
		T(threads_find_at_the_same_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
