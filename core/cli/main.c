/* SPDX-License-Identifier: Apache-2.0 */
#include "core/cli/cli.h"

#include "core/base/mem.h"
#include "core/lua/script.h"
#include "core/plugin/registry.h"
#include "core/server/daemon.h"

#include <getopt.h>
#include <stdarg.h>
#include <unistd.h>

enum { OPT_HELP = 1000, OPT_OWN = 2000 };

static const char *const common_names[] = {"help", "config", "output", "verbose", "quiet", "log-format", "no-color"};

static const struct option common_long[] = {
	{"help", no_argument, NULL, 'h'},
	{"config", required_argument, NULL, 'c'},
	{"output", required_argument, NULL, 'o'},
	{"verbose", no_argument, NULL, 'v'},
	{"quiet", no_argument, NULL, 'q'},
	{"log-format", required_argument, NULL, OPT_HELP + 1},
	{"no-color", no_argument, NULL, OPT_HELP + 2},
};

enum { N_COMMON = sizeof common_long / sizeof *common_long };

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
	fprintf(stderr, "\nusage: plumb %s %s(plumb %s --help tells more)\n", c->command->name,
		c->command->args[0] ? c->command->args : "", c->command->name);
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

static int unknown_command(const char *name)
{
	const char *names[64];
	for (size_t i = 0; i < n_cli_commands; i++)
		names[i] = cli_commands[i]->name;
	const char *near = str_nearest(str_of(name), names, n_cli_commands);
	fprintf(stderr, "plumb: there is no command '%s'", name);
	if (near)
		fprintf(stderr, " (did you mean '%s'?)", near);
	fputs("\n'plumb --help' lists them\n", stderr);
	return EXIT_ERROR;
}

static int unknown_option(const struct cli *c, const char *word)
{
	const char *names[OPTIONS_MAX + N_COMMON];
	size_t n = 0;
	pl_str name = str_of(word), value;
	while (name.n && name.p[0] == '-') {
		name.p++;
		name.n--;
	}
	str_cut(name, '=', &name, &value);
	for (; n < c->command->n_options; n++)
		names[n] = c->command->options[n].name;
	for (size_t i = 0; i < N_COMMON; i++)
		names[n++] = common_names[i];
	const char *near = str_nearest(name, names, n);
	return near ? cli_usage(c, "unknown option '%s' (did you mean '--%s'?)", word, near)
		    : cli_usage(c, "unknown option '%s'", word);
}

/* The command's own options and the common ones, as getopt_long wants them. */
static void build_options(const struct cli_command *cmd, struct option *longs, char *shorts)
{
	size_t n = 0, s = 0;
	shorts[s++] = ':';
	for (size_t i = 0; i < N_COMMON; i++)
		longs[n++] = common_long[i];
	for (const char *p = "hc:o:vq"; *p; p++)
		shorts[s++] = *p;
	for (size_t i = 0; i < cmd->n_options; i++) {
		const struct cli_option *o = &cmd->options[i];
		longs[n++] = (struct option){o->name, o->arg ? required_argument : no_argument, NULL, OPT_OWN + (int)i};
		if (o->letter) {
			shorts[s++] = o->letter;
			if (o->arg)
				shorts[s++] = ':';
		}
	}
	longs[n] = (struct option){0};
	shorts[s] = 0;
}

static int own_option(const struct cli_command *cmd, int got)
{
	if (got >= OPT_OWN)
		return got - OPT_OWN;
	for (size_t i = 0; i < cmd->n_options; i++)
		if (cmd->options[i].letter == (char)got)
			return (int)i;
	return -1;
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

/* -1: go on; else the exit status. */
static int common_option(struct cli *c, int got)
{
	switch (got) {
	case 'h':
		help_command(c->command, stdout);
		return output_flush() ? EXIT_GOOD : EXIT_ERROR;
	case 'c':
		c->config = optarg;
		return -1;
	case 'o':
		return set_output(c, optarg) ? -1
					     : cli_usage(c, "-o takes table, json, yaml or name, not '%s'", optarg);
	case 'v':
		c->log.level = LOG_DEBUG;
		return -1;
	case 'q':
		c->log.level = LOG_ERROR;
		return -1;
	case OPT_HELP + 1:
		c->log.json = strcmp(optarg, "json") == 0;
		return c->log.json || strcmp(optarg, "text") == 0 ? -1
								  : cli_usage(c, "--log-format takes text or json");
	default:
		c->color = false;
		return -1;
	}
}

static int parse(struct cli *c, int argc, char **argv)
{
	struct option longs[OPTIONS_MAX + N_COMMON + 1];
	char shorts[3 * OPTIONS_MAX + 16];
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
		int own = own_option(c->command, got);
		if (own < 0) {
			int st = common_option(c, got);
			if (st >= 0)
				return st;
			continue;
		}
		const struct cli_option *o = &c->command->options[own];
		c->values[own] = o->arg ? optarg : "";
		if (o->many && c->n_many < MANY_MAX)
			c->many[c->n_many++] = optarg;
	}
	for (int i = optind; i < argc; i++) {
		if (c->n_args == MANY_MAX || c->n_args == c->command->max_args)
			return cli_usage(c, "'%s' is one argument too many", argv[i]);
		c->args[c->n_args++] = argv[i];
	}
	if (c->n_args < c->command->min_args)
		return cli_usage(c, "%s", c->command->too_few);
	return -1;
}

static struct worker *start_worker(struct pl_err *e)
{
	static struct worker_job jobs[16];
	size_t n_plugin, n_script, n = 0;
	const struct worker_job *p = plugin_jobs(&n_plugin), *s = script_jobs(&n_script);
	for (size_t i = 0; i < n_plugin; i++)
		jobs[n++] = p[i];
	for (size_t i = 0; i < n_script; i++)
		jobs[n++] = s[i];
	return worker_start(jobs, n, e);
}

static int run(struct cli *c)
{
	struct pl_err e = ERR_INIT;
	if (c->command->worker) {
		/* Signals are blocked before the first thread, the helper is forked before the first document. */
		c->worker = start_worker(&e);
		if (!c->worker)
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

int main(int argc, char **argv)
{
	const char *no_color = getenv("NO_COLOR");
	struct cli c = {.log = {.fd = STDERR_FILENO, .level = LOG_WARN}};
	c.color = isatty(STDOUT_FILENO) && !(no_color && *no_color);
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
	c.command = find(name);
	if (!c.command)
		return unknown_command(name);
	int st = parse(&c, argc - 1, argv + 1);
	return st >= 0 ? st : run(&c);
}
