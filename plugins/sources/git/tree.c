/* SPDX-License-Identifier: Apache-2.0 */
/* What is read from the cache: commits, folders and files straight from the object database; nothing is checked out. */
#include "git.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct tree {
	struct cache_repo *c;
	git_oid root;
};

/* An object that should be there is not, or its bytes are not what its id says. */
static pl_status damaged(const pl_host *h, struct git_source *s, int code, const char *what, const git_oid *id)
{
	char hex[HEX + 1];
	git_oid_tostr(hex, sizeof(hex), id);
	git_cache_damaged(s);
	const git_error *e = git_error_last();
	(void)code;
	git_fail(h, PL_EIO,
		 "%s '%s' in the cache of '%s' can't be read: %s (the cache is built anew by the next fetch)", what,
		 hex, s->opt.url, e && e->message ? e->message : "no reason given");
	return PL_EIO;
}

static pl_status not_cached(const pl_host *h, const struct git_source *s, const git_oid *id)
{
	char hex[HEX + 1];
	git_fail(h, PL_ENOTFOUND, "commit '%s' of '%s' is not in the cache", git_oid_tostr(hex, sizeof(hex), id),
		 s->opt.url);
	return PL_ENOTFOUND;
}

/* A commit that was fetched whole. */
static pl_status commit_of(const pl_host *h, struct git_source *s, pl_str id, struct cache_repo **c, git_commit **out)
{
	git_oid oid;
	pl_status st = git_id(h, id, &oid);
	if (st)
		return st;
	if (git_cache_is_damaged(s) || git_cache_use(h, s, c) || !*c || !git_cache_has(*c, &oid))
		return not_cached(h, s, &oid);
	int code = git_commit_lookup(out, (*c)->repo, &oid);
	return code ? damaged(h, s, code, "commit", &oid) : PL_OK;
}

/* Old commits may be Latin-1: bytes that are not UTF-8 become '?'. */
static pl_str clean_text(const pl_host *h, const char *z)
{
	pl_str s = git_host_dup(h, z ? z : "", z ? strlen(z) : 0);
	char *p = (char *)(uintptr_t)s.p;
	for (size_t i = 0; i < s.n;) {
		unsigned char b = (unsigned char)p[i];
		size_t n = b < 0x80		   ? 1
			   : b >= 0xc2 && b < 0xe0 ? 2
			   : b >= 0xe0 && b < 0xf0 ? 3
			   : b >= 0xf0 && b < 0xf5 ? 4
						   : 0;
		bool ok = n > 0 && i + n <= s.n;
		for (size_t k = 1; ok && k < n; k++)
			ok = ((unsigned char)p[i + k] & 0xc0) == 0x80;
		unsigned char next = ok && n > 2 ? (unsigned char)p[i + 1] : 0;
		if (ok && ((b == 0xe0 && next < 0xa0) || (b == 0xed && next > 0x9f) || (b == 0xf0 && next < 0x90) ||
			   (b == 0xf4 && next > 0x8f)))
			ok = false;
		if (!ok)
			p[i] = '?';
		i += ok ? n : 1;
	}
	return s;
}

pl_status git_op_describe(const pl_host *h, void *self, pl_str id, pl_revision_info *out)
{
	struct cache_repo *c = NULL;
	git_commit *commit = NULL;
	pl_status st = commit_of(h, self, id, &c, &commit);
	if (st)
		return st;
	const git_signature *who = git_commit_author(commit);
	char *author = git_printf("%s <%s>", who ? who->name : "", who ? who->email : "");
	out->author = clean_text(h, author);
	out->message = clean_text(h, git_commit_message(commit));
	out->time = who ? who->when.time : git_commit_time(commit);
	free(author);
	git_commit_free(commit);
	return PL_OK;
}

pl_status git_op_tree_open(const pl_host *h, void *self, pl_str id, void **tree)
{
	struct cache_repo *c = NULL;
	git_commit *commit = NULL;
	pl_status st = commit_of(h, self, id, &c, &commit);
	if (st)
		return st;
	struct tree *t = git_zalloc(sizeof(*t));
	t->c = c;
	c->refs++;
	t->root = *git_commit_tree_id(commit);
	git_commit_free(commit);
	*tree = t;
	return PL_OK;
}

void git_op_tree_close(void *self, void *tree)
{
	struct tree *t = tree;
	(void)self;
	if (!t)
		return;
	git_cache_unref(t->c);
	free(t);
}

static uint32_t type_of(git_filemode_t mode)
{
	switch (mode) {
	case GIT_FILEMODE_TREE:
		return PL_DIR;
	case GIT_FILEMODE_LINK:
		return PL_LINK;
	case GIT_FILEMODE_COMMIT:
		return PL_SUBMODULE;
	default:
		return PL_FILE;
	}
}

static int by_name(const void *pa, const void *pb)
{
	const pl_entry *a = pa, *b = pb;
	size_t n = a->name.n < b->name.n ? a->name.n : b->name.n;
	int c = n ? memcmp(a->name.p, b->name.p, n) : 0;
	return c ? c : (a->name.n > b->name.n) - (a->name.n < b->name.n);
}

/* Git itself refuses such trees, but a server may send anything. */
static bool name_ok(pl_str s)
{
	return s.n && !memchr(s.p, '/', s.n) && !(s.n == 1 && s.p[0] == '.') &&
	       !(s.n == 2 && s.p[0] == '.' && s.p[1] == '.');
}

static pl_status check_names(const pl_host *h, const struct git_source *s, const pl_entry *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (!name_ok(v[i].name))
			return git_fail(h, PL_EINVAL, "a folder of '%s' holds the name '%.*s', which is not allowed",
					s->opt.url, (int)v[i].name.n, v[i].name.p);
		if (i && by_name(&v[i - 1], &v[i]) == 0)
			return git_fail(h, PL_EINVAL, "a folder of '%s' holds the name '%.*s' twice", s->opt.url,
					(int)v[i].name.n, v[i].name.p);
	}
	return PL_OK;
}

static void fill(const pl_host *h, const git_tree_entry *e, pl_entry *to)
{
	char hex[HEX + 1];
	const char *name = git_tree_entry_name(e);
	git_filemode_t mode = git_tree_entry_filemode(e);
	*to = (pl_entry){
		.size = sizeof(*to),
		.type = type_of(mode),
		.executable = mode == GIT_FILEMODE_BLOB_EXECUTABLE,
		.name = git_host_dup(h, name, strlen(name)),
		.id = git_host_dup(h, git_oid_tostr(hex, sizeof(hex), git_tree_entry_id(e)), HEX),
	};
}

pl_status git_op_tree_list(const pl_host *h, void *self, void *tree, pl_str id, const pl_entry **out, size_t *n)
{
	const struct tree *t = tree;
	git_oid oid = t->root;
	git_tree *g = NULL;
	pl_status st = id.n ? git_id(h, id, &oid) : PL_OK;
	if (st)
		return st;
	git_error_clear();
	int code = git_tree_lookup(&g, t->c->repo, &oid);
	if (code)
		return damaged(h, self, code, "folder", &oid);
	size_t count = git_tree_entrycount(g);
	pl_entry *v = h->alloc(h->ctx, (count + 1) * sizeof(*v));
	for (size_t i = 0; i < count; i++)
		fill(h, git_tree_entry_byindex(g, i), &v[i]);
	git_tree_free(g);
	qsort(v, count, sizeof(*v), by_name); /* git sorts a folder as if its name ended in a slash */
	st = check_names(h, self, v, count);
	*out = v;
	*n = st ? 0 : count;
	return st;
}

pl_status git_op_tree_read(const pl_host *h, void *self, void *tree, pl_str id, uint64_t max, pl_str *out)
{
	const struct tree *t = tree;
	struct git_source *s = self;
	git_oid oid;
	git_odb_object *o = NULL;
	git_object_t type;
	size_t size = 0;
	pl_status st = git_id(h, id, &oid);
	if (st)
		return st;
	git_error_clear();
	int code = git_odb_read_header(&size, &type, t->c->odb, &oid);
	if (code)
		return damaged(h, s, code, "file", &oid);
	if (type != GIT_OBJECT_BLOB)
		return git_fail(h, PL_EINVAL, "'%.*s' in '%s' is not a file, but a %s", HEX, id.p, s->opt.url,
				git_object_type2string(type));
	if (size > max)
		return git_fail(h, PL_ETOOBIG, "the file '%.*s' of '%s' has %zu bytes, more than the %llu allowed", HEX,
				id.p, s->opt.url, size, (unsigned long long)max);
	code = git_odb_read(&o, t->c->odb, &oid);
	if (code)
		return damaged(h, s, code, "file", &oid);
	*out = git_host_dup(h, git_odb_object_data(o), git_odb_object_size(o));
	git_odb_object_free(o);
	return PL_OK;
}
