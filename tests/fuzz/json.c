/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes: borrowed and copied text give the same tree or the same error, with a place; what was read is written and
 * reads back equal, byte for byte when written twice, and with one digest; a copy has no difference.
 */
#include "core/base/err.h"
#include "core/doc/private.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint32_t flags[] = {0, PL_PRINT_SORTED, PL_PRINT_INDENT,
				 PL_PRINT_ASCII | PL_PRINT_SORTED | PL_PRINT_INDENT};

static int unexpected(void *ctx, pl_str path, const pl_node *a, const pl_node *b)
{
	(void)ctx;
	(void)a;
	(void)b;
	BUG("a copy differs at '%.*s'", F(path));
}

static void round_trip(const pl_node *n, uint32_t how)
{
	struct buf text = BUF_INIT(SIZE_MAX / 4), again = text;
	pl_doc *d = pl_doc_new(NULL);
	char x[HASH_TEXT], y[HASH_TEXT];
	struct pl_err e = ERR_INIT;
	pl_node *m;

	if (json_print(n, how, &text, &e) || pl_json_read(d, buf_str(&text), "again", PL_READ_BORROW, &m, &e))
		BUG("does not go round: %s", pl_err_text(&e));
	if (!pl_equal(n, m) || !pl_equal(m, n))
		BUG("reads back differently: %.*s", F(buf_str(&text)));
	if (json_print(m, how, &again, &e) || !str_eq(buf_str(&text), buf_str(&again)))
		BUG("written differently the second time: %.*s", F(buf_str(&text)));
	if (node_digest(n, x, &e) || node_digest(m, y, &e) || strcmp(x, y) != 0)
		BUG("equal values with two digests: %.*s", F(buf_str(&text)));
	buf_free(&text);
	buf_free(&again);
	pl_doc_unref(d);
}

static void check_tree(const pl_doc *d, const pl_node *n)
{
	pl_doc *other = pl_doc_new(NULL);
	pl_node *copy = pl_copy(other, d, n);

	pl_diff(n, copy, unexpected, NULL);
	for (size_t i = 0; i < sizeof(flags) / sizeof(*flags); i++)
		round_trip(n, flags[i]);
	pl_doc_unref(other);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	pl_limits limits = {.max_depth = 100, .max_nodes = 50000};
	pl_str text = {(const char *)data, size};
	pl_doc *a = pl_doc_new(&limits), *b = pl_doc_new(&limits);
	struct pl_err x = ERR_INIT, y = ERR_INIT;
	pl_node *m, *n;
	pl_status st = pl_json_read(a, text, "fuzz", 0, &m, &x);

	if (pl_json_read(b, text, "fuzz", PL_READ_BORROW, &n, &y) != st)
		BUG("borrowed and copied text are read differently");
	if (st) {
		if (strcmp(pl_err_text(&x), pl_err_text(&y)) != 0)
			BUG("'%s' or '%s'?", pl_err_text(&x), pl_err_text(&y));
		if (pl_err_place(&x).line == 0 || pl_err_place(&x).col == 0)
			BUG("an error without a place: %s", pl_err_text(&x));
	} else {
		if (!pl_equal(m, n))
			BUG("borrowed and copied text are read differently");
		check_tree(b, n);
	}
	err_clear(&x);
	err_clear(&y);
	pl_doc_unref(a);
	pl_doc_unref(b);
	return 0;
}
