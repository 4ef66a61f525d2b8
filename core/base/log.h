/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Log lines to a descriptor: "TIME LEVEL MESSAGE key=value …" or one JSON object a line. A line is
 * written by one write(), so lines of several threads never mix. Secrets are never logged: callers
 * pass names, not values.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "core/base/str.h"

enum log_level { LOG_DEBUG = 0, LOG_INFO = 1, LOG_WARN = 2, LOG_ERROR = 3 };

struct log {
	int fd;
	enum log_level level; /* lines below are dropped */
	bool json;
};

/* app may be empty. l may be NULL: nothing is written. */
void log_line(const struct log *l, enum log_level level, pl_str app, const char *fmt, ...) PL_PRINTF(4, 5);
const char *log_level_name(enum log_level level);

#endif
