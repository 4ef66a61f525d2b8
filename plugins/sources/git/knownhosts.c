/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The host key of an ssh server must stand in known_hosts. libgit2 1.5.1 looks into ~/.ssh/known_hosts too, but takes a
 * key of the host's port 22 for any port, knows no markers, and can't be told of another file; so plumb decides by
 * itself. libgit2 also chooses by that file which type of key it asks the server for: it is shown the lines of this
 * host by way of HOME, which only the worker process sees.
 */
#include "git.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define KNOWN_HOSTS_MAX (16u << 20)
#define SYSTEM_FILE	"/etc/ssh/ssh_known_hosts"

struct file {
	char *path;
	pl_str text;
};

struct files {
	struct file v[2];
	size_t n;
};

static int read_all(const char *path, pl_str *out)
{
	FILE *f = fopen(path, "re");
	if (!f)
		return errno;
	size_t cap = 1 << 16, n = 0, got;
	char *p = git_zalloc(cap);
	while ((got = fread(p + n, 1, cap - n, f)) > 0) {
		n += got;
		if (n < cap)
			continue;
		p = cap < KNOWN_HOSTS_MAX ? realloc(p, cap *= 2) : p;
		if (!p)
			abort();
		if (n == cap)
			break;
	}
	int why = ferror(f) ? errno : n == cap ? EFBIG : 0;
	(void)fclose(f); /* only read */
	*out = (pl_str){p, n};
	if (why)
		free(p);
	return why;
}

static void free_files(struct files *f)
{
	for (size_t i = 0; i < f->n; i++) {
		free(f->v[i].path);
		free((void *)(uintptr_t)f->v[i].text.p);
	}
	f->n = 0;
}

static char *home_file(void)
{
	const char *home = getenv("HOME");
	const struct passwd *pw = home && *home ? NULL : getpwuid(getuid());
	return git_printf("%s/.ssh/known_hosts", home && *home ? home : pw ? pw->pw_dir : "");
}

/* The given file must be readable; of the usual two, those that are there. */
static pl_status read_files(const pl_host *h, const struct git_options *o, struct files *f)
{
	char *paths[] = {o->known_hosts ? git_strndup(o->known_hosts, strlen(o->known_hosts)) : home_file(),
			 o->known_hosts ? NULL : git_printf("%s", SYSTEM_FILE)};
	pl_status st = PL_OK;
	for (size_t i = 0; i < 2; i++) {
		pl_str text = {NULL, 0};
		int why = paths[i] ? read_all(paths[i], &text) : ENOENT;
		if (paths[i] && !why)
			f->v[f->n++] = (struct file){git_printf("%s", paths[i]), text};
		else if (paths[i] && !st && (o->known_hosts || why != ENOENT))
			st = git_fail(h, PL_EAUTH, "read the known hosts '%s': %s", paths[i], strerrordesc_np(why));
		free(paths[i]);
	}
	return st;
}

/* ---- which type of key to ask for ---- */

static pl_status write_lines(const pl_host *h, const char *folder, const char *text)
{
	char *path = git_printf("%s/known_hosts", folder),
	     *temp = git_printf("%s/known_hosts.%ld", folder, (long)getpid());
	int fd = open(temp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	size_t n = strlen(text);
	bool ok = fd >= 0 && write(fd, text, n) == (ssize_t)n;
	if (fd >= 0 && close(fd) != 0)
		ok = false;
	ok = ok && rename(temp, path) == 0;
	pl_status st = ok ? PL_OK : git_fail(h, PL_EIO, "write '%s': %s", path, strerrordesc_np(errno));
	free(path);
	free(temp);
	return st;
}

pl_status git_hosts_show(const pl_host *h, const struct git_source *s, struct git_home *home)
{
	struct files f = {0};
	pl_status st = read_files(h, &s->opt, &f);
	char *all = git_strndup("", 0), *folder = git_printf("%s/ssh/.ssh", s->folder);
	for (size_t i = 0; i < f.n; i++) {
		char *lines = git_hostkey_lines(f.v[i].text, s->opt.host, s->opt.port);
		char *more = git_printf("%s%s", all, lines);
		free(lines);
		free(all);
		all = more;
	}
	free_files(&f);
	char *top = git_printf("%s/ssh", s->folder);
	if (!st && ((mkdir(s->folder, 0700) && errno != EEXIST) || (mkdir(top, 0700) && errno != EEXIST) ||
		    (mkdir(folder, 0700) && errno != EEXIST)))
		st = git_fail(h, PL_EIO, "make the folder '%s': %s", folder, strerrordesc_np(errno));
	if (!st)
		st = write_lines(h, folder, all);
	const char *was = getenv("HOME");
	home->was = was ? git_printf("%s", was) : NULL;
	home->set = !st && setenv("HOME", top, 1) == 0;
	free(top);
	free(all);
	free(folder);
	return st;
}

void git_hosts_hide(struct git_home *home)
{
	if (home->set && home->was)
		(void)setenv("HOME", home->was, 1); /* can't fail: the name is fine, and there was room before */
	else if (home->set)
		(void)unsetenv("HOME");
	free(home->was);
	*home = (struct git_home){0};
}

/* ---- the decision ---- */

static int decide(struct git_session *x, const git_cert_hostkey *k, enum hostkey found, const char *where,
		  unsigned line)
{
	char print[64], type[64];
	const struct git_options *o = &x->s->opt;
	git_base64(k->hash_sha256, sizeof(k->hash_sha256), false, print);
	git_hostkey_type((const uint8_t *)k->hostkey, k->hostkey_len, type);
	switch (found) {
	case HOSTKEY_KNOWN:
		return 0;
	case HOSTKEY_REVOKED:
		return git_session_refuse(x, PL_EDENIED, "the host's %s key SHA256:%s is revoked by %s:%u", type, print,
					  where, line);
	case HOSTKEY_CHANGED:
		return git_session_refuse(
			x, PL_EDENIED,
			"the host key has changed: the server shows the %s key SHA256:%s, but %s:%u names another "
			"(somebody may be in between; when the change is known to be right, replace that line)",
			type, print, where, line);
	case HOSTKEY_AUTHORITY:
		return git_session_refuse(
			x, PL_EDENIED,
			"%s:%u trusts the host by a certificate authority, which is not supported (add its %s key "
			"SHA256:%s as a line of its own)",
			where, line, type, print);
	case HOSTKEY_OTHER_TYPE:
	case HOSTKEY_UNKNOWN:
		break;
	}
	return git_session_refuse(x, PL_EDENIED,
				  "the host's %s key SHA256:%s is not known%s%s (compare it with what the server's "
				  "owner says, then add it: "
				  "ssh-keyscan -p %d -t %s %s >> %s)",
				  type, print, line ? "; there are keys of other types in " : "", line ? where : "",
				  o->port ? o->port : 22,
				  strncmp(type, "ecdsa", 5) == 0 ? "ecdsa"
				  : strcmp(type, "ssh-rsa") == 0 ? "rsa"
								 : "ed25519",
				  o->host, o->known_hosts ? o->known_hosts : "~/.ssh/known_hosts");
}

int git_on_host_key(git_cert *cert, int valid, const char *host, void *payload)
{
	struct git_session *x = payload;
	const git_cert_hostkey *k = (const git_cert_hostkey *)cert;
	(void)valid, (void)host;
	if (cert->cert_type != GIT_CERT_HOSTKEY_LIBSSH2 || !(k->type & GIT_CERT_SSH_RAW) ||
	    !(k->type & GIT_CERT_SSH_SHA256))
		return git_session_refuse(x, PL_EDENIED, "the server's host key can't be read");
	struct hostkey_query q = {x->s->opt.host, x->s->opt.port, (const uint8_t *)k->hostkey, k->hostkey_len};
	struct files f = {0};
	enum hostkey best = HOSTKEY_UNKNOWN;
	unsigned line = 0;
	size_t at = 0;
	x->reported = read_files(x->h, &x->s->opt, &f);
	for (size_t i = 0; i < f.n; i++) {
		unsigned l;
		enum hostkey got = git_hostkey_find(f.v[i].text, &q, &l);
		if (got <= best)
			continue;
		best = got;
		line = l;
		at = i;
	}
	int code = x->reported ? GIT_EUSER : decide(x, k, best, f.n ? f.v[at].path : "", line);
	free_files(&f);
	return code;
}
