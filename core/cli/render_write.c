/* SPDX-License-Identifier: Apache-2.0 */
/* What was rendered, as text: on stdout, in one file, or in a folder with a file for each resource. */
#include "core/cli/render.h"

#include "core/base/file.h"
#include "core/base/mem.h"
#include "core/doc/identity.h"
#include "core/doc/private.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

/* Up to here nothing is written before all of it is there: who reads the pipe gets the whole or nothing. */
#define WHOLE_MAX (32u * 1024 * 1024)

/* ---- texts ---- */

static pl_status print_yaml(const pl_doc *d, const pl_node *n, struct buf *b, struct pl_err *e)
{
	(void)d;
	return yaml_print(n, PL_PRINT_FIELD, b, e);
}

static pl_status print_json(const pl_doc *d, const pl_node *n, struct buf *b, struct pl_err *e)
{
	(void)d;
	pl_status st = json_print(n, 0, b, e);
	buf_addc(b, '\n');
	return st;
}

static pl_status print_name(const pl_doc *d, const pl_node *n, struct buf *b, struct pl_err *e)
{
	pl_ref r;
	pl_status st = ref_of(d, n, &r, e);
	if (st)
		return st;
	ref_print_short(&r, true, b);
	buf_addc(b, '\n');
	return PL_OK;
}

struct form {
	const char *name;
	pl_status (*print)(const pl_doc *d, const pl_node *n, struct buf *b, struct pl_err *e);
	const char *between;
};

static const struct form *form_of(enum output o)
{
	static const struct form forms[] = {
		[OUTPUT_TABLE] = {"table", print_yaml, "---\n"},
		[OUTPUT_JSON] = {"json", print_json, ""},
		[OUTPUT_YAML] = {"yaml", print_yaml, "---\n"},
		[OUTPUT_NAME] = {"name", print_name, ""},
	};
	return &forms[o];
}

int render_output(struct cli *c)
{
	const char *to = cli_value(c, CLI_OUTPUT);
	c->output = OUTPUT_YAML;
	for (enum output o = OUTPUT_TABLE; to && o <= OUTPUT_NAME; o++)
		if (strcmp(to, form_of(o)->name) == 0)
			c->output = o;
	return to && !*to ? cli_usage(c, "--output is empty") : -1;
}

/* The path that --output names; NULL: stdout. */
static const char *path_of(const struct cli *c)
{
	const char *to = cli_value(c, CLI_OUTPUT);
	return !to || strcmp(to, "-") == 0 || strcmp(to, form_of(c->output)->name) == 0 ? NULL : to;
}

/* ---- one text ---- */

/* fd -1: all stays in b. */
static pl_status print_all(const struct form *f, int fd, const pl_doc *d, pl_node *const *v, size_t n, struct buf *b,
			   struct pl_err *e)
{
	pl_status st = PL_OK;
	for (size_t i = 0; i < n && !st; i++) {
		if (i)
			buf_addz(b, f->between);
		st = f->print(d, v[i], b, e);
		if (!st && fd >= 0 && (b->n > WHOLE_MAX || i + 1 == n)) {
			st = fd_write_all(fd, buf_str(b), e);
			buf_clear(b);
		}
	}
	return st;
}

static pl_status to_stdout(struct cli *c, const pl_doc *d, pl_node *const *v, size_t n, struct pl_err *e)
{
	struct buf b = BUF_INIT(SIZE_MAX / 4);
	fflush(stdout);
	pl_status st = print_all(form_of(c->output), STDOUT_FILENO, d, v, n, &b, e);
	buf_free(&b);
	return st ? pl_err_in(e, "print on stdout") : PL_OK;
}

/* ---- files ---- */

/* name in dir by a temporary file beside it: whole or as it was. A file that is there keeps its mode. */
static pl_status replace(int dir, const char *name, pl_str bytes, bool durable, struct pl_err *e)
{
	struct stat old;
	char tmp[PATH_MAX];
	const char *slash = strrchr(name, '/');
	int n = snprintf(tmp, sizeof tmp, "%.*s.plumb-tmp-%ld", slash ? (int)(slash + 1 - name) : 0, name,
			 (long)getpid());
	if (n < 0 || (size_t)n >= sizeof tmp)
		return err_set(e, PL_EINVAL, "write '%s': the name is too long", name);
	bool there = fstatat(dir, name, &old, 0) == 0;
	int fd = openat(dir, tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0666);
	if (fd < 0)
		return err_errno(e, errno, "write '%s'", name);
	pl_status st = fd_write_all(fd, bytes, e);
	if (!st && there && fchmod(fd, old.st_mode & 07777) < 0)
		st = err_errno(e, errno, "set the mode");
	if (!st && durable && fsync(fd) < 0)
		st = err_errno(e, errno, "fsync");
	if (close(fd) < 0 && !st)
		st = err_errno(e, errno, "close");
	if (!st && renameat(dir, tmp, dir, name) < 0)
		st = err_errno(e, errno, "rename");
	if (st)
		unlinkat(dir, tmp, 0);
	return st ? pl_err_in(e, "write '%s'", name) : PL_OK;
}

/* Devices and pipes are written to; of a link the file behind it is replaced. */
static pl_status put_file(struct cli *c, const char *path, pl_str text, struct pl_err *e)
{
	struct stat st;
	if (stat(path, &st) == 0 && !S_ISREG(st.st_mode)) {
		int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
		pl_status s = fd < 0 ? err_errno(e, errno, "open") : fd_write_all(fd, text, e);
		if (fd >= 0)
			close(fd);
		return s ? pl_err_in(e, "write '%s'", path) : PL_OK;
	}
	char *real = realpath(path, NULL);
	pl_status s = replace(AT_FDCWD, real ? real : path, text, true, e);
	free(real);
	(void)c;
	return s;
}

static pl_status to_file(struct cli *c, const char *path, const pl_doc *d, pl_node *const *v, size_t n,
			 struct pl_err *e)
{
	struct buf b = BUF_INIT(SIZE_MAX / 4);
	pl_status st = print_all(form_of(OUTPUT_YAML), -1, d, v, n, &b, e);
	if (!st)
		st = put_file(c, path, buf_str(&b), e);
	buf_free(&b);
	return st;
}

/* ---- a folder ---- */

struct named {
	pl_str file;
	const pl_node *node;
};

static int by_file(const void *a, const void *b)
{
	const struct named *x = a, *y = b;
	return str_cmp(x->file, y->file);
}

static void add_lower(struct buf *b, pl_str s)
{
	for (size_t i = 0; i < s.n; i++)
		buf_addc(b, s.p[i] >= 'A' && s.p[i] <= 'Z' ? (char)(s.p[i] + 32) : s.p[i]);
}

static pl_str effective_namespace(const pl_ref *r)
{
	if (scope_known(r->group, r->kind) == SCOPE_CLUSTER)
		return (pl_str){0};
	return r->ns.n ? r->ns : S("default");
}

/* As kustomize names them: [NAMESPACE_][GROUP_]VERSION_KIND_NAME.yaml in lower case; the namespace when there are two.
 */
static pl_str file_name(struct cli *c, const pl_ref *r, bool many)
{
	struct buf b = BUF_INIT(1 << 20);
	pl_str ns = effective_namespace(r);
	const pl_str parts[] = {many ? ns : (pl_str){0}, r->group, r->version, r->kind, r->name};
	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
		if (!parts[i].n)
			continue;
		if (b.n)
			buf_addc(&b, '_');
		add_lower(&b, parts[i]);
	}
	buf_addz(&b, ".yaml");
	pl_str name = arena_dup(c->arena, buf_str(&b));
	buf_free(&b);
	return name;
}

/* Refs of all; *many: their namespaces differ. */
static pl_status refs_of(const pl_doc *d, pl_node *const *v, size_t n, pl_ref *refs, bool *many, struct pl_err *e)
{
	pl_str first = {0};
	for (size_t i = 0; i < n; i++) {
		pl_status st = ref_of(d, v[i], &refs[i], e);
		if (st)
			return st;
		pl_str ns = effective_namespace(&refs[i]);
		*many |= first.n && ns.n && !str_eq(first, ns);
		first = first.n ? first : ns;
	}
	return PL_OK;
}

static pl_status name_files(struct cli *c, const pl_doc *d, pl_node *const *v, size_t n, struct named *out,
			    struct pl_err *e)
{
	pl_ref *refs = arena_array(c->arena, n + 1, sizeof *refs);
	bool many = false;
	pl_status st = refs_of(d, v, n, refs, &many, e);
	for (size_t i = 0; i < n && !st; i++) {
		out[i] = (struct named){file_name(c, &refs[i], many), v[i]};
		if (memchr(out[i].file.p, '/', out[i].file.n) || memchr(out[i].file.p, 0, out[i].file.n))
			st = pl_err_set(e, PL_EINVAL, pl_at(d, v[i]), "'%.*s' is no name for a file", F(out[i].file));
	}
	struct named *sorted = arena_array(c->arena, n + 1, sizeof *sorted);
	if (n)
		memcpy(sorted, out, n * sizeof *sorted);
	qsort(sorted, n, sizeof *sorted, by_file);
	for (size_t i = 1; i < n && !st; i++)
		if (str_eq(sorted[i - 1].file, sorted[i].file))
			st = pl_err_set(e, PL_EEXIST, pl_at(d, sorted[i].node),
					"two resources would be written to the file '%.*s'", F(sorted[i].file));
	return st;
}

static pl_status to_folder(struct cli *c, const char *path, const pl_doc *d, pl_node *const *v, size_t n,
			   struct pl_err *e)
{
	struct named *files = arena_array(c->arena, n + 1, sizeof *files);
	struct buf b = BUF_INIT(SIZE_MAX / 4);
	pl_status st = name_files(c, d, v, n, files, e);
	int dir = st ? -1 : open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (!st && dir < 0)
		st = err_errno(e, errno, "open the folder");
	for (size_t i = 0; i < n && !st; i++) {
		buf_clear(&b);
		st = yaml_print(files[i].node, PL_PRINT_FIELD, &b, e);
		if (!st)
			st = replace(dir, files[i].file.p, buf_str(&b), false, e);
	}
	if (dir >= 0)
		close(dir);
	buf_free(&b);
	return st ? pl_err_in(e, "write into '%s'", path) : PL_OK;
}

int render_write(struct cli *c, const pl_doc *d, pl_node *const *v, size_t n)
{
	struct pl_err e = ERR_INIT;
	const char *path = path_of(c);
	pl_status st = !path		   ? to_stdout(c, d, v, n, &e)
		       : file_is_dir(path) ? to_folder(c, path, d, v, n, &e)
					   : to_file(c, path, d, v, n, &e);
	return st ? cli_fail(&e) : EXIT_GOOD;
}
