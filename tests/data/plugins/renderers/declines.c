/* SPDX-License-Identifier: Apache-2.0 */
#define NAME   "declines"
#define ANSWER NULL
#include "../renderer.h"
