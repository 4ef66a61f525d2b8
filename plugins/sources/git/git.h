/* SPDX-License-Identifier: Apache-2.0 */
/* The inside of the git source. One handle (struct git_source) is one repository: its options, and its cache folder. */
#ifndef GIT_SOURCE_H
#define GIT_SOURCE_H

#include <git2.h>

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include "plumb/plugin.h"

#define HEX	  40
#define KEEP_REFS "refs/plumb/keep/"

enum url_kind { URL_LOCAL, URL_GIT, URL_HTTP, URL_HTTPS, URL_SSH };

struct git_options {
	char *url;
	enum url_kind kind;
	char *host; /* of the url; NULL when local */
	int port;   /* 0: the scheme's own */
	char *ca_file;
	bool same_host; /* redirects lead nowhere else */
	char *known_hosts;
	char *ssh_key_file;
	/* names for host->secret: "file:…", "env:…"; NULL when not given */
	char *token, *password, *username_file, *ssh_passphrase;
	char *username;
	uint64_t max_bytes;
};

/* The open cache; trees hold it, so that it outlives a rebuild. */
struct cache_repo {
	git_repository *repo;
	git_odb *odb;
	dev_t dev;
	ino_t ino;
	struct timespec packs; /* when the folder of packs had changed last */
	unsigned refs;
};

struct git_source {
	struct git_options opt;
	char *folder;		  /* what the host gave */
	char *bare;		  /* folder/repo */
	struct cache_repo *cache; /* NULL until needed */
};

/* memory that never gives NULL */
void *git_zalloc(size_t n);
char *git_strndup(const char *p, size_t n);
char *git_printf(const char *fmt, ...) PL_PRINTF(1, 2);
pl_str git_host_dup(const pl_host *h, const char *p, size_t n);

/* error.c */
pl_status git_fail(const pl_host *h, pl_status st, const char *fmt, ...) PL_PRINTF(3, 4);
/* libgit2's last error behind the text; code is what it returned. Must be called before the next call of libgit2. */
pl_status git_fail_lib(const pl_host *h, int code, const char *fmt, ...) PL_PRINTF(3, 4);
void git_log(const pl_host *h, int32_t level, const char *fmt, ...) PL_PRINTF(3, 4);
/* Takes NAME[:PASSWORD]@ out of every url in the text, and control characters. */
void git_scrub(char *text);
pl_status git_stopped(const pl_host *h); /* PL_OK, PL_ECANCELLED or PL_ETIMEOUT */
pl_status git_check(const pl_host *h, const struct git_source *s, const char *what); /* the same, reported */

/* options.c */
pl_status git_options_read(const pl_host *h, pl_str json, struct git_options *o);
void git_options_clear(struct git_options *o);

/* cache.c */
pl_status git_cache_use(const pl_host *h, struct git_source *s,
			struct cache_repo **out); /* PL_ENOTFOUND (not reported): none yet */
void git_cache_unref(struct cache_repo *c);
bool git_cache_has(const struct cache_repo *c, const git_oid *id); /* fetched whole and kept */
void git_cache_damaged(const struct git_source *s);		   /* the next fetch rebuilds it */
bool git_cache_is_damaged(const struct git_source *s);
pl_status git_cache_lock(const pl_host *h, const struct git_source *s, int *fd);
pl_status git_cache_prepare(const pl_host *h,
			    struct git_source *s); /* holding the lock: a usable one, made or rebuilt */
pl_status git_cache_rebuild(const pl_host *h, struct git_source *s, const char *why);
void git_cache_pack_refs(struct cache_repo *c);
/* pack.c: likewise for packs; what goes wrong is logged, and tried again after the next fetch */
void git_cache_pack_objects(const pl_host *h, struct cache_repo *c);

/* complete.c */
enum complete { COMPLETE, INCOMPLETE, NOT_A_COMMIT };
/* Is all that the commit's tree needs there? deep: and does every object's content match its id? why holds 128 bytes.
 */
enum complete git_complete(struct cache_repo *c, const git_oid *id, bool deep, char why[128]);

/* remote.c */
struct git_session {
	const pl_host *h;
	struct git_source *s;
	git_remote *remote;
	unsigned asked;	    /* times credentials were asked for */
	pl_status reported; /* a callback has reported this error */
	char why[1024];	    /* a callback's own reason, when not reported yet */
	pl_status why_status;
	const git_remote_head **heads;
	size_t n_heads;
};

/* Connects and lists. repo may be NULL: only for listing. */
pl_status git_session_open(struct git_session *x, const pl_host *h, struct git_source *s, git_repository *repo);
pl_status git_session_fail(struct git_session *x, int code, const char *what);
void git_session_callbacks(struct git_session *x, git_remote_callbacks *cb);
void git_session_options(struct git_session *x, git_fetch_options *fo);
void git_session_close(struct git_session *x);
/* A callback's refusal with its reason. Returns what the callback returns. */
int git_session_refuse(struct git_session *x, pl_status st, const char *fmt, ...) PL_PRINTF(3, 4);

/* knownhosts.c */
struct git_home {
	char *was;
	bool set;
};
/* Puts the host's lines where libgit2 looks; undone by hide, which is right after an error too. */
pl_status git_hosts_show(const pl_host *h, const struct git_source *s, struct git_home *home);
void git_hosts_hide(struct git_home *home);
int git_on_host_key(git_cert *cert, int valid, const char *host, void *payload);

/* hostkey.c */
/* From weak to strong: what another line says stronger counts. */
enum hostkey {
	HOSTKEY_UNKNOWN,
	HOSTKEY_AUTHORITY,
	HOSTKEY_OTHER_TYPE,
	HOSTKEY_CHANGED,
	HOSTKEY_KNOWN,
	HOSTKEY_REVOKED
};
struct hostkey_query {
	const char *host;
	int port; /* 22 is written without */
	const uint8_t *key;
	size_t key_len;
};
/* Looks through the text of one known_hosts file. *line is where the answer comes from (0: nowhere). */
enum hostkey git_hostkey_find(pl_str text, const struct hostkey_query *q, unsigned *line);
void git_hostkey_type(const uint8_t *key, size_t n, char out[64]);
void git_base64(const uint8_t *in, size_t n, bool pad, char *out); /* out holds 4 * ((n + 2) / 3) + 1 */
/* Lines of text that speak of the host, without marker, the host's name put in plainly: for libgit2's choice of key
 * type. malloc'ed. */
char *git_hostkey_lines(pl_str text, const char *host, int port);

/* sha1.c */
void git_hmac_sha1(const uint8_t *key, size_t key_len, const uint8_t *text, size_t n, uint8_t out[20]);

/* the operations */
pl_status git_op_resolve(const pl_host *h, void *self, const pl_str *wanted, size_t n, pl_revision *out);
pl_status git_op_fetch(const pl_host *h, void *self, const pl_revision *revisions, size_t n);
pl_status git_op_describe(const pl_host *h, void *self, pl_str id, pl_revision_info *out);
pl_status git_op_tree_open(const pl_host *h, void *self, pl_str id, void **tree);
void git_op_tree_close(void *self, void *tree);
pl_status git_op_tree_list(const pl_host *h, void *self, void *tree, pl_str id, const pl_entry **out, size_t *n);
pl_status git_op_tree_read(const pl_host *h, void *self, void *tree, pl_str id, uint64_t max, pl_str *out);

bool git_is_hex(pl_str s);
/* PL_EINVAL and PL_EUNSUPPORTED are reported. */
pl_status git_id(const pl_host *h, pl_str id, git_oid *out);

#endif
