/* SPDX-License-Identifier: Apache-2.0 */
/* pairs.h - sets keys with texts (labels, annotations) in the maps that field specs lead to. */
#ifndef KUSTOMIZE_PAIRS_H
#define KUSTOMIZE_PAIRS_H

#include "cfg.h"

pl_status pairs_set(struct build *b, const struct cfg_pairs *pairs, const struct fieldspecs *specs, struct resmap *m);

#endif
