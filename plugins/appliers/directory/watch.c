/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Changes by inotify. Watched are the root, its namespaces' folders and their kinds' folders. A folder that appears is
 * watched and then read, so that files made before the watch stood are told, too. Whatever can't be followed exactly (a
 * lost event, a folder moved away, another root) becomes one PL_EVENT_OVERFLOW, and the watch begins anew.
 */
#include "directory.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <time.h>
#include <unistd.h>

enum {
	LOOK_MS = 500, /* how often the root is looked at: inotify does not tell when a folder above it is moved */
	FOLDER = IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR |
		 IN_EXCL_UNLINK,
	FILES = FOLDER | IN_CLOSE_WRITE | IN_ATTRIB
};

/* A watched folder: kind NULL is a namespace's, ns NULL too the root. */
struct watched {
	int wd;
	char *ns, *kind;
};

struct pending {
	char *ns, *kind, *file; /* file NULL: overflow */
};

struct watch {
	int fd;		   /* -1: not armed */
	struct watched *v; /* by wd */
	size_t n, cap;
	struct pending *queue;
	size_t n_queue, cap_queue, taken;
	int was_armed;
};

static void *grown(void *p, size_t *cap, size_t n, size_t size)
{
	if (n < *cap)
		return p;
	*cap = *cap ? *cap * 2 : 32;
	p = realloc(p, *cap * size);
	if (!p)
		abort();
	return p;
}

static void free_pending(struct pending *p)
{
	free(p->ns);
	free(p->kind);
	free(p->file);
}

static void disarm(struct watch *w)
{
	for (size_t i = 0; i < w->n; i++) {
		free(w->v[i].ns);
		free(w->v[i].kind);
	}
	w->n = 0;
	if (w->fd >= 0)
		close(w->fd);
	w->fd = -1;
}

static void clear_queue(struct watch *w)
{
	for (size_t i = w->taken; i < w->n_queue; i++)
		free_pending(&w->queue[i]);
	w->n_queue = w->taken = 0;
}

void watch_free(struct watch *w)
{
	if (!w)
		return;
	disarm(w);
	clear_queue(w);
	free(w->v);
	free(w->queue);
	free(w);
}

/* ---- what is to be told ---- */

static int is_pending(const struct pending *p, const char *ns, const char *kind, const char *file)
{
	return p->file && !strcmp(p->file, file) && !strcmp(p->kind, kind) && !strcmp(p->ns, ns);
}

static void tell(struct watch *w, const char *ns, const char *kind, const char *file)
{
	pl_ref ref;
	if (!spot_ref(ns, kind, file, &ref))
		return; /* temporary files and strangers */
	/* One write makes several events in a row; one is enough. */
	if (w->n_queue > w->taken && is_pending(&w->queue[w->n_queue - 1], ns, kind, file))
		return;
	w->queue = grown(w->queue, &w->cap_queue, w->n_queue, sizeof(*w->queue));
	w->queue[w->n_queue++] = (struct pending){text_of("%s", ns), text_of("%s", kind), text_of("%s", file)};
}

/* After it everything is looked at, so what was pending need not be told. */
static void tell_overflow(struct watch *w)
{
	clear_queue(w);
	w->queue = grown(w->queue, &w->cap_queue, w->n_queue, sizeof(*w->queue));
	w->queue[w->n_queue++] = (struct pending){NULL, NULL, NULL};
}

/* ---- what is watched ---- */

static size_t place_of(const struct watch *w, int wd)
{
	size_t from = 0, to = w->n;
	while (from < to) {
		size_t mid = from + (to - from) / 2;
		if (w->v[mid].wd < wd)
			from = mid + 1;
		else
			to = mid;
	}
	return from;
}

static struct watched *find(struct watch *w, int wd)
{
	size_t at = place_of(w, wd);
	return at < w->n && w->v[at].wd == wd ? &w->v[at] : NULL;
}

static void forget(struct watch *w, int wd)
{
	struct watched *f = find(w, wd);
	if (!f)
		return;
	free(f->ns);
	free(f->kind);
	size_t at = (size_t)(f - w->v);
	memmove(w->v + at, w->v + at + 1, (w->n - at - 1) * sizeof(*w->v));
	w->n--;
}

/* By the open descriptor, so that a link planted on the way leads nowhere. */
static int add_watch(struct watch *w, int dir, const char *ns, const char *kind)
{
	char path[64];
	snprintf(path, sizeof(path), "/proc/self/fd/%d", dir);
	int wd = inotify_add_watch(w->fd, path, kind ? FILES : FOLDER);
	if (wd < 0)
		return errno == ENOENT ? 0 : errno; /* the folder is gone again */
	forget(w, wd);
	size_t at = place_of(w, wd);
	w->v = grown(w->v, &w->cap, w->n, sizeof(*w->v));
	memmove(w->v + at + 1, w->v + at, (w->n - at) * sizeof(*w->v));
	w->v[at] = (struct watched){wd, ns ? text_of("%s", ns) : NULL, kind ? text_of("%s", kind) : NULL};
	w->n++;
	return 0;
}

struct dive {
	struct watch *w;
	const char *ns, *kind;
	int report; /* tell of files that are there: those made before the watch stood */
	int why;
};

static pl_status dive_entry(void *ctx, int dir, const char *name, int is_folder)
{
	struct dive *d = ctx;
	if (d->kind) {
		if (!is_folder && d->report)
			tell(d->w, d->ns, d->kind, name);
		return PL_OK;
	}
	if (!is_folder || !step_ok(name))
		return PL_OK;
	struct dive below = *d;
	if (d->ns)
		below.kind = name;
	else
		below.ns = name;
	int fd = step_down(dir, name);
	if (fd < 0)
		return PL_OK; /* gone again */
	below.why = add_watch(d->w, fd, below.ns, below.kind);
	if (!below.why)
		(void)each_entry(fd, dive_entry, &below);
	close(fd);
	d->why = below.why;
	return d->why ? PL_EIO : PL_OK;
}

/* Watches the folder and all below it. Gives an errno. */
static int dive(struct watch *w, int dir, const char *ns, const char *kind, int report)
{
	struct dive d = {w, ns, kind, report, 0};
	d.why = add_watch(w, dir, ns, kind);
	if (!d.why)
		(void)each_entry(dir, dive_entry, &d);
	return d.why;
}

/* PL_ENOTFOUND: there is no root yet. */
static pl_status arm(struct directory *d, struct watch *w, pl_err *e)
{
	pl_status st = root_open(d, 0, e);
	if (st)
		return st;
	w->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	int why = w->fd < 0 ? errno : dive(w, d->root, NULL, NULL, 0);
	if (why) {
		disarm(w);
		fail_errno(e, why, "watch the target '%s'", d->path);
		if (why == ENOSPC || why == EMFILE)
			pl_err_hint(e, "raise fs.inotify.max_user_watches or fs.inotify.max_user_instances");
		return PL_EIO;
	}
	if (w->was_armed)
		tell_overflow(w);
	w->was_armed = 1;
	return PL_OK;
}

/* ---- events ---- */

static void begin_anew(struct watch *w)
{
	disarm(w);
	tell_overflow(w);
}

/* A folder that appeared below a watched one. */
static void new_folder(struct directory *d, struct watch *w, const struct watched *in, const char *name)
{
	char *ns = text_of("%s", in->ns ? in->ns : name);
	char *kind = in->ns ? text_of("%s", name) : NULL;
	int above = in->ns ? step_down(d->root, ns) : -1;
	int dir = in->ns ? (above >= 0 ? step_down(above, kind) : -1) : step_down(d->root, ns);
	if (dir >= 0 && dive(w, dir, ns, kind, 1))
		begin_anew(w);
	if (dir >= 0)
		close(dir);
	if (above >= 0)
		close(above);
	free(ns);
	free(kind);
}

static void take_event(struct directory *d, struct watch *w, const struct inotify_event *ev)
{
	const struct watched *in = find(w, ev->wd);
	if (ev->mask & IN_Q_OVERFLOW) {
		begin_anew(w);
		return;
	}
	if (!in)
		return;
	if (ev->mask & IN_IGNORED) {
		forget(w, ev->wd);
		return;
	}
	int is_root = !in->ns;
	if (ev->mask & (IN_DELETE_SELF | IN_MOVE_SELF | IN_UNMOUNT)) {
		if (is_root || (ev->mask & IN_UNMOUNT))
			begin_anew(w);
		return;
	}
	if (!ev->len || !step_ok(ev->name))
		return;
	if (ev->mask & IN_ISDIR) {
		if (in->kind)
			return;
		if (ev->mask & IN_MOVED_FROM)
			begin_anew(w); /* all its files are gone, without an event of their own */
		else if (ev->mask & (IN_CREATE | IN_MOVED_TO))
			new_folder(d, w, in, ev->name);
		return;
	}
	if (in->ns && in->kind)
		tell(w, in->ns, in->kind, ev->name);
}

static void take_events(struct directory *d, struct watch *w)
{
	_Alignas(struct inotify_event) char block[32768];
	ssize_t n;
	while (w->fd >= 0 && (n = read(w->fd, block, sizeof(block))) > 0) {
		for (char *at = block; at < block + n && w->fd >= 0;) {
			const struct inotify_event *ev = (const struct inotify_event *)(const void *)at;
			take_event(d, w, ev);
			at += sizeof(*ev) + ev->len;
		}
	}
}

/* ---- watch_next ---- */

static void hand_over_one(const pl_host *h, struct directory *d, const struct pending *p, pl_event *out)
{
	pl_ref ref;
	struct spot s;
	struct object o = {0};
	*out = (pl_event){.size = sizeof(*out), .type = PL_EVENT_OVERFLOW};
	if (!p->file || !spot_ref(p->ns, p->kind, p->file, &ref))
		return;
	out->type = PL_EVENT_CHANGED;
	out->ref = (pl_ref){.group = give(h, ref.group),
			    .kind = give(h, ref.kind),
			    .ns = give(h, ref.ns),
			    .name = give(h, ref.name)};
	/* Gone or damaged: without a mark. Whoever owns it knows it by name. */
	if (!spot_of(&ref, &s, NULL) && !object_read(d, &s, &o, NULL))
		out->tracking = give(h, o.tracking);
	object_free(&o);
}

static void hand_over(const pl_host *h, struct directory *d, struct watch *w, pl_event *out, size_t max, size_t *n)
{
	while (w->taken < w->n_queue && *n < max) {
		struct pending *p = &w->queue[w->taken++];
		hand_over_one(h, d, p, &out[(*n)++]);
		free_pending(p);
	}
	if (w->taken == w->n_queue)
		w->n_queue = w->taken = 0;
}

static int64_t now_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static pl_status keep_armed(struct directory *d, struct watch *w, const pl_host *h)
{
	if (w->fd >= 0 && !root_same(d))
		begin_anew(w);
	if (w->fd >= 0)
		return PL_OK;
	pl_err *e = pl_err_new();
	pl_status st = arm(d, w, e);
	if (st && st != PL_ENOTFOUND)
		return fail(h, st, e);
	w->was_armed = 1; /* a root that appears later holds things nobody was told of */
	pl_err_free(e);
	return PL_OK;
}

static void wait_for(const pl_host *h, const struct watch *w, int64_t ms)
{
	struct pollfd v[2] = {{.fd = w->fd, .events = POLLIN}, {.fd = h->cancel_fd(h->ctx), .events = POLLIN}};
	(void)poll(v, 2, (int)(ms < LOOK_MS ? ms : LOOK_MS)); /* a negative descriptor is not looked at */
}

pl_status directory_watch_next(const pl_host *h, void *self, int64_t wait_ms, pl_event *out, size_t max, size_t *n)
{
	struct directory *d = self;
	*n = 0;
	if (!d->watch) {
		d->watch = grab(sizeof(*d->watch));
		d->watch->fd = -1;
	}
	struct watch *w = d->watch;
	int64_t end = now_ms() + wait_ms;
	for (;;) {
		pl_status st = stopped(h);
		st = st ? st : keep_armed(d, w, h);
		if (st)
			return st;
		take_events(d, w);
		/* At once, so that nothing happens unseen between the overflow and the new watch. */
		if (w->fd < 0 && (st = keep_armed(d, w, h)) != PL_OK)
			return st;
		hand_over(h, d, w, out, max, n);
		int64_t left = end - now_ms();
		if (*n || left <= 0)
			return PL_OK;
		wait_for(h, w, left);
	}
}
