/* SPDX-License-Identifier: Apache-2.0 */
/* Completion scripts for bash, zsh and fish, from the table of commands. */
#include "core/cli/cli.h"

/* What completes an argument, by its kind in the table of commands. */
static const char *words_of(const char *kind)
{
	static const struct {
		const char *kind, *words;
	} rows[] = {{"shell", "bash zsh fish"},
		    {"plugin", "list show"},
		    {"FORM", "table json yaml name"},
		    {"TYPE", "strategic three-way merge json"},
		    {"log-format", "text json"}};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (strcmp(kind, rows[i].kind) == 0)
			return rows[i].words;
	return NULL;
}

static const char *words_of_option(const struct cli_option *o)
{
	const char *words = words_of(o->name);
	return words || !o->arg ? words : words_of(o->arg);
}

static bool takes_file(const struct cli_option *o)
{
	return o->arg && (strstr(o->arg, "FILE") || strstr(o->arg, "SCRIPT") || strstr(o->arg, "DIR"));
}

/* Calls fn for each option of c, common ones last. */
static void each_option(FILE *f, const struct cli_command *c,
			void (*fn)(FILE *f, const struct cli_command *c, const struct cli_option *o))
{
	for (size_t i = 0; i < c->n_options; i++)
		fn(f, c, &c->options[i]);
	for (size_t i = 0; i < n_cli_common; i++)
		if (cli_takes(c, &cli_common[i]))
			fn(f, c, &cli_common[i]);
}

/* ---- bash ---- */

static void bash_word(FILE *f, const struct cli_command *c, const struct cli_option *o)
{
	(void)c;
	fprintf(f, " --%s", o->name);
}

/* After an option that takes a value: its words, files, or nothing. */
static void bash_value(FILE *f, const struct cli_command *c, const struct cli_option *o)
{
	if (!o->arg)
		return;
	fprintf(f, "\t%s:--%s", c->name, o->name);
	if (o->letter)
		fprintf(f, " | %s:-%c", c->name, o->letter);
	if (words_of_option(o))
		fprintf(f, ") words='%s' ;;\n", words_of_option(o));
	else
		fprintf(f, ") %s ;;\n", takes_file(o) ? "files=1" : "return");
}

static void bash_argument(FILE *f, const struct cli_command *c)
{
	const char *kind = c->complete, *words = words_of(kind);
	fprintf(f, "\t%s:*) ", c->name);
	if (strcmp(kind, "plugin") == 0)
		fputs("if [[ $prev == show ]]; then words=$(plumb plugin list -o name \"${config[@]}\" 2>/dev/null); "
		      "else words='list show'; fi",
		      f);
	else if (strcmp(kind, "app") == 0)
		fprintf(f, "words=$(plumb completion apps \"${config[@]}\" 2>/dev/null)%s",
			strcmp(c->name, "render") == 0 ? "; files=1" : "");
	else if (strcmp(kind, "command") == 0)
		fputs("words=\"$commands config\"", f);
	else if (strcmp(kind, "file") == 0)
		fputs("files=1", f);
	else if (words)
		fprintf(f, "words='%s'", words);
	fputs(" ;;\n", f);
}

static void bash(FILE *f)
{
	fputs("# bash completion for plumb\n_plumb() {\n"
	      "\tlocal cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} cmd='' words='' files='' i\n"
	      "\tlocal config=() commands='",
	      f);
	for (size_t i = 0; i < n_cli_commands; i++)
		fprintf(f, "%s%s", i ? " " : "", cli_commands[i]->name);
	fputs("'\n\t[[ $prev == '=' ]] && prev=${COMP_WORDS[COMP_CWORD-2]}\n"
	      "\t[[ $cur == '=' ]] && cur=\n"
	      "\tfor ((i = 1; i < COMP_CWORD; i++)); do\n\t\tcase ${COMP_WORDS[i]} in\n"
	      "\t\t-c | --config)\n\t\t\ti=$((i + 1))\n\t\t\t[[ ${COMP_WORDS[i]} == '=' ]] && i=$((i + 1))\n"
	      "\t\t\tconfig=(-c \"${COMP_WORDS[i]}\") ;;\n"
	      "\t\t-o | --output | --log-format) i=$((i + 1)) ;;\n\t\t-*) ;;\n\t\t*) [[ $cmd ]] || "
	      "cmd=${COMP_WORDS[i]} ;;\n"
	      "\t\tesac\n\tdone\n\tcase $cmd:$prev in\n",
	      f);
	for (size_t i = 0; i < n_cli_commands; i++)
		each_option(f, cli_commands[i], bash_value);
	fputs("\t:-c | :--config) files=1 ;;\n\t*) case $cmd:$cur in\n", f);
	for (size_t i = 0; i < n_cli_commands; i++) {
		fprintf(f, "\t%s:-*) words='", cli_commands[i]->name);
		each_option(f, cli_commands[i], bash_word);
		fputs("' ;;\n", f);
		bash_argument(f, cli_commands[i]);
	}
	fputs("\t:*) words=\"$commands\" ;;\n\tesac ;;\n\tesac\n"
	      "\tmapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$cur\")\n"
	      "\t[[ -z $files ]] || compopt -o default 2>/dev/null\n}\ncomplete -F _plumb plumb\n",
	      f);
}

/* ---- zsh ---- */

/* Inside single quotes and one of _arguments' or _describe's own separators. */
static void zsh_text(FILE *f, const char *s)
{
	for (; *s; s++) {
		if (strchr("[]:\\", *s))
			fputc('\\', f);
		if (*s == '\'')
			fputs("'\\''", f);
		else
			fputc(*s, f);
	}
}

static void zsh_option(FILE *f, const struct cli_command *c, const struct cli_option *o)
{
	(void)c;
	const char *times = o->many ? "*" : "";
	fputs(" \\\n\t\t\t", f);
	if (o->letter && o->many)
		fprintf(f, "'*'{-%c,--%s}'[", o->letter, o->name);
	else if (o->letter)
		fprintf(f, "'(-%c --%s)'{-%c,--%s}'[", o->letter, o->name, o->letter, o->name);
	else
		fprintf(f, "'%s--%s[", times, o->name);
	zsh_text(f, o->help);
	fputc(']', f);
	if (o->arg) {
		fputc(':', f);
		zsh_text(f, o->arg);
		if (words_of_option(o))
			fprintf(f, ":(%s)", words_of_option(o));
		else
			fputs(takes_file(o) ? ":_files" : ":", f);
	}
	fputc('\'', f);
}

static void zsh_arguments(FILE *f, const struct cli_command *c)
{
	const char *kind = c->complete, *words = words_of(kind);
	if (strcmp(kind, "plugin") == 0)
		fputs(" \\\n\t\t\t'1:what:(list show)' '2:plugin:_plumb_plugins'", f);
	else if (strcmp(kind, "app") == 0)
		fprintf(f, " \\\n\t\t\t'*:application:_plumb_apps%s'",
			strcmp(c->name, "render") == 0 ? "_or_files" : "");
	else if (strcmp(kind, "command") == 0)
		fputs(" \\\n\t\t\t\"1:command:($names config)\"", f);
	else if (strcmp(kind, "file") == 0)
		fputs(" \\\n\t\t\t'1:file:_files'", f);
	else if (words)
		fprintf(f, " \\\n\t\t\t'1:word:(%s)'", words);
}

static void zsh(FILE *f)
{
	fputs("#compdef plumb\n"
	      "_plumb_apps() { local -a v; v=(${(f)\"$(plumb completion apps $plumb_config 2>/dev/null)\"}); compadd "
	      "-a v }\n"
	      "_plumb_apps_or_files() { _plumb_apps; _files -/ }\n"
	      "_plumb_plugins() { local -a v; v=(${(f)\"$(plumb plugin list -o name $plumb_config 2>/dev/null)\"}); "
	      "compadd -a v }\n"
	      "_plumb() {\n\tlocal curcontext=$curcontext state line names=\n\tlocal -a commands plumb_config\n"
	      "\tlocal at=${words[(I)-c|--config]}\n\t((at)) && plumb_config=(-c ${(Q)words[at + 1]})\n\tcommands=(\n",
	      f);
	for (size_t i = 0; i < n_cli_commands; i++) {
		fprintf(f, "\t\t'%s:", cli_commands[i]->name);
		zsh_text(f, cli_commands[i]->summary);
		fputs("'\n", f);
	}
	fputs("\t)\n\tnames=${commands%%:*}\n\t_arguments -C '1: :->command' '*:: :->rest'\n\tcase $state in\n"
	      "\tcommand) _describe command commands ;;\n\trest)\n\t\tcase $words[1] in\n",
	      f);
	for (size_t i = 0; i < n_cli_commands; i++) {
		fprintf(f, "\t\t%s)\n\t\t\t_arguments", cli_commands[i]->name);
		each_option(f, cli_commands[i], zsh_option);
		zsh_arguments(f, cli_commands[i]);
		fputs(" ;;\n", f);
	}
	fputs("\t\tesac ;;\n\tesac\n}\n"
	      "if [[ $funcstack[1] == _plumb ]]; then _plumb \"$@\"; else compdef _plumb plumb; fi\n",
	      f);
}

/* ---- fish ---- */

static void fish_text(FILE *f, const char *s)
{
	fputc('\'', f);
	for (; *s; s++) {
		if (strchr("'\\", *s))
			fputc('\\', f);
		fputc(*s, f);
	}
	fputc('\'', f);
}

static void fish_option(FILE *f, const struct cli_command *c, const struct cli_option *o)
{
	fprintf(f, "complete -c plumb -n '__fish_seen_subcommand_from %s' -l %s", c->name, o->name);
	if (o->letter)
		fprintf(f, " -s %c", o->letter);
	if (words_of_option(o))
		fprintf(f, " -x -a '%s'", words_of_option(o));
	else if (o->arg)
		fputs(takes_file(o) ? " -r -F" : " -x", f);
	fputs(" -d ", f);
	fish_text(f, o->help);
	fputc('\n', f);
}

static void fish_argument(FILE *f, const struct cli_command *c)
{
	const char *kind = c->complete, *words = words_of(kind);
	if (strcmp(kind, "app") == 0)
		words = "(plumb completion apps 2>/dev/null)";
	else if (strcmp(kind, "command") == 0)
		words = "(plumb completion commands) config";
	else if (strcmp(kind, "plugin") == 0)
		words = "list show (plumb plugin list -o name 2>/dev/null)";
	if (words)
		fprintf(f, "complete -c plumb -n '__fish_seen_subcommand_from %s' -a '%s'\n", c->name, words);
	if (strcmp(kind, "file") == 0 || strcmp(c->name, "render") == 0)
		fprintf(f, "complete -c plumb -n '__fish_seen_subcommand_from %s' -F\n", c->name);
}

static void fish(FILE *f)
{
	fputs("# fish completion for plumb\ncomplete -c plumb -f\n", f);
	for (size_t i = 0; i < n_cli_commands; i++) {
		const struct cli_command *c = cli_commands[i];
		fprintf(f, "complete -c plumb -n __fish_use_subcommand -a %s -d ", c->name);
		fish_text(f, c->summary);
		fputc('\n', f);
		each_option(f, c, fish_option);
		fish_argument(f, c);
	}
}

int completion_print(const char *shell)
{
	static const struct {
		const char *shell;
		void (*print)(FILE *f);
	} rows[] = {{"bash", bash}, {"zsh", zsh}, {"fish", fish}};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		if (strcmp(shell, rows[i].shell) == 0) {
			rows[i].print(stdout);
			return 0;
		}
	}
	return -1;
}
