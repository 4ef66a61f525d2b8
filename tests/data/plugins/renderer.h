/* SPDX-License-Identifier: Apache-2.0 */
/* A renderer that hands on what it gets. Every test plugin beside it is this one with one thing changed. */
#include "plumb/plugin.h"

#ifndef NAME
#define NAME "good"
#endif
#ifndef ABI
#define ABI PL_ABI
#endif
#ifndef SIZE
#define SIZE sizeof(pl_plugin)
#endif
#ifndef KIND
#define KIND PL_KIND_RENDERER
#endif
#ifndef FLAGS
#define FLAGS 0
#endif
#ifndef SCHEMA
#define SCHEMA ""
#endif
#ifndef OPS_SIZE
#define OPS_SIZE sizeof(pl_renderer_ops)
#endif
#ifndef RENDER
#define RENDER render
#endif
#ifndef OPS
#define OPS &ops
#endif
#ifndef ANSWER
#define ANSWER &plugin
#endif

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

__attribute__((unused)) static pl_status render(const pl_host *h, void *self, const pl_render_call *call)
{
	(void)self;
	pl_status st = PL_OK;
	for (uint32_t i = 0; i < call->n_resources && !st; i++)
		st = call->emit_node(h->ctx, call->resources[i]);
	return st;
}

__attribute__((unused)) static const pl_renderer_ops ops = {
	.size = OPS_SIZE,
	.open = open_it,
	.close = close_it,
	.render = RENDER,
};

__attribute__((unused)) static const pl_plugin plugin = {
	.size = SIZE,
	.abi = ABI,
	.kind = KIND,
	.flags = FLAGS,
	.name = {NAME, sizeof(NAME) - 1},
	.version = {"1", 1},
	.options_schema = {SCHEMA, sizeof(SCHEMA) - 1},
	.renderer = OPS,
};

#ifndef NO_ENTRY
const pl_plugin *pl_plugin_entry(uint32_t host_abi)
{
	(void)host_abi;
	return ANSWER;
}
#endif
