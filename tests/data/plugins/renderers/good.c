/* SPDX-License-Identifier: Apache-2.0 */
#define SCHEMA                                                                                                         \
	"{\"type\": \"object\", \"additionalProperties\": false, \"properties\": {\"depth\": {\"type\": \"integer\", " \
	"\"default\": 3}, \"file\": {\"type\": \"string\", \"format\": \"path\"}}}"
#include "../renderer.h"
