/* SPDX-License-Identifier: Apache-2.0 */
/* `plumb run`: the engine, the control socket, the HTTP listener, signals, systemd's notifications. */
#ifndef SERVER_DAEMON_H
#define SERVER_DAEMON_H

#include "core/engine/engine.h"

struct daemon_options {
	struct config *config;
	const char *config_path; /* read again on SIGHUP */
	struct worker *worker;
	const struct log *log;
	const char *scripts;
};

/* Blocks SIGTERM, SIGINT, SIGHUP in this thread and those it starts: call before any thread is started. */
void daemon_block_signals(void);
/* Until SIGTERM or SIGINT. A second one ends the process at once. */
pl_status daemon_run(const struct daemon_options *o, struct pl_err *e);

/* Tells systemd (sd_notify(3)); nothing happens without NOTIFY_SOCKET. */
void notify(const char *state);

#endif
