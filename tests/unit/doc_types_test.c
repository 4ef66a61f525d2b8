/* SPDX-License-Identifier: Apache-2.0 */
/* What is known of kinds: built in, from OpenAPI documents, from CustomResourceDefinitions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/base/err.h"
#include "plumb/schema.h"

static pl_node *read_yaml(pl_doc *d, const char *text)
{
	struct pl_err e = ERR_INIT;
	pl_node **roots;
	size_t n;

	if (pl_yaml_read(d, str_of(text), "types.yaml", PL_SCHEMA_CORE12, 0, &roots, &n, &e))
		fail_msg("%s", pl_err_text(&e));
	assert_int_equal(n, 1);
	return roots[0];
}

static pl_type down(pl_type t, const char *path)
{
	pl_str rest = str_of(path), step;

	while (rest.n) {
		str_cut(rest, '.', &step, &rest);
		t = str_eq(step, S("[]")) ? pl_type_items(t) : pl_type_field(t, step);
	}
	return t;
}

static pl_type kind_at(const pl_types *t, const char *group, const char *version, const char *kind, const char *path)
{
	return down(pl_types_kind(t, str_of(group), str_of(version), str_of(kind)), path);
}

static void assert_str(pl_str got, const char *want)
{
	if (!str_eqz(got, want))
		fail_msg("'%.*s', not '%s'", F(got), want);
}

static const char pod_spec[] = "spec.template.spec.";

static void kubernetes_own_kinds_are_known(void **state)
{
	static const struct {
		const char *path;
		int kind;
		uint32_t strategy;
		const char *merge_key, *list_type;
	} rows[] = {
		{"containers", PL_LIST, PL_PATCH_MERGE, "name", "map"},
		{"containers.[].ports", PL_LIST, PL_PATCH_MERGE, "containerPort", "map"},
		{"containers.[].env", PL_LIST, PL_PATCH_MERGE, "name", "map"},
		{"containers.[].args", PL_LIST, 0, "", "atomic"},
		{"containers.[].volumeMounts", PL_LIST, PL_PATCH_MERGE, "mountPath", "map"},
		{"volumes", PL_LIST, PL_PATCH_MERGE | PL_PATCH_RETAIN_KEYS, "name", "map"},
		{"volumes.[].emptyDir", PL_MAP, 0, "", ""},
		{"tolerations", PL_LIST, 0, "", "atomic"},
		{"nodeSelector", PL_MAP, 0, "", ""},
		{"nodeSelector.anything", PL_STRING, 0, "", ""},
		{"hostNetwork", PL_BOOL, 0, "", ""},
	};
	pl_type spec = kind_at(NULL, "apps", "v1", "Deployment", "spec.template.spec");
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		pl_type t = down(spec, rows[i].path);

		if (!pl_type_known(t))
			fail_msg("%s%s", pod_spec, rows[i].path);
		assert_int_equal(pl_type_kind(t), rows[i].kind);
		assert_int_equal(pl_type_strategy(t), rows[i].strategy);
		assert_str(pl_type_merge_key(t), rows[i].merge_key);
		assert_str(pl_type_list_type(t), rows[i].list_type);
	}
}

static void a_field_says_more_than_the_type_it_refers_to(void **state)
{
	pl_type strategy = kind_at(NULL, "apps", "v1", "Deployment", "spec.strategy");

	(void)state;
	assert_int_equal(pl_type_strategy(strategy), PL_PATCH_RETAIN_KEYS);
	assert_int_equal(pl_type_kind(down(strategy, "rollingUpdate")), PL_MAP);
	assert_int_equal(pl_type_strategy(pl_types_named(NULL, S("io.k8s.api.apps.v1.DeploymentStrategy"))), 0);
	assert_int_equal(pl_type_strategy(kind_at(NULL, "policy", "v1", "PodDisruptionBudget", "spec.selector")),
			 PL_PATCH_REPLACE);
}

static void map_keys_come_in_their_order(void **state)
{
	pl_type ports = kind_at(NULL, "", "v1", "Pod", "spec.containers.[].ports");
	pl_str keys[4];

	(void)state;
	assert_int_equal(pl_type_map_keys(ports, keys, 4), 2);
	assert_str(keys[0], "containerPort");
	assert_str(keys[1], "protocol");
	keys[1] = S("untouched");
	assert_int_equal(pl_type_map_keys(ports, keys, 1), 2);
	assert_str(keys[1], "untouched");
	assert_int_equal(pl_type_map_keys(kind_at(NULL, "", "v1", "Pod", "spec"), keys, 4), 0);
}

static void fields_are_told_sorted(void **state)
{
	pl_type t = kind_at(NULL, "", "v1", "ConfigMap", "");
	pl_str names[8];
	size_t i, n = pl_type_fields(t, names, 8);

	(void)state;
	assert_int_equal(n, 6);
	for (i = 1; i < n; i++)
		assert_true(str_cmp(names[i - 1], names[i]) < 0);
	assert_str(names[0], "apiVersion");
	assert_str(names[5], "metadata");
	assert_int_equal(pl_type_fields(t, NULL, 0), 6);
	assert_true(pl_type_has_fields(t));
	assert_false(pl_type_has_fields(down(t, "data")));
	assert_false(pl_type_known(down(t, "dta")));
}

static void numbers_and_what_may_be_two_things(void **state)
{
	pl_type replicas = kind_at(NULL, "apps", "v1", "Deployment", "spec.replicas");

	(void)state;
	assert_int_equal(pl_type_kind(replicas), PL_NUMBER);
	assert_true(pl_type_whole(replicas));
	assert_true(pl_type_known(kind_at(NULL, "", "v1", "Service", "spec.ports.[].targetPort")));
	assert_int_equal(pl_type_kind(kind_at(NULL, "", "v1", "Service", "spec.ports.[].targetPort")), -1);
	/* a JSON schema of JSON schemas goes down without end */
	assert_true(pl_type_known(
		kind_at(NULL, "apiextensions.k8s.io", "v1", "CustomResourceDefinition",
			"spec.versions.[].schema.openAPIV3Schema.properties.a.properties.b.properties.c")));
}

static void what_is_not_known_has_no_parts(void **state)
{
	static const pl_type none;
	pl_type unknown = kind_at(NULL, "example.com", "v1", "Deployment", "");

	(void)state;
	assert_false(pl_type_known(unknown));
	assert_false(pl_type_known(none));
	assert_int_equal(pl_type_kind(none), -1);
	assert_int_equal(pl_type_strategy(none), 0);
	assert_str(pl_type_merge_key(none), "");
	assert_str(pl_type_list_type(none), "");
	assert_false(pl_type_known(pl_type_items(none)));
	assert_false(pl_type_known(pl_type_field(none, S("spec"))));
	assert_int_equal(pl_type_fields(none, NULL, 0), 0);
	assert_false(pl_type_whole(none));
	assert_false(pl_type_known(pl_types_named(NULL, S("io.k8s.api.core.v1.Pods"))));
	assert_false(pl_type_known(pl_types_named(NULL, S(""))));
	assert_false(pl_type_known(pl_types_kind(NULL, S(""), S(""), S(""))));
}

static void scopes_go_by_version(void **state)
{
	static const struct {
		const char *group, *version, *kind;
		int scope;
	} rows[] = {
		{"", "v1", "Namespace", PL_SCOPE_CLUSTER},
		{"", "v1", "ConfigMap", PL_SCOPE_NAMESPACED},
		{"", "v2", "ConfigMap", PL_SCOPE_UNKNOWN},
		{"rbac.authorization.k8s.io", "v1", "ClusterRole", PL_SCOPE_CLUSTER},
		{"rbac.authorization.k8s.io", "v1beta1", "RoleBinding", PL_SCOPE_NAMESPACED},
		{"policy", "v1beta1", "PodSecurityPolicy", PL_SCOPE_CLUSTER},
		{"networking.k8s.io", "v1alpha1", "IPAddress", PL_SCOPE_CLUSTER},
		{"settings.k8s.io", "v1alpha1", "PodPreset", PL_SCOPE_NAMESPACED},
		{"zzz", "v1", "Zzz", PL_SCOPE_UNKNOWN},
		{"apps", "v1", "", PL_SCOPE_UNKNOWN},
	};
	pl_types *t = pl_types_new(0);
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		pl_str group = str_of(rows[i].group), version = str_of(rows[i].version), kind = str_of(rows[i].kind);

		assert_int_equal(pl_types_scope(NULL, group, version, kind), rows[i].scope);
		assert_int_equal(pl_types_scope(t, group, version, kind), rows[i].scope);
	}
	pl_types_free(t);
	pl_types_free(NULL);
}

static void dropped_versions_merge_as_the_newest(void **state)
{
	(void)state;
	assert_str(pl_type_merge_key(kind_at(NULL, "batch", "v1beta1", "CronJob",
					     "spec.jobTemplate.spec.template.spec.containers")),
		   "name");
	assert_str(
		pl_type_merge_key(kind_at(NULL, "policy", "v1beta1", "PodSecurityPolicy", "metadata.ownerReferences")),
		"uid");
	/* Kustomize knows nothing of this one. */
	assert_false(pl_type_known(kind_at(NULL, "apps", "v1beta1", "Deployment", "")));
}

/* ---- added ---- */

static const char shop_v2[] =
	"definitions:\n"
	"  shop.v1.Shop:\n"
	"    type: object\n"
	"    properties:\n"
	"      spec:\n"
	"        $ref: '#/definitions/shop.v1.Spec'\n"
	"      pods:\n"
	"        $ref: '#/definitions/io.k8s.api.core.v1.PodSpec'\n"
	"        x-kubernetes-patch-strategy: replace\n"
	"    x-kubernetes-group-version-kind:\n"
	"    - {group: shop.example, version: v1, kind: Shop}\n"
	"    - {group: shop.example, version: v2, kind: Shop}\n"
	"  shop.v1.Spec:\n"
	"    type: object\n"
	"    properties:\n"
	"      shelves:\n"
	"        type: array\n"
	"        items: {$ref: '#/definitions/shop.v1.Shelf'}\n"
	"        x-kubernetes-patch-strategy: merge,retainKeys\n"
	"        x-kubernetes-patch-merge-key: label\n"
	"        x-kubernetes-list-type: map\n"
	"        x-kubernetes-list-map-keys: [label, floor]\n"
	"      later: {$ref: '#/definitions/shop.v1.Later'}\n"
	"  shop.v1.Shelf:\n"
	"    properties:\n"
	"      next: {$ref: '#/definitions/shop.v1.Shelf'}\n"
	"      label: {type: string}\n"
	"      amount: {type: integer}\n"
	"  shop.v1.Circle: {$ref: '#/definitions/shop.v1.Circle'}\n"
	"paths:\n"
	"  /apis/shop.example/v1/namespaces/{namespace}/shops/{name}:\n"
	"    get: {x-kubernetes-group-version-kind: {group: shop.example, version: v1, kind: Shop}}\n"
	"  /apis/shop.example/v1/shops:\n"
	"    get: {x-kubernetes-group-version-kind: {group: shop.example, version: v1, kind: Shop}}\n"
	"  /apis/shop.example/v1/owners:\n"
	"    get: {x-kubernetes-group-version-kind: {group: shop.example, version: v1, kind: Owner}}\n";

static void add_openapi(pl_types *t, const char *text)
{
	pl_doc *d = pl_doc_new(NULL);
	struct pl_err e = ERR_INIT;

	if (pl_types_add_openapi(t, d, read_yaml(d, text), &e))
		fail_msg("%s", pl_err_text(&e));
	pl_doc_unref(d); /* nothing points into it */
	err_clear(&e);
}

static void openapi_v2_adds_definitions(void **state)
{
	pl_types *t = pl_types_new(1);
	pl_type shelves;
	pl_str keys[2];

	(void)state;
	add_openapi(t, shop_v2);
	shelves = kind_at(t, "shop.example", "v1", "Shop", "spec.shelves");
	assert_int_equal(pl_type_strategy(shelves), PL_PATCH_MERGE | PL_PATCH_RETAIN_KEYS);
	assert_str(pl_type_merge_key(shelves), "label");
	assert_str(pl_type_list_type(shelves), "map");
	assert_int_equal(pl_type_map_keys(shelves, keys, 2), 2);
	assert_str(keys[1], "floor");
	assert_true(pl_type_whole(down(shelves, "[].next.next.next.amount")));
	assert_true(pl_type_known(kind_at(t, "shop.example", "v2", "Shop", "spec")));
	assert_int_equal(pl_types_scope(t, S("shop.example"), S("v1"), S("Shop")), PL_SCOPE_NAMESPACED);
	assert_int_equal(pl_types_scope(t, S("shop.example"), S("v1"), S("Owner")), PL_SCOPE_CLUSTER);
	assert_int_equal(pl_types_scope(t, S("shop.example"), S("v2"), S("Shop")), PL_SCOPE_UNKNOWN);
	/* out of the built-in types, with what the field says of merging */
	assert_str(pl_type_merge_key(kind_at(t, "shop.example", "v1", "Shop", "pods.containers")), "name");
	assert_int_equal(pl_type_strategy(kind_at(t, "shop.example", "v1", "Shop", "pods")), PL_PATCH_REPLACE);
	assert_int_equal(pl_type_fields(kind_at(t, "shop.example", "v1", "Shop", "pods"), NULL, 0),
			 pl_type_fields(kind_at(NULL, "", "v1", "Pod", "spec"), NULL, 0));
	assert_true(pl_type_known(kind_at(t, "apps", "v1", "Deployment", "spec")));
	pl_types_free(t);
}

static void references_may_lead_to_what_comes_later(void **state)
{
	pl_types *t = pl_types_new(0);

	(void)state;
	add_openapi(t, shop_v2);
	assert_false(pl_type_known(kind_at(t, "shop.example", "v1", "Shop", "spec.later")));
	assert_false(pl_type_known(kind_at(t, "shop.example", "v1", "Shop", "pods")));
	assert_false(pl_type_known(pl_types_named(t, S("shop.v1.Circle"))));
	assert_false(pl_type_known(pl_types_kind(t, S("apps"), S("v1"), S("Deployment"))));
	add_openapi(t, "{definitions: {shop.v1.Later: {type: boolean}}}");
	add_openapi(t, "{definitions: {else: {$ref: 'other.json#/definitions/a'}, deep: {$ref: '#/definitions/a/b'}}}");
	add_openapi(t, "{}");
	assert_int_equal(pl_type_kind(pl_types_named(t, S("else"))), -1);
	assert_int_equal(pl_type_kind(pl_types_named(t, S("deep"))), -1);
	assert_int_equal(pl_type_kind(kind_at(t, "shop.example", "v1", "Shop", "spec.later")), PL_BOOL);
	pl_types_free(t);
}

static void added_kinds_hide_built_in_ones(void **state)
{
	pl_types *t = pl_types_new(1);

	(void)state;
	add_openapi(t, "definitions:\n"
		       "  mine:\n"
		       "    properties: {spec: {type: object, properties: {colour: {type: string}}}}\n"
		       "    x-kubernetes-group-version-kind: [{group: apps, version: v1, kind: Deployment}]\n");
	assert_true(pl_type_known(kind_at(t, "apps", "v1", "Deployment", "spec.colour")));
	assert_false(pl_type_known(kind_at(t, "apps", "v1", "Deployment", "spec.replicas")));
	assert_true(pl_type_known(kind_at(NULL, "apps", "v1", "Deployment", "spec.replicas")));
	assert_int_equal(pl_types_scope(t, S("apps"), S("v1"), S("Deployment")), PL_SCOPE_NAMESPACED);
	pl_types_free(t);
}

static void openapi_v3_adds_schemas(void **state)
{
	pl_types *t = pl_types_new(0);
	pl_type spec;

	(void)state;
	add_openapi(t,
		    "openapi: 3.0.0\n"
		    "components:\n"
		    "  schemas:\n"
		    "    a/b~c:\n"
		    "      type: object\n"
		    "      properties:\n"
		    "        one:\n"
		    "          allOf: [{$ref: '#/components/schemas/d'}]\n"
		    "          default: {}\n"
		    "          x-kubernetes-patch-strategy: replace\n"
		    "        two: {type: [string, 'null']}\n"
		    "        three: {type: string, x-kubernetes-int-or-string: true}\n"
		    "        four: {type: object, x-kubernetes-preserve-unknown-fields: true, properties: {x: {type: "
		    "string}}}\n"
		    "        five: {additionalProperties: {type: number}}\n"
		    "        six: {items: {type: integer}}\n"
		    "        seven: {type: [string, number]}\n"
		    "        eight: {type: object, additionalProperties: true}\n"
		    "        nine: true\n"
		    "    d: {type: object, properties: {e: {$ref: '#/components/schemas/a~1b~0c'}}}\n");
	spec = pl_types_named(t, S("a/b~c"));
	assert_int_equal(pl_type_kind(down(spec, "one.e.one.e")), PL_MAP);
	assert_int_equal(pl_type_strategy(down(spec, "one")), PL_PATCH_REPLACE);
	assert_int_equal(pl_type_kind(down(spec, "two")), PL_STRING);
	assert_int_equal(pl_type_kind(down(spec, "three")), -1);
	assert_true(pl_type_known(down(spec, "three")));
	assert_false(pl_type_has_fields(down(spec, "four")));
	assert_int_equal(pl_type_kind(down(spec, "four.x")), PL_STRING);
	assert_int_equal(pl_type_kind(down(spec, "five.any")), PL_NUMBER);
	assert_false(pl_type_whole(down(spec, "five.any")));
	assert_true(pl_type_whole(down(spec, "six.[]")));
	assert_int_equal(pl_type_kind(down(spec, "seven")), -1);
	assert_int_equal(pl_type_kind(down(spec, "eight")), PL_MAP);
	assert_false(pl_type_known(down(spec, "eight.x")));
	assert_int_equal(pl_type_kind(down(spec, "nine")), -1);
	pl_types_free(t);
}

static void crds_add_every_version(void **state)
{
	static const char crd[] = "apiVersion: apiextensions.k8s.io/v1\n"
				  "kind: CustomResourceDefinition\n"
				  "spec:\n"
				  "  group: shop.example\n"
				  "  scope: Cluster\n"
				  "  names: {kind: Till}\n"
				  "  versions:\n"
				  "  - name: v1\n"
				  "    schema:\n"
				  "      openAPIV3Schema:\n"
				  "        type: object\n"
				  "        properties:\n"
				  "          metadata: {type: object}\n"
				  "          spec:\n"
				  "            type: object\n"
				  "            properties:\n"
				  "              drawers:\n"
				  "                type: array\n"
				  "                x-kubernetes-list-type: map\n"
				  "                x-kubernetes-list-map-keys: [number]\n"
				  "                items: {type: object, properties: {number: {type: integer}}}\n"
				  "  - name: v2\n";
	static const char old[] = "apiVersion: apiextensions.k8s.io/v1beta1\n"
				  "kind: CustomResourceDefinition\n"
				  "spec:\n"
				  "  group: shop.example\n"
				  "  scope: Namespaced\n"
				  "  version: v1alpha1\n"
				  "  names: {kind: Cart}\n"
				  "  validation:\n"
				  "    openAPIV3Schema: {properties: {spec: {properties: {goods: {type: array}}}}}\n";
	pl_types *t = pl_types_new(0);
	pl_doc *d = pl_doc_new(NULL);
	pl_str names[4];

	(void)state;
	assert_int_equal(pl_types_add_crd(t, d, read_yaml(d, crd), NULL), PL_OK);
	assert_int_equal(pl_types_add_crd(t, d, read_yaml(d, old), NULL), PL_OK);
	pl_doc_unref(d);
	assert_str(pl_type_list_type(kind_at(t, "shop.example", "v1", "Till", "spec.drawers")), "map");
	/* as the API server has it */
	assert_str(pl_type_merge_key(kind_at(t, "shop.example", "v1", "Till", "metadata.ownerReferences")), "uid");
	assert_int_equal(pl_type_fields(kind_at(t, "shop.example", "v1", "Till", ""), names, 4), 4);
	assert_str(names[0], "apiVersion");
	assert_str(names[1], "kind");
	assert_str(names[2], "metadata");
	assert_str(names[3], "spec");
	assert_int_equal(pl_types_scope(t, S("shop.example"), S("v2"), S("Till")), PL_SCOPE_CLUSTER);
	assert_false(pl_type_known(kind_at(t, "shop.example", "v2", "Till", "")));
	assert_int_equal(pl_type_kind(kind_at(t, "shop.example", "v1alpha1", "Cart", "spec.goods")), PL_LIST);
	assert_int_equal(pl_types_scope(t, S("shop.example"), S("v1alpha1"), S("Cart")), PL_SCOPE_NAMESPACED);
	pl_types_free(t);
}

static void assert_refused(const char *text, pl_status (*add)(pl_types *, const pl_doc *, const pl_node *, pl_err *),
			   pl_status st, const char *want)
{
	pl_types *t = pl_types_new(1);
	pl_doc *d = pl_doc_new(NULL);
	pl_node *root = read_yaml(d, text);
	struct pl_err e = ERR_INIT;

	assert_int_equal(add(t, d, root, &e), st);
	assert_string_equal(pl_err_text(&e), want);
	assert_int_equal(add(t, d, root, NULL), st);
	err_clear(&e);
	pl_types_free(t);
	pl_doc_unref(d);
}

static void what_is_no_schema_is_told_with_its_place(void **state)
{
	static const char *const openapi[][2] = {
		{"[1]", "types.yaml:1:1: an OpenAPI document must be a map"},
		{"definitions: []", "types.yaml:1:14: 'definitions' must be a map"},
		{"components: {schemas: 1}", "types.yaml:1:23: 'schemas' must be a map"},
		{"paths: []", "types.yaml:1:8: 'paths' must be a map"},
		{"definitions: {a: 1}", "types.yaml:1:18: definition 'a': a schema must be a map"},
		{"definitions: {a: {properties: []}}", "types.yaml:1:31: definition 'a': 'properties' must be a map"},
		{"definitions: {a: {properties: {b: {$ref: 1}}}}",
		 "types.yaml:1:42: definition 'a': '$ref' must be a string"},
		{"definitions: {a: {x-kubernetes-list-map-keys: [1]}}",
		 "types.yaml:1:48: definition 'a': 'x-kubernetes-list-map-keys' must be a string"},
		{"definitions: {a: {x-kubernetes-patch-merge-key: {}}}",
		 "types.yaml:1:49: definition 'a': 'x-kubernetes-patch-merge-key' must be a string"},
	};
	static const char *const crd[][2] = {
		{"kind: Pod", "types.yaml:1:1: this is no CustomResourceDefinition"},
		{"kind: CustomResourceDefinition", "types.yaml:1:1: CustomResourceDefinition: it needs a map 'spec'"},
		{"{kind: CustomResourceDefinition, spec: {}}",
		 "types.yaml:1:40: CustomResourceDefinition: it needs a text 'spec.group'"},
		{"{kind: CustomResourceDefinition, spec: {group: a}}",
		 "types.yaml:1:40: CustomResourceDefinition: it needs a text 'spec.names.kind'"},
		{"{kind: CustomResourceDefinition, spec: {group: a, names: {kind: B}}}",
		 "types.yaml:1:40: CustomResourceDefinition: it needs a list 'spec.versions'"},
		{"{kind: CustomResourceDefinition, spec: {group: a, names: {kind: B}, versions: [{}]}}",
		 "types.yaml:1:80: CustomResourceDefinition: a version needs a text 'name'"},
		{"{kind: CustomResourceDefinition, spec: {group: a, names: {kind: B}, versions: [{name: v1, schema: "
		 "{openAPIV3Schema: 3}}]}}",
		 "types.yaml:1:117: version 'v1': a schema must be a map"},
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(openapi) / sizeof(*openapi); i++)
		assert_refused(openapi[i][0], pl_types_add_openapi, PL_EINVAL, openapi[i][1]);
	for (i = 0; i < sizeof(crd) / sizeof(*crd); i++)
		assert_refused(crd[i][0], pl_types_add_crd, PL_EINVAL, crd[i][1]);
}

/* Schemas in schemas end at a limit; a circle of allOf cannot be written down, one of references can. */
static void nesting_ends_at_a_limit(void **state)
{
	pl_limits limits = {.max_depth = 5000};
	pl_doc *d = pl_doc_new(&limits);
	pl_types *t = pl_types_new(0);
	pl_node *schema = pl_new_map(d), *outer, *root = pl_new_map(d), *definitions = pl_new_map(d);
	struct pl_err e = ERR_INIT;
	size_t i;

	(void)state;
	for (i = 0; i < 2000; i++) {
		outer = pl_new_map(d);
		pl_sets(d, outer, "items", schema);
		schema = outer;
	}
	pl_sets(d, definitions, "a", schema);
	pl_sets(d, root, "definitions", definitions);
	assert_int_equal(pl_types_add_openapi(t, d, root, &e), PL_ETOOBIG);
	assert_string_equal(pl_err_text(&e), "definition 'a': schemas are nested more than 256 deep");
	err_clear(&e);
	add_openapi(t, "definitions:\n"
		       "  b: {allOf: [{$ref: '#/definitions/c'}]}\n"
		       "  c: {allOf: [{$ref: '#/definitions/b'}]}\n");
	assert_false(pl_type_known(pl_types_named(t, S("b"))));
	pl_types_free(t);
	pl_doc_unref(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kubernetes_own_kinds_are_known),
		cmocka_unit_test(a_field_says_more_than_the_type_it_refers_to),
		cmocka_unit_test(map_keys_come_in_their_order),
		cmocka_unit_test(fields_are_told_sorted),
		cmocka_unit_test(numbers_and_what_may_be_two_things),
		cmocka_unit_test(what_is_not_known_has_no_parts),
		cmocka_unit_test(scopes_go_by_version),
		cmocka_unit_test(dropped_versions_merge_as_the_newest),
		cmocka_unit_test(openapi_v2_adds_definitions),
		cmocka_unit_test(references_may_lead_to_what_comes_later),
		cmocka_unit_test(added_kinds_hide_built_in_ones),
		cmocka_unit_test(openapi_v3_adds_schemas),
		cmocka_unit_test(crds_add_every_version),
		cmocka_unit_test(what_is_no_schema_is_told_with_its_place),
		cmocka_unit_test(nesting_ends_at_a_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
