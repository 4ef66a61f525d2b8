/* SPDX-License-Identifier: Apache-2.0 */
/* The source "git": opening and closing a repository, and the plugin's table. */
#include "git.h"
#include "schema.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define PACK_OBJECTS                                                                                                   \
	((size_t)20000000) /* twice the Linux kernel's; each costs about 100 bytes of memory while it comes in */
#define OBJECT_BYTES ((size_t)512 << 20) /* unpacked: a small pack may claim to hold terabytes */

/* libgit2's settings are the process's: set once, before another thread can read them. */
static pthread_mutex_t starting = PTHREAD_MUTEX_INITIALIZER;

/*
 * The user's and the system's git configuration must not change what plumb does (url.insteadOf would send credentials
 * elsewhere), and a local repository of another owner is only read: no program of its configuration ever runs. The user
 * agent is left alone: libgit2 1.5 frees it twice when it is set again after a shutdown.
 */
static int settings(void)
{
	static const int levels[] = {GIT_CONFIG_LEVEL_SYSTEM, GIT_CONFIG_LEVEL_XDG, GIT_CONFIG_LEVEL_GLOBAL,
				     GIT_CONFIG_LEVEL_PROGRAMDATA};
	int code = git_libgit2_opts(GIT_OPT_SET_OWNER_VALIDATION, 0);
	for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]) && !code; i++)
		code = git_libgit2_opts(GIT_OPT_SET_SEARCH_PATH, levels[i], "");
	if (!code)
		code = git_libgit2_opts(GIT_OPT_ENABLE_FSYNC_GITDIR, 1);
	if (!code)
		code = git_libgit2_opts(GIT_OPT_SET_PACK_MAX_OBJECTS, PACK_OBJECTS);
#ifdef GIT_LIMITS_OBJECT_SIZE /* not in every 1.5.1 of Debian's; the worker's memory limit stands behind it */
	if (!code)
		code = git_libgit2_opts(GIT_OPT_SET_PACK_MAX_OBJECT_SIZE, OBJECT_BYTES);
#endif
	return code;
}

static pl_status start(const pl_host *h)
{
	pthread_mutex_lock(&starting);
	int n = git_libgit2_init(), code = n == 1 ? settings() : 0;
	pl_status st = PL_OK;
	if (n < 0 || code)
		st = git_fail_lib(h, n < 0 ? n : code, "start libgit2");
	if (n > 0 && code)
		git_libgit2_shutdown();
	pthread_mutex_unlock(&starting);
	return st;
}

static void stop(void)
{
	pthread_mutex_lock(&starting);
	git_libgit2_shutdown();
	pthread_mutex_unlock(&starting);
}

static void op_close(void *self)
{
	struct git_source *s = self;
	if (!s)
		return;
	git_cache_unref(s->cache);
	git_options_clear(&s->opt);
	free(s->folder);
	free(s->bare);
	free(s);
	stop();
}

static pl_status op_open(const pl_host *h, pl_str options, pl_str cache, void **self)
{
	pl_status st = start(h);
	if (st)
		return st;
	struct git_source *s = git_zalloc(sizeof(*s));
	s->folder = git_strndup(cache.p, cache.n);
	s->bare = git_printf("%s/repo", s->folder);
	st = git_options_read(h, options, &s->opt);
	if (st) {
		op_close(s);
		return st;
	}
	*self = s;
	return PL_OK;
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
		.resolve = git_op_resolve,
		.fetch = git_op_fetch,
		.describe = git_op_describe,
		.tree_open = git_op_tree_open,
		.tree_close = git_op_tree_close,
		.tree_list = git_op_tree_list,
		.tree_read = git_op_tree_read,
	};
	static const pl_plugin table = {
		.size = sizeof(table),
		.abi = PL_ABI,
		.kind = PL_KIND_SOURCE,
		.flags = PL_NEEDS_PROCESS,
		.name = TEXT("git"),
		.version = TEXT(PLUMB_VERSION),
		.summary = TEXT("manifests from a Git repository"),
		.options_schema = TEXT(GIT_OPTIONS_SCHEMA),
		.source = &ops,
	};
	return host_abi == PL_ABI ? &table : NULL;
}
