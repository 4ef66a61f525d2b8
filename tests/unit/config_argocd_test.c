/* SPDX-License-Identifier: Apache-2.0 */
/* Argo CD's Application at the border: what is taken over, what is warned of, what is refused. */
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

static int setup(void **state)
{
	struct fix *f = calloc(1, sizeof *f);
	snprintf(f->dir, sizeof f->dir, "/tmp/plumb-argocd-XXXXXX");
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

#define MAIN                                                                                                           \
	"sources: {shop: {git: {url: 'https://example.org/shop.git', credentials: {tokenFile: /t}}}}\n"                \
	"targets: {in-cluster: {directory: {path: ./live}}, prod: {directory: {path: ./prod}}}\n"                      \
	"include: app.yaml\n"

static const struct config_root *read_it(struct fix *f, const char *app)
{
	config_unref(f->c);
	err_list_free(&f->errors);
	f->errors = (struct err_list){0};
	assert_int_equal(file_write("plumb.yaml", S(MAIN), 0600, NULL), PL_OK);
	assert_int_equal(file_write("app.yaml", str_of(app), 0600, NULL), PL_OK);
	f->c = config_read("plumb.yaml", &f->errors);
	assert_non_null(f->c);
	return config_get(f->c);
}

static void same_at(pl_str got, const char *want, int line)
{
	if (!str_eqz(got, want))
		fail_msg("line %d: got '%.*s', want '%s'", line, F(got), want);
}
#define SAME(got, want) same_at((got), (want), __LINE__)

/* Errors, then warnings, one a line. */
static void expect(struct fix *f, const char *want)
{
	struct buf b = BUF_INIT(1 << 20);
	size_t n;
	const pl_str *w = config_warnings(f->c, &n);
	for (size_t i = 0; i < f->errors.n; i++)
		buf_addf(&b, "%s\n", pl_err_text(&f->errors.v[i]));
	for (size_t i = 0; i < n; i++)
		buf_addf(&b, "warning: %.*s\n", F(w[i]));
	buf_addz(&b, "");
	if (strcmp(b.p ? b.p : "", want) != 0)
		fail_msg("got:\n%swant:\n%s", b.p ? b.p : "(none)\n", want);
	buf_free(&b);
}

#define TOP  "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: web, namespace: argocd}\nspec:\n"
#define TO   "  destination: {server: 'https://kubernetes.default.svc', namespace: shop}\n"
#define FROM "  source: {repoURL: 'https://example.org/shop', path: apps/web, targetRevision: HEAD}\n"

static void a_whole_application_is_taken_over(void **state)
{
	struct fix *f = *state;
	const struct config_root *r =
		read_it(f, "apiVersion: argoproj.io/v1alpha1\n"
			   "kind: Application\n"
			   "metadata:\n"
			   "  name: web\n"
			   "  finalizers: [resources-finalizer.argocd.argoproj.io]\n"
			   "spec:\n"
			   "  project: default\n"
			   "  source: {repoURL: 'https://example.org/shop/', path: ./apps/web, targetRevision: v1.2}\n"
			   "  destination: {name: prod, namespace: shop}\n"
			   "  info: [{name: a, value: b}]\n"
			   "  syncPolicy:\n"
			   "    automated: {prune: true, selfHeal: true, allowEmpty: true}\n"
			   "    retry: {limit: 4, backoff: {duration: 10s, factor: 2, maxDuration: 5m}}\n"
			   "    syncOptions: [ApplyOutOfSyncOnly=true, ServerSideApply=true]\n"
			   "status: {anything: here}\n");
	expect(f, "");
	assert_int_equal(r->n_apps, 1);
	const struct config_app *a = &r->apps[0];
	SAME(a->name, "web");
	/* The repository has a named source with credentials: a slash and .git don't make it another. */
	SAME(a->source->name, "shop");
	SAME(a->revision, "v1.2");
	SAME(a->path, "apps/web");
	SAME(a->target->name, "prod");
	SAME(a->ns, "shop");
	assert_true(a->sync.automated && a->sync.prune && a->sync.self_heal && a->sync.allow_empty);
	assert_int_equal(a->sync.retry_limit, 4);
	assert_int_equal(a->sync.retry_base_ms, 10000);
	assert_int_equal(a->sync.retry_max_ms, 300000);
	assert_int_equal(a->sync.timeout_ms, 15 * 60 * 1000);
	assert_int_equal(a->deletion, DELETION_CASCADE);
}

static void what_is_absent_is_as_in_argo_cd(void **state)
{
	struct fix *f = *state;
	const struct config_root *r = read_it(f, TOP TO FROM);
	expect(f, "");
	const struct config_app *a = &r->apps[0];
	SAME(a->target->name, "in-cluster");
	SAME(a->revision, "");
	assert_true(!a->sync.automated && !a->sync.prune && !a->sync.self_heal);
	assert_int_equal(a->deletion, DELETION_ORPHAN);
	r = read_it(f, TOP TO FROM "  syncPolicy: {automated: {}}\n");
	assert_true(r->apps[0].sync.automated);
	r = read_it(f, TOP TO FROM
		    "  syncPolicy: {automated: {enabled: false, prune: true}, syncOptions: [Prune=false]}\n");
	assert_false(r->apps[0].sync.automated);
	assert_false(r->apps[0].sync.prune);
}

static void repositories_without_a_source_share_one(void **state)
{
	struct fix *f = *state;
	static const char one[] =
		TOP TO "  source: {repoURL: 'https://example.org/other.git', path: a}\n---\n"
		       "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: two}\nspec:\n" TO
		       "  source: {repoURL: 'https://example.org/other', path: b}\n";
	const struct config_root *r = read_it(f, one);
	expect(f, "");
	assert_int_equal(r->n_sources, 2);
	assert_ptr_equal(r->apps[0].source, r->apps[1].source);
	const struct config_source *s = r->apps[0].source;
	SAME(s->use.plugin, "git");
	SAME(pl_text(pl_gets(s->use.options, "url")), "https://example.org/other.git");
	assert_string_equal(s->use.at.file, "app.yaml");
	assert_true(str_starts(s->name, S("repository-")));
}

struct row {
	const char *yaml;
	const char *want;
};

static const struct row rows[] = {
	{TOP TO FROM "  project: payments\n",
	 "warning: app.yaml:7:12: 'project' is ignored: plumb has no projects that limit applications\n"},
	{TOP TO FROM "  revisionHistoryLimit: 3\n",
	 "warning: app.yaml:7:3: 'revisionHistoryLimit' is ignored: plumb keeps one history for all applications\n"},
	{TOP TO FROM "  syncPolicy: {retry: {backoff: {factor: 3}}, syncOptions: [CreateNamespace=true, Odd=1]}\n",
	 "warning: app.yaml:7:42: 'factor' is ignored: plumb doubles the wait each time\n"
	 "warning: app.yaml:7:61: sync option 'CreateNamespace=true' is ignored: plumb does not make namespaces that "
	 "are not in the "
	 "source\n"
	 "warning: app.yaml:7:83: sync option 'Odd=1' is ignored: plumb does not know it\n"},
	{TOP TO FROM "  syncPolicy: {syncOptions: [Replace=true]}\n",
	 "app.yaml:7:30: sync option 'Replace=true' is not supported: plumb does not replace objects whole\n"},
	{TOP TO FROM "  ignoreDifferences: [{kind: Deployment, jsonPointers: [/spec/replicas]}]\n",
	 "app.yaml:7:3: 'ignoreDifferences' is not supported: plumb would undo the differences that are to be "
	 "ignored\n"},
	{TOP TO FROM "  ignoreDifferences: []\n", ""},
	{TOP TO "  sources: [{repoURL: x}]\n",
	 "app.yaml:6:3: 'sources' is not supported: plumb reads one source for an application\n"},
	{TOP TO "  source: {repoURL: 'https://example.org/charts', chart: web, targetRevision: 1.*}\n",
	 "app.yaml:6:51: 'chart' is not supported: plumb does not render Helm charts\n"
	 "app.yaml:6:79: targetRevision '1.*' is a range: plumb follows a branch, tag or commit\n"},
	{TOP TO "  source: {repoURL: 'oci://example.org/x', path: .}\n",
	 "app.yaml:6:21: repoURL 'oci://example.org/x' is not a Git repository\n"},
	{TOP TO
	 "  source: {repoURL: x, path: a, helm: {values: 'a: b'}, plugin: {name: p}, kustomize: {namePrefix: a-}}\n",
	 "app.yaml:6:33: 'helm' is not supported: plumb does not render Helm charts\n"
	 "app.yaml:6:57: 'plugin' is not supported: plumb does not run Argo CD's plugins\n"
	 "app.yaml:6:76: 'kustomize' is not supported: plumb does not edit a kustomization before it builds it\n"},
	{TOP TO "  source: {repoURL: x, path: a, directory: {recurse: false, exclude: '*.yml'}}\n",
	 "app.yaml:6:61: 'exclude' is not supported: plumb reads all manifests of a folder\n"
	 "warning: app.yaml:6:33: plumb reads subfolders too, as with 'recurse: true'\n"},
	{TOP TO "  source: {repoURL: x, path: a, directory: {recurse: true}}\n", ""},
	{TOP TO "  source: {repoURL: x, path: ../a}\n", "app.yaml:6:30: 'path' must not climb with '..': \"../a\"\n"},
	{TOP TO "  source: {}\n", "app.yaml:6:11: source of application 'web' needs 'path'\n"
				  "app.yaml:6:11: source of application 'web' needs 'repoURL'\n"},
	{TOP TO, "app.yaml:5:3: application 'web' needs 'source'\n"},
	{TOP FROM "  destination: {name: porod}\n",
	 "app.yaml:6:23: application 'web': unknown target 'porod' (did you mean 'prod'?)\n"},
	{TOP FROM "  destination: {server: 'https://10.0.0.1'}\n",
	 "app.yaml:6:25: application 'web': unknown target 'https://10.0.0.1' (have: in-cluster, prod)\n"},
	{TOP FROM "  destination: {server: a, name: b}\n", "app.yaml:6:16: destination has both 'name' and 'server'\n"},
	{TOP FROM, "app.yaml:5:3: application 'web' needs a destination (write 'name' with the name of a target)\n"},
	{TOP TO FROM "  syncPolcy: {}\n",
	 "app.yaml:7:3: unknown key 'syncPolcy' in Argo CD's Application (did you mean 'syncPolicy'?)\n"},
	{TOP TO FROM "  syncPolicy: {automated: {prune: 3}}\n",
	 "app.yaml:7:35: 'prune' must be true or false, not a number\n"},
	{TOP TO FROM "  syncPolicy: {automated: true}\n",
	 "app.yaml:7:27: 'automated' must be a map, not true or false\n"},
	{TOP TO FROM "operation: {sync: {}}\n",
	 "warning: app.yaml:7:1: 'operation' is ignored: a sync is asked for by `plumb sync`\n"},
	{"apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {}\nspec: {}\n",
	 "app.yaml:3:11: Application needs 'metadata.name'\n"},
	{"apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: web}\n",
	 "app.yaml:1:1: application 'web' needs 'spec'\n"},
	{"apiVersion: argoproj.io/v1alpha1\nkind: ApplicationSet\nmetadata: {name: web}\n",
	 "app.yaml:1:1: apiVersion 'argoproj.io/v1alpha1', kind 'ApplicationSet' is not an Application that plumb "
	 "knows (plumb.dev/v1 and "
	 "argoproj.io/v1alpha1 are read)\n"},
	{"apiVersion: plumb.dev/v1\nkind: Application\nmetadata: {name: web}\nspecs: {}\nspec: {name: x, source: shop, "
	 "target: prod}\n",
	 "app.yaml:4:1: unknown key 'specs' in Application (did you mean 'spec'?)\n"
	 "app.yaml:5:8: the name of an Application document stands in 'metadata.name'\n"},
	{"apiVersion: plumb.dev/v1\nkind: Application\nmetadata: {name: web}\nspec: {source: shop}\n",
	 "app.yaml:4:7: application 'web' needs 'target'\n"},
};

static void every_field_is_honoured_warned_of_or_refused(void **state)
{
	struct fix *f = *state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const struct config_root *r = read_it(f, rows[i].yaml);
		expect(f, rows[i].want);
		/* A refused application breaks its include, and nothing else. */
		assert_int_equal(r->n_broken_includes, f->errors.n ? 1 : 0);
		assert_int_equal(r->n_apps, f->errors.n ? 0 : 1);
	}
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_whole_application_is_taken_over),
		T(what_is_absent_is_as_in_argo_cd),
		T(repositories_without_a_source_share_one),
		T(every_field_is_honoured_warned_of_or_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
