/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The cache folder:
 *   repo/     a bare repository; commits that were fetched whole stand under refs/plumb/keep/HEX
 *   lock      held (flock) by the one process that changes repo/; the kernel drops it when that process dies
 *   damaged   is there when somebody found an object missing or broken: the next fetch starts afresh
 *   broken/   the last repository that was moved aside, for people to look at
 * Readers take no lock: packs and references appear by rename, and a moved repository stays open where it is.
 */
#include "git.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOCK_LOOK_MS   50
#define LOOSE_KEEP_MAX 256 /* files below refs/plumb/keep before they are packed into one */

void git_cache_unref(struct cache_repo *c)
{
	if (!c || --c->refs)
		return;
	git_odb_free(c->odb);
	git_repository_free(c->repo);
	free(c);
}

static struct timespec packs_changed(const char *bare)
{
	struct stat st;
	char *folder = git_printf("%s/objects/pack", bare);
	struct timespec when = {0, 0};
	if (stat(folder, &st) == 0)
		when = st.st_mtim;
	free(folder);
	return when;
}

static int open_bare(const char *path, struct cache_repo **out)
{
	struct stat st;
	struct cache_repo *c = git_zalloc(sizeof(*c));
	c->refs = 1;
	int code =
		git_repository_open_ext(&c->repo, path, GIT_REPOSITORY_OPEN_BARE | GIT_REPOSITORY_OPEN_NO_SEARCH, NULL);
	if (!code)
		code = git_repository_odb(&c->odb, c->repo);
	if (code || stat(path, &st) != 0) {
		git_cache_unref(c);
		return code ? code : -1;
	}
	c->dev = st.st_dev;
	c->ino = st.st_ino;
	c->packs = packs_changed(path);
	*out = c;
	return 0;
}

/*
 * The one that is open may have been moved aside by a fetch of another process; and one whose packs have changed holds
 * files open that are gone.
 */
static bool still_there(const struct git_source *s)
{
	struct stat st;
	if (!s->cache || stat(s->bare, &st) != 0 || st.st_dev != s->cache->dev || st.st_ino != s->cache->ino)
		return false;
	struct timespec now = packs_changed(s->bare);
	return now.tv_sec == s->cache->packs.tv_sec && now.tv_nsec == s->cache->packs.tv_nsec;
}

pl_status git_cache_use(const pl_host *h, struct git_source *s, struct cache_repo **out)
{
	if (!still_there(s)) {
		git_cache_unref(s->cache);
		s->cache = NULL;
		if (access(s->bare, F_OK) != 0)
			return PL_ENOTFOUND;
		int code = open_bare(s->bare, &s->cache);
		if (code) {
			git_log(h, PL_LOG_WARN, "the cache of '%s' in '%s' can't be opened: %s", s->opt.url, s->bare,
				git_error_last() ? git_error_last()->message : "no reason given");
			git_cache_damaged(s);
			return PL_ENOTFOUND;
		}
	}
	*out = s->cache;
	return PL_OK;
}

bool git_cache_has(const struct cache_repo *c, const git_oid *id)
{
	char name[sizeof(KEEP_REFS) + HEX] = KEEP_REFS;
	git_oid_tostr(name + sizeof(KEEP_REFS) - 1, HEX + 1, id);
	git_oid kept;
	if (git_reference_name_to_id(&kept, c->repo, name) < 0 || !git_oid_equal(&kept, id))
		return false;
	git_commit *commit = NULL;
	bool there = git_commit_lookup(&commit, c->repo, id) == 0 && git_odb_exists(c->odb, git_commit_tree_id(commit));
	git_commit_free(commit);
	return there;
}

/* ---- damage ---- */

static char *in_folder(const struct git_source *s, const char *name)
{
	return git_printf("%s/%s", s->folder, name);
}

void git_cache_damaged(const struct git_source *s)
{
	char *path = in_folder(s, "damaged");
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (fd >= 0)
		close(fd);
	free(path);
}

bool git_cache_is_damaged(const struct git_source *s)
{
	char *path = in_folder(s, "damaged");
	bool is = access(path, F_OK) == 0;
	free(path);
	return is;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st, (void)type, (void)at;
	return remove(path) == 0 || errno == ENOENT ? 0 : -1;
}

static int remove_tree(const char *path)
{
	if (access(path, F_OK) != 0)
		return 0;
	return nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static pl_status fail_errno(const pl_host *h, const char *what, const char *path)
{
	return git_fail(h, PL_EIO, "%s '%s': %s", what, path, strerrordesc_np(errno));
}

/* ---- the lock ---- */

pl_status git_cache_lock(const pl_host *h, const struct git_source *s, int *out)
{
	if (mkdir(s->folder, 0700) != 0 && errno != EEXIST)
		return fail_errno(h, "make the cache folder", s->folder);
	char *path = in_folder(s, "lock");
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	pl_status st = fd < 0 ? fail_errno(h, "open the lock", path) : PL_OK;
	while (!st && flock(fd, LOCK_EX | LOCK_NB) != 0) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			st = fail_errno(h, "lock", path);
		else if ((st = git_stopped(h)))
			st = git_fail(h, st, "wait for another fetch of '%s', which holds '%s'", s->opt.url, path);
		else
			poll(NULL, 0, LOCK_LOOK_MS);
	}
	free(path);
	if (st && fd >= 0)
		close(fd);
	*out = st ? -1 : fd;
	return st;
}

/* ---- what a killed process has left ---- */

static bool ends_with(const char *name, const char *end)
{
	size_t n = strlen(name), m = strlen(end);
	return n >= m && strcmp(name + n - m, end) == 0;
}

static bool is_lock(const char *name)
{
	return ends_with(name, ".lock");
}

static bool is_half_pack(const char *name)
{
	return strncmp(name, "pack-", 5) != 0;
}

static void clean(const struct git_source *s, const char *below, bool (*left)(const char *name))
{
	char *folder = git_printf("%s/%s", s->bare, below);
	DIR *d = opendir(folder);
	for (struct dirent *e; d && (e = readdir(d));)
		if (e->d_type != DT_DIR && left(e->d_name))
			(void)unlinkat(dirfd(d), e->d_name, 0);
	if (d)
		closedir(d);
	free(folder);
}

static void clean_leftovers(const struct git_source *s)
{
	clean(s, "", is_lock);
	clean(s, "refs/plumb/keep", is_lock);
	clean(s, "objects/pack", is_half_pack);
}

/* ---- making it ---- */

static int init_bare(const char *path)
{
	git_repository_init_options o;
	(void)git_repository_init_options_init(&o,
					       GIT_REPOSITORY_INIT_OPTIONS_VERSION); /* only fails on a wrong version */
	o.flags = GIT_REPOSITORY_INIT_BARE | GIT_REPOSITORY_INIT_NO_REINIT | GIT_REPOSITORY_INIT_MKPATH;
	o.mode = 0700;
	o.initial_head = "plumb"; /* never born: nothing here is checked out */
	git_repository *r = NULL;
	int code = git_repository_init_ext(&r, path, &o);
	git_repository_free(r);
	return code;
}

/* Made aside and renamed, so that nobody ever sees half of one. */
static pl_status make(const pl_host *h, struct git_source *s)
{
	char *fresh = in_folder(s, "fresh");
	pl_status st = PL_OK;
	int code = remove_tree(fresh);
	if (code)
		st = fail_errno(h, "remove the left-over folder", fresh);
	else if ((code = init_bare(fresh)))
		st = git_fail_lib(h, code, "make the cache '%s'", s->bare);
	else if (rename(fresh, s->bare) != 0)
		st = fail_errno(h, "make the cache", s->bare);
	free(fresh);
	return st;
}

static pl_status move_aside(const pl_host *h, struct git_source *s)
{
	char *broken = in_folder(s, "broken"), *marker = in_folder(s, "damaged");
	pl_status st = PL_OK;
	if (remove_tree(broken) != 0)
		st = fail_errno(h, "remove", broken);
	else if (rename(s->bare, broken) != 0 && errno != ENOENT)
		st = fail_errno(h, "move aside the damaged cache", s->bare);
	else if (unlink(marker) != 0 && errno != ENOENT)
		st = fail_errno(h, "remove", marker);
	free(broken);
	free(marker);
	return st;
}

pl_status git_cache_rebuild(const pl_host *h, struct git_source *s, const char *why)
{
	git_log(h, PL_LOG_WARN,
		"the cache of '%s' in '%s' is damaged (%s): it is moved to '%s/broken' and fetched again", s->opt.url,
		s->bare, why, s->folder);
	git_cache_unref(s->cache);
	s->cache = NULL;
	pl_status st = move_aside(h, s);
	if (!st)
		st = make(h, s);
	if (st)
		return st;
	int code = open_bare(s->bare, &s->cache);
	return code ? git_fail_lib(h, code, "open the new cache '%s'", s->bare) : PL_OK;
}

pl_status git_cache_prepare(const pl_host *h, struct git_source *s)
{
	struct cache_repo *c = NULL;
	if (git_cache_is_damaged(s))
		return git_cache_rebuild(h, s, "an object was missing or broken");
	if (access(s->bare, F_OK) != 0) {
		pl_status st = make(h, s);
		if (st)
			return st;
	} else {
		clean_leftovers(s);
	}
	pl_status st = git_cache_use(h, s, &c);
	return st == PL_ENOTFOUND ? git_cache_rebuild(h, s, "it can't be opened") : st;
}

/* One file a kept commit would grow without end. */
void git_cache_pack_refs(struct cache_repo *c)
{
	char *folder = git_printf("%s%s", git_repository_path(c->repo), KEEP_REFS);
	DIR *d = opendir(folder);
	size_t n = 0;
	while (d && readdir(d))
		n++;
	if (d)
		closedir(d);
	free(folder);
	git_refdb *db = NULL;
	if (n > LOOSE_KEEP_MAX && git_repository_refdb(&db, c->repo) == 0)
		(void)git_refdb_compress(db); /* as good loose; tried again after the next fetch */
	git_refdb_free(db);
}
