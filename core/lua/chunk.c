/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Compiled scripts, kept by this worker for as long as their files stay as they are. Every script runs in a fresh
 * state, so what is kept is the binary form; it never comes from outside this process.
 */
#include "core/lua/private.h"

#include "core/base/file.h"
#include "core/base/mem.h"

#include <errno.h>
#include <lauxlib.h>
#include <lua.h>
#include <sys/stat.h>

enum { CHUNKS = 256, CHUNK_MAX = 256 * 1024 }; /* 64 MiB in all at most; larger ones are compiled each time */

struct chunk {
	char *path;
	struct stat as;
	struct buf code;
};

static struct chunk chunks[CHUNKS]; /* this worker's own */

static bool same_file(const struct stat *a, const struct stat *b)
{
	return a->st_ino == b->st_ino && a->st_dev == b->st_dev && a->st_size == b->st_size &&
	       a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec &&
	       a->st_ctim.tv_sec == b->st_ctim.tv_sec && a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

/* As errors name it: GROUP/KIND/health.lua. Lua cuts long names, at the wrong end for paths. */
static const char *short_name(const char *path)
{
	const char *p = path + strlen(path);
	int slashes = 0;

	while (p > path && !(p[-1] == '/' && ++slashes == 3))
		p--;
	return p;
}

static int add_code(lua_State *lua, const void *p, size_t n, void *to)
{
	(void)lua;
	buf_add(to, (pl_str){p, n});
	return 0;
}

static void chunk_keep(struct chunk *c, const char *path, const struct stat *as, lua_State *lua)
{
	free(c->path);
	buf_free(&c->code);
	*c = (struct chunk){.path = str_dup(str_of(path)), .as = *as, .code = BUF_INIT(CHUNK_MAX)};
	/* With its debug information, which errors need. */
	if (lua_dump(lua, add_code, &c->code, 0) != 0 || buf_full(&c->code)) {
		free(c->path);
		c->path = NULL;
		buf_free(&c->code);
	}
}

pl_status chunk_compile(lua_State *lua, const char *path, struct pl_err *e)
{
	struct buf text = BUF_INIT(SCRIPT_TEXT_MAX);
	char name[LUA_IDSIZE];
	pl_status st = file_read(path, &text, e);

	if (st == PL_OK) {
		pl_str s = buf_str(&text);

		if (str_starts(s, S("\xef\xbb\xbf")))
			s = (pl_str){s.p + 3, s.n - 3};
		snprintf(name, sizeof(name), "@%s", short_name(path));
		if (luaL_loadbufferx(lua, s.p ? s.p : "", s.n, name, "t") != LUA_OK) {
			st = err_set(e, PL_EINVAL, "%s", lua_tostring(lua, -1));
			lua_pop(lua, 1);
		}
	}
	buf_free(&text);
	return st;
}

pl_status chunk_push(struct script_state *s, const char *path, struct pl_err *e)
{
	struct chunk *c = &chunks[str_hash(str_of(path)) % CHUNKS];
	struct stat now;

	if (stat(path, &now) < 0)
		return err_errno(e, errno, "read the script '%s'", path);
	if (c->path && strcmp(c->path, path) == 0 && same_file(&c->as, &now) &&
	    luaL_loadbufferx(s->lua, c->code.p, c->code.n, path, "b") == LUA_OK)
		return PL_OK;
	lua_settop(s->lua, 0);

	pl_status st = chunk_compile(s->lua, path, e);

	if (st == PL_OK)
		chunk_keep(c, path, &now, s->lua);
	return st;
}
