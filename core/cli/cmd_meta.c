/* SPDX-License-Identifier: Apache-2.0 */
/* version, help, completion: about the program itself. */
#include "core/cli/commands.h"

#include "core/config/config.h"
#include "plumb/plugin.h"

int cmd_version(struct cli *c)
{
	pl_node *m = pl_new_map(c->doc);
	int st = EXIT_GOOD;
	pl_sets(c->doc, m, "version", pl_new_string(c->doc, S(PLUMB_VERSION)));
	pl_sets(c->doc, m, "pluginAbi",
		pl_new_string(c->doc, arena_printf(c->arena, "%u.%u", PL_ABI_MAJOR, PL_ABI_MINOR)));
	if (!output_document(c, m, &st))
		printf("plumb %s (plugin ABI %u.%u)\n", PLUMB_VERSION, PL_ABI_MAJOR, PL_ABI_MINOR);
	return st;
}

int cmd_help(struct cli *c)
{
	if (cli_flag(c, "man")) {
		help_man(stdout);
		return EXIT_GOOD;
	}
	if (!c->n_args) {
		help_all(stdout);
		return EXIT_GOOD;
	}
	if (strcmp(c->args[0], "config") == 0) {
		struct buf b = BUF_INIT(1024 * 1024);
		config_reference(&b);
		fwrite(b.p, 1, b.n, stdout);
		buf_free(&b);
		return EXIT_GOOD;
	}
	for (size_t i = 0; i < n_cli_commands; i++) {
		if (strcmp(cli_commands[i]->name, c->args[0]) == 0) {
			help_command(cli_commands[i], stdout);
			return EXIT_GOOD;
		}
	}
	return cli_usage(c, "there is no command '%s'", c->args[0]);
}

int cmd_completion(struct cli *c)
{
	if (completion_print(c->args[0]))
		return cli_usage(c, "completion is there for bash, zsh and fish, not for '%s'", c->args[0]);
	return EXIT_GOOD;
}
