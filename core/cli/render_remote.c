/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Other sources' trees for `plumb render DIR`: fetched into the user's cache folder, found there again with --offline.
 * Layout: PLUGIN-HASH is a source's own cache; refs/HASH holds the id that a revision's name had when it was seen last.
 */
#include "core/cli/render.h"

#include "core/base/file.h"
#include "core/base/mem.h"

#include <sys/stat.h>

enum { RESOLVE_MS = 60 * 1000, FETCH_MS = 5 * 60 * 1000, NAME_MAX_BYTES = 4096 };

struct cli_remotes {
	struct remotes base; /* first */
	struct cli *c;
	struct registry *registry;
	char *folder; /* of the cache; NULL until it is needed */
	bool offline;
	struct used { /* sources stay open: one worker, one handle for all revisions of a repository */
		struct used *next;
		const struct plugin *plugin;
		pl_str options;
		struct source *source;
	} * used;
};

static pl_status cache_folder(struct cli_remotes *r, struct pl_err *e)
{
	const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
	if (r->folder)
		return PL_OK;
	if (cache && cache[0] == '/')
		r->folder = path_join(cache, "plumb");
	else if (home && home[0] == '/')
		r->folder = path_join(home, ".cache/plumb");
	else
		return err_set(e, PL_EUNSUPPORTED,
			       "remote resources need a cache folder: set XDG_CACHE_HOME or HOME to an absolute path");
	pl_status st = r->offline ? PL_OK : file_mkdirs(r->folder, 0700, e);
	return st ? pl_err_in(e, "make the cache folder") : PL_OK;
}

static pl_str digest_of(struct arena *a, const pl_str *fields, size_t n)
{
	struct hash *h = hash_new();
	uint8_t sum[HASH_SIZE];
	char hex[HASH_TEXT];
	for (size_t i = 0; i < n; i++)
		hash_add_field(h, fields[i]);
	hash_end(h, sum);
	hash_hex(sum, hex);
	return arena_dup(a, (pl_str){hex, 24});
}

static pl_status open_source(struct cli_remotes *r, const struct remote_want *w, struct source **out, struct pl_err *e)
{
	struct arena *a = r->c->arena;
	for (struct used *u = r->used; u; u = u->next) {
		if (u->plugin == w->plugin && str_eq(u->options, w->options)) {
			*out = u->source;
			return PL_OK;
		}
	}
	struct worker *worker = cli_worker(r->c, e);
	if (!worker)
		return pl_err_code(e);
	registry_set_worker(r->registry, worker);
	pl_str name = plugin_table(w->plugin)->name;
	pl_str id = digest_of(a, (pl_str[]){name, w->options}, 2);
	pl_str folder = arena_printf(a, "%s/%.*s-%.*s", r->folder, F(name), F(id));
	pl_status st = source_open(r->registry, w->plugin, w->options, folder.p, out, e);
	if (st)
		return st;
	struct used *u = arena_zalloc(a, sizeof *u);
	*u = (struct used){r->used, w->plugin, arena_dup(a, w->options), *out};
	r->used = u;
	return PL_OK;
}

/* ---- what a revision's name stood for ---- */

static pl_str ref_path(struct cli_remotes *r, const struct remote_want *w)
{
	pl_str id = digest_of(r->c->arena, (pl_str[]){plugin_table(w->plugin)->name, w->options, w->revision}, 3);
	return arena_printf(r->c->arena, "%s/refs/%.*s", r->folder, F(id));
}

/* A cache that can't be written costs the next --offline, not this render. */
static void remember(struct cli_remotes *r, const struct remote_want *w, pl_str id)
{
	struct pl_err e = ERR_INIT;
	pl_str path = ref_path(r, w);
	char *dir = path_dir(path.p);
	pl_status st = file_mkdirs(dir, 0700, &e);
	if (!st)
		st = file_write(path.p, id, 0600, &e);
	if (st)
		log_line(&r->c->log, LOG_WARN, (pl_str){0}, "remember the revision of '%.*s': %s", F(w->name),
			 pl_err_text(&e));
	err_clear(&e);
	free(dir);
}

static bool is_id(pl_str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!((s.p[i] >= '0' && s.p[i] <= '9') || (s.p[i] >= 'a' && s.p[i] <= 'f')))
			return false;
	return s.n == 40 || s.n == 64;
}

static pl_status recall(struct cli_remotes *r, const struct remote_want *w, struct arena *a, pl_str *id,
			struct pl_err *e)
{
	struct buf b = BUF_INIT(NAME_MAX_BYTES);
	if (is_id(w->revision)) {
		*id = w->revision;
		return PL_OK;
	}
	pl_status st = file_read(ref_path(r, w).p, &b, NULL);
	*id = arena_dup(a, str_trim(buf_str(&b)));
	buf_free(&b);
	if (!st && is_id(*id))
		return PL_OK;
	return err_set(e, PL_EUNAVAILABLE, "%s%.*s%s of '%.*s' is not in the cache, and --offline fetches nothing",
		       w->revision.n ? "revision '" : "the default revision", F(w->revision), w->revision.n ? "'" : "",
		       F(w->name));
}

/* ---- opening ---- */

static pl_status ask(struct cli_remotes *r, struct source *s, const struct remote_want *w, struct cancel *cancel,
		     struct arena *a, pl_str *id, pl_str *name, struct pl_err *e)
{
	struct source_revision got = {0};
	if (is_id(w->revision) && source_has(s, w->revision)) {
		*id = w->revision; /* a full id means the same for ever */
		return PL_OK;
	}
	pl_status st = source_resolve(s, &w->revision, 1, RESOLVE_MS, cancel, a, &got, e);
	if (!st && got.status)
		st = err_set(e, got.status, "%.*s", F(got.error));
	if (st)
		return st;
	*id = got.id;
	*name = got.name;
	if (!is_id(w->revision))
		remember(r, w, got.id);
	return PL_OK;
}

static pl_status bring(struct cli_remotes *r, struct source *s, const struct remote_want *w, struct cancel *cancel,
		       pl_str id, pl_str name, struct pl_err *e)
{
	if (source_has(s, id))
		return PL_OK;
	if (r->offline)
		return err_set(e, PL_EUNAVAILABLE,
			       "'%.*s' of '%.*s' is not in the cache, and --offline fetches nothing", F(id),
			       F(w->name));
	return source_fetch(s, &id, &name, 1, FETCH_MS, cancel, e);
}

static pl_status open_remote(struct remotes *self, const struct remote_want *w, struct cancel *cancel, struct arena *a,
			     struct remote_found *out, struct pl_err *e)
{
	struct cli_remotes *r = (struct cli_remotes *)self;
	struct source *s = NULL;
	pl_str name = {0};
	pl_status st = cache_folder(r, e);
	if (!st)
		st = open_source(r, w, &s, e);
	if (!st)
		st = r->offline ? recall(r, w, a, &out->id, e) : ask(r, s, w, cancel, a, &out->id, &name, e);
	if (!st)
		st = bring(r, s, w, cancel, out->id, name, e);
	return st ? st : snapshot_open(s, out->id, &out->snapshot, e);
}

struct remotes *render_remotes_new(struct cli *c, struct registry *registry, bool offline)
{
	struct cli_remotes *r = mem_zalloc(sizeof *r);
	*r = (struct cli_remotes){.base = {open_remote}, .c = c, .registry = registry, .offline = offline};
	return &r->base;
}

void render_remotes_free(struct remotes *self)
{
	struct cli_remotes *r = (struct cli_remotes *)self;
	if (!r)
		return;
	for (struct used *u = r->used; u; u = u->next)
		source_unref(u->source);
	free(r->folder);
	free(r);
}
