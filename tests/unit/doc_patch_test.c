/* SPDX-License-Identifier: Apache-2.0 */
/* JSON Patch (RFC 6902) and JSON Merge Patch (RFC 7396). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/base/err.h"
#include "plumb/doc.h"

typedef pl_status (*patch_fn)(pl_doc *d, pl_node **root, const pl_doc *pd, const pl_node *patch, pl_err *e);

static pl_node *read_json(pl_doc *d, const char *text, const char *file)
{
	struct pl_err e = ERR_INIT;
	pl_node *n;

	if (pl_json_read(d, str_of(text), file, 0, &n, &e))
		fail_msg("%s: %s", text, pl_err_text(&e));
	return n;
}

static void assert_json(const pl_node *n, const char *want)
{
	char *text;
	size_t len;

	assert_int_equal(pl_json_write(n, 0, &text, &len, NULL), PL_OK);
	assert_string_equal(text, want);
	pl_free(text);
}

static void assert_patched(patch_fn patch, const char *doc, const char *by, const char *want)
{
	pl_doc *d = pl_doc_new(NULL), *pd = pl_doc_new(NULL);
	pl_node *root = read_json(d, doc, "doc.json"), *p = read_json(pd, by, "patch.json");
	struct pl_err e = ERR_INIT;

	if (patch(d, &root, pd, p, &e))
		fail_msg("%s: %s", by, pl_err_text(&e));
	pl_doc_unref(pd); /* nothing of it may be needed any more */
	assert_json(root, want);
	pl_doc_unref(d);
	err_clear(&e);
}

/* A refused patch leaves the very same tree behind. */
static void assert_refused(const char *doc, const char *by, pl_status st, const char *want)
{
	pl_doc *d = pl_doc_new(NULL);
	pl_node *root = read_json(d, doc, "doc.json"), *was = root, *copy = pl_copy(d, d, root),
		*p = read_json(d, by, "patch.json");
	struct pl_err e = ERR_INIT;
	char *before, *after;
	size_t n;

	assert_int_equal(pl_json_write(copy, 0, &before, &n, NULL), PL_OK);
	if (pl_patch_json(d, &root, d, p, &e) != st)
		fail_msg("%s: %s", by, pl_err_text(&e));
	assert_string_equal(pl_err_text(&e), want);
	assert_ptr_equal(root, was);
	assert_int_equal(pl_json_write(root, 0, &after, &n, NULL), PL_OK);
	assert_string_equal(after, before);
	assert_int_equal(pl_patch_json(d, &root, d, p, NULL), st);
	pl_free(before);
	pl_free(after);
	pl_doc_unref(d);
	err_clear(&e);
}

/* ---- JSON Patch ---- */

static void each_operation_does_what_the_rfc_says(void **state)
{
	static const char *const rows[][3] = {
		/* add: a new member, over an old one, into lists, at their end, the whole document */
		{"{\"web\":1}", "[{\"op\":\"add\",\"path\":\"/db\",\"value\":2}]", "{\"web\":1,\"db\":2}"},
		{"{\"web\":1,\"db\":2}", "[{\"op\":\"add\",\"path\":\"/web\",\"value\":[]}]", "{\"web\":[],\"db\":2}"},
		{"[1,3]", "[{\"op\":\"add\",\"path\":\"/1\",\"value\":2}]", "[1,2,3]"},
		{"[1,3]", "[{\"op\":\"add\",\"path\":\"/0\",\"value\":[0]}]", "[[0],1,3]"},
		{"[1]", "[{\"op\":\"add\",\"path\":\"/1\",\"value\":2}]", "[1,2]"},
		{"{\"l\":[]}", "[{\"op\":\"add\",\"path\":\"/l/-\",\"value\":null}]", "{\"l\":[null]}"},
		{"[]", "[{\"op\":\"add\",\"path\":\"\",\"value\":{\"a\":1}}]", "{\"a\":1}"},
		{"{}", "[{\"op\":\"add\",\"path\":\"/\",\"value\":1}]", "{\"\":1}"},
		{"{}", "[{\"op\":\"add\",\"path\":\"/-\",\"value\":1}]", "{\"-\":1}"},
		{"{}", "[{\"op\":\"add\",\"path\":\"/0\",\"value\":1}]", "{\"0\":1}"},
		{"{}", "[{\"op\":\"add\",\"path\":\"/a~1b~0c~01\",\"value\":1}]", "{\"a/b~c~1\":1}"},
		/* remove */
		{"{\"a\":1,\"b\":2,\"c\":3}", "[{\"op\":\"remove\",\"path\":\"/b\"}]", "{\"a\":1,\"c\":3}"},
		{"[1,2,3]", "[{\"op\":\"remove\",\"path\":\"/0\"},{\"op\":\"remove\",\"path\":\"/1\"}]", "[2]"},
		/* replace keeps the member's place */
		{"{\"a\":1,\"b\":2}", "[{\"op\":\"replace\",\"path\":\"/a\",\"value\":null}]", "{\"a\":null,\"b\":2}"},
		{"[1,2]", "[{\"op\":\"replace\",\"path\":\"/1\",\"value\":3}]", "[1,3]"},
		{"1", "[{\"op\":\"replace\",\"path\":\"\",\"value\":2}]", "2"},
		/* move */
		{"{\"a\":{\"x\":1},\"b\":{}}", "[{\"op\":\"move\",\"from\":\"/a/x\",\"path\":\"/b/y\"}]",
		 "{\"a\":{},\"b\":{\"y\":1}}"},
		{"[1,2,3,4]", "[{\"op\":\"move\",\"from\":\"/0\",\"path\":\"/2\"}]", "[2,3,1,4]"},
		{"[1,2,3]", "[{\"op\":\"move\",\"from\":\"/0\",\"path\":\"/-\"}]", "[2,3,1]"},
		{"{\"a\":1}", "[{\"op\":\"move\",\"from\":\"/a\",\"path\":\"/a\"}]", "{\"a\":1}"},
		{"{\"a\":{\"b\":{\"c\":1}}}", "[{\"op\":\"move\",\"from\":\"/a/b\",\"path\":\"/a\"}]",
		 "{\"a\":{\"c\":1}}"},
		{"{\"a\":{\"b\":1}}", "[{\"op\":\"move\",\"from\":\"/a/b\",\"path\":\"\"}]", "1"},
		{"{\"ab\":1,\"a\":2}", "[{\"op\":\"move\",\"from\":\"/a\",\"path\":\"/ab\"}]", "{\"ab\":2}"},
		/* copy: the two are independent */
		{"{\"a\":{\"x\":1}}",
		 "[{\"op\":\"copy\",\"from\":\"/a\",\"path\":\"/b\"},{\"op\":\"add\",\"path\":\"/b/y\",\"value\":2}]",
		 "{\"a\":{\"x\":1},\"b\":{\"x\":1,\"y\":2}}"},
		{"{\"a\":1}", "[{\"op\":\"copy\",\"from\":\"\",\"path\":\"/b\"}]", "{\"a\":1,\"b\":{\"a\":1}}"},
		/* test compares values, not spellings */
		{"{\"n\":1.0,\"m\":{\"a\":1,\"b\":[2]}}",
		 "[{\"op\":\"test\",\"path\":\"/n\",\"value\":1e0},{\"op\":\"test\",\"path\":\"/"
		 "m\",\"value\":{\"b\":[2.0],"
		 "\"a\":1}}]",
		 "{\"n\":1.0,\"m\":{\"a\":1,\"b\":[2]}}"},
		{"{\"\":1}", "[{\"op\":\"test\",\"path\":\"/\",\"value\":1}]", "{\"\":1}"},
		{"{\"\":1}", "[{\"op\":\"test\",\"path\":\"\",\"value\":{\"\":1}}]", "{\"\":1}"},
		/* unknown members are no concern; each operation sees what the ones before have done */
		{"{}",
		 "[{\"op\":\"add\",\"path\":\"/a\",\"value\":[],\"why\":\"?\"},{\"op\":\"add\",\"path\":\"/a/0\","
		 "\"value\":1}]",
		 "{\"a\":[1]}"},
		{"{}", "[]", "{}"},
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		assert_patched(pl_patch_json, rows[i][0], rows[i][1], rows[i][2]);
}

static void a_patch_that_cannot_be_done_is_told_with_its_place(void **state)
{
	static const struct {
		const char *doc, *patch;
		pl_status st;
		const char *error;
	} rows[] = {
		{"{\"spec\":{\"replicas\":1}}", "[{\"op\":\"replace\",\n\"path\":\"/spec/replica\",\"value\":2}]",
		 PL_ENOTFOUND,
		 "patch.json:2:8: [0] replace '/spec/replica': no key 'replica' in '/spec' (did you mean 'replicas'?)"},
		{"{\"spec\":{}}", "[{\"op\":\"add\",\"path\":\"/spce/x\",\"value\":2}]", PL_ENOTFOUND,
		 "patch.json:1:21: [0] add '/spce/x': no key 'spce' in '' (did you mean 'spec'?)"},
		{"{}", "[{\"op\":\"remove\",\"path\":\"/a\"}]", PL_ENOTFOUND,
		 "patch.json:1:24: [0] remove '/a': no key 'a' in ''"},
		{"[1,2]", "[{\"op\":\"add\",\"path\":\"/3\",\"value\":2}]", PL_ENOTFOUND,
		 "patch.json:1:21: [0] add '/3': no place for item '3' in '', a list of 2 ('-' appends)"},
		{"{\"l\":[1]}", "[{\"op\":\"add\",\"path\":\"/l/+1\",\"value\":2}]", PL_ENOTFOUND,
		 "patch.json:1:21: [0] add '/l/+1': no place for item '+1' in '/l', a list of 1 ('-' appends)"},
		{"[1,2]", "[{\"op\":\"add\",\"path\":\"/01\",\"value\":2}]", PL_ENOTFOUND,
		 "patch.json:1:21: [0] add '/01': no place for item '01' in '', a list of 2 ('-' appends)"},
		{"[1,2]", "[{\"op\":\"remove\",\"path\":\"/-\"}]", PL_ENOTFOUND,
		 "patch.json:1:24: [0] remove '/-': no item '-' in '', a list of 2"},
		{"[1,2]", "[{\"op\":\"test\",\"path\":\"/1e0\",\"value\":2}]", PL_ENOTFOUND,
		 "patch.json:1:22: [0] test '/1e0': no item '1e0' in '', a list of 2"},
		{"[1,2]", "[{\"op\":\"replace\",\"path\":\"/-1\",\"value\":2}]", PL_ENOTFOUND,
		 "patch.json:1:25: [0] replace '/-1': no item '-1' in '', a list of 2"},
		{"{\"a\":\"b\"}", "[{\"op\":\"add\",\"path\":\"/a/b\",\"value\":2}]", PL_ENOTFOUND,
		 "patch.json:1:21: [0] add '/a/b': no 'b' in '/a', which is a string"},
		{"{}", "[{\"op\":\"add\",\"path\":\"a\",\"value\":2}]", PL_EINVAL,
		 "patch.json:1:21: [0] add 'a': JSON pointer 'a': it must be empty or begin with '/'"},
		{"{}", "[{\"op\":\"add\",\"path\":\"/~2\",\"value\":2}]", PL_EINVAL,
		 "patch.json:1:21: [0] add '/~2': JSON pointer '/~2': '~' must be written '~0' ('/' is '~1')"},
		{"{\"a\":{}}", "[{\"op\":\"move\",\"from\":\"/a\",\"path\":\"/a/b\"}]", PL_EINVAL,
		 "patch.json:1:34: [0] move '/a/b': a value can't be moved into itself"},
		{"{\"a\":{}}", "[{\"op\":\"move\",\"from\":\"\",\"path\":\"b\"}]", PL_EINVAL,
		 "patch.json:1:32: [0] move 'b': a value can't be moved into itself"},
		{"{\"a\":{}}", "[{\"op\":\"move\",\"from\":\"/b\",\"path\":\"/c\"}]", PL_ENOTFOUND,
		 "patch.json:1:22: [0] move '/c': from '/b': no key 'b' in ''"},
		{"{\"a\":{}}", "[{\"op\":\"copy\",\"from\":\"/a/b\",\"path\":\"/c\"}]", PL_ENOTFOUND,
		 "patch.json:1:22: [0] copy '/c': from '/a/b': no key 'b' in '/a'"},
		{"{}", "[{\"op\":\"remove\",\"path\":\"\"}]", PL_EINVAL,
		 "patch.json:1:24: [0] remove '': the whole document can't be removed"},
		{"{\"password\":\"hunter2\"}", "[{\"op\":\"test\",\"path\":\"/password\",\"value\":\"secret\"}]",
		 PL_ECONFLICT, "patch.json:1:42: [0] test '/password': the value there is another one"},
		{"{\"a\":\"1\"}", "[{\"op\":\"test\",\"path\":\"/a\",\"value\":1}]", PL_ECONFLICT,
		 "patch.json:1:35: [0] test '/a': the value there is a string, not a number"},
		{"{}", "[{\"op\":\"ad\",\"path\":\"/a\",\"value\":1}]", PL_EINVAL,
		 "patch.json:1:8: [0]: unknown operation 'ad' (did you mean 'add'?)"},
		{"{}", "[{\"op\":\"spam\",\"path\":\"/a\"}]", PL_EINVAL,
		 "patch.json:1:8: [0]: unknown operation 'spam' (have: add, remove, replace, move, copy, test)"},
		{"{}", "[{\"path\":\"/a\"}]", PL_EINVAL, "patch.json:1:2: [0]: it has no 'op'"},
		{"{}", "[{\"op\":\"add\",\"value\":1}]", PL_EINVAL, "patch.json:1:2: [0]: it has no 'path'"},
		{"{}", "[{\"op\":\"add\",\"path\":\"/a\",\"vaule\":1}]", PL_EINVAL,
		 "patch.json:1:2: [0] add '/a': it has no 'value' ('vaule' is no member of an operation)"},
		{"{}", "[{\"op\":\"copy\",\"path\":\"/a\"}]", PL_EINVAL,
		 "patch.json:1:2: [0] copy '/a': it has no 'from'"},
		{"{}", "[{\"op\":\"add\",\"path\":1,\"value\":1}]", PL_EINVAL,
		 "patch.json:1:21: [0] add '1': its 'path' must be a string"},
		{"{}", "[1]", PL_EINVAL, "patch.json:1:2: [0]: an operation must be a map with 'op' and 'path'"},
		{"{}", "{\"op\":\"add\",\"path\":\"/a\",\"value\":1}", PL_EINVAL,
		 "patch.json:1:1: a JSON patch must be a list of operations (put the operation into a list)"},
		{"{}", "3", PL_EINVAL, "patch.json:1:1: a JSON patch must be a list of operations"},
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		assert_refused(rows[i].doc, rows[i].patch, rows[i].st, rows[i].error);
}

static void a_failed_patch_changes_nothing(void **state)
{
	(void)state;
	assert_refused("{\"a\":{\"b\":[1,2,3]},\"c\":\"d\",\"e\":{}}",
		       "[{\"op\":\"add\",\"path\":\"/a/b/1\",\"value\":9},"
		       "{\"op\":\"remove\",\"path\":\"/c\"},"
		       "{\"op\":\"move\",\"from\":\"/a/b\",\"path\":\"/e/l\"},"
		       "{\"op\":\"add\",\"path\":\"/c\",\"value\":{}},"
		       "{\"op\":\"copy\",\"from\":\"/e\",\"path\":\"/c/e\"},"
		       "{\"op\":\"replace\",\"path\":\"/c/e/l/0\",\"value\":0},"
		       "{\"op\":\"replace\",\"path\":\"/e/l/0\",\"value\":0},"
		       "{\"op\":\"add\",\"path\":\"\",\"value\":[5]},"
		       "{\"op\":\"add\",\"path\":\"/-\",\"value\":6},"
		       "{\"op\":\"test\",\"path\":\"/0\",\"value\":7}]",
		       PL_ECONFLICT, "patch.json:1:378: [9] test '/0': the value there is another one");
}

static void a_frozen_document_is_not_patched(void **state)
{
	pl_doc *d = pl_doc_new(NULL), *pd = pl_doc_new(NULL);
	pl_node *root = read_json(d, "{}", NULL),
		*p = read_json(pd, "[{\"op\":\"add\",\"path\":\"/a\",\"value\":1}]", NULL);

	(void)state;
	pl_doc_freeze(d);
	assert_int_equal(pl_patch_json(d, &root, pd, p, NULL), PL_EDENIED);
	assert_int_equal(pl_patch_merge(d, &root, pd, p, NULL), PL_EDENIED);
	assert_json(root, "{}");
	pl_doc_unref(d);
	pl_doc_unref(pd);
}

/* Thousands of keys go through an index, whose positions move with every removal. */
static void big_maps_are_patched_right(void **state)
{
	enum { KEYS = 3000 };
	pl_doc *d = pl_doc_new(NULL);
	pl_node *root = pl_new_map(d), *ops = pl_new_list(d), *want = pl_new_map(d), *op;
	struct pl_err e = ERR_INIT;
	char key[32], path[32];
	size_t i;

	(void)state;
	for (i = 0; i < KEYS; i++) {
		(void)snprintf(key, sizeof(key), "k%zu", i);
		pl_sets(d, root, key, pl_new_int(d, (int64_t)i));
	}
	/* Every third key goes, every ninth comes back at the end, the one behind it gets a new value. */
	for (i = 0; i < KEYS; i++) {
		(void)snprintf(path, sizeof(path), "/k%zu", i);
		op = pl_new_map(d);
		pl_sets(d, op, "op", pl_new_string(d, i % 3 == 0 ? S("remove") : S("replace")));
		pl_sets(d, op, "path", pl_new_string(d, str_of(path)));
		pl_sets(d, op, "value", pl_new_int(d, -(int64_t)i));
		pl_append(d, ops, op);
		if (i % 9 == 0) {
			op = pl_copy(d, d, op);
			pl_sets(d, op, "op", pl_new_string(d, S("add")));
			pl_append(d, ops, op);
			op = pl_copy(d, d, op);
			pl_sets(d, op, "op", pl_new_string(d, S("test")));
			pl_append(d, ops, op);
		}
	}
	for (i = 0; i < KEYS; i++)
		if (i % 3) {
			(void)snprintf(key, sizeof(key), "k%zu", i);
			pl_sets(d, want, key, pl_new_int(d, -(int64_t)i));
		}
	for (i = 0; i < KEYS; i += 9) {
		(void)snprintf(key, sizeof(key), "k%zu", i);
		pl_sets(d, want, key, pl_new_int(d, -(int64_t)i));
	}
	if (pl_patch_json(d, &root, d, ops, &e))
		fail_msg("%s", pl_err_text(&e));
	assert_true(pl_equal(root, want));
	for (i = 0; i < pl_len(want); i++)
		assert_true(str_eq(pl_text(pl_key(root, i)), pl_text(pl_key(want, i))));
	pl_doc_unref(d);
}

/* ---- patch, then its inverse ---- */

struct inverse {
	pl_doc *d;
	pl_node *there, *back; /* lists of operations */
};

static pl_node *operation(pl_doc *d, const char *op, const char *path, const pl_node *value)
{
	pl_node *o = pl_new_map(d);

	pl_sets(d, o, "op", pl_new_string(d, str_of(op)));
	pl_sets(d, o, "path", pl_new_string(d, str_of(path)));
	if (value)
		pl_sets(d, o, "value", pl_copy(d, d, value));
	return o;
}

static uint32_t next_random(uint32_t *seed)
{
	*seed = *seed * 1664525u + 1013904223u;
	return *seed >> 8;
}

/* A random place below root as a pointer, and what is there. */
static pl_node *wander(pl_node *root, uint32_t *seed, char *path, size_t size)
{
	size_t n = 0, i;
	pl_node *at = root;

	path[0] = '\0';
	while (pl_len(at) && next_random(seed) % 4) {
		i = next_random(seed) % pl_len(at);
		if (pl_kind(at) == PL_MAP) {
			pl_str key = pl_text(pl_key(at, i));

			n += (size_t)snprintf(path + n, size - n, "/%.*s", (int)key.n, key.p);
			at = pl_value(at, i);
		} else {
			n += (size_t)snprintf(path + n, size - n, "/%zu", i);
			at = pl_item(at, i);
		}
	}
	return at;
}

/* One random step and what takes it back, in front of what took the earlier ones back. */
static void add_step(struct inverse *v, pl_node *root, uint32_t *seed)
{
	static const char *const values[] = {"1", "{\"a\":[1,{}]}", "[]", "null", "{\"x\":{\"y\":2},\"a\":3}"};
	char path[512], child[600];
	pl_node *at = wander(root, seed, path, sizeof(path)),
		*value = read_json(v->d, values[next_random(seed) % 5], NULL), *there, *back;

	if (pl_kind(at) == PL_LIST || pl_kind(at) == PL_MAP) {
		if (pl_kind(at) == PL_LIST)
			(void)snprintf(child, sizeof(child), "%s/%u", path,
				       (unsigned)(next_random(seed) % (pl_len(at) + 1)));
		else
			(void)snprintf(child, sizeof(child), "%s/new%u", path, (unsigned)(next_random(seed) % 100000));
		if (pl_kind(at) == PL_MAP && pl_pointer(root, str_of(child), &there, NULL) == PL_OK)
			return;
		there = operation(v->d, "add", child, value);
		back = operation(v->d, "remove", child, NULL);
	} else {
		there = operation(v->d, "replace", path, value);
		back = operation(v->d, "replace", path, at);
	}
	pl_append(v->d, v->there, there);
	pl_insert(v->d, v->back, 0, back);
}

static void a_patch_and_its_inverse_give_the_original(void **state)
{
	uint32_t seed;
	size_t i;

	(void)state;
	for (seed = 1; seed <= 200; seed++) {
		pl_doc *d = pl_doc_new(NULL);
		pl_node *root = read_json(d, "{\"a\":{\"b\":[1,2,{\"c\":null}]},\"d\":[[],{}],\"e\":\"f\"}", NULL),
			*was = pl_copy(d, d, root);
		uint32_t random = seed;
		struct pl_err e = ERR_INIT;

		struct inverse v = {d, pl_new_list(d), pl_new_list(d)};
		for (i = 0; i < 30; i++) {
			add_step(&v, root, &random);
			/* All again from the start, to wander through what has become of it. */
			root = pl_copy(d, d, was);
			assert_int_equal(pl_patch_json(d, &root, d, v.there, NULL), PL_OK);
		}
		assert_false(pl_equal(root, was));
		if (pl_patch_json(d, &root, d, v.back, &e))
			fail_msg("seed %u: %s", seed, pl_err_text(&e));
		assert_true(pl_equal(root, was));
		pl_doc_unref(d);
	}
}

/* ---- hostile patches ---- */

static void copies_of_copies_end_at_the_limit(void **state)
{
	pl_limits limits = {.max_nodes = 20000};
	pl_doc *d = pl_doc_new(&limits), *pd = pl_doc_new(NULL);
	pl_node *root = read_json(d, "{\"a\":[1]}", "doc.json"), *ops = pl_new_list(pd), *op;
	struct pl_err e = ERR_INIT;
	size_t i;

	(void)state;
	for (i = 0; i < 60; i++) {
		op = operation(pd, "copy", "/a/-", NULL);
		pl_sets(pd, op, "from", pl_new_string(pd, S("/a")));
		pl_append(pd, ops, op);
	}
	assert_int_equal(pl_patch_json(d, &root, pd, ops, &e), PL_ETOOBIG);
	assert_non_null(strstr(pl_err_text(&e), "copy '/a/-': the document would have more than 20000 values"));
	assert_json(root, "{\"a\":[1]}");
	err_clear(&e);
	pl_doc_unref(d);
	pl_doc_unref(pd);
}

static void nesting_ends_at_the_limit(void **state)
{
	pl_limits limits = {.max_depth = 10};
	pl_doc *d = pl_doc_new(&limits), *pd = pl_doc_new(NULL);
	pl_node *root = read_json(d, "{\"a\":{\"a\":{\"a\":{}}},\"b\":{\"b\":{\"b\":{\"b\":{\"b\":{}}}}}}", NULL),
		*ops = pl_new_list(pd), *op;
	struct pl_err e = ERR_INIT;

	(void)state;
	op = operation(pd, "move", "/a/a/a/b", NULL);
	pl_sets(pd, op, "from", pl_new_string(pd, S("/b")));
	pl_append(pd, ops, op);
	assert_int_equal(pl_patch_json(d, &root, pd, ops, &e), PL_OK);
	op = operation(pd, "add", "/a/a/a/b/b/b/b/b/b", read_json(pd, "{}", NULL));
	pl_append(pd, ops, op);
	pl_remove_item(pd, ops, 0);
	assert_int_equal(pl_patch_json(d, &root, pd, ops, &e), PL_OK);
	op = operation(pd, "add", "/a/a/a/b/b/b/b/b/b/b", read_json(pd, "{}", NULL));
	pl_append(pd, ops, op);
	pl_remove_item(pd, ops, 0);
	assert_int_equal(pl_patch_json(d, &root, pd, ops, &e), PL_ETOOBIG);
	assert_non_null(strstr(pl_err_text(&e), "nested more than 10 deep"));
	err_clear(&e);
	pl_doc_unref(d);
	pl_doc_unref(pd);
}

/* ---- JSON Merge Patch ---- */

static void merge_patches_follow_the_rfc(void **state)
{
	static const char *const rows[][3] = {
		{"{\"a\":1}", "{\"a\":2}", "{\"a\":2}"},
		{"{\"a\":1}", "{\"b\":2}", "{\"a\":1,\"b\":2}"},
		{"{\"a\":1}", "{\"a\":null}", "{}"},
		{"{\"a\":1,\"b\":2,\"c\":3}", "{\"c\":null,\"a\":null}", "{\"b\":2}"},
		{"{\"a\":[1]}", "{\"a\":2}", "{\"a\":2}"},
		{"{\"a\":1}", "{\"a\":[2]}", "{\"a\":[2]}"},
		{"{\"a\":{\"b\":1,\"c\":2}}", "{\"a\":{\"b\":null,\"d\":3}}", "{\"a\":{\"c\":2,\"d\":3}}"},
		{"{\"a\":[{\"b\":1}]}", "{\"a\":[1,null]}", "{\"a\":[1,null]}"},
		{"[1,2]", "[3]", "[3]"},
		{"{\"a\":1}", "[null]", "[null]"},
		{"{\"a\":1}", "null", "null"},
		{"{\"a\":1}", "\"b\"", "\"b\""},
		{"{\"a\":null}", "{\"b\":1}", "{\"a\":null,\"b\":1}"},
		{"[1]", "{\"a\":1,\"b\":null}", "{\"a\":1}"},
		{"{}", "{\"a\":{\"b\":{\"c\":null}}}", "{\"a\":{\"b\":{}}}"},
		{"{\"a\":\"s\"}", "{\"a\":{\"b\":{\"c\":null,\"d\":1}}}", "{\"a\":{\"b\":{\"d\":1}}}"},
		{"{\"a\":1}", "{}", "{\"a\":1}"},
		{"1", "{}", "{}"},
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		assert_patched(pl_patch_merge, rows[i][0], rows[i][1], rows[i][2]);
}

static void big_maps_are_merged_in_order(void **state)
{
	enum { KEYS = 1000 };
	pl_doc *d = pl_doc_new(NULL);
	pl_node *root = pl_new_map(d), *patch = pl_new_map(d);
	char key[32];
	size_t i;

	(void)state;
	for (i = 0; i < KEYS; i++) {
		(void)snprintf(key, sizeof(key), "k%zu", i);
		pl_sets(d, root, key, pl_new_int(d, 1));
		if (i % 2)
			pl_sets(d, patch, key, pl_new_null(d));
		(void)snprintf(key, sizeof(key), "n%zu", i);
		pl_sets(d, patch, key, pl_new_int(d, 2));
	}
	assert_int_equal(pl_patch_merge(d, &root, d, patch, NULL), PL_OK);
	assert_int_equal(pl_len(root), KEYS / 2 + KEYS);
	for (i = 0; i < KEYS / 2; i++) {
		(void)snprintf(key, sizeof(key), "k%zu", 2 * i);
		assert_true(str_eqz(pl_text(pl_key(root, i)), key));
	}
	assert_true(str_eqz(pl_text(pl_key(root, KEYS / 2)), "n0"));
	pl_doc_unref(d);
}

static void merged_values_keep_their_places(void **state)
{
	pl_doc *d = pl_doc_new(NULL), *pd = pl_doc_new(NULL);
	pl_node *root = read_json(d, "{\"a\":{}}", "doc.json"),
		*patch = read_json(pd, "{\"a\":\n{\"b\":\n{\"c\":1}}}", "patch.json"), *n;

	(void)state;
	assert_int_equal(pl_patch_merge(d, &root, pd, patch, NULL), PL_OK);
	assert_string_equal(pl_at(d, root).file, "doc.json");
	assert_int_equal(pl_pointer(root, S("/a/b"), &n, NULL), PL_OK);
	assert_string_equal(pl_at(d, n).file, "patch.json");
	assert_int_equal(pl_at(d, n).line, 3);
	assert_int_equal(pl_at(d, pl_getkey(n, S("c"))).line, 3);
	pl_doc_unref(pd);
	pl_doc_unref(d);
}

static void nothing_is_merged_into_nothing(void **state)
{
	pl_doc *d = pl_doc_new(NULL);
	pl_node *root = NULL;

	(void)state;
	assert_int_equal(pl_patch_merge(d, &root, d, read_json(d, "{\"a\":{\"b\":null}}", NULL), NULL), PL_OK);
	assert_json(root, "{\"a\":{}}");
	root = NULL;
	assert_int_equal(
		pl_patch_json(d, &root, d, read_json(d, "[{\"op\":\"add\",\"path\":\"\",\"value\":1}]", NULL), NULL),
		PL_OK);
	assert_json(root, "1");
	assert_int_equal(pl_patch_merge(d, &root, d, NULL, NULL), PL_EINVAL);
	assert_int_equal(pl_patch_json(d, &root, d, NULL, NULL), PL_EINVAL);
	assert_json(root, "1");
	pl_doc_unref(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_operation_does_what_the_rfc_says),
		cmocka_unit_test(a_patch_that_cannot_be_done_is_told_with_its_place),
		cmocka_unit_test(a_failed_patch_changes_nothing),
		cmocka_unit_test(a_frozen_document_is_not_patched),
		cmocka_unit_test(big_maps_are_patched_right),
		cmocka_unit_test(a_patch_and_its_inverse_give_the_original),
		cmocka_unit_test(copies_of_copies_end_at_the_limit),
		cmocka_unit_test(nesting_ends_at_the_limit),
		cmocka_unit_test(merge_patches_follow_the_rfc),
		cmocka_unit_test(big_maps_are_merged_in_order),
		cmocka_unit_test(merged_values_keep_their_places),
		cmocka_unit_test(nothing_is_merged_into_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
