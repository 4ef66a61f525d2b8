/* SPDX-License-Identifier: Apache-2.0 */
/* yaml: a stream of YAML documents as JSON lines. */
#include "core/cli/commands.h"

#include "core/base/file.h"
#include "core/doc/private.h"

enum { FILE_LIMIT = 256 * 1024 * 1024 };

int cmd_yaml(struct cli *c)
{
	struct pl_err e = ERR_INIT;
	struct buf in = BUF_INIT(FILE_LIMIT), out = BUF_INIT((size_t)4 * FILE_LIMIT);
	pl_status st = file_read_input(c->args[0], &in, &e);
	if (!st)
		st = yaml_to_json_lines(buf_str(&in), c->args[0], &out, &e);
	if (!st)
		fwrite(out.p, 1, out.n, stdout);
	buf_free(&in);
	buf_free(&out);
	return st ? cli_fail(&e) : EXIT_GOOD;
}
