/* SPDX-License-Identifier: Apache-2.0 */
#include "core/server/daemon.h"

#include "core/base/file.h"
#include "core/base/mem.h"
#include "core/server/socket.h"
#include "core/server/web.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

struct running {
	const struct daemon_options *options;
	struct engine *engine;
	struct web *web;    /* replaced by a reload */
	int signals, ended; /* ended: the engine has stopped by itself */
};

static void signal_set(sigset_t *s)
{
	sigemptyset(s);
	sigaddset(s, SIGTERM);
	sigaddset(s, SIGINT);
	sigaddset(s, SIGHUP);
}

void daemon_block_signals(void)
{
	sigset_t s;
	signal_set(&s);
	pthread_sigmask(SIG_BLOCK, &s, NULL);
	signal(SIGPIPE, SIG_IGN);
}

/* As sd_notify(3) wants it of Type=notify-reload. */
static void notify_reloading(void)
{
	struct timespec t;
	char text[64];
	clock_gettime(CLOCK_MONOTONIC, &t);
	snprintf(text, sizeof text, "RELOADING=1\nMONOTONIC_USEC=%lld",
		 (long long)t.tv_sec * 1000000 + t.tv_nsec / 1000);
	notify(text);
}

/* Another address: the old listener goes first, since both may want the same port. */
static void listen_again(struct running *r, pl_str listen)
{
	const struct log *log = r->options->log;
	struct pl_err e = ERR_INIT;
	web_stop(r->web);
	r->web = NULL;
	if (listen.n && web_start(r->engine, listen, log, &r->web, &e))
		log_line(log, LOG_ERROR, S(""), "%s", pl_err_text(&e));
	err_clear(&e);
}

static bool same_folders(const struct config_root *a, const struct config_root *b)
{
	bool same = a->n_plugin_path == b->n_plugin_path && str_eq(a->state_dir, b->state_dir);
	for (size_t i = 0; same && i < a->n_plugin_path; i++)
		same = str_eq(a->plugin_path[i], b->plugin_path[i]);
	return same;
}

static pl_status take_config(struct running *r, struct config *c, struct err_list *errors)
{
	const struct config_root *now = engine_config(r->engine), *next = config_get(c);
	bool listens = str_eq(now->listen, next->listen), folders = same_folders(now, next);
	pl_status st = engine_reload(r->engine, c, errors); /* what now points to is gone after this */
	if (st)
		return st;
	if (!listens)
		listen_again(r, next->listen);
	if (!folders)
		log_line(r->options->log, LOG_WARN, S(""),
			 "another stateDir or pluginPath is used from the next start on");
	return PL_OK;
}

static void reload(struct running *r)
{
	const struct daemon_options *o = r->options;
	struct err_list errors = {0};
	size_t n = 0;
	notify_reloading();
	struct config *c = config_read(o->config_path, &errors);
	pl_status st = c ? take_config(r, c, &errors) : PL_EINVAL;
	const pl_str *warnings = c ? config_warnings(c, &n) : NULL;
	for (size_t i = 0; i < n; i++)
		log_line(o->log, LOG_WARN, S(""), "%.*s", F(warnings[i]));
	for (size_t i = 0; i < errors.n; i++)
		log_line(o->log, LOG_ERROR, S(""), "%s", pl_err_text(&errors.v[i]));
	if (errors.more)
		log_line(o->log, LOG_ERROR, S(""), "… and %zu more", errors.more);
	if (st)
		log_line(o->log, LOG_ERROR, S(""), "the config was not reloaded; the running one stays in force");
	else
		log_line(o->log, LOG_INFO, S(""), "reloaded '%s'", o->config_path);
	config_unref(c);
	err_list_free(&errors);
	notify("READY=1");
}

static void *signals_main(void *arg)
{
	struct running *r = arg;
	bool stopping = false;
	for (;;) {
		struct pollfd p[2] = {{r->signals, POLLIN, 0}, {r->ended, POLLIN, 0}};
		if (poll(p, 2, -1) < 0 && errno != EINTR)
			return NULL;
		if (p[1].revents)
			return NULL;
		struct signalfd_siginfo s;
		if (!p[0].revents || read(r->signals, &s, sizeof s) != sizeof s)
			continue;
		if (s.ssi_signo == SIGHUP) {
			reload(r);
			continue;
		}
		if (stopping)
			_exit(128 + (int)s.ssi_signo);
		stopping = true;
		log_line(r->options->log, LOG_INFO, S(""), "stopping; running syncs go on at the next start");
		notify("STOPPING=1");
		engine_stop(r->engine);
	}
}

static pl_status serve(struct running *r, struct control **control, struct pl_err *e)
{
	const struct config_root *c = engine_config(r->engine);
	char *state = str_dup(c->state_dir);
	char *path = path_join(state, "plumb.sock");
	pl_status st = control_start(r->engine, path, r->options->log, control, e);
	free(path);
	free(state);
	if (!st && c->listen.n)
		st = web_start(r->engine, c->listen, r->options->log, &r->web, e);
	return st;
}

static pl_status run_engine(struct running *r, struct pl_err *e)
{
	pthread_t signals;
	sigset_t set;
	signal_set(&set);
	r->signals = signalfd(-1, &set, SFD_CLOEXEC);
	r->ended = eventfd(0, EFD_CLOEXEC);
	if (r->signals < 0 || r->ended < 0)
		return err_errno(e, errno, "wait for signals");
	int failed = pthread_create(&signals, NULL, signals_main, r);
	if (failed)
		return err_errno(e, failed, "start the thread for signals");
	notify("READY=1");
	pl_status st = engine_run(r->engine, e);
	uint64_t one = 1;
	if (write(r->ended, &one, sizeof one) != sizeof one)
		BUG("an eventfd refused a write");
	pthread_join(signals, NULL);
	close(r->signals);
	close(r->ended);
	return st;
}

pl_status daemon_run(const struct daemon_options *o, struct pl_err *e)
{
	struct running r = {.options = o, .signals = -1, .ended = -1};
	struct control *control = NULL;
	struct engine_options eo = {.worker = o->worker, .log = o->log, .scripts = o->scripts};
	pl_status st = engine_new(o->config, &eo, &r.engine, e);
	if (st)
		return st;
	st = serve(&r, &control, e);
	if (!st)
		st = run_engine(&r, e);
	web_stop(r.web);
	control_stop(control);
	engine_free(r.engine);
	return st;
}
