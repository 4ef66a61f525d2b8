/* SPDX-License-Identifier: Apache-2.0 */
#include "core/lua/private.h"

#include "core/base/clock.h"

#include <lauxlib.h>
#include <lua.h>

/* Every 1000 instructions: a look at the clock costs about a third of a tight loop's speed; ten times as often, half.
 */
enum { HOOK_EVERY = 1000 };

static void *allocate(void *ud, void *p, size_t old, size_t new)
{
	struct script_memory *m = ud;

	if (!p)
		old = 0; /* then it tells what kind of object is wanted */
	if (new == 0) {
		m->used -= old;
		free(p);
		return NULL;
	}
	if (new > old &&new - old > m->limit - m->used) {
		m->refused = true;
		return NULL;
	}

	void *q = realloc(p, new);

	if (q)
		m->used = m->used - old + new;
	return q;
}

/*
 * A script can catch this error with pcall. From then on the hook fires at every instruction, so that
 * whatever it does next is an error too, until nothing is left to catch it.
 */
static void on_count(lua_State *lua, lua_Debug *ar)
{
	struct script_state *s = *(struct script_state **)lua_getextraspace(lua);

	(void)ar;
	if (clock_mono_ms() < s->deadline)
		return;
	s->late = true;
	lua_sethook(lua, on_count, LUA_MASKCOUNT, 1);
	luaL_error(lua, "the script ran longer than %d ms", (int)s->limits.wall_ms);
}

static int traceback(lua_State *lua)
{
	const char *text = lua_tostring(lua, 1);

	if (!text && luaL_callmeta(lua, 1, "__tostring") && lua_type(lua, -1) == LUA_TSTRING)
		text = lua_tostring(lua, -1);
	if (!text)
		text = lua_pushfstring(lua, "(the error is a %s)", luaL_typename(lua, 1));
	luaL_traceback(lua, lua, text, 1);
	return 1;
}

static int open_sandbox(lua_State *lua)
{
	sandbox_open(lua);
	return 0;
}

void state_open(struct script_state *s)
{
	*s = (struct script_state){.memory = {.limit = SIZE_MAX}};
	s->lua = lua_newstate(allocate, &s->memory);
	if (!s->lua)
		BUG("no memory for a Lua state");
	*(struct script_state **)lua_getextraspace(s->lua) = s;
	lua_pushcfunction(s->lua, open_sandbox);
	if (lua_pcall(s->lua, 0, 0, 0) != LUA_OK)
		BUG("open the Lua libraries: %s", lua_tostring(s->lua, -1));
}

void state_close(struct script_state *s)
{
	/* No script's code runs here: setmetatable takes no __gc. */
	lua_close(s->lua);
}

static pl_status failed(struct script_state *s, int status, struct pl_err *e)
{
	const char *text = lua_tostring(s->lua, -1);
	pl_status st = PL_EINVAL;

	if (s->memory.refused && status != LUA_ERRRUN)
		st = err_set(e, PL_ETOOBIG, "the script ran out of memory (its limit is %llu KiB beyond its object)",
			     (unsigned long long)s->limits.memory / 1024);
	else if (s->late && status != LUA_ERRRUN)
		st = err_set(e, PL_ETIMEOUT, "the script ran longer than %lld ms", (long long)s->limits.wall_ms);
	else
		err_set(e, st, "%s", text ? text : "the script failed without a text");
	lua_settop(s->lua, 0);
	return st;
}

pl_status state_call(struct script_state *s, const struct script_limits *l, struct pl_err *e)
{
	size_t object = s->memory.used;

	lua_pushcfunction(s->lua, traceback);
	lua_insert(s->lua, 1);
	s->limits = *l;
	s->deadline = clock_mono_ms() + l->wall_ms;
	s->memory.refused = false;
	s->memory.limit = l->memory < SIZE_MAX - object ? object + (size_t)l->memory : SIZE_MAX;
	lua_sethook(s->lua, on_count, LUA_MASKCOUNT, HOOK_EVERY);

	int status = lua_pcall(s->lua, 0, LUA_MULTRET, 1);

	lua_sethook(s->lua, NULL, 0, 0);
	s->memory.limit = SIZE_MAX; /* what follows is ours */
	if (status != LUA_OK)
		return failed(s, status, e);
	lua_remove(s->lua, 1);
	return PL_OK;
}

struct protected
{
	void (*fn)(struct lua_State *, void *);
	void *ctx;
};

static int run_protected(lua_State *lua)
{
	const struct protected *p = lua_touserdata(lua, 1);

	lua_settop(lua, 0);
	p->fn(lua, p->ctx);
	return lua_gettop(lua);
}

pl_status state_protect(struct script_state *s, void (*fn)(struct lua_State *, void *), void *ctx, struct pl_err *e)
{
	struct protected p = {fn, ctx};

	lua_pushcfunction(s->lua, run_protected);
	lua_pushlightuserdata(s->lua, &p);

	int status = lua_pcall(s->lua, 1, LUA_MULTRET, 0);

	return status == LUA_OK ? PL_OK : failed(s, status, e);
}
