/* SPDX-License-Identifier: Apache-2.0 */
/* patch: a document and a patch to the patched document. */
#include "core/cli/commands.h"

#include "core/base/file.h"
#include "core/doc/identity.h"
#include "plumb/schema.h"

enum { FILE_LIMIT = 256 * 1024 * 1024 };
enum patch_type { PATCH_STRATEGIC, PATCH_THREE_WAY, PATCH_MERGE, PATCH_JSON, PATCH_TYPES };

static const char *const type_names[PATCH_TYPES] = {"strategic", "three-way", "merge", "json"};

/* ---- input ---- */

static bool looks_like_json(const char *file, pl_str text)
{
	text = str_trim(text);
	return str_ends(str_of(file), S(".json")) || (text.n && strchr("{[\"", text.p[0]));
}

/* Flow YAML begins as JSON does: what is no JSON is read as YAML, unless the file's name says that it is JSON. */
static pl_status read_text(struct cli *c, pl_str text, const char *file, pl_node **out, struct pl_err *e)
{
	pl_node **roots;
	size_t n = 0;
	if (looks_like_json(file, text)) {
		pl_status st = pl_json_read(c->doc, text, file, 0, out, e);
		if (!st || str_ends(str_of(file), S(".json")))
			return st;
		err_clear(e);
	}
	pl_status st = pl_yaml_read(c->doc, text, file, PL_SCHEMA_YAML11, 0, &roots, &n, e);
	if (st)
		return st;
	if (n != 1)
		return pl_err_set(e, PL_EINVAL, n ? pl_at(c->doc, roots[1]) : (pl_place){file, 0, 0},
				  "must hold one document, not %zu", n);
	*out = roots[0];
	return PL_OK;
}

static pl_status read_file(struct cli *c, const char *file, pl_node **out, struct pl_err *e)
{
	struct buf b = BUF_INIT(FILE_LIMIT);
	pl_status st = file_read_input(file, &b, e);
	if (!st)
		st = read_text(c, buf_str(&b), strcmp(file, "-") == 0 ? "stdin" : file, out, e);
	buf_free(&b);
	return st;
}

/* A patch may stand on the command line itself. */
static pl_status read_patch(struct cli *c, const char *patch, pl_node **out, struct pl_err *e)
{
	return patch[0] == '{' || patch[0] == '[' ? read_text(c, str_of(patch), "--patch", out, e)
						  : read_file(c, patch, out, e);
}

/* ---- types ---- */

static pl_status add_schema(struct cli *c, pl_types *types, const char *file, struct pl_err *e)
{
	pl_node *root = NULL;
	pl_status st = read_file(c, file, &root, e);
	if (st)
		return st;
	return str_eqz(pl_text(pl_gets(root, "kind")), "CustomResourceDefinition")
		       ? pl_types_add_crd(types, c->doc, root, e)
		       : pl_types_add_openapi(types, c->doc, root, e);
}

static pl_status find_type(struct cli *c, const pl_types *types, const pl_node *doc, pl_type *out, struct pl_err *e)
{
	const char *definition = cli_value(c, "definition");
	pl_str group, version;
	api_version_cut(pl_text(pl_gets(doc, "apiVersion")), &group, &version);
	*out = definition ? pl_types_named(types, str_of(definition))
			  : pl_types_kind(types, group, version, pl_text(pl_gets(doc, "kind")));
	if (definition && !pl_type_known(*out))
		return err_set(e, PL_ENOTFOUND, "there is no definition '%s' in '%s'", definition,
			       cli_value(c, "schema"));
	return PL_OK;
}

/* ---- patching ---- */

static pl_status patch_once(struct cli *c, enum patch_type by, pl_node **doc, const pl_node *patch, pl_type type,
			    struct pl_err *e)
{
	const char *file = cli_value(c, "original");
	pl_node *original = NULL;
	pl_status st = PL_OK;
	switch (by) {
	case PATCH_JSON:
		return pl_patch_json(c->doc, doc, c->doc, patch, e);
	case PATCH_MERGE:
		return pl_patch_merge(c->doc, doc, c->doc, patch, e);
	case PATCH_THREE_WAY:
		st = file ? read_file(c, file, &original, e) : PL_OK;
		return st ? st : pl_patch_three_way(c->doc, doc, c->doc, original, patch, type, e);
	default:
		return pl_patch_strategic(c->doc, doc, c->doc, patch, type, e);
	}
}

static pl_status patch_all(struct cli *c, enum patch_type by, pl_types *types, pl_node **doc, struct pl_err *e)
{
	const char *schema = cli_value(c, "schema");
	pl_type type = {0};
	pl_status st = read_file(c, c->args[0], doc, e);
	if (!st && schema)
		st = add_schema(c, types, schema, e);
	if (!st)
		st = find_type(c, types, *doc, &type, e);
	for (size_t i = 0; i < c->n_many && !st; i++) {
		pl_node *patch = NULL;
		st = read_patch(c, c->many[i], &patch, e);
		if (!st)
			st = patch_once(c, by, doc, patch, type, e);
	}
	return st;
}

/* ---- the command ---- */

static size_t count_stdin(struct cli *c)
{
	const char *const files[] = {c->args[0], cli_value(c, "original"), cli_value(c, "schema")};
	size_t n = 0;
	for (size_t i = 0; i < sizeof files / sizeof *files; i++)
		n += files[i] && strcmp(files[i], "-") == 0;
	for (size_t i = 0; i < c->n_many; i++)
		n += strcmp(c->many[i], "-") == 0;
	return n;
}

/* -1: go on; else the exit status. */
static int check_use(struct cli *c, enum patch_type *by)
{
	const char *type = cli_value(c, "type"), *near;
	for (*by = PATCH_STRATEGIC; type && *by < PATCH_TYPES && strcmp(type, type_names[*by]) != 0; ++*by)
		;
	if (*by == PATCH_TYPES) {
		near = str_nearest(str_of(type), type_names, PATCH_TYPES);
		return near ? cli_usage(c, "there is no patch type '%s' (did you mean '%s'?)", type, near)
			    : cli_usage(c, "there is no patch type '%s' (there are strategic, three-way, merge, json)",
					type);
	}
	if (!c->n_many)
		return cli_usage(c, "say what to do with --patch");
	if (*by == PATCH_THREE_WAY && c->n_many > 1)
		return cli_usage(c, "three-way takes one --patch, the modified document");
	if (*by != PATCH_THREE_WAY && cli_value(c, "original"))
		return cli_usage(c, "--original is for --type three-way");
	if (cli_value(c, "definition") && !cli_value(c, "schema"))
		return cli_usage(c, "--definition names a definition of --schema");
	if (count_stdin(c) > 1)
		return cli_usage(c, "only one file can be standard input");
	if (c->output == OUTPUT_NAME)
		return cli_usage(c, "-o takes json or yaml here");
	return -1;
}

int cmd_patch(struct cli *c)
{
	struct pl_err e = ERR_INIT;
	pl_node *doc = NULL;
	enum patch_type by;
	int status = check_use(c, &by);
	if (status >= 0)
		return status;
	pl_types *types = pl_types_new(1);
	if (patch_all(c, by, types, &doc, &e)) {
		status = cli_fail(&e);
	} else {
		if (c->output == OUTPUT_TABLE)
			c->output = OUTPUT_JSON;
		status = EXIT_GOOD;
		output_document(c, doc, &status);
	}
	pl_types_free(types);
	return status;
}
