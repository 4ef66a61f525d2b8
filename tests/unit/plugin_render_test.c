/* SPDX-License-Identifier: Apache-2.0 */
/* Render steps, and the yaml renderer as the program loads it. */
#include "core/base/file.h"
#include "core/base/mem.h"
#include "core/plugin/render.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

struct fix {
	char *dir;
	struct registry *registry;
	const struct plugin *yaml, *kustomize, *good;
	struct arena *arena;
	pl_doc *doc;
	struct nodes out;
	struct pl_err e;
};

static int set_up(void **state)
{
	struct fix *f = mem_zalloc(sizeof(*f));
	char *tests = registry_own_folder(), *plugins = path_join(tests, "../../plugins");
	const char *folders[] = {plugins, tests};
	struct registry_config c = {.folders = folders, .n_folders = 2};
	f->dir = str_dup(S("/tmp/plumb-render-XXXXXX"));
	assert_non_null(mkdtemp(f->dir));
	f->registry = registry_new(&c);
	f->arena = arena_new();
	f->doc = pl_doc_new(NULL);
	assert_int_equal(registry_get(f->registry, PL_KIND_RENDERER, S("yaml"), &f->yaml, NULL), PL_OK);
	assert_int_equal(registry_get(f->registry, PL_KIND_RENDERER, S("kustomize"), &f->kustomize, NULL), PL_OK);
	assert_int_equal(registry_get(f->registry, PL_KIND_RENDERER, S("good"), &f->good, NULL), PL_OK);
	free(plugins);
	free(tests);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fix *f = *state;
	nodes_free(&f->out);
	err_clear(&f->e);
	registry_free(f->registry);
	pl_doc_unref(f->doc);
	arena_free(f->arena);
	file_remove_tree(f->dir, NULL);
	free(f->dir);
	free(f);
	return 0;
}

static void put(const struct fix *f, const char *path, const char *text)
{
	char *full = path_join(f->dir, path), *dir = path_dir(full);
	assert_int_equal(file_mkdirs(dir, 0755, NULL), PL_OK);
	FILE *to = fopen(full, "w");
	assert_non_null(to);
	fputs(text, to);
	fclose(to);
	free(dir);
	free(full);
}

static void put_link(const struct fix *f, const char *path, const char *target)
{
	char *full = path_join(f->dir, path);
	assert_int_equal(symlink(target, full), 0);
	free(full);
}

static pl_status render(struct fix *f, const struct plugin *p, const char *path, const char *options,
			const struct nodes *in)
{
	struct snapshot *s = NULL;
	assert_int_equal(snapshot_of_folder(f->dir, &s, NULL), PL_OK);
	struct render_step step = {
		.plugin = p,
		.options = str_of(options),
		.tree = tree_new(s, NULL, f->arena),
		.path = str_of(path),
		.app = S("app"),
		.doc = f->doc,
	};
	nodes_free(&f->out);
	err_clear(&f->e);
	pl_status st = render_run(f->registry, &step, in, &f->out, NULL, NULL, 0, &f->e);
	assert_int_equal(st, f->e.code);
	snapshot_unref(s);
	return st;
}

/* The names of what came out, "a b c". */
static const char *names(struct fix *f)
{
	pl_str all = S("");
	for (size_t i = 0; i < f->out.n; i++) {
		pl_str name = pl_text(pl_gets(pl_gets(f->out.v[i], "metadata"), "name"));
		all = arena_printf(f->arena, "%s%s%.*s", all.p, all.n ? " " : "", F(name));
	}
	return all.p;
}

#define OBJ(name) "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: " name "}\n"

static void files_come_in_the_byte_order_of_their_paths(void **state)
{
	struct fix *f = *state;
	put(f, "app/b.yml", OBJ("b"));
	put(f, "app/a/z.yaml", OBJ("a-z"));
	put(f, "app/a.yaml", OBJ("a"));
	put(f, "app/C.json",
	    "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"C\"},\"x\":\"\\ud83d\\ude00\\/\"}");
	put(f, "app/a b's \"q\"\nx.yaml", OBJ("odd"));
	put(f, "app/\xc3\xa9.yaml", OBJ("utf8"));
	put(f, "app/.hidden.yaml", OBJ("hidden"));
	put(f, "app/README.md", "no manifest");
	put(f, "app/x.YAML", "[");
	put(f, "other/x.yaml", "[");
	assert_int_equal(render(f, f->yaml, "app", "{}", NULL), PL_OK);
	assert_string_equal(names(f), "hidden C odd a a-z b utf8");
	assert_int_equal(render(f, f->yaml, "app/a.yaml", "{}", NULL), PL_OK);
	assert_string_equal(names(f), "a");
}

static void options_choose_the_files(void **state)
{
	struct fix *f = *state;
	static const struct {
		const char *options, *names;
	} cases[] = {
		{"{}", "a b c d"},
		{"{\"recurse\":false}", "a b"},
		{"{\"exclude\":[\"b.yaml\"]}", "a c d"},
		{"{\"exclude\":[\"s/*\"]}", "a b d"},
		{"{\"exclude\":[\"s/**\"]}", "a b"},
		{"{\"include\":[\"**/t/*.yaml\",\"a.*\"]}", "a d"},
		{"{\"include\":[\"[ab].yaml\"],\"exclude\":[\"[!b].yaml\"]}", "b"},
		{"{\"include\":[\"?\\\\.yaml\"]}", "a b c d"},
	};
	put(f, "app/a.yaml", OBJ("a"));
	put(f, "app/b.yaml", OBJ("b"));
	put(f, "app/s/c.yaml", OBJ("c"));
	put(f, "app/s/t/d.yaml", OBJ("d"));
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(render(f, f->yaml, "app", cases[i].options, NULL), PL_OK);
		if (strcmp(names(f), cases[i].names) != 0)
			fail_msg("%s gave '%s'", cases[i].options, names(f));
	}
}

static void lists_are_opened_and_empty_documents_dropped(void **state)
{
	struct fix *f = *state;
	put(f, "a.yaml",
	    "---\n# nothing\n---\n" OBJ(
		    "one") "---\napiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: ConfigMap\n"
			   "  metadata: {name: two}\n- apiVersion: v1\n  kind: ConfigMapList\n  items:\n  - "
			   "apiVersion: v1\n    kind: ConfigMap\n"
			   "    metadata: {name: three}\n---\napiVersion: v1\nkind: List\nitems: []\n---\napiVersion: "
			   "v1\nkind: List\n---\n{}\n---\n"
			   "apiVersion: x.io/v1\nkind: AllowList\nmetadata: {name: no-list}\nitems: text\n");
	assert_int_equal(render(f, f->yaml, "", "{}", NULL), PL_OK);
	assert_string_equal(names(f), "one two three no-list");
	pl_place at = pl_at(f->doc, f->out.v[2]);
	assert_string_equal(at.file, "a.yaml");
	assert_int_equal(at.line, 17);
}

static void mistakes_name_file_line_and_column(void **state)
{
	struct fix *f = *state;
	static const struct {
		const char *file, *text;
		pl_status st;
		const char *says;
	} cases[] = {
		{"app/x.yaml", "a: 1\nb: [\n", PL_EINVAL, "app/x.yaml:3:1: "},
		{"app/x.yaml", OBJ("a") "---\n- a\n", PL_EINVAL,
		 "app/x.yaml:5:1: yaml: a manifest must be a map, not a list"},
		{"app/x.yaml", "just text\n", PL_EINVAL,
		 "app/x.yaml:1:1: yaml: a manifest must be a map, not a string"},
		{"app/x.json", "{\"a\": }\n", PL_EINVAL, "app/x.json:1:7: "},
		{"app/x.yaml", "a: 1\na: 2\n", PL_EINVAL, "app/x.yaml:2:1: "},
		{"app/x.yaml", "apiVersion: v1\nkind: List\nitems:\n- {}\n- text\n", PL_EINVAL,
		 "app/x.yaml:5:3: yaml: items[1]: a manifest must be"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		put(f, cases[i].file, cases[i].text);
		assert_int_equal(render(f, f->yaml, "app", "{}", NULL), cases[i].st);
		if (!strstr(pl_err_text(&f->e), cases[i].says))
			fail_msg("%s", pl_err_text(&f->e));
		assert_int_equal(f->out.n, 0);
		char *full = path_join(f->dir, cases[i].file);
		unlink(full);
		free(full);
	}
}

static void an_absent_path_names_the_nearest_folder(void **state)
{
	struct fix *f = *state;
	put(f, "apps/shop/a.yaml", OBJ("a"));
	assert_int_equal(render(f, f->yaml, "apps/shpo/prod", "{}", NULL), PL_ENOTFOUND);
	assert_non_null(strstr(pl_err_text(&f->e), "the path 'apps/shpo/prod' does not exist"));
	assert_non_null(strstr(pl_err_text(&f->e), "nearest folder is 'apps'"));
	assert_int_equal(render(f, f->yaml, "none", "{}", NULL), PL_ENOTFOUND);
}

static void links_are_followed_inside_the_tree_only(void **state)
{
	struct fix *f = *state;
	put(f, "base/x.yaml", OBJ("linked"));
	put(f, "app/a.yaml", OBJ("a"));
	put_link(f, "app/l.yaml", "../base/x.yaml");
	put_link(f, "app/nothing", "nowhere"); /* not a manifest's name */
	assert_int_equal(render(f, f->yaml, "app", "{}", NULL), PL_OK);
	assert_string_equal(names(f), "a linked");
	put(f, "shared/y.yaml", OBJ("shared"));
	put_link(f, "app/shared", "../shared");
	assert_int_equal(render(f, f->yaml, "app", "{}", NULL), PL_OK);
	assert_string_equal(names(f), "a linked shared");
	assert_int_equal(render(f, f->yaml, "app", "{\"recurse\":false}", NULL), PL_OK);
	assert_string_equal(names(f), "a linked");
	put_link(f, "app/out.yaml", "/etc/hostname");
	assert_int_equal(render(f, f->yaml, "app", "{}", NULL), PL_EDENIED);
	assert_non_null(strstr(pl_err_text(&f->e), "'app/out.yaml' points to '/etc/hostname'"));
	put(f, "round/a.yaml", OBJ("a"));
	put_link(f, "round/loop", ".");
	assert_int_equal(render(f, f->yaml, "round", "{}", NULL), PL_EINVAL);
	assert_non_null(strstr(pl_err_text(&f->e), "'round/loop' leads back"));
	put_link(f, "gone.yaml", "nowhere");
	assert_int_equal(render(f, f->yaml, "", "{\"recurse\":false}", NULL), PL_ENOTFOUND);
	assert_non_null(strstr(pl_err_text(&f->e), "'gone.yaml' points to nothing"));
}

/* Fifteen folders, each with two links to the next: more paths than anybody has files, and no loop. */
static void links_that_multiply_folders_are_stopped(void **state)
{
	struct fix *f = *state;
	for (int i = 0; i < 15; i++) {
		put(f, arena_printf(f->arena, "app/d%d/a.yaml", i).p, OBJ("a"));
		for (int k = 0; k < 2; k++)
			put_link(f, arena_printf(f->arena, "app/d%d/l%d", i, k).p,
				 arena_printf(f->arena, "../d%d", i + 1).p);
	}
	put(f, "app/d15/a.yaml", OBJ("a"));
	assert_int_equal(render(f, f->yaml, "app", "{}", NULL), PL_ETOOBIG);
	assert_non_null(strstr(pl_err_text(&f->e), "below the path 'app' lead to more than 10000 files and folders"));
}

static void a_submodule_is_left_out_with_a_line_in_the_log(void **state)
{
	struct fix *f = *state;
	const struct plugin *p;
	struct source *source;
	struct snapshot *s;
	put(f, "r1/app/a.yaml", OBJ("a"));
	put(f, "r1/app/lib.submodule/b.yaml", OBJ("b"));
	char *path = path_join(f->dir, "log");
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	struct log log = {.fd = fd, .level = LOG_WARN};
	pl_str options = arena_printf(f->arena, "{\"root\":\"%s\"}", f->dir);
	assert_int_equal(registry_get(f->registry, PL_KIND_SOURCE, S("folder"), &p, NULL), PL_OK);
	assert_int_equal(source_open(f->registry, p, options, "/tmp", &source, NULL), PL_OK);
	assert_int_equal(snapshot_open(source, S("r1"), &s, NULL), PL_OK);
	struct render_step step = {
		.plugin = f->yaml, .options = S("{}"), .path = S("app"), .app = S("shop"), .doc = f->doc};
	step.tree = tree_new(s, NULL, f->arena);
	assert_int_equal(render_run(f->registry, &step, NULL, &f->out, &log, NULL, 0, &f->e), PL_OK);
	assert_string_equal(names(f), "a");
	struct buf b = BUF_INIT(65536);
	assert_int_equal(file_read(path, &b, NULL), PL_OK);
	assert_non_null(strstr(b.p, "shop: yaml: the submodule 'app/lib' is left out"));
	buf_free(&b);
	snapshot_unref(s);
	source_unref(source);
	close(fd);
	free(path);
}

static void steps_hand_on_what_came_before(void **state)
{
	struct fix *f = *state;
	struct nodes in = {0};
	put(f, "a.yaml", OBJ("a"));
	assert_int_equal(render(f, f->yaml, "", "{}", NULL), PL_OK);
	nodes_add(&in, f->out.v[0]);
	assert_int_equal(render(f, f->good, "", "{}", &in), PL_OK);
	assert_int_equal(f->out.n, 1);
	assert_ptr_equal(f->out.v[0], in.v[0]);
	assert_int_equal(render(f, f->yaml, "", "{}", &in), PL_OK);
	assert_string_equal(names(f), "a a");
	nodes_free(&in);
}

static void ten_thousand_files_render(void **state)
{
	struct fix *f = *state;
	for (int i = 0; i < 10000; i++) {
		char path[64];
		snprintf(path, sizeof(path), "d%02d/f%05d.yaml", i % 10, i);
		put(f, path, OBJ("x"));
	}
	assert_int_equal(render(f, f->yaml, "", "{}", NULL), PL_OK);
	assert_int_equal(f->out.n, 10000);
}

static void a_cancelled_render_stops(void **state)
{
	struct fix *f = *state;
	struct cancel *c = cancel_new();
	struct snapshot *s = NULL;
	put(f, "a.yaml", OBJ("a"));
	cancel_fire(c);
	assert_int_equal(snapshot_of_folder(f->dir, &s, NULL), PL_OK);
	struct render_step step = {
		.plugin = f->yaml, .options = S("{}"), .tree = tree_new(s, NULL, f->arena), .doc = f->doc};
	assert_int_equal(render_run(f->registry, &step, NULL, &f->out, NULL, c, 0, &f->e), PL_ECANCELLED);
	snapshot_unref(s);
	cancel_unref(c);
}

/* A chart that a step of its own has inflated gets its prefix, its patches and its references like any base. */
static void a_kustomization_builds_what_earlier_steps_made(void **state)
{
	struct fix *f = *state;
	struct nodes in = {0};
	put(f, "chart/a.yaml",
	    OBJ("settings") "---\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  volumes:\n"
			    "  - {name: v, configMap: {name: settings}}\n");
	put(f, "app/own.yaml", OBJ("own"));
	put(f, "app/kustomization.yaml",
	    "namePrefix: prod-\nresources: [own.yaml]\nsortOptions: {order: fifo}\npatches:\n"
	    "- patch: '{\"apiVersion\": \"v1\", \"kind\": \"Pod\", \"metadata\": {\"name\": \"web\"}, \"spec\": "
	    "{\"hostname\": \"patched\"}}'\n");
	assert_int_equal(render(f, f->yaml, "chart", "{}", NULL), PL_OK);
	for (size_t i = 0; i < f->out.n; i++)
		nodes_add(&in, f->out.v[i]);
	assert_int_equal(render(f, f->kustomize, "app", "{}", &in), PL_OK);
	assert_string_equal(names(f), "prod-settings prod-web prod-own");
	const pl_node *spec = pl_gets(f->out.v[1], "spec"), *volume = pl_item(pl_gets(spec, "volumes"), 0);
	assert_true(str_eq(pl_text(pl_gets(spec, "hostname")), S("patched")));
	assert_true(str_eq(pl_text(pl_gets(pl_gets(volume, "configMap"), "name")), S("prod-settings")));
	nodes_free(&in);
}

static void a_step_and_a_kustomization_may_not_both_make_an_object(void **state)
{
	struct fix *f = *state;
	struct nodes in = {0};
	put(f, "chart/a.yaml", OBJ("same"));
	put(f, "app/own.yaml", OBJ("same"));
	put(f, "app/kustomization.yaml", "resources: [own.yaml]\n");
	assert_int_equal(render(f, f->yaml, "chart", "{}", NULL), PL_OK);
	nodes_add(&in, f->out.v[0]);
	assert_int_equal(render(f, f->kustomize, "app", "{}", &in), PL_EEXIST);
	assert_non_null(strstr(pl_err_text(&f->e), "already registered id"));
	assert_non_null(strstr(pl_err_text(&f->e), "same"));
	nodes_free(&in);
}

int main(void)
{
#define T(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		T(a_kustomization_builds_what_earlier_steps_made),
		T(a_step_and_a_kustomization_may_not_both_make_an_object),
		T(files_come_in_the_byte_order_of_their_paths),
		T(options_choose_the_files),
		T(lists_are_opened_and_empty_documents_dropped),
		T(mistakes_name_file_line_and_column),
		T(an_absent_path_names_the_nearest_folder),
		T(links_are_followed_inside_the_tree_only),
		T(links_that_multiply_folders_are_stopped),
		T(a_submodule_is_left_out_with_a_line_in_the_log),
		T(steps_hand_on_what_came_before),
		T(ten_thousand_files_render),
		T(a_cancelled_render_stops),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
