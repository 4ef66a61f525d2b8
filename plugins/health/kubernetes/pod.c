/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include <string.h>

#define GITOPS "argocd.argoproj.io/"

static const pl_str oom = {"OOMKilled", 9};

/* Is any value of the comma-separated list one that makes a hook? Skip alone does not. */
static bool names_a_hook(pl_str list)
{
	bool skip = false, other = false;

	while (list.n > 0) {
		const char *comma = memchr(list.p, ',', list.n);
		pl_str one = {list.p, comma ? (size_t)(comma - list.p) : list.n};

		list.p += one.n + (comma != NULL);
		list.n -= one.n + (comma != NULL);
		while (one.n > 0 && one.p[0] == ' ') {
			one.p++;
			one.n--;
		}
		while (one.n > 0 && one.p[one.n - 1] == ' ')
			one.n--;
		if (text_is(one, "Skip"))
			skip = true;
		else
			other = other || text_is(one, "PreSync") || text_is(one, "Sync") || text_is(one, "PostSync") ||
				text_is(one, "SyncFail") || text_is(one, "PreDelete") || text_is(one, "PostDelete");
	}
	return other || !skip;
}

static bool is_hook(struct check *c, const pl_node *annotations)
{
	if (present(annotations, GITOPS "hook"))
		return names_a_hook(text_at(c, annotations, "metadata.annotations.", GITOPS "hook"));
	return present(annotations, "helm.sh/hook") &&
	       !text_is(text_at(c, annotations, "metadata.annotations.", "helm.sh/hook"), "crd-install");
}

static bool is_long_running(struct check *c, pl_str policy)
{
	const pl_node *annotations = map_at(c, c->metadata, "metadata.", "annotations");

	if (text_is(policy, "Always"))
		return true;
	return text_is(text_at(c, annotations, "metadata.annotations.", GITOPS "ignore-restart-policy"), "true") &&
	       !is_hook(c, annotations);
}

/* state.waiting or state.terminated of a container; NULL when it is in another state. */
static const pl_node *container_state(struct check *c, const pl_node *container, const char *which, const char *name)
{
	const pl_node *state = map_at(c, container, "status.containerStatuses[].", which);

	return map_at(c, state, "status.containerStatuses[].state.", name);
}

static bool is_stuck(pl_str reason)
{
	return text_starts(reason, "Err") || text_ends(reason, "Error") || text_ends(reason, "BackOff");
}

/* true, with an answer, when a container waits for something that has failed. */
static bool check_waiting(struct check *c, const pl_node *containers)
{
	size_t n = 0, room = 0, found = 0;
	char *text;

	for (int write = 0; write < 2; write++) {
		text = write ? c->host->alloc(c->host->ctx, room + 1) : NULL;
		found = 0;
		for (size_t i = 0; i < pl_len(containers); i++) {
			const pl_node *waiting = container_state(c, pl_item(containers, i), "state", "waiting");
			pl_str message = text_at(c, waiting, "state.waiting.", "message");

			if (!is_stuck(text_at(c, waiting, "state.waiting.", "reason")))
				continue;
			room += message.n + 2;
			if (text && found > 0) {
				memcpy(text + n, ", ", 2);
				n += 2;
			}
			if (text && message.n > 0)
				memcpy(text + n, message.p, message.n);
			n += text ? message.n : 0;
			found++;
		}
		if (found == 0)
			return false;
	}
	say_text(c, PL_DEGRADED, (pl_str){text, n});
	return true;
}

/* true, with an answer, when one of these containers tells why the pod failed. */
static bool check_terminated(struct check *c, const char *list)
{
	const pl_node *containers = list_at(c, c->status, "status.", list);

	for (size_t i = 0; i < pl_len(containers); i++) {
		const pl_node *container = pl_item(containers, i);
		const pl_node *ended = container_state(c, container, "state", "terminated");
		pl_str message = text_at(c, ended, "state.terminated.", "message");
		int64_t code = int_at(c, ended, "state.terminated.", "exitCode");

		if (message.n > 0)
			say_text(c, PL_DEGRADED, message);
		else if (text_is(text_at(c, ended, "state.terminated.", "reason"), "OOMKilled"))
			say_text(c, PL_DEGRADED, oom);
		else if (code != 0)
			say(c, PL_DEGRADED, "container %s failed with exit code %lld",
			    quoted(c, text_at(c, container, "status.containerStatuses[].", "name")), (long long)code);
		else
			continue;
		return true;
	}
	return false;
}

static bool was_terminated(struct check *c, const pl_node *containers)
{
	for (size_t i = 0; i < pl_len(containers); i++)
		if (container_state(c, pl_item(containers, i), "lastState", "terminated"))
			return true;
	return false;
}

static uint32_t running_health(struct check *c, bool long_running, pl_str policy, const pl_node *containers)
{
	if (!long_running)
		return text_is(policy, "OnFailure") || text_is(policy, "Never") ? PL_PROGRESSING : PL_UNKNOWN;
	if (text_is(condition_text(c, condition(c, "Ready"), "status"), "True"))
		return PL_HEALTHY;
	return was_terminated(c, containers) ? PL_DEGRADED : PL_PROGRESSING;
}

void check_pod(struct check *c)
{
	static const struct phase phases[] = {{"Pending", PL_PROGRESSING}, {"Succeeded", PL_HEALTHY}, {NULL, 0}};
	pl_str policy = text_at(c, c->spec, "spec.", "restartPolicy");
	pl_str phase = text_at(c, c->status, "status.", "phase");
	pl_str message = text_at(c, c->status, "status.", "message");
	const pl_node *containers = list_at(c, c->status, "status.", "containerStatuses");
	bool long_running = is_long_running(c, policy);

	if (long_running && check_waiting(c, containers))
		return;
	if (text_is(phase, "Running")) {
		say_text(c, running_health(c, long_running, policy, containers), message);
	} else if (text_is(phase, "Failed")) {
		if (message.n > 0 ||
		    (!check_terminated(c, "initContainerStatuses") && !check_terminated(c, "containerStatuses")))
			say_text(c, PL_DEGRADED, message);
	} else {
		say_text(c, phase_health(phases, phase, PL_UNKNOWN), message);
	}
}
