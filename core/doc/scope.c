/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which kinds live in a namespace: the facts a cluster would tell, for when there is none. Kinds stay known when
 * Kubernetes drops them: old manifests still name them.
 */
#include "core/doc/identity.h"
#include "core/doc/types.h"

enum scope scope_known(pl_str group, pl_str kind)
{
	const struct type_kind *k = types_builtin_scope(group, kind);

	if (!k)
		return SCOPE_UNKNOWN;
	return k->scope == PL_SCOPE_CLUSTER ? SCOPE_CLUSTER : SCOPE_NAMESPACED;
}

enum scope scope_of_crd(const pl_node *crd, pl_str *group, pl_str *kind)
{
	const pl_node *spec = pl_gets(crd, "spec"), *scope = pl_gets(spec, "scope"), *g = pl_gets(spec, "group"),
		      *k = pl_gets(pl_gets(spec, "names"), "kind");
	pl_str api_group, version;

	*group = *kind = (pl_str){"", 0};
	api_version_cut(pl_text(pl_gets(crd, "apiVersion")), &api_group, &version);
	if (!str_eq(pl_text(pl_gets(crd, "kind")), S("CustomResourceDefinition")) ||
	    !str_eq(api_group, S("apiextensions.k8s.io")))
		return SCOPE_UNKNOWN;
	if (pl_kind(g) != PL_STRING || pl_kind(k) != PL_STRING)
		return SCOPE_UNKNOWN;
	*group = pl_text(g);
	*kind = pl_text(k);
	if (str_eq(pl_text(scope), S("Cluster")))
		return SCOPE_CLUSTER;
	return str_eq(pl_text(scope), S("Namespaced")) ? SCOPE_NAMESPACED : SCOPE_UNKNOWN;
}
