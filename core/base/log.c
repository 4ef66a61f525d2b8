/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/log.h"

#include "core/base/buf.h"
#include "core/base/clock.h"

#include <stdarg.h>
#include <unistd.h>

enum { LINE_MAX_BYTES = 8 * 1024 };

static const char *const level_names[] = {"debug", "info", "warn", "error"};

const char *log_level_name(enum log_level level)
{
	return level <= LOG_ERROR ? level_names[level] : "?";
}

/* Control characters would let a hostile text forge lines or move a terminal's cursor. */
static void add_plain(struct buf *b, pl_str s)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		if (c == '\n')
			buf_addz(b, "\\n");
		else if (c < 0x20 || c == 0x7f)
			buf_addf(b, "\\x%02x", c);
		else
			buf_addc(b, (char)c);
	}
}

static void add_json(struct buf *b, pl_str s)
{
	buf_addc(b, '"');
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		if (c == '"' || c == '\\')
			buf_addf(b, "\\%c", c);
		else if (c < 0x20 || c == 0x7f)
			buf_addf(b, "\\u%04x", c);
		else
			buf_addc(b, (char)c);
	}
	buf_addc(b, '"');
}

void log_line(const struct log *l, enum log_level level, pl_str app, const char *fmt, ...)
{
	if (!l || level < l->level)
		return;
	char now[CLOCK_TEXT];
	struct buf msg = BUF_INIT(LINE_MAX_BYTES), b = BUF_INIT(8 * LINE_MAX_BYTES);
	va_list ap;
	va_start(ap, fmt);
	buf_vaddf(&msg, fmt, ap);
	va_end(ap);
	clock_text(clock_wall_ms(), now);
	if (l->json) {
		buf_addf(&b, "{\"time\":\"%s\",\"level\":\"%s\",", now, log_level_name(level));
		if (app.n) {
			buf_addz(&b, "\"app\":");
			add_json(&b, app);
			buf_addc(&b, ',');
		}
		buf_addz(&b, "\"msg\":");
		add_json(&b, buf_str(&msg));
		buf_addc(&b, '}');
	} else {
		buf_addf(&b, "%s %-5s ", now, log_level_name(level));
		if (app.n) {
			add_plain(&b, app);
			buf_addz(&b, ": ");
		}
		add_plain(&b, buf_str(&msg));
	}
	buf_addc(&b, '\n');
	ssize_t n = write(l->fd, b.p, b.n); /* a log that can't be written has nowhere to be reported */
	(void)n;
	buf_free(&msg);
	buf_free(&b);
}
