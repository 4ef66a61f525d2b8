/* SPDX-License-Identifier: Apache-2.0 */
#define NAME "unknown-kind"
#define KIND 77
#include "../renderer.h"
