/* SPDX-License-Identifier: Apache-2.0 */
/* The engine's side: batches to a worker, and what becomes of a batch whose worker did not come through. */
#include "core/lua/private.h"

enum {
	BATCH = 64,
	BATCH_BYTES = 4 * 1024 * 1024, /* of objects; a larger one goes alone */
	WALL_MAX_MS = 3600 * 1000,
	SLACK_MS = 5000,    /* for reading objects and a busy machine */
	OBJECT_FACTOR = 64, /* a parsed object and its tables, by the bytes of its text */
	WORKER_MEMORY = 256 * 1024 * 1024
};

struct judge {
	struct worker *w;
	struct script_limits limits;
	struct cancel *cancel;
	struct arena *a;
};

static void set_unknown(const struct judge *j, struct script_case *c, pl_str message)
{
	c->out = (struct script_verdict){.health = PL_UNKNOWN, .message = arena_dup(j->a, message)};
}

static void pack(const struct judge *j, const struct script_case *cases, size_t n, struct buf *in)
{
	buf_add_u64(in, (uint64_t)j->limits.wall_ms);
	buf_add_u64(in, j->limits.memory);
	buf_add_u32(in, (uint32_t)n);
	for (size_t i = 0; i < n; i++) {
		buf_add_str(in, str_of(cases[i].path));
		buf_add_str(in, cases[i].object);
	}
}

/* How many of them the answer covers; *done: all, else the next one was stuck. PL_EINTERNAL: not to be read. */
static pl_status unpack(const struct judge *j, pl_str answer, struct script_case *cases, size_t n, size_t *covered,
			bool *done)
{
	struct reader r = {.p = answer.p, .n = answer.n};

	*covered = 0;
	*done = false;
	while (r.n > 0) {
		uint32_t tag = read_u32(&r);

		if (tag == ANSWER_DONE && !r.bad) {
			*done = *covered == n;
			return *done ? PL_OK : PL_EINTERNAL;
		}

		bool none = read_u32(&r) != 0;
		uint32_t health = read_u32(&r);
		pl_str message = read_str(&r);

		if (r.bad || tag != ANSWER_VERDICT || *covered == n || health > PL_UNKNOWN)
			return PL_EINTERNAL;
		cases[(*covered)++].out = (struct script_verdict){none, health, arena_dup(j->a, message)};
	}
	return *covered < n ? PL_OK : PL_EINTERNAL;
}

/* Memory is in steps, for a worker serves only calls of its own limits. */
static uint64_t worker_memory(const struct judge *j, size_t bytes)
{
	uint64_t want = j->limits.memory + (uint64_t)bytes * OBJECT_FACTOR;
	uint64_t memory = WORKER_MEMORY;

	while (memory < want)
		memory *= 2;
	return memory;
}

static pl_status call(const struct judge *j, const struct script_case *cases, size_t n, struct buf *out,
		      struct pl_err *e)
{
	struct buf in = BUF_INIT(SIZE_MAX);
	size_t bytes = 0;

	for (size_t i = 0; i < n; i++)
		bytes = cases[i].object.n > bytes ? cases[i].object.n : bytes;
	pack(j, cases, n, &in);

	struct worker_limits l = {.wall_ms = j->limits.wall_ms * 2 * (int64_t)n + SLACK_MS,
				  .memory = worker_memory(j, bytes),
				  .out_max = out->max};
	pl_status st = worker_call(j->w, SCRIPT_JOB, S(""), buf_str(&in), &l, j->cancel, out, e);

	buf_free(&in);
	return st;
}

static void set_stuck(const struct judge *j, struct script_case *c)
{
	set_unknown(j, c,
		    arena_printf(j->a,
				 "the script ran longer than %lld ms in one call of a library function and was killed",
				 (long long)j->limits.wall_ms));
}

/*
 * One call for a batch. *covered have their verdict then. A worker that died tells nothing of who killed it: then
 * nobody of a batch of several has one, and *died.
 */
static pl_status judge_once(const struct judge *j, struct script_case *cases, size_t n, size_t *covered, bool *died,
			    struct pl_err *e)
{
	struct buf out = BUF_INIT(n * (2 * SCRIPT_MESSAGE_MAX + 64) + 64);
	struct pl_err why = ERR_INIT;
	bool done = false;
	pl_status st = call(j, cases, n, &out, &why);

	*covered = 0;
	*died = st == PL_ETIMEOUT || st == PL_ECRASHED || st == PL_ETOOBIG;
	if (st == PL_OK) {
		st = unpack(j, buf_str(&out), cases, n, covered, &done);
		if (st != PL_OK)
			err_set(&why, st, "the verdicts of a batch of scripts can't be read");
		else if (!done)
			set_stuck(j, &cases[(*covered)++]);
	} else if (*died && n == 1) {
		if (st == PL_ETIMEOUT)
			set_stuck(j, cases);
		else
			set_unknown(j, cases, str_of(pl_err_text(&why)));
		*covered = 1;
	}
	if (*died)
		st = PL_OK;
	if (st != PL_OK && e)
		err_copy(e, &why);
	err_clear(&why);
	buf_free(&out);
	return st;
}

static size_t batch_size(const struct script_case *cases, size_t n)
{
	size_t bytes = 0, i = 0;

	while (i < n && i < BATCH && (i == 0 || bytes + cases[i].object.n <= BATCH_BYTES))
		bytes += cases[i++].object.n;
	return i;
}

pl_status scripts_judge(struct worker *w, struct script_case *cases, size_t n, const struct script_limits *limits,
			struct cancel *cancel, struct arena *a, struct pl_err *e)
{
	struct judge j = {.w = w, .limits = limits ? *limits : (struct script_limits){0}, .cancel = cancel, .a = a};
	size_t alone = 0; /* so many go one by one */

	if (j.limits.wall_ms <= 0)
		j.limits.wall_ms = SCRIPT_WALL_DEFAULT_MS;
	if (j.limits.wall_ms > WALL_MAX_MS)
		j.limits.wall_ms = WALL_MAX_MS;
	if (j.limits.memory == 0)
		j.limits.memory = SCRIPT_MEMORY_DEFAULT;
	while (n > 0) {
		size_t batch = alone ? 1 : batch_size(cases, n);
		size_t covered;
		bool died;
		pl_status st = judge_once(&j, cases, batch, &covered, &died, e);

		if (st != PL_OK)
			return pl_err_in(e, "health scripts");
		if (died && batch > 1)
			alone = batch + 1;
		alone -= alone > 0;
		cases += covered;
		n -= covered;
	}
	return PL_OK;
}
