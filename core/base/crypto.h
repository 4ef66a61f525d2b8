/* SPDX-License-Identifier: Apache-2.0 */
/* libcrypto, loaded when it is first asked for. */
#ifndef BASE_CRYPTO_H
#define BASE_CRYPTO_H

#include "core/base/crypto/module.h"

/* Never NULL: an installation without the module is broken, and nothing could go on. Thread-safe. */
const struct crypto_module *crypto_get(void);

#endif
