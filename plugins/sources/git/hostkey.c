/* SPDX-License-Identifier: Apache-2.0 */
/*
 * known_hosts as sshd(8) describes it: "[@MARKER] HOSTS TYPE KEY [COMMENT]". HOSTS is a comma list of patterns (* ? and
 * ! in front), or one hashed name "|1|SALT|HASH"; a port other than 22 makes the name "[HOST]:PORT".
 */
#include "git.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define SHA1 20

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void git_base64(const uint8_t *in, size_t n, bool pad, char *out)
{
	for (size_t i = 0; i < n; i += 3) {
		size_t left = n - i;
		uint32_t v =
			(uint32_t)in[i] << 16 | (left > 1 ? (uint32_t)in[i + 1] << 8 : 0) | (left > 2 ? in[i + 2] : 0u);
		for (unsigned k = 0; k < 4; k++) {
			if (k <= left)
				*out++ = alphabet[v >> (18 - 6 * k) & 63];
			else if (pad)
				*out++ = '=';
		}
	}
	*out = 0;
}

/* Returns the number of bytes; 0 when it is not base64 or does not fit. */
static size_t unbase64(pl_str in, uint8_t *out, size_t max)
{
	uint32_t v = 0;
	unsigned bits = 0;
	size_t n = 0;
	while (in.n && in.p[in.n - 1] == '=')
		in.n--;
	for (size_t i = 0; i < in.n; i++) {
		const char *at = memchr(alphabet, in.p[i], 64);
		if (!at)
			return 0;
		v = v << 6 | (uint32_t)(at - alphabet);
		bits += 6;
		if (bits < 8)
			continue;
		if (n == max)
			return 0;
		bits -= 8;
		out[n++] = (uint8_t)(v >> bits);
	}
	return n;
}

void git_hostkey_type(const uint8_t *key, size_t n, char out[64])
{
	size_t len = n >= 4 ? (size_t)key[0] << 24 | (size_t)key[1] << 16 | (size_t)key[2] << 8 | key[3] : 0;
	if (len == 0 || len > n - 4 || len > 63)
		len = 0;
	for (size_t i = 0; i < len; i++)
		out[i] = isgraph(key[4 + i]) ? (char)key[4 + i] : '?';
	out[len] = 0;
}

/* ---- names ---- */

static bool glob(pl_str pattern, const char *name)
{
	const char *p = pattern.p, *end = pattern.p + pattern.n, *star = NULL, *back = NULL;
	while (*name) {
		if (p < end && *p == '*') {
			star = p++;
			back = name;
		} else if (p < end && (*p == '?' || tolower((unsigned char)*p) == *name)) {
			p++;
			name++;
		} else if (star) {
			p = star + 1;
			name = ++back;
		} else {
			return false;
		}
	}
	while (p < end && *p == '*')
		p++;
	return p == end;
}

static bool hashed_match(pl_str field, const char *name)
{
	uint8_t salt[64], want[SHA1], got[SHA1];
	pl_str s = {field.p + 3, field.n - 3};
	const char *bar = memchr(s.p, '|', s.n);
	if (!bar)
		return false;
	pl_str hash = {bar + 1, s.n - (size_t)(bar + 1 - s.p)};
	s.n = (size_t)(bar - s.p);
	size_t n = unbase64(s, salt, sizeof(salt));
	if (!n || unbase64(hash, want, SHA1) != SHA1)
		return false;
	git_hmac_sha1(salt, n, (const uint8_t *)name, strlen(name), got);
	return memcmp(want, got, SHA1) == 0;
}

static bool hosts_match(pl_str field, const char *name)
{
	bool yes = false;
	if (field.n > 3 && memcmp(field.p, "|1|", 3) == 0)
		return hashed_match(field, name);
	while (field.n) {
		const char *comma = memchr(field.p, ',', field.n);
		pl_str one = {field.p, comma ? (size_t)(comma - field.p) : field.n};
		field.p += one.n + (comma != NULL);
		field.n -= one.n + (comma != NULL);
		bool not = one.n && one.p[0] == '!';
		if (not )
			one = (pl_str){one.p + 1, one.n - 1};
		if (!one.n || !glob(one, name))
			continue;
		if (not )
			return false;
		yes = true;
	}
	return yes;
}

static char *host_name(const char *host, int port)
{
	char *name = port == 0 || port == 22 ? git_printf("%s", host) : git_printf("[%s]:%d", host, port);
	for (char *p = name; *p; p++)
		*p = (char)tolower((unsigned char)*p);
	return name;
}

/* ---- lines ---- */

struct line {
	pl_str marker, hosts, type, key;
};

static pl_str word(pl_str *s)
{
	while (s->n && (*s->p == ' ' || *s->p == '\t'))
		s->p++, s->n--;
	pl_str w = {s->p, 0};
	while (w.n < s->n && w.p[w.n] != ' ' && w.p[w.n] != '\t' && w.p[w.n] != '\r')
		w.n++;
	s->p += w.n;
	s->n -= w.n;
	return w;
}

static bool next_line(pl_str *text, pl_str *line)
{
	if (!text->n)
		return false;
	const char *end = memchr(text->p, '\n', text->n);
	*line = (pl_str){text->p, end ? (size_t)(end - text->p) : text->n};
	text->p += line->n + (end != NULL);
	text->n -= line->n + (end != NULL);
	return true;
}

static bool read_line(pl_str s, struct line *l)
{
	*l = (struct line){0};
	pl_str first = word(&s);
	if (!first.n || first.p[0] == '#')
		return false;
	if (first.p[0] == '@') {
		l->marker = first;
		first = word(&s);
	}
	l->hosts = first;
	l->type = word(&s);
	l->key = word(&s);
	return l->key.n > 0;
}

static bool is(pl_str s, const char *z)
{
	return s.n == strlen(z) && memcmp(s.p, z, s.n) == 0;
}

/* What one line of the host says of the key; a later, stronger answer replaces a weaker one. */
static enum hostkey judge(const struct line *l, const char *key, const char *type)
{
	bool same = is(l->key, key);
	if (is(l->marker, "@revoked"))
		return same ? HOSTKEY_REVOKED : HOSTKEY_UNKNOWN;
	if (is(l->marker, "@cert-authority"))
		return HOSTKEY_AUTHORITY;
	if (l->marker.n)
		return HOSTKEY_UNKNOWN;
	return same ? HOSTKEY_KNOWN : is(l->type, type) ? HOSTKEY_CHANGED : HOSTKEY_OTHER_TYPE;
}

enum hostkey git_hostkey_find(pl_str text, const struct hostkey_query *q, unsigned *line)
{
	char *name = host_name(q->host, q->port), *key = git_zalloc(4 * (q->key_len / 3 + 1) + 1), type[64];
	enum hostkey best = HOSTKEY_UNKNOWN;
	unsigned at = 0;
	pl_str one;
	git_base64(q->key, q->key_len, true, key);
	git_hostkey_type(q->key, q->key_len, type);
	*line = 0;
	while (next_line(&text, &one)) {
		struct line l;
		at++;
		if (!read_line(one, &l) || !hosts_match(l.hosts, name))
			continue;
		enum hostkey got = judge(&l, key, type);
		if (got <= best)
			continue;
		best = got;
		*line = at;
	}
	free(name);
	free(key);
	return best;
}

char *git_hostkey_lines(pl_str text, const char *host, int port)
{
	char *name = host_name(host, port), *out = git_strndup("", 0);
	pl_str one;
	while (next_line(&text, &one)) {
		struct line l;
		/* Debian's libssh2 takes RSA host keys only with SHA-1, which no current server offers: asking for it
		 * fails */
		if (!read_line(one, &l) || l.marker.n || !hosts_match(l.hosts, name) || is(l.type, "ssh-rsa"))
			continue;
		char *more = git_printf("%s%s %.*s %.*s\n", out, name, (int)l.type.n, l.type.p, (int)l.key.n, l.key.p);
		free(out);
		out = more;
	}
	free(name);
	return out;
}
