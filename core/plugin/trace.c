/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Traces. A look is noted at the path where it really happened: links on the way are looks of their own, so no path
 * here has a link in it. An absent path is noted by its first absent step. Besides the looks, a trace keeps the ids of
 * the folders it has passed: hints that let a match skip all of a folder that has not changed. Hints are no condition:
 * what nobody looked at may change.
 */
#include "core/base/hash.h"
#include "core/base/mem.h"
#include "core/plugin/private.h"

#define TRACE_MAGIC	   0x31545250u /* "PRT1": without other trees, as all were once */
#define TRACE_MAGIC_REMOTE 0x32545250u /* "PRT2": other trees stand behind the looks */
#define NOTES_MAX	   (16u * 1024 * 1024)

struct note {
	uint8_t look, type, executable;
	uint32_t path_n, id_n;
	char bytes[]; /* path, id */
};

/* In the order of a walk: a folder, then all below it, then its next sibling. */
struct trace {
	struct note **v;
	size_t n, cap, n_hints;
	struct trace_remote *remotes; /* strings malloc'ed; sorted */
	size_t n_remotes, cap_remotes;
};

static pl_str note_path(const struct note *n)
{
	return (pl_str){n->bytes, n->path_n};
}

static pl_str note_id(const struct note *n)
{
	return (pl_str){n->bytes + n->path_n, n->id_n};
}

struct trace *trace_new(void)
{
	return mem_zalloc(sizeof(struct trace));
}

void trace_free(struct trace *t)
{
	if (!t)
		return;
	for (size_t i = 0; i < t->n; i++)
		free(t->v[i]);
	for (size_t i = 0; i < t->n_remotes; i++) {
		const pl_str texts[] = {t->remotes[i].plugin, t->remotes[i].options, t->remotes[i].revision,
					t->remotes[i].id};
		for (size_t k = 0; k < sizeof(texts) / sizeof(texts[0]); k++)
			free((char *)(uintptr_t)texts[k].p);
	}
	free(t->remotes);
	free(t->v);
	free(t);
}

size_t trace_len(const struct trace *t)
{
	return t->n - t->n_hints;
}

/* A slash comes before every other byte, so that all of a folder stands together. */
static int path_cmp(pl_str a, pl_str b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	for (size_t i = 0; i < n; i++) {
		if (a.p[i] == b.p[i])
			continue;
		int x = a.p[i] == '/' ? -1 : (unsigned char)a.p[i];
		int y = b.p[i] == '/' ? -1 : (unsigned char)b.p[i];
		return x < y ? -1 : 1;
	}
	return a.n == b.n ? 0 : a.n < b.n ? -1 : 1;
}

static int note_cmp(const struct note *n, enum look look, pl_str path)
{
	int c = path_cmp(note_path(n), path);
	return c ? c : (int)n->look - (int)look;
}

/* Where the look is or would stand. Looks mostly come in order, so the end is tried first. */
static size_t place_of(const struct trace *t, enum look look, pl_str path, bool *there)
{
	size_t from = 0, to = t->n;
	*there = false;
	if (t->n && note_cmp(t->v[t->n - 1], look, path) < 0)
		return t->n;
	while (from < to) {
		size_t mid = from + (to - from) / 2;
		int c = note_cmp(t->v[mid], look, path);
		if (c == 0) {
			*there = true;
			return mid;
		}
		if (c < 0)
			from = mid + 1;
		else
			to = mid;
	}
	return from;
}

static void insert(struct trace *t, size_t at, struct note *n)
{
	t->v = mem_grow(t->v, &t->cap, t->n + 1, sizeof(*t->v));
	memmove(t->v + at + 1, t->v + at, (t->n - at) * sizeof(*t->v));
	t->v[at] = n;
	t->n++;
	t->n_hints += n->look == LOOK_HINT;
}

static struct note *note_new(uint32_t look, uint32_t type, bool executable, pl_str path, pl_str id)
{
	struct note *n = mem_alloc(sizeof(*n) + path.n + id.n);
	*n = (struct note){
		.look = (uint8_t)look,
		.type = (uint8_t)type,
		.executable = executable,
		.path_n = (uint32_t)path.n,
		.id_n = (uint32_t)id.n,
	};
	if (path.n)
		memcpy(n->bytes, path.p, path.n);
	if (id.n)
		memcpy(n->bytes + path.n, id.p, id.n);
	return n;
}

void trace_note(struct trace *t, enum look look, const pl_entry *found, pl_str path, pl_str id)
{
	bool there;
	if (!t)
		return;
	size_t at = place_of(t, look, path, &there);
	if (there)
		return;
	uint32_t type = found ? found->type : PL_ABSENT;
	insert(t, at, note_new(look, type, look == LOOK_CONTENT && found && found->executable, path, id));
}

/* ---- other trees ---- */

static int remote_cmp(const struct trace_remote *a, const struct trace_remote *b)
{
	int c = str_cmp(a->plugin, b->plugin);
	c = c ? c : str_cmp(a->options, b->options);
	return c ? c : str_cmp(a->revision, b->revision);
}

static pl_str own(pl_str s)
{
	return (pl_str){str_dup(s), s.n};
}

void trace_note_remote(struct trace *t, const struct trace_remote *r)
{
	size_t at = 0;
	if (!t)
		return;
	while (at < t->n_remotes && remote_cmp(&t->remotes[at], r) < 0)
		at++;
	if (at < t->n_remotes && remote_cmp(&t->remotes[at], r) == 0)
		return;
	t->remotes = mem_grow(t->remotes, &t->cap_remotes, t->n_remotes + 1, sizeof(*t->remotes));
	memmove(t->remotes + at + 1, t->remotes + at, (t->n_remotes - at) * sizeof(*t->remotes));
	t->remotes[at] = (struct trace_remote){own(r->plugin), own(r->options), own(r->revision), own(r->id)};
	t->n_remotes++;
}

const struct trace_remote *trace_remotes(const struct trace *t, size_t *n)
{
	*n = t->n_remotes;
	return t->remotes;
}

/* ---- does it still hold? ---- */

struct walk {
	struct snapshot *snapshot;
	pl_str dir;		       /* where the last look was */
	const struct listing *listing; /* …and what is there; NULL: not a folder any more */
	bool valid;
};

/* The listing of the folder path, or NULL when the way there is not made of folders any more. */
static pl_status walk_to(struct walk *w, pl_str path, const struct listing **out, struct pl_err *e)
{
	if (w->valid && str_eq(w->dir, path)) {
		*out = w->listing;
		return PL_OK;
	}
	w->valid = false;
	*out = NULL;
	const struct listing *l = NULL;
	pl_status st = snapshot_list(w->snapshot, S(""), S(""), &l, e);
	for (size_t from = 0; !st && from < path.n;) {
		const char *slash = memchr(path.p + from, '/', path.n - from);
		size_t to = slash ? (size_t)(slash - path.p) : path.n;
		const pl_entry *f = listing_find(l, (pl_str){path.p + from, to - from});
		if (!f || f->type != PL_DIR) {
			l = NULL;
			break;
		}
		st = snapshot_list(w->snapshot, f->id, (pl_str){path.p, to}, &l, e);
		from = to + 1;
	}
	if (st)
		return st;
	*w = (struct walk){.snapshot = w->snapshot, .dir = path, .listing = l, .valid = true};
	*out = l;
	return PL_OK;
}

/* One look again. same is false too when the way there has become another. */
static pl_status look_again(struct walk *w, const struct note *n, bool *same, struct pl_err *e)
{
	static const pl_entry root = {.size = sizeof(root), .type = PL_DIR};
	pl_str path = note_path(n), dir = path, name = path;
	const struct listing *l;
	if (n->look == LOOK_LIST) {
		pl_status st = walk_to(w, path, &l, e);
		*same = !st && l && str_eq(note_id(n), snapshot_digest(w->snapshot, l));
		return st;
	}
	const char *slash = path.n ? memrchr(path.p, '/', path.n) : NULL;
	dir.n = slash ? (size_t)(slash - path.p) : 0;
	if (slash)
		name = (pl_str){slash + 1, path.n - dir.n - 1};
	pl_status st = walk_to(w, dir, &l, e);
	if (st)
		return st;
	const pl_entry *f = !l ? NULL : path.n ? listing_find(l, name) : &root;
	*same = l && (f ? f->type : PL_ABSENT) == n->type;
	if (*same && (n->look == LOOK_CONTENT || n->look == LOOK_HINT))
		*same = f && str_eq(f->id, note_id(n)) &&
			(n->look == LOOK_HINT || (f->executable != 0) == n->executable);
	return PL_OK;
}

static bool below(pl_str path, pl_str dir)
{
	return path.n >= dir.n && memcmp(path.p, dir.p, dir.n) == 0 && (path.n == dir.n || path.p[dir.n] == '/');
}

pl_status trace_matches(const struct trace *t, struct snapshot *s, bool *same, struct pl_err *e)
{
	struct walk w = {.snapshot = s};
	const struct note *unchanged = NULL; /* a folder whose id is as it was */
	*same = true;
	for (size_t i = 0; i < t->n; i++) {
		const struct note *n = t->v[i];
		if (unchanged && below(note_path(n), note_path(unchanged)))
			continue;
		bool as_it_was = false;
		pl_status st = look_again(&w, n, &as_it_was, e);
		if (st)
			return st;
		if (n->look == LOOK_HINT) {
			if (as_it_was)
				unchanged = n;
		} else if (!as_it_was) {
			*same = false;
			return PL_OK;
		}
	}
	return PL_OK;
}

void trace_digest(const struct trace *t, struct hash *h)
{
	for (size_t i = 0; i < t->n; i++) {
		const struct note *n = t->v[i];
		if (n->look == LOOK_HINT)
			continue;
		char head[3] = {(char)n->look, (char)n->type, (char)n->executable};
		hash_add(h, (pl_str){head, sizeof(head)});
		hash_add_field(h, note_path(n));
		hash_add_field(h, note_id(n));
	}
	for (size_t i = 0; i < t->n_remotes; i++) {
		hash_add_field(h, t->remotes[i].plugin);
		hash_add_field(h, t->remotes[i].options);
		hash_add_field(h, t->remotes[i].revision);
		hash_add_field(h, t->remotes[i].id);
	}
}

/* ---- kept beyond the process ---- */

static uint64_t checksum(pl_str bytes)
{
	uint8_t sum[HASH_SIZE];
	uint64_t v;
	hash_of(bytes, sum);
	memcpy(&v, sum, sizeof(v));
	return v;
}

void trace_pack(const struct trace *t, struct buf *b)
{
	size_t from = b->n;
	buf_add_u32(b, t->n_remotes ? TRACE_MAGIC_REMOTE : TRACE_MAGIC);
	buf_add_u32(b, (uint32_t)t->n);
	for (size_t i = 0; i < t->n; i++) {
		const struct note *n = t->v[i];
		buf_add_u32(b, (uint32_t)n->look | (uint32_t)n->type << 8 | (uint32_t)n->executable << 16);
		buf_add_str(b, note_path(n));
		buf_add_str(b, note_id(n));
	}
	if (t->n_remotes)
		buf_add_u32(b, (uint32_t)t->n_remotes);
	for (size_t i = 0; i < t->n_remotes; i++) {
		buf_add_str(b, t->remotes[i].plugin);
		buf_add_str(b, t->remotes[i].options);
		buf_add_str(b, t->remotes[i].revision);
		buf_add_str(b, t->remotes[i].id);
	}
	buf_add_u64(b, checksum((pl_str){b->p + from, b->n - from}));
}

static bool unpack_note(struct trace *t, struct reader *r)
{
	uint32_t head = read_u32(r);
	pl_str path = read_str(r), id = read_str(r);
	uint32_t look = head & 0xff, type = head >> 8 & 0xff, executable = head >> 16;
	if (r->bad || look < LOOK_HINT || look > LOOK_LIST || type > PL_SUBMODULE || executable > 1 ||
	    !tree_path_ok(path))
		return false;
	if (t->n && note_cmp(t->v[t->n - 1], (enum look)look, path) >= 0)
		return false;
	insert(t, t->n, note_new(look, type, executable != 0, path, id));
	return true;
}

static bool unpack_remotes(struct trace *t, struct reader *r)
{
	uint32_t n = read_u32(r);
	for (uint32_t i = 0; i < n; i++) {
		struct trace_remote x = {.plugin = read_str(r)};
		x.options = read_str(r);
		x.revision = read_str(r);
		x.id = read_str(r);
		if (r->bad || (t->n_remotes && remote_cmp(&t->remotes[t->n_remotes - 1], &x) >= 0))
			return false;
		trace_note_remote(t, &x);
	}
	return !r->bad;
}

pl_status trace_unpack(pl_str packed, struct trace **out, struct pl_err *e)
{
	struct reader r = {.p = packed.p, .n = packed.n};
	struct trace *t = trace_new();
	uint32_t magic = read_u32(&r), n = read_u32(&r);
	bool ok = magic == TRACE_MAGIC || magic == TRACE_MAGIC_REMOTE;
	ok = ok && !r.bad && n <= NOTES_MAX && packed.n >= 16;
	for (uint32_t i = 0; i < n && ok; i++)
		ok = unpack_note(t, &r);
	if (ok && magic == TRACE_MAGIC_REMOTE)
		ok = unpack_remotes(t, &r) && t->n_remotes; /* none at all is the other form */
	ok = ok && r.n == 8 && read_u64(&r) == checksum((pl_str){packed.p, packed.n - 8});
	if (ok) {
		*out = t;
		return PL_OK;
	}
	trace_free(t);
	return err_set(e, PL_EINVAL, "a stored trace is damaged");
}
