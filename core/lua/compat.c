/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a script can reach: nothing outside its state but the clock. Written as lists of what is open, so that
 * a name that a later Lua adds stays closed.
 */
#include "core/lua/private.h"

#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>

#include <math.h>

static const char *const base_open[] = {"assert", "error",  "getmetatable", "ipairs",	"next",	    "pairs",
					"pcall",  "xpcall", "rawequal",	    "rawget",	"rawlen",   "rawset",
					"select", "type",   "tonumber",	    "tostring", "_VERSION", NULL};
static const char *const string_open[] = {"byte",    "char",  "find",	"format", "gmatch",   "gsub",
					  "len",     "lower", "match",	"pack",	  "packsize", "rep",
					  "reverse", "sub",   "unpack", "upper",  NULL};
static const char *const os_open[] = {"time", "date", "clock", NULL};

/*
 * A finalizer would run where no hook can stop it, and after the script's end; Lua looks for __gc only here.
 */
static int set_metatable(lua_State *lua)
{
	int type = lua_type(lua, 2);

	luaL_checktype(lua, 1, LUA_TTABLE);
	luaL_argexpected(lua, type == LUA_TNIL || type == LUA_TTABLE, 2, "nil or table");
	if (luaL_getmetafield(lua, 1, "__metatable") != LUA_TNIL)
		return luaL_error(lua, "cannot change a protected metatable");
	if (type == LUA_TTABLE) {
		lua_pushliteral(lua, "__gc");
		if (lua_rawget(lua, 2) != LUA_TNIL)
			return luaL_error(lua, "__gc is not available to scripts");
	}
	lua_settop(lua, 2);
	lua_setmetatable(lua, 1);
	return 1;
}

/* All pieces that the function at 1 gives, as one string on the top. */
static void gather(lua_State *lua)
{
	luaL_Buffer b;

	luaL_buffinit(lua, &b);
	for (;;) {
		lua_pushvalue(lua, 1);
		lua_call(lua, 0, 1);
		if (lua_type(lua, -1) != LUA_TSTRING || lua_rawlen(lua, -1) == 0)
			break;
		luaL_addvalue(&b);
	}
	lua_pop(lua, 1);
	luaL_pushresult(&b);
}

/* load() for text: compiled chunks can break the interpreter. */
static int load_text(lua_State *lua)
{
	bool has_env = !lua_isnone(lua, 4);
	const char *mode = luaL_optstring(lua, 3, "t");
	size_t n;

	lua_settop(lua, 4);
	if (lua_type(lua, 1) == LUA_TFUNCTION)
		gather(lua);
	else
		lua_pushvalue(lua, 1);

	const char *text = luaL_checklstring(lua, -1, &n);
	const char *name = luaL_optstring(lua, 2, "=(load)");

	if (!strchr(mode, 't')) {
		lua_pushnil(lua);
		lua_pushliteral(lua, "only text chunks can be loaded");
		return 2;
	}
	if (luaL_loadbufferx(lua, text, n, name, "t") != LUA_OK) {
		lua_pushnil(lua);
		lua_insert(lua, -2);
		return 2;
	}
	if (has_env) {
		lua_pushvalue(lua, 4);
		if (!lua_setupvalue(lua, -2, 1))
			lua_pop(lua, 1);
	}
	return 1;
}

static int require_open(lua_State *lua)
{
	const char *name = luaL_checkstring(lua, 1);

	if (lua_getfield(lua, lua_upvalueindex(1), name) != LUA_TTABLE)
		return luaL_error(
			lua, "module '%s' is not available to scripts (open are: math, os, string, table, utf8)", name);
	return 1;
}

static int table_getn(lua_State *lua)
{
	luaL_checktype(lua, 1, LUA_TTABLE);
	lua_pushinteger(lua, luaL_len(lua, 1));
	return 1;
}

static int table_maxn(lua_State *lua)
{
	lua_Number max = 0;

	luaL_checktype(lua, 1, LUA_TTABLE);
	for (lua_pushnil(lua); lua_next(lua, 1); lua_pop(lua, 1))
		if (lua_type(lua, -2) == LUA_TNUMBER && lua_tonumber(lua, -2) > max)
			max = lua_tonumber(lua, -2);
	if (max == floor(max) && max < 0x1p53)
		lua_pushinteger(lua, (lua_Integer)max);
	else
		lua_pushnumber(lua, max);
	return 1;
}

static int math_pow(lua_State *lua)
{
	lua_pushnumber(lua, pow(luaL_checknumber(lua, 1), luaL_checknumber(lua, 2)));
	return 1;
}

static int math_log10(lua_State *lua)
{
	lua_pushnumber(lua, log10(luaL_checknumber(lua, 1)));
	return 1;
}

/* Replaces the table on top by one that has only these fields of it. */
static void keep_only(lua_State *lua, const char *const *names)
{
	lua_newtable(lua);
	for (; *names; names++) {
		lua_getfield(lua, -2, *names);
		lua_setfield(lua, -2, *names);
	}
	lua_remove(lua, -2);
}

/* Leaves the library's table on the stack; no global is set. */
static void open_library(lua_State *lua, lua_CFunction open, const char *const *names)
{
	lua_pushcfunction(lua, open);
	lua_call(lua, 0, 1);
	if (names)
		keep_only(lua, names);
}

/* The table on top gets field name, as it stands in from, under another name. */
static void alias(lua_State *lua, const char *name, const char *as)
{
	lua_getfield(lua, -1, name);
	lua_setfield(lua, -2, as);
}

static void set_function(lua_State *lua, const char *name, lua_CFunction f)
{
	lua_pushcfunction(lua, f);
	lua_setfield(lua, -2, name);
}

static void open_string(lua_State *lua)
{
	open_library(lua, luaopen_string, string_open);
	alias(lua, "gmatch", "gfind");
	/* Methods of strings, s:upper(), must come from this table, not from the whole library. */
	lua_pushliteral(lua, "");
	lua_getmetatable(lua, -1);
	lua_pushvalue(lua, -3);
	lua_setfield(lua, -2, "__index");
	lua_pop(lua, 2);
}

static void open_table(lua_State *lua)
{
	open_library(lua, luaopen_table, NULL);
	set_function(lua, "getn", table_getn);
	set_function(lua, "maxn", table_maxn);
}

static void open_math(lua_State *lua)
{
	open_library(lua, luaopen_math, NULL);
	alias(lua, "fmod", "mod");
	set_function(lua, "pow", math_pow);
	set_function(lua, "log10", math_log10);
}

static void open_os(lua_State *lua)
{
	open_library(lua, luaopen_os, os_open);
}

static void open_utf8(lua_State *lua)
{
	open_library(lua, luaopen_utf8, NULL);
}

static const struct {
	const char *name;
	void (*open)(lua_State *);
} libraries[] = {
	{"string", open_string}, {"table", open_table}, {"math", open_math}, {"os", open_os}, {"utf8", open_utf8}};

static void open_base(lua_State *lua)
{
	open_library(lua, luaopen_base, base_open);
	set_function(lua, "setmetatable", set_metatable);
	set_function(lua, "load", load_text);
	set_function(lua, "loadstring", load_text);
	lua_pushvalue(lua, -1);
	lua_setfield(lua, -2, "_G");
}

void sandbox_open(struct lua_State *lua)
{
	open_base(lua);	   /* 1: the globals */
	lua_newtable(lua); /* 2: what require knows */
	for (size_t i = 0; i < sizeof(libraries) / sizeof(*libraries); i++) {
		libraries[i].open(lua);
		lua_pushvalue(lua, -1);
		lua_setfield(lua, 1, libraries[i].name);
		lua_setfield(lua, 2, libraries[i].name);
	}
	lua_getfield(lua, 1, "table");
	lua_getfield(lua, -1, "unpack");
	lua_setfield(lua, 1, "unpack");
	lua_pop(lua, 1);
	lua_pushcclosure(lua, require_open, 1);
	lua_setfield(lua, 1, "require");
	/* Health scripts know this name; for them it is empty. */
	lua_newtable(lua);
	lua_setfield(lua, 1, "actionParams");
	lua_rawseti(lua, LUA_REGISTRYINDEX, LUA_RIDX_GLOBALS);
}
