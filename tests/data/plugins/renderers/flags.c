/* SPDX-License-Identifier: Apache-2.0 */
#define NAME  "flags"
#define FLAGS 0x100
#include "../renderer.h"
