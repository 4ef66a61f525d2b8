/* SPDX-License-Identifier: Apache-2.0 */
/* The git source through the bare ABI, in this process: what the integration tests can't see through a worker. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/base/file.h"
#include "core/base/mem.h"
#include "core/plugin/call.h"

#include <dlfcn.h>
#include <pthread.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#define HEX 40

struct fix {
	void *so;
	const pl_plugin *plugin;
	const pl_source_ops *ops;
	pl_plugin_entry_fn entry;
	char dir[64], repo[96], commit[HEX + 1];
};

static void git(const char *dir, const char *const *args)
{
	const char *argv[16] = {
		"git", "-C", dir, "-c", "user.name=Ann", "-c", "user.email=a@b", "-c", "init.defaultBranch=main"};
	size_t n = 9;
	for (; *args; args++)
		argv[n++] = *args;
	extern char **environ;
	pid_t pid;
	int status = -1;
	assert_int_equal(posix_spawnp(&pid, "git", NULL, NULL, (char *const *)(uintptr_t)argv, environ), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

#define GIT(dir, ...) git(dir, (const char *const[]){__VA_ARGS__, NULL})

static void write_file(const struct fix *f, const char *name, pl_str text)
{
	char *path = path_join(f->repo, name), *dir = path_dir(path);
	assert_int_equal(file_mkdirs(dir, 0700, NULL), PL_OK);
	assert_int_equal(file_write(path, text, 0600, NULL), PL_OK);
	free(path);
	free(dir);
}

static void read_commit(struct fix *f)
{
	char *path = path_join(f->repo, ".git/refs/heads/main");
	struct buf b = BUF_INIT(100);
	assert_int_equal(file_read(path, &b, NULL), PL_OK);
	memcpy(f->commit, b.p, HEX);
	buf_free(&b);
	free(path);
}

static int setup(void **state)
{
	struct fix *f = mem_zalloc(sizeof(*f));
	char path[4096];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 64);
	assert_true(n > 0);
	path[n] = 0;
	char *slash = strrchr(path, '/');
	snprintf(slash, 64, "/../plugins/sources/git.so");
	f->so = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (!f->so)
		fail_msg("%s", dlerror());
	void *symbol = dlsym(f->so, "pl_plugin_entry");
	memcpy(&f->entry, &symbol, sizeof(symbol));
	f->plugin = f->entry(PL_ABI);
	f->ops = f->plugin->source;
	snprintf(f->dir, sizeof(f->dir), "/tmp/plumb-git-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	snprintf(f->repo, sizeof(f->repo), "%s/repo", f->dir);
	assert_int_equal(file_mkdirs(f->repo, 0700, NULL), PL_OK);
	GIT(f->repo, "init", "-q");
	write_file(f, "a", S("0123456789"));
	write_file(f, "a.b", S("x"));
	write_file(f, "a0", S("x"));
	write_file(f, "dir/inner", S("inner text"));
	GIT(f->repo, "add", "-A");
	GIT(f->repo, "commit", "-q", "-m", "first");
	read_commit(f);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fix *f = *state;
	assert_int_equal(file_remove_tree(f->dir, NULL), PL_OK);
	dlclose(f->so);
	free(f);
	return 0;
}

/* One operation's surroundings. */
struct op {
	struct arena *a;
	struct call *c;
	const pl_host *h;
};

static struct op begin(struct cancel *cancel, int64_t timeout_ms)
{
	struct op o = {.a = arena_new()};
	o.c = call_new(o.a, NULL, S(""), NULL, cancel, timeout_ms);
	o.h = call_host(o.c);
	return o;
}

/* The error's text, in the operation's arena. */
static const char *error_of(struct op *o, pl_status st)
{
	struct pl_err e = ERR_INIT;
	call_result(o->c, "git", "test", st, &e);
	const char *text = arena_dupz(o->a, pl_err_text(&e));
	err_clear(&e);
	return text;
}

static void end(struct op *o)
{
	call_free(o->c);
	arena_free(o->a);
}

static void *open_source(const struct fix *f, const char *cache)
{
	struct op o = begin(NULL, 0);
	void *self = NULL;
	pl_str options = arena_printf(o.a, "{\"url\":\"file://%s\",\"maxBytes\":1000000}", f->repo);
	pl_status st = f->ops->open(o.h, options, arena_printf(o.a, "%s/%s", f->dir, cache), &self);
	if (st)
		fail_msg("%s", error_of(&o, st));
	end(&o);
	return self;
}

static pl_status fetch(const struct fix *f, void *self, struct cancel *cancel, int64_t timeout_ms)
{
	struct op o = begin(cancel, timeout_ms);
	pl_revision r = {.size = sizeof(r), .id = str_of(f->commit)};
	pl_status st = f->ops->fetch(o.h, self, &r, 1);
	if (st)
		assert_non_null(strstr(error_of(&o, st), f->repo));
	end(&o);
	return st;
}

static void *open_tree(const struct fix *f, void *self)
{
	struct op o = begin(NULL, 0);
	void *tree = NULL;
	pl_status st = f->ops->tree_open(o.h, self, str_of(f->commit), &tree);
	if (st)
		fail_msg("%s", error_of(&o, st));
	end(&o);
	return tree;
}

static void entry_declines_other_hosts(void **state)
{
	const struct fix *f = *state;
	assert_null(f->entry(PL_ABI + 1));
	assert_null(f->entry(1u << 16));
	assert_int_equal(f->plugin->kind, PL_KIND_SOURCE);
	assert_true(f->plugin->flags & PL_NEEDS_PROCESS);
	assert_int_equal(f->plugin->size, sizeof(pl_plugin));
}

static void listing_is_sorted_bytewise(void **state)
{
	const struct fix *f = *state;
	void *self = open_source(f, "sorted");
	assert_int_equal(fetch(f, self, NULL, 0), PL_OK);
	void *tree = open_tree(f, self);
	struct op o = begin(NULL, 0);
	const pl_entry *v = NULL, *inner = NULL;
	size_t n = 0;
	assert_int_equal(f->ops->tree_list(o.h, self, tree, (pl_str){NULL, 0}, &v, &n), PL_OK);
	assert_int_equal(n, 4);
	static const char *const names[] = {"a", "a.b", "a0", "dir"};
	for (size_t i = 0; i < 4; i++) {
		assert_true(str_eqz(v[i].name, names[i]));
		assert_int_equal(v[i].id.n, HEX);
		assert_int_equal(v[i].type, i == 3 ? PL_DIR : PL_FILE);
	}
	assert_int_equal(f->ops->tree_list(o.h, self, tree, v[3].id, &inner, &n), PL_OK);
	assert_int_equal(n, 1);
	assert_true(str_eqz(inner[0].name, "inner"));
	end(&o);
	f->ops->tree_close(self, tree);
	f->ops->close(self);
}

static void reads_keep_to_the_limit_and_the_kind(void **state)
{
	const struct fix *f = *state;
	void *self = open_source(f, "limit");
	assert_int_equal(fetch(f, self, NULL, 0), PL_OK);
	void *tree = open_tree(f, self);
	struct op o = begin(NULL, 0);
	const pl_entry *v = NULL;
	size_t n = 0;
	pl_str text = {NULL, 0};
	assert_int_equal(f->ops->tree_list(o.h, self, tree, (pl_str){NULL, 0}, &v, &n), PL_OK);
	assert_int_equal(f->ops->tree_read(o.h, self, tree, v[0].id, 10, &text), PL_OK);
	assert_true(str_eqz(text, "0123456789"));
	assert_int_equal(f->ops->tree_read(o.h, self, tree, v[0].id, 9, &text), PL_ETOOBIG);
	assert_non_null(strstr(error_of(&o, PL_ETOOBIG), "has 10 bytes, more than the 9 allowed"));
	assert_int_equal(f->ops->tree_read(o.h, self, tree, v[3].id, 1000, &text), PL_EINVAL);
	assert_non_null(strstr(error_of(&o, PL_EINVAL), "not a file, but a tree"));
	assert_int_equal(f->ops->tree_read(o.h, self, tree, S("abc"), 1000, &text), PL_EINVAL);
	end(&o);
	f->ops->tree_close(self, tree);
	f->ops->close(self);
}

static void a_missing_object_marks_the_cache(void **state)
{
	const struct fix *f = *state;
	void *self = open_source(f, "missing");
	assert_int_equal(fetch(f, self, NULL, 0), PL_OK);
	void *tree = open_tree(f, self);
	struct op o = begin(NULL, 0);
	pl_str text = {NULL, 0};
	pl_revision_info info = {.size = sizeof(info)};
	pl_str nowhere = S("1234567890123456789012345678901234567890");
	assert_int_equal(f->ops->tree_read(o.h, self, tree, nowhere, 1000, &text), PL_EIO);
	assert_non_null(strstr(error_of(&o, PL_EIO), "the cache is built anew"));
	assert_int_equal(f->ops->describe(o.h, self, str_of(f->commit), &info), PL_ENOTFOUND);
	assert_int_equal(fetch(f, self, NULL, 0), PL_OK);
	assert_int_equal(f->ops->describe(o.h, self, str_of(f->commit), &info), PL_OK);
	assert_true(str_eqz(info.message, "first\n"));
	/* a tree that was open before the cache was rebuilt is still read */
	const pl_entry *v = NULL;
	size_t n = 0;
	assert_int_equal(f->ops->tree_list(o.h, self, tree, (pl_str){NULL, 0}, &v, &n), PL_OK);
	assert_int_equal(n, 4);
	end(&o);
	f->ops->tree_close(self, tree);
	f->ops->close(self);
}

static void cancel_and_deadline_are_obeyed(void **state)
{
	const struct fix *f = *state;
	void *self = open_source(f, "cancel");
	struct cancel *c = cancel_new();
	cancel_fire(c);
	assert_int_equal(fetch(f, self, c, 0), PL_ECANCELLED);
	struct op o = begin(c, 0);
	pl_str wanted = S("main");
	pl_revision r = {.size = sizeof(r)};
	assert_int_equal(f->ops->resolve(o.h, self, &wanted, 1, &r), PL_ECANCELLED);
	end(&o);
	cancel_unref(c);
	o = begin(NULL, 1);
	while (o.h->remaining_ms(o.h->ctx) > 0)
		usleep(1000);
	assert_int_equal(f->ops->resolve(o.h, self, &wanted, 1, &r), PL_ETIMEOUT);
	end(&o);
	assert_int_equal(fetch(f, self, NULL, 0), PL_OK);
	f->ops->close(self);
}

struct reader_thread {
	const struct fix *f;
	pthread_t thread;
	char cache[32];
	size_t entries;
};

static void *read_a_lot(void *arg)
{
	struct reader_thread *r = arg;
	for (int round = 0; round < 5; round++) {
		struct op o = begin(NULL, 0);
		void *self = NULL, *tree = NULL;
		const pl_entry *v = NULL;
		size_t n = 0;
		pl_str options = arena_printf(o.a, "{\"url\":\"file://%s\"}", r->f->repo);
		pl_revision rev = {.size = sizeof(rev), .id = str_of(r->f->commit)};
		if (!r->f->ops->open(o.h, options, arena_printf(o.a, "%s/%s", r->f->dir, r->cache), &self) &&
		    !r->f->ops->fetch(o.h, self, &rev, 1) && !r->f->ops->tree_open(o.h, self, rev.id, &tree) &&
		    !r->f->ops->tree_list(o.h, self, tree, (pl_str){NULL, 0}, &v, &n))
			r->entries += n;
		r->f->ops->tree_close(self, tree);
		r->f->ops->close(self);
		end(&o);
	}
	return NULL;
}

static void handles_of_several_threads_do_not_meet(void **state)
{
	struct reader_thread r[4];
	for (size_t i = 0; i < 4; i++) {
		r[i] = (struct reader_thread){.f = *state};
		snprintf(r[i].cache, sizeof(r[i].cache), "thread%zu", i / 2); /* two share a cache */
		assert_int_equal(pthread_create(&r[i].thread, NULL, read_a_lot, &r[i]), 0);
	}
	for (size_t i = 0; i < 4; i++) {
		pthread_join(r[i].thread, NULL);
		assert_int_equal(r[i].entries, 5 * 4);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(entry_declines_other_hosts),
		cmocka_unit_test(listing_is_sorted_bytewise),
		cmocka_unit_test(reads_keep_to_the_limit_and_the_kind),
		cmocka_unit_test(a_missing_object_marks_the_cache),
		cmocka_unit_test(cancel_and_deadline_are_obeyed),
		cmocka_unit_test(handles_of_several_threads_do_not_meet),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
