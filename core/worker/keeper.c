/* SPDX-License-Identifier: Apache-2.0 */
/* Starts the helper, again when it was killed, and ends with the engine. */
#include "core/worker/private.h"

#include "core/base/clock.h"

#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

enum { GRACE_MS = 5000, RESTART_PAUSE_MS = 200 };

static bool engine_gone(int timeout_ms, int signals, pid_t parent)
{
	struct pollfd p[2] = {{.fd = WIRE_FD}, {.fd = signals, .events = POLLIN}};

	poll(p, 2, timeout_ms);
	process_drain_signals(signals);
	return (p[0].revents & (POLLHUP | POLLERR)) || getppid() != parent;
}

/* Reaps whatever has ended; true when pid was among it. */
static bool reap(pid_t pid)
{
	bool seen = false;
	pid_t got;

	while ((got = waitpid(-1, NULL, WNOHANG)) > 0)
		seen = seen || got == pid;
	return seen;
}

/* The helper sees the engine's end itself, kills its children and ends. */
static _Noreturn void finish(pid_t helper, int signals)
{
	int64_t until = clock_mono_ms() + GRACE_MS;

	while (helper > 0 && !reap(helper)) {
		struct pollfd p = {.fd = signals, .events = POLLIN};
		int64_t left = until - clock_mono_ms();

		if (left <= 0) {
			kill(helper, SIGKILL);
			break;
		}
		poll(&p, 1, (int)left);
		process_drain_signals(signals);
	}
	process_kill_strays(NULL, 0);
	_exit(0);
}

/* A helper's children die with it, but what they have started comes to us. */
static void kill_orphans(int signals)
{
	int64_t until = clock_mono_ms() + GRACE_MS;

	while (process_kill_strays(NULL, 0) > 0 && clock_mono_ms() < until) {
		struct pollfd p = {.fd = signals, .events = POLLIN};

		poll(&p, 1, 20);
		process_drain_signals(signals);
		reap(0);
	}
}

_Noreturn void keeper_main(const struct worker_job *jobs, size_t n, int fd, pid_t parent)
{
	process_settle("plumb-keeper", fd, parent, SIGTERM);

	int signals = process_signals();
	pid_t self = getpid();

	for (;;) {
		int64_t started = clock_mono_ms();
		pid_t helper = fork();

		if (helper == 0)
			helper_main(jobs, n, self);
		while (helper > 0 && !reap(helper))
			if (engine_gone(-1, signals, parent))
				finish(helper, signals);
		kill_orphans(signals);
		/* One that can't live must not make this a busy loop. */
		if (clock_mono_ms() - started < 1000 && engine_gone(RESTART_PAUSE_MS, signals, parent))
			finish(0, signals);
	}
}
