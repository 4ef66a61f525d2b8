/* SPDX-License-Identifier: Apache-2.0 */
/* The tree that plugins see: walks paths step by step through the snapshot's folders and notes every look. */
#include "core/base/mem.h"
#include "core/plugin/private.h"

pl_tree *tree_new(struct snapshot *s, struct trace *t, struct arena *a)
{
	pl_tree *tree = arena_zalloc(a, sizeof(*tree));
	*tree = (pl_tree){.snapshot = s, .trace = t, .arena = a};
	return tree;
}

bool tree_path_ok(pl_str path)
{
	pl_str rest = path, step;
	if (path.n == 0)
		return true;
	if (path.p[0] == '/' || path.p[path.n - 1] == '/' || memchr(path.p, 0, path.n))
		return false;
	while (rest.n) {
		str_cut(rest, '/', &step, &rest);
		if (step.n == 0 || str_eq(step, S(".")) || str_eq(step, S("..")))
			return false;
	}
	return true;
}

/* ---- a walk ---- */

struct walk {
	pl_tree *tree;
	pl_str asked;
	struct buf here;	     /* the folder we stand in, free of links */
	struct buf rest;	     /* steps still to go */
	const struct listing **dirs; /* its listing and those above it; the root's comes first */
	size_t n_dirs, cap_dirs;
	unsigned links;
};

/* What stands at the end of a walk. */
struct found {
	const pl_entry *entry;	   /* NULL: the root */
	const struct listing *dir; /* where entry stands */
	pl_str path;		   /* free of links; in the tree's arena */
};

static pl_str asked(const struct walk *w)
{
	return tree_name(w->tree, w->asked);
}

static void walk_end(struct walk *w)
{
	buf_free(&w->here);
	buf_free(&w->rest);
	free(w->dirs);
}

static pl_status enter(struct walk *w, pl_str id, struct pl_err *e)
{
	const struct listing *l = NULL;
	pl_status st = snapshot_enter(w->tree->snapshot, id, buf_str(&w->here), &l, e);
	if (st)
		return st;
	w->dirs = mem_grow(w->dirs, &w->cap_dirs, w->n_dirs + 1, sizeof(*w->dirs));
	w->dirs[w->n_dirs++] = l;
	return PL_OK;
}

/* Takes the next step off rest; false at the end. The step points into the arena: rest may change. */
static bool next_step(struct walk *w, pl_str *step)
{
	pl_str rest = buf_str(&w->rest);
	while (rest.n && rest.p[0] == '/')
		rest = (pl_str){rest.p + 1, rest.n - 1};
	if (!rest.n)
		return false;
	pl_str head, tail;
	str_cut(rest, '/', &head, &tail);
	*step = arena_dup(w->tree->arena, head);
	memmove(w->rest.p, tail.n ? tail.p : w->rest.p, tail.n);
	buf_cut(&w->rest, tail.n);
	return true;
}

static pl_status step_up(struct walk *w, struct pl_err *e)
{
	if (w->n_dirs == 1 && snapshot_is_whole(w->tree->snapshot))
		return PL_OK; /* as "/.." is "/" */
	if (w->n_dirs == 1)
		return err_set(e, PL_EDENIED,
			       "'%.*s' leaves the repository: a link on the way has more '..' than folders",
			       F(asked(w)));
	/* Paths noted from here on don't lead through this folder, yet without it the way would end. */
	pl_str here = buf_str(&w->here);
	trace_note(w->tree->trace, LOOK_TYPE, &(pl_entry){.type = PL_DIR}, here, S(""));
	const char *slash = memrchr(here.p, '/', here.n);
	buf_cut(&w->here, slash ? (size_t)(slash - here.p) : 0);
	w->n_dirs--;
	return PL_OK;
}

static pl_str path_here(struct walk *w, pl_str name)
{
	return w->here.n ? arena_printf(w->tree->arena, "%.*s/%.*s", F(buf_str(&w->here)), F(name)) : name;
}

/* Does the link's target leave the tree from the folder we stand in, links in it aside? */
static bool escapes(const struct walk *w, pl_str target)
{
	size_t depth = w->n_dirs - 1;
	pl_str step;
	while (target.n) {
		str_cut(target, '/', &step, &target);
		if (str_eq(step, S("..")) && depth-- == 0)
			return true;
		if (step.n && !str_eq(step, S("..")) && !str_eq(step, S(".")))
			depth++;
	}
	return false;
}

static void back_to_root(struct walk *w)
{
	/* The folder left behind must still be one. */
	if (w->n_dirs > 1)
		trace_note(w->tree->trace, LOOK_TYPE, &(pl_entry){.type = PL_DIR}, buf_str(&w->here), S(""));
	buf_clear(&w->here);
	w->n_dirs = 1;
}

static pl_status follow(struct walk *w, const pl_entry *link, pl_str path, struct pl_err *e)
{
	pl_str target;
	trace_note(w->tree->trace, LOOK_CONTENT, link, path, link->id);
	if (++w->links > TREE_LINKS_MAX)
		return err_set(e, PL_EDENIED, "'%.*s' leads through more than %d symbolic links", F(asked(w)),
			       TREE_LINKS_MAX);
	pl_status st = snapshot_read(w->tree->snapshot, w->dirs[w->n_dirs - 1], link, w->tree->arena, &target, e);
	if (st)
		return st;
	if (!target.n || memchr(target.p, 0, target.n))
		return err_set(e, PL_EINVAL, "the symbolic link '%.*s' has no usable target",
			       F(tree_name(w->tree, path)));
	bool whole = snapshot_is_whole(w->tree->snapshot);
	if (!whole && (target.p[0] == '/' || escapes(w, target)))
		return err_set(e, PL_EDENIED, "the symbolic link '%.*s' points to '%.*s', outside the repository",
			       F(tree_name(w->tree, path)), F(target));
	if (target.p[0] == '/')
		back_to_root(w);
	struct buf rest = BUF_INIT(w->rest.max);
	buf_add(&rest, target);
	buf_addc(&rest, '/');
	buf_add(&rest, buf_str(&w->rest));
	buf_free(&w->rest);
	w->rest = rest;
	if (buf_full(&rest))
		return err_set(e, PL_ETOOBIG, "'%.*s' leads to a path that is too long", F(asked(w)));
	return PL_OK;
}

static bool more_steps(const struct walk *w)
{
	for (size_t i = 0; i < w->rest.n; i++) {
		if (w->rest.p[i] != '/')
			return true;
	}
	return false;
}

static pl_status no_such(struct walk *w, pl_str path, const pl_entry *in_the_way, struct pl_err *e)
{
	trace_note(w->tree->trace, in_the_way ? LOOK_TYPE : LOOK_ABSENT, in_the_way, path, S(""));
	if (in_the_way && in_the_way->type == PL_SUBMODULE)
		return err_set(e, PL_EUNSUPPORTED, "'%.*s' is a submodule, whose files are not part of this repository",
			       F(tree_name(w->tree, path)));
	if (in_the_way)
		return err_set(e, PL_ENOTFOUND, "no '%.*s': '%.*s' is a file", F(asked(w)),
			       F(tree_name(w->tree, path)));
	err_set(e, PL_ENOTFOUND, "no such file or folder '%.*s'", F(asked(w)));
	if (!str_eq(path, w->asked)) {
		pl_str here = buf_str(&w->here);
		bool root = !here.n && !w->tree->top.n;
		pl_err_hint(e, "'%.*s' is absent in %s%.*s%s", F(tree_name(w->tree, path)),
			    root ? "the root folder" : "'", F(tree_name(w->tree, here)), root ? "" : "'");
	}
	return PL_ENOTFOUND;
}

/* One step. *end: this was the last one, and *f is what stands there. */
static pl_status step_into(struct walk *w, pl_str name, bool follow_last, struct found *f, bool *end, struct pl_err *e)
{
	const struct listing *dir = w->dirs[w->n_dirs - 1];
	const pl_entry *entry;
	pl_str path = path_here(w, name);
	bool last = !more_steps(w);
	pl_status st = snapshot_find(w->tree->snapshot, dir, name, &entry, e);
	if (st)
		return st;
	if (!entry)
		return no_such(w, path, NULL, e);
	if (entry->type == PL_LINK && (!last || follow_last))
		return follow(w, entry, path, e);
	if (entry->type != PL_DIR && !last)
		return no_such(w, path, entry, e);
	if (entry->type == PL_DIR) {
		trace_note(w->tree->trace, LOOK_HINT, entry, path, entry->id);
		buf_clear(&w->here);
		buf_add(&w->here, path);
		if (!last)
			return enter(w, entry->id, e);
	}
	*f = (struct found){entry, dir, path};
	*end = true;
	return PL_OK;
}

static pl_status walk(struct walk *w, bool follow_last, struct found *f, struct pl_err *e)
{
	bool end = false;
	pl_str step;
	pl_status st = enter(w, S(""), e);
	while (!st && !end && next_step(w, &step)) {
		if (str_eq(step, S("..")))
			st = step_up(w, e);
		else if (!str_eq(step, S(".")))
			st = step_into(w, step, follow_last, f, &end, e);
	}
	if (st || end)
		return st;
	/* A link's target has ended in "." or "..": we stand in the folder itself. */
	if (!w->here.n) {
		*f = (struct found){0};
		return PL_OK;
	}
	pl_str here = arena_dup(w->tree->arena, buf_str(&w->here));
	const char *slash = memrchr(here.p, '/', here.n);
	size_t name_at = slash ? (size_t)(slash - here.p) + 1 : 0;
	const struct listing *above = w->dirs[w->n_dirs - 2];
	*f = (struct found){.dir = above, .path = here};
	return snapshot_find(w->tree->snapshot, above, (pl_str){here.p + name_at, here.n - name_at}, &f->entry, e);
}

/*
 * Where nothing is noted, a file beside one that was looked at before needs no walk: its folder is known, and that no
 * link leads there. false: walk.
 */
static bool find_beside(pl_tree *t, pl_str path, bool follow_last, struct found *f)
{
	const char *slash = memrchr(path.p ? path.p : "", '/', path.n);
	if (t->trace || !slash)
		return false;
	size_t n = (size_t)(slash - path.p);
	f->dir = snapshot_entered(t->snapshot, (pl_str){path.p, n});
	if (!f->dir || snapshot_find(t->snapshot, f->dir, (pl_str){slash + 1, path.n - n - 1}, &f->entry, NULL) ||
	    !f->entry)
		return false;
	f->path = arena_dup(t->arena, path);
	return f->entry->type != PL_SUBMODULE && (f->entry->type != PL_LINK || !follow_last);
}

static pl_status find(pl_tree *t, pl_str path, bool follow_last, struct found *f, struct pl_err *e)
{
	if (!tree_path_ok(path))
		return err_set(e, PL_EINVAL,
			       "'%.*s' is not a path in a repository (no '.', '..', doubled or outer slashes)",
			       F(path));
	if (find_beside(t, path, follow_last, f))
		return PL_OK;
	*f = (struct found){0};
	struct walk w = {.tree = t, .asked = path, .here = BUF_INIT(1 << 20), .rest = BUF_INIT(1 << 20)};
	buf_add(&w.rest, path);
	pl_status st = walk(&w, follow_last, f, e);
	walk_end(&w);
	return st;
}

/* ---- looks ---- */

pl_status tree_stat(pl_tree *t, pl_str path, pl_entry *out, struct pl_err *e)
{
	struct found f = {0};
	pl_status st = find(t, path, true, &f, e);
	if (st)
		return st;
	if (!f.entry || f.entry->type == PL_DIR) {
		/* A folder's id changes with anything below it, so it is neither noted nor told: what is told must be
		 * noted. */
		pl_entry dir = {.size = sizeof(dir), .type = PL_DIR, .name = f.entry ? f.entry->name : S("")};
		trace_note(t->trace, LOOK_TYPE, &dir, f.path, S(""));
		*out = dir;
		return PL_OK;
	}
	trace_note(t->trace, LOOK_CONTENT, f.entry, f.path, f.entry->id);
	*out = *f.entry;
	return PL_OK;
}

static pl_status not_a(pl_tree *t, const struct found *f, pl_str path, const char *wanted, struct pl_err *e)
{
	static const char *const types[] = {"absent", "a file", "a folder", "a symbolic link", "a submodule"};
	uint32_t type = f->entry ? f->entry->type : PL_DIR;
	pl_entry root = {.size = sizeof(root), .type = PL_DIR};
	trace_note(t->trace, LOOK_TYPE, f->entry ? f->entry : &root, f->path, S(""));
	if (type == PL_SUBMODULE)
		return err_set(e, PL_EUNSUPPORTED, "'%.*s' is a submodule, whose files are not part of this repository",
			       F(tree_name(t, path)));
	return err_set(e, PL_EINVAL, "'%.*s' is %s, not %s", F(tree_name(t, path)), types[type], wanted);
}

pl_status tree_list(pl_tree *t, pl_str path, const pl_entry **out, size_t *n, struct pl_err *e)
{
	struct found f = {0};
	const struct listing *l = NULL;
	pl_status st = find(t, path, true, &f, e);
	if (st)
		return st;
	if (f.entry && f.entry->type != PL_DIR)
		return not_a(t, &f, path, "a folder", e);
	st = snapshot_list(t->snapshot, f.entry ? f.entry->id : S(""), f.path, &l, e);
	if (st)
		return st;
	if (t->trace)
		trace_note(t->trace, LOOK_LIST, &(pl_entry){.type = PL_DIR}, f.path, snapshot_digest(t->snapshot, l));
	/* Names and types are what is noted, so nothing more is told. */
	pl_entry *v = arena_array(t->arena, l->n + 1, sizeof(*v));
	for (size_t i = 0; i < l->n; i++)
		v[i] = (pl_entry){.size = sizeof(*v), .type = l->v[i].type, .name = l->v[i].name};
	*out = v;
	*n = l->n;
	return PL_OK;
}

pl_status tree_read(pl_tree *t, pl_str path, struct arena *a, pl_str *out, struct pl_err *e)
{
	struct found f = {0};
	pl_status st = find(t, path, true, &f, e);
	if (st)
		return st;
	if (!f.entry || f.entry->type != PL_FILE)
		return not_a(t, &f, path, "a file", e);
	trace_note(t->trace, LOOK_CONTENT, f.entry, f.path, f.entry->id);
	st = snapshot_read(t->snapshot, f.dir, f.entry, a, out, e);
	if (st)
		pl_err_in(e, "read '%.*s'", F(tree_name(t, path)));
	return st;
}

pl_status tree_readlink(pl_tree *t, pl_str path, struct arena *a, pl_str *out, struct pl_err *e)
{
	struct found f = {0};
	pl_status st = find(t, path, false, &f, e);
	if (st)
		return st;
	if (!f.entry || f.entry->type != PL_LINK)
		return not_a(t, &f, path, "a symbolic link", e);
	trace_note(t->trace, LOOK_CONTENT, f.entry, f.path, f.entry->id);
	return snapshot_read(t->snapshot, f.dir, f.entry, a, out, e);
}

pl_status tree_real(pl_tree *t, pl_str path, pl_str *out, struct pl_err *e)
{
	static const pl_entry root = {.size = sizeof(root), .type = PL_DIR};
	struct found f = {0};
	pl_status st = find(t, path, true, &f, e);
	if (st)
		return st;
	/* The content is not told, so a change of it is none here. */
	trace_note(t->trace, LOOK_TYPE, f.entry ? f.entry : &root, f.path, S(""));
	*out = f.entry ? f.path : S("");
	return PL_OK;
}
