/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SERVER_API_INTERNAL_H
#define SERVER_API_INTERNAL_H

#include "core/base/mem.h"
#include "core/server/api.h"

/* One call. */
struct api {
	struct engine *engine;
	const struct api_context *context;
	const pl_node *request;
	struct arena *arena;
	pl_doc *d; /* of the reply */
	pl_node *reply;
	struct pl_err *e;
};

typedef pl_status (*api_fn)(struct api *a);

pl_status api_status(struct api *a);
pl_status api_diff(struct api *a);
pl_status api_sync(struct api *a);
pl_status api_rollback(struct api *a);
pl_status api_render(struct api *a);
pl_status api_history(struct api *a);
pl_status api_suspend(struct api *a);
pl_status api_resume(struct api *a);
pl_status api_refresh(struct api *a);
pl_status api_ping(struct api *a);

/* Fields of the request; PL_EINVAL names the field. */
pl_status api_need_text(struct api *a, const char *key, pl_str *out);
pl_str api_text(const struct api *a, const char *key); /* empty when absent */
bool api_flag(const struct api *a, const char *key);
int64_t api_number(const struct api *a, const char *key, int64_t otherwise);
pl_status api_apps(struct api *a, pl_str **out, size_t *n); /* the list "apps" */

/* Fields of the reply. Empty texts are left out by add_text, kept by put_text. */
void put_text(pl_doc *d, pl_node *map, const char *key, pl_str text);
void add_text(pl_doc *d, pl_node *map, const char *key, pl_str text);
void put_int(pl_doc *d, pl_node *map, const char *key, int64_t v);
void put_bool(pl_doc *d, pl_node *map, const char *key, bool v);
void put_time(pl_doc *d, pl_node *map, const char *key, int64_t wall_ms); /* RFC 3339; left out when 0 */
void put_ref(pl_doc *d, pl_node *map, const pl_ref *r);
pl_node *put_list(pl_doc *d, pl_node *map, const char *key);
void put_results(pl_doc *d, pl_node *map, const struct store_result *v, size_t n);
const char *sync_status_name(enum sync_status s);

#endif
