/* SPDX-License-Identifier: Apache-2.0 */
#define NAME   "no-render"
#define RENDER NULL
#include "../renderer.h"
