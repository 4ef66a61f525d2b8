/* SPDX-License-Identifier: Apache-2.0 */
/* select.h - patterns for names, and label selectors as Kubernetes writes them: "app=web,tier in (a, b),!old". */
#ifndef KUSTOMIZE_SELECT_H
#define KUSTOMIZE_SELECT_H

#include "kustomize.h"

/* A regular expression of Go's syntax for the whole text. Most have nothing special in them but dots. */
struct pattern {
	pl_str text; /* empty: any */
	bool literal;
	bool dots; /* nothing special but dots */
	pl_regex *regex;
};

/* Lives as long as the build. field is at's name for errors. */
pl_status pattern_read(struct build *b, const pl_node *at, const char *field, pl_str text, struct pattern *out);
bool pattern_matches(const struct pattern *p, pl_str s);
/* The same for one that is searched for. where: for errors, "in 'spec.[name=a.*]'". */
pl_status regex_read(struct build *b, const pl_node *at, const char *where, pl_str text, pl_regex **out);

struct requirements;
/* text is at's; field is its name for errors. *out is NULL for a selector that selects everything. */
pl_status requirements_read(struct build *b, const pl_node *at, const char *field, pl_str text,
			    struct requirements **out);
/* labels: a map, or NULL */
bool requirements_hold(const struct requirements *r, const pl_node *labels);

#endif
