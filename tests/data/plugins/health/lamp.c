/* SPDX-License-Identifier: Apache-2.0 */
/* Judges lab.io/Lamp by its spec.light. */
#include "plumb/plugin.h"

#include <string.h>

static const pl_str claims[] = {{"lab.io/Lamp", 11}};

static pl_status open_it(const pl_host *h, pl_str options, void **self)
{
	(void)h;
	(void)options;
	*self = NULL;
	return PL_OK;
}

static void close_it(void *self)
{
	(void)self;
}

static pl_status assess(const pl_host *h, void *self, const pl_ref *ref, const pl_doc *doc, const pl_node *live,
			pl_verdict *out)
{
	(void)self;
	(void)ref;
	(void)doc;
	pl_str light = pl_text(pl_gets(pl_gets(live, "spec"), "light"));
	if (light.n == 6 && !memcmp(light.p, "broken", 6))
		return h->fail(h->ctx, PL_EINVAL, (pl_str){NULL, 0}, 0, 0, (pl_str){"can't see it", 12});
	out->health = light.n == 3 ? PL_DEGRADED : light.n == 2 ? PL_HEALTHY : 99;
	out->message = (pl_str){"looked", 6};
	return PL_OK;
}

static const pl_health_ops ops = {
	.size = sizeof(ops),
	.n_claims = 1,
	.claims = claims,
	.open = open_it,
	.close = close_it,
	.assess = assess,
};

static const pl_plugin plugin = {
	.size = sizeof(plugin),
	.abi = PL_ABI,
	.kind = PL_KIND_HEALTH,
	.name = {"lamp", 4},
	.version = {"1", 1},
	.health = &ops,
};

const pl_plugin *pl_plugin_entry(uint32_t host_abi)
{
	(void)host_abi;
	return &plugin;
}
