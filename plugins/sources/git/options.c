/* SPDX-License-Identifier: Apache-2.0 */
/* The options: what plumb.yaml may say below `git:`, and which forms of url there are. */
#include "git.h"

#include <stdlib.h>
#include <string.h>

struct scheme {
	const char *prefix;
	enum url_kind kind;
	bool user_allowed;
};

static const struct scheme schemes[] = {
	{"file://", URL_LOCAL, false},	{"git://", URL_GIT, false}, {"http://", URL_HTTP, false},
	{"https://", URL_HTTPS, false}, {"ssh://", URL_SSH, true},  {"git+ssh://", URL_SSH, true},
	{"ssh+git://", URL_SSH, true},
};

static pl_status bad_url(const pl_host *h, const char *url, const char *why)
{
	return git_fail(h, PL_EINVAL, "url '%s' %s", url, why);
}

/* HOST[:PORT] or [V6]:PORT */
static pl_status read_host(const pl_host *h, struct git_options *o, const char *p, size_t n)
{
	const char *end = p + n, *host = p, *host_end, *port = NULL;
	if (n && *p == '[') {
		host++;
		host_end = memchr(p, ']', n);
		if (!host_end)
			return bad_url(h, o->url, "has a '[' without ']'");
		if (host_end + 1 < end && host_end[1] == ':')
			port = host_end + 2;
	} else {
		const char *colon = memchr(p, ':', n);
		host_end = colon ? colon : end;
		port = colon ? colon + 1 : NULL;
	}
	if (host_end == host)
		return bad_url(h, o->url, "names no host");
	o->host = git_strndup(host, (size_t)(host_end - host));
	long v = 0;
	for (; port && port < end; port++) {
		if (*port < '0' || *port > '9' || (v = v * 10 + (*port - '0')) > 65535)
			return bad_url(h, o->url, "has a port that is not a number from 1 to 65535");
	}
	o->port = (int)v;
	return PL_OK;
}

static pl_status read_authority(const pl_host *h, struct git_options *o, const struct scheme *s)
{
	const char *p = o->url + strlen(s->prefix);
	size_t n = strcspn(p, "/?#");
	const char *at = memrchr(p, '@', n);
	if (at) {
		bool password = memchr(p, ':', (size_t)(at - p)) != NULL;
		if (password || !s->user_allowed)
			return bad_url(h, o->url,
				       "holds credentials, which would end up in logs and process lists (name them "
				       "below 'credentials' instead)");
		n -= (size_t)(at + 1 - p);
		p = at + 1;
	}
	if (s->kind == URL_LOCAL) {
		if (n && !(n == 9 && memcmp(p, "localhost", 9) == 0))
			return bad_url(h, o->url, "names a host, but file:// is of this machine (write file:///path)");
		return PL_OK;
	}
	return read_host(h, o, p, n);
}

/* user@host:path: a colon before the first slash. */
static pl_status read_scp(const pl_host *h, struct git_options *o)
{
	const char *colon = strchr(o->url, ':');
	const char *at = colon ? memrchr(o->url, '@', (size_t)(colon - o->url)) : NULL;
	if (!colon || strcspn(o->url, "/") < (size_t)(colon - o->url) || colon == o->url || !colon[1])
		return bad_url(
			h, o->url,
			"is neither a url nor an absolute path (give https://…, ssh://…, user@host:path, git://…, "
			"file:///… or /path)");
	if (!at)
		return bad_url(h, o->url, "has no user (write git@host:path or ssh://…)");
	o->kind = URL_SSH;
	return read_host(h, o, at + 1, (size_t)(colon - at - 1));
}

static pl_status read_url(const pl_host *h, struct git_options *o)
{
	for (const unsigned char *p = (const unsigned char *)o->url; *p; p++)
		if (*p < 0x20 || *p == 0x7f)
			return bad_url(h, o->url, "holds a control character");
	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
		if (strncmp(o->url, schemes[i].prefix, strlen(schemes[i].prefix)) != 0)
			continue;
		o->kind = schemes[i].kind;
		return read_authority(h, o, &schemes[i]);
	}
	if (*o->url == '/') {
		o->kind = URL_LOCAL;
		return PL_OK;
	}
	const char *sep = strstr(o->url, "://");
	if (sep)
		return git_fail(h, PL_EUNSUPPORTED,
				"url '%s' has the scheme '%.*s', which is not one of https, http, ssh, git, file",
				o->url, (int)(sep - o->url), o->url);
	return read_scp(h, o);
}

/*
 * libgit2 puts the path between quotes into the command that the server's shell runs, and does not look what is in it:
 * a quote would let whoever writes a kustomization run commands there with our key.
 */
static pl_status check_ssh_path(const pl_host *h, const struct git_options *o)
{
	if (o->kind == URL_SSH && (strchr(o->url, '\'') || strstr(o->url, "%27")))
		return bad_url(h, o->url, "holds a single quote, which no path that is asked for by ssh may");
	return PL_OK;
}

static char *text_of(const pl_node *map, const char *key)
{
	pl_str s = pl_text(pl_gets(map, key));
	return pl_gets(map, key) ? git_strndup(s.p, s.n) : NULL;
}

/* The secret of FILE or ENV, by name. */
static pl_status secret_of(const pl_host *h, const pl_node *map, const char *file, const char *env, char **out)
{
	pl_str f = pl_text(pl_gets(map, file)), v = env ? pl_text(pl_gets(map, env)) : (pl_str){NULL, 0};
	if (f.n && v.n)
		return git_fail(h, PL_EINVAL, "credentials have both %s and %s (give one)", file, env);
	if (f.n)
		*out = git_printf("file:%.*s", (int)f.n, f.p);
	if (v.n)
		*out = git_printf("env:%.*s", (int)v.n, v.p);
	return PL_OK;
}

static pl_status read_credentials(const pl_host *h, const pl_node *c, struct git_options *o)
{
	pl_status st = secret_of(h, c, "tokenFile", "tokenEnv", &o->token);
	if (!st)
		st = secret_of(h, c, "passwordFile", "passwordEnv", &o->password);
	if (!st)
		st = secret_of(h, c, "usernameFile", NULL, &o->username_file);
	if (!st)
		st = secret_of(h, c, "sshKeyPassphraseFile", NULL, &o->ssh_passphrase);
	if (st)
		return st;
	o->username = text_of(c, "username");
	o->ssh_key_file = text_of(c, "sshKeyFile");
	o->known_hosts = text_of(c, "knownHostsFile");
	if (o->token && o->password)
		return git_fail(h, PL_EINVAL, "credentials have both a token and a password (give one)");
	if (o->username && o->username_file)
		return git_fail(h, PL_EINVAL, "credentials have both username and usernameFile (give one)");
	if (o->ssh_passphrase && !o->ssh_key_file)
		return git_fail(h, PL_EINVAL, "credentials have sshKeyPassphraseFile, but no sshKeyFile");
	return PL_OK;
}

static pl_status read_all(const pl_host *h, const pl_node *root, struct git_options *o)
{
	o->url = text_of(root, "url");
	if (!o->url || strlen(o->url) != pl_text(pl_gets(root, "url")).n || !*o->url)
		return git_fail(h, PL_EINVAL, "'url' is missing or holds a NUL");
	pl_status st = read_url(h, o);
	if (!st)
		st = check_ssh_path(h, o);
	if (!st)
		st = read_credentials(h, pl_gets(root, "credentials"), o);
	if (st)
		return st;
	o->ca_file = text_of(root, "caFile");
	o->same_host = pl_gets(root, "allowedHosts") != NULL; /* libgit2 doesn't ask before it follows one */
	int64_t max = 1 << 30;
	if (pl_gets(root, "maxBytes") && (pl_int(pl_gets(root, "maxBytes"), &max) || max < 1))
		return git_fail(h, PL_EINVAL, "'maxBytes' must be a whole number above 0");
	o->max_bytes = (uint64_t)max;
	return PL_OK;
}

pl_status git_options_read(const pl_host *h, pl_str json, struct git_options *o)
{
	pl_doc *d = pl_doc_new(NULL);
	pl_err *e = pl_err_new();
	pl_node *root = NULL;
	pl_status st = pl_json_read(d, json, "options", 0, &root, e);
	st = st ? git_fail(h, st, "read the options of the git source: %s", pl_err_text(e)) : read_all(h, root, o);
	pl_err_free(e);
	pl_doc_unref(d);
	return st;
}

void git_options_clear(struct git_options *o)
{
	char *all[] = {o->url,	 o->host,     o->ca_file,	o->known_hosts,	   o->ssh_key_file,
		       o->token, o->password, o->username_file, o->ssh_passphrase, o->username};
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		free(all[i]);
	memset(o, 0, sizeof(*o));
}
