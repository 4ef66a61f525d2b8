/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include "core/base/str.h"

int64_t clock_mono_ms(void); /* for waits and time-outs */
int64_t clock_mono_us(void);
int64_t clock_wall_ms(void); /* Unix time, for people and records */

#define CLOCK_TEXT 32
/* RFC 3339 in UTC with seconds: 2026-11-22T22:39:11Z. to holds CLOCK_TEXT bytes. Returns to. */
const char *clock_text(int64_t wall_ms, char *to);
/* "4s", "3m12s", "2h5m", "3d4h" as people read ages; to holds CLOCK_TEXT bytes. */
const char *clock_age(int64_t ms, char *to);
/* Go's duration syntax ("3m", "1h30m", "500ms", "1.5s"), or a bare number of seconds; else PL_EINVAL. */
pl_status clock_duration(pl_str text, int64_t *ms, struct pl_err *e);

#endif
