/* SPDX-License-Identifier: Apache-2.0 */
/* Single values: what each kind of setting accepts, and what is said of the rest. */
#include "core/config/load.h"

#include "core/base/clock.h"
#include "core/base/file.h"

#include <arpa/inet.h>

const char *kind_word(const pl_node *n)
{
	switch (pl_kind(n)) {
	case PL_NULL:
		return "nothing";
	case PL_BOOL:
		return "true or false";
	case PL_NUMBER:
		return "a number";
	case PL_STRING:
		return "a text";
	case PL_LIST:
		return "a list";
	case PL_MAP:
		return "a map";
	default:
		return "something else";
	}
}

static bool wrong_kind(struct load *l, const char *what, const pl_node *n, const char *want)
{
	struct pl_err *e = mistake(l, n, "'%s' must be %s, not %s", what, want, kind_word(n));
	int kind = pl_kind(n);
	/* YAML reads yes, 1.10 and 0644 as something else than they look like. */
	if ((kind == PL_BOOL || kind == PL_NUMBER) && strcmp(want, "a text") == 0)
		pl_err_hint(e, "quote it: \"%.*s\"", F(pl_text(n)));
	return false;
}

static bool control_free(pl_str s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7f)
			return false;
	return true;
}

bool value_string(struct load *l, const char *what, const pl_node *n, pl_str *out)
{
	if (pl_kind(n) != PL_STRING)
		return wrong_kind(l, what, n, "a text");
	pl_str s = pl_text(n);
	if (!control_free(s)) {
		mistake(l, n, "'%s' has a line break or another control character in it", what);
		return false;
	}
	*out = arena_dup(l->a, s);
	return true;
}

static bool name_byte(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

bool name_ok(pl_str name)
{
	if (name.n == 0 || name.n > 253 || !name_byte(name.p[0]) || !name_byte(name.p[name.n - 1]))
		return false;
	for (size_t i = 0; i < name.n; i++) {
		char c = name.p[i];
		if (!name_byte(c) && c != '-' && c != '.')
			return false;
		if (c == '.' && name.p[i - 1] == '.')
			return false;
	}
	return true;
}

bool value_name(struct load *l, const char *what, const pl_node *n, pl_str *out)
{
	if (!value_string(l, what, n, out))
		return false;
	if (name_ok(*out))
		return true;
	struct pl_err *e = mistake(l, n, "'%s' can't be a %s", out->p, what);
	pl_err_hint(e, "lower-case letters, digits, '-' and '.', at most 253, a letter or digit at both ends");
	return false;
}

/* "a//b/./c/" is "a/b/c"; steps upwards are refused: nothing outside the source is ever read. */
bool value_tree_path(struct load *l, const char *what, const pl_node *n, pl_str *out)
{
	pl_str text, step;
	if (!value_string(l, what, n, &text))
		return false;
	struct buf b = BUF_INIT(4096);
	pl_str rest = text;
	while (rest.n) {
		str_cut(rest, '/', &step, &rest);
		if (str_eq(step, S(".."))) {
			mistake(l, n, "'%s' must not climb with '..': \"%s\"", what, text.p);
			buf_free(&b);
			return false;
		}
		if (step.n == 0 || str_eq(step, S(".")))
			continue;
		if (b.n)
			buf_addc(&b, '/');
		buf_add(&b, step);
	}
	bool fits = !buf_full(&b);
	if (fits)
		*out = arena_dup(l->a, buf_str(&b));
	else
		mistake(l, n, "'%s' is longer than %zu bytes", what, b.max);
	buf_free(&b);
	return fits;
}

bool value_duration(struct load *l, const char *what, const pl_node *n, int64_t *out)
{
	struct pl_err e = ERR_INIT;
	int64_t ms = 0;
	if (pl_kind(n) != PL_STRING && pl_kind(n) != PL_NUMBER)
		return wrong_kind(l, what, n, "a duration like 30s, 3m or 1h30m");
	bool ok = clock_duration(pl_text(n), &ms, &e) == PL_OK && ms > 0;
	err_clear(&e);
	if (ok) {
		*out = ms;
		return true;
	}
	struct pl_err *told = mistake(l, n, "'%s' must be a duration above zero, not \"%.*s\"", what, F(pl_text(n)));
	pl_err_hint(told, "write it like 30s, 3m or 1h30m");
	return false;
}

bool value_int(struct load *l, const char *what, const pl_node *n, int64_t *out)
{
	if (pl_kind(n) == PL_NUMBER && pl_int(n, out) == PL_OK)
		return true;
	return wrong_kind(l, what, n, "a whole number");
}

bool value_bool(struct load *l, const char *what, const pl_node *n, bool *out)
{
	if (pl_kind(n) != PL_BOOL)
		return wrong_kind(l, what, n, "true or false");
	*out = pl_bool(n) != 0;
	return true;
}

static bool host_ok(pl_str host)
{
	char text[INET6_ADDRSTRLEN + 1];
	unsigned char address[16];
	if (host.n > 2 && host.p[0] == '[' && host.p[host.n - 1] == ']') {
		if (host.n - 2 >= sizeof text)
			return false;
		snprintf(text, sizeof text, "%.*s", (int)host.n - 2, host.p + 1);
		return inet_pton(AF_INET6, text, address) == 1;
	}
	for (size_t i = 0; i < host.n; i++)
		if (!name_byte((char)(host.p[i] | 0x20)) && !strchr(".-", host.p[i]))
			return false;
	return host.n > 0;
}

static bool port_ok(pl_str port)
{
	long v = 0;
	for (size_t i = 0; i < port.n; i++) {
		if (port.p[i] < '0' || port.p[i] > '9' || port.n > 5)
			return false;
		v = v * 10 + (port.p[i] - '0');
	}
	return port.n > 0 && v <= 65535;
}

bool value_listen(struct load *l, const char *what, const pl_node *n, pl_str *out)
{
	pl_str s;
	if (!value_string(l, what, n, &s))
		return false;
	size_t colon = s.n;
	while (colon > 0 && s.p[colon - 1] != ':')
		colon--;
	pl_str host = {s.p, colon ? colon - 1 : 0}, port = {s.p + colon, s.n - colon};
	if (colon && host_ok(host) && port_ok(port)) {
		*out = s;
		return true;
	}
	struct pl_err *e = mistake(l, n, "'%s' must be HOST:PORT, not \"%s\"", what, s.p);
	pl_err_hint(e, "127.0.0.1:7586 for this machine only, 0.0.0.0:7586 for all");
	return false;
}

/* A service without HOME gets an error: guessing another folder would hide it. */
static const char *home(void)
{
	const char *h = getenv("HOME");
	return h && *h == '/' ? h : "";
}

/* Taken apart and put together again without "." and empty steps; ".." is left to the system, which knows about links.
 */
static pl_str clean_path(struct load *l, const char *path)
{
	struct buf b = BUF_INIT(8192);
	pl_str rest = str_of(path), step;
	while (rest.n) {
		str_cut(rest, '/', &step, &rest);
		if (step.n && !str_eq(step, S("."))) {
			buf_addc(&b, '/');
			buf_add(&b, step);
		}
	}
	if (b.n == 0)
		buf_addc(&b, '/');
	pl_str out = arena_dup(l->a, buf_str(&b));
	buf_free(&b);
	return out;
}

bool value_file(struct load *l, const char *what, const pl_node *n, pl_str *out)
{
	pl_str s;
	if (!value_string(l, what, n, &s))
		return false;
	if (s.n == 0) {
		mistake(l, n, "'%s' is empty", what);
		return false;
	}
	char *path;
	if (s.p[0] == '~' && (s.n == 1 || s.p[1] == '/')) {
		if (!*home()) {
			mistake(l, n, "'%s' starts with '~', and HOME is not set", what);
			return false;
		}
		path = path_join(home(), s.n > 2 ? s.p + 2 : ".");
	} else {
		path = path_join(l->file->dir, s.p);
	}
	*out = clean_path(l, path);
	free(path);
	return true;
}

bool value_digest(struct load *l, const char *what, const pl_node *n, pl_str *out)
{
	pl_str s;
	if (!value_string(l, what, n, &s))
		return false;
	bool ok = s.n == 64;
	for (size_t i = 0; i < s.n && ok; i++)
		ok = strchr("0123456789abcdef", s.p[i]) != NULL;
	if (ok)
		*out = s;
	else
		mistake(l, n, "'%s' must be 64 lower-case hex digits", what);
	return ok;
}

bool value_use(struct load *l, const char *what, bool bare, const pl_node *n, struct config_use *out)
{
	out->at = pl_at(l->doc, n);
	out->options = NULL;
	if (bare && pl_kind(n) == PL_STRING)
		return value_name(l, what, n, &out->plugin);
	if (pl_kind(n) != PL_MAP)
		return wrong_kind(l, what, n,
				  bare ? "a plugin's name, or a map of its name and its options"
				       : "a map of a plugin's name and its options");
	if (pl_len(n) != 1) {
		struct pl_err *e =
			mistake(l, pl_len(n) ? pl_key(n, 1) : n, "'%s' must name one plugin, not %zu", what, pl_len(n));
		if (bare && pl_len(n))
			pl_err_hint(e, "write several steps as a list");
		return false;
	}
	const pl_node *options = pl_value(n, 0);
	if (!value_name(l, "plugin name", pl_key(n, 0), &out->plugin))
		return false;
	if (pl_kind(options) != PL_MAP && pl_kind(options) != PL_NULL)
		return wrong_kind(l, out->plugin.p, options, "a map of options");
	out->options = pl_kind(options) == PL_MAP ? options : NULL;
	return true;
}
