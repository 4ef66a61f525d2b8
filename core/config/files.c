/* SPDX-License-Identifier: Apache-2.0 */
/* Finding and reading the files of a config: each once, in order, within bounds. */
#include "core/config/load.h"

#include "core/base/file.h"
#include "core/base/mem.h"

#include <errno.h>
#include <glob.h>
#include <unistd.h>

/* Far above any real config, low enough that a mistaken include ("/" and all below) ends soon. */
enum { FILES_MAX = 20000, DEPTH_MAX = 16, FILE_BYTES_MAX = 16 * 1024 * 1024, ALL_BYTES_MAX = 256 * 1024 * 1024 };

struct pl_err *mistake_code(struct load *l, pl_status code, pl_place at, const char *fmt, ...)
{
	struct pl_err *e = err_list_add(l->errors);
	struct buf b = BUF_INIT(8192);
	va_list ap;
	va_start(ap, fmt);
	buf_vaddf(&b, fmt, ap);
	va_end(ap);
	if (l->file)
		l->file->broken = true;
	pl_err_set(e, code, at, "%s", b.p ? b.p : "");
	buf_free(&b);
	return e;
}

struct pl_err *mistake(struct load *l, const pl_node *at, const char *fmt, ...)
{
	struct buf b = BUF_INIT(8192);
	va_list ap;
	va_start(ap, fmt);
	buf_vaddf(&b, fmt, ap);
	va_end(ap);
	pl_place place = at ? pl_at(l->doc, at) : (pl_place){l->file ? l->file->name.p : NULL, 0, 0};
	struct pl_err *e = mistake_code(l, PL_EINVAL, place, "%s", b.p ? b.p : "");
	buf_free(&b);
	return e;
}

void warn(struct load *l, const pl_node *at, const char *fmt, ...)
{
	struct buf b = BUF_INIT(8192);
	va_list ap;
	pl_place p = pl_at(l->doc, at);
	buf_addf(&b, "%s:%u:%u: ", p.file ? p.file : "", (unsigned)p.line, (unsigned)p.col);
	va_start(ap, fmt);
	buf_vaddf(&b, fmt, ap);
	va_end(ap);
	l->warnings = mem_grow(l->warnings, &l->cap_warnings, l->n_warnings + 1, sizeof *l->warnings);
	l->warnings[l->n_warnings++] = arena_dup(l->a, buf_str(&b));
	buf_free(&b);
}

static struct file *add_file(struct load *l, const char *path, char *real, unsigned depth)
{
	struct file *f = arena_zalloc(l->a, sizeof *f);
	char *dir = path_dir(real ? real : path);
	f->name = arena_dup(l->a, str_of(path));
	f->dir = arena_dupz(l->a, dir);
	f->real = real;
	f->depth = depth;
	free(dir);
	l->files = mem_grow(l->files, &l->cap_files, l->n_files + 1, sizeof *l->files);
	l->files[l->n_files++] = f;
	return f;
}

/* Where a config file is a link into another folder, paths are relative to the folder it is named in. */
static char *absolute(const char *path)
{
	char *dir = path_dir(path), *full = realpath(dir, NULL);
	const char *slash = strrchr(path, '/');
	char *out = full ? path_join(full, slash ? slash + 1 : path) : NULL;
	free(dir);
	free(full);
	return out;
}

static bool read_before(const struct load *l, const char *real)
{
	for (size_t i = 0; i < l->n_files; i++)
		if (l->files[i]->real && strcmp(l->files[i]->real, real) == 0)
			return true;
	return false;
}

static void read_text(struct load *l, const pl_node *asked)
{
	struct buf text = BUF_INIT(FILE_BYTES_MAX);
	struct pl_err e = ERR_INIT;
	pl_node **roots = NULL;
	size_t n = 0;
	pl_status st = PL_OK;
	if (l->given)
		buf_add(&text, *l->given);
	else
		st = file_read(l->file->name.p, &text, &e);
	if (st) {
		/* The place is where it was asked for: the file itself may not even be there. */
		mistake_code(l, st, asked ? pl_at(l->doc, asked) : NOWHERE, "%s%s", asked ? "include: " : "",
			     pl_err_text(&e));
	} else if ((l->bytes += text.n) > ALL_BYTES_MAX) {
		mistake_code(l, PL_ETOOBIG, NOWHERE, "the config files are larger than %d bytes together",
			     ALL_BYTES_MAX);
	} else {
		st = pl_yaml_read(l->doc, buf_str(&text), l->file->name.p, PL_SCHEMA_YAML11, 0, &roots, &n, &e);
		if (st) {
			struct pl_err *told = err_list_add(l->errors);
			err_copy(told, &e);
			l->file->broken = true;
		}
	}
	for (size_t i = 0; i < n && !st; i++)
		read_document(l, roots[i]);
	err_clear(&e);
	buf_free(&text);
}

void read_file(struct load *l, const char *path, unsigned depth, const pl_node *asked)
{
	char *real = absolute(path);
	if (real && read_before(l, real)) {
		free(real);
		return;
	}
	if (l->n_files >= FILES_MAX || depth > DEPTH_MAX) {
		free(real);
		mistake_code(l, PL_ETOOBIG, pl_at(l->doc, asked),
			     depth > DEPTH_MAX ? "more than %d includes within each other"
					       : "more than %d files are included",
			     depth > DEPTH_MAX ? DEPTH_MAX : FILES_MAX);
		return;
	}
	struct file *outer = l->file;
	l->file = add_file(l, path, real, depth);
	read_text(l, asked);
	if (outer)
		l->file = outer;
}

/* As the includer's file is shown: "conf/plumb.yaml" including "apps.d/x.yaml" shows "conf/apps.d/x.yaml". */
static char *shown_pattern(struct load *l, const pl_node *n)
{
	pl_str s;
	if (!value_string(l, "include", n, &s))
		return NULL;
	if (s.n == 0) {
		mistake(l, n, "'include' is empty");
		return NULL;
	}
	if (s.p[0] == '~') {
		pl_str full;
		return value_file(l, "include", n, &full) ? str_dup(full) : NULL;
	}
	char *dir = path_dir(l->file->name.p), *out;
	out = strcmp(dir, ".") == 0 ? str_dup(s) : path_join(dir, s.p);
	free(dir);
	return out;
}

static bool has_wildcard(const char *s)
{
	return strpbrk(s, "*?[") != NULL;
}

static void include_one(struct load *l, const pl_node *n)
{
	unsigned depth = l->file->depth + 1;
	char *pattern = shown_pattern(l, n);
	glob_t found = {0};
	if (!pattern || l->given) {
		free(pattern);
		return;
	}
	if (!has_wildcard(pattern)) {
		read_file(l, pattern, depth, n);
		free(pattern);
		return;
	}
	int rc = glob(pattern, GLOB_ERR, NULL, &found);
	if (rc == GLOB_NOSPACE)
		BUG("out of memory");
	/* A folder that can't be looked into may hold applications: it is broken, not empty. */
	if (rc == GLOB_ABORTED) {
		struct file *outer = l->file;
		l->file = add_file(l, pattern, NULL, depth);
		mistake_code(l, PL_EIO, pl_at(l->doc, n), "include: '%s': %s", pattern, strerror(errno));
		l->file = outer;
	}
	for (size_t i = 0; rc == 0 && i < found.gl_pathc; i++)
		read_file(l, found.gl_pathv[i], depth, n);
	globfree(&found);
	free(pattern);
}

void read_includes(struct load *l, const pl_node *include)
{
	if (!include)
		return;
	if (pl_kind(include) != PL_LIST) {
		include_one(l, include);
		return;
	}
	for (size_t i = 0; i < pl_len(include); i++)
		include_one(l, pl_item(include, i));
}
