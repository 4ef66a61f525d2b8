/* SPDX-License-Identifier: Apache-2.0 */
/*
 * transform_images.c - ImageTagTransformer.
 *
 * An image's name is a regular expression, put as it is between "^" and what a tag and a digest look like; a name
 * without special characters but dots (gcr.io/shop/web) is compared without one. It works twice, as the reference
 * does: on every list called containers or initContainers, in any kind; then where field specs say. So a tagSuffix
 * comes twice where both are.
 */
#include "cfg.h"
#include "fieldspec.h"

static const char tag_pattern[] = "(:[a-zA-Z0-9_.{}-]*)?(@sha256:[a-zA-Z0-9_.{}-]*)?$";

struct image {
	pl_str name, new_name, new_tag, digest, tag_suffix;
	bool simple;  /* name has only letters that stand for themselves, and dots */
	pl_regex *re; /* for others; NULL: no regular expression, it matches nothing */
};

struct images_cfg {
	const pl_node *image, *specs, *list;
};

struct images {
	struct image *v;
	uint32_t n, cap;
};

/* ---- matching ---- */

static bool tag_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || memchr("_.{}-", c, 5);
}

static size_t skip_letters(pl_str s, size_t i)
{
	while (i < s.n && tag_letter(s.p[i]))
		i++;
	return i;
}

/* What stands behind the name: nothing, :tag, @sha256:digest, or both. */
static bool is_tail(pl_str s)
{
	size_t i = s.n && s.p[0] == ':' ? skip_letters(s, 1) : 0;
	if (i < s.n && s.n - i >= 8 && !memcmp(s.p + i, "@sha256:", 8))
		i = skip_letters(s, i + 8);
	return i == s.n;
}

static bool simple_match(pl_str pattern, pl_str s)
{
	if (s.n < pattern.n || (s.n > pattern.n && s.p[pattern.n] != ':' && s.p[pattern.n] != '@'))
		return false;
	for (size_t i = 0; i < pattern.n; i++) {
		if (pattern.p[i] != s.p[i] && pattern.p[i] != '.')
			return false;
	}
	return is_tail((pl_str){s.p + pattern.n, s.n - pattern.n});
}

static bool matches(const struct image *im, pl_str s)
{
	if (im->simple)
		return simple_match(im->name, s);
	return im->re && pl_regex_find(im->re, s, NULL, 0);
}

static bool is_simple(pl_str name)
{
	for (size_t i = 0; i < name.n; i++) {
		unsigned char c = (unsigned char)name.p[i];
		if (c <= ' ' || c >= 0x7f || strchr("\\+*?()|[]{}^$", c))
			return false;
	}
	return true;
}

static void compile(struct build *b, struct image *im, const pl_node *at)
{
	im->simple = is_simple(im->name);
	if (im->simple)
		return;
	pl_str pattern = arena_printf(b->mem, "^%.*s%s", F(im->name), tag_pattern);
	pl_err *why = pl_err_new();
	if (pl_regex_new(pattern, &im->re, why)) {
		pl_place p = pl_at(b->doc, at);
		if (pl_regex_new(im->name, &im->re, why) == PL_OK) /* nothing but the whole is wrong */
			pl_regex_free(im->re);
		im->re = NULL;
		b->h->log(b->h->ctx, PL_LOG_WARN,
			  arena_printf(b->mem, "%s:%u:%u: images: the name '%.*s' matches no image: %s",
				       p.file ? p.file : "", p.line, p.col, F(im->name), pl_err_text(why)));
	}
	pl_err_free(why);
}

/* ---- changing ---- */

struct parts {
	pl_str name, tag, digest;
};

/* A port before the first slash is no tag. */
static struct parts split(pl_str s)
{
	struct parts p = {.name = s};
	const char *slash = s.n ? memchr(s.p, '/', s.n) : NULL;
	size_t from = slash ? (size_t)(slash - s.p) : 0;
	const char *colon = s.n ? memchr(s.p + from, ':', s.n - from) : NULL;
	const char *at = s.n ? memchr(s.p + from, '@', s.n - from) : NULL;
	if (at)
		p.digest = (pl_str){at + 1, (size_t)(s.p + s.n - at) - 1};
	if (at && (!colon || at < colon)) {
		p.name.n = (size_t)(at - s.p);
	} else if (colon) {
		p.name.n = (size_t)(colon - s.p);
		p.tag = (pl_str){colon + 1, (size_t)((at ? at : s.p + s.n) - colon) - 1};
	}
	return p;
}

static pl_str changed(struct build *b, const struct image *im, pl_str old)
{
	struct parts p = split(old);
	if (im->new_name.n)
		p.name = im->new_name;
	if (im->new_tag.n || im->digest.n) {
		p.tag = im->new_tag;
		p.digest = im->digest;
	} else if (im->tag_suffix.n) {
		p.tag = arena_printf(b->mem, "%.*s%.*s", F(p.tag), F(im->tag_suffix));
		p.digest = (pl_str){0};
	}
	return arena_printf(b->mem, "%.*s%s%.*s%s%.*s", F(p.name), p.tag.n ? ":" : "", F(p.tag), p.digest.n ? "@" : "",
			    F(p.digest));
}

/* ---- the places of one resource ---- */

struct place_of_image {
	pl_node *parent;
	pl_str key;
	size_t item;
	uint32_t times; /* how many ways lead to it: each entry is applied as often */
};

struct places_of_images {
	struct place_of_image *v;
	uint32_t n, cap;
	uint32_t next; /* behind the one that was found last: the ways go in the same order */
};

static struct place_of_image *find_place(struct places_of_images *l, const pl_node *parent, pl_str key, size_t item)
{
	for (uint32_t i = 0; i < l->n; i++) {
		uint32_t at = l->next + i < l->n ? l->next + i : l->next + i - l->n;
		struct place_of_image *p = &l->v[at];
		if (p->parent == parent && p->item == item && str_eq(p->key, key)) {
			l->next = at + 1 < l->n ? at + 1 : 0;
			return p;
		}
	}
	return NULL;
}

static void add_place(struct build *b, struct places_of_images *l, pl_node *parent, pl_str key, size_t item)
{
	l->v = arena_grow(b->mem, l->v, l->n, &l->cap, sizeof(*l->v));
	l->v[l->n++] = (struct place_of_image){parent, key, item, 1};
}

static pl_status note_place(struct build *b, void *ctx, pl_node *parent, pl_str key, size_t item, pl_node **slot)
{
	struct places_of_images *l = ctx;
	(void)slot;
	struct place_of_image *p = find_place(l, parent, key, item);
	if (p)
		p->times++;
	else
		add_place(b, l, parent, key, item);
	return PL_OK;
}

static pl_status note_containers(struct build *b, struct places_of_images *l, pl_node *list)
{
	for (size_t i = 0; i < pl_len(list); i++) {
		pl_node *c = pl_item(list, i);
		int kind = pl_kind(c);
		if (kind != PL_MAP && kind != PL_NULL)
			return fail(b, PL_EINVAL, c, "a container must be a map, but it is %s", node_kind_name(c));
		if (pl_gets(c, "image"))
			add_place(b, l, c, S("image"), 0);
	}
	return PL_OK;
}

/* Every list of containers. */
static pl_status walk(struct build *b, struct places_of_images *l, pl_node *n)
{
	pl_status st = PL_OK;
	bool map = pl_kind(n) == PL_MAP;
	for (size_t i = 0; !st && i < pl_len(n); i++) {
		pl_node *value = map ? pl_value(n, i) : pl_item(n, i);
		int kind = pl_kind(value);
		if (kind != PL_LIST && kind != PL_MAP)
			continue;
		st = walk(b, l, value);
		pl_str key = map ? pl_text(pl_key(n, i)) : S("");
		if (!st && kind == PL_LIST && (str_is(key, "containers") || str_is(key, "initContainers")))
			st = note_containers(b, l, value);
	}
	return st;
}

/* ---- setting them ---- */

static pl_status set_image(struct build *b, const struct images *list, const struct place_of_image *p)
{
	bool map = pl_kind(p->parent) == PL_MAP;
	pl_node *old = map ? pl_get(p->parent, p->key) : pl_item(p->parent, p->item), *now = old;
	pl_status st = PL_OK;
	if (pl_kind(old) == PL_LIST || pl_kind(old) == PL_MAP)
		return fail(b, PL_EINVAL, old, "an image must be a string, but it is %s", node_kind_name(old));
	for (uint32_t i = 0; i < list->n; i++) {
		for (uint32_t k = 0; !st && k < p->times && matches(&list->v[i], pl_text(now)); k++)
			st = field_set_plain(b, &now, changed(b, &list->v[i], pl_text(now)));
	}
	if (st || now == old)
		return st;
	return map ? pl_set(b->doc, p->parent, p->key, now) : pl_set_item(b->doc, p->parent, p->item, now);
}

static pl_status set_in(struct build *b, const struct images *list, struct field_index *index,
			struct places_of_images *places, const struct resource *r)
{
	places->n = places->next = 0;
	pl_status st = walk(b, places, r->node);
	if (!st)
		st = field_index_each(b, index, r, -1, note_place, places);
	for (uint32_t i = 0; !st && i < places->n; i++)
		st = set_image(b, list, &places->v[i]);
	return st ? pl_err_in(b->err, "images of %.*s", F(id_text(b, &r->id))) : PL_OK;
}

static pl_status set_everywhere(struct build *b, const struct images *list, const struct fieldspecs *specs,
				struct resmap *m)
{
	struct field_index *index = field_index_new(b, specs);
	struct places_of_images places = {0};
	pl_status st = PL_OK;
	for (uint32_t i = 0; !st && i < m->n; i++) {
		/* A schema may have fields of these names, and its texts are no images. */
		if (m->v[i]->node && !str_is(m->v[i]->id.gvk.kind, "CustomResourceDefinition"))
			st = set_in(b, list, index, &places, m->v[i]);
	}
	return st;
}

static pl_status add_image(struct build *b, const pl_node *n, void *ctx)
{
	static const struct cfg_key keys[] = {
		{"name", CFG_TEXT, offsetof(struct image, name)},
		{"newName", CFG_TEXT, offsetof(struct image, new_name)},
		{"newTag", CFG_TEXT, offsetof(struct image, new_tag)},
		{"digest", CFG_TEXT, offsetof(struct image, digest)},
		{"tagSuffix", CFG_TEXT, offsetof(struct image, tag_suffix)},
	};
	struct images *l = ctx;
	l->v = arena_grow(b->mem, l->v, l->n, &l->cap, sizeof(*l->v));
	struct image *im = &l->v[l->n++];
	*im = (struct image){0};
	pl_status st = cfg_read(b, n, "image", keys, 5, CFG_WARN, im);
	if (!st)
		compile(b, im, n);
	return st;
}

/* What a kustomization's own images: say comes as one list: each place is looked for once, not once an entry. */
pl_status transform_images(struct build *b, struct target *t, const pl_node *cfg, const struct config *fields,
			   struct resmap *m)
{
	static const struct cfg_key keys[] = {
		{"imageTag", CFG_NODE, offsetof(struct images_cfg, image)},
		{"fieldSpecs", CFG_NODE, offsetof(struct images_cfg, specs)},
		{"imageTags", CFG_NODE, offsetof(struct images_cfg, list)},
	};
	(void)t;
	struct images_cfg c = {0};
	struct images list = {0};
	struct fieldspecs specs = {0};
	pl_status st = cfg_read_transformer(b, cfg, keys, fields ? 3 : 2, &c);
	if (!st && c.image)
		st = add_image(b, c.image, &list);
	if (!st)
		st = cfg_each(b, c.list, "images", add_image, &list);
	if (!st)
		st = cfg_fieldspecs(b, c.specs, &specs);
	if (!st)
		st = set_everywhere(b, &list, fields && !c.specs ? &fields->images : &specs, m);
	for (uint32_t i = 0; i < list.n; i++)
		pl_regex_free(list.v[i].re);
	return st;
}
