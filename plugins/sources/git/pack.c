/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each fetch leaves a pack, and each pack is an open file and a map for everybody who reads. So small ones are put
 * together into one once there are many; large ones are left alone, so that this never costs more than a fetch.
 */
#include "git.h"

#include <dirent.h>
#include <git2/odb_backend.h>
#include <git2/pack.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PACKS_MAX  32
#define SMALL_PACK (4 << 20) /* bytes; of this size and more a pack is left as it is */

struct small {
	char *names[4 * PACKS_MAX]; /* "pack-HEX", without the ending */
	size_t n;
};

static char *pack_file(const char *folder, const char *name, const char *ending)
{
	return git_printf("%s/%s%s", folder, name, ending);
}

static void take_if_small(struct small *s, const char *folder, const char *file)
{
	size_t n = strlen(file);
	struct stat st;
	if (s->n == sizeof(s->names) / sizeof(s->names[0]) || n < 5 || strcmp(file + n - 5, ".pack") != 0)
		return;
	char *name = git_strndup(file, n - 5), *pack = pack_file(folder, name, ".pack"),
	     *index = pack_file(folder, name, ".idx");
	bool indexed = access(index, F_OK) == 0;
	if (!indexed)
		(void)unlink(pack); /* left by a kill while packs were dropped: readers never see it */
	if (indexed && stat(pack, &st) == 0 && st.st_size < SMALL_PACK)
		s->names[s->n++] = name;
	else
		free(name);
	free(pack);
	free(index);
}

static void find_small(struct small *s, const char *folder)
{
	DIR *d = opendir(folder);
	struct dirent *entry;
	while (d && (entry = readdir(d)))
		take_if_small(s, folder, entry->d_name);
	if (d)
		closedir(d);
}

static int insert(const git_oid *id, void *builder)
{
	return git_packbuilder_insert(builder, id, NULL);
}

/* Every object of one pack. */
static int insert_pack(git_packbuilder *b, const char *folder, const char *name)
{
	git_odb *odb = NULL;
	git_odb_backend *backend = NULL;
	char *index = pack_file(folder, name, ".idx");
	int code = git_odb_new(&odb);
	if (!code)
		code = git_odb_backend_one_pack(&backend, index);
	if (!code)
		code = git_odb_add_backend(odb, backend, 1); /* the odb frees it */
	if (!code)
		code = git_odb_foreach(odb, insert, b);
	git_odb_free(odb);
	free(index);
	return code;
}

/* The index goes first: a pack without one is nothing to a reader. */
static void drop(const char *folder, const char *name)
{
	char *index = pack_file(folder, name, ".idx"), *pack = pack_file(folder, name, ".pack");
	if (unlink(index) == 0)
		(void)unlink(pack);
	free(index);
	free(pack);
}

static void drop_all_but(const struct small *s, const char *folder, const char *hex)
{
	for (size_t i = 0; i < s->n; i++)
		if (strcmp(s->names[i] + strlen("pack-"), hex) != 0)
			drop(folder, s->names[i]);
}

void git_cache_pack_objects(const pl_host *h, struct cache_repo *c)
{
	struct small s = {.n = 0};
	git_packbuilder *b = NULL;
	char *folder = git_printf("%sobjects/pack", git_repository_path(c->repo));
	find_small(&s, folder);
	int code = s.n > PACKS_MAX ? git_packbuilder_new(&b, c->repo) : 0;
	if (b)
		(void)git_packbuilder_set_threads(b, 1);
	for (size_t i = 0; b && i < s.n && !code; i++)
		code = insert_pack(b, folder, s.names[i]);
	/* Written by a temporary name and synced before the old ones go: a kill leaves too much, never too little. */
	if (b && !code)
		code = git_packbuilder_write(b, NULL, 0, NULL, NULL);
	if (b && !code)
		drop_all_but(&s, folder, git_packbuilder_name(b));
	else if (code)
		git_log(h, PL_LOG_WARN, "the packs in '%s' can't be put together: %s", folder,
			git_error_last() ? git_error_last()->message : "no reason given");
	git_packbuilder_free(b);
	for (size_t i = 0; i < s.n; i++)
		free(s.names[i]);
	free(folder);
}
