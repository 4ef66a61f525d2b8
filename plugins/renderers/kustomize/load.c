/* SPDX-License-Identifier: Apache-2.0 */
#include "load.h"

#include "remote.h"

bool cancelled(struct build *b, pl_status *st)
{
	if (!b->h->cancelled(b->h->ctx))
		return false;
	*st = fail(b, b->h->remaining_ms(b->h->ctx) > 0 ? PL_ECANCELLED : PL_ETIMEOUT, NULL, "the build was stopped");
	return true;
}

bool is_inline(pl_str text)
{
	return (text.n && memchr(text.p, '\n', text.n)) || (text.n && memchr(text.p, '{', text.n));
}

static pl_str tree_name(struct build *b, const struct target *t, pl_str path)
{
	return b->h->tree_name(b->h->ctx, t->tree, path);
}

/* The tree is the whole file system, whose root has a name: paths that begin with "/" name something in it. */
static bool is_whole(struct build *b, const struct target *t)
{
	return t->tree == b->call->tree && tree_name(b, t, S("")).n;
}

bool path_join(struct build *b, pl_str dir, pl_str path, bool clamp, pl_str *out)
{
	char *p = arena_alloc(b->mem, dir.n + path.n + 2);
	size_t n = dir.n;
	if (n)
		memcpy(p, dir.p, n);
	while (path.p && path.n) {
		pl_str step = str_cut(&path, '/');
		if (!step.n || str_is(step, "."))
			continue;
		if (str_is(step, "..")) {
			if (!n && !clamp)
				return false;
			while (n && p[n - 1] != '/')
				n--;
			n -= n > 0;
			continue;
		}
		if (n)
			p[n++] = '/';
		memcpy(p + n, step.p, step.n);
		n += step.n;
	}
	p[n] = '\0';
	*out = (pl_str){p, n};
	return true;
}

static bool is_below(pl_str path, pl_str dir)
{
	return !dir.n || (str_starts(path, dir) && (path.n == dir.n || path.p[dir.n] == '/'));
}

static pl_str folder_of(pl_str path)
{
	const char *slash = path.n ? memrchr(path.p, '/', path.n) : NULL;
	return slash ? (pl_str){path.p, (size_t)(slash - path.p)} : S("");
}

pl_status look_failed(struct build *b, pl_status code, const pl_node *at, pl_str name)
{
	if (code == PL_ENOTFOUND)
		return fail(b, code, at, "no such file or folder '%.*s'", F(name));
	pl_str why = b->h->reason(b->h->ctx);
	return fail(b, code, at, "read '%.*s': %.*s", F(name), F(why.n ? why : str_of(pl_status_name(code))));
}

/* path in t's tree, its steps done. */
static pl_status resolve(struct build *b, const struct target *t, const pl_node *at, pl_str path, pl_str *out)
{
	bool whole = is_whole(b, t);
	if (!path.n)
		return fail(b, PL_EINVAL, at, "an empty path names nothing");
	if (memchr(path.p, '\0', path.n))
		return fail(b, PL_EINVAL, at, "a path may not hold a NUL");
	if (path.p[0] == '/' && !whole)
		return fail(b, PL_EINVAL, at,
			    "'%.*s' is an absolute path, and those name nothing in a repository: write it relative to "
			    "the folder of the kustomization, '%.*s'",
			    F(path), F(t->shown));
	if (!path_join(b, path.p[0] == '/' ? S("") : t->root, path, whole, out))
		return fail(b, PL_EDENIED, at, "'%.*s' leads out of the repository: '%.*s' is not that deep", F(path),
			    F(t->shown));
	return PL_OK;
}

/* A file by the root-only rule: with all links followed it lies below the target's folder. */
static pl_status restrict_file(struct build *b, const struct target *t, const pl_node *at, pl_str path, pl_str whole)
{
	pl_str real;
	if (t->anywhere)
		return PL_OK;
	pl_status st = b->h->tree_real(b->h->ctx, t->tree, whole, &real);
	if (st)
		return look_failed(b, st, at, tree_name(b, t, whole));
	if (is_below(folder_of(real), t->root))
		return PL_OK;
	st = fail(b, PL_EDENIED, at,
		  "the file '%.*s'%s%.*s%s is not in or below '%.*s', the folder of the kustomization", F(path),
		  str_eq(real, whole) ? "" : " (a link to '", F(str_eq(real, whole) ? S("") : tree_name(b, t, real)),
		  str_eq(real, whole) ? "" : "')", F(t->shown));
	pl_err_hint(b->err, t->remote ? "files of a remote kustomization never lie outside of it"
				      : "move it, or lift the rule with --load-restrictor=LoadRestrictionsNone");
	return st;
}

static pl_status no_file(struct build *b, const struct target *t, const pl_node *at, pl_str path)
{
	pl_status st = fail(b, PL_ENOTFOUND, at, "no such file or folder '%.*s' in '%.*s'", F(path), F(t->shown));
	pl_str dir, name = path;
	const pl_entry *v;
	size_t n;
	const char *slash = memrchr(path.p, '/', path.n);
	if (slash)
		name = (pl_str){slash + 1, path.n - (size_t)(slash + 1 - path.p)};
	if (path.p[0] == '/' || !path_join(b, t->root, folder_of(path), false, &dir) ||
	    b->h->tree_list(b->h->ctx, t->tree, dir, &v, &n) || n > 1000)
		return st;
	const char **names = arena_alloc(b->mem, (n + 1) * sizeof(*names));
	for (size_t i = 0; i < n; i++)
		names[i] = arena_dup(b->mem, v[i].name).p;
	const char *near = str_nearest(name, names, n);
	if (near)
		pl_err_hint(b->err, "did you mean '%s'?", near);
	return st;
}

pl_status target_load(struct build *b, struct target *t, const pl_node *at, pl_str path, pl_str *text,
		      const char **file)
{
	pl_entry e = {.size = sizeof(e)};
	pl_str whole;
	if (remote_is_http(path))
		return remote_file(b, path, at, text, file);
	pl_status st = resolve(b, t, at, path, &whole);
	if (st)
		return st;
	st = b->h->tree_stat(b->h->ctx, t->tree, whole, &e);
	if (st == PL_ENOTFOUND)
		return no_file(b, t, at, path);
	if (st)
		return look_failed(b, st, at, tree_name(b, t, whole));
	if (e.type == PL_DIR)
		return fail(b, PL_EINVAL, at, "'%.*s' is a folder, a file is due here", F(path));
	st = restrict_file(b, t, at, path, whole);
	if (st)
		return st;
	*file = arena_dup(b->mem, tree_name(b, t, whole)).p;
	st = b->h->tree_read(b->h->ctx, t->tree, whole, text);
	return st ? look_failed(b, st, at, str_of(*file)) : PL_OK;
}

pl_status target_look(struct build *b, struct target *t, const pl_node *at, pl_str path, enum path_kind *out)
{
	struct remote r;
	const char *why;
	pl_str whole;
	pl_entry e = {.size = sizeof(e)};
	*out = PATH_URL;
	if (remote_is_http(path))
		return PL_OK;
	pl_status st = resolve(b, t, at, path, &whole);
	if (st)
		return remote_read(b, path, &r, &why) ? PL_OK : st;
	st = b->h->tree_stat(b->h->ctx, t->tree, whole, &e);
	if (st && st != PL_ENOTFOUND)
		return look_failed(b, st, at, tree_name(b, t, whole));
	bool there = !st && e.type != PL_ABSENT;
	if (there && e.type != PL_DIR)
		*out = PATH_FILE;
	else if (!remote_read(b, path, &r, &why))
		*out = there ? PATH_DIR : PATH_ABSENT;
	return *out == PATH_ABSENT ? no_file(b, t, at, path) : PL_OK;
}

/* ---- folders ---- */

/* The root of t may not be, nor lie above, a root on the way to it. */
static pl_status refuse_cycle(struct build *b, const struct target *t, const pl_node *at)
{
	for (const struct target *a = t->above; a; a = a->above) {
		if (a->tree != t->tree || !is_below(a->root, t->root))
			continue;
		pl_str chain = t->shown;
		for (const struct target *s = t->above; s; s = s->above) {
			chain = arena_printf(b->mem, "%.*s -> %.*s", F(s->shown), F(chain));
			if (s == a)
				break;
		}
		return fail(b, PL_EINVAL, at, "cycle detected: '%.*s' %s '%.*s', which uses it (%.*s)", F(t->shown),
			    str_eq(a->root, t->root) ? "is used again by" : "contains",
			    F(str_eq(a->root, t->root) ? t->above->shown : a->shown), F(chain));
	}
	return PL_OK;
}

static pl_status real_folder(struct build *b, struct target *t, const pl_node *at, pl_str path, pl_str written)
{
	pl_entry e = {.size = sizeof(e)};
	pl_status st = b->h->tree_stat(b->h->ctx, t->tree, path, &e);
	if (!st && e.type != PL_DIR)
		return fail(b, PL_EINVAL, at, "'%.*s' is a file, the folder of a kustomization is due here",
			    F(written));
	if (!st)
		st = b->h->tree_real(b->h->ctx, t->tree, path, &t->root);
	if (st)
		return look_failed(b, st, at, written);
	t->root = arena_dup(b->mem, t->root);
	t->shown = arena_dup(b->mem, b->h->tree_name(b->h->ctx, t->tree, t->root));
	if (!t->shown.n)
		t->shown = S(".");
	return PL_OK;
}

static pl_status open_remote(struct build *b, struct target *t, const pl_node *at, struct remote *r)
{
	for (const struct target *a = t->above; a; a = a->above)
		if (a->remote && str_starts(a->remote->raw, r->raw))
			return fail(b, PL_EINVAL, at, "cycle detected: '%.*s' is used by '%.*s'", F(r->raw),
				    F(a->remote->raw));
	pl_status st = remote_open(b, r, at, &t->tree);
	if (st)
		return st;
	struct remote *keep = arena_alloc(b->mem, sizeof(*keep));
	*keep = *r;
	t->remote = keep;
	t->anywhere = false;
	return real_folder(b, t, at, r->path, r->raw);
}

pl_status target_below(struct build *b, struct target *above, const pl_node *at, pl_str path, struct target **out)
{
	struct target *t = arena_alloc(b->mem, sizeof(*t));
	struct remote r;
	const char *why;
	pl_str whole;
	pl_status st;
	*t = (struct target){.above = above, .tree = above->tree, .anywhere = above->anywhere, .origin = above->origin};
	*out = t;
	if (remote_read(b, path, &r, &why))
		return open_remote(b, t, at, &r);
	if (remote_is_http(path))
		return fail(b, PL_EINVAL, at, "'%.*s' is no repository: %s", F(path), why);
	if (path.n && path.p[0] == '/')
		return fail(b, PL_EINVAL, at, "the folder '%.*s' must be told relative to '%.*s'", F(path),
			    F(above->shown));
	st = resolve(b, above, at, path, &whole);
	if (!st)
		st = real_folder(b, t, at, whole, path);
	return st ? st : refuse_cycle(b, t, at);
}

pl_status target_top(struct build *b, struct target **out)
{
	struct target *t = arena_alloc(b->mem, sizeof(*t));
	*t = (struct target){.tree = b->call->tree, .anywhere = b->options->anywhere};
	struct remote r;
	const char *why;
	*out = t;
	if (!b->options->url.n)
		return real_folder(b, t, NULL, b->call->path, b->h->tree_name(b->h->ctx, t->tree, b->call->path));
	if (!remote_read(b, b->options->url, &r, &why))
		return fail(b, PL_EINVAL, NULL, "'%.*s' is no repository: %s", F(b->options->url), why);
	return open_remote(b, t, NULL, &r);
}
