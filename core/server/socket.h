/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The control socket stateDir/plumb.sock, mode 0600: one request a connection, as one JSON line; then events
 * {"event": …} and one last line {"reply": …} or {"error": {…}}. Only the daemon's own user and root may ask.
 * A closed connection cancels what it asked for.
 */
#ifndef SERVER_SOCKET_H
#define SERVER_SOCKET_H

#include "core/server/api.h"

struct control;

pl_status control_start(struct engine *g, const char *path, const struct log *log, struct control **out,
			struct pl_err *e);
void control_stop(struct control *c); /* ends running requests; NULL is allowed */

/* The asking side. PL_EUNAVAILABLE: nobody listens there. event may be NULL; its text is one JSON object. */
pl_status control_ask(const char *path, pl_str request, void (*event)(void *ctx, pl_str json), void *ctx,
		      struct buf *reply, struct pl_err *e);

#endif
