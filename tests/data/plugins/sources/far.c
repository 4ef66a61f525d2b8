/* SPDX-License-Identifier: Apache-2.0 */
/* The folder source, with its remote operations in a worker process. */
#include "plumb/plugin.h"
#define FLAGS PL_NEEDS_PROCESS
#define NAME  "far"
#include "folder.c"
