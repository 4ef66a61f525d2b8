/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs a fuzz target on the files given, without libFuzzer, so that the corpus is a test in every build. The program
 * fuzz_NAME_test takes tests/fuzz/corpus/NAME when none is given.
 */
#include "core/base/err.h"
#include "core/base/file.h"
#include "core/base/mem.h"

#include <dirent.h>
#include <errno.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { FILE_MAX = 1024 * 1024 };

static void replay(const char *path)
{
	struct pl_err e = ERR_INIT;
	struct buf b = BUF_INIT(FILE_MAX);
	char *exact;

	printf("# %s\n", path);
	fflush(stdout); /* when the target aborts, this is its input */
	if (file_read(path, &b, &e)) {
		printf("Bail out! %s\n", pl_err_text(&e));
		exit(1);
	}
	exact = mem_alloc(b.n); /* no NUL behind: a sanitizer sees who reads too far */
	if (b.n)
		memcpy(exact, b.p, b.n);
	LLVMFuzzerTestOneInput((const uint8_t *)exact, b.n);
	free(exact);
	buf_free(&b);
}

static int shown(const struct dirent *f)
{
	return f->d_name[0] != '.';
}

static int replay_corpus(const char *folder)
{
	struct dirent **files;
	int n = scandir(folder, &files, shown, alphasort);

	if (n <= 0) {
		printf("# %s: %s\n", folder, n ? strerrordesc_np(errno) : "no file in it");
		return 0;
	}
	for (int i = 0; i < n; i++) {
		char *path = path_join(folder, files[i]->d_name);

		replay(path);
		free(path);
		free(files[i]);
	}
	free(files);
	return n;
}

int main(int argc, char **argv)
{
	pl_str name = str_of(program_invocation_short_name);
	struct buf folder = BUF_INIT(4096);
	int n = argc - 1;

	if (str_starts(name, S("fuzz_")) && str_ends(name, S("_test")))
		name = (pl_str){name.p + 5, name.n - 10};
	buf_addf(&folder, "tests/fuzz/corpus/%.*s", F(name));
	for (int i = 1; i < argc; i++)
		replay(argv[i]);
	if (argc == 1)
		n = replay_corpus(folder.p);
	printf("1..1\n%s 1 - the %d inputs of the fuzz target '%.*s'\n", n > 0 ? "ok" : "not ok", n, F(name));
	buf_free(&folder);
	return n > 0 ? 0 : 1;
}
