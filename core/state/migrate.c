/* SPDX-License-Identifier: Apache-2.0 */
/* The schema, and how an older one becomes today's. A released row is never changed: a change is a new row. */
#include "core/state/private.h"

#include <sqlite3.h>

static const char version_1[] =
	"CREATE TABLE meta (key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;"
	"CREATE TABLE app ("
	" name TEXT PRIMARY KEY, target TEXT NOT NULL, revision TEXT NOT NULL, revision_name TEXT NOT NULL,"
	" render_key TEXT NOT NULL, suspended INTEGER NOT NULL, suspend_reason TEXT NOT NULL, pinned TEXT NOT NULL,"
	" pin_reason TEXT NOT NULL, pin_render INTEGER NOT NULL, orphaned INTEGER NOT NULL, cascade INTEGER NOT NULL,"
	" failures INTEGER NOT NULL, next_try_ms INTEGER NOT NULL, last_error TEXT NOT NULL, tried_revision TEXT NOT "
	"NULL"
	") WITHOUT ROWID;"
	/* The key is what makes an object one: no two applications can have it. */
	"CREATE TABLE item ("
	" target TEXT NOT NULL, grp TEXT NOT NULL, kind TEXT NOT NULL, ns TEXT NOT NULL, name TEXT NOT NULL,"
	" version TEXT NOT NULL, app TEXT NOT NULL REFERENCES app (name), hash TEXT NOT NULL, since INTEGER NOT NULL,"
	" PRIMARY KEY (target, grp, kind, ns, name)"
	") WITHOUT ROWID;"
	"CREATE INDEX item_app ON item (app, target);"
	"CREATE TABLE sync (app TEXT PRIMARY KEY, blob BLOB NOT NULL);"
	/* AUTOINCREMENT: the number of an entry that is gone is never given again. */
	"CREATE TABLE history ("
	" id INTEGER PRIMARY KEY AUTOINCREMENT, app TEXT NOT NULL, revision TEXT NOT NULL, revision_name TEXT NOT NULL,"
	" author TEXT NOT NULL, message TEXT NOT NULL, initiator TEXT NOT NULL, started_ms INTEGER NOT NULL,"
	" finished_ms INTEGER NOT NULL, phase TEXT NOT NULL, error TEXT NOT NULL, health TEXT NOT NULL, render INTEGER "
	"NOT NULL);"
	"CREATE INDEX history_app ON history (app, id);"
	"CREATE INDEX history_render ON history (render);"
	"CREATE TABLE result ("
	" history INTEGER NOT NULL REFERENCES history (id) ON DELETE CASCADE, seq INTEGER NOT NULL, grp TEXT NOT NULL,"
	" version TEXT NOT NULL, kind TEXT NOT NULL, ns TEXT NOT NULL, name TEXT NOT NULL, action TEXT NOT NULL,"
	" status TEXT NOT NULL, message TEXT NOT NULL, PRIMARY KEY (history, seq)"
	") WITHOUT ROWID;"
	"CREATE TABLE render ("
	" id INTEGER PRIMARY KEY AUTOINCREMENT, app TEXT NOT NULL, key TEXT NOT NULL, blob BLOB NOT NULL, UNIQUE (app, "
	"key));"
	"CREATE TABLE trace (app TEXT PRIMARY KEY, trace BLOB NOT NULL);";

const struct migration store_migrations[] = {
	{1, version_1},
};
const size_t n_store_migrations = sizeof store_migrations / sizeof *store_migrations;

static pl_status exec(struct sqlite3 *db, const char *path, const char *sql, struct pl_err *e)
{
	int rc = sqlite3_exec(db, sql, NULL, NULL, NULL);
	return rc == SQLITE_OK ? PL_OK : store_error(db, path, sqlite3_extended_errcode(db), e);
}

static pl_status get_number(struct sqlite3 *db, const char *path, const char *sql, int64_t *out, struct pl_err *e)
{
	sqlite3_stmt *st = NULL;
	int rc = sqlite3_prepare_v2(db, sql, -1, &st, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_step(st);
	if (rc == SQLITE_ROW)
		*out = sqlite3_column_int64(st, 0);
	pl_status r = rc == SQLITE_ROW ? PL_OK : store_error(db, path, sqlite3_extended_errcode(db), e);
	sqlite3_finalize(st);
	return r;
}

static pl_status migrate_one(struct sqlite3 *db, const char *path, const struct migration *m, struct pl_err *e)
{
	char facts[96];
	snprintf(facts, sizeof facts, "PRAGMA application_id = %d; PRAGMA user_version = %d", STORE_APPLICATION_ID,
		 m->version);
	pl_status st = exec(db, path, "BEGIN IMMEDIATE", e);
	if (st)
		return st;
	st = exec(db, path, m->sql, e);
	if (!st)
		st = exec(db, path, facts, e);
	if (!st) {
		FAULT("store.migrate.before");
		st = exec(db, path, "COMMIT", e);
	}
	if (!st) {
		FAULT("store.migrate.after");
		return PL_OK;
	}
	if (!sqlite3_get_autocommit(db))
		exec(db, path, "ROLLBACK", NULL);
	return pl_err_in(e, "bring the store to version %d", m->version);
}

pl_status migrate(struct sqlite3 *db, const char *path, const struct migration *table, size_t n, struct pl_err *e)
{
	int64_t version = 0, program = 0, tables = 0;
	int newest = n ? table[n - 1].version : 0;
	pl_status st = get_number(db, path, "PRAGMA user_version", &version, e);
	if (!st)
		st = get_number(db, path, "PRAGMA application_id", &program, e);
	if (!st)
		st = get_number(db, path, "SELECT count(*) FROM sqlite_master", &tables, e);
	if (st)
		return st;
	if (program != STORE_APPLICATION_ID && (program || version || tables)) {
		err_set(e, PL_EINVAL, "store '%s' is a database of another program", path);
		pl_err_hint(e, "choose another stateDir");
		return PL_EINVAL;
	}
	if (version > newest) {
		err_set(e, PL_EUNSUPPORTED,
			"store '%s' has version %lld, made by a newer plumb; this one reads up to version %d", path,
			(long long)version, newest);
		pl_err_hint(e, "run the newer plumb, or choose another stateDir");
		return PL_EUNSUPPORTED;
	}
	for (size_t i = 0; i < n && !st; i++)
		if (table[i].version > version)
			st = migrate_one(db, path, &table[i], e);
	return st;
}
