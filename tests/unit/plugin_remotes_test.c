/* SPDX-License-Identifier: Apache-2.0 */
/* Other sources' trees for renderers: how they are opened, named and noted; and trees over the whole disk. */
#include "core/base/file.h"
#include "core/base/mem.h"
#include "core/plugin/render.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <unistd.h>

/* A folder on disk stands for the other side. */
struct fake {
	struct remotes base; /* first */
	const char *dir;
	pl_status st; /* what opening comes to */
	unsigned opened;
	char options[256], revision[64];
};

struct fix {
	char dir[32];
	struct registry *registry;
	struct arena *arena;
	pl_doc *doc;
	struct trace *trace;
	struct fake fake;
	struct nodes out;
	struct pl_err e;
};

static pl_status open_fake(struct remotes *self, const struct remote_want *w, struct cancel *cancel, struct arena *a,
			   struct remote_found *out, struct pl_err *e)
{
	struct fake *f = (struct fake *)self;
	(void)cancel;
	f->opened++;
	snprintf(f->options, sizeof(f->options), "%.*s", F(w->options));
	snprintf(f->revision, sizeof(f->revision), "%.*s", F(w->revision));
	if (f->st)
		return err_set(e, f->st, "the other side says %d", f->st);
	out->id = arena_dup(a, S("0123456789012345678901234567890123456789"));
	return snapshot_of_folder(f->dir, &out->snapshot, e);
}

static void put(const struct fix *f, const char *path, const char *text)
{
	char *full = path_join(f->dir, path), *dir = path_dir(full);
	assert_int_equal(file_mkdirs(dir, 0755, NULL), PL_OK);
	assert_int_equal(file_write(full, str_of(text), 0644, NULL), PL_OK);
	free(dir);
	free(full);
}

static void put_link(const struct fix *f, const char *path, const char *target)
{
	char *full = path_join(f->dir, path);
	assert_int_equal(symlink(target, full), 0);
	free(full);
}

static int set_up(void **state)
{
	struct fix *f = mem_zalloc(sizeof(*f));
	snprintf(f->dir, sizeof(f->dir), "/tmp/plumb-remotes-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	char *own = registry_own_folder();
	f->arena = arena_new();
	const char *folders[] = {own, arena_printf(f->arena, "%s/../../plugins", own).p};
	struct registry_config c = {.folders = folders, .n_folders = 2};
	f->registry = registry_new(&c);
	f->doc = pl_doc_new(NULL);
	f->trace = trace_new();
	f->fake = (struct fake){.base = {open_fake}, .dir = f->dir};
	put(f, "app/x", "");
	free(own);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fix *f = *state;
	nodes_free(&f->out);
	err_clear(&f->e);
	trace_free(f->trace);
	pl_doc_unref(f->doc);
	arena_free(f->arena);
	registry_free(f->registry);
	assert_int_equal(file_remove_tree(f->dir, NULL), PL_OK);
	free(f);
	return 0;
}

static pl_status render(struct fix *f, bool remotes, const char *source, const char *options, const char *file)
{
	struct snapshot *s = NULL;
	struct render_step step = {.path = S("app"), .app = S("app"), .doc = f->doc};
	assert_int_equal(registry_get(f->registry, PL_KIND_RENDERER, S("elsewhere"), &step.plugin, NULL), PL_OK);
	assert_int_equal(snapshot_of_folder(f->dir, &s, NULL), PL_OK);
	step.tree = tree_new(s, f->trace, f->arena);
	step.remotes = remotes ? &f->fake.base : NULL;
	pl_node *o = pl_new_map(f->doc);
	pl_sets(f->doc, o, "source", pl_new_string(f->doc, str_of(source)));
	pl_sets(f->doc, o, "options", pl_new_string(f->doc, str_of(options)));
	pl_sets(f->doc, o, "file", pl_new_string(f->doc, str_of(file)));
	char *text;
	size_t n;
	assert_int_equal(pl_json_write(o, 0, &text, &n, NULL), PL_OK);
	step.options = arena_dup(f->arena, (pl_str){text, n});
	pl_free(text);
	nodes_free(&f->out);
	err_clear(&f->e);
	pl_status st = render_run(f->registry, &step, NULL, &f->out, NULL, NULL, 0, &f->e);
	snapshot_unref(s);
	return st;
}

#define OBJECT "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: far}\n"
#define URL    "{\"url\": \"https://ann:secret@example.org/x\", \"revision\": \"v1\", \"maxBytes\": 5}"

static void another_tree_is_opened_once_a_render_and_noted_with_its_revision(void **state)
{
	struct fix *f = *state;
	size_t n;
	put(f, "far.yaml", OBJECT);
	if (render(f, true, "http", "{\"url\": \"https://example.org/x\", \"maxBytes\": 5}", "far.yaml"))
		fail_msg("%s", pl_err_text(&f->e));
	assert_int_equal(f->fake.opened, 1);
	assert_int_equal(f->out.n, 1);
	assert_string_equal(pl_at(f->doc, f->out.v[0]).file, "https://example.org/x//far.yaml");
	assert_string_equal(f->fake.options, "{\"maxBytes\":5,\"url\":\"https://example.org/x\"}");
	const struct trace_remote *v = trace_remotes(f->trace, &n);
	assert_int_equal(n, 1);
	assert_true(str_eqz(v->plugin, "http") && str_eqz(v->options, f->fake.options) && v->revision.n == 0);
	assert_true(str_starts(v->id, S("01234567890")));
}

static void a_revision_is_kept_apart_from_the_options_and_no_password_is_shown(void **state)
{
	struct fix *f = *state;
	put(f, "far.yaml", "a: [");
	assert_int_equal(render(f, true, "http", URL, "far.yaml"), PL_EINVAL);
	assert_string_equal(f->fake.revision, "v1");
	assert_null(strstr(f->fake.options, "revision"));
	if (!strstr(pl_err_text(&f->e), "https://example.org/x@v1//far.yaml:2:1: "))
		fail_msg("%s", pl_err_text(&f->e));
	assert_null(strstr(pl_err_text(&f->e), "secret"));
}

static void what_can_t_be_opened_says_why(void **state)
{
	struct fix *f = *state;
	static const struct {
		const char *source, *options;
		pl_status st;
		const char *says;
	} cases[] = {
		{"htpp", "{}", PL_ENOTFOUND, "did you mean 'http'?"},
		{"http", "{}", PL_EINVAL, "url"},
		{"http", "{\"url\": \"https://x\", \"ulr\": 1}", PL_EINVAL, "ulr"},
		{"http", "{", PL_EINVAL, "options of the source 'http'"},
		{"http", "[]", PL_EINVAL, "must be a map"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		pl_status st = render(f, true, cases[i].source, cases[i].options, "x");
		if (st != cases[i].st || !strstr(pl_err_text(&f->e), cases[i].says))
			fail_msg("%s: %d %s", cases[i].options, st, pl_err_text(&f->e));
	}
	assert_int_equal(f->fake.opened, 0);
	assert_int_equal(render(f, false, "http", URL, "x"), PL_EUNSUPPORTED);
	assert_non_null(strstr(pl_err_text(&f->e), "other trees can't be opened here"));
	assert_int_equal(render(f, true, "http", URL, "none.yaml"), PL_ENOTFOUND);
	assert_non_null(strstr(pl_err_text(&f->e), "'https://example.org/x@v1//none.yaml'"));
}

static void an_answer_of_the_other_side_is_noted_a_failure_to_ask_is_not(void **state)
{
	struct fix *f = *state;
	static const struct {
		pl_status st;
		size_t notes;
	} cases[] = {{PL_EUNAVAILABLE, 0}, {PL_ETIMEOUT, 0}, {PL_EAUTH, 0}, {PL_ENOTFOUND, 1}};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		size_t n;
		f->fake.st = cases[i].st;
		assert_int_equal(render(f, true, "http", URL, "x"), cases[i].st);
		assert_non_null(strstr(pl_err_text(&f->e), "the other side says"));
		const struct trace_remote *v = trace_remotes(f->trace, &n);
		assert_int_equal(n, cases[i].notes);
		assert_true(n == 0 || v->id.n == 0);
	}
}

/* ---- notes ---- */

static void note(struct trace *t, const char *options, const char *revision, const char *id)
{
	trace_note_remote(t, &(struct trace_remote){S("git"), str_of(options), str_of(revision), str_of(id)});
}

static void hex_of(const struct trace *t, char to[HASH_TEXT])
{
	struct hash *h = hash_new();
	uint8_t sum[HASH_SIZE];
	trace_digest(t, h);
	hash_end(h, sum);
	hash_hex(sum, to);
}

static void notes_of_other_trees_come_back_and_damage_is_noticed(void **state)
{
	struct fix *f = *state;
	struct buf b = BUF_INIT(1 << 20);
	struct trace *back = NULL;
	char x[HASH_TEXT], y[HASH_TEXT];
	size_t n;
	note(f->trace, "{b}", "main", "2");
	note(f->trace, "{a}", "v1", "1");
	note(f->trace, "{a}", "", "");
	note(f->trace, "{a}", "v1", "another: the first look counts");
	trace_pack(f->trace, &b);
	assert_int_equal(trace_unpack(buf_str(&b), &back, NULL), PL_OK);
	const struct trace_remote *v = trace_remotes(back, &n);
	assert_int_equal(n, 3);
	assert_true(str_eqz(v[0].revision, "") && str_eqz(v[1].id, "1") && str_eqz(v[2].options, "{b}"));
	hex_of(f->trace, x);
	hex_of(back, y);
	assert_string_equal(x, y);
	trace_free(back);
	for (size_t i = 0; i < b.n; i++) {
		assert_int_equal(trace_unpack((pl_str){b.p, i}, &back, NULL), PL_EINVAL);
		b.p[i] = (char)(b.p[i] ^ 0x41);
		assert_int_equal(trace_unpack(buf_str(&b), &back, NULL), PL_EINVAL);
		b.p[i] = (char)(b.p[i] ^ 0x41);
	}
	buf_free(&b);
}

static void a_trace_without_other_trees_is_stored_as_it_always_was(void **state)
{
	struct fix *f = *state;
	struct buf b = BUF_INIT(1 << 20);
	char x[HASH_TEXT], y[HASH_TEXT];
	trace_pack(f->trace, &b);
	assert_memory_equal(b.p, "PRT1", 4);
	hex_of(f->trace, x);
	buf_clear(&b);
	note(f->trace, "{}", "main", "1");
	trace_pack(f->trace, &b);
	assert_memory_equal(b.p, "PRT2", 4);
	hex_of(f->trace, y);
	assert_string_not_equal(x, y);
	buf_free(&b);
}

/* ---- the whole disk ---- */

static pl_str below_root(struct fix *f, const char *path)
{
	char *dir = realpath(f->dir, NULL);
	pl_str p = arena_printf(f->arena, "%s%s%s", dir + 1, *path ? "/" : "", path);
	free(dir);
	return p;
}

static void a_tree_over_the_root_has_no_outside(void **state)
{
	struct fix *f = *state;
	struct snapshot *s = NULL;
	pl_str text, real, target = arena_printf(f->arena, "%s/base/d", f->dir);
	const pl_entry *v;
	pl_entry at;
	size_t n;
	put(f, "base/d/f.yaml", "far");
	put(f, "app/g.yaml", "near");
	put_link(f, "app/absolute", target.p);
	put_link(f, "app/up", "../base/d/../d");
	put_link(f, "app/above", "../../../../../../../../..");
	put_link(f, "app/loop", "loop");
	assert_int_equal(snapshot_of_folder("/", &s, NULL), PL_OK);
	for (int traced = 0; traced < 2; traced++) { /* with notes every path is walked, without known folders aren't */
		pl_tree *t = tree_new(s, traced ? f->trace : NULL, f->arena);
		static const char *const same[] = {"app/absolute/f.yaml", "app/up/f.yaml", "base/d/f.yaml"};
		for (size_t i = 0; i < 3; i++) {
			assert_int_equal(tree_read(t, below_root(f, same[i]), f->arena, &text, NULL), PL_OK);
			assert_true(str_eqz(text, "far"));
			assert_int_equal(tree_real(t, below_root(f, same[i]), &real, NULL), PL_OK);
			assert_true(str_eq(real, below_root(f, "base/d/f.yaml")));
		}
		assert_int_equal(tree_real(t, below_root(f, "app/above"), &real, NULL), PL_OK);
		assert_int_equal(real.n, 0);
		assert_int_equal(tree_stat(t, below_root(f, "app/none"), &at, NULL), PL_ENOTFOUND);
		assert_int_equal(tree_stat(t, below_root(f, "app/g.yaml/x"), &at, NULL), PL_ENOTFOUND);
		assert_int_equal(tree_stat(t, below_root(f, "app/loop"), &at, NULL), PL_EDENIED);
		assert_int_equal(tree_readlink(t, below_root(f, "app/loop"), f->arena, &text, NULL), PL_OK);
		assert_true(str_eqz(text, "loop"));
		assert_int_equal(tree_list(t, below_root(f, "base"), &v, &n, NULL), PL_OK);
		assert_true(n == 1 && str_eqz(v[0].name, "d") && v[0].type == PL_DIR);
		assert_int_equal(tree_read(t, below_root(f, "app/g.yaml"), f->arena, &text, NULL), PL_OK);
		assert_true(str_eqz(text, "near") && text.p[text.n] == 0);
	}
	snapshot_unref(s);
}

static void files_are_called_as_seen_from_where_the_user_stands(void **state)
{
	struct fix *f = *state;
	static const struct {
		const char *top, *cwd, *path, *name;
	} cases[] = {
		{"/", "/work/main", "work/main/a/b.yaml", "a/b.yaml"},
		{"/", "/work/main", "work/main", "."},
		{"/", "/work/main", "work/base/x.yaml", "../base/x.yaml"},
		{"/", "/work/main/a/b", "work/main/x.yaml", "../../x.yaml"},
		{"/", "/work/main/a/b", "work/main", "../.."},
		{"/", "/work/a/b/c/d", "work/x.yaml", "/work/x.yaml"},
		{"/", "/work/main", "etc/x.yaml", "/etc/x.yaml"},
		{"/", "/work/main", "work/mainframe/x.yaml", "../mainframe/x.yaml"},
		{"/", "/", "etc/x.yaml", "etc/x.yaml"},
		{"/", "", "etc/x.yaml", "/etc/x.yaml"},
		{"/work/main", "/work/main/sub", "a/b.yaml", "../a/b.yaml"},
		{"/work/main", "/work/main", "", "."},
		{"/work/main", "/", "x.yaml", "work/main/x.yaml"},
	};
	struct snapshot *s = NULL;
	assert_int_equal(snapshot_of_folder("/", &s, NULL), PL_OK);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		pl_tree *t = tree_new(s, NULL, f->arena);
		assert_true(str_eqz(tree_name(t, str_of(cases[i].path)), cases[i].path));
		tree_told_from(t, str_of(cases[i].top), str_of(cases[i].cwd));
		pl_str name = tree_name(t, str_of(cases[i].path));
		if (!str_eqz(name, cases[i].name))
			fail_msg("'%s' from '%s': '%.*s'", cases[i].path, cases[i].cwd, F(name));
	}
	snapshot_unref(s);
}

int main(void)
{
#define T(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		T(another_tree_is_opened_once_a_render_and_noted_with_its_revision),
		T(a_revision_is_kept_apart_from_the_options_and_no_password_is_shown),
		T(what_can_t_be_opened_says_why),
		T(an_answer_of_the_other_side_is_noted_a_failure_to_ask_is_not),
		T(notes_of_other_trees_come_back_and_damage_is_noticed),
		T(a_trace_without_other_trees_is_stored_as_it_always_was),
		T(a_tree_over_the_root_has_no_outside),
		T(files_are_called_as_seen_from_where_the_user_stands),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
