/* SPDX-License-Identifier: Apache-2.0 */
/* decide: does a sync start by itself, now, later or not at all? */
#include "core/engine/internal.h"

static int64_t heal_wait(const struct app *a, int64_t now_mono)
{
	int64_t wait = HEAL_BASE;
	if (!a->heals)
		return 0;
	for (uint32_t i = 1; i < a->heals && wait < HEAL_MAX; i++)
		wait *= 3;
	wait = wait < HEAL_MAX ? wait : HEAL_MAX;
	return a->healed_ms + wait - now_mono;
}

/* Dates in the store are wall clock, which may be set back: one that is farther away than any wait is not meant. */
static int64_t retry_wait(const struct app *a, int64_t next_try_ms)
{
	int64_t wait = next_try_ms - clock_wall_ms(), most = a->c->sync.retry_max_ms;
	return wait <= most ? wait : 0;
}

static enum decision when(int64_t wait, enum decision what, int64_t *wait_ms)
{
	*wait_ms = wait;
	return wait > 0 ? DECIDE_LATER : what;
}

enum decision decide(struct app *a, const struct look *l, int64_t *wait_ms)
{
	size_t heal = 0, sync = 0;
	const struct config_sync *s = &a->c->sync;
	*wait_ms = 0;
	if (a->g->look_only || !a->g->store || !s->automated || l->row.suspended || a->c->suspend)
		return DECIDE_NOTHING;
	for (size_t i = 0; i < l->plan.n; i++) {
		if (l->plan.rows[i].op != PLAN_NONE)
			*(l->plan.rows[i].drift ? &heal : &sync) += 1;
	}
	if (clock_mono_ms() - a->healed_ms > 2 * HEAL_MAX)
		a->heals = 0;
	bool tried = str_eq(l->row.tried_revision, l->revision) || (l->r.key.n && str_eq(l->row.render_key, l->r.key));
	if (!sync && (!heal || (tried && !s->self_heal)))
		return DECIDE_NOTHING;
	if (tried && l->row.failures) {
		if (s->retry_limit >= 0 && l->row.failures > s->retry_limit)
			return DECIDE_NOTHING;
		return when(retry_wait(a, l->row.next_try_ms), sync ? DECIDE_SYNC : DECIDE_HEAL, wait_ms);
	}
	/* what a successful sync has left undone is tried again, but not in a hurry */
	if (tried)
		return when(heal_wait(a, clock_mono_ms()), sync ? DECIDE_SYNC : DECIDE_HEAL, wait_ms);
	return DECIDE_SYNC;
}
