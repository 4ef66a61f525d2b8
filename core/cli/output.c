/* SPDX-License-Identifier: Apache-2.0 */
/* Tables, colours, documents. Results go to stdout, everything else to stderr. */
#include "core/cli/cli.h"

#include "core/base/mem.h"

#include <wchar.h>

bool output_document(struct cli *c, const pl_node *n, int *exit)
{
	char *text;
	size_t len;
	struct pl_err e = ERR_INIT;
	if (c->output != OUTPUT_JSON && c->output != OUTPUT_YAML)
		return false;
	pl_status st = c->output == OUTPUT_JSON ? pl_json_write(n, PL_PRINT_INDENT, &text, &len, &e)
						: pl_yaml_write(n, 0, &text, &len, &e);
	if (st) {
		*exit = cli_fail(&e);
		return true;
	}
	fwrite(text, 1, len, stdout);
	if (c->output == OUTPUT_JSON)
		putchar('\n');
	pl_free(text);
	return true;
}

bool output_flush(void)
{
	return fflush(stdout) == 0 && !ferror(stdout);
}

/* ---- colours ---- */

#define RED    "\033[31m"
#define GREEN  "\033[32m"
#define YELLOW "\033[33m"
#define CYAN   "\033[36m"
#define BOLD   "\033[1m"
#define OFF    "\033[0m"

const char *color_of(pl_str word)
{
	static const struct {
		const char *word, *color;
	} colors[] = {
		{"Synced", GREEN},     {"Healthy", GREEN},    {"Succeeded", GREEN},	{"Pruned", GREEN},
		{"OutOfSync", YELLOW}, {"Progressing", CYAN}, {"Running", CYAN},	{"Suspended", CYAN},
		{"Missing", YELLOW},   {"Degraded", RED},     {"Failed", RED},		{"SyncFailed", RED},
		{"Unknown", RED},      {"Error", RED},	      {"PruneSkipped", YELLOW},
	};
	for (size_t i = 0; i < sizeof colors / sizeof *colors; i++)
		if (str_eqz(word, colors[i].word))
			return colors[i].color;
	return NULL;
}

void output_diff(pl_str diff, bool color, FILE *f)
{
	while (diff.n) {
		pl_str line, rest;
		str_cut(diff, '\n', &line, &rest);
		const char *c = NULL;
		if (str_starts(line, S("---")) || str_starts(line, S("+++")))
			c = BOLD;
		else if (str_starts(line, S("@@")))
			c = CYAN;
		else if (str_starts(line, S("+")))
			c = GREEN;
		else if (str_starts(line, S("-")))
			c = RED;
		if (color && c)
			fprintf(f, "%s%.*s%s\n", c, F(line), OFF);
		else
			fprintf(f, "%.*s\n", F(line));
		diff = rest;
	}
}

void output_resource(const pl_node *r, FILE *f)
{
	pl_str kind = pl_text(pl_gets(r, "kind")), group = pl_text(pl_gets(r, "group")),
	       name = pl_text(pl_gets(r, "name"));
	fprintf(f, "%.*s%s%.*s/%.*s", F(kind), group.n ? "." : "", F(group), F(name));
}

/* ---- tables ---- */

struct cell {
	char *text;
	size_t width;
	const char *color;
};

struct table {
	size_t columns;
	struct cell *cells;
	size_t n, cap;
};

/* Columns on the screen: code points, not bytes; continuation bytes count nothing. */
static size_t width_of(const char *s)
{
	size_t w = 0;
	for (; *s; s++)
		w += ((unsigned char)*s & 0xC0) != 0x80;
	return w;
}

/* A message's line ends and control characters would break the table, or move the cursor. */
static char *one_line(pl_str s)
{
	char *p = str_dup(s);
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)p[i] < 0x20 || p[i] == 0x7f)
			p[i] = ' ';
	return p;
}

struct table *table_new(const char *const *heads, size_t n)
{
	struct table *t = mem_zalloc(sizeof *t);
	t->columns = n;
	for (size_t i = 0; i < n; i++)
		table_cell(t, str_of(heads[i]), BOLD);
	return t;
}

void table_cell(struct table *t, pl_str text, const char *color)
{
	t->cells = mem_grow(t->cells, &t->cap, t->n + 1, sizeof *t->cells);
	char *p = one_line(text);
	t->cells[t->n++] = (struct cell){p, width_of(p), color};
}

/* Whether only empty cells follow in the row: spaces before them would trail. */
static bool row_ends(const struct table *t, size_t i)
{
	for (size_t k = i + 1; k % t->columns != 0; k++)
		if (t->cells[k].width)
			return false;
	return true;
}

void table_print(struct table *t, bool color, FILE *f)
{
	size_t *width = mem_zalloc(t->columns * sizeof *width);
	for (size_t i = 0; i < t->n; i++)
		if (t->cells[i].width > width[i % t->columns])
			width[i % t->columns] = t->cells[i].width;
	for (size_t i = 0; i < t->n; i++) {
		const struct cell *c = &t->cells[i];
		bool last = i % t->columns == t->columns - 1;
		if (color && c->color)
			fprintf(f, "%s%s%s", c->color, c->text, OFF);
		else
			fputs(c->text, f);
		if (last)
			fputc('\n', f);
		else if (!row_ends(t, i))
			fprintf(f, "%*s", (int)(width[i % t->columns] - c->width + 2), "");
	}
	for (size_t i = 0; i < t->n; i++)
		free(t->cells[i].text);
	free(width);
	free(t->cells);
	free(t);
}
