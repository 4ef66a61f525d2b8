/* SPDX-License-Identifier: Apache-2.0 */
/* Reads scripts without running them: what `plumb check` tells of a folder. */
#include "core/lua/private.h"

#include <errno.h>
#include <fts.h>
#include <lauxlib.h>
#include <lua.h>

static void check_script(const char *path, struct err_list *errors)
{
	struct pl_err e = ERR_INIT;
	lua_State *lua = luaL_newstate();
	if (!lua)
		BUG("out of memory");
	if (chunk_compile(lua, path, &e)) {
		pl_err_in(&e, "script '%s'", path);
		err_copy(err_list_add(errors), &e);
	}
	err_clear(&e);
	lua_close(lua);
}

static int by_name(const FTSENT **a, const FTSENT **b)
{
	return strcmp((*a)->fts_name, (*b)->fts_name);
}

void scripts_check(const char *folder, struct err_list *errors)
{
	char *top = str_dup(str_of(folder)), *const tops[] = {top, NULL};
	FTS *walk = fts_open(tops, FTS_LOGICAL | FTS_NOCHDIR, by_name);
	for (FTSENT *f; walk && (f = fts_read(walk));) {
		if (f->fts_info == FTS_DNR || f->fts_info == FTS_ERR || f->fts_info == FTS_NS)
			err_errno(err_list_add(errors), f->fts_errno, "read '%s'", f->fts_path);
		else if (f->fts_info == FTS_F && strcmp(f->fts_name, "health.lua") == 0)
			check_script(f->fts_path, errors);
	}
	if (!walk)
		err_errno(err_list_add(errors), errno, "read the folder '%s'", folder);
	else
		fts_close(walk);
	free(top);
}
