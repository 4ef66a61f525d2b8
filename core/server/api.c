/* SPDX-License-Identifier: Apache-2.0 */
#include "core/server/api_internal.h"

#include "core/base/clock.h"

#include <unistd.h>

static const struct {
	const char *name;
	api_fn fn;
} operations[] = {
	{"status", api_status},	  {"diff", api_diff},	    {"sync", api_sync},	      {"rollback", api_rollback},
	{"render", api_render},	  {"history", api_history}, {"suspend", api_suspend}, {"resume", api_resume},
	{"refresh", api_refresh}, {"ping", api_ping},
};

pl_status api_call(struct engine *g, const struct api_context *c, const pl_node *request, pl_doc *d, pl_node **reply,
		   struct pl_err *e)
{
	pl_str op = pl_text(pl_gets(request, "op"));
	for (size_t i = 0; i < sizeof operations / sizeof *operations; i++) {
		if (!str_eqz(op, operations[i].name))
			continue;
		struct api a = {.engine = g, .context = c, .request = request, .arena = arena_new(), .d = d, .e = e};
		a.reply = pl_new_map(d);
		pl_status st = operations[i].fn(&a);
		arena_free(a.arena);
		*reply = a.reply;
		return st;
	}
	return err_set(e, PL_EINVAL, "there is no operation '%.*s'", F(op));
}

pl_status api_ping(struct api *a)
{
	put_text(a->d, a->reply, "version", S(PLUMB_VERSION));
	put_int(a->d, a->reply, "pid", getpid());
	return PL_OK;
}

/* ---- the request ---- */

pl_str api_text(const struct api *a, const char *key)
{
	const pl_node *n = pl_gets(a->request, key);
	return pl_kind(n) == PL_STRING ? pl_text(n) : (pl_str){NULL, 0};
}

pl_status api_need_text(struct api *a, const char *key, pl_str *out)
{
	*out = api_text(a, key);
	return out->n ? PL_OK : err_set(a->e, PL_EINVAL, "the request needs '%s'", key);
}

bool api_flag(const struct api *a, const char *key)
{
	return pl_bool(pl_gets(a->request, key));
}

int64_t api_number(const struct api *a, const char *key, int64_t otherwise)
{
	int64_t v;
	return pl_int(pl_gets(a->request, key), &v) == PL_OK ? v : otherwise;
}

pl_status api_apps(struct api *a, pl_str **out, size_t *n)
{
	const pl_node *list = pl_gets(a->request, "apps");
	*n = pl_len(list);
	*out = arena_array(a->arena, *n, sizeof **out);
	for (size_t i = 0; i < *n; i++)
		(*out)[i] = pl_text(pl_item(list, i));
	return *n ? PL_OK : err_set(a->e, PL_EINVAL, "the request names no application");
}

/* ---- the reply; setting a key of a map that was just made can't fail ---- */

static void put(pl_doc *d, pl_node *map, const char *key, pl_node *value)
{
	if (pl_sets(d, map, key, value))
		BUG("a reply's '%s' can't be set", key);
}

void put_text(pl_doc *d, pl_node *map, const char *key, pl_str text)
{
	put(d, map, key, pl_new_string(d, text));
}

void add_text(pl_doc *d, pl_node *map, const char *key, pl_str text)
{
	if (text.n)
		put_text(d, map, key, text);
}

void put_int(pl_doc *d, pl_node *map, const char *key, int64_t v)
{
	put(d, map, key, pl_new_int(d, v));
}

void put_bool(pl_doc *d, pl_node *map, const char *key, bool v)
{
	put(d, map, key, pl_new_bool(d, v));
}

void put_time(pl_doc *d, pl_node *map, const char *key, int64_t wall_ms)
{
	char text[CLOCK_TEXT];
	if (wall_ms)
		put_text(d, map, key, str_of(clock_text(wall_ms, text)));
}

void put_ref(pl_doc *d, pl_node *map, const pl_ref *r)
{
	add_text(d, map, "group", r->group);
	add_text(d, map, "version", r->version);
	put_text(d, map, "kind", r->kind);
	add_text(d, map, "namespace", r->ns);
	put_text(d, map, "name", r->name);
}

pl_node *put_list(pl_doc *d, pl_node *map, const char *key)
{
	pl_node *list = pl_new_list(d);
	put(d, map, key, list);
	return list;
}

void put_results(pl_doc *d, pl_node *map, const struct store_result *v, size_t n)
{
	pl_node *list = put_list(d, map, "results");
	for (size_t i = 0; i < n; i++) {
		pl_node *m = pl_new_map(d);
		put_ref(d, m, &v[i].ref);
		put_text(d, m, "action", v[i].action);
		put_text(d, m, "status", v[i].status);
		add_text(d, m, "message", v[i].message);
		pl_append(d, list, m);
	}
}

const char *sync_status_name(enum sync_status s)
{
	static const char *const names[] = {"Unknown", "Synced", "OutOfSync"};
	return names[s];
}
