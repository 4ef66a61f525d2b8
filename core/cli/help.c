/* SPDX-License-Identifier: Apache-2.0 */
/* Help, the manual page and shell completion, all from the table of commands. */
#include "core/cli/cli.h"

static const struct {
	char letter;
	const char *name, *arg, *help;
	bool listing_only;
} common[] = {
	{'c', "config", "FILE", "the config (./plumb.yaml, then /etc/plumb/plumb.yaml)", false},
	{'o', "output", "FORM", "table, json, yaml or name", true},
	{'v', "verbose", NULL, "tell more on stderr", false},
	{'q', "quiet", NULL, "tell errors only", false},
	{0, "log-format", "FORM", "text or json", false},
	{0, "no-color", NULL, "no colours (also by NO_COLOR in the environment)", false},
	{'h', "help", NULL, "this help", false},
};

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

static void option_line(FILE *f, char letter, const char *name, const char *arg, const char *text)
{
	char left[64], short_form[8] = "    ";
	if (letter)
		snprintf(short_form, sizeof short_form, "-%c, ", letter);
	snprintf(left, sizeof left, "%s--%s%s%s", short_form, name, arg ? " " : "", arg ? arg : "");
	fprintf(f, "  %-26s %s\n", left, text);
}

void help_command(const struct cli_command *c, FILE *f)
{
	fprintf(f, "plumb %s - %s\n\nusage: plumb %s [OPTIONS]%s%s\n", c->name, c->summary, c->name,
		c->args[0] ? " " : "", c->args);
	if (c->details)
		fprintf(f, "\n%s\n", c->details);
	fputs("\noptions:\n", f);
	for (size_t i = 0; i < c->n_options; i++)
		option_line(f, c->options[i].letter, c->options[i].name, c->options[i].arg, c->options[i].help);
	for (size_t i = 0; i < sizeof common / sizeof *common; i++)
		if (!common[i].listing_only || c->listing)
			option_line(f, common[i].letter, common[i].name, common[i].arg, common[i].help);
}

/* ---- the manual page ---- */

/* Hyphens and leading dots mean something to troff. */
static void troff(FILE *f, const char *s)
{
	for (bool start = true; *s; s++) {
		if (start && (*s == '.' || *s == '\''))
			fputs("\\&", f);
		if (*s == '-')
			fputs("\\-", f);
		else if (*s == '\\')
			fputs("\\e", f);
		else
			fputc(*s, f);
		start = *s == '\n';
	}
}

static void man_option(FILE *f, char letter, const char *name, const char *arg, const char *text)
{
	fputs(".TP\n.B ", f);
	if (letter)
		fprintf(f, "\\-%c, ", letter);
	fputs("\\-\\-", f);
	troff(f, name);
	if (arg)
		fprintf(f, " \\fI%s\\fR", arg);
	fputc('\n', f);
	troff(f, text);
	fputc('\n', f);
}

void help_man(FILE *f)
{
	fputs(".TH PLUMB 1 \"\" \"plumb " PLUMB_VERSION
	      "\" \"User Commands\"\n.SH NAME\nplumb \\- keeps a live system in line with "
	      "Git\n.SH SYNOPSIS\n.B plumb\n\\fICOMMAND\\fR [\\fIOPTIONS\\fR] [\\fIARGUMENTS\\fR]\n.SH DESCRIPTION\n",
	      f);
	troff(f, "plumb fetches the desired state from Git, renders it, compares it with what is live, applies the "
		 "difference, "
		 "judges health, records what it did, and starts over.\n");
	fputs(".SH COMMANDS\n", f);
	for (size_t i = 0; i < n_cli_commands; i++) {
		const struct cli_command *c = cli_commands[i];
		fprintf(f, ".SS plumb %s ", c->name);
		troff(f, c->args);
		fputc('\n', f);
		troff(f, c->summary);
		fputs(".\n", f);
		if (c->details) {
			fputs(".PP\n", f);
			troff(f, c->details);
			fputc('\n', f);
		}
		for (size_t k = 0; k < c->n_options; k++)
			man_option(f, c->options[k].letter, c->options[k].name, c->options[k].arg, c->options[k].help);
	}
	fputs(".SH OPTIONS OF ALL COMMANDS\n", f);
	for (size_t i = 0; i < sizeof common / sizeof *common; i++)
		man_option(f, common[i].letter, common[i].name, common[i].arg, common[i].help);
	fputs(".SH EXIT STATUS\n.TP\n.B 0\ngood: in line, no difference\n.TP\n.B 1\ndifferent, not in line\n.TP\n.B "
	      "2\nan error\n"
	      ".SH FILES\n.TP\n.I ./plumb.yaml, /etc/plumb/plumb.yaml\nthe config; see\n.BR plumb.yaml (5)\n"
	      ".TP\n.I stateDir/plumb.sock\nthe daemon's control socket\n.TP\n.I stateDir/plumb.db, stateDir/seal.key\n"
	      "the store, and the key that seals its Secret values\n.SH SEE ALSO\n.BR plumb.yaml (5),\n.BR git (1)\n",
	      f);
}

/* ---- completion ---- */

static void words(FILE *f, const struct cli_command *c)
{
	for (size_t i = 0; i < c->n_options; i++)
		fprintf(f, " --%s", c->options[i].name);
	for (size_t i = 0; i < sizeof common / sizeof *common; i++)
		if (!common[i].listing_only || c->listing)
			fprintf(f, " --%s", common[i].name);
}

static void bash(FILE *f)
{
	fputs("_plumb() {\n\tlocal cur=${COMP_WORDS[COMP_CWORD]} cmd=${COMP_WORDS[1]} words=\n"
	      "\tif ((COMP_CWORD == 1)); then\n\t\twords='",
	      f);
	for (size_t i = 0; i < n_cli_commands; i++)
		fprintf(f, "%s%s", i ? " " : "", cli_commands[i]->name);
	fputs("'\n\telse\n\t\tcase $cmd:$cur in\n", f);
	for (size_t i = 0; i < n_cli_commands; i++) {
		fprintf(f, "\t\t%s:-*) words='", cli_commands[i]->name);
		words(f, cli_commands[i]);
		fputs("' ;;\n", f);
	}
	for (size_t i = 0; i < n_cli_commands; i++)
		if (strcmp(cli_commands[i]->complete, "app") == 0)
			fprintf(f, "\t\t%s:*) words=$(plumb status -o name 2>/dev/null) ;;\n", cli_commands[i]->name);
	fputs("\t\tplugin:*) words='list show' ;;\n\t\tcompletion:*) words='bash zsh fish' ;;\n\t\tesac\n\tfi\n"
	      "\tCOMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n}\ncomplete -o default -F _plumb plumb\n",
	      f);
}

static void fish(FILE *f)
{
	fputs("complete -c plumb -f\n", f);
	for (size_t i = 0; i < n_cli_commands; i++) {
		const struct cli_command *c = cli_commands[i];
		fprintf(f, "complete -c plumb -n __fish_use_subcommand -a %s\n", c->name);
		for (size_t k = 0; k < c->n_options; k++)
			fprintf(f, "complete -c plumb -n '__fish_seen_subcommand_from %s' -l %s%s\n", c->name,
				c->options[k].name, c->options[k].arg ? " -r" : "");
		if (strcmp(c->complete, "app") == 0)
			fprintf(f,
				"complete -c plumb -n '__fish_seen_subcommand_from %s' -a '(plumb status -o name "
				"2>/dev/null)'\n",
				c->name);
		if (strcmp(c->complete, "file") == 0)
			fprintf(f, "complete -c plumb -n '__fish_seen_subcommand_from %s' -F\n", c->name);
	}
}

int completion_print(const char *shell)
{
	if (strcmp(shell, "bash") == 0) {
		bash(stdout);
	} else if (strcmp(shell, "zsh") == 0) {
		fputs("#compdef plumb\nautoload -U +X bashcompinit && bashcompinit\n", stdout);
		bash(stdout);
	} else if (strcmp(shell, "fish") == 0) {
		fish(stdout);
	} else {
		return -1;
	}
	return 0;
}
