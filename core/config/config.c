/* SPDX-License-Identifier: Apache-2.0 */
#include "core/config/config.h"

#include "core/base/file.h"
#include "core/base/mem.h"
#include "core/config/table.h"

#include <stdatomic.h>

struct config {
	atomic_uint refs;
	struct arena *a;
	pl_doc *doc;
	struct config_root root;
	const struct config_app **by_name; /* sorted; n_apps */
	const pl_str *warnings;
	size_t n_warnings;
	struct file *const *files; /* in a */
	size_t n_files;
};

static void load_free(struct load *l)
{
	for (size_t i = 0; i < l->n_files; i++) {
		free(l->files[i]->real);
		l->files[i]->real = NULL; /* the rest of it lives on in the config */
	}
	free(l->files);
	free(l->drafts);
	free(l->sources);
	free(l->targets);
	free(l->plugins);
	free(l->warnings);
	pl_doc_unref(l->scratch);
}

static int by_name(const void *a, const void *b)
{
	const struct config_app *const *x = a, *const *y = b;
	return str_cmp((*x)->name, (*y)->name);
}

static void *keep(struct arena *a, const void *v, size_t n, size_t size)
{
	void *out = arena_array(a, n, size);
	if (n)
		memcpy(out, v, n * size);
	return out;
}

static void note_broken(struct load *l, struct config_root *r)
{
	pl_str *v = arena_array(l->a, l->n_files, sizeof *v);
	for (size_t i = 1; i < l->n_files; i++)
		if (l->files[i]->broken)
			v[r->n_broken_includes++] = l->files[i]->name;
	r->broken_includes = v;
}

static struct config *make(struct load *l)
{
	struct config *c = arena_zalloc(l->a, sizeof *c);
	struct config_root *r = &c->root;
	const struct fragment *m = &l->main;
	atomic_init(&c->refs, 1);
	resolve(l, r);
	if (l->files[0]->broken && !l->lenient)
		return NULL;
	note_broken(l, r);
	r->poll_ms = m->poll_ms;
	r->state_dir = m->state_dir;
	r->listen = m->listen;
	r->plugin_path = m->plugin_path;
	r->n_plugin_path = m->n_plugin_path;
	r->remote_hosts = m->remote_hosts;
	r->n_remote_hosts = m->n_remote_hosts;
	r->path = arena_dup(l->a, str_of(l->files[0]->real));
	c->by_name = arena_array(l->a, r->n_apps, sizeof *c->by_name);
	for (size_t i = 0; i < r->n_apps; i++)
		c->by_name[i] = &r->apps[i];
	qsort(c->by_name, r->n_apps, sizeof *c->by_name, by_name);
	c->warnings = keep(l->a, l->warnings, l->n_warnings, sizeof *l->warnings);
	c->n_warnings = l->n_warnings;
	c->files = keep(l->a, l->files, l->n_files, sizeof *l->files);
	c->n_files = l->n_files;
	c->a = l->a;
	c->doc = l->doc;
	pl_doc_freeze(c->doc);
	return c;
}

struct order {
	struct file *const *files;
	size_t n;
};

static size_t rank(const struct order *o, const struct pl_err *e)
{
	size_t i = 0;
	while (i < o->n && !(e->file && str_eqz(o->files[i]->name, e->file)))
		i++;
	return i;
}

static int by_place(const void *a, const void *b, void *order)
{
	const struct pl_err *x = a, *y = b;
	size_t rx = rank(order, x), ry = rank(order, y);
	if (rx != ry)
		return rx < ry ? -1 : 1;
	if (x->line != y->line)
		return x->line < y->line ? -1 : 1;
	return (x->col > y->col) - (x->col < y->col);
}

void config_sort_errors(const struct config *c, struct err_list *errors)
{
	struct order o = {c->files, c->n_files};
	if (errors->n)
		qsort_r(errors->v, errors->n, sizeof *errors->v, by_place, &o);
}

static struct config *read_all(const char *path, const pl_str *given, bool lenient, struct err_list *errors)
{
	size_t told = errors->n;
	static const pl_limits limits = {.max_depth = 64, .max_nodes = 4000000};
	struct load l = {.a = arena_new(),
			 .doc = pl_doc_new(&limits),
			 .scratch = pl_doc_new(NULL),
			 .errors = errors,
			 .lenient = lenient,
			 .given = given};
	while (str_starts(str_of(path), S("./")) && path[2] != '/')
		path += 2;
	read_file(&l, path, 0, NULL);
	/* A file of Application documents alone has the defaults. */
	if (!l.main_read)
		table_read(&l, &root_table, (pl_str){NULL, 0}, pl_new_map(l.scratch), &l.main);
	struct config *c = make(&l);
	/* As they stand in the files, not as they were found: names are looked up last. */
	struct order o = {l.files, l.n_files};
	if (errors->n > told)
		qsort_r(errors->v + told, errors->n - told, sizeof *errors->v, by_place, &o);
	load_free(&l);
	if (!c) {
		arena_free(l.a);
		pl_doc_unref(l.doc);
	}
	return c;
}

struct config *config_read(const char *path, struct err_list *errors)
{
	return read_all(path, NULL, false, errors);
}

struct config *config_read_parts(const char *path, struct err_list *errors)
{
	return read_all(path, NULL, true, errors);
}

struct config *config_read_text(pl_str text, const char *name, struct err_list *errors)
{
	return read_all(name, &text, false, errors);
}

struct config *config_ref(struct config *c)
{
	atomic_fetch_add(&c->refs, 1);
	return c;
}

void config_unref(struct config *c)
{
	if (!c || atomic_fetch_sub(&c->refs, 1) != 1)
		return;
	pl_doc_unref(c->doc);
	arena_free(c->a); /* c itself lies in it */
}

const struct config_root *config_get(const struct config *c)
{
	return &c->root;
}

const pl_doc *config_doc(const struct config *c)
{
	return c->doc;
}

const struct config_app *config_app(const struct config *c, pl_str name)
{
	size_t lo = 0, hi = c->root.n_apps;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		int d = str_cmp(c->by_name[mid]->name, name);
		if (d == 0)
			return c->by_name[mid];
		if (d < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return NULL;
}

const pl_str *config_warnings(const struct config *c, size_t *n)
{
	*n = c->n_warnings;
	return c->warnings;
}

const char *config_dir(const struct config *c, pl_place at)
{
	for (size_t i = 0; at.file && i < c->n_files; i++)
		if (str_eqz(c->files[i]->name, at.file))
			return c->files[i]->dir;
	return c->files[0]->dir;
}

pl_status config_find(const char *given, char **path, struct pl_err *e)
{
	static const char *const places[] = {"plumb.yaml", "/etc/plumb/plumb.yaml"};
	*path = NULL;
	if (given && !file_exists(given))
		return err_set(e, PL_ENOTFOUND, "there is no config file '%s'", given);
	if (given)
		*path = str_dup(str_of(given));
	for (size_t i = 0; i < sizeof places / sizeof *places && !*path; i++)
		if (file_exists(places[i]))
			*path = str_dup(str_of(places[i]));
	if (*path)
		return PL_OK;
	err_set(e, PL_ENOTFOUND, "there is no config file: looked for './plumb.yaml' and '/etc/plumb/plumb.yaml'");
	pl_err_hint(e, "name one with -c FILE");
	return PL_ENOTFOUND;
}
