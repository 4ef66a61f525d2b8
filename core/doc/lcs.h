/* SPDX-License-Identifier: Apache-2.0 */
/* Which items of two sequences to take out and put in to make one of the other (E. Myers, "An O(ND) Difference
 * Algorithm", 1986). */
#ifndef DOC_LCS_H
#define DOC_LCS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct lcs_side {
	const uint32_t *id; /* equal items have equal numbers */
	size_t n;
	bool *changed; /* to be filled in: n + 2 entries, of which [1 .. n] are the items' and both ends stay false */
};

/* Numbers must be below ids. changed must be zeroed. */
void lcs_compare(struct lcs_side *a, struct lcs_side *b, size_t ids);

#endif
