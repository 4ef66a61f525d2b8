/* SPDX-License-Identifier: Apache-2.0 */
/* What values are once they have gone through the programs of the field, done to the tree itself. */
#include "core/doc/go_value.h"
#include "core/doc/yaml_field.h"

struct former {
	pl_doc *d;
	pl_err *e;
	size_t flow; /* of the containers around, those that were written in brackets */
	struct buf text;
};

static void become(struct former *f, pl_node *n)
{
	node_set_text(n, PL_STRING, doc_string(f->d, buf_str(&f->text)));
	node_set_style(n, PL_STYLE_ANY);
	n->meta &= ~NODE_TIME;
}

static pl_status form_number(struct former *f, const pl_node *n)
{
	if (go_number_print(n, &f->text) == PL_OK)
		return PL_OK;
	return pl_err_set(f->e, PL_EINVAL, pl_at(f->d, n), FIELD_NOT_FINITE, n->len > 80 ? 80 : (int)n->len, n->u.s);
}

static pl_status form_string(struct former *f, pl_node *n)
{
	uint32_t refused = field_refused(node_text(n));
	struct go_time t;

	if (refused)
		return pl_err_set(f->e, PL_EINVAL, pl_at(f->d, n), FIELD_REFUSED, refused);
	if (field_is_time(n, f->flow > 0)) {
		if (!go_time_read(node_text(n), &t) || go_time_print(&t, &f->text))
			return pl_err_set(f->e, PL_EINVAL, pl_at(f->d, n), FIELD_OFFSET);
		become(f, n);
	} else if (n->meta & NODE_TIME) {
		n->meta &= ~NODE_TIME;
	} else if (pl_style(n) == PL_STYLE_FOLDED && !f->flow && field_refold(node_text(n), &f->text)) {
		become(f, n);
	}
	return PL_OK;
}

static pl_status form_scalar(struct former *f, pl_node *n)
{
	buf_clear(&f->text);
	switch (node_kind(n)) {
	case PL_NUMBER:
		return form_number(f, n);
	case PL_STRING:
		return form_string(f, n);
	case PL_NULL:
		if (f->flow && field_is_blank(n))
			become(f, n);
	}
	return PL_OK;
}

/* Only a walk over a tree that nobody may change gives out nodes that are const. */
static pl_node *mutable(const pl_node *n)
{
	return (pl_node *)(uintptr_t)n;
}

pl_status pl_field_form(pl_doc *d, pl_node *root, pl_err *e)
{
	struct former f = {.d = d, .e = e, .text = BUF_INIT(SIZE_MAX)};
	enum walk_event event;
	const pl_node *n;
	struct walk w;
	pl_status st = PL_OK;

	if (d->frozen)
		return pl_err_set(e, PL_EDENIED, NOWHERE, "the document is frozen");
	if (!root)
		return PL_OK;
	walk_init(&w, root);
	while (!st && (n = walk_next(&w, &event)) != NULL) {
		if (event == WALK_ENTER)
			f.flow += pl_style(n) == PL_STYLE_FLOW;
		else if (event == WALK_LEAVE)
			f.flow -= pl_style(n) == PL_STYLE_FLOW;
		else
			st = form_scalar(&f, mutable(n));
	}
	walk_free(&w);
	buf_free(&f.text);
	return st;
}
