/* SPDX-License-Identifier: Apache-2.0 */
#include "core/plugin/health.h"

#include "core/base/mem.h"
#include "core/plugin/private.h"

#include <pthread.h>

static const char *const words[] = {"", "Healthy", "Suspended", "Progressing", "Missing", "Degraded", "Unknown"};

const char *health_name(uint32_t health)
{
	return health <= PL_UNKNOWN ? words[health] : words[PL_UNKNOWN];
}

pl_status health_parse(pl_str name, uint32_t *out)
{
	for (uint32_t i = PL_HEALTHY; i <= PL_UNKNOWN; i++) {
		if (str_eqz(name, words[i])) {
			*out = i;
			return PL_OK;
		}
	}
	return PL_EINVAL;
}

struct opened {
	const struct plugin *plugin;
	void *self;
	pthread_mutex_t mutex;
};

struct health_plugins {
	struct registry *registry;
	const struct log *log;
	pthread_mutex_t mutex; /* ready, v, broken while they are filled */
	bool ready;
	struct opened *v;
	size_t n;
	struct pl_err broken; /* of a plugin that can't be used: kinds nobody claims might be its */
};

struct health_plugins *health_plugins_new(struct registry *r, const struct log *log)
{
	struct health_plugins *h = mem_zalloc(sizeof(*h));
	h->registry = r;
	h->log = log;
	pthread_mutex_init(&h->mutex, NULL);
	return h;
}

void health_plugins_free(struct health_plugins *h)
{
	if (!h)
		return;
	for (size_t i = 0; i < h->n; i++) {
		plugin_table(h->v[i].plugin)->health->close(h->v[i].self);
		pthread_mutex_destroy(&h->v[i].mutex);
	}
	free(h->v);
	err_clear(&h->broken);
	pthread_mutex_destroy(&h->mutex);
	free(h);
}

static pl_status open_one(struct health_plugins *h, pl_str name, struct opened *out, struct arena *a, struct pl_err *e)
{
	pl_status st = registry_get(h->registry, PL_KIND_HEALTH, name, &out->plugin, e);
	if (st)
		return st;
	struct err_list wrong = {0};
	pl_str options = S("{}");
	st = plugin_options(out->plugin, NULL, NULL, NULL, NULL, a, &options, &wrong);
	if (st && wrong.n)
		err_copy(e, &wrong.v[0]);
	err_list_free(&wrong);
	if (st)
		return st;
	struct call *c = plugin_call(out->plugin, a, h->log, NULL, PLUGIN_OPEN_MS);
	st = plugin_table(out->plugin)->health->open(call_host(c), options, &out->self);
	st = call_result(c, plugin_namez(out->plugin), "open", st, e);
	call_free(c);
	return st;
}

static void open_all(struct health_plugins *h)
{
	struct arena *a = arena_new();
	struct plugin_file_info *files = NULL;
	size_t n = 0;
	struct pl_err e = ERR_INIT;
	if (registry_list(h->registry, a, &files, &n, &e))
		err_copy(&h->broken, &e);
	h->v = mem_zalloc((n + 1) * sizeof(*h->v));
	for (size_t i = 0; i < n; i++) {
		if (files[i].kind != PL_KIND_HEALTH || files[i].shadowed)
			continue;
		struct opened *o = &h->v[h->n];
		if (open_one(h, files[i].name, o, a, &e)) {
			log_line(h->log, LOG_ERROR, S(""), "%s", pl_err_text(&e));
			err_copy(&h->broken, &e);
			continue;
		}
		pthread_mutex_init(&o->mutex, NULL);
		h->n++;
	}
	err_clear(&e);
	arena_free(a);
}

static bool claims(const struct opened *o, const pl_ref *ref)
{
	const pl_health_ops *ops = plugin_table(o->plugin)->health;
	for (uint32_t i = 0; i < ops->n_claims; i++) {
		pl_str group, kind;
		if (!str_cut(ops->claims[i], '/', &group, &kind)) {
			kind = group;
			group = S("");
		}
		if (str_eq(kind, ref->kind) && str_eq(group, ref->group))
			return true;
	}
	return false;
}

static struct opened *find(struct health_plugins *h, const pl_ref *ref)
{
	pthread_mutex_lock(&h->mutex);
	if (!h->ready)
		open_all(h);
	h->ready = true;
	pthread_mutex_unlock(&h->mutex);
	for (size_t i = 0; i < h->n; i++) {
		if (claims(&h->v[i], ref))
			return &h->v[i];
	}
	return NULL;
}

pl_status health_plugins_assess(struct health_plugins *h, const pl_ref *ref, const pl_doc *doc, const pl_node *live,
				struct arena *a, struct verdict *out, struct pl_err *e)
{
	*out = (struct verdict){.health = PL_HEALTH_NONE};
	struct opened *o = find(h, ref);
	if (!o) {
		err_copy(e, &h->broken);
		return h->broken.code;
	}
	const pl_plugin *t = plugin_table(o->plugin);
	struct call *c = plugin_call(o->plugin, a, h->log, NULL, PLUGIN_OPEN_MS);
	pl_verdict v = {.size = sizeof(v)};
	bool safe = (t->flags & PL_THREAD_SAFE) != 0;
	if (!safe)
		pthread_mutex_lock(&o->mutex);
	pl_status st = t->health->assess(call_host(c), o->self, ref, doc, live, &v);
	if (!safe)
		pthread_mutex_unlock(&o->mutex);
	st = call_result(c, plugin_namez(o->plugin), "assess", st, e);
	call_free(c);
	if (st)
		return st;
	if (v.health > PL_UNKNOWN)
		return err_set(e, PL_EPLUGIN, "plugin '%s': assess gave the unknown health %u", plugin_namez(o->plugin),
			       v.health);
	*out = (struct verdict){v.health, arena_dup(a, v.message),
				arena_printf(a, "plugin %s", plugin_namez(o->plugin))};
	return PL_OK;
}
