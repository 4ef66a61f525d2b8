/* SPDX-License-Identifier: Apache-2.0 */
#define NAME "abi-major"
#define ABI  (7u << 16 | 2u)
#include "../renderer.h"
