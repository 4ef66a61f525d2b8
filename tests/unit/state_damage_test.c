/* SPDX-License-Identifier: Apache-2.0 */
/* The store when something is wrong with the disk, the key, the file, or the program that wrote it. */
#include "core/state/private.h"

#include "core/base/file.h"

#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

struct fix {
	char dir[64];
	char db[128], key[128];
	struct store *s;
	struct arena *a;
	struct pl_err e;
};

static int setup(void **state)
{
	struct fix *f = calloc(1, sizeof *f);
	snprintf(f->dir, sizeof f->dir, "/tmp/plumb-damage-XXXXXX");
	if (!mkdtemp(f->dir))
		return -1;
	snprintf(f->db, sizeof f->db, "%s/plumb.db", f->dir);
	snprintf(f->key, sizeof f->key, "%s/seal.key", f->dir);
	f->a = arena_new();
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fix *f = *state;
	store_close(f->s);
	arena_free(f->a);
	err_clear(&f->e);
	int st = file_remove_tree(f->dir, NULL);
	free(f);
	return st;
}

static void ok_at(struct fix *f, pl_status st, int line)
{
	if (st)
		fail_msg("line %d: %s: %s", line, pl_status_name(st), pl_err_text(&f->e));
}
#define OK(st) ok_at(f, (st), __LINE__)

static void open_it(struct fix *f)
{
	OK(store_open(f->dir, false, &f->s, &f->e));
}

static void close_it(struct fix *f)
{
	store_close(f->s);
	f->s = NULL;
}

/* The error must be this, with the fixture's folder shown as DIR. */
static void says_at(struct fix *f, pl_status st, pl_status code, const char *want, int line)
{
	struct buf b = BUF_INIT(8192);
	const char *p = pl_err_text(&f->e), *hit;
	for (; (hit = strstr(p, f->dir)); p = hit + strlen(f->dir)) {
		buf_add(&b, (pl_str){p, (size_t)(hit - p)});
		buf_addz(&b, "DIR");
	}
	buf_addz(&b, p);
	if (st != code || strcmp(b.p, want) != 0)
		fail_msg("line %d: got %s: %s\nwant %s: %s", line, pl_status_name(st), b.p, pl_status_name(code), want);
	buf_free(&b);
}
#define SAYS(st, code, want) says_at(f, (st), (code), (want), __LINE__)

static void raw(struct fix *f, const char *sql)
{
	sqlite3 *db = NULL;
	char *message = NULL;
	assert_int_equal(sqlite3_open(f->db, &db), SQLITE_OK);
	if (sqlite3_exec(db, sql, NULL, NULL, &message) != SQLITE_OK)
		fail_msg("%s", message);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static void live_sql(struct fix *f, const char *sql)
{
	assert_int_equal(sqlite3_exec(f->s->db, sql, NULL, NULL, NULL), SQLITE_OK);
}

static void put_app(struct fix *f, const char *name)
{
	struct store_app app = {.name = str_of(name), .target = S("here")};
	OK(store_app_put(f->s, &app, &f->e));
}

static bool has_app(struct fix *f, const char *name)
{
	struct store_app app;
	pl_status st = store_app_get(f->s, str_of(name), f->a, &app, &f->e);
	if (st != PL_ENOTFOUND)
		OK(st);
	return st == PL_OK;
}

/* ---- versions ---- */

static void a_newer_store_is_refused(void **state)
{
	struct fix *f = *state;
	open_it(f);
	close_it(f);
	raw(f, "PRAGMA user_version = 7");
	SAYS(store_open(f->dir, true, &f->s, &f->e), PL_EUNSUPPORTED,
	     "open the state folder 'DIR': store 'DIR/plumb.db' has version 7, made by a newer plumb; this one reads "
	     "up to version 1 "
	     "(run the newer plumb, or choose another stateDir)");
	assert_null(f->s);
}

static void a_database_of_another_program_is_left_alone(void **state)
{
	struct fix *f = *state;
	static const char *const theirs[] = {"CREATE TABLE t (x)", "PRAGMA application_id = 99"};
	for (size_t i = 0; i < 2; i++) {
		unlink(f->db);
		raw(f, theirs[i]);
		SAYS(store_open(f->dir, true, &f->s, &f->e), PL_EINVAL,
		     "open the state folder 'DIR': store 'DIR/plumb.db' is a database of another program (choose "
		     "another stateDir)");
	}
}

static const struct migration steps[] = {
	{1, "CREATE TABLE t (x); INSERT INTO t VALUES (1)"},
	{3, "ALTER TABLE t ADD COLUMN y; UPDATE t SET y = x + 1"},
	{4, "INSERT INTO t SELECT x + 10, y FROM t"},
};

static int64_t number(sqlite3 *db, const char *sql)
{
	sqlite3_stmt *st = NULL;
	assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &st, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(st), SQLITE_ROW);
	int64_t n = sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	return n;
}

static void an_older_store_is_brought_up_step_by_step(void **state)
{
	struct fix *f = *state;
	sqlite3 *db = NULL;
	assert_int_equal(sqlite3_open(f->db, &db), SQLITE_OK);
	OK(migrate(db, f->db, steps, 1, &f->e));
	assert_int_equal(number(db, "PRAGMA user_version"), 1);
	OK(migrate(db, f->db, steps, 3, &f->e));
	assert_int_equal(number(db, "PRAGMA user_version"), 4);
	assert_int_equal(number(db, "PRAGMA application_id"), STORE_APPLICATION_ID);
	assert_int_equal(number(db, "SELECT sum(x * 100 + y) FROM t"), 1204);
	OK(migrate(db, f->db, steps, 3, &f->e)); /* nothing is done twice */
	assert_int_equal(number(db, "SELECT count(*) FROM t"), 2);
	sqlite3_close(db);
}

static void a_migration_that_fails_changes_nothing(void **state)
{
	struct fix *f = *state;
	static const struct migration bad[] = {{1, "CREATE TABLE t (x); INSERT INTO t VALUES (1)"},
					       {2, "DELETE FROM t; CREATE TABLE t (again)"}};
	sqlite3 *db = NULL;
	assert_int_equal(sqlite3_open(f->db, &db), SQLITE_OK);
	SAYS(migrate(db, f->db, bad, 2, &f->e), PL_EINTERNAL,
	     "bring the store to version 2: store 'DIR/plumb.db': table t already exists");
	assert_int_equal(number(db, "PRAGMA user_version"), 1);
	assert_int_equal(number(db, "SELECT count(*) FROM t"), 1);
	sqlite3_close(db);
}

static void todays_schema_has_the_version_of_the_last_row(void **state)
{
	struct fix *f = *state;
	open_it(f);
	assert_int_equal(number(f->s->db, "PRAGMA user_version"), store_migrations[n_store_migrations - 1].version);
	assert_int_equal(number(f->s->db, "PRAGMA synchronous"), 2);
	assert_int_equal(number(f->s->db, "PRAGMA foreign_keys"), 1);
	struct stat st;
	assert_int_equal(stat(f->db, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
}

static void owner_and_inventory_are_found_by_index(void **state)
{
	struct fix *f = *state;
	static const char *const queries[] = {
		"SELECT app FROM item WHERE grp = 'a' AND kind = 'b' AND ns = 'c' AND name = 'd' AND target = 'e'",
		"SELECT hash FROM item WHERE app = 'a' AND target = 'b'",
		"SELECT id FROM history WHERE app = 'a' ORDER BY id DESC LIMIT 20",
	};
	open_it(f);
	for (size_t i = 0; i < 3; i++) {
		char sql[256];
		sqlite3_stmt *st = NULL;
		snprintf(sql, sizeof sql, "EXPLAIN QUERY PLAN %s", queries[i]);
		assert_int_equal(sqlite3_prepare_v2(f->s->db, sql, -1, &st, NULL), SQLITE_OK);
		assert_int_equal(sqlite3_step(st), SQLITE_ROW);
		const char *plan = (const char *)sqlite3_column_text(st, 3);
		assert_true(strncmp(plan, "SEARCH", 6) == 0);
		sqlite3_finalize(st);
	}
}

/* ---- damage ---- */

static void scribble(const char *path, off_t at, size_t n)
{
	int fd = open(path, O_WRONLY);
	assert_true(fd >= 0);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(pwrite(fd, "\xa5", 1, at + (off_t)i), 1);
	close(fd);
}

static size_t put_aside(struct fix *f)
{
	size_t n = 0;
	DIR *d = opendir(f->dir);
	for (struct dirent *x; (x = readdir(d));)
		n += strncmp(x->d_name, "plumb.db.damaged-", 17) == 0;
	closedir(d);
	return n;
}

static void a_file_that_is_no_database_is_told_and_put_aside_on_demand(void **state)
{
	struct fix *f = *state;
	open_it(f);
	put_app(f, "shop");
	close_it(f);
	for (int round = 1; round <= 2; round++) {
		scribble(f->db, 0, 100);
		SAYS(store_open(f->dir, false, &f->s, &f->e), PL_EIO,
		     "open the state folder 'DIR': store 'DIR/plumb.db': it is not a database (put it aside: the "
		     "inventory is rebuilt "
		     "from the live side)");
		assert_int_equal(put_aside(f), round - 1);
		OK(store_open(f->dir, true, &f->s, &f->e));
		assert_int_equal(put_aside(f), round);
		assert_false(has_app(f, "shop"));
		put_app(f, "shop");
		close_it(f);
	}
}

/* A process that ends without closing leaves the log behind. */
static void die_with(struct fix *f, void (*work)(struct fix *))
{
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		if (store_open(f->dir, false, &f->s, &f->e) == PL_OK)
			work(f);
		kill(getpid(), SIGKILL);
	}
	int status;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static void fill(struct fix *f)
{
	char name[32];
	struct store_app app = {.target = S("here"),
				.last_error = S("a text that fills some pages of the database file")};
	for (int i = 0; i < 200; i++) {
		snprintf(name, sizeof name, "app-%d", i);
		app.name = str_of(name);
		if (store_app_put(f->s, &app, &f->e))
			_exit(1);
	}
	sqlite3_wal_checkpoint_v2(f->s->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
}

static void damage_within_is_found_after_a_crash(void **state)
{
	struct fix *f = *state;
	die_with(f, fill);
	struct stat st;
	assert_int_equal(stat(f->db, &st), 0);
	scribble(f->db, 4096, (size_t)st.st_size - 4096);
	SAYS(store_open(f->dir, false, &f->s, &f->e), PL_EIO,
	     "open the state folder 'DIR': store 'DIR/plumb.db': it is damaged (put it aside: the inventory is rebuilt "
	     "from the live "
	     "side)");
	OK(store_open(f->dir, true, &f->s, &f->e));
	assert_int_equal(put_aside(f) > 0, 1);
}

static void what_was_committed_survives_a_kill(void **state)
{
	struct fix *f = *state;
	die_with(f, fill);
	open_it(f);
	assert_true(has_app(f, "app-0") && has_app(f, "app-199"));
}

static void a_full_disk_is_told_and_nothing_is_lost(void **state)
{
	struct fix *f = *state;
	static char big[200000];
	open_it(f);
	put_app(f, "shop");
	live_sql(f, "PRAGMA max_page_count = 40");
	struct store_app app = {.name = S("big"), .target = S("here"), .last_error = {big, sizeof big}};
	int64_t id;
	SAYS(store_app_put(f->s, &app, &f->e), PL_EIO,
	     "store 'DIR/plumb.db': the disk is full (free some space: nothing stored before is lost)");
	SAYS(store_render_put(f->s, S("shop"), S("k"), (pl_str){big, sizeof big}, &id, &f->e), PL_EIO,
	     "store the render of 'shop': store 'DIR/plumb.db': the disk is full (free some space: nothing stored "
	     "before is lost)");
	assert_true(has_app(f, "shop"));
	assert_false(has_app(f, "big"));
	live_sql(f, "PRAGMA max_page_count = 100000");
	OK(store_app_put(f->s, &app, &f->e)); /* it recovers by itself */
	close_it(f);
	open_it(f);
	assert_true(has_app(f, "shop") && has_app(f, "big"));
}

static void a_read_only_database_is_told(void **state)
{
	struct fix *f = *state;
	struct store_app app = {.name = S("shop")};
	open_it(f);
	live_sql(f, "PRAGMA query_only = 1");
	SAYS(store_app_put(f->s, &app, &f->e), PL_EIO,
	     "store 'DIR/plumb.db': it is read-only (give plumb's user write permission on it and its folder)");
	live_sql(f, "PRAGMA query_only = 0");
	OK(store_app_put(f->s, &app, &f->e));
}

static void a_database_that_another_program_holds_is_told(void **state)
{
	struct fix *f = *state;
	struct store_app app = {.name = S("shop")};
	sqlite3 *db = NULL;
	open_it(f);
	assert_int_equal(sqlite3_open(f->db, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_busy_timeout(f->s->db, 10);
	SAYS(store_app_put(f->s, &app, &f->e), PL_EBUSY,
	     "store 'DIR/plumb.db': it is locked by another process (end the program that uses it)");
	assert_int_equal(sqlite3_exec(db, "COMMIT", NULL, NULL, NULL), SQLITE_OK);
	OK(store_app_put(f->s, &app, &f->e));
	sqlite3_close(db);
}

static void a_folder_that_is_not_there_is_told(void **state)
{
	struct fix *f = *state;
	char gone[128];
	snprintf(gone, sizeof gone, "%s/gone", f->dir);
	SAYS(store_open(gone, true, &f->s, &f->e), PL_ENOTFOUND,
	     "open the state folder 'DIR/gone': store 'DIR/gone/plumb.db': No such file or directory");
}

/* ---- the key ---- */

#define MARK "s3cr3t-marker-that-must-not-show"

static bool holds_mark(const char *path)
{
	struct buf b = BUF_INIT(64 << 20);
	bool found = false;
	if (file_read(path, &b, NULL) == PL_OK && b.n)
		found = memmem(b.p, b.n, MARK, sizeof MARK - 1) != NULL;
	buf_free(&b);
	return found;
}

static void secrets_never_stand_in_the_files(void **state)
{
	struct fix *f = *state;
	char wal[160];
	int64_t id;
	pl_str text;
	snprintf(wal, sizeof wal, "%s-wal", f->db);
	open_it(f);
	OK(store_render_put(f->s, S("shop"), S("k"), S("{\"password\":\"" MARK "\"}"), &id, &f->e));
	OK(store_sync_put(f->s, S("shop"), S(MARK), &f->e));
	assert_false(holds_mark(f->db) || holds_mark(wal));
	OK(store_meta_put(f->s, "proof", S(MARK), &f->e)); /* the search does find what is not sealed */
	assert_true(holds_mark(f->db) || holds_mark(wal));
	OK(store_meta_put(f->s, "proof", S(""), &f->e));
	OK(store_render_get(f->s, id, f->a, &text, &f->e));
	assert_non_null(memmem(text.p, text.n, MARK, sizeof MARK - 1));
	struct stat st;
	assert_int_equal(stat(f->key, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(st.st_size, 32);
}

static void no_key_is_made_before_it_is_needed(void **state)
{
	struct fix *f = *state;
	open_it(f);
	put_app(f, "shop");
	assert_false(file_exists(f->key));
}

static void a_key_that_others_can_read_is_refused(void **state)
{
	struct fix *f = *state;
	OK(file_write(f->key, S("0123456789abcdef0123456789abcdef"), 0640, &f->e));
	SAYS(store_open(f->dir, false, &f->s, &f->e), PL_EDENIED,
	     "open the state folder 'DIR': key file 'DIR/seal.key' has mode 0640: others can read it (run: chmod 600 "
	     "'DIR/seal.key')");
	assert_int_equal(chmod(f->key, 0600), 0);
	open_it(f);
}

static void a_key_of_another_user_is_refused(void **state)
{
	struct fix *f = *state;
	OK(file_write(f->key, S("0123456789abcdef0123456789abcdef"), 0600, &f->e));
	assert_int_equal(chown(f->key, 12345, 0), 0);
	SAYS(store_open(f->dir, false, &f->s, &f->e), PL_EDENIED,
	     "open the state folder 'DIR': key file 'DIR/seal.key' belongs to user 12345, not to plumb's user 0 (chown "
	     "it to the user "
	     "that runs plumb)");
}

static void a_key_that_is_none_is_refused(void **state)
{
	struct fix *f = *state;
	OK(file_write(f->key, S("short"), 0600, &f->e));
	SAYS(store_open(f->dir, false, &f->s, &f->e), PL_EINVAL,
	     "open the state folder 'DIR': key file 'DIR/seal.key' has 5 bytes, not 32 (restore it, or move it away: "
	     "stored renders "
	     "are made again)");
	unlink(f->key);
	assert_int_equal(mkdir(f->key, 0700), 0);
	SAYS(store_open(f->dir, false, &f->s, &f->e), PL_EDENIED,
	     "open the state folder 'DIR': key file 'DIR/seal.key' is not a regular file");
	rmdir(f->key);
	assert_int_equal(symlink("/dev/null", f->key), 0);
	SAYS(store_open(f->dir, false, &f->s, &f->e), PL_EDENIED,
	     "open the state folder 'DIR': key file 'DIR/seal.key' is a symbolic link");
}

static void a_lost_key_is_told_and_the_render_can_be_made_again(void **state)
{
	struct fix *f = *state;
	int64_t id, other, again;
	pl_str text;
	open_it(f);
	OK(store_render_put(f->s, S("shop"), S("k"), S("text"), &id, &f->e));
	OK(store_sync_put(f->s, S("shop"), S("state"), &f->e));
	close_it(f);
	unlink(f->key);
	open_it(f);
	SAYS(store_render_get(f->s, id, f->a, &text, &f->e), PL_EAUTH,
	     "stored render 1: this render was sealed with 'DIR/seal.key', which is gone (restore the key file, or "
	     "sync again: what it "
	     "holds is made again)");
	OK(store_render_put(f->s, S("shop"), S("other"), S("new"), &other, &f->e)); /* makes a new key */
	SAYS(store_sync_get(f->s, S("shop"), f->a, &text, &f->e), PL_EAUTH,
	     "running sync of 'shop': this sync was sealed with another key than 'DIR/seal.key' (restore the key file, "
	     "or sync again: "
	     "what it holds is made again)");
	OK(store_render_put(f->s, S("shop"), S("k"), S("text"), &again, &f->e));
	assert_true(again == id); /* history still names it */
	OK(store_render_get(f->s, id, f->a, &text, &f->e));
	assert_true(str_eqz(text, "text"));
}

struct tamper {
	const char *sql;
	bool render; /* else the sync */
};

static void sealed_rows_cant_be_swapped_or_changed(void **state)
{
	struct fix *f = *state;
	static const struct tamper tampers[] = {
		{"UPDATE render SET blob = (SELECT blob FROM render WHERE id = 2) WHERE id = 1", true},
		{"UPDATE render SET app = 'mine' WHERE id = 1", true},
		{"UPDATE render SET key = 'mine' WHERE id = 1", true},
		{"UPDATE render SET blob = substr(blob, 1, length(blob) - 8) || x'0000000000000000' WHERE id = 1",
		 true},
		{"UPDATE render SET blob = substr(blob, 1, length(blob) - 1) WHERE id = 1", true},
		{"UPDATE render SET blob = substr(blob, 1, 30) WHERE id = 1", true},
		{"UPDATE render SET blob = x'' WHERE id = 1", true},
		{"UPDATE sync SET blob = (SELECT blob FROM render WHERE id = 1)", false},
		{"UPDATE sync SET blob = (SELECT blob FROM sync WHERE app = 'two') WHERE app = 'shop'", false},
	};
	for (size_t i = 0; i < sizeof tampers / sizeof *tampers; i++) {
		int64_t one, two;
		pl_str text;
		unlink(f->db);
		open_it(f);
		OK(store_render_put(f->s, S("shop"), S("k1"), S("text of one"), &one, &f->e));
		OK(store_render_put(f->s, S("shop"), S("k2"), S("text of two"), &two, &f->e));
		OK(store_sync_put(f->s, S("shop"), S("state"), &f->e));
		OK(store_sync_put(f->s, S("two"), S("theirs"), &f->e));
		close_it(f);
		raw(f, tampers[i].sql);
		open_it(f);
		pl_status st = tampers[i].render ? store_render_get(f->s, one, f->a, &text, &f->e)
						 : store_sync_get(f->s, S("shop"), f->a, &text, &f->e);
		assert_int_equal(st, PL_EINVAL);
		assert_non_null(strstr(pl_err_text(&f->e), "is damaged"));
		OK(store_render_get(f->s, two, f->a, &text, &f->e));
		close_it(f);
	}
}

static void a_form_of_the_future_is_told(void **state)
{
	struct fix *f = *state;
	int64_t id;
	pl_str text;
	open_it(f);
	OK(store_render_put(f->s, S("shop"), S("k1"), S("text"), &id, &f->e));
	live_sql(f, "UPDATE render SET blob = x'09' || substr(blob, 2)");
	SAYS(store_render_get(f->s, id, f->a, &text, &f->e), PL_EUNSUPPORTED,
	     "stored render 1: the stored render is sealed in form 9, which this plumb does not know");
}

/* ---- killed around every commit ---- */

#ifdef PLUMB_FAULTS

static pl_status do_app(struct fix *f)
{
	struct store_app app = {.name = S("new"), .target = S("here")};
	return store_app_put(f->s, &app, &f->e);
}

static pl_status do_drop(struct fix *f)
{
	return store_app_drop(f->s, S("shop"), &f->e);
}

static const pl_ref web = {S_INIT("apps"), S_INIT("v1"), S_INIT("Deployment"), S_INIT("shop"), S_INIT("web")};
static const pl_ref api = {S_INIT("apps"), S_INIT("v1"), S_INIT("Deployment"), S_INIT("shop"), S_INIT("api")};

static pl_status do_inventory(struct fix *f)
{
	struct store_item it = {.ref = api, .hash = S("h")};
	return store_inventory_change(f->s, S("shop"), &it, 1, &web, 1, &f->e);
}

static pl_status do_inventory_drop(struct fix *f)
{
	return store_inventory_drop(f->s, S("shop"), S("here"), NULL, 0, &f->e);
}

static pl_status do_sync(struct fix *f)
{
	return store_sync_put(f->s, S("shop"), S("second"), &f->e);
}

static pl_status do_sync_end(struct fix *f)
{
	struct store_app app = {.name = S("shop"), .target = S("here"), .revision = S("r2")};
	struct store_result r = {web, S("update"), S("Synced"), S("")};
	struct store_history h = {
		.app = S("shop"), .revision = S("r2"), .phase = S("Succeeded"), .results = &r, .n_results = 1};
	return store_sync_end(f->s, &app, &h, &f->e);
}

static pl_status do_health(struct fix *f)
{
	return store_history_health(f->s, 1, S("Healthy"), &f->e);
}

static pl_status do_render(struct fix *f)
{
	int64_t id;
	return store_render_put(f->s, S("shop"), S("new"), S("text"), &id, &f->e);
}

static pl_status do_trace(struct fix *f)
{
	return store_trace_put(f->s, S("shop"), S("new"), &f->e);
}

static pl_status do_meta(struct fix *f)
{
	return store_meta_put(f->s, "fact", S("new"), &f->e);
}

static pl_status do_tidy(struct fix *f)
{
	return store_tidy(f->s, 1, &f->e);
}

/* counts: a query that is 0 before and 1 after. */
static const struct {
	const char *name;
	pl_status (*work)(struct fix *);
	const char *after;
} points[] = {
	{"app", do_app, "SELECT count(*) FROM app WHERE name = 'new'"},
	{"app_drop", do_drop,
	 "SELECT (SELECT count(*) FROM app) + (SELECT count(*) FROM item) + (SELECT count(*) FROM sync) = 0"},
	{"inventory", do_inventory,
	 "SELECT CASE group_concat(name) WHEN 'web' THEN 0 WHEN 'api' THEN 1 ELSE 9 END FROM item"},
	{"inventory_drop", do_inventory_drop, "SELECT count(*) = 0 FROM item"},
	{"sync", do_sync, "SELECT blob <> (SELECT value FROM meta WHERE key = 'first') FROM sync"},
	{"sync_end", do_sync_end,
	 "SELECT CASE (SELECT count(*) FROM sync) || (SELECT revision FROM app) || (SELECT count(*) FROM history) || "
	 "(SELECT count(*) "
	 "FROM result) WHEN '1r110' THEN 0 WHEN '0r221' THEN 1 ELSE 9 END"},
	{"history_health", do_health, "SELECT health = 'Healthy' FROM history"},
	{"render", do_render, "SELECT count(*) FROM render WHERE key = 'new' AND length(blob) > 0"},
	{"trace", do_trace, "SELECT count(*) FROM trace"},
	{"meta", do_meta, "SELECT count(*) FROM meta WHERE key = 'fact'"},
	{"tidy", do_tidy, "SELECT count(*) = 1 FROM render"},
};

static void prepare(struct fix *f)
{
	struct store_app app = {.name = S("shop"), .target = S("here"), .revision = S("r1")};
	struct store_history h = {.app = S("shop"), .revision = S("r1"), .phase = S("Succeeded")};
	struct store_item it = {.ref = web, .hash = S("h")};
	int64_t id;
	open_it(f);
	OK(store_sync_end(f->s, &app, &h, &f->e));
	OK(store_inventory_change(f->s, S("shop"), &it, 1, NULL, 0, &f->e));
	OK(store_render_put(f->s, S("other"), S("k1"), S("text"), &id, &f->e));
	OK(store_render_put(f->s, S("other"), S("k2"), S("text"), &id, &f->e));
	OK(store_sync_put(f->s, S("shop"), S("first"), &f->e));
	live_sql(f, "INSERT INTO meta SELECT 'first', blob FROM sync");
	close_it(f);
}

static void kill_at(struct fix *f, const char *point, pl_status (*work)(struct fix *))
{
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		if (store_open(f->dir, false, &f->s, &f->e))
			_exit(1);
		setenv("PLUMB_FAULT", point, 1);
		work(f);
		_exit(2);
	}
	int status;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (!WIFSIGNALED(status))
		fail_msg("%s was never passed", point);
}

static void a_kill_at_any_commit_leaves_before_or_after(void **state)
{
	struct fix *f = *state;
	for (size_t i = 0; i < sizeof points / sizeof *points; i++)
		for (int after = 0; after <= 1; after++) {
			char point[64];
			snprintf(point, sizeof point, "store.%s.%s", points[i].name, after ? "after" : "before");
			unlink(f->db);
			prepare(f);
			kill_at(f, point, points[i].work);
			open_it(f);
			int64_t got = number(f->s->db, points[i].after);
			if (got != after)
				fail_msg("%s: the state is %lld", point, (long long)got);
			if (i != 1 || !after)
				OK(points[i].work(f)); /* and it goes on as if nothing had been */
			close_it(f);
		}
}

static void a_kill_in_a_migration_leaves_the_old_or_the_new_version(void **state)
{
	struct fix *f = *state;
	static const char *const at[] = {"store.migrate.before", "store.migrate.after"};
	for (int after = 0; after <= 1; after++) {
		unlink(f->db);
		pid_t pid = fork();
		if (pid == 0) {
			setenv("PLUMB_FAULT", at[after], 1);
			store_open(f->dir, false, &f->s, &f->e);
			_exit(2);
		}
		int status;
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFSIGNALED(status));
		open_it(f);
		put_app(f, "shop");
		close_it(f);
	}
}

#endif

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_newer_store_is_refused),
		T(a_database_of_another_program_is_left_alone),
		T(an_older_store_is_brought_up_step_by_step),
		T(a_migration_that_fails_changes_nothing),
		T(todays_schema_has_the_version_of_the_last_row),
		T(owner_and_inventory_are_found_by_index),
		T(a_file_that_is_no_database_is_told_and_put_aside_on_demand),
		T(damage_within_is_found_after_a_crash),
		T(what_was_committed_survives_a_kill),
		T(a_full_disk_is_told_and_nothing_is_lost),
		T(a_read_only_database_is_told),
		T(a_database_that_another_program_holds_is_told),
		T(a_folder_that_is_not_there_is_told),
		T(secrets_never_stand_in_the_files),
		T(no_key_is_made_before_it_is_needed),
		T(a_key_that_others_can_read_is_refused),
		T(a_key_that_is_none_is_refused),
		T(a_lost_key_is_told_and_the_render_can_be_made_again),
		T(sealed_rows_cant_be_swapped_or_changed),
		T(a_form_of_the_future_is_told),
#ifdef PLUMB_FAULTS
		T(a_kill_at_any_commit_leaves_before_or_after),
		T(a_kill_in_a_migration_leaves_the_old_or_the_new_version),
#endif
		T(a_key_of_another_user_is_refused), /* the last: only root can give a file away */
	};
	size_t n = sizeof(tests) / sizeof(tests[0]) - (geteuid() != 0);
	return _cmocka_run_group_tests("tests", tests, n, NULL, NULL);
}
