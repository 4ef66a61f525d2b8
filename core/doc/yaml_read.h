/* SPDX-License-Identifier: Apache-2.0 */
/* The YAML reader's parts: building the tree from events, anchors, merge keys, wording of the scanner's complaints. */
#ifndef DOC_YAML_READ_H
#define DOC_YAML_READ_H

#include "core/doc/scalar.h"

/* Keys that are lists or maps become their JSON text instead of an error: what has no JSON form is still checked. */
#define YAML_COMPLEX_KEYS 0x10000u

struct yaml_anchor {
	pl_node *node;
	uint32_t count, height; /* of the subtree; 0: not yet counted */
	bool open;		/* its container is still being read */
};

struct yaml_frame {
	pl_node *node;
	size_t first; /* where its children begin in yaml_builder.kids */
	bool merges;  /* a map with a merge key */
	bool complex; /* a map with a key that is no scalar (YAML_COMPLEX_KEYS): nobody says whether two such keys are
			 equal */
};

struct yaml_builder {
	pl_doc *d;
	pl_err *e;
	uint32_t file, flags;
	int schema;
	struct yaml_frame *frames;
	size_t n_frames, cap_frames;
	pl_node **kids; /* children of all open containers, one behind the other */
	size_t n_kids, cap_kids;
	struct keyset anchor_names; /* to positions in anchors */
	struct yaml_anchor *anchors;
	size_t n_anchors, cap_anchors;
	uint64_t aliased;
	uint32_t flow;	    /* open lists and maps in brackets */
	uint64_t flow_work; /* see MAX_FLOW_WORK */
	pl_str keys[256];   /* texts of keys seen lately, by a rough hash: manifests repeat theirs */
	pl_node **roots;
	size_t n_roots, cap_roots;
};

/* ---- yaml_anchor.c ---- */
void yaml_anchor_set(struct yaml_builder *b, pl_str name, pl_node *node, bool open);
void yaml_anchors_clear(struct yaml_builder *b); /* at a document's end */
/* A copy of what the anchor stands for. NULL with e filled: unknown, contains itself, over a limit. */
pl_node *yaml_alias(struct yaml_builder *b, pl_str name, uint32_t line, uint32_t col);

/* ---- yaml_merge.c ---- */
bool yaml_is_merge_key(const pl_node *key);
/* Gives map its n children from kids, with the maps behind its merge keys taken in. */
pl_status yaml_merge(struct yaml_builder *b, pl_node *map, pl_node *const *kids, size_t n);

/* ---- yaml_error.c ---- */
struct yaml_problem {
	const char *problem, *context; /* the scanner's words; may be NULL */
	uint32_t line, col;	       /* from 1; 0: the problem was found at byte offset */
	uint32_t begun;		       /* the line where the thing begins that is wrong; 0 unknown */
	size_t offset;
	int value; /* the offending byte or character of a decoding problem, or -1 */
};

pl_status yaml_complain(const struct yaml_builder *b, pl_str text, const struct yaml_problem *p);
/* Refuses texts that would keep the scanner busy out of all proportion. */
pl_status yaml_screen(const struct yaml_builder *b, pl_str text);

#endif
