/* SPDX-License-Identifier: Apache-2.0 */
#include "core/server/web.h"

#include "core/base/file.h"
#include "core/base/mem.h"
#include "core/server/http/http.h"

#include <dlfcn.h>
#include <limits.h>
#include <unistd.h>

enum { BODY_MAX = 16 * 1024 * 1024 };

struct web {
	struct engine *engine;
	void *library;
	const struct http_module *module;
	void *server;
};

static void plain(struct http_reply *out, unsigned status, const char *text)
{
	out->status = status;
	out->n = strlen(text);
	out->body = str_dup(str_of(text));
}

static void answer_metrics(struct engine *g, struct http_reply *out)
{
	struct buf b = BUF_INIT(BODY_MAX);
	metrics_print(g, &b);
	out->status = 200;
	out->type = "text/plain; version=0.0.4; charset=utf-8";
	out->body = buf_detach(&b, &out->n);
}

static void handle(void *ctx, const char *path, struct http_reply *out)
{
	struct web *w = ctx;
	if (strcmp(path, "/healthz") == 0)
		plain(out, 200, "ok\n");
	else if (strcmp(path, "/readyz") == 0)
		plain(out, engine_ready(w->engine) ? 200 : 503,
		      engine_ready(w->engine) ? "ok\n" : "the first pass is running\n");
	else if (strcmp(path, "/metrics") == 0)
		answer_metrics(w->engine, out);
	else
		plain(out, 404, "not found; there are /healthz, /readyz and /metrics\n");
}

/* Beside the program in the build tree, else below PREFIX/lib/plumb. */
static void module_path(char *to, size_t size)
{
	char exe[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", exe, sizeof exe - 1);
	exe[n > 0 ? n : 0] = 0;
	char *dir = path_dir(exe);
	snprintf(to, size, "%s/modules/http.so", dir);
	if (access(to, R_OK) < 0)
		snprintf(to, size, "%s/../lib/plumb/modules/http.so", dir);
	free(dir);
}

static pl_status load(struct web *w, struct pl_err *e)
{
	char path[PATH_MAX + 64];
	module_path(path, sizeof path);
	w->library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (!w->library) {
		err_set(e, PL_ENOTFOUND, "load the HTTP module: %s", dlerror());
		pl_err_hint(e, "leave 'listen' out of the config to run without it");
		return PL_ENOTFOUND;
	}
	void *symbol = dlsym(w->library, "http_module");
	http_module_fn fn;
	memcpy(&fn, &symbol, sizeof fn); /* ISO C has no cast from void * to a function */
	w->module = symbol ? fn() : NULL;
	if (!w->module || w->module->size != sizeof *w->module)
		return err_set(e, PL_EPLUGIN, "'%s' is not this program's HTTP module", path);
	return PL_OK;
}

static pl_status split(pl_str listen, char *host, size_t size, uint16_t *port, struct pl_err *e)
{
	size_t at = listen.n;
	while (at && listen.p[at - 1] != ':')
		at--;
	char *digits = str_dup((pl_str){listen.p + at, listen.n - at}), *end;
	unsigned long v = strtoul(digits, &end, 10);
	bool ok = at && *digits && !*end && v <= UINT16_MAX;
	free(digits);
	if (!ok)
		return err_set(e, PL_EINVAL, "'%.*s' is not HOST:PORT", F(listen));
	pl_str h = {listen.p, at - 1};
	if (h.n > 1 && h.p[0] == '[' && h.p[h.n - 1] == ']')
		h = (pl_str){h.p + 1, h.n - 2};
	snprintf(host, size, "%.*s", F(h.n ? h : S("0.0.0.0")));
	*port = (uint16_t)v;
	return PL_OK;
}

pl_status web_start(struct engine *g, pl_str listen, const struct log *log, struct web **out, struct pl_err *e)
{
	char host[256], error[256] = "";
	uint16_t port = 0;
	struct web *w = mem_zalloc(sizeof *w);
	w->engine = g;
	pl_status st = split(listen, host, sizeof host, &port, e);
	if (!st)
		st = load(w, e);
	if (!st) {
		w->server = w->module->start(host, port, handle, w, error, sizeof error);
		if (!w->server)
			st = err_set(e, PL_EIO, "listen on '%.*s': %s", F(listen), error);
	}
	if (st) {
		web_stop(w);
		return st;
	}
	bool v6 = strchr(host, ':') != NULL;
	log_line(log, LOG_INFO, S(""), "listening on http://%s%s%s:%u", v6 ? "[" : "", host, v6 ? "]" : "",
		 w->module->port(w->server));
	*out = w;
	return PL_OK;
}

void web_stop(struct web *w)
{
	if (!w)
		return;
	if (w->server && w->module)
		w->module->stop(w->server);
	if (w->library)
		dlclose(w->library);
	free(w);
}
