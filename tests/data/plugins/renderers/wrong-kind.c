/* SPDX-License-Identifier: Apache-2.0 */
#define NAME "wrong-kind"
#define KIND PL_KIND_HEALTH
#include "../renderer.h"
