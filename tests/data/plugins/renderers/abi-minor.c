/* SPDX-License-Identifier: Apache-2.0 */
#define NAME "abi-minor"
#define ABI  (PL_ABI + 1)
#include "../renderer.h"
