/* SPDX-License-Identifier: Apache-2.0 */
/* RE2 behind the table of module.h. */
#include "core/base/regex/module.h"

#include <re2/re2.h>

#include <new>

namespace
{

enum { FEW_GROUPS = 16 };

/* RE2 keeps what it says about the pattern in two places: what is wrong, and the part that is. */
void explain(const re2::RE2 &re, char *reason)
{
	const std::string &part = re.error_arg();

	if (part.empty() || re.error().find(part) != std::string::npos)
		snprintf(reason, REGEX_REASON, "%s", re.error().c_str());
	else
		snprintf(reason, REGEX_REASON, "%s: %s", re.error().c_str(), part.c_str());
}

void *compile(const char *pattern, size_t n, const regex_options *o, char *reason, int *too_big)
{
	re2::RE2::Options options(re2::RE2::Quiet);

	options.set_max_mem(o->max_mem);
	re2::RE2 *re = new re2::RE2(re2::StringPiece(pattern, n), options);
	if (re->ok())
		return re;
	explain(*re, reason);
	*too_big = re->error_code() == re2::RE2::ErrorPatternTooLarge;
	delete re;
	return nullptr;
}

void release(void *compiled)
{
	delete static_cast<re2::RE2 *>(compiled);
}

int match(const void *compiled, const char *text, size_t n, int whole, regex_span *groups, size_t n_groups)
{
	const re2::RE2 *re = static_cast<const re2::RE2 *>(compiled);
	size_t most = static_cast<size_t>(re->NumberOfCapturingGroups()) + 1;
	size_t asked = n_groups < most ? n_groups : most;
	re2::StringPiece few[FEW_GROUPS];
	re2::StringPiece *found = asked > FEW_GROUPS ? new re2::StringPiece[asked] : few;
	bool is = re->Match(re2::StringPiece(text, n), 0, n, whole ? re2::RE2::ANCHOR_BOTH : re2::RE2::UNANCHORED,
			    found, static_cast<int>(asked));

	for (size_t i = 0; i < n_groups; i++) {
		if (is && i < asked)
			groups[i] = {found[i].data(), found[i].size()};
		else
			groups[i] = {nullptr, 0};
	}
	if (found != few)
		delete[] found;
	return is;
}

const regex_module table = {sizeof table, compile, release, match};

} // namespace

extern "C" __attribute__((visibility("default"))) const struct regex_module *regex_module_table(void);

const struct regex_module *regex_module_table(void)
{
	return &table;
}
