/* SPDX-License-Identifier: Apache-2.0 */
#include "core/worker/worker.h"

#include "core/base/mem.h"

#include <errno.h>
#include <stdatomic.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct cancel {
	atomic_uint refs;
	atomic_bool fired;
	int fd; /* -1 when the process has no descriptor left: waiters then look at fired in short steps */
};

struct cancel *cancel_new(void)
{
	struct cancel *c = mem_zalloc(sizeof(*c));

	atomic_init(&c->refs, 1);
	atomic_init(&c->fired, false);
	c->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return c;
}

struct cancel *cancel_ref(struct cancel *c)
{
	atomic_fetch_add_explicit(&c->refs, 1, memory_order_relaxed);
	return c;
}

void cancel_unref(struct cancel *c)
{
	if (!c || atomic_fetch_sub_explicit(&c->refs, 1, memory_order_acq_rel) != 1)
		return;
	if (c->fd >= 0)
		close(c->fd);
	free(c);
}

void cancel_fire(struct cancel *c)
{
	const uint64_t one = 1;

	if (atomic_exchange(&c->fired, true) || c->fd < 0)
		return;
	/* An eventfd at zero takes one without waiting; only the first to fire writes. */
	while (write(c->fd, &one, sizeof(one)) < 0 && errno == EINTR)
		;
}

bool cancel_fired(const struct cancel *c)
{
	return c && atomic_load(&c->fired);
}

int cancel_fd(const struct cancel *c)
{
	return c ? c->fd : -1;
}
