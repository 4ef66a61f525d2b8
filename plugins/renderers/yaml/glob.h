/* SPDX-License-Identifier: Apache-2.0 */
#ifndef YAML_GLOB_H
#define YAML_GLOB_H

#include "plumb/error.h"

/*
 * Does path match? `*` and `?` stay within a step, `**` crosses slashes, `[a-z]` and `[!a-z]` are sets, `\` takes the
 * next character as it is. A pattern without a slash is matched against the last step alone.
 */
int glob_matches(pl_str pattern, pl_str path);

#endif
