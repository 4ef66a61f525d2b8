/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any JSON becomes a Lua value, or an error; that value, taken for what a health script has returned, is read as a
 * verdict whose message is short, valid UTF-8.
 */
#include "core/doc/private.h"
#include "core/lua/private.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void push(struct lua_State *lua, void *node)
{
	convert_push(lua, node);
}

static void read_verdict(struct script_state *s)
{
	struct buf text = BUF_INIT(2 * SCRIPT_MESSAGE_MAX);
	struct pl_err e = ERR_INIT;
	struct script_verdict v;

	if (verdict_read(s->lua, 1, &text, &v, &e)) {
		if (!pl_err_text(&e)[0])
			BUG("a wrong verdict without a reason");
	} else if (!v.none && (!str_utf8(v.message) || v.message.n > SCRIPT_MESSAGE_MAX || v.health > PL_UNKNOWN)) {
		BUG("health %u, '%.*s'", v.health, F(v.message));
	}
	err_clear(&e);
	buf_free(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	pl_limits limits = {.max_depth = 512, .max_nodes = 20000};
	struct pl_err e = ERR_INIT;
	struct script_state s;
	pl_doc *d = pl_doc_new(&limits);
	pl_node *n;

	if (pl_json_read(d, (pl_str){(const char *)data, size}, "fuzz", 0, &n, NULL) == PL_OK) {
		state_open(&s);
		if (state_protect(&s, push, n, &e) == PL_OK)
			read_verdict(&s);
		else if (!pl_err_text(&e)[0])
			BUG("not convertible without a reason");
		state_close(&s);
	}
	err_clear(&e);
	pl_doc_unref(d);
	return 0;
}
