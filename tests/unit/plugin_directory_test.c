/* SPDX-License-Identifier: Apache-2.0 */
/* The directory applier, loaded through the registry as the program does. */
#include "core/base/file.h"
#include "core/base/mem.h"
#include "core/plugin/applier.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

struct fix {
	char *dir;
	struct registry *registry;
	const struct plugin *plugin;
	struct applier *applier;
	struct arena *arena;
	pl_doc *doc;
};

static struct applier *open_at(const struct fix *f, const char *path)
{
	struct applier *a = NULL;
	struct pl_err e = ERR_INIT;
	pl_str options = arena_printf(f->arena, "{\"path\":\"%s\"}", path);
	if (applier_open(f->registry, f->plugin, options, NULL, &a, &e))
		fail_msg("%s", pl_err_text(&e));
	return a;
}

static int set_up(void **state)
{
	struct fix *f = mem_zalloc(sizeof(*f));
	char *tests = registry_own_folder(); /* BUILD/tests/plugins */
	char *plugins = path_join(tests, "../../plugins");
	const char *folders[] = {plugins};
	struct registry_config c = {.folders = folders, .n_folders = 1};
	f->dir = str_dup(S("/tmp/plumb-live-XXXXXX"));
	assert_non_null(mkdtemp(f->dir));
	f->registry = registry_new(&c);
	f->arena = arena_new();
	f->doc = pl_doc_new(NULL);
	struct pl_err e = ERR_INIT;
	if (registry_get(f->registry, PL_KIND_APPLIER, S("directory"), &f->plugin, &e))
		fail_msg("%s", pl_err_text(&e));
	char *live = path_join(f->dir, "live/here");
	f->applier = open_at(f, live);
	free(live);
	free(plugins);
	free(tests);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fix *f = *state;
	applier_close(f->applier);
	registry_free(f->registry);
	pl_doc_unref(f->doc);
	arena_free(f->arena);
	file_remove_tree(f->dir, NULL);
	free(f->dir);
	free(f);
	return 0;
}

static const char *at(const struct fix *f, const char *path)
{
	return arena_printf(f->arena, "%s/live/here%s%s", f->dir, *path ? "/" : "", path).p;
}

static pl_node *parse(const struct fix *f, const char *yaml)
{
	pl_node **roots;
	size_t n;
	struct pl_err e = ERR_INIT;
	if (pl_yaml_read(f->doc, str_of(yaml), "test", PL_SCHEMA_YAML11, 0, &roots, &n, &e))
		fail_msg("%s", pl_err_text(&e));
	return roots[0];
}

#define MAP(ns_, name_, data_)                                                                                         \
	"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: " name_ ", namespace: " ns_ "}\ndata: {a: " data_ "}\n"

static pl_ref ref_for(const char *kind, const char *ns, const char *name)
{
	return (pl_ref){.version = S("v1"), .kind = str_of(kind), .ns = str_of(ns), .name = str_of(name)};
}

static pl_result run(struct fix *f, struct applier *a, const pl_action *action)
{
	pl_result r;
	size_t n;
	assert_int_equal(applier_submit(a, action, 1, NULL, 0, NULL), PL_OK);
	assert_int_equal(applier_complete(a, 0, f->arena, &r, 1, &n, NULL), PL_OK);
	assert_int_equal(n, 1);
	assert_int_equal(r.id, action->id);
	return r;
}

static pl_action action(const struct fix *f, uint32_t op, const char *app, pl_ref ref, const char *yaml)
{
	struct buf b = BUF_INIT(4096);
	tracking_print(str_of(app), &ref, &b);
	pl_action a = {.op = op, .id = 7, .ref = ref, .doc = f->doc, .desired = yaml ? parse(f, yaml) : NULL};
	a.tracking = arena_dup(f->arena, buf_str(&b));
	buf_free(&b);
	return a;
}

static pl_result apply(struct fix *f, const char *app, pl_ref ref, const char *yaml)
{
	pl_action a = action(f, PL_APPLY, app, ref, yaml);
	return run(f, f->applier, &a);
}

static pl_result delete (struct fix *f, const char *app, pl_ref ref)
{
	pl_action a = action(f, PL_DELETE, app, ref, NULL);
	return run(f, f->applier, &a);
}

static void write_live(const struct fix *f, const char *path, const char *text)
{
	char *dir = path_dir(at(f, path));
	assert_int_equal(file_mkdirs(dir, 0755, NULL), PL_OK);
	FILE *to = fopen(at(f, path), "w");
	assert_non_null(to);
	fputs(text, to);
	fclose(to);
	free(dir);
}

static struct live observe(struct fix *f, pl_ref ref)
{
	struct live l;
	struct pl_err e = ERR_INIT;
	if (applier_observe(f->applier, &ref, 1, f->arena, f->doc, &l, NULL, 0, &e))
		fail_msg("%s", pl_err_text(&e));
	return l;
}

#define assert_says(text, what)                                                                                        \
	do {                                                                                                           \
		if (!strstr((text).p ? (text).p : "", what))                                                           \
			fail_msg("'%s' does not say '%s'", (text).p ? (text).p : "", what);                            \
	} while (0)

static void an_object_is_written_observed_changed_and_deleted(void **state)
{
	struct fix *f = *state;
	pl_ref ref = ref_for("ConfigMap", "shop", "a");
	assert_int_equal(observe(f, ref).status, PL_ENOTFOUND);
	assert_int_equal(observe(f, ref).error.n, 0);
	assert_false(file_exists(at(f, ""))); /* looking makes nothing */
	assert_int_equal(apply(f, "app", ref, MAP("shop", "a", "1")).change, PL_CREATED);
	struct stat st;
	assert_int_equal(stat(at(f, "shop/ConfigMap/a.yaml"), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0644);
	struct live l = observe(f, ref);
	assert_int_equal(l.status, PL_OK);
	assert_says(l.tracking, "app:/ConfigMap:shop/a");
	assert_true(pl_equal(l.node, parse(f, MAP("shop", "a", "1"))));
	assert_int_equal(apply(f, "app", ref, MAP("shop", "a", "1")).change, PL_UNCHANGED);
	struct stat same;
	stat(at(f, "shop/ConfigMap/a.yaml"), &same);
	assert_int_equal(same.st_ino, st.st_ino); /* not written again */
	assert_int_equal(apply(f, "app", ref, MAP("shop", "a", "2")).change, PL_UPDATED);
	assert_int_equal(delete (f, "app", ref).change, PL_DELETED);
	assert_false(file_exists(at(f, "shop"))); /* empty folders go, the root stays */
	assert_true(file_is_dir(at(f, "")));
	assert_int_equal(delete (f, "app", ref).change, PL_UNCHANGED);
}

static void every_kind_has_its_folder(void **state)
{
	struct fix *f = *state;
	pl_ref dep = {
		.group = S("apps"), .version = S("v1"), .kind = S("Deployment"), .ns = S("shop"), .name = S("web")};
	apply(f, "app", dep, "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, namespace: shop}\n");
	apply(f, "app", ref_for("Namespace", "", "shop"), "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n");
	apply(f, "app", ref_for("ClusterRole", "", "system:x"),
	      "apiVersion: v1\nkind: ClusterRole\nmetadata: {name: 'system:x'}\n");
	assert_true(file_exists(at(f, "shop/Deployment.apps/web.yaml")));
	assert_true(file_exists(at(f, "_cluster/Namespace/shop.yaml")));
	assert_true(file_exists(at(f, "_cluster/ClusterRole/system:x.yaml")));
}

static void values_come_back_as_they_were(void **state)
{
	struct fix *f = *state;
	static const char *const extra[] = {
		"metadata: {name: a, namespace: shop, annotations: {}}\n",
		"metadata: {name: a, namespace: shop, annotations: null}\n",
		"metadata: {name: a, namespace: shop, annotations: {x: y}}\n",
		"metadata: {name: a, namespace: shop}\nx: {a: 'yes', b: '0644', c: 1.0, d: 9007199254740993, e: '~'}\n",
		"metadata: {name: a, namespace: shop}\nx: {f: \"l1\\nl2\\0\", g: .inf, h: 1e3, i: 0x1F, j: null}\n",
	};
	pl_ref ref = ref_for("ConfigMap", "shop", "a");
	for (size_t i = 0; i < sizeof(extra) / sizeof(extra[0]); i++) {
		const char *yaml = arena_printf(f->arena, "apiVersion: v1\nkind: ConfigMap\n%s", extra[i]).p;
		assert_int_equal(apply(f, "app", ref, yaml).status, PL_OK);
		struct live l = observe(f, ref);
		if (l.status || !pl_equal(l.node, parse(f, yaml)))
			fail_msg("%s came back changed: %s", extra[i], l.error.p ? l.error.p : "");
		assert_int_equal(apply(f, "app", ref, yaml).change, PL_UNCHANGED);
	}
}

static bool wait_event(struct fix *f, struct applier *w, const char *name, pl_event *got);
static void start_watch(struct fix *f, struct applier *w);

static void secrets_are_for_their_owner_alone(void **state)
{
	struct fix *f = *state;
	pl_ref ref = ref_for("Secret", "shop", "s");
	const char *yaml = "apiVersion: v1\nkind: Secret\nmetadata: {name: s, namespace: shop}\ndata: {a: eA==}\n";
	struct stat st;
	assert_int_equal(apply(f, "app", ref, yaml).change, PL_CREATED);
	stat(at(f, "shop/Secret/s.yaml"), &st);
	assert_int_equal(st.st_mode & 0777, 0600);
	struct live l = observe(f, ref);
	assert_true(pl_equal(l.node, parse(f, yaml)));
	/* Made readable by hand it has drifted: that is told at once, seen by every comparison, and healed. */
	struct applier *w = open_at(f, at(f, ""));
	pl_event ev;
	start_watch(f, w);
	uint64_t before, after;
	assert_int_equal(applier_fingerprint(f->applier, &ref, 1, &before, NULL, 0, NULL), PL_OK);
	chmod(at(f, "shop/Secret/s.yaml"), 0644);
	assert_true(wait_event(f, w, "s", &ev));
	applier_close(w);
	assert_int_equal(applier_fingerprint(f->applier, &ref, 1, &after, NULL, 0, NULL), PL_OK);
	assert_true(before != after);
	l = observe(f, ref);
	assert_false(pl_equal(l.node, parse(f, yaml)));
	assert_true(str_eqz(
		pl_text(pl_gets(pl_gets(pl_gets(l.node, "metadata"), "annotations"), "plumb.dev/file-mode")), "0644"));
	assert_int_equal(apply(f, "app", ref, yaml).change, PL_UPDATED);
	stat(at(f, "shop/Secret/s.yaml"), &st);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_true(pl_equal(observe(f, ref).node, parse(f, yaml)));
	/* A file that is nobody's is shown as it is. */
	write_live(f, "shop/Secret/theirs.yaml",
		   "apiVersion: v1\nkind: Secret\nmetadata: {name: theirs, namespace: shop}\n");
	l = observe(f, ref_for("Secret", "shop", "theirs"));
	assert_int_equal(pl_len(pl_gets(l.node, "metadata")), 2);
}

enum { RACES = 150, RACERS = 4 };

struct racer {
	struct fix *f;
	struct applier *applier;
	pl_action actions[RACES];
	pl_result results[RACES];
	struct arena *arena;
};

static void *race(void *arg)
{
	struct racer *r = arg;
	for (int i = 0; i < RACES; i++) { /* one by one, so that the racers meet */
		size_t n = 0;
		if (applier_submit(r->applier, &r->actions[i], 1, NULL, 0, NULL) ||
		    applier_complete(r->applier, 0, r->arena, &r->results[i], 1, &n, NULL) || n != 1)
			r->results[i].status = PL_EINTERNAL;
	}
	return NULL;
}

/* Two plumbs on one folder: each object is made by one of them, and the other is told whose it is. */
static void of_those_who_make_an_object_at_once_one_wins_and_the_others_are_told(void **state)
{
	struct fix *f = *state;
	struct racer *r = mem_zalloc(RACERS * sizeof(*r));
	pthread_t threads[RACERS];
	for (int i = 0; i < RACERS; i++) {
		r[i] = (struct racer){.f = f, .applier = open_at(f, at(f, "")), .arena = arena_new()};
		for (int k = 0; k < RACES; k++) {
			const char *name = arena_printf(f->arena, "m%d", k).p,
				   *app = arena_printf(f->arena, "app%d", i).p;
			const char *yaml = arena_printf(f->arena,
							"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: %s, "
							"namespace: shop}\ndata: {by: %s}\n",
							name, app)
						   .p;
			r[i].actions[k] = action(f, PL_APPLY, app, ref_for("ConfigMap", "shop", name), yaml);
		}
	}
	for (int i = 0; i < RACERS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, race, &r[i]), 0);
	for (int i = 0; i < RACERS; i++)
		pthread_join(threads[i], NULL);
	for (int k = 0; k < RACES; k++) {
		struct live l = observe(f, ref_for("ConfigMap", "shop", arena_printf(f->arena, "m%d", k).p));
		pl_str owner = pl_text(pl_gets(pl_gets(l.node, "data"), "by"));
		int winners = 0;
		for (int i = 0; i < RACERS; i++) {
			if (r[i].results[k].status == PL_OK) {
				winners++;
				assert_true(str_eq(owner, arena_printf(f->arena, "app%d", i)));
				continue;
			}
			assert_int_equal(r[i].results[k].status, PL_ECONFLICT);
			assert_says(r[i].results[k].message,
				    arena_printf(f->arena, "belongs to the application '%.*s'", F(owner)).p);
		}
		assert_int_equal(winners, 1);
	}
	for (int i = 0; i < RACERS; i++) {
		applier_close(r[i].applier);
		arena_free(r[i].arena);
	}
	free(r);
}

static void an_object_too_big_to_be_read_again_is_not_written(void **state)
{
	struct fix *f = *state;
	pl_ref ref = ref_for("ConfigMap", "shop", "big");
	struct buf b = BUF_INIT(SIZE_MAX / 4);
	buf_addz(&b, "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: big, namespace: shop}\ndata: {a: ");
	buf_addn(&b, 'x', 17 * 1024 * 1024);
	buf_addz(&b, "}\n");
	pl_result r = apply(f, "app", ref, b.p);
	assert_int_equal(r.status, PL_ETOOBIG);
	assert_says(r.message, "more than 16777216");
	assert_int_equal(observe(f, ref).status, PL_ENOTFOUND);
	buf_free(&b);
}

static void names_that_leave_the_folder_are_refused(void **state)
{
	struct fix *f = *state;
	char longer[300];
	memset(longer, 'x', sizeof(longer));
	pl_ref cases[] = {
		ref_for("ConfigMap", "shop", "../../x"),
		ref_for("ConfigMap", "shop", ".."),
		ref_for("ConfigMap", "shop", "."),
		ref_for("ConfigMap", "shop", ".hidden"),
		ref_for("ConfigMap", "..", "a"),
		ref_for("ConfigMap", "a/b", "a"),
		ref_for("Config/Map", "shop", "a"),
		ref_for("..", "shop", "a"),
		ref_for("Config.Map", "shop", "a"),
		ref_for("ConfigMap", "shop", ""),
		ref_for("", "shop", "a"),
		ref_for("ConfigMap", "_cluster", "a"),
		ref_for("ConfigMap", "shop", "a\nb"),
		ref_for("ConfigMap", "shop", "a\x7f"),
		{.kind = S("ConfigMap"), .ns = S("shop"), .name = {"a\0b", 3}},
		{.kind = S("ConfigMap"), .ns = S("shop"), .name = {longer, sizeof(longer)}},
		{.kind = S("A"), .group = S("../x"), .name = S("a")},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		pl_result r = apply(f, "app", cases[i], MAP("shop", "a", "1"));
		assert_int_equal(r.status, PL_EDENIED);
		assert_true(r.message.n > 10);
		assert_int_equal(delete (f, "app", cases[i]).status, PL_EDENIED);
		assert_int_equal(observe(f, cases[i]).status, PL_EDENIED);
	}
	assert_false(file_exists(at(f, "shop")));
}

static void what_is_not_ours_is_never_touched(void **state)
{
	struct fix *f = *state;
	pl_ref ref = ref_for("ConfigMap", "shop", "a");
	write_live(f, "shop/ConfigMap/a.yaml", MAP("shop", "a", "by-hand"));
	pl_result r = apply(f, "app", ref, MAP("shop", "a", "1"));
	assert_int_equal(r.status, PL_ECONFLICT);
	assert_says(r.message, "shop/ConfigMap/a.yaml' was not written by plumb");
	assert_int_equal(delete (f, "app", ref).status, PL_ECONFLICT);
	struct live l = observe(f, ref);
	assert_true(l.status == PL_OK && l.tracking.n == 0);
	assert_true(pl_equal(l.node, parse(f, MAP("shop", "a", "by-hand"))));

	ref.name = S("b");
	assert_int_equal(apply(f, "other", ref, MAP("shop", "b", "1")).change, PL_CREATED);
	r = apply(f, "app", ref, MAP("shop", "b", "2"));
	assert_int_equal(r.status, PL_ECONFLICT);
	assert_says(r.message, "belongs to the application 'other'");
	assert_int_equal(delete (f, "app", ref).status, PL_ECONFLICT);
	pl_action a = action(f, PL_APPLY, "app", ref, MAP("shop", "b", "2"));
	a.previous = S("other");
	assert_int_equal(run(f, f->applier, &a).change, PL_UPDATED);
	assert_says(observe(f, ref).tracking, "app:/ConfigMap:shop/b");
}

static void a_damaged_file_is_its_own_error_and_is_left_alone(void **state)
{
	struct fix *f = *state;
	pl_ref refs[] = {ref_for("ConfigMap", "shop", "a"), ref_for("ConfigMap", "shop", "b")};
	struct live l[2];
	apply(f, "app", refs[1], MAP("shop", "b", "1"));
	write_live(f, "shop/ConfigMap/a.yaml", "a: 1\nb: [\n");
	assert_int_equal(applier_observe(f->applier, refs, 2, f->arena, f->doc, l, NULL, 0, NULL), PL_OK);
	assert_int_equal(l[0].status, PL_EINVAL);
	assert_says(l[0].error, "shop/ConfigMap/a.yaml:3:1");
	assert_says(l[0].error, "remove it to have it written anew");
	assert_int_equal(l[1].status, PL_OK);
	pl_result r = apply(f, "app", refs[0], MAP("shop", "a", "1"));
	assert_int_equal(r.status, PL_EINVAL);
	assert_says(r.message, "a.yaml:3:1");
	assert_int_equal(delete (f, "app", refs[0]).status, PL_EINVAL);
	write_live(f, "shop/ConfigMap/a.yaml", "");
	assert_int_equal(observe(f, refs[0]).status, PL_EINVAL);
	unlink(at(f, "shop/ConfigMap/a.yaml"));
	assert_int_equal(apply(f, "app", refs[0], MAP("shop", "a", "1")).change, PL_CREATED);
}

static void planted_links_lead_nowhere(void **state)
{
	struct fix *f = *state;
	pl_ref ref = ref_for("ConfigMap", "shop", "a");
	char *victim = path_join(f->dir, "victim"), *inside = path_join(victim, "a.yaml");
	assert_int_equal(file_mkdirs(victim, 0755, NULL), PL_OK);
	assert_int_equal(file_write(inside, S("precious"), 0644, NULL), PL_OK);
	apply(f, "app", ref_for("ConfigMap", "shop", "first"), MAP("shop", "first", "1"));
	/* the file */
	assert_int_equal(symlink(inside, at(f, "shop/ConfigMap/a.yaml")), 0);
	pl_result r = apply(f, "app", ref, MAP("shop", "a", "1"));
	assert_int_equal(r.status, PL_EDENIED);
	assert_says(r.message, "is a symbolic link");
	assert_int_equal(observe(f, ref).status, PL_EDENIED);
	assert_int_equal(delete (f, "app", ref).status, PL_EDENIED);
	/* the kind's folder */
	ref.kind = S("Evil");
	assert_int_equal(symlink(victim, at(f, "shop/Evil")), 0);
	assert_int_equal(apply(f, "app", ref, MAP("shop", "a", "1")).status, PL_EDENIED);
	assert_int_equal(observe(f, ref).status, PL_EDENIED);
	/* the namespace's folder */
	ref.ns = S("evil");
	assert_int_equal(symlink(victim, at(f, "evil")), 0);
	r = apply(f, "app", ref, MAP("evil", "a", "1"));
	assert_int_equal(r.status, PL_EDENIED);
	assert_says(r.message, "/evil' is a symbolic link");
	struct buf b = BUF_INIT(4096);
	assert_int_equal(file_read(inside, &b, NULL), PL_OK);
	assert_true(str_eqz(buf_str(&b), "precious"));
	buf_free(&b);
	free(inside);
	free(victim);
}

static void a_dry_run_checks_and_writes_nothing(void **state)
{
	struct fix *f = *state;
	pl_ref ref = ref_for("ConfigMap", "shop", "a");
	pl_action a = action(f, PL_APPLY, "app", ref, MAP("shop", "a", "1"));
	a.flags = PL_DRY_RUN;
	assert_int_equal(run(f, f->applier, &a).change, PL_CREATED);
	assert_false(file_exists(at(f, "")));
	apply(f, "app", ref, MAP("shop", "a", "1"));
	a = action(f, PL_APPLY, "app", ref, MAP("shop", "a", "2"));
	a.flags = PL_DRY_RUN;
	assert_int_equal(run(f, f->applier, &a).change, PL_UPDATED);
	a = action(f, PL_DELETE, "app", ref, NULL);
	a.flags = PL_DRY_RUN;
	assert_int_equal(run(f, f->applier, &a).change, PL_DELETED);
	assert_true(pl_equal(observe(f, ref).node, parse(f, MAP("shop", "a", "1"))));
	a = action(f, PL_APPLY, "other", ref, MAP("shop", "a", "2"));
	a.flags = PL_DRY_RUN;
	assert_int_equal(run(f, f->applier, &a).status, PL_ECONFLICT);
}

static void what_stands_in_the_way_is_named(void **state)
{
	struct fix *f = *state;
	pl_ref ref = ref_for("ConfigMap", "shop", "a");
	write_live(f, "shop", "a file\n");
	pl_result r = apply(f, "app", ref, MAP("shop", "a", "1"));
	assert_int_equal(r.status, PL_ECONFLICT);
	assert_says(r.message, "/shop' is in the way: a folder must stand there");
	unlink(at(f, "shop"));
	assert_int_equal(file_mkdirs(at(f, "shop/ConfigMap/a.yaml"), 0755, NULL), PL_OK);
	r = apply(f, "app", ref, MAP("shop", "a", "1"));
	assert_int_equal(r.status, PL_ECONFLICT);
	assert_says(r.message, "not a regular file");
	/* what would hold a reader for ever */
	file_remove_tree(at(f, "shop"), NULL);
	assert_int_equal(file_mkdirs(at(f, "shop/ConfigMap"), 0755, NULL), PL_OK);
	assert_int_equal(mkfifo(at(f, "shop/ConfigMap/a.yaml"), 0644), 0);
	r = apply(f, "app", ref, MAP("shop", "a", "1"));
	assert_int_equal(r.status, PL_ECONFLICT);
	assert_says(r.message, "/shop/ConfigMap/a.yaml' is in the way: it is not a regular file");
	assert_int_equal(observe(f, ref).status, PL_ECONFLICT);
	assert_int_equal(delete (f, "app", ref).status, PL_ECONFLICT);
	uint64_t mark = 7;
	assert_int_equal(applier_fingerprint(f->applier, &ref, 1, &mark, NULL, 0, NULL), PL_OK);
	assert_int_equal(mark, 0); /* so it is looked at again on each pass */
	assert_int_equal(unlink(at(f, "shop/ConfigMap/a.yaml")), 0);
	assert_int_equal(apply(f, "app", ref, MAP("shop", "a", "1")).change, PL_CREATED);
	/* the target itself */
	char *file = path_join(f->dir, "file");
	assert_int_equal(file_write(file, S("x"), 0644, NULL), PL_OK);
	struct applier *a = open_at(f, file);
	struct pl_err e = ERR_INIT;
	pl_action act = action(f, PL_APPLY, "app", ref, MAP("shop", "a", "1"));
	assert_int_equal(applier_submit(a, &act, 1, NULL, 0, &e), PL_EINVAL);
	assert_non_null(strstr(pl_err_text(&e), "is not a folder"));
	err_clear(&e);
	applier_close(a);
	free(file);
}

struct meddler {
	const char *path, *aside, *foreign, *folder;
	atomic_bool stop;
	unsigned rounds;
};

/* Somebody who puts all kinds of things where the object lies, and takes them away again. */
static void *meddle(void *arg)
{
	struct meddler *m = arg;
	for (; !atomic_load(&m->stop); m->rounds++) {
		int bad = 0; /* most steps find that others were quicker */
		switch (m->rounds % 6) {
		case 0:
			(void)unlink(m->path);
			break;
		case 1:
			bad = rename(m->path, m->aside);
			break;
		case 2:
			bad = symlink("/etc/passwd", m->path);
			break;
		case 3:
			(void)mkfifo(m->path, 0644);
			break;
		case 4:
			bad = link(m->foreign, m->path);
			break;
		default:
			(void)file_remove_tree(m->folder, NULL);
		}
		if (!bad && (m->rounds % 6 == 2 || m->rounds % 6 == 3))
			(void)unlink(m->path);
	}
	return NULL;
}

static void whatever_others_do_meanwhile_each_answer_is_one_of_those_it_may_be(void **state)
{
	struct fix *f = *state;
	pl_ref ref = ref_for("ConfigMap", "shop", "a");
	const char *foreign = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: shop}\n";
	struct meddler m = {.path = at(f, "shop/ConfigMap/a.yaml"),
			    .aside = at(f, "aside"),
			    .foreign = at(f, "foreign"),
			    .folder = at(f, "shop/ConfigMap")};
	pthread_t t;
	apply(f, "app", ref, MAP("shop", "a", "1"));
	write_live(f, "foreign", foreign);
	assert_int_equal(pthread_create(&t, NULL, meddle, &m), 0);
	for (int i = 0; i < 600; i++) {
		struct live l = observe(f, ref);
		if (l.status == PL_OK) /* whole: ours, or theirs without a mark */
			assert_true(pl_len(pl_gets(l.node, "data")) == (l.tracking.n ? 1 : 0));
		else if (l.status != PL_ENOTFOUND && l.status != PL_ECONFLICT && l.status != PL_EDENIED)
			fail_msg("observed %d: %s", (int)l.status, l.error.p);
		pl_result r = i % 3 ? apply(f, "app", ref, i % 2 ? MAP("shop", "a", "1") : MAP("shop", "a", "2"))
				    : delete (f, "app", ref);
		if (r.status && r.status != PL_ECONFLICT && r.status != PL_EDENIED && r.status != PL_EIO)
			fail_msg("%s gave %d: %s", i % 3 ? "apply" : "delete", (int)r.status, r.message.p);
		if (r.status)
			assert_true(r.message.n > 10);
	}
	atomic_store(&m.stop, true);
	pthread_join(t, NULL);
	assert_true(m.rounds > 0);
	struct buf left = BUF_INIT(4096);
	assert_int_equal(file_read(m.foreign, &left, NULL), PL_OK);
	assert_string_equal(left.p, foreign);
	buf_free(&left);
	(void)file_remove_tree(m.folder, NULL);
	assert_int_equal(apply(f, "app", ref, MAP("shop", "a", "1")).change, PL_CREATED);
}

static void a_target_removed_or_replaced_is_written_where_the_path_leads(void **state)
{
	struct fix *f = *state;
	pl_ref ref = ref_for("ConfigMap", "shop", "a");
	apply(f, "app", ref, MAP("shop", "a", "1"));
	assert_int_equal(file_remove_tree(at(f, ""), NULL), PL_OK);
	assert_int_equal(observe(f, ref).status, PL_ENOTFOUND);
	assert_int_equal(apply(f, "app", ref, MAP("shop", "a", "1")).change, PL_CREATED);
	assert_true(file_exists(at(f, "shop/ConfigMap/a.yaml")));
}

static void a_full_disk_loses_nothing_and_recovers(void **state)
{
	struct fix *f = *state;
	/* A limit on file size stands for the full disk: the write fails half-way, with the same road back. */
	pl_ref ref = ref_for("ConfigMap", "shop", "a");
	apply(f, "app", ref, MAP("shop", "a", "1"));
	char *big = mem_zalloc(200001);
	memset(big, 'x', 200000);
	const char *yaml =
		arena_printf(f->arena,
			     "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: shop}\ndata: {a: %s}\n",
			     big)
			.p;
	pl_action a = action(f, PL_APPLY, "app", ref, yaml);
	pid_t child = fork();
	if (child == 0) {
		struct rlimit small = {65536, 65536};
		signal(SIGXFSZ, SIG_IGN);
		setrlimit(RLIMIT_FSIZE, &small);
		pl_result r;
		size_t n;
		bool ok = !applier_submit(f->applier, &a, 1, NULL, 0, NULL) &&
			  !applier_complete(f->applier, 0, f->arena, &r, 1, &n, NULL) && n == 1 && r.status == PL_EIO &&
			  strstr(r.message.p, "a.yaml");
		_exit(ok ? 0 : 1);
	}
	int status = -1;
	waitpid(child, &status, 0);
	assert_int_equal(status, 0);
	assert_true(pl_equal(observe(f, ref).node, parse(f, MAP("shop", "a", "1"))));
	size_t files = 0;
	DIR *d = opendir(at(f, "shop/ConfigMap"));
	for (struct dirent *x = readdir(d); x; x = readdir(d))
		files++;
	closedir(d);
	assert_int_equal(files, 3); /* ".", "..", the object: no temporary file is left */
	assert_int_equal(run(f, f->applier, &a).change, PL_UPDATED);
	free(big);
}

static void strays_of_a_killed_writer_are_cleaned_and_never_read(void **state)
{
	struct fix *f = *state;
	pl_ref ref = ref_for("ConfigMap", "shop", "a");
	apply(f, "app", ref, MAP("shop", "a", "1"));
	write_live(f, "shop/ConfigMap/.plumb-tmp-0123", "half a fi");
	struct applier *second = open_at(f, at(f, ""));
	struct live l;
	assert_int_equal(applier_observe(second, &ref, 1, f->arena, f->doc, &l, NULL, 0, NULL), PL_OK);
	assert_false(file_exists(at(f, "shop/ConfigMap/.plumb-tmp-0123")));
	applier_close(second);
}

static void a_writer_killed_at_any_moment_leaves_old_or_new(void **state)
{
	struct fix *f = *state;
	pl_ref ref = ref_for("ConfigMap", "shop", "a");
	apply(f, "app", ref, MAP("shop", "a", "0"));
	for (int round = 0; round < 30; round++) {
		pid_t child = fork();
		if (child == 0) {
			for (int i = 0;; i++) {
				pl_action a = action(f, PL_APPLY, "app", ref,
						     i % 2 ? MAP("shop", "a", "1") : MAP("shop", "a", "2"));
				(void)applier_submit(f->applier, &a, 1, NULL, 0, NULL);
			}
		}
		usleep((useconds_t)(300 * (round % 10)));
		kill(child, SIGKILL);
		waitpid(child, NULL, 0);
		struct live l = observe(f, ref);
		if (l.status)
			fail_msg("%s", l.error.p);
		assert_says(l.tracking, "app:");
	}
	assert_int_equal(apply(f, "app", ref, MAP("shop", "a", "3")).change, PL_UPDATED);
}

static void a_scan_finds_what_is_marked(void **state)
{
	struct fix *f = *state;
	struct live *v;
	size_t n;
	assert_int_equal(applier_scan(f->applier, S(""), f->arena, f->doc, &v, &n, NULL, 0, NULL), PL_OK);
	assert_int_equal(n, 0);
	apply(f, "one", ref_for("ConfigMap", "shop", "a"), MAP("shop", "a", "1"));
	apply(f, "two", ref_for("ConfigMap", "", "b"), MAP("x", "b", "1"));
	write_live(f, "shop/ConfigMap/foreign.yaml", MAP("shop", "foreign", "1"));
	write_live(f, "shop/ConfigMap/notes.txt", "hello");
	write_live(f, "README", "hello");
	assert_int_equal(applier_scan(f->applier, S(""), f->arena, f->doc, &v, &n, NULL, 0, NULL), PL_OK);
	assert_int_equal(n, 2);
	assert_int_equal(applier_scan(f->applier, S("one"), f->arena, f->doc, &v, &n, NULL, 0, NULL), PL_OK);
	assert_int_equal(n, 1);
	assert_true(str_eqz(v[0].ref.kind, "ConfigMap") && str_eqz(v[0].ref.ns, "shop") &&
		    str_eqz(v[0].ref.version, "v1"));
	assert_true(str_eqz(v[0].tracking, "one:/ConfigMap:shop/a") && pl_kind(v[0].node) == PL_MAP);
	write_live(f, "shop/ConfigMap/a.yaml", "[");
	assert_int_equal(applier_scan(f->applier, S("one"), f->arena, f->doc, &v, &n, NULL, 0, NULL), PL_OK);
	assert_true(n == 1 && v[0].status == PL_EINVAL && v[0].error.n);
}

static void fingerprints_change_with_the_file(void **state)
{
	struct fix *f = *state;
	pl_ref refs[] = {ref_for("ConfigMap", "shop", "a"), ref_for("ConfigMap", "shop", "../x")};
	uint64_t a[2], b[2], c[2];
	assert_int_equal(applier_fingerprint(f->applier, refs, 2, a, NULL, 0, NULL), PL_OK);
	assert_int_equal(a[0], 1);
	apply(f, "app", refs[0], MAP("shop", "a", "1"));
	assert_int_equal(applier_fingerprint(f->applier, refs, 2, a, NULL, 0, NULL), PL_OK);
	assert_int_equal(applier_fingerprint(f->applier, refs, 2, b, NULL, 0, NULL), PL_OK);
	assert_true(a[0] > 1 && a[0] == b[0] && a[1] == 0);
	apply(f, "app", refs[0], MAP("shop", "a", "2"));
	assert_int_equal(applier_fingerprint(f->applier, refs, 2, c, NULL, 0, NULL), PL_OK);
	assert_true(c[0] > 1 && c[0] != a[0]);
	assert_int_equal(delete (f, "app", refs[0]).change, PL_DELETED);
	assert_int_equal(applier_fingerprint(f->applier, refs, 2, c, NULL, 0, NULL), PL_OK);
	assert_int_equal(c[0], 1);
}

static void kinds_are_described_by_live_definitions(void **state)
{
	struct fix *f = *state;
	pl_kind_info info;
	pl_ref lamp = {.group = S("lab.io"), .version = S("v1"), .kind = S("Lamp")};
	assert_int_equal(applier_describe(f->applier, &lamp, &info, NULL), PL_OK);
	assert_int_equal(info.known, 0);
	pl_ref crd = {.group = S("apiextensions.k8s.io"),
		      .version = S("v1"),
		      .kind = S("CustomResourceDefinition"),
		      .name = S("lamps.lab.io")};
	apply(f, "app", crd,
	      "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: lamps.lab.io}\n"
	      "spec: {group: lab.io, scope: Cluster, names: {kind: Lamp, plural: lamps}}\n");
	assert_int_equal(applier_describe(f->applier, &lamp, &info, NULL), PL_OK);
	assert_true(info.known && !info.namespaced && info.watchable);
	lamp.kind = S("Light");
	assert_int_equal(applier_describe(f->applier, &lamp, &info, NULL), PL_OK);
	assert_int_equal(info.known, 0);
}

/* ---- watching ---- */

/* Waits for an event of that name, or an overflow when name is NULL. false: none came. */
static bool wait_event(struct fix *f, struct applier *w, const char *name, pl_event *got)
{
	pl_event v[16];
	for (int tries = 0; tries < 50; tries++) {
		size_t n = 0;
		struct pl_err e = ERR_INIT;
		if (applier_watch_next(w, 200, f->arena, v, 16, &n, NULL, &e))
			fail_msg("%s", pl_err_text(&e));
		for (size_t i = 0; i < n; i++) {
			if (name ? v[i].type == PL_EVENT_CHANGED && str_eqz(v[i].ref.name, name)
				 : v[i].type == PL_EVENT_OVERFLOW) {
				*got = v[i];
				return true;
			}
		}
	}
	return false;
}

static void start_watch(struct fix *f, struct applier *w)
{
	pl_event v[4];
	size_t n;
	assert_int_equal(applier_watch_next(w, 0, f->arena, v, 4, &n, NULL, NULL), PL_OK);
	assert_int_equal(n, 0);
}

static void changes_by_anybody_are_told_at_once(void **state)
{
	struct fix *f = *state;
	pl_event ev;
	pl_ref ref = ref_for("ConfigMap", "shop", "a");
	apply(f, "app", ref, MAP("shop", "a", "1"));
	struct applier *w = open_at(f, at(f, ""));
	start_watch(f, w);
	apply(f, "app", ref, MAP("shop", "a", "2"));
	assert_true(wait_event(f, w, "a", &ev));
	assert_true(str_eqz(ev.ref.kind, "ConfigMap") && str_eqz(ev.ref.ns, "shop") &&
		    str_eqz(ev.tracking, "app:/ConfigMap:shop/a"));
	/* new folders, and what was in them before they were watched */
	write_live(f, "new/Deployment.apps/web.yaml", "a: 1\n");
	assert_true(wait_event(f, w, "web", &ev));
	assert_true(str_eqz(ev.ref.group, "apps") && str_eqz(ev.ref.ns, "new") && ev.tracking.n == 0);
	char *outside = path_join(f->dir, "outside"), *deep = path_join(outside, "ConfigMap"),
	     *file = path_join(deep, "moved.yaml");
	file_mkdirs(deep, 0755, NULL);
	file_write(file, S("a: 1\n"), 0644, NULL);
	assert_int_equal(rename(outside, at(f, "in")), 0);
	assert_true(wait_event(f, w, "moved", &ev));
	/* removed */
	unlink(at(f, "shop/ConfigMap/a.yaml"));
	assert_true(wait_event(f, w, "a", &ev));
	assert_int_equal(ev.tracking.n, 0);
	/* a folder moved away takes its files with it, without a word of theirs */
	assert_int_equal(rename(at(f, "in"), outside), 0);
	assert_true(wait_event(f, w, NULL, &ev));
	write_live(f, "new/Deployment.apps/web.yaml", "a: 2\n");
	assert_true(wait_event(f, w, "web", &ev));
	applier_close(w);
	free(file);
	free(deep);
	free(outside);
}

static void a_root_that_goes_comes_or_is_replaced_is_an_overflow(void **state)
{
	struct fix *f = *state;
	pl_event ev;
	struct applier *w = open_at(f, at(f, ""));
	start_watch(f, w); /* there is no root yet */
	write_live(f, "shop/ConfigMap/a.yaml", "a: 1\n");
	assert_true(wait_event(f, w, NULL, &ev));
	char *aside = path_join(f->dir, "aside");
	assert_int_equal(rename(at(f, ""), aside), 0);
	write_live(f, "shop/ConfigMap/a.yaml", "a: 1\n");
	assert_true(wait_event(f, w, NULL, &ev));
	write_live(f, "shop/ConfigMap/b.yaml", "a: 1\n");
	assert_true(wait_event(f, w, "b", &ev));
	file_remove_tree(at(f, ""), NULL);
	assert_true(wait_event(f, w, NULL, &ev));
	write_live(f, "shop/ConfigMap/c.yaml", "a: 1\n");
	assert_true(wait_event(f, w, NULL, &ev));
	applier_close(w);
	free(aside);
}

static void temporary_files_and_strangers_are_no_events(void **state)
{
	struct fix *f = *state;
	write_live(f, "shop/ConfigMap/a.yaml", "a: 1\n");
	struct applier *w = open_at(f, at(f, ""));
	start_watch(f, w);
	write_live(f, "shop/ConfigMap/.plumb-tmp-1", "x");
	write_live(f, "shop/ConfigMap/notes.txt", "x");
	write_live(f, "shop/ConfigMap/z.yaml", "x");
	pl_event v[16];
	size_t n = 0;
	assert_int_equal(applier_watch_next(w, 5000, f->arena, v, 16, &n, NULL, NULL), PL_OK);
	assert_true(n >= 1);
	for (size_t i = 0; i < n; i++)
		assert_true(str_eqz(v[i].ref.name, "z"));
	applier_close(w);
}

static void lost_events_are_an_overflow_and_the_watch_goes_on(void **state)
{
	struct fix *f = *state;
	pl_event ev;
	struct buf b = BUF_INIT(64);
	assert_int_equal(file_read("/proc/sys/fs/inotify/max_queued_events", &b, NULL), PL_OK);
	long most = strtol(b.p, NULL, 10);
	buf_free(&b);
	write_live(f, "shop/ConfigMap/a.yaml", "a: 1\n");
	write_live(f, "shop/ConfigMap/b.yaml", "a: 1\n");
	struct applier *w = open_at(f, at(f, ""));
	start_watch(f, w);
	const char *files[] = {at(f, "shop/ConfigMap/a.yaml"), at(f, "shop/ConfigMap/b.yaml")};
	for (long i = 0; i < most + 100; i++)
		fclose(fopen(files[i % 2], "w"));
	assert_true(wait_event(f, w, NULL, &ev));
	write_live(f, "shop/ConfigMap/c.yaml", "a: 1\n");
	assert_true(wait_event(f, w, "c", &ev));
	applier_close(w);
}

static void *fire(void *c)
{
	usleep(20000);
	cancel_fire(c);
	return NULL;
}

static void a_watch_ends_when_it_is_cancelled(void **state)
{
	struct fix *f = *state;
	struct applier *w = open_at(f, at(f, ""));
	struct cancel *c = cancel_new();
	pthread_t t;
	pl_event v[4];
	size_t n;
	assert_int_equal(pthread_create(&t, NULL, fire, c), 0);
	assert_int_equal(applier_watch_next(w, 600000, f->arena, v, 4, &n, c, NULL), PL_ECANCELLED);
	pthread_join(t, NULL);
	cancel_unref(c);
	applier_close(w);
}

int main(void)
{
#define T(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		T(an_object_is_written_observed_changed_and_deleted),
		T(every_kind_has_its_folder),
		T(values_come_back_as_they_were),
		T(secrets_are_for_their_owner_alone),
		T(of_those_who_make_an_object_at_once_one_wins_and_the_others_are_told),
		T(an_object_too_big_to_be_read_again_is_not_written),
		T(names_that_leave_the_folder_are_refused),
		T(what_is_not_ours_is_never_touched),
		T(a_damaged_file_is_its_own_error_and_is_left_alone),
		T(planted_links_lead_nowhere),
		T(a_dry_run_checks_and_writes_nothing),
		T(what_stands_in_the_way_is_named),
		T(whatever_others_do_meanwhile_each_answer_is_one_of_those_it_may_be),
		T(a_target_removed_or_replaced_is_written_where_the_path_leads),
		T(a_full_disk_loses_nothing_and_recovers),
		T(strays_of_a_killed_writer_are_cleaned_and_never_read),
		T(a_writer_killed_at_any_moment_leaves_old_or_new),
		T(a_scan_finds_what_is_marked),
		T(fingerprints_change_with_the_file),
		T(kinds_are_described_by_live_definitions),
		T(changes_by_anybody_are_told_at_once),
		T(a_root_that_goes_comes_or_is_replaced_is_an_overflow),
		T(temporary_files_and_strangers_are_no_events),
		T(lost_events_are_an_overflow_and_the_watch_goes_on),
		T(a_watch_ends_when_it_is_cancelled),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
