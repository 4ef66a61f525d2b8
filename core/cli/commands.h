/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_COMMANDS_H
#define CLI_COMMANDS_H

#include "core/cli/cli.h"

int cmd_run(struct cli *c);
int cmd_status(struct cli *c);
int cmd_diff(struct cli *c);
int external_diff(struct cli *c, const char *program, const pl_node *changes); /* EXIT_GOOD or EXIT_ERROR */
int cmd_sync(struct cli *c);
int cmd_render(struct cli *c);
int cmd_history(struct cli *c);
int cmd_rollback(struct cli *c);
int cmd_suspend(struct cli *c);
int cmd_resume(struct cli *c);
int cmd_check(struct cli *c);
int cmd_health(struct cli *c);
int cmd_plugin(struct cli *c);
int cmd_patch(struct cli *c);
int cmd_yaml(struct cli *c);
int cmd_version(struct cli *c);
int cmd_help(struct cli *c);
int cmd_completion(struct cli *c);

#endif
