/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The whole road over a real Git repository and a live directory: every test has a folder of its own with repo/,
 * live/, state/ and plumb.yaml. The plugins are those of the build that this program lies in.
 */
#include "core/base/file.h"
#include "core/base/mem.h"
#include "core/engine/engine.h"
#include "core/lua/script.h"
#include "core/plugin/registry.h"

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#define WAIT_MS 10000

static struct worker *worker; /* forked once, before anything else, as the program does */
static const struct log quiet = {.fd = 2, .level = LOG_ERROR};

struct fix {
	char dir[64];
	char plugins[PATH_MAX];
	struct config *config;
	struct engine *g;
	struct arena *a;
};

/* ---- the outside world ---- */

static int shell(const char *dir, const char *command)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		setenv("HOME", dir, 1);
		setenv("GIT_CONFIG_NOSYSTEM", "1", 1);
		setenv("GIT_AUTHOR_NAME", "Ada", 1);
		setenv("GIT_AUTHOR_EMAIL", "ada@example.org", 1);
		setenv("GIT_COMMITTER_NAME", "Ada", 1);
		setenv("GIT_COMMITTER_EMAIL", "ada@example.org", 1);
		if (chdir(dir) == 0)
			execl("/bin/sh", "sh", "-ec", command, (char *)NULL);
		_exit(127);
	}
	assert_true(pid > 0);
	while (waitpid(pid, &status, 0) < 0)
		;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

PL_PRINTF(2, 3) static void sh(struct fix *f, const char *fmt, ...)
{
	struct buf b = BUF_INIT(1 << 16);
	va_list ap;

	va_start(ap, fmt);
	buf_vaddf(&b, fmt, ap);
	va_end(ap);
	if (shell(f->dir, b.p))
		fail_msg("%s", b.p);
	buf_free(&b);
}

PL_PRINTF(3, 4) static void put(struct fix *f, const char *path, const char *fmt, ...)
{
	struct buf b = BUF_INIT(1 << 16);
	char *full = path_join(f->dir, path), *dir = path_dir(full);
	va_list ap;

	va_start(ap, fmt);
	buf_vaddf(&b, fmt, ap);
	va_end(ap);
	assert_int_equal(file_mkdirs(dir, 0755, NULL), PL_OK);
	assert_int_equal(file_write(full, buf_str(&b), 0644, NULL), PL_OK);
	buf_free(&b);
	free(full);
	free(dir);
}

static void put_map(struct fix *f, const char *folder, const char *name, const char *color)
{
	struct buf path = BUF_INIT(4096);

	buf_addf(&path, "repo/%s/%s.yaml", folder, name);
	put(f, path.p, "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: %s\ndata:\n  color: %s\n", name, color);
	buf_free(&path);
}

static void commit(struct fix *f, const char *message)
{
	sh(f, "cd repo && git add -A && git commit -q --allow-empty -m '%s'", message);
}

static bool live(struct fix *f, const char *path)
{
	char *full = path_join(f->dir, path);
	bool there = file_exists(full);

	free(full);
	return there;
}

static bool live_has(struct fix *f, const char *path, const char *text)
{
	struct buf b = BUF_INIT(1 << 20);
	char *full = path_join(f->dir, path);
	bool has = file_read(full, &b, NULL) == PL_OK && b.p && strstr(b.p, text);

	free(full);
	buf_free(&b);
	return has;
}

/* ---- plumb ---- */

#define APP(name, path, more)                                                                                          \
	"  - {name: " name ", source: shop, path: " path                                                               \
	", target: here, namespace: shop, sync: {automated: true" more "}}\n"

static void write_config(struct fix *f, const char *applications)
{
	put(f, "plumb.yaml",
	    "stateDir: ./state\npluginPath: [%s]\n"
	    "sources:\n  shop: {git: {url: 'file://%s/repo', revision: main}}\n"
	    "targets:\n  here: {directory: {path: ./live}}\n  there: {directory: {path: ./there}}\n"
	    "applications:\n%s",
	    f->plugins, f->dir, applications);
}

static struct config *read_config(struct fix *f)
{
	struct err_list errors = {0};
	char *path = path_join(f->dir, "plumb.yaml");
	struct config *c = config_read(path, &errors);

	for (size_t i = 0; i < errors.n; i++)
		print_error("%s\n", pl_err_text(&errors.v[i]));
	assert_int_equal(errors.n, 0);
	assert_non_null(c);
	err_list_free(&errors);
	free(path);
	return c;
}

static void boot(struct fix *f, const char *applications)
{
	struct engine_options o = {.worker = worker, .log = &quiet, .threads = 2};
	struct pl_err e = ERR_INIT;

	write_config(f, applications);
	f->config = read_config(f);
	if (engine_new(f->config, &o, &f->g, &e))
		fail_msg("%s", pl_err_text(&e));
	err_clear(&e);
}

static void stop(struct fix *f)
{
	engine_free(f->g);
	config_unref(f->config);
	f->g = NULL;
	f->config = NULL;
}

static void reload(struct fix *f, const char *applications)
{
	struct err_list errors = {0};
	struct config *c;

	write_config(f, applications);
	c = read_config(f);
	if (engine_reload(f->g, c, &errors))
		fail_msg("%s", errors.n ? pl_err_text(&errors.v[0]) : "no reason");
	err_list_free(&errors);
	config_unref(f->config);
	f->config = c;
}

static bool once(struct fix *f)
{
	struct pl_err e = ERR_INIT;
	bool in_line = false;

	if (engine_once(f->g, WAIT_MS, &in_line, &e))
		fail_msg("%s", pl_err_text(&e));
	err_clear(&e);
	return in_line;
}

static struct app_status status_of(struct fix *f, const char *app)
{
	struct app_status *v;
	size_t n;

	assert_int_equal(engine_status(f->g, f->a, &v, &n, NULL), PL_OK);
	for (size_t i = 0; i < n; i++)
		if (str_eqz(v[i].name, app))
			return v[i];
	fail_msg("no application '%s'", app);
	return (struct app_status){0};
}

static bool contains(pl_str s, const char *text)
{
	return s.n && memmem(s.p, s.n, text, strlen(text));
}

static struct resource_status resource(struct fix *f, const char *app, const char *name)
{
	struct resource_status *v;
	struct app_status st;
	size_t n;

	assert_int_equal(engine_resources(f->g, str_of(app), f->a, &st, &v, &n, NULL), PL_OK);
	for (size_t i = 0; i < n; i++)
		if (str_eqz(v[i].ref.name, name))
			return v[i];
	fail_msg("no resource '%s'", name);
	return (struct resource_status){0};
}

static struct sync_outcome sync_now(struct fix *f, struct sync_request q)
{
	struct sync_outcome out = {0};
	struct pl_err e = ERR_INIT;

	q.app = q.app.n ? q.app : S("shop");
	q.initiator = S("user ada");
	if (engine_sync(f->g, &q, WAIT_MS, NULL, NULL, NULL, f->a, &out, &e))
		fail_msg("%s", pl_err_text(&e));
	err_clear(&e);
	return out;
}

static struct store_history *history(struct fix *f, const char *app, size_t *n)
{
	struct store_history *v;

	assert_int_equal(engine_history(f->g, str_of(app), 0, f->a, &v, n, NULL), PL_OK);
	return v;
}

static struct engine_counters counters(struct fix *f)
{
	struct engine_counters c;

	engine_counters(f->g, &c);
	return c;
}

/* ---- fixture ---- */

static int setup(void **state)
{
	struct fix *f = mem_zalloc(sizeof(*f));
	char exe[PATH_MAX] = "";

	memcpy(f->dir, "/tmp/plumb-engine-XXXXXX", sizeof("/tmp/plumb-engine-XXXXXX"));
	assert_non_null(mkdtemp(f->dir));
	assert_true(readlink("/proc/self/exe", exe, sizeof(exe) - 1) > 0);
	char *dir = path_dir(exe), *plugins = path_join(dir, "../plugins");
	assert_non_null(realpath(plugins, f->plugins));
	free(dir);
	free(plugins);
	f->a = arena_new();
	sh(f, "git init -q -b main repo");
	put_map(f, "apps/shop", "a", "red");
	put_map(f, "apps/shop", "b", "blue");
	commit(f, "first");
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fix *f = *state;

	if (f->g)
		stop(f);
	arena_free(f->a);
	file_remove_tree(f->dir, NULL);
	free(f);
	return 0;
}

/* ---- the loop ---- */

static void the_first_pass_applies_everything_and_records_it(void **state)
{
	struct fix *f = *state;
	struct store_history *h;
	struct app_status st;
	size_t n;

	boot(f, APP("shop", "apps/shop", ""));
	assert_true(once(f));
	assert_true(live_has(f, "live/shop/ConfigMap/a.yaml", "color: red"));
	assert_true(live_has(f, "live/shop/ConfigMap/a.yaml", "plumb.dev/tracking-id: shop:/ConfigMap:shop/a"));
	assert_true(live_has(f, "live/shop/ConfigMap/b.yaml", "color: blue"));
	st = status_of(f, "shop");
	assert_true(str_eqz(st.word, "Synced"));
	assert_int_equal(st.sync, STATUS_SYNCED);
	assert_int_equal(st.health, PL_HEALTHY);
	assert_int_equal(st.n_resources, 2);
	assert_true(str_eqz(st.operation, "Succeeded"));
	h = history(f, "shop", &n);
	assert_int_equal(n, 1);
	assert_true(str_eqz(h[0].phase, "Succeeded") && str_eqz(h[0].initiator, "automated"));
	assert_true(str_eqz(h[0].author, "Ada <ada@example.org>"));
	assert_true(contains(h[0].message, "first"));
	assert_int_equal(counters(f).applies, 2);
}

static void a_pass_without_change_does_nothing(void **state)
{
	struct fix *f = *state;
	struct engine_counters was, is;
	size_t n;

	boot(f, APP("shop", "apps/shop", ""));
	assert_true(once(f));
	was = counters(f);
	assert_true(once(f));
	is = counters(f);
	assert_int_equal(is.polls, was.polls + 1);
	assert_int_equal(is.fetches, was.fetches);
	assert_int_equal(is.renders, was.renders);
	assert_int_equal(is.applies, was.applies);
	assert_int_equal(is.syncs_ok, was.syncs_ok);
	history(f, "shop", &n);
	assert_int_equal(n, 1);
}

static void a_commit_that_nobody_reads_renders_nothing(void **state)
{
	struct fix *f = *state;
	struct engine_counters was, is;

	boot(f, APP("shop", "apps/shop", ""));
	assert_true(once(f));
	was = counters(f);
	put(f, "repo/README.md", "not for plumb\n");
	commit(f, "a readme");
	assert_true(once(f));
	is = counters(f);
	assert_int_equal(is.renders, was.renders);
	assert_int_equal(is.applies, was.applies);
}

static void a_restart_repeats_nothing(void **state)
{
	struct fix *f = *state;
	size_t n;

	boot(f, APP("shop", "apps/shop", ""));
	assert_true(once(f));
	stop(f);
	boot(f, APP("shop", "apps/shop", ""));
	assert_true(once(f));
	assert_int_equal(counters(f).applies, 0);
	history(f, "shop", &n);
	assert_int_equal(n, 1);
}

static void a_commit_arrives(void **state)
{
	struct fix *f = *state;
	struct store_history *h;
	size_t n;

	boot(f, APP("shop", "apps/shop", ""));
	assert_true(once(f));
	put_map(f, "apps/shop", "a", "green");
	put_map(f, "apps/shop", "c", "white");
	commit(f, "second");
	assert_true(once(f));
	assert_true(live_has(f, "live/shop/ConfigMap/a.yaml", "color: green"));
	assert_true(live_has(f, "live/shop/ConfigMap/c.yaml", "color: white"));
	assert_int_equal(counters(f).applies, 4);
	h = history(f, "shop", &n);
	assert_int_equal(n, 2);
	assert_true(contains(h[0].message, "second"));
	assert_true(contains(h[1].message, "first"));
}

static void drift_is_healed_when_asked_for(void **state)
{
	struct fix *f = *state;

	boot(f, APP("shop", "apps/shop", ", selfHeal: true"));
	assert_true(once(f));
	sh(f, "sed -i s/red/black/ live/shop/ConfigMap/a.yaml");
	assert_true(once(f));
	assert_true(live_has(f, "live/shop/ConfigMap/a.yaml", "color: red"));
	assert_int_equal(counters(f).heals, 1);
}

static void drift_is_shown_and_left_when_not(void **state)
{
	struct fix *f = *state;

	boot(f, APP("shop", "apps/shop", ""));
	assert_true(once(f));
	sh(f, "sed -i s/red/black/ live/shop/ConfigMap/a.yaml");
	assert_false(once(f));
	assert_true(live_has(f, "live/shop/ConfigMap/a.yaml", "color: black"));
	assert_true(str_eqz(status_of(f, "shop").word, "OutOfSync"));
	assert_int_equal(resource(f, "shop", "a").why, PLAN_DRIFTED);
	sync_now(f, (struct sync_request){0});
	assert_true(live_has(f, "live/shop/ConfigMap/a.yaml", "color: red"));
}

static void a_manual_application_waits_for_a_person(void **state)
{
	struct fix *f = *state;
	struct sync_outcome out;

	boot(f, "  - {name: shop, source: shop, path: apps/shop, target: here, namespace: shop}\n");
	assert_false(once(f));
	assert_false(live(f, "live/shop/ConfigMap/a.yaml"));
	assert_true(str_eqz(status_of(f, "shop").word, "OutOfSync"));
	out = sync_now(f, (struct sync_request){.dry_run = true});
	assert_true(str_eqz(out.phase, "Succeeded"));
	assert_false(live(f, "live/shop/ConfigMap/a.yaml"));
	out = sync_now(f, (struct sync_request){0});
	assert_true(str_eqz(out.phase, "Succeeded"));
	assert_true(out.in_line);
	assert_int_equal(out.n_results, 2);
	assert_true(live(f, "live/shop/ConfigMap/a.yaml"));
	assert_true(once(f));
}

static void only_selected_resources_are_synced(void **state)
{
	struct fix *f = *state;
	pl_ref only = {.kind = S_INIT("ConfigMap"), .name = S_INIT("b")};
	struct sync_outcome out;

	boot(f, "  - {name: shop, source: shop, path: apps/shop, target: here, namespace: shop}\n");
	assert_false(once(f));
	out = sync_now(f, (struct sync_request){.only = &only, .n_only = 1});
	assert_true(str_eqz(out.phase, "Succeeded"));
	assert_false(out.in_line);
	assert_false(live(f, "live/shop/ConfigMap/a.yaml"));
	assert_true(live(f, "live/shop/ConfigMap/b.yaml"));
}

/* ---- prune ---- */

static void prune_is_off_until_asked_for(void **state)
{
	struct fix *f = *state;

	boot(f, APP("shop", "apps/shop", ""));
	assert_true(once(f));
	sh(f, "rm repo/apps/shop/b.yaml");
	commit(f, "without b");
	assert_false(once(f));
	assert_true(live(f, "live/shop/ConfigMap/b.yaml"));
	assert_int_equal(resource(f, "shop", "b").why, PLAN_PRUNE_OFF);
	assert_true(resource(f, "shop", "b").needs_prune);
	sync_now(f, (struct sync_request){.prune = true});
	assert_false(live(f, "live/shop/ConfigMap/b.yaml"));
	assert_true(once(f));
}

static void what_left_git_is_pruned(void **state)
{
	struct fix *f = *state;

	boot(f, APP("shop", "apps/shop", ", prune: true"));
	assert_true(once(f));
	sh(f, "rm repo/apps/shop/b.yaml");
	commit(f, "without b");
	assert_true(once(f));
	assert_false(live(f, "live/shop/ConfigMap/b.yaml"));
	assert_true(live(f, "live/shop/ConfigMap/a.yaml"));
	assert_int_equal(counters(f).prunes, 1);
}

static void the_ceiling_waits_for_a_person(void **state)
{
	struct fix *f = *state;

	for (char c = 'c'; c <= 'j'; c++)
		put_map(f, "apps/shop", (char[]){c, '\0'}, "grey");
	commit(f, "ten");
	boot(f, APP("shop", "apps/shop", ", prune: true"));
	assert_true(once(f));
	sh(f, "cd repo/apps/shop && rm b.yaml c.yaml d.yaml e.yaml f.yaml g.yaml");
	put_map(f, "apps/shop", "a", "green");
	commit(f, "four");
	assert_false(once(f));
	assert_true(live_has(f, "live/shop/ConfigMap/a.yaml", "color: green"));
	assert_true(live(f, "live/shop/ConfigMap/b.yaml") && live(f, "live/shop/ConfigMap/g.yaml"));
	assert_true(contains(status_of(f, "shop").message, "would prune 6 of 10 objects"));
	assert_true(contains(status_of(f, "shop").message, "plumb sync shop --prune"));
	sync_now(f, (struct sync_request){.prune = true});
	assert_false(live(f, "live/shop/ConfigMap/b.yaml") || live(f, "live/shop/ConfigMap/g.yaml"));
	assert_true(once(f));
}

static void an_empty_render_prunes_nothing(void **state)
{
	struct fix *f = *state;

	boot(f, APP("shop", "apps/shop", ", prune: true"));
	assert_true(once(f));
	sh(f, "cd repo/apps/shop && rm *.yaml && touch keep");
	commit(f, "empty");
	assert_false(once(f));
	assert_true(live(f, "live/shop/ConfigMap/a.yaml"));
	assert_true(contains(status_of(f, "shop").message, "empty"));
}

static void a_broken_render_touches_nothing_and_names_the_place(void **state)
{
	struct fix *f = *state;
	struct app_status st;

	boot(f, APP("shop", "apps/shop", ", prune: true"));
	assert_true(once(f));
	sh(f, "rm repo/apps/shop/b.yaml");
	put(f, "repo/apps/shop/a.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: [oops\n");
	commit(f, "broken");
	assert_false(once(f));
	st = status_of(f, "shop");
	assert_true(contains(st.message, "apps/shop/a.yaml:"));
	assert_true(live_has(f, "live/shop/ConfigMap/a.yaml", "color: red"));
	assert_true(live(f, "live/shop/ConfigMap/b.yaml"));
	sh(f, "cd repo && git revert -n HEAD && git commit -q -m repaired");
	bool repaired = once(f);
	st = status_of(f, "shop");
	if (!repaired)
		print_error("%.*s: %.*s\n", F(st.word), F(st.message));
	assert_true(repaired);
}

/* ---- whose ---- */

static void files_of_others_are_never_touched(void **state)
{
	struct fix *f = *state;

	put(f, "live/shop/ConfigMap/a.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: shop}\n");
	put(f, "live/shop/ConfigMap/z.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: z, namespace: shop}\n");
	boot(f, APP("shop", "apps/shop", ", prune: true, selfHeal: true"));
	assert_false(once(f));
	assert_false(live_has(f, "live/shop/ConfigMap/a.yaml", "color"));
	assert_true(live(f, "live/shop/ConfigMap/z.yaml"));
	assert_true(live(f, "live/shop/ConfigMap/b.yaml"));
	assert_int_equal(resource(f, "shop", "a").why, PLAN_FOREIGN);
	assert_true(contains(resource(f, "shop", "a").message, "not managed by plumb"));
}

static void two_applications_want_the_same_object(void **state)
{
	struct fix *f = *state;
	const char *loser;
	struct app_status one, two;

	boot(f, APP("one", "apps/shop", "") APP("two", "apps/shop", ""));
	assert_false(once(f));
	one = status_of(f, "one");
	two = status_of(f, "two");
	assert_true(str_eqz(one.word, "Synced") || str_eqz(two.word, "Synced"));
	loser = str_eqz(one.word, "Synced") ? "two" : "one";
	assert_true(contains(resource(f, loser, "a").message, str_eqz(one.word, "Synced") ? "'one'" : "'two'"));
}

static void an_application_that_leaves_the_config_is_orphaned(void **state)
{
	struct fix *f = *state;

	put_map(f, "apps/other", "x", "pink");
	commit(f, "other");
	boot(f, APP("shop", "apps/shop", ", prune: true") APP("other", "apps/other", ""));
	assert_true(once(f));
	reload(f, APP("other", "apps/other", ""));
	once(f);
	assert_true(live(f, "live/shop/ConfigMap/a.yaml"));
	assert_true(status_of(f, "shop").orphaned);
	reload(f, APP("shop", "apps/shop", ", prune: true") APP("other", "apps/other", ""));
	assert_true(once(f));
	assert_false(status_of(f, "shop").orphaned);
}

static void with_cascade_its_objects_go_too(void **state)
{
	struct fix *f = *state;

	put_map(f, "apps/other", "x", "pink");
	commit(f, "other");
	boot(f,
	     "  - {name: shop, source: shop, path: apps/shop, target: here, namespace: shop, sync: {automated: true}, "
	     "deletion: cascade}\n" APP("other", "apps/other", ""));
	assert_true(once(f));
	reload(f, APP("other", "apps/other", ""));
	assert_true(once(f));
	assert_false(live(f, "live/shop/ConfigMap/a.yaml"));
	assert_true(live(f, "live/shop/ConfigMap/x.yaml"));
}

static void a_renamed_application_takes_its_objects_along(void **state)
{
	struct fix *f = *state;

	boot(f, APP("shop", "apps/shop", ", prune: true"));
	assert_true(once(f));
	reload(f, APP("store", "apps/shop", ", prune: true"));
	assert_true(once(f));
	assert_true(live_has(f, "live/shop/ConfigMap/a.yaml", "tracking-id: store:/ConfigMap:shop/a"));
	assert_true(live_has(f, "live/shop/ConfigMap/b.yaml", "tracking-id: store:/ConfigMap:shop/b"));
	sh(f, "rm repo/apps/shop/b.yaml");
	commit(f, "without b");
	assert_true(once(f));
	assert_false(live(f, "live/shop/ConfigMap/b.yaml"));
}

static void an_application_that_changes_its_target_leaves_nothing_behind(void **state)
{
	struct fix *f = *state;

	boot(f, APP("shop", "apps/shop", ", prune: true"));
	assert_true(once(f));
	reload(f, "  - {name: shop, source: shop, path: apps/shop, target: there, namespace: shop, sync: {automated: "
		  "true, "
		  "prune: true}}\n");
	assert_true(once(f));
	assert_true(live(f, "there/shop/ConfigMap/a.yaml"));
	assert_false(live(f, "live/shop/ConfigMap/a.yaml"));
}

static void a_lost_database_is_rebuilt_from_the_live_side(void **state)
{
	struct fix *f = *state;

	boot(f, APP("shop", "apps/shop", ", prune: true"));
	assert_true(once(f));
	stop(f);
	sh(f, "rm -rf state; rm repo/apps/shop/b.yaml");
	commit(f, "without b");
	boot(f, APP("shop", "apps/shop", ", prune: true"));
	assert_true(once(f));
	assert_false(live(f, "live/shop/ConfigMap/b.yaml"));
	assert_true(live(f, "live/shop/ConfigMap/a.yaml"));
}

/* ---- people ---- */

static void rollback_pins_until_resumed(void **state)
{
	struct fix *f = *state;
	struct sync_outcome out = {0};
	struct pl_err e = ERR_INIT;

	boot(f, APP("shop", "apps/shop", ", selfHeal: true"));
	assert_true(once(f));
	put_map(f, "apps/shop", "a", "green");
	commit(f, "second");
	assert_true(once(f));
	if (engine_rollback(f->g, S("shop"), 0, S("user ada"), WAIT_MS, NULL, NULL, NULL, f->a, &out, &e))
		fail_msg("%s", pl_err_text(&e));
	assert_true(str_eqz(out.phase, "Succeeded"));
	assert_true(live_has(f, "live/shop/ConfigMap/a.yaml", "color: red"));
	assert_true(status_of(f, "shop").pinned.n > 0);
	put_map(f, "apps/shop", "a", "white");
	commit(f, "third");
	once(f);
	assert_true(live_has(f, "live/shop/ConfigMap/a.yaml", "color: red"));
	assert_int_equal(engine_resume(f->g, S("shop"), &e), PL_OK);
	assert_true(once(f));
	assert_true(live_has(f, "live/shop/ConfigMap/a.yaml", "color: white"));
	assert_int_equal(status_of(f, "shop").pinned.n, 0);
}

static void rollback_needs_no_repository(void **state)
{
	struct fix *f = *state;
	struct sync_outcome out = {0};
	struct store_history *h;
	struct pl_err e = ERR_INIT;
	size_t n;

	boot(f, APP("shop", "apps/shop", ""));
	assert_true(once(f));
	put_map(f, "apps/shop", "a", "green");
	commit(f, "second");
	assert_true(once(f));
	h = history(f, "shop", &n);
	assert_int_equal(n, 2);
	sh(f, "rm -rf repo state/sources");
	if (engine_rollback(f->g, S("shop"), h[1].id, S("user ada"), WAIT_MS, NULL, NULL, NULL, f->a, &out, &e))
		fail_msg("%s", pl_err_text(&e));
	assert_true(str_eqz(out.phase, "Succeeded"));
	assert_true(live_has(f, "live/shop/ConfigMap/a.yaml", "color: red"));
	err_clear(&e);
}

static void suspended_applications_are_left_alone(void **state)
{
	struct fix *f = *state;

	boot(f, APP("shop", "apps/shop", ", selfHeal: true"));
	assert_true(once(f));
	assert_int_equal(engine_suspend(f->g, S("shop"), S("by ada: Black Friday"), NULL), PL_OK);
	put_map(f, "apps/shop", "a", "green");
	commit(f, "second");
	once(f);
	assert_true(live_has(f, "live/shop/ConfigMap/a.yaml", "color: red"));
	assert_true(status_of(f, "shop").suspended);
	assert_true(contains(status_of(f, "shop").message, "Black Friday"));
	stop(f);
	boot(f, APP("shop", "apps/shop", ", selfHeal: true"));
	once(f);
	assert_true(live_has(f, "live/shop/ConfigMap/a.yaml", "color: red"));
	assert_int_equal(engine_resume(f->g, S("shop"), NULL), PL_OK);
	assert_true(once(f));
	assert_true(live_has(f, "live/shop/ConfigMap/a.yaml", "color: green"));
}

static void an_unknown_application_has_the_nearest_name_as_hint(void **state)
{
	struct fix *f = *state;
	struct pl_err e = ERR_INIT;

	boot(f, APP("shop", "apps/shop", ""));
	assert_int_equal(engine_suspend(f->g, S("shpo"), S("x"), &e), PL_ENOTFOUND);
	assert_non_null(strstr(pl_err_text(&e), "did you mean 'shop'?"));
	err_clear(&e);
}

static void a_second_engine_on_one_state_folder_is_refused(void **state)
{
	struct fix *f = *state;
	struct engine_options o = {.worker = worker, .log = &quiet};
	struct pl_err e = ERR_INIT;
	struct engine *second = NULL;

	boot(f, APP("shop", "apps/shop", ""));
	assert_int_equal(engine_new(f->config, &o, &second, &e), PL_EBUSY);
	assert_null(second);
	assert_non_null(strstr(pl_err_text(&e), "pid"));
	err_clear(&e);
}

static struct worker *start_worker(void)
{
	static struct worker_job jobs[8];
	size_t n_plugin, n_script, n = 0;
	const struct worker_job *p = plugin_jobs(&n_plugin), *s = script_jobs(&n_script);
	struct pl_err e = ERR_INIT;
	struct worker *w;

	for (size_t i = 0; i < n_plugin; i++)
		jobs[n++] = p[i];
	for (size_t i = 0; i < n_script; i++)
		jobs[n++] = s[i];
	w = worker_start(jobs, n, &e);
	if (!w)
		fprintf(stderr, "%s\n", pl_err_text(&e));
	return w;
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TEST(the_first_pass_applies_everything_and_records_it),
		TEST(a_pass_without_change_does_nothing),
		TEST(a_commit_that_nobody_reads_renders_nothing),
		TEST(a_restart_repeats_nothing),
		TEST(a_commit_arrives),
		TEST(drift_is_healed_when_asked_for),
		TEST(drift_is_shown_and_left_when_not),
		TEST(a_manual_application_waits_for_a_person),
		TEST(only_selected_resources_are_synced),
		TEST(prune_is_off_until_asked_for),
		TEST(what_left_git_is_pruned),
		TEST(the_ceiling_waits_for_a_person),
		TEST(an_empty_render_prunes_nothing),
		TEST(a_broken_render_touches_nothing_and_names_the_place),
		TEST(files_of_others_are_never_touched),
		TEST(two_applications_want_the_same_object),
		TEST(an_application_that_leaves_the_config_is_orphaned),
		TEST(with_cascade_its_objects_go_too),
		TEST(a_renamed_application_takes_its_objects_along),
		TEST(an_application_that_changes_its_target_leaves_nothing_behind),
		TEST(a_lost_database_is_rebuilt_from_the_live_side),
		TEST(rollback_pins_until_resumed),
		TEST(rollback_needs_no_repository),
		TEST(suspended_applications_are_left_alone),
		TEST(an_unknown_application_has_the_nearest_name_as_hint),
		TEST(a_second_engine_on_one_state_folder_is_refused),
	};
	int failed;

	if (argc > 1) /* one test alone */
		cmocka_set_test_filter(argv[1]);
	worker = start_worker();
	if (!worker)
		return 2;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	worker_stop(worker);
	return failed;
}
