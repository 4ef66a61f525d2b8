/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The packed form: magic, version, SHA-256 of the rest, then fields in order. A blob that does not check is refused
 * as a whole: half a sync is worse than a fresh look.
 */
#include "core/base/hash.h"
#include "core/engine/sync_parts.h"

#define PACK_MAGIC   0x4e595350u /* "PSYN" */
#define PACK_VERSION 1u
#define PACK_MAX     (256u << 20)
/* The least bytes one entry (five empty texts of the ref, two of the result, five numbers) or one ref takes. */
#define REF_MIN	  (5 * 4)
#define ENTRY_MIN (REF_MIN + 2 * 4 + 3 * 4)

enum {
	FLAG_DRY_RUN = 1,
	FLAG_PRUNE = 2,
	FLAG_CONFIRMED = 4,
	FLAG_ALLOW_EMPTY = 8,
	FLAG_RENDER_FAILED = 16,
	FLAG_FIXED = 32
};

static uint32_t flags_of(const struct sync_start *i)
{
	return (i->dry_run ? FLAG_DRY_RUN : 0u) | (i->policy.prune ? FLAG_PRUNE : 0u) |
	       (i->policy.prune_confirmed ? FLAG_CONFIRMED : 0u) | (i->policy.allow_empty ? FLAG_ALLOW_EMPTY : 0u) |
	       (i->policy.render_failed ? FLAG_RENDER_FAILED : 0u) | (i->fixed ? FLAG_FIXED : 0u);
}

static void pack_ref(struct buf *b, const pl_ref *r)
{
	buf_add_str(b, r->group);
	buf_add_str(b, r->version);
	buf_add_str(b, r->kind);
	buf_add_str(b, r->ns);
	buf_add_str(b, r->name);
}

static void pack_body(const struct sync *s, struct buf *b)
{
	const struct sync_start *i = &s->info;

	buf_add_str(b, i->app);
	buf_add_str(b, i->revision);
	buf_add_str(b, i->revision_name);
	buf_add_str(b, i->initiator);
	buf_add_u64(b, (uint64_t)i->started_ms);
	buf_add_u64(b, (uint64_t)i->render);
	buf_add_u64(b, (uint64_t)i->deadline_ms);
	buf_add_u32(b, flags_of(i));
	buf_add_u32(b, (uint32_t)i->policy.n_only);
	for (size_t k = 0; k < i->policy.n_only; k++)
		pack_ref(b, &i->policy.only[k]);
	buf_add_u32(b, (uint32_t)s->n_entries);
	for (size_t k = 0; k < s->n_entries; k++) {
		const struct sync_entry *e = &s->entries[k];

		pack_ref(b, &e->ref);
		buf_add_u32(b, e->op);
		buf_add_u32(b, e->state);
		buf_add_u32(b, e->submitted);
		buf_add_str(b, e->status);
		buf_add_str(b, e->message);
	}
}

void sync_pack(const struct sync *s, struct buf *b)
{
	struct buf body = BUF_INIT(PACK_MAX);
	uint8_t digest[HASH_SIZE];

	pack_body(s, &body);
	hash_of(buf_str(&body), digest);
	buf_add_u32(b, PACK_MAGIC);
	buf_add_u32(b, PACK_VERSION);
	buf_add(b, (pl_str){(const char *)digest, sizeof(digest)});
	buf_add(b, buf_str(&body));
	b->full |= body.full;
	buf_free(&body);
}

static pl_ref unpack_ref(struct reader *r)
{
	pl_ref ref;

	ref.group = read_str(r);
	ref.version = read_str(r);
	ref.kind = read_str(r);
	ref.ns = read_str(r);
	ref.name = read_str(r);
	return ref;
}

/* A count that can't be true for what is left would only make us ask for memory. */
static size_t unpack_count(struct reader *r, size_t least)
{
	size_t n = read_u32(r);

	if (n > r->n / least)
		r->bad = true;
	return r->bad ? 0 : n;
}

static void unpack_info(struct reader *r, struct arena *a, struct sync_start *i)
{
	uint32_t flags;
	pl_ref *only;

	i->app = read_str(r);
	i->revision = read_str(r);
	i->revision_name = read_str(r);
	i->initiator = read_str(r);
	i->started_ms = (int64_t)read_u64(r);
	i->render = (int64_t)read_u64(r);
	i->deadline_ms = (int64_t)read_u64(r);
	flags = read_u32(r);
	i->dry_run = flags & FLAG_DRY_RUN;
	i->fixed = flags & FLAG_FIXED;
	i->policy = (struct plan_policy){.prune = flags & FLAG_PRUNE,
					 .prune_confirmed = flags & FLAG_CONFIRMED,
					 .allow_empty = flags & FLAG_ALLOW_EMPTY,
					 .render_failed = flags & FLAG_RENDER_FAILED};
	i->policy.n_only = unpack_count(r, REF_MIN);
	only = arena_array(a, i->policy.n_only + 1, sizeof(*only));
	for (size_t k = 0; k < i->policy.n_only; k++)
		only[k] = unpack_ref(r);
	i->policy.only = only;
}

static void unpack_entries(struct reader *r, struct sync *s)
{
	size_t n = unpack_count(r, ENTRY_MIN);

	for (size_t k = 0; k < n && !r->bad; k++) {
		pl_ref ref = unpack_ref(r);
		uint32_t op = read_u32(r), state = read_u32(r), submitted = read_u32(r);
		struct sync_entry *e;

		if (op > PLAN_DELETE || state > ENTRY_BLOCKED || submitted > 1) {
			r->bad = true;
			return;
		}
		e = sync_entry_add(s, &ref, (enum plan_op)op);
		e->state = state == ENTRY_RUNNING ? ENTRY_PENDING : (enum entry_state)state;
		e->submitted = submitted;
		e->status = arena_dup(s->a, read_str(r));
		e->message = arena_dup(s->a, read_str(r));
	}
}

pl_status sync_unpack(pl_str blob, struct sync **out, struct pl_err *e)
{
	struct reader r = {.p = blob.p, .n = blob.n};
	uint32_t magic = read_u32(&r), version = read_u32(&r);
	struct sync_start info = {0};
	uint8_t digest[HASH_SIZE];
	struct arena *tmp;
	struct sync *s;
	bool bad;

	*out = NULL;
	if (r.bad || magic != PACK_MAGIC)
		return err_set(e, PL_EIO, "the stored sync is damaged");
	if (version != PACK_VERSION)
		return err_set(e, PL_EUNSUPPORTED, "the stored sync has version %u, this plumb reads version %u",
			       version, PACK_VERSION);
	if (r.n < HASH_SIZE)
		return err_set(e, PL_EIO, "the stored sync is cut off");
	hash_of((pl_str){r.p + HASH_SIZE, r.n - HASH_SIZE}, digest);
	if (memcmp(digest, r.p, HASH_SIZE) != 0)
		return err_set(e, PL_EIO, "the stored sync is damaged");
	r.p += HASH_SIZE;
	r.n -= HASH_SIZE;
	tmp = arena_new();
	unpack_info(&r, tmp, &info);
	s = sync_new(&info); /* copies: the blob may go */
	unpack_entries(&r, s);
	bad = r.bad || r.n != 0;
	arena_free(tmp);
	if (bad) {
		sync_free(s);
		return err_set(e, PL_EIO, "the stored sync is damaged");
	}
	*out = s;
	return PL_OK;
}
