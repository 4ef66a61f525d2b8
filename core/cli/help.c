/* SPDX-License-Identifier: Apache-2.0 */
/* Help, from the table of commands. */
#include "core/cli/cli.h"

const struct cli_option cli_common[] = {
	{"config", 'c', "FILE", "the config (./plumb.yaml, then /etc/plumb/plumb.yaml)", false},
	{CLI_OUTPUT, 'o', "FORM", "table, json, yaml or name", false},
	{"verbose", 'v', NULL, "tell more on stderr", false},
	{"quiet", 'q', NULL, "tell errors only", false},
	{"log-format", 0, "FORM", "text or json", false},
	{"no-color", 0, NULL, "no colours (also by NO_COLOR in the environment)", false},
	{"help", 'h', NULL, "this help", false},
};
const size_t n_cli_common = sizeof cli_common / sizeof *cli_common;

bool cli_takes(const struct cli_command *c, const struct cli_option *common)
{
	return c->listing || strcmp(common->name, CLI_OUTPUT) != 0;
}

void help_all(FILE *f)
{
	fputs("plumb keeps a live system in line with what Git says it should be.\n\nusage: plumb COMMAND [OPTIONS] "
	      "[ARGUMENTS]\n\n",
	      f);
	for (size_t i = 0; i < n_cli_commands; i++)
		fprintf(f, "  %-11s %s\n", cli_commands[i]->name, cli_commands[i]->summary);
	fputs("\n`plumb COMMAND --help` tells a command's options, `plumb help config` the keys of plumb.yaml.\n"
	      "Exit status: 0 good; 1 different, not in line; 2 error.\n",
	      f);
}

static void option_line(FILE *f, const struct cli_option *o)
{
	char left[64], short_form[8] = "    ";
	if (o->letter)
		snprintf(short_form, sizeof short_form, "-%c, ", o->letter);
	snprintf(left, sizeof left, "%s--%s%s%s", short_form, o->name, o->arg ? " " : "", o->arg ? o->arg : "");
	fprintf(f, "  %-26s %s\n", left, o->help);
}

void help_command(const struct cli_command *c, FILE *f)
{
	fprintf(f, "plumb %s - %s\n\nusage: plumb %s [OPTIONS]%s%s\n", c->name, c->summary, c->name,
		c->args[0] ? " " : "", c->args);
	if (c->details)
		fprintf(f, "\n%s\n", c->details);
	fputs("\noptions:\n", f);
	for (size_t i = 0; i < c->n_options; i++)
		option_line(f, &c->options[i]);
	for (size_t i = 0; i < n_cli_common; i++)
		if (cli_takes(c, &cli_common[i]))
			option_line(f, &cli_common[i]);
}
