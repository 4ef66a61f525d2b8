/* SPDX-License-Identifier: Apache-2.0 */
#define NAME   "list-schema"
#define SCHEMA "[]"
#include "../renderer.h"
