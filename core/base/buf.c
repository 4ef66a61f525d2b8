/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/buf.h"

#include "core/base/mem.h"

/* Room for n more bytes and the NUL; false when the limit stands in the way. */
static bool room(struct buf *b, size_t n)
{
	if (b->full || n > b->max || b->n > b->max - n) {
		b->full = true;
		return false;
	}
	if (!b->p || b->n + n + 1 > b->cap) {
		size_t cap = b->cap ? b->cap : 64;
		while (cap < b->n + n + 1)
			cap += cap / 2 + 16;
		b->p = mem_realloc(b->p, cap);
		b->cap = cap;
	}
	return true;
}

void buf_add(struct buf *b, pl_str s)
{
	if (!room(b, s.n))
		return;
	if (s.n)
		memcpy(b->p + b->n, s.p, s.n);
	b->n += s.n;
	b->p[b->n] = 0;
}

void buf_addz(struct buf *b, const char *z)
{
	buf_add(b, str_of(z));
}

void buf_addc(struct buf *b, char c)
{
	if (!room(b, 1))
		return;
	b->p[b->n++] = c;
	b->p[b->n] = 0;
}

void buf_addn(struct buf *b, char c, size_t times)
{
	if (!room(b, times))
		return;
	memset(b->p + b->n, c, times);
	b->n += times;
	b->p[b->n] = 0;
}

void buf_vaddf(struct buf *b, const char *fmt, va_list ap)
{
	va_list again;
	char small[256];
	va_copy(again, ap);
	int n = vsnprintf(small, sizeof small, fmt, ap);
	if (n < 0) {
		b->full = true;
	} else if ((size_t)n < sizeof small) {
		buf_add(b, (pl_str){small, (size_t)n});
	} else if (room(b, (size_t)n)) {
		vsnprintf(b->p + b->n, (size_t)n + 1, fmt, again);
		b->n += (size_t)n;
	}
	va_end(again);
}

void buf_addf(struct buf *b, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	buf_vaddf(b, fmt, ap);
	va_end(ap);
}

static void add_le(struct buf *b, uint64_t v, size_t bytes)
{
	char raw[8];
	for (size_t i = 0; i < bytes; i++)
		raw[i] = (char)(unsigned char)(v >> (8 * i));
	buf_add(b, (pl_str){raw, bytes});
}

void buf_add_u32(struct buf *b, uint32_t v)
{
	add_le(b, v, 4);
}

void buf_add_u64(struct buf *b, uint64_t v)
{
	add_le(b, v, 8);
}

void buf_add_str(struct buf *b, pl_str s)
{
	if (s.n > UINT32_MAX) {
		b->full = true;
		return;
	}
	buf_add_u32(b, (uint32_t)s.n);
	buf_add(b, s);
}

void buf_clear(struct buf *b)
{
	b->n = 0;
	b->full = false;
	if (b->p)
		b->p[0] = 0;
}

void buf_free(struct buf *b)
{
	size_t max = b->max;
	free(b->p);
	*b = BUF_INIT(max);
}

char *buf_detach(struct buf *b, size_t *n)
{
	if (!b->p)
		buf_add(b, (pl_str){NULL, 0});
	char *p = b->p ? b->p : mem_zalloc(1);
	size_t max = b->max;
	if (n)
		*n = b->n;
	*b = BUF_INIT(max);
	return p;
}

void buf_cut(struct buf *b, size_t n)
{
	if (n < b->n) {
		b->n = n;
		b->p[n] = 0;
	}
}

bool buf_full(const struct buf *b)
{
	return b->full;
}

static uint64_t read_le(struct reader *r, size_t bytes)
{
	if (r->bad || r->n < bytes) {
		r->bad = true;
		return 0;
	}
	uint64_t v = 0;
	for (size_t i = 0; i < bytes; i++)
		v |= (uint64_t)(unsigned char)r->p[i] << (8 * i);
	r->p += bytes;
	r->n -= bytes;
	return v;
}

uint32_t read_u32(struct reader *r)
{
	return (uint32_t)read_le(r, 4);
}

uint64_t read_u64(struct reader *r)
{
	return read_le(r, 8);
}

pl_str read_str(struct reader *r)
{
	uint32_t n = read_u32(r);
	if (r->bad || r->n < n) {
		r->bad = true;
		return (pl_str){NULL, 0};
	}
	pl_str s = {r->p, n};
	r->p += n;
	r->n -= n;
	return s;
}
