/* SPDX-License-Identifier: Apache-2.0 */
/*
 * budget.h - how large and how deep a build may make what it copies.
 *
 * What is read has the reader's limits. But a patch, a replacement or a var may copy a part of an object into itself,
 * and do so again: forty lines double it to more than there is memory, or nest it deeper than a walk has stack.
 */
#ifndef KUSTOMIZE_BUDGET_H
#define KUSTOMIZE_BUDGET_H

#include "kustomize.h"

/* Levels of an object, as a reader allows them; what a path makes counts too. */
enum { OBJECT_DEPTH_MAX = 512 };

/* Bytes of text that the build makes. at: who wants them. PL_ETOOBIG when all together are too many. */
pl_status budget_text(struct build *b, const pl_node *at, uint64_t bytes);
/* How many more may be made. */
uint64_t budget_left(const struct build *b);
/* n is to be put `depth` levels below an object's root: PL_ETOOBIG when that gets too deep. */
pl_status budget_depth(struct build *b, const pl_node *at, const pl_node *n, size_t depth);
/* The same for a copy of n, which is counted. */
pl_status budget_copy(struct build *b, const pl_node *at, const pl_node *n, size_t depth);

#endif
