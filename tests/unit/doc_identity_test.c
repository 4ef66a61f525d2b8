/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/doc/identity.h"

struct fix {
	pl_doc *d;
	struct pl_err e;
	struct buf b;
};

static int setup(void **state)
{
	static const struct fix none = {.b = {.max = 1 << 20}};
	struct fix *f = malloc(sizeof(*f));

	*f = none;
	f->d = pl_doc_new(NULL);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fix *f = *state;

	pl_doc_unref(f->d);
	err_clear(&f->e);
	buf_free(&f->b);
	free(f);
	return 0;
}

static pl_node *json(struct fix *f, const char *text)
{
	pl_node *n;

	assert_int_equal(pl_json_read(f->d, str_of(text), "f.json", 0, &n, NULL), PL_OK);
	return n;
}

static void an_object_is_named_by_group_kind_namespace_and_name(void **state)
{
	static const struct {
		const char *object, *want, *brief, *full;
	} rows[] = {
		{"{\"apiVersion\":\"apps/"
		 "v1\",\"kind\":\"Deployment\",\"metadata\":{\"name\":\"web\",\"namespace\":\"shop\"}}",
		 "apps/Deployment:shop/web", "Deployment/web", "Deployment.apps/web"},
		{"{\"apiVersion\":\"v1\",\"kind\":\"Namespace\",\"metadata\":{\"name\":\"shop\",\"namespace\":null}}",
		 "Namespace:shop", "Namespace/shop", "Namespace/shop"},
		{"{\"apiVersion\":\"batch/v1\",\"kind\":\"Job\",\"metadata\":{\"generateName\":\"run-\"}}",
		 "batch/Job:run-", "Job/run-", "Job.batch/run-"},
	};
	struct fix *f = *state;
	size_t i;
	pl_ref r;

	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		assert_int_equal(ref_of(f->d, json(f, rows[i].object), &r, &f->e), PL_OK);
		buf_clear(&f->b);
		ref_print(&r, &f->b);
		assert_string_equal(f->b.p, rows[i].want);
		buf_clear(&f->b);
		ref_print_short(&r, false, &f->b);
		assert_string_equal(f->b.p, rows[i].brief);
		buf_clear(&f->b);
		ref_print_short(&r, true, &f->b);
		assert_string_equal(f->b.p, rows[i].full);
	}
}

static void what_is_no_object_is_told_with_its_place(void **state)
{
	static const char *const rows[][2] = {
		{"[]", "f.json:1:1: an object must be a map with apiVersion, kind and metadata"},
		{"{}", "f.json:1:1: object has no 'apiVersion'"},
		{"{\"apiVersion\":1}", "f.json:1:15: 'apiVersion' must be a string"},
		{"{\"apiVersion\":\"\"}", "f.json:1:15: 'apiVersion' is empty"},
		{"{\"apiVersion\":\"v1\"}", "f.json:1:1: object has no 'kind'"},
		{"{\"apiVersion\":\"v1\",\"kind\":null}", "f.json:1:27: 'kind' must be a string"},
		{"{\"apiVersion\":\"v1\",\"kind\":\"Pod\"}", "f.json:1:1: object has no 'metadata'"},
		{"{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":[]}", "f.json:1:44: 'metadata' must be a map"},
		{"{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{}}",
		 "f.json:1:44: object has no 'metadata.name'"},
		{"{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":5}}",
		 "f.json:1:52: 'metadata.name' must be a string"},
		{"{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"a\",\"namespace\":{}}}",
		 "f.json:1:68: 'metadata.namespace' must be a string"},
	};
	struct fix *f = *state;
	size_t i;
	pl_ref r;

	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		assert_int_equal(ref_of(f->d, json(f, rows[i][0]), &r, &f->e), PL_EINVAL);
		assert_string_equal(pl_err_text(&f->e), rows[i][1]);
		assert_int_equal(ref_of(f->d, json(f, rows[i][0]), &r, NULL), PL_EINVAL);
	}
}

static pl_ref ref(const char *group, const char *version, const char *kind, const char *ns, const char *name)
{
	return (pl_ref){str_of(group), str_of(version), str_of(kind), str_of(ns), str_of(name)};
}

static void the_version_is_no_part_of_it(void **state)
{
	struct fix *f = *state;
	pl_ref a = ref("apps", "v1", "Deployment", "shop", "web"),
	       b = ref("apps", "v1beta1", "Deployment", "shop", "web");
	pl_ref order[] = {ref("", "v1", "A", "b", "c"), ref("", "v1", "B", "a", "a"), ref("", "v1", "B", "b", "a"),
			  ref("", "v1", "B", "b", "b"), ref("apps", "v1", "A", "a", "a")};
	struct arena *arena = arena_new();
	size_t i, j;

	(void)f;
	assert_true(ref_same(&a, &b));
	assert_int_equal(ref_cmp(&a, &b), 0);
	assert_true(ref_hash(&a) == ref_hash(&b));
	for (i = 0; i < 5; i++)
		for (j = 0; j < 5; j++) {
			int c = ref_cmp(&order[i], &order[j]);

			assert_int_equal((c > 0) - (c < 0), (i > j) - (i < j));
			assert_int_equal(ref_same(&order[i], &order[j]), i == j);
			assert_int_equal(ref_hash(&order[i]) == ref_hash(&order[j]), i == j);
		}
	b = ref_dup(arena, &a);
	assert_true(ref_same(&a, &b));
	assert_ptr_not_equal(a.name.p, b.name.p);
	assert_true(str_eq(b.version, S("v1")));
	arena_free(arena);
}

static void tracking_ids_go_round(void **state)
{
	static const char *const ids[] = {"shop-prod:apps/Deployment:shop/web", "a:/Namespace:/shop",
					  "a:rbac.authorization.k8s.io/ClusterRole:/system:node:x"};
	static const char *const bad[] = {
		"",	     "a",	"a:b",	     "a:b:c",	      "a:/Pod:x",    "a:Pod:x/y",
		":/Pod:x/y", "a:/:x/y", "a:/Pod:x/", "a:b/c/Pod:x/y", "a:/Pod:x/y/z"};
	struct fix *f = *state;
	pl_str app;
	pl_ref r;
	size_t i;

	for (i = 0; i < sizeof(ids) / sizeof(*ids); i++) {
		assert_int_equal(tracking_parse(str_of(ids[i]), &app, &r), PL_OK);
		assert_int_equal(r.version.n, 0);
		buf_clear(&f->b);
		tracking_print(app, &r, &f->b);
		assert_string_equal(f->b.p, ids[i]);
	}
	assert_true(str_eq(r.name, S("system:node:x")));
	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_int_equal(tracking_parse(str_of(bad[i]), &app, &r), PL_EINVAL);
}

static void scopes_of_kubernetes_own_kinds_are_known(void **state)
{
	static const struct {
		const char *group, *kind;
		enum scope want;
	} rows[] = {
		{"", "Namespace", SCOPE_CLUSTER},
		{"", "Node", SCOPE_CLUSTER},
		{"", "PersistentVolume", SCOPE_CLUSTER},
		{"", "PersistentVolumeClaim", SCOPE_NAMESPACED},
		{"", "Pod", SCOPE_NAMESPACED},
		{"", "Secret", SCOPE_NAMESPACED},
		{"apps", "Deployment", SCOPE_NAMESPACED},
		{"apps", "Pod", SCOPE_UNKNOWN},
		{"rbac.authorization.k8s.io", "Role", SCOPE_NAMESPACED},
		{"rbac.authorization.k8s.io", "ClusterRole", SCOPE_CLUSTER},
		{"apiextensions.k8s.io", "CustomResourceDefinition", SCOPE_CLUSTER},
		{"storage.k8s.io", "StorageClass", SCOPE_CLUSTER},
		{"storage.k8s.io", "CSIStorageCapacity", SCOPE_NAMESPACED},
		{"networking.k8s.io", "Ingress", SCOPE_NAMESPACED},
		{"networking.k8s.io", "IngressClass", SCOPE_CLUSTER},
		{"", "Pod PodTemplate", SCOPE_UNKNOWN},
		{"", "", SCOPE_UNKNOWN},
		{"", "Po", SCOPE_UNKNOWN},
		{"example.org", "Widget", SCOPE_UNKNOWN},
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		assert_int_equal(scope_known(str_of(rows[i].group), str_of(rows[i].kind)), rows[i].want);
}

static void a_crd_gives_its_kind_a_scope(void **state)
{
#define CRD(kind, spec) "{\"apiVersion\":\"apiextensions.k8s.io/v1\",\"kind\":\"" kind "\",\"spec\":" spec "}"
#define NAMES		"\"group\":\"x.org\",\"names\":{\"kind\":\"Widget\"}"
	static const struct {
		const char *crd;
		enum scope want;
	} rows[] = {
		{CRD("CustomResourceDefinition", "{\"scope\":\"Cluster\"," NAMES "}"), SCOPE_CLUSTER},
		{CRD("CustomResourceDefinition", "{\"scope\":\"Namespaced\"," NAMES "}"), SCOPE_NAMESPACED},
		{CRD("CustomResourceDefinition", "{\"scope\":\"Elsewhere\"," NAMES "}"), SCOPE_UNKNOWN},
		{CRD("CustomResourceDefinition", "{" NAMES "}"), SCOPE_UNKNOWN},
		{CRD("CustomResourceDefinition", "{\"scope\":\"Cluster\"}"), SCOPE_UNKNOWN},
		{CRD("Other", "{\"scope\":\"Cluster\"," NAMES "}"), SCOPE_UNKNOWN},
		{"{\"apiVersion\":\"v1\",\"kind\":\"CustomResourceDefinition\",\"spec\":{\"scope\":\"Cluster\"," NAMES
		 "}}",
		 SCOPE_UNKNOWN},
		{"[]", SCOPE_UNKNOWN},
	};
	struct fix *f = *state;
	pl_str group, kind;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		assert_int_equal(scope_of_crd(json(f, rows[i].crd), &group, &kind), rows[i].want);
		if (rows[i].want != SCOPE_UNKNOWN) {
			assert_true(str_eq(group, S("x.org")));
			assert_true(str_eq(kind, S("Widget")));
		}
	}
	assert_int_equal(scope_of_crd(NULL, &group, &kind), SCOPE_UNKNOWN);
}

static void assert_json(const pl_node *n, const char *want)
{
	char *text;
	size_t len;

	if (!want) {
		assert_null(n);
		return;
	}
	assert_int_equal(pl_json_write(n, 0, &text, &len, NULL), PL_OK);
	assert_string_equal(text, want);
	pl_free(text);
}

#define M8  "\"++++++++\""
#define M12 "\"++++++++++++\""
static void secrets_are_masked_but_changes_show(void **state)
{
	static const char *const rows[][4] = {
		{"{\"data\":{\"a\":\"c2VjcmV0\",\"b\":\"eA==\",\"gone\":\"eQ==\"}}",
		 "{\"data\":{\"b\":\"eA==\",\"a\":\"b3RoZXI=\",\"new\":\"eg==\"}}",
		 "{\"data\":{\"a\":" M8 ",\"b\":" M8 ",\"gone\":" M8 "}}",
		 "{\"data\":{\"b\":" M8 ",\"a\":" M12 ",\"new\":" M8 "}}"},
		{"{\"data\":{\"a\":\"x\"},\"stringData\":{\"p\":\"q\"}}", NULL,
		 "{\"data\":{\"a\":" M8 "},\"stringData\":{\"p\":" M8 "}}", NULL},
		{NULL, "{\"data\":{\"a\":\"x\"}}", NULL, "{\"data\":{\"a\":" M8 "}}"},
		{"{\"data\":\"oops\"}", "{\"data\":\"other\"}", "{\"data\":" M8 "}", "{\"data\":" M12 "}"},
		{"{\"data\":[\"oops\"]}", "{\"data\":{\"a\":1}}", "{\"data\":" M8 "}", "{\"data\":{\"a\":" M8 "}}"},
		{"{\"data\":{\"a\":{\"deep\":\"x\"}}}", "{\"data\":{\"a\":[\"y\"]}}", "{\"data\":{\"a\":" M8 "}}",
		 "{\"data\":{\"a\":" M12 "}}"},
		{"{\"stringdata\":{\"a\":\"x\"},\"immutable\":true}", "{\"stringdata\":{\"a\":\"y\"},\"Data\":\"z\"}",
		 "{\"stringdata\":{\"a\":" M8 "},\"immutable\":true}",
		 "{\"stringdata\":{\"a\":" M12 "},\"Data\":" M8 "}"},
		{"{\"data\":null}", "{\"type\":\"Opaque\"}", "{\"data\":null}", "{\"type\":\"Opaque\"}"},
		{"{\"metadata\":{\"annotations\":{\"kubectl.kubernetes.io/"
		 "last-applied-configuration\":\"secret\",\"k\":\"v\"}}}",
		 "{\"metadata\":{\"annotations\":[]}}", "{\"metadata\":{\"annotations\":{\"k\":\"v\"}}}",
		 "{\"metadata\":{\"annotations\":[]}}"},
	};
	struct fix *f = *state;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		pl_doc *to = pl_doc_new(NULL);
		const pl_node *a = rows[i][0] ? json(f, rows[i][0]) : NULL,
			      *b = rows[i][1] ? json(f, rows[i][1]) : NULL;
		pl_node *ma, *mb;

		secret_mask(to, f->d, a, f->d, b, &ma, &mb);
		assert_json(ma, rows[i][2]);
		assert_json(mb, rows[i][3]);
		assert_json(a, rows[i][0]);
		pl_doc_unref(to);
	}
}

static void only_core_secrets_are_secrets(void **state)
{
	pl_ref yes = ref("", "v1", "Secret", "a", "b"), no = ref("x.org", "v1", "Secret", "a", "b"),
	       map = ref("", "v1", "ConfigMap", "a", "b");

	(void)state;
	assert_true(ref_is_secret(&yes));
	assert_false(ref_is_secret(&no));
	assert_false(ref_is_secret(&map));
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(an_object_is_named_by_group_kind_namespace_and_name),
		T(what_is_no_object_is_told_with_its_place),
		T(the_version_is_no_part_of_it),
		T(tracking_ids_go_round),
		T(scopes_of_kubernetes_own_kinds_are_known),
		T(a_crd_gives_its_kind_a_scope),
		T(secrets_are_masked_but_changes_show),
		T(only_core_secrets_are_secrets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
