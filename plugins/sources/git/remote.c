/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Talking with the other side. libgit2 1.5 has no time-outs: a silent server is the worker's to end. What a callback
 * refuses keeps its own reason, because libgit2's text only says that a callback has returned an error.
 */
#include "git.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SYSTEM_CA  "/etc/ssl/certs/ca-certificates.crt"
#define SECRET_MAX 65536

int git_session_refuse(struct git_session *x, pl_status st, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(x->why, sizeof(x->why), fmt, ap);
	va_end(ap);
	x->why_status = st;
	git_error_set_str(GIT_ERROR_CALLBACK, "refused");
	return GIT_EUSER;
}

/* ---- credentials ---- */

/* NUL-terminated copy of a secret; *out stays NULL when there is none of that name. */
static int secret(struct git_session *x, const char *name, char **out)
{
	pl_str s = {NULL, 0};
	if (!name)
		return 0;
	x->reported = x->h->secret(x->h->ctx, (pl_str){name, strlen(name)}, &s);
	if (x->reported)
		return GIT_EUSER;
	if (memchr(s.p ? s.p : "", 0, s.n) || s.n > SECRET_MAX || s.n == 0)
		return git_session_refuse(x, PL_EAUTH, "the secret '%s' is empty, too long or holds a NUL", name);
	*out = git_strndup(s.p, s.n);
	return 0;
}

static void wipe(char *z)
{
	if (z)
		explicit_bzero(z, strlen(z));
	free(z);
}

static int user_name(struct git_session *x, const char *of_url, char **out)
{
	const struct git_options *o = &x->s->opt;
	if (of_url && *of_url)
		*out = git_strndup(of_url, strlen(of_url));
	else if (o->username_file)
		return secret(x, o->username_file, out);
	else
		*out = git_printf("%s", o->username ? o->username : "git");
	return 0;
}

static int ssh_key(struct git_session *x, const char *user, git_credential **out)
{
	char *passphrase = NULL;
	if (access(x->s->opt.ssh_key_file, R_OK) != 0)
		return git_session_refuse(x, PL_EAUTH, "read the key '%s': %s", x->s->opt.ssh_key_file,
					  strerrordesc_np(errno));
	int code = secret(x, x->s->opt.ssh_passphrase, &passphrase);
	if (!code)
		code = git_credential_ssh_key_new(out, user, NULL, x->s->opt.ssh_key_file, passphrase);
	wipe(passphrase);
	return code;
}

static int password(struct git_session *x, const char *user, git_credential **out)
{
	const struct git_options *o = &x->s->opt;
	char *word = NULL;
	int code = secret(x, o->token ? o->token : o->password, &word);
	if (!code)
		code = git_credential_userpass_plaintext_new(out, user, word);
	wipe(word);
	return code;
}

static int no_way_in(struct git_session *x, unsigned types)
{
	const struct git_options *o = &x->s->opt;
	if (o->kind != URL_SSH)
		return git_session_refuse(
			x, PL_EAUTH,
			"the server asks for credentials (give credentials.tokenFile or credentials.passwordFile)");
	if (types & GIT_CREDENTIAL_SSH_KEY)
		return git_session_refuse(x, PL_EAUTH, "the server asks for a key (give credentials.sshKeyFile)");
	return git_session_refuse(x, PL_EAUTH, "the server takes neither a key nor a password");
}

static int refused(struct git_session *x)
{
	const struct git_options *o = &x->s->opt;
	if (o->kind == URL_SSH && o->ssh_key_file)
		return git_session_refuse(
			x, PL_EAUTH,
			"the server has refused the key '%s' (may it read this repository? current servers refuse "
			"every rsa key, because libssh2 1.10 signs with SHA-1: use an ed25519 key)",
			o->ssh_key_file);
	return git_session_refuse(x, PL_EAUTH,
				  "the server has refused the %s (is it still valid, and may it read this repository?)",
				  o->token ? "token" : "user name and password");
}

static int on_credentials(git_credential **out, const char *url, const char *of_url, unsigned types, void *payload)
{
	struct git_session *x = payload;
	const struct git_options *o = &x->s->opt;
	(void)url;
	char *user = NULL;
	int code = user_name(x, of_url, &user);
	if (code)
		return code;
	if (types == GIT_CREDENTIAL_USERNAME) {
		code = git_credential_username_new(out, user);
	} else if (x->asked++ > 0) {
		code = refused(x);
	} else if ((types & GIT_CREDENTIAL_SSH_KEY) && o->ssh_key_file) {
		code = ssh_key(x, user, out);
	} else if ((types & GIT_CREDENTIAL_USERPASS_PLAINTEXT) && (o->token || o->password)) {
		code = password(x, user, out);
	} else {
		code = no_way_in(x, types);
	}
	wipe(user);
	return code;
}

/* ---- progress ---- */

static int look_around(struct git_session *x)
{
	pl_status st = git_stopped(x->h);
	if (st)
		return git_session_refuse(x, st, "%s", st == PL_ETIMEOUT ? "the time allowed ran out" : "cancelled");
	return 0;
}

static int on_transfer(const git_indexer_progress *p, void *payload)
{
	struct git_session *x = payload;
	if (p->received_bytes > x->s->opt.max_bytes)
		return git_session_refuse(
			x, PL_ETOOBIG,
			"more than %llu bytes came in (raise maxBytes when the repository is meant to be that large)",
			(unsigned long long)x->s->opt.max_bytes);
	return look_around(x);
}

static int on_sideband(const char *text, int n, void *payload)
{
	(void)text, (void)n;
	return look_around(payload);
}

/* ---- connection ---- */

void git_session_callbacks(struct git_session *x, git_remote_callbacks *cb)
{
	cb->payload = x;
	cb->credentials = on_credentials;
	cb->transfer_progress = on_transfer;
	cb->sideband_progress = on_sideband;
	if (x->s->opt.kind == URL_SSH)
		cb->certificate_check = git_on_host_key; /* not set for https: libgit2's own answer is the strict one,
							    with the reason */
}

/*
 * libgit2 answers a server's demand for credentials with ours wherever a redirect has led to. So with credentials only
 * redirects within the same host are followed, and where somebody has said which hosts are allowed.
 */
static git_remote_redirect_t redirects(const struct git_options *o)
{
	return o->token || o->password || o->same_host ? GIT_REMOTE_REDIRECT_NONE : GIT_REMOTE_REDIRECT_INITIAL;
}

void git_session_options(struct git_session *x, git_fetch_options *fo)
{
	git_session_callbacks(x, &fo->callbacks);
	fo->prune = GIT_FETCH_NO_PRUNE;
	fo->update_fetchhead = 0;
	fo->download_tags = GIT_REMOTE_DOWNLOAD_TAGS_NONE;
	fo->proxy_opts.type = GIT_PROXY_AUTO;
	fo->follow_redirects = redirects(&x->s->opt);
}

/* Texts of libgit2 that say less than we know. */
static const struct {
	const char *text;
	pl_status st;
	const char *ours;
} known_texts[] = {
	{"cannot redirect from", PL_EDENIED,
	 "credentials are never sent to another host: write the final address as url"},
	{"extensions.objectformat", PL_EUNSUPPORTED,
	 "the repository has SHA-256 object ids, which libgit2 1.5 can't read"},
	{"Failed to authenticate SSH session", PL_EAUTH, "check credentials.sshKeyFile and its passphrase"},
	{"invalid pkt-line", PL_EUNAVAILABLE, "it is no git server, or the repository has SHA-256 object ids"},
	{"parsing REF pkt-line", PL_EUNAVAILABLE, "it is no git server, or the repository has SHA-256 object ids"},
	{"http status code: 403", PL_EAUTH, "the server forbids it: may these credentials read the repository?"},
	{"http status code: 404", PL_ENOTFOUND,
	 "is the address right? many hosts say so too when credentials are missing"},
	{"could not find repository", PL_ENOTFOUND, "there is no Git repository"},
	{"does not appear to be a git repository", PL_ENOTFOUND, NULL},
	{"repository not exported", PL_ENOTFOUND, "git daemon needs git-daemon-export-ok or --export-all"},
	{"failed to connect", PL_EUNAVAILABLE, NULL},
	{"failed to resolve address", PL_EUNAVAILABLE, NULL},
};

pl_status git_session_fail(struct git_session *x, int code, const char *what)
{
	const struct git_options *o = &x->s->opt;
	const git_error *e = git_error_last();
	const char *text = e && e->message ? e->message : "";
	if (x->reported)
		return x->reported;
	if (x->why_status)
		return git_fail(x->h, x->why_status, "%s '%s': %s", what, o->url, x->why);
	for (size_t i = 0; i < sizeof(known_texts) / sizeof(known_texts[0]); i++) {
		const char *ours = known_texts[i].ours;
		if (strstr(text, known_texts[i].text))
			return git_fail(x->h, known_texts[i].st, "%s '%s': %s%s%s%s", what, o->url, text,
					ours ? " (" : "", ours ? ours : "", ours ? ")" : "");
	}
	if (o->kind == URL_SSH && code == GIT_EAUTH)
		return git_fail(x->h, PL_EAUTH,
				"%s '%s': %s (check credentials: sshKeyFile, its passphrase, the user name)", what,
				o->url, text);
	return git_fail_lib(x->h, code, "%s '%s'", what, o->url);
}

static pl_status set_ca(struct git_session *x)
{
	const struct git_options *o = &x->s->opt;
	if (o->kind != URL_HTTPS)
		return PL_OK;
	/* it is one setting of the whole process, so what an earlier repository has set must go */
	int code = git_libgit2_opts(GIT_OPT_SET_SSL_CERT_LOCATIONS, o->ca_file ? o->ca_file : SYSTEM_CA, NULL);
	if (code && o->ca_file)
		return git_fail_lib(x->h, code, "load caFile '%s'", o->ca_file);
	return PL_OK;
}

/* Without url.insteadOf: nobody may send credentials elsewhere, and libgit2 1.5 leaks 20 kB for each look at it. */
static int create(git_remote **out, const struct git_source *s, git_repository *repo)
{
	git_remote_create_options o;
	(void)git_remote_create_options_init(&o, GIT_REMOTE_CREATE_OPTIONS_VERSION); /* only fails on a wrong version */
	o.repository = repo;
	o.flags = GIT_REMOTE_CREATE_SKIP_INSTEADOF | GIT_REMOTE_CREATE_SKIP_DEFAULT_FETCHSPEC;
	return git_remote_create_with_opts(out, s->opt.url, &o);
}

pl_status git_session_open(struct git_session *x, const pl_host *h, struct git_source *s, git_repository *repo)
{
	*x = (struct git_session){.h = h, .s = s};
	pl_status st = set_ca(x);
	if (st)
		return st;
	if (*s->opt.url == '/' &&
	    access(s->opt.url, F_OK) != 0) /* libgit2 would take it for a url of an unknown kind */
		return git_fail(h, errno == ENOENT ? PL_ENOTFOUND : PL_EIO, "open the repository '%s': %s", s->opt.url,
				strerrordesc_np(errno));
	git_error_clear();
	int code = create(&x->remote, s, repo);
	if (code)
		return git_fail_lib(h, code, "use url '%s'", s->opt.url);
	git_remote_connect_options co;
	(void)git_remote_connect_options_init(&co,
					      GIT_REMOTE_CONNECT_OPTIONS_VERSION); /* only fails on a wrong version */
	git_session_callbacks(x, &co.callbacks);
	co.proxy_opts.type = GIT_PROXY_AUTO;
	co.follow_redirects = redirects(&s->opt);
	struct git_home home = {0};
	if (s->opt.kind == URL_SSH)
		st = git_hosts_show(h, s, &home);
	code = st ? 0 : git_remote_connect_ext(x->remote, GIT_DIRECTION_FETCH, &co);
	git_hosts_hide(&home);
	if (st)
		return st;
	if (code)
		return git_session_fail(x, code, "list the references of");
	code = git_remote_ls(&x->heads, &x->n_heads, x->remote);
	return code ? git_session_fail(x, code, "list the references of") : PL_OK;
}

void git_session_close(struct git_session *x)
{
	if (x->remote)
		(void)git_remote_disconnect(x->remote); /* nothing is left to be said to it */
	git_remote_free(x->remote);
	x->remote = NULL;
}
