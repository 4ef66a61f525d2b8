/* SPDX-License-Identifier: Apache-2.0 */
#include "core/doc/schema_rules.h"

#include "core/base/str.h"

#include <regex.h>

enum takes {
	TAKES_ANY,
	TAKES_TYPES,   /* a type's name or a list of them */
	TAKES_SCHEMA,  /* a map or a boolean */
	TAKES_SCHEMAS, /* a list of schemas */
	TAKES_NAMED,   /* a map of schemas */
	TAKES_STRINGS, /* a list of strings */
	TAKES_LIST,    /* a list that is not empty */
	TAKES_NUMBER,
	TAKES_COUNT, /* a whole number from 0 on */
	TAKES_REGEX,
	TAKES_TEXT,
	TAKES_FORMAT
};

static const struct keyword {
	const char *name;
	enum takes takes;
	const char *wants;
} keywords[SCHEMA_KEYWORDS] = {
	[SCHEMA_TYPE] = {"type", TAKES_TYPES, "the name of a type or a list of such names"},
	[SCHEMA_PROPERTIES] = {"properties", TAKES_NAMED, "a map of schemas"},
	[SCHEMA_REQUIRED] = {"required", TAKES_STRINGS, "a list of names"},
	[SCHEMA_ADDITIONAL_PROPERTIES] = {"additionalProperties", TAKES_SCHEMA, "a schema or a boolean"},
	[SCHEMA_ITEMS] = {"items", TAKES_SCHEMA, "a schema or a boolean"},
	[SCHEMA_ENUM] = {"enum", TAKES_LIST, "a list of values"},
	[SCHEMA_CONST] = {"const", TAKES_ANY, NULL},
	[SCHEMA_DEFAULT] = {"default", TAKES_ANY, NULL},
	[SCHEMA_MINIMUM] = {"minimum", TAKES_NUMBER, "a number"},
	[SCHEMA_MAXIMUM] = {"maximum", TAKES_NUMBER, "a number"},
	[SCHEMA_MIN_LENGTH] = {"minLength", TAKES_COUNT, "a whole number from 0 on"},
	[SCHEMA_MAX_LENGTH] = {"maxLength", TAKES_COUNT, "a whole number from 0 on"},
	[SCHEMA_MIN_ITEMS] = {"minItems", TAKES_COUNT, "a whole number from 0 on"},
	[SCHEMA_MAX_ITEMS] = {"maxItems", TAKES_COUNT, "a whole number from 0 on"},
	[SCHEMA_PATTERN] = {"pattern", TAKES_REGEX, "a POSIX extended regular expression"},
	[SCHEMA_ONE_OF] = {"oneOf", TAKES_SCHEMAS, "a list of schemas"},
	[SCHEMA_ANY_OF] = {"anyOf", TAKES_SCHEMAS, "a list of schemas"},
	[SCHEMA_ALL_OF] = {"allOf", TAKES_SCHEMAS, "a list of schemas"},
	[SCHEMA_DESCRIPTION] = {"description", TAKES_TEXT, "a string"},
	[SCHEMA_FORMAT] = {"format", TAKES_FORMAT, "'path', 'duration' or 'uri'"},
};

enum schema_keyword schema_keyword_of(pl_str name)
{
	enum schema_keyword k = 0;

	while (k < SCHEMA_KEYWORDS && !str_eqz(name, keywords[k].name))
		k++;
	return k;
}

int schema_has_type(const pl_node *value, pl_str type)
{
	static const struct {
		const char *name;
		int kind;
	} types[] = {{"null", PL_NULL},	    {"boolean", PL_BOOL}, {"integer", PL_NUMBER}, {"number", PL_NUMBER},
		     {"string", PL_STRING}, {"array", PL_LIST},	  {"object", PL_MAP}};
	int64_t whole;

	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++)
		if (str_eqz(type, types[i].name))
			return pl_kind(value) == types[i].kind &&
			       (!str_eqz(type, "integer") || pl_int(value, &whole) != PL_EINVAL);
	return -1;
}

static bool is_list_of(const pl_node *n, bool (*fits)(const pl_node *))
{
	if (pl_kind(n) != PL_LIST)
		return false;
	for (size_t i = 0; i < pl_len(n); i++)
		if (!fits(pl_item(n, i)))
			return false;
	return pl_len(n) > 0;
}

static bool is_string(const pl_node *n)
{
	return pl_kind(n) == PL_STRING;
}

static bool is_type(const pl_node *n)
{
	return is_string(n) && schema_has_type(NULL, pl_text(n)) >= 0;
}

static bool is_regex(const pl_node *n)
{
	char *text = is_string(n) ? str_dup(pl_text(n)) : NULL;
	regex_t re;
	bool good = text && !regcomp(&re, text, REG_EXTENDED | REG_NOSUB);

	if (good)
		regfree(&re);
	free(text);
	return good;
}

static bool is_count(const pl_node *n)
{
	int64_t v;

	return pl_kind(n) == PL_NUMBER && !pl_int(n, &v) && v >= 0;
}

static bool is_schema(const pl_node *n)
{
	return pl_kind(n) == PL_MAP || pl_kind(n) == PL_BOOL;
}

static bool is_format(const pl_node *n)
{
	return is_string(n) &&
	       (str_eqz(pl_text(n), "path") || str_eqz(pl_text(n), "duration") || str_eqz(pl_text(n), "uri"));
}

static bool fits(const pl_node *arg, enum takes takes)
{
	switch (takes) {
	case TAKES_TYPES:
		return is_type(arg) || is_list_of(arg, is_type);
	case TAKES_SCHEMA:
		return is_schema(arg);
	case TAKES_SCHEMAS:
		return is_list_of(arg, is_schema);
	case TAKES_NAMED:
		return pl_kind(arg) == PL_MAP;
	case TAKES_STRINGS:
		return pl_kind(arg) == PL_LIST && (pl_len(arg) == 0 || is_list_of(arg, is_string));
	case TAKES_LIST:
		return pl_kind(arg) == PL_LIST && pl_len(arg) > 0;
	case TAKES_NUMBER:
		return pl_kind(arg) == PL_NUMBER;
	case TAKES_COUNT:
		return is_count(arg);
	case TAKES_REGEX:
		return is_regex(arg);
	case TAKES_TEXT:
		return is_string(arg);
	case TAKES_FORMAT:
		return is_format(arg);
	default:
		return true;
	}
}

static bool verify_keyword(const pl_doc *d, const pl_node *key, const pl_node *arg, struct err_list *errors)
{
	enum schema_keyword k = schema_keyword_of(pl_text(key));
	bool good = true;

	if (k == SCHEMA_KEYWORDS) {
		pl_err_set(err_list_add(errors), PL_EINVAL, pl_at(d, key), "schema has the unknown keyword '%.*s'",
			   F(pl_text(key)));
		return false;
	}
	if (!fits(arg, keywords[k].takes)) {
		pl_err_set(err_list_add(errors), PL_EINVAL, pl_at(d, arg), "the schema's keyword '%s' takes %s",
			   keywords[k].name, keywords[k].wants);
		return false;
	}
	if (keywords[k].takes == TAKES_SCHEMA)
		return schema_verify(d, arg, errors);
	if (keywords[k].takes == TAKES_SCHEMAS)
		for (size_t i = 0; i < pl_len(arg); i++)
			good &= schema_verify(d, pl_item(arg, i), errors);
	if (keywords[k].takes == TAKES_NAMED)
		for (size_t i = 0; i < pl_len(arg); i++)
			good &= schema_verify(d, pl_value(arg, i), errors);
	return good;
}

bool schema_verify(const pl_doc *d, const pl_node *schema, struct err_list *errors)
{
	bool good = true;

	if (!is_schema(schema)) {
		pl_err_set(err_list_add(errors), PL_EINVAL, pl_at(d, schema), "a schema is a map or a boolean");
		return false;
	}
	for (size_t i = 0; pl_kind(schema) == PL_MAP && i < pl_len(schema); i++)
		good &= verify_keyword(d, pl_key(schema, i), pl_value(schema, i), errors);
	return good;
}
