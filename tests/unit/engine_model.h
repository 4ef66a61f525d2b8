/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Small texts to the inputs of plan, for the tests of the engine. Objects are separated by blanks:
 *
 *   KIND[.GROUP]/NAMESPACE/NAME=VALUE[!KEY:VALUE]…[@OWNER]
 *
 * NAMESPACE "-" is none; VALUE stands in spec.v; !KEY:VALUE are annotations; the owner is an application whose
 * tracking id the live object carries ("@~": one that does not describe it, "@": a broken one). A leading "?" on
 * the live side: it could not be read. A live object that is desired or in the inventory but not given is absent.
 */
#ifndef TESTS_ENGINE_MODEL_H
#define TESTS_ENGINE_MODEL_H

#include "core/base/mem.h"
#include "core/doc/private.h"
#include "core/engine/plan.h"

struct model {
	struct arena *a;
	pl_doc *doc;
	pl_str app;
	struct plan_desired *desired;
	struct live *live;
	struct store_item *inventory;
	struct plan_owner *owners;
	size_t n_desired, n_live, n_inventory, n_owners;
};

struct token {
	pl_ref ref;
	pl_str owner;
	bool has_owner, unreadable;
	pl_node *node;
	pl_str hash; /* empty for the value "~", on the way from APP for "~APP" */
};

static inline pl_str model_cut(pl_str *rest, const char *ends)
{
	size_t n = 0;

	while (n < rest->n && !strchr(ends, rest->p[n]))
		n++;
	pl_str head = {rest->p, n};
	rest->p += n;
	rest->n -= n;
	return head;
}

static inline void model_step(pl_str *rest)
{
	if (rest->n) {
		rest->p++;
		rest->n--;
	}
}

static inline void model_annotations(pl_str *t, struct buf *json)
{
	const char *separator = "\"annotations\":{";
	bool any = t->n && t->p[0] == '!';

	while (t->n && t->p[0] == '!') {
		model_step(t);
		pl_str key = model_cut(t, ":");
		model_step(t);
		pl_str value = model_cut(t, "!@");
		buf_addf(json, "%s\"%.*s\":\"%.*s\"", separator, F(key), F(value));
		separator = ",";
	}
	buf_addz(json, any ? "}," : "");
}

static inline struct token model_token(struct model *m, pl_str t)
{
	struct token k = {.unreadable = t.p[0] == '?'};
	struct buf json = BUF_INIT(1 << 16);
	struct pl_err e = ERR_INIT;
	char hash[HASH_TEXT];
	pl_str value;

	if (k.unreadable)
		model_step(&t);
	pl_str kind = model_cut(&t, "/");
	model_step(&t);
	pl_str ns = model_cut(&t, "/");
	model_step(&t);
	pl_str name = model_cut(&t, "=!@");
	str_cut(kind, '.', &k.ref.kind, &k.ref.group);
	k.ref.version = S("v1");
	k.ref.ns = str_eqz(ns, "-") ? (pl_str){"", 0} : ns;
	k.ref.name = name;
	k.ref = ref_dup(m->a, &k.ref);
	if (t.n && t.p[0] == '=')
		model_step(&t);
	value = model_cut(&t, "!@");
	buf_addf(&json, "{\"apiVersion\":\"%.*s%sv1\",\"kind\":\"%.*s\",\"metadata\":{", F(k.ref.group),
		 k.ref.group.n ? "/" : "", F(k.ref.kind));
	model_annotations(&t, &json);
	if (k.ref.ns.n)
		buf_addf(&json, "\"namespace\":\"%.*s\",", F(k.ref.ns));
	buf_addf(&json, "\"name\":\"%.*s\"},\"spec\":{\"v\":\"%.*s\"}}", F(name), F(value));
	k.has_owner = t.n && t.p[0] == '@';
	if (k.has_owner)
		model_step(&t);
	k.owner = arena_dup(m->a, t);
	if (pl_json_read(m->doc, arena_dup(m->a, buf_str(&json)), "model.json", 0, &k.node, &e) ||
	    node_digest(k.node, hash, &e))
		BUG("test object '%s': %s", json.p, pl_err_text(&e));
	k.hash = arena_dup(m->a, str_of(hash));
	if (str_starts(value, S("~")))
		k.hash = value.n == 1 ? S("") : arena_printf(m->a, PLAN_TAKING "%.*s", (int)value.n - 1, value.p + 1);
	buf_free(&json);
	return k;
}

static inline bool model_next(pl_str *rest, pl_str *token)
{
	while (rest->n && (*rest->p == ' ' || *rest->p == '\n'))
		model_step(rest);
	*token = model_cut(rest, " \n");
	return token->n > 0;
}

static inline struct live *model_live(struct model *m, const pl_ref *ref)
{
	for (size_t i = 0; i < m->n_live; i++)
		if (ref_same(&m->live[i].ref, ref))
			return &m->live[i];
	return NULL;
}

/* What a look at the live side answers for everything that is asked of it. */
static inline void model_fill_absent(struct model *m)
{
	for (size_t i = 0; i < m->n_desired + m->n_inventory; i++) {
		const pl_ref *r = i < m->n_desired ? &m->desired[i].ref : &m->inventory[i - m->n_desired].ref;

		if (!model_live(m, r))
			m->live[m->n_live++] = (struct live){.status = PL_ENOTFOUND, .ref = *r};
	}
}

static inline pl_str model_tracking(struct model *m, pl_str app, const pl_ref *ref)
{
	struct buf b = BUF_INIT(1 << 12);

	tracking_print(app, ref, &b);
	pl_str id = arena_dup(m->a, buf_str(&b));
	buf_free(&b);
	return id;
}

static inline pl_str model_owner_mark(struct model *m, const struct token *k)
{
	static const pl_ref elsewhere = {{"", 0}, S_INIT("v1"), S_INIT("ConfigMap"), S_INIT("far"), S_INIT("away")};

	if (!k->has_owner)
		return (pl_str){"", 0};
	if (k->owner.n == 0)
		return S("not an id");
	if (str_eqz(k->owner, "~"))
		return model_tracking(m, m->app, &elsewhere);
	return model_tracking(m, k->owner, &k->ref);
}

static inline struct model *model_new(const char *app, const char *desired, const char *live, const char *inventory,
				      const char *owners)
{
	struct model *m = mem_zalloc(sizeof(*m));
	size_t max = strlen(desired) + strlen(live) + strlen(inventory) + strlen(owners) + 1;
	pl_str t, d = str_of(desired), l = str_of(live), i = str_of(inventory), o = str_of(owners);

	m->a = arena_new();
	m->doc = pl_doc_new(NULL);
	m->app = str_of(app);
	m->desired = arena_array(m->a, max, sizeof(*m->desired));
	m->live = arena_array(m->a, max, sizeof(*m->live));
	m->inventory = arena_array(m->a, max, sizeof(*m->inventory));
	m->owners = arena_array(m->a, max, sizeof(*m->owners));
	for (uint32_t line = 1; model_next(&d, &t); line++) {
		struct token k = model_token(m, t);
		m->desired[m->n_desired++] = (struct plan_desired){k.ref, k.node, k.hash, {"git.yaml", line, 1}};
	}
	while (model_next(&l, &t)) {
		struct token k = model_token(m, t);
		m->live[m->n_live++] =
			(struct live){.status = k.unreadable ? PL_EIO : PL_OK,
				      .ref = k.ref,
				      .tracking = model_owner_mark(m, &k),
				      .node = k.unreadable ? NULL : k.node,
				      .error = k.unreadable ? S("permission denied") : (pl_str){NULL, 0}};
	}
	while (model_next(&i, &t)) {
		struct token k = model_token(m, t);
		m->inventory[m->n_inventory++] = (struct store_item){.ref = k.ref, .hash = k.hash};
	}
	while (model_next(&o, &t)) { /* KIND/NS/NAME@APP, "+" behind it: may be taken over */
		struct token k = model_token(m, t);
		bool take = str_ends(k.owner, S("+"));
		m->owners[m->n_owners++] = (struct plan_owner){k.ref, {k.owner.p, k.owner.n - take}, take};
	}
	model_fill_absent(m);
	return m;
}

static inline void model_free(struct model *m)
{
	pl_doc_unref(m->doc);
	arena_free(m->a);
	free(m);
}

static inline pl_status model_plan(struct model *m, const struct plan_policy *policy, struct plan *p, struct pl_err *e)
{
	return plan_make(m->a, m->app, m->desired, m->n_desired, m->live, m->n_live, m->inventory, m->n_inventory,
			 m->owners, m->n_owners, policy, p, e);
}

#endif
