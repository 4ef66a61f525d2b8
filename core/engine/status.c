/* SPDX-License-Identifier: Apache-2.0 */
/* status: what people see, from memory. */
#include "core/engine/internal.h"

static pl_str word_of(const struct app *a)
{
	if (a->operation && !strcmp(a->operation, "Running"))
		return S("Progressing");
	if (a->sync == STATUS_UNKNOWN)
		return S("Unknown");
	if (a->sync == STATUS_OUT_OF_SYNC)
		return S("OutOfSync");
	if (a->health == PL_PROGRESSING)
		return S("Progressing");
	return a->health > PL_PROGRESSING ? S("Degraded") : S("Synced");
}

/* The first thing a person must know. */
static pl_str message_of(const struct app *a, struct arena *m)
{
	if (a->error)
		return arena_dup(m, str_of(a->error));
	if (a->pinned)
		return arena_printf(m, "pinned: %s", a->pin_reason ? a->pin_reason : a->pinned);
	if (a->suspended)
		return arena_printf(m, "suspended%s%s", a->suspend_reason ? ": " : "",
				    a->suspend_reason ? a->suspend_reason : "");
	if (a->hold)
		return arena_dup(m, str_of(a->hold));
	if (a->operation && !strcmp(a->operation, "Failed"))
		return arena_dup(m, str_of(a->operation_message));
	if (a->health_message)
		return arena_dup(m, str_of(a->health_message));
	for (size_t i = 0; i < a->n_resources; i++)
		if (a->resources[i].why == PLAN_FOREIGN && a->resources[i].message)
			return arena_dup(m, str_of(a->resources[i].message));
	return (pl_str){0};
}

static void fill(const struct app *a, struct arena *m, struct app_status *s)
{
	*s = (struct app_status){.name = arena_dup(m, str_of(a->name)),
				 .word = word_of(a),
				 .sync = a->sync,
				 .health = a->health,
				 .health_message = arena_dup(m, str_of(a->health_message)),
				 .operation = arena_dup(m, str_of(a->operation)),
				 .operation_message = arena_dup(m, str_of(a->operation_message)),
				 .revision = arena_dup(m, str_of(a->revision)),
				 .revision_name = arena_dup(m, str_of(a->revision_name)),
				 .target_revision = arena_dup(m, str_of(a->target_revision)),
				 .synced_ms = a->synced_ms,
				 .checked_ms = a->checked_ms,
				 .message = message_of(a, m),
				 .suspended = a->suspended,
				 .orphaned = !a->c,
				 .pinned = arena_dup(m, str_of(a->pinned)),
				 .n_resources = a->n_resources};
	if (a->target)
		s->target = arena_dup(m, str_of(a->target->name));
	if (!a->c)
		return;
	s->automated = a->c->sync.automated;
	s->source = arena_dup(m, a->c->source->name);
	s->path = arena_dup(m, a->c->path);
	s->ns = arena_dup(m, a->c->ns);
}

pl_status engine_status(struct engine *g, struct arena *a, struct app_status **out, size_t *n, struct pl_err *e)
{
	(void)e;
	*n = 0;
	pthread_rwlock_rdlock(&g->gen);
	pthread_mutex_lock(&g->mu);
	*out = arena_array(a, g->n_apps, sizeof(**out));
	for (size_t i = 0; i < g->n_apps; i++)
		if (!g->apps[i]->gone)
			fill(g->apps[i], a, &(*out)[(*n)++]);
	pthread_mutex_unlock(&g->mu);
	pthread_rwlock_unlock(&g->gen);
	return PL_OK;
}

static int by_ref(const void *a, const void *b)
{
	return ref_cmp(&((const struct resource_status *)a)->ref, &((const struct resource_status *)b)->ref);
}

pl_status engine_resources(struct engine *g, pl_str app, struct arena *a, struct app_status *status,
			   struct resource_status **out, size_t *n, struct pl_err *e)
{
	struct app *x;
	pthread_rwlock_rdlock(&g->gen);
	pthread_mutex_lock(&g->mu);
	pl_status st = engine_find_or(g, app, &x, e);
	if (!st) {
		if (status)
			fill(x, a, status);
		*n = x->n_resources;
		*out = arena_array(a, *n, sizeof(**out));
		for (size_t i = 0; i < *n; i++) {
			const struct resource *r = &x->resources[i];
			(*out)[i] = (struct resource_status){.ref = ref_dup(a, &r->ref),
							     .sync = x->sync == STATUS_UNKNOWN ? STATUS_UNKNOWN
								     : r->out_of_sync	       ? STATUS_OUT_OF_SYNC
											       : STATUS_SYNCED,
							     .health = r->health,
							     .message = arena_dup(a, str_of(r->message)),
							     .why = r->why,
							     .needs_prune = r->needs_prune};
		}
		if (*n)
			qsort(*out, *n, sizeof(**out), by_ref);
	}
	pthread_mutex_unlock(&g->mu);
	pthread_rwlock_unlock(&g->gen);
	return st;
}

void engine_counters(struct engine *g, struct engine_counters *out)
{
	*out = (struct engine_counters){.passes = atomic_load(&g->count.passes),
					.polls = atomic_load(&g->count.polls),
					.fetches = atomic_load(&g->count.fetches),
					.renders = atomic_load(&g->count.renders),
					.plans = atomic_load(&g->count.plans),
					.syncs_ok = atomic_load(&g->count.syncs_ok),
					.syncs_failed = atomic_load(&g->count.syncs_failed),
					.applies = atomic_load(&g->count.applies),
					.prunes = atomic_load(&g->count.prunes),
					.heals = atomic_load(&g->count.heals),
					.observed = atomic_load(&g->count.observed),
					.watch_events = atomic_load(&g->count.watch_events),
					.pass_cpu_us = atomic_load(&g->count.pass_cpu_us),
					.queue_depth = queue_depth(g->queue)};
}

bool engine_ready(struct engine *g)
{
	pthread_mutex_lock(&g->mu);
	bool ready = g->ready;
	pthread_mutex_unlock(&g->mu);
	return ready;
}
