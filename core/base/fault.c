/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/fault.h"

#include <stdatomic.h>

#ifdef PLUMB_FAULTS

#include "core/base/str.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

static void trace(const char *name)
{
	const char *file = getenv("PLUMB_FAULT_TRACE");
	int fd = file ? open(file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600) : -1;
	if (fd < 0)
		return;
	char line[128];
	int n = snprintf(line, sizeof line, "%s\n", name);
	if (n > 0 && write(fd, line, (size_t)n) != n)
		abort(); /* a test that can't see its points must not pass */
	close(fd);
}

void fault_point(const char *name)
{
	static atomic_int passed;
	trace(name);
	const char *want = getenv("PLUMB_FAULT");
	if (!want)
		return;
	pl_str point, times;
	str_cut(str_of(want), ':', &point, &times);
	if (!str_eqz(point, name))
		return;
	long nth = times.n ? strtol(times.p, NULL, 10) : 1;
	if (atomic_fetch_add(&passed, 1) + 1 == nth)
		kill(getpid(), SIGKILL);
}

#else

/* An empty translation unit is not C; other builds have no fault points. */
typedef int fault_points_are_off;

#endif
