/* SPDX-License-Identifier: Apache-2.0 */
/* Verdicts by health plugins and how verdicts add up (docs/lua.md). */
#ifndef PLUGIN_HEALTH_H
#define PLUGIN_HEALTH_H

#include "core/doc/identity.h"
#include "core/plugin/call.h"
#include "core/plugin/registry.h"

struct verdict {
	uint32_t health; /* PL_HEALTH_NONE … PL_UNKNOWN */
	pl_str message;
	pl_str by; /* what decided: "plugin kubernetes", "script PATH", "deletion" */
};

const char *health_name(uint32_t health); /* "Healthy" …; PL_HEALTH_NONE: "" */
/* PL_EINVAL: not one of the six words. */
pl_status health_parse(pl_str name, uint32_t *out);
static inline uint32_t health_worse(uint32_t a, uint32_t b)
{
	return a > b ? a : b; /* the constants stand from best to worst */
}

/* Opens the health plugins of the registry on first need. Thread-safe. */
struct health_plugins;
struct health_plugins *health_plugins_new(struct registry *r, const struct log *log);
void health_plugins_free(struct health_plugins *h);
/* PL_HEALTH_NONE when no plugin claims the kind. */
pl_status health_plugins_assess(struct health_plugins *h, const pl_ref *ref, const pl_doc *doc, const pl_node *live,
				struct arena *a, struct verdict *out, struct pl_err *e);

#endif
