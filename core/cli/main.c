/* SPDX-License-Identifier: Apache-2.0 */
#include "core/cli/cli.h"

#include "core/base/mem.h"
#include "core/lua/script.h"
#include "core/plugin/registry.h"
#include "core/server/daemon.h"

#include <getopt.h>
#include <stdarg.h>
#include <unistd.h>

enum { OPT_COMMON = 1000, OPT_OWN = 2000, COMMON_MAX = 16 };

static size_t index_of(const struct cli_command *c, const char *name)
{
	for (size_t i = 0; i < c->n_options; i++)
		if (strcmp(c->options[i].name, name) == 0)
			return i;
	BUG("'%s' has no option '%s'", c->name, name);
}

const char *cli_value(const struct cli *c, const char *option)
{
	return c->values[index_of(c->command, option)];
}

const char **cli_slot(struct cli *c, const char *option)
{
	return &c->values[index_of(c->command, option)];
}

bool cli_flag(const struct cli *c, const char *option)
{
	return cli_value(c, option) != NULL;
}

void cli_warn(const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	fputs("plumb: ", stderr);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
	va_end(ap);
}

int cli_fail(struct pl_err *e)
{
	cli_warn("%s", pl_err_text(e));
	err_clear(e);
	return EXIT_ERROR;
}

int cli_fail_list(struct err_list *errors)
{
	for (size_t i = 0; i < errors->n; i++)
		cli_warn("%s", pl_err_text(&errors->v[i]));
	if (errors->more)
		cli_warn("… and %zu more", errors->more);
	err_list_free(errors);
	return EXIT_ERROR;
}

int cli_usage(const struct cli *c, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	fprintf(stderr, "plumb %s: ", c->command->name);
	vfprintf(stderr, fmt, ap);
	const char *args = c->command->args;
	fprintf(stderr, "\nusage: plumb %s [OPTIONS]%s%s\n'plumb %s --help' tells more\n", c->command->name,
		args[0] ? " " : "", args, c->command->name);
	va_end(ap);
	return EXIT_ERROR;
}

static const struct cli_command *find(const char *name)
{
	for (size_t i = 0; i < n_cli_commands; i++)
		if (strcmp(cli_commands[i]->name, name) == 0)
			return cli_commands[i];
	return NULL;
}

int cli_unknown_command(const char *name)
{
	const char *names[64];
	for (size_t i = 0; i < n_cli_commands; i++)
		names[i] = cli_commands[i]->name;
	const char *near = str_nearest(str_of(name), names, n_cli_commands);
	if (name[0] == '-')
		fputs("plumb: name a command", stderr);
	else
		fprintf(stderr, "plumb: there is no command '%s'", name);
	if (near && name[0] != '-')
		fprintf(stderr, " (did you mean '%s'?)", near);
	fputs("\n'plumb --help' lists them\n", stderr);
	return EXIT_ERROR;
}

static int unknown_option(const struct cli *c, const char *word)
{
	const char *names[OPTIONS_MAX + COMMON_MAX];
	size_t n = 0;
	pl_str name = str_of(word), value;
	while (name.n && name.p[0] == '-') {
		name.p++;
		name.n--;
	}
	str_cut(name, '=', &name, &value);
	for (; n < c->command->n_options; n++)
		names[n] = c->command->options[n].name;
	for (size_t i = 0; i < n_cli_common; i++)
		if (cli_takes(c->command, &cli_common[i]))
			names[n++] = cli_common[i].name;
	const char *near = str_nearest(name, names, n);
	return near ? cli_usage(c, "unknown option '%s' (did you mean '--%s'?)", word, near)
		    : cli_usage(c, "unknown option '%s'", word);
}

static struct option *add_option(const struct cli_option *o, int value, struct option *longs, char *shorts)
{
	char letter[] = {o->letter, o->letter && o->arg ? ':' : 0, 0};
	*longs++ = (struct option){o->name, o->arg ? required_argument : no_argument, NULL, value};
	memcpy(shorts + strlen(shorts), letter, strlen(letter) + 1);
	return longs;
}

/* The command's own options and the common ones, as getopt_long wants them; shorts is empty. */
static void build_options(const struct cli_command *cmd, struct option *longs, char *shorts)
{
	memcpy(shorts, ":", 2);
	for (size_t i = 0; i < cmd->n_options; i++)
		longs = add_option(&cmd->options[i], OPT_OWN + (int)i, longs, shorts);
	for (size_t i = 0; i < n_cli_common; i++)
		if (cli_takes(cmd, &cli_common[i]))
			longs = add_option(&cli_common[i], OPT_COMMON + (int)i, longs, shorts);
	*longs = (struct option){0};
}

/* The option that getopt_long found, by its letter or its number. */
static const struct cli_option *option_of(const struct cli_command *cmd, int got, int *own)
{
	*own = -1;
	if (got >= OPT_OWN) {
		*own = got - OPT_OWN;
		return &cmd->options[*own];
	}
	if (got >= OPT_COMMON)
		return &cli_common[got - OPT_COMMON];
	for (size_t i = 0; i < cmd->n_options; i++) {
		if (cmd->options[i].letter == (char)got) {
			*own = (int)i;
			return &cmd->options[i];
		}
	}
	for (size_t i = 0; i < n_cli_common; i++)
		if (cli_common[i].letter == (char)got)
			return &cli_common[i];
	BUG("getopt_long found the option %d that was not given to it", got);
}

static bool set_output(struct cli *c, const char *text)
{
	static const char *const names[] = {"table", "json", "yaml", "name"};
	for (size_t i = 0; i < 4; i++) {
		if (strcmp(text, names[i]) == 0) {
			c->output = (enum output)i;
			return true;
		}
	}
	return false;
}

/* Each: -1: go on; else the exit status. */
static int on_help(struct cli *c)
{
	help_command(c->command, stdout);
	return output_flush() ? EXIT_GOOD : EXIT_ERROR;
}

static int on_config(struct cli *c)
{
	c->config = optarg;
	return -1;
}

static int on_output(struct cli *c)
{
	return set_output(c, optarg) ? -1 : cli_usage(c, "-o takes table, json, yaml or name, not '%s'", optarg);
}

static int on_verbose(struct cli *c)
{
	c->log.level = LOG_DEBUG;
	return -1;
}

static int on_quiet(struct cli *c)
{
	c->log.level = LOG_ERROR;
	return -1;
}

static int on_log_format(struct cli *c)
{
	c->log.json = strcmp(optarg, "json") == 0;
	return c->log.json || strcmp(optarg, "text") == 0
		       ? -1
		       : cli_usage(c, "--log-format takes text or json, not '%s'", optarg);
}

static int on_no_color(struct cli *c)
{
	c->color = false;
	return -1;
}

static int common_option(struct cli *c, const char *name)
{
	static const struct {
		const char *name;
		int (*fn)(struct cli *c);
	} rows[] = {
		{"help", on_help},   {"config", on_config},	    {CLI_OUTPUT, on_output},   {"verbose", on_verbose},
		{"quiet", on_quiet}, {"log-format", on_log_format}, {"no-color", on_no_color},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (strcmp(name, rows[i].name) == 0)
			return rows[i].fn(c);
	BUG("nothing is done for --%s", name);
}

static int take_option(struct cli *c, int got)
{
	int own;
	const struct cli_option *o = option_of(c->command, got, &own);
	if (own < 0)
		return common_option(c, o->name);
	c->values[own] = o->arg ? optarg : "";
	if (o->many && c->n_many == MANY_MAX)
		return cli_usage(c, "--%s is given more than %d times", o->name, MANY_MAX);
	if (o->many)
		c->many[c->n_many++] = optarg;
	return -1;
}

static int parse(struct cli *c, int argc, char **argv)
{
	struct option longs[OPTIONS_MAX + COMMON_MAX + 1];
	char shorts[2 * (OPTIONS_MAX + COMMON_MAX) + 2];
	build_options(c->command, longs, shorts);
	opterr = 0;
	for (;;) {
		const char *word = argv[optind];
		int got = getopt_long(argc, argv, shorts, longs, NULL);
		if (got == -1)
			break;
		if (got == '?')
			return unknown_option(c, argv[optind - 1][0] == '-' ? argv[optind - 1] : word);
		if (got == ':')
			return cli_usage(c, "option '%s' needs a value", argv[optind - 1]);
		int st = take_option(c, got);
		if (st >= 0)
			return st;
	}
	for (int i = optind; i < argc; i++) {
		if (!argv[i][0])
			return cli_usage(c, "an argument is empty");
		if (c->n_args == MANY_MAX || c->n_args == c->command->max_args)
			return cli_usage(c, "'%s' is one argument too many", argv[i]);
		c->args[c->n_args++] = argv[i];
	}
	if (c->n_args < c->command->min_args)
		return cli_usage(c, "%s", c->command->too_few);
	return -1;
}

struct worker *cli_worker(struct cli *c, struct pl_err *e)
{
	static struct worker_job jobs[16];
	size_t n_plugin, n_script, n = 0;
	const struct worker_job *p = plugin_jobs(&n_plugin), *s = script_jobs(&n_script);
	if (c->worker)
		return c->worker;
	for (size_t i = 0; i < n_plugin; i++)
		jobs[n++] = p[i];
	for (size_t i = 0; i < n_script; i++)
		jobs[n++] = s[i];
	c->worker = worker_start(jobs, n, e);
	return c->worker;
}

static int run(struct cli *c)
{
	struct pl_err e = ERR_INIT;
	if (c->command->worker) {
		/* Signals are blocked before the first thread, the helper is forked before the first document. */
		if (!cli_worker(c, &e))
			return cli_fail(&e);
	}
	c->arena = arena_new();
	c->doc = pl_doc_new(NULL);
	int st = c->command->run(c);
	if (!output_flush()) {
		cli_warn("writing to stdout failed");
		st = EXIT_ERROR;
	}
	pl_doc_unref(c->doc);
	arena_free(c->arena);
	worker_stop(c->worker);
	return st;
}

/*
 * Options may stand before the command, as in `plumb -c FILE status`: the command is moved to the front. Answers
 * whether there is one.
 */
static bool command_first(int argc, char **argv)
{
	static const char *const with_value[] = {"-c", "-o", "--config", "--output", "--log-format"};
	int at = 1;
	while (at < argc && argv[at][0] == '-') {
		bool value = false;
		for (size_t i = 0; i < sizeof with_value / sizeof *with_value; i++)
			value = value || strcmp(argv[at], with_value[i]) == 0;
		at += value ? 2 : 1;
	}
	if (at >= argc)
		return false;
	char *name = argv[at];
	memmove(argv + 2, argv + 1, (size_t)(at - 1) * sizeof *argv);
	argv[1] = name;
	return true;
}

int main(int argc, char **argv)
{
	const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");
	struct cli c = {.log = {.fd = STDERR_FILENO, .level = LOG_WARN}};
	c.color = isatty(STDOUT_FILENO) && !(no_color && *no_color) && !(term && strcmp(term, "dumb") == 0);
	c.progress = isatty(STDERR_FILENO);
	if (argc < 2) {
		help_all(stderr);
		return EXIT_ERROR;
	}
	const char *name = argv[1];
	if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0) {
		help_all(stdout);
		return output_flush() ? EXIT_GOOD : EXIT_ERROR;
	}
	if (strcmp(name, "--version") == 0 || strcmp(name, "-V") == 0)
		name = "version";
	else if (command_first(argc, argv))
		name = argv[1];
	c.command = find(name);
	if (!c.command)
		return cli_unknown_command(name);
	int st = parse(&c, argc - 1, argv + 1);
	return st >= 0 ? st : run(&c);
}
