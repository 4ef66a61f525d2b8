/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/base/err.h"
#include "plumb/schema.h"

#include <stdio.h>
#include <stdlib.h>

/* One field for every way to merge. */
static const char schema[] =
	"{\"definitions\":{\"box\":{\"type\":\"object\",\"properties\":{"
	"\"shelves\":{\"type\":\"array\",\"items\":{\"$ref\":\"#/definitions/box\"},"
	"\"x-kubernetes-patch-strategy\":\"merge\",\"x-kubernetes-patch-merge-key\":\"id\"},"
	"\"parts\":{\"type\":\"array\",\"items\":{\"$ref\":\"#/definitions/box\"},"
	"\"x-kubernetes-patch-strategy\":\"merge,retainKeys\",\"x-kubernetes-patch-merge-key\":\"id\"},"
	"\"tags\":{\"type\":\"array\",\"items\":{\"type\":\"string\"},\"x-kubernetes-patch-strategy\":\"merge\"},"
	"\"odd\":{\"type\":\"array\",\"items\":{\"$ref\":\"#/definitions/box\"},"
	"\"x-kubernetes-patch-strategy\":\"merge\"},"
	"\"words\":{\"type\":\"array\",\"items\":{\"type\":\"string\"}},"
	"\"lid\":{\"$ref\":\"#/definitions/box\",\"x-kubernetes-patch-strategy\":\"replace\"},"
	"\"rest\":{\"$ref\":\"#/definitions/box\",\"x-kubernetes-patch-strategy\":\"retainKeys\"},"
	"\"labels\":{\"type\":\"object\",\"additionalProperties\":{\"type\":\"string\"}},"
	"\"id\":{\"type\":\"string\"},\"size\":{\"type\":\"integer\"},"
	"\"sub\":{\"$ref\":\"#/definitions/box\"}}}}}";

struct fix {
	pl_doc *d, *other;
	pl_types *types;
	pl_type box;
	struct pl_err e;
};

static pl_node *json(pl_doc *d, const char *text)
{
	struct pl_err e = ERR_INIT;
	pl_node *n = NULL;

	if (pl_json_read(d, str_of(text), "f.json", 0, &n, &e))
		fail_msg("%s in %s", pl_err_text(&e), text);
	return n;
}

static int setup(void **state)
{
	static const struct fix none;
	struct fix *f = malloc(sizeof(*f));

	*f = none;
	f->d = pl_doc_new(NULL);
	f->other = pl_doc_new(NULL);
	f->types = pl_types_new(1);
	assert_int_equal(pl_types_add_openapi(f->types, f->other, json(f->other, schema), &f->e), PL_OK);
	f->box = pl_types_named(f->types, S("box"));
	assert_true(pl_type_known(f->box));
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fix *f = *state;

	pl_doc_unref(f->d);
	pl_doc_unref(f->other);
	pl_types_free(f->types);
	err_clear(&f->e);
	free(f);
	return 0;
}

static void assert_json(const pl_node *n, const char *wanted, const char *what)
{
	struct pl_err e = ERR_INIT;
	char *text;
	size_t len;

	if (pl_json_write(n, 0, &text, &len, &e))
		fail_msg("%s", pl_err_text(&e));
	if (strcmp(text, wanted) != 0)
		fail_msg("%s\n  gave   %s\n  wanted %s", what, text, wanted);
	pl_free(text);
}

struct good {
	const char *doc, *patch, *wanted;
};

static void patch_all(struct fix *f, const struct good *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		pl_node *root = json(f->d, v[i].doc), *before = root, *copy = pl_copy(f->d, f->d, root);
		const pl_node *patch = json(f->other, v[i].patch), *kept = pl_copy(f->other, f->other, patch);

		if (pl_patch_strategic(f->d, &root, f->other, patch, f->box, &f->e))
			fail_msg("%s: %s", v[i].patch, pl_err_text(&f->e));
		assert_json(root, v[i].wanted, v[i].patch);
		assert_true(pl_equal(patch, kept));
		assert_true(pl_equal(before, copy));
	}
}
#define PATCH_ALL(f, v) patch_all(f, v, sizeof(v) / sizeof(*(v)))

static void maps_merge(void **state)
{
	static const struct good v[] = {
		{"{\"id\":\"a\",\"size\":1}", "{\"size\":2}", "{\"id\":\"a\",\"size\":2}"},
		{"{\"id\":\"a\",\"size\":1}", "{\"size\":null,\"gone\":null}", "{\"id\":\"a\"}"},
		{"{}", "{\"labels\":{\"a\":\"b\",\"c\":null}}", "{\"labels\":{\"a\":\"b\"}}"},
		{"{}", "{\"sub\":{\"sub\":{\"id\":null}}}", "{\"sub\":{\"sub\":{}}}"},
		{"{\"labels\":{\"a\":\"1\",\"b\":\"2\"}}", "{\"labels\":{\"b\":null,\"c\":\"3\"}}",
		 "{\"labels\":{\"a\":\"1\",\"c\":\"3\"}}"},
		{"{\"sub\":{\"id\":\"a\"}}", "{\"sub\":3}", "{\"sub\":3}"},
		{"{\"sub\":3}", "{\"sub\":{\"id\":\"a\",\"size\":null}}", "{\"sub\":{\"id\":\"a\"}}"},
		{"{\"words\":[1,null]}", "{\"words\":[null,\"x\"]}", "{\"words\":[null,\"x\"]}"},
		{"{\"lid\":{\"id\":\"a\",\"size\":1}}", "{\"lid\":{\"size\":2}}", "{\"lid\":{\"size\":2}}"},
		{"{\"n\":null}", "{\"id\":\"a\"}", "{\"n\":null,\"id\":\"a\"}"},
		{"{\"size\":9223372036854775807,\"x\":1.10}", "{\"id\":\"a\",\"y\":123456789012345678901234567890}",
		 "{\"size\":9223372036854775807,\"x\":1.10,\"id\":\"a\",\"y\":123456789012345678901234567890}"},
		{"{\"a\":{\"b\":{\"c\":[1],\"d\":1}}}", "{\"a\":{\"b\":{\"c\":[2],\"e\":2}}}",
		 "{\"a\":{\"b\":{\"c\":[2],\"d\":1,\"e\":2}}}"},
		{"null", "{\"id\":\"a\"}", "{\"id\":\"a\"}"},
		{"{\"id\":\"a\"}", "{}", "{\"id\":\"a\"}"},
	};

	PATCH_ALL(*state, v);
}

static void patch_directives_of_maps(void **state)
{
	static const struct good v[] = {
		{"{\"sub\":{\"id\":\"a\",\"size\":1}}", "{\"sub\":{\"$patch\":\"replace\",\"id\":\"b\"}}",
		 "{\"sub\":{\"id\":\"b\"}}"},
		{"{\"sub\":{\"id\":\"a\"}}", "{\"sub\":{\"$patch\":\"delete\"}}", "{\"sub\":{}}"},
		{"{\"id\":\"a\"}", "{\"$patch\":\"replace\",\"size\":1}", "{\"size\":1}"},
		{"{\"id\":\"a\"}", "{\"$patch\":\"delete\"}", "{}"},
		/* What was not there can't be replaced or deleted. */
		{"{}", "{\"sub\":{\"$patch\":\"delete\"}}", "{}"},
		{"{}", "{\"sub\":{\"$patch\":\"replace\",\"id\":\"b\"}}", "{}"},
		{"{}", "{\"sub\":{\"id\":\"a\",\"sub\":{\"$patch\":\"delete\"}}}", "{\"sub\":{\"id\":\"a\"}}"},
		/* Directives never become content. */
		{"{}", "{\"sub\":{\"$retainKeys\":[\"id\"],\"id\":\"a\",\"$setElementOrder/tags\":[\"a\"]}}",
		 "{\"sub\":{\"id\":\"a\"}}"},
		{"{\"words\":[\"a\"]}", "{\"words\":[\"b\",{\"$patch\":\"replace\"}]}", "{\"words\":[\"b\"]}"},
		{"{\"sub\":{\"id\":\"a\"}}",
		 "{\"sub\":{\"$patch\":\"replace\",\"size\":1,\"x\":null,\"$retainKeys\":[]}}",
		 "{\"sub\":{\"size\":1,\"x\":null}}"},
	};

	PATCH_ALL(*state, v);
}

static void retain_keys(void **state)
{
	static const struct good v[] = {
		{"{\"rest\":{\"id\":\"a\",\"size\":1}}", "{\"rest\":{\"$retainKeys\":[\"id\",\"x\"],\"x\":1}}",
		 "{\"rest\":{\"id\":\"a\",\"x\":1}}"},
		{"{\"rest\":{\"id\":\"a\",\"size\":1}}", "{\"rest\":{\"$retainKeys\":[\"id\"],\"size\":null}}",
		 "{\"rest\":{\"id\":\"a\"}}"},
		{"{\"rest\":{\"id\":\"a\",\"size\":1}}", "{\"rest\":{\"$retainKeys\":[]}}", "{\"rest\":{}}"},
		{"{\"rest\":{\"tags\":[\"b\",\"a\"],\"size\":1}}",
		 "{\"rest\":{\"$retainKeys\":[\"tags\"],\"$setElementOrder/tags\":[\"a\",\"b\"]}}",
		 "{\"rest\":{\"tags\":[\"a\",\"b\"]}}"},
		{"{\"parts\":[{\"id\":\"a\",\"size\":1,\"x\":1}]}",
		 "{\"parts\":[{\"id\":\"a\",\"$retainKeys\":[\"id\",\"y\"],\"y\":2}]}",
		 "{\"parts\":[{\"id\":\"a\",\"y\":2}]}"},
		{"{\"rest\":{\"id\":\"a\",\"size\":1}}", "{\"rest\":{\"$retainKeys\":[\"size\"],\"size\":{\"b\":1}}}",
		 "{\"rest\":{\"size\":{\"b\":1}}}"},
	};

	PATCH_ALL(*state, v);
}

static void lists_of_maps(void **state)
{
	static const struct good v[] = {
		{"{\"shelves\":[{\"id\":\"a\"},{\"id\":\"b\",\"size\":1}]}",
		 "{\"shelves\":[{\"id\":\"b\",\"size\":2,\"x\":1}]}",
		 "{\"shelves\":[{\"id\":\"a\"},{\"id\":\"b\",\"size\":2,\"x\":1}]}"},
		/* New items come before those that only the document has, unless the list says where. */
		{"{\"shelves\":[{\"id\":\"a\"},{\"id\":\"b\"}]}", "{\"shelves\":[{\"id\":\"c\"}]}",
		 "{\"shelves\":[{\"id\":\"c\"},{\"id\":\"a\"},{\"id\":\"b\"}]}"},
		{"{\"shelves\":[{\"id\":\"a\"},{\"id\":\"b\"},{\"id\":\"c\"}]}",
		 "{\"shelves\":[{\"id\":\"c\"},{\"id\":\"a\"}]}",
		 "{\"shelves\":[{\"id\":\"b\"},{\"id\":\"c\"},{\"id\":\"a\"}]}"},
		{"{\"shelves\":[{\"id\":\"a\"},{\"id\":\"b\"}]}",
		 "{\"shelves\":[{\"$patch\":\"delete\",\"id\":\"a\"},{\"$patch\":\"delete\",\"id\":\"z\"}]}",
		 "{\"shelves\":[{\"id\":\"b\"}]}"},
		{"{\"shelves\":[{\"id\":\"a\",\"size\":1}]}",
		 "{\"shelves\":[{\"$patch\":\"delete\",\"id\":\"a\"},{\"id\":\"a\",\"x\":1}]}",
		 "{\"shelves\":[{\"id\":\"a\",\"x\":1}]}"},
		{"{\"shelves\":[{\"id\":\"a\"}]}", "{\"shelves\":[{\"id\":\"b\"},{\"$patch\":\"replace\"}]}",
		 "{\"shelves\":[{\"id\":\"b\"}]}"},
		{"{\"shelves\":[{\"id\":\"a\"}]}", "{\"shelves\":[{\"$patch\":\"replace\"}]}", "{\"shelves\":[]}"},
		{"{\"shelves\":[{\"id\":\"a\"}]}", "{\"shelves\":[]}", "{\"shelves\":[{\"id\":\"a\"}]}"},
		{"{\"shelves\":[]}", "{\"shelves\":[{\"id\":\"b\"},{\"id\":\"a\"}]}",
		 "{\"shelves\":[{\"id\":\"b\"},{\"id\":\"a\"}]}"},
		/* An item that is there twice: the first takes the patch, both go. */
		{"{\"shelves\":[{\"id\":\"a\",\"x\":1},{\"id\":\"b\"},{\"id\":\"a\",\"x\":2}]}",
		 "{\"shelves\":[{\"id\":\"a\",\"x\":3}]}",
		 "{\"shelves\":[{\"id\":\"a\",\"x\":3},{\"id\":\"a\",\"x\":2},{\"id\":\"b\"}]}"},
		{"{\"shelves\":[{\"id\":\"a\",\"x\":1},{\"id\":\"b\"},{\"id\":\"a\",\"x\":2}]}",
		 "{\"shelves\":[{\"id\":\"a\",\"$patch\":\"delete\"}]}", "{\"shelves\":[{\"id\":\"b\"}]}"},
		{"{\"shelves\":[]}", "{\"shelves\":[{\"id\":\"n\",\"x\":1},{\"id\":\"n\",\"y\":2}]}",
		 "{\"shelves\":[{\"id\":\"n\",\"x\":1,\"y\":2}]}"},
		/* Keys are compared by kind and value. */
		{"{\"shelves\":[{\"id\":1},{\"id\":\"1\"},{\"id\":true},{\"id\":null}]}",
		 "{\"shelves\":[{\"id\":1.0,\"x\":1},{\"id\":true,\"x\":3}]}",
		 "{\"shelves\":[{\"id\":1.0,\"x\":1},{\"id\":\"1\"},{\"id\":true,\"x\":3},{\"id\":null}]}"},
		/* Nested. */
		{"{\"shelves\":[{\"id\":\"a\",\"shelves\":[{\"id\":\"x\"},{\"id\":\"y\"}]}]}",
		 "{\"shelves\":[{\"id\":\"a\",\"shelves\":[{\"id\":\"y\",\"$patch\":\"delete\"}],\"tags\":[\"t\"]}]}",
		 "{\"shelves\":[{\"id\":\"a\",\"shelves\":[{\"id\":\"x\"}],\"tags\":[\"t\"]}]}"},
	};

	PATCH_ALL(*state, v);
}

static void lists_of_scalars(void **state)
{
	static const struct good v[] = {
		{"{\"tags\":[\"a\",\"b\"]}", "{\"tags\":[\"b\",\"c\"]}", "{\"tags\":[\"a\",\"b\",\"c\"]}"},
		{"{\"tags\":[\"a\",\"b\"]}", "{\"tags\":[\"c\"]}", "{\"tags\":[\"c\",\"a\",\"b\"]}"},
		{"{\"tags\":[\"a\",\"b\",\"a\"]}", "{\"tags\":[\"c\",\"c\"]}", "{\"tags\":[\"c\",\"a\",\"b\"]}"},
		{"{\"tags\":[\"a\",\"b\",\"a\"]}", "{\"$deleteFromPrimitiveList/tags\":[\"a\",\"z\"]}",
		 "{\"tags\":[\"b\"]}"},
		{"{\"tags\":[\"a\",\"b\"]}", "{\"$deleteFromPrimitiveList/tags\":[\"a\"],\"tags\":[\"c\"]}",
		 "{\"tags\":[\"c\",\"b\"]}"},
		{"{}", "{\"$deleteFromPrimitiveList/tags\":[\"a\"]}", "{}"},
		{"{\"tags\":null}", "{\"$deleteFromPrimitiveList/tags\":[\"a\"]}", "{\"tags\":null}"},
		/* Also from a list that is otherwise replaced. */
		{"{\"words\":[\"a\",\"b\"]}", "{\"$deleteFromPrimitiveList/words\":[\"a\"]}", "{\"words\":[\"b\"]}"},
		{"{\"tags\":[1,2]}", "{\"tags\":[2.0,3]}", "{\"tags\":[1,2,3]}"},
		{"{\"tags\":[\"a\"]}", "{\"tags\":null}", "{}"},
	};

	PATCH_ALL(*state, v);
}

static void order_of_elements(void **state)
{
	static const struct good v[] = {
		{"{\"tags\":[\"a\",\"b\",\"c\"]}", "{\"$setElementOrder/tags\":[\"c\",\"a\"]}",
		 "{\"tags\":[\"b\",\"c\",\"a\"]}"},
		{"{\"shelves\":[{\"id\":\"a\"},{\"id\":\"b\"},{\"id\":\"c\"}]}",
		 "{\"$setElementOrder/shelves\":[{\"id\":\"c\"},{\"id\":\"n\"},{\"id\":\"a\"}],"
		 "\"shelves\":[{\"id\":\"n\"}]}",
		 "{\"shelves\":[{\"id\":\"b\"},{\"id\":\"c\"},{\"id\":\"n\"},{\"id\":\"a\"}]}"},
		{"{}", "{\"$setElementOrder/tags\":[\"a\",\"b\"],\"tags\":[\"a\",\"b\"]}", "{\"tags\":[\"a\",\"b\"]}"},
		{"{}", "{\"$setElementOrder/tags\":[\"a\"]}", "{}"},
		{"{\"words\":[\"x\"]}", "{\"words\":[\"b\",\"a\"],\"$setElementOrder/words\":[\"b\",\"a\"]}",
		 "{\"words\":[\"b\",\"a\"]}"},
		{"{}",
		 "{\"$setElementOrder/shelves\":[{\"id\":\"a\"}],"
		 "\"shelves\":[{\"id\":\"a\"},{\"id\":\"z\",\"$patch\":\"delete\"}]}",
		 "{\"shelves\":[{\"id\":\"a\"}]}"},
		/* A new item takes the seat of one that was deleted, so that it stands before what followed. */
		{"{\"shelves\":[{\"id\":\"1\"},{\"id\":\"2\"},{\"id\":\"3\"}]}",
		 "{\"$setElementOrder/shelves\":[{\"id\":\"4\"}],"
		 "\"shelves\":[{\"id\":\"4\"},{\"id\":\"1\",\"$patch\":\"delete\"}]}",
		 "{\"shelves\":[{\"id\":\"2\"},{\"id\":\"3\"},{\"id\":\"4\"}]}"},
		{"{\"shelves\":[{\"id\":\"1\"},{\"id\":\"2\"}]}",
		 "{\"$setElementOrder/shelves\":[{\"id\":\"4\"}],\"shelves\":[{\"id\":\"4\"}]}",
		 "{\"shelves\":[{\"id\":\"4\"},{\"id\":\"1\"},{\"id\":\"2\"}]}"},
	};

	PATCH_ALL(*state, v);
}

struct bad {
	const char *doc, *patch, *error;
};

static void mistakes_are_told_with_their_place(void **state)
{
	static const struct bad v[] = {
		{"{}", "[]", "p.json:1:1: a strategic merge patch must be a map"},
		{"[]", "{}", "f.json:1:1: only a map can take a strategic merge patch"},
		{"{\"sub\":{}}", "{\"sub\":{\"$patch\":\"merge\"}}",
		 "p.json:1:18: '$patch: merge' is not known (leave it out: maps and lists merge without it)"},
		{"{\"sub\":{}}", "{\"sub\":{\"$patch\":\"replac\"}}",
		 "p.json:1:18: unknown '$patch: replac' (did you mean 'replace'?)"},
		{"{\"sub\":{}}", "{\"sub\":{\"$patch\":7}}", "p.json:1:18: '$patch' must be delete or replace"},
		{"{\"shelves\":[{\"id\":\"a\"}]}", "{\"shelves\":[{\"$patch\":\"merge\",\"id\":\"a\"}]}",
		 "p.json:1:23: '$patch: merge' is not known in an item of a list (leave it out: items of the same 'id' "
		 "merge)"},
		{"{\"shelves\":[{\"id\":\"a\"}]}", "{\"shelves\":[{\"$patch\":\"xxxxx\",\"id\":\"a\"}]}",
		 "p.json:1:23: unknown '$patch: xxxxx' (there are delete and replace)"},
		{"{\"shelves\":[{\"id\":\"a\"}]}", "{\"shelves\":[{\"$patch\":\"delete\"}]}",
		 "p.json:1:13: item of 'shelves' has no 'id' to merge by"},
		{"{\"shelves\":[{\"id\":\"a\"}]}", "{\"shelves\":[{\"size\":1}]}",
		 "p.json:1:13: item of 'shelves' has no 'id' to merge by"},
		{"{\"shelves\":[{\"size\":1}]}", "{\"shelves\":[{\"id\":\"a\"}]}",
		 "f.json:1:13: item of 'shelves' has no 'id' to merge by"},
		{"{\"shelves\":[{\"id\":\"a\"}]}", "{\"shelves\":[{\"id\":{}}]}",
		 "p.json:1:19: 'id', which items of 'shelves' merge by, is a map, not a scalar"},
		{"{\"shelves\":[{\"id\":null}]}", "{\"shelves\":[{\"id\":null}]}",
		 "p.json:1:19: 'id', which items of 'shelves' merge by, is null"},
		{"{\"shelves\":[{\"id\":\"a\"}]}", "{\"shelves\":[\"a\"]}",
		 "p.json:1:13: item of 'shelves' is a string, not a map with 'id' to merge by"},
		{"{\"tags\":[\"a\"]}", "{\"tags\":[\"b\",1]}",
		 "p.json:1:14: item of 'tags' is a number where others are a string: a list of both can't be merged"},
		{"{\"tags\":[1]}", "{\"tags\":[\"b\"]}",
		 "f.json:1:10: item of 'tags' is a number where others are a string: a list of both can't be merged"},
		{"{\"tags\":[\"a\"]}", "{\"tags\":[null]}",
		 "p.json:1:10: item of 'tags' is null: such a list can't be merged"},
		{"{\"tags\":[\"a\"]}", "{\"tags\":[[]]}",
		 "p.json:1:10: item of 'tags' is a list: such a list can't be merged"},
		{"{\"odd\":[{\"id\":\"a\"}]}", "{\"odd\":[{\"id\":\"b\"}]}",
		 "p.json:1:9: 'odd' has no merge key, its items can't be told apart"},
		{"{\"shelves\":[{\"id\":\"a\"}]}", "{\"$deleteFromPrimitiveList/shelves\":[{\"id\":\"a\"}]}",
		 "p.json:1:38: 'shelves' has no merge key, its items can't be told apart"},
		{"{}", "{\"$deleteFromPrimitiveList\":[]}",
		 "p.json:1:2: '$deleteFromPrimitiveList' names no field (write '$deleteFromPrimitiveList/FIELD')"},
		{"{}", "{\"$setElementOrder/\":[]}",
		 "p.json:1:2: '$setElementOrder/' names no field (write '$setElementOrder/FIELD')"},
		{"{}", "{\"$setElementOrder/tags\":1}", "p.json:1:26: '$setElementOrder/tags' must be a list"},
		{"{\"tags\":{}}", "{\"$setElementOrder/tags\":[\"a\"]}",
		 "f.json:1:9: 'tags' is no list, but the patch sets the order of its items"},
		{"{}", "{\"$setElementOrder/tags\":[\"a\"],\"tags\":1}",
		 "p.json:1:39: 'tags' is no list, but the patch sets the order of its items"},
		{"{\"tags\":[\"a\"]}", "{\"$setElementOrder/tags\":[\"a\",\"b\"],\"tags\":[\"b\",\"a\"]}",
		 "p.json:1:48: item of 'tags' is not in '$setElementOrder/tags' at its place (it must name every item "
		 "of the patch, in the same order)"},
		{"{\"rest\":{}}", "{\"rest\":{\"$retainKeys\":\"id\"}}", "p.json:1:24: '$retainKeys' must be a list"},
		{"{\"rest\":{}}", "{\"rest\":{\"$retainKeys\":[1]}}",
		 "p.json:1:25: '$retainKeys' must be a list of field names"},
		{"{\"rest\":{}}", "{\"rest\":{\"$retainKeys\":[\"id\"],\"size\":1}}",
		 "p.json:1:31: field 'size' is set but not in '$retainKeys'"},
	};
	struct fix *f = *state;

	for (size_t i = 0; i < sizeof(v) / sizeof(*v); i++) {
		pl_node *root = json(f->d, v[i].doc), *before = root, *copy = pl_copy(f->d, f->d, root), *patch = NULL;

		assert_int_equal(pl_json_read(f->other, str_of(v[i].patch), "p.json", 0, &patch, NULL), PL_OK);
		assert_int_equal(pl_patch_strategic(f->d, &root, f->other, patch, f->box, &f->e), PL_EINVAL);
		assert_string_equal(pl_err_text(&f->e), v[i].error);
		assert_int_equal(pl_patch_strategic(f->d, &root, f->other, patch, f->box, NULL), PL_EINVAL);
		assert_ptr_equal(root, before);
		assert_true(pl_equal(root, copy));
	}
}

static void built_in_kinds_are_known(void **state)
{
	struct fix *f = *state;
	pl_type pod = pl_types_kind(NULL, S(""), S("v1"), S("Pod"));
	pl_node *root = json(f->d, "{\"spec\":{\"containers\":[{\"name\":\"a\",\"image\":\"x\",\"args\":[\"-v\"],"
				   "\"ports\":[{\"containerPort\":80}]},{\"name\":\"b\"}]}}");
	pl_node *patch = json(f->d, "{\"spec\":{\"containers\":[{\"name\":\"a\",\"args\":[\"-x\"],"
				    "\"ports\":[{\"containerPort\":80,\"name\":\"http\"}]}]}}");

	assert_int_equal(pl_patch_strategic(f->d, &root, f->d, patch, pod, &f->e), PL_OK);
	assert_json(root,
		    "{\"spec\":{\"containers\":[{\"name\":\"a\",\"image\":\"x\",\"args\":[\"-x\"],"
		    "\"ports\":[{\"containerPort\":80,\"name\":\"http\"}]},{\"name\":\"b\"}]}}",
		    "pod");
}

static void frozen_documents_are_left_alone(void **state)
{
	struct fix *f = *state;
	pl_node *root = json(f->d, "{\"id\":\"a\"}"), *patch = json(f->other, "{\"size\":1}");

	pl_doc_freeze(f->other);
	assert_int_equal(pl_patch_strategic(f->d, &root, f->other, patch, f->box, &f->e), PL_OK);
	assert_json(root, "{\"id\":\"a\",\"size\":1}", "a frozen patch");
	pl_doc_freeze(f->d);
	assert_int_equal(pl_patch_strategic(f->d, &root, f->other, patch, f->box, &f->e), PL_EDENIED);
	assert_int_equal(pl_patch_three_way(f->d, &root, f->other, NULL, patch, f->box, &f->e), PL_OK);
	patch = pl_gets(root, "none");
	assert_null(patch);
}

static pl_node *deep(pl_doc *d, int levels, const char *leaf)
{
	pl_node *n = pl_new_string(d, str_of(leaf));

	for (int i = 0; i < levels; i++) {
		pl_node *map = pl_new_map(d);

		pl_sets(d, map, "sub", n);
		n = map;
	}
	return n;
}

static void depth_has_a_limit(void **state)
{
	struct fix *f = *state;
	pl_node *root = deep(f->d, 100000, "a"), *before = root;

	assert_int_equal(pl_patch_strategic(f->d, &root, f->other, deep(f->other, 100000, "b"), f->box, &f->e),
			 PL_ETOOBIG);
	assert_string_equal(pl_err_text(&f->e), "patch is more than 600 levels deep");
	assert_int_equal(pl_patch_three_way(f->d, &root, f->other, NULL, deep(f->other, 100000, "b"), f->box, &f->e),
			 PL_ETOOBIG);
	assert_ptr_equal(root, before);
	/* What is only copied may be deeper. */
	root = pl_new_map(f->d);
	assert_int_equal(pl_patch_strategic(f->d, &root, f->other, deep(f->other, 100000, "b"), f->box, &f->e), PL_OK);
	root = deep(f->d, 550, "a");
	assert_int_equal(pl_patch_strategic(f->d, &root, f->other, deep(f->other, 550, "b"), f->box, &f->e), PL_OK);
	assert_true(pl_equal(root, deep(f->d, 550, "b")));
}

/* ---- three-way ---- */

struct apply {
	const char *original, *modified, *live, *wanted;
};

static void three_way(void **state)
{
	static const struct apply v[] = {
		/* Changes and additions are done, deletions are those of what was applied before. */
		{"{\"id\":\"a\",\"x\":1}", "{\"id\":\"b\"}", "{\"id\":\"a\",\"x\":1,\"y\":2}",
		 "{\"id\":\"b\",\"y\":2}"},
		{"{}", "{\"id\":\"b\"}", "{\"id\":\"a\",\"x\":1}", "{\"id\":\"b\",\"x\":1}"},
		{"null", "{\"id\":\"b\"}", "null", "{\"id\":\"b\"}"},
		{"{}", "{\"id\":null,\"x\":{\"y\":null}}", "{\"id\":\"a\"}", "{\"x\":{}}"},
		{"{\"sub\":{\"id\":\"a\"}}", "{\"sub\":{\"size\":1}}", "{\"sub\":{\"id\":\"a\",\"x\":1}}",
		 "{\"sub\":{\"x\":1,\"size\":1}}"},
		{"{\"sub\":{\"id\":\"a\"}}", "{}", "{\"sub\":{\"id\":\"a\",\"x\":1}}", "{}"},
		{"{\"sub\":{\"id\":\"a\"}}", "{\"sub\":{\"size\":1}}", "{\"sub\":\"text\"}", "{\"sub\":{\"size\":1}}"},
		{"{\"words\":[\"a\"]}", "{\"words\":[\"a\"]}", "{\"words\":[\"a\",\"b\"]}", "{\"words\":[\"a\"]}"},
		{"{\"lid\":{\"x\":1}}", "{\"lid\":{\"x\":1}}", "{\"lid\":{\"x\":1,\"y\":1}}", "{\"lid\":{\"x\":1}}"},
		{"{\"rest\":{\"x\":1}}", "{\"rest\":{\"x\":1}}", "{\"rest\":{\"x\":1,\"y\":1}}",
		 "{\"rest\":{\"x\":1}}"},
		/* Lists of maps. */
		{"{\"shelves\":[{\"id\":\"a\",\"x\":1},{\"id\":\"b\"}]}", "{\"shelves\":[{\"id\":\"a\",\"y\":2}]}",
		 "{\"shelves\":[{\"id\":\"s\"},{\"id\":\"a\",\"x\":1,\"z\":1},{\"id\":\"b\"}]}",
		 "{\"shelves\":[{\"id\":\"s\"},{\"id\":\"a\",\"z\":1,\"y\":2}]}"},
		{"{\"shelves\":[]}", "{\"shelves\":[{\"id\":\"a\"}]}", "{\"shelves\":[]}",
		 "{\"shelves\":[{\"id\":\"a\"}]}"},
		{"{\"shelves\":[{\"id\":\"a\"},{\"id\":\"b\"}]}", "{\"shelves\":[{\"id\":\"b\"},{\"id\":\"a\"}]}",
		 "{\"shelves\":[{\"id\":\"a\"},{\"id\":\"b\"}]}", "{\"shelves\":[{\"id\":\"b\"},{\"id\":\"a\"}]}"},
		{"{\"parts\":[{\"id\":\"a\",\"x\":1}]}", "{\"parts\":[{\"id\":\"a\",\"y\":1}]}",
		 "{\"parts\":[{\"id\":\"a\",\"x\":1,\"z\":1},{\"id\":\"b\"}]}",
		 "{\"parts\":[{\"id\":\"a\",\"y\":1},{\"id\":\"b\"}]}"},
		/* Twice the same key: the first pairs with the first, nothing that is wanted is deleted. */
		{"{\"shelves\":[{\"id\":\"a\",\"x\":1},{\"id\":\"a\",\"x\":2}]}",
		 "{\"shelves\":[{\"id\":\"a\",\"x\":1},{\"id\":\"a\",\"x\":2}]}",
		 "{\"shelves\":[{\"id\":\"a\",\"x\":1},{\"id\":\"a\",\"x\":2}]}",
		 "{\"shelves\":[{\"id\":\"a\",\"x\":1},{\"id\":\"a\",\"x\":2}]}"},
		{"{\"shelves\":[{\"id\":\"a\"},{\"id\":\"a\"}]}", "{\"shelves\":[{\"id\":\"a\"}]}",
		 "{\"shelves\":[{\"id\":\"a\"}]}", "{\"shelves\":[{\"id\":\"a\"}]}"},
		/* Lists of scalars. */
		{"{\"tags\":[\"a\",\"b\"]}", "{\"tags\":[\"c\",\"a\"]}", "{\"tags\":[\"s\",\"b\",\"a\"]}",
		 "{\"tags\":[\"c\",\"s\",\"a\"]}"},
		{"{\"tags\":[\"a\"]}", "{\"tags\":[]}", "{\"tags\":[\"a\",\"b\"]}", "{\"tags\":[\"b\"]}"},
		{"{}", "{\"tags\":[\"a\"]}", "{\"tags\":[]}", "{\"tags\":[\"a\"]}"},
	};
	struct fix *f = *state;

	for (size_t i = 0; i < sizeof(v) / sizeof(*v); i++) {
		const pl_node *original = json(f->other, v[i].original), *modified = json(f->other, v[i].modified);
		pl_node *live = json(f->d, v[i].live);

		if (pl_patch_three_way(f->d, &live, f->other, original, modified, f->box, &f->e))
			fail_msg("%s: %s", v[i].modified, pl_err_text(&f->e));
		assert_json(live, v[i].wanted, v[i].modified);
	}
}

static void three_way_of_unknown_kinds(void **state)
{
	static const pl_type unknown;
	struct fix *f = *state;
	pl_node *live = json(f->d, "{\"a\":{\"b\":1,\"s\":1},\"l\":[1,2],\"x\":1}");

	assert_int_equal(pl_patch_three_way(f->d, &live, f->other, json(f->other, "{\"x\":1,\"l\":[{\"name\":\"a\"}]}"),
					    json(f->other, "{\"a\":{\"b\":2},\"l\":[3]}"), unknown, &f->e),
			 PL_OK);
	assert_json(live, "{\"a\":{\"b\":2,\"s\":1},\"l\":[3]}", "unknown");
}

static void three_way_mistakes(void **state)
{
	static const struct apply v[] = {
		{"{}", "[]", "{}", "f.json:1:1: the modified document must be a map"},
		{"{}", "null", "{}", "f.json:1:1: there is no modified document"},
		{"1", "{}", "{}", "f.json:1:1: the original document must be a map"},
		{"{}", "{}", "[]", "f.json:1:1: the live document must be a map"},
		{"{}", "{\"shelves\":[{}]}", "{\"shelves\":[{\"id\":\"a\"}]}",
		 "f.json:1:13: item of 'shelves' has no 'id' to merge by"},
		{"{}", "{\"shelves\":[{\"id\":\"a\"}]}", "{\"shelves\":[ {}]}",
		 "f.json:1:14: item of 'shelves' has no 'id' to merge by"},
		{"{\"shelves\":[  {}]}", "{\"shelves\":[{\"id\":\"a\"}]}", "{\"shelves\":[{\"id\":\"a\"}]}",
		 "f.json:1:15: item of 'shelves' has no 'id' to merge by"},
		{"{}", "{\"tags\":[1]}", "{\"tags\":[\"a\"]}",
		 "f.json:1:10: item of 'tags' is a string where others are a number: a list of both can't be merged"},
	};
	struct fix *f = *state;

	for (size_t i = 0; i < sizeof(v) / sizeof(*v); i++) {
		const pl_node *original = json(f->other, v[i].original), *modified = json(f->other, v[i].modified);
		pl_node *live = json(f->d, v[i].live), *before = live;

		assert_int_equal(pl_patch_three_way(f->d, &live, f->other, original, modified, f->box, &f->e),
				 PL_EINVAL);
		assert_string_equal(pl_err_text(&f->e), v[i].wanted);
		assert_ptr_equal(live, before);
	}
}

/* ---- properties, on random boxes ---- */

static uint32_t next_random(uint32_t *seed)
{
	*seed = *seed * 1664525u + 1013904223u;
	return *seed >> 8;
}

static pl_node *random_box(pl_doc *d, uint32_t *seed, int depth);

/* Some of the ids in a random order, or (scalars) sorted. */
static pl_node *random_list(pl_doc *d, uint32_t *seed, int depth, bool maps)
{
	static const char *const ids[] = {"a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n", "o"};
	size_t n = sizeof(ids) / sizeof(*ids), most = next_random(seed) % 8 ? 4 : n;
	pl_node *list = pl_new_list(d);

	for (size_t i = 0; i < most; i++) {
		pl_str id = str_of(ids[i]);
		pl_node *item;

		if (next_random(seed) % 2)
			continue;
		item = maps ? random_box(d, seed, depth - 1) : pl_new_string(d, id);
		if (maps) {
			pl_sets(d, item, "id", pl_new_string(d, id));
			pl_insert(d, list, next_random(seed) % (pl_len(list) + 1), item);
		} else {
			pl_append(d, list, item);
		}
	}
	return list;
}

static pl_node *random_box(pl_doc *d, uint32_t *seed, int depth)
{
	static const char *const inner[] = {"sub", "lid", "rest", "other"};
	pl_node *box = pl_new_map(d);

	if (next_random(seed) % 2)
		pl_sets(d, box, "size", pl_new_int(d, next_random(seed) % 3));
	if (next_random(seed) % 3 == 0)
		pl_sets(d, box, "tags", random_list(d, seed, depth, false));
	if (next_random(seed) % 3 == 0)
		pl_sets(d, box, "words", random_list(d, seed, depth, false));
	if (depth == 0)
		return box;
	for (size_t i = 0; i < 4; i++)
		if (next_random(seed) % 3 == 0)
			pl_sets(d, box, inner[i], random_box(d, seed, depth - 1));
	if (next_random(seed) % 2)
		pl_sets(d, box, "shelves", random_list(d, seed, depth, true));
	if (next_random(seed) % 3 == 0)
		pl_sets(d, box, "parts", random_list(d, seed, depth, true));
	return box;
}

static void apply_or_fail(struct fix *f, pl_node **live, const pl_node *original, const pl_node *modified)
{
	if (pl_patch_three_way(f->d, live, f->d, original, modified, f->box, &f->e))
		fail_msg("%s", pl_err_text(&f->e));
}

static void there_and_back_again(void **state)
{
	struct fix *f = *state;

	for (uint32_t i = 0; i < 2000; i++) {
		uint32_t seed = i * 7919;
		pl_node *a = random_box(f->d, &seed, 3), *b = random_box(f->d, &seed, 3), *live = a;

		apply_or_fail(f, &live, a, b);
		if (!pl_equal(live, b))
			fail_msg("seed %u: there", i);
		apply_or_fail(f, &live, b, a);
		if (!pl_equal(live, a))
			fail_msg("seed %u: and back", i);
	}
}

static void what_is_applied_again_changes_nothing(void **state)
{
	struct fix *f = *state;

	for (uint32_t i = 0; i < 2000; i++) {
		uint32_t seed = i * 104729;
		pl_node *original = random_box(f->d, &seed, 3), *live = random_box(f->d, &seed, 3),
			*modified = random_box(f->d, &seed, 3), *once = modified;

		apply_or_fail(f, &once, modified, modified);
		assert_true(pl_equal(once, modified));
		once = live;
		apply_or_fail(f, &once, original, modified);
		pl_node *twice = once;
		apply_or_fail(f, &twice, modified, modified);
		if (!pl_equal(twice, once))
			fail_msg("seed %u", i);
	}
}

/* Everything of modified is there, and of others what it does not speak of. */
static void what_others_added_stays(void **state)
{
	struct fix *f = *state;

	for (uint32_t i = 0; i < 1000; i++) {
		uint32_t seed = i * 31;
		pl_node *a = random_box(f->d, &seed, 2), *b = random_box(f->d, &seed, 2),
			*live = pl_copy(f->d, f->d, a);

		pl_sets(f->d, live, "others", random_box(f->d, &seed, 2));
		pl_node *kept = pl_gets(live, "others");
		apply_or_fail(f, &live, a, b);
		assert_true(pl_equal(pl_gets(live, "others"), kept));
		live = pl_copy(f->d, f->d, live);
		pl_remove(f->d, live, S("others"));
		assert_true(pl_equal(live, b));
	}
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(maps_merge),
		TEST(patch_directives_of_maps),
		TEST(retain_keys),
		TEST(lists_of_maps),
		TEST(lists_of_scalars),
		TEST(order_of_elements),
		TEST(mistakes_are_told_with_their_place),
		TEST(built_in_kinds_are_known),
		TEST(frozen_documents_are_left_alone),
		TEST(depth_has_a_limit),
		TEST(three_way),
		TEST(three_way_of_unknown_kinds),
		TEST(three_way_mistakes),
		TEST(there_and_back_again),
		TEST(what_is_applied_again_changes_nothing),
		TEST(what_others_added_stays),
	};

	return cmocka_run_group_tests_name("strategic", tests, NULL, NULL);
}
