/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the store: one connection behind a mutex, statements prepared once and kept, one error text for every way
 * SQLite fails. */
#ifndef STATE_PRIVATE_H
#define STATE_PRIVATE_H

#include "core/base/fault.h"
#include "core/state/seal.h"
#include "core/state/store.h"

#include <pthread.h>
#include <stdatomic.h>

struct sqlite3;
struct sqlite3_stmt;

/* One row of query.c's table each. */
enum query {
	Q_BEGIN,
	Q_COMMIT,
	Q_ROLLBACK,
	Q_SAVEPOINT,
	Q_RELEASE,
	Q_UNDO,
	Q_APP_ALL,
	Q_APP_GET,
	Q_APP_PUT,
	Q_APP_DROP,
	Q_APP_TARGET,
	Q_ITEM_LIST,
	Q_ITEM_ON,
	Q_ITEM_ELSEWHERE,
	Q_ITEM_OWNER,
	Q_ITEM_HOLDER,
	Q_ITEM_PUT,
	Q_ITEM_DROP,
	Q_ITEM_DROP_TARGET,
	Q_ITEM_DROP_APP,
	Q_SYNC_GET,
	Q_SYNC_PUT,
	Q_SYNC_DROP,
	Q_SYNC_APPS,
	Q_HISTORY_PUT,
	Q_HISTORY_LIST,
	Q_HISTORY_GET,
	Q_HISTORY_HEALTH,
	Q_HISTORY_TIDY,
	Q_RESULT_PUT,
	Q_RESULT_LIST,
	Q_RENDER_FIND,
	Q_RENDER_ADD,
	Q_RENDER_SEAL,
	Q_RENDER_GET,
	Q_RENDER_TIDY,
	Q_RENDER_DROP_APP,
	Q_TRACE_GET,
	Q_TRACE_PUT,
	Q_TRACE_DROP,
	Q_META_GET,
	Q_META_PUT,
	Q_VACUUM,
	Q_COUNT
};

/* Transactions of several threads that become durable by one fsync. */
struct group {
	size_t users; /* threads that will read the outcome */
	bool done;
	pl_status status;
	struct pl_err e;
};

struct store {
	struct sqlite3 *db;
	pthread_mutex_t lock;	/* recursive; held from store_lock or tx_begin on: guards all below */
	atomic_size_t entering; /* threads on their way to a transaction */
	unsigned depth;		/* of tx_begin, of the lock's holder */
	bool begun;		/* the database is in a transaction */
	struct group *group;	/* whose transaction it is; NULL: nobody has joined yet */
	bool led;		/* somebody is about to commit it */
	pthread_cond_t joined, committed;
	char *path; /* of the database */
	struct seal *seal;
	bool damaged; /* damage was met: the next start must look through the database */
	struct sqlite3_stmt *kept[Q_COUNT];
};

/* A statement in use. Bound and read from left to right; a failure to prepare is told by the first step. */
struct q {
	struct store *s;
	struct sqlite3_stmt *st; /* NULL: could not be prepared */
	int bound, col;
};

void q_open(struct q *q, struct store *s, enum query id);
void q_str(struct q *q, pl_str v); /* borrowed until q_close */
void q_blob(struct q *q, pl_str v);
void q_int(struct q *q, int64_t v);
void q_ref(struct q *q, const pl_ref *ref);	 /* group, kind, namespace, name */
pl_status q_step(struct q *q, struct pl_err *e); /* PL_OK: a row; PL_ENOTFOUND without a text: no more */
pl_status q_run(struct q *q, struct pl_err *e);	 /* to its end, then q_close */
void q_close(struct q *q);
pl_str q_get_str(struct q *q, struct arena *a);
pl_str q_peek_str(struct q *q); /* valid until the next step */
int64_t q_get_int(struct q *q);
bool q_get_bool(struct q *q);
int64_t store_changes(struct store *s); /* rows the last statement has changed */
int64_t store_last_id(struct store *s); /* of the last insert */

/* What SQLite said about the last call, with the path and a remedy. */
pl_status store_error(struct sqlite3 *db, const char *path, int rc, struct pl_err *e);

void store_lock(struct store *s);
void store_unlock(struct store *s);

/*
 * A transaction: tx_begin takes the lock whatever it returns, tx_end commits (or rolls back when st is an error), lets
 * the lock go and tells the outcome. The fault points stand around the commit. Each is a savepoint: one inside another
 * (store_batch_begin) is durable with the outer one, and those of threads that come at the same time share a commit.
 */
pl_status tx_begin(struct store *s, struct pl_err *e);
pl_status tx_end(struct store *s, pl_status st, const char *before, const char *after, struct pl_err *e);
#define TX_END(s, st, name, e) tx_end(s, st, "store." name ".before", "store." name ".after", e)

/* Ends a listing: v (malloc'ed) goes into a. st is what the last step gave: PL_ENOTFOUND is a good end. out: where the
 * array's pointer goes. */
pl_status hand_over(struct arena *a, void *v, size_t n, size_t size, pl_status st, void *out, size_t *count);

/* ---- parts of transactions, called with the lock held ---- */
pl_status app_write(struct store *s, const struct store_app *app, struct pl_err *e);
pl_status sync_drop(struct store *s, pl_str app, struct pl_err *e);

/* ---- schema ---- */

struct migration {
	int version;
	const char *sql;
};

enum { STORE_APPLICATION_ID = 0x504c4d42 }; /* "PLMB" */

/*
 * Brings the database to the last version of the table (rows ascending), each row in one transaction. PL_EUNSUPPORTED:
 * it is newer; PL_EINVAL: it belongs to another program.
 */
pl_status migrate(struct sqlite3 *db, const char *path, const struct migration *table, size_t n, struct pl_err *e);
extern const struct migration store_migrations[];
extern const size_t n_store_migrations;

#endif
