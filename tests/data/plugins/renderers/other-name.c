/* SPDX-License-Identifier: Apache-2.0 */
#define NAME "somebody-else"
#include "../renderer.h"
