/* SPDX-License-Identifier: Apache-2.0 */
/* status, sync, rollback, suspend, resume: what people ask of applications. */
#include "core/cli/commands.h"

#include "core/base/clock.h"
#include "core/base/mem.h"

static pl_str text(const pl_node *map, const char *key)
{
	return pl_text(pl_gets(map, key));
}

static pl_str or_dash(pl_str s)
{
	return s.n ? s : S("-");
}

/* "main@sha1:3f2a9c1": a whole id is for machines. */
static pl_str short_revision(struct cli *c, const pl_node *app, const char *name, const char *id)
{
	pl_str s = text(app, name);
	if (!s.n)
		s = text(app, id);
	size_t colon = s.n;
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] == ':')
			colon = i;
	size_t keep = colon < s.n ? colon + 8 : 7;
	return s.n > keep ? arena_dup(c->arena, (pl_str){s.p, keep}) : or_dash(s);
}

static pl_str age(struct cli *c, const pl_node *map, const char *key)
{
	int64_t ms = 0;
	char t[CLOCK_TEXT];
	if (pl_int(pl_gets(map, key), &ms) || ms == 0)
		return S("-");
	return arena_dup(c->arena, str_of(clock_age(clock_wall_ms() - ms, t)));
}

static bool in_line(const pl_node *app)
{
	pl_str h = text(pl_gets(app, "health"), "status");
	return str_eqz(text(app, "sync"), "Synced") && (h.n == 0 || str_eqz(h, "Healthy"));
}

/* ---- status ---- */

static void table_of_applications(struct cli *c, const pl_node *list)
{
	static const char *const heads[] = {"NAME", "STATUS", "SYNC", "HEALTH", "REVISION", "SYNCED", "MESSAGE"};
	struct table *t = table_new(heads, 7);
	for (size_t i = 0; i < pl_len(list); i++) {
		const pl_node *a = pl_item(list, i);
		pl_str health = text(pl_gets(a, "health"), "status");
		table_cell(t, text(a, "name"), NULL);
		table_cell(t, text(a, "status"), color_of(text(a, "status")));
		table_cell(t, text(a, "sync"), color_of(text(a, "sync")));
		table_cell(t, or_dash(health), color_of(health));
		table_cell(t, short_revision(c, a, "revisionName", "revision"), NULL);
		table_cell(t, age(c, a, "syncedMs"), NULL);
		table_cell(t, text(a, "message"), NULL);
	}
	table_print(t, c->color, stdout);
}

static void table_of_resources(struct cli *c, const pl_node *app, const pl_node *list)
{
	static const char *const heads[] = {"KIND", "NAMESPACE", "NAME", "SYNC", "HEALTH", "MESSAGE"};
	pl_str status = text(app, "status"), message = text(app, "message");
	printf("Name:      %.*s\nStatus:    %.*s\nRevision:  %.*s\nSource:    %.*s, path '%.*s'\nTarget:    %.*s\n",
	       F(text(app, "name")), F(status), F(or_dash(text(app, "revisionName"))), F(or_dash(text(app, "source"))),
	       F(text(app, "path")), F(or_dash(text(app, "target"))));
	if (message.n)
		printf("Message:   %.*s\n", F(message));
	putchar('\n');
	struct table *t = table_new(heads, 6);
	for (size_t i = 0; i < pl_len(list); i++) {
		const pl_node *r = pl_item(list, i);
		pl_str group = text(r, "group"), health = text(r, "health"), why = text(r, "message");
		bool synced = str_eqz(text(r, "sync"), "Synced");
		table_cell(t,
			   group.n ? arena_printf(c->arena, "%.*s.%.*s", F(text(r, "kind")), F(group))
				   : text(r, "kind"),
			   NULL);
		table_cell(t, or_dash(text(r, "namespace")), NULL);
		table_cell(t, text(r, "name"), NULL);
		table_cell(t, text(r, "sync"), color_of(text(r, "sync")));
		table_cell(t, or_dash(health), color_of(health));
		table_cell(t, why.n || synced ? why : text(r, "reason"), NULL);
	}
	table_print(t, c->color, stdout);
}

static void names_of(const pl_node *list)
{
	for (size_t i = 0; i < pl_len(list); i++) {
		const pl_node *n = pl_item(list, i);
		if (text(n, "kind").n)
			output_resource(n, stdout);
		else
			printf("%.*s", F(text(n, "name")));
		putchar('\n');
	}
}

static int status_exit(const pl_node *reply)
{
	const pl_node *one = pl_gets(reply, "application"), *all = pl_gets(reply, "applications");
	if (one)
		return in_line(one) ? EXIT_GOOD : EXIT_NOT_IN_LINE;
	for (size_t i = 0; i < pl_len(all); i++)
		if (!in_line(pl_item(all, i)))
			return EXIT_NOT_IN_LINE;
	return EXIT_GOOD;
}

int cmd_status(struct cli *c)
{
	struct pl_err e = ERR_INIT;
	pl_node *q = client_request(c, "status"), *reply;
	if (c->log.level == LOG_WARN)
		c->log.level = LOG_ERROR + 1; /* what is wrong stands in the table */
	if (c->n_args)
		pl_sets(c->doc, q, "app", pl_new_string(c->doc, str_of(c->args[0])));
	if (cli_flag(c, "refresh"))
		pl_sets(c->doc, q, "refresh", pl_new_bool(c->doc, 1));
	if (client_call(c, q, NULL, &reply, &e))
		return cli_fail(&e);
	int st = status_exit(reply), failed = EXIT_GOOD;
	const pl_node *list = pl_gets(reply, c->n_args ? "resources" : "applications");
	if (output_document(c, c->n_args ? reply : list, &failed))
		return failed ? failed : st;
	if (c->output == OUTPUT_NAME)
		names_of(list);
	else if (c->n_args)
		table_of_resources(c, pl_gets(reply, "application"), list);
	else if (pl_len(list))
		table_of_applications(c, list);
	else
		fputs("no applications\n", stderr);
	return st;
}

/* ---- sync, rollback ---- */

static void print_ref(FILE *f, const pl_node *r)
{
	pl_str ns = text(r, "namespace");
	output_resource(r, f);
	if (ns.n)
		fprintf(f, " in %.*s", F(ns));
}

static void on_event(struct cli *c, const pl_node *event)
{
	int64_t done = 0, total = 0;
	if (!c->progress || c->output != OUTPUT_TABLE)
		return;
	pl_int(pl_gets(event, "done"), &done);
	pl_int(pl_gets(event, "total"), &total);
	fprintf(stderr, "%.*s  %lld/%lld  %.*s ", F(text(event, "app")), (long long)done, (long long)total,
		F(text(event, "status")));
	print_ref(stderr, event);
	fputc('\n', stderr);
}

static void print_outcome(struct cli *c, const pl_node *o)
{
	pl_str phase = text(o, "phase"), message = text(o, "message"), health = text(o, "health");
	const char *color = c->color ? color_of(phase) : NULL;
	const pl_node *results = pl_gets(o, "results");
	printf("%.*s: %s%.*s%s", F(text(o, "app")), color ? color : "", F(phase), color ? "\033[0m" : "");
	if (health.n)
		printf(", %.*s", F(health));
	if (text(o, "revisionName").n)
		printf(", %.*s", F(short_revision(c, o, "revisionName", "revisionName")));
	if (message.n)
		printf(": %.*s", F(message));
	putchar('\n');
	for (size_t i = 0; i < pl_len(results); i++) {
		const pl_node *r = pl_item(results, i);
		if (str_eqz(text(r, "status"), "Unchanged"))
			continue;
		printf("  %-12.*s ", F(text(r, "status")));
		print_ref(stdout, r);
		if (text(r, "message").n)
			printf(": %.*s", F(text(r, "message")));
		putchar('\n');
	}
}

/* 2 when one could not be tried at all, 1 when one is not in line. */
static int outcomes_exit(const pl_node *list)
{
	int st = EXIT_GOOD;
	for (size_t i = 0; i < pl_len(list); i++) {
		const pl_node *o = pl_item(list, i);
		if (str_eqz(text(o, "phase"), "Error"))
			return EXIT_ERROR;
		if (!pl_bool(pl_gets(o, "inLine")))
			st = EXIT_NOT_IN_LINE;
	}
	return st;
}

static int print_outcomes(struct cli *c, const pl_node *reply)
{
	const pl_node *list = pl_gets(reply, "outcomes");
	int st = outcomes_exit(list), failed = EXIT_GOOD;
	if (output_document(c, list, &failed))
		return failed ? failed : st;
	for (size_t i = 0; i < pl_len(list); i++) {
		const pl_node *o = pl_item(list, i);
		if (str_eqz(text(o, "phase"), "Error"))
			cli_warn("%.*s", F(text(o, "message")));
		else if (c->output == OUTPUT_NAME)
			printf("%.*s\n", F(text(o, "app")));
		else
			print_outcome(c, o);
	}
	return st;
}

static void put_args(struct cli *c, pl_node *q, const char *key, const char *const *v, size_t n)
{
	pl_node *list = pl_new_list(c->doc);
	for (size_t i = 0; i < n; i++)
		pl_append(c->doc, list, pl_new_string(c->doc, str_of(v[i])));
	pl_sets(c->doc, q, key, list);
}

static pl_status put_timeout(struct cli *c, pl_node *q, struct pl_err *e)
{
	const char *given = cli_value(c, "timeout");
	int64_t ms;
	if (!given)
		return PL_OK;
	pl_status st = clock_duration(str_of(given), &ms, e);
	if (st)
		return pl_err_in(e, "--timeout");
	return pl_sets(c->doc, q, "waitMs", pl_new_int(c->doc, ms));
}

int cmd_sync(struct cli *c)
{
	struct pl_err e = ERR_INIT;
	pl_node *q = client_request(c, "sync"), *reply;
	put_args(c, q, "apps", c->args, c->n_args);
	put_args(c, q, "resources", c->many, c->n_many);
	if (cli_flag(c, "prune"))
		pl_sets(c->doc, q, "prune", pl_new_bool(c->doc, 1));
	if (cli_flag(c, "dry-run"))
		pl_sets(c->doc, q, "dryRun", pl_new_bool(c->doc, 1));
	if (cli_value(c, "revision"))
		pl_sets(c->doc, q, "revision", pl_new_string(c->doc, str_of(cli_value(c, "revision"))));
	if (put_timeout(c, q, &e) || client_call(c, q, on_event, &reply, &e))
		return cli_fail(&e);
	return print_outcomes(c, reply);
}

int cmd_rollback(struct cli *c)
{
	struct pl_err e = ERR_INIT;
	pl_node *q = client_request(c, "rollback"), *reply;
	pl_sets(c->doc, q, "app", pl_new_string(c->doc, str_of(c->args[0])));
	if (c->n_args > 1) {
		char *end;
		long long id = strtoll(c->args[1], &end, 10);
		if (*end || id <= 0)
			return cli_usage(c, "'%s' is not an id; 'plumb history %s' lists them", c->args[1], c->args[0]);
		pl_sets(c->doc, q, "id", pl_new_int(c->doc, id));
	}
	if (put_timeout(c, q, &e) || client_call(c, q, on_event, &reply, &e))
		return cli_fail(&e);
	int st = print_outcomes(c, reply);
	fflush(stdout); /* this comes after it on a terminal, and in a file of both */
	if (st != EXIT_ERROR && c->output == OUTPUT_TABLE)
		fprintf(stderr, "%s is held at this revision until `plumb resume %s`\n", c->args[0], c->args[0]);
	return st == EXIT_NOT_IN_LINE ? EXIT_ERROR : st;
}

/* ---- suspend, resume ---- */

static int simple(struct cli *c, const char *op, const char *done)
{
	struct pl_err e = ERR_INIT;
	pl_node *q = client_request(c, op), *reply;
	put_args(c, q, "apps", c->args, c->n_args);
	if (str_eqz(str_of(op), "suspend") && cli_value(c, "reason"))
		pl_sets(c->doc, q, "reason", pl_new_string(c->doc, str_of(cli_value(c, "reason"))));
	if (client_call(c, q, NULL, &reply, &e))
		return cli_fail(&e);
	for (size_t i = 0; i < c->n_args; i++)
		printf("%s: %s\n", c->args[i], done);
	return EXIT_GOOD;
}

int cmd_suspend(struct cli *c)
{
	return simple(c, "suspend", "suspended");
}

int cmd_resume(struct cli *c)
{
	return simple(c, "resume", "resumed");
}
