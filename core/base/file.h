/* SPDX-License-Identifier: Apache-2.0 */
/* Files: whole reads with a limit, atomic durable writes, locks. Paths are NUL-terminated. */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include "core/base/buf.h"
#include "core/base/err.h"

#include <sys/types.h>

/* Appends the file's bytes to out. PL_ENOTFOUND when absent, PL_ETOOBIG past out->max. */
pl_status file_read(const char *path, struct buf *out, struct pl_err *e);
/* What a person names on the command line: "-" is standard input, a pipe is waited for. */
pl_status file_read_input(const char *path, struct buf *out, struct pl_err *e);
pl_status file_read_at(int dir, const char *name, struct buf *out, struct pl_err *e);

/*
 * Writes name in the folder dir by a temporary file, fsync, rename and fsync of the folder: after a crash
 * at any point the old or the new content stands there, whole. Temporary files are named ".plumb-tmp-*".
 */
pl_status file_write_at(int dir, const char *name, pl_str bytes, mode_t mode, struct pl_err *e);
pl_status file_write(const char *path, pl_str bytes, mode_t mode, struct pl_err *e);

pl_status file_mkdirs(const char *path, mode_t mode, struct pl_err *e); /* with parents; there already is fine */
pl_status file_remove_tree(const char *path, struct pl_err *e);		/* follows no symlink; absent is fine */

/* Takes an exclusive lock on path (made when absent), writes the holder's text into it. PL_EBUSY names the holder. */
pl_status file_lock(const char *path, const char *holder, int *fd, struct pl_err *e);

bool file_exists(const char *path);
bool file_is_dir(const char *path);
/* Joins with one slash; b absolute gives b. malloc'ed. */
char *path_join(const char *a, const char *b);
char *path_dir(const char *path); /* malloc'ed; "." when there is none */

/* Whole reads and writes that go on after EINTR and short counts. */
pl_status fd_write_all(int fd, pl_str bytes, struct pl_err *e);

#endif
