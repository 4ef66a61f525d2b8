/* SPDX-License-Identifier: Apache-2.0 */
/* Every statement of the store, and how one is run. */
#include "core/state/private.h"

#include "core/base/mem.h"

#include <errno.h>
#include <sqlite3.h>
#include <time.h>

#define APP_COLUMNS                                                                                                    \
	"name, target, revision, revision_name, render_key, suspended, suspend_reason, pinned, pin_reason, "           \
	"pin_render, "                                                                                                 \
	"orphaned, cascade, failures, next_try_ms, last_error, tried_revision"
#define ITEM_COLUMNS "grp, version, kind, ns, name, hash, since, target"
#define HISTORY_COLUMNS                                                                                                \
	"id, app, revision, revision_name, author, message, initiator, started_ms, finished_ms, phase, error, "        \
	"health, "                                                                                                     \
	"render"

static const char *const texts[Q_COUNT] = {
	/* Takes the write lock at once: a transaction can't fail half-way for another writer. */
	[Q_BEGIN] = "BEGIN IMMEDIATE",
	[Q_COMMIT] = "COMMIT",
	[Q_ROLLBACK] = "ROLLBACK",
	[Q_SAVEPOINT] = "SAVEPOINT part",
	[Q_RELEASE] = "RELEASE part",
	[Q_UNDO] = "ROLLBACK TO part",

	[Q_APP_ALL] = "SELECT " APP_COLUMNS " FROM app ORDER BY name",
	[Q_APP_GET] = "SELECT " APP_COLUMNS " FROM app WHERE name = ?",
	[Q_APP_PUT] = "INSERT INTO app (" APP_COLUMNS ") VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?) "
		      "ON CONFLICT (name) DO UPDATE SET target = excluded.target, revision = excluded.revision, "
		      "revision_name = excluded.revision_name, render_key = excluded.render_key, "
		      "suspended = excluded.suspended, suspend_reason = excluded.suspend_reason, "
		      "pinned = excluded.pinned, pin_reason = excluded.pin_reason, pin_render = excluded.pin_render, "
		      "orphaned = excluded.orphaned, cascade = excluded.cascade, failures = excluded.failures, "
		      "next_try_ms = excluded.next_try_ms, last_error = excluded.last_error, "
		      "tried_revision = excluded.tried_revision",
	[Q_APP_DROP] = "DELETE FROM app WHERE name = ?",
	[Q_APP_TARGET] = "SELECT target FROM app WHERE name = ?",

	[Q_ITEM_LIST] = "SELECT " ITEM_COLUMNS
			" FROM item WHERE app = ?1 AND target = (SELECT target FROM app WHERE name = ?1) "
			"ORDER BY grp, kind, ns, name",
	[Q_ITEM_ON] = "SELECT " ITEM_COLUMNS " FROM item WHERE app = ? AND target = ? ORDER BY grp, kind, ns, name",
	[Q_ITEM_ELSEWHERE] = "SELECT " ITEM_COLUMNS " FROM item WHERE app = ? AND target <> ? "
			     "ORDER BY target, grp, kind, ns, name",
	[Q_ITEM_OWNER] = "SELECT app FROM item WHERE grp = ? AND kind = ? AND ns = ? AND name = ? AND target = ?",
	[Q_ITEM_HOLDER] = "SELECT item.app, app.orphaned FROM item JOIN app ON app.name = item.app "
			  "WHERE grp = ? AND kind = ? AND ns = ? AND item.name = ? AND item.target = ?",
	[Q_ITEM_PUT] =
		"INSERT INTO item (grp, kind, ns, name, version, target, app, hash, since) VALUES (?,?,?,?,?,?,?,?,?) "
		"ON CONFLICT (target, grp, kind, ns, name) DO UPDATE SET version = excluded.version, app = "
		"excluded.app, "
		"hash = excluded.hash",
	[Q_ITEM_DROP] =
		"DELETE FROM item WHERE grp = ? AND kind = ? AND ns = ? AND name = ? AND target = ? AND app = ?",
	[Q_ITEM_DROP_TARGET] = "DELETE FROM item WHERE app = ? AND target = ?",
	[Q_ITEM_DROP_APP] = "DELETE FROM item WHERE app = ?",

	[Q_SYNC_GET] = "SELECT blob FROM sync WHERE app = ?",
	[Q_SYNC_PUT] = "INSERT INTO sync (app, blob) VALUES (?,?) ON CONFLICT (app) DO UPDATE SET blob = excluded.blob",
	[Q_SYNC_DROP] = "DELETE FROM sync WHERE app = ?",
	[Q_SYNC_APPS] = "SELECT app FROM sync ORDER BY app",

	[Q_HISTORY_PUT] =
		"INSERT OR REPLACE INTO history (" HISTORY_COLUMNS ") VALUES (nullif(?,0),?,?,?,?,?,?,?,?,?,?,?,?)",
	[Q_HISTORY_LIST] = "SELECT " HISTORY_COLUMNS " FROM history WHERE app = ? ORDER BY id DESC LIMIT ?",
	[Q_HISTORY_GET] = "SELECT " HISTORY_COLUMNS " FROM history WHERE id = ?",
	[Q_HISTORY_HEALTH] = "UPDATE history SET health = ? WHERE id = ?",
	/* An entry that a rollback holds its application at is kept whatever its age. */
	[Q_HISTORY_TIDY] = "DELETE FROM history WHERE id IN (SELECT id FROM (SELECT id, row_number() OVER "
			   "(PARTITION BY app ORDER BY id DESC) AS nth FROM history) WHERE nth > ?) "
			   "AND id NOT IN (SELECT pin_render FROM app)",
	[Q_RESULT_PUT] = "INSERT INTO result (history, seq, grp, version, kind, ns, name, action, status, message) "
			 "VALUES (?,?,?,?,?,?,?,?,?,?)",
	[Q_RESULT_LIST] = "SELECT grp, version, kind, ns, name, action, status, message FROM result WHERE history = ? "
			  "ORDER BY seq",

	[Q_RENDER_FIND] = "SELECT id FROM render WHERE app = ? AND key = ?",
	[Q_RENDER_ADD] = "INSERT INTO render (app, key, blob) VALUES (?,?,x'')",
	[Q_RENDER_SEAL] = "UPDATE render SET blob = ? WHERE id = ?",
	[Q_RENDER_GET] = "SELECT app, key, blob FROM render WHERE id = ?",
	/* The newest of each application may belong to a sync that is about to be recorded; a running sync's own lie in
	   its sealed state. */
	[Q_RENDER_TIDY] =
		"DELETE FROM render WHERE id NOT IN (SELECT render FROM history) "
		"AND id NOT IN (SELECT max(id) FROM render GROUP BY app) AND app NOT IN (SELECT app FROM sync) "
		"AND NOT EXISTS (SELECT 1 FROM app WHERE app.name = render.app AND app.render_key = render.key)",
	[Q_RENDER_DROP_APP] = "DELETE FROM render WHERE app = ? AND id NOT IN (SELECT render FROM history)",

	[Q_TRACE_GET] = "SELECT trace FROM trace WHERE app = ?",
	[Q_TRACE_PUT] =
		"INSERT INTO trace (app, trace) VALUES (?,?) ON CONFLICT (app) DO UPDATE SET trace = excluded.trace",
	[Q_TRACE_DROP] = "DELETE FROM trace WHERE app = ?",
	[Q_META_GET] = "SELECT value FROM meta WHERE key = ?",
	[Q_META_PUT] =
		"INSERT INTO meta (key, value) VALUES (?,?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
	/* A bound on the pages given back at once keeps a tidy short. */
	[Q_VACUUM] = "PRAGMA incremental_vacuum(2000)",
};

struct failure {
	int rc; /* primary result code */
	pl_status code;
	const char *text;
	const char *hint;
};

static const struct failure failures[] = {
	{SQLITE_FULL, PL_EIO, "the disk is full", "free some space: nothing stored before is lost"},
	{SQLITE_READONLY, PL_EIO, "it is read-only", "give plumb's user write permission on it and its folder"},
	{SQLITE_PERM, PL_EIO, "permission denied", "give plumb's user write permission on it and its folder"},
	{SQLITE_CORRUPT, PL_EIO, "it is damaged", "put it aside: the inventory is rebuilt from the live side"},
	{SQLITE_NOTADB, PL_EIO, "it is not a database", "put it aside: the inventory is rebuilt from the live side"},
	{SQLITE_BUSY, PL_EBUSY, "it is locked by another process", "end the program that uses it"},
	{SQLITE_LOCKED, PL_EBUSY, "it is locked", NULL},
	{SQLITE_TOOBIG, PL_ETOOBIG, "a value is too big", NULL},
	{SQLITE_CANTOPEN, PL_EIO, "it can't be opened", NULL},
	{SQLITE_IOERR, PL_EIO, "reading or writing failed", NULL},
	{SQLITE_PROTOCOL, PL_EBUSY, "it is locked by another process", NULL},
};

pl_status store_error(struct sqlite3 *db, const char *path, int rc, struct pl_err *e)
{
	if ((rc & 0xff) == SQLITE_NOMEM)
		BUG("out of memory in the store");
	int cause = db ? sqlite3_system_errno(db) : 0;
	for (size_t i = 0; i < sizeof failures / sizeof *failures; i++) {
		const struct failure *f = &failures[i];
		if (f->rc != (rc & 0xff))
			continue;
		/* A full disk also shows as a failed write of the log. */
		if (f->rc == SQLITE_IOERR && (cause == ENOSPC || cause == EDQUOT))
			f = &failures[0];
		bool system = (f->rc == SQLITE_IOERR || f->rc == SQLITE_CANTOPEN) && cause;
		err_set(e, f->code, "store '%s': %s%s%s", path, f->text, system ? ": " : "",
			system ? strerror(cause) : "");
		if (f->hint)
			pl_err_hint(e, "%s", f->hint);
		return f->code;
	}
	return err_set(e, PL_EINTERNAL, "store '%s': %s", path, db ? sqlite3_errmsg(db) : sqlite3_errstr(rc));
}

void q_open(struct q *q, struct store *s, enum query id)
{
	if (!s->kept[id])
		sqlite3_prepare_v3(s->db, texts[id], -1, SQLITE_PREPARE_PERSISTENT, &s->kept[id], NULL);
	*q = (struct q){.s = s, .st = s->kept[id]};
}

/* SQLite takes a NULL pointer for NULL; an empty slice is an empty text. */
void q_str(struct q *q, pl_str v)
{
	q->bound++;
	if (q->st)
		sqlite3_bind_text64(q->st, q->bound, v.p ? v.p : "", v.n, SQLITE_STATIC, SQLITE_UTF8);
}

void q_blob(struct q *q, pl_str v)
{
	q->bound++;
	if (q->st)
		sqlite3_bind_blob64(q->st, q->bound, v.p ? v.p : "", v.n, SQLITE_STATIC);
}

void q_int(struct q *q, int64_t v)
{
	q->bound++;
	if (q->st)
		sqlite3_bind_int64(q->st, q->bound, v);
}

void q_ref(struct q *q, const pl_ref *ref)
{
	q_str(q, ref->group);
	q_str(q, ref->kind);
	q_str(q, ref->ns);
	q_str(q, ref->name);
}

pl_status q_step(struct q *q, struct pl_err *e)
{
	q->col = 0;
	int rc = q->st ? sqlite3_step(q->st) : sqlite3_extended_errcode(q->s->db);
	if (rc == SQLITE_ROW)
		return PL_OK;
	if (rc == SQLITE_DONE)
		return PL_ENOTFOUND;
	if ((rc & 0xff) == SQLITE_CORRUPT)
		q->s->damaged = true;
	return store_error(q->s->db, q->s->path, sqlite3_extended_errcode(q->s->db), e);
}

pl_status q_run(struct q *q, struct pl_err *e)
{
	pl_status st;
	do
		st = q_step(q, e);
	while (!st);
	q_close(q);
	return st == PL_ENOTFOUND ? PL_OK : st;
}

void q_close(struct q *q)
{
	if (!q->st)
		return;
	sqlite3_reset(q->st);
	sqlite3_clear_bindings(q->st);
}

pl_str q_peek_str(struct q *q)
{
	const char *p = sqlite3_column_blob(q->st, q->col);
	int n = sqlite3_column_bytes(q->st, q->col);
	q->col++;
	return (pl_str){p ? p : "", (size_t)n};
}

pl_str q_get_str(struct q *q, struct arena *a)
{
	return arena_dup(a, q_peek_str(q));
}

int64_t q_get_int(struct q *q)
{
	return sqlite3_column_int64(q->st, q->col++);
}

bool q_get_bool(struct q *q)
{
	return q_get_int(q) != 0;
}

int64_t store_changes(struct store *s)
{
	return sqlite3_changes64(s->db);
}

int64_t store_last_id(struct store *s)
{
	return sqlite3_last_insert_rowid(s->db);
}

void store_lock(struct store *s)
{
	pthread_mutex_lock(&s->lock);
}

void store_unlock(struct store *s)
{
	pthread_mutex_unlock(&s->lock);
}

static pl_status simply(struct store *s, enum query id, struct pl_err *e)
{
	struct q q;
	q_open(&q, s, id);
	return q_run(&q, e);
}

pl_status tx_begin(struct store *s, struct pl_err *e)
{
	pl_status st = PL_OK;
	atomic_fetch_add(&s->entering, 1);
	store_lock(s);
	atomic_fetch_sub(&s->entering, 1);
	s->depth++;
	if (!s->begun) {
		st = simply(s, Q_BEGIN, e);
		s->begun = st == PL_OK;
	}
	return st ? st : simply(s, Q_SAVEPOINT, e);
}

/* The database has left the transaction by itself, or can't commit it: all that have joined are told the same. */
static void group_fail(struct store *s, pl_status st, const struct pl_err *e)
{
	if (!sqlite3_get_autocommit(s->db))
		simply(s, Q_ROLLBACK, NULL);
	s->begun = false;
	if (!s->group || s->group->status)
		return;
	s->group->status = st;
	err_copy(&s->group->e, e);
}

/* Undoes this transaction alone, when the database still can. */
static void undo(struct store *s, pl_status st, const struct pl_err *e)
{
	struct pl_err why = ERR_INIT;
	if (!s->begun)
		return;
	err_copy(&why, e);
	if (sqlite3_get_autocommit(s->db) || simply(s, Q_UNDO, &why) || simply(s, Q_RELEASE, &why))
		group_fail(s, st, &why);
	else if (s->depth == 1 && !s->group) /* nobody else has a part in it */
		group_fail(s, st, &why);
	err_clear(&why);
}

enum { GATHER_MS = 5 };

/* Those who are on their way come along: each would need an fsync of its own. */
static void gather(struct store *s)
{
	struct timespec until;
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += GATHER_MS * 1000000L;
	if (until.tv_nsec >= 1000000000) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000;
	}
	while (atomic_load(&s->entering) && !s->group->status)
		if (pthread_cond_timedwait(&s->joined, &s->lock, &until))
			return;
}

static void lead(struct store *s)
{
	struct group *g = s->group;
	struct pl_err e = ERR_INIT;
	s->led = true;
	gather(s);
	pl_status st = g->status ? g->status : simply(s, Q_COMMIT, &e);
	if (st)
		group_fail(s, st, &e); /* a failed commit has not rolled back */
	s->begun = s->led = false;
	s->group = NULL;
	g->done = true;
	err_clear(&e);
	pthread_cond_broadcast(&s->committed);
}

/* The transaction is whole: it becomes durable with those of others. */
static pl_status join(struct store *s, struct pl_err *e)
{
	if (!s->group)
		s->group = mem_zalloc(sizeof(*s->group));
	struct group *g = s->group;
	g->users++;
	s->depth = 0; /* the lock is let go while we wait */
	if (!s->led)
		lead(s);
	else
		pthread_cond_signal(&s->joined);
	while (!g->done)
		pthread_cond_wait(&s->committed, &s->lock);
	pl_status st = g->status;
	if (st && e)
		err_copy(e, &g->e);
	if (--g->users == 0) {
		err_clear(&g->e);
		free(g);
	}
	return st;
}

pl_status tx_end(struct store *s, pl_status st, const char *before, const char *after, struct pl_err *e)
{
	struct pl_err own = ERR_INIT;
	(void)before;
	(void)after;
	if (!st && !s->begun) /* an inner one has failed and taken the whole along */
		st = err_set(e, PL_EIO, "store '%s': the transaction was rolled back", s->path);
	if (!st)
		st = simply(s, Q_RELEASE, e);
	if (st) {
		if (e)
			err_copy(&own, e);
		undo(s, st, &own);
		err_clear(&own);
		s->depth--;
	} else if (s->depth > 1) {
		s->depth--;
	} else {
		FAULT(before);
		st = join(s, e);
		if (!st) {
			FAULT(after);
		}
	}
	store_unlock(s);
	return st;
}

pl_status store_batch_begin(struct store *s, struct pl_err *e)
{
	return tx_begin(s, e);
}

pl_status store_batch_end(struct store *s, pl_status st, struct pl_err *e)
{
	return TX_END(s, st, "batch", e);
}

pl_status hand_over(struct arena *a, void *v, size_t n, size_t size, pl_status st, void *out, size_t *count)
{
	void *kept = NULL;
	if (st == PL_ENOTFOUND)
		st = PL_OK;
	if (!st) {
		kept = arena_array(a, n, size);
		if (n)
			memcpy(kept, v, n * size);
	}
	free(v);
	memcpy(out, &kept, sizeof kept);
	*count = st ? 0 : n;
	return st;
}
