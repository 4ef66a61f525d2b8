/* SPDX-License-Identifier: Apache-2.0 */
#include "core/server/address.h"

#include "core/base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

int address_open(struct address *a, const char *path)
{
	*a = (struct address){.a = {.sun_family = AF_UNIX}, .folder = -1};
	if (strlen(path) < sizeof a->a.sun_path) {
		memcpy(a->a.sun_path, path, strlen(path) + 1);
		return 0;
	}
	const char *slash = strrchr(path, '/');
	char *folder = path_dir(path);
	a->folder = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	int error = a->folder < 0 ? errno : 0;
	free(folder);
	int n = snprintf(a->a.sun_path, sizeof a->a.sun_path, "/proc/self/fd/%d/%s", a->folder,
			 slash ? slash + 1 : path);
	if (!error && (n < 0 || (size_t)n >= sizeof a->a.sun_path))
		error = ENAMETOOLONG;
	if (error)
		address_close(a);
	return error;
}

void address_close(struct address *a)
{
	if (a->folder >= 0)
		close(a->folder);
	a->folder = -1;
}
