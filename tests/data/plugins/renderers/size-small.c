/* SPDX-License-Identifier: Apache-2.0 */
#define NAME "size-small"
#define SIZE (sizeof(pl_plugin) - 8)
#include "../renderer.h"
