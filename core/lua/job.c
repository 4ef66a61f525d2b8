/* SPDX-License-Identifier: Apache-2.0 */
/* In a worker: a batch of scripts, one after the other, each in a state of its own. */
#include "core/lua/private.h"

#include <lua.h>

#include <signal.h>
#include <sys/time.h>

/*
 * The thread sanitizer holds signals back until the next call of the C library, which a stuck script never makes: there
 * SIGALRM keeps its default, and the engine judges the scripts of the batch one by one.
 */
#if defined(__SANITIZE_THREAD__)
#define HANDLE_ALARM 0
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define HANDLE_ALARM 0
#endif
#endif
#ifndef HANDLE_ALARM
#define HANDLE_ALARM 1
#endif

/* This worker's own, for the alarm's handler: what has been judged so far. */
static const struct buf *judged;

/*
 * The count hook can't stop one long call into C, such as string.find with a dozen "a-" in the pattern. This worker
 * then ends; its answer so far goes out, and the next in turn is the script that was stuck. The handler only
 * reads what no running script changes.
 */
static void on_alarm(int sig)
{
	(void)sig;
	worker_answer_and_end(buf_str(judged));
}

/* A little later than the hook, which has the better message. */
static void set_alarm(int64_t wall_ms)
{
	int64_t at = wall_ms ? wall_ms + wall_ms / 4 + 50 : 0;
	struct itimerval t = {.it_value = {at / 1000, at % 1000 * 1000}};

	setitimer(ITIMER_REAL, &t, NULL);
}

static void push_object(lua_State *lua, void *object)
{
	lua_pushglobaltable(lua);
	lua_pushliteral(lua, "obj");
	convert_push(lua, object);
	lua_rawset(lua, -3);
	lua_settop(lua, 0);
}

static pl_status load_object(struct script_state *s, pl_str json, struct pl_err *e)
{
	pl_doc *d = pl_doc_new(NULL);
	pl_node *root;
	pl_status st = pl_json_read(d, json, "object", PL_READ_BORROW, &root, e);

	if (st == PL_OK)
		st = state_protect(s, push_object, root, e);
	pl_doc_unref(d);
	return st;
}

static pl_status run(struct script_state *s, const char *path, pl_str json, const struct script_limits *l,
		     struct buf *text, struct script_verdict *out, struct pl_err *e)
{
	pl_status st = load_object(s, json, e);

	if (st == PL_OK)
		st = chunk_push(s, path, e);
	if (st != PL_OK)
		return st;
	set_alarm(l->wall_ms);
	st = state_call(s, l, e);
	set_alarm(0);
	if (st == PL_OK)
		st = verdict_read(s->lua, lua_gettop(s->lua), text, out, e);
	return st;
}

static void judge(pl_str path, pl_str json, const struct script_limits *l, struct buf *out)
{
	struct buf text = BUF_INIT(2 * SCRIPT_MESSAGE_MAX);
	struct script_verdict v = {.none = true};
	struct pl_err e = ERR_INIT;
	struct script_state s;
	char *z = str_dup(path);

	state_open(&s);
	if (run(&s, z, json, l, &text, &v, &e) != PL_OK) {
		buf_clear(&text);
		verdict_message(str_of(pl_err_text(&e)), &text);
		v = (struct script_verdict){.health = PL_UNKNOWN, .message = buf_str(&text)};
	}
	buf_add_u32(out, ANSWER_VERDICT);
	buf_add_u32(out, v.none);
	buf_add_u32(out, v.health);
	buf_add_str(out, v.message);
	state_close(&s);
	buf_free(&text);
	err_clear(&e);
	free(z);
}

pl_status script_job(pl_str in, struct buf *out, struct pl_err *e)
{
	struct reader r = {.p = in.p, .n = in.n};
	struct sigaction alarm_action = {.sa_handler = on_alarm};
	struct script_limits l = {.wall_ms = (int64_t)read_u64(&r), .memory = read_u64(&r)};
	uint32_t n = read_u32(&r);

	judged = out;
	if (HANDLE_ALARM)
		sigaction(SIGALRM, &alarm_action, NULL);
	for (uint32_t i = 0; i < n; i++) {
		pl_str path = read_str(&r), json = read_str(&r);

		if (r.bad)
			return err_set(e, PL_EINTERNAL, "a batch of scripts that can't be read");
		judge(path, json, &l, out);
	}
	buf_add_u32(out, ANSWER_DONE);
	return PL_OK;
}

const struct worker_job *script_jobs(size_t *n)
{
	static const struct worker_job jobs[] = {{SCRIPT_JOB, script_job}};

	*n = sizeof(jobs) / sizeof(*jobs);
	return jobs;
}
