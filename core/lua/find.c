/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which script judges a kind. Folders' listings are kept by their modification time, so that a look-up costs a stat
 * of the script folder and of the groups that can match.
 */
#include "core/lua/private.h"

#include "core/base/clock.h"
#include "core/base/mem.h"

#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <sys/stat.h>

/*
 * Two changes within one tick of a file system's clock leave the same time, so a listing made right after a change
 * may miss the next one: it is trusted only once the change is older than the coarsest tick in use.
 */
enum { SETTLED_MS = 2000, BUCKETS = 256 };

struct listing {
	struct listing *next;
	char *path;
	dev_t dev;
	ino_t ino;
	struct timespec changed;
	bool settled;
	char **names; /* sorted, none that starts with a dot */
	size_t n, cap;
};

struct scripts {
	pthread_mutex_t lock;
	struct listing *buckets[BUCKETS];
};

struct scripts *scripts_new(void)
{
	struct scripts *s = mem_zalloc(sizeof(*s));

	pthread_mutex_init(&s->lock, NULL);
	return s;
}

static void listing_clear(struct listing *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->names[i]);
	l->n = 0;
}

void scripts_free(struct scripts *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < BUCKETS; i++)
		while (s->buckets[i]) {
			struct listing *l = s->buckets[i];

			s->buckets[i] = l->next;
			listing_clear(l);
			free(l->names);
			free(l->path);
			free(l);
		}
	pthread_mutex_destroy(&s->lock);
	free(s);
}

static struct listing *listing_of(struct scripts *s, const char *path)
{
	struct listing **at = &s->buckets[str_hash(str_of(path)) % BUCKETS];

	while (*at && strcmp((*at)->path, path) != 0)
		at = &(*at)->next;
	if (!*at) {
		*at = mem_zalloc(sizeof(**at));
		(*at)->path = str_dup(str_of(path));
	}
	return *at;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool is_current(const struct listing *l, const struct stat *now)
{
	return l->settled && l->dev == now->st_dev && l->ino == now->st_ino &&
	       l->changed.tv_sec == now->st_mtim.tv_sec && l->changed.tv_nsec == now->st_mtim.tv_nsec;
}

static pl_status listing_read(struct listing *l, struct pl_err *e)
{
	DIR *d = opendir(l->path);
	struct dirent *entry;

	if (!d)
		return err_errno(e, errno, "list the scripts in '%s'", l->path);
	for (errno = 0; (entry = readdir(d)); errno = 0) {
		if (entry->d_name[0] == '.')
			continue;
		l->names = mem_grow(l->names, &l->cap, l->n + 1, sizeof(*l->names));
		l->names[l->n++] = str_dup(str_of(entry->d_name));
	}

	int error = errno;

	closedir(d);
	if (error)
		return err_errno(e, error, "list the scripts in '%s'", l->path);
	if (l->n > 0)
		qsort(l->names, l->n, sizeof(*l->names), by_name);
	return PL_OK;
}

/* A folder that is not there, or is none, has no names: groups come and go. */
static pl_status list(struct scripts *s, const char *path, const struct listing **out, struct pl_err *e)
{
	struct listing *l = listing_of(s, path);
	struct stat now;

	*out = l;
	if (stat(path, &now) < 0) {
		listing_clear(l);
		l->settled = false;
		if (errno == ENOENT || errno == ENOTDIR)
			return PL_OK;
		return err_errno(e, errno, "list the scripts in '%s'", path);
	}
	if (is_current(l, &now))
		return PL_OK;
	listing_clear(l);
	l->dev = now.st_dev;
	l->ino = now.st_ino;
	l->changed = now.st_mtim;
	l->settled = false;
	if (!S_ISDIR(now.st_mode))
		return PL_OK;

	pl_status st = listing_read(l, e);

	if (st == PL_OK)
		l->settled = clock_wall_ms() - (int64_t)now.st_mtim.tv_sec * 1000 > SETTLED_MS;
	else
		listing_clear(l);
	return st;
}

/* What a group and a kind may hold to be looked for: names from documents must not lead out of the folder. */
static bool is_plain(pl_str s)
{
	if (s.n == 0 || s.n > 253 || s.p[0] == '.')
		return false;
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
		      c == '.'))
			return false;
	}
	return true;
}

/* '_' in pattern stands for any text. */
static bool matches(const char *pattern, pl_str s)
{
	const char *star = NULL;
	size_t i = 0, from = 0;

	while (i < s.n) {
		if (*pattern == '_') {
			star = ++pattern;
			from = i;
		} else if (*pattern == s.p[i]) {
			pattern++;
			i++;
		} else if (star) {
			pattern = star;
			i = ++from;
		} else {
			return false;
		}
	}
	while (*pattern == '_')
		pattern++;
	return *pattern == '\0';
}

static bool is_script(const char *path)
{
	struct stat now;

	return stat(path, &now) == 0 && S_ISREG(now.st_mode);
}

struct search {
	struct scripts *s;
	struct arena *a;
	pl_str group, kind;
	pl_str *path;
	bool found;
};

static void try_path(struct search *q, pl_str path)
{
	q->found = is_script(path.p);
	if (q->found)
		*q->path = path;
}

/* A folder's own name is a group's (with "" for none); its entries are kinds. Exact pairs have been looked at before.
 */
static pl_status try_kinds(struct search *q, const char *dir, struct pl_err *e)
{
	const struct listing *kinds;
	pl_status st = list(q->s, dir, &kinds, e);

	for (size_t i = 0; st == PL_OK && i < kinds->n && !q->found; i++)
		if (matches(kinds->names[i], q->kind))
			try_path(q, arena_printf(q->a, "%s/%s/health.lua", dir, kinds->names[i]));
	return st;
}

static pl_status try_groups(struct search *q, const char *root, struct pl_err *e)
{
	const struct listing *groups;
	pl_status st = list(q->s, root, &groups, e);

	/* Listings of groups' folders may be made meanwhile; this one stays as it is until the lock is given back. */
	for (size_t i = 0; st == PL_OK && i < groups->n && !q->found; i++)
		if (matches(groups->names[i], q->group))
			st = try_kinds(q, arena_printf(q->a, "%s/%s", root, groups->names[i]).p, e);
	return st;
}

static pl_status search_folder(struct search *q, const char *root, struct pl_err *e)
{
	if (q->group.n > 0) {
		try_path(q, arena_printf(q->a, "%s/%.*s/%.*s/health.lua", root, F(q->group), F(q->kind)));
		return q->found ? PL_OK : try_groups(q, root, e);
	}
	try_path(q, arena_printf(q->a, "%s/%.*s/health.lua", root, F(q->kind)));
	if (!q->found)
		try_path(q, arena_printf(q->a, "%s/core/%.*s/health.lua", root, F(q->kind)));

	pl_status st = q->found ? PL_OK : try_kinds(q, root, e);

	if (st != PL_OK || q->found)
		return st;
	return try_kinds(q, arena_printf(q->a, "%s/core", root).p, e);
}

pl_status scripts_find(struct scripts *s, const pl_str *folders, size_t n, const pl_ref *ref, struct arena *a,
		       pl_str *path, struct pl_err *e)
{
	struct search q = {.s = s, .a = a, .group = ref->group, .kind = ref->kind, .path = path};
	pl_status st = PL_OK;

	if (!is_plain(ref->kind) || (ref->group.n > 0 && !is_plain(ref->group)))
		return PL_ENOTFOUND;
	pthread_mutex_lock(&s->lock);
	for (size_t i = 0; i < n && st == PL_OK && !q.found; i++)
		st = search_folder(&q, arena_dup(a, folders[i]).p, e);
	pthread_mutex_unlock(&s->lock);
	if (st != PL_OK)
		return st;
	return q.found ? PL_OK : PL_ENOTFOUND;
}
