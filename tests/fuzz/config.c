/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as plumb.yaml: either a config whose every part can be read, or at least one error with a text. */
#include "core/config/load.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t touch(pl_str s)
{
	size_t sum = s.n;
	for (size_t i = 0; i < s.n; i++)
		sum += (unsigned char)s.p[i];
	return sum;
}

static size_t read_parts(const struct config *c)
{
	const struct config_root *r = config_get(c);
	size_t n, sum = touch(r->state_dir) + touch(r->listen);
	const pl_str *warnings = config_warnings(c, &n);
	for (size_t i = 0; i < n; i++)
		sum += touch(warnings[i]);
	for (size_t i = 0; i < r->n_apps; i++) {
		const struct config_app *a = &r->apps[i];
		if (!name_ok(a->name) || !a->source || !a->target || config_app(c, a->name) != a)
			BUG("application %zu is not whole", i);
		sum += touch(a->path) + touch(a->revision) + touch(a->ns) + touch(a->source->name) +
		       touch(a->target->use.plugin);
		for (size_t k = 0; k < a->n_render; k++)
			sum += touch(a->render[k].plugin) + pl_len(a->render[k].options);
		for (size_t k = 0; k < a->n_health; k++)
			sum += touch(a->health[k]);
		if (memmem(a->path.p, a->path.n, "/../", 4))
			BUG("a path that climbs");
	}
	return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err_list errors = {0};
	struct config *c = config_read_text((pl_str){(const char *)data, size}, "fuzz.yaml", &errors);
	size_t sum = c ? read_parts(c) : 0;

	if (!c && errors.n == 0)
		BUG("refused without a reason");
	for (size_t i = 0; i < errors.n; i++)
		sum += strlen(pl_err_text(&errors.v[i]));
	err_list_free(&errors);
	config_unref(c);
	return sum == SIZE_MAX; /* so that nothing of it is left out by the compiler; never true */
}
