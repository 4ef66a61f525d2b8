/* SPDX-License-Identifier: Apache-2.0 */
#include "core/engine/plan.h"

/*
 * What others need comes first. Kinds are matched whatever their group, as users of Argo CD know it, but for the two
 * that everything else waits for: a custom kind that happens to be called Namespace must not come before its own CRD.
 */
static const struct {
	const char *kind;
	const char *group; /* NULL: any */
} ranks[] = {
	{"Namespace", ""},
	{"CustomResourceDefinition", "apiextensions.k8s.io"},
	{"NetworkPolicy", NULL},
	{"ResourceQuota", NULL},
	{"LimitRange", NULL},
	{"PodSecurityPolicy", NULL},
	{"PodDisruptionBudget", NULL},
	{"ServiceAccount", NULL},
	{"Secret", NULL},
	{"SecretList", NULL},
	{"ConfigMap", NULL},
	{"StorageClass", NULL},
	{"PersistentVolume", NULL},
	{"PersistentVolumeClaim", NULL},
	{"ClusterRole", NULL},
	{"ClusterRoleList", NULL},
	{"ClusterRoleBinding", NULL},
	{"ClusterRoleBindingList", NULL},
	{"Role", NULL},
	{"RoleList", NULL},
	{"RoleBinding", NULL},
	{"RoleBindingList", NULL},
	{"Service", NULL},
	{"DaemonSet", NULL},
	{"Pod", NULL},
	{"ReplicationController", NULL},
	{"ReplicaSet", NULL},
	{"Deployment", NULL},
	{"HorizontalPodAutoscaler", NULL},
	{"StatefulSet", NULL},
	{"Job", NULL},
	{"CronJob", NULL},
	{"IngressClass", NULL},
	{"Ingress", NULL},
	{"APIService", NULL},
};

#define N_RANKS (sizeof(ranks) / sizeof(ranks[0]))

uint32_t plan_kind_rank(pl_str group, pl_str kind)
{
	for (uint32_t i = 0; i < N_RANKS; i++)
		if (str_eqz(kind, ranks[i].kind) && (!ranks[i].group || str_eqz(group, ranks[i].group)))
			return i;
	return N_RANKS;
}
