/* SPDX-License-Identifier: Apache-2.0 */
/* `listen:` - /healthz, /readyz, /metrics. */
#ifndef SERVER_WEB_H
#define SERVER_WEB_H

#include "core/engine/engine.h"

struct web;

/* listen is HOST:PORT. */
pl_status web_start(struct engine *g, pl_str listen, const struct log *log, struct web **out, struct pl_err *e);
void web_stop(struct web *w); /* NULL is allowed */

/* The text of /metrics (Prometheus exposition format 0.0.4). */
void metrics_print(struct engine *g, struct buf *b);

#endif
