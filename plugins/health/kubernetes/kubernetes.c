/* SPDX-License-Identifier: Apache-2.0 */
/* The health of Kubernetes' own kinds (docs/health.md): which rule judges which kind, and the plugin's entry. */
#include "check.h"

#include <string.h>

#define LIT(z)                                                                                                         \
	{                                                                                                              \
		(z), sizeof(z) - 1                                                                                     \
	}

static const struct rule {
	const char *group, *kind;
	const char *versions[3]; /* none: any */
	const char *name;	 /* in errors */
	void (*check)(struct check *);
} rules[] = {
	{"apps", "Deployment", {"v1"}, "Deployment", check_deployment},
	{"apps", "StatefulSet", {"v1"}, "StatefulSet", check_stateful_set},
	{"apps", "ReplicaSet", {"v1"}, "ReplicaSet", check_replica_set},
	{"apps", "DaemonSet", {"v1"}, "DaemonSet", check_daemon_set},
	{"", "Service", {"v1"}, "Service", check_service},
	{"", "PersistentVolumeClaim", {"v1"}, "PersistentVolumeClaim", check_claim},
	{"", "Pod", {"v1"}, "Pod", check_pod},
	{"batch", "Job", {"v1"}, "Job", check_job},
	{"autoscaling", "HorizontalPodAutoscaler", {"v1", "v2"}, "HPA", check_autoscaler},
	{"apiregistration.k8s.io", "APIService", {"v1", "v1beta1"}, "APIService", check_api_service},
	{"networking.k8s.io", "Ingress", {NULL}, "Ingress", check_ingress},
	{"extensions", "Ingress", {NULL}, "Ingress", check_ingress},
	{"argoproj.io", "Workflow", {NULL}, "Workflow", check_workflow},
};

static const pl_str claims[] = {
	LIT("apps/Deployment"),
	LIT("apps/StatefulSet"),
	LIT("apps/ReplicaSet"),
	LIT("apps/DaemonSet"),
	LIT("Service"),
	LIT("PersistentVolumeClaim"),
	LIT("Pod"),
	LIT("batch/Job"),
	LIT("autoscaling/HorizontalPodAutoscaler"),
	LIT("apiregistration.k8s.io/APIService"),
	LIT("networking.k8s.io/Ingress"),
	LIT("extensions/Ingress"),
	LIT("argoproj.io/Workflow"),
};

_Static_assert(sizeof(claims) / sizeof(*claims) == sizeof(rules) / sizeof(*rules), "every rule is claimed");

static const struct rule *rule_of(const pl_ref *ref)
{
	for (size_t i = 0; i < sizeof(rules) / sizeof(*rules); i++)
		if (text_is(ref->group, rules[i].group) && text_is(ref->kind, rules[i].kind))
			return &rules[i];
	return NULL;
}

static bool knows_version(const struct rule *r, pl_str version)
{
	if (!r->versions[0])
		return true;
	for (size_t i = 0; i < 3 && r->versions[i]; i++)
		if (text_is(version, r->versions[i]))
			return true;
	return false;
}

static void say_unsupported(struct check *c, const struct rule *r)
{
	pl_str v = c->ref->version;

	say(c, PL_UNKNOWN, "unsupported %s GVK: %s/%.*s, Kind=%s", r->name, r->group, (int)v.n, v.n ? v.p : "",
	    r->kind);
}

static pl_status assess(const pl_host *h, void *self, const pl_ref *ref, const pl_doc *doc, const pl_node *live,
			pl_verdict *out)
{
	const struct rule *r = rule_of(ref);
	struct check c = {.host = h, .ref = ref, .object = live, .out = out};

	(void)self;
	(void)doc;
	say_text(&c, PL_HEALTH_NONE, (pl_str){NULL, 0});
	if (!r)
		return PL_OK;
	if (!knows_version(r, ref->version)) {
		say_unsupported(&c, r);
		return PL_OK;
	}
	c.metadata = map_at(&c, live, "", "metadata");
	c.spec = map_at(&c, live, "", "spec");
	c.status = map_at(&c, live, "", "status");
	r->check(&c);
	if (c.wrong[0])
		say(&c, PL_UNKNOWN, "%s %.*s: %s", r->kind, (int)ref->name.n, ref->name.n ? ref->name.p : "", c.wrong);
	return PL_OK;
}

static pl_status open_it(const pl_host *h, pl_str options, void **self)
{
	static const char none;

	(void)h;
	(void)options;
	/* No state: any pointer that is not NULL is a handle. Never written through. */
	union {
		const void *in;
		void *out;
	} handle = {.in = &none};

	*self = handle.out;
	return PL_OK;
}

static void close_it(void *self)
{
	(void)self;
}

static const pl_health_ops ops = {
	.size = sizeof(ops),
	.n_claims = sizeof(claims) / sizeof(*claims),
	.claims = claims,
	.open = open_it,
	.close = close_it,
	.assess = assess,
};

static const pl_plugin plugin = {
	.size = sizeof(plugin),
	.abi = PL_ABI,
	.kind = PL_KIND_HEALTH,
	.flags = PL_THREAD_SAFE,
	.name = LIT("kubernetes"),
	.version = LIT(PLUMB_VERSION),
	.summary = LIT("Health of Kubernetes' own kinds: workloads, pods, jobs, services, autoscalers"),
	.health = &ops,
};

const pl_plugin *pl_plugin_entry(uint32_t host_abi)
{
	return host_abi == PL_ABI ? &plugin : NULL;
}
