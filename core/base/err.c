/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/err.h"

#include "core/base/mem.h"

#include <errno.h>

/* Long enough for any chain, short enough that a hostile input can't fill a log with one line. */
enum { TEXT_MAX = 16 * 1024 };

static const char *const status_names[] = {
	[PL_OK] = "ok",
	[PL_EINVAL] = "invalid",
	[PL_ENOTFOUND] = "not found",
	[PL_EEXIST] = "already exists",
	[PL_ETOOBIG] = "too big",
	[PL_ETIMEOUT] = "timed out",
	[PL_ECANCELLED] = "cancelled",
	[PL_EIO] = "input or output failed",
	[PL_EAUTH] = "not authorised",
	[PL_EUNAVAILABLE] = "unavailable",
	[PL_ECONFLICT] = "conflict",
	[PL_EDENIED] = "denied",
	[PL_EPLUGIN] = "plugin fault",
	[PL_ECRASHED] = "crashed",
	[PL_EUNSUPPORTED] = "unsupported",
	[PL_EBUSY] = "busy",
	[PL_EINTERNAL] = "internal error",
};

const char *pl_status_name(pl_status code)
{
	size_t n = sizeof status_names / sizeof *status_names;
	return code >= 0 && (size_t)code < n ? status_names[code] : "unknown status";
}

pl_err *pl_err_new(void)
{
	return mem_zalloc(sizeof(struct pl_err));
}

void err_clear(struct pl_err *e)
{
	free(e->file);
	buf_free(&e->msg);
	buf_free(&e->hint);
	buf_free(&e->text);
	*e = (struct pl_err)ERR_INIT;
}

void pl_err_free(pl_err *e)
{
	if (!e)
		return;
	err_clear(e);
	free(e);
}

/* What a hostile input makes too long is cut, but never dropped. */
static void shorten(struct buf *b)
{
	static const char dots[] = "…";
	size_t n = TEXT_MAX - sizeof dots;
	if (b->n <= TEXT_MAX)
		return;
	while (n && ((unsigned char)b->p[n] & 0xc0) == 0x80) /* not within a character */
		n--;
	buf_cut(b, n);
	buf_addz(b, dots);
}

/* The arguments may point into what e holds, so the new text is made before the old one goes. */
static PL_PRINTF(4, 0) pl_status set(struct pl_err *e, pl_status code, pl_place at, const char *fmt, va_list ap)
{
	if (!e)
		return code;
	struct buf msg = BUF_INIT(SIZE_MAX / 4);
	buf_vaddf(&msg, fmt, ap);
	shorten(&msg);
	char *file = at.file ? str_dup(str_of(at.file)) : NULL;
	err_clear(e);
	e->code = code;
	e->file = file;
	e->line = at.line;
	e->col = at.col;
	e->msg = msg;
	return code;
}

/* The names of the makers are in brackets because lint has macros for them, see tests/lint.h. */
pl_status(pl_err_set)(pl_err *e, pl_status code, pl_place at, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	set(e, code, at, fmt, ap);
	va_end(ap);
	return code;
}

pl_status(err_set)(struct pl_err *e, pl_status code, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	set(e, code, NOWHERE, fmt, ap);
	va_end(ap);
	return code;
}

static const struct {
	int error;
	pl_status code;
} errno_codes[] = {
	{ENOENT, PL_ENOTFOUND},
	{ENOTDIR, PL_ENOTFOUND},
	{EEXIST, PL_EEXIST},
	{EACCES, PL_EDENIED},
	{EPERM, PL_EDENIED},
	{ETIMEDOUT, PL_ETIMEOUT},
	{ECONNREFUSED, PL_EUNAVAILABLE},
	{EFBIG, PL_ETOOBIG},
	{ENAMETOOLONG, PL_EINVAL},
	{EWOULDBLOCK, PL_EBUSY},
};

pl_status(err_errno)(struct pl_err *e, int error, const char *fmt, ...)
{
	pl_status code = PL_EIO;
	for (size_t i = 0; i < sizeof errno_codes / sizeof *errno_codes; i++)
		if (errno_codes[i].error == error)
			code = errno_codes[i].code;
	va_list ap;
	va_start(ap, fmt);
	set(e, code, NOWHERE, fmt, ap);
	va_end(ap);
	if (e)
		buf_addf(&e->msg, ": %s", strerrordesc_np(error) ? strerrordesc_np(error) : "unknown error");
	return code;
}

pl_status pl_err_in(pl_err *e, const char *fmt, ...)
{
	if (!e)
		return PL_EINTERNAL;
	struct buf b = BUF_INIT(SIZE_MAX / 4);
	va_list ap;
	va_start(ap, fmt);
	buf_vaddf(&b, fmt, ap);
	va_end(ap);
	buf_addz(&b, ": ");
	buf_add(&b, buf_str(&e->msg));
	shorten(&b);
	buf_free(&e->msg);
	e->msg = b;
	return e->code;
}

void pl_err_hint(pl_err *e, const char *fmt, ...)
{
	if (!e)
		return;
	struct buf b = BUF_INIT(SIZE_MAX / 4);
	va_list ap;
	va_start(ap, fmt);
	buf_vaddf(&b, fmt, ap);
	va_end(ap);
	shorten(&b);
	buf_free(&e->hint);
	e->hint = b;
}

pl_status pl_err_code(const pl_err *e)
{
	return e ? e->code : PL_EINTERNAL;
}

pl_place pl_err_place(const pl_err *e)
{
	return e ? (pl_place){e->file, e->line, e->col} : NOWHERE;
}

const char *pl_err_text(const pl_err *e)
{
	if (!e)
		return "unknown error";
	/* The cached text is the one thing a reader changes; an error belongs to one thread. */
	struct buf b = BUF_INIT(SIZE_MAX / 4);
	if (e->file) {
		buf_addf(&b, "%s:", e->file);
		if (e->line)
			buf_addf(&b, "%u:", e->line);
		if (e->line && e->col)
			buf_addf(&b, "%u:", e->col);
		buf_addc(&b, ' ');
	}
	buf_add(&b, e->msg.n ? buf_str(&e->msg) : str_of(pl_status_name(e->code)));
	if (e->hint.n)
		buf_addf(&b, " (%s)", e->hint.p);
	struct pl_err *mut = (struct pl_err *)(uintptr_t)e;
	if (e->text.p && str_eq(buf_str(&e->text), buf_str(&b))) { /* an earlier caller's is still valid */
		buf_free(&b);
		return e->text.p;
	}
	buf_free(&mut->text);
	mut->text = b;
	return b.p ? b.p : "";
}

void err_copy(struct pl_err *to, const struct pl_err *from)
{
	if (!to || to == from)
		return;
	err_clear(to);
	to->code = from->code;
	to->file = from->file ? str_dup(str_of(from->file)) : NULL;
	to->line = from->line;
	to->col = from->col;
	to->msg = BUF_INIT(SIZE_MAX / 4);
	buf_add(&to->msg, buf_str(&from->msg));
	to->hint = BUF_INIT(SIZE_MAX / 4);
	if (from->hint.n)
		buf_add(&to->hint, buf_str(&from->hint));
}

void err_pack(const struct pl_err *e, struct buf *b)
{
	buf_add_u32(b, (uint32_t)e->code);
	buf_add_u32(b, e->line);
	buf_add_u32(b, e->col);
	buf_add_str(b, str_of(e->file));
	buf_add_str(b, buf_str(&e->msg));
	buf_add_str(b, buf_str(&e->hint));
}

void err_unpack(struct pl_err *e, struct reader *r)
{
	err_clear(e);
	e->code = (pl_status)read_u32(r);
	e->line = read_u32(r);
	e->col = read_u32(r);
	pl_str file = read_str(r), msg = read_str(r), hint = read_str(r);
	if (file.n && memchr(file.p, 0, file.n)) /* no name of a file */
		r->bad = true;
	e->file = file.n ? str_dup(file) : NULL;
	e->msg = BUF_INIT(SIZE_MAX / 4);
	buf_add(&e->msg, msg);
	shorten(&e->msg);
	e->hint = BUF_INIT(SIZE_MAX / 4);
	if (hint.n)
		buf_add(&e->hint, hint);
	shorten(&e->hint);
}

struct pl_err *err_list_add(struct err_list *l)
{
	size_t max = l->max ? l->max : 50;
	if (l->n == max) { /* the last one is overwritten, so that the caller can always fill one */
		l->more++;
		err_clear(&l->v[l->n - 1]);
		return &l->v[l->n - 1];
	}
	l->v = mem_grow(l->v, &l->cap, l->n + 1, sizeof *l->v);
	l->v[l->n] = (struct pl_err)ERR_INIT;
	return &l->v[l->n++];
}

void err_list_free(struct err_list *l)
{
	for (size_t i = 0; i < l->n; i++)
		err_clear(&l->v[i]);
	free(l->v);
	*l = (struct err_list){.max = l->max};
}

void bug_at(const char *file, int line, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	fprintf(stderr, "plumb: BUG: %s:%d: ", file, line);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
	va_end(ap);
	abort();
}
