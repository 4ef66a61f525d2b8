/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A folder on disk as a snapshot. Files are opened step by step from the root's descriptor without following links, so
 * that nothing outside is ever read, also when the folder changes under us.
 */
#include "core/base/hash.h"
#include "core/base/mem.h"
#include "core/plugin/private.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

struct folder {
	int fd;
	char *path;
	uint8_t nonce[16]; /* folders' ids are of this one look only: their contents are not read for them */
};

static const char *shown(pl_str dir)
{
	return dir.n ? "/" : "";
}

/* Opens the folder dir ("" is the root) below f; -1 with errno. */
static int open_dir(const struct folder *f, pl_str dir)
{
	int fd = openat(f->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	pl_str step;
	while (fd >= 0 && dir.n) {
		str_cut(dir, '/', &step, &dir);
		char *z = str_dup(step);
		int next = openat(fd, z, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		int why = errno;
		free(z);
		close(fd);
		errno = why;
		fd = next;
	}
	return fd;
}

static pl_str make_id(const struct folder *f, const struct stat *st, pl_str dir, pl_str name, struct arena *a)
{
	struct hash *h = hash_new();
	if (S_ISDIR(st->st_mode)) {
		hash_add_field(h, (pl_str){(const char *)f->nonce, sizeof(f->nonce)});
	} else {
		int64_t facts[] = {(int64_t)st->st_dev, (int64_t)st->st_ino, st->st_size,	 st->st_mtim.tv_sec,
				   st->st_mtim.tv_nsec, st->st_ctim.tv_sec,  st->st_ctim.tv_nsec};
		hash_add(h, (pl_str){(const char *)facts, sizeof(facts)});
	}
	hash_add_field(h, dir);
	hash_add_field(h, name);
	uint8_t sum[HASH_SIZE];
	char text[HASH_TEXT];
	hash_end(h, sum);
	hash_hex(sum, text);
	return arena_dup(a, str_of(text));
}

/* false: neither file, folder nor link (a socket, a device), or gone again; such things are not in Git either. */
static bool fill(const struct folder *f, int fd, const char *name, pl_str dir, struct arena *a, pl_entry *out)
{
	struct stat st;
	if (fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW))
		return false;
	*out = (pl_entry){.size = sizeof(*out), .name = arena_dup(a, str_of(name))};
	if (S_ISREG(st.st_mode)) {
		out->type = PL_FILE;
		out->executable = (st.st_mode & S_IXUSR) != 0;
		out->bytes = (uint64_t)st.st_size;
	} else if (S_ISDIR(st.st_mode)) {
		out->type = PL_DIR;
	} else if (S_ISLNK(st.st_mode)) {
		out->type = PL_LINK;
	} else {
		return false;
	}
	out->id = make_id(f, &st, dir, out->name, a);
	return true;
}

static pl_status folder_list(struct snapshot *s, pl_str id, pl_str dir, struct arena *a, const pl_entry **out,
			     size_t *n, struct pl_err *e)
{
	(void)id;
	const struct folder *f = snapshot_ctx(s);
	int fd = open_dir(f, dir);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	if (!d) {
		int why = errno;
		if (fd >= 0)
			close(fd);
		return err_errno(e, why, "read the folder '%s%s%.*s'", f->path, shown(dir), F(dir));
	}
	pl_entry *v = NULL;
	size_t cap = 0;
	*n = 0;
	errno = 0;
	for (struct dirent *x = readdir(d); x; x = readdir(d)) {
		if (!strcmp(x->d_name, ".") || !strcmp(x->d_name, ".."))
			continue;
		v = mem_grow(v, &cap, *n + 1, sizeof(*v));
		*n += fill(f, fd, x->d_name, dir, a, &v[*n]);
		errno = 0;
	}
	int why = errno;
	closedir(d);
	pl_entry *kept = arena_array(a, *n + 1, sizeof(*kept));
	if (*n)
		memcpy(kept, v, *n * sizeof(*kept));
	free(v);
	*out = kept;
	return why ? err_errno(e, why, "read the folder '%s%s%.*s'", f->path, shown(dir), F(dir)) : PL_OK;
}

static pl_status read_link(int dir, const char *name, struct arena *a, pl_str *out)
{
	char target[4096];
	ssize_t n = readlinkat(dir, name, target, sizeof(target));
	if (n < 0)
		return PL_EIO;
	*out = arena_dup(a, (pl_str){target, (size_t)n});
	return PL_OK;
}

static pl_status read_file(int dir, const char *name, struct arena *a, pl_str *out)
{
	int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;
	if (fd < 0)
		return PL_EIO;
	struct buf b = BUF_INIT(TREE_FILE_MAX);
	char block[16384];
	ssize_t n = fstat(fd, &st) || !S_ISREG(st.st_mode) ? -1 : 0;
	if (n == 0) {
		while ((n = read(fd, block, sizeof(block))) > 0 && !buf_full(&b))
			buf_add(&b, (pl_str){block, (size_t)n});
	}
	int why = errno;
	close(fd);
	pl_status status = n < 0 ? PL_EIO : buf_full(&b) ? PL_ETOOBIG : PL_OK;
	if (!status)
		*out = arena_dup(a, buf_str(&b));
	buf_free(&b);
	errno = why;
	return status;
}

static pl_status folder_read(struct snapshot *s, const struct listing *dir, const pl_entry *file, struct arena *a,
			     pl_str *out, struct pl_err *e)
{
	const struct folder *f = snapshot_ctx(s);
	char *name = str_dup(file->name);
	int fd = open_dir(f, dir->path);
	pl_status st = PL_EIO;
	if (fd >= 0)
		st = file->type == PL_LINK ? read_link(fd, name, a, out) : read_file(fd, name, a, out);
	int why = errno;
	if (fd >= 0)
		close(fd);
	if (st == PL_ETOOBIG)
		err_set(e, st, "'%s%s%.*s/%s' is larger than %u bytes", f->path, shown(dir->path), F(dir->path), name,
			TREE_FILE_MAX);
	else if (st)
		st = err_errno(e, why, "read '%s%s%.*s/%s'", f->path, shown(dir->path), F(dir->path), name);
	free(name);
	return st;
}

static void folder_close(struct snapshot *s)
{
	struct folder *f = snapshot_ctx(s);
	close(f->fd);
	free(f->path);
	free(f);
}

static const struct snapshot_ops folder_ops = {
	.list = folder_list,
	.read = folder_read,
	.close = folder_close,
	.by_path = true,
};

pl_status snapshot_of_folder(const char *path, struct snapshot **out, struct pl_err *e)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_errno(e, errno, "open the folder '%s'", path);
	struct folder *f = mem_zalloc(sizeof(*f));
	f->fd = fd;
	f->path = str_dup(str_of(path));
	if (getrandom(f->nonce, sizeof(f->nonce), 0) != sizeof(f->nonce)) {
		int why = errno;
		close(fd);
		free(f->path);
		free(f);
		return err_errno(e, why, "read random bytes");
	}
	*out = snapshot_new(&folder_ops, f, S("folder"));
	return PL_OK;
}
