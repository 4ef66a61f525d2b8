/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Replacements (up to a line "===") and resources, built by the kustomize plugin itself from a tree in memory. Whatever
 * they say, the plugin does not crash, what it refuses has a reason, and a second build says the same as the first.
 */
#include "core/base/err.h"
#include "core/base/str.h"
#include "tests/fuzz/host.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data, *cut = size ? memmem(text, size, "\n===\n", 5) : NULL;
	if (!cut)
		return 0;
	size_t head = (size_t)(cut - text) + 1;
	struct host_file files[] = {
		{S("kustomization.yaml"), S("resources: [r.yaml]\nreplacements: [{path: x.yaml}]\n")},
		{S("r.yaml"), {cut + 5, size - head - 4}},
		{S("x.yaml"), {text, head}},
	};
	char *one = host_kustomize(files, 3, S(""), S("{}")), *two = host_kustomize(files, 3, S(""), S("{}"));
	if (strcmp(one, two) != 0)
		BUG("two builds differ");
	free(one);
	free(two);
	return 0;
}
