/* SPDX-License-Identifier: Apache-2.0 */
/* run and check: what uses the config as a whole. */
#include "core/cli/commands.h"

#include "core/base/clock.h"
#include "core/base/file.h"
#include "core/base/mem.h"
#include "core/config/config.h"
#include "core/lua/script.h"
#include "core/server/daemon.h"

enum { ONCE_WAIT_MS = 5 * 60 * 1000 };

static int run_once(struct cli *c, struct config *config)
{
	struct pl_err e = ERR_INIT;
	struct engine *g = NULL;
	struct engine_options o = {.worker = c->worker, .log = &c->log, .scripts = client_scripts(c->arena)};
	int64_t wait = ONCE_WAIT_MS;
	bool in_line = false;
	pl_status st = PL_OK;
	if (cli_value(c, "timeout"))
		st = clock_duration(str_of(cli_value(c, "timeout")), &wait, &e);
	if (!st)
		st = engine_new(config, &o, &g, &e);
	if (!st)
		st = engine_once(g, wait, &in_line, &e);
	engine_free(g);
	if (st)
		return cli_fail(&e);
	return in_line ? EXIT_GOOD : EXIT_NOT_IN_LINE;
}

int cmd_run(struct cli *c)
{
	struct pl_err e = ERR_INIT;
	char *path = NULL;
	int st = EXIT_GOOD;
	if (c->log.level == LOG_WARN)
		c->log.level = LOG_INFO; /* a daemon tells what it does; --quiet says otherwise */
	if (!cli_flag(c, "once"))	 /* one pass can be ended at any point, and is */
		daemon_block_signals();
	struct config *config = client_config(c, &path);
	if (!config)
		return EXIT_ERROR;
	if (cli_flag(c, "once")) {
		st = run_once(c, config);
	} else {
		struct daemon_options o = {.config = config,
					   .config_path = path,
					   .worker = c->worker,
					   .log = &c->log,
					   .scripts = client_scripts(c->arena)};
		if (daemon_run(&o, &e))
			st = cli_fail(&e);
	}
	config_unref(config);
	free(path);
	return st;
}

static int tell_ok(const char *path, const struct config *config)
{
	const struct config_root *r = config_get(config);
	printf("%s: ok (%zu application%s, %zu source%s, %zu target%s)\n", path, r->n_apps, r->n_apps == 1 ? "" : "s",
	       r->n_sources, r->n_sources == 1 ? "" : "s", r->n_targets, r->n_targets == 1 ? "" : "s");
	return EXIT_GOOD;
}

/* Each folder once; one that is not there has been told of. */
static void check_scripts(struct cli *c, const struct config_root *r, struct err_list *errors)
{
	const char **seen = NULL;
	size_t n = 0, cap = 0;
	for (size_t i = 0; i < r->n_apps; i++) {
		for (size_t k = 0; k < r->apps[i].n_health; k++) {
			const char *folder = arena_dup(c->arena, r->apps[i].health[k]).p;
			bool known = !file_is_dir(folder);
			for (size_t s = 0; s < n && !known; s++)
				known = strcmp(seen[s], folder) == 0;
			if (known)
				continue;
			seen = mem_grow(seen, &cap, n + 1, sizeof *seen);
			seen[n++] = folder;
			scripts_check(folder, errors);
		}
	}
	free(seen);
}

/* Plugins, their options, folders: of all that could be read, so that one run tells everything. */
static void check_parts(struct cli *c, struct config *config, struct err_list *errors)
{
	struct pl_err e = ERR_INIT;
	struct engine *g = NULL;
	struct engine_options o = {
		.worker = c->worker, .log = &c->log, .scripts = client_scripts(c->arena), .read_only = true};
	if (engine_new(config, &o, &g, &e))
		err_copy(err_list_add(errors), &e);
	else
		engine_check(g, config, errors);
	check_scripts(c, config_get(config), errors);
	err_clear(&e);
	engine_free(g);
	config_sort_errors(config, errors);
}

int cmd_check(struct cli *c)
{
	struct pl_err e = ERR_INIT;
	struct err_list errors = {0};
	char *path = NULL;
	if (config_find(c->config, &path, &e))
		return cli_fail(&e);
	struct config *config = config_read_parts(path, &errors);
	if (config)
		check_parts(c, config, &errors);
	size_t n_warnings = 0;
	const pl_str *warnings = config ? config_warnings(config, &n_warnings) : NULL;
	for (size_t i = 0; i < n_warnings; i++)
		cli_warn("warning: %.*s", F(warnings[i]));
	int st = errors.n || !config ? cli_fail_list(&errors) : tell_ok(path, config);
	err_list_free(&errors);
	config_unref(config);
	free(path);
	return st;
}
