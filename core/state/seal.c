/* SPDX-License-Identifier: Apache-2.0 */
#include "core/state/seal.h"

#include "core/base/crypto.h"
#include "core/base/file.h"
#include "core/base/hash.h"
#include "core/base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define KEY_FILE "seal.key"

enum {
	KEY_SIZE = CRYPTO_KEY,
	ID_SIZE = 8,
	NONCE_SIZE = CRYPTO_NONCE,
	TAG_SIZE = CRYPTO_TAG,
	FORMAT = 1,
	HEAD_SIZE = 1 + ID_SIZE + NONCE_SIZE + TAG_SIZE,
	/* SQLite's own bound on a value is 10^9 bytes; a render this large is a mistake long before. */
	TEXT_MAX = 512 * 1024 * 1024
};

struct seal {
	char *dir, *path;
	bool have;
	uint8_t key[KEY_SIZE];
	uint8_t id[ID_SIZE]; /* tells keys apart without telling anything about them */
};

static void set_key(struct seal *s, const uint8_t key[KEY_SIZE])
{
	uint8_t digest[HASH_SIZE];
	struct hash *h = hash_new();
	hash_add_field(h, S("plumb seal key id"));
	hash_add_field(h, (pl_str){(const char *)key, KEY_SIZE});
	hash_end(h, digest);
	memcpy(s->id, digest, ID_SIZE);
	memcpy(s->key, key, KEY_SIZE);
	s->have = true;
	crypto_get()->cleanse(digest, sizeof digest);
}

static pl_status check_file(const struct seal *s, const struct stat *st, struct pl_err *e)
{
	if (!S_ISREG(st->st_mode))
		return err_set(e, PL_EDENIED, "key file '%s' is not a regular file", s->path);
	if (st->st_uid != geteuid()) {
		err_set(e, PL_EDENIED, "key file '%s' belongs to user %u, not to plumb's user %u", s->path,
			(unsigned)st->st_uid, (unsigned)geteuid());
		pl_err_hint(e, "chown it to the user that runs plumb");
		return PL_EDENIED;
	}
	if (st->st_mode & 077) {
		err_set(e, PL_EDENIED, "key file '%s' has mode %04o: others can read it", s->path,
			(unsigned)(st->st_mode & 07777));
		pl_err_hint(e, "run: chmod 600 '%s'", s->path);
		return PL_EDENIED;
	}
	if (st->st_size != KEY_SIZE) {
		err_set(e, PL_EINVAL, "key file '%s' has %lld bytes, not %d", s->path, (long long)st->st_size,
			KEY_SIZE);
		pl_err_hint(e, "restore it, or move it away: stored renders are made again");
		return PL_EINVAL;
	}
	return PL_OK;
}

static pl_status read_key(struct seal *s, int fd, struct pl_err *e)
{
	uint8_t key[KEY_SIZE];
	size_t have = 0;
	pl_status st = PL_OK;
	while (have < KEY_SIZE && !st) {
		ssize_t n = read(fd, key + have, KEY_SIZE - have);
		if (n < 0 && errno != EINTR)
			st = err_errno(e, errno, "read key file '%s'", s->path);
		else if (n == 0)
			st = err_set(e, PL_EINVAL, "key file '%s' is cut off", s->path);
		else if (n > 0)
			have += (size_t)n;
	}
	if (!st)
		set_key(s, key);
	crypto_get()->cleanse(key, sizeof key);
	return st;
}

static pl_status load(struct seal *s, struct pl_err *e)
{
	int fd = open(s->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0 && errno == ENOENT)
		return PL_OK;
	if (fd < 0 && errno == ELOOP)
		return err_set(e, PL_EDENIED, "key file '%s' is a symbolic link", s->path);
	if (fd < 0)
		return err_errno(e, errno, "open key file '%s'", s->path);
	struct stat st;
	pl_status r =
		fstat(fd, &st) < 0 ? err_errno(e, errno, "look at key file '%s'", s->path) : check_file(s, &st, e);
	if (!r)
		r = read_key(s, fd, e);
	close(fd);
	return r;
}

pl_status seal_open(const char *dir, struct seal **out, struct pl_err *e)
{
	struct seal *s = mem_zalloc(sizeof *s);
	s->dir = str_dup(str_of(dir));
	s->path = path_join(dir, KEY_FILE);
	pl_status st = load(s, e);
	if (st) {
		seal_close(s);
		s = NULL;
	}
	*out = s;
	return st;
}

void seal_close(struct seal *s)
{
	if (!s)
		return;
	crypto_get()->cleanse(s->key, sizeof s->key);
	free(s->dir);
	free(s->path);
	free(s);
}

static pl_status make_key(struct seal *s, struct pl_err *e)
{
	uint8_t key[KEY_SIZE];
	if (!crypto_get()->random_key(key, KEY_SIZE))
		return err_set(e, PL_EIO, "make key file '%s': no random bytes to be had", s->path);
	int dir = open(s->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	pl_status st = dir < 0 ? err_errno(e, errno, "open folder '%s'", s->dir)
			       : file_write_at(dir, KEY_FILE, (pl_str){(const char *)key, KEY_SIZE}, 0600, e);
	if (dir >= 0)
		close(dir);
	if (!st)
		set_key(s, key);
	crypto_get()->cleanse(key, sizeof key);
	return st ? pl_err_in(e, "make key file '%s'", s->path) : PL_OK;
}

/* The associated data: every part with its length in front, so that parts can't run together. */
static void bind_data(struct buf *b, const char *what, pl_str row)
{
	buf_add_str(b, S("plumb"));
	buf_add_str(b, str_of(what));
	buf_add_str(b, row);
}

static struct crypto_bytes bytes(pl_str s)
{
	return (struct crypto_bytes){s.p, s.n};
}

pl_status seal_text(struct seal *s, const char *what, pl_str row, pl_str text, struct buf *out, struct pl_err *e)
{
	if (text.n > TEXT_MAX)
		return err_set(e, PL_ETOOBIG, "%s of %zu bytes is too big to be stored (at most %d)", what, text.n,
			       TEXT_MAX);
	pl_status st = s->have ? PL_OK : make_key(s, e);
	if (st)
		return st;
	uint8_t *sealed = mem_alloc(HEAD_SIZE + text.n + 1);
	sealed[0] = FORMAT;
	memcpy(sealed + 1, s->id, ID_SIZE);
	struct buf data = BUF_INIT(1 << 20);
	bind_data(&data, what, row);
	uint8_t *nonce = sealed + 1 + ID_SIZE;
	bool ok = !buf_full(&data) && crypto_get()->random(nonce, NONCE_SIZE) &&
		  crypto_get()->encrypt(s->key, nonce, bytes(buf_str(&data)), bytes(text), sealed + HEAD_SIZE,
					nonce + NONCE_SIZE);
	buf_free(&data);
	if (ok)
		buf_add(out, (pl_str){(const char *)sealed, HEAD_SIZE + text.n});
	free(sealed);
	return ok ? PL_OK : err_set(e, PL_EINTERNAL, "seal %s: encryption failed", what);
}

static pl_status key_error(const struct seal *s, const char *what, struct pl_err *e)
{
	err_set(e, PL_EAUTH,
		s->have ? "this %s was sealed with another key than '%s'"
			: "this %s was sealed with '%s', which is gone",
		what, s->path);
	pl_err_hint(e, "restore the key file, or sync again: what it holds is made again");
	return PL_EAUTH;
}

pl_status seal_unseal(struct seal *s, const char *what, pl_str row, pl_str sealed, struct arena *a, pl_str *text,
		      struct pl_err *e)
{
	const uint8_t *head = (const uint8_t *)sealed.p;
	if (sealed.n < HEAD_SIZE || sealed.n - HEAD_SIZE > TEXT_MAX)
		return err_set(e, PL_EINVAL, "the stored %s is damaged", what);
	if (head[0] != FORMAT)
		return err_set(e, PL_EUNSUPPORTED, "the stored %s is sealed in form %d, which this plumb does not know",
			       what, head[0]);
	if (!s->have || memcmp(head + 1, s->id, ID_SIZE) != 0)
		return key_error(s, what, e);
	pl_str cipher = {sealed.p + HEAD_SIZE, sealed.n - HEAD_SIZE};
	struct buf data = BUF_INIT(1 << 20);
	bind_data(&data, what, row);
	uint8_t *to = arena_alloc(a, cipher.n + 1);
	const uint8_t *nonce = head + 1 + ID_SIZE;
	bool ok = !buf_full(&data) &&
		  crypto_get()->decrypt(s->key, nonce, nonce + NONCE_SIZE, bytes(buf_str(&data)), bytes(cipher), to);
	buf_free(&data);
	if (!ok) {
		/* What failed its check must not be read by anybody. */
		crypto_get()->cleanse(to, cipher.n);
		err_set(e, PL_EINVAL, "the stored %s is damaged: it is not what plumb has written there", what);
		pl_err_hint(e, "sync again: what it holds is made again");
		return PL_EINVAL;
	}
	to[cipher.n] = '\0';
	*text = (pl_str){(const char *)to, cipher.n};
	return PL_OK;
}
