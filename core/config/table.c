/* SPDX-License-Identifier: Apache-2.0 */
/* All keys of plumb.yaml and of an application, and the reader that they drive. */
#include "core/config/table.h"

#define TABLE(name, describes, rows)                                                                                   \
	const struct cfg_table name = {.what = (describes), .keys = (rows), .n = sizeof(rows) / sizeof *(rows)}

static const struct cfg_key plugin_keys[] = {
	{"isolate",
	 CFG_CHOICE,
	 offsetof(struct config_plugin, isolate),
	 0,
	 NULL,
	 "where it runs: `none` in plumb itself, `process` in a worker process",
	 NULL,
	 {"none", "process"}},
	{"sha256",
	 CFG_DIGEST,
	 offsetof(struct config_plugin, sha256),
	 0,
	 NULL,
	 "the digest its file must have",
	 NULL,
	 {NULL}},
	{"grant",
	 CFG_STRINGS,
	 offsetof(struct config_plugin, grant),
	 0,
	 NULL,
	 "what a plugin in a worker may do besides computing, such as `network`",
	 NULL,
	 {NULL}},
};
TABLE(plugin_table_keys, "plugin", plugin_keys);

static const struct cfg_key source_keys[] = {
	{"PLUGIN",
	 CFG_NODE,
	 0,
	 CFG_REQUIRED,
	 NULL,
	 "one source plugin with its options, such as `git: {url: …}`; `revision` among them is the branch, tag or "
	 "commit to follow",
	 NULL,
	 {NULL}},
};
TABLE(source_table, "source", source_keys);

static const struct cfg_key target_keys[] = {
	{"PLUGIN",
	 CFG_NODE,
	 0,
	 CFG_REQUIRED,
	 NULL,
	 "one applier plugin with its options, such as `directory: {path: …}`",
	 NULL,
	 {NULL}},
};
TABLE(target_table, "target", target_keys);

#define SYNC(f) (offsetof(struct config_app, sync) + offsetof(struct config_sync, f))

static const struct cfg_key backoff_keys[] = {
	{"duration", CFG_DURATION, SYNC(retry_base_ms), 0, "5s", "the first wait; doubled each time", NULL, {NULL}},
	{"maxDuration", CFG_DURATION, SYNC(retry_max_ms), 0, "3m", "the longest wait", NULL, {NULL}},
};
static TABLE(backoff_table, "backoff", backoff_keys);

static const struct cfg_key retry_keys[] = {
	{"limit",
	 CFG_INT,
	 SYNC(retry_limit),
	 0,
	 "-1",
	 "how often a failed sync is tried again; negative: without end",
	 NULL,
	 {NULL}},
	{"backoff", CFG_SECTION, 0, 0, NULL, "waiting between tries", &backoff_table, {NULL}},
};
static TABLE(retry_table, "retry", retry_keys);

static const struct cfg_key sync_keys[] = {
	{"automated", CFG_BOOL, SYNC(automated), 0, "false", "sync a new revision by itself", NULL, {NULL}},
	{"prune", CFG_BOOL, SYNC(prune), 0, "false", "delete what is no longer desired", NULL, {NULL}},
	{"selfHeal",
	 CFG_BOOL,
	 SYNC(self_heal),
	 0,
	 "false",
	 "undo changes that others make to the live side",
	 NULL,
	 {NULL}},
	{"allowEmpty",
	 CFG_BOOL,
	 SYNC(allow_empty),
	 0,
	 "false",
	 "permit a prune of everything when the render comes out empty",
	 NULL,
	 {NULL}},
	{"timeout",
	 CFG_DURATION,
	 SYNC(timeout_ms),
	 0,
	 "15m",
	 "the longest a sync may take, its wait for health included",
	 NULL,
	 {NULL}},
	{"retry", CFG_SECTION, 0, 0, NULL, "what happens after a failed sync", &retry_table, {NULL}},
};
static TABLE(sync_table, "sync", sync_keys);

static const struct cfg_key app_keys[] = {
	{"name",
	 CFG_NAME,
	 offsetof(struct draft, app.name),
	 CFG_REQUIRED,
	 NULL,
	 "unique; stands in every tracking id",
	 NULL,
	 {NULL}},
	{"source", CFG_NODE, offsetof(struct draft, source), CFG_REQUIRED, NULL, "the name of a source", NULL, {NULL}},
	{"revision",
	 CFG_STR,
	 offsetof(struct draft, app.revision),
	 0,
	 NULL,
	 "a branch, tag or commit, in place of its source's",
	 NULL,
	 {NULL}},
	{"path",
	 CFG_TREE,
	 offsetof(struct draft, app.path),
	 0,
	 NULL,
	 "its folder in the source; absent: the root",
	 NULL,
	 {NULL}},
	{"render",
	 CFG_STEPS,
	 offsetof(struct draft, app.render),
	 0,
	 NULL,
	 "render steps in order: a plugin's name, `{NAME: {OPTIONS}}`, or a list of them; absent: kustomize when the "
	 "folder has a kustomization file, else yaml",
	 NULL,
	 {NULL}},
	{"target", CFG_NODE, offsetof(struct draft, target), CFG_REQUIRED, NULL, "the name of a target", NULL, {NULL}},
	{"namespace",
	 CFG_LABEL,
	 offsetof(struct draft, app.ns),
	 0,
	 NULL,
	 "for namespaced objects that name none",
	 NULL,
	 {NULL}},
	{"sync", CFG_SECTION, 0, 0, NULL, "when and how it is synced", &sync_table, {NULL}},
	{"health",
	 CFG_FOLDERS,
	 offsetof(struct draft, app.health),
	 0,
	 NULL,
	 "folders of health scripts, one or a list, asked in order",
	 NULL,
	 {NULL}},
	{"hooks", CFG_REFUSED, 0, 0, NULL, "hooks", NULL, {NULL}},
	{"deletion",
	 CFG_DELETION,
	 offsetof(struct draft, app.deletion),
	 0,
	 "orphan",
	 "what happens to its objects when it leaves the config: `orphan` leaves them, `cascade` deletes them",
	 NULL,
	 {"orphan", "cascade"}},
	{"suspend",
	 CFG_BOOL,
	 offsetof(struct draft, app.suspend),
	 0,
	 "false",
	 "compare, but change nothing",
	 NULL,
	 {NULL}},
};
TABLE(app_table, "application", app_keys);
/* An Application document's name stands in its metadata: the first row is left out. */
const struct cfg_table spec_table = {
	.what = "application", .keys = app_keys + 1, .n = sizeof app_keys / sizeof *app_keys - 1};

static const struct cfg_key root_keys[] = {
	{"pollInterval",
	 CFG_DURATION,
	 offsetof(struct fragment, poll_ms),
	 CFG_MAIN_ONLY,
	 "3m",
	 "how often sources are asked for a new revision",
	 NULL,
	 {NULL}},
	{"stateDir",
	 CFG_FOLDER,
	 offsetof(struct fragment, state_dir),
	 CFG_MAIN_ONLY,
	 "./state",
	 "the folder of history, inventory and caches",
	 NULL,
	 {NULL}},
	{"pluginPath",
	 CFG_FOLDERS,
	 offsetof(struct fragment, plugin_path),
	 CFG_MAIN_ONLY,
	 NULL,
	 "folders searched after the installed plugin folder",
	 NULL,
	 {NULL}},
	{"plugins",
	 CFG_MANY,
	 offsetof(struct fragment, plugins),
	 CFG_MAIN_ONLY,
	 NULL,
	 "plugins by name, where they differ from the default",
	 &plugin_table_keys,
	 {NULL}},
	{"listen",
	 CFG_LISTEN,
	 offsetof(struct fragment, listen),
	 CFG_MAIN_ONLY,
	 NULL,
	 "HOST:PORT of the API and metrics; absent: off",
	 NULL,
	 {NULL}},
	{"sources",
	 CFG_MANY,
	 offsetof(struct fragment, sources),
	 0,
	 NULL,
	 "where desired state comes from, by name",
	 &source_table,
	 {NULL}},
	{"targets",
	 CFG_MANY,
	 offsetof(struct fragment, targets),
	 0,
	 NULL,
	 "what is kept in line, by name",
	 &target_table,
	 {NULL}},
	{"applications",
	 CFG_MANY,
	 offsetof(struct fragment, applications),
	 0,
	 NULL,
	 "a list of applications",
	 &app_table,
	 {NULL}},
	{"include",
	 CFG_NODE,
	 offsetof(struct fragment, include),
	 0,
	 NULL,
	 "further files, one or a list, with `*` and `?`: each has sources, targets and applications as here, or "
	 "Application documents",
	 NULL,
	 {NULL}},
};
TABLE(root_table, "the config", root_keys);

/* ---- the reader ---- */

/* One pointer and the number behind it, as config.h lays out every list. */
struct list_field {
	const void *v;
	size_t n;
};
_Static_assert(offsetof(struct config_app, n_health) ==
		       offsetof(struct config_app, health) + offsetof(struct list_field, n),
	       "layout");
_Static_assert(offsetof(struct config_app, n_render) ==
		       offsetof(struct config_app, render) + offsetof(struct list_field, n),
	       "layout");
_Static_assert(offsetof(struct config_plugin, n_grant) ==
		       offsetof(struct config_plugin, grant) + offsetof(struct list_field, n),
	       "layout");

typedef bool (*read_text_fn)(struct load *, const char *, const pl_node *, pl_str *);

static bool read_texts(struct load *l, const char *what, const pl_node *n, read_text_fn one, struct list_field *out)
{
	bool many = pl_kind(n) == PL_LIST, ok = true;
	size_t count = many ? pl_len(n) : 1;
	pl_str *v = arena_array(l->a, count, sizeof *v);
	for (size_t i = 0; i < count; i++)
		ok = one(l, what, many ? pl_item(n, i) : n, &v[i]) && ok;
	if (ok)
		*out = (struct list_field){v, count};
	return ok;
}

static bool read_steps(struct load *l, const char *what, const pl_node *n, struct list_field *out)
{
	bool many = pl_kind(n) == PL_LIST, ok = true;
	size_t count = many ? pl_len(n) : 1;
	struct config_use *v = arena_array(l->a, count, sizeof *v);
	for (size_t i = 0; i < count; i++)
		ok = value_use(l, what, true, many ? pl_item(n, i) : n, &v[i]) && ok;
	if (ok)
		*out = (struct list_field){v, count};
	return ok;
}

static bool read_choice(struct load *l, const struct cfg_key *k, const pl_node *n, size_t *index)
{
	pl_str s;
	size_t count = 0;
	if (!value_string(l, k->key, n, &s))
		return false;
	for (; count < sizeof k->choices / sizeof *k->choices && k->choices[count]; count++)
		if (str_eqz(s, k->choices[count])) {
			*index = count;
			return true;
		}
	struct pl_err *e =
		mistake(l, n, "'%s' must be '%s' or '%s', not '%s'", k->key, k->choices[0], k->choices[1], s.p);
	const char *near = str_nearest(s, k->choices, count);
	if (near)
		pl_err_hint(e, "did you mean '%s'?", near);
	return false;
}

static bool read_label(struct load *l, const char *what, const pl_node *n, pl_str *out)
{
	if (!value_string(l, what, n, out))
		return false;
	if (name_ok(*out) && out->n <= 63 && !memchr(out->p, '.', out->n))
		return true;
	struct pl_err *e = mistake(l, n, "'%s' can't be a %s", out->p, what);
	pl_err_hint(e, "lower-case letters, digits and '-', at most 63, a letter or digit at both ends");
	return false;
}

static void read_map(struct load *l, const struct cfg_table *t, pl_str name, const pl_node *map, void *out);

static void set_field(struct load *l, const struct cfg_key *k, const pl_node *n, void *out)
{
	char *field = (char *)out + k->offset;
	size_t choice = 0;
	switch (k->type) {
	case CFG_STR:
		value_string(l, k->key, n, (pl_str *)(void *)field);
		break;
	case CFG_NAME:
		value_name(l, k->key, n, (pl_str *)(void *)field);
		break;
	case CFG_LABEL:
		read_label(l, k->key, n, (pl_str *)(void *)field);
		break;
	case CFG_BOOL:
		value_bool(l, k->key, n, (bool *)(void *)field);
		break;
	case CFG_INT:
		value_int(l, k->key, n, (int64_t *)(void *)field);
		break;
	case CFG_DURATION:
		value_duration(l, k->key, n, (int64_t *)(void *)field);
		break;
	case CFG_FOLDER:
		value_file(l, k->key, n, (pl_str *)(void *)field);
		break;
	case CFG_FOLDERS:
		read_texts(l, k->key, n, value_file, (struct list_field *)(void *)field);
		break;
	case CFG_STRINGS:
		read_texts(l, k->key, n, value_string, (struct list_field *)(void *)field);
		break;
	case CFG_TREE:
		value_tree_path(l, k->key, n, (pl_str *)(void *)field);
		break;
	case CFG_LISTEN:
		value_listen(l, k->key, n, (pl_str *)(void *)field);
		break;
	case CFG_DIGEST:
		value_digest(l, k->key, n, (pl_str *)(void *)field);
		break;
	case CFG_CHOICE:
		if (read_choice(l, k, n, &choice))
			*(pl_str *)(void *)field = str_of(k->choices[choice]);
		break;
	case CFG_DELETION:
		if (read_choice(l, k, n, &choice))
			*(enum deletion *)(void *)field = choice ? DELETION_CASCADE : DELETION_ORPHAN;
		break;
	case CFG_STEPS:
		read_steps(l, k->key, n, (struct list_field *)(void *)field);
		break;
	case CFG_SECTION:
		read_map(l, k->section, (pl_str){NULL, 0}, n, out);
		break;
	case CFG_MANY:
	case CFG_NODE:
		*(const pl_node **)(void *)field = n;
		break;
	case CFG_REFUSED:
		mistake_code(l, PL_EUNSUPPORTED, pl_at(l->doc, n), "%s are not supported by this version", k->help);
		break;
	}
}

static const pl_node *default_node(struct load *l, const struct cfg_key *k)
{
	if (k->type == CFG_BOOL)
		return pl_new_bool(l->scratch, strcmp(k->def, "true") == 0);
	if (k->type == CFG_INT)
		return pl_new_number(l->scratch, str_of(k->def));
	return pl_new_string(l->scratch, str_of(k->def));
}

/* Defaults first: what is wrong or absent keeps them. */
void table_defaults(struct load *l, const struct cfg_table *t, void *out)
{
	for (size_t i = 0; i < t->n; i++) {
		const struct cfg_key *k = &t->keys[i];
		if (k->def)
			set_field(l, k, default_node(l, k), out);
		if (k->type == CFG_SECTION)
			table_defaults(l, k->section, out);
	}
}

static const struct cfg_key *find_key(const struct cfg_table *t, pl_str name)
{
	for (size_t i = 0; i < t->n; i++)
		if (str_eqz(name, t->keys[i].key))
			return &t->keys[i];
	return NULL;
}

static void unknown_key(struct load *l, const struct cfg_table *t, const pl_node *key)
{
	enum { KEYS_MAX = 32 };
	const char *known[KEYS_MAX];
	size_t n = 0;
	for (; n < t->n && n < KEYS_MAX; n++)
		known[n] = t->keys[n].key;
	const char *near = str_nearest(pl_text(key), known, n);
	struct pl_err *e = mistake(l, key, "unknown key '%.*s' in %s", F(pl_text(key)), t->what);
	if (near)
		pl_err_hint(e, "did you mean '%s'?", near);
}

/* A key with nothing behind it is as good as absent, but for what must be there. */
static void read_pair(struct load *l, const struct cfg_table *t, const pl_node *key, const pl_node *value, void *out)
{
	const struct cfg_key *k =
		pl_kind(key) == PL_STRING || pl_kind(key) == PL_BOOL ? find_key(t, pl_text(key)) : NULL;
	if (!k)
		unknown_key(l, t, key);
	else if ((k->flags & CFG_MAIN_ONLY) && l->file->depth)
		mistake(l, key, "'%s' can only stand in the main config file", k->key);
	else if (pl_kind(value) != PL_NULL)
		set_field(l, k, value, out);
}

static void read_missing(struct load *l, const struct cfg_table *t, pl_str name, const pl_node *map)
{
	for (size_t i = 0; i < t->n; i++) {
		const struct cfg_key *k = &t->keys[i];
		int kind = pl_kind(pl_gets(map, k->key));
		if (!(k->flags & CFG_REQUIRED) || (kind >= 0 && kind != PL_NULL))
			continue;
		if (name.n)
			mistake(l, map, "%s '%.*s' needs '%s'", t->what, F(name), k->key);
		else
			mistake(l, map, "%s needs '%s'", t->what, k->key);
	}
}

static void read_map(struct load *l, const struct cfg_table *t, pl_str name, const pl_node *map, void *out)
{
	if (pl_kind(map) != PL_MAP) {
		mistake(l, map, "%s must be a map, not %s", t->what, kind_word(map));
		return;
	}
	for (size_t i = 0; i < pl_len(map); i++)
		read_pair(l, t, pl_key(map, i), pl_value(map, i), out);
	read_missing(l, t, name, map);
}

void table_read(struct load *l, const struct cfg_table *t, pl_str name, const pl_node *map, void *out)
{
	table_defaults(l, t, out);
	read_map(l, t, name, map, out);
}

const char *table_type_name(enum cfg_type type)
{
	static const char *const names[] = {
		[CFG_STR] = "text",	      [CFG_NAME] = "name",	  [CFG_LABEL] = "name",
		[CFG_BOOL] = "true or false", [CFG_INT] = "whole number", [CFG_DURATION] = "duration",
		[CFG_FOLDER] = "folder",      [CFG_FOLDERS] = "folders",  [CFG_STRINGS] = "texts",
		[CFG_TREE] = "path",	      [CFG_LISTEN] = "HOST:PORT", [CFG_CHOICE] = "one of",
		[CFG_DIGEST] = "hex digits",  [CFG_DELETION] = "one of",  [CFG_STEPS] = "plugins",
		[CFG_SECTION] = "map",	      [CFG_MANY] = "map",	  [CFG_NODE] = "name",
		[CFG_REFUSED] = "",
	};
	return names[type];
}
