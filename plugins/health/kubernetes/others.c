/* SPDX-License-Identifier: Apache-2.0 */
/* Job, HorizontalPodAutoscaler, and the kinds whose rule is one field. */
#include "check.h"

#include <string.h>
#include <strings.h>

static const pl_str nothing = {NULL, 0};

void check_job(struct check *c)
{
	const pl_node *all = list_at(c, c->status, "status.", "conditions");
	pl_str message = nothing, failure = nothing;
	bool failed = false, suspended = false, finished = false;

	for (size_t i = 0; i < pl_len(all); i++) {
		const pl_node *one = pl_item(all, i);
		pl_str type = condition_text(c, one, "type");
		pl_str text = condition_text(c, one, "message");

		if (text_is(type, "Failed")) {
			failed = finished = true;
			failure = text;
		} else if (text_is(type, "Complete")) {
			finished = true;
			message = text;
		} else if (text_is(type, "Suspended")) {
			finished = true;
			message = text;
			suspended = suspended || text_is(condition_text(c, one, "status"), "True");
		}
	}
	if (!finished)
		say_text(c, PL_PROGRESSING, nothing);
	else if (failed)
		say_text(c, PL_DEGRADED, failure);
	else
		say_text(c, suspended ? PL_SUSPENDED : PL_HEALTHY, message);
}

/* ---- HorizontalPodAutoscaler ---- */

static const struct {
	const char *type, *reason;
} scaling_failures[] = {
	{"AbleToScale", "FailedGetScale"},
	{"AbleToScale", "FailedUpdateScale"},
	{"ScalingActive", "FailedGetResourceMetric"},
	{"ScalingActive", "FailedGetObjectMetric"},
	{"ScalingActive", "FailedGetPodsMetric"},
	{"ScalingActive", "FailedGetExternalMetric"},
	{"ScalingActive", "FailedComputeMetricsReplicas"},
	{"ScalingActive", "InvalidSelector"},
};

/* A text of a condition. Those in the annotation are read as Go reads JSON: the case of keys does not matter. */
static pl_str scaling_text(struct check *c, const pl_node *one, const char *key)
{
	if (pl_kind(one) == PL_MAP && !pl_gets(one, key))
		for (size_t i = 0; i < pl_len(one); i++) {
			pl_str k = pl_text(pl_key(one, i));

			if (k.n == strlen(key) && strncasecmp(k.p, key, k.n) == 0 &&
			    pl_kind(pl_value(one, i)) == PL_STRING)
				return pl_text(pl_value(one, i));
		}
	return condition_text(c, one, key);
}

static bool has_failed(struct check *c, const pl_node *one)
{
	pl_str type = scaling_text(c, one, "type"), reason = scaling_text(c, one, "reason");

	for (size_t i = 0; i < sizeof(scaling_failures) / sizeof(*scaling_failures); i++)
		if (text_is(type, scaling_failures[i].type) && text_is(reason, scaling_failures[i].reason))
			return true;
	return false;
}

static bool is_fine(struct check *c, const pl_node *one)
{
	pl_str type = scaling_text(c, one, "type");

	return (text_is(type, "AbleToScale") || text_is(type, "ScalingLimited")) &&
	       text_is(scaling_text(c, one, "status"), "True");
}

static void judge_scaling(struct check *c, const pl_node *conditions)
{
	for (size_t i = 0; i < pl_len(conditions); i++)
		if (has_failed(c, pl_item(conditions, i))) {
			say_text(c, PL_DEGRADED, scaling_text(c, pl_item(conditions, i), "message"));
			return;
		}
	for (size_t i = 0; i < pl_len(conditions); i++)
		if (is_fine(c, pl_item(conditions, i))) {
			say_text(c, PL_HEALTHY, scaling_text(c, pl_item(conditions, i), "message"));
			return;
		}
	say(c, PL_PROGRESSING, "Waiting to Autoscale");
}

/* NULL, with an answer, when the annotation is no JSON list. */
static const pl_node *read_conditions(struct check *c, pl_str text)
{
	pl_err *e = pl_err_new();
	pl_node *list = NULL;

	if (pl_json_read(c->host->doc(c->host->ctx), text, "autoscaling.alpha.kubernetes.io/conditions", 0, &list, e) !=
	    PL_OK) {
		say(c, PL_UNKNOWN, "the annotation with the conditions can't be read: %s", pl_err_text(e));
		list = NULL;
	} else if (pl_kind(list) != PL_LIST && pl_kind(list) != PL_NULL) {
		say(c, PL_UNKNOWN, "the annotation autoscaling.alpha.kubernetes.io/conditions is not a JSON list");
		list = NULL;
	}
	pl_err_free(e);
	return list;
}

void check_autoscaler(struct check *c)
{
	const pl_node *annotations = map_at(c, c->metadata, "metadata.", "annotations");
	const pl_node *conditions;

	if (!text_is(c->ref->version, "v1")) {
		judge_scaling(c, list_at(c, c->status, "status.", "conditions"));
		return;
	}
	if (!present(annotations, "autoscaling.alpha.kubernetes.io/conditions")) {
		judge_scaling(c, NULL);
		return;
	}
	conditions = read_conditions(
		c, text_at(c, annotations, "metadata.annotations.", "autoscaling.alpha.kubernetes.io/conditions"));
	if (conditions)
		judge_scaling(c, pl_kind(conditions) == PL_LIST ? conditions : NULL);
}

/* ---- one field each ---- */

static bool has_ingress(struct check *c)
{
	const pl_node *balancer = map_at(c, c->status, "status.", "loadBalancer");

	return pl_len(list_at(c, balancer, "status.loadBalancer.", "ingress")) > 0;
}

void check_service(struct check *c)
{
	bool waits = text_is(text_at(c, c->spec, "spec.", "type"), "LoadBalancer") && !has_ingress(c);

	say_text(c, waits ? PL_PROGRESSING : PL_HEALTHY, nothing);
}

void check_ingress(struct check *c)
{
	say_text(c, has_ingress(c) ? PL_HEALTHY : PL_PROGRESSING, nothing);
}

void check_claim(struct check *c)
{
	static const struct phase phases[] = {
		{"Bound", PL_HEALTHY}, {"Pending", PL_PROGRESSING}, {"Lost", PL_DEGRADED}, {NULL, 0}};

	say_text(c, phase_health(phases, text_at(c, c->status, "status.", "phase"), PL_UNKNOWN), nothing);
}

void check_api_service(struct check *c)
{
	const pl_node *available = condition(c, "Available");
	pl_str reason = condition_text(c, available, "reason");
	pl_str message = condition_text(c, available, "message");

	if (!available)
		say(c, PL_PROGRESSING, "Waiting to be processed");
	else
		say(c, text_is(condition_text(c, available, "status"), "True") ? PL_HEALTHY : PL_PROGRESSING,
		    "%.*s: %.*s", (int)reason.n, reason.n ? reason.p : "", (int)message.n, message.n ? message.p : "");
}

void check_workflow(struct check *c)
{
	static const struct phase phases[] = {{"", PL_PROGRESSING},
					      {"Pending", PL_PROGRESSING},
					      {"Running", PL_PROGRESSING},
					      {"Succeeded", PL_HEALTHY},
					      {"Failed", PL_DEGRADED},
					      {"Error", PL_DEGRADED},
					      {NULL, 0}};

	say_text(c, phase_health(phases, text_at(c, c->status, "status.", "phase"), PL_UNKNOWN),
		 text_at(c, c->status, "status.", "message"));
}
