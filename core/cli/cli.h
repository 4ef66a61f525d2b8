/* SPDX-License-Identifier: Apache-2.0 */
/* One file a command; the table of commands makes parser, help, man page and completion. */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include "core/base/arena.h"
#include "core/base/buf.h"
#include "core/base/err.h"
#include "core/base/log.h"
#include "core/worker/worker.h"
#include "plumb/doc.h"

enum { EXIT_GOOD = 0, EXIT_NOT_IN_LINE = 1, EXIT_ERROR = 2 };

enum output { OUTPUT_TABLE, OUTPUT_JSON, OUTPUT_YAML, OUTPUT_NAME };

struct cli_option {
	const char *name; /* without -- */
	char letter;	  /* 0: none */
	const char *arg;  /* NULL: a flag */
	const char *help;
	bool many; /* may be given several times */
};

enum { OPTIONS_MAX = 16, MANY_MAX = 64 };

struct cli {
	const struct cli_command *command;
	const char *values[OPTIONS_MAX]; /* by index in the command's options; a flag given is "" */
	const char *many[MANY_MAX];	 /* of the option that may be repeated, in order */
	size_t n_many;
	const char *args[MANY_MAX];
	size_t n_args;
	const char *config; /* -c */
	enum output output;
	bool color, progress; /* on a terminal */
	struct log log;
	struct worker *worker; /* when the command needs one */
	struct arena *arena;
	pl_doc *doc; /* of requests and replies */
};

struct cli_command {
	const char *name;
	const char *args; /* "APP…" for the usage line */
	const char *summary;
	const char *details; /* more lines for --help and the man page; may be NULL */
	const struct cli_option *options;
	size_t n_options;
	size_t min_args, max_args;
	const char *too_few;  /* "name an application" */
	bool worker, listing; /* needs workers; takes -o */
	int (*run)(struct cli *c);
	const char *complete; /* what its arguments are: "app", "file", "" */
};

extern const struct cli_command *const cli_commands[];
extern const size_t n_cli_commands;

const char *cli_value(const struct cli *c, const char *option); /* NULL: not given */
const char **cli_slot(struct cli *c, const char *option);	/* where it is kept */
bool cli_flag(const struct cli *c, const char *option);
/* The worker helper; started now when the command did not ask for one from the start. NULL: error. */
struct worker *cli_worker(struct cli *c, struct pl_err *e);

/* Prints "plumb: TEXT" on stderr; returns EXIT_ERROR. */
int cli_fail(struct pl_err *e);		    /* clears e */
int cli_fail_list(struct err_list *errors); /* and frees them */
int cli_usage(const struct cli *c, const char *fmt, ...) PL_PRINTF(2, 3);
int cli_unknown_command(const char *name); /* tells the nearest one */
/* A warning on stderr. */
void cli_warn(const char *fmt, ...) PL_PRINTF(1, 2);

/* ---- help.c ---- */
#define CLI_OUTPUT "output"
extern const struct cli_option cli_common[]; /* options of all commands; CLI_OUTPUT of listings only */
extern const size_t n_cli_common;
bool cli_takes(const struct cli_command *c, const struct cli_option *common);
void help_all(FILE *f);
void help_command(const struct cli_command *c, FILE *f);

/* ---- man.c, completion.c ---- */
void man_program(FILE *f);		 /* plumb(1) as troff */
void man_config(FILE *f);		 /* plumb.yaml(5) */
int completion_print(const char *shell); /* bash, zsh, fish; -1: another */

/* ---- output.c ---- */
/* Prints n as JSON or YAML when -o asks for it; false: the caller prints its table or names. */
bool output_document(struct cli *c, const pl_node *n, int *exit);
void output_resource(const pl_node *r, FILE *f); /* KIND.GROUP/NAME, as `--resource` takes it */
struct table;
struct table *table_new(const char *const *heads, size_t n);
void table_cell(struct table *t, pl_str text, const char *color); /* row by row, left to right; color may be NULL */
void table_print(struct table *t, bool color, FILE *f);		  /* frees it */
const char *color_of(pl_str word);				  /* of a state: an escape sequence, or NULL */
void output_diff(pl_str diff, bool color, FILE *f);
bool output_flush(void); /* false: stdout could not be written */

/* ---- client.c ---- */
typedef void (*client_event)(struct cli *c, const pl_node *event);
/* Asks the daemon, or an engine of its own when none runs. The reply lives in c->doc. */
pl_status client_call(struct cli *c, pl_node *request, client_event event, pl_node **reply, struct pl_err *e);
pl_node *client_request(struct cli *c, const char *op); /* a map with op */
char *client_user(void);				/* malloc'ed */
const char *client_scripts(struct arena *a);		/* folder of shipped scripts, or NULL */
/* The config named by -c or found; errors are told on stderr: NULL. */
struct config *client_config(struct cli *c, char **path);

#endif
