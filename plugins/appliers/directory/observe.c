/* SPDX-License-Identifier: Apache-2.0 */
#include "directory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CRD_FOLDER "CustomResourceDefinition.apiextensions.k8s.io"

static void answer_error(const pl_host *h, pl_status st, pl_err *e, pl_live *out)
{
	out->status = st;
	if (st != PL_ENOTFOUND) {
		const char *text = pl_err_text(e);
		out->error = give(h, (pl_str){text, strlen(text)});
	}
}

/* JSON is read fastest; what JSON can't say (.inf) goes as YAML. */
static pl_status print(const struct object *o, char **text, size_t *n, pl_err *e)
{
	pl_status st = pl_json_write(o->node, 0, text, n, e);
	return st == PL_EINVAL ? pl_yaml_write(o->node, 0, text, n, e) : st;
}

/* A file's mode is no part of its text, so what is wrong with it is told as if it were. */
static void show_mode(struct object *o)
{
	char mode[16];
	int n = snprintf(mode, sizeof(mode), "%04o", (unsigned)(o->st.st_mode & 07777));
	pl_node *metadata = pl_gets(o->node, "metadata"), *annotations = pl_gets(metadata, "annotations");
	if (pl_kind(annotations) != PL_MAP) {
		annotations = pl_new_map(o->doc);
		(void)pl_sets(o->doc, metadata, "annotations", annotations);
	}
	(void)pl_sets(o->doc, annotations, MODE_MARK, pl_new_string(o->doc, (pl_str){mode, (size_t)n}));
}

static void answer(const pl_host *h, struct object *o, pl_live *out)
{
	char *text = NULL;
	size_t n = 0;
	pl_err *e = pl_err_new();
	if (o->tracking.n && mode_excess(&out->ref, &o->st))
		show_mode(o);
	pl_status st = print(o, &text, &n, e);
	out->tracking = give(h, o->tracking);
	if (st)
		answer_error(h, st, e, out);
	else
		out->text = give(h, (pl_str){text, n});
	pl_free(text);
	pl_err_free(e);
}

static void observe_one(const pl_host *h, struct directory *d, const pl_ref *ref, pl_live *out)
{
	struct spot s;
	struct object o = {0};
	pl_err *e = pl_err_new();
	*out = (pl_live){.size = sizeof(*out), .status = PL_OK, .ref = *ref};
	pl_status st = spot_of(ref, &s, e);
	st = st ? st : object_read(d, &s, &o, e);
	if (st)
		answer_error(h, st, e, out);
	else
		answer(h, &o, out);
	object_free(&o);
	pl_err_free(e);
}

pl_status directory_observe(const pl_host *h, void *self, const pl_ref *refs, size_t n, pl_live *out)
{
	struct directory *d = self;
	pl_err *e = pl_err_new();
	pl_status st = root_open(d, 0, e);
	if (st && st != PL_ENOTFOUND)
		return fail(h, st, e);
	pl_err_free(e);
	for (size_t i = 0; i < n; i++) {
		pl_status stop = stopped(h);
		if (stop)
			return stop;
		if (st) /* no folder yet: nothing is live */
			out[i] = (pl_live){.size = sizeof(out[i]), .status = PL_ENOTFOUND, .ref = refs[i]};
		else
			observe_one(h, d, &refs[i], &out[i]);
	}
	return PL_OK;
}

/* ---- scan ---- */

struct scan {
	const pl_host *h;
	struct directory *d;
	pl_str app;
	int32_t (*each)(void *ctx, const pl_live *live);
	const char *ns, *kind; /* where we are; NULL above */
};

/* Everything of a file that says who it is. Objects without a mark are nobody's, so not ours to tell of. */
static pl_status scan_file(struct scan *s, int dir, const char *name)
{
	pl_ref ref;
	struct spot spot;
	if (!spot_ref(s->ns, s->kind, name, &ref))
		return PL_OK;
	pl_err *e = pl_err_new();
	struct object o = {0};
	pl_live live = {.size = sizeof(live), .ref = ref};
	int stop = 0;
	pl_status st = spot_of(&ref, &spot, e);
	st = st ? st : object_read_at(s->d, dir, &spot, &o, e);
	if (st && st != PL_ENOTFOUND) {
		/* It may be ours: somebody must hear of it. */
		answer_error(s->h, st, e, &live);
		stop = s->each(s->h->ctx, &live);
	} else if (!st && o.tracking.n && (!s->app.n || same(tracking_app(o.tracking), s->app))) {
		pl_str version = pl_text(pl_gets(o.node, "apiVersion"));
		const char *slash = version.n ? memrchr(version.p, '/', version.n) : NULL;
		if (slash)
			version = (pl_str){slash + 1, version.n - (size_t)(slash + 1 - version.p)};
		live.ref.version = version;
		answer(s->h, &o, &live);
		stop = s->each(s->h->ctx, &live);
	}
	object_free(&o);
	pl_err_free(e);
	return stop ? PL_ECANCELLED : stopped(s->h);
}

static pl_status scan_entry(void *ctx, int dir, const char *name, int is_folder)
{
	struct scan *s = ctx;
	if (s->kind)
		return is_folder ? PL_OK : scan_file(s, dir, name);
	if (!is_folder || !step_ok(name))
		return PL_OK;
	struct scan below = *s;
	if (s->ns)
		below.kind = name;
	else
		below.ns = name;
	int fd = step_down(dir, name);
	if (fd < 0) /* gone in between; but what can't be read may be ours */
		return errno == ENOENT || errno == ENOTDIR || errno == ELOOP ? PL_OK : PL_EIO;
	pl_status st = each_entry(fd, scan_entry, &below);
	close(fd);
	return st;
}

pl_status directory_scan(const pl_host *h, void *self, pl_str app, int32_t (*each)(void *ctx, const pl_live *live))
{
	struct directory *d = self;
	pl_err *e = pl_err_new();
	struct scan s = {.h = h, .d = d, .app = app, .each = each};
	pl_status st = root_open(d, 0, e);
	if (st == PL_ENOTFOUND) {
		pl_err_free(e);
		return PL_OK;
	}
	if (st)
		return fail(h, st, e);
	st = each_entry(d->root, scan_entry, &s);
	if (st == PL_EIO)
		return fail(
			h,
			pl_err_set(e, st, (pl_place){NULL, 0, 0}, "a folder of the target '%s' can't be read", d->path),
			e);
	pl_err_free(e);
	/* The caller's own wish to stop is no failure. */
	return st == PL_ECANCELLED ? stopped(h) : st;
}

/* ---- fingerprints ---- */

static uint64_t mix(uint64_t h, uint64_t v)
{
	h ^= v + 0x9e3779b97f4a7c15u + (h << 6) + (h >> 2);
	return h * 0xff51afd7ed558ccdu;
}

static uint64_t mark_of(const struct stat *st)
{
	uint64_t h = mix(0, (uint64_t)st->st_ino);
	h = mix(h, (uint64_t)st->st_size);
	h = mix(h, (uint64_t)st->st_mtim.tv_sec);
	h = mix(h, (uint64_t)st->st_mtim.tv_nsec);
	h = mix(h, (uint64_t)st->st_ctim.tv_sec);
	h = mix(h, (uint64_t)st->st_ctim.tv_nsec);
	return h > 1 ? h : 2;
}

static uint64_t fingerprint(const struct directory *d, const pl_ref *ref)
{
	char path[sizeof(struct spot)];
	struct spot s;
	struct stat st;
	if (spot_of(ref, &s, NULL))
		return 0;
	char *at = stpcpy(path, s.ns);
	*at++ = '/';
	at = stpcpy(at, s.kind);
	*at++ = '/';
	stpcpy(at, s.file);
	if (fstatat(d->root, path, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return S_ISREG(st.st_mode) ? mark_of(&st) : 0;
	return errno == ENOENT ? 1 : 0;
}

pl_status directory_fingerprint(const pl_host *h, void *self, const pl_ref *refs, size_t n, uint64_t *out)
{
	struct directory *d = self;
	pl_err *e = pl_err_new();
	pl_status st = root_open(d, 0, e);
	if (st && st != PL_ENOTFOUND)
		return fail(h, st, e);
	pl_err_free(e);
	for (size_t i = 0; i < n; i++)
		out[i] = st ? 1 : fingerprint(d, &refs[i]);
	return PL_OK;
}

/* ---- describe ---- */

struct search {
	struct directory *d;
	const pl_ref *ref;
	pl_kind_info *out;
};

/* A CRD's name is PLURAL.GROUP, so the group narrows the files down. */
static pl_status look_at_crd(void *ctx, int dir, const char *name, int is_folder)
{
	struct search *s = ctx;
	pl_ref crd;
	struct spot spot;
	struct object o;
	if (is_folder || !spot_ref(CLUSTER, CRD_FOLDER, name, &crd) || crd.name.n <= s->ref->group.n + 1)
		return PL_OK;
	pl_str end = {crd.name.p + crd.name.n - s->ref->group.n, s->ref->group.n};
	if (!same(end, s->ref->group) || end.p[-1] != '.' || spot_of(&crd, &spot, NULL))
		return PL_OK;
	if (object_read_at(s->d, dir, &spot, &o, NULL))
		return PL_OK; /* a damaged one says nothing; observe tells of it */
	const pl_node *spec = pl_gets(o.node, "spec");
	pl_str scope = pl_text(pl_gets(spec, "scope"));
	pl_status st = PL_OK;
	if (same(pl_text(pl_gets(pl_gets(spec, "names"), "kind")), s->ref->kind) &&
	    same(pl_text(pl_gets(spec, "group")), s->ref->group) && scope.n) {
		s->out->known = 1;
		s->out->namespaced = same(scope, S("Namespaced")) ? 1 : 0;
		st = PL_EEXIST; /* found: no need to look further */
	}
	object_free(&o);
	return st;
}

pl_status directory_describe(const pl_host *h, void *self, const pl_ref *ref, pl_kind_info *out)
{
	struct directory *d = self;
	struct spot s = {.ns = CLUSTER, .kind = CRD_FOLDER};
	struct search search = {d, ref, out};
	pl_err *e = pl_err_new();
	int dir = -1;
	*out = (pl_kind_info){.size = sizeof(*out), .watchable = 1};
	pl_status st = root_open(d, 0, e);
	st = st || !ref->group.n ? st : spot_open(d, &s, 0, &dir, e);
	if (st && st != PL_ENOTFOUND)
		return fail(h, st, e);
	pl_err_free(e);
	if (dir >= 0) {
		(void)each_entry(dir, look_at_crd, &search);
		close(dir);
	}
	return PL_OK;
}
