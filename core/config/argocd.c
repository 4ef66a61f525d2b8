/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Argo CD's Application at the border: mapped to our own structure. Every field that it may have stands in the tables
 * with what is done about it: read; let be; a warning; or an error where going on without it would apply something else
 * than Argo CD does.
 */
#include "core/config/load.h"

#include "core/base/mem.h"

enum what_to_do { READ, LET_BE, WARN, REFUSE };

struct field {
	const char *key;
	enum what_to_do what;
	const char *why;	    /* WARN, REFUSE: "plumb does not …" */
	const struct fields *below; /* READ */
};

struct fields {
	const struct field *v;
	size_t n;
};

#define FIELDS(name, rows) static const struct fields name = {rows, sizeof(rows) / sizeof *(rows)}

static const struct field directory_rows[] = {
	{"recurse", READ, NULL, NULL},
	{"include", REFUSE, "plumb reads all manifests of a folder", NULL},
	{"exclude", REFUSE, "plumb reads all manifests of a folder", NULL},
	{"jsonnet", REFUSE, "plumb does not evaluate Jsonnet", NULL},
	{"disableExtensionFilter", WARN, "plumb reads *.yaml, *.yml and *.json", NULL},
};
FIELDS(directory_fields, directory_rows);

static const struct field source_rows[] = {
	{"repoURL", READ, NULL, NULL},
	{"path", READ, NULL, NULL},
	{"targetRevision", READ, NULL, NULL},
	{"name", LET_BE, NULL, NULL},
	{"directory", READ, NULL, &directory_fields},
	{"chart", REFUSE, "plumb does not render Helm charts", NULL},
	{"helm", REFUSE, "plumb does not render Helm charts", NULL},
	{"kustomize", REFUSE, "plumb does not edit a kustomization before it builds it", NULL},
	{"plugin", REFUSE, "plumb does not run Argo CD's plugins", NULL},
	{"ref", REFUSE, "plumb reads one source for an application", NULL},
	{"tagPrefix", REFUSE, "plumb does not choose among tags", NULL},
};
FIELDS(source_fields, source_rows);

static const struct field destination_rows[] = {
	{"name", READ, NULL, NULL},
	{"server", READ, NULL, NULL},
	{"namespace", READ, NULL, NULL},
};
FIELDS(destination_fields, destination_rows);

static const struct field automated_rows[] = {
	{"enabled", READ, NULL, NULL},
	{"prune", READ, NULL, NULL},
	{"selfHeal", READ, NULL, NULL},
	{"allowEmpty", READ, NULL, NULL},
};
FIELDS(automated_fields, automated_rows);

static const struct field backoff_rows[] = {
	{"duration", READ, NULL, NULL},
	{"maxDuration", READ, NULL, NULL},
	{"factor", READ, NULL, NULL},
};
FIELDS(backoff_fields, backoff_rows);

static const struct field retry_rows[] = {
	{"limit", READ, NULL, NULL},
	{"backoff", READ, NULL, &backoff_fields},
	{"refresh", WARN, "plumb always tries the newest revision", NULL},
};
FIELDS(retry_fields, retry_rows);

static const struct field policy_rows[] = {
	{"automated", READ, NULL, &automated_fields},
	{"retry", READ, NULL, &retry_fields},
	{"syncOptions", READ, NULL, NULL},
	{"managedNamespaceMetadata", WARN, "plumb does not make namespaces that are not in the source", NULL},
};
FIELDS(policy_fields, policy_rows);

static const struct field spec_rows[] = {
	{"destination", READ, NULL, &destination_fields},
	{"source", READ, NULL, &source_fields},
	{"syncPolicy", READ, NULL, &policy_fields},
	{"sources", REFUSE, "plumb reads one source for an application", NULL},
	{"sourceHydrator", REFUSE, "plumb does not write to repositories", NULL},
	{"ignoreDifferences", REFUSE, "plumb would undo the differences that are to be ignored", NULL},
	{"info", LET_BE, NULL, NULL},
	{"project", READ, NULL, NULL},
	{"revisionHistoryLimit", WARN, "plumb keeps one history for all applications", NULL},
};
FIELDS(spec_fields, spec_rows);

static const struct field root_rows[] = {
	{"apiVersion", LET_BE, NULL, NULL}, {"kind", LET_BE, NULL, NULL},
	{"metadata", READ, NULL, NULL},	    {"spec", READ, NULL, &spec_fields},
	{"status", LET_BE, NULL, NULL},	    {"operation", WARN, "a sync is asked for by `plumb sync`", NULL},
};
FIELDS(root_fields, root_rows);

/* syncOptions: Name=value. A value of another text than these is told. */
struct option {
	const char *text;
	enum what_to_do what;
	const char *why;
};

static const struct option options[] = {
	{"ApplyOutOfSyncOnly=true", LET_BE, NULL}, /* always so */
	{"ApplyOutOfSyncOnly=false", LET_BE, NULL},
	{"FailOnSharedResource=true", LET_BE, NULL}, /* always so */
	{"FailOnSharedResource=false", WARN, "an object always has one application"},
	{"CreateNamespace=true", WARN, "plumb does not make namespaces that are not in the source"},
	{"CreateNamespace=false", LET_BE, NULL},
	{"Prune=true", LET_BE, NULL},
	{"Prune=false", READ, NULL},
	{"Prune=confirm", REFUSE, "plumb does not ask before it prunes"},
	{"Delete=true", LET_BE, NULL},
	{"Delete=false", READ, NULL},
	{"Delete=confirm", REFUSE, "plumb does not ask before it deletes"},
	{"PruneLast=true", WARN, "plumb prunes in its own order"},
	{"PruneLast=false", LET_BE, NULL},
	{"Validate=true", LET_BE, NULL},
	{"Validate=false", WARN, "plumb always validates"},
	{"Replace=true", REFUSE, "plumb does not replace objects whole"},
	{"Replace=false", LET_BE, NULL},
	{"Force=true", REFUSE, "plumb does not delete objects to make them again"},
	{"Force=false", LET_BE, NULL},
	{"ServerSideApply=true", LET_BE, NULL},
	{"ServerSideApply=false", LET_BE, NULL},
	{"RespectIgnoreDifferences=true", REFUSE, "plumb would undo the differences that are to be ignored"},
	{"RespectIgnoreDifferences=false", LET_BE, NULL},
};

static bool empty(const pl_node *n)
{
	int kind = pl_kind(n);
	return kind < 0 || kind == PL_NULL || ((kind == PL_LIST || kind == PL_MAP) && pl_len(n) == 0) ||
	       (kind == PL_STRING && pl_text(n).n == 0) || (kind == PL_BOOL && !pl_bool(n));
}

static const struct field *find_field(const struct fields *t, pl_str key)
{
	for (size_t i = 0; i < t->n; i++)
		if (str_eqz(key, t->v[i].key))
			return &t->v[i];
	return NULL;
}

static void unknown_field(struct load *l, const struct fields *t, const pl_node *key)
{
	enum { KEYS_MAX = 16 };
	const char *known[KEYS_MAX];
	size_t n = 0;
	for (; n < t->n && n < KEYS_MAX; n++)
		known[n] = t->v[n].key;
	struct pl_err *e = mistake(l, key, "unknown key '%.*s' in Argo CD's Application", F(pl_text(key)));
	const char *near = str_nearest(pl_text(key), known, n);
	if (near)
		pl_err_hint(e, "did you mean '%s'?", near);
}

/* Goes over what is there, by the tables. Empty values change nothing in Argo CD either. */
static void check_fields(struct load *l, const struct fields *t, const char *where, const pl_node *map)
{
	if (empty(map))
		return;
	if (pl_kind(map) != PL_MAP) {
		mistake(l, map, "'%s' must be a map, not %s", where, kind_word(map));
		return;
	}
	for (size_t i = 0; i < pl_len(map); i++) {
		const pl_node *key = pl_key(map, i), *value = pl_value(map, i);
		const struct field *f = find_field(t, pl_text(key));
		if (!f)
			unknown_field(l, t, key);
		else if (f->what == REFUSE && !empty(value))
			mistake_code(l, PL_EUNSUPPORTED, pl_at(l->doc, key), "'%s' is not supported: %s", f->key,
				     f->why);
		else if (f->what == WARN && !empty(value))
			warn(l, key, "'%s' is ignored: %s", f->key, f->why);
		else if (f->below)
			check_fields(l, f->below, f->key, value);
	}
}

static const pl_node *at_path(const pl_node *n, const char *a, const char *b)
{
	n = pl_gets(n, a);
	if (b)
		n = pl_gets(n, b);
	return pl_kind(n) == PL_NULL ? NULL : n;
}

/* ---- the parts ---- */

static void map_option(struct load *l, const pl_node *n, struct draft *d)
{
	pl_str text;
	if (!value_string(l, "syncOptions", n, &text))
		return;
	const struct option *o = NULL;
	for (size_t i = 0; i < sizeof options / sizeof *options && !o; i++)
		if (str_eqz(text, options[i].text))
			o = &options[i];
	if (!o)
		warn(l, n, "sync option '%s' is ignored: plumb does not know it", text.p);
	else if (o->what == REFUSE)
		mistake_code(l, PL_EUNSUPPORTED, pl_at(l->doc, n), "sync option '%s' is not supported: %s", text.p,
			     o->why);
	else if (o->what == WARN)
		warn(l, n, "sync option '%s' is ignored: %s", text.p, o->why);
	else if (str_eqz(text, "Prune=false"))
		d->app.sync.prune = false;
	else if (str_eqz(text, "Delete=false"))
		d->app.deletion = DELETION_ORPHAN;
}

static void map_retry(struct load *l, const pl_node *retry, struct config_sync *s)
{
	const pl_node *n, *backoff = at_path(retry, "backoff", NULL);
	int64_t factor = 2;
	if ((n = at_path(retry, "limit", NULL)))
		value_int(l, "limit", n, &s->retry_limit);
	if ((n = at_path(backoff, "duration", NULL)))
		value_duration(l, "duration", n, &s->retry_base_ms);
	if ((n = at_path(backoff, "maxDuration", NULL)))
		value_duration(l, "maxDuration", n, &s->retry_max_ms);
	if ((n = at_path(backoff, "factor", NULL)) && value_int(l, "factor", n, &factor) && factor != 2)
		warn(l, n, "'factor' is ignored: plumb doubles the wait each time");
}

static void map_policy(struct load *l, const pl_node *spec, struct draft *d)
{
	const pl_node *automated = at_path(spec, "syncPolicy", "automated"), *n;
	struct config_sync *s = &d->app.sync;
	s->automated = automated != NULL;
	if ((n = at_path(automated, "enabled", NULL)))
		value_bool(l, "enabled", n, &s->automated);
	if ((n = at_path(automated, "prune", NULL)))
		value_bool(l, "prune", n, &s->prune);
	if ((n = at_path(automated, "selfHeal", NULL)))
		value_bool(l, "selfHeal", n, &s->self_heal);
	if ((n = at_path(automated, "allowEmpty", NULL)))
		value_bool(l, "allowEmpty", n, &s->allow_empty);
	map_retry(l, at_path(spec, "syncPolicy", "retry"), s);
	const pl_node *list = at_path(spec, "syncPolicy", "syncOptions");
	if (list && pl_kind(list) != PL_LIST)
		mistake(l, list, "'syncOptions' must be a list, not %s", kind_word(list));
	else
		for (size_t i = 0; i < pl_len(list); i++)
			map_option(l, pl_item(list, i), d);
}

/* What Git does not allow in names, and Argo CD takes for a range of versions. */
static bool is_range(pl_str revision)
{
	for (size_t i = 0; i < revision.n; i++)
		if (strchr("*^~<>= |,", revision.p[i]))
			return true;
	return false;
}

static void map_source(struct load *l, const pl_node *spec, struct draft *d)
{
	const pl_node *source = at_path(spec, "source", NULL), *n;
	pl_str url;
	if (!source) {
		if (empty(pl_gets(spec, "sources")) && empty(pl_gets(spec, "sourceHydrator")))
			mistake(l, spec, "application '%s' needs 'source'", d->app.name.p);
		return;
	}
	if ((n = at_path(source, "path", NULL)))
		value_tree_path(l, "path", n, &d->app.path);
	else if (empty(pl_gets(source, "chart")))
		mistake(l, source, "source of application '%s' needs 'path'", d->app.name.p);
	if ((n = at_path(source, "targetRevision", NULL)) && value_string(l, "targetRevision", n, &d->app.revision)) {
		if (is_range(d->app.revision))
			mistake_code(l, PL_EUNSUPPORTED, pl_at(l->doc, n),
				     "targetRevision '%s' is a range: plumb follows a branch, tag or commit",
				     d->app.revision.p);
		if (str_eqz(d->app.revision, "HEAD"))
			d->app.revision.n = 0;
	}
	if (at_path(source, "directory", NULL) && empty(at_path(source, "directory", "recurse")))
		warn(l, pl_getkey(source, S("directory")), "plumb reads subfolders too, as with 'recurse: true'");
	n = at_path(source, "repoURL", NULL);
	if (!n)
		mistake(l, source, "source of application '%s' needs 'repoURL'", d->app.name.p);
	else if (value_string(l, "repoURL", n, &url) && str_starts(url, S("oci://")))
		mistake_code(l, PL_EUNSUPPORTED, pl_at(l->doc, n), "repoURL '%s' is not a Git repository", url.p);
	else
		d->repo_url = n;
}

/* Argo CD calls the cluster it runs in by this URL or this name. */
#define OWN_SERVER "https://kubernetes.default.svc"
#define OWN_NAME   "in-cluster"

static void map_destination(struct load *l, const pl_node *spec, struct draft *d)
{
	const pl_node *to = at_path(spec, "destination", NULL), *name = at_path(to, "name", NULL),
		      *server = at_path(to, "server", NULL), *ns = at_path(to, "namespace", NULL);
	pl_str text;
	if (ns && !empty(ns) && value_name(l, "namespace", ns, &text))
		d->app.ns = text;
	name = empty(name) ? NULL : name;
	server = empty(server) ? NULL : server;
	if (name && server)
		mistake(l, to, "destination has both 'name' and 'server'");
	else if (!name && !server)
		pl_err_hint(mistake(l, to ? to : spec, "application '%s' needs a destination", d->app.name.p),
			    "write 'name' with the name of a target");
	else if (name && value_string(l, "name", name, &d->destination))
		d->destination_at = name;
	else if (server && value_string(l, "server", server, &text)) {
		d->destination = str_eqz(text, OWN_SERVER) ? S(OWN_NAME) : text;
		d->destination_at = server;
	}
}

static bool has_finalizer(const pl_node *metadata)
{
	const pl_node *list = pl_gets(metadata, "finalizers");
	for (size_t i = 0; i < pl_len(list); i++)
		if (str_starts(pl_text(pl_item(list, i)), S("resources-finalizer.argocd.argoproj.io")))
			return true;
	return false;
}

void read_argocd(struct load *l, const pl_node *root)
{
	struct draft d = {.file = l->file};
	size_t before = l->errors->n + l->errors->more;
	const pl_node *metadata = at_path(root, "metadata", NULL), *name = at_path(metadata, "name", NULL),
		      *spec = at_path(root, "spec", NULL), *project = at_path(spec, "project", NULL);
	check_fields(l, &root_fields, "Application", root);
	draft_defaults(l, &d);
	d.app.at = pl_at(l->doc, root);
	if (!name)
		mistake(l, metadata ? metadata : root, "Application needs 'metadata.name'");
	else if (value_name(l, "metadata.name", name, &d.app.name) && !spec)
		mistake(l, root, "application '%s' needs 'spec'", d.app.name.p);
	else if (d.app.name.n && pl_kind(spec) == PL_MAP) {
		/* The finalizer is how Argo CD is told to delete what it has applied. */
		d.app.deletion = has_finalizer(metadata) ? DELETION_CASCADE : DELETION_ORPHAN;
		map_source(l, spec, &d);
		map_destination(l, spec, &d);
		map_policy(l, spec, &d);
		if (!empty(project) && !str_eqz(pl_text(project), "default"))
			warn(l, project, "'project' is ignored: plumb has no projects that limit applications");
	}
	d.bad = l->errors->n + l->errors->more > before;
	l->drafts = mem_grow(l->drafts, &l->cap_drafts, l->n_drafts + 1, sizeof *l->drafts);
	l->drafts[l->n_drafts++] = d;
}
