/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bringing commits into the cache. A commit counts as there once its whole tree was seen and refs/plumb/keep/HEX names
 * it; that reference is written last, so that a fetch that was killed leaves nothing that looks whole.
 */
#include "git.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DEEP_LOOKS 8 /* kept commits that are checked to the byte when a fetch fails inside the cache */

struct wants {
	git_oid *v;
	size_t n;
};

/* Takes out what is there. */
static void drop_known(struct wants *w, const struct cache_repo *c)
{
	size_t left = 0;
	for (size_t i = 0; i < w->n; i++)
		if (!git_cache_has(c, &w->v[i]))
			w->v[left++] = w->v[i];
	w->n = left;
}

static bool wanted(const struct wants *w, const git_oid *id)
{
	for (size_t i = 0; i < w->n; i++)
		if (git_oid_equal(&w->v[i], id))
			return true;
	return false;
}

/* One that holds no id can't be replaced by libgit2. */
static void remove_reference_file(const struct cache_repo *c, const char *name)
{
	char *path = git_printf("%s%s", git_repository_path(c->repo), name);
	(void)unlink(path); /* when it stays, writing the reference tells why */
	free(path);
}

static pl_status keep(const pl_host *h, struct cache_repo *c, const git_oid *id)
{
	char name[sizeof(KEEP_REFS) + HEX] = KEEP_REFS;
	git_reference *ref = NULL;
	git_oid_tostr(name + sizeof(KEEP_REFS) - 1, HEX + 1, id);
	git_oid was;
	int code = git_reference_name_to_id(&was, c->repo, name);
	if (code && code != GIT_ENOTFOUND)
		remove_reference_file(c, name);
	code = git_reference_create(&ref, c->repo, name, id, 1, NULL);
	git_reference_free(ref);
	return code ? git_fail_lib(h, code, "write '%s' in the cache '%s'", name, git_repository_path(c->repo)) : PL_OK;
}

/* Keeps those whose objects are all there. *broken: one is there in part. */
static pl_status keep_whole(const pl_host *h, struct cache_repo *c, struct wants *w, bool *broken, char why[128])
{
	size_t left = 0;
	pl_status st = PL_OK;
	for (size_t i = 0; i < w->n && !st; i++) {
		git_oid id = w->v[i];
		enum complete got = git_odb_exists(c->odb, &id) ? git_complete(c, &id, false, why) : INCOMPLETE;
		char hex[HEX + 1];
		if (got == NOT_A_COMMIT)
			st = git_fail(h, PL_EINVAL, "'%s' is not a commit: %s", git_oid_tostr(hex, sizeof(hex), &id),
				      why);
		else if (got == COMPLETE)
			st = keep(h, c, &id);
		else
			w->v[left++] = id, *broken |= git_odb_exists(c->odb, &id);
	}
	w->n = st ? w->n : left;
	return st;
}

/* ---- packs that a lying server has sent ---- */

struct packs {
	char **v;
	size_t n;
};

static struct packs list_packs(const struct git_source *s)
{
	struct packs p = {0};
	char *folder = git_printf("%s/objects/pack", s->bare);
	DIR *d = opendir(folder);
	for (struct dirent *e; d && (e = readdir(d));) {
		if (strncmp(e->d_name, "pack-", 5) != 0)
			continue;
		p.v = reallocarray(p.v, p.n + 1, sizeof(*p.v));
		if (!p.v)
			abort();
		p.v[p.n++] = git_printf("%s/%s", folder, e->d_name);
	}
	if (d)
		closedir(d);
	free(folder);
	return p;
}

static void free_packs(struct packs *p)
{
	for (size_t i = 0; i < p->n; i++)
		free(p->v[i]);
	free(p->v);
}

/* A commit whose files are missing would count as known in every later fetch. */
static void drop_new_packs(const struct git_source *s, const struct packs *before)
{
	struct packs now = list_packs(s);
	for (size_t i = 0; i < now.n; i++) {
		bool old = false;
		for (size_t j = 0; j < before->n && !old; j++)
			old = strcmp(now.v[i], before->v[j]) == 0;
		if (!old)
			(void)unlink(now.v[i]);
	}
	free_packs(&now);
}

/* ---- asking ---- */

struct specs {
	char **v;
	size_t n;
};

static void add_spec(struct specs *s, const char *ref)
{
	s->v = reallocarray(s->v, s->n + 1, sizeof(*s->v));
	if (!s->v)
		abort();
	s->v[s->n++] = git_printf("+%s:refs/plumb/fetch/%s", ref, ref);
}

static void free_specs(struct specs *s)
{
	for (size_t i = 0; i < s->n; i++)
		free(s->v[i]);
	free(s->v);
}

/* References that are one of the wanted commits, or a tag of one. */
static void specs_of(const struct git_session *x, const struct wants *w, struct specs *s)
{
	for (size_t i = 0; i < x->n_heads; i++) {
		const char *name = x->heads[i]->name;
		if (!wanted(w, &x->heads[i]->oid))
			continue;
		size_t n = strlen(name);
		if (n > 3 && strcmp(name + n - 3, "^{}") == 0)
			n -= 3;
		char *ref = git_strndup(name, n);
		add_spec(s, ref);
		free(ref);
	}
}

static pl_status download(struct git_session *x, const struct specs *s)
{
	git_fetch_options fo;
	(void)git_fetch_options_init(&fo, GIT_FETCH_OPTIONS_VERSION); /* only fails on a wrong version */
	git_session_options(x, &fo);
	git_strarray list = {s->v, s->n};
	git_error_clear();
	int code = git_remote_download(x->remote, &list, &fo);
	return code ? git_session_fail(x, code, "fetch from") : PL_OK;
}

static pl_status not_there(const pl_host *h, const struct git_source *s, const struct wants *w)
{
	char hex[HEX + 1];
	return git_fail(h, PL_ENOTFOUND, "'%s' has no commit '%s' on any branch or tag%s", s->opt.url,
			git_oid_tostr(hex, sizeof(hex), &w->v[0]), w->n > 1 ? ", nor others that are wanted" : "");
}

static pl_status bring(const pl_host *h, struct git_session *x, struct cache_repo *c, struct wants *w)
{
	static const char *const everything[] = {"refs/heads/*", "refs/tags/*"};
	char why[128] = "";
	for (int round = 0; round < 2 && w->n; round++) {
		struct specs s = {0};
		if (round == 0)
			specs_of(x, w, &s);
		for (size_t i = 0; round == 1 && i < 2; i++)
			add_spec(&s, everything[i]);
		pl_status st = s.n ? download(x, &s) : PL_OK;
		free_specs(&s);
		bool broken = false;
		if (!st)
			st = keep_whole(h, c, w, &broken, why);
		if (st)
			return st;
		if (broken)
			return git_fail(h, PL_EUNAVAILABLE, "'%s' has sent a commit without all that belongs to it: %s",
					x->s->opt.url, why);
	}
	return w->n ? not_there(h, x->s, w) : PL_OK;
}

/* ---- a fetch that failed: is it the cache's fault? ---- */

static bool cache_broken(struct cache_repo *c, char why[128])
{
	git_reference_iterator *it = NULL;
	git_reference *ref = NULL;
	bool broken = false;
	snprintf(why, 128, "a reference can't be read");
	if (git_reference_iterator_glob_new(&it, c->repo, KEEP_REFS "*") < 0)
		return true;
	for (int i = 0; i < DEEP_LOOKS && !broken && git_reference_next(&ref, it) == 0; i++) {
		broken = git_reference_target(ref) &&
			 git_complete(c, git_reference_target(ref), true, why) == INCOMPLETE;
		git_reference_free(ref);
	}
	git_reference_iterator_free(it);
	return broken;
}

static pl_status once(const pl_host *h, struct git_source *s, struct wants *w)
{
	struct git_session x = {0};
	struct packs before = list_packs(s);
	struct cache_repo *c = s->cache;
	c->refs++;
	pl_status st = git_session_open(&x, h, s, c->repo);
	if (!st)
		st = bring(h, &x, c, w);
	git_session_close(&x);
	if (st) {
		drop_new_packs(s, &before);
	} else {
		git_cache_pack_refs(c);
		git_cache_pack_objects(h, c);
	}
	free_packs(&before);
	git_cache_unref(c);
	return st;
}

static bool may_be_ours(pl_status st)
{
	return st == PL_EIO || st == PL_ENOTFOUND || st == PL_EUNAVAILABLE;
}

/* What is left of a damaged cache is not given up for a server that does not answer. */
static pl_status answers(const pl_host *h, struct git_source *s)
{
	struct git_session x = {0};
	pl_status st = git_session_open(&x, h, s, NULL);
	git_session_close(&x);
	return st;
}

static pl_status with_lock(const pl_host *h, struct git_source *s, struct wants *w)
{
	char why[128] = "";
	bool broken = false;
	pl_status st = git_cache_is_damaged(s) ? answers(h, s) : PL_OK;
	if (!st)
		st = git_cache_prepare(h, s);
	if (st)
		return st;
	drop_known(w, s->cache); /* another process may have been here meanwhile */
	st = keep_whole(h, s->cache, w, &broken, why);
	if (!st && broken)
		st = git_cache_rebuild(h, s, why);
	if (st || !w->n)
		return st;
	st = once(h, s, w);
	if (!may_be_ours(st) || !cache_broken(s->cache, why))
		return st;
	st = git_cache_rebuild(h, s, why);
	return st ? st : once(h, s, w);
}

static pl_status read_wants(const pl_host *h, const pl_revision *revisions, size_t n, struct wants *w)
{
	for (size_t i = 0; i < n; i++) {
		git_oid id;
		pl_status st = git_id(h, revisions[i].id, &id);
		if (st)
			return st;
		if (!wanted(w, &id))
			w->v[w->n++] = id;
	}
	return PL_OK;
}

pl_status git_op_fetch(const pl_host *h, void *self, const pl_revision *revisions, size_t n)
{
	struct git_source *s = self;
	struct wants w = {.v = git_zalloc(n * sizeof(git_oid))};
	struct cache_repo *c = NULL;
	int lock = -1;
	pl_status st = git_check(h, s, "fetch from");
	if (!st)
		st = read_wants(h, revisions, n, &w);
	if (!st && !git_cache_is_damaged(s) && git_cache_use(h, s, &c) == PL_OK)
		drop_known(&w, c);
	if (!st && w.n)
		st = git_cache_lock(h, s, &lock);
	if (!st && w.n)
		st = with_lock(h, s, &w);
	if (lock >= 0)
		close(lock);
	free(w.v);
	return st;
}
