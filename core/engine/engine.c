/* SPDX-License-Identifier: Apache-2.0 */
/* The engine's life: lock, store, registry, pool, loop, reload. */
#include "core/engine/internal.h"

#include "core/base/file.h"
#include "core/lua/script.h"

#include <malloc.h>
#include <unistd.h>

enum { STACK = 1 << 20, HISTORY_KEPT = 200 };

/* ---- small helps ---- */

void keep(char **slot, pl_str s)
{
	if (s.n && *slot && str_eqz(s, *slot))
		return;
	char *fresh = s.n ? str_dup(s) : NULL;
	free(*slot);
	*slot = fresh;
}

void engine_say(struct engine *g)
{
	pthread_mutex_lock(&g->mu);
	pthread_cond_broadcast(&g->changed);
	pthread_mutex_unlock(&g->mu);
}

int64_t jitter(int64_t ms)
{
	uint64_t r = (uint64_t)clock_mono_us() * 0x9e3779b97f4a7c15u;
	int64_t span = ms / 5;
	return ms - ms / 10 + (span > 0 ? (int64_t)((r >> 33) % (uint64_t)span) : 0);
}

pl_status engine_find_or(struct engine *g, pl_str name, struct app **out, struct pl_err *e)
{
	*out = engine_find(g, name);
	if (*out && !(*out)->gone)
		return PL_OK;
	const char **names = mem_zalloc((g->n_apps + 1) * sizeof(*names));
	for (size_t i = 0; i < g->n_apps; i++)
		names[i] = g->apps[i]->name;
	const char *near = str_nearest(name, names, g->n_apps);
	err_set(e, PL_ENOTFOUND, "there is no application '%.*s'", F(name));
	if (near)
		pl_err_hint(e, "did you mean '%s'?", near);
	free(names);
	return PL_ENOTFOUND;
}

const struct config_root *engine_config(struct engine *g)
{
	return config_get(g->config);
}

/* ---- the pool ---- */

static void *pool_thread(void *arg)
{
	struct engine *g = arg;
	struct queue_item *i;
	while ((i = queue_take(g->queue))) {
		pthread_rwlock_rdlock(&g->gen);
		i->run(i);
		pthread_rwlock_unlock(&g->gen);
		queue_release(g->queue, i);
	}
	return NULL;
}

static size_t threads_wanted(const struct engine *g)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	if (g->o.threads)
		return g->o.threads;
	return cpus > 4 ? 2 * (size_t)cpus : 8; /* they wait for the disk most of the time */
}

void engine_pool_start(struct engine *g)
{
	pthread_attr_t attr;
	pthread_mutex_lock(&g->mu);
	if (g->n_pool || atomic_load(&g->stopping)) {
		pthread_mutex_unlock(&g->mu);
		return;
	}
	mallopt(M_ARENA_MAX, 2); /* memory of many small threads stays together */
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK);
	size_t n = threads_wanted(g);
	g->pool = mem_zalloc(n * sizeof(*g->pool));
	queue_open(g->queue);
	while (g->n_pool < n && pthread_create(&g->pool[g->n_pool], &attr, pool_thread, g) == 0)
		g->n_pool++;
	pthread_attr_destroy(&attr);
	pthread_mutex_unlock(&g->mu);
}

void engine_pool_stop(struct engine *g)
{
	queue_close(g->queue);
	pthread_mutex_lock(&g->mu);
	size_t n = g->n_pool;
	pthread_mutex_unlock(&g->mu);
	for (size_t i = 0; i < n; i++)
		pthread_join(g->pool[i], NULL);
	pthread_mutex_lock(&g->mu);
	free(g->pool);
	g->pool = NULL;
	g->n_pool = 0;
	pthread_cond_broadcast(&g->changed);
	pthread_mutex_unlock(&g->mu);
}

/* ---- birth and death ---- */

/*
 * A command holds the lock for a moment only: it is worth waiting for. A daemon keeps it, and would have answered on
 * its socket.
 */
static pl_status take_lock(struct engine *g, const char *dir, struct pl_err *e)
{
	char *lock = path_join(dir, "lock");
	struct buf holder = BUF_INIT(128);
	const int64_t until = clock_mono_ms() + LOCK_WAIT;
	buf_addf(&holder, "pid %ld (plumb %s)", (long)getpid(), g->o.command ? g->o.command : "run");
	pl_status st = file_lock(lock, holder.p, &g->lock_fd, e);
	while (st == PL_EBUSY && !strstr(pl_err_text(e), "(plumb run)") && clock_mono_ms() < until) {
		const struct timespec moment = {0, 20 * 1000 * 1000};
		nanosleep(&moment, NULL);
		st = file_lock(lock, holder.p, &g->lock_fd, e);
	}
	buf_free(&holder);
	free(lock);
	return st;
}

static pl_status open_state(struct engine *g, struct pl_err *e)
{
	const struct config_root *root = config_get(g->config);
	char *dir = str_dup(root->state_dir);
	pl_status st = file_mkdirs(dir, 0700, e);
	if (!st)
		st = take_lock(g, dir, e);
	if (!st)
		st = store_open(dir, true, &g->store, e);
	free(dir);
	return st;
}

static void open_registry(struct engine *g)
{
	const struct config_root *root = config_get(g->config);
	char **folders = mem_zalloc((root->n_plugin_path + 1) * sizeof(*folders));
	size_t n = 0;
	folders[n++] = registry_own_folder();
	for (size_t i = 0; i < root->n_plugin_path; i++)
		folders[n++] = str_dup(root->plugin_path[i]);
	struct registry_config rc = {
		.folders = (const char *const *)folders, .n_folders = n, .worker = g->o.worker, .log = g->o.log};
	g->registry = registry_new(&rc);
	for (size_t i = 0; i < n; i++)
		free(folders[i]);
	free(folders);
}

static void init_locks(struct engine *g)
{
	pthread_rwlockattr_t ra;
	pthread_condattr_t ca;
	pthread_rwlockattr_init(&ra);
	pthread_rwlockattr_setkind_np(&ra, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
	pthread_rwlock_init(&g->gen, &ra);
	pthread_rwlockattr_destroy(&ra);
	pthread_condattr_init(&ca);
	pthread_condattr_setclock(&ca, CLOCK_MONOTONIC);
	pthread_cond_init(&g->changed, &ca);
	pthread_condattr_destroy(&ca);
	pthread_mutex_init(&g->mu, NULL);
}

static pl_status load(struct engine *g, struct pl_err *e)
{
	struct err_list errors = {0};
	pl_status st = PL_OK;
	if (g->o.read_only) /* plumb check asks for the mistakes itself; plumb render may have only one good application
			     */
		return apps_load(g, g->config, e);
	bind_check(g, g->config, &errors);
	if (errors.n) {
		err_copy(e, &errors.v[0]);
		st = pl_err_code(e);
		if (errors.n + errors.more > 1)
			pl_err_hint(e, "and %zu more: `plumb check` tells all", errors.n + errors.more - 1);
	}
	err_list_free(&errors);
	return st ? st : apps_load(g, g->config, e);
}

pl_status engine_new(struct config *c, const struct engine_options *o, struct engine **out, struct pl_err *e)
{
	struct engine *g = mem_zalloc(sizeof(*g));
	*out = NULL;
	g->o = *o;
	g->config = config_ref(c);
	g->lock_fd = -1;
	g->queue = queue_new();
	init_locks(g);
	open_registry(g);
	g->health = health_plugins_new(g->registry, o->log);
	g->scripts = scripts_new();
	pl_status st = o->read_only ? PL_OK : open_state(g, e);
	if (!st)
		st = load(g, e);
	/* plumb check must be able to open what can't be bound, to tell all of it */
	if (st && o->read_only) {
		if (e)
			err_clear(e);
		st = PL_OK;
	}
	if (st) {
		engine_free(g);
		return st;
	}
	*out = g;
	return PL_OK;
}

void engine_free(struct engine *g)
{
	if (!g)
		return;
	atomic_store(&g->stopping, true);
	engine_pool_stop(g);
	watch_stop(g);
	for (size_t i = 0; i < g->n_apps; i++)
		app_free(g->apps[i]);
	for (size_t i = 0; i < g->n_repos; i++)
		repo_free(g->repos[i]);
	for (size_t i = 0; i < g->n_remotes; i++)
		repo_free(g->remotes[i]);
	for (size_t i = 0; i < g->n_targets; i++)
		target_free(g->targets[i]);
	for (size_t i = 0; i < g->n_parked; i++)
		look_clear(&g->parked[i]);
	health_plugins_free(g->health);
	scripts_free(g->scripts);
	registry_free(g->registry);
	store_close(g->store);
	if (g->lock_fd >= 0)
		close(g->lock_fd);
	queue_free(g->queue);
	config_unref(g->config);
	pthread_mutex_destroy(&g->mu);
	pthread_cond_destroy(&g->changed);
	pthread_rwlock_destroy(&g->gen);
	free(g->apps);
	free(g->repos);
	free(g->remotes);
	free(g->targets);
	free(g->parked);
	free(g);
}

void engine_check(struct engine *g, struct config *c, struct err_list *errors)
{
	bind_check(g, c, errors);
}

/* ---- the loop ---- */

/* Those that nobody uses any more find that out for themselves. */
static void wake_remotes(struct engine *g)
{
	pthread_mutex_lock(&g->mu);
	for (size_t i = 0; i < g->n_remotes; i++)
		queue_wake(g->queue, &g->remotes[i]->item, 0);
	pthread_mutex_unlock(&g->mu);
}

static void wake_everything(struct engine *g)
{
	for (size_t i = 0; i < g->n_repos; i++)
		if (g->repos[i]->n_apps)
			queue_wake(g->queue, &g->repos[i]->item, 0);
	wake_remotes(g);
	for (size_t i = 0; i < g->n_apps; i++)
		queue_wake(g->queue, &g->apps[i]->item, 0);
}

static void wait_ms(struct engine *g, int64_t ms)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	t.tv_sec += ms / 1000;
	t.tv_nsec += (ms % 1000) * 1000000;
	if (t.tv_nsec >= 1000000000) {
		t.tv_sec++;
		t.tv_nsec -= 1000000000;
	}
	pthread_cond_timedwait(&g->changed, &g->mu, &t);
}

/* Bounds what the store keeps. */
static void tidy(struct engine *g)
{
	struct pl_err e = ERR_INIT;
	if (g->store && store_tidy(g->store, HISTORY_KEPT, &e))
		log_line(g->o.log, LOG_WARN, (pl_str){0}, "tidying the store: %s", pl_err_text(&e));
	err_clear(&e);
}

static void cool_remotes(struct engine *g, int64_t now)
{
	for (size_t i = 0;; i++) {
		pthread_mutex_lock(&g->mu);
		struct repo *r = i < g->n_remotes ? g->remotes[i] : NULL;
		pthread_mutex_unlock(&g->mu);
		if (!r)
			return;
		repo_cool(r, now);
	}
}

static void housekeeping(struct engine *g, int64_t *trim_at, int64_t *tidy_at)
{
	int64_t now = clock_mono_ms();
	pthread_rwlock_rdlock(&g->gen);
	for (size_t i = 0; i < g->n_repos; i++)
		repo_cool(g->repos[i], now);
	cool_remotes(g, now);
	pthread_rwlock_unlock(&g->gen);
	if (now >= *trim_at) {
		malloc_trim(0); /* what a pass has used goes back to the system */
		*trim_at = now + 15000;
	}
	if (now >= *tidy_at) {
		tidy(g);
		*tidy_at = now + 6 * 3600 * 1000;
	}
}

pl_status engine_run(struct engine *g, struct pl_err *e)
{
	(void)e;
	int64_t trim_at = clock_mono_ms() + 10000, tidy_at = clock_mono_ms() + 60 * 1000;
	pthread_rwlock_rdlock(&g->gen);
	wake_everything(g);
	pthread_rwlock_unlock(&g->gen);
	engine_pool_start(g);
	watch_start(g);
	while (!atomic_load(&g->stopping)) {
		int64_t until = clock_mono_ms() + 2000;
		pthread_mutex_lock(&g->mu);
		while (!atomic_load(&g->stopping) && clock_mono_ms() < until)
			wait_ms(g, 2000);
		pthread_mutex_unlock(&g->mu);
		housekeeping(g, &trim_at, &tidy_at);
	}
	watch_stop(g);
	engine_pool_stop(g);
	return PL_OK;
}

void engine_stop(struct engine *g)
{
	atomic_store(&g->stopping, true);
	queue_close(g->queue);
	for (size_t i = 0; i < g->n_targets; i++)
		cancel_fire(g->targets[i]->stop);
	engine_say(g);
}

/* Under mu. Is anything going on that ends by itself soon? */
static bool all_done(struct engine *g, pl_str only, bool health_too)
{
	for (size_t i = 0; i < g->n_apps; i++) {
		struct app *a = g->apps[i];
		if (a->gone || (only.n && !str_eqz(only, a->name)))
			continue;
		if (!a->looked || a->run || a->requests || queue_busy(g->queue, &a->item))
			return false;
		if (health_too && !a->error && (a->health == PL_PROGRESSING || a->health == PL_MISSING) &&
		    a->sync == STATUS_SYNCED)
			return false;
	}
	return true;
}

static void wait_pass(struct engine *g, pl_str only, int64_t until, bool health_too)
{
	pthread_mutex_lock(&g->mu);
	while (!atomic_load(&g->stopping) && !all_done(g, only, health_too) && (!health_too || clock_mono_ms() < until))
		wait_ms(g, 50);
	pthread_mutex_unlock(&g->mu);
}

/* A pass is over when every application was looked at after its source was asked again. */
static void unlook(struct engine *g)
{
	pthread_mutex_lock(&g->mu);
	for (size_t i = 0; i < g->n_repos; i++)
		g->repos[i]->asked = false;
	g->n_unlooked = 0;
	for (size_t i = 0; i < g->n_apps; i++) {
		g->apps[i]->looked = false;
		g->n_unlooked += !g->apps[i]->gone;
	}
	pthread_mutex_unlock(&g->mu);
}

pl_status engine_once(struct engine *g, int64_t wait, bool *in_line, struct pl_err *e)
{
	(void)e;
	pthread_rwlock_rdlock(&g->gen);
	unlook(g);
	wake_everything(g);
	pthread_rwlock_unlock(&g->gen);
	engine_pool_start(g);
	wait_pass(g, (pl_str){0}, 0, false);
	wait_pass(g, (pl_str){0}, clock_mono_ms() + wait, true);
	tidy(g); /* who is started by a timer never lives long enough for the housekeeping */
	/* Nobody knows what stands in an include that can't be read. */
	*in_line = config_get(g->config)->n_broken_includes == 0;
	pthread_mutex_lock(&g->mu);
	for (size_t i = 0; i < g->n_apps; i++) {
		struct app *a = g->apps[i];
		if (!a->gone && a->c && (a->sync != STATUS_SYNCED || a->health > PL_HEALTHY || a->error))
			*in_line = false;
	}
	pthread_mutex_unlock(&g->mu);
	return PL_OK;
}

pl_status engine_compare(struct engine *g, pl_str app, struct pl_err *e)
{
	struct app *x = NULL;
	pl_status st = PL_OK;
	pthread_rwlock_rdlock(&g->gen);
	pthread_mutex_lock(&g->mu);
	if (app.n)
		st = engine_find_or(g, app, &x, e);
	if (!st && !g->n_pool)
		g->look_only = true;
	pthread_mutex_unlock(&g->mu);
	if (!st)
		unlook(g);
	if (!st && x) {
		queue_wake(g->queue, &x->item, 0);
		if (x->repo)
			queue_wake(g->queue, &x->repo->item, 0);
	} else if (!st) {
		wake_everything(g);
	}
	pthread_rwlock_unlock(&g->gen);
	if (st)
		return st;
	engine_pool_start(g);
	wait_pass(g, app, 0, false);
	return PL_OK;
}

pl_status engine_reload(struct engine *g, struct config *c, struct err_list *errors)
{
	struct pl_err e = ERR_INIT;
	size_t before = errors->n + errors->more;
	bind_check(g, c, errors);
	if (errors->n + errors->more > before)
		return PL_EINVAL;
	queue_hold(g->queue); /* running steps are cancelled and start again afterwards */
	pthread_rwlock_wrlock(&g->gen);
	struct config *old = g->config;
	g->config = config_ref(c);
	pl_status st = apps_load(g, c, &e);
	if (st) { /* it was checked: only the store can fail here */
		err_copy(err_list_add(errors), &e);
		struct config *bad = g->config;
		g->config = old;
		apps_load(g, old, NULL);
		old = bad;
	}
	wake_everything(g);
	pthread_rwlock_unlock(&g->gen);
	queue_resume(g->queue);
	config_unref(old);
	if (!st && g->n_pool)
		watch_start(g);
	err_clear(&e);
	return st ? PL_EINVAL : PL_OK;
}
