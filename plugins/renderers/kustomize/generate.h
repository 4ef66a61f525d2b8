/* SPDX-License-Identifier: Apache-2.0 */
/* generate.h - the data of generated ConfigMaps and Secrets: literals, files, and files of KEY=VALUE lines. */
#ifndef KUSTOMIZE_GENERATE_H
#define KUSTOMIZE_GENERATE_H

#include "kustomize.h"

struct datum {
	pl_str key, value; /* value: in the host's memory or the doc's, not copied */
	pl_place at;
	uint32_t order;
	bool bare; /* a line without "=": it may be a piece of a value, and is shown nowhere */
};

struct data {
	struct datum *v;
	uint32_t n, cap;
};

struct data_sources {
	const pl_node *literals, *files, *envs;
};

/* Reads all sources, sorted by key. A key that comes twice is an error. what: "ConfigMap 'x'". */
pl_status data_read(struct build *b, struct target *t, const struct data_sources *from, pl_str what, struct data *out);

bool utf8_valid(pl_str s);
/* Base64 in lines of 70 characters when it is longer, as a node. */
pl_node *base64_node(struct build *b, pl_str s);

#endif
