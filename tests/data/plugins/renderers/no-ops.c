/* SPDX-License-Identifier: Apache-2.0 */
#define NAME "no-ops"
#define OPS  NULL
#include "../renderer.h"
