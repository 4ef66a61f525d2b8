/* SPDX-License-Identifier: Apache-2.0 */
/* plumb.yaml: what it means, and every mistake with its place. */
#include "core/config/config.h"

#include "core/base/file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <unistd.h>

#include <cmocka.h>

struct fix {
	char dir[64];
	char start[4096];
	struct err_list errors;
	struct config *c;
};

/* Tests stand in a folder of their own, so that places are short. */
static int setup(void **state)
{
	struct fix *f = calloc(1, sizeof *f);
	snprintf(f->dir, sizeof f->dir, "/tmp/plumb-config-XXXXXX");
	*state = f;
	return !getcwd(f->start, sizeof f->start) || !mkdtemp(f->dir) || chdir(f->dir);
}

static int teardown(void **state)
{
	struct fix *f = *state;
	config_unref(f->c);
	err_list_free(&f->errors);
	int st = chdir(f->start) || file_remove_tree(f->dir, NULL);
	free(f);
	return st;
}

static void put(const char *name, const char *text)
{
	char *dir = path_dir(name);
	assert_int_equal(file_mkdirs(dir, 0700, NULL), PL_OK);
	free(dir);
	assert_int_equal(file_write(name, str_of(text), 0600, NULL), PL_OK);
}

static const struct config_root *read_it(struct fix *f, const char *text)
{
	config_unref(f->c);
	err_list_free(&f->errors);
	f->errors = (struct err_list){0};
	put("plumb.yaml", text);
	f->c = config_read("plumb.yaml", &f->errors);
	return f->c ? config_get(f->c) : NULL;
}

static const struct config_root *read_ok(struct fix *f, const char *text)
{
	const struct config_root *r = read_it(f, text);
	if (f->errors.n)
		fail_msg("%s", pl_err_text(&f->errors.v[0]));
	assert_non_null(r);
	return r;
}

static void same_at(pl_str got, const char *want, int line)
{
	if (!str_eqz(got, want))
		fail_msg("line %d: got '%.*s', want '%s'", line, F(got), want);
}
#define SAME(got, want) same_at((got), (want), __LINE__)

/* The errors, one a line. */
static void expect_errors(struct fix *f, const char *want)
{
	struct buf b = BUF_INIT(1 << 20);
	for (size_t i = 0; i < f->errors.n; i++)
		buf_addf(&b, "%s\n", pl_err_text(&f->errors.v[i]));
	buf_addz(&b, "");
	if (strcmp(b.p ? b.p : "", want) != 0)
		fail_msg("got:\n%swant:\n%s", b.p ? b.p : "(none)\n", want);
	buf_free(&b);
}

#define HEAD                                                                                                           \
	"sources: {shop: {git: {url: https://example.org/shop.git}}}\n"                                                \
	"targets: {here: {directory: {path: ./live}}}\n"
#define APP "applications:\n- name: web\n  source: shop\n  target: here\n"

/* ---- meaning ---- */

static void the_page_of_the_interface_is_read(void **state)
{
	struct fix *f = *state;
	setenv("HOME", "/home/ann", 1);
	put("apps.d/none.txt", "never: read");
	const struct config_root *r = read_ok(
		f, "pollInterval: 1h30m\n"
		   "stateDir: ./var/../state\n"
		   "pluginPath: [./vendor-plugins, ~/plugins]\n"
		   "plugins:\n"
		   "  acme-cue: {isolate: process, sha256: "
		   "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08, grant: [network]}\n"
		   "listen: 127.0.0.1:7586\n"
		   "sources:\n"
		   "  shop: {git: {url: https://git.example.org/shop.git, revision: main}}\n"
		   "  platform: {oci: {url: oci://registry.example.org/platform, tag: v1}}\n"
		   "targets:\n"
		   "  here: {directory: {path: ./live}}\n"
		   "  prod: {kubernetes: {context: prod}}\n"
		   "applications:\n"
		   "  - name: shop-prod\n"
		   "    source: shop\n"
		   "    path: /apps//shop/./overlays/prod/\n"
		   "    render: [kustomize, {lua: {script: x.lua}}]\n"
		   "    target: prod\n"
		   "    namespace: shop\n"
		   "    sync: {automated: yes, prune: true, selfHeal: on, retry: {limit: 3}}\n"
		   "    health: [scripts/health, /etc/health]\n"
		   "    deletion: cascade\n"
		   "  - {name: plain, source: [platform], target: here, revision: v2, render: yaml, suspend: true,\n"
		   "     health: one}\n"
		   "include: [apps.d/*.yaml]\n");
	char want[128];
	assert_int_equal(r->poll_ms, 90 * 60 * 1000);
	SAME(r->listen, "127.0.0.1:7586");
	assert_int_equal(r->n_plugin_path, 2);
	snprintf(want, sizeof want, "%s/vendor-plugins", f->dir);
	SAME(r->plugin_path[0], want);
	SAME(r->plugin_path[1], "/home/ann/plugins");
	snprintf(want, sizeof want, "%s/plumb.yaml", f->dir);
	SAME(r->path, want);
	assert_int_equal(r->n_plugins, 1);
	SAME(r->plugins[0].name, "acme-cue");
	SAME(r->plugins[0].isolate, "process");
	assert_int_equal(r->plugins[0].sha256.n, 64);
	assert_int_equal(r->plugins[0].n_grant, 1);
	SAME(r->plugins[0].grant[0], "network");
	assert_int_equal(r->n_sources, 2);
	SAME(r->sources[0].use.plugin, "git");
	SAME(r->sources[0].revision, "main");
	SAME(pl_text(pl_gets(r->sources[0].use.options, "url")), "https://git.example.org/shop.git");
	assert_int_equal(r->n_targets, 2);
	assert_int_equal(r->n_apps, 2);
	const struct config_app *a = config_app(f->c, S("shop-prod"));
	assert_ptr_equal(a, &r->apps[0]);
	assert_ptr_equal(a->source, &r->sources[0]);
	assert_ptr_equal(a->target, &r->targets[1]);
	SAME(a->path, "apps/shop/overlays/prod");
	SAME(a->revision, "main");
	SAME(a->ns, "shop");
	assert_int_equal(a->n_render, 2);
	SAME(a->render[0].plugin, "kustomize");
	assert_null(a->render[0].options);
	SAME(a->render[1].plugin, "lua");
	SAME(pl_text(pl_gets(a->render[1].options, "script")), "x.lua");
	assert_true(a->sync.automated && a->sync.prune && a->sync.self_heal && !a->sync.allow_empty);
	assert_int_equal(a->sync.retry_limit, 3);
	assert_int_equal(a->sync.timeout_ms, 15 * 60 * 1000);
	assert_int_equal(a->sync.retry_base_ms, 5000);
	assert_int_equal(a->sync.retry_max_ms, 180000);
	assert_int_equal(a->n_health, 2);
	snprintf(want, sizeof want, "%s/scripts/health", f->dir);
	SAME(a->health[0], want);
	SAME(a->health[1], "/etc/health");
	assert_int_equal(a->deletion, DELETION_CASCADE);
	assert_int_equal(a->at.line, 14);
	assert_int_equal(a->at.col, 5);
	a = config_app(f->c, S("plain"));
	SAME(a->revision, "v2");
	SAME(a->path, "");
	assert_int_equal(a->n_render, 1);
	assert_int_equal(a->n_health, 1);
	assert_true(a->suspend && !a->sync.automated);
	assert_int_equal(a->sync.retry_limit, -1);
	assert_int_equal(a->deletion, DELETION_ORPHAN);
	assert_null(config_app(f->c, S("nobody")));
	assert_string_equal(config_dir(f->c, a->at), f->dir);
}

static void an_empty_file_has_the_defaults(void **state)
{
	struct fix *f = *state;
	char want[128];
	snprintf(want, sizeof want, "%s/state", f->dir);
	static const char *const texts[] = {"", "# nothing\n", "{}", "sources:\ntargets:\napplications:\ninclude:\n"};
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		const struct config_root *r = read_ok(f, texts[i]);
		assert_int_equal(r->poll_ms, 180000);
		SAME(r->state_dir, want);
		assert_int_equal(r->listen.n, 0);
		assert_int_equal(r->n_apps + r->n_sources + r->n_targets + r->n_plugin_path, 0);
	}
}

/* ---- mistakes ---- */

struct wrong {
	const char *yaml;
	const char *errors;
};

static const struct wrong wrongs[] = {
	{"pollIntervall: 3m\n",
	 "plumb.yaml:1:1: unknown key 'pollIntervall' in the config (did you mean 'pollInterval'?)\n"},
	{"pollInterval: fast\n", "plumb.yaml:1:15: 'pollInterval' must be a duration above zero, not \"fast\" (write "
				 "it like 30s, 3m or 1h30m)\n"},
	{"pollInterval: 0\n",
	 "plumb.yaml:1:15: 'pollInterval' must be a duration above zero, not \"0\" (write it like 30s, 3m or 1h30m)\n"},
	{"pollInterval: [1]\n",
	 "plumb.yaml:1:15: 'pollInterval' must be a duration like 30s, 3m or 1h30m, not a list\n"},
	{"- a\n", "plumb.yaml:1:1: the config must be a map, not a list\n"},
	{"listen: 7586\n", "plumb.yaml:1:9: 'listen' must be a text, not a number (quote it: \"7586\")\n"},
	{"listen: \":7586\"\n",
	 "plumb.yaml:1:9: 'listen' must be HOST:PORT, not \":7586\" (127.0.0.1:7586 for this machine only, "
	 "0.0.0.0:7586 for all)\n"},
	{"listen: \"[::1]:70000\"\n",
	 "plumb.yaml:1:9: 'listen' must be HOST:PORT, not \"[::1]:70000\" (127.0.0.1:7586 for this "
	 "machine only, 0.0.0.0:7586 for all)\n"},
	{"stateDir: ''\n", "plumb.yaml:1:11: 'stateDir' is empty\n"},
	{"stateDir: \"a\\nb\"\n", "plumb.yaml:1:11: 'stateDir' has a line break or another control character in it\n"},
	{"plugins: {x: {isolate: proces}}\n",
	 "plumb.yaml:1:24: 'isolate' must be 'none' or 'process', not 'proces' (did you mean 'process'?)\n"},
	{"plugins: {x: {sha256: abc}}\n", "plumb.yaml:1:23: 'sha256' must be 64 lower-case hex digits\n"},
	{"plugins: {../x: }\n",
	 "plumb.yaml:1:11: '../x' can't be a plugin name (lower-case letters, digits, '-' and '.', at most "
	 "253, a letter or digit at both ends)\n"},
	{"sources: [a]\n", "plumb.yaml:1:10: 'sources' must be a map of names, not a list\n"},
	{"sources: {a: git}\n",
	 "plumb.yaml:1:14: 'source' must be a map of a plugin's name and its options, not a text\n"},
	{"sources: {a: {}}\n", "plumb.yaml:1:14: 'source' must name one plugin, not 0\n"},
	{"sources: {a: {git: {}, oci: {}}}\n", "plumb.yaml:1:24: 'source' must name one plugin, not 2\n"},
	{"sources: {a: {git: x}}\n", "plumb.yaml:1:20: 'git' must be a map of options, not a text\n"},
	{"sources: {a: {git: {revision: 1.10}}}\n",
	 "plumb.yaml:1:31: 'revision' must be a text, not a number (quote it: \"1.10\")\n"},
	{"sources: {A_b: {git: {}}}\n",
	 "plumb.yaml:1:11: 'A_b' can't be a source name (lower-case letters, digits, '-' and '.', at "
	 "most 253, a letter or digit at both ends)\n"},
	{"sources: {a: {git: {}}, a: {git: {}}}\n", NULL}, /* the reader's own text, checked below */
	{"applications: {web: {}}\n",
	 "plumb.yaml:1:15: 'applications' must be a list, not a map (write '- name: …' for each)\n"},
	{"applications: [web]\n", "plumb.yaml:1:16: application must be a map, not a text\n"},
	{"applications: [{}]\n", "plumb.yaml:1:16: application needs 'name'\n"
				 "plumb.yaml:1:16: application needs 'source'\n"
				 "plumb.yaml:1:16: application needs 'target'\n"},
	{HEAD APP "  path: apps/../../etc\n", "plumb.yaml:7:9: 'path' must not climb with '..': \"apps/../../etc\"\n"},
	{HEAD APP "  pth: x\n", "plumb.yaml:7:3: unknown key 'pth' in application (did you mean 'path'?)\n"},
	{HEAD APP "  revision: 12345\n",
	 "plumb.yaml:7:13: 'revision' must be a text, not a number (quote it: \"12345\")\n"},
	{HEAD APP "  namespace: a.b\n",
	 "plumb.yaml:7:14: 'a.b' can't be a namespace (lower-case letters, digits and '-', at most 63, a "
	 "letter or digit at both ends)\n"},
	{HEAD APP "  sync: true\n", "plumb.yaml:7:9: sync must be a map, not true or false\n"},
	{HEAD APP "  sync: {automated: {}, selfheal: true}\n",
	 "plumb.yaml:7:21: 'automated' must be true or false, not a map\n"
	 "plumb.yaml:7:25: unknown key 'selfheal' in sync (did you mean 'selfHeal'?)\n"},
	{HEAD APP "  sync: {retry: {limit: many, backoff: {duration: -1s}}}\n",
	 "plumb.yaml:7:25: 'limit' must be a whole number, not a text\n"
	 "plumb.yaml:7:51: 'duration' must be a duration above zero, not \"-1s\" (write it like 30s, 3m or 1h30m)\n"},
	{HEAD APP "  render: {a: {}, b: {}}\n",
	 "plumb.yaml:7:19: 'render' must name one plugin, not 2 (write several steps as a list)\n"},
	{HEAD APP "  render: [yaml, 3]\n",
	 "plumb.yaml:7:18: 'render' must be a plugin's name, or a map of its name and its options, not a number\n"},
	{HEAD APP "  hooks: {preSync: a.lua}\n", "plumb.yaml:7:10: hooks are not supported by this version\n"},
	{HEAD APP "  deletion: cascad\n",
	 "plumb.yaml:7:13: 'deletion' must be 'orphan' or 'cascade', not 'cascad' (did you mean 'cascade'?)\n"},
	{HEAD "applications: [{name: web, source: [shop, shop], target: here}]\n",
	 "plumb.yaml:3:43: more than one source is not supported by this version\n"},
	{HEAD "applications: [{name: 'a:b', source: shop, target: here}]\n",
	 "plumb.yaml:3:23: 'a:b' can't be a name (lower-case letters, digits, '-' and '.', at most 253, a letter or "
	 "digit at both "
	 "ends)\n"},
	{HEAD "applications: [{name: web, source: shp, target: production}]\n",
	 "plumb.yaml:3:36: application 'web': unknown source 'shp' (did you mean 'shop'?)\n"
	 "plumb.yaml:3:49: application 'web': unknown target 'production' (have: here)\n"},
	{"applications: [{name: web, source: shop, target: here}]\n",
	 "plumb.yaml:1:36: application 'web': unknown source 'shop' (there is no source in the config)\n"
	 "plumb.yaml:1:50: application 'web': unknown target 'here' (there is no target in the config)\n"},
	{HEAD APP "- name: web\n  source: shop\n  target: here\n",
	 "plumb.yaml:7:3: application 'web' is defined twice, first at plumb.yaml:4:3\n"},
	{"include: nowhere.yaml\nlisten: x\n",
	 "plumb.yaml:1:10: include: open 'nowhere.yaml': No such file or directory\n"
	 "plumb.yaml:2:9: 'listen' must be HOST:PORT, not \"x\" (127.0.0.1:7586 for this machine only, 0.0.0.0:7586 "
	 "for all)\n"},
	{"{}\n---\n{}\n", "plumb.yaml:3:1: the settings stand in more than one document of the main config file\n"},
	{"apiVersion: v1\nkind: Secret\n",
	 "plumb.yaml:1:1: apiVersion 'v1', kind 'Secret' is not an Application that plumb knows "
	 "(plumb.dev/v1 and argoproj.io/v1alpha1 are read)\n"},
};

static void every_mistake_is_told_with_its_place(void **state)
{
	struct fix *f = *state;
	for (size_t i = 0; i < sizeof wrongs / sizeof *wrongs; i++) {
		assert_null(read_it(f, wrongs[i].yaml));
		if (wrongs[i].errors)
			expect_errors(f, wrongs[i].errors);
		else
			assert_int_equal(f->errors.n, 1);
	}
}

static void a_home_that_is_not_set_is_told(void **state)
{
	struct fix *f = *state;
	unsetenv("HOME");
	assert_null(read_it(f, "stateDir: ~/state\n"));
	expect_errors(f, "plumb.yaml:1:11: 'stateDir' starts with '~', and HOME is not set\n");
}

static void a_missing_main_file_is_told(void **state)
{
	struct fix *f = *state;
	f->c = config_read("nowhere/plumb.yaml", &f->errors);
	assert_null(f->c);
	expect_errors(f, "open 'nowhere/plumb.yaml': No such file or directory\n");
}

static void many_mistakes_are_counted_past_the_limit(void **state)
{
	struct fix *f = *state;
	struct buf b = BUF_INIT(1 << 20);
	for (int i = 0; i < 80; i++)
		buf_addf(&b, "wrong%d: 1\n", i);
	assert_null(read_it(f, b.p));
	assert_int_equal(f->errors.n, 50);
	assert_int_equal(f->errors.more, 30);
	buf_free(&b);
}

/* ---- includes ---- */

static void includes_are_read_in_order_and_once(void **state)
{
	struct fix *f = *state;
	put("apps.d/b.yaml", "applications: [{name: bb, source: shop, target: far, health: scripts}]\n"
			     "include: [a.yaml, ../plumb.yaml, 'sub/?.yaml']\n");
	put("apps.d/a.yaml",
	    "applications: [{name: aa, source: shop, target: far}]\ntargets: {far: {directory: {path: far}}}\n");
	put("apps.d/sub/c.yaml", "apiVersion: plumb.dev/v1\nkind: Application\nmetadata: {name: cc, labels: {a: b}}\n"
				 "spec: {source: shop, target: here, path: x}\n---\n---\n"
				 "kind: List\napiVersion: v1\nitems:\n- apiVersion: plumb.dev/v1\n  kind: Application\n"
				 "  metadata: {name: dd}\n  spec: {source: shop, target: here}\n");
	const struct config_root *r = read_ok(f, HEAD "include: apps.d/*.yaml\n");
	assert_int_equal(r->n_broken_includes, 0);
	assert_int_equal(r->n_apps, 4);
	SAME(r->apps[0].name, "aa");
	SAME(r->apps[1].name, "bb");
	SAME(r->apps[2].name, "cc");
	SAME(r->apps[2].path, "x");
	SAME(r->apps[3].name, "dd");
	char want[128];
	snprintf(want, sizeof want, "%s/apps.d/scripts", f->dir);
	SAME(r->apps[1].health[0], want);
	snprintf(want, sizeof want, "%s/apps.d", f->dir);
	assert_string_equal(config_dir(f->c, r->targets[1].at), want);
	assert_string_equal(r->targets[1].at.file, "apps.d/a.yaml");
}

static void a_broken_include_does_not_stop_the_rest(void **state)
{
	struct fix *f = *state;
	put("apps.d/1.yaml", "applications: [{name: one, source: shop, target: here}]\n");
	put("apps.d/2.yaml", "applications: [{name: two,\n");
	put("apps.d/3.yaml",
	    "applications: [{name: three, source: shop, target: here, pth: x}]\ntargets: {three: {directory: {}}}\n");
	put("apps.d/4.yaml", "stateDir: x\n");
	put("apps.d/5.yaml", "applications: [{name: five, source: shop, target: three}]\n");
	put("apps.d/6.yaml", "applications: [{name: main, source: shop, target: here}]\n");
	const struct config_root *r = read_it(
		f,
		HEAD "applications: [{name: main, source: shop, target: here}]\ninclude: [apps.d/*.yaml, gone.yaml]\n");
	assert_non_null(r);
	assert_int_equal(r->n_apps, 2);
	SAME(r->apps[0].name, "main");
	SAME(r->apps[1].name, "one");
	assert_int_equal(r->n_targets, 1);
	assert_int_equal(r->n_broken_includes, 6);
	SAME(r->broken_includes[0], "apps.d/2.yaml");
	SAME(r->broken_includes[1], "apps.d/3.yaml");
	SAME(r->broken_includes[2], "apps.d/4.yaml");
	SAME(r->broken_includes[3], "apps.d/5.yaml");
	SAME(r->broken_includes[4], "apps.d/6.yaml");
	SAME(r->broken_includes[5], "gone.yaml");
	assert_int_equal(f->errors.n, 6);
	static const char *const told[] = {
		[0] = "plumb.yaml:4:26: include: open 'gone.yaml': No such file or directory",
		[2] = "apps.d/3.yaml:1:58: unknown key 'pth' in application (did you mean 'path'?)",
		[3] = "apps.d/4.yaml:1:1: 'stateDir' can only stand in the main config file",
		[4] = "apps.d/5.yaml:1:51: application 'five': unknown target 'three' (it stands in 'apps.d/3.yaml', "
		      "which has mistakes)",
		[5] = "apps.d/6.yaml:1:16: application 'main' is defined twice, first at plumb.yaml:3:16",
	};
	for (size_t i = 0; i < 6; i++)
		if (told[i])
			assert_string_equal(pl_err_text(&f->errors.v[i]), told[i]);
	assert_string_equal(pl_err_place(&f->errors.v[1]).file, "apps.d/2.yaml");
}

static void includes_within_includes_have_an_end(void **state)
{
	struct fix *f = *state;
	for (int i = 0; i < 20; i++) {
		char name[32], text[64];
		snprintf(name, sizeof name, "%d.yaml", i);
		snprintf(text, sizeof text, "include: %d.yaml\n", i + 1);
		put(name, text);
	}
	const struct config_root *r = read_it(f, "include: 0.yaml\n");
	assert_non_null(r);
	expect_errors(f, "15.yaml:1:10: more than 16 includes within each other\n");
	put("loop.yaml", "include: loop.yaml\n");
	read_ok(f, "include: ./loop.yaml\n");
}

static void an_include_that_is_a_folder_or_a_fifo_is_broken(void **state)
{
	struct fix *f = *state;
	put("d.yaml/x", "");
	const struct config_root *r = read_it(f, "include: d.yaml\n");
	assert_non_null(r);
	assert_int_equal(r->n_broken_includes, 1);
	expect_errors(f, "plumb.yaml:1:10: include: read 'd.yaml': it is a folder\n");
}

/* It may have held applications: what they applied must not be taken for unwanted. */
static void a_folder_of_includes_that_is_gone_is_broken(void **state)
{
	struct fix *f = *state;
	const struct config_root *r = read_it(f, "include: apps.d/*.yaml\n");
	assert_non_null(r);
	assert_int_equal(r->n_broken_includes, 1);
	SAME(r->broken_includes[0], "apps.d/*.yaml");
	expect_errors(f, "plumb.yaml:1:10: include: 'apps.d/*.yaml': No such file or directory\n");
	put("apps.d/readme.txt", "");
	r = read_ok(f, "include: apps.d/*.yaml\n");
	assert_int_equal(r->n_broken_includes, 0);
}

/* ---- finding it ---- */

static void the_config_is_found_where_it_should_be(void **state)
{
	struct fix *f = *state;
	struct pl_err e = ERR_INIT;
	char *path = NULL;
	put("plumb.yaml", "");
	assert_int_equal(config_find(NULL, &path, &e), PL_OK);
	assert_string_equal(path, "plumb.yaml");
	free(path);
	assert_int_equal(config_find("other.yaml", &path, &e), PL_ENOTFOUND);
	assert_null(path);
	assert_string_equal(pl_err_text(&e), "there is no config file 'other.yaml'");
	unlink("plumb.yaml");
	if (!file_exists("/etc/plumb/plumb.yaml")) {
		assert_int_equal(config_find(NULL, &path, &e), PL_ENOTFOUND);
		assert_string_equal(pl_err_text(&e), "there is no config file: looked for './plumb.yaml' and "
						     "'/etc/plumb/plumb.yaml' (name one with -c FILE)");
	}
	err_clear(&e);
	(void)f;
}

static void a_config_lives_as_long_as_somebody_holds_it(void **state)
{
	struct fix *f = *state;
	read_ok(f, HEAD APP);
	struct config *mine = config_ref(f->c);
	config_unref(f->c);
	f->c = NULL;
	SAME(config_get(mine)->apps[0].name, "web");
	config_unref(mine);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(the_page_of_the_interface_is_read),
		T(an_empty_file_has_the_defaults),
		T(every_mistake_is_told_with_its_place),
		T(a_home_that_is_not_set_is_told),
		T(a_missing_main_file_is_told),
		T(many_mistakes_are_counted_past_the_limit),
		T(includes_are_read_in_order_and_once),
		T(a_broken_include_does_not_stop_the_rest),
		T(includes_within_includes_have_an_end),
		T(an_include_that_is_a_folder_or_a_fifo_is_broken),
		T(a_folder_of_includes_that_is_gone_is_broken),
		T(the_config_is_found_where_it_should_be),
		T(a_config_lives_as_long_as_somebody_holds_it),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
