/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/crypto.h"

#include "core/base/module.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static struct {
	pthread_once_t once;
	const struct crypto_module *module;
} loaded = {.once = PTHREAD_ONCE_INIT};

static void load(void)
{
	struct pl_err why = ERR_INIT;
	void *symbol = module_symbol("crypto", "crypto_module_table", &why);
	crypto_module_fn fn;

	memcpy(&fn, &symbol, sizeof fn); /* ISO C has no cast from void * to a function */
	loaded.module = symbol ? fn() : NULL;
	if (loaded.module && loaded.module->size == sizeof *loaded.module)
		return;
	fprintf(stderr, "plumb: %s\n", symbol ? "modules/crypto.so is of another version" : pl_err_text(&why));
	abort();
}

const struct crypto_module *crypto_get(void)
{
	pthread_once(&loaded.once, load);
	return loaded.module;
}
