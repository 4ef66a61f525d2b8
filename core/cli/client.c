/* SPDX-License-Identifier: Apache-2.0 */
/* How a command reaches an engine: through the daemon's socket when one runs, else an engine of its own under the lock.
 */
#include "core/cli/cli.h"

#include "core/base/file.h"
#include "core/base/mem.h"
#include "core/config/config.h"
#include "core/doc/private.h"
#include "core/server/api.h"
#include "core/server/socket.h"

#include <errno.h>
#include <limits.h>
#include <pwd.h>
#include <signal.h>
#include <unistd.h>

enum { REPLY_MAX = 256 * 1024 * 1024 };

char *client_user(void)
{
	struct passwd *pw = getpwuid(geteuid());
	if (pw)
		return str_dup(str_of(pw->pw_name));
	struct buf b = BUF_INIT(32);
	buf_addf(&b, "%u", (unsigned)geteuid());
	return buf_detach(&b, NULL);
}

const char *client_scripts(struct arena *a)
{
	static const char *const places[] = {"/../scripts/health", "/../share/plumb/scripts/health"};
	char exe[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", exe, sizeof exe - 1);
	exe[n > 0 ? n : 0] = 0;
	char *dir = path_dir(exe);
	const char *found = NULL;
	for (size_t i = 0; i < 2 && !found; i++) {
		pl_str p = arena_printf(a, "%s%s", dir, places[i]);
		if (file_is_dir(p.p))
			found = p.p;
	}
	free(dir);
	return found;
}

pl_node *client_request(struct cli *c, const char *op)
{
	pl_node *m = pl_new_map(c->doc);
	pl_sets(c->doc, m, "op", pl_new_string(c->doc, str_of(op)));
	return m;
}

/* Mistakes that stop nothing (a broken include) and what an Argo CD document asks for in vain. */
static void tell(const struct config *config, struct err_list *errors)
{
	size_t n = 0;
	const pl_str *v = config ? config_warnings(config, &n) : NULL;
	cli_fail_list(errors);
	for (size_t i = 0; i < n; i++)
		cli_warn("warning: %.*s", F(v[i]));
}

struct config *client_config(struct cli *c, char **path)
{
	struct pl_err e = ERR_INIT;
	struct err_list errors = {0};
	if (config_find(c->config, path, &e)) {
		cli_fail(&e);
		return NULL;
	}
	struct config *config = config_read(*path, &errors);
	tell(config, &errors);
	if (!config) {
		free(*path);
		*path = NULL;
	}
	return config;
}

struct own_event {
	struct cli *c;
	client_event event;
};

static void on_event(void *ctx, pl_str json)
{
	struct own_event *o = ctx;
	pl_doc *d = pl_doc_new(NULL);
	pl_node *n = NULL;
	if (o->event && pl_json_read(d, json, "event", 0, &n, NULL) == PL_OK)
		o->event(o->c, n);
	pl_doc_unref(d);
}

static pl_status ask_daemon(struct cli *c, const char *socket, pl_node *request, client_event event, pl_node **reply,
			    struct pl_err *e)
{
	struct buf out = BUF_INIT(1024 * 1024), in = BUF_INIT(REPLY_MAX);
	struct own_event o = {c, event};
	pl_status st = json_print(request, 0, &out, e);
	if (!st)
		st = control_ask(socket, buf_str(&out), on_event, &o, &in, e);
	if (!st)
		st = pl_json_read(c->doc, buf_str(&in), "answer", 0, reply, e);
	buf_free(&out);
	buf_free(&in);
	return st;
}

/* ^C takes the running operation back instead of leaving it half-way; a second one ends the program. */
static struct cancel *interrupted;

/* Of a cancel only atomics and an eventfd are touched. */
static void on_interrupt(int sig)
{
	int error = errno;
	(void)sig;
	if (cancel_fired(interrupted))
		_exit(130);
	cancel_fire(interrupted);
	errno = error;
}

static pl_status ask_own_engine(struct cli *c, pl_node *request, client_event event, pl_node **reply, struct pl_err *e)
{
	char *path = NULL;
	struct config *config = client_config(c, &path);
	if (!config)
		return err_set(e, PL_EINVAL, "the config can't be used");
	struct engine *g = NULL;
	struct own_event o = {c, event};
	bool only_render = str_eqz(pl_text(pl_gets(request, "op")), "render");
	struct engine_options eo = {.worker = c->worker,
				    .log = &c->log,
				    .scripts = client_scripts(c->arena),
				    .command = c->command->name,
				    .read_only = only_render};
	char *user = client_user();
	struct api_context context = {
		.user = str_of(user), .progress = on_event, .ctx = &o, .cancel = interrupted, .compare_first = true};
	pl_status st = engine_new(config, &eo, &g, e);
	if (!st)
		st = api_call(g, &context, request, c->doc, reply, e);
	engine_free(g);
	config_unref(config);
	free(user);
	free(path);
	return st;
}

pl_status client_call(struct cli *c, pl_node *request, client_event event, pl_node **reply, struct pl_err *e)
{
	char *path = NULL, *state = NULL;
	pl_status st = config_find(c->config, &path, e);
	if (!st)
		st = config_state_dir(path, &state, e);
	free(path);
	if (st)
		return st;
	char *socket = path_join(state, "plumb.sock");
	interrupted = cancel_new();
	signal(SIGINT, on_interrupt);
	st = ask_daemon(c, socket, request, event, reply, e);
	if (st == PL_EUNAVAILABLE) { /* a socket file alone may be left by a killed daemon; the lock decides */
		err_clear(e);
		st = ask_own_engine(c, request, event, reply, e);
	}
	signal(SIGINT, SIG_DFL);
	cancel_unref(interrupted);
	interrupted = NULL;
	free(socket);
	free(state);
	return st;
}
