/* SPDX-License-Identifier: Apache-2.0 */
/* The state machine of one sync: which rows may be submitted now, and what the whole has come to. */
#include "core/engine/sync.h"

#include "core/base/clock.h"
#include "core/base/mem.h"
#include "core/engine/sync_parts.h"

/* So many actions between two looks at cancel and two writes of the state; a stage of more comes in batches. */
#define BATCH_MAX 256

/* After the deadline with actions still out: their own time-outs end them, we only look again. */
#define LATE_MS 1000

#define NO_STAGE UINT32_MAX

/* ---- life ---- */

struct sync *sync_new(const struct sync_start *from)
{
	struct sync *s = mem_zalloc(sizeof(*s));
	struct arena *a = s->a = arena_new();
	struct sync_start *i = &s->info;
	pl_ref *only = arena_array(a, from->policy.n_only + 1, sizeof(*only));

	*i = *from;
	i->app = arena_dup(a, from->app);
	i->revision = arena_dup(a, from->revision);
	i->revision_name = arena_dup(a, from->revision_name);
	i->initiator = arena_dup(a, from->initiator);
	for (size_t k = 0; k < from->policy.n_only; k++)
		only[k] = ref_dup(a, &from->policy.only[k]);
	i->policy.only = only;
	return s;
}

void sync_free(struct sync *s)
{
	if (!s)
		return;
	free(s->entries);
	free(s->entry_of);
	free(s->batch);
	arena_free(s->a);
	free(s);
}

const struct sync_start *sync_info(const struct sync *s)
{
	return &s->info;
}

void sync_extend(struct sync *s, int64_t deadline_ms)
{
	s->info.deadline_ms = deadline_ms;
	s->extended = true;
}

struct sync_entry *sync_entry_add(struct sync *s, const pl_ref *ref, enum plan_op op)
{
	struct sync_entry *e;

	s->entries = mem_grow(s->entries, &s->cap_entries, s->n_entries + 1, sizeof(*e));
	e = &s->entries[s->n_entries++];
	*e = (struct sync_entry){.ref = ref_dup(s->a, ref), .op = op, .stage = NO_STAGE, .row = SIZE_MAX};
	return e;
}

/* ---- taking a plan in ---- */

static void entry_end(struct sync *s, struct sync_entry *e, enum entry_state state, const char *status, pl_str message)
{
	e->state = state;
	e->status = str_of(status);
	e->message = arena_dup(s->a, message);
}

static bool row_blocked(const struct plan_row *r)
{
	return r->desired && (r->why == PLAN_FOREIGN || r->why == PLAN_UNREADABLE);
}

static bool row_held(const struct plan_row *r)
{
	return r->why == PLAN_PRUNE_OFF || r->why == PLAN_PRUNE_HELD || r->why == PLAN_PRUNE_FALSE ||
	       (!r->desired && r->why == PLAN_UNREADABLE);
}

/* A row without action for which an earlier life still had one: it was done just before the end of that life, or needs
 * nothing any more. */
static void entry_settle(struct sync *s, struct sync_entry *e)
{
	if (e->op == PLAN_DELETE)
		entry_end(s, e, ENTRY_DONE, "Pruned",
			  e->submitted ? S("pruned before a restart") : S("was gone already"));
	else if (e->submitted)
		entry_end(s, e, ENTRY_DONE, "Synced", S("applied before a restart"));
	else
		entry_end(s, e, ENTRY_DONE, "Unchanged", S("unchanged"));
}

static void take_row(struct sync *s, const struct plan_row *r, size_t row, size_t known)
{
	bool needed = r->op != PLAN_NONE || row_blocked(r) || row_held(r);
	struct sync_entry *e;

	if (known == SIZE_MAX && !needed)
		return;
	e = known == SIZE_MAX ? sync_entry_add(s, &r->ref, r->op) : &s->entries[known];
	s->entry_of[row] = (size_t)(e - s->entries);
	e->row = row;
	e->stage = r->stage;
	if (e->state == ENTRY_DONE || e->state == ENTRY_FAILED)
		return;
	if (row_blocked(r)) {
		entry_end(s, e, ENTRY_BLOCKED, "SyncFailed", r->message.n ? r->message : str_of(plan_why_text(r->why)));
	} else if (row_held(r)) {
		entry_end(s, e, ENTRY_SKIPPED, "PruneSkipped",
			  r->message.n ? r->message : str_of(plan_why_text(r->why)));
	} else if (r->op == PLAN_NONE) {
		entry_settle(s, e);
	} else {
		e->op = r->op;
		e->state = ENTRY_PENDING;
		e->planned = true;
		e->status = e->message = (pl_str){NULL, 0};
	}
}

struct known {
	const pl_ref *ref;
	size_t entry;
};

static int known_cmp(const void *a, const void *b)
{
	return ref_cmp(((const struct known *)a)->ref, ((const struct known *)b)->ref);
}

static size_t find_known(const struct known *v, size_t n, const pl_ref *ref)
{
	struct known key = {ref, 0};
	const struct known *hit = n ? bsearch(&key, v, n, sizeof(*v), known_cmp) : NULL;

	return hit ? hit->entry : SIZE_MAX;
}

void sync_plan(struct sync *s, const struct plan *p)
{
	size_t n = s->n_entries;
	struct known *v = mem_alloc((n + 1) * sizeof(*v));
	pl_ref *refs = mem_alloc((n + 1) * sizeof(*refs)); /* entries move when the array grows */

	if (s->has_plan)
		BUG("a sync takes one plan in each life");
	for (size_t i = 0; i < n; i++) {
		refs[i] = s->entries[i].ref;
		v[i] = (struct known){&refs[i], i};
	}
	qsort(v, n, sizeof(*v), known_cmp);
	s->has_plan = true;
	s->n_rows = p->n;
	s->entry_of = mem_alloc((p->n + 1) * sizeof(*s->entry_of));
	s->batch = mem_alloc(BATCH_MAX * sizeof(*s->batch));
	s->first_delete = NO_STAGE;
	for (size_t i = 0; i < p->n; i++) {
		const struct plan_row *r = &p->rows[i];

		s->entry_of[i] = SIZE_MAX;
		if (r->op == PLAN_DELETE && r->stage < s->first_delete)
			s->first_delete = r->stage;
		take_row(s, r, i, find_known(v, n, &r->ref));
	}
	for (size_t i = 0; i < n; i++)
		if (s->entries[i].row == SIZE_MAX && s->entries[i].state == ENTRY_PENDING)
			entry_settle(s, &s->entries[i]);
	free(v);
	free(refs);
}

/* ---- steps ---- */

/* The end: a sentence for people. */
struct tally {
	size_t created, updated, pruned, failed, undone, skipped, total;
	const struct sync_entry *first_failed;
};

static struct tally count(const struct sync *s)
{
	struct tally t = {0};

	for (size_t i = 0; i < s->n_entries; i++) {
		const struct sync_entry *e = &s->entries[i];
		bool done = e->state == ENTRY_DONE && !str_eqz(e->status, "Unchanged");
		bool failed = e->state == ENTRY_FAILED || e->state == ENTRY_BLOCKED;

		t.created += done && e->op == PLAN_CREATE;
		t.updated += done && e->op == PLAN_UPDATE;
		t.pruned += done && e->op == PLAN_DELETE;
		t.failed += failed;
		t.undone += e->state == ENTRY_PENDING;
		t.skipped += e->state == ENTRY_SKIPPED;
		t.total += e->state != ENTRY_SKIPPED;
		if (failed && !t.first_failed)
			t.first_failed = e;
	}
	return t;
}

static void say_failed(const struct sync *s, const struct tally *t, struct buf *b)
{
	if (s->cancelled || !t->first_failed) {
		buf_add(b, s->skip_reason);
		if (t->undone)
			buf_addf(b, ": %zu of %zu objects left as they were", t->undone, t->total);
		return;
	}
	buf_addf(b, "%zu of %zu %s failed: ", t->failed, t->total, t->total == 1 ? "object" : "objects");
	ref_print(&t->first_failed->ref, b);
	buf_addf(b, ": %.*s", F(t->first_failed->message));
	if (t->failed > 1)
		buf_addf(b, " (and %zu more)", t->failed - 1);
}

static void say_number(struct buf *b, size_t n, const char *what, const char **separator)
{
	if (n == 0)
		return;
	buf_addf(b, "%s%zu %s", *separator, n, what);
	*separator = ", ";
}

static void say_succeeded(const struct sync *s, const struct tally *t, struct buf *b)
{
	const char *separator = s->info.dry_run ? "dry run, would be synced: " : "successfully synced: ";

	if (t->created + t->updated + t->pruned + t->skipped == 0) {
		buf_addz(b, s->info.dry_run ? "dry run: nothing to do" : "successfully synced: nothing to do");
		return;
	}
	say_number(b, t->created, "created", &separator);
	say_number(b, t->updated, "updated", &separator);
	say_number(b, t->pruned, "pruned", &separator);
	say_number(b, t->skipped, "not pruned", &separator);
}

static void finish(struct sync *s, pl_str skip_reason)
{
	struct buf b = BUF_INIT(64 << 10);
	struct tally t = count(s);
	bool failed = s->cancelled || t.failed || t.undone || !s->has_plan;

	s->ended = true;
	s->skip_reason = arena_dup(s->a, skip_reason);
	if (failed)
		say_failed(s, &t, &b);
	else
		say_succeeded(s, &t, &b);
	s->phase = failed ? S("Failed") : S("Succeeded");
	s->message = arena_dup(s->a, buf_str(&b));
	buf_free(&b);
}

/* The lowest stage in which something failed; blocked rows count for prunes only, other applies don't depend on them.
 */
static uint32_t last_stage_allowed(const struct sync *s)
{
	uint32_t last = NO_STAGE;

	for (size_t i = 0; i < s->n_entries; i++) {
		const struct sync_entry *e = &s->entries[i];
		uint32_t stage = e->stage == NO_STAGE ? 0 : e->stage;

		if (e->state == ENTRY_FAILED && stage < last)
			last = stage;
		if (e->state == ENTRY_BLOCKED && s->first_delete && s->first_delete - 1 < last)
			last = s->first_delete - 1;
	}
	return last;
}

/* Blocked rows and only prunes in the plan: no stage may run at all. */
static bool blocked_before_all(const struct sync *s)
{
	if (s->first_delete != 0)
		return false;
	for (size_t i = 0; i < s->n_entries; i++)
		if (s->entries[i].state == ENTRY_BLOCKED)
			return true;
	return false;
}

static size_t next_batch(struct sync *s, uint32_t *stage)
{
	size_t n = 0;

	for (size_t i = 0; i < s->n_rows && n < BATCH_MAX; i++) {
		const struct sync_entry *e = s->entry_of[i] == SIZE_MAX ? NULL : &s->entries[s->entry_of[i]];

		if (!e || !e->planned || e->state != ENTRY_PENDING)
			continue;
		if (n && e->stage != *stage)
			break;
		*stage = e->stage;
		s->batch[n++] = i;
	}
	return n;
}

static void hand_out(struct sync *s, size_t n, struct sync_next *out)
{
	for (size_t i = 0; i < n; i++) {
		struct sync_entry *e = &s->entries[s->entry_of[s->batch[i]]];

		e->state = ENTRY_RUNNING;
		e->submitted = true;
	}
	s->n_running += n;
	*out = (struct sync_next){.what = SYNC_ACT, .rows = s->batch, .n_rows = n};
}

static pl_str timed_out(struct sync *s)
{
	char age[CLOCK_TEXT];

	if (s->extended) /* from the start would count time in which nobody worked */
		return S("timed out after a restart");
	return arena_printf(s->a, "timed out after %s", clock_age(s->info.deadline_ms - s->info.started_ms, age));
}

static bool step_end(struct sync *s, int64_t now_ms)
{
	bool late = s->info.deadline_ms && now_ms >= s->info.deadline_ms;
	uint32_t stage = 0;

	if (s->cancelled) {
		finish(s, s->reason);
		return true;
	}
	if (!s->has_plan) {
		if (late)
			finish(s, timed_out(s));
		return late;
	}
	if (next_batch(s, &stage) == 0) {
		finish(s, (pl_str){NULL, 0});
		return true;
	}
	if (late) {
		finish(s, timed_out(s));
		return true;
	}
	if (stage > last_stage_allowed(s) || blocked_before_all(s)) {
		finish(s, S("an earlier stage failed"));
		return true;
	}
	return false;
}

void sync_step(struct sync *s, int64_t now_ms, struct sync_next *out)
{
	int64_t deadline = s->info.deadline_ms ? s->info.deadline_ms : INT64_MAX;
	uint32_t stage;

	if (!s->ended && s->n_running) {
		*out = (struct sync_next){.what = SYNC_WAIT,
					  .wait_ms = now_ms < deadline ? deadline : now_ms + LATE_MS};
		return;
	}
	if (s->ended || step_end(s, now_ms)) {
		*out = (struct sync_next){.what = SYNC_DONE, .phase = s->phase, .message = s->message};
		return;
	}
	if (!s->has_plan) {
		*out = (struct sync_next){.what = SYNC_WAIT, .wait_ms = deadline};
		return;
	}
	hand_out(s, next_batch(s, &stage), out);
}

/* ---- results ---- */

static pl_str done_text(struct sync *s, const struct sync_entry *e, uint32_t change)
{
	static const char *const texts[] = {[PL_UNCHANGED] = "unchanged",
					    [PL_CREATED] = "created",
					    [PL_UPDATED] = "updated",
					    [PL_DELETED] = "pruned"};
	const char *text = change < sizeof(texts) / sizeof(texts[0]) ? texts[change] : "done";

	if (e->op == PLAN_DELETE)
		text = change == PL_UNCHANGED ? "was gone already" : "pruned";
	return s->info.dry_run ? arena_printf(s->a, "%s (dry run)", text) : str_of(text);
}

void sync_result(struct sync *s, size_t row, pl_status st, uint32_t change, pl_str message)
{
	struct sync_entry *e;

	if (row >= s->n_rows || s->entry_of[row] == SIZE_MAX)
		BUG("a result for row %zu, which was not submitted", row);
	e = &s->entries[s->entry_of[row]];
	if (e->state != ENTRY_RUNNING) /* told twice */
		return;
	s->n_running--;
	if (st == PL_ECANCELLED && s->cancelled) {
		e->state = ENTRY_PENDING;
		return;
	}
	if (st) {
		/* what belongs to somebody else is lacking, as if the plan had known it: the rest goes on */
		bool blocked = st == PL_ECONFLICT && e->op != PLAN_DELETE;
		entry_end(s, e, blocked ? ENTRY_BLOCKED : ENTRY_FAILED, "SyncFailed",
			  message.n ? message : str_of(pl_status_name(st)));
		return;
	}
	if (!message.n)
		message = done_text(s, e, change);
	if (e->op == PLAN_DELETE)
		entry_end(s, e, ENTRY_DONE, "Pruned", message);
	else
		entry_end(s, e, ENTRY_DONE, change == PL_UNCHANGED ? "Unchanged" : "Synced", message);
}

void sync_cancel(struct sync *s, pl_str reason)
{
	if (s->cancelled || s->ended)
		return;
	s->cancelled = true;
	s->reason = arena_dup(s->a, reason.n ? reason : S("cancelled"));
}

/* False: nothing to say of it yet. */
static bool entry_result(const struct sync *s, const struct sync_entry *e, struct arena *a, struct store_result *out)
{
	bool prune = e->op == PLAN_DELETE;
	bool skip = e->state == ENTRY_SKIPPED || e->state == ENTRY_BLOCKED;

	if (e->state == ENTRY_RUNNING || (e->state == ENTRY_PENDING && !s->ended))
		return false;
	*out = (struct store_result){e->ref, str_of(skip ? "skip" : plan_op_name(e->op)), e->status, e->message};
	if (e->state == ENTRY_PENDING) {
		out->action = S("skip");
		out->status = prune ? S("PruneSkipped") : S("SyncFailed");
		out->message = arena_printf(a, "not %s: %.*s", prune ? "pruned" : "applied", F(s->skip_reason));
	}
	return true;
}

size_t sync_results(const struct sync *s, struct arena *a, struct store_result **out)
{
	struct store_result *v = arena_array(a, s->n_entries + 1, sizeof(*v));
	size_t n = 0;

	for (size_t i = 0; i < s->n_entries; i++) {
		if (!entry_result(s, &s->entries[i], a, &v[n]))
			continue;
		v[n].ref = ref_dup(a, &v[n].ref);
		v[n].status = arena_dup(a, v[n].status);
		v[n].message = arena_dup(a, v[n].message);
		n++;
	}
	*out = v;
	return n;
}

bool sync_row_result(const struct sync *s, size_t row, struct store_result *out)
{
	return row < s->n_rows && s->entry_of[row] != SIZE_MAX &&
	       entry_result(s, &s->entries[s->entry_of[row]], s->a, out);
}

void sync_progress(const struct sync *s, size_t *done, size_t *total)
{
	*done = 0;
	*total = s->n_entries;
	for (size_t i = 0; i < s->n_entries; i++)
		*done += s->entries[i].state != ENTRY_PENDING && s->entries[i].state != ENTRY_RUNNING;
}
