/* SPDX-License-Identifier: Apache-2.0 */
/* The helper: forks a child for each request, kills it on demand, tells how it ended. */
#include "core/worker/private.h"

#include "core/base/mem.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

struct kid {
	pid_t pid;
	int fate; /* our end of its fate stream; -1 once the engine has let go of it */
};

struct helper {
	const struct worker_job *jobs;
	size_t n_jobs;
	int signals;
	struct kid *kids;
	size_t n, cap;
	pid_t *pids; /* those of kids, for process_kill_strays */
	size_t pids_cap;
	struct pollfd *polls;
	size_t polls_cap;
};

static void report(int fate, uint32_t kind, int value)
{
	struct report r = {kind, value};

	if (fate >= 0)
		wire_write(fate, &r, sizeof(r));
}

static void kid_kill(const struct kid *k)
{
	kill(k->pid, SIGKILL); /* it may not have made its group yet */
	kill(-k->pid, SIGKILL);
}

static void spawn(struct helper *h, const struct spawn_request *r, int sock, int fate)
{
	pid_t self = getpid();
	pid_t pid = fork();

	if (pid == 0)
		child_main(&h->jobs[r->job], r, sock, self);
	close(sock);
	if (pid < 0) {
		report(fate, REPORT_NO_FORK, errno);
		close(fate);
		return;
	}
	h->kids = mem_grow(h->kids, &h->cap, h->n + 1, sizeof(*h->kids));
	h->kids[h->n++] = (struct kid){pid, fate};
}

/* false: the engine is gone. */
static bool take_requests(struct helper *h)
{
	for (;;) {
		struct spawn_request r;
		int fds[2];
		ssize_t got = wire_recv_fds(WIRE_FD, &r, sizeof(r), fds, 2);

		if (got < 0)
			return errno == EAGAIN || errno == EWOULDBLOCK;
		if (got == 0)
			return false;
		if (got == sizeof(r) && r.magic == WIRE_MAGIC && r.job < h->n_jobs && fds[0] >= 0 && fds[1] >= 0) {
			spawn(h, &r, fds[0], fds[1]);
			continue;
		}
		for (size_t i = 0; i < 2; i++)
			if (fds[i] >= 0)
				close(fds[i]);
	}
}

static void kill_strays(struct helper *h)
{
	h->pids = mem_grow(h->pids, &h->pids_cap, h->n + 1, sizeof(*h->pids));
	for (size_t i = 0; i < h->n; i++)
		h->pids[i] = h->kids[i].pid;
	process_kill_strays(h->pids, h->n);
}

static void kid_ended(struct helper *h, size_t i, const siginfo_t *info)
{
	struct kid *k = &h->kids[i];

	/* Its number is its own until it is reaped, so its group can be killed without hitting another's. */
	kill(-k->pid, SIGKILL);
	waitpid(k->pid, NULL, 0);
	report(k->fate, info->si_code == CLD_EXITED ? REPORT_EXIT : REPORT_SIGNAL, info->si_status);
	if (k->fate >= 0)
		close(k->fate);
	h->kids[i] = h->kids[--h->n];
}

static void reap(struct helper *h)
{
	siginfo_t info;

	for (;;) {
		size_t i = 0;

		info.si_pid = 0;
		if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) < 0 || info.si_pid == 0)
			break;
		while (i < h->n && h->kids[i].pid != info.si_pid)
			i++;
		if (i < h->n)
			kid_ended(h, i, &info);
		else
			waitpid(info.si_pid, NULL, WNOHANG);
	}
	kill_strays(h);
}

static _Noreturn void finish(struct helper *h)
{
	for (size_t i = 0; i < h->n; i++)
		kid_kill(&h->kids[i]);
	/* Whatever they have started becomes our child when they end; then it is killed in turn. */
	while (waitpid(-1, NULL, 0) > 0)
		process_kill_strays(NULL, 0);
	_exit(0);
}

static void wait_for_events(struct helper *h)
{
	h->polls = mem_grow(h->polls, &h->polls_cap, h->n + 2, sizeof(*h->polls));
	h->polls[0] = (struct pollfd){.fd = WIRE_FD, .events = POLLIN};
	h->polls[1] = (struct pollfd){.fd = h->signals, .events = POLLIN};
	for (size_t i = 0; i < h->n; i++)
		h->polls[i + 2] = (struct pollfd){.fd = h->kids[i].fate, .events = POLLIN};
	while (poll(h->polls, h->n + 2, -1) < 0 && errno == EINTR)
		;
}

_Noreturn void helper_main(const struct worker_job *jobs, size_t n, pid_t parent)
{
	struct helper h = {.jobs = jobs, .n_jobs = n};

	process_settle("plumb-helper", WIRE_FD, parent, SIGTERM);
	h.signals = process_signals();
	for (;;) {
		wait_for_events(&h);
		/* Kills first: the list is in the polled order only until children are reaped or made. */
		for (size_t i = 0; i < h.n; i++) {
			if (!h.polls[i + 2].revents)
				continue;
			kid_kill(&h.kids[i]);
			if (h.polls[i + 2].revents & (POLLHUP | POLLERR)) {
				close(h.kids[i].fate);
				h.kids[i].fate = -1;
			} else {
				char byte;

				wire_read(h.kids[i].fate, &byte, 1);
			}
		}
		process_drain_signals(h.signals);
		reap(&h);
		if (((h.polls[0].revents & (POLLIN | POLLHUP | POLLERR)) && !take_requests(&h)) || getppid() != parent)
			finish(&h);
	}
}
