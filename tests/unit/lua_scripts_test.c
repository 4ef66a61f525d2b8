/* SPDX-License-Identifier: Apache-2.0 */
/* Runs the health_test.yaml beside each script that ships with plumb. Started in the project's folder. */
#include "core/lua/script.h"

#include "core/base/file.h"
#include "core/base/mem.h"
#include "core/doc/private.h"
#include "plumb/doc.h"

#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <unistd.h>

#include <cmocka.h>

#define FOLDER "scripts/health"

enum { MAX = 500 };

static struct {
	struct worker *w;
	char *dirs[MAX]; /* each with a health.lua */
	size_t n;
} all;

static int see(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st;
	if (type == FTW_F && strcmp(path + at->base, "health.lua") == 0) {
		assert_true(all.n < MAX);
		all.dirs[all.n++] = path_dir(path);
	}
	return 0;
}

static int setup(void **state)
{
	struct pl_err e = ERR_INIT;
	size_t n;
	const struct worker_job *jobs = script_jobs(&n);

	(void)state;
	all.w = worker_start(jobs, n, &e);
	if (!all.w || nftw(FOLDER, see, 16, FTW_PHYS) < 0) {
		print_error("'%s' can't be read from here\n", FOLDER);
		return -1;
	}
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	for (size_t i = 0; i < all.n; i++)
		free(all.dirs[i]);
	worker_stop(all.w);
	return 0;
}

static pl_node *read_yaml(pl_doc *d, const char *dir, pl_str name)
{
	struct buf path = BUF_INIT(4096), text = BUF_INIT(1 << 20);
	struct pl_err e = ERR_INIT;
	pl_node **roots = NULL;
	size_t n = 0;

	buf_addf(&path, "%s/%.*s", dir, F(name));
	if (file_read(path.p, &text, &e) != PL_OK ||
	    pl_yaml_read(d, buf_str(&text), path.p, PL_SCHEMA_YAML11, 0, &roots, &n, &e) != PL_OK)
		fail_msg("%s", pl_err_text(&e));
	assert_int_equal(n, 1);
	buf_free(&path);
	buf_free(&text);
	return roots[0];
}

static struct script_verdict judge(const char *dir, const pl_node *object, struct arena *a)
{
	struct buf json = BUF_INIT(4 << 20);
	struct pl_err e = ERR_INIT;
	struct script_case c = {.path = arena_printf(a, "%s/health.lua", dir).p};

	assert_int_equal(json_print(object, 0, &json, &e), PL_OK);
	c.object = buf_str(&json);
	if (scripts_judge(all.w, &c, 1, NULL, NULL, a, &e) != PL_OK)
		fail_msg("%s", pl_err_text(&e));
	buf_free(&json);
	return c.out;
}

static const char *const names[] = {"", "Healthy", "Suspended", "Progressing", "Missing", "Degraded", "Unknown"};

static void run_one(pl_doc *d, const char *dir, const pl_node *test, struct arena *a)
{
	pl_str input = pl_text(pl_gets(test, "inputPath"));
	const pl_node *want = pl_gets(test, "healthStatus");
	struct script_verdict got = judge(dir, read_yaml(d, dir, input), a);

	if (!str_eqz(pl_text(pl_gets(want, "status")), names[got.health]) ||
	    !str_eq(pl_text(pl_gets(want, "message")), got.message))
		fail_msg("%s/%.*s: gave %s '%.*s'", dir, F(input), names[got.health], F(got.message));
}

static void every_script_passes_its_tests(void **state)
{
	size_t ran = 0;

	(void)state;
	for (size_t i = 0; i < all.n; i++) {
		pl_doc *d = pl_doc_new(NULL);
		struct arena *a = arena_new();
		const pl_node *tests = pl_gets(read_yaml(d, all.dirs[i], S("health_test.yaml")), "tests");

		if (pl_len(tests) == 0)
			fail_msg("%s has no tests", all.dirs[i]);
		for (size_t k = 0; k < pl_len(tests); k++, ran++)
			run_one(d, all.dirs[i], pl_item(tests, k), a);
		arena_free(a);
		pl_doc_unref(d);
	}
	assert_true(ran >= 20);
}

/* A status can lack anything: no script may fail on what a half-made object looks like. */
static void no_script_fails_on_an_object_without_fields(void **state)
{
	static const char *const bare[] = {"metadata: {}\n", "metadata: {}\nspec: {}\nstatus: {}\n",
					   "metadata: {}\nstatus: {conditions: [{}], active: []}\n"};

	(void)state;
	for (size_t i = 0; i < all.n; i++)
		for (size_t k = 0; k < sizeof(bare) / sizeof(*bare); k++) {
			pl_doc *d = pl_doc_new(NULL);
			struct arena *a = arena_new();
			pl_node **roots;
			size_t n;

			assert_int_equal(
				pl_yaml_read(d, str_of(bare[k]), "bare", PL_SCHEMA_YAML11, 0, &roots, &n, NULL), PL_OK);

			struct script_verdict got = judge(all.dirs[i], roots[0], a);

			if (got.health == PL_UNKNOWN)
				fail_msg("%s: %s gave '%.*s'", all.dirs[i], bare[k], F(got.message));
			arena_free(a);
			pl_doc_unref(d);
		}
}

static void every_script_is_found_by_its_kind(void **state)
{
	struct scripts *s = scripts_new();
	struct arena *a = arena_new();
	const pl_str folder = S(FOLDER);

	(void)state;
	for (size_t i = 0; i < all.n; i++) {
		pl_str below = str_of(all.dirs[i] + sizeof(FOLDER)), group, kind, path;
		pl_ref ref = {0};

		if (!str_cut(below, '/', &group, &kind)) {
			kind = group;
			group = S("");
		}
		ref.group = group;
		ref.kind = kind;
		assert_int_equal(scripts_find(s, &folder, 1, &ref, a, &path, NULL), PL_OK);
		assert_true(str_starts(path, str_of(all.dirs[i])));
	}
	arena_free(a);
	scripts_free(s);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_script_passes_its_tests),
		cmocka_unit_test(no_script_fails_on_an_object_without_fields),
		cmocka_unit_test(every_script_is_found_by_its_kind),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
