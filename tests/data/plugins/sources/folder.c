/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A source over folders on disk: {"root": "/dir"} has a revision ROOT/ID for every folder there. Content ids are
 * digests of all that is below, as Git's are. A folder named X.submodule is the submodule X. Counts what it is asked in
 * folder_lists and folder_reads.
 */
#include "plumb/plugin.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef FLAGS
#define FLAGS 0
#define NAME  "folder"
#endif

PL_API extern unsigned folder_lists, folder_reads;
unsigned folder_lists, folder_reads;

enum { PATHS = 16384 };

struct known {
	char id[41];
	char *path;
};

struct self {
	pl_doc *doc;
	char *root;
	struct known known[PATHS];
	size_t n;
};

static unsigned long long mixed(unsigned long long h, const void *p, size_t n)
{
	const unsigned char *c = p;
	for (size_t i = 0; i < n; i++)
		h = (h ^ c[i]) * 1099511628211ull;
	return (h ^ n) * 1099511628211ull;
}

static int visible(const struct dirent *f)
{
	return strcmp(f->d_name, ".") != 0 && strcmp(f->d_name, "..") != 0;
}

static char *joined(const char *a, const char *b)
{
	char *p = NULL;
	if (asprintf(&p, "%s/%s", a, b) < 0)
		abort();
	return p;
}

static uint32_t type_of(const char *path, const struct stat *st)
{
	size_t n = strlen(path);
	if (S_ISLNK(st->st_mode))
		return PL_LINK;
	if (!S_ISDIR(st->st_mode))
		return PL_FILE;
	return n > 10 && !strcmp(path + n - 10, ".submodule") ? PL_SUBMODULE : PL_DIR;
}

static char *contents(const char *path, const struct stat *st, size_t *n)
{
	char *p = calloc(1, (size_t)st->st_size + 2);
	ssize_t got = -1;
	if (!p)
		abort();
	if (S_ISLNK(st->st_mode)) {
		got = readlink(path, p, (size_t)st->st_size + 1);
	} else {
		FILE *f = fopen(path, "rb");
		got = f ? (ssize_t)fread(p, 1, (size_t)st->st_size, f) : -1;
		if (f)
			fclose(f);
	}
	*n = got < 0 ? 0 : (size_t)got;
	return p;
}

static unsigned long long digest(const char *path, uint32_t *type, struct stat *st)
{
	unsigned long long h = 14695981039346656037ull;
	if (lstat(path, st))
		return 0;
	*type = type_of(path, st);
	h = mixed(h, type, sizeof(*type));
	if (*type == PL_FILE || *type == PL_LINK) {
		size_t n;
		char *p = contents(path, st, &n);
		h = mixed(h, p, n);
		free(p);
		return h;
	}
	struct dirent **v = NULL;
	int n = scandir(path, &v, visible, alphasort);
	for (int i = 0; i < n; i++) {
		struct stat s;
		uint32_t t = 0;
		char *below = joined(path, v[i]->d_name);
		unsigned long long d = digest(below, &t, &s);
		h = mixed(mixed(h, v[i]->d_name, strlen(v[i]->d_name)), &d, sizeof(d));
		free(below);
		free(v[i]);
	}
	free(v);
	return h;
}

static const char *path_of(const struct self *s, pl_str id)
{
	for (size_t i = 0; i < s->n; i++) {
		if (id.n == 40 && !memcmp(s->known[i].id, id.p, 40))
			return s->known[i].path;
	}
	return NULL;
}

static pl_str remember(struct self *s, unsigned long long d, const char *path)
{
	char id[41];
	snprintf(id, sizeof(id), "%016llx%024d", d, 0);
	for (size_t i = 0; i < s->n; i++) {
		if (!strcmp(s->known[i].id, id))
			return (pl_str){s->known[i].id, 40};
	}
	if (s->n == PATHS)
		abort();
	struct known *k = &s->known[s->n++];
	memcpy(k->id, id, sizeof(id));
	k->path = strdup(path);
	return (pl_str){k->id, 40};
}

static pl_status say(const pl_host *h, pl_status st, const char *text)
{
	return h->fail(h->ctx, st, (pl_str){NULL, 0}, 0, 0, (pl_str){text, strlen(text)});
}

static pl_status open_it(const pl_host *h, pl_str options, pl_str cache, void **self)
{
	struct self *s = calloc(1, sizeof(*s));
	pl_node *root = NULL;
	(void)cache;
	if (!s)
		abort();
	s->doc = pl_doc_new(NULL);
	if (pl_json_read(s->doc, options, "options", 0, &root, NULL) || !pl_gets(root, "root")) {
		pl_doc_unref(s->doc);
		free(s);
		return say(h, PL_EINVAL, "no root");
	}
	s->root = strndup(pl_text(pl_gets(root, "root")).p, pl_text(pl_gets(root, "root")).n);
	*self = s;
	return PL_OK;
}

static void close_it(void *self)
{
	struct self *s = self;
	for (size_t i = 0; i < s->n; i++)
		free(s->known[i].path);
	pl_doc_unref(s->doc);
	free(s->root);
	free(s);
}

static int is(pl_str a, const char *b)
{
	return a.n == strlen(b) && !memcmp(a.p, b, a.n);
}

static pl_status resolve(const pl_host *h, void *self, const pl_str *wanted, size_t n, pl_revision *out)
{
	(void)self;
	for (size_t i = 0; i < n; i++) {
		if (is(wanted[i], "crash"))
			raise(SIGKILL);
		while (is(wanted[i], "hang"))
			sleep(1);
		if (is(wanted[i], "wait")) {
			while (!h->cancelled(h->ctx))
				usleep(2000);
			return say(h, h->remaining_ms(h->ctx) ? PL_ECANCELLED : PL_ETIMEOUT, "told to stop");
		}
		if (is(wanted[i], "fail"))
			return h->fail(h->ctx, PL_EUNAVAILABLE, (pl_str){"repo.yaml", 9}, 4, 7,
				       (pl_str){"nobody is at home", 17});
		if (is(wanted[i], "silent"))
			return PL_EAUTH;
		if (is(wanted[i], "noid"))
			continue;
		char *name = h->alloc(h->ctx, wanted[i].n + 32);
		int len = snprintf(name, wanted[i].n + 32, "%.*s@%d", (int)wanted[i].n, wanted[i].p ? wanted[i].p : "",
				   (int)getpid());
		out[i].name = (pl_str){name, (size_t)len};
		if (is(wanted[i], "absent")) {
			out[i].status = PL_ENOTFOUND;
			out[i].error = (pl_str){"no such branch", 14};
		} else {
			out[i].id = (pl_str){"1111111111111111111111111111111111111111", 40};
		}
	}
	return PL_OK;
}

static pl_status fetch(const pl_host *h, void *self, const pl_revision *revisions, size_t n)
{
	(void)self;
	return n && is(revisions[0].name, "full") ? say(h, PL_EIO, "no space left") : PL_OK;
}

static pl_status describe(const pl_host *h, void *self, pl_str id, pl_revision_info *out)
{
	(void)h;
	(void)self;
	(void)id;
	out->message = (pl_str){"a message", 9};
	out->time = 1700000000;
	return PL_OK;
}

static pl_status tree_open(const pl_host *h, void *self, pl_str id, void **tree)
{
	struct self *s = self;
	char *path = NULL;
	if (asprintf(&path, "%s/%.*s", s->root, (int)id.n, id.p) < 0)
		abort();
	if (access(path, F_OK)) {
		free(path);
		return say(h, PL_ENOTFOUND, "not in the cache");
	}
	*tree = path;
	return PL_OK;
}

static void tree_close(void *self, void *tree)
{
	(void)self;
	free(tree);
}

static pl_status tree_list(const pl_host *h, void *self, void *tree, pl_str id, const pl_entry **out, size_t *n)
{
	struct self *s = self;
	const char *dir = id.n ? path_of(s, id) : tree;
	struct dirent **v = NULL;
	__atomic_add_fetch(&folder_lists, 1, __ATOMIC_RELAXED);
	int count = dir ? scandir(dir, &v, visible, alphasort) : -1;
	if (count < 0)
		return say(h, PL_ENOTFOUND, "no such folder");
	pl_entry *to = h->alloc(h->ctx, ((size_t)count + 1) * sizeof(*to));
	for (int i = 0; i < count; i++) {
		struct stat st;
		uint32_t type = 0;
		char *path = joined(dir, v[i]->d_name);
		unsigned long long d = digest(path, &type, &st);
		size_t len = strlen(v[i]->d_name);
		char *name = h->alloc(h->ctx, len + 1);
		memcpy(name, v[i]->d_name, len + 1);
		to[i] = (pl_entry){
			.size = sizeof(*to), .type = type, .executable = type == PL_FILE && (st.st_mode & 0100)};
		to[i].name = (pl_str){name, type == PL_SUBMODULE ? len - 10 : len};
		to[i].id = remember(s, d, path);
		free(path);
		free(v[i]);
	}
	free(v);
	*out = to;
	*n = (size_t)count;
	return PL_OK;
}

static pl_status tree_read(const pl_host *h, void *self, void *tree, pl_str id, uint64_t max, pl_str *out)
{
	const char *path = path_of(self, id);
	struct stat st;
	(void)tree;
	__atomic_add_fetch(&folder_reads, 1, __ATOMIC_RELAXED);
	if (!path || lstat(path, &st))
		return say(h, PL_ENOTFOUND, "no such content");
	if ((uint64_t)st.st_size > max)
		return say(h, PL_ETOOBIG, "too large");
	size_t n;
	char *p = contents(path, &st, &n), *to = h->alloc(h->ctx, n + 1);
	memcpy(to, p, n);
	*out = (pl_str){to, n};
	free(p);
	return PL_OK;
}

static const pl_source_ops ops = {
	.size = sizeof(ops),
	.open = open_it,
	.close = close_it,
	.resolve = resolve,
	.fetch = fetch,
	.describe = describe,
	.tree_open = tree_open,
	.tree_close = tree_close,
	.tree_list = tree_list,
	.tree_read = tree_read,
};

static const pl_plugin plugin = {
	.size = sizeof(plugin),
	.abi = PL_ABI,
	.kind = PL_KIND_SOURCE,
	.flags = FLAGS,
	.name = {NAME, sizeof(NAME) - 1},
	.version = {"1", 1},
	.source = &ops,
};

const pl_plugin *pl_plugin_entry(uint32_t host_abi)
{
	(void)host_abi;
	return &plugin;
}
