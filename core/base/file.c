/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/file.h"

#include "core/base/fault.h"
#include "core/base/mem.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

static pl_status read_fd(int fd, const char *name, struct buf *out, struct pl_err *e)
{
	char chunk[32 * 1024];
	for (;;) {
		ssize_t n = read(fd, chunk, sizeof chunk);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_errno(e, errno, "read '%s'", name);
		if (n == 0)
			return PL_OK;
		buf_add(out, (pl_str){chunk, (size_t)n});
		if (buf_full(out))
			return err_set(e, PL_ETOOBIG, "read '%s': larger than %zu bytes", name, out->max);
	}
}

pl_status file_read_at(int dir, const char *name, struct buf *out, struct pl_err *e)
{
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* NONBLOCK: a fifo must not hold us */
	if (fd < 0)
		return err_errno(e, errno, "open '%s'", name);
	struct stat st;
	pl_status s;
	if (fstat(fd, &st) == 0 && S_ISDIR(st.st_mode))
		s = err_set(e, PL_EINVAL, "read '%s': it is a folder", name);
	else
		s = read_fd(fd, name, out, e);
	close(fd);
	return s;
}

pl_status file_read(const char *path, struct buf *out, struct pl_err *e)
{
	return file_read_at(AT_FDCWD, path, out, e);
}

pl_status file_read_input(const char *path, struct buf *out, struct pl_err *e)
{
	bool std = strcmp(path, "-") == 0;
	const char *name = std ? "standard input" : path;
	int fd = std ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return err_errno(e, errno, "open '%s'", path);
	pl_status st = read_fd(fd, name, out, e);
	if (!std)
		close(fd);
	return st;
}

pl_status fd_write_all(int fd, pl_str bytes, struct pl_err *e)
{
	while (bytes.n) {
		ssize_t n = write(fd, bytes.p, bytes.n);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_errno(e, errno, "write");
		bytes.p += n;
		bytes.n -= (size_t)n;
	}
	return PL_OK;
}

static pl_status fill_temporary(int fd, pl_str bytes, mode_t mode, struct pl_err *e)
{
	if (fchmod(fd, mode) < 0)
		return err_errno(e, errno, "set the mode");
	pl_status st = fd_write_all(fd, bytes, e);
	if (st)
		return st;
	if (fsync(fd) < 0)
		return err_errno(e, errno, "fsync");
	return PL_OK;
}

static pl_status sync_folder(int dir, const char *name, struct pl_err *e)
{
	char *parent = path_dir(name);
	int fd = openat(dir, parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	pl_status st = PL_OK;
	if (fd < 0 || fsync(fd) < 0)
		st = err_errno(e, errno, "fsync the folder '%s'", parent);
	if (fd >= 0)
		close(fd);
	free(parent);
	return st;
}

pl_status file_write_at(int dir, const char *name, pl_str bytes, mode_t mode, struct pl_err *e)
{
	char *parent = path_dir(name);
	unsigned long long r = 0;
	struct buf tmp = BUF_INIT(4096);
	pl_status st;
	if (getrandom(&r, sizeof r, 0) != sizeof r)
		r = (unsigned long long)getpid();
	buf_addf(&tmp, "%s/.plumb-tmp-%016llx", parent, r);
	free(parent);
	if (buf_full(&tmp)) {
		st = err_set(e, PL_EINVAL, "write '%s': the name is too long", name);
		goto out;
	}
	int fd = openat(dir, tmp.p, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0) {
		st = err_errno(e, errno, "write '%s'", name);
		goto out;
	}
	FAULT("file.write.before");
	st = fill_temporary(fd, bytes, mode, e);
	if (close(fd) < 0 && !st)
		st = err_errno(e, errno, "close");
	FAULT("file.rename.before");
	if (!st && renameat(dir, tmp.p, dir, name) < 0)
		st = err_errno(e, errno, "rename");
	FAULT("file.rename.after");
	if (!st)
		st = sync_folder(dir, name, e);
	else
		unlinkat(dir, tmp.p, 0);
	if (st)
		pl_err_in(e, "write '%s'", name);
out:
	buf_free(&tmp);
	return st;
}

pl_status file_write(const char *path, pl_str bytes, mode_t mode, struct pl_err *e)
{
	return file_write_at(AT_FDCWD, path, bytes, mode, e);
}

pl_status file_mkdirs(const char *path, mode_t mode, struct pl_err *e)
{
	char *p = str_dup(str_of(path));
	pl_status st = PL_OK;
	for (char *at = p + 1; *p && !st; at++) {
		char c = *at;
		if (c && c != '/')
			continue;
		*at = 0;
		if (mkdir(p, mode) < 0 && errno != EEXIST)
			st = err_errno(e, errno, "create the folder '%s'", p);
		*at = c;
		if (!c)
			break;
	}
	if (!st && !file_is_dir(path))
		st = err_set(e, PL_EINVAL, "create the folder '%s': something else has that name", path);
	free(p);
	return st;
}

static pl_status remove_in(int dir, const char *name, unsigned depth, struct pl_err *e)
{
	if (unlinkat(dir, name, 0) == 0 || errno == ENOENT)
		return PL_OK;
	if (errno != EISDIR && errno != EPERM)
		return err_errno(e, errno, "remove '%s'", name);
	int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
	if (!d) {
		pl_status st = err_errno(e, errno, "open the folder '%s'", name);
		if (fd >= 0)
			close(fd);
		return st;
	}
	pl_status st = depth ? PL_OK : err_set(e, PL_ETOOBIG, "remove '%s': folders are nested too deep", name);
	struct dirent *entry;
	while (!st && (entry = readdir(d)))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			st = remove_in(dirfd(d), entry->d_name, depth - 1, e);
	closedir(d);
	if (!st && unlinkat(dir, name, AT_REMOVEDIR) < 0 && errno != ENOENT)
		st = err_errno(e, errno, "remove the folder '%s'", name);
	return st;
}

pl_status file_remove_tree(const char *path, struct pl_err *e)
{
	return remove_in(AT_FDCWD, path, 256, e);
}

pl_status file_lock(const char *path, const char *holder, int *out, struct pl_err *e)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_errno(e, errno, "open the lock '%s'", path);
	if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		int error = errno;
		struct buf who = BUF_INIT(512);
		pl_status st = error == EWOULDBLOCK ? read_fd(fd, path, &who, NULL) : PL_OK;
		if (error != EWOULDBLOCK)
			st = err_errno(e, error, "lock '%s'", path);
		else
			st = err_set(e, PL_EBUSY, "the state folder is in use by %.*s (lock '%s')",
				     F(who.n && !st ? str_trim(buf_str(&who)) : S("another process")), path);
		buf_free(&who);
		close(fd);
		return st;
	}
	pl_status st = PL_OK;
	if (ftruncate(fd, 0) < 0)
		st = err_errno(e, errno, "write the lock '%s'", path);
	if (!st)
		st = fd_write_all(fd, str_of(holder), e);
	if (st) {
		close(fd);
		return pl_err_in(e, "take the lock '%s'", path);
	}
	*out = fd;
	return PL_OK;
}

bool file_exists(const char *path)
{
	return access(path, F_OK) == 0;
}

bool file_is_dir(const char *path)
{
	struct stat st;
	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

char *path_join(const char *a, const char *b)
{
	if (b[0] == '/' || !a[0])
		return str_dup(str_of(b));
	size_t n = strlen(a), m = strlen(b);
	while (n > 1 && a[n - 1] == '/')
		n--;
	char *p = mem_alloc(n + m + 2);
	memcpy(p, a, n);
	p[n] = '/';
	memcpy(p + n + (a[n - 1] != '/'), b, m + 1);
	return p;
}

char *path_dir(const char *path)
{
	const char *slash = strrchr(path, '/');
	if (!slash)
		return str_dup(S("."));
	return str_dup((pl_str){path, slash == path ? 1 : (size_t)(slash - path)});
}
