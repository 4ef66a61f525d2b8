/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside the worker room.
 *
 *   engine ── keeper ── helper ── child ── (what a child may start)
 *
 * The helper forks children; the keeper does nothing but fork the helper again when it is killed, because
 * only a small process without threads can do that safely. Engine and helper share one SEQPACKET pair, whose
 * far end the keeper holds too, so that it outlives a helper. A spawn request carries two descriptors: the
 * child's end of a STREAM pair for calls, and the helper's end of a STREAM pair for that one child's fate:
 *
 *   engine → helper  a byte, or the end of the stream: kill the child and all it has started
 *   helper → engine  one struct report once the child is gone; the end without one: the helper was killed
 *
 * So nobody ever signals a process by a number that may have been given away: the helper alone reaps its
 * children, and signals only what it has not reaped yet.
 */
#ifndef WORKER_PRIVATE_H
#define WORKER_PRIVATE_H

#include "core/worker/worker.h"

#include <sys/types.h>

enum {
	WIRE_MAGIC = 0x706c776b,	 /* "plwk" */
	WIRE_IN_MAX = 512 * 1024 * 1024, /* bytes of a call's input */
	WIRE_OUT_DEFAULT = 16 * 1024 * 1024,
	WIRE_ERROR_MAX = 1024 * 1024, /* bytes of a packed error */
	WIRE_IDLE_MS = 60000,	      /* a child without work ends by itself */
	WIRE_FD = 3		      /* where the keeper, the helper and children hold their one socket */
};

struct spawn_request {
	uint32_t magic;
	uint32_t job;
	uint64_t memory;
	uint32_t descriptors;
	uint32_t reserved;
};

enum { REPORT_EXIT = 1, REPORT_SIGNAL = 2, REPORT_NO_FORK = 3 };

struct report {
	uint32_t kind;
	int32_t value; /* exit status, signal, or errno */
};

struct call_head {
	uint32_t magic;
	uint32_t reserved;
	uint64_t len;
	uint64_t out_max;
};

enum {
	ANSWER_OK = 1,
	ANSWER_ERROR = 2,  /* the body is a packed pl_err */
	ANSWER_BYE = 3,	   /* idle too long: the call was not looked at */
	ANSWER_MEMORY = 4, /* out of memory; the child is ending */
	ANSWER_TOOBIG = 5  /* the answer would be larger than out_max */
};

struct answer_head {
	uint32_t magic;
	uint32_t type;
	uint32_t dirty; /* processes were left behind: the child must not be kept */
	uint32_t reserved;
	uint64_t len;
};

/* ---- wire.c ---- */

/* Whole reads and writes on a blocking socket, without SIGPIPE. false: the other side is gone. */
bool wire_read(int fd, void *to, size_t n);
bool wire_write(int fd, const void *from, size_t n);
/* One packet with descriptors. false with errno set. */
bool wire_send_fds(int fd, const void *packet, size_t n, const int *fds, size_t n_fds);
/* Bytes of the packet, 0 at the end, -1 with errno. fds not received are -1; unexpected ones are closed. */
ssize_t wire_recv_fds(int fd, void *packet, size_t n, int *fds, size_t n_fds);

/* ---- keeper.c, helper.c, child.c: each in a process of its own ---- */

/* What every process of ours starts with: parent's end means ours, own session, no signals, only fd (moved to WIRE_FD)
 * open. */
void process_settle(const char *name, int fd, pid_t parent, int death_signal);
/* Kills and counts children of this process that are not among keep. */
size_t process_kill_strays(const pid_t *keep, size_t n);
/* A signalfd for SIGCHLD and SIGTERM, which are blocked. */
int process_signals(void);
void process_drain_signals(int fd);

_Noreturn void keeper_main(const struct worker_job *jobs, size_t n, int fd, pid_t parent);
_Noreturn void helper_main(const struct worker_job *jobs, size_t n, pid_t parent);
_Noreturn void child_main(const struct worker_job *job, const struct spawn_request *r, int fd, pid_t parent);

#endif
