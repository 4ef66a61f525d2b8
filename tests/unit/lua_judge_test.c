/* SPDX-License-Identifier: Apache-2.0 */
/* What a script may return, what it can reach, and how it is stopped. */
#include "core/lua/script.h"

#include "core/base/file.h"
#include "core/base/mem.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <unistd.h>

#include <cmocka.h>

enum { NONE = PL_HEALTH_NONE };

struct fix {
	struct worker *w;
	struct arena *a;
	struct pl_err e;
	char dir[64];
	int files;
};

static int setup(void **state)
{
	struct fix *f = mem_zalloc(sizeof(*f));
	size_t n;
	const struct worker_job *jobs = script_jobs(&n);

	f->w = worker_start(jobs, n, &f->e);
	assert_non_null(f->w);
	f->a = arena_new();
	snprintf(f->dir, sizeof(f->dir), "/tmp/lua-test-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fix *f = *state;

	worker_stop(f->w);
	file_remove_tree(f->dir, &f->e);
	err_clear(&f->e);
	arena_free(f->a);
	free(f);
	return 0;
}

static const char *write_script(struct fix *f, const char *name, pl_str text)
{
	pl_str path = arena_printf(f->a, "%s/%s", f->dir, name);

	assert_int_equal(file_write(path.p, text, 0644, &f->e), PL_OK);
	return path.p;
}

static struct script_verdict judge_with(struct fix *f, pl_str script, const char *object, const struct script_limits *l)
{
	char name[32];

	snprintf(name, sizeof(name), "script-%d.lua", f->files++);

	struct script_case c = {.path = write_script(f, name, script), .object = str_of(object)};

	if (scripts_judge(f->w, &c, 1, l, NULL, f->a, &f->e) != PL_OK)
		fail_msg("%s", pl_err_text(&f->e));
	return c.out;
}

static struct script_verdict judge(struct fix *f, const char *script, const char *object)
{
	return judge_with(f, str_of(script), object, NULL);
}

static void assert_verdict(struct script_verdict v, const char *script, uint32_t health, const char *message)
{
	if (v.none != (health == NONE) || v.health != health || !str_eqz(v.message, message))
		fail_msg("%s\n  gave %u '%.*s'\n  not  %u '%s'", script, v.health, F(v.message), health, message);
}

static void assert_says(struct script_verdict v, const char *part)
{
	char *text = str_dup(v.message);

	assert_int_equal(v.health, PL_UNKNOWN);
	assert_false(v.none);
	if (!strstr(text, part))
		fail_msg("'%s' does not say '%s'", text, part);
	free(text);
}

/* ---- results ---- */

static void results_mean_what_the_page_says(void **state)
{
	struct fix *f = *state;
	static const struct {
		const char *script;
		uint32_t health;
		const char *message;
	} cases[] = {
		{"", NONE, ""},
		{"return", NONE, ""},
		{"return nil", NONE, ""},
		{"return {}", NONE, ""},
		{"return {status='Healthy'}", PL_HEALTHY, ""},
		{"return {status='Suspended', message='m'}", PL_SUSPENDED, "m"},
		{"return {status='Progressing', message='m'}", PL_PROGRESSING, "m"},
		{"return {status='Missing', message='m'}", PL_MISSING, "m"},
		{"return {status='Degraded', message='m'}", PL_DEGRADED, "m"},
		{"return {status='Unknown', message='m'}", PL_UNKNOWN, "m"},
		{"return {status='healthy', message='m'}", PL_UNKNOWN, "Lua returned an invalid health status"},
		{"return {status='', message='m'}", PL_UNKNOWN, "Lua returned an invalid health status"},
		{"return {message='m'}", PL_UNKNOWN, "Lua returned an invalid health status"},
		{"return {1, 2}", PL_UNKNOWN, "Lua returned an invalid health status"},
		{"return {status='Healthy', extra={1}}", PL_HEALTHY, ""},
		{"return {status='Healthy', message=4}", NONE, ""},
		{"return {status=4}", NONE, ""},
		{"return {status=true, message='m'}", NONE, ""},
		{"return {message={}}", NONE, ""},
		{"return 'Healthy', {status='Degraded', message='the last counts'}", PL_DEGRADED, "the last counts"},
		{"return 4", PL_UNKNOWN, "expect table output from Lua script, not number"},
		{"return 'Healthy'", PL_UNKNOWN, "expect table output from Lua script, not string"},
		{"return false", PL_UNKNOWN, "expect table output from Lua script, not boolean"},
		{"return pairs", PL_UNKNOWN, "expect table output from Lua script, not function"},
		{"return setmetatable({}, {__index=function() error('no') end})", NONE, ""},
		{"return setmetatable({message='m'}, {__index=function() while true do end end})", PL_UNKNOWN,
		 "Lua returned an invalid health status"},
		{"return {status='Healthy', message='a\\xffb\\xe2\\x82'}", PL_HEALTHY,
		 "a\xef\xbf\xbd"
		 "b\xef\xbf\xbd\xef\xbf\xbd"},
		{"return {status='Healthy', message='gr\xc3\xbc\xc3\x9f'}", PL_HEALTHY, "gr\xc3\xbc\xc3\x9f"},
		{"\xef\xbb\xbfreturn {status='Healthy', message='after a byte order mark'}", PL_HEALTHY,
		 "after a byte order mark"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		assert_verdict(judge(f, cases[i].script, "{}"), cases[i].script, cases[i].health, cases[i].message);
}

static void a_long_message_is_cut(void **state)
{
	struct fix *f = *state;
	struct script_verdict v = judge(f, "return {status='Healthy', message=string.rep('\xc3\xbc', 100000)}", "{}");

	assert_int_equal(v.health, PL_HEALTHY);
	assert_in_range(v.message.n, 32000, 33000);
	assert_true(str_utf8(v.message));
	assert_true(str_ends(v.message, S("\xc3\xbc…")));
}

/* ---- values ---- */

static void values_arrive_as_documented(void **state)
{
	struct fix *f = *state;
	static const struct {
		const char *object, *expression, *want;
	} cases[] = {
		{"{\"n\":3}", "obj.n", "3"},
		{"{\"n\":3.0}", "obj.n + 1", "4"},
		{"{\"n\":1e3}", "obj.n", "1000"},
		{"{\"n\":2.5}", "obj.n", "2.5"},
		{"{\"n\":-7}", "obj.n", "-7"},
		{"{\"n\":9007199254740993}", "obj.n", "9007199254740993"},
		{"{\"n\":1e300}", "obj.n", "1e+300"},
		{"{\"n\":\"3\"}", "type(obj.n)", "string"},
		{"{\"n\":true}", "obj.n", "true"},
		{"{\"n\":null}", "obj.n", "nil"},
		{"{\"n\":null,\"m\":1}", "next(obj)", "m"},
		{"{\"l\":[null,1,null,2,null]}", "#obj.l .. obj.l[1] .. obj.l[2]", "212"},
		{"{\"l\":[]}", "#obj.l", "0"},
		{"{\"l\":[[],{}]}", "#obj.l", "2"},
		{"{\"s\":\"a\\u0000b\"}", "#obj.s", "3"},
		{"{\"s\":\"\\u00fc\"}", "#obj.s", "2"},
		{"{\"a\":{\"b\":{\"c\":\"deep\"}}}", "obj.a.b.c", "deep"},
		{"{\"\":1}", "obj['']", "1"},
		{"{}", "type(actionParams)", "table"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		pl_str script =
			arena_printf(f->a, "return {status='Healthy', message=tostring(%s)}", cases[i].expression);

		assert_verdict(judge(f, script.p, cases[i].object), script.p, PL_HEALTHY, cases[i].want);
	}
}

static void deep_and_large_objects_fit(void **state)
{
	struct fix *f = *state;
	struct buf json = BUF_INIT(64 << 20);

	buf_addz(&json, "{\"deep\":");
	buf_addn(&json, '[', 400);
	buf_addn(&json, ']', 400);
	buf_addz(&json, ",\"list\":[");
	for (int i = 0; i < 100000; i++)
		buf_addf(&json, "%s{\"name\":\"item-%d\",\"value\":{\"number\":%d,\"text\":\"%s\"}}", i ? "," : "", i,
			 i, "some text that makes it as long as objects are");
	buf_addz(&json, "]}");
	assert_true(json.n > 9000000);

	struct script_case c = {.path = write_script(f, "large.lua",
						     S("return {status='Healthy', message=#obj.list .. "
						       "obj.list[100000].value.number}")),
				.object = buf_str(&json)};

	assert_int_equal(scripts_judge(f->w, &c, 1, &(struct script_limits){.wall_ms = 20000}, NULL, f->a, &f->e),
			 PL_OK);
	assert_verdict(c.out, "large", PL_HEALTHY, "10000099999");
	buf_free(&json);
}

static void an_object_that_is_no_json_is_told(void **state)
{
	struct fix *f = *state;

	assert_says(judge(f, "return {status='Healthy'}", "{\"a\":"), "object:1:");
}

/* ---- sandbox ---- */

static void what_is_closed_stays_closed(void **state)
{
	struct fix *f = *state;
	static const char *const closed[] = {
		"io",	     "debug",	  "package",	"dofile",	"loadfile",    "collectgarbage",
		"print",     "warn",	  "coroutine",	"os.execute",	"os.exit",     "os.getenv",
		"os.remove", "os.rename", "os.tmpname", "os.setlocale", "string.dump", "('').dump",
		"getfenv",   "setfenv",	  "newproxy",	"module",
	};

	for (size_t i = 0; i < sizeof(closed) / sizeof(*closed); i++) {
		pl_str script = arena_printf(f->a, "return {status='Healthy', message=tostring(%s)}", closed[i]);

		assert_verdict(judge(f, script.p, "{}"), script.p, PL_HEALTHY, "nil");
	}
	assert_says(judge(f, "require('io')", "{}"), "module 'io' is not available to scripts");
	assert_says(judge(f, "require('_G')", "{}"), "module '_G' is not available to scripts");
	assert_says(judge(f, "setmetatable({}, {__gc=function() end})", "{}"), "__gc is not available");
	assert_says(judge(f, "setmetatable(getmetatable(''), 4)", "{}"), "nil or table expected");
}

static void what_is_open_works(void **state)
{
	struct fix *f = *state;
	static const struct {
		const char *expression, *want;
	} cases[] = {
		{"table.getn({1,2})", "2"},
		{"table.maxn({1,2,[7]=1})", "7"},
		{"table.maxn({[2.5]=1})", "2.5"},
		{"select('#', unpack({1,2,3}))", "3"},
		{"math.pow(2, 3)", "8.0"},
		{"math.mod(7, 4)", "3"},
		{"math.log10(1000)", "3.0"},
		{"string.gfind('abc', 'b')()", "b"},
		{"loadstring('return 40 + 2')()", "42"},
		{"load(function() return nil end)", "function"},
		{"load('return x', 'n', 't', {x=5})()", "5"},
		{"load('return (')", "nil"},
		{"select(2, load('return (', '=n'))", "n:1: unexpected symbol near <eof>"},
		{"select(2, load('x', 'n', 'b'))", "only text chunks can be loaded"},
		{"load('\\27Lua')", "nil"},
		{"load('\\27Lua', 'n', 'bt')", "nil"},
		{"require('os').date('!%Y-%m-%d', 0)", "1970-01-01"},
		{"require('string') == string", "true"},
		{"('abc'):upper()", "ABC"},
		{"utf8.char(252)", "\xc3\xbc"},
		{"os.time() > 0", "true"},
		{"os.clock() >= 0", "true"},
		{"_G.obj == obj", "true"},
		{"getmetatable(setmetatable({}, {__metatable='m'}))", "m"},
		{"setmetatable({}, nil) ~= nil", "true"},
		{"pcall(setmetatable, setmetatable({}, {__metatable=1}), {})", "false"},
		{"10 // 3", "3"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		pl_str script = arena_printf(f->a,
					     "local v = %s if type(v) == 'function' then v = 'function' end "
					     "return {status='Healthy', message=tostring(v)}",
					     cases[i].expression);

		assert_verdict(judge(f, script.p, "{}"), script.p, PL_HEALTHY, cases[i].want);
	}
}

static void binary_scripts_are_refused(void **state)
{
	struct fix *f = *state;

	assert_says(judge_with(f, S("\33Lua\x54\0\x19\x93"), "{}", NULL), "attempt to load a binary chunk");
}

static void scripts_leave_nothing_behind(void **state)
{
	struct fix *f = *state;
	const char *path =
		write_script(f, "leaks.lua",
			     S("leaked = (leaked or 0) + 1 string.leaked = (string.leaked or 0) + 1 "
			       "getmetatable('').n = (getmetatable('').n or 0) + 1 "
			       "return {status='Healthy', message=leaked .. string.leaked .. getmetatable('').n}"));
	struct script_case cases[3];

	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < 3; i++)
			cases[i] = (struct script_case){.path = path, .object = S("{}")};
		assert_int_equal(scripts_judge(f->w, cases, 3, NULL, NULL, f->a, &f->e), PL_OK);
		for (int i = 0; i < 3; i++)
			assert_verdict(cases[i].out, path, PL_HEALTHY, "111");
	}
}

/* ---- errors ---- */

static void errors_name_script_line_and_way(void **state)
{
	struct fix *f = *state;
	struct script_verdict v = judge(f, "local function inner()\n  return obj.a.b\nend\ninner()\n", "{}");

	assert_says(v, ".lua:2: attempt to index a nil value (field 'a')");
	assert_says(v, "stack traceback:");
	assert_says(v, ".lua:4: in main chunk");
	assert_says(judge(f, "x = 1\nreturn { status = ", "{}"), ".lua:2: unexpected symbol near <eof>");
	assert_says(judge(f, "error({code = 7})", "{}"), "(the error is a table)");
	assert_says(judge(f, "error(setmetatable({}, {__tostring = function() return 'own text' end}))", "{}"),
		    "own text");
	assert_says(judge(f, "error()", "{}"), "(the error is a nil)");
	assert_says(judge(f, "error('deliberate')", "{}"), ".lua:1: deliberate");

	struct script_case absent = {.path = "/nowhere/apps/Thing/health.lua", .object = S("{}")};

	assert_int_equal(scripts_judge(f->w, &absent, 1, NULL, NULL, f->a, &f->e), PL_OK);
	assert_says(absent.out, "'/nowhere/apps/Thing/health.lua'");
}

static void a_script_too_long_is_refused(void **state)
{
	struct fix *f = *state;
	struct buf text = BUF_INIT(4 << 20);

	buf_addn(&text, ' ', 2 << 20);

	struct script_verdict v = judge_with(f, buf_str(&text), "{}", NULL);

	assert_int_equal(v.health, PL_UNKNOWN);
	assert_true(v.message.n > 0);
	buf_free(&text);
}

/* ---- limits ---- */

#define STUCK "string.find(string.rep('a', 300), string.rep('a-', 20) .. 'b')"

static void endless_scripts_are_stopped(void **state)
{
	struct fix *f = *state;
	static const struct script_limits brief = {.wall_ms = 50};
	static const char *const endless[] = {
		"while true do end",
		"while true do pcall(function() while true do end end) end",
		"local function f() return xpcall(f, f) end while true do f() end",
		"while true do pcall(string.rep) end",
		"repeat local t = setmetatable({}, {__index = function(t, k) return t[k .. 'x'] end}) until "
		"pcall(function() "
		"return t.x end)",
		"error(setmetatable({}, {__tostring = function() while true do end end}))",
		"load(function() while true do end end)",
	};

	for (size_t i = 0; i < sizeof(endless) / sizeof(*endless); i++)
		assert_says(judge_with(f, str_of(endless[i]), "{}", &brief), "");
	assert_says(judge_with(f, S("while true do end"), "{}", &brief), "the script ran longer than 50 ms");
	assert_says(judge_with(f, S("::a:: goto a"), "{}", &brief), "the script ran longer than 50 ms");
}

static void a_script_stuck_in_c_is_killed(void **state)
{
	struct fix *f = *state;
	static const struct script_limits brief = {.wall_ms = 50};

	assert_says(judge_with(f, S("return " STUCK), "{}", &brief), "was killed");
	assert_says(judge_with(f, S("table.move({}, 1, 1 << 60, 2)"), "{}", &brief), "");
}

static void memory_is_bounded_beyond_the_object(void **state)
{
	struct fix *f = *state;
	static const struct script_limits patient = {.wall_ms = 20000, .memory = 1 << 20};

	assert_says(judge_with(f, S("local t = {} while true do t[#t + 1] = string.rep('x', 65536) .. #t end"), "{}",
			       &patient),
		    "the script ran out of memory (its limit is 1024 KiB beyond its object)");
	assert_says(judge_with(f, S("return string.rep('x', 1 << 40)"), "{}", &patient), "");
	assert_says(judge_with(f, S("local function f(n) return 1 + f(n + 1) end return f(1)"), "{}", &patient), "");
	assert_verdict(judge_with(f,
				  S("local ok = pcall(string.rep, 'x', 1 << 24) return {status = ok and 'Degraded' or "
				    "'Healthy', message = 'caught'}"),
				  "{}", &patient),
		       "pcall", PL_HEALTHY, "caught");
}

static void only_the_bad_ones_of_a_batch_fail(void **state)
{
	struct fix *f = *state;
	static const struct script_limits brief = {.wall_ms = 100};
	const char *good = write_script(f, "good.lua", S("return {status='Healthy', message=obj.n}"));
	const char *stuck = write_script(f, "stuck.lua", S("return " STUCK));
	const char *loop = write_script(f, "loop.lua", S("while true do end"));
	const char *wrong = write_script(f, "wrong.lua", S("return obj.a.b"));
	enum { N = 150 };
	struct script_case cases[N];

	for (int i = 0; i < N; i++) {
		const char *path = i == 0 || i == 70 || i == 71 || i == N - 1 ? stuck
				   : i == 20				      ? loop
				   : i == 30				      ? wrong
									      : good;

		cases[i] = (struct script_case){.path = path, .object = arena_printf(f->a, "{\"n\":\"number %d\"}", i)};
	}
	assert_int_equal(scripts_judge(f->w, cases, N, &brief, NULL, f->a, &f->e), PL_OK);
	for (int i = 0; i < N; i++) {
		if (cases[i].path == stuck)
			assert_says(cases[i].out, "was killed");
		else if (cases[i].path == loop)
			assert_says(cases[i].out, "longer than 100 ms");
		else if (cases[i].path == wrong)
			assert_says(cases[i].out, "attempt to index");
		else
			assert_verdict(cases[i].out, "good", PL_HEALTHY, arena_printf(f->a, "number %d", i).p);
	}
}

static void nothing_to_judge_is_fine(void **state)
{
	struct fix *f = *state;

	assert_int_equal(scripts_judge(f->w, NULL, 0, NULL, NULL, f->a, &f->e), PL_OK);
}

static void a_cancel_is_an_error_not_a_verdict(void **state)
{
	struct fix *f = *state;
	struct script_case c = {.path = write_script(f, "good.lua", S("return {}")), .object = S("{}")};
	struct cancel *cancel = cancel_new();

	cancel_fire(cancel);
	assert_int_equal(scripts_judge(f->w, &c, 1, NULL, cancel, f->a, &f->e), PL_ECANCELLED);
	assert_non_null(strstr(pl_err_text(&f->e), "health scripts: "));
	cancel_unref(cancel);
}

/* ---- the cache ---- */

static void a_changed_script_is_read_again(void **state)
{
	struct fix *f = *state;

	for (int i = 0; i < 5; i++) {
		pl_str text = arena_printf(f->a, "return {status='Healthy', message='version %d'}", i);
		struct script_case c = {.path = write_script(f, "changes.lua", text), .object = S("{}")};

		for (int twice = 0; twice < 2; twice++) {
			assert_int_equal(scripts_judge(f->w, &c, 1, NULL, NULL, f->a, &f->e), PL_OK);
			assert_verdict(c.out, text.p, PL_HEALTHY, arena_printf(f->a, "version %d", i).p);
		}
	}
}

static void *judge_often(void *arg)
{
	struct fix *f = arg;
	struct arena *a = arena_new();
	struct pl_err e = ERR_INIT;
	uintptr_t bad = 0;

	for (int i = 0; i < 40; i++) {
		struct script_case c[3];

		for (int k = 0; k < 3; k++)
			c[k] = (struct script_case){.path = arena_printf(a, "%s/shared.lua", f->dir).p,
						    .object = arena_printf(a, "{\"n\":\"%d\"}", i * 3 + k)};
		bad += scripts_judge(f->w, c, 3, NULL, NULL, a, &e) != PL_OK;
		for (int k = 0; k < 3; k++)
			bad += !str_eq(c[k].out.message, arena_printf(a, "%d", i * 3 + k));
	}
	arena_free(a);
	err_clear(&e);
	return (void *)bad;
}

static void threads_judge_at_the_same_time(void **state)
{
	struct fix *f = *state;
	pthread_t threads[4];

	write_script(f, "shared.lua", S("return {status='Healthy', message=obj.n}"));
	for (int i = 0; i < 4; i++)
		pthread_create(&threads[i], NULL, judge_often, f);
	for (int i = 0; i < 4; i++) {
		void *bad;

		pthread_join(threads[i], &bad);
		assert_null(bad);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
		T(results_mean_what_the_page_says),
		T(a_long_message_is_cut),
		T(values_arrive_as_documented),
		T(deep_and_large_objects_fit),
		T(an_object_that_is_no_json_is_told),
		T(what_is_closed_stays_closed),
		T(what_is_open_works),
		T(binary_scripts_are_refused),
		T(scripts_leave_nothing_behind),
		T(errors_name_script_line_and_way),
		T(a_script_too_long_is_refused),
		T(endless_scripts_are_stopped),
		T(a_script_stuck_in_c_is_killed),
		T(memory_is_bounded_beyond_the_object),
		T(only_the_bad_ones_of_a_batch_fail),
		T(nothing_to_judge_is_fine),
		T(a_cancel_is_an_error_not_a_verdict),
		T(a_changed_script_is_read_again),
		T(threads_judge_at_the_same_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
