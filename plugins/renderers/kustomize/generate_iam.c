/* SPDX-License-Identifier: Apache-2.0 */
/* generate_iam.c - IAMPolicyGenerator: a ServiceAccount that stands for an account of the cloud's. */
#include "cfg.h"

struct iam {
	pl_str cloud;
	const pl_node *kubernetes, *account;
};

struct iam_account {
	pl_str name, ns, project;
};

static pl_status read_account(struct build *b, const pl_node *node, const char *what, struct iam_account *out)
{
	static const struct cfg_key keys[] = {
		{"name", CFG_TEXT, offsetof(struct iam_account, name)},
		{"namespace", CFG_TEXT, offsetof(struct iam_account, ns)},
		{"projectId", CFG_TEXT, offsetof(struct iam_account, project)},
	};
	*out = (struct iam_account){0};
	if (!node || pl_kind(node) == PL_NULL)
		return PL_OK;
	return cfg_read(b, node, what, keys, 3, CFG_WARN, out);
}

static pl_node *text(struct build *b, pl_str s)
{
	return pl_new_string(b->doc, s);
}

static pl_node *make_account(struct build *b, const pl_node *cfg, const struct iam_account *k, pl_str cloud_name)
{
	pl_doc *d = b->doc;
	pl_node *object = pl_new_map(d), *meta = pl_new_map(d), *annotations = pl_new_map(d);
	pl_set_at(d, object, d, cfg);
	(void)pl_sets(d, object, "apiVersion", text(b, S("v1")));
	(void)pl_sets(d, object, "kind", text(b, S("ServiceAccount")));
	(void)pl_sets(d, object, "metadata", meta);
	(void)pl_sets(d, annotations, "iam.gke.io/gcp-service-account", text(b, cloud_name));
	(void)pl_sets(d, meta, "annotations", annotations);
	(void)pl_sets(d, meta, "name", text(b, k->name));
	if (k->ns.n)
		(void)pl_sets(d, meta, "namespace", text(b, k->ns));
	return object;
}

pl_status generate_iam_policy(struct build *b, struct target *t, const pl_node *cfg, struct resmap *out)
{
	static const struct cfg_key keys[] = {
		{"cloud", CFG_TEXT, offsetof(struct iam, cloud)},
		{"kubernetesService", CFG_NODE, offsetof(struct iam, kubernetes)},
		{"serviceAccount", CFG_NODE, offsetof(struct iam, account)},
	};
	struct iam f = {0};
	struct iam_account kubernetes, account;
	struct resource *r;
	(void)t;
	pl_status st = cfg_read_transformer(b, cfg, keys, 3, &f);
	if (!st && !str_is(f.cloud, "gke")) {
		const pl_node *at = pl_gets(cfg, "cloud");
		fail(b, PL_EINVAL, at ? at : cfg, "cloud provider '%.*s' is not supported", F(f.cloud));
		pl_err_hint(b->err, "have: gke");
		return PL_EINVAL;
	}
	if (!st)
		st = read_account(b, f.kubernetes, "kubernetesService", &kubernetes);
	if (!st)
		st = read_account(b, f.account, "serviceAccount", &account);
	if (st)
		return st;
	pl_str name = arena_printf(b->mem, "%.*s@%.*s.iam.gserviceaccount.com", F(account.name), F(account.project));
	st = resource_new(b, make_account(b, cfg, &kubernetes, name), &r);
	return st ? st : resmap_append(b, out, r);
}
