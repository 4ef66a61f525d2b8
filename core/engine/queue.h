/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The work queue: items that are embedded in what they stand for (an application, a repository). An item has one owner
 * at a time; waking one that is pending or owned is remembered once. Thread-safe.
 */
#ifndef ENGINE_QUEUE_H
#define ENGINE_QUEUE_H

#include "core/worker/worker.h"

struct queue;

struct queue_item {
	void (*run)(struct queue_item *i); /* called by a thread that owns the item */
	/* the queue's own */
	int64_t due_us;
	uint64_t seq;
	size_t at;  /* place in the heap + 1; 0: not in it */
	bool owned; /* somebody works on it */
	bool again; /* woken while it was owned: due at again_us */
	int64_t again_us;
	struct cancel *cancel; /* of the step that runs; made by the queue for each */
};

struct queue *queue_new(void);
void queue_free(struct queue *q); /* no thread may be in it any more */

/* Runs the item not later than in delay_ms (0: now). An earlier date stays. */
void queue_wake(struct queue *q, struct queue_item *i, int64_t delay_ms);
/* Waits for an item that is due and owns it. NULL: the queue was closed. */
struct queue_item *queue_take(struct queue *q);
/* Owns an item that is neither owned nor due; false: it isn't so. */
bool queue_borrow(struct queue *q, struct queue_item *i);
/* Gives an owned item back. */
void queue_release(struct queue *q, struct queue_item *i);
/* Takes an item out for good: cancels its step, waits until nobody owns it. */
void queue_remove(struct queue *q, struct queue_item *i);

/* Fires the cancel of the step that runs on this item, if one does. */
void queue_cancel(struct queue *q, struct queue_item *i);
/* Closed: take answers NULL, running steps are cancelled. It can be opened again. */
void queue_close(struct queue *q);
void queue_open(struct queue *q);
/* Held: take hands nothing out (and running steps are cancelled) until resumed. */
void queue_hold(struct queue *q);
void queue_resume(struct queue *q);

size_t queue_depth(struct queue *q);			      /* due now or owned */
bool queue_busy(struct queue *q, const struct queue_item *i); /* owned, or due now */

#endif
