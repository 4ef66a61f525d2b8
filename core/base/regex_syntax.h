/* SPDX-License-Identifier: Apache-2.0 */
/* Where Go's syntax and RE2's differ, and which patterns need no engine at all. */
#ifndef BASE_REGEX_SYNTAX_H
#define BASE_REGEX_SYNTAX_H

#include "core/base/buf.h"

/* Does pattern match nothing but itself? */
bool regex_is_literal(pl_str pattern);

/* At least as many as \pX, \PX and \p{Name} are in pattern. */
size_t regex_unicode_classes(pl_str pattern);

/*
 * Appends pattern as RE2 has to get it for what Go reads: (?<name>…) becomes (?P<name>…). NULL when it is in order so
 * far, else what Go refuses and RE2 would not; *part is the piece of pattern that it is about.
 */
const char *regex_from_go(pl_str pattern, struct buf *out, pl_str *part);

#endif
