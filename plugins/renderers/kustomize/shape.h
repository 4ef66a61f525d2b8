/* SPDX-License-Identifier: Apache-2.0 */
/* shape.h - which fields a structure of a kustomization file has, and what they hold. */
#ifndef KUSTOMIZE_SHAPE_H
#define KUSTOMIZE_SHAPE_H

#include "kustomize.h"

struct shape;
extern const struct shape shape_kustomization;

/*
 * Checks node against the shape. Fields are found whatever their case, as the reference finds them: *out is node, or a
 * map with the fields' right names. Fields that are null are left out. An unknown field or a value of a wrong kind is
 * an error at its place.
 */
pl_status shape_check(struct build *b, const struct shape *s, pl_node *node, pl_node **out);

#endif
