/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON Schema (draft 2020-12), the part that options need: type (also a list of types), properties, required,
 * additionalProperties, items, enum, const, default, minimum, maximum, minLength, maxLength, minItems, maxItems,
 * pattern (as POSIX extended, searched), oneOf, anyOf, allOf, description, and format "path", "duration", "uri". An
 * unknown keyword is an error of the schema.
 */
#ifndef DOC_SCHEMA_H
#define DOC_SCHEMA_H

#include "core/base/err.h"
#include "plumb/doc.h"

/*
 * Checks value against schema, telling every mistake with its place and the nearest right name ("unknown option 'ulr'
 * (did you mean 'url'?)"), and fills defaults in: value must be mutable, in d. A "path" that is relative is made
 * absolute with dir (may be NULL: left).
 */
void schema_check(pl_doc *d, const pl_node *schema, pl_node *value, const char *what, const char *dir,
		  struct err_list *errors);

#endif
