/* SPDX-License-Identifier: Apache-2.0 */
/* The reader that the tables drive. */
#include "core/config/table.h"

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
