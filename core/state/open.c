/* SPDX-License-Identifier: Apache-2.0 */
/* Opening and closing of the store, and what to do with a damaged one. */
#include "core/state/private.h"

#include "core/base/clock.h"
#include "core/base/file.h"
#include "core/base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <unistd.h>

/* Long enough for a backup that looks in, short enough that a forgotten sqlite3 shell is told about soon. */
enum { BUSY_MS = 2000 };

static pl_status run(struct store *s, const char *sql, struct pl_err *e)
{
	int rc = sqlite3_exec(s->db, sql, NULL, NULL, NULL);
	return rc == SQLITE_OK ? PL_OK : store_error(s->db, s->path, sqlite3_extended_errcode(s->db), e);
}

/* SQLite would give it the umask's mode, and the same to the log beside it. */
static pl_status make_file(struct store *s, struct pl_err *e)
{
	int fd = open(s->path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return err_errno(e, errno, "store '%s'", s->path);
	close(fd);
	return PL_OK;
}

/* The log is removed by a clean close: where there is one, the last owner was killed. */
static bool was_killed(const struct store *s)
{
	struct buf wal = BUF_INIT(8192);
	buf_addf(&wal, "%s-wal", s->path);
	bool there = wal.p && file_exists(wal.p);
	buf_free(&wal);
	return there;
}

static pl_status quick_check(struct store *s, struct pl_err *e)
{
	sqlite3_stmt *st = NULL;
	int rc = sqlite3_prepare_v2(s->db, "PRAGMA quick_check(1)", -1, &st, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_step(st);
	pl_status r = PL_OK;
	if (rc != SQLITE_ROW)
		r = store_error(s->db, s->path, sqlite3_extended_errcode(s->db), e);
	else if (strcmp((const char *)sqlite3_column_text(st, 0), "ok") != 0) {
		s->damaged = true;
		r = store_error(NULL, s->path, SQLITE_CORRUPT, e);
	}
	sqlite3_finalize(st);
	return r;
}

static const char *const settings[] = {
	/* Takes effect in a new database only; pages of dropped history go back to the disk by store_tidy. */
	"PRAGMA auto_vacuum = INCREMENTAL",
	"PRAGMA journal_mode = WAL",
	/* FULL: a commit is on the disk when it returns. */
	"PRAGMA synchronous = FULL",
	"PRAGMA foreign_keys = ON",
	"PRAGMA trusted_schema = OFF",
	"PRAGMA temp_store = MEMORY",
};

static bool is_damage(int rc)
{
	return (rc & 0xff) == SQLITE_CORRUPT || (rc & 0xff) == SQLITE_NOTADB;
}

static pl_status connect(struct store *s, struct pl_err *e)
{
	bool killed = was_killed(s);
	pl_status st = make_file(s, e);
	if (st)
		return st;
	s->damaged = false;
	/* Our own mutex guards the connection: SQLite's would be a second one. */
	int rc = sqlite3_open_v2(s->path, &s->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
	if (rc != SQLITE_OK) {
		s->damaged = is_damage(rc);
		return store_error(s->db, s->path, rc, e);
	}
	sqlite3_extended_result_codes(s->db, 1);
	sqlite3_busy_timeout(s->db, BUSY_MS);
	sqlite3_db_config(s->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	for (size_t i = 0; i < sizeof settings / sizeof *settings && !st; i++)
		st = run(s, settings[i], e);
	if (!st && killed)
		st = quick_check(s, e);
	if (!st)
		st = migrate(s->db, s->path, store_migrations, n_store_migrations, e);
	s->damaged = s->damaged || (st && is_damage(sqlite3_errcode(s->db)));
	return st;
}

static void disconnect(struct store *s)
{
	for (size_t i = 0; i < Q_COUNT; i++) {
		sqlite3_finalize(s->kept[i]);
		s->kept[i] = NULL;
	}
	/* The log stays where damage was met: its presence is what makes the next start look through all of it. */
	if (s->db && s->damaged)
		sqlite3_db_config(s->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	sqlite3_close(s->db);
	s->db = NULL;
}

/* Renames the database and its log to NAME.damaged-TIME[-N]: nothing is thrown away. */
static pl_status put_aside(const struct store *s, struct pl_err *e)
{
	static const char *const parts[] = {"", "-wal", "-shm"};
	char when[CLOCK_TEXT];
	struct buf base = BUF_INIT(8192), from = BUF_INIT(8192), to = BUF_INIT(8192);
	pl_status st = PL_OK;
	clock_text(clock_wall_ms(), when);
	for (unsigned n = 0; n == 0 || file_exists(base.p); n++) {
		buf_clear(&base);
		buf_addf(&base, n ? "%s.damaged-%s-%u" : "%s.damaged-%s", s->path, when, n);
	}
	for (size_t i = 0; i < sizeof parts / sizeof *parts && !st; i++) {
		buf_clear(&from);
		buf_clear(&to);
		buf_addf(&from, "%s%s", s->path, parts[i]);
		buf_addf(&to, "%s%s", base.p, parts[i]);
		if (rename(from.p, to.p) < 0 && errno != ENOENT)
			st = err_errno(e, errno, "put the damaged store '%s' aside", from.p);
	}
	buf_free(&base);
	buf_free(&from);
	buf_free(&to);
	return st;
}

pl_status store_open(const char *dir, bool rebuild, struct store **out, struct pl_err *e)
{
	struct store *s = mem_zalloc(sizeof *s);
	pthread_mutexattr_t ma;
	pthread_mutexattr_init(&ma);
	pthread_mutexattr_settype(&ma, PTHREAD_MUTEX_RECURSIVE);
	pthread_mutex_init(&s->lock, &ma);
	pthread_mutexattr_destroy(&ma);
	pthread_condattr_t ca;
	pthread_condattr_init(&ca);
	pthread_condattr_setclock(&ca, CLOCK_MONOTONIC);
	pthread_cond_init(&s->joined, &ca);
	pthread_condattr_destroy(&ca);
	pthread_cond_init(&s->committed, NULL);
	s->path = path_join(dir, "plumb.db");
	*out = NULL;
	pl_status st = seal_open(dir, &s->seal, e);
	if (!st)
		st = connect(s, e);
	if (st == PL_EIO && rebuild && s->damaged) {
		disconnect(s);
		st = put_aside(s, e);
		if (!st)
			st = connect(s, e);
	}
	if (st) {
		store_close(s);
		return pl_err_in(e, "open the state folder '%s'", dir);
	}
	*out = s;
	return PL_OK;
}

void store_close(struct store *s)
{
	if (!s)
		return;
	disconnect(s);
	seal_close(s->seal);
	pthread_mutex_destroy(&s->lock);
	pthread_cond_destroy(&s->joined);
	pthread_cond_destroy(&s->committed);
	free(s->path);
	free(s);
}
