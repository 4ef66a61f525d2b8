/* SPDX-License-Identifier: Apache-2.0 */
/* JSON Schema for options: every mistake at once, with place and hint; defaults and paths filled in. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/base/buf.h"
#include "core/base/str.h"
#include "core/doc/schema.h"

#define COUNT(a) (sizeof(a) / sizeof(*(a)))

/* The schema is JSON, the value YAML, as options are. */
static pl_node *check(pl_doc *d, const char *schema, const char *value, const char *dir, struct err_list *errors)
{
	struct pl_err e = ERR_INIT;
	pl_node *s, **roots = NULL;
	size_t n = 0;

	if (pl_json_read(d, str_of(schema), "schema", 0, &s, &e) ||
	    pl_yaml_read(d, str_of(value), "f", PL_SCHEMA_YAML11, 0, &roots, &n, &e))
		fail_msg("%s", pl_err_text(&e));
	assert_int_equal(n, 1);
	schema_check(d, s, roots[0], "option", dir, errors);
	return roots[0];
}

static const struct judged {
	const char *schema, *value, *errors; /* one a line */
} judged[] = {
	{"{}", "a: 1", ""},
	{"true", "a: 1", ""},
	{"false", "a: 1", "f:1:1: the value is not allowed\n"},
	/* types */
	{"{\"type\":\"object\"}", "a: 1", ""},
	{"{\"type\":\"object\"}", "[1]", "f:1:1: the value must be a map, not a list\n"},
	{"{\"properties\":{\"a\":{\"type\":\"string\"}}}", "a: 1",
	 "f:1:4: option 'a' must be a string, not a number\n"},
	{"{\"properties\":{\"a\":{\"type\":\"integer\"}}}", "a: 1.5",
	 "f:1:4: option 'a' must be a whole number, not a number\n"},
	{"{\"properties\":{\"a\":{\"type\":\"integer\"}}}", "a: 123456789012345678901", ""},
	{"{\"properties\":{\"a\":{\"type\":\"number\"}}}", "a: 1.5", ""},
	{"{\"properties\":{\"a\":{\"type\":\"boolean\"}}}", "a: maybe",
	 "f:1:4: option 'a' must be true or false, not a string\n"},
	{"{\"properties\":{\"a\":{\"type\":\"null\"}}}", "a:", ""},
	{"{\"properties\":{\"a\":{\"type\":[\"string\",\"array\"]}}}", "a: [x]", ""},
	{"{\"properties\":{\"a\":{\"type\":[\"string\",\"array\"]}}}", "a: {b: c}",
	 "f:1:4: option 'a' must be a string or a list, not a map\n"},
	{"{\"properties\":{\"a\":{\"type\":\"string\"}}}", "a: yes",
	 "f:1:4: option 'a' must be a string, not true or false\n"},
	{"{\"properties\":{\"a\":{\"type\":\"string\",\"minLength\":9}}}",
	 "a:", "f:1:3: option 'a' must be a string, not nothing\n"},
	/* maps */
	{"{\"required\":[\"url\",\"ref\"]}", "a: 1",
	 "f:1:1: option 'url' is missing\nf:1:1: option 'ref' is missing\n"},
	{"{\"properties\":{\"url\":{}},\"additionalProperties\":false}", "ulr: x",
	 "f:1:1: unknown option 'ulr' (did you mean 'url'?)\n"},
	{"{\"properties\":{\"url\":{}},\"additionalProperties\":false}", "quite-different: x",
	 "f:1:1: unknown option 'quite-different'\n"},
	{"{\"properties\":{\"url\":{}},\"additionalProperties\":false}", "url: x\nurll: y",
	 "f:2:1: unknown option 'urll'\n"},
	{"{\"properties\":{\"a\":{}},\"additionalProperties\":{\"type\":\"string\"}}", "a: 1\nb: x\nc: 2",
	 "f:3:4: option 'c' must be a string, not a number\n"},
	{"{\"properties\":{\"a\":{\"properties\":{\"b\":{\"type\":\"string\"}},\"additionalProperties\":false}}}",
	 "a: {b: 1, c: 2}", "f:1:8: option 'a.b' must be a string, not a number\nf:1:11: unknown option 'a.c'\n"},
	/* lists */
	{"{\"properties\":{\"l\":{\"items\":{\"type\":\"string\"}}}}", "l: [a, 1, b, [c]]",
	 "f:1:8: option 'l[1]' must be a string, not a number\nf:1:14: option 'l[3]' must be a string, not a list\n"},
	{"{\"properties\":{\"l\":{\"minItems\":1}}}", "l: []", "f:1:4: option 'l' must not be empty\n"},
	{"{\"properties\":{\"l\":{\"minItems\":2,\"maxItems\":3}}}", "l: [1]",
	 "f:1:4: option 'l' must have at least 2 items\n"},
	{"{\"properties\":{\"l\":{\"maxItems\":1}}}", "l: [1, 2]", "f:1:4: option 'l' must have at most 1 item\n"},
	/* values */
	{"{\"properties\":{\"m\":{\"enum\":[\"auto\",\"manual\",1]}}}", "m: manaul",
	 "f:1:4: option 'm' must be one of 'auto', 'manual', '1' (did you mean 'manual'?)\n"},
	{"{\"properties\":{\"m\":{\"enum\":[\"auto\",1]}}}", "m: 1.0", ""},
	{"{\"properties\":{\"m\":{\"const\":\"v1\"}}}", "m: v2", "f:1:4: option 'm' must be 'v1'\n"},
	{"{\"properties\":{\"m\":{\"const\":{\"a\":1}}}}", "m: {a: 2}",
	 "f:1:4: option 'm' must be the one value that is allowed\n"},
	{"{\"properties\":{\"n\":{\"minimum\":1,\"maximum\":10}}}", "n: 0", "f:1:4: option 'n' must be at least 1\n"},
	{"{\"properties\":{\"n\":{\"minimum\":1,\"maximum\":10}}}", "n: 10.5",
	 "f:1:4: option 'n' must be at most 10\n"},
	{"{\"properties\":{\"n\":{\"minimum\":9007199254740993}}}", "n: 9007199254740992",
	 "f:1:4: option 'n' must be at least 9007199254740993\n"},
	{"{\"properties\":{\"s\":{\"minLength\":1}}}", "s: ''", "f:1:4: option 's' must not be empty\n"},
	{"{\"properties\":{\"s\":{\"minLength\":3,\"maxLength\":3}}}", "s: \xc3\xa9\xc3\xa9\xc3\xa9", ""},
	{"{\"properties\":{\"s\":{\"maxLength\":2}}}", "s: abc", "f:1:4: option 's' must have at most 2 characters\n"},
	{"{\"properties\":{\"s\":{\"pattern\":\"^[a-z]+$\"}}}", "s: abc", ""},
	{"{\"properties\":{\"s\":{\"pattern\":\"^[a-z]+$\"}}}", "s: hunter2",
	 "f:1:4: option 's' must match '^[a-z]+$'\n"},
	{"{\"properties\":{\"s\":{\"pattern\":\"^a\"}}}", "s: \"a\\0\"", "f:1:4: option 's' must match '^a'\n"},
	/* formats */
	{"{\"properties\":{\"t\":{\"format\":\"duration\"}}}", "t: 1h30m", ""},
	{"{\"properties\":{\"t\":{\"format\":\"duration\"}}}", "t: 30", ""},
	{"{\"properties\":{\"t\":{\"format\":\"duration\"}}}", "t: soon",
	 "f:1:4: option 't' must be a duration (write it like 30s, 3m or 1h30m)\n"},
	{"{\"properties\":{\"u\":{\"format\":\"uri\"}}}", "u: https://example.org/x", ""},
	{"{\"properties\":{\"u\":{\"format\":\"uri\"}}}", "u: example.org",
	 "f:1:4: option 'u' must be a URI, like https://example.org/\n"},
	{"{\"properties\":{\"u\":{\"format\":\"uri\"}}}", "u: 'http://a b'",
	 "f:1:4: option 'u' must be a URI, like https://example.org/\n"},
	{"{\"properties\":{\"p\":{\"format\":\"path\"}}}", "p: ''", "f:1:4: option 'p' must be a path\n"},
	/* choices */
	{"{\"properties\":{\"x\":{\"oneOf\":[{\"type\":\"string\"},{\"type\":\"number\"}]}}}", "x: 1", ""},
	{"{\"properties\":{\"x\":{\"oneOf\":[{\"type\":\"number\"},{\"minimum\":0}]}}}", "x: 1",
	 "f:1:4: option 'x' fits 2 of the forms it may have, only one is allowed\n"},
	{"{\"properties\":{\"x\":{\"anyOf\":[{\"type\":\"number\"},{\"minimum\":0}]}}}", "x: 1", ""},
	{"{\"properties\":{\"x\":{\"anyOf\":[{\"type\":\"string\"},{\"type\":\"number\"}]}}}", "x: [1]",
	 "f:1:4: option 'x' has none of the forms it may have\n"},
	{"{\"properties\":{\"x\":{\"oneOf\":[{\"type\":\"string\"},{\"type\":\"object\",\"properties\":{\"file\":{}},"
	 "\"additionalProperties\":false}]}}}",
	 "x: {flie: a}", "f:1:5: unknown option 'x.flie' (did you mean 'file'?)\n"},
	{"{\"properties\":{\"x\":{\"allOf\":[{\"type\":\"string\"},{\"minLength\":2}]}}}", "x: a",
	 "f:1:4: option 'x' must have at least 2 characters\n"},
	/* everything at once */
	{"{\"type\":\"object\",\"required\":[\"url\"],\"additionalProperties\":false,\"properties\":{\"url\":{},\"n\":{"
	 "\"type\":\"integer\"},\"l\":{\"items\":{\"type\":\"string\"}}}}",
	 "ulr: x\nn: many\nl: [1]\n",
	 "f:1:1: option 'url' is missing\nf:1:1: unknown option 'ulr' (did you mean 'url'?)\n"
	 "f:2:4: option 'n' must be a whole number, not a string\nf:3:5: option 'l[0]' must be a string, not a "
	 "number\n"},
	/* the schema's own mistakes */
	{"{\"tpye\":\"object\"}", "a: 1", "schema:1:2: schema has the unknown keyword 'tpye'\n"},
	{"{\"properties\":{\"b\":{\"patternProperties\":{}}}}", "a: 1",
	 "schema:1:21: schema has the unknown keyword 'patternProperties'\n"},
	{"{\"type\":\"map\"}", "a: 1",
	 "schema:1:9: the schema's keyword 'type' takes the name of a type or a list of such names\n"},
	{"{\"minLength\":-1,\"pattern\":\"(\"}", "a: 1",
	 "schema:1:14: the schema's keyword 'minLength' takes a whole number from 0 on\n"
	 "schema:1:27: the schema's keyword 'pattern' takes a POSIX extended regular expression\n"},
	{"{\"format\":\"colour\"}", "a: 1",
	 "schema:1:11: the schema's keyword 'format' takes 'path', 'duration' or 'uri'\n"},
	{"{\"anyOf\":[]}", "a: 1", "schema:1:10: the schema's keyword 'anyOf' takes a list of schemas\n"},
	{"{\"properties\":{\"a\":3}}", "a: 1", "schema:1:20: a schema is a map or a boolean\n"},
	{"[]", "a: 1", "schema:1:1: a schema is a map or a boolean\n"},
};

static void values_are_judged_with_every_mistake_told(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(judged); i++) {
		struct err_list errors = {0};
		struct buf got = BUF_INIT(1 << 16);
		pl_doc *d = pl_doc_new(NULL);

		check(d, judged[i].schema, judged[i].value, NULL, &errors);
		for (size_t k = 0; k < errors.n; k++)
			buf_addf(&got, "%s\n", pl_err_text(&errors.v[k]));
		/* the order of mistakes is the schema's */
		if (strcmp(got.n ? got.p : "", judged[i].errors))
			fail_msg("%s\n%s\ngot:\n%.*swanted:\n%s", judged[i].schema, judged[i].value, F(buf_str(&got)),
				 judged[i].errors);
		buf_free(&got);
		err_list_free(&errors);
		pl_doc_unref(d);
	}
}

static const struct filled {
	const char *schema, *value, *dir, *json;
} filled[] = {
	{"{\"properties\":{\"n\":{\"default\":5},\"m\":{\"default\":{\"x\":[1]}},\"o\":{}}}", "a: 1", NULL,
	 "{\"a\":1,\"n\":5,\"m\":{\"x\":[1]}}"},
	{"{\"properties\":{\"n\":{\"default\":5}}}", "n: 6", NULL, "{\"n\":6}"},
	{"{\"properties\":{\"a\":{\"properties\":{\"b\":{\"default\":true}}}}}", "a: {}", NULL, "{\"a\":{\"b\":true}}"},
	{"{\"properties\":{\"a\":{\"properties\":{\"b\":{\"default\":true}}}}}", "{}", NULL, "{}"},
	{"{\"properties\":{\"a\":{\"default\":{},\"properties\":{\"b\":{\"default\":true}}}}}", "{}", NULL,
	 "{\"a\":{\"b\":true}}"},
	{"{\"properties\":{\"l\":{\"items\":{\"properties\":{\"b\":{\"default\":1}}}}}}", "l: [{}, {b: 2}]", NULL,
	 "{\"l\":[{\"b\":1},{\"b\":2}]}"},
	/* only the form that fits fills in */
	{"{\"oneOf\":[{\"required\":[\"a\"],\"properties\":{\"x\":{\"default\":1}}},{\"required\":[\"b\"],"
	 "\"properties\":{"
	 "\"y\":{\"default\":2}}}]}",
	 "b: 0", NULL, "{\"b\":0,\"y\":2}"},
	{"{\"properties\":{\"p\":{\"format\":\"path\"}}}", "p: keys/id", "/etc/plumb",
	 "{\"p\":\"/etc/plumb/keys/id\"}"},
	{"{\"properties\":{\"p\":{\"format\":\"path\"}}}", "p: /keys/id", "/etc/plumb", "{\"p\":\"/keys/id\"}"},
	{"{\"properties\":{\"p\":{\"format\":\"path\"}}}", "p: keys/id", NULL, "{\"p\":\"keys/id\"}"},
	{"{\"properties\":{\"p\":{\"format\":\"path\",\"default\":\"id\"}}}", "{}", "/etc", "{\"p\":\"/etc/id\"}"},
	{"{\"properties\":{\"p\":{\"oneOf\":[{\"type\":\"string\",\"format\":\"path\"},{\"type\":\"array\"}]}}}",
	 "p: id", "/etc", "{\"p\":\"/etc/id\"}"},
	{"{\"additionalProperties\":{\"format\":\"path\"}}", "p: id", "/etc", "{\"p\":\"/etc/id\"}"},
};

static void defaults_and_paths_are_filled_in(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(filled); i++) {
		struct err_list errors = {0};
		pl_doc *d = pl_doc_new(NULL);
		pl_node *value = check(d, filled[i].schema, filled[i].value, filled[i].dir, &errors);
		char *json;
		size_t n;

		if (errors.n)
			fail_msg("%s", pl_err_text(&errors.v[0]));
		assert_int_equal(pl_json_write(value, 0, &json, &n, NULL), PL_OK);
		assert_string_equal(json, filled[i].json);
		pl_free(json);
		pl_doc_unref(d);
	}
}

static void more_mistakes_than_are_shown_are_counted(void **state)
{
	struct err_list errors = {.max = 3};
	pl_doc *d = pl_doc_new(NULL);

	(void)state;
	check(d, "{\"items\":{\"type\":\"string\"}}", "[1, 2, 3, 4, 5, 6]", NULL, &errors);
	assert_int_equal(errors.n, 3);
	assert_int_equal(errors.more, 3);
	err_list_free(&errors);
	pl_doc_unref(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_are_judged_with_every_mistake_told),
		cmocka_unit_test(defaults_and_paths_are_filled_in),
		cmocka_unit_test(more_mistakes_than_are_shown_are_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
