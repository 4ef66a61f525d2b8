/* SPDX-License-Identifier: Apache-2.0 */
#include "core/lua/private.h"

#include <lauxlib.h>
#include <limits.h>
#include <lua.h>
#include <math.h>

/* As a script counts: a whole number is an integer, which prints without a fraction, however it was written (4.0, 1e3).
 */
static void push_number(lua_State *lua, const pl_node *n)
{
	int64_t whole;
	double d = 0;

	if (pl_int(n, &whole) == PL_OK) {
		lua_pushinteger(lua, whole);
		return;
	}
	if (pl_double(n, &d) != PL_OK)
		luaL_error(lua, "a number that can't be read");
	if (d == floor(d) && fabs(d) < 0x1p63)
		lua_pushinteger(lua, (lua_Integer)d);
	else
		lua_pushnumber(lua, d);
}

static int room(size_t n)
{
	return n > INT_MAX ? INT_MAX : (int)n;
}

static void push_list(lua_State *lua, const pl_node *list)
{
	lua_Integer at = 0;

	lua_createtable(lua, room(pl_len(list)), 0);
	for (size_t i = 0; i < pl_len(list); i++) {
		const pl_node *item = pl_item(list, i);

		if (pl_kind(item) == PL_NULL)
			continue;
		convert_push(lua, item);
		lua_rawseti(lua, -2, ++at);
	}
}

static void push_map(lua_State *lua, const pl_node *map)
{
	lua_createtable(lua, 0, room(pl_len(map)));
	for (size_t i = 0; i < pl_len(map); i++) {
		const pl_node *value = pl_value(map, i);
		pl_str key = pl_text(pl_key(map, i));

		if (pl_kind(value) == PL_NULL)
			continue;
		lua_pushlstring(lua, key.p ? key.p : "", key.n);
		convert_push(lua, value);
		lua_rawset(lua, -3);
	}
}

/* As deep as the reader lets documents be (512), so recursion is bounded. */
void convert_push(struct lua_State *lua, const pl_node *n)
{
	pl_str text;

	luaL_checkstack(lua, 4, "the object is nested too deeply");
	switch (pl_kind(n)) {
	case PL_BOOL:
		lua_pushboolean(lua, pl_bool(n));
		break;
	case PL_NUMBER:
		push_number(lua, n);
		break;
	case PL_LIST:
		push_list(lua, n);
		break;
	case PL_MAP:
		push_map(lua, n);
		break;
	case PL_STRING:
	case PL_PLAIN:
		text = pl_text(n);
		lua_pushlstring(lua, text.p ? text.p : "", text.n);
		break;
	default:
		lua_pushnil(lua);
	}
}
