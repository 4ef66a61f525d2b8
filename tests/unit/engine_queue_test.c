/* SPDX-License-Identifier: Apache-2.0 */
/* The work queue: order, dates, one owner at a time, wake-ups that are not lost, cancel, hold. */
#include "core/base/clock.h"
#include "core/engine/queue.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <unistd.h>
#include <cmocka.h>

static void nothing(struct queue_item *i)
{
	(void)i;
}

static void items_come_in_order_of_arrival(void **state)
{
	(void)state;
	struct queue *q = queue_new();
	struct queue_item i[5] = {0};
	for (size_t k = 0; k < 5; k++)
		i[k].run = nothing;
	for (size_t k = 0; k < 5; k++)
		queue_wake(q, &i[k], 0);
	assert_int_equal(queue_depth(q), 5);
	int64_t last = 0;
	for (size_t k = 0; k < 5; k++) {
		struct queue_item *x = queue_take(q);
		assert_true(x->due_us >= last);
		last = x->due_us;
		queue_release(q, x);
	}
	assert_int_equal(queue_depth(q), 0);
	queue_free(q);
}

static void waking_twice_is_one_turn(void **state)
{
	(void)state;
	struct queue *q = queue_new();
	struct queue_item i = {.run = nothing};
	queue_wake(q, &i, 0);
	queue_wake(q, &i, 0);
	queue_release(q, queue_take(q));
	assert_int_equal(queue_depth(q), 0);
	queue_free(q);
}

static void an_earlier_date_wins_over_a_later_one(void **state)
{
	(void)state;
	struct queue *q = queue_new();
	struct queue_item i = {.run = nothing}, far = {.run = nothing};
	queue_wake(q, &far, 3600 * 1000);
	queue_wake(q, &i, 3600 * 1000);
	queue_wake(q, &i, 0);
	queue_wake(q, &i, 3600 * 1000); /* a later one does not put it off */
	assert_ptr_equal(queue_take(q), &i);
	queue_release(q, &i);
	queue_remove(q, &far);
	queue_free(q);
}

static void a_wake_up_during_the_turn_is_another_turn(void **state)
{
	(void)state;
	struct queue *q = queue_new();
	struct queue_item i = {.run = nothing};
	queue_wake(q, &i, 0);
	struct queue_item *x = queue_take(q);
	queue_wake(q, &i, 0);
	assert_false(queue_borrow(q, &i)); /* it has an owner */
	queue_release(q, x);
	assert_ptr_equal(queue_take(q), &i);
	queue_release(q, &i);
	queue_free(q);
}

static void borrowing_keeps_the_date(void **state)
{
	(void)state;
	struct queue *q = queue_new();
	struct queue_item i = {.run = nothing};
	assert_true(queue_borrow(q, &i));
	assert_false(queue_borrow(q, &i));
	queue_release(q, &i);
	queue_wake(q, &i, 3600 * 1000);
	assert_true(queue_borrow(q, &i));
	queue_release(q, &i);
	assert_true(i.at != 0);
	queue_wake(q, &i, 0);
	assert_false(queue_borrow(q, &i)); /* due: whoever takes it looks for himself */
	queue_remove(q, &i);
	queue_free(q);
}

static void cancel_reaches_the_running_turn_only(void **state)
{
	(void)state;
	struct queue *q = queue_new();
	struct queue_item i = {.run = nothing};
	queue_cancel(q, &i); /* nobody works on it */
	queue_wake(q, &i, 0);
	struct queue_item *x = queue_take(q);
	assert_false(cancel_fired(x->cancel));
	queue_cancel(q, &i);
	assert_true(cancel_fired(x->cancel));
	queue_wake(q, &i, 0);
	queue_release(q, x);
	x = queue_take(q);
	assert_false(cancel_fired(x->cancel)); /* each turn has its own */
	queue_release(q, x);
	queue_free(q);
}

static void closing_cancels_and_hands_nothing_out(void **state)
{
	(void)state;
	struct queue *q = queue_new();
	struct queue_item i = {.run = nothing}, waiting = {.run = nothing};
	queue_wake(q, &i, 0);
	struct queue_item *x = queue_take(q);
	queue_wake(q, &waiting, 0);
	queue_close(q);
	assert_true(cancel_fired(x->cancel));
	assert_null(queue_take(q));
	assert_false(queue_borrow(q, &waiting));
	queue_release(q, x);
	queue_open(q);
	assert_ptr_equal(queue_take(q), &waiting);
	queue_release(q, &waiting);
	queue_free(q);
}

/* ---- many threads ---- */

enum { ITEMS = 64, THREADS = 8, WAKES = 2000 };

struct counted {
	struct queue_item item; /* first */
	atomic_int inside;
	atomic_int turns, wakes_seen;
	atomic_int woken;
};

static struct {
	struct queue *q;
	struct counted items[ITEMS];
	atomic_bool overlapped;
} many;

static void turn(struct queue_item *i)
{
	struct counted *c = (struct counted *)i;
	if (atomic_fetch_add(&c->inside, 1) != 0)
		atomic_store(&many.overlapped, true);
	atomic_store(&c->wakes_seen, atomic_load(&c->woken));
	atomic_fetch_add(&c->turns, 1);
	atomic_fetch_sub(&c->inside, 1);
}

static void *work(void *arg)
{
	(void)arg;
	struct queue_item *i;
	while ((i = queue_take(many.q))) {
		i->run(i);
		queue_release(many.q, i);
	}
	return NULL;
}

static void *wake(void *arg)
{
	unsigned seed = (unsigned)(uintptr_t)arg;
	for (int k = 0; k < WAKES; k++) {
		seed = seed * 1103515245u + 12345u;
		struct counted *c = &many.items[(seed >> 16) % ITEMS];
		atomic_fetch_add(&c->woken, 1);
		queue_wake(many.q, &c->item, (seed >> 8) % 3);
		if (k % 16 == 0 && queue_borrow(many.q, &c->item)) {
			turn(&c->item);
			queue_wake(many.q, &c->item, 0);
			queue_release(many.q, &c->item);
		}
	}
	return NULL;
}

static void one_owner_at_a_time_and_no_wake_up_is_lost(void **state)
{
	(void)state;
	pthread_t workers[THREADS], wakers[THREADS];
	many.q = queue_new();
	for (size_t k = 0; k < ITEMS; k++)
		many.items[k].item.run = turn;
	for (size_t k = 0; k < THREADS; k++) {
		assert_int_equal(pthread_create(&workers[k], NULL, work, NULL), 0);
		assert_int_equal(pthread_create(&wakers[k], NULL, wake, (void *)(uintptr_t)(k + 1)), 0);
	}
	queue_hold(many.q);
	queue_resume(many.q);
	for (size_t k = 0; k < THREADS; k++)
		pthread_join(wakers[k], NULL);
	for (size_t k = 0; k < ITEMS; k++) { /* the last wake-up of each is followed by a turn */
		for (int tries = 0; atomic_load(&many.items[k].wakes_seen) != atomic_load(&many.items[k].woken);
		     tries++) {
			assert_true(tries < 30000);
			usleep(1000);
		}
	}
	queue_close(many.q);
	for (size_t k = 0; k < THREADS; k++)
		pthread_join(workers[k], NULL);
	assert_false(atomic_load(&many.overlapped));
	queue_free(many.q);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(items_come_in_order_of_arrival),
		cmocka_unit_test(waking_twice_is_one_turn),
		cmocka_unit_test(an_earlier_date_wins_over_a_later_one),
		cmocka_unit_test(a_wake_up_during_the_turn_is_another_turn),
		cmocka_unit_test(borrowing_keeps_the_date),
		cmocka_unit_test(cancel_reaches_the_running_turn_only),
		cmocka_unit_test(closing_cancels_and_hands_nothing_out),
		cmocka_unit_test(one_owner_at_a_time_and_no_wake_up_is_lost),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
