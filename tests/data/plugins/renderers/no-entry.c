/* SPDX-License-Identifier: Apache-2.0 */
#define NAME "no-entry"
#define NO_ENTRY
#include "../renderer.h"
