/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which of Kubernetes' own kinds live in a namespace: the facts a cluster would tell, for when there is none. Kinds
 * stay in the table when Kubernetes drops them: old manifests still name them.
 */
#include "core/doc/identity.h"

struct group {
	const char *name;
	const char *namespaced; /* kinds, each with a blank behind */
	const char *cluster;
};

static const struct group groups[] = {
	{"",
	 "Binding ConfigMap Endpoints Event LimitRange PersistentVolumeClaim Pod PodTemplate ReplicationController "
	 "ResourceQuota "
	 "Secret Service ServiceAccount ",
	 "ComponentStatus Namespace Node PersistentVolume "},
	{"admissionregistration.k8s.io", "",
	 "MutatingAdmissionPolicy MutatingAdmissionPolicyBinding MutatingWebhookConfiguration "
	 "ValidatingAdmissionPolicy "
	 "ValidatingAdmissionPolicyBinding ValidatingWebhookConfiguration "},
	{"apiextensions.k8s.io", "", "CustomResourceDefinition "},
	{"apiregistration.k8s.io", "", "APIService "},
	{"apps", "ControllerRevision DaemonSet Deployment ReplicaSet StatefulSet ", ""},
	{"authentication.k8s.io", "", "SelfSubjectReview TokenReview "},
	{"authorization.k8s.io", "LocalSubjectAccessReview ",
	 "SelfSubjectAccessReview SelfSubjectRulesReview SubjectAccessReview "},
	{"autoscaling", "HorizontalPodAutoscaler ", ""},
	{"batch", "CronJob Job ", ""},
	{"certificates.k8s.io", "", "CertificateSigningRequest ClusterTrustBundle "},
	{"coordination.k8s.io", "Lease LeaseCandidate ", ""},
	{"discovery.k8s.io", "EndpointSlice ", ""},
	{"events.k8s.io", "Event ", ""},
	{"extensions", "DaemonSet Deployment Ingress NetworkPolicy ReplicaSet ", "PodSecurityPolicy "},
	{"flowcontrol.apiserver.k8s.io", "", "FlowSchema PriorityLevelConfiguration "},
	{"internal.apiserver.k8s.io", "", "StorageVersion "},
	{"networking.k8s.io", "Ingress NetworkPolicy ", "IPAddress IngressClass ServiceCIDR "},
	{"node.k8s.io", "", "RuntimeClass "},
	{"policy", "Eviction PodDisruptionBudget ", "PodSecurityPolicy "},
	{"rbac.authorization.k8s.io", "Role RoleBinding ", "ClusterRole ClusterRoleBinding "},
	{"resource.k8s.io",
	 "PodSchedulingContext ResourceClaim ResourceClaimParameters ResourceClaimTemplate ResourceClassParameters ",
	 "DeviceClass ResourceClass ResourceSlice "},
	{"scheduling.k8s.io", "", "PriorityClass "},
	{"settings.k8s.io", "PodPreset ", ""},
	{"storage.k8s.io", "CSIStorageCapacity ",
	 "CSIDriver CSINode StorageClass VolumeAttachment VolumeAttributesClass "},
	{"storagemigration.k8s.io", "", "StorageVersionMigration "},
};

static bool has_word(const char *words, pl_str word)
{
	for (const char *end; (end = strchr(words, ' ')) != NULL; words = end + 1)
		if ((size_t)(end - words) == word.n && memcmp(words, word.p, word.n) == 0)
			return true;
	return false;
}

enum scope scope_known(pl_str group, pl_str kind)
{
	size_t i;

	if (kind.n == 0)
		return SCOPE_UNKNOWN;
	for (i = 0; i < sizeof(groups) / sizeof(*groups); i++) {
		if (!str_eqz(group, groups[i].name))
			continue;
		if (has_word(groups[i].namespaced, kind))
			return SCOPE_NAMESPACED;
		return has_word(groups[i].cluster, kind) ? SCOPE_CLUSTER : SCOPE_UNKNOWN;
	}
	return SCOPE_UNKNOWN;
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
