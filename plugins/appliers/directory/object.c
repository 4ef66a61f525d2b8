/* SPDX-License-Identifier: Apache-2.0 */
#include "directory.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

pl_str tracking_app(pl_str tracking)
{
	const char *colon = tracking.n ? memchr(tracking.p, ':', tracking.n) : NULL;
	return (pl_str){tracking.p, colon ? (size_t)(colon - tracking.p) : tracking.n};
}

mode_t mode_of(const pl_ref *ref)
{
	return !ref->group.n && same(ref->kind, S("Secret")) ? 0600 : 0644;
}

mode_t mode_excess(const pl_ref *ref, const struct stat *st)
{
	return mode_of(ref) == 0600 ? st->st_mode & 0077 : 0;
}

/* Takes plumb's marks out, so that what is left is what was desired. */
static void unmark(struct object *o)
{
	pl_node *metadata = pl_gets(o->node, "metadata");
	pl_node *annotations = pl_gets(metadata, "annotations");
	const pl_node *id = pl_gets(annotations, TRACKING), *was = pl_gets(annotations, OWN_MARK);
	if (!id || pl_kind(id) != PL_STRING)
		return;
	o->tracking = pl_text(id);
	pl_str mark = pl_text(was);
	(void)pl_remove(o->doc, annotations, S(TRACKING));
	(void)pl_remove(o->doc, annotations, S(OWN_MARK));
	if (pl_len(annotations))
		return;
	if (same(mark, S("null")))
		(void)pl_sets(o->doc, metadata, "annotations", pl_new_null(o->doc));
	else if (!same(mark, S("empty")))
		(void)pl_remove(o->doc, metadata, S("annotations"));
}

static pl_status parse(struct object *o, pl_str text, const char *file, pl_err *e)
{
	pl_node **roots = NULL;
	size_t n = 0;
	o->doc = pl_doc_new(NULL);
	pl_status st = pl_yaml_read(o->doc, text, file, PL_SCHEMA_YAML11, 0, &roots, &n, e);
	if (!st && (n != 1 || pl_kind(roots[0]) != PL_MAP))
		st = pl_err_set(e, PL_EINVAL, (pl_place){file, 1, 1}, "the file does not hold one object");
	if (st) {
		pl_err_hint(e, "mend the file, or remove it to have it written anew");
		return st;
	}
	o->node = roots[0];
	unmark(o);
	return PL_OK;
}

pl_status object_read_at(const struct directory *d, int dir, const struct spot *s, struct object *out, pl_err *e)
{
	char *text;
	size_t n;
	*out = (struct object){0};
	pl_status st = file_get(d, dir, s, &text, &n, &out->st, e);
	if (st)
		return st;
	char *file = text_of("%s/%s/%s/%s", d->path, s->ns, s->kind, s->file);
	st = parse(out, (pl_str){text, n}, file, e);
	free(file);
	free(text);
	if (st)
		object_free(out);
	return st;
}

pl_status object_read(struct directory *d, const struct spot *s, struct object *out, pl_err *e)
{
	int dir = -1;
	*out = (struct object){0};
	pl_status st = spot_open(d, s, 0, &dir, e);
	if (st)
		return st;
	st = object_read_at(d, dir, s, out, e);
	close(dir);
	return st;
}

void object_free(struct object *o)
{
	pl_doc_unref(o->doc);
	*o = (struct object){0};
}

static pl_status mark(pl_doc *d, pl_node *object, pl_str tracking, pl_err *e)
{
	pl_node *metadata = pl_gets(object, "metadata");
	if (pl_kind(metadata) != PL_MAP)
		return pl_err_set(e, PL_EINVAL, pl_at(d, object), "the object has no metadata");
	pl_node *annotations = pl_gets(metadata, "annotations");
	const char *was = !annotations			    ? NULL
			  : pl_kind(annotations) == PL_NULL ? "null"
			  : pl_len(annotations)		    ? NULL
							    : "empty";
	if (annotations && pl_kind(annotations) != PL_MAP && pl_kind(annotations) != PL_NULL)
		return pl_err_set(e, PL_EINVAL, pl_at(d, annotations), "metadata.annotations must be a map");
	if (pl_kind(annotations) != PL_MAP) {
		annotations = pl_new_map(d);
		(void)pl_sets(d, metadata, "annotations", annotations);
	}
	(void)pl_sets(d, annotations, TRACKING, pl_new_string(d, tracking));
	if (was)
		(void)pl_sets(d, annotations, OWN_MARK, pl_new_string(d, (pl_str){was, strlen(was)}));
	return PL_OK;
}

pl_status object_print(const pl_doc *doc, const pl_node *desired, pl_str tracking, char **text, size_t *n, pl_err *e)
{
	pl_doc *d = pl_doc_new(NULL);
	pl_node *copy = pl_copy(d, doc, desired);
	pl_status st = mark(d, copy, tracking, e);
	st = st ? st : pl_yaml_write(copy, 0, text, n, e);
	pl_doc_unref(d);
	if (!st && *n > OBJECT_MAX) { /* it could not be read again */
		pl_free(*text);
		*text = NULL;
		st = pl_err_set(e, PL_ETOOBIG, pl_at(doc, desired), "the object has %zu bytes, more than %u", *n,
				OBJECT_MAX);
	}
	return st;
}
