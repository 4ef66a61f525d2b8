/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bytes that cross a process border or come back from the store. The first byte says what they are. Damaged ones are
 * refused with an error; what is taken packs again to the same. Syncs and traces are also tried with the checksum that
 * a fuzzer would never guess.
 */
#include "core/base/hash.h"
#include "core/engine/sync.h"
#include "core/plugin/source.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { SYNC_HEAD = 8 /* magic and version, before the checksum */, TRACE_SUM = 8 /* at the end */ };

static void refused(pl_status st, const struct pl_err *e)
{
	if (pl_err_code(e) != st || !pl_err_text(e)[0])
		BUG("refused without a reason");
}

static void errors(pl_str in)
{
	struct reader r = {.p = in.p, .n = in.n}, again;
	struct pl_err x = ERR_INIT, y = ERR_INIT;
	struct buf b = BUF_INIT(SIZE_MAX);

	err_unpack(&x, &r);
	if (!r.bad) {
		err_pack(&x, &b);
		again = (struct reader){.p = b.p, .n = b.n};
		err_unpack(&y, &again);
		if (again.bad || again.n || strcmp(pl_err_text(&x), pl_err_text(&y)) != 0)
			BUG("'%s' comes back as '%s'", pl_err_text(&x), pl_err_text(&y));
	}
	err_clear(&x);
	err_clear(&y);
	buf_free(&b);
}

static void syncs(pl_str in)
{
	struct buf first = BUF_INIT(SIZE_MAX), second = first;
	struct pl_err e = ERR_INIT;
	struct sync *s, *again;
	pl_status st = sync_unpack(in, &s, &e);

	if (st) {
		refused(st, &e);
	} else {
		sync_pack(s, &first); /* may differ from the input: what ran then is pending now */
		if (sync_unpack(buf_str(&first), &again, &e))
			BUG("what was packed is refused: %s", pl_err_text(&e));
		sync_pack(again, &second);
		if (!str_eq(buf_str(&first), buf_str(&second)))
			BUG("packed differently the second time");
		sync_free(again);
		sync_free(s);
	}
	buf_free(&first);
	buf_free(&second);
	err_clear(&e);
}

static void traces(pl_str in)
{
	struct buf b = BUF_INIT(SIZE_MAX);
	struct pl_err e = ERR_INIT;
	struct trace *t;
	pl_status st = trace_unpack(in, &t, &e);

	if (st) {
		refused(st, &e);
	} else {
		trace_pack(t, &b);
		if (!str_eq(in, buf_str(&b)))
			BUG("a trace of %zu looks packs differently", trace_len(t));
		trace_free(t);
	}
	buf_free(&b);
	err_clear(&e);
}

/* in stands for all but the checksum. */
static void sealed(pl_str in, size_t at, size_t sum_size, size_t sum_from, void (*take)(pl_str))
{
	struct buf b = BUF_INIT(SIZE_MAX);
	uint8_t sum[HASH_SIZE];

	if (in.n >= at) {
		hash_of((pl_str){in.p + sum_from, in.n - sum_from}, sum);
		buf_add(&b, (pl_str){in.p, at});
		buf_add(&b, (pl_str){(const char *)sum, sum_size});
		buf_add(&b, (pl_str){in.p + at, in.n - at});
		take(buf_str(&b));
	}
	buf_free(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	pl_str in = {(const char *)data + 1, size - 1};

	if (size == 0)
		return 0;
	switch (data[0]) {
	case 'e':
		errors(in);
		break;
	case 's':
		syncs(in);
		break;
	case 'S':
		if (in.n >= SYNC_HEAD)
			sealed(in, SYNC_HEAD, HASH_SIZE, SYNC_HEAD, syncs);
		break;
	case 't':
		traces(in);
		break;
	case 'T':
		sealed(in, in.n, TRACE_SUM, 0, traces);
		break;
	default:
		break;
	}
	return 0;
}
