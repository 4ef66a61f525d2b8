/* SPDX-License-Identifier: Apache-2.0 */
/* plumb(1) and plumb.yaml(5) as troff, from the tables of commands and of config keys. */
#include "core/cli/cli.h"

#include "core/config/config.h"

/* troff reads Latin-1: other characters are named by their code point. */
static const char *code_point(FILE *f, const char *s)
{
	unsigned char c = (unsigned char)*s;
	unsigned v = c & (c >= 0xF0 ? 0x07 : c >= 0xE0 ? 0x0F : 0x1F);
	for (s++; ((unsigned char)*s & 0xC0) == 0x80; s++)
		v = v << 6 | ((unsigned char)*s & 0x3F);
	fprintf(f, "\\[u%04X]", v);
	return s;
}

/* Hyphens, leading dots and backslashes mean something to troff; `…` is for code. */
static void troff(FILE *f, const char *s)
{
	static const struct {
		char c;
		const char *text;
	} escapes[] = {{'-', "\\-"}, {'\\', "\\e"}, {'~', "\\(ti"}, {'^', "\\(ha"}, {'\'', "\\(aq"}, {'"', "\\(dq"}};
	bool code = false;
	if (*s == '.')
		fputs("\\&", f);
	while (*s) {
		const char *text = NULL;
		for (size_t i = 0; i < sizeof escapes / sizeof *escapes; i++)
			if (escapes[i].c == *s)
				text = escapes[i].text;
		if ((unsigned char)*s >= 0xC0) {
			s = code_point(f, s);
			continue;
		}
		if (*s == '`')
			fputs((code = !code) ? "\\fB" : "\\fR", f);
		else if (text)
			fputs(text, f);
		else
			fputc(*s, f);
		if (*s == '\n' && s[1] == '.')
			fputs("\\&", f);
		s++;
	}
}

static void option(FILE *f, const struct cli_option *o)
{
	fputs(".TP\n.B ", f);
	if (o->letter)
		fprintf(f, "\\-%c, ", o->letter);
	fputs("\\-\\-", f);
	troff(f, o->name);
	if (o->arg)
		fprintf(f, " \\fI%s\\fR", o->arg);
	fputc('\n', f);
	troff(f, o->help);
	fputc('\n', f);
}

static void command(FILE *f, const struct cli_command *c)
{
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
		option(f, &c->options[k]);
}

void man_program(FILE *f)
{
	fputs(".TH PLUMB 1 \"\" \"plumb " PLUMB_VERSION "\" \"User Commands\"\n.SH NAME\n"
	      "plumb \\- keeps a live system in line with Git\n.SH SYNOPSIS\n"
	      ".B plumb\n\\fICOMMAND\\fR [\\fIOPTIONS\\fR] [\\fIARGUMENTS\\fR]\n.SH DESCRIPTION\n"
	      "plumb fetches the desired state from Git, renders it, compares it with what is live, applies the\n"
	      "difference, judges health, records what it did, and starts over.\n"
	      ".PP\nCommands talk to the daemon\n.RB ( \"plumb run\" )\nwhen one runs on the same state folder, and "
	      "work by themselves when none does.\n.SH COMMANDS\n",
	      f);
	for (size_t i = 0; i < n_cli_commands; i++)
		command(f, cli_commands[i]);
	fputs(".SH OPTIONS OF ALL COMMANDS\n", f);
	for (size_t i = 0; i < n_cli_common; i++)
		option(f, &cli_common[i]);
	fputs(".SH EXIT STATUS\n.TP\n.B 0\ngood: in line, no difference\n.TP\n.B 1\ndifferent, not in line\n"
	      ".TP\n.B 2\nan error\n.SH ENVIRONMENT\n.TP\n.B NO_COLOR\nno colours when it is set and not empty\n"
	      ".TP\n.BR PLUMB_EXTERNAL_DIFF \", \" KUBECTL_EXTERNAL_DIFF\na program that\n.B plumb diff\n"
	      "runs with two folders, in place of its own diff\n"
	      ".SH FILES\n.TP\n.I ./plumb.yaml, /etc/plumb/plumb.yaml\nthe config; see\n.BR plumb.yaml (5)\n"
	      ".TP\n.I stateDir/plumb.sock\nthe daemon's control socket\n.TP\n.I stateDir/plumb.db, stateDir/seal.key\n"
	      "the store, and the key that seals its Secret values\n.SH SEE ALSO\n.BR plumb.yaml (5),\n.BR git (1)\n",
	      f);
}

static void key(void *ctx, const struct config_key *k)
{
	FILE *f = ctx;
	fputs(".TP\n.B ", f);
	troff(f, k->path);
	fputs("\n\\fI", f);
	troff(f, k->shape);
	fputs("\\fR", f);
	if (k->required)
		fputs(", required", f);
	if (k->def) {
		fputs(", default \\fB", f);
		troff(f, k->def);
		fputs("\\fR", f);
	}
	fputs(".\n.br\n", f);
	troff(f, k->help);
	fputs(".\n", f);
}

void man_config(FILE *f)
{
	fputs(".TH PLUMB.YAML 5 \"\" \"plumb " PLUMB_VERSION "\" \"File Formats\"\n.SH NAME\n"
	      "plumb.yaml \\- the config of plumb\n.SH DESCRIPTION\n"
	      "A YAML file that names sources, targets and applications.\n.B plumb\nreads the file given by\n"
	      ".BR \\-c ,\nelse\n.IR ./plumb.yaml ,\nelse\n.IR /etc/plumb/plumb.yaml .\n"
	      "Relative paths are relative to the file they stand in; \\fB\\(ti/\\fR is the home folder. Durations are "
	      "written like\n.BR 30s ,\n.B 3m\nor\n.BR 1h30m .\n"
	      "A misspelt key is an error with its place and the nearest right one;\n.B plumb check\n"
	      "tells every mistake at once. The options behind a plugin's name are the plugin's:\n"
	      ".B plumb plugin show\n\\fINAME\\fR lists them.\n"
	      ".PP\nAn application may also be a document of its own, with \\fBapiVersion: plumb.dev/v1\\fR, \\fBkind: "
	      "Application\\fR, its name in\n.B metadata\nand its other keys in\n.BR spec ;\n"
	      "Argo CD's \\fBargoproj.io/v1alpha1\\fR Application is read, too.\n.SH KEYS\n",
	      f);
	config_keys(key, f);
	fputs(".SH EXAMPLE\n.nf\nstateDir: /var/lib/plumb\nsources:\n"
	      "  shop: {git: {url: https://git.example.org/shop.git, revision: main}}\ntargets:\n"
	      "  here: {directory: {path: /srv/live}}\napplications:\n- name: web\n  source: shop\n  path: apps/web\n"
	      "  target: here\n  namespace: shop\n  sync: {automated: true, prune: true, selfHeal: true}\n"
	      "include: [apps.d/*.yaml]\n.fi\n.SH SEE ALSO\n.BR plumb (1)\n",
	      f);
}
