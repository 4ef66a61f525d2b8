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
	if (output_document(c, m, &st))
		return st;
	if (c->output == OUTPUT_NAME)
		puts(PLUMB_VERSION);
	else
		printf("plumb %s (plugin ABI %u.%u)\n", PLUMB_VERSION, PL_ABI_MAJOR, PL_ABI_MINOR);
	return st;
}

static int help_config(bool man)
{
	struct buf b = BUF_INIT(1024 * 1024);
	if (man) {
		man_config(stdout);
		return EXIT_GOOD;
	}
	config_reference(&b);
	fwrite(b.p, 1, b.n, stdout);
	buf_free(&b);
	return EXIT_GOOD;
}

int cmd_help(struct cli *c)
{
	bool man = cli_flag(c, "man");
	const char *what = c->n_args ? c->args[0] : NULL;
	if (!what) {
		(man ? man_program : help_all)(stdout);
		return EXIT_GOOD;
	}
	if (strcmp(what, "config") == 0)
		return help_config(man);
	for (size_t i = 0; i < n_cli_commands; i++) {
		if (strcmp(cli_commands[i]->name, what) == 0) {
			(man ? man_program(stdout) : help_command(cli_commands[i], stdout));
			return EXIT_GOOD;
		}
	}
	return cli_unknown_command(what);
}

/* What the scripts ask while a person waits: the config and the plugin folders are read, nothing else. */
static int complete_apps(struct cli *c)
{
	struct err_list errors = {0};
	char *path = NULL;
	struct config *config = config_find(c->config, &path, NULL) ? NULL : config_read_parts(path, &errors);
	const struct config_root *r = config ? config_get(config) : NULL;
	for (size_t i = 0; r && i < r->n_apps; i++)
		printf("%.*s\n", F(r->apps[i].name));
	config_unref(config);
	err_list_free(&errors);
	free(path);
	return EXIT_GOOD;
}

int cmd_completion(struct cli *c)
{
	if (strcmp(c->args[0], "apps") == 0)
		return complete_apps(c);
	for (size_t i = 0; i < n_cli_commands && strcmp(c->args[0], "commands") == 0; i++)
		puts(cli_commands[i]->name);
	if (strcmp(c->args[0], "commands") == 0)
		return EXIT_GOOD;
	if (completion_print(c->args[0]))
		return cli_usage(c, "completion is there for bash, zsh and fish, not for '%s'", c->args[0]);
	return EXIT_GOOD;
}
