/* SPDX-License-Identifier: Apache-2.0 */
#define NAME	 "ops-small"
#define OPS_SIZE 16
#include "../renderer.h"
