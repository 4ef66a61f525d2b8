/* SPDX-License-Identifier: Apache-2.0 */
/* Is everything below a commit there? A server may send less than it promised, and a disk may lose what was there. */
#include "git.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Ids that were seen: a tree may hold the same folder a billion times. Open addressing; ids are random already. */
struct seen {
	git_oid *v;
	bool *used;
	size_t n, cap;
};

static size_t slot(const struct seen *s, const git_oid *id)
{
	size_t h;
	memcpy(&h, id->id, sizeof(h));
	for (h &= s->cap - 1; s->used[h] && !git_oid_equal(&s->v[h], id); h = (h + 1) & (s->cap - 1))
		;
	return h;
}

static void grow(struct seen *s)
{
	struct seen old = *s;
	s->cap = old.cap ? old.cap * 2 : 1024;
	s->v = git_zalloc(s->cap * sizeof(*s->v));
	s->used = git_zalloc(s->cap);
	for (size_t i = 0; i < old.cap; i++) {
		if (!old.used[i])
			continue;
		size_t at = slot(s, &old.v[i]);
		s->v[at] = old.v[i];
		s->used[at] = true;
	}
	free(old.v);
	free(old.used);
}

static bool add(struct seen *s, const git_oid *id)
{
	if (s->n * 2 >= s->cap)
		grow(s);
	size_t at = slot(s, id);
	if (s->used[at])
		return false;
	s->used[at] = true;
	s->v[at] = *id;
	s->n++;
	return true;
}

struct walk {
	struct cache_repo *c;
	bool deep;
	struct seen seen;
	git_oid *todo; /* trees */
	size_t n, cap;
	char *why;
};

static enum complete missing(struct walk *w, const char *what, const git_oid *id)
{
	char hex[HEX + 1];
	const git_error *e = git_error_last();
	snprintf(w->why, 128, "%s %s: %.60s", what, git_oid_tostr(hex, sizeof(hex), id),
		 e && e->message ? e->message : "not there");
	return INCOMPLETE;
}

static void push(struct walk *w, const git_oid *id)
{
	if (w->n == w->cap) {
		w->cap = w->cap ? w->cap * 2 : 64;
		w->todo = realloc(w->todo, w->cap * sizeof(*w->todo));
		if (!w->todo)
			abort();
	}
	w->todo[w->n++] = *id;
}

static bool blob_there(struct walk *w, const git_oid *id)
{
	git_odb_object *o = NULL;
	if (!w->deep)
		return git_odb_exists(w->c->odb, id);
	bool ok = git_odb_read(&o, w->c->odb, id) == 0;
	git_odb_object_free(o);
	return ok;
}

static enum complete one_tree(struct walk *w, const git_oid *id)
{
	git_tree *tree = NULL;
	git_error_clear();
	if (git_tree_lookup(&tree, w->c->repo, id) < 0)
		return missing(w, "folder", id);
	enum complete got = COMPLETE;
	for (size_t i = 0; i < git_tree_entrycount(tree) && got == COMPLETE; i++) {
		const git_tree_entry *e = git_tree_entry_byindex(tree, i);
		git_filemode_t mode = git_tree_entry_filemode(e);
		if (mode == GIT_FILEMODE_COMMIT || !add(&w->seen, git_tree_entry_id(e)))
			continue; /* a submodule's commit lives elsewhere */
		if (mode == GIT_FILEMODE_TREE)
			push(w, git_tree_entry_id(e));
		else if (!blob_there(w, git_tree_entry_id(e)))
			got = missing(w, "file", git_tree_entry_id(e));
	}
	git_tree_free(tree);
	return got;
}

enum complete git_complete(struct cache_repo *c, const git_oid *id, bool deep, char why[128])
{
	struct walk w = {.c = c, .deep = deep, .why = why};
	git_commit *commit = NULL;
	git_object_t type;
	size_t size;
	git_error_clear();
	if (git_odb_read_header(&size, &type, c->odb, id) < 0)
		return missing(&w, "commit", id);
	if (type != GIT_OBJECT_COMMIT) {
		snprintf(why, 128, "it is a %s", git_object_type2string(type));
		return NOT_A_COMMIT;
	}
	if (git_commit_lookup(&commit, c->repo, id) < 0)
		return missing(&w, "commit", id);
	push(&w, git_commit_tree_id(commit));
	git_commit_free(commit);
	enum complete got = COMPLETE;
	while (w.n && got == COMPLETE) {
		git_oid next = w.todo[--w.n];
		got = one_tree(&w, &next);
	}
	free(w.todo);
	free(w.seen.v);
	free(w.seen.used);
	return got;
}
