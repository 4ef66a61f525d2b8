/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/file.h"
#include "core/base/mem.h"
#include "core/plugin/source.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>

#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

/* A folder with revisions below it, and the source over it. */
struct fix {
	char *dir;
	struct registry *registry;
	struct source *source;
	struct arena *arena;
	unsigned *lists;
	void *so;
};

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
	unlink(full);
	assert_int_equal(symlink(target, full), 0);
	free(full);
}

static void drop(const struct fix *f, const char *path)
{
	char *full = path_join(f->dir, path);
	assert_int_equal(file_remove_tree(full, NULL), PL_OK);
	free(full);
}

static int set_up(void **state)
{
	struct fix *f = mem_zalloc(sizeof(*f));
	f->dir = str_dup(S("/tmp/plumb-tree-XXXXXX"));
	assert_non_null(mkdtemp(f->dir));
	char *own = registry_own_folder();
	const char *folders[] = {own};
	struct registry_config c = {.folders = folders, .n_folders = 1};
	f->registry = registry_new(&c);
	f->arena = arena_new();
	const struct plugin *p;
	assert_int_equal(registry_get(f->registry, PL_KIND_SOURCE, S("folder"), &p, NULL), PL_OK);
	pl_str options = arena_printf(f->arena, "{\"root\":\"%s\"}", f->dir);
	assert_int_equal(source_open(f->registry, p, options, "/tmp", &f->source, NULL), PL_OK);
	f->so = dlopen(plugin_file(p), RTLD_NOW | RTLD_LOCAL);
	f->lists = dlsym(f->so, "folder_lists");
	assert_non_null(f->lists);
	*f->lists = 0;
	free(own);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fix *f = *state;
	source_unref(f->source);
	dlclose(f->so);
	registry_free(f->registry);
	arena_free(f->arena);
	file_remove_tree(f->dir, NULL);
	free(f->dir);
	free(f);
	return 0;
}

static struct snapshot *snapshot(const struct fix *f, const char *id)
{
	struct snapshot *s = NULL;
	struct pl_err e = ERR_INIT;
	if (snapshot_open(f->source, str_of(id), &s, &e))
		fail_msg("%s", pl_err_text(&e));
	return s;
}

static void base(const struct fix *f, const char *rev)
{
	static const char *const files[] = {"apps/web/a.yaml", "apps/web/sub/b.yaml", "apps-x/c.yaml", "base/d.yaml",
					    "README"};
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		char *p = path_join(rev, files[i]);
		put(f, p, files[i]);
		free(p);
	}
	char *l = path_join(rev, "apps/web/link.yaml");
	put_link(f, l, "../../base/d.yaml");
	free(l);
}

static void files_are_read_through_folders_and_links(void **state)
{
	struct fix *f = *state;
	static const struct {
		const char *path, *text;
	} cases[] = {
		{"apps/web/a.yaml", "apps/web/a.yaml"},
		{"apps/web/link.yaml", "base/d.yaml"},
		{"l/x/b.yaml", "apps/web/sub/b.yaml"},
		{"l/up/c.yaml", "apps-x/c.yaml"},
		{"self/README", "README"},
	};
	base(f, "r1");
	put(f, "r1/l/keep", "");
	put_link(f, "r1/l/x", "..//apps/./web/sub/");
	put_link(f, "r1/l/up", "../l/../apps-x");
	put_link(f, "r1/self", ".");
	struct snapshot *s = snapshot(f, "r1");
	pl_tree *t = tree_new(s, NULL, f->arena);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		pl_str text;
		struct pl_err e = ERR_INIT;
		if (tree_read(t, str_of(cases[i].path), f->arena, &text, &e))
			fail_msg("%s", pl_err_text(&e));
		assert_int_equal(text.n, strlen(cases[i].text));
		assert_memory_equal(text.p, cases[i].text, text.n);
	}
	snapshot_unref(s);
}

static void what_can_t_be_read_says_why(void **state)
{
	struct fix *f = *state;
	static const struct {
		const char *path;
		pl_status st;
		const char *says;
	} cases[] = {
		{"apps/none/a", PL_ENOTFOUND, "'apps/none' is absent in 'apps'"},
		{"nothing", PL_ENOTFOUND, "no such file or folder 'nothing'"},
		{"README/x", PL_ENOTFOUND, "'README' is a file"},
		{"apps", PL_EINVAL, "is a folder, not a file"},
		{"", PL_EINVAL, "is a folder, not a file"},
		{"/apps", PL_EINVAL, "not a path"},
		{"apps/../README", PL_EINVAL, "not a path"},
		{"apps//web", PL_EINVAL, "not a path"},
		{"apps/", PL_EINVAL, "not a path"},
		{"out", PL_EDENIED, "'out' points to '../../etc/passwd', outside"},
		{"abs", PL_EDENIED, "'abs' points to '/etc/passwd', outside"},
		{"loop", PL_EDENIED, "more than 40 symbolic links"},
		{"dangling", PL_ENOTFOUND, "'gone' is absent"},
		{"lib", PL_EUNSUPPORTED, "'lib' is a submodule"},
		{"lib/x", PL_EUNSUPPORTED, "'lib' is a submodule"},
		{"apps/sneaky/x", PL_EDENIED, "outside"},
	};
	base(f, "r1");
	put_link(f, "r1/out", "../../etc/passwd");
	put_link(f, "r1/abs", "/etc/passwd");
	put_link(f, "r1/loop", "loop");
	put_link(f, "r1/dangling", "gone");
	put_link(f, "r1/apps/sneaky", "web/../../../x");
	put(f, "r1/lib.submodule/.keep", "");
	struct snapshot *s = snapshot(f, "r1");
	pl_tree *t = tree_new(s, NULL, f->arena);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		pl_str text;
		struct pl_err e = ERR_INIT;
		pl_status st = tree_read(t, str_of(cases[i].path), f->arena, &text, &e);
		if (st != cases[i].st || !strstr(pl_err_text(&e), cases[i].says))
			fail_msg("'%s': %d %s", cases[i].path, st, pl_err_text(&e));
		err_clear(&e);
	}
	snapshot_unref(s);
}

static void listings_are_in_byte_order_and_links_show_as_links(void **state)
{
	struct fix *f = *state;
	base(f, "r1");
	struct snapshot *s = snapshot(f, "r1");
	pl_tree *t = tree_new(s, NULL, f->arena);
	const pl_entry *v;
	size_t n;
	pl_str target;
	pl_entry at;
	assert_int_equal(tree_list(t, S("apps/web"), &v, &n, NULL), PL_OK);
	assert_int_equal(n, 3);
	assert_true(str_eqz(v[0].name, "a.yaml") && v[0].type == PL_FILE);
	assert_true(str_eqz(v[1].name, "link.yaml") && v[1].type == PL_LINK);
	assert_true(str_eqz(v[2].name, "sub") && v[2].type == PL_DIR);
	assert_int_equal(tree_readlink(t, S("apps/web/link.yaml"), f->arena, &target, NULL), PL_OK);
	assert_true(str_eqz(target, "../../base/d.yaml"));
	assert_int_equal(tree_stat(t, S("apps/web/link.yaml"), &at, NULL), PL_OK);
	assert_true(at.type == PL_FILE && at.id.n == 40);
	assert_int_equal(tree_stat(t, S(""), &at, NULL), PL_OK);
	assert_true(at.type == PL_DIR && at.id.n == 0);
	assert_int_equal(tree_list(t, S("README"), &v, &n, NULL), PL_EINVAL);
	assert_int_equal(tree_readlink(t, S("README"), f->arena, &target, NULL), PL_EINVAL);
	snapshot_unref(s);
}

static void the_real_path_has_no_links_and_says_why_there_is_none(void **state)
{
	struct fix *f = *state;
	static const struct {
		const char *path;
		pl_status st;
		const char *real; /* or what the error says */
	} cases[] = {
		{"", PL_OK, ""},
		{"apps/web", PL_OK, "apps/web"},
		{"apps/web/link.yaml", PL_OK, "base/d.yaml"},
		{"l/x/b.yaml", PL_OK, "apps/web/sub/b.yaml"},
		{"l/x", PL_OK, "apps/web/sub"},
		{"self", PL_OK, ""},
		{"self/l/up", PL_OK, "apps-x"},
		{"l/dots", PL_OK, "apps"},
		{"apps/none", PL_ENOTFOUND, "'apps/none'"},
		{"l/gone/x", PL_ENOTFOUND, "'nowhere' is absent"},
		{"README/x", PL_ENOTFOUND, "'README' is a file"},
		{"out", PL_EDENIED, "outside"},
		{"abs/passwd", PL_EDENIED, "outside"},
		{"loop/x", PL_EDENIED, "more than 40 symbolic links"},
		{"apps/../README", PL_EINVAL, "not a path"},
	};
	base(f, "r1");
	put(f, "r1/l/keep", "");
	put_link(f, "r1/l/x", "../apps/web/sub");
	put_link(f, "r1/l/up", "../l/../apps-x");
	put_link(f, "r1/l/dots", "../apps/web/..");
	put_link(f, "r1/l/gone", "../nowhere");
	put_link(f, "r1/self", ".");
	put_link(f, "r1/out", "../../etc");
	put_link(f, "r1/abs", "/etc");
	put_link(f, "r1/loop", "loop");
	struct snapshot *s = snapshot(f, "r1");
	pl_tree *t = tree_new(s, NULL, f->arena);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		pl_str real = {0};
		struct pl_err e = ERR_INIT;
		pl_status st = tree_real(t, str_of(cases[i].path), &real, &e);
		if (st != cases[i].st || (st ? !strstr(pl_err_text(&e), cases[i].real) : !str_eqz(real, cases[i].real)))
			fail_msg("'%s': %d '%.*s' %s", cases[i].path, st, F(real), pl_err_text(&e));
		err_clear(&e);
	}
	snapshot_unref(s);
}

static void a_real_path_is_looked_up_again_when_a_link_or_the_type_changes_not_the_content(void **state)
{
	struct fix *f = *state;
	static const struct {
		const char *path, *text; /* text NULL: a link */
		bool same;
	} cases[] = {{"base/d.yaml", "new", true}, {"apps/web/link.yaml", "new", false}, {"base/d.yaml", NULL, false}};
	base(f, "r1");
	struct snapshot *s1 = snapshot(f, "r1");
	struct trace *t = trace_new();
	pl_str real;
	assert_int_equal(tree_real(tree_new(s1, t, f->arena), S("apps/web/link.yaml"), &real, NULL), PL_OK);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char rev[16];
		bool same = false;
		snprintf(rev, sizeof(rev), "n%zu", i);
		base(f, rev);
		char *path = path_join(rev, cases[i].path);
		drop(f, path);
		if (cases[i].text)
			put(f, path, cases[i].text);
		else
			put_link(f, path, "../README");
		struct snapshot *s = snapshot(f, rev);
		assert_int_equal(trace_matches(t, s, &same, NULL), PL_OK);
		assert_int_equal(same, cases[i].same);
		snapshot_unref(s);
		free(path);
	}
	trace_free(t);
	snapshot_unref(s1);
}

/* What an application looks at: its folder's listing, its files, a link, something absent. */
static struct trace *look(struct fix *f, struct snapshot *s)
{
	struct trace *t = trace_new();
	pl_tree *tree = tree_new(s, t, f->arena);
	const pl_entry *v;
	size_t n;
	pl_str text;
	pl_entry at;
	assert_int_equal(tree_stat(tree, S("apps/web"), &at, NULL), PL_OK);
	assert_int_equal(tree_list(tree, S("apps/web"), &v, &n, NULL), PL_OK);
	assert_int_equal(tree_read(tree, S("apps/web/a.yaml"), f->arena, &text, NULL), PL_OK);
	assert_int_equal(tree_read(tree, S("apps/web/link.yaml"), f->arena, &text, NULL), PL_OK);
	assert_int_equal(tree_stat(tree, S("apps/web/kustomization.yaml"), &at, NULL), PL_ENOTFOUND);
	assert_int_equal(tree_stat(tree, S("extra/deep/x.yaml"), &at, NULL), PL_ENOTFOUND);
	return t;
}

static void a_trace_matches_until_something_looked_at_changes(void **state)
{
	struct fix *f = *state;
	static const struct {
		const char *what, *path, *text; /* text NULL: removed; "-> x": a link */
		bool same;
	} cases[] = {
		{"nothing", "unrelated", "", true},
		{"an unread file", "README", "new", true},
		{"a file below a folder whose listing was read", "apps/web/sub/b.yaml", "new", true},
		{"a neighbour that sorts between", "apps-x/c.yaml", "new", true},
		{"a file read", "apps/web/a.yaml", "new", false},
		{"the target of a link", "base/d.yaml", "new", false},
		{"the link", "apps/web/link.yaml", "-> ../../README", false},
		{"a file that appears in a listed folder", "apps/web/z.yaml", "", false},
		{"a file that leaves it", "apps/web/sub", NULL, false},
		{"the absent file", "apps/web/kustomization.yaml", "", false},
		{"the absent folder of an absent file", "extra/other", "", false},
		{"a folder that becomes a link", "extra", "-> apps", false},
		{"the folder of it all", "apps", NULL, false},
	};
	base(f, "r1");
	struct snapshot *s1 = snapshot(f, "r1");
	struct trace *t = look(f, s1);
	bool same = false;
	assert_int_equal(trace_matches(t, s1, &same, NULL), PL_OK);
	assert_true(same);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char rev[16];
		snprintf(rev, sizeof(rev), "n%zu", i);
		base(f, rev);
		char *path = path_join(rev, cases[i].path);
		if (!cases[i].text)
			drop(f, path);
		else if (!strncmp(cases[i].text, "-> ", 3))
			put_link(f, path, cases[i].text + 3);
		else
			put(f, path, cases[i].text);
		struct snapshot *s = snapshot(f, rev);
		assert_int_equal(trace_matches(t, s, &same, NULL), PL_OK);
		if (same != cases[i].same)
			fail_msg("after a change of %s it says %d", cases[i].what, same);
		snapshot_unref(s);
		free(path);
	}
	trace_free(t);
	snapshot_unref(s1);
}

/* ---- a trace is right whatever the tree, the looks and the change ---- */

struct dice {
	uint64_t state;
};

static unsigned roll(struct dice *d, unsigned sides)
{
	d->state = d->state * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(d->state >> 33) % sides;
}

static const char *const steps[] = {"a", "b", "c"};

/* A path of up to deep steps. */
static char *random_path(struct dice *d, unsigned deep)
{
	struct buf b = BUF_INIT(256);
	unsigned n = 1 + roll(d, deep);
	for (unsigned i = 0; i < n; i++)
		buf_addf(&b, "%s%s", i ? "/" : "", steps[roll(d, 3)]);
	return buf_detach(&b, NULL);
}

/* Without waiting for the disk. */
static void put_soon(const struct fix *f, const char *folder, const char *path, const char *text)
{
	char *dir = folder ? path_join(f->dir, folder) : NULL, *full = path_join(f->dir, path);
	if (dir)
		assert_int_equal(mkdir(dir, 0755), 0);
	FILE *file = fopen(full, "w");
	assert_non_null(file);
	fputs(text, file);
	assert_int_equal(fclose(file), 0);
	free(dir);
	free(full);
}

/* One change: removes what is there, then perhaps puts a file, a folder with a file, or a link in its place. */
static void change(const struct fix *f, const char *rev, struct dice *d, bool links)
{
	static const char *const targets[] = {"a",	     "b/c", "../a", "../b/c",  "a/../b",
					      "../c/../a/b", ".",   "c/.",  "../../a", "b/.."};
	static const char *const texts[] = {"one", "two"};
	char *inner = random_path(d, 3), *path = path_join(rev, inner), *full = path_join(f->dir, path);
	char *dir = path_dir(full), *below = path_join(path, steps[roll(d, 3)]);
	file_remove_tree(full, NULL);
	unsigned what = roll(d, links ? 5 : 4);
	if (what && file_mkdirs(dir, 0755, NULL) == PL_OK) {
		if (what == 1)
			put_soon(f, path, below, texts[roll(d, 2)]);
		else if (what < 4)
			put_soon(f, NULL, path, texts[roll(d, 2)]);
		else
			put_link(f, path, targets[roll(d, sizeof(targets) / sizeof(targets[0]))]);
	}
	free(inner);
	free(path);
	free(full);
	free(dir);
	free(below);
}

/* Both revisions by the same steps, the second with some changes more. */
static void two_revisions(const struct fix *f, unsigned round, uint64_t seed, bool links, char rev[2][16])
{
	for (int i = 0; i < 2; i++) {
		struct dice d = {seed};
		snprintf(rev[i], 16, "%c%u", "xy"[i], round);
		char *keep = path_join(rev[i], "keep");
		put_soon(f, rev[i], keep, "");
		free(keep);
		for (int k = 0; k < 12; k++)
			change(f, rev[i], &d, links);
		for (unsigned k = i ? 1 + roll(&d, 2) : 0; k > 0; k--)
			change(f, rev[i], &d, links);
	}
}

/* What a plugin that looks around by these dice is told. */
static void look_around(const struct fix *f, struct snapshot *s, struct trace *t, uint64_t seed, struct buf *told)
{
	struct dice d = {seed};
	pl_tree *tree = tree_new(s, t, f->arena);
	for (unsigned n = 1 + roll(&d, 4); n > 0; n--) {
		struct pl_err e = ERR_INIT;
		unsigned op = roll(&d, 4);
		char *path = random_path(&d, 4);
		const pl_entry *v = NULL;
		pl_entry entry = {0};
		pl_str text = {0};
		size_t k = 0;
		pl_status st = op == 0	 ? tree_stat(tree, str_of(path), &entry, &e)
			       : op == 1 ? tree_list(tree, str_of(path), &v, &k, &e)
			       : op == 2 ? tree_read(tree, str_of(path), f->arena, &text, &e)
					 : tree_readlink(tree, str_of(path), f->arena, &text, &e);
		buf_addf(told, "%u %s: %d %s [%.*s] %u %u %.*s %.*s", op, path, (int)st, st ? pl_err_text(&e) : "",
			 F(text), entry.type, entry.executable, F(entry.name), F(entry.id));
		for (size_t i = 0; i < k; i++)
			buf_addf(told, " %u:%.*s", v[i].type, F(v[i].name));
		buf_addc(told, '\n');
		err_clear(&e);
		free(path);
	}
}

/* Links that lead to the same end by another way are looked at again: that alone may be more than was needed. */
static void a_render_is_repeated_exactly_when_it_would_see_something_else(void **state)
{
	struct fix *f = *state;
	unsigned same_told[2] = {0}, other_told[2] = {0}, extra = 0;
	for (unsigned round = 0; round < 400; round++) {
		bool links = round % 2, same = false;
		char rev[2][16];
		two_revisions(f, round, round / 2 * 77 + 1, links, rev);
		struct snapshot *a = snapshot(f, rev[0]), *b = snapshot(f, rev[1]);
		for (uint64_t seed = 1; seed <= 12; seed++) {
			struct trace *t = trace_new(), *packed = NULL;
			struct buf x = BUF_INIT(1 << 20), y = BUF_INIT(1 << 20), p = BUF_INIT(1 << 20);
			look_around(f, a, t, seed * 1001 + round, &x);
			look_around(f, b, NULL, seed * 1001 + round, &y);
			trace_pack(t, &p);
			assert_int_equal(trace_unpack(buf_str(&p), &packed, NULL), PL_OK);
			assert_int_equal(trace_matches(packed, b, &same, NULL), PL_OK);
			bool told = str_eq(buf_str(&x), buf_str(&y));
			if (same && !told)
				fail_msg("round %u: unseen change:\n%s---\n%s", round, x.p, y.p);
			if (!same && told && !links)
				fail_msg("round %u: repeated for nothing:\n%s", round, x.p);
			extra += !same && told;
			(told ? same_told : other_told)[links]++;
			trace_free(t);
			trace_free(packed);
			buf_free(&x);
			buf_free(&y);
			buf_free(&p);
		}
		snapshot_unref(a);
		snapshot_unref(b); /* the folders stay: the source finds content by its id */
	}
	/* The dice have fallen on all sides. */
	assert_true(same_told[0] > 300 && same_told[1] > 300 && other_told[0] > 300 && other_told[1] > 300);
	assert_true(extra * 10 < same_told[1]);
}

static void hex_of(const struct trace *t, char to[HASH_TEXT])
{
	struct hash *h = hash_new();
	uint8_t sum[HASH_SIZE];
	trace_digest(t, h);
	hash_end(h, sum);
	hash_hex(sum, to);
}

static void the_digest_knows_looks_not_their_order_or_unread_neighbours(void **state)
{
	struct fix *f = *state;
	char a[HASH_TEXT], b[HASH_TEXT], c[HASH_TEXT];
	pl_str text;
	base(f, "r1");
	base(f, "r2");
	put(f, "r2/apps/web/sub/b.yaml", "changed, unread");
	struct snapshot *s1 = snapshot(f, "r1"), *s2 = snapshot(f, "r2");
	struct trace *x = look(f, s1), *y = look(f, s2), *z = trace_new();
	hex_of(x, a);
	hex_of(y, b);
	assert_string_equal(a, b);
	pl_tree *tree = tree_new(s1, z, f->arena);
	assert_int_equal(tree_read(tree, S("base/d.yaml"), f->arena, &text, NULL), PL_OK);
	assert_int_equal(tree_read(tree, S("apps/web/a.yaml"), f->arena, &text, NULL), PL_OK);
	assert_int_equal(trace_len(z), 2);
	hex_of(z, c);
	assert_string_not_equal(a, c);
	struct trace *w = trace_new();
	tree = tree_new(s1, w, f->arena);
	assert_int_equal(tree_read(tree, S("apps/web/a.yaml"), f->arena, &text, NULL), PL_OK);
	assert_int_equal(tree_read(tree, S("base/d.yaml"), f->arena, &text, NULL), PL_OK);
	hex_of(w, a);
	assert_string_equal(a, c);
	trace_free(w);
	trace_free(x);
	trace_free(y);
	trace_free(z);
	snapshot_unref(s1);
	snapshot_unref(s2);
}

static void a_packed_trace_comes_back_and_damage_is_noticed(void **state)
{
	struct fix *f = *state;
	base(f, "r1");
	struct snapshot *s = snapshot(f, "r1");
	struct trace *t = look(f, s), *back = NULL;
	struct buf b = BUF_INIT(1 << 20);
	char x[HASH_TEXT], y[HASH_TEXT];
	trace_pack(t, &b);
	assert_int_equal(trace_unpack(buf_str(&b), &back, NULL), PL_OK);
	assert_int_equal(trace_len(back), trace_len(t));
	hex_of(t, x);
	hex_of(back, y);
	assert_string_equal(x, y);
	trace_free(back);
	for (size_t n = 0; n < b.n; n++)
		assert_int_equal(trace_unpack((pl_str){b.p, n}, &back, NULL), PL_EINVAL);
	for (size_t i = 0; i < b.n; i++) {
		b.p[i] = (char)(b.p[i] ^ 0x41);
		assert_int_equal(trace_unpack(buf_str(&b), &back, NULL), PL_EINVAL);
		b.p[i] = (char)(b.p[i] ^ 0x41);
	}
	buf_free(&b);
	trace_free(t);
	snapshot_unref(s);
}

struct reader_thread {
	struct fix *f;
	struct snapshot *s;
};

static void *read_everything(void *arg)
{
	struct reader_thread *r = arg;
	for (int i = 0; i < 20; i++) {
		struct arena *a = arena_new();
		struct trace *t = trace_new();
		pl_tree *tree = tree_new(r->s, t, a);
		pl_str text;
		bool same = false;
		if (tree_read(tree, S("apps/web/link.yaml"), a, &text, NULL) ||
		    tree_read(tree, S("apps/web/sub/b.yaml"), a, &text, NULL) || trace_matches(t, r->s, &same, NULL) ||
		    !same)
			abort();
		trace_free(t);
		arena_free(a);
	}
	return NULL;
}

static void threads_share_a_snapshot_and_each_folder_is_listed_once(void **state)
{
	struct fix *f = *state;
	base(f, "r1");
	struct snapshot *s = snapshot(f, "r1");
	struct reader_thread r = {f, s};
	pthread_t v[4];
	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&v[i], NULL, read_everything, &r), 0);
	for (int i = 0; i < 4; i++)
		pthread_join(v[i], NULL);
	/* the root, apps, apps/web, apps/web/sub, base */
	assert_int_equal(*f->lists, 5);
	snapshot_unref(s);
}

static void a_thousand_traces_of_an_unchanged_folder_cost_no_listing_of_it(void **state)
{
	struct fix *f = *state;
	base(f, "r1");
	base(f, "r2");
	put(f, "r2/README", "new");
	struct snapshot *s1 = snapshot(f, "r1"), *s2 = snapshot(f, "r2");
	struct trace *t = look(f, s1);
	bool same = false;
	*f->lists = 0;
	for (int i = 0; i < 1000; i++)
		assert_int_equal(trace_matches(t, s2, &same, NULL), PL_OK);
	assert_true(same);
	assert_int_equal(*f->lists, 1); /* the root tells that apps and base are as they were */
	trace_free(t);
	snapshot_unref(s1);
	snapshot_unref(s2);
}

static void remote_operations_in_the_process_answer_and_fail_with_their_place(void **state)
{
	struct fix *f = *state;
	pl_str wanted[] = {S_INIT("main"), S_INIT("absent")};
	struct source_revision out[2];
	assert_int_equal(source_resolve(f->source, wanted, 2, 1000, NULL, f->arena, out, NULL), PL_OK);
	assert_true(out[0].status == PL_OK && out[0].id.n == 40);
	assert_true(out[1].status == PL_ENOTFOUND && str_eqz(out[1].error, "no such branch"));
	static const struct {
		const char *wanted;
		pl_status st;
		const char *says;
	} cases[] = {
		{"fail", PL_EUNAVAILABLE, "repo.yaml:4:7: folder: nobody is at home"},
		{"silent", PL_EPLUGIN, "did not say why"},
		{"noid", PL_EPLUGIN, "not 40 or 64 hex digits"},
		{"wait", PL_ETIMEOUT, "told to stop"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct pl_err e = ERR_INIT;
		pl_str one = str_of(cases[i].wanted);
		assert_int_equal(source_resolve(f->source, &one, 1, 50, NULL, f->arena, out, &e), cases[i].st);
		if (!strstr(pl_err_text(&e), cases[i].says))
			fail_msg("%s", pl_err_text(&e));
		err_clear(&e);
	}
	pl_revision_info info;
	assert_int_equal(source_describe(f->source, S("x"), f->arena, &info, NULL), PL_OK);
	assert_int_equal(info.time, 1700000000);
	put(f, "r1/x", "");
	assert_true(source_has(f->source, S("r1")));
	assert_false(source_has(f->source, S("r2")));
}

static void a_folder_on_disk_is_a_tree_without_ways_out(void **state)
{
	struct fix *f = *state;
	base(f, "r1");
	put_link(f, "r1/out", "/etc/hostname");
	put_link(f, "r1/above", "../r1/README");
	char *dir = path_join(f->dir, "r1"), *name = path_join(dir, "README");
	struct snapshot *s = NULL;
	pl_str text;
	const pl_entry *v;
	size_t n;
	pl_entry before, after;
	assert_int_equal(snapshot_of_folder(dir, &s, NULL), PL_OK);
	struct trace *t = trace_new();
	pl_tree *tree = tree_new(s, t, f->arena);
	assert_int_equal(tree_read(tree, S("apps/web/link.yaml"), f->arena, &text, NULL), PL_OK);
	assert_true(str_eqz(text, "base/d.yaml"));
	assert_int_equal(tree_read(tree, S("out"), f->arena, &text, NULL), PL_EDENIED);
	assert_int_equal(tree_read(tree, S("above"), f->arena, &text, NULL), PL_EDENIED);
	assert_int_equal(tree_list(tree, S(""), &v, &n, NULL), PL_OK);
	assert_int_equal(n, 6);
	assert_int_equal(tree_stat(tree, S("README"), &before, NULL), PL_OK);
	before.id = arena_dup(f->arena, before.id);
	/* A link put in the place of a listed folder is not followed. */
	drop(f, "r1/base");
	put_link(f, "r1/base", "../..");
	assert_int_equal(tree_read(tree, S("base/d.yaml"), f->arena, &text, NULL), PL_ENOTFOUND);
	snapshot_unref(s);
	trace_free(t);
	put(f, "r1/README", "other");
	assert_int_equal(snapshot_of_folder(dir, &s, NULL), PL_OK);
	tree = tree_new(s, NULL, f->arena);
	assert_int_equal(tree_stat(tree, S("README"), &after, NULL), PL_OK);
	assert_false(str_eq(before.id, after.id));
	snapshot_unref(s);
	struct pl_err e = ERR_INIT;
	assert_int_equal(snapshot_of_folder("/no/such", &s, &e), PL_ENOTFOUND);
	err_clear(&e);
	free(name);
	free(dir);
}

int main(void)
{
#define T(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		T(files_are_read_through_folders_and_links),
		T(what_can_t_be_read_says_why),
		T(listings_are_in_byte_order_and_links_show_as_links),
		T(the_real_path_has_no_links_and_says_why_there_is_none),
		T(a_real_path_is_looked_up_again_when_a_link_or_the_type_changes_not_the_content),
		T(a_trace_matches_until_something_looked_at_changes),
		T(a_render_is_repeated_exactly_when_it_would_see_something_else),
		T(the_digest_knows_looks_not_their_order_or_unread_neighbours),
		T(a_packed_trace_comes_back_and_damage_is_noticed),
		T(threads_share_a_snapshot_and_each_folder_is_listed_once),
		T(a_thousand_traces_of_an_unchanged_folder_cost_no_listing_of_it),
		T(remote_operations_in_the_process_answer_and_fail_with_their_place),
		T(a_folder_on_disk_is_a_tree_without_ways_out),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
