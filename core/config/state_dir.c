/* SPDX-License-Identifier: Apache-2.0 */
/* The one key that a command needs to find a running daemon. */
#include "core/config/load.h"

#include "core/base/file.h"

#include <errno.h>

enum { FILE_BYTES_MAX = 64 * 1024 * 1024 };

/* Also when the rest of the file has mistakes: the daemon runs with the config it has. */
static pl_status from_text(struct load *l, const char *path, pl_str *out, struct pl_err *e)
{
	struct buf text = BUF_INIT(FILE_BYTES_MAX);
	pl_node **roots = NULL;
	size_t n = 0;
	pl_status st = file_read(path, &text, e);
	if (!st)
		st = pl_yaml_read(l->doc, buf_str(&text), path, PL_SCHEMA_YAML11, 0, &roots, &n, e);
	buf_free(&text);
	if (st)
		return st;
	const pl_node *dir = n ? pl_gets(roots[0], "stateDir") : NULL;
	pl_node *otherwise = pl_new_string(l->doc, S("./state"));
	if (value_file(l, "stateDir", dir ? dir : otherwise, out))
		return PL_OK;
	err_copy(e, &l->errors->v[0]);
	return PL_EINVAL;
}

pl_status config_state_dir(const char *path, char **dir, struct pl_err *e)
{
	struct err_list errors = {0};
	char *folder = path_dir(path), *real = realpath(folder, NULL);
	struct file file = {.name = str_of(path), .dir = real};
	struct load l = {.a = arena_new(), .doc = pl_doc_new(NULL), .errors = &errors, .file = &file};
	pl_str out = {NULL, 0};
	pl_status st = real ? from_text(&l, path, &out, e) : err_errno(e, errno, "open the folder '%s'", folder);
	*dir = st ? NULL : str_dup(out);
	pl_doc_unref(l.doc);
	arena_free(l.a);
	err_list_free(&errors);
	free(folder);
	free(real);
	return st;
}
