/* SPDX-License-Identifier: Apache-2.0 */
/* watch: one thread a target waits for changes and wakes the applications whose objects they are. */
#include "core/engine/internal.h"

enum { EVENTS = 256, WAIT_MS = 1000 };

static void wake_all(struct target *t)
{
	struct engine *g = t->g;
	pthread_rwlock_rdlock(&g->gen);
	for (size_t i = 0; i < g->n_apps; i++)
		if (g->apps[i]->target == t && !g->apps[i]->gone)
			app_wake(g->apps[i], true, 0);
	pthread_rwlock_unlock(&g->gen);
}

static void on_event(struct target *t, const pl_event *v, struct arena *mem)
{
	struct engine *g = t->g;
	pl_str name = {0};
	pl_ref ref;
	if (tracking_parse(v->tracking, &name, &ref) &&
	    (!g->store || store_owner(g->store, str_of(t->id), &v->ref, mem, &name, NULL)))
		return;
	pthread_rwlock_rdlock(&g->gen);
	struct app *a = engine_find(g, name);
	if (a && a->target == t)
		app_wake(a, false, 20); /* several changes of one hand are one look */
	pthread_rwlock_unlock(&g->gen);
}

static pl_status watch_on(struct target *t, struct applier *eyes, struct pl_err *e)
{
	pl_event *events = mem_zalloc(EVENTS * sizeof(*events));
	pl_status st = PL_OK;
	while (!st && !cancel_fired(t->stop)) {
		struct arena *mem = arena_new();
		size_t n = 0;
		st = applier_watch_next(eyes, WAIT_MS, mem, events, EVENTS, &n, t->stop, e);
		COUNT(t->g, watch_events, n);
		for (size_t i = 0; !st && i < n; i++) {
			if (events[i].type == PL_EVENT_OVERFLOW)
				wake_all(t);
			else
				on_event(t, &events[i], mem);
		}
		arena_free(mem);
	}
	free(events);
	return st;
}

static void *watch_thread(void *arg)
{
	struct target *t = arg;
	uint32_t failures = 0;
	while (!cancel_fired(t->stop)) {
		struct applier *eyes = NULL;
		struct pl_err e = ERR_INIT;
		pl_status st = applier_open(t->g->registry, t->plugin, str_of(t->options), t->g->o.log, &eyes, &e);
		if (!st && failures)
			wake_all(t); /* what was missed meanwhile */
		int64_t start = clock_mono_ms();
		if (!st)
			st = watch_on(t, eyes, &e);
		applier_close(eyes);
		bool over = cancel_fired(t->stop) || st == PL_EUNSUPPORTED;
		if (!over)
			log_line(t->g->o.log, LOG_WARN, (pl_str){0}, "target '%s': watch: %s", t->name,
				 pl_err_text(&e));
		err_clear(&e);
		if (over)
			break;
		failures = clock_mono_ms() - start > RETRY_MAX ? 1 : failures + 1;
		int64_t until = clock_mono_ms() + record_backoff(str_of(t->id), failures, RETRY_BASE, RETRY_MAX);
		while (!cancel_fired(t->stop) && clock_mono_ms() < until)
			nanosleep(&(struct timespec){.tv_nsec = 100 * 1000 * 1000}, NULL);
	}
	return NULL;
}

void watch_start(struct engine *g)
{
	pthread_attr_t attr;
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 1 << 20);
	pthread_mutex_lock(&g->mu);
	for (size_t i = 0; i < g->n_targets; i++) {
		struct target *t = g->targets[i];
		if (!t->watching)
			t->watching = pthread_create(&t->watcher, &attr, watch_thread, t) == 0;
	}
	pthread_mutex_unlock(&g->mu);
	pthread_attr_destroy(&attr);
}

void watch_stop(struct engine *g)
{
	for (size_t i = 0; i < g->n_targets; i++)
		cancel_fire(g->targets[i]->stop);
	for (size_t i = 0; i < g->n_targets; i++) {
		if (g->targets[i]->watching)
			pthread_join(g->targets[i]->watcher, NULL);
		g->targets[i]->watching = false;
	}
}
