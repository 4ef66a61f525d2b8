/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/base/err.h"
#include "plumb/doc.h"

struct fix {
	pl_doc *d;
	pl_node *root;
	struct pl_err e;
};

static const char text[] = "{\"spec\":{\"containers\":[{\"image\":\"a\"},\n{\"image\":\"b\"}],\"replicas\":3},"
			   "\"metadata\":{\"annotations\":{\"a.b/"
			   "c\":\"dots\",\"x~y\":\"tilde\",\"q\\\"\":\"quote\"}},\"\":{\"\":\"empty\"},"
			   "\"0\":\"zero\"}";

static int setup(void **state)
{
	static const struct fix none;
	struct fix *f = malloc(sizeof(*f));

	*f = none;
	f->d = pl_doc_new(NULL);
	assert_int_equal(pl_json_read(f->d, str_of(text), "f.json", PL_READ_BORROW, &f->root, NULL), PL_OK);
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

typedef pl_status (*find_fn)(const pl_node *root, pl_str path, pl_node **out, pl_err *e);

static void assert_finds(struct fix *f, find_fn find, const char *path, const char *want)
{
	pl_node *n;

	if (find(f->root, str_of(path), &n, &f->e))
		fail_msg("%s: %s", path, pl_err_text(&f->e));
	assert_true(str_eqz(pl_text(n), want));
}

static void assert_fails(struct fix *f, find_fn find, const char *path, pl_status st, const char *want)
{
	pl_node *n = f->root;

	assert_int_equal(find(f->root, str_of(path), &n, &f->e), st);
	assert_null(n);
	assert_string_equal(pl_err_text(&f->e), want);
	assert_int_equal(find(f->root, str_of(path), &n, NULL), st);
}

static void pointers_find(void **state)
{
	static const char *const rows[][2] = {
		{"/spec/containers/0/image", "a"},
		{"/spec/containers/1/image", "b"},
		{"/metadata/annotations/a.b~1c", "dots"},
		{"/metadata/annotations/x~0y", "tilde"},
		{"//", "empty"},
		{"/0", "zero"},
	};
	struct fix *f = *state;
	pl_node *n;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		assert_finds(f, pl_pointer, rows[i][0], rows[i][1]);
	assert_int_equal(pl_pointer(f->root, S(""), &n, NULL), PL_OK);
	assert_ptr_equal(n, f->root);
}

static void a_failing_pointer_names_the_deepest_step(void **state)
{
	static const struct {
		const char *path;
		pl_status st;
		const char *want;
	} rows[] = {
		{"spec", PL_EINVAL, "JSON pointer 'spec': it must be empty or begin with '/'"},
		{"/metadata/annotations/x~y", PL_EINVAL,
		 "JSON pointer '/metadata/annotations/x~y': '~' must be written '~0' ('/' is '~1')"},
		{"/spec~", PL_EINVAL, "JSON pointer '/spec~': '~' must be written '~0' ('/' is '~1')"},
		{"/spec/containers/2/image", PL_ENOTFOUND, "no item '2' in '/spec/containers', a list of 2"},
		{"/spec/containers/01", PL_ENOTFOUND, "no item '01' in '/spec/containers', a list of 2"},
		{"/spec/containers/-", PL_ENOTFOUND, "no item '-' in '/spec/containers', a list of 2"},
		{"/spec/containers/99999999999999999999", PL_ENOTFOUND,
		 "no item '99999999999999999999' in '/spec/containers', a list of 2"},
		{"/spec/replica", PL_ENOTFOUND, "no key 'replica' in '/spec' (did you mean 'replicas'?)"},
		{"/spec/replicas/x/y", PL_ENOTFOUND, "no 'x' in '/spec/replicas', which is a number"},
		{"/zzzzzzz", PL_ENOTFOUND, "no key 'zzzzzzz' in ''"},
	};
	struct fix *f = *state;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		assert_fails(f, pl_pointer, rows[i].path, rows[i].st, rows[i].want);
}

static void a_failing_path_tells_where_the_deepest_step_is_written(void **state)
{
	struct fix *f = *state;
	pl_node *n;

	assert_int_equal(pl_pointer(f->root, S("/spec/replicas/x"), &n, &f->e), PL_ENOTFOUND);
	assert_int_equal(pl_err_place(&f->e).line, 2);
	assert_int_equal(pl_err_place(&f->e).col, 27);
	assert_int_equal(pl_dotted(f->root, S("spec.x"), &n, &f->e), PL_ENOTFOUND);
	assert_int_equal(pl_err_place(&f->e).line, 1);
	assert_int_equal(pl_err_place(&f->e).col, 9);
}

static void dotted_paths_find(void **state)
{
	static const char *const rows[][2] = {
		{"spec.containers[0].image", "a"},
		{".spec.containers[1].image", "b"},
		{"spec[\"containers\"][1]['image']", "b"},
		{"metadata.annotations[\"a.b/c\"]", "dots"},
		{"metadata.annotations['a.b/c']", "dots"},
		{"metadata.annotations[\"q\\\"\"]", "quote"},
		{"[\"\"][\"\"]", "empty"},
		{"0", "zero"},
	};
	struct fix *f = *state;
	pl_node *n;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		assert_finds(f, pl_dotted, rows[i][0], rows[i][1]);
	assert_int_equal(pl_dotted(f->root, S(""), &n, NULL), PL_OK);
	assert_ptr_equal(n, f->root);
}

static void a_failing_dotted_path_names_the_deepest_step(void **state)
{
	static const struct {
		const char *path;
		pl_status st;
		const char *want;
	} rows[] = {
		{".", PL_EINVAL, "path '.': names are parted by single dots"},
		{"spec.", PL_EINVAL, "path 'spec.': names are parted by single dots"},
		{"spec..replicas", PL_EINVAL, "path 'spec..replicas': names are parted by single dots"},
		{"spec]", PL_EINVAL, "path 'spec]': names are parted by single dots"},
		{"spec.containers[0]image", PL_EINVAL,
		 "path 'spec.containers[0]image': names are parted by single dots"},
		{"spec[", PL_EINVAL, "path 'spec[': brackets hold an index or a quoted key"},
		{"spec[]", PL_EINVAL, "path 'spec[]': brackets hold an index or a quoted key"},
		{"spec[x]", PL_EINVAL, "path 'spec[x]': brackets hold an index or a quoted key"},
		{"spec[\"x", PL_EINVAL, "path 'spec[\"x': a quoted key in brackets needs its closing quote and ']'"},
		{"spec[\"x\\", PL_EINVAL,
		 "path 'spec[\"x\\': a quoted key in brackets needs its closing quote and ']'"},
		{"spec[\"x\"", PL_EINVAL,
		 "path 'spec[\"x\"': a quoted key in brackets needs its closing quote and ']'"},
		{"spec.containers[2].image", PL_ENOTFOUND, "no item '2' in 'spec.containers', a list of 2"},
		{"spec.containers.image", PL_ENOTFOUND, "no item 'image' in 'spec.containers', a list of 2"},
		{"spec.replica", PL_ENOTFOUND, "no key 'replica' in 'spec' (did you mean 'replicas'?)"},
		{"spec.replicas[0]", PL_ENOTFOUND, "no '0' in 'spec.replicas', which is a number"},
	};
	struct fix *f = *state;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		assert_fails(f, pl_dotted, rows[i].path, rows[i].st, rows[i].want);
}

static void nothing_has_no_paths(void **state)
{
	struct fix *f = *state;

	f->root = NULL;
	assert_fails(f, pl_pointer, "/a", PL_ENOTFOUND, "no '/a': there is no value");
	assert_fails(f, pl_dotted, "a", PL_ENOTFOUND, "no 'a': there is no value");
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(pointers_find),
		T(a_failing_pointer_names_the_deepest_step),
		T(a_failing_path_tells_where_the_deepest_step_is_written),
		T(dotted_paths_find),
		T(a_failing_dotted_path_names_the_deepest_step),
		T(nothing_has_no_paths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
