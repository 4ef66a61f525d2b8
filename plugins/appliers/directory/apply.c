/* SPDX-License-Identifier: Apache-2.0 */
#include "directory.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TRIES = 4 };

/* Results wait here for complete(): this plugin has them as soon as submit() returns. */
struct results {
	pl_result *v; /* messages are malloc'ed */
	size_t n, cap, taken;
};

void results_free(struct results *r)
{
	if (!r)
		return;
	for (size_t i = r->taken; i < r->n; i++) {
		/* The message was ours before it became a slice. */
		char *p;
		memcpy(&p, &r->v[i].message.p, sizeof(p));
		free(p);
	}
	free(r->v);
	free(r);
}

static void add_result(struct directory *d, const pl_action *a, pl_status st, uint32_t change, const pl_err *e)
{
	if (!d->results)
		d->results = grab(sizeof(*d->results));
	struct results *r = d->results;
	if (r->taken == r->n)
		r->taken = r->n = 0;
	if (r->n == r->cap) {
		r->cap = r->cap ? r->cap * 2 : 32;
		r->v = realloc(r->v, r->cap * sizeof(*r->v));
		if (!r->v)
			abort();
	}
	char *message = st ? text_of("%s", pl_err_text(e)) : NULL;
	r->v[r->n++] = (pl_result){
		.size = sizeof(pl_result),
		.status = st,
		.id = a->id,
		.change = change,
		.message = {message, message ? strlen(message) : 0},
	};
}

/* May this action touch what is there? */
static pl_status check_owner(const struct directory *d, const struct spot *s, const pl_action *a,
			     const struct object *live, pl_err *e)
{
	const pl_place nowhere = {NULL, 0, 0};
	pl_str owner = tracking_app(live->tracking);
	if (!live->tracking.n) {
		pl_err_set(e, PL_ECONFLICT, nowhere, "'%s/%s/%s/%s' was not written by plumb and is left alone",
			   d->path, s->ns, s->kind, s->file);
		pl_err_hint(e, "remove it, or take the object out of the application");
		return PL_ECONFLICT;
	}
	if (same(owner, tracking_app(a->tracking)) || (a->previous.n && same(owner, a->previous)))
		return PL_OK;
	return pl_err_set(e, PL_ECONFLICT, nowhere, "'%s/%s/%s/%s' belongs to the application '%.*s'", d->path, s->ns,
			  s->kind, s->file, F(owner));
}

static int as_desired(const pl_action *a, const struct object *live)
{
	return !mode_excess(&a->ref, &live->st) && same(live->tracking, a->tracking) &&
	       pl_equal(live->node, a->desired);
}

static pl_status write_object(struct directory *d, const struct spot *s, const pl_action *a, int fresh, pl_err *e)
{
	char *text = NULL;
	size_t n = 0;
	pl_status st = object_print(a->doc, a->desired, a->tracking, &text, &n, e);
	if (st)
		return st;
	st = PL_ENOTFOUND;
	/* The folder may be removed between making and using it, when its last object goes. */
	for (int i = 0; i < TRIES && st == PL_ENOTFOUND; i++) {
		int dir = -1;
		st = spot_open(d, s, 1, &dir, e);
		if (st)
			break;
		st = file_put(d, dir, s, (pl_str){text, n}, mode_of(&a->ref), fresh, e);
		close(dir);
	}
	pl_free(text);
	if (st == PL_ENOTFOUND)
		return pl_err_set(e, PL_EIO, (pl_place){NULL, 0, 0},
				  "write '%s/%s/%s/%s': the folder vanishes again and again", d->path, s->ns, s->kind,
				  s->file);
	return st;
}

/* PL_EEXIST, without a text: there was nothing, and somebody put something there before we could. */
static pl_status apply_once(struct directory *d, const struct spot *s, const pl_action *a, uint32_t *change, pl_err *e)
{
	struct object live = {0};
	pl_status st = d->root < 0 ? PL_ENOTFOUND : object_read(d, s, &live, e);
	if (st == PL_ENOTFOUND) {
		*change = PL_CREATED;
	} else if (!st) {
		st = check_owner(d, s, a, &live, e);
		*change = st || !as_desired(a, &live) ? PL_UPDATED : PL_UNCHANGED;
		object_free(&live);
	}
	if ((st && st != PL_ENOTFOUND) || *change == PL_UNCHANGED)
		return st;
	if (!(a->flags & PL_DRY_RUN))
		return write_object(d, s, a, *change == PL_CREATED, e);
	/* A dry run says what a real one would: what can't be printed can't be written. */
	char *text = NULL;
	size_t n = 0;
	st = object_print(a->doc, a->desired, a->tracking, &text, &n, e);
	pl_free(text);
	return st;
}

/* What appears between looking and writing may be anybody's, so it is looked at like all else. */
static pl_status apply(struct directory *d, const struct spot *s, const pl_action *a, uint32_t *change, pl_err *e)
{
	pl_status st = PL_EEXIST;
	for (int i = 0; i < TRIES && st == PL_EEXIST; i++)
		st = apply_once(d, s, a, change, e);
	if (st == PL_EEXIST)
		return pl_err_set(e, PL_EIO, (pl_place){NULL, 0, 0},
				  "write '%s/%s/%s/%s': it appears and vanishes again and again", d->path, s->ns,
				  s->kind, s->file);
	return st;
}

static pl_status delete (struct directory *d, const struct spot *s, const pl_action *a, uint32_t *change, pl_err *e)
{
	struct object live = {0};
	int dir = -1;
	pl_status st = d->root < 0 ? PL_ENOTFOUND : spot_open(d, s, 0, &dir, e);
	st = st ? st : object_read_at(d, dir, s, &live, e);
	st = st ? st : check_owner(d, s, a, &live, e);
	if (!st) {
		*change = PL_DELETED;
		if (!(a->flags & PL_DRY_RUN))
			st = file_drop(d, dir, s, e);
	}
	object_free(&live);
	if (dir >= 0)
		close(dir);
	return st == PL_ENOTFOUND ? PL_OK : st;
}

static void act(const pl_host *h, struct directory *d, const pl_action *a)
{
	struct spot s;
	uint32_t change = PL_UNCHANGED;
	pl_err *e = pl_err_new();
	pl_status st = stopped(h);
	if (st)
		pl_err_set(e, st, (pl_place){NULL, 0, 0}, "not begun: %s", pl_status_name(st));
	st = st ? st : spot_of(&a->ref, &s, e);
	if (!st && a->op == PL_APPLY)
		st = apply(d, &s, a, &change, e);
	else if (!st && a->op == PL_DELETE)
		st = delete (d, &s, a, &change, e);
	else if (!st)
		st = pl_err_set(e, PL_EUNSUPPORTED, (pl_place){NULL, 0, 0}, "there is no operation %u", a->op);
	add_result(d, a, st, st ? PL_UNCHANGED : change, e);
	pl_err_free(e);
}

/* A folder's entries did not reach the disk: whatever was written since may be lost. first: of those not taken yet. */
static void nothing_is_safe(struct directory *d, size_t first, int why)
{
	struct results *r = d->results;
	for (size_t i = r->taken + first; i < r->n; i++) {
		pl_result *x = &r->v[i];
		if (x->status || (x->change != PL_CREATED && x->change != PL_UPDATED))
			continue;
		char *message = text_of("write below '%s': %s", d->path, strerrordesc_np(why));
		x->status = PL_EIO;
		x->change = PL_UNCHANGED;
		x->message = (pl_str){message, strlen(message)};
	}
}

pl_status directory_submit(const pl_host *h, void *self, const pl_action *actions, size_t n)
{
	struct directory *d = self;
	int create = 0;
	for (size_t i = 0; i < n; i++)
		create |= actions[i].op == PL_APPLY && !(actions[i].flags & PL_DRY_RUN);
	pl_err *e = pl_err_new();
	pl_status st = root_open(d, create, e);
	if (st && st != PL_ENOTFOUND)
		return fail(h, st, e);
	pl_err_free(e);
	size_t first = d->results ? d->results->n - d->results->taken : 0;
	for (size_t i = 0; i < n; i++)
		act(h, d, &actions[i]);
	int why = folders_sync(d);
	if (why)
		nothing_is_safe(d, first, why);
	return PL_OK;
}

pl_status directory_complete(const pl_host *h, void *self, int64_t wait_ms, pl_result *out, size_t max, size_t *n)
{
	(void)wait_ms; /* nothing comes later */
	struct directory *d = self;
	struct results *r = d->results;
	*n = 0;
	while (r && r->taken < r->n && *n < max) {
		pl_result *from = &r->v[r->taken++];
		char *message;
		memcpy(&message, &from->message.p, sizeof(message));
		out[*n] = *from;
		out[*n].message = give(h, from->message);
		(*n)++;
		free(message);
	}
	return PL_OK;
}
