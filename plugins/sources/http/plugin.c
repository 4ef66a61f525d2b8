/* SPDX-License-Identifier: Apache-2.0 */
/* The source "http": operations and the plugin's table. */
#include "http.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* clang-format off */
#define OPTIONS_SCHEMA \
	"{\"type\":\"object\",\"additionalProperties\":false,\"required\":[\"url\"],\"properties\":{" \
	"\"url\":{\"type\":\"string\",\"minLength\":1,\"description\":\"the file: https:// or http://\"}," \
	"\"caFile\":{\"type\":\"string\",\"format\":\"path\",\"minLength\":1,\"description\":\"PEM file of the authorities that " \
	"https servers are checked against, instead of the system's\"}," \
	"\"allowedHosts\":{\"type\":\"array\",\"items\":{\"type\":\"string\",\"minLength\":1},\"description\":\"hosts that redirects " \
	"may lead to: HOST, HOST:PORT, *.DOMAIN; absent: any\"}," \
	"\"maxBytes\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":67108864,\"default\":67108864,\"description\":\"most bytes " \
	"that the file may have\"}}}"
/* clang-format on */

struct tree {
	char id[HEX + 1];
	uint64_t bytes;
};

static void op_close(void *self)
{
	if (self)
		http_options_clear(self);
	free(self);
}

static pl_status op_open(const pl_host *h, pl_str options, pl_str cache, void **self)
{
	struct http_source *s = http_zalloc(sizeof(*s));
	s->folder = http_strndup(cache.p, cache.n);
	pl_status st = http_options_read(h, options, s);
	if (st) {
		op_close(s);
		return st;
	}
	*self = s;
	return PL_OK;
}

/* ---- REMOTE ---- */

static void found(const pl_host *h, const struct http_source *s, const char *id, pl_revision *out)
{
	char *name = http_printf("%s@sha256:%s", s->name, id);
	out->status = PL_OK;
	out->id = http_host_dup(h, id, HEX);
	out->name = http_host_dup(h, name, strlen(name));
	free(name);
}

static void absent(const pl_host *h, pl_status st, const char *text, pl_revision *out)
{
	out->status = st;
	out->error = http_host_dup(h, text, strlen(text));
}

/* The newest content, brought into the cache. */
static pl_status look(const pl_host *h, const struct http_source *s, char id[HEX + 1], pl_status *answer, char **text)
{
	struct http_state state;
	struct http_body body = {0};
	bool changed;
	http_state_read(s, &state);
	pl_status st = http_get(h, s, &state, &body, &changed, answer, text);
	if (!st && !*answer && changed)
		st = http_cache_put(h, s, &state, &body);
	memcpy(id, state.id, HEX + 1);
	http_state_clear(&state);
	free(body.p);
	return st;
}

static pl_status op_resolve(const pl_host *h, void *self, const pl_str *wanted, size_t n, pl_revision *out)
{
	const struct http_source *s = self;
	char newest[HEX + 1] = "", *text = NULL;
	pl_status st = PL_OK, answer = PL_OK;
	bool asked = false;
	for (size_t i = 0; i < n && !st; i++) {
		if (http_is_id(wanted[i])) {
			char *id = http_strndup(wanted[i].p, wanted[i].n);
			found(h, s, id, &out[i]);
			free(id);
			continue;
		}
		if (wanted[i].n) {
			absent(h, PL_ENOTFOUND,
			       "a file by its URL has no branches or tags (revision: none, or a SHA-256)", &out[i]);
			continue;
		}
		if (!asked)
			st = look(h, s, newest, &answer, &text);
		asked = true;
		if (!st && answer)
			absent(h, answer, text, &out[i]);
		else if (!st)
			found(h, s, newest, &out[i]);
	}
	free(text);
	return st;
}

/* resolve has brought what is there now; what was there once can't be asked for. */
static pl_status op_fetch(const pl_host *h, void *self, const pl_revision *revisions, size_t n)
{
	const struct http_source *s = self;
	for (size_t i = 0; i < n; i++) {
		char newest[HEX + 1], *text = NULL, *id = http_strndup(revisions[i].id.p, revisions[i].id.n);
		pl_status answer = PL_OK, st = http_cache_has(s, id) ? PL_OK : look(h, s, newest, &answer, &text);
		if (!st && answer)
			st = http_fail(h, answer, "%s", text);
		if (!st && !http_cache_has(s, id))
			st = http_fail(h, PL_ENOTFOUND, "get '%s': its content is no longer the one with SHA-256 %s",
				       s->shown, id);
		free(text);
		free(id);
		if (st)
			return st;
	}
	return PL_OK;
}

/* ---- LOCAL ---- */

static pl_status size_of(const pl_host *h, const struct http_source *s, pl_str id, struct stat *out)
{
	if (!http_is_id(id))
		return http_fail(h, PL_EINVAL, "'%.*s' is no SHA-256", (int)(id.n > 80 ? 80 : id.n), id.p ? id.p : "");
	char *z = http_strndup(id.p, id.n), *path = http_cache_path(s, z);
	int failed = stat(path, out);
	free(path);
	free(z);
	return failed ? http_fail(h, PL_ENOTFOUND, "'%s' with SHA-256 %.*s is not in the cache", s->shown, (int)id.n,
				  id.p)
		      : PL_OK;
}

static pl_status op_describe(const pl_host *h, void *self, pl_str id, pl_revision_info *out)
{
	const struct http_source *s = self;
	struct stat at = {0};
	pl_status st = size_of(h, s, id, &at);
	if (st)
		return st;
	out->author = (pl_str){NULL, 0};
	out->message = http_host_dup(h, s->shown, strlen(s->shown));
	out->time = at.st_mtime;
	return PL_OK;
}

static pl_status op_tree_open(const pl_host *h, void *self, pl_str id, void **tree)
{
	struct stat at = {0};
	pl_status st = size_of(h, self, id, &at);
	if (st)
		return st;
	struct tree *t = http_zalloc(sizeof(*t));
	memcpy(t->id, id.p, HEX);
	t->bytes = (uint64_t)at.st_size;
	*tree = t;
	return PL_OK;
}

static void op_tree_close(void *self, void *tree)
{
	(void)self;
	free(tree);
}

static pl_status op_tree_list(const pl_host *h, void *self, void *tree, pl_str id, const pl_entry **out, size_t *n)
{
	const struct http_source *s = self;
	const struct tree *t = tree;
	if (id.n)
		return http_fail(h, PL_ENOTFOUND, "'%s' is one file without folders", s->shown);
	pl_entry *e = h->alloc(h->ctx, sizeof(*e));
	*e = (pl_entry){.size = sizeof(*e), .type = PL_FILE, .bytes = t->bytes};
	e->name = http_host_dup(h, s->name, strlen(s->name));
	e->id = http_host_dup(h, t->id, HEX);
	*out = e;
	*n = 1;
	return PL_OK;
}

static pl_status op_tree_read(const pl_host *h, void *self, void *tree, pl_str id, uint64_t max, pl_str *out)
{
	const struct http_source *s = self;
	const struct tree *t = tree;
	if (id.n != HEX || memcmp(id.p, t->id, HEX) != 0)
		return http_fail(h, PL_ENOTFOUND, "'%s' has no such file", s->shown);
	if (t->bytes > max)
		return http_fail(h, PL_ETOOBIG, "'%s' is larger than %llu bytes", s->shown, (unsigned long long)max);
	char *path = http_cache_path(s, t->id), *p = h->alloc(h->ctx, t->bytes + 1);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t n = 0;
	ssize_t got = fd < 0 ? -1 : 1;
	while (got > 0 && n < t->bytes) {
		got = read(fd, p + n, t->bytes - n);
		n += got > 0 ? (size_t)got : 0;
	}
	int why = errno;
	if (fd >= 0)
		close(fd);
	p[n] = 0;
	*out = (pl_str){p, n};
	pl_status st = PL_OK;
	if (n < t->bytes)
		st = http_fail(h, PL_EIO, "read '%s': %s", path, got < 0 ? strerrordesc_np(why) : "it is cut short");
	free(path);
	return st;
}

#define TEXT(lit)                                                                                                      \
	{                                                                                                              \
		lit, sizeof(lit) - 1                                                                                   \
	}

PL_API const pl_plugin *pl_plugin_entry(uint32_t host_abi)
{
	static const pl_source_ops ops = {
		.size = sizeof(ops),
		.open = op_open,
		.close = op_close,
		.resolve = op_resolve,
		.fetch = op_fetch,
		.describe = op_describe,
		.tree_open = op_tree_open,
		.tree_close = op_tree_close,
		.tree_list = op_tree_list,
		.tree_read = op_tree_read,
	};
	static const pl_plugin table = {
		.size = sizeof(table),
		.abi = PL_ABI,
		.kind = PL_KIND_SOURCE,
		.flags = PL_NEEDS_PROCESS | PL_THREAD_SAFE,
		.name = TEXT("http"),
		.version = TEXT(PLUMB_VERSION),
		.summary = TEXT("one file by its URL"),
		.options_schema = TEXT(OPTIONS_SCHEMA),
		.source = &ops,
	};
	return host_abi == PL_ABI ? &table : NULL;
}
