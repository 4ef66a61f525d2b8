/* SPDX-License-Identifier: Apache-2.0 */
#include "core/plugin/private.h"

#include "core/base/hash.h"
#include "core/base/mem.h"
#include "plumb/doc.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

#define NAME_MAX_LEN 64

/* What is found out later, behind a const plugin. */
struct late {
	pthread_mutex_t mutex;
	int fd; /* the file as it was loaded; -1 once it was read */
	char digest[HASH_TEXT];
};

struct plugin {
	char *name, *file;
	void *so;
	const pl_plugin *table;
	struct late *late;
};

struct op {
	const char *name;
	size_t at;
};

#define OP(type, f)                                                                                                    \
	{                                                                                                              \
#f, offsetof(type, f)                                                                                  \
	}

static const struct op source_ops[] = {
	OP(pl_source_ops, open),       OP(pl_source_ops, close),     OP(pl_source_ops, resolve),
	OP(pl_source_ops, fetch),      OP(pl_source_ops, describe),  OP(pl_source_ops, tree_open),
	OP(pl_source_ops, tree_close), OP(pl_source_ops, tree_list), OP(pl_source_ops, tree_read),
};
static const struct op renderer_ops[] = {
	OP(pl_renderer_ops, open),
	OP(pl_renderer_ops, close),
	OP(pl_renderer_ops, render),
};
static const struct op applier_ops[] = {
	OP(pl_applier_ops, open),     OP(pl_applier_ops, close),      OP(pl_applier_ops, describe),
	OP(pl_applier_ops, observe),  OP(pl_applier_ops, scan),	      OP(pl_applier_ops, submit),
	OP(pl_applier_ops, complete), OP(pl_applier_ops, watch_next),
};
static const struct op health_ops[] = {
	OP(pl_health_ops, claims),
	OP(pl_health_ops, open),
	OP(pl_health_ops, close),
	OP(pl_health_ops, assess),
};

/* One row a kind: its words, and what its operations must have. */
static const struct kind {
	const char *name, *folder;
	size_t at; /* of the pointer to its operations in pl_plugin */
	uint32_t size;
	const struct op *ops;
	size_t n_ops;
} kinds[] = {
	[PL_KIND_SOURCE] = {"source", "sources", offsetof(pl_plugin, source), sizeof(pl_source_ops), source_ops,
			    sizeof(source_ops) / sizeof(source_ops[0])},
	[PL_KIND_RENDERER] = {"renderer", "renderers", offsetof(pl_plugin, renderer), sizeof(pl_renderer_ops),
			      renderer_ops, sizeof(renderer_ops) / sizeof(renderer_ops[0])},
	[PL_KIND_APPLIER] = {"applier", "appliers", offsetof(pl_plugin, applier), sizeof(pl_applier_ops), applier_ops,
			     sizeof(applier_ops) / sizeof(applier_ops[0])},
	[PL_KIND_HEALTH] = {"health", "health", offsetof(pl_plugin, health), sizeof(pl_health_ops), health_ops,
			    sizeof(health_ops) / sizeof(health_ops[0])},
};

static const struct kind *kind_of(uint32_t kind)
{
	return kind >= PL_KIND_SOURCE && kind <= PL_KIND_HEALTH ? &kinds[kind] : NULL;
}

const char *kind_name(uint32_t kind)
{
	const struct kind *k = kind_of(kind);
	return k ? k->name : "unknown kind";
}

const char *kind_folder(uint32_t kind)
{
	const struct kind *k = kind_of(kind);
	return k ? k->folder : NULL;
}

static pl_status check_version(const pl_plugin *t, struct pl_err *e)
{
	if (t->size < offsetof(pl_plugin, abi) + sizeof(t->abi))
		return err_set(e, PL_EPLUGIN, "its table says it has %u bytes, too few to hold a version", t->size);
	uint32_t major = t->abi >> 16, minor = t->abi & 0xffff;
	if (major != PL_ABI_MAJOR)
		return err_set(e, PL_EPLUGIN, "it is made for plugin ABI %u.%u, this plumb has %u.%u", major, minor,
			       PL_ABI_MAJOR, PL_ABI_MINOR);
	/* Nothing is promised between minors before ABI 1. */
	if (minor != PL_ABI_MINOR) {
		err_set(e, PL_EPLUGIN, "it is made for plugin ABI %u.%u, this plumb has %u.%u", major, minor,
			PL_ABI_MAJOR, PL_ABI_MINOR);
		pl_err_hint(e, "before ABI 1 only the same minor version loads; build it against this plumb's headers");
		return PL_EPLUGIN;
	}
	if (t->size < sizeof(pl_plugin))
		return err_set(e, PL_EPLUGIN, "its table has %u bytes, ABI %u.%u has %zu", t->size, major, minor,
			       sizeof(pl_plugin));
	return PL_OK;
}

static pl_status check_ops(const pl_plugin *t, const struct kind *k, struct pl_err *e)
{
	const char *ops;
	memcpy(&ops, (const char *)t + k->at, sizeof(ops));
	if (!ops)
		return err_set(e, PL_EPLUGIN, "it has no table of %s operations", k->name);
	uint32_t size;
	memcpy(&size, ops, sizeof(size));
	if (size < k->size)
		return err_set(e, PL_EPLUGIN, "its table of %s operations has %u bytes, ABI %u.%u has %u", k->name,
			       size, PL_ABI_MAJOR, PL_ABI_MINOR, k->size);
	for (size_t i = 0; i < k->n_ops; i++) {
		void (*fn)(void);
		_Static_assert(sizeof(fn) == sizeof(void *), "an operation is as large as a pointer");
		memcpy(&fn, ops + k->ops[i].at, sizeof(fn));
		if (!fn)
			return err_set(e, PL_EPLUGIN, "it has no %s operation '%s'", k->name, k->ops[i].name);
	}
	return PL_OK;
}

static pl_status check_schema(const pl_plugin *t, struct pl_err *e)
{
	if (!t->options_schema.n)
		return PL_OK;
	pl_doc *d = pl_doc_new(NULL);
	pl_node *root = NULL;
	pl_status st = pl_json_read(d, t->options_schema, "options_schema", 0, &root, e);
	if (!st && pl_kind(root) != PL_MAP)
		st = err_set(e, PL_EPLUGIN, "the schema of its options is not a JSON object");
	else if (st)
		pl_err_in(e, "the schema of its options");
	pl_doc_unref(d);
	if (st && e)
		e->code = PL_EPLUGIN;
	return st ? PL_EPLUGIN : PL_OK;
}

static pl_status check_words(const pl_plugin *t, pl_str name, struct pl_err *e)
{
	if (!t->name.p || t->name.n == 0 || t->name.n > NAME_MAX_LEN || !str_utf8(t->name))
		return err_set(e, PL_EPLUGIN, "it does not tell its name");
	if (!str_eq(t->name, name))
		return err_set(e, PL_EPLUGIN, "it calls itself '%.*s', its file '%.*s'", F(t->name), F(name));
	if ((t->version.n && !t->version.p) || (t->summary.n && !t->summary.p) || !str_utf8(t->version) ||
	    !str_utf8(t->summary))
		return err_set(e, PL_EPLUGIN, "its version or summary is not UTF-8 text");
	return PL_OK;
}

static pl_status check_table(const pl_plugin *t, uint32_t kind, pl_str name, struct pl_err *e)
{
	pl_status st = check_version(t, e);
	if (st)
		return st;
	const struct kind *is = kind_of(t->kind);
	if (!is)
		return err_set(e, PL_EPLUGIN, "it is of kind %u, which this plumb does not know", t->kind);
	if (t->kind != kind)
		return err_set(e, PL_EPLUGIN, "it is a %s plugin in the folder of %s", is->name, kind_folder(kind));
	st = check_words(t, name, e);
	if (st)
		return st;
	if (t->flags & ~(uint32_t)(PL_THREAD_SAFE | PL_NEEDS_PROCESS | PL_INERT))
		return err_set(e, PL_EPLUGIN, "it has flags (0x%x) that this plumb does not know", t->flags);
	if ((t->flags & PL_NEEDS_PROCESS) && kind != PL_KIND_SOURCE)
		return err_set(e, PL_EUNSUPPORTED, "it asks for a process of its own, which only source plugins get");
	st = check_ops(t, is, e);
	return st ? st : check_schema(t, e);
}

static pl_status ask_entry(struct plugin *p, struct pl_err *e)
{
	pl_plugin_entry_fn entry;
	void *symbol = dlsym(p->so, "pl_plugin_entry");
	if (!symbol)
		return err_set(e, PL_EPLUGIN, "it has no symbol 'pl_plugin_entry': not a plumb plugin");
	memcpy(&entry, &symbol, sizeof(entry));
	p->table = entry(PL_ABI);
	if (!p->table)
		return err_set(e, PL_EPLUGIN, "it declines this plumb (plugin ABI %u.%u)", PL_ABI_MAJOR, PL_ABI_MINOR);
	return PL_OK;
}

pl_status plugin_load(uint32_t kind, pl_str name, const char *file, struct plugin **out, struct pl_err *e)
{
	struct plugin *p = mem_zalloc(sizeof(*p));
	p->name = str_dup(name);
	p->file = str_dup(str_of(file));
	p->late = mem_zalloc(sizeof(*p->late));
	pthread_mutex_init(&p->late->mutex, NULL);
	p->late->fd = open(file, O_RDONLY | O_CLOEXEC);
	p->so = dlopen(file, RTLD_NOW | RTLD_LOCAL);
	pl_status st;
	if (p->so) {
		st = ask_entry(p, e);
		st = st ? st : check_table(p->table, kind, name, e);
	} else {
		const char *why = dlerror();
		st = err_set(e, PL_EPLUGIN, "it can't be loaded: %s", why ? why : "no reason given");
	}
	if (!st) {
		*out = p;
		return PL_OK;
	}
	plugin_unload(p);
	pl_err_in(e, "%s plugin '%s'", kind_name(kind), file);
	return st;
}

void plugin_unload(struct plugin *p)
{
	if (!p)
		return;
	if (p->so)
		dlclose(p->so);
	if (p->late->fd >= 0)
		close(p->late->fd);
	pthread_mutex_destroy(&p->late->mutex);
	free(p->late);
	free(p->name);
	free(p->file);
	free(p);
}

const pl_plugin *plugin_table(const struct plugin *p)
{
	return p->table;
}

const char *plugin_file(const struct plugin *p)
{
	return p->file;
}

pl_str plugin_name(const struct plugin *p)
{
	return str_of(p->name);
}

const char *plugin_namez(const struct plugin *p)
{
	return p->name;
}

/* A file that can't be read any more still needs a key of its own: what the plugin says of itself. */
static void digest_file(const struct plugin *p, int fd, char to[HASH_TEXT])
{
	struct hash *h = hash_new();
	char block[16384];
	ssize_t n = -1;
	off_t at = 0;
	while (fd >= 0 && (n = pread(fd, block, sizeof(block), at)) > 0) {
		hash_add(h, (pl_str){block, (size_t)n});
		at += n;
	}
	if (n < 0) {
		hash_add_field(h, str_of(p->file));
		hash_add_field(h, p->table->version);
	}
	uint8_t sum[HASH_SIZE];
	hash_end(h, sum);
	hash_hex(sum, to);
}

const char *plugin_digest(const struct plugin *p)
{
	struct late *l = p->late;
	pthread_mutex_lock(&l->mutex);
	if (!l->digest[0]) {
		digest_file(p, l->fd, l->digest);
		if (l->fd >= 0)
			close(l->fd);
		l->fd = -1;
	}
	pthread_mutex_unlock(&l->mutex);
	return l->digest;
}
