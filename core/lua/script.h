/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Health scripts in Lua, run in kept workers under limits. A script sees the global obj and returns
 * {status =, message =}; the rules are in docs/lua.md.
 */
#ifndef LUA_SCRIPT_H
#define LUA_SCRIPT_H

#include "core/base/arena.h"
#include "core/base/err.h"
#include "core/doc/identity.h"
#include "core/worker/worker.h"

/* Finds GROUP/KIND/health.lua (core kinds: KIND/health.lua or core/KIND/health.lua) below the folders, in order; "_" in
 * a folder's path stands for "*", exact before wildcards. *path is in a, NUL-terminated; PL_ENOTFOUND, without a text
 * in e, when there is none. Listings are cached; a changed folder is noticed by its modification time. Thread-safe. */
struct scripts;
struct scripts *scripts_new(void);
void scripts_free(struct scripts *s);
pl_status scripts_find(struct scripts *s, const pl_str *folders, size_t n, const pl_ref *ref, struct arena *a,
		       pl_str *path, struct pl_err *e);

/* Tells every health.lua below folder that can't be read or has a mistake in its syntax. Runs nothing. */
void scripts_check(const char *folder, struct err_list *errors);

struct script_limits {
	int64_t wall_ms; /* of one script; default 1000 */
	uint64_t memory; /* of the Lua state beyond the object; default 8 MiB */
};

struct script_verdict {
	bool none;	 /* no status: the script has no opinion */
	uint32_t health; /* PL_HEALTHY … */
	pl_str message;
};

/* A batch: each script judges one object. A script that errs, loops or bloats is PL_UNKNOWN with the reason as message
 * and fails alone. limits may be NULL; a member that is 0 means its default. Paths are NUL-terminated; messages are in
 * a. */
struct script_case {
	const char *path;
	pl_str object; /* JSON */
	struct script_verdict out;
};

pl_status scripts_judge(struct worker *w, struct script_case *cases, size_t n, const struct script_limits *limits,
			struct cancel *cancel, struct arena *a, struct pl_err *e);

const struct worker_job *script_jobs(size_t *n);

#endif
