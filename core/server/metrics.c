/* SPDX-License-Identifier: Apache-2.0 */
#include "core/server/web.h"

#include "core/server/api_internal.h"

#include <inttypes.h>
#include <malloc.h>

/* Label values as the exposition format escapes them. */
static void label(struct buf *b, const char *name, pl_str value, bool last)
{
	buf_addf(b, "%s=\"", name);
	for (size_t i = 0; i < value.n; i++) {
		char c = value.p[i];
		if (c == '\n')
			buf_addz(b, "\\n");
		else if (c == '"' || c == '\\')
			buf_addf(b, "\\%c", c);
		else
			buf_addc(b, c);
	}
	buf_addz(b, last ? "\"" : "\",");
}

static void head(struct buf *b, const char *name, const char *type, const char *help)
{
	buf_addf(b, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void applications(struct engine *g, struct buf *b)
{
	struct arena *a = arena_new();
	struct app_status *v;
	size_t n;
	struct pl_err e = ERR_INIT;
	if (engine_status(g, a, &v, &n, &e) == PL_OK) {
		head(b, "plumb_app_info", "gauge", "One line an application: its states as labels.");
		for (size_t i = 0; i < n; i++) {
			buf_addz(b, "plumb_app_info{");
			label(b, "name", v[i].name, false);
			label(b, "sync_status", str_of(sync_status_name(v[i].sync)), false);
			label(b, "health_status", str_of(health_name(v[i].health)), false);
			label(b, "suspended", v[i].suspended ? S("true") : S("false"), true);
			buf_addz(b, "} 1\n");
		}
		head(b, "plumb_app_resources", "gauge", "Resources an application manages.");
		for (size_t i = 0; i < n; i++) {
			buf_addz(b, "plumb_app_resources{");
			label(b, "name", v[i].name, true);
			buf_addf(b, "} %zu\n", v[i].n_resources);
		}
		head(b, "plumb_app_last_sync_timestamp_seconds", "gauge", "When an application was synced last.");
		for (size_t i = 0; i < n; i++) {
			if (!v[i].synced_ms)
				continue;
			buf_addz(b, "plumb_app_last_sync_timestamp_seconds{");
			label(b, "name", v[i].name, true);
			buf_addf(b, "} %" PRId64 ".%03d\n", v[i].synced_ms / 1000, (int)(v[i].synced_ms % 1000));
		}
	}
	err_clear(&e);
	arena_free(a);
}

void metrics_print(struct engine *g, struct buf *b)
{
	struct engine_counters c;
	engine_counters(g, &c);
	const struct {
		const char *name, *type, *help;
		uint64_t value;
	} rows[] = {
		{"plumb_passes_total", "counter", "Full passes over all applications.", c.passes},
		{"plumb_source_polls_total", "counter", "Listings of a repository's references.", c.polls},
		{"plumb_source_fetches_total", "counter", "Fetches of new content.", c.fetches},
		{"plumb_renders_total", "counter", "Renders of an application.", c.renders},
		{"plumb_plans_total", "counter", "Comparisons of desired and live.", c.plans},
		{"plumb_applies_total", "counter", "Objects created or updated.", c.applies},
		{"plumb_prunes_total", "counter", "Objects deleted.", c.prunes},
		{"plumb_self_heals_total", "counter", "Syncs started because of drift.", c.heals},
		{"plumb_observed_total", "counter", "Live objects read.", c.observed},
		{"plumb_watch_events_total", "counter", "Changes told by watches.", c.watch_events},
		{"plumb_workqueue_depth", "gauge", "Work that waits for a thread.", c.queue_depth},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		head(b, rows[i].name, rows[i].type, rows[i].help);
		buf_addf(b, "%s %" PRIu64 "\n", rows[i].name, rows[i].value);
	}
	head(b, "plumb_pass_cpu_seconds", "gauge", "CPU time of the last full pass.");
	buf_addf(b, "plumb_pass_cpu_seconds %" PRIu64 ".%06" PRIu64 "\n", c.pass_cpu_us / 1000000,
		 c.pass_cpu_us % 1000000);
	head(b, "plumb_app_sync_total", "counter", "Syncs that have ended.");
	buf_addf(b, "plumb_app_sync_total{phase=\"Succeeded\"} %" PRIu64 "\n", c.syncs_ok);
	buf_addf(b, "plumb_app_sync_total{phase=\"Failed\"} %" PRIu64 "\n", c.syncs_failed);
	head(b, "plumb_build_info", "gauge", "The running version.");
	buf_addz(b, "plumb_build_info{version=\"" PLUMB_VERSION "\"} 1\n");
	applications(g, b);
}
