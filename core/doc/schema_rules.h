/* SPDX-License-Identifier: Apache-2.0 */
/* The keywords of JSON Schema that are known, and what each takes. */
#ifndef DOC_SCHEMA_RULES_H
#define DOC_SCHEMA_RULES_H

#include "core/base/err.h"
#include "plumb/doc.h"

enum schema_keyword {
	SCHEMA_TYPE,
	SCHEMA_PROPERTIES,
	SCHEMA_REQUIRED,
	SCHEMA_ADDITIONAL_PROPERTIES,
	SCHEMA_ITEMS,
	SCHEMA_ENUM,
	SCHEMA_CONST,
	SCHEMA_DEFAULT,
	SCHEMA_MINIMUM,
	SCHEMA_MAXIMUM,
	SCHEMA_MIN_LENGTH,
	SCHEMA_MAX_LENGTH,
	SCHEMA_MIN_ITEMS,
	SCHEMA_MAX_ITEMS,
	SCHEMA_PATTERN,
	SCHEMA_ONE_OF,
	SCHEMA_ANY_OF,
	SCHEMA_ALL_OF,
	SCHEMA_DESCRIPTION,
	SCHEMA_FORMAT,
	SCHEMA_KEYWORDS
};

/* SCHEMA_KEYWORDS when there is none of that name. */
enum schema_keyword schema_keyword_of(pl_str name);

/* Does a value have a JSON type of that name? -1: there is no such type. */
int schema_has_type(const pl_node *value, pl_str type);

/* Checks the schema itself, with all schemas inside it. Returns whether it is one. */
bool schema_verify(const pl_doc *d, const pl_node *schema, struct err_list *errors);

#endif
