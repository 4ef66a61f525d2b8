/* SPDX-License-Identifier: Apache-2.0 */
/* How a scalar is written so that every reader takes it for what it is. */
#ifndef DOC_YAML_WRITE_H
#define DOC_YAML_WRITE_H

#include "core/doc/scalar.h"

/*
 * Writes a scalar behind what stands on the line already; its lines, if it has several, are indented by indent. A key
 * stays on its line. PL_EINVAL: the text is not UTF-8.
 */
pl_status yaml_print_scalar(const pl_node *n, uint32_t flags, size_t indent, bool key, struct buf *out, pl_err *e);

#endif
