/* SPDX-License-Identifier: Apache-2.0 */
/* The table of commands: parser, help, man page and completion are made from it. */
#include "core/cli/commands.h"

#define OPTIONS(t) .options = (t), .n_options = sizeof(t) / sizeof *(t)

static const struct cli_option run_options[] = {
	{"once", 0, NULL, "one full pass over all applications, then exit", false},
	{"timeout", 't', "DURATION", "with --once: how long to wait for health (5m)", false},
};
static const struct cli_command run = {
	.name = "run",
	.args = "",
	.summary = "keep every application in line until SIGTERM",
	.details = "SIGHUP reads the config again; SIGTERM lets running steps finish. With --once the exit status is 0 "
		   "when every\n"
		   "application is Synced and Healthy, 1 when one is not.",
	OPTIONS(run_options),
	.worker = true,
	.run = cmd_run,
	.complete = "",
};

static const struct cli_option status_options[] = {
	{"refresh", 'r', NULL, "ask the sources for new revisions first", false},
};
static const struct cli_command status = {
	.name = "status",
	.args = "[APP]",
	.summary = "the applications, or one application's resources",
	.details = "Exit status 0: all Synced and Healthy; 1: not; 2: error.",
	OPTIONS(status_options),
	.max_args = 1,
	.worker = true,
	.listing = true,
	.run = cmd_status,
	.complete = "app",
};

static const struct cli_option diff_options[] = {
	{"revision", 'R', "REVISION", "compare with this branch, tag or commit", false},
};
static const struct cli_command diff = {
	.name = "diff",
	.args = "APP",
	.summary = "what a sync would change, as a unified diff",
	.details =
		"Values of Secrets are masked. PLUMB_EXTERNAL_DIFF or KUBECTL_EXTERNAL_DIFF in the environment names a "
		"program\n"
		"that is given two folders, LIVE and DESIRED, in place of plumb's own diff.\n"
		"Exit status 0: nothing; 1: something; 2: error.",
	OPTIONS(diff_options),
	.min_args = 1,
	.max_args = 1,
	.too_few = "name an application",
	.worker = true,
	.listing = true,
	.run = cmd_diff,
	.complete = "app",
};

static const struct cli_option sync_options[] = {
	{"prune", 'p', NULL, "delete what Git no longer has, past the ceiling too", false},
	{"dry-run", 'n', NULL, "tell what would be done", false},
	{"revision", 'R', "REVISION", "sync to this branch, tag or commit", false},
	{"resource", 0, "KIND/NAME", "only this resource (may be repeated)", true},
	{"timeout", 't', "DURATION", "how long to wait for health (15m)", false},
};
static const struct cli_command sync_command = {
	.name = "sync",
	.args = "APP…",
	.summary = "one sync now",
	.details = "Exit status 0: synced and healthy; 1: not; 2: error.",
	OPTIONS(sync_options),
	.min_args = 1,
	.max_args = MANY_MAX,
	.too_few = "name an application",
	.worker = true,
	.listing = true,
	.run = cmd_sync,
	.complete = "app",
};

static const struct cli_option render_options[] = {
	{"revision", 'R', "REVISION", "of this branch, tag or commit (applications only)", false},
	{"renderer", 0, "NAME", "a folder by this renderer, instead of kustomize: yaml for plain manifests", false},
	{"load-restrictor", 0, "RULE", "LoadRestrictionsNone: files of a kustomization may lie outside its folder",
	 false},
	{"offline", 0, NULL, "remote resources only from the cache", false},
	{CLI_OUTPUT, 'o', "FORM|PATH", "json, yaml or name; else a file, or a folder for one file a resource", false},
};
static const struct cli_command render = {
	.name = "render",
	.args = "[APP|DIR|URL]",
	.summary = "the manifests of an application or a folder on stdout",
	.details = "A folder needs no config: it is built as `kustomize build` does. URL is a kustomization in a Git\n"
		   "repository, https://HOST/ORG/REPO//PATH?ref=REVISION.\n"
		   "Without an argument it is the current folder. A name without a slash is an application when the "
		   "config\n"
		   "has one.",
	OPTIONS(render_options),
	.max_args = 1,
	.run = cmd_render,
	.complete = "app",
};

static const struct cli_option history_options[] = {
	{"limit", 'l', "N", "the newest N only", false},
};
static const struct cli_command history = {
	.name = "history",
	.args = "APP",
	.summary = "who synced which revision when, and what came of it",
	OPTIONS(history_options),
	.min_args = 1,
	.max_args = 1,
	.too_few = "name an application",
	.worker = true,
	.listing = true,
	.run = cmd_history,
	.complete = "app",
};

static const struct cli_option rollback_options[] = {
	{"timeout", 't', "DURATION", "how long to wait for health (15m)", false},
};
static const struct cli_command rollback = {
	.name = "rollback",
	.args = "APP [ID]",
	.summary = "go back to an earlier sync, from its stored render",
	.details = "ID is one of `plumb history APP`; without it the last successful sync of another revision. Git is "
		   "not needed.\n"
		   "The application stays there until `plumb resume APP`.",
	OPTIONS(rollback_options),
	.min_args = 1,
	.max_args = 2,
	.too_few = "name an application",
	.worker = true,
	.listing = true,
	.run = cmd_rollback,
	.complete = "app",
};

static const struct cli_option suspend_options[] = {
	{"reason", 0, "TEXT", "shown in the status", false},
};
static const struct cli_command suspend = {
	.name = "suspend",
	.args = "APP…",
	.summary = "stop syncing and healing an application",
	OPTIONS(suspend_options),
	.min_args = 1,
	.max_args = MANY_MAX,
	.too_few = "name an application",
	.worker = true,
	.run = cmd_suspend,
	.complete = "app",
};

static const struct cli_command resume = {
	.name = "resume",
	.args = "APP…",
	.summary = "go on after suspend or rollback",
	.min_args = 1,
	.max_args = MANY_MAX,
	.too_few = "name an application",
	.worker = true,
	.run = cmd_resume,
	.complete = "app",
};

static const struct cli_command check = {
	.name = "check",
	.args = "",
	.summary = "read config, plugins and scripts, touch nothing",
	.details = "Every mistake is told with its place. Exit status 0: ok; 2: not.",
	.worker = true,
	.run = cmd_check,
	.complete = "",
};

static const struct cli_option health_options[] = {
	{"script", 's', "SCRIPT.lua", "judge by this script", false},
	{"folder", 'f', "DIR", "look for GROUP/KIND/health.lua here first (may be repeated)", true},
	{"builtin", 0, NULL, "leave the shipped scripts out", false},
};
static const struct cli_command health = {
	.name = "health",
	.args = "FILE",
	.summary = "judge one object: {\"status\": …, \"message\": …}",
	.details = "FILE holds one object as YAML or JSON; - is standard input. A kind that nobody judges has the "
		   "status null.",
	OPTIONS(health_options),
	.min_args = 1,
	.max_args = 1,
	.too_few = "name a file",
	.worker = true,
	.run = cmd_health,
	.complete = "file",
};

static const struct cli_command plugin = {
	.name = "plugin",
	.args = "list | show NAME",
	.summary = "the plugins there are; one plugin's options",
	.details = "NAME may be KIND/NAME, as `plumb plugin list -o name` prints it.",
	.min_args = 1,
	.max_args = 2,
	.too_few = "say list or show",
	.listing = true,
	.run = cmd_plugin,
	.complete = "plugin",
};

static const struct cli_option patch_options[] = {
	{"patch", 'p', "FILE|TEXT", "the patch (may be repeated); three-way: the document as it is wanted", true},
	{"type", 't', "TYPE", "strategic (the default), three-way, merge (RFC 7396) or json (RFC 6902)", false},
	{"original", 0, "FILE", "three-way: what was applied last; without it nothing is deleted", false},
	{"schema", 's', "FILE", "an OpenAPI document or a CustomResourceDefinition with the document's type", false},
	{"definition", 'd', "NAME", "the type is this definition of --schema, whatever the document's kind", false},
};
static const struct cli_command patch = {
	.name = "patch",
	.args = "FILE",
	.summary = "a document with patches applied, on stdout",
	.details = "Files are YAML or JSON and hold one document each; - is standard input. A strategic patch and a "
		   "three-way\n"
		   "merge go by the document's apiVersion and kind: Kubernetes' own kinds are known; of others, maps "
		   "merge and\n"
		   "lists are replaced. The result is JSON, with -o yaml YAML. Exit status 2: the patch was refused.",
	OPTIONS(patch_options),
	.min_args = 1,
	.max_args = 1,
	.too_few = "name the file to patch",
	.listing = true,
	.run = cmd_patch,
	.complete = "file",
};

static const struct cli_command yaml = {
	.name = "yaml",
	.args = "FILE",
	.summary = "each YAML document of a file as a line of JSON",
	.min_args = 1,
	.max_args = 1,
	.too_few = "name a file",
	.run = cmd_yaml,
	.complete = "file",
};

static const struct cli_command version = {
	.name = "version",
	.args = "",
	.summary = "the version of plumb and of its plugin ABI",
	.listing = true,
	.run = cmd_version,
	.complete = "",
};

static const struct cli_option help_options[] = {
	{"man", 0, NULL, "the manual page plumb(1), or with config plumb.yaml(5), as troff", false},
};
static const struct cli_command help = {
	.name = "help",
	.args = "[COMMAND | config]",
	.summary = "how to use a command; all keys of the config",
	OPTIONS(help_options),
	.max_args = 1,
	.run = cmd_help,
	.complete = "command",
};

static const struct cli_command completion = {
	.name = "completion",
	.args = "bash|zsh|fish",
	.summary = "a script that completes plumb's commands in your shell",
	.details = "For bash and zsh: source <(plumb completion SHELL); for fish: plumb completion fish | source.\n"
		   "`make install` puts the scripts where the shells look for them.",
	.min_args = 1,
	.max_args = 1,
	.too_few = "name a shell",
	.run = cmd_completion,
	.complete = "shell",
};

const struct cli_command *const cli_commands[] = {
	&run,	&status, &diff,	  &sync_command, &render, &history, &rollback, &suspend,    &resume,
	&check, &health, &plugin, &patch,	 &yaml,	  &version, &help,     &completion,
};
const size_t n_cli_commands = sizeof cli_commands / sizeof *cli_commands;
