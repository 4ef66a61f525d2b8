/* SPDX-License-Identifier: Apache-2.0 */
/* What keeper, helper and children have in common. */
#include "core/worker/private.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

static void reset_signals(void)
{
	struct sigaction plain = {.sa_handler = SIG_DFL};

	/* An ignored SIGCHLD, which is inherited, would take the children's exit status away. */
	for (int s = 1; s < NSIG; s++)
		sigaction(s, &plain, NULL);
}

static void null_input_and_output(void)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null < 0)
		return;
	dup2(null, STDIN_FILENO);
	dup2(null, STDOUT_FILENO); /* a reader of the program's output must not wait for a helper to end */
	if (null > STDERR_FILENO)
		close(null);
}

void process_settle(const char *name, int fd, pid_t parent, int death_signal)
{
	sigset_t all;

	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	reset_signals();
	/* A terminal's ^C and hang-up are for the engine, which ends us when it has finished. */
	setsid();
	prctl(PR_SET_NAME, name);
	prctl(PR_SET_PDEATHSIG, death_signal);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	if (getppid() != parent)
		_exit(0); /* it ended before PDEATHSIG was set */
	if (fd != WIRE_FD && dup3(fd, WIRE_FD, O_CLOEXEC) < 0)
		_exit(1);
	null_input_and_output();
	if (close_range(WIRE_FD + 1, ~0U, 0) < 0)
		for (int i = WIRE_FD + 1, n = (int)sysconf(_SC_OPEN_MAX); i < n; i++)
			close(i);
}

int process_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGTERM);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

void process_drain_signals(int fd)
{
	struct signalfd_siginfo info;

	while (read(fd, &info, sizeof(info)) == sizeof(info))
		;
}

static bool is_kept(pid_t pid, const pid_t *keep, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (keep[i] == pid)
			return true;
	return false;
}

/*
 * Orphans come to us, for we are a subreaper. The kernel's list may miss some while others end, but each
 * of those ends with a SIGCHLD, after which the list is read again.
 */
size_t process_kill_strays(const pid_t *keep, size_t n)
{
	char path[64];
	size_t killed = 0;
	long pid;

	snprintf(path, sizeof(path), "/proc/self/task/%d/children", (int)getpid());

	FILE *f = fopen(path, "re");

	if (!f)
		return 0;
	while (fscanf(f, "%ld", &pid) == 1)
		if (!is_kept((pid_t)pid, keep, n)) {
			kill((pid_t)pid, SIGKILL);
			killed++;
		}
	fclose(f);
	return killed;
}
