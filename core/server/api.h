/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What can be asked of a running plumb: one request document, one reply document, and progress events in between.
 * The control socket carries them as JSON lines; a command without a daemon calls the same function on
 * an engine of its own, so that both ways give the same answers.
 */
#ifndef SERVER_API_H
#define SERVER_API_H

#include "core/engine/engine.h"
#include "plumb/doc.h"

struct api_context {
	pl_str user; /* who asks: for history */
	/* An event of a running operation; the text is one JSON object without a line end. On any thread; may be NULL.
	 */
	void (*progress)(void *ctx, pl_str json);
	void *ctx;
	struct cancel *cancel; /* fired when the asker went away; may be NULL */
	bool compare_first;    /* no daemon has looked yet: look before answering about states */
};

/*
 * request: {op: "status", …}. The reply is made in d. Operations and their fields:
 *   status     {app?, refresh?}                                 → {applications: […]} or {application: {…}, resources:
 * […]} diff       {app, revision?, texts?}                         → {diff: TEXT, changes: […], hold?} sync {apps,
 * prune?, dryRun?, revision?, resources?, waitMs?} → {outcomes: […]} rollback   {app, id?, waitMs?} → {outcomes: […]}
 *   render     {app, revision?}                                 → {manifests: TEXT, resources: […]}
 *   history    {app, limit?, id?}                               → {history: […]}
 *   suspend    {apps, reason?}, resume {apps}, refresh {apps?}  → {}
 *   ping       {}                                               → {version, pid}
 */
pl_status api_call(struct engine *g, const struct api_context *c, const pl_node *request, pl_doc *d, pl_node **reply,
		   struct pl_err *e);

#endif
