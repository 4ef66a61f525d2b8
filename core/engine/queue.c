/* SPDX-License-Identifier: Apache-2.0 */
#include "core/engine/queue.h"

#include "core/base/clock.h"
#include "core/base/mem.h"

#include <pthread.h>

struct queue {
	pthread_mutex_t mu;
	pthread_cond_t due;	 /* an item came, or the earliest date did */
	pthread_cond_t released; /* somebody gave an item back */
	struct queue_item **heap;
	size_t n, cap;
	struct queue_item **owned;
	size_t n_owned, cap_owned;
	uint64_t seq;
	bool leader; /* one thread waits for the earliest date; the others until they are called */
	bool closed, held;
};

struct queue *queue_new(void)
{
	struct queue *q = mem_zalloc(sizeof(*q));
	pthread_mutex_init(&q->mu, NULL);
	pthread_condattr_t a;
	pthread_condattr_init(&a);
	pthread_condattr_setclock(&a, CLOCK_MONOTONIC);
	pthread_cond_init(&q->due, &a);
	pthread_cond_init(&q->released, &a);
	pthread_condattr_destroy(&a);
	return q;
}

void queue_free(struct queue *q)
{
	if (!q)
		return;
	pthread_cond_destroy(&q->due);
	pthread_cond_destroy(&q->released);
	pthread_mutex_destroy(&q->mu);
	free(q->heap);
	free(q->owned);
	free(q);
}

/* ---- the heap, by date, then by order of arrival ---- */

static bool before(const struct queue_item *a, const struct queue_item *b)
{
	return a->due_us != b->due_us ? a->due_us < b->due_us : a->seq < b->seq;
}

static void put_at(struct queue *q, size_t at, struct queue_item *i)
{
	q->heap[at] = i;
	i->at = at + 1;
}

static void sift_up(struct queue *q, size_t at)
{
	struct queue_item *i = q->heap[at];
	while (at > 0 && before(i, q->heap[(at - 1) / 2])) {
		put_at(q, at, q->heap[(at - 1) / 2]);
		at = (at - 1) / 2;
	}
	put_at(q, at, i);
}

static void sift_down(struct queue *q, size_t at)
{
	struct queue_item *i = q->heap[at];
	for (;;) {
		size_t child = 2 * at + 1;
		if (child >= q->n)
			break;
		if (child + 1 < q->n && before(q->heap[child + 1], q->heap[child]))
			child++;
		if (!before(q->heap[child], i))
			break;
		put_at(q, at, q->heap[child]);
		at = child;
	}
	put_at(q, at, i);
}

static void heap_add(struct queue *q, struct queue_item *i, int64_t due_us)
{
	i->due_us = due_us;
	i->seq = q->seq++;
	if (q->n == q->cap)
		q->heap = mem_grow(q->heap, &q->cap, q->n + 1, sizeof(struct queue_item *));
	put_at(q, q->n, i);
	q->n++;
	sift_up(q, q->n - 1);
}

static void heap_remove(struct queue *q, struct queue_item *i)
{
	size_t at = i->at - 1;
	i->at = 0;
	q->n--;
	if (at == q->n)
		return;
	put_at(q, at, q->heap[q->n]);
	sift_up(q, at);
	sift_down(q, q->heap[at]->at - 1);
}

/* ---- owning ---- */

static void own(struct queue *q, struct queue_item *i, struct cancel *cancel)
{
	i->owned = true;
	i->again = false;
	i->cancel = cancel;
	if (q->n_owned == q->cap_owned)
		q->owned = mem_grow(q->owned, &q->cap_owned, q->n_owned + 1, sizeof(struct queue_item *));
	q->owned[q->n_owned++] = i;
}

static void fire(struct queue_item *i)
{
	if (i->cancel)
		cancel_fire(i->cancel);
}

static void disown(struct queue *q, struct queue_item *i)
{
	for (size_t k = 0; k < q->n_owned; k++) {
		if (q->owned[k] == i) {
			q->owned[k] = q->owned[--q->n_owned];
			break;
		}
	}
	i->owned = false;
	cancel_unref(i->cancel);
	i->cancel = NULL;
}

static void wake_locked(struct queue *q, struct queue_item *i, int64_t due_us)
{
	if (i->owned) {
		if (!i->again || due_us < i->again_us)
			i->again_us = due_us;
		i->again = true;
		return;
	}
	if (i->at) {
		if (i->due_us <= due_us)
			return;
		heap_remove(q, i);
	}
	heap_add(q, i, due_us);
	if (due_us <= clock_mono_us())
		pthread_cond_signal(&q->due);
	else if (q->heap[0] == i) /* the leader waits for a later date than this one, and a signal might miss it */
		pthread_cond_broadcast(&q->due);
}

void queue_wake(struct queue *q, struct queue_item *i, int64_t delay_ms)
{
	int64_t due_us = clock_mono_us() + (delay_ms > 0 ? delay_ms * 1000 : 0);
	pthread_mutex_lock(&q->mu);
	wake_locked(q, i, due_us);
	pthread_mutex_unlock(&q->mu);
}

static void wait_until(struct queue *q, int64_t us)
{
	struct timespec t = {.tv_sec = (time_t)(us / 1000000), .tv_nsec = (long)(us % 1000000) * 1000};
	pthread_cond_timedwait(&q->due, &q->mu, &t);
}

struct queue_item *queue_take(struct queue *q)
{
	struct queue_item *i = NULL;
	pthread_mutex_lock(&q->mu);
	while (!q->closed) {
		if (!q->held && q->n && q->heap[0]->due_us <= clock_mono_us()) {
			i = q->heap[0];
			heap_remove(q, i);
			own(q, i, cancel_new());
			break;
		}
		if (q->leader || q->held || !q->n) {
			pthread_cond_wait(&q->due, &q->mu);
			continue;
		}
		q->leader = true;
		wait_until(q, q->heap[0]->due_us);
		q->leader = false;
	}
	if (q->n) /* somebody else has to watch the clock now */
		pthread_cond_signal(&q->due);
	pthread_mutex_unlock(&q->mu);
	return i;
}

bool queue_borrow(struct queue *q, struct queue_item *i)
{
	pthread_mutex_lock(&q->mu);
	bool is_free = !i->owned && !q->held && !q->closed && !(i->at && i->due_us <= clock_mono_us());
	if (is_free) {
		int64_t due = i->due_us;
		bool later = i->at != 0;
		if (later)
			heap_remove(q, i);
		own(q, i, NULL); /* held for a moment only: nothing to cancel */
		i->again = later;
		i->again_us = due;
	}
	pthread_mutex_unlock(&q->mu);
	return is_free;
}

void queue_release(struct queue *q, struct queue_item *i)
{
	pthread_mutex_lock(&q->mu);
	disown(q, i);
	if (i->again)
		wake_locked(q, i, i->again_us);
	i->again = false;
	pthread_cond_broadcast(&q->released);
	pthread_mutex_unlock(&q->mu);
}

void queue_remove(struct queue *q, struct queue_item *i)
{
	pthread_mutex_lock(&q->mu);
	while (i->owned) {
		fire(i);
		i->again = false;
		pthread_cond_wait(&q->released, &q->mu);
	}
	if (i->at)
		heap_remove(q, i);
	pthread_mutex_unlock(&q->mu);
}

void queue_cancel(struct queue *q, struct queue_item *i)
{
	pthread_mutex_lock(&q->mu);
	if (i->owned)
		fire(i);
	pthread_mutex_unlock(&q->mu);
}

static void cancel_all(struct queue *q)
{
	for (size_t k = 0; k < q->n_owned; k++)
		fire(q->owned[k]);
}

void queue_close(struct queue *q)
{
	pthread_mutex_lock(&q->mu);
	q->closed = true;
	cancel_all(q);
	pthread_cond_broadcast(&q->due);
	pthread_mutex_unlock(&q->mu);
}

void queue_open(struct queue *q)
{
	pthread_mutex_lock(&q->mu);
	q->closed = false;
	pthread_mutex_unlock(&q->mu);
}

void queue_hold(struct queue *q)
{
	pthread_mutex_lock(&q->mu);
	q->held = true;
	cancel_all(q);
	pthread_mutex_unlock(&q->mu);
}

void queue_resume(struct queue *q)
{
	pthread_mutex_lock(&q->mu);
	q->held = false;
	pthread_cond_broadcast(&q->due);
	pthread_mutex_unlock(&q->mu);
}

size_t queue_depth(struct queue *q)
{
	pthread_mutex_lock(&q->mu);
	size_t n = q->n_owned;
	int64_t now = clock_mono_us();
	for (size_t k = 0; k < q->n; k++)
		n += q->heap[k]->due_us <= now;
	pthread_mutex_unlock(&q->mu);
	return n;
}

bool queue_busy(struct queue *q, const struct queue_item *i)
{
	pthread_mutex_lock(&q->mu);
	bool busy = i->owned || (i->at && i->due_us <= clock_mono_us());
	pthread_mutex_unlock(&q->mu);
	return busy;
}
