/* SPDX-License-Identifier: Apache-2.0 */
/* select.h - label selectors as Kubernetes writes them: "app=web,tier in (a, b),!old". */
#ifndef KUSTOMIZE_SELECT_H
#define KUSTOMIZE_SELECT_H

#include "kustomize.h"

struct requirements;
/* text is at's; field is its name for errors. *out is NULL for a selector that selects everything. */
pl_status requirements_read(struct build *b, const pl_node *at, const char *field, pl_str text,
			    struct requirements **out);
/* labels: a map, or NULL */
bool requirements_hold(const struct requirements *r, const pl_node *labels);

#endif
