/* SPDX-License-Identifier: Apache-2.0 */
/* resmap.h - what resource.c tells the index of a resmap. */
#ifndef KUSTOMIZE_RESMAP_H
#define KUSTOMIZE_RESMAP_H

#include "kustomize.h"

/* r, in m, has other ids now than before; old is what its current one was. */
void resmap_renamed(struct build *b, struct resmap *m, struct resource *r, const struct id *old);

#endif
