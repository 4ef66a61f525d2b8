/* SPDX-License-Identifier: Apache-2.0 */
/* acquire: one fetch a change, one snapshot a revision, for all applications of a repository. */
#include "core/engine/internal.h"

pl_status acquire_content(struct repo *r, const pl_str *ids, const pl_str *names, size_t n, struct cancel *cancel,
			  struct pl_err *e)
{
	struct arena *mem = arena_new();
	pl_str *want_ids = arena_array(mem, n, sizeof(pl_str)), *want_names = arena_array(mem, n, sizeof(pl_str));
	size_t n_want = 0;
	pl_status st = PL_OK;
	for (size_t i = 0; i < n; i++) {
		if (source_has(r->source, ids[i]))
			continue;
		want_ids[n_want] = ids[i];
		want_names[n_want++] = names[i];
	}
	if (n_want) {
		FAULT("engine.fetch.before");
		COUNT(r->g, fetches, 1);
		st = source_fetch(r->source, want_ids, want_names, n_want, TIMEOUT_FETCH, cancel, e);
		FAULT("engine.fetch.after");
	}
	arena_free(mem);
	return st ? pl_err_in(e, "fetch") : PL_OK;
}

/* The warm one, referenced; NULL: none. */
static struct snapshot *warm(struct repo *r, pl_str id)
{
	struct snapshot *s = NULL;
	pthread_mutex_lock(&r->g->mu);
	for (size_t i = 0; i < r->n_answers && !s; i++)
		if (r->answers[i].snapshot && str_eq(snapshot_id(r->answers[i].snapshot), id))
			s = snapshot_ref(r->answers[i].snapshot);
	r->used_ms = clock_mono_ms();
	pthread_mutex_unlock(&r->g->mu);
	return s;
}

static void warm_put(struct repo *r, pl_str id, struct snapshot *s)
{
	struct snapshot *old = NULL;
	pthread_mutex_lock(&r->g->mu);
	for (size_t i = 0; i < r->n_answers; i++) {
		if (!str_eq(str_of(r->answers[i].id), id))
			continue;
		old = r->answers[i].snapshot;
		r->answers[i].snapshot = snapshot_ref(s);
		break;
	}
	pthread_mutex_unlock(&r->g->mu);
	if (old)
		snapshot_unref(old);
}

pl_status acquire(struct repo *r, pl_str id, pl_str name, struct cancel *cancel, struct snapshot **out,
		  struct pl_err *e)
{
	FAULT("engine.acquire.before");
	*out = warm(r, id);
	if (*out)
		return PL_OK;
	pl_status st = acquire_content(r, &id, &name, 1, cancel, e);
	if (!st)
		st = snapshot_open(r->source, id, out, e);
	if (!st)
		warm_put(r, id, *out);
	FAULT("engine.acquire.after");
	return st;
}

void repo_cool(struct repo *r, int64_t now_ms)
{
	enum { WARM_MS = 5000 };
	for (;;) {
		struct snapshot *s = NULL;
		pthread_mutex_lock(&r->g->mu);
		for (size_t i = 0; i < r->n_answers && !s && now_ms - r->used_ms > WARM_MS; i++) {
			s = r->answers[i].snapshot;
			r->answers[i].snapshot = NULL;
		}
		pthread_mutex_unlock(&r->g->mu);
		if (!s)
			return;
		snapshot_unref(s);
	}
}
