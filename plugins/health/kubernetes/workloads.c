/* SPDX-License-Identifier: Apache-2.0 */
/* Deployment, StatefulSet, ReplicaSet, DaemonSet. */
#include "check.h"

#include <string.h>

#define LL(n) (long long)(n)

static const pl_str nothing = {NULL, 0};

static bool same(pl_str a, pl_str b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static bool is_behind(struct check *c)
{
	return int_at(c, c->metadata, "metadata.", "generation") >
	       int_at(c, c->status, "status.", "observedGeneration");
}

static int64_t status_int(struct check *c, const char *key)
{
	return int_at(c, c->status, "status.", key);
}

void check_deployment(struct check *c)
{
	int64_t wanted = int_at(c, c->spec, "spec.", "replicas");
	int64_t updated = status_int(c, "updatedReplicas");
	int64_t total = status_int(c, "replicas");
	int64_t available = status_int(c, "availableReplicas");
	const pl_node *progressing = condition(c, "Progressing");

	if (true_at(c, c->spec, "spec.", "paused"))
		say(c, PL_SUSPENDED, "Deployment is paused");
	else if (is_behind(c))
		say(c, PL_PROGRESSING,
		    "Waiting for rollout to finish: observed deployment generation less than desired generation");
	else if (text_is(condition_text(c, progressing, "reason"), "ProgressDeadlineExceeded"))
		say(c, PL_DEGRADED, "Deployment %s exceeded its progress deadline", quoted(c, c->ref->name));
	else if (present(c->spec, "replicas") && updated < wanted)
		say(c, PL_PROGRESSING,
		    "Waiting for rollout to finish: %lld out of %lld new replicas have been updated...", LL(updated),
		    LL(wanted));
	else if (total > updated)
		say(c, PL_PROGRESSING, "Waiting for rollout to finish: %lld old replicas are pending termination...",
		    LL(total - updated));
	else if (available < updated)
		say(c, PL_PROGRESSING, "Waiting for rollout to finish: %lld of %lld updated replicas are available...",
		    LL(available), LL(updated));
	else
		say_text(c, PL_HEALTHY, nothing);
}

/* The part after readiness: how far the update is. */
static void check_stateful_update(struct check *c, const pl_node *strategy)
{
	pl_str type = text_at(c, strategy, "spec.updateStrategy.", "type");
	const pl_node *rolling = map_at(c, strategy, "spec.updateStrategy.", "rollingUpdate");
	int64_t wanted = int_at(c, c->spec, "spec.", "replicas");
	int64_t partition = int_at(c, rolling, "spec.updateStrategy.rollingUpdate.", "partition");
	int64_t updated = status_int(c, "updatedReplicas");
	pl_str update = text_at(c, c->status, "status.", "updateRevision");
	pl_str current = text_at(c, c->status, "status.", "currentRevision");
	bool rolls = text_is(type, "RollingUpdate") && rolling;

	if (rolls && present(c->spec, "replicas") && present(rolling, "partition") && updated < wanted - partition)
		say(c, PL_PROGRESSING,
		    "Waiting for partitioned roll out to finish: %lld out of %lld new pods have been updated...",
		    LL(updated), LL(wanted - partition));
	else if (rolls)
		say(c, PL_HEALTHY, "partitioned roll out complete: %lld new pods have been updated...", LL(updated));
	else if (text_is(type, "OnDelete"))
		say(c, PL_HEALTHY, "statefulset has %lld ready pods", LL(status_int(c, "readyReplicas")));
	else if (!same(update, current))
		say(c, PL_PROGRESSING,
		    "waiting for statefulset rolling update to complete %lld pods at revision %.*s...", LL(updated),
		    (int)update.n, update.n ? update.p : "");
	else
		say(c, PL_HEALTHY, "statefulset rolling update complete %lld pods at revision %.*s...",
		    LL(status_int(c, "currentReplicas")), (int)current.n, current.n ? current.p : "");
}

void check_stateful_set(struct check *c)
{
	int64_t wanted = int_at(c, c->spec, "spec.", "replicas");
	int64_t ready = status_int(c, "readyReplicas");

	if (status_int(c, "observedGeneration") == 0 || is_behind(c))
		say(c, PL_PROGRESSING, "Waiting for statefulset spec update to be observed...");
	else if (present(c->spec, "replicas") && ready < wanted)
		say(c, PL_PROGRESSING, "Waiting for %lld pods to be ready...", LL(wanted - ready));
	else
		check_stateful_update(c, map_at(c, c->spec, "spec.", "updateStrategy"));
}

void check_replica_set(struct check *c)
{
	int64_t wanted = int_at(c, c->spec, "spec.", "replicas");
	int64_t available = status_int(c, "availableReplicas");
	const pl_node *failure = condition(c, "ReplicaFailure");

	if (is_behind(c))
		say(c, PL_PROGRESSING,
		    "Waiting for rollout to finish: observed replica set generation less than desired generation");
	else if (text_is(condition_text(c, failure, "status"), "True"))
		say_text(c, PL_DEGRADED, condition_text(c, failure, "message"));
	else if (present(c->spec, "replicas") && available < wanted)
		say(c, PL_PROGRESSING, "Waiting for rollout to finish: %lld out of %lld new replicas are available...",
		    LL(available), LL(wanted));
	else
		say_text(c, PL_HEALTHY, nothing);
}

void check_daemon_set(struct check *c)
{
	int64_t updated = status_int(c, "updatedNumberScheduled");
	int64_t desired = status_int(c, "desiredNumberScheduled");
	int64_t available = status_int(c, "numberAvailable");
	const pl_node *strategy = map_at(c, c->spec, "spec.", "updateStrategy");

	if (is_behind(c))
		say(c, PL_PROGRESSING,
		    "Waiting for rollout to finish: observed daemon set generation less than desired generation");
	else if (text_is(text_at(c, strategy, "spec.updateStrategy.", "type"), "OnDelete"))
		say(c, PL_HEALTHY, "daemon set %lld out of %lld new pods have been updated", LL(updated), LL(desired));
	else if (updated < desired)
		say(c, PL_PROGRESSING,
		    "Waiting for daemon set %s rollout to finish: %lld out of %lld new pods have been updated...",
		    quoted(c, c->ref->name), LL(updated), LL(desired));
	else if (available < desired)
		say(c, PL_PROGRESSING,
		    "Waiting for daemon set %s rollout to finish: %lld of %lld updated pods are available...",
		    quoted(c, c->ref->name), LL(available), LL(desired));
	else
		say_text(c, PL_HEALTHY, nothing);
}
