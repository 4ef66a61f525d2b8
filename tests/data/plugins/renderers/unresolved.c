/* SPDX-License-Identifier: Apache-2.0 */
/* Needs a function that nobody has. */
#define NAME   "unresolved"
#define RENDER nobody_has_this
#include "plumb/plugin.h"
pl_status nobody_has_this(const pl_host *h, void *self, const pl_render_call *call);
#include "../renderer.h"
