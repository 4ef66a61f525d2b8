/* SPDX-License-Identifier: Apache-2.0 */
/* Remote operations of a source that runs in worker processes. */
#include "core/base/file.h"
#include "core/base/mem.h"
#include "core/plugin/source.h"
#include "core/worker/worker.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

struct fix {
	struct worker *worker;
	struct registry *registry;
	struct source *source;
	struct arena *arena;
	char cache[32];
};

static int set_up(void **state)
{
	struct fix *f = mem_zalloc(sizeof(*f));
	size_t n;
	const struct worker_job *jobs = plugin_jobs(&n);
	f->worker = worker_start(jobs, n, NULL);
	assert_non_null(f->worker);
	char *own = registry_own_folder();
	const char *folders[] = {own};
	struct registry_config c = {.folders = folders, .n_folders = 1, .worker = f->worker};
	f->registry = registry_new(&c);
	f->arena = arena_new();
	snprintf(f->cache, sizeof(f->cache), "/tmp/plumb-remote-XXXXXX");
	assert_non_null(mkdtemp(f->cache));
	const struct plugin *p;
	assert_int_equal(registry_get(f->registry, PL_KIND_SOURCE, S("far"), &p, NULL), PL_OK);
	assert_int_equal(source_open(f->registry, p, S("{\"root\":\"/tmp\"}"), f->cache, &f->source, NULL), PL_OK);
	free(own);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fix *f = *state;
	source_unref(f->source);
	assert_int_equal(file_remove_tree(f->cache, NULL), PL_OK);
	registry_free(f->registry);
	worker_stop(f->worker);
	arena_free(f->arena);
	free(f);
	return 0;
}

static pl_status ask(struct fix *f, const char *wanted, int64_t ms, struct cancel *c, struct source_revision *out,
		     struct pl_err *e)
{
	pl_str w = str_of(wanted);
	return source_resolve(f->source, &w, 1, ms, c, f->arena, out, e);
}

static void answers_come_from_another_process_that_is_kept(void **state)
{
	struct fix *f = *state;
	struct source_revision a, b;
	char own[32];
	struct pl_err e = ERR_INIT;
	if (ask(f, "main", 10000, NULL, &a, &e))
		fail_msg("%s", pl_err_text(&e));
	assert_int_equal(ask(f, "main", 10000, NULL, &b, NULL), PL_OK);
	assert_true(str_starts(a.name, S("main@")) && a.id.n == 40);
	assert_true(str_eq(a.name, b.name));
	snprintf(own, sizeof(own), "main@%d", (int)getpid());
	assert_false(str_eqz(a.name, own));
	assert_int_equal(ask(f, "absent", 10000, NULL, &a, NULL), PL_OK);
	assert_true(a.status == PL_ENOTFOUND && str_eqz(a.error, "no such branch"));
}

static void failures_cross_whole_and_the_next_call_works(void **state)
{
	struct fix *f = *state;
	static const struct {
		const char *wanted;
		int64_t ms;
		pl_status st;
		const char *says;
	} cases[] = {
		{"fail", 10000, PL_EUNAVAILABLE, "repo.yaml:4:7: far: nobody is at home"},
		{"silent", 10000, PL_EPLUGIN, "did not say why"},
		{"noid", 10000, PL_EPLUGIN, "not 40 or 64 hex digits"},
		{"wait", 100, PL_ETIMEOUT, "told to stop"},
		{"crash", 10000, PL_ECRASHED, "far: resolve: worker '"},
		{"hang", 100, PL_ETIMEOUT, "far: resolve: worker 'source.remote' took longer than"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct source_revision r;
		struct pl_err e = ERR_INIT;
		pl_status st = ask(f, cases[i].wanted, cases[i].ms, NULL, &r, &e);
		if (st != cases[i].st || !strstr(pl_err_text(&e), cases[i].says))
			fail_msg("%s: %d %s", cases[i].wanted, st, pl_err_text(&e));
		err_clear(&e);
		assert_int_equal(ask(f, "main", 10000, NULL, &r, NULL), PL_OK);
	}
}

static void fetches_go_there_too(void **state)
{
	struct fix *f = *state;
	pl_str id = S("1111111111111111111111111111111111111111"), name = S("full");
	struct pl_err e = ERR_INIT;
	assert_int_equal(source_fetch(f->source, &id, NULL, 1, 10000, NULL, NULL), PL_OK);
	assert_int_equal(source_fetch(f->source, &id, &name, 1, 10000, NULL, &e), PL_EIO);
	assert_non_null(strstr(pl_err_text(&e), "far: no space left"));
	err_clear(&e);
}

static void *fire(void *c)
{
	usleep(50000);
	cancel_fire(c);
	return NULL;
}

static void a_cancel_kills_what_hangs(void **state)
{
	struct fix *f = *state;
	struct cancel *c = cancel_new();
	struct source_revision r;
	pthread_t t;
	assert_int_equal(pthread_create(&t, NULL, fire, c), 0);
	assert_int_equal(ask(f, "hang", 600000, c, &r, NULL), PL_ECANCELLED);
	pthread_join(t, NULL);
	cancel_unref(c);
}

int main(void)
{
#define T(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		T(answers_come_from_another_process_that_is_kept),
		T(failures_cross_whole_and_the_next_call_works),
		T(fetches_go_there_too),
		T(a_cancel_kills_what_hangs),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
