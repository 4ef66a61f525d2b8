/* SPDX-License-Identifier: Apache-2.0 */
/* One operation of a plugin: its memory, deadline, cancel, error and host services. */
#ifndef PLUGIN_CALL_H
#define PLUGIN_CALL_H

#include "core/base/arena.h"
#include "core/base/err.h"
#include "core/base/log.h"
#include "core/worker/worker.h"
#include "plumb/plugin.h"

struct call; /* lives on one thread */

/* a: results live there. doc may be NULL: one is made on demand and dies with the call. timeout_ms 0: none. */
struct call *call_new(struct arena *a, pl_doc *doc, pl_str app, const struct log *log, struct cancel *cancel,
		      int64_t timeout_ms);
void call_free(struct call *c); /* wipes secrets that were handed out */
const pl_host *call_host(struct call *c);
/* Turns an operation's return value into an error: what host->fail told, or a PL_EPLUGIN text when it told nothing. */
pl_status call_result(struct call *c, const char *plugin, const char *operation, pl_status st, struct pl_err *e);

#endif
