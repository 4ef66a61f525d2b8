/* SPDX-License-Identifier: Apache-2.0 */
#include "core/worker/worker.h"

#include "core/base/file.h"
#include "core/base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

enum { SOON_MS = 20000 }; /* for what must happen at once; only a failing test waits that long */

/* ---- jobs ---- */

static pl_status job_echo(pl_str in, struct buf *out, struct pl_err *e)
{
	(void)e;
	buf_add(out, in);
	return PL_OK;
}

static pl_status job_fail(pl_str in, struct buf *out, struct pl_err *e)
{
	pl_place at = {"shop.yaml", 14, 5};

	buf_addz(out, "half an answer");
	pl_err_set(e, PL_ECONFLICT, at, "no '%.*s' here", F(in));
	pl_err_hint(e, "did you mean 'web'?");
	return PL_ECONFLICT;
}

static pl_status job_fail_mutely(pl_str in, struct buf *out, struct pl_err *e)
{
	(void)in;
	(void)out;
	(void)e;
	return PL_EAUTH;
}

static pl_status job_hang(pl_str in, struct buf *out, struct pl_err *e)
{
	(void)in;
	(void)out;
	(void)e;
	for (;;)
		pause();
	return PL_OK;
}

static pl_status job_spin(pl_str in, struct buf *out, struct pl_err *e)
{
	(void)in;
	(void)out;
	(void)e;
	for (volatile unsigned i = 0;; i++)
		;
	return PL_OK;
}

static pl_status job_eat(pl_str in, struct buf *out, struct pl_err *e)
{
	size_t step = str_eqz(in, "one gulp") ? (size_t)1 << 40 : 4096;

	(void)out;
	(void)e;
	for (;;)
		memset(mem_alloc(step), 1, 4096);
	return PL_OK;
}

static pl_status job_signal(pl_str in, struct buf *out, struct pl_err *e)
{
	(void)out;
	(void)e;
	signal(in.p[0], SIG_DFL);
	raise(in.p[0]);
	return PL_OK;
}

static pl_status job_exit(pl_str in, struct buf *out, struct pl_err *e)
{
	(void)out;
	(void)e;
	_exit(in.p[0]);
}

static pl_status job_garbage(pl_str in, struct buf *out, struct pl_err *e)
{
	(void)out;
	(void)e;
	if (write(3, in.p, in.n) != (ssize_t)in.n)
		_exit(1);
	for (;;)
		pause();
}

static pl_status job_large(pl_str in, struct buf *out, struct pl_err *e)
{
	(void)in;
	(void)e;
	for (int i = 0; i < 100000; i++)
		buf_addz(out, "0123456789");
	return PL_OK;
}

/* Its own number, its parent's (the helper) and its parent's parent's (the keeper). */
static pl_status job_family(pl_str in, struct buf *out, struct pl_err *e)
{
	char path[64];
	int keeper = 0;

	(void)in;
	snprintf(path, sizeof(path), "/proc/%d/stat", (int)getppid());

	FILE *f = fopen(path, "re");

	if (!f || fscanf(f, "%*d (%*[^)]) %*c %d", &keeper) != 1)
		return err_set(e, PL_EIO, "read '%s'", path);
	fclose(f);
	buf_addf(out, "%d %d %d", (int)getpid(), (int)getppid(), keeper);
	return PL_OK;
}

static int calls_served; /* this child's own */

static pl_status job_count(pl_str in, struct buf *out, struct pl_err *e)
{
	(void)in;
	(void)e;
	buf_addf(out, "%d", ++calls_served);
	return PL_OK;
}

static void start_sleeper(struct buf *out, bool own_session)
{
	int go[2];
	char c;
	pid_t pid;

	if (pipe2(go, O_CLOEXEC) < 0 || (pid = fork()) < 0)
		_exit(9);
	if (pid == 0) {
		signal(SIGTERM, SIG_IGN);
		if (own_session)
			setsid();
		close(go[1]);
		for (;;)
			pause();
	}
	close(go[1]);
	while (own_session && read(go[0], &c, 1) < 0)
		;
	close(go[0]);
	buf_addf(out, "%d ", (int)pid);
}

/* "keep": returns; else hangs after telling the numbers over the descriptor that the test gave by /proc. */
static pl_status job_leave_behind(pl_str in, struct buf *out, struct pl_err *e)
{
	(void)in;
	(void)e;
	start_sleeper(out, false);
	return PL_OK;
}

/* Processes in sessions of their own, orphaned, then an endless wait. */
static pl_status job_bomb(pl_str in, struct buf *out, struct pl_err *e)
{
	char path[4096];
	struct buf pids = BUF_INIT(65536);

	(void)out;
	snprintf(path, sizeof(path), "%.*s", F(in));
	for (int i = 0; i < 20; i++) {
		pid_t pid = fork();

		if (pid == 0) {
			if (i % 2)
				setsid();
			pid_t below = fork();

			if (below == 0 && i % 3 == 0)
				setsid();
			for (;;)
				pause();
		}
		buf_addf(&pids, "%d ", (int)pid);
	}

	if (file_write(path, buf_str(&pids), 0600, e) != PL_OK)
		_exit(7);
	for (;;)
		pause();
}

static pl_status job_descriptors(pl_str in, struct buf *out, struct pl_err *e)
{
	int n = 0, first = -1;

	(void)in;
	(void)e;
	for (int fd; (fd = open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0; n++)
		first = first < 0 ? fd : first;
	buf_addf(out, "%d opened from %d: %s", n, first, strerrorname_np(errno));
	return PL_OK;
}

static pl_status job_guards(pl_str in, struct buf *out, struct pl_err *e)
{
	struct rlimit core;
	struct sigaction chld, pipe_action;
	sigset_t blocked;

	(void)in;
	(void)e;
	getrlimit(RLIMIT_CORE, &core);
	sigprocmask(SIG_BLOCK, NULL, &blocked);
	sigaction(SIGCHLD, NULL, &chld);
	sigaction(SIGPIPE, NULL, &pipe_action);
	buf_addf(out, "core %d no_new_privs %d leader %d group %d blocked %d chld %d pipe %d", (int)core.rlim_max,
		 prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), getsid(0) == getpid(), getpgrp() == getpid(),
		 sigismember(&blocked, SIGUSR1), chld.sa_handler == SIG_DFL, pipe_action.sa_handler == SIG_IGN);
	return PL_OK;
}

/* Serves once; then it says what an idle child says when it ends, for which a test would have to wait a minute. */
static pl_status job_say_bye(pl_str in, struct buf *out, struct pl_err *e)
{
	static const uint32_t bye[6] = {0x706c776b, 3, 0, 0, 0, 0};

	(void)e;
	if (calls_served++ == 0) {
		buf_add(out, in);
		return PL_OK;
	}
	if (write(3, bye, sizeof(bye)) != (ssize_t)sizeof(bye))
		_exit(1);
	_exit(0);
}

static const struct worker_job jobs[] = {
	{"say-bye", job_say_bye}, {"echo", job_echo},
	{"fail", job_fail},	  {"mute", job_fail_mutely},
	{"hang", job_hang},	  {"spin", job_spin},
	{"eat", job_eat},	  {"signal", job_signal},
	{"exit", job_exit},	  {"garbage", job_garbage},
	{"large", job_large},	  {"family", job_family},
	{"count", job_count},	  {"leave-behind", job_leave_behind},
	{"bomb", job_bomb},	  {"descriptors", job_descriptors},
	{"guards", job_guards},
};

static const struct worker_limits ample = {.wall_ms = SOON_MS};

/* ---- fixture ---- */

struct fix {
	struct worker *w;
	struct buf out;
	struct pl_err e;
};

static int setup(void **state)
{
	struct fix *f = mem_zalloc(sizeof(*f));

	f->out = BUF_INIT(64 << 20);
	f->w = worker_start(jobs, sizeof(jobs) / sizeof(*jobs), &f->e);
	*state = f;
	return f->w ? 0 : -1;
}

static int teardown(void **state)
{
	struct fix *f = *state;

	worker_stop(f->w);
	buf_free(&f->out);
	err_clear(&f->e);
	free(f);
	return 0;
}

static pl_status call(struct fix *f, const char *job, pl_str in, const struct worker_limits *l)
{
	buf_clear(&f->out);
	err_clear(&f->e);
	return worker_call(f->w, job, S(""), in, l, NULL, &f->out, &f->e);
}

static void assert_out(const struct fix *f, const char *want)
{
	assert_string_equal(f->out.p ? f->out.p : "", want);
}

static void assert_error(const struct fix *f, const char *part)
{
	const char *text = pl_err_text(&f->e);

	if (!strstr(text, part))
		fail_msg("'%s' does not say '%s'", text, part);
}

static void nap(void)
{
	const struct timespec ms = {.tv_nsec = 2000000};

	nanosleep(&ms, NULL);
}

static bool alive(pid_t pid)
{
	char path[64], state = 'X';

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);

	FILE *f = fopen(path, "re");

	if (!f)
		return false;
	if (fscanf(f, "%*d (%*[^)]) %c", &state) != 1)
		state = 'X';
	fclose(f);
	return state != 'Z' && state != 'X';
}

static void assert_dies(pid_t pid)
{
	for (int i = 0; alive(pid); i++) {
		if (i * 2 > SOON_MS)
			fail_msg("process %d still lives", (int)pid);
		nap();
	}
}

static int children_of(int pid)
{
	char path[64];
	int n = 0, child;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", pid, pid);

	FILE *f = fopen(path, "re");

	while (f && fscanf(f, "%d", &child) == 1)
		n += alive(child);
	if (f)
		fclose(f);
	return n;
}

struct family {
	int child, helper, keeper;
};

static struct family family_of(struct fix *f)
{
	struct family got;

	assert_int_equal(call(f, "family", S(""), &ample), PL_OK);
	assert_int_equal(sscanf(f->out.p, "%d %d %d", &got.child, &got.helper, &got.keeper), 3);
	return got;
}

/* ---- what a call gives back ---- */

static void answers_come_back_whole(void **state)
{
	struct fix *f = *state;
	struct buf large = BUF_INIT(16 << 20);

	assert_int_equal(call(f, "echo", S(""), &ample), PL_OK);
	assert_int_equal(f->out.n, 0);
	assert_int_equal(call(f, "echo", S("a\0b"), &ample), PL_OK);
	assert_int_equal(f->out.n, 3);
	assert_memory_equal(f->out.p, "a\0b", 3);
	for (uint32_t i = 0; i < 2000000; i++)
		buf_add_u32(&large, i);
	assert_int_equal(call(f, "echo", buf_str(&large), &ample), PL_OK);
	assert_int_equal(f->out.n, large.n);
	assert_memory_equal(f->out.p, large.p, large.n);
	buf_free(&large);
}

static void an_answer_is_appended(void **state)
{
	struct fix *f = *state;

	buf_addz(&f->out, "before ");
	assert_int_equal(worker_call(f->w, "echo", S(""), S("after"), &ample, NULL, &f->out, &f->e), PL_OK);
	assert_out(f, "before after");
}

static void errors_of_the_job_come_back_whole(void **state)
{
	struct fix *f = *state;

	assert_int_equal(call(f, "fail", S("wbe"), &ample), PL_ECONFLICT);
	assert_int_equal(pl_err_code(&f->e), PL_ECONFLICT);
	assert_string_equal(pl_err_text(&f->e), "shop.yaml:14:5: no 'wbe' here (did you mean 'web'?)");
	assert_int_equal(f->out.n, 0);
	assert_int_equal(call(f, "mute", S(""), &ample), PL_EAUTH);
	assert_error(f, "gave no reason");
	assert_int_equal(worker_call(f->w, "fail", S(""), S("x"), &ample, NULL, &f->out, NULL), PL_ECONFLICT);
}

static void a_child_is_kept_and_affinity_finds_it(void **state)
{
	struct fix *f = *state;
	static const struct {
		pl_str affinity;
		const char *want;
	} calls[] = {{S_INIT("a"), "1"}, {S_INIT("a"), "2"}, {S_INIT("b"), "1"}, {S_INIT("a"), "3"},
		     {S_INIT("b"), "2"}, {S_INIT(""), "3"},  {S_INIT(""), "4"},	 {S_INIT("a"), "4"}};

	for (size_t i = 0; i < sizeof(calls) / sizeof(*calls); i++) {
		buf_clear(&f->out);
		assert_int_equal(worker_call(f->w, "count", calls[i].affinity, S(""), &ample, NULL, &f->out, &f->e),
				 PL_OK);
		assert_out(f, calls[i].want);
	}
}

static void a_child_that_ended_while_idle_costs_nothing(void **state)
{
	struct fix *f = *state;

	for (int i = 0; i < 5; i++) {
		assert_int_equal(call(f, "say-bye", S("served"), &ample), PL_OK);
		assert_out(f, "served");
	}
}

static void other_limits_get_another_child(void **state)
{
	struct fix *f = *state;
	struct worker_limits few = ample;

	few.descriptors = 20;
	assert_int_equal(call(f, "count", S(""), &ample), PL_OK);
	assert_out(f, "1");
	assert_int_equal(call(f, "count", S(""), &few), PL_OK);
	assert_out(f, "1");
}

static void a_bounded_number_is_kept(void **state)
{
	struct fix *f = *state;
	struct family first = family_of(f), now;
	char affinity[16];

	for (int i = 0; i < 30; i++) {
		snprintf(affinity, sizeof(affinity), "app-%d", i);
		buf_clear(&f->out);
		assert_int_equal(worker_call(f->w, "count", str_of(affinity), S(""), &ample, NULL, &f->out, &f->e),
				 PL_OK);
	}
	/* The pool was full: a child served more than one text. */
	assert_true(f->out.p[0] != '1' || f->out.p[1]);
	now = family_of(f);
	assert_int_equal(now.helper, first.helper);

	/* Those let go are killed, if not at once. */
	for (int i = 0; children_of(now.helper) > 8 && i * 2 < SOON_MS; i++)
		nap();
	assert_in_range(children_of(now.helper), 1, 8);
}

/* ---- limits ---- */

static void a_call_over_its_time_is_killed(void **state)
{
	struct fix *f = *state;
	struct worker_limits brief = {.wall_ms = 30};
	static const char *const slow[] = {"hang", "spin"};

	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(call(f, slow[i], S(""), &brief), PL_ETIMEOUT);
		assert_error(f, slow[i]);
		assert_error(f, "longer than 30 ms");
	}
	assert_int_equal(call(f, "echo", S("next"), &ample), PL_OK);
	assert_out(f, "next");
}

static void a_child_that_does_not_read_does_not_hold_the_caller(void **state)
{
	struct fix *f = *state;
	struct worker_limits brief = {.wall_ms = 100};
	struct buf large = BUF_INIT(8 << 20);
	struct family family = family_of(f);

	buf_addn(&large, 'x', 8 << 20);
	kill(family.child, SIGSTOP);
	assert_int_equal(call(f, "family", buf_str(&large), &brief), PL_ETIMEOUT);
	assert_dies(family.child);
	buf_free(&large);
}

#if !SANITIZED /* their address space can't be limited, see child.c */
static void memory_is_bounded(void **state)
{
	struct fix *f = *state;
	struct worker_limits small = {.wall_ms = SOON_MS, .memory = 64 << 20};

	assert_int_equal(call(f, "eat", S("small bites"), &small), PL_ETOOBIG);
	assert_error(f, "worker 'eat' ran out of memory");
	assert_int_equal(call(f, "eat", S("one gulp"), &small), PL_ETOOBIG);
	/* Input that does not fit either. */
	struct buf large = BUF_INIT(80 << 20);

	buf_addn(&large, 'x', 80 << 20);
	assert_int_equal(call(f, "echo", buf_str(&large), &small), PL_ETOOBIG);
	buf_free(&large);
	assert_int_equal(call(f, "echo", S("fits"), &small), PL_OK);
}
#endif

static void an_abort_is_not_taken_for_memory(void **state)
{
	struct fix *f = *state;

	assert_int_equal(call(f, "signal", (pl_str){(char[]){SIGABRT}, 1}, &ample), PL_ECRASHED);
	assert_error(f, "SIGABRT");
}

static void an_answer_over_its_size_is_refused(void **state)
{
	struct fix *f = *state;
	struct worker_limits small = {.wall_ms = SOON_MS, .out_max = 1000};

	assert_int_equal(call(f, "large", S(""), &small), PL_ETOOBIG);
	assert_error(f, "larger than 1000 bytes");
	assert_int_equal(f->out.n, 0);

	struct buf little = BUF_INIT(10);

	assert_int_equal(worker_call(f->w, "echo", S(""), S("12345678901"), &ample, NULL, &little, &f->e), PL_ETOOBIG);
	assert_false(buf_full(&little));
	buf_free(&little);
}

static void descriptors_are_bounded_and_none_is_inherited(void **state)
{
	struct fix *f = *state;
	struct worker_limits few = {.wall_ms = SOON_MS, .descriptors = 10};

	assert_int_equal(call(f, "descriptors", S(""), &few), PL_OK);
	assert_out(f, "6 opened from 4: EMFILE");
	assert_int_equal(call(f, "descriptors", S(""), &ample), PL_OK);
	assert_out(f, "60 opened from 4: EMFILE");
}

static void a_child_is_guarded(void **state)
{
	struct fix *f = *state;

	assert_int_equal(call(f, "guards", S(""), &ample), PL_OK);
	assert_out(f, "core 0 no_new_privs 1 leader 1 group 1 blocked 0 chld 1 pipe 1");
}

/* ---- crashes ---- */

static void a_crash_names_the_signal(void **state)
{
	struct fix *f = *state;
	static const struct {
		char signal;
		const char *want;
	} cases[] = {{SIGSEGV, "worker 'signal' was killed by SIGSEGV"},
		     {SIGBUS, "SIGBUS"},
		     {SIGFPE, "SIGFPE"},
		     {SIGKILL, "SIGKILL"}};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		assert_int_equal(call(f, "signal", (pl_str){&cases[i].signal, 1}, &ample), PL_ECRASHED);
		assert_error(f, cases[i].want);
		assert_int_equal(call(f, "echo", S("on"), &ample), PL_OK);
	}
}

static void an_exit_is_a_crash(void **state)
{
	struct fix *f = *state;

	for (char code = 0; code < 4; code = (char)(code + 3)) {
		char text[32];

		assert_int_equal(call(f, "exit", (pl_str){&code, 1}, &ample), PL_ECRASHED);
		snprintf(text, sizeof(text), "exit status %d", code);
		assert_error(f, text);
	}
}

static void garbage_is_refused(void **state)
{
	struct fix *f = *state;
	/* answer_head: magic, type, dirty, reserved, len */
	static const uint32_t no_type[6] = {0x706c776b, 99, 0, 0, 0, 0};
	static const uint32_t bye[6] = {0x706c776b, 3, 0, 0, 0, 0}; /* from a child that has just begun */
	static const uint32_t too_long[6] = {0x706c776b, 1, 0, 0, 0, 0x7fffffff};
	static const uint32_t bad_error[9] = {0x706c776b, 2, 0, 0, 12, 0, 0xffffffff, 0xffffffff, 0xffffffff};
	const struct {
		const void *p;
		size_t n;
	} cases[] = {{"this is no frame at all.....................", 40},
		     {no_type, sizeof(no_type)},
		     {bye, sizeof(bye)},
		     {too_long, sizeof(too_long)},
		     {bad_error, sizeof(bad_error)}};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		assert_int_equal(call(f, "garbage", (pl_str){cases[i].p, cases[i].n}, &ample), PL_ECRASHED);
		assert_error(f, "answered with garbage");
	}
	assert_int_equal(call(f, "echo", S("on"), &ample), PL_OK);
}

/* ---- processes left behind ---- */

static void a_grandchild_left_behind_is_killed(void **state)
{
	struct fix *f = *state;

	assert_int_equal(call(f, "leave-behind", S(""), &ample), PL_OK);
	assert_dies((pid_t)strtol(f->out.p, NULL, 10));
}

struct bombing {
	const char *path;
	struct cancel *cancel;
};

static void *cancel_when_told(void *arg)
{
	struct bombing *b = arg;

	for (int i = 0; !file_exists(b->path) && i * 2 < SOON_MS; i++)
		nap();
	cancel_fire(b->cancel);
	return NULL;
}

static void a_fork_bomb_dies_whole(void **state)
{
	struct fix *f = *state;
	char dir[] = "/tmp/worker-test-XXXXXX";
	struct buf path = BUF_INIT(4096), pids = BUF_INIT(65536);

	assert_non_null(mkdtemp(dir));
	buf_addf(&path, "%s/pids", dir);

	struct bombing b = {.path = path.p, .cancel = cancel_new()};
	pthread_t t;

	pthread_create(&t, NULL, cancel_when_told, &b);
	assert_int_equal(worker_call(f->w, "bomb", S(""), buf_str(&path), &ample, b.cancel, &f->out, &f->e),
			 PL_ECANCELLED);
	pthread_join(t, NULL);
	cancel_unref(b.cancel);
	assert_int_equal(file_read(path.p, &pids, &f->e), PL_OK);

	int n = 0;
	char *at = pids.p;

	for (char *end; *at; at = end + 1, n++)
		assert_dies((pid_t)strtol(at, &end, 10));
	assert_int_equal(n, 20);
	unlink(path.p);
	rmdir(dir);
	buf_free(&path);
	buf_free(&pids);
}

/* ---- cancel ---- */

static void *fire_soon(void *c)
{
	nap();
	nap();
	cancel_fire(c);
	cancel_unref(c);
	return NULL;
}

static void a_cancel_from_another_thread_ends_the_call(void **state)
{
	struct fix *f = *state;
	struct cancel *c = cancel_new();
	pthread_t t;

	assert_false(cancel_fired(c));
	assert_true(cancel_fd(c) >= 0);
	pthread_create(&t, NULL, fire_soon, cancel_ref(c));
	assert_int_equal(worker_call(f->w, "hang", S(""), S(""), &ample, c, &f->out, &f->e), PL_ECANCELLED);
	pthread_join(t, NULL);
	assert_error(f, "worker 'hang' was cancelled");
	assert_true(cancel_fired(c));
	cancel_fire(c); /* twice does no harm */
	assert_int_equal(worker_call(f->w, "echo", S(""), S("x"), &ample, c, &f->out, &f->e), PL_ECANCELLED);
	cancel_unref(c);
	assert_false(cancel_fired(NULL));
	assert_int_equal(cancel_fd(NULL), -1);
	cancel_unref(NULL);
}

struct hanging {
	struct worker *w;
	pl_status st;
	struct pl_err e;
};

static void *hang(void *arg)
{
	struct hanging *h = arg;
	struct buf out = BUF_INIT(100);

	h->st = worker_call(h->w, "hang", S(""), S(""), &ample, NULL, &out, &h->e);
	buf_free(&out);
	return NULL;
}

/* Returns when the helper has so many children. */
static void await_children(int helper, int n)
{
	for (int i = 0; children_of(helper) < n && i * 2 < SOON_MS; i++)
		nap();
	assert_true(children_of(helper) >= n);
}

static void stopping_ends_running_calls(void **state)
{
	struct fix *f = *state;
	struct hanging h = {.w = f->w};
	struct family family = family_of(f);
	pthread_t t;

	pthread_create(&t, NULL, hang, &h);
	await_children(family.helper, 2);
	worker_stop(f->w);
	f->w = NULL;
	pthread_join(t, NULL);
	assert_int_equal(h.st, PL_ECANCELLED);
	err_clear(&h.e);
	assert_false(alive(family.child));
	assert_false(alive(family.helper));
	assert_false(alive(family.keeper));
}

/* ---- many at once ---- */

struct caller {
	struct worker *w;
	int id, bad;
};

static void *call_often(void *arg)
{
	struct caller *c = arg;

	for (int i = 0; i < 100; i++) {
		struct buf out = BUF_INIT(1 << 20), in = BUF_INIT(1 << 20);
		struct pl_err e = ERR_INIT;

		buf_addf(&in, "caller %d call %d ", c->id, i);
		buf_addn(&in, 'x', (size_t)(i * 97));
		if (i % 25 == 24)
			c->bad += worker_call(c->w, "signal", S(""), (pl_str){(char[]){SIGSEGV}, 1}, &ample, NULL, &out,
					      &e) != PL_ECRASHED;
		else
			c->bad += worker_call(c->w, "echo", S(""), buf_str(&in), &ample, NULL, &out, &e) != PL_OK ||
				  !str_eq(buf_str(&in), buf_str(&out));
		buf_free(&out);
		buf_free(&in);
		err_clear(&e);
	}
	return NULL;
}

static void eight_threads_get_their_own_answers(void **state)
{
	struct fix *f = *state;
	struct caller callers[8];
	pthread_t threads[8];

	for (int i = 0; i < 8; i++) {
		callers[i] = (struct caller){.w = f->w, .id = i};
		pthread_create(&threads[i], NULL, call_often, &callers[i]);
	}
	for (int i = 0; i < 8; i++) {
		pthread_join(threads[i], NULL);
		assert_int_equal(callers[i].bad, 0);
	}
}

/* Calls of all fates by many threads, while the helper is killed again and again. */
enum { STORM_THREADS = 16, STORM_CALLS = 30, STORM_KILLS = 8 };

struct storm {
	struct worker *w;
	struct cancel *fired;
	unsigned id;
	int bad, served;
	char first_bad[300];
};

static void *call_in_the_storm(void *arg)
{
	static const struct {
		const char *job;
		struct worker_limits limits;
		bool cancel;
		pl_status want;
	} fates[] = {
		{"echo", {.wall_ms = SOON_MS}, false, PL_OK},
		{"signal", {.wall_ms = SOON_MS}, false, PL_ECRASHED},
		{"spin", {.wall_ms = 20}, false, PL_ETIMEOUT},
		{"fail", {.wall_ms = SOON_MS}, false, PL_ECONFLICT},
		{"hang", {.wall_ms = SOON_MS}, true, PL_ECANCELLED},
		{"large", {.wall_ms = SOON_MS, .out_max = 1000}, false, PL_ETOOBIG},
		{"garbage", {.wall_ms = SOON_MS}, false, PL_ECRASHED},
		{"exit", {.wall_ms = SOON_MS}, false, PL_ECRASHED},
		{"echo", {.wall_ms = SOON_MS, .descriptors = 20}, false, PL_OK},
	};
	struct storm *s = arg;

	for (unsigned i = 0; i < STORM_CALLS; i++) {
		size_t k = (s->id * 5 + i) % (sizeof(fates) / sizeof(*fates));
		struct buf out = BUF_INIT(1 << 20), in = BUF_INIT(1 << 20);
		struct pl_err e = ERR_INIT;

		buf_addc(&in, SIGSEGV); /* what "signal" reads */
		buf_addf(&in, " thread %u call %u, long enough to be no head of an answer", s->id, i);

		pl_status st = worker_call(s->w, fates[k].job, S(""), buf_str(&in), &fates[k].limits,
					   fates[k].cancel ? s->fired : NULL, &out, &e);
		bool right = st == fates[k].want && (st || str_eq(buf_str(&in), buf_str(&out)));

		s->served += right;
		/* With the helper its children go; all else must be as if nobody else called. */
		if (!right && st != PL_ECRASHED && !s->bad++)
			snprintf(s->first_bad, sizeof(s->first_bad), "%s gave %d: %s", fates[k].job, (int)st,
				 pl_err_text(&e));
		if (st && !e.msg.n && !s->bad++)
			snprintf(s->first_bad, sizeof(s->first_bad), "%s failed without a word", fates[k].job);
		buf_free(&out);
		buf_free(&in);
		err_clear(&e);
	}
	return NULL;
}

static int open_descriptors(void)
{
	int n = 0;

	for (int fd = 0; fd < 1024; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

/* The helper of now, unless it is being started again. */
static int helper_below(int keeper)
{
	char path[64];
	int helper = 0;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", keeper, keeper);

	FILE *f = fopen(path, "re");

	if (f && fscanf(f, "%d", &helper) != 1)
		helper = 0;
	if (f)
		fclose(f);
	return helper;
}

static void a_storm_of_calls_and_killed_helpers_ends_each_call_and_leaves_nothing(void **state)
{
	struct fix *f = *state;
	struct storm storm[STORM_THREADS];
	pthread_t threads[STORM_THREADS];
	struct family family = family_of(f);
	struct cancel *fired = cancel_new();
	int served = 0;

	cancel_fire(fired);
	for (unsigned i = 0; i < STORM_THREADS; i++) {
		storm[i] = (struct storm){.w = f->w, .fired = fired, .id = i};
		pthread_create(&threads[i], NULL, call_in_the_storm, &storm[i]);
	}
	for (int i = 0; i < STORM_KILLS; i++) {
		int helper = helper_below(family.keeper);

		for (int k = 0; k < 20; k++)
			nap();
		if (helper)
			kill(helper, SIGKILL);
	}
	for (int i = 0; i < STORM_THREADS; i++) {
		pthread_join(threads[i], NULL);
		if (storm[i].bad)
			fail_msg("%d times: %s", storm[i].bad, storm[i].first_bad);
		served += storm[i].served;
	}
	cancel_unref(fired);
	assert_true(served > 0);
	for (int i = 0; call(f, "echo", S("calm"), &ample) != PL_OK; i++, nap())
		assert_true(i < 1000);
	assert_out(f, "calm");
	worker_stop(f->w);
	f->w = NULL;
	assert_dies(family.keeper);
	assert_int_equal(children_of((int)getpid()), 0);
}

static void no_call_leaves_a_descriptor_open(void **state)
{
	struct fix *f = *state;
	int before;

	worker_stop(f->w);
	f->w = NULL;
	before = open_descriptors();
	for (int round = 0; round < 3; round++) {
		struct storm s = {.fired = cancel_new(), .id = (unsigned)round};

		cancel_fire(s.fired);
		s.w = worker_start(jobs, sizeof(jobs) / sizeof(*jobs), NULL);
		call_in_the_storm(&s);
		if (s.bad || s.served != STORM_CALLS)
			fail_msg("%d served, %d bad: %s", s.served, s.bad, s.first_bad);
		worker_stop(s.w);
		cancel_unref(s.fired);
		assert_int_equal(open_descriptors(), before);
	}
}

/* ---- when the helper or the engine dies ---- */

static void a_killed_helper_is_told_and_started_again(void **state)
{
	struct fix *f = *state;
	struct hanging h = {.w = f->w};
	struct family before = family_of(f), after;
	pthread_t t;

	pthread_create(&t, NULL, hang, &h);
	await_children(before.helper, 2);
	kill(before.helper, SIGKILL);
	pthread_join(t, NULL);
	assert_int_equal(h.st, PL_ECRASHED);
	assert_non_null(strstr(pl_err_text(&h.e), "together with the worker helper"));
	err_clear(&h.e);
	assert_dies(before.child);

	/* A request that the dying helper took is lost with it. */
	for (int i = 0; call(f, "echo", S("again"), &ample) != PL_OK; i++) {
		assert_int_equal(pl_err_code(&f->e), PL_ECRASHED);
		assert_true(i < 100);
		nap();
	}
	after = family_of(f);
	assert_int_not_equal(after.helper, before.helper);
	assert_int_equal(after.keeper, before.keeper);
}

static void without_keeper_calls_fail_clearly(void **state)
{
	struct fix *f = *state;
	struct family family = family_of(f);

	kill(family.keeper, SIGKILL);
	assert_dies(family.helper);
	assert_dies(family.child);
	/* Requests sent before the kernel has closed the last end of the socket are lost with it. */
	for (int i = 0; i < 100; i++, nap()) {
		assert_int_equal(call(f, "echo", S("x"), &ample), PL_ECRASHED);
		if (strstr(pl_err_text(&f->e), "is gone"))
			break;
	}
	assert_error(f, "the worker helper is gone");
	assert_error(f, "restart plumb");
}

/* In a process of its own: tells its family, then leaves a job hanging. */
static _Noreturn void be_engine(int fd)
{
	struct pl_err e = ERR_INIT;
	struct buf out = BUF_INIT(1000);
	struct worker *w = worker_start(jobs, sizeof(jobs) / sizeof(*jobs), &e);

	if (!w || worker_call(w, "leave-behind", S(""), S(""), &ample, NULL, &out, &e) != PL_OK ||
	    worker_call(w, "family", S(""), S(""), &ample, NULL, &out, &e) != PL_OK ||
	    fd_write_all(fd, buf_str(&out), &e) != PL_OK)
		_exit(1);
	close(fd);
	worker_call(w, "hang", S(""), S(""), &ample, NULL, &out, &e);
	_exit(2);
}

static void all_die_with_the_engine(void **state)
{
	int fds[2], sleeper;
	struct family family;
	char text[200] = "";
	size_t n = 0;

	(void)state;
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);

	pid_t engine = fork();

	if (engine == 0)
		be_engine(fds[1]);
	close(fds[1]);
	for (ssize_t got; (got = read(fds[0], text + n, sizeof(text) - 1 - n)) > 0;)
		n += (size_t)got;
	close(fds[0]);
	assert_int_equal(sscanf(text, "%d %d %d %d", &sleeper, &family.child, &family.helper, &family.keeper), 4);
	await_children(family.helper, 2);
	kill(engine, SIGKILL);
	waitpid(engine, NULL, 0);
	assert_dies(sleeper);
	assert_dies(family.child);
	assert_dies(family.helper);
	assert_dies(family.keeper);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
		T(answers_come_back_whole),
		T(an_answer_is_appended),
		T(errors_of_the_job_come_back_whole),
		T(a_child_is_kept_and_affinity_finds_it),
		T(a_child_that_ended_while_idle_costs_nothing),
		T(other_limits_get_another_child),
		T(a_bounded_number_is_kept),
		T(a_call_over_its_time_is_killed),
		T(a_child_that_does_not_read_does_not_hold_the_caller),
#if !SANITIZED
		T(memory_is_bounded),
#endif
		T(an_abort_is_not_taken_for_memory),
		T(an_answer_over_its_size_is_refused),
		T(descriptors_are_bounded_and_none_is_inherited),
		T(a_child_is_guarded),
		T(a_crash_names_the_signal),
		T(an_exit_is_a_crash),
		T(garbage_is_refused),
		T(a_grandchild_left_behind_is_killed),
		T(a_fork_bomb_dies_whole),
		T(a_cancel_from_another_thread_ends_the_call),
		T(stopping_ends_running_calls),
		T(eight_threads_get_their_own_answers),
		T(a_storm_of_calls_and_killed_helpers_ends_each_call_and_leaves_nothing),
		T(no_call_leaves_a_descriptor_open),
		T(a_killed_helper_is_told_and_started_again),
		T(without_keeper_calls_fail_clearly),
		T(all_die_with_the_engine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
