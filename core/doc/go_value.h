/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers and times as Go reads and prints them. */
#ifndef DOC_GO_VALUE_H
#define DOC_GO_VALUE_H

#include "core/doc/node.h"

/*
 * A PL_NUMBER after its way through Go's YAML reader, JSON and back: whole numbers that fit 64 bits as they are, all
 * else as a double in its shortest form. PL_EINVAL: NaN, infinite, or no number.
 */
pl_status go_number_print(const pl_node *n, struct buf *out);

struct go_time {
	int year, month, day, hour, minute, second;
	uint32_t nanosecond;
	int offset; /* minutes east of UTC */
};

/* The timestamps that Go's YAML readers know: 2001-12-14, 2001-12-14 21:59:43.1, 2001-12-14T21:59:43.1+01:00 … */
bool go_time_read(pl_str text, struct go_time *t);
/* In the form of RFC 3339. PL_EINVAL: the offset is a day. */
pl_status go_time_print(const struct go_time *t, struct buf *out);

#endif
