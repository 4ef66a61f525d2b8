/* SPDX-License-Identifier: Apache-2.0 */
#define NAME   "bad-schema"
#define SCHEMA "{\"type\": "
#include "../renderer.h"
