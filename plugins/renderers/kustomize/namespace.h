/* SPDX-License-Identifier: Apache-2.0 */
/* namespace.h - sets an object's namespace as the NamespaceTransformer does without field specs. */
#ifndef KUSTOMIZE_NAMESPACE_H
#define KUSTOMIZE_NAMESPACE_H

#include "kustomize.h"

pl_status namespace_set(struct build *b, struct resmap *m, struct resource *r, pl_str ns);

#endif
