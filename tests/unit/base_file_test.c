/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/file.h"
#include "core/base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

static int folder(void **state)
{
	static char dir[] = "/tmp/plumb-base-XXXXXX";
	memcpy(dir + sizeof dir - 7, "XXXXXX", 6);
	*state = mkdtemp(dir);
	return *state ? 0 : -1;
}

static int gone(void **state)
{
	return file_remove_tree(*state, NULL);
}

static void assert_content(const char *path, const char *want)
{
	struct buf b = BUF_INIT(1000);
	assert_int_equal(file_read(path, &b, NULL), PL_OK);
	assert_string_equal(b.p ? b.p : "", want);
	buf_free(&b);
}

static void a_write_replaces_whole_and_sets_the_mode(void **state)
{
	char *path = path_join(*state, "a");
	struct stat st;
	assert_int_equal(file_write(path, S("one"), 0600, NULL), PL_OK);
	assert_content(path, "one");
	assert_int_equal(file_write(path, S("two!"), 0644, NULL), PL_OK);
	assert_content(path, "two!");
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0644);
	free(path);
}

static void a_failed_write_names_the_file_and_leaves_no_rest(void **state)
{
	struct pl_err e = ERR_INIT;
	char *dir = path_join(*state, "folder"), *path = path_join(*state, "absent/a");
	assert_int_equal(mkdir(dir, 0755), 0);
	assert_int_not_equal(file_write(dir, S("x"), 0644, &e), PL_OK); /* a folder has that name */
	assert_non_null(strstr(pl_err_text(&e), dir));
	assert_int_equal(file_write(path, S("x"), 0644, &e), PL_ENOTFOUND);
	assert_non_null(strstr(pl_err_text(&e), "No such file"));
	assert_int_equal(rmdir(dir), 0);
	assert_int_equal(rmdir(*state), 0); /* nothing was left behind */
	assert_int_equal(mkdir(*state, 0700), 0);
	err_clear(&e);
	free(dir);
	free(path);
}

static void reads_are_bounded_and_say_what_is_wrong(void **state)
{
	struct buf b = BUF_INIT(3);
	struct pl_err e = ERR_INIT;
	char *path = path_join(*state, "a");
	assert_int_equal(file_write(path, S("1234"), 0644, NULL), PL_OK);
	assert_int_equal(file_read(path, &b, &e), PL_ETOOBIG);
	buf_clear(&b);
	assert_int_equal(file_read(*state, &b, &e), PL_EINVAL);
	assert_non_null(strstr(pl_err_text(&e), "it is a folder"));
	buf_clear(&b);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(file_read(path, &b, &e), PL_ENOTFOUND);
	buf_free(&b);
	err_clear(&e);
	free(path);
}

static void folders_are_made_with_parents_and_removed_without_following_links(void **state)
{
	char *deep = path_join(*state, "a/b/c"), *outside = path_join(*state, "keep"),
	     *link = path_join(*state, "a/b/link");
	char *top = path_join(*state, "a"), *inside = path_join(*state, "keep/file");
	struct pl_err e = ERR_INIT;
	assert_int_equal(file_mkdirs(deep, 0755, NULL), PL_OK);
	assert_int_equal(file_mkdirs(deep, 0755, NULL), PL_OK);
	assert_int_equal(file_mkdirs(outside, 0755, NULL), PL_OK);
	assert_int_equal(file_write(inside, S("x"), 0644, NULL), PL_OK);
	assert_int_equal(symlink(outside, link), 0);
	assert_int_not_equal(file_mkdirs(inside, 0755, &e), PL_OK);
	assert_int_equal(file_remove_tree(top, NULL), PL_OK);
	assert_false(file_exists(top));
	assert_true(file_exists(inside));
	assert_int_equal(file_remove_tree(top, NULL), PL_OK); /* absent is fine */
	err_clear(&e);
	free(deep);
	free(outside);
	free(link);
	free(top);
	free(inside);
}

static void a_lock_names_its_holder_and_dies_with_it(void **state)
{
	struct pl_err e = ERR_INIT;
	char *path = path_join(*state, "lock");
	int go[2], ready[2], fd = -1, status;
	char c;
	assert_int_equal(pipe(go), 0);
	assert_int_equal(pipe(ready), 0);
	pid_t child = fork();
	if (child == 0) {
		int mine;
		bool ok = file_lock(path, "pid 42 (plumb run)", &mine, NULL) == PL_OK && write(ready[1], "x", 1) == 1;
		_exit(ok && read(go[0], &c, 1) == 1 ? 0 : 1);
	}
	assert_int_equal(read(ready[0], &c, 1), 1);
	assert_int_equal(file_lock(path, "me", &fd, &e), PL_EBUSY);
	assert_non_null(strstr(pl_err_text(&e), "in use by pid 42 (plumb run)"));
	assert_int_equal(write(go[1], "x", 1), 1);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_int_equal(file_lock(path, "me", &fd, NULL), PL_OK);
	close(fd);
	err_clear(&e);
	free(path);
}

static void paths_join(void **state)
{
	static const char *const cases[][3] = {
		{"a", "b", "a/b"}, {"a/", "b", "a/b"}, {"/", "b", "/b"}, {"a", "/b", "/b"}, {"", "b", "b"}};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char *p = path_join(cases[i][0], cases[i][1]);
		assert_string_equal(p, cases[i][2]);
		free(p);
	}
	char *d = path_dir("/a");
	assert_string_equal(d, "/");
	free(d);
	d = path_dir("a");
	assert_string_equal(d, ".");
	free(d);
}

static void log_lines_are_one_line_each(void **state)
{
	int p[2];
	char line[512];
	(void)state;
	assert_int_equal(pipe(p), 0);
	struct log l = {.fd = p[1], .level = LOG_INFO};
	log_line(&l, LOG_DEBUG, S(""), "not this one");
	log_line(&l, LOG_WARN, S("web"), "two\nlines \033[31m %d", 7);
	ssize_t n = read(p[0], line, sizeof line - 1);
	line[n > 0 ? n : 0] = 0;
	assert_non_null(strstr(line, "warn  web: two\\nlines \\x1b[31m 7\n"));
	l.json = true;
	log_line(&l, LOG_ERROR, S("web"), "a \"quote\"\n");
	n = read(p[0], line, sizeof line - 1);
	line[n > 0 ? n : 0] = 0;
	assert_non_null(strstr(line, "\"level\":\"error\",\"app\":\"web\",\"msg\":\"a \\\"quote\\\"\\u000a\"}\n"));
	log_line(NULL, LOG_ERROR, S(""), "nobody listens");
	close(p[0]);
	close(p[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_write_replaces_whole_and_sets_the_mode, folder, gone),
		cmocka_unit_test_setup_teardown(a_failed_write_names_the_file_and_leaves_no_rest, folder, gone),
		cmocka_unit_test_setup_teardown(reads_are_bounded_and_say_what_is_wrong, folder, gone),
		cmocka_unit_test_setup_teardown(folders_are_made_with_parents_and_removed_without_following_links,
						folder, gone),
		cmocka_unit_test_setup_teardown(a_lock_names_its_holder_and_dies_with_it, folder, gone),
		cmocka_unit_test(paths_join),
		cmocka_unit_test(log_lines_are_one_line_each),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
