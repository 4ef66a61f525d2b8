/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/module.h"

#include "core/base/file.h"

#include <dlfcn.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

static void module_path(const char *name, char *to, size_t size)
{
	static const char here; /* anything of libplumb */
	Dl_info self;
	char *dir, *file = NULL;

	if (dladdr(&here, &self) && self.dli_fname)
		file = realpath(self.dli_fname, NULL);
	dir = path_dir(file ? file : "./");
	snprintf(to, size, "%s/modules/%s.so", dir, name);
	if (access(to, R_OK) < 0)
		snprintf(to, size, "%s/plumb/modules/%s.so", dir, name);
	free(dir);
	free(file);
}

void *module_symbol(const char *name, const char *symbol, struct pl_err *why)
{
	char path[PATH_MAX + 64];
	void *library, *found;

	module_path(name, path, sizeof path);
	library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (!library) {
		err_set(why, PL_ENOTFOUND, "load the module '%s': %s", name, dlerror());
		return NULL;
	}
	found = dlsym(library, symbol);
	if (!found)
		err_set(why, PL_EPLUGIN, "'%s' is no module of this library: %s", path, dlerror());
	return found;
}
