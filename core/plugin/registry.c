/* SPDX-License-Identifier: Apache-2.0 */
#include "core/plugin/registry.h"

#include "core/base/file.h"
#include "core/base/mem.h"
#include "core/plugin/private.h"

#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef PLUMB_PREFIX
#define PLUMB_PREFIX "/usr/local"
#endif

struct loaded {
	struct loaded *next;
	struct plugin *plugin;
	uint32_t kind;
};

struct registry {
	char **folders;
	size_t n_folders;
	struct worker *worker;
	const struct log *log;
	pthread_mutex_t mutex; /* loaded */
	struct loaded *loaded;
};

struct registry *registry_new(const struct registry_config *c)
{
	struct registry *r = mem_zalloc(sizeof(*r));
	r->folders = mem_zalloc((c->n_folders + 1) * sizeof(*r->folders));
	r->n_folders = c->n_folders;
	for (size_t i = 0; i < c->n_folders; i++)
		r->folders[i] = str_dup(str_of(c->folders[i]));
	r->worker = c->worker;
	r->log = c->log;
	pthread_mutex_init(&r->mutex, NULL);
	return r;
}

void registry_free(struct registry *r)
{
	if (!r)
		return;
	while (r->loaded) {
		struct loaded *l = r->loaded;
		r->loaded = l->next;
		plugin_unload(l->plugin);
		free(l);
	}
	for (size_t i = 0; i < r->n_folders; i++)
		free(r->folders[i]);
	free(r->folders);
	pthread_mutex_destroy(&r->mutex);
	free(r);
}

struct worker *registry_worker(struct registry *r)
{
	return r->worker;
}

void registry_set_worker(struct registry *r, struct worker *w)
{
	r->worker = w;
}

const struct log *registry_log(struct registry *r)
{
	return r->log;
}

/* Beside the program in the build tree; beside its bin folder once installed, wherever that was moved to. */
char *registry_own_folder(void)
{
	static const char *const beside[] = {"plugins", "../lib/plumb/plugins"};
	char exe[4096];
	ssize_t n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
	if (n > 0) {
		exe[n] = '\0';
		char *dir = path_dir(exe);
		for (size_t i = 0; i < sizeof(beside) / sizeof(beside[0]); i++) {
			char *folder = path_join(dir, beside[i]);
			if (file_is_dir(folder)) {
				free(dir);
				return folder;
			}
			free(folder);
		}
		free(dir);
	}
	return str_dup(S(PLUMB_PREFIX "/lib/plumb/plugins"));
}

static bool name_ok(pl_str name)
{
	if (name.n == 0 || name.n > 64 || name.p[0] == '.')
		return false;
	for (size_t i = 0; i < name.n; i++) {
		char c = name.p[i];
		bool ok = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
			  c == '_' || c == '.';
		if (!ok)
			return false;
	}
	return true;
}

/* ---- what is there ---- */

struct files {
	struct plugin_file_info *v;
	size_t n, cap;
};

static int by_name(const void *a, const void *b)
{
	const struct plugin_file_info *x = a, *y = b;
	return str_cmp(x->name, y->name);
}

static void add_file(struct files *l, struct arena *a, uint32_t kind, const char *folder, const char *file)
{
	pl_str name = str_of(file);
	if (!str_ends(name, S(".so")))
		return;
	name.n -= 3;
	if (!name_ok(name))
		return;
	struct plugin_file_info info = {.kind = kind, .name = arena_dup(a, name)};
	info.path = arena_printf(a, "%s/%s", folder, file);
	for (size_t i = 0; i < l->n && !info.shadowed; i++)
		info.shadowed = l->v[i].kind == kind && str_eq(l->v[i].name, name);
	l->v = mem_grow(l->v, &l->cap, l->n + 1, sizeof(*l->v));
	l->v[l->n++] = info;
}

static pl_status list_folder(struct files *l, struct arena *a, const char *folder, uint32_t kind, struct pl_err *e)
{
	pl_str path = arena_printf(a, "%s/%s", folder, kind_folder(kind));
	DIR *d = opendir(path.p);
	if (!d)
		return errno == ENOENT ? PL_OK : err_errno(e, errno, "read the plugin folder '%s'", path.p);
	size_t from = l->n;
	for (struct dirent *f = readdir(d); f; f = readdir(d))
		add_file(l, a, kind, path.p, f->d_name);
	closedir(d);
	if (l->n > from)
		qsort(l->v + from, l->n - from, sizeof(*l->v), by_name);
	return PL_OK;
}

static pl_status list_kind(struct registry *r, struct files *l, struct arena *a, uint32_t kind, struct pl_err *e)
{
	pl_status st = PL_OK;
	for (size_t i = 0; i < r->n_folders && !st; i++)
		st = list_folder(l, a, r->folders[i], kind, e);
	return st;
}

pl_status registry_list(struct registry *r, struct arena *a, struct plugin_file_info **out, size_t *n, struct pl_err *e)
{
	struct files l = {0};
	pl_status st = PL_OK;
	for (uint32_t kind = PL_KIND_SOURCE; kind <= PL_KIND_HEALTH && !st; kind++)
		st = list_kind(r, &l, a, kind, e);
	if (!st) {
		*out = arena_array(a, l.n, sizeof(**out));
		*n = l.n;
		if (l.n)
			memcpy(*out, l.v, l.n * sizeof(**out));
	}
	free(l.v);
	return st;
}

/* ---- loading ---- */

static pl_status absent(struct registry *r, uint32_t kind, pl_str name, struct pl_err *e)
{
	struct arena *a = arena_new();
	struct files l = {0};
	struct pl_err ignored =
		ERR_INIT; /* the plugin is absent either way; a folder that can't be read is said below */
	pl_status st = list_kind(r, &l, a, kind, &ignored);
	const char **names = arena_array(a, l.n + 1, sizeof(*names));
	struct buf b = BUF_INIT(4096);
	size_t n = 0;
	for (size_t i = 0; i < l.n; i++) {
		if (l.v[i].shadowed)
			continue;
		names[n++] = l.v[i].name.p;
		buf_addf(&b, "%s%s", b.n ? ", " : "", l.v[i].name.p);
	}
	err_set(e, PL_ENOTFOUND, "no %s plugin '%.*s' (have: %s)", kind_name(kind), F(name), b.n ? b.p : "none");
	const char *nearest = str_nearest(name, names, n);
	if (nearest)
		pl_err_hint(e, "did you mean '%s'?", nearest);
	else if (st)
		pl_err_hint(e, "%s", pl_err_text(&ignored));
	else if (!b.n && r->n_folders)
		pl_err_hint(e, "looked in '%s/%s'", r->folders[0], kind_folder(kind));
	err_clear(&ignored);
	buf_free(&b);
	free(l.v);
	arena_free(a);
	return PL_ENOTFOUND;
}

/* The file of the name; a second one elsewhere is an error, for nobody could say which one runs. *path NULL: none. */
static pl_status find_file(struct registry *r, uint32_t kind, pl_str name, char **path, struct pl_err *e)
{
	struct stat first = {0};
	*path = NULL;
	for (size_t i = 0; i < r->n_folders; i++) {
		struct buf b = BUF_INIT(65536);
		buf_addf(&b, "%s/%s/%.*s.so", r->folders[i], kind_folder(kind), F(name));
		struct stat st;
		if (stat(b.p, &st)) {
			buf_free(&b);
		} else if (!*path) {
			first = st;
			*path = buf_detach(&b, NULL);
		} else if (st.st_dev != first.st_dev || st.st_ino != first.st_ino) {
			err_set(e, PL_EEXIST, "two %s plugins are named '%.*s': '%s' and '%s'", kind_name(kind),
				F(name), *path, b.p);
			pl_err_hint(e, "remove or rename one of them");
			buf_free(&b);
			free(*path);
			*path = NULL;
			return PL_EEXIST;
		} else {
			buf_free(&b);
		}
	}
	return PL_OK;
}

static pl_status load(struct registry *r, uint32_t kind, pl_str name, const struct plugin **out, struct pl_err *e)
{
	for (struct loaded *l = r->loaded; l; l = l->next) {
		if (l->kind == kind && str_eq(plugin_name(l->plugin), name)) {
			*out = l->plugin;
			return PL_OK;
		}
	}
	if (!kind_folder(kind))
		return err_set(e, PL_EINVAL, "there is no plugin kind %u", kind);
	char *path = NULL;
	pl_status st = name_ok(name) ? find_file(r, kind, name, &path, e) : PL_OK;
	if (st)
		return st;
	if (!path)
		return absent(r, kind, name, e);
	struct plugin *p = NULL;
	st = plugin_load(kind, name, path, &p, e);
	free(path);
	if (st)
		return st;
	struct loaded *l = mem_zalloc(sizeof(*l));
	*l = (struct loaded){.next = r->loaded, .plugin = p, .kind = kind};
	r->loaded = l;
	*out = p;
	return PL_OK;
}

pl_status registry_get(struct registry *r, uint32_t kind, pl_str name, const struct plugin **out, struct pl_err *e)
{
	pthread_mutex_lock(&r->mutex);
	pl_status st = load(r, kind, name, out, e);
	pthread_mutex_unlock(&r->mutex);
	return st;
}
