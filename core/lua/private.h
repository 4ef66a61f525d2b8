/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside the Lua room. Engine side: find.c, judge.c. In a worker: job.c runs a batch, state.c makes a sandboxed
 * state, compat.c its libraries, convert.c the object, chunk.c keeps compiled scripts.
 */
#ifndef LUA_PRIVATE_H
#define LUA_PRIVATE_H

#include "core/lua/script.h"
#include "plumb/doc.h"

struct lua_State;

#define SCRIPT_JOB "lua-health"

enum {
	SCRIPT_TEXT_MAX = 1024 * 1024,
	SCRIPT_MESSAGE_MAX = 32 * 1024, /* of a verdict; the rest is cut */
	SCRIPT_WALL_DEFAULT_MS = 1000,
	SCRIPT_MEMORY_DEFAULT = 8 * 1024 * 1024
};

/*
 * A batch: u64 wall_ms, u64 memory, u32 n, then each script's path and object. Its answer: for each script judged
 * ANSWER_VERDICT, u32 none, u32 health, message; then ANSWER_DONE. When that is missing, the next script in turn was
 * stuck in a library function.
 */
enum { ANSWER_DONE = 0, ANSWER_VERDICT = 1 };

/* ---- state.c ---- */

/* Memory given to a Lua state, counted; past limit it gets none. */
struct script_memory {
	size_t used, limit;
	bool refused;
};

struct script_state {
	struct lua_State *lua;
	struct script_memory memory;
	struct script_limits limits; /* of the running call */
	int64_t deadline;	     /* clock_mono_ms() */
	bool late;
};

void state_open(struct script_state *s); /* no limits yet; aborts the job when not even that can be had */
void state_close(struct script_state *s);
/* Calls the function on top of the stack, protected, with a traceback in errors; the results stay on the stack. */
pl_status state_call(struct script_state *s, const struct script_limits *l, struct pl_err *e);
/* Runs fn(ctx) protected, for pushing values: an error of Lua's (out of memory) comes back as one of ours. */
pl_status state_protect(struct script_state *s, void (*fn)(struct lua_State *, void *), void *ctx, struct pl_err *e);

/* ---- compat.c ---- */

/* The libraries a script sees, and the names that moved after Lua 5.1. */
void sandbox_open(struct lua_State *lua);

/* ---- convert.c ---- */

/* Pushes n: maps and lists as tables, null members absent, null items dropped, whole numbers as integers. May raise a
 * Lua error. */
void convert_push(struct lua_State *lua, const pl_node *n);

/* ---- chunk.c ---- */

/* Pushes the compiled script of path; texts only. */
pl_status chunk_compile(struct lua_State *lua, const char *path, struct pl_err *e);
/* Pushes the compiled script of path, from this process's cache when the file is as it was. */
pl_status chunk_push(struct script_state *s, const char *path, struct pl_err *e);

/* ---- verdict.c ---- */

/* What the values left on the stack mean. PL_EINVAL: not a table. The message is cut and made valid UTF-8 in text. */
pl_status verdict_read(struct lua_State *lua, int n_results, struct buf *text, struct script_verdict *out,
		       struct pl_err *e);
void verdict_message(pl_str from, struct buf *to);

/* ---- job.c ---- */

pl_status script_job(pl_str in, struct buf *out, struct pl_err *e);

#endif
