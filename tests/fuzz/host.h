/* SPDX-License-Identifier: Apache-2.0 */
/* A host in memory for fuzz targets that go through the kustomize plugin: files in, what it prints or refuses out. */
#ifndef TESTS_FUZZ_HOST_H
#define TESTS_FUZZ_HOST_H

#include "plumb/doc.h"

struct host_file {
	pl_str name; /* below the root, with single slashes */
	pl_str text;
};

/*
 * What building the folder dir ("" is the root) of a tree of these files prints, or why it is refused, log lines
 * before it; malloc'ed. options is the render step's JSON. Of files in each other's way the first one counts.
 * Repositories elsewhere are the folder "git" among the files, a file by its URL the one in the folder "http".
 */
char *host_kustomize(const struct host_file *files, size_t n, pl_str dir, pl_str options);

#endif
