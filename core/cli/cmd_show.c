/* SPDX-License-Identifier: Apache-2.0 */
/* diff, history: what a sync would change, and what syncs have changed. */
#include "core/cli/commands.h"

#include "core/base/clock.h"

static pl_str text(const pl_node *map, const char *key)
{
	return pl_text(pl_gets(map, key));
}

/* As kubectl has it, so that people's diff viewers work here, too. */
static const char *external_program(const struct cli *c)
{
	const char *own = getenv("PLUMB_EXTERNAL_DIFF"), *known = getenv("KUBECTL_EXTERNAL_DIFF");
	const char *program = own ? own : known;
	return c->output == OUTPUT_TABLE && program && *program ? program : NULL;
}

int cmd_diff(struct cli *c)
{
	struct pl_err e = ERR_INIT;
	pl_node *q = client_request(c, "diff"), *reply;
	pl_sets(c->doc, q, "app", pl_new_string(c->doc, str_of(c->args[0])));
	if (cli_value(c, "revision"))
		pl_sets(c->doc, q, "revision", pl_new_string(c->doc, str_of(cli_value(c, "revision"))));
	const char *program = external_program(c);
	if (program)
		pl_sets(c->doc, q, "texts", pl_new_bool(c->doc, 1));
	if (client_call(c, q, NULL, &reply, &e))
		return cli_fail(&e);
	const pl_node *changes = pl_gets(reply, "changes");
	int st = pl_len(changes) ? EXIT_NOT_IN_LINE : EXIT_GOOD, failed = EXIT_GOOD;
	if (output_document(c, reply, &failed))
		return failed ? failed : st;
	if (program && pl_len(changes) && external_diff(c, program, changes))
		return EXIT_ERROR;
	if (c->output == OUTPUT_TABLE && !program)
		output_diff(text(reply, "diff"), c->color, stdout);
	for (size_t i = 0; i < pl_len(changes); i++) {
		const pl_node *r = pl_item(changes, i);
		pl_str message = text(r, "message");
		bool named = c->output == OUTPUT_NAME;
		if (named || str_eqz(text(r, "action"), "none")) /* out of sync, but a sync would leave it */
			output_resource(r, named ? stdout : stderr);
		if (named)
			putchar('\n');
		else if (str_eqz(text(r, "action"), "none"))
			fprintf(stderr, ": %.*s\n", F(message.n ? message : text(r, "reason")));
	}
	if (text(reply, "hold").n)
		fprintf(stderr, "%.*s\n", F(text(reply, "hold")));
	return st;
}

static pl_str duration(struct cli *c, const pl_node *h)
{
	int64_t ms = 0;
	if (pl_int(pl_gets(h, "durationMs"), &ms) || !pl_gets(h, "finishedAt"))
		return S("-");
	return arena_printf(c->arena, "%lld.%lds", (long long)(ms / 1000), (long)(ms % 1000 / 100));
}

/* "2 created, 1 pruned" */
static pl_str summary(struct cli *c, const pl_node *h)
{
	const pl_node *results = pl_gets(h, "results");
	static const char *const names[] = {"create", "update", "delete"};
	static const char *const words[] = {"created", "updated", "pruned"};
	size_t counts[3] = {0}, failed = 0;
	struct buf b = BUF_INIT(256);
	for (size_t i = 0; i < pl_len(results); i++) {
		const pl_node *r = pl_item(results, i);
		pl_str status = text(r, "status");
		failed += str_eqz(status, "SyncFailed");
		for (size_t k = 0; k < 3; k++)
			counts[k] += str_eqz(text(r, "action"), names[k]) &&
				     (str_eqz(status, "Synced") || str_eqz(status, "Pruned"));
	}
	for (size_t k = 0; k < 3; k++)
		if (counts[k])
			buf_addf(&b, "%s%zu %s", b.n ? ", " : "", counts[k], words[k]);
	if (failed)
		buf_addf(&b, "%s%zu failed", b.n ? ", " : "", failed);
	pl_str s = b.n ? arena_dup(c->arena, buf_str(&b)) : S("no change");
	buf_free(&b);
	return s;
}

static pl_str first_line(pl_str s)
{
	pl_str head, rest;
	str_cut(s, '\n', &head, &rest);
	return head;
}

static void table_of_history(struct cli *c, const pl_node *list)
{
	static const char *const heads[] = {"ID", "STARTED", "TOOK", "PHASE", "REVISION", "BY", "CHANGES", "COMMIT"};
	struct table *t = table_new(heads, 8);
	for (size_t i = 0; i < pl_len(list); i++) {
		const pl_node *h = pl_item(list, i);
		pl_str phase = text(h, "phase"), error = text(h, "error"), rev = text(h, "revision");
		table_cell(t, pl_text(pl_gets(h, "id")), NULL);
		table_cell(t, text(h, "startedAt"), NULL);
		table_cell(t, duration(c, h), NULL);
		table_cell(t, phase, color_of(phase));
		table_cell(t, (pl_str){rev.p, rev.n < 7 ? rev.n : 7}, NULL);
		table_cell(t, text(h, "initiator"), NULL);
		table_cell(t, error.n ? error : summary(c, h), NULL);
		table_cell(t, first_line(text(h, "message")), NULL);
	}
	table_print(t, c->color, stdout);
}

int cmd_history(struct cli *c)
{
	struct pl_err e = ERR_INIT;
	pl_node *q = client_request(c, "history"), *reply;
	const char *limit = cli_value(c, "limit");
	int failed = EXIT_GOOD;
	pl_sets(c->doc, q, "app", pl_new_string(c->doc, str_of(c->args[0])));
	if (limit) {
		char *end;
		long n = strtol(limit, &end, 10);
		if (*end || n <= 0)
			return cli_usage(c, "--limit takes a number above 0, not '%s'", limit);
		pl_sets(c->doc, q, "limit", pl_new_int(c->doc, n));
	}
	if (client_call(c, q, NULL, &reply, &e))
		return cli_fail(&e);
	const pl_node *list = pl_gets(reply, "history");
	if (output_document(c, list, &failed))
		return failed;
	for (size_t i = 0; c->output == OUTPUT_NAME && i < pl_len(list); i++)
		printf("%.*s\n", F(pl_text(pl_gets(pl_item(list, i), "id"))));
	if (c->output == OUTPUT_TABLE && pl_len(list))
		table_of_history(c, list);
	else if (c->output == OUTPUT_TABLE)
		fprintf(stderr, "%s has no history yet\n", c->args[0]);
	return EXIT_GOOD;
}
