/* SPDX-License-Identifier: Apache-2.0 */
#include "directory.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <unistd.h>

enum { TRIES = 8 };

/* ---- the root ---- */

static int make_folders(const char *path)
{
	char *p = strdup(path);
	if (!p)
		abort();
	int bad = 0;
	for (char *at = p + 1; !bad; at++) {
		if (*at && *at != '/')
			continue;
		char was = *at;
		*at = '\0';
		bad = mkdir(p, 0755) && errno != EEXIST ? errno : 0;
		*at = was;
		if (!was)
			break;
	}
	free(p);
	return bad;
}

int root_same(const struct directory *d)
{
	struct stat now;
	return d->root >= 0 && stat(d->path, &now) == 0 && now.st_dev == d->root_dev && now.st_ino == d->root_ino;
}

static int open_root(struct directory *d)
{
	struct stat st;
	d->root = open(d->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (d->root < 0 || fstat(d->root, &st))
		return errno;
	d->root_dev = st.st_dev;
	d->root_ino = st.st_ino;
	return 0;
}

pl_status root_open(struct directory *d, int create, pl_err *e)
{
	if (root_same(d))
		return PL_OK;
	if (d->root >= 0)
		close(d->root);
	int why = open_root(d);
	if (!why) {
		clean_temporaries(d->root);
		return PL_OK;
	}
	if (why == ENOTDIR)
		return pl_err_set(e, PL_EINVAL, (pl_place){NULL, 0, 0}, "the target '%s' is not a folder", d->path);
	if (why != ENOENT)
		return fail_errno(e, why, "open the target '%s'", d->path);
	if (!create)
		return pl_err_set(e, PL_ENOTFOUND, (pl_place){NULL, 0, 0}, "the target '%s' does not exist", d->path);
	why = make_folders(d->path);
	if (why)
		return fail_errno(e, why, "make the target '%s'", d->path);
	why = open_root(d);
	return why ? fail_errno(e, why, "open the target '%s'", d->path) : PL_OK;
}

/* ---- steps ---- */

int step_down(int dir, const char *name)
{
	return openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

static pl_status bad_step(const struct directory *d, int dir, const char *above, const char *name, int why, pl_err *e)
{
	struct stat st;
	const char *slash = *above ? "/" : "";
	if ((why == ENOTDIR || why == ELOOP) && fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    S_ISLNK(st.st_mode)) {
		pl_err_set(e, PL_EDENIED, (pl_place){NULL, 0, 0},
			   "'%s/%s%s%s' is a symbolic link, which is not followed in a target", d->path, above, slash,
			   name);
		pl_err_hint(e, "remove it");
		return PL_EDENIED;
	}
	if (why == ENOTDIR)
		return pl_err_set(e, PL_ECONFLICT, (pl_place){NULL, 0, 0},
				  "'%s/%s%s%s' is in the way: a folder must stand there", d->path, above, slash, name);
	return fail_errno(e, why, "open '%s/%s%s%s'", d->path, above, slash, name);
}

static pl_status down(const struct directory *d, int dir, const char *above, const char *name, int create, int *fd,
		      pl_err *e)
{
	*fd = step_down(dir, name);
	if (*fd >= 0)
		return PL_OK;
	if (errno == ENOENT && !create)
		return PL_ENOTFOUND;
	if (errno == ENOENT) {
		if (mkdirat(dir, name, 0755) && errno != EEXIST)
			return fail_errno(e, errno, "make the folder '%s/%s%s%s'", d->path, above, *above ? "/" : "",
					  name);
		(void)fsync(dir); /* the file's own fsync below tells when the disk fails */
		*fd = step_down(dir, name);
	}
	return *fd >= 0 ? PL_OK : bad_step(d, dir, above, name, errno, e);
}

pl_status spot_open(struct directory *d, const struct spot *s, int create, int *fd, pl_err *e)
{
	int ns = -1;
	pl_status st = down(d, d->root, "", s->ns, create, &ns, e);
	if (st)
		return st;
	st = down(d, ns, s->ns, s->kind, create, fd, e);
	close(ns);
	return st;
}

/* ---- a file ---- */

static int read_all(int fd, char **text, size_t *n)
{
	size_t cap = 4096;
	ssize_t got = 1;
	*text = grab(cap);
	*n = 0;
	while (got != 0) {
		if (*n + 1 >= cap) {
			cap *= 2;
			*text = realloc(*text, cap);
			if (!*text)
				abort();
		}
		got = read(fd, *text + *n, cap - *n - 1);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return errno;
		*n += (size_t)got;
		if (*n > OBJECT_MAX)
			return EFBIG;
	}
	(*text)[*n] = '\0';
	return 0;
}

pl_status file_get(const struct directory *d, int dir, const struct spot *s, char **text, size_t *n, struct stat *st,
		   pl_err *e)
{
	const pl_place nowhere = {NULL, 0, 0};
	*text = NULL;
	int fd = openat(dir, s->file, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0 && errno == ENOENT)
		return PL_ENOTFOUND;
	if (fd < 0 && errno == ELOOP) {
		pl_err_set(e, PL_EDENIED, nowhere,
			   "'%s/%s/%s/%s' is a symbolic link, which is not followed in a target", d->path, s->ns,
			   s->kind, s->file);
		pl_err_hint(e, "remove it");
		return PL_EDENIED;
	}
	if (fd < 0)
		return fail_errno(e, errno, "open '%s/%s/%s/%s'", d->path, s->ns, s->kind, s->file);
	int why = fstat(fd, st) ? errno : 0;
	if (!why && !S_ISREG(st->st_mode)) {
		close(fd);
		return pl_err_set(e, PL_ECONFLICT, nowhere, "'%s/%s/%s/%s' is in the way: it is not a regular file",
				  d->path, s->ns, s->kind, s->file);
	}
	why = why ? why : read_all(fd, text, n);
	close(fd);
	if (!why)
		return PL_OK;
	free(*text);
	*text = NULL;
	return fail_errno(e, why, "read '%s/%s/%s/%s'", d->path, s->ns, s->kind, s->file);
}

static int write_all(int fd, pl_str text)
{
	while (text.n) {
		ssize_t n = write(fd, text.p, text.n);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno;
		text = (pl_str){text.p + n, text.n - (size_t)n};
	}
	return 0;
}

/* Onto nothing, when fresh: EEXIST says that somebody else was quicker. Where a file system can't tell, as ever. */
static int move_in(int dir, const char *from, const char *to, int fresh)
{
	if (fresh && renameat2(dir, from, dir, to, RENAME_NOREPLACE) == 0)
		return 0;
	if (fresh && errno != EINVAL && errno != ENOSYS)
		return errno;
	return renameat(dir, from, dir, to) ? errno : 0;
}

static int same_folder(int a, int b)
{
	struct stat x, y;
	return !fstat(a, &x) && !fstat(b, &y) && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

int folders_sync(struct directory *d)
{
	int why = d->unsynced_error;
	if (d->unsynced >= 0) {
		if (fsync(d->unsynced) && !why)
			why = errno;
		close(d->unsynced);
	}
	d->unsynced = -1;
	d->unsynced_error = 0;
	return why;
}

static void sync_later(struct directory *d, int dir)
{
	if (d->unsynced >= 0 && same_folder(d->unsynced, dir))
		return;
	d->unsynced_error = folders_sync(d);
	d->unsynced = fcntl(dir, F_DUPFD_CLOEXEC, 0);
	if (d->unsynced < 0 && fsync(dir) && !d->unsynced_error)
		d->unsynced_error = errno;
}

/*
 * One try. The lock tells a cleaner that the temporary file has a writer; EAGAIN: a cleaner was quicker. Killed at any
 * step, the old or the new content stands there, and at most a temporary file without a lock.
 */
static int put(struct directory *d, int dir, const struct spot *s, pl_str text, mode_t mode, int fresh)
{
	uint64_t r = 0;
	char name[64];
	if (getrandom(&r, sizeof(r), 0) != (ssize_t)sizeof(r))
		return errno;
	snprintf(name, sizeof(name), TEMPORARY "%016llx", (unsigned long long)r);
	int fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return errno == EEXIST ? EAGAIN : errno;
	int why = flock(fd, LOCK_EX | LOCK_NB) ? EAGAIN : 0;
	if (!why)
		why = write_all(fd, text);
	if (!why && (fchmod(fd, mode) || fsync(fd)))
		why = errno;
	if (!why) {
		why = move_in(dir, name, s->file, fresh);
		why = why == ENOENT ? EAGAIN : why;
	}
	if (why)
		(void)unlinkat(dir, name, 0); /* the first failure is the one to tell */
	else
		sync_later(d, dir);
	close(fd);
	return why;
}

pl_status file_put(struct directory *d, int dir, const struct spot *s, pl_str text, mode_t mode, int fresh, pl_err *e)
{
	int why = EAGAIN;
	for (int i = 0; i < TRIES && why == EAGAIN; i++)
		why = put(d, dir, s, text, mode, fresh);
	if (!why)
		return PL_OK;
	if (why == EAGAIN) /* the folder itself is gone: the caller opens it anew */
		return PL_ENOTFOUND;
	if (fresh && why == EEXIST)
		return PL_EEXIST;
	if (why == EISDIR)
		return pl_err_set(e, PL_ECONFLICT, (pl_place){NULL, 0, 0},
				  "'%s/%s/%s/%s' is in the way: it is a folder", d->path, s->ns, s->kind, s->file);
	return fail_errno(e, why, "write '%s/%s/%s/%s'", d->path, s->ns, s->kind, s->file);
}

pl_status file_drop(const struct directory *d, int dir, const struct spot *s, pl_err *e)
{
	if (unlinkat(dir, s->file, 0) && errno != ENOENT)
		return fail_errno(e, errno, "remove '%s/%s/%s/%s'", d->path, s->ns, s->kind, s->file);
	if (fsync(dir))
		return fail_errno(e, errno, "remove '%s/%s/%s/%s'", d->path, s->ns, s->kind, s->file);
	int ns = step_down(d->root, s->ns);
	if (ns < 0)
		return PL_OK; /* somebody else has removed it */
	/* Folders that hold something stay: that is what rmdir is for. */
	if (unlinkat(ns, s->kind, AT_REMOVEDIR) == 0)
		(void)unlinkat(d->root, s->ns, AT_REMOVEDIR);
	close(ns);
	return PL_OK;
}

/* ---- folders ---- */

pl_status each_entry(int dir, entry_fn fn, void *ctx)
{
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *list = fd < 0 ? NULL : fdopendir(fd);
	if (!list) {
		if (fd >= 0)
			close(fd);
		return PL_EIO;
	}
	pl_status st = PL_OK;
	for (struct dirent *f = readdir(list); f && !st; f = readdir(list)) {
		if (!strcmp(f->d_name, ".") || !strcmp(f->d_name, ".."))
			continue;
		struct stat is;
		int folder = f->d_type == DT_DIR;
		if (f->d_type == DT_UNKNOWN)
			folder = fstatat(fd, f->d_name, &is, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(is.st_mode);
		st = fn(ctx, fd, f->d_name, folder);
	}
	closedir(list);
	return st;
}

static pl_status clean_entry(void *ctx, int dir, const char *name, int is_folder)
{
	const int *depth = ctx;
	if (is_folder && *depth > 0 && step_ok(name)) {
		int fd = step_down(dir, name);
		int less = *depth - 1;
		if (fd >= 0) {
			(void)each_entry(fd, clean_entry, &less);
			close(fd);
		}
		return PL_OK;
	}
	if (is_folder || strncmp(name, TEMPORARY, strlen(TEMPORARY)) != 0)
		return PL_OK;
	int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return PL_OK;
	if (flock(fd, LOCK_EX | LOCK_NB) == 0)
		(void)unlinkat(dir, name, 0);
	close(fd);
	return PL_OK;
}

void clean_temporaries(int dir)
{
	int depth = 2;
	(void)each_entry(dir, clean_entry, &depth); /* what can't be cleaned now harms nobody: its name is never read */
}
