/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A folder on disk as a snapshot. Files are opened from the root's descriptor without following links, so that nothing
 * outside is ever read, also when the folder changes under us.
 */
#include "core/base/mem.h"
#include "core/plugin/private.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

struct folder {
	int fd;
	char *path;	/* for errors: without a slash at its end, so of "/" nothing */
	uint64_t nonce; /* folders' ids are of this one look only: their contents are not read for them */
};

static const char *shown(pl_str dir)
{
	return dir.n ? "/" : "";
}

static int open_step(int at, pl_str step, int flags)
{
	char z[NAME_MAX + 1];
	if (step.n > NAME_MAX) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(z, step.p, step.n);
	z[step.n] = 0;
	return openat(at, z, flags | O_NOFOLLOW | O_CLOEXEC);
}

/* Step by step, for kernels and sandboxes without openat2. */
static int open_steps(int root, pl_str path, int flags)
{
	int fd = openat(root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	while (fd >= 0 && path.n) {
		pl_str step;
		bool more = str_cut(path, '/', &step, &path);
		int next = open_step(fd, step, more ? O_RDONLY | O_DIRECTORY : flags);
		int why = errno;
		close(fd);
		errno = why;
		fd = next;
	}
	return fd;
}

/* Opens dir/name ("" and "" is the root) below f without following any link; -1 with errno. */
static int open_below(const struct folder *f, pl_str dir, pl_str name, int flags)
{
	char path[PATH_MAX];
	size_t n = dir.n + (dir.n && name.n ? 1 : 0) + name.n;
	if (n >= sizeof(path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	if (dir.n)
		memcpy(path, dir.p, dir.n);
	path[dir.n] = '/';
	if (name.n)
		memcpy(path + n - name.n, name.p, name.n);
	path[n] = 0;
	struct open_how how = {.flags = (uint64_t)(uint32_t)(flags | O_CLOEXEC),
			       .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS};
	int fd = (int)syscall(SYS_openat2, f->fd, n ? path : ".", &how, sizeof(how));
	if (fd < 0 && (errno == ENOSYS || errno == EPERM || errno == EAGAIN))
		return open_steps(f->fd, (pl_str){path, n}, flags);
	if (fd < 0 && errno == ELOOP)
		errno = ENOTDIR; /* a link where none was: it has been put there meanwhile */
	return fd;
}

static pl_str make_id(const struct folder *f, const struct stat *st, pl_str dir, pl_str name, struct arena *a)
{
	if (S_ISDIR(st->st_mode))
		return arena_printf(a, "%llx:%.*s/%.*s", (unsigned long long)f->nonce, F(dir), F(name));
	return arena_printf(a, "%llx.%llx.%llx.%llx.%lx.%llx.%lx", (unsigned long long)st->st_dev,
			    (unsigned long long)st->st_ino, (unsigned long long)st->st_size,
			    (unsigned long long)st->st_mtim.tv_sec, (unsigned long)st->st_mtim.tv_nsec,
			    (unsigned long long)st->st_ctim.tv_sec, (unsigned long)st->st_ctim.tv_nsec);
}

/* false: neither file, folder nor link (a socket, a device): such things are not in Git either. */
static bool fill(const struct folder *f, const struct stat *st, pl_str dir, pl_str name, struct arena *a, pl_entry *out)
{
	*out = (pl_entry){.size = sizeof(*out)};
	if (S_ISREG(st->st_mode)) {
		out->type = PL_FILE;
		out->executable = (st->st_mode & S_IXUSR) != 0;
		out->bytes = (uint64_t)st->st_size;
	} else if (S_ISDIR(st->st_mode)) {
		out->type = PL_DIR;
	} else if (S_ISLNK(st->st_mode)) {
		out->type = PL_LINK;
	} else {
		return false;
	}
	out->name = arena_dup(a, name);
	out->id = make_id(f, st, dir, name, a);
	return true;
}

static pl_status folder_find(struct snapshot *s, pl_str dir, pl_str name, struct arena *a, pl_entry *out,
			     struct pl_err *e)
{
	const struct folder *f = snapshot_ctx(s);
	char path[PATH_MAX];
	struct stat st;
	size_t n = (size_t)snprintf(path, sizeof(path), "%.*s%s%.*s", F(dir), shown(dir), F(name));
	if (n >= sizeof(path) || fstatat(f->fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0) {
		if (n < sizeof(path))
			fill(f, &st, dir, name, a, out);
		return PL_OK;
	}
	if (errno == ENOENT || errno == ENOTDIR || errno == ENAMETOOLONG)
		return PL_OK;
	return err_errno(e, errno, "look at '%s/%s'", f->path, path);
}

static pl_status folder_list(struct snapshot *s, pl_str id, pl_str dir, struct arena *a, const pl_entry **out,
			     size_t *n, struct pl_err *e)
{
	(void)id;
	const struct folder *f = snapshot_ctx(s);
	int fd = open_below(f, dir, S(""), O_RDONLY | O_DIRECTORY);
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
		struct stat st; /* what is gone again is not there */
		if (!fstatat(fd, x->d_name, &st, AT_SYMLINK_NOFOLLOW))
			*n += fill(f, &st, dir, str_of(x->d_name), a, &v[*n]);
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

static pl_status read_link(int fd, struct arena *a, pl_str *out)
{
	char target[PATH_MAX];
	ssize_t n = readlinkat(fd, "", target, sizeof(target));
	if (n < 0)
		return PL_EIO;
	*out = arena_dup(a, (pl_str){target, (size_t)n});
	return PL_OK;
}

/* Usually one read into its place; a file that grows meanwhile, or does not know its size, is read in blocks. */
static pl_status read_file(int fd, struct arena *a, pl_str *out)
{
	struct stat st;
	if (fstat(fd, &st) || !S_ISREG(st.st_mode))
		return PL_EIO;
	if (st.st_size > (off_t)TREE_FILE_MAX)
		return PL_ETOOBIG;
	size_t room = (size_t)st.st_size + 1;
	char *p = arena_alloc(a, room);
	ssize_t got = read(fd, p, room); /* of a file, less than was asked for is all there is */
	size_t n = got > 0 ? (size_t)got : 0;
	struct buf more = BUF_INIT(TREE_FILE_MAX);
	char block[16384];
	if (n == room)
		buf_add(&more, (pl_str){p, n});
	while (n == room && !buf_full(&more) && (got = read(fd, block, sizeof(block))) > 0)
		buf_add(&more, (pl_str){block, (size_t)got});
	int why = errno;
	pl_status status = got < 0 ? PL_EIO : buf_full(&more) ? PL_ETOOBIG : PL_OK;
	if (n < room)
		p[n] = 0; /* as all the host's texts end */
	*out = n < room ? (pl_str){p, n} : arena_dup(a, buf_str(&more));
	buf_free(&more);
	errno = why;
	return status;
}

static pl_status folder_read(struct snapshot *s, const struct listing *dir, const pl_entry *file, struct arena *a,
			     pl_str *out, struct pl_err *e)
{
	const struct folder *f = snapshot_ctx(s);
	bool link = file->type == PL_LINK;
	int fd = open_below(f, dir->path, file->name,
			    link ? O_PATH | O_NOFOLLOW : O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	pl_status st = PL_EIO;
	if (fd >= 0)
		st = link ? read_link(fd, a, out) : read_file(fd, a, out);
	int why = errno;
	if (fd >= 0)
		close(fd);
	if (st == PL_ETOOBIG)
		return err_set(e, st, "'%s%s%.*s/%.*s' is larger than %u bytes", f->path, shown(dir->path),
			       F(dir->path), F(file->name), TREE_FILE_MAX);
	if (st)
		return err_errno(e, why, "read '%s%s%.*s/%.*s'", f->path, shown(dir->path), F(dir->path),
				 F(file->name));
	return PL_OK;
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
	.find = folder_find,
};

pl_status snapshot_of_folder(const char *path, struct snapshot **out, struct pl_err *e)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_errno(e, errno, "open the folder '%s'", path);
	struct folder *f = mem_zalloc(sizeof(*f));
	f->fd = fd;
	bool whole = strcmp(path, "/") == 0;
	f->path = str_dup(whole ? S("") : str_of(path));
	if (getrandom(&f->nonce, sizeof(f->nonce), 0) != sizeof(f->nonce)) {
		int why = errno;
		close(fd);
		free(f->path);
		free(f);
		return err_errno(e, why, "read random bytes");
	}
	*out = snapshot_new(&folder_ops, f, S("folder"));
	if (whole)
		snapshot_set_whole(*out);
	return PL_OK;
}
