/* SPDX-License-Identifier: Apache-2.0 */
/* What a script's return value means: the table of docs/lua.md. */
#include "core/lua/private.h"

#include <lauxlib.h>
#include <lua.h>

static const struct {
	const char *name;
	uint32_t health;
} names[] = {{"Healthy", PL_HEALTHY}, {"Suspended", PL_SUSPENDED}, {"Progressing", PL_PROGRESSING},
	     {"Missing", PL_MISSING}, {"Degraded", PL_DEGRADED},   {"Unknown", PL_UNKNOWN}};

/* The bytes of the UTF-8 sequence at s; 0 when it is not one. */
static size_t sequence(pl_str s)
{
	unsigned char c = (unsigned char)s.p[0];
	size_t n = c < 0x80 ? 1 : c >> 5 == 6 ? 2 : c >> 4 == 14 ? 3 : c >> 3 == 30 ? 4 : 0;

	return n && n <= s.n && str_utf8((pl_str){s.p, n}) ? n : 0;
}

void verdict_message(pl_str from, struct buf *to)
{
	size_t start = to->n;

	while (from.n > 0) {
		size_t n = sequence(from);

		if (to->n - start + 4 > SCRIPT_MESSAGE_MAX) {
			buf_addz(to, "…");
			return;
		}
		if (n)
			buf_add(to, (pl_str){from.p, n});
		else
			buf_addz(to, "\xef\xbf\xbd"); /* U+FFFD: verdicts are shown and stored as text */
		from.p += n ? n : 1;
		from.n -= n ? n : 1;
	}
}

/* The field's text without metamethods, for they would run outside every limit. *wrong: it is there and no string. */
static pl_str field(lua_State *lua, const char *name, bool *wrong)
{
	pl_str s = {NULL, 0};

	lua_pushstring(lua, name);

	int type = lua_rawget(lua, -2);

	if (type == LUA_TSTRING)
		s.p = lua_tolstring(lua, -1, &s.n);
	else if (type != LUA_TNIL)
		*wrong = true;
	lua_pop(lua, 1); /* the table keeps it */
	return s;
}

static bool is_empty(lua_State *lua)
{
	lua_pushnil(lua);
	if (!lua_next(lua, -2))
		return true;
	lua_pop(lua, 2);
	return false;
}

static uint32_t health_of(pl_str status)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (str_eqz(status, names[i].name))
			return names[i].health;
	return PL_HEALTH_NONE;
}

pl_status verdict_read(struct lua_State *lua, int n_results, struct buf *text, struct script_verdict *out,
		       struct pl_err *e)
{
	bool wrong = false;

	*out = (struct script_verdict){.none = true};
	if (n_results == 0 || lua_isnil(lua, -1))
		return PL_OK;
	if (!lua_istable(lua, -1))
		return err_set(e, PL_EINVAL, "expect table output from Lua script, not %s", luaL_typename(lua, -1));
	if (!lua_checkstack(lua, 4) || is_empty(lua))
		return PL_OK;

	pl_str status = field(lua, "status", &wrong);
	pl_str message = field(lua, "message", &wrong);

	if (wrong)
		return PL_OK;
	out->none = false;
	out->health = health_of(status);
	if (out->health == PL_HEALTH_NONE) {
		out->health = PL_UNKNOWN;
		message = S("Lua returned an invalid health status");
	}
	verdict_message(message, text);
	out->message = buf_str(text);
	return PL_OK;
}
