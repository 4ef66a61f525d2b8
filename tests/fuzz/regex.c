/* SPDX-License-Identifier: Apache-2.0 */
/* A pattern, a line feed, a text: no crash, and what matches whole is found too. */
#include "core/base/err.h"
#include "plumb/regex.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void match(const pl_regex *r, pl_str text)
{
	pl_str groups[4];
	int found = pl_regex_find(r, text, groups, 4);

	if (pl_regex_full(r, text) && !found)
		BUG("matches whole, but is not found");
	if (found != pl_regex_find(r, text, NULL, 0))
		BUG("found or not, depending on what is asked for");
	for (size_t i = 0; i < 4; i++)
		if (groups[i].p && (groups[i].p < text.p || groups[i].p + groups[i].n > text.p + text.n))
			BUG("group %zu lies outside of the text", i);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	pl_str all = {(const char *)data, size}, pattern = all, text = {"", 0};
	struct pl_err e = ERR_INIT;
	pl_regex *r;

	str_cut(all, '\n', &pattern, &text);
	if (pl_regex_new(pattern, &r, &e) == PL_OK) {
		match(r, text.p ? text : S(""));
		pl_regex_free(r);
	} else if (pl_err_code(&e) == PL_OK || !*pl_err_text(&e)) {
		BUG("refused without a reason");
	}
	err_clear(&e);
	return 0;
}
