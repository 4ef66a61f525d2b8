/* SPDX-License-Identifier: Apache-2.0 */
/* A diff by a program of the user's: both sides as files in two folders, Secret values masked already. */
#include "core/cli/commands.h"

#include "core/base/file.h"
#include "core/base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

enum { WORDS_MAX = 32, PROGRAM_TROUBLE = 2 /* diff(1) and its like: 0 same, 1 different */ };

static const char *const sides[] = {"LIVE", "DESIRED"};

/* Kubernetes names hold no slash, but what comes from Git is not to be trusted with a path. */
static pl_str file_of(struct cli *c, const char *dir, const char *side, const pl_node *r)
{
	static const char *const parts[] = {"group", "kind", "namespace", "name"};
	struct buf b = BUF_INIT(4096);
	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
		pl_str s = pl_text(pl_gets(r, parts[i]));
		for (size_t k = 0; k < s.n; k++)
			buf_addc(&b, s.p[k] == '/' || s.p[k] == '\0' ? '_' : s.p[k]);
		if (s.n && i + 1 < sizeof parts / sizeof *parts)
			buf_addc(&b, '.');
	}
	pl_str out = arena_printf(c->arena, "%s/%s/%.*s", dir, side, F(buf_str(&b)));
	buf_free(&b);
	return out;
}

static pl_status write_side(struct cli *c, const char *dir, size_t side, const pl_node *changes, struct pl_err *e)
{
	pl_str folder = arena_printf(c->arena, "%s/%s", dir, sides[side]);
	pl_status st = mkdir(folder.p, 0700) < 0 ? err_errno(e, errno, "make the folder '%s'", folder.p) : PL_OK;
	for (size_t i = 0; i < pl_len(changes) && !st; i++) {
		const pl_node *r = pl_item(changes, i);
		pl_str text = pl_text(pl_gets(r, side ? "desired" : "live"));
		if (!text.n)
			continue;
		pl_str path = file_of(c, dir, sides[side], r);
		int fd = open(path.p, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
		if (fd < 0)
			return err_errno(e, errno, "make '%s'", path.p);
		st = fd_write_all(fd, text, e);
		close(fd);
	}
	return st;
}

/* The program's words are split at spaces, without a shell. */
static pl_status run_program(struct cli *c, const char *program, const char *dir, struct pl_err *e)
{
	char *words[WORDS_MAX + 3], *save = NULL;
	size_t n = 0;
	for (char *w = strtok_r(arena_dupz(c->arena, program), " \t", &save); w && n < WORDS_MAX;
	     w = strtok_r(NULL, " \t", &save))
		words[n++] = w;
	if (!n)
		return err_set(e, PL_EINVAL, "the external diff program is empty");
	for (size_t i = 0; i < 2; i++)
		words[n++] = arena_dupz(c->arena, arena_printf(c->arena, "%s/%s", dir, sides[i]).p);
	words[n] = NULL;
	pid_t pid;
	int status = 0, error = posix_spawnp(&pid, words[0], NULL, NULL, words, environ);
	if (error)
		return err_errno(e, error, "run the external diff program '%s'", words[0]);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return err_errno(e, errno, "wait for '%s'", words[0]);
	if (!WIFEXITED(status) || WEXITSTATUS(status) >= PROGRAM_TROUBLE)
		return err_set(e, PL_EIO, "the external diff program '%s' failed", words[0]);
	return PL_OK;
}

int external_diff(struct cli *c, const char *program, const pl_node *changes)
{
	struct pl_err e = ERR_INIT;
	const char *tmp = getenv("TMPDIR");
	char *dir = arena_dupz(c->arena, arena_printf(c->arena, "%s/plumb-diff-XXXXXX", tmp && *tmp ? tmp : "/tmp").p);
	if (!mkdtemp(dir)) {
		err_errno(&e, errno, "make the folder '%s'", dir);
		return cli_fail(&e);
	}
	pl_status st = write_side(c, dir, 0, changes, &e);
	if (!st)
		st = write_side(c, dir, 1, changes, &e);
	if (!st)
		st = run_program(c, program, dir, &e);
	if (st)
		cli_fail(&e);
	if (file_remove_tree(dir, &e))
		cli_fail(&e);
	return st ? EXIT_ERROR : EXIT_GOOD;
}
