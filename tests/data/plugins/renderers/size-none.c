/* SPDX-License-Identifier: Apache-2.0 */
#define NAME "size-none"
#define SIZE 4
#include "../renderer.h"
