/* SPDX-License-Identifier: Apache-2.0 */
#define NAME  "needs-process"
#define FLAGS PL_NEEDS_PROCESS
#include "../renderer.h"
