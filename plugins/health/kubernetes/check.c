/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void say_text(struct check *c, uint32_t health, pl_str text)
{
	c->out->health = health;
	c->out->message = text;
}

void say(struct check *c, uint32_t health, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);

	int n = vsnprintf(NULL, 0, fmt, ap);

	va_end(ap);

	size_t size = n > 0 ? (size_t)n + 1 : 1;
	char *text = c->host->alloc(c->host->ctx, size);

	va_start(ap, fmt);
	if (vsnprintf(text, size, fmt, ap) < 0)
		text[0] = '\0';
	va_end(ap);
	say_text(c, health, (pl_str){text, size - 1});
}

bool text_is(pl_str s, const char *z)
{
	return s.n == strlen(z) && (s.n == 0 || memcmp(s.p, z, s.n) == 0);
}

bool text_starts(pl_str s, const char *z)
{
	size_t n = strlen(z);

	return s.n >= n && memcmp(s.p, z, n) == 0;
}

bool text_ends(pl_str s, const char *z)
{
	size_t n = strlen(z);

	return s.n >= n && memcmp(s.p + s.n - n, z, n) == 0;
}

static void wrong(struct check *c, const char *where, const char *key, const char *want)
{
	if (!c->wrong[0])
		snprintf(c->wrong, sizeof(c->wrong), "%s%s is not %s", where, key, want);
}

/* The value when it is there, is not null, and is of that kind. */
static const pl_node *get(struct check *c, const pl_node *map, const char *where, const char *key, int kind,
			  const char *want)
{
	const pl_node *n = pl_kind(map) == PL_MAP ? pl_gets(map, key) : NULL;

	if (!n || pl_kind(n) == PL_NULL)
		return NULL;
	if (pl_kind(n) == kind)
		return n;
	wrong(c, where, key, want);
	return NULL;
}

bool present(const pl_node *map, const char *key)
{
	const pl_node *n = pl_kind(map) == PL_MAP ? pl_gets(map, key) : NULL;

	return n && pl_kind(n) != PL_NULL;
}

const pl_node *map_at(struct check *c, const pl_node *map, const char *where, const char *key)
{
	return get(c, map, where, key, PL_MAP, "a map");
}

const pl_node *list_at(struct check *c, const pl_node *map, const char *where, const char *key)
{
	return get(c, map, where, key, PL_LIST, "a list");
}

int64_t int_at(struct check *c, const pl_node *map, const char *where, const char *key)
{
	const pl_node *n = get(c, map, where, key, PL_NUMBER, "a whole number");
	int64_t value = 0;

	if (n && pl_int(n, &value) != PL_OK) {
		wrong(c, where, key, "a whole number");
		value = 0;
	}
	return value;
}

pl_str text_at(struct check *c, const pl_node *map, const char *where, const char *key)
{
	const pl_node *n = get(c, map, where, key, PL_STRING, "a string");

	return n ? pl_text(n) : (pl_str){NULL, 0};
}

bool true_at(struct check *c, const pl_node *map, const char *where, const char *key)
{
	const pl_node *n = get(c, map, where, key, PL_BOOL, "true or false");

	return n && pl_bool(n);
}

const pl_node *condition(struct check *c, const char *type)
{
	const pl_node *all = list_at(c, c->status, "status.", "conditions");

	for (size_t i = 0; i < pl_len(all); i++)
		if (text_is(condition_text(c, pl_item(all, i), "type"), type))
			return pl_item(all, i);
	return NULL;
}

pl_str condition_text(struct check *c, const pl_node *one, const char *key)
{
	return text_at(c, one, "status.conditions[].", key);
}

const char *quoted(struct check *c, pl_str s)
{
	char *text = c->host->alloc(c->host->ctx, s.n * 4 + 3);
	char *to = text;

	*to++ = '"';
	for (size_t i = 0; i < s.n; i++) {
		unsigned char byte = (unsigned char)s.p[i];

		if (byte == '"' || byte == '\\')
			*to++ = '\\';
		if (byte < 0x20 || byte == 0x7f)
			to += snprintf(to, 5, "\\x%02x", byte);
		else
			*to++ = s.p[i];
	}
	*to++ = '"';
	*to = '\0';
	return text;
}

uint32_t phase_health(const struct phase *rows, pl_str phase, uint32_t otherwise)
{
	for (; rows->name; rows++)
		if (text_is(phase, rows->name))
			return rows->health;
	return otherwise;
}
