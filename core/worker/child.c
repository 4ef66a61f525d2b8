/* SPDX-License-Identifier: Apache-2.0 */
/* A child: sets its limits, then answers calls until it is killed, idle too long, or the engine is gone. */
#include "core/worker/private.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/*
 * The sanitizers reserve terabytes of address space before main, so that RLIMIT_AS would end every child
 * at once: with them memory is not limited. Everything else is.
 */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define LIMIT_MEMORY 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define LIMIT_MEMORY 0
#endif
#endif
#ifndef LIMIT_MEMORY
#define LIMIT_MEMORY 1
#endif

enum {
	DESCRIPTORS_DEFAULT = 64,
	PROBE = 1024 * 1024,
	SPACE_GUESS = 256 * 1024 * 1024 /* of a helper, where /proc can't tell */
};

/* Of this process alone: whether a call waits for its answer, for the handler of SIGABRT. */
static volatile sig_atomic_t in_job;

static uint64_t address_space(void)
{
	unsigned long pages = 0;
	FILE *f = fopen("/proc/self/statm", "re");

	if (!f)
		return SPACE_GUESS;
	if (fscanf(f, "%lu", &pages) != 1)
		pages = 0;
	fclose(f);
	return pages ? (uint64_t)pages * (uint64_t)sysconf(_SC_PAGESIZE) : SPACE_GUESS;
}

static void set_limit(int what, uint64_t value)
{
	struct rlimit l = {value, value};
	struct rlimit now;

	if (getrlimit((__rlimit_resource_t)what, &now) == 0 && now.rlim_max < l.rlim_max)
		l.rlim_cur = l.rlim_max = now.rlim_max;
	if (setrlimit((__rlimit_resource_t)what, &l) < 0)
		_exit(1);
}

static void set_limits(const struct spawn_request *r)
{
	set_limit(RLIMIT_CORE, 0);
	set_limit(RLIMIT_NOFILE, r->descriptors ? r->descriptors : DESCRIPTORS_DEFAULT);
	if (LIMIT_MEMORY && r->memory)
		set_limit(RLIMIT_AS, address_space() + r->memory);
}

/* When the machine's memory runs out, a child goes before the engine. */
static void offer_to_oom_killer(void)
{
	int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	if (write(fd, "500", 3) < 0)
		errno = 0; /* a courtesy: where it is refused, scores decide */
	close(fd);
}

/*
 * mem_alloc aborts when malloc gives nothing. errno still says so then, and a probe tells when the limit is
 * near; else it is an abort like any other.
 */
static void on_abort(int sig)
{
	struct answer_head h = {.magic = WIRE_MAGIC, .type = ANSWER_MEMORY};
	bool memory = errno == ENOMEM;
	void *probe = mmap(NULL, PROBE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (probe == MAP_FAILED)
		memory = true;
	if (in_job && memory && wire_write(WIRE_FD, &h, sizeof(h)))
		_exit(0);
	signal(sig, SIG_DFL);
	raise(sig);
}

static void set_signals(void)
{
	/*
	 * The service manager's SIGTERM goes to every process of the service: the engine drains then, and its calls
	 * must end as they would. SIGPIPE: libraries that write to sockets want the error, not the end.
	 */
	static const int ignored[] = {SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGPIPE};
	struct sigaction ignore = {.sa_handler = SIG_IGN};
	struct sigaction on = {.sa_handler = on_abort};
	sigset_t none;

	for (size_t i = 0; i < sizeof(ignored) / sizeof(*ignored); i++)
		sigaction(ignored[i], &ignore, NULL);
	sigaction(SIGABRT, &on, NULL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* A whole call, or the end of this process. */
static char *next_call(struct call_head *h)
{
	struct pollfd p = {.fd = WIRE_FD, .events = POLLIN};
	struct answer_head bye = {.magic = WIRE_MAGIC, .type = ANSWER_BYE};
	int got;

	do
		got = poll(&p, 1, WIRE_IDLE_MS);
	while (got < 0 && errno == EINTR);
	if (got == 0) {
		wire_write(WIRE_FD, &bye, sizeof(bye));
		_exit(0);
	}
	if (!wire_read(WIRE_FD, h, sizeof(*h)))
		_exit(0);
	if (h->magic != WIRE_MAGIC || h->len > WIRE_IN_MAX)
		_exit(1);

	char *in = malloc(h->len + 1);

	if (!in) {
		struct answer_head memory = {.magic = WIRE_MAGIC, .type = ANSWER_MEMORY};

		wire_write(WIRE_FD, &memory, sizeof(memory));
		_exit(0);
	}
	if (!wire_read(WIRE_FD, in, h->len))
		_exit(0);
	in[h->len] = '\0';
	return in;
}

/* Has the job left processes behind? They would outlive its limits: the engine then throws this child away. */
static bool left_behind(void)
{
	pid_t got;

	while ((got = waitpid(-1, NULL, WNOHANG)) > 0)
		;
	return got == 0;
}

static void answer(pl_status st, struct buf *out, const struct pl_err *e)
{
	struct answer_head h = {.magic = WIRE_MAGIC, .type = ANSWER_OK, .dirty = left_behind()};
	struct buf packed = BUF_INIT(WIRE_ERROR_MAX);

	if (st != PL_OK) {
		struct pl_err bare = ERR_INIT;

		if (e->code == PL_OK)
			err_set(&bare, st, "the job gave no reason");
		err_pack(e->code == PL_OK ? &bare : e, &packed);
		err_clear(&bare);
		out = &packed;
		h.type = ANSWER_ERROR;
	} else if (buf_full(out)) {
		buf_cut(out, 0);
		h.type = ANSWER_TOOBIG;
	}
	h.len = out->n;
	in_job = 0; /* what is said from here on must stand alone */
	if (!wire_write(WIRE_FD, &h, sizeof(h)) || !wire_write(WIRE_FD, out->p, out->n))
		_exit(0);
	buf_free(&packed);
}

_Noreturn void worker_answer_and_end(pl_str bytes)
{
	struct answer_head h = {.magic = WIRE_MAGIC, .type = ANSWER_OK, .dirty = 1, .len = bytes.n};

	/* The engine refuses what is over its out_max. */
	if (wire_write(WIRE_FD, &h, sizeof(h)))
		wire_write(WIRE_FD, bytes.p, bytes.n);
	_exit(0);
}

static void serve(const struct worker_job *job)
{
	struct call_head h;
	char *in = next_call(&h);
	struct buf out = BUF_INIT(h.out_max);
	struct pl_err e = ERR_INIT;

	in_job = 1;
	errno = 0;

	pl_status st = job->fn((pl_str){in, h.len}, &out, &e);

	answer(st, &out, &e);
	err_clear(&e);
	buf_free(&out);
	free(in);
}

_Noreturn void child_main(const struct worker_job *job, const struct spawn_request *r, int fd, pid_t parent)
{
	char name[16];

	snprintf(name, sizeof(name), "plumb-%s", job->name);
	process_settle(name, fd, parent, SIGKILL);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		_exit(1);
	offer_to_oom_killer();
	set_limits(r);
	set_signals();
	for (;;)
		serve(job);
}
