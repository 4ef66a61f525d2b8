/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A whole tree, built by the kustomize plugin itself from memory: each file behind a line "=== file: NAME", the folder
 * to build behind "=== run: FOLDER" (else the root). Whatever the tree is like, the plugin does not crash, what it
 * refuses has a reason, and neither a second build nor the order of the files changes what it says.
 */
#include "core/base/err.h"
#include "core/base/str.h"
#include "tests/fuzz/host.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { FILES_MAX = 32 };

struct input {
	struct host_file files[FILES_MAX];
	size_t n;
	pl_str dir;
};

static bool cut(pl_str *line, pl_str head)
{
	if (!str_starts(*line, head))
		return false;
	*line = (pl_str){line->p + head.n, line->n - head.n};
	return true;
}

static pl_str next_line(pl_str *rest)
{
	const char *end = memchr(rest->p, '\n', rest->n);
	pl_str line = {rest->p, end ? (size_t)(end - rest->p) : rest->n};
	size_t whole = line.n + (end != NULL);
	*rest = (pl_str){rest->p + whole, rest->n - whole};
	return line;
}

static void split(struct input *in, pl_str rest)
{
	struct host_file *open = NULL;
	while (rest.n) {
		pl_str line = next_line(&rest);
		if (cut(&line, S("=== run: "))) {
			in->dir = str_eq(line, S(".")) ? S("") : line;
			open = NULL;
		} else if (cut(&line, S("=== file: "))) {
			open = in->n < FILES_MAX ? &in->files[in->n++] : NULL;
			if (open)
				*open = (struct host_file){line, {rest.p, 0}};
		} else if (open) {
			open->text.n = (size_t)(rest.p - open->text.p);
		}
	}
}

/* Files whose names are in each other's way: then their order does count. */
static bool plain_names(const struct input *in)
{
	for (size_t i = 0; i < in->n; i++) {
		for (size_t k = 0; k < in->n; k++) {
			if (i != k && str_starts(in->files[i].name, in->files[k].name))
				return false;
		}
	}
	return true;
}

/* The host hands in the paths of folders as they are, without "." and "..". */
static bool plain_folder(pl_str dir)
{
	return !dir.n || (dir.p[0] != '/' && dir.p[dir.n - 1] != '/' && !memchr(dir.p, '.', dir.n) &&
			  !memchr(dir.p, '\0', dir.n) && !memmem(dir.p, dir.n, "//", 2));
}

static void turn(struct input *in)
{
	for (size_t i = 0; i < in->n / 2; i++) {
		struct host_file kept = in->files[i];
		in->files[i] = in->files[in->n - 1 - i];
		in->files[in->n - 1 - i] = kept;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = {.dir = S("")};
	if (size)
		split(&in, (pl_str){(const char *)data, size});
	if (!in.n || !plain_folder(in.dir))
		return 0;
	char *one = host_kustomize(in.files, in.n, in.dir, S("{}"));
	if (plain_names(&in))
		turn(&in);
	char *two = host_kustomize(in.files, in.n, in.dir, S("{}"));
	if (strcmp(one, two) != 0)
		BUG("two builds differ");
	free(one);
	free(two);
	return 0;
}
