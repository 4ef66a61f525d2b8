/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config_tables.c - where the built-in transformers work when nothing else is said.
 *
 * Facts of kustomize v5.6 (the default field specs of namePrefix, namespace, commonLabels … nameReference), in the
 * order in which it goes through them. Many of them are the same places of a pod, said for every kind that has pods
 * in it; the macros below say each place once.
 */
#include "kustomize.h"

/* clang-format off */
#define STR(lit) {(lit), sizeof(lit) - 1}
#define ITEM(g, v, k, p, c) {.gvk = {STR(g), STR(v), STR(k)}, .path = STR(p), .create = (c)}
#define AT(k, p) ITEM("", "", k, p, false)
#define AT_GROUP(g, k, p) ITEM(g, "", k, p, false)
#define MAKE(k, p) ITEM("", "", k, p, true)
#define MAKE_GROUP(g, k, p) ITEM(g, "", k, p, true)

/* Where kinds keep their pod's spec. */
#define IN_TEMPLATE "spec/template/spec"
#define IN_JOB "spec/jobTemplate/spec/template/spec"

#define LIST(table) {.v = (struct fieldspec *)(uintptr_t)(table), .n = sizeof(table) / sizeof((table)[0])}
#define REFERENCE(g, v, k, table) {.gvk = {STR(g), STR(v), STR(k)}, .referrers = LIST(table)}

static const struct fieldspec names[] = {AT("", "metadata/name")};

static const struct fieldspec namespaces[] = {
	MAKE("Namespace", "metadata/name"),
	AT_GROUP("apiextensions.k8s.io", "CustomResourceDefinition",
		 "spec/conversion/webhook/clientConfig/service/namespace"),
	MAKE_GROUP("apiregistration.k8s.io", "APIService", "spec/service/namespace"),
};

/* ---- labels and annotations ---- */

#define PREFERRED "preferredDuringSchedulingIgnoredDuringExecution/podAffinityTerm/labelSelector/matchLabels"
#define REQUIRED "requiredDuringSchedulingIgnoredDuringExecution/labelSelector/matchLabels"
#define SCHEDULING(g, k)                                                                                               \
	AT_GROUP(g, k, IN_TEMPLATE "/affinity/podAffinity/" PREFERRED),                                                \
	AT_GROUP(g, k, IN_TEMPLATE "/affinity/podAffinity/" REQUIRED),                                                 \
	AT_GROUP(g, k, IN_TEMPLATE "/affinity/podAntiAffinity/" PREFERRED),                                            \
	AT_GROUP(g, k, IN_TEMPLATE "/affinity/podAntiAffinity/" REQUIRED),                                             \
	AT_GROUP(g, k, IN_TEMPLATE "/topologySpreadConstraints/labelSelector/matchLabels")
#define CLAIMS MAKE_GROUP("apps", "StatefulSet", "spec/volumeClaimTemplates[]/metadata/labels")
#define METADATA_LABELS                                                                                                \
	MAKE("Deployment", "spec/template/metadata/labels"),                                                           \
	MAKE_GROUP("apps", "StatefulSet", "spec/template/metadata/labels"),                                            \
	CLAIMS,                                                                                                        \
	MAKE_GROUP("batch", "CronJob", "spec/jobTemplate/metadata/labels"),                                            \
	MAKE_GROUP("batch", "CronJob", "spec/jobTemplate/spec/template/metadata/labels"),                              \
	MAKE_GROUP("batch", "Job", "spec/template/metadata/labels"),                                                   \
	ITEM("", "v1", "ReplicationController", "spec/template/metadata/labels", true),                                \
	MAKE("DaemonSet", "spec/template/metadata/labels"),                                                            \
	MAKE("ReplicaSet", "spec/template/metadata/labels"),                                                           \
	MAKE("", "metadata/labels")

static const struct fieldspec labels[] = {
	ITEM("", "v1", "Service", "spec/selector", true),
	SCHEDULING("apps", "Deployment"),
	MAKE("Deployment", "spec/selector/matchLabels"),
	MAKE_GROUP("apps", "StatefulSet", "spec/selector/matchLabels"),
	SCHEDULING("apps", "StatefulSet"),
	AT_GROUP("batch", "CronJob", "spec/jobTemplate/spec/selector/matchLabels"),
	AT_GROUP("policy", "PodDisruptionBudget", "spec/selector/matchLabels"),
	AT_GROUP("batch", "Job", "spec/selector/matchLabels"),
	AT_GROUP("networking.k8s.io", "NetworkPolicy", "spec/podSelector/matchLabels"),
	AT_GROUP("networking.k8s.io", "NetworkPolicy", "spec/ingress/from/podSelector/matchLabels"),
	AT_GROUP("networking.k8s.io", "NetworkPolicy", "spec/egress/to/podSelector/matchLabels"),
	ITEM("", "v1", "ReplicationController", "spec/selector", true),
	MAKE("DaemonSet", "spec/selector/matchLabels"),
	MAKE("ReplicaSet", "spec/selector/matchLabels"),
	METADATA_LABELS,
};

static const struct fieldspec template_labels[] = {METADATA_LABELS};
static const struct fieldspec claim_labels[] = {CLAIMS};

static const struct fieldspec annotations[] = {
	MAKE("Deployment", "spec/template/metadata/annotations"),
	MAKE("StatefulSet", "spec/template/metadata/annotations"),
	MAKE_GROUP("batch", "CronJob", "spec/jobTemplate/metadata/annotations"),
	MAKE_GROUP("batch", "CronJob", "spec/jobTemplate/spec/template/metadata/annotations"),
	MAKE_GROUP("batch", "Job", "spec/template/metadata/annotations"),
	ITEM("", "v1", "ReplicationController", "spec/template/metadata/annotations", true),
	MAKE("DaemonSet", "spec/template/metadata/annotations"),
	MAKE("ReplicaSet", "spec/template/metadata/annotations"),
	MAKE("", "metadata/annotations"),
};

/* ---- images and replicas ---- */

static const struct fieldspec images[] = {
	MAKE("", "spec/containers[]/image"),
	MAKE("", "spec/initContainers[]/image"),
	MAKE("", IN_TEMPLATE "/containers[]/image"),
	MAKE("", IN_TEMPLATE "/initContainers[]/image"),
};

static const struct fieldspec replicas[] = {
	MAKE("Deployment", "spec/replicas"),
	MAKE("StatefulSet", "spec/replicas"),
	MAKE("ReplicaSet", "spec/replicas"),
	MAKE("ReplicationController", "spec/replicas"),
};

/* ---- names ---- */

#define WITH_PODS(each)                                                                                                \
	each("v1", "Pod", "spec"),                                                                                     \
	each("", "PodTemplate", "template/spec"),                                                                      \
	each("", "Deployment", IN_TEMPLATE),                                                                           \
	each("", "ReplicaSet", IN_TEMPLATE),                                                                           \
	each("", "DaemonSet", IN_TEMPLATE),                                                                            \
	each("", "StatefulSet", IN_TEMPLATE),                                                                          \
	each("", "Job", IN_TEMPLATE),                                                                                  \
	each("", "CronJob", IN_JOB)
#define CONFIG_MAPS_OF(v, k, spec)                                                                                     \
	ITEM("", v, k, spec "/volumes/configMap/name", false),                                                         \
	ITEM("", v, k, spec "/containers/env/valueFrom/configMapKeyRef/name", false),                                  \
	ITEM("", v, k, spec "/initContainers/env/valueFrom/configMapKeyRef/name", false),                              \
	ITEM("", v, k, spec "/containers/envFrom/configMapRef/name", false),                                           \
	ITEM("", v, k, spec "/initContainers/envFrom/configMapRef/name", false),                                       \
	ITEM("", v, k, spec "/volumes/projected/sources/configMap/name", false)
#define SECRETS_OF(v, k, spec)                                                                                         \
	ITEM("", v, k, spec "/volumes/secret/secretName", false),                                                      \
	ITEM("", v, k, spec "/containers/env/valueFrom/secretKeyRef/name", false),                                     \
	ITEM("", v, k, spec "/initContainers/env/valueFrom/secretKeyRef/name", false),                                 \
	ITEM("", v, k, spec "/containers/envFrom/secretRef/name", false),                                              \
	ITEM("", v, k, spec "/initContainers/envFrom/secretRef/name", false),                                          \
	ITEM("", v, k, spec "/imagePullSecrets/name", false),                                                          \
	ITEM("", v, k, spec "/volumes/projected/sources/secret/name", false)

static const struct fieldspec uses_config_map[] = {
	WITH_PODS(CONFIG_MAPS_OF),
	AT("Node", "spec/configSource/configMap"),
	AT("Role", "rules/resourceNames"),
	AT("ClusterRole", "rules/resourceNames"),
	AT("Ingress", "metadata/annotations/nginx.ingress.kubernetes.io\\/fastcgi-params-configmap"),
};

static const struct fieldspec uses_secret[] = {
	WITH_PODS(SECRETS_OF),
	AT("Ingress", "spec/tls/secretName"),
	AT("Ingress", "metadata/annotations/ingress.kubernetes.io\\/auth-secret"),
	AT("Ingress", "metadata/annotations/nginx.ingress.kubernetes.io\\/auth-secret"),
	AT("Ingress", "metadata/annotations/nginx.ingress.kubernetes.io\\/auth-tls-secret"),
	AT("ServiceAccount", "imagePullSecrets/name"),
	AT("StorageClass", "parameters/secretName"),
	AT("StorageClass", "parameters/adminSecretName"),
	AT("StorageClass", "parameters/userSecretName"),
	AT("StorageClass", "parameters/secretRef"),
	AT("Role", "rules/resourceNames"),
	AT("ClusterRole", "rules/resourceNames"),
	ITEM("serving.knative.dev", "v1", "Service", IN_TEMPLATE "/containers/env/valueFrom/secretKeyRef/name", false),
	AT("PersistentVolume", "spec/azureFile/secretName"),
};

static const struct fieldspec uses_service[] = {
	AT_GROUP("apps", "StatefulSet", "spec/serviceName"),
	AT("Ingress", "spec/rules/http/paths/backend/serviceName"),
	AT("Ingress", "spec/backend/serviceName"),
	AT("Ingress", "spec/rules/http/paths/backend/service/name"),
	AT("Ingress", "spec/defaultBackend/service/name"),
	AT_GROUP("apiregistration.k8s.io", "APIService", "spec/service/name"),
	AT_GROUP("admissionregistration.k8s.io", "ValidatingWebhookConfiguration", "webhooks/clientConfig/service"),
	AT_GROUP("admissionregistration.k8s.io", "MutatingWebhookConfiguration", "webhooks/clientConfig/service"),
};

/* These three are not looked for in ReplicaSets and PodTemplates, but in ReplicationControllers. */
#define IN_PODS_OF(field)                                                                                              \
	AT("Pod", "spec/" field),                                                                                      \
	AT("StatefulSet", IN_TEMPLATE "/" field),                                                                      \
	AT("Deployment", IN_TEMPLATE "/" field),                                                                       \
	AT("ReplicationController", IN_TEMPLATE "/" field),                                                            \
	AT("CronJob", IN_JOB "/" field),                                                                               \
	AT("Job", IN_TEMPLATE "/" field),                                                                              \
	AT("DaemonSet", IN_TEMPLATE "/" field)

static const struct fieldspec uses_account[] = {
	AT_GROUP("rbac.authorization.k8s.io", "RoleBinding", "subjects"),
	AT_GROUP("rbac.authorization.k8s.io", "ClusterRoleBinding", "subjects"),
	IN_PODS_OF("serviceAccountName"),
};
static const struct fieldspec uses_claim[] = {IN_PODS_OF("volumes/persistentVolumeClaim/claimName")};
static const struct fieldspec uses_priority[] = {IN_PODS_OF("priorityClassName")};
static const struct fieldspec uses_role[] = {AT_GROUP("rbac.authorization.k8s.io", "RoleBinding", "roleRef/name")};
static const struct fieldspec uses_cluster_role[] = {
	AT_GROUP("rbac.authorization.k8s.io", "RoleBinding", "roleRef/name"),
	AT_GROUP("rbac.authorization.k8s.io", "ClusterRoleBinding", "roleRef/name"),
};
static const struct fieldspec uses_storage_class[] = {
	AT("PersistentVolume", "spec/storageClassName"),
	AT("PersistentVolumeClaim", "spec/storageClassName"),
	AT("StatefulSet", "spec/volumeClaimTemplates/spec/storageClassName"),
};
static const struct fieldspec uses_volume[] = {
	AT("PersistentVolumeClaim", "spec/volumeName"),
	AT("ClusterRole", "rules/resourceNames"),
};
static const struct fieldspec uses_ingress_class[] = {AT("Ingress", "spec/ingressClassName")};
static const struct fieldspec uses_policy[] = {
	AT_GROUP("admissionregistration.k8s.io", "ValidatingAdmissionPolicyBinding", "spec/policyName"),
};
static const struct fieldspec scales[] = {AT("HorizontalPodAutoscaler", "spec/scaleTargetRef/name")};

static const struct name_reference references[] = {
	REFERENCE("storage.k8s.io", "v1", "StorageClass", uses_storage_class),
	REFERENCE("", "v1", "ServiceAccount", uses_account),
	REFERENCE("rbac.authorization.k8s.io", "", "Role", uses_role),
	REFERENCE("rbac.authorization.k8s.io", "", "ClusterRole", uses_cluster_role),
	REFERENCE("", "v1", "ConfigMap", uses_config_map),
	REFERENCE("", "v1", "Secret", uses_secret),
	REFERENCE("", "v1", "Service", uses_service),
	REFERENCE("scheduling.k8s.io", "v1", "PriorityClass", uses_priority),
	REFERENCE("", "v1", "PersistentVolume", uses_volume),
	REFERENCE("", "v1", "PersistentVolumeClaim", uses_claim),
	REFERENCE("", "", "Deployment", scales),
	REFERENCE("", "", "StatefulSet", scales),
	REFERENCE("admissionregistration.k8s.io", "", "ValidatingAdmissionPolicy", uses_policy),
	/* so in the reference, whose IngressClasses therefore never match */
	REFERENCE("networking.k8s.io/v1", "v1", "IngressClass", uses_ingress_class),
	REFERENCE("", "", "ReplicaSet", scales),
	REFERENCE("", "", "ReplicationController", scales),
};

/* ---- vars ---- */

#define CONTAINERS_OF(k, list)                                                                                         \
	AT(k, list "/args"), AT(k, list "/command"), AT(k, list "/env/value"), AT(k, list "/volumeMounts/mountPath")
#define PODS_OF(k, spec) CONTAINERS_OF(k, spec "/containers"), CONTAINERS_OF(k, spec "/initContainers")

static const struct fieldspec vars[] = {
	AT("Service", "spec/ports/port"),
	AT("Service", "spec/ports/targetPort"),
	AT("PersistentVolume", "spec/nfs/server"),
	PODS_OF("Deployment", IN_TEMPLATE),
	AT("Deployment", IN_TEMPLATE "/volumes/nfs/server"),
	AT("Deployment", "spec/template/metadata/annotations"),
	PODS_OF("StatefulSet", IN_TEMPLATE),
	AT("StatefulSet", "spec/volumeClaimTemplates/spec/nfs/server"),
	PODS_OF("CronJob", IN_JOB),
	AT("CronJob", "spec/jobTemplate/spec/template/volumes/nfs/server"),
	PODS_OF("DaemonSet", IN_TEMPLATE),
	AT("DaemonSet", IN_TEMPLATE "/volumes/nfs/server"),
	AT("Ingress", "spec/tls/secretName"),
	AT("Ingress", "spec/tls/hosts"),
	AT("Ingress", "spec/rules/host"),
	PODS_OF("Job", IN_TEMPLATE),
	AT("Job", IN_TEMPLATE "/volumes/nfs/server"),
	PODS_OF("Pod", "spec"),
	AT("Pod", "spec/volumes/nfs/server"),
	PODS_OF("ReplicaSet", IN_TEMPLATE),
	AT("ReplicaSet", IN_TEMPLATE "/volumes/nfs/server"),
	AT("", "metadata/labels"),
	AT("", "metadata/annotations"),
};
/* clang-format on */

/* Never written: a list with cap 0 is copied before something is added to it (fieldspecs_add()). */
static const struct config builtin = {
	.name_prefix = LIST(names),
	.name_suffix = LIST(names),
	.ns = LIST(namespaces),
	.labels = LIST(labels),
	.template_labels = LIST(template_labels),
	.annotations = LIST(annotations),
	.images = LIST(images),
	.replicas = LIST(replicas),
	.vars = LIST(vars),
	.references = (struct name_reference *)(uintptr_t)references,
	.n_references = sizeof(references) / sizeof(references[0]),
	.claim_labels = LIST(claim_labels),
};

const struct config *config_builtin(struct build *b)
{
	(void)b;
	return &builtin;
}
