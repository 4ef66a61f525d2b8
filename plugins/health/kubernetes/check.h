/* SPDX-License-Identifier: Apache-2.0 */
/* One look at one object: what the rules of all kinds share. */
#ifndef KUBERNETES_CHECK_H
#define KUBERNETES_CHECK_H

#include "plumb/plugin.h"

#include <stdbool.h>

struct check {
	const pl_host *host;
	const pl_ref *ref;
	const pl_node *object, *metadata, *spec, *status;
	pl_verdict *out;
	char wrong[160]; /* the first field of a wrong type: the check is then an error, whatever it found */
};

/* Answers. %-formats; the text is the host's memory. */
void say(struct check *c, uint32_t health, const char *fmt, ...) PL_PRINTF(3, 4);
void say_text(struct check *c, uint32_t health, pl_str text); /* not copied: the object's, or static */

/* Reading: absent or null is 0, "" or NULL. where names the map in errors: "spec.". */
bool present(const pl_node *map, const char *key);
const pl_node *map_at(struct check *c, const pl_node *map, const char *where, const char *key);
const pl_node *list_at(struct check *c, const pl_node *map, const char *where, const char *key);
int64_t int_at(struct check *c, const pl_node *map, const char *where, const char *key);
pl_str text_at(struct check *c, const pl_node *map, const char *where, const char *key);
bool true_at(struct check *c, const pl_node *map, const char *where, const char *key);

/* The first of status.conditions of that type, or NULL. */
const pl_node *condition(struct check *c, const char *type);
pl_str condition_text(struct check *c, const pl_node *condition, const char *key);

bool text_is(pl_str s, const char *z);
bool text_starts(pl_str s, const char *z);
bool text_ends(pl_str s, const char *z);
/* In double quotes, with quotes, backslashes and control bytes escaped. NUL-terminated, the host's memory. */
const char *quoted(struct check *c, pl_str s);

/* A status for each value of a field, in rows that end with NULL. */
struct phase {
	const char *name;
	uint32_t health;
};
uint32_t phase_health(const struct phase *rows, pl_str phase, uint32_t otherwise);

/* ---- the rules, one for each kind ---- */
void check_deployment(struct check *c);
void check_stateful_set(struct check *c);
void check_replica_set(struct check *c);
void check_daemon_set(struct check *c);
void check_pod(struct check *c);
void check_job(struct check *c);
void check_autoscaler(struct check *c);
void check_service(struct check *c);
void check_ingress(struct check *c);
void check_claim(struct check *c);
void check_api_service(struct check *c);
void check_workflow(struct check *c);

#endif
