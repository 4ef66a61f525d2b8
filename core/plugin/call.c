/* SPDX-License-Identifier: Apache-2.0 */
#include "core/plugin/call.h"

#include "core/base/clock.h"
#include "core/base/mem.h"
#include "core/doc/private.h"
#include "core/plugin/private.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#define SECRET_MAX    (256 * 1024)
#define NODE_JSON_MAX (256u * 1024 * 1024)

static void host_log(void *ctx, int32_t level, pl_str message)
{
	struct call *c = ctx;
	enum log_level l = level < PL_LOG_DEBUG ? LOG_DEBUG : level > PL_LOG_ERROR ? LOG_ERROR : (enum log_level)level;
	log_line(c->log, l, c->app, "%s%s%.*s", c->plugin ? c->plugin : "", c->plugin ? ": " : "", F(message));
}

static pl_status host_fail(void *ctx, pl_status code, pl_str file, uint32_t line, uint32_t col, pl_str message)
{
	struct call *c = ctx;
	if (code <= PL_OK || code > PL_EINTERNAL)
		code = PL_EPLUGIN;
	char *name = file.n ? str_dup(file) : NULL;
	pl_err_set(&c->err, code, (pl_place){name, name ? line : 0, name ? col : 0}, "%.*s", F(message));
	free(name);
	return code;
}

static int64_t host_remaining_ms(void *ctx)
{
	const struct call *c = ctx;
	if (c->deadline == INT64_MAX)
		return INT64_MAX;
	int64_t left = c->deadline - clock_mono_ms();
	return left > 0 ? left : 0;
}

static int32_t host_cancelled(void *ctx)
{
	const struct call *c = ctx;
	return cancel_fired(c->cancel) || host_remaining_ms(ctx) == 0;
}

static int32_t host_cancel_fd(void *ctx)
{
	const struct call *c = ctx;
	return cancel_fd(c->cancel);
}

static void *host_alloc(void *ctx, size_t n)
{
	struct call *c = ctx;
	return arena_alloc(c->arena, n);
}

/* ---- secrets ---- */

static pl_status keep_secret(struct call *c, char *p, size_t n, pl_str *out)
{
	struct secret *s = mem_zalloc(sizeof(*s));
	*s = (struct secret){.next = c->secrets, .p = p, .n = n};
	c->secrets = s;
	while (n && (p[n - 1] == '\n' || p[n - 1] == '\r')) {
		n--;
		if (p[n] == '\n' && n && p[n - 1] == '\r')
			n--;
		break;
	}
	*out = (pl_str){p, n};
	return PL_OK;
}

/* No growing buffer here: what it leaves behind when it moves could not be wiped. */
static pl_status secret_file(struct call *c, const char *path, pl_str *out)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0)
		return err_set(&c->err, PL_EAUTH, "read the secret in '%s': %s", path, strerrordesc_np(errno));
	char *p = mem_alloc(SECRET_MAX + 1);
	size_t n = 0;
	ssize_t got = 1;
	while (n <= SECRET_MAX && (got = read(fd, p + n, SECRET_MAX + 1 - n)) != 0) {
		if (got > 0)
			n += (size_t)got;
		else if (errno != EINTR)
			break;
	}
	int why = errno;
	close(fd);
	if (got >= 0 && n <= SECRET_MAX)
		return keep_secret(c, p, n, out);
	explicit_bzero(p, n);
	free(p);
	if (got < 0)
		return err_set(&c->err, PL_EAUTH, "read the secret in '%s': %s", path, strerrordesc_np(why));
	return err_set(&c->err, PL_EAUTH, "the secret in '%s' is larger than %d bytes", path, SECRET_MAX);
}

static pl_status secret_env(struct call *c, const char *name, pl_str *out)
{
	const char *value = getenv(name);
	if (!value)
		return err_set(&c->err, PL_EAUTH, "the environment variable '%s' with the secret is not set", name);
	size_t n = strlen(value);
	char *p = mem_alloc(n + 1);
	memcpy(p, value, n + 1);
	return keep_secret(c, p, n, out);
}

static pl_status host_secret(void *ctx, pl_str name, pl_str *out)
{
	struct call *c = ctx;
	pl_str kind, rest;
	str_cut(name, ':', &kind, &rest);
	if (memchr(name.p ? name.p : "", 0, name.n) || !rest.n)
		return err_set(&c->err, PL_EAUTH, "a secret is named 'file:PATH' or 'env:NAME'");
	char *z = str_dup(rest);
	pl_status st;
	if (str_eq(kind, S("file")))
		st = secret_file(c, z, out);
	else if (str_eq(kind, S("env")))
		st = secret_env(c, z, out);
	else
		st = err_set(&c->err, PL_EAUTH, "a secret is named 'file:PATH' or 'env:NAME', not by '%.*s'", F(kind));
	free(z);
	return st;
}

/* ---- the tree ---- */

static pl_status host_tree_stat(void *ctx, pl_tree *t, pl_str path, pl_entry *out)
{
	struct call *c = ctx;
	return tree_stat(t, path, out, &c->tree_err);
}

static pl_status host_tree_list(void *ctx, pl_tree *t, pl_str path, const pl_entry **out, size_t *n)
{
	struct call *c = ctx;
	return tree_list(t, path, out, n, &c->tree_err);
}

static pl_status host_tree_read(void *ctx, pl_tree *t, pl_str path, pl_str *out)
{
	struct call *c = ctx;
	return tree_read(t, path, c->arena, out, &c->tree_err);
}

static pl_status host_tree_read_many(void *ctx, pl_tree *t, const pl_str *paths, size_t n, pl_str *out, pl_status *each)
{
	struct call *c = ctx;
	for (size_t i = 0; i < n; i++) {
		out[i] = (pl_str){NULL, 0};
		if (host_cancelled(ctx))
			return err_set(&c->tree_err, host_remaining_ms(ctx) ? PL_ECANCELLED : PL_ETIMEOUT,
				       "stopped while reading files");
		each[i] = tree_read(t, paths[i], c->arena, &out[i], &c->tree_err);
	}
	return PL_OK;
}

static pl_status host_tree_readlink(void *ctx, pl_tree *t, pl_str path, pl_str *out)
{
	struct call *c = ctx;
	return tree_readlink(t, path, c->arena, out, &c->tree_err);
}

static pl_status host_tree_real(void *ctx, pl_tree *t, pl_str path, pl_str *out)
{
	struct call *c = ctx;
	return tree_real(t, path, out, &c->tree_err);
}

static pl_str host_tree_name(void *ctx, pl_tree *t, pl_str path)
{
	(void)ctx;
	return tree_name(t, path);
}

static pl_status host_open_remote(void *ctx, pl_str source, pl_str options, pl_str *id, pl_tree **out)
{
	return remotes_open(ctx, source, options, id, out);
}

static pl_str host_reason(void *ctx)
{
	struct call *c = ctx;
	return c->tree_err.code ? arena_dup(c->arena, str_of(pl_err_text(&c->tree_err))) : S("");
}

/* ---- documents ---- */

static pl_doc *host_doc(void *ctx)
{
	struct call *c = ctx;
	if (!c->doc) {
		c->doc = pl_doc_new(NULL);
		c->own_doc = true;
	}
	return c->doc;
}

static pl_status host_node_json(void *ctx, const pl_node *n, pl_str *out)
{
	struct call *c = ctx;
	struct buf b = BUF_INIT(NODE_JSON_MAX);
	pl_status st = json_print(n, 0, &b, &c->err);
	if (!st && buf_full(&b))
		st = err_set(&c->err, PL_ETOOBIG, "the document is larger than %u bytes", NODE_JSON_MAX);
	if (!st)
		*out = arena_dup(c->arena, buf_str(&b));
	buf_free(&b);
	return st;
}

/* ---- its life ---- */

struct call *call_new(struct arena *a, pl_doc *doc, pl_str app, const struct log *log, struct cancel *cancel,
		      int64_t timeout_ms)
{
	struct call *c = mem_zalloc(sizeof(*c));
	*c = (struct call){
		.arena = a,
		.doc = doc,
		.app = app,
		.log = log,
		.cancel = cancel,
		.deadline = timeout_ms > 0 ? clock_mono_ms() + timeout_ms : INT64_MAX,
	};
	c->host = (pl_host){
		.size = sizeof(pl_host),
		.abi = PL_ABI,
		.ctx = c,
		.log = host_log,
		.fail = host_fail,
		.remaining_ms = host_remaining_ms,
		.cancelled = host_cancelled,
		.cancel_fd = host_cancel_fd,
		.alloc = host_alloc,
		.secret = host_secret,
		.tree_stat = host_tree_stat,
		.tree_list = host_tree_list,
		.tree_read = host_tree_read,
		.tree_read_many = host_tree_read_many,
		.tree_readlink = host_tree_readlink,
		.doc = host_doc,
		.node_json = host_node_json,
		.tree_real = host_tree_real,
		.open_remote = host_open_remote,
		.tree_name = host_tree_name,
		.reason = host_reason,
	};
	return c;
}

struct call *plugin_call(const struct plugin *p, struct arena *a, const struct log *log, struct cancel *cancel,
			 int64_t timeout_ms)
{
	struct call *c = call_new(a, NULL, S(""), log, cancel, timeout_ms);
	c->plugin = plugin_namez(p);
	return c;
}

void call_free(struct call *c)
{
	if (!c)
		return;
	while (c->secrets) {
		struct secret *s = c->secrets;
		c->secrets = s->next;
		explicit_bzero(s->p, s->n);
		free(s->p);
		free(s);
	}
	remotes_close(c);
	if (c->own_doc)
		pl_doc_unref(c->doc);
	err_clear(&c->err);
	err_clear(&c->tree_err);
	free(c);
}

const pl_host *call_host(struct call *c)
{
	return &c->host;
}

pl_status call_result(struct call *c, const char *plugin, const char *operation, pl_status st, struct pl_err *e)
{
	if (!st)
		return PL_OK;
	if (st < PL_OK || st > PL_EINTERNAL)
		return err_set(e, PL_EPLUGIN, "plugin '%s': %s returned the unknown status %d", plugin, operation, st);
	if (c->err.code != PL_OK) {
		err_copy(e, &c->err);
		if (e)
			e->code = st; /* one word for one failure: what was returned counts */
		pl_err_in(e, "%s", plugin);
		return st;
	}
	if (c->tree_err.code == st) {
		err_copy(e, &c->tree_err);
		pl_err_in(e, "%s", plugin);
		return st;
	}
	if (st == PL_ECANCELLED || st == PL_ETIMEOUT)
		return err_set(e, st, "%s: %s %s", plugin, operation,
			       st == PL_ETIMEOUT ? "ran out of time" : "was cancelled");
	return err_set(e, PL_EPLUGIN, "plugin '%s': %s failed (%s) and did not say why", plugin, operation,
		       pl_status_name(st));
}
